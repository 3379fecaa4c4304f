"""What a press of a button set out to do, and what became of each part of it.

Clerk knows no idempotency key and forgets what was refused, so this is remembered here: it keeps a
second press, a reload and a crash from sending anything twice, and an outcome readable after all of
them. What an invitation's link is never gets here.
"""

from __future__ import annotations

import uuid
from typing import Any, ClassVar, Final, TypeVar

from django.db import models, router
from django.utils import timezone

_Row = TypeVar("_Row", bound=models.Model)

#: So many characters of a role's name are kept.
MAX_ROLE_NAME: Final = 255


class WrittenManager(models.Manager[_Row]):
    """Reads from where it is written.

    What was written down a moment ago decides what is sent next, so a replica that lags behind must
    not be asked, whatever the site's router says of reading. ``using()`` wins over this.
    """

    def get_queryset(self) -> models.QuerySet[_Row]:
        """Return all rows, of the database that the router writes them to."""
        queryset = super().get_queryset()
        return queryset if self._db else queryset.using(router.db_for_write(self.model))


class Batch(models.Model):
    """One press of a button: invite these people, send those again, revoke these."""

    class Action(models.TextChoices):
        """What was set out to be done."""

        INVITE = "invite"
        RESEND = "resend"
        REVOKE = "revoke"

    #: Made with the form and sent with it: the same form makes the same batch, and only once.
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    #: ``org_…``
    organization_id = models.CharField(max_length=255)
    #: ``user_…``, who pressed the button.
    user_id = models.CharField(max_length=255)
    action = models.CharField(max_length=16, choices=Action)
    #: What was asked for, in short: another content under the same id is another wish.
    fingerprint = models.CharField(max_length=64, db_column="digest")
    #: What holds for all items: role, expires_in_days, notify, redirect_url, language.
    options: models.JSONField[Any, Any] = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    #: When something was last done.
    worked_at = models.DateTimeField(null=True)
    #: The host of the Frontend API of Clerk's instance, since several may share a database; empty
    #: where it is not known.
    instance = models.CharField(max_length=255, blank=True, default="")
    #: When the last of it was over; None as long as something waits, is half done or in doubt.
    finished_at = models.DateTimeField(null=True, db_index=True)
    #: Who really sat there, where the session was an impersonated one: its ``act`` claim's ``sub``.
    actor_id = models.CharField(max_length=255, blank=True, default="")
    #: The batch from whose outcome this was begun, to try again what was left; it may be gone.
    retry_of = models.UUIDField(null=True, db_index=True)
    #: Whether workers do it, and not the request that began it.
    in_background = models.BooleanField(default=False)
    #: The dotted paths of the classes that decide what is sent, and who may grant what, where these
    #: are a mount's own: whoever works on it has no request to find them by.
    service = models.CharField(max_length=255, blank=True, default="")
    policy = models.CharField(max_length=255, blank=True, default="")
    #: Before this moment no worker looks at it.
    not_before = models.DateTimeField(null=True)
    #: Since when no worker goes on with it.
    paused_at = models.DateTimeField(null=True)
    #: Who wants that, ``user_…``; empty where it has stopped by itself. Then why, as the name of a
    #: sentence.
    paused_by = models.CharField(max_length=255, blank=True, default="")
    paused_because = models.CharField(max_length=64, blank=True, default="")
    #: When somebody has cancelled the rest: nothing of it is begun any more, whatever becomes of
    #: what was under way at that moment.
    cancelled_at = models.DateTimeField(null=True)

    objects = WrittenManager()

    class Meta:
        # Also for what is reached through a relation, and for what is read anew.
        base_manager_name = "objects"
        indexes: ClassVar = [
            models.Index(fields=["organization_id", "user_id"], name="oi_batch_whose"),
            models.Index(fields=["in_background", "finished_at"], name="oi_batch_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.id}"


class BatchItem(models.Model):
    """One address of a batch, and what became of it."""

    class State(models.TextChoices):
        """How far it got."""

        #: Not tried yet.
        WAITING = "waiting"
        #: The call to Clerk is out: where it stays so, the process died and nobody knows.
        UNDER_WAY = "under-way"
        #: It happened.
        DONE = "done"
        #: It did not, and will not unless something changes.
        REFUSED = "refused"
        #: It did not, and trying again may help.
        FAILED = "failed"
        #: Clerk did not answer, so nobody knows.
        UNSETTLED = "unsettled"
        #: Of a resend: the old invitation is revoked and the new one does not exist.
        HALF_DONE = "half-done"

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="items")
    #: The position in the batch, from 0.
    number = models.PositiveIntegerField()
    #: What was typed.
    text = models.TextField(blank=True)
    #: The line it was typed on, from 1; 0 where nothing was typed.
    line = models.PositiveIntegerField(default=0)
    email_address = models.CharField(max_length=320, blank=True)
    #: The role's key, and its name for those who read.
    role = models.CharField(max_length=255, blank=True)
    role_name = models.CharField(max_length=MAX_ROLE_NAME, blank=True)
    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    #: Why, as the name of a sentence in ``Wording.messages``; empty where there is nothing to say.
    reason = models.CharField(max_length=64, blank=True)
    #: What that sentence names.
    params: models.JSONField[Any, Any] = models.JSONField(default=dict)
    #: The invitation that was made or, for a revocation, that was revoked. ``orginv_…``
    invitation_id = models.CharField(max_length=255, blank=True, db_index=True)
    #: Of a resend: the invitation that the new one takes the place of.
    replaces_id = models.CharField(max_length=255, blank=True, db_index=True)
    #: What the invitation can be known by that the last call was to create: ``at`` (epoch
    #: milliseconds, when it went out), ``role``, ``inviter``, ``days`` and ``mark``. Of a resend
    #: also ``revokes``: the id of the invitation that is revoked for it; empty for none.
    attempt: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    #: Before this moment trying again makes no sense.
    retry_at = models.DateTimeField(null=True)
    #: How often a worker has tried it again by itself.
    tries = models.PositiveSmallIntegerField(default=0)
    #: Who is at work on it, as long as ``leased_until`` is not over; empty where nobody is.
    leased_by = models.CharField(max_length=32, blank=True, default="", db_index=True)
    #: Until when nobody else may be; where ``leased_by`` is empty: until when Clerk may still be at
    #: work on what nobody knows of.
    leased_until = models.DateTimeField(null=True)

    #: What this process knows of how it ended; none of it is stored: the
    #: :class:`~org_invitations.clerk.ClerkError`, and the
    #: :class:`~org_invitations.clerk.Invitation` that was made or revoked, or is in the way.
    error: Any = None
    invitation: Any = None

    objects = WrittenManager()

    #: What is not over yet: it waits, somebody is at it, nobody knows, or a half is missing.
    OPEN: ClassVar = (State.WAITING, State.UNDER_WAY, State.UNSETTLED, State.HALF_DONE)

    class Meta:
        base_manager_name = "objects"
        ordering: ClassVar = ["number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["batch", "number"], name="oi_item_number"),
        ]
        indexes: ClassVar = [
            # How much of a batch waits is counted before each call: what is done, the most of it in
            # the end, is not read for that. A look at how far it is finds the rows by the batch,
            # and reads each of them: who is at work on it changes too often to be in an index.
            models.Index(fields=["batch", "state"], name="oi_item_state"),
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.pk}"  # no address: this ends in logs


class CallSlot(models.Model):
    """One of the calls that Clerk lets an instance make within an hour, and when it was made last.

    There are as many rows as Clerk's limit lets through. A call takes one before it goes out, by an
    ``UPDATE`` with a condition, so that no more of them go within any hour, whoever sends them.
    """

    #: The host of the instance's Frontend API, as in :class:`Batch`.
    instance = models.CharField(max_length=255, blank=True)
    #: Which limit: :data:`~org_invitations.clerk.exceptions.SINGLE_INVITATIONS` or
    #: :data:`~org_invitations.clerk.exceptions.BULK_INVITATIONS`.
    limit = models.CharField(max_length=32)
    #: From 0; the first ones are kept for people who sit before a page.
    number = models.PositiveSmallIntegerField()
    #: From when on it can be taken.
    free_at = models.DateTimeField()
    #: When it was taken last, for which organization (``org_…``) and how many addresses.
    called_at = models.DateTimeField(null=True)
    organization_id = models.CharField(max_length=255, blank=True, default="")
    addresses = models.PositiveSmallIntegerField(default=0)

    objects = WrittenManager()

    class Meta:
        base_manager_name = "objects"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["instance", "limit", "number"], name="oi_slot_number"),
        ]

    def __str__(self) -> str:
        return f"{self.limit} {self.number}"


