### What the page says that shows how a file of anybody's would be read.

title = Wat er in het bestand staat
headline = { $file }: zo zou het worden opgeslagen
headline_open = { $file }: één ding weet alleen jij
headline_nothing = { $file }: geef aan wat de kolommen zijn
lead = Er is nog niets opgeslagen. Verander wat niet klopt en sla het dan op.
questions = Wat het bestand niet zegt
choose = Maak een keuze
question_zone = Welke klok volgen de tijden?
question_label = Noemt een tijd het begin of het einde van het interval?
question_day_order = Staat de dag voorop, of de maand?
question_decimal = Wat is de komma in 1,234?
question_consumption = { $column }: wat het huis verbruikte, of wat uit het net werd afgenomen?
question_meaning = { $column }: wat is het?
question_unit = { $column }: in welke eenheid?
question_unit_price = { $column }: in welke eenheid?
question_sign_grid = { $column }: wat ligt boven nul?
question_sign_battery = { $column }: wat ligt boven nul?
choice_start = het begin
choice_end = het einde
choice_day_first = de dag: 31/12
choice_month_first = de maand: 12/31
choice_comma = een decimale komma: iets meer dan één
choice_point = een scheiding tussen duizendtallen: meer dan duizend
choice_import = afname
choice_export = teruglevering
choice_charge = laden
choice_discharge = ontladen
zone_local = { $zone }, met zomertijd
zone_standard = het hele jaar wintertijd ({ $zone })
zone_utc = UTC
columns = Kolommen
column = Kolom
stored_as = Opgeslagen als
unit = Eenheid
measure = De getallen zijn
why = Waarom
as_grid = Net, beide kanten op
as_battery = Batterij, beide kanten op
as_spot_price = Marktprijs
as_nothing = niet opslaan
measure_interval = energie per rij
measure_counter = meterstanden
measure_power = vermogens
measure_level = niveaus
picture = De laatste dagen ervan
totals = Waar het op uitkomt
totals_note = Vergelijk het met een rekening: een verkeerde eenheid of betekenis valt hier op.
totals_part = Het bestand is lang: dit zijn alleen het begin en het einde. Het wordt helemaal opgeslagen.
month = Maand
year = Totaal van { $year }
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
step_none = telkens als er iets veranderde
lost =
    { $count ->
        [one] De tijd van { $count } rij is niet te lezen; die gaat in quarantaine.
       *[other] De tijd van { $count } rijen is niet te lezen; ze gaan in quarantaine.
    }
again = Opnieuw tonen met deze keuzes
store = Opslaan
unanswered = Beantwoord eerst wat hierboven staat; er is niets opgeslagen.
back = Terug zonder op te slaan
reason_form_text = Tekst in { $encoding }, cellen gescheiden door “{ $separator }”
reason_form_workbook = Werkmap, blad “{ $sheet }”
reason_form_states = Geschiedenis of statistieken van Home Assistant
reason_form_records = JSON, een lijst van rijen
reason_lines_above =
    { $count ->
        [one] { $count } regel staat boven de waarden
       *[other] { $count } regels staan boven de waarden
    }
reason_decimal_comma = Decimale komma
reason_one_value_per_row = Eén waarde per rij; “{ $column }” zegt waarvan
reason_label_from_to = Intervallen van … tot; “{ $first }” is het begin
reason_label_word_end = “{ $word }” noemt het einde van elk interval
reason_label_word_start = “{ $word }” noemt het begin van elk interval
reason_label_day_start = De dagen lopen van { $first } tot { $last }: de tijden zijn het begin
reason_label_day_end = De dagen beginnen om { $first }: de tijden zijn het einde
reason_day_first = Dag vóór maand: er staat { $day }.
reason_month_first = Maand vóór dag: er staat { $day }.
reason_day_first_points = Dag vóór maand, zoals punten laten zien
reason_day_first_in_a_row = Dag vóór maand: dan volgen de dagen elkaar op
reason_month_first_in_a_row = Maand vóór dag: dan volgen de dagen elkaar op
reason_zone_offset = De tijden noemen hun tijdzone: { $example }
reason_zone_word = “{ $word }” noemt de klok: { $zone }
reason_zone_changes = De klok verspringt op { $day }, zoals in { $zone }
reason_zone_stays = De klok verspringt niet: er is geen zomertijd
reason_no_figures = geen meetwaarden
reason_word = “{ $word }” in de naam
reason_word_above = “{ $word }” boven de tabel
reason_part_of_others = “{ $word }”: niets wat Luna opslaat
reason_unit_said = in { $unit }
reason_power_unit = een vermogen, want { $unit } is er een
reason_counter_rises = stijgt alleen, zoals een meter
reason_counter_of_states = waarden van een energiesensor zijn meterstanden
reason_consumption_of_house = van het huis: net of zonnestroom staat ernaast
reason_consumption_of_meter = uit het net: het is het bestand van een meter
reason_never_below_zero = nooit onder nul
reason_written_below_zero = onder nul geschreven
reason_both_signs = komt boven en onder nul voor
reason_added_up = { $count } kolommen worden opgeteld
reason_same_as = “{ $column }” zegt hetzelfde beter
reason_price_apart = importeer het bestand nog eens, alleen voor de prijzen
reason_percent_by_figures = procenten, aan de getallen te zien
reason_share_by_figures = een deel van 1, aan de getallen te zien
reason_chosen = door jou gekozen
