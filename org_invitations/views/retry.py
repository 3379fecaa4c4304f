"""What is left of a batch, as the form to try it again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from ..addresses import Entry, Refusal, as_text, parse_text
from ..clerk.exceptions import find_kind
from ..forms import InviteForm
from ..models import Batch, BatchItem
from ..roles import AssignableRoles
from ..services.screening import Verdict
from .page import InvitationPageMixin

State = BatchItem.State

#: What the check finds where there is nothing left to do by sending.
_SETTLED: Final = frozenset(
    {
        str(Verdict.MEMBER),
        str(Verdict.SELF),
        str(Verdict.INVITED),
        str(Verdict.TWICE),
    }
)


#: Rows of a table that had no address in its place.
_OF_ROWS: Final = {
    str(Verdict.NO_ADDRESS): Refusal.NO_ADDRESS,
    str(Verdict.SEVERAL): Refusal.SEVERAL,
}


def is_left(item: BatchItem) -> bool:
    """Whether sending it once more, perhaps corrected, may help."""
    # What nobody knows is not sent again before somebody does.
    if item.state in (State.WAITING, State.FAILED):
        return True
    if item.state != State.REFUSED or item.reason in _SETTLED:
        return False
    kind = find_kind(item.reason)
    return kind is None or kind.is_correctable


class RetryMixin(InvitationPageMixin):
    """Offers what is left of a batch of invitations in the form that it came from."""

    def get_retry_form(
        self, batch: Batch, items: Iterable[BatchItem], roles: AssignableRoles
    ) -> InviteForm | None:
        """Return the form with what is left of a batch, and what was chosen; None if nothing is."""
        left = [item for item in items if is_left(item)]
        if not left or batch.action != Batch.Action.INVITE:
            return None
        chosen = batch.options
        initial: dict[str, Any] = {
            "email_addresses": as_text(self._entry(item, chosen.get("role", "")) for item in left),
            "no_email": chosen.get("notify") is False,
        }
        for name in ("role", "expires_in_days", "redirect_url", "language"):
            if chosen.get(name):
                initial[name] = chosen[name]
        if initial.get("role") not in roles:
            initial.pop("role", None)
        form = self.get_form(roles, initial=initial)
        form["email_addresses"].field.widget.attrs["rows"] = min(max(len(left), 2), 12)
        if "hx-trigger" in form["email_addresses"].field.widget.attrs:
            # What is in it already is checked at once, as if it had been typed.
            form["email_addresses"].field.widget.attrs["hx-trigger"] += ", load"
        return form

    def _entry(self, item: BatchItem, usual_role: str) -> Entry:
        role = (item.role or item.role_name) if item.role != usual_role else ""
        if item.email_address:
            return Entry(item.email_address, item.line, item.email_address, role)
        if item.reason in _OF_ROWS:
            return Entry(item.text, item.line, "", role, _OF_ROWS[item.reason])
        # What was no address is left as it was typed, to be corrected.
        found = parse_text(item.text)
        refusal = found[0].refusal if found else None
        return Entry(item.text, item.line, "", role, refusal)
