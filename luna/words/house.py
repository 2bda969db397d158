"""The house now in sentences: what happens and why, what comes next, what days cost and save, when the car leaves; each figure with what it rests on."""

from luna.words.numbers import Language

_Phrases = dict[str, dict[Language, str]]

BASES: _Phrases = {
    "measured": {"en": "measured", "de": "gemessen"},
    "planned": {"en": "planned", "de": "geplant"},
    "assumed": {"en": "assumed", "de": "angenommen"},
}
HOUSE: _Phrases = {
    "house_no_plan": {"en": "No plan is in force.", "de": "Es gilt kein Plan."},
    "house_fault": {"en": "When it was tried last, {tried}: {why}", "de": "Beim letzten Versuch, {tried}: {why}"},
    "house_would": {"en": "Nothing is sent to your devices; this is what Luna would do.", "de": "An deine Geräte geht nichts; so würde Luna es machen."},
    "house_silent": {
        "en": "{device} has not confirmed what it was told at {at}, and is left to itself; what follows is the plan.",
        "de": "{device} hat den Befehl von {at} nicht bestätigt und ist sich selbst überlassen; was folgt, ist der Plan.",
    },
    "house_unknown": {"en": "What the house uses is not known since {at}.", "de": "Was das Haus verbraucht, ist seit {at} nicht bekannt."},
    "house_now": {"en": "Now, until {end}: {mode}. {reason}", "de": "Jetzt, bis {end}: {mode}. {reason}"},
    "house_next": {"en": "From {begin}: {mode}. {reason}", "de": "Ab {begin}: {mode}. {reason}"},
    "house_filled": {"en": "The battery is as full as it is to be.", "de": "Der Speicher ist so voll, wie er werden soll."},
    "house_drained": {"en": "The battery is as empty as it is to be.", "de": "Der Speicher ist so leer, wie er werden soll."},
    "house_use": {
        "en": "{device} takes {kwh} from {begin} to {end} for {cost} ({basis}).",
        "de": "{device} nimmt von {begin} bis {end} {kwh} für {cost} ({basis}).",
    },
    "house_car": {
        "en": "{device} comes with {arrives} ({arrives_basis}) and leaves at {end} with {leaves} ({basis}).",
        "de": "{device} kommt mit {arrives} ({arrives_basis}) und fährt mit {leaves} los ({basis}): {end}.",
    },
    "house_stored": {"en": "The battery is at {soc} ({basis}).", "de": "Der Speicher ist zu {soc} voll ({basis})."},
    "house_stored_at": {
        "en": "The battery was at {soc} ({basis} {at}).",
        "de": "Der Speicher war zu {soc} voll ({basis} {at}).",
    },
    "house_cost_today": {"en": "Energy costs {cost} today ({basis}).", "de": "Energie kostet heute {cost} ({basis})."},
    "house_saved_today": {
        "en": "Beside the inverter alone the battery saves {saved} today ({basis}).",
        "de": "Neben dem Wechselrichter allein spart der Speicher heute {saved} ({basis}).",
    },
    "house_saved_yesterday": {"en": "Yesterday it saved {saved} ({basis}).", "de": "Gestern waren es {saved} ({basis})."},
}


LEVEL_DECIDED: dict[Language, str] = {
    "en": "As full as the battery is now, this is better than what was planned.",
    "de": "So voll, wie der Speicher jetzt ist, ist das besser als das Geplante.",
}


def say_level_decided(language: Language) -> str:
    """Return why batteries do something else than was planned of the slot that runs."""
    return LEVEL_DECIDED[language]


def say_basis(basis: str, *, language: Language) -> str:
    """Return what a figure rests on."""
    return BASES[basis][language]
