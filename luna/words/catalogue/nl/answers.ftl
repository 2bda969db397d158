### What tools over a home's data answer. The first two sentences are the answer, the others details.

# Periods.
one_day = Op { $first }
days = Van { $first } tot en met { $last }
one_day_hours = Op { $first } van { $from_clock } tot { $to_clock }
days_hours = Van { $first } { $from_clock } tot { $last } { $to_clock }

# Prices; those of days to come follow today's tariff, which may change by then.
price_import = de stroomprijs
price_export = de terugleververgoeding
price_spot = de marktprijs van { $market }
price_mean = { $period } was { $what } gemiddeld { $mean }.
price_constant = De prijs bleef de hele tijd gelijk.
price_extremes = Laagste: { $lowest } ({ $lowest_at }), hoogste: { $highest } ({ $highest_at }).
price_mean_ahead = { $period } is { $what } gemiddeld { $mean }, voor zover nu bekend.
price_constant_ahead = De prijs blijft de hele tijd gelijk.
price_extremes_ahead = Laagste: { $lowest } ({ $lowest_at }), hoogste: { $highest } ({ $highest_at }).
price_negative_ahead = De prijs is { $hours } lang negatief.
price_never_negative_ahead = De prijs is nooit negatief.
price_negative = De prijs was { $hours } lang negatief.
price_never_negative = De prijs was nooit negatief.
price_same = In de periode ervoor was het gemiddelde gelijk: { $before }.
price_dearer = Dat is { $difference } meer dan in de periode ervoor ({ $before }).
price_cheaper = Dat is { $difference } minder dan in de periode ervoor ({ $before }).
partly_known = Prijzen zijn bekend voor { $share } van de tijd.
no_market = Je tarief gebruikt deze markt niet, dus Luna bewaart er geen prijzen van.
no_prices = { $period } is { $what } niet bekend.
after_contract = Na het einde van je contract
price_declared = { $period } is { $what } { $price }, volgens het tarief dat je invulde. Het heeft geen einddatum. Eindigt je contract of subsidie eerder, dan verandert de prijs.
price_declared_between = { $period } ligt { $what } tussen { $price } en { $highest }, volgens het tarief dat je invulde. Het heeft geen einddatum. Eindigt je contract eerder, dan veranderen de prijzen.
price_after_contract = De prijs na het einde van je contract is nog niet bekend. Tot dan is { $what } { $price }, volgens het tarief dat je invulde. Het heeft geen einddatum.
price_after_contract_between = De prijs na het einde van je contract is nog niet bekend. Tot dan ligt { $what } tussen { $price } en { $highest }, volgens het tarief dat je invulde. Het heeft geen einddatum.
price_unpublished = { $period } is { $what } nog niet bekend. Die volgt de markt { $market }, die alleen prijzen voor de volgende dag bekendmaakt.
price_not_loaded = { $period } is { $what } nog niet bekend. Deze prijzen importeer je zelf. Voor deze tijd zijn er geen.
price_known_until = De prijs is bekend tot { $until }.
grid_fees_unknown = { $period } zijn de nettarieven niet bekend: ze zitten in de stroomprijs die je invulde. Je netbeheerder maakt ze in het najaar voor het volgende jaar bekend.

