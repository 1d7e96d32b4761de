#!/usr/bin/perl
#
# 167_older_books.pl
#	  Books of version 0.2.0, one month closed and one half, updated, or dumped and
#	  restored: every document stays as it is and verifies, closing and adjusting go
#	  on, and what im_closing held before enters the chain with its month.  Between
#	  ALTER EXTENSION UPDATE and im_create_tables() whatever needs the tables says so.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Test::More;
use BillingData;

my $tree = $ENV{IMBILLING_TREE} || "$FindBin::Bin/../..";
chomp(my $share = qx(pg_config --sharedir));
my $script = "$share/extension/imbilling--0.2.0.sql";
run_ok([ 'cp', "$tree/sql/upgrade/imbilling--0.2.0.sql", $script ], 'the script of 0.2.0');
END { my $status = $?; unlink $script; $? = $status }

my $s = '"we%ird, books"';
my $old = create_database('older');
psql_ok($old, qq{CREATE SCHEMA $s; CREATE EXTENSION imbilling SCHEMA $s VERSION '0.2.0'; SELECT $s.im_create_tables();} . sample_data($s) . qq{
	INSERT INTO $s.im_order (app_id, order_id, at, action, item, option, months) VALUES (10, 1, '2023-03-01 10:00+08', 'buy', 'plan', 'pro', 1);
	INSERT INTO $s.im_usage_daily (app_id, day, dau) VALUES (10, '2023-03-05', -1);}, 'a database of 0.2.0');
psql_fails($old, "CALL $s.im_close_month('2023-03', 4)", qr/app 10 for 2023-03 cannot be right/, 'March half closed');
psql_ok($old, qq{INSERT INTO $s.im_call (app_id, at, class, seconds) VALUES (5, '2023-03-05 12:00+08', 'fhd', 60000);
	CALL $s.im_adjust_month('2023-03', 3)}, 'with a note');
psql_ok($old, "CALL $s.im_close_month('2023-04', 4)", 'April closed');
psql_ok($old, "SELECT $s.im_meter('2023-03-01', '2023-04-30')", 'metered');

sub documents
{
	my ($db) = @_;

	return psql($db, qq{SELECT app_id, month, revision, kind, currency, total, issued_at, rate_card, card_from, digest FROM $s.im_invoice ORDER BY 1, 2, 3;
		SELECT app_id, month, revision, line, item, amount, explanation FROM $s.im_invoice_line ORDER BY 1, 2, 3, 4;
		SELECT month, apps, done, invoices, total, begun_at, closed_at FROM $s.im_closing ORDER BY closed_at;
		SELECT $s.im_month_root('2023-03'), $s.im_month_root('2023-04');
		SELECT month, state, done, total, invoices FROM $s.im_close_progress ORDER BY 1;
		SELECT app_id, month, currency, total FROM $s.im_invoice ORDER BY 1, 2, 3, 4});
}
my $documents = documents($old);
like($documents, qr/debit_note/, 'there are documents to keep');
my $copy = create_database('older_copy');
is(pipe_dump($old, $copy), '', 'a dump of it goes into the new version');
is(psql($copy, "SELECT extversion = (SELECT default_version FROM pg_available_extensions WHERE name = 'imbilling') FROM pg_extension WHERE extname = 'imbilling'"),
	't', 'which is this one');
psql_ok($old, 'ALTER EXTENSION imbilling UPDATE', 'the other is updated');

