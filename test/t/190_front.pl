#!/usr/bin/perl
#
# 190_front.pl
#	  A front over four partitions on two servers answers as one node does: every
#	  function of a random history, every table and view, closing and its proof.
#	  A partition that is down is named, and nothing is silently partial.
#
# A failure means that a vendor's books on many servers are not the books.
#
# IMBILLING_SEED repeats a run, IMBILLING_APPS makes it larger or smaller.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../reference";
use IPC::Run ();
use Test::More;
use BillingData;
use FrontCluster;
use History;
use History::Database;
use Reference::Calendar;

plan skip_all => 'there is no plproxy' if !have_plproxy();

my $seed = $ENV{IMBILLING_SEED} || time ^ ($$ << 12);
my $apps = $ENV{IMBILLING_APPS} || 60;
diag("IMBILLING_SEED=$seed IMBILLING_APPS=$apps");

my @servers = map { start_server($_) } 'left', 'right';
my @partitions = map { { node => $servers[ $_ / 2 ], db => "part$_" } } 0 .. 3;

foreach my $partition (@partitions)
{
	on($partition->{node}, sub {
		psql_ok('postgres', "CREATE DATABASE $partition->{db}", "partition $partition->{db}");
		psql_ok($partition->{db}, 'CREATE EXTENSION imbilling; SELECT im_create_tables(false)', 'with its tables');
	});
}
$ENV{PGHOST} = $servers[0]->host;
$ENV{PGPORT} = $servers[0]->port;
psql_ok('postgres', 'CREATE DATABASE front', 'a database for the front');
psql_ok('front', 'CREATE EXTENSION imbilling', 'with the extension and no tables');

# ---- what it refuses ----

my $create = 'SELECT im_create_front(ARRAY[' . join(', ', map { "\$c\$" . connection(@$_{qw(node db)}) . "\$c\$" } @partitions) . '])';
psql_fails('front', $create, qr/extension dblink is not in this database.*CREATE EXTENSION dblink;/s, 'without dblink it says what to do');
psql_ok('front', 'CREATE EXTENSION dblink; CREATE EXTENSION postgres_fdw; CREATE EXTENSION plproxy', 'what it asks by');
psql_fails('front', "SELECT im_create_front('$_->[0]')", $_->[1], "not of $_->[0]")
  foreach [ '{dbname=a,dbname=b,dbname=c}', qr/cannot have 3 partitions/ ], [ '{}', qr/cannot have .* partitions/ ],
  [ '{NULL}', qr/cannot have 1 partitions/ ], [ '{postgresql://a/b}', qr/is no connection string/ ],
  [ '{dbname=a password=b}', qr/names the password/ ], [ '{user=a dbname=b}', qr/names the user/ ];
psql_ok('front', 'CREATE ROLE passer_by LOGIN', 'somebody else');
psql_fails('front', $create, qr/passer_by is no superuser/, 'makes no front', user => 'passer_by');
# a database asked twice would bill its apps twice
psql_fails('front', 'SELECT im_create_front(ARRAY[' . join(', ', map { "\$c\$" . connection(@{ $partitions[$_] }{qw(node db)}) . "\$c\$" } 0, 1, 2, 1) . '])',
	qr/partitions 1 and 3 are one database/, 'not of one database twice');
psql_fails('front', 'SELECT im_create_front(ARRAY[$c$' . (connection(@{ $partitions[0] }{qw(node db)}) =~ s/part0/postgres/r) . '$c$])', qr/partition 0 has imbilling none, not 0/,
	'not of one without imbilling');
is(psql('front', 'SELECT count(*) FROM pg_foreign_server'), '0', 'and nothing is left of that');
psql_ok('front', $create, 'a front of four partitions');
psql_fails('front', $create, qr/is a front already/, 'a second one');
psql_ok('front', 'ALTER DATABASE front SET search_path = im_front, public', 'the front first on the path');

