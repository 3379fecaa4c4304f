"""Parts of the page in pages of a site's own: by a template tag, or by ``hx-get``."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import Any, Final, Self, cast
from urllib.parse import unquote, urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.http.response import HttpResponseRedirectBase
from django.template.response import TemplateResponse
from django.urls import ResolverMatch, get_script_prefix
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, ngettext

from .. import embedding, htmx
from ..clerk import ClerkError
from ..clerk.deadline import within
from ..clerk.session.handshake import return_location
from ..clients import get_client
from ..conf import conf
from ..forms import RoleField
from ..identity import can_sign_in, get_sign_in_url, is_clerk_silent, is_renewable
from ..roles import AssignableRoles
from ..services import InvitationQuery, get_manageable_organizations
from ..services.pending import count_pending
from .base import SeeOther
from .page import PageMixin

#: Parts that stand in a line of text or a form: nothing is said in their place.
_INLINE: Final = frozenset({"role-select", "pending-count"})

_NAME: Final = re.compile(r"[\w.\[\]-]{1,80}")

#: What a copy of a request has of its own.
_OWN: Final = frozenset(
    {"GET", "_body", "_files", "_post", "_read_started", "_stream", "environ", "headers", "htmx"}
)
#: What the CSRF token's middleware reads of a request after the view.
_TOKENS: Final = ("CSRF_COOKIE", "CSRF_COOKIE_NEEDS_UPDATE")


class EmbedView(PageMixin):
    """A part of the page, for a page of the site's own; each person sees in it what they may see.

    Loaded by htmx it is an answer of its own. A template tag asks it from within the site's page.
    """

    http_method_names = ["get", "head", "options"]

    #: The form, the list, or both.
    embed_template_name = "org_invitations/embeds/embed.html"
    #: What stands in place of them: why they cannot be seen, or what brings them.
    embed_problem_template_name = "org_invitations/embeds/problem.html"
    #: A select of the roles that the person may give.
    role_select_template_name = "org_invitations/embeds/role_select.html"
    #: How many invitations are pending.
    pending_count_template_name = "org_invitations/embeds/pending_count.html"

    #: Whether a template tag asks; and if so, whether it is to bring regions and dialog.
    _is_tag = False
    _brings_shared = True

    @classmethod
    def embed(
        cls, request: HttpRequest, match: ResolverMatch, url: str, *, options: dict[str, str]
    ) -> SafeString:
        """Return a part as a template tag shows it.

        :param request: that of the page around it.
        :param match: what the part's URL resolves to.
        :param url: that URL.
        :param options: what would stand in its query.
        """
        view = cls(**getattr(match.func, "view_initkwargs", {}))
        view._is_tag = True
        view._brings_shared = embedding.claim(request, match.kwargs["part"])
        around = _HostRequest.within(request, match, url, options)
        view.setup(around, *match.args, **match.kwargs)
        view.wording = view.get_wording()
        with within(conf.REQUEST_SECONDS):  # the middleware has begun it, where there is one
            response = view._send_on(view._answer_or_explain(around, *match.args, **match.kwargs))
        if isinstance(response, TemplateResponse):
            response = response.render()
        around.return_tokens(request)
        return mark_safe(cast("HttpResponse", response).text.strip())  # noqa: S308 - a template has made it

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show the part; who has opened its URL in a browser goes to the page itself."""
        if self._part not in embedding.PARTS:
            raise Http404
        if not self._is_tag and not htmx.is_htmx(request):
            return SeeOther(self.get_url("list"))
        if self._part == "pending-count":
            return self._render_count()
        if self._part == "role-select":
            snapshot = self.service.open()
            return self._render_role_select(snapshot.roles, snapshot.roles_error)
        query = InvitationQuery.parse(request.GET) if "list" in self._elements else None
        snapshot = self.service.open(query=query)
        context = self._get_page_context(snapshot, self.get_invite_form(snapshot.roles))
        return self._mark(self.render(self.embed_template_name, context))

    # --- The small ones ---------------------------------------------------------------------

    def _render_count(self) -> HttpResponse:
        """Say how many are pending, to who may see them."""
        self.service.open(roles=False)
        count = count_pending(self.service.api)
        text = ngettext("%(count)d pending", "%(count)d pending", count) % {"count": count}
        context = {"count": count, "text": text}
        return self._mark(self.render(self.pending_count_template_name, context))

    def _render_role_select(
        self, roles: AssignableRoles, error: ClerkError | None = None, message: str = ""
    ) -> HttpResponse:
        """Show the roles as a select for a form of the site's, who checks what comes of it."""
        options = self.request.GET
        name = self._get_name("name") or "role"
        attrs = {"id": self._get_name("id") or f"id_{name}", "required": True}
        field = RoleField(roles=roles, initial=options.get("value") or None)
        if error is not None:
            message = self.wording.say("Roles")
        elif field.disabled:
            message = str(field.help_text)
        widget: Any = field.widget
        context = {
            "select": widget.render(name, field.initial, attrs),
            "name": name,
            "id": attrs["id"],
            "problem": message,
        }
        return self._mark(self.render(self.role_select_template_name, context))

    def _get_name(self, option: str) -> str:
        """Return what a field is to be called, if that can be a name."""
        name = self.request.GET.get(option, "")
        return name if _NAME.fullmatch(name) else ""

    # --- What is different within a page of the site's --------------------------------------

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        """Return the context, with what the part itself is."""
        embed = {
            "part": self._part,
            "has_form": "form" in self._elements,
            "has_list": "list" in self._elements,
            "has_shared": self._has_shared,
            "headers": json.dumps(self._get_headers()),
            "url": self._get_own_url(),
        }
        return super().get_context_data(**context) | {"embed": embed}

    def _get_headers(self) -> dict[str, str]:
        return super()._get_headers() | {embedding.PART_HEADER: self._part}

    @property
    def _has_shared(self) -> bool:
        """Whether regions and dialog come with this part, whatever becomes of it."""
        return bool(self._elements) and self._brings_shared and "bare" not in self.request.GET

    def _send_on(self, response: HttpResponseBase) -> HttpResponseBase:
        """Show where a redirect leads: a part takes nobody away from the page around it."""
        is_asked = self._is_tag or htmx.is_htmx(self.request)
        if not (isinstance(response, HttpResponseRedirectBase) and is_asked):
            return response
        if self._part in _INLINE:
            return self._mark(HttpResponse())
        context = {
            "message": gettext("This continues on another page."),
            "status": HTTPStatus.OK,
            "onward_url": response.url,
            "is_inline": not self._says(response.url),
        }
        return self._mark(self.render(self.embed_problem_template_name, context))

    def render_problem(self, message: str, *, status: int, **_: Any) -> HttpResponse:
        """Say it in the part's place; nothing, where it stands in a line of text."""
        if self._part == "role-select" and status != HTTPStatus.FORBIDDEN:
            return self._render_role_select(AssignableRoles(), message=message)
        if self._part in _INLINE:
            return self._mark(HttpResponse())
        context = {"message": message, "status": status, "is_inline": not self._says(message)}
        return self._mark(self.render(self.embed_problem_template_name, context))

    def handle_signed_out(self) -> HttpResponseBase:
        """Let the session be renewed and the part come then; else, let the person sign in."""
        request = self.request
        if not can_sign_in(request):
            problem = self.wording.for_session(is_clerk_silent=is_clerk_silent(request))
            return self.render_problem(problem.message, status=problem.status)
        session_url = self._find_url("session") if is_renewable(request) else ""
        if self._part in _INLINE and not session_url:
            return self._mark(HttpResponse())
        message = gettext("You are signed out. Sign in, come back here and try again.")
        if session_url and self._is_tag:
            message = gettext("Checking whether you are signed in…")
        context = {
            "message": message,
            "status": HTTPStatus.UNAUTHORIZED,
            "session_url": session_url,
            "sign_in_url": get_sign_in_url(request.build_absolute_uri(self._host or "/")),
            # Once: what htmx has asked for, and still is not there, is not asked for again.
            "is_loading": bool(session_url) and self._is_tag,
            "is_inline": self._part in _INLINE or not self._says(message),
        }
        status = HTTPStatus.OK if self._is_tag else HTTPStatus.UNAUTHORIZED
        response = self.render(self.embed_problem_template_name, context, status=status)
        return htmx.offer_renewal(self._mark(response), session_url)

    def handle_no_organization(self) -> HttpResponseBase:
        """Show the only one whose members the person may manage; else, let them choose."""
        memberships = get_manageable_organizations(get_client(), self.identity.user_id)
        choices = [membership.organization for membership in memberships]
        if not choices:
            return self.handle_not_permitted()
        if len(choices) == 1 and self._find_url("list", organization_id=choices[0].id):
            self.kwargs["organization_id"] = choices[0].id
            return self._answer_for(self.request, *self.args, **self.kwargs)
        message = gettext("No organization is active. Switch to one, then open this page again.")
        return self.render_problem(message, status=HTTPStatus.CONFLICT)

    def _says(self, message: str) -> bool:
        """Whether this part says it: the first one on the site's page."""
        return not self._is_tag or embedding.say_once(self.request, message)

    # --- Parts of it ------------------------------------------------------------------------

    @property
    def _part(self) -> str:
        return str(self.kwargs["part"])

    @property
    def _elements(self) -> frozenset[str]:
        return embedding.PARTS[self._part]

    @property
    def _host(self) -> str:
        """The page around the part."""
        if isinstance(self.request, _HostRequest):
            return self.request.host_path
        return embedding.check_host(htmx.get_shown_path(self.request)) or embedding.get_host(
            self.request
        )

    def _get_own_url(self) -> str:
        """Return where htmx gets the part from."""
        options = dict(self.request.GET.items())
        if not self._brings_shared and self._elements:
            options["bare"] = "1"
        url = self.get_url("embed", part=self._part)
        return f"{url}?{urlencode(options)}" if options else url

    def _mark(self, response: HttpResponse) -> HttpResponse:
        return htmx.mark_fragment(response, f"org-invitations-embed-{self._part}")


