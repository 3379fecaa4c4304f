"""The page with the form and the list: what it consists of, whichever view shows it."""

from __future__ import annotations

import logging
import math
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID, uuid4

from django.db import Error as DatabaseFault
from django.http import HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_noop, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from .. import embedding, htmx
from ..clerk import ClerkError, Invitation, InvitationStatus, PublicUserData, Role
from ..clerk import exceptions as exc
from ..conf import conf
from ..forms import InviteForm
from ..models import Batch, BatchItem
from ..roles import AssignableRoles
from ..services import STATUSES, InvitationPage, InvitationQuery, Limit, Snapshot, get_sizes
from ..services.batches.background import is_left_to_workers
from ..services.batches.counts import Counts
from ..services.batches.reconcile import OTHER_INVITATION
from ..services.batches.store import NotSaved, as_aware, get_items
from ..services.batches.unfinished import MAX_UNFINISHED, WaitingBatch
from ..services.joining.asks import Mark, get_marks
from ..services.listing import is_soon, keep_place
from ..wording import ErrorMessage, Wording, describe_date, describe_expiry, describe_since
from .base import OrganizationView, SeeOther
from .progress_presenter import Progress, ProgressPresenter

logger = logging.getLogger("org_invitations")

State = BatchItem.State

_Text = str | Promise

#: No state of the list is longer.
_MAX_STATE_LENGTH: Final = 2000


# --- The list -----------------------------------------------------------------------------------

#: Stands for whichever invitation, to find out whether there is a URL for such a thing.
_ANY: Final = "orginv_any"


