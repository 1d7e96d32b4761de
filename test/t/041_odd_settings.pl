#!/usr/bin/perl
#
# 041_odd_settings.pl
#	  The extension installed, loaded and asked in databases with odd settings:
#	  what is stored is the same, and so is what it says.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Test::More;
use BillingData;

# What may be set of a database, by what it changes.  The last two change how
# values are printed: there only what is stored is compared, and pages.
my @odd = (
	[ 'strings', {
		standard_conforming_strings => 'off', escape_string_warning => 'on', backslash_quote => 'off',
		array_nulls => 'off', transform_null_equals => 'on', quote_all_identifiers => 'on' } ],
	[ 'plpgsql', {
		'plpgsql.variable_conflict' => 'use_variable', 'plpgsql.check_asserts' => 'off',
		'plpgsql.extra_errors' => 'too_many_rows,strict_multi_assignment', check_function_bodies => 'off' } ],
	[ 'column first', {
		'plpgsql.variable_conflict' => 'use_column', search_path => 'pg_temp',
		default_transaction_deferrable => 'on', row_security => 'off' } ],
	[ 'planner', {
		plan_cache_mode => 'force_generic_plan', enable_hashagg => 'off', enable_hashjoin => 'off', enable_sort => 'off',
		enable_memoize => 'off', from_collapse_limit => 1, join_collapse_limit => 1, geqo_threshold => 2,
		constraint_exclusion => 'on', work_mem => '64kB', temp_buffers => '800kB' } ],
	[ 'formats', {
		DateStyle => 'SQL, DMY', IntervalStyle => 'sql_standard', bytea_output => 'escape', extra_float_digits => -15,
		TimeZone => 'Pacific/Apia', xmlbinary => 'hex', timezone_abbreviations => 'India' }, 'printed' ],
	[ 'encoding', {
		client_encoding => 'LATIN1', lc_numeric => 'C', lc_monetary => 'C', lc_time => 'C', lc_messages => 'C',
		default_text_search_config => 'simple' }, 'printed' ]);

sub install
{
	my ($db) = @_;

	return psql_ok($db, 'CREATE EXTENSION imbilling SCHEMA public; SELECT public.im_create_tables();'
		. sample_data('public') . 'SELECT public.im_meter();', "installed and loaded: $db");
}

# Bodies, defaults, conditions and triggers as they are stored; comments; rows
sub stored
{
	my ($db) = @_;

	return psql($db, q{
		SELECT oid::regprocedure, pg_get_functiondef(oid), obj_description(oid, 'pg_proc')
		FROM pg_proc WHERE pronamespace IN ('public'::regnamespace, 'im_internal'::regnamespace) AND prokind IN ('f', 'p') ORDER BY 1;
		SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint
		WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2;
		SELECT relname, attname, format_type(atttypid, atttypmod), pg_get_expr(adbin, adrelid) FROM pg_attribute
		JOIN pg_class c ON c.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
		WHERE relnamespace = 'public'::regnamespace AND attnum > 0 ORDER BY 1, attnum;
		SELECT pg_get_triggerdef(oid), tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1;
		SELECT relname, pg_get_viewdef(oid) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'v' ORDER BY 1;
		SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = indrelid
		WHERE relnamespace = 'public'::regnamespace ORDER BY 1;
		SELECT v::text FROM public.im_rate_card_version v ORDER BY 1;
		SELECT a::text FROM public.im_app a ORDER BY 1; SELECT o::text FROM public.im_order o ORDER BY 1;
		SELECT (app_id, day, dau, users, peak_groups, text_checks, sd_minutes)::text FROM public.im_usage_daily d ORDER BY 1;
		SELECT im_month_html('2023-03') ~ '<time>2023', im_bill_html(1, '2023-03') ~ '<time>2023'});
}

# Without what differs by chance: numbers and sizes of tables, times of now, names that
# quote_all_identifiers quotes
sub plainly
{
	my ($text) = @_;

	$text =~ s/"(\w+)"/$1/g;
	$text =~ s/"[-\d]+ [:\d]+\.\d+\+00"/now/g;
	$text =~ s/ at character \d+$//mg;
	$text =~ s/^im_(?:raw_leaves|usage_size)\|.*\n//mg;
	return $text;
}

# A share of the readings, which take long
sub answers
{
	my ($db) = @_;

	return bills($db, 'public') . psql($db, q{
		SELECT public.im_bill_html(1, '2023-03'), public.im_month_html('2023-03');
		SELECT e FROM public.im_explain(1, '2023-03', 1) e; SELECT c FROM public.im_check('2023-03') c ORDER BY 1;
		SELECT r FROM public.im_revenue('2023-02', '2023-04') r ORDER BY 1; SELECT f FROM public.im_forecast(1, '2023-03-20') f;
		SELECT s FROM public.im_standing('2023-03', '2023-03-20') s ORDER BY 1; SELECT d FROM public.im_daily_usage('2023-03') d ORDER BY 1});
}

sub settings
{
	my ($db, $settings) = @_;

	return join('', map { qq{ALTER DATABASE "$db" SET $_ = '$settings->{$_}';} } sort keys %$settings);
}

my $plain = create_database('plain');
install($plain);
my $stored = plainly(stored($plain));
my $readings = plainly(readings($plain, 'public'));
my $answers = answers($plain);
like($readings, qr/<time>2023-03/, 'pages mark days');

# A string with a backslash reads otherwise where standard_conforming_strings
# is off, be it at installation or whenever a body is parsed.
is(psql($plain, q{
	SELECT oid::regprocedure FROM pg_proc
	WHERE pronamespace IN ('public'::regnamespace, 'im_internal'::regnamespace) AND prolang IN (SELECT oid FROM pg_language WHERE lanname IN ('sql', 'plpgsql'))
		AND strpos(regexp_replace(prosrc, $re$(^|[^a-z_])E'([^']|'')*'$re$, '', 'g'), chr(92)) > 0}), '',
	'backslashes are in escape strings only');

foreach my $case (@odd)
{
	my ($name, $settings, $printed) = @$case;
	my $db = create_database('odd');
	psql_ok($db, settings($db, $settings), "settings: $name");
	my $said = install($db);
	unlike($said, qr/WARNING/, "nobody is warned: $name");
	same($name eq 'strings' ? plainly(readings($db, 'public')) : answers($db), $name eq 'strings' ? $readings : $answers,
		"what is said is as ever: $name") unless $printed;
	psql_ok($db, qq{ALTER DATABASE "$db" RESET ALL}, "settings: none");
	same(plainly(stored($db)), $stored, "the same is stored: $name");
	psql_ok('postgres', qq{DROP DATABASE "$db"}, 'gone');
}

done_testing();
