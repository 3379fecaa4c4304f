"""Print docs/hooks.md: what a site may change in the views, as their source says it.

``python -m tools.hooks > docs/hooks.md``; a test compares the two.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

VIEWS = Path(__file__).parents[1] / "org_invitations" / "views"

#: In this order, those first that others are made of.
MODULES = (
    "base",
    "page",
    "list",
    "embed",
    "invite",
    "draft",
    "confirm",
    "revoke",
    "resend",
    "link",
    "selection",
    "outcome",
    "progress",
    "session",
)

#: What Django calls, and what is each view's own.
NO_HOOKS = {"as_view", "dispatch", "embed", "setup", "get", "post", "http_method_names"}

HEAD = """\
# What can be changed in the views

Printed from the source by `python -m tools.hooks > docs/hooks.md`. Everything here is a promise
within a major version; what is not here, or begins with an underscore, is none. A class of a site's
own has what it changes for all pages: [one class for all pages](views.md#one-class-for-all-pages).

In methods, `self.request` is the request, `self.identity` who asks, `self.service` the service for
the organization, and `self.wording` the sentences. Where an attribute and a method are about the
same, the method returns the attribute, unless a class of yours says otherwise.
"""


def get_hooks() -> dict[str, list[str]]:
    """Return the names of all hooks, methods and attributes, by class."""
    return {
        kind.name: [name for name, *_ in (*_attributes(kind, lines), *_methods(kind, lines))]
        for lines, kind in _classes()
    }


def get_page() -> str:
    """Return the whole document."""
    return "\n".join([HEAD, *_sections()])


def _classes() -> Iterator[tuple[list[str], ast.ClassDef]]:
    public = (VIEWS / "__init__.py").read_text()
    for module in MODULES:
        source = (VIEWS / f"{module}.py").read_text()
        for node in ast.parse(source).body:
            if isinstance(node, ast.ClassDef) and f'"{node.name}"' in public:
                yield source.splitlines(), node


def _sections() -> Iterator[str]:
    for lines, kind in _classes():
        bases = ", ".join(ast.unparse(base) for base in kind.bases)
        attributes, methods = list(_attributes(kind, lines)), list(_methods(kind, lines))
        yield f"## {kind.name}\n"
        above = f" Begins with `{bases}`." if bases not in ("", "View") else ""
        yield f"{_first_line(kind)}{above}\n"
        if attributes:
            yield "| attribute | default | |\n|---|---|---|"
            yield from (
                f"| `{name}` | {default} | {comment} |" for name, default, comment in attributes
            )
            yield ""
        if methods:
            yield f"```python\nclass {kind.name}{f'({bases})' if bases else ''}:"
            yield "\n\n".join(source for _, source in methods)
            yield "```\n"


def _attributes(kind: ast.ClassDef, lines: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield the name, the default and the comment of each public attribute."""
    for node in kind.body:
        target: ast.expr
        value: ast.expr | None
        if isinstance(node, ast.AnnAssign):
            target, value = node.target, node.value
        elif isinstance(node, ast.Assign):
            target, value = node.targets[0], node.value
        else:
            continue
        name = ast.unparse(target)
        if name.startswith("_") or name in NO_HOOKS:
            continue
        if value is None:  # set for each request
            continue
        default = ast.unparse(value)
        shown = "see the source" if isinstance(value, ast.Dict) else f"`{_plain(default)}`"
        yield name, shown, _comment(lines, node.lineno)


def _methods(kind: ast.ClassDef, lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the name of each public method, and its source down to the docstring."""
    for node in kind.body:
        if not isinstance(node, ast.FunctionDef):
            continue
        if not node.name.startswith("_") and node.name not in NO_HOOKS:
            yield node.name, "\n".join(lines[node.lineno - 1 : node.body[0].end_lineno])


def _comment(lines: Sequence[str], number: int) -> str:
    """Return the comment right above a line."""
    found: list[str] = []
    for line in reversed(lines[: number - 1]):
        if not line.strip().startswith("#:"):
            break
        found.insert(0, line.strip().removeprefix("#:").strip())
    return _in_markdown(" ".join(found)).replace("|", "\\|")


def _first_line(kind: ast.ClassDef) -> str:
    return _in_markdown((ast.get_docstring(kind) or "").split("\n\n")[0].replace("\n", " "))


def _in_markdown(text: str) -> str:
    return re.sub(r":\w+:`[~.]?(\w+)`", r"`\1`", text).replace("``", "`")


def _plain(default: str) -> str:
    names = {"HTTPStatus.UNPROCESSABLE_ENTITY": "422"}
    return names.get(default, default).strip("'\"")


if __name__ == "__main__":
    print(get_page(), end="")
