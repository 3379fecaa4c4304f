"""The encoding of a file: the one that reads its headings and letters best, or nobody knows."""

from __future__ import annotations

import codecs

import pytest

from org_invitations.addresses import MAX_FILE_BYTES, FileTooLarge, NoteKind, read_file
from org_invitations.addresses.encodings import UnreadableFile, decode

TEXTS = {
    "cp1252": [
        "Vorname;E-Mail-Adresse;Rolle\r\nJürgen;ana@x.org;Admin\r\nBo;bo@x.org;Member\r\n",
        "Prénom;Adresse électronique;Rôle\r\nZoé;ana@x.org;Admin\r\n",
        "Nombre;Correo electrónico\nJosé Núñez;jose@x.org\n",
        "Nome;Endereço de email\nJoão;joao@x.org\n",
        "Etunimi;Sähköposti\nPäivi Mäkinen;p@x.org\n",
        "E-mail de l'élève;Téléphone\nelodie@x.org;1\n",
    ],
    "cp1250": [
        "Imię;Adres e-mail;Rola\r\nŁukasz;lukasz@example.com;Member\r\n",
        "Jméno;E-mailová adresa\nŘehoř Dvořák;r@x.org\nJiří Novák;j@x.org",
    ],
    "cp1254": [
        "Adı;E-posta Adresi\nAyşe Yılmaz;a@x.org\nÇağrı Öztürk;c@x.org",
        "Satış\nE-posta;Soyadı\ncagri@okul-çalışma.example;Doğan\n",
    ],
    "cp1251": ["Имя;Электронная почта;Роль\r\nИван Иванов;ivan@example.com;Member\r\n"],
    "cp1253": ["Όνομα;Ηλεκτρονική διεύθυνση\nΓιώργος;g@x.org"],
    "cp932": [
        "氏名,メールアドレス,部署\r\n山田 太郎,taro@example.com,営業部\r\n",
        "表 1\r\n電子メールアドレス,自宅メールアドレス\r\nhanako@example.com,\r\n",
    ],
    "gb18030": ["姓名,电子邮件地址,部门\n王小明,w@x.org,销售部\n"],
    "big5": ["姓名,電子郵件,部門\n王小明,w@x.org,業務部\n"],
    "cp949": ["이름,이메일,부서\n김철수,kim@x.org,영업부\n"],
    "mac_roman": ["É,Mail,Rôle\rÀ,ana@x.org,Admin\r"],
    "utf-16-le": ["Name,Email\r\nAna,ana@x.org\r\n", "姓名,邮箱\n王小明,w@x.org\n"],
    "utf-16-be": ["Name,Email\r\nAna,ana@x.org\r\n"],
}


def test_a_file_is_read_in_the_encoding_it_was_written_in(subtests: pytest.Subtests) -> None:
    for encoding, text in [(name, text) for name, texts in TEXTS.items() for text in texts]:
        with subtests.test(encoding=encoding, text=text):
            found = decode(text.encode(encoding))
            assert found.text == text
            assert found.is_sure


def test_a_mark_decides(subtests: pytest.Subtests) -> None:
    for mark, encoding in [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
    ]:
        with subtests.test(mark=mark, encoding=encoding):
            assert decode(mark + "Ünï".encode(encoding)).text == "Ünï"


def test_where_nobody_can_tell_it_is_said_with_the_line_as_it_was_read() -> None:
    content = "No.;Dirección\n1;lgarcia@españa.example\n2;bo@x.org\n".encode("cp850")
    reading = read_file(content)
    assert reading.notes[0].kind is NoteKind.ENCODING
    assert reading.notes[0].names[0].startswith("No.;Direcci")
    # And no address is made of what may be garbled.
    assert [e.email_address for e in reading.entries if e.refusal is None] == ["bo@x.org"]


def test_of_a_long_file_the_lines_with_letters_decide_wherever_they_are() -> None:
    plain = "Name;E-mail\n" + "Ana;ana@example.org\n" * 2_000
    text = plain + "Jürgen Größe;j@x.org\nZoé Müller;zoe@x.org\n" * 20
    found = decode(text.encode("cp1252"))
    assert (found.text, found.encoding) == (text, "cp1252")
    text = plain + "Łukasz Dąbrowski;l@x.org\nŻaneta Wójcik;z@x.org\n" * 20
    found = decode(text.encode("cp1250"))
    assert (found.text, found.encoding) == (text, "cp1250")


def test_a_utf8_file_that_is_broken_in_one_place_is_still_one() -> None:
    content = "Имя;Почта\n".encode() + "Анна;a@x.org\n".encode() * 20 + b"\xd0;b@x.org\n"
    found = decode(content)
    assert found.encoding == "utf-8"
    assert not found.is_sure


def test_what_is_no_text_or_too_large_is_refused() -> None:
    for content in (b"\x00\x01\x02", codecs.BOM_UTF8 + b"\xff", b"%PDF-1.7"):
        with pytest.raises(UnreadableFile):
            decode(content)
    with pytest.raises(FileTooLarge):
        decode(b"a" * (MAX_FILE_BYTES + 1))
