"""The state in which a plan begins."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from luna.contracts.message import Message
from luna.energy.devices import DEVICE_KINDS
from luna.energy.devices.battery import Mode
from luna.energy.devices.kind import by_name
from luna.energy.part import MeasuredSoc, with_sections
from luna.energy.refusals import invalid_part
from luna.energy.timeline import Instant

Power = Annotated[float, Field(ge=0, le=100_000)]


class PeakState(Message):
    """The peaks of a component of the capacity tariff in this month.

    ``highest_kw`` are its highest intervals, or days but today where only the highest of a day
    counts; ``today_kw`` is then today's highest so far.
    """

    highest_kw: list[Power] = []
    today_kw: Power = 0.0
    interval_kwh: Annotated[
        float,
        Field(
            ge=0,
            le=100_000,
            description="imported so far in the interval that is running at the start",
        ),
    ] = 0.0


class BatteryState(Message):
    """The state of charge of a battery."""

    soc: Annotated[MeasuredSoc, Field(description="share of the capacity; a percentage is refused")]
    mode: Annotated[
        Mode | None,
        Field(description="in progress when the plan begins; heeded with a switching_price"),
    ] = None
    discharged_today_kwh: Annotated[
        float | None,
        Field(
            ge=0,
            le=1_000_000,
            description=(
                "given since local midnight, at its terminals, for max_cycles_per_day; empty: "
                "as recorded of a stored site, else 0"
            ),
        ),
    ] = None


Soc = Annotated[float, Field(ge=0, le=1)]


class VehicleSession(Message):
    """A session of a vehicle at its charger: ``target_soc`` is wanted at its end.

    Without one it charges from PV surplus alone.

    Up to ``limit_soc`` more is charged where a kWh costs less than it is worth. ``min_power_kw``
    goes before both: until the vehicle is full it charges with at least this power, from whatever
    there is.
    """

    from_: Annotated[Instant, Field(alias="from")]
    to: Instant
    target_soc: Soc | None = None
    limit_soc: Annotated[
        Soc | None,
        Field(description="never charged beyond in this session; empty: the vehicle's max_soc"),
    ] = None
    min_soc: Annotated[
        Soc | None,
        Field(description="what it keeps when it supplies the house; empty: the vehicle's min_soc"),
    ] = None
    arrival_soc: Annotated[
        Soc | None,
        Field(
            description=(
                "expected when the session begins; empty: what the session before left, for the "
                "first one soc"
            )
        ),
    ] = None
    extra_value: Annotated[
        float | None,
        Field(
            ge=-100,
            le=100,
            description=(
                "worth of a kWh stored beyond the target; negative: what one has to bring; "
                "empty: 0.6 × the mean import price, 0 without limit_soc"
            ),
        ),
    ] = None
    min_power_kw: Annotated[
        float | None,
        Field(
            gt=0,
            le=10_000,
            description=(
                "charged with at least this until it is full; without a target_soc more comes "
                "from PV surplus alone (min+pv)"
            ),
        ),
    ] = None
    session_id: Annotated[
        int | None,
        Field(
            description="set where the session is stored: in later plans what is stored then holds"
        ),
    ] = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for name in ("target_soc", "min_soc"):
            wanted = getattr(self, name)
            if wanted is not None and self.limit_soc is not None and wanted > self.limit_soc:
                raise invalid_part(
                    "soc-beyond-limit", name=name, wanted=wanted, limit_soc=self.limit_soc
                )
        return self


class VehicleState(Message):
    """The state of charge of a vehicle, its charging sessions, and whether it charges.

    What goes on need not start again.
    """

    soc: MeasuredSoc
    sessions: list[VehicleSession] = []
    charging: bool = False
    most_kw: Annotated[
        float | None,
        Field(
            ge=0,
            le=10_000,
            description=(
                "the most that it draws, as measured at its charger; 0: it draws nothing in its "
                "present session; empty: as much as the charger gives"
            ),
        ),
    ] = None


@with_sections({kind.section: by_name(kind.plan.state) for kind in DEVICE_KINDS if kind.plan.state})
class DeviceStates(Message):
    """The persistent states of devices, by their sections."""

    batteries: dict[str, BatteryState] = {}
    vehicles: dict[str, VehicleState] = {}


class StateMessage(DeviceStates):
    """The state that persists from slot to slot."""

    month_peaks_kw: list[Annotated[float, Field(ge=0, le=100_000)]] = []
    month_import_kwh: Annotated[
        float,
        Field(
            ge=0, le=10_000_000, description="drawn this local month so far, for a tariff in blocks"
        ),
    ] = 0.0
    drawn_kwh: Annotated[
        dict[str, Annotated[float, Field(ge=0, le=10_000_000)]],
        Field(
            description=(
                "what the running period of a price has drawn so far: blocks, or by name of a "
                "component with an allowance; month_import_kwh stands for blocks not named"
            )
        ),
    ] = {}
    device_use: Annotated[
        dict[str, Annotated[float, Field(ge=0, le=10_000_000)]],
        Field(
            description=(
                "what the running allowance of a device's price has counted so far, kWh or hours, "
                "by its name"
            )
        ),
    ] = {}
    peaks: Annotated[
        dict[str, PeakState],
        Field(
            description=(
                "by component of the capacity tariff; month_peaks_kw stands for the first one "
                "not named"
            )
        ),
    ] = {}
