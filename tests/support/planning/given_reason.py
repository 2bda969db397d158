"""The reasons of a reply, beside what their devices and the site do in every slot."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from math import inf
from types import SimpleNamespace
from typing import Any, NamedTuple

from luna.energy.devices import FLOW_KINDS

Document = dict[str, Any]
Slots = list[SimpleNamespace]
# Sums of a reply's energies, which it rounds to a millionth, are this exact.
EXACT_KWH = 2e-5
# Prices this close read the same to the planner.
SAME_PRICE = 6e-4
# By section of a slot the fields of a device's energies: what it takes, then what it gives.
FLOWS = {kind.section: [*kind.plan.flows] for kind in FLOW_KINDS}


class GivenReason(NamedTuple):
    """A reason of a device in a slot; a site without a battery has no device.

    A slot of ``slots`` is that of the reply, with ``taken`` and ``given`` of the device, kWh, its
    state of charge before and after, ``short`` (what the house draws on the grid, kWh), ``need``
    (what sun does not bring the house, kWh) and what a kWh more of use costs.
    """

    request: Document
    device: Document
    slots: Slots
    slot: int
    reason: Document

    @property
    def code(self) -> str:
        return str(self.reason["code"])

    @property
    def figures(self) -> Document:
        return dict(self.reason["figures"])

    @property
    def now(self) -> SimpleNamespace:
        return self.slots[self.slot]

    @property
    def then(self) -> SimpleNamespace:
        """The slot that begins at the sentence's time; the reason's own where there is none."""
        time = self.figures.get("time")
        begins = self.now.begin if time is None else datetime.fromisoformat(time)
        return next((slot for slot in self.slots if slot.begin == begins), self.now)

    @property
    def is_battery(self) -> bool:
        return self.device.get("name") in self.now.batteries

    @property
    def reserves_soc(self) -> list[float]:
        return [min(each["soc"], self.device["max_soc"]) for each in self.request["reserves"]]

    def limits_kw(self, name: str) -> list[float]:
        """Return the limits of the grid connection in the slot: its own, and an operator's."""
        of_slots = self.request["outlook"].get(name, [])[self.slot : self.slot + 1]
        return [self.request["site"]["grid"][name], *filter(None, of_slots)]

    def operator_kw(self, name: str) -> list[float]:
        """Return the operator's limit in the slot, lower than the connection's; none: infinite."""
        of_slots = self.request["outlook"].get(name, [])[self.slot : self.slot + 1]
        known = [limit for limit in of_slots if limit is not None]
        return [limit for limit in known if limit < self.request["site"]["grid"][name]] or [inf]

    def obeys_until(self, time: datetime) -> bool:
        """Return whether an owner's block holds until then, and the slot keeps to it."""
        now = self.now
        moved = self.now.taken + self.now.given
        against = {"charge": now.given, "discharge": now.taken, "hold": moved}
        against |= {"no_charge": now.taken, "no_discharge": now.given}
        against |= {"no_import": now.import_kwh, "no_export": now.export_kwh}
        end = now.begin + timedelta(hours=now.hours)
        return any(
            block["device"] in (self.device["name"], "grid")
            and datetime.fromisoformat(block["from"]) < end
            and datetime.fromisoformat(block["to"]) == time > now.begin
            and against[block["action"]] <= EXACT_KWH
            for block in self.request["manual"]
        )

    def is_cheapest(self) -> bool:
        """Return whether the device uses no dearer slot than it leaves, as many as are said."""
        until = datetime.fromisoformat(self.figures["time"])
        movable = [slot for slot in self.slots if slot.begin < until and slot.is_movable]
        window = movable[-self.figures["total"] :]
        used = [slot.use_price for slot in window if slot.taken > 0]
        left = [slot.use_price for slot in window if slot.taken <= 0]
        dearest = max(used)
        cheapest = min(left, default=inf)
        return len(used) == self.figures.get("count", 1) and bool(dearest <= cheapest + SAME_PRICE)


