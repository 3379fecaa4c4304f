"""Every setting of the app, with its type, its unit and its default.

This is the only module that reads ``django.conf.settings``. Nothing is read at import and
nothing is remembered, so ``override_settings`` works everywhere. Values that a site got wrong
are reported by the system checks (:mod:`org_invitations.checks`); the properties here only
make them safe to use.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from django.conf import global_settings, settings

DEFAULT_API_URL: Final = "https://api.clerk.com"

#: Clerk's own bounds for ``limit`` and ``expires_in_days`` (OpenAPI description 2026-05-12).
MAX_PAGE_SIZE: Final = 500
MAX_EXPIRES_IN_DAYS: Final = 365

#: What the pages for joining can do.
JOIN_WAYS: Final = ("link", "script", "server")

#: A membership decides who may do what, so no site may keep it longer than this (seconds).
MAX_MEMBERSHIP_CACHE_SECONDS: Final = 60

#: Role names do not change by the day, but a site must be able to see them change (seconds).
MAX_ROLES_CACHE_SECONDS: Final = 86_400

#: How long outcomes may be kept (days).
MAX_KEEP_DAYS: Final = 365

#: How much of Clerk's limits may be kept from workers (percent).
MAX_RESERVED_PERCENT: Final = 90

#: Longer than this nobody waits for a page (seconds).
MAX_CONNECT_TIMEOUT: Final = 60.0
MAX_READ_TIMEOUT: Final = 120.0

#: Less is not enough for anything, and longer than this no server lets a request go on (seconds).
MAX_MAX_WAITING: Final = 1_000
MIN_REQUEST_SECONDS: Final = 1.0
MAX_REQUEST_SECONDS: Final = 600.0


class Conf:
    """Typed, lazy access to the settings; use the one instance :data:`conf`."""

    # --- Clerk's own names -------------------------------------------------------------

    @property
    def CLERK_SECRET_KEY(self) -> str:
        """The Backend API key, ``sk_test_…`` or ``sk_live_…``. Default: empty (an error)."""
        return _text("CLERK_SECRET_KEY")

    @property
    def CLERK_PUBLISHABLE_KEY(self) -> str:
        """``pk_test_…`` or ``pk_live_…``: names the Frontend API, hence cookies and issuer.

        Default: empty (an error).
        """
        return _text("CLERK_PUBLISHABLE_KEY")

    @property
    def CLERK_JWT_KEY(self) -> str:
        """The instance's public key as PEM: sessions are then verified without any network.

        Default: empty, which means the keys are fetched from the Backend API and cached.
        """
        return _text("CLERK_JWT_KEY").replace("\\n", "\n")

    @property
    def CLERK_API_URL(self) -> str:
        """Where the Backend API is, without ``/v1``. Default: ``https://api.clerk.com``."""
        url = _text("CLERK_API_URL") or DEFAULT_API_URL
        return url.rstrip("/").removesuffix("/v1")

    @property
    def CLERK_PROXY_URL(self) -> str:
        """Where browsers reach the Frontend API, if not at the publishable key's own host.

        Default: empty. Set it for Clerk's proxying, and to point at the emulator.
        """
        return _text("CLERK_PROXY_URL").rstrip("/")

    @property
    def CLERK_SIGN_IN_URL(self) -> str:
        """Where a signed-out person is sent. Default: empty, the instance's Account Portal."""
        return _text("CLERK_SIGN_IN_URL")

    @property
    def CLERK_SIGN_UP_URL(self) -> str:
        """Where somebody without an account is sent. Default: empty, the Account Portal."""
        return _text("CLERK_SIGN_UP_URL")

    @property
    def CLERK_AUTHORIZED_PARTIES(self) -> Sequence[str]:
        """The origins whose session tokens are accepted, e.g. ``["https://app.example.com"]``.

        Exact strings; a slash at the end, which no token has, is left out (and a check says so).
        Default: empty, any origin of the instance (a deployment check warns of that).
        """
        parties = _texts("CLERK_AUTHORIZED_PARTIES") or ()
        # A slash alone stays: nothing but a mistake, it must not become an empty origin.
        return tuple(party.rstrip("/") or party for party in parties)

    # --- The app's own -----------------------------------------------------------------

    @property
    def PAGE_SIZE(self) -> int:
        """``ORG_INVITATIONS_PAGE_SIZE``: invitations on one page, 1 to 500. Default: 25."""
        return min(max(_number("ORG_INVITATIONS_PAGE_SIZE", 25), 1), MAX_PAGE_SIZE)

    @property
    def CONNECT_TIMEOUT(self) -> float:
        """``ORG_INVITATIONS_CONNECT_TIMEOUT``: seconds to reach Clerk. Default: 2."""
        value = _real("ORG_INVITATIONS_CONNECT_TIMEOUT", 2.0)
        return min(max(value, 0.01), MAX_CONNECT_TIMEOUT)

    @property
    def READ_TIMEOUT(self) -> float:
        """``ORG_INVITATIONS_READ_TIMEOUT``: seconds Clerk may take to answer. Default: 6.

        It bounds the wait for each piece of an answer and for the answer as a whole.
        """
        value = _real("ORG_INVITATIONS_READ_TIMEOUT", 6.0)
        return min(max(value, 0.01), MAX_READ_TIMEOUT)

    @property
    def REQUEST_SECONDS(self) -> float:
        """``ORG_INVITATIONS_REQUEST_SECONDS``: seconds a request may wait for Clerk. Default: 25.

        All its calls together; servers in front of Django end a request after 30, commonly.
        """
        value = _real("ORG_INVITATIONS_REQUEST_SECONDS", 25.0)
        return min(max(value, MIN_REQUEST_SECONDS), MAX_REQUEST_SECONDS)

    @property
    def MAX_WAITING(self) -> int:
        """``ORG_INVITATIONS_MAX_WAITING``: requests of a process waiting for Clerk. Default: 4.

        So many at the same time; fewer than the threads of the process, so that some are left for
        other pages where Clerk hangs.
        """
        return min(max(_number("ORG_INVITATIONS_MAX_WAITING", 4), 1), MAX_MAX_WAITING)

    @property
    def REDIRECT_URL(self) -> str:
        """``ORG_INVITATIONS_REDIRECT_URL``: where an invitation's link leads in the end.

        An absolute URL of a page that completes the sign-up. Default: empty, Clerk's own
        Account Portal.
        """
        return _text("ORG_INVITATIONS_REDIRECT_URL")

    @property
    def REDIRECT_URLS(self) -> Sequence[tuple[str, str]]:
        """``ORG_INVITATIONS_REDIRECT_URLS``: where a link may lead, for the inviter to choose.

        Pairs of an absolute URL and what it is called. Default: empty, nothing to choose.
        """
        return _choices("ORG_INVITATIONS_REDIRECT_URLS")

    @property
    def JOIN_URL(self) -> str:
        """``ORG_INVITATIONS_JOIN_URL``: where ``org_invitations.join_urls`` is mounted.

        An absolute URL that ends with a slash: the links of invitations lead to it, and a worker
        knows no host. Default: empty, joining is left to Clerk.
        """
        url = _text("ORG_INVITATIONS_JOIN_URL")
        return f"{url.rstrip('/')}/" if url else ""

    @property
    def JOIN_WAYS(self) -> Sequence[str]:
        """``ORG_INVITATIONS_JOIN_WAYS``: what the pages for joining do, out of three.

        ``link``: the invitations made from now on lead to them; ``script``: Clerk's Frontend API
        accepts; ``server``: the server revokes the invitation and adds the person, where there is
        no script, or Clerk did not let it. Default: all of them. What is left out is Clerk's.
        """
        ways = _texts("ORG_INVITATIONS_JOIN_WAYS")
        return tuple(way for way in JOIN_WAYS if ways is None or way in ways)

    @property
    def JOIN_CHECKS_INVITER(self) -> bool:
        """``ORG_INVITATIONS_JOIN_CHECKS_INVITER``: must the inviter still manage members?

        Before the pages for joining let anybody go on. Default: False, an invitation is honoured as
        Clerk would.
        """
        return getattr(settings, "ORG_INVITATIONS_JOIN_CHECKS_INVITER", False) is True

    @property
    def LANGUAGES(self) -> Sequence[tuple[str, str]]:
        """``ORG_INVITATIONS_LANGUAGES``: languages of the invited, for the inviter to choose.

        Pairs of a code and what it is called, as in Django's ``LANGUAGES``. What is chosen is
        the invitation's public metadata ``language``: Clerk's own mail takes no notice of it, a
        site's sign-up page can. Default: empty, nothing to choose.
        """
        return _choices("ORG_INVITATIONS_LANGUAGES")

    @property
    def EXPIRES_IN_DAYS(self) -> int | None:
        """``ORG_INVITATIONS_EXPIRES_IN_DAYS``: 1 to 365 days. Default: None, Clerk's 30."""
        value = getattr(settings, "ORG_INVITATIONS_EXPIRES_IN_DAYS", None)
        if value is None:
            return None
        return min(max(_number("ORG_INVITATIONS_EXPIRES_IN_DAYS", 30), 1), MAX_EXPIRES_IN_DAYS)

    @property
    def ROLES_CACHE_SECONDS(self) -> int:
        """``ORG_INVITATIONS_ROLES_CACHE_SECONDS``: life of role sets and names. Default: 60.

        At most a day; 0 turns the cache off. What a role may do is never kept for longer than a
        minute: it decides who may grant it.
        """
        value = _number("ORG_INVITATIONS_ROLES_CACHE_SECONDS", 60)
        return min(max(value, 0), MAX_ROLES_CACHE_SECONDS)

    @property
    def MEMBERSHIP_CACHE_SECONDS(self) -> int:
        """``ORG_INVITATIONS_MEMBERSHIP_CACHE_SECONDS``: life of a permission check. Default: 60.

        At most 60; 0 asks Clerk every time. Before every write Clerk is asked afresh anyhow.
        """
        value = _number("ORG_INVITATIONS_MEMBERSHIP_CACHE_SECONDS", MAX_MEMBERSHIP_CACHE_SECONDS)
        return min(max(value, 0), MAX_MEMBERSHIP_CACHE_SECONDS)

    @property
    def CACHE_ALIAS(self) -> str:
        """``ORG_INVITATIONS_CACHE_ALIAS``: which of ``CACHES`` to use. Default: ``default``."""
        return _text("ORG_INVITATIONS_CACHE_ALIAS") or "default"

    @property
    def KEEP_DAYS(self) -> int:
        """``ORG_INVITATIONS_KEEP_DAYS``: days that outcomes are kept. Default: 30.

        1 to 365. They hold addresses of people, so they are deleted after that.
        """
        return min(max(_number("ORG_INVITATIONS_KEEP_DAYS", 30), 1), MAX_KEEP_DAYS)

    @property
    def MARK_INVITATIONS(self) -> bool:
        """``ORG_INVITATIONS_MARK_INVITATIONS``: whether invitations carry a mark. Default: True.

        An opaque id in their private metadata, by which a write is known again whose answer was
        lost.
        """
        return getattr(settings, "ORG_INVITATIONS_MARK_INVITATIONS", True) is not False

    @property
    def BACKGROUND(self) -> bool | str | Callable[[], object]:
        """``ORG_INVITATIONS_BACKGROUND``: whether many are left to workers. Default: False.

        Then what takes more than one call waits in its rows until a worker comes along. True where
        workers look by themselves; a function without arguments, or its dotted path, where it is
        called after something was left to them, so that one looks at once.
        """
        value = getattr(settings, "ORG_INVITATIONS_BACKGROUND", False)
        return value if isinstance(value, str) or callable(value) else value is True

    @property
    def RESERVED_PERCENT(self) -> int:
        """``ORG_INVITATIONS_RESERVED_PERCENT``: of Clerk's limits, for people. Default: 10.

        0 to 90: what workers leave of the hourly calls for those who sit before a page.
        """
        value = _number("ORG_INVITATIONS_RESERVED_PERCENT", 10)
        return min(max(value, 0), MAX_RESERVED_PERCENT)

    @property
    def HANDSHAKE_PATHS(self) -> Sequence[str] | None:
        """``ORG_INVITATIONS_HANDSHAKE_PATHS``: path prefixes that may renew a session.

        Only a page load below one of these may be sent to Clerk and back. Default: None, only
        views marked with ``org_invitations.middleware.renews_session`` (the app's own are).
        ``["/"]`` means every page.
        """
        return _texts("ORG_INVITATIONS_HANDSHAKE_PATHS")

    @property
    def AZP_HANDSHAKE(self) -> bool:
        """``ORG_INVITATIONS_AZP_HANDSHAKE``: whether a token without ``azp`` is worth a handshake.

        With ``CLERK_AUTHORIZED_PARTIES`` such a token signs nobody in. Default: True, a page load
        with one is sent to Clerk once, for another one: ``org_invitations.clerk.session.parties``.
        """
        return getattr(settings, "ORG_INVITATIONS_AZP_HANDSHAKE", True) is not False

    @property
    def IDENTITY(self) -> str | Callable[..., Any]:
        """``ORG_INVITATIONS_IDENTITY``: who asks, if not the Clerk session says so.

        A callable, or the dotted path of one, that takes the request and returns an
        ``org_invitations.identity.Identity`` or None. Default: empty, ``request.clerk``.
        """
        value: str | Callable[..., Any] = getattr(settings, "ORG_INVITATIONS_IDENTITY", "") or ""
        return value

    @property
    def GRANT_POLICY(self) -> Any:
        """``ORG_INVITATIONS_GRANT_POLICY``: who may grant which role.

        A subclass of ``org_invitations.roles.GrantPolicy``, or its dotted path. Default: empty,
        that class itself: nobody grants a role that may do more than they may.
        """
        value = getattr(settings, "ORG_INVITATIONS_GRANT_POLICY", None)
        return "" if value is None else value

    @property
    def ALLOW_IMPERSONATION(self) -> bool:
        """``ORG_INVITATIONS_ALLOW_IMPERSONATION``: may an actor's session use the pages?

        Somebody who acts as another person, by Clerk's impersonation. Default: True; who it was is
        kept with what was sent, and shown. What is neither True nor False lets nobody in.
        """
        value = getattr(settings, "ORG_INVITATIONS_ALLOW_IMPERSONATION", None)
        return value is None or value is True

    def get_raw(self, name: str) -> Any:
        """Return a setting as the site wrote it, None where it did not: for the checks."""
        return getattr(settings, name, None)

    def get_raw_texts(self, name: str) -> Sequence[str]:
        """Return a list of texts as the site wrote it: for the checks."""
        return _texts(name) or ()

    # --- Django's, as far as the app must know them ------------------------------------

    @property
    def DEBUG(self) -> bool:
        """Django's ``DEBUG``."""
        return bool(settings.DEBUG)

    @property
    def INSTALLED_APPS(self) -> Sequence[str]:
        """Django's ``INSTALLED_APPS``."""
        return tuple(settings.INSTALLED_APPS)

    @property
    def MIDDLEWARE(self) -> Sequence[str]:
        """Django's ``MIDDLEWARE``."""
        return tuple(settings.MIDDLEWARE)

    @property
    def CSRF_FAILURE_VIEW(self) -> str:
        """Django's ``CSRF_FAILURE_VIEW``; empty where the site has none of its own."""
        path = _text("CSRF_FAILURE_VIEW")
        return "" if path == global_settings.CSRF_FAILURE_VIEW else path

    @property
    def SECRET_KEYS(self) -> Sequence[str]:
        """Django's ``SECRET_KEY``, then its ``SECRET_KEY_FALLBACKS``."""
        return [str(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]

    @property
    def DATA_UPLOAD_MAX_NUMBER_FIELDS(self) -> int | None:
        """Django's ``DATA_UPLOAD_MAX_NUMBER_FIELDS``."""
        value: int | None = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
        return value

    @property
    def CACHES(self) -> dict[str, Any]:
        """Django's ``CACHES``."""
        return dict(settings.CACHES)


def _text(name: str) -> str:
    value = getattr(settings, name, "")
    return value.strip() if isinstance(value, str) else ""


def _texts(name: str) -> tuple[str, ...] | None:
    """Read a list of texts; None where the site gave none.

    What is no text becomes one, instead of being left out: an empty list of authorized parties
    lets every party in, so a mistake must not empty it.
    """
    value = getattr(settings, name, None)
    if value is None or value == "":
        return None
    if isinstance(value, str) or not isinstance(value, Iterable):
        return (str(value),)
    return tuple(str(item) for item in value)


def _choices(name: str) -> tuple[tuple[str, str], ...]:
    """Read pairs of a value and its name; what is no pair is left out, and the checks say so."""
    value = getattr(settings, name, None) or ()
    if isinstance(value, str) or not isinstance(value, Iterable):
        return ()
    return tuple(
        (str(pair[0]), pair[1])
        for pair in value
        if isinstance(pair, (list, tuple)) and len(pair) == 2
    )


def _number(name: str, default: int) -> int:
    value = getattr(settings, name, default)
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def _real(name: str, default: float) -> float:
    value = getattr(settings, name, default)
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return default
    try:
        number = float(value)
    except OverflowError:
        return default
    return number if math.isfinite(number) else default


#: The settings, read at the moment of asking.
conf: Final = Conf()
