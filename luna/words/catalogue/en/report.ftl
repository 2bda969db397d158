### The report of the demo.

title = Luna: demo report
made = Demo report · made { $date }, { $time } in { $seconds } s · one file, works offline
headline = On { $days } test days Luna saved { $score } of what was possible.
headline_one = On one test day Luna saved { $score } of what was possible.
headline_nothing = On { $days } test days there was nothing for a battery to save.
scale = Score { $zero }: the battery does nothing. { $full }: the best possible for somebody who knows everything in advance.
household = Home using { $load } a year
solar = { $peak } kWp solar
battery = { $capacity } battery
cost =
    { $days ->
        [one] Cost, { $days } day
       *[other] Cost, { $days } days
    }
cost_note = { $idle } with an unused battery
kept = Share of possible savings
kept_note = without Luna: { $score }
safety = Safety
breaches =
    { $count ->
        [one] { $count } limit broken
       *[other] { $count } limits broken
    }
safety_note = quarter-hours checked: { $slots }
use = Battery use
cycles = { $cycles } cycles a day
use_note = battery wear counted at { $wear } per kWh
use_note_free = battery wear not counted
plan = The next { $hours } hours
plan_note = What Luna will do, and why. Point at a quarter-hour, tap it, or select the chart and use the arrow keys.
planned = planned
buy = Buy
sell = Sell
load = House
pv = Solar
charging = Battery
grid = Grid
worth = Value of stored energy
opposite = Alternative
opposite_value = { $cost } more
opposite_same = no difference
limits = Limits
none = none
part_of = part of { $first }–{ $last }
table = Every quarter-hour as a table
time = Time
mode = Mode
why = Reason
chart_label = Plan, quarter-hour by quarter-hour
score = Score
score_note =
    { $days ->
        [one] All strategies start and end with the same battery level, on the same day: { $first } to { $last }.
       *[other] All strategies start and end with the same battery level, on the same { $days } days: { $first } to { $last }.
    }
policy = Strategy
policy_cost = Cost
saved = Saved
cycles_a_day = Cycles a day
loss = What forecast errors cost
loss_note = Luna plans without knowing everything. Each step shows how many points of the score one cause costs.
loss_label = Points of the score lost, by cause
second = A second home: { $name }
second_better = Luna costs { $amount } less than the home without Luna. There is little to save here. Luna only has to cost no more.
second_equal = Luna costs the same as the home without Luna. There is little to save here. Luna only has to cost no more.
second_worse = Luna costs { $amount } more here than the home without Luna. This must not happen. Report it to us.
origin = Where the data come from
origin_note = Real measurements from different places. The table shows which data Luna moved in time or scaled.
series = Data
source = Source
licence = Licence
period = Period
changes = Changes
quality = Quality
again = Repeat it yourself
again_note = Every figure above comes from these commands.

# What forecast errors cost, by cause.
loss_of_horizon = Prices known until tomorrow only
loss_of_load_forecast = Consumption unknown
loss_of_pv_forecast = Solar unknown
