-- What falls due of a bill, day by day (R15).

CREATE TYPE im_internal.im_due AS (
	app_id bigint,
	month date,
	due_on date,
	item text,
	option text,
	amount numeric,
	currency text,
	places integer
);
COMMENT ON TYPE im_internal.im_due IS
'An amount of a bill and the day on which it falls due. What is settled by the day is one of each day, the rest one of each line.';
COMMENT ON COLUMN im_internal.im_due.app_id IS 'The app (SDKAppID) that pays.';
COMMENT ON COLUMN im_internal.im_due.month IS 'First day of the usage month.';
COMMENT ON COLUMN im_internal.im_due.due_on IS 'Day from which it is owed.';
COMMENT ON COLUMN im_internal.im_due.item IS 'Item of the line.';
COMMENT ON COLUMN im_internal.im_due.option IS 'Option of the line.';
COMMENT ON COLUMN im_internal.im_due.amount IS 'Exact, to at most 8 places.';
COMMENT ON COLUMN im_internal.im_due.currency IS 'ISO 4217 code of amount.';
COMMENT ON COLUMN im_internal.im_due.places IS 'Places of the currency, to which the sum of the month is rounded.';

CREATE FUNCTION im_internal.im_rate_due(account im_internal.im_app_account, usage im_internal.im_usage, book im_internal.im_price_book, month @extschema@.im_month)
	RETURNS SETOF im_internal.im_due
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE ROWS 60 PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_rate_due(im_internal.im_app_account, im_internal.im_usage, im_internal.im_price_book, @extschema@.im_month) IS
'What falls due of one app and month: call minutes and deductions on the day after use (R13), all other lines on theirs. The arguments are values made by im_gather(); no table is read.';
