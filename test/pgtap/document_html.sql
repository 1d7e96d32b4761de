-- im_document_html(): a document as it was issued; and what all pages do with
-- amounts and numbers. How it looks is seen in t/130_html_in_browser.pl.
BEGIN;
\ir include/setup.sql
\ir include/ledger.sql

CREATE FUNCTION page(app bigint, rev integer, lang text DEFAULT 'en', month text DEFAULT '2023-03') RETURNS text LANGUAGE sql
RETURN im_document_html(app, month::im_month, rev, lang);
-- The texts that a path finds, in their order.
CREATE FUNCTION texts(html text, path text) RETURNS text LANGUAGE sql
RETURN (SELECT string_agg(x::text, ' | ' ORDER BY n)
		FROM unnest(xpath(path, regexp_replace(regexp_replace(html, '<!DOCTYPE html>', ''), '<(meta|link)([^>]*)>', '<\1\2/>', 'g')::xml)) WITH ORDINALITY v(x, n));

INSERT INTO im_series (series) VALUES ('S');
INSERT INTO im_account (account_id, name) VALUES (7, 'Seven & <Co>');
INSERT INTO im_app (app_id, name, account_id) VALUES (1, 'One', 7), (2, 'Two', NULL);
CALL buy(1, 1, '2023-03-01 10:00', 'plan', 'pro', 12);
CALL turn(1, 2, '2023-03-01 10:00', 'on', 'moderation');
CALL buy(2, 1, '2023-03-01 10:00', 'plan', 'pro', 1);
INSERT INTO im_usage_daily (app_id, day, text_checks) VALUES (1, '2023-03-05', 1234567);
INSERT INTO im_call (app_id, at, class, seconds) VALUES (1, at8('2023-03-05 12:00'), 'hd', 12345 * 60);
CALL im_close_month('2023-03');
UPDATE im_app SET name = 'One renamed', account_id = NULL WHERE app_id = 1;
UPDATE im_account SET name = 'renamed too';
CREATE TABLE before AS SELECT page(1, 0) AS en, page(1, 0, 'zh') AS zh;

