"""Whatever ends a form before anything is sent, all that was typed and chosen can be sent again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

import pytest
from django import forms
from django.db import OperationalError
from django.test import override_settings

from org_invitations.emulator import Emulator
from org_invitations.emulator.state import Invitation
from org_invitations.forms import ResendForm
from org_invitations.models import Batch, BatchItem
from org_invitations.services import Snapshot
from org_invitations.views import ResendInvitationView

from .conftest import INVITE, LIST, Browser, html_of, pending, text_of
from .inviting import FORM, filled, forget, many, posts

PAGE: Final = pytest.param(None, id="page", marks=pytest.mark.exhaustive)
DIALOG = "org-invitations-dialog"
LISTED = "org-invitations-list"
SELECTED = f"{LIST}selected/"
LEE = "lee@example.com"

Fail = Callable[[Emulator, str], object]


def refusal(status: int, code: str) -> Fail:
    body = {"errors": [{"code": code, "message": "No.", "long_message": "No."}]}
    return lambda clerk, path: clerk.fault("GET", path, times=None, status=status, body=body)


#: A status of each kind that Clerk knows, and what is no answer at all.
ERRORS: Final[dict[str, Fail]] = {
    "the key": refusal(401, "authentication_invalid"),
    "switched off": refusal(403, "organization_not_enabled_in_instance"),
    "no permission": refusal(403, "missing_organization_permission"),
    "the version": refusal(400, "api_version_invalid"),
    "an unknown version": refusal(400, "api_version_unsupported"),
    "an unknown code": refusal(418, "never_heard_of"),
    "the limit": refusal(429, "too_many_requests"),
    "a fault": refusal(500, "internal_clerk_error"),
    "nothing": lambda clerk, path: clerk.fault("GET", path, times=None, drop="before"),
}

#: Three that have little in common: an answer, one that says when, and none.
SOME: Final = ("no permission", "the limit", "nothing")

#: What each view asks before it does anything.
MEMBERSHIP: Final = "*/memberships"
ORGANIZATION: Final = f"/v1/organizations/org_{'?' * 27}"


@pytest.fixture
def ended(clerk: Emulator, subtests: Any, request: pytest.FixtureRequest) -> Callable[..., None]:
    """Send the same form again and again, while what is asked before ends in error after error.

    All of them at the first of these paths, if all is to be tried; at the others it is the place
    that matters, not the error. Nothing of it is remembered in between, and nothing is done.
    """

    clerk.configure(rate_limits=False)
    errors = ERRORS if request.node.get_closest_marker("exhaustive") else SOME

    def play(paths: Iterable[str], send: Callable[[], Any], check: Callable[[Any], None]) -> None:
        for number, path in enumerate(paths):
            for name in SOME if number else errors:
                with subtests.test(path=path, error=name):
                    forget()
                    clerk.clear_requests()
                    ERRORS[name](clerk, path)
                    response = send()
                    clerk.faults.clear()
                    assert response.status_code >= 400
                    assert not posts(clerk)
                    check(response)

    return play


@pytest.fixture
def no_database(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let the database answer nothing from now on."""

    def fail() -> None:
        def execute(*args: Any, **kwargs: Any) -> Any:
            raise OperationalError("the server closed the connection")

        for name in ("execute_sql", "has_results"):
            monkeypatch.setattr(f"django.db.models.sql.compiler.SQLCompiler.{name}", execute)
        for kind in ("Insert", "Update"):
            name = f"django.db.models.sql.compiler.SQL{kind}Compiler.execute_sql"
            monkeypatch.setattr(name, execute)

    return fail


def hidden(response: Any) -> dict[str, list[str]]:
    """The hidden fields of the only form on an answer, or in a fragment."""
    [form] = re.findall(r"<form method=\"post\".*?</form>", html_of(response))
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form):
        found.setdefault(name, []).append(value.replace("&amp;", "&"))
    found.pop("csrfmiddlewaretoken", None)
    return found


# --- Inviting ------------------------------------------------------------------------------------

TYPED: Final = {
    "role": "org:people_manager",
    "confirm_elevated": "on",
    "expires_in_days": "90",
    "no_email": "on",
    "language": "de",
    "redirect_url": "https://app.example.com/",
}