# ---- the same books on one node and on the partitions ----

my $history = History::make_history($seed, $apps);
my @months = map { Reference::Calendar::show_day($_) } @{ $history->{months} };
$ENV{PGDATABASE} = 'postgres';
my $one = History::Database->new('one');
$one->load($history);
my $account = q{INSERT INTO im_account (account_id, name, opened_on) VALUES (7, 'seven', '2019-01-01'), (8, 'eight', '2019-01-01'), (9, 'nine', '2019-01-01')};
psql_ok('one', "$account; UPDATE im_app SET account_id = 7 + app_id % 2 WHERE app_id % 5 > 0", 'two accounts of most of them, and one of none');
on($_->{node}, sub { psql_ok($_->{db}, $account, 'and on each partition') }) foreach @partitions;

is(psql('front', "SELECT count(*) FROM generate_series(-500, 500) a WHERE NOT satisfies_hash_partition('im_app'::regclass, 4, im_partition_of(a), a::bigint)"),
	'0', 'apps are spread as hash partitions are');
my ($cards) = psql('one', q{SELECT string_agg(format('SELECT im_front_set_card(%L, %L, %L);', rate_card, effective_from, terms), ' ' ORDER BY effective_from) FROM im_rate_card_version});
psql_ok('front', $cards, 'all price lists are written on every partition');
foreach my $table (qw(im_app im_order im_suspension im_login im_group im_moderation_check im_call im_event im_usage_daily im_meter_daily))
{
	my $columns = psql('one', "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = '$table'::regclass AND attnum > 0 AND NOT attisdropped");

	foreach my $i (0 .. 3)
	{
		my $mine = "((hashint8extended(app_id, 8816678312871386365) & 65535) + 43235) & 3 = $i";
		my $rows = psql('one', "COPY (SELECT $columns FROM $table WHERE $mine) TO STDOUT");

		on($partitions[$i]{node}, sub {
			my ($code, $said) = psql_both($partitions[$i]{db}, "COPY $table ($columns) FROM STDIN;\n$rows\n\\.\n");
			is($code, 0, "$table of partition $i") or diag($said);
		}) if $rows ne '';
	}
}

# How each function is asked; a is an app, m a month.
my $card = "im_bundled_card('cn', '2024-01-01')";
my %asked = (
	im_addon_fee => q{'pro', 'call', 'basic'}, im_current_card => '', im_dau_overage => q{'pro', 25000}, im_deductions => q{'image', 10},
	im_group_overage => q{'pro', 550000}, im_moderation_fee => '54', im_quote => q{'pro', 12, 25000},
	im_card => q{'cn', '2023-12-05'}, im_can => q{a, 'dau'}, im_limit => q{a, 'dau'}, im_limits => 'a', im_account_totals => 'm',
	im_account_bill => '7, m', im_balance => q{7, '2024-03-01'}, im_arrears => 'm::date + 40', im_arrears_reason => '7, m::date + 40', im_unpaid => '7, m::date + 40',
	im_app_card => 'a, m', im_app_status => 'a, m::date + 14 + time \'12:00\'', im_audit => 'a, m', im_bill_html => 'a, m', im_cheapest_plan => 'a, m', im_document_html => q{a, m, 0, 'en'}, im_explain => 'a, m, 1',
	im_forecast => 'a, m::date + 14 + time \'12:00\'', im_invoices => 'a', im_moderation_statement => 'a, m', im_monthly_bill => 'a, m',
	im_monthly_total => 'a, m', im_preview_bill => "a, m, $card", im_rebill => 'a, m', im_running_bill => 'a, m::date + 14 + time \'12:00\'',
	im_account_html => q{7, m, 'en'}, im_month_html => q{m, 'zh'}, im_alerts => 'm', im_app_revenue => 'm, m + 1', im_apps => '', im_compare_cards => "m, $card, im_bundled_card('cn', '2019-12-10')",
	im_daily_charges => 'm::date + 11', im_daily_usage => 'm', im_drift => 'm', im_focus => 'm, m', im_monthly_bills => 'm, true', im_monthly_totals => 'm',
	im_order_terms => '', im_standing => 'm, m::date + 14 + time \'12:00\'', im_unbilled_usage => 'm', im_billed_months => '', im_check_orders => '',
	im_months => '', im_revenue => 'm, m + 1', im_check => 'm', im_verify_invoices => 'm');
