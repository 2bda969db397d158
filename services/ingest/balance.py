"""Imbalance of a local day's meters, compared with the usual one, and its explanation. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from luna.energy.day_fault import DayFault
from luna.energy.site import SUBMETERED, Site
from luna.energy.timeline import SLOT_HOURS, FloatArray
from services.ingest.battery_faults import is_reversed, measure_against, stored_kwh
from services.ingest.metering.column_sensors import ROLES
from services.ingest.metering.spans import REST_KW, runs_of

# Policies differ by a tenth of a day's cost or less: with more than a tenth of the day unknown, its
# cost does not compare them.
LEAST_COVERAGE = 0.9
# Meters of class B are right within 1 %, clamps and inverters' own counters within 5 %: three of
# them leave less than a tenth open.
MOST_UNEXPLAINED = 0.1
# Counters with steps of 0.1 kWh leave this much open in a few blocks even if hardly anything flows.
UNEXPLAINED_KWH = 1.0
# Four hours: long enough for coarse counters to catch up, short enough for an hour's clock error to
# show.
BALANCE_SLOTS = 16

# A slot that was read late leaves a quarter of a kilowatt-hour, and a twenty-fifth costs nothing.
LEAST_UNUSUAL_KWH = 0.25
LEAST_UNUSUAL_SHARE = 0.04
# The disagreement of good meters varies from day to day by half rather than threefold.
USUAL_FACTOR = 3.0
# A week of days shows what is usual. Within two weeks to either side a fault of six days, or one of
# every fourth day, does not look usual.
USUAL_DAYS = 14
FEWEST_USUAL = 7
USUAL_SHARE = 0.75
# Clocks are wrong by the hour of summer time, or by the two between UTC and summer time.
CLOCK_SLOTS = (4, -4, 8, -8)
# Losses and the other direction take away less than half of a rise.
LEAST_SOC_SHARE = 0.5
# A house's use of two hours does not flow in a quarter-hour. Meters report so much at once after a
# standstill, or if they count whole kWh.
MOST_AT_ONCE = 0.2
# An explanation leaves at most a tenth of the imbalance.
MOST_REMAINING_SHARE = 0.1
# An explanation is named if the next leaves ten times as much, and more than rounding.
PLAINER_FACTOR = 10.0
PLAINER_KWH = 0.05
# Shorter standstills of a meter are usual.
LEAST_FROZEN_SLOTS = 8

# Units are wrong by a thousand: W for kW, Wh for kWh.
SCALE = 1000.0
# A corrected unit leaves no more of the imbalance.
MOST_SCALED_SHARE = 0.2
# A house does not reach it, but noise times a thousand does.
MOST_SLOT_KWH = 25.0
# A corrected battery direction leaves less, even beside other errors.
MOST_TURNED_SHARE = 0.3

BALANCED = (
    "load_kwh",
    "pv_kwh",
    "import_kwh",
    "export_kwh",
    "charge_kwh",
    "discharge_kwh",
    "residual_kwh",
    *SUBMETERED,
)
SUPPLIES = ("import_kwh", "pv_kwh", "discharge_kwh")
USES = ("export_kwh", "charge_kwh", "load_kwh", *SUBMETERED)


@dataclass(frozen=True, slots=True)
class Imbalance:
    """Range of the running sum of a day's residuals, and the energy that flowed meanwhile, kWh."""

    kwh: float
    flow_kwh: float


@dataclass(frozen=True, slots=True)
class UsualImbalance:
    """The imbalance that three in four of the days around stay below.

    In kWh, and as a share of the flow.
    """

    kwh: float
    share: float

    def limit_kwh(self, flow_kwh: float) -> float:
        """Return the imbalance beyond which a day is unlike those around it."""
        return max(
            LEAST_UNUSUAL_KWH,
            LEAST_UNUSUAL_SHARE * flow_kwh,
            USUAL_FACTOR * max(self.kwh, self.share * flow_kwh),
        )


