"""Adding one thing touches few files: each "How to add …" of CONTRIBUTING, carried out on a copy of
the code.
"""

import re
from importlib import import_module
from pathlib import Path

import pytest

from tests.changes.change import Change, apply_edits, carry_out

MOST_FILES = 4
# Beside them a registry of the kernel and one of a service may name the new member.
MOST_REGISTRIES = 2
LISTING = re.compile(r'(from [\w.]+ import [\w, ]+|("\w+": )?[\w.]+,)\n')
FOLDER = Path(__file__).resolve().parent.parent / "changes"
CHANGES = [
    import_module(f"tests.changes.{path.stem}").CHANGE
    for path in sorted(FOLDER.glob("*.py"))
    if path.stem != "change"
]
# A proof imports the whole product anew; a short run shows a change of the planner and the widest
# one.
PROVEN_SHORTLY = {"kind of device", "a kind of tariff that couples slots"}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_adding_one_thing_touches_few_files_which_have_its_place(
    change: Change, tmp_path: Path
) -> None:
    apply_edits(change, tmp_path)

    assert len(change.product_files) <= MOST_FILES, change.product_files
    assert len(change.registries) <= MOST_REGISTRIES, change.registries
    listings = [edit.text.lstrip() for edit in change.edits if edit.lists]
    assert [text for text in listings if not LISTING.fullmatch(text)] == []


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(
            change, id=change.name, marks=() if change.name in PROVEN_SHORTLY else pytest.mark.long
        )
        for change in CHANGES
    ],
)
def test_adding_one_thing_touches_few_files_and_works(change: Change, tmp_path: Path) -> None:
    ended = carry_out(change, tmp_path)

    assert ended.returncode == 0, ended.stderr[-3000:]


def test_what_short_runs_prove_is_there() -> None:
    assert {change.name for change in CHANGES} >= PROVEN_SHORTLY
