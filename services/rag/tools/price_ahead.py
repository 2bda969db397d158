"""Matches questions for a price that is not published yet, in three languages.

Contracts and notices say it: documents are asked first, the tariff that is entered answers where
they do not. Pure; texts are those that ``fold`` made plain.
"""

import re
from datetime import date, timedelta

from services.rag.months import ANY_MONTH, MONTHS
from services.rag.retrieval.named_days import find_named_days, months_of
from services.rag.tools import cues
from services.rag.tools.declaration import DayPeriod
from services.rag.tools.periods import HORIZON
from services.rag.tools.question import MatchedCall, PlainQuestion

# First and last day, and the place in the text.
NamedTime = tuple[tuple[date, date], int]
_NEXT = r"(?:next|coming|(?:naechste|kommende)[nrsm]?|volgende?|komende?)"
_SEASONS = {
    **dict.fromkeys(("spring", "fruehling", "fruehjahr", "lente", "voorjaar"), 3),
    **dict.fromkeys(("summer", "sommer", "zomer"), 6),
    **dict.fromkeys(("autumn", "herbst", "herfst", "najaar"), 9),
    **dict.fromkeys(("winter",), 12),
}
_COUNTS = {
    **dict.fromkeys(("a", "one", "ein", "einem", "einer", "een"), 1),
    **dict.fromkeys(("two", "zwei", "twee"), 2),
    **dict.fromkeys(("three", "drei", "drie"), 3),
    **dict.fromkeys(("four", "vier"), 4),
    **dict.fromkeys(("five", "fuenf", "vijf"), 5),
    **dict.fromkeys(("six", "sechs", "zes"), 6),
    **dict.fromkeys(("ten", "zehn", "tien"), 10),
}
_UNIT_DAYS = {"d": 1, "t": 1, "w": 7, "m": 30, "y": 365, "j": 365}
_COUNTED = re.compile(
    rf"\b(?:in|over) (?P<count>\d{{1,2}}|{'|'.join(_COUNTS)}) "
    r"(?P<unit>days?|tagen?|dag(?:en)?|weeks?|wochen?|weken|months?|monat(?:en?)?|maand(?:en)?"
    r"|years?|jahr(?:en?)?|jaar)\b"
)
_YEAR_AFTER_NEXT = re.compile(r"\b(?:year after next|uebernaechste[nrsm]? jahre?s?)\b")
_NEXT_YEAR = re.compile(rf"\b{_NEXT} (?:year|jahre?s?|jaar)\b")
_NEXT_QUARTER = re.compile(rf"\b{_NEXT} (?:quarter|quartals?|kwartaal)\b")
_NEXT_MONTH = re.compile(rf"\b{_NEXT} (?:month|monats?|maand)\b")
_SEASON = re.compile(rf"\b(?P<season>{'|'.join(_SEASONS)})s?\b(?:[ ,]+(?P<year>20\d\d))?")
_MONTH = re.compile(rf"(?<!\w)(?P<month>{ANY_MONTH})(?!\w)")
_DAY_OF_MONTH = re.compile(
    rf"(?<![\w.])(?P<day>\d{{1,2}})(?:\.|st|nd|rd|th)? ?(?:of )?(?P<month>{ANY_MONTH})(?!\w)"
    rf"|(?<!\w)(?P<month_first>{ANY_MONTH}) (?P<day_last>\d{{1,2}})(?:st|nd|rd|th)?(?!\w)"
)
_AFTER = re.compile(
    r"\b(?:after|past|beyond|nach|na)(?: the| dem| den| de| het)?(?: end(?:e)? (?:of|von)| "
    r"eind(?:e)? van)?\s*$"
)
_FROM = re.compile(
    r"\b(?:from|as of|starting(?: on| from| in)?|since|ab|von|vom|vanaf|sinds)"
    r"(?: the| dem| den| de)?(?: beginning of| start of| anfang| begin)?\s*$"
)
_WILL = cues.any_of(
    r"will|going "
    r"to|shall|expect\w*|wird|werden|erwart\w*|voraussichtlich|zal|zullen|gaat|wordt|worden"
)
_AFTER_CONTRACT = cues.any_of(
    r"(?:after|once|when|beyond) (?:\w+ ){0,4}(?:contract|agreement|tariff|price "
    r"guarantee|fixed price"
    r"|subsid\w+|support|remuneration|feed-in tariff|eeg)(?: \w+){0,3}? "
    r"?(?:ends?|expires?|is over|runs out|end|expiry)?",
    r"(?:contract|agreement|subsid\w+|price guarantee|remuneration|feed-in tariff) (?:has "
    r")?(?:ends?|ended|expires?|expired|runs out|is over)",
    r"nach (?:\w+ ){0,3}(?:vertrags\w*|vertrag\w*|preisgarantie|foerder\w*|eeg\w*|ende der "
    r"(?:\w*verguetung|foerderung))",
    r"(?:vertrag|preisgarantie|foerderung|\w*verguetung) (?:\w+ "
    r"){0,3}?(?:endet|auslaeuft|ablaeuft|ausgelaufen|abgelaufen|vorbei)",
    r"(?:wenn|sobald|nachdem) (?:\w+ "
    r"){0,3}(?:vertrag|preisgarantie|foerderung|\w*verguetung)(?: \w+){0,3}",
    r"na (?:\w+ ){0,4}(?:contract\w*|subsidie\w*|prijsgarantie)|na afloop van (?:\w+ "
    r"){0,2}contract\w*",
    r"(?:als|wanneer|zodra) (?:\w+ ){0,3}(?:contract|subsidie|salderingsregeling)(?: \w+){0,3}",
    r"(?:contract|subsidie) (?:\w+ ){0,2}?(?:afloopt|eindigt|stopt)",
)
_GRID = cues.any_of(
    r"netzentgelt\w*|netzgebuehr\w*|netzkosten|netznutzung\w*|(?:grid|network) "
    r"(?:fees?|charges?|tariffs?|costs?)",
    r"nettarie\w+|netwerkkosten|netbeheer\w*|transportkosten",
)
_FED_IN = cues.any_of(
    r"\w*einspeis\w*|eingespeist\w*|verkauf\w*|verguetung\w*|feed-in|feed in|fed[- ]in|fed "
    r"into|export\w*|sell\w*|sold",
    r"remuneration|\w*teruglever\w*|terugverkoop|verkoop\w*",
)
_BOUGHT = cues.any_of(
    r"\w*strom\w*|electric\w*|power|energy|energie\w*|kwh|kilowattstunde\w*|kilowatt-hours?"
    r"|import|grid|spot|epex",
    r"stroom\w*|elektriciteit\w*|\w*bezug\w*|inkoop\w*|market|\w*markt\w*|day-ahead|dynamic",
)
_PRICED = cues.any_of(
    r"\w*preis\w*|prices?|rates?|tariffs?|\w*tarif\w*|\w*verguet\w*|remunerat\w*|"
    r"compensation|payments?|\w*prij[sz]\w*|\w*tarie\w*|\w*vergoed\w*",
    r"kostet?|kosten|costs?|zahle\w*|pay|paid|teuer|guenstig|billig|expensive|cheap|kost|"
    r"betaal\w*|duur|goedkoop",
    r"bekomm\w*|krieg\w*|erhalt\w*|verdien\w*|get|earn\w*|receive|paid|krijg\w*|ontvang\w*",
)
# A price alone is that of a kWh; the price of anything else is asked for by its name.
_PRICE_ALONE = cues.any_of(
    r"(?:the|my|our|der|mein|unser|de|mijn|onze) (?:price|preis|prijs)|(?:price|preis|prijs)"
)