def read_reasons(request: Document, reply: Document) -> Iterator[GivenReason]:
    """Yield every reason of a reply: those of its slots, and those of single devices."""
    devices = {(key, each["name"]): each for key in FLOWS for each in request["site"].get(key, [])}
    places = [("batteries", ""), *devices]
    slots = {place: read_slots(request, reply, *place) for place in places}
    for slot, here in enumerate(reply["slots"]):
        battery = here["reason"]["device"] or next(iter(here["batteries"]), "")
        reasons = [(place, here[place[0]][place[1]].get("reason")) for place in devices]
        for place, reason in [(("batteries", battery), here["reason"]), *reasons]:
            if reason is not None:
                yield GivenReason(request, devices.get(place, {}), slots[place], slot, reason)


def read_slots(request: Document, reply: Document, section: str, name: str) -> Slots:
    """Return what a device and its site do in every slot."""
    soc = request["state"].get(section, {}).get(name, {}).get("soc", 0.0)
    minutes: float = request["slot_minutes"]
    hours = float(request.get("first_slot_minutes", minutes)) / 60
    takes, *gives = FLOWS[section]
    slots: Slots = []
    for here in reply["slots"]:
        flow = here[section].get(name, {})
        batteries = here["batteries"].values()
        slot = SimpleNamespace(**here, hours=hours, begin=datetime.fromisoformat(here["start"]))
        slot.taken, slot.given = flow.get(takes, 0.0), sum(flow.get(field, 0.0) for field in gives)
        slot.is_movable = (flow.get("reason") or {}).get("code", "load_not_now") != "load_not_now"
        slot.soc_before, slot.soc = soc, flow.get("soc_end", 0.0)
        # What the grid brings, less what it takes and what batteries take.
        stored = sum(each["charge_kwh"] for each in batteries)
        slot.short = slot.import_kwh - slot.export_kwh - stored
        slot.need = slot.short + sum(each["discharge_kwh"] for each in batteries)
        slot.use_price = slot.import_price if slot.import_kwh > 0 else slot.export_price
        slot.use_price *= slot.import_kwh > 0 or slot.curtailed_kwh <= 0
        slots.append(slot)
        soc = slot.soc
        hours = minutes / 60
    return slots


def read_battery_figures(given: GivenReason) -> dict[str, list[float]]:
    """Return what the figures of a battery's reason may be; those of no value may be any."""
    now = given.now
    then = given.then
    device = given.device
    charging = device["charge_efficiency"]
    lowest = device["min_soc"]
    wear = device["wear_price"]
    value = given.reason["energy_value"] or 0.0
    power_kw = {
        "grid_limit": [] if "time" in given.figures else given.limits_kw("import_limit_kw"),
        "feed_in_limit": given.limits_kw("export_limit_kw"),
        "operator_limit": [] if "time" in given.figures else given.operator_kw("import_limit_kw"),
        "operator_feed_in": given.operator_kw("export_limit_kw"),
        "inverter_limit": [each["ac_limit_kw"] for each in given.request["site"]["inverters"]],
        "least_power": [device["min_charge_kw"]],
        "peak": [now.import_kwh / now.hours],
        "power_limit": [(now.taken + now.given) / now.hours],
    }
    holds = given.code == "hold_for_peak"
    return {
        "buy": [now.import_price],
        "sell": [now.export_price],
        "fee": [-now.export_price],
        "paid": [-now.import_price],
        "value": [value],
        "keep": [value * charging - wear],
        "price": [then.import_price, then.export_price],
        "soc": [now.soc_before],
        "least": [lowest],
        "most": [device["max_soc"]],
        "reserve": [lowest, *given.reserves_soc],
        "target": [given.slots[-1].soc],
        "kw": power_kw.get(given.code, []),
        "kwh": [(now.soc - lowest) * device["capacity_kwh"]] if holds else [],
    }
