"""Refusal reasons of fields that pydantic does not validate.

They go by the type of its error; remedies go by pattern.
"""

from collections.abc import Mapping
from typing import Any

from luna.energy.refusals.reason import RefusalReason

_INSTANT = (
    "Write an instant with its offset, such as 2024-02-01T00:00:00+01:00, or with Z for UTC; "
    "beside a site also a local day or a time of its clock."
)
_NUMBER = "Give a number, with a point before the decimals."
_DAY = "Write a day such as 2024-02-01."


# Type of pydantic's error, with dashes for underscores → reason.
REASONS: dict[str, RefusalReason] = {
    "extra-forbidden": RefusalReason(
        None,
        "Remove it, or correct its name. A site's fields are in config/site.yaml, those "
        "of requests at /docs.",
    ),
    "known-by-other-name": RefusalReason("Luna does not know {given}", "Use {instead}."),
    "missing": RefusalReason(None, "Add it."),
    "less-than-equal": RefusalReason(None, "Give at most {le}.", kinds={"unit": "unit"}),
    "less-than": RefusalReason(None, "Give less than {lt}.", kinds={"unit": "unit"}),
    "greater-than-equal": RefusalReason(None, "Give at least {ge}.", kinds={"unit": "unit"}),
    "greater-than": RefusalReason(None, "Give more than {gt}.", kinds={"unit": "unit"}),
    "multiple-of": RefusalReason(None, "Round it."),
    "string-type": RefusalReason(
        None, 'Put it in quotes, as in "22:00"; without them it is read as a number.'
    ),
    "string-too-short": RefusalReason(None, "Give at least {min_length} characters."),
    "string-too-long": RefusalReason(None, "Shorten it to at most {max_length} characters."),
    "string-unicode": RefusalReason(None, "Send text in UTF-8."),
    "timezone-aware": RefusalReason(None, _INSTANT),
    "datetime-type": RefusalReason(None, _INSTANT),
    "datetime-parsing": RefusalReason(None, _INSTANT),
    "datetime-from-date-parsing": RefusalReason(None, _INSTANT),
    "datetime-object-invalid": RefusalReason(None, "Give a date and time that exist."),
    "time-type": RefusalReason(None, 'Give a time of day such as "07:00".'),
    "time-parsing": RefusalReason(None, 'Give a time of day such as "07:00".'),
    "date-from-datetime-parsing": RefusalReason(None, _DAY),
    "date-from-datetime-inexact": RefusalReason(None, _DAY),
    "date-type": RefusalReason(None, _DAY),
    "date-parsing": RefusalReason(None, _DAY),
    "time-delta-type": RefusalReason(None, "Give a duration such as PT15M."),
    "time-delta-parsing": RefusalReason(None, "Give a duration such as PT15M."),
    "finite-number": RefusalReason(None, "Give a finite number."),
    "float-type": RefusalReason(None, _NUMBER),
    "float-parsing": RefusalReason(None, _NUMBER),
    "int-type": RefusalReason(None, _NUMBER),
    "int-parsing": RefusalReason(None, _NUMBER),
    "int-parsing-size": RefusalReason(None, "Give a smaller number."),
    "int-from-float": RefusalReason(None, "Give a whole number."),
    "bool-type": RefusalReason(None, "Write true or false."),
    "bool-parsing": RefusalReason(None, "Write true or false."),
    "literal-error": RefusalReason(None, "Choose one of these."),
    "enum": RefusalReason(None, "Choose one of these."),
    "union-tag-invalid": RefusalReason(None, "Choose one of these kinds."),
    "union-tag-not-found": RefusalReason(None, "Add its kind."),
    "too-short": RefusalReason(None, "Give at least {min_length} values."),
    "too-long": RefusalReason(None, "Give at most {max_length} values."),
    "list-type": RefusalReason(None, "Give a list: [ … ]."),
    "tuple-type": RefusalReason(None, "Give a list: [ … ]."),
    "dict-type": RefusalReason(None, "Give named values: {{ … }}."),
    "model-type": RefusalReason(None, "Give named fields: {{ … }}."),
    "model-attributes-type": RefusalReason(None, "Give named fields: {{ … }}."),
    "json-invalid": RefusalReason(None, "Correct the JSON at this place."),
    "display-name": RefusalReason(
        "contains invisible characters",
        "Write it without control characters.",
    ),
    "string-pattern-mismatch": RefusalReason(None, "Write it in this form."),
    "beyond-currency": RefusalReason(
        "in {currency} it is {bound}", "Give {bound}. Prices are per kWh."
    ),
}


