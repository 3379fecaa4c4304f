"""Clerk's descriptions of its Backend and Frontend API, as a judge of requests and answers."""

from __future__ import annotations

import json
import re
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

_FOLDER = Path(__file__).resolve().parents[3] / "shared" / "clerk"
SPEC_FILE = _FOLDER / "bapi-2026-05-12.json"
MORE_FILE = _FOLDER / "bapi-more-2026-05-12.json"
"""Further parts of the Backend API: sessions, and what may be done with memberships."""
FRONTEND_FILE = _FOLDER / "fapi-2026-05-12.json"
"""The Frontend API, whose paths begin with ``/v1`` in its description."""

ANYWHERE = {401, 405, 409, 415, 429}
"""Answers Clerk gives on any path without saying so in each path's description."""

NOT_SAID = {
    ("GET", "/organizations/{organization_id}", 400),
    ("GET", "/organizations/{organization_id}", 422),
    ("GET", "/organizations/{organization_id}/memberships", 404),
    ("GET", "/users/{user_id}/organization_memberships", 404),
    ("POST", "/organizations/{organization_id}/invitations/bulk", 402),
}
"""Answers the description leaves out, where its neighbours have them or for reasons of form."""

NOT_DESCRIBED = ("/organizations", "/clients/handshake_payload")
"""Paths that Clerk has and this part of its description leaves out or empty."""


def without_nullable(schema: Any) -> Any:
    """OpenAPI 3.0's ``nullable``, which JSON Schema does not know, in JSON Schema's own words."""
    if isinstance(schema, list):
        return [without_nullable(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: without_nullable(value) for name, value in schema.items() if name != "nullable"}
    if schema.get("nullable") is True:
        return {"anyOf": [{"type": "null"}, plain]}
    return plain


class Spec:
    """A description with its paths, relative to ``prefix``."""

    def __init__(self, document: dict[str, Any], prefix: str = "/v1") -> None:
        self.prefix = prefix
        self.document = without_nullable(document)
        resource = DRAFT202012.create_resource(self.document)
        self.registry: Registry[Any] = Registry().with_resource("urn:bapi", resource)

    @classmethod
    def load(cls, file: Path = SPEC_FILE) -> Spec | None:
        prefix = "" if file == FRONTEND_FILE else "/v1"
        return cls(json.loads(file.read_text()), prefix) if file.exists() else None

    @cached_property
    def templates(self) -> list[tuple[re.Pattern[str], str]]:
        # Paths without parameters first: "bulk" is no invitation's id.
        paths = sorted(self.document["paths"], key=lambda path: path.count("{"))
        return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path) for path in paths]

    def operation(self, method: str, path: str) -> tuple[str, dict[str, Any] | None]:
        """The pointer to, and the description of, what a request asks for."""
        for pattern, template in self.templates:
            item = self.document["paths"][template]
            if pattern.fullmatch(path) and method.lower() in item:
                pointer = template.replace("~", "~0").replace("/", "~1")
                return f"/paths/{pointer}/{method.lower()}", item[method.lower()]
        return "", None

    def errors(self, pointer: str, value: Any) -> list[str]:
        """What is wrong with ``value`` by the schema at ``pointer``."""
        quoted = pointer.replace("{", "%7B").replace("}", "%7D")
        validator = Draft202012Validator({"$ref": f"urn:bapi#{quoted}"}, registry=self.registry)
        return [f"{e.json_path}: {e.message}" for e in validator.iter_errors(value)]

    def check_body(self, method: str, path: str, body: Any) -> list[str]:
        pointer, operation = self.operation(method, path)
        if operation is None or "requestBody" not in operation:
            return [] if body is None else ["a body where none is described"]
        return self.errors(f"{pointer}/requestBody/content/application~1json/schema", body)

    def check_answer(self, method: str, url: str, status: int, body: Any) -> list[str]:
        path = urlsplit(url).path.removeprefix(self.prefix)
        pointer, operation = self.operation(method, path)
        if operation is None:
            if status >= 400:
                return self.errors("/components/schemas/ClerkErrors", body)
            return [] if path in NOT_DESCRIBED else [f"{method} {path} is not described"]
        answer = operation["responses"].get(str(status))
        if answer is None:
            template = pointer.split("/")[2].replace("~1", "/").replace("~0", "~")
            beyond = status in ANYWHERE | {422} or (method, template, status) in NOT_SAID
            if beyond:
                return self.errors("/components/schemas/ClerkErrors", body)
            return [f"status {status} is not described for {method} {path}"]
        if "$ref" not in answer:  # described in its place
            where = f"{pointer}/responses/{status}/content/application~1json/schema"
            return self.errors(where, body) if "content" in answer else []
        name = answer["$ref"].rpartition("/")[2]
        return self.errors(f"/components/responses/{name}/content/application~1json/schema", body)
