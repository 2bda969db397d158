"""Messages to owners: what happened as a title and a sentence or two, in English and German."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from luna.energy.devices import BATTERIES
from luna.energy.errors import InvalidInputError
from luna.words.agent import MODES
from luna.words.compromises import retell_compromise
from luna.words.devices import say_device
from luna.words.numbers import Language, Numbers


class MessageWords(NamedTuple):
    """A message in one language; figures stand in braces."""

    title: str
    text: str


# By code of the event. ``at``, ``start`` and ``end`` are instants, ``price``, ``usual`` prices, ``saved`` money, ``days`` a count,
# ``missed`` a plan's compromises.
MESSAGES: dict[str, dict[Language, MessageWords]] = {
    "no_plan": {
        "en": MessageWords("No plan", "{site} is armed and has no plan: its devices do what they do by themselves."),
        "de": MessageWords("Kein Plan", "{site} ist scharf geschaltet und hat keinen Plan: Die Geräte tun, was sie von selbst tun."),
    },
    "plan_old": {
        "en": MessageWords("The plan is too old", "The last plan for {site} is of {at}; its devices do what they do by themselves until a new one comes."),
        "de": MessageWords("Der Plan ist zu alt", "Der letzte Plan für {site} ist von {at}; bis ein neuer kommt, tun die Geräte, was sie von selbst tun."),
    },
    "plan_compromised": {
        "en": MessageWords("Not everything can be had", "The plan for {site} cannot keep all that is wanted. {missed}"),
        "de": MessageWords("Nicht alles geht", "Der Plan für {site} kann nicht alles einhalten, was gewünscht ist. {missed}"),
    },
    "plan_unproven": {
        "en": MessageWords(
            "Not everything was found in time",
            "The time to plan {site} was up before a way was found to keep all that is wanted; there may be one, and the next plan looks again. {missed}",
        ),
        "de": MessageWords(
            "Nicht alles war rechtzeitig zu finden",
            "Die Zeit, {site} zu planen, war um, bevor ein Weg gefunden war, alles Gewünschte einzuhalten; es kann ihn geben, und der nächste Plan sucht"
            " weiter. {missed}",
        ),
    },
    "device_silent": {
        "en": MessageWords("A device does not answer", "{device} of {site} has not confirmed what it was told at {at}; it is left to itself."),
        "de": MessageWords("Ein Gerät antwortet nicht", "{device} von {site}: Der Befehl von {at} ist nicht bestätigt; das Gerät ist sich selbst überlassen."),
    },
    "sensors_silent": {
        "en": MessageWords("No sensor is heard", "Since {at} no sensor of {site} has been heard. Check Home Assistant or the broker."),
        "de": MessageWords("Kein Sensor ist zu hören", "Seit {at} ist von {site} kein Sensor zu hören. Bitte Home Assistant oder den Broker prüfen."),
    },
    "sensor_silent": {
        "en": MessageWords(
            "A sensor is silent",
            "{site}: {sensor} has said nothing since {since}, others of its role do: what {role} comes to is unknown since then. Where another meter is in"
            " its place, name that one on the site's page, under Sensors: it counts from then on. One at rest comes back by itself.",
        ),
        "de": MessageWords(
            "Ein Sensor schweigt",
            "{site}: {sensor} schweigt seit {since}, andere seiner Rolle nicht: Was {role} ergibt, ist seither unbekannt. Steht ein anderer Zähler an seiner"
            " Stelle, nenn den auf der Seite des Standorts, unter Sensoren: Er gilt ab da. Einer, der ruht, kommt von selbst wieder.",
        ),
    },
    "sensor_unheard": {
        "en": MessageWords(
            "A sensor that there is not",
            "{site}: {sensor} has never said anything, others of its role do; {role} is counted without it. Correct its name on the site's page, under Sensors,"
            " or take it out there.",
        ),
        "de": MessageWords(
            "Einen Sensor gibt es nicht",
            "{site}: {sensor} hat noch nie etwas gesagt, andere seiner Rolle schon; {role} zählt ohne ihn. Berichtige seinen Namen auf der Seite des"
            " Standorts, unter Sensoren, oder nimm ihn dort heraus.",
        ),
    },
    "agent_offered": {
        "en": MessageWords(
            "Antares has proven itself", "{site}: Antares may be given control ({mode}). Look at the evidence on the page Antares, and ask for it there."
        ),
        "de": MessageWords(
            "Antares hat sich bewährt",
            "{site}: Du kannst Antares Steuerung geben ({mode}). Die Belege stehen auf der Seite Antares; dort kannst du sie verlangen.",
        ),
    },
    "agent_withdrawn": {
        "en": MessageWords(
            "Control was taken from Antares", "{site}: since {at} the planner decides alone again ({mode} was withdrawn). Why stands on the page Antares."
        ),
        "de": MessageWords(
            "Antares wurde die Steuerung entzogen",
            "{site}: Seit {at} entscheidet wieder allein der Planer ({mode} wurde entzogen). Warum, steht auf der Seite Antares.",
        ),
    },
    "cheap_hours": {
        "en": MessageWords("Cheap hours ahead", "{site}: from {start} to {end} electricity costs {price} per kWh on average, {usual} over the whole day."),
        "de": MessageWords("Günstige Stunden voraus", "{site}: Von {start} bis {end} kostet Strom im Mittel {price} je kWh, {usual} über den ganzen Tag."),
    },
    "weekly_saving": {
        "en": MessageWords("The week", "{site}: by the replay, Luna cost {saved} less than the inverter alone, on {days} of 7 days."),
        "de": MessageWords("Die Woche", "{site}: Nach der Wiederholung kostete Luna {saved} weniger als der Wechselrichter allein, an {days} von 7 Tagen."),
    },
    "weekly_loss": {
        "en": MessageWords("The week", "{site}: by the replay, Luna cost {saved} more than the inverter alone, on {days} of 7 days."),
        "de": MessageWords("Die Woche", "{site}: Nach der Wiederholung kostete Luna {saved} mehr als der Wechselrichter allein, an {days} von 7 Tagen."),
    },
    "day_ahead": {
        "en": MessageWords("Today", "{site}: {statements}"),
        "de": MessageWords("Heute", "{site}: {statements}"),
    },
    "test": {
        "en": MessageWords("Luna", "This is a test: messages from Luna arrive here."),
        "de": MessageWords("Luna", "Das ist ein Test: Nachrichten von Luna kommen hier an."),
    },
}
_BATTERIES: dict[Language, str] = {"en": "The battery", "de": "Die Batterie"}
_PRICES, _MONEY = ("price", "usual"), ("saved",)


def say_message(code: str, figures: Mapping[str, Any], *, site: str, numbers: Numbers) -> MessageWords:
    """Return title and text of a message.

    Raises:
        InvalidInputError: an unknown code, or a figure that its sentence needs is missing.
    """
    if code not in MESSAGES:
        raise InvalidInputError("has no words", field="code", value=code, remedy=f"Known are {', '.join(MESSAGES)}.")
    title, text = MESSAGES[code][numbers.language]
    said = {name: _say(name, value, numbers) for name, value in figures.items()}
    try:
        return MessageWords(title, text.format(site=site, **said).strip())
    except KeyError as exc:
        raise InvalidInputError("the sentence needs a figure", field="figures", value=str(exc.args[0])) from exc


def _say(name: str, value: Any, numbers: Numbers) -> str:
    if isinstance(value, datetime):
        return f"{numbers.weekday(value)} {numbers.clock(value)}"
    if name == "missed":
        return "; ".join(": ".join(retell_compromise(each, numbers)) for each in value)
    if name == "mode":
        return MODES[value][numbers.language]
    if name == "device" or value == BATTERIES:
        return _BATTERIES[numbers.language] if value == BATTERIES else say_device(value, language=numbers.language)
    if name in _PRICES:
        return numbers.price(value, decimals=1)
    return numbers.money(value) if name in _MONEY else str(value)
