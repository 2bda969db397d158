### Resultaten van een korte test van een laadpaal, een geschakeld apparaat of een omvormer: wat het moest doen, en wat het deed.

commanded_charge_right = Laden werkt: { $power } W.
commanded_charge_did_not_move = Laden lukte niet: de auto nam een minuut lang niets. Controleer of hij vol is of dat iets anders de laadpaal bestuurt.
commanded_charge_too_much = De auto laadde met { $power } W, meer dan 6 A toelaat. Controleer of iets anders de laadpaal bestuurt.
commanded_charge_no_car = Laden is niet getest: er is geen auto aangesloten.
commanded_charge_unknown = Laden is niet getest: de laadpaal gaf geen bruikbare waarden.
commanded_stop_right = Stoppen werkt.
commanded_stop_does_not_stop = Stoppen lukte niet: de auto nam nog { $power } W. Controleer of iets anders de laadpaal bestuurt.
commanded_stop_unknown = Stoppen is niet getest: de laadpaal gaf geen bruikbare waarden.
commanded_stop_did_not_move = Stoppen lukte niet: de auto laadt nog.
commanded_on_right = Inschakelen werkt: { $power } W.
commanded_on_did_not_move = Inschakelen lukte niet. Controleer of iets anders het apparaat bestuurt.
commanded_on_unknown = Inschakelen is niet getest: het apparaat gaf geen bruikbare waarden.
commanded_off_right = Uitschakelen werkt.
commanded_off_does_not_stop = Uitschakelen lukte niet: het neemt nog { $power } W.
commanded_off_did_not_move = Uitschakelen lukte niet. Controleer of iets anders het apparaat bestuurt.
commanded_off_unknown = Uitschakelen is niet getest: het apparaat gaf geen bruikbare waarden.
commanded_limit_right = Begrenzen werkt: { $power } W.
commanded_limit_too_much = Begrenzen lukte niet: het dak gaf nog steeds { $power } W. Controleer of iets anders de omvormer bestuurt.
commanded_limit_no_sun = Begrenzen is niet getest: het dak geeft maar { $power } W. Test opnieuw als de zon schijnt.
commanded_limit_unknown = Begrenzen is niet getest: de omvormer gaf geen bruikbare waarden.
commanded_free_right = Daarna geeft het dak weer alles: { $power } W.
commanded_free_did_not_move = Daarna gaf het dak maar { $power } W. Misschien kwam er een wolk: test opnieuw.
commanded_free_unknown = Het einde van de begrenzing is niet getest: de omvormer gaf geen bruikbare waarden.
commanded_ended = Het apparaat werkt weer op zichzelf.
