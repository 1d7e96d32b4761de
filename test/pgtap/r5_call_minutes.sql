-- R5: call minutes, packs of term months, whole minutes.
BEGIN;
\ir include/setup.sql

-- Every started minute of a day and class -------------------------------------
CALL app(1);
CALL talk(1, '2023-03-05 10:00', 'audio', 59);
CALL talk(1, '2023-03-05 11:00', 'audio', 1);
CALL talk(1, '2023-03-06 10:00', 'audio', 61);
CALL talk(1, '2023-03-07 10:00', 'audio', 1);
CALL talk(1, '2023-03-08 10:00', 'audio', 0);
CALL talk(1, '2023-03-05 10:00', 'sd', 60);
CALL talk(1, '2023-03-05 10:00', 'hd', 30);
CALL talk(1, '2023-03-05 10:00', 'hd', 31);
CALL talk(1, '2023-03-05 10:00', 'fhd', 3600);
-- audio: ceil(60/60) + ceil(61/60) + ceil(1/60) = 1 + 2 + 1 = 4; 4 * 0.007 = 0.028
-- sd 1 * 0.014; hd ceil(61/60) = 2 * 0.028 = 0.056; fhd 60 * 0.105 = 6.3
SELECT bill_is(1, '2023-03', ARRAY[
	'call_minutes:audio | [2023-03-01,2023-04-01) | 2023-04-01 | 4 0 4 4 0.007 0.028',
	'call_minutes:sd | [2023-03-01,2023-04-01) | 2023-04-01 | 1 0 1 1 0.014 0.014',
	'call_minutes:hd | [2023-03-01,2023-04-01) | 2023-04-01 | 2 0 2 2 0.028 0.056',
	'call_minutes:fhd | [2023-03-01,2023-04-01) | 2023-04-01 | 60 0 60 60 0.105 6.3'],
	'on trial, without the add-on, all minutes are postpaid, exactly per minute');
-- 0.028 + 0.014 + 0.056 + 6.3 = 6.398 -> 6.40
SELECT is(im_monthly_total(1, '2023-03'), 6.40, 'rounded once');
CALL app(2);
CALL daily(2, '2023-03-05', audio => 1000, sd => 1000, hd => 1000, fhd => 1000);
SELECT is(amounts(2, '2023-03', 'call_minutes'), '7 14 28 105', 'the prices per 1000 minutes');

-- Midnight
CALL app(3);
CALL talk(3, '2023-03-31 23:59:59.999999', 'audio', 30);
CALL talk(3, '2023-04-01 00:00', 'audio', 30);
CALL talk(3, '2023-04-01 23:59:59.999999', 'audio', 30);
CALL talk(3, '2023-04-02 00:00', 'audio', 30);
SELECT is(quantities(3, '2023-03', 'call_minutes'), '1', 'the call before midnight is in March');
SELECT is(quantities(3, '2023-04', 'call_minutes'), '2',
	'30 + 30 s of one day are one minute, 30 s of the next another');
CALL app(4);
CALL talk(4, '2023-03-05 10:00', 'audio', 60);
CALL talk(4, '2023-03-05 10:00', 'audio', 60);
SELECT is(quantities(4, '2023-03', 'call_minutes'), '2', '120 s: 2 minutes');
CALL talk(4, '2023-03-05 12:00', 'audio', 1);
SELECT is(quantities(4, '2023-03', 'call_minutes'), '3', '121 s: 3');

-- The packs -----------------------------------------------------------------------
-- basic 110,000, advanced 235,000, premium 380,000; the last minute and one more
CREATE PROCEDURE pack_app(app_id bigint, call text) LANGUAGE plpgsql AS $$
BEGIN
	CALL im_test.app(app_id);
	CALL im_test.buy(app_id, 1, '2023-03-01', 'plan', 'pro', 12);
	CALL im_test.buy(app_id, 2, '2023-03-01', 'call', call);