# Energies and what they cost.
energies = { $period }: { $list }.
energies_untitled = Energie: { $list }.
amount_consumption = { $kwh } verbruikt in totaal
amount_house = { $kwh } door het huis
amount_vehicle = { $kwh } door de auto
amount_heat_pump = { $kwh } door de warmtepomp
amount_water_heater = { $kwh } door de boiler
amount_load = { $kwh } verbruikt
amount_pv = { $kwh } zonnestroom
amount_import = { $kwh } gekocht van het net
amount_export = { $kwh } teruggeleverd
amount_charge = { $kwh } in de batterij geladen
amount_discharge = { $kwh } uit de batterij gehaald
series_vehicle = auto
series_heat_pump = warmtepomp
series_water_heater = boiler
series_load = verbruik
series_pv = zon
series_import = gekocht
series_export = teruggeleverd
series_charge = batterij laden
series_discharge = batterij ontladen
series_import_price = stroomprijs
series_export_price = terugleververgoeding
series_spot_price = marktprijs
series_soc = batterijniveau
series_cost = kosten
series_unknown = Geen waarden voor: { $list }.
self_sufficiency = { $share } van je verbruik kwam niet van het net.
partly_recorded = Er zijn waarden voor { $share } van de tijd. De rest ontbreekt in de sommen.
partly_estimated = Voor { $share } van de tijd schat Luna wanneer je stroom gebruikte; de som komt van de meter.
so_far = Geteld is tot { $until }.
nothing_recorded = { $period } heeft Luna hiervan geen waarden.
nothing_to_compare = Luna kan deze periodes niet vergelijken, want voor één ontbreken de waarden.
bill = Stroom kostte { $import_cost }, terugleveren leverde { $export_earning } op: samen { $total }.
bill_of = { $period } was het samen { $total }: stroom kostte { $import_cost }, terugleveren leverde { $export_earning } op.
bill_partly = Meterstanden en prijzen zijn bekend voor { $share } van de tijd.
bill_without_peaks = Het capaciteitstarief van de maand telt niet mee.
cost_unknown = De kosten zijn niet bekend, want er ontbreken meterstanden of prijzen.
cost_unknown_of = { $period } zijn de kosten niet bekend, want er ontbreken meterstanden of prijzen.
load_more_of = { $period } verbruikte je { $difference } meer dan in de andere periode.
load_less_of = { $period } verbruikte je { $difference } minder dan in de andere periode.
cost_more_of = { $period } kostte stroom { $difference } meer dan in de andere periode.
cost_less_of = { $period } kostte stroom { $difference } minder dan in de andere periode.
cost_more = Stroom kostte { $difference } meer.
cost_less = Stroom kostte { $difference } minder.
difference_more_other = { $period } was het { $difference } meer dan in de andere periode ({ $what }).
difference_less_other = { $period } was het { $difference } minder dan in de andere periode ({ $what }).
difference_more_forecast = Dat is { $difference } meer dan voorspeld ({ $what }).
difference_less_forecast = Dat is { $difference } minder dan voorspeld ({ $what }).
difference_more_plan = Dat is { $difference } meer dan gepland ({ $what }).
difference_less_plan = Dat is { $difference } minder dan gepland ({ $what }).
versus_partly = Beide zijn bekend voor { $share } van de tijd; de rest telt niet mee.
no_plan_of = { $period } heeft Luna geen plan van tevoren.
daily_mean = { $period } op een gemiddelde dag: { $amount }.
highest_power = Hoogst: { $amount } ({ $at }).
lowest_power = Laagst: { $amount } ({ $at }).
highest_power_of = { $period } het hoogst: { $amount } ({ $at }).
lowest_power_of = { $period } het laagst: { $amount } ({ $at }).
ranked_day = { $day } ({ $of })
highest_day = { $period } was de dag met de hoogste waarde { $list }.
lowest_day = { $period } was de dag met de laagste waarde { $list }.
highest_days = { $period } waren de dagen met de hoogste waarden { $list }.
lowest_days = { $period } waren de dagen met de laagste waarden { $list }.
share_of_use = { $period } was dat { $share } van je verbruik: { $amount }.
own_use_of = { $period } heb je { $share } van je zonnestroom zelf gebruikt: { $kwh }.
self_sufficiency_of = { $period } kwam { $share } van je verbruik niet van het net.
course_hours = Meestal is het van { $most_from } tot { $most_to } het meest en van { $least_from } tot { $least_to } het minst.

# Why a period cost more or less than usual: the mean of the four weeks before.
reasons_dearer = { $period } kostte stroom { $cost }: { $difference } meer dan anders ({ $usual }).
reasons_cheaper = { $period } kostte stroom { $cost }: { $difference } minder dan anders ({ $usual }).
reasons_not_dear = { $period } was het niet duur: stroom kostte { $cost }, { $difference } minder dan anders ({ $usual }).
reasons_not_cheap = { $period } was het niet goedkoop: stroom kostte { $cost }, { $difference } meer dan anders ({ $usual }).
main_cause = De belangrijkste reden: { $cause } ({ $amount }).
other_cause = Verder: { $cause } ({ $amount }).
opposite_cause = Daartegenover: { $cause } ({ $amount }).
cause_bought_more = je kocht meer stroom
cause_bought_less = je kocht minder stroom
cause_import_price_more = elke gekochte kWh was duurder
cause_import_price_less = elke gekochte kWh was goedkoper
cause_sold_less = je leverde minder terug
cause_sold_more = je leverde meer terug
cause_export_price_less = elke teruggeleverde kWh leverde minder op
cause_export_price_more = elke teruggeleverde kWh leverde meer op
weather_sunny = De zon gaf { $amount } meer dan anders.
weather_dull = De zon gaf { $amount } minder dan anders.
usual_unknown = { $period } kostte stroom { $cost }. Er zijn te weinig dagen ervoor om te zeggen wat normaal is.

