-- R7: suspension, stopping, and what stays possible.
BEGIN;
\ir include/setup.sql

-- Status --------------------------------------------------------------------------
-- pro [2023-03-05,2023-04-05), grace through 04-11, stopped 04-12..07-10, reclaimed.
CALL app(1);
CALL buy(1, 1, '2023-03-05', 'plan', 'pro');
CALL suspend(1, '[2023-03-10,2023-03-12)');
CALL suspend(1, '[2023-04-06,2023-04-07)', 'violation');
CALL suspend(1, '[2023-04-20,2023-04-22)', 'refund');
SELECT is(im_app_status(1, at8(t)), s, format('%s: %s', t, s))
FROM (VALUES
	('2023-03-04 23:59:59.999999', 'trial'), ('2023-03-05 00:00', 'active'),
	('2023-03-09 23:59:59.999999', 'active'), ('2023-03-10 00:00', 'suspended'),
	('2023-03-11 23:59:59.999999', 'suspended'), ('2023-03-12 00:00', 'active'),
	('2023-04-05 12:00', 'grace'), ('2023-04-06 12:00', 'suspended'), ('2023-04-07 12:00', 'grace'),
	('2023-04-19 12:00', 'stopped'), ('2023-04-20 12:00', 'suspended'),
	('2023-04-22 12:00', 'stopped')) v(t, s);
CALL app(2);
CALL suspend(2, '[2023-03-10,)');
SELECT is(status(2, '2023-03-09'), 'trial', 'a trial app before its suspension');
SELECT is(status(2, '2023-03-10'), 'suspended', 'a trial app can be suspended');
SELECT is(status(2, '2033-03-10'), 'suspended', 'without an end');
CALL app(3);
CALL suspend(3, '(,2023-03-10)');
SELECT is(status(3, '2023-03-09'), 'suspended', 'a suspension without a beginning');
SELECT is(status(3, '2023-03-10'), 'trial', 'and its end');
SELECT throws_ok('SELECT im_app_status(999, now())', NULL, NULL, 'an unknown app has no status');

-- Suspension forbids no order ---------------------------------------------------------
CALL app(4);
CALL suspend(4, '[2023-03-01,)');
SELECT accepted($$CALL buy(4, 1, '2023-03-10', 'plan', 'pro')$$, 'suspended: a plan');
SELECT accepted($$CALL buy(4, 1, '2023-03-10', 'local_moderation')$$, 'suspended: local moderation');
SELECT accepted($$CALL pack(4, 1, '2023-03-10', 'month')$$, 'suspended: a pack');
SELECT accepted($$CALL turn(4, 1, '2023-03-10', 'on', 'moderation')$$, 'suspended: a switch');
SELECT refused($$CALL buy(4, 1, '2023-03-10', 'group_members')$$, 'plan|trial',
	'suspended: an add-on needs a paid plan as ever');
CALL buy(4, 1, '2023-03-10', 'plan', 'pro', 2);
SELECT accepted($$CALL buy(4, 2, '2023-03-10', 'group_members')$$, 'suspended with a plan: an add-on');
SELECT accepted($$CALL buy(4, 2, '2023-03-20', 'plan', 'pro')$$, 'suspended: a renewal');
SELECT accepted($$CALL upgrade(4, 2, '2023-03-20')$$, 'suspended: an upgrade');
SELECT accepted($$CALL refund(4, 2, '2023-03-20', 1)$$, 'suspended: a refund');
-- The purchase is billed though no day counts.
CALL daily(4, '2023-03-12', dau => 20000, peak_groups => 200000, texts => 10, audio => 10);
SELECT bill_is(4, '2023-03', ARRAY[
	'plan:pro | [2023-03-10,2023-05-10) | 2023-03-10 | 2 0 2 2 999 1998'],
	'suspended: the purchase is billed, usage is not');

-- Stopped and reclaimed: everything but add-ons ----------------------------------------------
SELECT accepted($$CALL buy(1, 2, '2023-04-20', 'local_moderation')$$, 'stopped: local moderation');
SELECT accepted($$CALL pack(1, 2, '2023-04-20', 'month')$$, 'stopped: a pack');
SELECT accepted($$CALL turn(1, 2, '2023-04-20', 'on', 'moderation')$$, 'stopped: a switch on');
SELECT accepted($$CALL turn(1, 2, '2023-04-20', 'off', 'moderation')$$, 'stopped: a switch off');
SELECT refused($$CALL buy(1, 2, '2023-04-20', 'group_members')$$, 'plan|stopped', 'stopped: no add-on');
SELECT accepted($$CALL buy(1, 2, '2023-08-20', 'plan', 'pro')$$, 'reclaimed: a plan');
SELECT accepted($$CALL pack(1, 2, '2023-08-20', 'month')$$, 'reclaimed: a pack');

