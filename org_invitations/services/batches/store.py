"""The memory of what was set out to be done: begun once, found again, forgotten after a while.

Who has leased what is read and written here alone. Items are looked for elsewhere, too.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid5

from django.db import Error as DatabaseFault
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from ...caching import InstanceCache
from ...clerk import ClerkError, Invitation
from ...clerk.exceptions import DeadlineExceeded, RateLimited
from ...clients import get_instance
from ...conf import conf
from ...models import Batch, BatchItem
from ..database import get_alias, get_now
from ..drafts import forget_old_drafts
from ..limits import forget_old_calls
from ..preview import PreviewStatus
from ..reasons import Reason
from .engine import start_turn

logger = logging.getLogger("org_invitations")

#: What has not moved for this long is not moving any more, where calls take the usual time.
STALE_AFTER: Final = timedelta(seconds=150)

#: As many calls to Clerk one after the other are reckoned with between two marks: a write, and the
#: looks for what became of it when its answer was lost. Pauses and the pages of a very long list
#: may take longer; what is overtaken by that is noticed when it is saved.
_CALLS_AT_ONCE: Final = 5

#: Why an item stays unsettled for good: there is an invitation, and nothing tells whether it is the
#: one that the item was to make.
UNCLEAR: Final = "unclear"

#: So seldom what is old is looked for (seconds). It is not found any more before it is deleted.
_FORGET_EVERY: Final = 3600

_FIELDS: Final = (
    *("state", "reason", "params", "attempt", "retry_at", "invitation_id"),
    *("email_address", "role", "role_name"),
)


#: Why an item is not meant for the run that its batch began with: more than go in one request.
LATER: Final = str(PreviewStatus.LATER)

State = BatchItem.State

#: What whoever is at work keeps to themselves; what they know nothing of is anybody's to find out.
_LEASED: Final = (State.WAITING, State.UNDER_WAY, State.HALF_DONE)

#: Nobody knows what became of it.
DOUBTFUL: Final = (State.UNDER_WAY, State.UNSETTLED)


class LeaseLost(Exception):
    """Somebody else has gone on with it meanwhile: this process was stopped for too long."""


class Halted(Exception):
    """Somebody has paused it or cancelled the rest: nothing that was about to be sent is."""


class NotSaved(Exception):
    """The database failed after the batch had begun: Clerk knows more by now than is written down.

    Looking at the outcome finds out what became of it, once the database answers again.
    """

    def __init__(self, batch: Batch) -> None:
        """Say whose progress could not be written down."""
        self.batch = batch
        #: What this process knows of its items.
        self.items: list[BatchItem] = []
        super().__init__(f"the progress of {batch} could not be saved")


class KeyReused(Exception):
    """The id belongs to another batch: the same form was sent before, with another content."""

    def __init__(self, batch: Batch | None, instead: UUID) -> None:
        """Say what the id belongs to.

        :param batch: the other one, if it is the person's own in this organization.
        :param instead: an id for this wish, the same each time that it is wished.
        """
        self.batch = batch
        self.instead = instead
        super().__init__("the batch exists")


def get_or_create(
    batch_id: UUID,
    action: str,
    items: Sequence[BatchItem],
    *,
    organization_id: str,
    user_id: str,
    options: Mapping[str, Any],
    actor_id: str = "",
    retry_of: UUID | None = None,
    leased_by: str = "",
    in_background: bool = False,
    service: str = "",
    policy: str = "",
) -> tuple[Batch, bool]:
    """Write down what is going to be done, before any of it is.

    :param batch_id: comes with the form, so that the same form begins the same batch.
    :param actor_id: who really sits there, where the session is an impersonated one.
    :param retry_of: the batch from whose outcome it was begun, to try again what was left of it.
    :param leased_by: who is going to do it at once.
    :param in_background: whether it is left to workers.
    :param service: the dotted paths of the classes that a worker uses, as ``policy``; empty for
        those of the app and of the settings.
    :returns: the batch, and whether it is new: what is not has been done, or is being done.
    :raises KeyReused: there is a batch of this id which is not the same wish.
    :raises RuntimeError: this is called inside a transaction. What is written down would be gone if
        the process died in a call to Clerk, so nothing is begun.
    """
    fingerprint = _fingerprint(action, options, items)
    now = get_now()
    batch = Batch(
        id=batch_id,
        organization_id=organization_id,
        user_id=user_id,
        action=action,
        fingerprint=fingerprint,
        options=dict(options),
        created_at=now,
        worked_at=now,
        instance=get_instance(),
        actor_id=actor_id,
        retry_of=retry_of,
        in_background=in_background,
        service=service,
        policy=policy,
    )
    try:
        # Two requests may come at the same moment: the database decides which one it is.
        with transaction.atomic(using=get_alias(), durable=True):
            batch.save(force_insert=True)
            for number, item in enumerate(items):
                item.batch, item.number = batch, number
                if leased_by and item.state == State.WAITING and item.reason != LATER:
                    item.leased_by, item.leased_until = leased_by, now + stale_after()
            BatchItem.objects.bulk_create(items)
            if retry_of is not None and action == Batch.Action.INVITE:
                _take_over(retry_of, batch, items)
            if in_background:
                transaction.on_commit(start_turn, using=get_alias())
    except IntegrityError:
        before = find_batch(batch_id, organization_id=organization_id, user_id=user_id)
        if before is None or before.fingerprint != fingerprint:
            instead = _instead_of(batch_id, organization_id, user_id, fingerprint)
            raise KeyReused(before, instead) from None
        return before, False
    forget_now_and_then()
    return batch, True


def _take_over(before_id: UUID, batch: Batch, items: Iterable[BatchItem]) -> None:
    """Let those wait no longer in an outcome who are invited by what is begun from it."""
    owner = {"organization_id": batch.organization_id, "user_id": batch.user_id}
    before = Batch.objects.filter(pk=before_id, action=Batch.Action.INVITE, **owner)
    addresses = {item.email_address for item in items if item.state == State.WAITING}
    waiting = BatchItem.objects.filter(is_free(get_now()), batch__in=before)
    waiting.filter(state=State.WAITING, email_address__in=addresses).update(state=State.FAILED)
    note_end(Q(pk=before_id, **owner), get_now())


def find_batch(batch_id: UUID, *, organization_id: str, user_id: str) -> Batch | None:
    """Return a batch of this person in this organization; anybody else's does not exist."""
    return find_kept(pk=batch_id, organization_id=organization_id, user_id=user_id)


