### The chart of a forecast, and the notes beside it.

title = Forecast for { $site }
headline = { $hours } hours from { $time }: the house uses { $load }, solar brings { $pv }.
headline_load = { $hours } hours from { $time }: the house uses { $load }.
usual = Average of the last seven days, same hours: { $load } used, { $pv } solar.
usual_load = Average of the last seven days, same hours: { $load } used.
load = Consumption
pv = Solar
expected = expected
usual_key = usual: average of the last seven days
happened = measured
median = middle value
half = 5 of 10 cases
most = 8 of 10
nearly = 9 of 10
night = night
between = 8 of 10 cases lie between { $low } and { $high }.
it_was = Measured: { $power }.
made = { $version }, made { $day }, { $time }.
within_load =
    { $count ->
        [one] Consumption was within the forecast range in { $share } of one measured quarter-hour. The goal is 80% on average.
       *[other] Consumption was within the forecast range in { $share } of { $count } measured quarter-hours. The goal is 80% on average.
    }
within_pv =
    { $count ->
        [one] Solar was within the forecast range in { $share } of one measured quarter-hour of daylight. The goal is 80% on average.
       *[other] Solar was within the forecast range in { $share } of { $count } measured quarter-hours of daylight. The goal is 80% on average.
    }
label = Forecast of consumption and solar with its range, quarter-hour by quarter-hour

# What the forecast rests on.
stage_cold = There are hardly any measurements yet. Luna uses the consumption of a typical household.
stage_profile = Nothing is learned yet. The forecast repeats the last days.
stage_young = The forecast learns from more than two weeks of your home. It improves until it knows two months.
stage_full = The forecast learns from two months or more of your home.
