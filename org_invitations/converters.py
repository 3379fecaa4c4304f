"""How ids of Clerk's look in a URL. Everything else is a 404 before any view runs."""

from __future__ import annotations


class InvitationIdConverter:
    """``orginv_…``"""

    regex = "orginv_[A-Za-z0-9_-]{1,200}"

    def to_python(self, value: str) -> str:
        """Return the id as it is."""
        return value

    def to_url(self, value: str) -> str:
        """Return the id as it is."""
        return value


class OrganizationConverter(InvitationIdConverter):
    """``org_…`` or an organization's slug."""

    regex = "org_[A-Za-z0-9_-]{1,200}|[A-Za-z0-9][A-Za-z0-9_-]{0,254}"