def find_kept(**which: Any) -> Batch | None:
    """Return the batch of which this holds, unless it is to be forgotten by now."""
    batch = Batch.objects.filter(**which).first()
    # What is not over needs no look at the database's clock.
    is_forgotten = batch and batch.finished_at and batch.finished_at < _oldest()
    return None if is_forgotten else batch


def find_begun(
    batch_id: UUID,
    action: str,
    items: Sequence[BatchItem],
    *,
    organization_id: str,
    user_id: str,
    options: Mapping[str, Any],
) -> Batch | None:
    """Return what :func:`get_or_create` has begun for the very same wish, if it has."""
    fingerprint = _fingerprint(action, options, items)
    for own_id in (batch_id, _instead_of(batch_id, organization_id, user_id, fingerprint)):
        batch = find_batch(own_id, organization_id=organization_id, user_id=user_id)
        if batch is not None and batch.fingerprint == fingerprint:
            return batch
    return None


def get_own_instances() -> tuple[str, str]:
    """Return what the batches of the instance that is asked now say of theirs.

    Of what is older than the field nobody knows it.
    """
    return "", get_instance()


def get_items(batch: Batch) -> list[BatchItem]:
    """Return the items in the order in which they were typed."""
    return list(batch.items.order_by("number"))


def find_done_since(batch: Batch, items: Iterable[BatchItem]) -> dict[int, BatchItem]:
    """Return what later batches have done of what this one has not, by the number of its item.

    Later ones are those that were begun from its outcome, or from the outcome of such a one. One
    look into the database where there is none.
    """
    later: set[UUID] = set()
    found = {batch.pk}
    while found:
        begun = Batch.objects.filter(
            retry_of__in=found,
            organization_id=batch.organization_id,
            user_id=batch.user_id,
            action=batch.action,
        )
        found = set(begun.values_list("pk", flat=True)) - later - {batch.pk}
        later |= found
    if not later:
        return {}
    done = BatchItem.objects.filter(batch__in=later, state=State.DONE)
    done = done.select_related("batch")
    by_target = {_target(item): item for item in done.order_by("batch__created_at")}
    items = list(items)
    # What was typed twice is done with the first of the two.
    own = {_target(item) for item in items if item.state == State.DONE}
    found_since: dict[int, BatchItem] = {}
    for item in items:
        # What was mistyped is done once that was sent which had been meant.
        for target in (_target(item), ("", str(item.params.get("suggestion", "")).casefold())):
            if target in by_target and target not in own:
                found_since[item.number] = by_target[target]
                break
    return found_since


