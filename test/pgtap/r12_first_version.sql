-- R12: the month in which the first version of a card starts is rated by that
-- version; days before it do not count and their usage is unbilled.
BEGIN;
\ir include/setup.sql
SET LOCAL timezone = 'Asia/Shanghai';

-- From 06-15, with another version from 06-25: pro costs 100, then 200; a minute of audio 0.01, then 0.02.
CALL card('first', '2024-06-15', jsonb_set(jsonb_set(cn(), '{plans,pro,price}', '"100"'), '{call_minutes,audio,price}', '"0.01"'));
CALL card('first', '2024-06-25', jsonb_set(jsonb_set(cn(), '{plans,pro,price}', '"200"'), '{call_minutes,audio,price}', '"0.02"'));
CALL app(1, 'first');
CALL daily(1, '2024-06-14', dau => 90000, peak_groups => 900000, texts => 4, audio_half => 3, audio => 50, hd => 2);
CALL daily(1, '2024-06-16', audio => 3);
CALL daily(1, '2024-06-20', dau => 10001, audio => 7);
CALL daily(1, '2024-06-26', dau => 20001, texts => 10);
CALL buy(1, 1, '2024-06-20', 'plan', 'pro');
CALL buy(1, 2, '2024-06-26', 'plan', 'pro');
CALL turn(1, 3, '2024-06-20', 'on', 'history_storage', '30d');
CALL turn(1, 4, '2024-06-20', 'on', 'moderation');
-- 5 days of a plan: 06-20 through the refund on 06-24; k / D counts the days of the whole month.
CALL app(2, 'first');
CALL buy(2, 1, '2024-06-20', 'plan', 'pro');
CALL buy(2, 2, '2024-06-20', 'group_members');
CALL refund(2, 3, '2024-06-20 12:00', 2);
CALL refund(2, 4, '2024-06-24', 1);
CALL daily(2, '2024-06-21', dau => 10001);
-- A quiet one, and one whose usage lies before the first version only.
CALL app(3, 'first');
CALL app(4, 'first');
CALL daily(4, '2024-06-01', audio => 60);
CALL settle();

SELECT bill_is(1, '2024-06', ARRAY[
	'plan:pro | [2024-06-20,2024-07-20) | 2024-06-20 | 1 0 1 1 100 100',
	'plan:pro | [2024-07-20,2024-08-20) | 2024-06-26 | 1 0 1 1 200 200',
	'dau_overage:pro | [2024-06-01,2024-07-01) | 2024-07-01 | 20001 10000 10001 2 1000 2000',
	'history_storage:30d | [2024-06-01,2024-07-01) | 2024-07-01 | 1 0 1 1 500 500',
	'call_minutes:audio | [2024-06-01,2024-07-01) | 2024-07-01 | 10 0 10 10 0.01 0.1',
	'moderation: | [2024-06-01,2024-07-01) | 2024-07-01 | 10 0 10 10 0.001 0.01'],
	'purchases follow the version of their day, usage the first version, and days before it count for nothing');
SELECT bill_is(2, '2024-06', ARRAY[
	'plan:pro | [2024-06-20,2024-07-20) | 2024-06-20 | 1 0 1 1 100 100',
	'dau_overage:pro | [2024-06-01,2024-07-01) | 2024-07-01 | 10001 10000 1 1 1000 166.66666667',
	'group_members: | [2024-06-20,2024-07-20) | 2024-06-20 | 1 0 1 1 500 500',
	'refund:group_members | [2024-06-20,2024-07-20) | 2024-06-20 | 1 0 1 1 -500 -500',
	'refund:plan | [2024-06-20,2024-07-20) | 2024-06-24 | 1 0 1 1 -83.33 -83.33'],
	'the share of a stopped app is one of the whole month');
SELECT bill_is(3, '2024-06', '{}', 'a quiet app has no lines and no error');
SELECT bill_is(4, '2024-06', '{}', 'nor has one that was used only before');
SELECT is((SELECT array_agg(b::text ORDER BY b.app_id, b.line) FROM im_monthly_bills('2024-06') b WHERE b.app_id <= 4),
	(SELECT array_agg(b::text ORDER BY b.app_id, b.line) FROM generate_series(1, 4) a, im_monthly_bill(a, '2024-06') b),
	'the bills of all apps are the same');
