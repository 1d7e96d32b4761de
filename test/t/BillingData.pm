# What the Perl tests share: databases of their own on the server that PGHOST leads
# to, psql, and a month of data that uses every table and most rules.
package BillingData;

use strict;
use warnings;

use Exporter 'import';
use File::Temp ();
use IPC::Run ();
use Test::More;

our @EXPORT = qw(create_database psql psql_ok psql_fails psql_both run_ok pipe_dump
  sample_data bills counts readings same freed_is_kept);

our $work = File::Temp::tempdir(CLEANUP => 1);
my @databases;

# A new empty database that goes away with the test.
sub create_database
{
	my ($name) = @_;

	$name = "imb_${name}_$$";
	run_ok([ 'createdb', '-T', 'template0', $name ], "createdb $name");
	push @databases, $name;
	return $name;
}

END
{
	my $status = $?;
	IPC::Run::run([ 'dropdb', '--if-exists', '--force', $_ ], '>', \my $out, '2>', \my $err)
	  for @databases;
	$? = $status;
}

# Exit code and all that psql says.  Options: user => role.
sub psql_both
{
	my ($database, $sql, %option) = @_;
	my ($out, $err) = ('', '');
	my @user = $option{user} ? ('-U', $option{user}) : ();

	local $ENV{PGOPTIONS} = '-c client_min_messages=warning';
	IPC::Run::run([ 'psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', @user, '-d', $database ],
		'<', \$sql, '>', \$out, '2>', \$err);
	my $code = $? >> 8;
	$out =~ s/\s+\z//;
	return ($code, $out . $err);
}

sub psql
{
	my ($database, $sql, %option) = @_;
	my ($code, $out) = psql_both($database, $sql, %option);

	diag("psql: $out") if $code != 0;
	return $out;
}

sub psql_ok
{
	my ($database, $sql, $what, %option) = @_;
	my ($code, $out) = psql_both($database, $sql, %option);

	ok($code == 0, $what) or diag($out);
	return $out;
}

sub psql_fails
{
	my ($database, $sql, $pattern, $what, %option) = @_;
	my ($code, $out) = psql_both($database, $sql, %option);

	ok($code != 0 && $out =~ $pattern, $what) or diag("exit $code: $out");
	return;
}

sub run_ok
{
	my ($command, $what) = @_;
	my ($out, $err) = ('', '');

	my $ok = IPC::Run::run($command, '>', \$out, '2>', \$err);
	ok($ok, $what) or diag($err);
	return;
}

# pg_dump | psql: what psql says on its error channel.
sub pipe_dump
{
	my ($from, $to, @option) = @_;
	my ($out, $err) = ('', '');

	IPC::Run::run([ 'pg_dump', @option, $from ], '|',
		[ 'psql', '-X', '-q', '-d', $to ], '>', \$out, '2>', \$err);
	# what pg_dump itself says of circular foreign keys is no error
	return join '', grep { /ERROR|FATAL|could not/ } split /^/, $err;
}

# Every bill of March and April, and the totals, as one text.
sub bills
{
	my ($database, $schema, %option) = @_;

	return psql(
		$database, qq{
		SELECT l.* FROM $schema.im_monthly_bills('2023-03') l ORDER BY app_id, line;
		SELECT l.* FROM $schema.im_monthly_bills('2023-04') l ORDER BY app_id, line;
		SELECT * FROM $schema.im_monthly_totals('2023-03') ORDER BY app_id;
		SELECT app_id, $schema.im_app_status(app_id, '2023-03-20 12:00+08'), $schema.im_monthly_total(app_id, '2023-03')
		FROM $schema.im_app ORDER BY app_id;}, %option);
}

