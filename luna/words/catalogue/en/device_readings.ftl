### Readings of a device that do not count: which one, what it reported, and what is suspected.

reading_soc = State of charge
reading_min_soc = The battery's reserve
reading_charge_w = Power into the battery
reading_discharge_w = Power out of the battery
reading_pv_w = Solar power
reading_ac_output_w = Power out of the inverter
reading_ac_input_w = Power into the inverter
reading_import_w = Power from the grid
reading_export_w = Power into the grid
reading_load_w = Power of the house
reading_import_kwh = Counter of grid import
reading_export_kwh = Counter of grid export
cause_invalid_value = { $reading }: unknown. The device has no value for it: what measures it is away, asleep or missing.
cause_beyond_rating = { $reading }: unknown. The device reports { $value }, more than it or the connection can carry: compare scale and unit with its display.
cause_wrong_sign = { $reading }: unknown. The device reports { $value }, below zero where it measures one direction alone: the sign is turned round, or a clamp sits the wrong way round.
cause_contradicts = { $reading }: unknown. The { $value } that the device reports do not fit its other powers: what comes in and what goes out differ, as with a sign turned round.