def settle_residual(
    series: Mapping[str, FloatArray], expected: frozenset[str], site: Site
) -> FloatArray:
    """Return the residual per slot, unknown where a meter is silent.

    It is import + PV + discharge − export − charge − consumption; all unknown if the site lacks one
    of the meters.

    Args:
        series: ``BALANCED``, NaN where unknown; a stored ``residual_kwh`` has priority.
        expected: the series that the site had around that day.
    """

    def part(name: str) -> FloatArray:
        return series[name] if name in expected else np.zeros_like(series[name])

    stored = series["residual_kwh"]
    needed = {"import_kwh"}
    if "pv_kwh" in expected:
        needed.add("export_kwh")
    if site.batteries:
        needed |= {"charge_kwh", "discharge_kwh"}
    if not needed <= expected:
        return stored
    apart = np.nansum([series[name] for name in SUBMETERED], axis=0)
    supply = (
        part("import_kwh")
        + part("pv_kwh")
        + part("discharge_kwh")
        - part("export_kwh")
        - part("charge_kwh")
    )
    return np.where(np.isfinite(stored), stored, supply - part("load_kwh") - apart)


def measure_imbalance(residual: FloatArray, series: Mapping[str, FloatArray]) -> Imbalance:
    """Return the imbalance of a day's known slots.

    A counter that moves in steps adds one step to it, however often it does.
    """
    running = np.cumsum(np.concatenate([[0.0], np.nan_to_num(residual)]))
    return Imbalance(float(np.ptp(running)), _sum_flow(residual, series))


def learn_usual(around: Sequence[Imbalance]) -> UsualImbalance | None:
    """Return the usual imbalance of the days around a day, or None if they are too few."""
    if len(around) < FEWEST_USUAL:
        return None
    kwh = np.array([imbalance.kwh for imbalance in around])
    flow_kwh = np.array([imbalance.flow_kwh for imbalance in around])
    shares = kwh / np.maximum(flow_kwh, LEAST_UNUSUAL_KWH)
    return UsualImbalance(
        float(np.quantile(kwh, USUAL_SHARE)), float(np.quantile(shares, USUAL_SHARE))
    )


def find_imbalance(
    series: Mapping[str, FloatArray], residual: FloatArray, site: Site, usual: UsualImbalance | None
) -> Iterator[DayFault]:
    """Yield the contradiction of a day's meters, and its only explanation.

    Args:
        series: ``BALANCED`` and ``soc``, NaN where unknown.
        residual: as from ``settle_residual``.
        usual: the imbalance of the days around; None if it is not known.
    """
    day = _Day(series, residual, usual, site)
    imbalance = measure_imbalance(residual, series)
    contradiction = _find_contradiction(day, imbalance)
    if contradiction is not None:
        yield contradiction
        yield from _explain(day, imbalance)


def _find_contradiction(day: "_Day", imbalance: Imbalance) -> DayFault | None:
    unexplained = _sum_blocks(day.residual)
    flow = imbalance.flow_kwh
    if _is_beyond(unexplained, flow):
        return DayFault.of("balance", open=unexplained, flow=flow)
    usual = day.usual
    if usual and imbalance.kwh > usual.limit_kwh(flow):
        return DayFault.of("balance_unusual", open=imbalance.kwh, flow=flow, usual=usual.kwh)
    # A home may take only a tenth of a sunny day's flow from its battery at night.
    if unexplained > UNEXPLAINED_KWH:
        remaining_kwh = day.leave_turned(DIRECTIONS[0])
        if remaining_kwh < MOST_REMAINING_SHARE * unexplained:
            return DayFault.of("balance", open=unexplained, flow=flow)
    return None


def _explain(day: "_Day", imbalance: Imbalance) -> Iterator[DayFault]:
    """Yield the only change that explains a day.

    First exchanged directions, then a wrong unit, then a wrong clock or a standstill of one meter.
    """
    turned = _choose_turn(day)
    if turned:
        for source, sink in turned:
            yield DayFault.of("turned", source=ROLES[source], sink=ROLES[sink])
        return
    scaled = _choose_scale(day, imbalance.kwh)
    if scaled is not None:
        yield scaled
        return
    metered = {name for name in (*SUPPLIES, *USES) if np.isfinite(day.series[name]).any()}
    if day.derived:
        metered -= {"load_kwh"}
    # A use that is not counted may be a load without a meter, so a standstill is looked for in the
    # supplies and the house's meter only.
    may_be_frozen = metered & {*SUPPLIES, "load_kwh"}
    candidates = [*_find_shifted(day, metered), *_find_frozen(day, may_be_frozen)]
    most_kwh = max(LEAST_UNUSUAL_KWH, MOST_REMAINING_SHARE * imbalance.kwh)
    plausible = [candidate for candidate in candidates if candidate.remaining_kwh <= most_kwh]
    plausible.sort(key=_by_remaining)
    if not plausible:
        return
    best = plausible[0]
    clearly_more_kwh = PLAINER_FACTOR * best.remaining_kwh + PLAINER_KWH
    if len(plausible) == 1 or plausible[1].remaining_kwh > clearly_more_kwh:
        yield best.fault


