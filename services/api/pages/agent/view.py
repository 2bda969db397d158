"""View of the page Antares: the learning agent's status, evidence, costs and decisions in words and
drawings.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from markupsafe import Markup

from luna.contracts.agent import AGENT_POLICIES, DayPictureReply, TradedSlots
from luna.contracts.agent_control import (
    GATEKEEPER,
    AgentStatus,
    GateEntry,
    GateEvidence,
    ModeStanding,
)
from luna.contracts.agent_standing import AgentRun, AgentScores, ScorePeriod, SlotDecision
from luna.energy.savings import LUNA, POSSIBLE, WITHOUT
from luna.energy.site import Site
from luna.energy.timeline import SLOT, Timeline
from luna.words import Numbers, say_mode, say_policy
from luna.words.agent import REASONS, VERDICTS
from luna.words.charts.edge import draw_interval
from luna.words.charts.savings import DecidedDay, draw_amount, draw_deciders, slot_edges
from luna.words.pages import PageWords

IDLE = "idle"
COLOURS = {IDLE: "bar-rule", WITHOUT: "bar-load", LUNA: "bar-planner", POSSIBLE: "bar-possible"}
DECIDERS = ("planner", "agent", "owner", "rule")


@dataclass(frozen=True, slots=True)
class StoredAgent:
    """The stored state of a site's agent."""

    site: Site
    now: datetime
    status: AgentStatus
    scores: Mapping[ScorePeriod, AgentScores]
    window: Timeline
    slots: Sequence[SlotDecision]
    runs: Sequence[AgentRun]
    gates: Sequence[GateEntry]
    last_day: date | None


class RoadStep(NamedTuple):
    """A step on the way to control: name, state (done, now, ahead), words, and progress (0 to 1;
    None: not counted in days).
    """

    name: str
    state: str
    words: str
    share: float | None = None


class EvidenceView(NamedTuple):
    """A kind of evidence: name, number of days, figures and their drawing.

    The last two are None without a result.
    """

    name: str
    days: str
    figures: str | None
    drawing: Markup | None


class CostBar(NamedTuple):
    """A policy's name, bar and figure in a period."""

    name: str
    drawing: Markup
    figure: str


class CostPeriod(NamedTuple):
    """A period: scored days, the agent's gain, its interval in words, whether it is a gain, and the
    bars (none without a scored day).
    """

    name: str
    days: str
    gain: str | None
    words: str
    good: bool
    bars: Sequence[CostBar]


class SlotRun(NamedTuple):
    """Consecutive slots with one decision, in words."""

    span: str
    who: str
    planner: str
    agent: str
    why: str


class TraceRow(NamedTuple):
    """A policy's cost and trades on the drawn day."""

    name: str
    cost: str
    charged: str
    discharged: str


