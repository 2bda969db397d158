### Cars.

kind_vehicle = Car
prefix_vehicle = car
limited_vehicle =
    { $count ->
        [one] your car
       *[other] your cars
    }
name_car = Car
waiting_vehicle = Car
series_vehicle_kwh = Car
role_vehicle_consumption = Charging energy of the car
role_vehicle_soc = Battery level of the car
role_vehicle_connected = Car is plugged in
role_vehicle_range = Range of the car
setup_vehicles = Car
setup_none_vehicles = No car that charges at home.
setup_add_vehicles = Add a car
setup_review_vehicle = { $capacity } kWh, charges with { $least } to { $power } kW
entity_plan_vehicle = Planned charging of { $device }
entity_vehicle_soc = Planned battery level of { $device }
entity_vehicle_ready = { $device } ready by
entity_override_vehicle = Override for { $device }
entity_steering_vehicle = { $device } now
entity_draws_less_vehicle = Charging problem of { $device }

# Fields, and defaults that cost money: documentation and command line, in English only.
field_vehicle = a car by its name
field_vehicle_connected = sensors that report whether a car is plugged in
field_vehicle_consumption = sensors of energy charged into cars
field_vehicle_range = sensors of cars' remaining range
field_vehicles = by name, or one after the other
default_vehicle_charge_efficiency = charging loses a tenth
default_vehicle_wear_price = for each kWh given to the house

# Why a plan changed.
cause_vehicles = A car charged, came or goes at other times.

# Limits that a plan could not keep, and what is missing.
wanted_manual_vehicle_full = override: { $name } { $action } (the car is full) { $first } to { $last }
missing_manual_vehicle_full = { $kwh_3 } kWh missing
wanted_vehicle = car { $name }: { $wanted_percent } by { $by }
missing_vehicle = { $missing_percent_1 } missing
wanted_vehicle_minimum = car { $name }: at least { $kw } kW from { $first } to { $last }
missing_vehicle_minimum = { $kwh_3 } kWh missing

# What a plan assumes.
note_vehicle_soc_read = { $vehicle } is at { $soc }: its sensor reported this { $at }.
note_vehicle_soc_ranged = { $vehicle } is at about { $soc }, from the range that it reported { $at }.
note_vehicle_soc_said = { $vehicle } arrives with { $soc }, as you entered.
note_vehicle_soc_counted = { $vehicle } is at { $soc }: it arrived { $since } with { $arrival_soc } and has charged { $metered_kwh } since.
note_vehicle_soc_stated = { $vehicle } is at { $soc }, as you said { $stated_at }.
note_vehicle_soc_estimated = { $vehicle } is at about { $soc }: you said { $stated_soc } { $stated_at }, and it has charged { $metered_kwh } since.
note_vehicle_soc_expected = { $vehicle } is at { $soc } according to the last plan. There is no newer value.
note_vehicle_soc_assumed = Battery level of { $vehicle } unknown, assuming { $soc }. Enter it with the departure or connect a sensor.
note_vehicle_usual = { $vehicle } has no departure. Luna expects it at home from { $comes } to { $leaves } and charges { $need_kwh } a day.
note_vehicle_soc_doubted = { $vehicle } reported { $soc } ({ $at }), then { $doubted_soc } ({ $doubted_at }). It cannot charge that fast: Luna uses { $soc } for now.
note_vehicle_not_connected = Plug { $vehicle } in now, or change the departure. It has been unplugged since { $since }.
note_vehicle_soc_stands_still = Luna assumes { $soc } for { $vehicle }: its sensor has stayed at { $sensor_soc } since { $since }, while { $metered_kwh } were charged. Check the sensor.
note_vehicle_soc_too_fast = Luna assumes { $soc } for { $vehicle }: its sensor reported { $sensor_soc } ({ $since }), faster than the charger can charge.
note_vehicle_soc_against_meter = Luna assumes { $soc } for { $vehicle }: its sensor reports { $sensor_soc }, but the charger has counted { $metered_kwh } since { $since }. Check the sensor and the charger's meter.
note_vehicle_soc_stale = Luna assumes { $soc } for { $vehicle }: its sensor last reported { $sensor_soc } ({ $at }). Check that it still sends values.
note_vehicle_soc_out_of_range = Luna assumes { $soc } for { $vehicle }, as reported { $at }: the sensor now sends an impossible value. Check the sensor.
note_vehicle_soc_jumps = The sensor of { $vehicle } jumped to { $sensor_soc } { $since }, more than the car can charge. Check the sensor.
note_vehicle_soc_unusable = The sensor of { $vehicle } sends old or impossible values. Check the sensor.
note_vehicle_takes_nothing = { $vehicle } is not charging: { $planned_kwh } were planned since { $since }, none arrived. Check the cable, and any schedule or charge limit in the car.
note_vehicle_soc_full = { $vehicle } counts as full: it draws nothing more from the charger.
note_vehicle_draws_less = Luna plans { $vehicle } with { $kw } at most: it has drawn no more since it was plugged in.
note_vehicle_left_out = Luna leaves { $vehicle } out of the plan: since { $since } it has drawn nothing, although its charger is on. Plug it in again, or choose "Charge" for it.
note_no_session = { $vehicles }: no departure entered, so Luna does not plan charging. Enter it under Schedule, or the distance per year.

# Why a device runs or waits; most reasons are those of device_reasons.
reason_ev_waits_surplus_1 = Waits for solar surplus, expected from { $time }.
reason_ev_waits_surplus_2 = Waits for solar surplus; it will probably not be enough by departure.
short_ev_waits_surplus_1 = Waits for solar from { $time }
short_ev_waits_surplus_2 = Waits for solar
reason_ev_gives_1 = Powers the house: buying would cost { $buy }.
short_ev_gives_1 = Powers the house: buying costs { $buy }
short_ev_gives_2 = Powers the house
reason_ev_pinned_1 = Charges as you set in your override.
short_ev_pinned_1 = Charges as you set
reason_ev_minimum_1 = Charges at your minimum of { $kw } until it is full.
short_ev_minimum_1 = Charges at your minimum of { $kw }
short_ev_minimum_2 = Charges at your minimum
reason_ev_left_out_1 = Left out: the car draws nothing.
short_ev_left_out_1 = Car draws nothing

# What a car draws instead of what its charger gives.
draw_draws_less = { $car } does not draw the { $commanded }: it takes { $most } at most. Luna plans with that until you plug it in again.
draw_full = { $car } no longer draws the { $commanded }: it takes no more, so it is full or at its own limit. Luna leaves it out until you plug it in again.
draw_full_at = { $car } no longer draws the { $commanded }: at { $soc } it takes no more. Check the charge limit in the car if you want more. Luna leaves it out until you plug it in again.
draw_below_least_current = { $car } does not draw the { $commanded }: a car needs 6 A at least. Luna leaves it out until you plug it in again.
draw_waking = { $car } does not draw the { $commanded } yet. Luna stops and starts the charge once to wake it.
draw_asleep = { $car } does not draw the { $commanded }, although it is plugged in. It is asleep or waits for its own schedule. Luna tries again every hour, or at once if you choose "Charge".
draw_not_plugged_in = { $car } does not draw the { $commanded }: it is not plugged in. Luna leaves it out until you plug it in.
draw_refuses = { $car } does not draw the { $commanded }. Check the cable, and any schedule or charge limit in the car. Luna tries again every hour, or at once if you choose "Charge".
