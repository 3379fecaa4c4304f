"""The frame of the emulator's pages, and pieces of them. Everything put in is escaped here."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape

from .wire import EmulatorResponse

STYLE = """
:root { color-scheme: light dark; --ink: #1d1b26; --dim: #6a6775; --line: #dcdae3;
  --paper: #f7f6fa; --card: #fff; --accent: #5b3fd6; --on-accent: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #eceaf4; --dim: #a5a1b3;
  --line: #3a3746; --paper: #17151e; --card: #211f2a; --accent: #a896ff; --on-accent: #17151e; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
main { max-width: 34rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1rem; margin: 2rem 0 .5rem; }
p { margin: .5rem 0; }
a { color: var(--accent); }
.note, .dim { color: var(--dim); }
.note { font-size: .875rem; margin-bottom: 1.5rem; }
ul.rows { list-style: none; margin: 0; padding: 0; background: var(--card);
  border: 1px solid var(--line); border-radius: .75rem; overflow: hidden; }
ul.rows > li + li { border-top: 1px solid var(--line); }
.row { display: block; width: 100%; padding: .75rem 1rem; border: 0; background: none;
  color: inherit; font: inherit; text-align: left; text-decoration: none; cursor: pointer; }
.row:hover { background: color-mix(in srgb, var(--accent) 10%, transparent); }
.row span { display: block; font-size: .875rem; color: var(--dim); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .75rem;
  padding: 1rem 1.25rem; }
.button { display: inline-block; margin: 1rem 0 .5rem; padding: .6rem 1.1rem; border: 0;
  border-radius: .5rem; background: var(--accent); color: var(--on-accent); font: inherit;
  font-weight: 600; text-decoration: none; cursor: pointer; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
input { width: 100%; padding: .5rem .75rem; border: 1px solid var(--line); border-radius: .5rem;
  background: var(--card); color: inherit; font: inherit; }
pre { overflow-x: auto; padding: 1rem; border: 1px solid var(--line); border-radius: .75rem;
  background: var(--card); font-size: .8125rem; white-space: pre-wrap; }
summary { cursor: pointer; margin: 1rem 0 .5rem; }
"""


def page(title: str, content: str, status: int = 200) -> EmulatorResponse:
    """A whole page; ``content`` is HTML, ``title`` is text."""
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="data:,">'
        f"<title>{escape(title)} · Clerk emulator</title><style>{STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{content}</main></body></html>"
    )
    headers = [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Cache-Control", "no-store"),
        # The address of a page may hold a ticket.
        ("Referrer-Policy", "strict-origin"),
    ]
    return EmulatorResponse(status, headers, text.encode())


def paragraph(text: str, css_class: str = "") -> str:
    attribute = f' class="{css_class}"' if css_class else ""
    return f"<p{attribute}>{escape(text)}</p>"


def link(url: str, text: str, css_class: str = "") -> str:
    attribute = f' class="{css_class}"' if css_class else ""
    return f'<a{attribute} href="{escape(url)}">{escape(text)}</a>'


def row_link(url: str, text: str, detail: str) -> str:
    return (
        f'<li><a class="row" href="{escape(url)}">{escape(text)}'
        f"<span>{escape(detail)}</span></a></li>"
    )


def row_button(name: str, value: str, text: str, detail: str) -> str:
    return (
        f'<li><button class="row" name="{escape(name)}" value="{escape(value)}">'
        f"{escape(text)}<span>{escape(detail)}</span></button></li>"
    )


def rows(items: list[str]) -> str:
    return f'<ul class="rows">{"".join(items)}</ul>'


def hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'


def field(name: str, label: str, value: str = "", *, locked: bool = False) -> str:
    """A text field with its label; one that is locked is shown, and not sent."""
    tail = " disabled" if locked else ""
    return (
        f'<p><label>{escape(label)} <input name="{escape(name)}" value="{escape(value)}"{tail}>'
        "</label></p>"
    )


def button(text: str) -> str:
    return f'<button class="button">{escape(text)}</button>'


def moment(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%d %b %Y, %H:%M UTC")
