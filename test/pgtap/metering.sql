-- Metering never goes stale: what im_meter() stored counts exactly where nothing
-- changed since, and every bill is what the events alone make it.
BEGIN;
\ir include/setup.sql

\ir include/metering.sql

SELECT is(im_meter(), 0::bigint, 'with nothing there there is nothing to meter');
SELECT is(im_meter('2024-01-01', '2024-01-31'), 0::bigint, 'nor without apps');
DELETE FROM im_metered_day;

CALL card('small', '2019-12-10', jsonb_set(jsonb_set(cn(), '{plans,pro,dau}',
	'{"included": 3, "block": 1, "price": "1"}'), '{plans,pro,groups}', '{"included": 0, "block": 1, "price": "10"}'));
CALL app(1, 'small');
CALL app(2, 'small');
CALL app(3, 'intl');
CALL buy(1, 1, '2024-01-01 08:00', 'plan', 'pro', 6);
CALL buy(2, 1, '2024-01-01 08:00', 'plan', 'pro', 6);
CALL buy(3, 1, '2024-01-01 08:00', 'plan', 'standard', 6);
CALL pack(1, 2, '2024-01-05 08:00', 'year_small');
CALL turn(1, 3, '2024-01-05 08:00', 'on', 'moderation');
CALL buy(2, 2, '2024-01-01 08:01', 'call', 'basic', 3);
CALL settle();
INSERT INTO im_login
SELECT app, 'u' || n % (4 + app), at8('2024-01-01 00:00') + n * interval '5 hours'
FROM generate_series(1, 3) app, generate_series(0, 400) n;
INSERT INTO im_moderation_check (app_id, at, kind, seconds)
SELECT 1, at8('2024-01-05 00:00') + n * interval '7 hours', (ARRAY['text', 'image', 'audio', 'video'])[1 + n % 4], n
FROM generate_series(0, 250) n;
INSERT INTO im_call (app_id, at, class, seconds)
SELECT 2, at8('2024-01-01 00:00') + n * interval '9 hours', (ARRAY['audio', 'sd', 'hd', 'fhd'])[1 + n % 4], 5000 + n
FROM generate_series(0, 200) n;
INSERT INTO im_group
SELECT 1 + n % 2, 'g' || n, at8('2024-01-01 00:00') + n * interval '11 hours', at8('2024-01-01 00:00') + n * interval '12 hours'
FROM generate_series(0, 150) n;

-- Before anything is metered -----------------------------------------------
SELECT is((SELECT count(*) FROM im_usage_mark), 0::bigint, 'while nothing is metered nothing is marked');
SELECT is(reads(), '01-01..01-31', 'and all is read from the events');
CREATE TEMP TABLE unmetered AS SELECT all_bills() AS bills;

-- The first time ---------------------------------------------------------------
SELECT ok(im_meter() > 200, 'im_meter() says how many rows it wrote');
SELECT is((SELECT count(*) FROM im_usage_daily WHERE metered_at IS NULL), 0::bigint, 'all of them are marked as metered');
SELECT is(reads(), '-', 'no event of January is read any more');
SELECT is(reads('2024-02'), '-', 'nor of February, nor of the packs bought before it');
SELECT is(all_bills(), (SELECT bills FROM unmetered), 'the bills are the same to the letter');
SELECT is(im_meter(), 0::bigint, 'metering again finds nothing to do');
SELECT is((SELECT count(*) FROM im_usage_daily WHERE app_id = 3 AND users IS NULL), 0::bigint,
	'where the card prices users of the month each day has them');
SELECT is((SELECT count(*) FROM im_usage_daily WHERE app_id = 1 AND users IS NOT NULL), 0::bigint, 'elsewhere none has');
SELECT is((SELECT row(dau, peak_groups, text_checks, image_checks, audio_half_minutes, video_half_minutes)::text
		FROM im_usage_daily WHERE app_id = 1 AND day = '2024-01-15'),
	(SELECT row((SELECT count(DISTINCT user_id) FROM im_login WHERE app_id = 1 AND (at AT TIME ZONE 'Asia/Shanghai')::date = '2024-01-15'),
		(SELECT im_peak_groups(created_at, disbanded_at, at8('2024-01-15 00:00'), at8('2024-01-16 00:00')) FROM im_group WHERE app_id = 1),
		count(*) FILTER (WHERE kind = 'text'), count(*) FILTER (WHERE kind = 'image'),
		coalesce(sum(seconds / 30) FILTER (WHERE kind = 'audio'), 0), coalesce(sum(seconds / 30) FILTER (WHERE kind = 'video'), 0))::text
	 FROM im_moderation_check WHERE app_id = 1 AND (at AT TIME ZONE 'Asia/Shanghai')::date = '2024-01-15'),
	'a metered row has the figures of its day');
