"""Each fault of a meter alone, weeks apart: nothing wrong is trusted, nothing right is refused."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import accumulate
from pathlib import Path

import numpy as np
from sqlalchemy import Connection

from luna.contracts.forecast import IssueRequest
from luna.energy.timeline import FloatArray
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from luna.platform.objects import FileObjects
from services.forecaster.forecast_issue import issue_forecasts
from tests.support.database.site import plan_stored
from tests.support.metering.expected_readings import Happening, find_contradictions, hear, take_in
from tests.support.metering.faults import FAULTS
from tests.support.metering.house import House, live
from tests.support.suite.depth import LONG

FIRST = date(2024, 3, 18)
# Two builds of a month see what happens beside them: five days lie between two faults.
DAYS_BETWEEN = 5
DAYS_EACH = [DAYS_BETWEEN + fault.most_days for fault in FAULTS]


def test_after_any_fault_nothing_wrong_is_trusted_and_nothing_right_refused(
    connection: Connection, tmp_path: Path
) -> None:
    house = live(FIRST, DAYS_BETWEEN + sum(DAYS_EACH), seed=1)
    rng = np.random.default_rng(1)
    first_days = [DAYS_BETWEEN + days for days in accumulate(DAYS_EACH, initial=0)]
    happenings = [
        Happening(fault, fault.place(FIRST + timedelta(days=number + fault.days_before), rng))
        for fault, number in zip(FAULTS, first_days, strict=False)
    ]
    take_in(connection, house, hear(house, happenings), tmp_path)
    found = find_contradictions(connection, house, happenings)
    assert not found, "\n".join(found)


# A week before the plan, so that the forecast looks back on them: it takes the same days of the
# week.
LATE_FAULTS = (
    "unit changes without word",
    "meter frozen",
    "sign reversed",
    "car before the house's meter",
    "sensor renamed",
)
# Without the days that cannot be trusted another mean comes out: kWh of a quarter-hour, and EUR of
# two days.
MOST_LOAD_KWH = 0.05
MOST_COST = 0.6


def forecast_and_plan(
    connection: Connection, site: str, house: House, folder: Path
) -> tuple[FloatArray, float]:
    at = house.timeline.end
    issued = issue_forecasts(
        connection,
        IssueRequest(site_id=site, at=at, forecast_version=DEFAULT_VERSION),
        objects=FileObjects(folder),
        now=at,
    )
    plan = plan_stored(connection, site, at, state={"batteries": {"battery": {"soc": 0.5}}})
    return issued.batch.load_kwh.expected[0], plan.cost.total


def test_what_is_forecast_and_planned_after_a_fault_is_near_what_the_truth_gives(
    connection: Connection, tmp_path: Path
) -> None:
    house = live(FIRST, 28, seed=6)
    found = {}
    for name in ("none", *(LATE_FAULTS if LONG else LATE_FAULTS[:3])):
        faults = [fault for fault in FAULTS if fault.name == name]
        places = [
            replace(
                fault.place(FIRST + timedelta(days=21), np.random.default_rng(5)),
                sensor=fault.sensors[0],
            )
            for fault in faults
        ]
        happenings = [Happening(fault, place) for fault, place in zip(faults, places, strict=True)]
        site = name.replace(" ", "-").replace("'", "")
        take_in(connection, house, hear(house, happenings), tmp_path, name=site)
        found[name] = forecast_and_plan(connection, site, house, tmp_path)
    true_load, true_cost = found["none"]
    distances = {
        name: (float(np.abs(load - true_load).mean()), abs(cost - true_cost))
        for name, (load, cost) in found.items()
    }
    assert not {
        name: each
        for name, each in distances.items()
        if each[0] > MOST_LOAD_KWH or each[1] > MOST_COST
    }
