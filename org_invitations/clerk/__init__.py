"""Clerk in Python: HTTP and session tokens, and nothing of Django."""

from __future__ import annotations

from .client import API_VERSION, ClerkClient
from .deadline import Deadline, get_deadline
from .exceptions import APIError, ClerkError, TransportError
from .organizations import BULK_SIZE, MAX_LIMIT, InstanceAPI, InvitationRequest, OrganizationAPI
from .resources import (
    Invitation,
    InvitationStatus,
    Membership,
    Organization,
    OrganizationSettings,
    Page,
    PublicUserData,
    Role,
    RoleSet,
)

__all__ = [
    "API_VERSION",
    "BULK_SIZE",
    "MAX_LIMIT",
    "APIError",
    "ClerkClient",
    "ClerkError",
    "Deadline",
    "InstanceAPI",
    "Invitation",
    "InvitationRequest",
    "InvitationStatus",
    "Membership",
    "Organization",
    "OrganizationAPI",
    "OrganizationSettings",
    "Page",
    "PublicUserData",
    "Role",
    "RoleSet",
    "TransportError",
    "get_deadline",
]
