"""The programs that write lists of people, and what they write.

One function a program. Headings are the real ones, in the real order; where a program speaks the
language of its user, in that language.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tests.corpus.table_sheets import (
    Columns,
    Kind,
    Meant,
    Roles,
    Row,
    Saved,
    Sheet,
    free_columns,
    heading,
    person_rows,
    untouched,
)
from tests.corpus.table_words import LANGUAGES, Language, People, Person

#: The roles of an organization: key -> the names by which a role is known.
RoleNames = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Order:
    """What is wanted of a program: its table in this language, with so many people."""

    rng: random.Random
    language: Language
    people: People
    count: int
    roles: RoleNames

    def some(self) -> list[Person]:
        return self.people.some(self.count)

    def maybe(self, text: str, probability: float = 0.5) -> str:
        return text if self.rng.random() < probability else ""

    def phone(self) -> str:
        return self.maybe(f"+1 555 01{self.rng.randrange(100):02d}")


def _spreadsheet(language: Language) -> tuple[Saved, ...]:
    """As spreadsheets of a language save: in the code page, or as UTF-8 with a mark."""
    encodings = (language.code_page, "utf-8-sig")
    return tuple(Saved(encoding, language.separator) for encoding in encodings)


UTF_8 = (Saved("utf-8", ",", "\n"), Saved("utf-8", ","))
UTF_8_MARKED = (Saved("utf-8-sig", ","), Saved("utf-8-sig", ",", quote_all=True))

_OUTLOOK = (
    "Title,First Name,Middle Name,Last Name,Suffix,Company,Department,Job Title,Business Street,"
    "Business Street 2,Business Street 3,Business City,Business State,Business Postal Code,"
    "Business Country/Region,Home Street,Home Street 2,Home Street 3,Home City,Home State,"
    "Home Postal Code,Home Country/Region,Other Street,Other Street 2,Other Street 3,Other City,"
    "Other State,Other Postal Code,Other Country/Region,Assistant's Phone,Business Fax,"
    "Business Phone,Business Phone 2,Callback,Car Phone,Company Main Phone,Home Fax,Home Phone,"
    "Home Phone 2,ISDN,Mobile Phone,Other Fax,Other Phone,Pager,Primary Phone,Radio Phone,"
    "TTY/TDD Phone,Telex,Account,Anniversary,Assistant's Name,Billing Information,Birthday,"
    "Business Address PO Box,Categories,Children,Directory Server,E-mail Address,E-mail Type,"
    "E-mail Display Name,E-mail 2 Address,E-mail 2 Type,E-mail 2 Display Name,E-mail 3 Address,"
    "E-mail 3 Type,E-mail 3 Display Name,Gender,Government ID Number,Hobby,Home Address PO Box,"
    "Initials,Internet Free Busy,Keywords,Language,Location,Manager's Name,Mileage,Notes,"
    "Office Location,Organizational ID Number,Other Address PO Box,Priority,Private,Profession,"
    "Referred By,Sensitivity,Spouse,User 1,User 2,User 3,User 4,Web Page"
)
_OUTLOOK_GERMAN = (
    "Anrede,Vorname,Weitere Vornamen,Nachname,Suffix,Firma,Abteilung,Position,Straße geschäftlich,"
    "Ort geschäftlich,Region geschäftlich,Postleitzahl geschäftlich,Land/Region geschäftlich,"
    "Straße privat,Ort privat,Postleitzahl privat,Land/Region privat,Weitere Straße,Weiterer Ort,"
    "Telefon Assistent,Fax geschäftlich,Telefon geschäftlich,Telefon privat,Mobiltelefon,"
    "Weiteres Telefon,Pager,Geburtstag,Jahrestag,Kategorien,E-Mail-Adresse,E-Mail-Typ,"
    "E-Mail: Angezeigter Name,E-Mail 2: Adresse,E-Mail 2: Typ,E-Mail 2: Angezeigter Name,"
    "E-Mail 3: Adresse,E-Mail 3: Typ,E-Mail 3: Angezeigter Name,Name Assistent,Notizen,"
    "Name des/der Vorgesetzten,Priorität,Privat,Stichwörter,Vertraulichkeit,Webseite"
)


def outlook(order: Order) -> Sheet:
    words = order.language
    mail, kind, shown, mail_2, kind_2, shown_2 = words.outlook
    numbered = [
        text.replace("{n}", number) for number in "23" for text in (mail_2, kind_2, shown_2)
    ]
    keys = ("email", "kind", "shown", "email2", "kind2", "shown2", "email3", "kind3", "shown3")
    if words.code in {"en", "de"}:
        text = _OUTLOOK if words.code == "en" else _OUTLOOK_GERMAN
        known = dict(zip(keys, (mail, kind, shown, *numbered), strict=True))
        known |= {"first": words.first, "last": words.last, "company": words.company}
        known |= {"job": "Job Title" if words.code == "en" else "Position", "note": words.note}
        known |= {"phone": "Business Phone" if words.code == "en" else "Telefon geschäftlich"}
        columns = untouched(text, **known)
    else:
        columns = [
            ("first", words.first),
            ("last", words.last),
            ("company", words.company),
            ("department", words.department),
            ("job", words.job),
            ("street", words.street),
            ("city", words.city),
            ("phone", words.phone),
            *zip(keys, (mail, kind, shown, *numbered), strict=True),
            ("note", words.note),
        ]

    def values(person: Person) -> dict[str, str]:
        cells = {"first": person.first, "last": person.last, "phone": order.phone()}
        cells["company"] = order.maybe("Acme, Inc.")
        cells["job"] = order.maybe(order.rng.choice(words.jobs))
        if order.rng.random() < 0.05:
            return cells  # someone with a phone only
        cells |= {"email": person.address, "kind": "SMTP"}
        cells["shown"] = f"{person.full} ({person.address})"
        if order.rng.random() < 0.3:
            cells |= {"email2": person.private, "kind2": "SMTP"}
            cells["shown2"] = f"{person.full} ({person.private})"
        return cells

    rows = person_rows(columns, order.some(), values, "email", "email2", "email3")
    keys_in_order = [key for key, _ in columns]
    at_mail, at_kind = keys_in_order.index("email"), keys_in_order.index("kind")
    at_shown = keys_in_order.index("shown")
    quirks = []
    for row in rows:
        # A colleague of the same Exchange: Outlook exports the directory's name of the mailbox.
        colleague = row.kind is Kind.PERSON and not row.cells[keys_in_order.index("email2")]
        if colleague and order.rng.random() < 0.04:
            row.cells[at_mail] = (
                "/o=ExchangeLabs/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)"
                f"/cn=Recipients/cn={order.rng.randrange(16**8):08x}"
            )
            row.cells[at_kind] = "EX"
            row.meant = [replace(row.meant[0], column=at_shown, or_offered=True)]
            quirks = ["exchange_address"]
    return Sheet(
        "outlook",
        words,
        [heading(columns), *rows],
        (
            Saved(words.code_page, ",", quote_all=True),
            Saved("utf-8-sig", ",", quote_all=True),
            Saved(words.code_page, words.separator),
        ),
        "contacts.CSV",
        free_columns(columns, "note", "company"),
        quirks=quirks,
    )


def outlook_web(order: Order) -> Sheet:
    columns = untouched(
        "First Name,Middle Name,Last Name,Title,Suffix,Nickname,Given Yomi,Surname Yomi,"
        "E-mail Address,E-mail 2 Address,E-mail 3 Address,Home Phone,Home Phone 2,Business Phone,"
        "Business Phone 2,Mobile Phone,Car Phone,Other Phone,Primary Phone,Pager,Business Fax,"
        "Home Fax,Other Fax,Company Main Phone,Callback,Radio Phone,Telex,TTY/TDD Phone,IMAddress,"
        "Job Title,Department,Company,Office Location,Manager's Name",
        first="First Name",
        last="Last Name",
        email="E-mail Address",
        email2="E-mail 2 Address",
        phone="Mobile Phone",
        job="Job Title",
        company="Company",
        chat="IMAddress",
    )

    def values(person: Person) -> dict[str, str]:
        return {
            "first": person.first,
            "last": person.last,
            "email": order.maybe(person.address, 0.9),
            "email2": order.maybe(person.private, 0.3),
            "phone": order.phone(),
            "chat": order.maybe(f"sip:{person.address}", 0.1),
            "job": order.maybe(order.rng.choice(order.language.jobs)),
        }

    rows = person_rows(columns, order.some(), values, "email", "email2")
    for row in rows:
        if row.kind is Kind.NOBODY:
            row.cells[[key for key, _ in columns].index("chat")] = ""
    return Sheet(
        "outlook_web",
        order.language,
        [heading(columns), *rows],
        UTF_8_MARKED,
        "contacts.csv",
        free_columns(columns, "company"),
    )


def google_contacts(order: Order) -> Sheet:
    columns = untouched(
        "First Name,Middle Name,Last Name,Phonetic First Name,Phonetic Middle Name,"
        "Phonetic Last Name,Name Prefix,Name Suffix,Nickname,File As,Organization Name,"
        "Organization Title,Organization Department,Birthday,Notes,Photo,Labels,E-mail 1 - Label,"
        "E-mail 1 - Value,E-mail 2 - Label,E-mail 2 - Value,Phone 1 - Label,Phone 1 - Value,"
        "Address 1 - Label,Address 1 - Formatted,Website 1 - Label,Website 1 - Value",
        first="First Name",
        last="Last Name",
        company="Organization Name",
        note="Notes",
        groups="Labels",
        label="E-mail 1 - Label",
        email="E-mail 1 - Value",
        label2="E-mail 2 - Label",
        email2="E-mail 2 - Value",
        phone="Phone 1 - Value",
    )
    return _google(order, "google_contacts", columns, UTF_8)


def google_contacts_old(order: Order) -> Sheet:
    headings = (
        "Name,Given Name,Additional Name,Family Name,Yomi Name,Given Name Yomi,"
        "Additional Name Yomi,Family Name Yomi,Name Prefix,Name Suffix,Initials,Nickname,"
        "Short Name,Maiden Name,Birthday,Gender,Location,Billing Information,Directory Server,"
        "Mileage,Occupation,Hobby,Sensitivity,Priority,Subject,Notes,Language,Photo,"
        "Group Membership,E-mail 1 - Type,E-mail 1 - Value,E-mail 2 - Type,E-mail 2 - Value,"
        "E-mail 3 - Type,E-mail 3 - Value,IM 1 - Type,IM 1 - Service,IM 1 - Value,Phone 1 - Type,"
        "Phone 1 - Value,Phone 2 - Type,Phone 2 - Value,Address 1 - Type,Address 1 - Formatted,"
        "Address 1 - Street,Address 1 - City,Address 1 - PO Box,Address 1 - Region,"
        "Address 1 - Postal Code,Address 1 - Country,Address 1 - Extended Address,"
        "Organization 1 - Type,Organization 1 - Name,Organization 1 - Yomi Name,"
        "Organization 1 - Title,Organization 1 - Department,Organization 1 - Symbol,"
        "Organization 1 - Location,Organization 1 - Job Description,Website 1 - Type,"
        "Website 1 - Value"
    )
    columns = untouched(
        headings,
        full="Name",
        first="Given Name",
        last="Family Name",
        company="Organization 1 - Name",
        note="Notes",
        groups="Group Membership",
        label="E-mail 1 - Type",
        email="E-mail 1 - Value",
        label2="E-mail 2 - Type",
        email2="E-mail 2 - Value",
        phone="Phone 1 - Value",
    )
    saved = (Saved("utf-8", ","), Saved("utf-16", ",", "\n"))
    return _google(order, "google_contacts_old", columns, saved)


def _google(order: Order, program: str, columns: Columns, saved: tuple[Saved, ...]) -> Sheet:
    keys = [key for key, _ in columns]
    several = order.rng.random() < 0.3

    def values(person: Person) -> dict[str, str]:
        cells = {"first": person.first, "last": person.last, "phone": order.phone()}
        if "full" in keys:
            cells["full"] = person.full
        cells["groups"] = "* myContacts" + order.maybe(" ::: * starred", 0.3)
        cells["company"] = order.maybe("Acme, Inc.", 0.3)
        way = order.rng.random()
        if several and way < 0.3:
            # Two of one kind stand in one cell.
            return cells | {"label": "* Other", "email": f"{person.address} ::: {person.private}"}
        if way < 0.88:
            cells |= {"label": "* Work", "email": person.address}
        if way > 0.65:
            cells |= {"label2": "Home", "email2": person.private}
        return cells if way < 0.95 else {**cells, "email2": "", "label2": ""}

    rows = person_rows(columns, order.some(), values, "email", "email2")
    quirks = set()
    for row in rows:
        if row.meant and " ::: " in row.meant[0].address:
            first = row.meant[0].address.partition(" ::: ")[0]
            row.meant = [replace(row.meant[0], address=first, or_offered=True)]
            quirks.add("several_of_one_person")
    free = free_columns(columns, "company", "note")
    rows = [heading(columns), *rows]
    return Sheet(program, order.language, rows, saved, "contacts.csv", free, quirks=sorted(quirks))


def google_workspace(order: Order) -> Sheet:
    columns = untouched(
        "First Name [Required],Last Name [Required],Email Address [Required],Password [Required],"
        "Password Hash Function [UPLOAD ONLY],Org Unit Path [Required],"
        "New Primary Email [UPLOAD ONLY],Status [READ ONLY],Last Sign In [READ ONLY],"
        "Recovery Email,Home Secondary Email,Work Secondary Email,"
        "Recovery Phone [MUST BE IN THE E.164 FORMAT],Work Phone,Home Phone,Mobile Phone,"
        "Work Address,Home Address,Employee ID,Employee Type,Employee Title,Manager Email,"
        "Department,Cost Center,2sv Enrolled [READ ONLY],2sv Enforced [READ ONLY],Building ID,"
        "Floor Name,Floor Section,Email Usage [READ ONLY],Drive Usage [READ ONLY],"
        "Total Storage [READ ONLY],Change Password at Next Sign-In,New Status [UPLOAD ONLY]",
        first="First Name [Required]",
        last="Last Name [Required]",
        email="Email Address [Required]",
        password="Password [Required]",
        path="Org Unit Path [Required]",
        status="Status [READ ONLY]",
        recovery="Recovery Email",
        home="Home Secondary Email",
        job="Employee Title",
        boss="Manager Email",
        usage="Email Usage [READ ONLY]",
        department="Department",
    )
    boss = order.people.one()

    def values(person: Person) -> dict[str, str]:
        return {
            "first": person.first,
            "last": person.last,
            "email": person.address,
            "password": "****",
            "path": "/",
            "status": "Active",
            "recovery": order.maybe(person.private, 0.4),
            "job": order.maybe(order.rng.choice(order.language.jobs)),
            "boss": order.maybe(boss.address, 0.4),
            "usage": "0.1GB",
            "department": order.maybe(order.rng.choice(order.language.departments)),
        }

    rows = [heading(columns), *person_rows(columns, order.some(), values, "email")]
    return Sheet("google_workspace", order.language, rows, UTF_8, "User_Download_03032026.csv")


def google_groups(order: Order) -> Sheet:
    """The group's own address stands in each row, and who belongs to it."""
    columns = untouched(
        "Group Email [Required],Member Email,Member Name,Member Role,Member Type",
        group="Group Email [Required]",
        email="Member Email",
        full="Member Name",
        role="Member Role",
        kind="Member Type",
    )

    def values(person: Person) -> dict[str, str]:
        return {
            "group": f"team@{order.people.domain}",
            "email": person.address,
            "full": order.maybe(person.full, 0.7),
            "role": order.rng.choice(("MEMBER", "MEMBER", "MANAGER", "OWNER")),
            "kind": "USER",
        }

    rows = person_rows(columns, order.some(), values, "email")
    sheet = Sheet("google_groups", order.language, [heading(columns), *rows], UTF_8, "members.csv")
    sheet.role_heading = "Member Role"
    _take_roles(order, sheet, [key for key, _ in columns].index("role"))
    # Whether someone who says MEMBER of a group means this role, nobody can know.
    sheet.roles_are_open = sheet.roles is Roles.USED
    return sheet


