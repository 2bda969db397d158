"""What tells whether anything of a site is new, in one short question."""

from datetime import datetime

from sqlalchemy import Connection, func, select

from luna.database.schema.plans import control_devices, control_state, manual_blocks, manual_removals, plan_history
from luna.database.schema.series import slot_observations
from luna.database.sites import key_of


def read(connection: Connection, site_id: str) -> list[str | None]:
    """Return when the last plan was issued and the last slot measured, and what changes with decisions, overrides and blocks.

    Raises:
        NotFoundError: no such site.
    """
    key = key_of(connection, site_id)
    last_plan = select(func.max(plan_history.c.issued_at)).where(plan_history.c.site == site_id, plan_history.c.system_id == "prod")
    last_slot = select(slot_observations.c.slot_start).where(slot_observations.c.site_key == key).order_by(slot_observations.c.slot_start.desc()).limit(1)
    told = select(func.concat(control_state.c.version, control_state.c.override, control_state.c.armed_at)).where(control_state.c.site_key == key)
    others = select(func.string_agg(func.concat(control_devices.c.version, control_devices.c.override), ",")).where(control_devices.c.site_key == key)
    own = manual_blocks.c.site_key == key
    added = select(func.max(manual_blocks.c.block_id)).where(own)
    removed = select(func.count()).select_from(manual_removals.join(manual_blocks)).where(own)
    row = connection.execute(select(*(each.scalar_subquery() for each in (last_plan, last_slot, told, others, added, removed)))).one()
    return [value.isoformat() if isinstance(value, datetime) else None if value is None else str(value) for value in row]
