### Namen van modi en van plannen die worden vergeleken. Geen taal heeft één naam voor twee ervan.

# Modi van batterijen en andere apparaten (none: geen zulk apparaat); korte namen voor weinig ruimte. Bij andere apparaten heet charge zoals de korte naam.
mode_self_consumption = Eigen gebruik
short_self_consumption = Eigen gebruik
mode_save = Zonnestroom opslaan
short_save = Opslaan
mode_supply = Huis voeden
short_supply = Voeden
mode_hold = Pauze
short_hold = Pauze
mode_charge = Laden van het net
short_charge = Laden
mode_export = Verkopen
short_export = Verkoop
mode_stop = Stoppen
short_stop = Stop
mode_give = Leveren aan huis
short_give = Leveren
mode_own = Automatisch
short_own = Autom.
mode_on = Aan
short_on = Aan
mode_off = Uit
short_off = Uit
mode_none = –
short_none = –
mode_free = Onbegrensd
short_free = Vrij
mode_no_export = Niet terugleveren
short_no_export = Geen export
mode_limit = Begrensd
short_limit = Grens

# Wie beslist, waar plannen worden vergeleken.
policy_idle = Ongebruikte batterij
policy_self_consumption = Alleen de omvormer (zonder Luna)
policy_rule = De drie goedkoopste uren
policy_mpc = Luna
policy_mpc_scenarios = Luna, voorbereid op voorspelfouten
policy_mpc_perfect = Luna, met bekend verbruik en bekende zon
policy_mpc_perfect_pv = Luna, met bekende zon
policy_antares = Antares
policy_imitation = Geleerd van perfecte plannen (bomen)
policy_network = Geleerd van perfecte plannen (netwerk)
policy_clone = Geleerd van Luna’s plannen
policy_rl = Geleerd door proberen
policy_oracle = Perfect plan (toekomst bekend)
policy_antares_export = Luna, verkoop volgens Antares
policy_imitation_export = Luna, verkoop geleerd van perfecte plannen (bomen)
policy_network_export = Luna, verkoop geleerd van perfecte plannen (netwerk)
policy_clone_export = Luna, verkoop geleerd van Luna’s plannen
policy_rl_export = Luna, verkoop geleerd door proberen
