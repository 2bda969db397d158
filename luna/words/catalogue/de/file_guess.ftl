title = Inhalt der Datei
headline = { $file }: vor dem Speichern prüfen
headline_open = { $file }: Luna braucht deine Antwort
headline_nothing = { $file }: Wähle, was die Spalten bedeuten
lead = Luna hat noch nichts gespeichert. Ändere, was nicht stimmt, und speichere dann.
questions = Offene Fragen
choose = Auswählen
question_zone = Welche Zeitzone haben die Zeiten?
question_label = Ist jede Zeit der Anfang oder das Ende des Zeitraums?
question_day_order = Was steht vorn, Tag oder Monat?
question_decimal = Was bedeutet das Komma in 1,234?
question_consumption = { $column }: Ist das der Verbrauch des Hauses oder der Netzbezug?
question_meaning = { $column }: Was misst diese Spalte?
question_unit = { $column }: Welche Einheit?
question_unit_price = { $column }: Welche Einheit?
question_sign_grid = { $column }: Was bedeuten positive Zahlen?
question_sign_battery = { $column }: Was bedeuten positive Zahlen?
choice_start = der Anfang
choice_end = das Ende
choice_day_first = der Tag: 31/12
choice_month_first = der Monat: 12/31
choice_comma = ein Dezimalkomma, etwas mehr als 1
choice_point = ein Tausendertrennzeichen, mehr als 1.000
choice_import = Netzbezug
choice_export = Einspeisung
choice_charge = Laden
choice_discharge = Entladen
zone_local = { $zone }, mit Sommerzeit
zone_standard = das ganze Jahr Winterzeit ({ $zone })
zone_utc = UTC
columns = Spalten
column_number = Spalte { $number }
stored_as = Speichern als
unit = Einheit
measure = Art der Zahlen
why = Grund
as_grid = Netz, beide Richtungen
as_battery = Batterie, beide Richtungen
as_spot_price = Börsenpreis
as_nothing = nicht speichern
measure_interval = Energie je Zeile
measure_counter = Zählerstände
measure_power = Leistung
measure_level = Einzelwert
picture = Letzte Tage
totals = Summen
totals_note = Vergleiche die Summen mit einer Rechnung. Eine falsche Einheit oder Bedeutung fällt hier auf.
totals_part = Die Datei ist lang. Du siehst nur Anfang und Ende. Luna speichert alles.
month = Monat
year = Summe { $year }
span =
    { $rows ->
        [one] { $rows } Zeile von { $first } bis { $last }, { $step }
       *[other] { $rows } Zeilen von { $first } bis { $last }, { $step }
    }
step_minutes =
    { $minutes ->
        [one] jede Minute
       *[other] alle { $minutes } Minuten
    }
step_none = bei jeder Änderung
lost =
    { $count ->
        [one] Luna kann die Zeit von { $count } Zeile nicht lesen und stellt sie zurück.
       *[other] Luna kann die Zeit von { $count } Zeilen nicht lesen und stellt sie zurück.
    }
again = Vorschau aktualisieren
store = Speichern
unanswered = Luna hat nichts gespeichert. Beantworte zuerst die offenen Fragen.
back = Zurück ohne Speichern
reason_form_text = Text in { $encoding }, Trennzeichen „{ $separator }“
separator_tab = Tabulator
reason_form_workbook = Excel-Datei, Blatt „{ $sheet }“
reason_form_states = Verlauf oder Statistik aus Home Assistant
reason_form_records = JSON mit Zeilen
reason_lines_above =
    { $count ->
        [one] { $count } Zeile steht über den Werten
       *[other] { $count } Zeilen stehen über den Werten
    }
reason_decimal_comma = Dezimalkomma
reason_one_value_per_row = Ein Wert je Zeile, benannt in „{ $column }“
reason_label_from_to = Anfang und Ende in jeder Zeile, „{ $first }“ ist der Anfang
reason_label_word_end = „{ $word }“ steht für das Ende des Zeitraums
reason_label_word_start = „{ $word }“ steht für den Anfang des Zeitraums
reason_label_day_start = Jeder Tag läuft von { $first } bis { $last }, also sind die Zeiten Anfänge
reason_label_day_end = Jeder Tag beginnt um { $first }, also sind die Zeiten Enden
reason_day_first = Tag vor Monat, wegen der Zahl { $day }
reason_month_first = Monat vor Tag, wegen der Zahl { $day }
reason_day_first_points = Tag vor Monat, wegen der Punkte
reason_day_first_in_a_row = Tag vor Monat: Nur so folgen die Tage aufeinander
reason_month_first_in_a_row = Monat vor Tag: Nur so folgen die Tage aufeinander
reason_zone_offset = Die Zeiten nennen ihre Zeitzone: { $example }
reason_zone_word = Zeitzone { $zone }, wegen „{ $word }“
reason_zone_changes = Zeitumstellung am { $day }, wie in { $zone }
reason_zone_stays = Keine Zeitumstellung, also keine Sommerzeit
reason_no_figures = keine Messwerte
reason_word = „{ $word }“ im Namen
reason_word_above = „{ $word }“ über der Tabelle
reason_part_of_others = „{ $word }“: braucht Luna nicht
reason_unit_said = in { $unit }
reason_power_unit = { $unit } ist eine Einheit der Leistung
reason_counter_rises = die Zahlen steigen nur, wie bei einem Zähler
reason_counter_of_states = Energiesensoren melden Zählerstände
reason_consumption_of_house = Verbrauch des Hauses, weil auch Netz oder Solarstrom in der Datei steht
reason_consumption_of_meter = Netzbezug, weil die Datei von einem Zähler stammt
reason_never_below_zero = nie negativ
reason_written_below_zero = negative Zahlen
reason_both_signs = positive und negative Zahlen
reason_added_up = Luna zählt { $count } Spalten zusammen
reason_same_as = „{ $column }“ passt besser
reason_price_apart = Für die Preise lade die Datei noch einmal hoch
reason_percent_by_figures = Prozent, nach den Zahlen
reason_share_by_figures = Anteil von 0 bis 1, nach den Zahlen
reason_chosen = deine Auswahl
