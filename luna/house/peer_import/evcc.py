"""Read evcc's evcc.yaml, its database, or the state that its API shows as JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

from luna.drivers.profile import DeviceProfile
from luna.energy.devices.commands import Via
from luna.house.peer_import.draft import (
    USUAL_C_RATE,
    SiteDraft,
    make_via,
)
from luna.house.peer_import.evcc_database import is_database, read_database
from luna.house.peer_import.evcc_state import (
    MOST_A,
    STATE_DIFFERENCES,
    VOLT,
    find_point,
    read_state,
)
from luna.house.peer_import.evcc_tariffs import read_tariffs
from luna.house.peer_import.peer_file import PeerValue, parse_peer_file
from luna.house.peer_import.products import find_product, find_profile

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
    "settings.*": "runs_itself",
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


def parse_evcc(data: bytes, others: Mapping[str, str]) -> PeerValue:
    """Parse a file of evcc: text, or its database.

    Raises:
        InvalidInputError: as ``parse_peer_file`` and ``read_database`` do.
    """
    return read_database(data) if is_database(data) else parse_peer_file(data, others)


def read_evcc(root: PeerValue, draft: SiteDraft, profiles: Sequence[DeviceProfile]) -> None:
    """Read a file of evcc into a draft."""
    state = root.find("result") or root
    if state.find("siteTitle") is not None or root.find("result") is not None:
        read_state(state, draft)
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
        tariffs = self._root.find("tariffs")
        if tariffs is not None:
            read_tariffs(tariffs, self._draft)
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
        devices = {}
        for device in self._list(section):
            name = device.find("name")
            if name is not None:
                self._ledger.differ(name, "reference")
                devices[name.text] = device
        return devices

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
            if value is None:
                continue
            are_measured = []
            for reference in value.each():
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
        """List the addresses of devices without a profile."""
        for device in self._list(section):
            for name in _ADDRESS_PARTS:
                value = device.find(name)
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
        called = self._draft.add_device("batteries", name, {"capacity_kwh": capacity_kwh})
        battery = self._draft.document["batteries"][-1]
        place = f"batteries.{called}"
        self._ledger.take(capacity, f"{place}.capacity_kwh", capacity_kwh)
        for key, part in (("minsoc", "min_soc"), ("maxsoc", "max_soc")):
            value = meter.find(key)
            if value is not None:
                share = self._ledger.take_number(
                    value, f"{place}.{part}", factor=0.01, code="percent", least=0, most=100
                )
                if share is not None:
                    battery[part] = share
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
            battery[part] = power_kw
        return called

    def _read_circuits(self) -> None:
        circuits = self._named("circuits")
        parents = set()
        for circuit in circuits.values():
            parent = circuit.find("parent")
            if parent is not None:
                parents.add(parent.text)
        for name, circuit in circuits.items():
            is_root = circuit.find("parent") is None
            has_others = name in parents or len(circuits) == 1
            if is_root and has_others and name not in self._circuits_of_chargers():
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
            point = find_point(points, name)
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
        called = self._draft.add_device("vehicles", called, {"capacity_kwh": capacity_kwh})
        document = self._draft.document["vehicles"][-1]
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
        document["charger"] = charger
        charger_name = point.find("charger")
        if charger_name is not None:
            self._cars_by_charger.setdefault(charger_name.text, called)
        most_kw = max(charger["phases"]) * charger["max_current_a"] * VOLT / 1000
        document["charge_limit_kw"] = round(most_kw, 2)
        self._list_currents(vehicle)

    def _list_currents(self, vehicle: PeerValue) -> None:
        on_identify = vehicle.find("onIdentify")
        if on_identify is None:
            return
        for key in ("minCurrent", "maxCurrent"):
            value = on_identify.find(key)
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
                value, f"{place}.charger.{part}", least=1, most=MOST_A
            )
            if current_a is not None:
                charger[part] = current_a
        circuit = point.find("circuit")
        circuits = self._draft.document.get("grid", {}).get("circuits", [])
        circuit_names = [present["name"] for present in circuits]
        if circuit is not None and circuit.text in circuit_names:
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
        address = via.model_dump(mode="json", exclude_none=True)
        self._charger_vias.append({"vehicle": vehicle, "via": address})
        for document in self._draft.document["vehicles"]:
            if document["name"] != vehicle:
                continue
            phases = document["charger"]["phases"]
            if len(phases) > 1 and not profile.switches_phases:
                document["charger"]["phases"] = [max(phases)]
                field = f"vehicles.{vehicle}.charger.phases"
                self._ledger.assume(field, max(phases), code="phases_fixed")