class _Candidate(NamedTuple):
    """A possible fault of a day, with its remaining imbalance."""

    remaining_kwh: float
    fault: DayFault


def _by_remaining(candidate: _Candidate) -> tuple[float, str]:
    return candidate.remaining_kwh, candidate.fault.text


def _sum_blocks(residual: FloatArray) -> float:
    """Return a residual's sum over blocks in which coarse counters catch up, kWh."""
    begins = np.arange(0, residual.size, BALANCE_SLOTS)
    blocks = np.add.reduceat(np.nan_to_num(residual), begins)
    return float(np.abs(blocks).sum())


def _sum_flow(residual: FloatArray, series: Mapping[str, FloatArray]) -> float:
    finite = np.isfinite(residual)
    return float(np.nansum([series[name][finite] for name in SUPPLIES]))


def _is_beyond(unexplained: float, flow: float) -> bool:
    return unexplained > UNEXPLAINED_KWH and unexplained > MOST_UNEXPLAINED * flow


@dataclass(frozen=True, slots=True)
class _Day:
    """A day that does not balance."""

    series: Mapping[str, FloatArray]
    residual: FloatArray
    usual: UsualImbalance | None
    site: Site

    @property
    def derived(self) -> bool:
        """Whether the base load is derived from the other meters.

        Then only a residual below zero shows a fault.
        """
        has_residual = bool(np.isfinite(self.series["residual_kwh"]).any())
        return has_residual and not self.site.input_sensors.total_load_consumption

    @property
    def capacity_kwh(self) -> float:
        return sum(battery.capacity_kwh for battery in self.site.batteries)

    def change(self, changed: Mapping[str, FloatArray]) -> FloatArray:
        """Return the residual if some series are replaced."""
        remaining = self.residual.copy()
        for name, kwh in changed.items():
            remaining += (kwh - self.series[name]) * (1 if name in SUPPLIES else -1)
        if self.derived:
            return np.minimum(self.series["load_kwh"] + remaining, 0.0)
        return remaining

    def exchange(self, pairs: Sequence[tuple[str, str]]) -> dict[str, FloatArray]:
        """Return the series of some pairs of directions, exchanged."""
        exchanged = {}
        for one, other in pairs:
            exchanged[one] = self.series[other]
            exchanged[other] = self.series[one]
        return exchanged

    def leave_turned(self, pair: tuple[str, str]) -> float:
        """Return the blocks' residual if two directions are exchanged, kWh."""
        return _sum_blocks(self.change(self.exchange([pair])))

    def leave(self, changed: Mapping[str, FloatArray]) -> float | None:
        """Return the imbalance if some series are replaced, kWh.

        None if the day is still implausible.
        """
        remaining = self.change(changed)
        if np.isfinite(remaining).sum() < LEAST_COVERAGE * np.isfinite(self.residual).sum():
            return None
        imbalance = measure_imbalance(remaining, {**self.series, **changed})
        flow_kwh = imbalance.flow_kwh
        if self.usual is not None and imbalance.kwh > self.usual.limit_kwh(flow_kwh):
            return None
        if _is_beyond(_sum_blocks(remaining), flow_kwh):
            return None
        return imbalance.kwh


# Two directions of one flow, the one that supplies the house first: where they are exchanged, the
# residual is off by twice their difference.
DIRECTIONS = (("discharge_kwh", "charge_kwh"), ("import_kwh", "export_kwh"))


def _choose_turn(day: _Day) -> tuple[tuple[str, str], ...]:
    """Return the exchanged directions, if one exchange alone explains the day.

    The state of charge decides between two. Both directions are exchanged only if neither alone
    explains the day.
    """
    ways: list[tuple[tuple[str, str], ...]] = []
    for pair in DIRECTIONS:
        remaining_kwh = day.leave(day.exchange([pair]))
        if remaining_kwh is not None:
            ways.append((pair,))
    if not ways and day.leave(day.exchange(DIRECTIONS)) is not None:
        ways.append(DIRECTIONS)
    if len(ways) > 1 and day.site.batteries:
        soc_kwh = np.diff(day.series["soc"]) * day.capacity_kwh
        stored = stored_kwh(day.series, day.site.batteries)[1:]
        is_battery_turned = is_reversed(*measure_against(soc_kwh, stored))
        ways = [way for way in ways if is_battery_turned == (DIRECTIONS[0] in way)]
    if ways:
        return ways[0] if len(ways) == 1 else ()
    # Beside other errors a reversed battery still explains most of the imbalance.
    open_kwh = _sum_blocks(day.residual)
    if open_kwh <= UNEXPLAINED_KWH:
        return ()
    is_turned = day.leave_turned(DIRECTIONS[0]) < MOST_TURNED_SHARE * open_kwh
    return (DIRECTIONS[0],) if is_turned else ()


