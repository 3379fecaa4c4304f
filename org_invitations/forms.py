"""The form to invite people. Shape and wording of input; nothing here calls Clerk."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from django import forms
from django.core.validators import MaxLengthValidator
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _

from .addresses import (
    MAX_FILE_BYTES,
    Entry,
    FileTooLarge,
    UnreadableFile,
    parse_file,
    parse_text,
)
from .conf import conf
from .fields import ExpiryField, RoleField, RoleSelect
from .retyping import as_text
from .role_form import RoleForm

__all__ = ["ExpiryField", "InviteForm", "RoleField", "RoleSelect"]


#: What one form takes. Each piece has an answer of its own, on a page that somebody reads.
MAX_ENTRIES: Final = 5000


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
                MAX_FILE_BYTES, _("This is too much for one form. Send it in several parts.")
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
        label=_("CSV file"),
        help_text=_(
            "In place of typing: a file with a column of addresses and, if you like, one of roles."
        ),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,text/csv,text/plain"}),
        error_messages={
            "too_large": _("The file is larger than 1 MB. Send it in several parts."),
            "unreadable": _(
                "This file is not a text file. In a spreadsheet, save it as CSV and try again."
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
        #: What was typed and uploaded, piece by piece, once the form has been cleaned.
        self.entries: tuple[Entry, ...] = ()
        self._offer_options()

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
        """The fields that are always shown."""
        return [field for field in self.visible_fields() if field.name not in self.option_fields]

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
        self.entries = self._parse(data)
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

    def _parse(self, data: dict[str, Any]) -> tuple[Entry, ...]:
        entries = parse_text(data.get("email_addresses") or "")
        upload = data.get("file")
        if upload:
            field = self.fields["file"]
            try:
                if upload.size > MAX_FILE_BYTES:
                    raise FileTooLarge
                entries += parse_file(upload.read())
            except FileTooLarge:
                self.add_error("file", field.error_messages["too_large"])
            except UnreadableFile:
                self.add_error("file", field.error_messages["unreadable"])
        if len(entries) > MAX_ENTRIES:
            name = "file" if upload else "email_addresses"
            self.add_error(name, _("This is too much for one form. Send it in several parts."))
            return ()
        missing = not entries and not self.errors.keys() & {"email_addresses", "file"}
        if missing:
            field = self.fields["email_addresses"]
            self.add_error("email_addresses", field.error_messages["required"])
        return entries

    def retype(self) -> None:
        """Put what came in a file into the text field: a file cannot be shown or sent again."""
        if self.entries and self.cleaned_data.get("file"):
            typed = MultiValueDict({name: [self.data[name]] for name in self.data})
            text = as_text(self.entries)
            if len(text) <= MAX_FILE_BYTES:  # and so can be sent again
                typed[self.add_prefix("email_addresses")] = text
                self.data = typed

    def add_problem(self, message: str, field: str | None) -> None:
        """Show what Clerk refused, beside the field it concerns or above all of them."""
        known = field in self.problem_fields and field in self.fields
        self.add_error(field if known else None, message)
