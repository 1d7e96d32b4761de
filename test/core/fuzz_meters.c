/*
 * fuzz_meters.c
 *	  Random events of meters by name against a plain reading of R12: what stands on
 *	  through days, what a month comes to, and how the lines of a charge add up.
 */
#include <stdlib.h>
#include <time.h>

#include "core/bill/meter_month.h"
#include "fixture.h"

#define DAYS	62				/* January and February 2023 */
#define EVENTS	40
#define HOUR	(3600 * INT64_C(1000000))

typedef struct Event
{
	int64_t		at;				/* microseconds since the first day began */
	Amount		quantity;
} Event;

static uint64_t state;
static Event events[EVENTS];
static int	nevents;
static int64_t begins[DAYS + 1];	/* of days, of 23 to 25 hours */

static int
draw(int below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (int) (state % (uint64_t) below);
}

static Amount
draw_amount(void)
{
	return draw(3) == 0 ? amount_of(draw(50)) : (Amount) draw(1000000000) * (1 + draw(100));
}

static int
compare_events(const void *a, const void *b)
{
	const Event *x = a,
			   *y = b;

	return x->at != y->at ? (x->at > y->at) - (x->at < y->at) : (x->quantity > y->quantity) - (x->quantity < y->quantity);
}

static void
draw_events(void)
{
	for (int i = 0; i < DAYS; i++)
		begins[i + 1] = begins[i] + (draw(10) == 0 ? 23 + 2 * draw(2) : 24) * HOUR;
	nevents = draw(EVENTS);
	for (int i = 0; i < nevents; i++)
	{
		int64_t		day = draw(DAYS);

		events[i] = (Event) {begins[day] + (draw(4) == 0 ? 0 : draw(23) * HOUR + draw(1000000)), draw_amount()};
	}
	qsort(events, (size_t) nevents, sizeof(Event), compare_events);
}

/* What stands at an instant, events of that instant included: of several the largest. */
static Amount
stands_at(int64_t at)
{
	Amount		stands = 0;

	for (int i = 0; i < nevents && events[i].at <= at; i++)
		stands = events[i].quantity;
	return stands;
}

static bool
is_on(int event, int day)
{
	return events[event].at >= begins[day] && events[event].at < begins[day + 1];
}

/* The average of a day by walking through all its instants of change. */
static Amount
plain_average(int day)
{
	int64_t		from = begins[day];
	Amount		area = 0,
				length = begins[day + 1] - begins[day];

	for (int i = 0; i < nevents; i++)
		if (is_on(i, day))
		{
			area += stands_at(from) * (events[i].at - from);
			from = events[i].at;
		}
	area += stands_at(from) * (begins[day + 1] - from);
	return (2 * area + length) / (2 * length);
}

static Amount
plain_figure(MeterKind kind, int day)
{
	Amount		sum = 0,
				most = 0;

	for (int i = 0; i < nevents; i++)
		if (is_on(i, day))
		{
			sum += events[i].quantity;
			most = events[i].quantity > most ? events[i].quantity : most;
		}
	switch (kind)
	{
		case METER_SUM:
			return sum;
		case METER_MAX:
			return most;
		case METER_LAST:
			return stands_at(begins[day + 1] - 1);
		default:
			return plain_average(day);
	}
}

/* What is kept of a day: nothing that was carried in. */
static void
put_day(const char *name, MeterKind kind, int day)
{
	MeterDay	kept = {.length = begins[day + 1] - begins[day], .before = -1};

	for (int i = 0; i < nevents; i++)
	{
		int64_t		next = i + 1 < nevents && is_on(i + 1, day) ? events[i + 1].at : begins[day + 1];

		if (!is_on(i, day))
			continue;
		kept.before = kept.has_events ? kept.before : events[i].at - begins[day];
		kept.has_events = true;
		kept.area += events[i].quantity * (next - events[i].at);
		kept.quantity = kind == METER_SUM ? kept.quantity + events[i].quantity :
			kind == METER_MAX && kept.quantity > events[i].quantity ? kept.quantity : events[i].quantity;
	}
	if (kept.has_events)
	{
		kept.day = day_of("2023-01-01") + day;
		*meter_day(name, "2023-01-01") = kept;
	}
}

/* ---- the card ---- */

static const MeterKind day_kinds[] = {METER_SUM, METER_MAX, METER_LAST, METER_AVERAGE};
static const char *const names[] = {"sums", "peaks", "seats", "disk"};
static CardMeter meters[4];
static CardPlan plans[2];
static Card card;
static CardVersion versions[1];
static const CardHistory history = {"others", 1, versions};

static Charge *
draw_charge(void)
{
	Charge	   *charge = core_alloc(&app.test.core, sizeof(Charge));
	Amount		to = 0;

	*charge = (Charge) {.mode = draw(2) ? CHARGE_VOLUME : CHARGE_GRADUATED, .round = draw(3), .ntiers = 1 + draw(3),
		.included = draw(2) ? draw_amount() / 8 : 0, .has_minimum = draw(4) == 0, .minimum = draw_amount(),
	.has_maximum = draw(4) == 0};
	charge->maximum = charge->minimum + draw_amount();
	if (draw(4) == 0)
	{
		charge->share_of = names[draw(4)];
		charge->share = draw(30000000);
	}
	charge->tiers = core_alloc(&app.test.core, sizeof(ChargeTier) * 3);
	for (int i = 0; i < charge->ntiers; i++)
	{
		to += 1 + draw_amount() / 16;
		charge->tiers[i] = (ChargeTier) {i + 1 < charge->ntiers, to, draw(2) ? 1 + draw_amount() / 32 : 0,
			draw_amount() / 64, draw(3) ? 0 : draw_amount(), charge->mode == CHARGE_VOLUME && draw(2)};
	}
	return charge;
}

