### The page Home.

title = Home
live = Live
live_since = Values since { $t }
live_old = { $age } old
live_none = No current values
minutes = { $n } min
hours = { $n } h
days =
    { $n ->
        [one] { $n } day
       *[other] { $n } days
    }

## The headline: what the battery does now and until when, then what it does next.

# $until is empty, or a space and the next message.
until_time = until { $t }
now_full = { $name } is full and waits{ $until }
now_reserve = { $name } is at its reserve and waits{ $until }
now_filled = { $name } is as full as planned and takes no more{ $until }
now_drained = { $name } is as empty as planned and gives no more{ $until }
now_save = { $name } only stores solar surplus{ $until }
now_hold = { $name } pauses{ $until }
now_self_consumption = { $name } covers your own use{ $until }
now_supply = { $name } powers the house{ $until }
now_charge = { $name } charges from the grid{ $until }
now_export = { $name } sells to the grid{ $until }
headline_then = { $now }, then { $next }.
next_save = it only stores solar surplus
next_hold = it pauses
next_self_consumption = it covers your own use
next_supply = it powers the house
next_charge = it charges from the grid
next_export = it sells to the grid
# With control off, below this line: what Luna would do.
would = Luna is not in control. It would:
would_save = only store solar surplus{ $until }
would_hold = pause the battery{ $until }
would_self_consumption = cover your own use{ $until }
would_supply = power the house{ $until }
would_charge = charge from the grid{ $until }
would_export = sell to the grid{ $until }
would_then = { $now }, then { $next }.
# The battery does not follow the plan.
now_silent = { $name } does not respond.
now_disobeys = { $name } does not follow Luna's command.
now_spared = { $name } has received enough changes for today.
now_kept = { $name } keeps its current mode.
lead_left_alone = It runs on its own now. The steps below show the plan.
lead_kept = A change now would save too little for the wear it causes. The steps below show the plan.
battery_subject = Battery
# A house without a battery.
without_battery_solar = Your house uses solar first, then the grid.
without_battery_limited = Solar is limited now.
without_battery = Your house runs on grid power.
details = Details

## The steps, and the mark of the chart.

steps = What comes next
now = Now
step_save = { $name } only stores solar surplus
step_save_selling = { $name } waits, solar surplus is sold
step_hold = { $name } pauses
step_self_consumption = { $name } covers your own use
step_supply = { $name } gives the house { $kwh }
step_charge = { $name } charges { $kwh } at { $price }
step_export = { $name } sells { $kwh }
step_owner = You set: { $mode }
step_car = { $name } charges { $kwh } for { $cost } ({ $price }), ready by { $t }
step_heater = { $name } heats with { $kwh } for { $cost } until { $t }
step_appliance = { $name } runs with { $kwh } for { $cost }, done at { $t }

## Figures.

fact_cost = Cost, next 24 h
fact_cost_note = { $x } without Luna
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
fact_saved_note = { $x } yesterday
fact_car = Car, { $t }
fact_car_note = { $x } when plugged in

## Energy now.

flow = Energy now
flow_none = No current measured values.
flow_ago = { $n } s ago
flow_since = since { $t }
flow_car = Car
flow_grid = Grid
flow_house = House
flow_battery = Battery
flow_batteries = Batteries
flow_solar = Solar
flow_off = off
flow_selling = To the grid
flow_buying = From the grid
flow_stays = plugged in
flow_plugged = expected { $t }
steering = Devices at this moment
unknown = no data

## The plan and its chart.

plan = Plan
plan_note = made { $t }
plan_note_prices = prices known until { $t }
plan_note_predicted = with predicted prices
chart_label = Chart of the plan. Arrow keys move by a quarter-hour, Page Up and Page Down by an hour. Home goes to now.
chart_values = Values of the chosen time
no_chart = The chart needs JavaScript. The table shows every value.
compare = Compare with
show = Show
ghost_without = Without Luna
ghost_midnight = Plan at midnight
ghost_forecast = Earlier forecast
table = Table
save_csv = CSV
save_png = Picture
span_day = Day
span_all = 3 days
price = Price
power = Power
soc = Battery level
soc_together = Level of all batteries
target = target
used = used
supplied = supplied
plan_of = Plan of { $t }
expected = expected
measured = measured
estimated = estimated
planned = planned
band = forecast range
held = limited
reserve = reserve
cheap = cheap
dear = expensive
predicted = predicted prices
buy = Buy
sell = Sell
hourly = hourly average
daily = daily average
beside_house = Appliances
plan_changed = New plan from { $t }: { $mode }.
offline = Connection lost. You see the last known values.

