### What tools over a home's data answer. The first two sentences are the answer, the others details.

# Periods.
one_day = On { $first }
days = From { $first } to { $last }
one_day_hours = On { $first }, { $from_clock } to { $to_clock },
days_hours = From { $first }, { $from_clock }, to { $last }, { $to_clock },

# Prices; those of days to come follow today's tariff, which may change by then.
price_import = the electricity price
price_export = the feed-in price
price_spot = the { $market } market price
price_mean = { $period } { $what } was { $mean } on average.
price_constant = It was the same all the time.
price_extremes = Lowest: { $lowest } ({ $lowest_at }), highest: { $highest } ({ $highest_at }).
price_mean_ahead = { $period } { $what } will be { $mean } on average, as far as known today.
price_constant_ahead = It stays the same all the time.
price_extremes_ahead = Lowest: { $lowest } ({ $lowest_at }), highest: { $highest } ({ $highest_at }).
price_negative_ahead = It is negative for { $hours }.
price_never_negative_ahead = It is never negative.
price_negative = It was negative for { $hours }.
price_never_negative = It was never negative.
price_same = In the period before, the average was the same: { $before }.
price_dearer = That is { $difference } more than in the period before ({ $before }).
price_cheaper = That is { $difference } less than in the period before ({ $before }).
partly_known = Prices are known for { $share } of the time.
no_market = Your tariff does not use this market, so Luna stores no prices for it.
no_prices = { $period } { $what } is not known.
after_contract = After your contract ends,
price_declared = { $period } { $what } is { $price }, according to the tariff you entered. It has no end date. If your contract or subsidy ends earlier, the price will change.
price_declared_between = { $period } { $what } is between { $price } and { $highest }, according to the tariff you entered. It has no end date. If your contract ends earlier, the prices will change.
price_after_contract = The price after your contract ends is not known yet. Until then { $what } is { $price }, according to the tariff you entered. It has no end date.
price_after_contract_between = The price after your contract ends is not known yet. Until then { $what } is between { $price } and { $highest }, according to the tariff you entered. It has no end date.
price_unpublished = { $period } { $what } is not known yet. It follows the market { $market }, which publishes prices for the next day only.
price_not_loaded = { $period } { $what } is not known yet. You load these prices yourself. For this time there are none.
price_known_until = It is known until { $until }.
grid_fees_unknown = { $period } the grid fees are not known: they are part of the electricity price you entered. Your grid operator publishes next year's fees in autumn.

# Energies and what they cost.
energies = { $period }: { $list }.
energies_untitled = Energy: { $list }.
amount_consumption = { $kwh } used in total
amount_house = { $kwh } by the house
amount_vehicle = { $kwh } by the car
amount_heat_pump = { $kwh } by the heat pump
amount_water_heater = { $kwh } by the water heater
amount_load = { $kwh } used
amount_pv = { $kwh } of solar
amount_import = { $kwh } bought from the grid
amount_export = { $kwh } sold to the grid
amount_charge = { $kwh } charged into the battery
amount_discharge = { $kwh } taken from the battery
series_vehicle = car
series_heat_pump = heat pump
series_water_heater = water heater
series_load = use
series_pv = solar
series_import = bought
series_export = sold
series_charge = battery charging
series_discharge = battery discharging
series_import_price = electricity price
series_export_price = feed-in price
series_spot_price = market price
series_soc = battery level
series_cost = cost
series_unknown = No values for: { $list }.
self_sufficiency = { $share } of your use did not come from the grid.
partly_recorded = Values exist for { $share } of the time. The sums leave out the rest.
partly_estimated = For { $share } of the time Luna estimates when you used it; the total comes from the meter.
so_far = This counts up to { $until }.
nothing_recorded = { $period } Luna has no values for this.
nothing_to_compare = Luna cannot compare these periods, because one of them has no values.
bill = Electricity cost { $import_cost }, feed-in earned { $export_earning }: { $total } in total.
bill_of = { $period } the total was { $total }: electricity cost { $import_cost }, feed-in earned { $export_earning }.
bill_partly = Meter values and prices are known for { $share } of the time.
bill_without_peaks = The month's capacity charge comes on top.
cost_unknown = The cost is not known, because meter values or prices are missing.
cost_unknown_of = { $period } the cost is not known, because meter values or prices are missing.
load_more_of = { $period } you used { $difference } more than in the other period.
load_less_of = { $period } you used { $difference } less than in the other period.
cost_more_of = { $period } electricity cost { $difference } more than in the other period.
cost_less_of = { $period } electricity cost { $difference } less than in the other period.
cost_more = Electricity cost { $difference } more.
cost_less = Electricity cost { $difference } less.
difference_more_other = { $period } it was { $difference } more than in the other period ({ $what }).
difference_less_other = { $period } it was { $difference } less than in the other period ({ $what }).
difference_more_forecast = That is { $difference } more than forecast ({ $what }).
difference_less_forecast = That is { $difference } less than forecast ({ $what }).
difference_more_plan = That is { $difference } more than planned ({ $what }).
difference_less_plan = That is { $difference } less than planned ({ $what }).
versus_partly = Both are known for { $share } of the time; the rest is left out.
no_plan_of = { $period } Luna has no plan from before.
daily_mean = { $period }, on an average day: { $amount }.
highest_power = Highest: { $amount } ({ $at }).
lowest_power = Lowest: { $amount } ({ $at }).
highest_power_of = { $period }, highest: { $amount } ({ $at }).
lowest_power_of = { $period }, lowest: { $amount } ({ $at }).
ranked_day = { $day } ({ $of })
highest_day = { $period } the day with the highest value was { $list }.
lowest_day = { $period } the day with the lowest value was { $list }.
highest_days = { $period } the days with the highest values were { $list }.
lowest_days = { $period } the days with the lowest values were { $list }.
share_of_use = { $period } it was { $share } of your use: { $amount }.
own_use_of = { $period } you used { $share } of your solar power at home: { $kwh }.
self_sufficiency_of = { $period } { $share } of your use did not come from the grid.
course_hours = It is usually highest from { $most_from } to { $most_to } and lowest from { $least_from } to { $least_to }.

