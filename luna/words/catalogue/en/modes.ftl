### Names of modes and of plans that are compared. No language has one name for two of them.

# Modes of batteries and of other devices (none: no such device); short names for narrow places. Of other devices the mode charge has its short name.
mode_self_consumption = Own use
short_self_consumption = Own use
mode_save = Store solar
short_save = Store
mode_supply = Power the house
short_supply = Supply
mode_hold = Pause
short_hold = Pause
mode_charge = Charge from grid
short_charge = Charge
mode_export = Sell
short_export = Sell
mode_stop = Stop
short_stop = Stop
mode_give = Give to the house
short_give = Give
mode_own = Automatic
short_own = Auto
mode_on = On
short_on = On
mode_off = Off
short_off = Off
mode_none = –
short_none = –
mode_free = No limit
short_free = No limit
mode_no_export = No feed-in
short_no_export = No feed-in
mode_limit = Limited
short_limit = Limit

# Who decides, where plans are compared.
policy_idle = Unused battery
policy_self_consumption = Inverter alone (without Luna)
policy_rule = Three cheapest hours
policy_mpc = Luna
policy_mpc_scenarios = Luna, prepared for forecast errors
policy_mpc_perfect = Luna, with use and solar known
policy_mpc_perfect_pv = Luna, with solar known
policy_antares = Antares
policy_imitation = Learned from perfect plans (trees)
policy_network = Learned from perfect plans (network)
policy_clone = Learned from Luna's plans
policy_rl = Learned by trial and error
policy_oracle = Perfect plan (future known)
policy_antares_export = Luna, selling by Antares
policy_imitation_export = Luna, selling as learned from perfect plans (trees)
policy_network_export = Luna, selling as learned from perfect plans (network)
policy_clone_export = Luna, selling as learned from Luna's plans
policy_rl_export = Luna, selling as learned by trial and error
