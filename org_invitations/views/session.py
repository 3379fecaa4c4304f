"""The page that renews a session inside another one, in a frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.cache import add_never_cache_headers
from django.utils.decorators import method_decorator
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.generic.base import View

from ..identity import can_sign_in, get_identity, get_sign_in_url, is_clerk_silent
from ..middleware import renews_session
from ..wording import Wording
from . import gate


@renews_session
@method_decorator([xframe_options_sameorigin, login_not_required], name="dispatch")
class SessionView(View):
    """Renew the session by being loaded.

    A form post cannot be sent to Clerk and back, but a frame can: Clerk's SDK renews sessions on
    ``Sec-Fetch-Dest: iframe`` as on a document. By the time this view runs, that has happened.
    """

    http_method_names = ["get", "head", "options"]

    #: The page in the frame.
    session_template_name = "org_invitations/session.html"
    #: The sentences, as those of the other views.
    wording_class: type[Wording] = Wording

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Callable[..., HttpResponseBase]:
        """Return the view for a URLconf; no transaction of ``ATOMIC_REQUESTS`` is around it."""
        return gate.outside_transactions(super().as_view(**initkwargs))

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Say in one line whether somebody is signed in now."""
        is_signed_in = get_identity(request) is not None
        problem = ""
        if not is_signed_in and not can_sign_in(request):
            silent = is_clerk_silent(request)
            problem = self.wording_class().for_session(is_clerk_silent=silent).message
        context = {
            "is_signed_in": is_signed_in,
            "problem": problem,
            "sign_in_url": get_sign_in_url(request.build_absolute_uri()),
        }
        response = TemplateResponse(request, self.session_template_name, context)
        add_never_cache_headers(response)
        return response