# Why a period cost more or less than usual: the mean of the four weeks before.
reasons_dearer = { $period } electricity cost { $cost }: { $difference } more than usual ({ $usual }).
reasons_cheaper = { $period } electricity cost { $cost }: { $difference } less than usual ({ $usual }).
reasons_not_dear = { $period } it was not expensive: electricity cost { $cost }, { $difference } less than usual ({ $usual }).
reasons_not_cheap = { $period } it was not cheap: electricity cost { $cost }, { $difference } more than usual ({ $usual }).
main_cause = The main reason: { $cause } ({ $amount }).
other_cause = Also: { $cause } ({ $amount }).
opposite_cause = On the other hand: { $cause } ({ $amount }).
cause_bought_more = you bought more electricity
cause_bought_less = you bought less electricity
cause_import_price_more = each kWh you bought cost more
cause_import_price_less = each kWh you bought cost less
cause_sold_less = you sold less
cause_sold_more = you sold more
cause_export_price_less = each kWh you sold earned less
cause_export_price_more = each kWh you sold earned more
weather_sunny = The sun gave { $amount } more than usual.
weather_dull = The sun gave { $amount } less than usual.
usual_unknown = { $period } electricity cost { $cost }. There are too few days before to say what is usual.

# The home and its devices.
site = Your home { $site } is in the time zone { $zone }. It is { $now } there; today is { $today }.
device = { $kind } { $name }: { $power }.
device_storing = { $kind } { $name }: { $capacity }, { $power }.
no_devices = You have not set up any devices.
tariff = Tariff: { $buying }, { $selling }.
tariff_peaks = Parts of the capacity charge: { $count }.
session = { $device } is plugged in from { $begin } to { $end }.
session_target = { $device } is plugged in from { $begin } to { $end } and should leave with a battery level of { $target }.
session_no_charge = The plan does not charge it in that time.
best_time = Start at { $begin }: until { $end } electricity costs { $price } on average. Now it would cost { $now }.
best_time_now = Start now: until { $end } electricity costs { $price } on average. Waiting does not make it cheaper.
battery_since = The battery has been { $doing } since { $begin } (measured until { $end }).
battery_since_at_least = The battery has been { $doing } at least since { $begin } (measured until { $end }). There are no values from before.
battery_charges = charging
battery_discharges = discharging
battery_rests = idle
battery_told_since = The battery has sent no values lately. Luna's command since { $begin }: { $mode }.
battery_not_measured = The battery has sent no values lately, and Luna has sent it no command.
no_sessions = You have not entered a departure for any car.

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
forecast_load = Expected use { $expected }, forecast range { $low } to { $high }.
forecast_pv = Expected solar { $expected }, forecast range { $low } to { $high }.
forecast_peak = The highest power is { $power } ({ $at }).
forecast_ends = The forecast ends at { $until }.
forecast_issued = The forecast is from { $issued }.
no_forecast = { $period } Luna has no forecast.
series_load_p10 = use, low
series_load_p90 = use, high
series_pv_p10 = solar, low
series_pv_p90 = solar, high
series_load_expected = use, expected
series_pv_expected = solar, expected

