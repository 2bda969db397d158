### What the page Home says.

title = Home
live = Live
live_since = Values since { $t }
live_old = { $age } old
live_none = No values yet
minutes = { $n } min
hours = { $n } h
days =
    { $n ->
        [one] { $n } day
       *[other] { $n } days
    }

## What the battery does now, and what it does next.

now_full = { $name } is full and waits.
now_reserve = { $name } is at its reserve and waits.
now_filled = { $name } is as full as it is to be.
now_drained = { $name } is as empty as it is to be.
now_save = { $name } waits.
now_hold = { $name } holds its charge.
now_self_consumption = { $name } follows the house.
now_supply = { $name } runs the house.
now_charge = { $name } charges from the grid.
now_export = { $name } sells.
now_silent = { $name } does not answer.
now_disobeys = { $name } does something else than it was told.
now_spared = { $name } is spared: it was told as much today as its memory bears.
now_kept = { $name } goes on as before.
lead_left_alone = It is left to itself; the steps below are the plan's.
lead_kept = A change now would gain too little for the wear of the device's memory; the steps below are the plan's.
next_save = From { $t } it waits.
next_hold = From { $t } it holds its charge.
next_self_consumption = From { $t } it follows the house.
next_supply = From { $t } it runs the house.
next_charge = From { $t } it charges.
next_export = From { $t } it sells.
battery_subject = Battery
without_battery = The plan is made.

## The steps, and the mark of the chart.

steps = What comes next
now = Now
step_save = { $name } waits
step_save_selling = { $name } waits, solar surplus is sold
step_hold = { $name } holds its charge
step_self_consumption = { $name } follows the house
step_supply = { $name } gives the house { $kwh }
step_charge = { $name } takes { $kwh } at { $price }
step_export = { $name } sells { $kwh }
step_owner = { $mode }, as you decided
step_car = { $name } charges { $kwh } for { $cost } ({ $price }), ready by { $t }
step_heater = { $name } heats with { $kwh } for { $cost } until { $t }
step_appliance = { $name } runs with { $kwh } for { $cost }, done at { $t }

## Figures.

fact_cost = Next 24 h
fact_cost_note = instead of { $x } without Luna
fact_paid = Paid today so far
fact_paid_note = { $x } by midnight
fact_paid_note_yesterday = { $x } yesterday
fact_would_save = Luna would save today
fact_solar = Solar today
fact_solar_note = { $x } still to come
fact_stored = In the battery
fact_stored_each = { $name }, stored
fact_stored_note = worth { $x }
fact_saved = Saved today
fact_saved_note = { $x } yesterday, beside the inverter alone
fact_car = Car, { $t }
fact_car_note = from { $x } at plug-in

## Energy now.

flow = Energy now
flow_none = No measured values yet.
flow_ago = { $n } s ago
flow_since = since { $t }
flow_car = Car
flow_grid = Grid
flow_house = House
flow_battery = Battery
flow_batteries = Batteries
flow_solar = Solar
flow_off = off
flow_selling = selling
flow_buying = buying
flow_stays = plugged in
flow_plugged = comes { $t }
unknown = no data

## The plan and its chart.

plan = Plan
plan_note = planned { $t }
plan_note_prices = prices known until { $t }
plan_note_predicted = with predicted prices
chart_label = Plan. Arrow keys choose a quarter-hour, Page Up and Page Down an hour, Home the one that runs now.
chart_values = Values of the chosen time
no_chart = The chart needs a script. Every value stands in the table.
compare = Compare with
show = Show
ghost_without = Without Luna
ghost_midnight = Midnight's plan
ghost_forecast = Forecast then
table = Table
save_csv = CSV
save_png = Picture
span_day = Day
span_all = 3 days
price = Price
power = Power
soc = Battery charge
soc_together = Charge of all batteries together
target = target
used = used
supplied = supplied
plan_of = Plan of { $t }
expected = expected
measured = measured
estimated = estimated
planned = planned
band = P10–P90
held = held back
reserve = reserve
cheap = cheap
dear = dear
predicted = predicted prices
buy = Buy
sell = Sell
hourly = hourly mean
daily = daily mean
beside_house = Appliances
plan_changed = Plan changed from { $t } on: { $mode }.
offline = Connection lost. Shown is what was known last.

