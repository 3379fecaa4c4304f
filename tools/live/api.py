"""Clerk over HTTP for a trial run, without any of the app's own code: a second opinion.

What an answer holds stays in memory; :class:`Seen` is what may be shown of it.
"""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import requests

VERSION: Final = "2026-05-12"

#: Where a browser of the trial pretends to come from: a page of a site on this machine.
SITE: Final = "http://localhost:8000"

#: Seconds between two calls: a development instance takes 100 in ten.
PAUSE: Final = 0.15
TIMEOUT: Final = 20.0


@dataclass(frozen=True)
class Answer:
    """One answer."""

    status: int
    body: Any = field(repr=False, default=None)
    location: str = field(repr=False, default="")

    @property
    def error(self) -> dict[str, Any]:
        """Clerk's first error; empty where there is none."""
        errors = self.body.get("errors") if isinstance(self.body, dict) else None
        found = errors[0] if isinstance(errors, list) and errors else {}
        return found if isinstance(found, dict) else {}

    @property
    def told(self) -> str:
        """Status, code and the names of what its meta has: fit to be shown."""
        if not self.error:
            return str(self.status)
        meta = self.error.get("meta")
        names = f" meta: {', '.join(sorted(meta))}" if isinstance(meta, dict) and meta else ""
        return f"{self.status} {self.error.get('code', '')}{names}"

    @property
    def query(self) -> dict[str, str]:
        """The query of where it leads."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.location).query).items()}


class Clerk:
    """One instance, by its secret key."""

    def __init__(self, url: str, secret_key: str, *, pause: float = PAUSE) -> None:
        self.url = url.rstrip("/").removesuffix("/v1")
        self.pause = pause
        self.calls = 0
        self._key = secret_key
        self._http = requests.Session()
        self._http.trust_env = False

    def __repr__(self) -> str:
        return f"<Clerk {self.url}>"

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> Answer:
        """Call the Backend API."""
        headers = {"Authorization": f"Bearer {self._key}", "Clerk-API-Version": VERSION}
        return self._send(method, f"{self.url}/v1{path}", headers, query, json_body=body)

    def open(self, method: str, url: str, **query: Any) -> Answer:
        """Follow a link as somebody without cookies does; a redirect is told and not followed."""
        return self._send(method, url, {"Accept": "application/json"}, query)

    def post_form(self, url: str, form: dict[str, str], **query: Any) -> Answer:
        """Call the Frontend API as a page's script does."""
        return self._send("POST", url, {"Origin": SITE}, query, form=form)

    def _send(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        query: dict[str, Any],
        *,
        json_body: Any = None,
        form: dict[str, str] | None = None,
    ) -> Answer:
        time.sleep(self.pause)
        self.calls += 1
        self._http.cookies.clear()
        answer = self._http.request(
            method,
            url,
            headers=headers,
            params=query,
            json=json_body,
            data=form,
            allow_redirects=False,
            timeout=TIMEOUT,
        )
        try:
            body = answer.json()
        except ValueError:
            body = None
        return Answer(answer.status_code, body, answer.headers.get("Location", ""))


def claims_of(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims of a JWT, unverified; empty ones of what is none."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}, {}
    found: list[dict[str, Any]] = []
    for part in parts[:2]:
        try:
            value = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        except ValueError:
            value = {}
        found.append(value if isinstance(value, dict) else {})
    return found[0], found[1]
