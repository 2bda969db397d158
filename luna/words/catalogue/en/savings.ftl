### The page Savings.

title = Savings
headline = Luna saved { $saved } on { $days } { $days ->
        [one] day
       *[other] days
    }: { $share } of what was possible.
headline_plain = Luna saved { $saved } on { $days } { $days ->
        [one] day
       *[other] days
    }.
headline_worse = Luna cost { $lost } more on { $days } { $days ->
        [one] day
       *[other] days
    }.
would_headline = Luna would have saved { $saved } on { $days } { $days ->
        [one] day
       *[other] days
    }: { $share } of what was possible.
would_headline_plain = Luna would have saved { $saved } on { $days } { $days ->
        [one] day
       *[other] days
    }.
would_headline_worse = Luna would have cost { $lost } more on { $days } { $days ->
        [one] day
       *[other] days
    }.
further = Control was off on { $days } more { $days ->
        [one] day
       *[other] days
    }. Luna would have saved { $saved } then.
as_recorded = Luna compares only house and battery. The rest stays as measured: { $devices }.
paid = Cost of the whole home: { $cost }
earned = Income of the whole home: { $gain }
paid_unknown = Cost of the whole home: unknown
would_saved = would have been saved
would_saved_share = would have been saved · { $share } of what was possible
would_lost = more than without Luna, if control had been on
lead = Compared with your home without Luna. Luna has calculated { $counted } of { $days } days.
until = Until { $day }
empty_title = Luna has not calculated a day yet.
empty_lead = Luna calculates each day the night after. It needs complete measurements and a forecast for that day.
cost_title = What Luna saves
cost_note = Luna's plan and the inverter alone, calculated for the same measured days. The battery level is the same at start and end.
carbon_note = CO₂ of the electricity you bought, by quarter-hour. Feed-in does not count.
carbon_missing = CO₂ is unknown: there are no values for these days. Upload them on the page Data (content: CO₂ of grid power). Then calculate the days again.
carbon_partly = Known on { $days } of { $counted } days.
period_yesterday = Yesterday
period_day = Last day
period_week = Last 7 days
period_month = Last 30 days
period_empty = Luna has not calculated a day of this period.
saved = saved
saved_share = saved · { $share } of what was possible
lost = more than without Luna
policy_self_consumption = Without Luna
policy_rule = Cheapest hours
policy_mpc = Luna
policy_oracle = Best possible
all_policies = All strategies as a table
column_policy = Strategy
column_saved = Saved
column_carbon = CO₂
daily_title = Saved per day
key_luna = Luna
key_possible = best possible
key_left_out = not calculated
daily_label = Saved per day by Luna, and what was possible
daily_title_counted = { $day }: { $saved } saved, { $possible } possible
daily_table = As a table
column_day = Day
column_possible = Best possible
coverage = Luna has calculated { $share } of the days.
left_out_title = Not calculated
left_excluded = the data of this day are unreliable
left_not_recorded = no measurements, or not checked yet
left_no_forecast = there was no forecast for this day
left_gaps = some values of consumption or solar are missing
left_estimated = Luna estimates some values of consumption or solar: the total is right, the time of use is unknown
left_no_prices = some prices of this day are missing
left_not_replayed = not calculated yet
compute =
    { $days ->
        [one] Calculate 1 day
       *[other] Calculate { $days } days
    }
compute_lead =
    { $days ->
        [one] 1 measured day is not calculated yet.
       *[other] { $days } measured days are not calculated yet.
    }
who_title = Who decided
who_note = last 7 days
who_label = Who decided what the battery did, day by day
who_day = { $day }: { $said }
who_nobody = no decision
who_planner = Luna's plan
who_owner = You
who_agent = Antares
who_rule = Inverter alone (no current plan)
who_length = { $hours } h
who_empty = Control was off on these days, so the inverter worked alone. Above you see what Luna would have saved.
earlier = Earlier
later = Later
span = Period shown
