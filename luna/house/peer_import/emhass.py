"""Read EMHASS's configuration: config.json, config_emhass.yaml, or the add-on's options."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from luna.drivers.profile import DeviceProfile
from luna.energy.errors import InvalidInputError
from luna.energy.timeline import parse_zone
from luna.house.peer_import.draft import USUAL_C_RATE, SiteDraft
from luna.house.peer_import.peer_file import PeerValue
from luna.house.peer_import.prices import ALL_DAYS, PricedTimes, make_clock_price, parse_clock

# Names of before release 0.12 → present ones.
_RENAMED: Mapping[str, str] = {
    "freq": "optimization_time_step",
    "days_to_retrieve": "historic_days_to_retrieve",
    "var_PV": "sensor_power_photovoltaics",
    "var_load": "sensor_power_load_no_var_loads",
    "var_replace_zero": "sensor_replace_zero",
    "var_interp": "sensor_linear_interp",
    "delta_forecast": "delta_forecast_daily",
    "num_def_loads": "number_of_deferrable_loads",
    "P_deferrable_nom": "nominal_power_of_deferrable_loads",
    "def_total_hours": "operating_hours_of_each_deferrable_load",
    "def_start_timestep": "start_timesteps_of_each_deferrable_load",
    "def_end_timestep": "end_timesteps_of_each_deferrable_load",
    "treat_def_as_semi_cont": "treat_deferrable_load_as_semi_cont",
    "set_def_constant": "set_deferrable_load_single_constant",
    "def_start_penalty": "set_deferrable_startup_penalty",
    "list_hp_periods": "load_peak_hour_periods",
    "load_cost_hp": "load_peak_hours_cost",
    "load_cost_hc": "load_offpeak_hours_cost",
    "prod_price_forecast_method": "production_price_forecast_method",
    "prod_sell_price": "photovoltaic_production_sell_price",
    "P_grid_max": "maximum_power_from_grid",
    "P_from_grid_max": "maximum_power_from_grid",
    "P_to_grid_max": "maximum_power_to_grid",
    "module_model": "pv_module_model",
    "inverter_model": "pv_inverter_model",
    "Pd_max": "battery_discharge_power_max",
    "Pc_max": "battery_charge_power_max",
    "eta_disch": "battery_discharge_efficiency",
    "eta_ch": "battery_charge_efficiency",
    "Enom": "battery_nominal_energy_capacity",
    "SOCmin": "battery_minimum_state_of_charge",
    "SOCmax": "battery_maximum_state_of_charge",
    "SOCtarget": "battery_target_state_of_charge",
    "lat": "Latitude",
    "lon": "Longitude",
    "alt": "Altitude",
}
KNOWN = (
    "retrieve_hass_conf",
    "optim_conf",
    "plant_conf",
    "costfun",
    "set_use_battery",
    "number_of_deferrable_loads",
    "battery_nominal_energy_capacity",
    "sensor_power_photovoltaics",
    "optimization_time_step",
)
_SECTIONS = ("retrieve_hass_conf", "optim_conf", "plant_conf", "params_secrets", "passed_data")
# Present names that Luna does otherwise → code of the sentence.
_DIFFERENCES: Mapping[str, str] = {
    "logging_level": "runs_itself",
    "hass_url": "home_assistant",
    "continual_publish": "runs_itself",
    "optimization_time_step": "cycle",
    "method_ts_round": "cycle",
    "delta_forecast_daily": "cycle",
    "historic_days_to_retrieve": "forecasts_itself",
    "weather_forecast_method": "forecasts_itself",
    "load_forecast_method": "forecasts_itself",
    "sensor_replace_zero": "gaps",
    "sensor_linear_interp": "gaps",
    "var_interp": "gaps",
    "set_zero_min": "gaps",
    "lp_solver": "solver",
    "lp_solver_path": "solver",
    "lp_solver_timeout": "solver",
    "num_threads": "solver",
    "battery_target_state_of_charge": "target_soc",
    "set_battery_dynamic": "ramps",
    "battery_dynamic_max": "ramps",
    "battery_dynamic_min": "ramps",
    "weight_battery_discharge": "wear_weight",
    "weight_battery_charge": "wear_weight",
    "set_total_pv_sell": "sells_all",
    "compute_curtailment": "curtails",
    "Altitude": "altitude",
    "set_use_pv": "counted",
    "set_use_battery": "counted",
    "number_of_deferrable_loads": "counted",
}
_LOADS = (
    "nominal_power_of_deferrable_loads",
    "operating_hours_of_each_deferrable_load",
    "treat_deferrable_load_as_semi_cont",
    "set_deferrable_load_single_constant",
    "set_deferrable_startup_penalty",
    "start_timesteps_of_each_deferrable_load",
    "end_timesteps_of_each_deferrable_load",
)
_TRUE = ("true", "yes", "on", "1")
# Watts of a module within its model's name: three digits that stand alone or behind letters.
_MODULE_W = re.compile(r"(?<!\d)([2-7]\d{2})(?!\d)")
_KW_PER_W = 0.001


def read_emhass(root: PeerValue, draft: SiteDraft, _: Sequence[DeviceProfile]) -> None:
    """Read a configuration of EMHASS into a draft."""
    reader = _EmhassReader(root, draft)
    reader.read()


class _EmhassReader:
    """Reads the values by their present names, in whatever section and form they stand."""

    def __init__(self, root: PeerValue, draft: SiteDraft) -> None:
        self._draft = draft
        self._ledger = draft.ledger
        self._values: dict[str, PeerValue] = {}
        self._items: dict[str, tuple[PeerValue, ...]] = {}
        for name, value in _list_values(root):
            self._values.setdefault(_RENAMED.get(name, name), value)
        for name, value in [*self._values.items()]:
            if name.startswith("list_"):
                self._unfold(name.removeprefix("list_"), value)

    def _unfold(self, name: str, value: PeerValue) -> None:
        """Read the first form of the add-on's options: a list of objects with one value each."""
        items = []
        for item in value.items:
            inner = item.find(name)
            items.append(item if inner is None else inner)
        self._values.setdefault(name, value)
        self._items[name] = tuple(items)

    def _all(self, name: str) -> tuple[PeerValue, ...]:
        if name in self._items:
            return self._items[name]
        value = self._values.get(name)
        return () if value is None else value.each()

    def _is_on(self, name: str) -> bool:
        value = self._values.get(name)
        return value is not None and value.text.casefold() in _TRUE

    def read(self) -> None:
        """Read all that says something of a site."""
        self._read_place()
        self._read_battery()
        self._read_roofs()
        self._read_loads()
        self._read_grid()
        self._read_tariff()
        self._read_sensors()
        self._read_objective()
        for name, code in _DIFFERENCES.items():
            value = self._values.get(name)
            if value is not None and not self._ledger.is_accounted(value):
                self._ledger.differ(value, code)

    def _number(self, name: str, place: str, **bounds: Any) -> float | None:
        value = self._values.get(name)
        return None if value is None else self._ledger.take_number(value, place, **bounds)

    def _read_place(self) -> None:
        zone = self._values.get("time_zone")
        if zone is not None and zone.text:
            if _is_zone(zone.text):
                self._draft.document["timezone"] = zone.text
                self._ledger.take(zone, "timezone")
            else:
                self._ledger.refuse(zone, "no_zone")
        latitude = self._values.get("Latitude")
        north = self._number("Latitude", "location.latitude", least=-90, most=90)
        east = self._number("Longitude", "location.longitude", least=-180, most=180)
        if latitude is not None and north is not None and east is not None:
            self._draft.locate(latitude, north, east)
        else:
            self._ledger.withdraw("location", "other_coordinate")

    def _read_battery(self) -> None:
        name = "battery_nominal_energy_capacity"
        capacity = self._values.get(name)
        battery_names = [known for known in self._values if known.startswith("battery_")]
        if capacity is None or not self._is_on("set_use_battery"):
            for known in battery_names:
                self._ledger.differ(self._values[known], "battery_unused")
            return
        place = "batteries.battery"
        capacity_kwh = self._number(
            name, f"{place}.capacity_kwh", factor=_KW_PER_W, code="watt_hours", least=1
        )
        if capacity_kwh is None:
            for known in battery_names:
                if not self._ledger.is_accounted(self._values[known]):
                    self._ledger.refuse(self._values[known], "without_battery")
            return
        document: dict[str, Any] = {"capacity_kwh": capacity_kwh}
        self._read_battery_bounds(document, place)
        self._read_battery_directions(document, place)
        self._draft.add_device("batteries", "battery", document)

    def _read_battery_bounds(self, document: dict[str, Any], place: str) -> None:
        for key, part in (
            ("battery_charge_power_max", "charge_limit_kw"),
            ("battery_discharge_power_max", "discharge_limit_kw"),
        ):
            power_kw = self._number(key, f"{place}.{part}", factor=_KW_PER_W, code="watts", least=1)
            if power_kw is None:
                power_kw = round(USUAL_C_RATE * document["capacity_kwh"], 2)
                self._ledger.assume(f"{place}.{part}", power_kw, code="battery_power")
            document[part] = power_kw
        for key, part in (
            ("battery_charge_efficiency", "charge_efficiency"),
            ("battery_discharge_efficiency", "discharge_efficiency"),
            ("battery_minimum_state_of_charge", "min_soc"),
            ("battery_maximum_state_of_charge", "max_soc"),
        ):
            share = self._number(key, f"{place}.{part}", least=0, most=1)
            if share is not None:
                document[part] = share

    def _read_battery_directions(self, document: dict[str, Any], place: str) -> None:
        for key, part in (
            ("set_nocharge_from_grid", "charge_from_grid"),
            ("set_nodischarge_to_grid", "discharge_to_grid"),
        ):
            value = self._values.get(key)
            if value is not None:
                document[part] = not self._is_on(key)
                self._ledger.change(value, f"{place}.{part}", document[part], code="opposite")

    def _read_roofs(self) -> None:
        roofs = []
        for place, model in enumerate(self._all("pv_module_model")):
            name = self._read_roof(place, model)
            if name is not None:
                roofs.append(name)
        for key in ("surface_tilt", "surface_azimuth", "modules_per_string"):
            for value in self._all(key):
                if not self._ledger.is_accounted(value):
                    self._ledger.refuse(value, "roof_without_module")
        for value in self._all("strings_per_inverter"):
            if not self._ledger.is_accounted(value):
                self._ledger.refuse(value, "roof_without_module")
        self._read_inverter(roofs)

    def _read_roof(self, place: int, model: PeerValue) -> str | None:
        watts = _read_module_watts(model.text)
        modules = self._at("modules_per_string", place)
        strings = self._at("strings_per_inverter", place)
        if watts is None or modules is None:
            self._ledger.refuse(model, "module_unknown")
            return None
        count = self._ledger.read_number(modules, least=1, most=10_000)
        rows = 1.0
        if strings is not None:
            rows = self._ledger.read_number(strings, least=1, most=1_000) or 1.0
        if count is None:
            return None
        peak_kw = round(watts * count * rows * _KW_PER_W, 3)
        name = self._draft.add_device("pv", "roof", {"peak_kw": peak_kw})
        device = self._draft.document["pv"][-1]
        field = f"pv.{name}.peak_kw"
        for value in (model, modules, strings):
            if value is not None:
                self._ledger.change(value, field, peak_kw, code="modules", watts=watts)
        tilt = self._at("surface_tilt", place)
        if tilt is not None:
            tilt_deg = self._ledger.take_number(tilt, f"pv.{name}.tilt_deg", least=0, most=90)
            if tilt_deg is not None:
                device["tilt_deg"] = tilt_deg
        azimuth = self._at("surface_azimuth", place)
        if azimuth is not None:
            degrees = self._ledger.take_number(azimuth, f"pv.{name}.azimuth_deg", least=0, most=360)
            if degrees is not None:
                device["azimuth_deg"] = degrees % 360.0
        return name

    def _at(self, name: str, place: int) -> PeerValue | None:
        values = self._all(name)
        return values[place] if place < len(values) else None

    def _read_inverter(self, roofs: Sequence[str]) -> None:
        hybrid = self._values.get("inverter_is_hybrid")
        limit = self._values.get("inverter_ac_output_max")
        if limit is not None and roofs:
            limit_kw = self._ledger.take_number(
                limit, "inverters.inverter.ac_limit_kw", factor=_KW_PER_W, code="watts", least=1
            )
            if limit_kw is not None:
                inverter: dict[str, Any] = {"ac_limit_kw": limit_kw, "pv": list(roofs)}
                batteries = self._draft.document.get("batteries", [])
                if self._is_on("inverter_is_hybrid") and batteries:
                    inverter["batteries"] = [batteries[0]["name"]]
                self._draft.add_device("inverters", "inverter", inverter)
                if hybrid is not None:
                    self._ledger.take(hybrid, "inverters.inverter.batteries")
        for value in self._all("pv_inverter_model"):
            self._ledger.refuse(value, "inverter_model")
        if hybrid is not None and not self._ledger.is_accounted(hybrid):
            code = "hybrid_without_limit" if self._is_on("inverter_is_hybrid") else "counted"
            self._ledger.differ(hybrid, code)

    def _read_loads(self) -> None:
        powers = self._all("nominal_power_of_deferrable_loads")
        count = self._values.get("number_of_deferrable_loads")
        wanted = len(powers)
        if count is not None:
            number = self._ledger.read_number(count, least=0, most=32)
            wanted = wanted if number is None else min(wanted, int(number))
        for place, power in enumerate(powers):
            if place < wanted:
                self._read_load(place, power)
            else:
                for name in _LOADS:
                    value = self._at(name, place)
                    if value is not None:
                        self._ledger.differ(value, "load_unused")

    def _read_load(self, place: int, power: PeerValue) -> None:
        if power.items:
            self._read_programme(power)
            for name in _LOADS[1:]:
                value = self._at(name, place)
                if value is not None:
                    self._ledger.differ(value, "programme_detail")
            return
        power_w = self._ledger.read_number(power, least=1, most=1_000_000)
        if power_w is None:
            return
        name = self._draft.add_device("loads", "load", {"power_kw": round(power_w * _KW_PER_W, 6)})
        device = self._draft.document["loads"][-1]
        field = f"loads.{name}"
        self._ledger.change(power, f"{field}.power_kw", device["power_kw"], code="watts")
        hours = self._at("operating_hours_of_each_deferrable_load", place)
        if hours is not None:
            count = self._ledger.read_number(hours, least=0, most=24)
            if count is not None:
                device["energy_kwh_per_day"] = round(count * device["power_kw"], 3)
                self._ledger.change(
                    hours,
                    f"{field}.energy_kwh_per_day",
                    device["energy_kwh_per_day"],
                    code="hours_to_energy",
                )
                self._read_constancy(place, count, device, field)
        self._read_switching(place, device, field)
        for key in _LOADS[5:]:
            value = self._at(key, place)
            if value is not None and value.text in ("", "0"):
                self._ledger.change(value, f"{field}.allowed", "", code="any_time")
            elif value is not None:
                self._ledger.refuse(value, "relative_window")

    def _read_constancy(self, place: int, hours: float, device: dict[str, Any], field: str) -> None:
        constant = self._at("set_deferrable_load_single_constant", place)
        if constant is None:
            return
        if constant.text.casefold() in _TRUE and hours:
            device["min_on_minutes"] = int(60 * hours)
            self._ledger.change(
                constant, f"{field}.min_on_minutes", device["min_on_minutes"], code="one_run"
            )
        else:
            self._ledger.take(constant, f"{field}.min_on_minutes", 0)

    def _read_switching(self, place: int, device: dict[str, Any], field: str) -> None:
        whole = self._at("treat_deferrable_load_as_semi_cont", place)
        if whole is not None:
            if whole.text.casefold() in _TRUE:
                self._ledger.take(whole, f"{field}.power_kw", device["power_kw"])
            else:
                self._ledger.differ(whole, "on_or_off")
        penalty = self._at("set_deferrable_startup_penalty", place)
        if penalty is not None and penalty.text in ("0", "0.0"):
            self._ledger.take(penalty, f"{field}.start_price", 0.0)
        elif penalty is not None:
            self._ledger.refuse(penalty, "start_penalty")

    def _read_programme(self, power: PeerValue) -> None:
        steps = []
        for step in power.items:
            step_w = self._ledger.read_number(step, least=1, most=1_000_000)
            if step_w is None:
                return
            steps.append(round(step_w * _KW_PER_W, 6))
        minutes = self._values.get("optimization_time_step")
        step_minutes = 30
        if minutes is not None and minutes.text in ("1", "5", "10", "15", "30", "60"):
            step_minutes = int(minutes.text)
        document = {"power_kw": max(steps), "profile_kw": steps, "profile_minutes": step_minutes}
        name = self._draft.add_device("loads", "programme", document)
        for step, step_kw in zip(power.items, steps, strict=True):
            self._ledger.change(step, f"loads.{name}.profile_kw", step_kw, code="watts")

    def _read_grid(self) -> None:
        for key, part, least in (
            ("maximum_power_from_grid", "import_limit_kw", 1),
            ("maximum_power_to_grid", "export_limit_kw", 0),
        ):
            limit_kw = self._number(
                key, f"grid.{part}", factor=_KW_PER_W, code="watts", least=least, most=10_000_000
            )
            if limit_kw is not None:
                self._draft.part("grid")[part] = limit_kw

    def _read_tariff(self) -> None:
        method = self._values.get("load_cost_forecast_method")
        peak = self._values.get("load_peak_hours_cost")
        if method is not None and method.text != "hp_hc_periods":
            self._ledger.refuse(method, "prices_by_file")
        elif method is not None:
            self._ledger.take(method, "tariff.import.kind", "time_of_use")
        if peak is not None:
            self._read_hours(peak)
        sold = self._values.get("production_price_forecast_method")
        if sold is not None and sold.text != "constant":
            self._ledger.refuse(sold, "prices_by_file")
        elif sold is not None:
            self._ledger.take(sold, "tariff.export.kind", "fixed")
        price = self._number(
            "photovoltaic_production_sell_price", "tariff.export.price", least=-100, most=10_000
        )
        if price is not None and "tariff" in self._draft.document:
            self._draft.document["tariff"]["export"] = {"kind": "fixed", "price": price}
        elif price is not None:
            tariff = {"import": {"kind": "fixed", "price": 0.3}}
            self._ledger.assume("tariff.import", 0.3, code="no_tariff")
            self._draft.document["tariff"] = tariff | {"export": {"kind": "fixed", "price": price}}

    def _read_hours(self, peak: PeerValue) -> None:
        peak_price = self._ledger.take_number(peak, "tariff.import.bands", least=-100, most=10_000)
        cheap = self._number("load_offpeak_hours_cost", "tariff.import.default", least=-100)
        if peak_price is None:
            return
        times = []
        for start, end in self._read_periods():
            times.append(PricedTimes(start, end, ALL_DAYS, (), peak_price))
        default = peak_price if cheap is None else cheap
        self._draft.part("tariff")["import"] = make_clock_price(default, times)

    def _read_periods(self) -> Iterator[tuple[str, str]]:
        for value in self._all("load_peak_hour_periods"):
            for period in value.members.values():
                start, end = _find_ends(period)
                yield from self._read_period(period.each(), start, end)
        starts = self._all("peak_hours_periods_start_hours")
        ends = self._all("peak_hours_periods_end_hours")
        for start, end in zip(starts, ends, strict=False):
            yield from self._read_period((start, end), start, end)

    def _read_period(
        self, parts: Sequence[PeerValue], start: PeerValue | None, end: PeerValue | None
    ) -> Iterator[tuple[str, str]]:
        first = None if start is None else parse_clock(start.text)
        last = None if end is None else parse_clock(end.text, end=True)
        for part in parts:
            if first is None or last is None:
                self._ledger.refuse(part, "price_zone")
            else:
                self._ledger.take(part, "tariff.import.bands", f"{first}-{last}")
        if first is not None and last is not None:
            yield first, last

    def _read_sensors(self) -> None:
        roof = self._values.get("sensor_power_photovoltaics")
        if roof is not None and roof.text:
            self._draft.add_sensor("total_pv_production", roof.text)
            self._ledger.take(roof, "input_sensors.total_pv_production")
        house = self._values.get("sensor_power_load_no_var_loads")
        negative = self._values.get("load_negative")
        is_negative = self._is_on("load_negative")
        if house is not None and house.text:
            sensor = f"-{house.text}" if is_negative else house.text
            role = "total_load_consumption"
            self._draft.add_sensor(role, sensor)
            code = "sensor_negative" if is_negative else "sensor_without_loads"
            self._ledger.change(house, f"input_sensors.{role}", sensor, code=code)
            if negative is not None:
                self._ledger.take(negative, f"input_sensors.{role}", sensor)

    def _read_objective(self) -> None:
        aim = self._values.get("costfun")
        if aim is None:
            return
        if aim.text == "profit":
            self._ledger.take(aim, "objective", "cost")
        else:
            self._ledger.differ(aim, "aim")


def _list_values(root: PeerValue) -> Iterator[tuple[str, PeerValue]]:
    """Yield the values by name, those of sections before those at the top."""
    for name in _SECTIONS:
        section = root.find(name)
        if section is None:
            continue
        yield from section.members.items()
        # Old files list their keys one by one.
        for item in section.items:
            yield from item.members.items()
    for name, value in root.members.items():
        if name not in _SECTIONS:
            yield name, value


def _find_ends(period: PeerValue) -> tuple[PeerValue | None, PeerValue | None]:
    start = period.find("start")
    end = period.find("end")
    for item in period.items:
        start = item.find("start") or start
        end = item.find("end") or end
    return start, end


def _read_module_watts(model: str) -> float | None:
    """Return a module's power: a number as it is, else three digits of its name."""
    try:
        watts = float(model)
    except ValueError:
        found = _MODULE_W.findall(model)
        return float(found[-1]) if len(set(found)) == 1 else None
    return watts if 50 <= watts <= 1_000 else None


def _is_zone(name: str) -> bool:
    try:
        parse_zone(name)
    except InvalidInputError:
        return False
    return True
