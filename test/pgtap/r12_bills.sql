-- R12 in bills: what events and daily figures of meters by name come to, metered or not.
BEGIN;
\ir include/setup.sql

INSERT INTO im_rate_card_version VALUES ('own', '2023-01-01', '{"currency": "EUR", "scale": 2, "time_zone": "Asia/Shanghai", "grace_days": 7,
	"plans": {"free": {"rank": 0, "price": "0"},
		"start": {"rank": 1, "price": "100", "usage": {
			"sms": {"included": 10, "price": "0.5"}, "seats": {"price": "2"}, "gb": {"price": "3"}, "disk": {"price": "1"}, "push": {"price": "0.1"}}}},
	"meters": {"sms": {"day": "sum", "month": "sum"}, "seats": {"day": "max", "month": "max"}, "gb": {"day": "last", "month": "last"},
		"disk": {"day": "average", "month": "average"}, "push": {"day": "unique", "month": "unique"}, "idle": {"day": "sum", "month": "sum"}},
	"packs": {"sms_20": {"meter": "sms", "holds": "20", "price": "5", "months": 12, "priority": 1}}}');
CALL app(1, 'own'); CALL app(2, 'own'); CALL app(3, 'own');
INSERT INTO im_order (app_id, order_id, at, action, item, option, months) VALUES
	(1, 1, at8('2023-02-10 00:00'), 'buy', 'plan', 'start', 12), (2, 1, at8('2023-03-01 00:00'), 'buy', 'plan', 'start', 1),
	(3, 1, at8('2023-02-10 00:00'), 'buy', 'plan', 'start', 12);
INSERT INTO im_order (app_id, order_id, at, action, item, option) VALUES (3, 2, at8('2023-02-11 00:00'), 'buy', 'pack', 'sms_20');
CALL settle();
INSERT INTO im_event (app_id, meter, at, quantity, subject) VALUES
	(1, 'sms', at8('2023-03-05 10:00'), 7, NULL), (1, 'sms', at8('2023-03-31 23:59:59'), 8.5, NULL), (1, 'sms', at8('2023-04-01 00:00'), 100, NULL),
	(1, 'seats', at8('2023-03-05 10:00'), 3, NULL), (1, 'seats', at8('2023-03-09 10:00'), 4, NULL), (1, 'seats', at8('2023-03-09 11:00'), 2, NULL),
	(1, 'gb', at8('2022-11-01 10:00'), 6, NULL), (1, 'disk', at8('2022-12-01 00:00'), 31, NULL), (1, 'disk', at8('2023-03-16 12:00'), 0, NULL),
	(1, 'push', at8('2023-03-05 10:00'), 1, 'a'), (1, 'push', at8('2023-03-06 10:00'), 1, 'a'), (1, 'push', at8('2023-03-06 11:00'), 1, 'b'),
	(1, 'idle', at8('2023-03-05 10:00'), 9, NULL),
	(2, 'gb', at8('2023-03-05 10:00'), 5, NULL), (2, 'gb', at8('2023-03-09 10:00'), 8, NULL), (2, 'gb', at8('2023-03-09 10:00'), 7, NULL),
	(3, 'sms', at8('2023-02-12 10:00'), 25, NULL), (3, 'sms', at8('2023-03-12 10:00'), 12, NULL);
INSERT INTO im_meter_daily (app_id, day, meter, quantity, users) VALUES
	(2, '2023-03-09', 'sms', 30, NULL), (2, '2023-03-10', 'push', NULL, '{x,y,z}'), (2, '2023-03-20', 'gb', 1, NULL);
CREATE FUNCTION usage_lines(month im_month) RETURNS TABLE (app_id bigint, item text, quantity text, included text, amount text) LANGUAGE sql AS $$
	SELECT b.app_id, b.item, n(b.quantity), n(b.included), n(b.amount) FROM im_monthly_bills($1) b
	WHERE b.item IN ('sms', 'seats', 'gb', 'disk', 'push', 'idle') ORDER BY 1, 2 $$;
CREATE TABLE expected (app_id bigint, item text, quantity text, included text, amount text);
-- disk stood at 31 from before until noon of the 16th: 15.5 of 31 days
INSERT INTO expected VALUES (1, 'disk', '15.5', '0', '15.5'), (1, 'gb', '6', '0', '18'), (1, 'push', '2', '0', '0.2'), (1, 'seats', '4', '0', '8'), (1, 'sms', '15.5', '10', '2.75'),
	(2, 'gb', '1', '0', '3'), (2, 'push', '3', '0', '0.3'), (2, 'sms', '30', '10', '10');
SELECT results_eq($$SELECT * FROM usage_lines('2023-03') WHERE app_id < 3$$, 'TABLE expected', 'from events');
-- the pack of 20 went on the 25 of February
SELECT results_eq($$SELECT app_id, item, quantity, amount FROM usage_lines('2023-03') WHERE app_id = 3$$,
	$$VALUES (3::bigint, 'sms', '12', '1')$$, 'a pack of a meter in use before the month');
