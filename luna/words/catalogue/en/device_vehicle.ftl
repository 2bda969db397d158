### What is said of vehicles.

kind_vehicle = Vehicle
prefix_vehicle = vehicle
name_car = Car
waiting_vehicle = Vehicle
series_vehicle_kwh = Car
role_vehicle_consumption = Charging of the car
role_vehicle_soc = Car's charge
role_vehicle_connected = Car is plugged in
setup_vehicles = Car
setup_none_vehicles = No car that charges at home.
setup_add_vehicles = Add a car
setup_review_vehicle = { $capacity } kWh, charges with { $least } to { $power } kW
entity_plan_vehicle = Planned charging of { $device }
entity_vehicle_soc = Planned state of charge of { $device }
entity_vehicle_ready = { $device } ready at
entity_override_vehicle = Override { $device }

# Of fields, and of defaults that cost money: documentation and command line, in English alone.
field_vehicle = a vehicle by its name
field_vehicle_connected = sensors that say whether a car is connected
field_vehicle_consumption = sensors of energy charged into vehicles
field_vehicles = by name, or one after the other
default_vehicle_charge_efficiency = a tenth is lost in charging
default_vehicle_wear_price = for each kWh given to the house

# Why a plan is another one where its devices did something else than planned.
cause_vehicles = A car is otherwise charged, plugged in or wanted than was planned.

# What a plan could not hold: what was wanted, and what is missing of it.
wanted_manual_vehicle_full = manual: { $name } { $action } (the vehicle is full) { $first } to { $last }
missing_manual_vehicle_full = { $kwh_3 } kWh
wanted_vehicle = vehicle { $name }: { $wanted_percent } by { $by }
missing_vehicle = { $missing_percent_1 }
wanted_vehicle_minimum = vehicle { $name }: at least { $kw } kW from { $first } to { $last }
missing_vehicle_minimum = { $kwh_3 } kWh

# What a plan rests on.
note_vehicle_soc_read = { $vehicle } counts as { $soc } full, by what its sensor said { $at }.
note_vehicle_soc_said = { $vehicle } counts as { $soc } full on arrival, as was said with its session.
note_vehicle_soc_counted = { $vehicle } counts as { $soc } full: it came with { $arrival_soc } { $since }, as was said with its session, and its charger has counted { $metered_kwh } since.
note_vehicle_soc_expected = { $vehicle } counts as { $soc } full, as the plan before left it: nothing newer is known.
note_vehicle_soc_assumed = How full { $vehicle } is, is not known: { $soc } is assumed; say it with its session, or name its sensor.
note_vehicle_usual = No session of { $vehicle } is known: by what it drives in a year it is planned at home from { $comes } to { $leaves }, with { $need_kwh } a day.
note_vehicle_soc_doubted = { $vehicle } said { $doubted_soc } { $doubted_at } after { $soc } { $at }, more than it can do: { $soc } counts until it is confirmed.
note_vehicle_not_connected = { $vehicle } has not been connected since { $since }, though its session has begun: planned as if it were.
note_vehicle_soc_stands_still = { $vehicle } counts as { $soc } full: its sensor has stood at { $sensor_soc } since { $since }, while its charger counted { $metered_kwh }.
note_vehicle_soc_too_fast = { $vehicle } counts as { $soc } full: its sensor said { $sensor_soc } { $since }, faster than its charger can fill it.
note_vehicle_soc_against_meter = { $vehicle } counts as { $soc } full: its sensor says { $sensor_soc }, while its charger has counted { $metered_kwh } since { $since }, and both cannot be right. Check the sensor and the charger's meter.
note_vehicle_soc_stale = { $vehicle } counts as { $soc } full: its sensor last said { $sensor_soc } { $at }, and nothing newer since. Check that it still reports.
note_vehicle_soc_out_of_range = { $vehicle } counts as { $soc } full, by what its sensor said { $at }: what it says now cannot be. Check the sensor.
note_vehicle_soc_jumps = The sensor of { $vehicle } jumped to { $sensor_soc } { $since }, more than the car can do. Check that it is right.
note_vehicle_soc_unusable = What the sensor of { $vehicle } says cannot be used: it is out of date, or cannot be. Check the sensor.
note_vehicle_takes_nothing = { $vehicle } takes nothing: it has been plugged in since { $since }, { $planned_kwh } were planned to be charged, and its charger counted none. Usual causes: a schedule or a charge limit set in the car, or the cable.
note_no_session = { $vehicles }: no session known, not planned; say on the page Planning when it leaves, or what it drives in a year.

