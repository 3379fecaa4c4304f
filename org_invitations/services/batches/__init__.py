"""What was set out to be done, and what became of it.

``store`` keeps it; ``runner`` works through it, with what ``invite``, ``resend`` and ``revoke``
know; ``reconcile`` finds out what became of a write whose answer was lost; ``unfinished`` looks
after what nobody has seen to its end.
"""
