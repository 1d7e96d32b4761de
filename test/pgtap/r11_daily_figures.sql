-- R11: a figure that a user gives is the truth for its day, one that he leaves open is
-- metered, and metering changes no bill, in whatever order rows, events and im_meter() come.
BEGIN;
\ir include/setup.sql

\ir include/metering.sql

CALL card('small', '2019-12-10', jsonb_set(jsonb_set(cn(), '{plans,pro,dau}',
	'{"included": 0, "block": 1, "price": "1"}'), '{plans,pro,groups}', '{"included": 0, "block": 1, "price": "10"}'));
CALL card('users', '2019-12-10', jsonb_set(cn() #- '{plans,pro,dau}' #- '{plans,flagship,dau}', '{plans,pro,mau}',
	'{"included": 0, "block": 1, "price": "1"}'));
INSERT INTO im_app (app_id, name, rate_card) SELECT n, 'small', 'small' FROM generate_series(1, 9) n;
INSERT INTO im_app (app_id, name, rate_card) SELECT n, 'users', 'users' FROM generate_series(11, 19) n;
INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
SELECT app_id, 1, at8('2024-01-01 08:00'), 'buy', 'plan', 'pro', 6 FROM im_app;
INSERT INTO im_order (app_id, order_id, at, action, item) SELECT app_id, 2, at8('2024-01-01 08:00'), 'on', 'moderation' FROM im_app;
CALL settle();

-- The same events on the 10th of January of every app: 3 users, 2 groups, a text, 2 images,
-- 2 half minutes of audio, one of video, 2 minutes of each class.
INSERT INTO im_login SELECT app_id, u, at8('2024-01-10 12:00') FROM im_app, unnest('{a,b,c}'::text[]) u;
INSERT INTO im_group SELECT app_id, g, at8('2024-01-10 12:00'), at8('2024-01-10 13:00') FROM im_app, unnest('{x,y}'::text[]) g;
INSERT INTO im_moderation_check (app_id, at, kind, seconds)
SELECT app_id, at8('2024-01-10 12:00'), k.kind, k.seconds
FROM im_app, (VALUES ('text', NULL), ('image', NULL), ('image', NULL), ('audio', 60), ('video', 30)) k(kind, seconds);
INSERT INTO im_call (app_id, at, class, seconds)
SELECT app_id, at8('2024-01-10 12:00'), c, 61 FROM im_app, unnest('{audio,sd,hd,fhd}'::text[]) c;

-- What every reader of usage makes of the day, in one line.
CREATE FUNCTION figures(app bigint, of_day date DEFAULT '2024-01-10') RETURNS text LANGUAGE sql
RETURN (SELECT concat_ws(' ', u.given, u.dau, u.peak_groups, u.text_checks, u.image_checks, u.audio_half_minutes,
	u.video_half_minutes, u.audio_minutes, u.sd_minutes, u.hd_minutes, u.fhd_minutes)
	FROM im_daily_usage(of_day::im_month) u WHERE u.app_id = app AND u.day = of_day);
CREATE FUNCTION billed(app bigint) RETURNS text LANGUAGE sql
RETURN (SELECT string_agg(concat(l.item, ' ', l.option, '=', n(l.quantity)), ', ' ORDER BY l.line)
	FROM im_monthly_bill(app, '2024-01') l WHERE l.item <> 'plan');
SELECT is(figures(1), 'f 3 2 1 2 2 1 2 2 2 2', 'the day of the events');
SELECT is(billed(1), 'dau_overage pro=3, group_overage pro=2, call_minutes audio=2, call_minutes sd=2, call_minutes hd=2, '
	'call_minutes fhd=2, moderation =45.3', 'and its bill');

-- Each figure by itself, given and given as 0: nothing else of the day goes away ------
CREATE FUNCTION with_figure(app bigint, figure text, value bigint) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('INSERT INTO im_usage_daily (app_id, day, %I) VALUES (%s, %L, %s)', figure, app, '2024-01-10', value);
	RETURN figures(app);
END $$;
CREATE TABLE figure (n int, name text);
INSERT INTO figure SELECT n, name FROM unnest('{dau,peak_groups,text_checks,image_checks,audio_half_minutes,video_half_minutes,
	audio_minutes,sd_minutes,hd_minutes,fhd_minutes}'::text[]) WITH ORDINALITY f(name, n);
