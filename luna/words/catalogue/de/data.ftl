title = Daten
headline_clean =
    { $judged ->
        [one] Der eine geprüfte Tag dieses Monats ist verlässlich.
       *[other] Alle { $judged } geprüften Tage dieses Monats sind verlässlich.
    }
headline_some =
    { $good ->
        [one] { $good } von { $judged } geprüften Tagen dieses Monats ist verlässlich.
       *[other] { $good } von { $judged } geprüften Tagen dieses Monats sind verlässlich.
    }
headline_empty = In diesem Monat ist noch kein Tag geprüft.
lead = Mit diesen Messwerten lernt und plant Luna. Zweifelhafte Werte warten unten auf deine Entscheidung.
span_none = Noch gibt es keine Messwerte.
span = Messwerte von { $first } bis { $last }.
stale = Seit { $hours } h keine neuen Werte. Prüfe deine Sensoren.
quality_title = Qualität je Tag
month_before = Voriger Monat
month_after = Nächster Monat
months = Monat wählen
verdict_clean = in Ordnung
verdict_mask_battery = gut, außer Batterie
verdict_exclude = nicht verwendet
verdict_none = nicht geprüft
estimated_days = teilweise geschätzt
reasons_title = Gefundene Probleme
turn_sign = Ja, Vorzeichen von { $sensor } umdrehen, auch rückwirkend
exchange_sensors = Ja, „{ $source }“ und „{ $sink }“ tauschen, auch rückwirkend
judge = Diesen Monat neu prüfen
gaps_title = Lücken
gaps_show = Lücken dieses Monats zeigen
gaps_loading = Suche Lücken …
gaps_none = Keine Lücken.
gaps_unknown = Luna konnte nicht nach Lücken suchen.
gaps_more = und { $count } weitere
column_series = Was fehlt
column_from = Von
column_to = Bis
column_slots = Viertelstunden
quarantine_title = Zurückgestellte Zeilen
quarantine_note = neueste zuerst
quarantine_none = Keine Zeile wartet auf deine Entscheidung.
quarantine_more = Nur die neuesten { $count } sind zu sehen.
row_line = Zeile { $line } · erhalten { $at }
release = So übernehmen
dismiss = Weglassen
correct = Korrigieren …
correct_send = Mit diesen Werten übernehmen
release_named = So übernehmen: Zeile { $id }
dismiss_named = Weglassen: Zeile { $id }
decided_released = Luna verwendet jetzt Zeile { $id }.
decided_corrected = Luna verwendet jetzt Zeile { $id } mit deinen Werten.
decided_dismissed = Luna lässt Zeile { $id } weg.
upload_title = Datei laden
upload_note = CSV, Excel oder JSON von Versorger, Wechselrichter oder Home Assistant. Du prüfst sie, bevor Luna sie speichert.
upload_look = Datei prüfen
upload_known = Die Datei hat schon Lunas Spalten (auch Parquet, Wetter, CO₂, Sensorwerte)
upload_file = Datei
upload_kind = Inhalt
kind_observations = Gemessene Viertelstunden
kind_prices = Preise
kind_weather = Wetter
kind_carbon = CO₂ im Netzstrom
kind_readings = Sensorwerte
upload_timezone = Zeitzone, falls in der Datei keine steht
upload_units = Einheiten, falls in der Datei keine stehen
upload_send = Laden
upload_progress = Hochgeladen
upload_failed = Die Datei kam nicht an. Versuch es noch einmal.
loads_title = Geladene Dateien
loads_none = Du hast noch keine Datei geladen.
load_counts =
    { $rows ->
        [one] { $rows } Zeile: { $accepted } übernommen ({ $accepted_in_part } teilweise), { $repaired } repariert, { $quarantined } zurückgestellt, { $duplicated } doppelt
       *[other] { $rows } Zeilen: { $accepted } übernommen ({ $accepted_in_part } teilweise), { $repaired } repariert, { $quarantined } zurückgestellt, { $duplicated } doppelt
    }
load_done = fertig
load_queued = wartet
load_running = läuft
load_failed = nicht geladen
load_dead = abgebrochen
load_cancelled = von dir abgebrochen
