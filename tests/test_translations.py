"""Every language is complete, compiled, and what a person who reads it gets to see."""

from __future__ import annotations

import ast
import gettext
import html
import io
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from org_invitations.emulator import Emulator
from org_invitations.testing import SignIn

from .views.conftest import html_of

APP = Path(__file__).resolve().parent.parent / "org_invitations"
LANGUAGES = sorted(path.parent.parent.name for path in APP.glob("locale/*/LC_MESSAGES/django.po"))

PAGE = "/invitations/"
INVITE = f"{PAGE}invite/"
CHECK = f"{PAGE}check/"
SELECTED = f"{PAGE}selected/"
GERMAN = {"Accept-Language": "de"}

PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|\{\w*\}|%%")
TAG = re.compile(r"</?\w[^>]*>")


@dataclass
class Entry:
    """A message of a .po file."""

    strings: dict[str, str] = field(default_factory=dict)
    """``msgid``, ``msgid_plural``, ``msgctxt``, and ``msgstr`` or ``msgstr[0]`` and so on."""
    flags: set[str] = field(default_factory=set)

    @property
    def key(self) -> tuple[str, str, str]:
        names = ("msgctxt", "msgid", "msgid_plural")
        context, one, many = (self.strings.get(name, "") for name in names)
        return context, one, many

    @property
    def sources(self) -> list[str]:
        return [text for name, text in self.strings.items() if name.startswith("msgid")]

    @property
    def translations(self) -> list[str]:
        return [text for name, text in self.strings.items() if name.startswith("msgstr")]


def read(po: str) -> list[Entry]:
    """Read a .po file; the first entry is its header."""
    entries = []
    for block in re.split(r"\n\s*\n", po.strip()):
        entry = Entry()
        name = ""
        for line in block.splitlines():
            if line.startswith("#,"):
                entry.flags.update(flag.strip() for flag in line[2:].split(","))
            elif not line.startswith("#"):
                keyword, quote, rest = line.partition('"')
                name = keyword.strip() or name
                text = ast.literal_eval(quote + rest)
                entry.strings[name] = entry.strings.get(name, "") + text
        if "msgid" in entry.strings:
            entries.append(entry)
    return entries


def po_file(language: str) -> Path:
    return APP / "locale" / language / "LC_MESSAGES" / "django.po"


def messages_of(language: str) -> list[Entry]:
    return read(po_file(language).read_text(encoding="utf-8"))[1:]


def need(tool: str) -> str:
    """Return where a tool of gettext is; skip without it, except in CI."""
    path = shutil.which(tool)
    if path is None:
        reason = f"{tool} is not installed: it comes with GNU gettext"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return path


def catalog(mo: bytes) -> dict[Any, str]:
    """The messages of a compiled file, without the header, where versions of msgfmt differ."""
    found: dict[Any, str] = vars(gettext.GNUTranslations(io.BytesIO(mo)))["_catalog"]
    return {key: text for key, text in found.items() if key != ""}


# --- The files -----------------------------------------------------------------------------------


def test_there_is_german() -> None:
    assert "de" in LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_header_names_the_package_and_the_language(language: str) -> None:
    header = read(po_file(language).read_text(encoding="utf-8"))[0]
    assert header.strings["msgid"] == ""
    assert "fuzzy" not in header.flags
    lines = header.strings["msgstr"].splitlines()
    assert "Project-Id-Version: django-org-invitations" in lines
    assert f"Language: {language}" in lines
    assert any(line.startswith("Plural-Forms: nplurals=") for line in lines)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_is_translated(language: str) -> None:
    messages = messages_of(language)
    assert len(messages) > 100
    assert [entry.key for entry in messages if "fuzzy" in entry.flags] == []
    untranslated = [
        entry.key for entry in messages if not all(text.strip() for text in entry.translations)
    ]
    assert untranslated == []
    assert all(entry.translations for entry in messages)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("pattern", [PLACEHOLDER, TAG], ids=["placeholders", "tags"])
