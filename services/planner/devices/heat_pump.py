"""Heat pumps and immersion heaters in a plan: how warm their stores are kept, what that takes in a
model, and when a pump is on.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import ClassVar
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.owner import ManualBlock
from luna.contracts.plan import Assumption, OutlookMessage, StateMessage
from luna.contracts.plan.columns import Columns
from luna.energy.devices.heat_pump import HEAT_PUMP, HeatPump, HeatPumpFlow, HeatPumpState
from luna.energy.devices.kind import read_section
from luna.energy.physics.heat import Warming, heat_per_kwh
from luna.energy.physics.mode import BoolArray
from luna.energy.site import Site
from luna.energy.timeline import FloatArray, Timeline
from luna.energy.windows import mark_slots
from services.planner.devices.causes import DeviceReasons
from services.planner.devices.expected import Expected, carry_runs
from services.planner.devices.kind import (
    DemandColumns,
    LoadPricing,
    MissedDemand,
    PinnedUse,
    PlannedKind,
    refuse_strangers,
)
from services.planner.linear.model import Indices, ModelBuilder
from services.planner.linear.schedules import RunRules, read_rules

# Where no outdoor temperature is known. Source: standard rating condition of EN 14511.
OUTDOOR_C = 7.0
# What it costs that a store is too cold or too warm by what a kWh of heat makes of it, per hour, as
# a multiple of the dearest price.
COMFORT_SLACK = 60.0
# What is assumed where nothing is known of it.
_OUTDOOR = "heat_outdoor"
_STORE = "heat_store"
# What is used below this is the solver's dust.
_DUST_KWH = 1e-6
_NOTHING_K = 1e-6
_MISSED_K = 0.01


@dataclass(frozen=True, slots=True)
class HeatDemand:
    """A heat pump over the horizon: how warm its store is at the start, and per slot (``(slots,)``)
    its band, the pump's COP and the store's course.

    ``most_c`` is where it gets warmer by itself how warm that is, ``aim_c`` the band's lower end
    where the pump can reach it, else what it can reach. ``assumed`` are temperatures of which
    nothing was known, each with its code in ``luna.words``; ``on`` says in which slots the pump is
    on (1, else 0), None where that is open; ``pinned_kwh`` is what its owner wants it to use, NaN
    where that is nothing.
    """

    section: ClassVar[str] = "heat_pumps"

    pump: HeatPump
    state: HeatPumpState
    start_c: float
    least_c: FloatArray
    most_c: FloatArray
    aim_c: FloatArray
    cop: FloatArray
    warming: Warming
    assumed: tuple[tuple[str, float], ...]
    pinned_kwh: FloatArray
    on: FloatArray | None = None

    @property
    def name(self) -> str:
        """The pump's."""
        return self.pump.name

    def rules(self, hours: FloatArray) -> RunRules:
        """Return how the pump may be on and off, in slots."""
        pump = self.pump
        state = self.state
        return read_rules(
            (pump.min_on_minutes / 60, pump.min_off_minutes / 60, np.inf),
            (state.on_hours, state.off_hours),
            hours,
        )

    def forced_kwh(self, hours: FloatArray) -> FloatArray:
        """Return what the pump uses whatever is planned: its least power where it has just begun,
        or is known to be on, shape ``(slots,)``.
        """
        least = self.rules(hours).bounds(np.zeros(hours.size))[0] if self.on is None else self.on
        return least * self.pump.min_power_kw * hours

    def most_use_kwh(self, hours: FloatArray) -> FloatArray:
        """Return what the pump uses at most, shape ``(slots,)``."""
        return np.asarray(self.pump.power_kw * hours)

    def is_settled(self, hours: FloatArray) -> bool:
        """Return whether it is known when the pump is on, or it may take anything from nothing to
        its power in every slot.
        """
        rules = self.rules(hours)
        return self.on is not None or (
            self.pump.min_power_kw == 0 and rules.shortest_run == rules.shortest_rest == 1
        )

    def settle(self, used_kwh: FloatArray, hours: FloatArray) -> "HeatDemand":
        """Return it with when the pump is on, read off what it would use at any power."""
        return replace(self, on=schedule_runs(self, used_kwh, hours))

    def pin(self, block: ManualBlock, block_hours: FloatArray, hours: FloatArray) -> "HeatDemand":
        """Return it with the pump at its power in some slots, or off."""
        return replace(
            self,
            pinned_kwh=np.where(
                block_hours > 0,
                self.pump.power_kw * hours * (block.action == "on"),
                self.pinned_kwh,
            ),
        )

    def temperature_c(self, used_kwh: FloatArray) -> FloatArray:
        """Return how warm the store is at the end of each slot when the pump uses so much
        electricity, shape ``(slots,)``.
        """
        return self.warming.follow(self.start_c, used_kwh * self.cop)

    def add(self, builder: ModelBuilder, ahead: LoadPricing) -> DemandColumns:
        """Add a heat pump with its store: between its powers where it is known to be on, anything
        up to its power where that is open.
        """
        most = (
            self.rules(ahead.hours).bounds(np.ones(ahead.hours.size))[1]
            if self.on is None
            else self.on
        )
        upper = most * self.pump.power_kw * ahead.hours
        use = builder.add_columns(
            upper.size, cost=ahead.tie, lower=self.forced_kwh(ahead.hours), upper=upper
        )
        # Add the store's temperature as what lies within what it can keep to, less what is too
        # cold, plus what is too warm.
        count = ahead.hours.size
        store = self.pump.store
        warming = self.warming
        worth = np.zeros(count)
        worth[-1] = -ahead.left_price * store.capacity_kwh_per_k / float(self.cop.mean())
        inside = builder.add_columns(count, cost=worth, lower=self.aim_c, upper=self.most_c)
        slack = COMFORT_SLACK * ahead.dearest * store.capacity_kwh_per_k * ahead.hours
        cold, warm = (builder.add_columns(count, cost=slack, upper=np.inf) for _ in range(2))
        drift = np.array(warming.drift_c)
        drift[0] += warming.keep[0] * self.start_c
        keep = warming.keep[1:]
        before = [(inside[:-1], -keep), (cold[:-1], keep), (warm[:-1], -keep)]
        builder.add_rows(
            drift,
            drift,
            [(inside, 1.0), (cold, -1.0), (warm, 1.0), *before, (use, -warming.per_kwh * self.cop)],
        )
        return DemandColumns(
            use, 1.0, partial(_place, self, use), pinned=PinnedUse(use, self.pinned_kwh)
        )


