### What luna plan prints; a unit stands below its heading.

title = Plan for { $site }, { $zone }
from = from
mode = mode
battery = battery
charge = charge
house = house
pv = PV
grid = grid
buy = buy
sell = sell
reason = reason
predicted = { $mark } before a price: predicted, nobody has published it yet.
what = what
energy = energy
cost = Cost { $cost } ({ $status }); plan { $plan }
gap_cost = At most { $cost } above the cheapest plan that is possible.
optimal = optimal
feasible = feasible
compromised = compromised
assumed = for what is assumed above
forecast = Load and PV as { $version } forecast them at { $issued }{ $why }
rule = { $parameter } is { $value } by the rule { $rule }: { $why }
manual = What is set by hand costs { $cost }.
not_had = Not had:
not_met = Not met:
not_found = No way found in time:
beside = Beside the cheapest plan: { $cost } more{ $carbon }, { $kwh } of import less.
carbon = , { $kg } kg of carbon less

# Notes, and what they leave to do in a terminal.
head_note = Note
head_assumed = Assumed
do_no_session = Give one with --session, or store it with luna session add.
do_forecast_awaits_proof = Use it now: { $command }
do_forecast_not_better = Use it now: { $command }
