"""Heat pumps and immersion heaters in a plan: their stores' temperatures, model rows and runs."""

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
from services.planner.linear.model import Indices, ModelBuilder, StartBasis, Term
from services.planner.linear.schedules import RunRules, read_rules

# Outdoor temperature where none is known. Source: standard rating condition of EN 14511.
OUTDOOR_C = 7.0
# Price per hour of a store that is a kWh of heat too cold or too warm, as a multiple of the dearest
# price.
COMFORT_SLACK = 60.0
# Codes of assumed temperatures, outdoors and of the store.
_OUTDOOR = "heat_outdoor"
_STORE = "heat_store"
# Uses below this are the solver's inaccuracy.
_INACCURACY_KWH = 1e-6
_NOTHING_K = 1e-6
_MISSED_K = 0.01


@dataclass(frozen=True, slots=True)
class HeatDemand:
    """A heat pump and its store over the horizon; arrays of shape ``(slots,)``.

    Args:
        pump: the owner's declaration.
        state: its state at the start.
        start_c: the store's temperature at the start.
        least_c: the lower end of the store's band.
        most_c: the upper end, or the temperature that the store reaches by itself if that is more.
        aim_c: the lower end, or the temperature that the pump can reach if that is less.
        cop: heat per electricity.
        warming: how the store's temperature follows from heat.
        assumed: assumed temperatures, each with its code in ``luna.words``.
        pinned_kwh: the electricity that its owner wants it to use, NaN where nothing is pinned.
        on: 1 in the slots in which the pump is on, else 0; None: not decided.
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
        return self.pump.name

    def rules(self, hours: FloatArray) -> RunRules:
        """Return the pump's rules for runs and rests, in slots."""
        pump = self.pump
        state = self.state
        return read_rules(
            (pump.min_on_minutes / 60, pump.min_off_minutes / 60, np.inf),
            (state.on_hours, state.off_hours),
            hours,
        )

    def forced_kwh(self, hours: FloatArray) -> FloatArray:
        """Return the least electricity where the pump has just begun or is set on, ``(slots,)``."""
        least_on = self.on
        if least_on is None:
            least_on, _ = self.rules(hours).bounds(np.zeros(hours.size))
        return least_on * self.pump.min_power_kw * hours

    def most_use_kwh(self, hours: FloatArray) -> FloatArray:
        return np.asarray(self.pump.power_kw * hours)

    def is_settled(self, hours: FloatArray) -> bool:
        """Return whether the pump's runs are decided, or no rule limits them."""
        if self.on is not None:
            return True
        rules = self.rules(hours)
        has_run_rules = rules.shortest_run > 1 or rules.shortest_rest > 1
        return self.pump.min_power_kw == 0 and not has_run_rules

    def settle(self, used_kwh: FloatArray, hours: FloatArray) -> "HeatDemand":
        """Return the demand with runs that follow the energy used at any power."""
        return replace(self, on=schedule_runs(self, used_kwh, hours))

    def pin(self, block: ManualBlock, block_hours: FloatArray, hours: FloatArray) -> "HeatDemand":
        """Return the demand with the pump at its power, or off, in a block."""
        block_kwh = self.pump.power_kw * hours * (block.action == "on")
        return replace(self, pinned_kwh=np.where(block_hours > 0, block_kwh, self.pinned_kwh))

    def temperature_c(self, used_kwh: FloatArray) -> FloatArray:
        """Return the store's temperature at the end of each slot, ``(slots,)``.

        Args:
            used_kwh: electricity used, ``(slots,)``.
        """
        return self.warming.follow(self.start_c, used_kwh * self.cop)

    def add(self, builder: ModelBuilder, ahead: LoadPricing) -> DemandColumns:
        """Add a heat pump with its store.

        It uses between its least power and its power where it is on, and up to its power where
        that is not decided.
        """
        hours = ahead.hours
        most_on = self.on
        if most_on is None:
            _, most_on = self.rules(hours).bounds(np.ones(hours.size))
        upper = most_on * self.pump.power_kw * hours
        use = builder.add_columns(
            upper.size, cost=ahead.tie, lower=self.forced_kwh(hours), upper=upper
        )
        return DemandColumns(
            use,
            1.0,
            partial(_read_schedule, self, use),
            pinned=PinnedUse(use, self.pinned_kwh),
            levels=self._add_store(builder, ahead, use),
        )

    def _add_store(self, builder: ModelBuilder, ahead: LoadPricing, use: Indices) -> StartBasis:
        """Add the store's temperature as ``inside`` its band less ``cold`` plus ``warm``.

        Returns:
            The columns ``inside`` and the rows of the temperature.
        """
        count = ahead.hours.size
        warming = self.warming
        capacity = self.pump.store.capacity_kwh_per_k
        worth = np.zeros(count)
        worth[-1] = -ahead.left_price * capacity / float(self.cop.mean())
        inside = builder.add_columns(count, cost=worth, lower=self.aim_c, upper=self.most_c)
        slack = COMFORT_SLACK * ahead.dearest * capacity * ahead.hours
        cold = builder.add_columns(count, cost=slack, upper=np.inf)
        warm = builder.add_columns(count, cost=slack, upper=np.inf)
        drift = np.array(warming.drift_c)
        drift[0] += warming.keep[0] * self.start_c
        keep = warming.keep[1:]
        # rows temperature[t] == keep[t] * temperature[t-1] + heating[t] * use[t] + drift[t]
        terms: list[Term] = [
            (inside, 1.0),
            (cold, -1.0),
            (warm, 1.0),
            (inside[:-1], -keep),
            (cold[:-1], keep),
            (warm[:-1], -keep),
            (use, -warming.per_kwh * self.cop),
        ]
        rows = builder.add_rows(drift, drift, terms)
        return StartBasis(inside.astype(np.intp), rows.astype(np.intp))


