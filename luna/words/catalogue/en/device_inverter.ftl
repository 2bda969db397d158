### Inverters.

kind_inverter = Inverter
name_inverter = Inverter
