
# A history in a database: psql, COPY in, rows out.

package History::Database;

use strict;
use warnings;
use Encode qw(encode decode);
use File::Temp qw(tempdir);
use History::Dice;
use List::Util qw(shuffle);
use Reference::Calendar;

# A fresh database with the extension and its tables.
sub new
{
	my ($class, $name) = @_;
	my $self = bless { name => $name, folder => tempdir(CLEANUP => 1) }, $class;

	$self->{name} = 'postgres' if !defined $ENV{PGDATABASE};
	$self->{name} = $ENV{PGDATABASE} if defined $ENV{PGDATABASE};
	$self->run("DROP DATABASE IF EXISTS $name", "CREATE DATABASE $name");
	$self->{name} = $name;
	$self->run('CREATE EXTENSION imbilling', 'SELECT im_create_tables()');
	return $self;
}

# Takes the database away again.
sub drop
{
	my ($self) = @_;
	my $name = $self->{name};

	$self->{name} = defined $ENV{PGDATABASE} ? $ENV{PGDATABASE} : 'postgres';
	$self->run("DROP DATABASE $name");
}

# Runs a script; returns (true if all went well, stdout, stderr).
sub script
{
	my ($self, $text, @options) = @_;
	my $stem = "$self->{folder}/script";

	spill("$stem.sql", $text);
	local $ENV{PGCLIENTENCODING} = 'UTF8';
	local $ENV{PGOPTIONS} = '-c timezone=America/St_Johns';
	my $failed = system(
		"psql -X -q -A -t -F '\t' -P 'null=\\N' @options"
		  . " -d $self->{name} -f $stem.sql >$stem.out 2>$stem.err");

	return (!$failed, slurp("$stem.out"), slurp("$stem.err"));
}

# Statements that must not fail.
sub run
{
	my ($self, @statements) = @_;
	my ($fine, $out, $err) =
	  $self->script(join(";\n", @statements) . ";\n", '-v ON_ERROR_STOP=1');

	die "psql: $err" if !$fine;
	return $out;
}

# The rows of a query, each a list of texts.
sub rows
{
	my ($self, $query) = @_;

	return map { [ map { $_ eq '\\N' ? undef : $_ } split(/\t/, $_, -1) ] }
	  split(/\n/, $self->run($query));
}

sub spill
{
	my ($file, $text) = @_;

	open(my $out, '>:raw', $file) or die "$file: $!";
	print $out encode('UTF-8', $text);
	close($out) or die "$file: $!";
}

sub slurp
{
	my ($file) = @_;

	open(my $in, '<:raw', $file) or die "$file: $!";
	local $/ = undef;
	my $text = <$in>;
	return decode('UTF-8', $text);
}

# --- COPY

sub field
{
	my ($value) = @_;

	return '\\N' if !defined $value;
	$value =~ s/\\/\\\\/g;
	$value =~ s/\t/\\t/g;
	$value =~ s/\n/\\n/g;
	return $value;
}

# A COPY of rows (lists) into "table (columns)".
sub copy_of
{
	my ($into, @rows) = @_;

	return "COPY $into FROM stdin;\n"
	  . join('', map { join("\t", map { field($_) } @$_) . "\n" } @rows)
	  . "\\.\n";
}

my $ORDER_COLUMNS =
  '(app_id, order_id, at, action, item, option, months, quantity, refunds, paid)';

sub order_row
{
	my ($app, $order) = @_;

	return [
		$app->{app_id}, $order->{order_id},
		show_instant($order->{at}),
		map { $order->{$_} }
		  qw(action item option months quantity refunds paid)
	];
}

sub literal
{
	my ($value) = @_;

	return 'NULL' if !defined $value;
	$value =~ s/'/''/g;
	return "'$value'";
}

sub insert_of
{
	my ($app, $order) = @_;
	my $row = order_row($app, $order);

	return "INSERT INTO im_order $ORDER_COLUMNS VALUES ("
	  . join(', ', map { literal($_) } @$row) . ");\n";
}

# Everything of a history but what is forbidden.  Rows go in shuffled; the
# orders of every tenth app one transaction each, in their time.
sub load
{
	my ($self, $history) = @_;
	my @apps = @{ $history->{apps} };
	my @tenth = grep { $_->{app_id} % 10 == 0 } @apps;
	my @rest = grep { $_->{app_id} % 10 != 0 } @apps;
	my $text = copy_of('im_rate_card_version', @{ $history->{custom} });

	$text .= copy_of('im_app (app_id, name, rate_card)',
		map { [ $_->{app_id}, "app $_->{app_id}", $_->{card_name} ] } @apps);
	$text .= copy_of("im_order $ORDER_COLUMNS", shuffle(order_rows(@rest)));
	foreach my $app (@tenth)
	{
		$text .= insert_of($app, $_) foreach @{ $app->{orders} };
	}
	$text .= copy_of('im_suspension', suspension_rows(@apps));
	$text .= raw_text(@apps) . daily_text(@apps) . "ANALYZE;\n";
	my ($fine, undef, $err) = $self->script($text, '-v ON_ERROR_STOP=1');
	die "loading: $err" if !$fine;
}

