"""The mark of an invitation: beside the site's own metadata, and taken off again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from org_invitations.clerk import InvitationRequest
from org_invitations.clerk.marks import (
    KEY,
    MAX_METADATA_BYTES,
    add_mark,
    get_mark,
    without_mark,
)
from org_invitations.clerk.resources import Invitation

MARK = "0123456789abcdef" * 2


def request(**changes: Any) -> InvitationRequest:
    return InvitationRequest("a@example.com", "org:member", "user_a", mark=MARK, **changes)


def test_the_mark_is_beside_what_the_site_keeps_there() -> None:
    own = {"cost": 7}
    marked = add_mark(own, MARK)
    assert marked == {"cost": 7, KEY: MARK}
    assert own == {"cost": 7}
    assert get_mark(marked) == MARK
    assert without_mark(marked) == own


def test_a_membership_is_rid_of_the_mark_and_of_nothing_else() -> None:
    assert without_mark({KEY: MARK, "team": "blue"}) == {"team": "blue"}
    assert without_mark({"team": "blue"}) == {"team": "blue"}
    assert without_mark({}) == {}


def test_what_a_site_keeps_under_the_key_is_the_sites(subtests: pytest.Subtests) -> None:
    for value in ["", "mine", MARK.upper(), MARK + "0", 7, None, {"a": MARK}]:
        with subtests.test(value=value):
            own = {KEY: value}
            assert get_mark(own) == ""
            assert without_mark(own) == own
            assert add_mark(own, MARK) == own


def test_without_a_mark_the_metadata_is_as_it_was() -> None:
    assert add_mark({"cost": 7}, "") == {"cost": 7}
    assert add_mark(None, "") is None


def test_where_the_sites_metadata_leaves_no_room_the_mark_is_left_out(
    subtests: pytest.Subtests,
) -> None:
    for public in [False, True]:
        for over in [0, 1]:
            with subtests.test(over=over, public=public):
                rest = len(json.dumps({KEY: MARK, "own": ""})) + (
                    len(json.dumps({"p": "xx"})) if public else 2
                )
                own = {"own": "x" * (MAX_METADATA_BYTES - rest + over)}
                asked = request(
                    private_metadata=own, public_metadata={"p": "xx"} if public else None
                )
                sent = asked.as_json()["private_metadata"]
                assert asked.sent_mark == ("" if over else MARK)
                assert get_mark(sent) == asked.sent_mark
                assert without_mark(sent) == own


def test_umlauts_count_as_what_they_may_take() -> None:
    own = {"own": "ä" * (MAX_METADATA_BYTES // 3)}
    assert request(private_metadata=own).sent_mark == ""


def test_a_request_is_compared_by_the_sites_own_metadata() -> None:
    asked = request(private_metadata={"cost": 7})
    assert asked.private_metadata == {"cost": 7}
    assert asked.as_json()["private_metadata"] == {"cost": 7, KEY: MARK}
    assert MARK not in repr(asked)


def test_an_invitation_tells_its_mark_apart_from_the_sites_metadata(
    subtests: pytest.Subtests,
) -> None:
    cases: list[Any] = [
        ({"private_metadata": {KEY: MARK, "cost": 7}}, MARK, {"cost": 7}),
        ({"private_metadata": {"cost": 7}}, "", {"cost": 7}),
        ({"private_metadata": {}}, "", {}),
        ({"private_metadata": None}, None, {}),
        ({}, None, {}),
    ]
    for metadata, mark, own in cases:
        with subtests.test(metadata=metadata, mark=mark, own=own):
            invitation = Invitation.parse({"id": "orginv_1", **metadata})
            assert (invitation.mark, invitation.private_metadata) == (mark, own)
            assert MARK not in repr(invitation)
