"""The site's own database fails: before anything was sent, after it, and when it is only read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError
from django.db.models.sql.compiler import SQLUpdateCompiler

from org_invitations.emulator import Emulator
from org_invitations.models import Batch, BatchItem
from org_invitations.services.batches import store
from tests.leases import let_go

from .conftest import INVITE, LIST, Browser, pending, text_of
from .inviting import BULK, filled, many, press, review_of, type_in

FAULTS = [OperationalError("the server closed the connection"), InterfaceError("it is closed")]
HTMX = "org-invitations-form"


class Database:
    """Fails where it is told to."""

    def __init__(self, patch: pytest.MonkeyPatch, fault: Exception) -> None:
        self.patch, self.fault = patch, fault

    def fail_after(self, clerk: Emulator, method: str = "POST") -> None:
        """Take nothing any more once something was sent to Clerk."""
        update = SQLUpdateCompiler.execute_sql

        def execute(compiler: SQLUpdateCompiler, *args: Any) -> Any:
            has_sent = any(call.method == method for call in clerk.requests)
            if has_sent and compiler.query.model is BatchItem:
                raise self.fault
            return update(compiler, *args)

        self.patch.setattr(SQLUpdateCompiler, "execute_sql", execute)

    def fail(self) -> None:
        """Answer nothing."""

        def execute(*args: Any, **kwargs: Any) -> Any:
            raise self.fault

        for name in ("execute_sql", "has_results"):
            self.patch.setattr(f"django.db.models.sql.compiler.SQLCompiler.{name}", execute)
        self.patch.setattr("django.db.models.sql.compiler.SQLInsertCompiler.execute_sql", execute)

    def mend(self) -> None:
        self.patch.undo()


@pytest.fixture(params=FAULTS, ids=["operational", "interface"])
def database(request: pytest.FixtureRequest) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        yield Database(patch, request.param)


def is_told(response: Any, words: str) -> None:
    assert response.status_code == 503
    assert words in text_of(response)
    assert "no-store" in response["Cache-Control"]


def test_one_that_was_sent_is_said_to_be_sent(
    ada: Browser, clerk: Emulator, database: Database
) -> None:
    form = filled(ada.get()) | {"email_addresses": "new@example.com", "role": "org:member"}
    clerk.clear_requests()
    database.fail_after(clerk)
    sent = ada.post(INVITE, form, target=HTMX)
    assert "Invitation sent to new@example.com" in text_of(sent)
    database.mend()
    assert Batch.objects.get().items.get().state == BatchItem.State.UNDER_WAY
    again = ada.post(INVITE, form, target=HTMX)
    assert pending(clerk).count("new@example.com") == 1
    assert again.status_code == 200


def test_one_that_was_refused_is_said_to_be_refused(
    ada: Browser, clerk: Emulator, database: Database
) -> None:
    address = pending(clerk)[0]
    form = filled(ada.get()) | {"email_addresses": address, "role": "org:member"}
    clerk.clear_requests()
    database.fail_after(clerk)
    response = ada.post(INVITE, form, target=HTMX)
    assert response.status_code == 422
    assert f"{address} was invited on" in text_of(response)


@pytest.mark.parametrize("target", [None, HTMX])
def test_of_many_it_is_said_what_is_known_of_each_and_the_outcome_finds_out_the_rest(
    ada: Browser, clerk: Emulator, database: Database, target: str | None
) -> None:
    clerk.configure(blocked_domains=["blocked.example"])
    review = review_of(type_in(ada, " ".join([*many(11), "x@blocked.example"])))
    clerk.clear_requests()
    database.fail_after(clerk)
    sent = press(ada, review, target=target)
    database.mend()
    is_told(sent, "The database of this site failed after something was sent to Clerk")
    known = {
        row.name: section.name
        for section in sent.context["outcome"].sections
        for row in section.rows
    }
    assert known == dict.fromkeys(many(10), "done") | {
        "person10@example.com": "waiting",
        "x@blocked.example": "waiting",
    }
    assert "10 sent" in text_of(sent)
    url = sent.context["outcome_url"]
    assert f'href="{url}"' in sent.text
    assert len(set(pending(clerk)) & set(many(11))) == 10
    let_go()  # nobody could write that down either
    assert ada.get(url).context["outcome"].sentences[0] == "10 sent"


def test_of_a_selection_it_is_said_as_well(
    ada: Browser, clerk: Emulator, database: Database
) -> None:
    ids = [row.id for row in clerk.invitations("acme", "pending")][:2]
    asked = ada.post(f"{LIST}selected/", {"action": "revoke", "selected": ids})
    question = {"action": "revoke", "selected": ids, "confirmed": "1"}
    clerk.clear_requests()
    database.fail_after(clerk)
    sent = ada.post(f"{LIST}selected/", question | {"batch": asked.context["batch_id"]})
    is_told(sent, "2 revoked")
    database.mend()
    let_go()
    assert "2 revoked" in text_of(ada.get(sent.context["outcome_url"]))


def test_of_a_resend_it_is_said_that_it_is_half_done(
    ada: Browser, clerk: Emulator, database: Database
) -> None:
    row = clerk.invitations("acme", "pending")[0]
    url = f"{LIST}{row.id}/resend/"
    batch = ada.get(url).context["batch_id"]
    clerk.clear_requests()
    database.fail_after(clerk)
    answer = {"role": row.role, "batch": batch, "seen": "pending", "confirm_elevated": "on"}
    sent = ada.post(url, answer)
    is_told(sent, "The old invitation was revoked, but the new one could not be sent.")
    assert sent.context["outcome_url"] == f"{LIST}outcomes/{batch}/"
    database.mend()
    let_go()
    assert ada.get(sent.context["outcome_url"]).status_code == 200


@pytest.mark.parametrize(
    "send",
    [
        lambda ada, form: ada.post(INVITE, form),
        lambda ada, form: ada.post(INVITE, form, target=HTMX),
    ],
)
def test_where_nothing_could_be_begun_nothing_is_sent_and_that_is_said(
    ada: Browser, clerk: Emulator, database: Database, send: Callable[..., Any]
) -> None:
    form = filled(ada.get()) | {"email_addresses": "new@example.com", "role": "org:member"}
    before = pending(clerk)
    database.fail()
    response = send(ada, form)
    is_told(response, "so nothing was done just now")
    assert pending(clerk) == before
    if "HX-Retarget" not in response:
        assert "new@example.com</textarea>" in response.text


def test_an_outcome_that_cannot_be_read_says_so_and_can_be_loaded_again(
    ada: Browser, database: Database
) -> None:
    sent = press(ada, review_of(type_in(ada, " ".join(many(2)))))
    database.fail()
    is_told(ada.get(sent["Location"]), "Reload it in a moment")
    database.mend()
    assert "2 sent" in text_of(ada.get(sent["Location"]))


def test_the_list_needs_no_database_and_what_cannot_be_written_down_is_not_begun(
    ada: Browser, clerk: Emulator, database: Database
) -> None:
    row = ada.get().context["page"].invitations[0]
    database.fail()
    assert row.email_address in ada.get().text
    clerk.clear_requests()
    refused = ada.post(f"{LIST}{row.id}/revoke/", target="org-invitations-list")
    is_told(refused, "nothing was done just now")
    assert not [call for call in clerk.requests if call.method == "POST"]
    database.mend()
    done = ada.post(f"{LIST}{row.id}/revoke/", target="org-invitations-list")
    assert f"Invitation to {row.email_address} revoked." in text_of(done)


def test_a_revocation_that_cannot_be_written_down_is_answered_all_the_same(
    ada: Browser, clerk: Emulator, database: Database
) -> None:
    row = ada.get().context["page"].invitations[0]
    clerk.clear_requests()
    database.fail_after(clerk)
    done = ada.post(f"{LIST}{row.id}/revoke/", target="org-invitations-list")
    assert f"Invitation to {row.email_address} revoked." in text_of(done)


def test_a_site_without_the_outcome_is_told_what_is_not_known(
    ada: Browser, clerk: Emulator, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    from org_invitations.views import InviteView

    find = InviteView._find_url
    monkeypatch.setattr(
        InviteView,
        "_find_url",
        lambda view, name, **more: "" if name == "outcome" else find(view, name, **more),
    )
    review = review_of(type_in(ada, " ".join(many(2))))
    clerk.clear_requests()
    clerk.fault("POST", BULK, drop="after")
    clerk.fault("GET", "*/invitations", times=None, status=500)
    database.fail_after(clerk)
    is_told(press(ada, review), "we do not know what became of it")


def test_what_cannot_be_saved_names_the_batch() -> None:
    batch = Batch(action="invite")
    assert store.NotSaved(batch).batch is batch
