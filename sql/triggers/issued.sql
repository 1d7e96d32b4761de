-- The triggers that keep the ledger as it was issued, and the one that tells
-- others of what is no document.

CREATE FUNCTION @extschema@.im_only_issued() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.im_only_issued() IS
'Trigger: refuses INSERT into the ledger with error 55000, but from closing and adjusting.';

CREATE FUNCTION @extschema@.im_as_issued() RETURNS trigger
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION USING
		ERRCODE = 'object_not_in_prerequisite_state',
		MESSAGE = format('%s holds what was issued: %s is refused', TG_TABLE_NAME, TG_OP),
		DETAIL = 'A document that a customer has cannot change; what was wrong with it is corrected by a further one.',
		HINT = 'Correct orders or usage, then CALL im_adjust_month(month), which issues a note of the difference.';
END
$$;
COMMENT ON FUNCTION @extschema@.im_as_issued() IS
'Trigger: refuses UPDATE, DELETE and TRUNCATE of the ledger with error 55000.';

CREATE FUNCTION @extschema@.im_tell_suspension() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.im_tell_suspension() IS
'Trigger: writes an event into im_outbox where a suspension is added or gets more days (app_suspended), or is removed or loses days (app_resumed).';
