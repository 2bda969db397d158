### What tools over a site's data tell.

# Periods.
one_day = Op { $first }
days = Van { $first } tot en met { $last }
one_day_hours = Op { $first } van { $from_clock } tot { $to_clock }
days_hours = Van { $first } { $from_clock } tot { $last } { $to_clock }

# Prices; of days that are all to come, what a tariff says today of next year may be another by then.
price_import = de afnameprijs
price_export = de terugleververgoeding
price_spot = de marktprijs van { $market }
price_mean = { $period } was { $what } gemiddeld { $mean }.
price_constant = De prijs bleef de hele tijd gelijk.
price_extremes = De laagste was { $lowest } om { $lowest_at }, de hoogste { $highest } om { $highest_at }.
price_extremes_days = De laagste was { $lowest } op { $lowest_at }, de hoogste { $highest } op { $highest_at }.
price_mean_ahead = { $period } is { $what } gemiddeld { $mean }, voor zover nu bekend.
price_constant_ahead = De prijs blijft de hele tijd gelijk.
price_extremes_ahead = De laagste is { $lowest } om { $lowest_at }, de hoogste { $highest } om { $highest_at }.
price_extremes_days_ahead = De laagste is { $lowest } op { $lowest_at }, de hoogste { $highest } op { $highest_at }.
price_negative_ahead = De prijs is { $hours } lang negatief.
price_never_negative_ahead = De prijs is nooit negatief.
price_negative = De prijs was { $hours } lang negatief.
price_never_negative = De prijs was nooit negatief.
price_same = In de periode ervoor was het gemiddelde hetzelfde, { $before }.
price_dearer = Dat is { $difference } meer dan in de periode ervoor ({ $before }).
price_cheaper = Dat is { $difference } minder dan in de periode ervoor ({ $before }).
partly_known = Prijzen zijn voor { $share } van de tijd bekend.
no_market = In het tarief van de locatie staat zo’n markt niet, dus worden daar geen marktprijzen van bewaard.
no_prices = { $period } is { $what } niet bekend.
after_contract = Na het einde van het contract
price_declared = { $period } is { $what } volgens het ingevoerde tarief { $price }; een einde noemt het niet. Loopt uw contract of de subsidie eerder af, dan geldt daarna een andere prijs, die nog niemand kent.
price_declared_between = { $period } ligt { $what } volgens het ingevoerde tarief tussen { $price } en { $highest }; een einde noemt het niet. Loopt uw contract eerder af, dan gelden daarna andere prijzen, die nog niemand kent.
price_after_contract = Wat na het einde van het contract geldt, weet nog niemand. Tot dan is { $what } volgens het ingevoerde tarief { $price }; een einde noemt het niet.
price_after_contract_between = Wat na het einde van het contract geldt, weet nog niemand. Tot dan ligt { $what } volgens het ingevoerde tarief tussen { $price } en { $highest }; een einde noemt het niet.
price_unpublished = { $period } is { $what } nog niet bekend: die volgt de markt { $market }, die haar prijzen steeds alleen voor de volgende dag bekendmaakt.
price_not_loaded = { $period } is { $what } nog niet bekend: het is een eigen prijs, en voor die tijd is er geen ingelezen.
price_known_until = Bekend is die tot { $until }.
grid_fees_unknown = { $period } zijn de nettarieven niet bekend: ze zitten in de afnameprijs en zijn niet apart ingevoerd. Uw netbeheerder maakt ze in het najaar voor het volgende jaar bekend.

