"""Tool: tells what a kWh costs at an instant, its parts, and the part that moves it most."""

from typing import Annotated

from pydantic import Field

from luna.contracts.message import Message
from luna.contracts.price_explanation import Side
from luna.energy.timeline import Instant, local_day
from luna.house.price_explanations import find_known_end, read_explanation
from luna.words.price_reasons import describe_price_reasons, describe_unknown_price
from services.rag.tools import cues
from services.rag.tools.clock_phrases import find_hour
from services.rag.tools.declaration import Findings, Tool, ToolContext
from services.rag.tools.question import MatchedCall, PlainQuestion
from services.rag.tools.reading import price_source
from services.rag.tools.telling import LEAD, Teller


class PriceReasonArguments(Message):
    """Arguments: the instant to explain, and whether energy is bought or sold."""

    at: Annotated[
        Instant | None,
        Field(
            description=(
                "an instant, or a time of the site's clock such as 2026-05-21 18:00; default: now"
            )
        ),
    ] = None
    side: Annotated[
        Side,
        Field(description="import: what a bought kWh costs; export: what a sold one earns"),
    ] = "import"


_WHY = cues.any_of(r"warum|wieso|weshalb|why|how come|woran liegt")
_DEAR_OR_CHEAP = cues.any_of(
    r"expensive|dear|costly|cheap\w*|dearer|high|higher|low|lower|pricey|negative",
    r"teur?er\w*|teuren?|billig\w*|guenstig\w*|hoch|hohe\w*|hoeher|niedrig\w*|tief|negativ\w*",
)
_POWER = cues.any_of(
    r"\w*strom|strompreis\w*|electricity|power|energy|kwh|kilowattstunden?|kilowatt-hours?",
    r"price|(?:einspeise|spot|boersen|markt|bezugs)?preis",
)
_KWH = cues.any_of(r"kwh|kilowatt-?(?:hour|stunde)")
_NOW = cues.any_of(r"now|jetzt|gerade|momentan|aktuell|im moment|at the moment|currently")
_SOLD = cues.any_of(r"feed-in|feed in|fed[- ]in|sell\w*|sold|export\w*|\w*einspeis\w*|verkauf\w*")
# Asks for the parts of a price, whatever its height.
_MADE_OF = cues.any_of(
    r"(?:what|which parts) .{0,30}(?:price|kwh|kilowatt-hour) .{0,20}"
    r"(?:made (?:up )?of|consists? of|composed of)",
    r"what makes up .{0,30}(?:price|kwh)|parts of (?:the|my|our) .{0,15}price",
    r"woraus .{0,20}(?:besteht|setzt sich) .{0,30}(?:\w*preis|kwh|kilowattstunde)",
    r"wie setzt sich .{0,30}\w*preis .{0,10}zusammen|wie ist .{0,30}\w*preis aufgebaut|"
    r"(?:bestandteile|zusammensetzung) .{0,15}\w*preis\w*",
)


def match_price_reason(question: PlainQuestion) -> list[MatchedCall]:
    """Return the call of a question for the reason of a price at a time, or for its parts."""
    asks_reason = question.has(_WHY) and question.has(_DEAR_OR_CHEAP) and question.has(_POWER)
    # What prices in general are made of, documents say.
    asks_parts = question.has(_MADE_OF) and (question.has(_KWH) or question.has(cues.OWN))
    if not (asks_reason or asks_parts) or question.has(cues.GOODS):
        return []
    days = question.days()
    if question.has(cues.NIGHTLY) or any(day.days > 1 for day in days):
        return []
    at = find_price_instant(question)
    # A whole day has no one reason: its course is told.
    if at is None and not question.has(_NOW) and (days or not asks_parts):
        return []
    arguments = {"at": at} if at else {}
    if question.has(_SOLD):
        arguments["side"] = "export"
    return [MatchedCall("price_reasons", arguments)]


def find_price_instant(question: PlainQuestion) -> str | None:
    """Return the clock time that a question names, also by an hour alone; None without one."""
    days = question.days()
    day = days[0].first if days else question.today
    hour = find_hour(question.text)
    if hour is not None:
        return f"{day.isoformat()} {hour}"
    # A day alone would be read as its noon, which nobody named.
    is_day_alone = bool(days) and days[0].whole_days
    return None if is_day_alone else question.instant()


def tell_price_reason(context: ToolContext, arguments: PriceReasonArguments) -> Findings:
    """Tell the price at an instant, its main cause, and its parts."""
    teller = Teller(context)
    at = arguments.at or context.now
    explanation = read_explanation(
        context.connection, context.site, at, side=arguments.side, now=context.now
    )
    day = local_day(explanation.start.astimezone(context.zone).date(), context.zone)
    sources = (price_source(context, day),)
    if explanation.rank is None:
        known_until = find_known_end(
            context.connection, context.site, at, side=arguments.side, now=context.now
        )
        for sentence in describe_unknown_price(at, known_until, context.numbers, now=context.now):
            teller.write(sentence)
        return teller.finish_without_data(sources=sources)
    sells = arguments.side == "export"
    sentences = describe_price_reasons(explanation, context.numbers, sells=sells, now=context.now)
    for place, sentence in enumerate(sentences):
        if place >= LEAD:
            teller.begin_line()
        teller.write(sentence)
    return teller.finish(sources=sources)


TOOL = Tool(
    "price_reasons",
    "Why a kWh costs what it costs at an instant (past, now or ahead): the price, the main "
    "cause, its place in the day, and each part of the price such as market price, grid fee "
    "or tax, with the hours in which it holds; and what the car or the heat pump pays "
    "where it has a price of its own.",
    PriceReasonArguments,
    tell_price_reason,
)
