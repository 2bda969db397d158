### What Home Assistant shows of a site.

planned_mode = Planned mode
actual_mode = Actual mode
next_action = Next action
next_action_at = Next action at
energy_value = Value of stored energy
paid_today = Energy paid today so far
paid_yesterday = Energy paid yesterday
cost_today = Energy cost today, expected
cost_tomorrow = Energy cost tomorrow
saved_today = Saved today
saved_yesterday = Saved yesterday
load_today = Consumption today
load_tomorrow = Consumption tomorrow
pv_today = Solar production today
pv_tomorrow = Solar production tomorrow
plan_age = Plan age
plan_soc = Planned state of charge
plan_battery = Planned battery power
plan_grid = Planned grid power
plan_load = Planned consumption
plan_pv = Planned solar power
import_price = Import price
export_price = Export price
problem = Problem
refusal = Last refusal
armed = Armed
vacation = Vacation
plan_now = Plan now
override = Override
override_hours = Override for
override_until = Override until

# What a select says while the plan is followed.
follow_plan = Follow the plan
