-- im_focus(): charges as the FinOps Open Cost and Usage Specification (FOCUS),
-- version 1.2, has them, for tools that read bills of many vendors.
--
-- What was paid ahead is a purchase whose EffectiveCost is 0, since later usage
-- bears it: a row a month and item without BilledCost says what was earned.  So
-- EffectiveCost sums to im_revenue(), and to BilledCost over the whole term.

CREATE TYPE @extschema@.im_focus_charge AS (
	"BilledCost" numeric,
	"BillingAccountId" text,
	"BillingAccountName" text,
	"BillingCurrency" text,
	"BillingPeriodStart" timestamptz,
	"BillingPeriodEnd" timestamptz,
	"ChargeCategory" text,
	"ChargeClass" text,
	"ChargeDescription" text,
	"ChargeFrequency" text,
	"ChargePeriodStart" timestamptz,
	"ChargePeriodEnd" timestamptz,
	"ContractedCost" numeric,
	"EffectiveCost" numeric,
	"InvoiceId" text,
	"InvoiceIssuerName" text,
	"ListCost" numeric,
	"ListUnitPrice" numeric,
	"PricingQuantity" numeric,
	"PricingUnit" text,
	"ProviderName" text,
	"PublisherName" text,
	"ServiceCategory" text,
	"ServiceName" text,
	"ServiceSubcategory" text,
	"SkuId" text,
	"SubAccountId" text,
	"SubAccountName" text
);
COMMENT ON TYPE @extschema@.im_focus_charge IS
'A row of im_focus(): the mandatory columns of FOCUS 1.2, and some that it recommends.';
COMMENT ON COLUMN @extschema@.im_focus_charge."BilledCost" IS 'What the charge adds to its invoice; exact.';
COMMENT ON COLUMN @extschema@.im_focus_charge."BillingAccountId" IS 'account/ID of the account that pays, or app/ID of an app without one.';
COMMENT ON COLUMN @extschema@.im_focus_charge."BillingAccountName" IS 'The name of that.';
COMMENT ON COLUMN @extschema@.im_focus_charge."BillingCurrency" IS 'ISO 4217 code of all costs of the row.';
COMMENT ON COLUMN @extschema@.im_focus_charge."BillingPeriodStart" IS 'First instant of the month, in the time zone of the price list.';
COMMENT ON COLUMN @extschema@.im_focus_charge."BillingPeriodEnd" IS 'First instant after it.';
COMMENT ON COLUMN @extschema@.im_focus_charge."ChargeCategory" IS 'Usage, Purchase (refunds of such included), Credit or Adjustment.';
COMMENT ON COLUMN @extschema@.im_focus_charge."ChargeClass" IS 'Correction for charges of notes, else null.';
COMMENT ON COLUMN @extschema@.im_focus_charge."ChargeDescription" IS 'How the amount came about.';
COMMENT ON COLUMN @extschema@.im_focus_charge."ChargeFrequency" IS 'One-Time, Recurring or Usage-Based.';
COMMENT ON COLUMN @extschema@.im_focus_charge."ChargePeriodStart" IS 'First instant that the charge pays for.';
COMMENT ON COLUMN @extschema@.im_focus_charge."ChargePeriodEnd" IS 'First instant after it.';
COMMENT ON COLUMN @extschema@.im_focus_charge."ContractedCost" IS 'As BilledCost.';
COMMENT ON COLUMN @extschema@.im_focus_charge."EffectiveCost" IS 'What of it was earned in the month; 0 for purchases, which further rows earn.';
COMMENT ON COLUMN @extschema@.im_focus_charge."InvoiceId" IS 'The number of the document, or app/ID/month/revision where it has none; null for what is not issued.';
COMMENT ON COLUMN @extschema@.im_focus_charge."InvoiceIssuerName" IS 'The name of the database, as that of provider and publisher.';
COMMENT ON COLUMN @extschema@.im_focus_charge."ListCost" IS 'What it costs by the price list, without agreed prices and shares.';
COMMENT ON COLUMN @extschema@.im_focus_charge."ListUnitPrice" IS 'Price of a PricingUnit by the price list; null for credits and adjustments.';
COMMENT ON COLUMN @extschema@.im_focus_charge."PricingQuantity" IS 'Number of them; negative for what is given back.';
COMMENT ON COLUMN @extschema@.im_focus_charge."PricingUnit" IS 'Months, Blocks, Minutes, Deductions, Packs, Upgrades, Refunds or Units.';
COMMENT ON COLUMN @extschema@.im_focus_charge."ProviderName" IS 'The name of the database.';
COMMENT ON COLUMN @extschema@.im_focus_charge."PublisherName" IS 'The name of the database.';
COMMENT ON COLUMN @extschema@.im_focus_charge."ServiceCategory" IS 'Integration.';
COMMENT ON COLUMN @extschema@.im_focus_charge."ServiceName" IS 'Instant Messaging.';
COMMENT ON COLUMN @extschema@.im_focus_charge."ServiceSubcategory" IS 'Messaging.';
COMMENT ON COLUMN @extschema@.im_focus_charge."SkuId" IS 'Item and option; null for the rounding of a document.';
COMMENT ON COLUMN @extschema@.im_focus_charge."SubAccountId" IS 'The app.';
COMMENT ON COLUMN @extschema@.im_focus_charge."SubAccountName" IS 'Its name.';

