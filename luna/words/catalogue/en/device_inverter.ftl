### What is said of inverters.

kind_inverter = Inverter
name_inverter = Inverter
