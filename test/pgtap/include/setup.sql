-- What every pgTAP file of this directory needs: quiet output, a schema of
-- small functions that goes away with the file's ROLLBACK, and fixed settings.
-- A file begins with BEGIN and includes this one with \ir.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
\set ON_ERROR_ROLLBACK 1
\set ON_ERROR_STOP true

SET LOCAL client_min_messages = warning;
SET LOCAL datestyle = ISO;
CREATE SCHEMA im_test;
SET LOCAL search_path = im_test, public;

-- A wall clock time of the bundled cards' zone.
CREATE FUNCTION at8(t text) RETURNS timestamptz LANGUAGE sql
RETURN t::timestamp AT TIME ZONE 'Asia/Shanghai';

-- A number without trailing zeros, so that 1000 and 1000.00 read alike.
CREATE FUNCTION n(v numeric) RETURNS text LANGUAGE sql
RETURN coalesce(trim_scale(v)::text, '-');

-- Apps, orders and usage -------------------------------------------------

CREATE PROCEDURE app(app_id bigint, card text DEFAULT 'cn') LANGUAGE sql AS $$
	INSERT INTO im_app (app_id, name, rate_card, opened_at)
	VALUES (app_id, 'app ' || app_id, card, at8('2019-12-10 00:00'));
$$;

CREATE PROCEDURE buy(app_id bigint, id bigint, at text, item text,
	option text DEFAULT '', months int DEFAULT 1, quantity int DEFAULT 1,
	paid numeric DEFAULT NULL) LANGUAGE sql AS $$
	INSERT INTO im_order (app_id, order_id, at, action, item, option, months,
		quantity, paid)
	VALUES (app_id, id, at8(at), 'buy', item, option, months, quantity, paid);
$$;

CREATE PROCEDURE pack(app_id bigint, id bigint, at text, option text,
	quantity int DEFAULT 1) LANGUAGE sql AS $$
	INSERT INTO im_order (app_id, order_id, at, action, item, option, quantity)
	VALUES (app_id, id, at8(at), 'buy', 'moderation_pack', option, quantity);
$$;

CREATE PROCEDURE upgrade(app_id bigint, id bigint, at text,
	option text DEFAULT 'flagship', paid numeric DEFAULT NULL) LANGUAGE sql AS $$
	INSERT INTO im_order (app_id, order_id, at, action, item, option, paid)
	VALUES (app_id, id, at8(at), 'upgrade', 'plan', option, paid);
$$;

-- The item of a refund is that of the order it refunds.
CREATE PROCEDURE refund(app_id bigint, id bigint, at text, refunds bigint)
LANGUAGE sql AS $$
	INSERT INTO im_order (app_id, order_id, at, action, item, refunds)
	VALUES (app_id, id, at8(at), 'refund',
		coalesce((SELECT o.item FROM im_order o
				  WHERE o.app_id = refund.app_id AND o.order_id = refund.refunds),
				 'plan'),
		refunds);
$$;

CREATE PROCEDURE turn(app_id bigint, id bigint, at text, action text, item text,
	option text DEFAULT '') LANGUAGE sql AS $$
	INSERT INTO im_order (app_id, order_id, at, action, item, option)
	VALUES (app_id, id, at8(at), action, item, option);
$$;

CREATE PROCEDURE suspend(app_id bigint, days daterange,
	reason text DEFAULT 'arrears') LANGUAGE sql AS $$
	INSERT INTO im_suspension (app_id, days, reason)
	VALUES (app_id, days, reason);
$$;

CREATE PROCEDURE daily(app_id bigint, day date, dau bigint DEFAULT NULL,
	peak_groups bigint DEFAULT NULL, texts bigint DEFAULT NULL,
	images bigint DEFAULT NULL, audio_half bigint DEFAULT NULL,
	video_half bigint DEFAULT NULL, audio bigint DEFAULT NULL,
	sd bigint DEFAULT NULL, hd bigint DEFAULT NULL, fhd bigint DEFAULT NULL)
LANGUAGE sql AS $$
	INSERT INTO im_usage_daily (app_id, day, dau, peak_groups, text_checks,
		image_checks, audio_half_minutes, video_half_minutes, audio_minutes,
		sd_minutes, hd_minutes, fhd_minutes)
	VALUES (app_id, day, dau, peak_groups, texts, images, audio_half, video_half,
		audio, sd, hd, fhd);
$$;

CREATE PROCEDURE login(app_id bigint, user_id text, at text) LANGUAGE sql AS $$
	INSERT INTO im_login (app_id, user_id, at) VALUES (app_id, user_id, at8(at));
$$;

CREATE PROCEDURE grp(app_id bigint, group_id text, created_at text,
	disbanded_at text DEFAULT NULL) LANGUAGE sql AS $$
	INSERT INTO im_group (app_id, group_id, created_at, disbanded_at)
	VALUES (app_id, group_id, at8(created_at), at8(disbanded_at));
$$;

CREATE PROCEDURE chk(app_id bigint, at text, kind text,
	seconds int DEFAULT NULL) LANGUAGE sql AS $$
	INSERT INTO im_moderation_check (app_id, at, kind, seconds)
	VALUES (app_id, at8(at), kind, seconds);
$$;

CREATE PROCEDURE talk(app_id bigint, at text, class text, seconds int)
LANGUAGE sql AS $$
	INSERT INTO im_call (app_id, at, class, seconds)
	VALUES (app_id, at8(at), class, seconds);
$$;

