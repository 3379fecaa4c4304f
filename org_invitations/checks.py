"""What a site may have got wrong, told by ``manage.py check``. Nothing here uses the network.

The ids are permanent: E for what cannot work or is not safe, W for what will surprise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning
from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseFault
from django.db import connections, router
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.loader import get_template
from django.urls import (
    Resolver404,
    URLPattern,
    URLResolver,
    get_resolver,
    get_script_prefix,
    resolve,
)
from django.utils.functional import Promise
from django.utils.module_loading import import_string

from .clerk.deadline import WRITE
from .clerk.session.keys import PemKeys
from .clerk.session.publishable_key import InvalidPublishableKey, parse_publishable_key
from .clients import get_instance
from .conf import (
    JOIN_WAYS,
    MAX_CONNECT_TIMEOUT,
    MAX_EXPIRES_IN_DAYS,
    MAX_KEEP_DAYS,
    MAX_MAX_WAITING,
    MAX_MEMBERSHIP_CACHE_SECONDS,
    MAX_PAGE_SIZE,
    MAX_READ_TIMEOUT,
    MAX_REQUEST_SECONDS,
    MAX_RESERVED_PERCENT,
    MAX_ROLES_CACHE_SECONDS,
    MIN_REQUEST_SECONDS,
    conf,
)
from .models import Batch, BatchItem, CallSlot, Draft, Heartbeat
from .roles import GrantPolicy, get_grant_policy
from .services import InvitationService
from .services.batches.heartbeat import is_missed
from .services.database import get_alias
from .services.paths import get_path

MIDDLEWARE = "org_invitations.middleware.ClerkSessionMiddleware"
#: These are for browsers, so a path of the site's own will do: its login page, a proxy.
_MAY_BE_PATHS = ("CLERK_SIGN_IN_URL", "CLERK_PROXY_URL")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@register("org_invitations")
def check_keys(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Is there a secret key, and is it for this place?"""
    key = conf.CLERK_SECRET_KEY
    if not key:
        return [_not_set("CLERK_SECRET_KEY", "org_invitations.W008")]
    if not key.startswith(("sk_test_", "sk_live_")):
        return [
            Error(
                "CLERK_SECRET_KEY is not a secret key of Clerk's.",
                hint="It begins with sk_test_ or sk_live_; pk_… is the publishable key.",
                id="org_invitations.E002",
            )
        ]
    if key.startswith("sk_live_") and conf.DEBUG:
        return [
            CheckWarning(
                "CLERK_SECRET_KEY is a live key and DEBUG is on.",
                hint="Debug pages show what production data the key can reach. Use sk_test_…",
                id="org_invitations.W001",
            )
        ]
    return []


