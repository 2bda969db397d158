### What tools over a site's data tell.

# Periods.
one_day = On { $first }
days = From { $first } to { $last }
one_day_hours = On { $first }, { $from_clock } to { $to_clock },
days_hours = From { $first }, { $from_clock }, to { $last }, { $to_clock },

# Prices; of days that are all to come, what a tariff says today of next year may be another by then.
price_import = the import price
price_export = the feed-in price
price_spot = the { $market } spot price
price_mean = { $period } { $what } averaged { $mean }.
price_constant = It was the same throughout.
price_extremes = The lowest was { $lowest } at { $lowest_at }, the highest { $highest } at { $highest_at }.
price_extremes_days = The lowest was { $lowest } on { $lowest_at }, the highest { $highest } on { $highest_at }.
price_mean_ahead = { $period } { $what } averages { $mean }, as far as is known today.
price_constant_ahead = It is the same throughout.
price_extremes_ahead = The lowest is { $lowest } at { $lowest_at }, the highest { $highest } at { $highest_at }.
price_extremes_days_ahead = The lowest is { $lowest } on { $lowest_at }, the highest { $highest } on { $highest_at }.
price_negative_ahead = For { $hours } it is below zero.
price_never_negative_ahead = It is never below zero.
price_negative = For { $hours } it was below zero.
price_never_negative = It was never below zero.
price_same = The period before it averaged the same, { $before }.
price_dearer = That is { $difference } more than in the period before it ({ $before }).
price_cheaper = That is { $difference } less than in the period before it ({ $before }).
partly_known = Prices are known for { $share } of the time.
no_market = The site's tariff names no such market, so no spot prices are kept for it.
no_prices = { $period } { $what } is not known.
after_contract = After the contract has ended,
price_declared = { $period } { $what } is { $price } by the tariff entered for your home, which names no end. If your contract or its support ends before then, another price holds, and nobody knows it yet.
price_declared_between = { $period } { $what } is between { $price } and { $highest } by the tariff entered for your home, which names no end. If your contract ends before then, other prices hold, and nobody knows them yet.
price_after_contract = Nobody knows yet what holds after the contract has ended. Until then { $what } is { $price } by the tariff entered for your home; it names no end.
price_after_contract_between = Nobody knows yet what holds after the contract has ended. Until then { $what } is between { $price } and { $highest } by the tariff entered for your home; it names no end.
price_unpublished = { $period } { $what } is not known yet: it follows the market { $market }, which publishes its prices for the next day only.
price_not_loaded = { $period } { $what } is not known yet: it is a price of your own, and none has been loaded for that time.
price_known_until = It is known until { $until }.
grid_fees_unknown = { $period } grid fees are not known: they are part of the import price and are not entered by themselves. The operator of your grid publishes them for the next year in the autumn.

# Energies and what they cost.
energies = { $period }: { $list }.
amount_consumption = { $kwh } used in all
amount_house = { $kwh } by the house
amount_vehicle = { $kwh } by the car
amount_heat_pump = { $kwh } by the heat pump
amount_water_heater = { $kwh } by the water heater
amount_load = { $kwh } used by the house
amount_pv = { $kwh } from PV
amount_import = { $kwh } bought from the grid
amount_export = { $kwh } fed in
amount_charge = { $kwh } charged into batteries
amount_discharge = { $kwh } discharged from batteries
series_vehicle = car
series_heat_pump = heat pump
series_water_heater = water heater
series_load = consumption
series_pv = PV
series_import = import
series_export = feed-in
series_charge = battery charging
series_discharge = battery discharging
series_import_price = import price
series_export_price = feed-in price
series_spot_price = spot price
series_soc = state of charge
series_cost = cost
series_unknown = Not recorded: { $list }.
self_sufficiency = { $share } of the consumption did not have to be bought.
partly_recorded = Only { $share } of the time is recorded; sums count what is there.
partly_estimated = { $share } of the time was silent: its sum is the meter's, its course is estimated.
so_far = That is up to { $until }.
nothing_recorded = { $period } nothing of this is recorded.
nothing_to_compare = There is nothing to compare: of one period nothing is recorded ({ $one }; { $other }).
bill = Import cost { $import_cost }, feed-in earned { $export_earning }: { $total } in all.
bill_partly = Meter and prices are known for { $share } of the time.
bill_without_peaks = The month's capacity charge is not counted.
cost_unknown = What it cost is not known.
load_more = Consumption is { $difference } higher in the first.
load_less = Consumption is { $difference } lower in the first.
cost_more = The first cost { $difference } more.
cost_less = The first cost { $difference } less.

