"""Store the control of sites.

Armed states, overrides, the last command of each device, and the log of decisions.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeVar

import numpy as np
from pydantic import BaseModel
from sqlalchemy import (
    Connection,
    RowMapping,
    bindparam,
    exists,
    func,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert

from luna.contracts.control import (
    ControlEntry,
    ControlPause,
    ControlState,
    Decision,
    DeviceReport,
    Override,
    Setpoint,
)
from luna.contracts.owner import ManualBlock
from luna.energy.car_draw import CarDraw
from luna.energy.devices import DEVICE_KINDS
from luna.energy.devices.battery import BATTERIES
from luna.energy.operator_limits import OperatorLimit
from luna.energy.site import Site
from luna.energy.steered_slots import NO_STEERING, Steering, is_metered_apart
from luna.energy.timeline import SLOT, floor_to
from luna.platform.database import manual_blocks, operator_limits, plan_causes, sites
from luna.platform.database.schema.plans import control_devices, control_log, control_state
from luna.platform.database.schema.sites import sites as site_table
from luna.platform.database.stored_rows import read_each, read_page

ModelT = TypeVar("ModelT", bound=BaseModel)
# Every step of an executor begins with these: they are put together once.
_STATE_OF = select(control_state).where(control_state.c.site_key == bindparam("key"))
_STATE_OF_DEVICE = select(control_devices).where(
    control_devices.c.site_key == bindparam("key"),
    control_devices.c.device == bindparam("of_device"),
)


def load(connection: Connection, site_id: str, device: str = BATTERIES) -> ControlState:
    """Return the control state of a device of a site.

    A site that was never armed is disarmed.

    Raises:
        NotFoundError: no such site.
    """
    key = sites.key_of(connection, site_id)
    row = connection.execute(_STATE_OF, {"key": key}).mappings().first()
    values: dict[str, Any] = {"site": site_id, "device": device}
    if row is not None:
        # The site is armed as a whole, for the batteries and all other devices.
        values |= {name: row[name] for name in ("armed_at", "armed_by")}
    if device != BATTERIES:
        parameters = {"key": key, "of_device": device}
        row = connection.execute(_STATE_OF_DEVICE, parameters).mappings().first()
    if row is not None:
        values |= {name: row[name] for name in _OWN}
    return _state(values)


def load_each(connection: Connection, names: Mapping[int, str]) -> dict[int, ControlState]:
    """Return the control states of many sites' batteries by the sites' keys.

    ``names`` maps these to the sites' names.
    """
    query = select(control_state).where(control_state.c.site_key.in_(names))
    stored = {row["site_key"]: row for row in connection.execute(query).mappings()}
    states: dict[int, ControlState] = {}
    for key, name in names.items():
        fields: dict[str, Any] = {"site": name, "device": BATTERIES}
        if key in stored:
            fields |= {column: stored[key][column] for column in ("armed_at", "armed_by", *_OWN)}
        states[key] = _state(fields)
    return states


def read_overrides_each(
    connection: Connection, keys: Collection[int], *, now: datetime
) -> dict[int, dict[str, Override]]:
    """Return the overrides in force by site key and device key.

    Sites without any are left out.
    """
    of_batteries = select(
        control_state.c.site_key, literal(BATTERIES).label("device"), control_state.c.override
    )
    of_others = select(
        control_devices.c.site_key, control_devices.c.device, control_devices.c.override
    )
    stored = union_all(of_batteries, of_others).subquery()
    rows = connection.execute(
        select(stored)
        .where(stored.c.site_key.in_(keys), stored.c.override.is_not(None))
        .order_by(stored.c.site_key, stored.c.device)
    )
    overrides: dict[int, dict[str, Override]] = {}
    for row in rows:
        stored_override = _read_document(row.override, Override)
        if stored_override is not None and stored_override.until > now:
            overrides.setdefault(row.site_key, {})[row.device] = stored_override
    return overrides


def read_draws_each(connection: Connection, keys: Collection[int]) -> dict[int, dict[str, CarDraw]]:
    """Return the draws of vehicles under their chargers' commands, by site key and vehicle.

    Draws from before the owner ordered a charge are left out: they are judged anew.
    """
    columns = (control_devices.c.site_key, control_devices.c.reports, control_devices.c.override)
    rows = connection.execute(
        select(*columns)
        .where(control_devices.c.site_key.in_(keys))
        .order_by(control_devices.c.site_key, control_devices.c.device)
    )
    draws: dict[int, dict[str, CarDraw]] = {}
    for row in rows:
        order = _read_document(row.override, Override)
        ordered_at = order.since if order is not None and order.mode == "charge" else None
        for name, device_report in _read_reports(row.reports).items():
            draw = device_report.draw
            if draw is None or draw.since is None:
                continue
            if ordered_at is None or ordered_at <= draw.since:
                draws.setdefault(row.site_key, {})[name] = draw
    return draws


def load_active(connection: Connection) -> list[ControlState]:
    """Return the batteries' states of armed or commanded sites, by name."""
    is_commanded = exists().where(
        control_devices.c.site_key == control_state.c.site_key,
        control_devices.c.decision.is_not(None),
    )
    rows = connection.execute(
        select(site_table.c.name, control_state)
        .join(site_table, site_table.c.site_key == control_state.c.site_key)
        .where(
            control_state.c.armed_at.is_not(None)
            | control_state.c.decision.is_not(None)
            | is_commanded
        )
        .order_by(site_table.c.name)
    )
    states: list[ControlState] = []
    for row in rows.mappings():
        fields = {name: row[name] for name in ("armed_at", "armed_by", *_OWN)}
        states.append(_state({"site": row["name"]} | fields))
    return states


