-- im_check(month) finds each kind of trouble that would make a bill fail or
-- mislead, names the app, and says nothing about apps without trouble.
BEGIN;
\ir include/setup.sql

CREATE FUNCTION problems(app bigint, month text) RETURNS text LANGUAGE sql
BEGIN ATOMIC
	SELECT coalesce(string_agg(c.problem, E'\n' ORDER BY c.problem), '')
	FROM im_check(problems.month::im_month) c WHERE c.app_id = problems.app;
END;
CREATE FUNCTION finds(app bigint, month text, pattern text, what text) RETURNS text LANGUAGE sql
BEGIN ATOMIC
	SELECT matches(problems(app, month), pattern, what);
END;

-- A healthy app with everything
CALL app(1);
CALL buy(1, 1, '2023-03-01', 'plan', 'pro', 2);
CALL turn(1, 2, '2023-03-01', 'on', 'moderation');
CALL login(1, 'a', '2023-03-05 12:00');
CALL grp(1, 'g', '2023-03-05 12:00');
CALL grp(1, 'h', '2023-03-05 12:00', '2023-03-05 12:00');
CALL chk(1, '2023-03-05 12:00', 'text');
CALL chk(1, '2023-03-05 12:00', 'audio', 0);
CALL talk(1, '2023-03-05 12:00', 'hd', 0);
CALL daily(1, '2023-03-06', dau => 1);
SELECT is(problems(1, '2023-03'), '', 'an app without trouble is not listed');

CALL app(2);
CALL chk(2, '2023-03-05 12:00', 'smell');
SELECT finds(2, '2023-03', 'smell', 'an unknown kind of check');
SELECT is(problems(2, '2023-04'), '', 'not in a month that it does not touch');
CALL app(3);
CALL talk(3, '2023-03-05 12:00', '8k', 5);
SELECT finds(3, '2023-03', '8k', 'an unknown class of call');
CALL app(4);
CALL chk(4, '2023-03-05 12:00', 'audio', -3);
SELECT finds(4, '2023-03', '-3|negative', 'negative seconds of a check');
CALL app(5);
CALL talk(5, '2023-03-05 12:00', 'hd', -4);
SELECT finds(5, '2023-03', '-4|negative', 'negative seconds of a call');
CALL app(6);
CALL grp(6, 'g6', '2023-03-05 12:00', '2023-03-05 11:59');
SELECT finds(6, '2023-03', 'g6', 'a group disbanded before it was created');
-- as a restore without triggers brings them
SET LOCAL session_replication_role = replica;
CALL app(7, 'no_such_card');
CALL app(11, 'no_such_card');
SET LOCAL session_replication_role = origin;
SELECT finds(7, '2023-03', 'no_such_card', 'a card that does not exist');
CALL login(11, 'a', '2023-03-05 12:00');
SELECT finds(11, '2023-03', 'no_such_card', 'a card that does not exist, of an app with usage');
CALL card('late', '2023-03-15', cn());
CALL app(13, 'late');
CALL buy(13, 1, '2023-03-20', 'plan', 'pro');
CALL login(13, 'a', '2023-02-20 12:00');
SELECT is(problems(13, '2023-03'), '', 'the month in which the first version starts is rated by it');
SELECT finds(13, '2023-02', 'late', 'the month before is not, of an app with usage in it');
CALL app(8, 'intl');
CALL app(14, 'intl');
CALL login(14, 'a', '2022-11-20 12:00');
CALL login(14, 'a', '2022-12-20 12:00');
CALL login(14, 'a', '2023-01-20 12:00');
SELECT finds(14, '2022-11', 'intl', 'usage in a month that no version of the card covers');
SELECT is(problems(14, '2022-12'), '', 'usage of days before the first version in its month');
SELECT is(problems(14, '2023-01'), '', 'the first whole month is covered');
-- Nothing used, nothing ordered: failing or not, bill and check agree.
SELECT is((attempt('SELECT * FROM im_monthly_bill(8, ''2022-11'')')).state <> 'T0000', problems(8, '2022-11') <> '',
	'an idle app in a month that no version covers: im_check lists it if its bill fails');
