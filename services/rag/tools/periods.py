"""Periods that a question names, in German and English, resolved to local days.

Pure; the text is one that ``fold`` made plain.

A period with one end ("since Monday", "bis gestern") reaches to today, or back as far as tools
read; one that begins ahead ("ab morgen") as far as plans do.
"""

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

from services.rag.months import ANY_MONTH, MONTHS
from services.rag.tools.clock_phrases import find_clock, read_clock
from services.rag.tools.declaration import MOST_DAYS, DayPeriod

_WEEKDAYS = {
    **dict.fromkeys(("montag", "monday"), 0),
    **dict.fromkeys(("dienstag", "tuesday"), 1),
    **dict.fromkeys(("mittwoch", "wednesday"), 2),
    **dict.fromkeys(("donnerstag", "thursday"), 3),
    **dict.fromkeys(("freitag", "friday"), 4),
    **dict.fromkeys(("samstag", "sonnabend", "saturday"), 5),
    **dict.fromkeys(("sonntag", "sunday"), 6),
}
_COUNTS = {
    **dict.fromkeys(("ein", "eine", "einem", "einer", "einen", "one", "a"), 1),
    **dict.fromkeys(("zwei", "two"), 2),
    **dict.fromkeys(("drei", "three"), 3),
    **dict.fromkeys(("vier", "four"), 4),
    **dict.fromkeys(("fuenf", "five"), 5),
    **dict.fromkeys(("sechs", "six"), 6),
    **dict.fromkeys(("sieben", "seven"), 7),
    **dict.fromkeys(("zehn", "ten"), 10),
    **dict.fromkeys(("vierzehn", "fourteen"), 14),
    **dict.fromkeys(("dreissig", "thirty"), 30),
}
# By the first letter of a unit in German or English.
_UNIT_DAYS = {"t": 1, "d": 1, "w": 7, "m": 30}
_WEEKDAY = "|".join(_WEEKDAYS)
_COUNT = r"(?:\d{1,3}|" + "|".join(_COUNTS) + ")"
_LAST = r"letzte[nrsm]?|vergangene[nrsm]?|vorige[nrsm]?|last|past|previous"
_NEXT = r"naechste[nrsm]?|kommende[nrsm]?|next|coming"
_THIS = r"diese[nrsm]?|laufende[nrsm]?|aktuelle[nrsm]?|this|the current"
_ENDS = "|".join(
    rf"(?<=\b{word} )"
    for word in (
        "since",
        "seit",
        "ab",
        "after",
        "nach",
        "until",
        "till",
        "bis",
        "before",
        "vor",
        "seit anfang",
        "from",
        "von",
    )
)
_THE_END = "|".join(rf"(?<={word} )the" for word in ("since", "until", "before", "after"))
_YEAR = r"(?:[ ,]+(?P<year>20\d\d))?"
_BESIDE = r"gegen|gegenueber|gegenueber dem|against|versus|vs\.?|and|und|with|mit|than|als"
_IN_MONTH = r"im |in |that of |dem "
# Words between the two ends of one span.
_JOINED = re.compile(
    r"\s*(?:bis(?: zum| einschliesslich)?(?: den)?|to|until|till|through|-|–)\s*(?:the\s+)?"
)
_BETWEEN = re.compile(r"\s*(?:und|and)\s*(?:the\s+)?(?:dem\s+)?")
# Words before a period that is one end of a longer one. "A day before Monday" is one day, and
# "before noon" is no day at all.
_ARTICLE = r"(?: the| dem| den| der)?\s*$"
_BEGINNING = r"(?: the)?(?: (?:beginning|start|anfang))?(?: of)?"
_ONE_DAY = "".join(
    rf"(?<!\b{unit} )"
    for unit in (
        "day",
        "week",
        "month",
        "year",
        "night",
        "tag",
        "tage",
        "woche",
        "monat",
        "jahr",
        "abend",
    )
)
_SINCE = re.compile(
    r"\b(?:since|seit|starting(?: on| "
    rf"from)?|ab|(?P<after>{_ONE_DAY}(?:after|nach))){_BEGINNING}{_ARTICLE}"
)
_FROM = re.compile(rf"\b(?:from|von|vom){_BEGINNING}{_ARTICLE}")
_ONWARD = re.compile(
    r"\s*,?\s*(?:onwards?|on(?! (?:the|a|my|our)\b)|an(?! (?:das|den|dem|die|der)\b)|bis "
    r"jetzt|bis dato|(?:until|till|up to|to) (?:now|date))(?!\w)"
)
_BEFORE = rf"(?P<before>{_ONE_DAY}(?:before|vor|prior to)|bis vor)"
_UNTIL = re.compile(
    r"\b(?:(?:until|till|up to|up until|through)(?: and including)?|bis(?: zum| zur| zu| "
    rf"einschliesslich)?|{_BEFORE}){_ARTICLE}"
)
# Plans, forecasts and prices end before it; tools say where.
HORIZON = timedelta(days=14)
# English alone: "prices from tomorrow" begin with that day, "die Preise von morgen" are its own.
_FROM_AHEAD = re.compile(rf"\bfrom{_BEGINNING}{_ARTICLE}")
_HAS_BEEN = re.compile(r"\b(?:since|seit)\b")
# A date without a year that lies further ahead is last year's.
_AHEAD = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class NamedPeriod:
    """A period and its place in the text; ``joined``: both of its ends are named."""

    period: DayPeriod
    begin: int
    end: int
    joined: bool = False
    open_end: bool = False
    open_begin: bool = False


