-- R15: im_suspend_arrears(). If a day were off, an app would be stopped early, or
-- run on unpaid, or stay stopped after it was paid for.
BEGIN;
\ir include/setup.sql

CREATE PROCEDURE account(account_id bigint, opened_on date, apps bigint[] DEFAULT '{}', zone text DEFAULT 'Asia/Shanghai') LANGUAGE sql AS $$
	INSERT INTO im_account (account_id, name, opened_on, time_zone) VALUES (account_id, 'account ' || account_id, opened_on, zone);
	UPDATE im_app a SET account_id = account.account_id WHERE a.app_id = ANY (apps);
$$;
CREATE PROCEDURE pay(account_id bigint, id bigint, at text, amount numeric, currency text DEFAULT 'CNY') LANGUAGE sql AS $$
	INSERT INTO im_payment (account_id, payment_id, at, amount, currency) VALUES (account_id, id, at8(at), amount, currency);
$$;
-- How many, and then all rows of the apps
CREATE FUNCTION run(at text, days int DEFAULT 7) RETURNS bigint LANGUAGE sql RETURN im_suspend_arrears(at8(at), days);
CREATE FUNCTION suspended(VARIADIC apps bigint[]) RETURNS text LANGUAGE sql
BEGIN ATOMIC
	SELECT coalesce(string_agg(concat_ws(' ', s.app_id, s.days, nullif(s.reason, 'arrears')), E'\n' ORDER BY s.app_id, s.days), '') FROM im_suspension s WHERE s.app_id = ANY (apps);
END;

-- The day: the seventh has to be over
CALL app(1);
CALL app(2);
CALL account(7, '2023-01-01', '{1,2}');
CALL buy(1, 1, '2023-03-01 15:00', 'plan', 'pro', 12);
CALL buy(2, 1, '2023-03-02 15:00', 'plan', 'pro', 1, paid => 0);
CALL pay(7, 1, '2023-03-01 15:00', 11987);
CALL settle();
SELECT is(run('2023-03-07 23:59'), 0::bigint, 'not on the seventh day of arrears');
SELECT is(suspended(1, 2), '', 'nothing was written');
SAVEPOINT before;
SELECT is(run('2023-03-08 00:00'), 2::bigint, 'on the day after, all apps of the account');
SELECT is(suspended(1, 2), E'1 [2023-03-08,)\n2 [2023-03-08,)', 'from that day on');
SELECT is(array(SELECT status(1, d) FROM unnest('{2023-03-07,2023-03-08}'::text[]) d), '{active,suspended}', 'as if a person had written it');
SELECT is(run('2023-03-08 00:00') + run('2023-03-08 18:00') + run('2023-03-30 12:00') + run('2024-03-30 12:00'), 0::bigint, 'again it changes nothing');
ROLLBACK TO before;
SELECT is(run('2023-03-20 12:00'), 2::bigint, 'a late run');
SELECT is(suspended(1, 2), E'1 [2023-03-20,)\n2 [2023-03-20,)', 'begins on its own day');
ROLLBACK TO before;
SELECT is(run('2023-03-03 12:00', 2), 2::bigint, 'other days');
SELECT is(suspended(1, 2), E'1 [2023-03-03,)\n2 [2023-03-03,)', 'are counted alike');
ROLLBACK TO before;
SELECT is(run('2023-03-01 15:00', 0), 2::bigint, 'none: at once');

-- The end: the first day on which nothing is negative, and that day is in service
CALL pay(7, 2, '2023-03-05 23:59', 0.5);
SELECT is(run('2023-03-06 12:00'), 0::bigint, 'not for a part of it');
CALL pay(7, 3, '2023-03-09 23:59', 0.5);
SELECT is(run('2023-03-09 23:58'), 0::bigint, 'nor before the payment counts');
SELECT is(run('2023-03-09 23:59'), 2::bigint, 'at its instant');
SELECT is(suspended(1, 2), E'1 [2023-03-01,2023-03-09)\n2 [2023-03-01,2023-03-09)', 'it ends, and that day is in service');
SELECT is(status(1, '2023-03-09'), 'active', 'as the state says');
SELECT is(run('2023-03-09 23:59'), 0::bigint, 'once');
ROLLBACK TO before;
SELECT is(run('2023-03-08 12:00'), 2::bigint, 'suspended again');
CALL pay(7, 3, '2023-03-10 10:00', 1);
SELECT is(run('2023-03-25 12:00'), 2::bigint, 'a late run');
SELECT is(suspended(1, 2), E'1 [2023-03-08,2023-03-10)\n2 [2023-03-08,2023-03-10)', 'finds the day');
ROLLBACK TO before;
SELECT is(run('2023-03-08 12:00'), 2::bigint, 'suspended again');
CALL pay(7, 3, '2023-03-08 18:00', 1);
SELECT is(run('2023-03-09 12:00'), 2::bigint, 'paid on the first day');
SELECT is(suspended(1, 2), '', 'what would be empty is gone');
ROLLBACK TO before;

