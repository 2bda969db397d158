### Geräte, die warten können.

kind_load = Gerät
prefix_load = Gerät
limited_load =
    { $count ->
        [one] dein Gerät
       *[other] deine Geräte
    }
name_water_heater = Warmwasser
waiting_water_heater = Warmwasser
series_appliance_kwh = Geräte
series_water_heater_kwh = Warmwasser
role_water_heater_consumption = Warmwasser
setup_loads = Warmwasser
setup_none_loads = Kein elektrisches Warmwasser.
setup_add_loads = Warmwasser hinzufügen
setup_hint_loads = Luna plant es, sobald es einen eigenen Zähler hat.
entity_load_start = Nächster Start von { $device }
entity_override_load = Eigene Vorgabe für { $device }
entity_steering_load = { $device } jetzt

# Warum sich ein Plan geändert hat.
cause_loads = Ein Gerät lief anders.

# Vorgaben, die ein Plan nicht einhält, und was fehlt.
wanted_load_day = Gerät { $name }: { $wanted_2 } kWh am { $by }{ $only }
missing_load_day = { $kwh_3 } kWh fehlen
wanted_load_by = Gerät { $name }: { $wanted_2 } kWh bis { $by }{ $only }
missing_load_by = { $kwh_3 } kWh fehlen
wanted_load_gap = Gerät { $name }: höchstens { $hours } h aus (max_gap_hours)
missing_load_gap =
    { $count ->
        [one] einmal zu lang
       *[other] { $count }-mal zu lang
    }
wanted_load_run = Gerät { $name }: ein Lauf bis { $by }{ $only }
missing_load_run = läuft nicht

# Wovon ein Plan ausgeht.
note_loads_not_placed = Luna plant { $loads } nicht: Ohne eigenen Zähler gehören sie zum Verbrauch des Hauses.

# Warum ein Gerät läuft oder wartet; die meisten Gründe stehen in device_reasons.
reason_load_gap_1 = Läuft jetzt: Es darf höchstens { $hours } aus sein.
short_load_gap_1 = Läuft: höchstens { $hours } aus
short_load_gap_2 = Läuft: war lange genug aus
reason_load_programme_1 = Das Programm läuft zu { $price } im Schnitt, fertig bis { $time }.
reason_load_programme_2 = Das Programm läuft, fertig bis { $time }.
reason_load_programme_3 = Das Programm läuft zu Ende.
short_load_programme_1 = Programm läuft, fertig bis { $time }
short_load_programme_2 = Programm läuft
reason_load_not_now_1 = Deine Einstellungen erlauben den Betrieb zu dieser Zeit nicht.
short_load_not_now_1 = Zu dieser Zeit nicht erlaubt
