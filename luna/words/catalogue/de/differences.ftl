### Warum eine Prognose vom Üblichen abweicht und ein Plan vom vorigen.

# Gründe: über oder unter den letzten sieben Tagen, oder keins von beiden.
reason_calendar_above = es ist ein Feiertag
reason_calendar_below = es ist { $day }
reason_calendar_neither = es ist { $day }
reason_vacation_above = der Urlaubsmodus ist an
reason_vacation_below = der Urlaubsmodus ist aus
reason_vacation_neither = Urlaub
reason_temperature_above = { $degrees } wärmer als in den letzten sieben Tagen
reason_temperature_below = { $degrees } kälter als in den letzten sieben Tagen
reason_temperature_neither = Temperatur
reason_wind = Wind
reason_sky_above = mehr Sonne als in den letzten sieben Tagen
reason_sky_below = weniger Sonne als in den letzten sieben Tagen
reason_sky_neither = Sonne und Wolken
reason_hours_load_above = mehr Verbrauch als üblich in den letzten Stunden
reason_hours_load_below = weniger Verbrauch als üblich in den letzten Stunden
reason_hours_load_neither = Verbrauch der letzten Stunden
reason_hours_pv_above = mehr Solarstrom als üblich in den letzten Stunden
reason_hours_pv_below = weniger Solarstrom als üblich in den letzten Stunden
reason_hours_pv_neither = Solarstrom der letzten Stunden
reason_days_load_above = mehr Verbrauch als üblich am letzten Tag
reason_days_load_below = weniger Verbrauch als üblich am letzten Tag
reason_days_load_neither = Verbrauch der letzten Tage
reason_days_pv_above = mehr Solarstrom als üblich am letzten Tag
reason_days_pv_below = weniger Solarstrom als üblich am letzten Tag
reason_days_pv_neither = Solarstrom der letzten Tage
reason_habit = typisch für diese Zeit in den letzten Wochen
reason_limit_load = Verbrauch ist nie negativ
reason_limit_pv = begrenzt auf das, was die Anlage liefern kann
reason_later = später gemessene Werte
reason_model = eine frühere Prognose ohne Einzelheiten
reason_rest = alles andere

# Was in einer Viertelstunde erwartet wird und was üblich ist.
slot_above = { $expected } erwartet, { $difference } mehr als üblich. Um diese Zeit waren es in den letzten sieben Tagen im Schnitt { $usual }.
slot_below = { $expected } erwartet, { $difference } weniger als üblich. Um diese Zeit waren es in den letzten sieben Tagen im Schnitt { $usual }.
slot_neither = { $expected } erwartet, wie um diese Zeit in den letzten sieben Tagen.

# Ursachen eines geänderten Plans: höher oder niedriger als zuvor, oder keins von beiden.
cause_site = Die Einstellungen deines Zuhauses haben sich geändert.
cause_options = Die Planungsoptionen haben sich geändert.
cause_strategy = Urlaub, eine Warnung oder eine Reserve hat sich geändert.
cause_prices_higher = Kaufen kostet im Schnitt { $price } je kWh mehr als erwartet.
cause_prices_lower = Kaufen kostet im Schnitt { $price } je kWh weniger als erwartet.
cause_prices_neither = Die Preise haben sich über den Tag verschoben, bei gleichem Schnitt.
cause_load_higher = Das Haus verbraucht voraussichtlich { $kwh } mehr.
cause_load_lower = Das Haus verbraucht voraussichtlich { $kwh } weniger.
cause_load_neither = Das Haus verbraucht voraussichtlich gleich viel, zu anderen Zeiten.
cause_pv_higher = Solar bringt voraussichtlich { $kwh } mehr.
cause_pv_lower = Solar bringt voraussichtlich { $kwh } weniger.
cause_pv_neither = Solar bringt voraussichtlich gleich viel, zu anderen Zeiten.
cause_scenarios = Der Schwankungsbereich der Prognose hat sich geändert.
cause_soc_higher = Die Batterie enthält { $kwh } mehr als geplant.
cause_soc_lower = Die Batterie enthält { $kwh } weniger als geplant.
cause_soc_neither = Die Batterien sind anders gefüllt als geplant.
cause_peaks = Die Monatsspitze hat sich geändert.
cause_manual = Deine eigenen Vorgaben haben sich geändert.
cause_horizon = Zeit ist vergangen: Der Plan reicht weiter voraus.

# Was eine Ursache am Plan geändert hat.
effect_modes =
    { $modes ->
        [0] Plan unverändert
        [one] Plan geändert: eine Viertelstunde
       *[other] Plan geändert: { $count } Viertelstunden
    }
effect_sooner = Plan geändert: { $device } { $does } { $duration } früher
effect_later = Plan geändert: { $device } { $does } { $duration } später
effect_dearer = ; er kostet { $money } mehr.
effect_cheaper = ; er kostet { $money } weniger.

# Was ein Gerät früher oder später tut.
does_charge = lädt
does_export = verkauft
does_supply = versorgt das Haus
does_on = läuft
