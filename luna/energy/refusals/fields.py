"""Fields of requests, sites and forms that do not validate: by the type of pydantic's error, and what patterns want."""

from collections.abc import Mapping
from typing import Any

from luna.energy.refusals.reason import PageText, RefusalReason

_INSTANT = "Write an instant with its offset, such as 2024-02-01T00:00:00+01:00, or with Z for UTC; beside a site also a local day or a time of its clock."
_NUMBER = "Give a number, with a point before the decimals."
_DAY = "Write a day such as 2024-02-01."
_TIME = {
    "de": PageText("Das ist keine lesbare Zeitangabe.", "Wähl Tag und Uhrzeit neu."),
    "en": PageText("This is no time that can be read.", "Choose day and time anew."),
}
_NO_DAY = {
    "de": PageText("Das ist kein lesbarer Tag.", "Schreib ihn wie 2024-02-01."),
    "en": PageText("This is no day that can be read.", "Write it like 2024-02-01."),
}
_NO_NUMBER = {"de": PageText("Das ist keine Zahl.", "Schreib eine Zahl, etwa 3,5."), "en": PageText("This is no number.", "Write a number, such as 3.5.")}
_CHOICE = {
    "de": PageText("Das lässt sich nicht wählen.", "Wähl etwas, das angeboten wird."),
    "en": PageText("This cannot be chosen.", "Choose something that is offered."),
}
_SHAPE = {
    "de": PageText("Das hat nicht die Form, die hier stehen muss.", "Sieh in config/site.yaml nach, wie es geschrieben wird."),
    "en": PageText("This does not have the form that belongs here.", "See in config/site.yaml how it is written."),
}
_YES_OR_NO = {"de": PageText("Das ist weder ja noch nein.", "Schreib true oder false."), "en": PageText("This is neither yes nor no.", "Write true or false.")}


def _by_pydantic(remedy: str, said: Mapping[str, PageText]) -> RefusalReason:
    return RefusalReason(None, remedy, said["de"], said["en"])


