### The page that shows how Luna reads a file.

title = Inhoud van het bestand
headline = { $file }: controleren voor het opslaan
headline_open = { $file }: Luna heeft je antwoord nodig
headline_nothing = { $file }: kies wat de kolommen betekenen
lead = Luna heeft nog niets opgeslagen. Verbeter wat niet klopt en sla het dan op.
questions = Open vragen
choose = Kiezen
question_zone = Welke tijdzone hebben de tijden?
question_label = Is elke tijd het begin of het einde van de periode?
question_day_order = Wat staat vooraan, dag of maand?
question_decimal = Wat betekent de komma in 1,234?
question_consumption = { $column }: is dit het verbruik van het huis of de netafname?
question_meaning = { $column }: wat meet deze kolom?
question_unit = { $column }: welke eenheid?
question_unit_price = { $column }: welke eenheid?
question_sign_grid = { $column }: wat betekenen positieve getallen?
question_sign_battery = { $column }: wat betekenen positieve getallen?
choice_start = het begin
choice_end = het einde
choice_day_first = de dag: 31/12
choice_month_first = de maand: 12/31
choice_comma = een decimale komma, iets meer dan 1
choice_point = een scheidingsteken voor duizendtallen, meer dan 1.000
choice_import = netafname
choice_export = teruglevering
choice_charge = laden
choice_discharge = ontladen
zone_local = { $zone }, met zomertijd
zone_standard = het hele jaar wintertijd ({ $zone })
zone_utc = UTC
columns = Kolommen
column_number = Kolom { $number }
stored_as = Opslaan als
unit = Eenheid
measure = Soort getallen
why = Reden
as_grid = Net, beide richtingen
as_battery = Batterij, beide richtingen
as_spot_price = Marktprijs
as_nothing = niet opslaan
measure_interval = energie per rij
measure_counter = meterstanden
measure_power = vermogen
measure_level = losse waarde
picture = Laatste dagen
totals = Totalen
totals_note = Vergelijk de totalen met een rekening. Een verkeerde eenheid of betekenis valt hier op.
totals_part = Het bestand is lang. Je ziet alleen het begin en het einde. Luna slaat alles op.
month = Maand
year = Totaal { $year }
span =
    { $rows ->
        [one] { $rows } rij van { $first } tot { $last }, { $step }
       *[other] { $rows } rijen van { $first } tot { $last }, { $step }
    }
step_minutes =
    { $minutes ->
        [one] elke minuut
       *[other] elke { $minutes } minuten
    }
step_none = bij elke wijziging
lost =
    { $count ->
        [one] Luna kan de tijd van { $count } rij niet lezen en zet die apart.
       *[other] Luna kan de tijd van { $count } rijen niet lezen en zet ze apart.
    }
again = Voorbeeld vernieuwen
store = Opslaan
unanswered = Luna heeft niets opgeslagen. Beantwoord eerst de open vragen.
back = Terug zonder op te slaan
reason_form_text = Tekst in { $encoding }, scheidingsteken “{ $separator }”
separator_tab = tab
reason_form_workbook = Excel-bestand, blad “{ $sheet }”
reason_form_states = Geschiedenis of statistieken uit Home Assistant
reason_form_records = JSON met rijen
reason_lines_above =
    { $count ->
        [one] { $count } regel staat boven de waarden
       *[other] { $count } regels staan boven de waarden
    }
reason_decimal_comma = Decimale komma
reason_one_value_per_row = Eén waarde per rij, benoemd in “{ $column }”
reason_label_from_to = Begin en einde in elke rij, “{ $first }” is het begin
reason_label_word_end = “{ $word }” staat voor het einde van de periode
reason_label_word_start = “{ $word }” staat voor het begin van de periode
reason_label_day_start = Elke dag loopt van { $first } tot { $last }, dus de tijden zijn het begin
reason_label_day_end = Elke dag begint om { $first }, dus de tijden zijn het einde
reason_day_first = Dag vóór maand, vanwege het getal { $day }
reason_month_first = Maand vóór dag, vanwege het getal { $day }
reason_day_first_points = Dag vóór maand, vanwege de punten
reason_day_first_in_a_row = Dag vóór maand: alleen zo volgen de dagen elkaar op
reason_month_first_in_a_row = Maand vóór dag: alleen zo volgen de dagen elkaar op
reason_zone_offset = De tijden noemen hun tijdzone: { $example }
reason_zone_word = Tijdzone { $zone }, vanwege “{ $word }”
reason_zone_changes = Klok verzet op { $day }, zoals in { $zone }
reason_zone_stays = Klok niet verzet, dus geen zomertijd
reason_no_figures = geen meetwaarden
reason_word = “{ $word }” in de naam
reason_word_above = “{ $word }” boven de tabel
reason_part_of_others = “{ $word }”: dit heeft Luna niet nodig
reason_unit_said = in { $unit }
reason_power_unit = { $unit } is een eenheid van vermogen
reason_counter_rises = de getallen stijgen alleen, zoals bij een meter
reason_counter_of_states = energiesensoren melden meterstanden
reason_consumption_of_house = verbruik van het huis, want net of zonnestroom staat er ook in
reason_consumption_of_meter = netafname, want het bestand komt van een meter
reason_never_below_zero = nooit negatief
reason_written_below_zero = negatieve getallen
reason_both_signs = positieve en negatieve getallen
reason_added_up = Luna telt { $count } kolommen op
reason_same_as = “{ $column }” past beter
reason_price_apart = Upload het bestand nog eens voor de prijzen
reason_percent_by_figures = procent, naar de getallen
reason_share_by_figures = aandeel van 0 tot 1, naar de getallen
reason_chosen = jouw keuze
