"""Text of Clerk's that no page, no database and no log line would take as it is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from org_invitations.clerk.errors import error_from_response
from org_invitations.clerk.text import decode_json, one_line


def test_half_of_a_surrogate_pair_and_nul_are_replaced_wherever_they_are() -> None:
    raw = rb'{"a\ud800": ["x\udfffy", {"b": "\u0000"}], "c": "\ud83d\ude00", "d": 1}'
    assert decode_json(raw) == {"a\ufffd": ["x\ufffdy", {"b": "\ufffd"}], "c": "😀", "d": 1}
    assert decode_json(b'"\xed\xa0\x80"').encode()  # a surrogate that is not escaped


@given(
    st.recursive(st.text() | st.integers(), lambda x: st.lists(x) | st.dictionaries(st.text(), x))
)
def test_whatever_it_holds_can_be_sent(value: object) -> None:
    found = decode_json(json.dumps(value).encode())
    text = json.dumps(found, ensure_ascii=False)
    assert text.encode()
    assert "\\u0000" not in text
    if "\\u0000" not in json.dumps(value):
        assert found == value


def test_what_is_nested_too_deeply_is_not_json() -> None:
    with pytest.raises((RecursionError, ValueError)):
        decode_json(b"[" * 200_000)


FORGED = "x\r\nERROR root: all is lost\u2028\x1b[31m\u202e"


def test_no_code_of_clerks_forges_a_log_line() -> None:
    body = {
        "errors": [{"code": FORGED, "meta": {"param_name": FORGED}}],
        "clerk_trace_id": FORGED * 100,
    }
    text = str(error_from_response(422, body, ray=FORGED))
    assert text.isprintable()
    assert len(text.splitlines()) == 1
    assert len(text) < 1000
    assert error_from_response(422, body).args[0].isprintable()


@given(st.text())
def test_a_line_is_one_printable_line(text: str) -> None:
    assert one_line(text).isprintable()
    if text.isprintable() and len(text) <= 200:
        assert one_line(text) == text