def google_groups_old(order: Order) -> Sheet:
    columns = untouched(
        "Email address,Nickname,Group status,Email status,Email preference,Posting permissions,"
        "Join year,Join month,Join day,Join hour,Join minute,Join second,Time zone",
        email="Email address",
        full="Nickname",
        status="Group status",
        bounce="Email status",
        wish="Email preference",
        posting="Posting permissions",
        year="Join year",
        zone="Time zone",
    )

    def values(person: Person) -> dict[str, str]:
        return {
            "email": person.address,
            "full": order.maybe(person.full),
            "status": "member",
            "wish": "all",
            "posting": "allow",
            "year": "2024",
            "zone": "Pacific Standard Time",
        }

    title = Row(Kind.TITLE, ["Members for group rowing-club"])
    rows = [title, heading(columns), *person_rows(columns, order.some(), values, "email")]
    return Sheet(
        "google_groups_old", order.language, rows, UTF_8, "rowing-club.csv", quirks=["title_rows"]
    )


def thunderbird(order: Order) -> Sheet:
    words = order.language
    keys = (
        *("first", "last", "full", "nickname", "email", "email2", "screen", "phone", "home_phone"),
        *("fax", "pager", "mobile", "street", "job", "department", "company", "note"),
    )
    columns = list(zip(keys, words.thunderbird, strict=True))

    def values(person: Person) -> dict[str, str]:
        way = order.rng.random()
        return {
            "first": person.first,
            "last": person.last,
            "full": person.full,
            "email": person.address if way < 0.9 else "",
            "email2": person.private if way > 0.7 else "",
            "phone": order.phone(),
            "company": order.maybe("Acme, Inc.", 0.3),
        }

    rows = [heading(columns), *person_rows(columns, order.some(), values, "email", "email2")]
    free = free_columns(columns, "note", "company")
    saved = (
        Saved("utf-8", ","),
        Saved("utf-8-sig", ";"),
        Saved("utf-8", "\t", "\n"),
        Saved(words.code_page, ";"),
    )
    return Sheet("thunderbird", words, rows, saved, "addressbook.csv", free)


