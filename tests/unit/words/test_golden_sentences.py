"""A dozen sentences as readers get them, letter by letter: the only ones that tests compare so.

They show that words, figures and grammar meet. A better wording changes its line here; other tests
assert codes and figures.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from luna.energy.refusals import refuse
from luna.energy.row_fault import RowFault
from luna.words import Language, Numbers, sentence
from luna.words.alternatives import say_savings
from luna.words.compromises import retell_compromise
from luna.words.differences import Difference, describe_difference, describe_slot, say_cause
from luna.words.messages import say_message
from luna.words.notes import say_note
from luna.words.quarantine import say_row_fault
from luna.words.refusals import say_refusal
from tests.support.suite.tables import each_row
from tests.support.words.wording import plain

ZONE = ZoneInfo("Europe/Amsterdam")
# A Monday, 19:15 in Amsterdam.
EVENING = datetime(2027, 5, 3, 17, 15, tzinfo=UTC)
MORNING = datetime(2027, 5, 3, 4, tzinfo=UTC)
SATURDAY_BEFORE = datetime(2027, 5, 1, 4, tzinfo=UTC)
SOLD: dict[str, Any] = {"kwh": 6.2, "sell": 0.27, "value": 0.24}
KEPT: dict[str, Any] = {"kwh": 4.1, "buy": 0.22, "price": 0.38}
BOUGHT: dict[str, Any] = {"kwh": 5.2, "buy": 0.08, "price": 0.31}
CHEAP = {"start": EVENING, "end": EVENING.replace(hour=19), "price": 0.081, "usual": 0.245}
MISSED = {
    "code": "vehicle",
    "constraint": "",
    "shortfall": "",
    "figures": {"name": "car", "wanted": 0.8, "by": "2027-05-03T07:00:00+02:00", "missing": 0.125},
}
FAULT = RowFault.of("above_site", series="import_kwh", limit=3.45, minutes=15)
TOO_MUCH = refuse("power-beyond", field="power_kw", value=99, device="battery", most=2.5)
NO_PLACE = refuse("no-such-place", field="place", value="x")


def speak(language: Language) -> Numbers:
    return Numbers(language, ZONE, "EUR")


def give_reason(code: str, language: Language, figures: dict[str, Any], start: datetime) -> str:
    told = figures | {"time": EVENING, "start": start}
    return sentence(code, told, language=language, zone=ZONE, currency="EUR")


def explain_slot() -> str:
    colder = Difference("temperature", 0.3, -3.2)
    numbers = speak("de")
    why = describe_difference(colder, series="load", start=EVENING, numbers=numbers)
    return describe_slot(1.4, 1.1, [why], numbers=numbers)


def say_payback() -> str:
    years = (20.0, 16.7, 25.0)
    return say_savings("X", (50.0, 40.0, 60.0), payback=years, days=365, numbers=speak("en"))


def note_charge() -> str:
    figures = {"soc": 0.5, "at": "2027-05-03T04:00:00Z"}
    return say_note("soc_earlier", figures, speak("de"))


def tell_cheap_hours() -> str:
    return say_message("cheap_hours", CHEAP, site="Huis", numbers=speak("nl")).text


SENTENCES: list[tuple[Callable[[], str], str]] = [
    (
        lambda: give_reason("sell_stored", "en", SOLD, MORNING),
        "Sells 6.2 kWh at 27 ct: stored, a kWh would bring 24 ct.",
    ),
    (
        lambda: give_reason("hold_for_peak", "de", KEPT, SATURDAY_BEFORE),
        "Behält 4,1 kWh für Mo. 19:15: Dann bringt die kWh 38 ct, jetzt 22 ct.",
    ),
    (
        lambda: give_reason("charge_from_grid", "nl", BOUGHT, MORNING),
        "Koopt 5,2 kWh tegen 8 ct voor 19:15: dan levert een kWh 31 ct op.",
    ),
    (
        say_payback,
        (
            "X saves €50.00 a year (95% certain: €40.00 to €60.00); it pays for itself in "
            "20.0 years (16.7 to 25.0)."
        ),
    ),
    (
        lambda: say_cause("load", 2.5, slots=1, cost=0.4, numbers=speak("en")),
        (
            "Luna expects the house to use 2.5 kWh more. Plan changed: one quarter-hour; it "
            "costs €0.40 more."
        ),
    ),
    (
        explain_slot,
        (
            "1,40 kW erwartet, 0,30 kW mehr als üblich. "
            "Um diese Zeit waren es in den letzten sieben Tagen im Schnitt 1,10 kW. "
            "3,2 °C kälter als in den letzten sieben Tagen: +0,30 kW."
        ),
    ),
    (note_charge, "Der letzte Ladestand ist 50 %, von Mo. 06:00."),
    (
        lambda: ": ".join(retell_compromise(MISSED, speak("de"))),
        "Auto: 80 % bis Mo. 07:00: 12,5 % fehlen",
    ),
    (
        lambda: str(say_refusal(TOO_MUCH, "de")),
        "So viel Leistung hat Batterie nicht. Gib höchstens 2,5 kW ein.",
    ),
    (lambda: say_refusal(NO_PLACE, "nl").sentence, "Deze plaats staat niet in de lijst."),
    (
        lambda: say_row_fault(FAULT, "de"),
        "Netzbezug liegt über 3,45 kWh in 15 Minuten, mehr als dein Zuhause erreichen kann",
    ),
    (
        tell_cheap_hours,
        ("Huis: 8,1 ct per kWh van ma 19:15 tot 21:15. Het gemiddelde van die dag is 24,5 ct."),
    ),
]


@each_row(("say", "golden"), SENTENCES, ids=[golden for _, golden in SENTENCES])
def test_a_sentence_is_as_readers_get_it(say: Callable[[], str], golden: str) -> None:
    assert plain(say()) == golden