def fold(text: str) -> str:
    """Return a text in small letters, with umlauts as two letters and single blanks.

    It is cut at 2,000 characters.
    """
    plain = text[:2000].casefold()
    for letter, letters in (
        ("ä", "ae"),
        ("ö", "oe"),
        ("ü", "ue"),
        ("ß", "ss"),
        ("’", "'"),
        ("–", "-"),
    ):
        plain = plain.replace(letter, letters)
    return " ".join(plain.split())


def find_periods(text: str, today: date, *, forward: bool = False) -> list[DayPeriod]:
    """Return the periods of a folded text in their order.

    ``forward``: a weekday is the one to come, else the one that was. Hours go with the first.
    """
    spans = _find_spans(text, today, forward=forward)
    return _set_clock(_list_readable(spans), text, today)


def find_days(text: str, today: date) -> list[DayPeriod]:
    """Return the named periods as they stand: an open one ("since Monday") by its named end."""
    named = _find_named(text, today, forward=False)
    return _set_clock(_list_readable(named), text, today)


def find_count(text: str) -> int:
    """Return the count of days of a folded text, such as "which three days"; 1 without one."""
    found = re.search(rf"\b(?P<count>{_COUNT}) (?:\w+ )?(?:tage?n?|days?)\b", text)
    if found is None:
        return 1
    word = found["count"]
    return max(_COUNTS[word] if word in _COUNTS else int(word), 1)


def names_too_long(text: str, today: date) -> bool:
    """Return whether a folded text names more days than a tool reads."""
    spans = _find_spans(text, today, forward=False)
    return any(span.period.days > MOST_DAYS for span in spans)


def _list_readable(spans: list[NamedPeriod]) -> list[DayPeriod]:
    return [span.period for span in spans if span.period.days <= MOST_DAYS]


def _find_spans(text: str, today: date, *, forward: bool) -> list[NamedPeriod]:
    """Return the named periods; open ones reach to today, or back as far as a tool reads."""
    spans = _find_named(text, today, forward=forward)
    opened = []
    for named in spans:
        span = _open_end(text, named, today)
        if not span.open_end:
            span = _open_begin(text, named, today)
        opened.append(span)
    since_spans = [span for span in opened if span.open_end]
    until_spans = [span for span in opened if span.open_begin]
    if len(spans) == 2 and len(since_spans) == 1 and len(until_spans) == 1:
        since = since_spans[0]
        until = until_spans[0]
        if since.period.first <= until.period.last:
            both = DayPeriod(
                since.period.first, until.period.last, from_clock=since.period.from_clock
            )
            return [NamedPeriod(both, min(since.begin, until.begin), max(since.end, until.end))]
    if len(spans) > 1 and len(until_spans) < len(spans) and not since_spans:
        # "Last week before Friday": another period names the beginning.
        return spans
    return opened


