"""Sending a browser back to the site after something changed for it here."""

from __future__ import annotations

from urllib.parse import urlsplit

from .clients import DEV_BROWSER, CookieWriter, known_client, new_client, origin_of, signed_in
from .errors import ClerkError
from .handshake import client_cookie, with_query
from .routing import Call
from .state import Client
from .wire import EmulatorResponse, redirect


def client_of(call: Call) -> Client:
    return known_client(call.emulator, call.request) or new_client(call.emulator)


def return_target(call: Call) -> str:
    """``redirect_url``, by default the site's front page. Anywhere else is refused."""
    target = call.request.field("redirect_url") or f"{call.emulator.site}/"
    if not call.emulator.may_return_to(target):
        raise ClerkError(
            403,
            "prohibited_redirect_url",
            "This address is not one to go back to",
            f"{target} is neither on this machine nor the site the emulator was started for.",
        )
    return target


def back_to_site(
    call: Call, client: Client, target: str, *, renew_session: bool = False
) -> EmulatorResponse:
    """On to ``target``.

    A development instance adds the dev browser token to the address, which makes the site fetch
    fresh cookies by a handshake. A production instance sets ``__client_uat`` itself, as it shares
    a domain with the site; ``renew_session`` also sets ``__session``, which in reality Clerk's
    script in the page does after signing out and switching the organization.
    """
    emulator = call.emulator
    headers = [client_cookie(client)]
    if not emulator.settings.is_production:
        target = with_query(target, **{DEV_BROWSER: client.dev_browser})
        return redirect(target, 303, headers)
    if urlsplit(target).hostname == urlsplit(call.request.url).hostname:
        who = signed_in(emulator, client)
        writer = CookieWriter(emulator, origin_of(target))
        lines = writer.uat(who) + (writer.session(who) if renew_session else [])
        headers += [("Set-Cookie", line) for line in lines]
    return redirect(target, 303, headers)