@dataclass(frozen=True, slots=True)
class Tab:
    """A link to the invitations of one status."""

    status: str
    label: _Text
    #: None where it is not known.
    count: int | None
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table, and the link that sorts by it."""

    #: What it sorts by, as the URL says it.
    name: str
    label: _Text
    url: str
    #: ``ascending``, ``descending``, or empty where the list is not sorted by it.
    direction: str
    #: What the link does, in words.
    hint: _Text


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An invitation that was to be sent again and is half done, or of which nobody knows yet."""

    item: BatchItem
    #: Where the missing half is done, or left.
    url: str
    #: Why it is missing, in words; empty where that is not known.
    reason: str
    #: Whether its role may manage members, so that finishing it takes the tick.
    is_elevated: bool = False
    #: Whether the old invitation is revoked and the new one missing, as far as Clerk shows: only
    #: then it can be finished or left.
    is_missing: bool = True
    #: Whether somebody else has invited the person meanwhile.
    has_other: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that the reader has begun, and of which some waits: nobody else goes on with it."""

    #: What waits since when, in words.
    text: str
    #: Of its outcome, where it can be gone on with, or left.
    url: str


@dataclass(frozen=True, slots=True)
class Running:
    """Something that workers do for the organization, and are not done with."""

    progress: Progress
    #: Who began it; empty where it was the reader, or nobody knows.
    name: str
    is_own: bool
    #: Of its page.
    url: str


@dataclass(frozen=True, slots=True)
class InvitationRow:
    """One row. A URL is empty where the status does not allow it, or the site has no such view."""

    invitation: Invitation
    #: The id of the row's element; stable as long as the invitation exists.
    dom_id: str
    #: When it expires, or how long ago it did, seen from now: "in 3 days"; empty where it was
    #: accepted or revoked.
    expires_text: str
    #: Its address in two parts, the first with the ``@``: a long one is best broken there.
    address: tuple[str, str] = ("", "")
    #: Whether it is pending and expires within three days.
    is_soon: bool = False
    #: The first letters of the inviter's names; empty where nobody is known.
    initials: str = ""
    #: A number from 1 to 4, always the same for one inviter, so that one is told from another.
    hue: int = 1
    #: Where to revoke it, with the way back to this state of the list.
    revoke_url: str = ""
    #: When it was created, to the minute; None where that is not known.
    invited_at: datetime | None = None
    #: When it expires, expired, was accepted or was revoked, to the minute; None for never.
    ends_at: datetime | None = None
    #: Where to send it again, or to invite the person again.
    resend_url: str = ""
    #: Where to change its role or expiry.
    change_url: str = ""
    #: Where its link is.
    link_url: str = ""
    #: What there is to say besides its status: ``joined``, ``asks`` or ``half-joined``; or empty.
    mark: str = ""
    #: The same in words.
    mark_text: _Text = ""


#: The names of the URLs that fit an invitation's status.
_ACTIONS: Mapping[str, tuple[str, ...]] = {
    "pending": ("revoke", "resend", "change", "link"),
    "expired": ("resend",),
    "revoked": ("resend",),
}


#: So many colours are there for inviters.
_HUES: Final = 4

#: What a row says besides its status.
_MARKS: Final[Mapping[str, _Text]] = {
    Mark.JOINED: _("Joined"),
    Mark.ASKS: _("Asks for a new invitation"),
    Mark.HALF_JOINED: _("Wanted to join and could not: needs a new invitation"),
}


class ListPresenter:
    """Puts a list into words and links: its tabs, columns, rows and pages. It asks nobody."""

    #: By the id of an invitation, what is known here besides what Clerk says of it.
    marks: Mapping[str, str] = {}

    #: The label of each tab. (With a context: other languages may need another form here.)
    tab_labels: Mapping[InvitationStatus, _Text] = {
        InvitationStatus.PENDING: pgettext_lazy("invitations", "Pending"),
        InvitationStatus.EXPIRED: pgettext_lazy("invitations", "Expired"),
        InvitationStatus.ACCEPTED: pgettext_lazy("invitations", "Accepted"),
        InvitationStatus.REVOKED: pgettext_lazy("invitations", "Revoked"),
    }

    #: What the whole list is called.
    titles: Mapping[InvitationStatus, _Text] = {
        InvitationStatus.PENDING: _("Pending invitations"),
        InvitationStatus.EXPIRED: _("Expired invitations"),
        InvitationStatus.ACCEPTED: _("Accepted invitations"),
        InvitationStatus.REVOKED: _("Revoked invitations"),
    }

    #: The column that tells when it ends or ended.
    end_labels: Mapping[InvitationStatus, _Text] = {
        InvitationStatus.PENDING: _("Expires"),
        InvitationStatus.EXPIRED: pgettext_lazy("since when", "Expired"),
        InvitationStatus.ACCEPTED: pgettext_lazy("since when", "Accepted"),
        InvitationStatus.REVOKED: pgettext_lazy("since when", "Revoked"),
    }

    def __init__(
        self,
        snapshot: Snapshot | None,
        query: InvitationQuery,
        *,
        find_url: Callable[..., str],
        wording: Wording,
    ) -> None:
        """Prepare.

        :param snapshot: None where there is nothing to show.
        :param query: the state that was asked for; where there is a page, its own counts.
        :param find_url: tells the URL of a view by its name and arguments; empty where the site
            has no such view.
        """
        self.snapshot = snapshot
        self.page = snapshot.page if snapshot is not None else None
        self.query = self.page.query if self.page is not None else query
        self.find_url = find_url
        self.wording = wording

    def get_context(self) -> dict[str, Any]:
        """Return what the list's templates need; docs/templates.md lists it."""
        snapshot, page, query = self.snapshot, self.page, self.query
        error = snapshot.page_error if snapshot is not None else None
        return {
            "page": page,
            "rows": self._rows(page) if page is not None else [],
            "seats": snapshot.seats if snapshot is not None else None,
            "list_problem": self.wording.for_reading(error) if error is not None else None,
            "list_query": query,
            "list_state": query.urlencode(),
            "list_url": self._url(query),
            "list_title": self.titles[query.status],
            "end_label": self.end_labels[query.status],
            "tabs": list(self._tabs()),
            "columns": list(self._columns()),
            "pagination": self._pagination(page) if page is not None else {},
            "search": self._search(),
            "selection": self._selection(page) if page is not None else {},
            "export_url": self._export_url(),
            # Where nobody is waiting, the form is what one has come for.
            "form_open": page is not None
            and query.status is InvitationStatus.PENDING
            and not page.status_count,
        }

    def describe(self) -> str:
        """Return where in the list somebody is, for the status region."""
        page, status = self.page, self.query.status
        if page is None or not page.status_count:
            return gettext(_NONE[status])
        if self._is_narrowed:
            return ngettext(
                "%(found)d of %(total)d invitation matches.",
                "%(found)d of %(total)d invitations match.",
                page.status_count,
            ) % {"found": page.total_count, "total": page.status_count}
        return gettext(_SHOWING[status]) % {
            "start": page.start_index,
            "end": page.end_index,
            "total": page.total_count,
        }

    def describe_unfinished(self, items: Iterable[BatchItem]) -> list[Unfinished]:
        """Return those whose new invitation is missing, or of which that is not known yet."""
        elevated = self.snapshot.roles.elevated if self.snapshot is not None else frozenset()
        return [
            Unfinished(
                item=item,
                url=self.find_url("resend", invitation_id=item.replaces_id),
                reason=self.wording.for_item(item.reason, item.params | {"status": item.state}),
                is_elevated=item.role in elevated,
                is_missing=item.state == State.HALF_DONE,
                has_other=item.reason == OTHER_INVITATION,
            )
            for item in items
        ]

    # --- Its parts --------------------------------------------------------------------------

    @property
    def _is_narrowed(self) -> bool:
        """Whether only those that match are shown, and not all of the status."""
        page = self.page
        if page is None:
            return False
        is_searched = bool(page.query.search) and Limit.SEARCH not in page.limits
        is_searched |= page.query.soon and Limit.SOON not in page.limits
        return is_searched or (bool(page.query.role) and Limit.ROLE not in page.limits)

    def _url(self, query: InvitationQuery) -> str:
        return _with_state(self.find_url("list"), query)

    def _rows(self, page: InvitationPage) -> list[InvitationRow]:
        now = datetime.now(UTC)  # not Django's, which is naive where USE_TZ is off
        # What the site's URLconf leaves out is asked for once, not for every row.
        there = {name for name in _ACTIONS["pending"] if self.find_url(name, invitation_id=_ANY)}
        return [
            InvitationRow(
                invitation=invitation,
                dom_id=f"org-invitation-{invitation.id}",
                expires_text=_describe_end(invitation, now),
                address=_part(invitation.email_address),
                is_soon=is_soon(invitation, now),
                initials=_initials_of(invitation.inviter),
                hue=_hue_of(invitation.inviter),
                invited_at=_minute(invitation.created_at),
                ends_at=_minute(
                    invitation.updated_at if _is_settled(invitation) else invitation.expires_at
                ),
                mark=self.marks.get(invitation.id, ""),
                mark_text=_MARKS.get(self.marks.get(invitation.id, ""), ""),
                **{
                    f"{name}_url": _with_state(
                        self.find_url(name, invitation_id=invitation.id), page.query
                    )
                    for name in _ACTIONS.get(invitation.status, ())
                    # Who has joined is not invited again, whatever Clerk calls the invitation.
                    if name in there and self.marks.get(invitation.id) != Mark.JOINED
                },
            )
            for invitation in page.invitations
        ]

    def _tabs(self) -> Iterable[Tab]:
        """Yield the links to the other statuses, each with how many there are."""
        for status in STATUSES:
            yield Tab(
                status=str(status),
                label=self.tab_labels[status],
                count=self.page.counts.get(status) if self.page is not None else None,
                url=self._url(self.query.with_(status=status, soon=False)),
                is_current=status is self.query.status,
            )

    def _columns(self) -> Iterable[Column]:
        """Yield the columns that the table can be sorted by, in their order."""
        query = self.query
        labels: dict[str, _Text] = {
            "address": pgettext_lazy("column", "Email"),
            "role": _("Role"),
            "inviter": _("Invited by"),
            "invited": _("Invited"),
            "expires": self.end_labels[query.status],
        }
        sort = query.sort
        if self.page is not None and Limit.SORT in self.page.limits:
            sort = "-invited"
        dates_down = {"invited"}
        if query.status is not InvitationStatus.PENDING:
            dates_down.add("expires")  # what ended last, rather than what ended first
        for name, label in labels.items():
            direction = {name: "ascending", f"-{name}": "descending"}.get(sort, "")
            turned = {"ascending": f"-{name}", "descending": name}
            other = turned.get(direction, f"-{name}" if name in dates_down else name)
            yield Column(
                name=name,
                label=label,
                url=self._url(query.with_(sort=other)),
                direction=direction,
                hint=_HINTS[direction],
            )

    def _search(self) -> dict[str, Any]:
        query = self.query
        whole = query.with_(search="", role="", soon=False)
        page = self.page
        return {
            "text": query.search,
            "role": query.role,
            "roles": self._roles(),
            "is_filtered": query.is_filtered,
            "found": self.describe() if self._is_narrowed else "",
            "fields": list(query.with_(search="", role="").as_params().items()),
            "soon": query.soon,
            "soon_count": page.soon_count if page is not None else 0,
            "soon_url": self._url(query.with_(soon=not query.soon)),
            "clear_url": self._url(whole),
            "is_typed": False,
        }

    def _roles(self) -> dict[str, str]:
        """Return the roles to choose from, where there is a choice: each key with its name."""
        chosen, page = self.query.role, self.page
        there = dict(page.roles) if page is not None else {}
        if chosen and page is not None:
            # Of roles that nobody of this status has, the key is all that is known.
            there.setdefault(chosen, chosen)
        return there if chosen or len(there) > 1 else {}

    def _selection(self, page: InvitationPage) -> dict[str, Any]:
        """Return what can be done with many at once; empty where nothing can."""
        url = self.find_url("selection")
        actions = _ACTIONS_OF_MANY[page.query.status]
        if not (url and actions and page.invitations):
            return {}
        is_as_asked = page.limits.isdisjoint({Limit.SEARCH, Limit.ROLE, Limit.SOON})
        can_name_all = is_as_asked and page.total_count > len(page.invitations)
        return {
            "url": url,
            "actions": list(actions),
            "all": page.total_count if can_name_all else 0,
        }

    def _export_url(self) -> str:
        """Return where the list can be had as a file: all of its pages."""
        query = self.query
        whole = InvitationQuery(
            status=query.status,
            search=query.search,
            role=query.role,
            soon=query.soon,
            sort=query.sort,
        )
        return _with_state(self.find_url("export"), whole)

    def _pagination(self, page: InvitationPage) -> dict[str, Any]:
        """Return the pages and page sizes, with their URLs."""

        def url(number: int) -> str:
            return self._url(page.query.with_(page=number))

        sizes = get_sizes()
        return {
            "previous": url(page.previous_number) if page.has_previous else "",
            "next": url(page.next_number) if page.has_next else "",
            "pages": [
                None
                if number is None
                else {"number": number, "url": url(number), "is_current": number == page.number}
                for number in page.page_numbers
            ],
            "sizes": [
                {
                    "size": size,
                    "url": self._url(page.query.with_(size=size)),
                    "is_current": size == page.size,
                }
                for size in sizes
            ]
            if page.total_count > sizes[0]
            else [],
        }


