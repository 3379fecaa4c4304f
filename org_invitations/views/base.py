"""What all views begin with: who is asking, for which organization, and what if that fails."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from functools import wraps
from http import HTTPStatus
from typing import Any, Final, TypeGuard
from urllib.parse import urlsplit

from django.contrib.auth.decorators import login_not_required
from django.db import Error as DatabaseFault
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.http.response import HttpResponseRedirectBase
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils.cache import add_never_cache_headers
from django.utils.decorators import method_decorator
from django.utils.encoding import iri_to_uri
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt, csrf_protect, requires_csrf_token
from django.views.generic.base import View

from .. import embedding, htmx
from ..clerk import ClerkError
from ..clerk import exceptions as exc
from ..clerk.deadline import within
from ..clients import get_client
from ..conf import conf
from ..identity import (
    Identity,
    can_sign_in,
    get_identity,
    get_sign_in_url,
    is_clerk_silent,
    is_renewable,
)
from ..middleware import renews_session
from ..models import BatchItem
from ..roles import GrantPolicy
from ..services import (
    InvitationService,
    NotMember,
    NotPermitted,
    find_organization_id,
    get_manageable_organizations,
)
from ..services.batches.store import DOUBTFUL, NotSaved, record
from ..services.reasons import Reason
from ..wording import ErrorMessage, Stage, Wording
from . import gate
from .outcome_presenter import UNSAVED, OutcomePresenter

logger = logging.getLogger("org_invitations")

State = BatchItem.State

#: What the URLs of single pages capture, and those of the others do not.
_OWN_KWARGS: Final = frozenset({"batch_id", "draft_id", "invitation_id", "part"})


class SeeOther(HttpResponseRedirectBase):
    """303: go and GET another page, whatever this request's method was."""

    status_code = HTTPStatus.SEE_OTHER


