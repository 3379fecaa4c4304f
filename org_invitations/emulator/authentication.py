"""Who may use the Backend API, and in which version of it."""

from __future__ import annotations

import re

from . import errors
from .keys import PRODUCTION_SECRET_KEY, SECRET_KEY
from .wire import EmulatorRequest

VERSION_HEADER = "Clerk-API-Version"
VERSION_PARAMETER = "__clerk_api_version"


def check_secret_key(request: EmulatorRequest) -> None:
    """``Authorization: Bearer <secret key>``; the keys of both kinds of instance are good."""
    header = request.header("authorization")
    if not header:
        raise errors.authentication_missing()
    scheme, _, key = header.partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise errors.authorization_format_invalid()
    if key.strip() not in (SECRET_KEY, PRODUCTION_SECRET_KEY):
        raise errors.secret_key_invalid()


def check_api_version(request: EmulatorRequest) -> None:
    """As a header or as a parameter, never both (Clerk's documentation, "Versioning")."""
    header, parameter = request.header(VERSION_HEADER), request.argument(VERSION_PARAMETER)
    if header is not None and parameter is not None:
        raise errors.api_version_invalid(
            "The API version was given both as a header and as a query parameter."
        )
    version = header if header is not None else parameter
    if version is not None and re.fullmatch(r"\d{4}-\d{2}-\d{2}", version) is None:
        raise errors.api_version_invalid(f"{version!r} is not an API version.")
