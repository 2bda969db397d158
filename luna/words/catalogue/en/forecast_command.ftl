### What luna forecast explain prints.

load = Consumption
pv = Solar power

# Headings.
head_time = time
head_load = consumption
head_usual = usual
head_why = mostly because
head_pv = solar power

# Of a version that repeats the last seven days.
the_usual = This version forecasts what is usual, the mean of the last seven days: there is no other reason.
