"""The URLs for people who are invited: ``include("org_invitations.join_urls")``.

They are public, and ``ORG_INVITATIONS_JOIN_URL`` says where they are mounted.
"""

from __future__ import annotations

from typing import Final

from django.urls import URLPattern, path, register_converter

from .converters import JoinValueConverter
from .views.join import JoinEntryView, JoinOnwardView, JoinView
from .views.mine import MyInvitationsView

register_converter(JoinValueConverter, "clerk_join_value")

app_name = "org_invitations_join"

_VALUE: Final = "<clerk_join_value:value>/"

urlpatterns: list[URLPattern] = [
    path("", JoinEntryView.as_view(), name="entry"),
    path("mine/", MyInvitationsView.as_view(), name="mine"),
    path(_VALUE, JoinEntryView.as_view(), name="link"),
    path(f"{_VALUE}invitation/", JoinView.as_view(), name="invitation"),
    path(f"{_VALUE}on/", JoinOnwardView.as_view(), name="onward"),
]