# The home and its devices.
site = Je huis { $site } ligt in de tijdzone { $zone }. Daar is het nu { $now }; vandaag is het { $today }.
device = { $kind } { $name }: { $power }.
device_storing = { $kind } { $name }: { $capacity }, { $power }.
no_devices = Je hebt nog geen apparaten ingesteld.
tariff = Tarief: { $buying }, { $selling }.
tariff_peaks = Onderdelen van het capaciteitstarief: { $count }.
session = { $device } is aangesloten van { $begin } tot { $end }.
session_target = { $device } is aangesloten van { $begin } tot { $end } en moet vertrekken met een batterijniveau van { $target }.
session_no_charge = Het plan laadt in die tijd niet.
best_time = Start op { $begin }: tot { $end } kost stroom gemiddeld { $price }. Nu zou dat { $now } zijn.
best_time_now = Start nu: tot { $end } kost stroom gemiddeld { $price }. Wachten maakt het niet goedkoper.
battery_since = De batterij { $doing } sinds { $begin } (gemeten tot { $end }).
battery_since_at_least = De batterij { $doing } minstens sinds { $begin } (gemeten tot { $end }). Van daarvoor zijn er geen waarden.
battery_charges = laadt
battery_discharges = ontlaadt
battery_rests = pauzeert
battery_told_since = De batterij stuurde de laatste tijd geen waarden. Opdracht van Luna sinds { $begin }: { $mode }.
battery_not_measured = De batterij stuurde de laatste tijd geen waarden, en Luna stuurde geen opdracht.
no_sessions = Je hebt voor geen enkele auto een vertrek ingevuld.

# Titles of charts.
chart_prices = Prijzen
chart_energies = Energie
chart_comparison = Twee periodes
chart_forecast = Voorspelling
chart_plan = Plan
chart_savings = Kosten per dag
chart_variant = Kosten van het plan

# Forecasts.
forecast_window = Van { $begin } tot { $end }:
forecast_load = Verwacht verbruik { $expected }, bandbreedte { $low } tot { $high }.
forecast_pv = Verwachte zonnestroom { $expected }, bandbreedte { $low } tot { $high }.
forecast_peak = Het hoogste vermogen is { $power } ({ $at }).
forecast_ends = De voorspelling loopt tot { $until }.
forecast_issued = De voorspelling is van { $issued }.
no_forecast = { $period } heeft Luna geen voorspelling.
series_load_p10 = verbruik, laag
series_load_p90 = verbruik, hoog
series_pv_p10 = zon, laag
series_pv_p90 = zon, hoog
series_load_expected = verbruik, verwacht
series_pv_expected = zon, verwacht

# Plans.
no_plan = Luna heeft nu geen plan.
no_plan_at = Luna heeft geen plan voor { $at }.
plan_does_not_reach = Het plan omvat deze tijd niet. Het eindigt op { $until }.
plan_cost = Tot { $end } kost het plan { $cost }. Het is van { $issued }.
plan_earns = Tot { $end } levert het plan { $earning } op. Het is van { $issued }.
plan_self_sufficiency = Tijdens het plan komt { $share } van je verbruik niet van het net.
plan_window = Van { $begin } tot { $end }:
plan_charge = De batterij laadt { $total }, eerstvolgend van { $begin } tot { $end } ({ $kwh }).
plan_discharge = Hij ontlaadt { $total }, eerstvolgend van { $begin } tot { $end } ({ $kwh }).
plan_no_charge = De batterij laadt niet.
plan_no_discharge = Hij ontlaadt niet.
plan_charge_each = { $battery } laadt { $total }, eerstvolgend van { $begin } tot { $end } ({ $kwh }).
plan_discharge_each = { $battery } ontlaadt { $total }, eerstvolgend van { $begin } tot { $end } ({ $kwh }).
plan_no_charge_each = { $battery } laadt niet.
plan_no_discharge_each = { $battery } ontlaadt niet.
plan_soc = { $battery }: batterijniveau { $low } tot { $high }, aan het eind { $last }.
no_battery = Je huis heeft geen batterij.
not_charging = De batterij laadt niet.
not_discharging = De batterij ontlaadt niet.
reason_mode = { $begin } tot { $end }: { $mode }.
reason = { $text }
reason_charge = De batterij laadt { $kwh }.
reason_discharge = De batterij ontlaadt { $kwh }.
reason_price = Stroom kost dan { $price }.
reason_value = Stroom in de batterij is later { $value } waard.
reason_opposite = Het alternatief zou { $cost } meer kosten.
reason_opposite_little = Het alternatief maakt geen verschil.
reason_limits = Grenzen: { $limits }.

