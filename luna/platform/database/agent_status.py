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
# The kind of evidence whose days a reason mentions; of others both.
_KIND_OF_REASON = {"replay_days": "replay", "shadow_days": "shadow", "new_evidence": "shadow"}


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
    evidence_by_kind: dict[str, GateEvidence] = {}
    for kind, needed in NEEDED.items():
        evidence_by_kind[kind] = GateEvidence(kind=kind, days=0, needed=needed)
    last = standing.get("full_control")
    if last is not None:
        for evidence in last.evidence:
            evidence_by_kind[evidence.kind] = evidence
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
    decision = standing.get(mode)
    state: GateState = "not_ready"
    if mode == effective.mode:
        state = "active"
    elif decision is not None:
        state = decision.state or "not_ready"
    elif mode == "shadow":
        state = "offered"
    if decision is None:
        code = "always" if mode == "shadow" else "not_judged"
        reason = REASONS.say(code, language)
        return ModeStanding(mode=mode, state=state, reason=reason, reason_code=code)
    kind = _KIND_OF_REASON.get(decision.reason, "both")
    days = 0
    needed = 0
    for evidence in decision.evidence:
        if evidence.kind == kind:
            days = evidence.days
            needed = evidence.needed
            break
    return ModeStanding(
        mode=mode,
        state=state,
        reason=REASONS.say(decision.reason, language, days=days, needed=needed),
        reason_code=decision.reason,
        better=decision.better,
        decided_by=decision.decided_by,
        decided_at=decision.at,
        evidence=decision.evidence,
    )


def _choose_step(
    run: TrainingRun | None,
    last: GateEntry | None,
    evidence: dict[str, GateEvidence],
    *,
    requested: ControlMode,
) -> tuple[str, dict[str, int]]:
    """Return the code of the next step towards control, with its figures."""
    # The kind of evidence that is missing.
    kind = None
    if run is None:
        code = "train"
    elif last is None:
        code = "judge"
    elif last.state == "withdrawn" and last.decided_by == GATEKEEPER:
        code = "prove_again"
        kind = "shadow"
    elif last.state == "withdrawn":
        code = "restore"
    elif last.state == "offered":
        code = "ask" if requested == "shadow" else "none"
    elif last.reason == "replay_days":
        code = kind = "replay"
    elif last.reason == "shadow_days":
        code = kind = "shadow"
    else:
        code = "improve"
    if kind is None:
        return code, {}
    return code, {"missing": max(evidence[kind].needed - evidence[kind].days, 0)}
