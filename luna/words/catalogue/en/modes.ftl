### What modes and policies are called. No language has a word for two of them.

# Of batteries, and of what is no battery (none: of what is not there); short ones for narrow places.
mode_self_consumption = Follow the house
short_self_consumption = House
mode_save = Save
short_save = Save
mode_supply = Supply the house
short_supply = Supply
mode_hold = Hold
short_hold = Hold
mode_charge = Charge
short_charge = Charge
mode_export = Sell
short_export = Sell
mode_stop = Stop
short_stop = Stop
mode_give = Give to the house
short_give = Give
mode_own = By itself
short_own = Itself
mode_on = On
short_on = On
mode_off = Off
short_off = Off
mode_none = –
short_none = –
mode_free = Free
short_free = Free
mode_no_export = Feed nothing in
short_no_export = No feed-in
mode_limit = Limit
short_limit = Limit

# Who decides, in a replay and in the report.
policy_idle = Idle battery
policy_self_consumption = Self-consumption (inverter alone)
policy_rule = Cheapest three hours
policy_mpc = Luna
policy_mpc_scenarios = Luna, weighing how its forecasts err
policy_mpc_perfect = Luna, knowing load and sun
policy_mpc_perfect_pv = Luna, knowing the sun
policy_antares = Antares
policy_imitation = Imitation of foresight (trees)
policy_network = Imitation of foresight (network)
policy_clone = Imitation of the weighing planner
policy_rl = Reinforcement learning
policy_oracle = Perfect foresight
policy_antares_export = Luna, selling by Antares
policy_imitation_export = Luna, selling by Imitation of foresight (trees)
policy_network_export = Luna, selling by Imitation of foresight (network)
policy_clone_export = Luna, selling by Imitation of the weighing planner
policy_rl_export = Luna, selling by Reinforcement learning
