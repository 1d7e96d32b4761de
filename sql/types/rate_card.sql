-- im_rate_card: one version of a price list, validated when it comes in.

CREATE TYPE @extschema@.im_rate_card;

CREATE FUNCTION im_internal.im_rate_card_in(cstring) RETURNS @extschema@.im_rate_card
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_rate_card_in(cstring) IS
'Reads a rate card from JSON. Error 22023 with the path of the wrong element.';

CREATE FUNCTION im_internal.im_rate_card_out(@extschema@.im_rate_card) RETURNS cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_rate_card_out(@extschema@.im_rate_card) IS
'Prints a rate card as JSON.';

CREATE FUNCTION im_internal.im_rate_card_recv(internal) RETURNS @extschema@.im_rate_card
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_rate_card_recv(internal) IS
'Receives a rate card: a version byte and JSON, validated like text input. Error 22P03 for another version.';

CREATE FUNCTION im_internal.im_rate_card_send(@extschema@.im_rate_card) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_rate_card_send(@extschema@.im_rate_card) IS
'Sends a rate card: a version byte and JSON.';

CREATE TYPE @extschema@.im_rate_card (
	INPUT = im_internal.im_rate_card_in,
	OUTPUT = im_internal.im_rate_card_out,
	RECEIVE = im_internal.im_rate_card_recv,
	SEND = im_internal.im_rate_card_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);
COMMENT ON TYPE @extschema@.im_rate_card IS
'One version of a price list: an immutable value, validated to the last key on input. Prices are in the currency it names.';

CREATE FUNCTION @extschema@.im_rate_card(jsonb) RETURNS @extschema@.im_rate_card
	AS 'MODULE_PATHNAME', 'im_rate_card_from_jsonb' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_rate_card(jsonb) IS
'The rate card that a JSON document states. Error 22023 with the path of the wrong element.';

CREATE FUNCTION @extschema@.jsonb(@extschema@.im_rate_card) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'im_rate_card_to_jsonb' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.jsonb(@extschema@.im_rate_card) IS
'The JSON document of a rate card.';

CREATE CAST (jsonb AS @extschema@.im_rate_card)
	WITH FUNCTION @extschema@.im_rate_card(jsonb);
COMMENT ON CAST (jsonb AS @extschema@.im_rate_card) IS
'Validates a JSON document as a rate card.';

CREATE CAST (@extschema@.im_rate_card AS jsonb)
	WITH FUNCTION @extschema@.jsonb(@extschema@.im_rate_card);
COMMENT ON CAST (@extschema@.im_rate_card AS jsonb) IS
'The JSON document of a rate card, to look into it or to change it for a "what if".';

CREATE FUNCTION im_internal.im_card_meters(card @extschema@.im_rate_card)
	RETURNS TABLE (meter text, day text, month text)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 5;
COMMENT ON FUNCTION im_internal.im_card_meters(@extschema@.im_rate_card) IS
'The meters by name of a rate card (R12), by name: how a day makes its figure of events and a month its quantity of days, each sum, max, unique, last or average.';

CREATE FUNCTION im_internal.im_prices_users(terms jsonb) RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN ($1 @? '$ ? (exists (@.plans.*.mau) || exists (@.*.*.usage.mau)
		|| exists (@.plans.*.*.included ? (@.of == "mau")) || exists (@.*.*.usage.*.included ? (@.of == "mau")))');
COMMENT ON FUNCTION im_internal.im_prices_users(jsonb) IS
'Whether a rate card prices distinct users of the month, or includes a share of them: then who they were is to be known.';
