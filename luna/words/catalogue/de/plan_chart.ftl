### Das Diagramm eines Plans.

price = Preis
power = Leistung
up = verbraucht
down = geliefert
soc = Ladestand
band = Schwankungsbereich
held = gedrosselt
reserve = Reserve
cheap = günstig
dear = teuer
predicted = Preisprognose
without = Ohne Luna
