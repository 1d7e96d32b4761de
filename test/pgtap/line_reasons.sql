-- The reason of an issued line, its code and figures: sentences are made of it in
-- both languages, the digest covers it, and what is no reason does no harm.
BEGIN;
\ir include/setup.sql
\ir include/ledger.sql

CALL card('shapes', '2020-01-01', '{"currency": "EUR", "scale": 2, "grace_days": 7, "time_zone": "UTC",
	"meters": {"calls": {"day": "sum", "month": "sum"}, "lines": {"day": "max", "month": "max"}, "mean": {"day": "sum", "month": "average"}},
	"plans": {"free": {"rank": 0, "price": 0}, "start": {"rank": 1, "price": 10, "usage": {
		"calls": {"included": 10, "mode": "graduated", "tiers": [{"to": 100, "price": "0.1", "flat": 5}, {"price": "0.05"}], "minimum": 40},
		"lines": {"block": 10, "price": 3}, "mean": {"included": 5, "price": 2}, "mau": {"included": 1, "price": "0.5"}}}},
	"packs": {"small": {"meter": "calls", "holds": 20, "months": 1, "price": 4}}}');
CALL app(1);
CALL app(2, 'shapes');
CALL buy(1, 1, '2023-03-01 10:00', 'plan', 'pro', 3);
CALL upgrade(1, 2, '2023-03-10 10:00');
CALL turn(1, 3, '2023-03-01 10:00', 'on', 'moderation');
CALL turn(1, 4, '2023-03-02 10:00', 'on', 'history_storage', '90d');
CALL turn(1, 5, '2023-03-04 10:00', 'on', 'history_storage', '180d');
CALL pack(1, 6, '2023-03-02 10:00', 'month', 2);
CALL buy(1, 7, '2023-03-02 11:00', 'call', 'basic', 1);
CALL buy(1, 8, '2023-03-02 12:00', 'local_moderation', '', 1);
CALL refund(1, 9, '2023-03-20 10:00', 8);
INSERT INTO im_order (app_id, order_id, at, action, item, option, paid) VALUES (1, 10, at8('2023-03-21 10:00'), 'credit', 'manual', '服务中断 "x"', 5.5),
	(1, 11, at8('2023-03-21 10:00'), 'charge', 'manual', '', 7);
INSERT INTO im_order (app_id, order_id, at, action, item, option, months, paid) VALUES (1, 12, at8('2023-03-21 10:00'), 'buy', 'group_members', '', 1, 123.45);
CALL daily(1, '2023-03-12', dau => 25000, peak_groups => 100000, texts => 1234567);
CALL talk(1, '2023-03-12 10:00', 'hd', 6000000);
CALL buy(2, 1, '2023-03-01 10:00', 'plan', 'start', 1);
INSERT INTO im_order (app_id, order_id, at, action, item, option, quantity) VALUES (2, 2, at8('2023-03-02 10:00'), 'buy', 'pack', 'small', 1);
INSERT INTO im_meter_daily (app_id, meter, day, quantity) VALUES (2, 'calls', '2023-03-05', 400), (2, 'lines', '2023-03-05', 12.5), (2, 'mean', '2023-03-05', 900);
CALL login(2, 'a', '2023-03-05 10:00');
CALL login(2, 'b', '2023-03-05 10:00');
CALL settle();
CREATE TABLE open_page AS SELECT lang, app, im_bill_html(app, '2023-03', lang) AS html FROM unnest('{en,zh}'::text[]) lang, unnest('{1,2}'::bigint[]) app;
CALL im_close_month('2023-03');
-- a line more, one gone, one changed
CALL turn(1, 20, '2023-03-25 10:00', 'off', 'moderation');
UPDATE im_usage_daily SET dau = 45000, text_checks = 0 WHERE app_id = 1;
CALL talk(1, '2023-03-13 10:00', 'audio', 6000);
CALL settle();
CALL im_adjust_month('2023-03');

CREATE FUNCTION why(lang text, app bigint, rev int) RETURNS text[] LANGUAGE sql
RETURN ARRAY(SELECT im_internal.im_html_reason(lang, im_internal.im_line_reason(l.reason, l.figures, l.explanation))
	FROM im_invoice_line l WHERE l.app_id = app AND l.month = '2023-03-01' AND l.revision = rev ORDER BY l.line);

SELECT is((SELECT string_agg(DISTINCT reason, ' ' ORDER BY reason) FROM im_invoice_line WHERE app_id = 1),
	'charge credit minutes moderation note_changed note_gone note_new packs refund_used switched_on_several term term_agreed upgrade usage_priced usage_within', 'a code for every kind of line');
SELECT is((SELECT string_agg(DISTINCT reason, ' ' ORDER BY reason) FROM im_invoice_line WHERE app_id = 2), 'packs term usage_flat usage_minimum usage_priced', 'and for every shape');
SELECT is_empty('SELECT l.line, l.explanation, l.reason, l.figures FROM im_invoice_line l WHERE l.explanation IS DISTINCT FROM im_internal.im_reason_sentence(l.reason, l.figures)',
	'the sentence of a line follows from its reason');
SELECT is((SELECT figures FROM im_invoice_line WHERE app_id = 1 AND reason = 'upgrade'), (SELECT jsonb_build_object('from_plan', 'pro', 'to_plan', 'flagship', 'days', 83,
	'new_price', 2999, 'old_price', 999, 'currency', 'CNY')), 'figures are numbers and names');
