"""What owners ask of a site's agent, wherever they ask it: which policy plans in shadow, what it may decide, and to give control back at once.

Asking for a mode is no evidence: the gatekeeper offers it or not. Taking control away needs none.
"""

from datetime import datetime

from sqlalchemy import Connection

from luna.contracts.agent import SHADOW_POLICIES
from luna.contracts.agent_control import CONTROL_MODES, ControlMode, GateEntry
from luna.contracts.agent_standing import AgentSettings, AgentSettingsChange
from luna.energy.site import Site
from luna.platform.database import agent_gates, sites

BY_OWNER = "by_owner"


def read_settings(site: Site) -> AgentSettings:
    """Return what the owner of a site wants of its agent."""
    return AgentSettings(shadow_policy_type=site.antares.shadow_policy_type, control_mode=site.antares.control_mode)


def change_settings(connection: Connection, site_id: str, change: AgentSettingsChange, *, version: int | None, by: str, now: datetime) -> tuple[Site, int]:
    """Store what the owner wants of the agent as the site's next version, and return both; where nothing changes, the version stays.

    Naming a mode gives back what of it was withdrawn: it is then as it was before.

    Args:
        connection: to the database.
        site_id: of a stored site.
        change: what is to change.
        version: of the site, as the caller read it; None: whatever it is.
        by: who asks.
        now: when.

    Raises:
        NotFoundError: no such site.
        OutdatedError: the site has another version.
    """
    stored = sites.read(connection, site_id)
    settings = stored.site.antares.model_copy(update=change.model_dump(exclude_none=True))
    site = stored.site.model_copy(update={"antares": settings})
    changed = (
        stored.version if version is None and site == stored.site else sites.change(connection, site, version=stored.version if version is None else version)
    )
    if change.control_mode is not None:
        _ask(connection, site, change.control_mode, by=by, now=now)
    return site, changed


def withdraw(connection: Connection, site_id: str, *, by: str, now: datetime) -> list[GateEntry]:
    """Take every mode of control from the agent; it holds from the next look of the executor on, and until a person gives it back.

    Raises:
        NotFoundError: no such site.
    """
    policy = SHADOW_POLICIES[sites.load(connection, site_id).antares.shadow_policy_type]
    entries = [_decide("withdrawn", policy, mode, by=by, now=now) for mode in CONTROL_MODES if mode != "shadow"]
    for entry in entries:
        agent_gates.record(connection, site_id, entry)
    return entries


def _ask(connection: Connection, site: Site, requested: ControlMode, *, by: str, now: datetime) -> None:
    policy = SHADOW_POLICIES[site.antares.shadow_policy_type]
    standing = agent_gates.read_standing(connection, site.name, policy=policy)
    request = GateEntry(at=now, kind="asked", policy=policy, mode=requested, state=None, reason=BY_OWNER, decided_by=by)
    agent_gates.record(connection, site.name, request)
    for mode in CONTROL_MODES[1 : CONTROL_MODES.index(requested) + 1]:
        if mode in standing and standing[mode].state == "withdrawn":
            before = agent_gates.find_before_withdrawal(connection, site.name, policy=policy, mode=mode)
            entry = _decide("restored", policy, mode, by=by, now=now)
            # Evidence does not come from giving back: it is that of the decision before.
            kept = {} if before is None else {name: getattr(before, name) for name in ("state", "reason", "better", "evidence")}
            agent_gates.record(connection, site.name, entry.model_copy(update=kept))


def _decide(kind: str, policy: str, mode: ControlMode, *, by: str, now: datetime) -> GateEntry:
    state = "withdrawn" if kind == "withdrawn" else "not_ready"
    return GateEntry.model_validate({"at": now, "kind": kind, "policy": policy, "mode": mode, "state": state, "reason": BY_OWNER, "decided_by": by})
