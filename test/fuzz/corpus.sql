-- corpus.sql
--	  Writes the seeds of the fuzzers: cd test/fuzz/corpus && psql -Xqf ../corpus.sql
--	  on a database with the extension, as superuser.
--
-- A line of a file is one whole value in hex: what a type sends, or the state
-- that an aggregate sends to another process.  A state is had by an aggregate
-- that ends in the serialisation function of another.

DO $$ DECLARE a record; BEGIN
 FOR a IN SELECT p.oid, p.proname, g.*, pg_get_function_identity_arguments(p.oid) args FROM pg_aggregate g JOIN pg_proc p ON p.oid=aggfnoid WHERE aggserialfn<>0 AND proname ~ '^im_' LOOP
  EXECUTE format('CREATE AGGREGATE pg_temp.partial_%s(%s) (SFUNC=%s, STYPE=internal, FINALFUNC=%s)', a.proname, a.args, a.aggtransfn, a.aggserialfn);
 END LOOP; END $$;
CREATE FUNCTION pg_temp.hexes(bytea[]) RETURNS SETOF text LANGUAGE sql AS $$ SELECT DISTINCT encode(u,'hex') FROM unnest($1) u ORDER BY 1 $$;
\t
\a
\o im_userset.recv.hex
SELECT pg_temp.hexes(array_agg(im_internal.im_userset_send(s))) FROM (
 SELECT t::im_userset s FROM unnest(ARRAY['{}','{a}','{"",a,ab,abc,b}','{user_00000001,user_00000002,user_00000010}','{123e4567-e89b-12d3-a456-426614174000,123e4567-e89b-12d3-a456-426614174001,deadbeef,DEADBEEF}','{用户,用}']) t
	UNION ALL SELECT im_userset_agg(i) FROM generate_series(1,300) i
	UNION ALL SELECT im_userset_agg(i*i*7919::bigint) FROM generate_series(1,50) i
	UNION ALL SELECT im_userset_agg(repeat('x',200*i)||i) FROM generate_series(1,6) i
	UNION ALL SELECT im_userset_agg(md5(i::text)) FROM generate_series(1,20) i
	UNION ALL SELECT im_userset_agg(md5(i::text)::uuid) FROM generate_series(1,20) i) x;
\o im_month.recv.hex
SELECT pg_temp.hexes(array_agg(im_internal.im_month_send(m::im_month))) FROM unnest(ARRAY['2023-12','0001-01','9999-12','2024-02']) m;
\o im_rate_card.recv.hex
SELECT pg_temp.hexes(array_agg(im_internal.im_rate_card_send(c))) FROM (SELECT im_bundled_card(rate_card, effective_from) c FROM im_bundled_cards()) x;
\o im_login_dau.state.hex
SELECT pg_temp.hexes(array_agg(s)) FROM (SELECT pg_temp.partial_im_login_dau(i::text) s FROM generate_series(1,40) i
	UNION ALL SELECT pg_temp.partial_im_login_dau(md5(i::text)) FROM generate_series(1,9) i
	UNION ALL SELECT pg_temp.partial_im_login_dau(NULL)) x;
\o im_login_users.state.hex
SELECT pg_temp.hexes(array_agg(s)) FROM (SELECT pg_temp.partial_im_login_users(i::text) s FROM generate_series(1,40) i
	UNION ALL SELECT pg_temp.partial_im_login_users(md5(i::text)) FROM generate_series(1,9) i
	UNION ALL SELECT pg_temp.partial_im_login_users(x) FROM unnest('{a,B,b,"",用户}'::text[]) x(x)) x;
\o im_charge.recv.hex
SELECT pg_temp.hexes(array_agg(im_internal.im_charge_send(c::im_charge))) FROM unnest(ARRAY['{"price": "0.00027"}',
	'{"included": 10000, "block": 10000, "price": "1000", "round": "nearest", "minimum": 5, "maximum": "70000.5"}',
	'{"included": {"share": "0.05", "of": "mau"}, "price": 1}',
	'{"mode": "graduated", "tiers": [{"to": "50", "price": "5", "flat": 2}, {"to": 100, "block": 3, "price": "4"}, {"price": "3.5"}]}',
	'{"mode": "volume", "included": 7, "tiers": [{"to": 2000, "flat": "300"}, {"flat": "500", "excess": true, "block": 10000, "price": "100"}]}']) c;
