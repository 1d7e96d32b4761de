-- R11 and R12 from rows to days: events of meters by name, what is given, what is metered,
-- what stands. What would be wrong if it failed: a day that does not say what its own events
-- say, a metered figure that differs from the events, or a row that is lost without a word.
BEGIN;
\ir include/setup.sql
SET client_min_messages = warning;

-- Some clocks of St. John's went back over midnight: 29 October 2005 is not one span of time.
CALL card('berlin', '2024-01-01', '{"currency": "EUR", "scale": 2, "time_zone": "Europe/Berlin", "grace_days": 7,
	"plans": {"free": {"rank": 0, "price": "0"}, "start": {"rank": 1, "price": "499"}},
	"meters": {"sms": {"day": "sum", "month": "sum"}, "peak": {"day": "max", "month": "max"},
		"gb": {"day": "average", "month": "average"}, "seats": {"day": "last", "month": "last"},
		"push": {"day": "unique", "month": "unique"}, "devices": {"day": "unique", "month": "max"}}}');
CALL card('stjohns', '2005-01-01', '{"currency": "CAD", "scale": 2, "time_zone": "America/St_Johns", "grace_days": 7,
	"plans": {"free": {"rank": 0, "price": "0"}},
	"meters": {"gb": {"day": "average", "month": "average"}, "seats": {"day": "last", "month": "last"}}}');
CALL app(1, 'berlin');
CALL app(2, 'berlin');
CALL app(3, 'stjohns');
CALL app(4);
CALL settle();

CREATE PROCEDURE event(app_id bigint, meter text, at text, quantity numeric DEFAULT 1, subject text DEFAULT NULL)
LANGUAGE sql AS $$
	INSERT INTO im_event (app_id, meter, at, quantity, subject)
	VALUES (app_id, meter, at::timestamp AT TIME ZONE CASE app_id WHEN 3 THEN 'America/St_Johns' ELSE 'Europe/Berlin' END, quantity, subject)
$$;

-- The days of a value, one after the other: meter day given quantity users area before length.
CREATE FUNCTION days_in(usage im_internal.im_usage) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' ', m.d ->> 'meter', m.d ->> 'day', n((m.d ->> 'given')::numeric), n((m.d ->> 'quantity')::numeric),
		coalesce(m.d ->> 'users', '-'), n((m.d ->> 'area')::numeric), coalesce(m.d ->> 'before', '-'), coalesce(m.d ->> 'length', '-'))
	FROM jsonb_array_elements(usage::text::jsonb -> 'meters') m(d)
	ORDER BY m.d ->> 'meter' COLLATE "C", m.d ->> 'day'
$$;
-- What the bill of an app is handed.
CREATE FUNCTION days_of(app bigint, first date, until date, card im_rate_card DEFAULT NULL) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT d
	FROM im_internal.im_gather_events(first, until, im_internal.im_reading(first, until, card, im_internal.im_price_book(card), app)) g, days_in(g.usage) d
	WHERE g.app_id = app
$$;
-- The same of all apps at once.
CREATE FUNCTION days_of_all(first date, until date) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' ', g.app_id, d)
	FROM im_internal.im_gather_events(first, until, im_internal.im_reading(first, until, NULL::im_rate_card, im_internal.im_price_book(NULL::im_rate_card), NULL::bigint)) g, days_in(g.usage) d
	ORDER BY 1
$$;

-- A day by hand --------------------------------------------------------------

