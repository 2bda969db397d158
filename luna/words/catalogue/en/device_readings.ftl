### Readings of a device that Luna does not use: which one, its value, and the likely cause.

reading_soc = Battery level
reading_min_soc = Battery reserve
reading_charge_w = Charging power
reading_discharge_w = Discharging power
reading_pv_w = Solar power
reading_ac_output_w = Inverter output
reading_ac_input_w = Inverter input
reading_import_w = Power from the grid
reading_export_w = Power into the grid
reading_load_w = Power used by the house
reading_import_kwh = Meter for grid import
reading_export_kwh = Meter for feed-in
cause_invalid_value = { $reading }: no value. Check that the meter is connected and running.
cause_beyond_rating = { $reading }: { $value } is more than device or grid connection allow. Compare scale and unit with the device's display.
cause_wrong_sign = { $reading }: { $value } must not be below zero. Reverse the sign in the settings, or turn the current clamp round.
cause_contradicts = { $reading }: { $value } does not match the device's other readings. Check the sign (plus or minus).
