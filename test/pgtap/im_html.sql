-- im_bill_html() and im_month_html(): whole, well-formed and self-contained whatever apps and price lists are
-- called; right figures; charts within their frames.  How they look in a browser: test/t/130_html_in_browser.pl.
BEGIN;
\ir include/setup.sql

CREATE FUNCTION page(app bigint, month text DEFAULT '2023-03', lang text DEFAULT 'en') RETURNS text LANGUAGE sql
RETURN im_bill_html(app, month::im_month, lang);
-- The page as XML: HTML closes meta and link by itself, and names no doctype that XML knows.
CREATE FUNCTION doc(page text) RETURNS xml LANGUAGE sql
RETURN xmlparse(document regexp_replace(regexp_replace(page, '^<!DOCTYPE html>', ''), '<(meta|link)([^>]*)>', '<\1\2/>', 'g'));
CREATE FUNCTION texts(page text, path text) RETURNS text LANGUAGE sql
RETURN (SELECT string_agg(x::text, ' | ' ORDER BY n) FROM unnest(xpath(path, doc(page))) WITH ORDINALITY u(x, n));
CREATE FUNCTION count_of(page text, path text) RETURNS int LANGUAGE sql RETURN cardinality(xpath(path, doc(page)));

-- A bill with everything: crowded
CALL app(1);
UPDATE im_app SET name = 'Crowd' WHERE app_id = 1;
CALL buy(1, 1, '2023-03-01', 'plan', 'pro', 12);
CALL buy(1, 2, '2023-03-02', 'avchatroom');
CALL buy(1, 3, '2023-03-02', 'group_members');
CALL buy(1, 4, '2023-03-02', 'joined_groups', '', 2, 1, 1234.5);
CALL buy(1, 5, '2023-03-02', 'call', 'basic');
CALL turn(1, 6, '2023-03-02', 'on', 'history_storage', '90d');
CALL turn(1, 7, '2023-03-02', 'on', 'moderation');
CALL buy(1, 8, '2023-03-03', 'local_moderation');
CALL pack(1, 9, '2023-03-03', 'month', 2);
CALL buy(1, 10, '2023-03-03', 'moderation_pack', 'year_small', NULL, 1, 9000);
CALL upgrade(1, 11, '2023-03-20');
CALL refund(1, 12, '2023-03-21', 3);
CALL suspend(1, '[2023-03-25,2023-03-27)');
INSERT INTO im_usage_daily (app_id, day, dau, peak_groups, text_checks, image_checks, audio_minutes, sd_minutes, hd_minutes, fhd_minutes)
SELECT 1, date '2023-03-01' + n, 9000 + 100 * n, 90000 + 1000 * n, 400000, 7, 2000, 900, 700, 30 FROM generate_series(0, 30) n;
CALL app(2);
CALL settle();

-- The frame
SELECT matches(page(1), '^<!DOCTYPE html>\n<html lang="en">', 'a page begins with its type and language');
SELECT matches(page(1, lang => 'zh'), '^<!DOCTYPE html>\n<html lang="zh-CN">', 'Chinese is marked as such');
SELECT matches(page(1), '</html>$', 'and is whole');
SELECT lives_ok($$SELECT doc(page(1)), doc(page(1, lang => 'zh')), doc(page(2)), doc(im_month_html('2023-03')), doc(im_month_html('2023-03', 'zh'))$$,
	'all elements are closed');
SELECT is(texts(page(1), '//meta/@charset'), 'utf-8', 'the encoding is said');
SELECT matches(page(1), '<meta name="viewport" content="width=device-width', 'phones take their own width');
SELECT matches(page(1), '@page\{size:A4', 'paper is A4');
SELECT matches(page(1), 'prefers-color-scheme:dark', 'dark is known');
SELECT is(texts(page(1), '/html/head/title/text()'), 'Bill Crowd - March 2023', 'the title says whose bill of when');
SELECT matches(page(1), 'default-src ''none''; style-src ''unsafe-inline''', 'the policy allows no script and no request');
SELECT is(count_of(p, '//script | //iframe | //img | //object | //embed | //form | //a | //base | //*[@src] | //*[@style] | //*[@*[starts-with(name(), "on")]]'), 0,
	'nothing that runs or loads: ' || what)
