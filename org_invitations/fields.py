"""The fields that any form about invitations needs: the role select and the expiry select."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import format_lazy
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from .conf import MAX_EXPIRES_IN_DAYS, conf
from .roles import AssignableRoles

#: The periods on offer (days).
USUAL_DAYS: Final = (1, 7, 14, 30, 90, 365)
#: What Clerk takes where nothing else is said (API description 2026-05-12).
CLERKS_EXPIRES_IN_DAYS: Final = 30


class RoleSelect(forms.Select):
    """A select of roles. Its own class, so that a site can style or replace it by itself.

    The options of roles that need a confirmation have ``data-elevated``: the stylesheet shows the
    tick only while one of them is chosen.
    """

    #: The keys of those roles.
    elevated: frozenset[str] = frozenset()

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Mark the option of a role that needs a confirmation."""
        option = super().create_option(name, value, *args, **kwargs)
        if value in self.elevated:
            option["attrs"]["data-elevated"] = True
        return option


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
        "not_offered": _("Not on offer, because they may do more than you may: {roles}"),
        "unavailable": _("The roles could not be loaded, so no invitation was sent. Try again."),
    }

    def __init__(self, *, roles: AssignableRoles | None = None, **kwargs: Any) -> None:
        """Like ``ChoiceField``, with ``roles`` in place of ``choices``."""
        kwargs.setdefault("label", _("Role"))
        # Kept apart from the choices: the site's own choice of a default wins over Clerk's.
        self._own_initial = kwargs.get("initial")
        super().__init__(**kwargs)
        self._own_help_text = self.help_text
        self.roles = roles or AssignableRoles()

    @property
    def roles(self) -> AssignableRoles:
        """The roles on offer."""
        return self._roles

    @roles.setter
    def roles(self, roles: AssignableRoles) -> None:
        self._roles = roles
        widget: Any = self.widget  # a class may have been given, and is an instance by now
        if isinstance(widget, RoleSelect):
            widget.elevated = roles.elevated
        default = self._own_initial if self._own_initial in roles else roles.default_role
        self._offer(default)
        if roles.locked:
            self.disabled = True
            self.help_text = self.error_messages["locked"]
        elif not roles.roles and roles.withheld:
            self.disabled = True
            self.help_text = self.error_messages["withheld"]
        elif roles.withheld and not self._own_help_text:
            names = ", ".join(role.name for role in roles.withheld)
            self.help_text = format_lazy(self.error_messages["not_offered"], roles=names)
        else:
            self.help_text = self._own_help_text

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


class ExpiryField(forms.IntegerField):
    """For how many days an invitation holds: a select that says until which date that is.

    Any number from 1 to 365 is taken, those of the select are only the usual ones.
    """

    def __init__(self, **kwargs: Any) -> None:
        """Like ``IntegerField``; the site's or Clerk's usual period is preselected."""
        kwargs.setdefault("label", _("Valid for"))
        super().__init__(min_value=1, max_value=MAX_EXPIRES_IN_DAYS, widget=forms.Select, **kwargs)

    def offer(self, days: Any = None) -> None:
        """Put the usual periods on offer as seen from today, and ``days`` with them."""
        usual = conf.EXPIRES_IN_DAYS or CLERKS_EXPIRES_IN_DAYS
        self.initial = usual
        offered = {*USUAL_DAYS, usual}
        with suppress(TypeError, ValueError):
            offered.add(int(days))
        now = datetime.now(timezone.get_current_timezone())
        self.widget.choices = [
            (count, _describe_period(count, now + timedelta(days=count)))
            for count in sorted(offered)
            if 1 <= count <= MAX_EXPIRES_IN_DAYS
        ]


def _describe_period(days: int, end: datetime) -> str:
    period = ngettext("%(count)d day", "%(count)d days", days) % {"count": days}
    return gettext("%(period)s, until %(date)s") % {
        "period": period,
        "date": date_format(end, "DATE_FORMAT"),
    }
