### The page Savings.

title = Besparing
headline = Luna heeft op { $days } { $days ->
        [one] dag
       *[other] dagen
    } { $saved } bespaard: { $share } van wat mogelijk was.
headline_plain = Luna heeft op { $days } { $days ->
        [one] dag
       *[other] dagen
    } { $saved } bespaard.
headline_worse = Luna heeft op { $days } { $days ->
        [one] dag
       *[other] dagen
    } { $lost } meer gekost.
would_headline = Luna had op { $days } { $days ->
        [one] dag
       *[other] dagen
    } { $saved } bespaard: { $share } van wat mogelijk was.
would_headline_plain = Luna had op { $days } { $days ->
        [one] dag
       *[other] dagen
    } { $saved } bespaard.
would_headline_worse = Luna had op { $days } { $days ->
        [one] dag
       *[other] dagen
    } { $lost } meer gekost.
further = Op nog { $days } { $days ->
        [one] dag
       *[other] dagen
    } stond de besturing uit. Luna had dan { $saved } bespaard.
as_recorded = Luna vergelijkt huis en batterij. { $devices } blijven zoals gemeten.
paid = Kosten van het hele huis: { $cost }
earned = Opbrengst van het hele huis: { $gain }
paid_unknown = Kosten van het hele huis: onbekend
would_saved = zou zijn bespaard
would_saved_share = zou zijn bespaard · { $share } van wat mogelijk was
would_lost = meer dan zonder Luna, met de besturing aan
lead = Vergeleken met je huis zonder Luna. Van de { $days } dagen zijn er { $counted } berekend.
until = Tot en met { $day }
empty_title = Er is nog geen dag berekend.
empty_lead = Luna berekent elke dag in de nacht erna. Daarvoor zijn volledige meetwaarden en een voorspelling voor die dag nodig.
cost_title = Wat Luna bespaart
cost_note = Het plan van Luna en de omvormer alleen, berekend voor dezelfde gemeten dagen. Het batterijniveau is aan begin en eind gelijk.
carbon_note = CO₂ van de gekochte stroom, per kwartier. Teruglevering telt niet mee.
carbon_missing = CO₂ is onbekend: voor deze dagen zijn er geen waarden. Upload de CO₂-waarden van het net op de pagina Gegevens (soort carbon). Bereken daarna de dagen opnieuw.
carbon_partly = Bekend op { $days } van { $counted } dagen.
period_yesterday = Gisteren
period_day = Laatste dag
period_week = Laatste 7 dagen
period_month = Laatste 30 dagen
period_empty = Van deze periode is geen dag berekend.
saved = bespaard
saved_share = bespaard · { $share } van wat mogelijk was
lost = meer dan zonder Luna
policy_self_consumption = Zonder Luna
policy_rule = Goedkoopste uren
policy_mpc = Luna
policy_oracle = Best mogelijk
all_policies = Alle strategieën als tabel
column_policy = Strategie
column_saved = Bespaard
column_carbon = CO₂
daily_title = Bespaard per dag
key_luna = Luna
key_possible = best mogelijk
key_left_out = niet berekend
daily_label = Door Luna bespaard per dag, met wat mogelijk was
daily_title_counted = { $day }: { $saved } bespaard, { $possible } mogelijk
daily_table = Als tabel
column_day = Dag
column_possible = Best mogelijk
coverage = { $share } van de dagen is berekend.
left_out_title = Niet berekend
left_excluded = de gegevens van deze dag zijn onbetrouwbaar
left_not_recorded = geen meetwaarden, of nog niet gecontroleerd
left_no_forecast = voor deze dag was er geen voorspelling
left_gaps = sommige waarden van verbruik of zonnestroom ontbreken
left_estimated = sommige waarden van verbruik of zonnestroom zijn geschat: het totaal klopt, het tijdstip is onbekend
left_no_prices = sommige prijzen van deze dag ontbreken
left_not_replayed = nog niet berekend
compute =
    { $days ->
        [one] 1 dag berekenen
       *[other] { $days } dagen berekenen
    }
compute_lead =
    { $days ->
        [one] 1 gemeten dag is nog niet berekend.
       *[other] { $days } gemeten dagen zijn nog niet berekend.
    }
who_title = Wie besliste
who_note = laatste 7 dagen
who_label = Wie besliste wat de batterij deed, dag voor dag
who_day = { $day }: { $said }
who_nobody = geen beslissing
who_planner = Plan van Luna
who_owner = Jij
who_agent = Antares
who_rule = Omvormer alleen (geen actueel plan)
who_length = { $hours } uur
who_empty = Op deze dagen stond de besturing uit en werkte de omvormer alleen. Hierboven zie je wat Luna had bespaard.
earlier = Eerder
later = Later
span = Getoonde periode
