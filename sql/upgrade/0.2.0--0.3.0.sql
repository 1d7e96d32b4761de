-- Runs first in the update from 0.2.0 to 0.3.0; everything that can be
-- generated from the install scripts is, by update_script.pl.

-- by hand: TYPE @extschema@.im_reading
ALTER TYPE @extschema@.im_reading
	ADD ATTRIBUTE meter_cards text[],
	ADD ATTRIBUTE meters text[],
	ADD ATTRIBUTE meter_kinds text[],
	ADD ATTRIBUTE meter_users boolean[],
	ADD ATTRIBUTE meter_zones text[];
