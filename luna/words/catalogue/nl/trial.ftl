### What came of moving a battery by a little: what it was to do, and what the readings say it did.

trial_hold_right = Stond stil: goed.
trial_hold_moved = Ging { $seconds } s lang door met { $power } W in plaats van stil te staan: iets anders stuurt de batterij, of het is een ander product.
trial_hold_unknown = Of ze stilstond, is onbekend.
trial_charge_right = Laadde met { $power } W: goed.
trial_charge_turned_round = Ontlaadde met { $power } W in plaats van te laden: het teken is omgedraaid.
trial_charge_did_not_move = Laadde niet, { $seconds } s lang.
trial_charge_too_much = Laadde met { $power } W terwijl 200 W was gevraagd: de schaal klopt niet, tenzij de zon de rest gaf.
trial_charge_not_allowed = Laden is niet geprobeerd: de batterij is vol, of haar grenzen staan het niet toe.
trial_charge_nothing_to_do = Laadde niet: ze mag alleen overschot opslaan, en dat was er niet.
trial_charge_unknown = Of ze laadde, is onbekend.
trial_export_right = Ontlaadde met { $power } W: goed.
trial_export_turned_round = Laadde met { $power } W in plaats van te ontladen: het teken is omgedraaid.
trial_export_did_not_move = Ontlaadde niet, { $seconds } s lang.
trial_export_too_much = Ontlaadde met { $power } W terwijl 200 W was gevraagd: de schaal klopt niet, tenzij het huis de rest nam.
trial_export_not_allowed = Ontladen is niet geprobeerd: de batterij is leeg, of haar grenzen staan het niet toe.
trial_export_nothing_to_do = Ontlaadde niet: ze mag alleen het huis voeden, en dat vroeg niets van haar.
trial_export_unknown = Of ze ontlaadde, is onbekend.
trial_ended = Ze volgt weer zelf het eigen verbruik.