END $$;
DO $$ DECLARE c record; BEGIN
	FOR c IN SELECT * FROM (VALUES (11, 'basic', 110000), (12, 'advanced', 235000),
			(13, 'premium', 380000)) v(id, option, minutes) LOOP
		CALL im_test.pack_app(c.id, c.option);
		CALL im_test.daily(c.id, '2023-03-05', audio => c.minutes);
		CALL im_test.pack_app(c.id + 10, c.option);
		CALL im_test.daily(c.id + 10, '2023-03-05', audio => c.minutes - 1);
		CALL im_test.daily(c.id + 10, '2023-03-31', audio => 2);
	END LOOP;
END $$;
SELECT lines_are(id, '2023-03', 'call_minutes', ARRAY[format(
	'call_minutes:audio | [2023-03-01,2023-04-01) | 2023-04-01 | %1$s %1$s 0 0 0.007 0', minutes)],
	format('%s covers %s audio minutes', option, minutes))
FROM (VALUES (11, 'basic', 110000), (12, 'advanced', 235000), (13, 'premium', 380000)) v(id, option, minutes);
SELECT lines_are(id + 10, '2023-03', 'call_minutes', ARRAY[format(
	'call_minutes:audio | [2023-03-01,2023-04-01) | 2023-04-01 | %s %s 1 1 0.007 0.007', minutes + 1, minutes)],
	format('%s: one more is postpaid', option))
FROM (VALUES (11, 'basic', 110000), (12, 'advanced', 235000), (13, 'premium', 380000)) v(id, option, minutes);

-- Ratios: 110000/2 = 55000 sd, /4 = 27500 hd, /15 = 7333 fhd and 5 pack minutes left
CALL pack_app(31, 'basic');
CALL daily(31, '2023-03-05', sd => 55001);
SELECT lines_are(31, '2023-03', 'call_minutes', ARRAY[
	'call_minutes:sd | [2023-03-01,2023-04-01) | 2023-04-01 | 55001 55000 1 1 0.014 0.014'], 'sd takes 2');
CALL pack_app(32, 'basic');
CALL daily(32, '2023-03-05', hd => 27501);
SELECT lines_are(32, '2023-03', 'call_minutes', ARRAY[
	'call_minutes:hd | [2023-03-01,2023-04-01) | 2023-04-01 | 27501 27500 1 1 0.028 0.028'], 'hd takes 4');
CALL pack_app(33, 'basic');
CALL daily(33, '2023-03-05', fhd => 7334);
-- 7333 * 15 = 109995: 5 left hold no fhd minute, but one hd (4) and one audio (1) of the next days.
CALL daily(33, '2023-03-06', hd => 2);
CALL daily(33, '2023-03-07', audio => 2);
SELECT lines_are(33, '2023-03', 'call_minutes', ARRAY[
	'call_minutes:audio | [2023-03-01,2023-04-01) | 2023-04-01 | 2 1 1 1 0.007 0.007',
	'call_minutes:hd | [2023-03-01,2023-04-01) | 2023-04-01 | 2 1 1 1 0.028 0.028',
	'call_minutes:fhd | [2023-03-01,2023-04-01) | 2023-04-01 | 7334 7333 1 1 0.105 0.105'],
	'fhd takes 15; whole minutes only; what is left serves later, smaller minutes');
-- Class order within a day: audio 10, sd 5, hd 3 take 10 + 10 + 12 = 32 first;
-- (110000 - 32) / 15 = 7331.2: 7331 fhd minutes.
CALL pack_app(34, 'basic');
CALL daily(34, '2023-03-05', audio => 10, sd => 5, hd => 3, fhd => 7333);
SELECT lines_are(34, '2023-03', 'call_minutes', ARRAY[
	'call_minutes:audio | [2023-03-01,2023-04-01) | 2023-04-01 | 10 10 0 0 0.007 0',
	'call_minutes:sd | [2023-03-01,2023-04-01) | 2023-04-01 | 5 5 0 0 0.014 0',
	'call_minutes:hd | [2023-03-01,2023-04-01) | 2023-04-01 | 3 3 0 0 0.028 0',
	'call_minutes:fhd | [2023-03-01,2023-04-01) | 2023-04-01 | 7333 7331 2 2 0.105 0.21'],
	'audio, sd, hd, fhd in this order within a day');

