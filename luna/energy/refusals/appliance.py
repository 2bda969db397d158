"""What is refused of loads that may wait."""

from luna.energy.refusals.reason import PageText, RefusalReason

REASONS: dict[str, RefusalReason] = {
    "energy-beyond-power": RefusalReason(
        "energy_kwh_per_day {energy_kwh_per_day} exceeds what power_kw gives in a day, {most_kwh}",
        None,
        PageText("{energy_kwh_per_day:number} kWh am Tag sind mehr, als die Leistung hergibt: {most_kwh:number} kWh.", "Verbessere Energie oder Leistung."),
        PageText("{energy_kwh_per_day:number} kWh a day are more than the power gives: {most_kwh:number} kWh.", "Correct energy or power."),
    ),
    "most-below-energy": RefusalReason(
        "most_kwh_per_day {most_kwh_per_day:g} lies below energy_kwh_per_day {energy_kwh_per_day:g}",
        None,
        PageText(
            "Die größte Energie am Tag ({most_kwh_per_day:number} kWh) liegt unter der gewöhnlichen ({energy_kwh_per_day:number} kWh).",
            "Verbessere eine der beiden.",
        ),
    ),
    "not-with-programme": RefusalReason(
        "{given} does not go with profile_kw: a programme runs once, from begin to end, when state.loads.NAME.runs asks for it",
        None,
        PageText("{given} geht nicht mit einem Programm (profile_kw): Das läuft einmal, von Anfang bis Ende.", "Lass eins von beiden weg."),
    ),
    "programme-beyond-power": RefusalReason(
        "profile_kw goes up to {profile_kw:g}, beyond power_kw {power_kw:g}",
        None,
        PageText("Das Programm reicht bis {profile_kw:number} kW, über die Leistung von {power_kw:number} kW.", "Verbessere eins von beiden."),
    ),
}
