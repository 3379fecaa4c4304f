"""The settings of the tests: a plain site that mounts the app in both ways."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

SECRET_KEY = "tests-only"
DEBUG = False
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"

INSTALLED_APPS = [
    # Only for the tests of sites with users of their own: the app needs none of the first three.
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "tests.people",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "org_invitations",
]
MIDDLEWARE = [
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "org_invitations.middleware.ClerkSessionMiddleware",
]
ROOT_URLCONF = "tests.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
            ],
            # A name that a template uses and no view sets is a mistake, not an empty string.
            "string_if_invalid": "",
        },
    }
]
AUTH_USER_MODEL = "people.User"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": ":memory:",
        # The sites that browsers talk to have threads, so the tests' database is a file.
        "TEST": {
            "NAME": str(Path(tempfile.gettempdir()) / f"org_invitations-{os.getpid()}.sqlite3")
        },
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;",
        },
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.cache"
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"
STATIC_URL = "/static/"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# Not one of Clerk's: a test that needs an instance names it.
CLERK_SECRET_KEY = "sk_test_settings"
CLERK_PUBLISHABLE_KEY = "pk_test_Y2xlcmsuZXhhbXBsZS50ZXN0JA"
