/*
 * account.h
 *	  What an app's orders have come to: terms, upgrades, refunds, switches.
 *
 * An Account is a pure function of a rate card's versions, the order log and
 * the suspensions.  The log is replayed order by order (R2: they take effect
 * one after the other, by time, then order_id); each order is checked
 * against the state that those before it left.  Orders of later days never
 * change what an earlier day came to, so a bill replays the log up to the
 * end of its month.  The one exception are call minutes: a refund leaves part
 * of the minutes of its whole term month (R5), whose first days may lie in
 * the month before.  So refunds of the days behind are looked up.
 *
 * All memory comes from the Core; an order that the rules forbid fails with
 * PROBLEM_RULE, a day without a card version with PROBLEM_CARD.
 */
#ifndef IM_CORE_ACCOUNT_H
#define IM_CORE_ACCOUNT_H

#include "core/card.h"
#include "core/orders/order.h"

typedef struct Term Term;

/* One purchase of something that runs from day to day. */
struct Term
{
	const Order *order;
	int			number;			/* in the account's terms */
	int			item_number;	/* in its items */
	const char *item;
	const char *option;			/* as bought: plan, add-on option or pack */
	const Card *card;			/* the version of the purchase day */
	int			months;
	bool		pack;			/* of deductions or of a meter: never refunded */
	CalDay		start;
	CalDay		end;			/* as bought; exclusive */
	CalDay		ends;			/* after a refund; exclusive */
	CalDay		stop;			/* plans: the first day after the grace */
	bool		priced;			/* false only in a preview */
	const TermPrice *term_price;	/* plans: the card's price of just so many months, or NULL */
	Amount		unit_price;		/* per month, or per pack */
	Amount		amount;
	const Order *refunded_by;	/* NULL while it stands */
	bool		annulled;		/* refunded before it began: never bought */
	bool		returned;		/* refunded, be it after the account's last day */
	bool		returned_whole; /* everything was given back */
	CalDay		returned_on;	/* the last day of the term then */
	int			first_upgrade;	/* plans: upgrades before this one do not concern it, */
	int			end_upgrade;	/* nor do those from this one on */
	const char *plan;			/* plans: the plan after all upgrades so far */
	const char *bought_on;		/* add-ons: the plan whose price it was, or NULL */
	Term	   *before;			/* the item's term before this one that stands */

	/* The purse that refunds are given back from; see term_purse(). */
	Term	   *purse;			/* the term that has it; NULL: this one */
	Amount		purse_paid;
	Amount		purse_back;
};

typedef struct Upgrade
{
	const Order *order;
	const char *from_plan;
	const char *to_plan;
	const Term *last;			/* the last term bought by then, */
	CalDay		end;			/* and its end */
	bool		priced;
	Amount		old_price;		/* per month; of several terms that of the day */
	Amount		new_price;
	bool		mixed;			/* terms of different old prices */
	Amount		amount;
} Upgrade;

typedef struct Refund
{
	const Order *order;
	const Term *term;
	bool		priced;
	bool		whole;			/* everything back */
	bool		cut;			/* to what was left of all that was paid */
	int			nupgrades;		/* of the account, up to this refund */
	Amount		amount;			/* positive */
} Refund;

/* The share of an upgrade's fee that was paid for a refunded term. */
typedef struct PaidPart
{
	const Upgrade *upgrade;
	int			days;			/* remaining days of the upgrade in the term */
	int			of;				/* of all remaining days */
} PaidPart;

/* What a month of a term cost before an upgrade, and how many of its days remain. */
typedef struct OldPart
{
	const Term *term;
	CalDay		from;
	int			days;
	bool		by_term;		/* by what was paid for the term's months */
	Amount		price;			/* of so many months: */
	int			months;
} OldPart;

/* Days of one month of a refunded term that were used at one price. */
typedef struct UsedPart
{
	CalDay		from;
	int			days;
	int			of;				/* days of that month of the term */
	Amount		price;			/* of so many months: */
	int			months;
} UsedPart;

typedef void (*OldVisitor) (void *arg, const OldPart *part);
typedef void (*PaidVisitor) (void *arg, const PaidPart *part);
typedef void (*UsedVisitor) (void *arg, const UsedPart *part);

/* Days on which a switch was on with one option; both ends are on. */
typedef struct SwitchSpan
{
	const Order *order;			/* that switched it on */
	const char *option;
	CalDay		from;
	CalDay		through;		/* SWITCH_OPEN while it is still on */
} SwitchSpan;

#define SWITCH_OPEN		INT32_MAX

typedef struct Switch
{
	const char *item;
	int			nspans;
	int			capacity;
	SwitchSpan *spans;
	CalMonth	changed;		/* month of the last change of option */
	bool		ever_changed;
} Switch;

