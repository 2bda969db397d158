"""Which mode each battery of a stored site is in when a plan begins: what it was told, or else what the plan before it says."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from luna.contracts.plan import BatteryState
from luna.contracts.setpoint import BatterySetpoint
from luna.control import Mode
from luna.database import control, plans

# Just before the start: what drives the slot that ends there.
_MOMENT = timedelta(microseconds=1)


def read_told_modes(connection: Connection, site_id: str) -> dict[str, Mode]:
    """Return the mode that each battery of an armed site was told last; nothing for one that follows nobody."""
    state = control.load(connection, site_id)
    if state.armed_at is None or state.decision is None:
        return {}
    return {name: told.mode for name, told in state.decision.allowed.items() if isinstance(told, BatterySetpoint)}


def read_planned_modes(connection: Connection, site_id: str, start: datetime) -> dict[str, Mode]:
    """Return the mode of each battery in the slot before ``start``; nothing where no plan drove it."""
    due = plans.read_due(connection, site_id, start - _MOMENT)
    if due is None:
        return {}
    place = (start - _MOMENT - due.slots[0].start) // timedelta(minutes=due.slot_minutes)
    return {name: told.mode[place] for name, told in due.setpoints.items()}


def carry_modes(batteries: dict[str, BatteryState], modes: dict[str, Mode]) -> dict[str, BatteryState]:
    """Return the state of batteries with the modes in progress, where it names none of its own."""
    return {name: state if state.mode else state.model_copy(update={"mode": modes.get(name)}) for name, state in batteries.items()}
