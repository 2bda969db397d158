### Meetwaarden van een apparaat die Luna niet gebruikt: welke, de waarde en de waarschijnlijke oorzaak.

reading_soc = Batterijniveau
reading_min_soc = Reserve van de batterij
reading_charge_w = Laadvermogen
reading_discharge_w = Ontlaadvermogen
reading_pv_w = Zonnevermogen
reading_ac_output_w = Vermogen uit de omvormer
reading_ac_input_w = Vermogen naar de omvormer
reading_import_w = Vermogen uit het net
reading_export_w = Vermogen naar het net
reading_load_w = Vermogen van het huis
reading_import_kwh = Meter voor netafname
reading_export_kwh = Meter voor teruglevering
cause_invalid_value = { $reading }: geen waarde. Controleer of de meter verbonden is en werkt.
cause_beyond_rating = { $reading }: { $value } is meer dan het apparaat of de aansluiting aankan. Vergelijk schaal en eenheid met het scherm van het apparaat.
cause_wrong_sign = { $reading }: { $value } mag niet onder nul liggen. Draai plus en min om in de instellingen, of draai de stroomklem om.
cause_contradicts = { $reading }: { $value } past niet bij de andere meetwaarden van het apparaat. Controleer het teken (plus of min).
