"""What the documents print: tests run it, and so it is so."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def text(name: str) -> str:
    """A document, by its path from the root."""
    return (ROOT / name).read_text()


def section(name: str, heading: str) -> str:
    """The part of a document below a heading, up to the next one of the same or a higher rank."""
    document = text(name)
    rank = len(heading) - len(heading.lstrip("#"))
    start = f"\n{document}".index(f"\n{heading}\n") + len(heading) + 1
    # A comment in an example is no heading.
    rest = re.sub(
        r"^```.*?^```$",
        lambda found: "`" * len(found[0]),
        document[start:],
        flags=re.MULTILINE | re.DOTALL,
    )
    end = re.search(rf"^#{{1,{rank}}} ", rest, re.MULTILINE)
    return document[start : start + end.start()] if end else document[start:]


def blocks(document: str, language: str) -> list[str]:
    """The code blocks of a language."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", document, re.MULTILINE | re.DOTALL)
    return [str(block) for block in found]


def block(name: str, heading: str, language: str = "python") -> str:
    """The first code block below a heading: an example that a test can run."""
    return blocks(section(name, heading), language)[0]
