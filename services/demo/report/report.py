"""One HTML file out of a plan, its slots in words, and a replay.

It makes no requests and is readable without a script.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from luna.contracts import PlanReply, ReplayReply, SlotReply
from luna.energy.site import Site
from luna.words import MODES, Language, Numbers, mode
from luna.words.charts.losses import draw_losses
from luna.words.charts.plan import GLYPHS, HATCHES, PlanView, draw_plan
from luna.words.charts.style import style
from luna.words.numbers import HALF_CENT
from luna.words.phrases import read_texts, say_text
from luna.words.retold_reasons import retell_limits, retell_reason
from luna.words.tariffs import say_buying, say_selling
from services.demo.report.plan_view import view_plan
from services.demo.report.scores import (
    INVERTER,
    LUNA,
    Row,
    compare_with_inverter,
    tabulate_policies,
    trace_losses,
)


@dataclass(frozen=True, slots=True)
class Origin:
    """The source of one series, in the report's language."""

    series: str
    source: str
    licence: str
    period: str
    changes: str
    quality: str
    sha256: str


@dataclass(frozen=True, slots=True)
class SiteResult:
    """A site and the results of the policies there.

    ``first_day`` and ``last_day`` are included.
    """

    site: Site
    replay: ReplayReply
    first_day: date
    last_day: date
    yearly_load_kwh: float | None = None

    @property
    def days(self) -> int:
        """Number of replayed days."""
        return (self.last_day - self.first_day).days + 1


@dataclass(frozen=True, slots=True)
class ReportInput:
    """Everything the report says.

    ``plan`` belongs to the first of ``results``; the others get a section each.

    ``without_soc``: state of charge at the end of each planned slot if the inverter alone decided;
    drawn where given.
    """

    plan: PlanReply
    results: Sequence[SiteResult]
    origins: Sequence[Origin]
    commands: Sequence[str]
    created_at: datetime
    took_seconds: float
    language: Language = "en"
    without_soc: Sequence[float] | None = None


@dataclass(frozen=True, slots=True)
class ReportFigure:
    """One of the four figures below the headline."""

    label: str
    value: str
    note: str


@dataclass(frozen=True, slots=True)
class SecondSite:
    """A further site's section."""

    title: str
    description: str
    is_better: bool
    verdict: str
    score_note: str
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class SlotWords:
    """A slot in words; every field is ready to be shown."""

    time: str
    part_of: str
    mode: str
    glyph: str
    buy: str
    sell: str
    load: str
    pv: str
    charging: str
    grid: str
    soc: str
    without: str
    why: str
    short: str
    worth: str
    opposite: str
    limits: str
    first: int
    end: int

    @property
    def title(self) -> str:
        """The slot's tooltip."""
        return f"{self.time} · {self.mode}: {self.short}"


def word_slots(view: PlanView, slots: Sequence[SlotReply]) -> list[SlotWords]:
    """Return every shown slot in words, of a plan's ``slots``."""
    numbers = view.numbers
    flows = view.flows
    words = read_texts("report", numbers.language)
    worded = []
    for run in view.runs:
        first = numbers.clock(view.instant(run.first))
        last = numbers.clock(view.instant(run.end))
        part_of = words["part_of"].format(first=first, last=last)
        for index in range(run.first, run.end):
            slot = slots[index]
            reason = slot.reason
            fields = reason.model_dump()
            soc = view.soc[index + 1] if view.soc.size else None
            without = None if view.without_soc is None else view.without_soc[index + 1]
            opposite = numbers.money(reason.cost_of_opposite)
            if reason.cost_of_opposite is not None:
                is_same = abs(reason.cost_of_opposite) < HALF_CENT
                key = "opposite_same" if is_same else "opposite_value"
                opposite = words[key].format(cost=opposite)
            slot_words = SlotWords(
                time=f"{numbers.weekday(slot.start)} {numbers.clock(slot.start)}",
                part_of=part_of,
                mode=mode(slot.mode, language=numbers.language).full,
                glyph=GLYPHS[slot.mode],
                buy=numbers.price(slot.import_price, decimals=1),
                sell=numbers.price(slot.export_price, decimals=1),
                load=numbers.power(flows.load[index]),
                pv=numbers.power(flows.pv[index]),
                charging=_signed(numbers, flows.charge[index] - flows.discharge[index]),
                grid=_signed(numbers, flows.import_[index] - flows.export[index]),
                soc=numbers.share(soc),
                without=numbers.share(without),
                why=retell_reason(fields, slot.start, numbers),
                short=retell_reason(fields, slot.start, numbers, short=True),
                worth=numbers.price(reason.energy_value, decimals=1),
                opposite=opposite,
                limits=", ".join(retell_limits(reason.binding, numbers)) or words["none"],
                first=run.first,
                end=run.end,
            )
            worded.append(slot_words)
    return worded


def _signed(numbers: Numbers, power_kw: float) -> str:
    # A battery that charges, a grid that supplies: plus. The sign says the direction, so it is
    # always there.
    text = numbers.power(power_kw)
    return f"+{text}" if power_kw >= 0.05 else text


