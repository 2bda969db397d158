### What modes and policies are called. No language has a word for two of them.

# Of batteries, and of what is no battery (none: of what is not there); short ones for narrow places.
mode_self_consumption = Huis volgen
short_self_consumption = Huis
mode_save = Sparen
short_save = Sparen
mode_supply = Huis voeden
short_supply = Voeden
mode_hold = Vasthouden
short_hold = Rust
mode_charge = Laden
short_charge = Laden
mode_export = Verkopen
short_export = Verkoop
mode_stop = Stoppen
short_stop = Stop
mode_give = Leveren aan huis
short_give = Leveren
mode_own = Uit zichzelf
short_own = Zelf
mode_on = Aan
short_on = Aan
mode_off = Uit
short_off = Uit
mode_none = –
short_none = –
mode_free = Vrij
short_free = Vrij
mode_no_export = Niet terugleveren
short_no_export = Geen export
mode_limit = Begrenzen
short_limit = Grens

# Who decides, in a replay and in the report.
policy_idle = Batterij doet niets
policy_self_consumption = Eigen verbruik (alleen de omvormer)
policy_rule = De drie goedkoopste uren
policy_mpc = Luna
policy_mpc_scenarios = Luna, met afweging van voorspelfouten
policy_mpc_perfect = Luna, als verbruik en zon bekend waren
policy_mpc_perfect_pv = Luna, als de zon bekend was
policy_antares = Antares
policy_imitation = Nabootsing van voorkennis (bomen)
policy_network = Nabootsing van voorkennis (netwerk)
policy_clone = Nabootsing van de afwegende planner
policy_rl = Reinforcement learning
policy_oracle = Perfecte voorkennis
policy_antares_export = Luna, verkoop volgens Antares
policy_imitation_export = Luna, verkoop volgens nabootsing van voorkennis (bomen)
policy_network_export = Luna, verkoop volgens nabootsing van voorkennis (netwerk)
policy_clone_export = Luna, verkoop volgens nabootsing van de afwegende planner
policy_rl_export = Luna, verkoop volgens reinforcement learning
