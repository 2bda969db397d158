"""Rules and replies that switched loads and programmes share."""

from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.plan.columns import Columns
from luna.energy.devices.appliance import DeferrableLoad
from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import FloatArray, Timeline
from luna.energy.windows import mark_slots
from services.planner.devices.causes import LITTLE_KWH, Codes, DeviceReasons, SlotWindow
from services.planner.devices.kind import LoadPricing

# Price of a kWh that an appliance lacks, as a multiple of the dearest price: so dear that one more
# slot is cheaper than a few missing watt-hours, and cheaper than energy missing in a car.
LOAD_SLACK = 60.0


def read_allowed(load: DeferrableLoad, timeline: Timeline, zone: ZoneInfo) -> FloatArray:
    """Return 1 where the clock lets an appliance be on, else 0, ``(slots,)``."""
    inside = np.ones(timeline.count, dtype=bool)
    if load.allowed:
        inside = mark_slots(load.allowed, timeline, zone, whole=True)
    forbidden = mark_slots(load.forbidden, timeline, zone, whole=False)
    return (inside & ~forbidden).astype(float)


def takes_surplus_alone(load: DeferrableLoad, ahead: LoadPricing) -> BoolArray:
    """Return the slots in which a load may take PV surplus alone."""
    too_dear = np.zeros(ahead.hours.size, dtype=bool)
    if load.price_limit is not None:
        too_dear = ahead.import_price > load.price_limit
    return too_dear | load.surplus_only


def write_columns(use_kwh: FloatArray) -> Columns:
    """Return the energy used and whether the appliance is on."""
    # Rounding leaves a minus before some zeros; adding zero takes it away.
    energies = (np.round(use_kwh, 6) + 0.0).tolist()
    return {"energy_kwh": energies, "on": [energy > 0 for energy in energies]}


def list_limits(load: DeferrableLoad) -> dict[str, Any]:
    """Return the names of the rules that limit a load's slots (``luna.words.compromises``)."""
    limits: dict[str, Any] = {}
    rules = []
    if load.allowed or load.forbidden:
        rules.append("allowed")
    if load.price_limit is not None:
        rules.append("price_limit")
    if load.surplus_only:
        rules.append("surplus_only")
    if rules:
        limits["rules"] = rules
    if load.price_limit is not None:
        limits["price"] = load.price_limit
    return limits


def explain_idle(reasons: DeviceReasons, window: SlotWindow) -> Codes:
    """Return the codes of the slots in which an appliance is off."""
    ended = "use_short" if window.missing_kwh > LITTLE_KWH else "use_ready"
    return np.where(window.later, reasons.waiting(window), ended)
