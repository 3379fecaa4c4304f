"""The URLs for people who are invited: ``include("org_invitations.join_urls")``.

They are public, and ``ORG_INVITATIONS_JOIN_URL`` says where they are mounted. A site that changes
something gives one class for all of them: ``include(join_urls.get_urls(WelcomePages))``.
"""

from __future__ import annotations

from typing import Final

from django.urls import URLPattern, path, register_converter
from django.views.generic.base import View

from .converters import JoinValueConverter
from .pages import check_pages, combine
from .views.join import JoinEntryView, JoinOnwardView, JoinView
from .views.mine import MyInvitationsView

register_converter(JoinValueConverter, "clerk_join_value")

app_name = "org_invitations_join"

_VALUE: Final = "<clerk_join_value:value>/"

_PAGES: Final[tuple[tuple[str, str, type[View]], ...]] = (
    ("entry", "", JoinEntryView),
    ("mine", "mine/", MyInvitationsView),
    ("link", _VALUE, JoinEntryView),
    ("invitation", f"{_VALUE}invitation/", JoinView),
    ("onward", f"{_VALUE}on/", JoinOnwardView),
)

#: What a site may change. Not who is let in, and not what is done: these pages are anybody's, and
#: what keeps a link from joining the wrong person is spread over all of their methods.
_NAMES: Final = (
    *("wording_class", "get_wording", "get_context_data", "render"),
    *("join_template_name", "mine_template_name", "onward_template_name"),
    *("problem_template_name", "problem_fragment_name"),
)


def get_urls(pages: type | None = None) -> tuple[list[URLPattern], str]:
    """Return the URLs of all pages for joining, for ``include``, as a class of the site's has them.

    ::

        class WelcomePages:
            wording_class = TeamWording
            join_template_name = "team/welcome.html"

        urlpatterns = [path("join/", include(join_urls.get_urls(WelcomePages)))]

    :param pages: a plain class with the sentences, the names of templates, and what they get. What
        it has in common with that of :func:`org_invitations.urls.get_urls` both can inherit.
    :returns: the patterns and the name of the application.
    :raises ImproperlyConfigured: ``pages`` has another name, or a class that cannot take the place.
    """
    if pages is not None:
        views = [view for *_, view in _PAGES]
        known = {
            name: next(getattr(view, name) for view in views if hasattr(view, name))
            for name in _NAMES
        }
        check_pages(pages, known)
    patterns = [path(url, combine(pages, view).as_view(), name=name) for name, url, view in _PAGES]
    return patterns, app_name


urlpatterns = get_urls()[0]
