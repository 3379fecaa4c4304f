"""What a site may listen to.

The signals are sent once Clerk has confirmed the change, with ``send_robust``: a listener that
fails is logged by Django and cannot undo or hide what happened. The arguments are
``invitation`` (:class:`org_invitations.clerk.Invitation`), ``organization_id`` and ``user_id``
(Clerk's ids; the user is the one who did it). ``sender`` is the service's class.

Mind that ``invitation.url`` is the link that accepts the invitation: do not log or store it.
"""

from __future__ import annotations

from django.dispatch import Signal

#: An invitation was created.
invitation_created = Signal()

#: An invitation was revoked.
invitation_revoked = Signal()

#: An invitation was accepted: somebody has become a member by the pages for joining, or has
#: become one at Clerk and pressed "Go on" on these pages then.
#: It is sent once for an invitation, and ``user_id`` is who joined. Who joins
#: elsewhere is not heard of here.
invitation_accepted = Signal()
