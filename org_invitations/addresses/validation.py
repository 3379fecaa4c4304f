"""What may be sent to Clerk as an address, and what it looks like then."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import idna
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

from .entries import Refusal

#: In octets, of a whole address and of what is before its ``@`` (RFC 5321).
MAX_LENGTH: Final = 254
MAX_LOCAL_LENGTH: Final = 64

#: How Entra ID writes the sign-in name of a guest: no mail arrives there.
GUEST_MARK: Final = "#ext#"

#: ``b***@x.org``: what a program writes where it does not tell the whole.
_MASK: Final = "**"

_DOTS: Final = re.compile("[.\u3002\uff0e\uff61]")
_validate: Final = EmailValidator(allowlist=[])  # by default it lets "ana@localhost" pass


def check_address(core: str) -> tuple[str, Refusal | None]:
    """Return what to send to Clerk, or why there is nothing to send."""
    local, _, domain = core.rpartition("@")
    if not local or not domain or any(char.isspace() for char in local):
        return "", Refusal.NOT_AN_ADDRESS
    if len(core) <= MAX_LENGTH:
        domain = to_ascii(domain)
    if len(local) > MAX_LOCAL_LENGTH or len(local) + 1 + len(domain) > MAX_LENGTH:
        like_one = "@" not in local and "." in domain.strip(".")
        return "", Refusal.TOO_LONG if like_one else Refusal.NOT_AN_ADDRESS
    address = f"{local}@{domain}"
    try:
        _validate(address)
    except ValidationError:
        return "", Refusal.NOT_AN_ADDRESS
    if _MASK in local or local.casefold().endswith(GUEST_MARK):
        return "", Refusal.NOT_AN_ADDRESS
    return address, None


def to_ascii(domain: str) -> str:
    """Return a domain in lower case and as DNS has it (IDNA 2008), or nothing if it cannot be."""
    return domain.lower() if domain.isascii() else _encode(domain)


@lru_cache(maxsize=1024)
def _encode(domain: str) -> str:
    try:
        # Label by label: how long the whole may be is judged with what is before the "@".
        labels = _DOTS.split(idna.uts46_remap(domain, std3_rules=False, transitional=False))
        encoded = [idna.alabel(label).decode("ascii") if label else "" for label in labels]
    except (idna.IDNAError, UnicodeError):
        return ""
    return ".".join(encoded).lower()
