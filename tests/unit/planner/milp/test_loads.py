"""Appliances that may wait: on when it is cheap, and only when they may be.

What cannot be is said.
"""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from luna.energy.errors import InvalidInputError
from luna.energy.site import parse_site
from services.planner.problem.build import build_problem
from tests.support.planning.appliances import HEATER, ask, draw_series, model_cost, on
from tests.support.planning.requests import answer
from tests.support.reference_model.model import solve_reference
from tests.support.suite.depth import LONG
from tests.support.suite.tables import each_row

CHEAP_AT_NOON = np.where(np.arange(24) // 2 == 6, 0.1, 0.3)
BOILER = HEATER | {"name": "boiler", "power_kw": 3, "energy_kwh_per_day": 3}
KINDS: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "runs and rests": (
        [HEATER | {"min_on_minutes": 120, "min_off_minutes": 180, "start_price": 0.05}],
        {"off_hours": 2},
    ),
    "on since an hour": (
        [HEATER | {"min_on_minutes": 180, "min_off_minutes": 120}],
        {"on_hours": 1},
    ),
    "off since an hour": (
        [HEATER | {"min_off_minutes": 240, "start_price": 0.05}],
        {"off_hours": 1},
    ),
    "comfort": ([HEATER | {"comfort": [{"from": "00:00", "to": "07:00", "energy_kwh": 3}]}], {}),
    "clock": (
        [
            HEATER
            | {
                "allowed": [{"from": "09:00", "to": "20:00"}],
                "forbidden": [{"from": "12:00", "to": "14:00"}],
            }
        ],
        {},
    ),
    "price limit": ([HEATER | {"price_limit": 0.26, "max_gap_hours": 14}], {}),
    "two on surplus": (
        [HEATER | {"surplus_only": True, "energy_kwh_per_day": 2}, BOILER | {"surplus_only": True}],
        {},
    ),
    "optional": (
        [HEATER | {"energy_kwh_per_day": 2, "extra_value": 0.22, "most_kwh_per_day": 9}],
        {},
    ),
}


@each_row("kind", KINDS)
@each_row("seed", range(2 if LONG else 1))
def test_a_schedule_costs_what_the_model_written_for_readers_costs(kind: str, seed: int) -> None:
    loads, state = KINDS[kind]
    request = ask(*loads, state={"heater": state}, **draw_series(seed))
    assert model_cost(request) == pytest.approx(solve_reference(build_problem(request)), abs=3e-4)


def test_what_is_wanted_by_seven_is_there_by_seven() -> None:
    request = ask(
        HEATER | {"comfort": [{"from": "00:00", "to": "07:00", "energy_kwh": 3}]},
        import_price=CHEAP_AT_NOON,
    )
    # Two hours of 2 kW for the 3 kWh by seven, the third of the day where it is cheap; of equal
    # hours the earliest.
    assert on(answer(request)) == [0, 1, 12]


def test_clock_times_are_kept_on_a_day_with_an_hour_less() -> None:
    # 2024-03-31 in Berlin begins at 23:00 UTC, loses the hour from two to three: 07:00 is slot 6,
    # 20:00 is slot 19.
    start = datetime(2024, 3, 30, 23, tzinfo=UTC)
    windows = {
        "allowed": [{"from": "07:00", "to": "20:00"}],
        "forbidden": [{"from": "08:00", "to": "18:00"}],
    }
    request = ask(HEATER | {"energy_kwh_per_day": 40} | windows, start=start, zone="Europe/Berlin")
    assert on(answer(request)) == [6, 17, 18]


def test_clock_times_are_kept_on_a_day_with_an_hour_more() -> None:
    # 2024-10-27 in Berlin begins at 22:00 UTC and has 25 hours: 07:00 is slot 8, what is wanted by
    # then may use eight slots.
    start = datetime(2024, 10, 26, 22, tzinfo=UTC)
    comfort = {
        "comfort": [{"from": "00:00", "to": "07:00", "energy_kwh": 16}],
        "energy_kwh_per_day": 16,
    }
    reply = answer(
        ask(HEATER | comfort, start=start, zone="Europe/Berlin", import_price=np.full(25, 0.3))
    )
    assert on(reply) == [0, 1, 2, 3, 4, 5, 6, 7]
    assert reply.compromises == []


def test_more_than_a_window_can_carry_is_a_compromise_that_says_so() -> None:
    reply = answer(ask(HEATER | {"comfort": [{"from": "00:00", "to": "02:00", "energy_kwh": 5}]}))
    assert on(reply)[:2] == [0, 1]
    [compromise] = reply.compromises
    assert compromise.code == "load_by"
    by = "2024-02-01T02:00:00+00:00"
    assert compromise.figures == {
        "name": "heater",
        "wanted": 5.0,
        "by": by,
        "kwh": pytest.approx(1.0),
    }


