"""Page Savings: costs paid, savings by replays, omitted days, and who decided."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import chain
from typing import Annotated

from fastapi import Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup
from sqlalchemy import Connection

from luna.contracts.replay import ReplayRequest
from luna.energy.day_fault import DayFault
from luna.energy.savings import LUNA, POSSIBLE, WITHOUT, Savings, share_of_possible
from luna.energy.site import Site
from luna.energy.timeline import SLOT, Day, local_days, parse_zone
from luna.house.account import list_as_recorded, read_account
from luna.platform.database import control, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.savings import read_savings
from luna.platform.queue.jobs import submit_job
from luna.words import Numbers, say_policy
from luna.words.charts.savings import (
    DecidedDay,
    SavedDay,
    draw_amount,
    draw_deciders,
    draw_saved_days,
    slot_edges,
)
from luna.words.devices import list_devices
from luna.words.pages import PageWords
from luna.words.quality import say_day_fault
from services.api.gateway import CurrentGateway, Gateway
from services.api.pages.job_part import SitePath, find_progress, load_own
from services.api.pages.layout import PAGES, PageRoute, numbers_of, show, words_of
from services.api.routing import ResourceRouter

router = ResourceRouter(route_class=PageRoute)

PAGE = PAGES["savings"]
MONTH = 30
WEEK = 7
# Policies with a bar, up to the optimum; the table has all. Emissions have one of the house without
# Luna as well.
BAR_POLICIES = ("rule", LUNA, POSSIBLE)
COLOURS = {WITHOUT: "bar-load", "rule": "bar-rule", LUNA: "bar-planner", POSSIBLE: "bar-possible"}
NARROW_DAYS = 14

JobQuery = Annotated[str | None, Query(max_length=64, pattern=r"^[\w-]+$")]


@dataclass(frozen=True, slots=True)
class PolicyBar:
    """A policy's name, bar and figure in a period."""

    name: str
    drawing: Markup
    figure: str


@dataclass(frozen=True, slots=True)
class SavingsPeriod:
    """A period's savings and bars; ``saved`` is None without a counted day.

    ``paid`` is what the whole home paid for energy, ``further`` what Luna would have saved on days
    on which it was not in control, beside others.
    """

    name: str
    saved: str | None
    words: str
    good: bool
    bars: Sequence[PolicyBar]
    paid: str = ""
    further: str = ""


@router.page("GET", "/ui/sites/{site_id}/savings", "read")
def show_savings(
    site_id: SitePath,
    request: Request,
    gateway: CurrentGateway,
    *,
    until: Annotated[Day | None, Query(description="last local day; usual: yesterday")] = None,
    job: JobQuery = None,
) -> Response:
    """Show the costs of the last thirty days under each policy."""
    with unit_of_work(gateway.database) as connection:
        marks = gateway.read_marks(connection, site_id)
        site = sites.load(connection, site_id)
        last = until or _yesterday(site, gateway)
        savings = read_savings(connection, site, first=last - timedelta(days=MONTH - 1), last=last)
        days = _read_deciders(connection, site, last)
        paid = _read_paid(connection, site, last, now=gateway.clock.now())
        running = None if job is None else load_own(connection, site_id, job)
    words = words_of(request, PAGE)
    numbers = numbers_of(request, site)
    view = SavingsView(savings, paid, numbers, words, newest=last >= _yesterday(site, gateway))
    shares = _share_of_deciders(days)
    drawings = []
    if shares:
        rows = [_describe_decided_day(day, words, numbers) for day in days]
        label = words("who_label")
        drawings = [
            draw_deciders(rows, numbers, label=label, narrow=False),
            draw_deciders(rows, numbers, label=label, narrow=True),
        ]
    as_recorded = list_as_recorded(site)
    missing_spans = savings.find_missing_spans()
    return show(
        request,
        PAGE,
        site=site,
        marks=marks,
        view=view,
        as_recorded=list_devices(as_recorded, numbers.language) if as_recorded else "",
        missing=sum((end - first).days + 1 for first, end in missing_spans),
        decided=drawings,
        shares=shares,
        job=running,
        progress=None if running is None else find_progress(gateway, running),
    )


