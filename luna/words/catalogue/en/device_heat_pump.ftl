### Heat pumps.

kind_heat_pump = Heat pump
prefix_heat_pump = heat pump
limited_heat_pump =
    { $count ->
        [one] your heat pump
       *[other] your heat pumps
    }
name_heat_pump = Heat pump
series_heat_pump_kwh = Heat pump
role_heat_pump_consumption = Heat pump
setup_option_heated_by_heat_pump = a heat pump

# Fields, and defaults that cost money: documentation and command line, in English only.
field_heat_pump_consumption = sensors of heat pumps' electricity
field_heat_pumps = by name, or one after the other

# Limits that a plan could not keep, and what is missing.
wanted_heat_least = heat pump { $name }: at least { $wanted_degrees }, coldest at { $worst }{ $outside }
missing_heat_least = { $kelvin_degrees_apart } too cold
wanted_heat_most = heat pump { $name }: at most { $wanted_degrees }, warmest at { $worst }{ $outside }
missing_heat_most = { $kelvin_degrees_apart } too warm
wanted_heat_outdoor = heat pump { $name }: outdoor temperature unknown, { $celsius_degrees }
missing_heat_outdoor = assumed
wanted_heat_store = heat pump { $name }: temperature of the heat storage unknown, { $celsius_degrees } at the start (state.heat_pumps.{ $name }.temperature_c)
missing_heat_store = assumed

# What a plan assumes.
note_heat_assumed = The temperature of the heat storage of { $heat_pumps } is unknown. Luna assumes the middle of its range.
