### Diagramme von Abwägungen und von Rechnungen.

# Eine Abwägung: ihr Titel, die Achsen und die zwei Ziele.
tradeoff = { $site }: { $first } oder { $second }
axis_cost = Kosten ({ $currency })
axis_carbon = CO₂ (g)
axis_self_sufficiency = Netzbezug (kWh)
axis_wear = Batterieverschleiß ({ $currency })
aim_cost = niedrige Kosten
aim_carbon = wenig CO₂
aim_self_sufficiency = wenig Netzbezug
aim_wear = wenig Batterieverschleiß

bill = Ersparnis je Monat in { $currency }: { $site }, { $first } bis { $last }
