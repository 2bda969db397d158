"""A site with some of its fields changed."""

from typing import Any

import pytest

from luna.energy.errors import InvalidInputError
from luna.energy.site import parse_site
from luna.energy.site.document import change_site
from tests.support.suite.tables import each_row

BATTERY = {"name": "battery", "capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
SITE = parse_site(
    {
        "name": "home",
        "timezone": "Europe/Berlin",
        "batteries": [BATTERY],
        "pv": [{"name": "roof", "peak_kw": 6}],
        "tariff": {"import": {"kind": "spot", "market": "NL", "markup": 0.13}},
        "input_sensors": {"battery_soc": "sensor.soc"},
    }
)


def test_one_field_of_one_battery_changes_and_all_else_stays() -> None:
    changed = change_site(SITE, {"batteries": {"battery": {"capacity_kwh": 15}}})
    assert changed == SITE.model_copy(
        update={"batteries": [SITE.batteries[0].model_copy(update={"capacity_kwh": 15.0})]}
    )


def test_batteries_come_and_go_by_name() -> None:
    second = {"capacity_kwh": 5, "charge_limit_kw": 2, "discharge_limit_kw": 2}
    assert [
        each.name for each in change_site(SITE, {"batteries": {"second": second}}).batteries
    ] == ["battery", "second"]
    assert change_site(SITE, {"batteries": {"battery": None}}).batteries == []
    assert [
        each.name
        for each in change_site(SITE, {"batteries": [second | {"name": "other"}]}).batteries
    ] == ["other"]


def test_a_load_is_added_with_its_kind() -> None:
    tank = {"tank": {"kind": "water_heater", "power_kw": 2, "energy_kwh_per_day": 4}}
    assert [(each.name, each.kind) for each in change_site(SITE, {"loads": tank}).loads] == [
        ("tank", "water_heater")
    ]


def test_a_price_rule_of_another_kind_takes_the_place_of_the_one_before() -> None:
    assert change_site(
        SITE, {"tariff": {"import": {"kind": "fixed", "price": 0.3}}}
    ).tariff.import_.model_dump() == {"kind": "fixed", "price": 0.3}
    assert (
        change_site(SITE, {"tariff": {"import": {"markup": 0.2}}}).tariff.import_.model_dump()[
            "market"
        ]
        == "NL"
    )


@each_row(
    ("changes", "field"),
    [
        pytest.param(
            {"batteries": {"battery": {"capacity_kwh": -5}}},
            "site.batteries.0.capacity_kwh",
            id="negative battery",
        ),
        pytest.param(
            {"batteries": {"new": {"capacity_kwh": 5}}},
            "site.batteries.1.charge_limit_kw",
            id="new battery without power",
        ),
        pytest.param(
            {"batteries": {"attic": None}},
            "site.batteries.attic",
            id="none of this name to take away",
        ),
        pytest.param(
            {"batterys": {"battery": {"capacity_kwh": 5}}}, "site.batterys", id="no such field"
        ),
        pytest.param(
            {"pv": {"roof": {"peak": 9}}}, "site.pv.0.peak", id="no such field of an array"
        ),
        pytest.param({"timezone": "UTC"}, "site.timezone", id="cannot change"),
    ],
)
def test_what_names_nothing_known_or_makes_no_site_is_refused(
    changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        change_site(SITE, changes)
    assert refused.value.field == field
    assert refused.value.remedy