SELECT is((SELECT string_agg(app_id || ' ' || currency || ' ' || total, ', ' ORDER BY app_id) FROM im_monthly_totals('2024-06')),
	'1 CNY 2800.11, 2 CNY 183.34', 'totals');
SELECT is((SELECT string_agg(DISTINCT month::text, ' ') FROM im_bi_bill_line WHERE app_id <= 4 AND month <= '2024-06-01'), '2024-06-01',
	'the views have the month');
SELECT is((SELECT sum(total) FROM im_bi_bill_total WHERE month = '2024-06-01'), 2983.45, 'and its totals');
SELECT is((SELECT count(*) FROM im_check('2024-06') WHERE app_id <= 4), 0::bigint, 'im_check has nothing to say');
SELECT is((SELECT string_agg(concat_ws(' ', app_id, day, kind, n(quantity), reason), E'\n' ORDER BY app_id, day, kind)
	FROM im_unbilled_usage('2024-06') WHERE day < '2024-06-15'),
	E'1 2024-06-14 audio 1.5 not priced by the card\n1 2024-06-14 call_audio 50 not priced by the card\n'
	'1 2024-06-14 call_hd 2 not priced by the card\n1 2024-06-14 dau 90000 not priced by the card\n'
	'1 2024-06-14 groups 900000 not priced by the card\n1 2024-06-14 text 4 not priced by the card\n'
	'4 2024-06-01 call_audio 60 not priced by the card', 'usage before the first version is listed as unbilled');
SELECT is((SELECT string_agg(p.item || ' ' || n(p.amount), ', ' ORDER BY p.line)
	FROM im_preview_bill(1, '2024-06', im_bundled_card('cn', '2019-12-10')) p),
	'plan 999, plan 999, dau_overage 2000, history_storage 500, call_minutes 0.42, call_minutes 0.056, moderation 0.01',
	'a preview takes its card as in force on all days');
SELECT is((SELECT string_agg(concat_ws(' ', fact, to_char(day, 'MM-DD'), quantity, note), E'\n' ORDER BY ordinal)
	FROM im_explain(1, '2024-06', 5) WHERE fact IN ('card version', 'minutes', 'not counted') AND day < '2024-06-20'),
	E'card version 06-15 The first version of the card: days before it count for nothing.\n'
	'not counted 06-14 50 The rate card had no version yet on that day.\nminutes 06-16 3', 'the explanation says so');
SELECT is((SELECT string_agg(concat_ws(' ', rank, plan, total, held), ', ') FROM im_cheapest_plan(1, '2024-06')),
	'1 pro 2600.11 t, trial 0.11 f, flagship 4999.11 f', 'the cheapest plan');
SELECT is((SELECT so_far FROM im_forecast(1, '2024-06-21 12:00')), 1600.10, 'the forecast of a day in it');
SELECT is((SELECT sum(amount) FROM im_running_bill(1, '2024-06-21 12:00')), 1600.10000000, 'and the running bill');
SELECT is((SELECT string_agg(kind || ' ' || used, ', ' ORDER BY kind) FROM im_standing('2024-06', '2024-06-21 12:00') WHERE app_id = 1),
	'dau 10001, term 2', 'how it stands, days before the first version not counted');
SELECT is((SELECT min_amount FROM (SELECT (im_preview_bill(1, '2024-06', im_app_card(1, '2024-06'))).unit_price AS min_amount LIMIT 1) p), 100.00,
	'the card that bills the month is its first version');
SELECT ok(im_bill_html(1, '2024-06', 'en') LIKE '%2024-06-15%', 'the printed bill names it');
SELECT is((SELECT sum(earned) FROM im_app_revenue('2024-06', '2024-06') WHERE app_id = 1 AND item = 'call_minutes'), 0.10, 'revenue');
SELECT is((SELECT string_agg(concat_ws(' ', c.rate_card, c.card_from, c.currency, c.scale), ', ') FROM im_internal.im_cards_in_force('2024-06') c WHERE c.rate_card = 'first'), 'first 2024-06-15 CNY 2',
	'what an invoice of the month names');
SELECT fails_with($$SELECT * FROM im_monthly_bill(1, '2024-05')$$, 'P0002', 'no version in force on 2024-05-31', 'the month before is an error');
SELECT is((SELECT count(*) FROM im_unbilled_usage('2024-05')), 0::bigint, 'and has nothing unbilled');

SELECT * FROM finish();
ROLLBACK;
