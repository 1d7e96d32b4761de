-- Every rating primitive, with a card and without (the version of `cn` in force today).
BEGIN;
\ir include/setup.sql

-- im_block_fee: ceil(max(0, usage - included) / block) * price
SELECT is(im_block_fee(u, i, b, p), fee, format('im_block_fee(%s, %s, %s, %s)', u, i, b, p))
FROM (VALUES (0, 0, 1, 5::numeric, 0::numeric), (1, 0, 1, 5, 5), (10, 10, 3, 5, 0), (11, 10, 3, 5, 5), (13, 10, 3, 5, 5),
	(14, 10, 3, 5, 10), (16, 10, 3, 5, 10), (17, 10, 3, 5, 15), (5, 10, 3, 5, 0), (100, 0, 100, 0, 0),
	(3, 0, 1, 0.015, 0.045), (1, 0, 1, 0.00000001, 0.00000001), (550000, 100000, 100000, 1000, 5000)) v(u, i, b, p, fee);
SELECT is(im_block_fee(usage => 25000, included => 10000, block => 10000, price => 1000), 2000::numeric,
	'arguments have their promised names');

-- With a card
CREATE FUNCTION c19() RETURNS im_rate_card LANGUAGE sql RETURN im_bundled_card('cn', '2019-12-10');
SELECT is(im_dau_overage(card => c19(), plan => 'pro', peak_dau => 25000), 2000::numeric, 'im_dau_overage');
SELECT is(im_dau_overage(c19(), 'trial', 200000), 0::numeric, 'the trial plan prices no DAU');
SELECT is(im_group_overage(c19(), 'flagship', 550000), 5000::numeric, 'im_group_overage');
SELECT is(im_group_overage(c19(), 'trial', 550000), 0::numeric, 'the trial plan prices no groups');
SELECT is(im_group_overage(im_bundled_card('intl', '2022-12-26'), 'standard', 550000), 0::numeric, 'nor does intl');
SELECT is(im_addon_fee(card => c19(), plan => 'pro', addon => 'call', option => 'basic'), 500::numeric, 'im_addon_fee');
SELECT is(im_addon_fee(c19(), 'pro', 'avchatroom'), 1000::numeric, 'its option is '''' unless given');
SELECT is(im_moderation_fee(card => c19(), deductions => 54), 0.054, 'im_moderation_fee');
SELECT is(im_moderation_fee(c19(), 0), 0::numeric, 'of nothing');
SELECT is(im_moderation_fee(c19(), 0.65), 0.00065, 'of one image, exactly');
SELECT is(im_deductions(card => c19(), kind => k, quantity => q), d, format('im_deductions %s %s', k, q))
FROM (VALUES ('text', 10::numeric, 10::numeric), ('image', 10, 6.5), ('image', 1, 0.65), ('audio', 2.5, 37.5),
	('audio', 0.5, 7.5), ('video', 0.5, 28), ('video', 1, 56), ('text', 0, 0)) v(k, q, d);
SELECT throws_ok(format('SELECT %s', call), '22023', NULL, call)
FROM unnest(ARRAY[
	$$im_dau_overage(im_test.c19(), 'gold', 1)$$, $$im_group_overage(im_test.c19(), 'gold', 1)$$,
	$$im_addon_fee(im_test.c19(), 'gold', 'call', 'basic')$$, $$im_addon_fee(im_test.c19(), 'pro', 'unicorn')$$,
	$$im_addon_fee(im_test.c19(), 'flagship', 'avchatroom')$$, $$im_addon_fee(im_test.c19(), 'trial', 'avchatroom')$$,
	$$im_addon_fee(im_test.c19(), 'pro', 'call')$$, $$im_deductions(im_test.c19(), 'smell', 1)$$,
	$$im_moderation_fee(im_bundled_card('intl', '2022-12-26'), 1)$$,
	$$im_deductions(im_bundled_card('intl', '2022-12-26'), 'text', 1)$$]) call;
SELECT is(im_dau_overage(NULL::im_rate_card, 'pro', 1), NULL::numeric, 'NULL in, NULL out: card');
SELECT is(im_dau_overage(c19(), NULL, 1), NULL::numeric, 'NULL in, NULL out: plan');
SELECT is(im_dau_overage(c19(), 'pro', NULL), NULL::numeric, 'NULL in, NULL out: peak');

-- Without: the version in force today. In 2024 or later that is the one of 2024-01-01.
SELECT is(im_dau_overage('pro', 25000), 2000::numeric, 'im_dau_overage without a card');
SELECT is(im_dau_overage('trial', 25000), 0::numeric, 'of trial');
SELECT is(im_group_overage('pro', 550000), 5000::numeric, 'im_group_overage without a card');
SELECT is(im_addon_fee('pro', 'call', 'basic'), 500::numeric, 'im_addon_fee without a card');
SELECT is(im_addon_fee('pro', 'avchatroom'), 1000::numeric, 'and without an option');
SELECT is(im_moderation_fee(54), 0.054, 'im_moderation_fee without a card');
SELECT is(im_deductions('image', 10), 6.5, 'im_deductions without a card');
SELECT throws_ok(format('SELECT %s', call), '22023', NULL, call)
FROM unnest(ARRAY[$$im_dau_overage('gold', 1)$$, $$im_group_overage('gold', 1)$$, $$im_addon_fee('pro', 'unicorn')$$,
	$$im_addon_fee('flagship', 'avchatroom')$$, $$im_deductions('smell', 1)$$]) call;
-- A version from today on is the one that counts; one from the day after tomorrow is not yet.
CALL card('cn', im_day(now(), 'Asia/Shanghai'), jsonb_set(jsonb_set(jsonb_set(jsonb_set(jsonb_set(cn(),
	'{plans,pro,dau,price}', '7'), '{plans,pro,groups,price}', '8'), '{addons,call,prices,pro,basic}', '9'),
	'{moderation,price}', '10'), '{moderation,coefficients,image}', '11'));
CALL card('cn', im_day(now(), 'Asia/Shanghai') + 2, cn());
SELECT is(ARRAY[im_dau_overage('pro', 10001), im_group_overage('pro', 100001), im_addon_fee('pro', 'call', 'basic'),
	im_moderation_fee(1), im_deductions('image', 1)], '{7,8,9,10,11}'::numeric[], 'the version in force today');
SELECT is(im_dau_overage(c19(), 'pro', 10001), 1000::numeric, 'a card given is not touched by it');
CREATE FUNCTION bare() RETURNS numeric LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	RETURN public.im_dau_overage('pro', 10001);
END $$;
SELECT is(bare(), 7::numeric, 'found without a search_path');

-- Usable over any table
CREATE TABLE own (plan text, peak bigint);
INSERT INTO own VALUES ('pro', 10001), ('flagship', 25000), ('trial', 90000);
SELECT is((SELECT sum(im_dau_overage(c19(), plan, peak)) FROM own), 3000::numeric, 'over one''s own table');
CREATE TABLE own_login (who int, t timestamptz);
INSERT INTO own_login SELECT g % 7, at8('2023-03-05 00:00') + g * interval '1 hour' FROM generate_series(0, 47) g;
SELECT is((SELECT string_agg(d || ' ' || u, ', ' ORDER BY d) FROM (
	SELECT im_day(t, 'Asia/Shanghai') d, im_dau(who) u FROM own_login GROUP BY 1) q),
	'2023-03-05 7, 2023-03-06 7', 'im_dau by im_day over one''s own table');
SELECT is((SELECT im_peak_groups(c, d, at8('2023-03-01 00:00'), at8('2023-04-01 00:00')) FROM (VALUES
	(at8('2023-02-01 00:00'), at8('2023-03-01 00:00')), (at8('2023-02-01 00:00'), at8('2023-03-01 00:00:00.000001')),
	(at8('2023-03-01 00:00:00.000001'), NULL), (at8('2023-03-31 23:59:59.999999'), NULL),
	(at8('2023-04-01 00:00'), NULL)) v(c, d)), 2::bigint, 'im_peak_groups within [since, until)');
SELECT is((SELECT im_peak_groups(c, d, at8('2023-03-01 00:00'), at8('2023-04-01 00:00'))
	FROM (VALUES (at8('2023-03-02 00:00'), at8('2023-03-02 00:00'))) v(c, d)), 0::bigint, 'a group of no moment');
SELECT is((SELECT im_peak_groups(c, d, now(), now()) FROM (SELECT now() c, NULL::timestamptz d WHERE false) v), 0::bigint,
	'im_peak_groups of no rows');
SELECT is((SELECT im_moderation_deductions(c19(), 'text', t, NULL) FROM own_login), 48::numeric,
	'im_moderation_deductions over one''s own table');

-- im_userset
SELECT is(im_count(im_userset_agg(u)), 3::bigint, 'im_userset_agg and im_count')
FROM unnest('{a,b,a,c}'::text[]) u;
SELECT is((SELECT array_agg(u ORDER BY u COLLATE "C") FROM im_users((SELECT im_userset_agg(u)
	FROM unnest('{b,a,B,a}'::text[]) u)) u), '{B,a,b}'::text[], 'im_users gives the users back');
SELECT results_eq(format('SELECT im_count(%L::im_userset | %L), %1$L::im_userset | %2$L = %2$L::im_userset | %1$L, '
	'%1$L::im_userset | %1$L = %1$L, %1$L::im_userset = %2$L', s1, s2), $$VALUES (4::bigint, true, true, false)$$,
	'the union of two sets: its size, either way round, with itself; and sets that differ')
FROM (SELECT im_userset_agg(u) s1 FROM unnest('{a,b,c}'::text[]) u) x,
	(SELECT im_userset_agg(u) s2 FROM unnest('{c,d}'::text[]) u) y;
SELECT is(im_count(im_union_agg(s)), 30::bigint, 'im_union_agg')
FROM (SELECT im_userset_agg(g) s FROM generate_series(1, 30) g GROUP BY g / 7) q;
SELECT ok(im_userset_agg(u ORDER BY u) = im_userset_agg(u ORDER BY u DESC), 'the order of input does not matter')
FROM unnest('{a,b,c}'::text[]) u;
SELECT ok(im_userset_agg(u)::text::im_userset = im_userset_agg(u), 'text reads back')
FROM unnest('{a,b,c}'::text[]) u;

-- im_month
SELECT is(('2024-01'::im_month + 13)::text, '2025-02', 'month + int');
SELECT is(('2024-01'::im_month - 1)::text, '2023-12', 'month - int');
SELECT is('2025-02'::im_month - '2024-01'::im_month, 13, 'month - month');
SELECT is('2024-02'::im_month::date, '2024-02-01'::date, 'to date');
SELECT is('2024-02'::im_month::daterange, '[2024-02-01,2024-03-01)'::daterange, 'to daterange: leap February');
SELECT is('2024-02-29'::im_month::text, '2024-02', 'from a date as text');
SELECT ok('2024-02' < '2024-03'::im_month AND '2023-12' < '2024-01'::im_month AND '2024-02'::im_month = '2024-02'
	AND '2024-02'::im_month <> '2024-03' AND '2024-03'::im_month >= '2024-03' AND '2024-03'::im_month <= '2024-03'
	AND '2024-04'::im_month > '2024-03', 'comparisons');
CALL app(1);
SELECT is((SELECT count(*) FROM im_monthly_bill(1, '2024-02-29'::date)), 0::bigint, 'a date casts implicitly');
SELECT is((SELECT array_agg(m ORDER BY m)::text FROM unnest('{2024-03,2023-12,2024-01}'::im_month[]) m),
	'{2023-12,2024-01,2024-03}', 'sorting');
SELECT is((SELECT count(*) FROM (SELECT m FROM unnest('{2024-03,2023-12,2024-03}'::im_month[]) m GROUP BY m) q), 2::bigint,
	'grouping');

-- Sets of users have no order, which count(DISTINCT) needs: the docs say what to write
SELECT fails_with($$SELECT count(DISTINCT s) FROM (SELECT im_userset_agg(n % 2) AS s FROM generate_series(1, 6) n GROUP BY n % 2) q$$,
	'42883', 'ordering operator', 'count(DISTINCT users) says that there is no order');
SELECT is((SELECT count(*) FROM (SELECT DISTINCT s FROM (SELECT im_userset_agg(n % 2) AS s FROM generate_series(1, 6) n GROUP BY n) q) d), 2::bigint,
	'the rows of a SELECT DISTINCT can be counted');

SELECT * FROM finish();
ROLLBACK;