def _find_named(text: str, today: date, *, forward: bool) -> list[NamedPeriod]:
    distinct: list[NamedPeriod] = []
    for pattern, resolve in _RULES:
        for match in pattern.finditer(text):
            # "Since Friday" means the last Friday, also where weekdays are read as coming ones.
            since = re.search(r"\b(?:since|seit)(?: the| dem)? $", text[: match.start()])
            try:
                period = resolve(match, today, forward and not since)
            except (ValueError, OverflowError):
                # The thirtieth of February, or a day beyond the calendar.
                continue
            # Of two spans that overlap, the earlier rule's counts.
            if period is not None and not _overlaps(match, distinct):
                distinct.append(NamedPeriod(period, match.start(), match.end()))
    return _join(text, sorted(distinct, key=_begin_of))


def _overlaps(match: re.Match[str], spans: list[NamedPeriod]) -> bool:
    return any(match.start() < span.end and span.begin < match.end() for span in spans)


def _begin_of(span: NamedPeriod) -> int:
    return span.begin


def _set_clock(periods: list[DayPeriod], text: str, today: date) -> list[DayPeriod]:
    """Return the periods with the text's hours set on the first, if that is one whole day."""
    clock = find_clock(text)
    if clock is None or clock[1] <= clock[0]:
        return periods
    if periods and (periods[0].days > 1 or not periods[0].whole_days):
        return periods
    first, *others = periods or [DayPeriod(today, today)]
    return [replace(first, from_clock=clock[0], to_clock=clock[1]), *others]


def _open_end(text: str, named: NamedPeriod, today: date) -> NamedPeriod:
    """Return the period from a named begin to today; from one ahead, as far as plans reach."""
    before = text[: named.begin]
    after = text[named.end :]
    since = _SINCE.search(before)
    ahead = named.period.first > today and _FROM_AHEAD.search(before)
    onward = _FROM.search(before) and _ONWARD.match(after)
    if named.joined or not (since or ahead or onward):
        return named
    if since and since["after"]:
        first = named.period.last + timedelta(days=1)
        clock = "00:00"
    else:
        first = named.period.first
        clock = read_clock(after) or "00:00"
    has_been = since is not None and _HAS_BEEN.match(since[0])
    if first >= today and not has_been:
        if clock == "00:00" and not named.period.whole_days:
            clock = named.period.from_clock
        period = DayPeriod(first, max(first, today + HORIZON), from_clock=clock)
        return replace(named, period=period, open_end=True)
    if first > today:
        return named
    return replace(named, period=DayPeriod(first, today, from_clock=clock), open_end=True)


def _open_begin(text: str, named: NamedPeriod, today: date) -> NamedPeriod:
    """Return the period up to a named end, from as far back as a tool reads.

    Up to an end that lies ahead, it begins today.
    """
    until = _UNTIL.search(text[: named.begin])
    if named.joined or until is None:
        return named
    last = named.period.first - timedelta(days=1) if until["before"] else named.period.last
    first = today if last > today else last - timedelta(days=MOST_DAYS - 1)
    return replace(named, period=DayPeriod(first, last), open_begin=True)


def _join(text: str, spans: list[NamedPeriod]) -> list[NamedPeriod]:
    """Return the spans with two days that have "to" between them as one span."""
    for one, other in pairwise(spans):
        between = text[one.end : other.begin]
        before = text[: one.begin]
        paired = _BETWEEN.fullmatch(between) and re.search(
            r"\b(?:zwischen(?: dem)?|between(?: the)?)\s*$", before
        )
        if (_JOINED.fullmatch(between) or paired) and one.period.first <= other.period.last:
            period = DayPeriod(one.period.first, other.period.last)
            joined = NamedPeriod(period, one.begin, other.end, joined=True)
            rest = [span for span in spans if span not in (one, other)]
            return _join(text, [*rest, joined])
    return sorted(spans, key=_begin_of)


