"""Tool: tells the cost of the plan in force with another battery, roof or price."""

import re
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from luna.contracts.message import Message
from luna.contracts.site_tools import Chart, ChartSeries, Unit
from luna.contracts.variant import PlanVariantReply, PlanVariantRequest, Variant
from luna.energy.errors import LunaError
from luna.energy.site import Site
from luna.words.refusals import say_refusal
from services.rag.tools import cues
from services.rag.tools.declaration import Findings, Tool, ToolContext
from services.rag.tools.plan import find_plan, plan_source
from services.rag.tools.question import MatchedCall, PlainQuestion
from services.rag.tools.telling import Teller

_NUMBER = r"(\d{1,4}(?:[.,]\d{1,3})?)"
_CAPACITY = re.compile(rf"{_NUMBER} ?(?:kwh|kilowattstunden|kilowatt hours)")
_PEAK = re.compile(rf"{_NUMBER} ?(?:kwp|kilowatt peak|kw peak)")
_BATTERY = re.compile(r"batterie|akku|speicher|battery|storage")
_WITHOUT = re.compile(
    r"(?:ohne|without|no|keine?n?) (?:\w+ )?(?:batterie|akku|speicher|battery|storage)"
)
_TWICE = re.compile(r"doppelt|zweimal so|verdoppel|twice|double")
_HALF = re.compile(r"halb so gross|halbe[nrsm]? |half the|half as")
_PV = re.compile(r"\bpv|solar|photovoltaik|dach|roof|module|panel")
_CENTS = re.compile(rf"{_NUMBER} ?(?:ct|cents?|rappen)\b")
_MONEY = re.compile(rf"(?:{_NUMBER} ?(?:euro|€|eur|chf|franken|francs?)|(?:€|eur|chf) ?{_NUMBER})")
_EXPORT = re.compile(r"einspeis|verguetung|feed-in|feed in|export|verkauf|sell")
_BOUNDS = {
    "battery_capacity_kwh": (0.0, 1000.0),
    "pv_peak_kw": (0.001, 1000.0),
    "import_price": (-1.0, 5.0),
    "export_price": (-1.0, 5.0),
}


def find_variant(text: str, site: Site) -> dict[str, Any]:
    """Return the supposed changes as arguments of ``what_would_it_cost``; empty if none."""
    variant: dict[str, float] = {}
    factor = None
    if _TWICE.search(text):
        factor = 2.0
    elif _HALF.search(text):
        factor = 0.5
    has_battery = _BATTERY.search(text)
    capacity = _CAPACITY.search(text)
    peak = _PEAK.search(text)
    if _WITHOUT.search(text):
        variant["battery_capacity_kwh"] = 0.0
    elif has_battery and capacity:
        variant["battery_capacity_kwh"] = _read(capacity[1])
    elif has_battery and factor and site.batteries:
        variant["battery_capacity_kwh"] = site.batteries[0].capacity_kwh * factor
    if peak:
        variant["pv_peak_kw"] = _read(peak[1])
    elif factor and site.pv and _PV.search(text) and not has_battery:
        variant["pv_peak_kw"] = site.pv[0].peak_kw * factor
    price = "export_price" if _EXPORT.search(text) else "import_price"
    cents = _CENTS.search(text)
    money = _MONEY.search(text)
    if cents:
        variant[price] = round(_read(cents[1]) / 100, 6)
    # Whole euros are what something costs, not a kWh.
    elif money and "kwh" in text and _read(money[1] or money[2]) < 5:
        variant[price] = _read(money[1] or money[2])
    return {name: value for name, value in variant.items() if _is_within_bounds(name, value)}


def _is_within_bounds(name: str, value: float) -> bool:
    lowest, highest = _BOUNDS[name]
    return lowest <= value <= highest


def _read(number: str) -> float:
    return float(number.replace(",", "."))


_PriceField = Annotated[float | None, Field(ge=-1, le=5)]


