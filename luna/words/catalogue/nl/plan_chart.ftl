### The chart of a plan.

price = Prijs
power = Vermogen
up = verbruikt
down = geleverd
soc = Laadniveau
band = P10–P90
held = afgeregeld
reserve = reserve
cheap = goedkoop
dear = duur
predicted = voorspelde prijzen
without = Zonder Luna
