"""How full a store counts as where its sensor, its power and its meter do not agree."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from luna.energy.charge_sensors import SeenCharge, judge_charge, judge_untaken, store_of
from luna.energy.devices.vehicle import ElectricVehicle
from luna.energy.energy_store import BATTERY, BUFFER, TANK, EnergyStore, MeteredEnergy
from luna.energy.observations import SocReading
from luna.energy.store_level import Presence, StoreLevel, judge_store
from luna.energy.timeline import SLOT, Timeline
from tests.support.suite.tables import each_row

# Plugged in at 05:00, asked at 08:00; the charger gives 11 kW, nine tenths of which are stored.
PLUGGED = datetime(2024, 2, 1, 5, tzinfo=UTC)
NOW = PLUGGED + timedelta(hours=3)
CAR = store_of(ElectricVehicle(capacity_kwh=60))
NAN = float("nan")
HOME = EnergyStore(
    BATTERY, 10, charge_kw=5, discharge_kw=5, charge_efficiency=0.95, discharge_efficiency=0.95
)
STORES_OF_HEAT = {"tank": TANK, "buffer": BUFFER}


def reported(*readings: tuple[float, float]) -> list[SocReading]:
    """Return readings by minutes after the car was plugged in, and their levels."""
    return [SocReading(soc, PLUGGED + timedelta(minutes=minutes)) for minutes, soc in readings]


def repeated(soc: float, first: int, end: int) -> list[tuple[float, float]]:
    """Return a level that is reported every five minutes."""
    return [(minutes, soc) for minutes in range(first, end, 5)]


def counted(*kwh: float, out: tuple[float, ...] | None = None) -> MeteredEnergy:
    """Return what a meter counted in the quarter-hours since the car was plugged in."""
    into = np.array([*kwh, *[0.0] * (12 - len(kwh))])
    given = None if out is None else np.array([*out, *[0.0] * (12 - len(out))])
    return MeteredEnergy(Timeline(PLUGGED, SLOT, 12), into, given)


CHARGED = counted(*[2.75] * 12)
IDLE = counted()


def judge(*readings: tuple[float, float], metered: MeteredEnergy | None) -> StoreLevel:
    """Return the judgement of a car that is plugged in."""
    return judge_store(
        CAR, reported(*readings), now=NOW, presence=Presence(PLUGGED), metered=metered
    )


@each_row(
    ("readings", "metered", "verdict", "soc"),
    [
        # 33 kWh at nine tenths are 49.5 % of 60 kWh.
        (repeated(0.3, -600, 180), CHARGED, "stands_still", 0.795),
        (repeated(0.3, 0, 180), CHARGED, "stands_still", 0.795),
        # It said so once, and never again.
        ([(-600, 0.3)], CHARGED, "stands_still", 0.795),
        ([(-600, 0.3), (-10, NAN)], CHARGED, "stands_still", 0.795),
        # It moved for an hour: the two hours since then bring 33 %.
        ([(0, 0.3), (30, 0.38), (60, 0.465)], CHARGED, "stands_still", 0.795),
        # As the meter has it, and half an hour late.
        ([(0, 0.3), (60, 0.46), (120, 0.63), (170, 0.77)], CHARGED, "trusted", 0.797),
        ([(0, 0.3), (60, 0.38), (120, 0.55), (175, 0.71)], CHARGED, "trusted", 0.724),
        # After three hours the cloud says the truth at once.
        ([*repeated(0.3, 0, 175), (175, 0.79)], CHARGED, "trusted", 0.804),
        # It creeps, while the meter counts ten times as much.
        ([(10 * step, 0.3 + 0.003 * step) for step in range(18)], CHARGED, "against_meter", 0.795),
        # It rises within its power, but the meter counts nothing.
        ([(15 * step, 0.3 + 0.03 * step) for step in range(12)], IDLE, "against_meter", 0.63),
        # 60 % within three quarters of an hour.
        (
            [(5 * step, min(0.3 + 0.06 * step, 0.9)) for step in range(36)],
            IDLE,
            "faster_than_power",
            0.3,
        ),
        # It comes back, it is not believed yet, and it stays against power and meter.
        (
            [*repeated(0.3, 0, 60), *repeated(0.9, 60, 120), *repeated(0.3, 120, 180)],
            IDLE,
            "trusted",
            0.3,
        ),
        ([*repeated(0.3, 0, 175), (175, 0.9)], IDLE, "jumps", 0.3),
        ([*repeated(0.3, 0, 60), *repeated(0.9, 60, 180)], IDLE, "jumps", 0.3),
        # What it said on arrival was old.
        ([(1, 0.8), *repeated(0.25, 5, 180)], IDLE, "trusted", 0.25),
        ([*repeated(0.8, 0, 60), *repeated(0.25, 60, 180)], IDLE, "jumps", 0.25),
        ([*repeated(0.5, 0, 170), (175, 1.9)], IDLE, "out_of_range", 0.5),
        ([(-1600, 0.5)], IDLE, "stale", 0.5),
        # Full is full, whatever the car takes to warm itself.
        (repeated(1.0, 0, 180), counted(*[0.5] * 12), "trusted", 1.0),
        # A quarter-hour is built late.
        (repeated(0.3, 0, 180), counted(*[NAN] * 12), "trusted", 0.3),
    ],
)
def test_a_car_counts_as_full_as_its_charger_makes_it(
    readings: list[tuple[float, float]], metered: MeteredEnergy, verdict: str, soc: float
) -> None:
    level = judge(*readings, metered=metered)
    assert level.verdict == verdict
    assert level.soc == pytest.approx(soc, abs=0.012)


def test_the_figures_say_what_stood_since_when_and_what_was_counted() -> None:
    figures = judge(*repeated(0.3, -60, 180), metered=CHARGED).describe()
    since = (PLUGGED - timedelta(hours=1)).isoformat()
    assert figures == {"soc": 0.795, "sensor_soc": 0.3, "since": since, "metered_kwh": 33.0}


def test_a_level_from_before_the_car_left_is_stale() -> None:
    left = PLUGGED - timedelta(hours=8)
    level = judge_store(
        CAR, reported((-500, 0.8)), now=NOW, presence=Presence(PLUGGED, left), metered=counted(0.1)
    )
    assert level.verdict == "stale"
    # What is reported once the car is back is not.
    back = judge_store(
        CAR,
        reported((-500, 0.8), (5, 0.4)),
        now=NOW,
        presence=Presence(PLUGGED, left),
        metered=IDLE,
    )
    assert (back.verdict, back.soc) == ("trusted", 0.4)


def test_nobody_knows_a_level_that_was_never_or_only_wrongly_reported() -> None:
    assert judge_store(CAR, [], now=NOW).verdict == "unknown"
    wrong = judge_store(CAR, reported((0, 2.55)), now=NOW)
    assert (wrong.verdict, wrong.soc) == ("out_of_range", None)
    old = judge_store(CAR, reported((-3000, 0.5)), now=NOW)
    assert (old.verdict, old.soc) == ("stale", None)


def test_without_a_plug_sensor_a_level_that_stands_is_compared_as_well() -> None:
    instants = [
        (PLUGGED + timedelta(minutes=each)).replace(tzinfo=None) for each in range(0, 180, 5)
    ]
    socs = np.array(instants, dtype="M8[us]"), np.full(36, 0.3)
    nothing = np.array([], dtype="M8[us]"), np.array([])
    seen = judge_charge(ElectricVehicle(capacity_kwh=60), socs, nothing, until=NOW, metered=CHARGED)
    assert seen.charge is not None
    assert seen.charge.verdict == "stands_still"
    assert seen.charge.soc == pytest.approx(0.795)


@each_row(
    ("metered", "verdict", "soc"),
    [
        # 6 kWh in at 95 % are 57 % of 10 kWh; out, they take 63 %.
        (counted(*[0.5] * 12), "stands_still", 0.97),
        (counted(out=(0.25,) * 12), "stands_still", 0.084),
        (counted(*[0.5] * 12, out=(0.45,) * 12), "trusted", 0.4),
    ],
)
def test_a_home_battery_that_stands_still_is_known_by_its_meters(
    metered: MeteredEnergy, verdict: str, soc: float
) -> None:
    readings = reported(*repeated(0.4, 0, 180))
    level = judge_store(HOME, readings, now=NOW, metered=metered)
    assert level.verdict == verdict
    assert level.soc == pytest.approx(soc, abs=0.01)


@each_row("kind", [*STORES_OF_HEAT])
def test_a_store_of_heat_cools_and_is_drawn_from_without_a_verdict(kind: str) -> None:
    # 300 litres between 45 and 55 degrees are 3.5 kWh; the pump makes 3 kWh of heat of one.
    heat = EnergyStore(
        STORES_OF_HEAT[kind], 3.5, 6.0, discharge_kw=30.0, charge_efficiency=3.0, loss_kw=0.1
    )
    drawn = reported((0, 0.9), (60, 0.7), (70, 0.1), (120, 0.4), (175, 0.8))
    assert judge_store(heat, drawn, now=NOW, metered=counted(*[0.15] * 12)).verdict == "trusted"
    # 12 kWh of heat, and it stands.
    stuck = judge_store(
        heat, reported(*repeated(0.5, 0, 180)), now=NOW, metered=counted(*[0.4] * 12)
    )
    assert stuck.verdict == "stands_still"
    warm = reported(*[(15 * step, 0.1 + 0.08 * step) for step in range(12)])
    assert judge_store(heat, warm, now=NOW, metered=IDLE).verdict == "against_meter"
    jumped = reported(*repeated(0.2, 0, 175), (175, 2.9))
    assert judge_store(heat, jumped, now=NOW, metered=IDLE).verdict == "jumps"


@each_row(
    ("metered", "planned", "kwh"),
    [
        (IDLE, [2.75] * 12, 33.0),
        (IDLE, [0.0] * 4 + [2.75] * 8, 22.0),
        # For less than two hours, not planned, taken in the end.
        (IDLE, [2.75] * 7, None),
        (IDLE, [NAN] * 12, None),
        (counted(*[0.0] * 10, 2.0, 2.0), [2.75] * 12, None),
        # It stopped after an hour.
        (counted(*[2.75] * 4), [2.75] * 12, 22.0),
        (counted(*[NAN] * 12), [2.75] * 12, None),
    ],
)
def test_a_car_takes_nothing_where_two_hours_of_charging_were_planned_and_none_was_counted(
    metered: MeteredEnergy, planned: list[float], kwh: float | None
) -> None:
    seen = SeenCharge(None, connected=True, since=PLUGGED, metered=metered)
    found = judge_untaken(seen, np.array([*planned, *[0.0] * (12 - len(planned))]))
    assert (found and found.planned_kwh) == kwh
