"""What Luna itself held back or ran, as its control log has it, is no habit of the house and not
what its roof can do.
"""

from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection

from luna.contracts import IssueRequest, TrainRequest
from luna.contracts.control import PvSetpoint, Setpoint
from luna.contracts.forecast_explanation import ExplainRequest
from luna.contracts.owner import ManualBlock
from luna.energy.devices.switched import LoadSetpoint
from luna.energy.observations import Observations
from luna.energy.timeline import FloatArray, InstantArray, to_instant
from luna.platform.database import control, manual_blocks, observations, sites
from luna.platform.database.schema.plans import control_log, manual_removals, operator_limits
from luna.platform.objects import FileObjects
from services.forecaster.explanation.stored_explanations import explain_forecast
from services.forecaster.forecast_issue import issue_forecasts
from services.forecaster.inputs.solar import estimate_clear_sky
from services.forecaster.retraining.training import train_site
from tests.support.household.measurements import QUICK, START, day, describe_site, measure_days
from tests.support.words.wording import wording

DAYS = 20
SITE = describe_site(loads=[{"name": "pump", "power_kw": 2.0, "energy_kwh_per_day": 2.0}])
SLOT_OF_DAY = np.arange(DAYS * 96) % 96
NOON = (SLOT_OF_DAY >= 32) & (SLOT_OF_DAY < 60)
EVENING = (SLOT_OF_DAY >= 88) & (SLOT_OF_DAY < 92)
HABIT = measure_days(DAYS)


def shine() -> FloatArray:
    """PV as the sun gives it: fair days with a clouded one in between."""
    brightness = np.where(np.arange(DAYS) % 4 == 2, 0.3, 0.8)
    brightness[-1] = brightness[:-1].mean()
    pv: FloatArray = estimate_clear_sky(HABIT.starts, SITE) * np.repeat(brightness, 96)
    return pv


SUN = shine()


def log(
    device: str,
    starts: InstantArray,
    told: Setpoint,
    *,
    confirmed: dict[str, str] | None,
    reason: str = "planned",
) -> list[dict[str, Any]]:
    told_to = {device.rpartition(":")[2]: told.model_dump(mode="json")}
    row = {
        "decided_by": "planner",
        "device": device,
        "requested": told_to,
        "allowed": told_to,
        "reason": reason,
    } | ({} if confirmed is None else {"confirmed": confirmed})
    return [row | {"slot_start": f"{at}Z"} for at in starts.tolist()]


@pytest.fixture
def steered(connection: Connection) -> Connection:
    """A site of twenty days, on each of which Luna held PV back to 400 W around noon, and had a
    pump of 2 kW run in the evening.
    """
    sites.save(connection, SITE)
    pv = np.where(NOON, np.minimum(SUN, 0.1), SUN)
    load = HABIT.load_kwh + np.where(EVENING, 0.5, 0.0)
    observations.upsert(
        connection, "home", Observations.of(HABIT.starts, {"pv_kwh": pv, "load_kwh": load})
    )
    held = log(
        "pv", HABIT.starts[NOON], PvSetpoint(mode="limit", limit_kw=0.4), confirmed={"limit": "400"}
    )
    ran = log(
        "load:pump", HABIT.starts[EVENING], LoadSetpoint(mode="on"), confirmed={"switch": "on"}
    )
    key = sites.key_of(connection, "home")
    connection.execute(control_log.insert(), [{"site_key": key} | row for row in held + ran])
    return connection


def test_forecasts_learn_what_the_sun_could_have_given_and_what_the_house_takes_by_itself(
    steered: Connection, tmp_path: Any
) -> None:
    store = FileObjects(tmp_path)
    sun = SUN.sum() / DAYS
    habit = HABIT.load_kwh.sum() / DAYS
    trained = train_site(
        steered, TrainRequest(site_id="home", until=day(DAYS)), objects=store, settings=QUICK
    )
    assert trained.accepted
    for version in ("baseline_like_days", "aurora_v1.0"):
        issued = issue_forecasts(
            steered,
            IssueRequest(site_id="home", at=day(DAYS), forecast_version=version),
            objects=store,
        )
        forecast = issued.batch.forecast(0)
        assert issued.reply().reasons[:1] == ["pv_held_back:20:20"]
        assert forecast.pv_kwh.expected[:96].sum() == pytest.approx(sun, rel=0.15)
        # The pump took 2 kWh more
        assert forecast.load_kwh.expected[:96].sum() == pytest.approx(habit, rel=0.15)


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_forecast_says_on_how_many_days_pv_was_held_back(
    steered: Connection, tmp_path: Any, language: Any
) -> None:
    store = FileObjects(tmp_path)
    issue_forecasts(
        steered,
        IssueRequest(site_id="home", at=day(DAYS), forecast_version="baseline_like_days"),
        objects=store,
    )
    request = ExplainRequest(
        site_id="home", at=day(DAYS), forecast_version="baseline_like_days", language=language
    )
    held_back = wording("conditions", "pv_held_back", language, held_back=20, days=20)
    assert held_back in explain_forecast(steered, request, objects=store).conditions


