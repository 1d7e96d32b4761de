-- im_charge: how a quantity becomes money, as a value (R12).

CREATE TYPE @extschema@.im_charge;

CREATE FUNCTION im_internal.im_charge_in(cstring) RETURNS @extschema@.im_charge
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_charge_in(cstring) IS
'Reads a charge from JSON. Error 22023 with the path of the wrong element.';

CREATE FUNCTION im_internal.im_charge_out(@extschema@.im_charge) RETURNS cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_charge_out(@extschema@.im_charge) IS
'Prints a charge as JSON.';

CREATE FUNCTION im_internal.im_charge_recv(internal) RETURNS @extschema@.im_charge
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_charge_recv(internal) IS
'Receives a charge: a version byte and JSON, validated like text input. Error 22P03 for another version.';

CREATE FUNCTION im_internal.im_charge_send(@extschema@.im_charge) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_charge_send(@extschema@.im_charge) IS
'Sends a charge: a version byte and JSON.';

CREATE TYPE @extschema@.im_charge (
	INPUT = im_internal.im_charge_in,
	OUTPUT = im_internal.im_charge_out,
	RECEIVE = im_internal.im_charge_recv,
	SEND = im_internal.im_charge_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);
COMMENT ON TYPE @extschema@.im_charge IS
'How a quantity becomes money: an immutable value, validated to the last key on input. What is included comes off first; then blocks or units at a price, or tiers; then minimum and maximum.';

CREATE FUNCTION @extschema@.im_charge(jsonb) RETURNS @extschema@.im_charge
	AS 'MODULE_PATHNAME', 'im_charge_from_jsonb' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_charge(jsonb) IS
'The charge that a JSON document states. Error 22023 with the path of the wrong element.';

CREATE FUNCTION im_internal.im_charge_to_jsonb(@extschema@.im_charge) RETURNS jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_charge_to_jsonb(@extschema@.im_charge) IS
'The JSON document of a charge.';

CREATE CAST (jsonb AS @extschema@.im_charge)
	WITH FUNCTION @extschema@.im_charge(jsonb);
COMMENT ON CAST (jsonb AS @extschema@.im_charge) IS
'Validates a JSON document as a charge.';

CREATE CAST (@extschema@.im_charge AS jsonb)
	WITH FUNCTION im_internal.im_charge_to_jsonb(@extschema@.im_charge);
COMMENT ON CAST (@extschema@.im_charge AS jsonb) IS
'The JSON document of a charge, to look into it or to change it for a "what if".';

CREATE FUNCTION @extschema@.im_charge_amount(charge @extschema@.im_charge, quantity numeric) RETURNS numeric
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_charge_amount(@extschema@.im_charge, numeric) IS
'What a quantity costs (R12): the sum of the lines that im_charge_lines() gives. Errors: 22023 for a negative quantity, NaN or infinity, and for a charge that includes a share of another meter; 22003 for more than 8 places or past 30 digits before the point.';

CREATE FUNCTION @extschema@.im_charge_amount(charge @extschema@.im_charge, quantity numeric, of_quantity numeric)
	RETURNS numeric
	AS 'MODULE_PATHNAME', 'im_charge_amount_of' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_charge_amount(@extschema@.im_charge, numeric, numeric) IS
'The same of a charge whose included is a share of another meter, of which of_quantity was used; a charge without a share does not depend on it.';

CREATE FUNCTION @extschema@.im_charge_lines(charge @extschema@.im_charge, quantity numeric)
	RETURNS TABLE (tier integer, quantity numeric, units numeric, unit_price numeric, amount numeric)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 2;
COMMENT ON FUNCTION @extschema@.im_charge_lines(@extschema@.im_charge, numeric) IS
'How a quantity is charged (R12): a row for each tier entered where they are graduated, else one (tier 1 where there are none); a flat is a row of quantity 0 and units 1; what minimum adds or maximum takes is a row with tier NULL. Quantities add up to the quantity, which the first row has what is included of; amounts, each rounded half up to 8 places, to im_charge_amount(). Errors as there.';

CREATE FUNCTION @extschema@.im_charge_lines(charge @extschema@.im_charge, quantity numeric, of_quantity numeric)
	RETURNS TABLE (tier integer, quantity numeric, units numeric, unit_price numeric, amount numeric)
	AS 'MODULE_PATHNAME', 'im_charge_lines_of' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 2;
COMMENT ON FUNCTION @extschema@.im_charge_lines(@extschema@.im_charge, numeric, numeric) IS
'The same of a charge whose included is a share of another meter, of which of_quantity was used.';
