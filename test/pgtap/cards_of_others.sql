-- Price lists of other vendors, sql/cards/others: each amount as the vendor's page works it out, or worked out by hand from
-- its figures.  What would be wrong if it failed: a card that says something else than the page it was read from.
BEGIN;
\ir include/setup.sql

-- Which cards there are, when they were read, and where.
CREATE TEMP TABLE page (rate_card text, effective_from date, read_on date, address text);
INSERT INTO page VALUES
	('ably', '2026-11-30', '2026-12-01', 'ably.com/docs/pricing'),
	('agora_signaling', '2026-11-30', '2026-12-01', 'docs.agora.io/en/1.x/signaling/reference/pricing'),
	('agora_signaling_dau', '2026-11-30', '2026-12-01', 'docs.agora.io/en/1.x/signaling/reference/pricing'),
	('easemob', '2026-03-23', '2026-12-01', 'github.com/easemob/easemob-doc docs/product/pricing_policy.md'),
	('pubnub', '2026-05-08', '2026-12-01', 'github.com/api-evangelist/pubnub plans/pubnub-plans-pricing.yml'),
	('rongcloud', '2026-11-30', '2026-12-01', 'help.rongcloud.io/t/billing-instructions-for-chat-premium-plan-and-chat-ultimate-plan-china/23'),
	('rongcloud_overseas', '2026-11-30', '2026-12-01', 'help.rongcloud.cn/t/topic/391'),
	('sendbird', '2026-05-04', '2026-12-01', 'github.com/api-evangelist/sendbird plans/sendbird-plans-pricing.yml'),
	('stream', '2026-11-30', '2026-12-01', 'getstream.io/chat/docs/node/fair-usage-limits'),
	('stream_graduated', '2026-11-30', '2026-12-01', 'getstream.io/chat/docs/php/fair-usage-limits'),
	('talkjs', '2026-06-20', '2026-12-01', 'github.com/api-evangelist/talkjs plans/talkjs-plans-pricing.yml'),
	('tencent_cn', '2024-01-01', '2026-12-01', 'cloud.tencent.com/document/product/269/86871'),
	('tencent_cn', '2026-01-08', '2026-12-01', 'cloud.tencent.com/document/product/269/86871'),
	('tencent_intl', '2025-01-01', '2026-12-01', 'tencentcloud.com/document/product/1047/66403'),
	('twilio_conversations', '2026-09-20', '2026-12-01', 'github.com/api-evangelist/twilio plans/twilio-plans-pricing.yml'),
	('zegocloud', '2026-11-30', '2026-12-01', 'www.zegocloud.com/docs/console/faqs/pricing/fee-for-in-app-chat');
