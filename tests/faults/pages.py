"""An answer of the site, read as a person reads it: messages, tables, forms."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset(
    {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
)
_UNSEEN = frozenset({"script", "style", "template"})
_SPACE = re.compile(r"\s+")

#: Elements that say something to the person, by class.
_SPEAKING = frozenset(
    f"org-invitations-{name}" for name in ("summary", "notice", "message", "sentence", "problem")
)


@dataclass
class Element:
    """An element of a page."""

    tag: str
    attributes: dict[str, str]
    parent: Element | None = None
    children: list[Element | str] = field(default_factory=list)

    @property
    def classes(self) -> set[str]:
        return set(self.attributes.get("class", "").split())

    @property
    def text(self) -> str:
        """All words in it, with single spaces."""
        return _SPACE.sub(" ", "".join(self._words())).strip()

    def _words(self) -> list[str]:
        words: list[str] = []
        for child in self.children:
            if isinstance(child, str):
                words.append(child)
            elif child.tag not in _UNSEEN:
                words += child._words()
                if child.tag not in ("bdi", "strong", "span", "a", "time", "b", "em"):
                    words.append(" ")
        return words

    def find_all(self, *tags: str) -> list[Element]:
        found = []
        for child in self.children:
            if isinstance(child, Element):
                if child.tag in tags:
                    found.append(child)
                found += child.find_all(*tags)
        return found

    def walk(self) -> list[Element]:
        found = [self]
        for child in self.children:
            if isinstance(child, Element):
                found += child.walk()
        return found


@dataclass(frozen=True)
class Control:
    """Something of a form that is sent along."""

    name: str
    kind: str
    value: str
    #: Whether it is sent as it stands; buttons are not.
    is_sent: bool


@dataclass
class Form:
    """A form as it would be sent."""

    action: str
    controls: list[Control]

    def values(self, name: str) -> list[str]:
        return [c.value for c in self.controls if c.name == name and c.is_sent]

    def data(self, changes: dict[str, str | list[str] | None]) -> list[tuple[str, str]]:
        """What is sent: what is in it, with some fields filled in otherwise, or left out."""
        pairs = [(c.name, c.value) for c in self.controls if c.is_sent and c.name not in changes]
        for name, value in changes.items():
            values = [value] if isinstance(value, str) else value or []
            pairs += [(name, one) for one in values]
        return pairs


@dataclass(frozen=True)
class Row:
    """A row of a table: what the table is called, and the text of each cell."""

    caption: str
    cells: tuple[str, ...]


class Page:
    """A page or a fragment of one."""

    def __init__(self, html: str) -> None:
        builder = _Builder()
        builder.feed(html)
        builder.close()
        self.root = builder.root
        self._all = self.root.walk()

    @property
    def text(self) -> str:
        return self.root.text

    @property
    def ids(self) -> set[str]:
        return {e.attributes["id"] for e in self._all if e.attributes.get("id")}

    @property
    def classes(self) -> set[str]:
        return {name for element in self._all for name in element.classes}

    @property
    def state(self) -> str:
        """In which state an invitation is for whom it is; empty on other pages."""
        states = [e.attributes["data-state"] for e in self._all if "data-state" in e.attributes]
        return states[0] if states else ""

    @property
    def links(self) -> list[str]:
        return [e.attributes["href"] for e in self._all if e.attributes.get("href")]

    @property
    def notices(self) -> list[str]:
        """What is said apart from the content itself: messages, alerts, summaries of errors."""
        speaking = [e for e in self._all if _speaks(e) and not _speaks_above(e)]
        return [element.text for element in speaking if element.text]

    @property
    def rows(self) -> list[Row]:
        """The rows of the tables that have a caption of their own."""
        rows = []
        for table in self.root.find_all("table"):
            caption = next((c.text for c in table.find_all("caption")), "")
            for row in table.find_all("tr"):
                cells = tuple(cell.text for cell in row.find_all("th", "td"))
                if row.parent is not None and row.parent.tag != "thead":
                    rows.append(Row(re.sub(r"\s*\d+$", "", caption), cells))
        return rows

    @property
    def forms(self) -> list[Form]:
        return [_read_form(e) for e in self.root.find_all("form")]

    @property
    def controls(self) -> list[Control]:
        """What is in the forms, and outside of any."""
        return _read_controls(self.root)

    def form(self, ending: str) -> Form:
        """The first form that is sent to a path of this ending; the query does not count."""
        for form in self.forms:
            if form.action.partition("?")[0].endswith(ending):
                return form
        raise LookupError(f"no form to …{ending}")


def _speaks(element: Element) -> bool:
    if element.attributes.get("role") in ("alert", "status") or element.classes & _SPEAKING:
        return True
    # A page that has nothing but a problem to tell: its paragraphs tell it.
    above = element.parent.parent if element.parent is not None else None
    if element.tag == "h1" and element.parent is not None:
        return "org-invitations-join" in element.parent.classes  # how it stands, in one line
    return element.tag == "p" and above is not None and "org-invitations-narrow" in above.classes


def _speaks_above(element: Element) -> bool:
    above = element.parent
    while above is not None:
        if _speaks(above):
            return True
        above = above.parent
    return False


def _read_form(element: Element) -> Form:
    return Form(element.attributes.get("action", ""), _read_controls(element))


def _read_controls(root: Element) -> list[Control]:
    controls = []
    for element in root.walk():
        name = element.attributes.get("name", "")
        if element.tag == "textarea":
            text = "".join(c for c in element.children if isinstance(c, str)).removeprefix("\n")
            controls.append(Control(name, "textarea", text, is_sent=bool(name)))
        elif not name:
            continue
        elif element.tag == "select":
            options = element.find_all("option")
            chosen = [o for o in options if "selected" in o.attributes] or options[:1]
            for option in chosen:
                value = option.attributes.get("value", option.text)
                controls.append(Control(name, "select", value, is_sent=True))
        elif element.tag == "button":
            value = element.attributes.get("value", "")
            controls.append(Control(name, "button", value, is_sent=False))
        elif element.tag == "input":
            kind = element.attributes.get("type", "text")
            ticks = kind in ("checkbox", "radio")
            is_sent = "checked" in element.attributes if ticks else kind not in ("submit", "file")
            value = element.attributes.get("value", "on" if ticks else "")
            controls.append(Control(name, kind, value, is_sent=is_sent))
    return controls


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self._open = self.root

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, self._open)
        self._open.children.append(element)
        if tag not in _VOID:
            self._open = element

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self._open.children.append(Element(tag, attributes, self._open))

    def handle_endtag(self, tag: str) -> None:
        element: Element | None = self._open
        while element is not None and element.tag != tag:
            element = element.parent
        if element is not None and element.parent is not None:
            self._open = element.parent

    def handle_data(self, data: str) -> None:
        self._open.children.append(data)
