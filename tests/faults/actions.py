"""The actions: everything that who manages members can do on the pages, as they do it.

Each prepares what it needs, and lets the fault strike one thing that the person does: a page that
is opened or a form that is sent, with the redirects after it. Some go on after that, since what
was said is only shown to be wrong by what happens next. An action says what was typed and wished;
whether that came about, and what was said of it, is the judge's business.
"""

from __future__ import annotations

from typing import Final

from django.conf import settings

from org_invitations.emulator import EmulatorRequest

from .browser import Answer
from .pages import Form, Page
from .registry import action
from .scene import (
    CHECK_TARGET,
    DIALOG_TARGET,
    FORM_TARGET,
    LIST,
    LIST_TARGET,
    Scene,
    Wish,
)
from .world import ACME

NEW: Final = "new.person@fabrikam.example"
OTHERS: Final = ("one@fabrikam.example", "two@fabrikam.example", "three@fabrikam.example")
#: Invited long ago, as it is seeded; and a member.
INVITED: Final = "anna.virtanen@lumen.example"
BILLING: Final = "samuel.adeyemi@contoso.example"
ALSO_INVITED: Final = ("ruth.goldberg@harbour.example", "peter.vandermeer@contoso.example")
REVOKED: Final = "wrong.address@nrothwind.example"
MEMBER: Final = "priya.raman@acme.test"


def _has_list(page: Page) -> bool:
    return bool(page.rows) or "org-invitations-empty" in page.classes


def _has_form(page: Page) -> bool:
    return any("/re" in form.action or "/selected/" in form.action for form in page.forms)


def _has_check(page: Page) -> bool:
    return bool(page.rows)


def _has_link(page: Page) -> bool:
    return "org-invitations-link" in page.ids


def _has_choices(page: Page) -> bool:
    return any("/organizations/" in link for link in page.links)


# --- Looking ------------------------------------------------------------------------------------


@action("list", shows=_has_list)
def see_list(scene: Scene) -> None:
    with scene.strike():
        scene.get(LIST, LIST_TARGET)


@action("list, once warm", shows=_has_list)
def see_warm_list(scene: Scene) -> None:
    scene.open()
    with scene.strike():
        scene.get(f"{LIST}?q=lumen&sort=-role&page=2", LIST_TARGET)


@action("list of revoked", shows=_has_list)
def see_revoked(scene: Scene) -> None:
    with scene.strike():
        scene.get(f"{LIST}?status=revoked", LIST_TARGET)


@action("list by slug", htmx=False, shows=_has_list)
def see_list_by_slug(scene: Scene) -> None:
    # Somebody for whom another organization is active, so that the slug has to be looked up.
    bo = scene.browser("bo@both.test", organization="globex")
    with scene.strike():
        scene.get(f"{LIST}organizations/acme/", browser=bo)


@action("export", htmx=False)
def export(scene: Scene) -> None:
    scene.open()
    with scene.strike():
        scene.get(f"{LIST}export/?status=pending")


@action("copy link", shows=_has_link)
def copy_link(scene: Scene) -> None:
    scene.open()
    scene.wishes.append(Wish("see", INVITED, target=scene.invitation_of(INVITED)))
    with scene.strike():
        scene.get(f"{LIST}{scene.invitation_of(INVITED)}/link/", DIALOG_TARGET)


@action("resend: the question", shows=_has_form)
def see_resend(scene: Scene) -> None:
    with scene.strike():
        scene.get(f"{LIST}{scene.invitation_of(INVITED)}/resend/", DIALOG_TARGET)


@action("revoke: the question", shows=_has_form)
def see_revoke(scene: Scene) -> None:
    with scene.strike():
        scene.get(f"{LIST}{scene.invitation_of(INVITED)}/revoke/", DIALOG_TARGET)


@action("chooser", htmx=False, shows=_has_choices)
def choose(scene: Scene) -> None:
    bo = scene.browser("bo@both.test", organization=None)
    with scene.strike():
        scene.get(LIST, browser=bo)


# --- Checking -----------------------------------------------------------------------------------


def _check(scene: Scene, text: str, *addresses: str) -> None:
    form = scene.open().page.form("invite/")
    scene.wishes += [Wish("check", address) for address in addresses]
    typed = scene.type(email_addresses=text, role="org:member")
    with scene.strike():
        scene.submit(form, typed, CHECK_TARGET, path=f"{LIST}check/")


@action("check one", shows=_has_check)
def check_one(scene: Scene) -> None:
    _check(scene, INVITED, INVITED)


@action("check many", shows=_has_check)
def check_many(scene: Scene) -> None:
    _check(scene, f"{NEW}, {INVITED}\n{MEMBER}", NEW, INVITED, MEMBER)


# --- Inviting -----------------------------------------------------------------------------------


