"""What Luna says: third person, present tense; what, then why, with the figure that decides."""

from typing import NamedTuple

from luna.wording.numbers import Language
from luna.wording.placed import PLACED

# What a reason's figures are: name → how it is said.
FIGURES = {
    "kwh": "energy",
    "buy": "price",
    "sell": "price",
    "price": "price",
    "value": "price",
    "refill": "price",
    "reserve": "share",
    "count": "count",
    "total": "count",
    "kw": "power",
    "cost": "money",
    "hours": "hours",
    "time": "time",
    # The slot's own start; it decides whether a time needs its weekday.
    "start": "start",
}

# By code and language: wordings in order of preference; the first whose figures are all there is said.
REASONS: dict[str, dict[Language, tuple[str, ...]]] = PLACED | {
    "sell_high": {
        "en": (
            "Sells {kwh} for up to {sell}: more than the {value} a stored kWh is worth, because it refills at {refill} from {time}.",
            "Sells {kwh} for up to {sell}: more than the {value} a stored kWh is worth.",
        ),
        "de": (
            "Verkauft {kwh} für bis zu {sell}: mehr als die {value}, die eine gespeicherte kWh wert ist, denn ab {time} lädt sie für {refill} nach.",
            "Verkauft {kwh} für bis zu {sell}: mehr als die {value}, die eine gespeicherte kWh wert ist.",
        ),
    },
    "charge_negative": {
        "en": ("The grid pays for every kWh: the battery takes {kwh}, and solar is held back while selling would cost money.",),
        "de": ("Das Netz zahlt für jede kWh: Die Batterie nimmt {kwh} auf, Solarstrom wird gedrosselt, solange Verkaufen Geld kostet.",),
    },
    "charge_cheap": {
        "en": (
            "Buys {kwh} at {buy}, because a kWh costs {price} {at_time} and charging losses stay below the difference.",
            "Buys {kwh} at {buy}, because a stored kWh is worth {value} and charging losses stay below the difference.",
        ),
        "de": (
            "Kauft {kwh} für {buy}, weil die kWh {at_time} {price} kostet und die Ladeverluste kleiner sind als der Unterschied.",
            "Kauft {kwh} für {buy}, weil eine gespeicherte kWh {value} wert ist und die Ladeverluste kleiner sind als der Unterschied.",
        ),
    },
    "charge_for_target": {
        "en": ("Buys {kwh} at {buy} to reach the charge that was asked for.",),
        "de": ("Kauft {kwh} für {buy}, um den verlangten Ladestand zu erreichen.",),
    },
    "charge_waits_limit": {
        "en": ("Is to be charged, but the grid connection carries no more now.",),
        "de": ("Soll laden, aber der Netzanschluss gibt jetzt nicht mehr her.",),
    },
    "charge_waits_peak": {
        "en": ("Is to be charged, but buying more now would raise the month's peak.",),
        "de": ("Soll laden, aber jetzt mehr zu kaufen würde die Spitze des Monats erhöhen.",),
    },
    "hold_for_target": {
        "en": ("Keeps its {kwh} for the charge that is wanted at the end of the plan.",),
        "de": ("Behält {kwh} für den Ladestand, der am Ende des Plans verlangt ist.",),
    },
    "hold_for_peak": {
        "en": (
            "Keeps its {kwh} for {time}, when each brings {price}.",
            "Keeps its {kwh}: a stored kWh is worth {value} later, buying costs only {buy} now.",
        ),
        "de": (
            "Behält {kwh} für {time}: Dann bringt jede {price}.",
            "Behält {kwh}: Eine gespeicherte kWh ist später {value} wert, Kaufen kostet jetzt nur {buy}.",
        ),
    },
    "serve_peak": {
        "en": ("Runs the house from the battery: buying costs {buy}, a stored kWh is worth {value}.",),
        "de": ("Versorgt das Haus aus der Batterie: Kaufen kostet {buy}, eine gespeicherte kWh ist {value} wert.",),
    },
    "follow_house": {
        "en": (
            "Stores surplus and serves the house: {value} per stored kWh lies between selling ({sell}) and buying ({buy}).",
            "Stores surplus that may not be fed in, and serves the house: buying costs {buy}.",
        ),
        "de": (
            "Speichert Überschuss und versorgt das Haus: {value} je gespeicherter kWh liegt zwischen Verkauf ({sell}) und Kauf ({buy}).",
            "Speichert Überschuss, der nicht eingespeist werden darf, und versorgt das Haus: Kaufen kostet {buy}.",
        ),
    },
    "keep_room": {
        "en": (
            "Sells solar now for {sell} and keeps room, because the battery fills at {refill} from {time}.",
            "Sells solar now for {sell}: more than the {value} one more stored kWh would be worth.",
            "Stores nothing more: what the house does not need is held back, for one more stored kWh would be worth only {value}.",
        ),
        "de": (
            "Verkauft Solarstrom jetzt für {sell} und lässt Platz, weil die Batterie ab {time} für {refill} lädt.",
            "Verkauft Solarstrom jetzt für {sell}: mehr als die {value}, die eine weitere gespeicherte kWh wert wäre.",
            "Speichert nichts mehr: Was das Haus nicht braucht, wird abgeregelt, denn eine weitere gespeicherte kWh wäre nur {value} wert.",
        ),
    },
    "store_surplus": {
        "en": ("Stores solar surplus: a stored kWh is worth {value}, selling it pays {sell}.", "Stores solar surplus that may not be fed in."),
        "de": (
            "Speichert Solarüberschuss: Eine gespeicherte kWh ist {value} wert, ihr Verkauf bringt {sell}.",
            "Speichert Solarüberschuss, der nicht eingespeist werden darf.",
        ),
    },
    "full": {
        "en": ("Is full: what the sun yields beyond the house's need sells for {sell}.", "Is full: what the sun yields beyond the house's need is held back."),
        "de": ("Ist voll: Was die Sonne mehr liefert, als das Haus braucht, bringt {sell}.", "Ist voll: Was das Haus nicht braucht, wird abgeregelt."),
    },
    "hold_equal": {
        "en": ("Leaves the battery as it is: a stored kWh is worth {value}, and using it now would gain nothing.",),
        "de": ("Lässt die Batterie, wie sie ist: Eine gespeicherte kWh ist {value} wert, sie jetzt zu nutzen brächte nichts.",),
    },
    "reserve_kept": {
        "en": ("Stays at the reserve of {reserve} you set until {time}.", "Stays at the reserve of {reserve} you set."),
        "de": ("Bleibt bis {time} bei der Reserve von {reserve}, die du gesetzt hast.", "Bleibt bei der Reserve von {reserve}, die du gesetzt hast."),
    },
    "manual": {
        "en": ("Does what you set, until {time}.",),
        "de": ("Macht bis {time}, was du vorgegeben hast.",),
    },
    "idle_no_battery": {
        "en": ("There is no battery: the house uses its solar power first, the grid does the rest.",),
        "de": ("Keine Batterie: Das Haus nutzt zuerst den eigenen Solarstrom, den Rest übernimmt das Netz.",),
    },
    "heater_on_surplus": {
        "en": ("Heats water with solar surplus that would sell for only {sell}.",),
        "de": ("Erwärmt Wasser mit Solarüberschuss, der im Verkauf nur {sell} brächte.",),
    },
}


