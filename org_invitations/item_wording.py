"""The sentences about one item of many: an address that was checked, or one that was dealt with.

They stand beside the address in a table, so they do not repeat it. ``Wording.for_item`` chooses:
the exact case after a second colon where all that it names is known, else the plain one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

#: By the name of a ``Verdict`` or of an exception, or of what is special about an item.
ITEM_MESSAGES: Final[Mapping[str, str | Promise]] = {
    # --- What the check before sending finds ----------------------------------------------------
    "Item:member": _("Already a member."),
    "Item:member:known": _("Already a member (%(role)s)."),
    "Item:invited": _("Already invited."),
    "Item:invited:dated": _("Already invited on %(date)s."),
    "Item:invited:inviter": _("Already invited on %(date)s by %(inviter)s."),
    "Item:invited:known": _("Already invited on %(date)s by %(inviter)s; it expires %(expires)s."),
    "Item:twice": _("Typed twice."),
    "Item:twice:known": _("Typed twice: line %(first_line)s counts, this one is left out."),
    "Item:not-an-address": _("“%(text)s” is not an email address."),
    "Item:not-an-address:known": _(
        "“%(text)s” is not an email address. Did you mean %(suggestion)s?"
    ),
    "Item:too-long": _("This is longer than an email address can be."),
    "Item:no-address": _("No address in this row."),
    "Item:no-address:known": _("No address in its place in this row. Did you mean %(suggestion)s?"),
    "Item:several-addresses": _(
        "No address in its place in this row, and several elsewhere in it: which is meant?"
    ),
    "Item:self": _("This is your own address: you are a member already."),
    "Item:no-seat": _("No seat is left. Pending invitations take seats, too."),
    "Item:role-unknown": _("This organization has no such role."),
    "Item:role-unknown:known": _("This organization has no role “%(wanted_role)s”."),
    "Item:role-not-granted": _("You cannot give this role, because it may do more than you may."),
    "Item:role-not-granted:known": _(
        "You cannot give the role %(role)s, because it may do more than you may."
    ),
    "Item:later": _("Too many for one go: it waits for the next step."),
    # --- What only a selection of invitations can have ------------------------------------------
    "Item:chosen-twice": _(
        "You chose more than one invitation of this address, and one is enough."
    ),
    "Item:half-done": _("The old invitation was revoked, but the new one could not be sent."),
    "Item:half-done:known": _(
        "The old invitation was revoked, but the new one could not be sent. %(why)s"
    ),
    "Item:unsettled": _(
        "Clerk did not answer, so nobody knows yet whether this happened. Reload this page in a "
        "few minutes."
    ),
    # Where nothing tells two invitations apart, not even the time.
    "Item:unclear": _(
        "Clerk did not answer. There is an invitation, but nothing tells whether it is this one or "
        "one from before."
    ),
    "Item:unclear:dated": _(
        "Clerk did not answer. There is an invitation of %(date)s, but nothing tells whether it is "
        "this one or one from before."
    ),
    # Why the second half of a resend is missing. The first was done, maybe by somebody else.
    "Item:PermissionDenied:half-done": _("Whoever sent it may not manage members any more."),
    "Item:ConnectionFailed:half-done": _("Clerk could not be reached."),
    "Item:DeadlineExceeded:half-done": _("Clerk answered slowly, and there was no time left."),
    "Item:TransportError:half-done": _("Clerk did not answer properly."),
    "Item:ServiceUnavailable:half-done": _("Clerk did not answer properly."),
    # What waits was not begun, so there is nothing that was to be made sure.
    "Item:ConnectionFailed:waiting": _("Clerk could not be reached, so it was not begun."),
    "Item:TransportError:waiting": _("Clerk did not answer properly, so it was not begun."),
    "Item:ServiceUnavailable:waiting": _("Clerk did not answer properly, so it was not begun."),
    "Item:InvitationNotShown:half-done": _(
        "Clerk says that an invitation is pending, but shows none."
    ),
    "Item:MemberNotShown:half-done": _(
        "Clerk says that this is a member, but shows no such member."
    ),
    "Item:InvitationNotPending:half-done": _("The other invitation is no longer pending."),
    # Clerk gave no answer, and as long as it could still have happened it did not.
    "Item:absent": _("Clerk did not answer, and shows nothing of it since. Try again."),
    "Item:absent:revoke": _(
        "Clerk did not answer, and the invitation is still pending. Try again."
    ),
    "Item:absent:resend": _(
        "Clerk did not answer, and the old invitation is as it was. Try again."
    ),
    "Item:absent:half-done": _("Clerk did not answer, and shows nothing of it since."),
    # Between the two halves of a resend somebody else has invited the person.
    "Item:other-invitation": _("There is another invitation meanwhile, as %(role)s."),
    "Item:other-invitation:dated": _(
        "There is another invitation of %(date)s, as %(role)s; wanted was %(wanted_role)s."
    ),
    "Item:other-invitation:inviter": _(
        "%(inviter)s has sent another invitation meanwhile, as %(role)s."
    ),
    "Item:other-invitation:known": _(
        "%(inviter)s has sent another invitation meanwhile, as %(role)s; wanted was "
        "%(wanted_role)s."
    ),
    # --- What Clerk says ------------------------------------------------------------------------
    "Item:DuplicateInvitation": _("Already invited."),
    "Item:DuplicateInvitation:dated": _("Already invited on %(date)s."),
    "Item:DuplicateInvitation:inviter": _("Already invited on %(date)s by %(inviter)s."),
    "Item:DuplicateInvitation:known": _(
        "Already invited on %(date)s by %(inviter)s; it expires %(expires)s."
    ),
    "Item:AlreadyMember": _("Already a member."),
    # What Clerk itself shows not to be so.
    "Item:InvitationNotShown": _(
        "Clerk refused this: it says that an invitation is pending, but shows none. Try again."
    ),
    "Item:MemberNotShown": _(
        "Clerk refused this: it says that this is a member, but shows no such member. Try again."
    ),
    "Item:InvitationNotShown:waiting": _(
        "Clerk refused others as invited whom it does not show as invited, so it was not begun."
    ),
    "Item:MemberNotShown:waiting": _(
        "Clerk refused others as members whom it does not show as members, so it was not begun."
    ),
    "Item:InvitationStillPending": _(
        "Clerk refused this: it says that the invitation is not pending or not there, but shows it "
        "as pending. Try again."
    ),
    "Item:AddressNotAllowed": _(
        "This application does not accept the address. Ask whoever runs it which are allowed."
    ),
    "Item:InvalidEmailAddress": _("Clerk does not take this for an email address."),
    "Item:QuotaExceeded": _(
        "No seat is left. Pending invitations take seats, too: revoke one that is no longer "
        "needed, or ask for more seats."
    ),
    "Item:ExclusiveMembership": _("Belongs to another organization and cannot join a second one."),
    "Item:RoleNotFound": _("The role no longer exists here. Choose another one."),
    "Item:RoleNotGranted": _("You cannot give this role, because it may do more than you may."),
    "Item:RoleMigrationInProgress": _(
        "Roles are being changed right now. Try again in a few minutes."
    ),
    "Item:ResourceLocked": _("Somebody else is changing this organization. Try again."),
    "Item:PermissionDenied": _(
        "You may no longer manage members, so nothing was done. Ask an administrator of the "
        "organization."
    ),
    "Item:OrganizationNotFound": _("The organization no longer exists."),
    "Item:NotFound": _("It no longer exists."),
    "Item:InvitationNotFound": _("There is no such invitation here any more."),
    "Item:InvitationNotPending": _("No longer pending, so there was nothing to do."),
    "Item:InvitationNotPending:accepted": _(
        "Accepted meanwhile: the person is a member now, and there is nothing left to do."
    ),
    "Item:InvitationNotPending:revoked": _("Was revoked already. Its link does not work."),
    "Item:InvitationNotPending:expired": _("Has expired already. Its link does not work."),
    "Item:InvitationsNotSupported": _(
        "Invitations are switched off for this application. Ask whoever runs it."
    ),
    "Item:DevelopmentLimit": _(
        "This development instance of Clerk has used up its emails of the month."
    ),
    "Item:RateLimited": _("Clerk's limit is reached. It is kept, and can go later."),
    "Item:Unauthorized": _(
        "This site cannot talk to Clerk: its configuration needs attention. Tell whoever runs it."
    ),
    "Item:ConnectionFailed": _("Clerk could not be reached, so nothing was done. Try again."),
    "Item:DeadlineExceeded": _(
        "Clerk answered slowly, and the time was over before this. It is kept, and can go now."
    ),
    "Item:TransportError": _(
        "Clerk did not answer properly. We made sure that nothing was done. Try again."
    ),
    "Item:ServiceUnavailable": _(
        "Clerk did not answer properly. We made sure that nothing was done. Try again."
    ),
    "Item:UnexpectedError": _("Clerk refused this: %(clerk_message)s"),
    "Item:UnexpectedError:known": _(
        "Clerk refused this: %(clerk_message)s Tell whoever runs this site: %(trace_id)s"
    ),
    "Item:Refused": _("Clerk refused this without giving a reason."),
    "Item:Refused:coded": _("Clerk refused this without giving a reason (%(code)s)."),
    "Item:Refused:known": _("Clerk refused this: %(clerk_message)s"),
}
