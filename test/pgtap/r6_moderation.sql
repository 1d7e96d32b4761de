-- R6: local and cloud moderation, deductions, packs, the switch.
BEGIN;
\ir include/setup.sql

-- Local moderation -------------------------------------------------------------
CALL app(1);
CALL buy(1, 1, '2023-01-31', 'local_moderation', '', 2);
SELECT bill_is(1, '2023-01', ARRAY[
	'local_moderation: | [2023-01-31,2023-03-31) | 2023-01-31 | 2 0 2 2 1000 2000'],
	'1000 a month, on trial too');
CALL buy(1, 2, '2023-03-30', 'local_moderation', '', 1, paid => 900);
SELECT bill_is(1, '2023-03', ARRAY[
	'local_moderation: | [2023-03-31,2023-04-30) | 2023-03-30 | 1 0 1 1 1000 900'],
	'again while in force: from its end day; an agreed price');
SELECT refused($$CALL buy(1, 3, '2023-05-30', 'local_moderation', '', 0)$$, 'months', '0 months');
SELECT refused($$CALL buy(1, 3, '2023-05-30', 'local_moderation', '', 1201)$$, 'months', '1201 months');
SELECT accepted($$CALL buy(1, 3, '2023-05-30', 'local_moderation', '', 1200)$$, '1200 months');
SELECT refused($$CALL buy(1, 3, '2023-05-30', 'local_moderation', '', NULL)$$, 'months', 'no months');
SELECT refused($$CALL buy(1, 3, '2023-05-30', 'local_moderation', '', 1, 2)$$, 'quantity', 'two of it');
SELECT refused($$CALL buy(1, 3, '2023-05-30', 'local_moderation', 'x')$$, 'option|x', 'an option of it');

-- The aggregate ------------------------------------------------------------------
CREATE TEMP TABLE ev (tst text, kind text, t text, seconds int);
INSERT INTO ev
SELECT 'page', 'text', '2023-03-05 08:10', NULL FROM generate_series(1, 10);
INSERT INTO ev
SELECT 'page', 'image', '2023-03-05 08:15', NULL FROM generate_series(1, 10);
INSERT INTO ev VALUES
	('page', 'audio', '2023-03-05 08:12', 25), ('page', 'audio', '2023-03-05 08:20', 135),
	('29', 'audio', '2023-03-05 08:12', 29), ('30', 'audio', '2023-03-05 08:12', 30),
	('59', 'audio', '2023-03-05 08:12', 59), ('60', 'audio', '2023-03-05 08:12', 60),
	('160', 'audio', '2023-03-05 08:12', 160),
	('v29', 'video', '2023-03-05 08:12', 29), ('v30', 'video', '2023-03-05 08:12', 30),
	('v89', 'video', '2023-03-05 08:12', 89), ('v90', 'video', '2023-03-05 08:12', 90),
	('15+15', 'audio', '2023-03-05 08:00', 15),
	('15+15', 'audio', '2023-03-05 08:59:59.999999', 15),
	('turn', 'audio', '2023-03-05 08:59:59.999999', 29),
	('turn', 'audio', '2023-03-05 09:00', 29),
	('kinds', 'audio', '2023-03-05 08:00', 20), ('kinds', 'video', '2023-03-05 08:00', 20),
	('0s', 'audio', '2023-03-05 08:00', 0),
	('img', 'image', '2023-03-05 08:00', NULL), ('txt', 'text', '2023-03-05 08:00', NULL),
	('days', 'audio', '2023-03-05 08:00', 20), ('days', 'audio', '2023-03-06 08:00', 20);
SELECT is((SELECT im_moderation_deductions(im_bundled_card('cn', '2019-12-10'), kind, at8(t), seconds)
		   FROM ev WHERE tst = e.id), e.deductions, e.why)
FROM (VALUES
	('page', 54::numeric, 'the page''s example: 10 * 1 + 10 * 0.65 + 2.5 * 15 = 54'),
	('29', 0, '29 s do not count'), ('30', 7.5, '30 s are half a minute: 0.5 * 15'),
	('59', 7.5, '59 s are half a minute'), ('60', 15, '60 s are a minute'),
	('160', 37.5, '160 s are 2.5 minutes'),
	('v29', 0, 'video of 29 s'), ('v30', 28, 'video of 30 s: 0.5 * 56'),
	('v89', 56, 'video of 89 s: 1 * 56'), ('v90', 84, 'video of 90 s: 1.5 * 56'),
	('15+15', 7.5, 'seconds of one clock hour are summed'),
	('turn', 0, 'seconds of two clock hours are not'),
	('kinds', 0, 'audio and video are summed apart'),
	('0s', 0, 'no seconds'), ('img', 0.65, 'an image'), ('txt', 1, 'a text'),
	('days', 0, 'the same hour of two days')) e(id, deductions, why);

