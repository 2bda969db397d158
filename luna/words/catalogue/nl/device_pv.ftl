### What is said of PV arrays.

kind_pv = Zonnepanelen
name_pv = Zonnepanelen
name_roof = Dak
role_total_pv_production = Opwek
setup_pv = Zonnepanelen
setup_none_pv = Geen zonnepanelen.
setup_add_pv = Zonnepanelen toevoegen
entity_override_pv = Afwijken: zonnepanelen