CALL app(9, 'intl');
CALL buy(9, 1, '2023-03-01', 'plan', 'standard', 2);
CALL daily(9, '2023-03-05', dau => 5);
SELECT finds(9, '2023-03', 'users', 'daily figures without users on a card that prices MAU');
CALL app(10, 'intl');
CALL buy(10, 1, '2023-03-01', 'plan', 'standard', 2);
INSERT INTO im_usage_daily (app_id, day, dau, users)
SELECT 10, '2023-03-05', 1, im_userset_agg('a'::text);
SELECT is(problems(10, '2023-03'), '', 'with users they are fine');

-- Each month has its own days, those of the app's zone.
CALL app(15, 'intl');
CALL buy(15, 1, '2023-03-01', 'plan', 'standard', 2);
CALL daily(15, '2023-04-01', dau => 5);
SELECT is(problems(15, '2023-03'), '', 'the 1st of the next month is not of this month');
SELECT finds(15, '2023-04', 'users', 'but of the next');
CALL app(16);
CALL chk(16, '2023-03-31 23:59:59.999999', 'smell');
CALL talk(16, '2023-04-01 00:00', '8k', 5);
SELECT is(problems(16, '2023-03') ~ 'smell' AND problems(16, '2023-03') !~ '8k', true, 'a row before midnight is of March');
SELECT is(problems(16, '2023-04') ~ '8k' AND problems(16, '2023-04') !~ 'smell', true, 'a row from midnight on of April');
CALL app(17);
CALL daily(17, '2023-03-05', dau => -1);
SELECT finds(17, '2023-03', 'negative|-1', 'negative daily figures');
CALL app(18);
CALL chk(18, '2023-03-05 12:00', 'video');
SELECT finds(18, '2023-03', 'seconds', 'a video without seconds');
SELECT isnt((attempt(format('SELECT * FROM im_monthly_bill(%s, %L)', a, '2023-03'))).state, 'T0000',
	format('the bill of app %s fails', a))
FROM unnest('{16,17,18}'::int[]) a;
-- A bad row that an old pack's balance depends on makes later bills fail too, and the check says so.
CALL app(19);
CALL turn(19, 1, '2023-03-01', 'on', 'moderation');
CALL pack(19, 2, '2023-03-01', 'year_small');
CALL chk(19, '2023-03-05 12:00', 'audio', -1);
CALL chk(19, '2023-05-05 12:00', 'text');
SELECT is((attempt('SELECT * FROM im_monthly_bill(19, ''2023-05'')')).state <> 'T0000', problems(19, '2023-05') <> '',
	'a bad row of March behind a pack that May needs: bill and check agree');

-- Usage of no such app
CALL login(666, 'a', '2023-03-05 12:00');
SELECT finds(666, '2023-03', 'app', 'logins of no such app');
CALL grp(667, 'g', '2023-03-05 12:00');
SELECT finds(667, '2023-03', 'app', 'groups of no such app');
CALL chk(668, '2023-03-05 12:00', 'text');
SELECT finds(668, '2023-03', 'app', 'checks of no such app');
CALL talk(669, '2023-03-05 12:00', 'hd', 5);
SELECT finds(669, '2023-03', 'app', 'calls of no such app');
SELECT is(problems(666, '2023-04'), '', 'not in another month');