def apple(order: Order) -> Sheet:
    """Cards drawn into Numbers, which writes the table's own name above it."""
    words = order.language
    columns = [
        ("first", words.first),
        ("last", words.last),
        ("company", words.company),
        ("email", words.email[0]),
        ("email2", words.second_email),
        ("phone", words.phone),
    ]

    def values(person: Person) -> dict[str, str]:
        way = order.rng.random()
        return {
            "first": person.first,
            "last": person.last,
            "email": person.address if way < 0.75 else "",
            "email2": person.private if way > 0.5 else "",
            "phone": order.phone(),
        }

    rows = [heading(columns), *person_rows(columns, order.some(), values, "email", "email2")]
    quirks = ["two_addresses"]
    if order.rng.random() < 0.6:
        rows.insert(0, Row(Kind.TITLE, [words.table]))
        quirks.append("table_name")
    saved = (Saved("utf-8", words.separator), Saved("utf-8-sig", words.separator, "\n"))
    free = free_columns(columns, "company")
    return Sheet("apple", words, rows, saved, f"{words.table}.csv", free, quirks=quirks)


def microsoft_365(order: Order) -> Sheet:
    words = order.language
    english = untouched(
        "Block credential,City,Country/Region,Department,DirSyncEnabled,Display name,Fax,"
        "First name,Last dirsync time,Last name,Last password change time stamp,"
        "License assignment details,Licenses,Mobile Phone,Oath token metadata,Object Id,Office,"
        "Password never expires,Phone number,Postal code,Preferred data location,"
        "Preferred language,Proxy addresses,Release track,Soft deletion time stamp,State,"
        "Street address,Strong password required,Title,Usage location,User principal name,"
        "When created",
        block="Block credential",
        department="Department",
        full="Display name",
        first="First name",
        last="Last name",
        licenses="Licenses",
        proxies="Proxy addresses",
        job="Title",
        email="User principal name",
    )
    own = [
        ("full", words.display_name),
        ("email", words.upn),
        ("licenses", words.licenses),
        ("first", words.first),
        ("last", words.last),
        ("job", words.job),
        ("department", words.department),
        ("proxies", "Proxy addresses"),
        ("block", "Block credential"),
    ]
    columns = english if order.language.code == "en" or order.rng.random() < 0.3 else own

    def values(person: Person) -> dict[str, str]:
        local = person.address.partition("@")[0]
        proxies = f"SMTP:{person.address}+smtp:{local}@tenant.onmicrosoft.example"
        return {
            "block": "False",
            "department": order.maybe(order.rng.choice(words.departments)),
            "full": person.full,
            "first": person.first,
            "last": person.last,
            "licenses": "Microsoft 365 Business Standard+Power BI (free)",
            "proxies": order.maybe(proxies, 0.6),
            "job": order.maybe(order.rng.choice(words.jobs)),
            "email": person.address,
        }

    rows = [heading(columns), *person_rows(columns, order.some(), values, "email")]
    quirks = ["user_principal_name"]
    return Sheet("microsoft_365", words, rows, UTF_8_MARKED, "users_2026.csv", quirks=quirks)


