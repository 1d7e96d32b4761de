-- im_running_bill(app_id [, at]): the bill of the month so far.
BEGIN;
\ir include/setup.sql

CREATE FUNCTION running(app bigint, at text) RETURNS text LANGUAGE sql
BEGIN ATOMIC
	SELECT coalesce(string_agg(concat_ws(' ', l.item || ':' || l.option, n(l.quantity), n(l.amount)), ', '
			ORDER BY l.line), '')
	FROM im_running_bill(app, at8(at)) l;
END;

CALL app(1);
CALL buy(1, 1, '2023-03-01 10:00', 'plan', 'pro');
CALL buy(1, 2, '2023-03-10 10:00', 'call', 'basic');
CALL turn(1, 3, '2023-03-01 10:00', 'on', 'moderation');
CALL suspend(1, '[2023-03-28,2023-04-15)');
CALL daily(1, '2023-03-05', dau => 12000, texts => 1000);
CALL daily(1, '2023-03-10', dau => 9000, texts => 2000);
CALL daily(1, '2023-03-11', dau => 25000, texts => 4000);
CALL login(1, 'late', '2023-03-12 23:00');
SELECT is(running(1, '2023-02-28 23:59:59'), '', 'nothing in the month before');
SELECT is(running(1, '2023-03-01 09:59:59'), '', 'an order to come is not there');
SELECT is(running(1, '2023-03-01 10:00'), 'plan:pro 1 999', 'an order of this instant is');
SELECT is(running(1, '2023-03-10 09:00'), 'plan:pro 1 999, dau_overage:pro 12000 1000, moderation: 3000 3',
	'usage through the day, orders until the instant');
SELECT is(running(1, '2023-03-10 10:00'),
	'plan:pro 1 999, dau_overage:pro 12000 1000, call:basic 1 500, moderation: 3000 3', 'usage and orders so far');
SELECT is(running(1, '2023-03-11 00:00'),
	'plan:pro 1 999, dau_overage:pro 25000 2000, call:basic 1 500, moderation: 7000 7', 'a day later');
SELECT is(running(1, '2023-03-28 00:00'),
	'plan:pro 1 999, dau_overage:pro 25000 1741.93548387, call:basic 1 500, moderation: 7000 7',
	'a suspension that has begun shares the overage');
SELECT results_eq($$SELECT l FROM im_running_bill(1, at8('2023-03-31 23:59:59.999999')) l$$,
	$$SELECT l FROM im_monthly_bill(1, '2023-03') l$$, 'at the end of the month it is the bill');
-- the month is that of the card's zone
SELECT is((SELECT string_agg(DISTINCT month::text, ' ') FROM im_running_bill(1, '2023-02-28 16:00+00') l), NULL,
	'a month without lines');
SELECT is((SELECT string_agg(DISTINCT month::text, ' ') FROM im_running_bill(1, '2023-03-31 15:59+00') l), '2023-03-01',
	'the month is one of the card''s zone');
-- packs of earlier months
CALL app(2);
CALL pack(2, 1, '2023-03-10', 'month');
CALL turn(2, 2, '2023-03-10', 'on', 'moderation');
CALL daily(2, '2023-03-20', texts => 1000000);
CALL daily(2, '2023-04-01', texts => 1);
CALL daily(2, '2023-04-02', texts => 149999);
SELECT is((SELECT string_agg(DISTINCT month::text, ' ') FROM im_running_bill(2, '2023-03-31 16:00+00') l), '2023-04-01',
	'from its first instant on');
SELECT is(running(2, '2023-04-01'), 'moderation: 1 0', 'usage of later days is not there');
SELECT is(running(2, '2023-04-02'), 'moderation: 150000 50', 'what a pack gave before counts');

-- A void, however late, leaves no trace: neither before it nor after it.
CALL app(4);
INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
VALUES (4, 1, '2023-03-05 10:00+08', 'buy', 'plan', 'pro', 12), (4, 2, '2023-03-20 10:00+08', 'buy', 'local_moderation', '', 1);
SELECT is(n((SELECT sum(amount) FROM im_running_bill(4, '2023-03-10 12:00+08'))), n((SELECT sum(amount) FROM im_monthly_bill(4, '2023-03') WHERE item = 'plan')), 'a plan typed by mistake');
INSERT INTO im_order (app_id, order_id, at, action, item, option, refunds) VALUES (4, 3, '2023-03-25 10:00+08', 'void', '', '', 2), (4, 4, '2023-05-05 10:00+08', 'void', '', '', 1);
SELECT is_empty($$SELECT * FROM im_running_bill(4, '2023-03-10 12:00+08')$$, 'voided months later it is on no running bill');
SELECT is_empty($$SELECT * FROM im_running_bill(4, '2023-03-22 12:00+08')$$, 'nor is what was voided later that month');
SELECT is((SELECT so_far FROM im_forecast(4, '2023-03-22 12:00+08')), 0.00, 'nor in a forecast');

-- Without an instant: now.  An app bought today for a month has one line, whatever the day.
CALL app(3);
INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
VALUES (3, 1, now(), 'buy', 'local_moderation', '', 1), (3, 2, now() + interval '1 microsecond', 'buy', 'local_moderation', '', 1);
SELECT is((SELECT string_agg(item || n(quantity), ' ') FROM im_running_bill(3)), 'local_moderation1', 'now is the transaction''s time');

SELECT fails_with($$SELECT * FROM im_running_bill(99)$$, 'P0002', 'no app 99', 'an unknown app');
SELECT fails_with($$SELECT * FROM im_running_bill(1, 'infinity')$$, '22008', 'infinite', 'no instant');
SELECT fails_with($$SELECT * FROM im_running_bill(1, '-infinity')$$, '22008', 'infinite', 'nor this');
SELECT fails_with($$SELECT * FROM im_running_bill(1, '4000-01-01 BC')$$, '22008', '', 'before the year 1');
SELECT fails_with($$SELECT * FROM im_running_bill(1, '12000-01-01')$$, '22008', '', 'after the year 9999');
SELECT fails_with($$SELECT * FROM im_running_bill(1, '2019-11-30')$$, 'P0002', 'no version', 'before the card');
SELECT is_empty($$SELECT * FROM im_running_bill(1, NULL)$$, 'null is no instant');
SELECT is_empty($$SELECT * FROM im_running_bill(NULL)$$, 'nor an app');
SELECT * FROM finish();
ROLLBACK;
