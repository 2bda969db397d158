"""The page on what models may rely on says what the code does."""

import re
from pathlib import Path

from services.agent.environment.actions import Action
from services.agent.environment.states import LAYOUTS
from tests.tables import each_row

PAGE = (Path(__file__).parents[4] / "docs" / "model-contracts.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (\d+)(?:–(\d+))? \| (\w+) \|", re.MULTILINE)


def section(title: str) -> str:
    return re.split(r"^#{2,3} ", PAGE.split(f"# {title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


@each_row("version", LAYOUTS)
def test_each_index_of_a_state_is_told(version: str) -> None:
    told = [(int(first), int(last or first), name) for first, last, name in ROW.findall(section(version))]
    names = LAYOUTS[version].names
    assert [first for first, _, _ in told] == [0, *(last + 1 for _, last, _ in told[:-1])]
    assert told[-1][1] + 1 == len(names)
    assert [name for first, last, name in told for _ in range(last + 1 - first)] == [re.sub(r"(_ahead)_\d\dh$", r"\1", name) for name in names]


def test_each_action_is_told_with_its_mode() -> None:
    told = {(int(number), name, mode) for number, name, mode in re.findall(r"^\| (\d) \| (\w+) \| `(\w+)`", section("Actions"), re.MULTILINE)}
    assert told == {(action.value, action.name, action.mode.word) for action in Action}