CALL forge(1, '2024-01-15', 50);
SELECT is(quantities(1, '2024-01', 'dau_overage'), '50', 'bills read what is metered and not the events');
SELECT alike((SELECT explanation FROM im_monthly_bill(1, '2024-01') WHERE item = 'dau_overage'), '%50 on 2024-01-15%', 'so does the explanation');

-- One late row is one app and day ---------------------------------------------
CALL login(1, 'late', '2024-01-15 23:59:59.999999');
SELECT is(reads(), '- 1:01-15..01-15', 'a late login makes one day of one app be read from events');
SELECT isnt(quantities(1, '2024-01', 'dau_overage'), '50', 'its metered row counts no more');
SELECT agrees('a late login');
CREATE TEMP TABLE rows_before AS SELECT app_id, day, ctid AS place FROM im_usage_daily;
CREATE TEMP TABLE relations_before (oid oid);
INSERT INTO relations_before SELECT oid FROM pg_class;
SELECT is(im_meter(), 1::bigint, 'metering it again writes one row');
SELECT is((SELECT string_agg(format('%s %s', r.app_id, r.day), ', ')
		FROM im_usage_daily u FULL JOIN rows_before r USING (app_id, day) WHERE u.ctid IS DISTINCT FROM r.place),
	'1 2024-01-15', 'that of its app and day, and touches no other');
SELECT is((SELECT string_agg(relname, ', ') FROM pg_class c WHERE NOT EXISTS (SELECT FROM relations_before b WHERE b.oid = c.oid)),
	NULL, 'without making a table, temporary or other');
SELECT is(reads(), '-', 'after which all counts again');
SELECT is((SELECT count(*) FROM im_usage_mark), 0::bigint, 'and no mark is left');
CALL login(2, 'late', '2024-01-16 00:00');
SELECT is(reads(), '- 2:01-16..01-16', 'an event at midnight is on the day that begins');
CALL login(9, 'nobody', '2024-01-16 00:00');
SELECT is(reads(), '- 2:01-16..01-16', 'a login of no app makes nothing be read');
SELECT is(im_meter(), 1::bigint, 'and is not metered');
DELETE FROM im_login WHERE app_id = 9;
SELECT im_meter();

-- A few days and many of them are metered in two ways, with the same figures.
CREATE PROCEDURE corrected(apps bigint[]) LANGUAGE sql AS $$
	UPDATE im_login SET user_id = user_id || 'x' WHERE app_id = ANY (apps) AND at >= at8('2024-01-10 00:00') AND at < at8('2024-01-12 00:00');
	UPDATE im_moderation_check SET seconds = seconds + 30 WHERE app_id = ANY (apps) AND at >= at8('2024-01-10 12:00') AND at < at8('2024-01-11 12:00');
	UPDATE im_call SET seconds = seconds + 60 WHERE app_id = ANY (apps) AND at >= at8('2024-01-10 00:00') AND at < at8('2024-01-13 00:00');
	UPDATE im_group SET disbanded_at = created_at WHERE app_id = ANY (apps) AND created_at >= at8('2024-01-11 00:00') AND created_at < at8('2024-01-13 00:00');
$$;
CREATE FUNCTION figures() RETURNS text LANGUAGE sql RETURN
	(SELECT string_agg(concat_ws(',', app_id, day, dau, users, '/', peak_groups, text_checks, image_checks, audio_half_minutes,
		video_half_minutes, '/', audio_minutes, sd_minutes, hd_minutes, fhd_minutes), E'\n' ORDER BY app_id, day) FROM im_usage_daily);
SAVEPOINT corrected;
CALL corrected('{1, 2}');
CREATE TEMP TABLE corrected_rows AS SELECT im_meter() AS written;
ALTER TABLE corrected_rows ADD COLUMN figures text;
UPDATE corrected_rows SET figures = im_test.figures();
SELECT ok(written BETWEEN 6 AND 10, 'corrections of three days write the rows of these days') FROM corrected_rows;
SELECT agrees('corrections of a few days');
SELECT im_forget_metering('2024-01-05', '2024-01-20');
SELECT im_meter();
SELECT is(figures(), (SELECT figures FROM corrected_rows), 'metering whole days gives the same figures');
ROLLBACK TO corrected;