def list_commanded(connection: Connection, site_id: str) -> list[str]:
    """Return the devices other than batteries with a stored decision, sorted."""
    table = control_devices.c
    query = (
        select(table.device)
        .where(table.site_key == sites.key_of(connection, site_id), table.decision.is_not(None))
        .order_by(table.device)
    )
    return list(connection.scalars(query))


def list_commanded_each(connection: Connection) -> dict[str, list[str]]:
    """Return the devices other than batteries with a stored decision, sorted, by site.

    Sites without any are left out.
    """
    table = control_devices.c
    query = (
        select(site_table.c.name, table.device)
        .join(site_table, site_table.c.site_key == table.site_key)
        .where(table.decision.is_not(None))
        .order_by(table.device)
    )
    devices: dict[str, list[str]] = {}
    for name, device in connection.execute(query):
        devices.setdefault(name, []).append(device)
    return devices


def list_devices(connection: Connection, site_id: str) -> list[str]:
    """Return the devices other than batteries with a decision or an override, sorted."""
    table = control_devices.c
    query = (
        select(table.device)
        .where(table.site_key == sites.key_of(connection, site_id))
        .order_by(table.device)
    )
    return list(connection.scalars(query))


def list_armed(connection: Connection) -> list[str]:
    """Return the armed sites, sorted by name."""
    query = (
        select(site_table.c.name)
        .join(control_state, control_state.c.site_key == site_table.c.site_key)
        .where(control_state.c.armed_at.is_not(None))
    )
    return list(connection.scalars(query.order_by(site_table.c.name)))


def list_planned(connection: Connection, refresh: Literal["armed", "all"]) -> list[str]:
    """Return the sites that are replanned on changes, sorted by name.

    The setting "armed" includes sites with an owner's order that no plan contains yet.
    """
    if refresh == "all":
        return sites.names(connection)
    return sorted({*list_armed(connection), *plan_causes.list_ordered(connection)})


def arm(connection: Connection, site_id: str, *, at: datetime, by: str) -> None:
    """Allow commands from now on; an armed site keeps the time of its arming."""
    if load(connection, site_id).armed_at is None:
        _put(connection, site_id, {"armed_at": at, "armed_by": by})