-- Hours of other zones: Kolkata's begin at half past in UTC.
SELECT is((SELECT im_moderation_deductions(
		jsonb_set(cn(), '{time_zone}', '"Asia/Kolkata"')::im_rate_card, 'audio', t::timestamptz, 20)
	FROM unnest(ARRAY['2023-03-05 08:29:59+00', '2023-03-05 08:30+00']) t), 0::numeric,
	'an hour of Asia/Kolkata begins at :30 UTC');
SELECT is((SELECT im_moderation_deductions(
		jsonb_set(cn(), '{time_zone}', '"Asia/Kolkata"')::im_rate_card, 'audio', t::timestamptz, 20)
	FROM unnest(ARRAY['2023-03-05 08:59:59+00', '2023-03-05 09:00+00']) t), 7.5,
	'and does not end at :00 UTC');
-- New York repeats 01:00-02:00 on 2023-11-05: 05:30 and 06:30 UTC are both 01:30.
SELECT is((SELECT im_moderation_deductions(
		jsonb_set(cn(), '{time_zone}', '"America/New_York"')::im_rate_card, 'audio', t::timestamptz, 20)
	FROM unnest(ARRAY['2023-11-05 05:30+00', '2023-11-05 06:30+00']) t), 0::numeric,
	'a repeated hour is two hours');
SELECT is((SELECT im_moderation_deductions(
		jsonb_set(cn(), '{time_zone}', '"America/New_York"')::im_rate_card, 'audio', t::timestamptz, 20)
	FROM unnest(ARRAY['2023-11-05 05:10+00', '2023-11-05 05:50+00']) t), 7.5,
	'each of the two is one hour');

-- Bills of checks -------------------------------------------------------------------
CALL app(2);
CALL turn(2, 1, '2023-03-01', 'on', 'moderation');
INSERT INTO im_moderation_check (app_id, at, kind, seconds)
SELECT 2, at8(t), kind, seconds FROM ev WHERE tst = 'page';
SELECT bill_is(2, '2023-03', ARRAY[
	'moderation: | [2023-03-01,2023-04-01) | 2023-04-01 | 54 0 54 54 0.001 0.054'],
	'the page''s example on a bill, postpaid at 0.0010, on trial');
SELECT is(im_monthly_total(2, '2023-03'), 0.05, '0.054 rounds to 0.05');
-- Half minutes of raw rows are cut per hour, the day's are summed.
CALL app(3);
CALL turn(3, 1, '2023-03-01', 'on', 'moderation');
CALL chk(3, '2023-03-05 08:00', 'audio', 59);
CALL chk(3, '2023-03-05 09:00', 'audio', 59);
CALL chk(3, '2023-03-05 23:59:59.999999', 'video', 29);
CALL chk(3, '2023-03-06 00:00', 'video', 29);
CALL chk(3, '2023-03-31 23:59:59.999999', 'text');
CALL chk(3, '2023-04-01 00:00', 'image');
-- March: 0.5 * 15 + 0.5 * 15 + 0 + 1 = 16
SELECT is(quantities(3, '2023-03', 'moderation'), '16', 'per clock hour, then summed');
SELECT is(quantities(3, '2023-04', 'moderation'), '0.65', 'the check at midnight is in April');
-- Daily rows
CALL app(4);
CALL turn(4, 1, '2023-03-01', 'on', 'moderation');
CALL daily(4, '2023-03-05', texts => 3, images => 3, audio_half => 5, video_half => 1);
-- 3 + 1.95 + 2.5*15 + 0.5*56 = 3 + 1.95 + 37.5 + 28 = 70.45
SELECT bill_is(4, '2023-03', ARRAY[
	'moderation: | [2023-03-01,2023-04-01) | 2023-04-01 | 70.45 0 70.45 70.45 0.001 0.07045'],
	'daily figures: half minutes count half');

