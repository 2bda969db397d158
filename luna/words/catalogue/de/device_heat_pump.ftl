### Wärmepumpen.

kind_heat_pump = Wärmepumpe
prefix_heat_pump = Wärmepumpe
limited_heat_pump =
    { $count ->
        [one] deine Wärmepumpe
       *[other] deine Wärmepumpen
    }
name_heat_pump = Wärmepumpe
series_heat_pump_kwh = Wärmepumpe
role_heat_pump_consumption = Wärmepumpe
setup_option_heated_by_heat_pump = eine Wärmepumpe

# Vorgaben, die ein Plan nicht einhält, und was fehlt.
wanted_heat_least = Wärmepumpe { $name }: mindestens { $wanted_degrees }, am kältesten { $worst }{ $outside }
missing_heat_least = { $kelvin_degrees_apart } zu kalt
wanted_heat_most = Wärmepumpe { $name }: höchstens { $wanted_degrees }, am wärmsten { $worst }{ $outside }
missing_heat_most = { $kelvin_degrees_apart } zu warm
wanted_heat_outdoor = Wärmepumpe { $name }: Außentemperatur unbekannt, { $celsius_degrees }
missing_heat_outdoor = angenommen
wanted_heat_store = Wärmepumpe { $name }: Temperatur des Wärmespeichers unbekannt, { $celsius_degrees } zu Beginn (state.heat_pumps.{ $name }.temperature_c)
missing_heat_store = angenommen

# Wovon ein Plan ausgeht.
note_heat_assumed = Die Temperatur des Wärmespeichers von { $heat_pumps } ist unbekannt. Luna nimmt die Mitte des Bereichs an.
