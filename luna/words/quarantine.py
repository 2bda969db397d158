"""Why rows and readings are in quarantine: they are stored with an English reason; this is what pages say of it in German."""

import re
from typing import NamedTuple

from luna.words.numbers import MINUS, Language
from luna.words.quality import say_series


class RowFault(NamedTuple):
    """How a reason is stored, and what Germans are told; groups of the pattern are its figures."""

    pattern: str
    de: str


_HINTS = {
    "energies are counted in their own direction": "Energien zählen in ihrer eigenen Richtung",
    "prices are in currency per kWh, not per MWh": "Preise gelten je kWh, nicht je MWh",
    "a fraction between 0 and 1, no percentage": "ein Anteil zwischen 0 und 1, keine Prozent",
}
FAULTS = (
    RowFault(r"the file has no rows", "Die Datei hat keine Zeilen"),
    RowFault(r"the row holds no value", "Die Zeile hat keinen Wert"),
    RowFault(r"(?P<series>\S+) is missing", "{series} fehlt"),
    RowFault(
        r"(?P<series>\S+) is no number: decimals follow a point, not a comma",
        "{series} ist keine Zahl: Dezimalen stehen nach einem Punkt, nicht nach einem Komma",
    ),
    RowFault(r"(?P<series>\S+) is no number", "{series} ist keine Zahl"),
    RowFault(r"(?P<series>\S+) is not finite", "{series} ist nicht endlich"),
    RowFault(
        r"(?P<series>\S+) is above (?P<limit>\S+) kWh in (?P<minutes>\d+) minutes, more than the site can do",
        "{series} liegt über {limit} kWh in {minutes} Minuten, mehr als der Standort kann",
    ),
    RowFault(r"(?P<series>\S+) is below (?P<limit>\S+): (?P<hint>.*)", "{series} liegt unter {limit}: {hint}"),
    RowFault(r"(?P<series>\S+) is above (?P<limit>\S+): (?P<hint>.*)", "{series} liegt über {limit}: {hint}"),
    RowFault(r"contradicts line (?P<line>\d+), which has the same time", "Widerspricht Zeile {line}, die dieselbe Zeit hat"),
    RowFault(r"off the grid of (?P<minutes>\d+)-minute slots", "Liegt neben dem Raster von {minutes} Minuten"),
    RowFault(r"(?:\w+: )?not a time such as .*", "Das ist keine lesbare Zeitangabe"),
    RowFault(r"(?:\w+: )?the time has no offset, .*", "Die Zeit hat keine Zeitzone; nenn sie beim Laden"),
    RowFault(r"(?:\w+: )?the clock skips this local time", "Bei der Zeitumstellung fällt diese Uhrzeit aus"),
    RowFault(r"estimated: filled to a meter's total, no measurement", "Geschätzt: bis zur Summe eines Zählers aufgefüllt, nicht gemessen"),
    RowFault(r"sensors with a minus take off more than there is: .*", "Sensoren mit Minus ziehen mehr ab, als da ist: Prüf, welcher Sensor was zählt"),
    RowFault(r"stands still although .*", "Steht still, obwohl die anderen Zähler Bewegung zeigen: Der Sensor hängt"),
    RowFault(r"leaves the counter's level, .*", "Verlässt den Stand des Zählers, der bald zurück ist: falsch gelesen oder von einer anderen Zeit"),
    RowFault(r"rises and falls as no counter does: .*", "Steigt und fällt, wie es kein Zähler tut: Prüf die Einheit des Sensors"),
    RowFault(r"no state of charge: .*", "Kein Ladestand: ein Anteil zwischen 0 und 1, oder Prozent mit der Einheit %"),
    RowFault(r"far from the readings beside it", "Weit weg von den Messwerten daneben"),
    RowFault(r"does not move for (?P<limit>\S+) hours and more: .*", "Bewegt sich seit {limit} Stunden und länger nicht: Der Sensor hängt"),
    RowFault(r"above (?P<limit>\S+) kW, more than the site can do", "Über {limit} kW, mehr als der Standort kann"),
    RowFault(r"beyond (?P<limit>\S+) kW in the other direction, .*", "Über {limit} kW in der anderen Richtung, mehr als der Standort kann"),
    RowFault(r"before the year 2000: .*", "Vor dem Jahr 2000: Die Uhr des Geräts ist nicht gestellt"),
    RowFault(r"lies in the future: .*", "Liegt in der Zukunft: Die Uhr des Geräts geht falsch"),
    RowFault(r"contradicts another value of the same instant", "Widerspricht einem anderen Wert desselben Zeitpunkts"),
    RowFault(r"is no finite number", "Ist keine endliche Zahl"),
)
_COMPILED = tuple((re.compile(fault.pattern), fault) for fault in FAULTS)


def say_row_fault(reason: str, language: Language) -> str:
    """Return why a row is in quarantine; a reason that has no words stays as it is."""
    if language == "de":
        for pattern, fault in _COMPILED:
            if found := pattern.fullmatch(reason):
                return fault.de.format(**{name: _say(name, figure) for name, figure in found.groupdict().items()})
    return reason


def _say(name: str, figure: str) -> str:
    if name == "series":
        return say_series(figure, language="de")
    return _HINTS.get(figure, figure) if name == "hint" else figure.replace("-", MINUS).replace(".", ",")
