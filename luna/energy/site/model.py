"""The site model, with the checks across its sections.

Sections are location, household, devices, tariff, sensors, strategy and control.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import GenericAlias
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from luna.energy.devices import COMMANDS, DEVICE_KINDS
from luna.energy.devices.appliance import DeferrableLoad
from luna.energy.devices.battery import Battery
from luna.energy.devices.grid import GridConnection
from luna.energy.devices.inverter import Inverter
from luna.energy.devices.kind import HouseholdPart
from luna.energy.devices.pv import PvArray, face_equator
from luna.energy.devices.vehicle import ElectricVehicle
from luna.energy.errors import InvalidInputError
from luna.energy.part import (
    DisplayName,
    Fraction,
    Name,
    Part,
    SiteName,
    list_amounts,
    require_in_currency,
    with_sections,
)
from luna.energy.refusals import invalid_part
from luna.energy.sensor_roles import DatedSensor
from luna.energy.site.control import Control
from luna.energy.site.household import Household, YearlyLoad
from luna.energy.site.main_fuses import MainFuse, assume_connection, usual_fuse
from luna.energy.site.sensors import (
    SENSOR_ROLES,
    InputSensors,
    SiteSensor,
    require_in_order,
    resolve_sensors,
)
from luna.energy.site.tariff import Objective, Tariff
from luna.energy.timeline import parse_zone
from luna.energy.zone_country import is_southern_zone

# Sections whose devices have names.
_NAMED = tuple(kind.section for kind in DEVICE_KINDS if kind.named)


class VacationRule(Part):
    """While nobody is at home: a reserve, and loads that rest; vehicles keep their targets."""

    reserve_soc: Fraction = 0.2
    loads_off: Annotated[list[Name], Field(max_length=32)] = []


class OutageRule(Part):
    """While a warning of a storm or an outage holds, batteries keep a reserve.

    They fill for it beforehand when that is cheapest.
    """

    reserve_soc: Fraction = 0.5


class PriceExtremesRule(Part):
    """A rule by which plans heed dearer scenarios more on days of extreme prices.

    Such a day's prices are beyond a quantile of the last thirty days' in level or spread.
    """

    quantile: Annotated[float, Field(ge=0.5, lt=1)] = 0.95
    risk: Fraction = 0.3


class SafetyIndex(Part):
    """The predecessor's S-index: a factor on the house's need.

    It raises what the house may need beyond what is expected, kept in the batteries over midnight.

    Source: Darkstar Energy Manager, calculate_dynamic_s_index and its defaults.
    """

    base_factor: Annotated[float, Field(ge=1, le=3)] = 1.05
    most_factor: Annotated[float, Field(ge=1, le=3)] = 1.5
    pv_deficit_weight: Annotated[float, Field(ge=0, le=2)] = 0.3
    temperature_weight: Annotated[float, Field(ge=0, le=2)] = 0.2
    warm_c: Annotated[
        float, Field(gt=-50, le=50, description="from here on warmth asks for no margin")
    ] = 20.0
    cold_c: Annotated[
        float, Field(ge=-50, lt=50, description="from here down cold asks for all of it")
    ] = -15.0


class Strategy(Part):
    """Rules in force."""

    vacation: VacationRule | None = None
    outage: OutageRule | None = None
    price_extremes: PriceExtremesRule | None = None
    s_index: SafetyIndex | None = None


class Location(Part):
    """Location of the site, for sun and weather."""

    latitude: Annotated[float, Field(ge=-90, le=90, description="degrees north")]
    longitude: Annotated[float, Field(ge=-180, le=180, description="degrees east")]

    @property
    def is_southern(self) -> bool:
        """Whether it lies south of the equator, where summer begins in December."""
        return self.latitude < 0.0


# A test compares them with the forecaster's versions.
ForecastVersion = Literal[
    "aurora_v1.0",
    "baseline_like_days",
    "baseline_7_day_avg",
    "baseline_7_day_median",
    "seasonal_naive",
    "baseline_clear_sky",
    "solcast",
    "forecast_solar",
    "blended_pv",
]


class Forecasting(Part):
    """Forecasts that drive the planner."""

    active_forecast_version: Annotated[
        ForecastVersion | None,
        Field(
            description=(
                "pinned by the owner; empty: the baseline, until a better version is promoted"
            )
        ),
    ] = None


class Agent(Part):
    """Kind of the learning agent, and its permissions once the evidence is there."""

    shadow_policy_type: Annotated[
        Literal["lightgbm", "rl", "imitation", "network", "clone"],
        Field(
            description=(
                "which trained policy plans beside the planner; lightgbm: the planner's value "
                "of stored energy with what was learned"
            )
        ),
    ] = "lightgbm"
    control_mode: Annotated[
        Literal["shadow", "export_only", "full_control"],
        Field(
            description=(
                "what it may decide once it has proven itself: nothing, when the battery "
                "sells, or all that the battery does"
            )
        ),
    ] = "shadow"


@with_sections(
    {
        kind.section: (GenericAlias(list, (kind.device,)), Field(default=[], max_length=kind.most))
        for kind in DEVICE_KINDS
        if kind.most
    }
)
class SiteDevices(Part):
    """Location and devices of a site."""

    name: Annotated[
        SiteName, Field(description="its id: in addresses, topics and the names of files")
    ]
    display_name: Annotated[
        DisplayName | None,
        Field(description="what its owner calls it, in any script; empty: its name"),
    ] = None
    timezone: str
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217")] = "EUR"
    country: Annotated[
        str | None,
        Field(
            pattern=r"^[A-Z]{2}$",
            description="ISO 3166, for public holidays; empty: the time zone's",
        ),
    ] = None
    region: Annotated[
        str | None,
        Field(
            pattern=r"^[A-Z0-9]{1,3}$",
            description="part of the country with holidays of its own, ISO 3166-2",
        ),
    ] = None
    location: Location | None = None
    household: Household = Household()
    grid: GridConnection = GridConnection()
    batteries: Annotated[list[Battery], Field(max_length=16)] = []
    pv: Annotated[list[PvArray], Field(max_length=32)] = []
    inverters: Annotated[list[Inverter], Field(max_length=16)] = []
    vehicles: Annotated[list[ElectricVehicle], Field(max_length=16)] = []
    loads: Annotated[list[DeferrableLoad], Field(max_length=32)] = []


class Site(SiteDevices):
    """Everything about a site that does not change from slot to slot."""

    tariff: Tariff = Tariff.model_validate({"import": {"kind": "fixed", "price": 0.3}})
    objective: Objective = Objective()
    input_sensors: InputSensors = InputSensors()
    forecasting: Forecasting = Forecasting()
    strategy: Strategy | None = None
    antares: Agent = Agent()
    control: Control | None = None

    @model_validator(mode="before")
    @classmethod
    def _connected(cls, document: Any) -> Any:
        grid = document.get("grid", {}) if isinstance(document, Mapping) else None
        if not isinstance(grid, Mapping):
            return document
        return {**document, "grid": assume_connection(grid, document.get("country"))}

    @model_validator(mode="before")
    @classmethod
    def _turned_to_the_sun(cls, document: Any) -> Any:
        if not isinstance(document, Mapping):
            return document
        arrays = document.get("pv")
        if not isinstance(arrays, list):
            return document
        location = document.get("location")
        latitude = location.get("latitude") if isinstance(location, Mapping) else None
        if isinstance(latitude, int | float):
            is_southern = latitude < 0.0
        else:
            is_southern = is_southern_zone(str(document.get("timezone")))
        return {**document, "pv": face_equator(arrays, is_southern=is_southern)}

    @field_validator("timezone")
    @classmethod
    def _valid_zone(cls, name: str) -> str:
        try:
            return parse_zone(name).key
        except InvalidInputError as exc:
            raise invalid_part("no-such-time-zone") from exc

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for section in _NAMED:
            self._require_distinct_names(section)
        if self.control is not None:
            for section in COMMANDS:
                entries = self.control.section(section)
                names = [entry.device for entry in entries if entry.device is not None]
                self._require_devices(section, names)
        for kind in DEVICE_KINDS:
            if kind.check is not None and getattr(self, kind.section):
                kind.check(self)
        self._require_circuits()
        if self.grid.export_limit_share is not None and not self.pv:
            raise invalid_part("export-share-without-pv")
        require_in_currency(list_amounts(self), self.currency)
        if self.strategy and self.strategy.vacation:
            unknown = set(self.strategy.vacation.loads_off) - {load.name for load in self.loads}
            if unknown:
                raise invalid_part("vacation-no-such-load", device=min(unknown))
        return self

    def _require_circuits(self) -> None:
        """Check that each charger's circuit is one of the grid connection's.

        Raises:
            ValueError: names the circuit.
        """
        circuits = {circuit.name for circuit in self.grid.circuits}
        for vehicle in self.vehicles:
            circuit = None if vehicle.charger is None else vehicle.charger.circuit
            if circuit is not None and circuit not in circuits:
                raise invalid_part("no-such-circuit", circuit=circuit)

    @model_validator(mode="after")
    def _knows_when_sensors_hold(self) -> Self:
        for role in SENSOR_ROLES:
            entries = getattr(self.input_sensors, role)
            if not entries:
                continue
            try:
                require_in_order(self.list_sensors(entries))
            except InvalidInputError as exc:
                context = {
                    "said": f"{exc.message}: {exc.value}",
                    "remedy": exc.remedy,
                    "place": ("input_sensors", role),
                }
                raise PydanticCustomError(
                    "sensor_time",
                    "{said}",
                    context | {"reason": exc.reason, "parameters": exc.parameters},
                ) from exc
            except PydanticCustomError as exc:
                raise PydanticCustomError(
                    "sensor_time",
                    "{said}",
                    {**(exc.context or {}), "place": ("input_sensors", role)},
                ) from exc
        return self

    def _require_distinct_names(self, section: str) -> None:
        names = [device.name for device in getattr(self, section)]
        counts = Counter(map(str.casefold, names))
        for name in names:
            if counts[name.casefold()] > 1:
                raise invalid_part("name-twice", kind=section, name=name)

    def _require_devices(self, section: str, names: Sequence[str]) -> None:
        device_names: set[str] = set()
        for kind in DEVICE_KINDS:
            if kind.commands is COMMANDS[section]:
                device_names.update(device.name for device in kind.of(self))
        unknown = set(names) - device_names
        if unknown or len(set(names)) < len(names):
            raise invalid_part("control-names", kind=section, name=min(unknown or names))

    @property
    def called(self) -> str:
        """The display name, else the name."""
        return self.display_name or self.name

    @property
    def yearly_load(self) -> YearlyLoad:
        """The household's yearly electricity.

        Heating and car are part of it where these are no devices of the site.
        """
        return self.household.split_year(
            heats=not self.has_own("heating"), charges=not self.has_own("driving")
        )

    def has_own(self, part: HouseholdPart) -> bool:
        """Return whether the site has devices for this part of a household's yearly load."""
        kinds = [kind for kind in DEVICE_KINDS if kind.consumption.household_part == part]
        return any(kind.of(self) for kind in kinds)

    def list_sensors(self, entries: Sequence[str | DatedSensor]) -> tuple[SiteSensor, ...]:
        """Return the sensors of a role of ``input_sensors``, with their periods of validity."""
        return resolve_sensors(entries, parse_zone(self.timezone))

    def present_sensors(
        self, entries: Sequence[str | DatedSensor], at: datetime
    ) -> list[SiteSensor]:
        """Return the sensors of a role of ``input_sensors`` that are valid at an instant."""
        return [sensor for sensor in self.list_sensors(entries) if sensor.holds_at(at)]

    @property
    def sensor_roles(self) -> dict[str, tuple[SiteSensor, ...]]:
        """The sensors of each role that has any."""
        sensors_by_role = {}
        for role in SENSOR_ROLES:
            entries = getattr(self.input_sensors, role)
            if entries:
                sensors_by_role[role] = self.list_sensors(entries)
        return sensors_by_role

    @property
    def sensor_names(self) -> dict[str, str]:
        """The last role of every sensor by its name, ended sensors included."""
        last_roles = {}
        for role, sensors in self.sensor_roles.items():
            for sensor in sensors:
                last_roles[sensor.name] = role
        return last_roles

    @property
    def assumed_fuse(self) -> MainFuse | None:
        """The country's usual main fuse where the import limit is taken from it.

        None where limit or fuse are stated, or nothing is assumed.
        """
        usual = usual_fuse(self.country)
        is_assumed = (
            usual is not None
            and self.grid.main_fuse_a is None
            and self.grid.import_limit_kw == usual.kw
        )
        return usual if is_assumed else None

    @property
    def is_southern(self) -> bool:
        """Whether the site lies south of the equator; without a location its time zone says it."""
        if self.location is None:
            return is_southern_zone(self.timezone)
        return self.location.is_southern

    @property
    def peak_kw(self) -> float:
        """Peak power of all PV arrays, kW."""
        return sum(array.peak_kw for array in self.pv)

    @property
    def curtailable(self) -> bool:
        """Whether PV may be curtailed: every array must allow it."""
        return bool(self.pv) and all(array.curtailable for array in self.pv)

    @property
    def feed_in_limit_kw(self) -> float:
        """Feed-in limit, kW: the connection's, or a share of the PV's peak power if lower."""
        grid = self.grid
        if grid.export_limit_share is None:
            return grid.export_limit_kw
        return min(grid.export_limit_kw, grid.export_limit_share * self.peak_kw)
