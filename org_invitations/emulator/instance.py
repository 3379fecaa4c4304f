"""The instance, and all that can be ordered of it from Python."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from . import keys, tokens
from .clients import CookieWriter, SignedIn, new_client, sign_in
from .clock import Clock
from .configure import configure, find_organization, find_user
from .faults import Fault, FaultPlan
from .limits import RateLimiter
from .recorder import RecordedCall, Recorder
from .routing import BAPI
from .seed import add_user, seeded_state, send_mail
from .settings import InstanceSettings
from .state import Invitation, Membership, Organization, User
from .tickets import ticket_of

DEFAULT_SITE = "http://localhost:8000"
DEFAULT_BASE_URL = "http://localhost:8900"

_DEFAULT = "the default"


class Instance:
    """One Clerk instance in memory. Safe to use from several threads.

    ``site`` is where the site under development lives (where to go after signing in, and the
    ``azp`` of tokens minted without one), ``base_url`` where the emulator itself is reached, and
    ``allowed_hosts`` names hosts besides this machine and the site's to which a browser may be
    sent back.
    """

    def __init__(
        self,
        *,
        site: str = DEFAULT_SITE,
        base_url: str = DEFAULT_BASE_URL,
        kind: str = "development",
        allowed_hosts: Sequence[str] = (),
    ) -> None:
        self.lock = threading.RLock()
        self.site = site.rstrip("/")
        self.base_url = base_url.rstrip("/")
        self.allowed_hosts = tuple(allowed_hosts)
        self.clock = Clock()
        self.faults = FaultPlan()
        self.recorder = Recorder()
        self.limiter = RateLimiter()
        #: What faults have put off; ``Emulator.finish_late`` does it.
        self.late: list[Callable[[], Any]] = []
        self._kind = kind
        self.reset()

    def reset(self) -> None:
        """Starts over: data, settings, keys, clock, faults, limits and the list of calls."""
        with self.lock:
            self.clock.reset()
            self.settings = InstanceSettings()
            self.settings.update({"kind": self._kind})
            self.keys = keys.KeyRing()
            self.state = seeded_state(self.clock.now_ms())
            self.faults.clear()
            self.late = []
            self.recorder.clear()
            self.limiter.clear()

    # Who it is

    @property
    def secret_key(self) -> str:
        live = self.settings.is_production
        return keys.PRODUCTION_SECRET_KEY if live else keys.SECRET_KEY

    @property
    def publishable_key(self) -> str:
        live = self.settings.is_production
        return keys.PRODUCTION_PUBLISHABLE_KEY if live else keys.PUBLISHABLE_KEY

    @property
    def jwt_key(self) -> str:
        """The public key (PEM) of the tokens it signs now."""
        return self.keys.current.public_pem

    @property
    def cookie_suffix(self) -> str:
        return keys.cookie_suffix(self.publishable_key)

    def django_settings(self) -> dict[str, str]:
        """The settings a Django site needs to use this emulator."""
        return {
            "CLERK_SECRET_KEY": self.secret_key,
            "CLERK_PUBLISHABLE_KEY": self.publishable_key,
            "CLERK_JWT_KEY": self.jwt_key,
            "CLERK_API_URL": self.base_url,
            "CLERK_PROXY_URL": self.base_url,
            "CLERK_SIGN_IN_URL": f"{self.base_url}/sign-in",
            "CLERK_SIGN_UP_URL": f"{self.base_url}/sign-up",
        }

    @property
    def site_origins(self) -> list[str]:
        """The origins of the site: on this machine by its name and by its address."""
        parts = urlsplit(self.site)
        names = [parts.netloc]
        for name, other in (("localhost", "127.0.0.1"), ("127.0.0.1", "localhost")):
            if parts.hostname == name:
                names.append(parts.netloc.replace(name, other))
        return [f"{parts.scheme}://{name}" for name in names]

    def environment(self) -> dict[str, str]:
        """``django_settings`` and the site's origins, as variables of an environment.

        Each is one line: the line breaks of the key are written as ``\\n``.
        """
        settings = self.django_settings()
        settings["CLERK_JWT_KEY"] = self.jwt_key.strip().replace("\n", "\\n")
        return settings | {"CLERK_AUTHORIZED_PARTIES": ",".join(self.site_origins)}

    def accept_url(self, ticket: str) -> str:
        """The link of an invitation's mail."""
        return f"{self.base_url}/v1/tickets/accept?ticket={ticket}"

    def may_return_to(self, url: str) -> bool:
        """Whether a browser may be sent to ``url``: this machine, the site, ``allowed_hosts``."""
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
        except ValueError:
            return False
        if parts.scheme not in ("http", "https") or "\\" in url:
            return False
        local = host in ("localhost", "127.0.0.1", "::1") or host.endswith(".localhost")
        return local or host == urlsplit(self.site).hostname or host in self.allowed_hosts

    # Changing it from Python

    def configure(self, **changes: Any) -> None:
        """Changes the instance: the same names and values as ``POST /_emulator/instance``."""
        with self.lock:
            configure(self, changes)

    def fault(self, method: str | None = None, path: str = "*", **order: Any) -> Fault:
        """Orders a fault; see ``Fault`` for what can be ordered."""
        with self.lock:
            return self.faults.add(Fault(method, path, **order))

    def rotate_keys(self, *, keep_old: bool = False, same_kid: bool = False) -> None:
        with self.lock:
            self.keys.rotate(keep_old=keep_old, same_kid=same_kid)

    @property
    def requests(self) -> list[RecordedCall]:
        """The Backend API calls it had, oldest first."""
        with self.lock:
            return [call for call in self.recorder.calls if call.api == BAPI]

    def clear_requests(self) -> None:
        with self.lock:
            self.recorder.clear()

    def user(self, id_or_address: str) -> User:
        with self.lock:
            return find_user(self, id_or_address)

    def organization(self, id_or_slug: str) -> Organization:
        with self.lock:
            return find_organization(self, id_or_slug)

    def invitations(self, organization: str, status: str | None = None) -> list[Invitation]:
        """An organization's invitations, oldest first, all or those in one status."""
        with self.lock:
            now = self.clock.now_ms()
            rows = self.state.invitations_of(find_organization(self, organization).id)
            return [row for row in rows if status is None or row.status(now) == status]

    def add_user(
        self, address: str, first_name: str | None = None, last_name: str | None = None
    ) -> User:
        with self.lock:
            return add_user(
                self.state, address, first_name, last_name, created_at=self.clock.now_ms()
            )

    def add_organization(self, slug: str, name: str, *, seats: int = 0) -> Organization:
        """Adds an organization without anybody in it; ``seats`` 0 is without limit."""
        with self.lock:
            now = self.clock.now_ms()
            row = Organization(
                id=self.state.new_id("org"),
                slug=slug,
                name=name,
                role_set_key="role_set:default",
                max_allowed_memberships=seats,
                created_at=now,
                updated_at=now,
                created_by="",
            )
            self.state.organizations[row.id] = row
            return row

    def add_member(
        self,
        organization: Organization | str,
        user: User | str,
        role: str = "org:member",
        public_metadata: dict[str, Any] | None = None,
        private_metadata: dict[str, Any] | None = None,
    ) -> Membership:
        with self.lock:
            org = find_organization(self, _id(organization))
            now = self.clock.now_ms()
            row = Membership(
                self.state.new_id("orgmem"),
                org.id,
                find_user(self, _id(user)).id,
                role,
                now,
                now,
                public_metadata=public_metadata or {},
                private_metadata=private_metadata or {},
            )
            self.state.memberships.append(row)
            return row

    def add_invitation(
        self,
        organization: str,
        email_address: str,
        *,
        role: str = "org:member",
        inviter: str | None = None,
        expires_in_days: float | None = 30,
        created_ago: float = 0,
        state: str = "pending",
        redirect_url: str | None = None,
        public_metadata: dict[str, Any] | None = None,
        private_metadata: dict[str, Any] | None = None,
        notify: bool = True,
    ) -> Invitation:
        """Adds an invitation without asking whether Clerk would; ``created_ago`` in seconds."""
        with self.lock:
            created = self.clock.now_ms() - int(created_ago * 1000)
            days = expires_in_days
            row = Invitation(
                id=self.state.new_id("orginv"),
                organization_id=find_organization(self, organization).id,
                email_address=email_address,
                role=role,
                inviter_id=find_user(self, inviter).id if inviter else None,
                created_at=created,
                updated_at=created,
                expires_at=None if days is None else created + int(days * 86_400_000),
                ticket="",
                sequence=len(self.state.invitations),
                state=state,
                redirect_url=redirect_url,
                public_metadata=public_metadata or {},
                private_metadata=private_metadata or {},
            )
            key = self.keys.current if self.settings.ticket_verifiable else None
            row.ticket = ticket_of(self.state, row, key)
            self.state.invitations[row.id] = row
            if notify:
                send_mail(self.state, row)
            return row

    # Tokens and cookies on order

    def mint_token(self, user: str, **order: Any) -> str:
        """A session token of ``user``; see ``session_cookies`` for what can be ordered."""
        return self.session_cookies(user, **order)["__session"]

    def session_cookies(
        self,
        user: str,
        *,
        organization: str | None = _DEFAULT,
        issued_ago: float = 0,
        lifetime: int = tokens.LIFETIME,
        claims: Mapping[str, Any] | None = None,
        header: Mapping[str, Any] | None = None,
        key: str = "current",
        version: int | None = None,
        azp: str | None = _DEFAULT,
    ) -> dict[str, str]:
        """The cookies of a browser on which ``user`` has just signed in.

        ``organization`` (id or slug; ``None`` for none, by default the user's first one) is the
        active one. The token was issued ``issued_ago`` seconds ago and lives ``lifetime``
        seconds. ``claims`` and ``header`` override what is in it, a ``None`` removes it. ``key``
        is "current", "old", "unknown" or "none"; ``version`` 1 or 2; ``azp`` is the site's origin
        unless given. The session is a real one: it can be refreshed, switched and ended.
        """
        with self.lock:
            person = find_user(self, user)
            client = new_client(self)
            session = sign_in(self, client, person)
            if organization is None:
                session.organization_id = None
            elif organization != _DEFAULT:
                session.organization_id = find_organization(self, organization).id
            org = self.state.organizations.get(session.organization_id or "")
            issued_at = int(self.clock.now() - issued_ago)
            session.created_at = min(session.created_at, issued_at * 1000)
            payload = tokens.session_claims(
                self,
                person,
                session,
                org,
                azp=self.site if azp == _DEFAULT else azp,
                issued_at=issued_at,
                lifetime=lifetime,
                version=version,
            )
            token = tokens.sign(self, payload | dict(claims or {}), header=header, key=key)
            writer = CookieWriter(self, self.site)
            lines = [*writer.uat(SignedIn(person, session, org))]
            lines += writer.refresh(SignedIn(person, session, org))
            if not self.settings.is_production:
                lines += writer.dev_browser(client)
            cookies = dict(line.partition(";")[0].split("=", 1) for line in lines)
            return {"__session": token, f"__session_{self.cookie_suffix}": token, **cookies}


def _id(thing: Organization | User | str) -> str:
    return thing if isinstance(thing, str) else thing.id
