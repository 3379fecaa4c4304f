"""What people with a screen reader, a keyboard, large text or few colours have before them."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page

from tests import sampling

from .conftest import Site, shot
from .states import STATES


@dataclass(frozen=True)
class Look:
    """How a page is looked at: text at 200 % is that of whoever has set it in the browser."""

    scheme: str
    direction: str
    width: int
    text: int

    def __str__(self) -> str:
        return f"{self.scheme} {self.direction} {self.width} {self.text} %"

    def show(self, page: Page) -> None:
        """Look at a page, as it is now, in this way."""
        page.set_viewport_size({"width": self.width, "height": 900})
        page.emulate_media(color_scheme="dark" if self.scheme == "dark" else "light")
        page.evaluate(
            """([direction, text]) => {
                document.documentElement.dir = direction;
                document.documentElement.style.fontSize = `${text}%`;
            }""",
            [self.direction, self.text],
        )


LOOKS: Final = [
    Look(*parts) for parts in product(("light", "dark"), ("ltr", "rtl"), (1280, 320), (100, 200))
]

#: What axe leaves open: its rule, what it says of it, why it does, and the contrast that decides.
#: What is not here fails.
OPEN: Final = [
    (
        "color-contrast",
        "partially overlaps other elements",
        "the dialog is over the list; what is in it stands on its own ground, which is opaque",
        4.5,
    ),
    (
        "color-contrast",
        "only non-text characters",
        "the arrow of the column that is sorted by is a drawing; aria-sort says it, too",
        3.0,
    ),
]

#: The contrast of an element's text with the ground it stands on, by the colours as painted.
CONTRAST: Final = """(selector) => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const rgba = (colour) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const luminance = (colour) => {
        const [r, g, b] = rgba(colour).slice(0, 3).map((value) => value / 255)
            .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const style = (element) => getComputedStyle(element);
    const element = document.querySelector(selector);
    let ground = element;
    while (rgba(style(ground).backgroundColor)[3] < 255) ground = ground.parentElement;
    const both = [style(element).color, style(ground).backgroundColor].map(luminance);
    return (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
}"""


#: What somebody aims at and is too small for it. Of a box in a label the label is aimed at, and
#: links within a text are as large as the text is (WCAG 2.2, 2.5.8).
SMALL: Final = """(least) => [...document.querySelectorAll(
        ".org-invitations :is(a, button, input, select, textarea, summary)")]
    .filter((e) => e.checkVisibility({ visibilityProperty: true }) && e.type !== "hidden")
    .filter((e) => getComputedStyle(e).display !== "inline" || !e.closest("p, li, td"))
    .map((e) => {
        const boxes = [e, ...(e.labels ?? [])].map((one) => one.getBoundingClientRect());
        const largest = (side) => Math.max(...boxes.map((box) => box[side]));
        const [width, height] = [largest("width"), largest("height")];
        return [`${e.outerHTML.slice(0, 120)} ${width} × ${height}`, width, height];
    })
    .filter(([, width, height]) => width < 24 || height < least).map(([line]) => line)"""


def looks_of(state: str) -> list[Look]:
    """All of them, or the one that the seed draws for a state."""
    if sampling.FULL:
        return LOOKS
    return random.Random(f"{sampling.SEED} {state}").sample(LOOKS, 1)


@pytest.fixture(autouse=True)
def _mounted(request: pytest.FixtureRequest, site: Site, settings: Any) -> None:
    settings.ORG_INVITATIONS_JOIN_URL = f"{site.url}/join/"
    params = getattr(request.node, "callspec", None)
    if params and params.params.get("state") in ("progress", "paused"):
        settings.ORG_INVITATIONS_BACKGROUND = True


@pytest.mark.full
@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing_and_what_is_aimed_at_is_large_enough(
    request: pytest.FixtureRequest, page: Page, site: Site, state: str
) -> None:
    STATES[state](page, site)
    page.emulate_media(reduced_motion="reduce")
    bad: list[str] = []
    for look in looks_of(state):
        look.show(page)
        shot(page, f"state-{state}-{look}".replace(" ", "-").replace("%", ""))
        found = Axe().run(page).response
        here = [line for _, line in _nodes(found["violations"])]
        left_open = _nodes(found["incomplete"])
        here += [line for target, line in left_open if not _is_decided(page, target, line)]
        if look.text == 100:
            here += [f"small: {line}" for line in page.evaluate(SMALL, 24)]
        if (look.width, look.text) != (320, 200):  # it would be one of 160 pixels
            wide = page.evaluate("document.documentElement.scrollWidth")
            here += [f"{wide} pixels wide"] if wide > look.width else []
        bad += [f"{look}: {line}" for line in here]
        cell = ("Axe: found, left open and decided", state, str(look))
        text = f"{len(here)}, {len(left_open)}"
        request.node.user_properties.append(("cell", (*cell, text)))
    assert not bad, "\n".join(bad)


def _nodes(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Each element that axe has something to say of: where it is, and what it says."""
    return [
        (
            node["target"][0],
            f"{one['id']}: {node['html'][:160]}: "
            + "; ".join(check["message"] for check in (*node["any"], *node["all"], *node["none"])),
        )
        for one in found
        for node in one["nodes"]
    ]


def _is_decided(page: Page, target: str, line: str) -> bool:
    return any(
        line.startswith(f"{rule}:") and said in line and page.evaluate(CONTRAST, target) >= least
        for rule, said, _, least in OPEN
    )


# --- Sizes, colours, movement --------------------------------------------------------------------


@pytest.mark.full
@pytest.mark.parametrize("state", STATES if sampling.FULL else ["menu", "resend", "join"])
def test_what_is_touched_is_larger(
    new_context: Callable[..., BrowserContext], site: Site, state: str
) -> None:
    page = new_context(
        viewport={"width": 320, "height": 900}, has_touch=True, is_mobile=True
    ).new_page()
    STATES[state](page, site)
    small = page.evaluate(SMALL, 44)
    assert not small, "\n".join(small)


def test_nothing_moves_for_who_wants_that(page: Page, site: Site) -> None:
    STATES["bulk question"](page, site)
    moving = """[...document.querySelectorAll(".org-invitations, .org-invitations *")]
        .filter((e) => [null, "::before", "::after", "::backdrop"].some((part) => {
            const style = getComputedStyle(e, part);
            const lasts = (times) => times.split(",").some((time) => parseFloat(time) > 0.01);
            const isAnimated = style.animationName !== "none" && lasts(style.animationDuration);
            return isAnimated || lasts(style.transitionDuration);
        })).map((e) => e.className)"""
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(moving) == []


@pytest.mark.parametrize("state", ["pending", "menu", "form refused", "selected", "resend"])
def test_with_forced_colours_all_that_is_aimed_at_has_an_edge(
    page: Page, site: Site, state: str
) -> None:
    page.emulate_media(forced_colors="active")
    STATES[state](page, site)
    unseen = page.evaluate(
        """[...document.querySelectorAll(
               ".org-invitations :is(.org-invitations-button, select, textarea, [type=search])")]
           .filter((e) => e.checkVisibility())
           .filter((e) => {
               const style = getComputedStyle(e);
               const edge = style.borderTopStyle !== "none" && parseFloat(style.borderTopWidth) > 0;
               return !edge || style.borderTopColor === style.backgroundColor;
           }).map((e) => e.outerHTML.slice(0, 120))"""
    )
    assert unseen == []
    shot(page, f"forced-{state}".replace(" ", "-"))


# --- What a screen reader is told ----------------------------------------------------------------


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("state", ["pending", "expired", "check", "outcome"])
def test_tables_are_tables_on_every_screen(page: Page, site: Site, state: str, width: int) -> None:
    """As many cells as headers in every row, by the tree that a screen reader has."""
    page.set_viewport_size({"width": width, "height": 900})
    STATES[state](page, site)
    tables = page.get_by_role("table").all()
    assert tables
    for table in tables:
        heads = table.get_by_role("columnheader").count()
        rows = table.get_by_role("row").all()
        assert heads >= 2
        assert len(rows) >= 2
        for row in rows[1:]:
            assert row.get_by_role("rowheader").count() == 1
            assert row.get_by_role("cell").count() == heads - 1


#: The states whose trees are kept, to be read and compared, and which part of the page: ``trees/``.
KEPT: Final = {
    "pending": ".org-invitations",
    "form refused": "#org-invitations-form",
    "check": "#org-invitations-form",
    "outcome": "#org-invitations-outcome",
    "menu": "tbody tr",
    "selected": ".org-invitations-selection",
    "revoke": "dialog",
    "change refused": "dialog",
    "link": "dialog",
    "503": ".org-invitations",
    "chooser": ".org-invitations",
    "join": ".org-invitations",
}
TREES: Final = Path(__file__).with_name("trees")
DATE: Final = (
    r"\b(Jan|Feb|Mar|Apr|May|June?|July?|Aug|Sept?|Oct|Nov|Dec)[a-z]*\.? \d+(, \d{4})?"
    r"|\b(in )?\d+ (minute|hour|day|week|month)s?( ago)?|\btoday\b"
    r"|\b\d+(:\d\d)? [ap]\.m\.|\b(midnight|noon)\b"
)


@pytest.mark.parametrize("state", KEPT)
def test_the_tree_is_as_it_was_read(page: Page, site: Site, state: str) -> None:
    """What a screen reader has before it. ``TREES=write`` writes them, for people to read."""
    STATES[state](page, site)
    page.evaluate(
        "document.querySelectorAll('tbody tr:nth-child(n + 4)').forEach((e) => e.remove())"
    )
    tree = page.locator(KEPT[state]).first.aria_snapshot()
    for changing, word in ((r"(/url: )\S*", r"\1…"), (DATE, "DATE"), (r"http:\S*", "http:…")):
        tree = re.sub(changing, word, tree)
    file = TREES / f"{state.replace(' ', '-')}.yaml"
    if os.environ.get("TREES") == "write":
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"{tree}\n")
    assert tree == file.read_text().rstrip("\n")
