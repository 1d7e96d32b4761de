-- im_standing() and im_alerts(): who is near a limit. Both sides of each
-- threshold; if one were off, somebody would be told a day or a user too late.
BEGIN;
\ir include/setup.sql

-- kind item option used/allowed day of an app at an instant
CREATE FUNCTION standing(app bigint, month text, at text) RETURNS text LANGUAGE sql
BEGIN ATOMIC
	SELECT coalesce(string_agg(concat_ws(' ', s.kind, s.item, nullif(s.option, ''), n(s.used) || '/' || n(s.allowed), s.day, s.problem),
		E'\n' ORDER BY array_position('{arrears,dau,mau,groups,call_minutes,moderation_pack,term,grace}', s.kind), s.item), '')
	FROM im_standing(standing.month::im_month, at8(standing.at)) s WHERE s.app_id = standing.app;
END;
CREATE FUNCTION alerts(app bigint, month text, share numeric DEFAULT 0.8, days int DEFAULT 7) RETURNS text LANGUAGE sql
BEGIN ATOMIC
	SELECT coalesce(string_agg(a.kind, ' ' ORDER BY a.kind), '') FROM im_alerts(month::im_month, share, days) a WHERE a.app_id = alerts.app;
END;

-- Quotas: the peak so far against what the plan includes
CALL app(1);
CALL buy(1, 1, '2023-02-01', 'plan', 'pro', 12);
CALL daily(1, '2023-03-05', 7999, 80000);
CALL daily(1, '2023-03-10', 8000, 79999);
CALL daily(1, '2023-03-20', 25000, 1);
CALL settle();
SELECT is(standing(1, '2023-03', '2023-03-31 23:59'),
	E'dau dau_overage pro 25000/10000 2023-03-20\ngroups group_overage pro 80000/100000 2023-03-05\nterm plan pro 59/365 2024-01-31', 'peaks with their days, and the term');
SELECT is(alerts(1, '2023-03'), 'dau groups', '80000 groups are four fifths: reached is past');
SELECT is(alerts(1, '2023-03', 0.80001), 'dau', 'a little more is not');
SELECT is(alerts(1, '2023-03', 2.5), 'dau', '25000 is two and a half times the quota');
SELECT is(alerts(1, '2023-03', 2.50001), '', 'and no more');
SELECT is(alerts(1, '2023-03', 0, 0), 'dau groups', 'share 0 lists all that is used at all');
SELECT is((SELECT concat_ws(' ', a.item, n(a.used), n(a.allowed), a.ratio, a.day, a.message) FROM im_alerts('2023-03') a WHERE a.app_id = 1 AND a.kind = 'dau'),
	'dau_overage 25000 10000 2.5000 2023-03-20 Peak DAU 25000 on 2023-03-20: the limit of plan pro is 10000 (250.0 %).', 'all columns of an alert');

-- What was used after the instant's day is not known on it.
SELECT is(standing(1, '2023-03', '2023-03-09 23:59'),
	E'dau dau_overage pro 7999/10000 2023-03-05\ngroups group_overage pro 80000/100000 2023-03-05\nterm plan pro 37/365 2024-01-31', 'as of the day before the next peak');
SELECT is(standing(1, '2023-03', '2023-03-10 00:00'),
	E'dau dau_overage pro 8000/10000 2023-03-10\ngroups group_overage pro 80000/100000 2023-03-05\nterm plan pro 38/365 2024-01-31', 'and as of its day');
SELECT is(standing(1, '2023-03', '2023-03-04 12:00'), 'term plan pro 32/365 2024-01-31', 'before there was any use');

-- The free plan carries 100 of each
CALL app(2);
CALL daily(2, '2023-03-05', 79, 80);
CALL daily(2, '2023-03-06', 5, 101);
CALL settle();
SELECT is(standing(2, '2023-03', '2023-03-31 12:00'), E'dau dau_overage trial 79/100 2023-03-05\ngroups group_overage trial 101/100 2023-03-06', 'a trial app and its limits');
SELECT is(alerts(2, '2023-03'), 'groups', 'of which one is near');

