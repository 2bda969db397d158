"""The one table of colours, which charts, pages and scripts take theirs from."""

import re

from luna.words.charts.style import read_asset
from tests.support.documentation.pages import ROOT

SHEETS = sorted(
    [
        *(ROOT / "luna/words/charts").glob("*.css"),
        *(ROOT / "services/api/pages/styles").glob("*.css"),
    ]
)
LOOK = ROOT / "services/api/frontend/src/home/look.js"
DEFINED = re.compile(r"--([\w-]+)\s*:")
QUANTITIES = {
    "load",
    "pv",
    "battery",
    "grid",
    "export",
    "ev",
    "heater",
    "price",
    "sell-price",
    "co2",
}


def read_palette() -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (light-dark\([^)]*\));", str(read_asset("palette.css"))))


def test_every_quantity_has_a_colour_of_its_own() -> None:
    palette = read_palette()
    assert set(palette) >= QUANTITIES
    assert len({palette[name] for name in QUANTITIES}) == len(QUANTITIES)


def test_no_other_style_sheet_says_what_a_colour_is() -> None:
    said = {
        sheet.name: set(DEFINED.findall(sheet.read_text(encoding="utf-8"))) & set(read_palette())
        for sheet in SHEETS
        if sheet.name != "palette.css"
    }
    assert {name: names for name, names in said.items() if names} == {}


def test_every_colour_that_a_sheet_or_a_script_takes_is_in_the_table() -> None:
    script = re.search(r"TOKENS = .*?\]\);", LOOK.read_text(encoding="utf-8"), re.DOTALL)
    assert script is not None
    taken = set(re.findall(r'"([\w-]+)"', script[0]))
    assert taken - set(read_palette()) == set()
