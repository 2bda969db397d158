### What is said of heat pumps.

kind_heat_pump = Warmtepomp
prefix_heat_pump = warmtepomp
name_heat_pump = Warmtepomp
series_heat_pump_kwh = Warmtepomp
role_heat_pump_consumption = Warmtepomp
setup_option_heated_by_heat_pump = een warmtepomp

# What a plan could not hold: what was wanted, and what is missing of it.
wanted_heat_least = warmtepomp { $name }: minstens { $wanted_1 } °C, het verst ernaast op { $worst }{ $outside }
missing_heat_least = { $kelvin_1 } K
wanted_heat_most = warmtepomp { $name }: hoogstens { $wanted_1 } °C, het verst ernaast op { $worst }{ $outside }
missing_heat_most = { $kelvin_1 } K
wanted_heat_outdoor = warmtepomp { $name }: { $celsius } °C buiten, er is geen temperatuur bekend
missing_heat_outdoor = aangenomen
wanted_heat_store = warmtepomp { $name }: { $celsius } °C in het buffervat aan het begin (state.heat_pumps.{ $name }.temperature_c)
missing_heat_store = aangenomen

# What a plan rests on.
note_heat_assumed = Hoe warm het buffervat van { $heat_pumps } is, is niet bekend: Luna neemt het midden van het bereik aan.
