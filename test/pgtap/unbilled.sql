-- im_unbilled_usage(month): usage that nobody pays, with the reason.
BEGIN;
\ir include/setup.sql

-- The rows of an app: day kind quantity, and a word of the reason.
CREATE FUNCTION unbilled(app bigint, month text) RETURNS text LANGUAGE sql
BEGIN ATOMIC
	SELECT coalesce(string_agg(concat_ws(' ', to_char(u.day, 'MM-DD'), n(u.quantity),
			substring(lower(u.reason) FROM '(suspend|stop|off|price|no such app)')), ', '
			ORDER BY u.day, u.kind), '')
	FROM im_unbilled_usage(unbilled.month::im_month) u WHERE u.app_id = unbilled.app;
END;

-- Everything billed: nothing to list.
CALL app(1);
CALL buy(1, 1, '2023-03-01', 'plan', 'pro', 2);
CALL turn(1, 2, '2023-03-01', 'on', 'moderation');
CALL daily(1, '2023-03-05', dau => 5, peak_groups => 5, texts => 5, images => 5, audio_half => 1, video_half => 1,
	audio => 5, sd => 5, hd => 5, fhd => 5);
SELECT is(unbilled(1, '2023-03'), '', 'what is billed is not listed');

-- Suspended: calls, checks; logins and groups
CALL app(2);
CALL buy(2, 1, '2023-03-01', 'plan', 'pro', 2);
CALL turn(2, 2, '2023-03-01', 'on', 'moderation');
CALL suspend(2, '[2023-03-10,2023-03-11)');
CALL daily(2, '2023-03-09', audio => 1);
CALL daily(2, '2023-03-10', audio => 20);
CALL daily(2, '2023-03-11', audio => 3);
SELECT is(unbilled(2, '2023-03'), '03-10 20 suspend', 'calls of a suspended day');
CALL app(3);
CALL turn(3, 2, '2023-03-01', 'on', 'moderation');
CALL suspend(3, '[2023-03-10,2023-03-11)');
CALL chk(3, '2023-03-09 23:59:59.999999', 'text');
CALL chk(3, '2023-03-10 00:00', 'text');
CALL chk(3, '2023-03-10 23:59:59.999999', 'text');
CALL chk(3, '2023-03-11 00:00', 'text');
SELECT is(unbilled(3, '2023-03'), '03-10 2 suspend', 'checks of a suspended day');
CALL app(4);
CALL buy(4, 1, '2023-03-01', 'plan', 'pro', 2);
CALL suspend(4, '[2023-03-10,2023-03-11)');
CALL login(4, 'a', '2023-03-10 12:00');
CALL login(4, 'b', '2023-03-10 12:00');
CALL login(4, 'b', '2023-03-10 13:00');
SELECT is(unbilled(4, '2023-03'), '03-10 2 suspend', 'users of a suspended day');
CALL app(5);
CALL buy(5, 1, '2023-03-01', 'plan', 'pro', 2);
CALL suspend(5, '[2023-03-10,2023-03-11)');
CALL daily(5, '2023-03-10', peak_groups => 7);
SELECT is(unbilled(5, '2023-03'), '03-10 7 suspend', 'groups of a suspended day');

-- Stopped: pro [2023-03-05,2023-04-05), grace through 04-11
CALL app(6);
CALL buy(6, 1, '2023-03-05', 'plan', 'pro');
CALL daily(6, '2023-04-11', hd => 1);
CALL daily(6, '2023-04-12', hd => 20);
SELECT is(unbilled(6, '2023-04'), '04-12 20 stop', 'calls of a stopped day, not of the last of the grace');
CALL app(7);
CALL buy(7, 1, '2023-03-05', 'plan', 'pro');
CALL turn(7, 2, '2023-03-05', 'on', 'moderation');
CALL daily(7, '2023-04-11', texts => 1);
CALL daily(7, '2023-04-12', texts => 20);
SELECT is(unbilled(7, '2023-04'), '04-12 20 stop', 'checks of a stopped day');
CALL app(8);
CALL buy(8, 1, '2023-03-05', 'plan', 'pro');
CALL daily(8, '2023-04-12', dau => 20);
SELECT is(unbilled(8, '2023-04'), '04-12 20 stop', 'users of a stopped day');