-- Out of service: usage is not billed and takes nothing ------------------------------------
-- stopped since 04-12
CALL app(5);
CALL buy(5, 1, '2023-03-05', 'plan', 'pro');
CALL turn(5, 2, '2023-03-05', 'on', 'moderation');
CALL pack(5, 3, '2023-04-01', 'month');
CALL daily(5, '2023-04-11', dau => 1, peak_groups => 1, texts => 1, audio => 1);
CALL daily(5, '2023-04-12', dau => 90000, peak_groups => 900000, texts => 1100000, audio => 500);
SELECT bill_is(5, '2023-04', ARRAY[
	-- k = 11 of 30, of nothing
	'dau_overage:pro | [2023-04-01,2023-05-01) | 2023-05-01 | 1 10000 0 0 1000 0',
	'group_overage:pro | [2023-04-01,2023-05-01) | 2023-05-01 | 1 100000 0 0 1000 0',
	'call_minutes:audio | [2023-04-01,2023-05-01) | 2023-05-01 | 1 0 1 1 0.007 0.007',
	'moderation_pack:month | [2023-04-01,2023-05-01) | 2023-04-01 | 1 0 1 1 1050 1050',
	'moderation: | [2023-04-01,2023-05-01) | 2023-05-01 | 1 1 0 0 0.001 0'],
	'the last day of the grace is billed, stopped days are not');
-- The share is of overage and history only: calls and checks are not shared.
CALL app(6);
CALL buy(6, 1, '2023-03-05', 'plan', 'pro');
CALL turn(6, 2, '2023-03-05', 'on', 'moderation');
CALL daily(6, '2023-04-11', texts => 1000, audio => 1000);
SELECT is(amounts(6, '2023-04', 'call_minutes'), '7', 'the stop share does not touch call minutes');
SELECT is(amounts(6, '2023-04', 'moderation'), '1', 'nor moderation');
-- Raw rows on suspended days
CALL app(7);
CALL buy(7, 1, '2023-03-01', 'plan', 'pro');
CALL turn(7, 2, '2023-03-01', 'on', 'moderation');
CALL suspend(7, '[2023-03-10,2023-03-11)');
CALL login(7, 'a', '2023-03-10 00:00');
CALL login(7, 'b', '2023-03-10 23:59:59.999999');
CALL login(7, 'c', '2023-03-11 00:00');
CALL chk(7, '2023-03-10 00:00', 'text');
CALL chk(7, '2023-03-10 23:59:59.999999', 'text');
CALL chk(7, '2023-03-09 23:59:59.999999', 'text');
CALL talk(7, '2023-03-10 12:00', 'hd', 600);
CALL talk(7, '2023-03-11 00:00', 'hd', 60);
SELECT is(quantities(7, '2023-03', 'dau_overage'), '1', 'logins of a suspended day do not count');
SELECT is(quantities(7, '2023-03', 'moderation'), '1', 'checks of a suspended day are not billed');
SELECT is(quantities(7, '2023-03', 'call_minutes'), '1', 'nor are its calls');
-- A suspended day of a trial app is out of service too.
CALL app(8);
CALL suspend(8, '[2023-03-10,2023-03-11)');
CALL daily(8, '2023-03-09', audio => 1);
CALL daily(8, '2023-03-10', audio => 10);
SELECT is(quantities(8, '2023-03', 'call_minutes'), '1', 'a trial app pays calls, but not of suspended days');
-- Overlapping suspensions are one.
CALL app(9);
CALL buy(9, 1, '2023-03-01', 'plan', 'pro', 2);
CALL suspend(9, '[2023-03-20,2023-04-01)');
CALL suspend(9, '[2023-03-25,2023-04-05)', 'violation');
CALL daily(9, '2023-03-02', dau => 10001);
-- k = 19 of 31: 19000/31 = 612.903225806...
SELECT is(amounts(9, '2023-03', 'dau_overage'), '612.90322581', 'a day suspended twice is suspended once');

CALL settle();
SELECT * FROM finish();
ROLLBACK;
