"""Change an owner's settings of a site's agent; shared by all surfaces.

These are its shadow policy, its control mode, and the withdrawal of control.

A requested mode is not evidence: the gatekeeper decides whether to offer it. Withdrawal needs no
evidence.
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
    """Return the owner's settings of a site's agent."""
    return AgentSettings(
        shadow_policy_type=site.antares.shadow_policy_type, control_mode=site.antares.control_mode
    )


def change_settings(
    connection: Connection,
    site_id: str,
    change: AgentSettingsChange,
    *,
    version: int | None,
    by: str,
    now: datetime,
) -> tuple[Site, int]:
    """Store the owner's settings of the agent as the site's next version, and return both.

    Unchanged settings keep the version.

    Requesting a mode undoes its withdrawal: it gets the state from before.

    Args:
        connection: to the database.
        site_id: of a stored site.
        change: the fields to change.
        version: of the site, as the caller read it; None: any.
        by: the requesting user.
        now: the instant.

    Raises:
        NotFoundError: no such site.
        OutdatedError: the site has another version.
    """
    stored = sites.read(connection, site_id)
    settings = stored.site.antares.model_copy(update=change.model_dump(exclude_none=True))
    site = stored.site.model_copy(update={"antares": settings})
    changed = stored.version
    if version is not None:
        changed = sites.change(connection, site, version=version)
    elif site != stored.site:
        changed = sites.change(connection, site, version=stored.version)
    if change.control_mode is not None:
        _ask(connection, site, change.control_mode, by=by, now=now)
    return site, changed


def withdraw(connection: Connection, site_id: str, *, by: str, now: datetime) -> list[GateEntry]:
    """Withdraw every control mode from the agent.

    Effective from the executor's next look, until a person restores it.

    Raises:
        NotFoundError: no such site.
    """
    policy = SHADOW_POLICIES[sites.load(connection, site_id).antares.shadow_policy_type]
    entries = []
    for mode in CONTROL_MODES:
        if mode == "shadow":
            continue
        entry = _decide("withdrawn", policy, mode, by=by, now=now)
        agent_gates.record(connection, site_id, entry)
        entries.append(entry)
    return entries


def _ask(
    connection: Connection, site: Site, requested: ControlMode, *, by: str, now: datetime
) -> None:
    policy = SHADOW_POLICIES[site.antares.shadow_policy_type]
    standing = agent_gates.read_standing(connection, site.name, policy=policy)
    request = GateEntry(
        at=now,
        kind="asked",
        policy=policy,
        mode=requested,
        state=None,
        reason=BY_OWNER,
        decided_by=by,
    )
    agent_gates.record(connection, site.name, request)
    for mode in CONTROL_MODES[1 : CONTROL_MODES.index(requested) + 1]:
        if mode not in standing or standing[mode].state != "withdrawn":
            continue
        before = agent_gates.find_before_withdrawal(connection, site.name, policy=policy, mode=mode)
        entry = _decide("restored", policy, mode, by=by, now=now)
        if before is not None:
            # Restoring adds no evidence: that of the decision before stays.
            names = ("state", "reason", "better", "evidence")
            entry = entry.model_copy(update={name: getattr(before, name) for name in names})
        agent_gates.record(connection, site.name, entry)


def _decide(kind: str, policy: str, mode: ControlMode, *, by: str, now: datetime) -> GateEntry:
    state = "withdrawn" if kind == "withdrawn" else "not_ready"
    return GateEntry.model_validate(
        {
            "at": now,
            "kind": kind,
            "policy": policy,
            "mode": mode,
            "state": state,
            "reason": BY_OWNER,
            "decided_by": by,
        }
    )
