### What the part of a job says beside what every page does.

title = Taak
