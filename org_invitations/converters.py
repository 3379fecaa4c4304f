"""How ids of Clerk's look in a URL. Everything else is a 404 before any view runs."""

from __future__ import annotations

from django.urls.converters import StringConverter

#: ``orginv_…``
INVITATION_ID = "orginv_[A-Za-z0-9_-]{1,200}"


class InvitationIdConverter(StringConverter):
    """The id of an invitation."""

    regex = INVITATION_ID


class OrganizationConverter(StringConverter):
    """``org_…`` or an organization's slug."""

    regex = "org_[A-Za-z0-9_-]{1,200}|[A-Za-z0-9][A-Za-z0-9_-]{0,254}"


class JoinValueConverter(StringConverter):
    """What names an invitation in the link of its mail: a signed text, or two ids."""

    regex = (
        r"[A-Za-z0-9_\-]{1,500}:[A-Za-z0-9]{1,12}:[A-Za-z0-9_\-]{20,100}"
        r"|org_[A-Za-z0-9]{1,60}\.orginv_[A-Za-z0-9]{1,60}"
    )
