-- What SQL calls of the rating core: primitives over any table, and the
-- functions that rate the values which accounts/ and usage/ put together.

CREATE TYPE @extschema@.im_bill_line AS (
	app_id bigint,
	month date,
	line integer,
	item text,
	option text,
	period daterange,
	due_on date,
	quantity numeric,
	included numeric,
	billable numeric,
	units numeric,
	unit_price numeric,
	amount numeric,
	currency text,
	explanation text
);
COMMENT ON TYPE @extschema@.im_bill_line IS
'One line of a bill. amount is in the currency named, exact to at most 8 places; only the total is rounded.';
COMMENT ON COLUMN @extschema@.im_bill_line.app_id IS 'The app (SDKAppID) that pays.';
COMMENT ON COLUMN @extschema@.im_bill_line.month IS 'First day of the usage month.';
COMMENT ON COLUMN @extschema@.im_bill_line.line IS 'Number of the line, from 1.';
COMMENT ON COLUMN @extschema@.im_bill_line.item IS 'plan, plan_upgrade, dau_overage, mau_overage, group_overage, a meter, an add-on, call_minutes, local_moderation, moderation_pack, pack, moderation, refund, credit or charge.';
COMMENT ON COLUMN @extschema@.im_bill_line.option IS 'Plan, option, class or pack; of a refund the refunded item, of a credit or charge the reason; empty where there is none.';
COMMENT ON COLUMN @extschema@.im_bill_line.period IS 'Days that the line pays for: a term, or the month.';
COMMENT ON COLUMN @extschema@.im_bill_line.due_on IS 'Day on which the amount falls due.';
COMMENT ON COLUMN @extschema@.im_bill_line.quantity IS 'What was used or bought.';
COMMENT ON COLUMN @extschema@.im_bill_line.included IS 'What a quota or packs covered.';
COMMENT ON COLUMN @extschema@.im_bill_line.billable IS 'quantity - included, at least 0.';
COMMENT ON COLUMN @extschema@.im_bill_line.units IS 'What is multiplied by unit_price: started blocks, months, minutes, deductions.';
COMMENT ON COLUMN @extschema@.im_bill_line.unit_price IS 'Price of a unit; null in a preview whose card has no price.';
COMMENT ON COLUMN @extschema@.im_bill_line.amount IS 'units * unit_price unless agreed, shared or by the refund rule; null in a preview whose card has no price.';
COMMENT ON COLUMN @extschema@.im_bill_line.currency IS 'ISO 4217 code of the rate card.';
COMMENT ON COLUMN @extschema@.im_bill_line.explanation IS 'One sentence on how the amount came about.';

CREATE FUNCTION @extschema@.im_block_fee(usage bigint, included bigint, block bigint, price numeric)
	RETURNS numeric
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_block_fee(bigint, bigint, bigint, numeric) IS
'Fee of started blocks over a free quota (R3): ceil(max(0, usage - included) / block) * price, exact. Error 22023 for negative usage, quota or price, a block below 1, NaN or infinity.';

CREATE FUNCTION @extschema@.im_dau_overage(card @extschema@.im_rate_card, plan text, peak_dau bigint)
	RETURNS numeric
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_dau_overage(@extschema@.im_rate_card, text, bigint) IS
'Monthly fee of a peak of daily active users on a plan (R3), in the currency of the card; 0 on a plan that does not price it. Error 22023 for an unknown plan or a negative peak.';

CREATE FUNCTION @extschema@.im_group_overage(card @extschema@.im_rate_card, plan text, peak bigint)
	RETURNS numeric
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_group_overage(@extschema@.im_rate_card, text, bigint) IS
'Monthly fee of a peak of groups on a plan (R3), in the currency of the card; 0 on a plan that does not price it. Error 22023 for an unknown plan or a negative peak.';

CREATE FUNCTION @extschema@.im_usage_fee(card @extschema@.im_rate_card, plan text, meter text, quantity numeric)
	RETURNS numeric
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_usage_fee(@extschema@.im_rate_card, text, text, numeric) IS
'Monthly fee of a quantity of a meter, dau, mau and groups included (R12), on a plan or by the add-on that prices the meter there, in the currency of the card; 0 where neither does. Errors: 22023 for an unknown plan or meter, a negative quantity, NaN or infinity, and where a share of another meter is included; 22003 for more than 8 places or past 30 digits before the point.';