# By the type of pydantic's error, with a dash for each underscore.
REASONS: dict[str, RefusalReason] = {
    "extra-forbidden": RefusalReason(
        None,
        "Remove it or correct its name; config/site.yaml lists a site's fields, the gateway's /docs those of requests.",
        PageText("Ein Feld dieses Namens gibt es hier nicht.", "Streich es, oder verbessere seinen Namen."),
        PageText("There is no field of this name here.", "Remove it, or correct its name."),
    ),
    "missing": RefusalReason(None, "Add it.", PageText("Hier fehlt etwas.", "Füll es aus."), PageText("Something is missing.", "Fill it in.")),
    "less-than-equal": RefusalReason(
        None,
        "Give at most {le}.",
        PageText("Das ist zu groß.", "Höchstens {le:number}{unit:unit}."),
        PageText("This is too large.", "At most {le:number}{unit:unit}."),
    ),
    "less-than": RefusalReason(
        None,
        "Give less than {lt}.",
        PageText("Das ist zu groß.", "Weniger als {lt:number}{unit:unit}."),
        PageText("This is too large.", "Less than {lt:number}{unit:unit}."),
    ),
    "greater-than-equal": RefusalReason(
        None,
        "Give at least {ge}.",
        PageText("Das ist zu klein.", "Mindestens {ge:number}{unit:unit}."),
        PageText("This is too small.", "At least {ge:number}{unit:unit}."),
    ),
    "greater-than": RefusalReason(
        None,
        "Give more than {gt}.",
        PageText("Das ist zu klein.", "Mehr als {gt:number}{unit:unit}."),
        PageText("This is too small.", "More than {gt:number}{unit:unit}."),
    ),
    "multiple-of": RefusalReason(
        None,
        "Correct it.",
        PageText("Das ist kein Vielfaches von {multiple_of:number}.", "Runde es."),
        PageText("This is no multiple of {multiple_of:number}.", "Round it."),
    ),
    "string-type": RefusalReason(
        None,
        'Put it in quotes, as in "22:00"; without, it is read as a number.',
        PageText("Das ist kein Text.", 'Setz es in Anführungszeichen, wie "22:00".'),
        PageText("This is no text.", 'Put it in quotes, as in "22:00".'),
    ),
    "string-too-short": RefusalReason(
        None,
        "Give at least {min_length} characters.",
        PageText("Das ist zu kurz.", "Mindestens {min_length} Zeichen."),
        PageText("This is too short.", "At least {min_length} characters."),
    ),
    "string-too-long": RefusalReason(
        None,
        "Shorten it to at most {max_length} characters.",
        PageText("Das ist zu lang.", "Höchstens {max_length} Zeichen."),
        PageText("This is too long.", "At most {max_length} characters."),
    ),
    "string-unicode": RefusalReason(
        None, "Correct it.", PageText("Das ist kein lesbarer Text.", "Schreib es neu."), PageText("This is no text that can be read.", "Write it anew.")
    ),
    "timezone-aware": _by_pydantic(_INSTANT, _TIME),
    "datetime-type": _by_pydantic(_INSTANT, _TIME),
    "datetime-parsing": _by_pydantic(_INSTANT, _TIME),
    "datetime-from-date-parsing": _by_pydantic(_INSTANT, _TIME),
    "datetime-object-invalid": _by_pydantic("Correct it.", _TIME),
    "time-type": _by_pydantic("Correct it.", _TIME),
    "time-parsing": _by_pydantic("Correct it.", _TIME),
    "date-from-datetime-parsing": _by_pydantic(_DAY, _NO_DAY),
    "date-from-datetime-inexact": _by_pydantic(_DAY, _NO_DAY),
    "date-type": _by_pydantic(_DAY, _NO_DAY),
    "date-parsing": _by_pydantic(_DAY, _NO_DAY),
    "time-delta-type": RefusalReason(
        None, "Correct it.", PageText("Das ist keine Dauer.", "Schreib sie wie PT15M."), PageText("This is no duration.", "Write it like PT15M.")
    ),
    "time-delta-parsing": RefusalReason(
        None,
        "Write a duration such as PT15M.",
        PageText("Das ist keine Dauer.", "Schreib sie wie PT15M."),
        PageText("This is no duration.", "Write it like PT15M."),
    ),
    "finite-number": _by_pydantic("Give a finite number.", _NO_NUMBER),
    "float-type": _by_pydantic(_NUMBER, _NO_NUMBER),
    "float-parsing": _by_pydantic(_NUMBER, _NO_NUMBER),
    "int-type": _by_pydantic(_NUMBER, _NO_NUMBER),
    "int-parsing": _by_pydantic(_NUMBER, _NO_NUMBER),
    "int-parsing-size": RefusalReason(
        None,
        "Give a smaller number.",
        PageText("Diese Zahl ist zu groß.", "Gib eine kleinere an."),
        PageText("This number is too large.", "Give a smaller one."),
    ),
    "int-from-float": RefusalReason(
        None,
        "Give a whole number.",
        PageText("Das ist keine ganze Zahl.", "Gib eine ganze Zahl an."),
        PageText("This is no whole number.", "Give a whole one."),
    ),
    "bool-type": _by_pydantic("Write true or false.", _YES_OR_NO),
    "bool-parsing": _by_pydantic("Write true or false.", _YES_OR_NO),
    "literal-error": _by_pydantic("Choose one of these.", _CHOICE),
    "enum": _by_pydantic("Correct it.", _CHOICE),
    "union-tag-invalid": _by_pydantic("Choose one of these kinds.", _CHOICE),
    "union-tag-not-found": RefusalReason(
        None, "Add its kind.", PageText("Hier fehlt die Art (kind).", "Trag sie ein."), PageText("The kind is missing here.", "Add it.")
    ),
    "too-short": RefusalReason(
        None,
        "Give at least as many values.",
        PageText("Das sind zu wenige Werte.", "Mindestens {min_length}."),
        PageText("These are too few values.", "At least {min_length}."),
    ),
    "too-long": RefusalReason(
        None,
        "Give fewer values.",
        PageText("Das sind zu viele Werte.", "Höchstens {max_length}."),
        PageText("These are too many values.", "At most {max_length}."),
    ),
    "list-type": _by_pydantic("Give a list: [ … ].", _SHAPE),
    "tuple-type": _by_pydantic("Correct it.", _SHAPE),
    "dict-type": _by_pydantic("Give named values: {{ … }}.", _SHAPE),
    "model-type": _by_pydantic("Give named fields: {{ … }}.", _SHAPE),
    "model-attributes-type": _by_pydantic("Give named fields: {{ … }}.", _SHAPE),
    "json-invalid": RefusalReason(
        None,
        "Correct the JSON at this place.",
        PageText("Das ist kein JSON.", "Verbessere es an dieser Stelle."),
        PageText("This is no JSON.", "Correct it at this place."),
    ),
    "display-name": RefusalReason(
        "has characters that cannot be seen",
        "Write it as it is to be shown, without control characters.",
        PageText("Der Name hat unsichtbare Zeichen.", "Schreib ihn so, wie er erscheinen soll."),
    ),
    "string-pattern-mismatch": RefusalReason(
        None,
        "Write it in this form.",
        PageText("Das hat nicht die verlangte Form.", "Prüf, wie es geschrieben wird."),
        PageText("This does not have the required form.", "Check how it is written."),
    ),
    "beyond-currency": RefusalReason(
        "in {currency} it is {bound}",
        "Give {bound}. Prices are per kWh.",
        PageText("In {currency} liegt das zwischen {least:number} und {most:number}.", "Preise gelten je Kilowattstunde."),
        PageText("In {currency} this lies between {least:number} and {most:number}.", "Prices are per kWh."),
    ),
}


