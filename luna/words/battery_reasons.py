"""Why a battery does what it does: third person, present tense; what, then why, with the figure that decides."""

from luna.words.language import Language
from luna.words.words import Words

# The limits at work in a slot, by code.
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
    "cycles": {"en": "cycles a day", "de": "Zyklen am Tag"},
    "curtailment": {"en": "solar held back", "de": "Solarstrom abgeregelt"},
}

# What keeps a battery from doing more, or makes it do something whatever prices are.
BOUND: dict[str, Words] = {
    "idle_no_battery": Words(
        en=("There is no battery: the house uses its solar power first, the grid does the rest.",),
        de=("Keine Batterie: Das Haus nutzt zuerst den eigenen Solarstrom, den Rest übernimmt das Netz.",),
        short_en=("No battery: sun first, then the grid",),
        short_de=("Keine Batterie: erst Sonne, dann Netz",),
    ),
    "idle_held_back": Words(
        en=(
            "There is no battery: sun that the house does not need is held back, for feeding it in costs {fee}.",
            "There is no battery: sun that neither the house nor the grid takes is held back.",
        ),
        de=(
            "Keine Batterie: Was das Haus von der Sonne nicht braucht, wird abgeregelt, denn Einspeisen kostet {fee}.",
            "Keine Batterie: Was weder Haus noch Netz von der Sonne aufnehmen, wird abgeregelt.",
        ),
        short_en=("Holds sun back: feeding in costs {fee}", "Holds back sun that nobody takes"),
        short_de=("Regelt Sonne ab: Einspeisen kostet {fee}", "Regelt Sonne ab, die niemand aufnimmt"),
    ),
    "idle_pv_off": Words(
        en=("There is no battery: solar is held back while the grid pays {fee} for every kWh.",),
        de=("Keine Batterie: Solarstrom wird abgeregelt, solange das Netz {fee} für jede kWh zahlt.",),
        short_en=("Holds sun back: the grid pays {fee}", "Holds sun back: the grid pays"),
        short_de=("Regelt Sonne ab: Das Netz zahlt {fee}", "Regelt Sonne ab: Das Netz zahlt"),
    ),
    "manual": Words(
        en=("Does what you set, until {time}.",),
        de=("Macht bis {time}, was du vorgegeben hast.",),
        short_en=("As you set, until {time}", "As you set"),
        short_de=("Wie vorgegeben, bis {time}", "Wie vorgegeben"),
    ),
    "brought_back": Words(
        en=(
            "Is at {soc}, below its limit of {least}: charges {kwh} to come back.",
            "Is at {soc}, above its limit of {most}: gives {kwh} to come back.",
        ),
        de=(
            "Steht bei {soc}, unter ihrer Grenze von {least}: lädt {kwh}, um zurückzukommen.",
            "Steht bei {soc}, über ihrer Grenze von {most}: gibt {kwh} ab, um zurückzukommen.",
        ),
        short_en=("Comes back from {soc} to {least}", "Comes back from {soc} to {most}", "Comes back to its limits"),
        short_de=("Kommt von {soc} auf {least} zurück", "Kommt von {soc} auf {most} zurück", "Kommt in ihre Grenzen zurück"),
        rises=(("soc", "least"), ("most", "soc")),
    ),
    "outside_limits": Words(
        en=(
            "Is at {soc}, below its limit of {least}: gives nothing; it charges again from {time}.",
            "Is at {soc}, below its limit of {least}: gives nothing.",
            "Is at {soc}, above its limit of {most}: takes nothing more.",
        ),
        de=(
            "Steht bei {soc}, unter ihrer Grenze von {least}: gibt nichts ab und lädt wieder ab {time}.",
            "Steht bei {soc}, unter ihrer Grenze von {least}: gibt nichts ab.",
            "Steht bei {soc}, über ihrer Grenze von {most}: nimmt nichts mehr auf.",
        ),
        short_en=("At {soc}, below its limit of {least}", "At {soc}, above its limit of {most}", "Outside its limits"),
        short_de=("Bei {soc}, unter der Grenze von {least}", "Bei {soc}, über der Grenze von {most}", "Außerhalb ihrer Grenzen"),
        rises=(("soc", "least"), ("most", "soc")),
    ),
    "full": Words(
        en=(
            "Is full: surplus sells for {sell}, but {held} of it cannot be fed in and are held back.",
            "Is full: what the sun yields beyond the house's need sells for {sell}.",
            "Is full: feeding in costs {fee}, so {held} of surplus are held back.",
            "Is full: the surplus goes into the grid, which costs {fee}.",
            "Is full: what the sun yields beyond the house's need is held back.",
        ),
        de=(
            "Ist voll: Überschuss bringt {sell}, doch {held} davon lassen sich nicht einspeisen und werden abgeregelt.",
            "Ist voll: Was die Sonne mehr liefert, als das Haus braucht, bringt {sell}.",
            "Ist voll: Einspeisen kostet {fee}, also werden {held} Überschuss abgeregelt.",
            "Ist voll: Der Überschuss geht ins Netz, und das kostet {fee}.",
            "Ist voll: Was das Haus nicht braucht, wird abgeregelt.",
        ),
        short_en=("Full: surplus sells for {sell}", "Full: feeding in costs {fee}", "Full: surplus is held back"),
        short_de=("Voll: Überschuss bringt {sell}", "Voll: Einspeisen kostet {fee}", "Voll: Überschuss wird abgeregelt"),
    ),
    "full_while_paid": Words(
        en=("Is full and can take no more, although the grid pays {fee} for every kWh.",),
        de=("Ist voll und kann nichts mehr aufnehmen, obwohl das Netz {fee} für jede kWh zahlt.",),
        short_en=("Full, although the grid pays {fee}", "Full, although the grid pays"),
        short_de=("Voll, obwohl das Netz {fee} zahlt", "Voll, obwohl das Netz zahlt"),
    ),
    "empty": Words(
        en=("Is empty, so the grid supplies the house; it charges again from {time}.", "Is empty, so the grid supplies the house."),
        de=("Ist leer, also versorgt das Netz das Haus; ab {time} lädt sie wieder.", "Ist leer, also versorgt das Netz das Haus."),
        short_en=("Empty; charges again from {time}", "Empty"),
        short_de=("Leer; lädt wieder ab {time}", "Leer"),
    ),
    "reserve_kept": Words(
        en=("Stays at the reserve of {reserve} you set until {time}.", "Stays at the reserve of {reserve} you set."),
        de=("Bleibt bis {time} bei der Reserve von {reserve}, die du gesetzt hast.", "Bleibt bei der Reserve von {reserve}, die du gesetzt hast."),
        short_en=("Keeps the reserve of {reserve} until {time}", "Keeps the reserve of {reserve}", "Keeps the reserve"),
        short_de=("Hält die Reserve von {reserve} bis {time}", "Hält die Reserve von {reserve}", "Hält die Reserve"),
    ),
    "peak_kept": Words(
        en=("Serves the house so that the month's peak stays at {kw}: a kilowatt more would cost {cost} a month.",),
        de=("Versorgt das Haus, damit die Spitze des Monats bei {kw} bleibt: Ein Kilowatt mehr kostet {cost} im Monat.",),
        short_en=("Keeps the month's peak at {kw}", "Keeps the month's peak"),
        short_de=("Hält die Spitze des Monats bei {kw}", "Hält die Spitze des Monats"),
    ),
    "charge_waits_peak": Words(
        en=("Is to be charged, but buying more now would raise the month's peak.",),
        de=("Soll laden, aber jetzt mehr zu kaufen würde die Spitze des Monats erhöhen.",),
        short_en=("Waits: buying would raise the month's peak",),
        short_de=("Wartet: Kaufen würde die Spitze erhöhen",),
    ),
    "charge_waits_limit": Words(
        en=("Is to be charged, but the grid connection carries no more now.",),
        de=("Soll laden, aber der Netzanschluss gibt jetzt nicht mehr her.",),
        short_en=("Waits: the connection carries no more",),
        short_de=("Wartet: Der Anschluss gibt nicht mehr her",),
    ),
    "connection_limit": Words(
        en=("Supplies what the grid connection cannot: it carries {kw} at most.",),
        de=("Liefert, was der Netzanschluss nicht hergibt: Er trägt höchstens {kw}.",),
        short_en=("Helps a connection of {kw}", "Helps the grid connection"),
        short_de=("Hilft dem Anschluss von {kw}", "Hilft dem Netzanschluss"),
    ),
    "feed_in_limit": Words(
        en=("Stores what may not be fed in: {kw} at most go into the grid.",),
        de=("Speichert, was nicht eingespeist werden darf: Ins Netz gehen höchstens {kw}.",),
        short_en=("Stores what is beyond {kw} of feed-in", "Stores what may not be fed in"),
        short_de=("Speichert, was über {kw} Einspeisung ist", "Speichert, was nicht ins Netz darf"),
    ),
    "inverter_limit": Words(
        en=("Stores sun that its inverter cannot pass on: it carries {kw} at most.",),
        de=("Speichert Sonne, die ihr Wechselrichter nicht durchlässt: Er trägt höchstens {kw}.",),
        short_en=("Stores sun beyond its inverter's {kw}", "Stores sun beyond its inverter"),
        short_de=("Speichert Sonne über {kw} Wechselrichter", "Speichert Sonne über dem Wechselrichter"),
    ),
    "inverter_full": Words(
        en=("Can give nothing now: the sun takes all {kw} that its inverter carries.",),
        de=("Kann jetzt nichts geben: Die Sonne nimmt alle {kw} ein, die ihr Wechselrichter trägt.",),
        short_en=("The sun fills its inverter of {kw}", "The sun fills its inverter"),
        short_de=("Die Sonne füllt den Wechselrichter ({kw})", "Die Sonne füllt den Wechselrichter"),
    ),
    "power_limit": Words(
        en=("Gives the house all it can, {kw}; the grid does the rest.",),
        de=("Gibt dem Haus, was sie kann, {kw}; den Rest übernimmt das Netz.",),
        short_en=("Gives all it can, {kw}", "Gives all it can"),
        short_de=("Gibt, was sie kann, {kw}", "Gibt, was sie kann"),
    ),
    "charge_limit": Words(
        en=(
            "Stores all it can take, {kw}; the rest of the surplus sells for {sell}.",
            "Stores all it can take, {kw}; the rest of the surplus is held back.",
        ),
        de=(
            "Speichert, was sie aufnehmen kann, {kw}; der übrige Überschuss bringt {sell}.",
            "Speichert, was sie aufnehmen kann, {kw}; der übrige Überschuss wird abgeregelt.",
        ),
        short_en=("Stores all it can take, {kw}", "Stores all it can take"),
        short_de=("Speichert, was sie kann, {kw}", "Speichert, was sie kann"),
    ),
    "cycles": Words(
        en=("Gives nothing: its full cycles of the day are used up, or kept for hours in which they save more.",),
        de=("Gibt nichts ab: Ihre Vollzyklen des Tages sind verbraucht oder für Stunden aufgehoben, in denen sie mehr sparen.",),
        short_en=("The day's cycles are used up or kept", "The day's cycles are used"),
        short_de=("Zyklen des Tages verbraucht oder aufgehoben", "Tageszyklen verbraucht"),
    ),
    "least_power": Words(
        en=("Charges with {kw} at least; the surplus is less.",),
        de=("Lädt erst ab {kw}; der Überschuss ist kleiner.",),
        short_en=("Surplus below its least power of {kw}", "Surplus below its least power"),
        short_de=("Überschuss unter der Mindestleistung ({kw})", "Überschuss unter der Mindestleistung"),
    ),
    "not_for_car": Words(
        en=("Gives the car nothing: it may not be charged from the battery.",),
        de=("Gibt dem Auto nichts: Es darf nicht aus der Batterie geladen werden.",),
        short_en=("The car may not use the battery",),
        short_de=("Das Auto darf nicht an die Batterie",),
    ),
    "nothing_to_do": Words(
        en=(
            "Has nothing to do until {time}: the house needs nothing from it, and no surplus is left to store.",
            "Has nothing to do: the house needs nothing from it, and no surplus is left to store.",
        ),
        de=(
            "Hat bis {time} nichts zu tun: Das Haus braucht nichts aus ihr, und kein Überschuss bleibt zum Speichern.",
            "Hat nichts zu tun: Das Haus braucht nichts aus ihr, und kein Überschuss bleibt zum Speichern.",
        ),
        short_en=("Nothing to do until {time}", "Nothing to do"),
        short_de=("Nichts zu tun bis {time}", "Nichts zu tun"),
    ),
    "other_battery": Words(
        en=("Rests: another battery does what there is to do.",),
        de=("Ruht: Eine andere Batterie übernimmt, was zu tun ist.",),
        short_en=("Rests: another battery does it",),
        short_de=("Ruht: Eine andere übernimmt",),
    ),
    "takes_over": Words(
        en=("Takes {kwh} from another battery.",),
        de=("Übernimmt {kwh} aus einer anderen Batterie.",),
        short_en=("Takes {kwh} from another battery", "Takes from another battery"),
        short_de=("Übernimmt {kwh} einer anderen Batterie", "Übernimmt von einer anderen Batterie"),
    ),
    "passes_on": Words(
        en=("Passes {kwh} on to another battery.",),
        de=("Gibt {kwh} an eine andere Batterie weiter.",),
        short_en=("Passes {kwh} on to another battery", "Passes on to another battery"),
        short_de=("Gibt {kwh} an eine andere weiter", "Gibt an eine andere Batterie weiter"),
    ),
    "learned": Words(
        en=(
            "The agent has learned otherwise: the planner would charge {takes}, by its value {cost} cheaper.",
            "The agent has learned otherwise: the planner would charge {takes}, by its value {gain} dearer.",
            "The agent has learned otherwise: the planner would charge {takes}.",
            "The agent has learned otherwise: the planner would give {gives}, by its value {cost} cheaper.",
            "The agent has learned otherwise: the planner would give {gives}, by its value {gain} dearer.",
            "The agent has learned otherwise: the planner would give {gives}.",
            "The agent has learned otherwise: the planner would rest, by its value {cost} cheaper.",
            "The agent has learned otherwise: the planner would rest, by its value {gain} dearer.",
            "The agent has learned otherwise: the planner would rest.",
        ),
        de=(
            "Der Agent hat es anders gelernt: Der Planer würde {takes} laden, nach seinem Wert um {cost} günstiger.",
            "Der Agent hat es anders gelernt: Der Planer würde {takes} laden, nach seinem Wert um {gain} teurer.",
            "Der Agent hat es anders gelernt: Der Planer würde {takes} laden.",
            "Der Agent hat es anders gelernt: Der Planer würde {gives} abgeben, nach seinem Wert um {cost} günstiger.",
            "Der Agent hat es anders gelernt: Der Planer würde {gives} abgeben, nach seinem Wert um {gain} teurer.",
            "Der Agent hat es anders gelernt: Der Planer würde {gives} abgeben.",
            "Der Agent hat es anders gelernt: Der Planer würde ruhen, nach seinem Wert um {cost} günstiger.",
            "Der Agent hat es anders gelernt: Der Planer würde ruhen, nach seinem Wert um {gain} teurer.",
            "Der Agent hat es anders gelernt: Der Planer würde ruhen.",
        ),
        short_en=("Learned: the planner would charge {takes}", "Learned: the planner would give {gives}", "Learned, unlike the planner"),
        short_de=("Gelernt: Der Planer würde {takes} laden", "Gelernt: Der Planer gäbe {gives} ab", "Gelernt, anders als der Planer"),
    ),
}
