"""A site's devices: connection, batteries, PV arrays, vehicles and inverters."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from luna.energy.refusals import invalid_part
from luna.energy.site.household import CAR_KWH_PER_100_KM, DAYS_PER_YEAR
from luna.energy.site.part import Efficiency, EnergyKwh, Fraction, MoneyBounds, Name, Part, PowerKw


class GridConnection(Part):
    """What the connection carries; without a value the plan is not limited by it."""

    import_limit_kw: Annotated[float, Field(gt=0, le=10_000)] = 10_000.0
    export_limit_kw: PowerKw = 10_000.0
    export_limit_share: Annotated[Fraction | None, Field(description="share of the PV's peak power that may be fed in; the lower of both limits holds")] = None

    def feed_in_limit_kw(self, peak_kw: float) -> float:
        """Return what may be fed in where PV has ``peak_kw`` in all."""
        return self.export_limit_kw if self.export_limit_share is None else min(self.export_limit_kw, self.export_limit_share * peak_kw)


# No battery charges a hundred times its capacity in an hour: a power beyond that was given in watts.
MOST_C_RATE = 100.0


class DepthWear(Part):
    """What discharging wears in one segment of a battery's depth: between the segment before and ``to_depth``."""

    to_depth: Annotated[float, Field(gt=0, le=1, description="share of the capacity")]
    price: Annotated[float, MoneyBounds(10), Field(description="currency per kWh discharged")]


class Battery(Part):
    """A stationary battery. Charge and discharge are measured at its terminals (AC)."""

    name: Name = "battery"
    capacity_kwh: EnergyKwh
    min_soc: Fraction = 0.0
    max_soc: Fraction = 1.0
    charge_limit_kw: PowerKw
    discharge_limit_kw: PowerKw
    charge_efficiency: Efficiency = 0.95
    discharge_efficiency: Efficiency = 0.95
    wear_price: Annotated[float, MoneyBounds(10), Field(description="currency per kWh charged and per kWh discharged")] = 0.0
    wear_by_depth: Annotated[
        tuple[DepthWear, ...], Field(max_length=16, description="instead of wear_price: from the shallowest segment to the deepest, each as dear or dearer")
    ] = ()
    max_cycles_per_day: Annotated[
        float | None, Field(ge=0, le=24, description="full cycles a local day: discharged energy over what lies between min_soc and max_soc; empty: any number")
    ] = None
    min_charge_kw: PowerKw = 0.0
    charge_from_grid: bool = True
    discharge_to_grid: bool = True
    taper_from_soc: Annotated[Fraction, Field(description="from here to full, charging power falls linearly")] = 1.0
    taper_to_share: Annotated[Fraction, Field(description="share of the charging power that is left when full")] = 1.0

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_soc >= self.max_soc:
            raise invalid_part("soc-bounds-crossed", min_soc=self.min_soc, max_soc=self.max_soc)
        require_chargeable(self.min_charge_kw, self.charge_limit_kw)
        self._deeper_is_dearer()
        for name in ("charge_limit_kw", "discharge_limit_kw"):
            if getattr(self, name) > MOST_C_RATE * self.capacity_kwh:
                raise invalid_part("power-in-watts", name=name, power_kw=getattr(self, name), capacity_kwh=self.capacity_kwh)
        return self

    @property
    def usable_kwh(self) -> float:
        """What it holds between ``min_soc`` and ``max_soc``: one full cycle."""
        return (self.max_soc - self.min_soc) * self.capacity_kwh

    def _deeper_is_dearer(self) -> None:
        if not self.wear_by_depth:
            return
        depths, prices = ([getattr(each, name) for each in self.wear_by_depth] for name in ("to_depth", "price"))
        if self.wear_price:
            raise invalid_part("wear-priced-twice")
        if depths != sorted(set(depths)) or depths[-1] != 1:
            raise invalid_part("wear-depths", depths=depths)
        if prices != sorted(prices):
            raise invalid_part("wear-prices-fall", prices=prices)