def _choose_scale(day: _Day, imbalance_kwh: float) -> DayFault | None:
    """Return the only meter that explains the day by a unit wrong by a thousand."""
    faults = []
    for name in (*SUPPLIES, *USES):
        kwh = day.series[name]
        if not np.nansum(kwh) or (name == "load_kwh" and day.derived):
            continue
        for factor, code in ((SCALE, "scaled_down"), (1 / SCALE, "scaled_up")):
            if not np.nanmax(kwh) * factor < MOST_SLOT_KWH:
                continue
            remaining_kwh = day.leave({name: kwh * factor})
            if remaining_kwh is not None and remaining_kwh <= MOST_SCALED_SHARE * imbalance_kwh:
                faults.append(DayFault.of(code, sensor=ROLES[name]))
    return faults[0] if len(faults) == 1 else None


def _find_shifted(day: _Day, names: Collection[str]) -> Iterator[_Candidate]:
    """Yield the meters that explain the day if they are read earlier or later."""
    for name in names:
        kwh = day.series[name]
        for slots in CLOCK_SLOTS:
            late = max(slots, 0)
            early = max(-slots, 0)
            within = kwh[late : kwh.size - early]
            # Values beyond the day are unknown.
            moved = np.concatenate([np.full(early, np.nan), within, np.full(late, np.nan)])
            remaining_kwh = day.leave({name: moved})
            if remaining_kwh is not None:
                code = "clock_late" if late else "clock_early"
                hours = abs(slots) * SLOT_HOURS
                fault = DayFault.of(code, sensor=ROLES[name], hours=hours)
                yield _Candidate(remaining_kwh, fault)


def _find_frozen(day: _Day, names: Collection[str]) -> Iterator[_Candidate]:
    """Yield the meters that explain the day if they stood still for a while."""
    for name in names:
        kwh = day.series[name]
        sign = -1 if name in SUPPLIES else 1
        missed = np.nan_to_num(day.residual) * sign
        first, end = _longest_missed(kwh, missed)
        if name == "import_kwh":
            # Nobody imports while they export.
            missed = np.where(day.series["export_kwh"] > REST_KW * SLOT_HOURS, 0.0, missed)
        lost = np.maximum(missed[first:end], 0.0)
        lost_kwh = lost.sum()
        if not (lost_kwh > LEAST_UNUSUAL_KWH and lost.max() <= MOST_AT_ONCE * lost_kwh):
            continue
        # The state of charge must show what a battery's meter missed.
        risen_kwh = _rise_of_charge(day, first, end) * sign
        if name in DIRECTIONS[0] and not risen_kwh > LEAST_SOC_SHARE * lost_kwh:
            continue
        filled = kwh.copy()
        filled[first:end] += lost
        # When the meter continues, it may count at once what it missed.
        filled[end : end + 1] += np.minimum(0.0, missed[end : end + 1])
        remaining_kwh = day.leave({name: filled})
        if remaining_kwh is not None:
            fault = DayFault.of(
                "frozen",
                sensor=ROLES[name],
                hours=(end - first) * SLOT_HOURS,
                missed=float(lost_kwh),
            )
            yield _Candidate(remaining_kwh, fault)


def _longest_missed(kwh: FloatArray, missed: FloatArray) -> tuple[int, int]:
    """Return the standstill of a meter in which most energy is missing, or (0, 0)."""
    best = (0, 0)
    most_kwh = -np.inf
    for first, end in runs_of(kwh <= REST_KW * SLOT_HOURS):
        if end - first >= LEAST_FROZEN_SLOTS:
            missed_kwh = float(missed[first:end].sum())
            if missed_kwh > most_kwh:
                best = (first, end)
                most_kwh = missed_kwh
    return best


def _rise_of_charge(day: _Day, first: int, end: int) -> float:
    """Return the rise of the stored energy over some slots, kWh."""
    soc = day.series["soc"][first:end]
    known = soc[np.isfinite(soc)]
    if not known.size:
        return 0.0
    return float((known[-1] - known[0]) * day.capacity_kwh)
