
# Rule R10: the four bundled card versions, written down once more from the
# rules.  The tests compare them with what the extension brings.

package Reference::Bundled;

use strict;
use warnings;
use JSON::PP;

# [ card, effective_from, JSON ] of each version.
sub all
{
	my $json = JSON::PP->new->canonical;

	return (
		[ 'cn', '2019-12-10', $json->encode(limited(cn('999'))) ],
		[ 'cn', '2024-01-01', $json->encode(limited(cn('1499'))) ],
		[ 'overseas', '2019-12-10', $json->encode(overseas()) ],
		[ 'intl', '2022-12-26', $json->encode(intl()) ]);
}

sub base
{
	my ($currency, %sections) = @_;

	return {
		currency => $currency,
		scale => 2,
		time_zone => 'Asia/Shanghai',
		grace_days => 7,
		%sections
	};
}

sub plan
{
	my ($rank, $price, $block_price) = @_;

	return {
		rank => $rank,
		price => $price,
		dau => {
			included => 10000,
			block => 10000,
			price => $block_price
		},
		groups => {
			included => 100000,
			block => 100000,
			price => $block_price
		}
	};
}

sub trial
{
	return { rank => 0, price => '0' };
}

sub addon
{
	my ($charge, $pro, $flagship) = @_;

	return {
		charge => $charge,
		prices => {
			($pro ? (pro => $pro) : ()),
			($flagship ? (flagship => $flagship) : ())
		}
	};
}

sub cn
{
	my ($pro) = @_;
	my %call = (basic => '500', advanced => '1000', premium => '1500');

	return base(
		'CNY',
		plans => {
			trial => trial(),
			pro => plan(1, $pro, '1000'),
			flagship => plan(2, '2999', '1000')
		},
		addons => {
			avchatroom => addon('prepaid', { '' => '1000' }),
			group_members =>
			  addon('prepaid', { '' => '500' }, { '' => '500' }),
			joined_groups =>
			  addon('prepaid', { '' => '1100' }, { '' => '900' }),
			history_storage => addon(
				'postpaid',
				{
					'30d' => '500',
					'90d' => '1000',
					'180d' => '1500',
					'360d' => '2500'
				},
				{ '90d' => '500', '180d' => '1000', '360d' => '2000' }),
			call => {
				%{ addon('prepaid', {%call}, {%call}) },
				minutes =>
				  { basic => 110000, advanced => 235000, premium => 380000 }
			}
		},
		call_minutes => {
			audio => { ratio => 1, price => '0.007' },
			sd => { ratio => 2, price => '0.014' },
			hd => { ratio => 4, price => '0.028' },
			fhd => { ratio => 15, price => '0.105' }
		},
		local_moderation => '1000',
		moderation => {
			price => '0.0010',
			coefficients => {
				text => '1',
				image => '0.65',
				audio => '15',
				video => '56'
			},
			packs => {
				month => pack_of('1050', 1_100_000, 1),
				year_small => pack_of('9500', 10_000_000, 12),
				year_medium => pack_of('49000', 70_000_000, 12),
				year_large => pack_of('72000', 125_000_000, 12)
			}
		});
}

# The limits of cn (R14), in the order of the rule: trial, pro, flagship.
sub limited
{
	my ($card) = @_;
	my %limits = (
		dau => [ 100, undef, undef ],
		groups => [ 100, undef, undef ],
		users => [ 100, undef, undef ],
		friends => [ 20, 3000, 3000 ],
		joined_groups => [ 50, 500, 1000 ],
		group_members => [ 20, 200, 2000 ],
		live_groups => [ 10, 50, undef ],
		history_days => [ 7, 7, 30 ]);
	my ($plans, $addons) = @$card{qw(plans addons)};
	my @plans = qw(trial pro flagship);

	foreach my $i (0 .. $#plans)
	{
		$plans->{ $plans[$i] }{limits} = { map { $_ => $limits{$_}[$i] } keys %limits };
	}
	$addons->{avchatroom}{limits} = { pro => { live_groups => undef } };
	$addons->{group_members}{limits} =
	  { pro => { group_members => 2000 }, flagship => { group_members => 6000 } };
	$addons->{joined_groups}{limits} =
	  { pro => { joined_groups => 1000 }, flagship => { joined_groups => 3000 } };
	my $storage = $addons->{history_storage};
	foreach my $plan (keys %{ $storage->{prices} })
	{
		$storage->{limits}{$plan} =
		  { map { $_ => { history_days => 0 + s/d$//r } } keys %{ $storage->{prices}{$plan} } };
	}
	return $card;
}

sub pack_of
{
	my ($price, $deductions, $months) = @_;

	return {
		price => $price,
		deductions => $deductions,
		months => $months
	};
}

sub overseas
{
	return base(
		'CNY',
		plans => {
			trial => { %{ trial() }, limits => { dau => 100, groups => 100 } },
			pro => plan(1, '2999', '3000'),
			flagship => plan(2, '5999', '3000')
		},
		addons => {
			avchatroom => addon('prepaid', { '' => '3200' }),
			group_members =>
			  addon('prepaid', { '' => '1700' }, { '' => '1700' }),
			joined_groups =>
			  addon('prepaid', { '' => '3200' }, { '' => '3200' }),
			history_storage => addon(
				'postpaid',
				{
					'30d' => '700',
					'90d' => '1280',
					'180d' => '1920',
					'360d' => '2850'
				},
				{ '90d' => '700', '180d' => '1280', '360d' => '2280' })
		});
}

sub intl
{
	my $mau = { included => 10000, block => 1, price => '0.015' };

	return base(
		'USD',
		plans => {
			developer => trial(),
			standard => { rank => 1, price => '399', mau => {%$mau} },
			premium => { rank => 2, price => '699', mau => {%$mau} }
		});
}

1;