-- What is used after the end is billed, and may bring arrears anew in the same run
SELECT is(run('2023-03-08 12:00'), 2::bigint, 'suspended again');
CALL turn(1, 2, '2023-03-02 10:00', 'on', 'moderation');
CALL daily(1, '2023-03-09', texts => 1000000);
CALL daily(1, '2023-03-12', texts => 1000000);
CALL settle();
SELECT is((SELECT n(b.owed) FROM im_balance(7, at8('2023-03-25 12:00')) b), '11988', 'what is used while suspended costs nothing');
CALL pay(7, 3, '2023-03-10 10:00', 1);
SELECT is(run('2023-03-25 12:00'), 4::bigint, 'two ended, two begun');
SELECT is(suspended(1, 2), E'1 [2023-03-08,2023-03-10)\n1 [2023-03-25,)\n2 [2023-03-08,2023-03-10)\n2 [2023-03-25,)', 'the usage of the 12th is owed since the 13th');
SELECT is(run('2023-03-25 12:00'), 0::bigint, 'and settles');
ROLLBACK TO before;

-- Other rows stay as they are: other reasons, an end that a person set, no account
CALL app(3);
CALL buy(3, 1, '2023-03-01 15:00', 'plan', 'pro', 12);
CALL suspend(3, '[2023-02-01,)');
CALL suspend(1, '[2023-03-05,)', 'violation');
CALL suspend(2, '[2023-03-03,2023-03-20)');
CALL settle();
SELECT is(run('2023-03-10 12:00'), 1::bigint, 'one app begins');
SELECT is(suspended(1, 2, 3), E'1 [2023-03-05,) violation\n1 [2023-03-10,)\n2 [2023-03-03,2023-03-20)\n3 [2023-02-01,)', 'beside another reason; a person''s end stands; no account is left alone');
CALL pay(7, 3, '2023-03-12 10:00', 1);
SELECT is(run('2023-03-12 12:00'), 1::bigint, 'one app ends');
SELECT is(suspended(1, 2, 3), E'1 [2023-03-05,) violation\n1 [2023-03-10,2023-03-12)\n2 [2023-03-03,2023-03-20)\n3 [2023-02-01,)', 'and nothing else');
ROLLBACK TO before;
-- what a person began goes on as if the run had
CALL suspend(1, '[2023-02-20,)');
SELECT is(run('2023-03-01 12:00'), 1::bigint, 'without arrears');
SELECT is(suspended(1), '', 'it ends on its first day');
ROLLBACK TO before;
UPDATE im_account SET opened_on = '2023-02-25' WHERE account_id = 7;
CALL suspend(1, '[2023-02-20,)');
SELECT is(run('2023-03-01 12:00'), 1::bigint, 'what was before the account was opened');
SELECT is(suspended(1), '1 [2023-02-20,2023-02-25)', 'is not the account''s');
ROLLBACK TO before;

-- An app that comes later, and one that goes
SELECT is(run('2023-03-08 12:00'), 2::bigint, 'suspended again');
CALL app(4);
UPDATE im_app SET account_id = 7 WHERE app_id = 4;
SELECT is(run('2023-03-09 12:00'), 1::bigint, 'an app that joins is suspended from the next run');
UPDATE im_app SET account_id = NULL WHERE app_id = 4;
CALL pay(7, 3, '2023-03-12 10:00', 1);
SELECT is(run('2023-03-12 12:00'), 2::bigint, 'one that left is nobody''s');
SELECT is(suspended(1, 4), E'1 [2023-03-08,2023-03-12)\n4 [2023-03-09,)', 'its row stays until a person ends it');
ROLLBACK TO before;

-- Any currency
CALL app(5, 'intl');
UPDATE im_app SET account_id = 7 WHERE app_id = 5;
CALL buy(5, 1, '2023-03-04 10:00', 'plan', 'standard', 1);
CALL pay(7, 3, '2023-03-06 10:00', 1);
CALL settle();
SELECT is(run('2023-03-08 12:00'), 3::bigint, 'arrears of one currency and then another have no break');
CALL pay(7, 4, '2023-03-09 10:00', 399, 'USD');
SELECT is(run('2023-03-09 12:00'), 3::bigint, 'and end with the last');
ROLLBACK TO before;

-- Days of the account
UPDATE im_account SET time_zone = 'America/Los_Angeles' WHERE account_id = 7;
SELECT is(run('2023-03-08 15:59'), 0::bigint, 'there the day comes later');
SELECT is(run('2023-03-08 16:00'), 2::bigint, 'and then it is there');
ROLLBACK TO before;

-- Why: the balance before, each charge and payment since, and what came of it
CREATE FUNCTION reason(account_id bigint, at text) RETURNS text LANGUAGE sql
BEGIN ATOMIC
	SELECT coalesce(string_agg(concat_ws(' ', r.ordinal, r.day, r.fact, r.currency, r.app_id, to_char(r.month, 'YYYY-MM'), r.item, nullif(r.option, ''), r.payment_id,
		n(r.amount), n(r.balance)), E'\n' ORDER BY r.ordinal), '') FROM im_arrears_reason(reason.account_id, at8(reason.at)) r;
