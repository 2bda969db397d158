"""A sensor that is turned, or gets another role: from now on, with its past as it was."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from luna.energy.site import Site, parse_site
from luna.energy.site.sensor_changes import SensorChange, date_changes, exchange_sensors

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
THEN = "2026-03-01T13:00:00+01:00"


def describe(**roles: Any) -> Site:
    return parse_site({"name": "home", "timezone": "Europe/Berlin", "input_sensors": roles})


def entries(site: Site) -> dict[str, list[Any]]:
    return {
        name: listed
        for name, listed in site.model_dump(mode="json", by_alias=True, exclude_none=True)[
            "input_sensors"
        ].items()
        if listed
    }


TURNED = {
    "total_grid_import": [{"sensor": "meter", "until": THEN}, {"sensor": "-meter", "from": THEN}]
}
MOVED = {
    "total_grid_import": [{"sensor": "meter", "until": THEN}],
    "total_grid_export": [{"sensor": "meter", "from": THEN}],
}


@pytest.mark.parametrize(
    ("new", "expected", "after"),
    [
        ({"total_grid_import": "-meter"}, TURNED, "-total_grid_import"),
        ({"total_grid_export": "meter"}, MOVED, "total_grid_export"),
    ],
    ids=["sign", "role"],
)
def test_a_changed_sensor_counts_so_from_now_on_and_once(
    new: dict[str, Any], expected: dict[str, Any], after: str
) -> None:
    changed, changes = date_changes(describe(total_grid_import="meter"), describe(**new), at=AT)
    assert entries(changed) == expected
    assert changes == [SensorChange("meter", ("total_grid_import",), (after,))]
    # The same file again, a day later.
    assert date_changes(changed, describe(**new), at=AT + timedelta(days=1)) == (changed, [])


KWH = "mqtt:meter/energy#total [kWh]"
WH = "mqtt:meter/energy#total [Wh]"


def test_a_topic_with_another_unit_follows_the_one_of_before_and_once() -> None:
    stored = describe(
        vehicle_consumption=KWH, total_load_consumption="house", outside_house_meter=[KWH]
    )
    new = describe(vehicle_consumption=WH, total_load_consumption="house", outside_house_meter=[WH])
    changed, changes = date_changes(stored, new, at=AT)
    assert entries(changed)["vehicle_consumption"] == [
        {"sensor": KWH, "until": THEN},
        {"sensor": WH, "from": THEN},
    ]
    # What did not pass the house's meter before did not by its old name.
    assert set(changed.input_sensors.outside_house_meter) == {KWH, WH}
    assert changes == [SensorChange(WH, ("vehicle_consumption",), ("vehicle_consumption",), (KWH,))]
    assert date_changes(changed, new, at=AT + timedelta(days=1)) == (changed, [])
    # And back: the past has both.
    back, _ = date_changes(changed, stored, at=AT + timedelta(hours=1))
    later = "2026-03-01T14:00:00+01:00"
    times = [
        (each["sensor"], each.get("from"), each.get("until"))
        for each in entries(back)["vehicle_consumption"]
    ]
    assert sorted(times, key=lambda each: each[1] or "") == [
        (KWH, None, THEN),
        (WH, THEN, later),
        (KWH, later, None),
    ]


@pytest.mark.parametrize(
    "new", ["mqtt:other/energy#total [Wh]", "mqtt:meter/energy#other [Wh]", "sensor.energy [Wh]"]
)
def test_another_topic_is_another_sensor(new: str) -> None:
    assert date_changes(
        describe(total_grid_import=KWH), describe(total_grid_import=new), at=AT
    ) == (describe(total_grid_import=new), [])


def test_a_sensor_that_is_turned_back_has_three_times() -> None:
    later = AT + timedelta(hours=1)
    back, _ = date_changes(describe(**TURNED), describe(total_grid_import="meter"), at=later)
    first, second, third = entries(back)["total_grid_import"]
    assert (first, second["until"], third["from"]) == (
        TURNED["total_grid_import"][0],
        "2026-03-01T14:00:00+01:00",
        "2026-03-01T14:00:00+01:00",
    )


@pytest.mark.parametrize(
    "new",
    [
        {"total_grid_import": ["meter", "other"], "battery_soc": "soc"},
        {"total_grid_import": [{"sensor": "-meter", "from": "2026-01-01"}]},
        {"total_grid_export": "another"},
        {},
    ],
    ids=["added", "dated by its owner", "replaced", "removed"],
)
def test_what_is_added_removed_or_dated_is_taken_as_it_stands(new: dict[str, Any]) -> None:
    assert date_changes(describe(total_grid_import="meter"), describe(**new), at=AT) == (
        describe(**new),
        [],
    )


def test_an_exchanged_sensor_ends_where_the_one_in_its_place_begins() -> None:
    stored = describe(
        total_grid_import=["old", "cabin"],
        vehicle_consumption="wallbox",
        total_load_consumption="house",
        outside_house_meter=["wallbox"],
    )
    changed = exchange_sensors(
        stored,
        describe(
            total_grid_import=["cabin", "new"], total_load_consumption="house", battery_soc="soc"
        ),
        at=AT,
    )
    assert entries(changed) == {
        "total_load_consumption": ["house"],
        "total_grid_import": [
            {"sensor": "old", "until": THEN},
            "cabin",
            {"sensor": "new", "from": THEN},
        ],
        "battery_soc": ["soc"],
        "vehicle_consumption": [{"sensor": "wallbox", "until": THEN}],
        "outside_house_meter": ["wallbox"],
    }
    # What stands in a role beside all others always did.
    more = describe(total_grid_import=["old", "cabin", "shed"])
    assert exchange_sensors(describe(total_grid_import=["old", "cabin"]), more, at=AT) == more