# Energies and what they cost.
energies = { $period }: { $list }.
amount_consumption = { $kwh } verbruikt in totaal
amount_house = { $kwh } door het huis
amount_vehicle = { $kwh } door de auto
amount_heat_pump = { $kwh } door de warmtepomp
amount_water_heater = { $kwh } door de boiler
amount_load = { $kwh } verbruikt
amount_pv = { $kwh } zonnestroom
amount_import = { $kwh } afgenomen van het net
amount_export = { $kwh } teruggeleverd
amount_charge = { $kwh } in batterijen geladen
amount_discharge = { $kwh } uit batterijen ontladen
series_vehicle = auto
series_heat_pump = warmtepomp
series_water_heater = boiler
series_load = verbruik
series_pv = zonnestroom
series_import = afname
series_export = teruglevering
series_charge = batterij laden
series_discharge = batterij ontladen
series_import_price = afnameprijs
series_export_price = terugleververgoeding
series_spot_price = marktprijs
series_soc = laadniveau
series_cost = kosten
series_unknown = Niet vastgelegd: { $list }.
self_sufficiency = { $share } van het verbruik hoefde niet te worden gekocht.
partly_recorded = Slechts { $share } van de tijd is vastgelegd; sommen tellen wat er is.
partly_estimated = { $share } van de tijd zweeg de sensor: de som komt van de meter, het verloop is geschat.
so_far = Dat is tot { $until }.
nothing_recorded = { $period } is hiervan niets vastgelegd.
nothing_to_compare = Er valt niets te vergelijken: van een van de periodes is niets vastgelegd ({ $one }; { $other }).
bill = Afname kostte { $import_cost }, teruglevering leverde { $export_earning } op: samen { $total }.
bill_partly = Meter en prijzen zijn voor { $share } van de tijd bekend.
bill_without_peaks = Het capaciteitstarief van de maand telt niet mee.
cost_unknown = Wat het kostte, is niet bekend.
load_more = Het verbruik is in de eerste { $difference } hoger.
load_less = Het verbruik is in de eerste { $difference } lager.
cost_more = De eerste kostte { $difference } meer.
cost_less = De eerste kostte { $difference } minder.

# The site and its devices.
site = Locatie { $site }, in de tijdzone { $zone }; daar is het nu { $now }; vandaag is { $today }.
device = { $kind } { $name }: { $power }.
device_storing = { $kind } { $name }: { $capacity }, { $power }.
no_devices = Er zijn geen apparaten ingevuld.
tariff = Tarief: { $buying }, { $selling }.
tariff_peaks = Onderdelen van een capaciteitstarief: { $count }.
session = { $device } staat van { $begin } tot { $end } aan de laadpaal.
session_target = { $device } staat van { $begin } tot { $end } aan de laadpaal en moet met { $target } vertrekken.
session_no_charge = Het plan laadt in die tijd niets.
best_time = Begin het best om { $begin }: tot { $end } kost een kWh gemiddeld { $price }, meteen zou dat { $now } zijn.
best_time_now = Begin het best meteen: tot { $end } kost een kWh gemiddeld { $price }, later niet minder.
battery_since = De batterij { $doing } sinds { $begin }, gemeten tot { $end }.
battery_since_at_least = De batterij { $doing } minstens sinds { $begin }, gemeten tot { $end }; wat hij daarvoor deed, is niet vastgelegd.
battery_charges = laadt
battery_discharges = ontlaadt
battery_rests = rust
battery_told_since = Van de batterij is de laatste tijd niets gemeten. Luna geeft hem sinds { $begin } dezelfde opdracht: { $mode }.
battery_not_measured = Van de batterij is de laatste tijd niets gemeten, en Luna gaf hem geen opdracht.
no_sessions = Er is niet bekend wanneer een auto aan de laadpaal staat.

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
forecast_load = het huis verbruikt naar verwachting { $expected }; elk kwartier op zijn { $low_level }-waarde: { $low }, op zijn { $high_level }-waarde: { $high }.
forecast_pv = de zonnepanelen leveren naar verwachting { $expected }; elk kwartier op zijn { $low_level }-waarde: { $low }, op zijn { $high_level }-waarde: { $high }.
forecast_peak = Het meeste wordt verwacht op { $at }: { $power }.
forecast_ends = De voorspelling reikt tot { $until }.
forecast_issued = Dit is de voorspelling van { $version }, gemaakt op { $issued }.
no_forecast = { $period } is geen voorspelling opgeslagen.
series_load_p10 = verbruik, laag
series_load_p90 = verbruik, hoog
series_pv_p10 = zonnestroom, laag
series_pv_p90 = zonnestroom, hoog

