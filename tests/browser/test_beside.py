"""The app's look beside a site's: what that says of elements does not reach it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from .beside import FRAMEWORKS, STATES, WAYS, changed_styles, in_layer, keep_styles, put
from .conftest import Site, assert_accessible, shot, sign_in, write

QUESTION = "#org-invitations-dialog form"


def show_everything(page: Page, site: Site) -> None:
    """Open what is folded, have some addresses checked, and a question asked."""
    sign_in(page, site)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    write(page, "nobody; new@example.com; joe@gmial.com")
    expect(page.locator("#org-invitations-check table")).to_have_count(2)
    page.locator("#org-invitations-list a[href*='/change/']:visible").first.click()
    expect(page.locator(QUESTION)).to_be_visible()


@pytest.mark.parametrize("width", [320, 1280])
def test_frameworks_change_nothing_wherever_they_stand(
    new_context: Callable[..., BrowserContext],
    site: Site,
    width: int,
    subtests: pytest.Subtests,
) -> None:
    page = new_context(viewport={"width": width, "height": 900}).new_page()
    show_everything(page, site)
    page.evaluate("document.activeElement.blur()")  # whose outline is not seen, but may differ
    assert keep_styles(page) > 300
    for name, layer, text, place in WAYS:
        with subtests.test(name):
            put(page, in_layer(text, layer), place)
            assert changed_styles(page) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width
    for place in ("before", "after"):
        with subtests.test("attributes and states", place=place):
            put(page, STATES, place)
            # But for links that look like links: those may look as the site's.
            found = [line for line in changed_styles(page) if not re.match(r"A#[\w-]*\. ", line)]
            assert found == []


#: A rule of the site's, and what it is to reach.
OVERRIDES = [
    (".org-invitations { --oi-accent: rgb(1, 2, 3) }", "#org-invitations-submit"),
    (
        ".org-invitations .org-invitations-primary { background: rgb(1, 2, 3) }",
        "#org-invitations-submit",
    ),
    (
        ".org-invitations .org-invitations-button { background: rgb(1, 2, 3) }",
        "#org-invitations-search-submit",
    ),
    (".org-invitations textarea.wide { background: rgb(1, 2, 3) }", "textarea"),
    (".org-invitations h1 { background: rgb(1, 2, 3) }", "h1"),
    (".org-invitations-main { background: rgb(1, 2, 3) }", "main"),
    (".org-invitations { background: rgb(1, 2, 3) }", ".org-invitations"),
]


def test_what_a_site_says_of_the_app_wins_wherever_it_stands(
    ada: Page, subtests: pytest.Subtests
) -> None:
    ada.evaluate("document.querySelector('textarea').className = 'wide'")
    for rule, element in OVERRIDES:
        for place in ("before", "after"):
            with subtests.test(rule, place=place):
                put(ada, rule, place)
                background = ada.locator(element).first.evaluate(
                    "element => getComputedStyle(element).backgroundColor"
                )
                assert background == "rgb(1, 2, 3)"


PUT_IN = """() => {
    for (const place of [document.body, document.querySelector(".org-invitations")])
        place.insertAdjacentHTML("beforeend", `<div class="around">
            <label class="theirs form-label">A</label>
            <button class="theirs btn btn-primary">B</button>
            <h2 class="theirs">C</h2>
        </div>`);
}"""
LOOK_OF = "(element, names) => names.map((name) => getComputedStyle(element)[name])"


def test_what_a_site_puts_in_with_classes_of_its_own_is_its_own(
    ada: Page, subtests: pytest.Subtests
) -> None:
    ada.evaluate(PUT_IN)
    names = ["display", "marginBottom", "borderStyle", "backgroundColor", "fontFamily"]
    for framework, text in FRAMEWORKS.items():
        put(ada, text, "before")
        within, around = (
            ada.locator(f"{place} > .around > .theirs").all()
            for place in (".org-invitations", "body")
        )
        for one, other in zip(within, around, strict=True):
            with subtests.test(framework, element=one.inner_text()):
                # Headings have the app's own margins.
                wanted = [name for name in names if name[0] != "m" or one.inner_text() != "C"]
                looks = [each.evaluate(LOOK_OF, wanted) for each in (one, other)]
                assert looks[0] == looks[1]


ITS_LOOK = """element => {
    const styles = getComputedStyle(element);
    return { background: styles.backgroundColor, color: styles.color, font: styles.fontFamily };
}"""

A_SITES_PAGE = """scheme => {
    document.body.className = "";
    document.querySelector("[name=color-scheme]").content = scheme;
    document.documentElement.dataset.bsTheme = scheme;
    document.documentElement.style.background = "Canvas";
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_it_looks_right_in_a_site_with_a_framework(
    new_context: Callable[..., BrowserContext],
    site: Site,
    width: int,
    scheme: str,
    subtests: pytest.Subtests,
) -> None:
    page = new_context(viewport={"width": width, "height": 900}).new_page()
    sign_in(page, site)
    # A site's own page: its font comes in, and so does the scheme that it says it has.
    page.evaluate(A_SITES_PAGE, scheme)
    for name, text in FRAMEWORKS.items():
        with subtests.test(name):
            put(page, text, "before")
            button = page.locator("#org-invitations-submit").evaluate(ITS_LOOK)
            assert button["background"] not in ("rgba(0, 0, 0, 0)", button["color"])
            assert button["font"] == page.locator("body").evaluate(ITS_LOOK)["font"]
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            shot(page, f"beside-{name}-{width}-{scheme}")
            assert_accessible(page)
