"""The invite form and the role select. Shape and wording of input; nothing here calls Clerk."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from .roles import AssignableRoles


class RoleSelect(forms.Select):
    """A select of roles. Its own class, so that a site can style or replace it by itself."""


class RoleField(forms.ChoiceField):
    """A select of the roles that an organization may assign: name as label, key as value.

    It can be put into any form. The roles are set on the form's instance, as a
    ``ModelChoiceField``'s queryset would be::

        form.fields["role"].roles = service.get_roles()

    The organization's default role is preselected. While Clerk migrates roles the field is
    disabled, says why, and refuses whatever is posted.
    """

    widget = RoleSelect
    default_error_messages = {
        "required": _("Choose a role."),
        "invalid_choice": _("This role cannot be assigned here any more. Choose another one."),
        "locked": _(
            "Roles are being changed in this organization, so none can be assigned right now. "
            "Try again in a few minutes; your entries are kept."
        ),
        "not_granted": _(
            "You cannot give this role, because it may do more than you may. Choose another one."
        ),
        "withheld": _(
            "You can give only roles that may do no more than you may, and this organization has "
            "none. Ask an administrator of the organization."
        ),
        "unavailable": _("The roles could not be loaded, so no invitation was sent. Try again."),
    }

    def __init__(self, *, roles: AssignableRoles | None = None, **kwargs: Any) -> None:
        """Like ``ChoiceField``, with ``roles`` in place of ``choices``."""
        kwargs.setdefault("label", _("Role"))
        # Kept apart from the choices: the site's own choice of a default wins over Clerk's.
        self._own_initial = kwargs.get("initial")
        super().__init__(**kwargs)
        self.roles = roles or AssignableRoles()

    @property
    def roles(self) -> AssignableRoles:
        """The roles on offer."""
        return self._roles

    @roles.setter
    def roles(self, roles: AssignableRoles) -> None:
        self._roles = roles
        default = self._own_initial if self._own_initial in roles else roles.default_role
        self._offer(default)
        if roles.locked:
            self.disabled = True
            self.help_text = self.error_messages["locked"]
        elif not roles.roles and roles.withheld:
            self.disabled = True
            self.help_text = self.error_messages["withheld"]

    def choose_again(self) -> None:
        """Preselect nothing: what had been chosen is not on offer, and nobody chose the first."""
        self._offer("")

    def _offer(self, default: str | None) -> None:
        self.initial = default or None
        choices: list[tuple[str, Any]] = [(role.key, role.name) for role in self._roles.roles]
        if not default:
            # Nobody is given a role that nobody chose.
            choices.insert(0, ("", _("Choose a role")))
        self.choices = choices

    def clean(self, value: Any) -> str:
        """Return the key of a role on offer."""
        if self._roles.locked:
            raise ValidationError(self.error_messages["locked"], code="locked")
        if not self._roles.roles and self._roles.withheld:
            raise ValidationError(self.error_messages["withheld"], code="withheld")
        if not self._roles.roles:
            raise ValidationError(self.error_messages["unavailable"], code="unavailable")
        if any(role.key == value for role in self._roles.withheld):
            raise ValidationError(self.error_messages["not_granted"], code="not_granted")
        return str(super().clean(value))


class InviteForm(forms.Form):
    """Whom to invite, and as what."""

    email_address = forms.EmailField(
        label=_("Email address"),
        max_length=254,
        error_messages={
            "required": _("Enter the email address of the person to invite."),
            "invalid": _("This is not an email address. It should look like name@example.com."),
        },
        widget=forms.EmailInput(
            attrs={
                # It is somebody else's address: neither the browser's nor a password manager's.
                "autocomplete": "off",
                "autocapitalize": "none",
                "spellcheck": "false",
                "data-1p-ignore": True,
            }
        ),
    )
    role = RoleField()
    confirm_elevated = forms.BooleanField(
        label=_("Yes, this person may manage members"),
        required=False,
        error_messages={
            "unconfirmed": _(
                "The role %(role)s may manage members: invite and remove people, and give them "
                "roles. Tick the box if that is what you want."
            )
        },
    )

    #: Where the messages of :meth:`add_problem` may go.
    problem_fields = ("email_address", "role")

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
        elevated = [role.name for role in self._offered.roles if self._is_elevated(role.key)]
        if not elevated:
            self.fields.pop("confirm_elevated", None)
        elif "confirm_elevated" in self.fields:
            self.fields["confirm_elevated"].help_text = format_lazy(
                _("Needed for: {roles}"), roles=", ".join(elevated)
            )

    @property
    def _offered(self) -> AssignableRoles:
        """The roles on offer: the field's, where a subclass has narrowed them further."""
        field = self.fields["role"]
        return field.roles if isinstance(field, RoleField) else self._roles

    def _is_elevated(self, key: Any) -> bool:
        return key in self._offered.elevated

    def clean(self) -> dict[str, Any] | None:
        """Let nobody give a role that may manage members by a slip."""
        cleaned = super().clean()
        data = self.cleaned_data if cleaned is None else cleaned
        role = self._offered.get(str(data.get("role")))
        tick = self.fields.get("confirm_elevated")
        if role is None or tick is None or data.get("confirm_elevated"):
            return cleaned
        if self._is_elevated(role.key):
            message = tick.error_messages["unconfirmed"]
            self.add_error(
                "confirm_elevated",
                ValidationError(message, code="unconfirmed", params={"role": role.name}),
            )
        return cleaned

    def clean_email_address(self) -> str:
        """Write the domain in small letters: there they mean the same to everybody."""
        local, _at, domain = str(self.cleaned_data["email_address"]).rpartition("@")
        return f"{local}@{domain.lower()}"

    def add_problem(self, message: str, field: str | None) -> None:
        """Show what Clerk refused, beside the field it concerns or above all of them."""
        known = field in self.problem_fields and field in self.fields
        self.add_error(field if known else None, message)