@dataclass(frozen=True, slots=True)
class PlacedHeat:
    """What a heat pump does in a plan: the electricity that it uses, shape ``(slots,)``."""

    demand: HeatDemand
    use_kwh: FloatArray

    def columns(self) -> Columns:
        """Return electricity, heat, the store's temperature, and whether the pump is on."""
        columns = {
            "energy_kwh": self.use_kwh,
            "heat_kwh": self.use_kwh * self.demand.cop,
            "temperature_c": self.demand.temperature_c(self.use_kwh),
        }
        rounded = {name: np.round(values, 6).tolist() for name, values in columns.items()}
        return rounded | {"on": [energy > 0 for energy in rounded["energy_kwh"]]}

    def missed(self, timeline: Timeline, zone: ZoneInfo) -> Iterator[MissedDemand]:
        """Yield where the store is too cold or too warm, a lack of heat as the electricity that
        would make it, and what was assumed of the store.
        """
        demand = self.demand
        temperature = self.demand.temperature_c(self.use_kwh)
        kwh = demand.pump.store.capacity_kwh_per_k / float(demand.cop.mean())
        for code, bound, missed in (
            ("heat_least", demand.least_c, demand.least_c - temperature),
            ("heat_most", demand.most_c, temperature - demand.most_c),
        ):
            worst = int(missed.argmax())
            if missed[worst] > _MISSED_K:
                when = list(timeline)[worst].astimezone(zone)
                kelvin = float(missed[worst])
                figures = {
                    "name": demand.name,
                    "wanted": float(bound[worst]),
                    "worst": when,
                    "kelvin": kelvin,
                }
                if (
                    worst < demand.cop.size // 2
                    and not demand.least_c[0] <= demand.start_c <= demand.pump.store.max_c
                ):
                    figures["outside_c"] = demand.start_c
                yield MissedDemand(code, kelvin * kwh if code == "heat_least" else 0.0, figures)
        for code, celsius in demand.assumed:
            yield MissedDemand(code, 0.0, {"name": demand.name, "celsius": celsius})

    def explain(self, reasons: DeviceReasons) -> None:  # its temperature says why
        """Give no reasons."""

    @property
    def storage(self) -> None:
        """Its store gives nothing back."""

    def shortfalls(
        self, block: ManualBlock, inside: BoolArray, hours: FloatArray
    ) -> Iterator[tuple[str, float]]:
        """Yield how far the electricity is from what is pinned."""
        yield "manual", float(np.nansum(np.abs(self.demand.pinned_kwh - self.use_kwh)[inside]))


