"""A browser without a screen: cookies, redirects, and htmx's headers when they are asked for."""

from __future__ import annotations

import http.client
import time
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import urlencode, urljoin, urlsplit

from .pages import Form, Page

#: Seconds. It only catches a hang: what takes too long is measured, not cut off.
WATCHDOG = 90.0

_MAX_REDIRECTS = 6

Changes = dict[str, str | list[str] | None]


@dataclass
class Answer:
    """What came back, after the redirects that a browser follows by itself."""

    method: str
    url: str
    status: int
    headers: list[tuple[str, str]]
    body: str
    #: Of this answer alone, without the redirects before it.
    seconds: float
    #: The answers before it, oldest first.
    before: list[Answer] = field(default_factory=list)

    @cached_property
    def page(self) -> Page:
        return Page(self.body if self.is_html else "")

    @property
    def is_html(self) -> bool:
        return (self.header("content-type") or "").startswith("text/html")

    @property
    def is_fragment(self) -> bool:
        """Whether the app's script lets htmx swap it in, whatever its status."""
        return self.header("org-invitations-fragment") is not None

    @property
    def chain(self) -> list[Answer]:
        return [*self.before, self]

    def header(self, name: str) -> str | None:
        return next((v for n, v in self.headers if n.lower() == name), None)


class Browser:
    """Talks to one site over a socket, as one person."""

    def __init__(self, site: str, cookies: dict[str, str]) -> None:
        self.site = site
        self.cookies = dict(cookies)
        self._connection: http.client.HTTPConnection | None = None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def get(self, path: str, *, target: str | None = None) -> Answer:
        return self._follow("GET", path, None, target)

    def post(self, path: str, data: list[tuple[str, str]], *, target: str | None = None) -> Answer:
        return self._follow("POST", path, urlencode(data), target)

    def submit(
        self,
        form: Form,
        changes: Changes | None = None,
        *,
        path: str = "",
        target: str | None = None,
    ) -> Answer:
        """Send a form, some of its fields filled in; ``path`` is that of a button of its own."""
        return self.post(path or form.action, form.data(changes or {}), target=target)

    def _follow(self, method: str, path: str, body: str | None, target: str | None) -> Answer:
        answer = self._request(method, path, body, target)
        before: list[Answer] = []
        for _ in range(_MAX_REDIRECTS):
            elsewhere = answer.header("hx-redirect")
            if elsewhere is None and answer.status in (301, 302, 303, 307):
                elsewhere = answer.header("location")
            if elsewhere is None or not self._is_here(elsewhere):
                break
            before.append(answer)
            answer = self._request("GET", self._path_of(elsewhere), None, None)
        answer.before = before
        return answer

    def _is_here(self, url: str) -> bool:
        return urljoin(self.site + "/", url).startswith(self.site + "/")

    def _path_of(self, url: str) -> str:
        parts = urlsplit(urljoin(self.site + "/", url))
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    def _request(self, method: str, path: str, body: str | None, target: str | None) -> Answer:
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "Origin": self.site,
            "Accept": "text/html",
            "Sec-Fetch-Dest": "document",
        }
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if target is not None:
            headers |= {
                "HX-Request": "true",
                "HX-Target": target,
                "HX-Current-URL": f"{self.site}/invitations/",
                "Sec-Fetch-Dest": "empty",
            }
        started = time.monotonic()
        response, content = self._exchange(method, path, body, headers)
        seconds = time.monotonic() - started
        self._keep_cookies(response)
        text = content.decode("utf-8", "replace")
        return Answer(method, path, response.status, response.getheaders(), text, seconds)

    def _exchange(
        self, method: str, path: str, body: str | None, headers: dict[str, str]
    ) -> tuple[http.client.HTTPResponse, bytes]:
        if self._connection is None:
            host = urlsplit(self.site).netloc
            self._connection = http.client.HTTPConnection(host, timeout=WATCHDOG)
        try:
            self._connection.request(method, path, body, headers)
            response = self._connection.getresponse()
            content = response.read()
        except BaseException:
            self.close()
            raise
        if response.will_close:
            self.close()
        return response, content

    def _keep_cookies(self, response: http.client.HTTPResponse) -> None:
        for line in response.headers.get_all("Set-Cookie") or []:
            name, _, value = line.partition(";")[0].partition("=")
            if "max-age=0" in line.lower() or "expires=thu, 01 jan 1970" in line.lower():
                self.cookies.pop(name.strip(), None)
            else:
                self.cookies[name.strip()] = value.strip()
