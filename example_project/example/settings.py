"""The settings of the example site.

Everything that differs from place to place comes from the environment or from ``.env`` in the
repository's root; ``.env.example`` lists it.
"""

from __future__ import annotations

from pathlib import Path

import django
import environ

from org_invitations.clerk.session.publishable_key import parse_publishable_key

BASE_DIR = Path(__file__).resolve().parent.parent


env = environ.Env()
env.read_env(BASE_DIR.parent / ".env")

DEBUG = env.bool("DEBUG", default=True)
# A fixed key is fine for an example on localhost, and for nothing else.
SECRET_KEY = env.str("SECRET_KEY", default="example-only-not-a-secret")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])

INSTALLED_APPS = [
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "example",  # before org_invitations: its templates/org_invitations/base.html wins
    "org_invitations",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "org_invitations.middleware.ClerkSessionMiddleware",
]
ROOT_URLCONF = "example.urls"
WSGI_APPLICATION = "example.wsgi.application"
ASGI_APPLICATION = "example.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "example.context.clerk",
            ]
        },
    }
]

# The app keeps in it what became of what was sent.
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}")}

# Messages in a cookie need no sessions.
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"

LANGUAGE_CODE = "en"
# The site's own texts are English, so all of a page is; org_invitations speaks German as well.
LANGUAGES = [("en", "English")]
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"

# Clerk
CLERK_SECRET_KEY = env.str("CLERK_SECRET_KEY", default="")
CLERK_PUBLISHABLE_KEY = env.str("CLERK_PUBLISHABLE_KEY", default="")
CLERK_JWT_KEY = env.str("CLERK_JWT_KEY", default="", multiline=True)
CLERK_AUTHORIZED_PARTIES = env.list("CLERK_AUTHORIZED_PARTIES", default=[])
# Where the site's own join/ is, as the invited reach it; empty leaves joining to Clerk.
ORG_INVITATIONS_JOIN_URL = env.str("ORG_INVITATIONS_JOIN_URL", default="")
# These four are for the emulator; with Clerk itself they stay empty.
CLERK_API_URL = env.str("CLERK_API_URL", default="")
CLERK_PROXY_URL = env.str("CLERK_PROXY_URL", default="")
CLERK_SIGN_IN_URL = env.str("CLERK_SIGN_IN_URL", default="")
CLERK_SIGN_UP_URL = env.str("CLERK_SIGN_UP_URL", default="")


def _frontend_api() -> list[str]:
    """Return the origin of Clerk's Frontend API, for the Content-Security-Policy."""
    if CLERK_PROXY_URL:
        return [CLERK_PROXY_URL]
    if CLERK_PUBLISHABLE_KEY:
        return [f"https://{parse_publishable_key(CLERK_PUBLISHABLE_KEY).frontend_api}"]
    return []


# Strict: no inline script or style anywhere. Django has this middleware from 6.0 on.
if django.VERSION >= (6, 0):
    from django.utils.csp import CSP

    MIDDLEWARE.append("django.middleware.csp.ContentSecurityPolicyMiddleware")
    SECURE_CSP = {
        "default-src": [CSP.SELF],
        "base-uri": [CSP.NONE],
        "form-action": [CSP.SELF],
        # An expired session is renewed in a frame, which goes to Clerk and comes back.
        "frame-src": [CSP.SELF, *_frontend_api()],
        # Whoever joins with a script has Clerk's Frontend API accept the invitation.
        "connect-src": [CSP.SELF, *_frontend_api()],
        "frame-ancestors": [CSP.SELF],
    }

# `make demo SKIN=bootstrap5`: the same site, and the app in it, in the look of Bootstrap 5.
if env.str("SKIN", default="") == "bootstrap5":
    INSTALLED_APPS[:0] = ["bootstrap5", "crispy_forms", "crispy_bootstrap5"]
    INSTALLED_APPS.append("django_include_bootstrap")  # its stylesheet
    CRISPY_TEMPLATE_PACK = CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
    if django.VERSION >= (6, 0):
        SECURE_CSP["img-src"] = [CSP.SELF, "data:"]  # the arrows and ticks of its fields

# Whether much is left to workers, and what begins their turns; `make demo-workers` says so.
_background = env.str("ORG_INVITATIONS_BACKGROUND", default="")
ORG_INVITATIONS_BACKGROUND = {"": False, "True": True}.get(_background, _background)
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="")
CELERY_TASK_DEFAULT_QUEUE = env.str("CELERY_TASK_DEFAULT_QUEUE", default="celery")
CELERY_BEAT_SCHEDULE = {
    "org_invitations": {
        "task": "org_invitations.send",
        "schedule": env.float("CELERY_BEAT_SECONDS", default=60.0),
        "options": {"expires": 60.0},
    },
}

# The header of every page shows who is signed in, so every page may renew the session.
ORG_INVITATIONS_HANDSHAKE_PATHS = ["/"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {
        "django.server": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "org_invitations": {"handlers": ["console"], "level": "INFO"},
    },
}