def _place(demand: HeatDemand, use: Indices, column: FloatArray) -> PlacedHeat:
    used = column[use]
    return PlacedHeat(demand, np.where(used > _DUST_KWH, used, 0.0))


def read_heat_pump(
    pump: HeatPump,
    state: HeatPumpState,
    timeline: Timeline,
    *,
    series: OutlookMessage,
    zone: ZoneInfo,
) -> HeatDemand:
    """Return a heat pump's demand over a timeline, under the temperatures and the heat demand of an
    outlook.
    """
    outdoor = np.array(series.outdoor_temperature_c or [OUTDOOR_C] * timeline.count)
    demand = np.array(series.heat_demand_kwh.get(pump.name, pump.heat_demand_kw * timeline.hours))
    least = np.full(timeline.count, pump.store.min_c)
    most = np.full(timeline.count, pump.store.max_c)
    for band in reversed(pump.store.bands):
        inside = mark_slots([band], timeline, zone, whole=False)
        least[inside] = band.min_c
        most[inside] = band.max_c
    start = float(least[0] + most[0]) / 2 if state.temperature_c is None else state.temperature_c
    warming = Warming.of(pump.store, hours=timeline.hours, outdoor_c=outdoor, demand_kwh=demand)
    assumed = [(_OUTDOOR, OUTDOOR_C)] if series.outdoor_temperature_c is None else []
    assumed += [(_STORE, start)] if state.temperature_c is None else []
    cop = heat_per_kwh(pump.cop, outdoor)
    highest = np.maximum(most, warming.least_warming(start, least))
    aim = np.minimum(
        least, warming.most_warming(start, pump.power_kw * timeline.hours * cop, highest)
    )
    return HeatDemand(
        pump,
        state,
        start,
        least,
        highest,
        aim,
        cop,
        warming,
        tuple(assumed),
        np.full(timeline.count, np.nan),
    )