CALL event(1, 'sms', '2024-03-30 23:59:59.999999', 0.00000001);
CALL event(1, 'sms', '2024-03-31 00:00', 2.5);
CALL event(1, 'sms', '2024-03-31 12:00', 1e20);
CALL event(1, 'peak', '2024-03-31 12:00', 3);
CALL event(1, 'peak', '2024-03-31 13:00', 2.99999999);
CALL event(1, 'seats', '2024-03-31 12:00', 9);
CALL event(1, 'seats', '2024-03-31 13:00', 4);
CALL event(1, 'seats', '2024-03-31 13:00', 5);
CALL event(1, 'push', '2024-03-31 12:00', 0, 'a');
CALL event(1, 'push', '2024-03-31 13:00', 7, 'b');
CALL event(1, 'push', '2024-03-31 14:00', 7, 'b');
CALL event(1, 'devices', '2024-03-31 14:00', 1, '');
CALL event(1, 'devices', '2024-03-31 14:00', 1, 'x');
-- the day has 23 hours: at noon 11 have gone by
CALL event(1, 'gb', '2024-03-31 12:00', 10);
CALL event(1, 'gb', '2024-03-31 18:00', 0);
SELECT results_eq($$SELECT days_of(1, '2024-03-01', '2024-04-01')$$, ARRAY[
	'devices 2024-03-31 - 2 - - - -',
	'gb 2024-03-31 - 0 - 216000000000 39600000000 82800000000',
	'peak 2024-03-31 - 3 - - - -',
	'push 2024-03-31 - 2 {a,b} - - -',
	'seats 2024-03-31 - 5 - - - -',
	'sms 2024-03-30 - 0.00000001 - - - -',
	'sms 2024-03-31 - 100000000000000000002.5 - - - -'], 'a day says what its events say');
SELECT results_eq($$SELECT days_of(1, '2024-05-01', '2024-06-01')$$, ARRAY[
	'gb 2024-03-31 - 0 - - - -', 'seats 2024-03-31 - 5 - - - -'],
	'and what stands is found behind a month without events');
SELECT is_empty($$SELECT days_of(4, '2024-03-01', '2024-04-01')$$, 'a card without meters has none');

-- By minutes: how long each quantity stands on its day, and how long nothing of the day had happened.
CREATE FUNCTION by_minutes(app bigint, zone text, on_day date) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', n(sum(coalesce(s.quantity, 0) * 60000000)), sum(60000000) FILTER (WHERE s.quantity IS NULL), sum(60000000))
	FROM generate_series(im_internal.im_utc_midnight(on_day - 1), im_internal.im_utc_midnight(on_day + 2), interval '1 minute') m
	LEFT JOIN LATERAL (
		SELECT e.quantity FROM im_event e
		WHERE e.app_id = app AND e.meter = 'gb' AND e.at <= m AND im_day(e.at, zone) = on_day
		ORDER BY e.at DESC, e.quantity DESC LIMIT 1) s ON true
	WHERE im_day(m, zone) = on_day
$$;
INSERT INTO im_event (app_id, meter, at, quantity)
SELECT 3, 'gb', '2005-10-29 20:17+00'::timestamptz + n * interval '47 minutes', 3 + n % 5 FROM generate_series(0, 40) n;
INSERT INTO im_event (app_id, meter, at, quantity)
SELECT 2, 'gb', '2024-10-25 22:10+00'::timestamptz + n * interval '101 minutes', 3 + n % 5 FROM generate_series(0, 60) n;
SELECT results_eq($$SELECT split_part(d, ' ', 2)::date, substring(d FROM '\S+ \S+ \S+$') FROM days_of(3, '2005-10-01', '2005-11-01') d$$,
	$$SELECT d, by_minutes(3, 'America/St_Johns', d) FROM unnest('{2005-10-29,2005-10-30,2005-10-31}'::date[]) d$$,
	'time is of the day that the clock shows, where that goes back over midnight');
SELECT results_eq($$SELECT split_part(d, ' ', 2)::date, substring(d FROM '\S+ \S+ \S+$') FROM days_of(2, '2024-10-01', '2024-11-01') d$$,
	$$SELECT d, by_minutes(2, 'Europe/Berlin', d) FROM unnest('{2024-10-26,2024-10-27,2024-10-28,2024-10-29,2024-10-30}'::date[]) d$$,
	'and of a day of 25 hours');
DELETE FROM im_event WHERE app_id = 3;

-- Metered and raw ------------------------------------------------------------

