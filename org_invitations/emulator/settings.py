"""What kind of instance this is, and which way it goes where Clerk's sources leave a choice."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

CHOICES: dict[str, tuple[Any, ...]] = {
    "kind": ("development", "production"),
    "token_version": (2, 1),
    "single_duplicate_code": ("organization_invitation_not_unique", "duplicate_record"),
    "bulk_duplicate_code": ("duplicate_record", "organization_invitation_not_unique"),
    "bulk_format_meta": ("email_addresses", "param_name"),
    "member_error_names": ("email_address", "user_id"),
    "role_error": ("resource_not_found", "form_param_value_invalid"),
    "quota_error": ("organization_membership_quota_exceeded", "insufficient_seats"),
    "inviter_error": ("missing_organization_permission", "not_an_admin_in_organization"),
    "ticket_accepts": ("sign_in", "link"),
    "ticket_while_signed_in": ("complete", "sign_in"),
    "ticket_accepted_again": ("refused", "complete"),
}
"""The settings with a fixed set of values; the first one is the default."""


@dataclass
class InstanceSettings:
    """The instance's settings; ``POST /_emulator/instance`` takes the same names."""

    kind: str = "development"
    token_version: int = 2
    rate_limits: bool = True
    requests_per_10_seconds: int | None = None
    """``None`` is Clerk's number for the kind of instance: 100 or 1000."""
    single_invitations_per_hour: int = 250
    bulk_invitations_per_hour: int = 50
    blocked_domains: list[str] = field(default_factory=list)
    """The blocklist: domains, or whole addresses."""
    allowed_domains: list[str] = field(default_factory=list)
    """The allowlist: when not empty, nobody else may be invited."""
    initial_role_set_key: str | None = "role_set:default"
    single_duplicate_code: str = "organization_invitation_not_unique"
    bulk_duplicate_code: str = "duplicate_record"
    bulk_format_meta: str = "email_addresses"
    bulk_atomic: bool = True
    """Off, a refused bulk create has made those of its invitations that were possible."""
    member_error_names: str = "email_address"
    exclusive_membership: bool = False
    """On, nobody may belong to two organizations."""
    handshake_azp: bool = True
    """Off, the tokens of a handshake do not say which site they are for."""
    role_error: str = "resource_not_found"
    quota_error: str = "organization_membership_quota_exceeded"
    inviter_error: str = "missing_organization_permission"
    private_metadata_told: bool = True
    """Off, invitations are answered without their private metadata, which is kept all the same."""
    ticket_verifiable: bool = False
    """On, the instance's key signs the tickets of the invitations made from now on."""
    ticket_accepts: str = "sign_in"
    """"link": following the link joins a person who has an account, whoever follows it."""
    ticket_while_signed_in: str = "complete"
    """"sign_in": the link does nothing for the invited person where a session is there already."""
    ticket_accepted_again: str = "refused"
    """"complete": the link of an accepted invitation leads on once more."""
    ticket_activates_organization: bool = True
    """Off, who joined has to choose the organization before it is the active one."""
    redirect_query_lost: list[str] = field(default_factory=list)
    """The values of ``__clerk_status`` with which the query of a ``redirect_url`` is dropped."""
    force_organization_selection: bool = False
    """On, there are no personal accounts: a session without an organization is pending."""
    session_task_shown: bool = True
    """Off, the Account Portal leaves it to the site to have the organization chosen."""

    def update(self, changes: dict[str, Any]) -> None:
        """Takes over all ``changes`` or, with a ``ValueError``, none of them."""
        names = {f.name for f in fields(self)}
        for name, value in changes.items():
            if name not in names:
                raise ValueError(f"unknown setting: {name}")
            if name in CHOICES and value not in CHOICES[name]:
                raise ValueError(f"{name} must be one of {', '.join(map(str, CHOICES[name]))}")
            if name not in CHOICES and not _fits(name, value):
                raise ValueError(f"{name} cannot be {value!r}")
        for name, value in changes.items():
            setattr(self, name, value)

    @property
    def is_production(self) -> bool:
        return self.kind == "production"

    @property
    def request_limit(self) -> int:
        if self.requests_per_10_seconds is not None:
            return self.requests_per_10_seconds
        return 1000 if self.is_production else 100


STATUSES = ("sign_in", "sign_up", "complete")
"""What ``__clerk_status`` may say."""


def _fits(name: str, value: Any) -> bool:
    if name in (
        "rate_limits",
        "bulk_atomic",
        "exclusive_membership",
        "handshake_azp",
        "private_metadata_told",
        "ticket_verifiable",
        "ticket_activates_organization",
        "force_organization_selection",
        "session_task_shown",
    ):
        return isinstance(value, bool)
    if name == "redirect_query_lost":
        return isinstance(value, list) and all(entry in STATUSES for entry in value)
    if name.endswith("_domains"):
        return isinstance(value, list) and all(isinstance(entry, str) for entry in value)
    if name == "initial_role_set_key":
        return value is None or isinstance(value, str)
    if name == "requests_per_10_seconds" and value is None:
        return True
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
