"""Describe the status of a site's agent on the way to control.

It is shared by all surfaces.
"""

from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from luna.contracts.agent import AGENT_POLICIES, SHADOW_POLICIES, version_of
from luna.contracts.agent_control import (
    CONTROL_MODES,
    GATEKEEPER,
    REPLAY_DAYS,
    SHADOW_DAYS,
    AgentStatus,
    ControlMode,
    GateEntry,
    GateEvidence,
    GateState,
    ModeStanding,
)
from luna.energy.site import Site
from luna.platform.database import agent_gates, agent_plans, training_runs
from luna.platform.database.agent_gates import EffectiveMode, LastDecisions, find_effective_mode
from luna.platform.database.training_runs import TrainingRun
from luna.words.agent import MODES, NEXT_STEPS, REASONS
from luna.words.language import Language

NEEDED: dict[Literal["replay", "shadow", "both"], int] = {
    "replay": REPLAY_DAYS,
    "shadow": SHADOW_DAYS,
    "both": REPLAY_DAYS + SHADOW_DAYS,
}


def read_status(
    connection: Connection, site: Site, *, now: datetime, language: Language = "en"
) -> AgentStatus:
    """Return the status of a stored site's agent.

    Raises:
        NotFoundError: no such site.
    """
    chosen = site.antares.shadow_policy_type
    policy = SHADOW_POLICIES[chosen]
    requested = site.antares.control_mode
    standing = agent_gates.read_standing(connection, site.name, policy=policy)
    run = find_run(connection, site.name, policy=policy, before=now)
    effective = find_effective_mode(requested, standing)
    shadow_count = agent_plans.count(connection, site.name, policy=policy)
    # Without a judgement of full control there is no evidence: zero days of each kind.
    last = standing.get("full_control")
    by_kind = {evidence.kind: evidence for evidence in last.evidence} if last else {}
    evidence_by_kind: dict[str, GateEvidence] = {
        kind: by_kind.get(kind, GateEvidence(kind=kind, days=0, needed=needed))
        for kind, needed in NEEDED.items()
    }
    aim: ControlMode = "full_control" if requested == "shadow" else requested
    code, figures = _choose_step(run, standing.get(aim), evidence_by_kind, requested=requested)
    return AgentStatus(
        site_id=site.name,
        policy=policy,
        shadow_policy_type=chosen,
        wanted=requested,
        mode=effective.mode,
        run_id=None if run is None else run.run_id,
        trained_at=None if run is None else run.data_until,
        last_shadow_plan=shadow_count.last,
        shadow_plans=shadow_count.plans,
        evidence=list(evidence_by_kind.values()),
        modes=[_describe(mode, standing, effective, language) for mode in CONTROL_MODES],
        next_step=NEXT_STEPS.say(code, language, mode=MODES.say(aim, language), **figures),
        next_step_code=code,
        judged_at=agent_gates.last_judged(connection, site.name, policy=policy),
    )


def find_run(
    connection: Connection, site_id: str, *, policy: str, before: datetime | None = None
) -> TrainingRun | None:
    """Return the latest accepted training of a policy, if any.

    With ``before`` only a training whose training and selection data end by then.
    """
    return training_runs.latest(
        connection, site_id, version=version_of(AGENT_POLICIES[policy]), unseen=before
    )


def _describe(
    mode: ControlMode, standing: LastDecisions, effective: EffectiveMode, language: Language
) -> ModeStanding:
    entry = standing.get(mode)
    if entry is None:
        code = "always" if mode == "shadow" else "not_judged"
        state: GateState = "offered" if mode == "shadow" else "not_ready"
        return ModeStanding(
            mode=mode,
            state="active" if mode == effective.mode else state,
            reason=REASONS.say(code, language),
            reason_code=code,
        )
    state = "active" if mode == effective.mode else entry.state or "not_ready"
    # The kind of evidence whose days the reason mentions.
    kind = {"replay_days": "replay", "shadow_days": "shadow", "new_evidence": "shadow"}.get(
        entry.reason, "both"
    )
    evidence = next((judged for judged in entry.evidence if judged.kind == kind), None)
    reason = REASONS.say(
        entry.reason,
        language,
        days=evidence.days if evidence else 0,
        needed=evidence.needed if evidence else 0,
    )
    judgement = {
        "better": entry.better,
        "decided_by": entry.decided_by,
        "decided_at": entry.at,
        "evidence": entry.evidence,
    }
    return ModeStanding(
        mode=mode, state=state, reason=reason, reason_code=entry.reason, **judgement
    )


def _choose_step(
    run: TrainingRun | None,
    last: GateEntry | None,
    evidence: dict[str, GateEvidence],
    *,
    requested: ControlMode,
) -> tuple[str, dict[str, int]]:
    """Return the code of the next step towards control, with its figures."""
    missing_days = {
        kind: {"missing": max(judged.needed - judged.days, 0)} for kind, judged in evidence.items()
    }
    if run is None:
        return "train", {}
    if last is None:
        return "judge", {}
    if last.state == "withdrawn":
        if last.decided_by == GATEKEEPER:
            return "prove_again", missing_days["shadow"]
        return "restore", {}
    if last.state == "offered":
        code = "ask" if requested == "shadow" else "none"
        return code, {}
    steps = {
        "replay_days": ("replay", missing_days["replay"]),
        "shadow_days": ("shadow", missing_days["shadow"]),
    }
    return steps.get(last.reason, ("improve", {}))
