"""The sites: what each adds to what the README says, and what is expected of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from .site import blocks

RUNSERVER = ("python", "manage.py", "runserver", "--noreload", "127.0.0.1:{port}")
GUNICORN = ("gunicorn", "mysite.wsgi", "--bind", "127.0.0.1:{port}")


@dataclass(frozen=True)
class Configuration:
    """A site. It works, or a check refuses it."""

    name: str
    #: What it puts at the end of its settings.
    settings: str = ""
    #: What it has instead of the README's URLs.
    urls: str = ""
    #: What else is in its folder.
    files: dict[str, str] = field(default_factory=dict)
    #: What is run before it is served, besides ``check`` and ``migrate``.
    commands: tuple[tuple[str, ...], ...] = ()
    #: How it is served.
    command: tuple[str, ...] = RUNSERVER
    #: Where the list is.
    base: str = "/invitations/"
    #: What the server's environment has besides the emulator's variables.
    variables: dict[str, str] = field(default_factory=dict)
    #: What a proxy adds to each request; and the origin that browsers see.
    headers: dict[str, str] = field(default_factory=dict)
    origin: str = ""
    #: Which environment it runs in.
    environment: str = "newest"
    #: What must be there: ``redis``, or the oldest Django as ``django 6.0``.
    needs: str = ""
    #: Whether a browser looks at it, since it changes the page.
    looks: bool = False
    #: Who signs people in: ``clerk``, ``django``, or ``nobody`` where no page is asked for.
    signs_in: str = "clerk"
    #: The ids of the checks that must complain: an error stops it there, as is documented.
    complaints: tuple[str, ...] = ()
    #: Where a page of the site's own has the app in it.
    embedded: str = ""
    #: Further paths, and how a signed-out program that accepts HTML is answered there.
    programs: tuple[tuple[str, int], ...] = ()


def _cache(backend: str, **rest: str) -> str:
    entry = {"BACKEND": f"django.core.cache.backends.{backend}", **rest}
    return f'CACHES = {{"default": {entry!r}}}'


USERS = {
    "people/__init__.py": "",
    "people/models.py": """
from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    clerk_id = models.CharField(max_length=64, blank=True)
""",
    "people/migrations/__init__.py": "",
}
USERS_SETTINGS = """
INSTALLED_APPS.insert(0, "people")
AUTH_USER_MODEL = "people.User"
"""
MAKE_USERS = ("makemigrations", "people")

IDENTITY = {
    "mysite/identity.py": """
from org_invitations.identity import Identity


def get_identity(request):
    if not request.user.is_authenticated or not request.user.clerk_id:
        return None
    return Identity(
        user_id=request.user.clerk_id, organization_id=request.session.get("organization_id")
    )
""",
    "mysite/login.py": """
from django.contrib.auth.views import LoginView


class Login(LoginView):
    template_name = "login.html"

    def form_valid(self, form):
        answer = super().form_valid(form)
        self.request.session["organization_id"] = form.get_user().last_name
        return answer
""",
    "people/templates/login.html": """
<form method="post" action="/accounts/login/">{% csrf_token %}{{ form.as_p }}
<input type="hidden" name="next" value="{{ next }}"></form>
""",
    "people/management/__init__.py": "",
    "people/management/commands/__init__.py": "",
    "people/management/commands/add_ada.py": """
import os

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    def handle(self, **options):
        get_user_model().objects.create_user(
            "ada", password="ada", clerk_id=os.environ["ADA"], last_name=os.environ["ACME"]
        )
""",
}

STRICT_CSP = """
"default-src": ["'self'"], "base-uri": ["'none'"], "form-action": ["'self'"],
"frame-ancestors": ["'self'"], "frame-src": ["'self'", CLERK_PROXY_URL],
"""

ROUTER = """
DATABASES["invitations"] = {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "i.sqlite3"}
DATABASE_ROUTERS = ["mysite.router.Router"]
"""
ROUTER_FILE = """
class Router:
    def db_for_read(self, model, **hints):
        return "invitations" if model._meta.app_label == "org_invitations" else None

    db_for_write = db_for_read

    def allow_migrate(self, db, app_label, **hints):
        return (db == "invitations") == (app_label == "org_invitations")
"""
PARTED_ROUTER_FILE = """
class Router:
    def db_for_write(self, model, **hints):
        return "invitations" if model.__name__ == "BatchItem" else None
"""

SERVED_STATIC = """
from django.contrib.staticfiles.urls import staticfiles_urlpatterns
from django.urls import include, path

