"""Backend API: the instance's roles, and the role sets that say who may use which."""

from __future__ import annotations

from typing import Any

from . import errors, shapes
from .params import ordered, page
from .routing import BAPI, Call, Router
from .state import Role, RoleSet

router = Router(BAPI, "/v1")


def _found(row: Role | RoleSet, query: str) -> bool:
    # Exact for the id, partial for name and key, as the API description has it.
    return row.id == query or query.casefold() in f"{row.name}\n{row.key}".casefold()


@router.on("GET", "/organization_roles")
def list_roles(call: Call) -> dict[str, Any]:
    """All roles of the instance, whichever organization may use them."""
    query = call.request.argument("query") or ""
    rows = [row for row in call.state.roles.values() if _found(row, query)]
    keys = {
        "created_at": lambda row: row.created_at,
        "name": lambda row: row.name.casefold(),
        "key": lambda row: row.key,
    }
    listed = ordered(call, rows, keys, "-created_at")
    return page(call, listed, lambda row: shapes.role(call.state, row))


@router.on("GET", "/role_sets")
def list_role_sets(call: Call) -> dict[str, Any]:
    query = call.request.argument("query") or ""
    rows = [row for row in call.state.role_sets.values() if _found(row, query)]
    keys = {
        "created_at": lambda row: row.created_at,
        "name": lambda row: row.name.casefold(),
        "key": lambda row: row.key,
    }
    listed = ordered(call, rows, keys, "-created_at")
    return page(call, listed, lambda row: shapes.role_set(call.state, row))


@router.on("GET", "/role_sets/{role_set_key_or_id}")
def get_role_set(call: Call) -> dict[str, Any]:
    wanted = call.params["role_set_key_or_id"]
    for row in call.state.role_sets.values():
        if wanted in (row.key, row.id):
            return shapes.role_set(call.state, row)
    raise errors.resource_not_found("Role set not found.")
