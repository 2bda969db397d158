"""Every reason in both languages, with the figure that decides."""

from datetime import UTC, datetime
from string import Formatter
from zoneinfo import ZoneInfo

import pytest

from luna.energy.errors import InvalidInputError
from luna.words import FIGURES, LIMITS, MODES, SHORT_LENGTH, Language, limit, list_reason_codes, mode, sentence
from luna.words.reason_sentences import Figure
from luna.words.reason_wordings import COMPARED, find_wordings
from tests.support.suite.tables import each_row

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
# 10:30 UTC is 12:30 in Amsterdam in May.
FIGURES_GIVEN: dict[str, Figure] = {
    "kwh": 6.2,
    "buy": 0.40,
    "sell": 0.27,
    "price": 0.31,
    "value": 0.24,
    "refill": -0.04,
    "sun": 0.05,
    "fee": 0.03,
    "loaded": 0.44,
    "save": 0.36,
    "keep": 0.22,
    "counted": 0.45,
    "dearest": 0.48,
    "reserve": 0.2,
    "soc": 0.098,
    "least": 0.1,
    "most": 0.95,
    "held": 0.5,
    "takes": 6.2,
    "gives": 0.5,
    "gain": 6.0,
    "count": 8,
    "total": 40,
    "kw": 1.2,
    "cost": 6.0,
    "hours": 8.0,
    "time": datetime(2026, 5, 21, 10, 30, tzinfo=UTC),
    "start": datetime(2026, 5, 20, 17, 30, tzinfo=UTC),
}


def say(code: str, language: Language = "en", *, short: bool = False, **changes: Figure) -> str:
    return sentence(code, FIGURES_GIVEN | changes, language=language, zone=AMSTERDAM, currency="EUR", short=short)


