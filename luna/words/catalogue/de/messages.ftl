with_site = { $site }: { $text }
title_no_plan = Kein Plan vorhanden
text_no_plan = Die Steuerung ist an, aber Luna hat keinen Plan. Bis zum nächsten Plan arbeiten deine Geräte mit ihren eigenen Einstellungen. Den Grund zeigt die Seite Übersicht.
title_plan_old = Plan ist zu alt
text_plan_old = Lunas letzter Plan ist von { $at }. Bis ein neuer da ist, arbeiten deine Geräte mit ihren eigenen Einstellungen.
title_plan_compromised = Plan verfehlt ein Ziel
text_plan_compromised = Der Plan schafft nicht alles, was du eingestellt hast. Es fehlt: { $missed }.
title_plan_unproven = Plan verfehlt vielleicht ein Ziel
text_plan_unproven = Die Rechenzeit hat nicht gereicht, um alles zu schaffen, was du eingestellt hast. Der nächste Plan versucht es wieder. Bisher fehlt: { $missed }.
title_device_silent = { $device } antwortet nicht
text_device_silent = { $device }: Der Befehl von { $at } ist nicht bestätigt. Bis zur nächsten Antwort arbeitet das Gerät mit seinen eigenen Einstellungen. Prüfe Strom und Netzwerk.
title_device_disobeys = { $device } befolgt Befehle nicht
text_device_disobeys = { $device }: Der Befehl von { $at } kam an, aber die gemessene Leistung passt nicht dazu. Nächster Versuch: { $until }. Prüfe, ob das Gerät einen eigenen Zeitplan hat.
title_device_spared = Befehle für heute aufgebraucht
text_device_spared = { $device }: Bis { $until } sendet Luna keine Befehle mehr, um den Speicher des Geräts zu schonen. So lange arbeitet es mit seinen eigenen Einstellungen.
title_device_kept = Modus bleibt gleich
text_device_kept = { $device }: weiter im Modus von vor { $at }. Ein Wechsel spart zu wenig, und jeder Wechsel nutzt den Speicher des Geräts ab.
title_device_held = { $device } noch nicht freigegeben
text_device_held = { $device } folgt vielleicht noch Lunas letztem Befehl. Letzter Messwert ({ $at }): { $doing }. Luna gibt das Gerät frei, sobald Luna läuft und es antwortet. Willst du das sofort beenden, wähle am Display oder in der App des Geräts den eigenen Betrieb.
title_device_left = { $device } nicht freigegeben
text_device_left = { $device } hat die Freigabe einen Tag lang nicht bestätigt. Luna versucht es nicht mehr. Letzter Messwert ({ $at }): { $doing }. Wähle am Display oder in der App des Geräts den eigenen Betrieb.
title_device_conflict = { $device } bekommt fremde Befehle
text_device_conflict = { $device } wurde { $at } umgestellt auf: { $doing }. Das kam nicht von Luna. Meist ist es die App des Herstellers oder ein anderes Energieprogramm. Schalte das aus, oder pausiere das Gerät auf der Seite Zeitplan.
title_device_takes_nothing = Auto lädt nicht
text_device_takes_nothing = { $note }
title_car_draws_less = { $device } lädt langsamer
text_car_draws_less = { $draw }
title_car_draws_nothing = { $device } lädt nicht
text_car_draws_nothing = { $draw }
title_car_departure_at_risk = { $device } wird nicht voll genug
text_car_departure_at_risk = { $draw } Gewünscht sind { $wanted } bis { $at }.
title_sensors_silent = Kein Sensor sendet Werte
text_sensors_silent = Luna hat seit { $at } von keinem Sensor einen Wert bekommen. Prüfe Home Assistant oder den MQTT-Broker.
title_sensor_silent = Sensor sendet keine Werte
text_sensor_silent = { $sensor } hat seit { $since } nichts gesendet. Ohne ihn kann Luna das nicht berechnen: { $role }. Prüfe den Sensor, oder trage auf der Seite deines Zuhauses unter Sensoren den Ersatz ein.
title_sensor_unheard = Sensor nicht gefunden
text_sensor_unheard = { $sensor } hat noch nie einen Wert gesendet. Luna rechnet ohne ihn: { $role }. Berichtige seinen Namen auf der Seite deines Zuhauses unter Sensoren, oder lösche ihn dort.
title_level_doubted = Ladestand prüfen
text_level_doubted = { $note }
title_prices_doubted = Preise prüfen
text_prices_doubted = { $note }
title_agent_offered = Antares ist bereit
text_agent_offered = Antares hat sich dafür bewährt: { $mode }. Die Ergebnisse stehen auf der Seite Antares; dort kannst du ihn einschalten.
title_agent_withdrawn = Antares entscheidet nicht mehr
text_agent_withdrawn = Seit { $at } gilt wieder Lunas üblicher Plan. Antares darf das nicht mehr: { $mode }. Den Grund zeigt die Seite Antares.
title_limit_began = Leistungsgrenze gilt
text_limit_began = { $limit } Sie kam über { $source }.
title_limit_unkept = Leistungsgrenze, Steuerung ist aus
text_limit_unkept = { $limit } Die Steuerung ist aus, deshalb hält Luna das nicht für dich ein. Einschalten kannst du sie auf der Seite Zeitplan.
title_limit_ended = Leistungsgrenze ist vorbei
text_limit_ended = { $limit } { $done }
title_cheap_hours = Morgen günstiger Strom
text_cheap_hours = { $price } je kWh von { $start } bis { $end }. Der Durchschnitt des Tages ist { $usual }.
title_weekly_saving = { $saved } letzte Woche gespart
text_weekly_saving =
    { $days ->
        [one] Du hast { $saved } weniger gezahlt als ohne Luna. Gezählt ist { $days } von 7 Tagen.
       *[other] Du hast { $saved } weniger gezahlt als ohne Luna. Gezählt sind { $days } von 7 Tagen.
    }
title_weekly_loss = { $saved } Mehrkosten letzte Woche
text_weekly_loss =
    { $days ->
        [one] Du hast { $saved } mehr gezahlt als ohne Luna. Gezählt ist { $days } von 7 Tagen. Die Seite Ersparnis zeigt ihn.
       *[other] Du hast { $saved } mehr gezahlt als ohne Luna. Gezählt sind { $days } von 7 Tagen. Die Seite Ersparnis zeigt sie.
    }
title_weekly_proposal = { $saved } letzte Woche möglich
text_weekly_proposal =
    { $days ->
        [one] Mit Lunas Steuerung hättest du { $saved } weniger gezahlt. Gezählt ist { $days } von 7 Tagen. Einschalten kannst du die Steuerung auf der Seite Zeitplan.
       *[other] Mit Lunas Steuerung hättest du { $saved } weniger gezahlt. Gezählt sind { $days } von 7 Tagen. Einschalten kannst du die Steuerung auf der Seite Zeitplan.
    }
title_day_ahead = Der Plan für heute
text_day_ahead = { $statements }
title_system_fault = Störung in Luna
text_system_fault = { $summary } Was zu tun ist: { $runbook } ({ $alert } { $service })
title_system_recovered = Störung vorbei
text_system_recovered = Vorbei: { $summary } ({ $alert } { $service })
title_test = Luna-Test
text_test = Nachrichten von Luna kommen hier an.