@register("org_invitations")
def check_publishable_key(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Can sessions be read, and do both keys belong to one instance?"""
    if conf.IDENTITY:
        return []
    if not conf.CLERK_PUBLISHABLE_KEY:
        return [_not_set("CLERK_PUBLISHABLE_KEY", "org_invitations.W009")]
    try:
        key = parse_publishable_key(conf.CLERK_PUBLISHABLE_KEY)
    except InvalidPublishableKey as error:
        return [_no_publishable_key(error)]
    secret = conf.CLERK_SECRET_KEY
    if secret.startswith("sk_") and secret.startswith("sk_test_") != key.is_development:
        return [
            Error(
                "CLERK_SECRET_KEY and CLERK_PUBLISHABLE_KEY belong to different instances.",
                hint="One is a development key, the other a production key.",
                id="org_invitations.E004",
            )
        ]
    return []


@register("org_invitations", deploy=True)
def check_keys_are_there(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Are there keys where the site is to run? A build that has none may do all else."""
    found: list[CheckMessage] = []
    if not conf.CLERK_SECRET_KEY:
        found.append(
            Error(
                "CLERK_SECRET_KEY is not set.",
                hint="Copy the secret key from the Clerk Dashboard (API keys).",
                id="org_invitations.E001",
            )
        )
    if not conf.CLERK_PUBLISHABLE_KEY and not conf.IDENTITY:
        found.append(_no_publishable_key("It is not set."))
    return found


def _not_set(setting: str, message_id: str) -> CheckMessage:
    return CheckWarning(
        f"{setting} is not set.",
        hint="A build may do without. Where the site runs, the pages that need it fail: copy it "
        "from the Clerk Dashboard (API keys).",
        id=message_id,
    )


def _no_publishable_key(problem: object) -> CheckMessage:
    return Error(
        f"CLERK_PUBLISHABLE_KEY cannot be used. {problem}",
        hint="Copy it from the Clerk Dashboard (API keys); it begins with pk_.",
        id="org_invitations.E003",
    )


@register("org_invitations")
def check_jwt_key(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Can the public key be read? With one that cannot, nobody is ever signed in."""
    if not conf.CLERK_JWT_KEY or PemKeys(conf.CLERK_JWT_KEY).is_readable:
        return []
    return [
        Error(
            "CLERK_JWT_KEY is not a public key in PEM form.",
            hint="Copy it from the Clerk Dashboard (API keys, JWKS public key), with its "
            "first and last line. Line breaks may be written as \\n.",
            id="org_invitations.E015",
        )
    ]


@register("org_invitations")
def check_handshake_paths(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Are the prefixes paths? One that is not never matches."""
    paths = conf.HANDSHAKE_PATHS or ()
    if all(isinstance(path, str) and path.startswith("/") for path in paths):
        return []
    return [
        Error(
            "ORG_INVITATIONS_HANDSHAKE_PATHS holds something that is not a path.",
            hint="A list of prefixes that begin with a slash, such as ['/people/'].",
            id="org_invitations.E016",
        )
    ]


@register("org_invitations")
def check_urls(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Does the secret key travel encrypted, and are the other URLs usable?"""
    found: list[CheckMessage] = []
    for name, message_id in (
        ("CLERK_API_URL", "org_invitations.E005"),
        ("CLERK_PROXY_URL", "org_invitations.E006"),
        ("CLERK_SIGN_IN_URL", "org_invitations.E007"),
        ("REDIRECT_URL", "org_invitations.E008"),
    ):
        url = getattr(conf, name)
        is_own_page = name in _MAY_BE_PATHS and url.startswith("/") and url[1:2] != "/"
        if url and not is_own_page and not _is_safe(url):
            setting = "ORG_INVITATIONS_REDIRECT_URL" if name == "REDIRECT_URL" else name
            found.append(
                Error(
                    f"{setting} is not an absolute https URL.",
                    hint="http is accepted for this machine only (localhost).",
                    id=message_id,
                )
            )
    return found


@register("org_invitations")
def check_joining(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Is it known where the pages for joining are, and what they do?"""
    found: list[CheckMessage] = []
    if conf.JOIN_URL and not (_is_safe(conf.JOIN_URL) and not urlsplit(conf.JOIN_URL).query):
        found.append(
            Error(
                "ORG_INVITATIONS_JOIN_URL is not an absolute https URL without a query.",
                hint="It is where org_invitations.join_urls is mounted, such as "
                "'https://app.example.com/join/'. http is accepted for this machine only.",
                id="org_invitations.E026",
            )
        )
    elif conf.JOIN_URL and not _is_mounted(urlsplit(conf.JOIN_URL).path):
        found.append(
            CheckWarning(
                "ORG_INVITATIONS_JOIN_URL leads to no page of org_invitations.join_urls.",
                hint="The links of all invitations lead there. Mount it at that path: "
                "path('join/', include('org_invitations.join_urls')). Silence this where something "
                "before Django takes a part of the path away.",
                id="org_invitations.W010",
            )
        )
    if set(conf.get_raw_texts("ORG_INVITATIONS_JOIN_WAYS")) - set(JOIN_WAYS):
        found.append(
            Error(
                "ORG_INVITATIONS_JOIN_WAYS holds something that is not one of the ways.",
                hint=f"A list of some of {', '.join(map(repr, JOIN_WAYS))}.",
                id="org_invitations.E027",
            )
        )
    url = conf.CLERK_SIGN_UP_URL
    if url and not (url.startswith("/") and url[1:2] != "/") and not _is_safe(url):
        found.append(
            Error(
                "CLERK_SIGN_UP_URL is neither an absolute https URL nor a path.",
                hint="http is accepted for this machine only (localhost).",
                id="org_invitations.E028",
            )
        )
    return found


def _is_mounted(path: str) -> bool:
    path = f"/{path.removeprefix(get_script_prefix())}" if path != "/" else path
    try:
        return "org_invitations_join" in resolve(path).app_names
    except Resolver404:
        return False


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets that hold no IPv6 address
        return False
    if not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


@register("org_invitations")
def check_choices(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Are what the inviter may choose from pairs of a value and its name?"""
    found: list[CheckMessage] = []
    if not _are_choices(conf.get_raw("ORG_INVITATIONS_LANGUAGES"), bool):
        found.append(
            Error(
                "ORG_INVITATIONS_LANGUAGES holds something that is not a code and its name.",
                hint="A list of pairs, as Django's LANGUAGES: [('de', 'German')].",
                id="org_invitations.E017",
            )
        )
    if not _are_choices(conf.get_raw("ORG_INVITATIONS_REDIRECT_URLS"), _is_safe):
        found.append(
            Error(
                "ORG_INVITATIONS_REDIRECT_URLS holds something that is not an absolute https URL "
                "and its name.",
                hint="A list of pairs, such as [('https://app.example.com/welcome', 'The app')]. "
                "http is accepted for this machine only (localhost).",
                id="org_invitations.E018",
            )
        )
    return found


def _are_choices(value: Any, is_usable: Callable[[str], bool]) -> bool:
    if value is None or value == "":
        return True
    return isinstance(value, (list, tuple)) and all(
        isinstance(pair, (list, tuple))
        and len(pair) == 2
        and isinstance(pair[0], str)
        and is_usable(pair[0])
        and isinstance(pair[1], (str, Promise))
        for pair in value
    )


@register("org_invitations")
def check_apps(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Are the apps and the middleware there?"""
    found: list[CheckMessage] = []
    if not _installed("django_htmx"):
        found.append(
            Error(
                "django_htmx is not in INSTALLED_APPS.",
                hint="Add 'django_htmx': the pages load htmx from it.",
                id="org_invitations.E009",
            )
        )
    if not conf.IDENTITY and not _has_middleware(MIDDLEWARE):
        found.append(
            Error(
                f"{MIDDLEWARE} is not in MIDDLEWARE.",
                hint="Add it, or name a callable in ORG_INVITATIONS_IDENTITY.",
                id="org_invitations.E010",
            )
        )
    if not _installed("django.contrib.messages"):
        found.append(
            CheckWarning(
                "django.contrib.messages is not in INSTALLED_APPS.",
                hint="Without JavaScript nobody is told that an invitation was sent.",
                id="org_invitations.W002",
            )
        )
    elif not _has_middleware("django.contrib.messages.middleware.MessageMiddleware"):
        found.append(
            CheckWarning(
                "There is no MessageMiddleware in MIDDLEWARE.",
                hint="Add 'django.contrib.messages.middleware.MessageMiddleware' and its context "
                "processor, or without JavaScript nobody is told that an invitation was sent.",
                id="org_invitations.W006",
            )
        )
    if not _installed("django.contrib.staticfiles"):
        found.append(
            CheckWarning(
                "django.contrib.staticfiles is not in INSTALLED_APPS.",
                hint="Serve org_invitations' and django_htmx' static files another way.",
                id="org_invitations.W003",
            )
        )
    return found


def _has_middleware(name: str) -> bool:
    """Whether a class, or one made from it, is in ``MIDDLEWARE``."""
    wanted = import_string(name)
    for path in conf.MIDDLEWARE:
        try:
            found = import_string(path)
        except ImportError:  # Django says so itself
            continue
        if isinstance(found, type) and issubclass(found, wanted):
            return True
    return False


def _installed(name: str) -> bool:
    return any(app == name or app.startswith(f"{name}.") for app in conf.INSTALLED_APPS)


@register("org_invitations")
def check_templates(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Does any engine find the templates? They are Django's; Jinja2 alone does not read them."""
    try:
        get_template("org_invitations/base.html")
    except TemplateDoesNotExist:
        return [
            Error(
                "No engine of TEMPLATES finds the templates of org_invitations.",
                hint="They are written for Django's own engine. Add "
                "'django.template.backends.django.DjangoTemplates' with APP_DIRS; it may stand "
                "beside Jinja2, before or after it.",
                id="org_invitations.E025",
            )
        ]
    except TemplateSyntaxError:  # a site's own template of this name; its page says where
        return []
    return []


@register("org_invitations")
def check_numbers(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Are the numbers within Clerk's bounds? The app uses the nearest bound meanwhile."""
    bounds: list[tuple[str, float, float, type]] = [
        ("ORG_INVITATIONS_PAGE_SIZE", 1, MAX_PAGE_SIZE, int),
        ("ORG_INVITATIONS_EXPIRES_IN_DAYS", 1, MAX_EXPIRES_IN_DAYS, int),
        ("ORG_INVITATIONS_KEEP_DAYS", 1, MAX_KEEP_DAYS, int),
        ("ORG_INVITATIONS_MEMBERSHIP_CACHE_SECONDS", 0, MAX_MEMBERSHIP_CACHE_SECONDS, int),
        ("ORG_INVITATIONS_ROLES_CACHE_SECONDS", 0, MAX_ROLES_CACHE_SECONDS, int),
        ("ORG_INVITATIONS_MAX_WAITING", 1, MAX_MAX_WAITING, int),
        ("ORG_INVITATIONS_RESERVED_PERCENT", 0, MAX_RESERVED_PERCENT, int),
        ("ORG_INVITATIONS_CONNECT_TIMEOUT", 0.01, MAX_CONNECT_TIMEOUT, float),
        ("ORG_INVITATIONS_READ_TIMEOUT", 0.01, MAX_READ_TIMEOUT, float),
        ("ORG_INVITATIONS_REQUEST_SECONDS", MIN_REQUEST_SECONDS, MAX_REQUEST_SECONDS, float),
    ]
    return [
        Error(
            f"{name} must be a number from {low:g} to {high:g}.",
            hint="Until then the nearest bound, or the default, is used.",
            id="org_invitations.E011",
            obj=name,
        )
        for name, low, high, kind in bounds
        if not _is_number(conf.get_raw(name), kind, low, high)
    ]


@register("org_invitations")
def check_times(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Do two writes, one after the other, fit into the time that a request has?"""
    one_call, request = conf.CONNECT_TIMEOUT + conf.READ_TIMEOUT, conf.REQUEST_SECONDS
    if one_call <= request * WRITE:
        return []
    return [
        CheckWarning(
            "ORG_INVITATIONS_CONNECT_TIMEOUT and ORG_INVITATIONS_READ_TIMEOUT are together longer "
            f"than a third of ORG_INVITATIONS_REQUEST_SECONDS: {one_call:g} of {request:g} "
            "seconds.",
            hint="Sending an invitation again takes two calls, with some before and after them. "
            "So that it fits, writes are cut off after a third of the time.",
            id="org_invitations.W007",
        )
    ]


def _is_number(value: Any, kind: type, low: float, high: float) -> bool:
    if value is None:
        return True
    kinds = (int, float) if kind is float else (int,)
    return isinstance(value, kinds) and not isinstance(value, bool) and low <= value <= high


#: What is on or off, and what holds until that is said plainly.
_SWITCHES: Final = {
    "ORG_INVITATIONS_MARK_INVITATIONS": "Until then invitations carry a mark.",
    "ORG_INVITATIONS_AZP_HANDSHAKE": "Until then it counts as True.",
    "ORG_INVITATIONS_ALLOW_IMPERSONATION": "Until then nobody who acts as somebody else gets in.",
}


@register("org_invitations")
def check_switches(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Is it said plainly whether something is on or off?"""
    return [
        Error(f"{name} must be True or False.", hint=hint, id="org_invitations.E024", obj=name)
        for name, hint in _SWITCHES.items()
        if not isinstance(conf.get_raw(name), bool | None)
    ]


@register("org_invitations")
def check_identity(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Can the site's own callable be imported?"""
    function: Any = conf.IDENTITY
    if not function:
        return []
    if isinstance(function, str):
        try:
            function = import_string(function)
        except ImportError:
            function = None
    if callable(function):
        return []
    return [
        Error(
            "ORG_INVITATIONS_IDENTITY does not name a callable that can be imported.",
            hint="Give the dotted path of a function, such as 'mysite.clerk.identity'.",
            id="org_invitations.E012",
        )
    ]


@register("org_invitations")
def check_grant_policy(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Is there the rule that says who may grant which role?"""
    try:
        get_grant_policy()
    except ImproperlyConfigured as error:
        return [
            Error(
                str(error),
                hint="Give the dotted path of a class, such as 'mysite.grants.OnlyMembers'.",
                id="org_invitations.E014",
            )
        ]
    return []


@register("org_invitations")
def check_cache(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Is there the cache that roles and permissions are kept in?"""
    if conf.CACHE_ALIAS in conf.CACHES:
        return []
    return [
        Error(
            f"ORG_INVITATIONS_CACHE_ALIAS names a cache that does not exist: {conf.CACHE_ALIAS!r}.",
            hint="Name one of CACHES.",
            id="org_invitations.E013",
        )
    ]


@register("org_invitations")
def check_database(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Is there the database that outcomes are kept in? It is not connected to."""
    alias = router.db_for_write(Batch)
    engine = connections[alias].settings_dict["ENGINE"] if alias in connections else ""
    if not engine or engine == "django.db.backends.dummy":
        return [
            Error(
                "There is no database in DATABASES to keep in what became of invitations.",
                hint="Configure one, SQLite will do, and run manage.py migrate. It keeps a form "
                "that is sent twice from inviting twice.",
                id="org_invitations.E019",
            )
        ]
    found: list[CheckMessage] = []
    if problem := _describe_routing(alias):
        found.append(
            Error(
                f"DATABASE_ROUTERS part what belongs together: {problem}",
                hint="Let the routers write Batch, BatchItem, CallSlot, Heartbeat and Draft of "
                "org_invitations to one database, migrate them there, and allow a relation between "
                "the first two. Reading always asks that database, so a replica does no harm.",
                id="org_invitations.E020",
            )
        )
    if not connections[alias].settings_dict["AUTOCOMMIT"]:
        found.append(
            Error(
                f"AUTOCOMMIT is off in DATABASES[{alias!r}].",
                hint="What is written down before a call to Clerk must be there even if the "
                "process dies in it.",
                id="org_invitations.E021",
            )
        )
    return found


#: What is read and written together: in one transaction, or by the clock of one database.
_TOGETHER: Final = (Batch, BatchItem, CallSlot, Heartbeat, Draft)


def _describe_routing(alias: str) -> str:
    """Return what is wrong with where the routers put the tables; empty if nothing is."""
    for model in _TOGETHER:
        other = router.db_for_write(model)
        if other != alias:
            return f"Batch goes to {alias!r} and {model.__name__} to {other!r}."
        if not router.allow_migrate_model(alias, model):
            return f"{model.__name__} goes to {alias!r}, where it may not be migrated."
    if not router.allow_relation(Batch(), BatchItem()):
        return "a BatchItem may not belong to a Batch."
    return ""


@register("org_invitations")
def check_transactions(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Is any of the views run inside a transaction of ``ATOMIC_REQUESTS``?

    Only what the URLconf shows can be seen; the rest is refused when something is to be sent.
    """
    atomic = {alias for alias in connections if connections[alias].settings_dict["ATOMIC_REQUESTS"]}
    if not atomic:
        return []
    return [
        Error(
            f"{view.view_class.__name__} is run inside a transaction: ATOMIC_REQUESTS is on.",
            hint="Mount what as_view() of the class returns. What is written down before a call "
            "to Clerk must be there even if the process dies in it.",
            obj=name,
            id="org_invitations.E022",
        )
        for name, view in _get_views(get_resolver().url_patterns)
        if _is_ours(getattr(view, "view_class", type(None)))
        and not atomic <= getattr(view, "_non_atomic_requests", set())
    ]


def _is_ours(view_class: type) -> bool:
    package = f"{__package__}.views."
    return any(base.__module__.startswith(package) for base in view_class.__mro__)


def _get_views(patterns: Iterable[URLPattern | URLResolver]) -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            yield str(pattern.pattern), pattern.callback
        else:
            yield from _get_views(pattern.url_patterns)


@register("org_invitations", Tags.security, deploy=True)
def check_authorized_parties(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Is it limited whose session tokens are accepted?"""
    parties = conf.CLERK_AUTHORIZED_PARTIES
    if conf.IDENTITY:
        return []
    if not parties:
        return [
            CheckWarning(
                "CLERK_AUTHORIZED_PARTIES is not set.",
                hint="Name this site's origin, such as ['https://app.example.com'], so that a "
                "token made for another site of the same Clerk instance is not accepted.",
                id="org_invitations.W004",
            )
        ]
    if all(_find_origin(party) for party in parties):
        return []
    return [
        CheckWarning(
            "CLERK_AUTHORIZED_PARTIES names something that is not an origin.",
            hint="An origin has a scheme and a host and no slash at the end.",
            id="org_invitations.W005",
        )
    ]


@register("org_invitations")
def check_spelling_of_parties(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Are the authorized parties spelt as browsers do? No token matches another spelling."""
    found: list[CheckMessage] = []
    for party in conf.get_raw_texts("CLERK_AUTHORIZED_PARTIES"):
        origin = _find_origin(party)
        if origin and origin != party:
            found.append(
                Error(
                    "CLERK_AUTHORIZED_PARTIES names an origin in another spelling than browsers.",
                    hint=f"Write {origin!r}, and nothing after it: session tokens have it so.",
                    id="org_invitations.E023",
                )
            )
    return found if not conf.IDENTITY else []


def _find_origin(text: str) -> str:
    """Return the origin that is meant, as browsers and so Clerk's tokens have it; empty if none."""
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        return ""
    if not parts.scheme or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    is_usual = port is None or port == {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{host}" if is_usual else f"{parts.scheme}://{host}:{port}"


@register("org_invitations")
def check_background(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Can what begins a turn of a worker be called?"""
    start: Any = conf.get_raw("ORG_INVITATIONS_BACKGROUND")
    if start == "" or isinstance(start, bool | None):
        return []
    problem = "It is none of True, False, and a function or its dotted path."
    if isinstance(start, str):
        try:
            start = import_string(start)
        except (ImportError, ImproperlyConfigured) as error:
            problem = str(error) if "." in start else "It is no dotted path."
    if callable(start):
        problem = _find_problem(start)
    if not problem:
        return []
    return [
        Error(
            f"ORG_INVITATIONS_BACKGROUND begins no turn of a worker: {problem}",
            hint="Give True where workers come by themselves, or what begins a turn, such as "
            "'org_invitations.engines.celery.start'.",
            id="org_invitations.E029",
        )
    ]


def _find_problem(start: Any) -> str:
    """Return why a function begins no turn in a process of its own, where that can be told."""
    if getattr(start, "__module__", "") != "org_invitations.engines.django_tasks":
        return ""
    from .engines.django_tasks import get_problem  # what it needs may not be there elsewhere

    return get_problem()


@register("org_invitations")
def check_mounts(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Would a worker find the classes that the views of each mount use?

    What ``get_service`` of a site's own returns can only be seen when something is begun.
    """
    if not conf.BACKGROUND:
        return []
    found: dict[str, CheckMessage] = {}
    for name, view in _get_views(get_resolver().url_patterns):
        kind = getattr(view, "view_class", None)
        if kind is None or not _is_ours(kind):
            continue
        known = getattr(view, "view_initkwargs", {})
        for attribute, usual in (
            ("service_class", InvitationService),
            ("grant_policy_class", GrantPolicy),
        ):
            value = known.get(attribute, getattr(kind, attribute, None))
            problem = _describe_class(value, usual) if value is not None else ""
            if problem and problem not in found:
                found[problem] = Error(
                    f"A worker could not use the {attribute}: {problem}",
                    hint="Give a class that is defined at the top of a module. What is left to "
                    "workers is refused until then.",
                    obj=name,
                    id="org_invitations.E030",
                )
    return list(found.values())


def _describe_class(value: type, usual: type) -> str:
    """Return why another process would not find a class, or could not use it; empty if it can."""
    try:
        get_path(value, usual)
        if issubclass(value, GrantPolicy):
            value()
    except ImproperlyConfigured as error:
        return str(error)
    except TypeError as error:
        return f"{value.__module__}.{value.__qualname__} needs arguments: {error}"
    return ""


@register("org_invitations", Tags.database)
def check_worker(
    app_configs: Sequence[AppConfig] | None = None,
    databases: Sequence[str] | None = None,
    **kwargs: Any,
) -> list[CheckMessage]:
    """Is there a worker for what is left to workers? Asked where a database may be."""
    if not conf.BACKGROUND or get_alias() not in (databases or ()):
        return []
    try:
        if not is_missed(get_instance()):
            return []
    except DatabaseFault:  # the tables may not be there yet
        return []
    return [
        CheckWarning(
            "Something has waited for ten minutes, and no worker was seen in them.",
            hint="Is one running? manage.py org_invitations send --loop, or what calls it.",
            id="org_invitations.W011",
        )
    ]
