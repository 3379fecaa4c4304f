"""What Clerk's public sources leave open, and what the emulator does about it.

Nothing here was tried against a live Clerk instance. Where a setting is named, ``configure`` (or
``POST /_emulator/instance``) gets the other behaviour, so that a client can be tested on both.
"""

from __future__ import annotations

OPEN_QUESTIONS: tuple[tuple[str, str, str | None], ...] = (
    (
        "Which code a single create gives for an address with a pending invitation",
        "400 organization_invitation_not_unique without meta, as others report",
        "single_duplicate_code",
    ),
    (
        "Which code a bulk create gives for that",
        "400 duplicate_record with meta.email_addresses, as in the fixtures of Clerk's own UI",
        "bulk_duplicate_code",
    ),
    (
        "Whether a bulk create is all or nothing",
        "It is: one that cannot be made, and none is; else the refusal comes with the others made",
        "bulk_atomic",
    ),
    (
        "What a bulk create says of malformed addresses",
        "422 form_param_format_invalid with meta.email_addresses, as the Frontend API's bulk does",
        "bulk_format_meta",
    ),
    (
        "How the refusal of somebody who is a member names them",
        "By the address, in long_message only, and one of them; older documentation has the id",
        "member_error_names",
    ),
    (
        "Whether the refusal of somebody who must not join a second organization names them",
        "It does not",
        None,
    ),
    (
        "What an address twice in one bulk create gives",
        "422 form_param_duplicate with meta.param_name",
        None,
    ),
    (
        "What more than 10 invitations in a bulk create give, and none at all",
        "400 bulk_size_exceeded, and 400 request_body_invalid",
        None,
    ),
    (
        "What a role outside of the organization's role set gives",
        "404 resource_not_found with meta.param_name; older documentation has 422",
        "role_error",
    ),
    (
        "Which roles count when role_set_key is null",
        "Those of the instance's initial role set, or all when there is none",
        None,
    ),
    (
        "Which code an inviter_user_id without the right gets",
        "403 missing_organization_permission; for a stranger 403 not_a_member_in_organization",
        "inviter_error",
    ),
    (
        "Which code too many members give",
        "403 organization_membership_quota_exceeded; with billing by seats it is 402",
        "quota_error",
    ),
    (
        "What a bad redirect_url in an invitation gives",
        "422 form_param_value_invalid with meta.param_name; http(s) with any host is good",
        None,
    ),
    (
        "Whether e-mail addresses are compared case-insensitively",
        "They are, and are kept as they were written",
        None,
    ),
    (
        "Whether refused requests count against the hourly limits, and how windows are cut",
        "All that reach the path count, except those answered with 429; windows slide",
        "rate_limits",
    ),
    (
        "Whether an invitation's private_metadata, which is optional, is in the answers",
        "All of them do; else none does",
        "private_metadata_told",
    ),
    (
        "Whether url is in lists, and after the invitation is settled",
        "In every answer while pending, null afterwards",
        None,
    ),
    (
        "In what order memberships come without order_by",
        "Newest first, like everything else",
        None,
    ),
    (
        "Whether several values of status are repeated or separated by commas",
        "Repeated; a comma makes it an unknown status and 422",
        None,
    ),
    (
        "What a GET for an organization by slug does on other paths than its own",
        "404; the description promises the slug there only",
        None,
    ),
    (
        "What lists of memberships give for an organization or user that is not there",
        "404 resource_not_found; the description names no 404 on these two paths",
        None,
    ),
    (
        "Whether a bulk create can give 402 insufficient_seats",
        "It does when quota_error says so; the description names it for a single create only",
        "quota_error",
    ),
    (
        "How a session's refresh is refused",
        "401 authentication_invalid when the session has ended, 400 for tokens that do not belong",
        None,
    ),
    (
        "What the kid of a rotated key is",
        "A new one; same_kid of rotate_keys keeps it",
        "same_kid",
    ),
    (
        "What takes the handshake's cookie away in production",
        "A directive of the handshake itself; the cookie also ends after 60 s",
        None,
    ),
    (
        "What suffixed_cookies=false changes in a handshake",
        "Nothing: both variants of a cookie are set",
        None,
    ),
    (
        "Whether the session token of a handshake names the site (azp)",
        "It does; others report tokens without it, and session_cookies(azp=None) makes one",
        "handshake_azp",
    ),
    (
        "How long a handshake's nonce lives",
        "60 s, and it can be fetched once",
        None,
    ),
    (
        "What the code of an expired invitation's link is",
        "ticket_expired_code",
        None,
    ),
    (
        "Whether accepting makes the organization the active one",
        "For a session that begins with the ticket, and for one that had none; else never",
        "ticket_activates_organization",
    ),
    (
        "When the membership is made for somebody who is not signed in",
        "When the sign-in or sign-up is finished; else the link joins who has an account by itself",
        "ticket_accepts",
    ),
    (
        "What the link does for the invited person who is signed in already",
        "It accepts, and says complete; else it says sign_in and nothing happens, as reported",
        "ticket_while_signed_in",
    ),
    (
        "What the link of an accepted invitation gives",
        "400 organization_invitation_already_accepted; else it leads on and says complete",
        "ticket_accepted_again",
    ),
    (
        "Whether the query of a redirect_url is kept, with each of the three statuses",
        "With each; redirect_query_lost names those with which it is not",
        "redirect_query_lost",
    ),
    (
        "Whether the instance's published keys verify a ticket",
        "They do not; else the current key signs it, and its header still has no kid",
        "ticket_verifiable",
    ),
    (
        "What the ticket of an invitation that never expires says",
        "Neither exp nor eis",
        None,
    ),
    (
        "What a HEAD for a ticket's link gives",
        "204, and nothing changes",
        None,
    ),
    (
        "What is answered to somebody banned or locked who has a ticket",
        "403 with codes of the emulator's own: the catalogue of errors has none for it",
        None,
    ),
    (
        "Where a session goes that has to choose an organization, without a page of the site",
        "The Account Portal asks; else it goes back to the site pending",
        "session_task_shown",
    ),
    (
        "Whether a session of somebody who belongs to an organization starts with one",
        "With the first one, so that it is pending only where none is left",
        None,
    ),
    (
        "What the Frontend API answers to a sign-up without a ticket where only the invited may",
        "403 sign_up_mode_restricted, a code that Clerk's public catalogue of errors lacks",
        None,
    ),
    (
        "Whether accepting by the Frontend API makes the organization the active one",
        "Never: the session is touched for that, or a handshake names the organization",
        None,
    ),
    (
        "What the Frontend API's accept gives for an invitation that is no longer pending",
        "404 organization_invitation_not_pending, the code of the Backend API's revoke",
        None,
    ),
    (
        "Whether a session that is pending may accept an invitation by the Frontend API",
        "It may: Clerk's own page for choosing an organization does it",
        None,
    ),
    (
        "What a session says that the Backend API has revoked",
        "Its status is revoked, and its browser is signed out with the next handshake",
        None,
    ),
    (
        "What a person's list of invitations says of those to a deleted organization",
        "Nothing: they are left out",
        None,
    ),
)
"""Question, choice, and the name of the setting that changes it, if there is one."""
