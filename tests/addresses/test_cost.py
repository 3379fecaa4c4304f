"""What reading costs, counted in steps and not in seconds: as much as there is to read.

A step is a call of a function, Python's or C's, and each character that a pattern of the parser
may look at: a stand-in counts what each pattern is given. So neither a loop nor a pattern that goes
over the same text again and again stays unseen.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import product
from typing import Any

import pytest

from org_invitations.addresses import (
    TooManyRows,
    contacts,
    grids,
    parser,
    read_file,
    read_text,
    records,
)
from tests.effort import no_end_in_sight, work

#: Traced for coverage as well, it would take three times as long, and cover nothing more.
pytestmark = pytest.mark.no_cover

MODULES = (parser, grids, contacts, records)

#: Nothing that anybody means; each is hard on another rule of the parser.
WORST = [
    *("a@a,", "a@ ", "@", "<", "< ", "(", "( ", '"', '" ', '"a ', "\\", '"\\', '" \\,'),
    *("[", "[a](", "](", "a ", "a@b,c ", "a\u200b", "\u200b", "é", "a@é.", '"<', "at ", "''"),
    *("a", "a@", "a.", ".", "-", "<a ", "(a", "\\ ", "\u200f@ "),
    *("\t", "\r", "\n", "a\n", " ", ",", ";", "|", "=", "E=", "a=", "mailto:", "1. ", "<a@b> "),
    *("ATTENDEE:", "EMAIL;", "email,", "email\n", "sep=,\n", 'a,"', '"\n', "a;b\n"),
    *("a@x.org;b\n", "dn: a\n", "BEGIN:VCARD\n", "name,email\n", "email,a\n\nmail,a\n\n"),
    *("#\n", "email: a\n", "email: a\nb: c\n", '{"email":"a"}\n', "[", '{"a":', "<td"),
    "<td>email",
    *("email --\n-- --\n", "email\n-- --\na  b\n", "ATTENDEE;CN=a:b\n", "a=\r\n"),
]


class Counting:
    """A pattern that counts what it may look at."""

    def __init__(self, pattern: re.Pattern[str], count: Callable[[int], None]) -> None:
        self.pattern = pattern
        self.count = count

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        self.count(len(text))
        return self.pattern.finditer(text)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.pattern, name)
        if not callable(method):
            return method

        def counted(*arguments: Any, **more: Any) -> Any:
            text = next(argument for argument in reversed(arguments) if isinstance(argument, str))
            spans = [argument for argument in arguments if isinstance(argument, int)]
            self.count(spans[-1] - spans[0] if len(spans) > 1 else len(text))
            return method(*arguments, **more)

        return counted


@contextmanager
def counting() -> Iterator[Callable[[], int]]:
    """Put stand-ins in the place of all patterns; gives what they were given so far."""
    seen = 0

    def count(length: int) -> None:
        nonlocal seen
        seen += 1 + length

    with pytest.MonkeyPatch.context() as patch:
        for module in MODULES:
            for name, value in vars(module).items():
                if isinstance(value, re.Pattern):
                    patch.setattr(module, name, Counting(value, count))
        yield lambda: seen


def steps(text: str, *, file: bool = False) -> int:
    """How many steps it takes to read a text, or to find that it is too much."""

    def read() -> None:
        with suppress(TooManyRows, ValueError):
            if file:
                read_file(text.encode())
            else:
                read_text(text)

    with counting() as seen:
        return work(read) + seen()


def people(size: int) -> str:
    """So many characters of addresses, a line each: ten thousand of them, or fewer."""
    length = max(size // 10_000, 60)
    name, domain = "somebody.of.a.long.name", "department.example.org"
    lines = (f"{name}{number:05}@{domain}" for number in range(size // length))
    return "\n".join(line.rjust(length - 1) for line in lines) + "\n"


def test_twice_the_text_is_twice_the_work(subtests: pytest.Subtests) -> None:
    for part in WORST:
        with subtests.test(part=part):
            # Both are below what is too much, so all of it is read.
            few, many = (steps((part * size)[:size]) for size in (1_000, 3_000))
            assert many <= 4 * few + 1_000, f"{few} steps, then {many}"


@pytest.mark.exhaustive
@pytest.mark.parametrize("file", [False, True], ids=["text", "file"])
def test_the_worst_kind_costs_no_more_than_three_times_as_many_addresses(file: bool) -> None:
    size = 200_000
    allowed = 3 * steps(people(size), file=file)
    dear = {part: steps((part * size)[:size], file=file) for part in WORST}
    assert {part: cost for part, cost in dear.items() if cost > allowed} == {}, allowed


@pytest.mark.exhaustive
def test_nor_does_anything_at_random() -> None:
    chance = random.Random(20261126)
    size = 200_000
    allowed = 3 * steps(people(size))
    for _ in range(12):
        parts = chance.sample(WORST, 3)
        text = ("".join(parts) * (size // sum(map(len, parts)) + 1))[:size]
        assert steps(text) <= allowed, parts


@pytest.mark.exhaustive
def test_of_no_long_text_is_the_same_tried_again_and_again(subtests: pytest.Subtests) -> None:
    """Which makes no more steps as they are counted here, but takes minutes."""
    size = 250_000
    for start, part in product(("", "x@", "email,x\n"), WORST):
        with subtests.test(start=start, part=part), no_end_in_sight(30), suppress(TooManyRows):
            read_text((start + part * size)[:size])
