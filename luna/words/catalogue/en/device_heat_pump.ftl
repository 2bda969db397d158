### What is said of heat pumps.

kind_heat_pump = Heat pump
prefix_heat_pump = heat pump
name_heat_pump = Heat pump
series_heat_pump_kwh = Heat pump
role_heat_pump_consumption = Heat pump
setup_option_heated_by_heat_pump = a heat pump

# Of fields, and of defaults that cost money: documentation and command line, in English alone.
field_heat_pump_consumption = sensors of heat pumps' electricity
field_heat_pumps = by name, or one after the other

# What a plan could not hold: what was wanted, and what is missing of it.
wanted_heat_least = heat pump { $name }: at least { $wanted_1 } °C, missed most at { $worst }{ $outside }
missing_heat_least = { $kelvin_1 } K
wanted_heat_most = heat pump { $name }: at most { $wanted_1 } °C, missed most at { $worst }{ $outside }
missing_heat_most = { $kelvin_1 } K
wanted_heat_outdoor = heat pump { $name }: { $celsius } °C outdoors, no temperature is known
missing_heat_outdoor = assumed
wanted_heat_store = heat pump { $name }: { $celsius } °C in the store at the start (state.heat_pumps.{ $name }.temperature_c)
missing_heat_store = assumed

# What a plan rests on.
note_heat_assumed = How warm the store of { $heat_pumps } is, is not known: the middle of its band is assumed.