def _days(first: date, count: int = 1) -> DayPeriod:
    return DayPeriod(first, first + timedelta(days=count - 1))


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _month_of(year: int, month: int) -> DayPeriod:
    return _days(date(year, month, 1), monthrange(year, month)[1])


def _months_back(today: date, months: int) -> DayPeriod:
    year, month = divmod(today.year * 12 + today.month - 1 - months, 12)
    return _month_of(year, month + 1)


def _year_of(year: int) -> DayPeriod:
    return DayPeriod(date(year, 1, 1), date(year, 12, 31))


def _dated(day: int, month: int, year: str | None, today: date) -> date:
    if year is not None:
        full_year = int(year) if len(year) > 2 else 2000 + int(year)
        return date(full_year, month, day)
    named = date(today.year, month, day)
    return named.replace(year=today.year - 1) if named > today + _AHEAD else named


def _day(days: int) -> "_Resolve":
    def resolve(_match: re.Match[str], today: date, _forward: bool) -> DayPeriod:
        return _days(today + timedelta(days=days))

    return resolve


def _week(weeks: int) -> "_Resolve":
    def resolve(_match: re.Match[str], today: date, _forward: bool) -> DayPeriod:
        return _days(_monday(today) + timedelta(weeks=weeks), 7)

    return resolve


def _months_ago(months: int) -> "_Resolve":
    def resolve(_match: re.Match[str], today: date, _forward: bool) -> DayPeriod:
        return _months_back(today, months)

    return resolve


def _years_ago(years: int) -> "_Resolve":
    def resolve(_match: re.Match[str], today: date, _forward: bool) -> DayPeriod:
        return _year_of(today.year - years)

    return resolve


def _iso_day(match: re.Match[str], _today: date, _forward: bool) -> DayPeriod:
    return _days(date(int(match[1]), int(match[2]), int(match[3])))


def _numeric_day(match: re.Match[str], today: date, _forward: bool) -> DayPeriod:
    return _days(_dated(int(match["day"]), int(match["month"]), match["year"], today))


def _next_count(match: re.Match[str], today: date, _forward: bool) -> DayPeriod:
    return _days(today, max(_count_days(match), 1))


def _since_count(match: re.Match[str], today: date, _forward: bool) -> DayPeriod:
    return DayPeriod(today - timedelta(days=_count_days(match)), today)


def _weekend(match: re.Match[str], today: date, forward: bool) -> DayPeriod:
    saturday = _monday(today) + timedelta(days=5)
    back = saturday - timedelta(days=7)
    if match["last"]:
        return _days(back, 2)
    if forward or match["next"] or today >= saturday:
        return _days(saturday, 2)
    return _days(back, 2)


def _weekday(match: re.Match[str], today: date, forward: bool) -> DayPeriod:
    weekday = _WEEKDAYS[match["day"]]
    if match["next"] or (forward and not match["last"]):
        return _days(today + timedelta(days=(weekday - today.weekday() - 1) % 7 + 1))
    return _days(today - timedelta(days=(today.weekday() - weekday - 1) % 7 + 1))


def _count_days(match: re.Match[str]) -> int:
    word = match["count"]
    count = _COUNTS[word] if word in _COUNTS else int(word)
    return count * _UNIT_DAYS[match["unit"][0]]


def _last_count(match: re.Match[str], today: date, _forward: bool) -> DayPeriod:
    count = _count_days(match)
    return _days(today - timedelta(days=count), count) if count else _days(today)


def _ago(match: re.Match[str], today: date, _forward: bool) -> DayPeriod:
    return _days(today - timedelta(days=_count_days(match)))


def _spelled(match: re.Match[str], today: date, _forward: bool) -> DayPeriod:
    return _days(_dated(int(match["day"]), MONTHS[match["month"]], match["year"], today))


def _spelled_span(match: re.Match[str], today: date, _forward: bool) -> DayPeriod:
    month = MONTHS[match["month"]]
    last = _dated(int(match["last"]), month, match["year"], today)
    return DayPeriod(last.replace(day=int(match["first"])), last)


