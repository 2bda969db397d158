load = Verbrauch
pv = Solarstrom
head_time = Zeit
head_load = Verbrauch
head_usual = üblich
head_why = vor allem weil
head_pv = Solarstrom
the_usual = Diese Version sagt das Übliche voraus, das Mittel der letzten sieben Tage: Einen anderen Grund gibt es nicht.