def _invite(
    scene: Scene, form: Form, address: str, *, target: str = FORM_TARGET, **more: str
) -> Answer:
    typed = scene.type(email_addresses=address, **{"role": "org:member", **more})
    return scene.submit(form, typed, target)


@action("invite one")
def invite_one(scene: Scene) -> None:
    form = scene.open().page.form("invite/")
    scene.wishes.append(Wish("invite", NEW))
    with scene.strike():
        _invite(scene, form, NEW)


@action("invite one without a mail")
def invite_one_silently(scene: Scene) -> None:
    form = scene.open().page.form("invite/")
    scene.wishes.append(Wish("invite", NEW, role="org:billing", mail=False))
    with scene.strike():
        _invite(scene, form, NEW, role="org:billing", no_email="on", expires_in_days="7")


@action("invite one who is invited")
def invite_invited(scene: Scene) -> None:
    form = scene.open().page.form("invite/")
    scene.wishes.append(Wish("invite", INVITED))
    with scene.strike():
        _invite(scene, form, INVITED)


@action("invite one who is a member")
def invite_member(scene: Scene) -> None:
    form = scene.open().page.form("invite/")
    scene.wishes.append(Wish("invite", MEMBER))
    with scene.strike():
        _invite(scene, form, MEMBER)


@action("invite one, again with a mail")
def invite_one_again(scene: Scene) -> None:
    first = scene.open().page.form("invite/")
    scene.ada.submit(first, {"email_addresses": NEW, "role": "org:member", "no_email": "on"})
    form = scene.open().page.form("invite/")
    scene.wishes.append(Wish("invite", NEW))
    with scene.strike():
        _invite(scene, form, NEW, expires_in_days="90")


@action("invite one, press again")
def invite_one_twice(scene: Scene) -> None:
    form = scene.open().page.form("invite/")
    scene.wishes.append(Wish("invite", NEW))
    with scene.strike():
        _invite(scene, form, NEW)
    _invite(scene, form, NEW)


def _review(scene: Scene, text: str, **more: str) -> tuple[Form, dict[str, str]]:
    """Let many addresses be checked, as it is asked before they are sent."""
    form = scene.open().page.form("invite/")
    typed = {"email_addresses": text, "role": "org:member", **more}
    answer = scene.ada.submit(form, dict(typed))
    return answer.page.form("invite/"), typed


@action("invite many: the check", shows=_has_check)
def review_many(scene: Scene) -> None:
    form = scene.open().page.form("invite/")
    scene.wishes += [Wish("check", address) for address in (*OTHERS, INVITED)]
    typed = scene.type(email_addresses=", ".join((*OTHERS, INVITED)), role="org:member")
    with scene.strike():
        scene.submit(form, typed, FORM_TARGET)


@action("invite many")
def invite_many(scene: Scene) -> None:
    form, typed = _review(scene, "\n".join(OTHERS))
    scene.wishes += [Wish("invite", address) for address in OTHERS]
    with scene.strike():
        scene.submit(form, scene.type(**typed), FORM_TARGET)


@action("invite many, some of whom cannot be")
def invite_mixed(scene: Scene) -> None:
    new = [f"person{number}@fabrikam.example" for number in range(11)]
    form, typed = _review(scene, "\n".join(new))
    # Between the check and the sending one of them is invited, and one joins.
    scene.somebody_else_invites(new[3], "org:billing")
    scene.world.clerk.add_user(new[5], "Nia", "West")
    scene.world.clerk.add_member(ACME, new[5])
    scene.wishes += [Wish("invite", address) for address in new]
    with scene.strike():
        scene.submit(form, scene.type(**typed), FORM_TARGET)


@action("invite many, again with a mail")
def invite_many_again(scene: Scene) -> None:
    form, typed = _review(scene, "\n".join(OTHERS), no_email="on")
    second, again = _review(scene, "\n".join(OTHERS), expires_in_days="90")
    scene.ada.submit(form, dict(typed))
    scene.wishes += [Wish("invite", address) for address in OTHERS]
    with scene.strike():
        scene.submit(second, scene.type(**again), FORM_TARGET)


@action("invite many, press again")
def invite_many_twice(scene: Scene) -> None:
    form, typed = _review(scene, "\n".join(OTHERS))
    scene.wishes += [Wish("invite", address) for address in OTHERS]
    with scene.strike():
        scene.submit(form, scene.type(**typed), FORM_TARGET)
    scene.submit(form, dict(typed), FORM_TARGET)