def _month_span(match: re.Match[str], today: date, _forward: bool) -> DayPeriod:
    last = _named_month(match, today, _forward)
    first_month = MONTHS[match["first"]]
    year = last.first.year
    if first_month > last.first.month:
        # "From November to February" begins the year before.
        year -= 1
    return DayPeriod(date(year, first_month, 1), last.last)


def _named_month(match: re.Match[str], today: date, _forward: bool) -> DayPeriod:
    month = MONTHS[match["month"]]
    if match["year"]:
        return _month_of(int(match["year"]), month)
    is_ahead = date(today.year, month, 1) > today
    return _month_of(today.year - 1 if is_ahead else today.year, month)


def _own_month(match: re.Match[str], today: date, _forward: bool) -> DayPeriod:
    month = MONTHS[match["month"]]
    return _month_of(today.year - 1 if date(today.year, month, 1) > today else today.year, month)


def _named_year(match: re.Match[str], _today: date, _forward: bool) -> DayPeriod:
    return _year_of(int(match["year"]))


_Resolve = Callable[[re.Match[str], date, bool], DayPeriod | None]


def _rule(pattern: str, resolve: _Resolve) -> tuple[re.Pattern[str], _Resolve]:
    return re.compile(rf"(?<![\w.]){pattern}(?!\w)"), resolve


