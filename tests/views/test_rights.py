"""Who loses the right in the midst of many gets no further, and is told how far they got."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from org_invitations.emulator import Emulator, EmulatorRequest, EmulatorResponse
from org_invitations.models import Batch, BatchItem

from .conftest import Browser, pending, text_of
from .inviting import BULK, many, press, review_of, states_of, type_in

State = BatchItem.State

SELECTED = "/invitations/selected/"
REVOKE = "*/revoke"
CREATE = "/v1/organizations/*/invitations"


@pytest.fixture
def ids(clerk: Emulator) -> list[str]:
    return [clerk.add_invitation("acme", address, notify=False).id for address in many(20)]


def set_rights(clerk: Emulator, **rights: Any) -> None:
    """Change what Ada is and may, in Clerk itself."""
    clerk.configure(memberships=[{"organization": "acme", "user": "ada@acme.test", **rights}])


def after_writes(
    clerk: Emulator, monkeypatch: pytest.MonkeyPatch, count: int, happen: Callable[[], Any]
) -> None:
    """Let something happen once so many writes have been answered."""
    handle, seen = clerk.handle, []

    def watch(request: EmulatorRequest, **more: Any) -> EmulatorResponse:
        answer = handle(request, **more)
        if request.method == "POST":
            seen.append(request)
            if len(seen) == count:
                happen()
        return answer

    monkeypatch.setattr(clerk, "handle", watch)


def select(ids: list[str], action: str) -> dict[str, Any]:
    confirmed = {"confirmed": "1", "confirm_elevated": "on", "batch": str(uuid4())}
    return {"action": action, "selected": ids, **confirmed}


def states() -> list[str]:
    return list(BatchItem.objects.order_by("number").values_list("state", flat=True))


def reasons() -> set[str]:
    return set(BatchItem.objects.exclude(state=State.DONE).values_list("reason", flat=True))


def counts(clerk: Emulator, part: str, method: str = "GET") -> int:
    return sum(call.method == method and part in call.path for call in clerk.requests)


def living(clerk: Emulator) -> int:
    return len(set(many(60)) & set(pending(clerk)))


@pytest.fixture
def free(clerk: Emulator) -> None:
    """Acme has seats without limit."""
    clerk.configure(organizations={"acme": {"max_allowed_memberships": 0}})


# --- Invitations ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("free")
def test_who_may_not_invite_any_more_invites_nobody_else(
    ada: Browser, clerk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = review_of(type_in(ada, " ".join(many(21))))
    after_writes(clerk, monkeypatch, 1, lambda: set_rights(clerk, permissions=["org:x:y"]))
    response = press(ada, checked)
    assert counts(clerk, "/bulk", "POST") == 1
    assert living(clerk) == 10
    assert states() == [State.DONE] * 10 + [State.REFUSED] * 11
    assert reasons() == {"PermissionDenied"}
    assert response.status_code == 403
    words = text_of(response)
    assert "you lost the right to manage the members" in words
    assert "Done before that: 10 of 21." in words


@pytest.mark.usefixtures("free")
def test_a_role_that_may_not_be_given_any_more_is_not_and_the_others_are(
    ada: Browser, clerk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [
        f"{a},{'org:admin' if n % 2 else 'org:people_manager'}" for n, a in enumerate(many(20))
    ]
    # The form asks for the tick, and with it shows what was checked.
    checked = type_in(ada, "\n".join(["Email,Role", *lines]))
    after_writes(clerk, monkeypatch, 1, lambda: set_rights(clerk, role="org:people_manager"))
    sent = press(ada, checked, confirm_elevated="on")
    found = list(states_of(sent).values())
    assert found[:10] == [State.DONE] * 10
    assert found[10:] == [State.DONE, State.REFUSED] * 5
    assert reasons() == {"role-not-granted"}
    admins = [row for row in clerk.invitations("acme", "pending") if row.role == "org:admin"]
    assert len({row.email_address for row in admins} & set(many(20))) == 5
    assert "You cannot give the role" in text_of(ada.get(sent["Location"])) or (
        "You cannot give this role" in text_of(ada.get(sent["Location"]))
    )


@pytest.mark.usefixtures("free")
@pytest.mark.parametrize(
    "fault",
    [{"drop": "before"}, pytest.param({"status": 500}, marks=pytest.mark.exhaustive),
     {"status": 429}],
)  # fmt: skip
def test_where_nobody_can_tell_the_rest_waits(
    ada: Browser, clerk: Emulator, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any]
) -> None:
    checked = review_of(type_in(ada, " ".join(many(21))))

    def lose() -> None:
        clerk.fault("GET", "*/memberships", times=None, **fault)

    after_writes(clerk, monkeypatch, 1, lose)
    sent = press(ada, checked)
    assert list(states_of(sent).values()) == [State.DONE] * 10 + [State.WAITING] * 11
    assert living(clerk) == 10


@pytest.mark.usefixtures("free")
@pytest.mark.parametrize(("count", "asked"), [(2, 1), (10, 1), (11, 2), (31, 4)])
def test_it_costs_a_call_for_every_one_but_the_first(
    ada: Browser, clerk: Emulator, count: int, asked: int
) -> None:
    checked = review_of(type_in(ada, " ".join(many(count))))
    clerk.clear_requests()
    press(ada, checked)
    own = [call for call in clerk.requests if "user_id" in dict(call.query)]
    assert len(own) == asked
    assert living(clerk) == count


def test_halves_of_a_refused_call_are_calls_too(
    ada: Browser, clerk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that Clerk refuses is divided; between its parts the right may go as well."""
    clerk.configure(organizations={"acme": {"max_allowed_memberships": 0}})
    checked = review_of(type_in(ada, " ".join(many(10))))
    clerk.fault("POST", BULK, status=400, body={"errors": [{"code": "form_param_invalid"}]})
    after_writes(clerk, monkeypatch, 1, lambda: set_rights(clerk, permissions=["org:x:y"]))
    press(ada, checked)
    assert counts(clerk, "/bulk", "POST") == 1
    assert living(clerk) == 0
    assert set(states()) == {State.REFUSED}


