### The chart of a forecast, and what stands beside it.

title = Forecast for { $site }
headline = { $hours } hours from { $time }: the house uses { $load } and the sun brings { $pv }.
headline_load = { $hours } hours from { $time }: the house uses { $load }.
usual = In the last seven days it was { $load } and { $pv } for the same hours.
usual_load = In the last seven days it was { $load } for the same hours.
load = Consumption
pv = Solar power
expected = expected
usual_key = usual: mean of the last seven days
happened = what happened
median = median
half = 5 of 10 cases
most = 8 of 10
nearly = 9 of 10
night = night
between = 8 of 10 cases lie between { $low } and { $high }.
it_was = It was { $power }.
made = { $version }, issued { $day }, { $time }.
within_load =
    { $count ->
        [one] Of one quarter-hour known since, consumption lay within the 8-of-10 band in { $share }; on average it should in 80%.
       *[other] Of { $count } quarter-hours known since, consumption lay within the 8-of-10 band in { $share }; on average it should in 80%.
    }
within_pv =
    { $count ->
        [one] Of one quarter-hour of daylight known since, solar power lay within the 8-of-10 band in { $share }; on average it should in 80%.
       *[other] Of { $count } quarter-hours of daylight known since, solar power lay within the 8-of-10 band in { $share }; on average it should in 80%.
    }
label = Forecast of consumption and solar power with its uncertainty, quarter-hour by quarter-hour

# What the forecast rests on.
stage_cold = Next to nothing has been measured yet: the consumption is that of the standard load profile.
stage_profile = It repeats the recent days, for nothing has been learned yet.
stage_young = It has learned from more than two weeks of this house, and gets better until two months are known.
stage_full = It has learned from two months and more of this house.