def entra(order: Order) -> Sheet:
    columns = untouched(
        "userPrincipalName,displayName,surname,mail,givenName,objectId,userType,jobTitle,"
        "department,accountEnabled,usageLocation,streetAddress,state,country,"
        "physicalDeliveryOfficeName,city,postalCode,telephoneNumber,mobile,"
        "authenticationPhoneNumber,authenticationAlternativePhoneNumber,authenticationEmail,"
        "alternateEmailAddress,ageGroup,consentProvidedForMinor,legalAgeGroupClassification"
    )
    quirks = {"user_principal_name"}

    def values(person: Person) -> dict[str, str]:
        cells = {
            "displayName": person.full,
            "surname": person.last,
            "givenName": person.first,
            "objectId": f"{order.rng.randrange(16**12):012x}",
            "userType": "Member",
            "jobTitle": order.maybe(order.rng.choice(order.language.jobs)),
            "accountEnabled": "True",
            "userPrincipalName": person.address,
        }
        way = order.rng.random()
        if way < 0.6:
            return cells | {"mail": person.address}
        if way < 0.75:
            # Signs in with a number, is written to by name.
            domain = person.address.partition("@")[2]
            number = order.rng.randrange(10000, 99999)
            return cells | {"mail": person.address, "userPrincipalName": f"n{number}@{domain}"}
        if way < 0.85:
            return cells
        quirks.add("external_users")
        guest = f"{person.private.replace('@', '_')}#EXT#@tenant.onmicrosoft.example"
        cells |= {"userType": "Guest", "userPrincipalName": guest}
        return cells | {"mail": order.maybe(person.private, 0.8)}

    rows = person_rows(columns, order.some(), values, "mail", "userPrincipalName")
    for row in rows:
        if not row.meant or row.meant[0].column != 0:
            continue
        if "#EXT#" in row.meant[0].address:  # no mailbox is called so
            row.kind, row.meant = Kind.NOBODY, []
        else:  # may be a mailbox, and may not
            row.meant[0].or_offered = True
    return Sheet(
        "entra",
        order.language,
        [heading(columns), *rows],
        UTF_8,
        "exportUsers_2026-3-3.csv",
        quirks=sorted(quirks),
    )


