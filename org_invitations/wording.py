"""What a person is told when something did not work: what happened, and what to do next.

One mapping holds every sentence, by the name of the exception, so a site rewords one without
touching a view: subclass :class:`Wording`, extend ``messages``, and set ``wording_class`` on the
views. The log has the codes; a person gets Clerk's trace id only where they must ask somebody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import Any, ClassVar, Final

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.text import Truncator
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from .clerk import ClerkError, Invitation
from .clerk import exceptions as exc

_Text = str | Promise

#: The sentences about one item of many: an address that was checked, or one that was dealt with.
#: They stand beside the address in a table, so they do not repeat it. ``Wording.for_item`` chooses:
#: the exact case after a second colon where all that it names is known, else the plain one.
#:
#: By the name of a ``PreviewStatus`` or of an exception, or of what is special about an item.
_ITEM_MESSAGES: Final[Mapping[str, str | Promise]] = {
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
    "Item:mistyped": _("Looks mistyped."),
    "Item:later": _("Too many for one go: it waits until you send the rest."),
    # --- What only a selection of invitations can have ------------------------------------------
    "Item:no-metadata": _(
        "This site could not put together what goes with the invitation, so it was not sent. Try "
        "again, or tell whoever runs this site."
    ),
    "Item:cancelled": _("Somebody has cancelled the rest before this was sent."),
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
    "Item:unsaved": _("It is not known yet whether this happened."),
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
    # The same to somebody else than who began it.
    "Item:self:other": _("The address of whoever began this: a member already."),
    "Item:role-not-granted:other": _(
        "Whoever began this cannot give this role, because it may do more than they may."
    ),
    "Item:RoleNotGranted:other": _(
        "Whoever began this cannot give this role, because it may do more than they may."
    ),
    "Item:PermissionDenied:other": _(
        "Whoever began this may no longer manage members, so nothing was done."
    ),
    "Item:chosen-twice:other": _(
        "More than one invitation of this address was chosen, and one is enough."
    ),
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


#: What an invited person is told on the pages for joining.
_JOIN_MESSAGES: Final[Mapping[str, _Text]] = {
    "Join:later": _("Clerk did not answer properly, so nothing was changed. Try again."),
    "Join:again": _(
        "Clerk did not answer properly. Joining has begun and is not finished. Press the button "
        "again: it goes on where it was."
    ),
    "Join:unknown": _(
        "Clerk did not answer, so we do not know how it stands. Reload this page in a minute, and "
        "press the button again if it is still there."
    ),
    "Join:busy": _("This is being done at the moment. Reload this page in a few seconds."),
    "Join:role": _(
        "%(organization)s no longer gives the role that you were invited to, or its roles are "
        "being changed right now. Nothing was changed. Ask whoever invited you."
    ),
    "Join:seats": _(
        "%(organization)s has no seat left. Nothing was changed, and your invitation stands. Ask "
        "whoever invited you."
    ),
    "Join:inviter": _(
        "Whoever invited you may not invite people to %(organization)s any more. Nothing was "
        "changed. Ask somebody else there for a new invitation."
    ),
    "Join:restored": _(
        "You could not be added to %(organization)s just now. Your invitation stands. Try again "
        "later, or ask whoever invited you."
    ),
    "Join:half-done": _(
        "Your invitation was taken back while you were joining, and you could not be added. The "
        "people who manage the members see that, and can send you a new one."
    ),
    "Join:clerk": _("Joining happens on another page here. Use the link in your mail once more."),
    "Join:session": _(
        "Your session has been renewed, and nothing was lost. Press the button again."
    ),
    "Join:renewing": _("Your session is being renewed."),
    "Join:onward": _("One moment, you are being taken there."),
    "Join:switch": _(
        "You could not be signed out here. Sign out of this site, then open the link in your mail "
        "again."
    ),
    "Join:gone": _("This invitation is no longer valid."),
    "Join:database": _(
        "Something went wrong on this site. Try again in a few minutes, here or in “My "
        "invitations”: if joining has begun, it goes on there."
    ),
}


class Stage(StrEnum):
    """When something did not work, seen by somebody who asks: was anything done?"""

    #: Something was only to be shown, or found out, or what was wanted is done already: nothing is
    #: said about what was done.
    READING = "reading"
    #: What has to be known before anything is done: nothing was.
    BEFORE = "before"
    #: What was to be done itself; it has been made sure that it was not.
    WRITING = "writing"


@dataclass(frozen=True, slots=True)
class ErrorMessage:
    """Something that did not work, in words for the person it happened to."""

    message: str
    #: The status of the answer that says so.
    status: int = HTTPStatus.UNPROCESSABLE_ENTITY
    #: The form's field that it is about, if any.
    field: str | None = None
    #: Seconds after which trying again makes sense, where Clerk said.
    retry_after: int | None = None
    #: Whether nobody knows whether it did not work.
    is_open: bool = False


class Wording:
    """The sentences, and the rule which of them fits an error."""

    #: By the name of the exception, or of a closer case after a colon.
    messages: ClassVar[dict[str, _Text]] = {
        "DuplicateInvitation": _(
            "%(email_address)s already has a pending invitation. You can resend it, or change its "
            "role, in the list of pending invitations."
        ),
        "DuplicateInvitation:known": _(
            "%(email_address)s was invited on %(date)s by %(inviter)s as %(role)s. You can resend "
            "that invitation, or change its role, in the list of pending invitations."
        ),
        "AlreadyMember": _("%(email_address)s is already a member of %(organization)s."),
        "InvitationNotShown": _(
            "Clerk refused to invite %(email_address)s: it says that an invitation is pending, but "
            "shows none. Nothing was sent. Try again; if that does not help, tell whoever runs "
            "this site."
        ),
        "MemberNotShown": _(
            "Clerk refused to invite %(email_address)s: it says that this is a member of "
            "%(organization)s, but shows no such member. Nothing was sent. Try again; if that does "
            "not help, tell whoever runs this site."
        ),
        "InvitationStillPending": _(
            "Clerk refused to revoke this invitation: it says that it is not pending or not there, "
            "but shows it as pending. Nothing was changed. Try again; if that does not help, tell "
            "whoever runs this site."
        ),
        "AddressNotAllowed": _(
            "This application does not accept the address %(email_address)s. Ask whoever runs it "
            "which addresses are allowed."
        ),
        "InvalidEmailAddress": _("“%(email_address)s” is not an email address."),
        "QuotaExceeded": _(
            "%(organization)s has no seat left; pending invitations count too. Revoke an "
            "invitation that is no longer needed, or ask for more seats."
        ),
        "ExclusiveMembership": _(
            "%(email_address)s belongs to another organization and cannot join a second one."
        ),
        "RoleNotFound": _(
            "The role you chose no longer exists in %(organization)s. Choose another one."
        ),
        "Switched": _(
            "You have switched to another organization since this page was opened, so nothing was "
            "done. Switch back and try again, or reload the page."
        ),
        "Switched:form": _(
            "You have switched to %(organization)s since this page was opened, so nothing was "
            "sent. Send it again to invite into %(organization)s."
        ),
        "Switched:draft": _(
            "You have switched to another organization since this page was opened, so nothing was "
            "done. Switch back, then go back to the addresses."
        ),
        "Impersonation": _(
            "Your session acts as somebody else, and this site lets nobody invite or revoke like "
            "that. Sign in as yourself."
        ),
        "Database": _(
            "The database of this site does not answer, so nothing was done just now. Try again in "
            "a moment."
        ),
        "Database:reading": _(
            "The database of this site does not answer, so this page cannot be shown. Reload it in "
            "a moment: nothing is sent by that."
        ),
        "Database:unfinished": _(
            "The database of this site does not answer, so it is not known whether an invitation "
            "that was to be sent again is half done. Reload the page in a moment."
        ),
        "Database:known": _(
            "The database of this site failed after something was sent to Clerk, so not all of "
            "this could be written down. Here is what is known of each; keep it, if you need it."
        ),
        "Database:sent": _(
            "The database of this site failed after it was sent to Clerk, so we do not know what "
            "became of it. Look at the list before you send it again."
        ),
        "Form:large": _(
            "This is more than this site takes at once. Nothing was sent, and your browser has "
            "kept it: go back, and send it in several parts."
        ),
        "Form:many": _(
            "This form has more fields or files than this site takes. Nothing was sent: go back, "
            "and send it in several parts."
        ),
        "Form:broken": _(
            "This form did not arrive whole. Nothing was sent, and your browser has kept it: go "
            "back and send it again."
        ),
        "Form:cookie": _(
            "Your browser did not send the cookie that shows that this form is yours. Nothing was "
            "sent, and nothing is lost. Send it again; if that does not help, allow cookies for "
            "this site."
        ),
        "Form:cookie:page": _(
            "Your browser did not send the cookie that shows that this form is yours. Nothing was "
            "done. Reload the page and try again; if that does not help, allow cookies for this "
            "site."
        ),
        "Form:foreign": _(
            "This form did not come from a page of this site, or your browser hides where it came "
            "from. Nothing was done. Open the page here and fill it in again."
        ),
        "RoleNotGranted": _(
            "You cannot give this role, because it may do more than you may. Choose another one."
        ),
        "RoleMigrationInProgress": _(
            "Roles are being changed in %(organization)s right now. Try again in a few minutes."
        ),
        "ResourceLocked": _("Somebody else is changing %(organization)s right now. Try again."),
        "PermissionDenied": _(
            "You may no longer manage the members of %(organization)s, so nothing was changed. "
            "Ask an administrator of the organization."
        ),
        "PermissionDenied:reading": _(
            "You may no longer manage the members of %(organization)s. Ask an administrator of the "
            "organization."
        ),
        "PermissionDenied:midway": _(
            "While this was going on you lost the right to manage the members of %(organization)s. "
            "Done before that: %(done)s of %(count)s. No more of it was tried. Ask an "
            "administrator of the organization."
        ),
        "OrganizationNotFound": _("%(organization)s no longer exists."),
        "OrganizationNotFound:unknown": _(
            "This organization no longer exists, or you do not belong to it."
        ),
        "InvitationNotFound": _("There is no such invitation in %(organization)s."),
        "InvitationNotPending": _(
            "This invitation is no longer pending, so there is nothing to revoke."
        ),
        "InvitationNotPending:accepted": _(
            "%(email_address)s has accepted the invitation meanwhile and is a member now. There "
            "is nothing left to revoke."
        ),
        "InvitationNotPending:revoked": _(
            "The invitation to %(email_address)s was already revoked. Its link does not work any "
            "more."
        ),
        "InvitationNotPending:expired": _(
            "The invitation to %(email_address)s has expired meanwhile. Its link does not work "
            "any more."
        ),
        "InvitationsNotSupported": _(
            "Invitations are switched off for this application. Ask whoever runs it."
        ),
        "DevelopmentLimit": _(
            "This development instance of Clerk has used up its emails of the month. Nothing was "
            "sent."
        ),
        "RateLimited": _(
            "Too many requests were made to Clerk, so nothing was done. Try again in a while; "
            "your entries are kept."
        ),
        "RateLimited:known": _(
            "Too many requests were made to Clerk, so nothing was done. Try again in %(wait)s; "
            "your entries are kept."
        ),
        "Unauthorized": _(
            "This site cannot talk to Clerk at the moment: its configuration needs attention. "
            "Nothing was changed. Please tell whoever runs the site."
        ),
        "ConnectionFailed": _(
            "Clerk cannot be reached at the moment. Nothing was changed. Try again."
        ),
        "CircuitOpen": _(
            "Clerk does not answer at the moment, so it was not asked. Nothing was changed. Try "
            "again in a minute."
        ),
        "BulkheadFull": _(
            "Too many people wait for Clerk at the moment, so it was not asked. Nothing was "
            "changed. Try again in a minute."
        ),
        "DeadlineExceeded": _(
            "Clerk answers slowly at the moment, and there was no time left for this. Nothing was "
            "changed. Try again."
        ),
        "ServiceUnavailable": _(
            "Clerk did not answer properly. We made sure that nothing was changed. Try again."
        ),
        "ServiceUnavailable:before": _(
            "Clerk did not answer properly, so nothing was done. Try again."
        ),
        "Unsettled:invite": _(
            "Clerk did not answer, so we do not know whether the invitation to "
            "%(email_address)s went out. Trying again is safe: Clerk never invites an address "
            "twice."
        ),
        "Unsettled:revoke": _(
            "Clerk did not answer, so we do not know whether the invitation was revoked. Trying "
            "again is safe."
        ),
        "Unsettled:invite:absent": _(
            "Clerk did not answer in time. There is no invitation to %(email_address)s so far, but "
            "it may still appear. Trying again is safe: Clerk never invites an address twice."
        ),
        "Unsettled:revoke:absent": _(
            "Clerk did not answer in time. The invitation is still pending, but that may change in "
            "a moment. Trying again is safe."
        ),
        "Refused": _("Clerk refused this: %(clerk_message)s"),
        "Refused:known": _(
            "Clerk refused this: %(clerk_message)s Tell whoever runs this site: %(trace_id)s"
        ),
        "Refused:silent": _("Clerk refused this without giving a reason (%(code)s)."),
        "Reading": _("The invitations could not be loaded: Clerk did not answer. Try again."),
        "Reading:unasked": _(
            "The invitations could not be loaded: Clerk does not answer, or too slowly, at the "
            "moment. Try again in a minute."
        ),
        "Reading:limited": _(
            "The invitations could not be loaded: too many requests were made to Clerk. Try again "
            "in %(wait)s."
        ),
        "Reading:busy": _(
            "The invitations could not be loaded: too many requests were made to Clerk. Try again "
            "in a while."
        ),
        "Reading:unauthorized": _(
            "This site cannot talk to Clerk at the moment: its configuration needs attention. "
            "Please tell whoever runs the site."
        ),
        "Reading:refused": _(
            "The invitations could not be loaded: Clerk refused that (%(code)s). Please tell "
            "whoever runs the site."
        ),
        # The piece itself is in the same row.
        "Check:not-an-address": _("Not an email address."),
        "Check": _(
            "These addresses could not be checked, because Clerk did not answer. It is not known "
            "which of them can be invited."
        ),
        "Check:limited": _(
            "These addresses could not be checked: too many requests were made to Clerk. Try "
            "again in %(wait)s."
        ),
        "Check:busy": _(
            "These addresses could not be checked: too many requests were made to Clerk. Try "
            "again in a while."
        ),
        "Check:unasked": _(
            "These addresses could not be checked: Clerk does not answer, or too slowly, at the "
            "moment. Try again in a minute."
        ),
        "Check:refused": _(
            "These addresses could not be checked: Clerk refused that (%(code)s). Please tell "
            "whoever runs the site."
        ),
        "TooManyInvitations": _(
            "There are %(count)s of these invitations, more than one file can hold. Search for a "
            "whole email address, or ask whoever runs this site for the whole list."
        ),
        "Resend:accepted": _(
            "%(email_address)s has accepted the invitation and is a member now. There is nothing "
            "to send again."
        ),
        "Resend:revoked": _(
            "Somebody has revoked the invitation to %(email_address)s since this question was "
            "asked, so nothing was sent. Send a new one only if that is still right."
        ),
        "Resend:half-done": _(
            "%(email_address)s is not invited any more: the old invitation was revoked, and the "
            "new one could not be sent. See above the list how to finish."
        ),
        "Resend:other-invitation": _(
            "Somebody else has sent %(email_address)s another invitation meanwhile. Whether it "
            "stays or is replaced is asked above the list."
        ),
        "Resend:under-way": _(
            "The new invitation to %(email_address)s is just being sent. Look at the list again "
            "in a moment."
        ),
        "Revoke:under-way": _(
            "The invitation is just being revoked. Look at the list again in a moment."
        ),
        "Unsettled:resend": _(
            "Clerk did not answer, so we do not know whether %(email_address)s has a new "
            "invitation. Look at the list again in a few minutes. Sending it again is safe: Clerk "
            "never invites an address twice."
        ),
        "Link:not-grantable": _(
            "Whoever has this link becomes %(role)s, and you cannot give that role. Ask somebody "
            "who can."
        ),
        "Link:absent": _(
            "Clerk does not hand out the link of this invitation. Send it again without an email: "
            "then the new link can be copied."
        ),
        "Link:roles": _(
            "The roles could not be loaded, so the link cannot be shown right now. Try again."
        ),
        "Link:accepted": _(
            "%(email_address)s has accepted the invitation, so its link has done its work."
        ),
        "Link:revoked": _("This invitation was revoked, so its link does not work any more."),
        "Link:expired": _("This invitation has expired, so its link does not work any more."),
        "Link:unknown": _("This invitation is not pending, so there is no link to copy."),
        "Check:incomplete": _(
            "Clerk could not be asked about all of these, so some may be members or invited "
            "already. Nobody is invited twice: Clerk refuses that."
        ),
        "Session:unanswered": _(
            "This site cannot read your session just now, because Clerk does not answer. Try again "
            "in a moment."
        ),
        "Session:unreadable": _(
            "This site cannot read your session: its configuration needs attention. Please tell "
            "whoever runs the site."
        ),
        # What is said once of a whole text or file.
        "Note:not-people": _("Rows %(first)s to %(last)s: no table of people."),
        "Note:not-people:named": _(
            "Rows %(first)s to %(last)s: no table of people. Not invited: %(names)s."
        ),
        "Note:not-people:one": _("Row %(first)s: no table of people."),
        "Note:not-people:one:named": _(
            "Row %(first)s: no table of people. Not invited: %(names)s."
        ),
        "Note:repeated": _("Rows %(first)s to %(last)s name the same people again."),
        "Note:repeated:one": _("Row %(first)s names the same people again."),
        "Note:heading": _("Row %(first)s was taken for the heading of the table."),
        "Note:unused-columns": _("Not used, though there are addresses or roles in it: %(names)s."),
        "Note:no-roles": _(
            "Nothing in the column “%(column)s” is a role of this organization (%(names)s), so it "
            "was not used: everybody gets the role chosen in the form."
        ),
        "Note:roles-unknown": _(
            "Some of the roles in the list do not exist here. Write one that does (%(names)s), or "
            "use the role chosen in the form."
        ),
        "Note:encoding": _(
            "This file is not UTF-8, and it is not certain how it is to be read. If this line is "
            "garbled, save the file as “CSV UTF-8” and choose it again: %(text)s"
        ),
        "Question:first": _("Nothing can be sent before you have said whom you mean."),
        "Question:columns": _(
            "There are addresses of different people in each row: %(names)s. Whom do you want to "
            "invite?"
        ),
        "Roles": _(
            "The roles could not be loaded, so nobody can be invited right now. Reload the page "
            "in a moment."
        ),
        "Selection:nothing": _("Nothing was selected. Tick the invitations that you mean."),
        "Selection:action": _("It was not said what to do with the selected invitations."),
        "Selection:many": _(
            "These are %(count)s invitations, and at most %(limit)s can be dealt with in one go. "
            "Narrow the search, or select them page by page."
        ),
        "Invite:revoked": _(
            "This form has invited %(email_address)s before, and that invitation was revoked "
            "since. Nothing was sent now: press again to send a new one."
        ),
        "Resend:elevated": _(
            "Nothing was sent yet: tick the box beside “Send it now” if %(email_address)s is to "
            "manage members."
        ),
        "Selection:elevated": _(
            "Nothing was sent yet: tick the box below if these people are to manage members."
        ),
        "Selection:limited": _(
            "Clerk sends a limited number of invitations an hour, and that is nearly reached: not "
            "all of these can go at once. What cannot go is left as it is and kept on a list; the "
            "last of them can go in %(wait)s."
        ),
        "Outcome:unknown": _(
            "There is no such outcome: it was deleted after a while, or it is somebody else's."
        ),
        "Outcome:limited": _(
            "Clerk's limit is reached; the next can go at %(time)s (in %(wait)s). Nothing goes on "
            "by itself: come back then. Your list is kept."
        ),
        "Outcome:waiting": _(
            "What is waiting can go now. Nothing goes on by itself; your list is kept."
        ),
        "Outcome:background": _(
            "What is waiting goes on by itself, also when you are not here. Reload this page to "
            "see how far it is."
        ),
        # What keeps from going on what is left to workers. It is all tried again by itself.
        "Progress:missed": _(
            "Nobody has worked on this for ten minutes: is a worker running? Your list is kept. "
            "Tell whoever runs this site."
        ),
        "Progress:limited": _(
            "Clerk's hourly limit is reached. It goes on by itself about %(when)s."
        ),
        "Progress:RateLimited": _(
            "Clerk's limit is reached, and Clerk does not say until when. It goes on by itself."
        ),
        "Progress:later": _("It goes on by itself about %(when)s."),
        "Progress:ConnectionFailed": _(
            "Clerk could not be reached. It is tried again by itself, and your list is kept."
        ),
        "Progress:TransportError": _(
            "Clerk does not answer properly. It is tried again by itself, and your list is kept."
        ),
        "Progress:Unauthorized": _(
            "This site cannot talk to Clerk: its configuration needs attention. Tell whoever runs "
            "it. Your list is kept, and goes on once that is done."
        ),
        "Progress:DevelopmentLimit": _(
            "This development instance of Clerk has used up its emails of the month. It is tried "
            "again every hour."
        ),
        "Progress:RoleMigrationInProgress": _(
            "The organization's roles are being changed right now. It goes on by itself after that."
        ),
        # Why it has stopped by itself.
        "Stopped:Impersonation": _(
            "It was begun by somebody who acted as another person, and this site does not let them "
            "do that any more. Continuing does not help as long as that is so; you can cancel the "
            "rest, and send it yourself."
        ),
        "Stopped:Background:class": _(
            "A part of this site that it was begun with is not there any more, so no worker can go "
            "on. Tell whoever runs this site; once that is repaired, you can continue."
        ),
        "Stopped:other": _("It has stopped by itself. You can continue, or cancel the rest."),
        **_ITEM_MESSAGES,
        **_JOIN_MESSAGES,
    }

    #: The exceptions whose message belongs to a field of the form.
    fields: ClassVar[dict[type[ClerkError], str]] = {
        exc.DuplicateInvitation: "email_addresses",
        exc.AlreadyMember: "email_addresses",
        exc.AddressNotAllowed: "email_addresses",
        exc.InvalidEmailAddress: "email_addresses",
        exc.ExclusiveMembership: "email_addresses",
        exc.RoleNotFound: "role",
        exc.RoleMigrationInProgress: "role",
    }

    statuses: ClassVar[dict[type[ClerkError], HTTPStatus]] = {
        exc.PermissionDenied: HTTPStatus.FORBIDDEN,
        exc.RoleNotFound: HTTPStatus.UNPROCESSABLE_ENTITY,
        exc.NotFound: HTTPStatus.NOT_FOUND,
        exc.InvitationNotPending: HTTPStatus.CONFLICT,
        exc.RateLimited: HTTPStatus.TOO_MANY_REQUESTS,
        exc.Unauthorized: HTTPStatus.SERVICE_UNAVAILABLE,
        exc.ServiceUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
        exc.TransportError: HTTPStatus.SERVICE_UNAVAILABLE,
    }

    def say(self, name: str, **values: Any) -> str:
        """Return the sentence of this name, in the reader's language."""
        return str(self.messages[name]) % values

    def for_error(self, error: ClerkError, stage: Stage, **values: Any) -> ErrorMessage:
        """Return what to tell somebody whom an error of Clerk's met, as far as it is so.

        Only what stopped a write says that nothing was done. ``values`` are those of
        :meth:`for_writing`; where something is read, none are needed.
        """
        if stage is Stage.READING and not isinstance(error, (exc.NotFound, exc.PermissionDenied)):
            return replace(self.for_reading(error), status=self._status(error))
        return self._for_write(error, stage, values)

    def for_writing(self, error: ClerkError, **values: Any) -> ErrorMessage:
        """Return what to tell somebody whose invitation or revocation did not happen.

        ``values`` are ``organization``, ``email_address``, and, where it is known, ``existing``:
        the invitation as Clerk has it, unless the error has it.
        """
        return self._for_write(error, Stage.WRITING, values)

    def _for_write(self, error: ClerkError, stage: Stage, values: dict[str, Any]) -> ErrorMessage:
        existing: Invitation | None = values.pop("existing", None) or error.invitation
        if existing is not None:
            values.update(_describe(existing))
        for kind in type(error).__mro__:
            name = self._closest(kind.__name__, error, stage, existing, values)
            if name is not None:
                message = self.say(name, **values)
                break
        else:
            message = self._refusal(error)
        return ErrorMessage(
            message=message,
            status=self._status(error),
            field=_lookup(self.fields, error),
            retry_after=getattr(error, "retry_after", None),
        )

    def for_unsettled(self, write: str, *, absent: bool, **values: Any) -> ErrorMessage:
        """Return what to tell somebody whose ``write`` (invite, revoke) may have happened.

        :param absent: whether Clerk was asked, and shows nothing of it so far.
        """
        name = f"Unsettled:{write}:absent" if absent else f"Unsettled:{write}"
        status = HTTPStatus.SERVICE_UNAVAILABLE
        return ErrorMessage(self.say(name, **values), status=status, is_open=True)

    def for_item(self, name: str, params: Mapping[str, Any]) -> str:
        """Return why an item of many is not done, in a sentence to stand beside it.

        :param name: that of a :class:`.Reason`; empty where there is nothing to say.
        :param params: the reason's own, and ``text`` for what was typed.
        """
        if not name:
            return ""
        values = _item_values(params)
        kind = exc.find_kind(name)
        names = [name] if kind is None else [parent.__name__ for parent in kind.__mro__]
        # The most exact one first of which all that it names is known.
        cases = (f":{params.get('status')}", ":known", ":inviter", ":dated", ":coded", "")
        for base in (*names, "Refused"):
            for case in cases:
                text = str(self.messages.get(f"Item:{base}{case}", ""))
                if text and values.keys() >= set(_NAMED.findall(text)):
                    return text % values
        return ""

    def for_session(self, *, is_clerk_silent: bool) -> ErrorMessage:
        """Return what to tell somebody whose session the site cannot read.

        :param is_clerk_silent: whether that is only because Clerk does not answer.
        """
        name = "Session:unanswered" if is_clerk_silent else "Session:unreadable"
        return ErrorMessage(self.say(name), status=HTTPStatus.SERVICE_UNAVAILABLE)

    def for_reading(self, error: ClerkError, what: str = "Reading") -> ErrorMessage:
        """Return what to tell somebody for whom something could not be shown or found out.

        It says nothing about what was done: in the same answer something may have been.

        :param what: ``Reading`` for invitations, ``Check`` for the check before sending.
        """
        values: dict[str, Any] = {}
        if isinstance(error, exc.Unauthorized):
            case = "unauthorized"
        elif isinstance(error, exc.RateLimited) and error.retry_after is not None:
            case = "limited"
            values["wait"] = describe_seconds(error.retry_after)
        elif isinstance(error, exc.RateLimited):
            case = "busy"
        elif isinstance(error, exc.APIError) and not isinstance(error, exc.ServiceUnavailable):
            case = "refused"
            values["code"] = error.code or error.status or "-"
        elif isinstance(error, (exc.BulkheadFull, exc.CircuitOpen, exc.DeadlineExceeded)):
            case = "unasked"
        else:
            case = ""
        name = f"{what}:{case}" if case else what
        if name not in self.messages:
            name = f"Reading:{case}"
        return ErrorMessage(
            self.say(name, **values),
            status=HTTPStatus.SERVICE_UNAVAILABLE,
            retry_after=getattr(error, "retry_after", None),
        )

    def _closest(
        self,
        name: str,
        error: ClerkError,
        stage: Stage,
        existing: Invitation | None,
        values: dict[str, Any],
    ) -> str | None:
        """Return the key of the most exact sentence there is for an exception's name."""
        if name == "TransportError":
            name = "ServiceUnavailable"  # nothing usable came back
        if isinstance(error, exc.RateLimited) and error.retry_after is not None:
            values["wait"] = describe_seconds(error.retry_after)
            closer = f"{name}:known"
        elif isinstance(error, exc.InvitationNotPending) and existing is not None:
            closer = f"{name}:{existing.status}"
        elif existing is not None and existing.created_at is not None and existing.inviter:
            closer = f"{name}:known"
        else:
            closer = f"{name}:{stage}"
        return next((key for key in (closer, name) if key in self.messages), None)

    def _refusal(self, error: ClerkError) -> str:
        # Nobody knows what to do about these, so whoever runs the site must be able to look it up.
        if isinstance(error, exc.UnexpectedError) and error.long_message and error.trace_id:
            said = {"clerk_message": error.long_message, "trace_id": error.trace_id}
            return self.say("Refused:known", **said)
        if error.long_message:
            return self.say("Refused", clerk_message=error.long_message)
        return self.say("Refused:silent", code=error.code or error.status or "-")

    def _status(self, error: ClerkError) -> int:
        return _lookup(self.statuses, error) or HTTPStatus.UNPROCESSABLE_ENTITY


