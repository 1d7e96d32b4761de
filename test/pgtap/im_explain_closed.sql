-- im_explain() and im_bill_html() of a closed month: issued lines are explained as long as the tables
-- lead to them, alone or with the notes, and told as changed where not.
BEGIN;
\ir include/setup.sql
\ir include/ledger.sql

INSERT INTO im_app (app_id, name) SELECT n, 'app ' || n FROM generate_series(1, 2) n;
INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
SELECT a, 1, at8('2023-03-01'), 'buy', 'plan', 'pro', 1 FROM generate_series(1, 2) a;
INSERT INTO im_usage_daily (app_id, day, dau) SELECT a, '2023-03-05', 25000 FROM generate_series(1, 2) a;
CALL pack(2, 2, '2023-03-10', 'month');
CALL pack(2, 3, '2023-03-10', 'month');
CREATE FUNCTION facts(app bigint, line int) RETURNS text LANGUAGE sql
RETURN (SELECT string_agg(concat_ws(' ', e.fact, n(e.quantity), n(e.amount)), ', ' ORDER BY e.ordinal)
		FROM im_explain(app, '2023-03', line) e
		WHERE e.fact IN ('line', 'issued', 'changed', 'peak', 'order', 'started blocks', 'amount'));
CREATE FUNCTION page(app bigint, lang text DEFAULT 'en') RETURNS text LANGUAGE sql
RETURN regexp_replace(im_bill_html(app, '2023-03', lang), '<style>.*</style>', '');

SELECT is(facts(1, 2), 'line 25000 2000, peak 25000 -, started blocks 2 -, amount 2 2000', 'an open month');
SELECT matches(page(1), '<dt>Status</dt><dd>not closed, may still change</dd>', 'its page says so');
SELECT matches(page(1, 'zh'), '<dd>未出账', 'in Chinese, too');

CALL im_close_month('2023-03');
SELECT is((:'SQLSTATE')::text, '00000', 'closed');
SELECT is(facts(1, 2), 'line 25000 2000, peak 25000 -, started blocks 2 -, amount 2 2000', 'a closed month that nothing has changed');
SELECT matches(page(1), '<dd>issued \d{4}-\d\d-\d\d</dd>', 'its page says when it was issued');
SELECT is(facts(2, 3), 'line 1 1050, order 1 -, amount 1 1050', 'one of two lines that are alike');
SELECT is(facts(2, 4), 'line 1 1050, order 1 -, amount 1 1050', 'and the other');

UPDATE im_usage_daily SET dau = 35000 WHERE app_id = 1;
SELECT is(facts(1, 2), 'line 25000 2000, issued 25000 2000, changed - -', 'usage has changed: the line is told as changed');
SELECT is(facts(1, 1), 'line 1 999, order 1 -, amount 1 999', 'other lines are still explained');
SELECT matches(page(1), '<data id="total" value="2999.00">2,999.00</data>', 'and the page has what was issued');

CALL im_adjust_month('2023-03');
SELECT is(facts(1, 2), 'line 25000 2000, issued 25000 2000, issued 10000 1000, peak 35000 -, started blocks 3 -, amount 3 3000',
	'adjusted: the lines of the documents come to the line that is explained');
SELECT is(facts(1, 3), 'line 10000 1000, issued 25000 2000, issued 10000 1000, peak 35000 -, started blocks 3 -, amount 3 3000',
	'that of the note as well');
SELECT matches(page(1), '<data id="total" value="3999.00">3,999.00</data>', 'the page has what the documents come to');
SELECT matches(page(1), '<dd>issued \d{4}-\d\d-\d\d, notes since: 1</dd>', 'and says that there are notes');
SELECT matches(page(1, 'zh'), '其后调整 1 次', 'in Chinese, too');
SELECT matches(page(1, 'zh'), '<p class="why">对已出账单的调整，差额 1,000.00 CNY：原为 2,000.00，现为 3,000.00。峰值 DAU 35,000（', 'its line is told as the difference that it is');

SELECT * FROM finish();
