"""Why a request is not signed in, in Clerk's own words.

The strings are those of Clerk's backend SDK (``AuthErrorReason`` in tokens/authStatus.ts,
``TokenVerificationErrorReason`` in errors.ts, ``RefreshTokenErrorReason`` in
tokens/request.ts), so that they can be searched for in Clerk's own guides.
"""

# Their names speak of tokens, but no value is a secret.
# ruff: noqa: S105

from __future__ import annotations

from typing import Final

# --- The request as a whole -------------------------------------------------------------
CLIENT_UAT_WITHOUT_SESSION_TOKEN: Final = "client-uat-but-no-session-token"
DEV_BROWSER_MISSING: Final = "dev-browser-missing"
DEV_BROWSER_SYNC: Final = "dev-browser-sync"
PRIMARY_DOMAIN_CROSS_ORIGIN_SYNC: Final = "primary-domain-cross-origin-sync"
SESSION_TOKEN_AND_UAT_MISSING: Final = "session-token-and-uat-missing"
SESSION_TOKEN_MISSING: Final = "session-token-missing"
SESSION_TOKEN_EXPIRED: Final = "session-token-expired"
SESSION_TOKEN_IAT_BEFORE_CLIENT_UAT: Final = "session-token-iat-before-client-uat"
SESSION_TOKEN_NBF: Final = "session-token-nbf"
SESSION_TOKEN_IAT_IN_THE_FUTURE: Final = "session-token-iat-in-the-future"
SESSION_TOKEN_WITHOUT_CLIENT_UAT: Final = "session-token-but-no-client-uat"
TOKEN_TYPE_MISMATCH: Final = "token-type-mismatch"
UNEXPECTED_ERROR: Final = "unexpected-error"

# --- One token --------------------------------------------------------------------------
TOKEN_EXPIRED: Final = "token-expired"
TOKEN_INVALID: Final = "token-invalid"
TOKEN_INVALID_ALGORITHM: Final = "token-invalid-algorithm"
TOKEN_INVALID_AUTHORIZED_PARTIES: Final = "token-invalid-authorized-parties"
TOKEN_INVALID_SIGNATURE: Final = "token-invalid-signature"
TOKEN_NOT_ACTIVE_YET: Final = "token-not-active-yet"
TOKEN_IAT_IN_THE_FUTURE: Final = "token-iat-in-the-future"
TOKEN_VERIFICATION_FAILED: Final = "token-verification-failed"

# --- The key of a token -----------------------------------------------------------------
SECRET_KEY_INVALID: Final = "secret-key-invalid"
REMOTE_JWK_FAILED_TO_LOAD: Final = "jwk-remote-failed-to-load"
JWK_KID_MISMATCH: Final = "jwk-kid-mismatch"

# --- Why a refresh token did not help (the tail of ``session-token-expired-refresh-…``) --
REFRESH_NO_COOKIE: Final = "non-eligible-no-refresh-cookie"
REFRESH_NON_GET: Final = "non-eligible-non-get"
REFRESH_INVALID_SESSION_TOKEN: Final = "invalid-session-token"
REFRESH_MISSING_SESSION_TOKEN: Final = "missing-session-token"
REFRESH_DECODE_FAILED: Final = "expired-session-token-decode-failed"
REFRESH_MISSING_SID: Final = "expired-session-token-missing-sid-claim"
REFRESH_FETCH_ERROR: Final = "fetch-error"
REFRESH_UNEXPECTED_SDK_ERROR: Final = "unexpected-sdk-error"
REFRESH_UNEXPECTED_BAPI_ERROR: Final = "unexpected-bapi-error"

#: Ours: the page is not one that may renew a session, so the refresh token was left alone.
REFRESH_PAGE: Final = "non-eligible-page"

#: The time claims that a handshake can put right, and the request's reason for each. The
#: expired one continues with ``-refresh-<why>``.
RENEWABLE: Final = {
    TOKEN_EXPIRED: SESSION_TOKEN_EXPIRED,
    TOKEN_NOT_ACTIVE_YET: SESSION_TOKEN_NBF,
    TOKEN_IAT_IN_THE_FUTURE: SESSION_TOKEN_IAT_IN_THE_FUTURE,
}


#: What signing in again does not mend: it would send the browser round for ever.
_INCURABLE: Final = frozenset(
    {
        JWK_KID_MISMATCH,
        REMOTE_JWK_FAILED_TO_LOAD,
        SECRET_KEY_INVALID,
        TOKEN_INVALID_AUTHORIZED_PARTIES,
    }
)


def is_incurable(reason: str | None) -> bool:
    """Whether the site cannot read any session, for this reason."""
    return reason in _INCURABLE