def schedule_runs(demand: HeatDemand, target_kwh: FloatArray, hours: FloatArray) -> FloatArray:
    """Return 1 in the slots in which a pump is on, 0 elsewhere, shape ``(slots,)``: it follows the
    target energy, and keeps the store within its band.

    Source: Sager, Bock and Diehl (2012), sum-up rounding: energy drawn never differs from the
    target by more than a run.

    Args:
        demand: the pump and its store.
        target_kwh: electricity in each slot if it could take any power, shape ``(slots,)``.
        hours: of each slot.
    """
    rules = demand.rules(hours)
    level = max(demand.pump.min_power_kw, 1e-3) * hours
    on = np.zeros(hours.size)
    deficit_kwh = 0.0
    now = demand.start_c
    is_on = bool(rules.was_on)
    since = (rules.shortest_run if is_on else rules.shortest_rest) - rules.stays
    for slot in range(hours.size):
        deficit_kwh += target_kwh[slot]
        if since >= (rules.shortest_run if is_on else rules.shortest_rest):
            begins = 1 if is_on else rules.shortest_run
            rests = rules.shortest_rest if is_on else 1
            run_kwh = begins * float(level[slot])
            # With half of a run missing it is on where the store takes all of it.
            has_room = (
                deficit_kwh >= run_kwh / 2
                and _next_c(demand, slot, now, run_kwh) <= demand.most_c[slot] + _NOTHING_K
            )
            turned = bool(has_room or _gets_cold(demand, slot, now, rests))
            is_on, since = turned, since if turned == is_on else 0
        drawn_kwh = (
            max(level[slot], min(deficit_kwh, demand.pump.power_kw * hours[slot])) if is_on else 0.0
        )
        on[slot] = float(is_on)
        since = since + 1
        deficit_kwh -= drawn_kwh
        now = _next_c(demand, slot, now, drawn_kwh)
    return on


def _gets_cold(demand: HeatDemand, slot: int, now: float, rests: int) -> bool:
    """Return whether the store gets colder than it should in so many slots without heat."""
    for later in range(slot, min(slot + rests, demand.cop.size)):
        now = _next_c(demand, later, now, 0.0)
        if now < demand.aim_c[later] - _NOTHING_K:
            return True
    return False


def _next_c(demand: HeatDemand, slot: int, now: float, used_kwh: float) -> float:
    warming = demand.warming
    return float(
        warming.keep[slot] * now
        + warming.per_kwh[slot] * demand.cop[slot] * used_kwh
        + warming.drift_c[slot]
    )


def _states(state: StateMessage) -> dict[str, HeatPumpState]:
    return read_section(state, HEAT_PUMP.section, HeatPumpState)


def _read_demands(
    site: Site, state: StateMessage, timeline: Timeline, series: OutlookMessage
) -> tuple[HeatDemand, ...]:
    pumps = HEAT_PUMP.of(site)
    states = _states(state)
    zone = ZoneInfo(site.timezone)
    names = [pump.name for pump in pumps]
    refuse_strangers(HEAT_PUMP.section, states, names)
    refuse_strangers(
        HEAT_PUMP.section, series.heat_demand_kwh, names, where="outlook.heat_demand_kwh"
    )
    apart = [pump for pump in pumps if pump.name not in series.load_includes]
    return tuple(
        read_heat_pump(
            pump, states.get(pump.name, HeatPumpState()), timeline, series=series, zone=zone
        )
        for pump in apart
    )


def carry_heat_pumps(expected: Expected, switched: Collection[str]) -> dict[str, HeatPumpState]:  # noqa: ARG001  # whoever switches it, a store cools
    """Return the heat pumps whose store temperature the plan's request states."""
    carried = {
        name: state
        for name, state in _states(expected.plan.request.state).items()
        if state.temperature_c is not None
    }
    for name, state in carried.items():
        if flows := expected.flows(HEAT_PUMP.section, name, HeatPumpFlow):
            runs = carry_runs(state, [flow.on for flow in flows], expected.slot_hours)
            carried[name] = state.model_copy(
                update={"temperature_c": flows[-1].temperature_c, **runs}
            )
    return carried


def _assume_warm(
    site: Site, state: StateMessage, included: Collection[str], _begin: datetime
) -> Iterator[Assumption]:
    warm = [name for name, state in _states(state).items() if state.temperature_c is not None]
    if cold := [pump.name for pump in HEAT_PUMP.of(site) if pump.name not in (*included, *warm)]:
        yield Assumption(code="heat_assumed", figures={"heat_pumps": cold})


PLANNED = PlannedKind(
    HEAT_PUMP.section,
    _read_demands,
    carry_heat_pumps,
    assume=_assume_warm,
    by_weather=True,
    unavoidable=frozenset({_OUTDOOR, _STORE}),
)
