### What is said of inverters.

kind_inverter = Omvormer
name_inverter = Omvormer