CREATE TYPE im_internal.im_focus_part AS (
	app_id bigint,
	month date,
	revision integer,
	line integer,
	category text,
	item text,
	option text,
	period daterange,
	quantity numeric,
	unit_price numeric,
	billed numeric,
	effective numeric,
	currency text,
	description text
);
COMMENT ON TYPE im_internal.im_focus_part IS
'A charge before its app, document and time zone are looked up.';
COMMENT ON COLUMN im_internal.im_focus_part.app_id IS 'The app.';
COMMENT ON COLUMN im_internal.im_focus_part.month IS 'First day of the month.';
COMMENT ON COLUMN im_internal.im_focus_part.revision IS 'The document; null for what is not issued.';
COMMENT ON COLUMN im_internal.im_focus_part.line IS 'Its line; null for what is none.';
COMMENT ON COLUMN im_internal.im_focus_part.category IS 'ChargeCategory.';
COMMENT ON COLUMN im_internal.im_focus_part.item IS 'Item of the line; null for the rounding of a document.';
COMMENT ON COLUMN im_internal.im_focus_part.option IS 'Its option.';
COMMENT ON COLUMN im_internal.im_focus_part.period IS 'Days that it pays for.';
COMMENT ON COLUMN im_internal.im_focus_part.quantity IS 'PricingQuantity.';
COMMENT ON COLUMN im_internal.im_focus_part.unit_price IS 'ListUnitPrice.';
COMMENT ON COLUMN im_internal.im_focus_part.billed IS 'BilledCost.';
COMMENT ON COLUMN im_internal.im_focus_part.effective IS 'EffectiveCost.';
COMMENT ON COLUMN im_internal.im_focus_part.currency IS 'ISO 4217 code.';
COMMENT ON COLUMN im_internal.im_focus_part.description IS 'ChargeDescription.';

CREATE FUNCTION im_internal.im_focus_category(sort text, month date, due_on date) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	RETURN CASE WHEN sort = 'credit' THEN 'Credit' WHEN sort = 'charge' THEN 'Adjustment'
		WHEN sort <> 'refund' AND due_on = (month + interval '1 month')::date THEN 'Usage'
		ELSE 'Purchase' END;
COMMENT ON FUNCTION im_internal.im_focus_category(text, date, date) IS
'The ChargeCategory of a line of FOCUS: usage is due on the first of the next month, a refund is of what was purchased.';

-- A list price is not negative, and times the quantity it is the ListCost: what
-- has no such price, an upgrade by days or a refund, is one unit of itself.
CREATE FUNCTION im_internal.im_focus_line(l @extschema@.im_bill_line, revision integer) RETURNS im_internal.im_focus_part
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT ROW(($1).app_id, ($1).month, $2, ($1).line, c.category, ($1).item, ($1).option, ($1).period,
		CASE WHEN c.category NOT IN ('Usage', 'Purchase') THEN NULL WHEN c.by_unit THEN ($1).units
			WHEN ($1).amount < 0 THEN -1 ELSE 1 END,
		CASE WHEN c.category NOT IN ('Usage', 'Purchase') THEN NULL WHEN c.by_unit THEN ($1).unit_price
			ELSE abs(($1).amount) END,
		($1).amount, CASE c.category WHEN 'Purchase' THEN 0 ELSE ($1).amount END, ($1).currency,
		($1).explanation)::im_internal.im_focus_part
	FROM (SELECT im_internal.im_focus_category(im_internal.im_line_sort(($1).item, ($1).period, ($1).explanation), ($1).month, ($1).due_on) AS category,
				 ($1).unit_price >= 0 AND ($1).item NOT IN ('plan_upgrade', 'refund') AS by_unit) c
