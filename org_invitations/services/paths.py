"""Classes of a site's own, by a name that can be kept in a row and found by another process."""

from __future__ import annotations

from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

T = TypeVar("T")


def get_path(kind: type, usual: type) -> str:
    """Return the dotted path of a class; empty for the one that is used where none is named.

    :raises ImproperlyConfigured: another process would not find it there.
    """
    if kind is usual:
        return ""
    path = f"{kind.__module__}.{kind.__qualname__}"
    try:
        found = import_string(path)
    except ImportError:
        found = None
    if found is not kind:
        raise ImproperlyConfigured(
            f"{path} cannot be imported by that name, so no worker would find it: with "
            "ORG_INVITATIONS_BACKGROUND, a service and a rule of grants are classes of a module."
        )
    return path


def find_class(path: str, usual: type[T]) -> type[T]:
    """Return the class that :func:`get_path` has named.

    :raises ImproperlyConfigured: there is none of that name (any more), or it is none of the kind.
    """
    if not path:
        return usual
    try:
        found = import_string(path)
    except ImportError as error:
        raise ImproperlyConfigured(f"{path} cannot be imported: {error}") from error
    if not (isinstance(found, type) and issubclass(found, usual)):
        raise ImproperlyConfigured(f"{path} is no subclass of {usual.__name__}.")
    return found