static void
draw_card(void)
{
	begin(&history);
	plans[0] = (CardPlan) {.name = "free"};
	plans[1] = (CardPlan) {.name = "start", .rank = 1, .price = AMOUNT_ONE};
	for (int i = 0; i < 4; i++)
	{
		static const MeterKind months[] = {METER_SUM, METER_MAX, METER_LAST, METER_AVERAGE};

		meters[i] = (CardMeter) {names[i], day_kinds[i], months[draw(4)]};
		price_usage(&plans[1], names[i], draw_charge());
	}
	card = (Card) {.currency = "EUR", .scale = 2, .time_zone = "UTC", .nplans = 2, .plans = plans,
	.nmeters = 4, .meters = meters};
	versions[0] = (CardVersion) {day_of("2020-01-01"), &card};
	buy(draw(2) ? "2022-12-20" : "2023-02-05", ITEM_PLAN, "start", 1 + draw(3));
	if (draw(3) == 0)
		app.suspensions[app.nsuspensions++] = (Suspension) {day_of("2023-02-01") + draw(28), day_of("2023-02-01") + draw(40)};
	for (int i = 0; i < 4; i++)
		for (int day = 0; day < DAYS; day++)
			put_day(names[i], day_kinds[i], day);
}

/* ---- what must hold ---- */

static bool
figures_are_plain(void)
{
	Usage		usage = {.nmeters = app.nmeters, .meters = app.meters};
	int			since = draw(DAYS);

	for (int i = 0; i < 4; i++)
	{
		MeterFigure *figures = meter_figures(&app.test.core, usage_meter(&app.test.core, &usage, names[i]),
											 day_kinds[i], day_of("2023-01-01") + since, DAYS - since);

		for (int day = since; day < DAYS; day++)
			if (figures[day - since].figure != plain_figure(day_kinds[i], day))
				return false;
	}
	return true;
}

/* A day of February that counts (R3), 0 the first. */
static bool
counts(const Account *account, int day)
{
	const char *plan;
	ServiceState on = account_state(account, day_of("2023-02-01") + day, &plan);

	return on == STATE_ACTIVE || on == STATE_GRACE;
}

static bool
has_event(int day)
{
	for (int i = 0; i < nevents; i++)
		if (is_on(i, day))
			return true;
	return false;
}

static Amount
plain_quantity(const Account *account, const CardMeter *meter, int *ncounting)
{
	Amount		sum = 0,
				most = 0,
				last = 0;

	*ncounting = 0;
	for (int day = 0; day < 28; day++)
	{
		Amount		figure = plain_figure(meter->day, 31 + day);

		if (!counts(account, day))
			continue;
		++*ncounting;
		sum += figure;
		most = figure > most ? figure : most;
		if (meter_stands(meter->day) || has_event(31 + day))
			last = figure;
	}
	if (meter->month == METER_AVERAGE)
		return *ncounting == 0 ? 0 : (2 * sum + *ncounting) / (2 * *ncounting);
	return meter->month == METER_SUM ? sum : meter->month == METER_MAX ? most : last;
}

/* The lines of each meter have its quantity, and the amount of its charge, shared where the app was stopped. */
static bool
meter_is_plain(const Bill *bill, int i)
{
	Core	   *core = &app.test.core;
	const Charge *charge = plan_charge(&plans[1], names[i]);
	int			ncounting;
	Amount		quantity = plain_quantity(bill->account, &meters[i], &ncounting),
				billed = 0,
				amount = 0,
				off;
	ChargeResult rated;

	for (int l = 0; l < bill->nlines; l++)
		if (strcmp(bill->lines[l].item, names[i]) == 0)
		{
			billed += bill->lines[l].quantity;
			amount += bill->lines[l].amount;
		}
	if (ncounting == 0)
		return billed == 0 && amount == 0;
	off = charge->share_of == NULL ? charge->included :
		charge_included(core, charge, plain_quantity(bill->account, card_meter(&card, charge->share_of), &ncounting));
	rated = charge_rate(core, charge, quantity, off);
	if (bill->service.out_at_end && meters[i].month != METER_SUM)
	{
		Amount		shared = 0;

		for (int l = 0; l < rated.nlines; l++)
			shared += amount_ratio(core, rated.lines[l].amount * ncounting, 28, 1);
		return billed == quantity && amount == shared;
	}
	return billed == quantity && amount == rated.amount;
}

static bool
bill_is_plain(void)
{
	const Bill *bill = compute_bill(month_of("2023-02"), false, app.cards);

	for (int i = 0; i < 4; i++)
		if (!meter_is_plain(bill, i))
			return false;
	return true;
}

int
main(int argc, char **argv)
{
	uint64_t	seed = argc > 1 ? strtoull(argv[1], NULL, 10) : (uint64_t) time(NULL);
	static int	figures,
				bills;
	const int	tries = 3000;

	printf("# seed %llu\n", (unsigned long long) seed);
	state = seed * 2 + 1;
	for (int i = 0; i < tries; i++)
	{
		draw_events();
		draw_card();
		if (TRY_CORE(&app.test))
		{
			figures += figures_are_plain();
			bills += bill_is_plain();
		}
	}
	ok(figures == tries, "days come to something else than their instants");
	ok(bills == tries, "months of meters are billed in another way than R12 says");
	return done_testing();
}