def disarm(connection: Connection, site_id: str) -> None:
    """End all commands and overrides; devices are still returned to their own control."""
    key = sites.key_of(connection, site_id)
    ended = exists().where(control_state.c.site_key == key, control_state.c.override.is_not(None))
    ended_elsewhere = exists().where(
        control_devices.c.site_key == key, control_devices.c.override.is_not(None)
    )
    if connection.scalar(select(ended | ended_elsewhere)):
        plan_causes.note(connection, [key], "override")
    ended_orders = {"override": null(), "paused": null()}
    _put(connection, site_id, {"armed_at": None, "armed_by": None} | ended_orders)
    connection.execute(
        control_devices.update().where(control_devices.c.site_key == key).values(ended_orders)
    )


def override(
    connection: Connection,
    site_id: str,
    override_value: Override | None,
    *,
    device: str = BATTERIES,
) -> None:
    """Store the owner's override of a device's plan; None removes it."""
    stored = null() if override_value is None else override_value.model_dump(mode="json")
    _put(connection, site_id, {"override": stored}, device=device)
    plan_causes.note(connection, [sites.key_of(connection, site_id)], "override")


def pause(
    connection: Connection, site_id: str, paused: ControlPause | None, *, device: str = BATTERIES
) -> None:
    """Store that a device is handed back and left alone.

    None: it follows its plans again.
    """
    stored = null() if paused is None else paused.model_dump(mode="json")
    _put(connection, site_id, {"paused": stored}, device=device)


def report(
    connection: Connection, state: ControlState, reports: Mapping[str, DeviceReport]
) -> None:
    """Store what was read of a device."""
    documents = {name: read.model_dump(mode="json") for name, read in reports.items()}
    _put(connection, state.site, {"reports": documents}, device=state.device)


def decide(connection: Connection, state: ControlState, decision: Decision) -> bool:
    """Store a decision or its progress.

    Return False, and store nothing, where ``state`` is no longer the current version.
    """
    key = sites.key_of(connection, state.site)
    row = {"decision": decision.model_dump(mode="json"), "version": state.version + 1}
    if state.device == BATTERIES:
        batteries = control_state.update().where(
            control_state.c.site_key == key, control_state.c.version == state.version
        )
        return connection.execute(batteries.values(row)).rowcount == 1
    new_row = insert(control_devices).values(site_key=key, device=state.device, **row)
    current = control_devices.c.version == state.version
    written = new_row.on_conflict_do_update(
        index_elements=["site_key", "device"], set_=row, where=current
    ).returning(control_devices.c.version)
    return connection.execute(written).first() is not None


def record(
    connection: Connection,
    state: ControlState,
    decision: Decision,
    confirmed: Mapping[str, str] | None,
) -> None:
    """Append a decision to the log."""
    row = {
        "site_key": sites.key_of(connection, state.site),
        "device": state.device,
        "slot_start": decision.slot_start,
        "decided_by": decision.decided_by,
        "plan_id": decision.plan_id,
        "requested": _document(decision.requested),
        "allowed": _document(decision.allowed),
        "confirmed": null() if confirmed is None else dict(confirmed),
        "reason": decision.reason,
        "asked_by": None if decision.override is None else decision.override.by,
    }
    connection.execute(control_log.insert().values(row))


def read_log(connection: Connection, site_id: str, *, limit: int) -> list[ControlEntry]:
    """Return the last entries of a site's log, the latest first."""
    return [entry for _, entry in read_log_page(connection, site_id, limit=limit)]


def read_log_page(
    connection: Connection,
    site_id: str,
    *,
    limit: int,
    slots: tuple[datetime | None, datetime | None] = (None, None),
    below: int | None = None,
) -> list[tuple[int, ControlEntry]]:
    """Return a page of a site's log with entry numbers, the latest first.

    ``slots`` bounds the slots (None: unbounded), ``below`` the entry numbers.
    """
    log = control_log.c
    first, end = slots
    bounds = []
    if first is not None:
        bounds.append(log.slot_start >= first)
    if end is not None:
        bounds.append(log.slot_start < end)
    if below is not None:
        bounds.append(log.entry_id < below)
    columns = [log[name] for name in ControlEntry.model_fields]
    query = select(log.entry_id, *columns).where(
        log.site_key == sites.key_of(connection, site_id), *bounds
    )
    return read_page(connection, query.order_by(log.entry_id.desc()), _entry, limit=limit)