-- In a day without groups a check leaves no group, not an unknown number of them.
SAVEPOINT another;
CALL app(6, 'small');
SELECT im_meter();
CALL login(6, 'one', '2024-01-15 12:00');
INSERT INTO im_moderation_check (app_id, at, kind) VALUES (6, at8('2024-01-15 12:00'), 'text');
SELECT is(im_meter(), 1::bigint, 'a new app has one day');
CREATE TEMP TABLE another_day AS SELECT figures();
SELECT im_forget_metering('2024-01-15', '2024-01-15');
SELECT im_meter();
select figures();
SELECT is(figures(), (SELECT d.figures FROM another_day d), 'metering the whole day gives the same figures of checks without groups');
ROLLBACK TO another;
-- In Newfoundland the clocks went back from one minute past midnight: two
-- parts of either day lie between those of the other.
SAVEPOINT johns;
CALL card('johns', '2010-01-01', jsonb_set(cn(), '{time_zone}', '"America/St_Johns"'));
CALL app(6, 'johns');
INSERT INTO im_login VALUES (6, 'first', '2010-11-06 20:00+00'), (6, 'minute', '2010-11-07 02:30:30+00'),
	(6, 'back', '2010-11-07 03:00+00'), (6, 'next', '2010-11-07 03:30+00');
SELECT im_meter('2010-11-05', '2010-11-08');
INSERT INTO im_login VALUES (6, 'late', '2010-11-07 03:10+00'), (6, 'minute', '2010-11-07 15:00+00'), (6, 'late', '2010-11-07 16:00+00');
SELECT is(im_meter('2010-11-05', '2010-11-08'), 2::bigint, 'late logins of both days');
SELECT is((SELECT string_agg(format('%s %s', day, dau), ', ' ORDER BY day) FROM im_usage_daily WHERE app_id = 6),
	'2010-11-06 3, 2010-11-07 3', 'each login counts on the day that the clock of its zone showed');
ROLLBACK TO johns;

-- Whatever a statement does -----------------------------------------------------
UPDATE im_login SET at = at + interval '1 day' WHERE app_id = 1 AND user_id = 'late';
SELECT is(reads(), '- 1:01-15..01-16', 'an UPDATE marks the day that it leaves and the day that it comes to');
SELECT agrees('UPDATE');
UPDATE im_login SET app_id = 2 WHERE app_id = 1 AND user_id = 'late';
SELECT is(reads(), '- 1:01-15..01-16 2:01-16..01-16', 'and both apps');
SELECT agrees('UPDATE of app_id');
SELECT im_meter();
DELETE FROM im_login WHERE app_id = 2 AND user_id = 'late';
SELECT is(reads(), '- 2:01-16..01-16', 'a DELETE marks its day');
SELECT agrees('DELETE');
SELECT im_meter();
INSERT INTO im_moderation_check (app_id, at, kind) VALUES (1, at8('2024-01-20 10:00'), 'text');
INSERT INTO im_call (app_id, at, class, seconds) VALUES (2, at8('2024-01-21 10:00'), 'hd', 100000);
SELECT is(reads(), '- 1:01-20..01-20 2:01-21..01-21', 'checks and calls are marked as logins are');
SELECT agrees('checks and calls');
SELECT im_meter();
DELETE FROM im_login WHERE false;
UPDATE im_group SET group_id = group_id WHERE false;
SELECT is(reads(), '-', 'a statement that changes nothing marks nothing');
SAVEPOINT undone;
CALL login(1, 'undone', '2024-01-15 12:00');
ROLLBACK TO undone;
SELECT is(reads(), '-', 'what is rolled back takes its mark with it');
-- more apps and days than are told apart: days are marked for all apps
INSERT INTO im_login SELECT 100 + n, 'x', at8('2024-02-20 12:00') FROM generate_series(1, 17000) n;
SELECT is(reads('2024-02'), '02-20..02-20', 'a statement that touches very many apps marks the day for all of them');
SELECT agrees('very many apps');
DELETE FROM im_login WHERE app_id > 100;
SELECT is((SELECT count(*) < 10 FROM im_usage_mark), true, 'in few marks');
SELECT im_meter();
SELECT is(reads('2024-02'), '-', 'and they are metered again');

-- Groups ---------------------------------------------------------------------
CALL grp(1, 'open', '2024-01-25 12:00');
SELECT is(reads(), '- 1:01-25..01-31', 'an open group counts from its day on');
SELECT agrees('an open group');
SELECT im_meter();
UPDATE im_group SET disbanded_at = at8('2024-01-30 12:00') WHERE group_id = 'open';
SELECT is(reads(), '- 1:01-30..01-31', 'disbanding it leaves the days before alone');
SELECT agrees('a disbanded group');
UPDATE im_group SET disbanded_at = at8('2024-01-28 00:00') WHERE group_id = 'open';
SELECT is(reads(), '- 1:01-28..01-31', 'so does disbanding it earlier');
SELECT agrees('a group disbanded earlier');
SELECT im_meter();
UPDATE im_group SET created_at = at8('2024-01-27 00:00') WHERE group_id = 'open';
SELECT is(reads(), '- 1:01-25..01-27', 'another creation marks all its days; the midnight at which it is disbanded is not one');
SELECT agrees('a group created later');
SELECT im_meter();

