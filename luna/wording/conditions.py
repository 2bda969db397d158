"""Why a forecast is wider than usual, in words: what is the matter, then what follows from it or what to do."""

from luna.errors import InvalidInputError
from luna.wording.numbers import Language

CONDITIONS: dict[str, dict[Language, str]] = {
    "no_history": {
        "en": "Nothing was measured in the last weeks: the forecast is that of a household like any other.",
        "de": "In den letzten Wochen wurde nichts gemessen: Die Vorhersage ist die eines Haushalts wie jeder andere.",
    },
    "short_history": {
        "en": "Fewer than two weeks are known: the forecast repeats them with a wide margin.",
        "de": "Es sind weniger als zwei Wochen bekannt: Die Vorhersage wiederholt sie mit großem Spielraum.",
    },
    "load_gaps": {
        "en": "Much of the latest consumption is missing: the forecast rests on older days.",
        "de": "Vom jüngsten Verbrauch fehlt viel: Die Vorhersage stützt sich auf ältere Tage.",
    },
    "pv_gaps": {
        "en": "Much of the latest solar output is missing: the forecast rests on older days.",
        "de": "Vom jüngsten Solarertrag fehlt viel: Die Vorhersage stützt sich auf ältere Tage.",
    },
    "load_frozen": {
        "en": "The consumption reading stood still for hours; what it said then is not used. Check the sensor.",
        "de": "Der Messwert des Verbrauchs stand stundenlang still; was er da sagte, bleibt außen vor. Prüfe den Sensor.",
    },
    "pv_frozen": {
        "en": "The solar reading stood still for hours; what it said then is not used. Check the sensor.",
        "de": "Der Messwert des Solarertrags stand stundenlang still; was er da sagte, bleibt außen vor. Prüfe den Sensor.",
    },
    "load_constant": {
        "en": "The consumption never changed: the forecast repeats it, though no household is that steady. Check the sensor.",
        "de": "Der Verbrauch hat sich nie geändert: Die Vorhersage wiederholt ihn, obwohl kein Haushalt so gleichmäßig ist. Prüfe den Sensor.",
    },
    "pv_silent": {
        "en": "The arrays yielded nothing for days: snow, an inverter that is off, or a sensor. The sun may bring them back.",
        "de": "Die Anlage lieferte tagelang nichts: Schnee, ein ausgeschalteter Wechselrichter oder ein Sensor. Mit der Sonne kann sie wiederkommen.",
    },
    "roof_grown": {
        "en": "The arrays yield more than they used to: what was measured before is scaled up to the new output.",
        "de": "Die Anlage liefert mehr als früher: Was vorher gemessen wurde, ist auf die neue Leistung hochgerechnet.",
    },
    "roof_exceeds_peak": {
        "en": "The arrays yield more than their stated peak power. Correct peak_kw in the site's file.",
        "de": "Die Anlage liefert mehr als ihre angegebene Spitzenleistung. Berichtige peak_kw in der Datei des Standorts.",
    },
    "clock_change": {
        "en": "The clock changes within the forecast: habits follow the clock, but not all of them.",
        "de": "Im Zeitraum der Vorhersage wird die Uhr umgestellt: Gewohnheiten folgen der Uhr, aber nicht alle.",
    },
    "future_reading": {
        "en": "Readings are dated in the future and are not used. Check the clock of the sensor.",
        "de": "Messwerte tragen ein Datum in der Zukunft und bleiben außen vor. Prüfe die Uhr des Sensors.",
    },
    "weather_missing": {
        "en": "The weather ahead is not known, though the model learned from it.",
        "de": "Das kommende Wetter ist nicht bekannt, obwohl das Modell daraus gelernt hat.",
    },
    "weather_late": {
        "en": "The weather forecast is old: a newer one did not arrive.",
        "de": "Die Wettervorhersage ist alt: Eine neuere kam nicht an.",
    },
    "model_unusable": {
        "en": "The trained model cannot be used: the forecast repeats recent days with a wide margin. Train again.",
        "de": "Das gelernte Modell ist unbrauchbar: Die Vorhersage wiederholt die letzten Tage mit großem Spielraum. Trainiere neu.",
    },
    "model_away": {
        "en": "The store of models does not answer: the forecast repeats recent days with a wide margin.",
        "de": "Der Speicher der Modelle antwortet nicht: Die Vorhersage wiederholt die letzten Tage mit großem Spielraum.",
    },
    "sun_from_time_zone": {
        "en": "The site does not say where it is: its sun is a rough one, of its time zone. Add location to the site's file.",
        "de": "Der Standort sagt nicht, wo er liegt: Seine Sonne ist eine grobe, die seiner Zeitzone. Ergänze location in der Datei des Standorts.",
    },
    "untrained": {
        "en": "No model was trained yet: the forecast repeats recent days with a wide margin.",
        "de": "Noch wurde kein Modell trainiert: Die Vorhersage wiederholt die letzten Tage mit großem Spielraum.",
    },
}


def condition(code: str, *, language: Language) -> str:
    """Return why a forecast is wide as one sentence.

    Raises:
        InvalidInputError: no such code.
    """
    if code not in CONDITIONS:
        raise InvalidInputError("has no words", field="reasons", value=code, remedy=f"Known are {', '.join(CONDITIONS)}.")
    return CONDITIONS[code][language]