#: What can be done with many of a status at once.
_ACTIONS_OF_MANY: Final[Mapping[InvitationStatus, tuple[str, ...]]] = {
    InvitationStatus.PENDING: ("resend", "revoke"),
    InvitationStatus.EXPIRED: ("resend",),
    InvitationStatus.REVOKED: ("resend",),
    InvitationStatus.ACCEPTED: (),
}

#: What the link of a column does, by the direction in which it is sorted now.
_HINTS: Final[Mapping[str, _Text]] = {
    "ascending": _("sorted in ascending order; turn round"),
    "descending": _("sorted in descending order; turn round"),
    "": _("sort"),
}

_NONE: Final = {
    InvitationStatus.PENDING: gettext_noop("There are no pending invitations."),
    InvitationStatus.EXPIRED: gettext_noop("There are no expired invitations."),
    InvitationStatus.ACCEPTED: gettext_noop("There are no accepted invitations."),
    InvitationStatus.REVOKED: gettext_noop("There are no revoked invitations."),
}

_SHOWING: Final = {
    InvitationStatus.PENDING: gettext_noop(
        "Showing %(start)d to %(end)d of %(total)d pending invitations."
    ),
    InvitationStatus.EXPIRED: gettext_noop(
        "Showing %(start)d to %(end)d of %(total)d expired invitations."
    ),
    InvitationStatus.ACCEPTED: gettext_noop(
        "Showing %(start)d to %(end)d of %(total)d accepted invitations."
    ),
    InvitationStatus.REVOKED: gettext_noop(
        "Showing %(start)d to %(end)d of %(total)d revoked invitations."
    ),
}


