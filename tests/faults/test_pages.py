"""Pages, read as a person reads them."""

from __future__ import annotations

import pytest

from .pages import Page

FORM = """
<form method="post" action="/invitations/invite/?page=2">
  <input type="hidden" name="batch" value="7">
  <textarea name="email_addresses">
a@example.com</textarea>
  <select name="role"><option value="x">X</option><option value="y" selected>Y</option></select>
  <input type="checkbox" name="no_email"><input type="checkbox" name="sure" checked>
  <input type="file" name="file">
  <button type="submit" name="go" value="1">Go</button>
</form>"""


def test_a_form_is_sent_as_it_stands() -> None:
    form = Page(FORM).form("invite/")
    assert form.data({}) == [
        ("batch", "7"),
        ("email_addresses", "a@example.com"),
        ("role", "y"),
        ("sure", "on"),
    ]


def test_fields_are_filled_in_ticked_and_left_out() -> None:
    data = (
        Page(FORM)
        .form("invite/")
        .data(
            {"email_addresses": "b@example.com", "no_email": "on", "sure": None, "more": ["1", "2"]}
        )
    )
    assert sorted(data) == [
        ("batch", "7"),
        ("email_addresses", "b@example.com"),
        ("more", "1"),
        ("more", "2"),
        ("no_email", "on"),
        ("role", "y"),
    ]


def test_a_form_that_is_not_there_is_a_mistake() -> None:
    with pytest.raises(LookupError):
        Page(FORM).form("revoke/")


def test_what_is_told_is_told_once(subtests: pytest.Subtests) -> None:
    for html in [
        '<div role="alert">Told.</div>',
        '<div role="status"><p>Told.</p></div>',
        '<p class="x org-invitations-notice">Told.</p>',
        '<div class="org-invitations-summary"><p class="org-invitations-notice">Told.</p></div>',
        '<div class="org-invitations-narrow"><div><h1>Sorry</h1><p>Told.</p></div></div>',
    ]:
        with subtests.test(html=html):
            assert Page(html).notices == ["Told."]


def test_what_is_only_there_is_not_told() -> None:
    assert Page('<div role="alert"></div><p>Told.</p><script>Told.</script>').notices == []


def test_words_are_those_that_are_read() -> None:
    page = Page("<p>The <b>one</b></p><p>other<br>word</p><style>x</style>")
    assert page.text == "The one other word"


def test_the_rows_of_a_table_come_with_what_it_is_called() -> None:
    page = Page(
        "<table><caption>Sent <span>2</span></caption><thead><tr><th>Who</th></tr></thead>"
        "<tbody><tr><th>a</th><td>b</td></tr></tbody></table>"
    )
    assert [(row.caption, row.cells) for row in page.rows] == [("Sent", ("a", "b"))]