# The site and its devices.
site = Site { $site }, in the time zone { $zone }; there it is now { $now }; today is { $today }.
device = { $kind } { $name }: { $power }.
device_storing = { $kind } { $name }: { $capacity }, { $power }.
no_devices = No devices are described.
tariff = Tariff: { $buying }, { $selling }.
tariff_peaks = Components of a capacity tariff: { $count }.
session = { $device } is at its charger from { $begin } to { $end }.
session_target = { $device } is at its charger from { $begin } to { $end } and is to leave with { $target }.
session_no_charge = The plan charges nothing in this session.
best_time = Best begin at { $begin }: until { $end } a kWh costs { $price } on average, at once it would cost { $now }.
best_time_now = Best begin at once: until { $end } a kWh costs { $price } on average, later no less.
battery_since = The battery has been { $doing } since { $begin }, as measured up to { $end }.
battery_since_at_least = The battery has been { $doing } at least since { $begin }, as measured up to { $end }; what it did before is not recorded.
battery_charges = charging
battery_discharges = discharging
battery_rests = resting
battery_told_since = Nothing was measured of the battery lately. Luna has told it the same since { $begin }: { $mode }.
battery_not_measured = Nothing was measured of the battery lately, and Luna told it nothing.
no_sessions = No stay at a charger is known.

# Titles of charts.
chart_prices = Prices
chart_energies = Energy
chart_comparison = Two periods
chart_forecast = Forecast
chart_plan = Plan
chart_savings = Cost per day
chart_variant = Cost of the plan

# Forecasts.
forecast_window = From { $begin } to { $end }:
forecast_load = the house is expected to use { $expected }; every slot at its { $low_level } value: { $low }, at its { $high_level } value: { $high }.
forecast_pv = PV is expected to bring { $expected }; every slot at its { $low_level } value: { $low }, at its { $high_level } value: { $high }.
forecast_peak = Most is expected on { $at }: { $power }.
forecast_ends = The forecast reaches to { $until }.
forecast_issued = This is the forecast of { $version }, issued on { $issued }.
no_forecast = { $period } no forecast is stored.
series_load_p10 = consumption, low
series_load_p90 = consumption, high
series_pv_p10 = PV, low
series_pv_p90 = PV, high

# Plans.
no_plan = No plan is in force.
no_plan_at = No plan covers { $at }.
plan_does_not_reach = The plan in force covers none of this time; it ends on { $until }.
plan_cost = The plan of { $issued } costs { $cost } up to { $end }.
plan_self_sufficiency = { $share } of the consumption in it is not bought.
plan_window = From { $begin } to { $end }:
plan_charge = Batteries charge { $total }, next from { $begin } to { $end } ({ $kwh }).
plan_discharge = They give { $total }, next from { $begin } to { $end } ({ $kwh }).
plan_no_charge = Batteries do not charge.
plan_no_discharge = They give nothing.
plan_charge_each = { $battery } charges { $total }, next from { $begin } to { $end } ({ $kwh }).
plan_discharge_each = { $battery } gives { $total }, next from { $begin } to { $end } ({ $kwh }).
plan_no_charge_each = { $battery } does not charge.
plan_no_discharge_each = { $battery } gives nothing.
plan_soc = { $battery } is between { $low } and { $high } full, at the end { $last }.
no_battery = The site has no battery.
reason_mode = { $begin } to { $end }: { $mode }.
reason = { $text }
reason_charge = Batteries take { $kwh }.
reason_discharge = Batteries give { $kwh }.
reason_price = A bought kWh costs { $price } then.
reason_value = A stored kWh is worth { $value } there.
reason_opposite = The opposite would cost { $cost } more.
reason_opposite_little = The opposite would cost less than a cent more or less.
reason_limits = Limits at work: { $limits }.

# What was saved.
savings_counted = { $period } { $counted } of { $days } days count.
savings_saved = On { $count } of them Luna was in control and saved { $amount }: { $luna } instead of { $without } with the inverter alone.
savings_lost = On { $count } of them Luna was in control and cost { $amount } more: { $luna } instead of { $without } with the inverter alone.
savings_would_save = On { $count } of them Luna was not in control. It would have saved { $amount }: { $luna } instead of { $without } with the inverter alone.
savings_would_lose = On { $count } of them Luna was not in control. It would have cost { $amount } more: { $luna } instead of { $without } with the inverter alone.
savings_share = That is { $share } of the { $possible } that perfect foresight would have saved.
savings_as_recorded = The replay covers house and battery; { $devices } stay as recorded and are not part of these costs.
no_scores =
    { $days ->
        [one] { $period } the day has not been replayed, so what Luna saved is not known.
       *[other] { $period } none of { $days } days has been replayed, so what Luna saved is not known.
    }

# What would be otherwise.
variant_battery_capacity_kwh = a battery of { $value }
variant_pv_peak_kw = PV of { $value }
variant_import_price = an import price of { $value }
variant_export_price = a feed-in price of { $value }
variant_costs = The plan in force costs { $before }; with other equipment or prices ({ $list }) it costs { $after }.
variant_more = With what is left in the batteries counted, that is { $amount } more.
variant_less = With what is left in the batteries counted, that is { $amount } less.
variant_horizon = This is about the days of the plan alone; it says nothing of a year.
variant_needs_device = The site has no device of this kind to change.
no_planner = No planner can be asked at the moment, so this is not known.
planner_refused = The planner could not answer: { $why }.
as_it_is = as it is
as_it_would_be = as it would be
