"""What the heading of a column says, in the languages of the common programs."""

from __future__ import annotations

import pytest

from org_invitations.addresses import headings
from org_invitations.addresses.headings import WHOSE, Rank, Stems, plain, read_heading
from tests.corpus.table_words import LANGUAGES

VOCABULARIES = {
    **{name: value for name, value in vars(headings).items() if isinstance(value, Stems)},
    **WHOSE,
}


def test_each_stem_is_found_in_a_heading_that_consists_of_it(subtests: pytest.Subtests) -> None:
    for name, vocabulary in VOCABULARIES.items():
        with subtests.test(name=name):
            for stem in vocabulary.stems:
                assert vocabulary.are_in(plain(Stems.words_of(stem))), stem
                assert vocabulary.are_in(plain(Stems.words_of(stem).upper())), stem


def test_the_headings_of_a_language_are_known(subtests: pytest.Subtests) -> None:
    """Each word of the list of languages, which nobody has written with the stems in sight."""
    for language in LANGUAGES.values():
        with subtests.test(language=language):
            for text in (*language.email, language.second_email, language.upn):
                assert read_heading(text).rank is not None, text
            for text in language.role:
                assert read_heading(text).is_role, text
            for text in (language.student_email, language.employee_email):
                assert (read_heading(text).is_told, read_heading(text).whose) == (True, ""), text
            assert read_heading(language.parent_email).whose == "parent"
            assert read_heading(language.manager_email).whose == "manager"


def test_plain_stays_plain() -> None:
    for text in ("Prénom:", "emailAddress", "Электронный", "ガイド", "이메일", "İSİM", "Łódź"):
        assert plain(plain(text)) == plain(text)
    assert plain("E-Mail Adresse:") == "e mail adresse"
    assert plain("user_principalName") == "user principal name"


RANKS = {
    "Email": Rank.PLAIN,
    "E-mail Address": Rank.PLAIN,
    "Email Address [Required]": Rank.PLAIN,
    "mail": Rank.PLAIN,
    "Courriel": Rank.PLAIN,
    "Адрес электронной почты": Rank.PLAIN,
    "メール アドレス": Rank.PLAIN,
    "전자 메일 주소": Rank.PLAIN,
    "Elektron pochta": Rank.PLAIN,
    "primary_email_address": Rank.PRIMARY,
    "Primäre E-Mail-Adresse": Rank.PRIMARY,
    "Work email": Rank.WORK,
    "E-Mail geschäftlich": Rank.WORK,
    "User principal name": Rank.SIGN_IN,
    "userPrincipalName": Rank.SIGN_IN,
    "Benutzerprinzipalname": Rank.SIGN_IN,
    "Personal Email": Rank.HOME,
    "E-mail 2 - Value": Rank.OTHER,
    "Email2Address": Rank.OTHER,
    "alternateEmailAddress": Rank.OTHER,
    "Sekundäre E-Mail-Adresse": Rank.OTHER,
    "Recovery Email": Rank.FORMER,
    "New Primary Email [UPLOAD ONLY]": Rank.FORMER,
    "E-mail Display Name": Rank.SHOWN,
    "Anzeigename": Rank.SHOWN,
    "Visningsnamn för e-post": Rank.SHOWN,
    "Modified by": Rank.ASIDE,
    "Erstellt von": Rank.ASIDE,
    "Owner": Rank.ASIDE,
    "Besitzer": Rank.ASIDE,
    "E-mail Type": None,
    "Email sent": None,
    "Mailing list": None,
    "Voicemail": None,
    "Kod pocztowy": None,
    "Почтовый индекс": None,
    "郵便番号": None,
    "Address": None,
    "Name": None,
    "x" * 100: None,
    "ana@x.org": None,
}


def test_an_address_has_its_rank(subtests: pytest.Subtests) -> None:
    for text, rank in RANKS.items():
        with subtests.test(text=text):
            assert read_heading(text).rank is rank


def test_an_address_may_be_somebody_elses(subtests: pytest.Subtests) -> None:
    for text, whose in [
        ("Parent Email", "parent"),
        ("Line Manager", "manager"),
        ("Vorgesetzter (E-Mail)", "manager"),
        ("保護者メールアドレス", "parent"),
        ("Emergency contact email", "emergency"),
        ("Host email", "host"),
        ("Group Email", "group"),
        ("Employee email", ""),
        ("Contact email", ""),
    ]:
        with subtests.test(text=text, whose=whose):
            assert read_heading(text).whose == whose


def test_a_job_is_no_role() -> None:
    assert read_heading("Rôle").is_role
    assert read_heading("org_role").is_role
    assert not read_heading("Job role").is_role
    assert not read_heading("Enrolled").is_role