def _is_settled(invitation: Invitation) -> bool:
    return invitation.is_accepted or invitation.is_revoked


def _part(address: str) -> tuple[str, str]:
    name, at, domain = address.rpartition("@")
    return name + at, domain


def _initials_of(inviter: PublicUserData | None) -> str:
    """Return the first letters of the first and the last name, or of whatever there is."""
    if inviter is None:
        return ""
    words = [word for word in inviter.name.split() if word[0].isalnum()]
    return "".join(word[0] for word in dict.fromkeys([*words[:1], *words[-1:]])).upper()


def _hue_of(inviter: PublicUserData | None) -> int:
    """Return the number of an inviter's colour: the same in every process, unlike a hash."""
    who = (inviter.user_id or inviter.identifier) if inviter is not None else ""
    return zlib.adler32(who.encode()) % _HUES + 1


def _minute(moment: datetime | None) -> datetime | None:
    return moment and moment.replace(second=0, microsecond=0)


def _describe_end(invitation: Invitation, now: datetime) -> str:
    if _is_settled(invitation):
        return ""
    if invitation.is_expired and invitation.expires_at is not None:
        return describe_since(invitation.expires_at, now=now)
    return describe_expiry(invitation.expires_at, now=now)


# --- The page -----------------------------------------------------------------------------------