# Pattern → reason of a value that does not match it.
FORMS: dict[str, str] = {
    r"^[\w-]+$": "form-word",
    r"^[\w.:/-]+$": "form-path",
    r"^[a-z0-9_.]{1,64}$": "form-version",
    r"^[a-z0-9_.]{1,96}$": "form-small-dotted",
    r"^[^\x00]+$": "form-no-nul",
    r"^[^\x00:;]+$": "form-no-colon",
    r"^[A-Za-z0-9][A-Za-z0-9 _.-]*$": "form-site-name",
    r"^[^\W_][\w .-]*$": "form-name",
    r"^[A-Z]{3}$": "form-currency",
    r"^[A-Z]{2}$": "form-country",
    r"^[A-Z0-9]{1,3}$": "form-region",
    r"^([01]\d|2[0-3]):[0-5]\d$": "form-clock",
    r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$": "form-clock-end",
    r"^\d{4}-\d{2}$": "form-month",
    r"^(19|20|21)\d{2}-(0[1-9]|1[0-2])$": "form-month-of-year",
    r"^[a-z0-9_]+\.[a-z0-9_]+$": "form-service",
    r"^[a-z0-9_]+$": "form-small",
}
REASONS |= {
    "form-word": RefusalReason(None, "Use only letters, digits, _ and -."),
    "form-path": RefusalReason(None, "Use only letters, digits and _ . : / -."),
    "form-version": RefusalReason(
        None, "Use only small letters, digits, _ and ., as in aurora_v1.0."
    ),
    "form-small-dotted": RefusalReason(None, "Use only small letters, digits, _ and full stops."),
    "form-no-nul": RefusalReason(None, "Leave out the NUL character."),
    "form-no-colon": RefusalReason(None, "Leave out colons and semicolons."),
    "form-site-name": RefusalReason(
        None,
        "Begin with a letter or digit and use only a-z, digits, spaces, _ . and -; "
        "display_name takes any other characters.",
    ),
    "form-name": RefusalReason(
        None, "Begin with a letter or digit and use only letters, digits, spaces, _ . and -."
    ),
    "form-currency": RefusalReason(None, "Give a currency code of ISO 4217, such as EUR."),
    "form-country": RefusalReason(None, "Give a country code of ISO 3166, such as DE."),
    "form-region": RefusalReason(None, "Give the ISO 3166-2 code without the country, such as BY."),
    "form-clock": RefusalReason(None, 'Give a time of day such as "07:00".'),
    "form-clock-end": RefusalReason(None, 'Give a time of day such as "07:00", or "24:00".'),
    "form-month": RefusalReason(None, "Give a month such as 2024-02."),
    "form-month-of-year": RefusalReason(None, "Give a month such as 2024-02."),
    "form-service": RefusalReason(None, "Give domain and service, such as number.set_value."),
    "form-small": RefusalReason(None, "Use only small letters, digits and _."),
}


def find_reason(fault: Mapping[str, Any]) -> str | None:
    """Return the reason of one of pydantic's faults; None where none is declared."""
    context: Mapping[str, Any] = fault.get("ctx") or {}
    if "reason" in context:
        return str(context["reason"])
    if fault["type"] == "string_pattern_mismatch":
        return FORMS.get(context["pattern"], "string-pattern-mismatch")
    reason = str(fault["type"]).replace("_", "-")
    return reason if reason in REASONS else None
