"""The state in which a plan begins."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from luna.contracts.message import Instant, Message
from luna.control import Mode

Power = Annotated[float, Field(ge=0, le=100_000)]


class PeakState(Message):
    """What a component of the capacity tariff has counted this month.

    ``highest_kw`` are its highest intervals, or days but today where only the highest of a day counts; ``today_kw`` is then today's highest so far.
    """

    highest_kw: list[Power] = []
    today_kw: Power = 0.0
    interval_kwh: Annotated[float, Field(ge=0, le=100_000, description="imported so far in the interval that is running at the start")] = 0.0


class HeatPumpState(Message):
    """How warm a heat pump's store is (empty: the middle of its band), and for how long the pump has been on, or off."""

    temperature_c: Annotated[float, Field(ge=-60, le=120)] | None = None
    on_hours: Annotated[float, Field(ge=0, le=168)] = 0.0
    off_hours: Annotated[float, Field(ge=0, le=168)] = 0.0

    @model_validator(mode="after")
    def _on_or_off(self) -> Self:
        if self.on_hours and self.off_hours:
            raise ValueError(f"on_hours {self.on_hours:g} and off_hours {self.off_hours:g}: it is on or off, give one of them")
        return self


class HeatPumpFlow(Message):
    """What a heat pump uses in a slot, the heat it makes of it, and how warm its store is at the slot's end."""

    energy_kwh: float
    heat_kwh: float
    temperature_c: float
    on: bool


class BatteryState(Message):
    """How full a battery is."""

    soc: Annotated[float, Field(ge=0, le=1, description="share of the capacity; a percentage is refused")]
    mode: Annotated[Mode | None, Field(description="in progress when the plan begins; heeded with a switching_price")] = None


Soc = Annotated[float, Field(ge=0, le=1)]


class VehicleSession(Message):
    """A stay of a vehicle at its charger: ``target_soc`` is wanted at its end; without one it charges from PV surplus alone.

    Up to ``limit_soc`` more is charged where a kWh costs less than it is worth. ``min_power_kw`` goes before both: until the vehicle is full it charges
    with at least this power, from whatever there is.
    """

    from_: Annotated[Instant, Field(alias="from")]
    to: Instant
    target_soc: Soc | None = None
    limit_soc: Annotated[Soc | None, Field(description="never charged beyond in this stay; empty: the vehicle's max_soc")] = None
    min_soc: Annotated[Soc | None, Field(description="what it keeps when it supplies the house; empty: the vehicle's min_soc")] = None
    arrival_soc: Annotated[Soc | None, Field(description="expected when the stay begins; empty: what the stay before left, for the first one soc")] = None
    extra_value: Annotated[
        float | None,
        Field(
            ge=-100,
            le=100,
            description="worth of a kWh stored beyond the target; negative: what one has to bring; empty: 0.6 × the mean import price, 0 without limit_soc",
        ),
    ] = None
    min_power_kw: Annotated[
        float | None,
        Field(gt=0, le=10_000, description="charged with at least this until it is full; without a target_soc more comes from PV surplus alone (min+pv)"),
    ] = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for name in ("target_soc", "min_soc"):
            wanted = getattr(self, name)
            if wanted is not None and self.limit_soc is not None and wanted > self.limit_soc:
                raise ValueError(f"{name} {wanted:g} must not exceed limit_soc {self.limit_soc:g}")
        return self


class VehicleState(Message):
    """How full a vehicle is, when it is plugged in, and whether it is charging now: what goes on need not start again."""

    soc: Soc
    sessions: list[VehicleSession] = []
    charging: bool = False


class LoadRun(Message):
    """One run of a programme: begun at ``from`` or later (empty: any time), over at ``by``."""

    from_: Annotated[Instant | None, Field(alias="from")] = None
    by: Instant


class LoadState(Message):
    """What an appliance did until now: energy used since local midnight (empty: as if it had run evenly), and for how long it has been off, or on.

    ``runs`` are what a programme is asked for; the one that runs now (``on_hours``) is none of them.
    """

    energy_today_kwh: Annotated[float, Field(ge=0, le=10_000)] | None = None
    off_hours: Annotated[float, Field(ge=0, le=168)] = 0.0
    on_hours: Annotated[float, Field(ge=0, le=168)] = 0.0
    runs: Annotated[list[LoadRun], Field(max_length=16)] = []

    @model_validator(mode="after")
    def _on_or_off(self) -> Self:
        if self.on_hours and self.off_hours:
            raise ValueError(f"on_hours {self.on_hours:g} and off_hours {self.off_hours:g}: it is on or off, give one of them")
        return self


class StateMessage(Message):
    """What persists from slot to slot."""

    batteries: dict[str, BatteryState] = {}
    vehicles: dict[str, VehicleState] = {}
    loads: dict[str, LoadState] = {}
    heat_pumps: dict[str, HeatPumpState] = {}
    month_peaks_kw: list[Annotated[float, Field(ge=0, le=100_000)]] = []
    month_import_kwh: Annotated[float, Field(ge=0, le=10_000_000, description="drawn this local month so far, for a tariff in blocks")] = 0.0
    peaks: Annotated[dict[str, PeakState], Field(description="by component of the capacity tariff; month_peaks_kw stands for the first one not named")] = {}
