-- What the tests of metering share: the bills, what they are without metering, and
-- where usage is read from.
-- The months' bills, one by one and all at once, as one text.
CREATE FUNCTION all_bills() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT string_agg(b::text, E'\n' ORDER BY b::text)
			FROM generate_series(0, 3) n, im_monthly_bills('2024-01'::im_month + n) b)
		|| (SELECT string_agg(b::text, E'\n' ORDER BY b::text)
			FROM im_app a, generate_series(0, 3) n, im_monthly_bill(a.app_id, '2024-01'::im_month + n) b);
END $$;

-- The same with nothing metered; nothing of it stays.
CREATE FUNCTION raw_bills() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	bills text;
BEGIN
	BEGIN
		DELETE FROM im_metered_day;
		bills := all_bills();
		RAISE EXCEPTION USING ERRCODE = 'UE001';
	EXCEPTION WHEN SQLSTATE 'UE001' THEN
		RETURN bills;
	END;
END $$;

CREATE FUNCTION agrees(what text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN is((SELECT string_agg(format('metered %s, raw %s', m, r), E'\n')
			   FROM regexp_split_to_table(all_bills(), E'\n') m
			   FULL JOIN regexp_split_to_table(raw_bills(), E'\n') r ON r = m
			   WHERE m IS NULL OR r IS NULL),
		NULL, what || ': every bill is what the events make it');
END $$;

-- Where January is read from: '-' for days of all apps if there are none, then app:days.
CREATE FUNCTION reads(month im_month DEFAULT '2024-01') RETURNS text LANGUAGE sql
RETURN (
	SELECT concat_ws(' ', CASE WHEN r.raw_first < r.raw_until
			THEN format('%s..%s', to_char(r.raw_first, 'MM-DD'), to_char(r.raw_until - 1, 'MM-DD')) ELSE '-' END,
		(SELECT string_agg(format('%s:%s..%s', app, to_char(f, 'MM-DD'), to_char(u - 1, 'MM-DD')), ' ' ORDER BY app, f)
		 FROM unnest(r.stale_apps, r.stale_first, r.stale_until) s(app, f, u)))
	FROM im_internal.im_reading(month::date, upper(month::daterange), NULL, im_internal.im_price_book(NULL)) r);

-- Writes behind the triggers' back, to show which figures a bill reads.
CREATE PROCEDURE forge(app bigint, on_day date, new_dau bigint) LANGUAGE plpgsql AS $$
BEGIN
	ALTER TABLE im_usage_daily DISABLE TRIGGER USER;
	UPDATE im_usage_daily SET dau = new_dau WHERE app_id = app AND day = on_day AND metered_at IS NOT NULL;
	ALTER TABLE im_usage_daily ENABLE ALWAYS TRIGGER im_own_day, ENABLE ALWAYS TRIGGER im_mark_write,
		ENABLE ALWAYS TRIGGER im_mark_delete, ENABLE ALWAYS TRIGGER im_mark_truncate, ENABLE REPLICA TRIGGER im_mark_applied;
	UPDATE im_metered_partition p SET watch = l.watch FROM im_internal.im_raw_leaves() l WHERE l.partition = p.partition;
END $$;
