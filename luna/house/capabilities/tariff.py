"""The tariff of a site: why a kWh costs what it costs."""

from collections.abc import Iterator
from datetime import datetime
from math import isnan
from typing import Annotated

from pydantic import Field

from luna.contracts.price_explanation import (
    AllowanceState,
    ComponentPrice,
    DeviceKwhPrice,
    PriceExplanationReply,
    Side,
)
from luna.energy.economics.device_kwh import AllowanceLeft, DeviceKwh
from luna.energy.economics.price_explanation import ExplainedComponent, PriceExplanation
from luna.energy.site import Site
from luna.energy.timeline import Instant, parse_zone
from luna.house.capability import CapabilityCall, SiteName, capability
from luna.house.price_explanations import find_known_end, read_explanation
from luna.platform.database import sites
from luna.words import Language, Numbers
from luna.words.price_reasons import ReasonSentence, describe_price_reasons, describe_unknown_price

_NOUN = "prices"
At = Annotated[Instant | None, Field(description="the instant to explain; default: now")]
OfSide = Annotated[Side, Field(description="import: a kWh bought; export: one sold")]
InLanguage = Annotated[Language, Field(description="language of the sentences")]
_DECIMALS = 6


def _show_explanation(reply: PriceExplanationReply, _: Numbers) -> Iterator[str]:
    # The price and its main cause in one line, then a line for each detail.
    yield " ".join(reply.sentences[:2])
    yield from reply.sentences[2:]


@capability(
    "GET",
    "/v1/sites/{site_id}/tariff/explanation",
    noun=_NOUN,
    scope="read",
    command="tariff explain",
    shown=_show_explanation,
    # Its tool price_reasons says the same sentences.
    for_assistants=False,
)
def explain_tariff(
    call: CapabilityCall,
    site_id: SiteName,
    *,
    at: At = None,
    side: OfSide = "import",
    language: InLanguage = "en",
) -> PriceExplanationReply:
    """Explain what a kWh costs.

    Return the price of a quarter-hour by the site's tariff, its parts, how each compares with the
    rest of the local day, the main cause, and what the car or the heat pump pays where it has a
    price of its own. A price that is not known yet has the end of the
    known ones.
    """
    site = sites.load(call.connection, site_id)
    instant = at or call.now
    explanation = read_explanation(call.connection, site, instant, side=side, now=call.now)
    numbers = Numbers(language, parse_zone(site.timezone), site.currency)
    if explanation.rank is None:
        known_until = find_known_end(call.connection, site, instant, side=side, now=call.now)
        sentences = describe_unknown_price(explanation.start, known_until, numbers, now=call.now)
        return _compose_reply(site, side, explanation, sentences, known_until=known_until)
    sentences = describe_price_reasons(explanation, numbers, sells=side == "export", now=call.now)
    return _compose_reply(site, side, explanation, sentences)


def _compose_reply(
    site: Site,
    side: Side,
    explanation: PriceExplanation,
    sentences: list[ReasonSentence],
    *,
    known_until: datetime | None = None,
) -> PriceExplanationReply:
    rank = explanation.rank
    main = None
    if explanation.main is not None:
        main = explanation.components.index(explanation.main)
    return PriceExplanationReply(
        currency=site.currency,
        timezone=site.timezone,
        side=side,
        start=explanation.start,
        end=explanation.end,
        price=_round_price(explanation.on_day.price),
        known_until=known_until,
        day_mean=_round_price(explanation.on_day.day_mean),
        rank=rank.from_cheapest if rank else None,
        rank_from_dearest=rank.from_dearest if rank else None,
        rank_count=rank.count if rank else None,
        main=main,
        components=[_describe_component(component) for component in explanation.components],
        devices=[
            _describe_device(device, explanation.on_day.price) for device in explanation.devices
        ],
        sentences=[sentence.text for sentence in sentences],
    )


def _describe_component(component: ExplainedComponent) -> ComponentPrice:
    detail = component.detail
    return ComponentPrice(
        code=component.code,
        name=component.name,
        kind=component.kind,
        net_price=_round_price(component.net_price),
        tax=_round_price(component.tax),
        price=_round_price(component.on_day.price),
        day_mean=_round_price(component.on_day.day_mean),
        standing=component.on_day.standing,
        window_from=detail.from_clock,
        window_to=detail.to_clock,
        days=list(detail.days),
        months=list(detail.months),
        market=detail.market,
        billed_from=detail.begin,
        billed_to=detail.end,
        up_to_kwh=detail.up_to_kwh,
        below_spot=component.below_spot,
    )


def _describe_device(device: DeviceKwh, house_price: float) -> DeviceKwhPrice:
    return DeviceKwhPrice(
        devices=device.devices,
        names=list(device.names),
        price=_round_price(house_price + device.difference),
        difference=round(device.difference, _DECIMALS),
        allowances=[_describe_allowance(allowance) for allowance in device.allowances],
    )


def _describe_allowance(allowance: AllowanceLeft) -> AllowanceState:
    return AllowanceState(
        name=allowance.name,
        unit="hours" if allowance.counts_hours else "kwh",
        limit=allowance.limit,
        left=None if allowance.left is None else round(allowance.left, _DECIMALS),
        until=allowance.ends,
        rise=round(allowance.rise, _DECIMALS),
    )


def _round_price(price: float) -> float | None:
    return None if isnan(price) else round(price, _DECIMALS)


CAPABILITIES = (explain_tariff,)
