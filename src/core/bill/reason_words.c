/*
 * reason_words.c
 *	  The sentences of reasons, in English and Chinese.
 *
 * A sentence is a template:
 *
 *		{key}			the text of a figure
 *		{key:month}		a count and its unit, which takes an s: English only
 *		{*key}			the part of a sentence whose code the figure is
 *		{?key}			nothing
 *		[ ... ]			left out where any figure in it is lacking
 *
 * In Chinese a number has spaces or marks around it, as pages group its digits
 * only so; the number of an order stands behind a # and is not grouped.
 */
#include "core/bill/reason.h"

#include <string.h>

/* Templates in templates, at most: a note, its line's sentence, a part, a part of that. */
#define MAX_DEPTH		5

/* Bytes of a key or unit, terminator included. */
#define MAX_KEY			32

#define EN_TERM			"Bought {item}[ {option}] for {months:month}, {from} through {through}, at "
#define EN_PACKS		"Bought {item}[ {option}] for {packs:pack}, {from} through {through}, at "
#define ZH_TERM			"购买 {months} 个月（{from} 至 {through}），"
#define ZH_PACKS		"购买 {packs} 个资源包（{from} 至 {through}），"
#define EN_CUT			"[{?cut}, cut to what was left of all that was paid]."
#define ZH_CUT			"[{?cut}，不超过已付费用的余额]。"
#define EN_SHARE		"[, of which {share_days} of {month_days} days are due because service had ended by the last]."
#define ZH_SHARE		"[，月末已停止服务，按 {share_days} / {month_days} 天折算]。"

