note_soc_assumed = In den 24 Stunden davor wurde kein Ladestand aufgezeichnet: Batterien gelten als zu { $soc } voll.
note_soc_earlier = Der letzte aufgezeichnete Ladestand, { $soc }, ist der von { $at }.
note_soc_doubted = { $doubted_at } hieß der Ladestand { $doubted_soc } nach { $soc } { $at }, mehr als die Batterie kann: Es gelten { $soc }, bis er sich bestätigt.
note_soc_stands_still = Die Batterie gilt als zu { $soc } voll: Der Sensor steht seit { $since } auf { $sensor_soc }, während die Zähler { $metered_kwh } hinein und { $given_kwh } heraus gezählt haben. Prüfe den Sensor.
note_soc_outside_limits = Die Batterie { $battery } beginnt bei { $start_soc }, außerhalb ihrer Grenzen von { $min_soc } bis { $max_soc }.
note_bias_corrected = Die Prognosen der letzten Tage irrten zu einer Seite: Verbrauch zählt { $load_factor }-mal, Sonne { $pv_factor }-mal so viel wie vorhergesagt.
note_load_beyond_site = { $at } soll der Verbrauch { $kw } sein, { $times }-mal die { $limit_kw }, die Anschluss, Sonne und Batterien bringen: so geplant; prüfe die Einheit.
note_load_beyond_homes = { $at } soll der Verbrauch { $kw } sein, und kein Haus braucht { $limit_kw }: so geplant; prüfe die Einheit, oder nenne grid.import_limit_kw.
note_pv_beyond_arrays = { $at } soll die Sonne { $kw } bringen, { $times }-mal die { $limit_kw } der PV-Flächen: so geplant; prüfe die Einheit, oder peak_kw.
note_price_beyond_markets = { $at } ist { $series } { $price }, und kein bekannter Preis je kWh geht über { $known_price } hinaus: so geplant; prüfe die Einheit.
note_prices_beyond_last_week = Die Preise voraus reichen bis { $price }, { $times }-mal die { $known_price } der letzten Woche: so geplant; prüfe die Einheit.
note_inverter_alone = In der verfügbaren Zeit fand sich kein Plan: Batterien tun, was ihre Wechselrichter von selbst tun.
note_not_confirmed = Was gefunden wurde, hat die Simulation der Geräte nicht bestätigt; der Plan zeigt, was wirklich daraus wird. Bitte melde das: { $found }
note_tariff_default = Der Tarif ist der eines Standorts, der keinen nennt: Kaufen kostet jederzeit { $import_price }, Verkaufen bringt { $export_price }.
note_prices_unused = Für den Standort geladene Preise ({ $series }) bleiben ungenutzt: Sein Tarif sagt { $kinds }. Mit kind: series an dessen Stelle würden sie genutzt.
note_prices_carried_on = Preise sind bis { $since } bekannt; danach gehen die des letzten bekannten Tages weiter.
note_prices_typical = Für { $markets } sind ab { $since } noch keine Preise da: Luna plant mit geschätzten, wie sie in diesem Monat zu dieser Stunde üblich sind (Vorbild: { $like }). Sobald echte Preise kommen, gelten die.
note_forecast_fallback = { $active } hat keine frische Vorhersage des Beginns: Verbrauch und PV sind die, die { $version } { $issued_at } vorhersagte.
note_forecast_old = Verbrauch und PV sind die, die { $version } { $issued_at } vorhersagte: Eine neuere Vorhersage kam nicht.
note_forecast_awaits_proof = Verbrauch und PV sind die von { $version }: { $candidate } ist trainiert, { $days } von { $needed } Tagen bewertet{ $earliest }.
note_forecast_not_better =
    { $days ->
        [one] Verbrauch und PV sind die von { $version }: { $candidate } ist trainiert und war an einem bewerteten Tag nicht besser.
       *[other] Verbrauch und PV sind die von { $version }: { $candidate } ist trainiert und war an { $days } bewerteten Tagen nicht besser.
    }
earliest_known = ; es kann ab { $day } übernehmen
rule_vacation = Niemand ist zu Hause.
rule_outage = Von { $first } bis { $last } gilt eine Warnung.
rule_price_extremes = Der Tag ab { $first } liegt in Höhe oder Spanne der Preise außerhalb von { $share } der letzten { $days } Tage.
rule_s_index_cold = Ein Faktor von { $factor }: { $share } der Last deckt die Sonne nicht, { $cold } des Weges zum kältesten Tag.
rule_s_index = Ein Faktor von { $factor }: { $share } der Last deckt die Sonne nicht, und die Temperatur ist unbekannt.