urlpatterns += [path("invitations/", include("org_invitations.urls"))]
urlpatterns += staticfiles_urlpatterns()
"""

DRF_URLS = """
from django.urls import include, path
from rest_framework.renderers import TemplateHTMLRenderer
from rest_framework.response import Response
from rest_framework.views import APIView


class Api(APIView):
    def get(self, request):
        clerk = request._request.clerk
        return Response({"user": clerk.user_id}, status=200 if clerk.is_signed_in else 401)


class People(APIView):
    renderer_classes = [TemplateHTMLRenderer]

    def get(self, request):
        return Response({}, template_name="people.html")


urlpatterns += [
    path("invitations/", include("org_invitations.urls")),
    path("api/", Api.as_view()),
    path("people/", People.as_view()),
]
"""


#: As the documents print them: what maps the app's blocks, and what the site's own base needs.
LAYOUT, HTMX, *_ = blocks("docs/templates.md", "django")

#: A page of the site's own, with the app in it.
EMBEDDED = {
    "templates/people.html": f"""<!doctype html>
<html lang="en">
<head><title>People</title>{HTMX}</head>
<body>
{{% load org_invitations %}}
<h1>People, {{% org_invitations_pending_count %}}</h1>
{{% org_invitations %}}
</body></html>
"""
}
EMBEDDED_SETTINGS = """
TEMPLATES[0]["DIRS"].append(BASE_DIR / "templates")
"""
EMBEDDED_URLS = """
from django.urls import include, path
from django.views.generic import TemplateView

urlpatterns += [
    path("invitations/", include("org_invitations.urls")),
    path("people/", TemplateView.as_view(template_name="people.html")),
]
"""


def _mounted(pattern: str) -> str:
    return f"from django.urls import include, path\n\nurlpatterns += [\n{pattern}\n]\n"


CONFIGURATIONS: tuple[Configuration, ...] = (
    Configuration("as the README says", looks=True),
    Configuration("lowest versions", environment="lowest", looks=True),
    Configuration(
        "few apps: no admin, users or sessions",
        settings="""
INSTALLED_APPS = [
    "django.contrib.messages", "django.contrib.staticfiles", "django_htmx", "org_invitations",
]
MIDDLEWARE = [
    name for name in MIDDLEWARE if "sessions" not in name and "contrib.auth" not in name
]
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"
TEMPLATES[0]["OPTIONS"]["context_processors"].remove("django.contrib.auth.context_processors.auth")
""",
        files={"mysite/urls.py": "urlpatterns = []\n"},
    ),
    Configuration(
        "no keys, as in a build",
        settings='CLERK_SECRET_KEY = CLERK_PUBLISHABLE_KEY = ""\nSTATIC_ROOT = BASE_DIR / "static"',
        commands=(("collectstatic", "--noinput"), ("test",)),
        signs_in="nobody",
        complaints=("W008", "W009"),
    ),
    # --- Users and sessions ---------------------------------------------------------------------
    Configuration(
        "custom user, LoginRequiredMiddleware",
        settings=USERS_SETTINGS
        + 'MIDDLEWARE += ["django.contrib.auth.middleware.LoginRequiredMiddleware"]',
        files=USERS,
        commands=(MAKE_USERS,),
        looks=True,
    ),
    Configuration(
        "Django's login, ORG_INVITATIONS_IDENTITY",
        settings=USERS_SETTINGS
        + """
MIDDLEWARE.remove("org_invitations.middleware.ClerkSessionMiddleware")
ORG_INVITATIONS_IDENTITY = "mysite.identity.get_identity"
CLERK_PUBLISHABLE_KEY = ""
CLERK_SIGN_IN_URL = "/accounts/login/"
""",
        urls=_mounted(
            'path("invitations/", include("org_invitations.urls")),\n'
            'path("accounts/login/", __import__("mysite.login").login.Login.as_view()),'
        ),
        files=USERS | IDENTITY,
        commands=(MAKE_USERS, ("migrate",), ("add_ada",)),
        signs_in="django",
        looks=True,
    ),
    Configuration(
        "every page renews the session",
        settings='ORG_INVITATIONS_HANDSHAKE_PATHS = ["/"]',
    ),
    Configuration(
        "Django REST framework",
        settings=EMBEDDED_SETTINGS
        + """
INSTALLED_APPS += ["rest_framework"]
ORG_INVITATIONS_HANDSHAKE_PATHS = ["/"]
""",
        urls=DRF_URLS,
        files=EMBEDDED,
        programs=(("/api/", 401),),
        embedded="/people/",
        looks=True,
    ),
    Configuration(
        "a subclass of the middleware",
        settings="""
