"""Exports and pastes of one program each, and what the page is to offer for them.

Headings and quirks are those of the programs as they are; the people are made up. What is expected
is written in lines:

``ana@x.org Admin``
    would be invited, with the name of the role where it is not the form's;
``- Bo Roe``
    refused, in these words;
``+ bo@x.org``
    offered in place of something refused;
``? Student Email | Parent Email``
    asked, with these columns;
``! Row 1: no table``
    said somewhere on the page.

Nobody else may be invited, nothing else refused and nothing else asked.
"""

from __future__ import annotations

import codecs
import io
from dataclasses import dataclass
from datetime import date
from typing import Any

import openpyxl


@dataclass(frozen=True)
class Export:
    name: str
    content: str | bytes
    expected: str
    #: Whether it is chosen as a file, pasted, or both.
    ways: tuple[str, ...] = ("file", "paste")

    @property
    def as_bytes(self) -> bytes:
        return self.content if isinstance(self.content, bytes) else self.content.encode()

    def lines(self, mark: str) -> list[str]:
        """What is expected behind a mark; what is invited has none."""
        lines = [line.strip() for line in self.expected.strip().splitlines() if line.strip()]
        if not mark:
            return [line for line in lines if line[0] not in "-+?!"]
        return [line[1:].strip() for line in lines if line.startswith(mark)]


FILE = ("file",)
PASTE = ("paste",)


def book(*sheets: list[list[Any]], links: dict[str, str] | None = None, hidden: int = -1) -> bytes:
    """A workbook; ``links`` are those of the cells of its first sheet."""
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for number, rows in enumerate(sheets):
        sheet = workbook.create_sheet(f"Sheet{number + 1}")
        for row in rows:
            sheet.append(row)
        if number == hidden:
            sheet.sheet_state = "hidden"
    for cell, target in (links or {}).items():
        workbook.worksheets[0][cell].hyperlink = target
    content = io.BytesIO()
    workbook.save(content)
    return content.getvalue()


def utf16(text: str, *, mark: bool = True) -> bytes:
    return (codecs.BOM_UTF16_LE if mark else b"") + text.encode("utf-16-le")


#: What Microsoft 365, Entra, Exchange and Windows export.
MICROSOFT = [
    Export(
        "Microsoft 365 admin centre, users",
        "Block credential,City,Country/Region,Department,DirSyncEnabled,Display name,Fax,First name,"
        "Last dirsync time,Last name,Licenses,Mobile Phone,Object Id,Office,Phone number,"
        "Proxy addresses,Title,Usage location,User principal name,When created\n"
        "False,Berlin,Germany,Sales,,Ana Doe,,Ana,,Doe,Microsoft 365 E3,,1-2,,,"
        "smtp:ana@x.onmicrosoft.com+SMTP:ana@x.org,Engineer,DE,ana@x.org,2024-01-02 10:00:00Z\n"
        "False,,,,,Bo Roe,,Bo,,Roe,Unlicensed,,1-3,,,SMTP:bo@gmail.com,,,"
        "bo_gmail.com#EXT#@x.onmicrosoft.com,2024-01-03 10:00:00Z\n",
        "ana@x.org\nbo@gmail.com",
    ),
    Export(
        "Entra, bulk invitation",
        "version:v1.0,,,\n"
        "Email address to invite [inviteeEmail] Required,Redirection url [inviteRedirectURL] "
        "Required,Send invitation message (true or false) [sendEmail],Customized invitation message "
        "[customizedMessageBody]\n"
        "ana@x.org,https://myapps.microsoft.com,true,Welcome\n"
        "bo@x.org,https://myapps.microsoft.com,true,\n",
        "ana@x.org\nbo@x.org\n! Row 1: no table of people.",
    ),
    Export(
        "Entra, bulk creation",
        "version:v1.0\n"
        "Name [displayName] Required,User name [userPrincipalName] Required,Initial password "
        "[passwordProfile] Required,Block sign in (Yes/No) [accountEnabled] Required,First name "
        "[givenName],Last name [surname],Job title [jobTitle]\n"
        "Ana Doe,ana@x.org,Secret1!,No,Ana,Doe,Engineer\n",
        "ana@x.org\n! Row 1: no table of people.",
    ),
    Export(
        "Entra, group members",
        "id,userPrincipalName,displayName,objectType,userType,isUser,isGroup,isGuest\n"
        "1,ana@x.org,Ana Doe,User,Member,TRUE,FALSE,FALSE\n"
        "2,bo_home.example#EXT#@x.onmicrosoft.com,Bo,User,Guest,TRUE,FALSE,TRUE\n"
        "3,,Sales,Group,,FALSE,TRUE,FALSE\n",
        "ana@x.org\n- bo_home.example#EXT#@x.onmicrosoft.com\n+ bo@home.example\n"
        "- 3, Sales, Group, FALSE, TRUE, FALSE",
    ),
    Export(
        "Exchange, Get-Mailbox",
        "#TYPE Microsoft.Exchange.Data.Directory.Management.Mailbox\r\n"
        '"DisplayName","PrimarySmtpAddress","EmailAddresses","UserPrincipalName"\r\n'
        '"Ana Doe","ana@x.org","SIP:ana@x.org SMTP:ana@x.org smtp:a@x.onmicrosoft.com",'
        '"adoe@x.local"\r\n'
        '"Bo Roe","bo@x.org","X500:/o=X/cn=bo SMTP:bo@x.org","broe@x.local"\r\n',
        "ana@x.org\nbo@x.org\n! Row 1: no table of people.",
    ),
    Export(
        "Exchange, addresses alone",
        "Name;EmailAddresses\nAna;smtp:a.doe@x.org,SMTP:ana@x.org\n"
        "Bo;SMTP:bo@x.org,SIP:bo@x.org,smtp:broe@x.org\n",
        "ana@x.org\nbo@x.org",
    ),
    Export(
        "Active Directory, proxyAddresses",
        'name,proxyAddresses\n"Ana","smtp:a.doe@x.org;SMTP:ana@x.org;X500:/o=x/cn=ana"\n'
        '"Bo","SMTP:bo@x.org;smtp:broe@x.org"\n',
        "ana@x.org\nbo@x.org",
    ),
    Export(
        "Active Directory, Get-ADUser",
        '"DistinguishedName","EmailAddress","Enabled","GivenName","Name","ObjectClass",'
        '"SamAccountName","Surname","UserPrincipalName"\r\n'
        '"CN=Ana Doe,OU=Sales,DC=x,DC=org","ana@x.org","True","Ana","Ana Doe","user","adoe","Doe",'
        '"adoe@corp.x.org"\r\n'
        '"CN=Bo,OU=Sales,DC=x,DC=org","","True","Bo","Bo Roe","user","broe","Roe",'
        '"broe@corp.x.org"\r\n',
        "ana@x.org\nbroe@corp.x.org",
    ),
    Export(
        "SharePoint, claims",
        "Title,Assigned To,Status\nKick-off,i:0#.f|membership|ana@x.org,Open\n"
        "Report,i:0#.f|membership|bo@x.org,Done\n",
        "ana@x.org\nbo@x.org",
    ),
    Export(
        "SharePoint, claims in a text",
        "i:0#.f|membership|ana@x.org; i:0#.f|membership|bo@x.org",
        "ana@x.org\nbo@x.org",
    ),
    Export(
        "Teams, attendance",
        utf16(
            "1. Summary\nMeeting title\tKick-off\nAttended participants\t2\n"
            "Start time\t11/24/26, 9:00:00 AM\nEnd time\t11/24/26, 10:00:00 AM\n"
            "Meeting duration\t1h\nAverage attendance time\t50m\n\n"
            "2. Participants\nName\tFirst Join\tLast Leave\tIn-Meeting Duration\tEmail\t"
            "Participant ID (UPN)\tRole\n"
            "Ana Doe\t9:00\t10:00\t1h\tana@x.org\tana@x.org\tOrganizer\n"
            "Bo Roe\t9:10\t9:50\t40m\tbo@x.org\tbo@x.org\tPresenter\n"
            "Cy (Guest)\t9:10\t9:50\t40m\t\t\tAttendee\n\n"
            "3. In-Meeting Activities\nName\tJoin Time\tLeave Time\tDuration\tEmail\tRole\n"
            "Ana Doe\t9:00\t10:00\t1h\tana@x.org\tOrganizer\n"
            "Bo Roe\t9:10\t9:50\t40m\tbo@x.org\tPresenter\n"
        ),
        "ana@x.org\nbo@x.org\n- Cy (Guest), 9:10, 9:50, 40m, Attendee\n! Organizer",
    ),
    Export(
        "Teams, attendance in German",
        utf16(
            "1. Zusammenfassung\nBesprechungstitel\tKick-off\nTeilnehmer\t2\n"
            "Startzeit\t24.11.26, 09:00:00\nEndzeit\t24.11.26, 10:00:00\n"
            "Besprechungsdauer\t1h\nDurchschnittliche Teilnahmezeit\t50m\n\n"
            "2. Teilnehmer\nName\tErster Beitritt\tLetztes Verlassen\tBesprechungsdauer\tE-Mail\t"
            "Teilnehmer-ID (UPN)\tRolle\n"
            "Jürgen Möller\t9:00\t10:00\t1h\tjm@x.org\tjm@x.org\tOrganisator\n"
            "Bo Roe\t9:10\t9:50\t40m\tbo@x.org\tbo@x.org\tReferent\n\n"
            "3. Aktivitäten in der Besprechung\nName\tBeitrittszeit\tZeitpunkt des Verlassens\t"
            "Dauer\tE-Mail\tRolle\nJürgen Möller\t9:00\t10:00\t1h\tjm@x.org\tOrganisator\n"
        ),
        "jm@x.org\nbo@x.org\n! Organisator",
    ),
    Export(
        "Teams, attendance in French",
        utf16(
            "1. Résumé\nTitre de la réunion\tLancement\nParticipants\t2\n"
            "Heure de début\t24/11/26 09:00:00\n\n"
            "2. Participants\nNom\tPremière participation\tDernier départ\tDurée de la réunion\t"
            "E-mail\tID du participant (UPN)\tRôle\n"
            "Zoé Noël\t9:00\t10:00\t1h\tzoe@x.org\tzoe@x.org\tOrganisateur\n"
            "Bo Roe\t9:10\t9:50\t40m\tbo@x.org\tbo@x.org\tPrésentateur\n"
        ),
        "zoe@x.org\nbo@x.org\n! Organisateur",
    ),
    Export(
        "Forms, with a question for the address",
        "ID,Start time,Completion time,Email,Name,Please enter your email address\n"
        "1,11/1/26 9:00,11/1/26 9:05,anonymous,,ana@x.org\n"
        "2,11/1/26 9:10,11/1/26 9:15,anonymous,,bo@x.org\n",
        "ana@x.org\nbo@x.org",
    ),
    Export(
        "Planner or Loop, Last, First with addresses",
        "Doe, Ana <ana@x.org>; Roe, Bo (Extern) <bo@x.org>; Poe, Cy, Dr. <cy@x.org>;",
        "ana@x.org\nbo@x.org\ncy@x.org",
    ),
]