-- Switched off
CALL app(9);
CALL turn(9, 1, '2023-03-10', 'on', 'moderation');
CALL turn(9, 2, '2023-03-12', 'off', 'moderation');
CALL daily(9, '2023-03-09', texts => 10);
CALL daily(9, '2023-03-10', texts => 20);
CALL daily(9, '2023-03-12', texts => 30);
CALL daily(9, '2023-03-13', texts => 40);
SELECT is(unbilled(9, '2023-03'), '03-09 10 off, 03-13 40 off',
	'checks of days on which moderation is off');

-- Not priced by the card
CALL app(10, 'overseas');
CALL buy(10, 1, '2023-03-01', 'plan', 'pro', 2);
CALL daily(10, '2023-03-05', audio => 30);
SELECT is(unbilled(10, '2023-03'), '03-05 30 price', 'calls that the card does not price');
CALL app(11, 'intl');
CALL buy(11, 1, '2023-03-01', 'plan', 'standard', 2);
CALL chk(11, '2023-03-05 12:00', 'text');
SELECT is((SELECT count(*) FROM im_unbilled_usage('2023-03') WHERE app_id = 11 AND day = '2023-03-05'
		   AND quantity = 1), 1::bigint, 'checks that the card does not price');

-- Trial: logins and groups are within limits that are never charged; calls are billed.
CALL app(12);
CALL daily(12, '2023-03-05', audio => 30);
SELECT is(unbilled(12, '2023-03'), '', 'calls on trial are billed');

-- Kinds are told apart.
CALL app(13);
CALL suspend(13, '[2023-03-10,2023-03-11)');
CALL turn(13, 1, '2023-03-01', 'on', 'moderation');
CALL daily(13, '2023-03-10', texts => 1, images => 2, audio_half => 4, video_half => 6, audio => 7, sd => 8, hd => 9, fhd => 10);
SELECT is((SELECT count(DISTINCT kind) FROM im_unbilled_usage('2023-03') WHERE app_id = 13), 8::bigint,
	'every kind has a row of its own');
SELECT is(unbilled(13, '2023-04'), '', 'usage is listed in its own month only');
SELECT results_eq($$SELECT sum(quantity) FROM im_unbilled_usage('2023-03') WHERE app_id = 13 AND kind IN ('text', 'image')$$,
	$$VALUES (3::numeric)$$, 'checks under the names of their kinds');

-- No such app
CALL talk(666, '2023-03-05 12:00', 'hd', 61);
CALL login(667, 'a', '2023-03-05 12:00');
CALL chk(668, '2023-03-05 12:00', 'text');
SELECT is((SELECT count(DISTINCT app_id) FROM im_unbilled_usage('2023-03')
		   WHERE app_id IN (666, 667, 668) AND day = '2023-03-05'), 3::bigint, 'usage of no such app');
SELECT ok(bool_and(reason ~* 'app'), 'with that reason')
FROM im_unbilled_usage('2023-03') WHERE app_id IN (666, 667, 668);

-- Of no such app: every table, the days of UTC+8, the month's own rows only.
CALL daily(670, '2023-03-01', dau => 4, texts => 6);
CALL daily(670, '2023-02-28', dau => 40);
CALL daily(670, '2023-04-01', dau => 400);
CALL grp(671, 'a', '2023-03-05 12:00', '2023-03-05 13:00');
CALL grp(671, 'b', '2023-02-05 12:00', '2023-03-01 00:00');
CALL chk(672, '2023-03-31 23:59:59.999999', 'image');
CALL chk(672, '2023-04-01 00:00', 'text');
CALL talk(673, '2023-02-28 23:59:59.999999', 'hd', 100);
CALL talk(673, '2023-03-01 00:00', 'hd', 61);
CALL login(674, 'a', '2023-03-31 23:59:59.999999');
CALL login(674, 'b', '2023-04-01 00:00');
SELECT is((SELECT string_agg(concat_ws(' ', app_id, to_char(day, 'MM-DD'), n(quantity)), ', '
			ORDER BY app_id, day, quantity) FROM im_unbilled_usage('2023-03') WHERE app_id BETWEEN 670 AND 674),
	'670 03-01 4, 670 03-01 6, 671 03-05 1, 672 03-31 1, 673 03-01 2, 674 03-31 1',
	'daily figures, groups, checks, calls and logins of no such app, in their own month');
CALL settle();
SELECT * FROM finish();
ROLLBACK;
