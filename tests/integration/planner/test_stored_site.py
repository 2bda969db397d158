import json
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from prometheus_client import REGISTRY
from sqlalchemy import Connection, select

from luna.contracts.battery_setpoints import make_safe
from luna.contracts.operator_limits import NewLimit
from luna.contracts.plan import ForecastSource, PlanOptions, PlanReply, PlanRequest
from luna.contracts.plan.request_bytes import write_inputs
from luna.contracts.replay import ReplayRequest
from luna.drivers.control.units.battery import Batteries
from luna.drivers.control.units.unit import InForce
from luna.energy.account_period import AccountPeriod
from luna.energy.errors import NotFoundError
from luna.energy.observations import Observations
from luna.energy.outlook import Forecast, Quantiles, Scenarios
from luna.energy.site import Forecasting, parse_site
from luna.energy.site.control import Control
from luna.energy.timeline import SLOT, FloatArray, Timeline
from luna.house.account import describe_account
from luna.platform.database import (
    forecast_activations,
    forecast_scenarios,
    forecasts,
    observations,
    operator_limits,
    plans,
    sites,
    weather_carbon,
)
from luna.platform.database.forecast_activations import DEFAULT_VERSION, Activation
from luna.platform.database.schema.plans import plan_history
from services.executor.control_request import follow_plan
from services.planner.milp.solver import Solver
from services.planner.problem.knowledge import DAY
from services.planner.replay import Rules
from services.planner.reply.reply import digest, plan_request
from services.planner.service.inputs import read_scene
from services.planner.service.plans import complete_request, issue_plan, plan_and_store
from services.planner.service.replay import replay_site
from tests.support.control.inverters import describe, describe_devices
from tests.support.database.site import plan_stored, store_site