def _target(item: BatchItem) -> tuple[str, str]:
    """Return whom or what an item is about, as those of another batch are about the same."""
    if item.batch.action == Batch.Action.INVITE:
        return "", item.email_address.casefold()
    return item.replaces_id or item.invitation_id, ""


def as_aware(moment: datetime) -> datetime:
    """Return a moment from the database in UTC; it is naive where ``USE_TZ`` is off."""
    aware = timezone.make_aware(moment) if timezone.is_naive(moment) else moment
    return aware.astimezone(UTC)


def stale_after() -> timedelta:
    """Return for how long an item is leased: longer than all that is done between two saves."""
    longest = _CALLS_AT_ONCE * timedelta(seconds=conf.CONNECT_TIMEOUT + conf.READ_TIMEOUT)
    return max(STALE_AFTER, longest)


def is_at_work(items: Iterable[BatchItem]) -> bool:
    """Whether somebody is at work on any of these items, as they were read."""
    now = get_now()
    return any(item.leased_by and item.leased_until and item.leased_until > now for item in items)


def is_over(item: BatchItem) -> bool:
    """Whether Clerk has done by now whatever it was going to do for an item, answered or not."""
    batch = item.batch
    until = item.leased_until or (batch.worked_at or batch.created_at) + stale_after()
    return until <= get_now()


def claim(batch: Batch, by: str, *, actor_id: str = "", at_most: int | None = None) -> int:
    """Lease what waits in a batch, unless somebody is at work on it; return how many items.

    It is one statement, and the number of rows decides: of two who press at the same moment, or of
    two workers, one gets an item. Where a lease has run out, its holder is taken to be dead.

    :param by: who is going to work on it: a name of their own, up to 32 characters.
    :param actor_id: who really sits there now, if somebody acts as the person whose batch it is; it
        is kept, also where the person began the batch themselves.
    :param at_most: so many of the first whose time has come; all unless given.
    """
    if batch.cancelled_at is not None:
        return 0
    now = get_now()
    waiting = BatchItem.objects.filter(is_free(now) | Q(leased_by=by), batch=batch)
    waiting = waiting.filter(state=State.WAITING).exclude(reason=LATER)
    if at_most is not None:
        due = waiting.filter(is_due(now)).order_by("number").values_list("pk", flat=True)
        waiting = waiting.filter(pk__in=list(due[:at_most]))
    claimed = waiting.update(leased_by=by, leased_until=now + stale_after())
    if claimed:
        acted = {"actor_id": actor_id} if actor_id else {}
        Batch.objects.filter(pk=batch.pk).update(worked_at=now, **acted)
        batch.worked_at, batch.actor_id = now, actor_id or batch.actor_id
    return claimed


def claim_half(item: BatchItem, by: str) -> bool:
    """Lease a resend that is half done, unless somebody is at work on it; read it anew.

    :returns: whether it is ours now, and half done still.
    """
    now = get_now()
    half = BatchItem.objects.filter(is_free(now), pk=item.pk, state=State.HALF_DONE)
    claimed = half.update(leased_by=by, leased_until=now + stale_after())
    item.refresh_from_db()
    return bool(claimed)


def save_progress(
    batch: Batch, items: Iterable[BatchItem], by: str = "", *, is_beginning: bool = False
) -> None:
    """Save the items as they are now, and that the batch has moved.

    :param by: who has leased them: what somebody else has taken over meanwhile is not saved, and
        all that is still leased is leased for longer. Empty where nobody is at work on them.
    :param is_beginning: whether those that are under way are sent right after this.
    :raises Halted: they are about to be sent, and it was paused, or the rest cancelled. Then none
        of them is sent, or kept as under way; what became of others is kept.
    :raises LeaseLost: something that is about to be sent is somebody else's by now. Then nothing
        of it is sent, and none is kept as under way; what became of others is kept.
    :raises NotSaved: the database does not take it.
    """
    items = list(items)
    batch.worked_at = get_now()
    until = batch.worked_at + stale_after()
    try:
        with transaction.atomic(using=get_alias()):
            lost = _renew(batch, items, by, until) if by else []
            is_lost = any(item.state == State.UNDER_WAY for item in lost)
            # After what is leased: whoever cancels takes the rows in the same order.
            is_halted = is_beginning and not _note_beginning(batch)
            stays = is_lost or is_halted
            kept = [
                item
                for item in items
                if item not in lost and not (stays and item.state == State.UNDER_WAY)
            ]
            for item in kept:
                _lease(item, by, until)
            _write(kept)
            if not is_beginning:
                batch.save(update_fields=["worked_at"])
            if not by:
                note_end(Q(pk=batch.pk), batch.worked_at)
    except DatabaseFault as error:
        raise NotSaved(batch) from error
    if is_halted:
        raise Halted(str(batch))
    if is_lost:
        raise LeaseLost(str(batch))