# In order: a later rule finds nothing within a span that an earlier one found.
_RULES: tuple[tuple[re.Pattern[str], _Resolve], ...] = (
    _rule(r"(\d{4})-(\d\d)-(\d\d)", _iso_day),
    _rule(
        (
            rf"(?P<first>\d{{1,2}})\.? ?(?:bis(?: zum)?|to|-|until) ?(?P<last>\d{{1,2}})\.? "
            rf"(?P<month>{ANY_MONTH}){_YEAR}"
        ),
        _spelled_span,
    ),
    _rule(
        (
            rf"zwischen (?:dem )?(?P<first>\d{{1,2}})\.? und (?:dem )?(?P<last>\d{{1,2}})\.? "
            rf"(?P<month>{ANY_MONTH}){_YEAR}"
        ),
        _spelled_span,
    ),
    _rule(
        (
            rf"(?P<month>{ANY_MONTH}) (?P<first>\d{{1,2}})(?:st|nd|rd|th)? ?(?:to|-|until) "
            rf"?(?P<last>\d{{1,2}})(?:st|nd|rd|th)?{_YEAR}"
        ),
        _spelled_span,
    ),
    _rule(
        rf"(?P<day>\d{{1,2}})(?:\.|st|nd|rd|th)? (?:of )?(?P<month>{ANY_MONTH})\.?{_YEAR}", _spelled
    ),
    _rule(rf"(?P<month>{ANY_MONTH})\.? (?P<day>\d{{1,2}})(?:st|nd|rd|th)?{_YEAR}", _spelled),
    _rule(r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>(?:20)?\d\d)?", _numeric_day),
    _rule(r"(?:vorgestern|(?:the )?day before yesterday)", _day(-2)),
    _rule(r"(?:uebermorgen|(?:the )?day after tomorrow)", _day(2)),
    _rule(r"(?:gestern|gestrige[nrsm]?|yesterday)(?:'s)?", _day(-1)),
    _rule(r"(?:heute|heutige[nrsm]?|today|tonight|jetzt gerade|right now)(?:'s)?", _day(0)),
    _rule(r"this(?= (?:morning|afternoon|evening)\b)", _day(0)),
    _rule(r"(?:morgigen?|tomorrow)(?:'s)?", _day(1)),
    # "Am Morgen" is a time of day, "morgen" is tomorrow.
    _rule(r"(?<!am )(?<!guten )(?<!jeden )morgen", _day(1)),
    _rule(
        (
            rf"(?:in den |in the )?(?:{_LAST}) (?P<count>{_COUNT}) "
            r"(?P<unit>tage?n?|days?|wochen?|weeks?|monate?n?|months?)"
        ),
        _last_count,
    ),
    _rule(
        (
            rf"(?:in den |in the )?(?:{_NEXT}) (?P<count>{_COUNT}) "
            r"(?P<unit>tage?n?|days?|wochen?|weeks?)"
        ),
        _next_count,
    ),
    _rule(rf"vor (?P<count>{_COUNT}) (?P<unit>tage?n?|wochen?)", _ago),
    _rule(rf"(?P<count>{_COUNT}) (?P<unit>days?|weeks?) ago", _ago),
    _rule(rf"(?:(?:{_LAST}) woche|vorwoche|(?:{_LAST}) week)(?:'s)?", _week(-1)),
    _rule(rf"(?:(?:{_THIS}) woche|(?:{_THIS}) week)(?:'s)?", _week(0)),
    _rule(rf"(?:(?:{_NEXT}) woche|(?:{_NEXT}) week)(?:'s)?", _week(1)),
    _rule(rf"(?:(?:{_LAST}) monats?|vormonats?|(?:{_LAST}) month)(?:'s)?", _months_ago(1)),
    _rule(rf"(?:(?:{_THIS}) monats?|(?:{_THIS}) month)(?:'s)?", _months_ago(0)),
    _rule(rf"(?:(?:{_LAST}) jahre?s?|vorjahr|(?:{_LAST}) year)(?:'s)?", _years_ago(1)),
    _rule(rf"(?:(?:{_THIS}) jahre?s?|(?:{_THIS}) year)(?:'s)?", _years_ago(0)),
    _rule(
        (
            rf"(?:(?P<last>{_LAST})|(?P<next>{_NEXT})|am|{_THIS}|on the|at the|for the|over "
            rf"the|fuers|fuer das|uebers|dem|{_THE_END}) ?(?:wochenende|weekend)"
        ),
        _weekend,
    ),
    _rule(
        (
            rf"(?:(?P<last>{_LAST}) |(?P<next>{_NEXT}) |am |on |{_THIS} |dem "
            rf")?(?P<day>{_WEEKDAY})(?:'s)?"
        ),
        _weekday,
    ),
    _rule(
        (
            rf"(?:from|von|zwischen|between) (?P<first>{ANY_MONTH}) "
            rf"(?:to|until|till|through|bis|und|and) (?P<month>{ANY_MONTH}){_YEAR}"
        ),
        _month_span,
    ),
    _rule(
        (
            rf"(?:seit|since) (?P<count>{_COUNT}) "
            r"(?P<unit>tage?n?|days?|wochen?|weeks?|monate?n?|months?)"
        ),
        _since_count,
    ),
    _rule(rf"(?:im|in|fuer|for|monat|month of|vom|of) (?P<month>{ANY_MONTH}){_YEAR}", _named_month),
    # Beside another month a month needs no word before it, and shares its year.
    _rule(
        (
            rf"(?P<month>{ANY_MONTH})(?= (?:{_BESIDE}) (?:{_IN_MONTH})?(?:{ANY_MONTH}){_YEAR}"
            r"(?!\w))"
        ),
        _named_month,
    ),
    _rule(
        rf"(?:(?<=gegen )|(?<=against )|(?<=versus )|(?<=vs )|(?<=with )|(?<=mit ))"
        rf"(?P<month>{ANY_MONTH}){_YEAR}",
        _named_month,
    ),
    _rule(rf"(?P<month>{ANY_MONTH})'s", _own_month),
    _rule(rf"(?:der|den|dem|war|was) (?P<month>{ANY_MONTH})(?! \d)", _own_month),
    # As one end of a longer time, a month needs no word before it.
    _rule(rf"(?:{_ENDS})(?P<month>{ANY_MONTH}){_YEAR}", _named_month),
    _rule(rf"(?P<month>{ANY_MONTH}) (?P<year>20\d\d)", _named_month),
    # A year alone is no amount.
    _rule(r"(?P<year>20\d\d)(?! ?(?:m?wh|kwh?|w|ct|cents?|eur\w*|€))", _named_year),
)
