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
predicted = { $mark } betekent prijsvoorspelling: de echte prijs is nog niet gepubliceerd.
what = wat
energy = energie
cost = Kosten { $cost } ({ $status }); plan { $plan }
gap_cost = Het goedkoopste mogelijke plan kost hoogstens { $cost } minder.
optimal = goedkoopste
feasible = mogelijk
compromised = haalt een grens niet
assumed = met de aannames hierboven
forecast = Verbruik en zon: voorspelling { $version }, gemaakt { $issued }{ $why }
rule = { $parameter } is { $value } door de regel { $rule }: { $why }
manual = Jouw instellingen kosten { $cost }.
not_had = Niet mogelijk:
not_met = Niet gehaald:
not_found = Niet op tijd een oplossing gevonden:
beside = Vergeleken met het goedkoopste plan: { $cost } meer{ $carbon }, { $kwh } minder gekocht.
carbon = , { $kg } kg minder CO₂

# Notes, and the commands that go with them.
head_note = Let op
head_assumed = Aangenomen
do_no_session = Geef een vertrek op met --session, of sla er een op met luna session add.
do_forecast_awaits_proof = Nu al gebruiken: { $command }
do_forecast_not_better = Nu al gebruiken: { $command }
