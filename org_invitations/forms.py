"""The forms: to invite people, and to send an invitation again. Nothing here calls Clerk.

What both have, the select of roles with its tick and the select of periods, is first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.formats import date_format
from django.utils.text import format_lazy
from django.utils.translation import gettext, ngettext, pgettext
from django.utils.translation import gettext_lazy as _

from .addresses import (
    MAX_FILE_BYTES,
    MAX_ROWS,
    Entry,
    FileTooLarge,
    Reading,
    Refusal,
    TooManyRows,
    UnreadableFile,
    WorkbooksNotInstalled,
    choose,
    read_file,
    read_text,
    recall_notes,
    refuse_twice,
    write_reading,
)
from .clerk import Role
from .conf import MAX_EXPIRES_IN_DAYS, conf
from .roles import AssignableRoles, RoleAbilities, RoleNames, describe_role

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
    #: What each may do, in words, by its key; the script shows it of the chosen one.
    abouts: Mapping[str, str] = {}

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Mark the option of a role that needs a confirmation."""
        option = super().create_option(name, value, *args, **kwargs)
        if value in self.elevated:
            option["attrs"]["data-elevated"] = True
        if value in self.abouts:
            option["attrs"]["data-about"] = self.abouts[value]
        return option


class RoleBoundField(forms.BoundField):
    """The select of roles on a form, and what the chosen one may do."""

    @property
    def has_about(self) -> bool:
        """Whether it is known what the roles on offer may do."""
        return bool(self._abouts)

    @property
    def about(self) -> str:
        """What the chosen role may do, in words; empty where none is chosen, or nobody knows."""
        return str(self._abouts.get(str(self.value() or ""), ""))

    @property
    def _abouts(self) -> Mapping[str, str]:
        abouts: Mapping[str, str] = getattr(self.field.widget, "abouts", {})
        return abouts


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
        "not_grantable": _(
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
        elif not roles.roles and roles.not_grantable:
            self.disabled = True
            self.help_text = self.error_messages["not_grantable"]
        elif roles.not_grantable and not self._own_help_text:
            names = ", ".join(role.name for role in roles.not_grantable)
            self.help_text = format_lazy(self.error_messages["not_offered"], roles=names)
        else:
            self.help_text = self._own_help_text

    def get_bound_field(self, form: forms.BaseForm, field_name: str) -> forms.BoundField:
        """Return the field on a form, with what the chosen role may do."""
        return RoleBoundField(form, self, field_name)

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
        if not self._roles.roles and self._roles.not_grantable:
            raise ValidationError(self.error_messages["not_grantable"], code="not_grantable")
        if not self._roles.roles:
            raise ValidationError(self.error_messages["unavailable"], code="unavailable")
        if any(role.key == value for role in self._roles.not_grantable):
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
        # Translators: one of Django's formats; SHORT_DATE_FORMAT where the other one is too long
        # for a select on a small screen.
        "date": date_format(end, pgettext("date in a select", "DATE_FORMAT")),
    }


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
            widget: Any = field.widget
            if isinstance(widget, RoleSelect):
                widget.abouts = {one.role.key: one.text for one in self.role_abilities}
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


#: So many characters are taken in the text field: those of ``MAX_ROWS`` long addresses. Django's
#: own limit for a form (``DATA_UPLOAD_MAX_MEMORY_SIZE``) is 2.5 MB.
MAX_TEXT: Final = 2_000_000

#: What is taken at once: every suggestion, and in place of a column all of them.
ALL: Final = "all"


