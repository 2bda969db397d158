### Namen von Betriebsarten und von Plänen, die verglichen werden. Keine Sprache hat einen Namen für zwei davon.

# Betriebsarten von Batterien und anderen Geräten (none: kein solches Gerät); kurze Namen für wenig Platz. Bei anderen Geräten heißt charge wie der kurze Name.
mode_self_consumption = Eigenverbrauch
short_self_consumption = Eigenverbrauch
mode_save = Solarstrom speichern
short_save = Speichern
mode_supply = Haus versorgen
short_supply = Versorgen
mode_hold = Pause
short_hold = Pause
mode_charge = Aus dem Netz laden
short_charge = Laden
mode_export = Verkaufen
short_export = Verkauf
mode_stop = Stopp
short_stop = Stopp
mode_give = Ans Haus abgeben
short_give = Abgeben
mode_own = Automatik
short_own = Automatik
mode_on = An
short_on = An
mode_off = Aus
short_off = Aus
mode_none = –
short_none = –
mode_free = Unbegrenzt
short_free = Frei
mode_no_export = Keine Einspeisung
short_no_export = Kein Export
mode_limit = Begrenzt
short_limit = Grenze

# Wer entscheidet, wo Pläne verglichen werden.
policy_idle = Ungenutzte Batterie
policy_self_consumption = Wechselrichter allein (ohne Luna)
policy_rule = Die drei günstigsten Stunden
policy_mpc = Luna
policy_mpc_scenarios = Luna, auf Prognosefehler vorbereitet
policy_mpc_perfect = Luna, mit bekanntem Verbrauch und Solarstrom
policy_mpc_perfect_pv = Luna, mit bekanntem Solarstrom
policy_antares = Antares
policy_imitation = Aus perfekten Plänen gelernt (Bäume)
policy_network = Aus perfekten Plänen gelernt (Netz)
policy_clone = Aus Lunas Plänen gelernt
policy_rl = Durch Ausprobieren gelernt
policy_oracle = Perfekter Plan (Zukunft bekannt)
policy_antares_export = Luna, Verkauf nach Antares
policy_imitation_export = Luna, Verkauf aus perfekten Plänen gelernt (Bäume)
policy_network_export = Luna, Verkauf aus perfekten Plänen gelernt (Netz)
policy_clone_export = Luna, Verkauf aus Lunas Plänen gelernt
policy_rl_export = Luna, Verkauf durch Ausprobieren gelernt
