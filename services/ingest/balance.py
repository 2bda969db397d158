"""What the meters of a site leave unexplained of a local day, by how much they usually disagree,
and which of them would explain it. Pure.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from luna.energy.day_fault import DayFault
from luna.energy.site import SUBMETERED, Site
from luna.energy.timeline import SLOT, FloatArray
from services.ingest.battery_faults import is_reversed, measure_against, stored_kwh
from services.ingest.metering.columns import ROLES
from services.ingest.metering.spans import REST_KW, runs_of

SLOT_HOURS = SLOT.total_seconds() / 3600
# Policies differ by a tenth of a day's cost and less: with more than a tenth of the day unknown,
# its cost says nothing about them.
LEAST_COVERAGE = 0.9
# Meters of class B are right within 1 %, clamps and inverters' own counters within 5 %: what three
# of them leave open is less than a tenth.
MOST_UNEXPLAINED = 0.1
# Counters that move in steps of 0.1 kWh leave that much open in a few blocks of a day on which next
# to nothing flows.
UNEXPLAINED_KWH = 1.0
# Four hours: long enough for coarse counters to catch up, short enough for an hour's clock error to
# show.
BALANCE_SLOTS = 16

# Meters that agree on the days around show less: a quarter of a kilowatt-hour is what a slot that
# was read late leaves, and a twenty-fifth costs nothing.
LEAST_UNUSUAL_KWH = 0.25
LEAST_UNUSUAL_SHARE = 0.04
# How far good meters disagree differs from day to day with what flows through which of them: by
# half rather than threefold.
USUAL_FACTOR = 3.0
# A week of days tells what is usual; in two weeks to either side a fault that lasts for six days,
# or that comes back every fourth, does not become it.
USUAL_DAYS = 14
FEWEST_USUAL = 7
USUAL_SHARE = 0.75
# Clocks are wrong by an hour, as the time changes, or by two, as local time and UTC differ in
# summer.
CLOCK_SLOTS = (4, -4, 8, -8)
# Losses and what the other direction moved meanwhile take away less than half.
LEAST_SOC_SHARE = 0.5
# What a house uses in two hours does not flow in a quarter of one: that is what a meter says that
# goes on after it stood still, or counts whole kWh.
MOST_AT_ONCE = 0.2
# What explains a day leaves a tenth of what was open.
MOST_REMAINING_SHARE = 0.1
# One explanation is named where the next leaves ten times as much, and more than a few readings of
# a watt-hour's rounding.
PLAINER_FACTOR = 10.0
PLAINER_KWH = 0.05
# A meter that rests for less than two hours is nothing to ask about.
LEAST_FROZEN_SLOTS = 8

# Units are wrong by a thousand: W for kW, Wh for kWh.
SCALE = 1000.0
# Meters that agree otherwise leave no more; noise times a thousand is no flow of a house.
MOST_SCALED_SHARE = 0.2
MOST_SLOT_KWH = 25.0
# Of a battery the other way round less than this remains beside other errors.
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
    """How far the running sum of what a day's meters leave unexplained moves, and what flowed
    meanwhile, kWh.
    """

    kwh: float
    flow_kwh: float


@dataclass(frozen=True, slots=True)
class UsualImbalance:
    """The imbalance that three in four of the days around stay below, in kWh and as a share of what
    flowed.
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
    """Return import + PV + discharge − export − charge − consumption per slot, unknown where a
    meter is silent; all unknown where the site lacks one.

    Args:
        series: ``BALANCED``, NaN where unknown; where ``residual_kwh`` is stored, it stands.
        expected: the series that the site had around that day.
    """

    def part(name: str) -> FloatArray:
        return series[name] if name in expected else np.zeros_like(series[name])

    stored = series["residual_kwh"]
    metered = (
        {"import_kwh"}
        | ({"export_kwh"} if "pv_kwh" in expected else set())
        | ({"charge_kwh", "discharge_kwh"} if site.batteries else set())
    )
    if not metered <= expected:
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
    """Return the imbalance of a day's known slots: a counter that moves in steps adds one step to
    it, however often it does.
    """
    running = np.cumsum(np.concatenate([[0.0], np.nan_to_num(residual)]))
    return Imbalance(float(np.ptp(running)), _sum_flow(residual, series))


def learn_usual(around: Sequence[Imbalance]) -> UsualImbalance | None:
    """Return the usual imbalance of the days around a day; None where they are too few."""
    if len(around) < FEWEST_USUAL:
        return None
    kwh, flow = (np.array([getattr(each, name) for each in around]) for name in ("kwh", "flow_kwh"))
    return UsualImbalance(
        float(np.quantile(kwh, USUAL_SHARE)),
        float(np.quantile(kwh / np.maximum(flow, LEAST_UNUSUAL_KWH), USUAL_SHARE)),
    )


