### What Home Assistant shows of a home.

planned_mode = Planned mode
actual_mode = Current mode
next_action = Next step
next_action_at = Next step at
energy_value = Value of stored energy
paid_today = Paid today so far
paid_yesterday = Paid yesterday
cost_today = Cost today, expected
cost_tomorrow = Cost tomorrow, expected
saved_today = Saved today
saved_yesterday = Saved yesterday
load_today = Consumption today
load_tomorrow = Consumption tomorrow
pv_today = Solar today
pv_tomorrow = Solar tomorrow
plan_age = Plan age
plan_soc = Planned battery level
plan_battery = Planned battery power
plan_grid = Planned grid power
plan_load = Planned consumption
plan_pv = Planned solar power
import_price = Electricity price
export_price = Feed-in price
problem = Problem
operator_limit = Limit by the grid operator
operator_limit_power = Grid operator's limit, power
refusal = Last error
armed = Control
vacation = Vacation
steering = Battery now
plan_now = Plan now
override = Override
override_hours = Override for
override_until = Override until

# The option of a select while the plan applies.
follow_plan = Follow the plan
