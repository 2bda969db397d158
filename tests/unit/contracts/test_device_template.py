"""What is written for a set-point, and when what is read back equals it."""

import pytest

from luna.contracts.control import BatterySetpoint
from luna.contracts.device_template import Write, matches, render
from luna.energy.errors import InvalidInputError
from luna.energy.site import parse_site
from luna.energy.site.control import Control
from tests.support.control.inverters import MODE, POWER, describe
from tests.support.suite.tables import each_row

CHARGE = BatterySetpoint(
    mode="charge", power_kw=2.5, target_soc=0.8, floor_soc=0.1, ceiling_soc=0.9
)


def written(setpoint: BatterySetpoint, **battery: object) -> list[tuple[str, str]]:
    writes = render(Control.model_validate(describe(**battery)), {"battery": setpoint})
    return [(write.to, write.value) for write in writes]


def test_power_is_written_before_the_mode_that_uses_it() -> None:
    assert written(CHARGE) == [(POWER, "2500"), (MODE, "Force Charge")]


def test_what_a_mode_does_not_use_is_not_written() -> None:
    assert written(CHARGE.model_copy(update={"mode": "hold"})) == [(MODE, "Standby")]


def test_every_placeholder_has_its_unit() -> None:
    value = "{mode}|{power_kw}|{power_w}|{target_percent}|{floor_percent}|{ceiling_percent}"
    assert written(CHARGE, writes=[{"to": "text.all", "value": value}]) == [
        ("text.all", "Force Charge|2.5|2500|80|10|90")
    ]


@each_row("said", ["2500", "2500.0", "2490", " 2500 "])
def test_numbers_may_come_back_rounded(said: str) -> None:
    assert matches([Write(POWER, "2500", POWER)], {POWER: said})


@pytest.mark.parametrize("said", [{POWER: "2400"}, {POWER: "unknown"}, {}])
def test_another_number_or_none_is_no_confirmation(said: dict[str, str]) -> None:
    assert not matches([Write(POWER, "2500", POWER)], said)


def test_a_button_is_read_back_only_where_the_site_says_where() -> None:
    control = Control.model_validate(
        describe(writes=[{"to": "button.go", "value": "go"}, {"to": MODE, "value": "{mode}"}])
    )
    assert [write.read_back for write in render(control, {"battery": CHARGE})] == [None, MODE]


@each_row(
    ("control", "words"),
    [
        pytest.param(
            describe(modes={"self_consumption": "Self Use"}), "hold is missing", id="no hold"
        ),
        pytest.param(
            describe(writes=[{"to": MODE, "value": "{modus}"}]), "{modus}", id="unknown placeholder"
        ),
        pytest.param(describe(soc=None), "soc is missing", id="no state of charge"),
        pytest.param(
            describe("mqtt", writes=[{"to": "a", "value": "{mode}"}]),
            "needs read_back",
            id="nothing to read back",
        ),
        pytest.param(describe(battery="other"), "'other'", id="no such battery"),
    ],
)
def test_a_section_that_could_not_be_followed_safely_is_refused(
    control: dict[str, object], words: str
) -> None:
    battery = {"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
    with pytest.raises(InvalidInputError) as caught:
        parse_site({"name": "home", "timezone": "UTC", "batteries": [battery], "control": control})
    assert words in str(caught.value)
