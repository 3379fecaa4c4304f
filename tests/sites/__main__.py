"""``python -m tests.sites``: the app in sites of every kind, from its built wheel."""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from .configurations import CONFIGURATIONS
from .environments import ROOT, Environments
from .play import play
from .site import free_port, running
from .visit import Skipped
from .walk import fixtures, types, walk

#: What is tried besides the sites: what the documents print.
EXTRA: Final = {"readme": walk, "fixtures": fixtures, "types": types}


def main(arguments: Sequence[str] | None = None) -> int:
    """Go through the sites; tell what became of each."""
    parser = argparse.ArgumentParser(prog="python -m tests.sites", description=__doc__)
    parser.add_argument("names", nargs="*", help="words of the names of sites; default: all")
    parser.add_argument(
        "--number", type=int, default=0, help="try so many of them, drawn by --seed"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--environments", type=Path, default=ROOT / ".venv-sites")
    options = parser.parse_args(arguments)

    chosen = [c for c in CONFIGURATIONS if all(word in c.name for word in options.names)]
    if options.number:
        chosen = random.Random(options.seed).sample(chosen, min(options.number, len(chosen)))
    environments = Environments(options.environments)
    for name in sorted({what.environment for what in chosen} | {"lowest", "newest"}):
        python = environments.python(name)
        there = environments.version_of(name, "Django")
        print(f"{name}: Django {there}, {python}", flush=True)

    count = {"passed": 0, "failed": 0, "skipped": 0}
    with (
        tempfile.TemporaryDirectory(prefix="sites-") as folder,
        redis_server() as redis,
        ThreadPoolExecutor(options.jobs) as pool,
    ):
        place = Path(folder)
        tries = [
            pool.submit(_try, what.name, partial(play, what, environments, place / f"{n}", redis))
            for n, what in enumerate(chosen)
        ]
        wanted = set(options.names) & set(EXTRA) if options.names else set(EXTRA)
        for name, extra in EXTRA.items():
            if name not in wanted:
                continue
            tries.append(pool.submit(_try, name, partial(extra, environments, place / name)))
        for future in tries:
            count[future.result()] += 1
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**count))
    return 1 if count["failed"] else 0


def _try(name: str, play_it: Callable[[], str]) -> str:
    """Try one, and tell at once what came of it; return which of the three that is."""
    begun = time.monotonic()
    try:
        what, how = "passed", play_it()
    except Skipped as reason:
        what, how = "skipped", str(reason)
    except Exception as error:  # noqa: BLE001 - each is to be told, and the next one tried
        notes = getattr(error, "__notes__", [])
        what, how = "failed", "\n".join([f"{type(error).__name__}: {error}", *notes])
    print(f"{what:8}{name} ({time.monotonic() - begun:.0f} s): {how}", flush=True)
    return what


@contextmanager
def redis_server() -> Iterator[str]:
    """Run a Redis while the context lasts; its URL, or nothing where there is none."""
    if shutil.which("redis-server") is None:
        yield ""
        return
    port = free_port()
    command = ("redis-server", "--port", f"{port}", "--save", "", "--appendonly", "no")
    with (
        tempfile.TemporaryDirectory() as folder,
        running(command, port, Path(folder), "redis", {}),
    ):
        yield f"redis://127.0.0.1:{port}"


if __name__ == "__main__":
    sys.exit(main())
