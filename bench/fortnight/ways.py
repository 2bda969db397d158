"""Baselines of the fortnight: the same house without Luna and with perfect foresight, and their
costs.

Both simulate the devices second by second. Foresight replans each hour from the true states of
charge, with the true load, PV, charging sessions and prices of the next days, and commands the
devices as the executor would; so its cost is what the same devices achieve. Of hot water it knows
only the site's daily consumption.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from luna.contracts.plan import (
    OutlookMessage,
    PlanOptions,
    PlanReply,
    PlanRequest,
    StateMessage,
    Terminal,
)
from luna.drivers.control.units import list_units
from luna.drivers.control.units.unit import InForce
from luna.energy.devices.battery import BATTERIES
from luna.energy.economics.prices import price_slots
from luna.energy.site import Site
from luna.energy.timeline import SLOT, FloatArray, Timeline, floor_to, local_midnight
from luna.simulated_home.car import CAR_MODEL, trip_of
from luna.simulated_home.creation import SEED
from luna.simulated_home.devices import Devices
from luna.simulated_home.files import HomeSetup
from luna.simulated_home.heater import HEATER_MODEL
from luna.simulated_home.house import HomeState
from luna.simulated_home.recorded_year import RecordedYear
from luna.simulated_home.site import CAR, HEATER, MARKET, READY_SOC, ZONE
from services.executor.control_request import follow_plan
from services.planner.milp.solver import Solver
from services.planner.reply.reply import plan_request

# Replanning interval and horizon; a longer horizon does not change the first hour.
EVERY = timedelta(hours=1)
AHEAD = timedelta(hours=48)
COUNTED: dict[str, Callable[[HomeState], float]] = {
    "load_kwh": lambda state: state.load_kwh,
    "pv_kwh": lambda state: state.pv_kwh,
    "import_kwh": lambda state: state.import_kwh,
    "export_kwh": lambda state: state.export_kwh,
    "charge_kwh": lambda state: state.charge_kwh,
    "discharge_kwh": lambda state: state.discharge_kwh,
}
# Consumption of planned devices, metered beside the house.
BESIDE: dict[str, Callable[[HomeState], float]] = {
    "vehicle_kwh": lambda state: 0.0 if state.car is None else state.car.charge_kwh,
    "water_heater_kwh": lambda state: 0.0 if state.heater is None else state.heater.used_kwh,
}
TRIPS_AHEAD = 4


@dataclass
class SlotLedger:
    """The true energies of each quarter-hour, kWh by series.

    ``load_kwh`` is without car and heater, ``stored_kwh`` is at the slot's end.
    """

    before: HomeState
    slots: dict[str, list[float]] = field(
        default_factory=lambda: {name: [] for name in (*COUNTED, *BESIDE, "stored_kwh")}
    )

    def close_slot(self, state: HomeState) -> None:
        """Record the quarter-hour that ends with ``state``."""
        for name, count in (COUNTED | BESIDE).items():
            self.slots[name].append(count(state) - count(self.before))
        self.slots["stored_kwh"].append(stored_kwh(state))
        self.before = state

    def series(self, name: str) -> FloatArray:
        """Return a series, a value per slot."""
        return np.array(self.slots[name])


def stored_kwh(state: HomeState) -> float:
    """Return the energy stored in battery, car and tank, kWh."""
    car = 0.0 if state.car is None else state.car.stored_kwh
    tank = (
        0.0
        if state.heater is None
        else (state.heater.water_c - HEATER_MODEL.mains_c) * HEATER_MODEL.capacity_kwh_per_k
    )
    return state.battery.stored_kwh + car + tank


@dataclass(frozen=True)
class Bill:
    """Prices of a fortnight, and the value of a stored kWh, which makes runs with different final
    states comparable.
    """

    site: Site
    import_price: FloatArray
    export_price: FloatArray
    stored_worth: float

    @classmethod
    def of(cls, site: Site, year: RecordedYear, timeline: Timeline) -> "Bill":
        """Return the bill of the simulated home's tariff."""
        spot = year.price[year.rows_of(timeline.starts)]
        imported, exported = price_slots(site.tariff, timeline, zone=ZONE, spot={MARKET: spot})
        return cls(
            site,
            imported,
            exported,
            float(np.mean(imported)) * site.batteries[0].discharge_efficiency,
        )

    def cost(self, ledger: SlotLedger, *, start_kwh: float) -> float:
        """Return the cost of energy bought less sold, plus wear, less the value of the energy
        gained over ``start_kwh``.
        """
        slots = len(ledger.slots["stored_kwh"])
        bought = (
            ledger.series("import_kwh") * self.import_price[:slots]
            - ledger.series("export_kwh") * self.export_price[:slots]
        )
        wear = (ledger.series("charge_kwh") + ledger.series("discharge_kwh")) * self.site.batteries[
            0
        ].wear_price
        return float((bought + wear).sum()) - self.stored_worth * (
            ledger.slots["stored_kwh"][-1] - start_kwh
        )