CREATE FUNCTION @extschema@.im_usage_fee(card @extschema@.im_rate_card, plan text, meter text, quantity numeric, of_quantity numeric)
	RETURNS numeric
	AS 'MODULE_PATHNAME', 'im_usage_fee_of' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_usage_fee(@extschema@.im_rate_card, text, text, numeric, numeric) IS
'The same where what is included is a share of another meter, of which of_quantity was used; without a share it does not matter.';

CREATE FUNCTION @extschema@.im_addon_fee(card @extschema@.im_rate_card, plan text, addon text, option text DEFAULT '')
	RETURNS numeric
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_addon_fee(@extschema@.im_rate_card, text, text, text) IS
'Price per month of an add-on on a plan (R4), in the currency of the card. Error 22023 for an unknown plan or add-on, or an option that the plan does not sell. Three parameters without types are plan, add-on and option: write $1::im_rate_card.';

CREATE FUNCTION @extschema@.im_moderation_fee(card @extschema@.im_rate_card, deductions numeric)
	RETURNS numeric
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_moderation_fee(@extschema@.im_rate_card, numeric) IS
'Postpaid fee of deductions of cloud moderation (R6), in the currency of the card, exact. Error 22023 where the card does not sell moderation, for negative deductions, NaN or infinity.';

CREATE FUNCTION @extschema@.im_deductions(card @extschema@.im_rate_card, kind text, quantity numeric)
	RETURNS numeric
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_deductions(@extschema@.im_rate_card, text, numeric) IS
'Deductions of a quantity of checks (text, image) or minutes (audio, video): quantity * coefficient (R6), exact. Error 22023 for an unknown kind, a negative quantity, NaN or infinity.';

CREATE TYPE im_internal.im_price_book AS (
	names text[],
	dates date[],
	cards @extschema@.im_rate_card[]
);
COMMENT ON TYPE im_internal.im_price_book IS
'The rate cards of all apps as rating takes them: names, first days and versions, ordered by name and day.';
COMMENT ON COLUMN im_internal.im_price_book.names IS 'Name of the rate card of each version.';
COMMENT ON COLUMN im_internal.im_price_book.dates IS 'First day of each version.';
COMMENT ON COLUMN im_internal.im_price_book.cards IS 'The versions.';

CREATE TYPE im_internal.im_order_entry AS (
	order_id bigint,
	at timestamptz,
	action text,
	item text,
	option text,
	months integer,
	quantity integer,
	refunds bigint,
	paid numeric
);
COMMENT ON TYPE im_internal.im_order_entry IS
'One order of an app as rating takes it: the columns of im_order without the app.';

COMMENT ON COLUMN im_internal.im_order_entry.order_id IS 'The callers number of the order.';
COMMENT ON COLUMN im_internal.im_order_entry.at IS 'When it was placed.';
COMMENT ON COLUMN im_internal.im_order_entry.action IS 'buy, upgrade, refund, on, off, void, credit or charge.';
COMMENT ON COLUMN im_internal.im_order_entry.item IS 'What it is about.';
COMMENT ON COLUMN im_internal.im_order_entry.option IS 'Plan, option or pack.';
COMMENT ON COLUMN im_internal.im_order_entry.months IS 'Months bought.';
COMMENT ON COLUMN im_internal.im_order_entry.quantity IS 'Packs bought.';
COMMENT ON COLUMN im_internal.im_order_entry.refunds IS 'The order that it refunds or voids.';
COMMENT ON COLUMN im_internal.im_order_entry.paid IS 'The agreed amount, null for the cards.';

CREATE TYPE im_internal.im_app_account AS (
	app_id bigint,
	card_name text,
	orders im_internal.im_order_entry[],
	suspensions daterange[],
	preview boolean
);
COMMENT ON TYPE im_internal.im_app_account IS
'The account of an app as rating takes it: what the state of the app on any day follows from.';
COMMENT ON COLUMN im_internal.im_app_account.app_id IS 'The app (SDKAppID).';
COMMENT ON COLUMN im_internal.im_app_account.card_name IS 'The rate card that bills it; null for no such app.';
COMMENT ON COLUMN im_internal.im_app_account.orders IS 'Its orders, by time, then order_id.';
COMMENT ON COLUMN im_internal.im_app_account.suspensions IS 'The days on which it is suspended.';
COMMENT ON COLUMN im_internal.im_app_account.preview IS 'Whether the price book is one card that stands for every version.';

