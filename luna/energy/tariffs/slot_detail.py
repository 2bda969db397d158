"""What sets the price of a component in one slot: a window, a market's interval, a block."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SlotDetail:
    """The part of a component's rule that holds in a slot.

    Attributes:
        code: of its words: ``price`` (one price for all slots), ``window``, ``no_window`` (the
            price where no window fits), ``market``, ``block`` or ``allowance``.
        from_clock: local clock time at which the window begins.
        to_clock: local clock time at which the window ends.
        days: weekdays of the window, 0 is Monday; empty: all.
        months: months of the window, 1 to 12; empty: all.
        market: of the price.
        begin: of the interval by which the market's price is billed.
        end: of that interval.
        up_to_kwh: what the month may have drawn for this block, or the day for this allowance;
            None: the block has no end.
    """

    code: str = "price"
    from_clock: str | None = None
    to_clock: str | None = None
    days: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    market: str | None = None
    begin: datetime | None = None
    end: datetime | None = None
    up_to_kwh: float | None = None
