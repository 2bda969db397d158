"""What the owner wants instead of the plan, and who decided each slot."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from luna.energy.devices.battery import BATTERIES
from luna.energy.timeline import SLOT
from luna.platform.database import control, manual_blocks, plan_slots
from luna.words.retelling import retell_reason
from services.api.timeline.window import Window

Logged = Mapping[datetime, plan_slots.LoggedSlot]


def read_overrides(connection: Connection, window: Window) -> list[dict[str, Any]]:
    """Return what the owner wants instead of the plan now, device by device."""
    site_id = window.site.name
    states = [control.load(connection, site_id, device) for device in (BATTERIES, *control.list_devices(connection, site_id))]
    fields = {"mode", "power_kw", "target_soc", "until", "by"}
    return [
        {"device": state.device} | state.override.model_dump(mode="json", include=fields)
        for state in states
        if state.override and state.override.until > window.now
    ]


def read_blocks(connection: Connection, window: Window) -> list[dict[str, Any]]:
    """Return what the owner pinned and forbade within the window."""
    timeline = window.timeline
    standing = manual_blocks.read_standing(connection, window.site.name, first=timeline.start, end=timeline.end)
    names = {"block_id", "device", "action", "from_", "to", "power_kw"}
    return [block.model_dump(mode="json", by_alias=True, include=names) for block in standing]


def name_deciders(logged: Logged, window: Window, *, planned: Sequence[bool], overrides: Sequence[Mapping[str, Any]]) -> list[str | None]:
    """Return who decided each slot: of past ones as the log has it, of coming ones the owner until an override of the batteries ends, then the planner."""
    owner_until = max((datetime.fromisoformat(each["until"]) for each in overrides if each["device"] == BATTERIES), default=None)
    deciders: list[str | None] = []
    for start, is_planned in zip(window.timeline, planned, strict=True):
        if start in logged:
            deciders.append(logged[start].decided_by)
        elif start + SLOT <= window.now:
            deciders.append(None)
        elif owner_until is not None and start < owner_until:
            deciders.append("owner")
        else:
            deciders.append("planner" if is_planned else None)
    return deciders


def apply_owner(
    decisions: Mapping[str, list[Any]], deciders: Sequence[str | None], logged: Logged, *, overrides: Sequence[Mapping[str, Any]], window: Window
) -> dict[str, list[Any]]:
    """Return what was decided, in the slots that were or are the owner's with what the owner wanted of the batteries: whatever a plan had wanted then.

    What was wanted of slots that are over says the log, of those to come an override that has not ended.
    """
    columns = {name: list(column) for name, column in decisions.items()}
    standing = next((each for each in overrides if each["device"] == BATTERIES), None)
    ended_at = None
    for slot, start in reversed(list(enumerate(window.timeline))):
        if deciders[slot] != "owner":
            ended_at = None
            continue
        mode, until = None, ""
        if slot < window.past:
            ended_at = ended_at or start + SLOT
            mode, until = logged[start].mode, ended_at.isoformat()
        elif standing and start < datetime.fromisoformat(standing["until"]):
            mode, until = standing["mode"], standing["until"]
        if mode is None:
            continue
        reason = {"code": "manual", "text": "", "short": "", "figures": {"time": until}}
        sentences = {name: retell_reason(reason, start, window.numbers, short=name == "short") for name in ("text", "short")}
        row = {"mode": mode, "code": reason["code"], "figures": reason["figures"], "cost_of_opposite": None, "binding": [], **sentences}
        for name, value in row.items():
            columns[name][slot] = value
    return columns