def linkedin(order: Order) -> Sheet:
    columns = untouched(
        "First Name,Last Name,URL,Email Address,Company,Position,Connected On",
        first="First Name",
        last="Last Name",
        url="URL",
        email="Email Address",
        company="Company",
        job="Position",
        since="Connected On",
    )

    def values(person: Person) -> dict[str, str]:
        return {
            "first": person.first,
            "last": person.last,
            "url": "https://www.linkedin.com/in/someone-example",
            "email": order.maybe(person.private, 0.4),
            "company": order.rng.choice(("Stripe, Inc.", "Acme", "Amazon Web Services (AWS)")),
            "job": order.rng.choice(order.language.jobs),
            "since": "12 Mar 2024",
        }

    note = (
        "When exporting your connection data, you may notice that some of the email addresses are "
        "missing. You will only see email addresses for connections who have allowed their "
        "connections to see or download their email address using this setting "
        "https://www.linkedin.com/psettings/privacy/email. You can learn more here "
        "https://www.linkedin.com/help/linkedin/answer/261"
    )
    rows = [
        Row(Kind.TITLE, ["Notes:"]),
        Row(Kind.TITLE, [note]),
        Row(Kind.BLANK, []),
        heading(columns),
        *person_rows(columns, order.some(), values, "email"),
    ]
    quirks = ["title_rows", "empty_address"]
    saved = (Saved("utf-8", ",", "\n"), Saved("utf-8-sig", ","))
    free = free_columns(columns, "company")
    return Sheet("linkedin", order.language, rows, saved, "Connections.csv", free, quirks=quirks)


def zoom(order: Order) -> Sheet:
    """A meeting's report: the meeting with its host, then who was there."""
    people = order.some()
    host = people[0]
    columns = untouched(
        "Name (Original Name),User Email,Join Time,Leave Time,Duration (Minutes),Guest",
        full="Name (Original Name)",
        email="User Email",
        join="Join Time",
        leave="Leave Time",
        minutes="Duration (Minutes)",
        guest="Guest",
    )

    def values(person: Person) -> dict[str, str]:
        known = person is host or order.rng.random() < 0.75
        return {
            "full": person.full,
            "email": person.address if known else "",
            "join": "03/03/2026 10:00:00 AM",
            "leave": "03/03/2026 11:00:00 AM",
            "minutes": "60",
            "guest": "No" if known else "Yes",
        }

    about = "Meeting ID,Topic,Start Time,End Time,User Email,Duration (Minutes),Participants"
    meeting = ["812 3456 7890", "All hands", "03/03/2026 09:58:00 AM", "03/03/2026 11:00:00 AM"]
    rows = [
        Row(Kind.ABOUT, about.split(",")),
        Row(Kind.ABOUT, [*meeting, host.address, "62", str(len(people))]),
        Row(Kind.BLANK, []),
        heading(columns),
        *person_rows(columns, people, values, "email"),
    ]
    quirks = ["several_tables", "empty_address"]
    saved = (Saved("utf-8-sig", ","), Saved("utf-8", ",", "\n"))
    return Sheet("zoom", order.language, rows, saved, "participants_812.csv", quirks=quirks)


def zoom_webinar(order: Order) -> Sheet:
    """A webinar's report: three tables of people under each other, with different columns."""
    people = order.people.some(max(3, order.count))
    short = untouched(
        "Attended,User Name (Original Name),Email,Join Time,Leave Time,"
        "Time in Session (minutes),Is Guest,Country/Region Name",
        attended="Attended",
        full="User Name (Original Name)",
        email="Email",
        guest="Is Guest",
    )
    long = untouched(
        "Attended,User Name (Original Name),First Name,Last Name,Email,Registration Time,"
        "Approval Status,Join Time,Leave Time,Time in Session (minutes),Is Guest,"
        "Country/Region Name",
        attended="Attended",
        full="User Name (Original Name)",
        first="First Name",
        last="Last Name",
        email="Email",
        status="Approval Status",
    )

    def staff(person: Person) -> dict[str, str]:
        return {"attended": "Yes", "full": person.full, "email": person.address, "guest": "No"}

    def guest(person: Person) -> dict[str, str]:
        return {
            "attended": order.rng.choice(("Yes", "No")),
            "full": person.full,
            "first": person.first,
            "last": person.last,
            "email": person.private,
            "status": "approved",
        }

    about = (
        "Topic,Webinar ID,Actual Start Time,Actual Duration (minutes),# Registered,# Cancelled,"
        "Unique Viewers,Total Users,Max Concurrent Views"
    )
    rows = [
        Row(Kind.TITLE, ["Attendee Report"]),
        Row(Kind.TITLE, ["Report Generated:", "03/03/2026 12:00:00 PM"]),
        Row(Kind.ABOUT, about.split(",")),
        Row(Kind.ABOUT, ["Open day", "812 3456 7890", "03/03/2026", "60", "9", "0", "7", "9", "7"]),
        Row(Kind.TITLE, ["Host Details"]),
        heading(short),
        *person_rows(short, people[:1], staff, "email"),
        Row(Kind.TITLE, ["Panelist Details"]),
        heading(short),
        *person_rows(short, people[1:2], staff, "email"),
        Row(Kind.TITLE, ["Attendee Details"]),
        heading(long),
        *person_rows(long, people[2:], guest, "email"),
    ]
    quirks = ["several_tables", "title_rows"]
    saved = (Saved("utf-8-sig", ","), Saved("utf-8", ",", "\n"))
    return Sheet("zoom_webinar", order.language, rows, saved, "attendee_812.csv", quirks=quirks)