def release(batch: Batch, by: str) -> None:
    """Work no more on what is leased: whoever comes after a crash need not wait for its end.

    :raises NotSaved: the database does not take it.
    """
    now = get_now()
    leased = BatchItem.objects.filter(batch=batch, leased_by=by)
    try:
        with transaction.atomic(using=get_alias()):
            # Where a call was out, Clerk may be at work on it for as long as ever.
            calling = leased.filter(state=State.UNDER_WAY)
            calling.update(leased_by="", leased_until=now + stale_after())
            leased.update(leased_by="", leased_until=None)
            note_end(Q(pk=batch.pk), now)
    except DatabaseFault as error:
        raise NotSaved(batch) from error


def is_due(now: datetime) -> Q:
    """Tell which items it makes sense to try at a moment."""
    return Q(retry_at=None) | Q(retry_at__lte=now)


def is_free(now: datetime) -> Q:
    """Return what holds for items that nobody is at work on."""
    return Q(leased_by="") | Q(leased_until=None) | Q(leased_until__lte=now)


def _renew(
    batch: Batch, items: Sequence[BatchItem], by: str, until: datetime
) -> Sequence[BatchItem]:
    """Lease all that is leased for longer, and return those items that are somebody else's now."""
    leased = BatchItem.objects.filter(batch=batch, leased_by=by)
    leased.update(leased_until=until)
    ours = leased.filter(pk__in=[item.pk for item in items])
    if not items or ours.count() == len(items):
        return []
    left = set(ours.values_list("pk", flat=True))
    return [item for item in items if item.pk not in left]


def _note_beginning(batch: Batch) -> bool:
    """Note that something is about to be sent; False where it is paused, or the rest cancelled."""
    going_on = Batch.objects.filter(pk=batch.pk, cancelled_at=None)
    if conf.BACKGROUND:  # else people go on with it, whoever had paused it
        going_on = going_on.filter(paused_at=None)
    return bool(going_on.update(worked_at=batch.worked_at))


def _write(items: Sequence[BatchItem]) -> None:
    """Write the items as they are now.

    What is alike in all of them, as all of a single one is, goes as one value: with a case for each
    item and field, Django would be at work on the statement for a millisecond an item.
    """
    if not items:
        return
    values = {
        name: [getattr(item, name) for item in items]
        for name in (*_FIELDS, "leased_by", "leased_until")
    }
    alike = {name: of[0] for name, of in values.items() if all(one == of[0] for one in of)}
    different = [name for name in values if name not in alike]
    BatchItem.objects.filter(pk__in=[item.pk for item in items]).update(**alike)
    if different:
        BatchItem.objects.bulk_update(items, different)


def _lease(item: BatchItem, by: str, until: datetime) -> None:
    """Let an item say whose it is from now on, by what is known of it."""
    is_ours = bool(by) and item.state in _LEASED
    item.leased_by = by if is_ours else ""
    item.leased_until = until if is_ours or item.state in DOUBTFUL else None


def save_found(item: BatchItem, before: str) -> None:
    """Save what was found out about an item, unless somebody has gone on with it meanwhile.

    :param before: the state that it was in when Clerk was asked.
    """
    values = {name: getattr(item, name) for name in _FIELDS} | {"leased_by": ""}
    untouched = BatchItem.objects.filter(is_free(get_now()), pk=item.pk, state=before)
    with transaction.atomic(using=get_alias()):
        if untouched.update(**values):
            if item.state in BatchItem.OPEN:  # it was taken to be over
                Batch.objects.filter(pk=item.batch_id).update(finished_at=None)
            note_end(Q(pk=item.batch_id), get_now())
            return
    item.refresh_from_db(fields=[*_FIELDS, "leased_by", "leased_until"])


def find_taken(invitation_ids: Iterable[str]) -> set[str]:
    """Return those of these invitations that are known to have been made for some item."""
    found = BatchItem.objects.filter(invitation_id__in=set(invitation_ids))
    made = found.exclude(batch__action=Batch.Action.REVOKE)
    return set(made.values_list("invitation_id", flat=True))


def get_mark(item: BatchItem) -> str:
    """Return the mark of an item, which its invitation carries: 32 hexadecimal digits.

    It is made of the batch's id and the item's number. Empty where
    ``ORG_INVITATIONS_MARK_INVITATIONS`` is off.
    """
    if not conf.MARK_INVITATIONS:
        return ""
    return uuid5(item.batch_id, f"org_invitations {item.number}").hex


