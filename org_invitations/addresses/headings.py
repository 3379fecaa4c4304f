"""What the heading of a column says of it, in the languages of the common programs.

Headings are told by stems of words and not by a list of whole ones: ``E-Mail-Adresse (privat)`` and
``Work email address [Required]`` both name an address of the person, ``Parent Email`` that of
somebody else, and ``E-mail type`` none at all. Everything is compared as :func:`plain` leaves it,
the stems below included, so none can be written in a way that no heading has.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Final

#: A longer cell is no heading.
MAX_HEADING: Final = 90

#: The heading of the column in which a written list keeps what was in other columns of a row.
REST: Final = "Rest of the row"

_HUMPS: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
#: Letters that no decomposition takes apart, and that people type both ways.
_ALIKE: Final = str.maketrans(
    {"\u0142": "l", "\u00f8": "o", "\u0131": "i", "\u0111": "d", "\u00e6": "ae", "\u0153": "oe"}
)
_UNSPACED: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def plain(text: str) -> str:
    """Return a heading's words, bare of case, accents and signs: ``Prénom:`` becomes ``prenom``.

    ``emailAddress`` and ``email_address`` are two words each. What is plain stays as it is.
    """
    text = _HUMPS.sub(" ", text)
    bare = "".join(
        char
        for char in unicodedata.normalize("NFKD", text.casefold())
        if not "\u0300" <= char <= "\u036f"
    )
    # Composed again for Korean and Japanese, whose letters would come apart for good.
    bare = unicodedata.normalize("NFKC", bare).translate(_ALIKE)
    return " ".join("".join(char if char.isalnum() else " " for char in bare).split())


class Rank(IntEnum):
    """How likely the person's own address stands in a column; the lowest first."""

    PRIMARY = 0
    PLAIN = 1
    WORK = 2
    SIGN_IN = 3
    HOME = 4
    OTHER = 5
    FORMER = 6
    #: Not called an address, though there are some in it.
    UNNAMED = 7
    #: The name that is shown, of which it may be a part.
    SHOWN = 8
    #: Not there to be written to: a chat account, who changed the row.
    ASIDE = 9


@dataclass(frozen=True, slots=True)
class Heading:
    """What a column is called, and what follows from that."""

    text: str = ""
    #: None where it is not called an address.
    rank: Rank | None = None
    #: Whose address it would be where it is not the person's: "parent", "manager".
    whose: str = ""
    #: Whether it says whose address it is where it is the person's: "student", "employee".
    is_told: bool = False
    is_role: bool = False
    is_name: bool = False
    #: Whether something else is known to stand there: a phone number, a date, a street.
    is_other: bool = False

    @property
    def is_known(self) -> bool:
        """Whether the words are those of a heading."""
        return self.rank is not None or self.is_role or self.is_name or self.is_other


class Stems:
    """Beginnings of words that mean the same, parted by blanks.

    ``~`` stands between words in a row, ``=`` before a whole word, ``*`` before what may also
    stand within one. In scripts without blanks each may.
    """

    def __init__(self, stems: str) -> None:
        self.stems = tuple(stems.split())
        self._pattern = re.compile("|".join(map(self._as_pattern, self.stems)))

    @staticmethod
    def words_of(stem: str) -> str:
        """Return what a heading of just this stem would say."""
        return plain(stem.lstrip("=*").replace("~", " "))

    def _as_pattern(self, stem: str) -> str:
        words = self.words_of(stem).split()
        if _UNSPACED.search(stem):
            return r"\s?".join(map(re.escape, words))
        start = "" if stem.startswith("*") else r"\b"
        end = r"\b" if stem.startswith("=") else ""
        return start + r"\w* ".join(map(re.escape, words)) + end

    def are_in(self, words: str) -> bool:
        """Whether a plain text has one of them."""
        return self._pattern.search(words) is not None