FROM (VALUES (page(1), 'bill'), (page(2), 'empty bill'), (im_month_html('2023-03'), 'month')) v(p, what);
SELECT is(texts(page(1), '//@href'), 'data:,', 'no link but the empty icon, which keeps browsers from asking for one');
SELECT unalike(page(1), '%http%:%//%', 'no address in the page');
SELECT doesnt_match(page(1), 'url\((?!#)', 'nor one in its style');
SELECT unalike(page(1), '%@import%', 'which imports none');

-- Figures
SELECT is(texts(page(1), '//data[@id="total"]/text()') || ' ' || texts(page(1), '//data[@id="total"]/@value'),
	im_internal.im_html_number(im_monthly_total(1, '2023-03'), 2) || ' ' || im_monthly_total(1, '2023-03'), 'the total is that of the bill');
SELECT is(texts(page(1), '//table[contains(@class, "lines")]/tbody/tr/td[contains(@class, "amount")]/data/@value'),
	(SELECT string_agg(amount::text, ' | ' ORDER BY line) FROM im_monthly_bill(1, '2023-03')), 'a row a line, with its exact amount');
SELECT is(texts(page(1), '//table[contains(@class, "lines")]/tfoot/tr[last()]/td/data/@value'), im_monthly_total(1, '2023-03')::text, 'and the total below');
SELECT is(texts(page(1), '//table[contains(@class, "lines")]/tfoot/tr[@class="round"]/td/data/@value')::numeric,
	im_monthly_total(1, '2023-03') - (SELECT sum(amount) FROM im_monthly_bill(1, '2023-03')), 'what rounding makes is a row of its own');
SELECT is(texts(page(1), '//tbody/tr[1]/th/p[@class="why"]//text()'), 'Bought plan pro for 12 months,  | 2023-03-01 |  through  | 2024-02-29 | , at 999 CNY each.',
	'each line has its explanation');
SELECT is(count_of(page(1), '//table[@class="days"]/tbody/tr'), 31, 'a row a day');
SELECT is(texts(page(1), '//table[@class="days"]/tbody/tr[25]/td/text()'), 'suspended | 11,400 | 114,000 | 0 | 0 | 3,399,899.9 | 0 | 0 | 0',
	'with state and figures');
SELECT is(texts(page(1), '//table[@class="days"]//td[contains(@class, "highest")]/text()'), ' 12,000 |  120,000', 'the peaks are marked in it');
SELECT is(texts(page(1), '//time[@datetime]/@datetime'), '2023-03', 'the month can be read by machines');

-- Charts
SELECT is(texts(page(1), '//figure/@id'), 'chart-dau | chart-groups | chart-deductions | chart-deductions_left | chart-minutes | chart-minutes_left',
	'the charts of a crowded bill');
SELECT is(count_of(page(1), '//figure//svg[@role="img"][title][desc]'), 6, 'each says in words what it shows');
SELECT is((SELECT count(*) FROM (SELECT unnest(xpath('//@id', doc(page(1))))::text AS id) i), (SELECT count(DISTINCT id) FROM (SELECT unnest(xpath('//@id', doc(page(1))))::text AS id) i),
	'no id twice');
SELECT is((SELECT string_agg(w, ' ') FROM unnest(xpath('//@aria-labelledby', doc(page(1)))) a, regexp_split_to_table(a::text, ' ') w
	WHERE NOT w = ANY (xpath('//@id', doc(page(1)))::text[])), NULL, 'labels lead to elements');
SELECT is((SELECT string_agg(w, ' ') FROM unnest(xpath('//rect/@fill', doc(page(1)))) f, substring(f::text FROM '#([^)]*)') w
	WHERE NOT w = ANY (xpath('//pattern/@id', doc(page(1)))::text[])), NULL, 'and hatchings to patterns');