class WhatIfArguments(Message):
    """Arguments: the supposed changes, at least one."""

    battery_capacity_kwh: Annotated[
        float | None,
        Field(
            ge=0,
            le=1000,
            description="of the battery, 0: none; of the first where there are several",
        ),
    ] = None
    pv_peak_kw: Annotated[
        float | None,
        Field(gt=0, le=1000, description="of the PV array; of the first where there are several"),
    ] = None
    import_price: Annotated[
        _PriceField,
        Field(description="fixed price of a bought kWh in the site's currency, such as 0.32"),
    ] = None
    export_price: Annotated[_PriceField, Field(description="fixed price of a sold kWh")] = None

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if all(value is None for value in self.model_dump().values()):
            raise ValueError(
                "say what is different: battery_capacity_kwh, pv_peak_kw, import_price or "
                "export_price"
            )
        return self


def match_variant(question: PlainQuestion) -> list[MatchedCall]:
    """Return the call of a question that supposes another battery, roof or price."""
    variant = find_variant(question.text, question.site) if question.has(cues.WHAT_IF) else {}
    return [MatchedCall("what_would_it_cost", variant)] if variant else []


def tell_variant(context: ToolContext, arguments: WhatIfArguments) -> Findings:
    """Let the planner plan the variant, and tell how much more or less it costs."""
    teller = Teller(context)
    plan = find_plan(context)
    if plan is None:
        return teller.miss("no_plan")
    changes = _change(context.site, arguments)
    if changes is None:
        return teller.miss("variant_needs_device", (plan_source(plan),))
    if context.client is None or not context.client.is_served(PlanVariantRequest, interactive=True):
        return teller.miss("no_planner", (plan_source(plan),))
    request = PlanVariantRequest(
        plan_id=plan.plan_id,
        variant=Variant(name="variant", site=changes),
        language=context.numbers.language,
    )
    try:
        reply = PlanVariantReply.model_validate_json(
            context.client.ask(request, timeout=context.patience)
        )
    except LunaError as error:
        why = say_refusal(error, context.numbers.language).sentence
        return teller.miss("planner_refused", (plan_source(plan),), why=teller.name("refusal", why))
    units: dict[str, Unit] = {
        "battery_capacity_kwh": "kwh",
        "pv_peak_kw": "kw",
        "import_price": "price",
        "export_price": "price",
    }
    parts = []
    for name, value in arguments.model_dump().items():
        if value is not None:
            figure = teller.figure(name, value, units[name])
            parts.append(teller.phrase(f"variant_{name}", value=figure))
    before = teller.figure("cost_before", reply.before.total, "cost")
    amount = teller.figure("cost_difference", abs(reply.cost.total), "cost")
    code = "variant_more" if reply.cost.total >= 0 else "variant_less"
    teller.say(code, list=", ".join(parts), amount=amount)
    after = teller.figure("cost_after", reply.after.total, "cost")
    teller.say("variant_costs", before=before, after=after)
    teller.say("variant_horizon")
    labels = [teller.phrase("as_it_is"), teller.phrase("as_it_would_be")]
    series = [
        ChartSeries(
            name=teller.phrase("series_cost"),
            unit="cost",
            kind="bar",
            values=[reply.before.total, reply.after.total],
        )
    ]
    chart = Chart(title=teller.phrase("chart_variant"), starts=labels, by="label", series=series)
    return teller.finish(chart=chart, sources=(plan_source(plan),))


def _change(site: Site, arguments: WhatIfArguments) -> dict[str, Any] | None:
    """Return the changed fields of the site; None where it lacks the device to change."""
    changes: dict[str, Any] = {}
    capacity = arguments.battery_capacity_kwh
    if capacity is not None:
        if not site.batteries:
            return None
        if capacity == 0:
            # Without a battery means without any of them.
            changes["batteries"] = {battery.name: None for battery in site.batteries}
        else:
            changes["batteries"] = {site.batteries[0].name: {"capacity_kwh": capacity}}
    if arguments.pv_peak_kw is not None:
        if not site.pv:
            return None
        changes["pv"] = {site.pv[0].name: {"peak_kw": arguments.pv_peak_kw}}
    tariff = {}
    if arguments.import_price is not None:
        tariff["import"] = {"kind": "fixed", "price": arguments.import_price}
    if arguments.export_price is not None:
        tariff["export"] = {"kind": "fixed", "price": arguments.export_price}
    if tariff:
        changes["tariff"] = tariff
    return changes


TOOL = Tool(
    "what_would_it_cost",
    "What the coming days would cost if something were different - another battery size, "
    "PV size or a fixed price - beside the plan in force: the planner"
    " plans the same days again with the change.",
    WhatIfArguments,
    tell_variant,
)