-- Daily figures of users ---------------------------------------------------------
CALL daily(1, '2024-01-15', 77);
SELECT is((SELECT count(*) FROM im_usage_daily WHERE app_id = 1 AND day = '2024-01-15'), 1::bigint,
	'a user''s row takes the place of a metered one');
SELECT is(quantities(1, '2024-01', 'dau_overage'), '77', 'and is the truth');
SELECT is(im_meter('2024-01-01', '2024-01-31'), 0::bigint, 'which metering leaves alone');
CALL login(1, 'later', '2024-01-15 12:00');
SELECT im_meter();
SELECT is(quantities(1, '2024-01', 'dau_overage'), '77', 'whatever events come later');
SELECT agrees('a user''s row');
DELETE FROM im_usage_daily WHERE app_id = 1 AND day = '2024-01-15';
SELECT is(reads(), '- 1:01-15..01-15', 'deleting it gives the day back to the events');
SELECT agrees('a deleted row');
DELETE FROM im_usage_daily WHERE app_id = 2 AND day = '2024-01-17';
SELECT is(reads(), '- 1:01-15..01-15 2:01-17..01-17', 'so does deleting a metered one');
SELECT agrees('a deleted metered row');
SELECT im_meter();
UPDATE im_usage_daily SET dau = 88 WHERE app_id = 1 AND day = '2024-01-15';
SELECT is((SELECT metered_at FROM im_usage_daily WHERE app_id = 1 AND day = '2024-01-15'), NULL, 'a metered row that a user updates is his');
SELECT is(quantities(1, '2024-01', 'dau_overage'), '88', 'and the truth');
UPDATE im_usage_daily SET day = '2024-01-16' WHERE app_id = 1 AND day = '2024-01-15';
SELECT is((SELECT dau FROM im_usage_daily WHERE app_id = 1 AND day = '2024-01-16'), 88::bigint,
	'moved to another day it takes the place of that one''s metered row');
SELECT is(reads(), '- 1:01-15..01-15', 'and the day that it left is read from events');
SELECT agrees('a moved row');
INSERT INTO im_usage_daily (app_id, day, dau, metered_at) VALUES (1, '2024-01-15', 99, now());
SELECT is(reads(), '- 1:01-15..01-15', 'a row that a user calls metered does not count');
SELECT agrees('a row that only says it is metered');
UPDATE im_usage_daily SET metered_at = now() WHERE app_id = 1 AND day = '2024-01-16';
SELECT is(reads(), '- 1:01-15..01-16', 'nor does one that he calls so afterwards');
SELECT agrees('a row given back');
SELECT is(im_meter(), 2::bigint, 'both are metered again');
SELECT agrees('metered again');
SELECT is((SELECT max(dau) < 20 FROM im_usage_daily), true, 'and nothing of them is left');
INSERT INTO im_usage_daily (app_id, day, dau) VALUES (1, '2024-01-16', 5)
	ON CONFLICT (app_id, day) DO UPDATE SET dau = excluded.dau;
SELECT is((SELECT row(dau, metered_at)::text FROM im_usage_daily WHERE app_id = 1 AND day = '2024-01-16'), '(5,)', 'ON CONFLICT works over a metered row');
DELETE FROM im_usage_daily WHERE app_id = 1 AND day = '2024-01-16';
SELECT im_meter();
INSERT INTO im_usage_daily (app_id, day, dau) SELECT 1000 + n, '2024-01-16', 1 FROM generate_series(1, 16384) n;
DELETE FROM im_usage_daily WHERE day = '2024-01-16';
SELECT is(reads(), '01-14..01-18', 'so many rows at once give all apps'' days back, and two on either side for all zones');
SELECT agrees('rows deleted by the thousand');
SELECT im_meter();