sub order_rows
{
	return map {
		my $app = $_;
		map { order_row($app, $_) } @{ $app->{orders} }
	} @_;
}

sub suspension_rows
{
	my @rows;

	foreach my $app (@_)
	{
		push @rows,
		  [
			$app->{app_id},
			sprintf('[%s,%s)',
				map { defined $_ ? Reference::Calendar::show_day($_) : '' }
				  @$_[ 0, 1 ]),
			$_->[2]
		  ]
		  foreach @{ $app->{suspensions} };
	}
	return @rows;
}

sub raw_text
{
	my (%rows);

	foreach my $app (@_)
	{
		my $id = $app->{app_id};
		my $raw = $app->{raw};
		my $number = 0;

		push @{ $rows{login} }, [ $id, $_->{user}, show_instant($_->{at}) ]
		  foreach @{ $raw->{login} };
		push @{ $rows{group} },
		  [
			$id, 'g' . ++$number,
			map { defined $_ ? show_instant($_) : undef }
			  @$_{qw(created disbanded)}
		  ]
		  foreach @{ $raw->{group} };
		push @{ $rows{check} },
		  [ $id, show_instant($_->{at}), $_->{kind}, $_->{seconds} ]
		  foreach @{ $raw->{check} };
		push @{ $rows{call} },
		  [ $id, show_instant($_->{at}), $_->{class}, $_->{seconds} ]
		  foreach @{ $raw->{call} };
	}
	return
	  copy_of('im_login (app_id, user_id, at)', shuffle(@{ $rows{login} }))
	  . copy_of('im_group (app_id, group_id, created_at, disbanded_at)',
		shuffle(@{ $rows{group} }))
	  . copy_of('im_moderation_check (app_id, at, kind, seconds)',
		shuffle(@{ $rows{check} }))
	  . copy_of('im_call (app_id, at, class, seconds)',
		shuffle(@{ $rows{call} }));
}

# Events of meters by name, as a COPY.
sub event_text
{
	return copy_of('im_event (app_id, meter, at, quantity, subject)',
		map { [ $_->{app_id}, $_->{meter}, show_instant($_->{at}), @$_{qw(quantity subject)} ] } @_);
}

# Rows of im_meter_daily: { app_id, meter, day, quantity, users }.
sub given_text
{
	my (@rows, @users);

	foreach my $row (@_)
	{
		my @key = ($row->{app_id}, Reference::Calendar::show_day($row->{day}), $row->{meter});

		push @rows, [ @key, $row->{quantity}, $row->{users} ? 't' : 'f' ];
		push @users, map { [ @key, $_ ] } @{ $row->{users} };
	}
	return
	    "CREATE TEMP TABLE g (app_id bigint, day date, meter text, quantity numeric, has_users boolean);\n"
	  . "CREATE TEMP TABLE u (app_id bigint, day date, meter text, u text);\n"
	  . copy_of('g', @rows)
	  . copy_of('u', @users)
	  . 'INSERT INTO im_meter_daily (app_id, day, meter, quantity, users) SELECT app_id, day, meter, quantity,'
	  . ' CASE WHEN has_users THEN (SELECT im_userset_agg(u.u) FROM u WHERE (u.app_id, u.day, u.meter)'
	  . " = (g.app_id, g.day, g.meter)) END FROM g;\nDROP TABLE g, u;\n";
}

# Sets of users are made by the extension, from one row a user.
sub daily_text
{
	my @figures = qw(dau peak_groups text_checks image_checks
	  audio_half_minutes video_half_minutes audio_minutes sd_minutes
	  hd_minutes fhd_minutes whole);
	my $columns = join(', ', @figures);
	my (@rows, @users);

	foreach my $app (@_)
	{
		foreach my $day (sort { $a <=> $b } keys %{ $app->{daily} })
		{
			my $row = $app->{daily}{$day};
			my @key = ($app->{app_id}, Reference::Calendar::show_day($day));

			push @rows, [ @key, @$row{@figures} ];
			push @users, map { [ @key, $_ ] } @{ $row->{users} };
		}
	}
	return
	    "CREATE TEMP TABLE daily_users (app_id bigint, day date, u text);\n"
	  . copy_of('daily_users', @users)
	  . copy_of("im_usage_daily (app_id, day, $columns)", @rows)
	  . "UPDATE im_usage_daily d SET users ="
	  . " (SELECT im_userset_agg(u.u) FROM daily_users u"
	  . " WHERE u.app_id = d.app_id AND u.day = d.day);\n";
}

1;