def _form(remedy: str, german: str) -> RefusalReason:
    return RefusalReason(None, remedy, PageText("Das hat nicht die verlangte Form.", german), PageText("This does not have the required form.", remedy))


# What patterns want, by the pattern.
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
    "form-word": _form("Use letters, digits, _ and - only.", "Nimm nur Buchstaben, Ziffern, _ und -."),
    "form-path": _form("Use letters, digits and _ . : / - only.", "Nimm nur Buchstaben, Ziffern und _ . : / -."),
    "form-version": _form("Use small letters, digits, _ and . only, as in aurora_v1.0.", "Nimm nur kleine Buchstaben, Ziffern, _ und . wie in aurora_v1.0."),
    "form-small-dotted": _form("Use small letters, digits, _ and . only.", "Nimm nur kleine Buchstaben, Ziffern, _ und Punkt."),
    "form-no-nul": _form("Leave out the NUL.", "Lass das Zeichen NUL weg."),
    "form-no-colon": _form("Leave out colons and semicolons.", "Lass Doppelpunkte und Strichpunkte weg."),
    "form-site-name": _form(
        "Begin with a letter or digit and use a-z, digits, blanks, _ . and - only; display_name takes it as people write it.",
        "Beginn mit Buchstabe oder Ziffer und nimm nur a–z, Ziffern, Leerzeichen, _ . und -; display_name nimmt ihn, wie man ihn schreibt.",
    ),
    "form-name": _form(
        "Begin with a letter or digit and use letters, digits, blanks, _ . and - only.",
        "Beginn mit Buchstabe oder Ziffer und nimm nur Buchstaben, Ziffern, Leerzeichen, _ . und -.",
    ),
    "form-currency": _form("Give the ISO 4217 code of the currency, such as EUR.", "Gib die Währung nach ISO 4217 an, etwa EUR."),
    "form-country": _form("Give the ISO 3166 code of the country, such as DE.", "Gib das Land nach ISO 3166 an, etwa DE."),
    "form-region": _form("Give the ISO 3166-2 code without the country's, such as BY.", "Gib das Bundesland nach ISO 3166-2 ohne das Land an, etwa BY."),
    "form-clock": _form('Write a time of the clock such as "07:00".', 'Schreib eine Uhrzeit wie "07:00".'),
    "form-clock-end": _form('Write a time of the clock such as "07:00", or "24:00".', 'Schreib eine Uhrzeit wie "07:00" oder "24:00".'),
    "form-month": _form("Write a month such as 2024-02.", "Schreib einen Monat wie 2024-02."),
    "form-month-of-year": RefusalReason(
        None,
        "Write it in this form.",
        PageText("Diesen Monat gibt es nicht.", "Schreib einen Monat wie 2024-02."),
        PageText("There is no such month.", "Write a month such as 2024-02."),
    ),
    "form-service": _form("Write domain and service, as in number.set_value.", "Schreib Bereich und Dienst wie in number.set_value."),
    "form-small": _form("Use small letters, digits and _ only.", "Nimm nur kleine Buchstaben, Ziffern und _."),
}


def find_reason(fault: Mapping[str, Any]) -> str | None:
    """Return the reason of a fault as pydantic lists it; None where none is declared."""
    context: Mapping[str, Any] = fault.get("ctx") or {}
    if "reason" in context:
        return str(context["reason"])
    if fault["type"] == "string_pattern_mismatch":
        return FORMS.get(context["pattern"], "string-pattern-mismatch")
    reason = str(fault["type"]).replace("_", "-")
    return reason if reason in REASONS else None
