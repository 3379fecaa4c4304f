"""Frontend API: the handshake, which gives a site's browser fresh cookies."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from . import errors, tokens
from .clients import (
    CLIENT_COOKIE,
    YEAR,
    CookieWriter,
    known_client,
    new_client,
    origin_of,
    signed_in,
    switch_organization,
)
from .errors import ClerkError
from .routing import FAPI, Call, Router
from .state import Client, Nonce
from .wire import EmulatorResponse, redirect

router = Router(FAPI)

NONCE_LIFETIME_MS = 60_000
HANDSHAKE = "__clerk_handshake"
HANDSHAKE_NONCE = "__clerk_handshake_nonce"


def with_query(url: str, **changes: str | None) -> str:
    """``url`` with parameters set, or with ``None`` taken away."""
    parts = urlsplit(url)
    pairs = [p for p in parse_qsl(parts.query, keep_blank_values=True) if p[0] not in changes]
    pairs += [(name, value) for name, value in changes.items() if value is not None]
    return urlunsplit(parts._replace(query=urlencode(pairs)))


def client_cookie(client: Client, *, secure: bool = False) -> tuple[str, str]:
    """The header that makes the browser known to the Frontend API."""
    tail = "; Secure" if secure else ""
    value = f"{CLIENT_COOKIE}={client.cookie}; Path=/; Max-Age={YEAR}; HttpOnly{tail}"
    return "Set-Cookie", f"{value}; SameSite=Lax"


@router.on("GET", "/.well-known/jwks.json")
def well_known_jwks(call: Call) -> dict[str, object]:
    return call.emulator.keys.jwks()


@router.on("GET", "/v1/client/handshake")
def handshake(call: Call) -> EmulatorResponse:
    """Sends the browser back with fresh cookies, or with those of somebody signed out.

    ``format=nonce`` leaves them to be fetched once from the Backend API, ``format=token`` (the
    default) sends them in a signed token. A development instance puts either into the query of
    ``redirect_url``, a production instance into a cookie.
    """
    emulator, request = call.emulator, call.request
    target = request.argument("redirect_url")
    wanted = request.argument("format") or "token"
    if not target:
        raise errors.param_missing("redirect_url")
    if not emulator.may_return_to(target):
        raise _redirect_refused()
    if wanted not in ("nonce", "token"):
        raise errors.param_value_invalid("format")
    client = known_client(emulator, request) or new_client(emulator)
    who = signed_in(emulator, client)
    organization = request.argument("organization_id")
    if who is not None and organization is not None:
        switch_organization(emulator, who.session, organization)
        who = signed_in(emulator, client)

    production = emulator.settings.is_production
    writer = CookieWriter(emulator, origin_of(target))
    name = HANDSHAKE_NONCE if wanted == "nonce" else HANDSHAKE
    session = writer.session(who, with_azp=emulator.settings.handshake_azp)
    directives = [*session, *writer.uat(who), *writer.refresh(who)]
    if production:
        # Nothing else would take the cookie away once the site has used it.
        directives.append(f"{name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax")
    else:
        directives += writer.dev_browser(client)

    value = _leave(call, directives) if wanted == "nonce" else _sign(call, directives)
    headers = [client_cookie(client, secure=bool(writer.secure))]
    if production:
        tail = f"HttpOnly{writer.secure}; SameSite=Lax"
        headers.append(("Set-Cookie", f"{name}={value}; Path=/; Max-Age=60; {tail}"))
        return redirect(target, 307, headers)
    location = with_query(target, **{"__clerk_db_jwt": None, name: value})
    return redirect(location, 307, headers)


def _sign(call: Call, directives: list[str]) -> str:
    return tokens.sign(call.emulator, {"handshake": directives}, category=None)


def _leave(call: Call, directives: list[str]) -> str:
    nonce = call.state.new_secret("nonce")
    call.state.nonces[nonce] = Nonce(directives, call.now_ms + NONCE_LIFETIME_MS)
    return nonce


def _redirect_refused() -> ClerkError:
    return ClerkError(
        403,
        "prohibited_redirect_url",
        "Redirect url is not allowed",
        "redirect_url must lead to this machine or to the site the emulator was started for.",
        meta={"param_name": "redirect_url"},
    )
