"""Octopus Intelligent Go in Great Britain, for its customers: day, night, and planned dispatches.

Octopus charges the car in half-hours that it plans at short notice. In these the whole home pays
the night's price, also by day. What is planned is a forecast until its half-hour is over; what was
dispatched settles it. A boost that the customer asked for is paid at the day's price.

Source: docs.octopus.energy, GraphQL reference, ``obtainKrakenToken``, ``account``, ``devices``,
``flexPlannedDispatches`` and ``completedDispatches``, shapes as public clients read them; and
``standard-unit-rates`` as in ``octopus``. Completed dispatches reach back twelve hours: of earlier
half-hours by day it does not say whether they were cheap, and they have no price here.

Four requests a run, five with two cars. Octopus counts points of all of a customer's programs
together, 50,000 an hour, and says how many are left: the last tenth is not used.
Source: developer.octopus.energy, GraphQL reference, ``rateLimitInfo``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NoReturn

import numpy as np
from pydantic import AwareDatetime, BaseModel

from luna.energy.timeline import SLOT, FloatArray, floor_to
from services.ingest.sources.prices.declaration import PriceSourceDeclaration
from services.ingest.sources.prices.octopus import (
    HALF_HOUR,
    NOT_BY_DIRECT_DEBIT,
    PENCE_PER_POUND,
    PUBLISHED,
    URL,
    Rate,
    read_rates,
)
from services.ingest.sources.prices.publication import (
    MINUTE,
    DeliveryWindow,
    Issue,
    Product,
    make_sheets,
)
from services.ingest.sources.source import PriceSheet, SourceError, SourceRefusedError
from services.ingest.sources.web import Web, instant_of

GRAPHQL = "https://api.octopus.energy/v1/graphql/"
CODES = {"GB-INTELLIGENT": "INTELLI"}
# The night's price is the lowest within a day of a half-hour.
DAY = timedelta(days=1)
REMEMBERED = timedelta(hours=12)
# Of an hour's points: the customer's other programs need some as well.
KEPT_SHARE = 0.1
# Of a dispatch that is paid at the night's price; None counts as one.
SMART = frozenset({None, "smart", "smart-charge"})
# Octopus' codes for a wrong or expired key.
REFUSED = frozenset({"KT-CT-1111", "KT-CT-1138", "KT-CT-1139", "KT-CT-1143"})
LOGIN = """mutation ($key: String!) {
  obtainKrakenToken(input: {APIKey: $key}) { token }
}"""
ACCOUNT_QUERY = """query ($account: String!) {
  account(accountNumber: $account) { electricityAgreements(active: true) { meterPoint {
    agreements(includeInactive: false) {
      validFrom validTo tariff { ... on TariffType { productCode tariffCode } }
    }
  } } }
  devices(accountNumber: $account) { id deviceType status { current } }
  rateLimitInfo { pointsAllowanceRateLimit { limit remainingPoints isBlocked ttl } }
}"""
DISPATCHES_QUERY = """query ($account: String!, $device: String!) {
  flexPlannedDispatches(deviceId: $device) { start end type }
  completedDispatches(accountNumber: $account) { start end meta { source } }
}"""


class _Error(BaseModel):
    message: str = "no reason given"
    extensions: dict[str, Any] = {}


class _Token(BaseModel):
    token: str


class _TokenData(BaseModel):
    obtainKrakenToken: _Token  # noqa: N815 - the service's names


class _TokenReply(BaseModel):
    data: _TokenData | None = None
    errors: list[_Error] = []


class _Tariff(BaseModel):
    productCode: str | None = None  # noqa: N815
    tariffCode: str | None = None  # noqa: N815


class _Agreement(BaseModel):
    validFrom: AwareDatetime  # noqa: N815
    validTo: AwareDatetime | None = None  # noqa: N815
    tariff: _Tariff

    def is_intelligent(self, now: datetime) -> bool:
        """Whether it is in force and of a product with dispatches."""
        product = (self.tariff.productCode or "").upper()
        in_force = self.validFrom <= now and (self.validTo is None or now < self.validTo)
        return in_force and product.startswith(("INTELLI", "IOG"))


class _MeterPoint(BaseModel):
    agreements: list[_Agreement]


class _ElectricityAgreement(BaseModel):
    meterPoint: _MeterPoint  # noqa: N815


class _Account(BaseModel):
    electricityAgreements: list[_ElectricityAgreement]  # noqa: N815


class _Status(BaseModel):
    current: str | None = None


class _Device(BaseModel):
    id: str
    deviceType: str | None = None  # noqa: N815
    status: _Status | None = None

    @property
    def is_dispatched(self) -> bool:
        """Whether it is a car or its charger that Octopus charges."""
        is_live = self.status is not None and self.status.current == "LIVE"
        return is_live and self.deviceType in {"ELECTRIC_VEHICLES", "CHARGE_POINTS"}


class _Points(BaseModel):
    limit: int | None = None
    remainingPoints: int | None = None  # noqa: N815
    isBlocked: bool | None = None  # noqa: N815
    # Epoch seconds at which the next hour's points come.
    ttl: int | None = None

    @property
    def are_spent(self) -> bool:
        """Return true if the rest is for other programs; an unknown rest is not."""
        if self.isBlocked or self.limit is None or self.remainingPoints is None:
            return bool(self.isBlocked)
        return self.remainingPoints < KEPT_SHARE * self.limit


class _RateLimits(BaseModel):
    pointsAllowanceRateLimit: _Points | None = None  # noqa: N815


class _AccountData(BaseModel):
    account: _Account
    devices: list[_Device] | None = None
    rateLimitInfo: _RateLimits | None = None  # noqa: N815


class _AccountReply(BaseModel):
    data: _AccountData | None = None
    errors: list[_Error] = []


class _Meta(BaseModel):
    source: str | None = None


class _Dispatch(BaseModel):
    start: AwareDatetime
    end: AwareDatetime
    type: str | None = None
    meta: _Meta | None = None

    @property
    def is_smart(self) -> bool:
        """Whether Octopus chose its time, so that it is cheap."""
        said = self.type or (self.meta.source if self.meta else None)
        return (said.lower() if said else None) in SMART

    def covers(self, half_hour: datetime) -> bool:
        """Whether any part of a half-hour lies in it: then all of it is cheap."""
        return self.start < half_hour + HALF_HOUR and half_hour < self.end


class _DispatchData(BaseModel):
    flexPlannedDispatches: list[_Dispatch] | None = None  # noqa: N815
    completedDispatches: list[_Dispatch] | None = None  # noqa: N815


class _DispatchReply(BaseModel):
    data: _DispatchData | None = None
    errors: list[_Error] = []


@dataclass(frozen=True)
class OctopusIntelligent:
    """Prices of a customer's Intelligent tariff.

    Args:
        web: HTTP client.
        token: ``account:api_key`` of a customer.
    """

    name = "octopus_intelligent"
    web: Web
    token: str = field(repr=False)

    def fetch(self, market: str, first: datetime, end: datetime) -> list[PriceSheet]:
        account, separator, key = self.token.strip().partition(":")
        if not (account and separator and key):
            raise SourceRefusedError(
                "needs account:api_key as its token",
                field=self.name,
                remedy="Check LUNA_OCTOPUS_TOKEN.",
            )
        headers = {"authorization": self._obtain_token(key)}
        agreement, devices = self._read_account(account, headers)
        dispatches: list[_Dispatch] = []
        for device in devices:
            dispatches += self._read_dispatches(account, device, headers)
        url = (
            f"{URL}/{agreement.productCode}/electricity-tariffs/{agreement.tariffCode}"
            "/standard-unit-rates/"
        )
        sheets: list[PriceSheet] = []
        for window in DeliveryWindow(market, first, end).split():
            around = DeliveryWindow(market, window.first - DAY, window.end + DAY)
            rates = read_rates(self.web, url, around, self.name)
            products = self._price(around, rates, [each for each in dispatches if each.is_smart])
            sheets += make_sheets(window, products, Issue("GBP", per_kwh=1.0))
        return sheets

    def _obtain_token(self, key: str) -> str:
        """Return a token for an hour."""
        query = {"query": LOGIN, "variables": {"key": key}}
        reply = self.web.post(GRAPHQL, query).parse(_TokenReply)
        if reply.data is None or reply.errors:
            self._refuse(reply.errors)
        return reply.data.obtainKrakenToken.token

    def _read_account(self, account: str, headers: dict[str, str]) -> tuple[_Tariff, list[str]]:
        """Return the tariff in force, and the devices that Octopus charges."""
        query = {"query": ACCOUNT_QUERY, "variables": {"account": account}}
        reply = self.web.post(GRAPHQL, query, headers=headers).parse(_AccountReply)
        if reply.data is None or reply.errors:
            self._refuse(reply.errors)
        self._require_points(reply.data.rateLimitInfo)
        now = self.web.clock.now()
        for supply in reply.data.account.electricityAgreements:
            for agreement in supply.meterPoint.agreements:
                if agreement.is_intelligent(now) and agreement.tariff.tariffCode:
                    devices = reply.data.devices or []
                    live = [device.id for device in devices if device.is_dispatched]
                    return agreement.tariff, live
        raise SourceRefusedError(
            "the account has no Intelligent tariff in force",
            field=self.name,
            value=account,
            remedy="Check the market in the tariff.",
        )

    def _require_points(self, limits: _RateLimits | None) -> None:
        points = limits.pointsAllowanceRateLimit if limits else None
        if points is None or not points.are_spent:
            return
        remedy = "Try again later."
        if points.ttl is not None:
            remedy = f"Prices come again after {instant_of(points.ttl):%H:%M} UTC."
        raise SourceError(
            "has few requests left for this account and hour",
            field=self.name,
            value=points.remainingPoints,
            remedy=remedy,
        )

    def _read_dispatches(
        self, account: str, device: str, headers: dict[str, str]
    ) -> list[_Dispatch]:
        """Return what is planned for a device, and what was dispatched."""
        variables = {"account": account, "device": device}
        query = {"query": DISPATCHES_QUERY, "variables": variables}
        reply = self.web.post(GRAPHQL, query, headers=headers).parse(_DispatchReply)
        if reply.data is None or reply.errors:
            self._refuse(reply.errors)
        planned = reply.data.flexPlannedDispatches or []
        completed = reply.data.completedDispatches or []
        return [*planned, *completed]

    def _refuse(self, errors: Sequence[_Error]) -> NoReturn:
        codes = {error.extensions.get("errorCode") for error in errors}
        if codes & REFUSED:
            raise SourceRefusedError(
                "does not accept the token", field=self.name, remedy="Check LUNA_OCTOPUS_TOKEN."
            )
        reason = errors[0].message if errors else "no reason given"
        raise SourceError(
            f"answers no prices: {reason}", field=self.name, remedy="Try again later."
        )

    def _price(
        self, around: DeliveryWindow, rates: Sequence[Rate], dispatches: Sequence[_Dispatch]
    ) -> Iterator[Product]:
        """Yield the quarter-hours whose price is known, pounds per kWh."""
        starts, price = _spread(around, rates)
        night = _find_lowest(price)
        earliest = self.web.clock.now() - REMEMBERED
        for start, paid, cheapest in zip(starts, price.tolist(), night.tolist(), strict=True):
            is_dispatched = any(dispatch.covers(start) for dispatch in dispatches)
            if not (is_dispatched or paid == cheapest or start >= earliest):
                continue
            for part in range(HALF_HOUR // SLOT):
                amount = cheapest if is_dispatched else paid
                yield Product(start + part * SLOT, SLOT // MINUTE, amount)


def _spread(around: DeliveryWindow, rates: Sequence[Rate]) -> tuple[list[datetime], FloatArray]:
    """Return the half-hours of a window and the price in each, NaN where none is published."""
    first = floor_to(around.first, HALF_HOUR)
    count = -(-(around.end - first) // HALF_HOUR)
    starts = [first + place * HALF_HOUR for place in range(count)]
    price = np.full(count, np.nan)
    for rate in rates:
        if rate.payment_method == NOT_BY_DIRECT_DEBIT:
            continue
        begin = max((rate.valid_from - first) // HALF_HOUR, 0)
        end = count if rate.valid_to is None else (rate.valid_to - first) // HALF_HOUR
        price[begin : max(end, begin)] = rate.value_inc_vat / PENCE_PER_POUND
    return starts, price


def _find_lowest(price: FloatArray) -> FloatArray:
    """Return the lowest price within a day of each half-hour."""
    reach = DAY // HALF_HOUR
    padded = np.pad(np.nan_to_num(price, nan=np.inf), reach, constant_values=np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    lowest: FloatArray = windows.min(axis=1)
    return lowest


SOURCE = PriceSourceDeclaration(
    codes=CODES,
    open=lambda access: OctopusIntelligent(access.web, access.token),
    setting="octopus_token",
    currencies=frozenset({"GBP"}),
    clock="Europe/London",
    published=PUBLISHED,
    publication="forecast",
)
