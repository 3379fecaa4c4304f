"""What the tests of inviting many share: a person who fills in the form, and looks at what came."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import suppress
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile

from org_invitations.conf import conf
from org_invitations.emulator import Emulator
from org_invitations.forms import InviteForm
from org_invitations.models import Batch, BatchItem

from .conftest import INVITE, LIST, Browser, pending, text_of

#: The id of the element around the form that invites.
FORM = "org-invitations-form"

#: The call for up to ten at once.
BULK = "*/invitations/bulk"

State = BatchItem.State
DONE, REFUSED, FAILED, WAITING, UNSETTLED = (
    str(state)
    for state in (State.DONE, State.REFUSED, State.FAILED, State.WAITING, State.UNSETTLED)
)


def many(count: int, start: int = 0) -> list[str]:
    return [f"person{number}@example.com" for number in range(start, start + count)]


def a_file(text: str | bytes, name: str = "people.csv") -> SimpleUploadedFile:
    content = text.encode() if isinstance(text, str) else text
    return SimpleUploadedFile(name, content, "text/csv")


def as_it_opens(ada: Browser) -> dict[str, str]:
    """What a browser sends of the form that has just been opened.

    As ``filled(ada.get())``, without the page: a test in ``test_list.py`` holds one to the other.
    """
    return {
        "organization": ada.clerk.organization("acme").id,
        "batch": str(uuid4()),
        "email_addresses": "",
        "role": "org:member",
        "expires_in_days": str(conf.EXPIRES_IN_DAYS or 30),
    }


def type_in(ada: Browser, text: str = "", *, target: str | None = None, **more: Any) -> Any:
    """Fill in the form as it opens and press its button."""
    form = as_it_opens(ada) | {"email_addresses": text} | more
    return ada.post(INVITE, form, target=target)


def press(ada: Browser, response: Any, *, target: str | None = None, **changes: Any) -> Any:
    """Press the button of the form on an answer, as it is filled in there."""
    return ada.post(INVITE, filled(response) | changes, target=target)


def review_of(response: Any) -> Any:
    assert response.status_code == 200, text_of(response)
    assert response.context["review"] is not None
    return response


def batch_of(response: Any) -> Batch:
    """The batch whose outcome an answer leads to."""
    assert response.status_code in (200, 303), text_of(response)
    url = response["HX-Redirect"] if response.status_code == 200 else response["Location"]
    found = re.fullmatch(rf"{LIST}outcomes/([0-9a-f-]{{36}})/", urlsplit(url).path)
    assert found is not None, url
    return Batch.objects.get(pk=UUID(found[1]))


def items_of(response: Any) -> list[BatchItem]:
    return list(batch_of(response).items.order_by("number"))


def states_of(response: Any) -> dict[str, str]:
    return {item.email_address or item.text: item.state for item in items_of(response)}


def mails(clerk: Emulator) -> Counter[str]:
    """How many mails each address has got since the beginning."""
    return Counter(mail.to.casefold() for mail in clerk.state.mails.values())


def posts(clerk: Emulator) -> list[Any]:
    return [call for call in clerk.requests if call.method == "POST"]


def sent_bodies(clerk: Emulator) -> list[dict[str, Any]]:
    """What was asked for each invitation, singly or in bulk."""
    found: list[dict[str, Any]] = []
    for call in posts(clerk):
        found += call.body if isinstance(call.body, list) else [call.body]
    return found


def seats(clerk: Emulator, left: int) -> None:
    """Let so many seats be left in Acme."""
    taken = 10 + len(pending(clerk))
    clerk.configure(organizations={"acme": {"max_allowed_memberships": taken + left}})


def forget() -> None:
    """Let the site remember nothing of Clerk."""
    cache.clear()


def lose_rights(clerk: Emulator, monkeypatch: pytest.MonkeyPatch, left: list[str]) -> None:
    """Take Ada's permissions away after the form was checked and before it is sent."""

    get_options = InviteForm.get_options

    def take_away(form: InviteForm) -> dict[str, object]:
        who = {"organization": "acme", "user": "ada@acme.test", "permissions": left}
        clerk.configure(memberships=[who])
        return get_options(form)

    monkeypatch.setattr(InviteForm, "get_options", take_away)
    monkeypatch.setattr("org_invitations.services.snapshot._CHECK_SECONDS", 0)  # it took long


def send(ada: Browser, addresses: list[str], **more: Any) -> Any:
    """Send, with the check in between if there are more than one."""
    response = type_in(ada, " ".join(addresses), **more)
    return press(ada, review_of(response)) if len(addresses) > 1 else response


def die(*args: Any, **kwargs: Any) -> Any:
    raise SystemExit("the process was killed")


# --- What a browser sends of a form --------------------------------------------------------------


class _EndOfForm(Exception):
    """What follows on the page need not be read."""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.fields: dict[str, str] = {}
        self.depth = 0
        self.textarea: str | None = None
        self.select: str | None = None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        if self.depth:
            self.depth += tag == "section"
            self._field(tag, found)
        elif found.get("id") == FORM:
            self.depth = 1

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self.textarea is not None:
            # The first line break after the tag belongs to the markup.
            self.fields[self.textarea] = self.fields[self.textarea].removeprefix("\n")
            self.textarea = None
        elif tag == "select":
            self.select = None
        elif tag == "section" and self.depth:
            self.depth -= 1
            if not self.depth:
                raise _EndOfForm

    def handle_data(self, data: str) -> None:
        if self.textarea is not None:
            self.fields[self.textarea] += data

    def _field(self, tag: str, found: dict[str, str | None]) -> None:
        name = found.get("name")
        if "disabled" in found:
            return
        if tag == "option" and self.select is not None:
            if "selected" in found or self.select not in self.fields:
                self.fields[self.select] = found.get("value") or ""
        elif name is None:
            return
        elif tag == "textarea":
            self.textarea, self.fields[name] = name, ""
        elif tag == "select":
            self.select = name
        elif tag == "input" and found.get("type") == "checkbox":
            if "checked" in found:
                self.fields[name] = found.get("value") or "on"
        elif tag == "input" and found.get("type") != "file":
            self.fields[name] = found.get("value") or ""


def filled(response: Any) -> dict[str, str]:
    """The fields of the form that invites, as they are on a page or in a fragment."""
    before, _, rest = response.text.partition(f'id="{FORM}"')
    start = before.rfind("<")
    reader = _Reader()
    with suppress(_EndOfForm):
        reader.feed(f'{before[start:]}id="{FORM}"{rest}')
        reader.close()
    # A browser sends the lines of a text with other ends.
    return {name: value.replace("\n", "\r\n") for name, value in reader.fields.items()}