# What Luna saved.
savings_counted = Geteld: { $counted } van { $days } dagen.
savings_saved = { $period } bespaarde Luna { $amount }: { $luna } in plaats van { $without } zonder Luna.
savings_lost = { $period } kostte Luna { $amount } meer: { $luna } in plaats van { $without } zonder Luna.
savings_would_save = { $period } had Luna { $amount } bespaard: { $luna } in plaats van { $without } zonder Luna.
savings_would_lose = { $period } had Luna { $amount } meer gekost: { $luna } in plaats van { $without } zonder Luna.
saved_control = Luna stuurde op { $count } van de getelde dagen.
would_save_control = De besturing was uit op { $count } van de getelde dagen.
savings_share = Dat is { $share } van de { $possible } die met perfecte voorspellingen mogelijk was.
savings_as_recorded = Deze kosten omvatten huis en batterij, niet: { $devices }.
no_scores =
    { $days ->
        [one] { $period } is de dag nog niet berekend, dus de besparing is niet bekend.
       *[other] { $period } is van { $days } dagen nog geen enkele berekend, dus de besparing is niet bekend.
    }

# What would be different.
variant_battery_capacity_kwh = een batterij van { $value }
variant_pv_peak_kw = zonnepanelen van { $value }
variant_import_price = een stroomprijs van { $value }
variant_export_price = een terugleververgoeding van { $value }
variant_more = Met { $list } kost het plan { $amount } meer. De stroom die in de batterij blijft, telt mee.
variant_less = Met { $list } kost het plan { $amount } minder. De stroom die in de batterij blijft, telt mee.
variant_costs = Kosten van het plan: { $after } in plaats van { $before }.
variant_horizon = Dit geldt alleen voor de dagen van het plan, niet voor een jaar.
variant_needs_device = Je huis heeft zo’n apparaat niet.
no_planner = Luna kan dit nu niet berekenen. Probeer het later opnieuw.
planner_refused = Luna kon dit niet berekenen: { $why }
as_it_is = nu
as_it_would_be = veranderd

# Wat voorbije dagen tegen de prijzen van een tariefblad hadden gekost.
sheet_less = { $period } had je met dit tarief { $cost } betaald, { $amount } minder dan met het jouwe.
sheet_more = { $period } had je met dit tarief { $cost } betaald, { $amount } meer dan met het jouwe.
sheet_same = { $period } had je met dit tarief { $cost } betaald, evenveel als met het jouwe.
sheet_cost = { $period } had je met dit tarief { $cost } betaald.
sheet_recorded = Voor wat is gemeten
sheet_gaps = { $period } ontbreken waarden: { $complete } van { $days } dagen zijn volledig.
sheet_gaps_day = { $period } ontbreken waarden van een deel van de dag.
sheet_complete = Volledig zijn { $list }.
sheet_incomplete = Onvolledig zijn { $list }.
sheet_span = { $first } tot en met { $last }
sheet_others = andere
sheet_base_whole = Het vaste bedrag telt voor alle dagen.
sheet_prices = De prijzen: { $list }.
sheet_night = { $price } van { $from_clock } tot { $to_clock }
sheet_base_month = { $price } per maand
sheet_base_day = { $price } per dag
sheet_currency = Het tariefblad noemt prijzen in een andere munt dan die van je huis.
