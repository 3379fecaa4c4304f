"""See, invite, send again, revoke: the invitations of an organization, as one person may."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final
from uuid import UUID, uuid4

from django.dispatch import Signal

from ..addresses import Entry
from ..clerk import (
    ClerkClient,
    ClerkError,
    Invitation,
    InvitationRequest,
    InvitationStatus,
    PublicUserData,
)
from ..clerk import exceptions as exc
from ..clerk.exceptions import PermissionDenied
from ..clerk.organizations import BULK_SIZE
from ..clients import get_instance
from ..conf import conf
from ..models import Batch, BatchItem, Draft
from ..roles import AssignableRoles, GrantPolicy, get_grant_policy
from ..signals import invitation_created, invitation_revoked
from .batches.background import (
    cancel_rest,
    get_ours,
    goes_to_workers,
    is_left_to_workers,
    pause,
    unpause,
)
from .batches.counts import Counts, count_items
from .batches.invite import NO_METADATA, InviteWorker
from .batches.invite import make_request as make_invite_request
from .batches.reconcile import (
    LEFT,
    OTHER_INVITATION,
    Attempt,
    may_change,
    reconcile,
    reconcile_batch,
)
from .batches.resend import (
    Replacer,
    ResendWorker,
    check_before,
    create_for_sure,
    find_pending_of,
    make_request,
)
from .batches.revoke import RevokeWorker, revoke_for_sure
from .batches.runner import Progress, Runner, Worker
from .batches.store import (
    KeyReused,
    LeaseLost,
    NotSaved,
    cancel,
    claim,
    claim_half,
    find_batch,
    find_begun,
    find_kept,
    get_items,
    get_or_create,
    get_own_instances,
    is_at_work,
    record,
    save_progress,
    state_after,
)
from .batches.unfinished import (
    MAX_UNFINISHED,
    UnfinishedBatches,
    find_unsure,
    is_unsure,
    look_after,
)
from .drafts import change_draft, find_drafts, keep_draft
from .exceptions import NotPermitted, RoleNotGranted
from .limits import Ledger, Seats
from .listing import MAX_FOUND, STATUSES, InvitationPage, InvitationQuery, fetch_all
from .paths import get_path
from .pending import changes_pending
from .preview import DEFAULT_LIMIT, Preview, preview_entries
from .reasons import Reason
from .selection import SelectedInvitation, evaluate, find_selected
from .snapshot import Snapshot, SnapshotReader

logger = logging.getLogger("org_invitations")

State = BatchItem.State

#: How many invitations can be left to workers at once.
MAX_IN_BACKGROUND: Final = 10_000


class InvitationService:
    """The invitations of one organization, as one person may handle them."""

    #: How many invitations one request sends at most.
    max_invitations: int = DEFAULT_LIMIT
    #: Who really sits there, where somebody acts as the person; it is kept with what is begun.
    actor_id: str = ""
    #: Whether nobody waits for what it does.
    is_worker: bool = False

    def __init__(self, client: ClerkClient, *, organization_id: str, user_id: str) -> None:
        """Serve a person in an organization: ``user_...`` in ``org_...``."""
        self.organization_id = organization_id
        self.user_id = user_id
        self.reader = SnapshotReader(client, organization_id=organization_id, user_id=user_id)
        self.api = self.reader.api
        #: As whom it claims what it works on.
        self.lease_name = uuid4().hex
        self.cache = self.reader.cache

    # --- Reading --------------------------------------------------------------------------

    def open(
        self,
        *,
        query: InvitationQuery | None = None,
        invitation_id: str | None = None,
        fresh: bool = False,
        roles: bool = True,
        seats: bool = False,
    ) -> Snapshot:
        """Check the permission and return what a page needs, in as few rounds as can be.

        See :meth:`.SnapshotReader.open`.

        :param query: also return this page of the list of invitations, and the seats.
        :param invitation_id: also return this invitation.
        :param fresh: ask Clerk for the membership whatever is remembered: before a write.
        :param roles: False leaves the roles out: whoever revokes needs none.
        :param seats: also return the seats, counted anew, where the organization has a limit.
        :raises NotMember: the person does not belong to the organization.
        :raises NotPermitted: the person may not manage members here.
        :raises ClerkError: the permission, the organization or the invitation could not be had.
        """
        return self.reader.open(
            query=query, invitation_id=invitation_id, fresh=fresh, roles=roles, seats=seats
        )

    def with_list(self, snapshot: Snapshot, query: InvitationQuery) -> Snapshot:
        """Return the snapshot with this page of the list, and the seats, as they are now.

        Where there are fewer pages it is the last one: the only row of a page may have gone.
        """
        return self.reader.with_list(snapshot, query)

    def find_all(self, query: InvitationQuery, limit: int = MAX_FOUND) -> tuple[Invitation, ...]:
        """Return all invitations that a query asks for, of all pages, in its order.

        Up to 500 of a status take one call, 10 000 take 20.

        :param limit: how many may match.
        :raises NotPermitted: :meth:`open` has not let the person in.
        :raises TooManyInvitations: more match, or there are more than 10 000 of the status.
        :raises ClerkError: not all of them could be had.
        """
        self.reader.require_open()
        return fetch_all(self.api, query, limit)

    def find_invitation(self, invitation_id: str) -> Invitation | None:
        """Return an invitation of this organization, or None where it cannot be had.

        :raises NotPermitted: :meth:`open` has not let the person in.
        """
        self.reader.require_open()
        try:
            return self.api.get_invitation(invitation_id)
        except ClerkError:
            return None

    def get_roles(self) -> AssignableRoles:
        """Return the roles the person may grant here, for a form of the site's own.

        :raises NotPermitted: the person may not manage members here.
        :raises ClerkError: the roles could not be had.
        """
        return self.reader.get_roles()

    def remembered_roles(self) -> AssignableRoles | None:
        """Return the roles without asking Clerk: for a form that could not be sent just now.

        None unless the person was found to manage members within the last minute.
        """
        return self.reader.remembered_roles()

    def forget_membership(self) -> None:
        """Ask Clerk about the person again, whatever is remembered."""
        self.reader.forget_membership()

    @property
    def policy(self) -> GrantPolicy:
        """The rule of who may give which role; a site may set another one."""
        return self.reader.policy

    @policy.setter
    def policy(self, policy: GrantPolicy) -> None:
        self.reader.policy = policy

    @property
    def has_written(self) -> bool:
        """Whether this service has sent anything to Clerk that would change something."""
        return self.api.has_written

    @property
    def was_denied(self) -> bool:
        """Whether the person turned out, in the midst of a batch, to manage the members no more."""
        return self.reader.was_denied

    @property
    def limit(self) -> int:
        """How many invitations one form can be for; what is over that waits for another press."""
        return MAX_IN_BACKGROUND if conf.BACKGROUND else self.max_invitations

    # --- Many --------------------------------------------------------------------------------

    def preview(
        self,
        snapshot: Snapshot,
        entries: Iterable[Entry],
        role: str,
        *,
        as_typed: Collection[str] | None = None,
    ) -> Preview:
        """Return what would become of each entry, without inviting anybody.

        :param snapshot: of :meth:`open`, with the seats if they are to count.
        :param role: the key of the role of those that name none of their own.
        :param as_typed: the addresses that are meant although they look like a slip; the others
            that do are held back. None holds back nobody.
        :raises NotPermitted: :meth:`open` has not let the person in.
        """
        self.reader.require_open()
        return preview_entries(
            entries,
            role=role,
            roles=snapshot.roles,
            api=self.api,
            user_id=self.user_id,
            seats=snapshot.seats,
            limit=self.limit,
            as_typed=as_typed,
        )

    # --- Drafts -------------------------------------------------------------------------------

    def keep_draft(
        self, key: UUID | None, text: str, count: int, fields: Mapping[str, Sequence[str]]
    ) -> UUID:
        """Keep many addresses that were checked and are not sent yet, for a day.

        :param key: comes with the form: the same form with the same content keeps one draft, and
            none once that was begun under the draft's id.
        :param text: the addresses, as the form's text field has them.
        :param count: how many pieces that is.
        :param fields: what else was chosen in the form, as it was posted.
        :returns: the draft's id.
        :raises NotPermitted: :meth:`open` has not let the person in.
        """
        self.reader.require_open()
        return keep_draft(
            key,
            organization_id=self.organization_id,
            user_id=self.user_id,
            text=text,
            count=count,
            fields=fields,
        )

    def change_draft(
        self, draft: Draft, text: str, count: int, fields: Mapping[str, Sequence[str]]
    ) -> bool:
        """Keep a draft of :meth:`find_draft` as it was changed, for a day from now.

        :returns: False where it was sent, discarded or changed since it was read, and so is not
            kept like that.
        :raises NotPermitted: :meth:`open` has not let the person in.
        """
        self.reader.require_open()
        return change_draft(draft, text=text, count=count, fields=fields)

    def get_drafts(self) -> list[Draft]:
        """Return what the person has checked here and not sent, newest first, without its text.

        :raises NotPermitted: :meth:`open` has not let the person in.
        """
        self.reader.require_open()
        return list(find_drafts(self.organization_id, self.user_id).defer("text"))

    def find_draft(self, draft_id: UUID) -> Draft | None:
        """Return a draft of this person in this organization; anybody else's does not exist.

        :raises NotPermitted: :meth:`open` has not let the person in.
        """
        self.reader.require_open()
        return find_drafts(self.organization_id, self.user_id).filter(pk=draft_id).first()

    # --- Batches: begin, run, resume ----------------------------------------------------------

    def begin(
        self,
        action: str,
        items: Sequence[BatchItem],
        *,
        key: UUID | None,
        options: Mapping[str, Any],
        retry_of: UUID | None = None,
        at_once: bool | None = None,
    ) -> tuple[Batch, bool]:
        """Write down what is going to be done, before any of it is.

        The same form that comes twice begins once. One that comes with another content is another
        wish, and gets an id of its own, the same each time.

        :param action: one of :class:`.Batch.Action`.
        :param items: what is to be done: those that wait, and those that are refused already.
        :param key: comes with the form, so that the same form begins the same batch; None for what
            nobody can send a second time.
        :param options: what holds for all items; JSON-able, kept with the batch.
        :param retry_of: the batch from whose outcome it is begun.
        :param at_once: whether this service runs it right after; False leaves it to another process
            to resume it, or to workers where there are any (``ORG_INVITATIONS_BACKGROUND``). Unless
            given, workers get what takes more than one call of ten.
        :returns: the batch, and whether it is new: what is not has been done, or is being done.
        :raises RuntimeError: this is called inside a transaction.
        :raises ImproperlyConfigured: it is for workers, and they would not find the class of this
            service, or of its policy, by its dotted path.
        """
        if at_once is None:
            waiting = [item for item in items if item.state == State.WAITING]
            at_once = not goes_to_workers(len(waiting))
        more: dict[str, Any] = {
            "retry_of": retry_of,
            "actor_id": self.actor_id,
            "leased_by": self.lease_name if at_once else "",
        }
        if conf.BACKGROUND and not at_once:
            more |= {
                "in_background": True,
                "service": get_path(type(self), InvitationService),
                "policy": get_path(type(self.policy), type(get_grant_policy())),
            }
        wish = self._get_wish(action, items, options)
        try:
            return get_or_create(key or uuid4(), **more, **wish)
        except KeyReused as reused:
            return get_or_create(reused.instead, **more, **wish)

    def find_begun(
        self,
        action: str,
        items: Sequence[BatchItem],
        *,
        key: UUID | None,
        options: Mapping[str, Any],
    ) -> Batch | None:
        """Return what :meth:`begin` has begun for the very same wish, if it has."""
        return find_begun(key, **self._get_wish(action, items, options)) if key else None

    def find_batch(self, batch_id: UUID) -> Batch | None:
        """Return a batch of this person in this organization; anybody else's does not exist."""
        batch = find_batch(batch_id, organization_id=self.organization_id, user_id=self.user_id)
        return batch if batch is not None and self._is_here(batch) else None

    def _is_here(self, batch: Batch) -> bool:
        """Whether a batch is of this organization, in the instance that is asked now."""
        is_of_instance = batch.instance in get_own_instances()
        return is_of_instance and batch.organization_id == self.organization_id

    def _require_here(self, batch: Batch) -> None:
        """Raise :exc:`ValueError` unless a batch is of this organization, whoever began it."""
        if not self._is_here(batch):
            raise ValueError(f"{batch} is not of this organization")

    def _require_own(self, batch: Batch) -> None:
        """Raise :exc:`ValueError` unless a batch is this person's in this organization."""
        if not self._is_here(batch) or batch.user_id != self.user_id:
            raise ValueError(f"{batch} is not of this person in this organization")

    def _get_wish(
        self, action: str, items: Sequence[BatchItem], options: Mapping[str, Any]
    ) -> dict[str, Any]:
        return {
            "action": action,
            "items": items,
            "organization_id": self.organization_id,
            "user_id": self.user_id,
            "options": options,
        }

    @changes_pending
    def run(self, batch: Batch) -> list[BatchItem]:
        """Do what waits in a batch; each item says what became of it.

        All that is needed is in its rows, so any process may do it. The permission is asked for
        afresh, and for invitations the roles. Nothing is done twice, not even where an answer was
        lost. Where Clerk cannot be asked, all of it waits; a refusal is what became of all of it.
        What is left to workers waits for them.

        :param batch: of :meth:`begin` or :meth:`find_batch`.
        :returns: the items of the batch.
        :raises ValueError: the batch is another person's, organization's or instance's.
        :raises NotPermitted: the person may not manage members; what waited is refused.
        :raises NotSaved: the database does not take what became of them.
        """
        self._require_own(batch)
        if is_left_to_workers(batch):
            return get_items(batch)
        items, claimed = self._claim(batch)
        if not claimed:  # nothing waits, or somebody is at work on it
            return items
        try:
            was_overtaken = self._run(batch, claimed, may_pause=len(items) > 1)
        except NotSaved as failure:
            failure.items = items
            raise
        return get_items(batch) if was_overtaken else items

    def work(
        self,
        batch: Batch,
        count: int,
        *,
        at_a_time: int = BULK_SIZE,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> list[BatchItem]:
        """Do some of what waits in a batch, as a worker does that nobody waits for.

        :param count: how many at most: those first that were typed first, and whose time has come.
        :param at_a_time: how many invitations a call may take.
        :param should_stop: asked before each call; what is left waits then.
        :returns: what it has claimed, as it is now; empty where somebody else was faster.
        :raises: what :meth:`run` raises.
        """
        self._require_own(batch)
        if not claim(batch, self.lease_name, at_most=count):
            return []
        claimed = list(
            BatchItem.objects.filter(batch=batch, leased_by=self.lease_name, state=State.WAITING)
        )
        for item in claimed:
            item.batch = batch
        self._run(batch, claimed, may_pause=False, at_a_time=at_a_time, should_stop=should_stop)
        kept = BatchItem.objects.filter(pk__in=[item.pk for item in claimed])
        return list(kept.select_related("batch"))

    def _run(
        self,
        batch: Batch,
        claimed: Sequence[BatchItem],
        *,
        may_pause: bool,
        at_a_time: int = BULK_SIZE,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Do what was claimed; return whether somebody else has gone on with some of it."""
        is_revoking = batch.action == Batch.Action.REVOKE
        signal = invitation_revoked if is_revoking else invitation_created
        progress = Progress(batch, self.lease_name, partial(self._announce, signal))
        try:
            snapshot = self._check_for(batch)
            worker = self._get_worker(batch, claimed, snapshot, progress, at_a_time)
        except NotPermitted:
            progress.halt(claimed, State.REFUSED, PermissionDenied())
            raise
        except ClerkError as error:
            state = State.WAITING if error.is_transient else state_after(error)
            progress.halt(claimed, state, error)
            return False
        except Exception:
            # Of the site's own, as a rule of grants: it waits, and anybody may go on with it.
            progress.finish()
            raise
        runner = Runner(
            worker,
            progress,
            client=self.api.client,
            ask_again=partial(self.reader.check_again, with_roles=not is_revoking),
            may_pause=may_pause,  # who waits for one is told
            should_stop=should_stop,
        )
        runner.run()
        if runner.was_denied:
            self.reader.check_denial()
        return runner.was_overtaken

    def resume(self, batch: Batch) -> list[BatchItem]:
        """Go on with what waits in a batch, once it is known what became of the others.

        What somebody is at work on at this moment is left to them.

        :raises ValueError: the batch is another person's, organization's or instance's.
        :raises NotPermitted: the person may not manage members; what waited is refused.
        :raises ClerkError: the permission or the roles could not be had; all is as it was.
        """
        self._require_own(batch)
        if is_left_to_workers(batch):
            return get_items(batch)
        try:
            self._check_for(batch)
        except NotPermitted:
            # Not asked once more: another answer would let it be done, and this one be told.
            _, claimed = self._claim(batch)
            if claimed:
                progress = Progress(batch, self.lease_name)
                progress.halt(claimed, State.REFUSED, PermissionDenied())
            raise
        reconcile_batch(self.api, batch)
        return self.run(batch)

    def _claim(self, batch: Batch) -> tuple[list[BatchItem], list[BatchItem]]:
        """Lease what waits in a batch; return its items, and those that are ours to do now.

        Ours is what :meth:`begin` has leased, and what nobody is at work on: of two who come at the
        same moment, one gets an item.
        """
        claim(batch, self.lease_name, actor_id=self.actor_id)
        items = get_items(batch)
        mine = [item for item in items if item.leased_by == self.lease_name]
        return items, [item for item in mine if item.state == State.WAITING]

    def cancel(self, batch: Batch, items: Iterable[BatchItem]) -> None:
        """Let what waits in a batch wait no longer: nobody is going to go on with it.

        :raises ValueError: the batch is another person's, organization's or instance's.
        """
        self._require_own(batch)
        cancel(batch, items)

    # --- Batches that are left to workers -----------------------------------------------------

    def get_background_batches(self) -> list[Batch]:
        """Return what workers do for this organization, whoever began it, newest first.

        What is over is not among it.

        :raises NotPermitted: :meth:`open` has not let the person in.
        """
        self.reader.require_open()
        found = Batch.objects.filter(get_ours(get_instance()), organization_id=self.organization_id)
        return list(found.order_by("-created_at"))

    def find_background_batch(self, snapshot: Snapshot, batch_id: UUID) -> Batch | None:
        """Return a batch that was left to workers, whoever began it, if the person may steer it.

        :param snapshot: of :meth:`open`, with the roles.
        """
        self.reader.require_open()
        batch = find_kept(
            pk=batch_id,
            in_background=True,
            instance=get_instance(),
            organization_id=self.organization_id,
        )
        return batch if batch is not None and self.may_steer(snapshot, batch) else None

    def get_running_batches(self, snapshot: Snapshot) -> list[tuple[Batch, Counts]]:
        """Return what workers have yet to do here, if the person may steer it; newest first.

        Each with how far it has got. What is paused is among it, as it is to be gone on with.
        Nothing where nothing is left to workers.

        :param snapshot: of :meth:`open`, with the roles.
        """
        if not conf.BACKGROUND:
            return []
        batches = self.get_background_batches()
        counts = count_items([batch.pk for batch in batches]) if batches else {}
        return [
            (batch, counts[batch.pk])
            for batch in batches
            if counts[batch.pk].left and self.may_steer(snapshot, batch)
        ]

    def find_person(self, user_id: str) -> PublicUserData | None:
        """Return who a member of the organization is; None where Clerk knows none, or is silent.

        It is remembered as long as roles are: for showing who has begun something.

        :raises NotPermitted: :meth:`open` has not let the person in.
        """
        self.reader.require_open()

        def ask() -> PublicUserData | None:
            membership = self.api.get_membership(user_id)
            return membership.user if membership is not None else None

        name = f"person:{self.organization_id}:{user_id}"
        try:
            return self.cache.remember(name, ask, conf.ROLES_CACHE_SECONDS)
        except ClerkError:
            return None

    def may_steer(self, snapshot: Snapshot, batch: Batch) -> bool:
        """Whether the person may see, pause and cancel what workers do.

        It is their own, or they could have begun it: who may manage the members may revoke, and who
        may grant every role in it may invite and send again.

        :param snapshot: of :meth:`open`, with the roles.
        """
        self.reader.require_open()
        if not self._is_here(batch):
            return False
        if batch.user_id == self.user_id or batch.action == Batch.Action.REVOKE:
            return True
        wanted = batch.items.exclude(state=State.REFUSED).order_by()
        roles = wanted.values_list("role", flat=True).distinct()
        return all(role in snapshot.roles for role in roles)

    def pause(self, snapshot: Snapshot, batch: Batch) -> None:
        """Let workers go on with a batch no more, until somebody lets them.

        A call that is out is still answered, and after it they send nothing of the batch.

        :param snapshot: of :meth:`open` with ``fresh=True`` and the roles.
        :raises NotPermitted: the person may not steer it.
        """
        self._require_steering(snapshot, batch)
        pause(batch, self.user_id)

    def unpause(self, snapshot: Snapshot, batch: Batch) -> None:
        """Let workers go on with a batch that was paused, or has stopped by itself.

        :raises NotPermitted: the person may not steer it.
        """
        self._require_steering(snapshot, batch)
        unpause(batch)

    def cancel_rest(self, snapshot: Snapshot, batch: Batch) -> int:
        """Let what waits of a batch wait no longer, and return how many these were.

        A call that is out is still answered, and after it workers send nothing of the batch.

        :raises NotPermitted: the person may not steer it.
        """
        self._require_steering(snapshot, batch)
        return cancel_rest(batch)

    def _require_steering(self, snapshot: Snapshot, batch: Batch) -> None:
        if not self.may_steer(snapshot, batch):
            raise NotPermitted

    def get_metadata(self, batch: Batch, item: BatchItem) -> Mapping[str, Any]:
        """Return metadata of a site's own for an invitation: a hook, which has no request.

        ``public_metadata``, ``private_metadata``, either or both: Clerk passes them on to the
        membership. They are not kept here. What a site's form has chosen is in ``batch.options``,
        where :meth:`.InviteForm.get_options` has put it. An invitation that is sent again keeps
        the metadata that it had. Where it raises anything, this invitation is not sent, and says
        so; the others are.
        """
        return {}

    def _get_all_metadata(self, batch: Batch, item: BatchItem) -> dict[str, Any]:
        """Return all of it; a language that was chosen stays in the metadata of a site's own."""
        metadata = dict(self.get_metadata(batch, item))
        if language := batch.options.get("language"):
            public = metadata.get("public_metadata") or {}
            metadata["public_metadata"] = {"language": language, **public}
        return metadata

    def _check_for(self, batch: Batch) -> Snapshot:
        """Return a snapshot whose permission was confirmed just now, with what the action needs."""
        with_roles = batch.action != Batch.Action.REVOKE
        sends_again = batch.action == Batch.Action.RESEND
        snapshot = self.reader.check(with_roles=with_roles, seats=sends_again)
        if with_roles and snapshot.roles_error is not None:
            raise snapshot.roles_error
        return snapshot

    def _get_worker(
        self,
        batch: Batch,
        items: Sequence[BatchItem],
        snapshot: Snapshot,
        progress: Progress,
        at_a_time: int,
    ) -> Worker:
        """Return what knows how to do what a batch is about."""
        if batch.action == Batch.Action.REVOKE:
            return RevokeWorker(self.api, items, progress, user_id=batch.user_id)
        if batch.action == Batch.Action.RESEND:
            if snapshot.seats is None and snapshot.organization.max_allowed_memberships:
                snapshot = replace(snapshot, seats=self._count_seats())
            replacer = self._get_replacer(progress)
            return ResendWorker(items, replacer, batch=batch, snapshot=snapshot)
        requests = list(self._get_requests(batch, items, progress))
        return InviteWorker(
            self.api,
            requests,
            progress,
            ledger=self.ledger,
            roles=snapshot.roles,
            at_a_time=at_a_time,
        )

    def _get_requests(
        self, batch: Batch, items: Sequence[BatchItem], progress: Progress
    ) -> Iterator[tuple[BatchItem, InvitationRequest]]:
        """Yield what is asked of Clerk for each, of which a site's own code has not failed."""
        for item in items:
            try:
                metadata = self._get_all_metadata(batch, item)
            except Exception:
                logger.exception("The metadata of %s could not be had; it is not sent.", item)
                progress.record(item, State.FAILED, Reason(NO_METADATA))
            else:
                yield item, make_invite_request(batch, item, **metadata)

    def _announce(self, signal: Signal, invitation: Invitation) -> None:
        signal.send_robust(
            sender=type(self),
            invitation=invitation,
            organization_id=self.organization_id,
            user_id=self.user_id,
        )

    @property
    def ledger(self) -> Ledger:
        """The calls that Clerk's hourly limits are for."""
        return Ledger(self.organization_id, is_background=self.is_worker)

    def find_replacement(self, batch_id: UUID) -> BatchItem | None:
        """Return what became of a resend of this person's, or how far it has got.

        :raises NotPermitted: :meth:`open` has not let the person in.
        """
        self.reader.require_open()
        batch = self.find_batch(batch_id)
        if batch is None or batch.action != Batch.Action.RESEND:
            return None
        items = get_items(batch)
        if len(items) != 1:
            return None
        if is_at_work(items):
            record(items[0], State.UNDER_WAY)  # whichever half it has got to
        elif may_change(items[0]):
            reconcile(self.api, items)
        return items[0]

    def _get_roles_for(self, snapshot: Snapshot, old: Invitation) -> AssignableRoles:
        """Return what the person may grant right now, if nothing is in the way of a new one."""
        checked = self.reader.check(with_roles=True)
        if checked.roles_error is not None:
            raise checked.roles_error
        check_before(replace(snapshot, roles=checked.roles), old, self.ledger)
        return checked.roles

    def _get_replacer(self, progress: Progress) -> Replacer:
        """Return what replaces invitations, each step of it kept."""
        return Replacer(
            api=self.api,
            user_id=self.user_id,
            ledger=self.ledger,
            progress=progress,
            announce_revoked=partial(self._announce, invitation_revoked),
        )

    # --- What was left half-way ---------------------------------------------------------------

    def get_unfinished(self, replaces_id: str = "") -> list[BatchItem]:
        """Return resends of this organization that are not over, whoever did them.

        Of a half-done one the new invitation is missing, and it can be finished or left. Of an
        unsettled one nobody knows yet, and nothing can be done but wait.

        One look into the database where there are none; else Clerk is asked what has become of
        each, and what has sorted itself out is not returned.

        :param replaces_id: only those of this invitation.
        :raises NotPermitted: :meth:`open` has not let the person in.
        """
        self.reader.require_open()
        found = [
            item
            for item in find_unsure(self.organization_id)
            if item.batch.action == Batch.Action.RESEND and replaces_id in ("", item.replaces_id)
        ]
        found = found[:MAX_UNFINISHED]
        reconcile(self.api, found)
        return [item for item in found if is_unsure(item)]

    def look_after(
        self, page: InvitationPage | None = None, *, running: Iterable[Batch] = ()
    ) -> UnfinishedBatches:
        """Find out what became of what was begun here and never seen to its end; return the rest.

        One look into the database where there is nothing. Clerk is asked about each resend that is
        returned; of what else is in doubt, only what a list does not tell that was read whole.

        :param page: of the list that was read just now.
        :param running: what is told of anyhow: what workers try again of it is not returned.
        :raises NotPermitted: :meth:`open` has not let the person in.
        """
        self.reader.require_open()
        everything = page.everything if page is not None else None
        told = {batch.pk for batch in running}
        return look_after(self.api, self.user_id, everything, told=told)

    def find_unfinished(self, replaces_id: str) -> BatchItem | None:
        """Return the resend of an invitation that is half done, as Clerk has it now."""
        found = self.get_unfinished(replaces_id)
        return next((item for item in found if item.state == State.HALF_DONE), None)

    @changes_pending
    def finish(self, snapshot: Snapshot, item: BatchItem) -> BatchItem:
        """Create the invitation that is missing; anybody may who may give its role.

        Where somebody else has invited the person meanwhile, the new one takes the place of theirs.

        :param snapshot: of ``open(invitation_id=…, fresh=True, seats=True)``, for the old one.
        :returns: the item, which says what became of it.
        :raises ValueError: the item is another organization's or instance's.
        :raises RoleNotGranted: the person may not give the role to anybody.
        :raises QuotaExceeded: no seat is left.
        :raises RateLimited: the hourly limit is known to be reached.
        :raises ClerkError: the roles could not be had, or the other invitation could not be
            revoked; nothing was changed.
        """
        self.reader.require_open()
        self._require_here(item.batch)
        old = snapshot.invitation
        if old is None:
            raise exc.InvitationNotFound("no invitation was asked for")
        other = None
        if item.reason == OTHER_INVITATION:
            other = self.api.get_invitation(item.params["invitation_id"])
        if item.role not in self._get_roles_for(snapshot, other or old):
            raise RoleNotGranted
        chosen = item.batch.options
        request = make_request(
            old,
            user_id=self.user_id,
            role=item.role,
            expires_in_days=chosen.get("expires_in_days"),
            notify=chosen.get("notify"),
            item=item,
        )
        if not claim_half(item, self.lease_name):  # somebody is finishing it, or has just done so
            return record(item, State.UNDER_WAY) if is_at_work([item]) else item
        progress = Progress(
            item.batch, self.lease_name, partial(self._announce, invitation_created)
        )
        try:
            error = self._get_replacer(progress).finish(item, request, other)
        except LeaseLost:  # this process was stopped for too long, and somebody else goes on
            item.refresh_from_db()
            return record(item, State.UNDER_WAY) if is_at_work([item]) else item
        finally:
            progress.finish()
        if isinstance(error, exc.PermissionDenied):
            self.reader.check_denial()
        if error is not None and error.is_correctable and item.reason == OTHER_INVITATION:
            raise error  # the other one could not be revoked: it is as it was
        return item

    def leave(self, item: BatchItem) -> BatchItem:
        """Leave it at what there is, where a resend is half done: nobody is reminded of it again.

        The person stays uninvited, or keeps what somebody else has invited them with meanwhile.
        Should the new invitation show up after all, the item says so.

        :returns: the item; another state than refused says what somebody else has just done.
        :raises ValueError: the item is another organization's or instance's.
        :raises NotPermitted: :meth:`open` has not let the person in.
        """
        self.reader.require_open()
        self._require_here(item.batch)
        if not claim_half(item, self.lease_name):  # somebody is finishing it, or has just done so
            return record(item, State.UNDER_WAY) if is_at_work([item]) else item
        is_other = item.reason == OTHER_INVITATION
        reason = Reason(OTHER_INVITATION, item.params) if is_other else Reason(LEFT)
        save_progress(item.batch, [record(item, State.REFUSED, reason)])
        return item

    def find_selected(
        self, ids: Iterable[str], status: InvitationStatus = STATUSES[0]
    ) -> tuple[SelectedInvitation, ...]:
        """Return what the organization has of these ids, in their order, each once.

        :param status: of the list that they were chosen from.
        :raises NotPermitted: :meth:`open` has not let the person in.
        :raises TooManyInvitations: there are more than 500.
        :raises ClerkError: not all of them could be asked for.
        """
        self.reader.require_open()
        return find_selected(self.api, ids, status)

    def evaluate(
        self, snapshot: Snapshot, action: str, chosen: Iterable[SelectedInvitation]
    ) -> tuple[SelectedInvitation, ...]:
        """Tell of each whether the action is possible, and if not, why; nothing is changed.

        :param snapshot: of :meth:`open`, with roles and seats where invitations are to be sent.
        :param action: one of :class:`.Batch.Action`: revoke or resend.
        """
        self.reader.require_open()
        return evaluate(self.api, snapshot, action, chosen)

    def _count_seats(self) -> Seats | None:
        try:
            return Seats.count(self.api.get(include_members_count=True))
        except ClerkError:
            return None  # then Clerk decides, as it does in the end anyhow

    def get_wait(self, count: int) -> int:
        """Return the seconds until so many can be sent again; 0 where nothing is known against it.

        Clerk takes 250 single invitations an hour, for all of the instance's organizations.
        """
        return self.ledger.get_wait(count)

    def reconcile(self, batch: Batch) -> list[BatchItem]:
        """Find out what nobody knows of a batch, and return its items; nothing is sent.

        :raises ValueError: the batch is another person's, organization's or instance's.
        :raises NotPermitted: :meth:`open` has not let the person in.
        """
        self._require_own(batch)
        self.reader.require_open()
        return reconcile_batch(self.api, batch)

    # --- Inviting -------------------------------------------------------------------------

    @changes_pending
    def invite_member(
        self,
        email_address: str,
        role: str,
        *,
        redirect_url: str | None = None,
        expires_in_days: int | None = None,
        notify: bool | None = None,
        public_metadata: Mapping[str, Any] | None = None,
        private_metadata: Mapping[str, Any] | None = None,
    ) -> Invitation:
        """Invite an address, if the person may grant the role at this moment; nothing is kept.

        :meth:`open` with ``fresh=True`` just before makes the check; without it, it is made here.

        :param redirect_url: where its link leads in the end; the setting's unless given.
        :param expires_in_days: 1 to 365; the setting's unless given.
        :param notify: False sends no e-mail.
        :param public_metadata: passed on to the membership, as ``private_metadata`` is.
        :raises NotPermitted: the person may not manage members.
        :raises RoleNotGranted: the person may not grant this role.
        :returns: the invitation, also where Clerk's answer was lost but it was created.
        :raises ClerkError: it was not created. After a lost answer, that has been made sure.
        :raises OutcomeUnknown: the answer was lost, and whether it was created cannot be told yet.
        """
        snapshot = self.reader.check(with_roles=True)
        if snapshot.roles_error is not None:
            raise snapshot.roles_error
        if role not in snapshot.roles:
            raise RoleNotGranted
        request = InvitationRequest(
            email_address=email_address,
            role=role,
            inviter_user_id=self.user_id,
            redirect_url=redirect_url or conf.REDIRECT_URL or None,
            expires_in_days=expires_in_days or conf.EXPIRES_IN_DAYS,
            notify=notify,
            public_metadata=public_metadata,
            private_metadata=private_metadata,
            mark=uuid4().hex if conf.MARK_INVITATIONS else "",
        )
        try:
            attempt = Attempt.of_request(request)
            invitation = create_for_sure(self.api, request, attempt, ledger=self.ledger)
        except PermissionDenied:
            self.reader.forget_membership()  # Clerk knows better than what was remembered
            raise
        self._announce(invitation_created, invitation)
        return invitation

    def get_pending(self, email_address: str) -> Invitation | None:
        """Return the pending invitation of an address, if there is one.

        :raises NotPermitted: :meth:`open` has not let the person in.
        """
        self.reader.require_open()
        return find_pending_of(self.api, email_address)

    # --- Revoking -------------------------------------------------------------------------

    @changes_pending
    def revoke(self, invitation_id: str) -> Invitation:
        """Revoke an invitation, if the person may manage members at this moment.

        :raises NotPermitted: they may not.
        :returns: the revoked invitation, also where Clerk's answer was lost but it was revoked.
        :raises InvitationNotPending: it was accepted, revoked or has expired meanwhile.
        :raises ClerkError: it was not revoked.
        :raises OutcomeUnknown: nobody knows.
        """
        self.reader.check()
        invitation = revoke_for_sure(self.api, invitation_id, user_id=self.user_id)
        self._announce(invitation_revoked, invitation)
        return invitation
