"""What a stored site's plan rests on is said in its reply."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import Connection

from luna.contracts.plan import BatteryState, PlanOptions, PlanReply, PlanRequest, StateMessage
from luna.energy.observations import Observations
from luna.energy.outlook import Forecast, Quantiles
from luna.energy.site import Site, parse_site
from luna.energy.timeline import SLOT, Timeline
from luna.platform.database import (
    forecast_activations,
    forecast_issues,
    forecast_scores,
    forecasts,
    observations,
    plans,
    prices,
    sites,
    training_runs,
)
from luna.platform.database.forecast_activations import DEFAULT_VERSION, Activation
from luna.platform.database.forecast_issues import ForecastIssue
from luna.platform.database.forecast_scores import ForecastDayScore
from luna.platform.database.training_runs import TrainingRun
from services.planner.milp.solver import Solver
from services.planner.service.plans import plan_and_store
from tests.support.database.site import store_site
from tests.support.words.wording import wording

AURORA = "aurora_v1.0"
START = datetime(2024, 2, 1, 12, 15, tzinfo=UTC)
BATTERY = {"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
FIXED = {"import": {"kind": "fixed", "price": 0.28}, "export": {"kind": "fixed", "price": 0.07}}


def store(connection: Connection, **changes: object) -> Site:
    site = parse_site(
        {"name": "noted", "timezone": "Europe/Berlin", "batteries": [BATTERY], "tariff": FIXED}
        | changes
    )
    sites.save(connection, site)
    issue(connection, DEFAULT_VERSION)
    return site


def issue(connection: Connection, version: str, *reasons: str, at: datetime = START) -> None:
    load = Quantiles.exact(np.full(192, 0.1))
    sun = Quantiles.exact(np.zeros(192))
    forecasts.upsert(
        connection, "noted", [Forecast(Timeline(at, SLOT, 192), at, version, load, sun)]
    )
    forecast_issues.upsert(connection, "noted", [ForecastIssue(version, at, "profile", reasons)])


def record_soc(connection: Connection, soc: float, *, at: datetime) -> None:
    starts = Timeline(at - SLOT, SLOT, 1).starts
    observations.upsert(connection, "noted", Observations.of(starts, {"soc": np.array([soc])}))


def train(connection: Connection, *, days: int = 60) -> None:
    until = datetime(2024, 1, 31, 23, tzinfo=UTC)
    run = TrainingRun(
        "run 1",
        AURORA,
        until - days * timedelta(days=1),
        until,
        "1",
        0,
        1.0,
        {"known_days": days},
        "key",
    )
    training_runs.save(connection, "noted", run)


def plan(connection: Connection, **changes: object) -> PlanReply:
    request = PlanRequest(site_id="noted", start=START).model_copy(update=changes)
    return plan_and_store(request, lambda: connection, now=START, solver=Solver())


def noted(reply: PlanReply) -> dict[str, dict[str, object]]:
    return {note.code: note.figures for note in reply.notes}


def test_a_state_of_charge_that_nobody_recorded_is_said_to_be_assumed(
    connection: Connection,
) -> None:
    store(connection)
    reply = plan(connection)
    note = reply.notes[0]
    assert (note.code, note.assumed, note.figures) == ("soc_assumed", True, {"soc": 0.5})
    assert "50%" in note.text
    # How good the plan is for what was assumed is another question.
    assert reply.status == "optimal"


@pytest.mark.parametrize(
    ("hours", "codes"), [(0, []), (1, []), (3, ["soc_earlier"]), (25, ["soc_assumed"])]
)
def test_an_old_state_of_charge_is_named_by_its_instant(
    connection: Connection, hours: int, codes: list[str]
) -> None:
    store(connection)
    record_soc(connection, 0.8, at=START - timedelta(hours=hours))
    found = noted(plan(connection))
    assert [code for code in found if code.startswith("soc")] == codes
    assert (
        found.get("soc_earlier", {}).get("at", (START - timedelta(hours=3)).isoformat())
        == (START - timedelta(hours=3)).isoformat()
    )


@pytest.mark.parametrize(("quarters", "soc"), [(1, 0.43), (2, 0.0)])
def test_a_battery_that_cannot_have_emptied_is_asked_about_and_planned_as_it_was(
    connection: Connection, quarters: int, soc: float
) -> None:
    store(connection)
    for back in range(4):
        record_soc(connection, 0.0 if back < quarters else 0.43, at=START - back * SLOT)
    reply = plan(connection)
    found = noted(reply)
    # Said by two quarter-hours it is believed.
    assert ("soc_doubted" in found) is (quarters == 1)
    assert plans.load_inputs(connection, reply.plan_id).state.batteries["battery"].soc == soc
    expected = {
        "soc": 0.43,
        "at": (START - SLOT).isoformat(),
        "doubted_soc": 0.0,
        "doubted_at": START.isoformat(),
    }
    assert found.get("soc_doubted", expected) == expected


def test_a_battery_that_stands_still_while_it_is_charged_is_planned_from_its_meters(
    connection: Connection,
) -> None:
    store(connection)
    slots = Timeline(START - 24 * SLOT, SLOT, 24)
    charged = {
        "soc": np.full(24, 0.3),
        "charge_kwh": np.full(24, 0.2),
        "discharge_kwh": np.zeros(24),
    }
    observations.write(connection, "noted", slots.starts, charged)
    reply = plan(connection)
    soc = plans.load_inputs(connection, reply.plan_id).state.batteries["battery"].soc
    # 23 quarter-hours since the first of these levels: 4.6 kWh at its efficiency, of 10 kWh.
    assert 0.7 < soc < 0.77
    figures = noted(reply)["soc_stands_still"]
    assert (figures["sensor_soc"], figures["metered_kwh"], figures["given_kwh"]) == (0.3, 4.6, 0.0)


def test_a_state_of_charge_in_the_request_is_not_assumed(connection: Connection) -> None:
    store(connection)
    assert not noted(
        plan(connection, state=StateMessage(batteries={"battery": BatteryState(soc=0.4)}))
    )


def test_a_site_without_a_tariff_is_told_what_it_pays(connection: Connection) -> None:
    store_site(connection, name="noted")
    issue(connection, DEFAULT_VERSION)
    assert noted(plan(connection)) == {"tariff_default": {"import_price": 0.3, "export_price": 0.0}}


@pytest.mark.parametrize(
    ("tariff", "unused"),
    [
        (FIXED, {"series": ["import_price", "export_price"], "kinds": ["fixed"]}),
        (FIXED | {"import": {"kind": "series"}}, {"series": ["export_price"], "kinds": ["fixed"]}),
        ({"import": {"kind": "series"}, "export": {"kind": "series"}}, None),
    ],
    ids=["neither", "import alone", "both"],
)
def test_loaded_prices_that_the_tariff_leaves_unused_are_named(
    connection: Connection, tariff: dict[str, object], unused: dict[str, object] | None
) -> None:
    site = store(connection, tariff=tariff)
    grid = Timeline(START - timedelta(days=1), SLOT, 96 + 40)
    for series in ("own:import_price", "own:export_price"):
        stored = prices.stored_name(site.name, series)
        prices.upsert(
            connection,
            stored,
            starts=grid.starts,
            price=np.full(136, 0.2),
            currency="EUR",
            published_at=grid.start,
        )
    found = noted(plan(connection))
    assert found.get("prices_unused") == unused


def test_prices_that_are_carried_on_are_named_by_when_they_end(connection: Connection) -> None:
    store(connection, tariff={"import": {"kind": "spot", "market": "NL"}})
    grid = Timeline(START - timedelta(days=1), SLOT, 96 + 40)
    prices.upsert(
        connection,
        "NL",
        starts=grid.starts,
        price=np.full(136, 0.2),
        currency="EUR",
        published_at=grid.start,
    )
    # Forty quarter-hours of the plan are published.
    assert noted(plan(connection))["prices_carried_on"] == {
        "since": (START + 40 * SLOT).isoformat()
    }


def test_what_is_the_matter_with_the_forecast_is_said_in_the_language_asked_for(
    connection: Connection,
) -> None:
    store(connection)
    issue(connection, DEFAULT_VERSION, "no_history", "clock_change")
    notes = {note.code: note for note in plan(connection, options=PlanOptions(language="de")).notes}
    assert notes["no_history"].assumed
    assert not notes["clock_change"].assumed
    assert notes["no_history"].text == wording("conditions", "no_history", "de")


def test_a_forecast_that_is_old_is_named_by_its_issue(connection: Connection) -> None:
    store_site(connection, name="noted", tariff=FIXED)
    issued = START - timedelta(hours=7)
    issue(connection, DEFAULT_VERSION, at=issued)
    assert noted(plan(connection)) == {
        "forecast_old": {"version": DEFAULT_VERSION, "issued_at": issued.isoformat()}
    }


def test_an_appliance_that_is_not_scheduled_is_named(connection: Connection) -> None:
    store(
        connection,
        loads=[{"name": "tank", "kind": "water_heater", "power_kw": 2, "energy_kwh_per_day": 2}],
    )
    assert noted(plan(connection))["loads_not_placed"] == {"loads": ["tank"]}


def test_a_trained_version_that_waits_is_named_with_how_far_it_is_and_what_uses_it_now(
    connection: Connection,
) -> None:
    store(connection)
    train(connection)
    # Trained until midnight of 1 February. The fourteen days from 2 February on end on 15 February;
    # the last is scored three days later.
    waits = {
        "days": 0,
        "needed": 14,
        "candidate": AURORA,
        "version": DEFAULT_VERSION,
        "earliest": "2024-02-18",
    }
    assert noted(plan(connection))["forecast_awaits_proof"] == waits | {
        "command": "luna forecast promote --site noted --version aurora_v1.0"
    }


@pytest.mark.parametrize(
    ("days", "code"), [(5, "forecast_awaits_proof"), (14, "forecast_not_better")]
)
def test_days_count_on_which_both_versions_are_scored(
    connection: Connection, days: int, code: str
) -> None:
    store(connection)
    train(connection)
    first = START.date() - timedelta(days=20)
    scored = {DEFAULT_VERSION: 18, AURORA: days}
    for version, count in scored.items():
        scores = [
            ForecastDayScore(
                first + timedelta(days=number), version, "load_kwh", 4, 0.1, 0.1, 0.1, None
            )
            for number in range(count)
        ]
        forecast_scores.upsert(connection, "noted", scores)
    assert noted(plan(connection))[code]["days"] == days


def test_a_model_that_knows_nothing_does_not_wait(connection: Connection) -> None:
    store(connection)
    train(connection, days=3)
    assert "forecast_awaits_proof" not in noted(plan(connection))


def test_what_was_promoted_waits_no_longer_and_a_silent_version_is_replaced_with_a_word(
    connection: Connection,
) -> None:
    store(connection)
    train(connection)
    forecast_activations.activate(connection, "noted", Activation(AURORA, "said so", "hand"))
    found = noted(plan(connection))
    assert "forecast_awaits_proof" not in found
    assert found["forecast_fallback"] == {
        "active": AURORA,
        "version": DEFAULT_VERSION,
        "issued_at": START.isoformat(),
    }
