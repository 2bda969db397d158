"""What stands at a site: batteries, PV, vehicles, appliances that may wait."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from luna.site.part import Efficiency, EnergyKwh, Fraction, Name, Part, PowerKw

# No battery charges a hundred times its capacity in an hour: a power beyond that was given in watts.
MOST_C_RATE = 100.0


class DepthWear(Part):
    """What discharging wears in one segment of a battery's depth: between the segment before and ``to_depth``."""

    to_depth: Annotated[float, Field(gt=0, le=1, description="share of the capacity")]
    price: Annotated[float, Field(ge=0, le=10, description="currency per kWh discharged")]


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
    wear_price: Annotated[float, Field(ge=0, le=10, description="currency per kWh charged and per kWh discharged")] = 0.0
    wear_by_depth: Annotated[
        tuple[DepthWear, ...], Field(max_length=16, description="instead of wear_price: from the shallowest segment to the deepest, each as dear or dearer")
    ] = ()
    min_charge_kw: PowerKw = 0.0
    charge_from_grid: bool = True
    discharge_to_grid: bool = True
    taper_from_soc: Annotated[Fraction, Field(description="from here to full, charging power falls linearly")] = 1.0
    taper_to_share: Annotated[Fraction, Field(description="share of the charging power that is left when full")] = 1.0

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_soc >= self.max_soc:
            raise ValueError(f"min_soc {self.min_soc} must lie below max_soc {self.max_soc}")
        require_chargeable(self.min_charge_kw, self.charge_limit_kw)
        self._deeper_is_dearer()
        for name in ("charge_limit_kw", "discharge_limit_kw"):
            if getattr(self, name) > MOST_C_RATE * self.capacity_kwh:
                raise ValueError(f"{name} {getattr(self, name):g} would move all {self.capacity_kwh:g} kWh within seconds; give kW, not W")
        return self

    def _deeper_is_dearer(self) -> None:
        if not self.wear_by_depth:
            return
        depths, prices = ([getattr(each, name) for each in self.wear_by_depth] for name in ("to_depth", "price"))
        if self.wear_price:
            raise ValueError("wear_price and wear_by_depth price the same wear: give one of them")
        if depths != sorted(set(depths)) or depths[-1] != 1:
            raise ValueError(f"wear_by_depth: to_depth rises from segment to segment up to 1, here {depths}")
        if prices != sorted(prices):
            raise ValueError(f"wear_by_depth: what lies deeper wears no less, prices here are {prices}")


class PvArray(Part):
    """A PV array; ``azimuth_deg`` counts clockwise from north, 180 is south."""

    name: Name = "roof"
    peak_kw: Annotated[float, Field(gt=0, le=10_000)]
    tilt_deg: Annotated[float, Field(ge=0, le=90)] = 30.0
    azimuth_deg: Annotated[float, Field(ge=0, lt=360)] = 180.0
    curtailable: bool = True


class ElectricVehicle(Part):
    """A vehicle with its charger; sessions (from, to, target) are state, not configuration."""

    name: Name = "car"
    capacity_kwh: EnergyKwh
    min_charge_kw: PowerKw = 1.4
    charge_limit_kw: PowerKw = 11.0
    charge_efficiency: Efficiency = 0.9
    discharge_limit_kw: PowerKw = 0.0

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        require_chargeable(self.min_charge_kw, self.charge_limit_kw)
        return self


def require_chargeable(min_charge_kw: float, charge_limit_kw: float) -> None:
    if min_charge_kw > charge_limit_kw:
        raise ValueError(f"min_charge_kw {min_charge_kw} must not exceed charge_limit_kw {charge_limit_kw}, or it never charges")


class DeferrableLoad(Part):
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
