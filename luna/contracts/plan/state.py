"""What persists from slot to slot: how full, plugged in until when, used so far."""

from typing import Annotated

from pydantic import Field

from luna.contracts.message import Instant, Message
from luna.contracts.plan.peaks import PeakState


class BatteryState(Message):
    """How full a battery is."""

    soc: Annotated[float, Field(ge=0, le=1, description="share of the capacity; a percentage is refused")]


class VehicleSession(Message):
    """A stay of a vehicle at its charger."""

    from_: Annotated[Instant, Field(alias="from")]
    to: Instant
    target_soc: Annotated[float, Field(ge=0, le=1)]


class VehicleState(Message):
    """How full a vehicle is and when it is plugged in."""

    soc: Annotated[float, Field(ge=0, le=1)]
    sessions: list[VehicleSession] = []


class LoadState(Message):
    """What an appliance did until now: energy used since local midnight (empty: as if it had run evenly), and for how long it has been off."""

    energy_today_kwh: Annotated[float, Field(ge=0, le=10_000)] | None = None
    off_hours: Annotated[float, Field(ge=0, le=168)] = 0.0


class StateMessage(Message):
    """What persists from slot to slot."""

    batteries: dict[str, BatteryState] = {}
    vehicles: dict[str, VehicleState] = {}
    loads: dict[str, LoadState] = {}
    month_peaks_kw: list[Annotated[float, Field(ge=0, le=100_000)]] = []
    peaks: Annotated[dict[str, PeakState], Field(description="by component of the capacity tariff; month_peaks_kw stands for the first one not named")] = {}
