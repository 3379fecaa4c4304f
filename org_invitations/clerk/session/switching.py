"""Making an organization the active one by sending the browser to Clerk and back.

The handshake of Clerk's Frontend API takes an ``organization_id``, as its backend SDK sends it
where the URL names another organization than the session (``organizationSyncOptions``).
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

from .handshake import build_location
from .request import RequestContext

#: Why the browser is sent, in Clerk's words.
REASON = "active-organization-mismatch"


def build_switch(
    request: RequestContext, *, organization_id: str, return_to: str, frontend_api_url: str
) -> str:
    """Return the URL of a handshake after which the organization is the active one.

    Clerk leaves a session as it is that may not be in the organization.

    :param organization_id: ``org_…``
    :param return_to: the absolute URL to come back to, on a page that renews sessions.
    :param frontend_api_url: ``https://<frontend api>``, or a proxy for it.
    """
    location = build_location(replace(request, url=return_to), REASON, frontend_api_url)
    return f"{location}&organization_id={quote(organization_id, safe='')}"