# What every function says that reads and changes nothing: results, or the error.
# Those whose arguments are an app, a month, days or a card are found in the
# catalog, so that a new one is among them by itself.
sub readings
{
	my ($database, $schema, %option) = @_;
	my $card = "$schema.im_bundled_card('cn', '2024-01-01')";
	my $calls = psql($database, qq{
	WITH known (type, name, value) AS (VALUES
		('bigint', 'app_id', 'a'), ('bigint[]', 'apps', \$\$'{1,2,3,4,5,6,7,8,9,10}'\$\$),
		('$schema.im_month', NULL, \$\$'2023-03'\$\$), ('date', 'month', \$\$'2023-03-01'\$\$),
		('date', 'first', \$\$'2023-03-01'\$\$), ('date', 'until', \$\$'2023-04-01'\$\$),
		('timestamptz', 'at', \$\$'2023-03-20 12:00+08'\$\$), ('$schema.im_rate_card', NULL, \$\$$card\$\$)),
	reader AS (
		SELECT p.* FROM pg_proc p
		WHERE pronamespace IN ('$schema'::regnamespace, to_regnamespace('im_internal')) AND prokind = 'f' AND provolatile <> 'v'
			AND prorettype NOT IN ('void'::regtype, 'trigger'::regtype) AND 'internal'::regtype <> ALL (proargtypes)),
	argument AS (
		SELECT p.oid, n, format('%s::%s', k.value, proargtypes[n - 1]::regtype) AS value, k.value IS NULL AS unknown FROM reader p CROSS JOIN generate_series(1, pronargs - pronargdefaults) n
		LEFT JOIN known k ON k.type::regtype = proargtypes[n - 1] AND coalesce(k.name, proargnames[n]) = proargnames[n]),
	call AS (
		SELECT p.oid, p.pronamespace::regnamespace AS schema, p.proname, coalesce(string_agg(value, ', ' ORDER BY n), '') AS arguments
		FROM reader p LEFT JOIN argument a ON a.oid = p.oid
		GROUP BY p.oid, p.pronamespace, p.proname HAVING coalesce(bool_and(NOT unknown), true))
	SELECT format('SELECT %L, q::text FROM generate_series(1, %s) a, %s.%I(%s) q ORDER BY q::text COLLATE "C";', proname,
		CASE WHEN arguments ~ E'\\\\ma\\\\M' THEN 10 ELSE 1 END, schema, proname, arguments)
	FROM call WHERE proname !~ '^im_month(_|\$)|_definitions\$' ORDER BY proname COLLATE "C", arguments COLLATE "C"});
	my $said = '';

	local $ENV{PGOPTIONS} = '-c client_min_messages=error';
	IPC::Run::run([ 'psql', '-XqAt', '-v', 'VERBOSITY=terse', '-d', $database ], '<', \$calls, '>', \$said, '2>&1');
	# of two databases that should say the same each names itself
	$said =~ s/\b\Q$database\E\b/database/g;
	# drift is found when it is looked for
	$said =~ s/^(im_audit\w*\|\(")[^"]*(",drift)/$1now$2/mg;
	return $said;
}

# Two long texts are equal, or the lines of one alone are told.
sub same
{
	my ($got, $expected, $what) = @_;
	my %in_got = map { $_ => 1 } split /\n/, $got;
	my %in_expected = map { $_ => 1 } split /\n/, $expected;
	my @less = grep { !$in_got{$_} } split /\n/, $expected;
	my @more = grep { !$in_expected{$_} } split /\n/, $got;

	ok($got eq $expected, $what)
	  or diag(join "\n", 'missing or different:', @less[0 .. ($#less < 9 ? $#less : 9)],
		'instead:', @more[0 .. ($#more < 9 ? $#more : 9)]);
	return;
}

# The rows of every table that users fill.
sub counts
{
	my ($database, $schema, %option) = @_;

	return psql($database, join(' UNION ALL ', map { "SELECT '$_', count(*) FROM $schema.$_" }
			qw(im_rate_card_version im_app im_order im_suspension im_login im_group im_moderation_check im_call im_load
			im_usage_daily)) . ' ORDER BY 1', %option);
}

# One app of every kind, in March and April 2023.
sub sample_data
{
	my ($schema) = @_;

	return qq{
	SET search_path = pg_temp;
	INSERT INTO $schema.im_app (app_id, name, rate_card, opened_at)
	SELECT n, 'app ' || n, CASE n WHEN 7 THEN 'overseas' WHEN 8 THEN 'intl' ELSE 'cn' END, '2020-01-01 00:00+08'
	FROM generate_series(1, 10) n;
	INSERT INTO $schema.im_order (app_id, order_id, at, action, item, option, months, quantity, refunds, paid) VALUES
	(1, 1, '2023-03-01 10:00+08', 'buy', 'plan', 'pro', 3, 1, NULL, NULL),
	(1, 2, '2023-03-10 10:00+08', 'upgrade', 'plan', 'flagship', NULL, 1, NULL, NULL),
	(1, 3, '2023-03-11 10:00+08', 'buy', 'call', 'basic', 2, 1, NULL, NULL),
	(1, 4, '2023-03-11 10:00+08', 'on', 'history_storage', '90d', NULL, 1, NULL, NULL),
	(2, 1, '2023-03-01 10:00+08', 'buy', 'plan', 'pro', 1, 1, NULL, NULL),
	(2, 2, '2023-03-20 10:00+08', 'refund', 'plan', '', NULL, 1, 1, NULL),
	(3, 1, '2023-03-02 10:00+08', 'buy', 'moderation_pack', 'month', NULL, 2, NULL, NULL),
	(3, 2, '2023-03-02 10:00+08', 'on', 'moderation', '', NULL, 1, NULL, NULL),
	(3, 3, '2023-03-02 10:00+08', 'buy', 'local_moderation', '', 1, 1, NULL, 987.65),
	(4, 1, '2023-03-01 10:00+08', 'buy', 'plan', 'flagship', 1, 1, NULL, NULL),
	(7, 1, '2023-03-01 10:00+08', 'buy', 'plan', 'pro', 1, 1, NULL, NULL),
	(8, 1, '2023-03-01 10:00+08', 'buy', 'plan', 'standard', 1, 1, NULL, NULL),
	(9, 1, '2023-02-05 10:00+08', 'buy', 'plan', 'pro', 1, 1, NULL, NULL);
	INSERT INTO $schema.im_suspension VALUES (4, '[2023-03-20,2023-04-03)', 'arrears');
	INSERT INTO $schema.im_login
	SELECT app, 'user "' || n % 13 || E'\\\\', timestamptz '2023-03-01 00:00+08' + n * interval '7 hours'
	FROM unnest('{1,2,4,7,8,9}'::int[]) app, generate_series(1, 150) n;
	INSERT INTO $schema.im_group
	SELECT 1, 'g' || n, timestamptz '2023-03-01 00:00+08' + n * interval '7 hours',
		CASE WHEN n % 2 = 0 THEN timestamptz '2023-03-01 00:00+08' + n * interval '9 hours' END
	FROM generate_series(1, 50) n;
	INSERT INTO $schema.im_moderation_check (app_id, at, kind, seconds, scene)
	SELECT 3, timestamptz '2023-03-01 00:00+08' + n * interval '3 hours', (ARRAY['text','image','audio','video'])[1 + n % 4],
		CASE WHEN n % 4 > 1 THEN n END, NULL FROM generate_series(1, 200) n;
	INSERT INTO $schema.im_call (app_id, at, class, seconds)
	SELECT app, timestamptz '2023-03-01 00:00+08' + n * interval '5 hours', (ARRAY['audio','sd','hd','fhd'])[1 + n % 4], n
	FROM unnest('{1,5}'::int[]) app, generate_series(1, 200) n;
	INSERT INTO $schema.im_usage_daily (app_id, day, dau, peak_groups, text_checks)
	VALUES (7, '2023-03-31', 25000, 550000, 7), (4, '2023-03-05', 25001, 550001, NULL);
	INSERT INTO $schema.im_load VALUES ('test', 'sample', '2023-05-01 00:00+08');
	RESET search_path;
	};
}

# The address sanitizer and valgrind hold on to what a process freed, so the size
# of one under them tells nothing.
sub freed_is_kept
{
	my ($pid) = @_;

	open(my $maps, '<', "/proc/$pid/maps") or die "/proc/$pid/maps: $!";
	return scalar grep { /libasan|valgrind/ } <$maps>;
}

1;
