"""What stands in a stored site's plan where nothing is known, and what is known and stays unused."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from luna.contracts.forecast import WaitingVersion
from luna.contracts.plan import Assumption, NoteReply, PlanRequest
from luna.energy.charge_sensors import SeenCharge
from luna.energy.levels import JudgedLevel
from luna.energy.observations import SeenSoc
from luna.energy.site import Site
from luna.energy.timeline import SLOT, Timeline
from luna.platform.database import prices
from luna.platform.database.forecasts import DrivingForecast
from luna.platform.database.site_facts import PlanningFacts
from luna.words import Language, Numbers
from services.planner.problem.knowledge import DAY
from services.planner.reply.reply import say_notes
from services.planner.service.vehicles import USUAL_FROM, USUAL_TO, find_vehicles

HALF_FULL = 0.5
# A battery is told anew every quarter-hour; what is older than an hour may be another state by now.
FRESH_SOC = timedelta(hours=1)
DEFAULT_TARIFF = Site.model_fields["tariff"].default


def list_assumptions(facts: PlanningFacts, request: PlanRequest, driving: DrivingForecast) -> list[Assumption]:
    """Return what stands in the plan of a stored site where nothing is known, and what is known of it and stays unused.

    Args:
        facts: what is known of the site.
        request: as it came; what it says itself is not assumed.
        driving: what load and PV are from.
    """
    soc, tariff = _judge_soc(facts, request), _judge_tariff(facts.site, facts.unused)
    return _gather([*soc, *_judge_vehicles(facts, request), *tariff, *_judge_forecast(facts, driving)])


def note_tariff(connection: Connection, site: Site, timeline: Timeline, *, language: Language = "en") -> list[NoteReply]:
    """Return what is to be said of what a stored site pays on a timeline: a tariff that it does not name, prices that were loaded and are not used."""
    # Those of the day before would be carried on.
    around = Timeline(timeline.start - DAY, SLOT, DAY // SLOT + timeline.count)
    unused = prices.find_unused_each(connection, [site], around)[site.name]
    return say_notes(_gather(_judge_tariff(site, unused)), Numbers(language, ZoneInfo(site.timezone), site.currency))


def _gather(found: Iterable[tuple[str, dict[str, object]]]) -> list[Assumption]:
    return [Assumption(code=code, figures=figures) for code, figures in found]


Found = Iterator[tuple[str, dict[str, object]]]


def _judge_soc(facts: PlanningFacts, request: PlanRequest) -> Found:
    if not facts.site.batteries or request.state.batteries:
        return
    seen = facts.soc
    if seen is None:
        yield "soc_assumed", {"soc": HALF_FULL}
    elif seen.doubted is not None:
        yield "soc_doubted", _describe_doubt(seen, seen.doubted)
    elif facts.start - seen.at > FRESH_SOC:
        yield "soc_earlier", {"soc": seen.soc, "at": seen.at.isoformat()}


def _describe_doubt(seen: JudgedLevel, doubted: SeenSoc) -> dict[str, object]:
    return {"soc": seen.soc, "at": seen.at.isoformat(), "doubted_soc": doubted.soc, "doubted_at": doubted.at.isoformat()}


def _judge_vehicles(facts: PlanningFacts, request: PlanRequest) -> Found:
    """Yield where the charge comes from that each vehicle has when its first stay begins, or now where that goes on."""
    for name, known in find_vehicles(facts.site, facts.demands, start=facts.start).items():
        if name in request.state.vehicles or not known.state.sessions:
            continue
        if known.usual_kwh:
            yield "vehicle_usual", {"vehicle": name, "need_kwh": round(known.usual_kwh, 3), "comes": USUAL_FROM, "leaves": USUAL_TO}
        charge, seen = known.charge, facts.demands.seen.get(name, SeenCharge())
        at = {} if charge.at is None else {"at": charge.at.isoformat()}
        yield f"vehicle_soc_{charge.source}", {"vehicle": name, "soc": round(charge.soc, 6)} | at
        if seen.charge is not None and seen.charge.doubted is not None:
            yield "vehicle_soc_doubted", {"vehicle": name} | _describe_doubt(seen.charge, seen.charge.doubted)
        if seen.connected is False and seen.since is not None and known.state.sessions[0].from_ <= facts.start:
            yield "vehicle_not_connected", {"vehicle": name, "since": seen.since.isoformat()}


def _judge_tariff(site: Site, unused: Sequence[str]) -> Found:
    if site.tariff == DEFAULT_TARIFF:
        yield "tariff_default", {"import_price": DEFAULT_TARIFF.import_.price, "export_price": DEFAULT_TARIFF.export.price}
    if unused:
        kinds = {prices.stored_name(site.name, name): rule.kind for name, rule in site.tariff.own_rules.items()}
        found = list(dict.fromkeys(kinds[name] for name in unused))
        yield "prices_unused", {"series": [name.rpartition(":")[2] for name in unused], "kinds": found}


def _judge_forecast(facts: PlanningFacts, driving: DrivingForecast) -> Found:
    forecast, active = driving.forecast, facts.active.forecast_version
    if forecast.version != active:
        yield "forecast_fallback", {"active": active, "version": forecast.version, "issued_at": forecast.issued_at.isoformat()}
    elif driving.fallback_reason is not None:
        yield "forecast_old", {"version": forecast.version, "issued_at": forecast.issued_at.isoformat()}
    for code in facts.reasons:
        yield code, {}
    if facts.waiting is not None:
        yield _judge_waiting(facts.waiting, active)


def _judge_waiting(waiting: WaitingVersion, active: str) -> tuple[str, dict[str, object]]:
    code = "forecast_awaits_proof" if waiting.days < waiting.needed else "forecast_not_better"
    figures = {"candidate": waiting.forecast_version, "days": waiting.days, "needed": waiting.needed, "command": waiting.command}
    return code, {"version": active, "earliest": waiting.earliest and waiting.earliest.isoformat()} | figures
