### Wechselrichter.

kind_inverter = Wechselrichter
name_inverter = Wechselrichter
