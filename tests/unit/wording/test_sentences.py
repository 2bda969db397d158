"""Every reason in both languages, with the figure that decides."""

from datetime import UTC, datetime
from string import Formatter
from zoneinfo import ZoneInfo

import pytest

from luna.errors import InvalidInputError
from luna.wording import FIGURES, LIMITS, MODES, REASONS, Language, limit, mode, sentence
from luna.wording.sentences import Figure

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
# 10:30 UTC is 12:30 in Amsterdam in May.
FIGURES_GIVEN: dict[str, Figure] = {
    "kwh": 6.2,
    "buy": 0.40,
    "sell": 0.27,
    "price": 0.31,
    "value": 0.24,
    "refill": -0.04,
    "reserve": 0.2,
    "count": 8,
    "total": 40,
    "kw": 1.2,
    "cost": 6.0,
    "hours": 8.0,
    "time": datetime(2026, 5, 21, 10, 30, tzinfo=UTC),
    "start": datetime(2026, 5, 20, 17, 30, tzinfo=UTC),
}


def say(code: str, language: Language = "en", **changes: Figure) -> str:
    return sentence(code, FIGURES_GIVEN | changes, language=language, zone=AMSTERDAM, currency="EUR")


SENTENCES = {
    "sell_high": (
        "Sells 6.2 kWh for up to 27 ct: more than the 24 ct a stored kWh is worth, because it refills at −4 ct from Thu 12:30.",
        "Verkauft 6,2 kWh für bis zu 27 ct: mehr als die 24 ct, die eine gespeicherte kWh wert ist, denn ab Do. 12:30 lädt sie für −4 ct nach.",
    ),
    "charge_negative": (
        "The grid pays for every kWh: the battery takes 6.2 kWh, and solar is held back while selling would cost money.",
        "Das Netz zahlt für jede kWh: Die Batterie nimmt 6,2 kWh auf, Solarstrom wird gedrosselt, solange Verkaufen Geld kostet.",
    ),
    "charge_cheap": (
        "Buys 6.2 kWh at 40 ct, because a kWh costs 31 ct on Thu at 12:30 and charging losses stay below the difference.",
        "Kauft 6,2 kWh für 40 ct, weil die kWh am Do. um 12:30 31 ct kostet und die Ladeverluste kleiner sind als der Unterschied.",
    ),
    "charge_for_target": (
        "Buys 6.2 kWh at 40 ct to reach the charge that was asked for.",
        "Kauft 6,2 kWh für 40 ct, um den verlangten Ladestand zu erreichen.",
    ),
    "hold_for_peak": ("Keeps its 6.2 kWh for Thu 12:30, when each brings 31 ct.", "Behält 6,2 kWh für Do. 12:30: Dann bringt jede 31 ct."),
    "serve_peak": (
        "Runs the house from the battery: buying costs 40 ct, a stored kWh is worth 24 ct.",
        "Versorgt das Haus aus der Batterie: Kaufen kostet 40 ct, eine gespeicherte kWh ist 24 ct wert.",
    ),
    "follow_house": (
        "Stores surplus and serves the house: 24 ct per stored kWh lies between selling (27 ct) and buying (40 ct).",
        "Speichert Überschuss und versorgt das Haus: 24 ct je gespeicherter kWh liegt zwischen Verkauf (27 ct) und Kauf (40 ct).",
    ),
    "keep_room": (
        "Sells solar now for 27 ct and keeps room, because the battery fills at −4 ct from Thu 12:30.",
        "Verkauft Solarstrom jetzt für 27 ct und lässt Platz, weil die Batterie ab Do. 12:30 für −4 ct lädt.",
    ),
    "store_surplus": (
        "Stores solar surplus: a stored kWh is worth 24 ct, selling it pays 27 ct.",
        "Speichert Solarüberschuss: Eine gespeicherte kWh ist 24 ct wert, ihr Verkauf bringt 27 ct.",
    ),
    "full": (
        "Is full: what the sun yields beyond the house's need sells for 27 ct.",
        "Ist voll: Was die Sonne mehr liefert, als das Haus braucht, bringt 27 ct.",
    ),
    "charge_waits_limit": (
        "Is to be charged, but the grid connection carries no more now.",
        "Soll laden, aber der Netzanschluss gibt jetzt nicht mehr her.",
    ),
    "charge_waits_peak": (
        "Is to be charged, but buying more now would raise the month's peak.",
        "Soll laden, aber jetzt mehr zu kaufen würde die Spitze des Monats erhöhen.",
    ),
    "hold_for_target": (
        "Keeps its 6.2 kWh for the charge that is wanted at the end of the plan.",
        "Behält 6,2 kWh für den Ladestand, der am Ende des Plans verlangt ist.",
    ),
    "hold_equal": (
        "Leaves the battery as it is: a stored kWh is worth 24 ct, and using it now would gain nothing.",
        "Lässt die Batterie, wie sie ist: Eine gespeicherte kWh ist 24 ct wert, sie jetzt zu nutzen brächte nichts.",
    ),
    "reserve_kept": (
        "Stays at the reserve of 20% you set until Thu 12:30.",
        "Bleibt bis Do. 12:30 bei der Reserve von 20 %, die du gesetzt hast.",
    ),
    "manual": (
        "Does what you set, until Thu 12:30.",
        "Macht bis Do. 12:30, was du vorgegeben hast.",
    ),
    "idle_no_battery": (
        "There is no battery: the house uses its solar power first, the grid does the rest.",
        "Keine Batterie: Das Haus nutzt zuerst den eigenen Solarstrom, den Rest übernimmt das Netz.",
    ),
    "heater_on_surplus": (
        "Heats water with solar surplus that would sell for only 27 ct.",
        "Erwärmt Wasser mit Solarüberschuss, der im Verkauf nur 27 ct brächte.",
    ),
    "ev_cheapest": (
        "Charges the car in the cheapest 8 of 40 slots until Thu 12:30: 6.2 kWh at 31 ct on average.",
        "Lädt das Auto in den günstigsten 8 von 40 Zeitabschnitten bis Do. 12:30: 6,2 kWh zu 31 ct im Mittel.",
    ),
    "ev_throughout": (
        "Charges the car in every slot until Thu 12:30, also the dear ones: 6.2 kWh at 31 ct on average.",
        "Lädt das Auto bis Do. 12:30 in jedem Zeitabschnitt, auch in den teuren: 6,2 kWh zu 31 ct im Mittel.",
    ),
    "load_throughout": (
        "Runs in every slot in which it may until Thu 12:30: 6.2 kWh at 31 ct on average.",
        "Läuft bis Do. 12:30 in jedem Zeitabschnitt, in dem es darf: 6,2 kWh zu 31 ct im Mittel.",
    ),
    "ev_surplus": (
        "Charges the car with solar surplus that would sell for only 27 ct.",
        "Lädt das Auto mit Solarüberschuss, der im Verkauf nur 27 ct brächte.",
    ),
    "ev_every_slot": (
        "Charges the car in every slot until Thu 12:30: in fewer it would not be ready.",
        "Lädt das Auto bis Do. 12:30 durchgehend: In weniger Zeit würde es nicht fertig.",
    ),
    "ev_late": (
        "Charges the car as much as it can, yet on Thu at 12:30 6.2 kWh will be missing.",
        "Lädt das Auto, so viel es geht, doch am Do. um 12:30 fehlen 6,2 kWh.",
    ),
    "ev_among": (
        "Charges the car at 40 ct: other slots until Thu 12:30 would save next to nothing, or cost more through peak, battery or another start.",
        "Lädt das Auto für 40 ct: Andere Zeitabschnitte bis Do. 12:30 sparten fast nichts oder kämen durch Spitze, Batterie oder einen Start teurer.",
    ),
    "ev_waits": (
        "The car waits: from Thu 12:30 on a kWh costs 31 ct, until then 40 ct on average.",
        "Das Auto wartet: Ab Do. 12:30 kostet die kWh 31 ct, bis dahin im Mittel 40 ct.",
    ),
    "ev_waits_surplus": (
        "The car waits for solar surplus, expected from Thu 12:30 on.",
        "Das Auto wartet auf Solarüberschuss, erwartet ab Do. 12:30.",
    ),
    "ev_waits_peak": (
        "The car waits: charging now would raise the peak by 1.2 kW, which costs €6.00 a month.",
        "Das Auto wartet: Jetzt zu laden würde die Spitze um 1,2 kW erhöhen, das kostet 6,00 € im Monat.",
    ),
    "ev_later": (
        "The car charges from Thu 12:30 on: charging now would cost more, or save next to nothing.",
        "Das Auto lädt ab Do. 12:30: Jetzt zu laden käme teurer oder sparte fast nichts.",
    ),
    "ev_ready": ("The car is as full as wanted.", "Das Auto ist so voll wie gewünscht."),
    "ev_pinned": ("Charges the car as you set.", "Lädt das Auto, wie du es vorgegeben hast."),
    "ev_minimum": (
        "Charges the car with its minimum of 1.2 kW, as it does until it is full.",
        "Lädt das Auto mit seinem Mindestwert von 1,2 kW, bis es voll ist.",
    ),
    "ev_gives": ("The car supplies the house: buying costs 40 ct.", "Das Auto versorgt das Haus: Kaufen kostet 40 ct."),
    "load_cheapest": (
        "Runs in the cheapest 8 of 40 slots until Thu 12:30: 6.2 kWh at 31 ct on average.",
        "Läuft in den günstigsten 8 von 40 Zeitabschnitten bis Do. 12:30: 6,2 kWh zu 31 ct im Mittel.",
    ),
    "load_surplus": ("Runs on solar surplus that would sell for only 27 ct.", "Läuft mit Solarüberschuss, der im Verkauf nur 27 ct brächte."),
    "load_gap": ("Runs now, for it may be off for 8 h at most.", "Läuft jetzt, denn aus sein darf es höchstens 8 h."),
    "load_among": (
        "Runs at 40 ct: other slots until Thu 12:30 would save next to nothing, or cost more through peak, battery or another start.",
        "Läuft für 40 ct: Andere Zeitabschnitte bis Do. 12:30 sparten fast nichts oder kämen durch Spitze, Batterie oder einen Start teurer.",
    ),
    "load_waits": (
        "Waits: from Thu 12:30 on a kWh costs 31 ct, until then 40 ct on average.",
        "Wartet: Ab Do. 12:30 kostet die kWh 31 ct, bis dahin im Mittel 40 ct.",
    ),
    "load_waits_peak": (
        "Waits: running now would raise the peak by 1.2 kW, which costs €6.00 a month.",
        "Wartet: Jetzt zu laufen würde die Spitze um 1,2 kW erhöhen, das kostet 6,00 € im Monat.",
    ),
    "load_later": (
        "Runs from Thu 12:30 on: running now would cost more, or save next to nothing.",
        "Läuft ab Do. 12:30: Jetzt zu laufen käme teurer oder sparte fast nichts.",
    ),
    "load_programme": (
        "Runs its programme at 31 ct on average; it is to be done by Thu 12:30.",
        "Das Programm läuft, zu 31 ct im Mittel; fertig sein soll es bis Do. 12:30.",
    ),
    "load_not_now": ("May not run at this time.", "Darf um diese Zeit nicht laufen."),
    "load_done": ("Has what it needs until Thu 12:30.", "Hat bis Do. 12:30, was es braucht."),
    "load_short": ("Is off, though 6.2 kWh will be missing until Thu 12:30.", "Ist aus, obwohl bis Do. 12:30 noch 6,2 kWh fehlen."),
    "peak_kept": (
        "Serves the house so that the month's peak stays at 1.2 kW: a kilowatt more would cost €6.00 a month.",
        "Versorgt das Haus, damit die Spitze des Monats bei 1,2 kW bleibt: Ein Kilowatt mehr kostet 6,00 € im Monat.",
    ),
}


