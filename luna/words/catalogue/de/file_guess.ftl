title = Was in der Datei steht
headline = { $file }: So würde sie gespeichert
headline_open = { $file }: Eines weißt nur du
headline_nothing = { $file }: Sag, was die Spalten sind
lead = Noch ist nichts gespeichert. Ändere, was nicht stimmt, dann speichere.
questions = Was die Datei nicht sagt
choose = Bitte wählen
question_zone = Nach welcher Uhr gehen die Zeiten?
question_label = Nennt eine Zeit den Anfang oder das Ende ihres Abschnitts?
question_day_order = Steht der Tag vorn oder der Monat?
question_decimal = Was ist das Komma in 1,234?
question_consumption = { $column }: was das Haus verbrauchte, oder was aus dem Netz bezogen wurde?
question_meaning = { $column }: Was ist das?
question_unit = { $column }: in welcher Einheit?
question_unit_price = { $column }: in welcher Einheit?
question_sign_grid = { $column }: Was liegt über null?
question_sign_battery = { $column }: Was liegt über null?
choice_start = den Anfang
choice_end = das Ende
choice_day_first = der Tag: 31/12
choice_month_first = der Monat: 12/31
choice_comma = ein Dezimalkomma: gut eins
choice_point = ein Tausenderzeichen: über tausend
choice_import = Bezug
choice_export = Einspeisung
choice_charge = Laden
choice_discharge = Entladen
zone_local = { $zone }, mit Sommerzeit
zone_standard = das ganze Jahr Normalzeit ({ $zone })
zone_utc = UTC
columns = Spalten
column = Spalte
stored_as = Gespeichert als
unit = Einheit
measure = Die Zahlen sind
why = Warum
as_grid = Netz, beide Richtungen
as_battery = Batterie, beide Richtungen
as_spot_price = Börsenpreis
as_nothing = nicht speichern
measure_interval = Energien je Zeile
measure_counter = Zählerstände
measure_power = Leistungen
measure_level = Stände
picture = Die letzten Tage daraus
totals = Was zusammenkommt
totals_note = Vergleiche mit einer Rechnung: Falsche Einheit oder Bedeutung zeigt sich hier.
totals_part = Die Datei ist lang: Das sind nur Anfang und Ende. Gespeichert wird sie ganz.
month = Monat
year = Summe des Jahres { $year }
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
step_none = immer, wenn sich etwas änderte
lost =
    { $count ->
        [one] Die Zeit von { $count } Zeile ist nicht lesbar; sie kommt in Quarantäne.
       *[other] Die Zeit von { $count } Zeilen ist nicht lesbar; sie kommen in Quarantäne.
    }
again = Mit dieser Auswahl neu zeigen
store = Speichern
unanswered = Beantworte erst, was oben steht; nichts wurde gespeichert.
back = Zurück ohne Speichern
reason_form_text = Text in { $encoding }, Zellen getrennt durch „{ $separator }“
reason_form_workbook = Arbeitsmappe, Blatt „{ $sheet }“
reason_form_states = Verlauf oder Statistik von Home Assistant
reason_form_records = JSON, eine Liste von Zeilen
reason_lines_above =
    { $count ->
        [one] { $count } Zeile steht über den Werten
       *[other] { $count } Zeilen stehen über den Werten
    }
reason_decimal_comma = Dezimalkomma
reason_one_value_per_row = Ein Wert je Zeile; „{ $column }“ sagt, wessen
reason_label_from_to = Abschnitte von … bis; „{ $first }“ ist der Anfang
reason_label_word_end = „{ $word }“ sagt das Ende jedes Abschnitts
reason_label_word_start = „{ $word }“ sagt den Anfang jedes Abschnitts
reason_label_day_start = Die Tage gehen von { $first } bis { $last }: Zeiten sind Anfänge
reason_label_day_end = Die Tage beginnen um { $first }: Zeiten sind Enden
reason_day_first = Tag vor Monat: Es gibt einen { $day }.
reason_month_first = Monat vor Tag: Es gibt einen { $day }.
reason_day_first_points = Tag vor Monat, wie Punkte sagen
reason_day_first_in_a_row = Tag vor Monat: So folgen die Tage aufeinander
reason_month_first_in_a_row = Monat vor Tag: So folgen die Tage aufeinander
reason_zone_offset = Zeiten tragen ihren Versatz: { $example }
reason_zone_word = „{ $word }“ sagt die Uhr: { $zone }
reason_zone_changes = Die Uhr wird am { $day } umgestellt wie in { $zone }
reason_zone_stays = Die Uhr wird nicht umgestellt: Sie kennt keine Sommerzeit
reason_no_figures = keine Messwerte
reason_word = „{ $word }“ im Namen
reason_word_above = „{ $word }“ über der Tabelle
reason_part_of_others = „{ $word }“: nichts, was Luna speichert
reason_unit_said = in { $unit }
reason_power_unit = eine Leistung, denn { $unit } ist eine
reason_counter_rises = steigt nur, wie Zähler
reason_counter_of_states = Zustände einer Energie sind die eines Zählers
reason_consumption_of_house = des Hauses: Netz oder Solarstrom stehen daneben
reason_consumption_of_meter = aus dem Netz: Es ist die Datei eines Zählers
reason_never_below_zero = nie unter null
reason_written_below_zero = unter null geschrieben
reason_both_signs = hat beide Vorzeichen
reason_added_up = { $count } Spalten werden addiert
reason_same_as = „{ $column }“ sagt dasselbe besser
reason_price_apart = lade die Datei für ihre Preise noch einmal allein
reason_percent_by_figures = Prozent, nach den Zahlen
reason_share_by_figures = Anteil von 1, nach den Zahlen
reason_chosen = von dir gewählt
