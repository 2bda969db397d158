"""Judge the level of a store: a battery, a car, a water tank or a heating buffer.

The level that its sensor reports is compared with its own past, with the power that can fill and
empty the store, and with the energy that a meter counted. What comes out is the level to plan from
and a verdict. Pure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

import numpy as np

from luna.energy.energy_store import ROUNDING_SOC, EnergyStore, MeteredEnergy
from luna.energy.observations import SocReading
from luna.energy.soc_plausibility import (
    BEYOND_NAME_PLATE,
    CONFIRMED_AFTER,
    HOUR,
    STEP_SOC,
    JudgedLevel,
    LevelPace,
    can_follow,
    judge_levels,
)

# ``trusted``: nothing speaks against the sensor. ``unknown``: no sensor has reported a level.
Verdict = Literal[
    "trusted",
    "stands_still",
    "jumps",
    "faster_than_power",
    "against_meter",
    "stale",
    "out_of_range",
    "unknown",
]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)

# Capacity and efficiency are name-plate values: a tenth of both may be off without a fault.
DRIFT_SHARE = 0.1
# From a change to its report: a maker's cloud and a meter's quarter-hour are two slots apart.
LAG = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class StoreLevel:
    """The judged level of a store, with a verdict on its sensor.

    Attributes:
        soc: the level to plan from, 0 to 1; None where nobody knows.
        at: when the sensor last reported what is believed.
        verdict: what is the matter with the sensor.
        sensor_soc: the level that it reports and that is believed.
        sensor_since: since when it has reported this level without a change.
        metered_kwh: what the meter has counted into the store since then.
        given_kwh: what it has counted out of the store.
        metered_until: until when ``soc`` holds what the meter counted; None where it does not.
        judged: the readings judged by power alone.
    """

    soc: float | None
    at: datetime | None
    verdict: Verdict
    sensor_soc: float | None = None
    sensor_since: datetime | None = None
    metered_kwh: float = 0.0
    given_kwh: float | None = None
    metered_until: datetime | None = None
    judged: JudgedLevel | None = None

    def describe(self) -> dict[str, Any]:
        """Return the figures of a sentence on the verdict, instants as ISO 8601."""
        figures: dict[str, Any] = {"metered_kwh": round(self.metered_kwh, 3)}
        if self.given_kwh is not None:
            figures["given_kwh"] = round(self.given_kwh, 3)
        if self.soc is not None:
            figures["soc"] = round(self.soc, 6)
        if self.sensor_soc is not None and self.sensor_since is not None:
            figures["sensor_soc"] = round(self.sensor_soc, 6)
            figures["since"] = self.sensor_since.isoformat()
        return figures


@dataclass(frozen=True, slots=True)
class _Believed:
    """Believed readings without a break, with the judgement after them.

    Attributes:
        readings: the believed ones since the last jump that came to stay.
        run: the first of the last readings that all report the same level.
        level: the judgement after the last one.
        jumped: there was such a jump from a level that had stood for long enough to be right.
    """

    readings: list[SocReading]
    run: SocReading
    level: JudgedLevel
    jumped: bool


@dataclass(frozen=True, slots=True)
class Presence:
    """A store's last stay at its meter, as of a car at its wallbox.

    Attributes:
        since: begin of the stay.
        left: when it last left before that.
        pace: how fast its level moved until ``since``.
    """

    since: datetime
    left: datetime | None = None
    pace: LevelPace | None = None


def judge_store(
    store: EnergyStore,
    readings: Iterable[SocReading],
    *,
    now: datetime,
    presence: Presence | None = None,
    metered: MeteredEnergy | None = None,
) -> StoreLevel:
    """Return the level of a store to plan from, with a verdict on its sensor.

    Args:
        store: its capacity, powers and losses bound what can be.
        readings: what the sensor reported, in order of time; NaN where it reported nothing.
        now: the instant of the judgement.
        presence: of a store that comes and goes; None where it stays, or this is unknown.
        metered: what its meter counted; None without one.

    Invariants: the level lies within the kind's bounds; a sensor whose readings power and meter
        explain within rounding and lag is trusted.
    """
    reported = list(readings)
    finite = [reading for reading in reported if np.isfinite(reading.soc)]
    possible = [reading for reading in finite if store.has(reading.soc)]
    valid = [SocReading(store.clip(reading.soc), reading.at) for reading in possible]
    if not valid:
        return StoreLevel(None, None, "out_of_range" if finite else "unknown")
    sequence = valid
    if presence is not None:
        sequence = _readings_of_stay(valid, presence, presence.pace or store.pace)
    last_in_range = store.has(finite[-1].soc)
    confirmed_until = now if last_in_range and np.isfinite(reported[-1].soc) else None
    believed = _follow(store, sequence, confirmed_until, metered)
    level = _weigh_by_power(store, believed)
    if metered is not None and metered.is_counted(believed.run.at, now):
        level = _weigh_by_meter(store, believed, now, metered)
    if presence is not None and level.sensor_since == presence.since:
        level = replace(level, sensor_since=_stands_since(level, valid, presence.since))
    if level.verdict != "trusted":
        return level
    # From here on nothing else contradicts the sensor.
    last_valid_at = valid[-1].at
    left = None if presence is None else presence.left
    if left is not None and last_valid_at < left:
        return replace(level, verdict="stale")
    if now - last_valid_at > store.kind.stale_after:
        is_counted = presence is not None and level.metered_until is not None
        return replace(level, verdict="stale", soc=level.soc if is_counted else None)
    if not last_in_range:
        return replace(level, verdict="out_of_range")
    return replace(level, verdict="jumps") if believed.jumped else level


def _readings_of_stay(
    valid: Sequence[SocReading], presence: Presence, pace: LevelPace
) -> list[SocReading]:
    """Return the readings of a stay at the meter, with the level on arrival."""
    since = presence.since
    readings = [reading for reading in valid if reading.at >= since]
    earlier = [reading for reading in valid if reading.at < since]
    on_arrival = judge_levels(earlier, pace)
    if on_arrival is None:
        return readings
    # A level that changes at once was one from the road.
    if readings and readings[0].soc != on_arrival.soc:
        return readings
    return [SocReading(on_arrival.soc, since), *readings]


def _stands_since(level: StoreLevel, valid: Sequence[SocReading], since: datetime) -> datetime:
    """Return since when the sensor has reported its level, also before ``since``."""
    stood = since
    earlier = [reading for reading in valid if reading.at < since]
    for reading in reversed(earlier):
        if reading.soc != level.sensor_soc:
            break
        stood = reading.at
    return stood


def _follow(
    store: EnergyStore,
    sequence: Sequence[SocReading],
    confirmed_until: datetime | None,
    metered: MeteredEnergy | None,
) -> _Believed:
    """Return the believed readings.

    ``confirmed_until``: the last one still holds then; None: it does not hold.
    """
    first = sequence[0]
    believed = _Believed([first], first, JudgedLevel(*first), jumped=False)
    for reading in sequence[1:]:
        after = believed.level.follow(reading, store.pace)
        if after.doubted is not None and _is_explained(store, believed.run, reading, metered):
            after = JudgedLevel(*reading)
        believed = _take(store, believed, after, metered)
    if confirmed_until is None:
        return believed
    return _take(store, believed, believed.level.confirm(confirmed_until), metered)


def _take(
    store: EnergyStore, before: _Believed, after: JudgedLevel, metered: MeteredEnergy | None
) -> _Believed:
    """Return what is believed after one more judgement."""
    if after.doubted is not None or after == before.level:
        return replace(before, level=after)
    reading = SocReading(after.soc, after.at)
    last = SocReading(before.level.soc, before.level.at)
    if can_follow(last, reading, store.pace) or _is_explained(store, before.run, reading, metered):
        before.readings.append(reading)
        if reading.soc == before.run.soc:
            return replace(before, level=after)
        return replace(before, run=reading, level=after)
    stood = last.at - before.readings[0].at
    is_counted = metered is not None and metered.is_counted(last.at, reading.at)
    is_repeated = reading.soc > last.soc and stood >= CONFIRMED_AFTER
    if store.kind.counted_on and is_repeated and is_counted:
        # Neither power nor meter brings it up at once: saying it for longer makes it no truer.
        since = before.level.doubted_since or reading.at
        return replace(before, level=replace(before.level, doubted=reading, doubted_since=since))
    # A level corrected at once was old when it arrived.
    return _Believed([reading], reading, after, jumped=before.jumped or stood > LAG)


def _weigh_by_power(store: EnergyStore, believed: _Believed) -> StoreLevel:
    """Return the level that power alone makes of the believed readings."""
    soc = believed.level.soc
    run = believed.run
    level = StoreLevel(soc, believed.level.at, "trusted", soc, run.at, judged=believed.level)
    if believed.level.doubted is not None:
        return replace(level, verdict="jumps")
    # Only of a store that is counted on: a battery may be stronger than its owner lets it be.
    if not store.kind.counted_on:
        return level
    possible = _find_fast_rise(store, believed.readings, None)
    if possible is None:
        return level
    return replace(level, soc=possible, verdict="faster_than_power")


def _weigh_by_meter(
    store: EnergyStore, believed: _Believed, now: datetime, metered: MeteredEnergy
) -> StoreLevel:
    """Return the level that the meter makes of the believed readings."""
    soc = believed.level.soc
    run = believed.run
    first = believed.readings[0]
    counted = store.clip(soc + metered.count_stored(store, run.at, now))
    level = StoreLevel(
        counted,
        believed.level.at,
        "trusted",
        sensor_soc=soc,
        sensor_since=run.at,
        metered_kwh=metered.count_into(run.at, now),
        given_kwh=metered.count_out(run.at, now),
        metered_until=metered.until,
        judged=believed.level,
    )
    if believed.level.doubted is not None:
        return replace(level, verdict="jumps")
    possible = _find_fast_rise(store, believed.readings, metered)
    if possible is not None:
        return replace(level, soc=possible, verdict="faster_than_power")
    if _stands_still(store, run, now, metered):
        return replace(level, verdict="stands_still")
    lowest, highest = _reach(store, first, now, metered, slack=DRIFT_SHARE)
    if metered.is_counted(first.at, now) and not lowest <= soc <= highest:
        # Metered energy is in the store; energy that the sensor adds to it may have come elsewhere.
        planned_soc = soc
        if soc < lowest and store.kind.counted_on:
            planned_soc = store.clip(first.soc + metered.count_stored(store, first.at, now))
        return replace(
            level,
            soc=planned_soc,
            verdict="against_meter",
            sensor_since=first.at,
            metered_kwh=metered.count_into(first.at, now),
        )
    if store.kind.counted_on:
        return replace(level, soc=max(soc, counted))
    return replace(level, soc=soc, metered_until=None)


def _stands_still(
    store: EnergyStore, run: SocReading, now: datetime, metered: MeteredEnergy
) -> bool:
    """Return whether the level has stood since ``run`` although it must have moved."""
    end = max(now - LAG, run.at)
    hours = (end - run.at) / HOUR
    lost = store.loss_kw * hours / store.capacity_kwh
    moved = metered.count_stored(store, run.at, end)
    risen = store.clip(run.soc + moved - lost) - run.soc
    if risen > store.kind.stuck_share:
        return True
    fallen = run.soc - store.clip(run.soc + moved)
    return fallen > store.kind.stuck_share and not store.kind.drawn_unmetered


def _find_fast_rise(
    store: EnergyStore, readings: Sequence[SocReading], metered: MeteredEnergy | None
) -> float | None:
    """Return the possible level if it rose faster than its power, else None."""
    hours = np.array([(reading.at - readings[0].at) / HOUR for reading in readings])
    levels = np.array([reading.soc for reading in readings])
    rate = BEYOND_NAME_PLATE * store.pace.rise_per_hour
    # A level that rises with full power stays where it is in ``beyond_power``.
    beyond_power = levels - rate * hours
    rises = beyond_power - np.minimum.accumulate(beyond_power)
    top = int(rises.argmax())
    if rises[top] <= STEP_SOC + ROUNDING_SOC + rate * (LAG / HOUR):
        return None
    bottom = int(beyond_power[: top + 1].argmin())
    # A cloud that stood may hand on at once what came meanwhile.
    while bottom > 0 and levels[bottom - 1] == levels[bottom]:
        bottom -= 1
    first = readings[bottom]
    highest_reading = readings[top]
    last = readings[-1]
    if metered is None or not metered.is_counted(first.at, last.at):
        possible = first.soc + rate * float(hours[-1] - hours[bottom])
        return min(last.soc, store.clip(possible))
    _, highest = _reach(store, first, highest_reading.at, metered, slack=DRIFT_SHARE)
    if highest_reading.soc <= highest:
        return None
    possible = first.soc + metered.count_stored(store, first.at, last.at)
    return min(last.soc, store.clip(possible))


def _reach(
    store: EnergyStore, first: SocReading, at: datetime, metered: MeteredEnergy, *, slack: float
) -> tuple[float, float]:
    """Return the lowest and highest level that the meter allows after a first reading."""
    # Both ends may have been reported late.
    stored = []
    for begin in (first.at, first.at - LAG):
        stored.append(metered.count_stored(store, begin, at - LAG))
        stored.append(metered.count_stored(store, begin, at))
    moved = metered.count_moved(first.at - LAG, at) / store.capacity_kwh
    off = slack + DRIFT_SHARE * moved + ROUNDING_SOC
    hidden = BEYOND_NAME_PLATE * metered.count_unknown(first.at, at) / store.capacity_kwh
    lost = store.loss_kw * ((at - first.at) / HOUR) / store.capacity_kwh
    lowest = first.soc + min(stored) - off - hidden * store.discharge_kw - lost
    highest = first.soc + max(stored) + off + hidden * store.charge_kw
    if store.kind.drawn_unmetered:
        lowest = -np.inf
    if store.kind.filled_unmetered:
        highest = np.inf
    # Beyond full and empty nothing moves the level.
    return min(lowest, store.kind.most - ROUNDING_SOC), max(highest, store.kind.least)


def _is_explained(
    store: EnergyStore, run: SocReading, reading: SocReading, metered: MeteredEnergy | None
) -> bool:
    """Return whether the meter explains a later reading of a level."""
    if metered is None or not metered.is_counted(run.at, reading.at):
        return False
    lowest, highest = _reach(store, run, reading.at, metered, slack=STEP_SOC)
    return lowest <= reading.soc <= highest
