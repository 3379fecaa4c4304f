"""The app's configuration: it registers the checks and does no more."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrgInvitationsConfig(AppConfig):
    """``org_invitations`` in ``INSTALLED_APPS``. The app has no models and no migrations."""

    name = "org_invitations"
    verbose_name = _("Organization invitations")

    def ready(self) -> None:
        from . import checks  # noqa: F401 - importing it registers the checks
