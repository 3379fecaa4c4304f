"""The list on the page: its state, its tabs, columns, rows and pages."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from urllib.parse import parse_qsl

from django.db import Error as DatabaseFault
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_noop, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from .. import htmx
from ..clerk import Invitation, InvitationStatus
from ..models import BatchItem
from ..rows import InvitationRow, make_rows
from ..services import STATUSES, InvitationPage, InvitationQuery, Limit, Workspace, get_sizes
from ..services.batches.reconcile import OTHER_INVITATION
from .organization import OrganizationMixin

logger = logging.getLogger("org_invitations")

_Text = str | Promise

#: No state of the list is longer.
_MAX_STATE_LENGTH: Final = 2000


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


class ListMixin(OrganizationMixin):
    """What the list consists of, whichever view shows it."""

    list_template_name = "org_invitations/partials/list.html"
    row_template_name = "org_invitations/partials/row.html"

    #: The label of each tab. (With a context: other languages may need another form here.)
    tab_labels: ClassVar[dict[InvitationStatus, _Text]] = {
        InvitationStatus.PENDING: pgettext_lazy("invitations", "Pending"),
        InvitationStatus.EXPIRED: pgettext_lazy("invitations", "Expired"),
        InvitationStatus.ACCEPTED: pgettext_lazy("invitations", "Accepted"),
        InvitationStatus.REVOKED: pgettext_lazy("invitations", "Revoked"),
    }

    #: What the whole list is called.
    titles: ClassVar[dict[InvitationStatus, _Text]] = {
        InvitationStatus.PENDING: _("Pending invitations"),
        InvitationStatus.EXPIRED: _("Expired invitations"),
        InvitationStatus.ACCEPTED: _("Accepted invitations"),
        InvitationStatus.REVOKED: _("Revoked invitations"),
    }

    #: The column that tells when it ends or ended.
    end_labels: ClassVar[dict[InvitationStatus, _Text]] = {
        InvitationStatus.PENDING: _("Expires"),
        InvitationStatus.EXPIRED: pgettext_lazy("since when", "Expired"),
        InvitationStatus.ACCEPTED: pgettext_lazy("since when", "Accepted"),
        InvitationStatus.REVOKED: pgettext_lazy("since when", "Revoked"),
    }

    # --- The state of the list ------------------------------------------------------------

    def get_query(self) -> InvitationQuery:
        """Return the state of the list: as the URL says it, or a form's hidden ``state``."""
        if self.request.method == "POST":
            state = self.request.POST.get("state", "")[:_MAX_STATE_LENGTH]
            return InvitationQuery.parse(dict(parse_qsl(state)))
        return InvitationQuery.parse(self.request.GET)

    def get_list_url(self, query: InvitationQuery) -> str:
        """Return the URL of the list in a state."""
        base, state = self.get_url("list"), query.urlencode()
        return f"{base}?{state}" if state else base

    def get_shown_query(self, workspace: Workspace | None) -> InvitationQuery:
        """Return the state that the list is shown in; the one asked for where there is no list."""
        page = workspace.page if workspace is not None else None
        return page.query if page is not None else self.get_query()

    # --- What it consists of ----------------------------------------------------------------

    def get_list_context(self, workspace: Workspace | None) -> dict[str, Any]:
        """Return what the list's templates need; docs/templates.md lists it."""
        query = self.get_shown_query(workspace)
        page = workspace.page if workspace is not None else None
        context: dict[str, Any] = {
            "row_template_name": self.row_template_name,
            "page": page,
            "rows": [],
            "seats": workspace.seats if workspace is not None else None,
            "list_problem": None,
            "list_query": query,
            "list_state": query.urlencode(),
            "list_url": self.get_list_url(query),
            "list_title": self.titles[query.status],
            "end_label": self.end_labels[query.status],
            "tabs": self.get_tabs(query, page),
            "columns": self.get_columns(query, page),
            "pagination": {},
            "search": self.get_search(query),
            "selection": {},
            "export_url": self.get_export_url(query),
            "unfinished": [],
            "unfinished_problem": "",
        }
        if workspace is not None:
            context |= {
                "rows": self.get_rows(workspace),
                "pagination": self.get_pagination(workspace),
                "selection": self.get_selection(workspace),
            }
            if page is not None:  # only beside a list: Clerk is asked about them
                try:
                    context["unfinished"] = self.get_unfinished(workspace)
                except DatabaseFault:
                    # The list is Clerk's: it can be seen without.
                    logger.exception("What is half done could not be looked up.")
                    context["unfinished_problem"] = self.wording.say("Database:unfinished")
            if page is not None and query.search and Limit.SEARCH not in page.limits:
                context["search"]["found"] = self.describe_page(workspace)
            if workspace.page_error is not None:
                context["list_problem"] = self.wording.for_reading(workspace.page_error)
        return context

    def get_unfinished(self, workspace: Workspace) -> list[Unfinished]:
        """Return those whose new invitation is missing, or of which that is not known yet."""
        if not self.find_url("resend", invitation_id="orginv_any"):
            return []
        return [
            Unfinished(
                item=item,
                url=self.get_url("resend", invitation_id=item.replaces_id),
                reason=self.wording.for_item(item.reason, item.params | {"status": item.state}),
                is_elevated=item.role in workspace.roles.elevated,
                is_missing=item.state == BatchItem.State.HALF_DONE,
                has_other=item.reason == OTHER_INVITATION,
            )
            for item in self.service.get_unfinished()
        ]

    def get_rows(self, workspace: Workspace) -> list[InvitationRow]:
        """Return the rows of the list."""
        if workspace.page is None:
            return []

        # What the site's URLconf leaves out is asked for once, not for every row.
        absent = {
            name
            for name in ("revoke", "resend", "change", "link")
            if not self.find_url(name, invitation_id="orginv_any")
        }

        def find_url(name: str, invitation: Invitation) -> str:
            return "" if name in absent else self.find_url(name, invitation_id=invitation.id)

        return make_rows(workspace.page, find_url, workspace.page.query.urlencode())

    def get_tabs(self, query: InvitationQuery, page: InvitationPage | None) -> list[Tab]:
        """Return the links to the other statuses, each with how many there are."""
        return [
            Tab(
                status=str(status),
                label=self.tab_labels[status],
                count=page.counts.get(status) if page is not None else None,
                url=self.get_list_url(query.with_(status=status)),
                is_current=status is query.status,
            )
            for status in STATUSES
        ]

    def get_columns(self, query: InvitationQuery, page: InvitationPage | None) -> list[Column]:
        """Return the columns that the table can be sorted by, in their order."""
        labels: dict[str, _Text] = {
            "address": _("User"),
            "invited": _("Invited"),
            "inviter": pgettext_lazy("invited by", "By"),
            "role": _("Role"),
            "expires": self.end_labels[query.status],
        }
        sort = query.sort
        if page is not None and Limit.SORT in page.limits:
            sort = "-invited"
        dates_down = {"invited"}
        if query.status is not InvitationStatus.PENDING:
            dates_down.add("expires")  # what ended last, rather than what ended first
        columns = []
        for name, label in labels.items():
            direction = {name: "ascending", f"-{name}": "descending"}.get(sort, "")
            turned = {"ascending": f"-{name}", "descending": name}
            other = turned.get(direction, f"-{name}" if name in dates_down else name)
            if direction:
                hint = _("sorted in ascending order; turn round")
                if direction == "descending":
                    hint = _("sorted in descending order; turn round")
            else:
                hint = _("sort")
            columns.append(
                Column(
                    name=name,
                    label=label,
                    url=self.get_list_url(query.with_(sort=other)),
                    direction=direction,
                    hint=hint,
                )
            )
        return columns

    def get_search(self, query: InvitationQuery) -> dict[str, Any]:
        """Return what the search form needs; ``found`` is filled in where there is a list."""
        params = query.with_(search="").as_params()
        return {
            "text": query.search,
            "found": "",
            "fields": list(params.items()),
            "clear_url": self.get_list_url(query.with_(search="")),
            # While somebody types, the box that they type in stays as it is.
            "is_typed": htmx.get_trigger(self.request) == htmx.SEARCH_ID,
        }

    def get_selection(self, workspace: Workspace) -> dict[str, Any]:
        """Return what can be done with many at once; empty where nothing can."""
        page = workspace.page
        url = self.find_url("selection")
        if page is None or not page.invitations or not url:
            return {}
        status = page.query.status
        actions = []
        if status is InvitationStatus.PENDING:
            actions = ["resend", "revoke"]
        elif status is not InvitationStatus.ACCEPTED:
            actions = ["resend"]
        if not actions:
            return {}
        can_name_all = Limit.SEARCH not in page.limits and page.total_count > len(page.invitations)
        return {"url": url, "actions": actions, "all": page.total_count if can_name_all else 0}

    def get_export_url(self, query: InvitationQuery) -> str:
        """Return where the list can be had as a file: all of its pages."""
        whole = InvitationQuery(status=query.status, search=query.search, sort=query.sort)
        url, state = self.find_url("export"), whole.urlencode()
        return f"{url}?{state}" if url and state else url

    def get_pagination(self, workspace: Workspace) -> dict[str, Any]:
        """Return the pages and page sizes, with their URLs; empty where there is no such page."""
        page = workspace.page
        if page is None:
            return {}
        query = page.query

        def url(number: int) -> str:
            return self.get_list_url(query.with_(page=number))

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
                    "url": self.get_list_url(query.with_(size=size)),
                    "is_current": size == page.size,
                }
                for size in sizes
            ]
            if page.total_count > sizes[0]
            else [],
        }

    def describe_page(self, workspace: Workspace) -> str:
        """Return where in the list somebody is, for the status region."""
        page = workspace.page
        status = self.get_shown_query(workspace).status
        if page is None or not page.status_count:
            return gettext(_NONE[status])
        if page.query.search and Limit.SEARCH not in page.limits:
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
