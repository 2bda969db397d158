"""What a battery is told, in the outward words."""

from typing import Annotated, Self

import numpy as np
from pydantic import Field

from luna.contracts.message import Message
from luna.control import LoadMode, Mode, PvMode, VehicleMode
from luna.policy import BatteryPolicy, SocThresholds
from luna.site import Battery

Soc = Annotated[float | None, Field(ge=0, le=1)]


class BatterySetpoint(Message):
    """A mode with its limits, as ``luna.physics.SetPoint`` has them for one battery; null: what battery and connection bear."""

    mode: Mode
    power_kw: Annotated[float | None, Field(ge=0, le=10_000, description="bounds exchange with the grid while charging and exporting")] = None
    target_soc: Annotated[Soc, Field(description="where that exchange ends")] = None
    floor_soc: Annotated[Soc, Field(description="where serving the load ends")] = None
    ceiling_soc: Annotated[Soc, Field(description="where storing surplus ends")] = None
    spill_soc: Annotated[Soc, Field(description="where storing ends of surplus that may not be fed in and would be held back")] = None


class BatterySetpoints(Message):
    """What a battery is told in each slot of a plan: lists with a value per slot, for a model per slot would take longer than many a plan."""

    mode: list[Mode]
    power_kw: list[float]
    target_soc: list[float]
    floor_soc: list[float]
    ceiling_soc: list[float]
    spill_soc: Annotated[list[float], Field(description="empty in plans from before it was told")] = []

    def at(self, slot: int) -> BatterySetpoint:
        """Return what it is told in one slot."""
        told = {name: getattr(self, name) for name in type(self).model_fields}
        return BatterySetpoint.model_validate({name: values[slot] for name, values in told.items() if values})


class ThresholdSeries(Message):
    """Where a battery's actions begin and end in each slot, as ``luna.policy.SocThresholds`` has them; out of reach (below 0, above 1): never, or always."""

    buy: list[float]
    store: list[float]
    spill: list[float]
    serve: list[float]
    sell: list[float]


class BatteryThresholds(Message):
    """What a plan makes of any state of charge, as ``luna.policy.BatteryPolicy`` has it: the executor reads its set-points from it.

    ``keep`` holds while an action goes on, ``begin`` for one that begins. ``no_pv`` are slots without sun to store, ``charge_kw`` and ``discharge_kw`` bound
    the exchange with the grid.
    """

    keep: ThresholdSeries
    begin: ThresholdSeries
    no_pv: list[bool]
    charge_kw: list[float]
    discharge_kw: list[float]

    @classmethod
    def of(cls, policy: BatteryPolicy) -> Self:
        """Return the message of a policy."""
        series = {name: {each: getattr(getattr(policy, name), each).tolist() for each in SocThresholds.__slots__} for name in ("keep", "begin")}
        beside = {name: getattr(policy, name).tolist() for name in ("no_pv", "charge_kw", "discharge_kw")}
        return cls.model_validate(series | beside)

    def policy(self, battery: Battery) -> BatteryPolicy:
        """Return the policy for its battery."""
        keep, begin = (SocThresholds(*(np.array(getattr(each, name)) for name in SocThresholds.__slots__)) for each in (self.keep, self.begin))
        return BatteryPolicy(battery, keep, begin, np.array(self.no_pv, dtype=bool), np.array(self.charge_kw), np.array(self.discharge_kw))


class VehicleSetpoint(Message):
    """What a vehicle's charger is told; ``charge_kw`` counts in the mode ``charge``, ``give_kw`` in the mode ``give``."""

    mode: VehicleMode
    charge_kw: Annotated[float, Field(ge=0, le=10_000)]
    give_kw: Annotated[float, Field(ge=0, le=10_000)] = 0.0


class LoadSetpoint(Message):
    """What an appliance is told."""

    mode: LoadMode


class PvSetpoint(Message):
    """How all arrays are held back; ``limit_kw`` counts in the mode ``limit``."""

    mode: PvMode
    limit_kw: Annotated[float | None, Field(ge=0, le=1_000_000)]


class PvSetpoints(Message):
    """How a plan holds PV back in each slot."""

    mode: list[PvMode]
    limit_kw: list[float | None]

    def at(self, slot: int) -> PvSetpoint:
        """Return what is told in one slot."""
        return PvSetpoint(mode=self.mode[slot], limit_kw=self.limit_kw[slot])


Setpoint = BatterySetpoint | VehicleSetpoint | LoadSetpoint | PvSetpoint