CREATE FUNCTION each_figure(app bigint, value bigint) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	f record;
BEGIN
	FOR f IN SELECT * FROM figure ORDER BY n LOOP
		RETURN NEXT is(with_figure(app, f.name, value),
			(SELECT 't ' || string_agg(CASE WHEN w.n = f.n THEN value::text ELSE w.v END, ' ' ORDER BY w.n)
			 FROM regexp_split_to_table('3 2 1 2 2 1 2 2 2 2', ' ') WITH ORDINALITY w(v, n)),
			format('%s given as %s leaves the others to the events', f.name, value));
		DELETE FROM im_usage_daily WHERE app_id = app;
	END LOOP;
END $$;
SELECT * FROM each_figure(2, 7);
SELECT * FROM each_figure(2, 0);

-- The readers ---------------------------------------------------------------------------
INSERT INTO im_usage_daily (app_id, day, dau, image_checks, hd_minutes) VALUES (3, '2024-01-10', 6000, 100, 0);
SELECT is(billed(3), 'dau_overage pro=6000, group_overage pro=2, call_minutes audio=2, call_minutes sd=2, '
	'call_minutes fhd=2, moderation =109', 'a bill of given and metered figures');
SELECT is((SELECT string_agg(concat_ws('/', text_checks, image_checks, audio_half_minutes, video_half_minutes, n(deductions)), ' ')
	FROM im_moderation_statement(3, '2024-01') WHERE deductions > 0), '1/100/2/1/109', 'the moderation statement');
SELECT is((SELECT string_agg(concat_ws(' ', b.item, nullif(b.option, ''), n(b.quantity)), ', ' ORDER BY b.line)
	FROM im_running_bill(3, at8('2024-01-20 12:00')) b WHERE b.item <> 'plan'),
	'dau_overage pro 6000, group_overage pro 2, call_minutes audio 2, call_minutes sd 2, call_minutes fhd 2, moderation 109',
	'the running bill');
SELECT is((SELECT n(so_far) FROM im_forecast(3, at8('2024-01-20 12:00'))), n(im_monthly_total(3, '2024-01')), 'the forecast''s so far');
SELECT is((SELECT string_agg(concat_ws(' ', kind, n(used)), ', ' ORDER BY kind) FROM im_standing('2024-01') WHERE app_id = 3 AND kind IN ('dau', 'groups')),
	'dau 6000, groups 2', 'the alerts');
SELECT is((SELECT n(sum(billed)) FROM im_app_revenue('2024-01', '2024-01') WHERE app_id = 3 AND item = 'moderation'), '0.109', 'the revenue');
SELECT is((SELECT string_agg(concat_ws(' ', f.fact, n(f.quantity), regexp_replace(f.source, ' WHERE.*?(AND kind.*)?$', '\1')), ', ' ORDER BY f.ordinal)
	FROM im_monthly_bill(3, '2024-01') l, im_explain(3, '2024-01', l.line) f WHERE l.item = 'moderation' AND f.fact = 'deductions'),
	'deductions 65 public.im_usage_daily, deductions 1 public.im_moderation_checkAND kind = ''text'', '
	'deductions 15 public.im_moderation_checkAND kind = ''audio'', deductions 28 public.im_moderation_checkAND kind = ''video''',
	'the facts of a day lead to the row of what was given and to the events of what was not');
SELECT is((SELECT string_agg(DISTINCT regexp_replace(f.source, ' WHERE.*', ''), ' ')
	FROM im_monthly_bill(3, '2024-01') l, im_explain(3, '2024-01', l.line) f
	WHERE l.item = i.item AND f.day = '2024-01-10' AND f.fact IN ('daily users', 'groups', 'minutes')), i.source, 'the facts of ' || i.item)