SELECT is_empty($$SELECT w FROM generate_series(0, 1) rev, unnest('{1,2}'::bigint[]) app, unnest(why('zh', app, rev)) w WHERE w !~ '。$' OR w ~ '[{}\[\]*?]|None'$$,
	'every line is told in Chinese');
SELECT is_empty($$SELECT w FROM generate_series(0, 1) rev, unnest('{1,2}'::bigint[]) app, unnest(why('en', app, rev)) w WHERE w !~ '^[ -~服务中断]*\.$'$$, 'and in English');
SELECT ok((SELECT bool_and(html LIKE '%' || im_internal.im_html_times(im_internal.im_html_grouped(w)) || '%') FROM unnest(why(lang, app, 0)) w), format('what is issued says what the open bill of app %s said: %s', app, lang)) FROM open_page;
SELECT is((why('zh', 1, 1))[(SELECT line FROM im_invoice_line WHERE app_id = 1 AND reason = 'note_changed' AND item = 'dau_overage')],
	'对已出账单的调整，差额 2000.00 CNY：原为 2000.00，现为 4000.00。峰值 DAU 45000（2023-03-12），扣除套餐 flagship 的免费额度 10000，计费 35000，每 10000 一档，不足一档按一档计，共 4 档，单价 1000 CNY。',
	'a note tells the line as it is now');
SELECT matches(im_document_html(1, '2023-03', 0, 'zh'), '人工减免，金额 5\.5 CNY，订单 #10：服务中断 &quot;x&quot;。', 'a document speaks Chinese, and so does what a person wrote');
SELECT matches(im_document_html(1, '2023-03', 0, 'en'), 'Credit of 5\.5 CNY by order 10: 服务中断 &quot;x&quot;\.', 'or English');

-- What the ledger holds may be anything.
SELECT is(im_internal.im_line_reason(v.reason, v.figures::jsonb, 'It is said.'), 'It is said.', format('no reason: %s %s', v.reason, left(v.figures, 40))) FROM (VALUES
	(NULL, NULL), ('term', NULL), (NULL, '{}'), ('term', '{}'), ('term', '[]'), ('term', '1'), ('term', '"x"'), ('term', 'null'), ('', '{}'), ('no such code', '{"item": "plan"}'), (repeat('x', 100000), '{}'),
	('usage_priced', '{"used": "usage_priced", "price": 1, "currency": "CNY"}'), ('note_new', '{"because": true}'), ('note_new', '{"because": {"reason": "term"}}'),
	('note_new', '{"because": {"reason": "note_new", "figures": {}}}'), ('term', '{"item": null, "months": true, "from": [], "through": {}, "price": 1, "currency": "CNY"}')) v(reason, figures);
SELECT is(im_internal.im_reason_sentence('moderation_unsold', v::jsonb), 'Cloud moderation is switched on and used, but not sold on this rate card.', 'none needed: ' || v) FROM unnest('{[],1,"{}"}'::text[]) v;
CREATE FUNCTION nested(depth int) RETURNS jsonb LANGUAGE sql
RETURN (repeat('{"because": {"reason": "note_new", "figures": ', depth) || '{"because": 1}' || repeat('}}', depth))::jsonb;
SELECT is(im_internal.im_reason_sentence('note_new', nested(2)), 'Not issued before: Not issued before: Not issued before: 1', 'a note of a note');
SELECT ok((attempt($$SELECT im_internal.im_reason_sentence('note_new', nested(3000))$$)).state IN ('T0000', '54001'), 'however deep');
SELECT is(im_internal.im_html_reason('zh', v), im_internal.im_html_text(v), 'another text is left as it is: ' || v) FROM unnest(ARRAY['Bought plan pro.', '', '{', '<b>']) v;
SELECT fails_with($$SELECT im_internal.im_html_reason('fr', '')$$, '22023', 'unknown language', 'another language');

-- The digest covers it.
SELECT is_empty('SELECT * FROM im_verify_invoices()', 'what was issued is whole');
CREATE FUNCTION tampered(what text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	found text;
BEGIN
	ALTER TABLE im_invoice_line DISABLE TRIGGER USER;
	EXECUTE 'UPDATE im_invoice_line SET ' || what || ' WHERE app_id = 1 AND revision = 0 AND line = 1';
	SELECT string_agg(v.app_id || ' ' || v.revision, ', ' ORDER BY v.revision) INTO found FROM im_verify_invoices() v;
	RAISE EXCEPTION USING ERRCODE = 'TAMPE', MESSAGE = coalesce(found, 'nothing');
EXCEPTION WHEN SQLSTATE 'TAMPE' THEN
	RETURN SQLERRM;
END $$;
SELECT is(tampered(w), '1 0', 'found: ' || w) FROM unnest(ARRAY['reason = NULL', 'figures = NULL', 'reason = NULL, figures = NULL', 'reason = ''packs''', 'figures = figures || ''{"months": 4}''']) w;

-- A line of before version 0.3.0 has none.
SELECT is(tampered('reason = reason'), 'nothing', 'what is the same is whole');
ALTER TABLE im_invoice_line DISABLE TRIGGER USER;
UPDATE im_invoice_line SET reason = NULL, figures = NULL WHERE app_id = 1;
SELECT matches(im_document_html(1, '2023-03', 0, 'zh'), '<p class="why">Bought plan pro for 3 months, [^。]*</p>', 'its English sentence is printed');

SELECT * FROM finish();
