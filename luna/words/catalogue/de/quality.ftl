prices_market = Preise von { $market }
series_load_kwh = Verbrauch
series_pv_kwh = Solarstrom
series_import_kwh = Netzbezug
series_export_kwh = Einspeisung
series_charge_kwh = Batterieladung
series_discharge_kwh = Batterieentladung
series_soc = Ladestand
series_residual_kwh = Was Zähler offen lassen
series_beyond_house_kwh = Was Geräte über den Hauszähler hinaus brauchen
series_import_price = Bezugspreis
series_export_price = Einspeisepreis
fault_coverage = { $series } ist in { $known } von { $slots } Viertelstunden bekannt
fault_silent = { $series }: { $sensor } schweigt seit { $since }, die Summe ist also unbekannt. Steht ein anderer Zähler an seiner Stelle, nenn den auf der Seite des Standorts, unter Sensoren; sonst nimm ihn dort heraus
fault_unheard = { $series }: { $sensor } hat noch nie etwas gesagt, die Summe ist also unbekannt. Berichtige seinen Namen auf der Seite des Standorts, unter Sensoren, oder nimm ihn heraus
fault_estimated = { $series }: Die Summe ist die des Zählers, { $known } von { $slots } Viertelstunden davon sind geschätzt
fault_repaired = { $series } wurde in { $known } von { $slots } Viertelstunden repariert
fault_balance = die Zähler lassen { $open } von { $flow } kWh offen
fault_balance_unusual = die Zähler lassen { $open } von { $flow } kWh offen, an den Tagen ringsum meist höchstens { $usual }. Stand einer von ihnen still, oder ging seine Uhr falsch?
fault_sensor_wrong_sign = { $sensor } ist immer negativ. Ist das Vorzeichen verkehrt? Dann hilft ein Minus vor dem Namen, auf der Seite des Standorts, unter Sensoren
fault_sensor_thousandfold = { $sensor } nennt tausendmal so viel, wie der Standort kann. Misst er Watt und nennt sie Kilowatt?
fault_sensor_night = { $sensor } erzeugt mitten in der Nacht. Ist das wirklich der Sensor des Dachs, und geht seine Uhr richtig?
fault_sensor_means_no_value = { $sensor } hatte eine Zeit lang keinen Wert ({ $readings } Messwerte)
fault_counted_alone = { $series } ist ohne { $sensor } gezählt, der nichts gesagt hat. Ist das ein alter Name, nimm ihn auf der Seite des Standorts heraus, unter Sensoren
fault_scaled_down = { $sensor } sieht tausendmal zu klein aus: Mal tausend passt er zu den anderen Zählern. Stimmt seine Einheit?
fault_scaled_up = { $sensor } sieht tausendmal zu groß aus: Ein Tausendstel davon passt zu den anderen Zählern. Stimmt seine Einheit?
fault_frozen = { $sensor } steht { $hours } h still, in denen die anderen Zähler { $missed } kWh sagen. Hängt sein Sensor, oder zählt er die andere Richtung?
fault_clock_late = { $sensor } sieht { $hours } h verspätet aus: Früher gemeldet, passt es zu den anderen Zählern. Geht die Uhr seines Zählers richtig?
fault_clock_early = { $sensor } sieht { $hours } h verfrüht aus: Später gemeldet, passt es zu den anderen Zählern. Geht die Uhr seines Zählers richtig?
fault_turned = { $source } und { $sink } sehen vertauscht aus: Andersherum erklären die Zähler den Tag. Tausch ihre Sensoren auf der Seite des Standorts; wo eine Leistung mit Vorzeichen beiden dient, kommt ihr Minus zur anderen
fault_devices_beyond_house =
    { $known ->
        [one] { $series }: { $open } kWh mehr, als der Zähler des Hauses zählt, in { $known } Viertelstunde. Sieht der Zähler des Hauses dieses Gerät? Wenn nicht, nenn seinen Sensor in der Datei der Anlage auch unter outside_house_meter und bau die Viertelstunden neu
       *[other] { $series }: { $open } kWh mehr, als der Zähler des Hauses zählt, in { $known } Viertelstunden. Sieht der Zähler des Hauses dieses Gerät? Wenn nicht, nenn seinen Sensor in der Datei der Anlage auch unter outside_house_meter und bau die Viertelstunden neu
    }
fault_devices_beyond_grid =
    { $known ->
        [one] { $series }: { $open } kWh mehr, als der Netzzähler dem Haus lässt, in { $known } Viertelstunde. Sieht der Netzzähler dieses Gerät? Wenn nicht, nenn seinen Sensor in der Datei der Anlage auch unter total_grid_import und bau die Viertelstunden neu
       *[other] { $series }: { $open } kWh mehr, als der Netzzähler dem Haus lässt, in { $known } Viertelstunden. Sieht der Netzzähler dieses Gerät? Wenn nicht, nenn seinen Sensor in der Datei der Anlage auch unter total_grid_import und bau die Viertelstunden neu
    }
fault_rebuild = { $series }: { $before } kWh, und { $after } kWh, wenn die Viertelstunden neu gebaut werden: Die gespeicherten bleiben. Prüf Einheit und Rolle des Sensors; eine der abgelehnten Zeilen übernimmt die neuen Werte
fault_price_gap = { $series } ist in { $known } von { $slots } Viertelstunden unbekannt
fault_price_zero = { $series } ist in { $known } von { $slots } Viertelstunden null, der Markt war es nicht
fault_soc_jump =
    { $known ->
        [one] der Ladestand springt in { $known } Viertelstunde schneller, als die Batterie kann oder es tat
       *[other] der Ladestand springt in { $known } Viertelstunden schneller, als die Batterie kann oder es tat
    }
fault_soc_excursion =
    { $known ->
        [one] der Ladestand liegt in { $known } Viertelstunde um bis zu { $jump } % daneben und kommt dann zurück. Hat sein Sensor neu gestartet?
       *[other] der Ladestand liegt in { $known } Viertelstunden um bis zu { $jump } % daneben und kommt dann zurück. Hat sein Sensor neu gestartet?
    }
fault_soc_stuck = der Ladestand steht still, während { $flow } kWh hinein- oder hinausgingen
fault_soc_reversed = die Batterie sieht verkehrt herum aus: Ihr Ladestand fällt, während sie lädt ({ $against } von { $moved } kWh). Tausch die Sensoren von total_battery_charge und total_battery_discharge in der Datei der Anlage; wo eine Leistung mit Vorzeichen beiden dient, kommt ihr Minus zur anderen
fault_soc_drift = der Ladestand änderte sich um { $told } kWh, die Zähler sagen { $metered } kWh
fault_open = der Tag ist noch nicht zu Ende
fault_unreadable = was gegen ihn spricht, hat eine andere Version von Luna gespeichert
