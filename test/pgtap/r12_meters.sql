-- R12: meters by name from their events to the line, and what is said of it.
BEGIN;
\ir include/setup.sql

CALL card('team', '2020-01-01', '{"currency": "EUR", "scale": 2, "time_zone": "Asia/Shanghai", "grace_days": 7,
	"plans": {"free": {"rank": 0, "price": 0},
		"start": {"rank": 1, "price": 100, "usage": {
			"sms": {"included": 10, "price": "0.5"}, "connections": {"included": 5, "block": 10, "price": 3},
			"storage": {"mode": "graduated", "tiers": [{"to": 40, "price": 5}, {"price": 4}]},
			"seats": {"price": 2}, "devices": {"price": 1}}}},
	"addons": {"translation": {"charge": "postpaid", "prices": {"start": {"": 50}}, "usage": {"chars": {"included": 2, "price": 1}}}},
	"meters": {"sms": {"day": "sum", "month": "sum"}, "connections": {"day": "max", "month": "max"},
		"storage": {"day": "average", "month": "average"}, "seats": {"day": "last", "month": "last"},
		"devices": {"day": "unique", "month": "unique"}, "chars": {"day": "sum", "month": "sum"}},
	"packs": {"small": {"meter": "sms", "holds": 4, "price": 5, "months": 1}}}');
CALL app(1, 'team');
CALL buy(1, 1, '2024-01-15 10:00', 'plan', 'start', 12);
CALL turn(1, 2, '2024-03-10 10:00', 'on', 'translation');
CALL turn(1, 3, '2024-03-20 10:00', 'off', 'translation');
CALL settle();
CREATE PROCEDURE event(app_id bigint, meter text, at text, quantity numeric DEFAULT 1, subject text DEFAULT NULL) LANGUAGE sql AS $$
	INSERT INTO im_event VALUES (app_id, meter, at8(at), quantity, subject) $$;
CALL event(1, 'sms', '2024-03-05 10:00', 12.5);
CALL event(1, 'sms', '2024-03-31 23:59:59.999999', 7);
CALL event(1, 'sms', '2024-04-01 00:00');
CALL event(1, 'connections', '2024-03-05 10:00', 3);
CALL event(1, 'connections', '2024-03-06 10:00', 16);
CALL event(1, 'storage', '2024-02-10 12:00', 31);
CALL event(1, 'storage', '2024-03-16 12:00', 62);
CALL event(1, 'seats', '2024-01-20 12:00', 4);
CALL event(1, 'devices', '2024-03-01', 1, 'a');
CALL event(1, 'devices', '2024-03-02', 1, 'b');
CALL event(1, 'devices', '2024-03-03', 1, 'a');
CALL event(1, 'chars', '2024-03-09', 5);
CALL event(1, 'chars', '2024-03-10', 4);
CALL event(1, 'chars', '2024-03-20 23:00', 3);
CALL event(1, 'chars', '2024-03-21', 100);
CALL event(1, 'unicorns', '2024-03-21', 7);

CREATE FUNCTION march() RETURNS text[] LANGUAGE sql RETURN ARRAY[
	'connections:start | [2024-03-01,2024-04-01) | 2024-04-01 | 16 5 11 2 3 6',
	'devices:start | [2024-03-01,2024-04-01) | 2024-04-01 | 2 0 2 2 1 2',
	'seats:start | [2024-03-01,2024-04-01) | 2024-04-01 | 4 0 4 4 2 8',
	'sms:start | [2024-03-01,2024-04-01) | 2024-04-01 | 19.5 10 9.5 9.5 0.5 4.75',
	'storage:start | [2024-03-01,2024-04-01) | 2024-04-01 | 40 0 40 40 5 200',
	'storage:start | [2024-03-01,2024-04-01) | 2024-04-01 | 6.5 0 6.5 6.5 4 26',
	'translation: | [2024-03-01,2024-04-01) | 2024-04-01 | 1 0 1 1 50 50',
	'chars: | [2024-03-01,2024-04-01) | 2024-04-01 | 7 2 5 5 1 5'];
SELECT is(bill(1, '2024-03'), march(), 'a month of meters of every kind');
SELECT is((SELECT array_agg(line_text(l) ORDER BY l.line) FROM im_monthly_bills('2024-03') l), march(), 'set-wise alike');
SELECT is(bill(1, '2024-02'), ARRAY['seats:start | [2024-02-01,2024-03-01) | 2024-03-01 | 4 0 4 4 2 8',
	'storage:start | [2024-02-01,2024-03-01) | 2024-03-01 | 20.84482759 0 20.84482759 20.84482759 5 104.22413795'],
	'what stands on bills a month by itself');
SELECT is(im_monthly_total(1, '2024-03'), 301.75, 'the total');

-- what nobody pays ---------------------------------------------------------------------
SELECT is((SELECT array_agg(format('%s %s %s %s', u.day, u.kind, n(u.quantity), u.reason) ORDER BY u.day, u.kind)
	FROM im_unbilled_usage('2024-03') u),
	'{"2024-03-09 chars 5 switched off","2024-03-21 chars 100 switched off","2024-03-21 unicorns 1 not priced by the card"}',
	'usage that nobody pays has its reason');
SELECT is((SELECT count(*) FROM im_check('2024-03') c WHERE c.problem LIKE '%unicorns%'), 1::bigint, 'im_check tells of a meter that no card knows');

