### Autos.

kind_vehicle = Auto
prefix_vehicle = Auto
limited_vehicle =
    { $count ->
        [one] dein Auto
       *[other] deine Autos
    }
name_car = Auto
waiting_vehicle = Auto
series_vehicle_kwh = Auto
role_vehicle_consumption = Ladeenergie des Autos
role_vehicle_soc = Ladestand des Autos
role_vehicle_connected = Auto ist angesteckt
role_vehicle_range = Reichweite des Autos
setup_vehicles = Auto
setup_none_vehicles = Kein Auto, das zu Hause lädt.
setup_add_vehicles = Auto hinzufügen
setup_review_vehicle = { $capacity } kWh, lädt mit { $least } bis { $power } kW
entity_plan_vehicle = Geplantes Laden von { $device }
entity_vehicle_soc = Geplanter Ladestand von { $device }
entity_vehicle_ready = { $device } fertig bis
entity_override_vehicle = Eigene Vorgabe für { $device }
entity_steering_vehicle = { $device } jetzt
entity_draws_less_vehicle = Ladeproblem von { $device }

# Warum sich ein Plan geändert hat.
cause_vehicles = Ein Auto lädt, kommt oder fährt zu anderen Zeiten.

# Vorgaben, die ein Plan nicht einhält, und was fehlt.
wanted_manual_vehicle_full = eigene Vorgabe: { $name } { $action } (das Auto ist voll) { $first } bis { $last }
missing_manual_vehicle_full = { $kwh_3 } kWh fehlen
wanted_vehicle = Auto { $name }: { $wanted_percent } bis { $by }
missing_vehicle = { $missing_percent_1 } fehlen
wanted_vehicle_minimum = Auto { $name }: mindestens { $kw } kW von { $first } bis { $last }
missing_vehicle_minimum = { $kwh_3 } kWh fehlen

# Wovon ein Plan ausgeht.
note_vehicle_soc_read = { $vehicle } ist zu { $soc } geladen, laut Sensor { $at }.
note_vehicle_soc_ranged = { $vehicle } ist zu etwa { $soc } geladen, nach der Reichweite, die es { $at } gemeldet hat.
note_vehicle_soc_said = { $vehicle } kommt mit { $soc } an, wie du eingetragen hast.
note_vehicle_soc_counted = { $vehicle } ist zu { $soc } geladen: Ankunft { $since } mit { $arrival_soc }, seither { $metered_kwh } geladen.
note_vehicle_soc_stated = { $vehicle } ist zu { $soc } geladen, wie du { $stated_at } gesagt hast.
note_vehicle_soc_estimated = { $vehicle } ist zu etwa { $soc } geladen: Du hast { $stated_at } { $stated_soc } gesagt, seither wurden { $metered_kwh } geladen.
note_vehicle_soc_expected = { $vehicle } ist laut letztem Plan zu { $soc } geladen. Einen neueren Wert gibt es nicht.
note_vehicle_soc_assumed = Ladestand von { $vehicle } unbekannt, Luna rechnet mit { $soc }. Trag ihn bei der Abfahrt ein oder verbinde einen Sensor.
note_vehicle_usual = { $vehicle } hat keine Abfahrt. Luna rechnet damit, dass es von { $comes } bis { $leaves } zu Hause ist, und lädt { $need_kwh } am Tag.
note_vehicle_soc_doubted = { $vehicle } meldete { $soc } ({ $at }), dann { $doubted_soc } ({ $doubted_at }). So schnell geht das nicht: Luna rechnet vorerst mit { $soc }.
note_vehicle_not_connected = { $vehicle } sollte jetzt angesteckt sein, ist aber seit { $since } nicht angesteckt. Steck es an oder ändere die Abfahrt.
note_vehicle_soc_stands_still = Luna rechnet bei { $vehicle } mit { $soc }: Der Sensor steht seit { $since } auf { $sensor_soc }, geladen wurden { $metered_kwh }. Prüfe den Sensor.
note_vehicle_soc_too_fast = Luna rechnet bei { $vehicle } mit { $soc }: Der Sensor meldete { $sensor_soc } ({ $since }), so schnell lädt die Wallbox nicht.
note_vehicle_soc_against_meter = Luna rechnet bei { $vehicle } mit { $soc }: Der Sensor meldet { $sensor_soc }, die Wallbox zählte aber { $metered_kwh } seit { $since }. Prüfe den Sensor und den Zähler der Wallbox.
note_vehicle_soc_stale = Luna rechnet bei { $vehicle } mit { $soc }: Der Sensor meldete zuletzt { $sensor_soc } ({ $at }). Prüfe, ob er noch Werte sendet.
note_vehicle_soc_out_of_range = Luna rechnet bei { $vehicle } mit { $soc }, gemeldet { $at }: Der Sensor sendet jetzt einen unmöglichen Wert. Prüfe den Sensor.
note_vehicle_soc_jumps = Der Sensor von { $vehicle } sprang { $since } auf { $sensor_soc }, so schnell lädt das Auto nicht. Prüfe den Sensor.
note_vehicle_soc_unusable = Der Sensor von { $vehicle } sendet alte oder unmögliche Werte. Prüfe den Sensor.
note_vehicle_takes_nothing = { $vehicle } lädt nicht: Seit { $since } waren { $planned_kwh } geplant, nichts kam an. Prüfe das Kabel, und im Auto Zeitplan und Ladegrenze.
note_vehicle_soc_full = { $vehicle } gilt als voll: Es zieht nichts mehr aus der Wallbox.
note_vehicle_draws_less = Luna plant { $vehicle } mit höchstens { $kw }: Mehr hat es seit dem Anstecken nicht gezogen.
note_vehicle_left_out = Luna plant { $vehicle } gerade nicht: Seit { $since } zieht es nichts, obwohl es laden soll. Steck es neu an oder wähle "Laden".
note_no_session = { $vehicles }: keine Abfahrt eingetragen, deshalb plant Luna kein Laden. Trag sie unter Zeitplan ein, oder die Kilometer im Jahr.