def read_last_entry(connection: Connection, state: ControlState) -> tuple[str, datetime] | None:
    """Return reason and slot of a device's last log entry, if there is one."""
    log = control_log.c
    query = (
        select(log.reason, log.slot_start)
        .where(log.site_key == sites.key_of(connection, state.site), log.device == state.device)
        .order_by(log.entry_id.desc())
        .limit(1)
    )
    last = connection.execute(query).first()
    return None if last is None else (last.reason, last.slot_start)


def read_deciders(
    connection: Connection, site_id: str, *, first: datetime, end: datetime
) -> dict[datetime, str]:
    """Return who decided for the batteries per slot in ``first`` ≤ slot < ``end``.

    The last decision of a slot counts.
    """
    log = control_log.c
    query = (
        select(log.slot_start, log.decided_by)
        .where(
            log.site_key == sites.key_of(connection, site_id),
            log.device == BATTERIES,
            log.slot_start >= first,
            log.slot_start < end,
        )
        .order_by(log.entry_id)
    )
    rows = connection.execute(query)
    return {row.slot_start.astimezone(UTC): row.decided_by for row in rows}


_RUNS = ("on", "charge", "give")


def read_steering_each(
    connection: Connection, sites_by_key: Mapping[int, Site], *, first: datetime, end: datetime
) -> dict[int, Steering]:
    """Return the steered slots of devices in ``first`` ≤ slot < ``end``, by site key.

    Luna or an owner steered them.

    Steering changes what is measured.

    Confirmed commands count, whoever decided them; owners' blocks and operators' limits of feed-in
    even without a command.
    """
    log = control_log.c
    # Set-points are keyed by the device's name: the part of its key after the colon, or the whole
    # key without one.
    setpoint = log.allowed[func.split_part(log.device, ":", -1)]
    is_curtailed = (log.device == "pv") & (setpoint["mode"].astext != "free")
    ran = setpoint["mode"].astext.in_(_RUNS)
    is_dimmed = log.reason == "operator_limit"
    within = (
        log.site_key.in_(sites_by_key)
        & (log.slot_start >= first)
        & (log.slot_start < end)
        & log.confirmed.is_not(None)
        & (log.device != BATTERIES)
    )
    columns = (
        log.site_key,
        log.slot_start,
        log.device,
        setpoint["mode"].astext.label("mode"),
        setpoint["limit_kw"].astext.label("limit_kw"),
    )
    limits: dict[int, list[tuple[datetime, float]]] = {}
    runs: dict[int, list[datetime]] = {}
    for key, start, device, mode, limit_kw in connection.execute(
        select(*columns).where(within, is_curtailed | ran | is_dimmed)
    ):
        at = start.astimezone(UTC).replace(tzinfo=None)
        if device == "pv" and mode == "free":
            continue
        if device == "pv":
            limit_kwh = float("inf")
            if mode == "limit" and limit_kw is not None:
                limit_kwh = float(limit_kw) * (SLOT / timedelta(hours=1))
            limits.setdefault(key, []).append((at, 0.0 if mode == "off" else limit_kwh))
        elif not is_metered_apart(sites_by_key[key], device):
            runs.setdefault(key, []).append(at)
    limits_each = operator_limits.list_between_each(connection, sites_by_key, first, end)
    for key, operator_limits_of_site in limits_each.items():
        for limit in operator_limits_of_site:
            limits.setdefault(key, []).extend(_list_limited(limit, first=first, end=end))
    blocks_each = manual_blocks.read_runs_each(connection, sites_by_key, first=first, end=end)
    for key, blocks in blocks_each.items():
        steered = runs.setdefault(key, [])
        for block in blocks:
            steered += _list_run(sites_by_key[key], block, first=first, end=end)
    return {key: _steering(limits.get(key, []), runs.get(key, [])) for key in sites_by_key}


