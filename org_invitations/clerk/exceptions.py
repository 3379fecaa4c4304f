"""What can go wrong between this app and Clerk, as one tree.

::

    ClerkError
    ├── TransportError            no usable answer
    │   ├── ConnectionFailed      never reached Clerk: nothing was done
    │   │   ├── DeadlineExceeded  not sent: too little was left of the request's time
    │   │   ├── CircuitOpen       not sent: Clerk has not answered a few times in a row
    │   │   └── BulkheadFull      not sent: too many requests of the process wait for Clerk
    │   ├── ConnectionBroken      broke after sending: it may have been done
    │   ├── Timeout               no answer in time: it may have been done
    │   └── InvalidResponse       an answer that is not Clerk's (HTML, a redirect, too big)
    └── APIError                  Clerk refused, and said why
        ├── InvalidRequest        400/422
        │   └── InvalidParameter  422 naming a parameter
        │       └── InvalidEmailAddress
        ├── DuplicateInvitation   a pending invitation for the address exists
        ├── AlreadyMember
        ├── AddressNotAllowed     allow-list, block-list, sub-addresses
        ├── QuotaExceeded         memberships or seats are used up
        ├── ExclusiveMembership   the person belongs to another organization
        ├── PermissionDenied      inviter or revoker may not manage members
        ├── NotFound
        │   ├── InvalidIdentifier an id that no object can have; never sent
        │   ├── OrganizationNotFound
        │   ├── InvitationNotFound
        │   └── RoleNotFound
        ├── InvitationNotPending  accepted, revoked or expired meanwhile
        ├── Contradicted          refused with what Clerk itself shows not to be so
        │   ├── InvitationNotShown
        │   ├── MemberNotShown
        │   └── InvitationStillPending
        ├── RoleMigrationInProgress
        ├── ResourceLocked        another request changes it right now
        ├── InvitationsNotSupported
        ├── DevelopmentLimit      the monthly e-mails of a development instance
        ├── RateLimited           429, with the seconds to wait
        ├── Unauthorized          the site's key or version: a fault of the site, not the person
        ├── ServiceUnavailable    5xx: it may have been done
        └── UnexpectedError       a refusal that no catalogue lists

A site that is not configured raises Django's ``ImproperlyConfigured``, which is outside this
tree on purpose: a page that survives Clerk's faults must not survive a missing key.

The texts of these exceptions are for logs. They hold the status, Clerk's code, the parameter
and the trace id, and never an address, a key, a token or a link.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from .text import one_line

#: So long a wait is believed at most (seconds): none of Clerk's limits is for longer than an hour.
MAX_RETRY_AFTER: Final = 3600

#: Clerk's limits that are for one kind of call (its documentation, "System limits"); the others are
#: for all of them together.
SINGLE_INVITATIONS: Final = "single-invitations"
BULK_INVITATIONS: Final = "bulk-invitations"


@dataclass(frozen=True, slots=True)
class ErrorDetail:
    """One entry of Clerk's ``errors`` array (schema ``ClerkError``)."""

    code: str
    message: str = field(default="", repr=False)
    long_message: str = field(default="", repr=False)
    meta: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def param_name(self) -> str:
        """The parameter that Clerk complains about, or an empty string."""
        value = self.meta.get("param_name")
        return value if isinstance(value, str) else ""