-- Apps and price lists -----------------------------------------------------------
CALL app(4, 'small');
SELECT is(reads(), '- 4:01-01..01-31', 'a new app has not been metered');
CALL login(4, 'x', '2024-01-03 12:00');
SELECT im_meter();
SELECT is(reads(), '-', 'until it is');
SELECT is((SELECT count(*) FROM im_usage_daily WHERE app_id = 4), 1::bigint, 'its events too');
UPDATE im_app SET name = 'another name' WHERE app_id = 1;
SELECT is(reads(), '-', 'a new name is no matter');
UPDATE im_app SET rate_card = 'intl' WHERE app_id = 4;
SELECT is(reads(), '- 4:01-01..01-31', 'a new card is');
SELECT agrees('another card');
SELECT im_meter();
SELECT is((SELECT users::text FROM im_usage_daily WHERE app_id = 4), '{x}', 'the users of its days are kept now');
DELETE FROM im_app WHERE app_id = 4;
CALL app(4, 'small');
SELECT is(reads(), '- 4:01-01..01-31', 'an app that comes back is metered again');
SELECT im_meter();
INSERT INTO im_rate_card_version SELECT 'small', '2024-03-01', jsonb_set(terms, '{plans,pro,price}', '"1"')
FROM im_rate_card_version WHERE rate_card = 'small';
SELECT is(reads(), '-', 'new prices change no usage');
CALL card('east', '2019-12-10', jsonb_set(cn(), '{time_zone}', '"Pacific/Kiritimati"'));
CALL app(5, 'east');
CALL buy(5, 1, '2024-01-01 08:00', 'plan', 'pro', 6);
INSERT INTO im_login SELECT 5, 'u' || n % 5, at8('2024-01-01 00:00') + n * interval '5 hours' FROM generate_series(0, 300) n;
SELECT im_meter();
SELECT is(reads(), '-', 'apps of two calendars are metered, each by its own days');
SELECT agrees('two calendars');
CALL login(5, 'late', '2024-01-15 20:00');
SELECT is(reads(), '- 5:01-16..01-16', 'and marked by them');
SELECT im_meter();
SET LOCAL datestyle = 'SQL, DMY';
SET LOCAL timezone = 'Asia/Shanghai';
SELECT im_forget_metering('2024-01-14', '2024-01-17');
SELECT im_meter();
SELECT agrees('metered in a session whose dates name zones by abbreviations');
SET LOCAL datestyle = ISO;
RESET timezone;
UPDATE im_rate_card_version SET terms = jsonb_set(terms, '{time_zone}', '"America/New_York"') WHERE rate_card = 'east';
SELECT is(reads(), '- 5:01-01..01-31', 'a card with other days makes its apps be metered again');
SELECT agrees('another calendar');
SELECT im_meter();
UPDATE im_rate_card_version SET terms = jsonb_set(terms #- '{plans,pro,dau}', '{plans,pro,mau}',
	'{"included": 2, "block": 1, "price": "1"}') WHERE rate_card = 'east';
SELECT is(reads(), '- 5:01-01..01-31', 'so does one that wants to know the users of the month');
SELECT agrees('users of the month');
SELECT im_meter();
SELECT agrees('users of the month metered');
SELECT is(reads(), '-', 'both are done');
-- A preview cuts other days than were metered, or asks for users nobody kept.
SELECT is((SELECT string_agg(b::text, E'\n') FROM im_preview_bill(1, '2024-01', im_bundled_card('intl', '2022-12-26')) b),
	(SELECT string_agg(b::text, E'\n') FROM (SELECT raw_bills() OFFSET 0) x, LATERAL (SELECT * FROM im_preview_bill(1, '2024-01', im_bundled_card('intl', '2022-12-26')) OFFSET 0) b),
	'a preview repeats');
SELECT is(quantities(1, '2024-01', 'dau_overage'), (SELECT n(quantity) FROM im_preview_bill(1, '2024-01', jsonb_set(
	(SELECT terms FROM im_rate_card_version WHERE rate_card = 'small' LIMIT 1), '{plans,pro,price}', '"1"')::im_rate_card) WHERE item = 'dau_overage'),
	'a preview of the same calendar has the same usage');
CALL forge(1, '2024-01-15', 60);
SELECT isnt((SELECT n(quantity) FROM im_preview_bill(1, '2024-01', (jsonb_set((SELECT terms FROM im_rate_card_version WHERE rate_card = 'small' LIMIT 1),
	'{time_zone}', '"UTC"'))::im_rate_card) WHERE item = 'dau_overage'), '60', 'one of another calendar reads the events');
SELECT im_forget_metering('2024-01-15', '2024-01-15');
SELECT is(reads(), '01-15..01-15', 'im_forget_metering() makes a day be read from events');
SELECT agrees('a forgotten day');
SELECT im_meter();
SELECT is(reads(), '-', 'until it is metered');

