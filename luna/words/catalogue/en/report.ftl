### The report of the demo.

title = Luna: demo report
made = demo report · made { $date }, { $time } in { $seconds } s · one file, opens without a network
headline = On { $days } unseen days Luna kept { $score } of what perfect foresight saves.
headline_one = On one unseen day Luna kept { $score } of what perfect foresight saves.
headline_nothing = On { $days } unseen days there was nothing for a battery to save.
scale = Score { $zero } = battery does nothing, { $full } = perfect foresight.
household = Household { $load } a year
solar = { $peak } kWp solar
battery = { $capacity } battery
cost =
    { $days ->
        [one] Cost, { $days } day
       *[other] Cost, { $days } days
    }
cost_note = { $idle } with an idle battery
kept = Kept of the possible
kept_note = inverter alone: { $score }
safety = Safety
breaches =
    { $count ->
        [one] { $count } breach
       *[other] { $count } breaches
    }
safety_note = of { $slots } set-points
use = Battery use
cycles = { $cycles } cycles a day
use_note = wear counted at { $wear } per kWh
use_note_free = wear not counted
plan = The next { $hours } hours
plan_note = What Luna will do, and why. Point at a slot, tap it, or focus the chart and use the arrow keys.
planned = planned
buy = Buy
sell = Sell
load = House
pv = Solar
charging = Battery
grid = Grid
worth = A stored kWh is worth
opposite = Doing the opposite
opposite_value = { $cost } more
limits = Limits at work
none = none
part_of = part of { $first }–{ $last }
table = Every slot as a table
time = Time
mode = Mode
why = Why
chart_label = Plan, slot by slot
score = Score
score_note =
    { $days ->
        [one] All policies start and end with the same charge, on the same day: { $first } to { $last }.
       *[other] All policies start and end with the same charge, on the same { $days } days: { $first } to { $last }.
    }
policy = Policy
policy_cost = Cost
saved = Saved
cycles_a_day = Cycles a day
loss = What forecast errors cost
loss_note = The same planner, given ever less to know. Each step is money lost to one cause, in points of score.
loss_label = Score lost by cause
second = A second house: { $name }
second_better = Luna costs { $amount } less than the inverter alone. Where little can be gained, nothing may be lost.
second_equal = Luna costs the same as the inverter alone. Where little can be gained, nothing may be lost.
second_worse = Luna costs { $amount } more than the inverter alone here. That must not happen; please report it.
origin = Where the data comes from
origin_note = Real series, measured in different places. What was shifted or scaled stands beside each.
series = Series
source = Source
licence = Licence
period = Period
changes = What was done
quality = Quality
again = Make it again
again_note = Every figure above comes from these commands.

# What forecast errors cost, by cause.
loss_of_horizon = Prices only until tomorrow
loss_of_load_forecast = Load not known
loss_of_pv_forecast = Sun not known