def test_a_translation_keeps_what_is_no_word(language: str, pattern: re.Pattern[str]) -> None:
    seen = 0
    for entry in messages_of(language):
        one, many = (sorted(pattern.findall(entry.sources[index])) for index in (0, -1))
        seen += len(many)
        # The form for exactly one may leave the number out ("the other one").
        assert {*one} <= {*many}, entry.key
        for number, text in enumerate(entry.translations):
            found = sorted(pattern.findall(text))
            assert found == many or (number == 0 and found == one), text
    assert seen


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_file_is_up_to_date(language: str) -> None:
    po = po_file(language)
    done = subprocess.run(
        [need("msgfmt"), "--check", "-o", "-", str(po)], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    assert catalog(po.with_suffix(".mo").read_bytes()) == catalog(done.stdout), "make messages"


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, str, str]]:
    """The messages of the sources, collected anew in a copy of the package."""
    need("xgettext")
    need("msgmerge")
    copy = tmp_path_factory.mktemp("sources") / "org_invitations"
    shutil.copytree(
        APP, copy, ignore=shutil.ignore_patterns("locale", "emulator", "__pycache__", ".*cache")
    )
    folder = copy / "locale" / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "django", "makemessages", "--locale", "de", "--no-location"]
    env = {k: v for k, v in os.environ.items() if not k.startswith(("COV", "DJANGO", "PYTHON"))}
    done = subprocess.run(
        command, cwd=copy, env=env, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {entry.key for entry in read((folder / "django.po").read_text(encoding="utf-8"))[1:]}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_of_the_sources_is_missing(
    language: str, collected: set[tuple[str, str, str]]
) -> None:
    known = {entry.key for entry in messages_of(language)}
    assert len(collected) > 100
    assert collected - known == set(), "make messages, and translate these"
    assert known - collected == set(), "make messages: these are no longer used"


# --- What a person sees --------------------------------------------------------------------------


@pytest.fixture
def ada(client: Client, clerk_emulator: Emulator, clerk_sign_in: SignIn) -> Client:
    """A browser with Ada before it, who administers Acme."""
    clerk_sign_in(client, "ada@acme.test", organization="acme")
    return client


def english_on(page: str) -> list[str]:
    """The English texts of the app that are on a page: whole ones, or parts between values."""
    words = " ".join(html.unescape(page).split())
    parts = {
        part.strip()
        for entry in messages_of("de")
        for text in entry.sources
        if text not in entry.translations
        for part in re.split(f"{PLACEHOLDER.pattern}|{TAG.pattern}", text)
    }
    return sorted(part for part in parts if len(part) > 12 and part in words)


def is_german(response: Any, *, whole_page: bool = True) -> str:
    """Check that nothing of an answer is English, and return its words."""
    if whole_page:
        assert '<html lang="de" dir="ltr">' in response.text
    assert english_on(response.text) == []
    words = re.sub(r"<[^>]*>", "", response.text)
    return " ".join(html.unescape(words).split())


def test_english_would_be_noticed(ada: Client) -> None:
    page = ada.get(PAGE, headers={"Accept-Language": "en"})
    assert '<html lang="en" dir="ltr">' in page.text
    found = english_on(page.text)
    assert "Pending invitations" in found
    assert "Change role or expiry" in found
    assert len(found) > 5


def test_the_page_is_german(ada: Client) -> None:
    page = ada.get(PAGE, headers=GERMAN)
    words = is_german(page)
    assert "<title>Offene Einladungen – Acme</title>" in html_of(page)
    for text in ("Personen einladen", "E-Mail-Adressen", "Einladung senden", "Offene Einladungen"):
        assert text in words
    assert re.search(r"noch \d+ (Tage?|Wochen?|Monate?)\b", words)
    assert re.search(r"Link kopieren: \S+@", words)


def test_a_refusal_is_german(ada: Client) -> None:
    data = {"email_addresses": "max@acme.test", "role": "org:member"}
    page = ada.post(INVITE, data, headers=GERMAN)
    assert page.status_code == 422
    words = is_german(page)
    assert "<title>Fehler: Offene Einladungen – Acme</title>" in html_of(page)
    assert "Es gibt ein Problem" in words
    assert "max@acme.test ist bereits Mitglied von Acme." in words


def test_input_is_refused_in_german(ada: Client) -> None:
    words = is_german(ada.post(INVITE, {"email_addresses": "x", "role": ""}, headers=GERMAN))
    assert "„x“ ist keine E-Mail-Adresse." in words
    assert "Wählen Sie eine Rolle." in words


@pytest.mark.parametrize(
    ("status", "title"),
    [
        ("pending", "Offene Einladungen"),
        ("expired", "Abgelaufene Einladungen"),
        ("accepted", "Angenommene Einladungen"),
        ("revoked", "Widerrufene Einladungen"),
    ],
)
def test_every_state_of_the_list_is_german(ada: Client, status: str, title: str) -> None:
    page = ada.get(PAGE, {"status": status}, headers=GERMAN)
    is_german(page)
    assert f"<title>{title} – Acme</title>" in html_of(page)
    found = ada.get(PAGE, {"status": status, "q": "nobody-at-all"}, headers=GERMAN)
    assert "Hier passt nichts zu „nobody-at-all“" in is_german(found)


def test_the_check_is_german(ada: Client) -> None:
    pasted = "neu@example.com\nneu@example.com\nmax@acme.test\nx\njo@gmial.com"
    data = {"email_addresses": pasted, "role": "org:member"}
    words = is_german(ada.post(CHECK, data, headers=GERMAN))
    assert "2 zu berichtigen. 1 wird gesendet. Bei 2 ist nichts zu tun." in words
    assert "Doppelt eingegeben: Zeile 1 zählt, diese wird ausgelassen." in words
    assert "Sieht nach einem Tippfehler aus." in words
    assert "1 Einladung senden" in words


def test_the_outcome_is_german(ada: Client) -> None:
    data = {"email_addresses": "neu@example.com, max@acme.test, x", "role": "org:member"}
    asked = ada.post(INVITE, data, headers=GERMAN)
    hidden = dict(re.findall(r'name="(batch|reviewed)" value="([^"]+)"', asked.text))
    page = ada.post(INVITE, data | hidden, headers=GERMAN, follow=True)
    assert page.redirect_chain
    words = is_german(page)
    assert "1 gesendet · 1 zu berichtigen · bei 1 war nichts zu tun – Acme" in words
    assert "Bereits Mitglied" in words


@pytest.mark.parametrize(
    ("action", "title"),
    [("resend", "Einladung erneut senden"), ("change", "Diese Einladung ändern")],
)
def test_the_question_to_send_again_is_german(
    ada: Client, clerk_emulator: Emulator, action: str, title: str
) -> None:
    row = clerk_emulator.add_invitation("acme", "lee@example.com", role="org:billing")
    words = is_german(ada.get(f"{PAGE}{row.id}/{action}/", headers=GERMAN))
    assert title in words
    assert "Der Link in der alten E-Mail wird sofort ungültig." in words
    assert re.search(r"30 Tage, bis \d\d\.\d\d\.\d{4}", words)


@pytest.mark.parametrize(
    ("action", "title"),
    [("revoke", "2 Einladungen widerrufen?"), ("resend", "2 neue Einladungen senden?")],
)
def test_the_question_about_many_is_german(
    ada: Client, clerk_emulator: Emulator, action: str, title: str
) -> None:
    rows = [clerk_emulator.add_invitation("acme", f"lee{n}@example.com") for n in range(2)]
    data = {"action": action, "selected": [row.id for row in rows]}
    assert title in is_german(ada.post(SELECTED, data, headers=GERMAN))
    one = data | {"selected": [rows[0].id]}
    title = title.replace("2 neue Einladungen", "1 neue Einladung")
    title = title.replace("2 Einladungen", "1 Einladung")
    assert title in is_german(ada.post(SELECTED, one, headers=GERMAN))


def test_the_link_is_german(ada: Client, clerk_emulator: Emulator) -> None:
    row = clerk_emulator.add_invitation("acme", "lee@example.com", expires_in_days=3)
    words = is_german(ada.get(f"{PAGE}{row.id}/link/", headers=GERMAN))
    assert "Mit diesem Link wird lee@example.com zu Member." in words
    assert re.search(r"Er ist noch \d+ (Tage?|Stunden) gültig\.", words)


def test_the_revoke_question_is_german(ada: Client, clerk_emulator: Emulator) -> None:
    row = clerk_emulator.add_invitation("acme", "lee@example.com", role="org:billing")
    words = is_german(ada.get(f"{PAGE}{row.id}/revoke/", headers=GERMAN))
    assert "Diese Einladung widerrufen?" in words
    assert "lee@example.com wurde als Billing eingeladen." in words
    assert "Abbrechen" in words


def test_success_is_german(ada: Client) -> None:
    data = {"email_addresses": "neu@example.com", "role": "org:member"}
    page = ada.post(INVITE, data, headers=GERMAN, follow=True)
    assert page.redirect_chain
    words = is_german(page)
    assert "Einladung an neu@example.com als Member gesendet." in words


def test_a_fragment_for_htmx_is_german(ada: Client) -> None:
    data = {"email_addresses": "neu@example.com", "role": "org:member"}
    headers = GERMAN | {"HX-Request": "true", "HX-Target": "org-invitations-form"}
    words = is_german(ada.post(INVITE, data, headers=headers), whole_page=False)
    assert "Einladung an neu@example.com als Member gesendet." in words


def test_a_stranger_is_refused_in_german(
    client: Client, clerk_emulator: Emulator, clerk_sign_in: SignIn
) -> None:
    clerk_sign_in(client, "nora@nowhere.test")
    words = is_german(client.get(PAGE, headers=GERMAN))
    assert "Kein Zugriff" in words
    assert "Sie verwalten in keiner Organisation die Mitglieder" in words