@pytest.mark.parametrize("code", REASONS)
def test_says_every_reason_in_both_languages(code: str) -> None:
    spoken = tuple(say(code, language).replace("\u00a0", " ") for language in ("en", "de"))
    assert spoken == SENTENCES[code]


@pytest.mark.parametrize("code", REASONS)
def test_wordings_ask_only_for_known_figures_and_the_same_in_both_languages(code: str) -> None:
    asked = {language: [{name for _, name, _, _ in Formatter().parse(text) if name} for text in texts] for language, texts in REASONS[code].items()}
    assert asked["en"] == asked["de"]
    assert set().union(*asked["en"]) <= {*FIGURES, "at_time"}


def test_numbers_never_part_from_their_units() -> None:
    assert "6.2\u00a0kWh" in say("sell_high")
    assert "27\u00a0ct" in say("sell_high")


def test_a_time_of_the_same_day_needs_no_weekday() -> None:
    assert say("hold_for_peak", start=datetime(2026, 5, 21, 4, tzinfo=UTC)).replace("\u00a0", " ") == "Keeps its 6.2 kWh for 12:30, when each brings 31 ct."


def test_a_time_may_come_as_text() -> None:
    assert say("hold_for_peak", time="2026-05-21T10:30:00Z") == say("hold_for_peak")