class ClerkError(Exception):
    """The root: something went wrong between this app and Clerk."""

    #: Whether the request may have taken effect although no success came back.
    may_have_happened: ClassVar[bool] = False
    #: Whether trying the same again says the same, as long as nothing else has changed.
    is_final: ClassVar[bool] = False
    #: Whether whatever else was to be done in the organization would fare the same right now.
    concerns_all: ClassVar[bool] = False
    #: Whether Clerk could not be asked: nothing is known, and a later try may do.
    is_transient: ClassVar[bool] = False
    #: Whether another entry in the place of the refused one, or a later try, may help; else the
    #: person has what they were to get, or cannot get it.
    is_correctable: ClassVar[bool] = True

    #: The invitation that a refusal is about, an :class:`.Invitation` as Clerk showed it when that
    #: was looked up; else None. (That class knows this module, so it cannot be named here.)
    invitation: Any = None

    def __init__(
        self,
        reason: str = "",
        *,
        status: int | None = None,
        errors: tuple[ErrorDetail, ...] = (),
        trace_id: str = "",
    ) -> None:
        """Build an error.

        :param reason: what happened, in a few words without any personal data.
        :param status: the HTTP status, None where there was no answer.
        :param errors: Clerk's own entries, the first one first.
        :param trace_id: ``clerk_trace_id`` of the body, else the ``cf-ray`` header.
        """
        self.reason = reason
        self.status = status
        self.errors = errors
        self.trace_id = trace_id
        super().__init__(str(self))

    def __str__(self) -> str:
        parts = [self.reason or type(self).__name__]
        if self.status is not None:
            parts.append(f"status {self.status}")
        if self.code:
            parts.append(f"code {self.code}")
        if self.param_name:
            parts.append(f"parameter {self.param_name}")
        if self.trace_id:
            parts.append(f"trace {self.trace_id}")
        return ", ".join(map(one_line, parts))

    @property
    def may_be_under_way(self) -> bool:
        """Whether Clerk may still be at work on the request: what is not there may come yet."""
        if isinstance(self, (ConnectionBroken, Timeout)):
            return True
        # 520 to 530 are Cloudflare's, which stands before Clerk and gives up before Clerk does.
        return self.status in (502, 503, 504) or 520 <= (self.status or 0) <= 530

    @property
    def detail(self) -> ErrorDetail:
        """Clerk's first entry, or an empty one."""
        return self.errors[0] if self.errors else ErrorDetail(code="")

    @property
    def code(self) -> str:
        """Clerk's code, e.g. ``duplicate_record``; empty where Clerk gave none."""
        return self.detail.code

    @property
    def meta(self) -> Mapping[str, Any]:
        """Clerk's ``meta`` of the first entry."""
        return self.detail.meta

    @property
    def param_name(self) -> str:
        """The parameter that Clerk complains about, or an empty string."""
        return self.detail.param_name

    @property
    def long_message(self) -> str:
        """Clerk's own sentence. May hold an address: show it escaped, do not log it."""
        return self.detail.long_message or self.detail.message

    @property
    def email_addresses(self) -> tuple[str, ...]:
        """The addresses that Clerk's ``meta`` names (``email_addresses``, ``identifiers``)."""
        found: list[str] = []
        for entry in self.errors:
            for key in ("email_addresses", "identifiers"):
                value = entry.meta.get(key)
                if isinstance(value, list):
                    found.extend(item for item in value if isinstance(item, str))
        return tuple(dict.fromkeys(found))


class TransportError(ClerkError):
    """No usable answer came back."""

    is_transient = True


class ConnectionFailed(TransportError):
    """Clerk was not reached (refused, unknown host, TLS, connect time-out): nothing was done."""

    concerns_all = True


class DeadlineExceeded(ConnectionFailed):
    """The call was not sent, because too little is left of the time that the request has."""


class CircuitOpen(ConnectionFailed):
    """The call was not sent, because Clerk has not answered a few times in a row just now."""


class BulkheadFull(ConnectionFailed):
    """The call was not sent, because too many requests of this process wait for Clerk already."""


class ConnectionBroken(TransportError):
    """The connection broke after the request was sent, or in the middle of the answer."""

    may_have_happened = True


class Timeout(TransportError):
    """No complete answer within the read time-out."""

    may_have_happened = True


class InvalidResponse(TransportError):
    """The answer is not one of Clerk's: not JSON, too large, a redirect."""

    may_have_happened = True


class APIError(ClerkError):
    """Clerk answered with an error."""


class InvalidRequest(APIError):
    """400 or 422 without a more exact meaning."""

    is_final = True


class InvalidParameter(InvalidRequest):
    """422 that names a parameter in ``meta.param_name``."""


