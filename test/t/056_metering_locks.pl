#!/usr/bin/perl
#
# 056_metering_locks.pl
#	  Metering, im_create_tables() and indexes that are built concurrently, beside
#	  writers and bills: nobody dies of a deadlock, and where nothing is missing nobody
#	  even waits.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use BillingData;
use IPC::Run ();
use Test::More;

my $schema = '"we%ird Schema"';
my $path = "SET search_path = $schema; SET client_min_messages = error; SET jit = off;";
my $database = create_database('locks');

psql_ok($database, qq{
	CREATE SCHEMA $schema; CREATE EXTENSION imbilling SCHEMA $schema; $path
	SELECT im_create_tables();
	SELECT im_partition('im_call', '2024-01-01', '2024-03-01', '1 month');
	SELECT im_create_tables();
	INSERT INTO im_app (app_id, name) SELECT n, 'app' FROM generate_series(1, 20) n;
	INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
	SELECT n, 1, '2024-01-02 12:00+08', 'buy', 'plan', 'pro', 6 FROM generate_series(1, 20) n;
	INSERT INTO im_login SELECT n % 20 + 1, 'u' || n % 99, '2024-01-02 00:30+08'::timestamptz + n * interval '7 minutes' FROM generate_series(1, 5000) n;
	SELECT im_meter();
}, 'a metered database');

# ---- who holds what ----

# A session that goes on; what it says ends in a line of its own.
sub session
{
	my ($in, $out) = ('', '');
	my $self = { in => \$in, out => \$out };
	$self->{h} = IPC::Run::start([ 'psql', '-XqAt', '-d', $database ], '<', \$in, '>', \$out, '2>&1');
	return $self;
}

