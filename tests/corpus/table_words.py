"""The words of table_words.toml, and people to write with them."""

from __future__ import annotations

import random
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Language:
    """A language of a table: its headings, and its names with how they are written in addresses."""

    code: str
    #: The Windows code page in which Excel of this language saves "CSV", and its separator there.
    code_page: str
    separator: str
    given: tuple[tuple[str, str], ...]
    family: tuple[tuple[str, str], ...]
    #: A domain with letters of this language.
    idn: str
    first: str
    last: str
    name: tuple[str, ...]
    email: tuple[str, ...]
    second_email: str
    phone: str
    company: str
    department: str
    departments: tuple[str, ...]
    job: str
    jobs: tuple[str, ...]
    role: tuple[str, ...]
    note: str
    notes: tuple[str, ...]
    street: str
    city: str
    total: str
    titles: tuple[str, ...]
    table: str
    student_email: str
    parent_email: str
    employee_email: str
    manager_email: str
    upn: str
    display_name: str
    licenses: str
    outlook: tuple[str, ...]
    thunderbird: tuple[str, ...]

    @property
    def family_first(self) -> bool:
        return self.code in {"ja", "zh", "zh-TW", "ko"}


def _names(text: str) -> tuple[tuple[str, str], ...]:
    """``"Jürgen/juergen Ana"`` -> ``(("Jürgen", "juergen"), ("Ana", "ana"))``."""
    names = (word.partition("/") for word in text.split())
    return tuple((name, plain or name.lower()) for name, _, plain in names)


def _languages() -> dict[str, Language]:
    text = (Path(__file__).parent / "table_words.toml").read_text(encoding="utf-8")
    languages = {}
    for code, table in tomllib.loads(text).items():
        words: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in table.items()
        }
        words |= {key: _names(table[key]) for key in ("given", "family")}
        languages[code] = Language(code=code, **words)
    return languages


LANGUAGES = _languages()
#: Addresses are under domains that nobody can have.
DOMAINS = (
    "example.com",
    "example.org",
    "example.net",
    "firma.example",
    "mail.example.org",
    "school.example",
    "club.example.com",
)
PRIVATE_DOMAINS = ("home.example", "post.example.net", "privat.example.org")


@dataclass(frozen=True)
class Person:
    first: str
    last: str
    full: str
    #: The address at work and the one at home.
    address: str
    private: str


@dataclass
class People:
    """Makes people of a language, no two with the same address."""

    rng: random.Random
    language: Language
    _taken: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.domain = self.rng.choice(DOMAINS)
        self.style = self.rng.choice(
            ("{first}.{last}", "{first}", "{initial}{last}", "{last}.{first}", "{first}_{last}")
        )

    def one(self) -> Person:
        first, plain_first = self.rng.choice(self.language.given)
        last, plain_last = self.rng.choice(self.language.family)
        local = self.style.format(first=plain_first, last=plain_last, initial=plain_first[0])
        number = 2
        unique = local
        while unique in self._taken:
            unique, number = f"{local}{number}", number + 1
        self._taken.add(unique)
        if not self.language.family_first:
            full = f"{first} {last}"
        else:
            full = f"{last}{first}" if self.language.code != "ja" else f"{last} {first}"
        return Person(
            first=first,
            last=last,
            full=full,
            address=f"{unique}@{self.domain}",
            private=f"{unique}@{self.rng.choice(PRIVATE_DOMAINS)}",
        )

    def some(self, count: int) -> list[Person]:
        return [self.one() for _ in range(count)]
