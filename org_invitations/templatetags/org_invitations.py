"""Tags that put parts of the page into a page of the site's own: ``{% load org_invitations %}``.

Each person sees in them what they may see on the page itself. docs/embedding.md tells more.
"""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import unquote

from django import template
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.template import Context, TemplateSyntaxError
from django.urls import NoReverseMatch, get_script_prefix, resolve, reverse
from django.utils.safestring import SafeString

from .. import embedding
from ..clerk import ClerkError
from ..clients import get_client
from ..services.joining.mine import count_my_invitations
from ..views.joining import get_person

logger = logging.getLogger("org_invitations")

register = template.Library()


@register.simple_tag(takes_context=True)
def org_invitations(context: Context, **where: Any) -> SafeString:
    """Put the form and the list here.

    :param where: ``organization`` names one, by id or slug, else it is the active one;
        ``namespace`` the mount, where there are several; ``status`` the invitations that the list
        begins with. What else the site's prefix captures is given by its name.
    """
    return _embed(context, "page", where, ("status",))


@register.simple_tag(takes_context=True)
def org_invitations_list(context: Context, **where: Any) -> SafeString:
    """Put the list here, without the form; as :func:`org_invitations`."""
    return _embed(context, "list", where, ("status",))


@register.simple_tag(takes_context=True)
def org_invitations_form(context: Context, **where: Any) -> SafeString:
    """Put the form here, without the list; as :func:`org_invitations`."""
    return _embed(context, "form", where)


@register.simple_tag(takes_context=True)
def org_invitations_role_select(context: Context, name: str = "role", **where: Any) -> SafeString:
    """Put a select of the roles that the person may give into a form of the site's.

    :param name: the field's name; ``id`` and ``value``, the role that is chosen, are parameters
        of the same kind.
    """
    return _embed(context, "role-select", {"name": name, **where}, ("name", "id", "value"))


@register.simple_tag(takes_context=True)
def org_invitations_pending_count(context: Context, **where: Any) -> SafeString:
    """Say how many invitations are pending, "3 pending"; nothing to who may not see them."""
    return _embed(context, "pending-count", where)


@register.simple_tag(takes_context=True)
def org_invitations_my_count(context: Context) -> int | str:
    """Return how many invitations wait for the signed-in person; remembered for a minute.

    Empty where nobody is signed in, somebody acts as another person, or Clerk does not answer: no
    page fails over it.
    """
    request = _get_request(context)
    if request is not None:
        embedding.keep_nowhere(request)  # not even that nobody is signed in: the next one may be
    try:
        person = get_person(request) if request is not None else None
        if person is None or person.actor_id:
            return ""
        return count_my_invitations(get_client(), person.user_id)
    except ClerkError:
        return ""
    except ImproperlyConfigured:
        logger.exception("The number of somebody's invitations is not known.")
        return ""


def _get_request(context: Context) -> HttpRequest | None:
    """Return Django's request. A template of Django REST framework's has one that is around it."""
    request = context.get("request")
    if not isinstance(request, HttpRequest):
        request = getattr(request, "_request", None)
    return request if isinstance(request, HttpRequest) else None


def _embed(
    context: Context, part: str, where: dict[str, Any], options: tuple[str, ...] = ()
) -> SafeString:
    request = _get_request(context)
    if request is None:
        raise ImproperlyConfigured(
            "The tags of org_invitations need the request: add "
            "'django.template.context_processors.request' to the context processors."
        )
    namespace = where.pop("namespace", "org_invitations")
    query = {name: str(where.pop(name)) for name in options if where.get(name)}
    if "organization" in where:
        organization = where.pop("organization")
        if not organization:
            # A variable that is not there. In the place of the one that was meant nobody is to be
            # invited into the active one.
            logger.warning("Nothing of %r is shown: its organization is empty.", part)
            return SafeString("")
        where["organization_id"] = organization
    try:
        url = reverse(f"{namespace}:embed", kwargs={"part": part, **where})
    except NoReverseMatch as error:
        raise ImproperlyConfigured(
            f"The tags of org_invitations need the page 'embed' in {namespace!r}: {error}"
        ) from error
    path = f"/{unquote(url).removeprefix(get_script_prefix())}"
    match = resolve(path, getattr(request, "urlconf", None))
    if not embedding.is_free(request, part):
        raise TemplateSyntaxError(
            f"The page has the elements of {part!r} already, and their ids are there once only."
        )
    view: Any = match.func
    return SafeString(view.view_class.embed(request, match, url, options=query))
