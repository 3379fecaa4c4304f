"""One site: made, checked, migrated, served, asked and looked at."""

from __future__ import annotations

import re
from pathlib import Path

from org_invitations.emulator import Emulator, EmulatorServer
from tools.browser import find_browser

from .configurations import Configuration
from .environments import Environments
from .look import look
from .site import Site, free_port
from .visit import BEFORE, STEPS, Skipped, Step, Visitor, Wrong, embedded


def play(what: Configuration, environments: Environments, folder: Path, redis: str) -> str:
    """Try a site; return what was done.

    :raises Skipped: with the reason.
    :raises Exception: something is not as it should be.
    """
    _look_for_needs(what, environments, redis)
    port = free_port()
    url = f"http://localhost:{port}"
    origin = what.origin or url
    clerk = Emulator(site=origin)
    clerk.configure(rate_limits=False)
    with EmulatorServer(clerk):
        variables = {
            **clerk.environment(),
            **what.variables,
            "REDIS_URL": redis,
            "ADA": clerk.user("ada@acme.test").id,
            "ACME": clerk.organization("acme").id,
        }
        # Only the server has a SCRIPT_NAME: a command has no place in anybody's URLs.
        mine = {k: v for k, v in variables.items() if k != "SCRIPT_NAME"}
        site = Site(folder, environments.python(what.environment), mine)
        done = _set_up(site, what)
        if what.signs_in == "nobody" or _is_refused(what):
            return done
        site.environment = variables
        with site.served(what.command, port) as log:
            visitor = Visitor(url, origin, what.base, clerk, what.headers)
            try:
                _visit(visitor, what)
                if what.embedded:
                    embedded(visitor, what.embedded)
                if what.looks:
                    done += ", " + _look(visitor, what.embedded or visitor.base)
            except Exception as error:
                said = log.read_text()
                at = said.rfind("Traceback (most recent")
                error.add_note(said[at if at >= 0 else -1500 :][-3000:])
                raise
    return f"{done}, {len(visitor.asked)} requests"


def _look_for_needs(what: Configuration, environments: Environments, redis: str) -> None:
    if what.needs == "redis" and not redis:
        raise Skipped("there is no redis-server")
    if what.needs.startswith("django "):
        there = environments.version_of(what.environment, "Django")
        if _numbers(there) < _numbers(what.needs.removeprefix("django ")):
            raise Skipped(f"it needs {what.needs}, and there is {there}")


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)[:2]]


def _is_refused(what: Configuration) -> bool:
    return any(message_id.startswith("E") for message_id in what.complaints)


def _set_up(site: Site, what: Configuration) -> str:
    for name, text in what.files.items():
        site.write(name, text)
    site.follow_readme(urls=what.urls)
    site.add("mysite/settings.py", what.settings)
    if _is_refused(what):
        try:
            said = site.manage("check")
        except RuntimeError as error:
            said = str(error)
        else:
            raise Wrong("no check complains")
    else:
        for command in what.commands:
            if command[0] == "makemigrations":
                site.manage(*command)
        said = site.manage("check")
    found = re.findall(r"org_invitations\.([EW]\d{3})", said)
    if set(found) != set(what.complaints):
        raise Wrong(f"the checks say {found}, not {list(what.complaints)}:\n{said}")
    if _is_refused(what):
        return f"refused by {', '.join(found)}"
    site.manage("migrate")
    for command in what.commands:
        site.manage(*command)
    return f"check, migrate, {len(what.commands)} more" if what.commands else "check, migrate"


def _visit(visitor: Visitor, what: Configuration) -> None:
    steps: tuple[Step, ...] = STEPS
    if what.signs_in == "clerk":
        steps = (*BEFORE, lambda someone: someone.sign_in(organization="acme"), *STEPS)
        for path, status in what.programs:
            visitor.let_expire()
            visitor.ask(path, status)
            visitor.cookies.clear()
    else:
        _sign_in_with_django(visitor)
    for step in steps:
        _named(step)(visitor)


def _named(step: Step) -> Step:
    def tried(visitor: Visitor) -> None:
        try:
            step(visitor)
        except Exception as error:
            error.add_note(f"while: {step.__doc__ or step}")
            raise

    return tried


def _sign_in_with_django(visitor: Visitor) -> None:
    led = visitor.ask(visitor.base, 303).headers["Location"]
    page = visitor.ask(led, 200)
    typed = visitor.fill_in(page, "/login/", username="ada", password="ada")
    back = visitor.ask("/accounts/login/", 302, typed).headers["Location"]
    if not back.endswith(visitor.base):
        raise Wrong(f"after signing in one is at {back}")


def _look(visitor: Visitor, path: str) -> str:
    if find_browser() is None:
        return "no browser here"
    look(f"{visitor.url}{path}", visitor.cookies)
    return "a browser"
