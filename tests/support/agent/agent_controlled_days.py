"""Days of a site whose agent plans beside the planner, and whose owner lets it decide."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Engine

from luna.contracts.agent_control import (
    GATEKEEPER,
    ControlMode,
    GateEntry,
    ShadowPlanRequest,
    ShadowPlanSummary,
)
from luna.contracts.control import ControlEntry
from luna.contracts.plan import PlanOptions, PlanReply
from luna.drivers.control.device import DryRun
from luna.energy.physics.mode import Mode
from luna.energy.timeline import SLOT, Timeline
from luna.platform.database import agent_gates, agent_plans, control, observations
from luna.platform.database.engine import unit_of_work
from services.agent.policy import AgentPolicy
from services.agent.shadow import plan_beside
from tests.support.agent.agents import loading
from tests.support.control.executor import BATTERY, Home
from tests.support.control.inverters import describe
from tests.support.control.lived_days import FIRST, TARIFF, LivedDays

ALL_MODES = {mode.word: mode.word for mode in Mode}
POLICY = "antares"


class SteeredDays(LivedDays):
    """A site whose agent plans beside the planner, and whose owner lets it decide."""

    def __init__(
        self,
        database: Engine,
        agent: AgentPolicy,
        wanted: ControlMode,
        *,
        plan_every: timedelta = timedelta(0),
    ) -> None:
        section = describe("dry_run", modes=ALL_MODES)
        batteries = [{"name": "battery"} | BATTERY]
        parts = {
            "tariff": TARIFF,
            "batteries": batteries,
            "pv": [{"name": "roof", "peak_kw": 5}],
            "antares": {"control_mode": wanted},
        }
        home = Home(database, lambda _: DryRun(), section, **parts)
        home.arm()
        super().__init__(home, section, plan_every=plan_every)
        self.agent = agent
        self.beside = self.plan_beside
        # What another mode has to gain, per kWh: it leaves the agent something to be cheaper by.
        self.options = PlanOptions(switching_price=0.1)
        home.clock.instant = FIRST

    def plan_beside(self, plan_id: str) -> None:
        plan_beside(
            self.home.database,
            ShadowPlanRequest(plan_id=plan_id),
            loading(self.agent),
            clock=self.home.clock,
        )

    def decide(self, mode: ControlMode, state: str, *, by: str = GATEKEEPER) -> None:
        kind = {"offered": "judged", "withdrawn": "withdrawn"}[state]
        about = {
            "at": self.home.clock.now(),
            "kind": kind,
            "policy": POLICY,
            "mode": mode,
            "state": state,
            "reason": "by_owner",
            "decided_by": by,
        }
        with unit_of_work(self.home.database) as connection:
            agent_gates.record(connection, self.home.name, GateEntry.model_validate(about))

    def run(self, slots: int, first: int = 0) -> list[ControlEntry]:
        """Live slots and return what was decided about each, in order."""
        for slot in range(first, first + slots):
            self.live(slot)
        return self.read_log(first)

    def read_log(self, first: int = 0) -> list[ControlEntry]:
        """Return what was decided about each slot from one on, in order."""
        with unit_of_work(self.home.database) as connection:
            log = control.read_log(connection, self.home.name, limit=2000)
        start = FIRST + first * SLOT
        return sorted(
            (entry for entry in log if entry.slot_start >= start),
            key=lambda entry: entry.slot_start,
        )

    def read_plan(self, plan_id: str | None) -> PlanReply:
        with unit_of_work(self.home.database) as connection:
            return agent_plans.load(connection, str(plan_id))

    def soc_before(self, at: datetime) -> float:
        """How full the battery was when a slot began, as it was recorded."""
        with unit_of_work(self.home.database) as connection:
            return float(
                observations.read(connection, self.home.name, Timeline(at - SLOT, SLOT, 1)).soc[0]
            )

    def summaries(self) -> list[ShadowPlanSummary]:
        with unit_of_work(self.home.database) as connection:
            return agent_plans.list_newest(connection, self.home.name, limit=500)

    def verdicts(self) -> list[str]:
        return [each.verdict.code for each in self.summaries()]


def read_told(plan: PlanReply, home: Home, at: datetime, soc: float, before: str) -> dict[str, Any]:
    """Return what the thresholds of a plan say of a slot."""
    battery = home.site(None).batteries[0]
    place = (at - plan.slots[0].start) // timedelta(minutes=plan.slot_minutes)
    policy = plan.thresholds["battery"].policy(battery)
    told = policy.read(
        slice(place, place + 1), np.array([Mode[before.upper()]], dtype=np.int8), np.array([soc])
    )
    return {
        "mode": Mode(int(told.mode[0, 0])).word,
        "target_soc": round(float(told.target_soc[0, 0]), 9),
    }