def record(
    item: BatchItem,
    state: str,
    reason: Reason | None = None,
    *,
    error: ClerkError | None = None,
    invitation: Invitation | None = None,
    invitation_id: str = "",
) -> BatchItem:
    """Let an item say what became of it; it is not saved by that.

    What waits for Clerk's limit says when it may go, where Clerk has told that.

    :param reason: why; what the error says, unless given.
    :param invitation: the one that was made or revoked, or that stands in the way.
    """
    if reason is None and error is not None:
        reason = Reason.of_error(error, invitation)
    item.error, item.invitation = error, invitation
    item.state = state
    item.reason = reason.name if reason else ""
    item.params = dict(reason.params) if reason else {}
    if invitation is not None and state == State.DONE:
        invitation_id = invitation_id or invitation.id
    item.invitation_id = invitation_id or item.invitation_id
    seconds = item.params.get("retry_after") if state == State.WAITING else None
    item.retry_at = None if seconds is None else get_now() + timedelta(seconds=seconds)
    return item


def state_after(error: ClerkError) -> BatchItem.State:
    """Return what becomes of an item for which Clerk has done nothing, and this is why."""
    if isinstance(error, (RateLimited, DeadlineExceeded)):
        # Neither Clerk's limit nor the time of the request is a fault of its own.
        return State.WAITING
    return State.REFUSED if error.is_final else State.FAILED


def refuse(item: BatchItem, error: ClerkError, invitation: Invitation | None = None) -> BatchItem:
    """Let an item say why nothing was done about it; it is not saved by that.

    :param invitation: as Clerk has it, where that is known.
    """
    return record(item, state_after(error), error=error, invitation=invitation)


def cancel(batch: Batch, items: Iterable[BatchItem]) -> None:
    """Let what waits wait no longer: it has failed, for the reason that it waited for.

    What somebody has taken up is left to them.

    :raises NotSaved: the database does not take it.
    """
    now = get_now()
    waiting = [item for item in items if item.state == State.WAITING]
    free = BatchItem.objects.filter(is_free(now), pk__in=[item.pk for item in waiting])
    try:
        with transaction.atomic(using=get_alias()):
            cancelled = free.filter(state=State.WAITING).update(state=State.FAILED)
            note_end(Q(pk=batch.pk), now)
    except DatabaseFault as error:
        raise NotSaved(batch) from error
    for item in waiting:
        if cancelled == len(waiting):
            item.state = State.FAILED
        else:
            item.refresh_from_db(fields=[*_FIELDS, "leased_by", "leased_until"])


def forget_now_and_then() -> None:
    """Clear up, once an hour: whoever has just pressed a button waits for it, and so do workers."""
    if InstanceCache().add("batches:forgotten", _FORGET_EVERY):
        forget_old_batches()


def forget_old_batches() -> None:
    """Delete what was over ``ORG_INVITATIONS_KEEP_DAYS`` ago: it has addresses of people in it.

    What is not over is never deleted: somebody may still be invited by it, or lack an invitation.
    """
    try:
        # Where the process died after the last of it, nobody has noted the end.
        note_end(Q(worked_at__lt=get_now() - stale_after()), F("worked_at"))
        Batch.objects.filter(~_still_open(), finished_at__lt=_oldest()).delete()
        forget_old_calls()
        forget_old_drafts()
    except DatabaseFault:
        # What was just begun must go on; the next one clears up.
        logger.warning("Old outcomes could not be deleted.", exc_info=True)


def note_end(which: Q, moment: Any) -> None:
    """Note when batches were over, of those of which nothing is open any more."""
    Batch.objects.filter(which, ~_still_open(), finished_at=None).update(finished_at=moment)


def _still_open() -> Exists:
    left = BatchItem.objects.filter(batch=OuterRef("pk"), state__in=BatchItem.OPEN)
    return Exists(left.exclude(reason=UNCLEAR))


def _oldest() -> datetime:
    return get_now() - timedelta(days=conf.KEEP_DAYS)


def _instead_of(batch_id: UUID, organization_id: str, user_id: str, fingerprint: str) -> UUID:
    return uuid5(batch_id, f"{organization_id} {user_id} {fingerprint}")


def _fingerprint(action: str, options: Mapping[str, Any], items: Sequence[BatchItem]) -> str:
    what = [
        (item.text, item.email_address, item.role, item.replaces_id, item.invitation_id)
        for item in items
    ]
    text = json.dumps([action, dict(options), what], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
