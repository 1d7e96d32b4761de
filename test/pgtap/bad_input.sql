-- Bad input, table-driven: a clear error or the right answer, never a crash,
-- nothing half-written.
BEGIN;
\ir include/setup.sql

-- Cards -----------------------------------------------------------------------
-- `cn` with one element replaced (or removed, where new is NULL): the error is of
-- class 22 and tells the path of the element.
CREATE TEMP TABLE bad_card (n serial, path text, new jsonb, why text);
INSERT INTO bad_card (path, new, why) VALUES
	('foo', '1', 'unknown key'),
	('plans.pro.foo', '1', 'unknown key'),
	('plans.pro.dau.foo', '1', 'unknown key'),
	('plans.flagship.groups.foo', '1', 'unknown key'),
	('addons.call.foo', '1', 'unknown key'),
	('call_minutes.hd.foo', '1', 'unknown key'),
	('moderation.foo', '1', 'unknown key'),
	('moderation.packs.month.foo', '1', 'unknown key'),
	('plans.pro.a"b\c', '1', 'unknown key with a quote and a backslash'),
	('currency', NULL, 'missing'),
	('plans', NULL, 'missing'),
	('plans.pro.rank', NULL, 'missing'),
	('plans.pro.price', NULL, 'missing'),
	('plans.pro.dau.included', NULL, 'missing'),
	('plans.pro.dau.block', NULL, 'missing'),
	('plans.pro.groups.price', NULL, 'missing'),
	('addons.call.charge', NULL, 'missing'),
	('addons.call.prices', NULL, 'missing'),
	('call_minutes.sd.ratio', NULL, 'missing'),
	('call_minutes.sd.price', NULL, 'missing'),
	('moderation.price', NULL, 'missing'),
	('moderation.packs.month.price', NULL, 'missing'),
	('moderation.packs.month.deductions', NULL, 'missing'),
	('moderation.packs.month.months', NULL, 'missing'),
	('plans.pro.price', '"-1"', 'a negative price'),
	('plans.pro.price', '-0.01', 'a negative price'),
	('plans.pro.price', '"NaN"', 'not a number'),
	('plans.pro.price', '"Infinity"', 'infinite'),
	('plans.pro.price', '"-Infinity"', 'infinite'),
	('plans.pro.price', '"1e400"', 'too large'),
	('plans.pro.price', '1e400', 'too large'),
	('plans.pro.price', '"0.123456789"', '9 decimals'),
	('plans.pro.price', '"abc"', 'not a number'),
	('plans.pro.price', '""', 'empty'),
	('plans.pro.price', '"1 000"', 'not a number'),
	('plans.pro.price', 'null', 'null'),
	('plans.pro.price', 'true', 'a boolean'),
	('plans.pro.price', '[]', 'an array'),
	('plans.pro.price', '{}', 'an object'),
	('plans.pro.dau.price', '"-1000"', 'a negative price'),
	('plans.pro.dau.included', '-1', 'a negative quota'),
	('plans.pro.dau.included', '1.5', 'half a user'),
	('plans.pro.dau.included', '"x"', 'not a number'),
	('plans.pro.dau.included', '1e30', 'too large for a bigint'),
	('plans.pro.dau.block', '0', 'a block of nothing'),
	('plans.pro.dau.block', '-1', 'a negative block'),
	('plans.pro.dau.block', '0.5', 'half a user'),
	('plans.flagship.groups.block', '0', 'a block of nothing'),
	('plans.pro.rank', '-1', 'a negative rank'),
	('plans.pro.rank', '1.5', 'a broken rank'),
	('plans.pro.rank', '"first"', 'not a number'),
	('plans.pro.rank', '0', 'a second plan of rank 0'),
	('plans.trial.rank', '7', 'no plan of rank 0'),
	('plans.trial', NULL, 'no plan of rank 0'),
	('plans', '{}', 'no plan at all'),
	('plans', '[]', 'not an object'),
	('plans.pro', '"999"', 'not an object'),
	('plans.pro.dau', '1000', 'not an object'),
	('time_zone', '"Mars/Base"', 'unknown zone'),
	('time_zone', '""', 'empty'),
	('time_zone', '8', 'not a string'),
	('currency', '5', 'not a string'),
	('currency', '""', 'empty'),
	('scale', '-1', 'negative'),
	('scale', '2.5', 'not whole'),
	('scale', '"two"', 'not a number'),
	('scale', '99', 'more places than a line has'),
	('grace_days', '-1', 'negative'),
	('grace_days', '1.5', 'not whole'),
	('grace_days', '1e10', 'too large'),
	('addons', '[]', 'not an object'),
	('addons.call', '5', 'not an object'),
	('addons.call.charge', '"weekly"', 'unknown charge'),
	('addons.call.prices.gold', '{"basic": "1"}', 'a price for an unknown plan'),
	('addons.call.prices.pro', '"500"', 'not an object'),
	('addons.call.prices.pro.basic', '"-500"', 'a negative price'),
	('addons.call.minutes.basic', '-1', 'negative minutes'),
	('addons.call.minutes.basic', '0.5', 'half a minute'),
	('call_minutes.uhd', '{"ratio": 1, "price": "1"}', 'unknown class'),
	('call_minutes.hd.ratio', '0', 'minutes that take nothing'),
	('call_minutes.hd.ratio', '-4', 'negative'),
	('call_minutes.hd.price', '"-0.028"', 'a negative price'),
	('local_moderation', '"-1000"', 'a negative price'),
	('local_moderation', '{}', 'not a number'),
	('moderation', '"0.001"', 'not an object'),
	('moderation.price', '"free"', 'not a number'),
	('moderation.coefficients.smell', '"1"', 'unknown kind'),
	('moderation.coefficients.image', '"-0.65"', 'negative'),
	('moderation.coefficients.image', '"NaN"', 'not a number'),
	('moderation.packs.month.months', '0', 'a pack for no time'),
	('moderation.packs.month.months', '1.5', 'not whole'),
	('moderation.packs.month.deductions', '-1', 'negative'),
	('moderation.packs.month.price', '"x"', 'not a number'),
	('moderation.packs', '[1]', 'not an object');