# How much is taken all day, or in which part of the day something stands before the sun.
Shading = Literal["none", "some", "heavy", "morning", "midday", "evening"]
# Of a year's yield, rounded. Source: SolarEdge, "Performance of PV topologies under shaded conditions" (2013), tested by PV Evolution Labs by the procedure of
# NREL/TP-5200-54876: 5 to 25 % are usual of shaded homes; from the gains and shares regained that it states, light shade took 6 % and heavy shade 26 %.
UNSHADED_SHARE: Mapping[Shading, float] = {"none": 1.0, "some": 0.93, "heavy": 0.75}
# Hours of the site's clock; the sun is highest between twelve and half past one.
SHADED_HOURS: Mapping[Shading, range] = {"morning": range(11), "midday": range(11, 15), "evening": range(15, 24)}
# The light that comes from the whole sky. Source: DWD, global radiation in Germany: half of a year's is diffuse.
DIFFUSE_SHARE = 0.5


class PvArray(Part):
    """A PV array; ``azimuth_deg`` counts clockwise from north, 180 is south."""

    name: Name = "roof"
    peak_kw: Annotated[float, Field(gt=0, le=10_000)]
    tilt_deg: Annotated[float, Field(ge=0, le=90)] = 30.0
    azimuth_deg: Annotated[float, Field(ge=0, lt=360)] = 180.0
    curtailable: bool = True
    shading: Annotated[Shading | None, Field(description="how much trees and houses take, or when, until output was measured; empty: nothing")] = None

    @property
    def unshaded_by_hour(self) -> tuple[float, ...]:
        """What shading leaves of the output in each hour of the site's clock."""
        shading = self.shading or "none"
        if shading in SHADED_HOURS:
            return tuple(DIFFUSE_SHARE if hour in SHADED_HOURS[shading] else 1.0 for hour in range(24))
        return (UNSHADED_SHARE[shading],) * 24


MOST_OF_ONE_PHASE_KW = 7.4


class Charger(Part):
    """How a vehicle's charger draws: with which numbers of phases (two of them: it switches), and between which currents per phase."""

    phases: Annotated[tuple[Literal[1, 3], ...], Field(min_length=1, max_length=2, description="[1], [3], or [1, 3] where it switches by itself")] = (3,)
    min_current_a: Annotated[float, Field(ge=0, le=500, description="least current per phase; vehicles take no less than 6 A (IEC 61851-1)")] = 6.0
    max_current_a: Annotated[float, Field(gt=0, le=500)] = 16.0
    voltage_v: Annotated[float, Field(ge=100, le=400, description="between phase and neutral")] = 230.0

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_current_a > self.max_current_a:
            raise invalid_part("current-bounds-crossed", min_current_a=self.min_current_a, max_current_a=self.max_current_a)
        return self

    @property
    def power_ranges(self) -> tuple[tuple[float, float], ...]:
        """Between which powers it draws with each number of phases, kW, fewest phases first."""
        currents = (self.min_current_a, self.max_current_a)
        least_to_most = [tuple(count * current * self.voltage_v / 1000 for current in currents) for count in sorted(set(self.phases))]
        return tuple((least, most) for least, most in least_to_most)

    def phases_at(self, power_kw: float) -> int:
        """Return the fewest phases that give this power."""
        counts = sorted(set(self.phases))
        return next((count for count, (_, most) in zip(counts, self.power_ranges, strict=True) if power_kw <= most + 1e-6), counts[-1])


