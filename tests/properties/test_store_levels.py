"""Whatever a sensor does, the level planned from is near the truth or comes with a code."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from luna.energy.energy_store import BATTERY, BUFFER, CAR, TANK, EnergyStore, MeteredEnergy
from luna.energy.observations import SocReading
from luna.energy.store_level import Presence, StoreLevel, judge_store
from luna.energy.timeline import SLOT, FloatArray, Timeline
from tests.support.suite.depth import draws

START = datetime(2024, 2, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
STEP_MINUTES = 5
COUNT = 24
NOW = START + COUNT * SLOT
# Name-plate values may be off by a tenth of what flowed, and a level may be told two slots late.
NEAR = 0.1
# Whole per cents at both ends, and what a level may step by.
SLACK = 0.1

STORES = {
    "battery": EnergyStore(
        BATTERY, 10, 5, 5, charge_efficiency=0.95, discharge_efficiency=0.95, loss_kw=0.03
    ),
    "car": EnergyStore(CAR, 60, 9.9, charge_efficiency=0.9, loss_kw=0.3),
    "small car": EnergyStore(CAR, 12, 3.3, charge_efficiency=0.9, loss_kw=0.1),
    "tank": EnergyStore(TANK, 3.5, 6.0, 30.0, charge_efficiency=3.0, loss_kw=0.1),
    "buffer": EnergyStore(BUFFER, 10, 12.0, 12.0, charge_efficiency=4.0, loss_kw=0.2),
}


@dataclass(frozen=True, slots=True)
class Trajectory:
    """What a store really holds every five minutes, and what its meter counted per slot."""

    levels: FloatArray
    metered: MeteredEnergy


@st.composite
def trajectories(draw: st.DrawFn, store: EnergyStore) -> Trajectory:
    """Return hours of charging, discharging and standing, with losses, that end anywhere."""
    level = draw(st.floats(0.05, 0.9))
    powers = st.sampled_from(
        [0.0, 0.0, 0.3, 0.7, 1.0] + ([-0.5, -1.0] if store.discharge_kw else [])
    )
    wanted = np.repeat(draw(st.lists(powers, min_size=COUNT // 4, max_size=COUNT // 4)), 4)
    fraction = STEP_MINUTES / 60
    levels = [level]
    into = np.zeros(COUNT)
    out = np.zeros(COUNT)
    for place, share in enumerate(np.repeat(wanted, 3).tolist()):
        stored = (
            share
            * (store.charge_kw if share > 0 else store.discharge_kw)
            * fraction
            / store.capacity_kwh
        )
        stored = min(max(level + stored, 0.0), 1.0) - level
        if stored > 0:
            into[place // 3] += stored * store.capacity_kwh / store.charge_efficiency
        elif not store.kind.drawn_unmetered:
            out[place // 3] -= stored * store.capacity_kwh * store.discharge_efficiency
        lost = (
            draw(st.floats(0.0, 1.0)) * store.loss_kw * fraction / store.capacity_kwh
            if place == 0
            else 0.0
        )
        level = max(level + stored - lost, 0.0)
        levels.append(level)
    given_out = out if store.discharge_kw and not store.kind.drawn_unmetered else None
    return Trajectory(
        np.array(levels), MeteredEnergy(Timeline(START, SLOT, COUNT), into, given_out)
    )


def report(levels: FloatArray, *, lag: int = 0) -> list[SocReading]:
    """Return whole per cents of the levels, ``lag`` steps late."""
    shown = np.round(np.concatenate([np.full(lag, levels[0]), levels[: levels.size - lag]]), 2)
    return [
        SocReading(soc, START + place * STEP_MINUTES * MINUTE)
        for place, soc in enumerate(shown.tolist())
    ]


def judge(name: str, readings: list[SocReading], truth: Trajectory) -> StoreLevel:
    """Return the judgement; a car is at its charger all the time."""
    presence = Presence(START) if STORES[name].kind is CAR else None
    return judge_store(STORES[name], readings, now=NOW, presence=presence, metered=truth.metered)


def hold(levels: FloatArray, begins: int, size: float) -> FloatArray:
    return np.where(np.arange(levels.size) < begins, levels, levels[begins])


def leave_and_return(levels: FloatArray, begins: int, size: float) -> FloatArray:
    there = (np.arange(levels.size) >= begins) & (np.arange(levels.size) < begins + 6)
    return np.where(there, np.clip(levels + size, 0.0, 1.0), levels)


def move_away(levels: FloatArray, begins: int, size: float) -> FloatArray:
    return np.where(np.arange(levels.size) < begins, levels, np.clip(levels + size, 0.0, 1.0))


def creep(levels: FloatArray, begins: int, size: float) -> FloatArray:
    return np.asarray(levels[0] + 0.1 * (levels - levels[0]))


def run_ahead(levels: FloatArray, begins: int, size: float) -> FloatArray:
    return np.asarray(np.clip(levels + np.linspace(0.0, size, levels.size), 0.0, 1.0))


def leave_bounds(levels: FloatArray, begins: int, size: float) -> FloatArray:
    return np.where(np.arange(levels.size) < begins, levels, 2.55)


def fall_silent(levels: FloatArray, begins: int, size: float) -> FloatArray:
    return levels[: begins + 1]


FAULTS = [hold, leave_and_return, move_away, creep, run_ahead, leave_bounds, fall_silent]


@settings(max_examples=draws(600), deadline=None)
@given(data=st.data(), name=st.sampled_from([*STORES]), lag=st.sampled_from([0, 1, 3, 6]))
def test_a_healthy_sensor_is_trusted(data: st.DataObject, name: str, lag: int) -> None:
    truth = data.draw(trajectories(STORES[name]))
    level = judge(name, report(truth.levels, lag=lag), truth)
    assert level.verdict == "trusted"
    # What a level that is half an hour late misses.
    late = np.abs(truth.levels[-1 - lag :] - truth.levels[-1]).max()
    assert level.soc is not None
    assert abs(level.soc - truth.levels[-1]) <= late + 0.03


@settings(max_examples=draws(1200), deadline=None)
@given(
    data=st.data(),
    name=st.sampled_from(["battery", "car", "small car"]),
    fault=st.sampled_from(FAULTS),
    begins=st.integers(8, 3 * COUNT - 2),
    size=st.floats(-0.6, 0.6),
)
def test_a_faulty_level_is_near_the_truth_or_named(
    data: st.DataObject,
    name: str,
    fault: Callable[[FloatArray, int, float], FloatArray],
    begins: int,
    size: float,
) -> None:
    truth = data.draw(trajectories(STORES[name]))
    level = judge(name, report(fault(truth.levels, begins, size)), truth)
    moved = truth.metered.count_moved(START, NOW) / STORES[name].capacity_kwh
    # A sensor may be half an hour late.
    late = np.abs(truth.levels[-7:] - truth.levels[-1]).max()
    off = 1.0 if level.soc is None else abs(level.soc - truth.levels[-1])
    assert level.verdict != "trusted" or off <= NEAR * (1 + moved) + SLACK + late
