"""Clerk's sessions: who a request is from, by its cookies, headers and what Clerk's keys prove.

It decides as Clerk's own SDK for JavaScript does; :mod:`.differences` lists where it does not.
"""