def _list_run(site: Site, block: ManualBlock, *, first: datetime, end: datetime) -> list[datetime]:
    """Return the slots (UTC, naive) in which a block ran a device of the metered house."""
    device: str | None = None
    for kind in DEVICE_KINDS:
        if not kind.commands or not kind.consumption.meter:
            continue
        if block.device in {device_of_kind.name for device_of_kind in kind.of(site)}:
            device = kind.commands.key(block.device)
            break
    if device is None or is_metered_apart(site, device):
        return []
    begin = floor_to(max(block.from_, first), SLOT).astimezone(UTC).replace(tzinfo=None)
    end_of_run = min(block.to, end).astimezone(UTC).replace(tzinfo=None)
    slot_count = -((begin - end_of_run) // SLOT)
    return [begin + step * SLOT for step in range(slot_count)]


def _list_limited(
    limit: OperatorLimit, *, first: datetime, end: datetime
) -> Iterator[tuple[datetime, float]]:
    """Yield the slots (UTC, naive) in which an operator limited feed-in.

    With the energy from which on PV may have been held back: whatever the house leaves where
    nothing may be fed in.
    """
    if limit.export_kw is None:
        return
    limit_kwh = limit.export_kw * (SLOT / timedelta(hours=1)) or float("inf")
    slot = floor_to(max(limit.start, first), SLOT)
    last = end if limit.end is None else min(limit.end, end)
    while slot < last:
        yield slot.astimezone(UTC).replace(tzinfo=None), limit_kwh
        slot += SLOT


def _steering(limits: Sequence[tuple[datetime, float]], runs: Sequence[datetime]) -> Steering:
    if not limits and not runs:
        return NO_STEERING
    starts = np.array([at for at, _ in limits], dtype="datetime64[s]")
    limit_kwh = np.array([limit for _, limit in limits], dtype=np.float64)
    return Steering(starts, limit_kwh, np.array(runs, dtype="datetime64[s]"))


# Columns that the rows of batteries and of other devices share.
_OWN = ("override", "decision", "version", "reports", "paused")
_DOCUMENTS: dict[str, type[BaseModel]] = {
    "override": Override,
    "decision": Decision,
    "paused": ControlPause,
}


def _state(fields: Mapping[str, Any]) -> ControlState:
    """Return a control state.

    An override or a decision in another release's form is dropped; the next one replaces it.
    """
    readable = dict(fields)
    readable["reports"] = _read_reports(fields.get("reports"))
    for name, model in _DOCUMENTS.items():
        if name in fields:
            readable[name] = _read_document(fields[name], model)
    return ControlState.model_validate(readable)


def _read_reports(documents: Mapping[str, Any] | None) -> dict[str, DeviceReport]:
    reports = {}
    for name, document in (documents or {}).items():
        device_report = _read_document(document, DeviceReport)
        if device_report is not None:
            reports[name] = device_report
    return reports


def _read_document(document: object, model: type[ModelT]) -> ModelT | None:
    """Return a stored document; None without one that can be read."""
    if document is None:
        return None
    return next(iter(read_each([document], model.model_validate)), None)


def _entry(row: RowMapping) -> tuple[int, ControlEntry]:
    return row["entry_id"], ControlEntry.model_validate(
        {name: row[name] for name in ControlEntry.model_fields}
    )


def _document(setpoints: Mapping[str, Setpoint]) -> dict[str, Any]:
    return {name: setpoint.model_dump(mode="json") for name, setpoint in setpoints.items()}


def _put(
    connection: Connection, site_id: str, values: Mapping[str, Any], *, device: str = BATTERIES
) -> None:
    table = control_state
    key: dict[str, Any] = {"site_key": sites.key_of(connection, site_id)}
    if device != BATTERIES:
        table = control_devices
        key["device"] = device
    statement = insert(table).values(**key, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=dict(values)))