# By code: in full in English and German, then for a small screen.
SENTENCES = {
    "idle_no_battery": (
        "There is no battery: the house uses its solar power first, the grid does the rest.",
        "Keine Batterie: Das Haus nutzt zuerst den eigenen Solarstrom, den Rest übernimmt das Netz.",
        "No battery: sun first, then the grid",
        "Keine Batterie: erst Sonne, dann Netz",
    ),
    "idle_held_back": (
        "There is no battery: sun that the house does not need is held back, for feeding it in costs 3 ct.",
        "Keine Batterie: Was das Haus von der Sonne nicht braucht, wird abgeregelt, denn Einspeisen kostet 3 ct.",
        "Holds sun back: feeding in costs 3 ct",
        "Regelt Sonne ab: Einspeisen kostet 3 ct",
    ),
    "idle_pv_off": (
        "There is no battery: solar is held back while the grid pays 3 ct for every kWh.",
        "Keine Batterie: Solarstrom wird abgeregelt, solange das Netz 3 ct für jede kWh zahlt.",
        "Holds sun back: the grid pays 3 ct",
        "Regelt Sonne ab: Das Netz zahlt 3 ct",
    ),
    "manual": (
        "Does what you set, until Thu 12:30.",
        "Macht bis Do. 12:30, was du vorgegeben hast.",
        "As you set, until Thu 12:30",
        "Wie vorgegeben, bis Do. 12:30",
    ),
    "brought_back": (
        "Is at 9.8%, below its limit of 10.0%: charges 6.2 kWh to come back.",
        "Steht bei 9,8 %, unter ihrer Grenze von 10,0 %: lädt 6,2 kWh, um zurückzukommen.",
        "Comes back from 9.8% to 10.0%",
        "Kommt von 9,8 % auf 10,0 % zurück",
    ),
    "outside_limits": (
        "Is at 9.8%, below its limit of 10.0%: gives nothing; it charges again from Thu 12:30.",
        "Steht bei 9,8 %, unter ihrer Grenze von 10,0 %: gibt nichts ab und lädt wieder ab Do. 12:30.",
        "At 9.8%, below its limit of 10.0%",
        "Bei 9,8 %, unter der Grenze von 10,0 %",
    ),
    "full": (
        "Is full: surplus sells for 27 ct, but 0.5 kWh of it cannot be fed in and are held back.",
        "Ist voll: Überschuss bringt 27 ct, doch 0,5 kWh davon lassen sich nicht einspeisen und werden abgeregelt.",
        "Full: surplus sells for 27 ct",
        "Voll: Überschuss bringt 27 ct",
    ),
    "full_while_paid": (
        "Is full and can take no more, although the grid pays 3 ct for every kWh.",
        "Ist voll und kann nichts mehr aufnehmen, obwohl das Netz 3 ct für jede kWh zahlt.",
        "Full, although the grid pays 3 ct",
        "Voll, obwohl das Netz 3 ct zahlt",
    ),
    "empty": (
        "Is empty, so the grid supplies the house; it charges again from Thu 12:30.",
        "Ist leer, also versorgt das Netz das Haus; ab Do. 12:30 lädt sie wieder.",
        "Empty; charges again from Thu 12:30",
        "Leer; lädt wieder ab Do. 12:30",
    ),
    "reserve_kept": (
        "Stays at the reserve of 20% you set until Thu 12:30.",
        "Bleibt bis Do. 12:30 bei der Reserve von 20 %, die du gesetzt hast.",
        "Keeps the reserve of 20% until Thu 12:30",
        "Hält die Reserve von 20 % bis Do. 12:30",
    ),
    "peak_kept": (
        "Serves the house so that the month's peak stays at 1.2 kW: a kilowatt more would cost €6.00 a month.",
        "Versorgt das Haus, damit die Spitze des Monats bei 1,2 kW bleibt: Ein Kilowatt mehr kostet 6,00 € im Monat.",
        "Keeps the month's peak at 1.2 kW",
        "Hält die Spitze des Monats bei 1,2 kW",
    ),
    "charge_waits_peak": (
        "Is to be charged, but buying more now would raise the month's peak.",
        "Soll laden, aber jetzt mehr zu kaufen würde die Spitze des Monats erhöhen.",
        "Waits: buying would raise the month's peak",
        "Wartet: Kaufen würde die Spitze erhöhen",
    ),
    "charge_waits_limit": (
        "Is to be charged, but the grid connection carries no more now.",
        "Soll laden, aber der Netzanschluss gibt jetzt nicht mehr her.",
        "Waits: the connection carries no more",
        "Wartet: Der Anschluss gibt nicht mehr her",
    ),
    "connection_limit": (
        "Supplies what the grid connection cannot: it carries 1.2 kW at most.",
        "Liefert, was der Netzanschluss nicht hergibt: Er trägt höchstens 1,2 kW.",
        "Helps a connection of 1.2 kW",
        "Hilft dem Anschluss von 1,2 kW",
    ),
    "feed_in_limit": (
        "Stores what may not be fed in: 1.2 kW at most go into the grid.",
        "Speichert, was nicht eingespeist werden darf: Ins Netz gehen höchstens 1,2 kW.",
        "Stores what is beyond 1.2 kW of feed-in",
        "Speichert, was über 1,2 kW Einspeisung ist",
    ),
    "inverter_limit": (
        "Stores sun that its inverter cannot pass on: it carries 1.2 kW at most.",
        "Speichert Sonne, die ihr Wechselrichter nicht durchlässt: Er trägt höchstens 1,2 kW.",
        "Stores sun beyond its inverter's 1.2 kW",
        "Speichert Sonne über 1,2 kW Wechselrichter",
    ),
    "inverter_full": (
        "Can give nothing now: the sun takes all 1.2 kW that its inverter carries.",
        "Kann jetzt nichts geben: Die Sonne nimmt alle 1,2 kW ein, die ihr Wechselrichter trägt.",
        "The sun fills its inverter of 1.2 kW",
        "Die Sonne füllt den Wechselrichter (1,2 kW)",
    ),
    "power_limit": (
        "Gives the house all it can, 1.2 kW; the grid does the rest.",
        "Gibt dem Haus, was sie kann, 1,2 kW; den Rest übernimmt das Netz.",
        "Gives all it can, 1.2 kW",
        "Gibt, was sie kann, 1,2 kW",
    ),
    "charge_limit": (
        "Stores all it can take, 1.2 kW; the rest of the surplus sells for 27 ct.",
        "Speichert, was sie aufnehmen kann, 1,2 kW; der übrige Überschuss bringt 27 ct.",
        "Stores all it can take, 1.2 kW",
        "Speichert, was sie kann, 1,2 kW",
    ),
    "cycles": (
        "Gives nothing: its full cycles of the day are used up, or kept for hours in which they save more.",
        "Gibt nichts ab: Ihre Vollzyklen des Tages sind verbraucht oder für Stunden aufgehoben, in denen sie mehr sparen.",
        "The day's cycles are used up or kept",
        "Zyklen des Tages verbraucht oder aufgehoben",
    ),
    "least_power": (
        "Charges with 1.2 kW at least; the surplus is less.",
        "Lädt erst ab 1,2 kW; der Überschuss ist kleiner.",
        "Surplus below its least power of 1.2 kW",
        "Überschuss unter der Mindestleistung (1,2 kW)",
    ),
    "not_for_car": (
        "Gives the car nothing: it may not be charged from the battery.",
        "Gibt dem Auto nichts: Es darf nicht aus der Batterie geladen werden.",
        "The car may not use the battery",
        "Das Auto darf nicht an die Batterie",
    ),
    "nothing_to_do": (
        "Has nothing to do until Thu 12:30: the house needs nothing from it, and no surplus is left to store.",
        "Hat bis Do. 12:30 nichts zu tun: Das Haus braucht nichts aus ihr, und kein Überschuss bleibt zum Speichern.",
        "Nothing to do until Thu 12:30",
        "Nichts zu tun bis Do. 12:30",
    ),
    "other_battery": (
        "Rests: another battery does what there is to do.",
        "Ruht: Eine andere Batterie übernimmt, was zu tun ist.",
        "Rests: another battery does it",
        "Ruht: Eine andere übernimmt",
    ),
    "takes_over": (
        "Takes 6.2 kWh from another battery.",
        "Übernimmt 6,2 kWh aus einer anderen Batterie.",
        "Takes 6.2 kWh from another battery",
        "Übernimmt 6,2 kWh einer anderen Batterie",
    ),
    "passes_on": (
        "Passes 6.2 kWh on to another battery.",
        "Gibt 6,2 kWh an eine andere Batterie weiter.",
        "Passes 6.2 kWh on to another battery",
        "Gibt 6,2 kWh an eine andere weiter",
    ),
    "charge_negative": (
        "The grid pays 3 ct for every kWh: the battery takes 6.2 kWh, and 0.5 kWh of solar power are held back.",
        "Das Netz zahlt 3 ct für jede kWh: Die Batterie nimmt 6,2 kWh auf, 0,5 kWh Solarstrom werden abgeregelt.",
        "Takes 6.2 kWh: the grid pays 3 ct",
        "Nimmt 6,2 kWh: Das Netz zahlt 3 ct",
    ),
    "charge_cheap": (
        "Buys 6.2 kWh at 40 ct, 44 ct with losses, for Thu 12:30, when a kWh brings 31 ct.",
        "Kauft 6,2 kWh zu 40 ct, mit Verlusten 44 ct, für Do. 12:30: Dann bringt die kWh 31 ct.",
        "Buys 6.2 kWh at 40 ct for Thu 12:30 (31 ct)",
        "Kauft 6,2 kWh zu 40 ct für Do. 12:30 (31 ct)",
    ),
    "charge_for_limit": (
        "Buys 6.2 kWh at 40 ct for Thu 12:30, when the house needs more than the 1.2 kW that it may draw.",
        "Kauft 6,2 kWh zu 40 ct für Do. 12:30: Dann braucht das Haus mehr als die 1,2 kW, die es beziehen darf.",
        "Buys 6.2 kWh for Thu 12:30: 1.2 kW will not do",
        "Kauft 6,2 kWh für Do. 12:30: 1,2 kW reichen nicht",
    ),
    "charge_for_target": (
        "Buys 6.2 kWh at 40 ct to reach the charge that was asked for.",
        "Kauft 6,2 kWh zu 40 ct, um den verlangten Ladestand zu erreichen.",
        "Buys 6.2 kWh at 40 ct for the charge asked for",
        "Kauft 6,2 kWh zu 40 ct für den Ladewunsch",
    ),
    "charge_for_reserve": (
        "Charges 6.2 kWh for the reserve of 20% wanted by Thu 12:30.",
        "Lädt 6,2 kWh für die Reserve von 20 %, die bis Do. 12:30 verlangt ist.",
        "Charges for the reserve of 20%",
        "Lädt für die Reserve von 20 %",
    ),
    "charge_plain": (
        "Buys 6.2 kWh at 40 ct; a stored kWh is worth 24 ct.",
        "Kauft 6,2 kWh zu 40 ct; eine gespeicherte kWh ist 24 ct wert.",
        "Buys 6.2 kWh at 40 ct",
        "Kauft 6,2 kWh zu 40 ct",
    ),
    "store_surplus": (
        "Stores solar surplus for Thu 12:30, when a kWh brings 31 ct; selling it now pays 27 ct.",
        "Speichert Solarüberschuss für Do. 12:30: Dann bringt die kWh 31 ct, ihr Verkauf jetzt 27 ct.",
        "Stores sun for Thu 12:30 (31 ct, now 27 ct)",
        "Speichert Sonne für Do. 12:30 (31 ct, jetzt 27 ct)",
    ),
    "follow_house": (
        "Follows the house: stores what the sun leaves over, for a stored kWh is worth 24 ct, between selling (27 ct) and buying (40 ct).",
        "Folgt dem Haus: speichert, was die Sonne übrig lässt, denn eine gespeicherte kWh ist 24 ct wert, zwischen Verkauf (27 ct) und Kauf (40 ct).",
        "Stores sun, worth 24 ct; sold 27 ct",
        "Speichert Sonne, wert 24 ct; verkauft 27 ct",
    ),
    "store_plain": (
        "Stores 6.2 kWh of solar surplus; a stored kWh is worth 24 ct, selling pays 27 ct.",
        "Speichert 6,2 kWh Solarüberschuss; eine gespeicherte kWh ist 24 ct wert, Verkaufen bringt 27 ct.",
        "Stores 6.2 kWh of sun",
        "Speichert 6,2 kWh Sonne",
    ),
    "sell_high": (
        "Sells 6.2 kWh at 27 ct: more than the 24 ct a stored kWh is worth, because it refills at −4 ct from Thu 12:30.",
        "Verkauft 6,2 kWh zu 27 ct: mehr als die 24 ct, die eine gespeicherte kWh wert ist, denn ab Do. 12:30 lädt sie für −4 ct nach.",
        "Sells 6.2 kWh at 27 ct, worth 24 ct",
        "Verkauft 6,2 kWh zu 27 ct, wert 24 ct",
    ),
    "sell_plain": (
        "Sells 6.2 kWh at 27 ct; a stored kWh is worth 24 ct.",
        "Verkauft 6,2 kWh zu 27 ct; eine gespeicherte kWh ist 24 ct wert.",
        "Sells 6.2 kWh at 27 ct",
        "Verkauft 6,2 kWh zu 27 ct",
    ),
    "serve_peak": (
        "Runs the house from the battery: buying costs 40 ct, a stored kWh is worth 24 ct.",
        "Versorgt das Haus aus der Batterie: Kaufen kostet 40 ct, eine gespeicherte kWh ist 24 ct wert.",
        "Runs the house: buying costs 40 ct",
        "Versorgt das Haus: Kaufen kostet 40 ct",
    ),
    "serve_part": (
        "Gives the house 6.2 kWh: buying costs 40 ct, a stored kWh is worth 24 ct.",
        "Gibt dem Haus 6,2 kWh: Kaufen kostet 40 ct, eine gespeicherte kWh ist 24 ct wert.",
        "Gives 6.2 kWh: buying costs 40 ct",
        "Gibt 6,2 kWh: Kaufen kostet 40 ct",
    ),
    "serve_plain": (
        "Gives the house 6.2 kWh; buying costs 40 ct, a stored kWh is worth 24 ct.",
        "Gibt dem Haus 6,2 kWh; Kaufen kostet 40 ct, eine gespeicherte kWh ist 24 ct wert.",
        "Gives the house 6.2 kWh",
        "Gibt dem Haus 6,2 kWh",
    ),
    "hold_for_peak": (
        "Keeps its 6.2 kWh for Thu 12:30, when a kWh brings 31 ct; buying costs 40 ct now.",
        "Behält 6,2 kWh für Do. 12:30: Dann bringt die kWh 31 ct, Kaufen kostet jetzt 40 ct.",
        "Keeps 6.2 kWh for Thu 12:30 (31 ct, now 40 ct)",
        "Behält 6,2 kWh für Do. 12:30 (31 ct, jetzt 40 ct)",
    ),
    "hold_for_limit": (
        "Keeps its 6.2 kWh for Thu 12:30, when the house needs more than the 1.2 kW that it may draw.",
        "Behält 6,2 kWh für Do. 12:30: Dann braucht das Haus mehr als die 1,2 kW, die es beziehen darf.",
        "Keeps 6.2 kWh for Thu 12:30: 1.2 kW will not do",
        "Behält 6,2 kWh für Do. 12:30: 1,2 kW reichen nicht",
    ),
    "hold_for_target": (
        "Keeps its 6.2 kWh for the charge that is wanted at the end of the plan.",
        "Behält 6,2 kWh für den Ladestand, der am Ende des Plans verlangt ist.",
        "Keeps 6.2 kWh for the charge asked for",
        "Behält 6,2 kWh für den Ladewunsch",
    ),
    "hold_for_reserve": (
        "Keeps its 6.2 kWh for the reserve of 20% wanted by Thu 12:30.",
        "Behält 6,2 kWh für die Reserve von 20 %, die bis Do. 12:30 verlangt ist.",
        "Keeps 6.2 kWh for the reserve of 20%",
        "Behält 6,2 kWh für die Reserve von 20 %",
    ),
    "hold_equal": (
        "Leaves the battery as it is: a stored kWh is worth 24 ct, and using it now would save no more.",
        "Lässt die Batterie, wie sie ist: Eine gespeicherte kWh ist 24 ct wert, sie jetzt zu nutzen sparte nicht mehr.",
        "Rests: using a kWh now gains nothing",
        "Ruht: Jetzt nutzen brächte nichts",
    ),
    "keep_room": (
        "Sells solar now for 27 ct and keeps room, because the battery fills at −4 ct from Thu 12:30.",
        "Verkauft Solarstrom jetzt für 27 ct und lässt Platz, weil die Batterie ab Do. 12:30 für −4 ct lädt.",
        "Sells sun for 27 ct, fills at −4 ct later",
        "Verkauft Sonne für 27 ct, lädt später für −4 ct",
    ),
    "learned": (
        "The agent has learned otherwise: the planner would charge 6.2 kWh, by its value €6.00 cheaper.",
        "Der Agent hat es anders gelernt: Der Planer würde 6,2 kWh laden, nach seinem Wert um 6,00 € günstiger.",
        "Learned: the planner would charge 6.2 kWh",
        "Gelernt: Der Planer würde 6,2 kWh laden",
    ),
    "weighed": (
        "What counts beside money decides: buying counts 45 ct, a stored kWh 24 ct.",
        "Hier entscheidet, was neben Geld zählt: Kaufen zählt 45 ct, eine gespeicherte kWh 24 ct.",
        "What counts beside money decides",
        "Es entscheidet, was neben Geld zählt",
    ),
    "rest_plain": (
        "Rests: buying costs 40 ct, selling pays 27 ct, a stored kWh is worth 24 ct.",
        "Ruht: Kaufen kostet 40 ct, Verkaufen bringt 27 ct, eine gespeicherte kWh ist 24 ct wert.",
        "Rests: a stored kWh is worth 24 ct",
        "Ruht: eine gespeicherte kWh ist 24 ct wert",
    ),
    "ev_cheapest": (
        "Charges the car in the cheapest 8 of 40 slots until Thu 12:30: 6.2 kWh at 31 ct on average.",
        "Lädt das Auto in den günstigsten 8 von 40 Zeitabschnitten bis Do. 12:30: 6,2 kWh zu 31 ct im Mittel.",
        "Cheapest 8 of 40 slots until Thu 12:30",
        "Günstigste 8 von 40 bis Do. 12:30",
    ),
    "ev_throughout": (
        "Charges the car in every slot until Thu 12:30, also at 48 ct: 6.2 kWh at 31 ct on average.",
        "Lädt das Auto bis Do. 12:30 in jedem Zeitabschnitt, auch zu 48 ct: 6,2 kWh zu 31 ct im Mittel.",
        "Charges in every slot until Thu 12:30",
        "Lädt bis Do. 12:30 durchgehend",
    ),
    "ev_surplus": (
        "Charges the car with solar surplus that would sell for 27 ct.",
        "Lädt das Auto mit Solarüberschuss, der im Verkauf 27 ct brächte.",
        "Solar surplus; sold it brings 27 ct",
        "Solarüberschuss; verkauft 27 ct",
    ),
    "ev_every_slot": (
        "Charges the car in every slot until Thu 12:30: in fewer it would not be ready.",
        "Lädt das Auto bis Do. 12:30 durchgehend: In weniger Zeit würde es nicht fertig.",
        "Needs every slot until Thu 12:30",
        "Braucht jeden Zeitabschnitt bis Do. 12:30",
    ),
    "ev_late": (
        "Charges the car as much as it can, yet 6.2 kWh will be missing on Thu at 12:30.",
        "Lädt das Auto, so viel es geht, doch am Do. um 12:30 fehlen 6,2 kWh.",
        "Charges all it can; 6.2 kWh will be missing",
        "Lädt, was geht; es fehlen 6,2 kWh",
    ),
    "ev_short": (
        "The car waits, although 6.2 kWh will be missing on Thu at 12:30.",
        "Das Auto wartet, obwohl am Do. um 12:30 6,2 kWh fehlen werden.",
        "Waits, though 6.2 kWh will be missing",
        "Wartet, obwohl 6,2 kWh fehlen werden",
    ),
    "ev_among": (
        "Charges the car at 40 ct: other slots until Thu 12:30 would save next to nothing, or cost more in the end.",
        "Lädt das Auto für 40 ct: Andere Zeitabschnitte bis Do. 12:30 sparten fast nichts oder kämen am Ende teurer.",
        "Charges at 40 ct; elsewhere no better",
        "Lädt für 40 ct; sonst nicht besser",
    ),
    "ev_waits": (
        "The car waits: a kWh costs 40 ct now, 31 ct from Thu 12:30 on.",
        "Das Auto wartet: Die kWh kostet jetzt 40 ct, ab Do. 12:30 nur 31 ct.",
        "Waits for Thu 12:30: 31 ct instead of 40 ct",
        "Wartet auf Do. 12:30: 31 ct statt 40 ct",
    ),
    "ev_waits_surplus": (
        "The car waits for solar surplus, expected from Thu 12:30 on.",
        "Das Auto wartet auf Solarüberschuss, erwartet ab Do. 12:30.",
        "Waits for sun from Thu 12:30",
        "Wartet auf Sonne ab Do. 12:30",
    ),
    "ev_waits_peak": (
        "The car waits: charging now would raise the peak by 1.2 kW, which costs €6.00 a month.",
        "Das Auto wartet: Jetzt zu laden würde die Spitze um 1,2 kW erhöhen, das kostet 6,00 € im Monat.",
        "Waits: 1.2 kW more of peak cost €6.00 a month",
        "Wartet: 1,2 kW mehr Spitze, 6,00 € im Monat",
    ),
    "ev_later": (
        "The car charges from Thu 12:30 on: charging now would cost more, or save next to nothing.",
        "Das Auto lädt ab Do. 12:30: Jetzt zu laden käme teurer oder sparte fast nichts.",
        "Charges from Thu 12:30 on",
        "Lädt ab Do. 12:30",
    ),
    "ev_ready": (
        "The car is as full as wanted.",
        "Das Auto ist so voll wie gewünscht.",
        "As full as wanted",
        "So voll wie gewünscht",
    ),
    "ev_gives": (
        "The car supplies the house: buying costs 40 ct.",
        "Das Auto versorgt das Haus: Kaufen kostet 40 ct.",
        "Supplies the house: buying costs 40 ct",
        "Versorgt das Haus: Kaufen kostet 40 ct",
    ),
    "ev_pinned": (
        "Charges the car as you set.",
        "Lädt das Auto, wie du es vorgegeben hast.",
        "Charges as you set",
        "Lädt wie vorgegeben",
    ),
    "ev_minimum": (
        "Charges the car with its minimum of 1.2 kW, as it does until it is full.",
        "Lädt das Auto mit seinem Mindestwert von 1,2 kW, bis es voll ist.",
        "Charges its minimum of 1.2 kW",
        "Lädt den Mindestwert von 1,2 kW",
    ),
    "load_cheapest": (
        "Runs in the cheapest 8 of 40 slots until Thu 12:30: 6.2 kWh at 31 ct on average.",
        "Läuft in den günstigsten 8 von 40 Zeitabschnitten bis Do. 12:30: 6,2 kWh zu 31 ct im Mittel.",
        "Cheapest 8 of 40 slots until Thu 12:30",
        "Günstigste 8 von 40 bis Do. 12:30",
    ),
    "load_throughout": (
        "Runs in every slot in which it may until Thu 12:30, also at 48 ct: 6.2 kWh at 31 ct on average.",
        "Läuft bis Do. 12:30 in jedem Zeitabschnitt, in dem es darf, auch zu 48 ct: 6,2 kWh zu 31 ct im Mittel.",
        "Runs in every slot until Thu 12:30",
        "Läuft bis Do. 12:30 durchgehend",
    ),
    "load_surplus": (
        "Runs on solar surplus that would sell for 27 ct.",
        "Läuft mit Solarüberschuss, der im Verkauf 27 ct brächte.",
        "Solar surplus; sold it brings 27 ct",
        "Solarüberschuss; verkauft 27 ct",
    ),
    "load_gap": (
        "Runs now, for it may be off for 8 h at most.",
        "Läuft jetzt, denn aus sein darf es höchstens 8 h.",
        "Runs: off for 8 h at most",
        "Läuft: höchstens 8 h aus",
    ),
    "load_among": (
        "Runs at 40 ct: other slots until Thu 12:30 would save next to nothing, or cost more in the end.",
        "Läuft für 40 ct: Andere Zeitabschnitte bis Do. 12:30 sparten fast nichts oder kämen am Ende teurer.",
        "Runs at 40 ct; elsewhere no better",
        "Läuft für 40 ct; sonst nicht besser",
    ),
    "load_waits": (
        "Waits: a kWh costs 40 ct now, 31 ct from Thu 12:30 on.",
        "Wartet: Die kWh kostet jetzt 40 ct, ab Do. 12:30 nur 31 ct.",
        "Waits for Thu 12:30: 31 ct instead of 40 ct",
        "Wartet auf Do. 12:30: 31 ct statt 40 ct",
    ),
    "load_waits_peak": (
        "Waits: running now would raise the peak by 1.2 kW, which costs €6.00 a month.",
        "Wartet: Jetzt zu laufen würde die Spitze um 1,2 kW erhöhen, das kostet 6,00 € im Monat.",
        "Waits: 1.2 kW more of peak cost €6.00 a month",
        "Wartet: 1,2 kW mehr Spitze, 6,00 € im Monat",
    ),
    "load_later": (
        "Runs from Thu 12:30 on: running now would cost more, or save next to nothing.",
        "Läuft ab Do. 12:30: Jetzt zu laufen käme teurer oder sparte fast nichts.",
        "Runs from Thu 12:30 on",
        "Läuft ab Do. 12:30",
    ),
    "load_programme": (
        "Runs its programme at 31 ct on average; it is to be done by Thu 12:30.",
        "Das Programm läuft, zu 31 ct im Mittel; fertig sein soll es bis Do. 12:30.",
        "Its programme runs, done by Thu 12:30",
        "Programm läuft, fertig bis Do. 12:30",
    ),
    "load_not_now": (
        "May not run at this time.",
        "Darf um diese Zeit nicht laufen.",
        "May not run now",
        "Darf jetzt nicht laufen",
    ),
    "load_done": (
        "Has what it needs until Thu 12:30.",
        "Hat bis Do. 12:30, was es braucht.",
        "Has what it needs until Thu 12:30",
        "Hat bis Do. 12:30, was es braucht",
    ),
    "load_short": (
        "Is off, though 6.2 kWh will be missing until Thu 12:30.",
        "Ist aus, obwohl bis Do. 12:30 noch 6,2 kWh fehlen.",
        "Off, though 6.2 kWh will be missing",
        "Aus, obwohl 6,2 kWh fehlen",
    ),
}


