"""The app's configuration: it registers the checks, and who listens."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrgInvitationsConfig(AppConfig):
    """``org_invitations`` in ``INSTALLED_APPS``."""

    name = "org_invitations"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Organization invitations")

    def ready(self) -> None:
        from . import checks  # noqa: F401 - importing it registers the checks
        from .services.joining.asks import forget_asks, forget_begun
        from .services.joining.logs import hide_links
        from .signals import invitation_created, invitation_revoked

        invitation_created.connect(forget_asks, dispatch_uid="org_invitations.forget_asks")
        invitation_revoked.connect(forget_begun, dispatch_uid="org_invitations.forget_begun")
        hide_links()
