"""Times of the clock that a question names, in German and English.

Pure; the text is one that ``fold`` made plain.
"""

import re

_TIME = r"(?:(\d{1,2})(?:[:.](\d\d))?)"
_HALF = r"(?: ?(am|pm|a\.m\.|p\.m\.))?"
_SPAN = re.compile(
    rf"(?:zwischen|von|between|from) {_TIME}{_HALF}(?: uhr)? (?:und|bis|and|to|until|till) "
    rf"{_TIME}{_HALF}( uhr)?(?!\w|\.\d)"
)
_INSTANT = re.compile(
    rf"(?:\bum|\bat|\bgegen|\bab|\baround) {_TIME}{_HALF}( uhr)?(?!\w|\.\d| ?(?:ct|cent|kwh|%))"
)
_CLOCK_OR_NOON = (
    rf"(?:(?P<noon>noon|mittag)\b|{_TIME}{_HALF}( uhr)?(?!\w|\.\d| ?(?:ct|cent|kwh|%)))"
)
_ONE_END = re.compile(
    r"\b(?:(?P<begin>from|ab|after|nach|since|seit)|(?P<end>until|till|by|bis|before|"
    rf"vor))(?: um| at)? {_CLOCK_OR_NOON}(?! (?:bis|to|until|till|und|and) \d)"
)
# As clock times of a day.
_PARTS: tuple[tuple[re.Pattern[str], tuple[str, str]], ...] = (
    (
        re.compile(
            r"\b(?:vormittags?|(?:yesterday|this|tomorrow|in the) morning|morgens|heute "
            r"frueh|gestern frueh|morgen frueh)\b"
        ),
        ("06:00", "12:00"),
    ),
    (re.compile(r"\b(?:nachmittags?|afternoon)\b"), ("12:00", "18:00")),
    (re.compile(r"\b(?:abends?|evening|tonight)\b"), ("18:00", "24:00")),
)
_FOLLOWING = re.compile(rf"[ ,]*(?:um |at )?{_TIME}{_HALF}( uhr)?(?!\w|\.\d)")
_PART_BEGINS = re.compile(
    r"\s*(?:(?P<m06>morning|frueh|vormittag)|(?P<m12>noon|mittag|afternoon|nachmittag)|(?"
    r"P<m18>evening|abend))\b"
)
# Hours in words; "one" and "eins" alone are rarely a time.
_HOURS = {
    **dict.fromkeys(("one", "eins"), 1),
    **dict.fromkeys(("two", "zwei"), 2),
    **dict.fromkeys(("three", "drei"), 3),
    **dict.fromkeys(("four", "vier"), 4),
    **dict.fromkeys(("five", "fuenf"), 5),
    **dict.fromkeys(("six", "sechs"), 6),
    **dict.fromkeys(("seven", "sieben"), 7),
    **dict.fromkeys(("eight", "acht"), 8),
    **dict.fromkeys(("nine", "neun"), 9),
    **dict.fromkeys(("ten", "zehn"), 10),
    **dict.fromkeys(("eleven", "elf"), 11),
    **dict.fromkeys(("twelve", "zwoelf"), 12),
}
_HOUR = re.compile(
    r"\b(?:um|at|gegen|around) (?:(?P<number>\d{1,2})(?:[:.](?P<minute>\d\d))?"
    rf"|(?P<word>{'|'.join(_HOURS)}))(?P<half> ?(?:am|pm|a\.m\.|p\.m\.))?(?P<exact> uhr)?"
    r"(?!\w|\.\d| ?(?:ct|cents?|kwh|euro?|%))"
)
_BEFORE_NOON = re.compile(
    r"\b(?:morning|morgens|frueh|vormittags?|ochtend|ochtends|'s morgens|nachts?|night)\b"
)


def find_clock(text: str) -> tuple[str, str] | None:
    """Return begin and end of the named hours, in quarter-hours; None if none are named."""
    match = _SPAN.search(text)
    # Two bare numbers are no clock times: minutes, am, pm or "Uhr" must stand with one of them.
    if match and any(match.group(2, 3, 5, 6, 7)):
        begin = _clock(match[1], match[2], match[3] or match[6])
        end = _clock(match[4], match[5], match[6])
        return None if begin is None or end is None else (begin, end)
    for pattern, hours in _PARTS:
        if pattern.search(text):
            return hours
    return _find_one_end(text)


def _find_one_end(text: str) -> tuple[str, str] | None:
    """Return the hours of a day with one end named, such as "ab 18 Uhr" or "before noon"."""
    match = _ONE_END.search(text)
    if match is None:
        return None
    hour, minute, half, hours_word = match.groups()[3:]
    if not match["noon"] and not (minute or half or hours_word):
        return None
    clock = "12:00" if match["noon"] else _clock(hour, minute, half)
    if clock is None or clock == ("24:00" if match["begin"] else "00:00"):
        return None
    return (clock, "24:00") if match["begin"] else ("00:00", clock)


def find_instant(text: str) -> str | None:
    """Return the clock time that a question names, or None."""
    match = _INSTANT.search(text)
    if match is None or not (match[2] or match[3] or match[4]):
        return None
    clock = _clock(match[1], match[2], match[3])
    return None if clock in (None, "24:00") else clock


def find_hour(text: str) -> str | None:
    """Return the clock time that a question names, also as an hour without more: "at six".

    Of an hour up to twelve that says no half of the day, the later one is meant, unless the text
    names the morning or the night.
    """
    match = _HOUR.search(text)
    if match is None:
        return None
    number = match["number"]
    hour = int(number) if number else _HOURS[match["word"]]
    half = match["half"]
    if half is None and match["minute"] is None and not (number and match["exact"]):
        is_later = hour < 12 and _BEFORE_NOON.search(text) is None
        # "At 0" is midnight.
        hour += 12 if is_later and hour else 0
    clock = _clock(str(hour), match["minute"], half.strip() if half else None)
    return None if clock == "24:00" else clock


def read_clock(text: str) -> str | None:
    """Return the clock time, or that of a part of the day, at the start of a text, if any."""
    part = _PART_BEGINS.match(text)
    match = _FOLLOWING.match(text)
    if part is not None:
        return f"{str(part.lastgroup)[1:]}:00"
    if match is None or not (match[2] or match[3] or match[4]):
        return None
    clock = _clock(match[1], match[2], match[3])
    return None if clock == "24:00" else clock


def _clock(hour: str, minute: str | None, half: str | None) -> str | None:
    hours = int(hour)
    minutes = int(minute or 0)
    if half is not None:
        if not 1 <= hours <= 12:
            return None
        hours %= 12
        if half.startswith("p"):
            hours += 12
    if hours > 24 or minutes > 59 or (hours == 24 and minutes):
        return None
    return f"{hours:02d}:{minutes - minutes % 15:02d}"
