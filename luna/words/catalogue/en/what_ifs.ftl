### The page What if.

title = What if
headline = What if your home had another battery, roof or price?
lead = Luna calculates past days again with the change. Weather, prices and habits stay the same.
ask_title = Your change
from = From
to = To
battery = Battery
battery_1 = as now
battery_0 = none
battery_0-5 = half the size
battery_1-5 = 1.5 times the size
battery_2 = twice the size
battery_new = A battery of { $capacity }
battery_note = same inverter
pv = Solar
pv_1 = as now
pv_0 = none
pv_1-5 = 1.5 times the size
pv_2 = twice the size
fixed_price = Fixed price, { $currency } per kWh
investment = One-time cost, { $currency }
left_empty = empty: as now
left_none = empty: none
expert = Own change as JSON
expert_note = Fields of the settings file that change, such as { $example }
ask = Calculate past days
ask_plan = Calculate only the next hours
name_battery = Battery × { $factor }
name_no_battery = Without a battery
name_pv = Solar × { $factor }
name_no_pv = Without solar
name_price = Fixed { $price }
name_expert = Own change
nothing_changed = Change something first.
no_json = This is not a JSON object. Check brackets and quotation marks.
no_number = This is not a number. Write it like 0.25.
plan_title = The next hours
plan_cost = Cost: { $before } now, { $after } with the change
plan_unknown = Luna cannot calculate this:
no_plan = There is no plan yet. Try again in a few minutes.
asked_title = Earlier calculations
asked_none = No calculations yet.
asked_days = { $first } to { $last }
data_none = There are no measurements yet, so Luna cannot calculate past days.
result_title = Result
result_headline = { $name } would have saved { $saved }.
result_worse = { $name } would have cost { $lost } more.
open = Calculating … { $done } of { $total }
failed = This did not work:
look = Refresh
back = Try another change
progress = Progress
counted = On these days your energy cost was { $cost }. You bought { $bought } and sold { $sold }.
counted_partly = This is known for { $share } of the time.
counted_unknown = The energy cost of these days is unknown: prices or meter values are missing.
not_recorded = an unknown amount
differences = The figures below compare with your home as it is now.
as_recorded = Luna compares only house and battery. The rest stays as measured: { $devices }.
column_variant = Home
column_saved = Saved
column_year = Saved per year
column_payback = Paid back after
column_import = Bought more
column_export = Sold more
years =
    { $years ->
        [one] { $years } year
       *[other] { $years } years
    }
between = { $low } to { $high }
few_days = Calculate at least four weeks to see figures per year.
policy =
    { $days ->
        [one] Strategy: { $policy }, { $days } day, { $outlook }
       *[other] Strategy: { $policy }, { $days } days, { $outlook }
    }
outlook_issued = with the forecasts of that time
outlook_usual = with the average of past days as forecast