# Before im_create_tables(): what reads the tables says what to call, what writes goes on.
sub says
{
	my ($db, $call) = @_;
	my (undef, $said) = psql_both($db, "\\set VERBOSITY verbose\n$call");

	return $said;
}
my @reads = map { "SELECT * FROM $s.$_" } "im_monthly_bill(1, '2023-03')", "im_monthly_bills('2023-03')", "im_monthly_total(1, '2023-03')",
  "im_monthly_totals('2023-03')", "im_preview_bill(1, '2023-03', $s.im_bundled_card('cn', '2024-01-01'))", "im_check('2023-03')",
  "im_unbilled_usage('2023-03')", "im_moderation_statement(1, '2023-03')", "im_rebill(1, '2023-03')", "im_drift('2023-03')",
  'im_verify_invoices()', 'im_ledger_anchor()', "im_verify_anchor('imbilling 1 ' || repeat('0', 64))", "im_month_root('2023-03')", "im_audit(1, '2023-03')", 'im_invoices(1)',
  "im_bill_html(1, '2023-03')", "im_month_html('2023-03')", "im_explain(1, '2023-03', 1)", 'im_running_bill(1)', 'im_forecast(1)', "im_alerts('2023-03')",
  "im_cheapest_plan(1, '2023-03')", "im_revenue('2023-03', '2023-03')", "im_daily_usage('2023-03')", 'im_billed_months()', 'im_meter()', 'im_forget_metering()',
  "im_bi_bill_line WHERE month = '2023-03-01'", "im_bi_bill_total WHERE month = '2023-03-01'";
for my $db ($old, $copy)
{
	for (@reads, "CALL $s.im_close_month('2023-03')", "CALL $s.im_adjust_month('2023-04')")
	{
		my $said = says($db, $_);
		ok($said !~ /ERROR/ || $said =~ /42P01: .*earlier version.*HINT:  Call im_create_tables\(\) first/s, "before im_create_tables(): $_") or diag($said);
	}
	like(says($db, "SELECT * FROM $s.im_monthly_bills('2023-03')"), qr/42P01/, 'bills do');
	like(says($db, "INSERT INTO $s.im_order (app_id, order_id, at, action, item, option, months) VALUES (6, 1, '2023-05-01 10:00+08', 'buy', 'plan', 'pro', 1)"),
		qr/42P01: .*HINT:  Call im_create_tables/s, 'an order is refused, which is checked against a price list');
	psql_ok($db, "INSERT INTO $s.im_login (app_id, user_id, at) VALUES (6, 'u', '2023-05-02 10:00+08')", 'events come in meanwhile');
}
my %what = ($old => 'updated', $copy => 'restored');
for my $db ($old, $copy)
{
	my $what = $what{$db};
	psql_ok($db, "SELECT $s.im_create_tables()", "$what: im_create_tables()");
	same(documents($db), $documents, "$what: the same documents, closings and roots");
	is(psql($db, "SELECT * FROM $s.im_verify_invoices()"), '', "$what: all of them are whole");
	is(psql($db, "SELECT DISTINCT digest_version, app_name IS NULL, batch IS NULL FROM $s.im_invoice"), '1|t|t', "$what: by the digest of before");
	is(psql($db, "SELECT $s.im_ledger_anchor() IS NULL AND bool_and(entry IS NULL) FROM $s.im_closing"), 't', "$what: nothing is in the chain yet");
	like(psql($db, "SELECT problem FROM $s.im_check('2023-03')"), qr/negative/, "$what: the app that was left out is told");

	# A month that enters the chain by a close, one by an adjustment that finds nothing.
	psql_ok($db, "UPDATE $s.im_usage_daily SET dau = 1 WHERE dau = -1; CALL $s.im_close_month('2023-03', 4)", "$what: the close goes on");
	is(psql($db, "SELECT state, done, invoices FROM $s.im_close_progress WHERE month = '2023-03-01'"), 'closed|10|9', "$what: to its end");
	is(psql($db, "SELECT app_id, revision, app_name, digest_version FROM $s.im_invoice WHERE app_name IS NOT NULL"), '10|0|app 10|3', "$what: with the one invoice that was missing");
	psql_ok($db, "CALL $s.im_adjust_month('2023-04', 4)", "$what: April is adjusted");
	is(psql($db, "SELECT count(*) FROM $s.im_invoice WHERE month = '2023-04-01' AND revision > 0"), '0', "$what: without a note");
	is(psql($db, "SELECT entry, month, isempty(apps), notes FROM $s.im_closing WHERE entry IS NOT NULL ORDER BY 1"),
		"1|2023-03-01|f|0\n2|2023-04-01|t|0", "$what: entries of the chain");
	psql_ok($db, qq{INSERT INTO $s.im_call (app_id, at, class, seconds) VALUES (5, '2023-04-05 12:00+08', 'fhd', 60000);
		CALL $s.im_adjust_month('2023-04', 3)}, "$what: late usage");
	is(psql($db, "SELECT string_agg(kind || ' ' || digest_version, ', ' ORDER BY revision) FROM $s.im_invoice WHERE app_id = 5 AND month = '2023-04-01'"),
		'invoice 1, debit_note 3', "$what: a note after an invoice of before");
	is(psql($db, "SELECT * FROM $s.im_verify_invoices()"), '', "$what: all is whole");
	my $anchor = psql($db, "SELECT $s.im_ledger_anchor()");
	is(psql($db, "SELECT * FROM $s.im_verify_anchor('$anchor')"), '', "$what: and anchored");
	like(psql($db, qq{BEGIN; SET session_replication_role = replica; ALTER TABLE $s.im_closing DISABLE TRIGGER USER; ALTER TABLE $s.im_invoice DISABLE TRIGGER USER;
		$_; SELECT problem FROM $s.im_verify_invoices()}), qr/the documents of entry [12] of im_closing are not those/, "$what: what the chain has taken over is guarded: $_")
	  for "UPDATE $s.im_closing SET total = total + 1 WHERE entry IS NULL AND month = '2023-04-01'", "DELETE FROM $s.im_closing WHERE entry IS NULL AND done = 0 AND month = '2023-04-01'",
	  "DELETE FROM $s.im_invoice WHERE app_id = 5 AND month = '2023-03-01' AND revision = 1", "UPDATE $s.im_invoice SET digest_version = 2 WHERE app_id = 1; UPDATE $s.im_invoice SET digest = '\\x00' WHERE app_id = 1";
	is(psql($db, "SELECT * FROM $s.im_drift('2023-03') UNION ALL SELECT * FROM $s.im_drift('2023-04')"), '', "$what: nothing drifts");
	is(psql($db, "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'im_closing_pkey'"), 'PRIMARY KEY (begun_at, closed_at, month)', "$what: the key");
}

