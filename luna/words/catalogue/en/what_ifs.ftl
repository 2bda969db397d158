### What the page What if says.

title = What if
headline = What if this house were another one?
lead = Recorded days are lived through again, as the house is and as it would be: same weather, same prices, same habits.
ask_title = Ask
from = From
to = To
battery = Battery
battery_1 = as it is
battery_0 = none
battery_0-5 = half as large
battery_1-5 = half as large again
battery_2 = twice as large
battery_new = A battery of { $capacity }
battery_note = same inverter
pv = Solar
pv_1 = as it is
pv_0 = none
pv_1-5 = half as large again
pv_2 = twice as large
fixed_price = Fixed price, { $currency } per kWh
investment = It costs once, { $currency }
left_empty = empty: as it is
expert = Own change as JSON
expert_note = The fields of the site's file that change, such as { $example }
ask = Live through the days again
ask_plan = Only plan the next hours
name_battery = Battery × { $factor }
name_no_battery = Without a battery
name_pv = Solar × { $factor }
name_no_pv = Without solar
name_price = Fixed { $price }
name_expert = Own change
nothing_changed = Change something first: as it is, nothing would be otherwise.
no_json = is no JSON object: { $said }
no_number = is no number
plan_title = The next hours
plan_cost = { $before } as it is, { $after } then
plan_unknown = This cannot be said:
no_plan = There is no plan yet.
asked_title = Asked last
asked_none = Nothing was asked yet.
asked_days = { $first } to { $last }
data_none = Nothing is recorded yet: no days can be lived again.
result_title = What came of it
result_headline = { $name } would have saved { $saved }.
result_worse = { $name } would have cost { $lost } more.
open =
    { $total ->
        [one] { $done } of { $total } way of living is lived through.
       *[other] { $done } of { $total } ways of living are lived through.
    }
failed = This did not work:
look = Look again
back = Ask something else
progress = Progress
counted = On these days you paid { $cost } for energy, bought { $bought } and sold { $sold }.
counted_partly = That is known for { $share } of the time.
counted_unknown = What you paid on these days is not known: prices or meter values are missing.
not_recorded = an unrecorded amount
differences = The figures below are differences to your home as it is, under the same control.
as_recorded = The comparison covers house and battery; { $devices } stay as recorded.
column_variant = House
column_saved = Saved
column_year = Saved a year
column_payback = Paid back in
column_import = Bought, more
column_export = Sold, more
years =
    { $years ->
        [one] { $years } year
       *[other] { $years } years
    }
between = { $low } to { $high }
few_days = Fewer than four weeks say nothing of years.
policy =
    { $days ->
        [one] { $policy }, { $days } day, from forecasts { $outlook }
       *[other] { $policy }, { $days } days, from forecasts { $outlook }
    }
outlook_issued = as issued then
outlook_usual = of the usual
