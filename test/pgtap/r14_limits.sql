-- R14: limits and features of a plan and its add-ons; what a card may state.
BEGIN;
\ir include/setup.sql

-- Name by name what holds for an app on a day, at noon.
CREATE FUNCTION im_test.limits(app bigint, day text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(format('%s %s', l.name, n(l.value)), ', ' ORDER BY l.name COLLATE "C")
	FROM im_limits(app, at8(day || ' 12:00')) l $$;
CREATE FUNCTION im_test.source(app bigint, day text, limit_name text) RETURNS text LANGUAGE sql AS $$
	SELECT format('%s %s', n(l.value), l.source) FROM im_limits(app, at8(day || ' 12:00')) l WHERE l.name = limit_name $$;

-- The table of R14
CALL app(1);
CALL app(2);
CALL app(3);
CALL buy(2, 1, '2023-03-01 10:00', 'plan', 'pro', 12);
CALL buy(3, 1, '2024-03-01 10:00', 'plan', 'flagship', 12);
SELECT is(limits(1, '2023-03-10'),
	'dau 100, friends 20, group_members 20, groups 100, history_days 7, joined_groups 50, live_groups 10, users 100', 'trial');
SELECT is(limits(2, '2023-03-10'),
	'dau Infinity, friends 3000, group_members 200, groups Infinity, history_days 7, joined_groups 500, live_groups 50, users Infinity', 'pro');
SELECT is(limits(3, '2024-03-10'),
	'dau Infinity, friends 3000, group_members 2000, groups Infinity, history_days 30, joined_groups 1000, live_groups Infinity, users Infinity',
	'flagship, of the version of 2024');

-- Add-ons replace what the plan states, on the days on which they are in force.
CALL buy(2, 2, '2023-04-10 10:00', 'group_members', '', 1);
CALL buy(2, 3, '2023-04-10 10:00', 'joined_groups', '', 1);
CALL buy(2, 4, '2023-04-10 10:00', 'avchatroom', '', 1);
CALL turn(2, 5, '2023-04-10 10:00', 'on', 'history_storage', '90d');
CALL turn(2, 6, '2023-05-12 10:00', 'on', 'history_storage', '360d');
CALL turn(2, 7, '2023-05-14 10:00', 'off', 'history_storage');
SELECT is(source(2, '2023-04-09', 'group_members'), '200 plan pro', 'an add-on holds before its purchase day');
SELECT is(source(2, '2023-04-10', 'group_members'), '2000 group_members', 'an add-on does not hold on its purchase day');
SELECT is(source(2, '2023-05-09', 'group_members'), '2000 group_members', 'an add-on does not hold on its last day');
SELECT is(source(2, '2023-05-10', 'group_members'), '200 plan pro', 'an add-on holds after its last day');
SELECT is(source(2, '2023-04-10', 'joined_groups'), '1000 joined_groups', 'joined_groups on pro');
SELECT is(source(2, '2023-04-10', 'live_groups'), 'Infinity avchatroom', 'avchatroom: no limit of live groups');
SELECT is(source(2, '2023-04-10', 'history_days'), '90 history_storage 90d', 'a limit does not follow the option');
SELECT is(source(2, '2023-05-12', 'history_days'), '360 history_storage 360d', 'a limit does not follow a change of option');
SELECT is(source(2, '2023-05-14', 'history_days'), '360 history_storage 360d', 'the day of switching off is no day on');
SELECT is(source(2, '2023-05-15', 'history_days'), '7 plan pro', 'a switch that is off holds');
CALL buy(3, 2, '2024-04-10 10:00', 'group_members', '', 1);
CALL buy(3, 3, '2024-04-10 10:00', 'joined_groups', '', 1);
CALL turn(3, 4, '2024-04-10 10:00', 'on', 'history_storage', '180d');
SELECT is(limits(3, '2024-04-10'),
	'dau Infinity, friends 3000, group_members 6000, groups Infinity, history_days 180, joined_groups 3000, live_groups Infinity, users Infinity',
	'the add-ons of flagship');

-- An upgrade: what the new plan states; what it does not sell counts as off.
CALL app(4);
CALL buy(4, 1, '2024-01-10 10:00', 'plan', 'pro', 3);
CALL buy(4, 2, '2024-01-10 10:00', 'group_members', '', 3);
CALL buy(4, 3, '2024-01-10 10:00', 'avchatroom', '', 3);
CALL turn(4, 4, '2024-01-10 10:00', 'on', 'history_storage', '30d');
CALL upgrade(4, 5, '2024-02-15 10:00');
SELECT is(source(4, '2024-02-14', 'group_members'), '2000 group_members', 'the day before an upgrade has the new plan');
SELECT is(source(4, '2024-02-15', 'group_members'), '6000 group_members', 'the day of an upgrade has the old plan');
SELECT is(source(4, '2024-02-14', 'history_days'), '30 history_storage 30d', 'on pro the option is on');
SELECT is(source(4, '2024-02-15', 'history_days'), '30 plan flagship', '30d is sold on flagship');
SELECT is(source(4, '2024-02-15', 'live_groups'), 'Infinity plan flagship', 'an add-on states something for a plan that it is not stated for');

-- Grace, stop, suspension
SELECT is(source(4, '2024-04-16', 'friends'), '3000 plan flagship', 'the last day of the grace has no plan');
SELECT is(limits(4, '2024-04-17'),
	'dau 0, friends 0, group_members 0, groups 0, history_days 0, joined_groups 0, live_groups 0, users 0', 'stopped: something is allowed');
SELECT is(source(4, '2024-04-17', 'dau'), '0 stopped', 'no limit is one of a stopped app');
SELECT is(source(4, '2025-01-01', 'dau'), '0 reclaimed', 'no limit is one of a reclaimed app');
CALL suspend(2, '[2023-03-20,2023-03-22)');
SELECT is(source(2, '2023-03-19', 'friends'), '3000 plan pro', 'the day before a suspension is suspended');
SELECT is(source(2, '2023-03-20', 'friends'), '0 suspended', 'a suspended app is allowed something');
SELECT is(source(2, '2023-03-22', 'friends'), '3000 plan pro', 'the day after a suspension is suspended');
CALL suspend(1, '[2023-03-20,2023-03-22)');
SELECT is(source(1, '2023-03-20', 'dau'), '0 suspended', 'a suspended app on trial is allowed something');

-- One by one, and of a feature
SELECT is(im_limit(2, 'friends', at8('2023-03-10 12:00')), 3000::numeric, 'im_limit() and im_limits() differ');
SELECT is(im_limit(2, 'dau', at8('2023-03-10 12:00')), 'Infinity'::numeric, 'null is no limit');
SELECT is(im_limit(2, 'stickers', at8('2023-03-10 12:00')), NULL::numeric, 'a limit that nobody states is one');
SELECT is(im_limit(2, 'stickers', at8('2023-03-20 12:00')), NULL::numeric, 'a limit that nobody states is 0 while suspended');
SELECT is(im_limit(1, 'dau'), 100::numeric, 'today');
SELECT is(im_can(1, 'dau'), true, 'a limit above 0 forbids');
SELECT is(im_can(2, 'friends', at8('2023-03-20 12:00')), false, 'a suspended app may do something');
SELECT is(im_can(2, 'stickers'), NULL::boolean, 'what nobody states can be told');
SELECT is((SELECT count(*) FROM im_limits(1)), 8::bigint, 'all limits of today');
-- the day is that of the card's zone
SELECT is(im_limit(2, 'friends', '2023-03-19 15:59:59+00'), 3000::numeric, 'a minute before midnight in Shanghai is the next day');
SELECT is(im_limit(2, 'friends', '2023-03-19 16:00:00+00'), 0::numeric, 'midnight in Shanghai is the day before');

-- What was used that day
CALL daily(1, '2023-03-10', 79, 101);
CALL login(1, 'a', '2023-03-11 09:00');
CALL login(1, 'a', '2023-03-11 10:00');
CALL login(1, 'b', '2023-03-11 10:00');
SELECT is((SELECT string_agg(concat_ws(' ', l.name, n(l.used)), ', ' ORDER BY l.name) FROM im_limits(1, at8('2023-03-10 08:00')) l
		   WHERE l.name IN ('dau', 'groups', 'users')), 'dau 79, groups 101, users -', 'figures of the day');
SELECT is((SELECT string_agg(concat_ws(' ', l.name, n(l.used)), ', ' ORDER BY l.name) FROM im_limits(1, at8('2023-03-11 08:00')) l
		   WHERE l.name IN ('dau', 'groups')), 'dau 2, groups 0', 'and of events');

-- What meters came to in the month through that day, by kind: beside what the running bill counts.
INSERT INTO im_rate_card_version VALUES ('used', '2023-01-01', '{"currency": "EUR", "scale": 2, "time_zone": "Asia/Shanghai", "grace_days": 7,
	"plans": {"free": {"rank": 0, "price": "0", "limits": {"sms": 5, "push": 2, "mau": 3}},
		"start": {"rank": 1, "price": "100", "mau": {"included": 0, "block": 1, "price": "1"},
			"usage": {"sms": {"price": "1"}, "seats": {"price": "1"}, "gb": {"price": "1"}, "disk": {"price": "1"}, "push": {"price": "1"}},
			"limits": {"sms": 50, "seats": 5, "gb": null, "disk": 10, "push": 5, "mau": 100, "rooms": 9, "files": 7, "dau": 40, "calls": true}},
		"bare": {"rank": 2, "price": "200", "usage": {"sms": {"price": "1"}}, "limits": {"rooms": 1}}},
	"meters": {"sms": {"day": "sum", "month": "sum"}, "seats": {"day": "max", "month": "max"}, "gb": {"day": "last", "month": "last"},
		"disk": {"day": "average", "month": "average"}, "push": {"day": "unique", "month": "unique"}, "files": {"day": "sum", "month": "sum"}},
	"addons": {"store": {"charge": "prepaid", "prices": {"start": {"": "10"}}, "usage": {"files": {"price": "1"}}}},
	"packs": {"sms_20": {"meter": "sms", "holds": "20", "price": "5", "months": 12}}}'),
	('unpriced', '2023-01-01', '{"currency": "EUR", "scale": 2, "time_zone": "Asia/Shanghai", "grace_days": 7,
	"plans": {"free": {"rank": 0, "price": "0", "limits": {"mau": 3, "dau": 3}}}}');
CREATE FUNCTION im_test.used(app bigint, at text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', l.name, n(l.used)), ', ' ORDER BY l.name COLLATE "C") FROM im_limits(app, at8(at)) l $$;
CALL app(5, 'used');
CALL app(6, 'used');
CALL app(7, 'unpriced');
CALL app(8, 'used');
CALL buy(8, 1, '2023-03-03 10:00', 'plan', 'bare', 12);
CALL buy(5, 1, '2023-03-03 10:00', 'plan', 'start', 12);
INSERT INTO im_order (app_id, order_id, at, action, item, option) VALUES (5, 2, at8('2023-03-05 00:00'), 'buy', 'pack', 'sms_20');
CALL suspend(5, '[2023-03-08,2023-03-09)');
INSERT INTO im_event (app_id, meter, at, quantity, subject)
SELECT a, m.meter, at8(m.at), m.quantity, m.subject
FROM unnest('{5,6}'::bigint[]) a, (VALUES
	('sms', '2023-02-28 10:00', 90, NULL), ('sms', '2023-03-01 10:00', 4, NULL), ('sms', '2023-03-05 10:00', 7.25, NULL),
	('sms', '2023-03-08 10:00', 30, NULL), ('sms', '2023-03-10 23:59', 2, NULL), ('sms', '2023-03-11 00:00', 1000, NULL),
	('seats', '2023-03-02 10:00', 80, NULL), ('seats', '2023-03-05 10:00', 3, NULL), ('seats', '2023-03-10 10:00', 2, NULL),
	('gb', '2023-02-01 10:00', 6, NULL), ('gb', '2023-03-20 10:00', 1, NULL),
	('disk', '2023-02-01 10:00', 7, NULL), ('disk', '2023-03-10 00:00', 0, NULL),
	('push', '2023-03-01 10:00', 1, 'early'), ('push', '2023-03-05 10:00', 1, 'a'), ('push', '2023-03-06 10:00', 1, 'a'),
	('push', '2023-03-10 10:00', 1, 'b'), ('push', '2023-03-11 10:00', 1, 'c'), ('files', '2023-03-06 10:00', 3, NULL)) m(meter, at, quantity, subject);
INSERT INTO im_login (app_id, user_id, at)
SELECT a, u, at8(format('2023-03-%s 10:00', d))
FROM unnest('{5,6,7}'::bigint[]) a, (VALUES ('01', 'x'), ('05', 'x'), ('06', 'y'), ('10', 'x'), ('11', 'z')) l(d, u);
-- the plan is in force on the 3rd to the 7th, 9th and 10th: disk stood at 7 on six of seven days
CREATE TEMP TABLE used_then AS SELECT 'calls -, dau 1, disk 6, files 3, gb 6, mau 2, push 2, rooms -, seats 3, sms 9.25'::text AS text;
SELECT is(used(5, '2023-03-10 08:00'), text, 'each kind, less than a month, or days that do not count') FROM used_then;
SELECT is((SELECT string_agg(concat_ws(' ', item, n(quantity)), ', ' ORDER BY item) FROM im_running_bill(5, at8('2023-03-10 08:00'))
		   WHERE item IN ('sms', 'seats', 'gb', 'push', 'mau_overage')), 'gb 6, mau_overage 2, push 2, seats 3, sms 9.25', 'limits and running bill differ');
SELECT is(used(5, '2023-03-02 08:00'), 'mau 1, push 1, sms 4', 'days of the trial do not count on trial');
SELECT is(used(5, '2023-03-08 08:00'), 'calls -, dau 0, disk 7, files 3, gb 6, mau 2, push 1, rooms -, seats 3, sms 7.25', 'a suspended day counts');
SELECT is(used(6, '2023-03-10 08:00'), 'mau 2, push 3, sms 43.25', 'an app on trial all month');
SELECT is(used(5, '2023-04-01 08:00'), 'calls -, dau 0, disk 0, files 0, gb 1, mau 0, push 0, rooms -, seats 0, sms 0', 'a month does not begin anew');
SELECT cmp_ok(im_meter(), '>', 0::bigint, 'metered');
SELECT is(used(5, '2023-03-10 08:00'), text, 'metered figures differ from those of events') FROM used_then;
SELECT is(used(7, '2023-03-10 08:00'), 'dau 1, mau -', 'users whom nobody keeps are counted');
-- who they were is not known: told by no figure, and no error
INSERT INTO im_meter_daily (app_id, day, meter, quantity) VALUES (5, '2023-03-07', 'push', 3);
CALL daily(5, '2023-03-07', 4);
SELECT is(used(5, '2023-03-10 08:00'), 'calls -, dau 1, disk 6, files 3, gb 6, mau -, push -, rooms -, seats 3, sms 9.25', 'counts without users make a number of users');
SELECT is((SELECT count(used) FROM im_limits(5, at8('2023-03-06 08:00')) WHERE name IN ('mau', 'push')), 2::bigint, 'a later day without users hides those before');
-- nothing of a month is read where no limit has a meter
INSERT INTO im_event (app_id, meter, at, quantity) VALUES (8, 'sms', at8('2023-03-10 10:00'), 'NaN'), (5, 'files', at8('2023-03-10 10:00'), 'NaN');
SELECT lives_ok($$SELECT * FROM im_limits(8, at8('2023-03-10 08:00'))$$, 'events are read without a need');
SELECT fails_with($$SELECT * FROM im_limits(5, at8('2023-03-10 08:00'))$$, '22023', 'NaN', 'a bad row is counted');
SELECT lives_ok($$SELECT im_limit(5, 'sms', at8('2023-03-10 08:00')), im_can(5, 'sms', at8('2023-03-10 08:00'))$$, 'one limit reads events');
DELETE FROM im_event WHERE quantity = 'NaN';

-- Numbers, features, no limit, several add-ons, options
CREATE FUNCTION im_test.r14() RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT '{"currency": "EUR", "scale": 2, "time_zone": "Asia/Shanghai", "grace_days": 7,
		"plans": {"free": {"rank": 0, "price": "0", "limits": {}},
			"start": {"rank": 1, "price": "499", "limits": {"group_members": 200, "community": false, "live_groups": null, "gb": "0.5"}}},
		"addons": {"members": {"charge": "prepaid", "prices": {"start": {"": "10"}}, "limits": {"start": {"group_members": 100}}},
			"crowd": {"charge": "prepaid", "prices": {"start": {"s": "10", "l": "20"}},
				"limits": {"start": {"community": true, "s": {"group_members": 50}, "l": {"group_members": null, "sms": 5}}}},
			"store": {"charge": "postpaid", "prices": {"start": {"": "10"}}, "limits": {"start": {"live_groups": 7, "community": false}}}}}'::jsonb $$;
INSERT INTO im_rate_card_version VALUES ('r14', '2023-01-01', r14()),
	('r14', '2023-06-01', jsonb_set(r14(), '{plans,start,limits,group_members}', '300'));
SELECT is(r14()::im_rate_card::jsonb, r14(), 'a card comes out as it went in');
CALL app(10, 'r14');
CALL buy(10, 1, '2023-01-01 10:00', 'plan', 'start', 12);
SELECT is(limits(10, '2023-01-01'), 'community 0, gb 0.5, group_members 200, live_groups Infinity', 'of the plan alone');
SELECT is(limits(10, '2023-06-01'), 'community 0, gb 0.5, group_members 300, live_groups Infinity', 'the version in force that day does not rule');
SELECT is(im_limit(10, 'sms', at8('2023-02-01 12:00')), NULL::numeric, 'an add-on that is not in force states something');
CALL buy(10, 2, '2023-02-01 10:00', 'members', '', 2);
SELECT is(source(10, '2023-02-01', 'group_members'), '100 members', 'an add-on replaces a higher limit of the plan');
CALL buy(10, 3, '2023-02-10 10:00', 'crowd', 's', 1);
SELECT is(source(10, '2023-02-10', 'group_members'), '100 members', 'of two add-ons the lower holds');
SELECT is(source(10, '2023-02-10', 'community'), '1 crowd', 'an add-on does not bring its feature whatever its option');
SELECT is(im_can(10, 'community', at8('2023-02-10 12:00')), true, 'a feature that is there cannot be used');
SELECT is(im_can(10, 'community', at8('2023-02-09 12:00')), false, 'a feature that is not there can be used');
CALL buy(10, 4, '2023-03-10 10:00', 'crowd', 'l', 1);
SELECT is(source(10, '2023-03-10', 'group_members'), 'Infinity crowd l', 'no limit is lower than a limit');
SELECT is(source(10, '2023-03-10', 'sms'), '5 crowd l', 'an option does not add what the plan does not state');
CALL turn(10, 5, '2023-03-12 10:00', 'on', 'store');
SELECT is(source(10, '2023-03-12', 'live_groups'), '7 store', 'an add-on cannot limit what the plan does not');
SELECT is(source(10, '2023-03-12', 'community'), '1 crowd', 'of two add-ons the one without the feature holds');
-- a refund ends the add-on on its day
CALL refund(10, 6, '2023-03-20 10:00', 4);
SELECT is(source(10, '2023-03-20', 'sms'), '5 crowd l', 'the day of a refund is no day of the term');
SELECT is(im_limit(10, 'sms', at8('2023-03-21 12:00')), NULL::numeric, 'a refunded add-on holds');
CALL app(11, 'r14');
SELECT is(limits(11, '2023-03-12'), NULL, 'a free plan that states none has limits');

-- The free plan of a card from before limits carries 100 of each in alerts and comparisons, one with limits what it states.
INSERT INTO im_rate_card_version
SELECT k.name, '2023-01-01', k.terms
FROM (VALUES ('old', cn() #- '{plans,trial,limits}'),
			 ('five', jsonb_set(cn() #- '{plans,trial,limits}', '{plans,trial,limits}', '{"dau": "5.9"}'))) k(name, terms);
CALL app(20, 'old');
CALL app(21, 'five');
CALL daily(20, '2023-03-10', 101, 101);
CALL daily(21, '2023-03-10', 6, 101);
SELECT is((SELECT string_agg(concat_ws(' ', app_id, kind, n(used), n(allowed)), ', ' ORDER BY app_id, kind)
		   FROM im_standing('2023-03', at8('2023-03-31 12:00')) WHERE app_id >= 20),
	'20 dau 101 100, 20 groups 101 100, 21 dau 6 5', 'limits of the free plan in alerts');
SELECT is((SELECT string_agg(reason, ' | ' ORDER BY a) FROM unnest('{20,21}'::bigint[]) a, im_cheapest_plan(a, '2023-03') WHERE plan = 'trial'),
	'it carries at most 100 users a day, and there were 101 on 2023-03-10; it carries at most 100 groups, and there were 101 on 2023-03-10'
	' | it carries at most 5 users a day, and there were 6 on 2023-03-10', 'and where plans are compared');
SELECT is(im_limit(20, 'dau', at8('2023-03-10 12:00')), NULL::numeric, 'what the card does not state is stated');

-- Errors
SELECT fails_with($$SELECT im_limit(99, 'dau')$$, 'P0002', 'app 99', 'an app that there is not');
SELECT fails_with($$SELECT * FROM im_limits(99)$$, 'P0002', 'app 99', 'limits of an app that there is not');
SELECT fails_with($$SELECT im_limit(1, 'dau', 'infinity')$$, '22008', 'infinity', 'no day');
SELECT fails_with($$SELECT im_limit(10, 'dau', '2022-12-31 12:00+08')$$, 'P0002', '2022-12-31', 'before the first version');
SELECT is(im_limit(NULL::bigint, 'dau'), NULL::numeric, 'a null asks nothing');

-- Wrong cards: one element replaced. 22023 with the path of the element.
CREATE TEMP TABLE wrong (n serial, path text, new jsonb, told text, why text);
INSERT INTO wrong (path, new, told, why) VALUES
	('plans.start.limits', '[]', 'plans.start.limits is not an object', 'an array of limits'),
	('plans.start.limits', '5', 'plans.start.limits is not an object', 'a number for limits'),
	('plans.start.limits', 'null', 'plans.start.limits is not an object', 'null for limits'),
	('plans.start.limits.gb', '-1', 'plans.start.limits.gb is negative', 'a negative limit'),
	('plans.start.limits.gb', '"many"', 'plans.start.limits.gb is not a number', 'a word for a limit'),
	('plans.start.limits.gb', '"Infinity"', 'plans.start.limits.gb is not a number', 'null is no limit, Infinity is none'),
	('plans.start.limits.gb', '0.000000001', 'plans.start.limits.gb has too many', '9 places'),
	('plans.start.limits.gb', '1e13', 'plans.start.limits.gb is too large', '14 digits'),
	('plans.start.limits.gb', '{"": 1}', 'plans.start.limits.gb is no limit', 'an object for a limit'),
	('plans.start.limits.gb', '[1]', 'plans.start.limits.gb is no limit', 'an array for a limit'),
	('plans.start.limits', '{"": 1}', 'plans.start.limits. is an empty name', 'a limit without a name'),
	('addons.members.limits', '[]', 'addons.members.limits is not an object', 'an array of limits'),
	('addons.members.limits', '{"group_members": 5}', 'addons.members.limits.group_members names a plan', 'limits without a plan'),
	('addons.members.limits', '{"pro": {"group_members": 5}}', 'addons.members.limits.pro names a plan', 'a plan that the card lacks'),
	('addons.members.limits', '{"free": {"group_members": 5}}', 'addons.members.limits.free states limits', 'an add-on of the free plan'),
	('addons.members.limits.start', '5', 'addons.members.limits.start is not an object', 'a number for limits of a plan'),
	('addons.members.limits.start.group_members', '-5', 'addons.members.limits.start.group_members is negative', 'a negative limit'),
	('addons.members.limits.start.group_members', '[]', 'addons.members.limits.start.group_members is no limit', 'an array for a limit'),
	('addons.members.limits.start.group_members', 'true', 'addons.members.limits.start.group_members is true or false', 'a limit here and a feature there'),
	('addons.crowd.limits.start.l.sms', '{"a": 1}', 'addons.crowd.limits.start.l.sms is no limit', 'deeper than an option'),
	('addons.crowd.limits.start.l.sms', '"x"', 'addons.crowd.limits.start.l.sms is not a number', 'a word for a limit of an option'),
	('addons.crowd.limits.start.l.community', 'true', 'addons.crowd.limits.start.l.community is stated', 'for one option and for all'),
	('addons.crowd.limits.start.l', '{"": 1}', 'addons.crowd.limits.start.l. is an empty name', 'a limit of an option without a name'),
	('call_limits', '{}', 'call_limits is an unknown key', 'limits in another place');
SELECT fails_with(format('SELECT %L::im_rate_card', jsonb_set(r14(), string_to_array(path, '.'), new)::text), '22023',
	regexp_replace(told, '\.', '\\.', 'g'), format('card: %s = %s: %s', path, left(new::text, 40), why))
FROM wrong ORDER BY n;

-- Taking an option, or all of an add-on on a plan, off sale leaves a card; who holds it keeps its limits.
SELECT lives_ok(format('SELECT %L::im_rate_card', r14() #- path), format('the limits of %s may stay when it is not sold', path))
FROM (VALUES ('{addons,crowd,prices,start,l}'::text[]), ('{addons,members,prices,start}')) v(path);
SELECT is((r14() #- '{addons,crowd,prices,start,l}')::im_rate_card::jsonb #>> '{addons,crowd,limits,start,l,sms}', '5', 'and are still told');

SELECT * FROM finish();
ROLLBACK;