MAIL: Final = Stems(
    "*email *mail e~mail *epost e~post *eposta e~posta *sahkopost s~posti mejl elpost "
    "electronic~mail smtp~address proxy~address el~past e~past surel =netfang thu~dien "
    "adreca~electr correu~electr електрон~пощ електрон~адрес "
    "courriel =mel adresse~electronique adresse~de~messagerie "
    "correo~electr =correo =correos posta~elettr indirizzo~di~posta "
    "correio~eletr correio~electr =correio endereco~eletr endereco~electr "
    "=poczta =poczty poczt~elektron adres~elektron elektronick~post elektronick~adres "
    "электрон~почт эл~почт =почта =почты емейл имейл мейл мэйл е~мейл е~мэйл "
    "elektron~pocht електрон~пошт ел~пошт имел имеил "
    "メール メアド 邮件 邮箱 电邮 电子邮 信箱 電子郵件 郵件 郵箱 電郵 이메일 메일 전자우편 "
    "ηλεκτρονικ ηλ~ταχυδρ דואל אימייל البريد بريد ईमेल อีเมล epastas epasts meil emeil levelezesi"
)
SIGN_IN: Final = Stems(
    "user~principal userprincipal =upn =login log~in~name sign~in =username user~name =userid "
    "anmeldename benutzerprinzipal nom~d~utilisateur nom~utilisateur identifiant~de~connexion "
    "nombre~principal nombre~de~usuario nome~principal nome~de~utilizador nome~utente "
    "nazwa~glowna nazwa~uzytkownika nome~entita ονομα~χρηστη имя~участника имя~пользователя "
    "anvandarens~huvudnamn "
    "kayttajan~paanimi hlavni~nazev~uzivatele kullanici~asil kullanici~adi gebruikersnaam "
    "user~id 用户主体 用户名 使用者主體 ユーザー~プリンシパル ユーザー名 사용자~계정 사용자~이름"
)
PRIMARY: Final = Stems(
    "primar primaer haupt =main default preferred prefer bevorzugt primer principal hlavni "
    "glown podstawow ensisijain основн первичн главн birincil ana~e hoofd huvud hoved predefinit "
    "メイン 主要 首选 基本 기본 대표"
)
WORK: Final = Stems(
    "work εργασι εταιρικ business office company corporate professional school institut "
    "organization "
    "organisation campus firm geschaft dienst arbeit beruf buro betrieb schul universit "
    "travail bureau entreprise societe =pro trabajo laboral empresa oficina profesional corporativ "
    "trabalho comercial profissional lavoro ufficio azienda aziendal sluzbow zakelijk werk bedrijf "
    "рабоч служебн корпоратив arbet jobb foretag tyo yritys pracovn sluzebni is~e isyeri kurumsal "
    "会社 勤務 仕事 職場 学校 工作 公司 单位 單位 회사 직장 업무"
)
HOME: Final = Stems(
    "home personal private privat prive =oma προσωπικ personlig domicile personnel perso "
    "particulier =casa hogar "
    "pessoal residencial personale domow prywatn домашн личн =hem henkilokoh koti domaci osobni "
    "soukrom =ev kisisel =ozel 自宅 個人 私用 家庭 个人 私人 住宅 =집 개인"
)
OTHER: Final = Stems(
    "secondary second other alternat =alt additional further extra weiter zweit sekund ander "
    "zusatz alias proxy verified unverified authentication secondaire autre secundari alternativ "
    "otro otra outro outra altro altra innyc inny dodatkow drug jiny dalsi andra annan ovrig "
    "toissij =muu ikincil diger дополн друг втор その他 予備 サブ 其他 备用 備用 次要 기타 보조 別"
)
FORMER: Final = Stems(
    "recovery =old former previous new~primary new~email =alte fruher ehemal backup bounced "
    "wiederherstell recuper odzysk восстан резервн kurtarma aterstall 回復 再設定 復旧 恢复 恢復 "
    "辅助 복구"
)
#: For each person whose address it may be, what they are called.
WHOSE: Final = {
    person: Stems(stems)
    for person, stems in {
        "parent": (
            "parent eltern padres progenitor apoderado responsavel genitor rodzic rodic родител "
            "γονε κηδεμ =veli opiekun батьк "
            "foralder foraeldre foresatt huoltaj ebeveyn ouder guardian szulo gondvisel parinte "
            "roditelj skrbni phu~huynh orang~tua הורה erziehungsberecht tuteur =tutor tutore "
            "encarregado vormund sorgeberecht voogd family 保護者 家长 家長 父母 학부모 보호자"
        ),
        "mother": "mother =mum =mom mutter =mere =madre =mae matka мать =мама =anne 母 어머니",
        "father": "father =dad vater =pere =padre =pai otec ojciec отец =папа =baba 父 父亲 아버지",
        "manager": (
            "manager supervisor =boss superior vorgesetzt fuhrungskraft leiter teamleiter "
            "responsable =jefe =jefa gerente gestor =chef superviseur responsabile =capo kierownik "
            "przelozon vedouc nadrizen руковод начальник менеджер esimies esimieh esihenkilo "
            "yonetici chefen προισταμεν διευθυντ "
            "leidinggevende reports~to 上司 上長 管理者 マネージャ 上级 上級 主管 经理 經理 관리자 "
            "상사"
        ),
        "emergency": "emergenc notfall urgence emergencia emergenza экстрен 緊急 紧急 비상",
        "partner": "spouse partner ehegatt ehepartner conjoint conyuge coniuge 配偶 배우자",
        "teacher": (
            "teacher coach instructor mentor advisor adviser lehrer lehrkraft betreuer enseignant "
            "profesor docente insegnante nauczyciel ucitel учител larare opettaja ogretmen leraar "
            "教師 担任 老师 老師 선생 교사 담임"
        ),
        "assistant": "assistant assistenz sekretar secretar asistent asystent ассистент 秘書 비서",
        "referrer": (
            "referr invited~by inviter sponsor empfohlen geworben parrain referido eingeladen~von "
            "zaproszon~przez invite~par invitado~por convidado~por 紹介者 推荐人 추천인"
        ),
        "host": (
            "host organizer organiser organisator veranstalter gastgeber hote organisateur "
            "anfitrion organizador organizzatore gospodarz организатор ведущ sender absender "
            "expediteur remitente mittente nadawca recruiter interviewer 主催 主办 主持 주최 호스트"
        ),
        "billing": "billing invoice rechnung facturation facturacion fatturazione",
        "buyer": (
            "buyer purchaser payer kaufer besteller acheteur comprador compratore acquirente "
            "kupujac koper ostaja покупател 購入者 购买者 購買者 구매자"
        ),
        "group": "group gruppe groupe grupo gruppo verteiler distribution",
    }.items()
}
#: What a heading calls the table's own person where it has others beside them.
PERSON: Final = Stems(
    "student pupil child employee staff mitarbeiter angestellt schuler kind eleve etudiant employe "
    "salarie enfant alumno estudiante empleado hijo aluno estudante funcionario colaborador "
    "studente alunno dipendente impiegato figlio leerling medewerker werknemer uczen ucznia uczni "
    "pracownik ученик студент сотрудник работник elev anstalld medarbetar oppila opiskelija "
    "tyontekija =zak =zaka zamestnan ogrenci calisan personel μαθητ φοιτητ υπαλληλ εργαζομεν "
    "player athlete member invitee attendee participant candidate applicant volunteer camper "
    "spieler sportler mitglied teilnehm bewerber azubi joueur membre candidat "
    "jugador miembro socio asistente candidato jogador membro giocator membr iscritt partecipant "
    "speler =lid =leden deelnemer zawodnik uczestnik hrac ucastnik игрок участник спортсмен "
    "spelare deltagar pelaaja jasen osallistuj oyuncu katilimci =uye uyenin gyermek gyerek tanulo "
    "jatekos diak munkavallalo dolgozo elevul elevului играч гравець гравця учень учня "
    "選手 会員 参加者 队员 会员 参与者 會員 선수 회원 참가자 "
    "学生 生徒 社員 従業員 職員 学員 学员 員工 员工 雇员 學生 學員 僱員 학생 직원 사원"
)
SHOWN: Final = Stems(
    "display~name displayname =display anzeigename nom~affich nom~d~affich nombre~para~mostrar "
    "nome~de~exib nome~exib nome~a~apresentar nome~visualizzat weergavenaam nazwa~wyswietl "
    "visningsnamn nayttonim zobrazovan gorunen~ad отображаем выводим εμφανιζομεν ονομα~εμφανισης "
    "表示名 显示名 顯示名 표시~이름"
)
ASIDE: Final = Stems(
    "chat messenger messaging =im skype "
    "jabber xmpp =sip msn icq modified~by created~by updated~by added~by changed~by "
    "erstellt~von geandert~von cree~par creado~por =owner inhaber besitzer"
)
#: What makes a column with "mail" in its heading one without addresses.
NOT_MAIL: Final = Stems(
    "=type =typ =tipo =label beschriftung etiquette etiqueta etichetta voicemail mailing mailbox "
    "mailer sent opened clicked status =count number~of optin opt~in unsubscrib subscri consent "
    "frequency format language domain permission preference notification enabled =date =time "
    "datum hash password quota license usage storage newsletter correo~postal ラベル 标签 標籤 유형"
)
ROLE: Final = Stems(
    "=role =roles rolle =rol =roller =ruolo =ruoli =papel =papeis =funcao =funcoes =rola =role "
    "=roll =roller rooli роль роли ρολος ρολοι orgrole memberrole userrole clerkrole rolename "
    "rolekey ロール 役割 角色 역할"
)
NOT_ROLE: Final = Stems("job ticket role~of descript beschreibung")
NAME: Final = Stems(
    "name =names vorname nachname firstname lastname surname fullname givenname familyname =nom "
    "prenom nombre apellido =nome cognome sobrenome =imie nazwisko jmeno prijmeni =имя фамил =фио "
    "namn fornamn efternamn =nimi etunimi sukunimi =ad =adi soyad isim naam voornaam achternaam "
    "=ism familiya student schuler eleve alumno aluno uczen participant teilnehmer attendee guest "
    "mitglied member employee mitarbeiter empleado user benutzer person people contact kontakt "
    "氏名 名前 姓 名 이름 성명 学生 學生 员工 員工 用户 ユーザー 社員 生徒 학생 직원 사용자"
)
SOMETHING_ELSE: Final = Stems(
    "phone telephone telefon mobile =tel fax street strasse address adress adresse city stadt "
    "=ort =plz =zip "
    "country department abteilung company firma organization organisation title titel position "
    "notes notiz comment bemerkung birthday geburt website =url =id team gruppe class klasse date "
    "datum time status duration minutes join leave license telefono telefone ville pays direccion "
    "ciudad endereco cidade indirizzo citta ulica miasto город адрес телефон mesto katu kaupunki "
    "sehir avdelning osasto dzial oddeleni отдел departamento labels nickname spitzname "
    "電話 住所 部署 会社 电话 地址 公司 部门 전화 주소 부서"
)
#: As a program writes several of one kind: ``E-mail 2 - Value``, ``Email2Address``.
_NUMBER: Final = re.compile(r"(?<![0-9])([2-9])(?![0-9])")

