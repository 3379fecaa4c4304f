"""Stylesheets of sites, put beside the app's own on a page that is open."""

from __future__ import annotations

from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page

HERE: Final = Path(__file__).with_name("frameworks")

#: What sites really have, as it is published.
FRAMEWORKS: Final = {
    "bootstrap": (
        files("django_include_bootstrap").joinpath("static/css/bootstrap.css").read_text()
    ),
    "tailwind3": (HERE / "tailwind3.css").read_text(),
    "tailwind4": (HERE / "tailwind4.css").read_text(),
}

#: Rules that speak of elements with an attribute or a state, as other stylesheets have them.
STATES: Final = """
a:link, a:hover, a:not([rel]) { color: red; text-decoration: underline wavy; }
[type="submit"], button:not(:disabled) { background: none; border: 0; margin: 1rem; width: 100%; }
input:not([type="hidden"]), [type="checkbox"] { appearance: none; background: #000; height: 5rem; }
select:focus, textarea:enabled { background: #000; border-radius: 0; padding: 0; }
"""

#: Every way to put one beside the app's: its name, its text, and whether it comes first.
WAYS: Final = [
    (f"{name}, {layer or 'in no layer'}, {place}", layer, text, place)
    for (name, text), layer, place in product(
        FRAMEWORKS.items(), ("", "in a layer"), ("before", "after")
    )
]

_PUT = """([url, place]) => new Promise((done, fail) => {
    document.getElementById("beside")?.remove();
    const link = Object.assign(document.createElement("link"), {
        id: "beside", rel: "stylesheet", href: url, onload: done, onerror: fail,
    });
    document.head[place === "before" ? "prepend" : "append"](link);
})"""

#: What comes in because it is inherited from the site's page, and is to.
INHERITED: Final = ["tab-size", "text-size-adjust", "-webkit-tap-highlight-color"]

#: Keeps all computed styles of the app's elements, or tells what has another one since.
_STYLES = """([keep, inherited]) => {
    const counts = (name) => !name.startsWith("--") && !inherited.includes(name);
    const named = (all) => [...all].filter(counts);
    // But for the definitions of icons, which are not drawn themselves.
    const ours = ".org-invitations :not(.org-invitations-icons, .org-invitations-icons *)";
    const styles = [...document.querySelectorAll(ours)].map((element) => {
        const all = getComputedStyle(element);
        return [element, new Map(named(all).map((name) => [name, all.getPropertyValue(name)]))];
    });
    if (keep) return (window.kept = styles).length;
    return styles.flatMap(([{ tagName, id, className }, all], number) =>
        [...window.kept[number][1]]
            .filter(([name, value]) => all.get(name) !== value)
            .map(([name, value]) =>
                `${tagName}#${id}.${className} ${name}: ${value} -> ${all.get(name)}`));
}"""


def put(page: Page, text: str, place: str = "after") -> None:
    """Give the page one more stylesheet of the site's, instead of the one put before."""
    url = "/static/beside.css"
    page.unroute_all()
    page.route(f"**{url}*", lambda route: route.fulfill(body=text, content_type="text/css"))
    page.evaluate(_PUT, [f"{url}?{hash((text, place))}", place])
    page.evaluate("for (const one of document.getAnimations()) one.finish()")


def in_layer(text: str, layer: str) -> str:
    """Put a stylesheet into a layer, or leave it as it is."""
    return f"@layer framework {{ {text} }}" if layer else text


def keep_styles(page: Page) -> int:
    """Remember all computed styles of the app's elements; return how many elements there are."""
    return int(page.evaluate(_STYLES, [True, INHERITED]))


def changed_styles(page: Page) -> list[str]:
    """Tell which element has another style now than was kept: which one, what it was and is."""
    found: list[Any] = page.evaluate(_STYLES, [False, INHERITED])
    return [str(line) for line in found]