my $ends = 0;
sub begin { my ($s, $sql) = @_; $ends++; $s->{end} = "end $ends"; ${ $s->{in} } .= "$sql;\n\\echo $s->{end}\n"; $s->{h}->pump_nb; return }
sub finish
{
	my ($s, $seconds) = @_;
	my $until = time + ($seconds // 60);
	until (${ $s->{out} } =~ /^$s->{end}$/m)
	{
		return 'waits' if time > $until;
		$s->{h}->pump_nb;
		select(undef, undef, undef, 0.02);
	}
	my $said = ${ $s->{out} };
	${ $s->{out} } = '';
	return $said =~ /(ERROR.*)/ ? $1 : 'done';
}
sub run { my ($s, $sql, $seconds) = @_; begin($s, $sql); return finish($s, $seconds) }

my ($writer, $other, $third) = map { session() } 1 .. 3;
run($_, $path) for $writer, $other, $third;
my $writes = q{BEGIN; INSERT INTO im_login VALUES (1, 'w', '2024-01-05 12:00+08'); INSERT INTO im_order (app_id, order_id, at, action, item) VALUES (1, (random() * 1e9)::bigint, '2024-01-02 12:00:01+08', 'on', 'moderation');
	INSERT INTO im_usage_daily (app_id, day, dau) VALUES (1, '2024-02-05', 5) ON CONFLICT DO NOTHING; SELECT count(*) FROM im_monthly_bill(1, '2024-01')};

is(run($writer, $writes), 'done', 'somebody writes and bills, and stays in his transaction');
is(run($other, 'SELECT im_create_tables()', 20), 'done', 'im_create_tables() with nothing to add waits for nobody');
is(run($other, 'SELECT im_forget_metering(\'2024-01-09\', \'2024-01-09\')', 20), 'done', 'nor does im_forget_metering()');
run($writer, 'ROLLBACK');
is(run($other, 'BEGIN; SELECT im_create_tables()', 20), 'done', 'im_create_tables() in a transaction that goes on');
is(run($writer, $writes, 20), 'done', 'and writers and bills do not wait for it');
is(run($writer, 'SELECT count(*) FROM im_bi_bill_total', 20), 'done', 'nor do readers of views');
is(run($third, 'SELECT im_meter()', 2), 'waits', 'whoever meters waits for the writer of daily figures alone');
run($writer, 'ROLLBACK');
is(finish($third), 'done', 'until he is done');
run($other, 'ROLLBACK');

# ---- indexes built concurrently ----

foreach my $table (qw(im_usage_daily im_usage_mark im_login))
{
	# the build begins first and waits for a writer; who meters begins, and the writer ends
	run($writer, "BEGIN; INSERT INTO im_login VALUES (2, 'w', '2024-01-05 12:00+08')");
	run($writer, $table eq 'im_usage_daily' ? q{INSERT INTO im_usage_daily (app_id, day, dau) VALUES (2, '2024-02-06', 5) ON CONFLICT DO NOTHING} : 'SELECT 1');
	begin($other, "CREATE INDEX CONCURRENTLY i ON $table (app_id)");
	select(undef, undef, undef, 0.3);
	begin($third, "SELECT im_forget_metering(); SELECT im_meter()");
	select(undef, undef, undef, 0.3);
	run($writer, 'COMMIT');
	is(finish($third), 'done', "im_meter() ends beside an index that is built on $table");
	is(finish($other), 'done', 'and so does the index');
	run($other, 'DROP INDEX IF EXISTS i');
	# who meters begins first
	run($third, "BEGIN; SELECT count(*) FROM im_usage_mark");
	begin($other, "CREATE INDEX CONCURRENTLY i ON $table (app_id)");
	select(undef, undef, undef, 0.3);
	is(run($third, "SELECT im_forget_metering(); SELECT im_meter(); COMMIT"), 'done', "and one that is in a transaction that $table\'s index waits for");
	is(finish($other), 'done', 'which then is built');
	run($other, 'DROP INDEX IF EXISTS i');
}

# ---- all at once ----

sub loop { my ($n, $sql) = @_; return map { "$sql;\n" } 1 .. $n }
my @loops = (
	[ 'writer of events and figures', loop(40, "BEGIN; INSERT INTO im_usage_daily (app_id, day, dau) VALUES (3, '2024-02-05', 5) ON CONFLICT (app_id, day) DO UPDATE SET dau = excluded.dau; INSERT INTO im_login VALUES (3, 'x', '2024-01-05 12:00+08'); COMMIT") ],
	[ 'writer of events and orders', loop(40, "BEGIN; INSERT INTO im_login VALUES (4, 'x', '2024-01-05 12:00+08'); INSERT INTO im_order (app_id, order_id, at, action, item) SELECT 4, 1 + count(*), '2024-01-03 12:00+08'::timestamptz + count(*) * interval '1 minute', CASE count(*) % 2 WHEN 1 THEN 'on' ELSE 'off' END, 'moderation' FROM im_order WHERE app_id = 4; COMMIT") ],
	[ 'bills', loop(20, "BEGIN; SELECT count(*) FROM im_monthly_bills('2024-01'); SELECT count(*) FROM im_monthly_bill(5, '2024-01'); COMMIT") ],
	[ 'meter', loop(12, 'SELECT im_meter()') ],
	[ 'meter and forget', loop(12, 'SELECT im_forget_metering(); SELECT im_meter()') ],
	[ 'tables', loop(6, 'SELECT im_create_tables()') ],
	[ 'triggers that are missing', loop(6, 'DROP TRIGGER im_mark_update ON im_call_p2024_01; DROP TRIGGER im_mark_update ON im_login; SELECT im_create_tables()') ],
	[ 'columns that are missing', loop(4, 'SELECT pg_sleep(0.3); ALTER TABLE im_app ALTER COLUMN name SET NOT NULL; ALTER TABLE im_suspension DROP CONSTRAINT im_suspension_reason_check; SELECT im_create_tables()') ],
	[ 'indexes', loop(4, 'CREATE INDEX CONCURRENTLY j ON im_usage_daily (day, app_id); DROP INDEX CONCURRENTLY j; CREATE INDEX CONCURRENTLY k ON im_login (user_id); DROP INDEX CONCURRENTLY k') ],
);
my @running = map {
	my ($name, @statements) = @$_;
	my ($in, $out) = ("$path\nSET lock_timeout = '60s';\n" . join('', @statements), '');
	{ name => $name, in => \$in, out => \$out, h => IPC::Run::start([ 'psql', '-XqAt', '-d', $database ], '<', \$in, '>', \$out, '2>&1') };
} @loops;
foreach my $one (@running)
{
	$one->{h}->finish;
	my @errors = ${ $one->{out} } =~ /(ERROR.*(?:\n(?:DETAIL|CONTEXT).*)*)/g;
	is(join("\n", grep { /deadlock|timeout/ } @errors), '', "$one->{name} beside all others: no deadlock");
	diag("$one->{name}: $_") foreach grep { !/deadlock|timeout/ } @errors[ 0 .. ($#errors > 2 ? 2 : $#errors) ];
}
is(psql($database, "$path SELECT im_meter() IS NULL; SELECT count(*) FROM im_metered_day WHERE metered_at IS NULL") =~ /^f/, 1, 'and metering goes on');
$_->{h}->finish for grep { $_->{h} } ($writer, $other, $third);

done_testing();