_RANKS: Final = (
    (FORMER, Rank.FORMER),
    (OTHER, Rank.OTHER),
    (SIGN_IN, Rank.SIGN_IN),
    (HOME, Rank.HOME),
    (WORK, Rank.WORK),
    (PRIMARY, Rank.PRIMARY),
)


def read_heading(text: str) -> Heading:
    """Return what a cell says as the heading of a column."""
    if len(text) > 4 * MAX_HEADING:
        return Heading(text[:MAX_HEADING])
    text = " ".join(text.split())
    if not text or len(text) > MAX_HEADING or "@" in text:
        return Heading(text)
    return _read_heading(text)


@lru_cache(maxsize=4096)
def _read_heading(text: str) -> Heading:
    if text == REST:
        return Heading(text, whose="rest", is_other=True)
    words = plain(text)
    whose = next((person for person, stems in WHOSE.items() if stems.are_in(words)), "")
    is_mail = MAIL.are_in(words)
    if is_mail and NOT_MAIL.are_in(words):
        return Heading(text, is_other=True)
    if SHOWN.are_in(words):
        return Heading(text, Rank.SHOWN, whose, is_other=True)
    if ASIDE.are_in(words):
        return Heading(text, Rank.ASIDE, whose, is_other=True)
    if is_mail or SIGN_IN.are_in(words):
        return Heading(text, _rank(words), whose, is_told=not whose and PERSON.are_in(words))
    is_role = ROLE.are_in(words) and not NOT_ROLE.are_in(words)
    return Heading(
        text,
        whose=whose,
        is_role=is_role,
        is_name=not is_role and NAME.are_in(words),
        is_other=not is_role and SOMETHING_ELSE.are_in(words),
    )


def _rank(words: str) -> Rank:
    if _NUMBER.search(words):
        return Rank.OTHER
    return next((rank for stems, rank in _RANKS if stems.are_in(words)), Rank.PLAIN)
