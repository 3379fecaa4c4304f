"""Set-Cookie headers that Clerk has written, sent as they are.

Django's ``set_cookie`` would parse a directive and write it anew, and keeps only one cookie of
a name, where Clerk sets several for different paths and domains.
"""

from __future__ import annotations

from collections.abc import Iterable
from http.cookies import Morsel
from typing import Any

from django.http.response import HttpResponseBase

from .clerk.cookies import directive_name


class VerbatimCookie(Morsel[str]):
    """A cookie that prints one directive, whatever its parts are."""

    def __init__(self, directive: str) -> None:
        """Take a directive, ``name=value; Path=/; …``: one line of printable ASCII."""
        super().__init__()
        name = directive_name(directive)
        value = directive.split(";", 1)[0].partition("=")[2]
        self.set(name, value, value)
        self._directive = directive

    def OutputString(self, attrs: Any = None) -> str:
        """Return the directive."""
        return self._directive

    def copy(self) -> VerbatimCookie:
        """Return another one."""
        return VerbatimCookie(self._directive)

    def __reduce__(self) -> tuple[Any, ...]:
        # Django's cache middleware pickles responses.
        return (VerbatimCookie, (self._directive,))


def set_cookies(response: HttpResponseBase, directives: Iterable[str]) -> None:
    """Add ``Set-Cookie`` headers to a response, one for each directive, in their order."""
    for directive in directives:
        # The handlers of Django print the values; the keys only have to differ.
        name = key = directive_name(directive)
        number = 1
        while key in response.cookies:
            number += 1
            key = f"{name};{number}"
        dict.__setitem__(response.cookies, key, VerbatimCookie(directive))