class ElectricVehicle(Part):
    """A vehicle with its charger; sessions (from, to, target) are state, not configuration."""

    name: Name = "car"
    capacity_kwh: EnergyKwh
    min_charge_kw: Annotated[PowerKw, Field(description="usual: 6 A of one phase, 1.4 kW, of three where it charges with more than 7.4 kW, 4.1 kW")] = 4.1
    charge_limit_kw: PowerKw = 11.0
    charge_efficiency: Efficiency = 0.9
    discharge_limit_kw: PowerKw = 0.0
    discharge_efficiency: Efficiency = 0.9
    min_soc: Annotated[Fraction, Field(description="what it keeps for itself when it supplies the house")] = 0.2
    max_soc: Annotated[Fraction, Field(gt=0, description="never charged beyond")] = 1.0
    wear_price: Annotated[float, MoneyBounds(10), Field(description="currency per kWh given to the house")] = 0.05
    charger: Charger | None = None
    from_battery: Annotated[Literal["never", "if_it_pays"], Field(description="whether the house's battery discharges into it")] = "if_it_pays"
    start_price: Annotated[float, MoneyBounds(10), Field(description="what one start less is worth, currency; a switch between phases is a start")] = 0.0
    min_run_minutes: Annotated[int, Field(ge=0, le=1440, description="shortest charge; only a departure cuts it short")] = 0
    km_per_year: Annotated[float | None, Field(ge=100, le=300_000, description="with it one of which no stay is known is planned as usual")] = None
    kwh_per_100_km: Annotated[float, Field(ge=5, le=100, description="from the grid, losses of charging among it")] = CAR_KWH_PER_100_KM

    @model_validator(mode="before")
    @classmethod
    def _by_its_phases(cls, told: Any) -> Any:
        """Fill in the least power of a charger of which nothing else is said: one phase gives no more than 32 A (IEC 61851-1)."""
        if not isinstance(told, Mapping) or "min_charge_kw" in told:
            return told
        one_phase = told.get("charger") is not None or (isinstance(limit := told.get("charge_limit_kw"), int | float) and limit <= MOST_OF_ONE_PHASE_KW)
        return {**told, "min_charge_kw": 1.4} if one_phase else told

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        require_chargeable(self.min_charge_kw, self.charge_limit_kw)
        if self.min_soc > self.max_soc:
            raise invalid_part("vehicle-soc-bounds-crossed", min_soc=self.min_soc, max_soc=self.max_soc)
        if not self.power_ranges:
            raise invalid_part("charger-powers", min_charge_kw=self.min_charge_kw, charge_limit_kw=self.charge_limit_kw)
        return self

    @property
    def power_ranges(self) -> tuple[tuple[float, float], ...]:
        """Between which powers it charges, kW, in rising order and apart from each other; not at all is always possible."""
        offered = self.charger.power_ranges if self.charger else ((self.min_charge_kw, self.charge_limit_kw),)
        bounded = [(max(least, self.min_charge_kw), min(most, self.charge_limit_kw)) for least, most in offered]
        possible = [each for each in bounded if each[0] <= each[1]]
        if len(possible) > 1 and possible[1][0] <= possible[0][1]:
            return ((possible[0][0], possible[1][1]),)
        return tuple(possible)

    @property
    def daily_need_soc(self) -> float:
        """What its usual day takes, as a share of its capacity and no more than it is charged to; 0 where nobody said what it drives."""
        from_grid_kwh = (self.km_per_year or 0.0) / DAYS_PER_YEAR * self.kwh_per_100_km / 100
        return min(from_grid_kwh * self.charge_efficiency / self.capacity_kwh, self.max_soc)

    @property
    def most_charge_kw(self) -> float:
        """The highest power it charges with."""
        return self.power_ranges[-1][1]


def require_chargeable(min_charge_kw: float, charge_limit_kw: float) -> None:
    if min_charge_kw > charge_limit_kw:
        raise invalid_part("never-charges", min_charge_kw=min_charge_kw, charge_limit_kw=charge_limit_kw)


class Inverter(Part):
    """An inverter: what passes it either way is at most ``ac_limit_kw``.

    With a battery it is a hybrid one: PV beyond the limit goes into the battery, which stands on the same DC side, or is lost. Without one, it is lost.
    """

    name: Name = "inverter"
    ac_limit_kw: Annotated[float, Field(gt=0, le=10_000)]
    pv: Annotated[list[Name], Field(max_length=32)] = []
    batteries: Annotated[list[Name], Field(max_length=1, description="modules that are charged as one are one battery")] = []


def require_connected(inverters: Sequence[Inverter], *, pv: Sequence[PvArray], batteries: Sequence[Battery]) -> None:
    """Refuse inverters of unknown parts, parts behind two of them, and inverters of nothing.

    Raises:
        ValueError: names inverter and part.
    """
    for kind, parts in (("pv", pv), ("batteries", batteries)):
        named = [(inverter.name, name) for inverter in inverters for name in getattr(inverter, kind)]
        known, counts = {part.name for part in parts}, Counter(name for _, name in named)
        for inverter, name in named:
            if name not in known:
                raise invalid_part("inverter-names-stranger", inverter=inverter, name=name, kind=kind)
            if counts[name] > 1:
                raise invalid_part("behind-two-inverters", name=name)
    empty = next((inverter.name for inverter in inverters if not inverter.pv and not inverter.batteries), None)
    if empty is not None:
        raise invalid_part("inverter-carries-nothing", inverter=empty)