FROM (VALUES ('dau_overage', 'public.im_usage_daily'), ('group_overage', 'public.im_group'), ('call_minutes', 'public.im_call')) i(item, source);
INSERT INTO im_suspension VALUES (4, '[2024-01-10,2024-01-11)', 'arrears');
INSERT INTO im_usage_daily (app_id, day, dau, sd_minutes) VALUES (4, '2024-01-10', 50, 0), (404, '2024-01-10', 50, 0);
INSERT INTO im_login SELECT 404, u, at8('2024-01-10 12:00') FROM unnest('{a,b,c}'::text[]) u;
INSERT INTO im_call SELECT 404, at8('2024-01-10 12:00'), c, 61 FROM unnest('{sd,hd}'::text[]) c;
SELECT is((SELECT string_agg(concat_ws(' ', kind, n(quantity)), ', ' ORDER BY kind) FROM im_unbilled_usage('2024-01') WHERE app_id = 4),
	'audio 1, call_audio 2, call_fhd 2, call_hd 2, dau 50, groups 2, image 2, text 1, video 0.5', 'unbilled usage of a suspended app');
SELECT is((SELECT string_agg(concat_ws(' ', kind, n(quantity)), ', ' ORDER BY kind) FROM im_unbilled_usage('2024-01') WHERE app_id = 404),
	'call_hd 2, dau 50', 'and of no such app');

-- Users ---------------------------------------------------------------------------------
INSERT INTO im_usage_daily (app_id, day, users) VALUES (5, '2024-01-10', '{a,b,c,d,e}'), (11, '2024-01-10', '{d,e}');
SELECT is(figures(5), 't 5 2 1 2 2 1 2 2 2 2', 'users without dau are as many as they are');
SELECT is(quantities(11, '2024-01', 'mau_overage'), '2', 'and those given are the users of the day');
INSERT INTO im_usage_daily (app_id, day, dau, users) VALUES (6, '2024-01-10', 9, '{d,e}'), (12, '2024-01-10', 9, '{d,e}');
SELECT is(quantities(6, '2024-01', 'dau_overage') || ' ' || quantities(12, '2024-01', 'mau_overage'), '9 2',
	'both given and different: each counts for its own meter');
SELECT is((SELECT string_agg(app_id || ' ' || problem, ', ' ORDER BY app_id) FROM im_check('2024-01') WHERE app_id IN (5, 6, 11, 12)),
	'6 im_usage_daily has another dau than users, such as dau 9 beside 2 users: 2024-01-10, 12 im_usage_daily has another dau than users, such as dau 9 beside 2 users: 2024-01-10', 'and im_check tells');
INSERT INTO im_usage_daily (app_id, day, text_checks) VALUES (13, '2024-01-10', 5);
SELECT is(quantities(13, '2024-01', 'mau_overage'), '3', 'a row that says nothing of users leaves them to the logins');
INSERT INTO im_usage_daily (app_id, day, dau) VALUES (14, '2024-01-11', 0), (15, '2024-01-10', 0);
SELECT is(quantities(14, '2024-01', 'mau_overage'), '3', 'a dau of 0 needs no users');
SELECT is(quantities(15, '2024-01', 'mau_overage'), '3', 'and who they were the logins say');
INSERT INTO im_usage_daily (app_id, day, dau) VALUES (16, '2024-01-10', 1);
SELECT fails_with('SELECT * FROM im_monthly_bill(16, ''2024-01'')', '22023', 'users of app 16 on 2024-01-10 are null',
	'a dau above 0 without users stays an error, whatever events there are');
SELECT is((SELECT count(*) FROM im_check('2024-01') WHERE app_id = 16 AND problem LIKE '%has no users%'), 1::bigint, 'which im_check tells');
DELETE FROM im_usage_daily WHERE app_id = 16;
INSERT INTO im_usage_daily (app_id, day, whole) VALUES (17, '2024-01-10', true);
SELECT fails_with('SELECT * FROM im_monthly_bill(17, ''2024-01'')', '22023', 'users of app 17 on 2024-01-10 are null',
	'and so does a whole row without users, as before there were others');
UPDATE im_usage_daily SET users = '{}' WHERE app_id = 17;