class InvalidEmailAddress(InvalidParameter):
    """Clerk does not take the text for an e-mail address."""


class DuplicateInvitation(APIError):
    """A pending invitation exists (``duplicate_record`` or ``…_invitation_not_unique``)."""

    is_final = True
    is_correctable = False


class AlreadyMember(APIError):
    """The address belongs to a member of the organization."""

    is_final = True
    is_correctable = False


class AddressNotAllowed(APIError):
    """The instance's allow-list, block-list or sub-address rule refuses the address."""

    is_final = True


class QuotaExceeded(APIError):
    """No seat is left, pending invitations counted."""

    is_final = True


class ExclusiveMembership(APIError):
    """The person belongs to another organization and cannot join a second."""

    is_final = True
    is_correctable = False


class PermissionDenied(APIError):
    """The user named as inviter or revoker may not manage members."""

    is_final = True
    concerns_all = True


class NotFound(APIError):
    """404 of any kind."""

    is_final = True


class InvalidIdentifier(NotFound):
    """An organization's id that cannot be one of Clerk's; it was never sent."""

    concerns_all = True


class OrganizationNotFound(NotFound):
    """The organization does not exist (any more)."""

    concerns_all = True


class InvitationNotFound(NotFound):
    """No such invitation in this organization."""


class RoleNotFound(NotFound):
    """The role does not exist, or the organization's role set does not have it."""


class InvitationNotPending(APIError):
    """Accepted, revoked or expired meanwhile. Clerk sends 404 for this, not 409."""

    is_final = True


class Contradicted(APIError):
    """Clerk refused with something that can be looked up, and shows that it is not so.

    Never Clerk's own: it takes the place of the refusal once somebody has looked.
    """


class InvitationNotShown(Contradicted):
    """Refused as invited before, and Clerk shows no pending invitation of the address."""


class MemberNotShown(Contradicted):
    """Refused as a member, and Clerk shows no member with the address."""


class InvitationStillPending(Contradicted):
    """Refused as not pending or not there, and Clerk shows the invitation as pending."""


class RoleMigrationInProgress(APIError):
    """The organization's roles are being changed; none can be assigned meanwhile."""

    concerns_all = True


class ResourceLocked(APIError):
    """Another request is changing the same thing; trying again will do."""

    concerns_all = True


class InvitationsNotSupported(APIError):
    """Organizations or invitations are switched off in the instance."""

    is_final = True
    concerns_all = True


class DevelopmentLimit(APIError):
    """A development instance has used up its e-mails of the month."""

    concerns_all = True


class RateLimited(APIError):
    """429: one of Clerk's limits for the whole instance is reached."""

    #: Which of them said so: of :data:`SINGLE_INVITATIONS` or :data:`BULK_INVITATIONS`, where the
    #: call was one of these; else empty. It says nothing about calls of another kind.
    limit: str = ""

    concerns_all = True
    is_transient = True

    def __init__(self, reason: str = "", *, retry_after: int | None = None, **kwargs: Any) -> None:
        """Like :class:`ClerkError`.

        :param retry_after: seconds until trying again makes sense, where that is known; what is
            not within 1 and :data:`MAX_RETRY_AFTER` is taken for the nearer of the two.
        """
        self.retry_after = (
            None if retry_after is None else min(max(retry_after, 1), MAX_RETRY_AFTER)
        )
        super().__init__(reason, **kwargs)


class Unauthorized(APIError):
    """Clerk does not accept the site's secret key, scopes or API version."""

    concerns_all = True


class ServiceUnavailable(APIError):
    """A fault on Clerk's side (5xx)."""

    may_have_happened = True
    is_transient = True


class UnexpectedError(APIError):
    """A refusal with a code that this app does not know."""

    is_final = True


def find_kind(name: str) -> type[ClerkError] | None:
    """Return the class of this name, which is how an error is kept; None where it is no error's."""
    kind = globals().get(name)
    return kind if isinstance(kind, type) and issubclass(kind, ClerkError) else None
