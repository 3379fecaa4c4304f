"""A small site with invitations."""