END;
CREATE FUNCTION unpaid(account_id bigint, at text) RETURNS text LANGUAGE sql
BEGIN ATOMIC
	SELECT coalesce(string_agg(concat_ws(' ', u.app_id, to_char(u.month, 'YYYY-MM'), u.revision, u.currency, u.since, n(u.owed), n(u.paid), n(u.unpaid)), E'\n'), '')
	FROM im_unpaid(unpaid.account_id, at8(unpaid.at)) u;
END;
SELECT is(reason(7, '2023-02-28 12:00'), '', 'no arrears, no story');
SELECT is(reason(7, '2023-03-05 12:00'), E'1 2023-03-01 charge CNY 1 2023-03 plan pro -11988 -1\n2 2023-03-01 payment CNY 1 11987 -1', 'the charge and the payment of its day');
SELECT im_suspend_arrears(at8('2023-03-08 12:00')) \g /dev/null
CALL buy(2, 2, '2023-03-09 10:00', 'group_members', '', 1, paid => 5);
CALL pay(7, 3, '2023-03-11 10:00', 4);
CALL pay(7, 4, '2023-03-12 10:00', 2);
CALL settle();
SELECT is(unpaid(7, '2023-03-10 12:00'), E'1 2023-03 CNY 2023-03-01 11988 11987 1\n2 2023-03 CNY 2023-03-09 5 0 5', 'what is unpaid');
SELECT is(unpaid(7, '2023-03-11 12:00'), '2 2023-03 CNY 2023-03-09 5 3 2', 'the oldest is paid first');
SELECT im_suspend_arrears(at8('2023-03-20 12:00')) \g /dev/null
SELECT is(unpaid(7, '2023-03-20 12:00'), '', 'all paid');
SELECT is(reason(7, '2023-03-20 12:00'), concat_ws(E'\n', '1 2023-03-01 charge CNY 1 2023-03 plan pro -11988 -1', '2 2023-03-01 payment CNY 1 11987 -1',
	'3 2023-03-08 suspended 1 - -', '4 2023-03-08 suspended 2 - -', '5 2023-03-09 charge CNY 2 2023-03 group_members -5 -6', '6 2023-03-11 payment CNY 3 4 -2',
	'7 2023-03-12 payment CNY 4 2 0', '8 2023-03-12 resumed 1 - -', '9 2023-03-12 resumed 2 - -'), 'through the day on which it was over');
SELECT is((SELECT string_agg(r.note, ' ' ORDER BY r.ordinal) FROM im_arrears_reason(7, at8('2023-03-08 12:00')) r),
	'plan pro of app 1 for 2023-03 fell due. Paid. App 1 is suspended from this day on. App 2 is suspended from this day on.', 'in sentences');
CALL pay(7, 5, '2023-03-21 10:00', -3);
SELECT is(reason(7, '2023-03-21 12:00'), E'1 2023-03-20 balance CNY - 0\n2 2023-03-21 payment CNY 5 -3 -3', 'the next story begins with the balance before');
ROLLBACK TO before;

-- A bill that cannot be right stops nobody else's run, and nobody for it
CALL app(8);
CALL account(8, '2023-01-01', '{8}');
CALL buy(8, 1, '2023-03-01 10:00', 'plan', 'pro', 1);
CALL chk(8, '2023-03-02 12:00', 'smell');
CALL suspend(8, '[2023-02-01,)');
CALL settle();
SET LOCAL client_min_messages = error;
SELECT is(run('2023-03-08 12:00'), 2::bigint, 'the other account is suspended');
SELECT is(suspended(1, 2, 8), E'1 [2023-03-08,)\n2 [2023-03-08,)\n8 [2023-02-01,)', 'this one stays as it is');
SET LOCAL client_min_messages = warning;
SELECT fails_with($$SELECT * FROM im_balance(8, at8('2023-03-08 12:00'))$$, '22023', 'smell', 'its balance is an error that names the row');
SELECT is(im_internal.im_untellable('{7,8}', at8('2023-03-08 12:00'))::text, '(8,"unknown kind ""smell"". Table im_moderation_check, app 8, at 2023-03-02 04:00:00+00.")', 'which the warning tells');
SELECT is((SELECT string_agg(s.app_id || s.kind, ',' ORDER BY s.app_id) FROM im_internal.im_arrears_standing(NULL, '2023-03', at8('2023-03-07 12:00')) s), '1arrears,2arrears', 'nor does it stop alerts');
ROLLBACK TO before;

-- What it refuses
SELECT fails_with(format('SELECT im_suspend_arrears(now(), %s)', days), '22023', 'arrears cannot stand', days || ' days are none')
FROM unnest('{-1,3661,2147483647}'::int[]) days;
SELECT is(im_suspend_arrears(NULL), NULL, 'no instant, no run');
SELECT fails_with($$SELECT im_suspend_arrears('infinity')$$, '22008', '', 'none at infinity');

SELECT * FROM finish();
ROLLBACK;
