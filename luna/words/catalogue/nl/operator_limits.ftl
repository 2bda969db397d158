### Grenzen van de netbeheerder: wat geldt, hoe het kwam en wat Luna deed.

limited_all = je apparaten
until = tot { $at }
until_released = tot nader order

# Wat nu geldt.
hold_devices = De netbeheerder begrenst { $devices } { $until } op { $power }.
own_hold_devices = Je begrenst { $devices } { $until } op { $power }.
hold_connection = De netbeheerder begrenst je stroomafname { $until } op { $power }.
own_hold_connection = Je begrenst je stroomafname { $until } op { $power }.
hold_export = De netbeheerder begrenst je teruglevering { $until } op { $power }.
own_hold_export = Je begrenst je teruglevering { $until } op { $power }.

# Wat voorbij is.
over_devices = De netbeheerder begrensde { $devices } van { $start } tot { $end } op { $power }.
own_over_devices = Je begrensde { $devices } van { $start } tot { $end } op { $power }.
over_connection = De netbeheerder begrensde je stroomafname van { $start } tot { $end } op { $power }.
own_over_connection = Je begrensde je stroomafname van { $start } tot { $end } op { $power }.
over_export = De netbeheerder begrensde je teruglevering van { $start } tot { $end } op { $power }.
own_over_export = Je begrensde je teruglevering van { $start } tot { $end } op { $power }.

# Hoe het kwam.
since = Sinds { $start }, via { $source }.
source_api = een ander programma
source_home_assistant = Home Assistant
source_mqtt = MQTT
source_contact = het relais van de netbeheerder
source_box = de regelkast van de netbeheerder
source_openadr = OpenADR
source_ieee2030 = IEEE 2030.5
source_owner = je eigen opdracht

# Waarvoor het geldt, in een tabel.
most_devices = { $power } voor { $devices }
most_connection = { $power } voor je huis
most_export = { $power } voor teruglevering

# Wat gemeten en gedaan is.
done_import = Hoogstens { $power } kwam van het net.
done_export = Hoogstens { $power } ging naar het net.
done_device = { $device }: { $allowed } in plaats van { $planned }.
done_less = { $energy } minder dan gepland.
done_none = Luna hoefde geen apparaat te begrenzen.