-- The switch --------------------------------------------------------------------------
CALL app(11);
CALL pack(11, 1, '2023-03-01', 'month');
CALL turn(11, 2, '2023-03-10 23:59:59.999999', 'on', 'moderation');
CALL turn(11, 3, '2023-03-20 00:00', 'off', 'moderation');
CALL daily(11, '2023-03-09', texts => 1100000);
CALL daily(11, '2023-03-10', texts => 100000);
CALL daily(11, '2023-03-20', texts => 1000000);
CALL daily(11, '2023-03-21', texts => 5);
SELECT lines_are(11, '2023-03', 'moderation', ARRAY[
	'moderation: | [2023-03-01,2023-04-01) | 2023-04-01 | 1100000 1100000 0 0 0.001 0'],
	'the day of switching on and the day of switching off count; off days take nothing from packs');
CALL app(12);
CALL pack(12, 1, '2023-03-01', 'month');
CALL daily(12, '2023-03-09', texts => 10);
SELECT is(amounts(12, '2023-03', 'moderation'), '', 'never switched on: not billed');
CALL app(13);
CALL turn(13, 1, '2023-03-05', 'on', 'moderation');
CALL turn(13, 2, '2023-03-06', 'on', 'moderation');
CALL turn(13, 3, '2023-03-07', 'off', 'moderation');
CALL turn(13, 4, '2023-03-08', 'off', 'moderation');
CALL daily(13, '2023-03-07', texts => 1);
CALL daily(13, '2023-03-08', texts => 10);
SELECT is(quantities(13, '2023-03', 'moderation'), '1', 'on when on and off when off have no effect');
CALL app(14);
CALL turn(14, 1, '2023-03-05 10:00', 'on', 'moderation');
CALL turn(14, 2, '2023-03-05 11:00', 'off', 'moderation');
CALL turn(14, 3, '2023-03-07 10:00', 'on', 'moderation');
CALL daily(14, '2023-03-05', texts => 1);
CALL daily(14, '2023-03-06', texts => 10);
CALL daily(14, '2023-03-07', texts => 100);
CALL daily(14, '2023-05-07', texts => 1000);
SELECT is(quantities(14, '2023-03', 'moderation'), '101', 'on and off on one day: that day counts');
SELECT is(quantities(14, '2023-05', 'moderation'), '1000', 'it stays on until it is switched off');

-- Packs: prices, terms, quantities -------------------------------------------------------
CALL app(21);
CALL pack(21, 1, '2024-02-29 12:00', 'month');
CALL pack(21, 2, '2024-02-29 12:00', 'year_small', 2);
CALL pack(21, 3, '2024-02-29 12:00', 'year_medium');
CALL pack(21, 4, '2024-02-29 12:00', 'year_large', 3);
-- 2 * 9500 = 19000; 3 * 72000 = 216000
SELECT bill_is(21, '2024-02', ARRAY[
	'moderation_pack:month | [2024-02-29,2024-03-29) | 2024-02-29 | 1 0 1 1 1050 1050',
	'moderation_pack:year_small | [2024-02-29,2025-02-28) | 2024-02-29 | 2 0 2 2 9500 19000',
	'moderation_pack:year_medium | [2024-02-29,2025-02-28) | 2024-02-29 | 1 0 1 1 49000 49000',
	'moderation_pack:year_large | [2024-02-29,2025-02-28) | 2024-02-29 | 3 0 3 3 72000 216000'],
	'packs: price, term, due on the day; on trial');
CALL app(22);
CALL buy(22, 1, '2023-03-01', 'moderation_pack', 'year_small', 12);
CALL buy(22, 2, '2023-03-02', 'moderation_pack', 'month', 1, 2, paid => 2000);
SELECT bill_is(22, '2023-03', ARRAY[
	'moderation_pack:year_small | [2023-03-01,2024-03-01) | 2023-03-01 | 1 0 1 1 9500 9500',
	'moderation_pack:month | [2023-03-02,2023-04-02) | 2023-03-02 | 2 0 2 2 1050 2000'],
	'the pack''s own months may be given; an agreed price is that of the order');
SELECT refused($$CALL buy(22, 3, '2023-03-03', 'moderation_pack', 'month', 2)$$, 'months',
	'months that are not the pack''s');
