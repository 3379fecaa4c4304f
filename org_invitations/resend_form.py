"""The form to send an invitation again, as it was or with another role or expiry."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from .fields import ExpiryField, RoleField
from .role_form import RoleForm


class ResendForm(RoleForm):
    """As what, and for how long."""

    expires_in_days = ExpiryField(required=False)
    no_email = forms.BooleanField(
        label=_("Send no email: I pass the link on myself"), required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Like any form; ``roles`` are the ones on offer, ``initial`` what the old one has."""
        # The form to invite may be on the same page.
        kwargs.setdefault("auto_id", "id_org_invitations_resend_%s")
        super().__init__(*args, **kwargs)
        role = self.fields["role"]
        if isinstance(role, RoleField) and not self.is_bound and not self.initial.get("role"):
            role.choose_again()  # a browser would preselect the first one, and nobody chose it
        field = self.fields["expires_in_days"]
        if isinstance(field, ExpiryField):
            typed = self.data.get("expires_in_days") if self.is_bound else None
            field.offer(typed or self.initial.get("expires_in_days"))

    def clean(self) -> dict[str, Any] | None:
        """Let nobody give a role of weight by a slip."""
        cleaned = super().clean()
        data = self.cleaned_data if cleaned is None else cleaned
        role = self.offered_roles.get(str(data.get("role")))
        if role is not None:
            self.ask_for_confirmation(role)
        return cleaned

    def add_problem(self, message: str, field: str | None) -> None:
        """Show what Clerk refused, beside the field it concerns or above all of them."""
        self.add_error(field if field == "role" else None, message)