INSERT INTO im_event (app_id, meter, at, quantity, subject)
SELECT 1 + n % 2, (ARRAY['sms', 'peak', 'gb', 'seats', 'push', 'devices', 'other'])[1 + n * 31 % 7],
	'2024-06-10 00:00+00'::timestamptz + n * interval '3 hours 7 minutes', n * 37 % 101 / 8.0, 'u' || n * 13 % 17
FROM generate_series(1, 400) n;
CREATE FUNCTION all_days() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT m || ' ' || d FROM unnest('{2024-03-01,2024-04-01,2024-06-01,2024-07-01,2024-08-01,2025-01-01}'::date[]) m,
		days_of_all(m, (m + interval '1 month')::date) d
$$;
CREATE TEMP TABLE raw AS SELECT * FROM all_days() d;
SELECT cmp_ok((SELECT count(*) FROM raw), '>', 300::bigint, 'there is much to compare');
SELECT bag_eq($$SELECT substr(d, 14) FROM raw r(d) WHERE d ~ '^2024-07-01 1'$$, $$SELECT d FROM days_of(1, '2024-07-01', '2024-08-01') d$$, 'app by app');
SELECT cmp_ok(im_meter(), '>', 300::bigint, 'it is metered');
SELECT bag_eq($$SELECT * FROM all_days()$$, $$TABLE raw$$, 'and metered days say what events say');
SELECT is((SELECT (r).raw_first >= (r).raw_until FROM im_internal.im_reading('2024-07-01', '2024-08-01', NULL::im_rate_card, im_internal.im_price_book(NULL::im_rate_card), NULL::bigint) r),
	true, 'without reading events');
SELECT is((SELECT count(*) FROM im_meter_daily WHERE meter = 'other'), 0::bigint, 'what no card meters is not metered');

-- late, months back: one app and day, and all months behind it
CALL event(1, 'seats', '2024-03-31 13:30', 77);
SELECT is(im_meter(), (SELECT count(DISTINCT meter) FROM im_event WHERE app_id = 1 AND im_day(at, 'Europe/Berlin') = '2024-03-31'),
	'a late event costs the meters of one app and day');
SELECT ok('seats 2024-03-31 - 77 - - - -' IN (SELECT days_of(1, '2024-05-01', '2024-06-01')), 'and stands in the months behind');
CALL event(1, 'gb', '2024-04-02 08:00', 5);
SELECT ok('gb 2024-04-02 - 5 - - - -' IN (SELECT days_of(1, '2024-05-01', '2024-06-01')), 'before it is metered, too');
DELETE FROM im_event WHERE app_id = 1 AND meter = 'gb' AND quantity = 5 AND at < '2024-05-01';
UPDATE im_event SET quantity = 6 WHERE app_id = 1 AND quantity = 77;
SELECT ok('gb 2024-03-31 - 0 - - - -' IN (SELECT days_of(1, '2024-05-01', '2024-06-01'))
	AND 'seats 2024-03-31 - 6 - - - -' IN (SELECT days_of(1, '2024-05-01', '2024-06-01')), 'corrections as well');
DO 'BEGIN PERFORM im_meter(); END';
CREATE TEMP TABLE metered AS SELECT * FROM all_days() d;
SELECT cmp_ok(im_forget_metering(), '>', 0::bigint, 'metering is forgotten');
SELECT bag_eq($$SELECT * FROM all_days()$$, $$TABLE metered$$, 'and nothing else');
DO 'BEGIN PERFORM im_meter(); END';