-- One row an app, table and value: how many, the first and the last in the zone of the card.
CALL app(30);
CALL app(31, 'intl');
INSERT INTO im_call (app_id, at, class, seconds)
SELECT 30, at8('2023-03-01 00:00') + n * interval '1 minute', CASE WHEN n % 11 = 0 THEN 'hd ' ELSE 'HD' END, 60 FROM generate_series(0, 10999) n;
INSERT INTO im_call (app_id, at, class, seconds)
SELECT 30, at8('2023-03-02 00:00') + n * interval '1 hour', 'sd', -n FROM generate_series(1, 300) n;
INSERT INTO im_moderation_check (app_id, at, kind, seconds)
SELECT 30, at8('2023-03-03 10:00') + n * interval '1 hour', CASE n % 3 WHEN 0 THEN 'smell' WHEN 1 THEN 'audio' ELSE 'video' END, -n % 3 FROM generate_series(0, 299) n;
INSERT INTO im_moderation_check (app_id, at, kind) SELECT 30, at8('2023-03-04 10:00'), 'video' FROM generate_series(1, 50) n;
INSERT INTO im_group SELECT 30, 'g' || n, at8('2023-03-05 00:00') + n * interval '1 hour', at8('2023-03-04 00:00') FROM generate_series(1, 40) n;
INSERT INTO im_usage_daily (app_id, day, dau) SELECT 30, date '2023-03-10' + n, -n - 1 FROM generate_series(0, 9) n;
SELECT is(problems(30, '2023-03'), E'im_call has negative seconds of sd, such as -1: 300 rows, the first at 2023-03-02 01:00:00, the last at 2023-03-14 12:00:00 (Asia/Shanghai)\n'
	'im_call has the unknown class "HD": 10000 rows, the first at 2023-03-01 00:01:00, the last at 2023-03-08 15:19:00 (Asia/Shanghai)\n'
	'im_call has the unknown class "hd ": 1000 rows, the first at 2023-03-01 00:00:00, the last at 2023-03-08 15:09:00 (Asia/Shanghai)'
	'\nim_group has a group that was disbanded before it was created, such as "g1": 40 rows, the first at 2023-03-05 01:00:00, the last at 2023-03-06 16:00:00 (Asia/Shanghai)\n'
	'im_moderation_check has negative seconds of audio, such as -1: 100 rows, the first at 2023-03-03 11:00:00, the last at 2023-03-15 20:00:00 (Asia/Shanghai)\n'
	'im_moderation_check has negative seconds of video, such as -2: 100 rows, the first at 2023-03-03 12:00:00, the last at 2023-03-15 21:00:00 (Asia/Shanghai)\n'
	'im_moderation_check has no seconds of video: 50 rows, the first at 2023-03-04 10:00:00, the last at 2023-03-04 10:00:00 (Asia/Shanghai)\n'
	'im_moderation_check has the unknown kind "smell": 100 rows, the first at 2023-03-03 10:00:00, the last at 2023-03-15 19:00:00 (Asia/Shanghai)\n'
	'im_usage_daily has a negative figure: 10 days, the first 2023-03-10, the last 2023-03-19', 'thousands of bad rows are a few problems');
CALL card('west', '2019-12-10', jsonb_set(cn(), '{time_zone}', '"America/New_York"'));
CALL app(32, 'west');
INSERT INTO im_call (app_id, at, class, seconds) VALUES (32, '2023-04-01 03:59:59+00', 'HD', 1);
SELECT is(problems(32, '2023-03'), 'im_call has the unknown class "HD": 1 row at 2023-03-31 23:59:59 (America/New_York)', 'by the clock of the app''s card');
SELECT is(problems(32, '2023-04'), '', 'and in its month');
INSERT INTO im_usage_daily (app_id, day, dau) SELECT 31, date '2023-03-10' + n, 5 FROM generate_series(0, 9) n;
SELECT matches(problems(31, '2023-03'), '^[^\n]*users[^\n]*10 days, the first 2023-03-10, the last 2023-03-19$', 'days without users are one problem');

-- Orders and suspensions of no such app, as a restore without triggers leaves them
SET LOCAL session_replication_role = replica;
CALL buy(670, 1, '2023-03-05', 'plan', 'pro', 12);
CALL buy(670, 2, '2023-04-05', 'call', 'basic');
CALL suspend(671, '[2023-03-05,2023-03-10)');
CALL suspend(671, '[2023-03-20,2023-04-10)', 'violation');
SET LOCAL session_replication_role = origin;
SELECT finds(670, '2023-03', 'im_order.*im_app.*1 row at 2023-03-05 00:00:00', 'orders of no such app');
SELECT finds(670, '2023-05', 'im_order.*im_app.*2 rows', 'in every month from the first on');
SELECT is(problems(670, '2023-02'), '', 'not before');
SELECT is(problems(671, '2023-03'), 'im_suspension has suspensions of this app, but im_app has no row of it: [2023-03-05,2023-03-10), [2023-03-20,2023-04-10)', 'suspensions of no such app');
SELECT is(problems(671, '2023-05'), '', 'in the months that they touch');

-- A pack in force while moderation is switched off
CALL app(33);
CALL pack(33, 1, '2023-03-05', 'month');
SELECT is(problems(33, '2023-03'), 'moderation packs are in force while cloud moderation is switched off: on 27 days, the first 2023-03-05, the last 2023-03-31',
	'a pack without the switch');
