### Woher Energie kommt und wohin sie geht, und die Posten einer Rechnung.

flow_pv = Solar
flow_import = Aus dem Netz gekauft
flow_discharge = Aus der Batterie
flow_load = Haus
flow_vehicle = Auto
flow_heat_pump = Wärmepumpe
flow_water_heater = Warmwasser
flow_export = Ins Netz verkauft
flow_charge = In die Batterie
flow_unexplained = Verluste und nicht gemessen
flow_demand = Leistungspreis
flow_total = Summe
line_energy = Strom
line_spot = Börsenpreis
line_markup = Aufschlag des Anbieters
line_vat = Mehrwertsteuer
line_blocks = Höhere Preisstufen
line_beyond = { $name }, über { $kwh } kWh hinaus
line_beyond_hours = { $name }, über { $hours } am Tag hinaus
line_component = Teil des Preises
line_base = Grundpreis
line_sold = Einspeisung
days_one = { $last }.{ "\u00A0" }{ $month }
days_within_month = { $first }.–{ $last }.{ "\u00A0" }{ $month }
days_over_months = { $first }.{ "\u00A0" }{ $first_month } – { $last }.{ "\u00A0" }{ $month }