CREATE PROCEDURE card(name text, effective_from date, terms jsonb)
LANGUAGE sql AS $$
	INSERT INTO im_rate_card_version (rate_card, effective_from, terms)
	VALUES (name, effective_from, terms);
$$;

-- The bundled card `cn` of 2019, to make cards with small numbers from.
CREATE FUNCTION cn() RETURNS jsonb LANGUAGE sql
RETURN im_bundled_card('cn', '2019-12-10')::jsonb;

-- Whatever was set up so far is checked now; wrong set-up stops the file.
CREATE PROCEDURE settle() LANGUAGE plpgsql AS $$
BEGIN
	SET CONSTRAINTS ALL IMMEDIATE;
	SET CONSTRAINTS ALL DEFERRED;
END $$;

-- Bills as text -----------------------------------------------------------

-- item:option | period | due_on | quantity included billable units unit_price amount
CREATE FUNCTION line_text(l im_bill_line) RETURNS text LANGUAGE sql
RETURN concat_ws(' | ', l.item || ':' || l.option, l.period::text,
	l.due_on::text, concat_ws(' ', n(l.quantity), n(l.included), n(l.billable),
	n(l.units), n(l.unit_price), n(l.amount)));

CREATE FUNCTION bill(app_id bigint, month text) RETURNS text[] LANGUAGE sql
BEGIN ATOMIC
	SELECT coalesce(array_agg(line_text(l) ORDER BY l.line), '{}')
	FROM im_monthly_bill(app_id, month::im_month) l;
END;

CREATE FUNCTION bill_is(app_id bigint, month text, expected text[], what text)
RETURNS text LANGUAGE sql
BEGIN ATOMIC
	SELECT is(array_to_string(bill(app_id, month), E'\n'),
			  array_to_string(expected, E'\n'), what);
END;

-- The lines of one item only.
CREATE FUNCTION lines_are(app_id bigint, month text, item text, expected text[],
	what text) RETURNS text LANGUAGE sql
BEGIN ATOMIC
	SELECT is(array_to_string(array(
				  SELECT line_text(l)
				  FROM im_monthly_bill(lines_are.app_id, lines_are.month::im_month) l
				  WHERE l.item = lines_are.item ORDER BY l.line), E'\n'),
			  array_to_string(expected, E'\n'), what);
END;

-- The amounts of one item in the order of the bill: '999 1998'; '' for none.
CREATE FUNCTION amounts(app_id bigint, month text, item text) RETURNS text
LANGUAGE sql
BEGIN ATOMIC
	SELECT coalesce(string_agg(n(l.amount), ' ' ORDER BY l.line), '')
	FROM im_monthly_bill(amounts.app_id, amounts.month::im_month) l
	WHERE l.item = amounts.item;
END;

CREATE FUNCTION quantities(app_id bigint, month text, item text) RETURNS text
LANGUAGE sql
BEGIN ATOMIC
	SELECT coalesce(string_agg(n(l.quantity), ' ' ORDER BY l.line), '')
	FROM im_monthly_bill(quantities.app_id, quantities.month::im_month) l
	WHERE l.item = quantities.item;
END;

CREATE FUNCTION periods(app_id bigint, month text, item text) RETURNS text
LANGUAGE sql
BEGIN ATOMIC
	SELECT coalesce(string_agg(l.period::text, ' ' ORDER BY l.line), '')
	FROM im_monthly_bill(periods.app_id, periods.month::im_month) l
	WHERE l.item = periods.item;
END;

-- The status of an app at noon of a day.
CREATE FUNCTION status(app_id bigint, day text) RETURNS text LANGUAGE sql
RETURN im_app_status(app_id, at8(day || ' 12:00'));

-- Accepting and refusing ---------------------------------------------------

-- Runs the statement and the deferred checks, undoes both, and says how it
-- went: SQLSTATE and everything the error says, or T0000 for no error.
CREATE FUNCTION attempt(statement text, OUT state text, OUT said text)
LANGUAGE plpgsql AS $$
DECLARE
	message text;
	detail text;
	hint text;
BEGIN
	EXECUTE statement;
	SET CONSTRAINTS ALL IMMEDIATE;
	RAISE EXCEPTION 'no error' USING ERRCODE = 'T0000';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	said := concat_ws(E'\n', message, nullif(detail, ''), nullif(hint, ''));
END $$;

-- The statement fails with this SQLSTATE and its error matches the pattern.
CREATE FUNCTION fails_with(statement text, sqlstate text, pattern text, what text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	a record;
	good boolean;
BEGIN
	SELECT * INTO a FROM attempt(statement);
	good := a.state ~ ('^(' || fails_with.sqlstate || ')$') AND a.said ~* pattern;
	RETURN ok(good, what)
		|| CASE WHEN good THEN '' ELSE E'\n' || diag(format(
			E'wanted %s ~* %s\n   got %s: %s', fails_with.sqlstate, pattern,
			a.state, left(a.said, 500))) END;
END $$;

-- The rules forbid the order: 23514 and a message with the rule in it.
CREATE FUNCTION refused(statement text, rule text, what text) RETURNS text
LANGUAGE sql
BEGIN ATOMIC
	SELECT fails_with(statement, '23514', rule, what);
END;

-- The rules allow the order. It is undone again.
CREATE FUNCTION accepted(statement text, what text) RETURNS text
LANGUAGE sql
BEGIN ATOMIC
	SELECT fails_with(statement, 'T0000', 'no error', what);
END;

SELECT * FROM no_plan();
