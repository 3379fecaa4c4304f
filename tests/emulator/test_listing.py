"""Lists: what they hold, in what order, page by page."""

from __future__ import annotations

from typing import Any

import pytest

from org_invitations.emulator import Emulator


@pytest.mark.parametrize(
    ("status", "count"), [("pending", 34), ("accepted", 9), ("revoked", 7), ("expired", 12)]
)
def test_acme_has_invitations_in_all_four_states(api: Any, status: str, count: int) -> None:
    answer = api.invitations(status=status, limit=500)
    assert answer["total_count"] == count == len(answer["data"])
    assert {row["status"] for row in answer["data"]} == {status}


def test_without_a_status_all_are_listed_ten_at_a_time(api: Any) -> None:
    answer = api.invitations()
    assert (answer["total_count"], len(answer["data"])) == (62, 10)


def test_several_statuses_are_repeated(api: Any) -> None:
    answer = api.invitations(status=["revoked", "expired"])
    assert answer["total_count"] == 19


def test_pages_make_up_the_whole(api: Any) -> None:
    whole = api.invitations(status="pending", limit=500)["data"]
    pages: list[Any] = []
    for offset in range(0, 40, 10):
        pages += api.invitations(status="pending", limit=10, offset=offset)["data"]
    assert pages == whole
    beyond = api.invitations(status="pending", offset=34)
    assert beyond == {"data": [], "total_count": 34}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        ("limit", "501"),
        ("limit", "ten"),
        ("limit", ""),
        ("limit", "1.5"),
        ("offset", "-1"),
        ("offset", "x"),
        ("order_by", "name"),
        ("order_by", " created_at"),
        ("order_by", "--created_at"),
        ("status", "open"),
        ("status", "pending,revoked"),
    ],
)
def test_a_bad_parameter_is_refused_by_name(api: Any, name: str, value: str) -> None:
    path = f"/organizations/{api.acme}/invitations"
    answer = api.refused("GET", path, query={name: value})
    assert answer == (422, "form_param_value_invalid", {"param_name": name})


def test_newest_first_is_the_default(api: Any) -> None:
    times = [row["created_at"] for row in api.invitations(limit=500)["data"]]
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize("name", ["created_at", "email_address"])
def test_both_keys_go_both_ways(api: Any, name: str) -> None:
    up = [row[name] for row in api.invitations(limit=500, order_by=f"+{name}")["data"]]
    assert up == sorted(up)
    assert up == [row[name] for row in api.invitations(limit=500, order_by=name)["data"]]
    down = api.invitations(limit=500, order_by=f"-{name}")["data"]
    assert [row[name] for row in down] == up[::-1]


def test_an_address_is_found_whatever_its_case(api: Any) -> None:
    answer = api.invitations(email_address="SIOBHAN.O'Brien@lumen.example")
    assert [row["email_address"] for row in answer["data"]] == ["siobhan.o'brien@lumen.example"]
    assert api.invitations(email_address="kim+projects@lumen.example")["total_count"] == 1
    assert api.invitations(email_address="brien")["total_count"] == 0


def test_the_seed_is_worth_looking_at(api: Any, emulator: Emulator) -> None:
    rows = api.invitations(status="pending", limit=500)["data"]
    now = emulator.clock.now_ms()
    assert [row["email_address"] for row in rows if row["expires_at"] is None] == [
        "no.expiry@harbour.example"
    ]
    assert [r for r in rows if r["expires_at"] and r["expires_at"] < now + 12 * 3_600_000]
    assert len({row["role"] for row in rows}) == 4
    assert len({row["inviter_id"] for row in rows}) == 4
    assert max(len(row["email_address"]) for row in rows) > 80


def test_ids_are_the_same_at_every_start(emulator: Emulator) -> None:
    def ids(one: Emulator) -> list[str]:
        state = one.state
        named: list[Any] = [
            *state.roles.values(),
            *state.role_sets.values(),
            *state.permissions.values(),
        ]
        return [*state.users, *state.organizations, *state.invitations, *(r.id for r in named)]

    before = ids(emulator)
    assert before == ids(Emulator())
    emulator.add_user("one.more@example.com")
    emulator.reset()
    assert ids(emulator) == before
    assert all(id_.partition("_")[2].isalnum() for id_ in before)


def test_all_invitations_of_the_instance(api: Any) -> None:
    answer = api.get("/organization_invitations", limit=500)
    assert answer["total_count"] == 71
    assert {row["public_organization_data"]["slug"] for row in answer["data"]} == {
        "acme",
        "globex",
    }
    found = api.get("/organization_invitations", query="sofia.", status="pending")
    assert found["total_count"] == 2


def test_what_a_person_is_invited_to(api: Any, emulator: Emulator) -> None:
    nora = emulator.user("nora@nowhere.test")
    path = f"/users/{nora.id}/organization_invitations"
    assert api.get(path)["total_count"] == 0
    api.invite("Nora@Nowhere.test")
    [row] = api.get(path, status="pending")["data"]
    assert row["public_organization_data"]["name"] == "Acme"
    assert api.get(path, status="revoked")["total_count"] == 0
    bad = api.refused("GET", path, query={"status": "x"})
    assert bad[0] == 422
