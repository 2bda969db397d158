### Appliances that may wait.

kind_load = Appliance
prefix_load = appliance
limited_load =
    { $count ->
        [one] your appliance
       *[other] your appliances
    }
name_water_heater = Water heater
waiting_water_heater = Water heater
series_appliance_kwh = Appliances
series_water_heater_kwh = Water heater
role_water_heater_consumption = Water heater
setup_loads = Water heater
setup_none_loads = No electric water heater.
setup_add_loads = Add a water heater
setup_hint_loads = Luna plans it once it has its own meter.
entity_load_start = Next start of { $device }
entity_override_load = Override for { $device }
entity_steering_load = { $device } now

# Fields, and defaults that cost money: documentation and command line, in English only.
field_loads = by name, or one after the other
field_loads_off = appliances that stay off meanwhile
field_water_heater_consumption = sensors of water heaters' electricity

# Why a plan changed.
cause_loads = An appliance ran differently.

# Limits that a plan could not keep, and what is missing.
wanted_load_day = appliance { $name }: { $wanted_2 } kWh on { $by }{ $only }
missing_load_day = { $kwh_3 } kWh missing
wanted_load_by = appliance { $name }: { $wanted_2 } kWh by { $by }{ $only }
missing_load_by = { $kwh_3 } kWh missing
wanted_load_gap = appliance { $name }: off for at most { $hours } h (max_gap_hours)
missing_load_gap =
    { $count ->
        [one] once too long
       *[other] { $count } times too long
    }
wanted_load_run = appliance { $name }: one run by { $by }{ $only }
missing_load_run = does not run

# What a plan assumes.
note_loads_not_placed = Luna does not plan { $loads }: without their own meter they are part of the house's use.

# Why a device runs or waits; most reasons are those of device_reasons.
reason_load_gap_1 = Runs now: it may be off for at most { $hours }.
short_load_gap_1 = Runs: off for at most { $hours }
short_load_gap_2 = Runs: was off long enough
reason_load_programme_1 = Runs its programme at { $price } on average, ready by { $time }.
reason_load_programme_2 = Runs its programme, ready by { $time }.
reason_load_programme_3 = Runs its programme to the end.
short_load_programme_1 = Programme runs, ready by { $time }
short_load_programme_2 = Programme runs
reason_load_not_now_1 = Your settings do not allow it to run at this time.
short_load_not_now_1 = Not allowed at this time
