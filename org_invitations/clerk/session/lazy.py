"""The session of a request, read when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from .authenticate import SessionState
from .claims import SessionClaims


class ClerkSession:
    """Who is signed in at Clerk. Reading any attribute decides it, once and for all.

    A session that is pending (the person has yet to choose an organization, say) counts as
    signed out, with ``session_status`` telling so.
    """

    __slots__ = ("_load", "_state")

    _load: Callable[[], SessionState]
    _state: SessionState | None

    def __init__(self, load: Callable[[], SessionState]) -> None:
        """Build a session that ``load`` decides on."""
        object.__setattr__(self, "_load", load)
        object.__setattr__(self, "_state", None)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"A Clerk session cannot be changed: {name}")

    def __repr__(self) -> str:
        # Showing a session in a debugger must not decide it.
        if self._state is None:
            return "<ClerkSession: not asked for yet>"
        if self.is_signed_in:
            return f"<ClerkSession: {self.user_id}>"
        return f"<ClerkSession: signed out, {self.reason or self.session_status}>"

    def resolve(self) -> ClerkSession:
        """Decide now, and return the session."""
        if self._state is None:
            object.__setattr__(self, "_state", self._load())
        return self

    @property
    def state(self) -> SessionState | None:
        """The outcome as far as it is known; None until somebody asks."""
        return self._state

    @property
    def status(self) -> Literal["signed-in", "signed-out", "handshake"]:
        """Clerk's word for the outcome; a pending session is ``signed-in`` here."""
        return self._decided.status

    @property
    def reason(self) -> str | None:
        """Why nobody is signed in, in Clerk's words; None if somebody is."""
        return self._decided.reason

    @property
    def is_signed_in(self) -> bool:
        """Whether somebody is signed in, with nothing pending."""
        return self._active is not None

    @property
    def is_renewable(self) -> bool:
        """Whether nobody is signed in now, but loading a page might renew the session."""
        return self._decided.is_renewable

    @property
    def user_id(self) -> str | None:
        """``user_…``"""
        return self._active.user_id if self._active else None

    @property
    def session_id(self) -> str | None:
        """``sess_…``"""
        return self._active.session_id if self._active else None

    @property
    def session_status(self) -> str | None:
        """``active``, ``pending``, or None where the token does not say."""
        session = self._decided.session
        return session.session_status if session else None

    @property
    def organization_id(self) -> str | None:
        """``org_…`` of the active organization."""
        return self._active.organization_id if self._active else None

    @property
    def organization_slug(self) -> str | None:
        """The slug of the active organization."""
        return self._active.organization_slug if self._active else None

    @property
    def organization_role(self) -> str | None:
        """The person's role there, ``org:admin`` or the like."""
        return self._active.organization_role if self._active else None

    @property
    def organization_permissions(self) -> tuple[str, ...] | None:
        """The person's custom permissions there; Clerk's own are in no token."""
        return self._active.organization_permissions if self._active else None

    @property
    def actor(self) -> Mapping[str, Any] | None:
        """Who impersonates the person, if somebody does: the ``act`` claim."""
        return self._active.actor if self._active else None

    @property
    def claims(self) -> Mapping[str, Any] | None:
        """All claims of the verified token."""
        return self._active.claims if self._active else None

    def has(self, *, permission: str | None = None, role: str | None = None) -> bool:
        """Whether the active organization grants all that is asked for."""
        return self._active is not None and self._active.has(permission=permission, role=role)

    @property
    def _decided(self) -> SessionState:
        self.resolve()
        if self._state is None:  # pragma: no cover - resolve() has just set it
            raise RuntimeError("The session was not decided.")
        return self._state

    @property
    def _active(self) -> SessionClaims | None:
        session = self._decided.session
        return session if session and session.session_status != "pending" else None
