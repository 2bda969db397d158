### Meetwaarden van een apparaat die niet tellen: welke, wat het meldde, en wat te vermoeden is.

reading_soc = Laadtoestand
reading_min_soc = Reserve van de batterij
reading_charge_w = Vermogen naar de batterij
reading_discharge_w = Vermogen uit de batterij
reading_pv_w = Zonnevermogen
reading_ac_output_w = Vermogen uit de omvormer
reading_ac_input_w = Vermogen naar de omvormer
reading_import_w = Vermogen uit het net
reading_export_w = Vermogen naar het net
reading_load_w = Vermogen van het huis
reading_import_kwh = Teller van de afname
reading_export_kwh = Teller van de teruglevering
cause_invalid_value = { $reading }: onbekend. Het apparaat heeft er geen waarde voor: wat het meet is weg, slaapt of ontbreekt.
cause_beyond_rating = { $reading }: onbekend. Het apparaat meldt { $value }, meer dan het zelf of de aansluiting aankan: vergelijk schaal en eenheid met zijn scherm.
cause_wrong_sign = { $reading }: onbekend. Het apparaat meldt { $value }, onder nul waar het maar één richting meet: het teken is omgedraaid, of een meetklem zit verkeerd om.
cause_contradicts = { $reading }: onbekend. De gemelde { $value } past niet bij de andere vermogens van het apparaat: wat erin gaat en wat eruit gaat verschilt, zoals bij een omgedraaid teken.
