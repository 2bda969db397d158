### What is wrong with a day's data, and what its columns are called.

prices_market = Prices of { $market }

# A column of the quarter-hours, as an owner knows it.
series_load_kwh = Consumption
series_pv_kwh = Solar
series_import_kwh = Grid import
series_export_kwh = Feed-in
series_charge_kwh = Battery charged
series_discharge_kwh = Battery discharged
series_soc = Battery level
series_residual_kwh = Unexplained by the meters
series_beyond_house_kwh = Devices the house meter does not count
series_import_price = Electricity price
series_export_price = Feed-in price

# What is wrong with a day's data.
fault_coverage = { $series }: only { $known } of { $slots } quarter-hours are known
fault_silent = { $series } is incomplete: { $sensor } has sent no values since { $since }. Replace or remove the sensor in your home's settings, under Sensors
fault_unheard = { $series } is incomplete: { $sensor } has never sent values. Correct its name or remove it in your home's settings, under Sensors
fault_estimated = { $series }: Luna estimates { $known } of { $slots } quarter-hours. The day's total is measured
fault_repaired = { $series }: Luna filled { $known } of { $slots } quarter-hours
fault_balance = The meters do not match: { $open } of { $flow } kWh are unexplained
fault_balance_unusual = The meters do not match: { $open } of { $flow } kWh are unexplained, usually at most { $usual } kWh. Did a meter stop, or was its clock wrong?
fault_sensor_wrong_sign = { $sensor } is always negative. Is its sign wrong? Put a minus before its name in your home's settings, under Sensors
fault_sensor_thousandfold = { $sensor } reports a thousand times more than is possible in your home. Does it send watts instead of kilowatts?
fault_sensor_night = { $sensor } reports solar at night. Is it the right sensor, and is its clock right?
fault_sensor_means_no_value = { $sensor } sent “no value” ({ $readings } readings)
fault_counted_alone = { $sensor } sent no values, so { $series } counts only the other sensors. Is it an old sensor? Remove it in your home's settings, under Sensors
fault_scaled_down = { $sensor } seems a thousand times too low. Is its unit right?
fault_scaled_up = { $sensor } seems a thousand times too high. Is its unit right?
fault_frozen = { $sensor } did not change for { $hours } h, while the other meters counted { $missed } kWh. Is it stuck, or does it count the other direction?
fault_clock_late = { $sensor } seems { $hours } h late. Is its clock right?
fault_clock_early = { $sensor } seems { $hours } h early. Is its clock right?
fault_turned = “{ $source }” and “{ $sink }” seem swapped. Swap their sensors in your home's settings, under Sensors. Do both use one sensor? Then move its minus to the other field
fault_devices_beyond_house =
    { $known ->
        [one] { $series }: { $open } kWh more than the house meter counted, in { $known } quarter-hour. Does the house meter count this device? If not, tick that at its sensor in your home's settings, under Sensors
       *[other] { $series }: { $open } kWh more than the house meter counted, in { $known } quarter-hours. Does the house meter count this device? If not, tick that at its sensor in your home's settings, under Sensors
    }
fault_devices_beyond_grid =
    { $known ->
        [one] { $series }: { $open } kWh more than the house used according to the grid meter, in { $known } quarter-hour. Does the grid meter count this device? If not, add its sensor to grid import too, in your home's settings, under Sensors
       *[other] { $series }: { $open } kWh more than the house used according to the grid meter, in { $known } quarter-hours. Does the grid meter count this device? If not, add its sensor to grid import too, in your home's settings, under Sensors
    }
fault_rebuild = { $series }: Luna stored { $before } kWh, but a new calculation gives { $after } kWh. Check unit and meaning of the sensor. To use the new values, accept them under Rows set aside
fault_price_gap = { $series }: unknown in { $known } of { $slots } quarter-hours
fault_price_zero = { $series }: zero in { $known } of { $slots } quarter-hours, but the market price is not zero
fault_soc_jump =
    { $known ->
        [one] The battery level changes faster than the battery can, in { $known } quarter-hour
       *[other] The battery level changes faster than the battery can, in { $known } quarter-hours
    }
fault_soc_excursion =
    { $known ->
        [one] The battery level is off by up to { $jump }% in { $known } quarter-hour, then returns. Did its sensor restart?
       *[other] The battery level is off by up to { $jump }% in { $known } quarter-hours, then returns. Did its sensor restart?
    }
fault_soc_stuck = The battery level did not change while { $flow } kWh went in or out
fault_soc_reversed = The battery level falls while the battery charges ({ $against } of { $moved } kWh). Are the sensors for charging and discharging swapped? Swap them in your home's settings, under Sensors
fault_soc_drift = The battery level changed by { $told } kWh, but the meters counted { $metered } kWh
fault_open = The day is not over yet
fault_unreadable = Another version of Luna stored the reasons, so Luna cannot show them. Check this month again
