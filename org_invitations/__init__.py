"""Invite people into a Clerk organization from a Django site.

Add ``"org_invitations"`` to ``INSTALLED_APPS``, include ``org_invitations.urls`` and set
``CLERK_SECRET_KEY``; the README shows the ten minutes this takes. Importing this package
imports nothing else: settings are read when they are needed, never before.
"""

__version__ = "0.2.0"