\o im_dau.state.hex
SELECT pg_temp.hexes(array_agg(s)) FROM (SELECT pg_temp.partial_im_dau(i) s FROM generate_series(1,40) i
	UNION ALL SELECT pg_temp.partial_im_dau(i::text) FROM generate_series(1,40) i
	UNION ALL SELECT pg_temp.partial_im_dau(md5(i::text)) FROM generate_series(1,9) i
	UNION ALL SELECT pg_temp.partial_im_dau(i::numeric) FROM generate_series(1,9) i
	UNION ALL SELECT pg_temp.partial_im_dau(md5(i::text)::uuid) FROM generate_series(1,9) i
	UNION ALL SELECT pg_temp.partial_im_dau(x) FROM unnest('{a,B,b}'::text[]) x(x)
	UNION ALL SELECT pg_temp.partial_im_dau(x COLLATE "en-x-icu") FROM unnest('{a,B,b}'::text[]) x(x)
	UNION ALL SELECT pg_temp.partial_im_dau(NULL::text)
	UNION ALL SELECT pg_temp.partial_im_dau(ROW(i)) FROM generate_series(1,3) i
	UNION ALL SELECT pg_temp.partial_im_dau(i::smallint) FROM generate_series(1,3) i
	UNION ALL SELECT pg_temp.partial_im_dau(i::oid) FROM generate_series(1,3) i
	UNION ALL SELECT pg_temp.partial_im_dau(i::float8) FROM generate_series(1,3) i
	UNION ALL SELECT pg_temp.partial_im_dau(interval '1 day' * i) FROM generate_series(1,3) i
	UNION ALL SELECT pg_temp.partial_im_dau(i) || substr(pg_temp.partial_im_dau('a long id of user ' || i), 2) FROM generate_series(1,3) i) x;
\o im_userset_agg.state.hex
SELECT pg_temp.hexes(array_agg(s)) FROM (SELECT pg_temp.partial_im_userset_agg(i) s FROM generate_series(1,40) i
	UNION ALL SELECT pg_temp.partial_im_userset_agg('user '||i::text) FROM generate_series(1,40) i
	UNION ALL SELECT pg_temp.partial_im_userset_agg(md5(i::text)) FROM generate_series(1,9) i
	UNION ALL SELECT pg_temp.partial_im_userset_agg(NULL::text)) x;
\o im_union_agg.state.hex
SELECT pg_temp.hexes(array_agg(s)) FROM (SELECT pg_temp.partial_im_union_agg(x::im_userset) s FROM unnest(ARRAY['{a,b}','{1,22,333}']) x
	UNION ALL SELECT pg_temp.partial_im_union_agg(u) FROM (SELECT im_userset_agg(i) u FROM generate_series(1,60) i) y
	UNION ALL SELECT pg_temp.partial_im_union_agg(NULL)) x;
\o im_peak_groups.state.hex
SELECT pg_temp.hexes(array_agg(s)) FROM (SELECT pg_temp.partial_im_peak_groups('2023-12-01'::timestamptz+i*interval '1 hour', '2023-12-02'::timestamptz+i*interval '3 hour', '2023-12-01','2024-01-01') s FROM generate_series(1,20) i
	UNION ALL SELECT pg_temp.partial_im_peak_groups('2023-12-01', NULL, '2023-12-01','2024-01-01') 
	UNION ALL SELECT pg_temp.partial_im_peak_groups(NULL, NULL, '2023-12-01','2024-01-01')) x;
\o im_meter_sum.state.hex
SELECT pg_temp.hexes(array_agg(s)) FROM (SELECT pg_temp.partial_im_meter_sum(q) s FROM unnest('{0,1,0.00000001,999999999999.99999999}'::numeric[]) q GROUP BY q
	UNION ALL SELECT pg_temp.partial_im_meter_sum(1e29) FROM generate_series(1, 16)) x;
\o im_meter_max.state.hex
SELECT pg_temp.hexes(array_agg(s)) FROM (SELECT pg_temp.partial_im_meter_max(q) s FROM unnest('{0,1,-0.00000001,1e29}'::numeric[]) q GROUP BY q) x;
\o im_meter_unique.state.hex
SELECT pg_temp.hexes(array_agg(s)) FROM (SELECT pg_temp.partial_im_meter_unique(i) s FROM generate_series(1,40) i
	UNION ALL SELECT pg_temp.partial_im_meter_unique(md5(i::text)) FROM generate_series(1,9) i
	UNION ALL SELECT pg_temp.partial_im_meter_unique(x) FROM unnest('{a,B,b}'::text[]) x(x)) x;