class PageMixin(OrganizationView):
    """What the page with the form and the list consists of."""

    #: The page with the form and the list.
    page_template_name = "org_invitations/invitation_list.html"
    #: The form, on the page and as the fragment that answers htmx.
    form_template_name = "org_invitations/partials/form.html"
    #: The list, on the page and as a fragment.
    list_template_name = "org_invitations/partials/list.html"
    #: One row of the list; may be a list of names.
    row_template_name: str | Sequence[str] = "org_invitations/partials/row.html"

    #: The form that invites.
    invite_form_class: type[InviteForm] = InviteForm
    #: What puts the list into words and links.
    list_presenter_class: type[ListPresenter] = ListPresenter

    #: The statuses of an invalid form, and of one that Clerk refused. A site that does without
    #: the app's script sets 200: htmx by itself swaps nothing else.
    invalid_status: int = HTTPStatus.UNPROCESSABLE_ENTITY

    # --- The form ---------------------------------------------------------------------------

    def get_invite_form_class(self) -> type[InviteForm]:
        """Return the class of the form that invites: :attr:`invite_form_class`."""
        return self.invite_form_class

    def get_invite_form(
        self, roles: AssignableRoles, data: Any = None, files: Any = None, **kwargs: Any
    ) -> InviteForm:
        """Return the form, bound to ``data`` if there is any; it is checked as it is typed."""
        form = self.get_invite_form_class()(data, files, roles=roles, **kwargs)
        if url := self._find_url("check"):
            role = form["role"].id_for_label
            for name, event in (
                ("email_addresses", f"input changed delay:500ms, change from:#{role}"),
                ("file", "change"),
            ):
                if name in form.fields:
                    form.fields[name].widget.attrs |= {
                        "hx-post": url,
                        "hx-target": f"#{htmx.CHECK_ID}",
                        "hx-swap": "innerHTML",
                        "hx-trigger": f"{event}, renewed",
                        # Sending goes first: a check that is under way gives way.
                        "hx-sync": "closest form:abort",
                    }
            if "file" in form.fields:
                # What is in the file is put into the text, so nothing may be typed meanwhile.
                typed = form["email_addresses"].id_for_label
                form.fields["file"].widget.attrs |= {
                    "hx-encoding": "multipart/form-data",
                    "hx-disabled-elt": f"#{typed}",
                    # The same for htmx 4. The name alone would keep htmx 2 from the field.
                    "hx-disable:inherited": f"#{typed}",
                }
        return form

    # --- The list ---------------------------------------------------------------------------

    def get_query(self) -> InvitationQuery:
        """Return the state of the list: as the URL says it, or a form's hidden ``state``."""
        if self.request.method == "POST":
            state = self.request.POST.get("state", "")[:_MAX_STATE_LENGTH]
            return InvitationQuery.parse(dict(parse_qsl(state)))
        return InvitationQuery.parse(self.request.GET)

    def get_list_presenter(self, snapshot: Snapshot | None) -> ListPresenter:
        """Return what shows the list of a snapshot: :attr:`list_presenter_class`."""
        presenter = self.list_presenter_class(
            snapshot, self.get_query(), find_url=self._find_url_from_here, wording=self.wording
        )
        presenter.marks = self._find_marks(snapshot)
        return presenter

    def _find_marks(self, snapshot: Snapshot | None) -> Mapping[str, str]:
        """Return who joined or asks for a new invitation; nothing where that cannot be read."""
        page = snapshot.page if snapshot is not None else None
        if page is None:
            return {}
        ids = [row.id for row in page.invitations if row.is_revoked or row.is_expired]
        try:
            return get_marks(self.service.organization_id, ids)
        except DatabaseFault:
            logger.exception("The database failed.")
            return {}

    def _get_list_url(self) -> str:
        """Return the URL of the list in the state that was asked for."""
        return self._find_list_url("list")

    def _get_shown_url(self, list_url: str) -> str:
        """Return what the address bar is to say of a list: with the form, where that is open."""
        invite, shown = self.get_url("invite"), htmx.get_shown_path(self.request)
        is_open = urlsplit(shown).path == invite
        return invite + list_url.removeprefix(self.get_url("list")) if is_open else list_url

    def _find_list_url(self, name: str, **kwargs: Any) -> str:
        """Return the URL of a view with the way back to the list as it was; or empty."""
        return _with_state(self._find_url_from_here(name, **kwargs), self.get_query())

    def _find_url_from_here(self, name: str, **kwargs: Any) -> str:
        """Like :meth:`_find_url`; what leads away knows where to come back to."""
        url = self._find_url(name, **kwargs)
        leads_away = name == "list" or kwargs.keys() & {"invitation_id", "batch_id", "draft_id"}
        return embedding.with_host(url, self._host) if url and self._host and leads_away else url

    def _get_unfinished_context(
        self, snapshot: Snapshot, presenter: ListPresenter
    ) -> dict[str, Any]:
        """Return what is not over, beside a list: finding out more about it may take calls."""
        try:
            running = self.service.get_running_batches(snapshot)
            told = [batch for batch, _ in running]
            found = self.service.look_after(snapshot.page, running=told)
            drafts = self.service.get_drafts() if conf.BACKGROUND else []
        except DatabaseFault:
            # The list is Clerk's: it can be seen without.
            logger.exception("What is half done could not be looked up.")
            return {"unfinished_problem": self.wording.say("Database:unfinished")}
        # Where nothing can be sent again, nothing can be finished.
        can_finish = bool(self._find_url("resend", invitation_id=_ANY))
        return {
            "running": self._get_running(running),
            "more_running": len(running[MAX_UNFINISHED:]),
            "unfinished": presenter.describe_unfinished(found.resends) if can_finish else [],
            "more_unfinished": found.more_resends if can_finish else 0,
            "waiting": [
                Waiting(
                    text=_describe_waiting(batch),
                    url=self._find_url_from_here("outcome", batch_id=batch.id),
                )
                for batch in found.waiting
            ],
            "more_waiting": found.more_waiting,
            "drafts": [
                Waiting(
                    text=describe_draft(draft.count),
                    url=self._find_url_from_here("draft", draft_id=draft.pk),
                )
                for draft in drafts
            ],
        }

    def _get_running(self, running: Sequence[tuple[Batch, Counts]]) -> list[Running]:
        """Return what workers have yet to do here, each with the way to its page."""
        return [
            Running(
                progress=ProgressPresenter(batch, counts, self.wording).get_progress(),
                name=""
                if batch.user_id == self.service.user_id
                else self._find_name(batch.user_id),
                is_own=batch.user_id == self.service.user_id,
                url=self._find_url_from_here("progress", batch_id=batch.pk),
            )
            for batch, counts in running[:MAX_UNFINISHED]
        ]

    # --- All of it --------------------------------------------------------------------------

    def _get_page_context(
        self, snapshot: Snapshot | None, form: InviteForm, **extra: Any
    ) -> dict[str, Any]:
        """Return the context of the page and of its fragments; docs/templates.md lists it."""
        presenter = self.get_list_presenter(snapshot)
        context: dict[str, Any] = {
            "form": form,
            # The same form sent twice is one wish: this is what it is known by.
            "batch_id": uuid4(),
            "retry_of": self._get_retry_of() or "",
            "review": None,
            "organization_id": self._get_page_organization_id(),
            "organization": None,
            "membership": None,
            "form_problem": None,
            "focus_errors": False,
            "new_id": "",
            "oob": False,
            "renewal": False,
            "status_message": "",
            "status_level": "message",
            "status_action": {},
            "problem_action": {},
            "row_template_name": self.row_template_name,
            "running": [],
            "more_running": 0,
            "drafts": [],
            "unfinished": [],
            "unfinished_problem": "",
            "more_unfinished": 0,
            "waiting": [],
            "more_waiting": 0,
            # Of an answer to htmx: whether something else says what has changed.
            "is_followed": False,
            **presenter.get_context(),
        }
        # While somebody types in the box to search in, it stays as it is.
        context["search"]["is_typed"] = htmx.get_trigger(self.request) == htmx.SEARCH_ID
        if snapshot is not None:
            context |= {
                "organization": snapshot.organization,
                "membership": snapshot.membership,
            }
            if snapshot.roles_error is not None:
                context["form_problem"] = self.wording.say("Roles")
            if snapshot.page is not None:
                context |= self._get_unfinished_context(snapshot, presenter)
        return context | extra

    def render_list(
        self,
        snapshot: Snapshot,
        message: str,
        *,
        new_id: str = "",
        old: Invitation | None = None,
        **extra: Any,
    ) -> HttpResponse:
        """Return the list as a fragment, whichever target the request named.

        :param message: what has just happened.
        :param new_id: the id of an invitation that is new in the list.
        :param old: the one in whose place it is shown, if any.
        :param extra: more for the context.
        """
        listed = self.service.with_list(snapshot, self.get_query())
        if listed.page is not None and old is not None:
            listed = replace(listed, page=keep_place(listed.page, new_id, old))
        extra["new_id"] = new_id
        context = self._get_page_context(
            listed, self.get_invite_form(snapshot.roles), status_message=message, **extra
        )
        response: HttpResponse = self.render("org_invitations/answers/list.html", context)
        return htmx.replace_list(response, self._get_shown_url(context["list_url"]))

    def batch_response(self, batch: Batch) -> HttpResponseBase:
        """Go to the page that says what became of each.

        Who has lost the right meanwhile may not see that page any more, and is told here.
        """
        if self.service.was_denied:
            items = get_items(batch)
            done = sum(item.state == State.DONE for item in items)
            values = self._get_values() | {"done": done, "count": len(items)}
            message = self.wording.say("PermissionDenied:midway", **values)
            return self.render_problem(message, status=HTTPStatus.FORBIDDEN)
        url = self._find_url("progress", batch_id=batch.id) if is_left_to_workers(batch) else ""
        url = url or self.get_url("outcome", batch_id=batch.id)
        # From there one comes back to the list as it was.
        return SeeOther(_with_state(url, self.get_query()))

    def _find_steered(self, snapshot: Snapshot) -> Batch | None:
        """Return what workers do, or did, of the id in the URL, if the person may steer it.

        :param snapshot: with the roles.
        :raises ClerkError: that cannot be told, since the roles could not be had.
        """
        batch = self.service.find_background_batch(snapshot, self.kwargs["batch_id"])
        if batch is None and snapshot.roles_error is not None:
            raise snapshot.roles_error
        return batch

    def _render_unknown(self) -> HttpResponse:
        """Say that there is no such batch, or that it is somebody else's."""
        message = self.wording.say("Outcome:unknown")
        return self.render_problem(message, status=HTTPStatus.NOT_FOUND)

    def _find_name(self, user_id: str) -> str:
        """Return what somebody is called; empty where that is not known."""
        person = self.service.find_person(user_id)
        return person.name if person is not None and person.name != user_id else ""

    def _run_one(self, batch: Batch) -> BatchItem:
        """Do what a batch of one is about, and return its item, with all that is known of it.

        The form comes back where it has to wait, so nothing does. What is known is answered also
        where it cannot be written down; the outcome asks Clerk once more.
        """
        try:
            [item] = self.service.run(batch)
            if item.state == State.WAITING:
                self.service.cancel(batch, [item])
        except NotSaved as failure:
            known = [item for item in failure.items if item.state not in BatchItem.OPEN]
            if not known:
                raise
            logger.exception("What became of an invitation could not be written down.")
            [item] = known
        return item

    def _explain_item(self, item: BatchItem, **values: Any) -> ErrorMessage:
        """Return why nothing came of an item, in words: the same at once and asked for later.

        :param values: those of :meth:`.Wording.for_writing`.
        """
        error = get_error(item)
        problem = self.wording.for_writing(error, **values)
        is_clerks = not item.reason or exc.find_kind(item.reason) is not None
        if is_clerks and not isinstance(error, exc.InvitationNotPending):
            return problem
        # Only the item knows what kept it back, or what has become of the invitation meanwhile.
        text = self.wording.for_item(item.reason, item.params)
        return replace(problem, message=f"{item.email_address}: {text}")

    def _get_outcome_action(self, item: BatchItem) -> dict[str, str]:
        """Return where it is said what became of an item, if there is such a page for the reader.

        With ``url`` and ``text``; it is a ``page``, which no dialog shows.
        """
        if item.batch.user_id != self.service.user_id:
            return {}
        url = self._find_url("outcome", batch_id=item.batch_id)
        return {"url": url, "text": gettext("See what became of that"), "page": "1"} if url else {}

    # --- What came with the form ------------------------------------------------------------

    def _get_batch_id(self) -> UUID | None:
        """Return the id that came with the form, if one did."""
        return as_uuid(self.request.POST.get("batch", ""))

    def _get_retry_of(self) -> UUID | None:
        """Return the id of the batch from whose outcome a form comes, or is asked for, if any."""
        request = self.request
        sent = request.POST if request.method == "POST" else request.GET
        return as_uuid(sent.get("retry_of", ""))

    def _get_typed_roles(self) -> AssignableRoles:
        """Return the roles for a form that could not be sent just now, without asking Clerk.

        They are those that the person was shown within the last minute, else only the one that was
        posted: nobody may have been let in yet.
        """
        service = getattr(self, "service", None)
        return (
            service.remembered_roles() if service is not None else None
        ) or self._get_posted_role()

    def _get_posted_role(self) -> AssignableRoles:
        """Return the role that was chosen, as the only one there is."""
        posted = self.request.POST.get("role", "")
        name = posted.removeprefix("org:").replace("_", " ").capitalize()
        # A box that was ticked is shown again: it is part of what was typed.
        ticked = "confirm_elevated" in self.request.POST
        return AssignableRoles(
            roles=(Role(key=posted, name=name),) if posted else (),
            elevated=frozenset({posted} if ticked else ()),
            is_known=False,
        )

    def _get_link_action(self, invitation_id: str) -> dict[str, str]:
        """Return where the link can be copied, with ``url`` and ``text``, if it can be."""
        url = self._find_url("link", invitation_id=invitation_id)
        return {"url": url, "text": gettext("Copy link")} if url else {}