@pytest.mark.parametrize(
    ("rules", "state", "slots"),
    [
        ({"min_on_minutes": 240}, {"on_hours": 1, "energy_today_kwh": 2}, [0, 1, 2]),
        ({"min_off_minutes": 240}, {"off_hours": 1, "energy_today_kwh": 0}, [3, 4, 5]),
        ({"start_price": 0.5}, {"on_hours": 1, "energy_today_kwh": 2}, [0, 1]),
    ],
    ids=["on for too short a time", "off for too short a time", "a start costs more than it saves"],
)
def test_a_new_plan_does_not_flip_what_the_last_one_began(
    rules: dict[str, Any], state: dict[str, Any], slots: list[int]
) -> None:
    price = (
        np.where(np.arange(24) < 6, 0.3, 0.35)
        if state.get("off_hours")
        else np.where(np.arange(24) < 20, 0.3, 0.2)
    )
    assert on(answer(ask(HEATER | rules, state={"heater": state}, import_price=price))) == slots


def test_a_price_on_starts_joins_runs() -> None:
    price = np.where(np.arange(24) % 4 == 0, 0.28, 0.3)
    apart, joined = (
        on(answer(ask(HEATER | {"start_price": each}, import_price=price))) for each in (0.0, 0.2)
    )
    assert (apart, joined) == ([0, 4, 8], [0, 1, 2])


def test_a_price_limit_leaves_cheap_hours_and_surplus() -> None:
    series = {
        "import_price": np.where(np.arange(24) < 2, 0.15, 0.3),
        "pv_kwh": np.where(np.arange(24) == 12, 2.3, 0.0),
    }
    reply = answer(ask(HEATER | {"price_limit": 0.2, "energy_kwh_per_day": 8}, **series))
    assert on(reply) == [0, 1, 12]
    compromise = reply.compromises[0]
    assert compromise.code == "load_day"
    told = {
        "name": "heater",
        "wanted": 8.0,
        "by": "2024-02-01",
        "rules": ["price_limit"],
        "price": 0.2,
    }
    assert compromise.figures == told | {"kwh": pytest.approx(2.0)}


def test_what_runs_on_surplus_alone_shares_it() -> None:
    # 5.2 − 0.3 kWh of surplus in two hours: enough for either, not for both at once.
    pv = np.where(np.arange(24) // 2 == 5, 5.2, 0.0)
    loads = [
        {"name": name, "power_kw": 3, "energy_kwh_per_day": 3, "surplus_only": True}
        for name in ("heater", "boiler")
    ]
    reply = answer(ask(*loads, pv_kwh=pv))
    assert sorted(on(reply) + on(reply, "boiler")) == [10, 11]
    assert reply.status == "optimal"


def test_what_has_just_begun_runs_on_beyond_price_and_connection_and_the_plan_says_so() -> None:
    loads = [
        {"name": name, "power_kw": 6, "min_on_minutes": 180, "price_limit": 0.1}
        for name in ("heater", "boiler")
    ]
    reply = answer(ask(*loads, state={"heater": {"on_hours": 1}, "boiler": {"on_hours": 2}}))
    assert (on(reply), on(reply, "boiler")) == ([0, 1], [0])
    # 12 kW and 0.3 of the house, where 11 pass the connection.
    [compromise] = reply.compromises
    assert (compromise.code, compromise.figures["limit_kw"], compromise.shortfall) == (
        "import_limit",
        11.0,
        "1.30 kW too much",
    )


def test_an_optional_load_runs_where_a_kwh_costs_less_than_it_is_worth() -> None:
    optional = {"name": "heater", "power_kw": 2, "extra_value": 0.2, "most_kwh_per_day": 2}
    assert on(answer(ask(optional, import_price=CHEAP_AT_NOON))) == [12]
    assert on(answer(ask(optional, import_price=CHEAP_AT_NOON + 0.15))) == []


def test_equal_hours_are_taken_early() -> None:
    assert on(answer(ask(HEATER))) == [0, 1, 2]


def test_on_and_off_at_once_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot both hold"):
        ask(HEATER, state={"heater": {"on_hours": 1, "off_hours": 2}})


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"most_kwh_per_day": 3, "energy_kwh_per_day": 6}, "most_kwh_per_day"),
        ({"profile_kw": [1.0], "energy_kwh_per_day": 6}, "energy_kwh_per_day"),
        ({"profile_kw": [3.0]}, "power_kw"),
    ],
)
def test_fields_that_contradict_each_other_are_refused_by_name(
    fields: dict[str, Any], word: str
) -> None:
    with pytest.raises(InvalidInputError, match=word):
        parse_site(
            {
                "name": "home",
                "timezone": "UTC",
                "loads": [{"name": "heater", "power_kw": 2} | fields],
            }
        )