# Why a device runs or waits.
reason_ev_cheapest_1 = Charges the car in the cheapest { $count } of { $total } slots until { $time }: { $kwh } at { $price } on average.
reason_ev_cheapest_2 = Charges the car in the cheapest of { $total } slots until { $time }: { $kwh } at { $price }.
short_ev_cheapest_1 = Cheapest { $count } of { $total } slots until { $time }
short_ev_cheapest_2 = Cheapest of { $total } slots until { $time }
short_ev_cheapest_3 = Charges when it is cheapest
reason_ev_throughout_1 = Charges the car in every slot until { $time }, also at { $dearest }: { $kwh } at { $price } on average.
reason_ev_throughout_2 = Charges the car in every slot until { $time }: { $kwh } at { $price }.
reason_ev_throughout_3 = Charges the car in every slot until { $time }: { $kwh }.
short_ev_throughout_1 = Charges in every slot until { $time }
short_ev_throughout_2 = Charges in every slot
reason_ev_surplus_1 = Charges the car with solar surplus that would sell for { $sell }.
reason_ev_surplus_2 = Charges the car with solar surplus that would cost { $fee } to feed in.
reason_ev_surplus_3 = Charges the car with solar surplus; { $held } more are held back.
reason_ev_surplus_4 = Charges the car with solar surplus that may not be fed in.
short_ev_surplus_1 = Solar surplus; sold it brings { $sell }
short_ev_surplus_2 = Solar surplus
reason_ev_every_slot_1 = Charges the car in every slot until { $time }: in fewer it would not be ready.
short_ev_every_slot_1 = Needs every slot until { $time }
short_ev_every_slot_2 = Needs every slot
reason_ev_late_1 = Charges the car as much as it can, yet { $kwh } will be missing { $at_time }.
short_ev_late_1 = Charges all it can; { $kwh } will be missing
short_ev_late_2 = Charges all it can, yet too late
reason_ev_short_1 = The car waits, although { $kwh } will be missing { $at_time }.
short_ev_short_1 = Waits, though { $kwh } will be missing
short_ev_short_2 = Waits, though something will be missing
reason_ev_among_1 = Charges the car at { $buy }: other slots until { $time } would save next to nothing, or cost more in the end.
reason_ev_among_2 = Charges the car now: other slots until { $time } would save next to nothing, or cost more in the end.
short_ev_among_1 = Charges at { $buy }; elsewhere no better
short_ev_among_2 = Charges; elsewhere no better
reason_ev_waits_1 = The car waits: a kWh costs { $buy } now, { $price } from { $time } on.
short_ev_waits_1 = Waits for { $time }: { $price } instead of { $buy }
short_ev_waits_2 = Waits for a lower price
reason_ev_waits_surplus_1 = The car waits for solar surplus, expected from { $time } on.
reason_ev_waits_surplus_2 = The car waits for solar surplus; not enough is expected until it leaves.
short_ev_waits_surplus_1 = Waits for sun from { $time }
short_ev_waits_surplus_2 = Waits for sun
reason_ev_waits_peak_1 = The car waits: charging now would raise the peak by { $kw }, which costs { $cost } a month.
short_ev_waits_peak_1 = Waits: { $kw } more of peak cost { $cost } a month
short_ev_waits_peak_2 = Waits: the peak would rise
reason_ev_later_1 = The car charges from { $time } on: charging now would cost more, or save next to nothing.
reason_ev_later_2 = The car need not charge yet: after what is planned there is time enough.
short_ev_later_1 = Charges from { $time } on
short_ev_later_2 = Charges later
reason_ev_ready_1 = The car is as full as wanted.
short_ev_ready_1 = As full as wanted
reason_ev_gives_1 = The car supplies the house: buying costs { $buy }.
short_ev_gives_1 = Supplies the house: buying costs { $buy }
short_ev_gives_2 = Supplies the house
reason_ev_pinned_1 = Charges the car as you set.
short_ev_pinned_1 = Charges as you set
reason_ev_minimum_1 = Charges the car with its minimum of { $kw }, as it does until it is full.
short_ev_minimum_1 = Charges its minimum of { $kw }
short_ev_minimum_2 = Charges its minimum
