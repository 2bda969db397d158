"""What a site consists of: validated, with units in the names and bounds on every number.

Required fields are few; everything else has a documented default. Unknown fields are refused by name.
"""

from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from luna.control import Control
from luna.errors import InvalidInputError
from luna.timeline import parse_zone

Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.-]*$")]
Fraction = Annotated[float, Field(ge=0, le=1)]
Efficiency = Annotated[float, Field(gt=0, le=1, description="share of the energy that arrives; a percentage such as 95 is refused")]
PowerKw = Annotated[float, Field(ge=0, le=10_000)]
EnergyKwh = Annotated[float, Field(gt=0, le=100_000)]
Price = Annotated[float, Field(ge=-100, le=100, description="currency per kWh")]


# No battery charges a hundred times its capacity in an hour: a power beyond that was given in watts.
MOST_C_RATE = 100.0


class _Part(BaseModel):
    """A part of a site: frozen, and strict about names."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True)


class Location(_Part):
    """Where the site is, for sun and weather."""

    latitude: Annotated[float, Field(ge=-90, le=90, description="degrees north")]
    longitude: Annotated[float, Field(ge=-180, le=180, description="degrees east")]


class GridConnection(_Part):
    """What the connection carries; without a value the plan is not limited by it."""

    import_limit_kw: Annotated[float, Field(gt=0, le=10_000)] = 10_000.0
    export_limit_kw: PowerKw = 10_000.0


class Battery(_Part):
    """A stationary battery. Charge and discharge are measured at its terminals (AC)."""

    name: Name = "battery"
    capacity_kwh: EnergyKwh
    min_soc: Fraction = 0.0
    max_soc: Fraction = 1.0
    charge_limit_kw: PowerKw
    discharge_limit_kw: PowerKw
    charge_efficiency: Efficiency = 0.95
    discharge_efficiency: Efficiency = 0.95
    wear_price: Annotated[float, Field(ge=0, le=10, description="currency per kWh charged and per kWh discharged")] = 0.0
    min_charge_kw: PowerKw = 0.0
    charge_from_grid: bool = True
    discharge_to_grid: bool = True
    taper_from_soc: Annotated[Fraction, Field(description="from here to full, charging power falls linearly")] = 1.0
    taper_to_share: Annotated[Fraction, Field(description="share of the charging power that is left when full")] = 1.0

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_soc >= self.max_soc:
            raise ValueError(f"min_soc {self.min_soc} must lie below max_soc {self.max_soc}")
        _require_chargeable(self.min_charge_kw, self.charge_limit_kw)
        for name in ("charge_limit_kw", "discharge_limit_kw"):
            if getattr(self, name) > MOST_C_RATE * self.capacity_kwh:
                raise ValueError(f"{name} {getattr(self, name):g} would move all {self.capacity_kwh:g} kWh within seconds; give kW, not W")
        return self


class PvArray(_Part):
    """A PV array; ``azimuth_deg`` counts clockwise from north, 180 is south."""

    name: Name = "roof"
    peak_kw: Annotated[float, Field(gt=0, le=10_000)]
    tilt_deg: Annotated[float, Field(ge=0, le=90)] = 30.0
    azimuth_deg: Annotated[float, Field(ge=0, lt=360)] = 180.0
    curtailable: bool = True


class ElectricVehicle(_Part):
    """A vehicle with its charger; sessions (from, to, target) are state, not configuration."""

    name: Name = "car"
    capacity_kwh: EnergyKwh
    min_charge_kw: PowerKw = 1.4
    charge_limit_kw: PowerKw = 11.0
    charge_efficiency: Efficiency = 0.9
    discharge_limit_kw: PowerKw = 0.0

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _require_chargeable(self.min_charge_kw, self.charge_limit_kw)
        return self


def _require_chargeable(min_charge_kw: float, charge_limit_kw: float) -> None:
    if min_charge_kw > charge_limit_kw:
        raise ValueError(f"min_charge_kw {min_charge_kw} must not exceed charge_limit_kw {charge_limit_kw}, or it never charges")


class DeferrableLoad(_Part):
    """A load that may wait: a water heater or another appliance with a daily energy."""

    name: Name
    kind: Literal["water_heater", "deferrable"] = "deferrable"
    power_kw: Annotated[float, Field(gt=0, le=1_000)]
    energy_kwh_per_day: Annotated[float, Field(ge=0, le=10_000)]
    max_gap_hours: Annotated[float, Field(gt=0, le=168)] = 24.0
    min_on_minutes: Annotated[int, Field(ge=0, le=1440)] = 0

    @model_validator(mode="after")
    def _fits_into_a_day(self) -> Self:
        if self.energy_kwh_per_day > 24 * self.power_kw:
            raise ValueError(f"energy_kwh_per_day {self.energy_kwh_per_day} exceeds what power_kw gives in a day, {24 * self.power_kw}")
        return self


class FixedPrice(_Part):
    """One price for every slot."""

    kind: Literal["fixed"] = "fixed"
    price: Price


class PriceBand(_Part):
    """A price that holds between two local clock times; ``to`` at or before ``from`` runs over midnight."""

    from_: Annotated[str, Field(alias="from", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
    to: Annotated[str, Field(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")]
    price: Price
    days: Literal["all", "weekday", "weekend"] = "all"


class TimeOfUsePrice(_Part):
    """Prices by local clock; the first band that fits decides, ``default`` holds elsewhere."""

    kind: Literal["time_of_use"]
    default: Price
    bands: Annotated[list[PriceBand], Field(min_length=1, max_length=96)]


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


class SpotPrice(_Part):
    """The day-ahead price of a market: (spot + markup) × (1 + vat), currency per kWh."""

    kind: Literal["spot"]
    market: Annotated[str, Field(min_length=1, max_length=32)]
    markup: Price = 0.0
    vat: Annotated[float, Field(ge=0, le=1, description="share, 0.19 for 19 %")] = 0.0


PriceRule = Annotated[FixedPrice | TimeOfUsePrice | SpotPrice, Field(discriminator="kind")]


class PeakPrice(_Part):
    """A capacity tariff: the mean of the ``highest`` import intervals of a month is billed per kW."""

    price_per_kw_month: Annotated[float, Field(ge=0, le=1_000)]
    highest: Annotated[int, Field(ge=1, le=10)] = 1
    interval_minutes: Literal[15, 30, 60] = 15


class Tariff(_Part):
    """What a kWh costs and earns."""

    import_: Annotated[PriceRule, Field(alias="import")]
    export: PriceRule = FixedPrice(price=0.0)
    peak: PeakPrice | None = None

    @property
    def markets(self) -> list[str]:
        """The markets whose prices the tariff needs."""
        return sorted({rule.market for rule in (self.import_, self.export) if isinstance(rule, SpotPrice)})


Sensors = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=255)], ...], Field(max_length=16), BeforeValidator(_listed)]


class InputSensors(_Part):
    """Which sensors hold what: names of the home automation's, or of a file's. Several of one role add up; one with a leading minus is taken off."""

    total_load_consumption: Sensors = ()
    total_pv_production: Sensors = ()
    total_grid_import: Sensors = ()
    total_grid_export: Sensors = ()
    total_battery_charge: Sensors = ()
    total_battery_discharge: Sensors = ()
    battery_soc: Sensors = ()
    water_heater_consumption: Sensors = ()
    heat_pump_consumption: Sensors = ()
    vehicle_consumption: Sensors = ()
    vehicle_soc: Sensors = ()
    vehicle_connected: Sensors = ()
    vacation_mode: Sensors = ()


# A test compares them with what the forecaster offers.
ForecastVersion = Literal["aurora_v1.0", "baseline_7_day_avg", "baseline_7_day_median", "seasonal_naive", "baseline_clear_sky"]


class Forecasting(_Part):
    """Which forecasts drive the planner."""

    active_forecast_version: Annotated[
        ForecastVersion | None, Field(description="pinned by the owner; empty: the baseline, until a better version is promoted")
    ] = None


class Site(_Part):
    """Everything about a site that does not change from slot to slot."""

    name: Name
    timezone: str
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217")] = "EUR"
    country: Annotated[str | None, Field(pattern=r"^[A-Z]{2}$", description="ISO 3166, for public holidays; empty: the time zone's")] = None
    region: Annotated[str | None, Field(pattern=r"^[A-Z0-9]{1,3}$", description="part of the country with holidays of its own, ISO 3166-2")] = None
    location: Location | None = None
    grid: GridConnection = GridConnection()
    batteries: Annotated[list[Battery], Field(max_length=16)] = []
    pv: Annotated[list[PvArray], Field(max_length=32)] = []
    vehicles: Annotated[list[ElectricVehicle], Field(max_length=16)] = []
    loads: Annotated[list[DeferrableLoad], Field(max_length=32)] = []
    tariff: Tariff = Tariff.model_validate({"import": {"kind": "fixed", "price": 0.3}})
    input_sensors: InputSensors = InputSensors()
    forecasting: Forecasting = Forecasting()
    control: Control | None = None

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            return parse_zone(name).key
        except InvalidInputError as exc:
            raise PydanticCustomError("time_zone", "no such time zone") from exc

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for kind in ("batteries", "pv", "vehicles", "loads"):
            counts = Counter(part.name for part in getattr(self, kind))
            doubled = [name for name, count in counts.items() if count > 1]
            if doubled:
                raise ValueError(f"{kind}: the name {doubled[0]!r} stands twice")
        told = [each.battery for each in self.control.batteries] if self.control else []
        strangers = set(told) - {battery.name for battery in self.batteries}
        if strangers or len(set(told)) < len(told):
            raise ValueError(f"control: every battery is named once, as under batteries; wrong is {min(strangers or told)!r}")
        return self

    @property
    def curtailable(self) -> bool:
        """Whether PV output may be held back: every array must allow it."""
        return bool(self.pv) and all(array.curtailable for array in self.pv)


def parse_site(document: object, *, field: str = "site") -> Site:
    """Return the site that ``document`` (parsed JSON or YAML) describes.

    Raises:
        InvalidInputError: names the first wrong field, its value and the remedy.
    """
    try:
        return Site.model_validate(document)
    except ValidationError as exc:
        raise invalid_input(exc, field=field) from exc


def load_site(path: Path) -> Site:
    """Return the site a YAML file describes.

    Raises:
        InvalidInputError: the file is missing, no YAML, or describes no valid site.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise InvalidInputError(f"cannot be read: {exc.strerror}", field=str(path), remedy="Name a readable file.") from exc
    except UnicodeDecodeError as exc:
        raise InvalidInputError("is no UTF-8 text", field=str(path), remedy="Save it as UTF-8.") from exc
    except yaml.YAMLError as exc:
        raise InvalidInputError(f"is no YAML: {exc}", field=str(path), remedy="Correct it at that line; config/site.yaml is an example.") from exc
    return parse_site(document, field=str(path))