@action("retry what failed", htmx=False)
def retry(scene: Scene) -> None:
    """Send the form that an outcome offers, which has been checked."""
    form, typed = _review(scene, "\n".join(OTHERS))
    scene.world.clerk.fault("POST", "*/invitations/bulk", status=500, body="<h1>No</h1>")
    answer = scene.ada.submit(form, dict(typed))
    retried = answer.page.form("invite/")
    scene.wishes += [Wish("invite", address) for address in OTHERS]
    scene.typed = {"email_addresses": retried.values("email_addresses")}
    with scene.strike():
        scene.submit(retried)


# --- Sending again ------------------------------------------------------------------------------


def _question(scene: Scene, address: str, path: str = "resend", status: str = "pending") -> Form:
    invitation_id = scene.invitation_of(address, status)
    return scene.open(f"{LIST}{invitation_id}/{path}/").page.form(f"/{path}/")


@action("resend")
def resend(scene: Scene) -> None:
    form = _question(scene, INVITED)
    scene.wishes.append(Wish("resend", INVITED, target=scene.invitation_of(INVITED)))
    with scene.strike():
        scene.submit(form, scene.type(role="org:member"), LIST_TARGET)


@action("change")
def change(scene: Scene) -> None:
    form = _question(scene, BILLING, "change")
    target = scene.invitation_of(BILLING)
    scene.wishes.append(Wish("resend", BILLING, mail=False, target=target))
    typed = scene.type(role="org:member", expires_in_days="90", no_email="on")
    with scene.strike():
        scene.submit(form, typed, LIST_TARGET)


@action("invite again who was revoked")
def resend_revoked(scene: Scene) -> None:
    form = _question(scene, REVOKED, status="revoked")
    target = scene.invitation_of(REVOKED, "revoked")
    scene.wishes.append(Wish("resend", REVOKED, target=target))
    with scene.strike():
        scene.submit(form, scene.type(role="org:member"), LIST_TARGET)


def _find_unfinished(scene: Scene, answer: Answer) -> Form | None:
    """The form that offers to finish a resend or to leave it, if the page has it."""
    for form in answer.page.forms:
        if any(c.name == "finish" for c in form.controls):
            return form
    return None


def _resend_then(scene: Scene, button: str) -> None:
    resend(scene)
    listed = scene.get(LIST)
    form = _find_unfinished(scene, listed)
    if form is not None:
        if button == "leave":
            scene.wishes = [Wish("leave", INVITED, target=scene.wishes[0].target)]
        scene.typed = {}
        scene.submit(form, {button: "1", "confirm_elevated": "1"}, LIST_TARGET)


@action("resend, then leave what is half done")
def resend_then_leave(scene: Scene) -> None:
    _resend_then(scene, "leave")


@action("resend, then finish what is half done")
def resend_then_finish(scene: Scene) -> None:
    _resend_then(scene, "finish")


@action("resend, then somebody else invites")
def resend_then_other(scene: Scene) -> None:
    resend(scene)
    scene.somebody_else_invites(INVITED, "org:billing")
    scene.get(LIST)


@action("resend, press again")
def resend_twice(scene: Scene) -> None:
    form = _question(scene, INVITED)
    scene.wishes.append(Wish("resend", INVITED, target=scene.invitation_of(INVITED)))
    with scene.strike():
        scene.submit(form, scene.type(role="org:member"), LIST_TARGET)
    scene.submit(form, {"role": "org:member"}, LIST_TARGET)


def _half_done(scene: Scene) -> Form | None:
    """A resend of which only the first half worked, and the form that offers the rest."""
    form = _question(scene, INVITED)
    scene.world.clerk.fault(
        "POST",
        "*/invitations",
        status=403,
        body={"errors": [{"code": "not_allowed_access", "message": "No.", "long_message": "No."}]},
    )
    scene.ada.submit(form, {"role": "org:member"})
    scene.world.clerk.faults.clear()
    return _find_unfinished(scene, scene.open())


def _finish(scene: Scene, button: str, wish: str) -> None:
    target = scene.invitation_of(INVITED)
    form = _half_done(scene)
    if form is None:
        raise LookupError("nothing is offered to finish")
    scene.wishes.append(Wish(wish, INVITED, target=target))
    with scene.strike():
        scene.submit(form, {button: "1", "confirm_elevated": "1"}, LIST_TARGET)


@action("finish")
def finish(scene: Scene) -> None:
    _finish(scene, "finish", "resend")


@action("leave")
def leave(scene: Scene) -> None:
    _finish(scene, "leave", "leave")


# --- Revoking, and many at once -----------------------------------------------------------------


@action("revoke one")
def revoke_one(scene: Scene) -> None:
    form = _question(scene, INVITED, "revoke")
    scene.wishes.append(Wish("revoke", INVITED, target=scene.invitation_of(INVITED)))
    with scene.strike():
        scene.submit(form, None, LIST_TARGET)


