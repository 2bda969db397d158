### Grenzen des Netzbetreibers: was gilt, wie es kam und was Luna getan hat.

limited_all = deine Geräte
until = bis { $at }
until_released = bis auf Weiteres

# Was jetzt gilt.
hold_devices = Der Netzbetreiber begrenzt { $devices } { $until } auf { $power }.
own_hold_devices = Du begrenzt { $devices } { $until } auf { $power }.
hold_connection = Der Netzbetreiber begrenzt deinen Strombezug { $until } auf { $power }.
own_hold_connection = Du begrenzt deinen Strombezug { $until } auf { $power }.
hold_export = Der Netzbetreiber begrenzt deine Einspeisung { $until } auf { $power }.
own_hold_export = Du begrenzt deine Einspeisung { $until } auf { $power }.

# Was vorbei ist.
over_devices = Der Netzbetreiber hat { $devices } von { $start } bis { $end } auf { $power } begrenzt.
own_over_devices = Du hast { $devices } von { $start } bis { $end } auf { $power } begrenzt.
over_connection = Der Netzbetreiber hat deinen Strombezug von { $start } bis { $end } auf { $power } begrenzt.
own_over_connection = Du hast deinen Strombezug von { $start } bis { $end } auf { $power } begrenzt.
over_export = Der Netzbetreiber hat deine Einspeisung von { $start } bis { $end } auf { $power } begrenzt.
own_over_export = Du hast deine Einspeisung von { $start } bis { $end } auf { $power } begrenzt.

# Wie es kam.
since = Seit { $start }, über { $source }.
source_api = ein anderes Programm
source_home_assistant = Home Assistant
source_mqtt = MQTT
source_contact = das Relais des Netzbetreibers
source_box = die Steuerbox des Netzbetreibers
source_openadr = OpenADR
source_ieee2030 = IEEE 2030.5
source_owner = deine eigene Vorgabe

# Wofür es gilt, in einer Tabelle.
most_devices = { $power } für { $devices }
most_connection = { $power } für dein Zuhause
most_export = { $power } für die Einspeisung

# Was gemessen und getan wurde.
done_import = Höchstens { $power } kamen aus dem Netz.
done_export = Höchstens { $power } gingen ins Netz.
done_device = { $device }: { $allowed } statt { $planned }.
done_less = { $energy } weniger als geplant.
done_none = Luna musste kein Gerät drosseln.
