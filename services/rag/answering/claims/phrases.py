"""Replaces phrases that mean one thing by one mark: bounds, ends of periods, fixed idioms."""

import re

_PERIOD = {
    "monat": "month",
    "maand": "month",
    "month": "month",
    "jahr": "year",
    "jaar": "year",
    "year": "year",
    "quartal": "quarter",
    "kwartaal": "quarter",
    "quarter": "quarter",
    "woche": "week",
    "week": "week",
}
_ANY_PERIOD = r"(monat|maand|month|jahr|jaar|year|quartal|kwartaal|quarter|woche|week)"
_END_OF = re.compile(
    rf"\b(?:ende|einde|end)\s+(?:of|van|des|der|eines|einer)\s+(?:(?:the|a|an|de|het|een)\s+)?"
    rf"{_ANY_PERIOD}(?:e?s|n)?\b",
    re.IGNORECASE,
)
_END = re.compile(rf"\b{_ANY_PERIOD}(?:e?s|n|-)?(?:ende|einde|end)s?\b", re.IGNORECASE)
_REPLACED = (
    (
        (
            r"\b(?:not exceed|not be exceeded|nicht (?:überschreiten|überschritten werden)"
            r"|niet (?:overschrijden|overschreden worden))\b"
        ),
        " ≤ ",
    ),
    (r"\b(?:may|can|darf|kann|mag|kan)\s+(?:exceed|overschrijden)\b", " > "),
    (
        (
            r"\b(?:at least|not less than|no less than|no fewer than|a minimum of|mindestens"
            r"|wenigstens|nicht weniger als|minstens|ten minste|tenminste|minimaal)\b"
        ),
        " ≥ ",
    ),
    (
        (
            r"\b(?:at most|no more than|not more than|up to|a maximum of|höchstens|maximal|bis zu"
            r"|nicht mehr als|nicht länger als|not longer than|hoogstens|ten hoogste|maximaal"
            r"|niet meer dan)\b"
        ),
        " ≤ ",
    ),
    (r"\b(?:more than|over|above|mehr als|über|meer dan|boven)\b", " > "),
    (r"\b(?:less than|fewer than|below|weniger als|unterhalb von|minder dan|beneden)\b", " < "),
    (r"\b(?:as|so) (?:much|many|viele?|high|hoch) (?:as|wie)\b", " §multiple than "),
    (r"\bzo ?(?:veel|hoog) als\b", " §multiple than "),
    (r"\b(?:under|unter|onder)(?=\s+[€£]?\s?\d)", " < "),
    (r"\bfree of charge\b", "gratis"),
    (r"\bnicht nur\b|\bnot only\b|\bniet alleen\b", " "),
    (r"\bwithin a fortnight\b", "within 14 days"),
    (r"\bsmart meter\b", "smart-meter"),
    (r"\bheat pump\b", "heat-pump"),
    (r"\bstanding charge\b|\bbase (?:price|fee|charge)\b", "base-price"),
    (r"\bunit (?:rate|price)\b", "unit-rate"),
    (r"\b(?:most expensive)\b", "dearest"),
    (r"\b(?:more expensive)\b", "dearer"),
    (r"\bsquare metres?\b", "m²"),
    (r"\bworking days?\b", "days"),
    (r"\bgrid operator\b", "grid-operator"),
    (r"\b(?:per cent)\b", "percent"),
    (r"\b(\d+(?:[.,]\d+)?)\s?°\s?C\b", r"\1 celsius"),
    (r"\b([A-Z][\w]+) (\d{1,2})(?= (?:S|L|Pro|Plus)\b)", r"\1-\2"),
)
_PATTERNS = tuple((re.compile(pattern, re.IGNORECASE), mark) for pattern, mark in _REPLACED)


def join_phrases(text: str) -> str:
    """Return a text in which each known phrase is one mark or word."""
    text = _END_OF.sub(_end_word, text)
    text = _END.sub(_end_word, text)
    for pattern, mark in _PATTERNS:
        text = pattern.sub(mark, text)
    return text


def _end_word(match: re.Match[str]) -> str:
    return f"§end{_PERIOD[match[1].lower()]}"
