"""The site that is made of another manager's file: its document, until it is valid."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import hypot
from typing import Any

from pydantic import ValidationError

from luna.drivers.profile import DeviceProfile
from luna.drivers.sensor_name import name_sensor
from luna.drivers.site_device import READINGS_BY_ROLE
from luna.energy.devices.battery import usual_wear_price
from luna.energy.devices.commands import Via
from luna.energy.site import Site
from luna.energy.site.countries import COUNTRIES, Country, Town
from luna.energy.site.document import explain_faults
from luna.energy.timeline import parse_zone
from luna.energy.zone_country import find_country
from luna.house.peer_import.ledger import ImportLedger
from luna.house.peer_import.peer_file import PeerValue
from luna.platform.site_name import identifier_of

# Where nothing in a file lies in a country.
USUAL_COUNTRY = "DE"
# A battery of which no power is known: as much as fills it in two hours.
USUAL_C_RATE = 0.5
_MOST_FAULTS = 40
_MOST_NAME = 64
_NOT_IN_NAMES = re.compile(r"[^\w .-]")


@dataclass
class SiteDraft:
    """A site's document from another manager's file, with the ledger of the file's values.

    ``country`` and ``town`` are known where something in the file lies in them.
    """

    ledger: ImportLedger = field(default_factory=ImportLedger)
    document: dict[str, Any] = field(default_factory=dict)
    country: Country | None = None
    town: Town | None = None

    def add_device(self, section: str, called: str, device: Mapping[str, Any]) -> str:
        """Add a device under a free name; return the name."""
        devices = self.document.setdefault(section, [])
        name = name_device(called, [present["name"] for present in devices])
        devices.append({"name": name, **device})
        return name

    def part(self, name: str) -> dict[str, Any]:
        """Return a section of the document, an empty one where there was none."""
        section: dict[str, Any] = self.document.setdefault(name, {})
        return section

    def add_sensor(self, role: str, sensor: str) -> None:
        """Add a sensor to a role, once."""
        sensors = self.part("input_sensors").setdefault(role, [])
        if sensor not in sensors:
            sensors.append(sensor)

    def add_readings(self, via: Via, profile: DeviceProfile, roles: Sequence[str]) -> list[str]:
        """Add a device's readings as sensors of roles; return the roles that it has."""
        added = []
        for role in roles:
            measured = [reading for reading in READINGS_BY_ROLE[role] if reading in profile.reads]
            if measured:
                self.add_sensor(role, name_sensor(via, measured[0]))
                added.append(role)
        return added

    def locate(self, value: PeerValue, latitude: float, longitude: float) -> None:
        """Set the location, and the country of the nearest town that is near enough."""
        self.document.setdefault("location", {"latitude": latitude, "longitude": longitude})
        country, town = _find_nearest(latitude, longitude, self.country)
        # A market or a time zone says the country better than the nearest town, near a border.
        self.country = self.country or country
        self.town = town
        self.ledger.account(value)

    def finish(self, name: str | None, timezone: str | None) -> Site:
        """Return the site: missing values are assumed, refused ones left out.

        Args:
            name: of the site; None: the file's, else ``home``.
            timezone: of the site where the file has none; None: its country's.

        Raises:
            InvalidInputError: name or time zone is none.
        """
        self._name(name)
        self._set_clock(timezone)
        self._set_currency()
        self._assume_wear()
        if "tariff" not in self.document:
            self.ledger.assume("tariff.import", 0.3, code="no_tariff")
        elif "export" not in self.document["tariff"]:
            self.ledger.assume("tariff.export", 0.0, code="no_export_price")
        if "location" not in self.document:
            self.ledger.assume("location", "", code="no_location")
        return self._validate()

    def _name(self, name: str | None) -> None:
        title = self.document.pop("display_name", None)
        if name is not None:
            self.document["name"] = name
        elif title is not None:
            self.document["name"] = identifier_of(title)
        else:
            self.document["name"] = "home"
            self.ledger.assume("name", "home", code="no_name")
        if title is not None:
            self.document["display_name"] = title[:_MOST_NAME]

    def _set_clock(self, timezone: str | None) -> None:
        if timezone is not None:
            self.document["timezone"] = parse_zone(timezone).key
        if "timezone" in self.document:
            zone_country = COUNTRIES.get(find_country(self.document["timezone"]) or "")
            self.country = zone_country or self.country
        else:
            self._assume_clock()
        if self.country is not None:
            self.document["country"] = self.country.code

    def _assume_clock(self) -> None:
        if self.country is None:
            self.country = COUNTRIES[USUAL_COUNTRY]
            code = "no_timezone"
        else:
            code = "timezone_of_country"
        zone = self.country.timezone
        if self.town is not None:
            zone = self.country.timezone_of(self.town)
        self.document["timezone"] = zone
        self.ledger.assume("timezone", zone, code=code)

    def _set_currency(self) -> None:
        if "currency" in self.document:
            return
        currency = "EUR" if self.country is None else self.country.currency
        self.document["currency"] = currency
        self.ledger.assume("currency", currency, code="currency_of_country")

    def _assume_wear(self) -> None:
        """Let batteries wear as set-up assumes it; none of the programs knows their price."""
        wear_price = usual_wear_price(self.document["currency"])
        for battery in self.document.get("batteries", []):
            battery["wear_price"] = wear_price
            field = f"batteries.{battery['name']}.wear_price"
            self.ledger.assume(field, wear_price, code="battery_wear")

    def _validate(self) -> Site:
        for _ in range(_MOST_FAULTS):
            try:
                return Site.model_validate(self.document)
            except ValidationError as exc:
                self._leave_out(exc.errors(include_url=False)[0])
        # Without what was taken over there is nothing that could be refused.
        plain = ("name", "timezone", "currency")
        self.document = {name: self.document[name] for name in plain}
        for section in ("batteries", "vehicles", "pv", "loads", "inverters", "tariff", "grid"):
            self.ledger.withdraw(section, "refused")
        return Site.model_validate(self.document)

    def _leave_out(self, fault: Mapping[str, Any]) -> None:
        """Remove the device or the section of a fault."""
        context = fault.get("ctx") or {}
        place = [*fault["loc"], *context.get("place", ())]
        section = str(place[0]) if place else "control"
        if section in ("name", "timezone"):
            raise explain_faults([fault], field="site")
        if section not in self.document:
            section = _choose_section(self.document)
        content = self.document[section]
        index = place[1] if len(place) > 1 and isinstance(place[1], int) else None
        if isinstance(content, list) and index is not None and index < len(content):
            device = content.pop(index)
            self._forget(device["name"])
            self.ledger.withdraw(f"{section}.{device['name']}", "refused")
        elif isinstance(content, dict) and len(place) > 1 and place[1] in content:
            name = str(place[1])
            del content[name]
            self.ledger.withdraw(f"{section}.{name}", "refused")
            if section == "tariff" and name == "import":
                del self.document["tariff"]
                self.ledger.withdraw("tariff", "refused")
        else:
            del self.document[section]
            self.ledger.withdraw(section, "refused")

    def _forget(self, name: str) -> None:
        """Remove references to a device that was left out."""
        for inverter in self.document.get("inverters", []):
            for section in ("pv", "batteries"):
                connected = inverter.get(section, [])
                inverter[section] = [device for device in connected if device != name]
        control = self.document.get("control", {})
        for section, key in (("batteries", "battery"), ("vehicles", "vehicle")):
            if section in control:
                commands = control[section]
                control[section] = [command for command in commands if command[key] != name]
        if control and not control.get("batteries") and not control.get("vehicles"):
            del self.document["control"]


