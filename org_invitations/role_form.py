"""What every form has that gives somebody a role: the select, and a tick for roles of weight."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from .abilities import RoleAbilities, describe_role
from .clerk import Role
from .fields import RoleField
from .roles import AssignableRoles


class RoleForm(forms.Form):
    """Gives a role. A subclass calls :meth:`ask_for_confirmation` when it is cleaned."""

    role = RoleField()
    confirm_elevated = forms.BooleanField(
        label=_("I mean to give a role that may manage members"),
        required=False,
        error_messages={
            "unconfirmed": _(
                "The role %(role)s may manage members: invite and remove people, and give them "
                "roles. Tick the box if that is what you want."
            )
        },
    )

    def __init__(self, *args: Any, roles: AssignableRoles | None = None, **kwargs: Any) -> None:
        """Like any form; ``roles`` are the ones on offer."""
        kwargs.setdefault("auto_id", "id_org_invitations_%s")
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        self._roles = roles or AssignableRoles()
        field = self.fields["role"]
        if isinstance(field, RoleField):
            field.roles = self._roles
            chosen = self.data.get(self.add_prefix("role")) if self.is_bound else None
            if field.disabled:
                # A disabled select is not posted again: show what had been chosen.
                field.initial = chosen or field.initial
            elif chosen is not None and chosen not in field.roles:
                field.choose_again()
        self._describe_elevated()

    def _describe_elevated(self) -> None:
        elevated = [role.name for role in self.offered_roles.roles if self._is_elevated(role.key)]
        if not elevated:
            self.fields.pop("confirm_elevated", None)
        elif "confirm_elevated" in self.fields:
            self.fields["confirm_elevated"].help_text = format_lazy(
                _("Needed for: {roles}"), roles=", ".join(elevated)
            )

    @property
    def role_abilities(self) -> list[RoleAbilities]:
        """What the roles on offer may do, in words; empty where Clerk was not asked for them."""
        if not self.offered_roles.is_known:
            return []
        return [describe_role(role) for role in self.offered_roles.roles]

    @property
    def offered_roles(self) -> AssignableRoles:
        """The roles on offer: the field's, where a subclass has narrowed them further."""
        field = self.fields["role"]
        return field.roles if isinstance(field, RoleField) else self._roles

    def _is_elevated(self, key: Any) -> bool:
        return key in self.offered_roles.elevated

    def ask_for_confirmation(self, role: Role) -> bool:
        """Add an error if the role needs the tick and it is not there; tell whether it does."""
        tick = self.fields.get("confirm_elevated")
        ticked = self.cleaned_data.get("confirm_elevated")
        if tick is None or ticked or not self._is_elevated(role.key):
            return False
        message = tick.error_messages["unconfirmed"]
        self.add_error(
            "confirm_elevated",
            ValidationError(message, code="unconfirmed", params={"role": role.name}),
        )
        return True