@pytest.fixture
def options(settings: Any) -> None:
    """A site where everything can be chosen."""
    settings.ORG_INVITATIONS_LANGUAGES = [("de", "German")]
    settings.ORG_INVITATIONS_REDIRECT_URLS = [("https://app.example.com/", "The app")]


@pytest.mark.parametrize("target", [PAGE, pytest.param(FORM, id="htmx")])
@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.usefixtures("options")
def test_an_invitation(
    ada: Browser, clerk: Emulator, ended: Callable[..., None], count: int, target: str | None
) -> None:
    typed = TYPED | {"email_addresses": " ".join(many(count))}
    form = filled(ada.get()) | typed

    def check(response: Any) -> None:
        again = filled(response)
        assert again | typed == again
        assert again["batch"] == form["batch"]  # nothing was begun: it is the same wish
        form.update(again)

    ended((MEMBERSHIP, ORGANIZATION), lambda: ada.post(INVITE, form, target=target), check)
    sent = ada.post(INVITE, form)
    if count > 1:
        sent = ada.post(INVITE, filled(sent))
    assert sent.status_code == 303
    rows = [row for row in clerk.invitations("acme", "pending") if row.email_address in many(count)]
    assert [row.role for row in rows] == ["org:people_manager"] * count
    assert not clerk.state.mails.keys() & {row.id for row in rows}


@pytest.mark.parametrize("target", [None, FORM], ids=["page", "htmx"])
@pytest.mark.usefixtures("options")
def test_an_invitation_where_the_database_fails(
    ada: Browser, clerk: Emulator, no_database: Callable[[], None], target: str | None
) -> None:
    typed = TYPED | {"email_addresses": many(1)[0]}
    form = filled(ada.get()) | typed
    no_database()
    response = ada.post(INVITE, form, target=target)
    assert response.status_code == 503
    assert "so nothing was done just now" in text_of(response)
    again = filled(response)
    assert again | typed == again
    assert not posts(clerk)


@pytest.mark.parametrize("target", [None, FORM], ids=["page", "htmx"])
def test_an_invitation_of_nobody_knows_whom_is_shown_and_not_read(
    ada: Browser, monkeypatch: pytest.MonkeyPatch, target: str | None
) -> None:
    form = filled(ada.get()) | {"email_addresses": "new@example.com", "role": "org:billing"}

    def identity(request: Any) -> Any:
        raise OperationalError("the server closed the connection")

    def read(*args: Any) -> Any:
        raise AssertionError("somebody who may be anybody had a text taken apart")

    monkeypatch.setattr("org_invitations.views.base.get_identity", identity)
    monkeypatch.setattr("org_invitations.forms.read_text", read)
    response = ada.post(INVITE, form, target=target)
    assert response.status_code == 503
    assert "so nothing was done just now" in text_of(response)
    if target is None:
        again = filled(response)
        assert (again["email_addresses"], again["role"]) == ("new@example.com", "org:billing")
    else:  # the form is on the page still
        assert response["HX-Retarget"] == "#org-invitations-alert"


def test_by_a_slug_that_could_not_be_looked_up(sign_in: Any, ended: Callable[..., None]) -> None:
    bo = sign_in("bo@both.test", "globex")
    url = f"{LIST}organizations/acme/"
    form = filled(bo.get(url)) | {"email_addresses": "new@example.com", "role": "org:billing"}

    def check(response: Any) -> None:
        if response.status_code == 404:
            return  # whoever may not see their own organizations belongs to none
        again = filled(response)
        assert (again["email_addresses"], again["role"]) == ("new@example.com", "org:billing")

    ended(["*/organization_memberships"], lambda: bo.post(f"{url}invite/", form), check)


# --- Sending again -------------------------------------------------------------------------------


@pytest.fixture
def row(clerk: Emulator) -> Invitation:
    """An invitation to Lee, who is to pay the bills."""
    return clerk.add_invitation("acme", LEE, role="org:billing", expires_in_days=12)


def choose(ada: Browser, url: str) -> dict[str, str]:
    """What a browser sends of the question, another role and period and no mail chosen."""
    seen = {name: values[0] for name, values in hidden(ada.get(url)).items()}
    assert seen["seen"] == "pending"
    return seen | {"role": "org:member", "expires_in_days": "90", "no_email": "on"}