# Warum ein Gerät läuft oder wartet; die meisten Gründe stehen in device_reasons.
reason_ev_waits_surplus_1 = Wartet auf Solarüberschuss, erwartet ab { $time }.
reason_ev_waits_surplus_2 = Wartet auf Solarüberschuss; bis zur Abfahrt reicht er wohl nicht.
short_ev_waits_surplus_1 = Wartet auf Sonne ab { $time }
short_ev_waits_surplus_2 = Wartet auf Sonne
reason_ev_gives_1 = Versorgt das Haus: Kaufen würde { $buy } kosten.
short_ev_gives_1 = Versorgt das Haus: Kaufen kostet { $buy }
short_ev_gives_2 = Versorgt das Haus
reason_ev_pinned_1 = Lädt nach deiner eigenen Vorgabe.
short_ev_pinned_1 = Lädt nach deiner Vorgabe
reason_ev_minimum_1 = Lädt mit deinem Minimum von { $kw }, bis es voll ist.
short_ev_minimum_1 = Lädt mit deinem Minimum von { $kw }
short_ev_minimum_2 = Lädt mit deinem Minimum
reason_ev_left_out_1 = Nicht geplant: Das Auto zieht nichts.
short_ev_left_out_1 = Auto zieht nichts

# Was ein Auto statt des Befohlenen zieht.
draw_draws_less = { $car } zieht die { $commanded } nicht: Mehr als { $most } nimmt es nicht. Damit plant Luna, bis du es neu ansteckst.
draw_full = { $car } zieht die { $commanded } nicht mehr: Es ist voll oder an seiner eigenen Ladegrenze. Luna lässt es weg, bis du es neu ansteckst.
draw_full_at = { $car } zieht die { $commanded } nicht mehr: Bei { $soc } ist Schluss. Willst du mehr, prüfe die Ladegrenze im Auto. Luna lässt es weg, bis du es neu ansteckst.
draw_below_least_current = { $car } zieht die { $commanded } nicht: Ein Auto braucht mindestens 6 A. Luna lässt es weg, bis du es neu ansteckst.
draw_waking = { $car } zieht die { $commanded } noch nicht. Luna hält das Laden einmal kurz an und startet es neu, um es zu wecken.
draw_asleep = { $car } zieht die { $commanded } nicht, obwohl es angesteckt ist. Es schläft oder wartet auf einen eigenen Zeitplan. Luna versucht es jede Stunde neu, oder sofort, wenn du "Laden" wählst.
draw_not_plugged_in = { $car } zieht die { $commanded } nicht: Es ist nicht angesteckt. Luna lässt es weg, bis du es ansteckst.
draw_refuses = { $car } zieht die { $commanded } nicht. Prüfe das Kabel, und im Auto Zeitplan und Ladegrenze. Luna versucht es jede Stunde neu, oder sofort, wenn du "Laden" wählst.