-- Users of the month
CALL app(3, 'intl');
CALL buy(3, 1, '2023-03-01', 'plan', 'standard', 2);
INSERT INTO im_usage_daily (app_id, day, dau, users)
SELECT 3, date '2023-03-01' + d, 6000, (SELECT im_userset_agg(n) FROM generate_series(d * 2000 + 1, d * 2000 + 6000) n) FROM generate_series(0, 1) d;
CALL settle();
SELECT is(standing(3, '2023-03', '2023-03-15 12:00'), E'mau mau_overage standard 8000/10000 2023-03-15\nterm plan standard 15/61 2023-04-30', 'distinct users by the day');
SELECT is(standing(3, '2023-03', '2023-03-01 12:00'), E'mau mau_overage standard 6000/10000 2023-03-01\nterm plan standard 1/61 2023-04-30', 'of those seen by then');

-- Arrears: before the app is stopped, and no more once it is
CALL app(90);
CALL app(91);
INSERT INTO im_account (account_id, name, opened_on) VALUES (7, 'seven', '2023-01-01');
UPDATE im_app SET account_id = 7 WHERE app_id IN (90, 91);
CALL buy(90, 1, '2023-03-02 12:00', 'plan', 'pro', 12);
CALL settle();
SELECT is(array(SELECT a.app_id || ' ' || a.standing FROM (SELECT app, standing(app, '2023-03', at) FROM unnest('{90,91}'::bigint[]) app, unnest('{2023-03-01 12:00,2023-03-02 00:00,2023-03-08 23:59}'::text[]) at) a(app_id, standing)
	WHERE a.standing ~ 'arrears' ORDER BY 1), ARRAY[E'90 arrears  1/7 2023-03-09\nterm plan pro 1/366 2024-03-01', E'90 arrears  7/7 2023-03-09\nterm plan pro 7/366 2024-03-01',
	'91 arrears  1/7 2023-03-09', '91 arrears  7/7 2023-03-09'], 'all apps of an account in arrears, since the first day of them');
SELECT is((SELECT n(im_suspend_arrears(at8('2023-03-09 12:00')))), '2', 'then they are suspended');
SELECT is(standing(91, '2023-03', '2023-03-09 12:00'), '', 'which is no alert any more');
SELECT is(im_internal.im_alert_message('arrears', '', '', 3, 7, '2023-03-09', '2023-03-04', NULL),
	'Its account is in arrears since 2023-03-02: the app is suspended from 2023-03-09 on unless that is paid.', 'in a sentence');
