"""What speaks against a day's data in words: verdicts hold a code, a colon and figures; this is what they say to people."""

import re
from typing import NamedTuple

from luna.words.devices import DEVICE_WORDS, merge
from luna.words.numbers import Language


class FaultWords(NamedTuple):
    """How a fault is written in a verdict, and its sentence by language; groups of the pattern are its figures."""

    pattern: str
    en: str
    de: str


# A column of the quarter-hours, and what a home owner calls it.
MARKET_PRICES: dict[Language, str] = {"en": "Prices of {market}", "de": "Preise von {market}"}
SERIES: dict[str, dict[Language, str]] = {
    "load_kwh": {"en": "Consumption", "de": "Verbrauch"},
    "pv_kwh": {"en": "Solar", "de": "Solarstrom"},
    "import_kwh": {"en": "Grid import", "de": "Netzbezug"},
    "export_kwh": {"en": "Grid export", "de": "Einspeisung"},
    "charge_kwh": {"en": "Battery charge", "de": "Batterieladung"},
    "discharge_kwh": {"en": "Battery discharge", "de": "Batterieentladung"},
    "soc": {"en": "State of charge", "de": "Ladestand"},
    "residual_kwh": {"en": "What meters leave unexplained", "de": "Was Zähler offen lassen"},
    "beyond_house_kwh": {"en": "What devices use beyond the house's meter", "de": "Was Geräte über den Hauszähler hinaus brauchen"},
    **merge(words.series for words in DEVICE_WORDS.values()),
    "import_price": {"en": "Buy price", "de": "Bezugspreis"},
    "export_price": {"en": "Sell price", "de": "Einspeisepreis"},
}
_COUNTED = r"(?P<series>\w+) is known in (?P<known>\d+) of (?P<slots>\d+) slots"
FAULTS = {
    "coverage": FaultWords(_COUNTED, "{series} is known in {known} of {slots} quarter-hours", "{series} ist in {known} von {slots} Viertelstunden bekannt"),
    "silent": FaultWords(
        r"(?P<series>\w+) lacks (?P<sensor>.+), silent since (?P<since>\S+)",
        "{series}: {sensor} has said nothing since {since}, so the sum is unknown. Where another meter is in its place, name that one on the"
        " site's page, under Sensors; where none is, take it out there",
        "{series}: {sensor} schweigt seit {since}, die Summe ist also unbekannt. Steht ein anderer Zähler an seiner Stelle, nenn den auf der"
        " Seite des Standorts, unter Sensoren; sonst nimm ihn dort heraus",
    ),
    "unheard": FaultWords(
        r"(?P<series>\w+) lacks (?P<sensor>.+), which never said anything",
        "{series}: {sensor} has never said anything, so the sum is unknown. Correct its name on the site's page, under Sensors, or take it out",
        "{series}: {sensor} hat noch nie etwas gesagt, die Summe ist also unbekannt. Berichtige seinen Namen auf der Seite"
        " des Standorts, unter Sensoren, oder nimm ihn heraus",
    ),
    "estimated": FaultWords(
        r"(?P<series>\w+) is filled to the meter's total in (?P<known>\d+) of (?P<slots>\d+) slots",
        "{series}: the sum is the meter's, {known} of {slots} quarter-hours of it are estimated",
        "{series}: Die Summe ist die des Zählers, {known} von {slots} Viertelstunden davon sind geschätzt",
    ),
    "repaired": FaultWords(
        r"(?P<series>\w+) was repaired in (?P<known>\d+) of (?P<slots>\d+) slots",
        "{series} was repaired in {known} of {slots} quarter-hours",
        "{series} wurde in {known} von {slots} Viertelstunden repariert",
    ),
    "balance": FaultWords(
        r"the meters leave (?P<open>\S+) kWh unexplained of (?P<flow>\S+) kWh that flowed",
        "meters leave {open} of {flow} kWh unexplained",
        "die Zähler lassen {open} von {flow} kWh offen",
    ),
    "balance_unusual": FaultWords(
        r"the meters leave (?P<open>\S+) kWh unexplained of (?P<flow>\S+) kWh that flowed, usually (?P<usual>\S+) kWh",
        "meters leave {open} of {flow} kWh unexplained, on the days around mostly {usual} at most. Did one of them stand still, or was its clock wrong?",
        "die Zähler lassen {open} von {flow} kWh offen, an den Tagen ringsum meist höchstens {usual}. Stand einer von ihnen still, oder ging seine Uhr falsch?",
    ),
    "frozen": FaultWords(
        r"(?P<sensor>\w+) stands still for (?P<hours>\S+) h in which the other meters say (?P<missed>\S+) kWh",
        "{sensor} stands still for {hours} h in which the other meters say {missed} kWh. Is its sensor stuck, or does it count the other direction?",
        "{sensor} steht {hours} h still, in denen die anderen Zähler {missed} kWh sagen. Hängt sein Sensor, oder zählt er die andere Richtung?",
    ),
    "clock_late": FaultWords(
        r"(?P<sensor>\w+) looks (?P<hours>\S+) h late",
        "{sensor} looks {hours} h late: told earlier, it fits the other meters. Is the clock of its meter right?",
        "{sensor} sieht {hours} h verspätet aus: Früher gemeldet, passt es zu den anderen Zählern. Geht die Uhr seines Zählers richtig?",
    ),
    "clock_early": FaultWords(
        r"(?P<sensor>\w+) looks (?P<hours>\S+) h early",
        "{sensor} looks {hours} h early: told later, it fits the other meters. Is the clock of its meter right?",
        "{sensor} sieht {hours} h verfrüht aus: Später gemeldet, passt es zu den anderen Zählern. Geht die Uhr seines Zählers richtig?",
    ),
    "turned": FaultWords(
        r"(?P<source>\w+) and (?P<sink>\w+) look exchanged.*",
        "{source} and {sink} look exchanged: the other way round meters explain the day. Exchange their sensors on the site's page; where one power with a sign"
        " serves both, its minus goes to the other one",
        "{source} und {sink} sehen vertauscht aus: Andersherum erklären die Zähler den Tag. Tausch ihre Sensoren auf der Seite des Standorts; wo eine Leistung"
        " mit Vorzeichen beiden dient, kommt ihr Minus zur anderen",
    ),
    "devices_beyond_house": FaultWords(
        r"(?P<series>\w+) is (?P<open>\S+) kWh more than .* in (?P<known>\d+) of (?P<slots>\d+) slots",
        "{series}: {open} kWh more than the house's meter counts, in {known} quarter-hours. Does the house's meter see this device? If not, name its sensor"
        " under outside_house_meter in the site's file as well, and build the quarter-hours again",
        "{series}: {open} kWh mehr, als der Zähler des Hauses zählt, in {known} Viertelstunden. Sieht der Zähler des Hauses dieses Gerät? Wenn nicht, nenn"
        " seinen Sensor in der Datei der Anlage auch unter outside_house_meter und bau die Viertelstunden neu",
    ),
    "devices_beyond_grid": FaultWords(
        r"(?P<series>\w+) is (?P<open>\S+) kWh more than .* in (?P<known>\d+) of (?P<slots>\d+) slots",
        "{series}: {open} kWh more than the grid's meter leaves for the house, in {known} quarter-hours. Does the grid's meter see this device? If not, name"
        " its sensor under total_grid_import in the site's file as well, and build the quarter-hours again",
        "{series}: {open} kWh mehr, als der Netzzähler dem Haus lässt, in {known} Viertelstunden. Sieht der Netzzähler dieses Gerät? Wenn nicht, nenn seinen"
        " Sensor in der Datei der Anlage auch unter total_grid_import und bau die Viertelstunden neu",
    ),
    "rebuild": FaultWords(
        r"(?P<series>\w+) is (?P<before>\S+) kWh, and (?P<after>\S+) kWh where it is built again",
        "{series} is {before} kWh, and {after} kWh where its quarter-hours are built again: the stored ones stay. Check the sensor's unit and role; a row under"
        " the refused ones takes the new figures",
        "{series}: {before} kWh, und {after} kWh, wenn die Viertelstunden neu gebaut werden: Die gespeicherten bleiben. Prüf Einheit und Rolle des Sensors;"
        " eine der abgelehnten Zeilen übernimmt die neuen Werte",
    ),
    "price_gap": FaultWords(
        r"(?P<series>\w+) is unknown in (?P<known>\d+) of (?P<slots>\d+) slots",
        "{series} is unknown in {known} of {slots} quarter-hours",
        "{series} ist in {known} von {slots} Viertelstunden unbekannt",
    ),
    "price_zero": FaultWords(
        r"(?P<series>\w+) is zero in (?P<known>\d+) of (?P<slots>\d+) slots.*",
        "{series} is zero in {known} of {slots} quarter-hours in which the market was not",
        "{series} ist in {known} von {slots} Viertelstunden null, der Markt war es nicht",
    ),
    "soc_jump": FaultWords(
        r".* in (?P<known>\d+) slots, by (?P<jump>\S+?)%? at most",
        "the state of charge moves faster than the battery can, or did, in {known} quarter-hours",
        "der Ladestand springt in {known} Viertelstunden schneller, als die Batterie kann oder es tat",
    ),
    "soc_excursion": FaultWords(
        r".* by (?P<jump>\S+?)%? in (?P<known>\d+) slots, and comes back",
        "the state of charge is off by up to {jump} % in {known} quarter-hours, and then comes back. Did its sensor restart?",
        "der Ladestand liegt in {known} Viertelstunden um bis zu {jump} % daneben und kommt dann zurück. Hat sein Sensor neu gestartet?",
    ),
    "soc_stuck": FaultWords(
        r".* while (?P<flow>\S+) kWh went in or out",
        "the state of charge stands still while {flow} kWh went in or out",
        "der Ladestand steht still, während {flow} kWh hinein- oder hinausgingen",
    ),
    "soc_reversed": FaultWords(
        r".* moves by (?P<against>\S+) kWh against the (?P<moved>\S+) kWh .*",
        "the battery looks reversed: its state of charge falls while it charges ({against} of {moved} kWh). Exchange the sensors of total_battery_charge and"
        " total_battery_discharge in the site's file; where one power with a sign serves both, its minus goes to the other one",
        "die Batterie sieht verkehrt herum aus: Ihr Ladestand fällt, während sie lädt ({against} von {moved} kWh). Tausch die Sensoren von total_battery_charge"
        " und total_battery_discharge in der Datei der Anlage; wo eine Leistung mit Vorzeichen beiden dient, kommt ihr Minus zur anderen",
    ),
    "soc_drift": FaultWords(
        r".* moved by (?P<told>\S+) kWh, the energy says (?P<metered>\S+) kWh",
        "the state of charge moved by {told} kWh, meters say {metered} kWh",
        "der Ladestand änderte sich um {told} kWh, die Zähler sagen {metered} kWh",
    ),
    "open": FaultWords(r"the day has not ended", "the day has not ended", "der Tag ist noch nicht zu Ende"),
}


def say_series(name: str, *, language: Language) -> str:
    """Return what a series is called; a name that has no words stays as it is."""
    market = name.removeprefix("market_prices:")
    if market != name:
        return MARKET_PRICES[language].format(market=market)
    return SERIES[name][language] if name in SERIES else name


def say_fault(text: str, *, language: Language) -> str:
    """Return a fault of a verdict as a sentence; one that is not known stays as it is."""
    code, _, said = text.partition(": ")
    words = FAULTS.get(code)
    found = words and re.fullmatch(words.pattern, said)
    if not words or not found:
        return text
    figures = {name: _say(name, value, language) for name, value in found.groupdict().items()}
    return (words.de if language == "de" else words.en).format(**figures)


def _say(name: str, value: str, language: Language) -> str:
    if name == "series":
        return say_series(value, language=language)
    # A name stays as it is, and a day as the site's file takes it.
    return value if name in {"sensor", "since"} else _localise(value, language)


def _localise(figure: str, language: Language) -> str:
    shown = figure.replace("-", "\u2212")
    return shown.replace(".", ",") if language == "de" else shown
