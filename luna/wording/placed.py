"""Why a car charges or waits, and an appliance runs or waits; why a battery keeps a peak."""

from luna.wording.numbers import Language

PLACED: dict[str, dict[Language, tuple[str, ...]]] = {
    "ev_cheapest": {
        "en": (
            "Charges the car in the cheapest {count} of {total} slots until {time}: {kwh} at {price} on average.",
            "Charges the car in the cheapest of {total} slots until {time}: {kwh} at {price}.",
        ),
        "de": (
            "Lädt das Auto in den günstigsten {count} von {total} Zeitabschnitten bis {time}: {kwh} zu {price} im Mittel.",
            "Lädt das Auto im günstigsten von {total} Zeitabschnitten bis {time}: {kwh} zu {price}.",
        ),
    },
    "ev_throughout": {
        "en": ("Charges the car in every slot until {time}, also the dear ones: {kwh} at {price} on average.",),
        "de": ("Lädt das Auto bis {time} in jedem Zeitabschnitt, auch in den teuren: {kwh} zu {price} im Mittel.",),
    },
    "ev_surplus": {
        "en": ("Charges the car with solar surplus that would sell for only {sell}.", "Charges the car with solar surplus that may not be fed in."),
        "de": (
            "Lädt das Auto mit Solarüberschuss, der im Verkauf nur {sell} brächte.",
            "Lädt das Auto mit Solarüberschuss, der nicht eingespeist werden darf.",
        ),
    },
    "ev_every_slot": {
        "en": ("Charges the car in every slot until {time}: in fewer it would not be ready.",),
        "de": ("Lädt das Auto bis {time} durchgehend: In weniger Zeit würde es nicht fertig.",),
    },
    "ev_late": {
        "en": ("Charges the car as much as it can, yet {at_time} {kwh} will be missing.",),
        "de": ("Lädt das Auto, so viel es geht, doch {at_time} fehlen {kwh}.",),
    },
    "ev_among": {
        "en": ("Charges the car at {buy}: other slots until {time} would save next to nothing, or cost more through peak, battery or another start.",),
        "de": ("Lädt das Auto für {buy}: Andere Zeitabschnitte bis {time} sparten fast nichts oder kämen durch Spitze, Batterie oder einen Start teurer.",),
    },
    "ev_waits": {
        "en": ("The car waits: from {time} on a kWh costs {price}, until then {buy} on average.",),
        "de": ("Das Auto wartet: Ab {time} kostet die kWh {price}, bis dahin im Mittel {buy}.",),
    },
    "ev_waits_surplus": {
        "en": ("The car waits for solar surplus, expected from {time} on.", "The car waits for solar surplus; none is expected until it leaves."),
        "de": ("Das Auto wartet auf Solarüberschuss, erwartet ab {time}.", "Das Auto wartet auf Solarüberschuss; bis zur Abfahrt wird keiner erwartet."),
    },
    "ev_waits_peak": {
        "en": ("The car waits: charging now would raise the peak by {kw}, which costs {cost} a month.",),
        "de": ("Das Auto wartet: Jetzt zu laden würde die Spitze um {kw} erhöhen, das kostet {cost} im Monat.",),
    },
    "ev_later": {
        "en": (
            "The car charges from {time} on: charging now would cost more, or save next to nothing.",
            "The car need not charge yet: after what is planned there is time enough.",
        ),
        "de": (
            "Das Auto lädt ab {time}: Jetzt zu laden käme teurer oder sparte fast nichts.",
            "Das Auto muss noch nicht laden: Nach dem geplanten Zeitraum bleibt genug Zeit.",
        ),
    },
    "ev_ready": {
        "en": ("The car is as full as wanted.",),
        "de": ("Das Auto ist so voll wie gewünscht.",),
    },
    "ev_gives": {
        "en": ("The car supplies the house: buying costs {buy}.",),
        "de": ("Das Auto versorgt das Haus: Kaufen kostet {buy}.",),
    },
    "ev_pinned": {
        "en": ("Charges the car as you set.",),
        "de": ("Lädt das Auto, wie du es vorgegeben hast.",),
    },
    "ev_minimum": {
        "en": ("Charges the car with its minimum of {kw}, as it does until it is full.",),
        "de": ("Lädt das Auto mit seinem Mindestwert von {kw}, bis es voll ist.",),
    },
    "load_cheapest": {
        "en": (
            "Runs in the cheapest {count} of {total} slots until {time}: {kwh} at {price} on average.",
            "Runs in the cheapest of {total} slots until {time}: {kwh} at {price}.",
        ),
        "de": (
            "Läuft in den günstigsten {count} von {total} Zeitabschnitten bis {time}: {kwh} zu {price} im Mittel.",
            "Läuft im günstigsten von {total} Zeitabschnitten bis {time}: {kwh} zu {price}.",
        ),
    },
    "load_throughout": {
        "en": ("Runs in every slot in which it may until {time}: {kwh} at {price} on average.",),
        "de": ("Läuft bis {time} in jedem Zeitabschnitt, in dem es darf: {kwh} zu {price} im Mittel.",),
    },
    "load_surplus": {
        "en": ("Runs on solar surplus that would sell for only {sell}.", "Runs on solar surplus that may not be fed in."),
        "de": ("Läuft mit Solarüberschuss, der im Verkauf nur {sell} brächte.", "Läuft mit Solarüberschuss, der nicht eingespeist werden darf."),
    },
    "load_gap": {
        "en": ("Runs now, for it may be off for {hours} at most.",),
        "de": ("Läuft jetzt, denn aus sein darf es höchstens {hours}.",),
    },
    "load_among": {
        "en": ("Runs at {buy}: other slots until {time} would save next to nothing, or cost more through peak, battery or another start.",),
        "de": ("Läuft für {buy}: Andere Zeitabschnitte bis {time} sparten fast nichts oder kämen durch Spitze, Batterie oder einen Start teurer.",),
    },
    "load_waits": {
        "en": ("Waits: from {time} on a kWh costs {price}, until then {buy} on average.",),
        "de": ("Wartet: Ab {time} kostet die kWh {price}, bis dahin im Mittel {buy}.",),
    },
    "load_waits_peak": {
        "en": ("Waits: running now would raise the peak by {kw}, which costs {cost} a month.",),
        "de": ("Wartet: Jetzt zu laufen würde die Spitze um {kw} erhöhen, das kostet {cost} im Monat.",),
    },
    "load_later": {
        "en": ("Runs from {time} on: running now would cost more, or save next to nothing.",),
        "de": ("Läuft ab {time}: Jetzt zu laufen käme teurer oder sparte fast nichts.",),
    },
    "load_programme": {
        "en": ("Runs its programme at {price} on average; it is to be done by {time}.",),
        "de": ("Das Programm läuft, zu {price} im Mittel; fertig sein soll es bis {time}.",),
    },
    "load_not_now": {
        "en": ("May not run at this time.",),
        "de": ("Darf um diese Zeit nicht laufen.",),
    },
    "load_done": {
        "en": ("Has what it needs until {time}.",),
        "de": ("Hat bis {time}, was es braucht.",),
    },
    "load_short": {
        "en": ("Is off, though {kwh} will be missing until {time}.",),
        "de": ("Ist aus, obwohl bis {time} noch {kwh} fehlen.",),
    },
    "peak_kept": {
        "en": ("Serves the house so that the month's peak stays at {kw}: a kilowatt more would cost {cost} a month.",),
        "de": ("Versorgt das Haus, damit die Spitze des Monats bei {kw} bleibt: Ein Kilowatt mehr kostet {cost} im Monat.",),
    },
}
