"""The URLs: ``include("org_invitations.urls")`` under a prefix of the site's choice.

Each page exists twice: for the organization that is active in the session, and below
``organizations/<organization_id>/`` for the one that the URL names, by id or by slug. A site may
also put ``<organization_id>`` into the prefix of its ``include``. In every case Clerk is asked
whether the person may manage that organization's members.

A site that changes something gives one class for all pages: ``include(get_urls(TeamPages))``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured
from django.urls import URLPattern, path, register_converter
from django.views.generic.base import View

from . import views
from .converters import InvitationIdConverter, OrganizationConverter
from .pages import check_pages, combine
from .roles import GrantPolicy

register_converter(InvitationIdConverter, "clerk_invitation_id")
register_converter(OrganizationConverter, "clerk_organization")

app_name = "org_invitations"

_ONE: Final = "<clerk_invitation_id:invitation_id>/"

#: Every page: its name, where it is, its view, and what that is told.
_PAGES: Final[tuple[tuple[str, str, type[View], dict[str, Any]], ...]] = (
    ("list", "", views.InvitationListView, {}),
    ("session", "session/", views.SessionView, {}),
    ("export", "export/", views.ExportView, {}),
    ("embed", "embed/<slug:part>/", views.EmbedView, {}),
    ("check", "check/", views.PreviewView, {}),
    ("invite", "invite/", views.InviteView, {}),
    ("draft", "drafts/<uuid:draft_id>/", views.DraftView, {}),
    ("selection", "selected/", views.SelectionView, {}),
    ("outcome", "outcomes/<uuid:batch_id>/", views.OutcomeView, {}),
    ("progress", "outcomes/<uuid:batch_id>/progress/", views.ProgressView, {}),
    ("cancel", "outcomes/<uuid:batch_id>/cancel/", views.CancelRestView, {}),
    ("revoke", f"{_ONE}revoke/", views.RevokeInvitationView, {}),
    ("resend", f"{_ONE}resend/", views.ResendInvitationView, {}),
    ("change", f"{_ONE}change/", views.ResendInvitationView, {"is_change": True}),
    ("link", f"{_ONE}link/", views.InvitationLinkView, {}),
)

#: Without these the others do not work.
_NEEDED: Final = frozenset({"list", "session", "invite", "outcome", "progress", "cancel", "revoke"})

#: What is each view's own: another view's would not do.
_VIEWS_OWN: Final = frozenset({"as_view", "embed", "get", "post", "http_method_names", "is_change"})


def get_urls(
    pages: type | None = None, *, without: Collection[str] = ()
) -> tuple[list[URLPattern], str]:
    """Return the URLs of all pages, for ``include``, as a class of the site's has them.

    ::

        class TeamPages:
            wording_class = TeamWording
            invite_form_class = TeamInviteForm
            list_template_name = "team/list.html"

        urlpatterns = [path("team/", include(get_urls(TeamPages)))]

    :param pages: a plain class with attributes and methods of the views: each view that has one of
        that name takes it from there, before its own. Names that begin with ``_`` are the site's.
    :param without: the names of pages that the site does without; they are not offered then.
    :returns: the patterns and the name of the application; a site that includes more than one
        gives each further one a namespace: ``include(get_urls(TeamPages), namespace="team")``.
    :raises ImproperlyConfigured: ``pages`` has a name that no view knows, or a class that cannot
        take the place of the app's; ``without`` names a page that is needed, or that there is not.
    """
    _check_without(without)
    if pages is not None:
        check_pages(pages, _get_known())
    return list(_get_patterns(pages, without)), app_name


def _get_patterns(pages: type | None, without: Collection[str]) -> Iterator[URLPattern]:
    kinds = {view: combine(pages, view) for _, _, view, _ in _PAGES}
    # reverse() tries the last pattern first: the short ones, where both would do.
    for prefix in ("organizations/<clerk_organization:organization_id>/", ""):
        for name, route, view, told in _PAGES:
            if name not in without:
                yield path(f"{prefix}{route}", kinds[view].as_view(**told), name=name)


# --- What a site may get wrong -----------------------------------------------------------------


def _check_without(without: Collection[str]) -> None:
    names = {name for name, *_ in _PAGES}
    for name in without:
        if name in _NEEDED or name not in names:
            problem = "is needed by the others" if name in names else "is no page of the app"
            raise ImproperlyConfigured(
                f"get_urls(without=…): {name!r} {problem}. "
                f"A site can do without {', '.join(sorted(names - _NEEDED))}."
            )


def _get_known() -> dict[str, Any]:
    """Return what a site may change, by its name, with the app's own value."""
    known: dict[str, Any] = {"setup": None, "dispatch": None}
    for _, _, view, _ in _PAGES:
        for kind in view.__mro__:
            if kind.__module__.startswith(f"{__package__}."):
                for name, value in vars(kind).items():
                    if not name.startswith("_") and name not in _VIEWS_OWN:
                        known.setdefault(name, value)
    known["grant_policy_class"] = GrantPolicy
    return known


urlpatterns = get_urls()[0]
