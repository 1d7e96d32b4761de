-- im_forecast(app_id [, at]): what the running month will come to.
BEGIN;
\ir include/setup.sql

CREATE FUNCTION forecast(app bigint, at text) RETURNS text LANGUAGE sql
BEGIN ATOMIC
	SELECT concat_ws(' ', to_char(f.month, 'YYYY-MM'), f.currency, n(f.so_far), n(f.low), n(f.expected), n(f.high))
	FROM im_forecast(app, at8(at)) f;
END;
CREATE FUNCTION method(app bigint, at text) RETURNS text LANGUAGE sql
BEGIN ATOMIC
	SELECT f.method FROM im_forecast(app, at8(at)) f;
END;
-- The same figures on each day of a span.
CREATE PROCEDURE every_day(app_id bigint, first date, last date, dau bigint DEFAULT NULL, peak_groups bigint DEFAULT NULL,
	texts bigint DEFAULT NULL, hd bigint DEFAULT NULL) LANGUAGE sql AS $$
	INSERT INTO im_usage_daily (app_id, day, dau, peak_groups, text_checks, hd_minutes)
	SELECT app_id, d, dau, peak_groups, texts, hd FROM generate_series(first::timestamp, last, '1 day') d;
$$;

-- A steady app: what is to come is known to the cent
CALL app(1);
CALL buy(1, 1, '2022-06-01', 'plan', 'pro', 24);
CALL turn(1, 2, '2022-06-01', 'on', 'moderation');
CALL turn(1, 3, '2022-06-01', 'on', 'history_storage', '90d');
CALL every_day(1, '2022-09-01', '2023-03-12', dau => 12000, texts => 1000);
SELECT is(forecast(1, '2023-03-12 23:00'), '2023-03 CNY 2012 2031 2031 2031', 'a steady app');
SELECT is(method(1, '2023-03-12 23:00'), 'Orders as they stand; days to come, today included: 20.'
	' A day: the mean of its weekday in the 28 days before, times the 5th percentile, median and 95th percentile of how such forecasts did (tries):'
	' dau 1.000, 1.000, 1.000 (135); text 1.000, 1.000, 1.000 (135).', 'the method says its factors');
SELECT is((SELECT so_far FROM im_forecast(1, at8('2023-03-12 23:00'))),
	(SELECT sum(amount) FROM im_running_bill(1, at8('2023-03-12 23:00'))), 'so far is the running bill');
SELECT is(forecast(1, '2023-03-01'), '2023-03 CNY 2001 2031 2031 2031', 'on the first day of a month');
CALL every_day(1, '2023-03-13', '2023-03-31', dau => 50000, texts => 9000);
SELECT is(forecast(1, '2023-03-12 23:00'), '2023-03 CNY 2012 2031 2031 2031', 'what comes later is not known');
SELECT is(forecast(1, '2023-03-31'), '2023-03 CNY 5183 5183 5183 8189', 'on the last day today may still rise as it did');

-- No usage, no orders; first day of usage; trial
CALL app(2);
SELECT is(forecast(2, '2023-03-12'), '2023-03 CNY 0 0 0 0', 'an app without anything');
SELECT is(method(2, '2023-03-12'), 'Orders as they stand; days to come, today included: 20. Nothing was used in the 28 days before.',
	'which is said');
CALL turn(2, 1, '2023-03-12', 'on', 'moderation');
CALL daily(2, '2023-03-12', texts => 1000);
SELECT is(forecast(2, '2023-03-12 23:00'), '2023-03 CNY 1 1 20 20', 'the first day of a new app');
SELECT ok(method(2, '2023-03-12 23:00') ~ 'Too young for that, so nothing, the mean and the highest day: text\.$', 'is too young for more');

-- Known and yet to come: prepaid lines, orders after the instant, suspensions
CALL app(3);
CALL buy(3, 1, '2023-03-05 10:00', 'plan', 'pro', 3);
CALL buy(3, 2, '2023-03-20 10:00', 'call', 'basic', 1);
SELECT is(forecast(3, '2023-03-12'), '2023-03 CNY 2997 2997 2997 2997', 'orders to come are not foreseen');
SELECT is(forecast(3, '2023-03-20 10:00'), '2023-03 CNY 3497 3497 3497 3497', 'placed orders are known');
CALL app(4);
CALL turn(4, 1, '2022-06-01', 'on', 'moderation');
CALL every_day(4, '2022-09-01', '2023-03-12', texts => 1000);
CALL suspend(4, '[2023-03-10,)');
SELECT is(forecast(4, '2023-03-12'), '2023-03 CNY 9 9 9 9', 'a suspended app uses nothing that is billed');
SELECT is(forecast(4, '2023-03-09'), '2023-03 CNY 9 31 31 31', 'before it is suspended that is not known');
CALL app(5);
CALL buy(5, 1, '2023-02-01', 'plan', 'pro', 1);
CALL every_day(5, '2022-09-01', '2023-03-12', dau => 12000);
SELECT is(forecast(5, '2023-03-12'), '2023-03 CNY 225.81 225.81 225.81 225.81', 'a stopped app keeps its share of the overage');