-- Term months -----------------------------------------------------------------------
-- call [2023-03-15,2023-05-15): months [03-15,04-15) and [04-15,05-15).
CALL app(41);
CALL buy(41, 1, '2023-03-01', 'plan', 'pro', 12);
CALL buy(41, 2, '2023-03-15 18:00', 'call', 'basic', 2);
CALL daily(41, '2023-03-14', audio => 1);
CALL daily(41, '2023-03-15', audio => 100000);
CALL daily(41, '2023-04-14', audio => 20000);
CALL daily(41, '2023-04-15', audio => 110000);
CALL daily(41, '2023-05-14', audio => 1);
CALL daily(41, '2023-05-15', audio => 2);
SELECT lines_are(41, '2023-03', 'call_minutes', ARRAY[
	'call_minutes:audio | [2023-03-01,2023-04-01) | 2023-04-01 | 100001 100000 1 1 0.007 0.007'],
	'the pack is in force from the whole day of purchase, not the day before');
-- April: 10000 left of the first month, then 110000 of the second: 120000 of 130000.
-- 10000 * 0.007 = 70
SELECT lines_are(41, '2023-04', 'call_minutes', ARRAY[
	'call_minutes:audio | [2023-04-01,2023-05-01) | 2023-05-01 | 130000 120000 10000 10000 0.007 70'],
	'a term month spans two calendar months; the next counts anew from its first day');
-- May 14: the second month's pack is used up; May 15 has none.
SELECT lines_are(41, '2023-05', 'call_minutes', ARRAY[
	'call_minutes:audio | [2023-05-01,2023-06-01) | 2023-06-01 | 3 0 3 3 0.007 0.021'],
	'the last day of the term and the day after it');
-- Nothing carries over: the first month's 110000 unused.
CALL app(42);
CALL buy(42, 1, '2023-03-01', 'plan', 'pro', 12);
CALL buy(42, 2, '2023-03-15', 'call', 'basic', 2);
CALL daily(42, '2023-05-14', audio => 110001);
SELECT lines_are(42, '2023-05', 'call_minutes', ARRAY[
	'call_minutes:audio | [2023-05-01,2023-06-01) | 2023-06-01 | 110001 110000 1 1 0.007 0.007'],
	'nothing carries over');
-- Jan 31, 3 months: [01-31,02-28) [02-28,03-31) [03-31,04-30).
CALL app(43);
CALL buy(43, 1, '2023-01-01', 'plan', 'pro', 12);
CALL buy(43, 2, '2023-01-31', 'call', 'basic', 3);
CALL daily(43, '2023-02-27', audio => 110001);
CALL daily(43, '2023-02-28', audio => 110000);
CALL daily(43, '2023-03-28', audio => 5);
CALL daily(43, '2023-03-30', audio => 1);
CALL daily(43, '2023-03-31', audio => 110000);
SELECT lines_are(43, '2023-02', 'call_minutes', ARRAY[
	'call_minutes:audio | [2023-02-01,2023-03-01) | 2023-03-01 | 220001 220000 1 1 0.007 0.007'],
	'the second term month of Jan 31 begins on Feb 28');
SELECT lines_are(43, '2023-03', 'call_minutes', ARRAY[
	'call_minutes:audio | [2023-03-01,2023-04-01) | 2023-04-01 | 110006 110000 6 6 0.007 0.042'],
	'the third on Mar 31, not on Mar 28');

