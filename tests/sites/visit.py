"""What a person asks of a site without JavaScript, and htmx with it: each a request or two."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import requests

from org_invitations.emulator import Emulator

LISTED = {"HX-Request": "true", "HX-Target": "org-invitations-list"}
FORM = {"HX-Request": "true", "HX-Target": "org-invitations-form"}

#: Seconds after which an answer does not come any more.
PATIENCE = 60

Fields = list[tuple[str, str]]


class Wrong(Exception):
    """An answer is not what it should be."""


class Skipped(Exception):
    """Something is not there that the site needs: which."""


class Visitor:
    """Somebody with cookies before a site, who looks at each answer.

    :param url: where the site listens.
    :param origin: what the browser thinks it is, where a proxy stands in between.
    :param base: the path of the list.
    """

    def __init__(
        self, url: str, origin: str, base: str, clerk: Emulator, headers: dict[str, str]
    ) -> None:
        self.url = url
        self.origin = origin
        self.base = base
        self.clerk = clerk
        self.headers = headers
        self.cookies: dict[str, str] = {}
        self.asked: list[str] = []

    def sign_in(self, user: str = "ada@acme.test", **order: Any) -> None:
        """Have the cookies of a session at Clerk."""
        self.cookies |= self.clerk.session_cookies(user, **{"lifetime": 3600} | order)

    def let_expire(self) -> None:
        """Have the cookies of a session whose token is too old, and nothing to trade it for."""
        self.sign_in(lifetime=60, issued_ago=3600)
        self.cookies = {k: v for k, v in self.cookies.items() if not k.startswith("__refresh")}

    def ask(
        self,
        path: str,
        status: int,
        data: Fields | None = None,
        *,
        headers: dict[str, str] | None = None,
    ) -> requests.Response:
        """Make a request; it must be answered with this status."""
        method = "GET" if data is None else "POST"
        browser = {"Accept": "text/html", "Referer": f"{self.origin}{self.base}"}
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = requests.request(
            method,
            urljoin(self.url, path),
            data=data,
            headers={**browser, **self.headers, "Cookie": cookies, **(headers or {})},
            allow_redirects=False,
            timeout=PATIENCE,
        )
        for line in answer.raw.headers.getlist("Set-Cookie"):
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        self.asked.append(f"{method} {path}")
        if answer.status_code != status:
            raise Wrong(f"{method} {path}: {answer.status_code}, not {status}: {_gist(answer)}")
        return answer

    def fill_in(self, page: requests.Response, action: str, /, **values: str | list[str]) -> Fields:
        """Return the fields of the form on a page that leads to an action, with these values."""
        forms = Forms.on(page.text)
        fields = next((f for to, f in forms if urlsplit(to).path.endswith(action)), None)
        if fields is None:
            raise Wrong(f"no form that leads to …{action} on {page.url}")
        kept = [(name, value) for name, value in fields if name not in values]
        for name, value in values.items():
            kept += [(name, one) for one in ([value] if isinstance(value, str) else value)]
        return kept

    def pending(self, organization: str) -> list[str]:
        """Return the addresses of an organization's pending invitations."""
        return [row.email_address for row in self.clerk.invitations(organization, "pending")]


