### Charts of trade-offs and of bills.

# A trade-off: its title, the axes, and the two aims.
tradeoff = { $site }: { $first } or { $second }
axis_cost = cost ({ $currency })
axis_carbon = CO₂ (g)
axis_self_sufficiency = grid import (kWh)
axis_wear = battery wear ({ $currency })
aim_cost = low cost
aim_carbon = little CO₂
aim_self_sufficiency = little grid import
aim_wear = little battery wear

bill = Saved by month in { $currency }: { $site }, { $first } to { $last }
