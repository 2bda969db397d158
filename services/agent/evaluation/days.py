"""Chooses the recorded days on which a site's policies are measured, by a fixed rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from luna.energy.refusals import refuse

WEEK = 7
# Recorded days before the quarter that trainings are measured on: enough to learn from, and for the
# trial that decides whether what was learned is used.
HISTORY_DAYS = 60
# A year of whole weeks: each season counts once, as it was last.
SPAN_WEEKS = 52
RULE = (
    f"Whole weeks, Monday to Sunday by the site's clock, of the {SPAN_WEEKS} weeks before "
    "the last day. A week belongs to the calendar quarter of its Monday, "
    f"and the quarter begins at least {HISTORY_DAYS} days after the first recorded one: "
    "for each quarter every policy that learns is trained on what was "
    "recorded before it, and of its trainings the latest accepted one decides that knows "
    "nothing of the week or later, its trial included. A week with a gap "
    "in load, sun or price, or a day judged exclude, is left out. Each season gives as "
    "many weeks as the others as far as it has them, evenly spaced; of the "
    "last week only as many days count as are still wanted."
)


@dataclass(frozen=True, slots=True)
class UsableDays:
    """The span of recorded local days, and the reason for each that cannot be replayed."""

    first: date
    last: date
    unusable: Mapping[date, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EvaluationWeek:
    """A week to be replayed from ``first``, a Monday, on.

    Its first ``days`` count, and trainings use data from before ``trained_until``.
    """

    first: date
    days: int
    trained_until: date

    @property
    def last(self) -> date:
        return self.first + timedelta(days=WEEK - 1)

    @property
    def counted(self) -> list[date]:
        """The days that count."""
        return [self.first + timedelta(days=number) for number in range(self.days)]


@dataclass(frozen=True, slots=True)
class UnseenDays:
    """The weeks chosen, in order, and why days of others were skipped."""

    weeks: Sequence[EvaluationWeek]
    skipped: Mapping[date, str]

    @property
    def days(self) -> list[date]:
        """Every day that counts, in order."""
        days: list[date] = []
        for week in self.weeks:
            days += week.counted
        return days


def choose_unseen_days(record: UsableDays, *, count: int, last: date | None = None) -> UnseenDays:
    """Return ``count`` days by ``RULE``, fewer where there are no more.

    Args:
        record: the recorded days.
        count: how many days to choose.
        last: no later day is chosen; default: the last one recorded.

    Raises:
        InvalidInputError: no week can be measured.

    Invariants: nothing is drawn, so the same record gives the same days; no day lies before what
        its trainings know.
    """
    until = min(last or record.last, record.last)
    end = until - timedelta(days=(until.weekday() + 1) % WEEK)
    first_quarter = record.first + timedelta(days=HISTORY_DAYS)
    whole: list[date] = []
    skipped: dict[date, str] = {}
    for weeks_back in range(SPAN_WEEKS, 0, -1):
        monday = end + timedelta(days=1) - timedelta(weeks=weeks_back)
        # A training before the week's quarter needs enough days to learn from.
        if monday < record.first or begin_quarter(monday) < first_quarter:
            continue
        days = [monday + timedelta(days=number) for number in range(WEEK)]
        unusable = [day for day in days if day in record.unusable]
        skipped |= {day: record.unusable[day] for day in unusable}
        if not unusable:
            whole.append(monday)
    if not whole:
        raise refuse("no-week-to-measure", field="days", value=count, days=HISTORY_DAYS)
    weeks = []
    remaining = count
    for monday in _spread_over_seasons(whole, -(-count // WEEK)):
        weeks.append(EvaluationWeek(monday, min(WEEK, remaining), begin_quarter(monday)))
        remaining -= WEEK
    return UnseenDays(weeks, skipped)


def begin_quarter(day: date) -> date:
    """Return the first day of a day's calendar quarter."""
    return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)


def _spread_over_seasons(mondays: Sequence[date], count: int) -> list[date]:
    seasons: dict[int, list[date]] = {}
    for monday in mondays:
        # The season of a week's Thursday, as its number in the calendar goes by it: winter is
        # December to February.
        seasons.setdefault((monday + timedelta(days=3)).month % 12 // 3, []).append(monday)
    shares = _share_out({season: len(weeks) for season, weeks in seasons.items()}, count)
    chosen = []
    for season, weeks in seasons.items():
        # Spaced evenly within a season.
        for number in range(shares[season]):
            place = (2 * number + 1) * len(weeks) // (2 * shares[season])
            chosen.append(weeks[place])
    return sorted(chosen)


def _share_out(available: Mapping[int, int], count: int) -> dict[int, int]:
    """Return the number of weeks from each season, as equal as possible.

    Of unequal ones, the season that comes first in the record gives one more.
    """
    shares = dict.fromkeys(available, 0)
    for _ in range(min(count, sum(available.values()))):
        open_seasons = [season for season in available if shares[season] < available[season]]
        fewest = min(open_seasons, key=shares.__getitem__)
        shares[fewest] += 1
    return shares
