"""Adding one thing touches few files: each "How to add …" of CONTRIBUTING, carried out on a copy of the code."""

from importlib import import_module
from pathlib import Path

import pytest

from tests.changes.change import Change, carry_out

MOST_FILES = 4
FOLDER = Path(__file__).resolve().parent.parent / "changes"
CHANGES = [import_module(f"tests.changes.{path.stem}").CHANGE for path in sorted(FOLDER.glob("*.py")) if path.stem != "change"]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_adding_one_thing_touches_few_files_and_works(change: Change, tmp_path: Path) -> None:
    ended = carry_out(change, tmp_path)

    assert ended.returncode == 0, ended.stderr[-3000:]
    assert len(change.product_files) <= MOST_FILES, change.product_files