def _lookup(table: Mapping[type[ClerkError], Any], error: ClerkError) -> Any:
    return next((table[kind] for kind in type(error).__mro__ if kind in table), None)


#: What a sentence names.
_NAMED: Final = re.compile(r"%\((\w+)\)s")

#: What somebody typed may be a whole text that has got into the wrong field.
_MAX_QUOTED: Final = 80


def _item_values(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the sentence about an item may name; what is not known is not in it."""
    values = {name: value for name, value in params.items() if value not in ("", None)}
    values["text"] = Truncator(str(values.get("text", ""))).chars(_MAX_QUOTED)
    now = datetime.now(UTC)
    for name, stamp in (("date", "created_at"), ("expires", "expires_at")):
        if isinstance(number := values.pop(stamp, None), (int, float)):
            moment = datetime.fromtimestamp(number, UTC)
            if name == "date":
                values[name] = describe_date(moment)
            elif moment > now:  # what has expired meanwhile must not be said to expire
                values[name] = describe_expiry(moment, now=now)
    return values


def _describe(invitation: Invitation) -> dict[str, str]:
    return {
        "email_address": invitation.email_address,
        "date": describe_date(invitation.created_at),
        "inviter": invitation.inviter.name if invitation.inviter else "",
        "role": invitation.role_name,
    }


def describe_date(moment: datetime | None) -> str:
    """Return a date as the reader's language and the current time zone have it."""
    if moment is None:
        return ""
    return date_format(moment.astimezone(timezone.get_current_timezone()), "DATE_FORMAT")


def describe_seconds(seconds: int) -> str:
    """Return a wait in words, rounded up to whole minutes from one minute on."""
    if seconds < 60:
        return ngettext("%(count)d second", "%(count)d seconds", seconds) % {"count": seconds}
    minutes = -(-seconds // 60)
    return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}


#: Up to so many days are counted as such, more as months.
_MAX_DAYS: Final = 60
#: From here on it is a day.
_NEARLY_A_DAY: Final = timedelta(hours=23, minutes=30)


def describe_expiry(moment: datetime | None, *, now: datetime | None = None) -> str:
    """Return when an invitation expires, seen from now: "in 3 days", "expired", "never"."""
    if moment is None:
        return gettext("never")
    now = now or datetime.now(UTC)
    if moment <= now:
        return gettext("expired")
    # Rounded, so that seven days that were chosen a minute ago are not six.
    days = round((moment - now) / timedelta(days=1))
    if days > _MAX_DAYS or moment - now < _NEARLY_A_DAY:
        end = moment + timedelta(hours=12) if days > _MAX_DAYS else moment
        return gettext("in %(time)s") % {"time": timeuntil(end, now, depth=1)}
    return ngettext("in %(count)d day", "in %(count)d days", days) % {"count": days}


def describe_since(moment: datetime, *, now: datetime | None = None) -> str:
    """Return how long ago something was: "3 days ago"."""
    now = now or datetime.now(UTC)
    return gettext("%(time)s ago") % {"time": timesince(moment, now, depth=1)}
