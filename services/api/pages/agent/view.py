"""View of the page Antares: the learning agent's status, evidence, costs and decisions."""

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
# The kind of evidence whose days a reason names; other reasons name those of both kinds.
REASON_EVIDENCE = {"replay_days": "replay", "shadow_days": "shadow", "new_evidence": "shadow"}


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
    """A step on the way to control; its ``state`` is done, now or ahead.

    ``share`` is its progress from 0 to 1, None if it is not counted in days.
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
    """A period's scored days, the agent's gain with its interval, and a bar per policy.

    Without a scored day there are no bars, and ``gain`` is None.
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
    def method(self) -> str:
        """The learning method of the agent on trial, in one sentence."""
        return self.words("card_what_" + AGENT_POLICIES[self.status.policy])

    @property
    def headline(self) -> str:
        """The first sentence of the page."""
        if self.status.run_id is None:
            return self.words("headline_untrained")
        if self.status.mode != "shadow":
            return self.words("headline_" + self.status.mode)
        states = [standing.state for standing in self.status.modes if standing.mode != "shadow"]
        for state in ("withdrawn", "offered"):
            if state in states:
                return self.words("headline_" + state)
        return self.words("headline_learning")

    @property
    def advantage(self) -> str:
        """How much cheaper than Luna's plan it was on the last month's days, "" if unknown."""
        scores = self.stored.scores["month"]
        gain = scores.over_mpc
        if gain is None:
            return ""
        key = "would_cost" if gain.gain < 0 else "would_save"
        amount = self.numbers.money(abs(gain.gain))
        return self.words(key, amount=amount, days=len(scores.days))

    @property
    def withdrawn_at(self) -> datetime | None:
        """Instant of the owner's last withdrawal of control from the agent, if any."""
        withdrawn = [standing for standing in self.status.modes if standing.state == "withdrawn"]
        by_owner = [standing for standing in withdrawn if standing.decided_by != GATEKEEPER]
        instants = [standing.decided_at for standing in by_owner if standing.decided_at]
        return max(instants, default=None)

    def road(self) -> list[RoadStep]:
        """Return the steps from the first training to control, with their states."""
        trained_at = self.status.trained_at
        if trained_at is None:
            training = self.words("step_trained_ahead")
        else:
            training = self.words("step_trained_done", day=self.numbers.day(trained_at))
        states = {standing.state for standing in self.status.modes if standing.mode != "shadow"}
        has_offer = bool(states & {"offered", "active"})
        if has_offer:
            offer = self.words("step_offered_done")
        elif "withdrawn" in states:
            offer = self.words("step_offered_withdrawn")
        else:
            offer = self.words("step_offered_ahead")
        has_control = self.status.mode != "shadow"
        control = self.words("mode_" + self.status.mode if has_control else "step_control_ahead")
        # The first step that is not done is under way.
        steps = [
            ("step_trained", trained_at is not None, training, None),
            self._count_days("step_replayed", "replay"),
            self._count_days("step_shadow", "shadow"),
            ("step_offered", has_offer, offer, None),
            ("step_control", has_control, control, None),
        ]
        road = []
        next_state = "now"
        for name, is_done, detail, share in steps:
            state = "done"
            if not is_done:
                state = next_state
                next_state = "ahead"
            road.append(RoadStep(self.words(name), state, detail, share))
        return road

    def _count_days(self, name: str, kind: str) -> tuple[str, bool, str, float | None]:
        evidence = next(entry for entry in self.status.evidence if entry.kind == kind)
        detail = self.words("step_days", days=evidence.days, needed=evidence.needed)
        share = min(evidence.days / evidence.needed, 1.0)
        return name, evidence.days >= evidence.needed, detail, share

    def evidence(self) -> list[EvidenceView]:
        """Return the evidence so far, by kind."""
        views = []
        for evidence in self.status.evidence:
            name = self.words("evidence_" + evidence.kind)
            days = self.words("step_days", days=evidence.days, needed=evidence.needed)
            low, points, high = evidence.low, evidence.points, evidence.high
            if low is None or points is None or high is None:
                views.append(EvidenceView(name, days, None, None))
                continue
            texts = self._say_points(low, points, high)
            label = self.words("evidence_label", **texts)
            drawing = draw_interval(low, points, high, label=label, unit="")
            figures = self.words("evidence_figures", **texts)
            views.append(EvidenceView(name, days, figures, drawing))
        return views

    def tell_evidence(self, standing: ModeStanding) -> str | None:
        """Return the evidence of a mode's last decision, of all days together.

        None without a result.
        """
        for evidence in standing.evidence:
            if evidence.kind != "both":
                continue
            low, points, high = evidence.low, evidence.points, evidence.high
            if low is None or points is None or high is None:
                return None
            texts = self._say_points(low, points, high)
            corrected = evidence.violations
            return self.words("evidence_mode", days=evidence.days, corrected=corrected, **texts)
        return None

    def _say_points(self, low: float, points: float, high: float) -> dict[str, str]:
        values = {"points": points, "low": low, "high": high}
        return {key: self.numbers.number(value, 1, signed=True) for key, value in values.items()}

    def cost_periods(self) -> list[CostPeriod]:
        """Return the cost of each period under each policy."""
        periods = []
        for period, scores in self.stored.scores.items():
            day_count = (scores.to_day - scores.from_day).days + 1
            name = self.words("period_" + period)
            days = self.words("period_days", days=len(scores.days), of=day_count)
            gain = scores.over_mpc
            if gain is None:
                empty = self.words("period_empty")
                periods.append(CostPeriod(name, days, None, empty, good=False, bars=()))
                continue
            detail = self.words("dearer" if gain.gain < 0 else "cheaper")
            if gain.low is not None and gain.high is not None:
                low = self.numbers.money(gain.low, signed=True)
                high = self.numbers.money(gain.high, signed=True)
                detail = f"{detail} · {self.words('between', low=low, high=high)}"
            money = self.numbers.money(abs(gain.gain))
            bars = self._draw_costs(scores)
            periods.append(CostPeriod(name, days, money, detail, good=gain.gain >= 0, bars=bars))
        return periods

    def _draw_costs(self, scores: AgentScores) -> list[CostBar]:
        order = (IDLE, WITHOUT, LUNA, scores.policy, POSSIBLE)
        scored = scores.policies
        costs = {policy: scored[policy].cost for policy in order if policy in scored}
        every_cost = [*costs.values()]
        bars = []
        for policy, cost in costs.items():
            colour = COLOURS.get(policy, "bar-agent")
            drawing = draw_amount(cost, colour, among=every_cost, beside=every_cost[0])
            bars.append(CostBar(self.name_policy(policy), drawing, self.numbers.money(cost)))
        return bars

    def name_policy(self, name: str) -> str:
        """Return a policy's name on this page."""
        if self.words.knows("policy_" + name):
            return self.words("policy_" + name)
        return say_policy(name, language=self.numbers.language)

    def day_columns(self) -> list[str]:
        """Return the policies that have a cost on every day of the table."""
        days = self.stored.scores["month"].days
        if not days:
            return []
        order = (IDLE, WITHOUT, LUNA, self.status.policy, POSSIBLE)
        return [name for name in order if all(name in day.cost for day in days)]

    def draw_today(self) -> list[Markup]:
        """Draw who decided today's slots, wide and narrow; nothing without a decision."""
        deciders = {slot.start: slot.decided_by for slot in self.stored.slots}
        if not any(deciders.values()):
            return []
        start = self.stored.window.start
        tomorrow = start.astimezone(self.numbers.zone).date() + timedelta(days=1)
        end = datetime.combine(tomorrow, time(), self.numbers.zone)
        edges = slot_edges(start, int((end - start) / SLOT), SLOT)
        shares = []
        for who, share in self.shares().items():
            shares.append(f"{self.words('who_' + who)} {self.numbers.share(share)}")
        text = ", ".join(shares)
        deciders_by_slot = [deciders.get(edge) for edge in edges[:-1]]
        row = DecidedDay(self.numbers.weekday(start), edges, deciders_by_slot, text)
        label = f"{self.words('who_label')}: {text}"
        return [
            draw_deciders([row], self.numbers, label=label, narrow=False),
            draw_deciders([row], self.numbers, label=label, narrow=True),
        ]

    def shares(self) -> dict[str, float]:
        """Return each decider's share of today's decided slots."""
        decided = [slot.decided_by for slot in self.stored.slots if slot.decided_by is not None]
        return {who: decided.count(who) / len(decided) for who in DECIDERS if who in decided}

    def slot_runs(self) -> list[SlotRun]:
        """Return today's slots in words, consecutive ones with one decision together."""
        runs: list[tuple[datetime, datetime, tuple[str, str, str, str]]] = []
        for slot in self.stored.slots:
            description = self._describe_slot(slot)
            end = slot.start + SLOT
            if runs and runs[-1][1:] == (slot.start, description):
                runs[-1] = (runs[-1][0], end, description)
            else:
                runs.append((slot.start, end, description))
        slot_runs = []
        for first, end, description in runs:
            span = f"{self.numbers.clock(first)}–{self.numbers.clock(end)}"
            slot_runs.append(SlotRun(span, *description))
        return slot_runs

    def _describe_slot(self, slot: SlotDecision) -> tuple[str, str, str, str]:
        """Return a slot's decider, the planner's and the agent's mode, and the reason."""
        code = slot.reason or "nobody"
        if code == "planned" and slot.verdict is not None and code not in VERDICTS:
            code = slot.verdict.code
        if code in VERDICTS:
            why = VERDICTS.say(code, self.numbers.language)
        else:
            key = "why_" + code
            why = self.words(key if self.words.knows(key) else "why_planned")
        who = self.words("who_" + (slot.decided_by or "nobody"))
        return who, self._name_mode(slot.planner_mode), self._name_mode(slot.agent_mode), why

    def _name_mode(self, mode: str | None) -> str:
        return say_mode(mode, language=self.numbers.language) if mode else "–"

    def runs(self) -> list[dict[str, Any]]:
        """Return the trainings in words."""
        runs = []
        for run in self.stored.runs:
            if run.speaks:
                use = self.words("run_speaks")
            else:
                use = self.words("run_accepted" if run.accepted else "run_rejected")
            first = self.numbers.day_with_year(run.data_from)
            last = self.numbers.day_with_year(run.data_until)
            kind = self.words("kind_" + run.kind)
            card_of = self.words("run_card_of", kind=kind, day=last)
            span = f"{first} – {last}"
            runs.append({"run": run, "kind": kind, "span": span, "use": use, "card_of": card_of})
        return runs

    def gates(self) -> list[dict[str, str]]:
        """Return the gatekeeper's and owner's last decisions in words."""
        entries = []
        for entry in self.stored.gates:
            if entry.decided_by == GATEKEEPER:
                decider = self.words("by_gatekeeper")
            else:
                decider = self.words("by_person", name=entry.decided_by)
            texts = {
                "at": self.numbers.moment(entry.at),
                "mode": self.words("mode_" + entry.mode),
                "what": f"{self.words('kind_' + entry.kind)} {decider}",
                "state": "" if entry.state is None else self.words("gate_" + entry.state),
                "why": self._say_gate_reason(entry),
            }
            entries.append(texts)
        return entries

    def _say_gate_reason(self, entry: GateEntry) -> str:
        if entry.reason not in REASONS:
            return ""
        kind = REASON_EVIDENCE.get(entry.reason, "both")
        days, needed = 0, 0
        for evidence in entry.evidence:
            if evidence.kind == kind:
                days, needed = evidence.days, evidence.needed
                break
        return REASONS.say(entry.reason, self.numbers.language, days=days, needed=needed)


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
        return self.agent.words(
            "picture_alt", day=self.agent.numbers.local_day(self.day), policies=names
        )

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
        rows = []
        for name, trace in self.reply.traces.items():
            cost = self.agent.numbers.money(trace.cost)
            charged = self._say_traded(trace.charging)
            discharged = self._say_traded(trace.discharging)
            rows.append(TraceRow(self.agent.name_policy(name), cost, charged, discharged))
        return rows

    def _say_traded(self, traded: TradedSlots) -> str:
        if not traded.slots:
            return "–"
        return self.agent.words(
            "traded",
            kwh=self.agent.numbers.energy(traded.kwh),
            price=self.agent.numbers.price(traded.mean_price, decimals=1),
        )