static const struct
{
	const char *code;
	const char *text[REASON_LANGUAGES];
}			words[] = {
	/* what was bought */
	{"term", {EN_TERM "{price} {currency} each.", ZH_TERM "每月 {price} {currency}。"}},
	{"term_whole", {EN_TERM "{amount} {currency} for all of them.", ZH_TERM "整期价格 {amount} {currency}。"}},
	{"term_agreed", {EN_TERM "the agreed price of {amount} {currency}.", ZH_TERM "约定价格共 {amount} {currency}。"}},
	{"packs", {EN_PACKS "{price} {currency} each.", ZH_PACKS "每个 {price} {currency}。"}},
	{"packs_agreed", {EN_PACKS "the agreed price of {amount} {currency}.", ZH_PACKS "约定价格共 {amount} {currency}。"}},
	{"term_unsold", {"Not sold on this rate card: {item}[ {option}], bought for {from} through {through}.",
		"该价目表不销售 {item}[ {option}]，购买期 {from} 至 {through}。"}},

	/* upgraded */
	{"upgrade", {"Upgrade from {from_plan} to {to_plan}: ({new_price} - {old_price}) {currency} x {days:remaining day} / (365/12), at least 0.",
		"升级套餐包：每月差价 ({new_price} - {old_price}) {currency} × 剩余 {days} 天 ÷ (365/12)，最低为 0。"}},
	{"upgrade_terms", {"Upgrade from {from_plan} to {to_plan} for {days:remaining day}: the steps up to {new_price} {currency} from what a month of each term cost, x its remaining days / (365/12), at least 0.",
		"升级套餐包，剩余 {days} 天：各期每月差价（升至每月 {new_price} {currency}）× 该期剩余天数 ÷ (365/12) 之和，最低为 0。"}},
	{"upgrade_agreed", {"Upgrade from {from_plan} to {to_plan} for {days:day} at the agreed price of {amount} {currency}.",
		"升级套餐包，剩余 {days} 天，约定价格 {amount} {currency}。"}},
	{"upgrade_unsold", {"The upgrade from {from_plan} to {to_plan} is not sold on this rate card.",
		"该价目表不销售 {from_plan} 至 {to_plan} 的升级。"}},

	/* given back */
	{"refund_used", {"Refund of order {order_id}, {item}[ {option}]: what was paid less the days used from {from} through {through}" EN_CUT,
		"退还订单 #{order_id} 已付费用，扣除已使用天数（{from} 至 {through}）的费用" ZH_CUT}},
	{"refund_first", {"Refund of order {order_id}, {item}[ {option}]: everything back, the app's first refund within 5 days" EN_CUT,
		"全额退还订单 #{order_id}：该应用 5 天内首次退费" ZH_CUT}},
	{"refund_unbegun", {"Refund of order {order_id}, {item}[ {option}]: everything back, its term had not begun" EN_CUT,
		"全额退还订单 #{order_id}：有效期尚未开始" ZH_CUT}},
	{"refund_unsold", {"Refund of order {order_id}, {item}[ {option}], which is not sold on this rate card.",
		"退还订单 #{order_id}（{item}[ {option}]），该价目表不销售。"}},

	/* entered by hand */
	{"credit", {"Credit of {amount} {currency} by order {order_id}[: {note}].", "人工减免，金额 {amount} {currency}，订单 #{order_id}[：{note}]。"}},
	{"charge", {"Charge of {amount} {currency} by order {order_id}[: {note}].", "人工加收，金额 {amount} {currency}，订单 #{order_id}[：{note}]。"}},

	/* used: what, ... */
	{"used_dau", {"Peak DAU {quantity} on {peak_day}", "峰值 DAU {quantity}（{peak_day}）"}},
	{"used_mau", {"{quantity} distinct users on {days} counting days, at most {peak} of them on {peak_day}",
		"{days} 个计费日内的去重用户 {quantity}，{peak_day} 最多，为 {peak}"}},
	{"used_groups", {"Peak of {quantity:group} on {peak_day}", "峰值群组数 {quantity}（{peak_day}）"}},
	{"used_sum", {"{quantity} {meter} on {days:counting day}", "{days} 个计费日的 {meter} 用量 {quantity}"}},
	{"used_unique", {"{quantity} distinct {meter} on {days:counting day}", "{days} 个计费日内的去重 {meter} 数 {quantity}"}},
	{"used_average", {"{quantity} {meter} on average of {days:counting day}", "{days} 个计费日的 {meter} 平均值 {quantity}"}},
	{"used_last", {"{quantity} {meter} at the last of {days:counting day}", "{days} 个计费日中最后一日的 {meter} 值 {quantity}"}},
	{"used_max", {"Peak of {quantity} {meter} on {peak_day}", "{meter} 峰值 {quantity}（{peak_day}）"}},
	/* ... what of it is free, ... */
	{"free_plan", {"the {quota} included in plan {plan}[ and the {packs} from packs]", "套餐 {plan} 的免费额度 {quota}[ 及资源包 {packs}]"}},
	{"free_addon", {"the {quota} included in add-on {addon}[ and the {packs} from packs]", "增值服务 {addon} 的免费额度 {quota}[ 及资源包 {packs}]"}},
	{"free_packs", {"the {packs} from packs", "资源包 {packs}"}},
	/* ... how the rest is counted, and what that costs */
	{"blocks_up", {", in {units:started block} of {block}", "，每 {block} 一档，不足一档按一档计，共 {units} 档"}},
	{"blocks_down", {", in {units:full block} of {block}", "，每 {block} 一档，不足一档不计，共 {units} 档"}},
	{"blocks_nearest", {", in {units:nearest block} of {block}", "，每 {block} 一档，四舍五入，共 {units} 档"}},
	{"blocks_tier", {", {units} above the tier before", "，超出上一阶梯 {units}"}},
	{"usage_within", {"{*used} within {*free}.", "{*used}，在{*free} 以内。"}},
	{"usage_nothing", {"{*used}: nothing to price.", "{*used}，无需计费。"}},
	{"usage_priced", {"{*used}[; {billable}][ over {*free}][ in tier {tier}][{*blocks}] at {price} {currency} each" EN_SHARE,
		"{*used}[，扣除{*free}][，计费 {billable}][，第 {tier} 阶梯][{*blocks}]，单价 {price} {currency}" ZH_SHARE}},
	{"usage_flat", {"{*used}; tier {tier} costs {price} {currency} flat" EN_SHARE, "{*used}，第 {tier} 阶梯的固定费用 {price} {currency}" ZH_SHARE}},
	{"usage_minimum", {"What is lacking to the minimum of {bound} {currency}" EN_SHARE, "按最低收费 {bound} {currency} 补足" ZH_SHARE}},
	{"usage_maximum", {"What is above the maximum of {bound} {currency}" EN_SHARE, "超出最高收费 {bound} {currency} 的部分减免" ZH_SHARE}},
	{"usage_unsold", {"Plan {plan} is not on this rate card, so its overage has no price.", "该价目表没有套餐 {plan}，其超量没有价格。"}},
	{"switched_on", {"Switched on in the month: {item}[ {option}], last on {last_on} with plan {plan}, one month at {price} {currency}" EN_SHARE,
		"当月开通过，最后一日 {last_on}，按整月计费，每月 {price} {currency}" ZH_SHARE}},
	{"switched_on_several", {"Switched on in the month with several options: {item}[ {option}] is the dearest of them, last day on {last_on} with plan {plan}, one month at {price} {currency}" EN_SHARE,
		"当月开通过多个选项，最后一日 {last_on}，按其中最贵的整月计费，每月 {price} {currency}" ZH_SHARE}},
	{"switched_on_unsold", {"Not sold on this rate card: {item}[ {option}].", "该价目表不销售 {item}[ {option}]。"}},
	{"minutes", {"{quantity} started {class} minutes: {from_packs} from packs at {ratio} pack minutes each, {postpaid} postpaid at {price} {currency} each.",
		"共 {quantity} 分钟，通话时长包抵扣 {from_packs} 分钟（每分钟折 {ratio} 分钟），后付费 {postpaid} 分钟，每分钟 {price} {currency}。"}},
	{"moderation", {"{quantity} deductions: {from_packs} from packs, {postpaid} postpaid at {price} {currency} each.",
		"抵扣量 {quantity} 次，资源包抵扣 {from_packs} 次，按量后付费 {postpaid} 次，每次 {price} {currency}。"}},
	{"moderation_unsold", {"Cloud moderation is switched on and used, but not sold on this rate card.", "云端审核已开通并使用，但该价目表不销售。"}},

	/* the lines of notes; because is the sentence of the line as it is now */
	{"note_gone", {"Issued as {issued} {currency}, no longer due.", "对已出账单的调整，差额 {difference} {currency}：原为 {issued}，现不再应付。"}},
	{"note_new", {"Not issued before: {because}", "对已出账单的调整，差额 {difference} {currency}：原未出账。{because}"}},
	{"note_changed", {"Issued as {issued} {currency}, now {rebilled}: {because}", "对已出账单的调整，差额 {difference} {currency}：原为 {issued}，现为 {rebilled}。{because}"}},
};

