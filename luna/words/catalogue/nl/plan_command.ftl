### What luna plan prints; a unit stands below its heading.

title = Plan voor { $site }, { $zone }
from = vanaf
mode = modus
battery = batterij
charge = niveau
house = huis
pv = zon
grid = net
buy = kopen
sell = verkopen
reason = reden
predicted = { $mark } voor een prijs: voorspeld, hij is nog niet gepubliceerd.
what = wat
energy = energie
cost = Kosten { $cost } ({ $status }); plan { $plan }
gap_cost = Hoogstens { $cost } duurder dan het goedkoopste plan dat mogelijk is.
optimal = optimaal
feasible = geldig
compromised = met concessies
assumed = voor wat hierboven is aangenomen
forecast = Verbruik en zon zoals { $version } ze om { $issued } voorspelde{ $why }
rule = { $parameter } is { $value } door de regel { $rule }: { $why }
manual = Wat jij hebt vastgezet, kost { $cost }.
not_had = Niet haalbaar:
not_met = Niet gehaald:
not_found = Niet op tijd gevonden:
beside = Naast het goedkoopste plan: { $cost } meer{ $carbon }, { $kwh } minder afname.
carbon = , { $kg } kg CO₂ minder

# Notes, and what they leave to do in a terminal.
head_note = Let op
head_assumed = Aangenomen
do_no_session = Geef er een op met --session, of sla hem op met luna session add.
do_forecast_awaits_proof = Nu al gebruiken: { $command }
do_forecast_not_better = Nu al gebruiken: { $command }
