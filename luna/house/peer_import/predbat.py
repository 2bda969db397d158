"""Read Predbat's apps.yaml."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from luna.drivers.profile import DeviceProfile
from luna.energy.errors import InvalidInputError
from luna.energy.site.countries import COUNTRIES
from luna.energy.timeline import parse_zone
from luna.energy.zone_country import find_country
from luna.house.peer_import.draft import USUAL_C_RATE, SiteDraft
from luna.house.peer_import.peer_file import PeerValue
from luna.house.peer_import.prices import ALL_DAYS, PricedTimes, make_clock_price, parse_clock

KNOWN = ("pred_bat",)
# Names of the app that Luna does otherwise, with ``*`` for any end → code of the sentence.
_DIFFERENCES: Mapping[str, str] = {
    "module": "runs_itself",
    "class": "runs_itself",
    "prefix": "runs_itself",
    "template": "runs_itself",
    "threads": "runs_itself",
    "run_every": "cycle",
    "forecast_hours": "cycle",
    "notify_devices": "messages",
    "days_previous": "forecasts_itself",
    "days_previous_weight": "forecasts_itself",
    "load_forecast": "forecasts_itself",
    "pv_forecast_*": "forecasts_itself",
    "solcast_host": "forecasts_itself",
    "load_power": "energy_instead",
    "grid_power": "energy_instead",
    "pv_power": "energy_instead",
    "battery_power": "energy_instead",
    "soc_kw": "soc_percent_instead",
    "num_inverters": "counted",
    "num_cars": "counted",
    "geserial*": "serial_in_names",
    "car_charging_now": "departure",
    "car_charging_planned_response": "departure",
    "car_charging_limit": "departure",
    "watch_list": "cycle",
    "car_charging_planned": "departure",
}
# Entities and numbers through which Predbat commands the inverter.
_CONTROL = (
    "charge_rate",
    "discharge_rate",
    "reserve",
    "charge_limit",
    "inverter_mode",
    "inverter_time",
    "charge_start_time",
    "charge_end_time",
    "charge_start_hour",
    "charge_end_hour",
    "discharge_start_time",
    "discharge_end_time",
    "scheduled_charge_enable",
    "scheduled_discharge_enable",
    "discharge_target_soc",
    "pause_mode",
    "pause_start_time",
    "pause_end_time",
    "idle_start_time",
    "idle_end_time",
)
_SENSORS: Mapping[str, str] = {
    "load_today": "total_load_consumption",
    "import_today": "total_grid_import",
    "export_today": "total_grid_export",
    "pv_today": "total_pv_production",
    "soc_percent": "battery_soc",
    "car_charging_energy": "vehicle_consumption",
    "car_charging_soc": "vehicle_soc",
}
_ENTITY = re.compile(r"-?[a-z_]+\.[a-z0-9_]+")
_SUBSTITUTE = re.compile(r"\{(\w+)\}")
_AGILE = re.compile(r"/(AGILE-(?:OUTGOING-)?)[^/]*/electricity-tariffs/[^/]*-([A-P])/")
_CURRENCIES = {"£": "GBP", "€": "EUR"}
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_KW_PER_W = 0.001
_PER_HUNDRED = 0.01


def read_predbat(root: PeerValue, draft: SiteDraft, _: Sequence[DeviceProfile]) -> None:
    """Read an apps.yaml of Predbat into a draft."""
    app = root.find("pred_bat")
    if app is not None:
        _PredbatReader(app, draft).read()


class _PredbatReader:
    """Reads the values of the app; most are lists with one value for each inverter."""

    def __init__(self, app: PeerValue, draft: SiteDraft) -> None:
        self._app = app
        self._draft = draft
        self._ledger = draft.ledger

    def read(self) -> None:
        """Read all that says something of a site."""
        self._read_clock()
        self._read_batteries()
        self._read_roofs()
        self._read_inverters()
        self._read_cars()
        self._read_tariff()
        self._read_sensors()
        self._read_control()
        self._read_differences()

    def _all(self, name: str) -> tuple[PeerValue, ...]:
        value = self._app.find(name)
        return () if value is None else value.each()

    def _read_clock(self) -> None:
        zone = self._app.find("timezone")
        if zone is not None and zone.text:
            try:
                self._draft.document["timezone"] = parse_zone(zone.text).key
                self._ledger.take(zone, "timezone")
            except InvalidInputError:
                self._ledger.refuse(zone, "no_zone")
        symbols = self._app.find("currency_symbols")
        if symbols is None:
            return
        sign = symbols.each()[0].text
        zone_name = self._draft.document.get("timezone", "")
        country = COUNTRIES.get(find_country(zone_name) or "") if zone_name else None
        currency = _CURRENCIES.get(sign)
        if currency is None and country is not None:
            currency = country.currency
        if currency is None:
            self._ledger.refuse(symbols, "currency_unknown")
            return
        self._draft.document["currency"] = currency
        self._ledger.change(symbols, "currency", currency, code="currency_sign")

    def _read_batteries(self) -> None:
        scalings = self._all("battery_scaling")
        powers = self._all("battery_rate_max")
        for place, capacity in enumerate(self._all("soc_max")):
            if self._is_entity(capacity):
                self._ledger.refuse(capacity, "entity_instead_of_number")
                continue
            capacity_kwh = self._ledger.read_number(capacity, least=0.1, most=100_000)
            if capacity_kwh is None:
                continue
            scaling = 1.0
            if place < len(scalings):
                scaling = self._ledger.read_number(scalings[place], least=0.1, most=2) or 1.0
            usable_kwh = round(capacity_kwh * scaling, 3)
            name = self._draft.add_device("batteries", "battery", {"capacity_kwh": usable_kwh})
            device = self._draft.document["batteries"][-1]
            field = f"batteries.{name}"
            if scaling == 1.0:
                self._ledger.take(capacity, f"{field}.capacity_kwh", usable_kwh)
                if place < len(scalings):
                    self._ledger.take(scalings[place], f"{field}.capacity_kwh", usable_kwh)
            else:
                self._ledger.change(capacity, f"{field}.capacity_kwh", usable_kwh, code="scaled")
                self._ledger.change(
                    scalings[place], f"{field}.capacity_kwh", usable_kwh, code="scaled"
                )
            self._read_power(powers, place, device, field)
        for value in (*powers, *scalings):
            if not self._ledger.is_accounted(value):
                self._ledger.refuse(value, "without_battery")

    def _read_power(
        self, powers: Sequence[PeerValue], place: int, device: dict[str, Any], field: str
    ) -> None:
        power_kw = None
        if place < len(powers) and self._is_entity(powers[place]):
            self._ledger.refuse(powers[place], "entity_instead_of_number")
        elif place < len(powers):
            power_kw = self._ledger.take_number(
                powers[place], f"{field}.charge_limit_kw", factor=_KW_PER_W, code="watts", least=1
            )
        if power_kw is None:
            power_kw = round(USUAL_C_RATE * device["capacity_kwh"], 2)
            self._ledger.assume(f"{field}.charge_limit_kw", power_kw, code="battery_power")
        device |= {"charge_limit_kw": power_kw, "discharge_limit_kw": power_kw}

    def _read_roofs(self) -> None:
        for roof in self._all("forecast_solar"):
            peak = roof.find("kwp")
            if peak is None:
                self._ledger.refuse(roof, "solar_unknown")
                continue
            peak_kw = self._ledger.read_number(peak, least=0.01, most=10_000)
            if peak_kw is None:
                continue
            name = self._draft.add_device("pv", "roof", {"peak_kw": peak_kw})
            device = self._draft.document["pv"][-1]
            self._ledger.take(peak, f"pv.{name}.peak_kw", peak_kw)
            tilt = roof.find("declination")
            if tilt is not None:
                tilt_deg = self._ledger.take_number(tilt, f"pv.{name}.tilt_deg", least=0, most=90)
                if tilt_deg is not None:
                    device["tilt_deg"] = tilt_deg
            self._read_azimuth(roof, device, name)
            self._read_location(roof)
            efficiency = roof.find("efficiency")
            if efficiency is not None:
                self._ledger.differ(efficiency, "forecasts_itself")

    def _read_azimuth(self, roof: PeerValue, device: dict[str, Any], name: str) -> None:
        azimuth = roof.find("azimuth")
        from_south = roof.find("azimuth_zero_south")
        degrees = None
        if azimuth is not None:
            degrees = self._ledger.read_number(azimuth, least=-180, most=180)
        if azimuth is None or degrees is None:
            return
        # Source: Predbat, solcast.py: 0 is north, -90 east and 90 west, or 0 south with the same
        # sides where ``azimuth_zero_south`` is set.
        is_from_south = from_south is not None and from_south.text.casefold() == "true"
        compass = 180.0 + degrees if is_from_south else -degrees
        device["azimuth_deg"] = compass % 360.0
        place = f"pv.{name}.azimuth_deg"
        for value in (azimuth, from_south):
            if value is not None:
                self._ledger.change(value, place, device["azimuth_deg"], code="azimuth")

    def _read_location(self, roof: PeerValue) -> None:
        latitude = roof.find("latitude")
        longitude = roof.find("longitude")
        if latitude is None or longitude is None:
            return
        north = self._ledger.take_number(latitude, "location.latitude", least=-90, most=90)
        east = self._ledger.take_number(longitude, "location.longitude", least=-180, most=180)
        if north is not None and east is not None:
            self._draft.locate(latitude, north, east)

    def _read_inverters(self) -> None:
        for kind in self._all("inverter_type"):
            self._ledger.refuse(kind, "inverter_by_entities")
        batteries = [battery["name"] for battery in self._draft.document.get("batteries", [])]
        roofs = [roof["name"] for roof in self._draft.document.get("pv", [])]
        limits = self._all("inverter_limit")
        for place, limit in enumerate(limits):
            if self._is_entity(limit):
                self._ledger.refuse(limit, "entity_instead_of_number")
                continue
            limit_w = self._ledger.read_number(limit, least=1, most=10_000_000)
            if limit_w is None:
                continue
            if place >= len(batteries):
                self._ledger.refuse(limit, "without_battery")
                continue
            inverter = {
                "ac_limit_kw": round(limit_w * _KW_PER_W, 6),
                "batteries": [batteries[place]],
            }
            if len(limits) == 1 and roofs:
                inverter["pv"] = roofs
            name = self._draft.add_device("inverters", "inverter", inverter)
            self._ledger.change(
                limit, f"inverters.{name}.ac_limit_kw", inverter["ac_limit_kw"], code="watts"
            )
        self._read_export_limit()

    def _read_export_limit(self) -> None:
        total_kw = 0.0
        values = []
        for limit in self._all("export_limit"):
            if self._is_entity(limit):
                self._ledger.refuse(limit, "entity_instead_of_number")
                continue
            limit_w = self._ledger.read_number(limit, least=0, most=10_000_000)
            if limit_w is not None:
                total_kw = round(total_kw + limit_w * _KW_PER_W, 6)
                values.append(limit)
        for limit in values:
            self._ledger.change(limit, "grid.export_limit_kw", total_kw, code="watts")
        if values:
            self._draft.part("grid")["export_limit_kw"] = total_kw

    def _read_cars(self) -> None:
        wanted = self._app.find("num_cars")
        most = 16
        if wanted is not None:
            number = self._ledger.read_number(wanted, least=0, most=16)
            most = most if number is None else int(number)
        rates = self._all("car_charging_rate")
        for place, capacity in enumerate(self._all("car_charging_battery_size")):
            if place >= most:
                self._ledger.differ(capacity, "load_unused")
                continue
            if self._is_entity(capacity):
                self._ledger.refuse(capacity, "entity_instead_of_number")
                continue
            capacity_kwh = self._ledger.read_number(capacity, least=1, most=1_000)
            if capacity_kwh is None:
                continue
            name = self._draft.add_device("vehicles", "car", {"capacity_kwh": capacity_kwh})
            device = self._draft.document["vehicles"][-1]
            self._ledger.take(capacity, f"vehicles.{name}.capacity_kwh", capacity_kwh)
            place_of_power = f"vehicles.{name}.charge_limit_kw"
            power_kw = None
            if place < len(rates) and self._is_entity(rates[place]):
                self._ledger.refuse(rates[place], "entity_instead_of_number")
            elif place < len(rates):
                power_kw = self._ledger.take_number(
                    rates[place], place_of_power, least=1, most=1_000
                )
            if power_kw is None:
                self._ledger.assume(place_of_power, 11.0, code="car_power")
            else:
                device["charge_limit_kw"] = power_kw

    def _read_tariff(self) -> None:
        self._read_rates("rates_import", "import")
        self._read_rates("rates_export", "export")
        self._read_octopus("rates_import_octopus_url", "import")
        self._read_octopus("rates_export_octopus_url", "export")
        tariff = self._draft.document.get("tariff")
        if tariff is not None and "import" not in tariff:
            tariff["import"] = {"kind": "fixed", "price": 0.3}
            self._ledger.assume("tariff.import", 0.3, code="no_tariff")
        standing = self._app.find("metric_standing_charge")
        if standing is not None and not self._is_entity(standing):
            self._read_standing_charge(standing)
        for name in self._app.members:
            value = self._app.members[name]
            if name.startswith("metric_") and not self._ledger.is_accounted(value):
                self._ledger.refuse(value, "price_entity")
        for name in ("rates_import_override", "rates_export_override"):
            override = self._app.find(name)
            if override is not None:
                self._ledger.refuse(override, "price_override")

    def _read_standing_charge(self, standing: PeerValue) -> None:
        price = self._ledger.read_number(standing, least=0, most=100_000)
        if price is None:
            return
        per_day = round(price * _PER_HUNDRED, 6)
        tariff = self._draft.part("tariff")
        if "import" not in tariff:
            tariff["import"] = {"kind": "fixed", "price": 0.3}
            self._ledger.assume("tariff.import", 0.3, code="no_tariff")
        tariff["base"] = [{"name": "standing charge", "price": per_day, "per": "day"}]
        self._ledger.change(standing, "tariff.base", per_day, code="hundredths")

    def _read_rates(self, name: str, side: str) -> None:
        """Read a list of rates; later ones take precedence."""
        default: float | None = None
        times: list[PricedTimes] = []
        place = f"tariff.{side}"
        has_rates = False
        for rate in self._all(name):
            priced = self._read_rate(rate)
            if priced is None:
                self._ledger.refuse(rate, "price_zone")
                continue
            has_rates = True
            for key, value in rate.members.items():
                if key == "rate":
                    self._ledger.change(value, place, priced.price, code="hundredths")
                else:
                    self._ledger.take(value, place)
            is_base = (priced.start, priced.end, priced.days) == ("00:00", "24:00", ALL_DAYS)
            if not is_base:
                times.insert(0, priced)
                continue
            # A second base rate hides all earlier rates.
            if default is not None:
                times = []
            default = priced.price
        if not has_rates:
            return
        if default is None:
            default = 0.0
            self._ledger.assume(f"{place}.default", 0.0, code="no_base_rate")
        self._draft.part("tariff")[side] = make_clock_price(default, times)

    def _read_rate(self, rate: PeerValue) -> PricedTimes | None:
        if not set(rate.members) <= {"start", "end", "rate", "day_of_week"}:
            return None
        price = rate.find("rate")
        start_text = rate.find("start")
        end_text = rate.find("end")
        days_text = rate.find("day_of_week")
        start: str | None = "00:00"
        end: str | None = "24:00"
        if start_text is not None:
            start = parse_clock(start_text.text)
        if end_text is not None:
            end = parse_clock(end_text.text, end=True)
        days: tuple[str, ...] | None = ALL_DAYS
        if days_text is not None:
            days = _read_day_numbers(days_text)
        try:
            amount = float(price.text) if price is not None else None
        except ValueError:
            return None
        if amount is None or start is None or end is None or days is None:
            return None
        return PricedTimes(start, end, days, (), round(amount * _PER_HUNDRED, 6))

    def _read_octopus(self, name: str, side: str) -> None:
        for address in self._all(name):
            match = _AGILE.search(address.text)
            if match is None:
                self._ledger.refuse(address, "price_entity")
                continue
            market = f"GB-{match[1]}{match[2]}"
            self._draft.part("tariff")[side] = {"kind": "spot", "market": market}
            self._ledger.change(address, f"tariff.{side}.market", market, code="market")

    def _read_sensors(self) -> None:
        for name, role in _SENSORS.items():
            value = self._app.find(name)
            if value is None:
                continue
            inverted = self._app.find(f"{name}_invert")
            is_inverted = inverted is not None and inverted.text.casefold() == "true"
            entities = [self._resolve(item) for item in value.each()]
            for item, entity in zip(value.each(), entities, strict=True):
                if entity is None:
                    is_pattern = item.text.startswith("re:") or "{" in item.text
                    self._ledger.refuse(item, "pattern" if is_pattern else "no_entity")
                    continue
                if None in entities:
                    # The sum of some of a role's sensors would be too low.
                    self._ledger.refuse(item, "role_incomplete")
                    continue
                sensor = f"-{entity}" if is_inverted else entity
                self._draft.add_sensor(role, sensor)
                if sensor == item.text:
                    self._ledger.take(item, f"input_sensors.{role}")
                else:
                    code = "sensor" if is_inverted else "sensor_name"
                    self._ledger.change(item, f"input_sensors.{role}", sensor, code=code)
            if inverted is not None and None not in entities:
                self._ledger.take(inverted, f"input_sensors.{role}")

    def _resolve(self, value: PeerValue) -> str | None:
        """Return the entity of a text; None for a pattern that may fit several."""
        text = value.text
        for name in _SUBSTITUTE.findall(text):
            substitute = self._app.find(name)
            if substitute is None or substitute.text.startswith("re:"):
                return None
            text = text.replace(f"{{{name}}}", substitute.text)
        if text.startswith("re:"):
            text = text.removeprefix("re:").removeprefix("(").removesuffix(")")
        return text if _ENTITY.fullmatch(text) else None

    def _is_entity(self, value: PeerValue) -> bool:
        return "." in value.text and not value.text.replace(".", "").replace("-", "").isdigit()

    def _read_control(self) -> None:
        for name in _CONTROL:
            value = self._app.find(name)
            if value is not None and not self._ledger.is_accounted(value):
                self._ledger.refuse(value, "control_entity")

    def _read_differences(self) -> None:
        keyed = {f"{self._app.key}.{name}": code for name, code in _DIFFERENCES.items()}
        self._ledger.list_differences(self._app, keyed)


def _read_day_numbers(value: PeerValue) -> tuple[str, ...] | None:
    """Return the weekdays of numbers such as ``1,2,3``, in which Monday is 1."""
    texts = [item.text for item in value.each()]
    days = []
    for text in ",".join(texts).split(","):
        number = text.strip()
        if number not in ("1", "2", "3", "4", "5", "6", "7"):
            return None
        days.append(int(number) - 1)
    return tuple(_WEEKDAYS[day] for day in sorted(set(days)))
