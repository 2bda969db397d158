load = Verbrauch
pv = Solarstrom
head_time = Zeit
head_load = Verbrauch
head_usual = üblich
head_why = Hauptgrund
head_pv = Solarstrom
the_usual = Diese Prognose wiederholt den Durchschnitt der letzten sieben Tage. Einen anderen Grund gibt es nicht.