SELECT refused($$CALL pack(22, 3, '2023-03-03', 'month', 0)$$, 'quantity', 'no pack');
SELECT refused($$CALL pack(22, 3, '2023-03-03', 'month', -1)$$, 'quantity', '-1 packs');
SELECT refused($$CALL pack(22, 3, '2023-03-03', 'week')$$, 'week', 'an unknown pack');
SELECT refused($$CALL pack(22, 3, '2023-03-03', '')$$, 'pack', 'no pack name');
SELECT refused($$CALL refund(22, 3, '2023-03-03', 1)$$, 'pack', 'a pack is never refunded');
SELECT refused($$CALL refund(22, 3, '2023-03-01', 1)$$, 'pack', 'not even on its day');

-- The last of a pack: 1,100,000 on day one, one more ------------------------------------------
CALL app(23);
CALL pack(23, 1, '2023-03-05', 'month');
CALL turn(23, 2, '2023-03-05', 'on', 'moderation');
CALL daily(23, '2023-03-05', texts => 1100000);
CALL daily(23, '2023-03-06', texts => 1);
SELECT lines_are(23, '2023-03', 'moderation', ARRAY[
	'moderation: | [2023-03-01,2023-04-01) | 2023-04-01 | 1100001 1100000 1 1 0.001 0.001'],
	'the pack to its last deduction, one more is postpaid');
-- 1,099,998 + 3 * 0.65 = 1,099,999.95: 0.05 left. One image takes it and owes 0.60.
CALL app(24);
CALL pack(24, 1, '2023-03-05', 'month');
CALL turn(24, 2, '2023-03-05', 'on', 'moderation');
CALL daily(24, '2023-03-05', texts => 1099998, images => 3);
SELECT lines_are(24, '2023-03', 'moderation', ARRAY[
	'moderation: | [2023-03-01,2023-04-01) | 2023-04-01 | 1099999.95 1099999.95 0 0 0.001 0'],
	'0.05 of the pack left');
CALL daily(24, '2023-03-06', images => 1);
SELECT lines_are(24, '2023-03', 'moderation', ARRAY[
	'moderation: | [2023-03-01,2023-04-01) | 2023-04-01 | 1100000.6 1100000 0.6 0.6 0.001 0.0006'],
	'a pack is taken to its last fraction: the last 0.05, then 0.60 postpaid');
SELECT is(im_monthly_total(24, '2023-03'), 1050.00, '1050 + 0.0006 rounds to 1050.00');

-- Two packs of one order
CALL app(25);
CALL pack(25, 1, '2023-03-05', 'month', 2);
CALL turn(25, 2, '2023-03-05', 'on', 'moderation');
CALL daily(25, '2023-03-06', texts => 2200001);
SELECT lines_are(25, '2023-03', 'moderation', ARRAY[
	'moderation: | [2023-03-01,2023-04-01) | 2023-04-01 | 2200001 2200000 1 1 0.001 0.001'],
	'quantity 2 buys two packs; a day may take from both');

-- The term of a pack: whole day of purchase, last day, end day
CALL app(26);
CALL turn(26, 1, '2023-03-01', 'on', 'moderation');
CALL pack(26, 2, '2023-03-10 23:59:59', 'month');
CALL daily(26, '2023-03-09', texts => 10);
INSERT INTO im_moderation_check (app_id, at, kind) VALUES (26, at8('2023-03-10 00:00'), 'text');
CALL daily(26, '2023-04-09', texts => 100);
CALL daily(26, '2023-04-10', texts => 1000);
SELECT lines_are(26, '2023-03', 'moderation', ARRAY[
	'moderation: | [2023-03-01,2023-04-01) | 2023-04-01 | 11 1 10 10 0.001 0.01'],
	'a pack bought during the day covers that whole day, not the day before');
SELECT lines_are(26, '2023-04', 'moderation', ARRAY[
	'moderation: | [2023-04-01,2023-05-01) | 2023-05-01 | 1100 100 1000 1000 0.001 1'],
	'the last day is covered; what is left lapses');
-- Jan 31 + 1 month
CALL app(27);
CALL turn(27, 1, '2023-01-01', 'on', 'moderation');
CALL pack(27, 2, '2023-01-31', 'month');
CALL daily(27, '2023-02-27', texts => 1);
CALL daily(27, '2023-02-28', texts => 2);
SELECT lines_are(27, '2023-02', 'moderation', ARRAY[
	'moderation: | [2023-02-01,2023-03-01) | 2023-03-01 | 3 1 2 2 0.001 0.002'],
	'a pack of Jan 31 ends with Feb 27');
