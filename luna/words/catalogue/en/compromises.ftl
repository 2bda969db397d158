### Limits that a plan could not keep, and what is missing. Fields of requests and of the site keep their names.
### A figure that ends in _1 has one decimal; one that ends in _percent is a share.

wanted_end_at_least = battery { $name }: at least { $wanted_percent_1 } at the end
missing_end_at_least = { $kwh_3 } kWh missing
wanted_end_at_most = battery { $name }: at most { $wanted_percent_1 } at the end
missing_end_at_most = { $kwh_3 } kWh too much
wanted_import_limit = grid import: at most { $limit_kw } kW, highest at { $worst }
missing_import_limit = { $kw_2 } kW too much
wanted_import_limit_often = grid import: at most { $limit_kw } kW, exceeded in { $count } quarter-hours from { $first }, highest at { $worst }
missing_import_limit_often = { $kw_2 } kW too much
wanted_export_limit = feed-in: at most { $limit_kw } kW, highest at { $worst }
missing_export_limit = { $kw_2 } kW too much
wanted_export_limit_often = feed-in: at most { $limit_kw } kW, exceeded in { $count } quarter-hours from { $first }, highest at { $worst }
missing_export_limit_often = { $kw_2 } kW too much
wanted_reserve = reserve: battery { $name }, lowest at { $worst }
missing_reserve = { $missing_percent_1 } missing
wanted_manual = override: { $name }, { $action }, { $first } to { $last }
missing_manual = { $kwh_3 } kWh difference
wanted_manual_full = override: { $name }, { $action } (the battery is full), { $first } to { $last }
missing_manual_full = { $kwh_3 } kWh missing
wanted_manual_empty = override: { $name }, { $action } (the battery is empty), { $first } to { $last }
missing_manual_empty = { $kwh_3 } kWh missing
wanted_carbon_unknown = CO₂ price { $price } per kg: the CO₂ figures of the grid are missing (outlook.carbon_g_per_kwh)
missing_carbon_unknown = not counted

# Optional parts of these sentences.
part_only = , only { $rules }
part_allowed = in its allowed hours
part_price_limit = below { $price } per kWh or on solar surplus
part_surplus_only = on solar surplus
part_outside = ; it starts at { $celsius_degrees }

# What you set in an override.
action_charge = charge
action_discharge = discharge
action_hold = pause
action_no_charge = do not charge
action_no_discharge = do not discharge
action_on = on
action_off = off
action_no_import = no grid import
action_no_export = no feed-in
