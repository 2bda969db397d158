### What luna forecast explain prints.

load = Verbruik
pv = Zonnestroom

# Headings.
head_time = tijd
head_load = verbruik
head_usual = gewoonlijk
head_why = belangrijkste reden
head_pv = zonnestroom

# For a forecast that repeats the last seven days.
the_usual = Deze voorspelling herhaalt het gemiddelde van de laatste zeven dagen. Een andere reden is er niet.
