"""An invited person's browser before the pages for joining, and the Clerk behind them."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.test import Client

from org_invitations.emulator import Emulator, EmulatorRequest
from org_invitations.emulator.state import Invitation
from org_invitations.models import Joining
from org_invitations.services.joining.links import JoinValue, get_digest, make_link
from org_invitations.testing import SignIn

JOIN_URL = "http://testserver/join/"
NORA = "nora@nowhere.test"
MAX = "max@acme.test"
GUS = "gus@globex.test"


class Invitee:
    """Somebody with the link of an invitation."""

    def __init__(self, clerk: Emulator, clerk_sign_in: SignIn) -> None:
        self.clerk = clerk
        self.client = Client()
        self._sign_in = clerk_sign_in

    def sign_in(self, user: str, **order: Any) -> None:
        self._sign_in(self.client, user, **({"organization": None} | order))

    def follow(self, row: Invitation) -> Any:
        """Follow the mail's link, then go where it leads on the site; the page at the end."""
        request = EmulatorRequest("GET", self.clerk.accept_url(row.ticket))
        answer = self.clerk.handle(request)
        assert answer.status == 302, answer.body
        return self.open(answer.header("location") or "")

    def open(self, url: str) -> Any:
        parts = urlsplit(url)
        self.entry = self.client.get(f"{parts.path}?{parts.query}" if parts.query else parts.path)
        assert self.entry.status_code == 302, self.entry
        return self.client.get(self.entry["Location"])

    def press(self, page: Any, action: str, **more: str) -> Any:
        """Press a button of the page, with all that its forms hold."""
        data = {"action": action, "invitation": page.context_data["invitation_id"], **more}
        return self.client.post(page.wsgi_request.path, data)

    def onward(self, page: Any) -> str:
        """Go on from the page that goes on by itself; where that leads."""
        assert page.context_data["onward_url"], page
        answer = self.client.get(page.context_data["onward_url"])
        assert answer.status_code == 302, answer.text
        return str(answer["Location"])


def invite(clerk: Emulator, address: str = NORA, organization: str = "acme", **more: Any) -> Any:
    """An invitation whose link leads to the pages for joining, as the app makes it."""
    org = clerk.organization(organization)
    more.setdefault("redirect_url", make_link(org.id, address, None))
    return clerk.add_invitation(organization, address, **more)


def value_of(row: Invitation, **more: str) -> str:
    digest = get_digest(row.organization_id, row.email_address)
    return JoinValue(row.organization_id, address_digest=digest, nonce="n", **more).dumps()


def page_of(row: Invitation) -> str:
    return f"/join/{value_of(row)}/"


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def state_of(page: Any) -> str:
    return str(page.context_data["state"])


def is_member(clerk: Emulator, user: str = NORA, organization: str = "acme") -> bool:
    org = clerk.organization(organization)
    return clerk.state.membership(org.id, clerk.user(user).id) is not None


def joinings() -> list[tuple[str, str]]:
    return list(Joining.objects.order_by("pk").values_list("state", "way"))


def make_ticket(**claims: Any) -> str:
    """A ticket that nobody has signed; of Clerk's kind unless ``st`` says otherwise."""
    claims = {"st": "organization_invitation"} | claims
    body = urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"x.{body}.x"
