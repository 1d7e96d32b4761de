-- im_charge and its functions: shapes as people write them, and what is refused with its place.
BEGIN;
\ir include/setup.sql

-- amounts ---------------------------------------------------------------------------
CREATE TEMP TABLE asked (n serial, what text, charge text, quantity numeric, amount numeric);
INSERT INTO asked (what, charge, quantity, amount) VALUES
('exactly the quota is free', '{"included": 10000, "block": 10000, "price": "1000"}', 10000, 0),
('one more is one block', '{"included": 10000, "block": 10000, "price": "1000"}', 10001, 1000),
('two full blocks', '{"included": 10000, "block": 10000, "price": 1000}', 30000, 2000),
('a price per unit is exact', '{"price": "0.00027"}', 12345.6789, 3.33333330),
('a product past 8 places is rounded half up', '{"price": "0.00000001"}', 0.5, 0.00000001),
('and below half down', '{"price": "0.00000001"}', 0.49, 0),
('graduated', '{"mode": "graduated", "tiers": [{"to": "50", "price": "5"}, {"to": "100", "price": "4"}, {"price": "3.5"}]}',
	120, 520),
('graduated at a bound', '{"mode": "graduated", "tiers": [{"to": "50", "price": "5"}, {"to": "100", "price": "4"}, {"price": "3.5"}]}',
	50, 250),
('volume at a bound', '{"mode": "volume", "tiers": [{"to": 100, "price": 2}, {"price": 1}]}', 100, 200),
('volume beyond it', '{"mode": "volume", "tiers": [{"to": 100, "price": 2}, {"price": 1}]}', 100.5, 100.5),
('a stair', '{"mode": "volume", "tiers": [{"to": 2000, "flat": "300"}, {"to": 10000, "flat": "500"},
	{"flat": "500", "excess": true, "block": 10000, "price": "100"}]}', 10001, 600),
('a stair at nothing', '{"mode": "volume", "tiers": [{"to": 2000, "flat": "300"}, {"flat": "500"}]}', 0, 300),
('a first step that is free of charge', '{"mode": "volume", "tiers": [{"to": 0}, {"flat": 9}]}', 0, 0),
('and the next one', '{"mode": "volume", "tiers": [{"to": 0}, {"flat": 9}]}', 0.00000001, 9),
('a minimum', '{"price": 1, "minimum": 500}', 499.99, 500),
('a minimum reached', '{"price": 1, "minimum": 500}', 500, 500),
('a maximum', '{"price": 1, "maximum": 500}', 500.01, 500),
('rounding down', '{"block": 10, "price": 1, "round": "down"}', 19.99, 1),
('rounding to the nearest', '{"block": 10, "price": 1, "round": "nearest"}', 15, 2),
('an included share is not a price', '{"included": {"share": "0.05", "of": "mau"}, "price": 1}', NULL, NULL);
SELECT is(im_charge_amount(charge::im_charge, quantity), amount, what) FROM asked ORDER BY n;
SELECT is(im_charge_amount('{"included": {"share": "0.05", "of": "mau"}, "price": 1}', 600, 10000), 100::numeric,
	'5% of 10,000 are included');
SELECT is(im_charge_amount('{"included": {"share": "0.00000001", "of": "mau"}, "price": 1}', 1, 0.5), 0.99999999,
	'a share is rounded half up to 8 places');
SELECT is(im_charge_amount('{"price": 1}', 3, 1000), 3::numeric, 'without a share the other quantity does not matter');
SELECT results_eq($$SELECT * FROM im_charge_lines('{"included": 20, "minimum": 50, "mode": "graduated",
		"tiers": [{"to": 10, "price": 1, "flat": 2}, {"price": "0.5"}]}', 40)$$,
	$$VALUES (1, 30::numeric, 10::numeric, 1::numeric, 10::numeric), (1, 0, 1, 2, 2), (2, 10, 10, 0.5, 5), (NULL, 0, 1, 33, 33)$$,
	'a row for each tier, each flat and the minimum; the first has what is included');

-- values ----------------------------------------------------------------------------
SELECT is('{"price": 1.50, "block": "10"}'::im_charge::text, '{"block": "10", "price": 1.50}', 'text in, text out');
SELECT is('{"price": 1}'::jsonb::im_charge::jsonb, '{"price": 1}'::jsonb, 'jsonb in, jsonb out');
SELECT is(im_charge_amount(NULL::im_charge, 1), NULL::numeric, 'NULL in, NULL out');

