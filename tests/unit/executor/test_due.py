"""Who decides a slot, and what the plan, the owner or nobody says of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from luna.contracts.battery_setpoints import OWN
from luna.contracts.control import BatterySetpoint, ControlState, Decision, Override
from luna.contracts.plan import PlanReply
from luna.drivers.control.units.battery import Batteries
from luna.drivers.control.units.unit import InForce
from luna.energy.site import parse_site
from luna.energy.site.control import Control
from luna.energy.timeline import SLOT
from services.executor.control_request import find_source, follow_owner, follow_plan, is_current
from tests.support.control.inverters import describe
from tests.support.planning.plans import describe_plan

START = datetime(2024, 2, 1, 12, tzinfo=UTC)
MAX_AGE = timedelta(hours=3)
CHARGE = BatterySetpoint(
    mode="charge", power_kw=3, target_soc=0.8, floor_soc=0.1, ceiling_soc=0.9, spill_soc=0.9
)
HOLD = BatterySetpoint(
    mode="hold", power_kw=5, target_soc=0.9, floor_soc=0.1, ceiling_soc=0.9, spill_soc=0.9
)


SITE = parse_site(
    {
        "name": "home",
        "timezone": "UTC",
        "batteries": [{"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}],
    }
)
BATTERIES = Batteries(SITE, Control.model_validate(describe()))


def plan(*setpoints: BatterySetpoint) -> PlanReply:
    return describe_plan("p1", START, setpoints)


def decision(**changes: Any) -> Decision:
    usual = {
        "slot_start": START,
        "source": "planner",
        "decided_by": "planner",
        "reason": "planned",
        "requested": {},
        "allowed": {"battery": OWN},
    }
    return Decision(**usual | changes)


def test_a_slot_is_followed_until_it_ends() -> None:
    instants = [START + at for at in (SLOT - timedelta(seconds=1), SLOT)]
    demands = [
        follow_plan(
            plan(CHARGE, HOLD),
            BATTERIES,
            lambda: None,
            now=now,
            max_age=MAX_AGE,
            in_force=InForce(),
        )
        for now in instants
    ]
    said = [demand.requested["battery"] for demand in demands]
    assert said == [CHARGE, HOLD]


def test_the_plan_tells_how_full_it_expected_the_battery_to_be() -> None:
    demand = follow_plan(
        plan(CHARGE, HOLD),
        BATTERIES,
        lambda: None,
        now=START + SLOT,
        max_age=MAX_AGE,
        in_force=InForce(),
    )
    assert demand.planned_soc == {"battery": 0.5}


@pytest.mark.parametrize(
    ("told", "age", "reason"),
    [
        pytest.param(None, timedelta(0), "no_plan", id="none"),
        pytest.param(CHARGE, MAX_AGE + SLOT, "plan_too_old", id="too old"),
        pytest.param(
            "nothing",
            timedelta(0),
            "plan_without_setpoints",
            id="made before plans held set-points",
        ),
    ],
)
def test_without_a_usable_plan_inverters_consume_their_own(
    told: Any, age: timedelta, reason: str
) -> None:
    plans = {None: None, "nothing": plan(CHARGE).model_copy(update={"setpoints": {}})}
    found = plans[told] if told in plans else plan(*[CHARGE] * 20)
    demand = follow_plan(
        found, BATTERIES, lambda: None, now=START + age, max_age=MAX_AGE, in_force=InForce()
    )
    assert (demand.requested, demand.decided_by, demand.reason) == (
        {"battery": OWN},
        "rule",
        reason,
    )


def test_a_plan_of_just_the_longest_age_is_followed() -> None:
    assert (
        follow_plan(
            plan(*[CHARGE] * 20),
            BATTERIES,
            lambda: None,
            now=START + MAX_AGE,
            max_age=MAX_AGE,
            in_force=InForce(),
        ).reason
        == "planned"
    )


def test_nobody_decides_for_a_site_that_was_never_armed() -> None:
    assert find_source(ControlState(site="home"), START) is None


def test_an_override_decides_until_it_ends() -> None:
    state = ControlState(
        site="home", armed_at=START, override=Override(mode="hold", until=START + SLOT)
    )
    assert [
        find_source(state, START + at) for at in (timedelta(0), SLOT - timedelta(seconds=1), SLOT)
    ] == ["owner", "owner", "planner"]


def test_an_override_of_a_site_that_is_not_armed_decides_nothing() -> None:
    assert (
        find_source(
            ControlState(site="home", override=Override(mode="hold", until=START + SLOT)), START
        )
        is None
    )


def test_what_was_told_is_taken_back_once_when_a_site_is_disarmed() -> None:
    told = ControlState(site="home", decision=decision(settled=True))
    taken_back = ControlState(
        site="home", decision=decision(source="released", settled=True, confirmed_at=START)
    )
    assert (find_source(told, START), find_source(taken_back, START)) == ("released", None)


def test_a_battery_that_was_made_to_hold_is_not_yet_handed_back() -> None:
    state = ControlState(
        site="home", decision=decision(source="released", settled=True, allowed={"battery": HOLD})
    )
    assert find_source(state, START) == "released"
    assert not is_current(state, "released", START + SLOT)


def test_nobody_decides_twice_for_a_slot() -> None:
    state = ControlState(site="home", armed_at=START, decision=decision())
    assert is_current(state, "planner", START + SLOT - timedelta(seconds=1))
    assert not is_current(state, "planner", START + SLOT)


def test_an_owner_who_decides_otherwise_within_the_slot_is_heard() -> None:
    first = Override(mode="hold", until=START + SLOT)
    second = Override(mode="charge", until=START + SLOT)
    state = ControlState(
        site="home",
        armed_at=START,
        override=second,
        decision=decision(source="owner", override=first),
    )
    assert not is_current(state, "owner", START)


def test_an_override_is_for_every_battery() -> None:
    first = describe()["batteries"][0]
    two = Control.model_validate(
        {"batteries": [first | {"battery": "one"}, first | {"battery": "two"}]}
    )
    demand = follow_owner(Override(mode="charge", power_kw=2, until=START), Batteries(SITE, two))
    assert dict(demand.requested) == dict.fromkeys(
        ("one", "two"), BatterySetpoint(mode="charge", power_kw=2)
    )