_TEAMS = {
    "en": (
        ("1. Summary", "Meeting title", "Attended participants", "Start time", "End time"),
        "2. Participants",
        "Name,First Join,Last Leave,In-Meeting Duration,Email,Participant ID (UPN),Role",
        "3. In-Meeting Activities",
        "Name,Join Time,Leave Time,Duration,Email,Role",
        ("Organizer", "Presenter", "Attendee"),
    ),
    "de": (
        ("1. Zusammenfassung", "Besprechungstitel", "Teilnehmer", "Startzeit", "Endzeit"),
        "2. Teilnehmer",
        (
            "Name,Erster Beitritt,Letztes Verlassen,Dauer der Besprechung,E-Mail,"
            "Teilnehmer-ID (UPN),Rolle"
        ),
        "3. Aktivitäten in der Besprechung",
        "Name,Beitreten,Verlassen,Dauer,E-Mail,Rolle",
        ("Organisator", "Referent", "Teilnehmer"),
    ),
}


def teams(order: Order) -> Sheet:
    """Who was at a meeting, and once more each time they came."""
    summary, second, participants, third, activities, roles = _TEAMS.get(
        order.language.code, _TEAMS["en"]
    )
    keys = ("full", "join", "leave", "time", "email", "upn", "role")
    long = list(zip(keys, participants.split(","), strict=True))
    short = list(zip([key for key in keys if key != "upn"], activities.split(","), strict=True))
    people = order.some()
    roles_of = {person: roles[0 if not at else 1 + at % 2] for at, person in enumerate(people)}
    guests = {person for person in people[1:] if order.rng.random() < 0.15}

    def cells(person: Person) -> dict[str, str]:
        return {
            "full": person.full,
            "join": "3/3/26, 10:00:02 AM",
            "leave": "3/3/26, 10:59:58 AM",
            "time": "59m 56s",
            "email": "" if person in guests else person.address,
            "role": roles_of[person],
        }

    def values(person: Person) -> dict[str, str]:
        return cells(person) | {"upn": person.address}

    title, *labels = summary
    texts = ("All hands", str(len(people)), "3/3/26, 10:00:00 AM", "3/3/26, 11:00:00 AM")
    rows = [
        Row(Kind.TITLE, [title]),
        *(Row(Kind.ABOUT, [label, text]) for label, text in zip(labels, texts, strict=True)),
        Row(Kind.BLANK, []),
        Row(Kind.TITLE, [second]),
        heading(long),
        *person_rows(long, people, values, "email", "upn"),
        Row(Kind.BLANK, []),
        Row(Kind.TITLE, [third]),
        heading(short),
        *person_rows(short, people, cells, "email"),
    ]
    return Sheet(
        "teams",
        order.language,
        rows,
        (Saved("utf-16", "\t"), Saved("utf-16", "\t", "\n")),
        "All hands - Attendance report 3-3-26.csv",
        roles=Roles.NONE_FITS,
        role_heading=long[-1][1],
        quirks=["several_tables", "job_titles_as_roles", "repeated_address"],
    )


def mailchimp(order: Order) -> Sheet:
    columns = untouched(
        "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,"
        "CONFIRM_IP,LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,"
        "NOTES,TAGS",
        email="Email Address",
        first="First Name",
        last="Last Name",
        rating="MEMBER_RATING",
        time="CONFIRM_TIME",
        note="NOTES",
        tags="TAGS",
    )

    def values(person: Person) -> dict[str, str]:
        return {
            "email": person.private,
            "first": order.maybe(person.first),
            "last": order.maybe(person.last),
            "rating": "2",
            "time": "2015-03-16 14:40:47",
            "tags": order.maybe('"VIP","Blog"'),
        }

    rows = [heading(columns), *person_rows(columns, order.some(), values, "email")]
    saved = (Saved("utf-8", ",", "\n"), Saved("utf-8", ",", "\n", quote_all=True))
    free = free_columns(columns, "note")
    return Sheet("mailchimp", order.language, rows, saved, "subscribed_members_export.csv", free)


def mailman(order: Order) -> Sheet:
    """`list_members`: an address a line, with names if asked for, and no heading."""
    names = order.rng.random() < 0.5
    rows = []
    for person in order.some():
        text = f"{person.full} <{person.address}>" if names else person.address
        rows.append(Row(Kind.PERSON, [text], [Meant(0, person.address)], person.full))
    quirks = ["no_heading", "name_and_address"] if names else ["no_heading"]
    saved = (Saved("utf-8", ",", "\n"), Saved(order.language.code_page, ",", "\n"))
    return Sheet("mailman", order.language, rows, saved, "members.txt", quirks=quirks)


def slack(order: Order) -> Sheet:
    columns = untouched(
        "username,email,status,billing-active,has-2fa,has-sso,userid,fullname,displayname,"
        "expiration-timestamp"
    )

    def values(person: Person) -> dict[str, str]:
        local = person.address.partition("@")[0]
        bot = order.rng.random() < 0.08
        return {
            "username": local.replace(".", ""),
            "email": "" if bot else person.address,
            "status": "Bot" if bot else order.rng.choice(("Member", "Member", "Admin", "Owner")),
            "billing-active": "1",
            "has-2fa": "0",
            "has-sso": "0",
            "userid": f"U{order.rng.randrange(10**8):08d}",
            "fullname": person.full,
            "displayname": person.first,
        }

    rows = [heading(columns), *person_rows(columns, order.some(), values, "email")]
    sheet = Sheet("slack", order.language, rows, UTF_8, "slack-members.csv", role_heading="status")
    _take_roles(order, sheet, 2)
    # The heading says "status": whether it is meant as a role, nobody can know.
    sheet.roles_are_open = sheet.roles is Roles.USED
    if sheet.roles is Roles.NONE_FITS:
        sheet.roles = Roles.ABSENT
    return sheet