def test_of_the_control_log_counts_what_was_confirmed_and_has_no_meter_of_its_own(
    steered: Connection,
) -> None:
    metered = SITE.model_copy(
        update={"loads": [SITE.loads[0].model_copy(update={"kind": "water_heater"})]}
    )
    metered = metered.model_copy(
        update={
            "input_sensors": metered.input_sensors.model_copy(
                update={"water_heater_consumption": ("sensor.pump",)}
            )
        }
    )
    key = sites.key_of(steered, "home")
    late = HABIT.starts[:4] + np.timedelta64(DAYS, "D")
    ignored = log("pv", late, PvSetpoint(mode="off", limit_kw=None), confirmed=None)
    off = log(
        "pv", late[:2], PvSetpoint(mode="off", limit_kw=None), confirmed={"limit": "0"}
    ) + log("pv", late, PvSetpoint(mode="free", limit_kw=None), confirmed={})
    for rows in (ignored, off):
        steered.execute(control_log.insert(), [{"site_key": key} | row for row in rows])
    found = [
        control.read_steering_each(steered, {key: site}, first=START, end=day(DAYS + 1))[key]
        for site in (SITE, metered)
    ]
    for steering in found:
        assert np.isin(HABIT.starts[NOON], steering.pv_starts).all()
        assert steering.pv_limit_kwh[steering.pv_starts >= to_instant(day(DAYS))].tolist() == [
            0.0,
            0.0,
        ]
    assert [steering.load_starts.size for steering in found] == [np.count_nonzero(EVENING), 0]


def test_what_the_owner_ran_through_luna_counts_as_run_with_or_without_control(
    connection: Connection,
) -> None:
    site = describe_site(
        loads=[{"name": "pump", "power_kw": 2.0, "energy_kwh_per_day": 2.0}],
        batteries=[
            {
                "name": "battery",
                "capacity_kwh": 10.0,
                "charge_limit_kw": 5.0,
                "discharge_limit_kw": 5.0,
            }
        ],
    )
    sites.save(connection, site)
    key = sites.key_of(connection, "home")
    on = LoadSetpoint(mode="on")
    # By hand for an hour, and an hour more that the least run asks for.
    for first, by in ((0, "owner"), (4, "rule")):
        rows = [
            row | {"decided_by": by}
            for row in log(
                "load:pump", HABIT.starts[first : first + 4], on, confirmed={"switch": "on"}
            )
        ]
        connection.execute(control_log.insert(), [{"site_key": key} | row for row in rows])
    # Blocks of two hours, one of which the owner took back after its first half-hour; one of a
    # battery is no load.
    for device, action, begin in [("pump", "on", 1), ("pump", "on", 2), ("battery", "charge", 3)]:
        asked = ManualBlock.model_validate(
            {"device": device, "action": action, "from": day(begin, 6.1), "to": day(begin, 6.1 + 2)}
        )
        stored = manual_blocks.add(connection, "home", asked, by="owner", now=day(0))
        if begin == 2:
            removal = {
                "block_id": stored.block_id,
                "removed_by": "owner",
                "removed_at": day(begin, 6.6),
            }
            connection.execute(manual_removals.insert(), [removal])
    ran = control.read_steering_each(connection, {key: site}, first=START, end=day(DAYS))[
        key
    ].load_starts
    hours = [
        np.count_nonzero((ran >= to_instant(day(number))) & (ran < to_instant(day(number + 1)))) / 4
        for number in range(4)
    ]
    # The quarter-hours in which a block begins and ends count whole
    assert hours == [2.0, 2.25, 0.75, 0.0]


def limit_feed_in(connection: Connection, starts: InstantArray, export_kw: float) -> None:
    """Store limits of the operator's for each of these slots."""
    key = sites.key_of(connection, "home")
    rows = [
        {
            "site_key": key,
            "starts_at": f"{start}Z",
            "ends_at": f"{start + np.timedelta64(15, 'm')}Z",
            "export_kw": export_kw,
            "scope": "connection",
            "source": "api",
        }
        for start in starts
    ]
    connection.execute(operator_limits.insert(), rows)


def test_forecasts_learn_what_the_sun_could_have_given_while_an_operator_limited_feed_in(
    connection: Connection, tmp_path: Any
) -> None:
    sites.save(connection, SITE)
    # The inverter followed the operator's relay; Luna sent it nothing.
    pv = np.where(NOON, np.minimum(SUN, 0.1), SUN)
    observations.upsert(
        connection,
        "home",
        Observations.of(HABIT.starts, {"pv_kwh": pv, "load_kwh": HABIT.load_kwh}),
    )
    limit_feed_in(connection, HABIT.starts[NOON], 0.4)
    issued = issue_forecasts(
        connection,
        IssueRequest(site_id="home", at=day(DAYS), forecast_version="baseline_like_days"),
        objects=FileObjects(tmp_path),
    )
    forecast = issued.batch.forecast(0)
    assert issued.reply().reasons[:1] == ["pv_held_back:20:20"]
    assert forecast.pv_kwh.expected[:96].sum() == pytest.approx(SUN.sum() / DAYS, rel=0.15)


def test_what_an_operators_limit_dimmed_is_no_habit_of_the_house(connection: Connection) -> None:
    sites.save(connection, SITE)
    key = sites.key_of(connection, "home")
    # By itself the pump would have run; without a meter of its own the house seems to rest.
    dimmed = log(
        "load:pump",
        HABIT.starts[EVENING],
        LoadSetpoint(mode="off"),
        confirmed={"switch": "off"},
        reason="operator_limit",
    )
    planned_off = log(
        "load:pump", HABIT.starts[NOON], LoadSetpoint(mode="off"), confirmed={"switch": "off"}
    )
    connection.execute(control_log.insert(), [{"site_key": key} | row for row in dimmed])
    connection.execute(control_log.insert(), [{"site_key": key} | row for row in planned_off])
    limit_feed_in(connection, HABIT.starts[:1], 0.0)
    steering = control.read_steering_each(connection, {key: SITE}, first=START, end=day(DAYS))[key]
    assert steering.load_starts.tolist() == HABIT.starts[EVENING].tolist()
    assert steering.pv_starts.tolist() == HABIT.starts[:1].tolist()
    assert steering.pv_limit_kwh.tolist() == [np.inf]
