"""What people with a screen reader, a keyboard, large text or few colours have before them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

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


def looks_of(state: str) -> list[Look]:
    """All of them, or the two that the seed draws for a state."""
    if sampling.FULL:
        return LOOKS
    return random.Random(f"{sampling.SEED} {state}").sample(LOOKS, 2)


@pytest.fixture(autouse=True)
def _mounted(site: Site, settings: Any) -> None:
    settings.ORG_INVITATIONS_JOIN_URL = f"{site.url}/join/"


@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing(
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