def eventbrite(order: Order) -> Sheet:
    columns = untouched(
        "Order #,Order Date,First Name,Last Name,Email,Quantity,Ticket Type,Attendee Status,"
        "Who are you coming with?",
        order="Order #",
        date="Order Date",
        first="First Name",
        last="Last Name",
        email="Email",
        quantity="Quantity",
        ticket="Ticket Type",
        status="Attendee Status",
        note="Who are you coming with?",
    )

    def values(person: Person) -> dict[str, str]:
        return {
            "order": str(order.rng.randrange(1000, 9999)),
            "date": "2026-10-01",
            "first": person.first,
            "last": person.last,
            "email": person.private,
            "quantity": "1",
            "ticket": "General Admission",
            "status": "Attending",
        }

    rows = [heading(columns), *person_rows(columns, order.some(), values, "email")]
    free = free_columns(columns, "note")
    return Sheet("eventbrite", order.language, rows, UTF_8, "report-2026-10-01.csv", free)


def google_forms(order: Order) -> Sheet:
    words = order.language
    columns = [
        ("time", "Timestamp"),
        ("email", "Email Address" if words.code == "en" else words.email[0]),
        ("full", words.name[0]),
        ("phone", words.phone),
        ("note", words.note),
    ]

    def values(person: Person) -> dict[str, str]:
        return {
            "time": "2026-04-12 15:30:45",
            "email": person.private,
            "full": person.full,
            "phone": order.phone(),
            "note": order.maybe(order.rng.choice(words.notes)),
        }

    rows = [heading(columns), *person_rows(columns, order.some(), values, "email")]
    free = free_columns(columns, "note")
    return Sheet("google_forms", words, rows, UTF_8, "Sign-up (Responses).csv", free)


def clerk(order: Order) -> Sheet:
    columns = untouched(
        "id,first_name,last_name,username,primary_email_address,primary_phone_number,"
        "verified_email_addresses,unverified_email_addresses,verified_phone_numbers,"
        "unverified_phone_numbers,totp_secret,password_digest,password_hasher"
    )

    def values(person: Person) -> dict[str, str]:
        both = order.rng.random() < 0.3
        return {
            "id": f"user_{order.rng.randrange(16**10):010x}",
            "first_name": person.first,
            "last_name": person.last,
            "primary_email_address": person.address,
            "verified_email_addresses": person.address + (f",{person.private}" if both else ""),
        }

    people = order.some()
    rows = [heading(columns), *person_rows(columns, people, values, "primary_email_address")]
    return Sheet("clerk", order.language, rows, UTF_8, "users.csv")


def class_list(order: Order) -> Sheet:
    """A course's participants, as Moodle writes them, with the roles people have there."""
    words = order.language
    columns = [
        ("first", words.first),
        ("last", words.last),
        ("email", words.email[0]),
        ("role", words.role[0]),
        ("groups", "Groups"),
    ]

    def values(person: Person) -> dict[str, str]:
        return {
            "first": person.first,
            "last": person.last,
            "email": person.address,
            "role": order.rng.choice(("Student", "Student", "Teacher")),
        }

    rows = [heading(columns), *person_rows(columns, order.some(), values, "email")]
    return Sheet(
        "class_list",
        words,
        rows,
        (*UTF_8, *_spreadsheet(words)),
        "courseid_7_participants.csv",
        roles=Roles.NONE_FITS,
        role_heading=words.role[0],
        quirks=["job_titles_as_roles"],
    )


def school_roster(order: Order) -> Sheet:
    words = order.language
    return _two_people(order, "school_roster", words.student_email, words.parent_email)


def hr_list(order: Order) -> Sheet:
    words = order.language
    return _two_people(order, "hr_list", words.employee_email, words.manager_email)


