"""Where this app decides otherwise than Clerk's backend SDK, on purpose.

The tests read this list: a recorded decision of the SDK may differ only where an entry says so,
and an entry whose recorded cases no longer differ fails them. Everything else is equal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Difference:
    """One deliberate difference.

    ``fields`` are the parts of a recorded decision that may differ (``status``, ``reason``,
    ``location``, ``set_cookie``, ``cache_control``, ``auth``, ``raises``); empty where no
    recorded request touches it, or a setting switches it off, and a test of its own shows it.
    ``cases`` is a regular expression for the descriptions (``about``) of the recorded requests
    that differ.
    """

    id: str
    clerk: str
    ours: str
    why: str
    fields: tuple[str, ...] = ()
    cases: str = ""
    instances: tuple[str, ...] = ("development", "production")

    def covers(self, about: str, instance: str) -> bool:
        """Whether a recorded request is decided differently because of this entry."""
        return bool(self.cases and instance in self.instances and re.fullmatch(self.cases, about))


OTHER_ISSUER: Final = Difference(
    id="other-issuer",
    clerk="Does not look at the issuer (iss) of a token whose signature is good.",
    ours="Refuses a token that names another instance: token-verification-failed.",
    why="The issuer is the one claim that says which instance a person signed in to.",
    fields=("status", "reason", "auth"),
    cases="bearer token: issued by another instance",
)

NOT_A_SESSION: Final = Difference(
    id="not-a-session",
    clerk="Accepts a token without a session id, and any subject but a machine's.",
    ours="Requires a session (sid) and a user (sub begins with user_): token-type-mismatch.",
    why="A token made from a template, of before categories existed, outlives its session.",
)

MACHINE_TOKEN_PADDING: Final = Difference(
    id="machine-token-padding",
    clerk="Does not recognise a machine's token that has base64 padding.",
    ours="Recognises it with or without: token-type-mismatch.",
    why="Padding is the sender's choice and must not change what a token is.",
)

NULL_TOKEN: Final = Difference(
    id="null-token",
    clerk="Throws where the header or the payload of a token is a JSON null.",
    ours="Signed out: unexpected-error.",
    why="Nobody should be able to make a page fail with a cookie.",
)

DEVELOPMENT_HANDSHAKE_ERROR: Final = Difference(
    id="development-handshake-error",
    clerk="Throws on a bad handshake token in development.",
    ours="Signed out with the token's reason, and the SDK's explanation in the log.",
    why="The page can be shown; reloading it without the parameter starts anew.",
    fields=("raises",),
    cases="handshake in .*: (signed by another key|category: JWT template|not a token|alg none)",
    instances=("development",),
)

PRIVATE_ANSWERS: Final = Difference(
    id="private-answers",
    clerk="Sets no Cache-Control on a page that carries the cookies of a handshake.",
    ours="Cache-Control: private.",
    why="The answer holds a session token; no shared cache may keep it.",
    fields=("cache_control",),
    cases="handshake in .*: (good session|signed out|category: session|category: ignored|"
    "duplicate cookies for two paths)",
    instances=("production",),
)

UNTRUSTED_HOST: Final = Difference(
    id="untrusted-host",
    clerk="Builds redirect_url from X-Forwarded-Host and X-Forwarded-Proto of any request.",
    ours="Builds it from the host that Django trusts (ALLOWED_HOSTS, USE_X_FORWARDED_HOST, "
    "SECURE_PROXY_SSL_HEADER).",
    why="Whoever can set a header must not choose where a signed-in browser is sent.",
)

RENEWAL_IS_OPT_IN: Final = Difference(
    id="renewal-is-opt-in",
    clerk="Sends every page load to Clerk where that may help.",
    ours="Only below ORG_INVITATIONS_HANDSHAKE_PATHS or in views marked with renews_session. "
    "Elsewhere: signed out with the same reason, no cookies; a good session arriving from "
    "another site stays signed in; a refresh token is left alone (…-refresh-non-eligible-page).",
    why="A static file or an API is not to be sent around.",
)

WITHOUT_PARTY: Final = Difference(
    id="without-party",
    clerk="Signs out whoever comes with a token without azp, which Clerk's frontend makes at "
    "times, where authorized parties are named.",
    ours="The same; but a page load with such a cookie is sent to Clerk once for another token "
    "(org_invitations.clerk.session.parties). ORG_INVITATIONS_AZP_HANDSHAKE = False leaves it at "
    "that.",
    why="The person is signed in, and has done nothing wrong.",
)

REFUSED_ON_RETURN: Final = Difference(
    id="refused-on-return",
    clerk="Where a handshake brings a session that is refused, decides by the cookies from before.",
    ours="The same; but where it was refused for a reason that no further handshake mends (keys, "
    "authorized parties), that is the reason, and the browser stays.",
    why="The cookies from before begin another handshake, and so does signing in: for ever.",
)

KEYS_REMEMBERED: Final = Difference(
    id="keys-remembered",
    clerk="Fetches the key set anew for every unknown key id, and forgets it after 5 minutes.",
    ours="Remembers an unknown key id for a minute, fetches for unknown ones every 10 s at "
    "most, and goes on with the old set for up to an hour while Clerk does not answer.",
    why="Made-up key ids must not become calls to Clerk; an outage of Clerk is not one of ours.",
)

NO_SATELLITES: Final = Difference(
    id="no-satellites",
    clerk="Knows satellite domains (__clerk_synced, __clerk_redirect_url) and can switch the "
    "organization by URL (organizationSyncOptions).",
    ours="Neither. The parameters are ignored.",
    why="In development the first is an open redirect; neither is needed to invite people.",
)

DIFFERENCES: Final = (
    OTHER_ISSUER,
    NOT_A_SESSION,
    MACHINE_TOKEN_PADDING,
    NULL_TOKEN,
    DEVELOPMENT_HANDSHAKE_ERROR,
    PRIVATE_ANSWERS,
    UNTRUSTED_HOST,
    RENEWAL_IS_OPT_IN,
    WITHOUT_PARTY,
    REFUSED_ON_RETURN,
    KEYS_REMEMBERED,
    NO_SATELLITES,
)
