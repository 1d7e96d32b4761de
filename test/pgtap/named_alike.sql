-- Add-ons that a price list calls credit, charge, pack or void: pages and FOCUS
-- tell them by what the line is.  If one failed, a sale would be told as money
-- given or taken by hand, and what was given by hand as a sale.
BEGIN;
\ir include/setup.sql

CALL card('alike', '2020-01-01', cn() || jsonb_build_object('addons', cn() -> 'addons' || '{
	"credit": {"charge": "prepaid", "prices": {"pro": {"": "30"}}}, "charge": {"charge": "prepaid", "prices": {"pro": {"fast": "40"}}},
	"pack": {"charge": "prepaid", "prices": {"pro": {"": "50", "big": "60"}}}, "void": {"charge": "prepaid", "prices": {"pro": {"": "70"}}}}'));
CALL card('switched', '2020-01-01', cn() || jsonb_build_object('addons', cn() -> 'addons' || '{
	"credit": {"charge": "postpaid", "prices": {"pro": {"": "31"}}}, "charge": {"charge": "postpaid", "prices": {"pro": {"": "41"}}},
	"pack": {"charge": "postpaid", "prices": {"pro": {"": "51"}}}, "void": {"charge": "postpaid", "prices": {"pro": {"": "71"}}}}'));
CALL app(1, 'alike');
CALL app(2, 'switched');
CALL buy(1, 1, '2023-03-01', 'plan', 'pro');
CALL buy(1, 2, '2023-03-02', 'credit');
CALL buy(1, 3, '2023-03-02', 'charge', 'fast', 2);
CALL buy(1, 4, '2023-03-02', 'pack', 'big', 1, 1, 55);
CALL buy(1, 5, '2023-03-02', 'void');
CALL buy(2, 1, '2023-03-01', 'plan', 'pro');
CALL turn(2, 2, '2023-03-02', 'on', 'credit');
CALL turn(2, 3, '2023-03-02', 'on', 'charge');
CALL turn(2, 4, '2023-03-02', 'on', 'pack');
CALL turn(2, 5, '2023-03-02', 'on', 'void');
INSERT INTO im_order (app_id, order_id, at, action, item, option, paid)
SELECT app_id, id, at8('2023-03-05'), action, 'manual', reason, paid
FROM unnest('{1,2}'::bigint[]) app_id, (VALUES (8, 'credit', '', 12.5), (9, 'charge', 'fast', 7)) v(id, action, reason, paid);
CALL settle();

CREATE FUNCTION texts(html text, path text) RETURNS text LANGUAGE sql
RETURN (SELECT string_agg(x::text, ' | ' ORDER BY n) FROM unnest(xpath(path,
	xmlparse(document regexp_replace(regexp_replace(html, '^<!DOCTYPE html>', ''), '<(meta|link)([^>]*)>', '<\1\2/>', 'g')))) WITH ORDINALITY u(x, n));
CREATE FUNCTION told(app bigint, item text) RETURNS text LANGUAGE sql
RETURN (SELECT string_agg(im_internal.im_html_reason('zh', b.explanation), ' ' ORDER BY b.line) FROM im_internal.im_bill_reasons(app, '2023-03') b WHERE b.item = told.item);

SELECT is(told(1, 'credit'), '购买 1 个月（2023-03-02 至 2023-04-01），每月 30 CNY。 人工减免，金额 12.5 CNY，订单 #8。', 'a prepaid add-on credit, and a credit');
SELECT is(told(1, 'charge'), '购买 2 个月（2023-03-02 至 2023-05-01），每月 40 CNY。 人工加收，金额 7 CNY，订单 #9：fast。', 'a prepaid add-on charge, and a charge of that reason');
SELECT is(told(1, 'pack'), '购买 1 个月（2023-03-02 至 2023-04-01），约定价格共 55 CNY。', 'a prepaid add-on pack');
SELECT is(told(1, 'void'), '购买 1 个月（2023-03-02 至 2023-04-01），每月 70 CNY。', 'a prepaid add-on void');
SELECT is(told(2, i), format('当月开通过，最后一日 2023-03-31，按整月计费，每月 %s CNY。', price) || hand, 'a postpaid add-on ' || i)
FROM (VALUES ('credit', 31, ' 人工减免，金额 12.5 CNY，订单 #8。'), ('charge', 41, ' 人工加收，金额 7 CNY，订单 #9：fast。'), ('pack', 51, ''), ('void', 71, '')) v(i, price, hand);
SELECT is(texts(im_bill_html(a, '2023-03', 'zh'), '//tbody/tr/th/span[@class="item"]/text()'),
	'套餐包费用 | charge | credit | pack | void | 人工减免 | 人工加收', 'each under its name')
FROM unnest('{1,2}'::bigint[]) a;
SELECT matches(im_bill_html(1, '2023-03', 'zh'), '<dt>人工调整</dt><dd>-5.50</dd>', 'by hand is only what was entered by hand');
SELECT is(texts(im_month_html('2023-03', 'zh'), '//table[@class="items"]/tbody/tr/th/span/text()'), '套餐包费用 | void | charge | pack | credit | 人工加收 | 人工减免', 'on the page of the month too');
SELECT is((SELECT string_agg("SkuId" || ' ' || "ChargeCategory" || ' ' || coalesce("PricingUnit", '-'), ', ' ORDER BY "SubAccountId", "BilledCost") FROM im_focus('2023-03', '2023-03')
		WHERE "SkuId" ~ '^(credit|charge|pack|void)' AND "BilledCost" <> 0),
	'credit Credit -, charge/fast Adjustment -, credit Purchase Months, pack/big Purchase Months, void Purchase Months, charge/fast Purchase Months, '
	'credit Credit -, charge/fast Adjustment -, credit Usage Units, charge Usage Units, pack Usage Units, void Usage Units', 'and in FOCUS');

SELECT * FROM finish();
ROLLBACK;
