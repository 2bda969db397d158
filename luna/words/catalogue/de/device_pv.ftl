### Solar.

kind_pv = Solaranlage
name_pv = Solaranlage
name_roof = Dach
role_total_pv_production = Solarertrag
setup_pv = Solaranlage
setup_none_pv = Kein Solarstrom.
setup_add_pv = Solaranlage hinzufügen
entity_override_pv = Eigene Vorgabe für Solar
entity_steering_pv = Solarstrom jetzt