\o im_meter_last.state.hex
SELECT pg_temp.hexes(array_agg(s)) FROM (SELECT pg_temp.partial_im_meter_last(q, '2023-12-01'::timestamptz + q * interval '1 hour') s FROM unnest('{0,1,-0.5,1000}'::numeric[]) q GROUP BY q) x;
\o im_meter_average.state.hex
SELECT pg_temp.hexes(array_agg(s)) FROM (SELECT pg_temp.partial_im_meter_average(i, '2023-12-01'::timestamptz + i * interval '1 hour', '2023-12-01', '2024-01-01', n) s
	FROM generate_series(-3, 20) i, generate_series(0, 2) n GROUP BY n
	UNION ALL SELECT pg_temp.partial_im_meter_average(NULL, NULL, '2023-12-01', '2024-01-01', NULL)) x;
\o im_moderation_deductions.state.hex
SELECT pg_temp.hexes(array_agg(s)) FROM (SELECT pg_temp.partial_im_moderation_deductions(im_bundled_card('cn','2019-12-10'),(ARRAY['text','image','audio','video'])[1+i%4], '2023-12-01'::timestamptz+i*interval '1 hour', i) s FROM generate_series(1,20) i
	UNION ALL SELECT pg_temp.partial_im_moderation_deductions(im_bundled_card('cn','2019-12-10'),'text', '2023-12-01', NULL)) x;
\o im_internal.im_usage.recv.hex
SELECT pg_temp.hexes(array_agg(im_internal.im_usage_send(u))) FROM (
 SELECT t::im_internal.im_usage AS u FROM unnest(ARRAY['{"days": []}', '{"since": "2023-12-01", "days": [{"day": "0001-01-01", "dau": 9223372036854775807}, {"day": "9999-12-31", "fhd_minutes": 1}]}',
	'{"days": [{"day": "2023-12-01", "dau": 3, "given": ["dau"], "users": "{a,b}", "users_given": true}, {"day": "2023-12-02", "text_checks": 70000, "given": true}]}',
	'{"days": [{"day": "2023-12-01", "users": "{用户,用}"}], "meters": [{"meter": "a b", "day": "2023-12-01", "quantity": 1.5, "given": 3, "area": 86400000000000, "before": 5, "length": 86400000000, "users": "{a}"}, {"meter": "储存", "day": "2020-02-29", "quantity": -0.00000001}]}']) t
	UNION ALL SELECT im_internal.im_usage_agg(1, '2023-12-01'::date + i, i, i, i, i, i, i, i, i, i, i, i % 2 = 0, NULL) FROM generate_series(0, 30) i
	UNION ALL SELECT im_internal.im_usage_agg(1, '2023-12-01'::date + i, 1000 + i, 100 + i, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL) FROM generate_series(0, 30) i) x;
\o im_check_days.state.hex
SELECT pg_temp.hexes(array_agg(s)) FROM (SELECT pg_temp.partial_im_check_days(1,'2023-12-01'::timestamptz+i*interval '1 hour',(ARRAY['text','image','audio','video'])[1+i%4],i,'Asia/Shanghai','2023-12-01','2023-12-31') s FROM generate_series(1,20) i
	UNION ALL SELECT pg_temp.partial_im_check_days(1,'2023-12-01','text',NULL,'UTC','2023-12-01','2023-12-31') ) x;
\o im_event_day.state.hex
SELECT pg_temp.hexes(array_agg(s)) FROM (SELECT pg_temp.partial_im_event_day(1, 'm', k, '2024-03-31'::timestamptz + i * interval '1 hour', i / 8.0, 's', 'Europe/Berlin') s
	FROM generate_series(1, 12) i, unnest('{sum,max,unique,last,average}'::text[]) k GROUP BY k, i % 2) x;
\o im_call_days.state.hex
SELECT pg_temp.hexes(array_agg(s)) FROM (SELECT pg_temp.partial_im_call_days(1,'2023-12-01'::timestamptz+i*interval '1 hour',(ARRAY['audio','sd','hd','fhd'])[1+i%4],i,'Asia/Shanghai','2023-12-01','2023-12-31') s FROM generate_series(1,20) i
	UNION ALL SELECT pg_temp.partial_im_call_days(1,'2023-12-01','hd',5,'UTC','2023-12-01','2023-12-31') ) x;
\o im_group_days.state.hex
SELECT pg_temp.hexes(array_agg(s)) FROM (SELECT pg_temp.partial_im_group_days(1,'g'||i,'2023-12-01'::timestamptz+i*interval '1 hour','2023-12-03'::timestamptz+i*interval '2 hour','Asia/Shanghai','2023-12-01','2023-12-31') s FROM generate_series(1,20) i
	UNION ALL SELECT pg_temp.partial_im_group_days(1,'g','2023-12-01',NULL,'UTC','2023-12-01','2023-12-31') ) x;
\o
