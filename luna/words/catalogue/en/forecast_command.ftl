### What luna forecast explain prints.

load = Consumption
pv = Solar

# Headings.
head_time = time
head_load = consumption
head_usual = usual
head_why = main reason
head_pv = solar

# For a forecast that repeats the last seven days.
the_usual = This forecast repeats the average of the last seven days. There is no other reason.
