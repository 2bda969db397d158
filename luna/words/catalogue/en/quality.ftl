### What speaks against a day's data, and what its columns are called.

prices_market = Prices of { $market }

# A column of the quarter-hours, and what a home owner calls it.
series_load_kwh = Consumption
series_pv_kwh = Solar
series_import_kwh = Grid import
series_export_kwh = Grid export
series_charge_kwh = Battery charge
series_discharge_kwh = Battery discharge
series_soc = State of charge
series_residual_kwh = What meters leave unexplained
series_beyond_house_kwh = What devices use beyond the house's meter
series_import_price = Buy price
series_export_price = Sell price

# What speaks against a day's data.
fault_coverage = { $series } is known in { $known } of { $slots } quarter-hours
fault_silent = { $series }: { $sensor } has said nothing since { $since }, so the sum is unknown. Where another meter is in its place, name that one on the site's page, under Sensors; where none is, take it out there
fault_unheard = { $series }: { $sensor } has never said anything, so the sum is unknown. Correct its name on the site's page, under Sensors, or take it out
fault_estimated = { $series }: the sum is the meter's, { $known } of { $slots } quarter-hours of it are estimated
fault_repaired = { $series } was repaired in { $known } of { $slots } quarter-hours
fault_balance = meters leave { $open } of { $flow } kWh unexplained
fault_balance_unusual = meters leave { $open } of { $flow } kWh unexplained, on the days around mostly { $usual } at most. Did one of them stand still, or was its clock wrong?
fault_sensor_wrong_sign = { $sensor } is always negative. Is its sign inverted? Then a minus before its name puts it right, on the site's page, under Sensors
fault_sensor_thousandfold = { $sensor } says a thousand times what the site can do. Does it measure watts and call them kilowatts?
fault_sensor_night = { $sensor } generates in the middle of the night. Is it really the roof's sensor, and is its clock right?
fault_sensor_means_no_value = { $sensor } had no value for a while ({ $readings } readings)
fault_counted_alone = { $series } is counted without { $sensor }, which said nothing. Where its name is an old one, take it out on the site's page, under Sensors
fault_scaled_down = { $sensor } looks a thousand times too low: times a thousand it fits the other meters. Is its unit right?
fault_scaled_up = { $sensor } looks a thousand times too high: a thousandth of it fits the other meters. Is its unit right?
fault_frozen = { $sensor } stands still for { $hours } h in which the other meters say { $missed } kWh. Is its sensor stuck, or does it count the other direction?
fault_clock_late = { $sensor } looks { $hours } h late: told earlier, it fits the other meters. Is the clock of its meter right?
fault_clock_early = { $sensor } looks { $hours } h early: told later, it fits the other meters. Is the clock of its meter right?
fault_turned = { $source } and { $sink } look exchanged: the other way round meters explain the day. Exchange their sensors on the site's page; where one power with a sign serves both, its minus goes to the other one
fault_devices_beyond_house =
    { $known ->
        [one] { $series }: { $open } kWh more than the house's meter counts, in { $known } quarter-hour. Does the house's meter see this device? If not, name its sensor under outside_house_meter in the site's file as well, and build the quarter-hours again
       *[other] { $series }: { $open } kWh more than the house's meter counts, in { $known } quarter-hours. Does the house's meter see this device? If not, name its sensor under outside_house_meter in the site's file as well, and build the quarter-hours again
    }
fault_devices_beyond_grid =
    { $known ->
        [one] { $series }: { $open } kWh more than the grid's meter leaves for the house, in { $known } quarter-hour. Does the grid's meter see this device? If not, name its sensor under total_grid_import in the site's file as well, and build the quarter-hours again
       *[other] { $series }: { $open } kWh more than the grid's meter leaves for the house, in { $known } quarter-hours. Does the grid's meter see this device? If not, name its sensor under total_grid_import in the site's file as well, and build the quarter-hours again
    }
fault_rebuild = { $series } is { $before } kWh, and { $after } kWh where its quarter-hours are built again: the stored ones stay. Check the sensor's unit and role; a row under the refused ones takes the new figures
fault_price_gap = { $series } is unknown in { $known } of { $slots } quarter-hours
fault_price_zero = { $series } is zero in { $known } of { $slots } quarter-hours in which the market was not
fault_soc_jump =
    { $known ->
        [one] the state of charge moves faster than the battery can, or did, in { $known } quarter-hour
       *[other] the state of charge moves faster than the battery can, or did, in { $known } quarter-hours
    }
fault_soc_excursion =
    { $known ->
        [one] the state of charge is off by up to { $jump } % in { $known } quarter-hour, and then comes back. Did its sensor restart?
       *[other] the state of charge is off by up to { $jump } % in { $known } quarter-hours, and then comes back. Did its sensor restart?
    }
fault_soc_stuck = the state of charge stands still while { $flow } kWh went in or out
fault_soc_reversed = the battery looks reversed: its state of charge falls while it charges ({ $against } of { $moved } kWh). Exchange the sensors of total_battery_charge and total_battery_discharge in the site's file; where one power with a sign serves both, its minus goes to the other one
fault_soc_drift = the state of charge moved by { $told } kWh, meters say { $metered } kWh
fault_open = the day has not ended
fault_unreadable = what speaks against it was stored by another release of Luna
