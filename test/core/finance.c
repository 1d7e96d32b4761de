/*
 * finance.c
 *	  What finance asks of the core: quotes, other plans, standings.
 */
#include "fixture.h"

#include "core/bill/plan_choice.h"
#include "core/finance/quote.h"
#include "core/finance/standing.h"

/* Lines of all months of a quote. */
static const char *
quote_text(const QuoteRequest *request)
{
	static char buf[8000];
	static int	at;				/* TRY_CORE would not keep it in a register */
	Quote	   *quote;

	begin(&cards.cn);
	buf[at = 0] = '\0';
	if (!TRY_CORE(&app.test))
		return app.test.problem.message;
	quote = quote_open(&app.test.core, request);
	for (int n = 0; n < request->months; n++)
	{
		const Bill *bill = quote_bill(quote, n);

		for (int i = 0; i < bill->nlines; i++)
			at += print_line(buf + at, sizeof(buf) - at, &bill->lines[i]);
	}
	return buf;
}

static void
test_quotes(void)
{
	static const QuoteItem items[] = {{"history_storage", "90d", 0, 1}, {"call", "basic", 1, 1},
	{ITEM_PACK, "month", 0, 2}, {ITEM_LOCAL_MODERATION, "", 2, 1}};

	is(quote_text(&(QuoteRequest) {.card = &cn, .plan = "pro", .months = 1}),
	   "plan pro 1-0=1 1*999=999\n", "a quote of a plan alone has more");
	is(quote_text(&(QuoteRequest) {.card = &cn, .plan = "trial", .months = 2, .peak_dau = 500}),
	   "", "the free plan is ordered, or its usage is charged");
	is(quote_text(&(QuoteRequest) {.card = &cn, .plan = "pro", .months = 2, .peak_dau = 10001,
				   .deductions = PRICE("2200000.5"), .call_minutes = {[CALL_SD] = 55001},
				   .nitems = LENGTH(items), .items = items}),
	   "plan pro 2-0=2 2*999=1998\n"
	   "dau_overage pro 10001-10000=1 1*1000=1000\n"
	   "call basic 1-0=1 1*500=500\n"
	   "history_storage 90d 1-0=1 1*1000=1000\n"
	   "call_minutes sd 55001-55000=1 1*0.014=0.014\n"
	   "local_moderation 2-0=2 2*1000=2000\n"
	   "moderation_pack month 2-0=2 2*1050=2100\n"
	   "moderation 2200000.5-2200000=0.5 0.5*0.001=0.0005\n"
	   "dau_overage pro 10001-10000=1 1*1000=1000\n"
	   "history_storage 90d 1-0=1 1*1000=1000\n"
	   "call_minutes sd 55001-0=55001 55001*0.014=770.014\n"
	   "moderation 2200000.5-0=2200000.5 2200000.5*0.001=2200.0005\n",
	   "a month of a quote is billed otherwise than that of an app");
	is(quote_text(&(QuoteRequest) {.card = &intl, .plan = "standard", .months = 1, .peak_dau = 10002}),
	   "plan standard 1-0=1 1*399=399\nmau_overage standard 10002-10000=2 2*0.015=0.03\n",
	   "the peak does not stand for the users of the month");
	is(quote_text(&(QuoteRequest) {.card = &cn, .plan = "pro", .months = 1,
				   .nitems = 1, .items = &(QuoteItem) {"unicorn", "", 1, 1}}),
	   "order 2 of app 0 is refused: unknown item \"unicorn\"", "the core takes what the card does not sell");
}

/* Each plan of the card as "plan total lacks", the held one with a star. */
static const char *
choices(const char *month)
{
	static char buf[4000];
	static int	at;
	char		total[AMOUNT_TEXT_SIZE];
	const Bill *real;

	buf[at = 0] = '\0';
	if (!TRY_CORE(&app.test))
		return app.test.problem.message;
	real = compute_bill(month_of(month), false, app.cards);
	for (int i = 0; i < real->card->nplans; i++)
	{
		PlanChoice	choice = plan_choice(real, &real->card->plans[i]);

		at += snprintf(buf + at, sizeof(buf) - at, "%s%s %s%s%s\n", choice.plan->name, choice.held ? "*" : "",
					   amount_text(bill_total(choice.bill), 0, total), choice.lacks[0] ? " " : "", choice.lacks);
	}
	return buf;
}

