### Waar energie vandaan komt en heen gaat, en de posten van een rekening.

flow_pv = Zon
flow_import = Gekocht van het net
flow_discharge = Uit de batterij
flow_load = Huis
flow_vehicle = Auto
flow_heat_pump = Warmtepomp
flow_water_heater = Boiler
flow_export = Verkocht aan het net
flow_charge = In de batterij
flow_unexplained = Verliezen en niet gemeten
flow_demand = Capaciteitstarief
flow_total = Totaal
line_energy = Stroom
line_spot = Marktprijs
line_markup = Opslag van de leverancier
line_vat = Btw
line_blocks = Hogere schijven
line_beyond = { $name }, boven { $kwh } kWh
line_beyond_hours = { $name }, boven { $hours } per dag
line_component = Deel van de prijs
line_base = Vaste kosten
line_sold = Teruglevering
days_one = { $last }{ "\u00A0" }{ $month }
days_within_month = { $first }–{ $last }{ "\u00A0" }{ $month }
days_over_months = { $first }{ "\u00A0" }{ $first_month } – { $last }{ "\u00A0" }{ $month }