-- A renewal is another term: months of its own first day.
CALL app(44);
CALL buy(44, 1, '2023-01-01', 'plan', 'pro', 12);
CALL buy(44, 2, '2023-03-01', 'call', 'basic');
CALL buy(44, 3, '2023-03-20', 'call', 'basic');
CALL daily(44, '2023-03-31', audio => 110001);
CALL daily(44, '2023-04-01', audio => 110000);
SELECT is(amounts(44, '2023-03', 'call_minutes'), '0.007', 'a queued renewal does not lend its minutes');
SELECT is(amounts(44, '2023-04', 'call_minutes'), '0', 'they count from its first day');

-- Refunded: x is the last day, its pack too.
CALL app(45);
CALL buy(45, 1, '2023-01-01', 'plan', 'pro', 12);
CALL buy(45, 2, '2023-03-01', 'call', 'basic');
CALL refund(45, 3, '2023-03-10 12:00', 2);
CALL daily(45, '2023-03-10', audio => 10);
CALL daily(45, '2023-03-11', audio => 10);
SELECT lines_are(45, '2023-03', 'call_minutes', ARRAY[
	'call_minutes:audio | [2023-03-01,2023-04-01) | 2023-04-01 | 20 10 10 10 0.007 0.07'],
	'the day of the refund is the last day of the pack');

-- Out of service: nothing billed, nothing taken -----------------------------------------
CALL pack_app(51, 'basic');
CALL suspend(51, '[2023-03-10,2023-03-12)');
CALL daily(51, '2023-03-09', audio => 109999);
CALL daily(51, '2023-03-10', audio => 50);
CALL daily(51, '2023-03-11', audio => 50);
CALL daily(51, '2023-03-12', audio => 2);
SELECT lines_are(51, '2023-03', 'call_minutes', ARRAY[
	'call_minutes:audio | [2023-03-01,2023-04-01) | 2023-04-01 | 110001 110000 1 1 0.007 0.007'],
	'calls of suspended days are not billed and take nothing from the pack');
CALL app(52);
CALL buy(52, 1, '2023-03-05', 'plan', 'pro');
CALL daily(52, '2023-04-11', audio => 1);
CALL daily(52, '2023-04-12', audio => 1);
SELECT is(quantities(52, '2023-04', 'call_minutes'), '1', 'the 7th day of the grace is billed, the 8th is not');

-- Several packs: a card with two add-ons that grant minutes --------------------------------
-- call: 5 minutes a month, talk: 10.
CALL card('twopack', '2019-12-10', jsonb_set(jsonb_set(cn(),
	'{addons,call}', '{"charge": "prepaid", "prices": {"pro": {"basic": "1"}}, "minutes": {"basic": 5}}'),
	'{addons,talk}', '{"charge": "prepaid", "prices": {"pro": {"": "1"}}, "minutes": {"": 10}}'));
CALL app(61, 'twopack');
CALL buy(61, 1, '2023-03-01', 'plan', 'pro', 12);
CALL buy(61, 2, '2023-03-02', 'call', 'basic');  -- expires 04-02
CALL buy(61, 3, '2023-03-01', 'talk');           -- expires 04-01: first
-- hd takes 4. 03-05, 4 minutes: talk 4 (6 left), talk 4 (2 left), call 4 (1 left), none holds 4.
-- 03-06, sd takes 2, 2 minutes: talk 2 (0 left), none holds 2.
-- 03-07, audio 2 minutes: call 1 (0 left), none.
CALL daily(61, '2023-03-05', hd => 4);
CALL daily(61, '2023-03-06', sd => 2);
CALL daily(61, '2023-03-07', audio => 2);
SELECT lines_are(61, '2023-03', 'call_minutes', ARRAY[
	'call_minutes:audio | [2023-03-01,2023-04-01) | 2023-04-01 | 2 1 1 1 0.007 0.007',
	'call_minutes:sd | [2023-03-01,2023-04-01) | 2023-04-01 | 2 1 1 1 0.014 0.014',
	'call_minutes:hd | [2023-03-01,2023-04-01) | 2023-04-01 | 4 3 1 1 0.028 0.028'],
	'a minute is never split over two packs');
