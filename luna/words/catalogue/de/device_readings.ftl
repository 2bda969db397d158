### Messwerte eines Geräts, die Luna nicht verwendet: welcher, sein Wert und die wahrscheinliche Ursache.

reading_soc = Ladestand
reading_min_soc = Reserve der Batterie
reading_charge_w = Ladeleistung
reading_discharge_w = Entladeleistung
reading_pv_w = Solarleistung
reading_ac_output_w = Leistung aus dem Wechselrichter
reading_ac_input_w = Leistung in den Wechselrichter
reading_import_w = Leistung aus dem Netz
reading_export_w = Leistung ins Netz
reading_load_w = Leistung des Hauses
reading_import_kwh = Zähler für Netzbezug
reading_export_kwh = Zähler für Einspeisung
cause_invalid_value = { $reading }: kein Wert. Prüfe, ob das Messgerät verbunden ist und läuft.
cause_beyond_rating = { $reading }: { $value } ist mehr, als Gerät oder Netzanschluss zulassen. Vergleiche Faktor und Einheit mit der Anzeige am Gerät.
cause_wrong_sign = { $reading }: { $value } darf nicht unter null liegen. Kehre das Vorzeichen in den Einstellungen um oder dreh den Stromwandler.
cause_contradicts = { $reading }: { $value } passt nicht zu den anderen Messwerten des Geräts. Prüfe das Vorzeichen.