MIDDLEWARE[-1] = "mysite.clerk.Middleware"
""",
        files={
            "mysite/clerk.py": """
from org_invitations.middleware import ClerkSessionMiddleware


class Middleware(ClerkSessionMiddleware):
    pass
"""
        },
    ),
    Configuration(
        "no middleware of Clerk's",
        settings='MIDDLEWARE.remove("org_invitations.middleware.ClerkSessionMiddleware")',
        complaints=("E010",),
    ),
    Configuration(
        "no HtmxMiddleware",
        settings='MIDDLEWARE.remove("django_htmx.middleware.HtmxMiddleware")',
        looks=True,
    ),
    Configuration(
        "no messages",
        settings="""
INSTALLED_APPS.remove("django.contrib.admin")
INSTALLED_APPS.remove("django.contrib.messages")
MIDDLEWARE.remove("django.contrib.messages.middleware.MessageMiddleware")
TEMPLATES[0]["OPTIONS"]["context_processors"].pop()
""",
        files={"mysite/urls.py": "urlpatterns = []\n"},
        complaints=("W002",),
    ),
    Configuration(
        "signed cookies for sessions and CSRF in them",
        settings="""
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
CSRF_USE_SESSIONS = True
""",
        looks=True,
    ),
    Configuration(
        "strict cookies",
        settings="""
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = SESSION_COOKIE_SAMESITE = "Strict"
""",
        looks=True,
    ),
    # --- In pages of the site's own -------------------------------------------------------------
    Configuration(
        "in a page of its own",
        settings=EMBEDDED_SETTINGS,
        urls=EMBEDDED_URLS,
        files=EMBEDDED,
        embedded="/people/",
        looks=True,
    ),
    Configuration(
        "in a page of its own: lowest versions",
        settings=EMBEDDED_SETTINGS,
        urls=EMBEDDED_URLS,
        files=EMBEDDED,
        embedded="/people/",
        environment="lowest",
        looks=True,
    ),
    Configuration(
        "in a page of its own: CSP of Django 6, ATOMIC_REQUESTS, GZip, tokens in sessions",
        settings=EMBEDDED_SETTINGS
        + f"""
MIDDLEWARE.insert(0, "django.middleware.gzip.GZipMiddleware")
MIDDLEWARE.append("django.middleware.csp.ContentSecurityPolicyMiddleware")
SECURE_CSP = {{{STRICT_CSP}}}
DATABASES["default"]["ATOMIC_REQUESTS"] = True
CSRF_USE_SESSIONS = True
TEMPLATES[0]["OPTIONS"]["context_processors"].append("django.template.context_processors.csp")
""",
        urls=EMBEDDED_URLS,
        files=EMBEDDED,
        embedded="/people/",
        needs="django 6.0",
        looks=True,
    ),
    Configuration(
        "in a page of its own: uvicorn, no HtmxMiddleware, no cache",
        settings=EMBEDDED_SETTINGS
        + _cache("dummy.DummyCache")
        + """
MIDDLEWARE.remove("django_htmx.middleware.HtmxMiddleware")
STATIC_ROOT = BASE_DIR / "static"
""",
        urls=EMBEDDED_URLS
        + """
from django.contrib.staticfiles.urls import staticfiles_urlpatterns

urlpatterns += staticfiles_urlpatterns()
""",
        files=EMBEDDED,
        command=("uvicorn", "mysite.asgi:application", "--port", "{port}"),
        embedded="/people/",
        looks=True,
    ),
    # --- URLs -----------------------------------------------------------------------------------
    Configuration(
        "i18n_patterns",
        settings="""
MIDDLEWARE.insert(2, "django.middleware.locale.LocaleMiddleware")
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
""",
        urls="""
from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path

urlpatterns += i18n_patterns(path("invitations/", include("org_invitations.urls")))
""",
        base="/de/invitations/",
        looks=True,
    ),
    Configuration(
        "two mounts",
        urls=_mounted(
            'path("invitations/", include("org_invitations.urls")),\n'
            'path("teams/<str:organization_id>/invitations/",'
            ' include("org_invitations.urls", namespace="teams")),'
        ),
        base="/teams/acme/invitations/",
        looks=True,
    ),
    Configuration(
        "nested namespaces",
        urls=_mounted(
            'path("crm/", include(([path("people/", include("org_invitations.urls"))], "crm"),'
            ' namespace="crm")),'
        ),
        base="/crm/people/",
    ),
    Configuration(
        "an organization that include() fixes",
        urls=_mounted(
            'path("crew/", include("org_invitations.urls"), {"organization_id": "acme"}),'
        ),
        base="/crew/",
    ),
    Configuration(
        "a prefix that captures a tenant",
        urls=_mounted('path("<slug:tenant>/invitations/", include("org_invitations.urls")),'),
        base="/west/invitations/",
    ),
    Configuration(
        "at the root of the site",
        urls=_mounted('path("", include("org_invitations.urls")),'),
        base="/",
    ),
    Configuration("no APPEND_SLASH", settings="APPEND_SLASH = False"),
    # --- Templates and what changes the page ----------------------------------------------------
    Configuration(
        "CSP of Django 6",
        settings=f"""
