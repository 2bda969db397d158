### Omvormers.

kind_inverter = Omvormer
name_inverter = Omvormer
