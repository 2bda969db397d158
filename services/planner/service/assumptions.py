"""List a stored site's assumptions for missing data, and its unused data."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import chain
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from luna.contracts.plan import Assumption, NoteReply, PlanRequest
from luna.energy.site import Site
from luna.energy.timeline import SLOT, Timeline
from luna.platform.database import prices
from luna.platform.database.forecasts import DrivingForecast
from luna.platform.database.site_facts import PlanningFacts
from luna.words import Language, Numbers
from services.planner.devices import PLANNED_KINDS
from services.planner.problem.knowledge import DAY
from services.planner.reply.notes import format_notes

HALF_FULL = 0.5
# Batteries report every quarter-hour; a state of charge older than an hour may be outdated.
FRESH_SOC = timedelta(hours=1)
DEFAULT_TARIFF = Site.model_fields["tariff"].default


def list_assumptions(
    facts: PlanningFacts, request: PlanRequest, driving: DrivingForecast
) -> list[Assumption]:
    """Return the assumptions in a stored site's plan, and the data that stay unused.

    Args:
        facts: of the site.
        request: as received; values that it states are not assumed.
        driving: the forecast of load and PV.
    """
    stored = [
        kind.stored.note(facts.site, facts.demands, request.state, facts.start)
        for kind in PLANNED_KINDS
        if kind.stored
    ]
    others = _gather([*_judge_tariff(facts.site, facts.unused), *_judge_forecast(facts, driving)])
    return [*_gather(_judge_soc(facts, request)), *chain.from_iterable(stored), *others]


def note_tariff(
    connection: Connection, site: Site, timeline: Timeline, *, language: Language = "en"
) -> list[NoteReply]:
    """Return the notes on a stored site's missing tariff and unused loaded prices."""
    # Prices of the day before count as well: missing ones would be filled from them.
    around = Timeline(timeline.start - DAY, SLOT, DAY // SLOT + timeline.count)
    unused = prices.find_unused_each(connection, [site], around)[site.name]
    return format_notes(
        _gather(_judge_tariff(site, unused)),
        Numbers(language, ZoneInfo(site.timezone), site.currency),
    )


def _gather(pairs: Iterable[tuple[str, dict[str, object]]]) -> list[Assumption]:
    return [Assumption(code=code, figures=figures) for code, figures in pairs]


CodedFigures = Iterator[tuple[str, dict[str, object]]]


def _judge_soc(facts: PlanningFacts, request: PlanRequest) -> CodedFigures:
    if not facts.site.batteries or request.state.batteries:
        return
    level = facts.soc
    if level is None or level.at is None:
        yield "soc_assumed", {"soc": HALF_FULL}
    elif level.judged is not None and level.judged.doubted is not None:
        yield "soc_doubted", level.judged.describe_doubt()
    elif level.verdict == "stands_still":
        yield "soc_stands_still", level.describe()
    elif facts.start - level.at > FRESH_SOC:
        yield "soc_earlier", {"soc": level.soc, "at": level.at.isoformat()}


def _judge_tariff(site: Site, unused: Sequence[str]) -> CodedFigures:
    if site.tariff == DEFAULT_TARIFF:
        yield (
            "tariff_default",
            {
                "import_price": DEFAULT_TARIFF.import_.price,
                "export_price": DEFAULT_TARIFF.export.price,
            },
        )
    if unused:
        kinds = {
            prices.stored_name(site.name, name): rule.kind
            for name, rule in site.tariff.own_rules.items()
        }
        named_kinds = list(dict.fromkeys(kinds[name] for name in unused))
        yield (
            "prices_unused",
            {"series": [name.rpartition(":")[2] for name in unused], "kinds": named_kinds},
        )


def _judge_forecast(facts: PlanningFacts, driving: DrivingForecast) -> CodedFigures:
    forecast = driving.forecast
    active = facts.active.forecast_version
    if forecast.version != active:
        yield (
            "forecast_fallback",
            {
                "active": active,
                "version": forecast.version,
                "issued_at": forecast.issued_at.isoformat(),
            },
        )
    elif driving.fallback_reason is not None:
        yield (
            "forecast_old",
            {"version": forecast.version, "issued_at": forecast.issued_at.isoformat()},
        )
    for code in facts.reasons:
        yield code, {}
    if facts.waiting is not None:
        waiting = facts.waiting
        code = "forecast_awaits_proof" if waiting.days < waiting.needed else "forecast_not_better"
        figures = {
            "candidate": waiting.forecast_version,
            "days": waiting.days,
            "needed": waiting.needed,
            "command": waiting.command,
        }
        yield (
            code,
            {"version": active, "earliest": waiting.earliest and waiting.earliest.isoformat()}
            | figures,
        )