#: Address books and mail programs.
ADDRESS_BOOKS = [
    Export(
        "Outlook, French",
        (
            '"Titre","Prénom","Deuxième prénom","Nom","Suffixe","Société","Service","Rue (bureau)",'
            '"Adresse de messagerie","Type de messagerie","Nom complet de l\'adresse de messagerie",'
            '"Adresse de messagerie 2","Type de messagerie 2",'
            '"Nom complet de l\'adresse de messagerie 2","Responsable","Notes"\r\n'
            '"","Zoé","","Noël","","X","","","zoe@x.org","SMTP","Zoé Noël (zoe@x.org)",'
            '"zoe@home.example","SMTP","Zoé (zoe@home.example)","","aime\r\nle thé"\r\n'
            '"","René","","Roy","","X","","","rene@x.org","SMTP","René Roy (rene@x.org)","","","",'
            '"Zoé",""\r\n'
        ).encode("cp1252"),
        "zoe@x.org\nrene@x.org",
        FILE,
    ),
    Export(
        "Outlook, Spanish",
        (
            '"Nombre","Apellidos","Organización","Dirección de correo electrónico",'
            '"Tipo de correo electrónico","Nombre de pantalla de correo electrónico",'
            '"Dirección del correo electrónico 2","Tipo de correo electrónico 2"\r\n'
            '"Begoña","Muñoz","X","bm@x.org","SMTP","Begoña Muñoz (bm@x.org)","b@home.example",'
            '"SMTP"\r\n"Iñaki","Gómez","","","","","ig@home.example","SMTP"\r\n'
        ).encode("cp1252"),
        "bm@x.org\nig@home.example",
        FILE,
    ),
    Export(
        "Outlook, Italian",
        '"Nome","Cognome","Società","Indirizzo posta elettronica","Tipo posta elettronica",'
        '"Nome visualizzato posta elettronica","Indirizzo posta elettronica 2"\n'
        '"Ana","Doe","X","ana@x.org","SMTP","Ana Doe (ana@x.org)","ana@home.example"\n'
        '"Bo","Roe","X","","","","bo@home.example"\n',
        "ana@x.org\nbo@home.example",
    ),
    Export(
        "Outlook, Portuguese",
        '"Nome","Sobrenome","Empresa","Endereço de Email","Tipo de Email",'
        '"Nome para Exibição do Email","Endereço de Email 2"\n'
        '"Ana","Doe","X","ana@x.org","SMTP","Ana Doe (ana@x.org)","ana@home.example"\n',
        "ana@x.org",
    ),
    Export(
        "Outlook, Dutch",
        '"Voornaam","Achternaam","Bedrijf","E-mailadres","E-mailtype","Weergavenaam voor e-mail",'
        '"E-mailadres 2","Manager"\n'
        '"Ana","Doe","X","ana@x.org","SMTP","Ana Doe (ana@x.org)","a@home.example","Bo"\n',
        "ana@x.org",
    ),
    Export(
        "Outlook, Polish",
        (
            '"Imię","Nazwisko","Firma","Adres e-mail","Typ e-mail","Nazwa wyświetlana e-mail",'
            '"Adres e-mail 2"\r\n'
            '"Łukasz","Wójcik","X","lw@x.org","SMTP","Łukasz Wójcik (lw@x.org)","l@home.example"\r\n'
            '"Żaneta","Bąk","","zb@x.org","SMTP","Żaneta Bąk (zb@x.org)",""\r\n'
        ).encode("cp1250"),
        "lw@x.org\nzb@x.org",
        FILE,
    ),
    Export(
        "Outlook, Russian",
        (
            '"Имя","Отчество","Фамилия","Организация","Должность","Адрес эл. почты","Тип эл. почты",'
            '"Краткое имя эл. почты","Адрес 2 эл. почты","Тип 2 эл. почты"\r\n'
            '"Иван","","Петров","X","Инженер","ivan@x.org","SMTP","Иван Петров (ivan@x.org)",'
            '"ivan@home.example","SMTP"\r\n"Анна","","Сидорова","X","","anna@x.org","SMTP",'
            '"Анна (anna@x.org)","",""\r\n'
        ).encode("cp1251"),
        "ivan@x.org\nanna@x.org",
        FILE,
    ),
    Export(
        "Outlook, Swedish",
        '"Förnamn","Efternamn","Företag","E-postadress","E-posttyp","Visningsnamn för e-post",'
        '"E-postadress 2"\n"Åsa","Öst","X","asa@x.org","SMTP","Åsa Öst (asa@x.org)","a@home.example"\n',
        "asa@x.org",
    ),
    Export(
        "Outlook, Finnish",
        '"Etunimi","Sukunimi","Yritys","Sähköpostiosoite","Sähköpostin laji",'
        '"Sähköpostin näyttönimi","Sähköpostiosoite 2"\n'
        '"Väinö","Mäki","X","vm@x.org","SMTP","Väinö Mäki (vm@x.org)","v@home.example"\n',
        "vm@x.org",
    ),
    Export(
        "Outlook, Czech",
        (
            '"Jméno","Příjmení","Společnost","E-mailová adresa","Typ e-mailu",'
            '"Zobrazované jméno e-mailu","E-mailová adresa 2"\r\n'
            '"Jiří","Dvořák","X","jd@x.org","SMTP","Jiří Dvořák (jd@x.org)","j@home.example"\r\n'
        ).encode("cp1250"),
        "jd@x.org",
        FILE,
    ),
    Export(
        "Outlook, Turkish",
        (
            '"Ad","Soyadı","Şirket","E-posta Adresi","E-posta Türü","E-posta Görünen Adı",'
            '"E-posta 2 Adresi"\r\n'
            '"Gülşen","Yıldız","X","gy@x.org","SMTP","Gülşen Yıldız (gy@x.org)","g@home.example"\r\n'
        ).encode("cp1254"),
        "gy@x.org",
        FILE,
    ),
    Export(
        "Outlook, Japanese",
        (
            '"姓","名","会社名","電子メール アドレス","電子メールの種類","電子メール表示名",'
            '"電子メール 2 アドレス","電子メール 2 の種類"\r\n'
            '"山田","太郎","X","taro@x.org","SMTP","山田 太郎 (taro@x.org)","t@home.example","SMTP"\r\n'
            '"鈴木","花子","X","hana@x.org","SMTP","鈴木 花子 (hana@x.org)","",""\r\n'
        ).encode("cp932"),
        "taro@x.org\nhana@x.org",
        FILE,
    ),
    Export(
        "Outlook, Chinese",
        (
            '"姓","名","公司","电子邮件地址","电子邮件类型","电子邮件显示名称","电子邮件 2 地址"\r\n'
            '"王","伟","X","wei@x.org","SMTP","王伟 (wei@x.org)","w@home.example"\r\n'
            '"李","娜","X","na@x.org","SMTP","李娜 (na@x.org)",""\r\n'
        ).encode("gb18030"),
        "wei@x.org\nna@x.org",
        FILE,
    ),
    Export(
        "Outlook, Korean",
        (
            '"성","이름","회사","전자 메일 주소","전자 메일 유형","전자 메일 표시 이름",'
            '"전자 메일 2 주소"\r\n"김","민수","X","kim@x.org","SMTP","김민수 (kim@x.org)","k@home.example"\r\n'
        ).encode("cp949"),
        "kim@x.org",
        FILE,
    ),
    Export(
        "Outlook, an address of Exchange",
        '"First Name","Last Name","E-mail Address","E-mail Type","E-mail Display Name"\r\n'
        '"Ana","Doe","/o=ExchangeLabs/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/'
        'cn=Recipients/cn=0a1b-ana","EX","Ana Doe (ana@x.org)"\r\n'
        '"Bo","Roe","bo@x.org","SMTP","Bo Roe (bo@x.org)"\r\n',
        "ana@x.org\nbo@x.org",
    ),
    Export(
        "Thunderbird, French",
        "Prénom,Nom de famille,Nom à afficher,Surnom,Première adresse électronique,"
        "Adresse électronique secondaire,Nom à l'écran,Tél. professionnel\r\n"
        "Zoé,Noël,Zoé Noël,,zoe@x.org,zoe@home.example,,\r\nRené,Roy,René Roy,,,rene@home.example,,\r\n",
        "zoe@x.org\nrene@home.example",
    ),
    Export(
        "Thunderbird, Russian",
        "Имя,Фамилия,Отображаемое имя,Псевдоним,Основной адрес электронной почты,"
        "Дополнительный адрес электронной почты,Отображаемое на экране имя\r\n"
        "Иван,Петров,Иван Петров,,ivan@x.org,ivan@home.example,\r\n",
        "ivan@x.org",
    ),
    Export(
        "Thunderbird, LDIF",
        "dn: cn=Ana Doe,mail=ana@x.org\r\nobjectclass: top\r\nobjectclass: person\r\n"
        "objectclass: mozillaAbPersonAlpha\r\ngivenName: Ana\r\nsn: Doe\r\ncn: Ana Doe\r\n"
        "mail: ana@x.org\r\nmozillaSecondEmail: ana@home.example\r\nmodifytimestamp: 0\r\n\r\n"
        "dn:: Y249Wm/DqSxtYWlsPXpvZUB4Lm9yZw==\r\nobjectclass: person\r\ncn:: Wm/DqQ==\r\n"
        "mail: zoe@x.org\r\n\r\n",
        "ana@x.org\nzoe@x.org",
    ),
    Export(
        "ldapsearch",
        "# extended LDIF\n#\n# LDAPv3\n# base <dc=x,dc=org> with scope subtree\n# filter: mail=*\n#\n\n"
        "# ana, people, x.org\ndn: uid=ana,ou=people,dc=x,dc=org\nmail: ana@x.org\ncn: Ana\n\n"
        "# bo, people, x.org\ndn: uid=bo,ou=people,dc=x,dc=org\nmail: bo@x.org\nmail: broe@x.org\n\n"
        "# search result\nsearch: 2\nresult: 0 Success\n\n# numResponses: 3\n# numEntries: 2\n",
        "ana@x.org\nbo@x.org",
    ),
    Export(
        "Active Directory, ldifde",
        "dn: CN=Ana Doe,OU=Sales,DC=x,DC=org\r\nchangetype: add\r\nuserPrincipalName: ana@corp.x.org\r\n"
        "proxyAddresses: smtp:a@x.org\r\nproxyAddresses: SMTP:ana@x.org\r\n\r\n"
        "dn: CN=Bo,OU=Sales,DC=x,DC=org\r\nchangetype: add\r\nuserPrincipalName: bo@x.org\r\n\r\n",
        "ana@x.org\nbo@x.org",
    ),
    Export(
        "vCard of Outlook, quoted-printable",
        (
            "BEGIN:VCARD\r\nVERSION:2.1\r\nN;LANGUAGE=de;CHARSET=Windows-1252:Müller;Jürgen\r\n"
            "FN;CHARSET=Windows-1252:Jürgen Müller\r\nORG:X\r\n"
            "ADR;WORK;PREF;ENCODING=QUOTED-PRINTABLE:;;Stra=DFe 1=0D=0A=\r\nHinterhaus;Berlin\r\n"
            "EMAIL;PREF;INTERNET:juergen@x.org\r\nEMAIL;INTERNET:jm@home.example\r\nEND:VCARD\r\n"
        ).encode("cp1252"),
        "juergen@x.org",
        FILE,
    ),
    Export(
        "vCard of a phone, quoted-printable name and address",
        "BEGIN:VCARD\nVERSION:2.1\n"
        "N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=4D=C3=BC=6C=6C=65=72;=4A=C3=BC=\n"
        "=72=67=65=6E;;;\n"
        "EMAIL;HOME;ENCODING=QUOTED-PRINTABLE:juergen=40x.org\nEND:VCARD\n"
        "BEGIN:VCARD\nVERSION:2.1\n"
        "N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:;=42=C3=B6;;;\n"
        "FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=42=C3=B6\nTEL;CELL:1\nEND:VCARD\n",
        "juergen@x.org\n- Bö",
    ),
    Export(
        "vCard of iCloud",
        "BEGIN:VCARD\r\nVERSION:3.0\r\nPRODID:-//Apple Inc.//iOS 17.0//EN\r\nN:Doe;Ana;;;\r\n"
        "FN:Ana Doe\r\nitem1.EMAIL;type=INTERNET;type=pref:ana@x.org\r\nitem1.X-ABLabel:Uni\r\n"
        "EMAIL;type=INTERNET;type=HOME:ana@home.example\r\nEND:VCARD\r\n"
        "BEGIN:VCARD\r\nVERSION:3.0\r\nN:X\\, Inc.;;;;\r\nFN:X\\, Inc.\r\nORG:X\\, Inc.;\r\n"
        "X-ABShowAs:COMPANY\r\nEND:VCARD\r\n",
        "ana@x.org\n- X, Inc.",
    ),
    Export(
        "vCard 4, folded and with mailto",
        "BEGIN:VCARD\nVERSION:4.0\nFN:Ana Doe\nEMAIL;TYPE=work;PREF=1;ALTID=1:\n mailto:ana@x.org\n"
        "EMAIL;TYPE=home;PREF=2:ana@home.example\nEND:VCARD\n",
        "ana@x.org",
    ),
    Export(
        "vCards below a blank line and a note",
        "Here are the contacts\n\nBEGIN:VCARD\nVERSION:3.0\nFN:Ana\nEMAIL:ana@x.org\nEND:VCARD\n",
        "ana@x.org",
    ),
    Export(
        "Google Contacts, with several addresses",
        "First Name,Middle Name,Last Name,File As,Labels,E-mail 1 - Label,E-mail 1 - Value,"
        "E-mail 2 - Label,E-mail 2 - Value,Relation 1 - Label,Relation 1 - Value\n"
        "Ana,,Doe,,* myContacts,Work,ana@x.org,Home,ana@home.example,,\n"
        "Bo,,Roe,,* myContacts,*,bo@x.org ::: bo@home.example,,,Manager,Ana\n",
        "ana@x.org\nbo@x.org",
    ),
    Export(
        "Google Contacts, the older heading",
        "Name,Given Name,Family Name,Group Membership,E-mail 1 - Type,E-mail 1 - Value,"
        "E-mail 2 - Type,E-mail 2 - Value,Organization 1 - Name\n"
        "Ana Doe,Ana,Doe,* myContacts,* Work,ana@x.org,Home,ana@home.example,X\n"
        "Bo Roe,Bo,Roe,* myContacts,,,Home,bo@home.example,\n",
        "ana@x.org\nbo@home.example",
    ),
    Export(
        "Yahoo",
        '"First","Middle","Last","Nickname","Email","Category","Distribution Lists",'
        '"Messenger ID","Home","Work","Alternate Email 1","Alternate Email 2"\n'
        '"Ana","","Doe","","ana@x.org","","","ana.doe@yahoo.com","","","ana@home.example",""\n'
        '"Bo","","Roe","","","","","","","","bo@home.example",""\n',
        "ana@x.org\nbo@home.example",
    ),
    Export(
        "GMX",
        '"Nachname";"Vorname";"Anzeigename";"Firma";"E-Mail privat";"E-Mail geschäftlich";'
        '"Telefon privat"\n"Möller";"Jürgen";"Jürgen Möller";"X";"jm@home.example";"jm@x.org";""\n'
        '"Roe";"Bo";"";"";"bo@home.example";"";""\n',
        "jm@x.org\nbo@home.example",
    ),
    Export(
        "Mac contacts pasted",
        "Ana Doe\nana@x.org\n\nBo Roe\nbo@x.org\n",
        "ana@x.org\nbo@x.org\n- Ana Doe\n- Bo Roe",
    ),
    Export(
        "Mail, to and cc copied",
        "From: Ana Doe <ana@x.org>\nSent: Tuesday, 24 November 2026 09:00\n"
        "To: Bo Roe <bo@x.org>; Cy <cy@x.org>\nCc: 'dee@x.org'\nSubject: Kick-off\n",
        "ana@x.org\nbo@x.org\ncy@x.org\ndee@x.org\n"
        "- Sent: Tuesday\n- 24 November 2026 09:00\n- Subject: Kick-off",
        PASTE,
    ),
    Export(
        "mutt",
        "alias ana Ana Doe <ana@x.org>\nalias bo Bo Roe <bo@x.org>\n",
        "ana@x.org\nbo@x.org",
    ),
    Export(
        "signature",
        "Ana Doe\nHead of Sales | X GmbH\nT: +49 30 1234 | M: +49 170 1234\n"
        "E: ana@x.org | W: www.x.org\n",
        "ana@x.org\n- Ana Doe\n- Head of Sales | X GmbH\n- T: +49 30 1234 | M: +49 170 1234\n"
        "- | W: www.x.org",
        PASTE,
    ),
]

