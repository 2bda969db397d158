### Results of a short test of a charger, a switched device or a solar inverter: what it should do, and what it did.

commanded_charge_right = Charging works: { $power } W.
commanded_charge_did_not_move = Charging failed: the car took nothing for a minute. Check that it is not full and that no other system controls the charger.
commanded_charge_too_much = Charging took { $power } W, more than 6 A allow. Check that no other system controls the charger.
commanded_charge_no_car = Charging is not tested: no car is plugged in.
commanded_charge_unknown = Charging is not tested: the charger sent no usable values.
commanded_stop_right = Stopping works.
commanded_stop_does_not_stop = Stopping failed: the car still took { $power } W. Check that no other system controls the charger.
commanded_stop_unknown = Stopping is not tested: the charger sent no usable values.
commanded_stop_did_not_move = Stopping failed: the car still charges.
commanded_on_right = Switching on works: { $power } W.
commanded_on_did_not_move = Switching on failed. Check that no other system controls the device.
commanded_on_unknown = Switching on is not tested: the device sent no usable values.
commanded_off_right = Switching off works.
commanded_off_does_not_stop = Switching off failed: it still takes { $power } W.
commanded_off_did_not_move = Switching off failed. Check that no other system controls the device.
commanded_off_unknown = Switching off is not tested: the device sent no usable values.
commanded_limit_right = Limiting works: { $power } W.
commanded_limit_too_much = Limiting failed: the roof still gave { $power } W. Check that no other system controls the inverter.
commanded_limit_no_sun = Limiting is not tested: the roof gives only { $power } W. Test again when the sun is out.
commanded_limit_unknown = Limiting is not tested: the inverter sent no usable values.
commanded_free_right = Afterwards the roof gives full power again: { $power } W.
commanded_free_did_not_move = The roof gave only { $power } W afterwards. Perhaps a cloud came: test again.
commanded_free_unknown = The end of the limit is not tested: the inverter sent no usable values.
commanded_ended = The device runs on its own again.