@dataclass(frozen=True)
class AgentView:
    """The agent in the reader's words and drawings."""

    stored: StoredAgent
    numbers: Numbers
    words: PageWords

    @property
    def status(self) -> AgentStatus:
        """The agent's status."""
        return self.stored.status

    @property
    def policy(self) -> str:
        """The name of the shadow policy."""
        return say_policy(self.status.policy, language=self.numbers.language)

    @property
    def headline(self) -> str:
        """The first sentence of the page."""
        if self.status.run_id is None:
            return self.words("headline_untrained")
        if self.status.mode != "shadow":
            return self.words("headline_" + self.status.mode)
        states = {each.mode: each.state for each in self.status.modes}
        stage = next(
            (
                state
                for state in ("withdrawn", "offered")
                if state in (states["export_only"], states["full_control"])
            ),
            "learning",
        )
        return self.words("headline_" + stage)

    @property
    def withdrawn_at(self) -> datetime | None:
        """When the owner last withdrew control from the agent; None if the owner has not."""
        instants = [
            each.decided_at
            for each in self.status.modes
            if each.state == "withdrawn" and each.decided_by != GATEKEEPER
        ]
        return max((at for at in instants if at is not None), default=None)

    def road(self) -> list[RoadStep]:
        """Return the steps from the first training to control, with their states."""
        at = self.status.trained_at
        has_control = self.status.mode != "shadow"
        detail = (
            self.words("step_trained_ahead")
            if at is None
            else self.words("step_trained_done", day=self.numbers.day(at))
        )
        states = {each.state for each in self.status.modes if each.mode != "shadow"}
        has_offer = bool(states & {"offered", "active"})
        offer = (
            "step_offered_done"
            if has_offer
            else "step_offered_withdrawn"
            if "withdrawn" in states
            else "step_offered_ahead"
        )
        facts = [
            (at is not None, "step_trained", detail, None),
            self._days("step_replayed", "replay"),
            self._days("step_shadow", "shadow"),
            (has_offer, "step_offered", self.words(offer), None),
            (
                has_control,
                "step_control",
                self.words("mode_" + self.status.mode if has_control else "step_control_ahead"),
                None,
            ),
        ]
        here = next((place for place, fact in enumerate(facts) if not fact[0]), None)
        marks = [
            "done" if fact[0] else "now" if place == here else "ahead"
            for place, fact in enumerate(facts)
        ]
        return [
            RoadStep(self.words(fact[1]), state, fact[2], fact[3])
            for fact, state in zip(facts, marks, strict=True)
        ]

    def _days(self, name: str, kind: str) -> tuple[bool, str, str, float | None]:
        evidence = next(each for each in self.status.evidence if each.kind == kind)
        detail = self.words("step_days", days=evidence.days, needed=evidence.needed)
        return (
            evidence.days >= evidence.needed,
            name,
            detail,
            min(evidence.days / evidence.needed, 1.0),
        )

    def evidence(self) -> list[EvidenceView]:
        """Return the evidence so far, by kind."""
        views = []
        for each in self.status.evidence:
            name = self.words("evidence_" + each.kind)
            days = self.words("step_days", days=each.days, needed=each.needed)
            figures = self._say_points(each)
            said = None
            drawing = None
            if (
                figures is not None
                and each.low is not None
                and each.points is not None
                and each.high is not None
            ):
                said = self.words("evidence_figures", **figures)
                drawing = draw_interval(
                    each.low,
                    each.points,
                    each.high,
                    label=self.words("evidence_label", **figures),
                    unit="",
                )
            views.append(EvidenceView(name, days, said, drawing))
        return views

    def tell_evidence(self, standing: ModeStanding) -> str | None:
        """Return the evidence of a mode's last decision, of all days together.

        None without a result.
        """
        evidence = next((each for each in standing.evidence if each.kind == "both"), None)
        figures = None if evidence is None else self._say_points(evidence)
        return (
            None
            if evidence is None or figures is None
            else self.words(
                "evidence_mode", days=evidence.days, corrected=evidence.violations, **figures
            )
        )

    def _say_points(self, evidence: GateEvidence) -> dict[str, str] | None:
        if evidence.points is None or evidence.low is None or evidence.high is None:
            return None
        values = {"points": evidence.points, "low": evidence.low, "high": evidence.high}
        return {key: self.numbers.number(value, 1, signed=True) for key, value in values.items()}

    def cost_periods(self) -> list[CostPeriod]:
        """Return the cost of each period under each policy."""
        periods = []
        for period, scores in self.stored.scores.items():
            of = (scores.to_day - scores.from_day).days + 1
            name = self.words("period_" + period)
            days = self.words("period_days", days=len(scores.days), of=of)
            gain = scores.over_mpc
            if gain is None:
                periods.append(
                    CostPeriod(name, days, None, self.words("period_empty"), good=False, bars=())
                )
                continue
            detail = self.words("dearer" if gain.gain < 0 else "cheaper")
            if gain.low is not None and gain.high is not None:
                bounds = {
                    "low": self.numbers.money(gain.low, signed=True),
                    "high": self.numbers.money(gain.high, signed=True),
                }
                detail = f"{detail} · {self.words('between', **bounds)}"
            policies = [
                policy
                for policy in (IDLE, WITHOUT, LUNA, scores.policy, POSSIBLE)
                if policy in scores.policies
            ]
            costs = [scores.policies[policy].cost for policy in policies]
            bars = [
                CostBar(
                    self.name_policy(policy),
                    draw_amount(
                        cost, COLOURS.get(policy, "bar-agent"), among=costs, beside=costs[0]
                    ),
                    self.numbers.money(cost),
                )
                for policy, cost in zip(policies, costs, strict=True)
            ]
            periods.append(
                CostPeriod(
                    name,
                    days,
                    self.numbers.money(abs(gain.gain)),
                    detail,
                    good=gain.gain >= 0,
                    bars=bars,
                )
            )
        return periods

    def name_policy(self, name: str) -> str:
        """Return a policy's name on this page."""
        return (
            self.words("policy_" + name)
            if self.words.knows("policy_" + name)
            else say_policy(name, language=self.numbers.language)
        )

    def day_columns(self) -> list[str]:
        """Return the policies that have a cost on every day of the table."""
        days = self.stored.scores["month"].days
        return [
            name
            for name in (IDLE, WITHOUT, LUNA, self.status.policy, POSSIBLE)
            if days and all(name in day.cost for day in days)
        ]

    def say_date(self, day: date) -> str:
        """Return a local day in words."""
        return self.numbers.day(datetime.combine(day, time(12), self.numbers.zone))

    def say_moment(self, instant: datetime) -> str:
        """Return an instant in words."""
        return f"{self.numbers.day(instant)}, {self.numbers.clock(instant)}"

    def draw_today(self) -> list[Markup]:
        """Draw who decided today's slots, wide and narrow; nothing without a decision."""
        deciders = {each.start: each.decided_by for each in self.stored.slots}
        if not any(deciders.values()):
            return []
        start = self.stored.window.start
        day = self.stored.window.start.astimezone(self.numbers.zone)
        count = int(
            (datetime.combine(day.date() + timedelta(days=1), time(), self.numbers.zone) - start)
            / SLOT
        )
        edges = slot_edges(start, count, SLOT)
        shares = ", ".join(
            f"{self.words('who_' + who)} {self.numbers.share(share)}"
            for who, share in self.shares().items()
        )
        row = DecidedDay(
            self.numbers.weekday(start), edges, [deciders.get(edge) for edge in edges[:-1]], shares
        )
        return [
            draw_deciders(
                [row], self.numbers, label=f"{self.words('who_label')}: {shares}", narrow=narrow
            )
            for narrow in (False, True)
        ]

    def shares(self) -> dict[str, float]:
        """Return each decider's share of today's decided slots."""
        decided = [each.decided_by for each in self.stored.slots if each.decided_by is not None]
        return {who: decided.count(who) / len(decided) for who in DECIDERS if who in decided}

    def slot_runs(self) -> list[SlotRun]:
        """Return today's slots in words, consecutive ones with one decision together."""
        runs: list[tuple[datetime, datetime, tuple[str, str, str, str]]] = []
        for slot in self.stored.slots:
            modes = [
                say_mode(mode, language=self.numbers.language) if mode else "–"
                for mode in (slot.planner_mode, slot.agent_mode)
            ]
            code = slot.reason or "nobody"
            if code == "planned" and slot.verdict is not None and code not in VERDICTS:
                code = slot.verdict.code
            if code in VERDICTS:
                why = VERDICTS.say(code, self.numbers.language)
            else:
                why = self.words(
                    "why_" + code if self.words.knows("why_" + code) else "why_planned"
                )
            description = (
                self.words("who_" + (slot.decided_by or "nobody")),
                modes[0],
                modes[1],
                why,
            )
            if runs and runs[-1][2] == description and runs[-1][1] == slot.start:
                runs[-1] = (runs[-1][0], slot.start + SLOT, description)
            else:
                runs.append((slot.start, slot.start + SLOT, description))
        return [
            SlotRun(f"{self.numbers.clock(first)}–{self.numbers.clock(end)}", *description)
            for first, end, description in runs
        ]

    def runs(self) -> list[dict[str, Any]]:
        """Return the trainings in words."""
        runs = []
        for run in self.stored.runs:
            use = "run_speaks" if run.speaks else "run_accepted" if run.accepted else "run_rejected"
            first = self.numbers.day_with_year(run.data_from)
            last = self.numbers.day_with_year(run.data_until)
            kind = self.words("kind_" + run.kind)
            card_of = self.words("run_card_of", kind=kind, day=last)
            runs.append(
                {
                    "run": run,
                    "kind": kind,
                    "span": f"{first} – {last}",
                    "use": self.words(use),
                    "card_of": card_of,
                }
            )
        return runs

    def gates(self) -> list[dict[str, str]]:
        """Return the gatekeeper's and owner's last decisions in words."""
        entries = []
        for entry in self.stored.gates:
            by = (
                self.words("by_gatekeeper")
                if entry.decided_by == GATEKEEPER
                else self.words("by_person", name=entry.decided_by)
            )
            kind = {"replay_days": "replay", "shadow_days": "shadow", "new_evidence": "shadow"}.get(
                entry.reason, "both"
            )
            days, needed = next(
                ((each.days, each.needed) for each in entry.evidence if each.kind == kind), (0, 0)
            )
            said = {
                "at": self.say_moment(entry.at),
                "mode": self.words("mode_" + entry.mode),
                "what": f"{self.words('kind_' + entry.kind)} {by}",
                "state": "" if entry.state is None else self.words("gate_" + entry.state),
                "why": REASONS.say(entry.reason, self.numbers.language, days=days, needed=needed)
                if entry.reason in REASONS
                else "",
            }
            entries.append(said)
        return entries