SELECT finds(33, '2023-04', 'on 4 days, the first 2023-04-01, the last 2023-04-04', 'through its last day');
SELECT is(problems(33, '2023-02') || problems(33, '2023-05'), '', 'not outside its term');
CALL turn(33, 2, '2023-03-06', 'on', 'moderation');
SELECT finds(33, '2023-03', 'on 1 day, the first 2023-03-05', 'the day of switching on counts as on');
CALL turn(33, 3, '2023-03-20', 'off', 'moderation');
SELECT finds(33, '2023-03', 'on 12 days, the first 2023-03-05, the last 2023-03-31', 'and that of switching off');
CALL turn(33, 4, '2023-03-21', 'on', 'moderation');
SELECT is(problems(33, '2023-04'), '', 'switched on again');

-- Suspensions of one reason that overlap
CALL app(34);
CALL suspend(34, '[2023-03-01,2023-03-10)');
CALL suspend(34, '[2023-03-10,2023-03-12)');
CALL suspend(34, '[2023-03-05,2023-03-08)', 'violation');
SELECT is(problems(34, '2023-03'), '', 'suspensions one after the other, or for several reasons, are fine');
CALL suspend(34, '[2023-03-09,2023-03-15)');
CALL suspend(34, '[2023-03-31,)', 'refund');
CALL suspend(34, '[2023-04-20,2023-04-21)', 'refund');
SELECT is(problems(34, '2023-03'), 'suspensions for arrears overlap: [2023-03-09,2023-03-10), [2023-03-10,2023-03-12)', 'but not of one reason over the same days');
SELECT is(problems(34, '2023-04'), 'suspensions for refund overlap: [2023-04-20,2023-04-21)', 'one without an end over all that follow');
CALL suspend(34, '(,2022-01-01)', 'violation');
CALL suspend(34, '(,2022-01-03)', 'violation');
SELECT finds(34, '2021-12', 'suspensions for violation overlap', 'or without a beginning');

-- What im_check lists fails, what it does not list is billed.
SELECT isnt((attempt(format('SELECT * FROM im_monthly_bill(%s, %L)', a, '2023-03'))).state, 'T0000',
	format('the bill of app %s fails', a))
FROM unnest('{2,3,4,5,6,7,30,32}'::int[]) a;
SELECT isnt((attempt('SELECT * FROM im_monthly_bill(9, ''2023-03'')')).state, 'T0000', 'the bill of app 9 fails');
SELECT is((attempt('SELECT * FROM im_monthly_bill(10, ''2023-03'')')).state, 'T0000', 'that of app 10 does not');
SELECT is((attempt('SELECT * FROM im_monthly_bill(1, ''2023-03'')')).state, 'T0000',
	'nor that of app 1: one app''s trouble is not another''s');
SELECT isnt((attempt('SELECT * FROM im_monthly_bill(11, ''2023-03'')')).state, 'T0000', 'the bill of app 11 fails');
SELECT is((attempt('SELECT * FROM im_monthly_bill(13, ''2023-03'')')).state, 'T0000', 'the bill of app 13 does not');
SELECT isnt((attempt('SELECT * FROM im_monthly_bill(14, ''2022-11'')')).state, 'T0000', 'a bill of a month that no version covers fails');
-- One error with the number of apps: that many are listed of those that exist.
SELECT fails_with('SELECT count(*) FROM im_monthly_bills(''2023-03'')', '\w{5}', 'im_check',
	'the set-wise bill raises one error that points to im_check');
SELECT fails_with('SELECT count(*) FROM im_monthly_bills(''2023-03'')', '\w{5}',
	format('\m%s\M', (SELECT count(DISTINCT c.app_id) FROM im_check('2023-03') c JOIN im_app a USING (app_id) WHERE c.problem !~ '^(moderation packs|suspensions)')),
	'with the number of apps');
-- Every problem is a sentence that names something.
SELECT ok(bool_and(problem ~ '\w+ \w+' AND app_id IS NOT NULL), 'problems are said in words')
FROM im_check('2023-03');

SELECT * FROM finish();
ROLLBACK;