def _share_of_deciders(days: Sequence["DecidersOfDay"]) -> dict[str, float]:
    """Return each decider's share of the decided slots, the greatest first."""
    deciders = chain.from_iterable(day.deciders for day in days)
    counts = Counter(who for who in deciders if who is not None)
    return {who: count / counts.total() for who, count in counts.most_common()}


def _describe_decided_day(day: "DecidersOfDay", words: PageWords, numbers: Numbers) -> DecidedDay:
    noon = datetime.combine(day.day, time(12), numbers.zone)
    name = f"{numbers.weekday(noon)} {day.day.day}"
    hours = round((day.edges[-1] - day.edges[0]) / timedelta(hours=1))
    if hours != 24:
        name += f" · {words('who_length', hours=hours)}"
    deciders = dict.fromkeys(who for who in day.deciders if who is not None)
    names = ", ".join(words("who_" + who) for who in deciders) or words("who_nobody")
    text = words("who_day", day=numbers.day(noon), said=names)
    return DecidedDay(name, day.edges, day.deciders, text)


@router.page("POST", "/ui/sites/{site_id}/savings/replays", "analyse")
def start_replays(
    site_id: SitePath, gateway: CurrentGateway, until: Annotated[Day | None, Form()] = None
) -> Response:
    """Replay the missing days, a job for each run of consecutive days, and lead back."""
    with unit_of_work(gateway.database) as connection:
        site = sites.load(connection, site_id)
        last = until or _yesterday(site, gateway)
        savings = read_savings(connection, site, first=last - timedelta(days=MONTH - 1), last=last)
    query = f"?until={last}"
    job = None
    for first, end in savings.find_missing_spans():
        replay = ReplayRequest(site_id=site_id, from_day=first, to_day=end)
        job = submit_job(gateway.database, gateway.queue, replay)
    if job is not None:
        query += f"&job={job.job_id}"
    return RedirectResponse(PAGE.address(site_id) + query, 303)


def _yesterday(site: Site, gateway: Gateway) -> date:
    return gateway.clock.now().astimezone(parse_zone(site.timezone)).date() - timedelta(days=1)


