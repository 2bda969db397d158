### Why a forecast differs from the usual, and a plan from the one before.

# Reasons: what they speak of lies above the last seven days, below, or neither.
reason_calendar_above = it is a public holiday
reason_calendar_below = it is { $day }
reason_calendar_neither = it is { $day }
reason_vacation_above = vacation mode is on
reason_vacation_below = vacation mode is off
reason_vacation_neither = vacation mode
reason_temperature_above = { $degrees } warmer than in the last seven days
reason_temperature_below = { $degrees } colder than in the last seven days
reason_temperature_neither = the temperature
reason_wind = the wind
reason_sky_above = more sun than in the last seven days
reason_sky_below = less sun than in the last seven days
reason_sky_neither = sun and clouds
reason_hours_load_above = more used than usual in the last hours
reason_hours_load_below = less used than usual in the last hours
reason_hours_load_neither = the last hours
reason_hours_pv_above = more solar power than usual in the last hours
reason_hours_pv_below = less solar power than usual in the last hours
reason_hours_pv_neither = the last hours
reason_days_load_above = more used than usual on the last day
reason_days_load_below = less used than usual on the last day
reason_days_load_neither = the last days
reason_days_pv_above = more solar power than usual on the last day
reason_days_pv_below = less solar power than usual on the last day
reason_days_pv_neither = the last days
reason_habit = what is typical of the last weeks at this time
reason_limit_load = never less than nothing
reason_limit_pv = never less than nothing, never more than the arrays can yield
reason_later = what was measured or learned only afterwards
reason_model = what a model knew that cannot be read any more
reason_rest = everything else

# What is expected of a slot, and what would be usual.
slot_above = { $expected } expected, { $difference } more than usual: in the last seven days it was { $usual } on average at this time.
slot_below = { $expected } expected, { $difference } less than usual: in the last seven days it was { $usual } on average at this time.
slot_neither = { $expected } expected, as usual at this time in the last seven days.

# Causes: their figure is higher than before, lower, or says nothing.
cause_site = The description of the site is another.
cause_options = It was planned with other options.
cause_strategy = Around the site something is other than before: vacation, warnings, reserves.
cause_prices_higher = Buying costs { $price } more per kWh on average than was known.
cause_prices_lower = Buying costs { $price } less per kWh on average than was known.
cause_prices_neither = Prices are spread over the slots otherwise than was known.
cause_load_higher = The house is expected to use { $kwh } more.
cause_load_lower = The house is expected to use { $kwh } less.
cause_load_neither = The house is expected to use as much, at other times.
cause_pv_higher = The sun is expected to bring { $kwh } more.
cause_pv_lower = The sun is expected to bring { $kwh } less.
cause_pv_neither = The sun is expected to bring as much, at other times.
cause_scenarios = What load and sun may do beside the expected is seen otherwise.
cause_soc_higher = The battery holds { $kwh } more than planned.
cause_soc_lower = The battery holds { $kwh } less than planned.
cause_soc_neither = The batteries hold energy otherwise than planned.
cause_peaks = The month's peak so far is another.
cause_manual = What you set by hand is another.
cause_horizon = Time has passed: the plan looks further ahead.

# What a cause did.
effect_modes =
    { $modes ->
        [0] No mode changes
        [one] One mode changes
       *[other] { $count } modes change
    }
effect_dearer = ; the plan costs { $money } more.
effect_cheaper = ; the plan costs { $money } less.