def is_chosen(response: Any, sent: dict[str, str]) -> None:
    """All of it is on the answer, in a form that asks the same question."""
    form = response.context["resend_form"]
    assert not form.fields["role"].disabled
    assert '<option value="org:member" selected' in response.text
    assert '<option value="90" selected' in response.text
    assert re.search(r'name="no_email"[^>]* checked', response.text)
    kept = {name: values[0] for name, values in hidden(response).items()}
    assert {name: sent[name] for name in kept} == kept
    assert kept.keys() >= {"batch", "seen", "state", "organization"}


def test_a_form_that_a_site_makes_itself(
    ada: Browser, clerk: Emulator, row: Invitation, monkeypatch: pytest.MonkeyPatch
) -> None:
    class OwnForm(ResendForm):
        def __init__(self, *args: Any, label: str, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.fields["note"] = forms.CharField(label=label, required=False)

    def make(view: Any, snapshot: Snapshot, data: Any = None) -> ResendForm:
        return OwnForm(data, roles=snapshot.roles, label=f"For {snapshot.organization.name}")

    monkeypatch.setattr(ResendInvitationView, "get_resend_form", make)
    url = f"{LIST}{row.id}/resend/"
    sent = choose(ada, url) | {"note": "Harbour"}
    ERRORS["nothing"](clerk, "/v1/*")
    forget()
    response = ada.post(url, sent)
    assert response.status_code == 503
    is_chosen(response, sent)
    assert response.context["resend_form"]["note"].value() == "Harbour"


@pytest.mark.parametrize("name", ["resend", "change"])
@pytest.mark.parametrize("target", [PAGE, pytest.param(LISTED, id="htmx")])
def test_another_role_or_expiry(
    ada: Browser, clerk: Emulator, row: Invitation, ended: Callable[..., None],
    target: str | None, name: str,
) -> None:  # fmt: skip
    url = f"{LIST}{row.id}/{name}/"
    sent = choose(ada, url)
    ended(
        (MEMBERSHIP, ORGANIZATION, "*/invitations/orginv_*", "*_roles"),
        lambda: ada.post(url, sent, target=target),
        lambda response: is_chosen(response, sent),
    )
    assert ada.post(url, sent).status_code == 303
    [new] = [one for one in clerk.invitations("acme", "pending") if one.email_address == LEE]
    assert new.role == "org:member"


@pytest.mark.parametrize("target", [None, LISTED], ids=["page", "htmx"])
def test_another_role_or_expiry_where_the_database_fails(
    ada: Browser, clerk: Emulator, row: Invitation, no_database: Callable[[], None],
    target: str | None,
) -> None:  # fmt: skip
    url = f"{LIST}{row.id}/resend/"
    sent = choose(ada, url)
    no_database()
    response = ada.post(url, sent, target=target)
    assert response.status_code == 503
    is_chosen(response, sent)
    assert row.email_address in pending(clerk)
    assert not posts(clerk)


@pytest.mark.parametrize("target", [PAGE, pytest.param(LISTED, id="htmx")])
@pytest.mark.parametrize("button", ["finish", "leave"])
def test_what_is_half_done(
    ada: Browser, clerk: Emulator, row: Invitation, ended: Callable[..., None],
    button: str, target: str | None,
) -> None:  # fmt: skip
    url = f"{LIST}{row.id}/resend/"
    sent = choose(ada, url)
    clerk.fault("POST", "/v1/organizations/*/invitations", status=403, body={
        "errors": [{"code": "not_allowed_access", "message": "No.", "long_message": "No."}]
    })  # fmt: skip
    ada.post(url, sent)
    wish = {button: "1", "confirm_elevated": "1", "state": "q=lee"}

    def check(response: Any) -> None:
        assert hidden(response) == {name: [value] for name, value in wish.items()}
        if target is not None:
            assert response["HX-Retarget"] == f"#{DIALOG}"
            assert f'action="{url}"' in response.text

    ended([MEMBERSHIP], lambda: ada.post(url, wish, target=target), check)
    assert ada.post(url, wish).status_code == 303
    state = BatchItem.State.DONE if button == "finish" else BatchItem.State.REFUSED
    assert BatchItem.objects.get().state == state


# --- Many, and revoking --------------------------------------------------------------------------


@pytest.mark.parametrize("target", [PAGE, pytest.param(DIALOG, id="htmx")])
@pytest.mark.parametrize("action", ["revoke", "resend"])
@pytest.mark.parametrize("confirmed", [False, True])
def test_a_selection(
    ada: Browser, clerk: Emulator, ended: Callable[..., None],
    confirmed: bool, action: str, target: str | None,
) -> None:  # fmt: skip
    ids = [row.id for row in clerk.invitations("acme", "pending")][:3]
    fields: dict[str, Any] = {"action": action, "selected": ids, "state": "q=e"}
    if confirmed:
        fields = hidden(ada.post(SELECTED, fields)) | {"confirm_elevated": "1"}
    kept: dict[str, Any] = {}

    def check(response: Any) -> None:
        kept.update(hidden(response))
        assert (kept["action"], kept["selected"], kept["state"]) == ([action], ids, ["q=e"])
        assert ("confirmed" in kept) == confirmed

    paths = (MEMBERSHIP, "*/invitations")
    ended(paths, lambda: ada.post(SELECTED, fields, target=target), check)
    again = ada.post(SELECTED, kept | {"confirm_elevated": "1"})
    assert again.status_code == (303 if confirmed else 200)


def test_a_selection_where_the_database_fails(
    ada: Browser, clerk: Emulator, no_database: Callable[[], None]
) -> None:
    ids = [row.id for row in clerk.invitations("acme", "pending")][:3]
    fields = hidden(ada.post(SELECTED, {"action": "revoke", "selected": ids}))
    no_database()
    response = ada.post(SELECTED, fields)
    assert response.status_code == 503
    assert hidden(response)["selected"] == ids
    assert not posts(clerk)


def test_what_is_to_be_gone_on_with(
    ada: Browser, clerk: Emulator, ended: Callable[..., None]
) -> None:
    ids = [row.id for row in clerk.invitations("acme", "pending")][:2]
    fields = hidden(ada.post(SELECTED, {"action": "revoke", "selected": ids}))
    clerk.fault("POST", "*/revoke", times=None, status=429, headers={"Retry-After": "700"})
    assert ada.post(SELECTED, fields).status_code == 303
    clerk.faults.clear()
    wish = {"continue": "1", "batch": str(Batch.objects.get().pk)}

    def check(response: Any) -> None:
        assert hidden(response) == {name: [value] for name, value in wish.items()}

    ended([MEMBERSHIP], lambda: ada.post(SELECTED, wish), check)
    assert ada.post(SELECTED, wish).status_code == 303


@pytest.mark.parametrize("target", [PAGE, pytest.param(LISTED, id="htmx")])
def test_a_revocation(
    ada: Browser, clerk: Emulator, row: Invitation, ended: Callable[..., None],
    target: str | None,
) -> None:  # fmt: skip
    url = f"{LIST}{row.id}/revoke/"

    def check(response: Any) -> None:
        assert "The invitation was not revoked" in text_of(response)
        assert LEE not in response.text  # nobody has been let in
        assert hidden(response)["state"] == ["q=lee"]

    ended([MEMBERSHIP], lambda: ada.post(url, {"state": "q=lee"}, target=target), check)
    assert ada.post(url, {"state": "q=lee"}).status_code == 303
    assert LEE not in pending(clerk)


# --- The session, and what is only read ----------------------------------------------------------


@override_settings(CLERK_JWT_KEY="")
def test_what_was_chosen_outlives_keys_that_clerk_does_not_give(
    ada: Browser, clerk: Emulator, row: Invitation
) -> None:
    url = f"{LIST}{row.id}/resend/"
    sent = choose(ada, url)
    forget()
    from org_invitations.middleware import forget_keys

    forget_keys()
    clerk.fault("GET", "/v1/jwks", times=None, status=401, body="{}")
    response = ada.post(url, sent)
    assert response.status_code == 503
    assert "cannot read your session" in text_of(response)
    is_chosen(response, sent)


def test_the_list_says_what_it_cannot_know_without_the_database(
    ada: Browser, no_database: Callable[[], None]
) -> None:
    said = "it is not known whether an invitation that was to be sent again is half done"
    assert said not in text_of(ada.get())
    no_database()
    response = ada.get()
    assert response.status_code == 200
    assert said in text_of(response)
    assert response.context["rows"]