-- Events that cannot be metered ----------------------------------------------------
INSERT INTO im_moderation_check (app_id, at, kind) VALUES (2, at8('2024-01-10 10:00'), 'smell');
INSERT INTO im_call (app_id, at, class, seconds) VALUES (1, at8('2024-01-11 10:00'), 'sd', -5);
CALL login(2, 'more', '2024-01-12 10:00');
SELECT im_meter();
SELECT is(reads(), '- 1:01-11..01-11 2:01-10..01-10', 'days with an event that no meter takes stay marked, others do not');
SELECT is((SELECT count(*) FROM im_check('2024-01')), 2::bigint, 'im_check() names the events');
SELECT throws_ok('SELECT * FROM im_monthly_bill(2, ''2024-01'')', '22023', NULL, 'their bills fail as they do without metering');
SELECT throws_ok('SELECT * FROM im_monthly_bill(1, ''2024-01'')', '22023', NULL, 'that of calls too');
SELECT lives_ok('SELECT * FROM im_monthly_bill(3, ''2024-01'')', 'the bill of another app does not');
DELETE FROM im_moderation_check WHERE kind = 'smell';
DELETE FROM im_call WHERE seconds < 0;
SELECT agrees('corrected events');
SELECT im_meter();
SELECT is(reads(), '-', 'corrected they are metered');
-- a whole day of all apps, among which one cannot be metered
SELECT im_forget_metering('2024-01-10', '2024-01-12');
INSERT INTO im_moderation_check (app_id, at, kind) VALUES (2, at8('2024-01-10 10:00'), 'smell');
CALL grp(1, 'bad', '2024-01-12 00:00', '2024-01-11 00:00');
SELECT im_meter('2024-01-12', '2024-01-12');
SELECT is(reads(), '01-10..01-11 1:01-12..01-12', 'a group disbanded before it was created stays marked even from midnight on');
SELECT throws_ok('SELECT * FROM im_monthly_bill(1, ''2024-01'')', '22023', NULL, 'and its app is not billed');
SELECT im_meter();
SELECT is(reads(), '- 1:01-12..01-12 2:01-10..01-10', 'the rest of their days is metered');
DELETE FROM im_moderation_check WHERE kind = 'smell';
DELETE FROM im_group WHERE group_id = 'bad';
SELECT agrees('corrected again');
SELECT im_meter();

-- Days asked for -------------------------------------------------------------------
CALL login(1, 'a', '2024-01-10 12:00');
CALL login(1, 'a', '2024-01-20 12:00');
SELECT is(im_meter('2024-01-08', '2024-01-12'), 1::bigint, 'only the days asked for are metered');
SELECT is(reads(), '- 1:01-20..01-20', 'the others stay marked');
CALL login(1, 'a', '2024-07-10 12:00');
SELECT is(im_meter('2024-01-20', '2024-01-20'), 1::bigint, 'one day');
SELECT is(reads('2024-07'), '07-01..07-31 1:03-26..06-30',
	'days that nobody has metered yet are read from events, also those before the month that packs were used on');
SELECT ok(im_meter() > 0, 'all days of which events are known');
SELECT is(reads('2024-07'), '07-11..07-31', 'through the last of them');
SELECT is(im_meter(NULL, '2024-07-31'), 0::bigint, 'or through a day without any');
SELECT is(reads('2024-07'), '-', 'which then is known to have none');
SELECT throws_ok('SELECT im_meter(''2024-02-01'', ''2024-01-01'')', '22023', NULL, 'days out of order');
SELECT throws_ok('SELECT im_meter(''-infinity'', ''infinity'')', '22023', 'days to meter are out of range: -infinity through infinity', 'infinite days');
SELECT throws_ok('SELECT im_meter(''2024-01-01'', ''10000-01-01'')', '22023', 'days to meter are out of range: 2024-01-01 through 10000-01-01', 'days after 9999');
-- Days to come are metered only where they are asked for.
SAVEPOINT to_come;
SELECT is(im_meter('2999-01-01', '2999-01-31'), 0::bigint, 'a month of days to come');
CALL login(1, 'early', '2999-01-10 12:00');
SELECT im_meter('2024-06-01');
SELECT ok((SELECT max(day) <= im_day(now(), 'Pacific/Kiritimati') FROM im_metered_day WHERE day < '2999-01-01'),
	'without a last day what is metered ends today');
SELECT is(reads('2999-01'), '- 1:01-10..01-10', 'a mark of a day to come stays');
SELECT im_meter();
SELECT is(reads('2999-01'), '- 1:01-10..01-10', 'and stays');
SELECT is(im_meter('2999-01-01', '2999-01-31'), 1::bigint, 'until that day is asked for');
SELECT is(reads('2999-01'), '-', 'when it is metered');
ROLLBACK TO to_come;
INSERT INTO im_login VALUES (1, 'never', 'infinity'), (1, 'ever', '-infinity');
SELECT is(reads(), '-', 'an instant that is on no day marks none');
CALL grp(1, 'ever', '-infinity', '2024-01-02 00:00');
SELECT is(reads(), '- 1:01-01..01-01', 'a group that always was counts until it is disbanded');
SELECT agrees('infinite instants');
DELETE FROM im_login WHERE NOT isfinite(at);
DELETE FROM im_group WHERE group_id = 'ever';
SELECT im_meter();

