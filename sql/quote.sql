-- What would it cost: the price calculator, the cheapest plan for an app's
-- usage, and a month of all apps under two price lists.

CREATE FUNCTION @extschema@.im_quote(card @extschema@.im_rate_card, plan text, months integer DEFAULT 1,
		peak_dau bigint DEFAULT 0, peak_groups bigint DEFAULT 0, addons jsonb DEFAULT '{}',
		deductions numeric DEFAULT 0)
	RETURNS SETOF @extschema@.im_bill_line
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE ROWS 10 PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_quote(@extschema@.im_rate_card, text, integer, bigint, bigint, jsonb, numeric) IS
'What a plan with add-ons costs for so many months with the same usage in each, as the lines of the bills of an app that orders it all on the first day; app_id is null and the months are 2001-01 onwards, by convention. peak_dau also stands for the users of a month where the card prices those; deductions are those of a month. addons: {"avchatroom": true, "history_storage": "90d", "call": {"option": "basic", "months": 3}, "moderation_pack": {"option": "month", "quantity": 2}, "local_moderation": true, "call_minutes": {"sd": 70000}}, or a list of names and such objects. Errors: 22004 without card, plan or months; 22023 for what the card does not sell on the plan, for usage below 0 and for JSON that is not understood; 22003 for figures past exact arithmetic.';

CREATE FUNCTION @extschema@.im_quote(plan text, months integer DEFAULT 1, peak_dau bigint DEFAULT 0,
		peak_groups bigint DEFAULT 0, addons jsonb DEFAULT '{}', deductions numeric DEFAULT 0)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE sql STABLE ROWS 10 PARALLEL SAFE
BEGIN ATOMIC
	SELECT q.* FROM @extschema@.im_quote(@extschema@.im_current_card(), plan, months, peak_dau,
		peak_groups, addons, deductions) q;
END;
COMMENT ON FUNCTION @extschema@.im_quote(text, integer, bigint, bigint, jsonb, numeric) IS
'im_quote() by the version of cn in force today, in CNY.';
