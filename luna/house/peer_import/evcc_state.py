"""Read the state that evcc shows at ``/api/state``."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from luna.house.peer_import.draft import USUAL_C_RATE, SiteDraft
from luna.house.peer_import.peer_file import PeerValue

# Keys that Luna does otherwise → code of the sentence.
STATE_DIFFERENCES: Mapping[str, str] = {
    "result.version": "runs_itself",
    "*.power": "measured_now",
    "*.soc": "measured_now",
    "*.controllable": "measured_now",
    "*.chargePower": "measured_now",
    "*gridConfigured": "measured_now",
}
# Amperes and volts of a phase.
MOST_A = 500.0
VOLT = 230.0


def read_state(state: PeerValue, draft: SiteDraft) -> None:
    """Read what the state says of the site; what is measured now is none of it."""
    _StateReader(state, draft).read()


def find_point(points: Sequence[PeerValue], vehicle: str) -> PeerValue | None:
    """Return the loadpoint that names a vehicle, else the only one."""
    for point in points:
        named = point.find("vehicle", "vehicleName")
        if named is not None and named.text == vehicle:
            return point
    if len(points) == 1 and points[0].find("vehicle") is None:
        return points[0]
    return None


class _StateReader:
    """Reads the state that evcc shows at ``/api/state``."""

    def __init__(self, state: PeerValue, draft: SiteDraft) -> None:
        self._state = state
        self._draft = draft
        self._ledger = draft.ledger

    def read(self) -> None:
        """Read what the state says of the site; what is measured now is none of it."""
        title = self._state.find("siteTitle")
        if title is not None and title.text:
            self._draft.document["display_name"] = title.text
            self._ledger.take(title, "display_name")
        currency = self._state.find("currency")
        if currency is not None and re.fullmatch(r"[A-Z]{3}", currency.text):
            self._draft.document["currency"] = currency.text
            self._ledger.take(currency, "currency")
        self._read_prices()
        batteries = self._state.find("battery")
        for battery in () if batteries is None else batteries.items:
            self._read_battery(battery)
        arrays = self._state.find("pv")
        for array in () if arrays is None else arrays.items:
            roof = array.find("title") or array
            self._ledger.refuse(roof, "roof_without_size", name=roof.text[:60])
        self._read_vehicles()

    def _read_prices(self) -> None:
        for key, side in (("tariffGrid", "import"), ("tariffFeedIn", "export")):
            value = self._state.find(key)
            price = None
            if value is not None:
                price = self._ledger.read_number(value, least=-100, most=10_000)
            if value is None or price is None:
                continue
            self._draft.part("tariff")[side] = {"kind": "fixed", "price": price}
            self._ledger.change(value, f"tariff.{side}.price", price, code="price_now")
        tariff = self._draft.document.get("tariff")
        if tariff is not None and "import" not in tariff:
            del self._draft.document["tariff"]

    def _read_battery(self, battery: PeerValue) -> None:
        title = battery.find("title")
        capacity = battery.find("capacity")
        capacity_kwh = None
        if capacity is not None:
            capacity_kwh = self._ledger.read_number(capacity, least=0.1, most=100_000)
        if capacity is None or capacity_kwh is None:
            self._ledger.refuse(title or battery, "battery_without_capacity", name="")
            return
        power_kw = round(USUAL_C_RATE * capacity_kwh, 2)
        document = {
            "capacity_kwh": capacity_kwh,
            "charge_limit_kw": power_kw,
            "discharge_limit_kw": power_kw,
        }
        called = "battery" if title is None or not title.text else title.text
        name = self._draft.add_device("batteries", called, document)
        self._ledger.take(capacity, f"batteries.{name}.capacity_kwh", capacity_kwh)
        if title is not None:
            self._ledger.take(title, f"batteries.{name}.name", name)
        for part in ("charge_limit_kw", "discharge_limit_kw"):
            self._ledger.assume(f"batteries.{name}.{part}", power_kw, code="battery_power")

    def _read_vehicles(self) -> None:
        vehicles = self._state.find("vehicles")
        points = self._state.find("loadpoints")
        point_items = () if points is None else points.items
        for key, vehicle in ({} if vehicles is None else vehicles.members).items():
            capacity = vehicle.find("capacity")
            title = vehicle.find("title")
            capacity_kwh = None
            if capacity is not None:
                capacity_kwh = self._ledger.read_number(capacity, least=1, most=1000)
            if capacity is None or capacity_kwh is None:
                self._ledger.refuse(title or vehicle, "car_without_capacity", name=key)
                continue
            called = key if title is None or not title.text else title.text
            name = self._draft.add_device("vehicles", called, {"capacity_kwh": capacity_kwh})
            self._ledger.take(capacity, f"vehicles.{name}.capacity_kwh", capacity_kwh)
            if title is not None:
                self._ledger.take(title, f"vehicles.{name}.name", name)
            point = find_point(point_items, key)
            if point is not None:
                self._read_charger(point, name)

    def _read_charger(self, point: PeerValue, name: str) -> None:
        charger: dict[str, Any] = {"phases": [3], "min_current_a": 6.0, "max_current_a": 16.0}
        place = f"vehicles.{name}.charger"
        phases = point.find("phasesConfigured")
        if phases is not None and phases.text in ("0", "1", "3"):
            charger["phases"] = [1, 3] if phases.text == "0" else [int(phases.text)]
            self._ledger.take(phases, f"{place}.phases", charger["phases"])
        for key, part in (("minCurrent", "min_current_a"), ("maxCurrent", "max_current_a")):
            value = point.find(key)
            if value is not None:
                current_a = self._ledger.take_number(value, f"{place}.{part}", least=1, most=MOST_A)
                charger[part] = charger[part] if current_a is None else current_a
        for part in ("title", "vehicleName"):
            value = point.find(part)
            if value is not None:
                self._ledger.change(value, f"vehicles.{name}", name, code="joined")
        most_kw = max(charger["phases"]) * charger["max_current_a"] * VOLT / 1000
        vehicle = self._draft.document["vehicles"][-1]
        vehicle |= {"charger": charger, "charge_limit_kw": round(most_kw, 2)}