-- Feb 29 + 1 year
CALL app(28);
CALL turn(28, 1, '2024-02-01', 'on', 'moderation');
CALL pack(28, 2, '2024-02-29', 'year_small');
CALL daily(28, '2025-02-27', texts => 1);
CALL daily(28, '2025-02-28', texts => 2);
SELECT lines_are(28, '2025-02', 'moderation', ARRAY[
	'moderation: | [2025-02-01,2025-03-01) | 2025-03-01 | 3 1 2 2 0.001 0.002'],
	'a year pack of Feb 29 ends with Feb 27 of the next year');

-- Earliest end first ---------------------------------------------------------------------------
-- The year pack bought first ends last: the month pack is used first, 500 of it.
CALL app(31);
CALL turn(31, 1, '2023-03-01', 'on', 'moderation');
CALL pack(31, 2, '2023-03-01', 'year_small');
CALL pack(31, 3, '2023-03-10', 'month');
CALL daily(31, '2023-03-15', texts => 500);
CALL daily(31, '2023-04-15', texts => 10000001);
SELECT lines_are(31, '2023-04', 'moderation', ARRAY[
	'moderation: | [2023-04-01,2023-05-01) | 2023-05-01 | 10000001 10000000 1 1 0.001 0.001'],
	'the pack that ends first is used first, though bought later');
-- A day that needs both: 1,100,000 from the month pack, 400 from the year pack.
CALL app(32);
CALL turn(32, 1, '2023-03-01', 'on', 'moderation');
CALL pack(32, 2, '2023-03-01', 'year_small');
CALL pack(32, 3, '2023-03-10', 'month');
CALL daily(32, '2023-03-15', texts => 1100400);
CALL daily(32, '2023-04-15', texts => 9999601);
SELECT is(amounts(32, '2023-03', 'moderation'), '0', 'a day may take from several packs');
SELECT lines_are(32, '2023-04', 'moderation', ARRAY[
	'moderation: | [2023-04-01,2023-05-01) | 2023-05-01 | 9999601 9999600 1 1 0.001 0.001'],
	'the year pack gave 400 in March and has 9,999,600 left');
-- Usage of later days does not use a pack that was bought after them.
CALL app(33);
CALL turn(33, 1, '2023-03-01', 'on', 'moderation');
CALL daily(33, '2023-03-05', texts => 7);
CALL pack(33, 2, '2023-03-10', 'month');
CALL daily(33, '2023-03-11', texts => 5);
SELECT lines_are(33, '2023-03', 'moderation', ARRAY[
	'moderation: | [2023-03-01,2023-04-01) | 2023-04-01 | 12 5 7 7 0.001 0.007'],
	'a pack covers no day before its purchase');

-- Out of service ------------------------------------------------------------------------------
CALL app(41);
CALL turn(41, 1, '2023-03-01', 'on', 'moderation');
CALL pack(41, 2, '2023-03-01', 'month');
CALL suspend(41, '[2023-03-10,2023-03-12)');
CALL daily(41, '2023-03-09', texts => 1);
CALL daily(41, '2023-03-10', texts => 1000000);
CALL daily(41, '2023-03-11', texts => 1000000);
CALL daily(41, '2023-03-12', texts => 1099999);
SELECT lines_are(41, '2023-03', 'moderation', ARRAY[
	'moderation: | [2023-03-01,2023-04-01) | 2023-04-01 | 1100000 1100000 0 0 0.001 0'],
	'checks of suspended days are not billed and take nothing');

-- The statement --------------------------------------------------------------------------------
SELECT is((SELECT count(*) FROM im_moderation_statement(24, '2023-03') s
		   WHERE s.deductions > 0), 2::bigint, 'the statement has a row for each day with deductions');
SELECT results_eq($$SELECT day, deductions, postpaid, amount FROM im_moderation_statement(24, '2023-03')
	WHERE deductions > 0 ORDER BY day$$,
	$$VALUES ('2023-03-05'::date, 1099999.95, 0::numeric, 0::numeric),
			 ('2023-03-06', 0.65, 0.60, 0.00060)$$,
	'the statement: each day''s deductions, the postpaid rest and its amount');