def test_says_the_shorter_wording_where_figures_are_missing() -> None:
    assert say("sell_high", refill=None, time=None).endswith("a stored kWh is worth.")


def test_prices_that_would_read_the_same_get_a_decimal() -> None:
    spoken = say("serve_peak", buy=0.274, value=0.266).replace("\u00a0", " ")
    assert spoken == "Runs the house from the battery: buying costs 27.4 ct, a stored kWh is worth 26.6 ct."


@pytest.mark.parametrize(
    ("code", "figures", "complaint"),
    [
        ("sell_low", {}, r"reason\.code: has no words \(got 'sell_low'\)"),
        ("serve_peak", {"buy": 0.3, "worth": 0.2}, r"reason\.figures: has no words \(got 'worth'\)"),
        ("serve_peak", {"buy": 0.3}, r"reason\.figures: serve_peak needs value"),
        ("serve_peak", {"buy": 0.3, "value": "much"}, r"reason\.figures\.value: is no number"),
        ("hold_for_peak", {"kwh": 1, "price": 0.3, "time": 12}, r"reason\.figures\.time: is no time"),
        ("hold_for_peak", {"kwh": 1, "price": 0.3, "time": "2026-05-21T10:30"}, "no offset"),
    ],
    ids=["code", "figure", "missing", "not a number", "not a time", "no offset"],
)
def test_names_what_is_wrong_with_a_reason(code: str, figures: dict[str, Figure], complaint: str) -> None:
    with pytest.raises(InvalidInputError, match=complaint):
        sentence(code, figures, language="en", zone=AMSTERDAM, currency="EUR")


@pytest.mark.parametrize("name", MODES)
def test_every_mode_has_words(name: str) -> None:
    assert all(len(mode(name, language=language).short) <= len(mode(name, language=language).full) for language in ("en", "de"))


@pytest.mark.parametrize("code", LIMITS)
def test_every_limit_has_words(code: str) -> None:
    assert limit(code, language="en") != limit(code, language="de")


def test_refuses_a_limit_without_words() -> None:
    with pytest.raises(InvalidInputError, match="moon_phase"):
        limit("moon_phase", language="en")
