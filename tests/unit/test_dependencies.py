"""Each library has a reason beside it in ``pyproject.toml``: docs/decisions/0003."""

import re
from pathlib import Path

TEXT = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
LINES = TEXT[TEXT.index("dependencies = [") : TEXT.index("[project.scripts]")].splitlines()


def test_every_dependency_has_a_reason() -> None:
    listed = [line for line in LINES if line.startswith('  "')]
    assert len(listed) > 80
    assert [line for line in listed if not re.search(r'",  # \w', line)] == []
    # Extras in one line stand below a comment that speaks for all of them.
    groups = [
        number for number, line in enumerate(LINES) if re.match(r'\w+ = \["(?!luna-energy)', line)
    ]
    assert len(groups) > 8
    assert [
        LINES[number]
        for number in groups
        if not any(line.startswith("# ") for line in LINES[number - 3 : number])
    ] == []
