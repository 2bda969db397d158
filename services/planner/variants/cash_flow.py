"""Account for variants by day, month and year, with savings and payback."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.message import Message
from luna.contracts.variant import (
    BASELINE,
    Estimate,
    MonthFlow,
    Variant,
    VariantReply,
    WhatIfReply,
    WhatIfRequest,
)
from luna.energy.bootstrap import bound_sum
from luna.energy.site import Site
from luna.energy.timeline import FloatArray
from luna.words import Numbers
from luna.words.alternatives import say_account, say_baseline, say_days, say_savings

YEAR_DAYS = 365.25
# Fewer days do not show how days differ.
_LEAST_DAYS = 14
# The interval is drawn from blocks of a week: fewer than four say nothing about years.
LEAST_DAYS_OF_YEARS = 28
_LITTLE_MONEY = 1e-9


class DayFlow(Message):
    """Costs and energy of a local day.

    Earnings are negative, ``stored_gain`` is the value of the energy gained in the batteries.
    """

    day: date
    import_cost: float
    export_cost: float
    wear: float
    stored_gain: float
    import_kwh: float
    export_kwh: float


class PeriodFlows(Message):
    """A variant's days in order, capacity costs by month, and full cycles of its batteries."""

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
    """Return a variant's account with its savings and the payback of its investment."""
    daily_savings = pay_daily(baseline) - pay_daily(flows)
    yearly = estimate_year(daily_savings)
    payback = None
    if variant.investment and daily_savings.size >= LEAST_DAYS_OF_YEARS:
        payback = pay_back(variant.investment, yearly)
    figures = {
        "savings": float(daily_savings.sum()),
        "savings_per_year": yearly,
        "investment": variant.investment,
        "payback_years": payback,
    }
    return describe(variant.name, flows).model_copy(update=figures)


def sum_months(flows: PeriodFlows) -> list[MonthFlow]:
    """Return money and energy by local month."""
    months: dict[str, list[DayFlow]] = {}
    for day in flows.days:
        months.setdefault(_month_of(day), []).append(day)
    return [_sum_month(month, days, flows.peaks) for month, days in months.items()]


def _sum_month(month: str, days: Sequence[DayFlow], peaks: Mapping[str, float]) -> MonthFlow:
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
    """Return each day's payments less its gain in the batteries.

    A month's peak is spread over its days. Wear is no payment.
    """
    days_by_month = Counter(_month_of(day) for day in flows.days)
    payments = np.zeros(len(flows.days))
    for place, day in enumerate(flows.days):
        month = _month_of(day)
        peak_share = flows.peaks.get(month, 0.0) / days_by_month[month]
        payments[place] = day.import_cost + day.export_cost - day.stored_gain + peak_share
    return payments


def _month_of(day: DayFlow) -> str:
    return f"{day.day:%Y-%m}"


def estimate_year(daily: FloatArray) -> Estimate:
    """Return the sum over a year of such days, without an interval below two weeks."""
    factor = YEAR_DAYS / daily.size
    value = float(daily.sum()) * factor
    if daily.size < _LEAST_DAYS:
        return Estimate(value=value, low=None, high=None)
    low, high = bound_sum(daily, rng=np.random.default_rng(0))
    return Estimate(value=value, low=low * factor, high=high * factor)


def pay_back(investment: float, yearly: Estimate) -> Estimate:
    """Return the years until the investment is paid back, without interest; None: never."""
    return Estimate(
        value=_count_years(investment, yearly.value),
        low=_count_years(investment, yearly.high),
        high=_count_years(investment, yearly.low),
    )


def _count_years(investment: float, saving: float | None) -> float | None:
    if saving is None or saving <= _LITTLE_MONEY:
        return None
    return investment / saving


def conclude(
    what_if_id: str, question: WhatIfRequest, site: Site, flows: Mapping[str, PeriodFlows]
) -> WhatIfReply:
    """Return every variant's result beside the baseline, in figures and words."""
    numbers = Numbers(question.language, ZoneInfo(site.timezone), site.currency)
    baseline = flows[BASELINE]
    days = len(baseline.days)
    account = describe(BASELINE, baseline)
    text = say_baseline(account.bill, account.stored_gain, days=days, numbers=numbers)
    variants = []
    for variant in question.variants:
        reply = compare(variant, flows[variant.name], baseline)
        reply_text = _format_variant(reply, account, days, numbers)
        variants.append(reply.model_copy(update={"text": reply_text}))
    return WhatIfReply(
        what_if_id=what_if_id,
        site=site.name,
        from_day=question.from_day,
        to_day=question.to_day,
        days=days,
        currency=site.currency,
        policy=question.policy,
        outlook=baseline.outlook,
        baseline=account.model_copy(update={"text": text}),
        variants=variants,
    )


def _format_variant(
    variant: VariantReply, baseline: VariantReply, days: int, numbers: Numbers
) -> str:
    """Return a variant's savings and their origin in words, with the figures of the table."""
    bill = variant.bill - baseline.bill
    stored_gain = variant.stored_gain - baseline.stored_gain
    account = say_account(bill, stored_gain, numbers=numbers)
    if days < LEAST_DAYS_OF_YEARS:
        least = None if variant.investment is None else LEAST_DAYS_OF_YEARS
        saved = say_days(variant.name, variant.savings, days=days, least=least, numbers=numbers)
        return f"{saved} {account}"
    payback = None if variant.payback_years is None else _bounds(variant.payback_years)
    yearly = variant.savings_per_year or Estimate(value=None, low=None, high=None)
    savings = say_savings(
        variant.name, _bounds(yearly), payback=payback, days=days, numbers=numbers
    )
    return f"{savings} {account}"


def _bounds(estimate: Estimate) -> tuple[float | None, float | None, float | None]:
    return estimate.value, estimate.low, estimate.high