@dataclass(frozen=True)
class SameHouse:
    """The house that Luna lives in, from its first midnight on."""

    year: RecordedYear
    begin: HomeState
    timeline: Timeline

    def live_plain(self) -> SlotLedger:
        """Simulate without Luna: the inverter's own self-consumption."""
        return self._live(lambda _slot, _devices: None)

    def live_foreseen(self, bill: Bill, truth: SlotLedger) -> SlotLedger:
        """Simulate with perfect foresight; ``truth`` holds load and PV of every slot."""
        return self._live(_Seer(bill, truth, self.timeline).tell)

    def _live(self, tell: Callable[[int, Devices], None]) -> SlotLedger:
        devices = Devices(
            self.year, self.begin, HomeSetup(port=0, seed=SEED), lambda _topic, _value: None
        )
        ledger = SlotLedger(devices.state)
        for slot, start in enumerate(self.timeline):
            tell(slot, devices)
            devices.live_until(start + SLOT)
            ledger.close_slot(devices.state)
        return ledger


class _Seer:
    """Plans by the true series, and commands the devices as the executor does."""

    def __init__(self, bill: Bill, truth: SlotLedger, timeline: Timeline) -> None:
        self._bill, self._timeline, self._solver = bill, timeline, Solver()
        self._load = truth.series("load_kwh")
        self._pv, self._units = truth.series("pv_kwh"), list_units(bill.site, bill.site.control)
        self._battery = bill.site.batteries[0].name
        self._mode: str = "self_consumption"
        self._plan: PlanReply | None = None
        self._heated = (timeline.start, 0.0)

    def tell(self, slot: int, devices: Devices) -> None:
        """Send the devices the plan's set-points of a slot."""
        now = self._timeline.start + slot * SLOT
        soc = {self._battery: min(max(devices.soc, 0.0), 1.0)}
        if slot % (EVERY // SLOT) == 0:
            self._plan = self._make_plan(
                slot, now, self._describe(now, devices.state, soc[self._battery])
            )
        for key, unit in self._units.items():
            measured = soc if key == BATTERIES else {}
            in_force = InForce(measured, {self._battery: self._mode})
            asked = follow_plan(
                self._plan, unit, lambda: None, now=now, max_age=2 * EVERY, in_force=in_force
            )
            allowed = unit.make_safe(asked.requested, measured)
            if key == BATTERIES:
                self._mode = allowed[self._battery].mode
            for write in unit.render(allowed):
                devices.hear(write.to, str(write.value).encode(), at=now)

    def _describe(self, now: datetime, state: HomeState, soc: float) -> StateMessage:
        told: dict[str, Any] = {"batteries": {self._battery: {"soc": soc, "mode": self._mode}}}
        if state.car is not None:
            sessions = list(_list_charging_sessions(now, state))
            told["vehicles"] = {
                CAR: {
                    "soc": state.car.soc,
                    "sessions": sessions,
                    "charging": state.car.power_kw > 0.0,
                }
            }
        if state.heater is not None:
            midnight = local_midnight(now.astimezone(ZONE).date(), ZONE)
            if self._heated[0] < midnight:
                self._heated = midnight, state.heater.used_kwh
            told["loads"] = {HEATER: {"energy_today_kwh": state.heater.used_kwh - self._heated[1]}}
        return StateMessage.model_validate(told)

    def _make_plan(self, slot: int, now: datetime, state: StateMessage) -> PlanReply:
        end = min(slot + AHEAD // SLOT, self._timeline.count)
        bill = self._bill
        window = slice(slot, end)
        outlook = OutlookMessage(
            load_kwh=self._load[window].tolist(),
            pv_kwh=self._pv[window].tolist(),
            import_price=bill.import_price[window].tolist(),
            export_price=bill.export_price[window].tolist(),
        )
        options = PlanOptions(terminal=Terminal(kind="value", value=bill.stored_worth))
        request = PlanRequest(
            site=bill.site, start=now, outlook=outlook, state=state, options=options
        )
        return plan_request(request, now=now, solver=self._solver)


def _list_charging_sessions(now: datetime, state: HomeState) -> Iterator[dict[str, Any]]:
    """Yield the car's charging sessions from now on, in whole quarter-hours of presence, with the
    state of charge at arrival.
    """
    begin = now if state.car is not None and state.car.is_home else None
    arrival = None
    for days in range(TRIPS_AHEAD):
        trip = trip_of(now.astimezone(ZONE).date() + timedelta(days=days), seed=SEED)
        if trip is None or trip.returns <= now.timestamp():
            continue
        leaves, returns = (datetime.fromtimestamp(at, UTC) for at in (trip.leaves, trip.returns))
        if begin is not None and floor_to(leaves, SLOT) > begin:
            yield {"from": begin, "to": floor_to(leaves, SLOT), "target_soc": READY_SOC} | (
                {} if arrival is None else {"arrival_soc": arrival}
            )
        begin = floor_to(returns, SLOT) + SLOT
        arrival = max(READY_SOC - trip.used_kwh / CAR_MODEL.capacity_kwh, CAR_MODEL.least_soc)
