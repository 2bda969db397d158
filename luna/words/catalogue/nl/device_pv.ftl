### Zonnepanelen.

kind_pv = Zonnepanelen
name_pv = Zonnepanelen
name_roof = Dak
role_total_pv_production = Opbrengst van de zonnepanelen
setup_pv = Zonnepanelen
setup_none_pv = Geen zonnestroom.
setup_add_pv = Zonnepanelen toevoegen
entity_override_pv = Eigen instelling voor zonnepanelen
entity_steering_pv = Zonnestroom nu