def _two_people(order: Order, program: str, own: str, other: str) -> Sheet:
    """Two people in each row, each with an address of their own: the owner must be asked."""
    words, rng = order.language, order.rng
    names = rng.choice(
        ([("last", words.last), ("first", words.first)], [("full", rng.choice(words.name))])
    )
    addresses = [("own", own), ("other", other)]
    if rng.random() < 0.3:
        addresses.reverse()
    columns = [*names, *addresses]
    if rng.random() < 0.4:
        columns.insert(rng.choice((0, len(columns))), ("phone", words.phone))
    keys = [key for key, _ in columns]
    at = [keys.index(key) for key, _ in addresses]
    others = [order.people.one() for _ in range(max(2, order.count // 2))]
    rows = [heading(columns)]
    # Enough rows with both to see that both are columns of addresses.
    for number, person in enumerate(order.people.some(max(3, order.count))):
        cells = {"first": person.first, "last": person.last, "full": person.full}
        cells |= {"own": person.address, "other": rng.choice(others).private}
        cells["phone"] = order.phone()
        if number > 2 and rng.random() < 0.15:
            cells[rng.choice(("own", "other"))] = ""
        row = Row(Kind.PERSON, [cells[key] for key in keys], name=person.full)
        row.meant = [
            Meant(column, row.cells[column], choice=choice)
            for choice, column in enumerate(at)
            if row.cells[column]
        ]
        rows.append(row)
    return Sheet(
        program,
        words,
        rows,
        (*_spreadsheet(words), Saved("utf-8", ",", "\n")),
        f"{program}.csv",
        choices=tuple(text for _, text in addresses),
        quirks=["two_people"],
    )


def hand_made(order: Order) -> Sheet:
    """What people keep in their own spreadsheets."""
    words, rng = order.language, order.rng
    columns, quirks = _hand_made_columns(order)
    role_way = rng.choices(
        ("", "roles", "mixed_roles", "job_titles_as_roles"), (0.6, 0.2, 0.08, 0.12)
    )[0]
    if role_way:
        columns.insert(rng.randint(0, len(columns)), ("role", rng.choice(words.role)))
        quirks.append(role_way)
    keys = [key for key, _ in columns]
    numbers = iter(range(1, 10_000))
    role_texts = _role_texts(order, role_way)

    def values(person: Person) -> dict[str, str]:
        cells = {
            "first": person.first,
            "last": person.last,
            "full": person.full,
            "phone": order.phone(),
            "company": order.maybe("Acme, Inc.", 0.3),
            "job": order.maybe(rng.choice(words.jobs), 0.7),
            "street": order.maybe("Main St 1", 0.7),
            "city": order.maybe("Springfield", 0.7),
            "note": order.maybe(rng.choice(words.notes), 0.3),
            "email": person.address,
            "email2": order.maybe(person.private, 0.6),
            "number": str(next(numbers)),
            "role": next(role_texts),
        }
        if "email2" in keys and cells["email2"] and rng.random() < 0.3:
            cells["email"] = ""
        return {key: text for key, text in cells.items() if key in keys}

    people = order.people.some(max(2, order.count) if role_way == "mixed_roles" else order.count)
    rows = person_rows(columns, people, values, "email", "email2")
    if "merged_cells" in quirks:  # a merged cell's text stands in its first row
        for at, row in enumerate(rows[::3]):
            row.cells[keys.index("group")] = words.departments[at % len(words.departments)]
    sheet = Sheet(
        "hand_made",
        words,
        [heading(columns), *rows],
        (
            *_spreadsheet(words),
            Saved("utf-8", words.separator, "\n"),
            Saved("utf-16", "\t"),
        ),
        rng.choice(("list.csv", "members.csv", f"{words.titles[0]}.csv")),
        free_columns(columns, "note", "company"),
        quirks=quirks,
    )
    if role_way:
        sheet.role_heading = dict(columns)["role"]
        _take_roles(order, sheet, keys.index("role"))
    return sheet


def _hand_made_columns(order: Order) -> tuple[list[tuple[str, str]], list[str]]:
    """The columns of a list, all but the one of roles, and what is special about them."""
    words, rng = order.language, order.rng
    quirks = []
    columns = rng.choice(
        (
            [("first", words.first), ("last", words.last)],
            [("last", words.last), ("first", words.first)],
            [("full", rng.choice(words.name))],
            [("full", rng.choice(words.name))],
            [],
        )
    )
    extras = [
        ("phone", words.phone),
        ("company", words.company),
        ("job", words.job),
        ("street", words.street),
        ("city", words.city),
        ("note", words.note),
    ]
    columns += [extra for extra in extras if rng.random() < 0.25]
    if rng.random() < 0.2:
        rng.shuffle(columns)
    at = rng.randint(0, len(columns))
    if rng.random() < 0.12:
        at = len(columns)
        quirks.append("address_last")
    columns.insert(at, ("email", rng.choice(words.email)))
    if rng.random() < 0.1:
        columns.insert(at + 1, ("email2", words.second_email))
        quirks.append("two_addresses")
    if rng.random() < 0.1:
        columns.insert(0, ("number", rng.choice(("#", "Nr.", "No."))))
        quirks.append("numbered")
    if rng.random() < 0.1:
        columns.insert(0, ("group", words.department))
        quirks.append("merged_cells")
    return columns, quirks


def _role_texts(order: Order, way: str) -> Iterator[str]:
    """The texts of a column of roles, row by row, without end."""
    rng = order.rng
    spelt = []
    for key, names in order.roles.items():
        bare = key.removeprefix("org:")
        spelt += [key, bare, bare.upper(), *names, *(name.lower() for name in names)]
    # A few spellings in one table, as people keep to theirs.
    chosen = [rng.choice(spelt) for _ in range(3)]
    if way == "mixed_roles":
        yield chosen[0]
        yield rng.choice(order.language.jobs)
    while True:
        if way == "mixed_roles":
            yield rng.choice((*chosen, *order.language.jobs))
        elif way == "job_titles_as_roles":
            yield rng.choice(order.language.jobs)
        else:
            yield order.maybe(rng.choice(chosen), 0.9)


def _take_roles(order: Order, sheet: Sheet, column: int) -> None:
    """What the texts in a column of roles mean, each and together."""
    known = {}
    for key, names in order.roles.items():
        for text in (key, key.removeprefix("org:"), *names):
            known[text.casefold()] = key
    texts = [row.cells[column] for row in sheet.people]
    if not any(text.casefold() in known for text in texts):
        sheet.roles = Roles.NONE_FITS if any(texts) else Roles.ABSENT
        return
    sheet.roles = Roles.USED
    for row in sheet.people:
        text = row.cells[column]
        for meant in row.meant:
            meant.role = known.get(text.casefold())
            meant.refused_role = text if text and meant.role is None else ""


@dataclass(frozen=True)
class Program:
    write: Callable[[Order], Sheet]
    weight: int = 2
    languages: tuple[str, ...] = tuple(LANGUAGES)


PROGRAMS = {
    program.write.__name__: program
    for program in (
        Program(outlook, 5),
        Program(outlook_web),
        Program(google_contacts),
        Program(google_contacts_old),
        Program(google_workspace),
        Program(google_groups),
        Program(google_groups_old),
        Program(thunderbird, 4),
        Program(apple, 3),
        Program(microsoft_365, 4),
        Program(entra),
        Program(linkedin),
        Program(zoom),
        Program(zoom_webinar),
        Program(teams),
        Program(mailchimp),
        Program(mailman),
        Program(slack),
        Program(eventbrite),
        Program(google_forms),
        Program(clerk),
        Program(class_list),
        Program(school_roster, 3),
        Program(hr_list, 3),
        Program(hand_made, 34),
    )
}
