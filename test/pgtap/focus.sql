-- im_focus() against the rules of the FinOps Open Cost and Usage Specification
-- (FOCUS), version 1.2, column by column; and its sums against documents, bills
-- and revenue.  Rules are those of the section "Cost and Usage" of
-- https://focus.finops.org/focus-specification/v1-2/ that has the column's name:
-- its type, whether it allows nulls, its allowed values, and what it says MUST be.
BEGIN;
\ir include/setup.sql
\ir include/ledger.sql

INSERT INTO im_series (series) VALUES ('S');
INSERT INTO im_account (account_id, name) VALUES (7, 'Seven');
INSERT INTO im_app (app_id, name, rate_card, account_id) VALUES (1, 'One', 'cn', 7), (2, 'Two', 'cn', NULL), (3, 'Three', 'intl', 7), (4, 'Idle', 'cn', NULL);
INSERT INTO im_order (app_id, order_id, at, action, item, option, months, quantity, paid) VALUES
	(1, 1, at8('2023-01-10 10:00'), 'buy', 'plan', 'pro', 12, 1, NULL), (1, 2, at8('2023-01-10 10:00'), 'on', 'moderation', '', NULL, 1, NULL),
	(1, 3, at8('2023-01-11 10:00'), 'buy', 'group_members', '', 2, 1, NULL), (1, 4, at8('2023-01-12 10:00'), 'buy', 'moderation_pack', 'month', NULL, 2, NULL),
	(1, 5, at8('2023-02-20 10:00'), 'upgrade', 'plan', 'flagship', NULL, 1, NULL), (1, 7, at8('2023-02-21 10:00'), 'on', 'history_storage', '90d', NULL, 1, NULL),
	(2, 1, at8('2023-01-10 10:00'), 'buy', 'plan', 'pro', 3, 1, 2000), (3, 1, at8('2023-01-10 10:00'), 'buy', 'plan', 'standard', 3, 1, NULL);
INSERT INTO im_order (app_id, order_id, at, action, item, refunds) VALUES (1, 6, at8('2023-01-13 10:00'), 'refund', 'group_members', 3);
INSERT INTO im_order (app_id, order_id, at, action, item, option, paid) VALUES (2, 40, at8('2023-02-10 10:00'), 'credit', 'manual', 'goodwill', 5),
	(2, 41, at8('2023-02-11 10:00'), 'charge', 'manual', 'a report', 7.5);
CALL settle();
INSERT INTO im_usage_daily (app_id, day, dau, peak_groups, text_checks, hd_minutes) SELECT a, d, 12345, 100, 1234567, 777
FROM unnest('{1,2}'::bigint[]) a, unnest('{2023-01-15,2023-02-15,2023-03-15}'::date[]) d;
CALL im_close_month('2023-01');
CALL im_close_month('2023-02');
CALL daily(2, '2023-01-16', 45678);
CALL buy(1, 30, '2023-01-20', 'local_moderation');
CALL im_adjust_month('2023-01');
CREATE TEMP TABLE focus AS SELECT * FROM im_focus('2023-01', '2023-03');
SELECT cmp_ok(count(*), '>', 30::bigint, 'there are charges') FROM focus;

-- Columns ---------------------------------------------------------------------------
CREATE TEMP TABLE mandatory (name text, type text, allows_nulls boolean);
INSERT INTO mandatory VALUES
	('BilledCost', 'numeric', false), ('BillingAccountId', 'text', false), ('BillingAccountName', 'text', true), ('BillingCurrency', 'text', false),
	('BillingPeriodEnd', 'timestamp with time zone', false), ('BillingPeriodStart', 'timestamp with time zone', false), ('ChargeCategory', 'text', false),
	('ChargeClass', 'text', true), ('ChargeDescription', 'text', true), ('ChargePeriodEnd', 'timestamp with time zone', false),
	('ChargePeriodStart', 'timestamp with time zone', false), ('ContractedCost', 'numeric', false), ('EffectiveCost', 'numeric', false),
	('InvoiceIssuerName', 'text', false), ('ListCost', 'numeric', false), ('PricingQuantity', 'numeric', true), ('PricingUnit', 'text', true),
	('ProviderName', 'text', false), ('PublisherName', 'text', false), ('ServiceCategory', 'text', false), ('ServiceName', 'text', false);