CREATE FUNCTION im_internal.im_rate_lines(account im_internal.im_app_account, usage im_internal.im_usage, book im_internal.im_price_book, month @extschema@.im_month, reasons boolean)
	RETURNS SETOF @extschema@.im_bill_line
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE ROWS 10 PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_rate_lines(im_internal.im_app_account, im_internal.im_usage, im_internal.im_price_book, @extschema@.im_month, boolean) IS
'The bill of one app and month as a pure function of rate card versions, orders and usage; with reasons each line has its reason as text instead of a sentence, see im_line_reason(). The arguments are values made by im_gather(); no table is read. Errors: 23514 for an order that the rules forbid, P0002 where no version covers a day, 22003 for figures past exact arithmetic.';

CREATE FUNCTION im_internal.im_rate_total(account im_internal.im_app_account, usage im_internal.im_usage, book im_internal.im_price_book, month @extschema@.im_month)
	RETURNS numeric
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_rate_total(im_internal.im_app_account, im_internal.im_usage, im_internal.im_price_book, @extschema@.im_month) IS
'The total of the same bill, rounded once half away from zero to the places of the currency (R9); null for a bill without lines. The arguments are values made by im_gather(); no table is read.';

CREATE FUNCTION im_internal.im_rate_problem(account im_internal.im_app_account, usage im_internal.im_usage, book im_internal.im_price_book, month @extschema@.im_month)
	RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_rate_problem(im_internal.im_app_account, im_internal.im_usage, im_internal.im_price_book, @extschema@.im_month) IS
'Why the bill of one app and month cannot be computed, as text; null if it can. The arguments are values made by im_gather(); no table is read.';

CREATE FUNCTION im_internal.im_rate_statement(account im_internal.im_app_account, usage im_internal.im_usage, book im_internal.im_price_book, month @extschema@.im_month)
	RETURNS TABLE (day date, service text, text_checks bigint, image_checks bigint, audio_half_minutes bigint, video_half_minutes bigint, deductions numeric, from_packs numeric, packs jsonb, postpaid numeric, amount numeric)
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE ROWS 31 PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_rate_statement(im_internal.im_app_account, im_internal.im_usage, im_internal.im_price_book, @extschema@.im_month) IS
'Cloud moderation of one app and month day by day (R6). The arguments are values made by im_gather(); no table is read.';

CREATE TYPE @extschema@.im_daily_charge AS (
	app_id bigint,
	day date,
	item text,
	option text,
	quantity numeric,
	from_packs numeric,
	postpaid numeric,
	amount numeric,
	currency text,
	due_on date
);
COMMENT ON TYPE @extschema@.im_daily_charge IS
'What an app used on a day of what is settled by the day (R13). amount is in the currency named and not rounded.';
COMMENT ON COLUMN @extschema@.im_daily_charge.app_id IS 'The app (SDKAppID) that pays.';
COMMENT ON COLUMN @extschema@.im_daily_charge.day IS 'Day of use in the time zone of the card.';
COMMENT ON COLUMN @extschema@.im_daily_charge.item IS 'call_minutes or moderation.';
COMMENT ON COLUMN @extschema@.im_daily_charge.option IS 'Class of the call minutes; empty of moderation.';
COMMENT ON COLUMN @extschema@.im_daily_charge.quantity IS 'Minutes or deductions.';
COMMENT ON COLUMN @extschema@.im_daily_charge.from_packs IS 'What packs covered.';
COMMENT ON COLUMN @extschema@.im_daily_charge.postpaid IS 'The rest.';
COMMENT ON COLUMN @extschema@.im_daily_charge.amount IS 'postpaid times its price.';
COMMENT ON COLUMN @extschema@.im_daily_charge.currency IS 'ISO 4217 code of the rate card.';
COMMENT ON COLUMN @extschema@.im_daily_charge.due_on IS 'The day after.';

