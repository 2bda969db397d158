### What is said of appliances that may wait.

kind_load = Appliance
prefix_load = load
name_water_heater = Water heater
waiting_water_heater = Water heater
series_appliance_kwh = Appliances
series_water_heater_kwh = Water heater
role_water_heater_consumption = Water heater
setup_loads = Water heater
setup_none_loads = No electric water heater.
setup_add_loads = Add a water heater
setup_hint_loads = Luna plans it once its consumption has a meter of its own.
entity_load_start = { $device } starts next at
entity_override_load = Override { $device }

# Of fields, and of defaults that cost money: documentation and command line, in English alone.
field_loads = by name, or one after the other
field_loads_off = appliances that rest meanwhile
field_water_heater_consumption = sensors of water heaters' electricity

# Why a plan is another one where its devices did something else than planned.
cause_loads = An appliance has run otherwise than planned.

# What a plan could not hold: what was wanted, and what is missing of it.
wanted_load_day = load { $name }: { $wanted_2 } kWh on { $by }{ $only }
missing_load_day = { $kwh_3 } kWh
wanted_load_by = load { $name }: { $wanted_2 } kWh by { $by }{ $only }
missing_load_by = { $kwh_3 } kWh
wanted_load_gap = load { $name }: off for at most { $hours } h (max_gap_hours)
missing_load_gap =
    { $count ->
        [one] once
       *[other] { $count } times
    }
wanted_load_run = load { $name }: one run by { $by }{ $only }
missing_load_run = not run

# What a plan rests on.
note_loads_not_placed = When { $loads } run is not planned: without a meter of their own they are part of the forecast load.

# Why a device runs or waits.
reason_load_cheapest_1 = Runs in the cheapest { $count } of { $total } slots until { $time }: { $kwh } at { $price } on average.
reason_load_cheapest_2 = Runs in the cheapest of { $total } slots until { $time }: { $kwh } at { $price }.
short_load_cheapest_1 = Cheapest { $count } of { $total } slots until { $time }
short_load_cheapest_2 = Cheapest of { $total } slots until { $time }
short_load_cheapest_3 = Runs when it is cheapest
reason_load_throughout_1 = Runs in every slot in which it may until { $time }, also at { $dearest }: { $kwh } at { $price } on average.
reason_load_throughout_2 = Runs in every slot in which it may until { $time }: { $kwh } at { $price }.
reason_load_throughout_3 = Runs in every slot in which it may until { $time }: { $kwh }.
short_load_throughout_1 = Runs in every slot until { $time }
short_load_throughout_2 = Runs in every slot
reason_load_surplus_1 = Runs on solar surplus that would sell for { $sell }.
reason_load_surplus_2 = Runs on solar surplus that would cost { $fee } to feed in.
reason_load_surplus_3 = Runs on solar surplus; { $held } more are held back.
reason_load_surplus_4 = Runs on solar surplus that may not be fed in.
short_load_surplus_1 = Solar surplus; sold it brings { $sell }
short_load_surplus_2 = Solar surplus
reason_load_gap_1 = Runs now, for it may be off for { $hours } at most.
short_load_gap_1 = Runs: off for { $hours } at most
short_load_gap_2 = Runs: it may not be off longer
reason_load_among_1 = Runs at { $buy }: other slots until { $time } would save next to nothing, or cost more in the end.
reason_load_among_2 = Runs now: other slots until { $time } would save next to nothing, or cost more in the end.
short_load_among_1 = Runs at { $buy }; elsewhere no better
short_load_among_2 = Runs; elsewhere no better
reason_load_waits_1 = Waits: a kWh costs { $buy } now, { $price } from { $time } on.
short_load_waits_1 = Waits for { $time }: { $price } instead of { $buy }
short_load_waits_2 = Waits for a lower price
reason_load_waits_peak_1 = Waits: running now would raise the peak by { $kw }, which costs { $cost } a month.
short_load_waits_peak_1 = Waits: { $kw } more of peak cost { $cost } a month
short_load_waits_peak_2 = Waits: the peak would rise
reason_load_later_1 = Runs from { $time } on: running now would cost more, or save next to nothing.
short_load_later_1 = Runs from { $time } on
short_load_later_2 = Runs later
reason_load_programme_1 = Runs its programme at { $price } on average; it is to be done by { $time }.
reason_load_programme_2 = Runs its programme; it is to be done by { $time }.
reason_load_programme_3 = Runs its programme to the end.
short_load_programme_1 = Its programme runs, done by { $time }
short_load_programme_2 = Its programme runs
reason_load_not_now_1 = May not run at this time.
short_load_not_now_1 = May not run now
reason_load_done_1 = Has what it needs until { $time }.
short_load_done_1 = Has what it needs until { $time }
short_load_done_2 = Has what it needs
reason_load_short_1 = Is off, though { $kwh } will be missing until { $time }.
short_load_short_1 = Off, though { $kwh } will be missing
short_load_short_2 = Off, though something will be missing
