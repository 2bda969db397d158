### What steering does with a device at this moment, and why.

# $name is a device, $action one of the texts below.
now_as_planned = { $name }: { $action }, as planned
now_own_control = { $name }: runs on its own
now_follows_surplus = { $name }: uses solar surplus, { $action }
now_waits_for_surplus = { $name }: waits for more sun
now_keeps_floor = { $name }: stays at its lowest power, { $action }
now_rests = { $name }: waits, to avoid switching too often
now_runs_on = { $name }: runs a little longer, { $action }
now_not_connected = { $name }: is not plugged in
now_supports_no_car = { $name }: powers the house, not the car
now_connection_limit = { $name }: { $action }, because of your connection's limit
now_operator_limit = { $name }: { $action }, because of the grid operator's limit
now_fuse_limit = { $name }: { $action }, to protect the fuse
now_export_cap = { $name }: { $action }, because of the feed-in limit
now_meter_stale = { $name }: { $action }, because the meters send no new values
now_unknown_soc = { $name }: { $action }, because the battery level is unknown
now_wakes_car = { $name }: stops for a moment, to wake the car up
now_silent = { $name }: does not respond
now_not_followed = { $name }: does not follow Luna's command

# The meters are silent: one line in place of all others.
now_all_stale = No new meter values: your devices are in their safe state.

# What a device does.
action_power = { $power }
action_current = { $current } A
action_battery_charge = charges with { $power }
action_battery_export = discharges with { $power }
action_give = gives the house { $power }
action_limit = at most { $power }
action_self_consumption = covers your own use
action_save = only stores solar surplus
action_supply = powers the house
action_hold = pauses
action_stop = does not charge
action_own = runs on its own
action_on = on
action_off = off
action_free = no limit
action_no_export = no feed-in

# A quarter-hour that is over: changes, powers, what held a device back, energy beside the plan.
slot_switch = { $at } { $sentence }
slot_powers = { $name }: { $mean } on average, between { $least } and { $most }
slot_held = { $minutes } min { $reason }
slot_more = { $name }: { $energy } more than planned
slot_less = { $name }: { $energy } less than planned
held_waits_for_surplus = too little sun
held_keeps_floor = at its lowest power
held_rests = waits between two starts
held_runs_on = runs longer, to avoid switching too often
held_not_connected = not plugged in
held_supports_no_car = for the house only
held_connection_limit = your connection's limit
held_operator_limit = the grid operator's limit
held_fuse_limit = the fuse
held_export_cap = the feed-in limit
held_meter_stale = no new meter values
held_unknown_soc = battery level unknown
