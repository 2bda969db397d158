### What a plan could not hold: what was wanted, and what is missing of it. Fields of requests and of the site stay as they are written there.
### A figure that ends in _1 has one decimal, one that ends in _percent is written as a share.

wanted_end_at_least = battery { $name }: at least { $wanted_percent_1 } at the end
missing_end_at_least = { $kwh_3 } kWh
wanted_end_at_most = battery { $name }: at most { $wanted_percent_1 } at the end
missing_end_at_most = { $kwh_3 } kWh
wanted_import_limit = grid import limit { $limit_kw } kW, exceeded at { $worst }
missing_import_limit = { $kw_2 } kW
wanted_import_limit_often = grid import limit { $limit_kw } kW, exceeded in { $count } slots from { $first } on, most at { $worst }
missing_import_limit_often = { $kw_2 } kW
wanted_export_limit = grid export limit { $limit_kw } kW, exceeded at { $worst }
missing_export_limit = { $kw_2 } kW
wanted_export_limit_often = grid export limit { $limit_kw } kW, exceeded in { $count } slots from { $first } on, most at { $worst }
missing_export_limit_often = { $kw_2 } kW
wanted_reserve = reserve: battery { $name } out of reach, most at { $worst }
missing_reserve = { $missing_percent_1 }
wanted_manual = manual: { $name } { $action } { $first } to { $last }
missing_manual = { $kwh_3 } kWh
wanted_manual_full = manual: { $name } { $action } (the battery is full) { $first } to { $last }
missing_manual_full = { $kwh_3 } kWh
wanted_manual_empty = manual: { $name } { $action } (the battery is empty) { $first } to { $last }
missing_manual_empty = { $kwh_3 } kWh
wanted_carbon_unknown = objective: carbon_price_per_kg { $price }, the grid's carbon intensity is unknown (outlook.carbon_g_per_kwh)
missing_carbon_unknown = not weighed

# What stands within such a sentence where it holds.
part_only = , only { $rules }
part_allowed = at its allowed times
part_price_limit = below { $price } per kWh or on PV surplus
part_surplus_only = on PV surplus
part_outside = ; it starts at { $celsius } °C

# What an owner set.
action_charge = charge
action_discharge = discharge
action_hold = hold
action_no_charge = no_charge
action_no_discharge = no_discharge
action_on = on
action_off = off
action_no_import = no_import
action_no_export = no_export
