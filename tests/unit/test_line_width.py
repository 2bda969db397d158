"""Scripts, style sheets and templates keep to 100 columns; ruff looks at Python."""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
COLUMNS = 100
# Scripts of npm's packages and what is built from ours stand beside these.
PLACES = (
    "luna/words/charts/*",
    "services/api/frontend/*",
    "services/api/frontend/src/**/*",
    "services/api/frontend/tests/*",
    "services/api/pages/**/*",
    "services/demo/**/*",
    "services/edge/**/*",
)
ENDINGS = {".css", ".html", ".j2", ".js", ".ts"}


def test_no_line_of_scripts_style_sheets_and_templates_is_wider_than_100_columns() -> None:
    files = list(list_files())
    wide = [
        f"{path.relative_to(ROOT)}:{number} has {len(line)} columns"
        for path in files
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if len(line) > COLUMNS and "://" not in line
    ]

    assert wide == []
    assert {path.suffix for path in files} == ENDINGS


def list_files() -> Iterator[Path]:
    for place in PLACES:
        for path in ROOT.glob(place):
            if path.suffix in ENDINGS:
                yield path