-- price lists: only what a meter measures matters
INSERT INTO im_rate_card_version SELECT rate_card, '2024-07-01', jsonb_set(terms, '{plans,start,price}', '"599"') FROM im_rate_card_version WHERE rate_card = 'berlin';
SELECT is((SELECT count(*) FROM im_usage_mark), 0::bigint, 'a version with the same meters marks nothing');
INSERT INTO im_rate_card_version SELECT rate_card, '2024-08-01', jsonb_set(terms, '{meters,other}', '{"day": "max", "month": "max"}')
FROM im_rate_card_version WHERE rate_card = 'berlin' AND effective_from = '2024-07-01';
SELECT is((SELECT count(*) FROM im_usage_mark), 2::bigint, 'one with a further meter marks its apps');
SELECT isnt_empty($$SELECT d FROM days_of(1, '2024-07-01', '2024-08-01') d WHERE d LIKE 'other %'$$, 'whose events count at once');
CREATE TEMP TABLE other AS SELECT * FROM all_days() d;
DO 'BEGIN PERFORM im_meter(); END';
SELECT bag_eq($$SELECT * FROM all_days()$$, $$TABLE other$$, 'and metered as before');
SELECT results_eq($$SELECT d FROM days_of(4, '2024-07-01', '2024-08-01', (SELECT terms::im_rate_card FROM im_rate_card_version WHERE rate_card = 'stjohns')) d$$,
	ARRAY[]::text[], 'another card reads its own meters');
SELECT is((SELECT count(*) FROM days_of(1, '2024-07-01', '2024-08-01', (SELECT (terms || '{"meters": {"sms": {"day": "max", "month": "max"}}}')::im_rate_card FROM im_rate_card_version WHERE rate_card = 'berlin' AND effective_from = '2024-01-01')) d),
	(SELECT count(DISTINCT im_day(at, 'Europe/Berlin')) FROM im_event WHERE app_id = 1 AND meter = 'sms' AND im_day(at, 'Europe/Berlin') BETWEEN '2024-07-01' AND '2024-07-31'),
	'from events where its day is another');

-- What users give (R11) --------------------------------------------------------

SELECT fails_with(format('INSERT INTO im_meter_daily (app_id, day, meter, quantity) VALUES (1, %L, %L, 1)', '2024-09-01', m), '23514', 'im_meter_daily_meter_check',
	format('meter "%s" is refused', m)) FROM unnest('{dau,mau,groups,""}'::text[]) m;
SELECT fails_with($$INSERT INTO im_meter_daily (app_id, day, meter, quantity, area) VALUES (1, '2024-09-01', 'gb', 1, 1)$$, '23514', 'im_meter_daily_average_check',
	'so is half of what an average needs');

CALL event(2, 'sms', '2024-09-05 12:00', 40);
CALL event(2, 'seats', '2024-09-05 12:00', 40);
CALL event(2, 'gb', '2024-09-05 12:00', 40);
CALL event(2, 'push', '2024-09-05 12:00', 1, 'e');
CREATE FUNCTION september() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT d FROM days_of(2, '2024-09-01', '2024-10-01') d WHERE d ~ ' 2024-09-'
$$;
INSERT INTO im_meter_daily (app_id, day, meter, quantity, users) VALUES (2, '2024-09-05', 'sms', 0, NULL), (2, '2024-09-05', 'seats', 3, NULL),
	(2, '2024-09-05', 'gb', 3, NULL), (2, '2024-09-05', 'push', NULL, '{c,d}'), (2, '2024-09-06', 'push', NULL, NULL);
CREATE TEMP TABLE given AS SELECT * FROM september() d;
SELECT bag_eq($$TABLE given$$, ARRAY['gb 2024-09-05 3 40 - 1728000000000 43200000000 86400000000',
	'push 2024-09-05 2 1 {c,d} - - -', 'seats 2024-09-05 3 40 - - - -', 'sms 2024-09-05 0 40 - - - -'], 'a figure that is given is told beside the events, users give their number');
DO 'BEGIN PERFORM im_meter(); END';
SELECT bag_eq($$SELECT * FROM september()$$, $$TABLE given$$, 'metering leaves the users'' rows');
SELECT results_eq($$SELECT meter FROM im_meter_beside WHERE app_id = 2 AND day = '2024-09-05' ORDER BY 1$$, ARRAY['gb', 'push', 'seats', 'sms'], 'and keeps its own beside them');
SELECT results_eq($$SELECT d FROM days_of(2, '2024-10-01', '2024-11-01') d WHERE d !~ ' 2024-10-'$$, ARRAY['gb 2024-09-05 - 40 - - - -', 'seats 2024-09-05 3 - - - - -'], 'what is given stands on for last, and not for average');
DELETE FROM im_meter_daily WHERE app_id = 2 AND day >= '2024-09-05' AND day < '2024-09-07';
SELECT bag_eq($$SELECT * FROM september()$$, ARRAY['gb 2024-09-05 - 40 - 1728000000000 43200000000 86400000000', 'push 2024-09-05 - 1 {e} - - -',
	'seats 2024-09-05 - 40 - - - -', 'sms 2024-09-05 - 40 - - - -'], 'without the rows the events count again');
