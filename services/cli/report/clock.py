"""The time axis of a chart: full hours of the site's clock, midnights with their day."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from luna.wording import Numbers
from services.cli.report.frame import Frame, join, number, path, text

# Mean width of a letter in 11 px.
LETTER = 6.7


@dataclass(frozen=True, slots=True)
class ClockAxis:
    """Where hours are drawn: lines from ``top`` to ``bottom``, words at ``words_y``; ``instant`` tells the instant of a slot's edge."""

    frame: Frame
    instant: Callable[[int], datetime]
    numbers: Numbers
    top: float
    bottom: float
    words_y: float

    def draw(self) -> Markup:
        """Return the lines and their words; every twelfth hour on a narrow chart, else every sixth."""
        return join(self._draw_hour(edge) for edge in self.full_hours(12 if self.frame.narrow else 6))

    def full_hours(self, every: int) -> list[int]:
        """Return the edges at which the site's clock shows a full hour divisible by ``every``: right on days of 92 and 100 slots."""
        shown = [self.instant(edge).astimezone(self.numbers.zone) for edge in range(self.frame.count + 1)]
        return [edge for edge, local in enumerate(shown) if local.minute == 0 and local.hour % every == 0]

    def _draw_hour(self, edge: int) -> Markup:
        x, instant = self.frame.x(edge), self.instant(edge)
        midnight = instant.astimezone(self.numbers.zone).hour == 0
        line = path(f"M{number(x)} {number(self.top)}V{number(self.bottom)}", "grid")
        words = self.numbers.day(instant) if midnight else self.numbers.clock(instant)
        half = len(words) * LETTER / 2
        if x - half < 0 or x + half > self.frame.width:
            return line
        return line + text((x, self.words_y), words, "day" if midnight else "tick", anchor="middle")