# Who is asking these views find out themselves. Django's LoginRequiredMiddleware would answer
# before them, and an expired session would lose what was typed.
@renews_session
@method_decorator([csrf_protect, login_not_required], name="dispatch")
class OrganizationView(View):
    """Finds out who is asking and for which organization, and answers what cannot be shown."""

    #: The use cases; a subclass of :class:`InvitationService` can change what they do.
    service_class: type[InvitationService] = InvitationService
    #: The sentences; a subclass of :class:`Wording` can reword them.
    wording_class: type[Wording] = Wording
    #: Who may give which role; None takes the class that ``ORG_INVITATIONS_GRANT_POLICY`` names.
    grant_policy_class: type[GrantPolicy] | None = None

    #: A page that says why there is nothing to show.
    problem_template_name = "org_invitations/problem.html"
    #: The same as a fragment.
    problem_fragment_name = "org_invitations/partials/problem.html"
    #: Where on the page that fragment goes.
    _problem_region: str = htmx.ALERT_ID
    #: A page to choose an organization on.
    organizations_template_name = "org_invitations/organization_list.html"

    #: Whether what is posted is to change something: a check, or a question, only finds out.
    _writes: bool = True

    identity: Identity
    service: InvitationService
    wording: Wording

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Callable[..., HttpResponseBase]:
        """Return the view for a URLconf, behind the gate that :mod:`.gate` describes."""
        view = super().as_view(**initkwargs)

        # Django's own check would come before; the very same one is made here.
        @csrf_exempt
        @wraps(view)
        def gated(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            problem = gate.read_form(request)
            refusal = None if problem else gate.check_token(request, args, kwargs)
            if not problem and refusal is None:
                return view(request, *args, **kwargs)
            self = cls(**initkwargs)
            self.setup(request, *args, **kwargs)
            self.wording = self.get_wording()
            if refusal is not None and conf.CSRF_FAILURE_VIEW:
                return refusal  # the site says itself what happens then

            # It checks nothing. It sets the cookie, without which the form on the answer would be
            # refused as well, where the site has no middleware that does.
            @requires_csrf_token
            def explained(request: HttpRequest) -> HttpResponseBase:
                if problem:
                    return self._finish(self._handle_unreadable(problem))
                return self._finish(self._handle_forged())

            return explained(request)

        return gate.outside_transactions(gated)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer the request; every answer is private and varies with what htmx asks for."""
        self.wording = self.get_wording()
        with within(conf.REQUEST_SECONDS):  # the middleware has begun it, where there is one
            return self._finish(self._answer_or_explain(request, *args, **kwargs))

    def _finish(self, response: HttpResponseBase) -> HttpResponseBase:
        self._finish_for_host(response)
        response = self._send_on(response)
        add_never_cache_headers(response)
        htmx.patch_vary(response)
        # Whoever can put the page into a frame of theirs can have its buttons pressed. The header
        # and not a Content-Security-Policy: that one is the site's, and would be replaced by ours.
        response.setdefault("X-Frame-Options", "DENY")
        return response

    def _finish_for_host(self, response: HttpResponseBase) -> None:
        """Leave the site's page as it is, where the request comes from a part within one."""
        request = self.request
        service = getattr(self, "service", None)
        has_written = service is not None and service.has_written
        if part := embedding.get_part(request):
            htmx.leave_address(response)
            if has_written:
                htmx.announce(response, f"org-invitations:{part}-changed")
        # What became of many is a page of its own, which knows the way back.
        if self._host and request.method == "POST" and isinstance(response, SeeOther):
            is_list = urlsplit(response.url).path == self.get_url("list")
            url = self._host if is_list else embedding.with_host(response.url, self._host)
            response["Location"] = iri_to_uri(url)

    def _send_on(self, response: HttpResponseBase) -> HttpResponseBase:
        """Let htmx go where a redirect leads, whether it is one of ours or of a site's own."""
        if _leads_elsewhere(response) and htmx.is_htmx(self.request):
            return htmx.leave_page(response)
        return response

    def _answer_or_explain(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        """Answer, or say what is known where the site's own database fails."""
        try:
            return self._answer(request, *args, **kwargs)
        except NotSaved as failure:
            logger.exception("The database failed after something was begun.")
            return self._render_unsaved(failure)
        except DatabaseFault:
            logger.exception("The database failed.")
            return self._handle_database_error()

    def _answer(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        identity = get_identity(request)
        if identity is None:
            return self.handle_signed_out()
        self.identity = identity
        if identity.actor_id and not conf.ALLOW_IMPERSONATION:
            message = self.wording.say("Impersonation")
            return self.render_problem(message, status=HTTPStatus.FORBIDDEN)
        return self._answer_for(request, *args, **kwargs)

    def _answer_for(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            organization_id = self.get_organization_id()
            if organization_id is None:
                return self.handle_no_organization()
            self.service = self.get_service(organization_id)
            if self._is_for_another_organization():
                return self._handle_switched()
            return super().dispatch(request, *args, **kwargs)
        except NotMember:
            if "organization_id" not in self.kwargs:
                return self.handle_not_permitted()
            # Whether there is such an organization is nobody's business but its members'.
            return self.handle_clerk_error(exc.OrganizationNotFound())
        except NotPermitted:
            return self.handle_not_permitted()
        except ClerkError as error:
            return self.handle_clerk_error(error)

    def _render_unsaved(self, failure: NotSaved) -> HttpResponseBase:
        """Say what is known of each by now: nobody could write it down.

        Where nothing is, go to where Clerk is asked what became of them.
        """
        batch, items = failure.batch, failure.items
        url = self._find_url("outcome", batch_id=batch.pk)
        if any(item.state not in (State.WAITING, *DOUBTFUL) for item in items):
            for item in items:
                if item.state == State.UNDER_WAY:
                    record(item, State.UNSETTLED, Reason(UNSAVED))
            presenter = OutcomePresenter(batch, self.wording, self._find_invitation_url)
            context: dict[str, Any] = {
                "message": self.wording.say("Database:known"),
                "batch": batch,
                "outcome": presenter.get_outcome(items),
                "outcome_url": url,
            }
            return self._render_problem(context, status=HTTPStatus.SERVICE_UNAVAILABLE)
        if not url:
            message = self.wording.say("Database:sent")
            return self.render_problem(message, status=HTTPStatus.SERVICE_UNAVAILABLE)
        return SeeOther(url)

    # --- What never gets to the view --------------------------------------------------------

    def _handle_unreadable(self, problem: str) -> HttpResponseBase:
        """Say why a form could not be read, with what could be read of it.

        :param problem: ``large``, ``many`` or ``broken``.
        """
        request = self.request
        if request.POST and gate.check_token(request, self.args, self.kwargs) is not None:
            request.POST = QueryDict()  # not to be shown as what somebody has typed here
        status = (
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE if problem == "large" else HTTPStatus.BAD_REQUEST
        )
        return self.render_problem(self.wording.say(f"Form:{problem}"), status=status)

    def _handle_forged(self) -> HttpResponseBase:
        """Say that a form lacked the token of this site; nothing was done with it.

        Mostly the cookie is gone that belongs to the token. Where the browser says that the form
        was this site's, it comes back as it was, to be sent again; anybody else's does not.
        """
        if not gate.comes_from_here(self.request):
            self.request.POST = QueryDict()  # not to be shown as what somebody has typed here
            return self.render_problem(self.wording.say("Form:foreign"), status=403)
        fragment = htmx.get_fragment(self.request, *htmx.FRAGMENTS)
        if fragment is not None and fragment != htmx.FORM_ID:
            return self.render_problem(self.wording.say("Form:cookie:page"), status=403)
        problem = ErrorMessage(self.wording.say("Form:cookie"), status=HTTPStatus.FORBIDDEN)
        title = gettext("This form could not be checked")
        return self._render_unavailable(problem, {"renewal": True, "renewal_title": title})

    # --- For which organization -------------------------------------------------------------

    def get_organization_id(self) -> str | None:
        """Return the organization that the URL names, else the one active in the session.

        Neither is trusted: :meth:`InvitationService.open` asks Clerk for the membership in it.
        """
        wanted = self.kwargs.get("organization_id")
        if wanted is None:
            return self.identity.organization_id
        if wanted == self.identity.organization_slug:
            return self.identity.organization_id
        if wanted.startswith("org_"):
            return str(wanted)
        return find_organization_id(get_client(), wanted, self.identity.user_id)

    def get_service(self, organization_id: str) -> InvitationService:
        """Return the service for the person and the organization."""
        service = self.service_class(
            get_client(), organization_id=organization_id, user_id=self.identity.user_id
        )
        if self.grant_policy_class is not None:
            service.policy = self.grant_policy_class()
        service.actor_id = self.identity.actor_id
        if service.actor_id and self.request.method == "POST":
            logger.warning(
                "%s acts as %s in %s.", service.actor_id, service.user_id, organization_id
            )
        return service

    def get_wording(self) -> Wording:
        """Return the sentences: an instance of :attr:`wording_class`."""
        return self.wording_class()

    def _get_page_organization_id(self) -> str:
        """Return the id of the organization that the page is for; as posted while signed out."""
        service = getattr(self, "service", None)
        if service is not None:
            return str(service.organization_id)
        return self.request.POST.get("organization", "")

    def _is_for_another_organization(self) -> bool:
        """Whether the page that sent this was made for another organization.

        Somebody may have switched in another tab since. A page of htmx says in a header what it
        is for, a form in a field; what says nothing is taken at its word.
        """
        meant = htmx.get_organization(self.request) or self.request.POST.get("organization", "")
        return bool(meant) and meant != self.service.organization_id

    def _handle_switched(self) -> HttpResponseBase:
        """Do nothing, and say so: the person sees one organization and is in another."""
        return self.render_problem(self.wording.say("Switched"), status=HTTPStatus.CONFLICT)

    # --- Where things are -------------------------------------------------------------------

    def get_url(self, name: str, **kwargs: Any) -> str:
        """Return the URL of another of these views, for the same organization.

        Whatever else the site's prefix captures goes along; what it fixes is in it anyhow.
        """
        match = self.request.resolver_match
        namespace = (match.namespace if match else "") or "org_invitations"
        fixed = {*getattr(match, "extra_kwargs", {})} - {*getattr(match, "captured_kwargs", {})}
        left_out = _OWN_KWARGS | fixed
        prefix = {key: value for key, value in self.kwargs.items() if key not in left_out}
        return reverse(f"{namespace}:{name}", kwargs=prefix | kwargs)

    @property
    def _host(self) -> str:
        """The page of the site's that the request comes from; or empty."""
        return embedding.get_host(self.request)

    def _find_url(self, name: str, **kwargs: Any) -> str:
        """Like :meth:`get_url`, but empty where the site's own URLconf leaves the view out."""
        try:
            return self.get_url(name, **kwargs)
        except NoReverseMatch:
            return ""

    def _find_invitation_url(self, name: str, invitation_id: str) -> str:
        """Return where something is done with an invitation; empty where it cannot be."""
        return self._find_url(name, invitation_id=invitation_id) if invitation_id else ""

    # --- What cannot be shown ----------------------------------------------------------------

    def handle_signed_out(self) -> HttpResponseBase:
        """Let the person sign in, or have the session renewed, and lose nothing they typed.

        A page load has been to Clerk and back before this is called, so it goes on to sign in.
        Everything else could not be sent there: with htmx the script loads
        :class:`SessionView` in a frame and sends the same request again, once; a plain form comes
        back as it was, with that frame on the page and a button to send it again.
        """
        request = self.request
        if not can_sign_in(request):
            # Signing in would not help: the site itself cannot tell who is asking.
            problem = self.wording.for_session(is_clerk_silent=is_clerk_silent(request))
            if self._can_be_sent_again():
                return self._render_unavailable(problem)
            return self.render_problem(problem.message, status=problem.status)
        fragment = htmx.get_fragment(request, *htmx.FRAGMENTS)
        if fragment is not None:
            return self._ask_for_renewal()
        if request.method not in ("GET", "HEAD"):
            renewal = self._get_renewal()
            problem = ErrorMessage(renewal["message"], status=HTTPStatus.UNAUTHORIZED)
            return self._render_unavailable(problem, renewal)
        url = get_sign_in_url(request.build_absolute_uri())
        if url is None:
            return self.render_problem(
                gettext("You are signed out. Sign in and open this page again."),
                status=HTTPStatus.UNAUTHORIZED,
            )
        return SeeOther(url)

    def _get_renewal(self) -> dict[str, Any]:
        """Return what ``partials/renewal.html`` shows."""
        renewable = is_renewable(self.request)
        if self.request.method in ("GET", "HEAD"):
            message = gettext("You are signed out. Sign in, come back here and try again.")
        elif renewable:
            message = gettext("Nothing was sent just now, and nothing is lost. Send it again.")
        else:
            message = gettext(
                "Nothing was sent just now, and nothing is lost. Sign in, come back here and send "
                "it again."
            )
        return {
            "renewal": True,
            "renewal_title": gettext("Your session has ended"),
            "message": message,
            "session_url": self._find_url("session") if renewable else "",
            "sign_in_url": get_sign_in_url(self.request.build_absolute_uri(self.get_url("list"))),
        }

    def _ask_for_renewal(self) -> HttpResponse:
        """Answer htmx: a header for the script, and words for where that does not help."""
        renewal = self._get_renewal()
        response: HttpResponse = self.render(
            "org_invitations/partials/signed_out.html",
            renewal | {"in_dialog": self._problem_region == htmx.DIALOG_ID},
            status=HTTPStatus.UNAUTHORIZED,
        )
        response = htmx.send_elsewhere(response, self._problem_region)
        return htmx.offer_renewal(response, renewal["session_url"])

    def _get_posted(self) -> list[tuple[str, str]]:
        """Return the names and values that a form was sent with, to be sent again."""
        return [
            (name, value)
            for name, values in self.request.POST.lists()
            if name != "csrfmiddlewaretoken"
            for value in values
        ]

    def handle_no_organization(self) -> HttpResponseBase:
        """Offer the organizations whose members the person may manage; go to the only one."""
        memberships = get_manageable_organizations(get_client(), self.identity.user_id)
        if not memberships or self.request.method not in ("GET", "HEAD"):
            return self.render_problem(
                gettext(
                    "You do not manage the members of any organization, so there is nothing to "
                    "show here. Ask an administrator of yours."
                )
                if not memberships
                else gettext("Choose an organization first. Nothing was sent."),
                status=HTTPStatus.FORBIDDEN,
            )
        choices: list[dict[str, Any]] = [
            {
                "membership": membership,
                "organization": membership.organization,
                "url": url,
            }
            for membership in memberships
            if (url := self._find_url("list", organization_id=membership.organization.id))
        ]
        if not choices:  # the URLs name no organization, so only the session can
            return self.render_problem(
                gettext("No organization is active. Switch to one, then open this page again."),
                status=HTTPStatus.FORBIDDEN,
            )
        if len(choices) == 1:
            return SeeOther(choices[0]["url"])
        return self.render(self.organizations_template_name, {"choices": choices})

    def handle_not_permitted(self) -> HttpResponseBase:
        """Say that the person may not manage the members, and who can help.

        Who could when the page was made is told so, and that nothing was done, where that is so.
        """
        if self.request.method == "POST":
            problem = self.wording.for_error(
                exc.PermissionDenied(), self._get_stage(), **self._get_values()
            )
            return self.render_problem(problem.message, status=HTTPStatus.FORBIDDEN)
        return self.render_problem(
            gettext(
                "Only people who manage the members of this organization can see and send its "
                "invitations. Ask an administrator of the organization."
            ),
            status=HTTPStatus.FORBIDDEN,
        )

    def handle_clerk_error(self, error: ClerkError) -> HttpResponseBase:
        """Answer what went wrong, and what the view itself does nothing about."""
        if isinstance(error, exc.OrganizationNotFound):
            return self.render_problem(
                self.wording.say("OrganizationNotFound:unknown"), status=HTTPStatus.NOT_FOUND
            )
        problem = self.wording.for_error(error, self._get_stage(), **self._get_values())
        if self._can_be_sent_again():
            return self._render_unavailable(problem)
        if isinstance(error, exc.NotFound):
            return self.render_problem(problem.message, status=HTTPStatus.NOT_FOUND)
        if self._get_stage() is Stage.READING:
            # Whoever only looks has not asked for too much: the site has.
            problem = self.wording.for_reading(error)
        return with_retry_after(
            self.render_problem(problem.message, status=problem.status), problem
        )

    def _handle_database_error(self) -> HttpResponseBase:
        """Answer where the site's own database fails; what it says depends on what was sent."""
        status = HTTPStatus.SERVICE_UNAVAILABLE
        if self._can_be_sent_again():
            return self._render_unavailable(
                ErrorMessage(self.wording.say("Database"), status=status)
            )
        name = "Database:sent" if self.request.method == "POST" else "Database:reading"
        return self.render_problem(self.wording.say(name), status=status)

    def _can_be_sent_again(self) -> bool:
        """Whether a form was sent, and nothing of it has been done."""
        service = getattr(self, "service", None)
        return self.request.method == "POST" and not (service is not None and service.has_written)

    def _render_unavailable(
        self, problem: ErrorMessage, renewal: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """Say why nothing came of a form, whatever the reason, and let it be sent again as it was.

        A view whose form is to be seen and changed shows that in its place.

        :param renewal: what ``partials/renewal.html`` shows, where the session or the token ended.
        """
        fragment = htmx.get_fragment(self.request, *htmx.FRAGMENTS)
        if renewal is None and fragment is not None:
            # On the page the form is there still.
            in_dialog = self._problem_region == htmx.DIALOG_ID
            posted = self._get_posted() if in_dialog else []
            response = self.render_problem(problem.message, status=problem.status, posted=posted)
            return with_retry_after(response, problem)
        context = renewal or {"renewal_title": gettext("That did not work")}
        context = context | {"message": problem.message, "posted": self._get_posted()}
        response = self.render("org_invitations/resubmit.html", context, status=problem.status)
        return with_retry_after(response, problem)

    def _get_stage(self) -> Stage:
        """Return whether an error that is to be told now has stopped something from being done.

        Once something has been sent to Clerk that changes something, nobody may say that nothing
        was done.
        """
        service = getattr(self, "service", None)
        has_written = service is not None and service.has_written
        if self.request.method != "POST" or not self._writes or has_written:
            return Stage.READING
        return Stage.BEFORE

    def _get_values(self) -> dict[str, Any]:
        """Return what the sentences about a problem may name."""
        return {
            "organization": gettext("this organization"),
            "email_address": gettext("The person"),
        }

    def render_problem(
        self, message: str, *, status: int, posted: Sequence[tuple[str, str]] = ()
    ) -> HttpResponse:
        """Return a page, or for htmx a fragment for the page's alert region or its dialog.

        :param posted: what the dialog can send again.
        """
        context: dict[str, Any] = {
            "message": message,
            "typed": self.request.POST.get("email_addresses", ""),
            "posted": posted,
        }
        return self._render_problem(context, status=status)

    def _render_problem(self, context: dict[str, Any], *, status: int) -> HttpResponse:
        context |= {"status": status}
        if htmx.get_fragment(self.request, *htmx.FRAGMENTS):
            context |= {"in_dialog": self._problem_region == htmx.DIALOG_ID}
            context["again_url"] = self.request.path
            fragment = self.render(self.problem_fragment_name, context, status=status)
            return htmx.send_elsewhere(fragment, self._problem_region)
        return self.render(self.problem_template_name, context, status=status)

    # --- Answers ----------------------------------------------------------------------------

    def _get_urls(self) -> dict[str, str]:
        """Return the URLs that the templates use."""
        return {
            "list": self.get_url("list"),
            "invite": self.get_url("invite"),
            "check": self._find_url("check"),
        }

    def _get_headers(self) -> dict[str, str]:
        """Return what the requests of htmx say that come of what is shown: for what it was made.

        What goes into the dialog says it itself, since the dialog may be another part's.
        """
        headers = {
            embedding.PART_HEADER: embedding.get_part(self.request),
            embedding.HOST_HEADER: self._host,
            htmx.ORGANIZATION_HEADER: self._get_page_organization_id(),
        }
        return {name: value for name, value in headers.items() if value}

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        """Return the context of whichever template is rendered: what is given here, and yours.

        docs/templates.md lists what each template gets.
        """
        return {
            "view": self,
            "urls": self._get_urls(),
            "host": self._host,
            "embed_part": embedding.get_part(self.request),
            "headers": json.dumps(self._get_headers()),
            **context,
        }

    def render(
        self, template_name: str, context: dict[str, Any], *, status: int = HTTPStatus.OK
    ) -> TemplateResponse:
        """Return an answer that middleware and tests can look into."""
        context = self.get_context_data(**context)
        return TemplateResponse(self.request, template_name, context, status=status)


def _leads_elsewhere(response: HttpResponseBase) -> TypeGuard[HttpResponseRedirectBase]:
    return isinstance(response, HttpResponseRedirectBase) and "Location" in response


def with_retry_after(response: HttpResponse, problem: ErrorMessage) -> HttpResponse:
    """Add ``Retry-After`` (seconds) where Clerk said how long to wait."""
    if problem.retry_after is not None:
        response["Retry-After"] = str(problem.retry_after)
    return response