-- TRUNCATE ---------------------------------------------------------------------------
SAVEPOINT truncating;
TRUNCATE im_call;
SELECT is(reads(), '01-01..01-31', 'TRUNCATE of events makes everything be read');
SELECT agrees('TRUNCATE of events');
SELECT im_meter();
SELECT agrees('TRUNCATE of events, metered');
TRUNCATE im_usage_daily;
SELECT is(reads(), '01-01..01-31', 'TRUNCATE of the daily figures too');
SELECT agrees('TRUNCATE of daily figures');
ROLLBACK TO truncating;
SELECT is(reads(), '-', 'unless it is rolled back');
TRUNCATE im_usage_mark;
SELECT is(reads(), '-', 'with no marks there is nothing to truncate');

-- Reports agree with bills -----------------------------------------------------------
CREATE TEMP TABLE reports AS
SELECT (SELECT string_agg(s::text, E'\n' ORDER BY s::text) FROM im_moderation_statement(1, '2024-02') s) AS statement,
	(SELECT string_agg(u::text, E'\n' ORDER BY u::text) FROM im_unbilled_usage('2024-01') u) AS unbilled,
	(SELECT string_agg(u::text, E'\n' ORDER BY u::text) FROM im_daily_usage('2024-01') u) AS daily,
	(SELECT string_agg(u::text, E'\n' ORDER BY u::text) FROM im_app_revenue('2024-01', '2024-02') u) AS revenue,
	(SELECT string_agg(e::text, E'\n' ORDER BY b.line, e.ordinal) FROM im_monthly_bill(1, '2024-01') b, im_explain(1, '2024-01', b.line) e) AS facts,
	(SELECT string_agg(im_bill_html(a.app_id, '2024-01'), E'\n' ORDER BY a.app_id) FROM im_app a) AS pages,
	(SELECT string_agg(c::text, E'\n' ORDER BY c::text) FROM im_app a, im_cheapest_plan(a.app_id, '2024-01') c) AS plans,
	(SELECT string_agg(f::text, E'\n' ORDER BY f::text) FROM im_app a, im_forecast(a.app_id, at8('2024-02-20 12:00')) f) AS forecasts,
	(SELECT count(*) FROM im_check('2024-01')) AS problems;
DELETE FROM im_metered_day;
SELECT is((SELECT string_agg(s::text, E'\n' ORDER BY s::text) FROM im_moderation_statement(1, '2024-02') s), statement, 'the moderation statement') FROM reports;
SELECT is((SELECT string_agg(u::text, E'\n' ORDER BY u::text) FROM im_unbilled_usage('2024-01') u), unbilled, 'unbilled usage') FROM reports;
SELECT is((SELECT string_agg(u::text, E'\n' ORDER BY u::text) FROM im_daily_usage('2024-01') u), daily, 'daily usage, of which metered figures are not given ones') FROM reports;
SELECT is((SELECT string_agg(u::text, E'\n' ORDER BY u::text) FROM im_app_revenue('2024-01', '2024-02') u), revenue, 'revenue, with the packs of earlier months') FROM reports;
SELECT is((SELECT string_agg(e::text, E'\n' ORDER BY b.line, e.ordinal) FROM im_monthly_bill(1, '2024-01') b, im_explain(1, '2024-01', b.line) e), facts, 'the facts behind a bill') FROM reports;
SELECT is((SELECT string_agg(im_bill_html(a.app_id, '2024-01'), E'\n' ORDER BY a.app_id) FROM im_app a), pages, 'bills to print') FROM reports;
SELECT is((SELECT string_agg(c::text, E'\n' ORDER BY c::text) FROM im_app a, im_cheapest_plan(a.app_id, '2024-01') c), plans, 'the cheapest plans') FROM reports;
SELECT is((SELECT string_agg(f::text, E'\n' ORDER BY f::text) FROM im_app a, im_forecast(a.app_id, at8('2024-02-20 12:00')) f), forecasts, 'forecasts') FROM reports;
SELECT is((SELECT count(*) FROM im_check('2024-01')), problems, 'im_check()') FROM reports;
SELECT im_meter();

