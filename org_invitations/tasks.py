"""Celery looks for tasks in a module of this name; see :mod:`org_invitations.engines.celery`."""

from .engines.celery import send

__all__ = ["send"]