-- what is no charge -------------------------------------------------------------------
CREATE TEMP TABLE wrong (n serial, charge text, place text);
INSERT INTO wrong (charge, place) VALUES
('[]', 'the document'), ('5', 'the document'), ('{}', 'price'),
('{"block": 10}', 'price'), ('{"price": "-1"}', 'price'), ('{"price": "NaN"}', 'price'), ('{"price": null}', 'price'),
('{"price": true}', 'price'), ('{"price": "1e20"}', 'price'), ('{"price": "0.000000001"}', 'price'),
('{"price": 1, "block": 0}', 'block'), ('{"price": 1, "block": -5}', 'block'), ('{"price": 1, "blocks": 5}', 'blocks'),
('{"price": 1, "included": -1}', 'included'), ('{"price": 1, "included": []}', 'included'),
('{"price": 1, "included": {}}', 'included\.share'), ('{"price": 1, "included": {"share": 1}}', 'included\.of'),
('{"price": 1, "included": {"share": -1, "of": "mau"}}', 'included\.share'),
('{"price": 1, "included": {"share": 1, "of": ""}}', 'included\.of'),
('{"price": 1, "included": {"share": 1, "of": 5}}', 'included\.of'),
('{"price": 1, "included": {"share": 1, "of": "mau", "per": 1}}', 'included\.per'),
('{"price": 1, "round": "sideways"}', 'round'), ('{"price": 1, "round": 1}', 'round'),
('{"price": 1, "minimum": -1}', 'minimum'), ('{"price": 1, "maximum": "x"}', 'maximum'),
('{"price": 1, "minimum": 2, "maximum": 1}', 'maximum'),
('{"price": 1, "mode": "volume", "tiers": [{"price": 1}]}', 'price'), ('{"price": 1, "tiers": [{"price": 1}]}', 'price'),
('{"mode": "volume"}', 'tiers'), ('{"tiers": [{"price": 1}]}', 'mode'), ('{"mode": "stairs", "tiers": [{"price": 1}]}', 'mode'),
('{"mode": "volume", "tiers": []}', 'tiers'), ('{"mode": "volume", "tiers": {}}', 'tiers'),
('{"mode": "volume", "tiers": [5]}', 'tiers\[0\]'), ('{"mode": "volume", "tiers": [[]]}', 'tiers\[0\]'),
('{"mode": "volume", "tiers": [{"to": 5, "price": 1}]}', 'tiers\[0\]\.to'),
('{"mode": "volume", "tiers": [{"price": 1}, {"price": 1}]}', 'tiers\[0\]\.to'),
('{"mode": "volume", "tiers": [{"to": 5}, {"to": 5}, {}]}', 'tiers\[1\]\.to'),
('{"mode": "volume", "tiers": [{"to": 5}, {"to": 4}, {}]}', 'tiers\[1\]\.to'),
('{"mode": "volume", "tiers": [{"to": -1}, {}]}', 'tiers\[0\]\.to'),
('{"mode": "volume", "tiers": [{"to": 5, "flat": -1}, {}]}', 'tiers\[0\]\.flat'),
('{"mode": "volume", "tiers": [{"to": 5}, {"excess": "yes"}]}', 'tiers\[1\]\.excess'),
('{"mode": "graduated", "tiers": [{"to": 5}, {"excess": true}]}', 'tiers\[1\]\.excess'),
('{"mode": "graduated", "tiers": [{"to": 5}, {"block": 0, "price": 1}]}', 'tiers\[1\]\.block'),
('{"mode": "graduated", "tiers": [{"to": 5, "included": 1}, {}]}', 'tiers\[0\]\.included');
SELECT fails_with(format('SELECT %L::im_charge', charge), '22023', 'invalid charge: ' || place, charge) FROM wrong ORDER BY n;
SELECT fails_with(format('SELECT %L::im_charge', '{"price"'), '22P02', 'json', 'not JSON at all');

-- what is no quantity -----------------------------------------------------------------
SELECT fails_with(format('SELECT %s(%L::im_charge, %s)', f, '{"price": "999999999999"}', q), state, said, f || ' of ' || q)
FROM unnest('{im_charge_amount,im_charge_lines}'::text[]) f,
	(VALUES ('-1', '22023', 'negative'), ('-0.00000001', '22023', 'negative'), ('''NaN''', '22023', 'finite'),
		('''Infinity''', '22023', 'finite'), ('''-Infinity''', '22023', 'negative|finite'),
		('0.000000001', '22003', 'decimal places'), ('1e31', '22003', 'too large'), ('1e28', '22003', 'too large'),
		('1, -1', '22023', 'negative'), ('1, ''NaN''', '22023', 'finite')) v(q, state, said);
SELECT fails_with($$SELECT im_charge_amount('{"included": {"share": 1, "of": "mau"}, "price": 1}', 1)$$, '22023', 'mau',
	'a share needs the quantity that it is a share of');

SELECT * FROM finish();
ROLLBACK;
