"""Browsers as the Frontend API knows them: a client, its session, and the cookies a site gets."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from . import tokens
from .keys import cookie_suffix
from .state import Client, Organization, Session, User
from .wire import EmulatorRequest

if TYPE_CHECKING:
    from .instance import Instance

CLIENT_COOKIE = "__client"
DEV_BROWSER = "__clerk_db_jwt"
YEAR = 365 * 24 * 3600
PAST = "Thu, 01 Jan 1970 00:00:00 GMT"


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL: what a token's ``azp`` says."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def new_client(instance: Instance) -> Client:
    state = instance.state
    client = Client(state.new_id("client"), state.new_secret("cl"), state.new_secret("dvb"))
    state.clients[client.id] = client
    return client


def known_client(instance: Instance, request: EmulatorRequest) -> Client | None:
    """The browser that asks: in development by its dev browser token, else by its cookie."""
    clients = instance.state.clients.values()
    token = request.argument(DEV_BROWSER)
    if token and not instance.settings.is_production:
        for client in clients:
            if client.dev_browser == token:
                return client
    cookie = request.cookies.get(CLIENT_COOKIE)
    return next((client for client in clients if client.cookie == cookie), None)


@dataclass(frozen=True)
class SignedIn:
    user: User
    session: Session
    organization: Organization | None

    def is_pending(self, instance: Instance) -> bool:
        """Whether the session waits until an organization has been chosen."""
        return self.organization is None and instance.settings.force_organization_selection


def signed_in(instance: Instance, client: Client | None) -> SignedIn | None:
    """Who is signed in on this client, if anybody still is."""
    session = instance.state.sessions.get((client and client.session_id) or "")
    if session is None or not session.is_active(instance.clock.now_ms()):
        return None
    user = instance.state.users.get(session.user_id)
    if user is None or not user.may_sign_in:
        return None
    return SignedIn(user, session, active_organization(instance, session))


def active_organization(instance: Instance, session: Session) -> Organization | None:
    """The session's active organization, as long as its user belongs to it."""
    state = instance.state
    if session.organization_id is None:
        return None
    if state.membership(session.organization_id, session.user_id) is None:
        return None
    return state.organizations.get(session.organization_id)


def sign_in(instance: Instance, client: Client, user: User) -> Session:
    """Starts a session; the user's first organization is active in it."""
    sign_out(instance, client)
    now = instance.clock.now_ms()
    state = instance.state
    memberships = state.memberships_of(user.id)
    session = Session(
        id=state.new_id("sess"),
        user_id=user.id,
        created_at=now,
        refresh_token=state.new_secret("rt"),
        organization_id=memberships[0].organization_id if memberships else None,
    )
    state.sessions[session.id] = session
    client.session_id = session.id
    user.last_sign_in_at = now
    return session


def sign_out(instance: Instance, client: Client) -> None:
    session = instance.state.sessions.get(client.session_id or "")
    if session is not None:
        session.ended = True
    client.session_id = None


def switch_organization(instance: Instance, session: Session, organization: str) -> bool:
    """Makes an organization (id or slug) active, or with "" none of them.

    One the user does not belong to is refused with ``False``, and nothing changes. Where an
    organization must be chosen, "" changes nothing either (API description, "Touch session").
    """
    if not organization:
        if not instance.settings.force_organization_selection:
            session.organization_id = None
        return True
    found = instance.state.organization(organization)
    if found is None or instance.state.membership(found.id, session.user_id) is None:
        return False
    session.organization_id = found.id
    return True


def session_token(instance: Instance, who: SignedIn, azp: str | None) -> str:
    """A session token of now."""
    claims = tokens.session_claims(
        instance,
        who.user,
        who.session,
        who.organization,
        azp=azp,
        issued_at=int(instance.clock.now()),
    )
    return tokens.sign(instance, claims)


def client_uat(who: SignedIn | None) -> int:
    """``__client_uat``: when the client last changed, in seconds; 0 is signed out."""
    return who.session.created_at // 1000 if who else 0


class CookieWriter:
    """Set-Cookie strings for a site at ``origin``, in Clerk's names and attributes."""

    def __init__(self, instance: Instance, origin: str) -> None:
        self.instance = instance
        self.origin = origin
        self.suffix = cookie_suffix(instance.publishable_key)
        self.secure = "; Secure" if origin.startswith("https:") else ""

    def session(self, who: SignedIn | None, *, with_azp: bool = True) -> list[str]:
        """``__session`` with and without suffix; they go away when nobody is signed in."""
        azp = self.origin if with_azp else None
        token = session_token(self.instance, who, azp) if who else ""
        return self._both("__session", token)

    def uat(self, who: SignedIn | None) -> list[str]:
        return self._both("__client_uat", str(client_uat(who)))

    def dev_browser(self, client: Client) -> list[str]:
        return self._both(DEV_BROWSER, client.dev_browser)

    def refresh(self, who: SignedIn | None) -> list[str]:
        """The refresh token's cookie exists only with the suffix, and no script can read it."""
        token = who.session.refresh_token if who else ""
        return [self._one(f"__refresh_{self.suffix}", token, http_only=True)]

    def _both(self, name: str, value: str) -> list[str]:
        return [self._one(name, value), self._one(f"{name}_{self.suffix}", value)]

    def _one(self, name: str, value: str, *, http_only: bool = False) -> str:
        expires = formatdate(self.instance.clock.now() + YEAR, usegmt=True) if value else PAST
        only = "; HttpOnly" if http_only else ""
        return f"{name}={value}; Path=/; Expires={expires}{only}{self.secure}; SameSite=Lax"