AURORA = "aurora_v1.0"
START = datetime(2024, 2, 1, 12, 15, tzinfo=UTC)
BATTERY = {"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
TARIFF = {"import": {"kind": "fixed", "price": 0.3}, "export": {"kind": "fixed", "price": 0.07}}


@pytest.fixture
def planned_site(connection: Connection) -> str:
    """A stored site whose only forecast, a baseline, was issued a quarter of an hour before the
    plan begins.
    """
    site = parse_site(
        {
            "name": "planned site",
            "timezone": "Europe/Berlin",
            "batteries": [BATTERY],
            "pv": [{"peak_kw": 6}],
            "tariff": TARIFF,
        }
    )
    sites.save(connection, site)
    issue(connection, DEFAULT_VERSION, START - SLOT, np.arange(192.0) / 1000)
    return site.name


def issue(connection: Connection, version: str, at: datetime, load_kwh: FloatArray) -> None:
    sun = Quantiles.exact(np.zeros(192))
    forecasts.upsert(
        connection,
        "planned site",
        [Forecast(Timeline(at, SLOT, 192), at, version, Quantiles.exact(load_kwh), sun)],
    )


def promote(connection: Connection) -> None:
    forecast_activations.activate(connection, "planned site", Activation(AURORA, "said so", "hand"))


def test_where_the_forecast_ends_its_last_day_goes_on(
    connection: Connection, planned_site: str
) -> None:
    load = [slot.load_kwh for slot in plan_stored(connection, planned_site, START).slots]
    # The forecast's second slot is the plan's first, so it ends a slot early: the same slot of its
    # last day stands for it.
    assert load == [*(np.arange(1, 192) / 1000).round(6).tolist(), 0.096]


def test_a_stored_plan_is_what_the_executor_follows_and_safe_as_it_stands(
    connection: Connection, planned_site: str
) -> None:
    plan_id = plan_stored(connection, planned_site, START).plan_id
    due = plans.read_due(connection, planned_site, START)
    batteries = Batteries(sites.load(connection, planned_site), Control.model_validate(describe()))
    demand = follow_plan(
        due, batteries, lambda: None, now=START, max_age=SLOT, in_force=InForce({"battery": 0.5})
    )
    assert (demand.plan_id, demand.reason) == (plan_id, "planned")
    # Nothing was recorded, so the plan began half full.
    assert make_safe(
        sites.load(connection, planned_site), demand.requested, {"battery": 0.5}
    ) == dict(demand.requested)


def test_a_plan_asked_for_twice_is_stored_once(connection: Connection, planned_site: str) -> None:
    first = plan_stored(connection, planned_site, START)
    second = plan_stored(connection, planned_site, START)
    assert first.plan_id == second.plan_id
    assert plans.load(connection, first.plan_id) == first


def test_an_appliance_is_scheduled_where_it_has_a_meter_of_its_own(connection: Connection) -> None:
    loads = [
        {"name": "tank", "kind": "water_heater", "power_kw": 2, "energy_kwh_per_day": 2},
        {"name": "pool", "kind": "deferrable", "power_kw": 1, "energy_kwh_per_day": 2},
    ]
    site = {
        "name": "planned site",
        "timezone": "UTC",
        "loads": loads,
        "input_sensors": {"water_heater_consumption": "sensor.tank"},
        "tariff": TARIFF,
    }
    store_site(connection, **site)
    issue(connection, DEFAULT_VERSION, START, np.full(192, 0.1))
    reply = plan_stored(connection, "planned site", START)
    assert set(reply.slots[0].loads) == {"tank"}
    assert (
        reply.compromises,
        [note.figures for note in reply.notes if note.code == "loads_not_placed"],
    ) == ([], [{"loads": ["pool"]}])


def test_a_heat_pump_is_planned_with_the_weather_that_was_known(connection: Connection) -> None:
    pump = {
        "power_kw": 3,
        "cop": [{"outdoor_c": -10, "cop": 2}, {"outdoor_c": 10, "cop": 4}],
        "store": {"capacity_kwh_per_k": 5, "min_c": 20, "max_c": 22},
    }
    site = {
        "name": "planned site",
        "timezone": "UTC",
        "heat_pumps": [pump | {"heat_demand_kw": 2}],
        "tariff": TARIFF,
    }
    store_site(connection, **site | {"input_sensors": {"heat_pump_consumption": "sensor.pump"}})
    issue(connection, DEFAULT_VERSION, START, np.full(192, 0.1))
    for at, outdoor_c in ((START - SLOT, 0.0), (START + SLOT, 10.0)):
        issued_at = np.full(192, at.replace(tzinfo=None), dtype="datetime64[us]")
        values = {"temperature_c": np.full(192, outdoor_c)}
        weather_carbon.upsert(
            connection,
            "weather",
            "planned site",
            Timeline(START, SLOT, 192).starts,
            values=values,
            issued_at=issued_at,
        )
    slots = [
        slot.heat_pumps["heat_pump"]
        for slot in plan_stored(connection, "planned site", START).slots
    ]
    # 0 °C was forecast before the start, 10 °C after it: the COP is 3.
    assert all(slot.heat_kwh == pytest.approx(3 * slot.energy_kwh, abs=1e-5) for slot in slots)
    assert sum(slot.energy_kwh for slot in slots) > 0


def test_a_site_without_a_forecast_says_how_to_issue_one(
    connection: Connection, planned_site: str
) -> None:
    with pytest.raises(NotFoundError, match="luna forecast issue"):
        plan_stored(connection, planned_site, START - timedelta(days=1))


def source(connection: Connection, site_id: str) -> ForecastSource:
    found = plan_stored(connection, site_id, START).forecast
    assert found is not None
    return found


def test_a_plan_says_which_forecast_it_rests_on(connection: Connection, planned_site: str) -> None:
    assert source(connection, planned_site) == ForecastSource(
        version=DEFAULT_VERSION, issued_at=START - SLOT
    )


def test_what_is_active_is_planned_from(connection: Connection, planned_site: str) -> None:
    issue(connection, AURORA, START - 2 * SLOT, np.ones(192))
    assert source(connection, planned_site).version == DEFAULT_VERSION
    promote(connection)
    assert source(connection, planned_site) == ForecastSource(
        version=AURORA, issued_at=START - 2 * SLOT
    )
    assert plan_stored(connection, planned_site, START).slots[0].load_kwh == 1


def test_what_the_owner_pinned_is_planned_from(connection: Connection, planned_site: str) -> None:
    issue(connection, AURORA, START - SLOT, np.ones(192))
    pinned = sites.load(connection, planned_site).model_copy(
        update={"forecasting": Forecasting(active_forecast_version=AURORA)}
    )
    sites.save(connection, pinned)
    assert source(connection, planned_site).version == AURORA


def test_where_the_active_version_never_spoke_the_baseline_is_planned_from_and_the_plan_says_so(
    connection: Connection, planned_site: str
) -> None:
    promote(connection)
    found = source(connection, planned_site)
    assert (found.version, found.fallback_reason) == (
        DEFAULT_VERSION,
        "aurora_v1.0 has issued no forecast of the start",
    )


def test_a_plan_from_the_baseline_says_since_when_the_active_version_is_silent(
    connection: Connection, planned_site: str
) -> None:
    issue(connection, AURORA, START - timedelta(hours=7), np.ones(192))
    promote(connection)
    found = source(connection, planned_site)
    assert (found.version, found.issued_at) == (DEFAULT_VERSION, START - SLOT)
    assert found.fallback_reason == (
        "aurora_v1.0 issued its last forecast at 2024-02-01 06:15 CET, more than 6 hours "
        "before the start"
    )


def test_where_all_went_silent_the_last_word_is_planned_from(
    connection: Connection, planned_site: str
) -> None:
    issue(connection, AURORA, START + timedelta(hours=1), np.ones(192))
    promote(connection)
    found = plan_stored(connection, planned_site, START + timedelta(hours=20)).forecast
    assert found is not None
    assert (found.version, found.fallback_reason is None) == (AURORA, False)


def plan_uncertain(connection: Connection, site_id: str, risk: float = 0.0) -> PlanReply:
    request = PlanRequest(
        site_id=site_id, start=START, options=PlanOptions(uncertainty="scenarios", risk=risk)
    )
    return plan_and_store(request, lambda: connection, now=START, solver=Solver())


def measure(
    connection: Connection, site_id: str, first: datetime, days: int, load_kwh: float
) -> None:
    starts = Timeline(first, SLOT, days * 96).starts
    observations.upsert(
        connection,
        site_id,
        Observations.of(
            starts, {"load_kwh": np.full(starts.size, load_kwh), "pv_kwh": np.zeros(starts.size)}
        ),
    )


def test_a_plan_by_scenarios_weighs_how_forecasts_erred_and_what_aurora_holds_possible(
    connection: Connection, planned_site: str
) -> None:
    for back in range(2, 7):
        issue(connection, DEFAULT_VERSION, START - back * DAY, np.full(192, 0.1 + 0.01 * back))
    measure(connection, planned_site, START - 7 * DAY, 7, 0.25)
    probability = np.array([0.25, 0.75])
    paths = Scenarios(
        Timeline(START - SLOT, SLOT, 192),
        START - SLOT,
        DEFAULT_VERSION,
        probability,
        np.full((2, 192), 0.1),
        np.zeros((2, 192)),
    )
    forecast_scenarios.save(connection, planned_site, paths)
    reply = plan_uncertain(connection, planned_site)
    assert reply.uncertainty is not None
    # The expected scenario, two scenarios, and the errors of five days: whole, and independent from
    # slot to slot.
    assert (reply.uncertainty.scenarios, reply.uncertainty.left_out, reply.uncertainty.reasons) == (
        1 + 2 + 5 + 5,
        0,
        [],
    )
    assert [slot.load_kwh for slot in reply.slots] == [
        slot.load_kwh for slot in plan_stored(connection, planned_site, START).slots
    ]
    assert plans.load(connection, reply.plan_id) == reply


def test_what_is_measured_after_the_start_changes_no_plan_by_scenarios(
    connection: Connection, planned_site: str
) -> None:
    for back in range(2, 7):
        issue(connection, DEFAULT_VERSION, START - back * DAY, np.full(192, 0.1))
    measure(connection, planned_site, START - 7 * DAY, 7, 0.25)
    before = plan_uncertain(connection, planned_site, risk=0.3)
    measure(connection, planned_site, START, 2, 3.0)
    assert plan_uncertain(connection, planned_site, risk=0.3).slots == before.slots


def test_a_site_without_a_past_is_planned_for_what_is_expected_and_the_plan_says_so(
    connection: Connection, planned_site: str
) -> None:
    reply = plan_uncertain(connection, planned_site)
    assert reply.uncertainty is not None
    assert (reply.uncertainty.scenarios, reply.uncertainty.reasons) == (1, ["no_scenarios"])
    assert reply.slots == plan_stored(connection, planned_site, START).slots


def test_a_site_is_replayed_with_what_its_forecasts_were_off_before_the_window(
    connection: Connection, planned_site: str
) -> None:
    last = datetime(2024, 2, 1, tzinfo=UTC)
    rng = np.random.default_rng(1)
    for back in range(7):
        issue(connection, DEFAULT_VERSION, last - back * DAY, rng.gamma(2.0, 0.1, 192))
    measure(connection, planned_site, last - 8 * DAY, 12, 0.25)
    request = ReplayRequest(
        site_id=planned_site,
        from_day=last.date(),
        to_day=last.date(),
        policies=["mpc_scenarios"],
        every_minutes=360,
    )
    reply = replay_site(connection, request).policies["mpc_scenarios"]
    assert (reply.violations, len(reply.days)) == (0, 1)


def test_a_replayed_day_is_limited_as_the_operator_limited_it(
    connection: Connection, planned_site: str
) -> None:
    day = datetime(2024, 2, 1, tzinfo=ZoneInfo("Europe/Berlin"))
    measure(connection, planned_site, day.astimezone(UTC) - 8 * DAY, 12, 0.25)
    issue(connection, DEFAULT_VERSION, day.astimezone(UTC), np.full(192, 0.25))
    limit = NewLimit(
        start=day + timedelta(hours=2),
        end=day + timedelta(hours=2, minutes=20),
        import_kw=4.2,
        scope="devices",
    )
    operator_limits.store(connection, planned_site, limit, source="api", now=day)
    request = ReplayRequest(site_id=planned_site, from_day=day.date(), to_day=day.date())
    import_kw = Rules.of(read_scene(connection, request, DEFAULT_VERSION)).limits.import_limit_kw
    # Beside the devices' 4.2 kW the house draws its own kilowatt; a quarter-hour that the limit
    # covers in part counts whole.
    limited = import_kw < import_kw.max()
    assert np.flatnonzero(limited).tolist() == [8, 9]
    assert import_kw[limited].tolist() == pytest.approx([5.2, 5.2])


def test_a_stored_plan_is_made_again_from_its_row(
    connection: Connection, planned_site: str
) -> None:
    plan = plan_stored(connection, planned_site, START)
    inputs = plans.load_inputs(connection, plan.plan_id)
    assert connection.scalar(
        select(plan_history.c.inputs_digest).where(plan_history.c.plan_id == plan.plan_id)
    ) == digest(write_inputs(inputs))
    again = plan_request(inputs, now=START, solver=Solver())
    assert again.model_copy(update={"timing_ms": plan.timing_ms}) == plan


def test_a_plan_of_a_site_in_the_request_is_kept_as_columns_and_read_as_it_was_answered(
    connection: Connection,
) -> None:
    battery = {"name": "battery", "capacity_kwh": 4, "charge_limit_kw": 2, "discharge_limit_kw": 2}
    outlook = {
        "load_kwh": [0.1] * 8,
        "pv_kwh": [0.0] * 8,
        "import_price": [0.2, 0.4] * 4,
        "export_price": [0.05] * 8,
    }
    site = {"name": "asked", "timezone": "Europe/Berlin", "batteries": [battery]}
    asked = {
        "site": site,
        "start": START,
        "outlook": outlook,
        "state": {"batteries": {"battery": {"soc": 0.5}}},
        "options": {"language": "de"},
    }
    request = PlanRequest.model_validate(asked)
    plan = issue_plan(request, lambda: connection, now=START, solver=Solver())
    plan_id = plan.head.plan_id
    text = plan.answer()
    row = connection.execute(select(plan_history).where(plan_history.c.plan_id == plan_id)).one()
    assert (row.site, row.system_id) == ("asked", "request")
    assert plans.load(connection, plan_id).model_dump_json(by_alias=True) == text
    assert json.loads(plans.read_text(connection, plan_id)) == json.loads(text)
    assert plans.load_inputs(connection, plan_id) == request


def test_what_a_month_has_drawn_counts_for_peaks_and_blocks(
    connection: Connection, planned_site: str
) -> None:
    blocks = {"kind": "blocks", "blocks": [{"up_to_kwh": 10, "price": 0.2}, {"price": 0.4}]}
    tariff = {"import": blocks, "peak": {"price_per_kw_month": 4, "interval_minutes": 60}}
    site = sites.load(connection, planned_site)
    store_site(connection, **site.model_dump(by_alias=True) | {"tariff": tariff})
    # January is not February's: 12 quarter-hours of the first day are measured, 1 kWh each, and the
    # month began at 23:00 UTC.
    measured = Timeline(START - 14 * SLOT, SLOT, 12)
    observations.upsert(
        connection, planned_site, Observations.of(measured.starts, {"import_kwh": np.ones(12)})
    )
    request = complete_request(
        connection, PlanRequest(site_id=planned_site, start=START), now=START
    )
    # From 08:45 to 11:45: whole hours of 4 kW, and 12 kWh in all; the hour that runs since noon has
    # drawn nothing.
    assert request.state.peaks["peak"].highest_kw == [4.0]
    assert request.state.month_import_kwh == 12.0
    assert {slot.import_price for slot in plan_stored(connection, planned_site, START).slots} == {
        0.4
    }


def test_what_an_allowance_gave_before_the_month_began_is_gone(
    connection: Connection, planned_site: str
) -> None:
    allowance = {
        "kind": "allowance",
        "name": "energy",
        "kwh_per_day": 10,
        "price": 0.2,
        "price_beyond": 0.4,
        "day_begins": "14:00",
    }
    tariff = {
        "import": {"kind": "components", "components": [allowance]},
        "peak": {"price_per_kw_month": 4},
    }
    site = sites.load(connection, planned_site)
    store_site(connection, **site.model_dump(by_alias=True) | {"tariff": tariff})
    site = sites.load(connection, planned_site)
    # 3 kWh on 31 January before the allowance began at two, 3 kWh in the evening, and 12 kWh on 1
    # February.
    for slots_before, kwh in ((96, 1.0), (72, 1.0), (8, 4.0)):
        measured = Timeline(START - slots_before * SLOT, SLOT, 3)
        bought = {"import_kwh": np.full(3, kwh)}
        observations.upsert(connection, planned_site, Observations.of(measured.starts, bought))
    request = complete_request(
        connection, PlanRequest(site_id=planned_site, start=START), now=START
    )
    assert request.state.drawn_kwh == {"energy": 15.0}
    assert request.state.month_import_kwh == 12.0
    assert request.state.peaks["peak"].highest_kw == [16.0]
    # Of the 12 kWh of the day 7 are within the allowance.
    day = AccountPeriod.of("day", date(2024, 2, 1))
    account = describe_account(connection, site, day, now=START)
    beyond = [(line.name, line.beyond_kwh, line.cost) for line in account.lines[1:]]
    assert beyond == [("energy", 10.0, pytest.approx(5 * 0.2))]


def test_sessions_of_a_car_go_on_in_later_plans_until_somebody_says_otherwise(
    connection: Connection,
) -> None:
    car = {"capacity_kwh": 40, "charge_limit_kw": 4, "charge_efficiency": 1.0}
    site = parse_site(
        {
            "name": "planned site",
            "timezone": "Europe/Berlin",
            "batteries": [BATTERY],
            "vehicles": [car],
            "tariff": TARIFF,
        }
    )
    sites.save(connection, site)
    issue(connection, DEFAULT_VERSION, START - SLOT, np.zeros(192))
    session = {
        "from": START.isoformat(),
        "to": (START + timedelta(hours=6)).isoformat(),
        "target_soc": 0.6,
    }
    told = PlanRequest.model_validate(
        {
            "site_id": site.name,
            "start": START,
            "state": {"vehicles": {"car": {"soc": 0.5, "sessions": [session]}}},
        }
    )
    first = plan_and_store(told, lambda: connection, now=START, solver=Solver())
    later = START + timedelta(hours=1)
    second = complete_request(connection, PlanRequest(site_id=site.name, start=later), now=later)
    after = complete_request(
        connection,
        PlanRequest(site_id=site.name, start=START + timedelta(hours=7)),
        now=START + timedelta(hours=7),
    )
    # As full as the first plan expected the car to be by then; a session that is over is no
    # session.
    assert second.state.vehicles["car"].soc == first.slots[3].vehicles["car"].soc_end
    assert second.state.vehicles["car"].sessions == told.state.vehicles["car"].sessions
    assert after.state.vehicles["car"].sessions == []
    away = told.state.model_copy(
        update={"vehicles": {"car": told.state.vehicles["car"].model_copy(update={"sessions": []})}}
    )
    gone = complete_request(
        connection, PlanRequest(site_id=site.name, start=later, state=away), now=later
    )
    assert gone.state.vehicles["car"].sessions == []


def test_a_heater_that_is_told_has_run_as_planned(connection: Connection) -> None:
    heater = {"name": "boiler", "kind": "water_heater", "power_kw": 2, "energy_kwh_per_day": 6}
    told = {
        "control": {"loads": describe_devices("dry_run")["loads"]},
        "input_sensors": {"water_heater_consumption": "sensor.boiler"},
    }
    store_site(
        connection,
        **{"name": "planned site", "timezone": "UTC", "loads": [heater], "tariff": TARIFF} | told,
    )
    issue(connection, DEFAULT_VERSION, START - SLOT, np.zeros(192))
    first = plan_stored(connection, "planned site", START)
    later = START + timedelta(hours=2)
    state = complete_request(
        connection, PlanRequest(site_id="planned site", start=later), now=later
    ).state.loads["boiler"]
    ran = sum(slot.loads["boiler"].energy_kwh for slot in first.slots[:8])
    # Until the first plan, at a quarter past twelve, it is taken to have run evenly.
    assert state.energy_today_kwh == pytest.approx(6 * 12.25 / 24 + ran)


def test_plans_are_counted_by_what_made_them(connection: Connection, planned_site: str) -> None:
    labels = {"method": "value", "policy": "house"}
    before = REGISTRY.get_sample_value("luna_planner_plans_total", labels) or 0.0
    followed = plan_stored(connection, planned_site, START).followed
    # At one price there is nothing to gain over the inverter alone.
    assert followed is not None
    assert (followed.method, followed.policy) == ("value", "house")
    assert REGISTRY.get_sample_value("luna_planner_plans_total", labels) == before + 1