# Plans.
no_plan = Er geldt nu geen plan.
no_plan_at = Geen plan omvat { $at }.
plan_does_not_reach = Het geldende plan omvat deze tijd niet; het eindigt op { $until }.
plan_cost = Het plan van { $issued } kost tot { $end } { $cost }.
plan_self_sufficiency = { $share } van het verbruik daarin wordt niet gekocht.
plan_window = Van { $begin } tot { $end }:
plan_charge = Batterijen laden { $total }, de eerstvolgende keer van { $begin } tot { $end } ({ $kwh }).
plan_discharge = Ze leveren { $total }, de eerstvolgende keer van { $begin } tot { $end } ({ $kwh }).
plan_no_charge = Batterijen laden niet.
plan_no_discharge = Ze leveren niets.
plan_charge_each = { $battery } laadt { $total }, de eerstvolgende keer van { $begin } tot { $end } ({ $kwh }).
plan_discharge_each = { $battery } levert { $total }, de eerstvolgende keer van { $begin } tot { $end } ({ $kwh }).
plan_no_charge_each = { $battery } laadt niet.
plan_no_discharge_each = { $battery } levert niets.
plan_soc = { $battery } is tussen { $low } en { $high } vol, aan het eind { $last }.
no_battery = De locatie heeft geen batterij.
reason_mode = { $begin } tot { $end }: { $mode }.
reason = { $text }
reason_charge = Batterijen nemen { $kwh } op.
reason_discharge = Batterijen leveren { $kwh }.
reason_price = Een gekochte kWh kost dan { $price }.
reason_value = Een opgeslagen kWh is daar { $value } waard.
reason_opposite = Het omgekeerde zou { $cost } meer kosten.
reason_opposite_little = Het omgekeerde zou nog geen cent schelen.
reason_limits = Grenzen die meespelen: { $limits }.

# What was saved.
savings_counted = { $period } tellen { $counted } van { $days } dagen mee.
savings_saved = Op { $count } daarvan stuurde Luna en bespaarde { $amount }: { $luna } in plaats van { $without } met alleen de omvormer.
savings_lost = Op { $count } daarvan stuurde Luna en kostte { $amount } meer: { $luna } in plaats van { $without } met alleen de omvormer.
savings_would_save = Op { $count } daarvan stuurde Luna niet. Luna had { $amount } bespaard: { $luna } in plaats van { $without } met alleen de omvormer.
savings_would_lose = Op { $count } daarvan stuurde Luna niet. Luna had { $amount } meer gekost: { $luna } in plaats van { $without } met alleen de omvormer.
savings_share = Dat is { $share } van de { $possible } die volledige voorkennis had bespaard.
savings_as_recorded = Nagerekend worden huis en batterij; { $devices } blijven zoals vastgelegd en tellen in deze kosten niet mee.
no_scores =
    { $days ->
        [one] { $period } is de dag niet nagespeeld, dus wat Luna heeft bespaard, is niet bekend.
       *[other] { $period } is geen van { $days } dagen nagespeeld, dus wat Luna heeft bespaard, is niet bekend.
    }

# What would be otherwise.
variant_battery_capacity_kwh = een batterij van { $value }
variant_pv_peak_kw = zonnepanelen van { $value }
variant_import_price = een afnameprijs van { $value }
variant_export_price = een terugleververgoeding van { $value }
variant_costs = Het geldende plan kost { $before }; met andere apparaten of prijzen ({ $list }) kost het { $after }.
variant_more = Met wat er in de batterijen overblijft meegeteld, is dat { $amount } meer.
variant_less = Met wat er in de batterijen overblijft meegeteld, is dat { $amount } minder.
variant_horizon = Dit gaat alleen over de dagen van het plan; over een jaar zegt het niets.
variant_needs_device = De locatie heeft geen apparaat van deze soort om te veranderen.
no_planner = Er is nu geen planner bereikbaar, dus dit is niet bekend.
planner_refused = De planner kon geen antwoord geven: { $why }.
as_it_is = zoals het is
as_it_would_be = zoals het zou zijn