CREATE TABLE raw AS SELECT * FROM im_monthly_bills('2023-03');
CREATE TABLE raw_february AS SELECT * FROM im_monthly_bills('2023-02');
SELECT set_eq($$SELECT b.* FROM im_app a, im_monthly_bill(a.app_id, '2023-03') b$$, 'TABLE raw', 'app by app as all at once');
SELECT cmp_ok(im_meter(), '>', 0::bigint, 'metered');
SELECT set_eq($$SELECT * FROM im_monthly_bills('2023-03')$$, 'TABLE raw', 'the same bills');
SELECT set_eq($$SELECT * FROM im_monthly_bills('2023-02')$$, 'TABLE raw_february', 'and of the month before');
SELECT set_eq($$SELECT b.* FROM im_app a, im_monthly_bill(a.app_id, '2023-03') b$$, 'TABLE raw', 'app by app as well');
-- a late row costs one day, and what stands follows it
INSERT INTO im_event (app_id, meter, at, quantity) VALUES (1, 'gb', at8('2022-12-24 10:00'), 9), (1, 'sms', at8('2023-03-06 10:00'), 2);
SELECT results_eq($$SELECT item, quantity FROM usage_lines('2023-03') WHERE app_id = 1 AND item IN ('gb', 'sms')$$,
	$$VALUES ('gb', '9'), ('sms', '17.5')$$, 'late rows, not metered yet');
CREATE TABLE late AS SELECT * FROM im_monthly_bills('2023-03');
SELECT cmp_ok(im_meter(), '>', 0::bigint, 'metered again');
SELECT set_eq($$SELECT * FROM im_monthly_bills('2023-03')$$, 'TABLE late', 'the same bills');
SELECT is((SELECT sum(total) FROM im_monthly_totals('2023-03')), (SELECT sum(round(a, 2)) FROM (SELECT sum(amount) FROM late GROUP BY app_id) x(a)), 'totals know them');
SELECT results_eq($$SELECT kind, n(quantity), reason FROM im_unbilled_usage('2023-03') WHERE app_id = 1 AND kind = 'idle'$$,
	$$VALUES ('idle', '9', 'not priced by the card')$$, 'a meter that the plan does not price');
SELECT ok(EXISTS (SELECT FROM im_explain(1, '2023-03', l.line)), format('%s is explained', l.item)) FROM late l WHERE l.app_id = 1 AND l.item <> 'plan';
-- users of a month that are known by number only
INSERT INTO im_meter_daily (app_id, day, meter, quantity) VALUES (1, '2023-03-20', 'push', 3);
SELECT fails_with($$SELECT * FROM im_monthly_bill(1, '2023-03')$$, '22023', 'subjects of meter "push" of app 1 on 2023-03-20', 'refused');

-- What stands on the earlier days of a pack may have been set before them, and be
-- replaced before the month: a bill that fails for it must be told of.
INSERT INTO im_rate_card_version VALUES ('stored', '2023-01-01', '{"currency": "EUR", "scale": 2, "time_zone": "Asia/Shanghai", "grace_days": 7,
	"plans": {"free": {"rank": 0, "price": "0"}, "start": {"rank": 1, "price": "100", "usage": {"gb": {"price": "1"}}}},
	"meters": {"gb": {"day": "last", "month": "sum"}}, "packs": {"gb_20": {"meter": "gb", "holds": "20", "price": "5", "months": 12}}}');
CALL app(4, 'stored'); CALL app(5, 'stored');
INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
	SELECT n, 1, at8('2023-02-10 00:00'), 'buy', 'plan', 'start', 12 FROM generate_series(4, 5) n;
INSERT INTO im_order (app_id, order_id, at, action, item, option) VALUES (4, 2, at8('2023-02-11 00:00'), 'buy', 'pack', 'gb_20');
CALL settle();
INSERT INTO im_event (app_id, meter, at, quantity)
	SELECT n, 'gb', at8(x.at), x.quantity FROM generate_series(4, 5) n, (VALUES ('2023-01-05 10:00', -1), ('2023-02-20 10:00', 3)) x(at, quantity);
SELECT fails_with($$SELECT * FROM im_monthly_bill(4, '2023-03')$$, '22023', 'gb', 'a quantity that stands when a pack begins is needed');
SELECT results_eq($$SELECT problem FROM im_check('2023-03') WHERE app_id IN (4, 5)$$,
	$$VALUES ('im_event has a quantity of "gb" that is negative, such as -1: 1 row at 2023-01-05 10:00:00 (Asia/Shanghai)')$$, 'and told, of the app with the pack alone');
SELECT is((SELECT n(amount) FROM im_monthly_bill(5, '2023-03') WHERE item = 'gb'), '93', 'whose month needs it not');

SELECT * FROM finish();
ROLLBACK;
