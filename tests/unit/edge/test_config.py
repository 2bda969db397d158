"""The lab's configuration: every key of the founding document, its defaults, and what is refused
with where and why.
"""

from pathlib import Path
from typing import Any

import json5
import pytest

from luna.energy.errors import InvalidInputError
from services.edge.config import EdgeConfig, parse_config, read_config
from tests.support.suite.tables import each_row

EXAMPLE = Path("config/edge.jsonc")


def test_the_example_writes_out_every_key_with_its_default() -> None:
    assert read_config(EXAMPLE) == EdgeConfig()
    assert keys(json5.loads(EXAMPLE.read_text(encoding="utf-8"))) == keys(
        EdgeConfig().model_dump(by_alias=True)
    )


def keys(document: Any, path: str = "") -> set[str]:
    """The paths of all keys."""
    if not isinstance(document, dict):
        return {path}
    return {path} | {
        each for name, value in document.items() for each in keys(value, f"{path}.{name}")
    }


@each_row(
    ("text", "where", "said"),
    [
        (
            '{"global": {"wrokers": 3}}',
            "global.wrokers",
            "every key that is known stands in config/edge.jsonc",
        ),
        ('{"globe": {}}', "globe", "every key that is known"),
        (
            '{"simulation": {"battery": {"capacity_wh": -1}}}',
            "simulation.battery.capacity_wh",
            "greater than 0",
        ),
        (
            (
                '{"training_data": {"scenario_generation": {"accuracy_range": {"min": 0.9, '
                '"max": 0.3}}}}'
            ),
            "accuracy_range",
            "min (0.9) lies above max (0.3)",
        ),
        (
            '{"batch_simulation": {"variations": {"accuracy_range": {"min": 30, "max": 800}}}}',
            "accuracy_range",
            "within 0 and 100",
        ),
        ('{"simulation": {"battery": {"capacity_wh": Infinity}}}', "capacity_wh", "finite"),
        (
            '{"data_sources": {"locations": ["TX"]}}',
            "data_sources.locations.0",
            "'CA', 'FL', 'NW' or 'NY'",
        ),
        ('{"controller_training": {"training": {"optimizer": "sgd"}}}', "optimizer", "adam"),
        ('{"global": {"workers": 1, "workers": 2}}', "mine.jsonc", "workers"),
        ('{ // half\n "global": {', "mine.jsonc", "not JSON with comments"),
        ("[]", "mine.jsonc", "dictionary"),
    ],
)
def test_what_nobody_understands_is_refused_and_named(text: str, where: str, said: str) -> None:
    with pytest.raises(InvalidInputError) as raised:
        parse_config(text, name="mine.jsonc")
    assert where in str(raised.value)
    assert said in str(raised.value)


def test_comments_and_trailing_commas_are_read() -> None:
    config = parse_config('{ /* two */ "simulation": { "duration_days": 7, }, // a week\n}')
    assert config.simulation.duration_days == 7


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"gone\.jsonc"):
        read_config(tmp_path / "gone.jsonc")
