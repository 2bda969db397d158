### Why a forecast differs from the usual, and a plan from the one before.

# Reasons: above or below the last seven days, or neither.
reason_calendar_above = it is a public holiday
reason_calendar_below = it is { $day }
reason_calendar_neither = it is { $day }
reason_vacation_above = vacation mode is on
reason_vacation_below = vacation mode is off
reason_vacation_neither = vacation
reason_temperature_above = { $degrees } warmer than in the last seven days
reason_temperature_below = { $degrees } colder than in the last seven days
reason_temperature_neither = temperature
reason_wind = wind
reason_sky_above = more sun than in the last seven days
reason_sky_below = less sun than in the last seven days
reason_sky_neither = sun and clouds
reason_hours_load_above = higher use than usual in the last hours
reason_hours_load_below = lower use than usual in the last hours
reason_hours_load_neither = use in the last hours
reason_hours_pv_above = more solar than usual in the last hours
reason_hours_pv_below = less solar than usual in the last hours
reason_hours_pv_neither = solar in the last hours
reason_days_load_above = higher use than usual on the last day
reason_days_load_below = lower use than usual on the last day
reason_days_load_neither = use on the last days
reason_days_pv_above = more solar than usual on the last day
reason_days_pv_below = less solar than usual on the last day
reason_days_pv_neither = solar on the last days
reason_habit = typical for this time in the last weeks
reason_limit_load = use cannot be negative
reason_limit_pv = limited to what the panels can produce
reason_later = values measured later
reason_model = an earlier forecast without details
reason_rest = everything else

# What is expected in a quarter-hour, and what is usual.
slot_above = { $expected } expected, { $difference } more than usual. The average at this time was { $usual } in the last seven days.
slot_below = { $expected } expected, { $difference } less than usual. The average at this time was { $usual } in the last seven days.
slot_neither = { $expected } expected, as in the last seven days at this time.

# Causes of a changed plan: higher or lower than before, or neither.
cause_site = The settings of your home changed.
cause_options = The planning options changed.
cause_strategy = Vacation, a warning or a reserve changed.
cause_prices_higher = Buying costs { $price } more per kWh on average than expected.
cause_prices_lower = Buying costs { $price } less per kWh on average than expected.
cause_prices_neither = Prices changed over the day, with the same average.
cause_load_higher = Luna expects the house to use { $kwh } more.
cause_load_lower = Luna expects the house to use { $kwh } less.
cause_load_neither = Luna expects the house to use the same, at other times.
cause_pv_higher = Luna expects { $kwh } more solar power.
cause_pv_lower = Luna expects { $kwh } less solar power.
cause_pv_neither = Luna expects the same solar power, at other times.
cause_scenarios = The forecast range changed.
cause_soc_higher = The battery holds { $kwh } more than planned.
cause_soc_lower = The battery holds { $kwh } less than planned.
cause_soc_neither = The batteries hold other levels than planned.
cause_peaks = The monthly peak has changed.
cause_manual = Your overrides changed.
cause_horizon = Time has passed: the plan looks further ahead.

# What a cause did to the plan.
effect_modes =
    { $modes ->
        [0] Plan unchanged
        [one] Plan changed: one quarter-hour
       *[other] Plan changed: { $count } quarter-hours
    }
effect_sooner = Plan changed: { $device } { $does } { $duration } earlier
effect_later = Plan changed: { $device } { $does } { $duration } later
effect_dearer = ; it costs { $money } more.
effect_cheaper = ; it costs { $money } less.

# What a device does sooner or later.
does_charge = charges
does_export = sells
does_supply = powers the house
does_on = runs