#: Google, Zoom, Slack, Mailman, LinkedIn, and where else members are kept.
SERVICES = [
    Export(
        "Google Groups, members",
        "Members for group team@x.org\n"
        "Email address,Nickname,Group status,Email status,Email preference,Posting permissions,"
        "Join year,Join month,Join day,Join hour,Join minute,Join second,Time zone\n"
        "ana@x.org,Ana,member,,email,allowed,2026,1,2,3,4,5,Pacific Standard Time\n"
        "bo@x.org,Bo,owner,,email,allowed,2026,1,2,3,4,5,Pacific Standard Time\n",
        "ana@x.org\nbo@x.org\n! team@x.org",
    ),
    Export(
        "Google Groups, in German",
        "Mitglieder der Gruppe „team@x.org“\n"
        "E-Mail-Adresse,Alias,Gruppenstatus,E-Mail-Status,E-Mail-Einstellung,Veröffentlichungsrechte,"
        "Beitrittsjahr,Beitrittsmonat,Beitrittstag\n"
        "ana@x.org,Ana,Mitglied,,E-Mail,zulässig,2026,1,2\nbo@x.org,Bo,Inhaber,,,zulässig,2026,1,2\n",
        "ana@x.org\nbo@x.org\n! team@x.org",
    ),
    Export(
        "Google Groups, in French",
        "Membres du groupe team@x.org\n"
        "Adresse e-mail,Pseudo,État du groupe,État de l'adresse e-mail,Préférence de messagerie,"
        "Autorisations de publication,Année d'inscription\n"
        "ana@x.org,Ana,membre,,e-mail,autorisé,2026\nbo@x.org,Bo,propriétaire,,e-mail,autorisé,2026\n",
        "ana@x.org\nbo@x.org",
    ),
    Export(
        "Google Admin, members of groups",
        "Group Email [Required],Member Email,Member Name,Member Role,Member Type\n"
        "team@x.org,ana@x.org,Ana Doe,OWNER,USER\nteam@x.org,bo@x.org,Bo Roe,MEMBER,USER\n",
        "bo@x.org\n- ana@x.org",
    ),
    Export(
        "GAM",
        "primaryEmail,name.fullName,aliases,aliases.0,emails.0.address,emails.0.type,"
        "recoveryEmail,suspended\nana@x.org,Ana Doe,1,a@x.org,ana@x.org,work,ana@home.example,False\n"
        "bo@x.org,Bo Roe,0,,bo@x.org,work,,False\n",
        "ana@x.org\nbo@x.org",
    ),
    Export(
        "Google Forms in French, with somebody else's address",
        "Horodateur,Adresse e-mail,Nom de l'élève,E-mail du responsable légal\n"
        "24/11/2026 09:00:00,ana@x.org,Ana,mere@home.example\n"
        "24/11/2026 09:10:00,bo@x.org,Bo,pere@home.example\n",
        "ana@x.org\nbo@x.org\n! responsable",
    ),
    Export(
        "Google Forms in Japanese",
        "タイムスタンプ,メールアドレス,お名前,ご所属\n"
        "2026/11/24 9:00:00,taro@x.org,山田太郎,X\n2026/11/24 9:10:00,hana@x.org,鈴木花子,\n",
        "taro@x.org\nhana@x.org",
    ),
    Export(
        "Google Forms, collected and asked for",
        '"Timestamp","Username","Your name","Which email should we invite?"\n'
        '"2026/11/24 9:00:00 AM GMT+1","ana.doe@gmail.com","Ana Doe","ana.doe@x.org"\n'
        '"2026/11/24 9:10:00 AM GMT+1","bo.roe@gmail.com","Bo Roe","bo.roe@x.org"\n',
        "ana.doe@x.org\nbo.roe@x.org",
    ),
    Export(
        "Google Classroom, grades",
        "Last Name,First Name,Email Address,Essay,Quiz\nDate,,,2026-11-01,2026-11-02\n"
        "Points,,,100,10\nClass Average,,,82,8\nDoe,Ana,ana@x.org,90,9\nRoe,Bo,bo@x.org,74,7\n",
        "ana@x.org\nbo@x.org\n- Date, 2026-11-01, 2026-11-02\n- Points, 100, 10\n"
        "- Class Average, 82, 8",
    ),
    Export(
        "Canvas, gradebook",
        "Student,ID,SIS User ID,SIS Login ID,Section,Essay (1)\n"
        ",,,,,Manual Posting\n    Points Possible,,,,,100\n"
        '"Doe, Ana",1,S1,ana@x.org,A,90\n"Roe, Bo",2,S2,bo@x.org,A,80\n"Student, Test",3,,abc,A,\n',
        "ana@x.org\nbo@x.org\n- Manual Posting\n- Points Possible, 100\n- abc",
    ),
    Export(
        "Blackboard",
        utf16(
            '"Last Name"\t"First Name"\t"Username"\t"Student ID"\t"Email"\n'
            '"Doe"\t"Ana"\t"adoe"\t"1"\t"ana@x.org"\n"Roe"\t"Bo"\t"broe"\t"2"\t"bo@x.org"\n'
        ),
        "ana@x.org\nbo@x.org",
    ),
    Export(
        "Moodle, participants",
        "Vorname,Nachname,ID-Nummer,E-Mail-Adresse,Rollen,Gruppen\n"
        "Ana,Doe,1,ana@x.org,Teilnehmer/in,A\nBo,Roe,2,bo@x.org,Trainer/in,A\n",
        "ana@x.org\nbo@x.org\n! Rollen",
    ),
    Export(
        "Zoom, participants",
        "Meeting ID,Topic,Start Time,End Time,User Email,Duration (Minutes),Participants\n"
        "812 3456 7890,Kick-off,11/24/2026 09:00:00 AM,11/24/2026 09:45:00 AM,host@x.org,45,3\n\n"
        "Name (Original Name),User Email,Join Time,Leave Time,Duration (Minutes),Guest,"
        "Recording Consent\nAna Doe,ana@x.org,09:00,09:45,45,No,\n"
        "Bo (Bo Roe),bo@x.org,09:01,09:45,44,Yes,\nAna Doe,ana@x.org,09:30,09:45,15,No,\n"
        "iPhone von Cy,,09:01,09:45,44,Yes,\n",
        "ana@x.org\nbo@x.org\n- ana@x.org\n- iPhone von Cy, 09:01, 09:45, 44, Yes\n! host@x.org",
    ),
    Export(
        "Zoom, attendees of a webinar",
        "Attendee Report\nReport Generated:,11/24/2026 10:00\n"
        "Topic,Webinar ID,Actual Start Time,Actual Duration (minutes),# Registered\n"
        "Launch,812 3456,11/24/2026 09:00,60,2\n\nHost Details\n"
        "Attended,User Name (Original Name),Email,Join Time,Leave Time,Time in Session (minutes)\n"
        "Yes,Hal Host,hal@x.org,09:00,10:00,60\n\nPanelist Details\n"
        "Attended,User Name (Original Name),Email,Join Time,Leave Time,Time in Session (minutes)\n"
        "Yes,Pat Panel,pat@x.org,09:00,10:00,60\n\nAttendee Details\n"
        "Attended,User Name (Original Name),First Name,Last Name,Email,Registration Time,"
        "Approval Status,Join Time,Leave Time\n"
        "Yes,Ana Doe,Ana,Doe,ana@x.org,11/1/2026,approved,09:00,10:00\n"
        "No,Bo Roe,Bo,Roe,bo@x.org,11/1/2026,approved,--,--\n\n"
        "Other Attended\nUser Name,Join Time,Leave Time\n491701234567,09:00,09:10\n",
        "hal@x.org\npat@x.org\nana@x.org\nbo@x.org\n- 491701234567, 09:00, 09:10",
    ),
    Export(
        "Zoom, users",
        "Email,First Name,Last Name,Department,User Type,Role\n"
        "ana@x.org,Ana,Doe,Sales,Licensed,Owner\nbo@x.org,Bo,Roe,,Basic,Member\n"
        "cy@x.org,Cy,Poe,,Basic,Admin\n",
        "bo@x.org\ncy@x.org Admin\n- ana@x.org",
    ),
    Export(
        "Google Meet, attendance",
        "First name,Last name,Email,Duration,Time joined,Time exited\n"
        "Ana,Doe,ana@x.org,45 min,9:00 AM,9:45 AM\nBo,,b***@gmail.com,44 min,9:01 AM,9:45 AM\n",
        "ana@x.org\n- b***@gmail.com",
    ),
    Export(
        "Slack, members",
        "username,email,status,billing-active,has-2fa,has-sso,userid,fullname,displayname,"
        "expiration-timestamp\nana,ana@x.org,Primary Owner,1,1,0,U1,Ana Doe,ana,\n"
        "bo,bo@x.org,Member,1,0,0,U2,Bo Roe,bo,\nbot,,Bot,0,0,0,U3,Bot,bot,\n",
        "ana@x.org\nbo@x.org\n- bot, Bot, 0, 0, 0, U3, Bot, bot",
    ),
    Export(
        "Slack, message",
        "Please add <mailto:ana@x.org|ana@x.org> and <mailto:bo@x.org|Bo Roe>, thanks!",
        "ana@x.org\nbo@x.org\n- thanks!",
        PASTE,
    ),
    Export(
        "Mailman 2, membership list",
        "* ana at x.org\n* bo.roe at x.co.uk\n* (cy at x.org)\n",
        "- * ana at x.org\n+ ana@x.org\n- * bo.roe at x.co.uk\n+ bo.roe@x.co.uk\n"
        "- * (cy at x.org)\n+ cy@x.org",
    ),
    Export(
        "Mailman 2, list_members --fullnames",
        'Ana Doe <ana@x.org>\n"Roe, Bo" <bo@x.org>\ncy@x.org\n',
        "ana@x.org\nbo@x.org\ncy@x.org",
    ),
    Export(
        "Mailman 3, members",
        "Display Name,Address,Role,Subscription Mode,Delivery Status\n"
        "Ana Doe,ana@x.org,member,As address,Enabled\nBo Roe,bo@x.org,owner,As user,Enabled\n",
        "ana@x.org\n- bo@x.org",
    ),
    Export(
        "pipermail",
        "ana at x.org (Ana Doe)\nbo at x.org (Bo Roe)\n",
        "- ana at x.org (Ana Doe)\n+ ana@x.org\n- bo at x.org (Bo Roe)\n+ bo@x.org",
    ),
    Export(
        "LinkedIn, connections",
        'Notes:\n"When exporting your connection data, you may notice that some of the email '
        "addresses are missing. You will only see email addresses for connections who have allowed "
        "their connections to see or download their email address using this setting "
        "https://www.linkedin.com/psettings/privacy/email. You can learn more here "
        'https://www.linkedin.com/help/linkedin/answer/261"\n\n'
        "First Name,Last Name,URL,Email Address,Company,Position,Connected On\n"
        'Ana,"Doe, PhD",https://www.linkedin.com/in/ana,ana@x.org,"X, Inc.",Engineer,24 Nov 2026\n'
        "Bo,Roe,https://www.linkedin.com/in/bo,,,,20 Nov 2026\n",
        "ana@x.org\n- Bo, Roe, 20 Nov 2026\n! no table of people",
    ),
    Export(
        "LinkedIn, in German",
        "Vorname,Nachname,URL,E-Mail-Adresse,Unternehmen,Position,Verbunden am\n"
        "Jürgen,Möller,https://www.linkedin.com/in/j,jm@x.org,X,Inhaber,24 Nov 2026\n",
        "jm@x.org",
    ),
    Export(
        "Eventbrite, buyers and attendees",
        "Order #,Order Date,Buyer First Name,Buyer Last Name,Buyer Email,First Name,Last Name,Email,"
        "Ticket Type\n1,2026-11-01,Zoe,Zed,zoe@x.org,Ana,Doe,ana@x.org,Full\n"
        "1,2026-11-01,Zoe,Zed,zoe@x.org,Bo,Roe,bo@x.org,Full\n",
        "ana@x.org\nbo@x.org\n! “Buyer Email”",
    ),
    Export(
        "tickets, purchasers and attendees",
        "Order,Purchaser email,Attendee email\n1,zoe@x.org,ana@x.org\n1,zoe@x.org,bo@x.org\n",
        "? Attendee email | Purchaser email",
    ),
    Export(
        "Calendly",
        "Event Type Name,Team,User Name,User Email,Invitee Name,Invitee Email,Guest Email(s),"
        "Start Date & Time\nIntro,,Hal,hal@x.org,Ana Doe,ana@x.org,,2026-11-24 09:00 am\n"
        "Intro,,Hal,hal@x.org,Bo Roe,bo@x.org,,2026-11-24 10:00 am\n",
        "? User Email | Invitee Email",
    ),
    Export(
        "SurveyMonkey, two rows of headings",
        "Respondent ID,Collector ID,Start Date,IP Address,Email Address,First Name,"
        "What is your email address?,Comments\n,,,,,,Open-Ended Response,Open-Ended Response\n"
        "1,2,11/24/2026,10.0.0.1,,,ana@x.org,none\n3,2,11/24/2026,10.0.0.2,,,bo@x.org,\n",
        "ana@x.org\nbo@x.org\n- Open-Ended Response",
    ),
    Export(
        "Shopify",
        "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address Company,"
        "Phone,Accepts SMS Marketing,Total Spent\n'1,Ana,Doe,ana@x.org,yes,X,,no,10.00\n"
        "'2,Bo,Roe,,yes,,,no,0.00\n",
        "ana@x.org\n- '2, Bo, Roe, yes, no, 0.00",
    ),
    Export(
        "WordPress",
        "ID,user_login,user_nicename,user_email,user_url,user_registered,display_name,role\n"
        "1,admin,admin,ana@x.org,,2026-01-01 00:00:00,Ana,administrator\n"
        "2,bo,bo,bo@x.org,,2026-01-01 00:00:00,Bo,subscriber\n",
        "ana@x.org\nbo@x.org\n! administrator",
    ),
    Export(
        "Jira",
        "User id,User name,email,User status,Added to org,Org role,Last seen in Jira\n"
        "1,Ana Doe,ana@x.org,Active,01 Nov 2026,Org admin,24 Nov 2026\n"
        "2,Bo Roe,bo@x.org,Active,01 Nov 2026,User,24 Nov 2026\n",
        "ana@x.org\nbo@x.org\n! Org role",
    ),
    Export(
        "Salesforce",
        '"Full Name","Alias","Username","Email","Role","Active","Profile"\n'
        '"Doe, Ana","adoe","ana@x.org.sandbox","ana@x.org","CEO","true","System Administrator"\n'
        '"Roe, Bo","broe","bo@x.org.sandbox","bo@x.org","Sales Rep","true","Standard User"\n',
        "ana@x.org\nbo@x.org\n! CEO",
    ),
    Export(
        "HubSpot",
        '"Record ID","First Name","Last Name","Email","Contact owner","Lead Status",'
        '"Marketing emails sent"\n"1","Ana","Doe","ana@x.org","Hal Host (hal@x.org)","New","3"\n'
        '"2","Bo","Roe","","Hal Host (hal@x.org)","New","0"\n',
        "ana@x.org\n- 2, Bo, Roe, Hal Host (hal@x.org), New, 0\n+ hal@x.org",
    ),
    Export(
        "Stripe",
        "id,Description,Email,Name,Created (UTC),Delinquent,Card ID,Plan,Status\n"
        "cus_1,,ana@x.org,Ana Doe,2026-11-24 09:00,false,,,active\n"
        "cus_2,bo@x.org,bo@x.org,Bo Roe,2026-11-24 09:00,false,,,\n",
        "ana@x.org\nbo@x.org",
    ),
    Export(
        "BambooHR",
        "Employee #,First Name,Last Name,Job Title,Reporting to,Work Email,Home Email,Status\n"
        "1,Ana,Doe,Engineer,Bo Roe,ana@x.org,ana@home.example,Active\n"
        "2,Bo,Roe,CEO,,bo@x.org,,Active\n",
        "ana@x.org\nbo@x.org",
    ),
    Export(
        "Personio, employee and manager",
        "Mitarbeiternummer;Vorname;Nachname;E-Mail Mitarbeiter;Abteilung;Vorgesetzter;"
        "E-Mail Vorgesetzter\n1;Ana;Doe;ana@x.org;IT;Bo Roe;bo@x.org\n"
        "2;Cy;Poe;cy@x.org;IT;Bo Roe;bo@x.org\n",
        "? E-Mail Mitarbeiter | E-Mail Vorgesetzter",
    ),
    Export(
        "Notion",
        '\ufeffName,Assign,Email,Tags,Role\nAna,Bo Roe,ana@x.org,"a, b",Design\nCy,,cy@x.org,,\n',
        "ana@x.org\ncy@x.org\n! Design",
    ),
    Export(
        "Okta",
        "login,firstName,lastName,email,secondEmail,manager,status\n"
        "ana@x.org,Ana,Doe,ana@x.org,ana@home.example,,ACTIVE\n"
        "bo@x.org,Bo,Roe,bo@x.org,,ana@x.org,ACTIVE\n",
        "ana@x.org\nbo@x.org",
    ),
    Export(
        "1Password or Clerk, roles with keys",
        "email;role\nana@x.org;ORG:ADMIN\nbo@x.org;org:member\ncy@x.org;owner\n",
        "ana@x.org Admin\nbo@x.org\n- cy@x.org",
    ),
    Export(
        "psql",
        " id |   name   |   email   | role\n----+----------+-----------+--------\n"
        "  1 | Ana Doe  | ana@x.org | admin\n  2 | Bo Roe   | bo@x.org  | member\n(2 rows)\n\n",
        "ana@x.org Admin\nbo@x.org\n- (2 rows)",
    ),
    Export(
        "mysql",
        "+----+---------+-----------+\n| id | name    | email     |\n+----+---------+-----------+\n"
        "|  1 | Ana Doe | ana@x.org |\n|  2 | Bo Roe  | bo@x.org  |\n+----+---------+-----------+\n"
        "2 rows in set (0.00 sec)\n",
        "ana@x.org\nbo@x.org\n- 2 rows in set (0.00 sec)",
    ),
    Export(
        "Markdown table",
        "| Name | Email | Role |\n|:-----|:-----:|-----:|\n| Ana | [ana@x.org](mailto:ana@x.org) | "
        "Admin |\n| **Bo** | `bo@x.org` | |\n",
        "ana@x.org Admin\nbo@x.org",
    ),
    Export(
        "JSON, a list of addresses",
        '["ana@x.org", "bo@x.org"]',
        "ana@x.org\nbo@x.org",
    ),
    Export(
        "JSON lines",
        '{"id":1,"email":"ana@x.org","name":"Ana"}\n{"id":2,"email":"bo@x.org","name":"Bo"}\n',
        "ana@x.org\nbo@x.org",
    ),
    Export(
        "YAML",
        "members:\n  - name: Ana Doe\n    email: ana@x.org\n  - name: Bo Roe\n    email: bo@x.org\n",
        "ana@x.org\nbo@x.org\n- members:\n- - name: Ana Doe\n- - name: Bo Roe",
    ),
    Export(
        "SQL",
        "INSERT INTO users (name, email) VALUES\n('Ana Doe', 'ana@x.org'),\n('Bo Roe', 'bo@x.org');\n",
        "ana@x.org\nbo@x.org",
    ),
    Export(
        "git",
        "    12\tAna Doe <ana@x.org>\n     3\tBo Roe <bo@x.org>\n",
        "ana@x.org\nbo@x.org",
    ),
    Export(
        "git trailers",
        "Co-authored-by: Ana Doe <ana@x.org>\nSigned-off-by: Bo Roe <bo@x.org>\n",
        "ana@x.org\nbo@x.org",
    ),
    Export(
        "PowerShell, Format-Table",
        "\nDisplayName UserPrincipalName Department\n"
        "----------- ----------------- ----------\n"
        "Ana Doe     ana@x.org         Sales\nBo Roe      bo@x.org          IT\n",
        "ana@x.org\nbo@x.org",
    ),
    Export(
        "PowerShell, Format-List",
        "DisplayName       : Ana Doe\nUserPrincipalName : ana@x.org\nDepartment        : Sales\n\n"
        "DisplayName       : Bo Roe\nUserPrincipalName : bo@x.org\nDepartment        : IT\n",
        "ana@x.org\nbo@x.org",
    ),
    Export(
        "JSON",
        '[\n  {"name": "Ana Doe", "email": "ana@x.org", "role": "admin"},\n'
        '  {"name": "Bo Roe", "email": "bo@x.org", "role": "member"}\n]\n',
        "ana@x.org Admin\nbo@x.org",
    ),
    Export(
        "HTML table",
        "<table>\n<tr><th>Name</th><th>Email</th></tr>\n"
        '<tr><td>Ana</td><td><a href="mailto:ana@x.org">ana@x.org</a></td></tr>\n'
        "<tr><td>Bo</td><td>bo@x.org</td></tr>\n</table>\n",
        "ana@x.org\nbo@x.org",
    ),
]