def find_imbalance(
    series: Mapping[str, FloatArray], residual: FloatArray, site: Site, usual: UsualImbalance | None
) -> Iterator[DayFault]:
    """Yield that a day's meters contradict each other, and where one change alone explains it,
    which.

    Args:
        series: ``BALANCED`` and ``soc``, NaN where unknown.
        residual: as from ``settle_residual``.
        usual: what the days around leave unexplained; None where that is not known.
    """
    unexplained = _sum_blocks(residual)
    flow = _sum_flow(residual, series)
    imbalance = measure_imbalance(residual, series)
    day = _Day(series, residual, usual, site)
    if _is_beyond(unexplained, flow):
        yield DayFault.of("balance", open=unexplained, flow=flow)
    elif usual and imbalance.kwh > usual.limit_kwh(flow):
        yield DayFault.of("balance_unusual", open=imbalance.kwh, flow=flow, usual=usual.kwh)
    elif (
        unexplained > UNEXPLAINED_KWH
        and day.leave_turned(DIRECTIONS[0]) < MOST_REMAINING_SHARE * unexplained
    ):
        # A tenth of a sunny day is all that a home takes from its battery at night.
        yield DayFault.of("balance", open=unexplained, flow=flow)
    else:
        return
    # What alone would explain the day: directions that are exchanged, else one meter whose clock is
    # wrong or one that stood still.
    turned = _choose_turn(day)
    for source, sink in turned:
        yield DayFault.of("turned", source=ROLES[source], sink=ROLES[sink])
    if turned:
        return
    scaled = _choose_scale(day, imbalance.kwh)
    if scaled is not None:
        yield scaled
        return
    metered = {name for name in (*SUPPLIES, *USES) if np.isfinite(series[name]).any()} - (
        {"load_kwh"} if day.derived else set()
    )
    # What is used and not counted may be a load that has no meter; what is supplied comes through
    # one of them, and a house always uses something.
    explanations = sorted(
        [*_find_shifted(day, metered), *_find_frozen(day, metered & {*SUPPLIES, "load_kwh"})],
        key=lambda each: (each[0], str(each[1])),
    )
    explanations = [
        each
        for each in explanations
        if each[0] <= max(LEAST_UNUSUAL_KWH, MOST_REMAINING_SHARE * imbalance.kwh)
    ]
    if explanations and (
        len(explanations) == 1
        or explanations[1][0] > PLAINER_FACTOR * explanations[0][0] + PLAINER_KWH
    ):
        yield explanations[0][1]


def _sum_blocks(residual: FloatArray) -> float:
    """Return what a residual leaves unexplained, in blocks in which coarse counters catch up,
    kWh.
    """
    return float(
        np.abs(
            np.add.reduceat(np.nan_to_num(residual), np.arange(0, residual.size, BALANCE_SLOTS))
        ).sum()
    )


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
        """Whether the base load is what the other meters leave, so that only a residual below zero
        shows.
        """
        return (
            bool(np.isfinite(self.series["residual_kwh"]).any())
            and not self.site.input_sensors.total_load_consumption
        )

    @property
    def capacity_kwh(self) -> float:
        """What its batteries hold together."""
        return sum(battery.capacity_kwh for battery in self.site.batteries)

    def change(self, changed: Mapping[str, FloatArray]) -> FloatArray:
        """Return the residual that is left where some series are others."""
        remaining = self.residual.copy()
        for name, kwh in changed.items():
            remaining += (kwh - self.series[name]) * (1 if name in SUPPLIES else -1)
        return np.minimum(self.series["load_kwh"] + remaining, 0.0) if self.derived else remaining

    def leave_turned(self, pair: tuple[str, str]) -> float:
        """Return what blocks leave unexplained where two directions are exchanged, kWh."""
        return _sum_blocks(
            self.change({name: self.series[other] for name, other in (pair, pair[::-1])})
        )

    def leave(self, changed: Mapping[str, FloatArray]) -> float | None:
        """Return the imbalance that is left where some series are others, kWh.

        None where the day is still no right one.
        """
        remaining = self.change(changed)
        series = {**self.series, **changed}
        if np.isfinite(remaining).sum() < LEAST_COVERAGE * np.isfinite(self.residual).sum():
            return None
        imbalance = measure_imbalance(remaining, series)
        unusual = self.usual is not None and imbalance.kwh > self.usual.limit_kwh(
            imbalance.flow_kwh
        )
        return (
            None
            if unusual or _is_beyond(_sum_blocks(remaining), imbalance.flow_kwh)
            else imbalance.kwh
        )


# Two directions of one flow, the one that supplies the house first: where they are exchanged, the
# residual is off by twice their difference.
DIRECTIONS = (("discharge_kwh", "charge_kwh"), ("import_kwh", "export_kwh"))


