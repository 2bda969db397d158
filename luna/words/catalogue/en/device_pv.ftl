### Solar.

kind_pv = Solar panels
name_pv = Solar
name_roof = Roof
role_total_pv_production = Solar production
setup_pv = Solar
setup_none_pv = No solar power.
setup_add_pv = Add solar
entity_override_pv = Override for solar
entity_steering_pv = Solar now