-- The element, or where one is missing or the ranks are wrong, the section that it belongs to.
SELECT fails_with(format('SELECT %L::im_rate_card', CASE WHEN new IS NULL
		THEN cn() #- string_to_array(path, '.')
		ELSE jsonb_set(cn(), string_to_array(path, '.'), new) END::text),
	'22\w{3}',
	CASE WHEN why ~ 'rank 0' OR path = 'plans.pro.a"b\c' OR new IS NULL
		-- a quoted path, or a message that names the section and the key
		THEN regexp_replace(split_part(path, '.', 1), '[^a-z_]', '.', 'g')
		ELSE regexp_replace(path, '\.', '\\.', 'g') END,
	format('card: %s = %s: %s', path, coalesce(left(new::text, 40), 'nothing'), why))
FROM bad_card ORDER BY n;
SELECT fails_with(format('SELECT %L::im_rate_card', cn() #- string_to_array(path, '.')),
	'22\w{3}', regexp_replace(path, '^.*\.', ''), format('card: the missing %s is named', path))
FROM bad_card WHERE new IS NULL AND path <> 'plans.trial' ORDER BY n;
-- The same through the table.
SELECT fails_with($$CALL card('x', '2020-01-01', jsonb_set(cn(), '{plans,pro,dau,block}', '0'))$$,
	'2\w{4}', 'plans\.pro\.dau\.block', 'a wrong card does not get into im_rate_card_version');
SELECT fails_with($$UPDATE im_rate_card_version SET terms = jsonb_set(terms, '{plans,pro,dau,block}', '0')
	WHERE rate_card = 'cn'$$, '2\w{4}', 'plans\.pro\.dau\.block', 'nor by an update');
-- Every section may be absent.
SELECT is(im_dau_overage((cn() - k)::im_rate_card, 'pro', 10001), 1000::numeric, format('a card without %s', k))
FROM unnest('{addons,call_minutes,local_moderation,moderation}'::text[]) k;

-- Everything else ------------------------------------------------------------------
-- state: the SQLSTATE (a pattern); said: what the error says (a pattern); value: the answer.
-- A case with a value and a state may do either.
CREATE TEMP TABLE bad (n serial, what text, sql text, state text, said text, value text);
CALL app(1);
CALL app(-9223372036854775808);
CALL app(9223372036854775807);
CALL buy(1, 1, '2023-03-01', 'plan', 'pro', 12);
CALL card('mau', '2019-12-10', im_bundled_card('intl', '2022-12-26')::jsonb);
CALL app(2, 'mau');
CALL buy(2, 1, '2023-03-01', 'plan', 'standard', 12);
INSERT INTO bad (what, sql, state, said, value) VALUES
-- cards as text
('card: empty', $$SELECT ''::im_rate_card$$, '22\w{3}', '', NULL),
('card: not JSON', $$SELECT '{"currency": '::im_rate_card$$, '22\w{3}', '', NULL),
('card: an array', $$SELECT '[]'::im_rate_card$$, '22\w{3}', 'object', NULL),
('card: null', $$SELECT 'null'::im_rate_card$$, '22\w{3}', 'object', NULL),
('card: a number', $$SELECT '1'::im_rate_card$$, '22\w{3}', 'object', NULL),
('card: an empty object', $$SELECT '{}'::im_rate_card$$, '22\w{3}', '', NULL),
('card: a NUL', $$SELECT '{"currency": "\u0000"}'::im_rate_card$$, '22\w{3}', '', NULL),
('card: half a surrogate', $$SELECT '{"currency": "\ud800"}'::im_rate_card$$, '22\w{3}', '', NULL),
('card: 100,000 brackets', $$SELECT repeat('[', 100000)::im_rate_card$$, '22\w{3}|54001', '', NULL),
('card: a currency of 1 MB', $$SELECT jsonb_set(im_test.cn(), '{currency}', to_jsonb(repeat('x', 1048576)))::im_rate_card$$, '22\w{3}', 'currency', NULL),
('card: a key of 1 MB', $$SELECT jsonb_set(im_test.cn(), ARRAY[repeat('x', 1048576)], '1')::im_rate_card$$, '22\w{3}', '', NULL),
('card: a jsonb array', $$SELECT '[]'::jsonb::im_rate_card$$, '22\w{3}', 'object', NULL),
('card: NULL terms', $$CALL im_test.card('x', '2020-01-01', NULL)$$, '23502', 'terms', NULL),
('card: a plan named with quotes', $$SELECT im_dau_overage(jsonb_set(im_test.cn(), ARRAY['plans', 'a"b''c\'], im_test.cn() #> '{plans,pro}' || '{"rank": 9}')::im_rate_card, 'a"b''c\', 10001)$$, NULL, NULL, '1000'),
-- months
('month: 13', $$SELECT '2024-13'::im_month$$, '22\w{3}', '2024-13', NULL),
('month: 0', $$SELECT '2024-00'::im_month$$, '22\w{3}', '2024-00', NULL),
('month: empty', $$SELECT ''::im_month$$, '22\w{3}', 'month', NULL),
('month: words', $$SELECT 'abc'::im_month$$, '22\w{3}', 'abc', NULL),
('month: a year', $$SELECT '2024'::im_month$$, '22\w{3}', '2024', NULL),
('month: a date', $$SELECT '2024-03-17'::im_month$$, NULL, NULL, '2024-03'),
('month: no such date', $$SELECT '2024-02-30'::im_month$$, '22\w{3}', '2024-02-30', NULL),
('month: a tail', $$SELECT '2024-03x'::im_month$$, '22\w{3}', '2024-03x', NULL),
('month: a quote', $$SELECT '2024-03'''::im_month$$, '22\w{3}', '2024-03', NULL),
('month: 1 MB', $$SELECT repeat('2024-03', 150000)::im_month$$, '22\w{3}', '', NULL),
('month: 20 digits', $$SELECT '99999999999999999999-01'::im_month$$, '22\w{3}', '', NULL),
('month: a date BC', $$SELECT ('0044-03-15 BC'::date::im_month)::date$$, '22\w{3}', '', '0044-03-01 BC'),
('month: a BC month reads back', $$SELECT m::text::im_month = m FROM CAST('0044-03-15 BC'::date AS im_month) m$$, '22\w{3}', '', 'true'),
('month: year 294000', $$SELECT ('294000-05-17'::date::im_month)::date$$, '22\w{3}', '', '294000-05-01'),
('month: year 294000 reads back', $$SELECT m::text::im_month = m FROM CAST('294000-05-17'::date AS im_month) m$$, '22\w{3}', '', 'true'),
('month: the last date', $$SELECT ('5874897-12-31'::date::im_month)::date$$, '22\w{3}', '', '5874897-12-01'),
('month: its range', $$SELECT ('5874897-12-31'::date::im_month)::daterange$$, '22\w{3}', '', NULL),
('month: infinity', $$SELECT 'infinity'::date::im_month$$, '22\w{3}', '', NULL),
('month: -infinity', $$SELECT '-infinity'::date::im_month$$, '22\w{3}', '', NULL),
('month: infinity as text', $$SELECT 'infinity'::im_month$$, '22\w{3}', '', NULL),
('month: of an infinite time', $$SELECT im_month('infinity'::timestamptz, 'Asia/Shanghai')$$, '22\w{3}', '', NULL),
('month: of an unknown zone', $$SELECT im_month(now(), 'Mars/Base')$$, '22023', 'Mars/Base', NULL),
('month: + a lot', $$SELECT ('2024-03'::im_month + 2147483647)::date$$, '22\w{3}', '', NULL),
('month: - a lot', $$SELECT ('2024-03'::im_month - 2147483647)::date$$, '22\w{3}', '', NULL),
('month: - the least int', $$SELECT ('2024-03'::im_month - (-2147483648))::date$$, '22\w{3}', '', NULL),
-- days
('day: infinity', $$SELECT im_day('infinity', 'Asia/Shanghai')$$, '22\w{3}', '', 'infinity'),
('day: -infinity', $$SELECT im_day('-infinity', 'Asia/Shanghai')$$, '22\w{3}', '', '-infinity'),
('day: year 294000', $$SELECT im_day('294000-05-17 16:00+00', 'Asia/Shanghai')$$, NULL, NULL, '294000-05-18'),
('day: the last instant', $$SELECT im_day('294276-12-31 23:59:59.999999+00', 'Asia/Shanghai')$$, '22\w{3}', '', '294277-01-01'),
('day: BC', $$SELECT im_day('0044-03-15 12:00+00 BC', 'UTC')$$, NULL, NULL, '0044-03-15 BC'),
('day: unknown zone', $$SELECT im_day(now(), 'Mars/Base')$$, '22023', 'Mars/Base', NULL),
('day: empty zone', $$SELECT im_day(now(), '')$$, '22023', '', NULL),
('day: a zone of 1 MB', $$SELECT im_day(now(), repeat('x', 1048576))$$, '22023', '', NULL),
-- primitives
('block fee: block 0', 'SELECT im_block_fee(1, 0, 0, 1)', '22\w{3}', '', NULL),
('block fee: block -1', 'SELECT im_block_fee(1, 0, -1, 1)', '22\w{3}', '', NULL),
('block fee: usage -1', 'SELECT im_block_fee(-1, 0, 1, 1)', '22\w{3}', '', NULL),
('block fee: included -1', 'SELECT im_block_fee(1, -1, 1, 1)', '22\w{3}', '', NULL),
('block fee: both ends of bigint', 'SELECT im_block_fee(9223372036854775807, -9223372036854775808, 1, 1)', '22\w{3}', '', '18446744073709551615'),
('block fee: the greatest bigint', 'SELECT im_block_fee(9223372036854775807, 0, 1, 1)', NULL, NULL, '9223372036854775807'),
('block fee: in one block', 'SELECT im_block_fee(9223372036854775807, 0, 9223372036854775807, 1)', NULL, NULL, '1'),
('block fee: NaN', $$SELECT im_block_fee(1, 0, 1, 'NaN')$$, '22\w{3}', 'NaN', NULL),
('block fee: infinite', $$SELECT im_block_fee(1, 0, 1, 'Infinity')$$, '22\w{3}', 'Infinity', NULL),
('block fee: -infinite', $$SELECT im_block_fee(1, 0, 1, '-Infinity')$$, '22\w{3}', 'Infinity', NULL),
('block fee: negative price', $$SELECT im_block_fee(1, 0, 1, -1)$$, '22\w{3}', '', NULL),
('block fee: NULL', 'SELECT im_block_fee(NULL, 0, 1, 1)', NULL, NULL, NULL),
('dau overage: the greatest bigint', $$SELECT im_dau_overage(im_test.cn()::im_rate_card, 'pro', 9223372036854775807)$$, NULL, NULL, '922337203685477000'),
('dau overage: negative', $$SELECT im_dau_overage(im_test.cn()::im_rate_card, 'pro', -1)$$, '22\w{3}', '', NULL),
('dau overage: no such plan', $$SELECT im_dau_overage(im_test.cn()::im_rate_card, 'gold', 1)$$, '22023', 'gold', NULL),
('dau overage: a plan with quotes', $$SELECT im_dau_overage(im_test.cn()::im_rate_card, 'it''s "x"\', 1)$$, '22023', 'it', NULL),
('dau overage: a plan of 1 MB', $$SELECT im_dau_overage(im_test.cn()::im_rate_card, repeat('x', 1048576), 1)$$, '22023', '', NULL),
('moderation fee: NaN', $$SELECT im_moderation_fee(im_test.cn()::im_rate_card, 'NaN')$$, '22\w{3}', 'NaN', NULL),
('moderation fee: infinite', $$SELECT im_moderation_fee(im_test.cn()::im_rate_card, 'Infinity')$$, '22\w{3}', 'Infinity', NULL),
('moderation fee: negative', $$SELECT im_moderation_fee(im_test.cn()::im_rate_card, -1)$$, '22\w{3}', '', NULL),
('deductions: NaN', $$SELECT im_deductions(im_test.cn()::im_rate_card, 'text', 'NaN')$$, '22\w{3}', 'NaN', NULL),
('deductions: infinite', $$SELECT im_deductions(im_test.cn()::im_rate_card, 'text', 'Infinity')$$, '22\w{3}', 'Infinity', NULL),
('deductions: negative', $$SELECT im_deductions(im_test.cn()::im_rate_card, 'text', -1)$$, '22\w{3}', '', NULL),
('deductions: unknown kind', $$SELECT im_deductions(im_test.cn()::im_rate_card, 'smell', 1)$$, '22\w{3}', 'smell', NULL),
('deductions: NULL', $$SELECT im_deductions(im_test.cn()::im_rate_card, 'text', NULL)$$, NULL, NULL, NULL),
-- aggregates
('dau: NULL users', 'SELECT im_dau(u) FROM (VALUES (NULL::text), (''a''), (NULL)) v(u)', NULL, NULL, '1'),
('dau: no rows', 'SELECT im_dau(u) FROM (VALUES (''a''::text)) v(u) WHERE false', NULL, NULL, '0'),
('dau: ends of bigint', 'SELECT im_dau(u) FROM (VALUES (-9223372036854775808), (9223372036854775807), (0), (0)) v(u)', NULL, NULL, '3'),
('dau: quotes, backslashes, empty, spaces', $$SELECT im_dau(u) FROM unnest(ARRAY['', ' ', 'a', 'a ', '''', '"', '\', '\0', E'\x01', 'a'::text]) u$$, NULL, NULL, '9'),
('dau: users of 1 MB', $$SELECT im_dau(repeat('x', 1048576) || g % 3) FROM generate_series(1, 9) g$$, NULL, NULL, '3'),
('dau: NaN and infinities', $$SELECT im_dau(u) FROM unnest('{NaN,NaN,Infinity,-Infinity,0,0.0,0.00}'::numeric[]) u$$, NULL, NULL, '4'),
('dau: negative zero', $$SELECT im_dau(u) FROM unnest('{0,-0,NaN,NaN}'::float8[]) u$$, NULL, NULL, '2'),
('userset: garbage', $$SELECT 'garbage'::im_userset$$, '22\w{3}', '', NULL),
('userset: empty string', $$SELECT ''::im_userset$$, '22\w{3}', '', NULL),
('userset: quotes and 1 MB read back', $$SELECT s::text::im_userset = s FROM (SELECT im_userset_agg(u) s FROM unnest(ARRAY['', 'a"b', '{}', ',', '\', 'NULL', repeat('x', 1048576)]) u) q$$, NULL, NULL, 'true'),
('groups: infinite lives', $$SELECT im_peak_groups(c, d, '2023-03-01', '2023-04-01') FROM (VALUES ('-infinity'::timestamptz, 'infinity'::timestamptz), ('-infinity', NULL), ('infinity', NULL)) v(c, d)$$, '22\w{3}', '', '2'),
('groups: NULL creation', $$SELECT im_peak_groups(NULL, NULL, '2023-03-01', '2023-04-01')$$, '22\w{3}', '', '0'),
('groups: disbanded before created', $$SELECT im_peak_groups('2023-03-05', '2023-03-04', '2023-03-01', '2023-04-01')$$, '22\w{3}', 'disbanded', NULL),
('groups: until before since', $$SELECT im_peak_groups('2023-03-05', NULL, '2023-04-01', '2023-03-01')$$, '22\w{3}', '', '0'),
('groups: until = since', $$SELECT im_peak_groups('2023-03-05', NULL, '2023-04-01', '2023-04-01')$$, '22\w{3}', '', '0'),
('moderation: negative seconds', $$SELECT im_moderation_deductions(im_test.cn()::im_rate_card, 'audio', now(), -1)$$, '22\w{3}', '-1', NULL),
('moderation: unknown kind', $$SELECT im_moderation_deductions(im_test.cn()::im_rate_card, 'smell', now(), 1)$$, '22\w{3}', 'smell', NULL),
('moderation: the longest audio', $$SELECT im_moderation_deductions(im_test.cn()::im_rate_card, 'audio', now(), 2147483647)$$, NULL, NULL, '536870910'),
('moderation: two of the longest', $$SELECT im_moderation_deductions(im_test.cn()::im_rate_card, 'audio', '2023-03-05', 2147483647) FROM generate_series(1, 2)$$, NULL, NULL, '1073741820'),
('moderation: infinite time', $$SELECT im_moderation_deductions(im_test.cn()::im_rate_card, 'audio', 'infinity', 1)$$, '22\w{3}', '', NULL),
('moderation: audio of NULL seconds', $$SELECT im_moderation_deductions(im_test.cn()::im_rate_card, 'audio', now(), NULL)$$, '22\w{3}', 'seconds', '0'),
-- orders
('order: at infinity', $$CALL im_test.turn(1, 9, 'infinity', 'on', 'moderation')$$, '2\w{4}', '', NULL),
('order: at -infinity', $$CALL im_test.turn(1, 9, '-infinity', 'on', 'moderation')$$, '2\w{4}', '', NULL),
('order: BC', $$CALL im_test.turn(1, 9, '0044-03-15 12:00 BC', 'on', 'moderation')$$, '2\w{4}', '', NULL),
('order: of year 294000', $$CALL im_test.buy(1, 9, '294000-03-15', 'local_moderation', '', 1200)$$, '2\w{4}', '', ''),
('order: NULL app', $$CALL im_test.buy(NULL, 9, '2023-03-15', 'plan', 'pro')$$, '23502', 'app_id', NULL),
('order: NULL item', $$CALL im_test.buy(1, 9, '2023-03-15', NULL, 'pro')$$, '23502', 'item', NULL),
('order: NULL option', $$CALL im_test.buy(1, 9, '2023-03-15', 'plan', NULL)$$, '23502', 'option', NULL),
('order: NULL quantity', $$CALL im_test.pack(1, 9, '2023-03-15', 'month', NULL)$$, '23502', 'quantity', NULL),
('order: the greatest quantity', $$CALL im_test.pack(1, 9, '2023-03-15', 'month', 2147483647)$$, '23514', 'quantity', ''),
('order: paid NaN', $$CALL im_test.buy(1, 9, '2023-03-15', 'plan', 'pro', paid => 'NaN')$$, '2\w{4}', 'paid', NULL),
('order: paid infinite', $$CALL im_test.buy(1, 9, '2023-03-15', 'plan', 'pro', paid => 'Infinity')$$, '2\w{4}', 'paid', NULL),
('order: paid 1e400', $$CALL im_test.buy(1, 9, '2023-03-15', 'plan', 'pro', paid => 1e400)$$, '2\w{4}', 'paid', NULL),
('order: paid with 9 decimals', $$CALL im_test.buy(1, 9, '2023-03-15', 'plan', 'pro', paid => 0.123456789)$$, '2\w{4}', 'paid', NULL),
('order: an item with quotes', $$CALL im_test.buy(1, 9, '2023-03-15', 'it''s "x"\')$$, '23514', 'it''s "x"', NULL),
('order: an item of 1 MB', $$CALL im_test.buy(1, 9, '2023-03-15', repeat('x', 1048576))$$, '23514', '', NULL),
('order: an option of 1 MB', $$CALL im_test.buy(1, 9, '2023-03-15', 'call', repeat('x', 1048576))$$, '23514', '', NULL),
('order: an empty action', $$CALL im_test.turn(1, 9, '2023-03-15', '', 'plan')$$, '23514', 'action', NULL),
('order: ids at the ends of bigint', $$DO $do$ BEGIN CALL im_test.buy(-9223372036854775808, -9223372036854775808, '2023-03-05', 'plan', 'pro'); CALL im_test.refund(-9223372036854775808, 9223372036854775807, '2023-03-06', -9223372036854775808); END $do$ $$, NULL, NULL, ''),
-- raw rows
('check: unknown kind', $$DO $do$ BEGIN CALL im_test.turn(1, 9, '2023-03-01', 'on', 'moderation'); CALL im_test.chk(1, '2023-03-05', 'smell'); PERFORM im_monthly_total(1, '2023-03'); END $do$ $$, '2\w{4}', 'smell', NULL),
('check: negative seconds', $$DO $do$ BEGIN CALL im_test.turn(1, 9, '2023-03-01', 'on', 'moderation'); CALL im_test.chk(1, '2023-03-05', 'audio', -1); PERFORM im_monthly_total(1, '2023-03'); END $do$ $$, '2\w{4}', '-1', NULL),
('check: audio without seconds', $$DO $do$ BEGIN CALL im_test.turn(1, 9, '2023-03-01', 'on', 'moderation'); CALL im_test.chk(1, '2023-03-05', 'audio', NULL); PERFORM im_monthly_total(1, '2023-03'); END $do$ $$, '2\w{4}', 'seconds', NULL),
('check: at infinity', $$DO $do$ BEGIN INSERT INTO im_moderation_check VALUES (1, 'infinity', 'text'); PERFORM im_monthly_total(1, '2023-03'); END $do$ $$, '2\w{4}', '', ''),
('call: unknown class', $$DO $do$ BEGIN CALL im_test.talk(1, '2023-03-05', '8k', 1); PERFORM im_monthly_total(1, '2023-03'); END $do$ $$, '2\w{4}', '8k', NULL),
('call: negative seconds', $$DO $do$ BEGIN CALL im_test.talk(1, '2023-03-05', 'hd', -7); PERFORM im_monthly_total(1, '2023-03'); END $do$ $$, '2\w{4}', '-7', NULL),
('group: disbanded before created', $$DO $do$ BEGIN CALL im_test.grp(1, 'g''x"1', '2023-03-05', '2023-03-04'); PERFORM im_monthly_total(1, '2023-03'); END $do$ $$, '2\w{4}', 'g.?.?x|app 1, created at', NULL),
('login: NULL user', $$CALL im_test.login(1, NULL, '2023-03-05')$$, '23502', 'user_id', NULL),
('login: at infinity', $$DO $do$ BEGIN INSERT INTO im_login VALUES (1, 'a', 'infinity'); PERFORM im_monthly_total(1, '2023-03'); END $do$ $$, '2\w{4}', '', ''),
('daily: negative dau', $$DO $do$ BEGIN CALL im_test.daily(1, '2023-03-05', dau => -1); PERFORM im_monthly_total(1, '2023-03'); END $do$ $$, '2\w{4}', 'dau', NULL),
('daily: negative minutes', $$DO $do$ BEGIN CALL im_test.daily(1, '2023-03-05', fhd => -1); PERFORM im_monthly_total(1, '2023-03'); END $do$ $$, '2\w{4}', 'fhd', NULL),
('daily: the greatest dau', $$DO $do$ BEGIN CALL im_test.daily(1, '2023-03-05', dau => 9223372036854775807); PERFORM im_monthly_total(1, '2023-03'); END $do$ $$, NULL, NULL, ''),
('daily: users NULL on a MAU card', $$DO $do$ BEGIN CALL im_test.daily(2, '2023-03-05', dau => 5); PERFORM im_monthly_total(2, '2023-03'); END $do$ $$, '2\w{4}', 'users', NULL),
('suspension: NULL days', $$CALL im_test.suspend(1, NULL)$$, '23502', 'days', NULL),
('suspension: empty days', $$CALL im_test.suspend(1, 'empty')$$, '2\w{4}', '', ''),
-- functions
('bill: unknown app', $$SELECT im_monthly_bill(12345, '2023-03')$$, '\w{5}', '12345', NULL),
('bill: least app id', $$SELECT im_monthly_total(-9223372036854775808, '2023-03')$$, NULL, NULL, '0'),
('bill: greatest app id', $$SELECT im_monthly_total(9223372036854775807, '2023-03')$$, NULL, NULL, '0'),
('bill: month BC', $$SELECT im_monthly_bill(1, '0044-03-15 BC'::date)$$, '\w{5}', '', NULL),
('bill: year 294000', $$SELECT count(*) FROM im_monthly_bill(1, '294000-01-01'::date)$$, '22\w{3}', '', '0'),
('bill: bad month', $$SELECT im_monthly_bill(1, '2023-13')$$, '22\w{3}', '2023-13', NULL),
('bill: unknown card', $$DO $do$ BEGIN CALL im_test.app(77, 'no such "card"'); PERFORM im_monthly_total(77, '2023-03'); END $do$ $$, '\w{5}', 'no such "card"', NULL),
('status: infinity', $$SELECT im_app_status(1, 'infinity')$$, '22\w{3}', '', 'reclaimed'),
('view: an empty name', $$SELECT im_create_billing_view('', '2023-03', '2023-03')$$, '\w{5}', '', NULL),
('view: months backwards', $$SELECT im_create_billing_view('v', '2023-04', '2023-03')$$, '22023', 'last month 2023-03 is before first month 2023-04', ''),
('view: no name', $$SELECT im_create_billing_view(NULL, '2023-03')$$, '22004', 'null', NULL),
('view: no first month', $$SELECT im_create_billing_view('v', NULL)$$, '22004', 'null', NULL),
('view: a name with quotes', $$DO $do$ BEGIN PERFORM im_create_billing_view('a"b; DROP TABLE im_app; --', '2023-03', '2023-03'); PERFORM FROM im_app; END $do$ $$, '\w{5}', '', ''),
('view: twice', $$DO $do$ BEGIN PERFORM im_create_billing_view('v', '2023-03', '2023-03'); PERFORM im_create_billing_view('v', '2023-03', '2023-03'); END $do$ $$, '42P07', 'v', NULL),
('card: no such version', $$SELECT im_bundled_card('cn', 'infinity')$$, '\w{5}', 'cn', NULL),
('load: twice', $$INSERT INTO im_load VALUES ('s', 'b', now()), ('s', 'b', now())$$, '23505', '', NULL);

-- How a statement goes: its first value (as text; '' for none), or its error.
CREATE FUNCTION outcome(statement text, OUT state text, OUT said text, OUT value text)
LANGUAGE plpgsql AS $$
DECLARE
	message text;
	detail text;
	hint text;
	first text;
BEGIN
	IF statement ~ '^SELECT' THEN
		EXECUTE statement INTO first;
	ELSE
		EXECUTE statement;
		first := '';
	END IF;
	SET CONSTRAINTS ALL IMMEDIATE;
	RAISE EXCEPTION 'no error' USING ERRCODE = 'T0000', DETAIL = coalesce(first, '<null>');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	IF state = 'T0000' THEN
		value := detail;
	ELSE
		said := concat_ws(E'\n', message, nullif(detail, ''), nullif(hint, ''));
	END IF;
END $$;
CREATE FUNCTION judge(b bad) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	o record;
	wanted text := CASE WHEN b.value IS NULL AND b.state IS NULL THEN '<null>' ELSE b.value END;
	good boolean;
BEGIN
	SELECT * INTO o FROM outcome(b.sql);
	IF o.state = 'T0000' THEN
		good := o.value = wanted
			OR (o.value ~ '^[-0-9.]+$' AND wanted ~ '^[-0-9.]+$' AND o.value !~ '-.*-'
				AND wanted !~ '-.*-' AND o.value::numeric = wanted::numeric)
			OR (o.value = 't' AND wanted = 'true');
	ELSE
		-- Never an internal error, whatever else is allowed.
		good := o.state ~ ('^(' || b.state || ')$') AND o.state NOT LIKE 'XX%' AND o.said ~* b.said;
	END IF;
	good := coalesce(good, false);
	RETURN ok(good, b.what) || CASE WHEN good THEN '' ELSE E'\n' || diag(format(
		'wanted %s ~* %s or %s; got %s %s %s', b.state, b.said, left(wanted, 200),
		o.state, left(o.said, 400), left(o.value, 200))) END;
END $$;
SELECT judge(b) FROM bad b ORDER BY n;
SELECT cmp_ok((SELECT count(*) FROM bad) + (SELECT count(*) FROM bad_card), '>=', 60::bigint,
	'there are at least 60 cases');

-- Nothing half-written ------------------------------------------------------------
-- A good row next to a bad one: neither stays.
SELECT refused($$INSERT INTO im_order (app_id, order_id, at, action, item, option, months) VALUES
	(9223372036854775807, 1, '2023-03-05', 'buy', 'plan', 'pro', 1),
	(9223372036854775807, 2, '2023-03-06', 'buy', 'plan', 'trial', 1)$$, 'trial', 'a good order and a bad one');
SELECT is((SELECT count(*) FROM im_order WHERE app_id = 9223372036854775807), 0::bigint, 'neither is kept');
-- A bill that fails loses no row.
CALL talk(1, '2023-03-05', '8k', 1);
SELECT isnt((attempt($$SELECT * FROM im_monthly_bill(1, '2023-03')$$)).state, 'T0000', 'a bill that cannot be right fails');
SELECT is((SELECT class FROM im_call WHERE app_id = 1), '8k', 'and the row is still there');
SELECT fails_with($$SELECT count(*) FROM im_monthly_bills('2023-03')$$, '.*', 'im_check',
	'the set-wise bill fails with a hint at im_check');
SELECT isnt((attempt($$SELECT count(*) FROM im_monthly_bills('2023-03')$$)).state, 'T0000', 'as one error');
SELECT is((attempt($$SELECT * FROM im_monthly_bill(1, '2023-04')$$)).state, 'T0000', 'another month is not touched by it');

-- User ids under another collation -----------------------------------------------------
-- Exact means equal to count(DISTINCT ...): under a collation for which 'a' = 'A' too,
-- or a clear error.
CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
SELECT ok(o.value = '2' OR o.state ~ '^(0A000|22|42)', 'im_dau under a collation that ignores case: '
	|| coalesce(o.value, o.said))
FROM outcome($$SELECT im_dau(u COLLATE im_test.ci) FROM unnest('{a,A,b}'::text[]) u$$) o;
SELECT is((SELECT im_dau(u COLLATE "C") FROM unnest('{a,A,b}'::text[]) u), 3::bigint, 'im_dau under C');
CREATE TABLE ci_login (app_id bigint, user_id text COLLATE ci, at timestamptz);
INSERT INTO ci_login VALUES (1, 'a', now()), (1, 'A', now());
SELECT ok(o.value = '1' OR o.state ~ '^(0A000|22|42)', 'over a table of that collation: ' || coalesce(o.value, o.said))
FROM outcome($$SELECT im_dau(user_id) FROM im_test.ci_login$$) o;

CALL settle();
-- The library meets the SQL of a later version, as a session does that was
-- connected before ALTER EXTENSION UPDATE.
ALTER TYPE im_internal.im_order_entry ADD ATTRIBUTE later text;
SELECT throws_ok($$SELECT im_internal.im_order_problem(ROW(1, 'cn',
	ARRAY[ROW(1, '2023-03-01', 'buy', 'plan', 'pro', 1, 1, NULL, NULL, repeat('x', 4000))::im_internal.im_order_entry], NULL, false)::im_internal.im_app_account, im_internal.im_price_book(NULL))$$,
	'42804', NULL, 'orders of another version: refused');

SELECT * FROM finish();
ROLLBACK;