## Why.

why = Why
why_none = There is no plan for this time.
why_more = Show more or less
part_of = part of { $span }
energy_value = Value of stored energy
worth_later = Energy in the battery is worth { $value }/kWh later; used now it saves { $now }.
worth_later_sold = Energy in the battery is worth { $value }/kWh later; sold now it earns { $now }.
worth_then = Energy in the battery was worth { $value }/kWh for later; used then it saved { $now }.
worth_then_sold = Energy in the battery was worth { $value }/kWh for later; sold then it earned { $now }.
prices = Buying costs { $buy }, selling earns { $sell }
low_part_title = Cheaper now
low_part = { $name } ({ $price } instead of up to { $highest })
opposite = Alternative
opposite_more = costs { $x } more
opposite_same = no difference
rank = Price comparison
binding = Held back by
binding_reserve = the { $soc } reserve
none = nothing
decided_by = Decided by
by_planner = Luna
by_owner = you
by_rule = fallback rule (no plan)
by_agent = Antares
by_nobody = nobody
result = Measured
result_soc = battery level { $soc } at the end
override = Override
override_until = until
override_ends = Then the plan takes over again.
override_not_armed = Control is off. Luna keeps your override and sends it once control is on.
override_by_hand = Luna only advises. It plans with your override; you set the battery yourself.

## What to do by hand.

advice = Settings for your battery
advice_until = Until { $end }: { $deed }.
advice_span = From { $start } to { $end }: { $deed }.
advice_on = From { $start } on: { $deed }.
advice_now = From now on: { $deed }.
advice_set = { $deed } (set this in your battery's app)
deed_self_consumption = leave the battery in its normal mode
deed_save = store solar surplus, block discharging
deed_hold = block charging and discharging
deed_charge = charge from the grid with { $kw } kW, up to { $soc }
deed_export = sell from the battery with { $kw } kW, down to { $soc }

## Notices.

notice_limit_unkept = Control is off, so Luna does not keep it for you.
notice_override = You set: { $mode } until { $t }.
notice_not_sent = Control is off, so Luna sends nothing. Turn control on under Schedule.
notice_by_hand = Luna only advises. Set this yourself.
notice_cannot_send = Luna cannot control your devices yet. Set up control on your home's page.
end_now = End now
extend = Extend by 1 h
notice_stale = Your meters have sent no values since { $t }.
notice_stale_more = The plan stays. The battery level shown is the planned one.
notice_unknown = Your consumption has been unknown since { $t }.
notice_unknown_more = A meter sends no new values. Check your meters. The plan stays.
notice_soc_assumed = Battery level unknown, assuming { $soc }.
notice_soc_assumed_silent = The sensor of the battery level sends no values. Check it.
notice_soc_assumed_unnamed = Connect a sensor on your home's page, under Sensors, or load a file with its values.
assumed_ahead = planned (assumed)
notice_doubt_more = Devices send such values after a restart. Luna uses the value once it has lasted 15 minutes.
notice_prices = Prices for tomorrow are late.
notice_prices_today = Prices for today are missing.
notice_prices_today_more = Luna plans with predicted prices.
notice_prices_more = Luna plans with predicted prices from { $t }.
notice_fallback = No valid plan for { $age }.
notice_fallback_more = The inverter covers your own use meanwhile.
notice_fallback_car = The last plan had the car ready by { $t }.
notice_planning = A new plan usually comes within seconds.
notice_tried = Last attempt: { $t }. Luna tries again every five minutes and whenever something changes.
plan_now = Plan now
no_plan_now = There is no current plan.
no_plan = There is no plan yet.
no_plan_lead = Luna plans as soon as it has prices and a forecast. It controls nothing until you turn control on.

## The table's headings.

table_title = Every quarter-hour
table_time = Time
table_mode = Mode
table_state = Basis
table_why = Why
back = Back to the chart
steered_title = What the devices did in between