-- Whole rows ------------------------------------------------------------------------------
SELECT is((SELECT bool_or(whole) FROM im_usage_daily WHERE app_id < 10), false, 'a new row is not whole');
INSERT INTO im_usage_daily (app_id, day, dau, users, whole) VALUES (7, '2024-01-10', NULL, '{a,b}', true);
SELECT is(figures(7), 't 0 0 0 0 0 0 0 0 0 0', 'of a whole row null is 0, dau beside users too');
UPDATE im_usage_daily SET whole = false WHERE app_id = 7;
SELECT is(figures(7), 't 2 2 1 2 2 1 2 2 2 2', 'of one that is so no more it is not');
UPDATE im_usage_daily SET whole = NULL WHERE app_id = 7;
SELECT is(figures(7), 't 2 2 1 2 2 1 2 2 2 2', 'nor of one that does not say');
INSERT INTO im_usage_daily (app_id, day) VALUES (8, '2024-01-10');
SELECT is(figures(8), 'f 3 2 1 2 2 1 2 2 2 2', 'a row without figures gives none');

-- Metering ---------------------------------------------------------------------------------
CREATE TEMP TABLE before AS SELECT all_bills() AS bills, (SELECT string_agg(u::text, E'\n' ORDER BY app_id, day) FROM im_usage_daily u) AS rows;
SELECT ok(im_meter('2024-01-01', '2024-01-31') > 0, 'metered');
SELECT is(reads(), '-', 'no event is read any more, also of days with rows of users');
SELECT is(all_bills(), (SELECT bills FROM before), 'no bill has moved');
SELECT is((SELECT string_agg(u::text, E'\n' ORDER BY app_id, day) FROM im_usage_daily u WHERE metered_at IS NULL), (SELECT rows FROM before),
	'the rows of users are as they were');
SELECT is(figures(3), 't 6000 2 1 100 2 1 2 2 0 2', 'what was metered beside a row counts');
SELECT is((SELECT string_agg(app_id::text, ' ' ORDER BY app_id) FROM im_metered_beside), '3 4 5 6 7 8 11 12 13 15', 'it is kept where users do not see it, not for whole rows');
SELECT agrees('metered beside rows of users');
SELECT is(im_meter(), 0::bigint, 'and metered once');

-- Events come late
CALL login(5, 'f', '2024-01-10 23:59');
CALL talk(5, '2024-01-10 23:59', 'hd', 600);
SELECT is(figures(5), 't 5 2 1 2 2 1 2 2 12 2', 'a late call counts, a late login not where users were given');
SELECT is(im_meter(), 1::bigint, 'one row is metered again');
SELECT is(reads(), '-', 'and read');
SELECT is(figures(5), 't 5 2 1 2 2 1 2 2 12 2', 'with the same figures');
SELECT agrees('late events');

-- A row comes over a metered one
SELECT is((SELECT metered_at IS NOT NULL FROM im_usage_daily WHERE app_id = 1), true, 'a metered row');
INSERT INTO im_usage_daily (app_id, day, dau) VALUES (1, '2024-01-10', 44);
SELECT is(reads() || ' ' || figures(1), '- t 44 2 1 2 2 1 2 2 2 2', 'an insert over it gives its figures, and the others stay metered');
CALL talk(1, '2024-01-10 23:59', 'sd', 60);
SELECT is(figures(1), 't 44 2 1 2 2 1 2 3 2 2', 'a late event counts');
SELECT agrees('a row over a metered one');
DELETE FROM im_usage_daily WHERE app_id = 1;
SELECT is(figures(1), 'f 3 2 1 2 2 1 2 3 2 2', 'without the row all is metered again');
SELECT agrees('a row over a metered one, deleted');
SELECT ok(im_meter() > 0, 'metered');
INSERT INTO im_usage_daily (app_id, day, dau, hd_minutes) VALUES (1, '2024-01-10', 45, 0) ON CONFLICT (app_id, day) DO UPDATE SET dau = excluded.dau;
SELECT is(figures(1), 't 45 2 1 2 2 1 2 3 0 2', 'an upsert over a metered row is an insert');
INSERT INTO im_usage_daily (app_id, day, dau, hd_minutes) VALUES (1, '2024-01-10', 46, 7) ON CONFLICT (app_id, day) DO UPDATE SET dau = excluded.dau;
SELECT is(figures(1), 't 46 2 1 2 2 1 2 3 0 2', 'one over a row of the user changes what it says');
SELECT agrees('upserts');
DELETE FROM im_usage_daily WHERE app_id = 1;
SELECT ok(im_meter() > 0, 'metered');
INSERT INTO im_usage_daily (app_id, day, dau, whole) VALUES (1, '2024-01-10', 45, true);
SELECT is(figures(1), 't 45 0 0 0 0 0 0 0 0 0', 'a whole row over a metered one');
UPDATE im_usage_daily SET whole = false WHERE app_id = 1;
SELECT is(figures(1), 't 45 2 1 2 2 1 2 3 2 2', 'of which nothing was kept: events are read once it is whole no more');
SELECT is(reads(), '- 1:01-10..01-10', 'of that day');
SELECT agrees('whole and not');