@dataclass(frozen=True)
class SavingsView:
    """The savings in the reader's words and drawings.

    ``paid`` is the account's cost of energy of the last day, week and month.
    """

    savings: Savings
    paid: Sequence[float | None]
    numbers: Numbers
    words: PageWords
    newest: bool

    @property
    def headline(self) -> str:
        """The first sentence: the savings by Luna's control, or else those that it proposed."""
        if not self.savings.counted:
            return self.words("empty_title")
        if self.savings.done.counted:
            return self._say_headline(self.savings.done, "headline")
        return self._say_headline(self.savings.proposed, "would_headline")

    @property
    def further(self) -> str:
        """Savings that Luna would have made on days outside its control, if it had some.

        "" where it always or never was.
        """
        return self._say_further(self.savings)

    def _say_further(self, part: Savings) -> str:
        saved = part.proposed.saved
        if saved is None or not part.done.counted:
            return ""
        money = self.numbers.money(saved)
        return self.words("further", saved=money, days=len(part.proposed.counted))

    def _say_headline(self, part: Savings, code: str) -> str:
        cost = part.cost
        saved = cost[WITHOUT] - cost[LUNA]
        share = share_of_possible(cost)
        days = len(part.counted)
        if saved < 0:
            return self.words(f"{code}_worse", lost=self.numbers.money(-saved), days=days)
        money = self.numbers.money(saved)
        if share is None:
            return self.words(f"{code}_plain", saved=money, days=days)
        return self.words(code, saved=money, share=self.numbers.share(share), days=days)

    @property
    def earlier(self) -> date:
        """The last day of the previous span."""
        return self.savings.first - timedelta(days=1)

    @property
    def later(self) -> date:
        """The last day of the next span."""
        return self.savings.last + timedelta(days=MONTH)

    @property
    def periods(self) -> list[tuple[str, Savings]]:
        """The last day, week and month, each with its name."""
        first = self.words("period_yesterday" if self.newest else "period_day")
        return [
            (first, self.savings.tail(1)),
            (self.words("period_week"), self.savings.tail(WEEK)),
            (self.words("period_month"), self.savings),
        ]

    def cost_periods(self) -> list[SavingsPeriod]:
        """Return the paid costs and the savings of each period."""
        described = []
        for (name, part), paid in zip(self.periods, self.paid, strict=True):
            described.append(self._describe_cost(name, part, paid))
        return described

    def carbon_periods(self) -> list[SavingsPeriod]:
        """Return the emissions of each period; empty if they are unknown for all days."""
        if not self.savings.carbon_days:
            return []
        return [self._describe_carbon(name, part.carbon_kg) for name, part in self.periods]

    def _say_kg(self, kilograms: float) -> str:
        return f"{self.numbers.number(kilograms, 1)}\u00a0kg"

    def _describe_cost(self, name: str, part: Savings, paid: float | None) -> SavingsPeriod:
        paid_words = self._say_paid(paid)
        if not part.counted:
            empty = self.words("period_empty")
            return SavingsPeriod(name, None, empty, good=False, bars=(), paid=paid_words)
        if part.done.counted:
            shown = part.done
            prefix = ""
        else:
            shown = part.proposed
            prefix = "would_"
        saved = shown.saved or 0.0
        share = share_of_possible(shown.cost)
        return SavingsPeriod(
            name,
            self.numbers.money(abs(saved)),
            self._say_saved(saved, share, prefix),
            good=saved >= 0,
            bars=self._draw_savings(shown.cost),
            paid=paid_words,
            further=self._say_further(part),
        )

    def _say_paid(self, paid: float | None) -> str:
        if paid is None:
            return self.words("paid_unknown")
        if paid >= 0:
            return self.words("paid", cost=self.numbers.money(paid))
        return self.words("earned", gain=self.numbers.money(-paid))

    def _describe_carbon(self, name: str, amounts: Mapping[str, float]) -> SavingsPeriod:
        if not amounts:
            return SavingsPeriod(name, None, self.words("period_empty"), good=False, bars=())
        saved = amounts[WITHOUT] - amounts[LUNA]
        share = share_of_possible(amounts)
        order = (WITHOUT, *BAR_POLICIES)
        emitted = {policy: amounts[policy] for policy in order if policy in amounts}
        bars = []
        for policy, amount in emitted.items():
            drawing = draw_amount(
                amount, COLOURS[policy], among=[*emitted.values()], beside=amounts[WITHOUT]
            )
            bars.append(PolicyBar(self.words("policy_" + policy), drawing, self._say_kg(amount)))
        words = self._say_saved(saved, share, "")
        return SavingsPeriod(name, self._say_kg(abs(saved)), words, good=saved >= 0, bars=bars)

    def _say_saved(self, saved: float, share: float | None, prefix: str) -> str:
        if saved < 0:
            return self.words(prefix + "lost")
        if share is None:
            return self.words(prefix + "saved")
        return self.words(prefix + "saved_share", share=self.numbers.share(share))

    def _draw_savings(self, cost: Mapping[str, float]) -> list[PolicyBar]:
        """Draw the savings of each policy over the house without Luna.

        A replay gives differences; costs come from the account.
        """
        saved = {policy: cost[WITHOUT] - cost[policy] for policy in BAR_POLICIES if policy in cost}
        bars = []
        for policy, amount in saved.items():
            drawing = draw_amount(amount, COLOURS[policy], among=[*saved.values()], beside=None)
            name = self.words("policy_" + policy)
            bars.append(PolicyBar(name, drawing, self.numbers.money(amount)))
        return bars

    def rows(self) -> list[tuple[str, str, str]]:
        """Return name, savings and emissions of every policy in the month, the best one last."""
        cost = self.savings.cost
        carbon = self.savings.carbon_kg
        policies = [name for name in cost if name != WITHOUT]
        # Policies with the same cost keep their order.
        policies.sort(key=cost.__getitem__, reverse=True)
        rows = []
        for policy in policies:
            name = say_policy(policy, language=self.numbers.language)
            saved = self.numbers.money(cost[WITHOUT] - cost[policy])
            emitted = self._say_kg(carbon[policy]) if policy in carbon else "–"
            rows.append((name, saved, emitted))
        return rows

    def draw_days(self, *, narrow: bool) -> Markup:
        """Draw the savings of each day; ``narrow``: of the last fortnight."""
        period = self.savings.tail(NARROW_DAYS) if narrow else self.savings
        counted = {day.day: day for day in period.counted}
        reasons = {}
        for omitted in period.left_out:
            reasons[omitted.day] = self._say_why(omitted.code, omitted.faults)
        days = []
        for number in range(period.days):
            day = period.first + timedelta(days=number)
            day_text = self.numbers.local_day(day)
            costs = counted.get(day)
            if costs is None:
                title = f"{day_text}: {self.words('key_left_out')}"
                if day in reasons:
                    title += f", {reasons[day]}"
                days.append(SavedDay(day, None, None, title))
            else:
                saved = self.numbers.money(costs.saved)
                possible = self.numbers.money(costs.possible)
                title = self.words(
                    "daily_title_counted", day=day_text, saved=saved, possible=possible
                )
                days.append(SavedDay(day, costs.saved, costs.possible, title))
        return draw_saved_days(days, self.numbers, label=self.words("daily_label"), narrow=narrow)

    def list_omitted(self) -> list[tuple[str, str]]:
        """Return the omitted days with the reason, consecutive days with one reason together."""
        runs: list[tuple[date, date, str]] = []
        for omitted in self.savings.left_out:
            why = self._say_why(omitted.code, omitted.faults)
            day_before = omitted.day - timedelta(days=1)
            if runs and runs[-1][1:] == (day_before, why):
                runs[-1] = (runs[-1][0], omitted.day, why)
            else:
                runs.append((omitted.day, omitted.day, why))
        lines = []
        for first, last, why in runs:
            span = self.numbers.local_day(first)
            if first != last:
                span += f" – {self.numbers.local_day(last)}"
            lines.append((span, why))
        return lines

    def _say_why(self, code: str, faults: Sequence[DayFault]) -> str:
        why = self.words("left_" + code)
        if faults:
            why += ": " + "; ".join(say_day_fault(fault, self.numbers.language) for fault in faults)
        return why