-- Whoever loads, and however ---------------------------------------------------------
CREATE ROLE im_test_loader;
GRANT INSERT ON public.im_login, public.im_usage_daily TO im_test_loader;
SET LOCAL ROLE im_test_loader;
INSERT INTO public.im_login VALUES (1, 'loaded', '2024-01-16 12:00+08');
INSERT INTO public.im_usage_daily (app_id, day, dau) VALUES (2, '2024-01-16', 55);
SELECT throws_ok('SELECT public.im_meter()', '42501', NULL, 'who only loads cannot meter');
RESET ROLE;
SELECT is(reads(), '- 1:01-16..01-16', 'what he loads is marked, with no right of his on the marks');
SELECT is(quantities(2, '2024-01', 'dau_overage'), '55', 'and his daily row takes the place of a metered one');
DELETE FROM im_usage_daily WHERE app_id = 2 AND dau = 55;
SELECT im_meter();
SET LOCAL session_replication_role = replica;
CALL login(1, 'replicated', '2024-01-17 12:00');
SET LOCAL session_replication_role = origin;
SELECT is(reads(), '- 1:01-17..01-17', 'a load that suppresses triggers is marked all the same');
SELECT im_meter();

-- As pg_restore --disable-triggers and many who load by hand do it.
SAVEPOINT triggers_off;
ALTER TABLE im_login DISABLE TRIGGER ALL;
CALL login(1, 'past the triggers', '2024-01-17 12:00');
SELECT is(reads(), '01-01..01-31', 'while the triggers are disabled nothing metered counts');
ALTER TABLE im_login ENABLE TRIGGER ALL;
SELECT is(reads(), '01-01..01-31', 'nor does it once they are enabled again, for what was not marked meanwhile');
SELECT agrees('triggers disabled and enabled');
SELECT im_meter();
SELECT is(reads(), '-', 'it is metered anew');
SELECT is((SELECT count(*) FROM pg_trigger WHERE tgrelid = 'im_login'::regclass AND tgname LIKE 'im\_mark\_%' AND tgenabled <> im_internal.im_trigger_firing(tgname)), 0::bigint,
	'and the triggers fire in every replication role again');
SELECT agrees('metered anew');
ALTER TABLE im_login DISABLE TRIGGER ALL;
CALL login(1, 'past them too', '2024-01-17 12:00');
CALL settle();
SELECT im_create_tables();
SELECT is(reads(), '01-01..01-31', 'im_create_tables() does not make it count either');
SELECT agrees('triggers enabled by im_create_tables()');
ROLLBACK TO triggers_off;
MERGE INTO im_login l USING (VALUES ('replicated', 1), ('merged', 2)) v(u, a) ON l.user_id = v.u
	WHEN MATCHED THEN UPDATE SET at = at8('2024-01-18 12:00')
	WHEN NOT MATCHED THEN INSERT VALUES (v.a, v.u, at8('2024-01-19 12:00'));
SELECT is(reads(), '- 1:01-17..01-18 2:01-19..01-19', 'MERGE is marked');
SELECT agrees('MERGE');
SELECT im_meter();
PREPARE load(bigint, text) AS INSERT INTO im_login SELECT $1, 'x' || n, at8($2) + n * interval '1 hour' FROM generate_series(0, 30) n;
EXECUTE load(1, '2024-01-20 00:00');
SELECT is(reads(), '- 1:01-20..01-21', 'one statement over two days marks both');
SELECT agrees('two days');
SELECT im_meter();

-- Where it must not ------------------------------------------------------------------
SAVEPOINT subscribed;
SET LOCAL allow_system_table_mods = on;
INSERT INTO pg_subscription_rel (srsubid, srrelid, srsubstate) VALUES (1, 'im_login'::regclass, 'r');
SELECT is(reads(), '01-01..01-31', 'a table that a subscription feeds is always read');
SELECT throws_ok('SELECT im_meter()', '55000', 'table public.im_login is fed by a subscription', 'and not metered');
ROLLBACK TO subscribed;
SAVEPOINT untriggered;
ALTER TABLE im_call DISABLE TRIGGER im_mark_insert;
SELECT is(reads(), '01-01..01-31', 'without its trigger a table is always read');
ROLLBACK TO untriggered;
CALL settle();
DROP TRIGGER im_mark_delete ON im_group;
SELECT im_create_tables();
SELECT is(reads(), '01-01..01-31', 'a trigger that had to be added again makes all be read from events');
SELECT im_meter();
SELECT is(reads(), '-', 'as im_meter() does');


-- Far away -----------------------------------------------------------------------
SELECT is(im_meter('2018-12-01', '2018-12-31'), 0::bigint, 'days without events are metered as empty');
INSERT INTO im_login VALUES (1, 'stray', '0001-01-01 00:00+00'), (1, 'stray', '4713-06-01 00:00+00 BC'),
	(1, 'stray', '9999-12-31 23:00+00'), (1, 'stray', '294276-12-30 00:00+00');
SELECT is(im_meter(), 0::bigint, 'events of no billable day are metered by none');
SELECT is((SELECT min(day) FROM im_metered_day WHERE day > '2018-12-31'), '2019-12-01', 'nor is any day before the first price list');
SELECT agrees('stray events');

SELECT * FROM finish();
ROLLBACK;
