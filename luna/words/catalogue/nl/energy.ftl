### De pagina Energie: energie en geld van een dag, week, maand of jaar.

title = Energie
lead = Wat je huis verbruikte en opwekte, en wat het kostte.
unit_day = Dag
unit_week = Week
unit_month = Maand
unit_year = Jaar
choose_period = Periode
earlier = Eerder
later = Later
today = Vandaag
until = Geteld tot { $day }, { $clock }
cost_title = Kosten
cost_unknown = De kosten zijn onbekend: prijzen of meterwaarden ontbreken.
used_title = Verbruikt
bought_title = Gekocht
sold_title = Verkocht
produced_title = Opgewekt
not_recorded = geen waarden
own_supply = { $share } zelfvoorziening
own_use = { $share } daarvan gebruikte je zelf
previous_title = Vergelijking
column_energy = Energie
column_kwh = kWh
column_share = Aandeel
column_line = Post
column_cost = Kosten
column_now = Deze periode
column_previous = Periode ervoor
column_year_before = Een jaar ervoor
row_consumption = Verbruikt
row_import = Gekocht
row_pv = Opgewekt
row_export = Verkocht
row_self_sufficiency = Zelfvoorziening
row_cost = Kosten
so_far = Alle perioden hier zijn even lang.
compared_measured = { $period } · { $share } gemeten
compared_empty = Van de periode ervoor en van een jaar ervoor zijn er nog geen waarden.
sources_title = Waar de stroom vandaan kwam
uses_title = Waar de stroom heen ging
bill_title = De rekening
bill_without_demand = Het capaciteitstarief komt één keer per maand en hoort hier niet bij.
shares_title = Waar elke verbruiker zijn stroom vandaan kreeg
column_use = Verbruiker
column_solar = Zon
column_battery = Batterij
column_grid = Net
column_grid_cost = Netkosten
shares_note = Luna kan niet meten welke stroom een apparaat gebruikt. Alle krijgen dezelfde mix van zon, batterij en net.
shares_partial = Hier tellen alleen tijden met alle meetwaarden.
unmeasured_source = Niet gemeten (net of batterij)
unmetered = { $devices } { $count ->
        [one] heeft
       *[other] hebben
    } geen eigen meter en { $count ->
        [one] telt
       *[other] tellen
    } bij het huis.
partly_known = Meterwaarden zijn er voor { $share } van de tijd.
partly_priced = De kosten zijn bekend voor { $share } van de tijd.
estimated = { $energy } daarvan is geschat.
chart_label = Energie per { $part }
part_day = uur
part_week = dag
part_month = dag
part_year = maand
chart_title = Verbruik en herkomst
chart_note = boven de lijn: verbruikt, opgeslagen en verkocht · onder de lijn: zon, batterij en net
cost_chart_title = Kosten
cost_chart_label = Kosten per { $part }
cost_chart_note = energie zonder capaciteitstarief
paid = Betaald
earned = Verdiend
part_cost_unknown = niet bekend
as_table = Als tabel
column_start = Vanaf
download = Als CSV downloaden
empty_title = Voor deze periode zijn er geen waarden.
empty_lead = Kies een andere periode, of kijk op de pagina Gegevens of je meter waarden stuurt.
