"""A small site with invitations."""

import os

if os.environ.get("CELERY_BROKER_URL"):  # the demo needs neither a broker nor Celery
    from .celery import app as celery_app

    __all__ = ["celery_app"]
