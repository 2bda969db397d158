"""What follows from the limits of grid operators: at an instant, for slots, and by § 14a."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from luna.energy.operator_limits import (
    LimitScope,
    OperatorLimit,
    find_in_force,
    least_import_kw,
    limit_slots,
    meter_import_kw,
)
from luna.energy.timeline import SLOT, Timeline
from tests.support.suite.tables import each_row

START = datetime(2026, 1, 15, 17, tzinfo=UTC)
HOUR = timedelta(hours=1)


def make_limit(
    import_kw: float | None = None,
    *,
    export_kw: float | None = None,
    scope: LimitScope = "connection",
    start: datetime = START,
    end: datetime | None = START + HOUR,
    source: str = "api",
) -> OperatorLimit:
    return OperatorLimit(
        limit_id=f"{source} {start.isoformat()}",
        start=start,
        end=end,
        import_kw=import_kw,
        export_kw=export_kw,
        scope=scope,
        source=source,
    )


def test_a_limit_holds_from_its_start_until_before_its_end() -> None:
    limit = make_limit(4.2)
    second = timedelta(seconds=1)
    assert find_in_force([limit], START - second) is None
    assert find_in_force([limit], START) is not None
    assert find_in_force([limit], START + HOUR - second) is not None
    assert find_in_force([limit], START + HOUR) is None


def test_a_limit_without_an_end_holds_on() -> None:
    assert find_in_force([make_limit(4.2, end=None)], START + 1000 * HOUR) is not None


def test_contradictory_sources_leave_the_strictest_of_each_kind() -> None:
    force = find_in_force(
        [
            make_limit(6.0, source="mqtt", start=START + SLOT),
            make_limit(5.0, export_kw=3.0, source="api"),
            make_limit(4.2, scope="devices", source="contact", start=START - SLOT),
            make_limit(export_kw=0.0, source="api"),
        ],
        START + SLOT,
    )
    assert force is not None
    assert (force.import_kw, force.devices_import_kw, force.export_kw) == (5.0, 4.2, 0.0)
    assert force.since == START - SLOT
    assert force.sources == ("contact", "api", "mqtt")


def test_what_nothing_limits_is_infinite() -> None:
    force = find_in_force([make_limit(4.2, scope="devices")], START)
    assert force is not None
    assert math.isinf(force.import_kw)
    assert math.isinf(force.export_kw)


# 4.2 kW for the devices: beside them the house draws what PV does not cover.
@each_row(
    ("house_kw", "pv_kw", "meter_kw"),
    [(0.5, 0.0, 4.7), (0.5, 0.3, 4.4), (0.5, 0.5, 4.2), (0.5, 6.0, 4.2), (9.0, 0.0, 11.0)],
)
def test_a_limit_of_devices_leaves_the_house_its_load(
    house_kw: float, pv_kw: float, meter_kw: float
) -> None:
    found = meter_import_kw(11.0, 4.2, house_kw=house_kw, pv_kw=pv_kw)
    assert found == pytest.approx(meter_kw)


def test_slots_are_limited_by_what_house_and_pv_leave() -> None:
    timeline = Timeline(START, SLOT, 4)
    limit = make_limit(4.2, scope="devices", start=START + SLOT, end=START + 3 * SLOT)
    slots = limit_slots(
        [limit],
        timeline,
        load_kwh=np.array([0.25, 0.25, 0.25, 0.25]),
        pv_kwh=np.array([0.0, 0.1, 1.0, 0.0]),
    )
    # 1 kW of load less 0.4 kW of PV beside 4.2 kW of the devices; then PV covers the house.
    assert slots.import_kw.tolist() == pytest.approx([math.inf, 4.8, 4.2, math.inf])
    assert np.isinf(slots.export_kw).all()


def test_a_slot_covered_in_part_is_limited() -> None:
    timeline = Timeline(START, SLOT, 3)
    minute = timedelta(minutes=1)
    limit = make_limit(2.0, start=START + SLOT - minute, end=START + SLOT + minute)
    slots = limit_slots([limit], timeline, load_kwh=np.zeros(3), pv_kwh=np.zeros(3))
    assert slots.import_kw.tolist() == [2.0, 2.0, math.inf]


def test_of_a_slot_that_has_begun_only_the_rest_counts() -> None:
    minutes = timedelta(minutes=5)
    timeline = Timeline(START, SLOT, 2, first_step=minutes)
    over = make_limit(2.0, end=START + 2 * minutes)
    slots = limit_slots([over], timeline, load_kwh=np.zeros(2), pv_kwh=np.zeros(2))
    assert np.isinf(slots.import_kw).all()


def test_a_limit_without_an_end_covers_the_horizon() -> None:
    timeline = Timeline(START, SLOT, 96)
    slots = limit_slots(
        [make_limit(export_kw=0.0, end=None)], timeline, load_kwh=np.zeros(96), pv_kwh=np.zeros(96)
    )
    assert (slots.export_kw == 0.0).all()


# 4.2 kW for the first; each further one 4.2 kW times the factor of simultaneity.
@each_row(
    ("devices", "heat_pumps_kw", "least_kw"),
    [
        (0, 0.0, 0.0),
        (1, 0.0, 4.2),
        (2, 0.0, 4.2 + 0.8 * 4.2),
        (3, 0.0, 4.2 + 2 * 0.75 * 4.2),
        (9, 0.0, 4.2 + 8 * 0.45 * 4.2),
        (12, 0.0, 4.2 + 11 * 0.45 * 4.2),
        (1, 11.0, 4.2),
        (1, 20.0, 8.0),
        (2, 20.0, 8.0 + 0.8 * 4.2),
    ],
)
def test_an_operator_leaves_devices_what_the_rule_says(
    devices: int, heat_pumps_kw: float, least_kw: float
) -> None:
    assert least_import_kw(devices, heat_pumps_kw=heat_pumps_kw) == pytest.approx(least_kw)