# Plans.
no_plan = Luna has no plan at the moment.
no_plan_at = Luna has no plan for { $at }.
plan_does_not_reach = The plan does not cover this time. It ends on { $until }.
plan_cost = Until { $end } the plan costs { $cost }. The plan is from { $issued }.
plan_earns = Until { $end } the plan earns { $earning }. The plan is from { $issued }.
plan_self_sufficiency = During the plan, { $share } of your use does not come from the grid.
plan_window = From { $begin } to { $end }:
plan_charge = The battery charges { $total }, next from { $begin } to { $end } ({ $kwh }).
plan_discharge = It discharges { $total }, next from { $begin } to { $end } ({ $kwh }).
plan_no_charge = The battery does not charge.
plan_no_discharge = It does not discharge.
plan_charge_each = { $battery } charges { $total }, next from { $begin } to { $end } ({ $kwh }).
plan_discharge_each = { $battery } discharges { $total }, next from { $begin } to { $end } ({ $kwh }).
plan_no_charge_each = { $battery } does not charge.
plan_no_discharge_each = { $battery } does not discharge.
plan_soc = { $battery }: battery level { $low } to { $high }, { $last } at the end.
no_battery = Your home has no battery.
not_charging = The battery is not charging.
not_discharging = The battery is not discharging.
reason_mode = { $begin } to { $end }: { $mode }.
reason = { $text }
reason_charge = The battery charges { $kwh }.
reason_discharge = The battery discharges { $kwh }.
reason_price = Electricity then costs { $price }.
reason_value = Energy in the battery is worth { $value } later.
reason_opposite = The alternative would cost { $cost } more.
reason_opposite_little = The alternative makes no difference.
reason_limits = Limits: { $limits }.

# What Luna saved.
savings_counted = Counted: { $counted } of { $days } days.
savings_saved = { $period } Luna saved { $amount }: { $luna } instead of { $without } without Luna.
savings_lost = { $period } Luna cost { $amount } more: { $luna } instead of { $without } without Luna.
savings_would_save = { $period } Luna would have saved { $amount }: { $luna } instead of { $without } without Luna.
savings_would_lose = { $period } Luna would have cost { $amount } more: { $luna } instead of { $without } without Luna.
saved_control = Luna was in control on { $count } of the counted days.
would_save_control = Control was off on { $count } of the counted days.
savings_share = That is { $share } of the { $possible } that perfect forecasts would have saved.
savings_as_recorded = These costs cover house and battery, not: { $devices }.
no_scores =
    { $days ->
        [one] { $period } the day is not calculated yet, so its savings are not known.
       *[other] { $period } none of the { $days } days is calculated yet, so the savings are not known.
    }

# What would be different.
variant_battery_capacity_kwh = a battery of { $value }
variant_pv_peak_kw = solar of { $value }
variant_import_price = an electricity price of { $value }
variant_export_price = a feed-in price of { $value }
variant_more = With { $list } the plan costs { $amount } more. Energy left in the battery is included.
variant_less = With { $list } the plan costs { $amount } less. Energy left in the battery is included.
variant_costs = Cost of the plan: { $after } instead of { $before }.
variant_horizon = This covers only the days of the plan, not a year.
variant_needs_device = Your home has no such device.
no_planner = Luna cannot calculate this at the moment. Try again later.
planner_refused = Luna could not calculate this: { $why }
as_it_is = today
as_it_would_be = changed

# What past days would have cost at a tariff sheet's prices.
sheet_less = { $period } you would have paid { $cost } on this tariff, { $amount } less than on yours.
sheet_more = { $period } you would have paid { $cost } on this tariff, { $amount } more than on yours.
sheet_same = { $period } you would have paid { $cost } on this tariff, as much as on yours.
sheet_cost = { $period } you would have paid { $cost } on this tariff.
sheet_recorded = For what is recorded
sheet_gaps = { $period } values are missing: { $complete } of { $days } days are complete.
sheet_gaps_day = { $period } values of a part of the day are missing.
sheet_complete = Complete are { $list }.
sheet_incomplete = Not complete are { $list }.
sheet_span = { $first } to { $last }
sheet_others = others
sheet_base_whole = The base price counts for all days.
sheet_prices = Its prices: { $list }.
sheet_night = { $price } from { $from_clock } to { $to_clock }
sheet_base_month = { $price } a month
sheet_base_day = { $price } a day
sheet_currency = The tariff sheet's prices are in another currency than your home's.