class InviteForm(RoleForm):
    """Whom to invite, one or many, and as what."""

    email_addresses = forms.CharField(
        label=_("Email addresses"),
        help_text=_(
            "One or many: separated by commas, spaces or new lines, or pasted from a spreadsheet."
        ),
        strip=False,  # what is a line, and what a column, is the parser's business
        required=False,
        # Not ``max_length``: a browser would cut off what is pasted beyond it, and say nothing.
        validators=[
            MaxLengthValidator(
                MAX_TEXT, _("This is too much for one form. Send it in several parts.")
            )
        ],
        error_messages={"required": _("Enter the email address of the person to invite.")},
        widget=forms.Textarea(
            attrs={
                "rows": 2,
                "dir": "auto",
                # Other people's addresses: neither the browser's nor a password manager's.
                "autocomplete": "off",
                "autocapitalize": "none",
                "spellcheck": "false",
                "data-1p-ignore": True,
            }
        ),
    )
    expires_in_days = ExpiryField(required=False)
    file = forms.FileField(
        label=_("File"),
        help_text=_(
            "In place of typing: a spreadsheet (Excel or CSV) with a column of addresses and, if "
            "you like, one of roles; or contacts, or an invitation of a calendar."
        ),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(
            attrs={
                "accept": (
                    ".csv,.tsv,.txt,.xlsx,.vcf,.ics,.ldif,.json,.htm,.html,text/csv,text/plain"
                )
            }
        ),
        error_messages={
            "too_large": _("The file is larger than 5 MB. Send it in several parts."),
            "too_many": _(
                "There are more than 10,000 rows in this file. Send it in several parts."
            ),
            "unreadable": _(
                "This file cannot be read: it is neither text nor an Excel workbook (.xlsx), or it "
                "is damaged or protected. In a spreadsheet, save it as CSV and try again."
            ),
            "no_workbooks": _(
                "Excel workbooks cannot be read on this site. In the spreadsheet, save the sheet "
                "as “CSV UTF-8” and choose that file."
            ),
        },
    )
    language = forms.ChoiceField(label=_("Language of the invited"), required=False)
    redirect_url = forms.ChoiceField(label=_("Where the link leads"), required=False)
    no_email = forms.BooleanField(
        label=_("Send no email: I pass the link on myself"), required=False
    )

    #: Where the messages of :meth:`add_problem` may go.
    problem_fields: ClassVar[tuple[str, ...]] = ("email_addresses", "role")

    #: The fields that are shown only on request: most invitations need none of them.
    option_fields: ClassVar[tuple[str, ...]] = (
        "expires_in_days",
        "file",
        "language",
        "redirect_url",
        "no_email",
    )

    field_order = ("email_addresses", "role", "confirm_elevated")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Like any form; ``roles`` are the ones on offer."""
        super().__init__(*args, **kwargs)
        #: What was typed and uploaded, once the form has been cleaned.
        self.reading = Reading()
        sent = self.data.getlist("as_typed") if isinstance(self.data, MultiValueDict) else ()
        #: The addresses that look like a slip, and of which somebody has said that they are meant.
        self.as_typed: set[str] = {address for text in sent for address in text.split()}
        self._is_changed = False
        self._offer_options()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What was typed and uploaded, piece by piece; none while it is asked whom to invite."""
        return self.reading.entries if self.reading.question is None else ()

    def _offer_options(self) -> None:
        expiry = self.fields.get("expires_in_days")
        if isinstance(expiry, ExpiryField):
            name = "expires_in_days"
            typed = self.data.get(self.add_prefix(name)) if self.is_bound else None
            expiry.offer(typed or self.initial.get(name))
        for name, choices in (
            ("language", conf.LANGUAGES),
            ("redirect_url", conf.REDIRECT_URLS),
        ):
            field = self.fields.get(name)
            if isinstance(field, forms.ChoiceField) and not choices:
                del self.fields[name]
            elif isinstance(field, forms.ChoiceField):
                field.choices = [("", _("As usual")), *choices]

    @property
    def main_fields(self) -> list[forms.BoundField]:
        """The fields that are always shown, but for the tick, which belongs to the button."""
        apart = (*self.option_fields, "confirm_elevated")
        return [field for field in self.visible_fields() if field.name not in apart]

    @property
    def confirmation(self) -> forms.BoundField | None:
        """The tick for a role that may manage members; None where no such role is on offer."""
        return self["confirm_elevated"] if "confirm_elevated" in self.fields else None

    @property
    def options(self) -> list[forms.BoundField]:
        """The fields that are shown on request."""
        return [field for field in self.visible_fields() if field.name in self.option_fields]

    @property
    def has_chosen_options(self) -> bool:
        """Whether the options must be seen: there is a mistake in them, or a choice."""
        return any(field.errors or self._is_chosen(field) for field in self.options)

    def _is_chosen(self, field: forms.BoundField) -> bool:
        usual = ("", "False", str(field.field.initial or ""))
        return str(field.value() or "") not in usual

    def clean(self) -> dict[str, Any] | None:
        """Take the text and the file apart, and let nobody give a role of weight by a slip."""
        cleaned = super().clean()
        data = self.cleaned_data if cleaned is None else cleaned
        self.reading = recall_notes(self._read(data), self.data.get(self.add_prefix("notes"), ""))
        accepted = [entry for entry in self.entries if entry.refusal is None]
        is_told = bool(accepted) and all(entry.role for entry in accepted)
        if is_told and self.has_error("role", "required"):
            # The file says the role of each, so nothing needs to be chosen.
            del self.errors["role"]
            data["role"] = ""
        role = self.offered_roles.get(str(data.get("role")))
        if role is not None and not is_told:
            self.ask_for_confirmation(role)
        return cleaned

    def get_options(self) -> dict[str, Any]:
        """Return what was chosen for all invitations, as it is kept with what is sent.

        ``role``, ``expires_in_days``, ``redirect_url``, ``notify`` and ``language``, those that
        were chosen. A site's own form may change these and add what else is to be kept, JSON-able:
        :meth:`.InvitationService.get_metadata` finds it in the batch's ``options``. Metadata has no
        place here. Asked once the form has been checked, and once for each press.
        """
        data = self.cleaned_data
        options: dict[str, Any] = {"role": data.get("role", "")}
        days = data.get("expires_in_days")
        if days is not None and days != self.fields["expires_in_days"].initial:
            options["expires_in_days"] = days  # the usual period is the service's to know
        for name in ("redirect_url", "language"):
            if data.get(name):
                options[name] = data[name]
        if data.get("no_email"):
            options["notify"] = False
        return options

    @property
    def role_names(self) -> RoleNames:
        """Which words mean a role here: those too that the person may not give."""
        return RoleNames(self.offered_roles)

    def _read(self, data: dict[str, Any]) -> Reading:
        names = self.role_names
        is_role = names.__contains__ if names.are_known else None
        reading = Reading()
        try:
            reading = read_text(data.get("email_addresses") or "", is_role=is_role)
        except TooManyRows:
            self._refuse_too_many("email_addresses")
            return Reading()
        upload = data.get("file")
        if upload:
            field = self.fields["file"]
            try:
                if upload.size > MAX_FILE_BYTES:
                    raise FileTooLarge
                reading += read_file(upload.read(), is_role=is_role)
            except FileTooLarge:
                self.add_error("file", field.error_messages["too_large"])
            except TooManyRows:
                self.add_error("file", field.error_messages["too_many"])
            except WorkbooksNotInstalled:
                self.add_error("file", field.error_messages["no_workbooks"])
            except UnreadableFile:
                self.add_error("file", field.error_messages["unreadable"])
        if len(reading.entries) > MAX_ROWS:
            self._refuse_too_many("file" if upload else "email_addresses")
            return Reading()
        missing = not reading.entries and not self.errors.keys() & {"email_addresses", "file"}
        if missing:
            field = self.fields["email_addresses"]
            name = "file" if upload and reading.notes else "email_addresses"
            message = (
                _("No address was found in this file.")
                if name == "file"
                else field.error_messages["required"]
            )
            self.add_error(name, message)
        return reading

    def _refuse_too_many(self, name: str) -> None:
        self.add_error(name, _("This is too much for one form. Send it in several parts."))

    # --- What a press of a button changes -------------------------------------------------------

    def take(self, choice: str) -> None:
        """Take one suggestion in place of what was typed, or every one that is the only one.

        :param choice: ``ALL``, or the number of the entry (from 0), a colon and the address. Where
            the text has changed since, the first entry counts that offers the address.
        """
        if self.reading.question is not None:
            return  # first it has to be said whom to invite
        number, _colon, address = choice.partition(":")
        entries = list(self.reading.entries)
        if choice == ALL:
            taken = {
                place: entry.suggestion
                for place, entry in enumerate(entries)
                if entry.suggestion
                and not entry.alternatives
                and entry.email_address not in self.as_typed
            }
        else:
            places = [place for place, entry in enumerate(entries) if address in entry.offers]
            wanted = int(number) if number.isdecimal() and len(number) < 6 else -1
            taken = dict.fromkeys([wanted] if wanted in places else places[:1], address)
        for place, address in taken.items():
            entries[place] = entries[place].take(address)
        if taken:
            self._change(entries)

    def keep(self, address: str) -> None:
        """Take an address as it was typed, although it looks like a slip."""
        if any(entry.email_address == address for entry in self.reading.entries):
            self.as_typed.add(address)

    def leave_out(self, choice: str) -> None:
        """Take a piece out of the list.

        :param choice: the number of the entry (from 0), a colon, and what was typed. Where the text
            has changed since, the first entry counts that was typed like that.
        """
        number, _colon, text = choice.partition(":")
        entries = list(self.reading.entries)
        places = [place for place, entry in enumerate(entries) if entry.text == text]
        if self.reading.question is not None or not places:
            return
        wanted = int(number) if number.isdecimal() and len(number) < 6 else -1
        del entries[wanted if wanted in places else places[0]]
        self._change(entries)

    def choose_column(self, choice: str) -> None:
        """Use another of the columns in question, or with ``ALL`` everybody of all of them.

        :param choice: the column's number, from 0.
        """
        question = self.reading.question
        if question is None:
            return
        if choice == ALL:
            self._change(choose(question, None))
        elif choice.isdecimal() and len(choice) < 6 and int(choice) < len(question.columns):
            self._change(choose(question, int(choice)))

    def use_chosen_role(self) -> None:
        """Give whoever has a role in the list that does not exist the one of the form."""
        names = self.role_names
        self._change(
            replace(entry, role="") if entry.role and entry.role not in names else entry
            for entry in self.entries
        )

    def _change(self, entries: Iterable[Entry]) -> None:
        anew = (
            replace(entry, refusal=None, first_line=None)
            if entry.refusal is Refusal.TWICE
            else entry
            for entry in entries
        )
        entries = tuple(refuse_twice(anew))
        self.reading = replace(self.reading, entries=entries, question=None)
        self._is_changed = True

    @property
    def is_retyped(self) -> bool:
        """Whether the text field has to hold something else than what was sent in it."""
        return self._is_changed or bool(self.cleaned_data.get("file"))

    def retype(self) -> None:
        """Put what came in a file, or was changed by a press, into the text field.

        A file cannot be shown or sent again, so what was found in it is: the entries, and where
        it is asked which column to use, those columns.
        """
        if self.is_retyped and (self.reading.entries or self._is_changed):
            typed = MultiValueDict({name: [self.data[name]] for name in self.data})
            text = write_reading(self.reading)
            if len(text) > MAX_TEXT:  # and so could not be sent again
                self._refuse_too_many("file")
                return
            typed[self.add_prefix("email_addresses")] = text
            self.data = typed

    def add_problem(self, message: str, field: str | None) -> None:
        """Show what Clerk refused, beside the field it concerns or above all of them."""
        known = field in self.problem_fields and field in self.fields
        self.add_error(field if known else None, message)


class SelectionForm(forms.Form):
    """What many get that are sent again: what they had, unless something is chosen for all."""

    role = forms.ChoiceField(label=_("Role"), required=False, widget=RoleSelect)
    expires_in_days = ExpiryField(required=False)

    def __init__(self, *args: Any, roles: AssignableRoles | None = None, **kwargs: Any) -> None:
        """Like any form; ``roles`` are the ones on offer."""
        kwargs.setdefault("auto_id", "id_org_invitations_selected_%s")
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        roles = roles or AssignableRoles()
        field, expiry = self.fields["role"], self.fields["expires_in_days"]
        as_before = [("", _("As before"))]
        if isinstance(field, forms.ChoiceField):
            field.choices = as_before + [(role.key, role.name) for role in roles.roles]
        if isinstance(field.widget, RoleSelect):
            field.widget.elevated = roles.elevated
        if isinstance(expiry, ExpiryField):
            expiry.offer()
            expiry.initial = None
            expiry.widget.choices = as_before + list(expiry.widget.choices)


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
