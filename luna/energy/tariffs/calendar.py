"""A component whose price follows clock, weekday, holiday and month."""

from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from luna.energy.clock_window import ClockEnd, ClockTime, Days
from luna.energy.local_times import LocalTimes
from luna.energy.part import Part
from luna.energy.public_holidays import knows_holidays, list_holidays
from luna.energy.refusals import invalid_part
from luna.energy.tariffs.component import PricedSlots, UnitComponent, UnitPrice
from luna.energy.tariffs.slot_detail import SlotDetail
from luna.energy.timeline import FloatArray

BoolArray = NDArray[np.bool_]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAYS: dict[str, tuple[Weekday, ...]] = {
    "all": WEEKDAYS,
    "weekday": WEEKDAYS[:5],
    "weekend": WEEKDAYS[5:],
}
_SUNDAY = 6
Month = Annotated[int, Field(ge=1, le=12)]
# ISO 3166: a country, or one of its regions.
HolidayPlace = Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")]


class CalendarTimes(Part):
    """The time between two clock times, on some days of some months.

    Days and months are those of each instant itself: a window from 22:00 to 06:00 on Fridays holds
    in the first six and the last two hours of a Friday.
    """

    from_: Annotated[ClockTime, Field(alias="from")] = "00:00"
    to: ClockEnd = "24:00"
    days: Days | Annotated[tuple[Weekday, ...], Field(min_length=1, max_length=7)] = "all"
    months: Annotated[tuple[Month, ...], Field(max_length=12)] = ()

    @property
    def day_names(self) -> tuple[Weekday, ...]:
        """The weekdays on which it fits."""
        return _DAYS[self.days] if isinstance(self.days, str) else self.days

    def fits(self, times: LocalTimes, weekday: NDArray[np.int64]) -> BoolArray:
        """Return which local times lie in it; ``weekday`` may count holidays as Sundays."""
        names = self.day_names
        fits = times.within(self.from_, self.to)
        if len(names) < len(WEEKDAYS):
            is_day = np.array([name in names for name in WEEKDAYS])
            fits &= is_day[weekday]
        if self.months:
            is_month = np.zeros(13, dtype=bool)
            is_month[list(self.months)] = True
            fits &= is_month[times.month]
        return fits

    def describe_times(self, code: str) -> SlotDetail:
        """Return the detail of a slot in which these times decide."""
        days = [day for day, name in enumerate(WEEKDAYS) if name in self.day_names]
        return SlotDetail(
            code,
            from_clock=self.from_,
            to_clock=self.to,
            days=() if len(days) == len(WEEKDAYS) else tuple(days),
            months=tuple(sorted(set(self.months))),
        )


class CalendarWindow(CalendarTimes):
    """A price at some times of the calendar."""

    price: UnitPrice


class CalendarComponent(UnitComponent):
    """A part of the price by the clock, such as a grid fee; the first window that fits decides."""

    kind: Literal["calendar"] = "calendar"
    price: Annotated[UnitPrice, Field(description="where no window fits")]
    windows: Annotated[
        tuple[CalendarWindow, ...],
        Field(min_length=1, max_length=96, description="the first that fits decides"),
    ]
    holidays: Annotated[
        HolidayPlace | None,
        Field(description="country or region, such as DE-NW, whose holidays count as Sundays"),
    ] = None

    @model_validator(mode="after")
    def _known_holidays(self) -> Self:
        if self.holidays is not None and not knows_holidays(self.holidays):
            raise invalid_part("holidays-unknown", place=self.holidays)
        return self

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest price of the windows."""
        prices = [self.price, *(window.price for window in self.windows)]
        return self.per_kwh(min(prices)), self.per_kwh(max(prices))

    def undated_price(self, slots: PricedSlots) -> FloatArray:
        """Return the price of the first window that fits each slot."""
        prices = [self.per_kwh(window.price) for window in self.windows]
        # Where no window fits, its place is -1: the last of these prices.
        return np.array([*prices, self.per_kwh(self.price)])[self._find_windows(slots.times)]

    def describe_slot(self, slots: PricedSlots, slot: int) -> SlotDetail:
        """Return the window that holds in a slot."""
        place = int(self._find_windows(slots.times)[slot])
        if place < 0:
            return SlotDetail("no_window")
        return self.windows[place].describe_times("window")

    def _find_windows(self, times: LocalTimes) -> NDArray[np.int64]:
        """Return the place of the first window that fits each local time, -1 where none does."""
        weekday = self._weekdays(times)
        places = np.full(times.minute.size, -1)
        for place in reversed(range(len(self.windows))):
            places[self.windows[place].fits(times, weekday)] = place
        return places

    def _weekdays(self, times: LocalTimes) -> NDArray[np.int64]:
        if self.holidays is None:
            return times.weekday
        country, _, region = self.holidays.partition("-")
        days: list[int] = []
        for year in range(times.year.min(), times.year.max() + 1):
            days += list_holidays(country, region or None, year)
        return np.where(np.isin(times.date, days), _SUNDAY, times.weekday)
