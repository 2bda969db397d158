"""A component with a cheaper allowance of energy each day, such as free hours with a cap."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

import numpy as np
from pydantic import Field, model_validator

from luna.energy.clock_window import ClockTime
from luna.energy.local_times import LocalTimes
from luna.energy.refusals import invalid_part
from luna.energy.tariffs.calendar import BoolArray, CalendarTimes
from luna.energy.tariffs.component import PricedSlots, UnitComponent, UnitPrice
from luna.energy.tariffs.slot_detail import SlotDetail
from luna.energy.timeline import FloatArray, local_instant


class DailyAllowance(CalendarTimes, UnitComponent):
    """A part of the price that rises beyond an allowance of each day.

    Only what is drawn within the window counts, on days on which the component holds. An allowance
    begins anew at ``day_begins`` by the local clock; one that a first day cuts short is whole.
    """

    price: Annotated[UnitPrice, Field(description="of a kWh within the allowance")]
    price_outside: Annotated[
        UnitPrice | None, Field(description="outside the window; price_beyond unless given")
    ] = None
    day_begins: Annotated[
        ClockTime, Field(description="local time at which a new allowance begins")
    ] = "00:00"

    @property
    def beyond(self) -> float:
        """Price of a kWh beyond the allowance, in the component's unit."""
        raise NotImplementedError

    @model_validator(mode="after")
    def _dearer_beyond(self) -> Self:
        if self.beyond < self.price:
            raise invalid_part("allowance-cheaper", beyond=self.beyond, price=self.price)
        return self

    @property
    def counts_drawn(self) -> bool:
        """True: the price depends on what the day has drawn."""
        return True

    @property
    def rise(self) -> float:
        """What a kWh costs more beyond the allowance, with tax, currency/kWh."""
        return self.per_kwh(self.beyond - self.price) * (1.0 + self.vat)

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest of its prices."""
        prices = (self.price, self.beyond, self._outside)
        return self.per_kwh(min(prices)), self.per_kwh(max(prices))

    @property
    def _outside(self) -> float:
        return self.beyond if self.price_outside is None else self.price_outside

    def undated_price(self, slots: PricedSlots) -> FloatArray:
        """Return the price of the allowance's first kWh; its charge adds what later ones cost."""
        times = slots.times
        in_window = self.fits(times, times.weekday)
        return np.where(in_window, self.per_kwh(self.price), self.per_kwh(self._outside))

    def counts_at(self, times: LocalTimes) -> BoolArray:
        """Return at which local times something is taken from the allowance."""
        return self.fits(times, times.weekday) & self.holds_at(times)

    def day_begin(self, instant: datetime, zone: ZoneInfo) -> datetime:
        """Return when the allowance in force at an instant began, in UTC."""
        day = instant.astimezone(zone).date()
        begin = local_instant(day, self.day_begins, zone)
        if begin <= instant:
            return begin
        return local_instant(day - timedelta(days=1), self.day_begins, zone)


class AllowanceComponent(DailyAllowance):
    """A part of the price that rises beyond so many kWh of each day."""

    kind: Literal["allowance"]
    kwh_per_day: Annotated[float, Field(gt=0, le=100_000)]
    price_beyond: Annotated[UnitPrice, Field(description="of a kWh beyond it: at least as dear")]

    @property
    def beyond(self) -> float:
        """Price of a kWh beyond the allowance, in the component's unit."""
        return self.price_beyond

    def describe_slot(self, slots: PricedSlots, slot: int) -> SlotDetail:
        """Return the allowance, of which the price is within its window."""
        times = slots.times
        if not self.fits(times, times.weekday)[slot]:
            return SlotDetail("no_window")
        return replace(self.describe_times("allowance"), up_to_kwh=self.kwh_per_day)
