"""The URLs: ``include("org_invitations.urls")`` under a prefix of the site's choice.

Each page exists twice: for the organization that is active in the session, and below
``organizations/<organization_id>/`` for the one that the URL names, by id or by slug. A site may
also put ``<organization_id>`` into the prefix of its ``include``. In every case Clerk is asked
whether the person may manage that organization's members.
"""

from __future__ import annotations

from django.urls import URLPattern, path, register_converter

from . import views
from .converters import InvitationIdConverter, OrganizationConverter

register_converter(InvitationIdConverter, "clerk_invitation_id")
register_converter(OrganizationConverter, "clerk_organization")

app_name = "org_invitations"


def _pages(prefix: str) -> list[URLPattern]:
    return [
        path(f"{prefix}", views.InvitationListView.as_view(), name="list"),
        path(f"{prefix}session/", views.SessionView.as_view(), name="session"),
        path(f"{prefix}export/", views.ExportView.as_view(), name="export"),
        path(f"{prefix}check/", views.CheckView.as_view(), name="check"),
        path(f"{prefix}invite/", views.InviteView.as_view(), name="invite"),
        path(f"{prefix}selected/", views.SelectionView.as_view(), name="selection"),
        path(f"{prefix}outcomes/<uuid:batch_id>/", views.OutcomeView.as_view(), name="outcome"),
        path(
            f"{prefix}<clerk_invitation_id:invitation_id>/revoke/",
            views.RevokeInvitationView.as_view(),
            name="revoke",
        ),
        path(
            f"{prefix}<clerk_invitation_id:invitation_id>/resend/",
            views.ResendInvitationView.as_view(),
            name="resend",
        ),
        path(
            f"{prefix}<clerk_invitation_id:invitation_id>/change/",
            views.ChangeInvitationView.as_view(),
            name="change",
        ),
        path(
            f"{prefix}<clerk_invitation_id:invitation_id>/link/",
            views.InvitationLinkView.as_view(),
            name="link",
        ),
    ]


# reverse() tries the last pattern first: the short ones, where both would do.
urlpatterns = [*_pages("organizations/<clerk_organization:organization_id>/"), *_pages("")]
