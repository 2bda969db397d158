### Warmtepompen.

kind_heat_pump = Warmtepomp
prefix_heat_pump = warmtepomp
limited_heat_pump =
    { $count ->
        [one] je warmtepomp
       *[other] je warmtepompen
    }
name_heat_pump = Warmtepomp
series_heat_pump_kwh = Warmtepomp
role_heat_pump_consumption = Warmtepomp
setup_option_heated_by_heat_pump = een warmtepomp

# Grenzen die een plan niet haalt, en wat er ontbreekt.
wanted_heat_least = warmtepomp { $name }: minstens { $wanted_degrees }, het koudst op { $worst }{ $outside }
missing_heat_least = { $kelvin_degrees_apart } te koud
wanted_heat_most = warmtepomp { $name }: hoogstens { $wanted_degrees }, het warmst op { $worst }{ $outside }
missing_heat_most = { $kelvin_degrees_apart } te warm
wanted_heat_outdoor = warmtepomp { $name }: buitentemperatuur onbekend, { $celsius_degrees }
missing_heat_outdoor = aangenomen
wanted_heat_store = warmtepomp { $name }: temperatuur van het buffervat onbekend, { $celsius_degrees } aan het begin (state.heat_pumps.{ $name }.temperature_c)
missing_heat_store = aangenomen

# Waar een plan van uitgaat.
note_heat_assumed = De temperatuur van het buffervat van { $heat_pumps } is onbekend. Luna gaat uit van het midden van het bereik.
