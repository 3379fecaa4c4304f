"""Sites as they are: each made anew, from the built wheel, and looked at from outside.

``python -m tests.sites`` goes through them; ``make sites`` does.
"""
