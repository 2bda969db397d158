### What the page Savings says.

title = Savings
headline =
    { $days ->
        [one] Luna saved { $saved } in { $days } day: { $share } of what was possible.
       *[other] Luna saved { $saved } in { $days } days: { $share } of what was possible.
    }
headline_plain =
    { $days ->
        [one] Luna saved { $saved } in { $days } day.
       *[other] Luna saved { $saved } in { $days } days.
    }
headline_worse =
    { $days ->
        [one] Luna cost { $lost } more in { $days } day.
       *[other] Luna cost { $lost } more in { $days } days.
    }
lead = Compared with this house without Luna. { $counted } of { $days } days are counted.
until = Counted until { $day }
empty_title = No day is counted yet.
empty_lead = A day counts once it was measured whole, a forecast was issued for it, and every policy was replayed on it.
cost_title = What energy cost
cost_note = each policy replayed on the same measured days, same charge at start and end · dashed: saved
carbon_note = grid intensity of each slot × import; exports not credited
carbon_missing = Not known: nothing says how clean the grid was on these days. Load the intensity as a file of the kind carbon, and count the days again.
carbon_partly = known on { $days } of { $counted } days
period_yesterday = Yesterday
period_day = Last day
period_week = Last 7 days
period_month = Last 30 days
period_empty = No day of this span is counted.
saved = saved
saved_share = saved · { $share } of what was possible
lost = more than without Luna
policy_self_consumption = Without Luna
policy_rule = Cheapest hours
policy_mpc = Luna
policy_oracle = Perfect foresight
all_policies = All policies as a table
column_policy = Policy
column_cost = Cost
column_saved = Saved
column_carbon = CO₂
daily_title = Saved per day
key_luna = Luna
key_possible = possible
key_left_out = not counted
daily_label = Saved per day by Luna, with what was possible
daily_title_counted = { $day }: { $saved } saved, { $possible } possible
daily_table = As a table
column_day = Day
column_possible = Possible
coverage = Coverage { $share }.
left_out_title = Not counted
left_excluded = its data cannot be trusted
left_not_recorded = nothing was recorded, or the day was not judged yet
left_no_forecast = no forecast was issued that day
left_gaps = some quarter-hours of consumption or solar power are unknown
left_estimated = some quarter-hours of consumption or solar power are estimated: their sum is the meter's, their course is not known
left_no_prices = some prices of that day are unknown
left_not_replayed = not counted yet
compute =
    { $days ->
        [one] Count 1 day now
       *[other] Count { $days } days now
    }
compute_lead =
    { $days ->
        [one] 1 day is measured and not counted yet.
       *[other] { $days } days are measured and not counted yet.
    }
who_title = Who decided
who_note = last 7 days
who_label = Who decided what the battery did, day by day
who_day = { $day }: { $said }
who_nobody = nothing decided
who_planner = Luna's plan
who_owner = You
who_agent = Antares
who_rule = Inverter alone (no fresh plan)
who_length = { $hours } h
who_empty = Luna decided nothing on these days: the site was not armed, so the inverter went its own way. Above is what Luna's plans would have saved.
earlier = Earlier
later = Later
span = Shown span