DO 'BEGIN PERFORM im_meter(); END';
UPDATE im_meter_daily SET quantity = 9 WHERE app_id = 2 AND day = '2024-09-05' AND meter IN ('push', 'gb');
SELECT results_eq($$SELECT meter, quantity, users::text, area, metered_at FROM im_meter_daily WHERE app_id = 2 AND day = '2024-09-05' AND meter IN ('push', 'gb') ORDER BY 1$$,
	$$VALUES ('gb', 9.0, NULL, NULL::numeric, NULL::timestamptz), ('push', 9, NULL, NULL, NULL)$$, 'an update of a metered row gives what it changes and nothing else');
SELECT bag_eq($$SELECT * FROM september()$$, ARRAY['gb 2024-09-05 9 40 - 1728000000000 43200000000 86400000000',
	'push 2024-09-05 9 1 - - - -', 'seats 2024-09-05 - 40 - - - -', 'sms 2024-09-05 - 40 - - - -'], 'and what was metered goes on beside it');
INSERT INTO im_meter_daily (app_id, day, meter, quantity) VALUES (2, '2024-09-05', 'sms', 8) ON CONFLICT (app_id, day, meter) DO UPDATE SET quantity = excluded.quantity;
SELECT results_eq($$SELECT quantity, metered_at FROM im_meter_daily WHERE app_id = 2 AND day = '2024-09-05' AND meter = 'sms'$$, $$VALUES (8.0, NULL::timestamptz)$$, 'an upsert is the user''s');
UPDATE im_meter_daily SET quantity = NULL WHERE app_id = 2 AND day = '2024-09-05' AND meter = 'sms';
SELECT ok('sms 2024-09-05 - 40 - - - -' IN (SELECT september()), 'left open, the figure is the metered one');
UPDATE im_meter_daily SET meter = 'seats', quantity = 2 WHERE app_id = 2 AND day = '2024-09-05' AND meter = 'sms';
SELECT results_eq($$SELECT d FROM september() d WHERE d ~ '^(seats|sms)'$$, ARRAY['seats 2024-09-05 2 40 - - - -', 'sms 2024-09-05 - 40 - - - -'],
	'a row that goes elsewhere takes the place of the metered one there');
DO 'BEGIN PERFORM im_meter(); END';

-- kept, and its events dropped
CREATE TEMP TABLE before AS SELECT * FROM all_days() d;
SELECT cmp_ok(im_keep_metered('2024-01-01', '2024-12-31'), '>', 300::bigint, 'what was metered is kept');
DELETE FROM im_event WHERE im_day(at, 'Europe/Berlin') BETWEEN '2024-01-01' AND '2024-12-31';
SELECT bag_eq($$SELECT d FROM all_days() d WHERE d ~ ' gb '$$, $$SELECT d FROM before WHERE d ~ ' gb ' AND d !~ ' 9 - - - '$$, 'averages as they were');
SELECT is_empty($$SELECT * FROM im_event WHERE app_id IN (1, 2) AND at > '2024-01-01' AND at < '2024-12-31'$$, 'with their events gone');

-- On a bill ---------------------------------------------------------------------

CALL card('priced', '2024-01-01', '{"currency": "EUR", "scale": 2, "time_zone": "Europe/Berlin", "grace_days": 7,
	"plans": {"free": {"rank": 0, "price": "0"}, "start": {"rank": 1, "price": "0", "usage": {"sms": {"included": 10, "price": "0.5"}, "gb": {"price": "2"},
		"seats": {"price": "3"}, "push": {"price": "1"}}}},
	"meters": {"sms": {"day": "sum", "month": "sum"}, "gb": {"day": "average", "month": "average"}, "seats": {"day": "last", "month": "last"},
		"push": {"day": "unique", "month": "unique"}}}');
