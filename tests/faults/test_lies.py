"""The seeded lies: there are ten at least, and each can be told in the code as it is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import org_invitations

from .failures import KINDS
from .lies import LIES, AnchorMoved, Edit, Lie, apply
from .registry import get_actions

APP = Path(org_invitations.__file__).parent


def test_there_are_ten_at_least() -> None:
    assert len({lie.name for lie in LIES}) == len(LIES) >= 10


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.name)
def test_a_lie_has_its_place_in_the_code(lie: Lie, tmp_path: Path) -> None:
    for edit in lie.edits:
        (tmp_path / edit.file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(APP / edit.file, tmp_path / edit.file)
    apply(lie, tmp_path)
    for edit in lie.edits:
        compile((tmp_path / edit.file).read_text(), edit.file, "exec")
    assert set(lie.finds) <= set(KINDS)
    for beginning in lie.actions:
        assert any(action.name.startswith(beginning) for action in get_actions())


@pytest.mark.parametrize("text", ["", "x = 1\nx = 1\n"])
def test_an_anchor_that_has_moved_is_a_loud_failure(text: str, tmp_path: Path) -> None:
    (tmp_path / "file.py").write_text(text)
    lie = Lie("a lie", (Edit("file.py", "x = 1", "x = 2"),), ())
    with pytest.raises(AnchorMoved, match="a lie"):
        apply(lie, tmp_path)