#: Tables in other notations.
RECORDS = [
    Export(
        "Slack API, users.list",
        '{"ok":true,"members":[{"id":"U1","name":"ana","profile":{"real_name":"Ana Doe",'
        '"email":"ana@x.org"}},{"id":"U2","name":"bot","profile":{"real_name":"Bot"}}],"cache":1}',
        "ana@x.org\n- U2, bot, Bot",
    ),
    Export(
        "Microsoft Graph, users",
        '{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users","value":[\n'
        '{"displayName":"Ana","mail":"ana@x.org","userPrincipalName":"ana@x.org"},\n'
        '{"displayName":"Bo","mail":null,"userPrincipalName":"bo@x.org"}]}',
        "ana@x.org\nbo@x.org",
    ),
    Export(
        "People API, with lists of addresses",
        '{"connections":[{"names":[{"displayName":"Ana"}],"emailAddresses":[{"value":"ana@x.org"},'
        '{"value":"ana@home.example"}]}]}',
        "ana@x.org",
    ),
    Export(
        "HTML saved as .xls",
        "<html><head><title>x</title></head><body><table border=1><TR><TD>Name<TD>E-mail"
        "<TR><TD>Ana &amp; Eva<TD>ana@x.org<TR><TD>Bo<TD><A HREF='MAILTO:bo@x.org'>write</A>"
        "</table></body></html>",
        "ana@x.org\nbo@x.org",
    ),
    Export(
        "blocks of keys and values",
        "Name: Ana\nE-Mail: ana@x.org\nE-Mail: ana@home.example\nRolle: Admin\n\n"
        "Name: Bo\nE-Mail: bo@x.org\n",
        "ana@x.org Admin\nana@home.example Admin\nbo@x.org",
    ),
]