-- why ------------------------------------------------------------------------------------
SELECT is((SELECT array_agg(l.explanation ORDER BY l.line) FROM im_monthly_bill(1, '2024-03') l WHERE l.item <> 'translation'), ARRAY[
	'Peak of 16 connections on 2024-03-06; 11 over the 5 included in plan start, in 2 started blocks of 10 at 3 EUR each.',
	'2 distinct devices on 31 counting days at 1 EUR each.',
	'4 seats at the last of 31 counting days at 2 EUR each.',
	'19.5 sms on 31 counting days; 9.5 over the 10 included in plan start at 0.5 EUR each.',
	'46.5 storage on average of 31 counting days; 40 in tier 1 at 5 EUR each.',
	'46.5 storage on average of 31 counting days; 6.5 in tier 2 at 4 EUR each.',
	'7 chars on 11 counting days; 5 over the 2 included in add-on translation at 1 EUR each.'], 'sentences');
SELECT is((SELECT amount FROM im_explain(1, '2024-03', l.line) f WHERE f.fact = 'amount'), l.amount, 'the facts of ' || l.item || ' end in its amount')
FROM im_monthly_bill(1, '2024-03') l ORDER BY l.line;
SELECT is((SELECT sum(f.quantity) FROM im_explain(1, '2024-03', 4) f WHERE f.fact = 'sms'), 19.5, 'the days of a sum add up');
SELECT matches((SELECT f.source FROM im_explain(1, '2024-03', 4) f WHERE f.fact = 'sms' AND f.day = '2024-03-05'), 'im_event', 'a day names its rows');

-- late, metered, given ---------------------------------------------------------------------
SELECT lives_ok($$SELECT im_meter('2024-01-01', '2024-04-01')$$, 'metering');
SELECT is(bill(1, '2024-03'), march(), 'metered it is the same');
CALL event(1, 'sms', '2024-03-01', 0.5);
CALL event(1, 'seats', '2024-02-28', 5);
SELECT is(bill(1, '2024-03'), (SELECT array_agg(replace(replace(t, '19.5 10 9.5 9.5 0.5 4.75', '20 10 10 10 0.5 5'), '4 0 4 4 2 8', '5 0 5 5 2 10') ORDER BY i)
	FROM unnest(march()) WITH ORDINALITY u(t, i)), 'late events count, those of an earlier month as well');
INSERT INTO im_meter_daily (app_id, day, meter, quantity) VALUES (1, '2024-03-05', 'sms', 100), (1, '2024-03-30', 'seats', 6);
SELECT is((SELECT array_agg(n(l.quantity) ORDER BY l.line) FROM im_monthly_bill(1, '2024-03') l WHERE l.item IN ('sms', 'seats')), '{6,107.5}',
	'what is given is the truth for its day, and stands on');

-- warnings, previews -------------------------------------------------------------------------
SELECT is((SELECT array_agg(format('%s %s %s of %s', s.kind, s.item, n(s.used), n(s.allowed)) ORDER BY s.item)
	FROM im_standing('2024-03', at8('2024-03-31 12:00')) s WHERE s.kind IN ('meter', 'pack')),
	'{"meter chars 7 of 2","meter connections 16 of 5","meter sms 107.5 of 10"}', 'quotas of meters are watched');
SELECT is((SELECT n(sum(p.amount)) FROM im_preview_bill(1, '2024-03', jsonb_set((SELECT terms FROM im_rate_card_version WHERE rate_card = 'team'),
	'{plans,start,usage,sms,price}', '1')::im_rate_card) p WHERE p.item = 'sms'), '97.5', 'a preview under another price');
SELECT matches(im_bill_html(1, '2024-03', 'zh'), '用量 107\.5', 'the page speaks Chinese of it');

-- packs ---------------------------------------------------------------------------------------
INSERT INTO im_order (app_id, order_id, at, action, item, option, quantity) VALUES (1, 4, at8('2024-03-02 10:00'), 'buy', 'pack', 'small', 2);
CALL settle();
SELECT is((SELECT array_agg(line_text(l) ORDER BY l.line) FROM im_monthly_bill(1, '2024-03') l WHERE l.item IN ('sms', 'pack')),
	'{"sms:start | [2024-03-01,2024-04-01) | 2024-04-01 | 107.5 18 89.5 89.5 0.5 44.75","pack:small | [2024-03-02,2024-04-02) | 2024-03-02 | 2 0 2 2 5 10"}',
	'packs give before what is included');
SELECT is((SELECT sum(f.quantity) FROM im_explain(1, '2024-03', (SELECT l.line FROM im_monthly_bill(1, '2024-03') l WHERE l.item = 'sms')) f
	WHERE f.fact = 'from pack'), 8::numeric, 'what each gave is told');
SELECT is((SELECT format('%s of %s', n(s.used), n(s.allowed)) FROM im_standing('2024-03', at8('2024-03-31 12:00')) s WHERE s.kind = 'pack'),
	'8 of 8', 'and watched');
SELECT is((SELECT sum(r.billed) FROM im_revenue('2024-03', '2024-04') r WHERE r.item = 'pack'), 10::numeric, 'a pack is revenue, ');
SELECT is((SELECT r.earned FROM im_revenue('2024-03', '2024-04') r WHERE r.item = 'pack' AND r.month = '2024-03-01'), 10::numeric, 'earned as it is used');

SELECT * FROM finish();
ROLLBACK;