-- Earliest expiry first: what the pack that expires on 04-01 did not use is lost.
CALL app(62, 'twopack');
CALL buy(62, 1, '2023-03-01', 'plan', 'pro', 12);
CALL buy(62, 2, '2023-03-20', 'call', 'basic');  -- 5, expires 04-20
CALL buy(62, 3, '2023-03-01', 'talk');           -- 10, expires 04-01
CALL daily(62, '2023-03-25', audio => 8);        -- talk 8 (2 left), call untouched
CALL daily(62, '2023-04-05', audio => 6);        -- call 5, 1 postpaid
SELECT lines_are(62, '2023-04', 'call_minutes', ARRAY[
	'call_minutes:audio | [2023-04-01,2023-05-01) | 2023-05-01 | 6 5 1 1 0.007 0.007'],
	'the pack that expires first is used first');

-- A card without call minutes bills none.
CALL app(71, 'overseas');
CALL daily(71, '2023-03-05', audio => 10);
SELECT bill_is(71, '2023-03', '{}', 'a card that does not price call minutes bills none');

-- Raw rows of an earlier month and the pack of a term month that began there:
-- 7333 fhd minutes in March use 109995; in April 5 audio minutes are left.
CALL app(72);
CALL buy(72, 1, '2023-03-01', 'plan', 'pro', 12);
CALL buy(72, 2, '2023-03-15', 'call', 'basic');
CALL talk(72, '2023-03-14 23:59:59.999999', 'fhd', 60000);
CALL talk(72, '2023-03-15 00:00', 'fhd', 439980);
CALL talk(72, '2023-04-14 23:59:59.999999', 'audio', 360);
CALL talk(72, '2023-04-15 00:00', 'audio', 60);
SELECT lines_are(72, '2023-04', 'call_minutes', ARRAY[
	'call_minutes:audio | [2023-04-01,2023-05-01) | 2023-05-01 | 7 5 2 2 0.007 0.014'],
	'what raw rows of March took from the pack is gone in April');
SELECT is((SELECT string_agg(n(included), ' ') FROM im_monthly_bills('2023-04') WHERE app_id = 72), '5', 'among all apps too');
-- A daily row is the truth of its day.
CALL app(73);
CALL talk(73, '2023-03-05 12:00', 'audio', 600);
CALL talk(73, '2023-03-06 12:00', 'audio', 60);
CALL daily(73, '2023-03-05', audio => 0, sd => 3);
SELECT is(quantities(73, '2023-03', 'call_minutes'), '1 3', 'raw calls of a class that a daily row gives do not count');
UPDATE im_usage_daily SET audio_minutes = NULL WHERE app_id = 73;
SELECT is(quantities(73, '2023-03', 'call_minutes'), '11 3', 'those of a class that it leaves open do');
-- Users do not matter, their seconds are summed.
CALL app(74);
INSERT INTO im_call (app_id, at, class, seconds, user_id) VALUES (74, at8('2023-03-05 12:00'), 'hd', 30, 'a'),
	(74, at8('2023-03-05 13:00'), 'hd', 30, 'b'), (74, at8('2023-03-05 13:00'), 'hd', 1, NULL);
SELECT is(quantities(74, '2023-03', 'call_minutes'), '2', '30 + 30 + 1 s of a day are two minutes');
-- An upgrade leaves the pack; a stopped app finds its term month when it is back.
-- plan [03-01,04-01) pro, flagship since 03-10; stopped 04-08; flagship again 05-10.
CALL app(75);
CALL buy(75, 1, '2023-03-01', 'plan', 'pro');
CALL buy(75, 2, '2023-03-05', 'call', 'basic', 3);
CALL upgrade(75, 3, '2023-03-10');
CALL buy(75, 4, '2023-05-10', 'plan', 'flagship');
CALL daily(75, '2023-03-11', audio => 110001);
CALL daily(75, '2023-04-07', audio => 2);
CALL daily(75, '2023-04-08', audio => 1000);
CALL daily(75, '2023-05-09', audio => 1000);
CALL daily(75, '2023-05-10', audio => 110000);
CALL daily(75, '2023-06-04', audio => 1);
CALL daily(75, '2023-06-05', audio => 1);
SELECT is(amounts(75, '2023-03', 'call_minutes'), '0.007', 'the pack outlives the upgrade');
SELECT lines_are(75, '2023-04', 'call_minutes', ARRAY[
	'call_minutes:audio | [2023-04-01,2023-05-01) | 2023-05-01 | 2 2 0 0 0.007 0'],
	'a new term month; stopped days are not billed');