/* Days out of service for a reason; "until" is exclusive. */
typedef struct Suspension
{
	CalDay		from;
	CalDay		until;
} Suspension;

/* Where a log is replayed to see what a void would do; see account_void.c. */
typedef struct VoidTrial VoidTrial;

/* What is bought in terms, each item once. */
typedef struct AccountItem
{
	const char *name;
	Term	   *last;			/* the newest term that stands, or NULL */
} AccountItem;

typedef struct Account
{
	Core	   *core;
	int64_t		app_id;
	const CardHistory *cards;
	bool		preview;		/* another card: the rules are not checked again */
	const VoidTrial *trial;		/* NULL but where a void is checked */

	int			norders;		/* of the log as it stands, voids and what they void left out */
	const Order *orders;
	int		   *by_id;			/* indexes of orders, by order_id */
	Term	  **term_of;		/* the term that an order bought, or NULL */

	int			nterms;
	int			terms_capacity;
	Term	  **terms;			/* all, in the order of the log */
	int			nplans;
	int			plans_capacity;
	Term	  **plans;			/* plan terms not annulled, starts ascending */
	int			nitems;
	int			items_capacity;
	AccountItem *items;
	int			nupgrades;
	int			upgrades_capacity;
	Upgrade    *upgrades;
	int			nrefunds;
	int			refunds_capacity;
	Refund	   *refunds;
	bool		whole_refund_used;
	int			nswitches;
	int			switches_capacity;
	Switch	   *switches;

	int			nsuspensions;
	const Suspension *suspensions;
} Account;

typedef enum ServiceState
{
	STATE_TRIAL,				/* no paid plan yet */
	STATE_ACTIVE,
	STATE_GRACE,
	STATE_STOPPED,
	STATE_RECLAIMED,
	STATE_SUSPENDED,
	SERVICE_STATES
} ServiceState;

extern const char *const service_state_names[SERVICE_STATES];

/* Days that data are kept after the stop (R2). */
#define KEEP_DAYS		90

/*
 * Replays the orders whose day is before "until".  Of those behind only what
 * refunds of call minutes and voids say is looked at; whoever asks for what
 * was known on a day gives only voids.  The arrays are referenced, not copied;
 * suspensions need not be sorted.
 *
 * An order that is voided, however much later, is left out with its void: the
 * account is that of a log in which neither was placed (R15).
 */
extern Account *account_open(Core *core, int64_t app_id, const CardHistory *cards,
							 const Order *orders, int norders,
							 const Suspension *suspensions, int nsuspensions,
							 CalDay until, bool preview);

/*
 * Checks a whole log: all that account_open() checks, and that no void leaves
 * out what another order before it rests on.  What is ordered after a void may
 * well be other than it would have been without it.
 *
 * Each run of voids between other orders costs two replays of the log before
 * it, unless nothing that could rest on the voided orders stands between these
 * and their voids.  Those before "since" are not asked again: the log was sound
 * before orders of that instant and later ones came; INT64_MIN asks all.
 */
extern void account_verify(Core *core, int64_t app_id, const CardHistory *cards,
						   const Order *orders, int norders, int64_t since);

/* The state on a day; *plan is set to the plan in force, NULL where none is. */
extern ServiceState account_state(const Account *account, CalDay day, const char **plan);

/* Pack minutes that each month of a term brings, 0 for what has none (R5). */
extern int64_t term_minutes(const Term *term);

/* The plan term that decides a day: the newest that has begun, or NULL. */
extern const Term *plan_term_on(const Account *account, CalDay day);

/*
 * What an upgrade goes by (R8): of each term that it changes, last first, the
 * remaining days and the old price.  Of what was bought at a price for its
 * months a month costs its share of what was paid; of all else the card's
 * price of the day.
 */
extern void upgrade_old_parts(const Account *account, const Upgrade *upgrade,
							  OldVisitor visit, void *arg);

/*
 * What a refund goes by (R8): back = the term's amount + each paid part -
 * each used part.  Parts come in the order of their days.
 */
extern void refund_paid_parts(const Account *account, const Refund *refund,
							  PaidVisitor visit, void *arg);
extern void refund_used_parts(const Account *account, const Refund *refund,
							  UsedVisitor visit, void *arg);

/* True if the app runs at all: neither suspended, stopped nor reclaimed. */
extern bool in_service(ServiceState state);

/* The switch of an item, or NULL if it never was on. */
extern const Switch *account_switch(const Account *account, const char *item);

/* The option that was on last on a day; NULL if it was not on that day. */
extern const char *switch_option(const Switch *sw, CalDay day);

#endif							/* IM_CORE_ACCOUNT_H */