def describe_draft(count: int) -> str:
    """Return what so many addresses are called that were checked and not sent."""
    return ngettext(
        "%(count)d address, checked and not sent",
        "%(count)d addresses, checked and not sent",
        count,
    ) % {"count": count}


def _describe_waiting(batch: WaitingBatch) -> str:
    """Return what waits of a batch, and since when."""
    texts = {
        Batch.Action.INVITE: ngettext(
            "%(count)d person whom you wanted to invite on %(date)s is waiting.",
            "%(count)d people whom you wanted to invite on %(date)s are waiting.",
            batch.count,
        ),
        Batch.Action.RESEND: ngettext(
            "%(count)d invitation that you wanted to send again on %(date)s is waiting.",
            "%(count)d invitations that you wanted to send again on %(date)s are waiting.",
            batch.count,
        ),
        Batch.Action.REVOKE: ngettext(
            "%(count)d invitation that you wanted to revoke on %(date)s is waiting.",
            "%(count)d invitations that you wanted to revoke on %(date)s are waiting.",
            batch.count,
        ),
    }
    date = describe_date(as_aware(batch.created_at))
    return texts[Batch.Action(batch.action)] % {"count": batch.count, "date": date}


def get_error(item: BatchItem) -> ClerkError:
    """Return why an item is not done: the error itself, or of what was kept as much as is known.

    Where nothing was kept, there was no time for it.
    """
    if item.error is not None:
        error: ClerkError = item.error
        return error
    params = item.params
    detail = exc.ErrorDetail(
        code=params.get("code", ""), long_message=params.get("clerk_message", "")
    )
    kind = exc.find_kind(item.reason) or exc.DeadlineExceeded
    kept = kind(errors=(detail,), trace_id=params.get("trace_id", ""))
    if isinstance(kept, exc.RateLimited):
        kept.retry_after = params.get("retry_after")
        if item.retry_at is not None:  # some of the wait is over
            left = math.ceil((item.retry_at - timezone.now()).total_seconds())
            kept.retry_after = left if left > 0 else None
    return kept


def join_action(message: str, action: dict[str, str]) -> str:
    """Return a message with a link after it: what the status region says with htmx."""
    if not action:
        return message
    link = format_html('<a href="{url}">{text}</a>', **action)
    return format_html("{} {}", message, link)


def as_uuid(text: str) -> UUID | None:
    """Return the id that a text is, if it is one."""
    try:
        return UUID(text)
    except ValueError:
        return None


def _with_state(url: str, query: InvitationQuery) -> str:
    state = query.urlencode()
    return f"{url}{'&' if '?' in url else '?'}{state}" if url and state else url