MIDDLEWARE.append("django.middleware.csp.ContentSecurityPolicyMiddleware")
SECURE_CSP = {{{STRICT_CSP}}}
""",
        needs="django 6.0",
        looks=True,
    ),
    Configuration(
        "django-csp",
        settings=f"""
INSTALLED_APPS += ["csp"]
MIDDLEWARE.append("csp.middleware.CSPMiddleware")
CONTENT_SECURITY_POLICY = {{"DIRECTIVES": {{{STRICT_CSP}}}}}
""",
        looks=True,
    ),
    Configuration(
        "WhiteNoise with a manifest",
        settings="""
DEBUG = False
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
MIDDLEWARE.insert(1, "whitenoise.middleware.WhiteNoiseMiddleware")
STATIC_ROOT = BASE_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
""",
        commands=(("collectstatic", "--noinput"),),
        command=(*GUNICORN, "--threads", "8"),
        looks=True,
    ),
    Configuration(
        "GZip", settings='MIDDLEWARE.insert(0, "django.middleware.gzip.GZipMiddleware")', looks=True
    ),
    Configuration(
        "ETags and a cache of the whole site",
        settings="""
MIDDLEWARE.insert(0, "django.middleware.cache.UpdateCacheMiddleware")
MIDDLEWARE.insert(1, "django.middleware.http.ConditionalGetMiddleware")
MIDDLEWARE.append("django.middleware.cache.FetchFromCacheMiddleware")
""",
        looks=True,
    ),
    Configuration(
        "django-debug-toolbar",
        settings="""
INSTALLED_APPS += ["debug_toolbar"]
MIDDLEWARE.insert(0, "debug_toolbar.middleware.DebugToolbarMiddleware")
INTERNAL_IPS = ["127.0.0.1"]
""",
        urls=_mounted(
            'path("invitations/", include("org_invitations.urls")),\n'
            'path("__debug__/", include("debug_toolbar.urls")),'
        ),
        looks=True,
    ),
    Configuration(
        "Jinja2 first",
        settings="""
TEMPLATES.insert(
    0, {"BACKEND": "django.template.backends.jinja2.Jinja2", "APP_DIRS": True, "DIRS": []}
)
""",
        looks=True,
    ),
    Configuration(
        "Jinja2 as the only engine",
        settings="""
INSTALLED_APPS.remove("django.contrib.admin")
TEMPLATES = [{"BACKEND": "django.template.backends.jinja2.Jinja2", "APP_DIRS": True, "DIRS": []}]
""",
        files={"mysite/urls.py": "urlpatterns = []\n"},
        complaints=("E025",),
    ),
    Configuration(
        "forms rendered by the site's own templates",
        settings="""