def match_price_ahead(question: PlainQuestion) -> list[MatchedCall]:
    """Return the call of a question for a price that is not published yet."""
    kind = _find_kind(question)
    if kind is None:
        return []
    if question.has(_AFTER_CONTRACT) and not find_named_days(question.text):
        return [MatchedCall("price_course", {"price": kind, "after_contract": True})]
    period = find_time_ahead(question.text, question.today, is_southern=question.site.is_southern)
    if period is None:
        return []
    return [MatchedCall("price_course", {"price": kind} | period.as_arguments())]


def find_time_ahead(text: str, today: date, *, is_southern: bool = False) -> DayPeriod | None:
    """Return the named time if it lies beyond all that is planned and published, else None.

    A time with a beginning alone ("from May on") is its first day. ``is_southern``: seasons are
    those south of the equator.
    """
    named = (
        _find_season(text, today, is_southern=is_southern)
        or _find_dated(text)
        or _find_relative(text, today)
        or _find_yearless(text, today)
    )
    if named is None:
        return None
    (first, last), begin = named
    if _AFTER.search(text[:begin]):
        last += timedelta(days=1)
        first = last
    elif _FROM.search(text[:begin]):
        last = first
    is_counted = _COUNTED.search(text) is not None and last > today + timedelta(days=1)
    is_far = first > today and (last > today + HORIZON or is_counted)
    return DayPeriod(first, last) if is_far else None


