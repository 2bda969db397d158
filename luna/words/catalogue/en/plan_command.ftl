### What luna plan prints; a unit stands below its heading.

title = Plan for { $site }, { $zone }
from = from
mode = mode
battery = battery
charge = level
house = house
pv = solar
grid = grid
buy = buy
sell = sell
reason = reason
predicted = { $mark } marks a price forecast: the real price is not published yet.
what = what
energy = energy
cost = Cost { $cost } ({ $status }); plan { $plan }
gap_cost = The cheapest possible plan costs at most { $cost } less.
optimal = cheapest
feasible = possible
compromised = misses a limit
assumed = with the assumptions above
forecast = Consumption and solar: forecast { $version }, made { $issued }{ $why }
rule = { $parameter } is { $value } because of the rule { $rule }: { $why }
manual = Your overrides cost { $cost }.
not_had = Not possible:
not_met = Not met:
not_found = No solution found in time:
beside = Compared with the cheapest plan: { $cost } more{ $carbon }, { $kwh } less bought.
carbon = , { $kg } kg less CO₂

# Notes, and the commands that go with them.
head_note = Note
head_assumed = Assumed
do_no_session = Give a departure with --session, or save one with luna session add.
do_forecast_awaits_proof = Use it now: { $command }
do_forecast_not_better = Use it now: { $command }