SELECT is((SELECT format_type(a.atttypid, NULL) FROM pg_attribute a WHERE a.attrelid = 'focus'::regclass AND a.attname = m.name), m.type, 'the mandatory column ' || m.name)
FROM mandatory m ORDER BY m.name;
SELECT is((SELECT count(*) FROM focus f WHERE to_jsonb(f) ->> m.name IS NULL), 0::bigint, m.name || ' is never null') FROM mandatory m WHERE NOT m.allows_nulls ORDER BY m.name;
SELECT is((SELECT count(*) FROM focus f WHERE to_jsonb(f) ->> c = '' OR to_jsonb(f) ->> c ~ '^\s|\s$'), 0::bigint, c || ' has no empty text and no blank at an end')
FROM (SELECT jsonb_object_keys((SELECT to_jsonb(f) FROM focus f LIMIT 1)) AS c) k;
CREATE FUNCTION no_row(condition text, what text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM focus WHERE (%s) IS NOT FALSE', condition) INTO n;
	RETURN is(n, 0::bigint, what);
END $$;
SELECT no_row(condition, what) FROM (VALUES
	($c$"ChargeCategory" NOT IN ('Usage', 'Purchase', 'Tax', 'Credit', 'Adjustment')$c$, 'ChargeCategory: allowed values'),
	($c$coalesce("ChargeClass", 'Correction') <> 'Correction'$c$, 'ChargeClass: Correction or null'),
	($c$"ChargeFrequency" NOT IN ('One-Time', 'Recurring', 'Usage-Based')$c$, 'ChargeFrequency: allowed values'),
	($c$"ChargeFrequency" = 'Usage-Based' AND "ChargeCategory" = 'Purchase'$c$, 'ChargeFrequency: no purchase is Usage-Based'),
	($c$"BillingCurrency" !~ '^[A-Z]{3}$'$c$, 'BillingCurrency: ISO 4217'),
	($c$"BillingPeriodStart" >= "BillingPeriodEnd" OR "ChargePeriodStart" >= "ChargePeriodEnd"$c$, 'periods: end after start'),
	($c$"ServiceCategory" <> 'Integration' OR "ServiceSubcategory" <> 'Messaging'$c$, 'ServiceCategory and its subcategory: one of the allowed pairs'),
	($c$"ChargeCategory" IN ('Usage', 'Purchase') AND "ChargeClass" IS NULL AND "PricingQuantity" IS NULL$c$, 'PricingQuantity: there for usage and purchases'),
	($c$("PricingQuantity" IS NULL) <> ("PricingUnit" IS NULL)$c$, 'PricingUnit: null where the quantity is, and only there'),
	($c$"ChargeCategory" IN ('Usage', 'Purchase') AND "ChargeClass" IS NULL AND "ListUnitPrice" IS NULL$c$, 'ListUnitPrice: there for usage and purchases'),
	($c$coalesce("ListUnitPrice", 0) < 0$c$, 'ListUnitPrice: not negative'),
	($c$"ListUnitPrice" IS NOT NULL AND "ListCost" <> "ListUnitPrice" * "PricingQuantity"$c$, 'ListCost: price times quantity'),
	($c$"ListUnitPrice" IS NULL AND "ListCost" <> "BilledCost"$c$, 'ListCost: as billed where there is no price'),
	($c$"ContractedCost" <> "BilledCost"$c$, 'ContractedCost: as billed, since there is no contracted price'),
	($c$"ChargeCategory" = 'Purchase' AND "EffectiveCost" <> 0$c$, 'EffectiveCost: 0 for purchases that cover usage to come'),
	($c$"ChargeCategory" NOT IN ('Usage', 'Purchase') AND "EffectiveCost" <> "BilledCost"$c$, 'EffectiveCost: as billed for all else')) v(condition, what);

-- Sums --------------------------------------------------------------------------------
SELECT results_eq($$SELECT "InvoiceId", sum("BilledCost"), min("BillingCurrency") FROM focus WHERE "InvoiceId" IS NOT NULL GROUP BY 1 ORDER BY 1$$,
	$$SELECT number::text, total, currency FROM im_invoice ORDER BY 1$$, 'BilledCost of each document is its total');
SELECT is((SELECT string_agg("ChargeCategory" || ' ' || "BilledCost", ', ' ORDER BY "BilledCost") FROM focus WHERE "SkuId" ~ '^(credit|charge)/'), 'Credit -5.00, Adjustment 7.50', 'credits and charges by hand');
SELECT is((SELECT count(*) FROM focus WHERE "ChargeCategory" = 'Adjustment' AND "SkuId" IS NULL), (SELECT count(*) FROM im_invoice), 'by one Adjustment a document');
SELECT results_eq($$SELECT "BillingPeriodStart", "BillingCurrency", sum("EffectiveCost") FROM focus WHERE "SkuId" IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2$$,
	$$SELECT at8(month::text), currency, sum(earned) FROM im_revenue('2023-01', '2023-03') GROUP BY 1, 2 ORDER BY 1, 2$$, 'EffectiveCost is what was earned');
SELECT results_eq($$SELECT "SubAccountId"::bigint, sum("BilledCost") FROM focus WHERE "InvoiceId" IS NULL AND "BilledCost" <> 0 GROUP BY 1 ORDER BY 1$$,
	$$SELECT app_id, sum(amount) FROM im_monthly_bills('2023-03') GROUP BY 1 HAVING sum(amount) <> 0 ORDER BY 1$$, 'what is not issued is there without an invoice');
SELECT results_eq($$SELECT DISTINCT "InvoiceId", "ChargeClass" FROM focus WHERE "InvoiceId" IS NOT NULL AND "ChargeCategory" <> 'Adjustment' ORDER BY 1$$,
	$$SELECT number::text, CASE WHEN revision > 0 THEN 'Correction' END FROM im_invoice ORDER BY 1$$, 'charges of notes are corrections, others are not');
SELECT is((SELECT ("BilledCost", "ListCost", "PricingQuantity", "PricingUnit")::text FROM focus WHERE "SubAccountId" = '2' AND "SkuId" = 'plan/pro' AND "ChargeCategory" = 'Purchase'),
	'(2000.00,2997,3,Months)', 'an agreed price is billed, that of the card is listed');
SELECT is((SELECT string_agg(DISTINCT "BillingAccountId" || ' ' || "BillingAccountName", ', ' ORDER BY "BillingAccountId" || ' ' || "BillingAccountName") FROM focus), 'account/7 Seven, app/2 Two',
	'the account pays, or the app where there is none');
-- What was issued stays, also where its price list is gone
CALL card('gone', '2019-12-10', cn());
CALL app(90, 'gone');
CALL buy(90, 1, '2022-05-05 10:00', 'plan', 'pro', 2);
CALL im_close_month('2022-05');
UPDATE im_app SET rate_card = 'cn' WHERE app_id = 90;
DELETE FROM im_rate_card_version WHERE rate_card = 'gone';
SELECT results_eq($$SELECT "InvoiceId", sum("BilledCost") FROM im_focus('2022-05', '2022-05') WHERE "InvoiceId" IS NOT NULL GROUP BY 1$$,
	$$SELECT number::text, total FROM im_invoice WHERE app_id = 90$$, 'an invoice of a price list that is gone');

SELECT fails_with($$SELECT * FROM im_focus('2023-03', '2023-01')$$, '22023', 'before first month', 'months in the wrong order');
SELECT is_empty($$SELECT * FROM im_focus('2022-01', '2022-02')$$, 'months without charges');

SELECT * FROM finish();