SELECT is(texts(en, '//h1/bdi/text()'), 'One', 'the name that the app had') FROM before;
SELECT is(regexp_replace(texts(en, '//dl/div/dd//text()'), '-\d{4}-', '-Y-', ''), 'S-CNY-Y-00000001 | ' || to_char(now() AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD')
	|| ' | Seven &amp; &lt;Co&gt; |  (7) | 1 | cn |  of 2019-12-10', 'number, day of issue, account, app and price list') FROM before;
SELECT is(texts(en, '//p[@class="kicker"][1]//text()'), 'Invoice,  | March 2023 | Total', 'it says what it is') FROM before;
SELECT matches(texts(en, '/html/head/title/text()'), '^Invoice, March 2023 - S-CNY-\d{4}-00000001 - One$', 'and its title') FROM before;
SELECT is(texts(en, '//data[@id="total"]/@value'), (SELECT total::text FROM im_invoice WHERE app_id = 1), 'the total as issued') FROM before;
SELECT is(texts(en, '//table[contains(@class, "lines")]/tbody/tr/td[contains(@class, "amount")]/data/@value'),
	(SELECT string_agg(round(amount, greatest(2, min_scale(amount)))::text, ' | ' ORDER BY line) FROM im_invoice_line WHERE app_id = 1), 'all lines, exact for machines') FROM before;
SELECT is(texts(en, '//table[contains(@class, "lines")]/tbody/tr/td[contains(@class, "amount")]/data/text()'), '11,988.00 | 345.66 | 1,234.57 ',
	'to people in the places of the currency') FROM before;
SELECT is(texts(en, '//tbody/tr/td/data/span[@class="exact"]/text()'), '1,234.567', 'with the exact amount where it differs') FROM before;
SELECT is(texts(en, '//tfoot/tr[@class="round"]/td/data/@value') || ' ' || texts(en, '//tfoot/tr[@class="round"]/td/data//text()'), '0.003 0.00  | 0.003', 'and the rounding as a line') FROM before;
SELECT is(texts(en, '//footer/p[@class="digest"]/text()'), 'Digest (SHA-256): ' || (SELECT encode(digest, 'hex') FROM im_invoice WHERE app_id = 1), 'and the digest') FROM before;
SELECT unalike(en, '%<dt>Corrects</dt>%', 'an invoice corrects nothing') FROM before;

SELECT is(texts(im_account_html(7, '2023-03'), '//table[@class="apps"]/tbody/tr/th//bdi/text()') || ' ' || texts(im_account_html(7, '2023-03'), '//article/h2/bdi/text()'), 'One One',
	'the page of the account has it under the name of then');

-- A note, which leaves the invoice as it was
CALL daily(1, '2023-03-06', 25000);
CALL im_adjust_month('2023-03');
SELECT is((page(1, 0), page(1, 0, 'zh'))::text, (en, zh)::text, 'what comes later does not change it') FROM before;
SELECT matches(texts(page(1, 1), '//dl/div[dt="Corrects"]/dd//text()'), '^invoice S-CNY-\d{4}-00000001 of  \| \d{4}-\d\d-\d\d$', 'a note says which invoice it corrects');
SELECT is(texts(page(1, 1), '//p[@class="kicker"][1]//text()'), 'Debit note,  | March 2023 | Total', 'and what it is');
SELECT matches(texts(page(1, 1), '//tbody/tr[1]/th/p[@class="why"]//text()'), 'Peak DAU 25,000 on  \| 2023-03-06 \| ; 15,000 over the 10,000 included', 'numbers in sentences have their separators, days have none');
DELETE FROM im_usage_daily WHERE app_id = 1 AND day = '2023-03-06';
CALL im_adjust_month('2023-03');
SELECT is(texts(page(1, 2), '//p[@class="kicker"][1]//text()'), 'Credit note,  | March 2023 | Total', 'and a credit note too');
SELECT is(texts(page(1, 2), '//data[@id="total"]/@value'), '-2000.00', 'whose total is negative');
SELECT is(page(1, 1, 'zh') ~ '<html lang="zh-CN">', true, 'in Chinese');

-- What there is not
SELECT fails_with('SELECT im_document_html(1, ''2023-03'', 3, ''en'')', 'P0002', 'app 1 has no document of revision 3 of 2023-03', 'a note that was not issued');
SELECT fails_with('SELECT im_document_html(1, ''2023-04'', 0, ''en'')', 'P0002', 'no document', 'a month without documents');
SELECT fails_with('SELECT im_document_html(1, ''2023-03'', -1, ''en'')', 'P0002', 'no document', 'a revision below 0');
SELECT fails_with('SELECT im_document_html(9, ''2023-03'', 0, ''en'')', 'P0002', 'no app 9', 'an unknown app');
SELECT fails_with('SELECT im_document_html(1, ''2023-03'', 0, ''fr'')', '22023', 'unknown language', 'another language');
SELECT is(im_document_html(1, '2023-03', NULL, 'en'), NULL, 'null is null');

-- Numbers in sentences
SELECT is(im_internal.im_html_grouped(said), wanted, said) FROM (VALUES
	('12000', '12,000'), ('999', '999'), ('1000', '1,000'), ('1234567.00012345', '1,234,567.00012345'), ('0.00123456', '0.00123456'), ('-12000', '-12,000'),
	('2023-03-17', '2023-03-17'), ('through 2023-12-31, at 1000', 'through 2023-12-31, at 1,000'), ('20231-03-17', '20231-03-17'), ('08:10:1000', '08:10:1000'),
	('Refund of order 1400000003, plan', 'Refund of order 1400000003, plan'), ('plan pro2000 and 3000x', 'plan pro2000 and 3000x'), ('&#39;12000&#39;', '&#39;12,000&#39;'),
	('&#65533;', '&#65533;'), ('peak 12000.', 'peak 12,000.'), ('', ''), ('1,234', '1,234'), ('10000/20000', '10,000/20,000'), ('（12000）', '（12,000）'), ('峰值 12000，', '峰值 12,000，'), ('套餐2000', '套餐2000'), ('2000版', '2000版'), (repeat('9', 40), '9' || repeat(',999', 13))) v(said, wanted);
SELECT is(im_internal.im_html_money(a, a, 2), wanted, 'an amount: ' || a) FROM (VALUES (1234.5, '<data value="1234.50">1,234.50</data>'),
	(0.125, '<data value="0.125">0.13 <span class="exact">0.125</span></data>'), (-0.004, '<data value="-0.004">0.00 <span class="exact">-0.004</span></data>')) v(a, wanted);
SELECT is(array_agg(im_internal.im_html_long(n)), '{"", " long"}', 'long numbers may break') FROM unnest('{9999999999999,99999999999999}'::text[]) n;

SELECT * FROM finish();
