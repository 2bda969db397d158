"""Read evcc's evcc.yaml, or the state that its API shows as JSON."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from luna.energy.devices.commands import Via
from luna.energy.site.countries import COUNTRIES
from luna.platform.drivers.profile import DeviceProfile
from luna.platform.peer_import.draft import (
    USUAL_C_RATE,
    SiteDraft,
    find_country_of_market,
    make_via,
)
from luna.platform.peer_import.peer_file import PeerValue
from luna.platform.peer_import.prices import (
    ALL_DAYS,
    PricedTimes,
    make_calendar,
    make_clock_price,
    parse_days,
    parse_hours,
    parse_months,
)
from luna.platform.peer_import.products import find_product, find_profile

# Names of which a file of evcc has at least one at its top.
KNOWN = (
    "site",
    "meters",
    "chargers",
    "vehicles",
    "loadpoints",
    "tariffs",
    "siteTitle",
    "result",
)
# Keys that Luna does otherwise → code of the sentence.
DIFFERENCES: Mapping[str, str] = {
    "network": "runs_itself",
    "uri": "runs_itself",
    "log": "runs_itself",
    "levels": "runs_itself",
    "plant": "runs_itself",
    "telemetry": "runs_itself",
    "database": "runs_itself",
    "profile": "runs_itself",
    "version": "runs_itself",
    "interval": "cycle",
    "mqtt": "broker",
    "mqtt.*": "broker",
    "influx": "records_itself",
    "influx.*": "records_itself",
    "messaging": "messages",
    "messaging.*": "messages",
    "hems": "operator_limit",
    "hems.*": "operator_limit",
    "eebus": "eebus",
    "eebus.*": "eebus",
    "modbusproxy": "proxy",
    "*site.residualPower": "residual_power",
    "residualPower": "residual_power",
    "*.residualPower": "residual_power",
    "*prioritySoc": "buffer",
    "*bufferSoc": "buffer",
    "*bufferStartSoc": "buffer",
    "site.maxGridSupplyWhileBatteryCharging": "buffer",
    "*loadpoints.*.soc": "soc_polling",
    "*loadpoints.*.soc.*": "soc_polling",
    "*loadpoints.*.mode": "mode",
    "*loadpoints.*.priority": "mode",
    "*loadpoints.*.resetOnDisconnect": "mode",
    "*loadpoints.*.enable": "thresholds",
    "*loadpoints.*.disable": "thresholds",
    "*loadpoints.*.guard*": "thresholds",
    "*vehicles.*.onIdentify": "departure",
    "*vehicles.*.onIdentify.*": "departure",
    "*vehicles.*.onidentify.*": "departure",
    "*vehicles.*.minSoc": "departure",
    "*.limitSoc": "departure",
    "vehicles.*.cache": "soc_polling",
    "vehicles.*.icon": "runs_itself",
    "vehicles.*.identifiers": "identifiers",
    "tariffs.co2": "carbon",
    "tariffs.*.cheap": "mode",
    "tariffs.*.interval": "cycle",
}
# The same, of the state that its API shows.
STATE_DIFFERENCES: Mapping[str, str] = {
    "result.version": "runs_itself",
    "*.power": "measured_now",
    "*.soc": "measured_now",
    "*.controllable": "measured_now",
    "*.chargePower": "measured_now",
    "*gridConfigured": "measured_now",
}
_ROLES_BY_USAGE = {
    "grid": ("total_grid_import", "total_grid_export"),
    "pv": ("total_pv_production",),
    "battery": ("total_battery_charge", "total_battery_discharge", "battery_soc"),
}
_ROLES_OF_CHARGER = ("vehicle_consumption", "vehicle_connected", "vehicle_soc")
_SITE_METERS = {
    "grid": "grid",
    "pv": "pv",
    "pvs": "pv",
    "battery": "battery",
    "batteries": "battery",
}
_ADDRESS_PARTS = (
    "type",
    "usage",
    "host",
    "uri",
    "port",
    "id",
    "device",
    "baudrate",
    "comset",
    "modbus",
    "timeout",
    "stationid",
    "connector",
    "charger",
)
# Amperes and volts of a phase.
_MOST_A = 500.0
_VOLT = 230.0
# Name of an evcc tariff → markets by its region; without a region the only one.
_MARKETS: Mapping[str, Mapping[str, str]] = {
    "awattar": {"de": "DE-LU", "at": "AT", "": "DE-LU"},
    "smartenergy": {"": "AT"},
    "ostrom": {"": "DE-LU"},
    "energinet": {"dk1": "DK1", "dk2": "DK2"},
}
_BY_ZONE = ("nordpool", "energy-charts-api", "epexspot", "stekker", "spotty-energie")
# Source: ENTSO-E, "EIC approved codes", areas of bidding zones.
_MARKETS_BY_EIC = {
    "10YNL----------L": "NL",
    "10Y1001A1001A82H": "DE-LU",
    "10YAT-APG------L": "AT",
    "10YBE----------2": "BE",
    "10YCH-SWISSGRIDZ": "CH",
    "10YDK-1--------W": "DK1",
    "10YDK-2--------M": "DK2",
    "10YFI-1--------U": "FI",
    "10YFR-RTE------C": "FR",
    "10Y1001A1001A44P": "SE1",
    "10Y1001A1001A45N": "SE2",
    "10Y1001A1001A46L": "SE3",
    "10Y1001A1001A47J": "SE4",
}
_OCTOPUS_REGION = re.compile(r"[A-P]")


def read_evcc(root: PeerValue, draft: SiteDraft, profiles: Sequence[DeviceProfile]) -> None:
    """Read a file of evcc into a draft."""
    state = root.find("result") or root
    if state.find("siteTitle") is not None or root.find("result") is not None:
        _StateReader(state, draft).read()
        draft.ledger.list_differences(root, STATE_DIFFERENCES)
    else:
        _ConfigurationReader(root, draft, profiles).read()
    draft.ledger.list_differences(root, DIFFERENCES)


class _ConfigurationReader:
    """Reads evcc.yaml."""

    def __init__(
        self, root: PeerValue, draft: SiteDraft, profiles: Sequence[DeviceProfile]
    ) -> None:
        self._root = root
        self._draft = draft
        self._ledger = draft.ledger
        self._profiles = profiles
        self._vias: list[dict[str, Any]] = []
        self._charger_vias: list[dict[str, Any]] = []
        self._cars_by_charger: dict[str, str] = {}

    def read(self) -> None:
        """Read all sections; what they leave is listed by the caller."""
        self._read_site()
        self._read_circuits()
        self._read_vehicles()
        self._read_tariffs()
        control: dict[str, Any] = {}
        batteries = self._draft.document.get("batteries", [])
        # All batteries are commanded together, or none.
        if self._vias and len(self._vias) == len(batteries):
            control["batteries"] = self._vias
        if self._charger_vias:
            control["vehicles"] = self._charger_vias
        if control:
            self._draft.document["control"] = {"by": "profile", **control}

    def _list(self, name: str) -> tuple[PeerValue, ...]:
        section = self._root.find(name)
        return () if section is None else section.items

    def _named(self, section: str) -> dict[str, PeerValue]:
        named = {}
        for entry in self._list(section):
            name = entry.find("name")
            if name is not None:
                self._ledger.differ(name, "reference")
                named[name.text] = entry
        return named

    def _read_site(self) -> None:
        site = self._root.find("site")
        title = None if site is None else site.find("title")
        if title is not None and title.text:
            self._draft.document["display_name"] = title.text
            self._ledger.take(title, "display_name")
        meters = self._named("meters")
        references = None if site is None else site.find("meters")
        if references is None:
            return
        for name, usage in _SITE_METERS.items():
            value = references.find(name)
            are_measured = []
            for reference in () if value is None else value.each():
                meter = meters.get(reference.text)
                if meter is None:
                    self._ledger.refuse(reference, "no_such_meter", name=reference.text[:60])
                    are_measured.append(False)
                    continue
                self._ledger.account(reference)
                are_measured.append(self._read_meter(meter, reference.text, usage))
                if usage == "pv" and not self._has_solar_forecast():
                    self._ledger.refuse(reference, "roof_without_size", name=reference.text[:60])
                else:
                    self._ledger.differ(reference, "reference")
            if any(are_measured) and not all(are_measured):
                self._drop_roles(usage)
        self._list_addresses("meters")

    def _drop_roles(self, usage: str) -> None:
        """Leave out the sensors of a usage: the sum of some of its meters would be too low."""
        sensors = self._draft.document.get("input_sensors", {})
        for role in _ROLES_BY_USAGE[usage]:
            if sensors.pop(role, None) is not None:
                self._ledger.withdraw(f"input_sensors.{role}", "role_incomplete")

    def _list_addresses(self, section: str) -> None:
        """List the addresses of what Luna does not speak to."""
        for entry in self._list(section):
            for name in _ADDRESS_PARTS:
                value = entry.find(name)
                if value is not None and not self._ledger.is_accounted(value):
                    self._ledger.differ(value, "address")

    def _has_solar_forecast(self) -> bool:
        tariffs = self._root.find("tariffs")
        return tariffs is not None and tariffs.find("solar") is not None

    def _read_meter(self, meter: PeerValue, name: str, usage: str) -> bool:
        """Read a meter; return whether what it measures is taken over."""
        kind = meter.find("type")
        battery = self._read_battery(meter, name) if usage == "battery" else None
        if kind is not None and kind.text == "custom":
            self._ledger.differ(kind, "reference")
            return self._read_custom_meter(meter, usage)
        return self._read_template(meter, usage, battery)

    def _read_template(self, meter: PeerValue, usage: str, battery: str | None) -> bool:
        """Read a meter by its product's profile; return whether it is measured."""
        template = meter.find("template", "type")
        profile = None if template is None else self._find_profile(template, usage)
        if template is None or profile is None:
            return False
        via = self._read_address(meter, template, profile)
        if via is None:
            return False
        roles = self._draft.add_readings(via, profile, _ROLES_BY_USAGE[usage])
        if not roles:
            self._ledger.refuse(template, "reads_nothing", profile=profile.profile)
            return False
        place = f"input_sensors.{roles[0]}"
        self._ledger.change(template, place, profile.profile, code="product")
        for name in ("host", "uri", "port", "id"):
            part = meter.find(name)
            if part is not None and not self._ledger.is_accounted(part):
                self._ledger.take(part, place)
        if battery is not None:
            said = via.model_dump(mode="json", exclude_none=True)
            self._vias.append({"battery": battery, "via": said})
        return True

    def _find_profile(self, template: PeerValue, usage: str) -> DeviceProfile | None:
        """Return the profile of a template's product; list the template where there is none."""
        product = find_product(template.text)
        if product is None:
            self._ledger.refuse(template, "unknown_product", product=template.text[:60])
            return None
        profile = find_profile(product, usage, self._profiles)
        if profile is None:
            self._ledger.refuse(template, "not_driven", product=product.called)
        elif profile.needs_prefix:
            self._ledger.refuse(template, "needs_prefix", profile=profile.profile)
            return None
        return profile

    def _read_address(
        self, meter: PeerValue, template: PeerValue, profile: DeviceProfile
    ) -> Via | None:
        host = meter.find("host", "uri", "stationid")
        numbers = {}
        for name, least, most in (("port", 1, 65535), ("id", 0, 255)):
            value = meter.find(name)
            if value is not None:
                numbers[name] = self._ledger.read_number(value, least=least, most=most)
        address, _, port = "".partition(":") if host is None else host.text.partition(":")
        if port.isdigit():
            numbers.setdefault("port", float(port))
        via = make_via(profile.profile, address, numbers.get("port"), numbers.get("id"))
        if via is None:
            self._ledger.refuse(template, "no_address", product=profile.title)
        return via

    def _read_custom_meter(self, meter: PeerValue, usage: str) -> bool:
        """Take over the entities and topics of a meter that its owner has put together."""
        is_measured = False
        for name, unit in (("energy", "kWh"), ("power", "W"), ("soc", "%")):
            plugin = meter.find(name)
            if plugin is None:
                continue
            sensor = self._name_plugin_sensor(plugin, unit)
            if sensor is None:
                self._ledger.refuse(plugin, "own_plugin")
            elif name == "soc" and usage == "battery":
                self._take_plugin(plugin, sensor, "battery_soc")
            elif usage == "pv" and is_measured:
                self._ledger.differ(plugin, "energy_instead")
            elif usage == "pv":
                self._take_plugin(plugin, sensor, "total_pv_production")
                is_measured = True
            else:
                self._ledger.refuse(plugin, "both_ways")
        return is_measured

    def _take_plugin(self, plugin: PeerValue, sensor: str, role: str) -> None:
        self._draft.add_sensor(role, sensor)
        code = "sensor" if sensor.startswith("-") else "sensor_name"
        self._ledger.change(plugin, f"input_sensors.{role}", sensor, code=code)

    def _name_plugin_sensor(self, plugin: PeerValue, unit: str) -> str | None:
        source = plugin.find("source", "type")
        if source is None:
            return None
        scale = plugin.find("scale")
        sign = "-" if scale is not None and scale.text.startswith("-") else ""
        if scale is not None and scale.text.lstrip("-") not in ("1", "1.0"):
            return None
        entity = plugin.find("entity")
        if source.text == "homeassistant" and entity is not None and entity.text:
            return f"{sign}{entity.text}"
        topic = plugin.find("topic")
        if source.text == "mqtt" and topic is not None and topic.text:
            path = plugin.find("jq")
            inside = "" if path is None else f"#{path.text.lstrip('.')}"
            return f"{sign}mqtt:{topic.text}{inside} [{unit}]"
        return None

    def _read_battery(self, meter: PeerValue, name: str) -> str | None:
        capacity = meter.find("capacity")
        capacity_kwh = None
        if capacity is not None:
            capacity_kwh = self._ledger.read_number(capacity, least=0.1, most=100_000)
        if capacity is None or capacity_kwh is None:
            self._ledger.refuse(meter.find("name") or meter, "battery_without_capacity", name=name)
            return None
        battery: dict[str, Any] = {"capacity_kwh": capacity_kwh}
        called = self._draft.add_device("batteries", name, battery)
        # The draft holds the same values.
        kept = self._draft.document["batteries"][-1]
        place = f"batteries.{called}"
        self._ledger.take(capacity, f"{place}.capacity_kwh", capacity_kwh)
        for key, part in (("minsoc", "min_soc"), ("maxsoc", "max_soc")):
            value = meter.find(key)
            if value is not None:
                share = self._ledger.take_number(
                    value, f"{place}.{part}", factor=0.01, code="percent", least=0, most=100
                )
                if share is not None:
                    kept[part] = share
        limits = (
            ("maxchargepower", "charge_limit_kw"),
            ("maxdischargepower", "discharge_limit_kw"),
        )
        for key, part in limits:
            value = meter.find(key)
            power_kw = None
            if value is not None:
                power_kw = self._ledger.take_number(
                    value, f"{place}.{part}", factor=0.001, code="watts", least=1
                )
            if power_kw is None:
                power_kw = round(USUAL_C_RATE * capacity_kwh, 2)
                self._ledger.assume(f"{place}.{part}", power_kw, code="battery_power")
            kept[part] = power_kw
        return called

    def _read_circuits(self) -> None:
        circuits = self._named("circuits")
        parents = set()
        for circuit in circuits.values():
            parent = circuit.find("parent")
            if parent is not None:
                parents.add(parent.text)
        for name, circuit in circuits.items():
            is_main = circuit.find("parent") is None and (name in parents or len(circuits) == 1)
            if is_main and name not in self._circuits_of_chargers():
                self._read_main_circuit(circuit)
            else:
                self._read_circuit(circuit, name)
            for part in ("title", "parent", "meter"):
                value = circuit.find(part)
                if value is not None:
                    self._ledger.differ(value, "circuit_detail")

    def _circuits_of_chargers(self) -> set[str]:
        names = set()
        for point in self._list("loadpoints"):
            circuit = point.find("circuit")
            if circuit is not None:
                names.add(circuit.text)
        return names

    def _read_main_circuit(self, circuit: PeerValue) -> None:
        grid = self._draft.part("grid")
        current = circuit.find("maxCurrent")
        power = circuit.find("maxPower")
        if current is not None:
            fuse_a = self._ledger.take_number(current, "grid.main_fuse_a", least=1, most=1000)
            if fuse_a is not None:
                grid["main_fuse_a"] = fuse_a
        if power is not None:
            limit_kw = self._ledger.take_number(
                power, "grid.import_limit_kw", factor=0.001, code="watts", least=1
            )
            if limit_kw is not None:
                grid["import_limit_kw"] = limit_kw

    def _read_circuit(self, circuit: PeerValue, name: str) -> None:
        current = circuit.find("maxCurrent")
        power = circuit.find("maxPower")
        if current is not None:
            fuse_a = self._ledger.read_number(current, least=1, most=1000)
            if fuse_a is not None:
                circuits = self._draft.part("grid").setdefault("circuits", [])
                circuits.append({"name": name, "fuse_a": fuse_a})
                self._ledger.take(current, "grid.circuits", fuse_a)
        if power is not None and power.text not in ("", "0"):
            self._ledger.refuse(power, "circuit_power")
        elif power is not None:
            self._ledger.differ(power, "circuit_detail")

    def _read_vehicles(self) -> None:
        vehicles = self._named("vehicles")
        points = self._list("loadpoints")
        used: set[int] = set()
        for name, vehicle in vehicles.items():
            point = _find_point(points, name)
            if point is not None:
                used.add(id(point))
            self._read_vehicle(vehicle, name, point)
        for point in points:
            if id(point) not in used:
                self._ledger.refuse(point, "loadpoint_without_car")
        self._read_chargers()

    def _read_vehicle(self, vehicle: PeerValue, name: str, point: PeerValue | None) -> None:
        capacity = vehicle.find("capacity")
        capacity_kwh = None
        if capacity is not None:
            capacity_kwh = self._ledger.read_number(capacity, least=1, most=1000)
        if capacity is None or capacity_kwh is None:
            self._ledger.refuse(vehicle.find("name") or vehicle, "car_without_capacity", name=name)
            return
        title = vehicle.find("title")
        called = name if title is None or not title.text else title.text
        document: dict[str, Any] = {"capacity_kwh": capacity_kwh}
        called = self._draft.add_device("vehicles", called, document)
        kept = self._draft.document["vehicles"][-1]
        place = f"vehicles.{called}"
        self._ledger.take(capacity, f"{place}.capacity_kwh", capacity_kwh)
        if title is not None:
            self._ledger.take(title, f"{place}.name", called)
        for part in ("type", "template"):
            value = vehicle.find(part)
            if value is not None:
                self._ledger.differ(value, "car_by_entities")
        phases = vehicle.find("phases")
        car_phases = None
        if phases is not None and phases.text in ("1", "2", "3"):
            car_phases = 1 if phases.text == "1" else 3
            self._ledger.take(phases, f"{place}.charger.phases", car_phases)
        if point is None:
            self._ledger.assume(f"{place}.charge_limit_kw", 11.0, code="car_power")
            return
        charger = self._read_charge_point(point, place, car_phases)
        kept["charger"] = charger
        charger_name = point.find("charger")
        if charger_name is not None:
            self._cars_by_charger.setdefault(charger_name.text, called)
        most_kw = max(charger["phases"]) * charger["max_current_a"] * _VOLT / 1000
        kept["charge_limit_kw"] = round(most_kw, 2)
        self._list_currents(vehicle)

    def _list_currents(self, vehicle: PeerValue) -> None:
        on_identify = vehicle.find("onIdentify")
        for key in ("minCurrent", "maxCurrent"):
            value = None if on_identify is None else on_identify.find(key)
            if value is not None:
                self._ledger.refuse(value, "car_current")

    def _read_charge_point(
        self, point: PeerValue, place: str, car_phases: int | None
    ) -> dict[str, Any]:
        """Return the charger of a vehicle; a loadpoint of several is read for each."""
        charger: dict[str, Any] = {"phases": [3], "min_current_a": 6.0, "max_current_a": 16.0}
        phases = point.find("phases", "phasesConfigured")
        if phases is not None and phases.text in ("0", "1", "3"):
            charger["phases"] = [1, 3] if phases.text == "0" else [int(phases.text)]
            self._ledger.take(phases, f"{place}.charger.phases", charger["phases"])
        elif phases is None and car_phases is None:
            self._ledger.assume(f"{place}.charger.phases", [3], code="charger_phases")
        if car_phases == 1:
            charger["phases"] = [1]
        for key, part in (("minCurrent", "min_current_a"), ("maxCurrent", "max_current_a")):
            value = point.find(key)
            if value is None:
                self._ledger.assume(
                    f"{place}.charger.{part}", charger[part], code="charger_current"
                )
                continue
            current_a = self._ledger.take_number(
                value, f"{place}.charger.{part}", least=1, most=_MOST_A
            )
            if current_a is not None:
                charger[part] = current_a
        circuit = point.find("circuit")
        circuits = self._draft.document.get("grid", {}).get("circuits", [])
        if circuit is not None and any(known["name"] == circuit.text for known in circuits):
            charger["circuit"] = circuit.text
            self._ledger.take(circuit, f"{place}.charger.circuit")
        for part in ("title", "charger", "vehicle"):
            value = point.find(part)
            if value is not None:
                self._ledger.change(value, place, place.partition(".")[2], code="joined")
        return charger

    def _read_chargers(self) -> None:
        for name, charger in self._named("chargers").items():
            template = charger.find("template", "type")
            profile = None if template is None else self._find_profile(template, "charger")
            if template is None or profile is None:
                continue
            via = self._read_address(charger, template, profile)
            if via is None:
                continue
            vehicle = self._cars_by_charger.get(name)
            if vehicle is None:
                self._ledger.refuse(
                    template, "charger_profile", profile=profile.profile, address=via.address
                )
                continue
            self._connect_charger(charger, vehicle, via, profile)
            self._ledger.change(
                template, f"control.vehicles.{vehicle}", profile.profile, code="product"
            )
        self._list_addresses("chargers")

    def _connect_charger(
        self, charger: PeerValue, vehicle: str, via: Via, profile: DeviceProfile
    ) -> None:
        """Let a charger's profile command a vehicle, and its readings measure it."""
        self._draft.add_readings(via, profile, _ROLES_OF_CHARGER)
        place = f"control.vehicles.{vehicle}"
        for name in ("host", "uri", "port", "id", "stationid"):
            part = charger.find(name)
            if part is not None and not self._ledger.is_accounted(part):
                self._ledger.take(part, place)
        said = via.model_dump(mode="json", exclude_none=True)
        self._charger_vias.append({"vehicle": vehicle, "via": said})
        for document in self._draft.document["vehicles"]:
            phases = document["charger"]["phases"] if document["name"] == vehicle else []
            if len(phases) > 1 and not profile.switches_phases:
                document["charger"]["phases"] = [max(phases)]
                field = f"vehicles.{vehicle}.charger.phases"
                self._ledger.assume(field, max(phases), code="phases_fixed")

    def _read_tariffs(self) -> None:
        tariffs = self._root.find("tariffs")
        if tariffs is None:
            return
        currency = tariffs.find("currency")
        if currency is not None and re.fullmatch(r"[A-Za-z]{3}", currency.text):
            self._draft.document["currency"] = currency.text.upper()
            self._ledger.take(currency, "currency", currency.text.upper())
        for key, side in (("grid", "import"), ("feedin", "export")):
            tariff = tariffs.find(key)
            if tariff is None:
                continue
            rule = self._read_rule(tariff, f"tariff.{side}")
            if rule is not None:
                self._draft.part("tariff")[side] = rule
        tariff_document = self._draft.document.get("tariff")
        if tariff_document is not None and "import" not in tariff_document:
            tariff_document["import"] = {"kind": "fixed", "price": 0.3}
            self._ledger.assume("tariff.import", 0.3, code="no_tariff")
        solar = tariffs.find("solar")
        if solar is not None:
            for array in solar.each():
                self._read_array(array)

    def _read_rule(self, tariff: PeerValue, place: str) -> dict[str, Any] | None:
        kind = tariff.find("template")
        if kind is None or not kind.text:
            kind = tariff.find("type")
        if kind is None:
            self._ledger.refuse(tariff, "tariff_unknown")
            return None
        if kind.text == "fixed":
            return self._read_fixed(tariff, place)
        market = self._find_market(tariff, kind.text)
        if market is None:
            self._ledger.refuse(kind, "tariff_unknown")
            return None
        for name in ("type", "template", "region", "domain", "bzn", "productcode", "tariff"):
            value = tariff.find(name)
            if value is not None and value.text and not self._ledger.is_accounted(value):
                self._ledger.change(value, f"{place}.market", market, code="market")
        country = find_country_of_market(market)
        if self._draft.country is None and country is not None:
            self._draft.country = country
        charges, vat = self._read_charges(tariff, place)
        zones = tariff.find("chargesZones")
        times = [] if zones is None else self._read_zones(zones, "charge", charges, place)
        if times:
            spot = {"kind": "spot", "name": "spot", "market": market, "vat": vat}
            fee = make_calendar("charges", charges, times, vat=vat)
            return {"kind": "components", "components": [spot, fee]}
        return {"kind": "spot", "market": market, "markup": charges, "vat": vat}

    def _read_charges(self, tariff: PeerValue, place: str) -> tuple[float, float]:
        charges = tariff.find("charges")
        tax = tariff.find("tax")
        markup = None if charges is None else self._ledger.take_number(charges, f"{place}.markup")
        vat = None
        if tax is not None:
            vat = self._ledger.take_number(tax, f"{place}.vat", least=0, most=1)
        return markup or 0.0, vat or 0.0

    def _find_market(self, tariff: PeerValue, kind: str) -> str | None:
        region = tariff.find("region", "zone", "bzn")
        text = "" if region is None else region.text
        if kind in _MARKETS:
            return _MARKETS[kind].get(text.casefold())
        if kind == "entsoe":
            domain = tariff.find("domain")
            return None if domain is None else _MARKETS_BY_EIC.get(domain.text)
        if kind.startswith("octopus"):
            product = tariff.find("productcode", "tariff")
            is_agile = product is not None and product.text.upper().startswith("AGILE")
            letter = text.upper().lstrip("_")
            return f"GB-AGILE-{letter}" if is_agile and _OCTOPUS_REGION.fullmatch(letter) else None
        if kind in _BY_ZONE:
            zone = text.upper()
            is_known = any(zone in country.markets for country in COUNTRIES.values())
            return zone if is_known else None
        return None

    def _read_fixed(self, tariff: PeerValue, place: str) -> dict[str, Any] | None:
        kind = tariff.find("type")
        if kind is not None:
            self._ledger.take(kind, f"{place}.kind")
        price = tariff.find("price")
        default = None
        if price is not None:
            default = self._ledger.take_number(price, f"{place}.price", least=-100, most=10_000)
        if default is None:
            return None
        charges = tariff.find("charges")
        tax = tariff.find("tax")
        added = 0.0
        factor = 1.0
        if charges is not None:
            added = self._ledger.read_number(charges) or 0.0
        if tax is not None:
            factor = 1.0 + (self._ledger.read_number(tax, least=0, most=1) or 0.0)
        all_in = round((default + added) * factor, 6)
        for value in (charges, tax):
            if value is not None and not self._ledger.is_accounted(value):
                self._ledger.change(value, f"{place}.price", all_in, code="all_in")
        zones = tariff.find("zones")
        times = [] if zones is None else self._read_zones(zones, "price", default, place)
        priced = []
        for one in times:
            priced.append(one._replace(price=round((one.price + added) * factor, 6)))
        return make_clock_price(all_in, priced)

    def _read_zones(
        self, zones: PeerValue, name: str, default: float, place: str
    ) -> list[PricedTimes]:
        """Read the times with prices of their own; a zone of which a part is unknown is listed."""
        times: list[PricedTimes] = []
        for zone in zones.each():
            found = self._read_zone(zone, name, default)
            if found is None:
                self._ledger.refuse(zone, "price_zone")
                continue
            times += found
            for value in zone.members.values():
                self._ledger.take(value, place)
        return times

    def _read_zone(self, zone: PeerValue, name: str, default: float) -> list[PricedTimes] | None:
        known = {"days", "hours", "months", name}
        if not set(zone.members) <= known:
            return None
        price = zone.find(name)
        days_text = zone.find("days")
        hours_text = zone.find("hours")
        months_text = zone.find("months")
        days: tuple[str, ...] | None = ALL_DAYS
        if days_text is not None:
            days = parse_days(days_text.text)
        months: tuple[int, ...] | None = ()
        if months_text is not None:
            months = parse_months(months_text.text)
        windows: list[tuple[str, str]] | None = [("00:00", "24:00")]
        if hours_text is not None:
            windows = parse_hours(hours_text.text)
        try:
            amount = default if price is None else float(price.text)
        except ValueError:
            return None
        if days is None or months is None or windows is None:
            return None
        return [PricedTimes(start, end, days, months, amount) for start, end in windows]

    def _read_array(self, array: PeerValue) -> None:
        peak = array.find("kwp")
        if peak is None:
            self._ledger.refuse(array, "solar_unknown")
            return
        peak_kw = self._ledger.read_number(peak, least=0.01, most=10_000)
        if peak_kw is None:
            return
        name = self._draft.add_device("pv", "roof", {"peak_kw": peak_kw})
        kept = self._draft.document["pv"][-1]
        place = f"pv.{name}"
        self._ledger.take(peak, f"{place}.peak_kw", peak_kw)
        tilt = array.find("dec")
        if tilt is not None:
            tilt_deg = self._ledger.take_number(tilt, f"{place}.tilt_deg", least=0, most=90)
            if tilt_deg is not None:
                kept["tilt_deg"] = tilt_deg
        azimuth = array.find("az")
        if azimuth is not None:
            from_south = self._ledger.read_number(azimuth, least=-180, most=180)
            if from_south is not None:
                kept["azimuth_deg"] = (180.0 + from_south) % 360.0
                self._ledger.change(
                    azimuth, f"{place}.azimuth_deg", kept["azimuth_deg"], code="azimuth"
                )
        self._read_location(array)
        for part in ("type", "template", "interval"):
            value = array.find(part)
            if value is not None:
                self._ledger.differ(value, "forecasts_itself")

    def _read_location(self, array: PeerValue) -> None:
        latitude = array.find("lat")
        longitude = array.find("lon")
        if latitude is not None and longitude is not None:
            north = self._ledger.take_number(latitude, "location.latitude", least=-90, most=90)
            east = self._ledger.take_number(longitude, "location.longitude", least=-180, most=180)
            if north is not None and east is not None:
                self._draft.locate(latitude, north, east)


def _find_point(points: Sequence[PeerValue], vehicle: str) -> PeerValue | None:
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
            point = _find_point(point_items, key)
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
                current_a = self._ledger.take_number(
                    value, f"{place}.{part}", least=1, most=_MOST_A
                )
                charger[part] = charger[part] if current_a is None else current_a
        for part in ("title", "vehicleName"):
            value = point.find(part)
            if value is not None:
                self._ledger.change(value, f"vehicles.{name}", name, code="joined")
        most_kw = max(charger["phases"]) * charger["max_current_a"] * _VOLT / 1000
        vehicle = self._draft.document["vehicles"][-1]
        vehicle |= {"charger": charger, "charge_limit_kw": round(most_kw, 2)}
