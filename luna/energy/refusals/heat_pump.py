"""What is refused of heat pumps."""

from luna.energy.refusals.reason import PageText, RefusalReason

REASONS: dict[str, RefusalReason] = {
    "power-bounds-crossed": RefusalReason(
        "min_power_kw {min_power_kw:g} must not exceed power_kw {power_kw:g}",
        None,
        PageText("Die kleinste Leistung ({min_power_kw:number} kW) liegt über der größten ({power_kw:number} kW).", "Verbessere eine der beiden."),
    ),
    "temperatures-crossed": RefusalReason(
        "min_c {min_c:g} must lie below max_c {max_c:g}",
        None,
        PageText("Die kleinste Temperatur ({min_c:number} °C) muss unter der größten ({max_c:number} °C) liegen.", "Verbessere eine der beiden."),
    ),
    "cop-points": RefusalReason(
        "cop: the points go from cold to warm, each outdoor_c once",
        None,
        PageText("Die Punkte von cop gehen von kalt nach warm, jede Außentemperatur einmal.", "Sortiere sie."),
    ),
}
