"""The same house without Luna, and with perfect foresight; and what each way costs.

Both live by the devices' own physics, second by second. Foresight plans anew each hour from the true state of charge, by the planner's exact optimum over the
true quarter-hours and prices of the next days, and tells the inverter as the executor would: what it costs is what the same battery does of it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from luna.contracts.plan import BatteryState, OutlookMessage, PlanOptions, PlanReply, PlanRequest, StateMessage, Terminal
from luna.device_config import BATTERIES
from luna.economics import price_slots
from luna.simulated_home import MARKET, ZONE, HomeState, RecordedYear, build_site
from luna.site import Site
from luna.timeline import SLOT, FloatArray, Timeline
from services.executor.decision import follow_plan
from services.executor.unit import InForce
from services.executor.units import find_unit
from services.ingest.simulated_home import SEED
from services.planner.milp.solver import Solver
from services.planner.reply.reply import plan_request
from services.simulated_home.devices import Devices

# Anew each hour; further ahead than that nothing changes what is done now.
EVERY, AHEAD = timedelta(hours=1), timedelta(hours=48)
COUNTED = ("load_kwh", "pv_kwh", "import_kwh", "export_kwh", "charge_kwh", "discharge_kwh")


@dataclass
class SlotLedger:
    """What truly happened in each quarter-hour, kWh by series, and what was stored at its end."""

    before: HomeState
    slots: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in (*COUNTED, "stored_kwh")})

    def close_slot(self, state: HomeState) -> None:
        """Note a quarter-hour that is over."""
        for name in COUNTED:
            self.slots[name].append(getattr(state, name) - getattr(self.before, name))
        self.slots["stored_kwh"].append(state.battery.stored_kwh)
        self.before = state

    def series(self, name: str) -> FloatArray:
        """Return a series, one value a slot."""
        return np.array(self.slots[name])


@dataclass(frozen=True)
class Bill:
    """What a fortnight's energy costs, and the worth of a stored kWh by which ways are compared that end with another charge."""

    site: Site
    import_price: FloatArray
    export_price: FloatArray
    stored_worth: float

    @classmethod
    def of(cls, year: RecordedYear, timeline: Timeline) -> "Bill":
        """Return the bill of the simulated home's tariff."""
        site = build_site()
        spot = year.price[year.rows_of(timeline.starts)]
        imported, exported = price_slots(site.tariff, timeline, zone=ZONE, spot={MARKET: spot})
        return cls(site, imported, exported, float(np.mean(imported)) * site.batteries[0].discharge_efficiency)

    def cost(self, ledger: SlotLedger, *, start_kwh: float) -> float:
        """Return energy bought less energy sold, wear, and less what is stored more than at the beginning."""
        slots = len(ledger.slots["stored_kwh"])
        bought = ledger.series("import_kwh") * self.import_price[:slots] - ledger.series("export_kwh") * self.export_price[:slots]
        wear = (ledger.series("charge_kwh") + ledger.series("discharge_kwh")) * self.site.batteries[0].wear_price
        return float((bought + wear).sum()) - self.stored_worth * (ledger.slots["stored_kwh"][-1] - start_kwh)


@dataclass(frozen=True)
class SameHouse:
    """The house that Luna lives in, from its first midnight on."""

    year: RecordedYear
    begin: HomeState
    timeline: Timeline

    def live_plain(self) -> SlotLedger:
        """Return what the inverter does by itself."""
        return self._live(lambda _slot, _devices: None)

    def live_foreseen(self, bill: Bill, truth: SlotLedger) -> SlotLedger:
        """Return what is done by whoever knows everything; ``truth`` holds load and sun of every slot."""
        return self._live(_Seer(bill, truth, self.timeline).tell)

    def _live(self, tell: Callable[[int, Devices], None]) -> SlotLedger:
        devices = Devices(self.year, self.begin, SEED, lambda _topic, _value: None)
        ledger = SlotLedger(devices.state)
        for slot, start in enumerate(self.timeline):
            tell(slot, devices)
            devices.live_until(start + SLOT)
            ledger.close_slot(devices.state)
        return ledger


class _Seer:
    """Plans by the truth, and tells the inverter as the executor does."""

    def __init__(self, bill: Bill, truth: SlotLedger, timeline: Timeline) -> None:
        self._bill, self._timeline = bill, timeline
        self._load, self._pv = truth.series("load_kwh"), truth.series("pv_kwh")
        site = bill.site
        unit = find_unit(site, site.control, BATTERIES)
        if unit is None:
            raise RuntimeError("the simulated home has no battery that can be told")
        self._unit, self._battery, self._solver = unit, site.batteries[0].name, Solver()
        self._mode: str = "self_consumption"
        self._plan: PlanReply | None = None

    def tell(self, slot: int, devices: Devices) -> None:
        """Tell the inverter what is best in a slot."""
        now = self._timeline.start + slot * SLOT
        soc = {self._battery: min(max(devices.soc, 0.0), 1.0)}
        if slot % (EVERY // SLOT) == 0:
            self._plan = self._make_plan(slot, now, soc[self._battery])
        in_force = InForce(soc, {self._battery: self._mode})
        asked = follow_plan(self._plan, self._unit, lambda: None, now=now, max_age=2 * EVERY, in_force=in_force)
        allowed = self._unit.make_safe(asked.requested, soc)
        self._mode = allowed[self._battery].mode
        for write in self._unit.render(allowed):
            devices.hear(write.to, str(write.value).encode(), at=now)

    def _make_plan(self, slot: int, now: datetime, soc: float) -> PlanReply:
        end = min(slot + AHEAD // SLOT, self._timeline.count)
        bill, window = self._bill, slice(slot, end)
        outlook = OutlookMessage(
            load_kwh=self._load[window].tolist(),
            pv_kwh=self._pv[window].tolist(),
            import_price=bill.import_price[window].tolist(),
            export_price=bill.export_price[window].tolist(),
        )
        state = StateMessage(batteries={self._battery: BatteryState.model_validate({"soc": soc, "mode": self._mode})})
        options = PlanOptions(terminal=Terminal(kind="value", value=bill.stored_worth))
        return plan_request(PlanRequest(site=bill.site, start=now, outlook=outlook, state=state, options=options), now=now, solver=self._solver)
