### The chart of a plan.

price = Price
power = Power
up = used
down = supplied
soc = Battery level
band = forecast range
held = limited
reserve = reserve
cheap = cheap
dear = expensive
predicted = predicted prices
without = Without Luna
