"""``request.clerk``: who is signed in at Clerk, for any view.

Put it before ``LoginRequiredMiddleware`` and before anything that reads ``request.clerk``::

    MIDDLEWARE = [..., "org_invitations.middleware.ClerkSessionMiddleware", ...]

Nothing is verified until something asks, except on pages that may renew a session: those below
``ORG_INVITATIONS_HANDSHAKE_PATHS``, and views marked with :func:`renews_session`.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from http.cookies import Morsel
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.core.exceptions import DisallowedHost, ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve
from django.utils.asyncio import async_unsafe
from django.utils.cache import add_never_cache_headers, patch_cache_control, patch_vary_headers

from .caching import SiteCache
from .clerk.deadline import within
from .clerk.session.authenticate import Authenticator, SessionState
from .clerk.session.cookies import directive_name
from .clerk.session.handshake import SessionBackend
from .clerk.session.keys import PemKeys, RemoteKeys
from .clerk.session.lazy import ClerkSession
from .clerk.session.parties import renew_without_party
from .clerk.session.publishable_key import (
    InvalidPublishableKey,
    PublishableKey,
    parse_publishable_key,
)
from .clerk.session.request import RequestContext
from .clerk.session.tokens import KeySource, TokenVerifier
from .clerk.session.urls import origin
from .concurrency import get_bulkhead
from .conf import conf
from .embedding import has_parts

if TYPE_CHECKING:

    class ClerkHttpRequest(HttpRequest):
        """A request that has passed the middleware."""

        clerk: ClerkSession
        aclerk: Callable[[], Awaitable[ClerkSession]]

else:
    ClerkHttpRequest = HttpRequest

_View = TypeVar("_View", bound=Callable[..., Any])

_MARK: Final = "clerk_renews_session"
_UNPRINTABLE: Final = re.compile(r"[^\x20-\x7e]")

_remote_keys: Final[dict[tuple[str, str, str], RemoteKeys]] = {}


def renews_session(view: _View) -> _View:
    """Let a view renew a session: a page load may be sent to Clerk and back.

    For functions, for what ``as_view()`` returns, and for view classes::

        @renews_session
        def people(request): ...

        path("people/", renews_session(PeopleView.as_view()))
    """
    setattr(view, _MARK, True)
    return view


def forget_keys() -> None:
    """Drop the keys that this process holds; the cache is not touched. For tests."""
    _remote_keys.clear()


class ClerkSessionMiddleware:
    """Sets ``request.clerk``, and ``await request.aclerk()`` for asynchronous views."""

    sync_capable: ClassVar[bool] = True
    async_capable: ClassVar[bool] = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        """Wrap the next handler, synchronous or not."""
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    # --- What a site may override ---------------------------------------------------------

    def get_backend(self) -> SessionBackend:
        """Return the Backend API; called only when it is needed."""
        from .clients import get_client

        return get_client()

    def get_time(self) -> float:
        """Return the time, in seconds since the epoch."""
        return time.time()

    def may_renew(self, path: str) -> bool:
        """Whether the path lies below one of ``ORG_INVITATIONS_HANDSHAKE_PATHS``."""
        return any(_is_below(path, prefix) for prefix in conf.HANDSHAKE_PATHS or ())

    # --- The way of a request -------------------------------------------------------------

    def __call__(self, request: HttpRequest) -> Any:
        """Answer a request."""
        if self.is_async:
            return self.__acall__(request)
        with within(conf.REQUEST_SECONDS):
            self._attach(request)
            response = self._renew(request) if self.may_renew(request.path) else None
            return self._finish(request, response or self.get_response(request))

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request under ASGI; what may wait for the network does so in a thread."""
        with within(conf.REQUEST_SECONDS):
            self._attach(request)
            response: HttpResponseBase | None = None
            if self.may_renew(request.path):
                response = await sync_to_async(self._renew)(request)
            return self._finish(request, response or await self.get_response(request))

    def process_view(
        self,
        request: HttpRequest,
        view_func: Callable[..., Any],
        view_args: Sequence[Any],
        view_kwargs: dict[str, Any],
    ) -> HttpResponse | None:
        """Send the browser to Clerk before a view that may renew a session."""
        # What lies below a path of the setting has been decided already.
        if not _is_marked(view_func) or self.may_renew(request.path):
            return None
        return self._renew(request)

    # --- The steps ------------------------------------------------------------------------

    def _attach(self, request: HttpRequest) -> None:
        session = ClerkSession(partial(self._decide, request, may_renew=False))
        target = cast("ClerkHttpRequest", request)
        target.clerk = session
        target.aclerk = sync_to_async(session.resolve)

    def _renew(self, request: HttpRequest) -> HttpResponse | None:
        state = self._decide(request, may_renew=True)
        if state.location is not None and _is_for_programs(request):
            state = self._decide(request, may_renew=False)
        session = ClerkSession(lambda: state).resolve()
        target = cast("ClerkHttpRequest", request)
        target.clerk = session
        target.aclerk = sync_to_async(session.resolve)
        if state.location is None:
            return None
        # Chrome keeps the redirects of inactive tabs, and would go round for ever.
        return HttpResponse(
            status=307, headers={"Location": state.location, "Cache-Control": "no-store"}
        )

    def _decide(self, request: HttpRequest, *, may_renew: bool) -> SessionState:
        url = request.build_absolute_uri()  # DisallowedHost is answered by Django, with 400
        if origin(url) is None:
            raise DisallowedHost(f"Invalid HTTP_HOST header: {request.get_host()!r}.")
        context = RequestContext(
            method=request.method or "",
            url=url,
            headers=request.headers,
            key=_publishable_key(),
            now=self.get_time(),
        )
        authenticator = self._authenticator()
        return renew_without_party(
            authenticator.authenticate(context, may_renew=may_renew),
            context,
            may_renew=may_renew,
            frontend_api_url=authenticator.frontend_api_url,
            is_on=conf.AZP_HANDSHAKE,
        )

    def _authenticator(self) -> Authenticator:
        key = _publishable_key()
        return Authenticator(
            verifier=TokenVerifier(
                keys=self._keys(),
                issuer=key.frontend_api,
                authorized_parties=conf.CLERK_AUTHORIZED_PARTIES,
                clock=self.get_time,
            ),
            backend=self.get_backend,
            frontend_api_url=conf.CLERK_PROXY_URL or f"https://{key.frontend_api}",
        )

    def _keys(self) -> KeySource:
        if conf.CLERK_JWT_KEY:
            return PemKeys(conf.CLERK_JWT_KEY)
        scope = (conf.CLERK_API_URL, conf.CLERK_SECRET_KEY, conf.CACHE_ALIAS)
        keys = _remote_keys.get(scope)
        if keys is None:
            # setdefault, because two threads may get here; one lock must guard the fetch.
            keys = _remote_keys.setdefault(
                scope,
                RemoteKeys(
                    self._fetch_keys,
                    SiteCache(scope[2]),
                    *scope[:2],
                    place=lambda: get_bulkhead().place(),
                ),
            )
        return keys

    @async_unsafe("Clerk's keys must be fetched: use `await request.aclerk()` in async code.")
    def _fetch_keys(self) -> dict[str, Any]:
        return dict(self.get_backend().get_jwks())

    def _finish(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if has_parts(request):
            add_never_cache_headers(response)  # addresses are on it, whoever's page it is
        session = cast("ClerkHttpRequest", request).clerk
        state = session.state
        if state is None:
            return response
        patch_vary_headers(response, ["Cookie", "Authorization"])
        for name, value in state.headers.items():
            response.headers[name] = value
        set_cookies(response, state.directives)
        if state.directives and state.location is None:
            patch_cache_control(response, private=True)
        if state.status != "signed-in":
            response.headers["X-Clerk-Auth-Status"] = state.status
            for header, text in (("Reason", state.reason), ("Message", state.message)):
                if text:
                    response.headers[f"X-Clerk-Auth-{header}"] = _UNPRINTABLE.sub("?", text)
        return response


def _publishable_key() -> PublishableKey:
    try:
        return parse_publishable_key(conf.CLERK_PUBLISHABLE_KEY)
    except InvalidPublishableKey as error:
        raise ImproperlyConfigured(f"CLERK_PUBLISHABLE_KEY: {error}") from None


if hasattr(os, "register_at_fork"):
    # A lock may have been held while forking, and would stay so for ever.
    os.register_at_fork(after_in_child=_remote_keys.clear)


def _is_marked(view: Callable[..., Any]) -> bool:
    return bool(
        getattr(view, _MARK, False) or getattr(getattr(view, "view_class", None), _MARK, False)
    )


def _is_for_programs(request: HttpRequest) -> bool:
    """Whether a view is one that programs call: exempt from CSRF checks, and not marked.

    That is how API frameworks make theirs. A program that says it accepts HTML is still one, and
    must be told by the view that nobody is signed in.
    """
    try:
        view = resolve(request.path_info, getattr(request, "urlconf", None)).func
    except Resolver404:
        return False
    return bool(getattr(view, "csrf_exempt", False)) and not _is_marked(view)


def _is_below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(prefix if prefix.endswith("/") else f"{prefix}/")


class VerbatimCookie(Morsel[str]):
    """A ``Set-Cookie`` header that Clerk has written, sent as it is.

    Django's ``set_cookie`` would parse a directive and write it anew, and keeps only one cookie of
    a name, where Clerk sets several for different paths and domains.
    """

    def __init__(self, directive: str) -> None:
        """Take a directive, ``name=value; Path=/; …``: one line of printable ASCII."""
        super().__init__()
        name = directive_name(directive)
        value = directive.split(";", 1)[0].partition("=")[2]
        self.set(name, value, value)
        self._directive = directive

    def OutputString(self, attrs: Any = None) -> str:
        """Return the directive."""
        return self._directive

    def copy(self) -> VerbatimCookie:
        """Return another one."""
        return VerbatimCookie(self._directive)

    def __reduce__(self) -> tuple[Any, ...]:
        # Django's cache middleware pickles responses.
        return (VerbatimCookie, (self._directive,))


def set_cookies(response: HttpResponseBase, directives: Iterable[str]) -> None:
    """Add ``Set-Cookie`` headers to a response, one for each directive, in their order."""
    for directive in directives:
        # The handlers of Django print the values; the keys only have to differ.
        name = key = directive_name(directive)
        number = 1
        while key in response.cookies:
            number += 1
            key = f"{name};{number}"
        dict.__setitem__(response.cookies, key, VerbatimCookie(directive))
