"""Files as spreadsheets and address books write them, and what is to be read in each."""

from __future__ import annotations

import codecs
from dataclasses import dataclass


@dataclass(frozen=True)
class File:
    name: str
    content: bytes
    #: One line an entry: its line, the address or ``-``, then its role and its refusal if any.
    expected: str


ANA_AND_BO = "2 ana@x.org\n3 bo@x.org"
WITH_ROLES = "2 ana@x.org Admin\n3 bo@x.org Member"
TABLE = "Name,E-mail,Role\r\nAna,ana@x.org,Admin\r\nBo,bo@x.org,Member\r\n"

GOOGLE_CONTACTS = (
    "First Name,Last Name,Labels,E-mail 1 - Label,E-mail 1 - Value,"
    "E-mail 2 - Label,E-mail 2 - Value,Phone 1 - Value\n"
    "Ana,Doe,* myContacts,Work,ana@x.org,Home,ana@home.example,+1 555 0100\n"
    "Bo,Roe,* myContacts ::: * starred,,bo@x.org ::: bo@home.example,,,\n"
    "Cy,Poe,* myContacts,,,,,+1 555 0101\n"
)
GOOGLE_WORKSPACE = (
    "First Name [Required],Last Name [Required],Email Address [Required],"
    "Password [Required],Org Unit Path [Required],Recovery Email\n"
    "Ana,Doe,ana@x.org,****,/,ana@home.example\n"
    "Bo,Roe,bo@x.org,****,/,\n"
)
OUTLOOK = (
    '"First Name","Last Name","Company","E-mail Address","E-mail Type","E-mail Display Name",'
    '"E-mail 2 Address","Notes"\r\n'
    '"Ana","Doe","X, Inc.","ana@x.org","SMTP","Ana Doe (ana@x.org)","","likes\r\ntea"\r\n'
    '"Bo","Roe","","bo@x.org","SMTP","Bo","",""\r\n'
)
SLACK = (
    "username,email,status,billing-active,userid,fullname\n"
    "ana,ana@x.org,Member,1,U1,Ana Doe\nbo,bo@x.org,Admin,1,U2,Bo Roe\n"
)

ZOOM = (
    "Meeting ID,Topic,Start Time,End Time,User Email,Duration (Minutes),Participants\r\n"
    "812 3456,Kick-off,11/24/2026 09:00,11/24/2026 09:45,host@x.org,45,2\r\n"
    "\r\n"
    "Name (Original Name),User Email,Total Duration (Minutes),Guest\r\n"
    "Ana Doe,ana@x.org,44,Yes\r\nBo Roe (Bo),bo@x.org,40,Yes\r\niPhone,,12,Yes\r\n"
)
TEAMS = (
    "1. Summary\nMeeting title\tKick-off\nAttended participants\t2\nMeeting duration\t1h\n\n"
    "2. Participants\nName\tFirst Join\tEmail\tParticipant ID (UPN)\n"
    "Ana\t9:00\tana@x.org\tana@x.org\nBo\t9:01\t\tbo@x.org\n\n"
    "3. In-Meeting Activities\nName\tJoin Time\tEmail\n"
    "Ana\t9:00\tana@x.org\nAna\t9:30\tana@x.org\n"
)
LINKEDIN = (
    'Notes:\r\n"When exporting your connection data, you may notice that some of the email '
    'addresses are missing."\r\n\r\n'
    "First Name,Last Name,URL,Email Address,Company,Position,Connected On\r\n"
    'Cy,Poe,https://x.example/cy,,"Stripe, Inc.",Recruiter,12 Mar 2024\r\n'
    "Ana,Doe,https://x.example/ana,ana@x.org,Acme,Engineer,03 Jan 2023\r\n"
)
ENTRA = (
    "userPrincipalName,displayName,mail,givenName,userType,otherMails\r\n"
    "ana.doe@tenant.example,Ana,ana@x.org,Ana,Member,\r\nbo@x.org,Bo,,Bo,Member,\r\n"
    "cy_y.org#EXT#@tenant.example,Cy,cy@y.org,Cy,Guest,\r\n"
)
GROUPS = (
    "Members for group team@x.org\nEmail address,Nickname,Group status,Email status\n"
    "ana@x.org,Ana,member,\nbo@x.org,Bo,owner,\n"
)

