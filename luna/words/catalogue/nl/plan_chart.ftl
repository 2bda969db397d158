### De grafiek van een plan.

price = Prijs
power = Vermogen
up = verbruikt
down = geleverd
soc = Batterijniveau
band = bandbreedte
held = begrensd
reserve = reserve
cheap = goedkoop
dear = duur
predicted = voorspelde prijzen
without = Zonder Luna