#: Calendars.
CALENDARS = [
    Export(
        "calendar of Google",
        "BEGIN:VCALENDAR\r\nPRODID:-//Google Inc//Google Calendar 70.9054//EN\r\nVERSION:2.0\r\n"
        "METHOD:REQUEST\r\nBEGIN:VEVENT\r\nDTSTART:20261124T090000Z\r\n"
        "ORGANIZER;CN=Hal:mailto:hal@x.org\r\n"
        "ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=\r\n"
        " TRUE;CN=Ana Doe;X-NUM-GUESTS=0:mailto:ana@x.or\r\n g\r\n"
        "ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=OPT-PARTICIPANT;PARTSTAT=DECLINED;CN=bo@x.org;X-NUM-GUESTS=0:\r\n"
        " mailto:bo@x.org\r\n"
        "ATTENDEE;CUTYPE=RESOURCE;CN=Room 1:mailto:c_1@resource.calendar.google.com\r\n"
        "DESCRIPTION:Join at https://meet.google.com/abc or write to help@x.org\r\nEND:VEVENT\r\n"
        "END:VCALENDAR\r\n",
        "ana@x.org\nbo@x.org\n! hal@x.org",
    ),
    Export(
        "calendar of Outlook",
        "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\n"
        'ORGANIZER;CN="Host, Hal":MAILTO:hal@x.org\n'
        'ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;CN="Doe, Ana\n'
        ' (Extern)":MAILTO:ana@x.org\nATTENDEE;CN=Bo:invalid:nomail\nEND:VEVENT\nEND:VCALENDAR\n',
        "ana@x.org\n- Bo\n! hal@x.org",
    ),
    Export(
        "calendar, lines copied out of it",
        "ATTENDEE;CN=Ana Doe;RSVP=TRUE:mailto:ana@x.org\n"
        "ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=\n"
        " TRUE;CN=Bo:mailto:bo@x.org\n",
        "ana@x.org\nbo@x.org",
    ),
]

