### Resultaten van een korte test van de batterijbesturing: wat ze moet doen en wat ze deed.

trial_hold_right = Pauze werkt.
trial_hold_moved = Pauze werkt niet: de batterij draaide { $seconds } s op { $power } W. Controleer of een ander systeem de batterij bestuurt en of het gekozen model klopt.
trial_hold_unknown = Pauze is niet getest: de batterij stuurt geen bruikbare waarden.
trial_charge_right = Laden werkt: { $power } W.
trial_charge_turned_round = Laden werkt niet: de batterij ontlaadde met { $power } W. Draai plus en min om.
trial_charge_did_not_move = Laden werkt niet: er gebeurde { $seconds } s lang niets.
trial_charge_too_much = Laden ging met { $power } W in plaats van 200 W. Controleer de schaal, tenzij de zon de rest gaf.
trial_charge_not_allowed = Laden is niet getest: de batterij is vol, of de grenzen verbieden het.
trial_charge_nothing_to_do = Laden is niet getest: de batterij mag alleen overschot opslaan, en dat was er niet.
trial_charge_unknown = Laden is niet getest: de batterij stuurt geen bruikbare waarden.
trial_export_right = Ontladen werkt: { $power } W.
trial_export_turned_round = Ontladen werkt niet: de batterij laadde met { $power } W. Draai plus en min om.
trial_export_did_not_move = Ontladen werkt niet: er gebeurde { $seconds } s lang niets.
trial_export_too_much = Ontladen ging met { $power } W in plaats van 200 W. Controleer de schaal, tenzij het huis de rest gebruikte.
trial_export_not_allowed = Ontladen is niet getest: de batterij is leeg, of de grenzen verbieden het.
trial_export_nothing_to_do = Ontladen is niet getest: de batterij mag alleen het huis voeden, en dat had niets nodig.
trial_export_unknown = Ontladen is niet getest: de batterij stuurt geen bruikbare waarden.
trial_ended = De batterij staat weer op eigen gebruik.
