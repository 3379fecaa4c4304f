"""The examples of docs/identity.md, each of them run as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.test import Client, override_settings

from org_invitations.emulator import Emulator
from org_invitations.identity import Identity

PAGE = Path(__file__).parents[1] / "docs" / "identity.md"
LIST = "/invitations/"


def example(heading: str, file: str) -> dict[str, Any]:
    """Run the code block of a section of the page; return what it defines."""
    section = PAGE.read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    block = next(
        code
        for code in re.findall(r"```python\n(.*?)```", section, re.DOTALL)
        if code.startswith(f"# {file}")
    )
    defined: dict[str, Any] = {"__name__": "example"}
    exec(compile(block, file, "exec"), defined)
    return defined


class WithoutClerksMiddleware:
    """The middleware of a site that does not use Clerk's sessions."""

    base = (
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django_htmx.middleware.HtmxMiddleware",
    )


@pytest.fixture
def site(settings: Any, clerk_emulator: Emulator) -> Any:
    """The settings of such a site."""
    settings.MIDDLEWARE = list(WithoutClerksMiddleware.base)
    settings.CLERK_PUBLISHABLE_KEY = ""
    settings.CLERK_SIGN_IN_URL = "https://app.example.com/login"
    return settings


@pytest.mark.django_db
def test_djangos_auth_with_the_clerk_id_on_the_user_model(
    site: Any, clerk_emulator: Emulator, client: Client
) -> None:
    site.ORG_INVITATIONS_IDENTITY = example(
        "Django's auth, with the Clerk id on the user model", "mysite/identity.py"
    )["get_identity"]
    signed_out = urlsplit(client.get(LIST)["Location"])
    assert signed_out._replace(query="").geturl() == "https://app.example.com/login"
    # Django's own login reads the one, Clerk's pages the other.
    back = [f"http://testserver{LIST}"]
    assert parse_qs(signed_out.query) == {"redirect_url": back, "next": back}

    ada = get_user_model().objects.create_user(
        "ada", clerk_id=clerk_emulator.user("ada@acme.test").id
    )
    client.force_login(ada)
    session = client.session
    session["organization_id"] = clerk_emulator.organization("acme").id
    session.save()
    assert client.get(LIST).context["organization"].name == "Acme"
    response = client.post(
        f"{LIST}invite/", {"email_addresses": "new@example.com", "role": "org:member"}
    )
    assert response.status_code == 303
    assert clerk_emulator.requests[-1].body["inviter_user_id"] == ada.clerk_id

    # An organization that the person does not manage stays closed, whatever the session says.
    session["organization_id"] = clerk_emulator.organization("globex").id
    session.save()
    assert client.get(LIST).status_code == 403

    del session["organization_id"]
    session.save()
    assert client.get(LIST)["Location"].startswith(f"{LIST}organizations/org_")

    client.force_login(get_user_model().objects.create_user("nobody-at-clerk"))
    assert client.get(LIST).status_code == 303


@pytest.mark.django_db
def test_django_clerk_users(site: Any, clerk_emulator: Emulator, client: Client) -> None:
    get_identity = example("django-clerk-users", "mysite/identity.py")["get_identity"]
    organization = clerk_emulator.organization("acme").id

    def as_its_middleware_does(request: HttpRequest) -> Identity | None:
        request.org = organization  # type: ignore[attr-defined]
        found: Identity | None = get_identity(request)
        return found

    site.ORG_INVITATIONS_IDENTITY = as_its_middleware_does
    assert client.get(LIST).status_code == 303
    client.force_login(
        get_user_model().objects.create_user(
            "mia", clerk_id=clerk_emulator.user("mia@acme.test").id
        )
    )
    assert client.get(LIST).context["organization"].name == "Acme"


def test_a_gateway_in_front_of_the_site(
    site: Any, clerk_emulator: Emulator, client: Client
) -> None:
    site.ORG_INVITATIONS_IDENTITY = example("A gateway in front of the site", "mysite/identity.py")[
        "get_identity"
    ]
    site.GATEWAY_KEY = "only the gateway knows"
    ids = {
        "X-Clerk-User-Id": clerk_emulator.user("ada@acme.test").id,
        "X-Clerk-Organization-Id": clerk_emulator.organization("acme").id,
    }
    good = {"X-Gateway-Key": "only the gateway knows"}
    assert client.get(LIST, headers=ids | good).context["organization"].name == "Acme"
    for headers in (ids, ids | {"X-Gateway-Key": "guessed"}, good, {}):
        assert client.get(LIST, headers=headers).status_code == 303
    site.GATEWAY_KEY = ""
    assert client.get(LIST, headers=ids | {"X-Gateway-Key": ""}).status_code == 303


@pytest.mark.django_db
def test_django_s_login_required_leaves_these_views_to_themselves(
    site: Any, client: Client, settings: Any
) -> None:
    """It would swap a login page into the list, and lose what was typed."""
    heading = "Django's auth, with the Clerk id on the user model"
    site.MIDDLEWARE = [
        *WithoutClerksMiddleware.base,
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
    ]
    site.LOGIN_URL = "/login/"
    site.ORG_INVITATIONS_IDENTITY = example(heading, "mysite/identity.py")["get_identity"]
    signed_out = urlsplit(client.get(LIST)["Location"])
    assert signed_out._replace(query="").geturl() == "https://app.example.com/login"
    # Django's own login reads the one, Clerk's pages the other.
    back = [f"http://testserver{LIST}"]
    assert parse_qs(signed_out.query) == {"redirect_url": back, "next": back}
    htmx = {"HX-Request": "true", "HX-Target": "org-invitations-list"}
    assert client.get(LIST, headers=htmx).status_code == 401
    response = client.post(f"{LIST}invite/", {"email_addresses": "new@example.com"})
    assert response.status_code == 401
    assert "\nnew@example.com</textarea>" in response.text
    assert client.get(f"{LIST}session/").status_code == 200


def test_a_callable_that_returns_something_else_is_told(site: Any, client: Client) -> None:
    site.ORG_INVITATIONS_IDENTITY = lambda request: "user_1"
    with pytest.raises(ImproperlyConfigured, match="must return an org_invitations"):
        client.get(LIST)


def test_a_dotted_path_will_do(site: Any, client: Client) -> None:
    site.ORG_INVITATIONS_IDENTITY = f"{__name__}.nobody"
    assert client.get(LIST).status_code == 303


def nobody(request: HttpRequest) -> None:
    """Return that nobody is signed in."""


@override_settings(MIDDLEWARE=list(WithoutClerksMiddleware.base))
def test_with_neither_middleware_nor_callable_it_says_what_to_do(client: Client) -> None:
    with pytest.raises(ImproperlyConfigured, match="ClerkSessionMiddleware"):
        client.get(LIST)