SELECT is(texts(page(1), '//figure[@id="chart-dau"]//figcaption/p/text()'), 'Peak 12,000 on 2023-03-31, over the quota of 10,000.', 'the peak in words');
SELECT is(count_of(page(1), '//figure[@id="chart-dau"]//rect[@class="peak"]') || ' ' || count_of(page(1), '//figure[@id="chart-dau"]//rect[@class="day"]') || ' '
	|| count_of(page(1), '//figure[@id="chart-dau"]//rect[@class="not"]'), '1 28 2', 'one bar is the peak, suspended days are hatched');
SELECT is(texts(page(1), '//figure[@id="chart-dau"]//text[@class="mark"]/text()'), '12,000', 'the mark has its value');
SELECT is(count_of(page(1), '//figure[@id="chart-dau"]//line[@class="quota"]'), 1, 'the quota is a line');
SELECT is(texts(page(1), '//figure[@id="chart-deductions"]//figcaption/p/text()'),
	(SELECT format('%s in all: %s from packs, %s postpaid.', im_internal.im_html_number(quantity), im_internal.im_html_number(included), im_internal.im_html_number(billable))
	 FROM im_monthly_bill(1, '2023-03') WHERE item = 'moderation'), 'deductions in words are those of the line');
-- every bar stands on the base line and below the top; heights are the figures' to a tenth
CREATE FUNCTION bars(page text) RETURNS TABLE (x numeric, y numeric, w numeric, h numeric) LANGUAGE sql AS $$
	SELECT (xpath('/rect/@x', b))[1]::text::numeric, (xpath('/rect/@y', b))[1]::text::numeric,
		(xpath('/rect/@width', b))[1]::text::numeric, (xpath('/rect/@height', b))[1]::text::numeric
	FROM unnest(xpath('//rect[title]', doc(page))) b
$$;
CREATE FUNCTION in_frame(page text) RETURNS boolean LANGUAGE sql
RETURN (SELECT bool_and(x >= 50 AND x + w <= 394 AND y >= 28 AND h > 0 AND y + h <= 164.8) FROM bars(page));
SELECT ok(in_frame(page(1)), 'all bars are within the plot');

-- Names of the price page
SELECT is((SELECT string_agg(im_internal.im_html_word('zh', 'item.' || i), ' ' ORDER BY n) FROM unnest('{plan,dau_overage,group_overage,avchatroom,group_members,joined_groups,history_storage,call,local_moderation,moderation,moderation_pack,refund}'::text[]) WITH ORDINALITY u(i, n)),
	'套餐包费用 套餐外超量费用：峰值 DAU 套餐外超量费用：峰值群组数 扩展直播群（AVChatRoom）创建数量至无上限 扩展单个群成员数上限 '
	'扩展单个用户可加入群组数上限 延长历史消息存储时长 音视频通话能力 本地审核 云端审核 云端审核资源包 退费', 'items');
SELECT is((SELECT string_agg(im_internal.im_html_item('zh', i, o), ' ' ORDER BY n) FROM unnest('{plan,plan,plan_upgrade,dau_overage,call,call,call,history_storage,history_storage,moderation_pack,moderation_pack,moderation_pack,moderation_pack,refund}'::text[],
	'{trial,pro,flagship,pro,basic,advanced,premium,30d,360d,month,year_small,year_medium,year_large,plan}'::text[]) WITH ORDINALITY u(i, o, n)),
	'体验版 专业版 旗舰版 专业版 基础版 进阶版 尊享版 存储30天 存储360天 月包 年包-小微版 年包-中型版 年包-大型版 套餐包费用', 'plans and options');