static void
test_plan_choices(void)
{
	begin(&cards.cn);
	is(choices("2023-03"), "trial* 0\npro 999\nflagship 2999\n", "an app without anything costs more than its plan");

	begin(&cards.cn);
	buy("2023-01-15", "plan", "pro", 12);
	buy("2023-03-20", "avchatroom", "", 1);
	switch_on("2023-02-01", "history_storage", "90d");
	use("2023-03-31", USAGE_DAU, 10001);
	is(choices("2023-03"), "trial 0 avchatroom is not sold on it; history_storage 90d is not sold on it; "
	   "it carries at most 100 users a day, and there were 10001 on 2023-03-31\n"
	   "pro* 3999\nflagship 4499 avchatroom is not sold on it\n", "plans are rated with other add-ons than were held");
	is(choices("2023-05"), "trial 0 history_storage 90d is not sold on it\npro* 1999\nflagship 3499\n",
	   "an add-on that ended is held");

	/* stopped from 02-17 on: what was checked then took nothing from the pack */
	begin(&cards.cn);
	buy("2023-01-10", "plan", "pro", 1);
	switch_on("2023-01-10", ITEM_MODERATION, "");
	buy_packs("2023-02-15", "month", 1);
	use("2023-02-16", USAGE_TEXT, 1000000);
	use("2023-02-20", USAGE_TEXT, 90000);
	use("2023-03-01", USAGE_TEXT, 101000);
	is(choices("2023-03"), "trial 1\npro 1000\nflagship 3000\n", "days out of service took from a pack");
}

static char standings[4000];

static void
print_standing(void *arg, const Standing *standing)
{
	char		used[AMOUNT_TEXT_SIZE],
				allowed[AMOUNT_TEXT_SIZE],
				day[CAL_TEXT_SIZE];
	size_t		at = strlen(standings);

	(void) arg;
	snprintf(standings + at, sizeof(standings) - at, "%s %s %s/%s %s\n", standing_kind_names[standing->kind],
			 standing->option[0] ? standing->option : standing->item,
			 amount_text(standing->used, 0, used), amount_text(standing->allowed, 0, allowed),
			 cal_day_text(standing->day, day));
}

static const char *
standing_on(const char *day)
{
	CalDay		today = day_of(day);
	const Bill *bill;

	standings[0] = '\0';
	if (!TRY_CORE(&app.test))
		return app.test.problem.message;
	bill = compute_bill(cal_month_of(today), false, app.cards);
	standing_of_usage(bill, today, print_standing, NULL);
	standing_of_terms(open_until(today + 1, false, app.cards), today, print_standing, NULL);
	return standings;
}

static void
test_standings(void)
{
	begin(&cards.cn);
	is(standing_on("2023-03-31"), "", "an app without anything stands somewhere");
	use("2023-03-05", USAGE_DAU, 99);
	use("2023-03-06", USAGE_GROUPS, 101);
	is(standing_on("2023-03-31"), "dau trial 99/100 2023-03-05\ngroups trial 101/100 2023-03-06\n",
	   "the limits of the free plan are not told");

	begin(&cards.cn);
	buy("2023-03-01", "plan", "pro", 1);
	buy("2023-03-10", "call", "premium", 2);
	buy_packs("2023-03-01", "month", 1);
	switch_on("2023-03-01", ITEM_MODERATION, "");
	use("2023-03-05", USAGE_DAU, 5000);
	use("2023-03-06", USAGE_TEXT, 1000);
	use("2023-03-12", USAGE_CALL_FHD, 10);
	is(standing_on("2023-03-15"), "dau pro 5000/10000 2023-03-05\ncall_minutes call_minutes 150/380000 2023-03-15\n"
	   "moderation_pack moderation 1000/1100000 2023-03-15\nterm pro 15/31 2023-03-31\n"
	   "term premium 6/61 2023-05-09\nterm month 15/31 2023-03-31\n", "a figure of a day in the middle differs");
	is(standing_on("2023-04-07"), "call_minutes call_minutes 150/380000 2023-04-07\nterm premium 29/61 2023-05-09\n"
	   "grace pro 7/7 2023-04-07\n", "the grace is not told, or a pack that ended is");
	buy("2023-03-20", "plan", "pro", 3);
	is(standing_on("2023-03-21"), "dau pro 5000/10000 2023-03-05\ncall_minutes call_minutes 150/380000 2023-03-21\n"
	   "moderation_pack moderation 1000/1100000 2023-03-21\nterm premium 12/61 2023-05-09\nterm month 21/31 2023-03-31\n",
	   "a term that is renewed is told");
}

int
main(void)
{
	make_cards();
	test_quotes();
	test_plan_choices();
	test_standings();
	begin(NULL);
	return done_testing();
}