-- Packs: gone in the middle of what is to come
CALL app(6);
CALL pack(6, 1, '2023-03-01', 'month');
CALL turn(6, 2, '2022-06-01', 'on', 'moderation');
CALL every_day(6, '2022-09-01', '2023-03-12', texts => 50000);
SELECT is(forecast(6, '2023-03-12 23:00'), '2023-03 CNY 1050 1500 1500 1500', 'packs are taken from in what is to come');
CALL app(7);
CALL buy(7, 1, '2022-06-01', 'plan', 'pro', 24);
CALL buy(7, 2, '2022-06-01', 'call', 'basic', 24);
CALL every_day(7, '2022-09-01', '2023-03-12', hd => 1000, peak_groups => 100001);
SELECT is(forecast(7, '2023-03-12 23:00'), '2023-03 CNY 1000 1098 1098 1098', 'so are call minutes; groups have a peak');

-- Users of the month
CALL card('users', '2020-01-01', '{"currency": "USD", "scale": 2, "time_zone": "America/New_York", "grace_days": 7,
	"plans": {"free": {"rank": 0, "price": 0}, "paid": {"rank": 1, "price": 10, "mau": {"included": 5, "block": 1, "price": "0.5"}}}}');
CALL app(8, 'users');
CALL buy(8, 1, '2022-06-01', 'plan', 'paid', 24);
INSERT INTO im_login (app_id, user_id, at)
SELECT 8, 'user ' || extract(day FROM d)::int, d + interval '12 hours'
FROM generate_series(timestamptz '2022-09-01 00:00-05', '2023-03-10 00:00-05', '1 day') d;
SELECT is(forecast(8, '2023-03-11 02:00'), '2023-03 USD 2.5 10 13 14.5', 'a user a day makes as many as the months before');
SELECT ok(method(8, '2023-03-11 02:00') ~ 'Users of the month: those so far times 2\.500, 3\.100, 3\.400, .* \(3\)\.$',
	'which the method says');
INSERT INTO im_usage_daily (app_id, day, dau) VALUES (8, '2023-01-15', 7);
SELECT is((SELECT expected FROM im_forecast(8, at8('2023-03-11 02:00'))), 12.50, 'a day of earlier months whose users nobody knows is no error');
INSERT INTO im_usage_daily (app_id, day, dau) VALUES (8, '2023-03-09', 7);
SELECT fails_with($$SELECT * FROM im_forecast(8, at8('2023-03-11 02:00'))$$, '22023', 'users of app 8', 'in the running month it is');

-- Subjects of a meter that counts them by the month: as users, whoever prices them
CALL card('devices', '2020-01-01', '{"currency": "USD", "scale": 2, "time_zone": "America/New_York", "grace_days": 7,
	"meters": {"devices": {"day": "unique", "month": "unique"}, "gb": {"day": "last", "month": "last"}},
	"plans": {"free": {"rank": 0, "price": 0}, "paid": {"rank": 1, "price": 10, "usage": {"devices": {"included": 5, "price": "0.5"}}},
		"bare": {"rank": 2, "price": 20, "usage": {"gb": {"price": 1, "included": {"share": 1, "of": "mau"}}}}}}');
CALL card('tracked', '2020-01-01', '{"currency": "USD", "scale": 2, "time_zone": "America/New_York", "grace_days": 7,
	"meters": {"devices": {"day": "unique", "month": "unique"}}, "plans": {"free": {"rank": 0, "price": 0}, "paid": {"rank": 1, "price": 10}},
	"addons": {"track": {"charge": "prepaid", "prices": {"paid": {"": 10}}, "usage": {"devices": {"price": "0.5"}}}}}');