SELECT matches(page(1, lang => 'zh'), '<dd>旗舰版</dd>', 'the plan of the month''s end');
SELECT is(texts(page(1, lang => 'zh'), '//tbody/tr/th/p[@class="why"][not(contains(., "。"))]'), NULL, 'every line is explained in Chinese');
SELECT unalike(texts(page(1, lang => 'zh'), '//body'), '%None%', 'without leftovers');
SELECT is(texts(page(1, lang => 'zh'), '//data[@id="total"]/@value'), im_monthly_total(1, '2023-03')::text, 'the total is the same');
SELECT matches(page(1, lang => 'zh'), '约定价格共 1,234.5 CNY', 'an agreed price is told as such');
SELECT matches(page(1, lang => 'zh'), '约定价格共 9,000 CNY', 'of packs, too');

-- Languages
SELECT fails_with($$SELECT page(1, lang => 'fr')$$, '22023', 'unknown language "fr".*Use "en" or "zh"', 'another language is an error with a hint');
SELECT fails_with($$SELECT im_month_html('2023-03', 'EN')$$, '22023', 'unknown language "EN"', 'of the month as well');
SELECT is(im_bill_html(1, '2023-03', NULL), NULL, 'null in, null out');
SELECT fails_with($$SELECT page(99)$$, 'P0002', 'there is no app 99', 'an unknown app is an error');

-- Nothing to bill; nothing used; one day; no plan
SELECT matches(page(2), '<p>Nothing to bill</p>', 'an empty bill says so');
SELECT matches(page(2, lang => 'zh'), '<p>本月无应付费用</p>', 'in Chinese, too');
SELECT is(texts(page(2), '//data[@id="total"]/text()') || ' ' || count_of(page(2), '//table | //figure'), '0.00 0', 'has a total, but no tables and no charts');
CALL app(3);
CALL buy(3, 1, '2023-03-01', 'plan', 'pro');
CALL daily(3, '2023-03-31', dau => 3);
SELECT is(texts(page(3), '//figure/@id') || ' ' || count_of(page(3), '//figure//rect[title]'), 'chart-dau 1', 'one day of data is one bar');
SELECT is(count_of(page(3), '//line[@class="quota"]') || texts(page(3), '//text[@class="quota"]/text()'), '0↑ quota 10,000', 'a quota far above the bars is told, not drawn');
SELECT ok(in_frame(page(3)), 'and the bar is within the plot');
CALL app(4);
CALL daily(4, '2023-03-31', dau => 95, peak_groups => 0);
SELECT is(texts(page(4), '//figure/@id') || ': ' || texts(page(4), '//figcaption/p/text()'), 'chart-dau: No day counts towards overage.', 'on the free plan no day counts');
SELECT matches(page(4), '<dt>Plan</dt><dd>Trial</dd>', 'which has a name');
SELECT is(count_of(page(1, '2023-02'), '//table') || ' ' || count_of(page(1, '2023-02'), '//figure'), '0 0', 'a month before everything');
SELECT is(texts(page(1, '2024-02'), '//svg[@aria-labelledby="dau-title dau-desc"]'), NULL, 'a month without usage has no chart of it');
SELECT is(count_of(page(3, '2024-02'), '//table[@class="days"]/tbody/tr'), 0, 'nor days');
CALL app(5);
CALL buy(5, 1, '2024-02-01', 'plan', 'pro');
CALL daily(5, '2024-02-29', dau => 3);
SELECT is(count_of(page(5, '2024-02'), '//table[@class="days"]/tbody/tr') || ' ' || texts(page(5, '2024-02'), '//text[@class="tick"][@y="180"]/text()'),
	'29 1 | 5 | 10 | 15 | 20 | 25 | 29', 'February has its own days');

-- As large as figures get
CALL app(6);
CALL buy(6, 1, '2023-03-01', 'plan', 'flagship', 1, 1, 999999999999.99);
CALL turn(6, 2, '2023-03-01', 'on', 'moderation');
CALL daily(6, '2023-03-05', dau => 9223372036854775807, peak_groups => 9223372036854775807, texts => 9223372036854775807);
CALL daily(6, '2023-03-06', dau => 1, peak_groups => 1, texts => 1);
SELECT lives_ok($$SELECT doc(page(6)), doc(page(6, lang => 'zh'))$$, 'the largest figures make a page');
SELECT is(texts(page(6), '//data[@id="total"]/@value'), im_monthly_total(6, '2023-03')::text, 'with the right total');
SELECT ok(in_frame(page(6)), 'and bars within the plot');
SELECT is(texts(page(6), '//figure[@id="chart-dau"]//text[@class="tick"][@x="45"]/text()'), '0 | 2.5e18 | 5e18 | 7.5e18 | 1e19', 'and short ticks');
SELECT is(count_of(page(6), '//figure[@id="chart-dau"]//rect[title]'), 2, 'a day of 1 is still seen');

