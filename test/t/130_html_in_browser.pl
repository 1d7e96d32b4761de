#!/usr/bin/perl
#
# 130_html_in_browser.pl
#	  Bills, documents and accounts in headless Chromium: no console message, no request, the right total
#	  in the DOM, a picture that is not blank, and A4 pages on paper.
#
# Skipped where there is no Chromium.  IMBILLING_BROWSER names another program.
# With IMBILLING_PICTURES=DIR (PICTURES=DIR of make test) more pictures are
# taken, to be looked at: light, dark, as wide as a phone, empty and crowded.
# bill.png of that folder is the picture of the README: doc/bill.png.
use strict;
use warnings;

use Encode qw(decode);
use File::Temp qw(tempdir);
use FindBin;
use lib $FindBin::Bin;
use IPC::Run ();
use JSON::PP ();
use Test::More;
use BillingData;

my ($browser) = grep { -x $_ } map { my $name = $_; $name =~ m{/} ? $name : map { "$_/$name" } split(/:/, $ENV{PATH}) }
  grep { defined } $ENV{IMBILLING_BROWSER}, qw(chromium chromium-browser google-chrome google-chrome-stable);
plan(skip_all => 'there is no Chromium here: apt-get install chromium, or set IMBILLING_BROWSER') if !$browser;

binmode(Test::More->builder->$_, ':utf8') foreach qw(output failure_output todo_output);
my $folder = tempdir(CLEANUP => 1);
my $pictures = $ENV{IMBILLING_PICTURES};

sub spill
{
	my ($name, $text) = @_;

	open(my $out, '>:raw', "$folder/$name") or die "$name: $!";
	print $out $text;
	close($out) or die "$name: $!";
	return "file://$folder/$name";
}

sub slurp
{
	my ($file) = @_;

	open(my $in, '<:raw', $file) or return '';
	local $/ = undef;
	return scalar <$in>;
}

# Runs the browser on a page: what it prints, and what it says on its error channel.
# The sandbox needs rights that a test has not; the pages are our own.
sub browse
{
	my ($url, @option) = @_;
	my ($out, $err) = ('', '');
	my @command = ($browser, qw(--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run
		--disable-background-networking --disable-component-update --disable-default-apps --disable-extensions
		--disable-sync --metrics-recording-only --no-pings --mute-audio --hide-scrollbars
		--enable-logging=stderr), '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1', "--user-data-dir=$folder/profile", @option, $url);

	local $ENV{HOME} = $folder;
	eval { IPC::Run::run(\@command, '>', \$out, '2>', \$err, IPC::Run::timeout(120)); 1 } or diag("$browser: $@");
	return (decode('UTF-8', $out), decode('UTF-8', $err));
}

