"""What the plan in force would cost if the site were another."""

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from luna.contracts.counterfactual import PlanVariantReply, PlanVariantRequest, Variant
from luna.contracts.message import Message
from luna.contracts.site_tools import Chart, ChartSeries
from luna.energy.errors import LunaError
from luna.energy.site import Site
from services.rag.tools.declaration import Findings, Tool, ToolContext
from services.rag.tools.plan import find_plan, plan_source
from services.rag.tools.telling import Teller

_PriceField = Annotated[float | None, Field(ge=-1, le=5)]


class WhatIfArguments(Message):
    """What is different; at least one of them."""

    battery_capacity_kwh: Annotated[float | None, Field(ge=0, le=1000, description="of the battery, 0: none; of the first where there are several")] = None
    pv_peak_kw: Annotated[float | None, Field(gt=0, le=1000, description="of the PV array; of the first where there are several")] = None
    import_price: Annotated[_PriceField, Field(description="fixed price of a bought kWh in the site's currency, such as 0.32")] = None
    export_price: Annotated[_PriceField, Field(description="fixed price of a sold kWh")] = None

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if all(value is None for value in self.model_dump().values()):
            raise ValueError("say what is different: battery_capacity_kwh, pv_peak_kw, import_price or export_price")
        return self


def tell_variant(context: ToolContext, arguments: WhatIfArguments) -> Findings:
    """Ask the planner for the plan in force under the variant, and tell what it costs more or less."""
    teller, plan = Teller(context), find_plan(context)
    if plan is None:
        return teller.miss("no_plan")
    changes = _change(context.site, arguments)
    if changes is None:
        return teller.miss("variant_needs_device", (plan_source(plan),))
    if context.client is None or not context.client.is_served(PlanVariantRequest, asked=True):
        return teller.miss("no_planner", (plan_source(plan),))
    request = PlanVariantRequest(plan_id=plan.plan_id, variant=Variant(name="variant", site=changes), language=context.numbers.language)
    try:
        reply = PlanVariantReply.model_validate_json(context.client.ask(request, timeout=context.patience))
    except LunaError as error:
        return teller.miss("planner_refused", (plan_source(plan),), why=teller.name("refusal", error.message))
    labels = [teller.phrase("as_it_is"), teller.phrase("as_it_would_be")]
    series = [ChartSeries(name=teller.phrase("series_cost"), unit="cost", kind="bar", values=[reply.before.total, reply.after.total])]
    chart = Chart(title=teller.phrase("chart_variant"), starts=labels, by="label", series=series)
    return _tell(teller, reply, arguments).finish(chart=chart, sources=(plan_source(plan),))


def _change(site: Site, arguments: WhatIfArguments) -> dict[str, Any] | None:
    """Return the fields of the site that change, None where one of them is of a device that the site does not have."""
    changes: dict[str, Any] = {}
    for field, kind, name in (("battery_capacity_kwh", "batteries", "capacity_kwh"), ("pv_peak_kw", "pv", "peak_kw")):
        value = getattr(arguments, field)
        devices = getattr(site, kind)
        if value is None:
            continue
        if not devices:
            return None
        # Without a battery means without any of them.
        changes[kind] = {device.name: None for device in devices} if value == 0 else {devices[0].name: {name: value}}
    prices = {"import": arguments.import_price, "export": arguments.export_price}
    tariff = {side: {"kind": "fixed", "price": price} for side, price in prices.items() if price is not None}
    return changes | ({"tariff": tariff} if tariff else {})


def _tell(teller: Teller, reply: PlanVariantReply, arguments: WhatIfArguments) -> Teller:
    units = {"battery_capacity_kwh": "kwh", "pv_peak_kw": "kw", "import_price": "price", "export_price": "price"}
    changes = {name: value for name, value in arguments.model_dump().items() if value is not None}
    parts = [teller.phrase(f"variant_{name}", value=teller.figure(name, value, units[name])) for name, value in changes.items()]  # type: ignore[arg-type]
    figures = {
        "before": teller.figure("cost_before", reply.before.total, "cost"),
        "after": teller.figure("cost_after", reply.after.total, "cost"),
    }
    teller.say("variant_costs", list=", ".join(parts), **figures)
    amount = teller.figure("cost_difference", abs(reply.cost.total), "cost")
    teller.say("variant_more" if reply.cost.total >= 0 else "variant_less", amount=amount)
    teller.say("variant_horizon")
    return teller


TOOL = Tool(
    "what_would_it_cost",
    "What the coming days would cost if something were different - another battery size, PV size or a fixed price - beside the plan in force: the planner"
    " plans the same days again with the change.",
    WhatIfArguments,
    tell_variant,
)
