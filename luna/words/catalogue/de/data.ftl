title = Daten
headline_clean =
    { $judged ->
        [one] Dem einzigen beurteilten Tag dieses Monats ist zu trauen.
       *[other] Allen { $judged } Tagen dieses Monats ist zu trauen.
    }
headline_some = { $good } von { $judged } Tagen dieses Monats ist zu trauen.
headline_empty = Kein Tag dieses Monats wurde beurteilt.
lead = Woraus Luna lernt, womit sie plant und was sie zählt. Nichts verschwindet still: Abgelehntes steht unten, bis du entscheidest.
span_none = Noch ist nichts aufgezeichnet.
span = Aufgezeichnet von { $first } bis { $last }.
stale = Der letzte Wert ist { $hours } h alt: Eine Quelle schweigt.
quality_title = Güte je Tag
month_before = Monat davor
month_after = Monat danach
months = Gezeigter Monat
verdict_clean = in Ordnung
verdict_mask_battery = alles außer Batterie
verdict_exclude = ausgelassen
verdict_none = nicht beurteilt
estimated_days = teilweise geschätzt
reasons_title = Was gegen Tage spricht
turn_sign = Ja, das Vorzeichen von { $sensor } umdrehen, auch für die Vergangenheit
exchange_sensors = Ja, { $source } und { $sink } tauschen, auch für die Vergangenheit
judge = Diesen Monat neu beurteilen
gaps_title = Lücken
gaps_show = Lücken dieses Monats suchen
gaps_loading = Suche Lücken …
gaps_none = Keine Lücken: Alles, was je gemeldet wurde, ist da.
gaps_unknown = Lücken konnten nicht gesucht werden:
gaps_more = und { $count } weitere
column_series = Was
column_from = Von
column_to = Bis
column_slots = Viertelstunden
quarantine_title = Abgelehnte Zeilen
quarantine_note = die letzten zuerst
quarantine_none = Nichts wartet auf dich: Keine Zeile ist offen.
quarantine_more = Nur die letzten { $count } sind gezeigt.
row_line = Zeile { $line } · erhalten { $at }
release = So hereinlassen
dismiss = Weglassen
correct = Berichtigen …
correct_send = Mit diesen Werten hereinlassen
release_named = So hereinlassen: Zeile { $id }
dismiss_named = Weglassen: Zeile { $id }
decided_released = Zeile { $id } wurde hereingelassen.
decided_corrected = Zeile { $id } wurde berichtigt hereingelassen.
decided_dismissed = Zeile { $id } bleibt für immer weg.
upload_title = Datei laden
upload_note = eines Versorgers, Wechselrichters oder von Home Assistant: CSV, Excel oder JSON. Du siehst, als was sie gespeichert würde, bevor es geschieht
upload_look = Nachsehen, was darin steht
upload_known = Sie hat Lunas eigene Spalten (auch Parquet, Wetter, CO₂, Sensorwerte)
upload_file = Datei
upload_kind = Was sie enthält
kind_observations = Gemessene Viertelstunden
kind_prices = Preise
kind_weather = Wetter
kind_carbon = Strommix (CO₂)
kind_readings = Sensorwerte
upload_timezone = Uhr der Zeiten ohne Versatz
upload_units = Einheit, wo die Datei sie nicht sagt
upload_send = Laden
upload_progress = Hochgeladen
upload_failed = Die Datei kam nicht an. Versuche es noch einmal.
loads_title = Zuletzt geladene Dateien
loads_none = Noch wurde keine Datei geladen.
load_counts =
    { $rows ->
        [one] { $rows } Zeile: { $accepted } angenommen ({ $accepted_in_part } teilweise), { $repaired } Reparaturen, { $quarantined } abgelehnt, { $duplicated } doppelt
       *[other] { $rows } Zeilen: { $accepted } angenommen ({ $accepted_in_part } teilweise), { $repaired } Reparaturen, { $quarantined } abgelehnt, { $duplicated } doppelt
    }
load_done = fertig
load_queued = wartet
load_running = läuft
load_failed = abgelehnt
load_dead = aufgegeben
load_cancelled = abgebrochen