def _find_kind(question: PlainQuestion) -> str | None:
    """Return the kind of price that is asked for, or None."""
    if question.has(cues.GOODS) or question.has(cues.EQUIPMENT):
        return None
    if question.has(_GRID):
        return "grid"
    if not question.has(_PRICED):
        return None
    if question.has(_FED_IN):
        return "export"
    if question.has(cues.SPOT):
        return "spot"
    return "import" if question.has(_BOUGHT) or question.has(_PRICE_ALONE) else None


def _find_season(text: str, today: date, *, is_southern: bool) -> NamedTime | None:
    """Return a season with its year, or the coming one of a text in the future tense."""
    match = _SEASON.search(text)
    if match is None or not (match["year"] or _WILL.search(text)):
        return None
    month = _SEASONS[match["season"]]
    if is_southern:
        # Half a year later or earlier: 12 becomes 6, 6 becomes 12.
        month = (month + 5) % 12 + 1
    days = months_of(int(match["year"] or today.year), month, 3)
    if not match["year"] and days[0] <= today:
        days = months_of(today.year + 1, month, 3)
    return days, match.start()


def _find_dated(text: str) -> NamedTime | None:
    named = find_named_days(text)
    return ((named[0].first, named[0].last), named[0].begin) if named else None


def _find_relative(text: str, today: date) -> NamedTime | None:
    if match := _YEAR_AFTER_NEXT.search(text):
        return months_of(today.year + 2, 1, 12), match.start()
    if match := _NEXT_YEAR.search(text):
        return months_of(today.year + 1, 1, 12), match.start()
    if match := _NEXT_QUARTER.search(text):
        return _months_ahead(today, 3 - (today.month - 1) % 3, 3), match.start()
    if match := _NEXT_MONTH.search(text):
        return _months_ahead(today, 1, 1), match.start()
    if match := _COUNTED.search(text):
        count = match["count"]
        number = _COUNTS[count] if count in _COUNTS else int(count)
        day = today + timedelta(days=number * _UNIT_DAYS[match["unit"][0]])
        return (day, day), match.start()
    return None


def _months_ahead(today: date, months: int, count: int) -> tuple[date, date]:
    year, month = divmod(today.year * 12 + today.month - 1 + months, 12)
    return months_of(year, month + 1, count)


def _find_yearless(text: str, today: date) -> NamedTime | None:
    """Return a month or day of the coming year, if the text is in the future tense."""
    if not _WILL.search(text):
        return None
    if match := _DAY_OF_MONTH.search(text):
        month = MONTHS[match["month"] or match["month_first"]]
        number = int(match["day"] or match["day_last"])
        try:
            day = date(today.year, month, number)
            if day <= today:
                day = date(today.year + 1, month, number)
        except ValueError:
            return None
        return (day, day), match.start()
    if match := _MONTH.search(text):
        days = months_of(today.year, MONTHS[match["month"]])
        if days[0] <= today:
            days = months_of(today.year + 1, MONTHS[match["month"]])
        return days, match.start()
    return None