DELETE FROM im_suspension WHERE app_id IN (90, 91);
UPDATE im_account SET opened_on = current_date WHERE account_id = 7;
CALL buy(90, 2, to_char(now() AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI'), 'local_moderation', '', 1);
CALL settle();
SELECT is((SELECT string_agg(concat_ws(' ', a.app_id, n(a.used), n(a.allowed), a.ratio, a.day - (now() AT TIME ZONE 'Asia/Shanghai')::date), ',' ORDER BY a.app_id)
	FROM im_alerts(NULL) a WHERE a.kind = 'arrears'), '90 1 7 0.1429 7,91 1 7 0.1429 7', 'alerts of now');
SELECT is((SELECT count(*) FROM im_alerts(NULL, 0.8, 6) a WHERE a.kind = 'arrears'), 0::bigint, 'not so many days ahead');

-- Packs of deductions: what is taken of all in force on the day
CALL app(4);
CALL turn(4, 1, '2023-02-20', 'on', 'moderation');
CALL pack(4, 2, '2023-02-20', 'month', 2);
CALL daily(4, '2023-02-21', texts => 500000);
CALL daily(4, '2023-03-02', texts => 1259999);
CALL daily(4, '2023-03-03', texts => 1);
CALL settle();
SELECT is(standing(4, '2023-03', '2023-03-02 12:00'), E'moderation_pack moderation 1759999/2200000 2023-03-02\nterm moderation_pack month 11/28 2023-03-19', 'two packs, used since February');
SELECT is(standing(4, '2023-03', '2023-03-03 12:00'), E'moderation_pack moderation 1760000/2200000 2023-03-03\nterm moderation_pack month 12/28 2023-03-19', 'a day later: four fifths');
SELECT is(standing(4, '2023-03', '2023-03-20 12:00'), '', 'a pack that has ended is no more told of');
SELECT is(alerts(4, '2023-02'), '', 'at the end of February there was enough');

-- Packs of call minutes: of the running month of the term
CALL app(5);
CALL buy(5, 1, '2023-02-15', 'plan', 'pro', 12);
CALL buy(5, 2, '2023-02-15', 'call', 'basic', 2);
CALL daily(5, '2023-02-20', audio => 110000);
CALL daily(5, '2023-03-20', sd => 44000);
CALL settle();
SELECT is(standing(5, '2023-03', '2023-03-14 12:00'), E'call_minutes call_minutes 110000/110000 2023-03-14\nterm call basic 28/59 2023-04-14\nterm plan pro 28/365 2024-02-14',
	'all used on the last day of the first month');
SELECT is(standing(5, '2023-03', '2023-03-15 12:00'), E'call_minutes call_minutes 0/110000 2023-03-15\nterm call basic 29/59 2023-04-14\nterm plan pro 29/365 2024-02-14', 'a new pack on the 15th');
SELECT is(alerts(5, '2023-03'), 'call_minutes', '44000 sd minutes are 88000 pack minutes, four fifths');
SELECT is(alerts(5, '2023-03', 0.81), '', 'not more');

-- Terms: n days ahead, renewed or not, refunded, and the grace
CALL app(6);
CALL buy(6, 1, '2023-03-08', 'plan', 'pro');	-- through 2023-04-07
CALL buy(6, 2, '2023-03-08', 'group_members', '', 2);
CALL buy(6, 3, '2023-03-08', 'local_moderation');
CALL buy(6, 4, '2023-03-30', 'local_moderation');
CALL settle();
SELECT is((SELECT string_agg(a.item || ' ' || a.day || ': ' || a.message, E'\n') FROM im_alerts('2023-03') a WHERE a.app_id = 6),
	'plan 2023-04-07: plan pro ends on 2023-04-07, in 7 days, and nothing follows it.', 'a week left; the renewed and the longer one are not told');
SELECT is(alerts(6, '2023-03', 0.8, 6), '', 'not with six days');
SELECT matches(standing(6, '2023-04', '2023-04-07 23:59'), 'term plan pro 31/31 2023-04-07$', 'its last day');
SELECT matches(standing(6, '2023-04', '2023-04-08 00:00'), 'grace plan pro 1/7 2023-04-14$', 'the first day of the grace');
SELECT matches(standing(6, '2023-04', '2023-04-14 23:59'), 'grace plan pro 7/7 2023-04-14$', 'the last');
SELECT is(standing(6, '2023-04', '2023-04-15 00:00') ~ 'plan', false, 'then the app is stopped');
SELECT is(im_internal.im_alert_message('term', 'plan', 'pro', 1, 1, '2023-03-02', '2023-03-01', NULL), 'plan pro ends on 2023-03-02, in 1 day, and nothing follows it.', 'one day');
SELECT is(im_internal.im_alert_message('grace', 'plan', 'pro', 1, 7, '2023-03-01', '2023-03-01', NULL), 'The grace of plan pro ends on 2023-03-01, today: then the app stops.', 'today');
CALL app(7);
CALL buy(7, 1, '2023-03-08', 'plan', 'pro');
CALL refund(7, 2, '2023-03-20', 1);
CALL settle();
SELECT is(standing(7, '2023-03', '2023-03-19 12:00'), 'term plan pro 12/31 2023-04-07', 'before a refund the term runs');
SELECT is(standing(7, '2023-03', '2023-03-20 12:00'), '', 'a refunded term needs no renewal');

-- The day is the last of the month or today, whichever is earlier; orders after it do not count.
CALL app(8);
CALL buy(8, 1, '2023-03-08', 'plan', 'pro');
CALL buy(8, 2, '2023-04-02', 'plan', 'pro');
CALL settle();
SELECT is(alerts(8, '2023-03'), 'term', 'at the end of March it was not renewed yet');
SELECT is(standing(8, '2023-04', '2023-03-31 16:00'), 'term plan pro 24/31 2023-04-07', 'the day is that of the card''s zone; a month to come has no usage');
CALL app(9);
INSERT INTO im_order (app_id, order_id, at, action, item, option, months) VALUES (9, 1, now() - interval '10 days', 'buy', 'plan', 'pro', 1);
INSERT INTO im_usage_daily (app_id, day, dau) VALUES (9, im_day(now(), 'Asia/Shanghai'), 9000);
CALL settle();
SELECT is(alerts(9, im_month(now(), 'Asia/Shanghai')::text), 'dau', 'the running month through today');

-- An app that cannot be rated is told, and silences nobody.
CALL card('late', '2023-04-15', cn());
CALL app(10, 'late');
CALL daily(10, '2023-03-20', 5);
CALL settle();
SELECT is((SELECT a.kind || ': ' || a.message FROM im_alerts('2023-03') a WHERE a.app_id = 10),
	'problem: rate card "late" has no version in force on 2023-03-31', 'a problem is an alert');
SELECT is(alerts(1, '2023-03'), 'dau groups', 'the others are there');

-- Set-wise: the alerts of all are those of each
SELECT is((SELECT count(*) FROM im_alerts('2023-03')), (SELECT count(*) FROM im_alerts('2023-03') a WHERE a.app_id BETWEEN 1 AND 10), 'every alert has its app');
SELECT is((SELECT count(*) FROM im_standing('2023-03') WHERE kind IS NULL OR used < 0 OR (kind <> 'problem' AND (allowed IS NULL OR day IS NULL))), 0::bigint, 'no figure is missing');

-- Without a month: of each app the one that runs where its card is
CALL card('west', '2019-12-10', jsonb_set(cn(), '{time_zone}', '"America/Los_Angeles"'));
CALL card('east', '2019-12-10', jsonb_set(cn(), '{time_zone}', '"Pacific/Kiritimati"'));
CALL app(11, 'west');
CALL app(12, 'east');
CALL app(13);
CALL buy(11, 1, '2023-01-15', 'plan', 'pro', 12);
CALL buy(12, 1, '2023-01-15', 'plan', 'pro', 12);
CALL buy(13, 1, '2023-01-15', 'plan', 'pro', 12);
INSERT INTO im_usage_daily (app_id, day, dau)
SELECT app, day, extract(month FROM day) FROM unnest('{11,12,13}'::bigint[]) app, unnest('{2023-06-20,2023-07-01}'::date[]) day;
CALL settle();
CREATE FUNCTION own(at timestamptz) RETURNS text LANGUAGE sql
RETURN (SELECT string_agg(s.app_id || ':' || n(s.used) || ' ' || s.today, ', ' ORDER BY s.app_id)
	FROM im_standing(NULL, at) s WHERE s.kind = 'dau' AND s.app_id > 10);
SELECT is(own('2023-06-30 09:59+00'), '11:6 2023-06-30, 12:6 2023-06-30, 13:6 2023-06-30', 'June everywhere');
SELECT is(own('2023-06-30 10:00+00'), '11:6 2023-06-30, 12:7 2023-07-01, 13:6 2023-06-30', 'July begins in the east');
SELECT is(own('2023-06-30 16:00+00'), '11:6 2023-06-30, 12:7 2023-07-01, 13:7 2023-07-01', 'then in Shanghai');
SELECT is(own('2023-07-01 07:00+00'), '11:7 2023-07-01, 12:7 2023-07-01, 13:7 2023-07-01', 'and in the west');
SELECT is((SELECT count(*) FROM im_standing(NULL, '2023-06-30 12:00+00') s WHERE s.app_id > 10 AND s.kind = 'dau'), 3::bigint, 'each is told of once');
SELECT bag_eq($$SELECT a::text FROM im_alerts(NULL, 0, 400) a WHERE a.app_id = 9$$,
	format($$SELECT a::text FROM im_alerts(%L, 0, 400) a WHERE a.app_id = 9$$, im_month(now(), 'Asia/Shanghai')), 'alerts too');
SELECT is((SELECT count(*) FROM im_standing('2023-06', NULL)), 0::bigint, 'no instant, no standing');
SELECT is((SELECT count(*) FROM im_alerts(NULL, NULL)), 0::bigint, 'no threshold, no alert');

-- NOTIFY
SELECT is(im_notify_alerts('im_alerts'), (SELECT count(*) FROM im_alerts(NULL)), 'without a month as many as of the own months');
SELECT is(im_notify_alerts('im_alerts', '2023-03'), (SELECT count(*) FROM im_alerts('2023-03')), 'as many notifications as alerts');
SELECT cmp_ok(im_notify_alerts(channel => 'im_alerts', share => 0.8, days => 7), '>=', 0::bigint, 'the running month is the default');
SELECT fails_with($$SELECT im_notify_alerts('')$$, '22023', 'channel', 'no channel');

SELECT fails_with(format('SELECT * FROM im_alerts(%s)', args), '22023', 'thresholds', args)
FROM unnest(ARRAY[$$'2023-03', -0.1$$, $$'2023-03', 'NaN'$$, $$'2023-03', 'Infinity'$$, $$'2023-03', 0.8, -1$$]) args;
CALL chk(1, '2023-03-05 12:00', 'smell');
SELECT fails_with($$SELECT * FROM im_alerts('2023-03')$$, '22023', 'im_check', 'a raw row that cannot be metered is an error, as for bills');

SELECT * FROM finish();
ROLLBACK;
