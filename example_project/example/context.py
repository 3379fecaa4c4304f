"""What the header of every page shows."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.http import HttpRequest

from org_invitations.conf import conf
from org_invitations.identity import get_sign_in_url


def clerk(request: HttpRequest) -> dict[str, Any]:
    """Return where to sign in and out.

    Clerk itself has no address that signs out without its JavaScript; a site with real keys
    puts Clerk's ``<UserButton />`` into the header instead.
    """
    here = request.build_absolute_uri()
    emulator = conf.CLERK_PROXY_URL
    back = quote(request.build_absolute_uri("/"), safe="")
    return {
        "sign_in_url": get_sign_in_url(here),
        "sign_out_url": f"{emulator}/sign-out?redirect_url={back}" if emulator else "",
        "switch_url": f"{emulator}/switch?redirect_url={quote(here, safe='')}" if emulator else "",
        "mailbox_url": f"{emulator}/mailbox" if emulator else "",
    }