$$;
COMMENT ON FUNCTION im_internal.im_focus_line(@extschema@.im_bill_line, integer) IS
'A line of a bill or of a document as a charge.';

CREATE FUNCTION im_internal.im_focus_lines(among bigint[], first_month @extschema@.im_month, last_month @extschema@.im_month)
	RETURNS SETOF im_internal.im_focus_part
	LANGUAGE plpgsql STABLE ROWS 100000
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
DECLARE
	apps bigint[] := coalesce($1, ARRAY(SELECT a.app_id FROM @extschema@.im_app a));
BEGIN
	RETURN QUERY
	SELECT (im_internal.im_focus_line(ROW(l.app_id, l.month, l.line, l.item, l.option, l.period, l.due_on, l.quantity,
		l.included, l.billable, l.units, l.unit_price, l.amount, l.currency, l.explanation)::@extschema@.im_bill_line, l.revision)).*
	FROM @extschema@.im_invoice_line l
	WHERE l.month BETWEEN $2::date AND $3::date AND (l.app_id = ANY ($1) OR $1 IS NULL);
	RETURN QUERY
	SELECT (im_internal.im_focus_line(b, NULL::integer)).*
	FROM generate_series(0, $3 OPERATOR(@extschema@.-) $2) n,
		im_internal.im_rebill_apps($2 OPERATOR(@extschema@.+) n,
			im_internal.im_open_among(apps, $2 OPERATOR(@extschema@.+) n), false) b;
	RETURN QUERY
	SELECT i.app_id, i.month, i.revision, NULL::integer, 'Adjustment', NULL::text, NULL::text,
		daterange(i.month, (i.month + interval '1 month')::date), NULL::numeric, NULL::numeric, r.rounding, r.rounding, i.currency,
		'Rounding of the total to the places of the currency.'
	FROM @extschema@.im_invoice i,
		LATERAL (SELECT i.total - coalesce(sum(l.amount), 0) AS rounding
				 FROM @extschema@.im_invoice_line l
				 WHERE l.app_id = i.app_id AND l.month = i.month AND l.revision = i.revision) r
	WHERE i.month BETWEEN $2::date AND $3::date AND (i.app_id = ANY ($1) OR $1 IS NULL);
END
$$;
COMMENT ON FUNCTION im_internal.im_focus_lines(bigint[], @extschema@.im_month, @extschema@.im_month) IS
'The charges that are lines of documents, or of bills that may still change, and one Adjustment a document that makes its charges its total.';

CREATE FUNCTION im_internal.im_focus_parts(among bigint[], first_month @extschema@.im_month, last_month @extschema@.im_month)
	RETURNS SETOF im_internal.im_focus_part
	LANGUAGE sql STABLE ROWS 100000
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
	WITH line AS MATERIALIZED (
		SELECT * FROM im_internal.im_focus_lines($1, $2, $3)),
	told AS (
		SELECT l.app_id, l.month, l.item, l.option, l.currency, sum(l.effective) AS effective
		FROM line l
		GROUP BY l.app_id, l.month, l.item, l.option, l.currency)
	SELECT * FROM line
	UNION ALL
	SELECT r.app_id, r.month, NULL, NULL, 'Usage', r.item, r.option, daterange(r.month, (r.month + interval '1 month')::date),
		0, 0, 0, r.earned - coalesce(t.effective, 0), r.currency, 'Earned in the month of what was paid ahead.'
	FROM im_internal.im_app_revenue_of($1, $2, $3) r
	LEFT JOIN told t ON t.app_id = r.app_id AND t.month = r.month AND t.item = r.item AND t.option = r.option AND t.currency = r.currency
	WHERE r.earned <> coalesce(t.effective, 0)
$$;
COMMENT ON FUNCTION im_internal.im_focus_parts(bigint[], @extschema@.im_month, @extschema@.im_month) IS
'im_focus_lines() with what was earned of purchases, so that EffectiveCost sums to the revenue.';