def describe_site(result: SiteResult, numbers: Numbers) -> str:
    """Return a site in a few words.

    For example "Household 4,000 kWh a year, 6 kWp solar, 10 kWh battery, hourly NL prices + 13 ct,
    selling at 7 ct.".
    """
    words = read_texts("report", numbers.language)
    site = result.site
    parts = []
    if result.yearly_load_kwh is not None:
        load = f"{numbers.number(result.yearly_load_kwh)}\u00a0kWh"
        parts.append(words["household"].format(load=load))
    if site.pv:
        parts.append(words["solar"].format(peak=_short(site.peak_kw, numbers)))
    if site.batteries:
        capacity = sum(battery.capacity_kwh for battery in site.batteries)
        parts.append(words["battery"].format(capacity=f"{_short(capacity, numbers)}\u00a0kWh"))
    parts += [say_buying(site.tariff.import_, numbers), say_selling(site.tariff.export, numbers)]
    return ", ".join(parts) + "."


def _short(value: float, numbers: Numbers) -> str:
    return numbers.number(value, 0 if value == round(value) else 1)


def render(report: ReportInput) -> str:
    """Return the report as one HTML document."""
    main = report.results[0]
    numbers = Numbers(report.language, ZoneInfo(main.site.timezone), main.site.currency)
    view = view_plan(report.plan, main.site, numbers, without_soc=report.without_soc)
    slot_words = word_slots(view, report.plan.slots)
    words = read_texts("report", report.language)
    titles = [word.title for word in slot_words]
    steps = trace_losses(main.replay, numbers)
    score = main.replay.policies[LUNA].score
    if score is None:
        headline = words["headline_nothing"]
    else:
        headline = words["headline_one" if main.days == 1 else "headline"]
    made = words["made"].format(
        date=numbers.day_with_year(report.created_at),
        time=numbers.clock(report.created_at),
        seconds=numbers.number(report.took_seconds),
    )
    scale = words["scale"].format(zero=numbers.share(0), full=numbers.share(1))
    losses = []
    if len(steps) > 1:
        label = words["loss_label"]
        wide = draw_losses(steps, numbers, label=label, narrow=False)
        narrow = draw_losses(steps, numbers, label=label, narrow=True)
        losses = [wide, narrow]
    environment = Environment(
        loader=PackageLoader("services.demo", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(
        language=report.language,
        text=words,
        chart_text=read_texts("plan_chart", report.language),
        css=style("plan") + _asset("report.css"),
        hatches=HATCHES,
        script=_asset("plan.js"),
        made=made,
        headline=headline.format(days=numbers.number(main.days), score=numbers.share(score)),
        lead=f"{describe_site(main, numbers)} {scale}",
        figures=_figures(main, numbers),
        hours=round(view.count * view.step / timedelta(hours=1)),
        view=view,
        slots=slot_words,
        chosen=slot_words[view.selected],
        charts=[draw_plan(view, titles, narrow=is_narrow) for is_narrow in (False, True)],
        modes=[(GLYPHS[name], mode(name, language=report.language).full) for name in MODES],
        score_note=_say_window(main, numbers),
        rows=tabulate_policies(main.replay, numbers),
        losses=losses,
        seconds=[_describe_second(result, report.language) for result in report.results[1:]],
        origins=report.origins,
        commands=report.commands,
    )


def _say_window(result: SiteResult, numbers: Numbers) -> str:
    noon = time(12)
    first = datetime.combine(result.first_day, noon, numbers.zone)
    last = datetime.combine(result.last_day, noon, numbers.zone)
    return say_text(
        "report",
        "score_note",
        numbers.language,
        days=numbers.number(result.days),
        first=numbers.day_with_year(first),
        last=numbers.day_with_year(last),
    )


def _figures(result: SiteResult, numbers: Numbers) -> list[ReportFigure]:
    words = read_texts("report", numbers.language)
    policies = result.replay.policies
    luna = policies[LUNA]
    wear = max((battery.wear_price for battery in result.site.batteries), default=0.0)
    idle = numbers.money(policies["idle"].cost)
    inverter = numbers.share(policies[INVERTER].score)
    cost = ReportFigure(
        label=say_text("report", "cost", numbers.language, days=result.days),
        value=numbers.money(luna.cost),
        note=words["cost_note"].format(idle=idle),
    )
    score = ReportFigure(
        label=words["kept"],
        value=numbers.share(luna.score),
        note=words["kept_note"].format(score=inverter),
    )
    safety = ReportFigure(
        label=words["safety"],
        value=say_text("report", "breaches", numbers.language, count=luna.violations),
        note=words["safety_note"].format(slots=numbers.number(result.replay.slots)),
    )
    use_note = words["use_note_free"]
    if wear:
        use_note = words["use_note"].format(wear=numbers.price(wear))
    cycles_per_day = numbers.number(luna.cycles / result.days, 2)
    use = ReportFigure(
        label=words["use"], value=words["cycles"].format(cycles=cycles_per_day), note=use_note
    )
    return [cost, score, safety, use]


def _describe_second(result: SiteResult, language: Language) -> SecondSite:
    numbers = Numbers(language, ZoneInfo(result.site.timezone), result.site.currency)
    is_better, verdict = compare_with_inverter(result.replay, numbers)
    return SecondSite(
        title=read_texts("report", language)["second"].format(name=result.site.name),
        description=describe_site(result, numbers),
        is_better=is_better,
        verdict=verdict,
        score_note=_say_window(result, numbers),
        rows=tabulate_policies(result.replay, numbers),
    )


@cache
def _asset(name: str) -> Markup:
    # Both are ours and hold nothing that comes from outside.
    content = files("services.demo.report").joinpath(name).read_text(encoding="utf-8")
    return Markup(content)  # noqa: S704
