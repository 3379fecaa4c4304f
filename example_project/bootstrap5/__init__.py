"""A skin for Bootstrap 5: the templates and properties in which the app differs there.

An app without models or code. What is in ``templates/org_invitations`` wins, since the skin stands
before ``org_invitations`` in ``INSTALLED_APPS``; ``templates/example`` is the example site's own
layout, and no part of the skin.
"""
