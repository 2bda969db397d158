### Charts of trade-offs and of bills.

# A trade-off: its title, what stands at its sides, and what is weighed.
tradeoff = { $site }: { $first } against { $second }
axis_cost = cost ({ $currency })
axis_carbon = carbon (g)
axis_self_sufficiency = import (kWh)
axis_wear = wear ({ $currency })
aim_cost = cost
aim_carbon = carbon
aim_self_sufficiency = self-sufficiency
aim_wear = wear

bill = Saved by month in { $currency }: { $site }, { $first } to { $last }
