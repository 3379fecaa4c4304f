"""Clerk's description of the Backend API, which lies beside the project."""

from __future__ import annotations

import os

import pytest

from tests.contract.spec import SPEC_FILE, Spec


@pytest.fixture(scope="session")
def spec() -> Spec:
    found = Spec.load()
    if found is None:
        reason = f"Clerk's API description is not at hand: ../{'/'.join(SPEC_FILE.parts[-3:])}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found