class _HostRequest(HttpRequest):
    """The request of a page of the site's, as if it had asked for a part of the app's."""

    host_path = ""
    _host_scheme = "http"

    @classmethod
    def within(
        cls, request: HttpRequest, match: ResolverMatch, url: str, options: dict[str, str]
    ) -> Self:
        """Make one: who asks, in which language and with which token is the same."""
        around = cls()
        around.COOKIES = request.COOKIES
        around.__dict__.update(
            {name: value for name, value in request.__dict__.items() if name not in _OWN}
        )
        around.META = {k: v for k, v in request.META.items() if not k.startswith("HTTP_HX_")}
        around.method = "GET"
        around.path = unquote(url)
        around.path_info = f"/{around.path.removeprefix(get_script_prefix())}"
        around.GET = QueryDict(urlencode(options))
        around.resolver_match = match
        around._host_scheme = request.scheme or "http"
        # On its way to another page, htmx still names the one that is being left.
        details = htmx.get_htmx(request)
        is_on_the_way = details.boosted or details.history_restore_request
        shown = ("" if is_on_the_way else htmx.get_shown_path(request)) or request.get_full_path()
        around.host_path = embedding.check_host(return_location(shown))
        return around

    def return_tokens(self, request: HttpRequest) -> None:
        """Let the site's answer set the cookie of the token that stands in the part's forms."""
        request.META.update({k: self.META[k] for k in _TOKENS if k in self.META})

    def _get_scheme(self) -> str:
        return self._host_scheme
