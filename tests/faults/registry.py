"""All actions that are played, by name: those who make one register it here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Final

from .pages import Page
from .scene import Scene

Play = Callable[[Scene], None]
Shows = Callable[[Page], bool]

#: Where the actions are: whose import registers them, in this order.
_MODULES: Final = ("actions", "invitees", "workers")

_actions: Final[list[Action]] = []


@dataclass(frozen=True)
class Action:
    """An action."""

    name: str
    play: Play
    #: Whether it can be done with htmx, too.
    htmx: bool = True
    #: Whether a page shows what was asked for, where the action only looks.
    shows: Shows | None = None


def action(name: str, *, htmx: bool = True, shows: Shows | None = None) -> Callable[[Play], Play]:
    """Register an action."""

    def register(play: Play) -> Play:
        _actions.append(Action(name, play, htmx, shows))
        return play

    return register


def get_actions() -> tuple[Action, ...]:
    """All of them, in the order in which they stand in their modules."""
    for name in _MODULES:
        import_module(f"{__package__}.{name}")
    return tuple(_actions)