#: Rosters, spreadsheets and lists that people keep themselves.
LISTS = [
    Export(
        "roster with two parents",
        "Student,Grade,Student Email,Parent 1 Name,Parent 1 Email,Parent 2 Name,Parent 2 Email\n"
        "Ana Doe,5,ana@school.example,Eva Doe,eva@home.example,Max Doe,max@home.example\n"
        "Bo Roe,5,bo@school.example,Pia Roe,pia@home.example,,\n",
        "? Student Email | Parent 1 Email",
    ),
    Export(
        "roster of mothers and fathers",
        "Child,Mother's email,Father's email\nAna,eva@home.example,max@home.example\n"
        "Bo,pia@home.example,\n",
        "? Mother's email | Father's email",
    ),
    Export(
        "roster with guardians alone",
        "Student_Number,Last_Name,First_Name,Grade_Level,Guardian_Email\n"
        "1,Doe,Ana,5,eva@home.example\n2,Roe,Bo,5,pia@home.example\n",
        "eva@home.example\npia@home.example",
    ),
    Export(
        "roster in Japanese",
        (
            "学年,クラス,氏名,生徒メールアドレス,保護者氏名,保護者メールアドレス\r\n"
            "1,A,山田太郎,taro@school.example,山田一郎,ichiro@home.example\r\n"
            "1,A,鈴木花子,hana@school.example,鈴木良子,ryoko@home.example\r\n"
        ).encode("cp932"),
        "? 生徒メールアドレス | 保護者メールアドレス",
        FILE,
    ),
    Export(
        "roster of two classes, each with a table",
        "Class 5a\nStudent,Student Email,Parent Email\nAna,ana@school.example,eva@home.example\n"
        "Bo,bo@school.example,pia@home.example\n\nClass 5b\nStudent,Student Email,Parent Email\n"
        "Cy,cy@school.example,uwe@home.example\n",
        "? Student Email | Parent Email",
    ),
    Export(
        "roster of two classes, with headings of their own",
        "Class 5a\nStudent,Student Email,Parent Email\nAna,ana@school.example,eva@home.example\n"
        "Bo,bo@school.example,pia@home.example\n\nTeam\nName,Email,Phone\n"
        "Cy,cy@school.example,1\nDi,di@school.example,2\n",
        "? Student Email | Parent Email",
    ),
    Export(
        "club in Spanish, players and guardians",
        "Jugador;Correo del jugador;Padre/Madre;Correo del tutor\n"
        "Ana;ana@x.org;Eva;eva@home.example\nBo;bo@x.org;Pia;pia@home.example\n",
        "? Correo del jugador | Correo del tutor",
    ),
    Export(
        "two people of each row, copied out of a sheet without headings",
        "Ana\tana@x.org\teva@home.example\nBo\tbo@x.org\tpia@home.example\n"
        "Cy\tcy@x.org\tuwe@home.example\n",
        "? ana@x.org … | eva@home.example …",
    ),
    Export(
        "Numbers",
        "Table 1\n\n,,,\n,Name,Email,\n,Ana,ana@x.org,\n,Bo,bo@x.org,\n,,,\n",
        "ana@x.org\nbo@x.org\n! Row 1: no table of people.",
    ),
    Export(
        "title, note, total and who made it",
        "Teilnehmerliste Herbst 2026;;;\nStand: 24.11.2026;;;\n;;;\nNr.;Name;E-Mail;Rolle\n"
        "1;Jürgen;jm@x.org;Admin\n2;Bo;bo@x.org;Member\n;;;\nSumme;2;;\n;;;\n"
        "Erstellt von Hal Host, hal@x.org;;;\n",
        "jm@x.org Admin\nbo@x.org\n- Summe, 2\n! hal@x.org",
    ),
    Export(
        "old Excel in Greek",
        (
            "Επώνυμο;Όνομα;Διεύθυνση ηλεκτρονικού ταχυδρομείου;Ρόλος\r\n"
            "Παπαδόπουλος;Γιώργος;gp@x.org;Admin\r\nΝικολάου;Ελένη;en@x.org;\r\n"
        ).encode("cp1253"),
        "gp@x.org Admin\nen@x.org",
        FILE,
    ),
    Export(
        "old Excel in Ukrainian",
        (
            "Прізвище;Ім'я;Електронна адреса;Посада\r\nШевченко;Тарас;ts@x.org;Інженер\r\n"
            "Косач;Лариса;lk@x.org;Директор\r\n"
        ).encode("cp1251"),
        "ts@x.org\nlk@x.org",
        FILE,
    ),
    Export(
        "old Excel in Bulgarian",
        "Име;Фамилия;Имейл;Телефон\r\nИван;Иванов;ii@x.org;1\r\nМария;Петрова;mp@x.org;2\r\n".encode(
            "cp1251"
        ),
        "ii@x.org\nmp@x.org",
        FILE,
    ),
    Export(
        "old Excel in Hebrew",
        'שם;דוא"ל;טלפון\r\nאנה;ana@x.org;1\r\nבן;ben@x.org;2\r\n'.encode("cp1255"),
        "ana@x.org\nben@x.org",
        FILE,
    ),
    Export(
        "old Excel in Arabic",
        "الاسم;البريد الإلكتروني;الهاتف\r\nآنا;ana@x.org;1\r\nباسم;bo@x.org;2\r\n".encode("cp1256"),
        "ana@x.org\nbo@x.org",
        FILE,
    ),
    Export(
        "old Excel in traditional Chinese",
        "姓名,電子郵件,部門\r\n王小明,wang@x.org,業務\r\n林美華,lin@x.org,財務\r\n".encode("big5"),
        "wang@x.org\nlin@x.org",
        FILE,
    ),
    Export(
        "old Excel in Korean",
        "이름,이메일,부서,역할\r\n김민수,kim@x.org,영업,Admin\r\n이영희,lee@x.org,인사,\r\n".encode(
            "cp949"
        ),
        "kim@x.org Admin\nlee@x.org",
        FILE,
    ),
    Export(
        "Hungarian",
        "Név;E-mail cím;Szülő e-mail címe\nÁgi;agi@x.org;eva@home.example\n"
        "Béla;bela@x.org;pia@home.example\n",
        "agi@x.org\nbela@x.org\n! Szülő e-mail címe",
    ),
    Export(
        "Vietnamese",
        "Họ và tên,Địa chỉ email,Chức vụ\nNguyễn An,an@x.org,Kỹ sư\nTrần Bình,binh@x.org,\n",
        "an@x.org\nbinh@x.org",
    ),
    Export(
        "Thai, Hindi and Georgian",
        "ชื่อ,อีเมล\nอนา,ana@x.org\nनाम,bo@x.org\nანა,cy@x.org\n",
        "ana@x.org\nbo@x.org\ncy@x.org",
    ),
    Export(
        "Lithuanian",
        "Vardas;El. paštas;Pareigos\nOna;ona@x.org;Vadovė\nJonas;;Vairuotojas\n",
        "ona@x.org\n- Jonas, Vairuotojas",
    ),
    Export(
        "Danish, with two addresses of a person",
        "Navn;Mail (arbejde);Mail (privat)\nÅse;aase@x.org;aase@home.example\nBo;;bo@home.example\n",
        "aase@x.org\nbo@home.example",
    ),
    Export(
        "a heading nobody knows",
        "Nimi;Kontakt\nMari;mari@x.org\nJüri;jyri@x.org\n",
        "mari@x.org\njyri@x.org",
    ),
    Export(
        "roles in a table without headings",
        "Ana\tana@x.org\tadmin\nBo\tbo@x.org\tMember\n",
        "ana@x.org Admin\nbo@x.org",
    ),
    Export(
        "addresses and roles alone",
        "ana@x.org,admin\nbo@x.org,member\n",
        "ana@x.org Admin\nbo@x.org",
    ),
    Export(
        "several in a cell",
        'Team,Members\nSales,ana@x.org; bo@x.org\nIT,"cy@x.org, dee@x.org"\n',
        "ana@x.org\nbo@x.org\ncy@x.org\ndee@x.org",
        FILE,
    ),
    Export(
        "a quoted cell of several lines",
        'Name,Address,Email\n"Ana Doe","Street 1\nBerlin","ana@x.org"\n"Bo","Street 2\nParis","bo@x.org\n"\n',
        "ana@x.org\nbo@x.org",
    ),
    Export(
        "names with addresses in a column",
        'Who\n"Doe, Ana" <ana@x.org>\nBo Roe <bo@x.org>\nCy\n',
        "ana@x.org\nbo@x.org\n- Who\n- Cy",
    ),
    Export(
        "dates and numbers",
        'No,Date,Email,Amount\n1,24/11/2026,ana@x.org,"1.234,50"\n2,25/11/2026,bo@x.org,"0,00"\n'
        'Total,,2,"1.234,50"\n',
        "ana@x.org\nbo@x.org\n- Total, 2, 1.234,50",
    ),
    Export(
        "an empty first column and a line of sums",
        ";;Email;Role;;\n;;ana@x.org;admin;;\n;;;;;\n;;bo@x.org;member;;\n;Gesamt;2;;;\n",
        "ana@x.org Admin\nbo@x.org\n- Gesamt, 2",
    ),
    Export(
        "an address column that links",
        'Name,Email\nAna,"=HYPERLINK(""mailto:ana@x.org"",""Ana"")"\nBo,mailto:bo@x.org?subject=Hi\n',
        "ana@x.org\nbo@x.org",
    ),
    Export(
        "with placeholders",
        "Name,Email\nAna,ana@x.org\nBo,n/a\nCy,-\nDi,none\nEd,(pending)\n",
        "ana@x.org\n- Bo, n/a\n- Cy, -\n- Di, none\n- (pending)",
    ),
    Export(
        "keys of the .env kind",
        'ADMIN_EMAIL=ana@x.org\nSUPPORT_EMAIL="bo@x.org"\nexport OPS=cy@x.org\n',
        "ana@x.org\nbo@x.org\ncy@x.org",
    ),
    Export(
        "keys before addresses in a column",
        "Name;Email\nAna;boss=ana@x.org\nBo;bo@x.org\n",
        "bo@x.org\n- boss=ana@x.org\n+ ana@x.org",
    ),
    Export(
        "distinguished names",
        "CN=Ana Doe,OU=Sales,O=X,emailAddress=ana@x.org\n/C=DE/O=X/CN=Bo Roe/emailAddress=bo@x.org\n"
        "E=cy@x.org, CN=Cy, O=X\n",
        "ana@x.org\nbo@x.org\ncy@x.org",
    ),
    Export(
        "list marks",
        "- ana@x.org\n* bo@x.org\n• cy@x.org\n1. dee@x.org\n2) eve@x.org\n[ ] fay@x.org\n[x] gus@x.org\n"
        "a) hal@x.org\n– ida@x.org\n",
        "\n".join(
            f"{name}@x.org"
            for name in ["ana", "bo", "cy", "dee", "eve", "fay", "gus", "hal", "ida"]
        ),
    ),
    Export(
        "spelt out",
        "ana [at] x [dot] org\nbo(at)x.org\ncy{at}x{punkt}org\ndee AT x DOT org\n",
        "- ana [at] x [dot] org\n+ ana@x.org\n- bo(at)x.org\n+ bo@x.org\n- cy{at}x{punkt}org\n"
        "+ cy@x.org\n- dee AT x DOT org\n+ dee@x.org",
    ),
    Export(
        "slips",
        "hal@newco,example\nana@x.org.\nbo@gmial.com\ncy@@x.org\ndee@x..org\n",
        "ana@x.org\nbo@gmial.com\n- hal@newco,example\n+ hal@newco.example\n- cy@@x.org\n"
        "- dee@x..org",
    ),
    Export(
        "names in other scripts before brackets",
        "田中, 太郎 <taro@x.org>, 김, 민수 <kim@x.org>; דוד, בן <ben@x.org>\n",
        "taro@x.org\nkim@x.org\nben@x.org",
    ),
    Export(
        "the name that is an address",
        "ana@old.example <ana@x.org>; 'bo@x.org' <bo@x.org>; cy@x.org <mailto:cy@x.org>\n",
        "ana@x.org\nbo@x.org\ncy@x.org",
    ),
    Export(
        "domains in other scripts",
        "ana@münchen.example\nbo@例え.example\n",
        "ana@xn--mnchen-3ya.example\nbo@xn--r8jz45g.example",
    ),
    Export(
        "full-width signs",
        "ana＠x.org、bo@x.org；cy@x．org\n",
        "bo@x.org\ncy@x.org\n- ana＠x.org\n+ ana@x.org",
        PASTE,
    ),
    Export(
        "zeros in a file",
        b"Name,Email\nAna\0,ana@x.org\nBo,bo@x.org\n",
        "! This file cannot be read",
    ),
]