@dataclass(frozen=True, slots=True)
class HeatSchedule:
    """A heat pump's schedule: the electricity used, ``(slots,)``."""

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
        """Yield the worst slots of a store too cold or too warm, and assumed temperatures.

        A lack of heat is reported as the electricity that would produce it.
        """
        demand = self.demand
        temperature = demand.temperature_c(self.use_kwh)
        kwh_per_kelvin = demand.pump.store.capacity_kwh_per_k / float(demand.cop.mean())
        starts_inside = demand.least_c[0] <= demand.start_c <= demand.pump.store.max_c
        deviations = (
            ("heat_least", demand.least_c, demand.least_c - temperature),
            ("heat_most", demand.most_c, temperature - demand.most_c),
        )
        for code, bound, deviation in deviations:
            worst = int(deviation.argmax())
            kelvin = float(deviation[worst])
            if kelvin <= _MISSED_K:
                continue
            figures = {
                "name": demand.name,
                "wanted": float(bound[worst]),
                "worst": list(timeline)[worst].astimezone(zone),
                "kelvin": kelvin,
            }
            if worst < demand.cop.size // 2 and not starts_inside:
                figures["outside_c"] = demand.start_c
            missing_kwh = kelvin * kwh_per_kelvin if code == "heat_least" else 0.0
            yield MissedDemand(code, missing_kwh, figures)
        for code, celsius in demand.assumed:
            yield MissedDemand(code, 0.0, {"name": demand.name, "celsius": celsius})

    def explain(self, reasons: DeviceReasons) -> None:
        """Return None: the store's temperature is the reason."""

    @property
    def storage(self) -> None:
        return None

    def shortfalls(
        self, block: ManualBlock, inside: BoolArray, hours: FloatArray
    ) -> Iterator[tuple[str, float]]:
        """Yield the difference between the electricity used and the pinned use."""
        deviations = np.abs(self.demand.pinned_kwh - self.use_kwh)
        yield "manual", float(np.nansum(deviations[inside]))


def _read_schedule(demand: HeatDemand, use: Indices, column: FloatArray) -> HeatSchedule:
    """Read a heat pump's schedule from the values of all columns."""
    used = column[use]
    return HeatSchedule(demand, np.where(used > _INACCURACY_KWH, used, 0.0))


def read_heat_pump(
    pump: HeatPump,
    state: HeatPumpState,
    timeline: Timeline,
    *,
    series: OutlookMessage,
    zone: ZoneInfo,
) -> HeatDemand:
    """Return a heat pump's demand over a timeline under an outlook."""
    outdoor = np.array(series.outdoor_temperature_c or [OUTDOOR_C] * timeline.count)
    declared_kwh = pump.heat_demand_kw * timeline.hours
    demand_kwh = np.array(series.heat_demand_kwh.get(pump.name, declared_kwh))
    least = np.full(timeline.count, pump.store.min_c)
    most = np.full(timeline.count, pump.store.max_c)
    for band in reversed(pump.store.bands):
        inside = mark_slots([band], timeline, zone, whole=False)
        least[inside] = band.min_c
        most[inside] = band.max_c
    assumed = []
    if series.outdoor_temperature_c is None:
        assumed.append((_OUTDOOR, OUTDOOR_C))
    start = state.temperature_c
    if start is None:
        start = float(least[0] + most[0]) / 2
        assumed.append((_STORE, start))
    warming = Warming.of(pump.store, hours=timeline.hours, outdoor_c=outdoor, demand_kwh=demand_kwh)
    cop = heat_per_kwh(pump.cop, outdoor)
    highest = np.maximum(most, warming.least_warming(start, least))
    most_heat_kwh = pump.power_kw * timeline.hours * cop
    return HeatDemand(
        pump,
        state,
        start_c=start,
        least_c=least,
        most_c=highest,
        aim_c=np.minimum(least, warming.most_warming(start, most_heat_kwh, highest)),
        cop=cop,
        warming=warming,
        assumed=tuple(assumed),
        pinned_kwh=np.full(timeline.count, np.nan),
    )