@dataclass(frozen=True, slots=True)
class DecidersOfDay:
    """A local day: the edges of its slots, and who decided each (None: nobody)."""

    day: date
    edges: Sequence[datetime]
    deciders: Sequence[str | None]


def _read_paid(
    connection: Connection, site: Site, last: date, *, now: datetime
) -> list[float | None]:
    """Read the home's energy cost of the day, week and month up to ``last``; None if unknown."""
    zone = parse_zone(site.timezone)
    paid: list[float | None] = []
    for days in (1, WEEK, MONTH):
        period = local_days(last - timedelta(days=days - 1), last, zone)
        account = read_account(connection, site, period, now=now)
        paid.append(None if account is None else account.energy_cost)
    return paid


def _read_deciders(connection: Connection, site: Site, last: date) -> list[DecidersOfDay]:
    """Read the deciders of each day of the week that ends on ``last``."""
    zone = parse_zone(site.timezone)
    days = []
    for back in range(WEEK - 1, -1, -1):
        day = last - timedelta(days=back)
        slots = local_days(day, day, zone)
        deciders = control.read_deciders(connection, site.name, first=slots.start, end=slots.end)
        edges = slot_edges(slots.start, slots.count, SLOT)
        days.append(DecidersOfDay(day, edges, [deciders.get(edge) for edge in edges[:-1]]))
    return days