@dataclass(frozen=True)
class PictureView:
    """The picture of a day, with its text and figures."""

    day: date
    reply: DayPictureReply
    agent: AgentView

    @property
    def alternative(self) -> str:
        """The picture's text alternative."""
        names = ", ".join(self.agent.name_policy(name) for name in self.reply.policies)
        return self.agent.words("picture_alt", day=self.agent.say_date(self.day), policies=names)

    @property
    def encoded(self) -> str:
        """The picture as Base64, for a data URL."""
        return b64encode(self.reply.svg.encode()).decode()

    @property
    def without_agent(self) -> bool:
        """Whether the picture has no learned policy."""
        return AGENT_POLICIES.keys().isdisjoint(self.reply.policies)

    def rows(self) -> list[TraceRow]:
        """Return cost and trades of each policy on the day."""
        return [
            TraceRow(
                self.agent.name_policy(name),
                self.agent.numbers.money(trace.cost),
                self._say_traded(trace.charging),
                self._say_traded(trace.discharging),
            )
            for name, trace in self.reply.traces.items()
        ]

    def _say_traded(self, traded: TradedSlots) -> str:
        if not traded.slots:
            return "–"
        return self.agent.words(
            "traded",
            kwh=self.agent.numbers.energy(traded.kwh),
            price=self.agent.numbers.price(traded.mean_price, decimals=1),
        )