FILES = [
    File("a meeting of Zoom", ZOOM.encode(), "5 ana@x.org\n6 bo@x.org\n7 -  no-address"),
    File("attendance of Teams", TEAMS.encode("utf-16"), "8 ana@x.org\n9 bo@x.org"),
    File("connections of LinkedIn", LINKEDIN.encode(), "5 -  no-address\n6 ana@x.org"),
    File("users of Entra", ENTRA.encode(), "2 ana@x.org\n3 bo@x.org\n4 cy@y.org"),
    File("members of a Google group", GROUPS.encode(), "3 ana@x.org\n4 bo@x.org"),
    File(
        "a title of Numbers, and a total",
        b"Table 1\n,,\nName,E-Mail,Team\nAna,ana@x.org,A\n,,\nTotal,1,\n",
        "4 ana@x.org\n6 -  no-address",
    ),
    File(
        "two departments, one below the other",
        "Продажи\nИмя;Почта\nAna;ana@x.org\n\nОтдел\nПочта;Имя\nbo@x.org;Bo\n".encode("cp1251"),
        "3 ana@x.org\n7 bo@x.org",
    ),
    File(
        "an address elsewhere in its row",
        b"Name,Email,Notes\nAna,,own: ana@x.org\nBo,bo@x.org,cy@x.org\nDi,,a@x.org b@x.org\n",
        "2 ana@x.org\n3 bo@x.org\n4 -  several-addresses",
    ),
    File(
        "a parent in place of a student",
        b"Email,Parent Email\n,p@x.org\nana@x.org,\n",
        "2 -  no-address\n3 ana@x.org",
    ),
    File("plain CSV, CRLF", TABLE.encode(), WITH_ROLES),
    File("LF", TABLE.replace("\r\n", "\n").encode(), WITH_ROLES),
    File(
        "CR only, Mac Roman",
        "É,Mail,Rôle\rÀ,ana@x.org,Admin\r".encode("mac_roman"),
        "2 ana@x.org Admin",
    ),
    File("UTF-8 with a mark (Excel: CSV UTF-8)", codecs.BOM_UTF8 + TABLE.encode(), WITH_ROLES),
    File(
        "UTF-16 LE, tabs (Excel: Unicode text)",
        codecs.BOM_UTF16_LE + TABLE.replace(",", "\t").encode("utf-16-le"),
        WITH_ROLES,
    ),
    File("UTF-16 BE", codecs.BOM_UTF16_BE + TABLE.encode("utf-16-be"), WITH_ROLES),
    File("UTF-32", codecs.BOM_UTF32_LE + TABLE.encode("utf-32-le"), WITH_ROLES),
    File(
        "cp1252 and semicolons (Excel in Germany)",
        "Vorname;E-Mail-Adresse;Rolle\r\nJürgen;ana@x.org;Admin\r\nBo;bo@x.org;Member\r\n".encode(
            "cp1252"
        ),
        WITH_ROLES,
    ),
    File(
        "cp1252, French",
        "Prénom;Adresse électronique;Rôle\r\nZoé;ana@x.org;Admin\r\n".encode("cp1252"),
        "2 ana@x.org Admin",
    ),
    File(
        "Spanish",
        "Nombre;Correo electrónico;Rol\nAna;ana@x.org;Admin\n".encode(),
        "2 ana@x.org Admin",
    ),
    File("neither UTF-8 nor cp1252", b"N\x81me,Mail\n\x8f,ana@x.org\n", "2 ana@x.org"),
    File("sep= line (Excel)", b"sep=;\r\nMail;Role\r\nana@x.org;a,b\r\n", "3 ana@x.org a,b"),
    File("pipes", b"name|email|role\nAna|ana@x.org|org:admin\n", "2 ana@x.org org:admin"),
    File("TSV", TABLE.replace(",", "\t").encode(), WITH_ROLES),
    File(
        "every cell quoted", b'"email","role"\n"ana@x.org","org:admin"\n', "2 ana@x.org org:admin"
    ),
    File(
        "quotes, commas and doubled quotes",
        b'name,email\n"Doe, Ana",ana@x.org\n"Roe, ""Bo""",bo@x.org\n',
        ANA_AND_BO,
    ),
    File(
        "new lines inside quotes",
        b'name,email,note\n"Ana\nDoe",ana@x.org,"a\nb"\nBo,bo@x.org,\n',
        "3 ana@x.org\n5 bo@x.org",
    ),
    File(
        "a header over two lines", b'"E-Mail\nAddress",Role\nana@x.org,Admin\n', "3 ana@x.org Admin"
    ),
    File("a stray quote", b'name,email\n"Ana,ana@x.org\nBo,bo@x.org\n', ANA_AND_BO),
    File(
        "a quote that shifts the cells",
        b'name,email,role\n"Doe, Ana"x,ana@x.org,\nBo,bo@x.org,\n',
        "2 ana@x.org\n3 bo@x.org",
    ),
    File("a stray quote at a tab", b'name\temail\n"Ana\tana@x.org\nBo\tbo@x.org\n', ANA_AND_BO),
    File("Outlook contacts", OUTLOOK.encode("cp1252"), "2 ana@x.org\n4 bo@x.org"),
    File(
        "Google contacts",
        GOOGLE_CONTACTS.encode(),
        "2 ana@x.org\n3 bo@x.org\n4 -  no-address",
    ),
    File("Google Workspace users", GOOGLE_WORKSPACE.encode(), ANA_AND_BO),
    File("Slack members", SLACK.encode(), ANA_AND_BO),
    File(
        "one column with a header",
        b"Email\r\nana@x.org\r\n\r\nbo@x.org\r\n",
        "2 ana@x.org\n4 bo@x.org",
    ),
    File("one column without", b"ana@x.org\nbo@x.org\n", "1 ana@x.org\n2 bo@x.org"),
    File("no header", b"Ana,ana@x.org\nBo,bo@x.org\n", "1 ana@x.org\n2 bo@x.org"),
    File(
        "no header, roles by key",
        b"Ana;ana@x.org;org:admin\nBo;bo@x.org;\n",
        "1 ana@x.org org:admin\n2 bo@x.org",
    ),
    File(
        "a header in a language not known",
        b"Ainm;Seoladh\nAna;ana@x.org\nBo;bo@x.org\n",
        ANA_AND_BO,
    ),
    File(
        "names and keys of roles",
        b"email,role\nana@x.org,Admin\nbo@x.org,org:member\ncy@x.org, \n",
        "2 ana@x.org Admin\n3 bo@x.org org:member\n4 cy@x.org",
    ),
    File(
        "empty cells and rows",
        b"name,email,role\n,,\nAna,,Admin\n,ana@x.org,\n\n   \n,,Admin\n",
        "3 - Admin no-address\n4 ana@x.org",
    ),
    File("short rows", b"name,email,role\nAna,ana@x.org\nBo\n", "2 ana@x.org\n3 -  no-address"),
    File(
        "a row longer than its header",
        b"name,email\nDoe, Ana,ana@x.org\n",
        "2 ana@x.org",
    ),
    File(
        "names with addresses in the cell",
        b'email,role\n"""Doe, Ana"" <ana@x.org>",Admin\n"bo@x.org; cy@x.org",Member\n',
        "2 ana@x.org Admin\n3 bo@x.org Member\n3 cy@x.org Member",
    ),
    File(
        "twice, with another role",
        b"email,role\nana@x.org,Admin\nANA@X.org,Member\n",
        "2 ana@x.org Admin\n3 ANA@x.org Member typed-twice",
    ),
    File(
        "a list, not a table",
        b"a@x.org, b@x.org\nc@x.org; d@x.org\n",
        "1 a@x.org\n1 b@x.org\n2 c@x.org\n2 d@x.org",
    ),
    File("prose", b"ana@x.org, please\n", "1 ana@x.org\n1 -  not-an-address"),
    File("nothing", b"", ""),
    File("only a header", b"email,role\n", ""),
    File("only a mark", codecs.BOM_UTF8, ""),
]

NO_TEXT = {
    "xlsx": b"PK\x03\x04\x14\x00\x06\x00",
    "xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "pdf": b"%PDF-1.7\n",
    "rtf": b"{\\rtf1\\ansi ana@x.org}",
    "gzip": b"\x1f\x8b\x08",
    "png": b"\x89PNG\r\n\x1a\n\x00\x00",
    "UTF-16 cut off": codecs.BOM_UTF16_LE + b"a\x00b",
    "UTF-8 mark and then none": codecs.BOM_UTF8 + b"\xff",
    "zeros behind a mark": codecs.BOM_UTF8 + b"\x00",
}