def _choose_section(document: Mapping[str, Any]) -> str:
    """Return the section to leave out where a fault names none."""
    # Sections that name devices come before those that hold them.
    sections = ("control", "inverters", "vehicles", "loads", "pv", "batteries", "grid", "tariff")
    for section in sections:
        if section in document:
            return section
    return "input_sensors"


def name_device(called: str, taken: Sequence[str]) -> str:
    """Return a device's name in the form of a site's, free among ``taken``."""
    allowed = _NOT_IN_NAMES.sub(" ", called)
    plain = " ".join(allowed.split()).strip("._- ")[: _MOST_NAME - 4] or "device"
    names_in_use = {name.casefold() for name in taken}
    name = plain
    number = 1
    while name.casefold() in names_in_use:
        number += 1
        name = f"{plain} {number}"
    return name


def find_country_of_market(market: str) -> Country | None:
    """Return the country of a market's bidding zone; None where several have it, or none."""
    code = market.partition("-")[0][:2]
    country = COUNTRIES.get(code)
    if country is not None and (market in country.markets or market.startswith(f"{code}-")):
        return country
    for candidate in COUNTRIES.values():
        if market in candidate.markets:
            return candidate
    return None


# Degrees: a home farther from every large town may lie in another country.
_NEAR_DEG = 3.0


def _find_nearest(
    latitude: float, longitude: float, only: Country | None
) -> tuple[Country | None, Town | None]:
    """Return the nearest town and its country, within ``only`` where it is given."""
    nearest: tuple[Country | None, Town | None] = (None, None)
    least = _NEAR_DEG
    countries = COUNTRIES.values() if only is None else [only]
    for country in countries:
        for town in country.towns:
            distance = hypot(town.latitude - latitude, town.longitude - longitude)
            if distance < least:
                least = distance
                nearest = (country, town)
    return nearest


def make_via(profile: str, host: str, port: float | None, unit: float | None) -> Via | None:
    """Return the connection of a device; None where its address is none."""
    whole_port = None if port is None else int(port)
    whole_unit = None if unit is None else int(unit)
    try:
        return Via(profile=profile, host=host, port=whole_port, unit=whole_unit)
    except ValidationError:
        return None