-- Updates of metered rows
DELETE FROM im_usage_daily WHERE app_id = 1;
SELECT ok(im_meter() > 0, 'metered');
UPDATE im_usage_daily SET dau = dau + 7 WHERE app_id = 1;
SELECT is(reads() || ' ' || figures(1), '- t 10 2 1 2 2 1 2 3 2 2', 'an update of a metered row gives what it changes');
SELECT is((SELECT concat_ws(' ', dau, peak_groups, text_checks, sd_minutes, metered_at, whole) FROM im_usage_daily WHERE app_id = 1), '10 f', 'and nothing else');
CALL talk(1, '2024-01-10 23:59', 'audio', 60);
SELECT is(figures(1), 't 10 2 1 2 2 1 3 3 2 2', 'the others are metered, late events too');
SELECT agrees('an update');
DELETE FROM im_usage_daily WHERE app_id = 1;
SELECT ok(im_meter() > 0, 'metered');
UPDATE im_usage_daily SET text_checks = text_checks, hd_minutes = NULL WHERE app_id = 1;
CALL chk(1, '2024-01-10 23:59', 'text');
CALL chk(1, '2024-01-10 23:59', 'image');
SELECT is(figures(1), 't 3 2 1 3 2 1 3 3 2 2', 'a figure that an update names is given, whatever it was; one that it makes null is not');
UPDATE im_usage_daily SET day = '2024-01-12' WHERE app_id = 1;
SELECT is(figures(1) || ', ' || figures(1, '2024-01-12'), 'f 3 2 2 3 2 1 3 3 2 2, t 0 0 1 0 0 0 0 0 0 0', 'a row of a user that moves takes what it gives along');
SELECT agrees('a moved row');
SELECT ok(im_meter() > 0, 'metered');
UPDATE im_usage_daily SET day = '2024-01-13' WHERE app_id = 1 AND day = '2024-01-10';
SELECT is(figures(1) || ', ' || coalesce(figures(1, '2024-01-13'), 'nothing'), 'f 3 2 2 3 2 1 3 3 2 2, nothing', 'a metered row that moves gives nothing');
SELECT agrees('a moved metered row');
SELECT ok(im_meter() > 0, 'metered');
UPDATE im_usage_daily SET metered_at = NULL, whole = true WHERE app_id = 1 AND day = '2024-01-10';
SELECT is(figures(1), 't 3 2 2 3 2 1 3 3 2 2', 'one that is called whole keeps all of its figures');
SELECT agrees('a metered row called whole');

-- Kept: the events can go, all of them but groups of other days
SELECT ok(im_meter() >= 0, 'metered');
CREATE TEMP TABLE kept AS SELECT all_bills() AS bills;
SELECT ok(im_keep_metered('2024-01-01', '2024-01-31') > 0, 'kept');
SELECT is((SELECT count(*) FROM im_usage_daily WHERE day <= '2024-01-31' AND app_id <> 404 AND (whole IS NOT TRUE OR metered_at IS NOT NULL)), 0::bigint, 'all rows are whole');
SELECT is((SELECT count(*) FROM im_metered_beside), 0::bigint, 'nothing is beside them');
DELETE FROM im_login;
DELETE FROM im_call;
DELETE FROM im_moderation_check;
DELETE FROM im_group;
SELECT is(all_bills(), (SELECT bills FROM kept), 'without the events every bill is what it was');
SELECT agrees('kept');

SELECT * FROM finish();
ROLLBACK;
