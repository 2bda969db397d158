### Grafieken van afwegingen en van rekeningen.

# Een afweging: de titel, de assen en de twee doelen.
tradeoff = { $site }: { $first } of { $second }
axis_cost = kosten ({ $currency })
axis_carbon = CO₂ (g)
axis_self_sufficiency = netafname (kWh)
axis_wear = batterijslijtage ({ $currency })
aim_cost = lage kosten
aim_carbon = weinig CO₂
aim_self_sufficiency = weinig netafname
aim_wear = weinig batterijslijtage

bill = Besparing per maand in { $currency }: { $site }, { $first } tot en met { $last }