CALL app(7, 'priced');
CALL buy(7, 1, '2024-01-01 12:00', 'plan', 'start', 36);
CALL settle();
INSERT INTO im_event (app_id, meter, at, quantity, subject) VALUES (7, 'seats', '2025-01-10 12:00+01', 4, NULL), (7, 'gb', '2025-01-10 12:00+01', 8, NULL),
	(7, 'sms', '2025-04-01 00:00+02', 12.5, NULL), (7, 'sms', '2025-04-30 23:59+02', 1, NULL), (7, 'gb', '2025-04-16 00:00+02', 4, NULL),
	(7, 'push', '2025-04-16 00:00+02', 1, 'a'), (7, 'push', '2025-04-17 00:00+02', 1, 'a'), (7, 'push', '2025-04-17 00:00+02', 1, 'b');
SELECT is(ARRAY(SELECT concat_ws(' ', l.item, n(l.quantity), n(l.included), n(l.amount)) FROM im_monthly_bill(7, '2025-04') l ORDER BY l.line),
	'{gb 6 0 12,push 2 0 2,seats 4 0 12,sms 13.5 10 1.75}'::text[], 'events make a bill, and what stands since January');
CREATE TEMP TABLE bill_before AS SELECT l.* FROM generate_series(0, 5) m, im_monthly_bill(7, '2025-01'::im_month + m) l;
DO 'BEGIN PERFORM im_meter(); END';
SELECT bag_eq($$SELECT l.* FROM generate_series(0, 5) m, im_monthly_bill(7, '2025-01'::im_month + m) l$$, 'TABLE bill_before', 'metered, the same');
INSERT INTO im_event (app_id, meter, at, quantity) VALUES (7, 'seats', '2025-01-10 12:30+01', 5);
SELECT is(array_agg(n(l.amount) ORDER BY m), '{15,15,15,15,15}'::text[], 'a late event is on each bill behind it')
FROM generate_series(0, 4) m, im_monthly_bill(7, '2025-01'::im_month + m) l WHERE l.item = 'seats';
INSERT INTO im_meter_daily (app_id, day, meter, quantity, users) VALUES (7, '2025-04-16', 'push', NULL, '{c,d,e}'), (7, '2025-04-30', 'seats', 1, NULL);
SELECT is(ARRAY(SELECT concat_ws(' ', l.item, n(l.quantity)) FROM im_monthly_bill(7, '2025-04') l ORDER BY l.line),
	'{gb 6,push 5,seats 1,sms 13.5}'::text[], 'given subjects and figures take the place of the events');
UPDATE im_meter_daily SET users = NULL, quantity = 3 WHERE app_id = 7 AND meter = 'push';
SELECT fails_with($$SELECT im_monthly_bill(7, '2025-04')$$, '2\d+', 'subjects of meter "push" of app 7 on 2025-04-16', 'but not a number where the month counts who they were');
DELETE FROM im_meter_daily WHERE app_id = 7;
INSERT INTO im_meter_daily (app_id, day, meter, quantity) VALUES (7, '2025-04-16', 'sms', 'NaN');
SELECT fails_with($$SELECT im_monthly_bill(7, '2025-04')$$, '22023', 'quantity NaN is not finite.*Table im_meter_daily, app 7, meter "sms", day 2025-04-16', 'nor what is no figure');
DELETE FROM im_meter_daily WHERE app_id = 7;

-- What cannot be ----------------------------------------------------------------

