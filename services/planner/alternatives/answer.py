"""The answer to a question what would have been, once every variant is replayed."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from luna.contracts.what_if import BASELINE, Estimate, VariantReply, WhatIfReply, WhatIfRequest
from luna.site import Site
from luna.wording import Numbers
from luna.wording.alternatives import say_account, say_baseline, say_days, say_savings
from services.planner.alternatives.cash_flow import LEAST_DAYS_OF_YEARS, Flows, compare, describe


def conclude(what_if_id: str, question: WhatIfRequest, site: Site, flows: Mapping[str, Flows]) -> WhatIfReply:
    """Return what every variant came to beside the baseline, in figures and words."""
    numbers, baseline = Numbers(question.language, ZoneInfo(site.timezone), site.currency), flows[BASELINE]
    told = describe(BASELINE, baseline)
    variants = [compare(variant, flows[variant.name], baseline) for variant in question.variants]
    return WhatIfReply(
        what_if_id=what_if_id,
        site=site.name,
        from_day=question.from_day,
        to_day=question.to_day,
        days=len(baseline.days),
        currency=site.currency,
        policy=question.policy,
        outlook=baseline.outlook,
        baseline=told.model_copy(update={"text": say_baseline(told.bill, told.stored_gain, days=len(baseline.days), numbers=numbers)}),
        variants=[each.model_copy(update={"text": _say(each, told, len(baseline.days), numbers)}) for each in variants],
    )


def _say(variant: VariantReply, baseline: VariantReply, days: int, numbers: Numbers) -> str:
    """Return what a variant saves, and how that comes about: both in the figures of the table."""
    account = say_account(variant.bill - baseline.bill, variant.stored_gain - baseline.stored_gain, numbers=numbers)
    if days < LEAST_DAYS_OF_YEARS:
        asked = variant.investment is not None
        return f"{say_days(variant.name, variant.savings, days=days, least=LEAST_DAYS_OF_YEARS if asked else None, numbers=numbers)} {account}"
    payback = None if variant.payback_years is None else _bounds(variant.payback_years)
    savings = _bounds(variant.savings_per_year or Estimate(value=None, low=None, high=None))
    return f"{say_savings(variant.name, savings, payback=payback, days=days, numbers=numbers)} {account}"


def _bounds(estimate: Estimate) -> tuple[float | None, float | None, float | None]:
    return estimate.value, estimate.low, estimate.high