typedef struct Sentence
{
	Core	   *core;
	ReasonLanguage language;
	FigureLookup lookup;
	void	   *arg;
	bool		lacks;			/* a figure or a part */
	int			depth;
	int			length;
	int			capacity;
	char	   *text;
} Sentence;

static const char *
template_of(ReasonLanguage language, const char *code)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].code, code) == 0)
			return words[i].text[language];
	return NULL;
}

static void
put_char(Sentence *sentence, char c)
{
	sentence->text = core_grow(sentence->core, sentence->text, sentence->length, &sentence->capacity, 1);
	sentence->text[sentence->length++] = c;
}

static void
put_text(Sentence *sentence, const char *text)
{
	for (; *text != '\0'; text++)
	{
		core_step(sentence->core);
		put_char(sentence, *text);
	}
}

/* Copies "key" of "{*key:unit}" from behind the brace, and the unit where there is one. */
static void
read_key(const char *at, char *key, char *unit)
{
	char	   *to = key;

	unit[0] = '\0';
	for (; *at != '}'; at++)
	{
		if (*at == ':')
		{
			*to = '\0';
			to = unit;
		}
		else
			*to++ = *at;
	}
	*to = '\0';
}

static const char *
figure_at(const Sentence *sentence, const char *at, char *unit)
{
	char		key[MAX_KEY];

	read_key(at + strspn(at, "*?"), key, unit);
	return sentence->lookup(sentence->arg, key);
}

/* Whether every figure from the bracket through its end is there. */
static bool
has_figures(const Sentence *sentence, const char *at)
{
	char		unit[MAX_KEY];

	for (; *at != ']'; at++)
		if (*at == '{' && figure_at(sentence, at + 1, unit) == NULL)
			return false;
	return true;
}

static void put_template(Sentence *sentence, const char *code);

static void
put_figure(Sentence *sentence, const char *at)
{
	char		unit[MAX_KEY];
	const char *text = figure_at(sentence, at, unit);

	if (text == NULL)
		sentence->lacks = true;
	else if (*at == '*')
		put_template(sentence, text);
	else if (*at != '?')
	{
		put_text(sentence, text);
		if (unit[0] != '\0')
		{
			put_char(sentence, ' ');
			put_text(sentence, unit);
			put_text(sentence, strcmp(text, "1") == 0 ? "" : "s");
		}
	}
}

static void
put_template(Sentence *sentence, const char *code)
{
	const char *at = sentence->depth < MAX_DEPTH ? template_of(sentence->language, code) : NULL;

	if (at == NULL)
	{
		sentence->lacks = true;
		return;
	}
	sentence->depth++;
	for (; *at != '\0'; at++)
	{
		if (*at == '[' && !has_figures(sentence, at))
			at = strchr(at, ']');
		else if (*at == '{')
		{
			put_figure(sentence, at + 1);
			at = strchr(at, '}');
		}
		else if (*at != '[' && *at != ']')
			put_char(sentence, *at);
	}
	sentence->depth--;
}

const char *
reason_words(Core *core, ReasonLanguage language, const char *code, FigureLookup lookup, void *arg)
{
	Sentence	sentence = {.core = core, .language = language, .lookup = lookup, .arg = arg};

	put_template(&sentence, code);
	put_char(&sentence, '\0');
	return sentence.lacks ? NULL : sentence.text;
}
