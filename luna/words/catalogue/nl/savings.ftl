### What the page Savings says.

title = Besparing
headline =
    { $days ->
        [one] Luna heeft in { $days } dag { $saved } bespaard: { $share } van wat mogelijk was.
       *[other] Luna heeft in { $days } dagen { $saved } bespaard: { $share } van wat mogelijk was.
    }
headline_plain =
    { $days ->
        [one] Luna heeft in { $days } dag { $saved } bespaard.
       *[other] Luna heeft in { $days } dagen { $saved } bespaard.
    }
headline_worse =
    { $days ->
        [one] Luna heeft in { $days } dag { $lost } meer gekost.
       *[other] Luna heeft in { $days } dagen { $lost } meer gekost.
    }
lead = Vergeleken met dit huis zonder Luna. Van de { $days } dagen tellen er { $counted } mee.
until = Doorgerekend t/m { $day }
empty_title = Er telt nog geen dag mee.
empty_lead = Een dag telt mee zodra hij helemaal is gemeten, er een voorspelling voor is gemaakt en elke strategie erop is nagespeeld.
cost_title = Wat energie kostte
cost_note = elke strategie nagespeeld op dezelfde gemeten dagen, met hetzelfde laadniveau aan begin en eind · gestreept: bespaard
carbon_note = stroommix per kwartier × afname; teruglevering telt niet mee
carbon_missing = Niet bekend: nergens staat hoe schoon het net op deze dagen was. Importeer de stroommix als bestand van het soort carbon en reken de dagen opnieuw door.
carbon_partly = bekend op { $days } van { $counted } dagen
period_yesterday = Gisteren
period_day = Laatste dag
period_week = Laatste 7 dagen
period_month = Laatste 30 dagen
period_empty = Van deze periode telt geen dag mee.
saved = bespaard
saved_share = bespaard · { $share } van wat mogelijk was
lost = meer dan zonder Luna
policy_self_consumption = Zonder Luna
policy_rule = Goedkoopste uren
policy_mpc = Luna
policy_oracle = Perfecte voorkennis
all_policies = Alle strategieën als tabel
column_policy = Strategie
column_cost = Kosten
column_saved = Bespaard
column_carbon = CO₂
daily_title = Bespaard per dag
key_luna = Luna
key_possible = mogelijk
key_left_out = telt niet mee
daily_label = Door Luna bespaard per dag, met wat mogelijk was
daily_title_counted = { $day }: { $saved } bespaard, { $possible } mogelijk
daily_table = Als tabel
column_day = Dag
column_possible = Mogelijk
coverage = Dekking { $share }.
left_out_title = Telt niet mee
left_excluded = de gegevens zijn niet te vertrouwen
left_not_recorded = er is niets vastgelegd, of de dag is nog niet beoordeeld
left_no_forecast = voor die dag was er geen voorspelling
left_gaps = van sommige kwartieren is het verbruik of de zonnestroom onbekend
left_estimated = van sommige kwartieren is het verbruik of de zonnestroom geschat: de som komt van de meter, het verloop is onbekend
left_no_prices = sommige prijzen van die dag zijn onbekend
left_not_replayed = nog niet doorgerekend
compute =
    { $days ->
        [one] 1 dag nu doorrekenen
       *[other] { $days } dagen nu doorrekenen
    }
compute_lead =
    { $days ->
        [one] 1 dag is gemeten en nog niet doorgerekend.
       *[other] { $days } dagen zijn gemeten en nog niet doorgerekend.
    }
who_title = Wie besliste
who_note = laatste 7 dagen
who_label = Wie besliste wat de batterij deed, dag voor dag
who_day = { $day }: { $said }
who_nobody = niets beslist
who_planner = Het plan van Luna
who_owner = Jij
who_agent = Antares
who_rule = Alleen de omvormer (geen actueel plan)
who_length = { $hours } u
who_empty = Op deze dagen besliste Luna niets: de besturing stond uit, dus de omvormer ging zijn eigen gang. Hierboven staat wat de plannen van Luna hadden bespaard.
earlier = Eerder
later = Later
span = Getoonde periode