def _select(scene: Scene, what: str) -> tuple[Form, list[str]]:
    """Select some in the list, and get the question whether to do it."""
    ids = [scene.invitation_of(address) for address in (INVITED, *ALSO_INVITED)]
    form = scene.open().page.form("selected/")
    asked = scene.ada.submit(form, {"selected": list(ids), "action": what})
    return asked.page.form("selected/"), ids


@action("many: the question", shows=_has_form)
def see_selection(scene: Scene) -> None:
    form = scene.open().page.form("selected/")
    ids = [scene.invitation_of(address) for address in (INVITED, *ALSO_INVITED)]
    typed = scene.type(selected=ids, action="resend")
    with scene.strike():
        scene.submit(form, typed, DIALOG_TARGET)


@action("revoke many")
def revoke_many(scene: Scene) -> None:
    form, ids = _select(scene, "revoke")
    scene.typed = {"selected": ids}
    scene.wishes += [Wish("revoke", scene.address_of(i), target=i) for i in ids]
    with scene.strike():
        scene.submit(form, None, DIALOG_TARGET)


@action("resend many")
def resend_many(scene: Scene) -> None:
    form, ids = _select(scene, "resend")
    scene.typed = {"selected": ids}
    scene.wishes += [Wish("resend", scene.address_of(i), target=i) for i in ids]
    with scene.strike():
        scene.submit(form, None, DIALOG_TARGET)


@action("resend many, then go on", htmx=False)
def resend_many_and_go_on(scene: Scene) -> None:
    form, ids = _select(scene, "resend")
    # The first create is told to wait, so the batch stops and offers to go on.
    body = {"errors": [{"code": "too_many_requests", "message": "x", "long_message": "x"}]}
    scene.world.clerk.fault("GET", f"*/invitations/{ids[1]}", times=None, status=429, body=body)
    stopped = scene.ada.submit(form)
    scene.world.clerk.faults.clear()
    go_on = stopped.page.form("selected/")
    scene.wishes += [Wish("resend", scene.address_of(i), target=i) for i in ids[1:]]
    with scene.strike():
        scene.submit(go_on, {"continue": "1"})


# --- Afterwards ---------------------------------------------------------------------------------


def _lost_batch(scene: Scene) -> str:
    """The path of the outcome of a batch of which nobody knows what became of it."""
    form, typed = _review(scene, "\n".join(OTHERS))
    scene.world.clerk.fault("POST", "*/invitations/bulk", drop="after")
    scene.world.clerk.fault("GET", "*/invitations", times=None, status=500, body="<h1>No</h1>")
    scene.ada.submit(form, dict(typed))
    scene.world.clerk.faults.clear()
    [batch_id] = {item.batch_id for item in scene.world.items()}
    return f"{LIST}outcomes/{batch_id}/"


@action("outcome", htmx=False)
def outcome(scene: Scene) -> None:
    path = _lost_batch(scene)
    with scene.strike():
        scene.get(path)


@action("outcome as a file", htmx=False)
def outcome_file(scene: Scene) -> None:
    path = _lost_batch(scene)
    with scene.strike():
        scene.get(f"{path}?format=csv")


# --- The session --------------------------------------------------------------------------------


def _return_from_handshake(scene: Scene) -> str:
    """The path with which Clerk sends a browser back, a nonce in it."""
    scene.ada = scene.browser(issued_ago=3600)
    cookies = scene.ada.cookies
    scene.ada.cookies = {name: cookies[name] for name in cookies if "refresh" not in name}
    location = scene.ada.get(LIST).header("location") or ""
    back = scene.world.clerk.handle(EmulatorRequest("GET", location))
    url = back.header("location") or ""
    if "__clerk_handshake" not in url:
        raise LookupError("Clerk sent the browser back with nothing")
    return url.removeprefix(scene.world.site)


@action("renewal by a handshake", htmx=False)
def renew_by_handshake(scene: Scene) -> None:
    path = _return_from_handshake(scene)
    with scene.strike():
        scene.get(path)


@action("renewal by a refresh", htmx=False)
def renew_by_refresh(scene: Scene) -> None:
    scene.ada = scene.browser(issued_ago=3600)
    with scene.strike():
        scene.get(LIST)


@action("session ended while typing")
def send_signed_out(scene: Scene) -> None:
    form = scene.open().page.form("invite/")
    csrf = scene.ada.cookies.get("csrftoken", "")
    scene.ada = scene.browser(issued_ago=3600)
    scene.ada.cookies["csrftoken"] = csrf
    typed = scene.type(email_addresses=NEW, role="org:billing", no_email="on")
    with scene.strike():
        scene.submit(form, typed, FORM_TARGET)


@action("keys from Clerk", htmx=False)
def fetch_keys(scene: Scene) -> None:
    settings.CLERK_JWT_KEY = ""
    with scene.strike():
        scene.get(LIST)