CALL app(5, 'berlin');
CALL app(6, 'berlin');
CALL settle();
CREATE TEMP TABLE wrong (meter text, quantity numeric, subject text, says text, told text);
INSERT INTO wrong VALUES
	('sms', 'NaN', NULL, 'quantity NaN is not finite', 'is not finite'),
	('sms', 'Infinity', NULL, 'quantity Infinity is not finite', 'is not finite'),
	('gb', '-Infinity', NULL, 'quantity -Infinity is not finite', 'is not finite'),
	('sms', -1, NULL, 'quantity -1 is negative', 'is negative'),
	('peak', -0.00000001, NULL, 'quantity -0.00000001 is negative', 'is negative'),
	('seats', -3, NULL, 'quantity -3 is negative', 'is negative'),
	('gb', -3, NULL, 'quantity -3 is negative', 'is negative'),
	('sms', 0.000000001, NULL, 'quantity 0.000000001 has more than 8 decimal places', 'more than 8 decimal places'),
	('seats', 1e31, NULL, 'quantity 1\d+ is too large', 'is too large'),
	('push', 1, NULL, 'subject missing for meter "push"', 'has no subject of "push"'),
	('devices', 1, NULL, 'subject missing for meter "devices"', 'has no subject of "devices"');
SELECT fails_with(format($q$INSERT INTO im_event VALUES (5, %L, '2025-02-03 12:00+01', %L, %L); SELECT days_of(5, '2025-02-01', '2025-03-01')$q$, meter, quantity, subject),
	'22023', says || '.*Table im_event, app 5, meter "' || meter || '", at 2025-02-03 11:00:00', format('%s of %s', quantity, meter)) FROM wrong;
INSERT INTO im_event (app_id, meter, at, quantity, subject) SELECT 5, meter, '2025-02-03 12:00+01', quantity, subject FROM wrong;
SELECT is((SELECT count(*) FROM im_check('2025-02') c WHERE c.app_id = 5), (SELECT count(DISTINCT (meter, told)) FROM wrong), 'each is told, a row an app, meter and fault');
SELECT is_empty($$SELECT told FROM wrong w WHERE NOT EXISTS (SELECT FROM im_check('2025-02') c WHERE c.app_id = 5 AND c.problem ~ w.told)$$, 'by its name');
SELECT is((SELECT string_agg(substring(c.problem FROM 'of "(\w+)"'), ' ' ORDER BY c.problem COLLATE "C") FROM im_check('2025-06') c WHERE c.app_id = 5), 'gb gb seats seats',
	'what would stand months later is told there');
CALL event(6, 'sms', '2025-02-03 12:00', 2);
DO 'BEGIN PERFORM im_meter(); END';
SELECT results_eq($$SELECT days_of(6, '2025-02-01', '2025-03-01')$$, ARRAY['sms 2025-02-03 - 2 - - - -'], 'other apps are metered');
SELECT fails_with($$SELECT days_of(5, '2025-02-01', '2025-03-01')$$, '22023', '', 'this one is not');
UPDATE im_event SET quantity = 1, subject = 's' WHERE app_id = 5;
DO 'BEGIN PERFORM im_meter(); END';
SELECT is((SELECT count(*) FROM days_of(5, '2025-02-01', '2025-03-01')), 6::bigint, 'until it is corrected');
INSERT INTO im_event (app_id, meter, at) VALUES (5, 'sms', '-infinity'), (5, 'sms', 'infinity'), (5, 'seats', '-infinity');
SELECT is((SELECT count(*) FROM days_of(5, '2025-02-01', '2025-03-01')), 6::bigint, 'an event without an instant is on no day');

-- daily figures
INSERT INTO im_meter_daily (app_id, day, meter, quantity) VALUES (6, '2025-02-04', 'sms', -1), (6, '2025-02-05', 'sms', 'NaN'), (6, '2025-02-06', 'sms', 0.123456789),
	(6, '2025-02-06', 'push', 4), (6, '2025-02-07', 'push', 0), (6, '2025-02-07', 'what', 4);