my @untold = qw(im_suspend_arrears im_create_billing_view im_notify_alerts im_month_root im_meter im_meter_month im_keep_metered im_forget_metering im_close_month im_adjust_month);
my %route = map { split /\|/ } split /\n/, psql('front', "SELECT name || '|' || route FROM im_internal.im_front_routes()");
is(join(' ', sort grep { $route{$_} !~ /^(here|refused)$/ } keys %route), join(' ', sort keys %asked, @untold), 'each function that is routed is asked here');

my @documented = do { open(my $in, '<', ($ENV{IMBILLING_TREE} || "$FindBin::Bin/../..") . '/doc/reference.md') or die; map { /^\| `(im_\w+)\(/ ? $1 : () } <$in> };
is(join(' ', grep { !$route{$_} } @documented), '', 'and no function of the reference is without a route');

my $sample = psql('one', 'SELECT array_agg(app_id) FROM (SELECT app_id, row_number() OVER (ORDER BY app_id) AS n FROM im_app) a WHERE n % 4 = 0');

sub answers
{
	my ($db) = @_;
	my @queries;

	foreach my $name (sort keys %asked)
	{
		my $over = ($asked{$name} =~ /\bm\b/ ? 'unnest($m$' . "{$months[0],$months[2]}" . '$m$::im_month[]) m' : 'generate_series(1, 1) m')
		  . ($asked{$name} =~ /\ba\b/ ? ", unnest('$sample'::bigint[]) a" : '');

		push @queries, "SELECT '$name', q::text FROM $over, LATERAL $name($asked{$name}) q ORDER BY q::text COLLATE \"C\";";
	}
	my $script = join("\n", "SET client_min_messages = error;", @queries);
	my $said = '';
	IPC::Run::run([ 'psql', '-XqAt', '-v', 'VERBOSITY=terse', '-d', $db ], '<', \$script, '>', \$said, '2>&1');
	# where an error comes from, and when and with which digest something was issued
	$said =~ s/^ERROR:  \S+ \[part\d\] REMOTE ERROR:/ERROR: /mg;
	$said =~ s/^(im_audit|im_invoices)\|.*?20\d\d-\d\d-\d\d \d[^,]*/$1|then/mg;
	$said =~ s/(digest |\\\\x)[0-9a-f]{64}/$1/g;
	# each database has a series of numbers and a name of its own
	$said =~ s/\bIM[0-9A-F]+-[A-Z]+-\d+-\d+/number/g;
	$said =~ s/,(one|part\d)\b/,database/g;
	return join '', sort split /^/, $said;
}

# Pages are the same to the byte, of accounts with apps and without.
sub same_pages
{
	my ($when) = @_;
	my $pages = join '; ', map { my $month = $_; map { ("SELECT im_account_html($_, '$month', 'zh')", "SELECT im_account_html($_, '$month')") } 7, 8, 9 } @months[ 0, 2 ];
	my $of_months = join '; ', map { ("SELECT im_month_html('$_')", "SELECT im_month_html('$_', 'zh')") } @months, '1999-01-01';
	my ($front, $one) = map { psql($_, "$pages; $of_months") } 'front', 'one';

	cmp_ok(length($one), '>', 50000, "pages say something $when");
	ok($front eq $one, "and are the same $when") or same($front, $one, 'line by line');
	return;
}

my $want = answers('one');
cmp_ok(length($want), '>', 20000, 'one node has something to say');
same(answers('front'), $want, 'every function says the same through the front');

my $tables = psql('front', q{SELECT string_agg(c.relname, ' ' ORDER BY c.relname) FROM pg_class c
	WHERE c.relnamespace = 'im_front'::regnamespace AND c.relkind = 'p' AND c.relname !~ 'metered|mark|outbox'});
like($tables, qr/im_bi_bill_line.*im_order.*im_usage_daily/, 'its tables and views are there');
foreach my $table (split / /, $tables)
{
	# on each partition the views begin with its own first month
	my ($time) = $table =~ /^im_bi/ ? psql('one', "SELECT attname FROM pg_attribute WHERE attrelid = '$table'::regclass AND attname IN ('month', 'day') LIMIT 1") : ();
	my $rows = "SELECT md5(string_agg(t::text, ',' ORDER BY t::text COLLATE \"C\")), count(*) FROM (SELECT * FROM %s.$table) t"
	  . ($time ? " WHERE $time BETWEEN '$months[0]' AND '$months[3]'" : '');

	is(psql('front', sprintf($rows, 'im_front')), psql('one', sprintf($rows, 'public')), "$table has the same rows");
}
like(psql('front', 'EXPLAIN (COSTS OFF) SELECT * FROM im_app WHERE app_id = 7'), qr/^Foreign Scan on im_app( im_app)?$/, 'a condition on the app asks one partition');

same_pages('while all is open');

# ---- jobs, proofs, errors ----

psql_ok($_, 'SELECT im_meter()', "metered: $_") foreach 'front', 'one';
same(answers('front'), $want, 'metered it says the same');
psql_ok('one', "SELECT im_create_billing_view('book', '$months[0]', '$months[1]')", 'a billing view on one node');
psql_ok('front', "SELECT im_create_billing_view('book', '$months[0]', '$months[1]')", 'and at the front');
psql_ok('front', 'REFRESH MATERIALIZED VIEW CONCURRENTLY book', 'which is refreshed concurrently');
is(psql('front', 'SELECT count(*), sum(amount), md5(string_agg(b::text, chr(10) ORDER BY app_id, month, line)) FROM book b'),
	psql('one', 'SELECT count(*), sum(amount), md5(string_agg(b::text, chr(10) ORDER BY app_id, month, line)) FROM book b'), 'has the same lines');
psql_ok($_, "CALL im_close_month('$months[0]')", "closed: $_") foreach 'front', 'one';
same(answers('front'), answers('one'), 'and then, drift and audit included');
same_pages('after a close');
my $charged = psql('one', "SELECT min(app_id) FROM im_invoice WHERE month = '$months[0]' AND total > 0");
psql_ok($_, "INSERT INTO im_order (app_id, order_id, at, action, item, option, paid) VALUES ($charged, 900001, '$months[0]'::date + time '12:00' + interval '20 days', 'charge', 'manual', 'late', 12.5)", "a late charge: $_")
  foreach 'front', 'one';
my $drifted = "SELECT m::text FROM im_months() m WHERE month = '$months[0]'";
like(psql('one', $drifted), qr/drifted/, 'the month drifts, of one app');
is(psql('front', $drifted), psql('one', $drifted), 'at the front as well');
psql_fails('front', "SELECT im_account_html(999, '$months[0]')", qr/there is no account 999/, 'no page of no account');
psql_fails('front', "SELECT im_account_html(7, '$months[0]', 'xx')", qr/xx/, 'nor in no language');
my $root = psql('front', "SELECT im_month_root('$months[0]')");
like($root, qr/^\\x[0-9a-f]{64}$/, 'the front has a root');
is(psql('front', "SELECT count(*) FROM im_verify_invoices('$months[0]', '$root')"), '0', 'which the invoices prove');
is(psql('front', "SELECT problem FROM im_verify_invoices('$months[0]', '\\x00')"), 'the root is another one', 'and no other one');
psql_fails('front', "SELECT * FROM im_monthly_bill(999999, '$months[0]')", qr/there is no app 999999/, 'an error comes through');
psql_fails('front', 'SELECT im_grants()', qr/cannot be called through a front.*Call it in each partition/s, 'what belongs to one database is refused');
psql_fails('front', "SELECT * FROM im_monthly_bill(1, '$months[0]')", qr/permission denied/, 'nobody asks who was not admitted', user => 'passer_by');
on($servers[1], sub { psql_ok('postgres', 'CREATE ROLE passer_by LOGIN', 'who is known on the other server as well') });
psql_ok('front', "SELECT im_front_admit('passer_by', 'passer_by')", 'somebody is admitted');
psql_fails('front', "SELECT * FROM im_monthly_totals('$months[0]')", qr/permission denied/, 'but has no more rights than on the partitions', user => 'passer_by');
on($_->{node}, sub { psql_ok($_->{db}, "SELECT im_grant('passer_by', 'reader')", 'reads there') }) foreach @partitions;
is(psql('front', "SELECT count(*) FROM im_monthly_totals('$months[0]')", user => 'passer_by'),
	psql('one', "SELECT count(*) FROM im_monthly_totals('$months[0]')"), 'and here');
is(psql('front', $_, user => 'passer_by'), psql('one', $_), "as on one node: $_")
  foreach "SELECT im_month_html('$months[0]')", "SELECT im_account_html(7, '$months[0]')", 'SELECT m::text FROM im_months() m';

# ---- price lists ----

on($partitions[3]{node}, sub { psql_ok($partitions[3]{db}, "UPDATE im_rate_card_version SET terms = jsonb_set(terms, '{grace_days}', '8') WHERE rate_card = 'cn'", 'a partition gets another price list') });
like(psql('front', "SELECT problem FROM im_check('$months[3]') WHERE app_id IS NULL"), qr/partition 3 has another version of imbilling or other price lists/, 'im_check tells');
psql_ok('front', psql('one', q{SELECT string_agg(format('SELECT im_front_set_card(%L, %L, %L);', rate_card, effective_from, terms), ' ') FROM im_rate_card_version WHERE rate_card = 'cn'}), 'written again everywhere');
is(psql('front', "SELECT count(*) FROM im_check('$months[3]') WHERE app_id IS NULL"), '0', 'it is mended');

# ---- payments ----

psql_ok('front', "INSERT INTO im_payment (account_id, payment_id, at, amount, currency, note) VALUES (7, 1, '2024-01-05 12:00+08', 1234.5, 'CNY', 'through the front')", 'a payment through the front');
psql_ok('one', "INSERT INTO im_payment (account_id, payment_id, at, amount, currency, note) VALUES (7, 1, '2024-01-05 12:00+08', 1234.5, 'CNY', 'through the front')", 'and on one node');
is(psql('front', 'SELECT count(*) FROM im_check(\'' . $months[3] . '\') WHERE problem ~ \'account 7\''), '0', 'stands where it belongs');

# ---- arrears, of apps on several partitions ----

my $told = q{SELECT a::text FROM im_alerts(NULL) a ORDER BY app_id, kind, item, day, used};
like(psql('one', $told), qr/,arrears,/, 'alerts tell of arrears');
same(psql('front', $told), psql('one', $told), 'the front of the same apps, and of each once');
is(psql('front', "SELECT im_notify_alerts('alerts')"), psql('one', "SELECT im_notify_alerts('alerts')"), 'and notifies of as many');
my (undef, $told_reader) = psql_both('front', "SELECT kind, count(*) FROM im_standing('$months[3]', '$months[3] 12:00+08') GROUP BY 1 ORDER BY 1", user => 'passer_by');
like($told_reader, qr/arrears are left out.*user passer_by/s, 'who may not read the tables of the partitions hears that arrears are left out');
unlike($told_reader, qr/^arrears\|/m, 'and they are');

my $stopped = q{SELECT string_agg(concat_ws(' ', app_id, days), ', ' ORDER BY app_id, days) FROM im_suspension WHERE reason = 'arrears'};
my $day = psql('one', "SELECT '$months[3]'::date + 10");
is(psql('front', "SELECT im_suspend_arrears('$day 12:00+08')"), psql('one', "SELECT im_suspend_arrears('$day 12:00+08')"), 'as many suspensions as on one node');
like(psql('front', $stopped), qr/\d \[/, 'there are some');
is(psql('front', $stopped), psql('one', $stopped), 'the same');
is(psql('front', "SELECT im_suspend_arrears('$day 13:00+08', 7)"), '0', 'run again it changes nothing');
foreach my $db ('front', 'one')
{
	psql_ok($db, "INSERT INTO im_payment (account_id, payment_id, at, amount, currency, note) SELECT 7, row_number() OVER () + 1, '$day 20:00+08', -balance, currency, 'all' FROM im_arrears('$day 12:00+08') WHERE account_id = 7", "account 7 pays: $db");
}
is(psql('front', "SELECT im_suspend_arrears('$day 23:00+08'::timestamptz + interval '1 day')"), psql('one', "SELECT im_suspend_arrears('$day 23:00+08'::timestamptz + interval '1 day')"), 'and is in service again');
is(psql('front', $stopped), psql('one', $stopped), 'from the same day');

# ---- a partition that is down ----

$servers[1]->stop('immediate');
psql_fails('front', "SELECT * FROM im_monthly_totals('$months[1]')", qr/part[23]/, 'a set-wise read names a partition that is down');
psql_fails('front', $_, qr/part[23]|im_partition_[23]/, "so does $_")
  foreach 'SELECT count(*) FROM im_order', 'SELECT * FROM im_months()', "SELECT im_month_html('$months[1]')", "SELECT im_account_html(7, '$months[1]')",
  'SELECT * FROM im_alerts(NULL)', "SELECT im_notify_alerts('alerts')";
psql_fails('front', "SELECT im_front_set_card('new', '2024-01-01', $card)", qr/could not establish connection/, 'no price list is written');
psql_fails('front', "CALL im_close_month('$months[1]')", qr/not done on partition (2, 3|3, 2).*The other 2 are done/s, 'a close does the others, and names those');
$servers[1]->start;
on($_->{node}, sub { is(psql($_->{db}, "SELECT count(*) FROM im_rate_card_version WHERE rate_card = 'new'"), '0', "it is not on $_->{db}") }) foreach @partitions;
my $state = "SELECT DISTINCT state FROM im_months() WHERE month = '$months[1]'";
is(psql('front', $state), 'closing', 'the month is closing: partitions have closed it and others not');
psql_ok('front', "CALL im_close_month('$months[1]')", 'the next call does the rest');
like(psql('front', $state), qr/^(closed|drifted)$/, 'and then it is closed');
psql_ok('one', "CALL im_close_month('$months[1]')", 'one node likewise');
same(answers('front'), answers('one'), 'and all is the same again');

# ---- what is not where it belongs ----

my ($stray) = split /\n/, psql('front', 'SELECT a FROM generate_series(1, 100) a WHERE im_partition_of(a) = 1');
on($partitions[2]{node}, sub {
	psql_ok($partitions[2]{db}, "INSERT INTO im_app (app_id, name) VALUES ($stray, 'stray'); INSERT INTO im_account (account_id, name) VALUES ($stray, 'stray');
		INSERT INTO im_payment (account_id, payment_id, at, amount, currency, note) VALUES ($stray, 1, now(), 5, 'CNY', '')", 'an app and a payment on another partition');
});
is(psql('front', "SELECT problem FROM im_check('$months[3]') WHERE problem ~ 'belong' ORDER BY 1"),
	"payments of account $stray are on partition 2 and belong to partition 1\nthe app is on partition 2 and belongs to partition 1", 'im_check tells of both');

done_testing();