INSTALLED_APPS += ["django.forms"]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
""",
    ),
    Configuration(
        "names that are not there are shown",
        settings='TEMPLATES[0]["OPTIONS"]["string_if_invalid"] = "INVALID %s"',
    ),
    Configuration(
        "a layout of the site's own",
        settings='TEMPLATES[0]["DIRS"] = [BASE_DIR / "templates"]',
        files={
            "templates/org_invitations/base.html": LAYOUT,
            "templates/base.html": f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{% block title %}}{{% endblock %}}</title>
{HTMX}
{{% block head %}}{{% endblock %}}</head>
<body><nav>The site</nav>{{% block main %}}{{% endblock %}}</body></html>
""",
        },
        looks=True,
    ),
    # --- Languages and times --------------------------------------------------------------------
    Configuration("USE_TZ off", settings="USE_TZ = False"),
    Configuration("another time zone", settings='TIME_ZONE = "Pacific/Chatham"'),
    Configuration("USE_I18N off", settings="USE_I18N = False"),
    Configuration(
        "German, with a separator of thousands",
        settings='LANGUAGE_CODE = "de"\nUSE_THOUSAND_SEPARATOR = True',
        looks=True,
    ),
    Configuration("from right to left", settings='LANGUAGE_CODE = "ar"', looks=True),
    # --- Caches ---------------------------------------------------------------------------------
    Configuration("cache in memory", settings=_cache("locmem.LocMemCache")),
    Configuration("cache that keeps nothing", settings=_cache("dummy.DummyCache")),
    Configuration(
        "cache in the database",
        settings=_cache("db.DatabaseCache", LOCATION="kept"),
        commands=(("createcachetable",),),
    ),
    Configuration(
        "cache in files",
        settings=_cache("filebased.FileBasedCache", LOCATION="kept"),
    ),
    Configuration(
        "cache in Redis",
        settings='CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache",'
        ' "LOCATION": os.environ["REDIS_URL"]}}',
        needs="redis",
    ),
    Configuration(
        "cache in Redis that is down",
        settings=_cache("redis.RedisCache", LOCATION="redis://127.0.0.1:1"),
    ),
    Configuration(
        "a cache of the app's own",
        settings=_cache("dummy.DummyCache")
        + '\nCACHES["app"] = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}'
        + '\nORG_INVITATIONS_CACHE_ALIAS = "app"',
    ),
    # --- Databases ------------------------------------------------------------------------------
    Configuration("ATOMIC_REQUESTS", settings='DATABASES["default"]["ATOMIC_REQUESTS"] = True'),
    Configuration(
        "a database of the app's own",
        settings=ROUTER,
        files={"mysite/router.py": ROUTER_FILE},
        commands=(("migrate", "--database", "invitations"),),
    ),
    Configuration(
        "a router that parts the tables",
        settings=ROUTER,
        files={"mysite/router.py": PARTED_ROUTER_FILE},
        complaints=("E020",),
    ),
    Configuration("no database", settings="DATABASES = {}", complaints=("E019",)),
    # --- Servers and proxies --------------------------------------------------------------------
    Configuration(
        "uvicorn",
        urls=SERVED_STATIC,
        command=("uvicorn", "mysite.asgi:application", "--port", "{port}"),
        looks=True,
    ),
    Configuration(
        "daphne",
        settings='INSTALLED_APPS.insert(0, "daphne")\nASGI_APPLICATION = "mysite.asgi.application"',
        urls=SERVED_STATIC,
        command=("daphne", "-p", "{port}", "mysite.asgi:application"),
    ),
    Configuration("gunicorn, one at a time", urls=SERVED_STATIC, command=GUNICORN),
    Configuration(
        "gunicorn with threads",
        urls=SERVED_STATIC,
        command=(*GUNICORN, "--worker-class", "gthread", "--threads", "8", "--workers", "2"),
    ),
    Configuration(
        "gunicorn with gevent",
        urls=SERVED_STATIC,
        command=(*GUNICORN, "--worker-class", "gevent", "--workers", "2"),
    ),
    Configuration(
        "gunicorn, preloaded",
        urls=SERVED_STATIC,
        command=(*GUNICORN, "--preload", "--threads", "4", "--workers", "2"),
    ),
    Configuration(
        "SCRIPT_NAME, WSGI",
        settings=EMBEDDED_SETTINGS
        + """
MIDDLEWARE.insert(1, "whitenoise.middleware.WhiteNoiseMiddleware")
WHITENOISE_USE_FINDERS = True
STATIC_URL, WHITENOISE_STATIC_PREFIX = "/app/static/", "/static/"
""",
        urls=EMBEDDED_URLS,
        files=EMBEDDED,
        command=(*GUNICORN, "--threads", "4"),
        variables={"SCRIPT_NAME": "/app"},
        base="/app/invitations/",
        embedded="/app/people/",
        looks=True,
    ),
    Configuration(
        "FORCE_SCRIPT_NAME, ASGI",
        settings='FORCE_SCRIPT_NAME = "/app"\nSTATIC_URL = "/static/"',
        urls=SERVED_STATIC,
        command=("uvicorn", "mysite.asgi:application", "--port", "{port}"),
        base="/app/invitations/",
        looks=True,
    ),
    Configuration(
        "a proxy that ends https",
        settings="""
ALLOWED_HOSTS = ["app.example.com"]
USE_X_FORWARDED_HOST = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
""",
        urls=SERVED_STATIC,
        command=(*GUNICORN, "--threads", "4"),
        headers={"X-Forwarded-Host": "app.example.com", "X-Forwarded-Proto": "https"},
        origin="https://app.example.com",
    ),
)