def schedule_runs(demand: HeatDemand, target_kwh: FloatArray, hours: FloatArray) -> FloatArray:
    """Return 1 in the slots in which a pump is on, else 0, ``(slots,)``.

    It follows the target energy, and keeps the store within its band.

    Source: Sager, Bock and Diehl (2012), sum-up rounding: energy drawn never differs from the
    target by more than a run.

    Args:
        demand: the pump and its store.
        target_kwh: electricity in each slot if it could take any power, ``(slots,)``.
        hours: of each slot.
    """
    rules = demand.rules(hours)
    level = max(demand.pump.min_power_kw, 1e-3) * hours
    on = np.zeros(hours.size)
    deficit_kwh = 0.0
    store_c = demand.start_c
    is_on = bool(rules.was_on)
    shortest = rules.shortest_run if is_on else rules.shortest_rest
    slots_since_switch = shortest - rules.sessions
    for slot in range(hours.size):
        deficit_kwh += target_kwh[slot]
        shortest = rules.shortest_run if is_on else rules.shortest_rest
        if slots_since_switch >= shortest:
            run_slots = 1 if is_on else rules.shortest_run
            rest_slots = rules.shortest_rest if is_on else 1
            run_kwh = run_slots * float(level[slot])
            # With half of a run missing it is on where the store takes all of it.
            is_due = deficit_kwh >= run_kwh / 2
            highest_c = demand.most_c[slot] + _NOTHING_K
            has_room = is_due and _next_c(demand, slot, store_c, run_kwh) <= highest_c
            turns_on = bool(has_room or _gets_cold(demand, slot, store_c, rest_slots))
            if turns_on != is_on:
                slots_since_switch = 0
            is_on = turns_on
        drawn_kwh = 0.0
        if is_on:
            most_kwh = demand.pump.power_kw * hours[slot]
            drawn_kwh = max(level[slot], min(deficit_kwh, most_kwh))
        on[slot] = float(is_on)
        slots_since_switch += 1
        deficit_kwh -= drawn_kwh
        store_c = _next_c(demand, slot, store_c, drawn_kwh)
    return on


def _gets_cold(demand: HeatDemand, slot: int, store_c: float, rest_slots: int) -> bool:
    """Return whether the store gets too cold in so many slots without heat."""
    for later in range(slot, min(slot + rest_slots, demand.cop.size)):
        store_c = _next_c(demand, later, store_c, 0.0)
        if store_c < demand.aim_c[later] - _NOTHING_K:
            return True
    return False


def _next_c(demand: HeatDemand, slot: int, store_c: float, used_kwh: float) -> float:
    """Return the store's temperature at the end of a slot."""
    warming = demand.warming
    kept = warming.keep[slot] * store_c
    heated = warming.per_kwh[slot] * demand.cop[slot] * used_kwh
    return float(kept + heated + warming.drift_c[slot])


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
    demands = []
    for pump in pumps:
        if pump.name not in series.load_includes:
            pump_state = states.get(pump.name, HeatPumpState())
            demands.append(read_heat_pump(pump, pump_state, timeline, series=series, zone=zone))
    return tuple(demands)


def carry_heat_pumps(expected: Expected, _switched: Collection[str]) -> dict[str, HeatPumpState]:
    """Return the heat pumps whose store temperature the plan's request states.

    A store cools whether Luna switches its pump or not.
    """
    carried = {}
    for name, state in _states(expected.plan.request.state).items():
        if state.temperature_c is None:
            continue
        carried[name] = state
        flows = expected.flows(HEAT_PUMP.section, name, HeatPumpFlow)
        if flows:
            runs = carry_runs(state, [flow.on for flow in flows], expected.slot_hours)
            changes = {"temperature_c": flows[-1].temperature_c, **runs}
            carried[name] = state.model_copy(update=changes)
    return carried


def _assume_warm(
    site: Site, state: StateMessage, included: Collection[str], _begin: datetime
) -> Iterator[Assumption]:
    """Note the heat pumps whose store temperature is assumed."""
    states = _states(state)
    assumed = []
    for pump in HEAT_PUMP.of(site):
        pump_state = states.get(pump.name)
        is_known = pump_state is not None and pump_state.temperature_c is not None
        if pump.name not in included and not is_known:
            assumed.append(pump.name)
    if assumed:
        yield Assumption(code="heat_assumed", figures={"heat_pumps": assumed})


PLANNED = PlannedKind(
    HEAT_PUMP.section,
    _read_demands,
    carry_heat_pumps,
    assume=_assume_warm,
    by_weather=True,
    unavoidable=frozenset({_OUTDOOR, _STORE}),
)
