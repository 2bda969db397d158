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


# Type of pydantic's error → reason, where several share one; another has the type's name, with
# dashes.
_REASONS_OF_TYPES = {
    "timezone_aware": "expected-instant",
    "datetime_type": "expected-instant",
    "datetime_parsing": "expected-instant",
    "datetime_from_date_parsing": "expected-instant",
    "datetime_object_invalid": "expected-instant",
    "time_type": "expected-clock-time",
    "time_parsing": "expected-clock-time",
    "date_from_datetime_parsing": "expected-day",
    "date_from_datetime_inexact": "expected-day",
    "date_type": "expected-day",
    "date_parsing": "expected-day",
    "time_delta_type": "expected-duration",
    "time_delta_parsing": "expected-duration",
    "finite_number": "expected-number",
    "float_type": "expected-number",
    "float_parsing": "expected-number",
    "int_type": "expected-whole-number",
    "int_parsing": "expected-whole-number",
    "int_from_float": "expected-whole-number",
    "bool_type": "expected-boolean",
    "bool_parsing": "expected-boolean",
    "literal_error": "expected-choice",
    "enum": "expected-choice",
    "union_tag_invalid": "expected-choice",
    "list_type": "expected-list",
    "tuple_type": "expected-list",
    "dict_type": "expected-object",
    "model_type": "expected-object",
    "model_attributes_type": "expected-object",
}

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
    "int-parsing-size": RefusalReason(None, "Give a smaller number."),
    "union-tag-not-found": RefusalReason(None, "Add its kind."),
    "too-short": RefusalReason(None, "Give at least {min_length} values."),
    "too-long": RefusalReason(None, "Give at most {max_length} values."),
    "expected-instant": RefusalReason(None, _INSTANT),
    "expected-clock-time": RefusalReason(None, 'Give a time of day such as "07:00".'),
    "expected-day": RefusalReason("this is not a day", "Write a day such as 2024-02-01."),
    "expected-duration": RefusalReason(None, "Give a duration such as PT15M."),
    "expected-number": RefusalReason(
        "is not a finite number", "Give a finite number, with a point before the decimals."
    ),
    "expected-whole-number": RefusalReason(None, "Give a whole number."),
    "expected-boolean": RefusalReason(None, "Write true or false."),
    "expected-choice": RefusalReason(None, "Choose one of these."),
    "expected-list": RefusalReason(None, "Give a list: [ … ]."),
    "expected-object": RefusalReason(None, "Give named fields: {{ … }}."),
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
    r"^[a-z0-9_.]{1,96}$": "form-version",
    r"^[^\x00]+$": "form-no-nul",
    r"^[^\x00:;]+$": "form-no-colon",
    r"^[A-Za-z0-9][A-Za-z0-9 _.-]*$": "form-site-name",
    r"^[^\W_][\w .-]*$": "form-name",
    r"^[A-Z]{3}$": "form-currency",
    r"^[A-Z]{2}$": "form-country",
    r"^[A-Z0-9]{1,3}$": "form-region",
    r"^([01]\d|2[0-3]):[0-5]\d$": "expected-clock-time",
    r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$": "form-clock-end",
    r"^\d{4}-\d{2}$": "form-month",
    r"^(19|20|21)\d{2}-(0[1-9]|1[0-2])$": "form-month",
    r"^[a-z0-9_]+\.[a-z0-9_]+$": "form-service",
    r"^[a-z0-9_]+$": "form-small",
}
REASONS |= {
    "form-word": RefusalReason(None, "Use only letters, digits, _ and -."),
    "form-path": RefusalReason(None, "Use only letters, digits and _ . : / -."),
    "form-version": RefusalReason(
        None, "Use only small letters, digits, _ and ., as in aurora_v1.0."
    ),
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
    "form-clock-end": RefusalReason(None, 'Give a time of day such as "07:00", or "24:00".'),
    "form-month": RefusalReason(None, "Give a month such as 2024-02."),
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
    kind = str(fault["type"])
    reason = _REASONS_OF_TYPES.get(kind, kind.replace("_", "-"))
    return reason if reason in REASONS else None