SELECT is((SELECT sum(amount) FROM im_moderation_statement(26, '2023-04')),
	(SELECT sum(amount) FROM im_monthly_bill(26, '2023-04') WHERE item = 'moderation'),
	'the statement adds up to the line');

-- Not sold
CALL app(51, 'intl');
SELECT refused($$CALL turn(51, 1, '2023-03-01', 'on', 'moderation')$$, 'moderation',
	'a card without cloud moderation does not sell it');
SELECT refused($$CALL pack(51, 1, '2023-03-01', 'month')$$, 'pack', 'nor packs');
SELECT refused($$CALL buy(51, 1, '2023-03-01', 'local_moderation')$$, 'local_moderation',
	'nor local moderation');

-- Scenes do not matter, their seconds are summed; a daily row is the truth of what it gives.
CALL app(61);
CALL turn(61, 1, '2023-03-01', 'on', 'moderation');
INSERT INTO im_moderation_check (app_id, at, kind, seconds, scene) VALUES
	(61, at8('2023-03-05 12:00'), 'audio', 15, 'single'), (61, at8('2023-03-05 12:30'), 'audio', 15, 'group'),
	(61, at8('2023-03-06 12:30'), 'text', NULL, 'profile');
SELECT is(quantities(61, '2023-03', 'moderation'), '8.5', 'scenes of one hour are summed: 7.5 + 1');
CALL daily(61, '2023-03-05', images => 1);
SELECT is(quantities(61, '2023-03', 'moderation'), '9.15', 'checks of another kind than that of a daily row count on');
UPDATE im_usage_daily SET audio_half_minutes = 0 WHERE app_id = 61;
SELECT is(quantities(61, '2023-03', 'moderation'), '1.65', 'and those of a kind that it gives do not');
-- What raw rows of an earlier month took from a year pack is gone: 10,000,000 - 5 in March.
CALL app(62);
CALL turn(62, 1, '2023-03-01', 'on', 'moderation');
CALL pack(62, 2, '2023-03-01', 'year_small');
INSERT INTO im_moderation_check (app_id, at, kind) SELECT 62, at8('2023-03-31 23:59:59.999999'), 'text' FROM generate_series(1, 5);
CALL daily(62, '2024-02-29', texts => 10000000);
SELECT lines_are(62, '2024-02', 'moderation', ARRAY[
	'moderation: | [2024-02-01,2024-03-01) | 2024-03-01 | 10000000 9999995 5 5 0.001 0.005'],
	'a year pack remembers what the first month took');
SELECT is((SELECT string_agg(n(included), ' ') FROM im_monthly_bills('2024-02') WHERE app_id = 62), '9999995', 'among all apps too');
-- Checks before the switch was on took nothing from it.
CALL app(63);
CALL pack(63, 1, '2023-03-01', 'month');
CALL daily(63, '2023-03-02', texts => 1100000);
CALL turn(63, 2, '2023-03-03', 'on', 'moderation');
CALL daily(63, '2023-03-03', texts => 1100001);
SELECT is(amounts(63, '2023-03', 'moderation'), '0.001', 'days with the switch off take nothing from packs');
CALL app(64);
CALL turn(64, 1, '2023-03-01', 'on', 'moderation');
CALL pack(64, 2, '2023-03-10 08:00', 'month');
CALL pack(64, 3, '2023-03-10 20:00', 'month');
CALL daily(64, '2023-03-10', texts => 2200001);
SELECT is(amounts(64, '2023-03', 'moderation'), '0.001', 'two packs of one day cover that whole day');
-- A day before the first usage day of the month is billed in its own month only, the first day in this one.
CALL app(65);
CALL turn(65, 1, '2023-03-01', 'on', 'moderation');
CALL daily(65, '2023-03-01', texts => 3);
CALL daily(65, '2023-03-31', texts => 5);
SELECT is(quantities(65, '2023-03', 'moderation'), '8', 'the first and the last day of the month are in it');
SELECT results_eq($$SELECT day, deductions FROM im_moderation_statement(65, '2023-03') WHERE deductions > 0 ORDER BY 1$$,
	$$VALUES ('2023-03-01'::date, 3::numeric), ('2023-03-31', 5)$$, 'and in the statement');

CALL settle();
SELECT * FROM finish();
ROLLBACK;
