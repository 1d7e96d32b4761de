-- What the tables consist of, told as data: im_create_tables() adds whatever is
-- missing.  It changes no row.

CREATE FUNCTION im_internal.im_table_definitions()
	RETURNS TABLE (table_name text, description text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT * FROM (VALUES
			('im_rate_card_version', 'Versions of price lists; edit them by adding a version.'),
			('im_account', 'Customers: an account owns apps, pays for them, and is stopped where it stays behind.'),
			('im_app', 'Apps (SDKAppID); each is billed on its own.'),
			('im_order', 'Append-only log of purchases, upgrades, refunds and switches; the rules are checked per app at the end of the transaction.'),
			('im_suspension', 'Days on which an app is out of service.'),
			('im_login', 'Raw logins; a user counts once a day.'),
			('im_group', 'Groups from creation until disbanded.'),
			('im_moderation_check', 'Raw checks of cloud moderation.'),
			('im_call', 'Raw audio and video calls.'),
			('im_event', 'Raw events of meters by name, whatever the price list meters.'),
			('im_load', 'Batches that were loaded: a row inserted in the transaction of a load makes the same batch fail the second time.'),
			('im_usage_daily', 'Daily figures of an app; a figure that a user gives is the truth for its day, one that is null is metered.'),
			('im_meter_daily', 'Daily figures of meters by name; a figure that a user gives is the truth for its day, as in im_usage_daily.'),
			-- metering
			('im_metered_day', 'Days that im_meter() has metered for all apps.'),
			('im_metered_beside', 'What im_meter() metered of days of which a user gave figures in im_usage_daily; those that he left open count.'),
			('im_meter_beside', 'What im_meter() metered of days and meters of which a user has a row in im_meter_daily; where he leaves it open it counts.'),
			('im_usage_mark', 'What changed since it was metered; written by triggers.'),
			('im_metered_partition', 'The tables and partitions that im_meter() has read.'),
			-- the ledger
			('im_invoice', 'Documents as issued: invoices and their notes. Append-only; each digest covers the document, its lines and the app''s document before it.'),
			('im_invoice_line', 'The lines of those documents as issued. Append-only.'),
			('im_payment', 'What accounts paid, and (negative) what was given back to them. Append-only.'),
			('im_series', 'Names of the series that numbers of documents belong to: the latest that has begun is in use.'),
			('im_closing', 'Which apps of a month are closed and how many invoices they got, a row a batch. Append-only.'),
			('im_outbox', 'What others want to know of: documents issued, apps suspended and resumed, a row an event, written in the very transaction. Delete rows once they are sent.'),
			-- roles
			('im_role_grant', 'Has no rows: im_grant() makes a role of a kind by REFERENCES on the column of that name.')
	) AS t(table_name, description)
$$;
COMMENT ON FUNCTION im_internal.im_table_definitions() IS
'The tables that im_create_tables() makes.';

CREATE FUNCTION im_internal.im_column_definitions()
	RETURNS TABLE (table_name text, column_name text, definition text, description text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT * FROM (VALUES
			('im_rate_card_version', 'rate_card', 'text NOT NULL', 'Name of the price list.'),
			('im_rate_card_version', 'effective_from', 'date NOT NULL', 'First day on which this version is in force.'),
			('im_rate_card_version', 'terms', 'jsonb NOT NULL', 'The price list, checked as im_rate_card; see doc/reference.md for its keys.'),
			('im_account', 'account_id', 'bigint NOT NULL', 'The number of the customer.'),
			('im_account', 'name', 'text NOT NULL DEFAULT ''''', 'A name for people.'),
			('im_account', 'tenant', 'name', 'Null, or the role of the customer, who may ask about the account and all its apps once im_grant() made it a tenant.'),
			('im_account', 'time_zone', 'text NOT NULL DEFAULT ''Asia/Shanghai''', 'The time zone of the account: in it days end, due days begin and arrears are counted.'),
			('im_account', 'opened_on', 'date NOT NULL DEFAULT current_date', 'First day that counts: what fell due before is not owed.'),
			('im_app', 'app_id', 'bigint NOT NULL', 'The SDKAppID.'),
			('im_app', 'name', 'text NOT NULL', 'A name for people.'),
			('im_app', 'rate_card', 'text NOT NULL DEFAULT ''cn''', 'The price list that bills the app.'),
			('im_app', 'opened_at', 'timestamptz NOT NULL DEFAULT now()', 'When the app was opened; bills do not depend on it.'),
			('im_app', 'tenant', 'name', 'Null, or the role of the customer, who may ask about the app once im_grant() made it a tenant.'),
			('im_app', 'account_id', 'bigint', 'The account that pays; null: none, and nobody stops the app for arrears.'),
			('im_order', 'app_id', 'bigint NOT NULL', 'The app that orders.'),
			('im_order', 'order_id', 'bigint NOT NULL', 'The number that the caller gave it, unique within the app.'),
			('im_order', 'at', 'timestamptz NOT NULL', 'When it was placed.'),
			('im_order', 'action', 'text NOT NULL', 'buy, upgrade, refund, on, off, void, credit or charge.'),
			('im_order', 'item', 'text NOT NULL', 'plan, an add-on, local_moderation, moderation_pack, pack, moderation; manual of credits and charges; of a refund or void that of the other order, or empty.'),
			('im_order', 'option', 'text NOT NULL DEFAULT ''''', 'Plan name, add-on option or pack name; of credits and charges the reason.'),
			('im_order', 'months', 'integer', 'Months bought; null for packs and for what is no purchase.'),
			('im_order', 'quantity', 'integer NOT NULL DEFAULT 1', 'Packs bought; 1 for everything else.'),
			('im_order', 'refunds', 'bigint', 'order_id that a refund takes back or a void undoes.'),
			('im_order', 'paid', 'numeric', 'Agreed amount instead of the price of the card, in its currency; the amount of a credit or charge.'),
			('im_suspension', 'app_id', 'bigint NOT NULL', 'The app.'),
			('im_suspension', 'days', 'daterange NOT NULL', 'Suspended days; no upper bound while it lasts.'),
			('im_suspension', 'reason', 'text NOT NULL', 'arrears, refund or violation.'),
			('im_login', 'app_id', 'bigint NOT NULL', 'The app.'),
			('im_login', 'user_id', 'text NOT NULL', 'The id by which the customer knows the user, compared byte by byte.'),
			('im_login', 'at', 'timestamptz NOT NULL', 'When.'),
			('im_group', 'app_id', 'bigint NOT NULL', 'The app.'),
			('im_group', 'group_id', 'text NOT NULL', 'The id by which the customer knows the group.'),
			('im_group', 'created_at', 'timestamptz NOT NULL', 'The group exists from this instant, included.'),
			('im_group', 'disbanded_at', 'timestamptz', 'It exists until this instant, excluded; null while it exists.'),
			('im_moderation_check', 'app_id', 'bigint NOT NULL', 'The app.'),
			('im_moderation_check', 'at', 'timestamptz NOT NULL', 'When; audio and video are summed per clock hour.'),
			('im_moderation_check', 'kind', 'text NOT NULL', 'text, image, audio or video.'),
			('im_moderation_check', 'seconds', 'integer', 'Length of audio and video, in seconds.'),
			('im_moderation_check', 'scene', 'text', 'Where: single chat, group chat, profile.'),
			('im_call', 'app_id', 'bigint NOT NULL', 'The app.'),
			('im_call', 'at', 'timestamptz NOT NULL', 'When.'),
			('im_call', 'class', 'text NOT NULL', 'audio, sd, hd or fhd.'),
			('im_call', 'seconds', 'integer NOT NULL', 'Length in seconds.'),
			('im_call', 'user_id', 'text', 'Who called.'),
			('im_event', 'app_id', 'bigint NOT NULL', 'The app.'),
			('im_event', 'meter', 'text NOT NULL', 'The name of the meter; one that the app''s price list lacks is not billed.'),
			('im_event', 'at', 'timestamptz NOT NULL', 'When.'),
			('im_event', 'quantity', 'numeric NOT NULL DEFAULT 1', 'How much, at least 0, with at most 8 decimal places; where the meter counts subjects it does not matter.'),
			('im_event', 'subject', 'text', 'Who or what it was of, compared byte by byte; needed where the meter counts distinct ones.'),
			('im_load', 'source', 'text NOT NULL', 'Where the batch came from.'),
			('im_load', 'batch', 'text NOT NULL', 'Its name there.'),
			('im_load', 'at', 'timestamptz NOT NULL DEFAULT now()', 'When it was loaded.'),
			('im_usage_daily', 'app_id', 'bigint NOT NULL', 'The app.'),
			('im_usage_daily', 'day', 'date NOT NULL', 'Day in the time zone of the app''s rate card.'),
			('im_usage_daily', 'dau', 'bigint', 'Distinct users that logged in.'),
			('im_usage_daily', 'users', '@extschema@.im_userset', 'Those users; needed where the card prices users of the month.'),
			('im_usage_daily', 'peak_groups', 'bigint', 'Most groups existing at one moment.'),
			('im_usage_daily', 'text_checks', 'bigint', 'Texts checked.'),
			('im_usage_daily', 'image_checks', 'bigint', 'Images checked.'),
			('im_usage_daily', 'audio_half_minutes', 'bigint', 'Half minutes of audio checked, each clock hour rounded down.'),
			('im_usage_daily', 'video_half_minutes', 'bigint', 'Half minutes of video checked, each clock hour rounded down.'),
			('im_usage_daily', 'audio_minutes', 'bigint', 'Minutes of audio calls, started ones counted.'),
			('im_usage_daily', 'sd_minutes', 'bigint', 'Minutes of sd video calls.'),
			('im_usage_daily', 'hd_minutes', 'bigint', 'Minutes of hd video calls.'),
			('im_usage_daily', 'fhd_minutes', 'bigint', 'Minutes of fhd video calls.'),
			('im_usage_daily', 'metered_at', 'timestamptz', 'When the extension metered the row; null for rows of users.'),
			('im_usage_daily', 'whole', 'boolean DEFAULT false', 'Of a row of users: whether null figures are 0 and not metered, as in rows from before version 0.3.0 and those of im_keep_metered().'),
			('im_meter_daily', 'app_id', 'bigint NOT NULL', 'The app.'),
			('im_meter_daily', 'day', 'date NOT NULL', 'Day in the time zone of the app''s rate card.'),
			('im_meter_daily', 'meter', 'text NOT NULL', 'The name of the meter.'),
			('im_meter_daily', 'quantity', 'numeric', 'The figure of the day; null: the number of users where they are given, else it is metered. In a metered row what the events of that day alone say: of an average what stands after them.'),
			('im_meter_daily', 'users', '@extschema@.im_userset', 'The distinct subjects; needed where the month counts them.'),
			('im_meter_daily', 'metered_at', 'timestamptz', 'When the extension metered the row; null for rows of users.'),
			('im_meter_daily', 'area', 'numeric', 'Of a metered average: each quantity times the microseconds for which it stands, from the first event of the day on. Left to the extension, as what follows.'),
			('im_meter_daily', 'before', 'bigint', 'Of a metered average: microseconds of the day before its first event.'),
			('im_meter_daily', 'length', 'bigint', 'Of a metered average: microseconds of the day.'),
			-- metering
			('im_metered_day', 'day', 'date NOT NULL', 'Day in the time zone of each app.'),
			('im_metered_day', 'metered_at', 'timestamptz', 'When it was metered; null: that counts no more.'),
			('im_metered_beside', 'app_id', 'bigint NOT NULL', 'The app.'),
			('im_metered_beside', 'day', 'date NOT NULL', 'Day in the time zone of the app''s rate card.'),
			('im_metered_beside', 'dau', 'bigint', 'As in im_usage_daily, as all that follows.'),
			('im_metered_beside', 'users', '@extschema@.im_userset', 'Where the card prices users of the month.'),
			('im_metered_beside', 'peak_groups', 'bigint', 'Most groups existing at one moment.'),
			('im_metered_beside', 'text_checks', 'bigint', 'Texts checked.'),
			('im_metered_beside', 'image_checks', 'bigint', 'Images checked.'),
			('im_metered_beside', 'audio_half_minutes', 'bigint', 'Half minutes of audio checked.'),
			('im_metered_beside', 'video_half_minutes', 'bigint', 'Half minutes of video checked.'),
			('im_metered_beside', 'audio_minutes', 'bigint', 'Minutes of audio calls.'),
			('im_metered_beside', 'sd_minutes', 'bigint', 'Minutes of sd video calls.'),
			('im_metered_beside', 'hd_minutes', 'bigint', 'Minutes of hd video calls.'),
			('im_metered_beside', 'fhd_minutes', 'bigint', 'Minutes of fhd video calls.'),
			('im_meter_beside', 'app_id', 'bigint NOT NULL', 'The app.'),
			('im_meter_beside', 'day', 'date NOT NULL', 'Day in the time zone of the app''s rate card.'),
			('im_meter_beside', 'meter', 'text NOT NULL', 'The name of the meter.'),
			('im_meter_beside', 'quantity', 'numeric NOT NULL', 'As in a metered row of im_meter_daily, as all that follows.'),
			('im_meter_beside', 'users', '@extschema@.im_userset', 'Where the month counts distinct subjects.'),
			('im_meter_beside', 'area', 'numeric', 'Of an average.'),
			('im_meter_beside', 'before', 'bigint', 'Of an average.'),
			('im_meter_beside', 'length', 'bigint', 'Of an average.'),
			('im_usage_mark', 'app_id', 'bigint', 'The app; null: all apps.'),
			('im_usage_mark', 'since', 'timestamptz NOT NULL', 'First instant of what changed.'),
			('im_usage_mark', 'until', 'timestamptz NOT NULL', 'Last instant of what changed.'),
			('im_metered_partition', 'table_name', 'text NOT NULL', 'The table that it is or belongs to.'),
			('im_metered_partition', 'partition', 'oid NOT NULL', 'The table or partition.'),
			('im_metered_partition', 'filenode', 'oid NOT NULL', 'Its filenode, which TRUNCATE replaces; 0 for those without files.'),
			('im_metered_partition', 'since', 'timestamptz NOT NULL', 'First instant that its rows can count on.'),
			('im_metered_partition', 'until', 'timestamptz NOT NULL', 'Instant until which they can, exclusive.'),
			('im_metered_partition', 'first_event', 'timestamptz', 'First event found in it when im_meter() looked for days to meter; null: it did not look.'),
			('im_metered_partition', 'last_event', 'timestamptz', 'Last event found then.'),
			('im_metered_partition', 'watch', 'bigint', 'A number that its columns and the triggers that mark its changes had then, and only they; null where changes cannot be known: such days are always read.'),
			-- the ledger
			('im_invoice', 'app_id', 'bigint NOT NULL', 'The app that pays.'),
			('im_invoice', 'month', 'date NOT NULL', 'First day of the usage month.'),
			('im_invoice', 'revision', 'integer NOT NULL', '0 for the invoice, 1, 2, ... for its notes.'),
			('im_invoice', 'kind', 'text NOT NULL', 'invoice, credit_note (negative total) or debit_note.'),
			('im_invoice', 'currency', 'text NOT NULL', 'ISO 4217 code of total.'),
			('im_invoice', 'total', 'numeric NOT NULL', 'What the document comes to, in the places of the currency; all documents of a month together are the rounded total of its bill (R9).'),
			('im_invoice', 'issued_at', 'timestamptz NOT NULL', 'When; later than any document of the app before it.'),
			('im_invoice', 'rate_card', 'text NOT NULL', 'The price list of the app when it was issued.'),
			('im_invoice', 'card_from', 'date NOT NULL', 'First day of the version of it that rates usage of the month.'),
			('im_invoice', 'digest', 'bytea NOT NULL', 'SHA-256 over the document, its lines and the digest of the app''s document before it.'),
			('im_invoice', 'app_name', 'text', 'im_app.name when it was issued; null in documents of before version 0.3.0.'),
			('im_invoice', 'digest_version', 'integer NOT NULL DEFAULT 1', 'What the digest covers: 1 the columns through card_from, 2 app_name as well, 3 number and account, too.'),
			('im_invoice', 'batch', 'uuid', 'The batch that issued it, as in im_closing; null in documents of before version 0.3.0.'),
			('im_invoice', 'number', 'text', 'The number on the document: name of the series, currency, year of issue and place; without gaps within these, in the order of issue. Null in documents of before version 0.3.0, as the account.'),
			('im_invoice', 'account_id', 'bigint', 'The account of the app when it was issued; null where it had none.'),
			('im_invoice', 'account_name', 'text', 'The name of that account then.'),
			('im_invoice_line', 'revision', 'integer NOT NULL', 'The document that the line is of.'),
			('im_invoice_line', 'app_id', 'bigint NOT NULL', 'The app that pays.'),
			('im_invoice_line', 'month', 'date NOT NULL', 'First day of the usage month.'),
			('im_invoice_line', 'line', 'integer NOT NULL', 'Number of the line in its document, from 1.'),
			('im_invoice_line', 'item', 'text NOT NULL', 'As in im_bill_line, as all that follows; in a note the difference to what was issued.'),
			('im_invoice_line', 'option', 'text NOT NULL', 'Plan, option, class or pack.'),
			('im_invoice_line', 'period', 'daterange NOT NULL', 'Days that the line pays for.'),
			('im_invoice_line', 'due_on', 'date NOT NULL', 'Day on which the amount falls due.'),
			('im_invoice_line', 'quantity', 'numeric NOT NULL', 'What was used or bought.'),
			('im_invoice_line', 'included', 'numeric NOT NULL', 'What a quota or packs covered.'),
			('im_invoice_line', 'billable', 'numeric NOT NULL', 'The rest.'),
			('im_invoice_line', 'units', 'numeric NOT NULL', 'What is multiplied by unit_price.'),
			('im_invoice_line', 'unit_price', 'numeric NOT NULL', 'Price of a unit.'),
			('im_invoice_line', 'amount', 'numeric NOT NULL', 'Exact, to at most 8 places.'),
			('im_invoice_line', 'currency', 'text NOT NULL', 'ISO 4217 code of amount.'),
			('im_invoice_line', 'explanation', 'text NOT NULL', 'How the amount came about, in English.'),
			('im_invoice_line', 'reason', 'text', 'The same as a code; null on lines of before version 0.3.0.'),
			('im_invoice_line', 'figures', 'jsonb', 'The figures that go with the code, by their names.'),
			('im_payment', 'account_id', 'bigint NOT NULL', 'The account that paid.'),
			('im_payment', 'payment_id', 'bigint NOT NULL', 'The number that the caller gave it, unique within the account.'),
			('im_payment', 'at', 'timestamptz NOT NULL DEFAULT now()', 'From when it counts.'),
			('im_payment', 'amount', 'numeric NOT NULL', 'What was paid; negative where it was given back.'),
			('im_payment', 'currency', 'text NOT NULL', 'ISO 4217 code of amount.'),
			('im_payment', 'note', 'text', 'For people: where it came from.'),
			('im_closing', 'month', 'date NOT NULL', 'First day of the usage month.'),
			('im_closing', 'apps', 'int8multirange NOT NULL', 'The app_ids that are closed by this row, whether there is such an app or not.'),
			('im_closing', 'done', 'bigint NOT NULL', 'Apps of the batch.'),
			('im_closing', 'invoices', 'bigint NOT NULL', 'Invoices that the batch issued; one of im_adjust_month() closes no app, but may issue some.'),
			('im_closing', 'total', 'bigint NOT NULL', 'Apps to go through when this call began.'),
			('im_closing', 'begun_at', 'timestamptz NOT NULL', 'When this call began.'),
			('im_closing', 'closed_at', 'timestamptz NOT NULL', 'When the batch was closed.'),
			('im_closing', 'without_lines', 'int8multirange', 'Those of apps that got no invoice: apps without lines, and ids of no app. All that follows, and this, is null in rows of before version 0.3.0.'),
			('im_closing', 'notes', 'bigint', 'Notes that the batch issued.'),
			('im_closing', 'batch', 'uuid', 'The mark of the documents that the batch issued.'),
			('im_closing', 'documents', 'bytea', 'SHA-256 over their digests; in the first entry of a month over all that the month had before, too.'),
			('im_closing', 'entry', 'bigint', 'Place in the chain of all batches, from 1.'),
			('im_closing', 'digest', 'bytea', 'SHA-256 over the row and the digest of the entry before it.'),
			('im_series', 'series', 'text NOT NULL DEFAULT ''IM'' || upper(left(md5(gen_random_uuid()::text), 6))', 'A name that no other database has: letters, digits, dots and underscores, at most 32.'),
			('im_series', 'since', 'timestamptz NOT NULL DEFAULT now()', 'When it begins.'),
			('im_outbox', 'id', 'uuid NOT NULL DEFAULT gen_random_uuid()', 'The event; no two have the same, in other databases neither.'),
			('im_outbox', 'at', 'timestamptz NOT NULL DEFAULT clock_timestamp()', 'When: of a document its issued_at.'),
			('im_outbox', 'kind', 'text NOT NULL', 'document_issued, note_issued, app_suspended or app_resumed.'),
			('im_outbox', 'app_id', 'bigint NOT NULL', 'The app.'),
			('im_outbox', 'account_id', 'bigint', 'Its account; null where it has none.'),
			('im_outbox', 'month', 'date', 'First day of the usage month of a document.'),
			('im_outbox', 'revision', 'integer', 'The document of the month: 0 the invoice, 1, 2, ... its notes.'),
			('im_outbox', 'body', 'jsonb NOT NULL', 'Of a document its number, kind, currency, total (as text), names and digest; of a suspension its days and reason.'),
			-- roles
			('im_role_grant', 'reader', 'boolean', 'REFERENCES on it: reads the bills and invoices of all apps.'),
			('im_role_grant', 'tenant', 'boolean', 'REFERENCES on it: reads those of the apps whose im_app.tenant it is.'),
			('im_role_grant', 'loader', 'boolean', 'REFERENCES on it: loads usage and orders.'),
			('im_role_grant', 'closer', 'boolean', 'REFERENCES on it: closes and adjusts months.'),
			('im_role_grant', 'cashier', 'boolean', 'REFERENCES on it: records payments, asks balances and suspends for arrears.')
	) AS t(table_name, column_name, definition, description)
$$;
COMMENT ON FUNCTION im_internal.im_column_definitions() IS
'The columns of those tables.';

CREATE FUNCTION im_internal.im_constraint_definitions()
	RETURNS TABLE (table_name text, constraint_name text, definition text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT * FROM (VALUES
			('im_rate_card_version', 'im_rate_card_version_pkey', 'PRIMARY KEY (rate_card, effective_from)'),
			('im_rate_card_version', 'im_rate_card_version_terms_check', 'CHECK (terms::@extschema@.im_rate_card IS NOT NULL)'),
			('im_rate_card_version', 'im_rate_card_version_effective_from_check', 'CHECK (effective_from BETWEEN ''0001-01-01'' AND ''9999-12-31'')'),
			('im_account', 'im_account_pkey', 'PRIMARY KEY (account_id)'),
			('im_account', 'im_account_time_zone_check', 'CHECK (@extschema@.im_day(''2000-01-01 00:00+00''::timestamptz, time_zone) IS NOT NULL)'),
			('im_account', 'im_account_opened_on_check', 'CHECK (opened_on BETWEEN ''0001-01-01'' AND ''9999-12-31'')'),
			('im_app', 'im_app_pkey', 'PRIMARY KEY (app_id)'),
			('im_app', 'im_app_account_id_fkey', 'FOREIGN KEY (account_id) REFERENCES @extschema@.im_account DEFERRABLE INITIALLY DEFERRED'),
			('im_order', 'im_order_pkey', 'PRIMARY KEY (app_id, order_id)'),
			('im_order', 'im_order_app_id_fkey', 'FOREIGN KEY (app_id) REFERENCES @extschema@.im_app DEFERRABLE INITIALLY DEFERRED'),
			('im_order', 'im_order_texts_check', 'CHECK (octet_length(action) <= 63 AND octet_length(item) <= 63 AND octet_length(option) <= CASE WHEN action IN (''credit'', ''charge'', ''void'') THEN 255 ELSE 63 END)'),
			('im_suspension', 'im_suspension_app_id_fkey', 'FOREIGN KEY (app_id) REFERENCES @extschema@.im_app DEFERRABLE INITIALLY DEFERRED'),
			('im_suspension', 'im_suspension_days_check', 'CHECK (NOT isempty(days))'),
			('im_suspension', 'im_suspension_reason_check', 'CHECK (reason IN (''arrears'', ''refund'', ''violation''))'),
			('im_load', 'im_load_pkey', 'PRIMARY KEY (source, batch)'),
			('im_usage_daily', 'im_usage_daily_pkey', 'PRIMARY KEY (app_id, day)'),
			('im_meter_daily', 'im_meter_daily_pkey', 'PRIMARY KEY (app_id, day, meter)'),
			('im_meter_daily', 'im_meter_daily_meter_check', 'CHECK (meter <> '''' AND meter NOT IN (''dau'', ''mau'', ''groups''))'),
			('im_meter_daily', 'im_meter_daily_average_check', 'CHECK (num_nulls(area, before, length) = 3 OR num_nulls(quantity, area, before, length) = 0 AND area >= 0 AND before >= 0 AND length > before)'),
			-- metering
			('im_metered_day', 'im_metered_day_pkey', 'PRIMARY KEY (day)'),
			('im_metered_beside', 'im_metered_beside_pkey', 'PRIMARY KEY (app_id, day)'),
			('im_meter_beside', 'im_meter_beside_pkey', 'PRIMARY KEY (app_id, day, meter)'),
			('im_metered_partition', 'im_metered_partition_pkey', 'PRIMARY KEY (partition)'),
			-- the ledger
			('im_invoice', 'im_invoice_pkey', 'PRIMARY KEY (app_id, month, revision)'),
			('im_invoice', 'im_invoice_app_id_fkey', 'FOREIGN KEY (app_id) REFERENCES @extschema@.im_app DEFERRABLE INITIALLY DEFERRED'),
			('im_invoice', 'im_invoice_kind_check', 'CHECK (CASE kind WHEN ''invoice'' THEN revision = 0 WHEN ''credit_note'' THEN revision > 0 AND total < 0 WHEN ''debit_note'' THEN revision > 0 AND total >= 0 ELSE false END)'),
			('im_invoice', 'im_invoice_month_check', 'CHECK (isfinite(month) AND extract(day FROM month) = 1)'),
			('im_invoice_line', 'im_invoice_line_pkey', 'PRIMARY KEY (app_id, month, revision, line)'),
			('im_payment', 'im_payment_pkey', 'PRIMARY KEY (account_id, payment_id)'),
			('im_payment', 'im_payment_account_id_fkey', 'FOREIGN KEY (account_id) REFERENCES @extschema@.im_account DEFERRABLE INITIALLY DEFERRED'),
			('im_payment', 'im_payment_at_check', 'CHECK (at >= ''0001-01-02 00:00+00'' AND at < ''9999-12-31 00:00+00'')'),
			-- the places that a rate card may give a currency
			('im_payment', 'im_payment_amount_check', 'CHECK (amount <> 0 AND abs(amount) < 1e15 AND amount = round(amount, 8))'),
			('im_payment', 'im_payment_currency_check', 'CHECK (currency COLLATE "C" ~ ''^[A-Z]{3}$'')'),
			('im_closing', 'im_closing_pkey', 'PRIMARY KEY (begun_at, closed_at, month)'),
			('im_closing', 'im_closing_entry_key', 'UNIQUE (entry)'),
			('im_series', 'im_series_pkey', 'PRIMARY KEY (since)'),
			('im_series', 'im_series_series_check', 'CHECK (series ~ ''^[A-Za-z0-9._]{1,32}$'')'),
			('im_outbox', 'im_outbox_pkey', 'PRIMARY KEY (app_id, id)'),
			('im_role_grant', 'im_role_grant_empty_check', 'CHECK (false)')
	) AS t(table_name, constraint_name, definition)
$$;
COMMENT ON FUNCTION im_internal.im_constraint_definitions() IS
'The keys and checks of those tables.';

CREATE FUNCTION im_internal.im_index_definitions()
	RETURNS TABLE (table_name text, index_name text, definition text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT * FROM (VALUES
			('im_suspension', 'im_suspension_app_id_idx', '(app_id)'),
			('im_account', 'im_account_tenant_idx', '(tenant)'),
			('im_app', 'im_app_tenant_app_id_idx', '(tenant, app_id)'),
			('im_app', 'im_app_account_id_app_id_idx', '(account_id, app_id)'),
			('im_login', 'im_login_app_id_at_idx', '(app_id, at)'),
			('im_group', 'im_group_app_id_created_at_idx', '(app_id, created_at)'),
			('im_moderation_check', 'im_moderation_check_app_id_at_idx', '(app_id, at)'),
			('im_call', 'im_call_app_id_at_idx', '(app_id, at)'),
			-- what stands when a month begins was set by the last event before
			('im_event', 'im_event_app_id_meter_at_idx', '(app_id, meter, at)'),
			-- metering: a day of all apps is a slice of a table whose rows come in by time
			('im_login', 'im_login_at_idx', 'USING brin (at)'),
			('im_moderation_check', 'im_moderation_check_at_idx', 'USING brin (at)'),
			('im_call', 'im_call_at_idx', 'USING brin (at)'),
			('im_event', 'im_event_at_idx', 'USING brin (at)'),
			('im_usage_daily', 'im_usage_daily_day_idx', 'USING brin (day)'),
			('im_metered_beside', 'im_metered_beside_day_idx', 'USING brin (day)'),
			('im_meter_daily', 'im_meter_daily_day_idx', 'USING brin (day)'),
			('im_meter_beside', 'im_meter_beside_day_idx', 'USING brin (day)'),
			('im_usage_mark', 'im_usage_mark_app_id_idx', '(app_id)'),
			-- the ledger: its rows come in month by month
			('im_invoice', 'im_invoice_month_idx', 'USING brin (month)'),
			-- not unique: every key of apps' data begins with app_id, and the lock of the ledger gives no number twice
			('im_invoice', 'im_invoice_number_idx', '(number text_pattern_ops)'),
			('im_invoice', 'im_invoice_account_id_idx', '(account_id) WHERE account_id IS NOT NULL'),
			('im_outbox', 'im_outbox_at_idx', '(at)'),
			('im_invoice_line', 'im_invoice_line_month_idx', 'USING brin (month)'),
			-- the row that closes all ids, which whoever asks is to find first, has no apps
			('im_closing', 'im_closing_month_done_idx', '(month, done)')
	) AS t(table_name, index_name, definition)
$$;
COMMENT ON FUNCTION im_internal.im_index_definitions() IS
'The indexes of those tables beside their keys: one app''s bill touches that app''s rows alone.';

CREATE FUNCTION im_internal.im_keyless_tables() RETURNS SETOF regclass
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT c.oid::regclass
	FROM im_internal.im_table_definitions() d,
		to_regclass(format('%s.%I', '@extschema@', d.table_name)) r
	JOIN pg_class c ON c.oid = r OR c.oid IN (SELECT p.relid FROM pg_partition_tree(r) p)
	WHERE c.relreplident = 'd' AND c.relkind IN ('r', 'p')
		AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p')
$$;
COMMENT ON FUNCTION im_internal.im_keyless_tables() IS
'Tables and partitions without a key, whose rows can be replicated only by all their columns, and that are not set to it.';
