### The chart of a plan.

price = Price
power = Power
up = used
down = supplied
soc = Battery charge
band = P10–P90
held = held back
reserve = reserve
cheap = cheap
dear = dear
predicted = predicted prices
without = Without Luna