class Forms(HTMLParser):
    """Finds the forms of a page, with what a browser would send."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, Fields]] = []
        self._area: str | None = None
        self._select: str | None = None
        self._text = ""

    @classmethod
    def on(cls, text: str) -> list[tuple[str, Fields]]:
        """Return the action and the fields of each form that is posted."""
        parser = cls()
        parser.feed(text)
        return parser.found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = {name: value or "" for name, value in attrs}
        name = at.get("name", "")
        if tag == "form" and at.get("method", "").lower() == "post":
            self.found.append((at.get("action", ""), []))
        elif not self.found:
            return
        elif tag == "input" and name and at.get("type") not in ("submit", "file", "button"):
            if at.get("type") not in ("checkbox", "radio") or "checked" in at:
                self.found[-1][1].append((name, at.get("value", "on")))
        elif tag == "textarea":
            self._area, self._text = name, ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in at:
            self.found[-1][1].append((self._select, at.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._area and self.found:
            self.found[-1][1].append((self._area, self._text.removeprefix("\n")))
            self._area = None
        elif tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        self._text += data


def signed_out(visitor: Visitor) -> None:
    """A signed-out person is sent to Clerk and back once, then led to sign in, and back."""
    place = f"{visitor.origin}{visitor.base}"
    for _ in range(4):
        if place.startswith(visitor.origin):
            status = 303 if "__clerk_db_jwt" in visitor.cookies else 307
            answer = visitor.ask(place.removeprefix(visitor.origin), status)
        else:
            answer = requests.get(place, allow_redirects=False, timeout=PATIENCE)
        place = answer.headers["Location"]
        if answer.status_code == 303:
            break
    query = parse_qs(urlsplit(place).query)
    if query.get("redirect_url") != [f"{visitor.origin}{visitor.base}"]:
        raise Wrong(f"led to {place}")
    visitor.cookies.clear()


def expired(visitor: Visitor) -> None:
    """A page load with an expired token is sent to Clerk and back."""
    visitor.let_expire()
    answer = visitor.ask(visitor.base, 307, headers={"Sec-Fetch-Dest": "document"})
    if "/v1/client/handshake" not in answer.headers["Location"]:
        raise Wrong(f"sent to {answer.headers['Location']}")
    visitor.cookies.clear()


def forbidden(visitor: Visitor) -> None:
    """A member who may not manage the members sees nothing."""
    visitor.sign_in("max@acme.test", organization="acme")
    answer = visitor.ask(visitor.base, 403)
    if visitor.pending("acme")[0] in answer.text:
        raise Wrong("somebody who may not sees the list")
    visitor.cookies.clear()


def listed(visitor: Visitor) -> None:
    """The list, private to who asked."""
    answer = visitor.ask(visitor.base, 200)
    for wanted in ("Acme", visitor.pending("acme")[-1], "csrfmiddlewaretoken"):
        if wanted not in answer.text:
            raise Wrong(f"no {wanted!r} on the page")
    kept = answer.headers.get("Cache-Control", "")
    if "private" not in kept or "no-store" not in kept:
        raise Wrong(f"Cache-Control: {kept!r}")
    if "HX-Request" not in answer.headers.get("Vary", ""):
        raise Wrong(f"Vary: {answer.headers.get('Vary')!r}")
    if "INVALID" in answer.text:
        at = answer.text.index("INVALID")
        raise Wrong(f"a template names what no view sets: {answer.text[at - 80 : at + 80]!r}")


def files(visitor: Visitor) -> None:
    """The page's own styles and scripts are there."""
    page = visitor.ask(visitor.base, 200)
    found = re.findall(r'(?:href|src)="([^"]+\.(?:css|js))"', page.text)
    if len(found) < 3:
        raise Wrong(f"the page names {found}")
    for path in found:
        visitor.ask(path, 200)


def searched(visitor: Visitor) -> None:
    """Another state of the list, as a fragment."""
    answer = visitor.ask(f"{visitor.base}?q=a&sort=-address", 200, headers=LISTED)
    if "<html" in answer.text or "org-invitations-list" not in answer.text:
        raise Wrong(f"no fragment: {_gist(answer)}")


def paged(visitor: Visitor) -> None:
    """The second page, and expired invitations."""
    first = visitor.ask(visitor.base, 200).text
    if visitor.ask(f"{visitor.base}?page=2", 200).text == first:
        raise Wrong("the second page is the first one")
    visitor.ask(f"{visitor.base}?status=expired", 200)


def exported(visitor: Visitor) -> None:
    """The whole list as CSV."""
    answer = visitor.ask(f"{visitor.base}export/", 200)
    if len(answer.text.splitlines()) <= len(visitor.pending("acme")):
        raise Wrong(f"only {len(answer.text.splitlines())} lines")


def mistaken(visitor: Visitor) -> None:
    """What is no address stays in the form."""
    page = visitor.ask(visitor.base, 200)
    typed = visitor.fill_in(page, "/invite/", email_addresses="nobody", role="org:member")
    if "nobody" not in visitor.ask(f"{visitor.base}invite/", 422, typed).text:
        raise Wrong("what was typed is gone")


def invited(visitor: Visitor) -> None:
    """One is invited."""
    page = visitor.ask(visitor.base, 200)
    typed = visitor.fill_in(page, "/invite/", email_addresses="one@example.com", role="org:member")
    answer = visitor.ask(f"{visitor.base}invite/", 303, typed)
    back = urljoin(f"{visitor.origin}{visitor.base}", answer.headers["Location"])
    if urlsplit(back).path != visitor.base:
        raise Wrong(f"it leads to {back}")
    visitor.ask(visitor.base, 200)
    if "one@example.com" not in visitor.pending("acme"):
        raise Wrong("nobody was invited")


def invited_with_htmx(visitor: Visitor) -> None:
    """One is invited without leaving the page."""
    page = visitor.ask(visitor.base, 200)
    typed = visitor.fill_in(page, "/invite/", email_addresses="two@example.com", role="org:member")
    if "<html" in visitor.ask(f"{visitor.base}invite/", 200, typed, headers=FORM).text:
        raise Wrong("a page instead of a fragment")
    if "two@example.com" not in visitor.pending("acme"):
        raise Wrong("nobody was invited")