-- Meters by name have units that only their price list knows.
CREATE FUNCTION im_internal.im_focus_unit(sort text, category text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	RETURN CASE WHEN sort IN ('dau_overage', 'mau_overage', 'group_overage') THEN 'Blocks'
		WHEN sort = 'call_minutes' THEN 'Minutes' WHEN sort = 'moderation' THEN 'Deductions'
		WHEN sort IN ('moderation_pack', 'pack') THEN 'Packs' WHEN sort = 'plan_upgrade' THEN 'Upgrades'
		WHEN sort = 'refund' THEN 'Refunds' WHEN category = 'Purchase' OR sort = 'history_storage' THEN 'Months'
		ELSE 'Units' END;
COMMENT ON FUNCTION im_internal.im_focus_unit(text, text) IS
'The PricingUnit of what a line is (im_line_sort()) and its ChargeCategory.';

CREATE FUNCTION im_internal.im_focus_of(among bigint[], first_month @extschema@.im_month, last_month @extschema@.im_month)
	RETURNS SETOF @extschema@.im_focus_charge
	LANGUAGE sql STABLE ROWS 100000
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
	SELECT c.billed, CASE WHEN o.account_id IS NULL THEN 'app/' || c.app_id ELSE 'account/' || o.account_id END,
		CASE WHEN o.account_id IS NULL THEN o.name ELSE o.account_name END, c.currency,
		c.month::timestamp AT TIME ZONE o.zone, (c.month + interval '1 month') AT TIME ZONE o.zone,
		c.category, CASE WHEN c.revision > 0 THEN 'Correction' END, c.description,
		CASE WHEN c.category <> 'Usage' THEN 'One-Time' WHEN c.line IS NULL THEN 'Recurring' ELSE 'Usage-Based' END,
		lower(c.period)::timestamp AT TIME ZONE o.zone, upper(c.period)::timestamp AT TIME ZONE o.zone,
		c.billed, c.effective,
		CASE WHEN c.revision IS NOT NULL THEN coalesce(i.number, format('app/%s/%s/%s', c.app_id, to_char(c.month, 'YYYY-MM'), c.revision)) END,
		current_database()::text, coalesce(c.quantity * c.unit_price, c.billed), c.unit_price, c.quantity,
		CASE WHEN c.quantity IS NOT NULL THEN im_internal.im_focus_unit(im_internal.im_line_sort(c.item, c.period, c.description), c.category) END,
		current_database()::text, current_database()::text, 'Integration', 'Instant Messaging', 'Messaging',
		CASE WHEN c.item IS NOT NULL THEN c.item || CASE WHEN c.option = '' THEN '' ELSE '/' || c.option END END,
		c.app_id::text, o.name
	FROM im_internal.im_focus_parts($1, $2, $3) c
	JOIN @extschema@.im_app a ON a.app_id = c.app_id
	LEFT JOIN @extschema@.im_account n ON n.account_id = a.account_id
	LEFT JOIN @extschema@.im_invoice i ON i.app_id = c.app_id AND i.month = c.month AND i.revision = c.revision
	-- what was issued stays, also where its price list is gone
	LEFT JOIN (SELECT DISTINCT ON (v.rate_card) v.rate_card, v.terms ->> 'time_zone' AS zone
		  FROM @extschema@.im_rate_card_version v
		  ORDER BY v.rate_card, v.effective_from DESC) z ON z.rate_card = coalesce(i.rate_card, a.rate_card)
	CROSS JOIN LATERAL (SELECT CASE WHEN i.digest_version >= 3 THEN i.account_id ELSE a.account_id END AS account_id,
							   CASE WHEN i.digest_version >= 3 THEN i.account_name ELSE n.name END AS account_name,
							   coalesce(i.app_name, a.name) AS name,
							   coalesce(z.zone, 'UTC') AS zone) o
	ORDER BY c.month, c.app_id, c.revision, c.line, c.item COLLATE "C", c.option COLLATE "C"
$$;
COMMENT ON FUNCTION im_internal.im_focus_of(bigint[], @extschema@.im_month, @extschema@.im_month) IS
'im_focus() of the given apps; null for all of them.';

CREATE FUNCTION @extschema@.im_focus(first_month @extschema@.im_month, last_month @extschema@.im_month)
	RETURNS SETOF @extschema@.im_focus_charge
	LANGUAGE plpgsql STABLE STRICT ROWS 100000
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM im_internal.im_need_tables();
	IF im_internal.im_guarded('im_focus_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_focus_guarded($1, $2);
		RETURN;
	END IF;
	RETURN QUERY SELECT * FROM im_internal.im_focus_of(NULL::bigint[], $1, $2);
END
$$;
COMMENT ON FUNCTION @extschema@.im_focus(@extschema@.im_month, @extschema@.im_month) IS
'All charges of the months with the mandatory columns of FOCUS 1.2, in the currencies of their bills: a row a line, one Adjustment a document so that BilledCost sums to its total, and rows for what was earned of purchases, so that EffectiveCost sums to im_revenue() and the adjustments. Errors: 22023 for months in the wrong order, else as im_monthly_bills().';
