### Where energy comes from and goes, and the lines of a bill.

flow_pv = Solar
flow_import = Bought from the grid
flow_discharge = From the battery
flow_load = House
flow_vehicle = Car
flow_heat_pump = Heat pump
flow_water_heater = Water heater
flow_export = Sold to the grid
flow_charge = Into the battery
flow_unexplained = Losses and not metered
flow_demand = Capacity charge
flow_total = Total
line_energy = Energy
line_spot = Market price
line_markup = Supplier's markup
line_vat = VAT
line_blocks = Higher price tiers
line_beyond = { $name }, beyond { $kwh } kWh
line_beyond_hours = { $name }, beyond { $hours } a day
line_component = Part of the price
line_base = Base price
line_sold = Feed-in
days_one = { $last }{ "\u00A0" }{ $month }
days_within_month = { $first }–{ $last }{ "\u00A0" }{ $month }
days_over_months = { $first }{ "\u00A0" }{ $first_month } – { $last }{ "\u00A0" }{ $month }
