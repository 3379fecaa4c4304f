"""What begins a turn of a worker in the background: one module for each engine that exists.

Each has a task without arguments, which does one turn, and ``start``, which lets a worker do one at
once: ``ORG_INVITATIONS_BACKGROUND`` names it by its dotted path.
"""