def invited_many(visitor: Visitor) -> None:
    """Many are checked first, then invited; the outcome can be read."""
    page = visitor.ask(visitor.base, 200)
    many = "\n".join(f"many{number}@example.com" for number in range(12))
    typed = visitor.fill_in(page, "/invite/", email_addresses=many, role="org:member")
    checked = visitor.ask(f"{visitor.base}invite/", 200, typed)
    if "many3@example.com" in visitor.pending("acme"):
        raise Wrong("sent before it was checked")
    sent = visitor.ask(f"{visitor.base}invite/", 303, visitor.fill_in(checked, "/invite/"))
    if visitor.pending("acme").count("many3@example.com") != 1:
        raise Wrong("not sent")
    visitor.ask(sent.headers["Location"], 200)


def revoked(visitor: Visitor) -> None:
    """A question, then it is revoked."""
    row = visitor.clerk.invitations("acme", "pending")[0]
    path = f"{visitor.base}{row.id}/revoke/"
    visitor.ask(path, 303, visitor.fill_in(visitor.ask(path, 200), "/revoke/"))
    if row.email_address in visitor.pending("acme"):
        raise Wrong("still pending")


def sent_again(visitor: Visitor) -> None:
    """A question, then a new invitation in the place of the old one."""
    row = next(r for r in visitor.clerk.invitations("acme", "pending") if r.role == "org:member")
    path = f"{visitor.base}{row.id}/resend/"
    visitor.ask(path, 303, visitor.fill_in(visitor.ask(path, 200), "/resend/"))
    if row.state != "revoked" or row.email_address not in visitor.pending("acme"):
        raise Wrong("not sent again")


def linked(visitor: Visitor) -> None:
    """The link of an invitation, to be copied."""
    rows = visitor.clerk.invitations("acme", "pending")
    row = next(r for r in rows if r.role == "org:member")
    if "ticket=" not in visitor.ask(f"{visitor.base}{row.id}/link/", 200).text:
        raise Wrong("no link")


def selected(visitor: Visitor) -> None:
    """Two at once: a question, then they are revoked."""
    page = visitor.ask(visitor.base, 200)
    rows = visitor.clerk.invitations("acme", "pending")[:2]
    ids = [row.id for row in rows]
    chosen = visitor.fill_in(page, "/selected/", selected=ids, action="revoke")
    question = visitor.ask(f"{visitor.base}selected/", 200, chosen)
    confirmed = visitor.fill_in(question, "/selected/", action="revoke")
    outcome = visitor.ask(f"{visitor.base}selected/", 303, confirmed)
    visitor.ask(outcome.headers["Location"], 200)
    if {row.state for row in rows} != {"revoked"}:
        raise Wrong("not revoked")


def forged(visitor: Visitor) -> None:
    """A form without the site's token does nothing."""
    form = [("email_addresses", "forged@example.com"), ("role", "org:member")]
    visitor.ask(f"{visitor.base}invite/", 403, form)
    if "forged@example.com" in visitor.pending("acme"):
        raise Wrong("invited by a forged form")


def embedded(visitor: Visitor, path: str) -> None:
    """A page of the site's own has all of it, is kept nowhere, and its forms come back to it."""
    page = visitor.ask(path, 200)
    if not {"no-store", "private"} <= set(page.headers["Cache-Control"].split(", ")):
        raise Wrong(f"it may be kept: {page.headers['Cache-Control']}")
    if f"{len(visitor.pending('acme'))} pending" not in page.text:
        raise Wrong(f"another number: {_gist(page)}")
    address = "embedded@example.com"
    typed = visitor.fill_in(page, "/invite/", email_addresses=address, role="org:member")
    back = visitor.ask(f"{visitor.base}invite/", 303, typed).headers["Location"]
    if back != path or address not in visitor.pending("acme"):
        raise Wrong(f"it leads to {back}")
    visitor.ask(f"{visitor.base}embed/list/", 200, headers={"HX-Request": "true"})


Step = Callable[[Visitor], None]

#: What somebody with a session of Clerk's sees before they may, and while they may.
BEFORE: tuple[Step, ...] = (signed_out, expired, forbidden)
STEPS: tuple[Step, ...] = (
    listed,
    files,
    searched,
    paged,
    exported,
    mistaken,
    invited,
    invited_with_htmx,
    invited_many,
    revoked,
    sent_again,
    linked,
    selected,
    forged,
)


def _gist(answer: requests.Response) -> str:
    text = re.sub(r"<(script|style).*?</\1>", "", answer.text, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())[:600]