SELECT results_eq('SELECT rate_card, effective_from, read_on, left(source, length(address)) FROM im_cards_of_others() o JOIN page p
	USING (rate_card, effective_from, read_on) ORDER BY 1, 2', 'SELECT * FROM page ORDER BY 1, 2', 'each says where and when it was read');
SELECT is((SELECT count(*) FROM im_cards_of_others()), (SELECT count(*) FROM page), 'and there are no others');
SELECT is((SELECT count(*) FROM im_cards_of_others() WHERE length(remark) < 80), 0::bigint, 'each says how surely, and what it leaves out');
SELECT is(im_bundled_card(rate_card, effective_from)::jsonb, terms, format('%s of %s is a card, and comes out as it went in', rate_card, effective_from))
FROM im_cards_of_others();
SELECT is((SELECT count(*) FROM im_rate_card_version v JOIN im_cards_of_others() o USING (rate_card)), 0::bigint, 'no table has them unasked');
SELECT is((SELECT count(*) FROM im_bundled_cards() b JOIN im_cards_of_others() o USING (rate_card)), 0::bigint, 'nor has one the name of a bundled one');
SELECT fails_with($$SELECT im_bundled_card('easemob', '2020-01-01')$$, 'P0002', 'easemob.*The versions are easemob from 2026-03-23\.', 'a day without a version names those there are');
SELECT fails_with($$SELECT im_bundled_card('mars', '2020-01-01')$$, 'P0002', 'cn from 2019-12-10.*overseas from 2019-12-10, ably from.*zegocloud from', 'an unknown name names all');
SELECT fails_with($$SELECT im_card('easemob')$$, 'P0002', 'easemob', 'im_card() reads the table only');

-- Single figures -------------------------------------------------------------------------
-- On paper: the computation as the page has it, or from its figures.
CREATE TEMP TABLE fee (n serial, rate_card text, plan text, meter text, quantity numeric, paper text, whose text DEFAULT 'by hand');
INSERT INTO fee (rate_card, plan, meter, quantity, paper, whose) VALUES
	('ably', 'standard', 'messages', 49e6, '49 * 2.50', 'the page: 122.50'),
	('ably', 'pro', 'messages', 120e6, '50 * 2.50 + 70 * 2.25', 'the page: 282.50'),
	('ably', 'standard', 'channel_minutes', 8e6, '8 * 1.00', 'the page: 8.00'),
	('ably', 'standard', 'channel_minutes', 140e6, '10 * 1.00 + 90 * 0.95 + 40 * 0.85', 'the page: 129.50'),
	('ably', 'pro', 'connection_minutes', 7e6, '7 * 1.00', 'the page, whose product says 8.00 by mistake'),
	('ably', 'pro', 'connection_minutes', 130e6, '10 * 1.00 + 90 * 0.95 + 30 * 0.85', 'the page: 121'),
	('ably', 'standard', 'messages', 15e6, '15 * 2.50', 'support-chat.mdx: 37.50'),
	('ably', 'standard', 'connection_minutes', 10e6, '10 * 1.00', 'support-chat.mdx: 10.00'),
	('ably', 'standard', 'channel_minutes', 5e6, '5 * 1.00', 'support-chat.mdx: 5.00'),
	('ably', 'pro', 'messages', 60e9, '50 * 2.5 + 450 * 2.25 + 4500 * 1.95 + 15000 * 1.65 + 30000 * 1.40 + 10000 * 1.25', 'by hand'),
	('ably', 'pro', 'channel_minutes', 16e9, '10 * 1 + 90 * 0.95 + 900 * 0.85 + 4000 * 0.75 + 10000 * 0.65 + 1000 * 0.60', 'by hand'),
	('ably', 'pro', 'connection_minutes', 1, '1.00', 'by hand: a started million'),
	('agora_signaling_dau', 'enterprise', 'dau', 9000, '8000 / 1000 * 14.50', 'an older state of the page: 116'),
	('agora_signaling_dau', 'enterprise', 'dau', 326102, '325.102 * 14.50', 'the page: 4713.98, rounded'),
	('agora_signaling_dau', 'enterprise', 'dau', 1000, '0', 'by hand'),
	('agora_signaling', 'pro', 'connections', 2500, '0', 'the page: up to 2,500'),
	('agora_signaling', 'pro', 'connections', 4000, '1.5 * 30', 'by hand'),
	('agora_signaling', 'pro', 'messages', 150e6, '0', 'the page: up to 150 million'),
	('agora_signaling', 'pro', 'messages', 200e6, '50 * 3', 'by hand'),
	('agora_signaling', 'pro', 'storage_gb', 12.5, '2.5 * 15', 'by hand'),
	('easemob', 'pro', 'dau', 15000, '1000', 'the page: 1000 of its 4299'),
	('easemob', 'flagship', 'dau', 20001, '2 * 1000', 'by hand'),
	('easemob', 'pro', 'translated_chars', 2000000, '0', 'by hand'),
	('easemob', 'flagship', 'translated_chars', 2100000, '100 * 0.27', 'by hand'),
	('easemob', 'pro', 'push_dau', 35000, '3 * 500', 'by hand'),
	('easemob', 'pro', 'moderation_fee', 2625, '50 * 15 + 50 * 15 + 50 * 22.5', 'the page: 2625, as 500,000 pictures on 3 models'),
	('easemob', 'pro', 'moderation_fee', 499.99, '500', 'the page: up to 500 it is 500'),
	('easemob', 'pro', 'rtc_minutes', 26000, '16 * 7', 'by hand'),
	('rongcloud', 'premium', 'dau', 2000, '300', 'the page'),
	('rongcloud', 'premium', 'dau', 2001, '500', 'the page'),
	('rongcloud', 'premium', 'dau', 50000, '1100', 'the page'),
	('rongcloud', 'premium', 'dau', 100000, '1900', 'the page'),
	('rongcloud', 'premium', 'dau', 300000, '3200', 'the page'),
	('rongcloud', 'premium', 'dau', 500000, '4600', 'the page'),
	('rongcloud', 'premium', 'dau', 700000, '7000', 'the page'),
	('rongcloud', 'premium', 'dau', 1000000, '10000', 'the page'),
	('rongcloud', 'premium', 'dau', 1020001, '10000 + 3 * 100', 'by hand'),
	('rongcloud', 'ultimate', 'dau', 10000, '900', 'the page'),
	('rongcloud', 'ultimate', 'dau', 700001, '10400', 'the page'),
	('rongcloud', 'ultimate', 'dau', 1010000, '10400 + 100', 'by hand'),
	('rongcloud_overseas', 'premium', 'dau', 10000, '6000', 'the page'),
	('rongcloud_overseas', 'premium', 'dau', 10001, '6000 + 3000', 'by hand'),
	('rongcloud_overseas', 'ultimate', 'dau', 35000, '8000 + 3 * 3000', 'by hand'),
	('sendbird', 'starter_5k', 'connections', 250, '0', 'by hand: 5% of 5,000'),
	('sendbird', 'starter_5k', 'connections', 260, '10 * 5', 'by hand'),
	('sendbird', 'pro_5k', 'connections', 351, '101 * 5', 'by hand'),
	('stream', 'chat_10k', 'api_calls', 5e6, '3 * 7', 'by hand'),
	('stream', 'chat_10k', 'channel_queries', 250000, '0.5 * 2.50', 'by hand'),
	('stream', 'chat_10k', 'stored_messages', 7e6, '2 * 5.00', 'by hand'),
	('stream', 'chat_10k', 'stored_channels', 1500000, '1 * 100.00', 'by hand'),
	('stream', 'chat_10k', 'bandwidth_gb', 510, '10 * 0.40', 'by hand'),
	('stream_graduated', 'chat_10k', 'stored_messages', 120e6, '50 * 5.00 + 50 * 4.00 + 20 * 3.50', 'by hand'),
	('stream_graduated', 'chat_10k', 'stored_channels', 6e6, '2500000 * 0.0006 + 2500000 * 0.0005 + 1000000 * 0.0004', 'by hand'),
	('stream_graduated', 'chat_10k', 'api_calls', 12e6, '2 * 7', 'by hand'),
	('talkjs', 'basic', 'mau', 12500, '2500 * 0.04', 'by hand'),
	('talkjs', 'growth', 'mau', 25000, '0', 'by hand'),
	('talkjs', 'growth', 'mau', 40000, '15000 * 0.03', 'by hand'),
	('tencent_cn', 'pro', 'api_packs', 30, '30 * 10', 'by hand: a pack on each of 30 days'),
	('tencent_cn', 'pro', 'dau', 10001, '1000', 'by hand'),
	('tencent_cn', 'flagship', 'groups', 550000, '5 * 1000', 'by hand'),
	('tencent_intl', 'premium', 'community_messages', 100e6, '0', 'the page: 100 million come free'),
	('tencent_intl', 'premium', 'community_messages', 125e6, '3 * 20', 'the page: a started 10 million counts'),
	('tencent_intl', 'standard', 'mau', 12000, '2000 * 0.015', 'by hand'),
	('twilio_conversations', 'usage', 'mau', 200, '0', 'by hand'),
	('twilio_conversations', 'usage', 'mau', 5000, '4800 * 0.05', 'by hand'),
	('twilio_conversations', 'usage', 'mau', 12000, '4800 * 0.05 + 5000 * 0.0475 + 2000 * 0.045', 'by hand'),
	('twilio_conversations', 'usage', 'media_gb', 8.5, '8.5 * 0.25', 'by hand'),
	('zegocloud', 'pro', 'mau', 10000, '0', 'by hand'),
	('zegocloud', 'pro', 'mau', 10001, '449', 'by hand'),
	('zegocloud', 'pro', 'mau', 32000, '3 * 449', 'the page: 22,000 over count as 30,000');
CREATE FUNCTION on_paper(paper text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	amount numeric;
BEGIN
	EXECUTE 'SELECT (' || paper || ')::numeric' INTO amount;
	RETURN amount;
END $$;
SELECT is(n(im_usage_fee(o.terms::im_rate_card, f.plan, f.meter, f.quantity)), n(on_paper(f.paper)),
	format('%s: %s of %s on %s: %s (%s)', o.rate_card, n(f.quantity), f.meter, f.plan, f.paper, f.whose))
FROM fee f JOIN im_cards_of_others() o USING (rate_card) ORDER BY f.n, o.effective_from;

-- Prices that are no usage
CREATE TEMP TABLE quote (n serial, rate_card text, plan text, months int, dau bigint, addons jsonb, paper text, whose text);
INSERT INTO quote (rate_card, plan, months, dau, addons, paper, whose) VALUES
	('easemob', 'pro', 1, 15000, '["callback_buffer"]', '1299 + 1000 + 2000', 'the page: 4299'),
	('easemob', 'flagship', 3, 0, '["push", {"message_storage": "720d"}]', '3 * (2999 + 500 + 1750)', 'by hand'),
	('easemob', 'pro', 2, 0, '["presence", "reactions", "translation", {"chatroom_storage": "60d"}]', '2 * (1299 + 1000 + 600 + 500 + 1000)', 'by hand'),
	('easemob', 'pro', 1, 0, '["content_moderation"]', '1299 + 500', 'the page: without usage it is 500'),
	('easemob', 'pro', 1, 0, '{"pack": "rtc_250k"}', '1299 + 1599', 'by hand'),
	('zegocloud', 'pro', 1, 32000, '{}', '449 + 3 * 449', 'the page'),
	('talkjs', 'basic', 1, 10001, '{}', '279 + 0.04', 'by hand'), ('talkjs', 'growth', 12, 0, '{}', '12 * 569', 'by hand'),
	('sendbird', 'starter_5k', 1, 0, '{}', '399', 'by hand'), ('sendbird', 'starter_5k', 12, 0, '{}', '12 * 349', 'by hand'),
	('sendbird', 'pro_5k', 12, 0, '{}', '12 * 499', 'by hand'), ('sendbird', 'pro_5k', 11, 0, '{}', '11 * 599', 'by hand'),
	('pubnub', 'starter', 1, 0, '{}', '98', 'by hand'), ('pubnub', 'pro_5k', 1, 0, '{}', '370', 'by hand'),
	('pubnub', 'pro_10k', 2, 0, '{}', '2 * 550', 'by hand'), ('pubnub', 'pro_25k', 1, 0, '{}', '1130', 'by hand'),
	('rongcloud', 'premium', 2, 30000, '{}', '2 * 1100', 'by hand'), ('rongcloud_overseas', 'ultimate', 1, 0, '{}', '8000', 'by hand'),
	('twilio_conversations', 'usage', 1, 300, '{}', '100 * 0.05', 'by hand'), ('agora_signaling', 'pro', 1, 0, '{}', '399', 'by hand'),
	('agora_signaling_dau', 'enterprise', 1, 9000, '{}', '8 * 14.50', 'an older state of the page: 116'),
	('ably', 'standard', 1, 0, '{}', '29', 'the page'), ('ably', 'pro', 1, 0, '{}', '399', 'the page'),
	('stream', 'chat_10k', 1, 0, '{}', '499', 'by hand'), ('stream_graduated', 'chat_10k', 2, 0, '{}', '2 * 499', 'by hand'),
	('tencent_intl', 'premium', 1, 10001, '{}', '699 + 0.015', 'by hand'),
	('tencent_cn', 'pro', 1, 0, '{"call": "basic"}', '1499 + 500', 'product/1640/102626: 1999'),
	('tencent_cn', 'flagship', 1, 0, '{"call": "ultimate"}', '2999 + 5000', 'by hand');
SELECT is((SELECT sum(q.amount) FROM im_quote(o.terms::im_rate_card, e.plan, e.months, e.dau, 0, e.addons, 0) q), on_paper(e.paper),
	format('%s: %s for %s months with %s users and %s: %s (%s)', o.rate_card, e.plan, e.months, e.dau, e.addons, e.paper, e.whose))
FROM quote e JOIN im_cards_of_others() o USING (rate_card) ORDER BY e.n, o.effective_from;
SELECT cmp_ok((SELECT count(*) FROM (SELECT rate_card FROM fee UNION ALL SELECT rate_card FROM quote) x WHERE x.rate_card = p.rate_card), '>=', 3::bigint,
	p.rate_card || ' has three amounts at least') FROM (SELECT DISTINCT rate_card FROM page) p ORDER BY 1;
SELECT fails_with(format('SELECT * FROM im_quote(im_bundled_card(%L, %L), %L, 1, 0, 0, %L, 0)', card, since, plan, addons), '22023', said, what)
FROM (VALUES ('tencent_cn', '2024-01-01', 'pro', '{"call": "advanced"}', 'sold only to an app that holds it', 'calls of advanced are only renewed'),
	('easemob', '2026-03-23', 'flagship', '["presence"]', 'presence', 'what a plan includes is not sold')) v(card, since, plan, addons, said, what);
SELECT fails_with($$SELECT * FROM im_quote(im_bundled_card('tencent_cn', '2026-01-08'), 'trial', 1, 0, 0, '{}', 10)$$, '22023', 'moderation', 'no moderation on trial since 2026-01-08');
SELECT lives_ok($$SELECT * FROM im_quote(im_bundled_card('tencent_cn', '2024-01-01'), 'trial', 1, 0, 0, '{}', 10)$$, 'before there was');

-- Bills ----------------------------------------------------------------------------------
-- An app on each paid plan of each card, with all that it sells and usage of all its meters.
CREATE TEMP TABLE app AS
SELECT row_number() OVER (ORDER BY o.rate_card, o.effective_from, p.key) AS app_id, o.rate_card || ' ' || o.effective_from AS card, p.key AS plan, o.terms
FROM im_cards_of_others() o, jsonb_each(o.terms -> 'plans') p WHERE p.value ->> 'rank' <> '0';
INSERT INTO im_rate_card_version SELECT DISTINCT card, date '2023-01-01', terms FROM app;
INSERT INTO im_app (app_id, name, rate_card) SELECT app_id, card || ' ' || plan, card FROM app;
INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
SELECT app_id, 1, timestamptz '2023-03-01 12:00+00', 'buy', 'plan', plan, 1 FROM app
UNION ALL
SELECT app_id, 10 + row_number() OVER (PARTITION BY app_id ORDER BY a.key), '2023-03-02 12:00+00',
	CASE a.value ->> 'charge' WHEN 'prepaid' THEN 'buy' ELSE 'on' END, a.key,
	(SELECT min(x.key) FROM jsonb_each(a.value -> 'prices' -> plan) x WHERE NOT coalesce(a.value -> 'renew_only' ? x.key, false)),
	CASE a.value ->> 'charge' WHEN 'prepaid' THEN 1 END
FROM app, jsonb_each(terms -> 'addons') a WHERE a.value -> 'prices' ? plan
UNION ALL
SELECT app_id, 100 + row_number() OVER (PARTITION BY app_id ORDER BY k), '2023-03-02 13:00+00', 'buy', 'pack', k, NULL FROM app, jsonb_object_keys(terms -> 'packs') k;
INSERT INTO im_event (app_id, meter, at, quantity, subject)
SELECT app_id, m.key, timestamptz '2023-03-05 12:00+00' + n * interval '1 day', CASE m.value ->> 'day' WHEN 'unique' THEN 1 ELSE 3000000.5 END, 'user ' || n
FROM app, jsonb_each(terms -> 'meters') m, generate_series(1, 3) n;
INSERT INTO im_usage_daily (app_id, day, users, peak_groups)
SELECT app_id, '2023-03-20', u, 120000 FROM app, (SELECT im_userset_agg(g) FROM generate_series(1, 12345) g) x(u);
CALL settle();
CREATE TEMP TABLE bill AS SELECT * FROM im_monthly_bills('2023-03');
SELECT is((SELECT count(DISTINCT app_id) FROM bill), (SELECT count(*) FROM app), 'every app has a bill');
SELECT is((SELECT count(*) FROM im_check('2023-03')), 0::bigint, 'nothing is wrong with any');
SELECT is((SELECT string_agg(DISTINCT b.item, ' ') FROM bill b WHERE b.app_id = a.app_id AND b.item IN (SELECT jsonb_object_keys(a.terms -> 'meters'))),
	(SELECT string_agg(DISTINCT m, ' ') FROM jsonb_object_keys(a.terms -> 'meters') m WHERE a.terms #> ARRAY['plans', a.plan, 'usage'] ? m
		OR EXISTS (SELECT FROM jsonb_each(a.terms -> 'addons') x WHERE x.value -> 'usage' ? m AND x.value -> 'prices' ? a.plan)),
	format('%s %s: every meter that it prices has its line', a.card, a.plan))
FROM app a ORDER BY a.app_id;
-- a line of a meter comes to the fee of its quantity, but for what packs took
SELECT is((SELECT string_agg(concat_ws(' ', m.item, n(m.amount)), ', ' ORDER BY m.item)
		   FROM (SELECT item, sum(amount) AS amount FROM bill b WHERE b.app_id = a.app_id GROUP BY item) m WHERE m.item IN (SELECT jsonb_object_keys(a.terms -> 'meters'))),
	(SELECT string_agg(concat_ws(' ', m.item, n(im_usage_fee(a.terms::im_rate_card, a.plan, m.item, m.quantity - CASE m.item WHEN 'rtc_minutes' THEN 1275000 ELSE 0 END))), ', ' ORDER BY m.item)
	 FROM (SELECT item, sum(quantity) AS quantity FROM bill b WHERE b.app_id = a.app_id GROUP BY item) m WHERE m.item IN (SELECT jsonb_object_keys(a.terms -> 'meters'))),
	format('%s %s: and comes to the fee of its quantity', a.card, a.plan))
FROM app a ORDER BY a.app_id;
SELECT is((SELECT string_agg(p::text, E'\n' ORDER BY p.line) FROM im_preview_bill(a.app_id, '2023-03', a.terms::im_rate_card) p),
	(SELECT string_agg(b::text, E'\n' ORDER BY b.line) FROM bill b WHERE b.app_id = a.app_id), format('%s %s: the preview is the bill', a.card, a.plan))
FROM app a ORDER BY a.app_id;
SELECT is((SELECT count(*) FROM bill b WHERE b.app_id = a.app_id AND (b.explanation = '' OR NOT EXISTS (SELECT FROM im_explain(b.app_id, '2023-03', b.line)))), 0::bigint,
	format('%s %s: each line is explained', a.card, a.plan))
FROM app a ORDER BY a.app_id;
SELECT matches(im_bill_html(a.app_id, '2023-03', lang), CASE lang WHEN 'zh' THEN '<html lang="zh-CN">.*[一-龥].*</html>' ELSE '<html lang="en">.*</html>' END,
	format('%s %s: a page in %s', a.card, a.plan, lang))
FROM app a, unnest('{en,zh}'::text[]) lang ORDER BY a.app_id, lang;

SELECT * FROM finish();
ROLLBACK;