# --- Resends --------------------------------------------------------------------------------------


def test_who_may_not_any_more_takes_nothing_back(
    ada: Browser, clerk: Emulator, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = select(ids[:5], "resend")
    after_writes(clerk, monkeypatch, 4, lambda: set_rights(clerk, permissions=["org:x:y"]))
    response = ada.post(SELECTED, fields)
    assert states() == [State.DONE] * 2 + [State.REFUSED] * 3
    assert reasons() == {"PermissionDenied"}
    assert living(clerk) == 20
    assert counts(clerk, "/revoke", "POST") == 2
    assert "Done before that: 2 of 5." in text_of(response)


def test_a_resend_gives_no_role_that_may_not_be_given_any_more(
    ada: Browser, clerk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    roles = ("org:people_manager", "org:admin", "org:people_manager")
    rows = [
        clerk.add_invitation("acme", address, role=role, notify=False)
        for address, role in zip(many(3), roles, strict=True)
    ]
    fields = select([row.id for row in rows], "resend")
    after_writes(clerk, monkeypatch, 2, lambda: set_rights(clerk, role="org:people_manager"))
    ada.post(SELECTED, fields)
    assert states() == [State.DONE, State.REFUSED, State.DONE]
    assert reasons() == {"role-not-granted"}
    assert rows[1].state != "revoked"


def test_the_second_half_after_a_pause_is_asked_about_too(
    ada: Browser, clerk: Emulator, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = select(ids[:2], "resend")

    def sleep(_seconds: float) -> None:
        set_rights(clerk, permissions=["org:x:y"])

    monkeypatch.setattr("org_invitations.services.batches.runner.time.sleep", sleep)
    clerk.fault("POST", CREATE, status=429, headers={"Retry-After": "2"})
    ada.post(SELECTED, fields)
    assert states() == [State.HALF_DONE, State.REFUSED]
    assert reasons() == {"PermissionDenied"}
    assert counts(clerk, "/invitations", "POST") == 2  # the revocation, and what was limited


def test_a_resend_costs_one_call_more_but_the_first(
    ada: Browser, clerk: Emulator, ids: list[str]
) -> None:
    ada.warm()
    fields = select(ids[:3], "resend")
    ada.post(SELECTED, fields)
    assert states() == [State.DONE] * 3
    assert counts(clerk, "/memberships") == 3  # with the one that the request itself makes


# --- Revocations ----------------------------------------------------------------------------------


def test_who_may_not_any_more_revokes_nothing_else(
    ada: Browser, clerk: Emulator, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = select(ids, "revoke")
    after_writes(clerk, monkeypatch, 8, lambda: set_rights(clerk, permissions=["org:x:y"]))
    response = ada.post(SELECTED, fields)
    assert states() == [State.DONE] * 8 + [State.REFUSED] * 12
    assert living(clerk) == 12
    assert "Done before that: 8 of 20." in text_of(response)


def test_revocations_cost_a_call_for_eight(ada: Browser, clerk: Emulator, ids: list[str]) -> None:
    ada.warm()
    ada.post(SELECTED, select(ids, "revoke"))
    assert states() == [State.DONE] * 20
    assert counts(clerk, "/memberships") == 3


def test_where_nobody_can_tell_the_other_revocations_wait(
    ada: Browser, clerk: Emulator, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    after_writes(
        clerk, monkeypatch, 8, lambda: clerk.fault("GET", "*/memberships", times=None, status=500)
    )
    ada.post(SELECTED, select(ids, "revoke"))
    assert states() == [State.DONE] * 8 + [State.WAITING] * 12
    assert living(clerk) == 12


# --- Where Clerk itself says so -------------------------------------------------------------------


def before_writes(
    clerk: Emulator, monkeypatch: pytest.MonkeyPatch, count: int, happen: Callable[[], Any]
) -> None:
    """Let something happen when so many writes have come and the last is not answered yet."""
    handle, seen = clerk.handle, []

    def watch(request: EmulatorRequest, **more: Any) -> EmulatorResponse:
        if request.method == "POST":
            seen.append(request)
            if len(seen) == count:
                happen()
        return handle(request, **more)

    monkeypatch.setattr(clerk, "handle", watch)


@pytest.mark.parametrize(
    ("action", "writes", "done"), [("invite", 2, 10), ("resend", 5, 2), ("revoke", 9, 8)]
)
@pytest.mark.usefixtures("free")
def test_it_is_told_alike_where_clerk_itself_says_so(
    ada: Browser,
    clerk: Emulator,
    ids: list[str],
    monkeypatch: pytest.MonkeyPatch,
    action: str,
    writes: int,
    done: int,
) -> None:
    def lose() -> None:
        set_rights(clerk, permissions=["org:x:y"])

    if action == "invite":
        checked = review_of(type_in(ada, " ".join(many(40)[20:])))
        before_writes(clerk, monkeypatch, writes, lose)
        response = press(ada, checked)
    else:
        before_writes(clerk, monkeypatch, writes, lose)
        response = ada.post(SELECTED, select(ids, action))
    assert reasons() <= {"PermissionDenied"}
    assert states().count(State.DONE) == done
    assert response.status_code == 403
    assert f"Done before that: {done} of 20." in text_of(response)


@pytest.mark.parametrize("action", ["invite", "resend", "revoke"])
@pytest.mark.usefixtures("free")
def test_who_lost_it_before_the_first_call_is_refused_all_of_it(
    ada: Browser, clerk: Emulator, ids: list[str], monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    checked = review_of(type_in(ada, " ".join(many(23)[20:])))
    handle = clerk.handle

    def watch(request: EmulatorRequest, **more: Any) -> EmulatorResponse:
        if Batch.objects.exists():  # what was begun is written down
            set_rights(clerk, permissions=["org:x:y"])
        return handle(request, **more)

    monkeypatch.setattr(clerk, "handle", watch)
    monkeypatch.setattr("org_invitations.services.snapshot._CHECK_SECONDS", 0)  # it took long
    response = (
        press(ada, checked) if action == "invite" else ada.post(SELECTED, select(ids[:3], action))
    )
    assert states() == [State.REFUSED] * 3
    assert reasons() == {"PermissionDenied"}
    assert response.status_code == 403
    assert "You may no longer manage the members" in text_of(response)


@pytest.mark.usefixtures("free")
def test_who_may_all_the_same_sees_what_became_of_it(ada: Browser, clerk: Emulator) -> None:
    checked = review_of(type_in(ada, " ".join(many(20))))
    body = {"errors": [{"code": "missing_organization_permission"}]}
    clerk.fault("POST", BULK, status=403, body=body)
    sent = press(ada, checked)
    assert set(states_of(sent).values()) == {State.REFUSED}
    assert ada.get(sent["Location"]).status_code == 200
