"""The roles on the page, and what they may do."""

from __future__ import annotations

from .conftest import Browser, text_of


def test_the_page_says_in_words_what_each_role_on_offer_may_do(ada: Browser) -> None:
    text = text_of(ada.get())
    assert "What the roles may do" in text
    assert "See billing; Change billing; Manage invoices; Read invoices." in text


def test_it_says_so_only_of_roles_that_this_person_may_give(sign_in) -> None:
    mia = sign_in("mia@acme.test", organization="acme")
    text = text_of(mia.get())
    assert "Delete the organization" not in text