# What 0.2.0 closed without an invoice, because the app had failed in an earlier batch, drifts.
psql_ok($copy, qq{SET session_replication_role = replica; ALTER TABLE $s.im_closing DISABLE TRIGGER USER; ALTER TABLE $s.im_invoice DISABLE TRIGGER USER;
	ALTER TABLE $s.im_invoice_line DISABLE TRIGGER USER;
	DELETE FROM $s.im_closing WHERE entry IS NOT NULL; DELETE FROM $s.im_invoice WHERE digest_version > 1; DELETE FROM $s.im_invoice_line l WHERE NOT EXISTS (
		SELECT FROM $s.im_invoice i WHERE (i.app_id, i.month, i.revision) = (l.app_id, l.month, l.revision));
	INSERT INTO $s.im_closing (month, apps, done, invoices, total, begun_at, closed_at) VALUES ('2023-03-01', '{[10,11)}', 0, 0, 10, now(), now());
	SET session_replication_role = origin; SELECT $s.im_create_tables()}, 'an app closed without an invoice by 0.2.0');
is(psql($copy, "SELECT app_id FROM $s.im_drift('2023-03')"), '10', 'drifts');
psql_ok($copy, "CALL $s.im_adjust_month('2023-03')", 'and an adjustment');
is(psql($copy, "SELECT kind FROM $s.im_invoice WHERE app_id = 10"), 'invoice', 'issues its invoice');
is(psql($copy, "SELECT * FROM $s.im_verify_invoices()"), '', 'and all is whole');

done_testing();
