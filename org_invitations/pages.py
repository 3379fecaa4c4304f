"""What a site changes in pages of the app: one class, which comes before each of their views."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.views.generic.base import View


def combine(pages: type | None, view: type[View]) -> type[View]:
    """Return the view as a site's class has it; the view itself where there is none."""
    if pages is None:
        return view
    return type(f"{pages.__name__}{view.__name__}", (pages, view), {"__module__": pages.__module__})


def check_pages(pages: type, known: Mapping[str, Any]) -> None:
    """Raise :exc:`ImproperlyConfigured` where a site's class cannot be meant like that.

    :param known: what it may have, by its name, with the app's own value.
    """
    if not isinstance(pages, type) or issubclass(pages, View):
        # A view would come before each page, its dispatch too: not each page is for somebody.
        raise ImproperlyConfigured(
            f"get_urls({pages!r}): give a plain class, neither an instance nor a view."
        )
    for name in dir(pages):
        value = getattr(pages, name)
        if name.startswith("_") or value is getattr(View, name, None):
            continue
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean {close[0]}?" if close else ""
            raise ImproperlyConfigured(
                f"{pages.__name__}.{name} is no attribute or method of any page.{hint} "
                "What a site's own methods need has a name that begins with an underscore."
            )
        wanted = known[name]
        if isinstance(wanted, type) and not (isinstance(value, type) and issubclass(value, wanted)):
            raise ImproperlyConfigured(
                f"{pages.__name__}.{name} must be a subclass of "
                f"{wanted.__module__}.{wanted.__name__}."
            )
