### Batteries.

kind_battery = Battery
prefix_battery = battery
limited_battery =
    { $count ->
        [one] your battery
       *[other] your batteries
    }
name_batteries = Battery
name_battery = Battery
role_total_battery_charge = Charged into the battery
role_total_battery_discharge = Discharged from the battery
role_battery_soc = Battery level
setup_batteries = Battery
setup_none_batteries = No battery: Luna still plans the car and water heater.
setup_add_batteries = Add a battery
setup_review_battery = { $capacity } kWh, { $power } kW
entity_planned_mode_battery = Planned mode of { $device }
entity_next_action_battery = Next change of { $device }
entity_next_action_at_battery = Time of the next change of { $device }
entity_plan_power_battery = Planned power of { $device }
entity_plan_soc_battery = Planned battery level of { $device }
entity_actual_mode_battery = Current mode of { $device }

# Fields, and defaults that cost money: documentation and command line, in English only.
default_battery_min_soc = Luna may empty it
default_battery_charge_efficiency = charging loses a twentieth
default_battery_discharge_efficiency = discharging loses a twentieth
default_battery_wear_price = using it costs nothing
default_battery_charge_from_grid = the contract lets it charge from the grid
default_battery_discharge_to_grid = the contract lets it sell