#: Workbooks.
WORKBOOKS = [
    Export(
        "workbook with links",
        book(
            [["Name", "Contact"], ["Ana", "write"], ["Bo", "bo@x.org"]],
            links={"B2": "mailto:ana@x.org?subject=Hi"},
        ),
        "ana@x.org\nbo@x.org",
    ),
    Export(
        "workbook, a link that says something else than the cell",
        book([["Name", "Email"], ["Ana", "ana@x.org"]], links={"B2": "mailto:old@x.org"}),
        "ana@x.org",
    ),
    Export(
        "workbook whose first sheet is a cover",
        book([["Members"], ["See the next sheet"]], [["Email", "Role"], ["ana@x.org", "Admin"]]),
        "ana@x.org Admin",
    ),
    Export(
        "workbook with a hidden sheet before it",
        book([["Email"], ["old@x.org"]], [["Email"], ["ana@x.org"]], hidden=0),
        "ana@x.org",
    ),
    Export(
        "workbook with dates, formulas and numbers",
        book(
            [
                ["ID", "Email", "Since", "Count"],
                [1, "ana@x.org", date(2026, 11, 24), "=1+1"],
                [2, "bo@x.org", None, 2.5],
                [None, None, None, "=SUM(D2:D3)"],
            ]
        ),
        "ana@x.org\nbo@x.org",
    ),
    Export(
        "workbook, roster with parents",
        book(
            [
                ["Class 5a"],
                [],
                ["Name", "Student email", "Parent email"],
                ["Ana", "ana@school.example", "eva@home.example"],
                ["Bo", "bo@school.example", "pia@home.example"],
            ]
        ),
        "? Student email | Parent email",
    ),
    Export(
        "workbook of one column",
        book([["ana@x.org"], ["bo@x.org"], ["Cy"]]),
        "ana@x.org\nbo@x.org\n- Cy",
    ),
    Export(
        "workbook of lists in cells",
        book([["Sales", "ana@x.org; bo@x.org"], ["IT", "cy@x.org"]]),
        "ana@x.org\nbo@x.org\ncy@x.org",
    ),
    Export(
        "workbook without addresses",
        book([["Name", "Phone"], ["Ana", 1], ["Bo", 2]]),
        "! No address was found in this file.",
    ),
]

EXPORTS = [*MICROSOFT, *ADDRESS_BOOKS, *SERVICES, *RECORDS, *CALENDARS, *LISTS, *WORKBOOKS]
