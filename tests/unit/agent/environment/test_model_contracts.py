"""The page on what models may rely on says what the code does."""

import re
from pathlib import Path

from services.agent.environment.actions import Action

PAGE = (Path(__file__).parents[4] / "docs" / "model-contracts.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return re.split(r"^#{2,3} ", PAGE.split(f"# {title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[
        0
    ]


def test_each_action_is_told_with_its_mode() -> None:
    told = {
        (int(number), name, mode)
        for number, name, mode in re.findall(
            r"^\| (\d) \| (\w+) \| `(\w+)`", section("Actions"), re.MULTILINE
        )
    }
    assert told == {(action.value, action.name, action.mode.word) for action in Action}