# What a page logs to the console.
sub console_of
{
	return join '', grep { /:CONSOLE[(:]/ } split(/^/, $_[0]);
}

# The requests of a page, by the browser's own log.  What the browser asks for
# itself, such as its updates, has no origin; no name is resolved anyway.
sub requests_of
{
	my $log = slurp("$folder/net.json");
	my $net = eval { JSON::PP->new->decode($log) } // eval { JSON::PP->new->decode("$log]}") };
	return 'no log' if !$net;
	my $start = $net->{constants}{logEventTypes}{URL_REQUEST_START_JOB};
	my %urls = map { $_->{params}{url} => 1 }
	  grep { $_->{type} == $start && ($_->{params}{url} // 'file:') !~ /^(file|data|about):/
		  && ($_->{params}{initiator} // '') ne 'not an origin' }
	  @{ $net->{events} };
	return join ' ', sort keys %urls;
}

# Loads a page: its DOM, its console and its requests.
sub load
{
	my ($url) = @_;

	unlink "$folder/net.json";
	my ($dom, $said) = browse($url, '--dump-dom', "--log-net-log=$folder/net.json", '--net-log-capture-mode=Everything');
	return ($dom, console_of($said), requests_of());
}

sub picture
{
	my ($url, $name, $width, $height, @option) = @_;
	my $file = "$folder/$name.png";

	browse($url, "--window-size=$width,$height", "--screenshot=$file", @option);
	my $png = slurp($file);
	if ($pictures) { require File::Copy; File::Copy::copy($file, "$pictures/$name.png"); }
	my ($w, $h) = length $png > 24 ? unpack('x16 NN', $png) : (0, 0);
	return ($w, $h, length $png);
}

# A page that does what none of ours may: the checks below can see it.
my $bad = spill('bad.html', '<p id=x>no</p><script>console.error("seen"); document.getElementById("x").textContent = "ran"</script>'
	  . '<img src="http://127.0.0.1:9/leak.png">');
my ($dom, $console, $requests) = load($bad);
like($dom, qr/>ran</, 'a script would be seen');
like($console, qr/seen/, 'so would a message on the console');
like($requests, qr{http://127\.0\.0\.1:9/leak\.png}, 'and a request');

# The app of the README, one with everything, and empty ones, of which one has a hostile name.
my $db = create_database('html');
psql_ok($db, 'CREATE EXTENSION imbilling; SELECT im_create_tables();', 'tables are made');
my ($app_1003) = slurp("$FindBin::Bin/../../README.md") =~ /^```sql\n((?:(?!```).)*INSERT INTO im_app \(app_id, name\) VALUES \(1003.*?)^```/ms;
ok($app_1003, 'the README makes app 1003');
psql_ok($db, $app_1003 // 'SELECT', 'as it does');
psql_ok($db, <<'SQL', 'and more apps');
SET timezone = 'Asia/Shanghai';
INSERT INTO im_app (app_id, name) VALUES (1, 'Crowd'), (2, 'Quiet'),
	(3, E'</title><script>console.error(1)</script><img src="http://127.0.0.1:9/leak.png" onerror="console.error(2)">"''&\x01');
INSERT INTO im_order (app_id, order_id, at, action, item, option, months, quantity, paid) VALUES
	(1, 1, '2023-03-01 10:00', 'buy', 'plan', 'pro', 12, 1, 11000), (1, 2, '2023-03-02 10:00', 'buy', 'avchatroom', '', 1, 1, NULL),
	(1, 3, '2023-03-02 10:00', 'buy', 'group_members', '', 1, 1, NULL), (1, 4, '2023-03-02 10:00', 'buy', 'joined_groups', '', 2, 1, NULL),
	(1, 5, '2023-03-02 10:00', 'buy', 'call', 'basic', 1, 1, NULL), (1, 6, '2023-03-02 10:00', 'on', 'history_storage', '90d', NULL, 1, NULL),
	(1, 7, '2023-03-02 10:00', 'on', 'moderation', '', NULL, 1, NULL), (1, 8, '2023-03-03 10:00', 'buy', 'local_moderation', '', 1, 1, NULL),
	(1, 9, '2023-03-03 10:00', 'buy', 'moderation_pack', 'month', NULL, 6, NULL), (1, 11, '2023-03-20 10:00', 'upgrade', 'plan', 'flagship', NULL, 1, NULL);
INSERT INTO im_order (app_id, order_id, at, action, item, refunds) VALUES (1, 12, '2023-03-21 10:00', 'refund', 'group_members', 3);
INSERT INTO im_suspension VALUES (1, '[2023-03-25,2023-03-27)', 'arrears');
INSERT INTO im_usage_daily (app_id, day, dau, peak_groups, text_checks, audio_half_minutes, audio_minutes, sd_minutes, hd_minutes, fhd_minutes)
SELECT 1, date '2023-03-01' + n, 9000 + n * 7919 % 6000, 90000 + 1000 * n, 300000 + n * 611953 % 90000, 7, 2000 + n * 37 % 900, 900, 700, 30 FROM generate_series(0, 30) n;
SQL

# A page as psql writes it for the reader: url, total and lines as SQL has them.
sub page
{
	my ($name, $app, $lang) = @_;
	my $html = '';

	local $ENV{PGCLIENTENCODING} = 'UTF8';
	IPC::Run::run([ 'psql', '-AtX', '-d', $db, '-c', "SELECT im_bill_html($app, '2023-03', '$lang')" ], '>', \$html);
	return (spill("$name.html", $html),
		psql($db, "SELECT im_internal.im_html_number(im_monthly_total($app, '2023-03'), 2), count(*) FROM im_monthly_bill($app, '2023-03')"));
}

sub check
{
	my ($name, $app, $lang) = @_;
	my ($url, $wanted) = page($name, $app, $lang);
	my ($total, $lines) = split(/\|/, $wanted);
	my ($dom, $console, $requests) = load($url);
	my ($sum) = $dom =~ m{<data id="total" value="[^"]*">([^<]*)</data>};
	my $rows = () = $dom =~ m{<td role="cell" class="no">}g;

	is($sum, $total, "$name: the total is $total");
	is($rows, $lines, "$name: $lines lines");
	is($console, '', "$name: nothing on the console");
	is($requests, '', "$name: no request leaves the page");
	return ($url, $dom);
}

# How far a page and its tables are wider than a window of each width: the page
# in frames, which tell what they find.  Its policy allows no script, so this is
# a copy without it.
sub overflow_of
{
	my ($url) = @_;
	my $html = slurp($url =~ s{^file://}{}r);
	my @widths = (320, 360, 414, 600, 768, 820, 897, 960, 1024, 1280, 1600);

	$html =~ s/<meta http-equiv="Content-Security-Policy"[^>]*>//;
	$html .= '<script>addEventListener("load", () => { const w = document.documentElement.clientWidth;'
	  . 'let over = [...document.querySelectorAll("main, table, td, th, dd, h1, p, svg")].filter(e => {'
	  . ' const r = e.getBoundingClientRect(); return getComputedStyle(e).position !== "absolute" && !e.closest("thead, caption") && r.width > 0 && r.right > w + 1 }).map(e => e.tagName + "." + e.className);'
	  . '[...document.querySelectorAll(".scroll, .plot")].forEach(e => { if (e.scrollWidth > e.clientWidth + 1) over.push(e.firstElementChild.className) });'
	  . 'parent.postMessage(w + ": " + [...new Set(over)].join(" "), "*") })</script>';
	my $frame = spill('frame.html', $html);
	my $frames = spill('frames.html', '<pre id=said></pre><script>let n = 0; addEventListener("message", e => { n++;'
		  . 'if (!/: $/.test(e.data)) said.textContent += e.data + "\n"; if (n === ' . @widths . ') said.textContent += "all" })</script>'
		  . join('', map { qq{<iframe src="$frame" width="$_" height="600" style="border:0"></iframe>} } @widths));
	my ($dom) = browse($frames, '--dump-dom', '--virtual-time-budget=20000', '--window-size=2000,900');

	return $dom =~ m{<pre id="said">([^<]*)</pre>} ? $1 : 'nothing was said';
}

my ($normal, undef) = check('normal', 1003, 'en');
my ($crowded) = check('crowded', 1, 'zh');
my (undef, $empty) = check('empty', 3, 'en');
like($empty, qr/<p>Nothing to bill<\/p>/, 'empty: says that there is nothing');
unlike($empty, qr/<script|<img/i, 'a hostile name is no markup');
like($empty, qr{<bdi>&lt;/title&gt;&lt;script&gt;.*\x{FFFD}</bdi>}, 'but there as it is');

# Documents as they were issued.
psql_ok($db, <<'SQL', 'a month is closed and adjusted');
SET client_min_messages = warning;
INSERT INTO im_series (series) VALUES ('SH1');
INSERT INTO im_account (account_id, name) VALUES (7, 'Crowd, Quiet & 1003 Ltd'), (8, 'Nobody'),
	(9, E'</title><script>console.error(1)</script><img src="http://127.0.0.1:9/leak.png" onerror="console.error(2)">"''&'),
	(9223372036854775807, repeat('Wide', 50));
INSERT INTO im_app (app_id, name, rate_card) VALUES (-9223372036854775808, repeat('name', 40), 'cn'), (5, 'In dollars', 'intl');
INSERT INTO im_order (app_id, order_id, at, action, item, option, months, paid) VALUES
	(-9223372036854775808, -9223372036854775808, '2023-03-01 10:00+08', 'buy', 'plan', 'pro', 1200, 999999999999.12345678),
	(5, 1, '2023-03-01 10:00+08', 'buy', 'plan', 'standard', 1, NULL), (5, 2, '2023-03-02 10:00+08', 'credit', 'manual', repeat('x', 255), NULL, 12.3456);
UPDATE im_app SET account_id = CASE app_id WHEN 3 THEN 9 WHEN -9223372036854775808 THEN 9223372036854775807 ELSE 7 END;
CALL im_close_month('2023-03');
INSERT INTO im_order (app_id, order_id, at, action, item, option, months, quantity) VALUES (1, 20, '2023-03-28 10:00+08', 'buy', 'local_moderation', '', 1, 1);
DELETE FROM im_usage_daily WHERE app_id = 1 AND day = '2023-03-31';
CALL im_adjust_month('2023-03');
SQL
my %page_of = (
	invoice => [ q{im_document_html(1003, '2023-03', 0, 'en')}, qr/<dt>Number<\/dt><dd>SH1-CNY-\d{4}-\d{8}<\/dd>/ ],
	note => [ q{im_document_html(1, '2023-03', 1, 'en')}, qr/<dt>Corrects<\/dt><dd>invoice SH1-CNY-\d{4}-\d{8} of <time>/ ],
	note_zh => [ q{im_document_html(1, '2023-03', 1, 'zh')}, qr/<dt>\x{66F4}\x{6B63}<\/dt>/ ],
	invoice_crowded => [ q{im_document_html(1, '2023-03', 0, 'en')}, qr/<dt>Number<\/dt>/ ],
	invoice_wide => [ q{im_document_html(-9223372036854775808, '2023-03', 0, 'zh')}, qr/999,999,999,999\.12/ ],
	account => [ q{im_account_html(7, '2023-03', 'en')}, qr/Crowd, Quiet &amp; 1003 Ltd/ ],
	account_zh => [ q{im_account_html(7, '2023-03', 'zh')}, qr/Crowd, Quiet &amp; 1003 Ltd/ ],
	account_empty => [ q{im_account_html(8, '2023-03', 'en')}, qr/Nothing to bill/ ],
	account_hostile => [ q{im_account_html(9, '2023-03', 'en')}, qr{&lt;/title&gt;&lt;script&gt;} ],
	account_wide => [ q{im_account_html(9223372036854775807, '2023-03', 'en')}, qr/WideWideWide/ ],
	month => [ q{im_month_html('2023-03')}, qr/<h2 id="apps">/ ]);
my %url_of = (normal => $normal, crowded => $crowded, empty => "file://$folder/empty.html");
foreach my $name (sort keys %page_of)
{
	my ($call, $wanted) = @{ $page_of{$name} };
	my $html = '';

	local $ENV{PGCLIENTENCODING} = 'UTF8';
	IPC::Run::run([ 'psql', '-AtX', '-d', $db, '-c', "SELECT $call" ], '>', \$html);
	$url_of{$name} = spill("$name.html", $html);
	my ($dom, $console, $requests) = load($url_of{$name});
	like($dom, $wanted, "$name: says what it is of");
	is("$console$requests", '', "$name: nothing on the console, no request");
}
is(overflow_of($url_of{$_}), 'all', "$_: no column is cut off from 320 px on") for sort keys %url_of;
is(overflow_of(spill('wide.html', '<main><table><td style="white-space:nowrap">' . 'wide ' x 100 . '</td></table></main>')) =~ /^320: .*TD/, 1, 'one that is would be seen');

# The picture of the README.
my ($w, $h, $bytes) = picture($normal, 'bill', 960, 1180);
is("$w x $h", '960 x 1180', 'a picture is taken');
cmp_ok($bytes, '>', 30_000, 'and it is not blank');

# On paper: A4, the days on a sheet of their own.
browse($crowded, "--print-to-pdf=$folder/bill.pdf", '--no-pdf-header-footer');
my $pdf = slurp("$folder/bill.pdf");
my @boxes = $pdf =~ m{/MediaBox\s*\[0 0 ([\d.]+ [\d.]+)\]}g;
like($pdf, qr/^%PDF/, 'a page prints');
ok(@boxes >= 3 && @boxes <= 5, 'on some sheets') or diag(scalar @boxes);
is_deeply([ grep { my ($x, $y) = split / /; abs($x - 595.28) > 1 || abs($y - 841.89) > 1 } @boxes ], [], 'of A4');

if ($pictures)
{
	my @dark = ('--blink-settings=preferredColorScheme=0');

	require File::Copy;
	File::Copy::copy("$folder/bill.pdf", "$pictures/crowded.pdf");
	picture($normal, 'normal-dark', 960, 1180, @dark);
	picture($normal, 'normal-phone', 390, 2400);
	picture($crowded, 'crowded', 1060, 3600);
	picture($crowded, 'crowded-dark', 1060, 3600, @dark);
	picture($crowded, 'crowded-phone', 390, 6000);
	my ($quiet) = page('quiet', 2, 'en');
	picture($quiet, 'empty', 960, 520);
	picture($quiet, 'empty-dark', 960, 520, @dark);
	picture($url_of{month}, 'month', 960, 1100);
	foreach my $name (qw(invoice note note_zh account account_zh account_empty account_wide invoice_wide))
	{
		picture($url_of{$name}, $name, 960, 1180);
		picture($url_of{$name}, "$name-dark", 960, 1180, @dark);
		picture($url_of{$name}, "$name-320", 500, 1800);
	}
	browse($url_of{$_}, "--print-to-pdf=$pictures/$_.pdf", '--no-pdf-header-footer') foreach qw(note account);
}
done_testing();
