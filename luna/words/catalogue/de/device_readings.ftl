### Messwerte eines Geräts, die nicht zählen: welcher, was es gemeldet hat, und was zu vermuten ist.

reading_soc = Ladestand
reading_min_soc = Reserve der Batterie
reading_charge_w = Leistung in die Batterie
reading_discharge_w = Leistung aus der Batterie
reading_pv_w = Solarleistung
reading_ac_output_w = Leistung aus dem Wechselrichter
reading_ac_input_w = Leistung in den Wechselrichter
reading_import_w = Leistung aus dem Netz
reading_export_w = Leistung ins Netz
reading_load_w = Leistung des Hauses
reading_import_kwh = Zähler des Netzbezugs
reading_export_kwh = Zähler der Einspeisung
cause_invalid_value = { $reading }: unbekannt. Das Gerät hat keinen Wert dafür: Was ihn misst, ist weg, schläft oder fehlt.
cause_beyond_rating = { $reading }: unbekannt. Das Gerät meldet { $value }, mehr als es selbst oder der Anschluss tragen kann: Vergleiche Maßstab und Einheit mit seiner Anzeige.
cause_wrong_sign = { $reading }: unbekannt. Das Gerät meldet { $value }, unter null, wo es nur eine Richtung misst: Das Vorzeichen ist verdreht, oder ein Messwandler sitzt falsch herum.
cause_contradicts = { $reading }: unbekannt. Die gemeldeten { $value } passen nicht zu den anderen Leistungen des Geräts: Was hineinfließt und was hinausfließt, ist nicht gleich viel, wie bei einem verdrehten Vorzeichen.
