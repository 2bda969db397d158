### Charts of trade-offs and of bills.

# A trade-off: its title, what stands at its sides, and what is weighed.
tradeoff = { $site }: { $first } tegenover { $second }
axis_cost = kosten ({ $currency })
axis_carbon = CO₂ (g)
axis_self_sufficiency = afname (kWh)
axis_wear = slijtage ({ $currency })
aim_cost = kosten
aim_carbon = CO₂
aim_self_sufficiency = zelfvoorziening
aim_wear = slijtage

bill = Bespaard per maand in { $currency }: { $site }, { $first } tot en met { $last }