class Draft(models.Model):
    """Many addresses that were checked and are not sent yet.

    A day later they are not found any more, and deleted by whoever comes first: the next draft, a
    worker, or the command.
    """

    #: What is begun from it has the same id, so that it is begun once.
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    #: The host of the instance's Frontend API, as in :class:`Batch`.
    instance = models.CharField(max_length=255, blank=True)
    #: ``org_…``
    organization_id = models.CharField(max_length=255)
    #: ``user_…``, who has typed or uploaded it; nobody else sees it.
    user_id = models.CharField(max_length=255)
    #: When it was kept, or changed last.
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    #: The addresses as the form's text field has them, with their roles and what is no address.
    text = models.TextField()
    #: How many pieces that is.
    count = models.PositiveIntegerField()
    #: What else was chosen in the form: names of fields with their values, as they were posted.
    fields: models.JSONField[Any, Any] = models.JSONField(default=dict)

    objects = WrittenManager()

    class Meta:
        base_manager_name = "objects"
        indexes: ClassVar = [
            models.Index(fields=["organization_id", "user_id"], name="oi_draft_whose"),
        ]

    def __str__(self) -> str:
        return f"draft {self.pk}"  # no address: this ends in logs


class Heartbeat(models.Model):
    """When a worker was last seen at work for an instance, and is to be there again."""

    #: The host of the instance's Frontend API, as in :class:`Batch`.
    instance = models.CharField(max_length=255, blank=True, unique=True)
    seen_at = models.DateTimeField()
    #: When the next turn begins that waits in a queue of tasks; None where none ever did.
    next_turn_at = models.DateTimeField(null=True)
    #: The id of the task that it is, as the queue calls it; empty where none is known.
    next_turn_id = models.CharField(max_length=255, blank=True, default="")

    objects = WrittenManager()

    class Meta:
        base_manager_name = "objects"

    def __str__(self) -> str:
        return f"a worker, {self.seen_at:%Y-%m-%d %H:%M}"


