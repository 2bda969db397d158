"""What another world pays by day, month and year, and when it is paid back."""

from collections.abc import Mapping, Sequence
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.counterfactual import (
    BASELINE,
    Estimate,
    MonthFlow,
    Variant,
    VariantReply,
    WhatIfReply,
    WhatIfRequest,
)
from luna.contracts.message import Message
from luna.energy.bootstrap import bound_sum
from luna.energy.site import Site
from luna.energy.timeline import FloatArray
from luna.words import Numbers
from luna.words.alternatives import say_account, say_baseline, say_days, say_savings

YEAR_DAYS = 365.25
# A window this short tells nothing of how days differ.
_LEAST_DAYS = 14
# The interval is drawn from blocks of a week: with fewer than four nothing is said of years.
LEAST_DAYS_OF_YEARS = 28
_LITTLE_MONEY = 1e-9


class DayFlow(Message):
    """What a local day cost and moved.

    Earnings are negative, ``stored_gain`` is what the energy gained in the batteries is worth.
    """

    day: date
    import_cost: float
    export_cost: float
    wear: float
    stored_gain: float
    import_kwh: float
    export_kwh: float


class PeriodFlows(Message):
    """What a variant came to: its days in order, what a capacity tariff adds by month, and how
    often its batteries were emptied.
    """

    days: list[DayFlow]
    peaks: dict[str, float]
    cycles: float
    outlook: str


def describe(name: str, flows: PeriodFlows) -> VariantReply:
    """Return a variant's account."""
    months = sum_months(flows)
    bill = sum(month.bill for month in months)
    wear = sum(month.wear for month in months)
    gain = sum(day.stored_gain for day in flows.days)
    return VariantReply(
        name=name,
        bill=bill,
        wear=wear,
        stored_gain=gain,
        total=bill - gain,
        cost=bill + wear - gain,
        import_kwh=sum(day.import_kwh for day in flows.days),
        export_kwh=sum(day.export_kwh for day in flows.days),
        cycles=flows.cycles,
        months=months,
    )


def compare(variant: Variant, flows: PeriodFlows, baseline: PeriodFlows) -> VariantReply:
    """Return a variant's account with what it saves beside the baseline, and how long an investment
    takes to come back.
    """
    daily = pay_daily(baseline) - pay_daily(flows)
    yearly = estimate_year(daily)
    lasting = daily.size >= LEAST_DAYS_OF_YEARS
    figures = {
        "savings": float(daily.sum()),
        "savings_per_year": yearly,
        "investment": variant.investment,
        "payback_years": pay_back(variant.investment, yearly)
        if variant.investment and lasting
        else None,
    }
    return describe(variant.name, flows).model_copy(update=figures)


def sum_months(flows: PeriodFlows) -> list[MonthFlow]:
    """Return money and energy by local month."""
    months: dict[str, list[DayFlow]] = {}
    for day in flows.days:
        months.setdefault(f"{day.day:%Y-%m}", []).append(day)
    return [_month(month, days, flows.peaks) for month, days in months.items()]


def _month(month: str, days: Sequence[DayFlow], peaks: Mapping[str, float]) -> MonthFlow:
    imported = sum(day.import_cost for day in days)
    exported = sum(day.export_cost for day in days)
    peak = peaks.get(month, 0.0)
    return MonthFlow(
        month=month,
        import_=imported,
        export=exported,
        peak=peak,
        bill=imported + exported + peak,
        wear=sum(day.wear for day in days),
        import_kwh=sum(day.import_kwh for day in days),
        export_kwh=sum(day.export_kwh for day in days),
    )


def pay_daily(flows: PeriodFlows) -> FloatArray:
    """Return what each day is paid, what is gained in the batteries taken off.

    A month's peak is spread over its days. Wear is no payment.
    """
    months = [f"{day.day:%Y-%m}" for day in flows.days]
    share = {
        month: flows.peaks.get(month, 0.0) / months.count(month) for month in dict.fromkeys(months)
    }
    return np.array(
        [
            day.import_cost + day.export_cost - day.stored_gain + share[month]
            for day, month in zip(flows.days, months, strict=True)
        ]
    )


def estimate_year(daily: FloatArray) -> Estimate:
    """Return what a year of such days comes to; no interval for less than two weeks."""
    factor = YEAR_DAYS / daily.size
    value = float(daily.sum()) * factor
    if daily.size < _LEAST_DAYS:
        return Estimate(value=value, low=None, high=None)
    low, high = bound_sum(daily, rng=np.random.default_rng(0))
    return Estimate(value=value, low=low * factor, high=high * factor)


def pay_back(investment: float, yearly: Estimate) -> Estimate:
    """Return after how many years the investment is back, without interest; null: never."""
    return Estimate(
        value=_years(investment, yearly.value),
        low=_years(investment, yearly.high),
        high=_years(investment, yearly.low),
    )


def _years(investment: float, saving: float | None) -> float | None:
    return investment / saving if saving is not None and saving > _LITTLE_MONEY else None


def conclude(
    what_if_id: str, question: WhatIfRequest, site: Site, flows: Mapping[str, PeriodFlows]
) -> WhatIfReply:
    """Return every variant's result beside the baseline, in figures and words."""
    numbers = Numbers(question.language, ZoneInfo(site.timezone), site.currency)
    baseline = flows[BASELINE]
    account = describe(BASELINE, baseline)
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
        baseline=account.model_copy(
            update={
                "text": say_baseline(
                    account.bill, account.stored_gain, days=len(baseline.days), numbers=numbers
                )
            }
        ),
        variants=[
            each.model_copy(update={"text": _say(each, account, len(baseline.days), numbers)})
            for each in variants
        ],
    )


def _say(variant: VariantReply, baseline: VariantReply, days: int, numbers: Numbers) -> str:
    """Return what a variant saves, and how that comes about: both in the figures of the table."""
    account = say_account(
        variant.bill - baseline.bill, variant.stored_gain - baseline.stored_gain, numbers=numbers
    )
    if days < LEAST_DAYS_OF_YEARS:
        least = None if variant.investment is None else LEAST_DAYS_OF_YEARS
        saved = say_days(variant.name, variant.savings, days=days, least=least, numbers=numbers)
        return f"{saved} {account}"
    payback = None if variant.payback_years is None else _bounds(variant.payback_years)
    savings = _bounds(variant.savings_per_year or Estimate(value=None, low=None, high=None))
    return (
        f"{say_savings(variant.name, savings, payback=payback, days=days, numbers=numbers)} "
        f"{account}"
    )


def _bounds(estimate: Estimate) -> tuple[float | None, float | None, float | None]:
    return estimate.value, estimate.low, estimate.high