SELECT lines_are(75, '2023-05', 'call_minutes', ARRAY[
	'call_minutes:audio | [2023-05-01,2023-06-01) | 2023-06-01 | 110000 110000 0 0 0.007 0'],
	'stopped days took nothing from it');
SELECT lines_are(75, '2023-06', 'call_minutes', ARRAY[
	'call_minutes:audio | [2023-06-01,2023-07-01) | 2023-07-01 | 2 0 2 2 0.007 0.014'],
	'used up on 05-10, over on 06-05');

-- Minutes that a refund leaves ------------------------------------------------------
-- Ten times bought, used and refunded on one day: of the first nothing is left, since all came back, of
-- each further one floor(380000 * 1/31) = 12258, at 1500 - 1451.61 = 48.39.
CALL app(81);
CALL buy(81, 1, '2023-03-01', 'plan', 'pro', 12);
INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
SELECT 81, 10 * i, at8('2023-03-10') + i * interval '1 hour', 'buy', 'call', 'premium', 1 FROM generate_series(1, 10) i;
INSERT INTO im_order (app_id, order_id, at, action, item, refunds)
SELECT 81, 10 * i + 1, at8('2023-03-10') + i * interval '1 hour 1 minute', 'refund', 'call', 10 * i FROM generate_series(1, 10) i;
CALL daily(81, '2023-03-10', audio => 3800000);
SELECT lines_are(81, '2023-03', 'call_minutes', ARRAY[
	'call_minutes:audio | [2023-03-01,2023-04-01) | 2023-04-01 | 3800000 110322 3689678 3689678 0.007 25827.746'],
	'ten purchases refunded on their day cover what their price pays');
-- call [2023-03-20,2023-04-20), refunded on 04-02: floor(110000 * 14/31) = 49677 minutes are left for March.
CALL app(82);
CALL buy(82, 1, '2023-03-01', 'plan', 'pro', 12);
CALL buy(82, 2, '2023-03-20', 'call', 'basic');
CALL daily(82, '2023-03-21', audio => 60000);
SELECT is(amounts(82, '2023-03', 'call_minutes'), '0', 'all is covered as long as nothing was refunded');
CALL refund(82, 3, '2023-04-02', 2);
SELECT lines_are(82, '2023-03', 'call_minutes', ARRAY[
	'call_minutes:audio | [2023-03-01,2023-04-01) | 2023-04-01 | 60000 49677 10323 10323 0.007 72.261'],
	'a refund of the next month leaves its share for the month before too');
SELECT is((SELECT sum(amount) FROM im_monthly_bills('2023-03') WHERE app_id = 82 AND item = 'call_minutes')::text, '72.261',
	'among the bills of all as well');
SELECT is((SELECT string_agg(f.fact || ' ' || f.quantity, ', ' ORDER BY f.ordinal)
	FROM im_monthly_bill(82, '2023-03') b, im_explain(82, '2023-03', b.line) f
	WHERE b.item = 'call_minutes' AND f.fact IN ('from pack', 'postpaid')), 'from pack 49677, postpaid 10323', 'and in its explanation');
-- At an instant before the refund nobody knows of it.
SELECT is((SELECT used || ' of ' || allowed FROM im_standing('2023-03', '2023-03-25 12:00+08')
	WHERE app_id = 82 AND kind = 'call_minutes'), '60000 of 110000', 'how it stood on a day before the refund');

CALL settle();
SELECT * FROM finish();
ROLLBACK;