def invalid_input(error: ValidationError, *, field: str) -> InvalidInputError:
    """Translate a validation error into Luna's: every wrong field named, the first one with its value."""
    faults = error.errors(include_url=False)
    first = faults[0]
    others = [_path(field, fault) for fault in faults[1:4]]
    more = f"; also wrong: {', '.join(others)}" if others else ""
    value = first["input"] if isinstance(first["input"], str | int | float | bool) else None
    message = first["msg"].removeprefix("Value error, ")
    return InvalidInputError(f"{message}{more}", field=_path(field, first) or None, value=value, remedy=_REMEDIES.get(first["type"], "Correct it."))


def _path(root: str, fault: Any) -> str:
    # Pydantic puts the kind of a tariff into the path; the caller never wrote it there.
    place = [str(part) for part in fault["loc"]]
    parts = [part for before, part in zip(["", *place], place, strict=False) if not (before in {"import", "export"} and part in _TARIFF_KINDS)]
    return ".".join([root, *parts] if root else parts)


_TARIFF_KINDS = ("fixed", "time_of_use", "spot")
_INSTANT = "Write an instant with its offset, such as 2024-02-01T00:00:00+01:00, or with Z for UTC."
_NUMBER = "Give a number, with a point before the decimals."
_REMEDIES = {
    "extra_forbidden": "Remove it or correct its name; the fields are listed in config/site.yaml.",
    "missing": "Add it.",
    "less_than_equal": "Check the unit: efficiencies and SoC are fractions between 0 and 1, power is in kW, energy in kWh, prices are per kWh.",
    "less_than": "Check the unit.",
    "greater_than_equal": "Check sign and unit.",
    "greater_than": "Check sign and unit.",
    "string_type": 'Put it in quotes, as in "22:00": YAML reads it as a number otherwise.',
    "string_pattern_mismatch": "Write it in this form; config/site.yaml shows an example.",
    "string_too_long": "Shorten it.",
    "time_zone": 'Use an IANA name such as "Europe/Berlin".',
    "timezone_aware": _INSTANT,
    "datetime_type": _INSTANT,
    "datetime_parsing": _INSTANT,
    "datetime_from_date_parsing": _INSTANT,
    "date_from_datetime_parsing": "Write a day such as 2024-02-01.",
    "finite_number": "Give a finite number.",
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "int_type": _NUMBER,
    "int_parsing": _NUMBER,
    "bool_type": "Write true or false.",
    "bool_parsing": "Write true or false.",
    "literal_error": "Choose one of these.",
    "list_type": "Give a list: [ … ].",
    "too_short": "Give at least as many values.",
    "too_long": "Give fewer values.",
    "dict_type": "Give named values: { … }.",
    "model_type": "Give named fields: { … }; config/site.yaml shows those of a site.",
    "union_tag_invalid": "Choose one of these kinds.",
    "union_tag_not_found": "Add its kind.",
    "json_invalid": "Correct the JSON at this place.",
}