def _choose_turn(day: _Day) -> tuple[tuple[str, str], ...]:
    """Return what looks exchanged, where one way alone explains the day.

    Of two ways the one that the state of charge shows.

    Both directions only where neither alone is enough.
    """
    series = day.series
    ways: list[tuple[tuple[str, str], ...]] = []
    for turned in (*((pair,) for pair in DIRECTIONS), DIRECTIONS):
        if ways and len(turned) > 1:
            break
        if (
            day.leave(
                {name: series[other] for pair in turned for name, other in (pair, pair[::-1])}
            )
            is not None
        ):
            ways.append(turned)
    if len(ways) > 1 and day.site.batteries:
        battery = is_reversed(
            *measure_against(
                np.diff(series["soc"]) * day.capacity_kwh,
                stored_kwh(series, day.site.batteries)[1:],
            )
        )
        ways = [way for way in ways if battery == (DIRECTIONS[0] in way)]
    if len(ways) == 1:
        return ways[0]
    # Where other errors hide part of it, a battery that is the other way round still leaves most of
    # what is open.
    open_kwh = _sum_blocks(day.residual)
    is_most = (
        open_kwh > UNEXPLAINED_KWH
        and day.leave_turned(DIRECTIONS[0]) < MOST_TURNED_SHARE * open_kwh
    )
    return (DIRECTIONS[0],) if is_most and not ways else ()


def _choose_scale(day: _Day, imbalance_kwh: float) -> DayFault | None:
    """Return which meter explains the day if its unit is wrong by a thousand.

    None where none does alone.
    """
    named: list[tuple[float, DayFault]] = []
    for name in (*SUPPLIES, *USES):
        kwh = day.series[name]
        if not np.nansum(kwh) or (name == "load_kwh" and day.derived):
            continue
        for factor, code in ((SCALE, "scaled_down"), (1 / SCALE, "scaled_up")):
            remaining_kwh = (
                day.leave({name: kwh * factor}) if np.nanmax(kwh) * factor < MOST_SLOT_KWH else None
            )
            if remaining_kwh is not None and remaining_kwh <= MOST_SCALED_SHARE * imbalance_kwh:
                named.append((remaining_kwh, DayFault.of(code, sensor=ROLES[name])))
    named.sort(key=lambda found: found[0])
    return named[0][1] if len(named) == 1 else None


def _find_shifted(day: _Day, names: Collection[str]) -> Iterator[tuple[float, DayFault]]:
    """Yield which meters explain the day if they are read earlier or later, with the remaining
    imbalance.
    """
    for name in names:
        for slots in CLOCK_SLOTS:
            late = max(slots, 0)
            early = max(-slots, 0)
            kwh = day.series[name]
            # What lies beyond the day is unknown.
            moved = np.concatenate(
                [np.full(early, np.nan), kwh[late : kwh.size - early], np.full(late, np.nan)]
            )
            remaining_kwh = day.leave({name: moved})
            if remaining_kwh is not None:
                yield (
                    remaining_kwh,
                    DayFault.of(
                        "clock_late" if late else "clock_early",
                        sensor=ROLES[name],
                        hours=abs(slots) * SLOT_HOURS,
                    ),
                )


def _find_frozen(day: _Day, names: Collection[str]) -> Iterator[tuple[float, DayFault]]:
    """Yield which meters explain the day if they stood still for a while, with the remaining
    imbalance.
    """
    for name in names:
        kwh = day.series[name]
        missed = np.nan_to_num(day.residual) * (-1 if name in SUPPLIES else 1)
        runs = [
            run
            for run in runs_of(kwh <= REST_KW * SLOT_HOURS)
            if run[1] - run[0] >= LEAST_FROZEN_SLOTS
        ]
        first, end = max(runs, key=lambda run: float(missed[slice(*run)].sum()), default=(0, 0))
        # Nobody imports while they export.
        missed = (
            np.where(day.series["export_kwh"] > REST_KW * SLOT_HOURS, 0.0, missed)
            if name == "import_kwh"
            else missed
        )
        lost = np.maximum(missed[first:end], 0.0)
        moves = lost.sum() > LEAST_UNUSUAL_KWH and lost.max() <= MOST_AT_ONCE * lost.sum()
        soc = day.series["soc"][first:end]
        known = soc[np.isfinite(soc)]
        risen_kwh = (known[-1] - known[0]) * day.capacity_kwh if known.size else 0.0
        # Of a battery's meter the state of charge shows what it missed.
        shown = (
            name not in DIRECTIONS[0]
            or risen_kwh * (-1 if name in SUPPLIES else 1) > LEAST_SOC_SHARE * lost.sum()
        )
        if not moves or not shown:
            continue
        filled = kwh.copy()
        filled[first:end] += lost
        # As the meter goes on, what it missed may come at once.
        filled[end : end + 1] += np.minimum(0.0, missed[end : end + 1])
        remaining_kwh = day.leave({name: filled})
        if remaining_kwh is not None:
            yield (
                remaining_kwh,
                DayFault.of(
                    "frozen",
                    sensor=ROLES[name],
                    hours=(end - first) * SLOT_HOURS,
                    missed=float(lost.sum()),
                ),
            )
