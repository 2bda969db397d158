### What luna forecast explain prints.

load = Verbruik
pv = Zonnestroom

# Headings.
head_time = tijd
head_load = verbruik
head_usual = gewoonlijk
head_why = vooral omdat
head_pv = zonnestroom

# Of a version that repeats the last seven days.
the_usual = Deze versie voorspelt wat gewoonlijk is, het gemiddelde van de laatste zeven dagen: een andere reden is er niet.