-- Hostile names, of apps, price lists, plans, add-ons and options
INSERT INTO im_app (app_id, name, rate_card) VALUES (66, E'</title><script>alert("x")</script> & \' %s %1$s <!-- \x01\x07\x1b\x7f\u0085\uFFFF\u202E', '<b>"&');
CALL card('<b>"&', '2020-01-01', jsonb_set(jsonb_set(jsonb_set(cn(), '{plans,<i>&amp;}', cn() #> '{plans,pro}'),
	'{addons,"<script>"}', '{"charge": "prepaid", "prices": {"<i>&amp;": {"\"onload=\"x": "5"}}}'),
	'{addons,"</p>"}', '{"charge": "postpaid", "prices": {"<i>&amp;": {"''": "5"}}}'));
CALL buy(66, 1, '2023-03-01', 'plan', '<i>&amp;');
CALL buy(66, 2, '2023-03-01', '<script>', '"onload="x');
CALL turn(66, 3, '2023-03-01', 'on', '</p>', '''');
CALL daily(66, '2023-03-05', dau => 20000);
CALL settle();
SELECT lives_ok(format($$SELECT doc(page(66, lang => %1$L)), doc(im_month_html('2023-03', %1$L))$$, l), 'hostile names break no element: ' || l)
FROM unnest('{en,zh}'::text[]) l;
SELECT is(count_of(page(66), '//script | //i[not(@class)] | //b | //*[@onload]'), 0, 'and make none');
SELECT is(texts(page(66), '//h1/bdi/text()'), E'&lt;/title&gt;&lt;script&gt;alert("x")&lt;/script&gt; &amp; '' %s %1$s &lt;!-- \uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD',
	'the name is there as it is, without what HTML forbids or what turns text round');

-- Names of a card that change the direction of text
CREATE FUNCTION turning() RETURNS text RETURN E'[\u202a-\u202e\u2066-\u2069]';
INSERT INTO im_app (app_id, name, rate_card) VALUES (67, E'turned \u202e', E'turned \u2067');
CALL card(E'turned \u2067', '2020-01-01', jsonb_set(jsonb_set(jsonb_set(cn(), ARRAY['plans', E'pro\u202e'], cn() #> '{plans,pro}'),
	ARRAY['addons', E'talk\u2066'], jsonb_build_object('charge', 'prepaid', 'prices', jsonb_build_object(E'pro\u202e', jsonb_build_object(E'x\u202d', '5')))),
	ARRAY['moderation', 'packs', E'big\u2068'], cn() #> '{moderation,packs,month}'));
CALL buy(67, 1, '2023-03-01', 'plan', E'pro\u202e');
CALL buy(67, 2, '2023-03-01', E'talk\u2066', E'x\u202d');
CALL pack(67, 3, '2023-03-01', E'big\u2068');
CALL refund(67, 4, '2023-03-12', 2);
CALL daily(67, '2023-03-05', dau => 20001);
CALL settle();
SELECT matches((SELECT string_agg(option, '') FROM im_monthly_bill(67, '2023-03')), turning(), 'a card keeps its names, as they are in columns of their own');
SELECT doesnt_match(b.explanation, turning(), 'but no sentence obeys them: ' || b.item) FROM im_monthly_bill(67, '2023-03') b;
SELECT is((SELECT count(*) FROM im_monthly_bill(67, '2023-03') b, im_explain(67, '2023-03', b.line) e WHERE e.note ~ turning()), 0::bigint, 'no note of im_explain()');
SELECT is((SELECT string_agg(message, '') FROM im_alerts('2023-03', 0, 400) a WHERE a.app_id = 67 AND a.message ~ turning()), NULL, 'no alert');
SELECT doesnt_match(page(67, lang => l), turning(), 'no page of a bill: ' || l) FROM unnest('{en,zh}'::text[]) l;
SELECT doesnt_match(im_month_html('2023-03', l), turning(), 'no page of a month: ' || l) FROM unnest('{en,zh}'::text[]) l;
DELETE FROM im_usage_daily WHERE app_id = 67;

-- What is asked of the parts of pages
SELECT fails_with(format('SELECT im_internal.im_html_word(%L, %L)', lang, word), '22023', 'no word|unknown language', format('no word %s in %s', word, lang))
FROM (VALUES ('en', 'pro'), ('zh', ''), ('de', 'total'), ('en', E'\u202e')) v(lang, word);
SELECT fails_with(format('SELECT im_internal.im_html_number(1, %s)', n), '22023', 'places', n || ' places') FROM unnest('{-1,101,2147483647,-2147483648}'::int[]) n;
SELECT is(length(im_internal.im_html_number(1, 100)), 102, 'the most places');
SELECT cmp_ok(length(im_internal.im_html_axes('en', '{2023-03-01}', 0.000000001, 1e30)), '<', 100000, 'an axis has so many lines at most');
SELECT matches(texts(page(66), '/html/head/title/text()'), '^Bill &lt;/title&gt;&lt;script&gt;', 'in the title, too');
SELECT is(texts(page(66), '//span[@class="item"]/text()'), 'Plan | Peak DAU over the quota | &lt;script&gt; | &lt;/p&gt;', 'items of one''s own card have their own names');
SELECT is(texts(page(66), '//span[@class="option"]/text()'), '&lt;i&gt;&amp;amp; | &lt;i&gt;&amp;amp; | "onload="x | ''', 'and so have options');

-- Text and numbers
SELECT is(im_internal.im_html_text(E'a<b>&"''\t\n'), E'a&lt;b&gt;&amp;&quot;&#39;\t\n', 'markup and quotes are escaped');
SELECT is(im_internal.im_html_text(U&'\4F60\+01F600\00FC'), U&'\4F60\+01F600\00FC', 'other characters stay');
SELECT is(im_internal.im_html_text(U&'\+01FFFE\FDD0\0080'), U&'\FFFD\FFFD\FFFD', 'noncharacters are replaced');
SELECT is(im_internal.im_html_text(''), '', 'nothing is nothing');
SET LOCAL client_encoding = 'LATIN1';
SELECT is(convert_to(im_internal.im_html_text(U&'\4F60\+01F600\00FC<'), 'UTF8'), '&#x4F60;&#x1F600;&#xFC;&lt;', 'for a client that does not read UTF-8 they are references');
SELECT is(page(1, lang => 'zh') ~ '^[[:ascii:]]*$', true, 'so that a whole page is ASCII');
RESET client_encoding;
SELECT is((SELECT string_agg(im_internal.im_html_number(v, p), ' ' ORDER BY n) FROM unnest(ARRAY[0, 1, 999, 1000, 1234567.50, -1000, -0.005, 12345678901234567890.12345678, 100]::numeric[],
	'{0,2,0,0,0,2,2,0,8}'::int[]) WITH ORDINALITY u(v, p, n)), '0 1.00 999 1,000 1,234,567.5 -1,000.00 -0.005 12,345,678,901,234,567,890.12345678 100.00000000', 'numbers');
SELECT is((SELECT string_agg(im_internal.im_html_step(v)::text, ' ' ORDER BY v) FROM unnest('{1,3,4,5,9,10,41,100,101,2000000}'::numeric[]) v), '1 1 1 2 5 5 20 25.0 50 500000', 'steps of axes');
SELECT is((SELECT string_agg(im_internal.im_html_tick('en', v), ' ' ORDER BY v) FROM unnest('{0,9999,10000,25000,1500000,2e9,5e12,1e15,2.5e20}'::numeric[]) v), '0 9,999 10k 25k 1.5M 2G 5T 1e15 2.5e20', 'ticks');
SELECT is((SELECT string_agg(im_internal.im_html_tick('zh', v), ' ' ORDER BY v) FROM unnest('{0,9999,10000,25000,2e8,5e12}'::numeric[]) v), '0 9,999 1万 2.5万 2亿 5万亿', 'in Chinese');
-- No setting of the session shows
CREATE TEMP TABLE plain AS SELECT page(1) AS en, page(1, lang => 'zh') AS zh, im_month_html('2023-03') AS month;
SET LOCAL datestyle = 'German';
SET LOCAL intervalstyle = 'sql_standard';
SET LOCAL timezone = 'Pacific/Kiritimati';
SET LOCAL extra_float_digits = -15;
SET LOCAL search_path = pg_catalog;
CREATE TEMP TABLE odd AS SELECT public.im_bill_html(1, '2023-03') AS en, public.im_bill_html(1, '2023-03', 'zh') AS zh, public.im_month_html('2023-03') AS month;
SET LOCAL search_path = im_test, public;
SELECT is(odd.*::text, plain.*::text, 'pages do not follow settings') FROM odd, plain;

-- The month
SELECT is(texts(im_month_html('2023-03'), '//table[@class="apps"]/tbody/tr/td[1]/text()') || ' ' || texts(im_month_html('2023-03'), '//table[@class="apps"]/tbody/tr/td/data/@value'),
	(SELECT string_agg(app_id::text, ' | ' ORDER BY currency, total DESC, app_id) || ' ' || string_agg(total::text, ' | ' ORDER BY currency, total DESC, app_id)
	 FROM im_monthly_totals('2023-03')), 'a row an app with its total');
SELECT is(texts(im_month_html('2023-03'), '//p[@class="sum"]/data/@value')::numeric, (SELECT sum(total) FROM im_monthly_totals('2023-03')), 'and their sum');
SELECT is(texts(im_month_html('2023-03'), '//table[@class="items"]/tbody/tr/td/data/@value'),
	(SELECT string_agg(round(a, greatest(min_scale(a), 2))::text, ' | ' ORDER BY a DESC, item COLLATE "C") FROM (SELECT item, sum(amount) AS a FROM im_monthly_bills('2023-03') GROUP BY item) i),
	'what each item came to');
SELECT is(im_month_html('2031-01') LIKE '%<p>Nothing to bill</p>%', true, 'a month without bills says so');

-- For those who cannot see colours or the page at all
SELECT is(count_of(p, '//th[not(@scope)]') || ' ' || count_of(p, '//table[not(caption)]') || ' ' || count_of(p, '//svg[not(@aria-hidden)][not(@role="img")]'), '0 0 0',
	'headers have a scope, tables a caption, charts a role: ' || what)
FROM (VALUES (page(1), 'bill'), (page(1, lang => 'zh'), 'Chinese'), (im_month_html('2023-03'), 'month')) v(p, what);
-- Charts of meters by name, whatever they are called
CALL card('meters', '2023-01-01', '{"currency": "EUR", "scale": 2, "time_zone": "Asia/Shanghai", "grace_days": 0,
	"meters": {"sms": {"day": "sum", "month": "sum"}, "a <b> & c": {"day": "max", "month": "max"}, "gb": {"day": "last", "month": "last"}, "idle": {"day": "sum", "month": "sum"}},
	"plans": {"free": {"rank": 0, "price": "0"}, "start": {"rank": 1, "price": "1", "usage": {"sms": {"price": "1"}, "a <b> & c": {"included": 5, "price": "1"},
		"gb": {"mode": "graduated", "tiers": [{"to": 1, "price": 1}, {"price": 2}]}, "idle": {"price": 1, "minimum": 3}}}}}');
CALL app(90, 'meters');
CALL buy(90, 1, '2023-03-01', 'plan', 'start');
CALL suspend(90, '[2023-03-20,2023-03-21)');
INSERT INTO im_event VALUES (90, 'sms', at8('2023-03-05 10:00'), 2.5, NULL), (90, 'sms', at8('2023-03-06 10:00'), 4, NULL), (90, 'sms', at8('2023-03-20 10:00'), 9, NULL),
	(90, 'a <b> & c', at8('2023-03-07 10:00'), 7, NULL), (90, 'gb', at8('2023-03-30 10:00'), 3, NULL);
CALL settle();
SELECT is(texts(page(90), '//figure/@id') || ': ' || texts(page(90), '//figure//h3/text()'), 'chart-meter-1 | chart-meter-2 | chart-meter-4: a &lt;b&gt; &amp; c | gb | sms',
	'each meter with a figure has a chart, one for all its tiers, by its own name');
SELECT is(texts(page(90), '//figcaption/p/text()'), 'Peak 7 on 2023-03-07, over the quota of 5. | Peak 3 on 2023-03-30. | Peak 4 on 2023-03-06.', 'the quota is that of a highest day');
SELECT is(count_of(page(90), '//figure[@id="chart-meter-4"]//rect[@class="peak"]') || ' ' || count_of(page(90), '//figure[@id="chart-meter-4"]//rect[@class="day"]') || ' '
	|| count_of(page(90), '//figure[@id="chart-meter-4"]//rect[@class="not"]'), '1 1 1', 'one bar is the peak, a suspended day is hatched');
SELECT is(count_of(page(90), '//figure[@id="chart-meter-2"]//rect[title]'), 2, 'what stands is drawn on each day');
SELECT matches(page(90, lang => 'zh'), '峰值 7（', 'in Chinese too');

-- WCAG: the contrast of two colours
CREATE FUNCTION luminance(colour text) RETURNS float8 LANGUAGE sql
RETURN (SELECT sum(w * CASE WHEN c <= 0.03928 THEN c / 12.92 ELSE power((c + 0.055) / 1.055, 2.4) END)
	FROM (SELECT w, get_byte(decode(CASE length(colour) WHEN 3 THEN regexp_replace(colour, '(.)', '\1\1', 'g') ELSE colour END, 'hex'), i) / 255.0::float8 AS c
		  FROM (VALUES (0, 0.2126::float8), (1, 0.7152), (2, 0.0722)) k(i, w)) v);
CREATE FUNCTION contrast(a text, b text) RETURNS float8 LANGUAGE sql
RETURN (greatest(luminance(a), luminance(b)) + 0.05) / (least(luminance(a), luminance(b)) + 0.05);
CREATE TEMP TABLE colour AS
SELECT n AS scheme, m[1] AS name, m[2] AS value
FROM regexp_matches(im_internal.im_html_style(), ':root\{color-scheme[^}]*\}|:root\{--[^}]*\}', 'g') WITH ORDINALITY r(block, n), regexp_matches(block[1], '--(\w+):#([0-9a-f]+)', 'g') m;
SELECT is((SELECT count(DISTINCT scheme) FROM colour), 3::bigint, 'light, dark and paper');
SELECT is((SELECT string_agg(format('%s %s: %s', t.scheme, t.name, round(contrast(t.value, p.value)::numeric, 2)), ', ') FROM colour t JOIN colour p ON p.scheme = t.scheme AND p.name IN ('paper', 'head')
	WHERE t.name IN ('ink', 'soft', 'quota', 'minus', 'peak') AND contrast(t.value, p.value) < 4.5), NULL, 'text has a contrast of 4.5 to 1');
SELECT is((SELECT string_agg(format('%s %s: %s', t.scheme, t.name, round(contrast(t.value, p.value)::numeric, 2)), ', ') FROM colour t JOIN colour p ON p.scheme = t.scheme AND p.name = 'paper'
	WHERE t.name IN ('day', 'packs', 'postpaid', 'left', 'not') AND contrast(t.value, p.value) < 3), NULL, 'bars one of 3 to 1');

SELECT * FROM finish();
ROLLBACK;
