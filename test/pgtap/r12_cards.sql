-- R12 in price lists: meters by name. What is refused, and where.
BEGIN;
\ir include/setup.sql

-- A card with everything that R12 adds.
CREATE FUNCTION im_test.r12() RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT '{"currency": "EUR", "scale": 2, "time_zone": "Europe/Berlin", "grace_days": 7,
		"plans": {"free": {"rank": 0, "price": "0"}, "start": {"rank": 1, "price": "499"}},
		"addons": {"translation": {"charge": "postpaid", "prices": {"start": {"": "500"}}}},
		"meters": {"sms": {"day": "sum", "month": "sum"}, "connections": {"day": "max", "month": "max"},
			"storage_gb": {"day": "average", "month": "average"}, "push_users": {"day": "unique", "month": "unique"},
			"chars": {"day": "sum", "month": "sum"}}}'::jsonb $$;
SELECT lives_ok($$SELECT im_test.r12()::im_rate_card$$, 'the card is one');
SELECT is(im_test.r12()::im_rate_card::jsonb, im_test.r12(), 'and comes out as it went in');
SELECT results_eq($$SELECT * FROM im_card_meters(im_test.r12()::im_rate_card) WHERE meter < 'd'$$,
	$$VALUES ('chars', 'sum', 'sum'), ('connections', 'max', 'max')$$, 'its meters are told');
SELECT is_empty($$SELECT * FROM im_card_meters(im_test.cn()::im_rate_card)$$, 'an older card has none');

-- One element replaced, or removed where new is NULL: 22023 with the path of the element.
CREATE TEMP TABLE wrong (n serial, path text, new jsonb, why text);
INSERT INTO wrong (path, new, why) VALUES
	('meters', '[]', 'not an object'),
	('meters.sms', '1', 'not an object'),
	('meters.sms.day', NULL, 'missing'),
	('meters.sms.month', NULL, 'missing'),
	('meters.sms.per', '"sum"', 'unknown key'),
	('meters.sms.day', '"median"', 'an unknown kind'),
	('meters.sms.month', '5', 'not a string'),
	('meters.sms.month', '"unique"', 'subjects of a month whose days know none'),
	('meters.dau', '{"day": "unique", "month": "max"}', 'a built-in meter'),
	('meters.mau', '{"day": "unique", "month": "unique"}', 'a built-in meter'),
	('meters.groups', '{"day": "max", "month": "max"}', 'a built-in meter'),
	('meters.translation', '{"day": "sum", "month": "sum"}', 'the name of an add-on'),
	('meters.refund', '{"day": "sum", "month": "sum"}', 'the name of an item'),
	('meters.credit', '{"day": "sum", "month": "sum"}', 'the name of a later item'),
	('meters.manual', '{"day": "sum", "month": "sum"}', 'the name of a later item');
SELECT fails_with(format('SELECT %L::im_rate_card', CASE WHEN new IS NULL
		THEN im_test.r12() #- string_to_array(path, '.')
		ELSE jsonb_set(im_test.r12(), string_to_array(path, '.'), new) END::text),
	'22023', regexp_replace(path, '\.', '\\.', 'g'),
	format('card: %s = %s: %s', path, coalesce(left(new::text, 40), 'nothing'), why))
FROM wrong ORDER BY n;

SELECT * FROM finish();
ROLLBACK;
