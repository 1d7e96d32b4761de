#!/usr/bin/perl
#
# 192_front_faults.pl
#	  A partition that dies or waits in the middle of metering, closing, a change of a
#	  price list or a load; roles without rights; hostile ids of apps.
#
# A failure means that a fault on one partition leaves something half done without
# a word, or that the front answers what no node would.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use IPC::Run ();
use Test::More;
use BillingData;
use FrontCluster;

plan skip_all => 'there is no plproxy' if !have_plproxy();

my ($hub, $far) = (start_server('hub'), start_server('far'));
make_books($hub, $far);
my @app = map { psql('front', "SELECT min(app_id) FROM im_app WHERE im_partition_of(app_id) = $_") } 0, 1;

sub far
{
	my ($sql) = @_;

	return on($far, sub { psql('part1', $sql) });
}

# Statements that wait for what a session on part1 holds
sub hold
{
	my ($sql) = @_;
	my %session = (in => "BEGIN; $sql; \\echo held\n", out => '', err => '');

	$session{psql} = IPC::Run::start([ 'psql', '-XqAt', '-h', $far->host, '-p', $far->port, '-d', 'part1' ],
		'<', \$session{in}, '>', \$session{out}, '2>', \$session{err});
	$session{psql}->pump until $session{out} =~ /held/ || !$session{psql}->pumpable;
	return \%session;
}

sub release
{
	my ($session) = @_;

	$session->{in} .= "ROLLBACK;\n\\q\n";
	eval { $session->{psql}->finish };
	return;
}

my $waiting = q{FROM pg_stat_activity WHERE datname = 'part1' AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()};

# Somebody waits on part1: ends it in one of the ways in which a server can die.
my %end = (
	'killed' => sub { kill 'KILL', far("SELECT pid $waiting LIMIT 1") },
	'stopped' => sub { $far->stop('immediate') });

sub recover
{
	my ($way) = @_;

	$far->start if $way eq 'stopped';
	ok(on($far, sub { $far->poll_query_until('part1', 'SELECT true') }), "part1 is back after it was $way");
	return;
}

# what => [ the call, what it waits for on part1, what the error names, what tells that nothing of it is on part1 ]
my $month = '2023-03';
my $new_card = q{im_bundled_card('cn', '2024-01-01')};
my %work = (
	metering => [ "SELECT im_meter('2023-03-01', '2023-03-31')", 'LOCK TABLE im_login IN ACCESS EXCLUSIVE MODE',
		qr/im_meter: not done on partition 1.*The other 1 are done/s, q{SELECT count(*) FROM im_usage_daily WHERE metered_at IS NOT NULL} ],
	closing => [ "CALL im_close_month('$month')", "SELECT FROM im_app WHERE app_id = $app[1] FOR UPDATE",
		qr/im_close_month: not done on partition 1.*The other 1 are done/s, "SELECT count(*) FROM im_invoice WHERE app_id = $app[1]" ],
	'a card change' => [ "SELECT im_front_set_card('new', '2024-01-01', $new_card)", 'LOCK TABLE im_rate_card_version IN ACCESS EXCLUSIVE MODE',
		qr/\(partition 1\)/, q{SELECT count(*) FROM im_rate_card_version WHERE rate_card = 'new'} ],
	loading => [ "INSERT INTO im_login SELECT a, 'load', '2023-03-09 12:00+08' FROM unnest('{$app[0],$app[1]}'::bigint[]) a ORDER BY im_partition_of(a)", 'LOCK TABLE im_login IN ACCESS EXCLUSIVE MODE',
		qr/server closed the connection|terminat|im_partition_1|part1|could not connect/, q{SELECT count(*) FROM im_login WHERE user_id = 'load'} ],
	reading => [ "SELECT count(*) FROM im_monthly_totals('$month'::im_month)", 'LOCK TABLE im_order IN ACCESS EXCLUSIVE MODE', qr/part1/, 'SELECT 0' ],
	'a page' => [ "SELECT im_month_html('$month'::im_month)", 'LOCK TABLE im_order IN ACCESS EXCLUSIVE MODE', qr/part1/, 'SELECT 0' ]);