class ModeWords(NamedTuple):
    """A mode in words: in full, in short for narrow places."""

    full: str
    short: str


MODES: dict[str, dict[Language, ModeWords]] = {
    "self_consumption": {"en": ModeWords("Follow the house", "House"), "de": ModeWords("Dem Haus folgen", "Haus")},
    "save": {"en": ModeWords("Save", "Save"), "de": ModeWords("Aufsparen", "Sparen")},
    "supply": {"en": ModeWords("Supply the house", "Supply"), "de": ModeWords("Haus versorgen", "Versorgen")},
    "hold": {"en": ModeWords("Hold", "Hold"), "de": ModeWords("Halten", "Halten")},
    "charge": {"en": ModeWords("Charge", "Charge"), "de": ModeWords("Laden", "Laden")},
    "export": {"en": ModeWords("Sell", "Sell"), "de": ModeWords("Verkaufen", "Verkauf")},
}

LIMITS: dict[str, dict[Language, str]] = {
    "battery_full": {"en": "battery full", "de": "Batterie voll"},
    "battery_empty": {"en": "battery at its lowest charge", "de": "Batterie am unteren Ladestand"},
    "reserve": {"en": "reserve", "de": "Reserve"},
    "charge_power": {"en": "charging power", "de": "Ladeleistung"},
    "discharge_power": {"en": "discharging power", "de": "Entladeleistung"},
    "import_limit": {"en": "grid import limit", "de": "Grenze des Netzbezugs"},
    "export_limit": {"en": "feed-in limit", "de": "Grenze der Einspeisung"},
    "grid_charging_forbidden": {"en": "no charging from the grid", "de": "kein Laden aus dem Netz"},
    "grid_discharging_forbidden": {"en": "no battery energy to the grid", "de": "kein Batteriestrom ins Netz"},
    "peak": {"en": "the month's peak", "de": "Spitze des Monats"},
    "inverter_limit": {"en": "inverter's limit", "de": "Grenze des Wechselrichters"},
    "curtailment": {"en": "solar held back", "de": "Solarstrom gedrosselt"},
}