INSERT INTO im_meter_daily (app_id, day, meter, quantity, users) VALUES (6, '2025-02-08', 'devices', 4, '{a}');
SELECT results_eq($$SELECT problem FROM im_check('2025-02') WHERE app_id = 6$$, ARRAY[
	'im_meter_daily has a quantity of "sms" that has more than 8 decimal places, such as 0.123456789: 2025-02-06',
	'im_meter_daily has a quantity of "sms" that is negative, such as -1: 2025-02-04',
	'im_meter_daily has a quantity of "sms" that is not finite, such as NaN: 2025-02-05',
	'im_meter_daily has another quantity than users of "devices", such as 4 beside 1 users: 2025-02-08',
	'im_meter_daily has no users of "push", which the rate card counts by the month: 2025-02-06',
	'im_meter_daily has the meter "what", which the rate card lacks: 2025-02-07'], 'figures that cannot be are told');

-- What nobody pays ---------------------------------------------------------------

INSERT INTO im_event (app_id, meter, at) SELECT a, m, '2025-03-03 12:00+08' FROM unnest('{4,6,99}'::bigint[]) a, unnest('{"",nope,nope}'::text[]) m;
INSERT INTO im_meter_daily (app_id, day, meter, quantity) VALUES (99, '2025-03-04', 'sms', 12);
SELECT results_eq($$SELECT app_id, day::text, kind, quantity::int, reason FROM im_unbilled_usage('2025-03') WHERE kind IN ('', 'nope') OR app_id = 99 ORDER BY 1, 2, 3$$,
	$$VALUES (4::bigint, '2025-03-03', '', 1, 'not priced by the card'), (4, '2025-03-03', 'nope', 2, 'not priced by the card'),
		(6, '2025-03-03', '', 1, 'not priced by the card'), (6, '2025-03-03', 'nope', 2, 'not priced by the card'),
		(99, '2025-03-03', '', 1, 'no such app'), (99, '2025-03-03', 'nope', 2, 'no such app'), (99, '2025-03-04', 'sms', 12, 'no such app')$$,
	'events of meters that a card lacks, and of no such app');
SELECT results_eq($$SELECT app_id, problem FROM im_check('2025-03') ORDER BY app_id, problem COLLATE "C"$$, $$VALUES
	(4::bigint, 'im_event has the meter "", which the rate card lacks: 1 row at 2025-03-03 12:00:00 (Asia/Shanghai)'),
	(4, 'im_event has the meter "nope", which the rate card lacks: 2 rows, the first at 2025-03-03 12:00:00, the last at 2025-03-03 12:00:00 (Asia/Shanghai)'),
	(6, 'im_event has the meter "", which the rate card lacks: 1 row at 2025-03-03 05:00:00 (Europe/Berlin)'),
	(6, 'im_event has the meter "nope", which the rate card lacks: 2 rows, the first at 2025-03-03 05:00:00, the last at 2025-03-03 05:00:00 (Europe/Berlin)'),
	(99, 'there is usage of this app, but im_app has no row of it')$$, 'are told');
SELECT lives_ok($$SELECT im_monthly_bill(4, '2025-03')$$, 'and make no bill fail');

-- Partitions ------------------------------------------------------------------------

SELECT is(im_partition('im_event', '2025-01-01', '2025-07-01', '1 month', 'Europe/Berlin'), 6, 'events are partitioned');
SELECT is((SELECT count(DISTINCT c.relreplident) FROM pg_class c WHERE c.relname ~ '^im_event(_p|_d|$)' AND c.relkind IN ('r', 'p')), 1::bigint, 'and replicated by all columns');
DO 'BEGIN PERFORM im_meter(); END';
INSERT INTO im_event_p2025_05 VALUES (6, 'sms', '2025-05-10 12:00+02', 3, NULL);
SELECT ok('sms 2025-05-10 - 3 - - - -' IN (SELECT days_of(6, '2025-05-01', '2025-06-01')), 'what goes to a partition is seen');
DO 'BEGIN PERFORM im_meter(); END';
TRUNCATE im_event_p2025_05;
SELECT is_empty($$SELECT d FROM days_of(6, '2025-05-01', '2025-06-01') d WHERE d ~ '2025-05'$$, 'and what goes from it');

SELECT * FROM finish();
ROLLBACK;
