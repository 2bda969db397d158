"""Run a replay over all its days, or resume an interrupted one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from luna.contracts.replay import Fault, ReplayReply
from luna.energy.timeline import local_dates
from services.planner.devices import PLANNED_KINDS
from services.planner.replay.data import ReplayData, Rules
from services.planner.replay.days import DayResult, PolicyDay, simulate_day
from services.planner.replay.faults import FaultEffects, TimedFault, draw_faults
from services.planner.replay.policies import CarryOver, MakePlan
from services.planner.replay.policy_factory import (
    PolicyFactory,
    PolicyRun,
    plan_with_hindsight,
    require_policies,
)
from services.planner.replay.results import OracleDay, ReplayResults, list_oracle_days

# Policies with ever less perfect information and the unknown that each adds, to attribute losses.
LOSS_STEPS = {"mpc_perfect": "horizon", "mpc_perfect_pv": "load_forecast", "mpc": "pv_forecast"}
# The reference policies: no control, perfect foresight, and the inverters' self-consumption.
YARDSTICKS = ("idle", "oracle", "self_consumption")
TOGETHER = "all"

Progress = Callable[[int, int, str], None]
DayRecords = Mapping[str, PolicyDay]


@dataclass(frozen=True, slots=True)
class ReplaySpec:
    """The policies, slots between two plans, and faults of a replay.

    ``seed`` draws the instants of faults without one. ``agents`` maps the names of trained
    policies to their planning functions. ``explain_loss`` also replays ``mpc`` with perfect
    information of some kinds, to attribute its loss to forecast errors.
    """

    policies: Sequence[str]
    every: int
    faults: Sequence[Fault] = ()
    seed: int = 0
    agents: Mapping[str, MakePlan] = field(default_factory=dict)
    explain_loss: bool = True

    @property
    def loss_steps(self) -> Mapping[str, str]:
        """``LOSS_STEPS`` if losses are to be explained, else empty."""
        return LOSS_STEPS if self.explain_loss and "mpc" in self.policies else {}


@dataclass(frozen=True, slots=True)
class DayLog:
    """Log of simulated days: the stored ones in order, and the receiver of each further one."""

    stored: Sequence[DayRecords] = ()
    keep: Callable[[DayResult], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Replayed:
    """The result of a replay: the reply, and the oracle's days."""

    reply: ReplayReply
    oracle: list[OracleDay]


@dataclass(frozen=True)
class PolicyRuns:
    """All runs: every policy without faults, and each affected policy once per fault.

    With several faults there is also a run with all at once. ``faulty`` maps the position of a
    fault, or ``TOGETHER``, to the labels of its runs by policy.
    """

    policies: Sequence[str]
    faults: Sequence[TimedFault]
    faulty: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, spec: ReplaySpec, scene: ReplayData) -> "PolicyRuns":
        faults = draw_faults(spec.faults, scene.timeline, seed=spec.seed)
        policies = list(dict.fromkeys([*spec.policies, *YARDSTICKS, *spec.loss_steps]))
        affected = [name for name in dict.fromkeys(spec.policies) if name not in ("idle", "oracle")]
        keys = [str(place) for place in range(len(faults))]
        if len(faults) > 1:
            keys.append(TOGETHER)
        faulty = {}
        for key in keys:
            faulty[key] = {name: f"{name} {key}" for name in affected}
        return cls(policies, faults, faulty)

    def policy_runs(self, scene: ReplayData) -> list[PolicyRun]:
        runs = [PolicyRun(name, name) for name in self.policies]
        for key, labels in self.faulty.items():
            faults = self.faults if key == TOGETHER else [self.faults[int(key)]]
            fault_effects = FaultEffects.of(scene, faults)
            for name, label in labels.items():
                runs.append(PolicyRun(label, name, fault_effects))
        return runs


def replay(
    scene: ReplayData, policies: Sequence[str], *, every: int, progress: Progress | None = None
) -> ReplayReply:
    """Return each policy's cost over the scene and its share of the oracle's savings.

    Args:
        scene: recorded energies, prices and forecasts.
        policies: names of ``POLICIES``; the reference policies are replayed in any case.
        every: slots between two plans; each local day begins with one.
        progress: receives slots done, slots in all, and the local day.

    Raises:
        InvalidInputError: an unknown policy.
    """
    return run(scene, ReplaySpec(policies, every), progress=progress).reply


def run(
    scene: ReplayData,
    spec: ReplaySpec,
    *,
    book: DayLog | None = None,
    progress: Progress | None = None,
) -> Replayed:
    """Simulate the days that are not in the log yet, and return the results of all.

    Raises:
        InvalidInputError: an unknown policy.

    Invariants: a replay resumed from its log gives the same reply bit for bit as an uninterrupted
        one; one seed draws the same instants of faults.
    """
    require_policies(spec.policies, spec.agents)
    rules = Rules.of(scene)
    runs = PolicyRuns.of(spec, scene)
    factory = PolicyFactory(
        scene, rules, spec.every, plan_with_hindsight(scene, rules), spec.agents
    )
    days = _simulate_days(factory, runs.policy_runs(scene), book or DayLog(), progress)
    dates = list(dict.fromkeys(local_dates(scene.timeline, scene.zone)))
    days_by_label = {label: [day[label] for day in days] for label in days[0]}
    results = ReplayResults(scene, rules, factory.oracle, dates, days_by_label)
    faults = []
    for key, labels in runs.faulty.items():
        timed = None if key == TOGETHER else runs.faults[int(key)]
        faults.append(results.fault(timed, labels))
    as_recorded: list[str] = []
    for kind in PLANNED_KINDS:
        as_recorded.extend(device.name for device in getattr(scene.site, kind.section))
    batteries = zip(scene.site.batteries, rules.initial_kwh[:, 0], strict=True)
    reply = ReplayReply(
        policies={name: results.describe(name) for name in spec.policies},
        slots=scene.timeline.count,
        currency=scene.site.currency,
        initial_soc={battery.name: float(kwh) / battery.capacity_kwh for battery, kwh in batteries},
        loss=_losses(results) if spec.loss_steps else {},
        faults=faults,
        seed=spec.seed,
        as_recorded=as_recorded,
    )
    return Replayed(reply, list_oracle_days(results))


def _simulate_days(
    factory: PolicyFactory,
    policy_runs: Sequence[PolicyRun],
    book: DayLog,
    progress: Progress | None,
) -> list[DayRecords]:
    """Return the stored and the further days."""
    initial = [float(kwh) for kwh in factory.rules.initial_kwh[:, 0]]
    drawn = factory.scene.begin_drawn_kwh
    begin = CarryOver(stored_kwh=initial, seen_kwh=initial, drawn_kwh=drawn)
    days = list(book.stored)
    for slots in factory.scene.days[len(days) :]:
        if days:
            standings = {run.label: days[-1][run.label].standing for run in policy_runs}
        else:
            standings = {run.label: begin for run in policy_runs}
        result = simulate_day(factory, policy_runs, slots, standings)
        book.keep(result)
        days.append(result.records)
        if progress is not None:
            progress(slots[1], factory.scene.timeline.count, result.day.isoformat())
    return days


def _losses(results: ReplayResults) -> dict[str, float]:
    """Return the loss by each unknown of ``LOSS_STEPS``, in points of score.

    Empty where a score is undefined.
    """
    losses = {}
    before = 1.0
    for name, unknown in LOSS_STEPS.items():
        score = results.score(name)
        if score is None:
            return {}
        losses[unknown] = 100 * (before - score)
        before = score
    return losses
