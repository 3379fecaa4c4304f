"""What must hold with any databases; run by ``test_databases`` in a process for each of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections, router

from org_invitations.emulator import Emulator
from org_invitations.models import Batch, BatchItem
from tests.test_services import make_service
from tests.views.conftest import LIST, Browser, ada, clerk, pending, text_of
from tests.views.inviting import (
    a_file,
    filled,
    items_of,
    many,
    press,
    review_of,
    states_of,
    type_in,
)

__all__ = ["ada", "clerk"]  # fixtures

USED = [alias for alias in connections if connections[alias].vendor != "unknown"]

pytestmark = pytest.mark.django_db(transaction=True, databases=USED)


@pytest.fixture(autouse=True)
def _outside_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no call to Clerk go out while a transaction is open."""
    from org_invitations.clerk.client import ClerkClient

    request = ClerkClient._request

    def checked(client: ClerkClient, *args: Any, **kwargs: Any) -> Any:
        for connection in connections.all(initialized_only=True):
            assert not connection.in_atomic_block, f"a transaction of {connection.alias} waits"
        return request(client, *args, **kwargs)

    monkeypatch.setattr(ClerkClient, "_request", checked)


def test_the_checks_have_nothing_to_say() -> None:
    call_command("check", "org_invitations", stdout=StringIO(), stderr=StringIO())
    call_command("makemigrations", "org_invitations", check=True, dry_run=True, stdout=StringIO())


def test_the_tables_go_back_and_forth() -> None:
    database = router.db_for_write(Batch)
    call_command("migrate", "org_invitations", "zero", database=database, verbosity=0)
    call_command("migrate", "org_invitations", database=database, verbosity=0)


def test_many_are_invited_once_and_the_outcome_is_there_at_once(
    ada: Browser, clerk: Emulator
) -> None:
    review = review_of(type_in(ada, " ".join(many(3))))
    sent = press(ada, review)
    outcome = ada.get(sent["Location"])
    assert outcome.status_code == 200
    assert "3 sent" in text_of(outcome)
    before = pending(clerk)
    again = press(ada, review)
    assert again["Location"] == sent["Location"]
    assert pending(clerk) == before
    assert set(states_of(sent).values()) == {"done"}


def test_one_is_invited_once(ada: Browser, clerk: Emulator) -> None:
    form = filled(ada.get()) | {"email_addresses": "new@example.com", "role": "org:member"}
    for _ in range(2):
        response = ada.post(f"{LIST}invite/", form)
        assert (response.status_code, response["Location"]) == (303, LIST)
    assert pending(clerk).count("new@example.com") == 1
    assert Batch.objects.count() == 1


def test_a_selection_is_dealt_with_once(ada: Browser, clerk: Emulator) -> None:
    ids = [row.id for row in clerk.invitations("acme", "pending")][:2]
    for action in ("resend", "revoke"):
        if action == "revoke":
            ids = [row.id for row in clerk.invitations("acme", "pending")][:2]
        asked = ada.post(f"{LIST}selected/", {"action": action, "selected": ids})
        question = {
            "action": action,
            "selected": asked.context["ids"],
            "batch": asked.context["batch_id"],
            "confirmed": "1",
            "confirm_elevated": "on",
        }
        sent = ada.post(f"{LIST}selected/", question)
        count = Batch.objects.count()
        assert ada.get(sent["Location"]).status_code == 200
        assert ada.post(f"{LIST}selected/", question)["Location"] == sent["Location"]
        assert Batch.objects.count() == count


def test_one_is_sent_again_once(ada: Browser, clerk: Emulator) -> None:
    row = clerk.invitations("acme", "pending")[0]
    url = f"{LIST}{row.id}/resend/"
    asked = ada.get(url)
    answer = {
        "role": row.role,
        "batch": asked.context["batch_id"],
        "seen": "pending",
        "confirm_elevated": "on",
    }
    for _ in range(2):
        assert ada.post(url, answer).status_code == 303
    assert pending(clerk).count(row.email_address) == 1
    assert Batch.objects.count() == 1


def test_one_is_revoked(ada: Browser, clerk: Emulator) -> None:
    row = clerk.invitations("acme", "pending")[0]
    assert ada.post(f"{LIST}{row.id}/revoke/").status_code == 303
    assert row.email_address not in pending(clerk)


@pytest.mark.parametrize("action", ["invite", "revoke", "resend"])
def test_of_many_who_go_on_at_the_same_moment_each_item_is_done_by_one(
    ada: Browser, clerk: Emulator, action: str
) -> None:
    clerk.configure(rate_limits=False, organizations={"acme": {"max_allowed_memberships": 0}})
    addresses = many(12)
    rows = [clerk.add_invitation("acme", f"old-{address}") for address in addresses]
    items = {
        "invite": [BatchItem(email_address=address, role="org:member") for address in addresses],
        "revoke": [BatchItem(invitation_id=row.id) for row in rows],
        "resend": [
            BatchItem(replaces_id=row.id, email_address=row.email_address, role=row.role)
            for row in rows
        ],
    }[action]
    batch, _ = make_service(clerk).begin(action, items, key=None, options={})
    BatchItem.objects.update(leased_by="")  # whoever began it has stopped
    clerk.clear_requests()
    ready = threading.Barrier(4)

    def go_on() -> None:
        ready.wait()
        try:
            make_service(clerk).resume(Batch.objects.get(pk=batch.pk))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=go_on) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = list(BatchItem.objects.filter(batch=batch))
    assert [item.state for item in found] == ["done"] * 12, [(i.reason, i.params) for i in found]
    assert {(item.leased_by, item.leased_until) for item in found} == {("", None)}
    assert len({item.invitation_id for item in found}) == 12
    written = [call for call in clerk.requests if call.method == "POST"]
    assert len(written) == {"invite": 2, "revoke": 12, "resend": 24}[action]


@pytest.mark.parametrize("page", ["", "export/", "check/"])
def test_no_page_holds_a_transaction_while_clerk_is_asked(ada: Browser, page: str) -> None:
    url = f"{LIST}{page}"
    asked: Callable[[], Any] = (
        (lambda: ada.post(url, {"email_addresses": "new@example.com"}, target="x"))
        if page == "check/"
        else (lambda: ada.get(url))
    )
    assert asked().status_code == 200


def test_what_no_database_takes_is_told_and_not_a_fault(ada: Browser) -> None:
    file = a_file("Email,Role\nnew@example.com,a\x0brole\nbad\x01@example.com,\n")
    response = type_in(ada, "", file=file)
    assert response.status_code in (200, 422)
    typed = type_in(ada, "a\x00b@example.com other@example.com")
    assert typed.status_code in (200, 422), text_of(typed)


def test_all_rows_are_where_they_are_written(ada: Browser) -> None:
    items = items_of(press(ada, review_of(type_in(ada, " ".join(many(2))))))
    written = router.db_for_write(Batch)
    assert {item._state.db for item in items} == {written}
    assert BatchItem.objects.get(pk=items[0].pk).batch._state.db == written
    if "replica" in USED:
        assert not Batch.objects.using("replica").exists()