## Why.

why = Why
why_none = No plan says anything of this time.
why_more = More or less of it
part_of = part of { $span }
energy_value = A stored kWh is worth
keep_range = worth keeping between { $a } and { $b }
ruler = Selling pays { $sell }, buying costs { $buy }
opposite = Doing the opposite
opposite_more = { $x } more
rank = Price rank, 1 is cheapest
rank_of = { $rank } of { $count }
binding = Limits at work
none = none
decided_by = Decided by
by_planner = planner
by_owner = you
by_rule = fallback rule
by_agent = Antares
by_nobody = nobody
result = Measured
result_soc = { $soc } at the end
override = Do something else
override_until = until
override_ends = Then the plan takes over again.
override_not_armed = Luna only reads here: your choice is kept, and sent once control is armed.
override_by_hand = Luna only advises here: your choice is planned with, and you set it yourself.

## What to do by hand.

advice = What to do by hand
advice_until = Until { $end }: { $deed }.
advice_span = From { $start } to { $end }: { $deed }.
advice_on = From { $start } on: { $deed }.
advice_now = From now on: { $deed }.
advice_set = { $deed }; set it in your battery's app
deed_self_consumption = leave the battery to itself, as it works every day
deed_save = store the sun's surplus, and let the battery give nothing
deed_hold = let the battery rest: neither charge nor discharge
deed_charge = charge the battery from the grid with { $kw } kW, up to { $soc }
deed_export = sell from the battery with { $kw } kW, down to { $soc }

## Notices.

notice_override = You decided: { $mode } until { $t }.
notice_not_sent = Nothing is sent: the site is not armed. The page Planning arms it.
notice_by_hand = Luna only advises: set it yourself.
notice_cannot_send = Nothing can be sent: Luna does not know how your devices are told.
would = Luna would, if anything were sent to your devices:
end_now = End now
extend = Extend 1 h
notice_stale = No measured values since { $t }.
notice_unknown = What the house uses is not known since { $t }.
notice_unknown_more = A meter says nothing, or nothing new. The plan stays.
notice_stale_more = The plan stays; how full the battery is now is what it had planned.
notice_soc_assumed = How full the battery is, nobody has measured of late: { $soc } is assumed.
notice_soc_assumed_silent = See why the sensor of its charge says nothing; with what it says the next plan is made anew.
notice_soc_assumed_unnamed = Name the sensor of its charge on the site's page, under Sensors, or load a file that says it.
assumed_ahead = planned (assumed)
notice_doubt_more = A device that starts again says such things; what it says for a quarter of an hour is believed.
notice_prices = Prices for tomorrow are late.
notice_prices_today = Prices for today are missing.
notice_prices_today_more = Planned with predicted prices.
notice_prices_more = Planned with predicted prices from { $t } on.
notice_fallback = No valid plan for { $age }.
notice_fallback_more = The inverter follows the house by itself.
notice_fallback_car = The car's last plan was to be ready by { $t }.
notice_planning = Luna plans by itself within seconds, as long as its services run.
notice_tried = Tried last { $t }; it is tried again as soon as something changes, and every five minutes.
plan_now = Plan now
no_plan_now = Luna is watching. No plan holds now.
no_plan = Luna is watching. There is no plan yet.
no_plan_lead = It plans as soon as prices and a forecast are there. Nothing is controlled until you allow it.

## The table's headings.

table_title = Every quarter-hour
table_time = Time
table_mode = Mode
table_state = State
table_why = Why
back = Back to the chart