CREATE FUNCTION im_internal.im_rate_charges(account im_internal.im_app_account, usage im_internal.im_usage, book im_internal.im_price_book, month @extschema@.im_month)
	RETURNS SETOF @extschema@.im_daily_charge
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE ROWS 60 PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_rate_charges(im_internal.im_app_account, im_internal.im_usage, im_internal.im_price_book, @extschema@.im_month) IS
'Call minutes and deductions of one app and month by the day of use (R13). The arguments are values made by im_gather(); no table is read.';

CREATE FUNCTION im_internal.im_rate_unbilled(account im_internal.im_app_account, usage im_internal.im_usage, book im_internal.im_price_book, month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, day date, kind text, quantity numeric, reason text)
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE ROWS 10 PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_rate_unbilled(im_internal.im_app_account, im_internal.im_usage, im_internal.im_price_book, @extschema@.im_month) IS
'Usage of one app and month that nobody pays (R7). With card_name null every figure has the reason no such app. The arguments are values made by im_gather(); no table is read.';

CREATE FUNCTION im_internal.im_usage_since(account im_internal.im_app_account, book im_internal.im_price_book, month @extschema@.im_month)
	RETURNS date
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_usage_since(im_internal.im_app_account, im_internal.im_price_book, @extschema@.im_month) IS
'The first day whose usage bears on the bill of a month: the first of the month, or earlier where packs were already in use. The arguments are values made by im_gather(); no table is read.';

CREATE FUNCTION im_internal.im_rate_state(account im_internal.im_app_account, book im_internal.im_price_book, at timestamptz)
	RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_rate_state(im_internal.im_app_account, im_internal.im_price_book, timestamptz) IS
'The state of an app on the day of an instant (R2, R7). The arguments are values made by im_gather(); no table is read.';

CREATE FUNCTION im_internal.im_verify_orders(account im_internal.im_app_account, book im_internal.im_price_book, since timestamptz)
	RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_verify_orders(im_internal.im_app_account, im_internal.im_price_book, timestamptz) IS
'Replays the orders of one app: true, or error 23514 with the rule that an order breaks. Voids before an instant are not asked again where nothing of that instant or later stands before them: -infinity asks all. The arguments are values made by im_gather(); no table is read.';

CREATE FUNCTION im_internal.im_idle_pack(account im_internal.im_app_account, book im_internal.im_price_book, month @extschema@.im_month)
	RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_idle_pack(im_internal.im_app_account, im_internal.im_price_book, @extschema@.im_month) IS
'On which days of a month packs of one app are in force while cloud moderation is switched off, in words; null if on none. The arguments are values made by im_gather(); no table is read.';

CREATE FUNCTION im_internal.im_order_problem(account im_internal.im_app_account, book im_internal.im_price_book)
	RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_order_problem(im_internal.im_app_account, im_internal.im_price_book) IS
'The first rule that an order of one app breaks, as text; null if there is none. The arguments are values made by im_gather(); no table is read.';

CREATE FUNCTION im_internal.im_rate_usage(account im_internal.im_app_account, usage im_internal.im_usage, book im_internal.im_price_book, month @extschema@.im_month)
	RETURNS TABLE (day date, status text, plan text, given boolean, dau bigint, peak_groups bigint, text_checks bigint, image_checks bigint, audio_half_minutes bigint, video_half_minutes bigint, audio_minutes bigint, sd_minutes bigint, hd_minutes bigint, fhd_minutes bigint)
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE ROWS 31 PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_rate_usage(im_internal.im_app_account, im_internal.im_usage, im_internal.im_price_book, @extschema@.im_month) IS
'The usage of one app and month day by day. The arguments are values made by im_gather(); no table is read.';

CREATE FUNCTION im_internal.im_rate_terms(account im_internal.im_app_account, book im_internal.im_price_book)
	RETURNS TABLE (order_id bigint, day date, starts_on date, ends_on date, bought_through date, amount numeric, currency text, refunded_on date)
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE ROWS 10 PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_rate_terms(im_internal.im_app_account, im_internal.im_price_book) IS
'What became of the orders of one app; nothing where they break the rules. The arguments are values made by im_app_orders(); no table is read.';
