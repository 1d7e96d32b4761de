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

-- What im_check lists fails, what it does not list is billed.
SELECT isnt((attempt(format('SELECT * FROM im_monthly_bill(%s, %L)', a, '2023-03'))).state, 'T0000',
	format('the bill of app %s fails', a))
FROM generate_series(2, 7) a;
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
	format('\m%s\M', (SELECT count(DISTINCT c.app_id) FROM im_check('2023-03') c JOIN im_app a USING (app_id))),
	'with the number of apps');
-- Every problem is a sentence that names something.
SELECT ok(bool_and(problem ~ '\w+ \w+' AND app_id IS NOT NULL), 'problems are said in words')
FROM im_check('2023-03');

SELECT * FROM finish();
ROLLBACK;
