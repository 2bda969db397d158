### Warum eine Prognose unsicher ist.

no_history = Es gibt noch keine aktuellen Messwerte. Luna rechnet mit einem typischen Haushalt (BDEW H25).
load_by_yearly_kwh = Grundlage ist der Jahresverbrauch, den du für dein Zuhause eingetragen hast.
load_by_persons = Luna schätzt den Verbrauch nach der Zahl der Personen. Trag deine kWh im Jahr auf der Seite deines Zuhauses ein.
load_assumed = Luna nimmt 3.500 kWh im Jahr an. Trag deine kWh im Jahr oder die Zahl der Personen auf der Seite deines Zuhauses ein.
short_history = Luna hat erst Werte aus weniger als zwei Wochen. Die Prognose wiederholt sie und ist unsicher.
load_gaps = Viele aktuelle Verbrauchswerte fehlen. Die Prognose nutzt ältere Tage.
pv_gaps = Viele aktuelle Solarwerte fehlen. Die Prognose nutzt ältere Tage.
load_frozen = Der Verbrauchssensor hat stundenlang denselben Wert gesendet. Luna lässt diese Werte weg. Prüfe den Sensor.
pv_frozen = Der Solarsensor hat stundenlang denselben Wert gesendet. Luna lässt diese Werte weg. Prüfe den Sensor.
load_constant = Der Verbrauch ändert sich nie, das ist für einen Haushalt ungewöhnlich. Die Prognose wiederholt ihn. Prüfe den Sensor.
pv_silent = Seit Tagen kommt kein Solarstrom. Prüfe Wechselrichter und Sensor, und ob Schnee auf den Modulen liegt.
pv_held_back = An { $held_back } der letzten { $days } Tage lief Solar gedrosselt. Luna schätzt, was möglich war.
pv_blended = { $percent }{ "\u00A0" }% dieser Solarprognose kommen von anderen Diensten. Jeder zählt so viel, wie er zuletzt richtig lag.
unnamed_ac_limit = Der Wechselrichter gibt nie mehr als { $kw } kW ab. Trag das als Grenze in der Einstellungsdatei deines Zuhauses ein (ac_limit_kw, unter inverters).
roof_grown = Deine Solaranlage liefert mehr als früher. Luna rechnet die älteren Werte hoch.
roof_exceeds_peak = Deine Solaranlage liefert mehr als die eingetragene Spitzenleistung. Berichtige sie auf der Seite deines Zuhauses.
clock_change = In die Prognose fällt die Zeitumstellung. Manche Gewohnheiten folgen der Uhr, andere nicht.
future_reading = Einige Messwerte haben ein Datum in der Zukunft. Luna lässt sie weg. Prüfe die Uhr des Sensors.
weather_missing = Die Wettervorhersage fehlt. Ohne sie ist Lunas Prognose unsicherer.
weather_late = Die Wettervorhersage ist alt. Eine neuere kam nicht an.
model_unusable = Luna kann die trainierte Prognose nicht lesen und wiederholt die letzten Tage. Trainiere auf der Seite Prognose neu.
model_away = Luna erreicht die trainierte Prognose gerade nicht und wiederholt die letzten Tage.
sun_from_time_zone = Für dein Zuhause fehlt der Ort. Luna kann die Sonne nur grob schätzen. Trag den Ort auf der Seite deines Zuhauses ein.
untrained = Luna hat noch keine Prognose trainiert. Luna wiederholt die letzten Tage, das ist unsicher.