INSERT INTO im_app (app_id, name, rate_card, opened_at)
SELECT a, 'app ' || a, CASE WHEN a IN (22, 23) THEN 'tracked' ELSE 'devices' END, at8('2020-01-01') FROM generate_series(20, 24) a;
INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
SELECT a, 1, at8('2022-06-01 12:00'), 'buy', 'plan', CASE a WHEN 24 THEN 'bare' ELSE 'paid' END, 24 FROM generate_series(20, 24) a;
CALL buy(22, 2, '2023-02-10 10:00', 'track', '', 12);
CALL buy(23, 2, '2023-02-10 10:00', 'track', '', 1);
INSERT INTO im_event (app_id, meter, at, quantity, subject)
SELECT a, 'devices', d + interval '12 hours', 1, 'device ' || extract(day FROM d)::int
FROM unnest('{20,21,22,23}'::bigint[]) a, generate_series(timestamptz '2022-09-01 00:00-05', '2023-03-10 00:00-05', '1 day') d
WHERE a <> 21 OR d >= '2023-03-01 00:00-05';
SELECT is(forecast(20, '2023-03-11 02:00'), '2023-03 USD 2.5 10 13 14.5', 'subjects do not become as many as in the months before');
SELECT is(method(20, '2023-03-11 02:00'), 'Orders as they stand; days to come, today included: 22. Distinct subjects of devices in the month:'
	' those so far times 2.500, 3.100, 3.400, as months before grew from here on (3).', 'and only that is said of them');
SELECT is(forecast(21, '2023-03-11 02:00'), '2023-03 USD 2.5 2.5 7.5 13', 'subjects of a first month are not between nobody new and as many a day');
SELECT ok(method(21, '2023-03-11 02:00') ~ 'those so far times 1\.000, 2\.050, 3\.100; no month before is known\.$', 'which is not said');
SELECT is(forecast(22, '2023-03-11 02:00'), '2023-03 USD 5 12.5 15.5 17', 'subjects that an add-on prices');
SELECT is(forecast(23, '2023-03-11 02:00'), '2023-03 USD 4 4 4 4', 'subjects grow on days on which nobody prices them');
-- what is included grows with the users that it is a share of, so more of them is less to pay
INSERT INTO im_login (app_id, user_id, at)
SELECT 24, 'user ' || extract(day FROM d)::int, d + interval '12 hours'
FROM generate_series(timestamptz '2022-09-01 00:00-05', '2023-03-10 00:00-05', '1 day') d;
INSERT INTO im_event (app_id, meter, at, quantity) VALUES (24, 'gb', '2023-02-05 12:00-05', 40);
SELECT is(forecast(24, '2023-03-11 02:00'), '2023-03 USD 30 6 9 15', 'users that a share is of do not grow');
CREATE TEMP TABLE foreseen AS SELECT a, f.* FROM generate_series(20, 24) a, im_forecast(a, at8('2023-03-11 02:00')) f;
SELECT cmp_ok(im_meter(), '>', 0::bigint, 'metered');
SELECT set_eq($$SELECT a, f.* FROM generate_series(20, 24) a, im_forecast(a, at8('2023-03-11 02:00')) f$$, 'TABLE foreseen', 'metering changes a forecast');
INSERT INTO im_meter_daily (app_id, day, meter, quantity) VALUES (20, '2023-01-15', 'devices', 7);
SELECT is((SELECT expected FROM im_forecast(20, at8('2023-03-11 02:00'))), 12.50, 'a day of earlier months whose subjects nobody knows is an error');
INSERT INTO im_meter_daily (app_id, day, meter, quantity) VALUES (20, '2023-03-09', 'devices', 7);
SELECT fails_with($$SELECT * FROM im_forecast(20, at8('2023-03-11 02:00'))$$, '22023', 'subjects of meter "devices" of app 20', 'in the running month it is none');

-- now
SELECT is((SELECT month FROM im_forecast(2)), im_month(now(), 'Asia/Shanghai')::date, 'without an instant it is now');

-- Mistakes
SELECT fails_with($$SELECT * FROM im_forecast(99)$$, 'P0002', 'no app 99', 'an unknown app');
SELECT fails_with($$SELECT * FROM im_forecast(1, 'infinity')$$, '22008', 'infinite', 'no instant');
SELECT fails_with($$SELECT * FROM im_forecast(1, '2019-11-30')$$, 'P0002', 'no version', 'before the card');
SELECT is_empty($$SELECT * FROM im_forecast(1, NULL)$$, 'null is no instant');
-- the edges of time
CALL card('ever', '0001-01-01', cn());
CALL app(9, 'ever');
SELECT is((SELECT month::text FROM im_forecast(9, '0001-01-05 00:00+00')), '0001-01-01', 'the first month there is');
SELECT is((SELECT month::text FROM im_forecast(9, '9999-12-31 00:00+00')), '9999-12-01', 'the last month there is');
SELECT is((SELECT count(*) FROM im_running_bill(9, '9999-12-31 00:00+00')), 0::bigint, 'which has a bill');
SELECT * FROM finish();
ROLLBACK;