sub fault
{
	my ($what, $way) = @_;
	my ($call, $lock, $error, $half) = @{ $work{$what} };
	my $holder = hold($lock);
	my ($out, $err) = ('', '');
	my $session = IPC::Run::start([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', 'front', '-c', $call ], '>', \$out, '2>', \$err);

	ok($far->poll_query_until('part1', "SELECT count(*) > 0 $waiting"), "$what waits on part1");
	$end{$way}->();
	eval { $session->finish };
	eval { $holder->{psql}->finish };
	like($err, $error, "$what: a partition that is $way is named");
	is($out, '', 'and nothing is said but that');
	recover($way);
	is(far($half), '0', "nothing of $what is half on part1");
	return;
}

fault($_->[0], $_->[1]) foreach [ 'a card change', 'killed' ], [ 'loading', 'stopped' ], [ 'reading', 'killed' ], [ 'a page', 'killed' ];
is(psql('part0', $work{$_}[3]), '0', "nor on part0 ($_)") foreach 'a card change', 'loading';
fault('metering', 'killed');
cmp_ok(psql('part0', $work{metering}[3]), '>', 0, 'part0 is metered');
is(psql('part0', "SELECT im_meter('2023-03-01', '2023-03-31')"), '0', 'whole');
psql_ok('front', "SELECT im_forget_metering('2023-03-01', '2023-03-31')", 'all of it is forgotten');
fault('metering', 'stopped');
cmp_ok(psql('front', $work{metering}[0]), '>', 0, 'the next call does the rest');
cmp_ok(far($work{metering}[3]), '>', 0, 'on part1');
same_books('and all is as on one node');

# ---- a partition that is slow ----

foreach my $what (sort keys %work)
{
	my ($call, $lock, undef, $half) = @{ $work{$what} };

	psql('front', "SELECT im_forget_metering('2023-03-01', '2023-03-31')") if $what eq 'metering';
	my $state = $what eq 'metering' ? 'SELECT max(metered_at) FROM im_usage_daily' : $half;
	my $before = far($state);
	my $holder = hold($lock);
	# metering and closing meanwhile end on part0: that is done, not half
	psql_fails('front', "SET statement_timeout = '2s'; $call", qr/canceling statement due to statement timeout/, "$what: a statement timeout at the front is heeded");
	ok($far->poll_query_until('part1', "SELECT count(*) = 0 $waiting"), 'and nobody waits there any more, while the lock is still held');
	release($holder);
	is(far($state), $before, "nothing of $what is on part1");
	is(psql('part0', $half), '0', 'nor on part0') if $what =~ /card|loading/;
	is(psql('front', q{SELECT count(*) FROM unnest(dblink_get_connections())}), '0', 'no connection is left');
}

# ---- closing ----

fault('closing', 'killed');
is(psql('part0', "SELECT count(*) FROM im_invoice") > 0, 1, 'part0 is closed');
psql_ok($_, "CALL im_close_month('$month')", "closed at last: $_") foreach 'front', 'one';
same_books('all invoices are those of one node');

# ---- who has no rights ----

foreach my $node ($hub, $far)
{
	on($node, sub { psql_ok('postgres', "CREATE ROLE nobody_here LOGIN; CREATE ROLE tenant_here LOGIN", 'roles without rights') });
}
psql_fails('front', $_, qr/permission denied/, "without a mapping: $_", user => 'nobody_here')
  foreach "SELECT im_monthly_total($app[1], '$month'::im_month)", "SELECT * FROM im_monthly_totals('$month'::im_month)", 'SELECT * FROM im_order',
  'SELECT im_meter()', "CALL im_close_month('$month')", "SELECT im_front_set_card('new', '2024-01-01', $new_card)",
  "SELECT * FROM im_front_parts.im_run('SELECT 1')", 'SELECT * FROM im_front_0.im_order';
psql_ok('front', "SELECT im_front_admit('nobody_here', 'nobody_here'); SELECT im_front_admit('tenant_here', 'tenant_here')", 'both are admitted');
on($_->[0], sub { psql_ok($_->[1], "UPDATE im_app SET tenant = 'tenant_here' WHERE app_id = $app[1]; SELECT im_grant('tenant_here', 'tenant')", 'a tenant of one app') })
  foreach [ $hub, 'part0' ], [ $far, 'part1' ];
psql_fails('front', $_, qr/permission denied/, "admitted, but without rights there: $_", user => 'nobody_here')
  foreach "SELECT im_monthly_total($app[1], '$month'::im_month)", "SELECT * FROM im_monthly_totals('$month'::im_month)";
psql_fails('front', 'SELECT count(*) FROM im_order', qr/permission denied|password is required/, 'nor of tables', user => 'nobody_here');
psql_fails('front', $_, qr/not done on partition (0, 1|1, 0)/, "named everywhere: $_", user => 'nobody_here') foreach 'SELECT im_meter()', "CALL im_close_month('2023-04')";
psql_fails('front', "SELECT im_front_set_card('new', '2024-01-01', $new_card)", qr/(permission denied|password is required).*\(partition 0\)/s, 'and no price list', user => 'nobody_here');
is(psql('front', "SELECT DISTINCT app_id FROM im_monthly_totals('$month'::im_month)", user => 'tenant_here'), $app[1], 'a tenant sees his apps and no other');
psql_fails('front', "SELECT * FROM im_monthly_bill($app[0], '$month'::im_month)", qr/there is no app $app[0]/, 'by function', user => 'tenant_here');
my $roles = q{SELECT count(*) FROM pg_user_mappings WHERE usename = 'tenant_here' AND umoptions IS NOT NULL};
is(psql('front', $roles, user => 'nobody_here'), '0', 'and nobody reads the mapping of another');

# ---- hostile ids of apps ----

foreach my $id ('9223372036854775807', '(-9223372036854775808)', '-1', '0', 'NULL::bigint')
{
	foreach my $call ("im_monthly_bill($id, m)", "im_monthly_total($id, m)", "im_app_status($id, '2023-03-20 12:00+08')", "im_audit($id, m)",
		"im_bill_html($id, m)", "im_explain($id, m, 1)", "im_limits($id)", "im_invoices($id)", "im_running_bill($id, '2023-03-20 12:00+08')")
	{
		my ($front, $one) = map {
			my (undef, $said) = psql_both($_, "\\set VERBOSITY sqlstate\nSELECT q FROM (VALUES ('$month'::im_month)) v(m), LATERAL $call q");
			$said;
		} 'front', 'one';
		is($front, $one, "$call is as on one node");
	}
}
foreach my $id ('9223372036854775807', '-9223372036854775808', '-1', '0')
{
	foreach my $db ('front', 'one')
	{
		psql_ok($db, "INSERT INTO im_app (app_id, name, rate_card, opened_at) VALUES ($id, 'far out', 'cn', '2020-01-01')", "$db has an app $id");
		psql_ok($db, "INSERT INTO im_order (app_id, order_id, at, action, item, option, months, quantity) VALUES ($id, 1, '2023-04-02 12:00+08', 'buy', 'plan', 'pro', 1, 1)", 'which orders');
	}
}
psql_fails($_, "INSERT INTO im_app (app_id, name, rate_card, opened_at) VALUES (NULL, 'none', 'cn', '2020-01-01')", qr/null value|not-null/, "$_ has no app without an id") foreach 'front', 'one';
same_books('bills of such apps are those of one node');
is(psql('front', "SELECT count(*) FROM im_check('2023-04'::im_month) WHERE problem ~ 'belong'"), '0', 'and each is where it belongs');

done_testing();
