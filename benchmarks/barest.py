"""The barest Django page that shows the same table: what the app's page is measured against.

One view, ``requests``, one template: the rows and columns of the list, the four actions as plain
links, one form. No session, no permission, no translation, no search, no sorting, no error that is
told, nothing of ``org_invitations``. It makes the one call that the app's warm list makes, for as
many invitations as Clerk gives at once, and shows as many as the page has.

This file is a yardstick: it is not improved.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

import requests
from django.conf import settings as django_settings
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import path

TEMPLATE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Invitations</title></head>
<body>
<h1>Invitations</h1>
<form method="post" action="{% url 'barest-invite' %}">
<label>Email address <input type="email" name="email_address"></label>
<label>Role <select name="role">
<option value="org:member">Member</option>
<option value="org:admin">Admin</option>
</select></label>
<button>Invite</button>
</form>
<table>
<tr><th>Email<th>Invited<th>By<th>Role<th>Expires<th>Actions</tr>
{% for row in rows %}<tr>
<th>{{ row.email_address }}</th>
<td>{{ row.created|date:"DATE_FORMAT" }}</td>
<td>{{ row.public_inviter_data.first_name }} {{ row.public_inviter_data.last_name }}</td>
<td>{{ row.role_name }}</td>
<td>{{ row.expires|date:"DATE_FORMAT" }}</td>
<td><a href="{% url 'barest-change' row.id %}">Change</a>
<a href="{% url 'barest-resend' row.id %}">Resend</a>
<a href="{% url 'barest-link' row.id %}">Copy link</a>
<a href="{% url 'barest-revoke' row.id %}">Revoke</a></td>
</tr>
{% endfor %}</table>
<p>{{ total }} pending</p>
</body>
</html>
"""

settings: Any = django_settings  # with names of the benchmark's own

_session = requests.Session()


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def invitations(request: HttpRequest) -> HttpResponse:
    """Show the first invitations."""
    size = int(request.GET["size"])
    url, organization = settings.CLERK_API_URL, settings.BAREST_ORGANIZATION
    answer = _session.get(
        f"{url}/v1/organizations/{organization}/invitations?status=pending&limit=500&offset=0",
        headers={"Authorization": f"Bearer {settings.CLERK_SECRET_KEY}"},
        timeout=10,
    )
    answer.raise_for_status()
    body: dict[str, Any] = answer.json()
    rows = body["data"][:size]
    for row in rows:
        row["created"] = _moment(row["created_at"])
        row["expires"] = _moment(row["expires_at"])
    context = {"rows": rows, "total": body["total_count"]}
    return HttpResponse(_template().render(context, request))


@cache
def _template() -> Any:
    return engines["django"].from_string(TEMPLATE)


def nothing(request: HttpRequest, invitation_id: str = "") -> HttpResponse:
    """Stand for where a link leads."""
    return HttpResponse("nothing")


urlpatterns = [
    path("barest/", invitations, name="barest-list"),
    path("barest/invite/", nothing, name="barest-invite"),
    path("barest/<str:invitation_id>/change/", nothing, name="barest-change"),
    path("barest/<str:invitation_id>/resend/", nothing, name="barest-resend"),
    path("barest/<str:invitation_id>/link/", nothing, name="barest-link"),
    path("barest/<str:invitation_id>/revoke/", nothing, name="barest-revoke"),
]
