"""Tool: tells what past days would have cost at a tariff sheet's prices."""

import re
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from luna.energy.account import settle_account
from luna.energy.site import Site, parse_site
from luna.house.account import has_begun, read_account_slots
from luna.words.numbers import join_words
from services.rag.tools import cues
from services.rag.tools.declaration import (
    Clock,
    ClockEnd,
    Findings,
    PeriodArguments,
    Tool,
    ToolContext,
)
from services.rag.tools.question import MatchedCall, PlainQuestion
from services.rag.tools.reading import price_source, series_source
from services.rag.tools.telling import Teller

_SHEET = re.compile(
    r"\b(?:tarifblatt|preisblatt|tarif\w*|vertrag|angebot|preisliste|tariff(?: sheet)?|"
    r"price sheet|price list|rate sheet|contract|offer)\b"
)
# The Dutch "had" is read as "hatte".
_WOULD = re.compile(
    r"\b(?:haette\w*|hatte\w*|waere\w*|would(?: have)?|wuerde\w*)\b|"
    r"\bmit dem neuen\b|\bon the new\b"
)
_MONEY = re.compile(r"kost\w*|cost\w*|bezahl\w*|gezahlt|zahl\w*|paid|pay|teuer|expensive|rechnung")
# An amount below this reads as none.
LEAST_DIFFERENCE = 0.005


class BillArguments(PeriodArguments):
    """Arguments: days and the prices that a tariff sheet names; the last thirty days by default."""

    usual_days: ClassVar[tuple[int, int]] = (-30, -1)

    energy_price: Annotated[
        float, Field(ge=-1, le=5, description="of a bought kWh in the site's currency, as 0.319")
    ]
    base_price: Annotated[
        float, Field(ge=0, le=1000, description="due each month or day, whatever is bought")
    ]
    base_per: Annotated[
        Literal["day", "month"], Field(description="what the base price is due for")
    ] = "month"
    currency: Annotated[
        Literal["EUR", "GBP", "CHF"] | None, Field(description="of the prices; default: the site's")
    ] = None
    night_price: Annotated[
        float | None, Field(ge=-1, le=5, description="of a kWh bought in the night hours")
    ] = None
    night_from: Annotated[Clock | None, Field(description="when the night price begins")] = None
    night_to: Annotated[ClockEnd | None, Field(description="when the night price ends")] = None

    @model_validator(mode="after")
    def _night_is_whole(self) -> Self:
        parts = (self.night_price, self.night_from, self.night_to)
        if any(part is None for part in parts) != all(part is None for part in parts):
            raise ValueError("night_price needs night_from and night_to, and they need it")
        return self


def match_bill(question: PlainQuestion) -> list[MatchedCall]:
    """Return the call of a question what past days would have cost on a tariff sheet.

    The sheet's prices are missing: documents hold them.
    """
    periods = question.past_periods()
    is_asked = question.has(_SHEET) and question.has(_WOULD) and question.has(_MONEY)
    if not periods or not is_asked or question.has(cues.NARROWED):
        return []
    return [MatchedCall("bill_on_tariff", periods[0].as_arguments())]


def tell_bill_on_tariff(context: ToolContext, arguments: BillArguments) -> Findings:
    """Tell the cost on other prices beside the cost on the site's own tariff, then the prices."""
    teller = Teller(context)
    if arguments.currency not in (None, context.site.currency):
        return teller.miss("sheet_currency")
    period = arguments.period(context.today)
    timeline = period.timeline(context.zone)
    now = context.now if has_begun(timeline, context.now) else timeline.end
    slots = read_account_slots(context.connection, context.site, timeline, now=now)
    other_site = _with_prices(context.site, arguments)
    other_slots = read_account_slots(context.connection, other_site, timeline, now=now)
    own = settle_account(slots)
    other = settle_account(other_slots)
    sources = (
        series_source(context, "import_kwh", slots.timeline),
        price_source(context, slots.timeline),
    )
    title = teller.period(period)
    if other.cost is None:
        return teller.miss("nothing_recorded", sources, period=title)
    cost = teller.figure("cost_on_sheet", other.cost, "cost")
    if own.cost is None:
        teller.say("sheet_cost", period=title, cost=cost)
    else:
        difference = other.cost - own.cost
        amount = teller.figure("cost_difference", abs(difference), "cost")
        code = "sheet_less" if difference < 0 else "sheet_more"
        if abs(difference) < LEAST_DIFFERENCE:
            code = "sheet_same"
        teller.say(code, period=title, cost=cost, amount=amount)
    teller.say("sheet_prices", list=_list_prices(teller, arguments))
    if slots.timeline.end < timeline.end:
        teller.say("so_far", until=teller.moment("until", slots.timeline.end, day=True))
    teller.say_partly("bill_partly", "priced", other.priced)
    return teller.finish(sources=sources)


def _with_prices(site: Site, arguments: BillArguments) -> Site:
    """Return the site with a sheet's prices; feed-in and capacity charges stay as they are."""
    import_rule: dict[str, object] = {"kind": "fixed", "price": arguments.energy_price}
    if arguments.night_price is not None:
        band = {
            "from": arguments.night_from,
            "to": arguments.night_to,
            "price": arguments.night_price,
        }
        import_rule = {
            "kind": "time_of_use",
            "default": arguments.energy_price,
            "bands": [band],
        }
    base = {"name": "base", "price": arguments.base_price, "per": arguments.base_per}
    document = site.model_dump(mode="json", by_alias=True)
    document["tariff"] |= {"import": import_rule, "base": [base], "devices": []}
    return parse_site(document)


def _list_prices(teller: Teller, arguments: BillArguments) -> str:
    energy = teller.figure("energy_price", arguments.energy_price, "price")
    parts = [energy]
    if arguments.night_price is not None and arguments.night_from and arguments.night_to:
        night = teller.phrase(
            "sheet_night",
            price=teller.figure("night_price", arguments.night_price, "price"),
            from_clock=teller.clock("night_from", arguments.night_from),
            to_clock=teller.clock("night_to", arguments.night_to),
        )
        parts.append(night.rstrip())
    base = teller.figure("base_price", arguments.base_price, "cost")
    parts.append(teller.phrase(f"sheet_base_{arguments.base_per}", price=base).rstrip())
    return join_words(parts, teller.numbers.language)


TOOL = Tool(
    "bill_on_tariff",
    "What past days would have cost at a tariff sheet's prices, from the recorded quarter-hours, "
    "beside what they cost on the site's own tariff. Take the prices from a document.",
    BillArguments,
    tell_bill_on_tariff,
)