class Joining(models.Model):
    """Somebody's joining by way of an invitation: what was begun, and what became of it.

    A server joins in two calls, and may die between them; this is written down before the first.
    Of the person there is Clerk's id in it and a hash, and no link, ticket or metadata.
    """

    class State(models.TextChoices):
        """How far it got."""

        #: Our revocation is to go out, or is out: where it stays so, nobody knows.
        BEGUN = "begun"
        #: Clerk has confirmed our revocation, and the membership is missing.
        REVOKED = "revoked"
        #: The person is a member.
        DONE = "done"
        #: The invitation was gone before ours could be revoked; nothing was changed by us.
        LOST = "lost"
        #: The person could not be added, and has another invitation in the place of the old one.
        RESTORED = "restored"
        #: The invitation is revoked and there is no membership, and nothing can be done but by a
        #: person: it could not be made again, or nobody knows who revoked it.
        HALF_DONE = "half-done"

    class Way(models.TextChoices):
        """Who has made the member."""

        #: The server, in two calls: Clerk calls the invitation revoked.
        SERVER = "server"
        #: Clerk itself, which calls it accepted.
        CLERK = "clerk"

    #: ``orginv_…``; of two requests that join by it, the database lets one.
    invitation_id = models.CharField(max_length=255, unique=True)
    #: ``org_…``
    organization_id = models.CharField(max_length=255)
    #: ``user_…``, who joins.
    user_id = models.CharField(max_length=255)
    #: A keyed hash of the address: a new invitation of it answers what could not be finished.
    address_digest = models.CharField(max_length=64, blank=True, default="")
    way = models.CharField(max_length=16, choices=Way, default=Way.SERVER)
    state = models.CharField(max_length=16, choices=State, default=State.BEGUN)
    #: The name of an exception that says why it is not done; empty where there is nothing to say.
    reason = models.CharField(max_length=64, blank=True, default="")
    #: The invitation that was made in the place of this one.
    restored_id = models.CharField(max_length=255, blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)
    #: When something was last done.
    worked_at = models.DateTimeField(null=True)
    #: Whether somebody is at work on it right now, if ``worked_at`` is not long ago.
    is_running = models.BooleanField(default=False)
    #: When the person was first seen to be a member while the second half was missing here: whoever
    #: takes the membership away after that is not undone.
    member_seen_at = models.DateTimeField(null=True)
    #: When the person became a member, as far as is known here; it has been announced then.
    finished_at = models.DateTimeField(null=True)

    objects = WrittenManager()

    #: What nobody can be sure of, or what is missing its second half.
    OPEN: ClassVar = (State.BEGUN, State.REVOKED, State.HALF_DONE)

    class Meta:
        base_manager_name = "objects"
        indexes: ClassVar = [
            models.Index(fields=["organization_id", "invitation_id"], name="oi_joining_where"),
            models.Index(fields=["user_id", "state"], name="oi_joining_whose"),
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.pk}"


class InvitationAsk(models.Model):
    """Somebody asks for a new invitation, whose own expired or was revoked."""

    #: ``orginv_…``, the old one: who asks twice asks once.
    invitation_id = models.CharField(max_length=255, unique=True)
    #: ``org_…``
    organization_id = models.CharField(max_length=255)
    #: A keyed hash of the address: a new invitation of it answers.
    address_digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    objects = WrittenManager()

    class Meta:
        base_manager_name = "objects"
        indexes: ClassVar = [
            models.Index(fields=["organization_id", "address_digest"], name="oi_ask_whose"),
        ]

    def __str__(self) -> str:
        return f"ask {self.pk}"  # no address: this ends in logs
