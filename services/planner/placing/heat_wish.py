"""What is wanted of a heat pump over the horizon, as values on the plan's slots."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.plan import HeatPumpState, OutlookMessage
from luna.physics import Warming, heat_per_kwh
from luna.site import HeatPump
from luna.timeline import FloatArray, Timeline
from luna.windows import mark_slots
from services.planner.placing.run_rows import RunRules, read_rules

# Where no outdoor temperature is known. Source: standard rating condition of EN 14511.
OUTDOOR_C = 7.0


@dataclass(frozen=True, slots=True)
class HeatWish:
    """A heat pump over the horizon: how warm its store is at the start, and per slot (``(slots,)``) its band, the pump's COP and the store's course.

    ``most_c`` is where it gets warmer by itself how warm that is, ``aim_c`` the band's lower end where the pump can reach it, else what it can reach.
    ``assumed`` are temperatures of which nothing was known, each with its code in ``luna.wording``; ``on`` says in which slots the pump is on
    (1, else 0), None where that is open.
    """

    pump: HeatPump
    state: HeatPumpState
    start_c: float
    least_c: FloatArray
    most_c: FloatArray
    aim_c: FloatArray
    cop: FloatArray
    warming: Warming
    assumed: tuple[tuple[str, float], ...]
    on: FloatArray | None = None

    def rules(self, hours: FloatArray) -> RunRules:
        """Return how the pump may be on and off, in slots."""
        pump, state = self.pump, self.state
        return read_rules((pump.min_on_minutes / 60, pump.min_off_minutes / 60, np.inf), (state.on_hours, state.off_hours), hours)

    def forced_kwh(self, hours: FloatArray) -> FloatArray:
        """Return what the pump uses whatever is planned: its least power where it has just begun, or is known to be on, shape ``(slots,)``."""
        least = self.rules(hours).bounds(np.zeros(hours.size))[0] if self.on is None else self.on
        return least * self.pump.min_power_kw * hours

    def temperature_c(self, used_kwh: FloatArray) -> FloatArray:
        """Return how warm the store is at the end of each slot when the pump uses so much electricity, shape ``(slots,)``."""
        return self.warming.follow(self.start_c, used_kwh * self.cop)


def read_heat_pump(pump: HeatPump, state: HeatPumpState, timeline: Timeline, *, series: OutlookMessage, zone: ZoneInfo) -> HeatWish:
    """Return what is wanted of a heat pump over a timeline, under the temperatures and the demand for heat of an outlook."""
    outdoor = np.array(series.outdoor_temperature_c or [OUTDOOR_C] * timeline.count)
    demand = np.array(series.heat_demand_kwh.get(pump.name, pump.heat_demand_kw * timeline.hours))
    least, most = _band(pump, timeline, zone)
    start = float(least[0] + most[0]) / 2 if state.temperature_c is None else state.temperature_c
    warming = Warming.of(pump.store, hours=timeline.hours, outdoor_c=outdoor, demand_kwh=demand)
    assumed = [("heat_outdoor", OUTDOOR_C)] if series.outdoor_temperature_c is None else []
    assumed += [("heat_store", start)] if state.temperature_c is None else []
    cop, highest = heat_per_kwh(pump, outdoor), np.maximum(most, warming.least_warming(start, least))
    aim = np.minimum(least, warming.most_warming(start, pump.power_kw * timeline.hours * cop, highest))
    return HeatWish(pump, state, start, least, highest, aim, cop, warming, tuple(assumed))


def _band(pump: HeatPump, timeline: Timeline, zone: ZoneInfo) -> tuple[FloatArray, FloatArray]:
    store = pump.store
    least, most = np.full(timeline.count, store.min_c), np.full(timeline.count, store.max_c)
    for band in reversed(store.bands):
        inside = mark_slots([band], timeline, zone, whole=False)
        least[inside], most[inside] = band.min_c, band.max_c
    return least, most