@each_row("code", list_reason_codes())
def test_says_every_reason_in_both_languages_and_for_small_screens(code: str) -> None:
    spoken = tuple(say(code, language, short=short).replace("\u00a0", " ") for short in (False, True) for language in ("en", "de"))
    assert spoken == SENTENCES[code]


@each_row("short", [False, True])
@each_row("code", list_reason_codes())
def test_wordings_ask_only_for_known_figures_and_the_same_in_both_languages(code: str, short: bool) -> None:
    english, german = ([read_names(wording.text) for wording in find_wordings(code, language, short=short)] for language in ("en", "de"))
    assert english == german
    assert set().union(*english) <= {*FIGURES, "at_time"}


def read_names(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@each_row("language", ["en", "de"])
@each_row("code", list_reason_codes())
def test_no_figure_makes_a_short_form_longer_than_a_small_screen(code: str, language: Language) -> None:
    # An hour that the clock shows twice, on another day, names its zone; energies, prices and money are as long as they get.
    long = {
        name: {"energy": 12345.6, "price": -1.2345, "money": 12345.6, "power": 12345.6, "share": 0.1234}.get(kind, 1234.5) for name, kind in FIGURES.items()
    }
    when = {"time": datetime(2026, 10, 25, 1, 45, tzinfo=UTC), "start": datetime(2026, 10, 1, tzinfo=UTC)}
    texts = [say(code, language, short=True, **long | when), find_wordings(code, language, short=True)[-1].text]
    assert all(0 < len(text) <= SHORT_LENGTH for text in texts)
    assert not any(text.endswith(".") for text in texts)
    assert read_names(texts[-1]) == set()


@each_row("code", list_reason_codes())
def test_what_a_sentence_sets_against_each_other_stands_in_it(code: str) -> None:
    said = [read_names(wording.text) for wording in find_wordings(code, "en")]
    assert all(any({low, high} <= names for names in said) for low, high in COMPARED.get(code, ()))


def test_numbers_never_part_from_their_units() -> None:
    assert "6.2\u00a0kWh" in say("sell_high")
    assert "27\u00a0ct" in say("sell_high")


def test_a_time_of_the_same_day_needs_no_weekday() -> None:
    assert (
        say("hold_for_peak", start=datetime(2026, 5, 21, 4, tzinfo=UTC)).replace("\u00a0", " ")
        == "Keeps its 6.2 kWh for 12:30, when a kWh brings 31 ct; buying costs 40 ct now."
    )


def test_a_time_may_come_as_text() -> None:
    assert say("hold_for_peak", time="2026-05-21T10:30:00Z") == say("hold_for_peak")


def test_says_the_shorter_wording_where_figures_are_missing() -> None:
    assert say("sell_high", refill=None, time=None).endswith("a stored kWh is worth.")


def test_prices_that_would_read_the_same_get_a_decimal() -> None:
    spoken = say("serve_peak", buy=0.274, value=0.266).replace("\u00a0", " ")
    assert spoken == "Runs the house from the battery: buying costs 27.4 ct, a stored kWh is worth 26.6 ct."


@each_row(
    ("code", "figures", "complaint"),
    [
        ("sell_low", {}, r"reason\.code: has no words \(got 'sell_low'\)"),
        ("serve_peak", {"buy": 0.3, "worth": 0.2}, r"reason\.figures: has no words \(got 'worth'\)"),
        ("follow_house", {"buy": 0.3, "value": 0.2}, r"reason\.figures: follow_house needs sell"),
        ("serve_peak", {"buy": 0.3, "value": "much"}, r"reason\.figures\.value: is no number"),
        ("hold_for_peak", {"kwh": 1, "price": 0.3, "time": 12}, r"reason\.figures\.time: is no time"),
        ("hold_for_peak", {"kwh": 1, "price": 0.3, "time": "2026-05-21T10:30"}, "no offset"),
    ],
    ids=["code", "figure", "missing", "not a number", "not a time", "no offset"],
)
def test_names_what_is_wrong_with_a_reason(code: str, figures: dict[str, Figure], complaint: str) -> None:
    with pytest.raises(InvalidInputError, match=complaint):
        sentence(code, figures, language="en", zone=AMSTERDAM, currency="EUR")


@each_row("name", MODES)
def test_every_mode_has_words(name: str) -> None:
    assert all(len(mode(name, language=language).short) <= len(mode(name, language=language).full) for language in ("en", "de"))


@each_row("code", LIMITS)
def test_every_limit_has_words(code: str) -> None:
    assert limit(code, language="en") != limit(code, language="de")


def test_refuses_a_limit_without_words() -> None:
    with pytest.raises(InvalidInputError, match="moon_phase"):
        limit("moon_phase", language="en")
