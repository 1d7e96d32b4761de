/*
 * words.c
 *	  The words of the pages, in English and Chinese.
 *
 * Chinese names of plans, items and options are those of the vendor's price
 * page.  They stand here and not in the install script because a script is
 * read in the encoding of its database, which need not know Chinese.
 *
 * A word may be a template of format(): %1$s and so on, with %% for itself.
 */
#include "html/page_text.h"
#include "html/words.h"

PG_FUNCTION_INFO_V1(im_html_word);
PG_FUNCTION_INFO_V1(im_html_name);

static const char *const language_names[LANGUAGES] = {"en", "zh"};

typedef struct Word
{
	const char *key;
	const char *text[LANGUAGES];
} Word;

/* By groups; a look-up is a walk, some hundred of them make a page. */
static const Word words[] = {
	{"lang", {"en", "zh-CN"}},

	/* items of bill lines */
	{"item.plan", {"Plan", "套餐包费用"}},
	{"item.plan_upgrade", {"Plan upgrade", "套餐包升级"}},
	{"item.dau_overage", {"Peak DAU over the quota", "套餐外超量费用：峰值 DAU"}},
	{"item.mau_overage", {"Monthly users over the quota", "套餐外超量费用：MAU"}},
	{"item.group_overage", {"Peak groups over the quota", "套餐外超量费用：峰值群组数"}},
	{"item.avchatroom", {"Unlimited live groups (AVChatRoom)", "扩展直播群（AVChatRoom）创建数量至无上限"}},
	{"item.group_members", {"More members per group", "扩展单个群成员数上限"}},
	{"item.joined_groups", {"More groups per user", "扩展单个用户可加入群组数上限"}},
	{"item.history_storage", {"Longer message history", "延长历史消息存储时长"}},
	{"item.call", {"Audio and video calls", "音视频通话能力"}},
	{"item.call_minutes", {"Call minutes", "音视频通话时长"}},
	{"item.local_moderation", {"Local moderation", "本地审核"}},
	{"item.moderation_pack", {"Cloud moderation pack", "云端审核资源包"}},
	{"item.pack", {"Pack", "资源包"}},
	{"item.moderation", {"Cloud moderation", "云端审核"}},
	{"item.refund", {"Refund", "退费"}},
	{"item.credit", {"Credit", "人工减免"}},
	{"item.charge", {"Charge", "人工加收"}},

	/* options, by their item; plans are options of several items */
	{"plan.trial", {"Trial", "体验版"}},
	{"plan.pro", {"Pro", "专业版"}},
	{"plan.flagship", {"Flagship", "旗舰版"}},
	{"plan.developer", {"Developer", "developer"}},
	{"plan.standard", {"Standard", "standard"}},
	{"plan.premium", {"Premium", "premium"}},
	{"option.history_storage.30d", {"30 days", "存储30天"}},
	{"option.history_storage.90d", {"90 days", "存储90天"}},
	{"option.history_storage.180d", {"180 days", "存储180天"}},
	{"option.history_storage.360d", {"360 days", "存储360天"}},
	{"option.call.basic", {"Basic", "基础版"}},
	{"option.call.advanced", {"Advanced", "进阶版"}},
	{"option.call.premium", {"Premium", "尊享版"}},
	{"option.call_minutes.audio", {"Audio", "音频"}},
	{"option.call_minutes.sd", {"Video SD", "视频 SD"}},
	{"option.call_minutes.hd", {"Video HD", "视频 HD"}},
	{"option.call_minutes.fhd", {"Video Full HD", "视频 Full HD"}},
	{"option.moderation_pack.month", {"Month", "月包"}},
	{"option.moderation_pack.year_small", {"Year, small", "年包-小微版"}},
	{"option.moderation_pack.year_medium", {"Year, medium", "年包-中型版"}},
	{"option.moderation_pack.year_large", {"Year, large", "年包-大型版"}},

	/* states of a day */
	{"state.trial", {"free plan", "体验版"}},
	{"state.active", {"in force", "使用中"}},
	{"state.grace", {"grace", "宽限期"}},
	{"state.stopped", {"stopped", "已停服"}},
	{"state.reclaimed", {"reclaimed", "已回收"}},
	{"state.suspended", {"suspended", "暂停服务"}},

	/* head of a page */
	{"bill", {"Bill, %1$s", "%1$s账单"}},
	{"bill.title", {"Bill %1$s - %2$s", "账单 %1$s - %2$s"}},
	{"month.title", {"Bills of %1$s", "%1$s账单汇总"}},
	{"month.name", {"%2$s %1$s", "%1$s年%3$s月"}},
	{"month.1", {"January", "1"}},
	{"month.2", {"February", "2"}},
	{"month.3", {"March", "3"}},
	{"month.4", {"April", "4"}},
	{"month.5", {"May", "5"}},
	{"month.6", {"June", "6"}},
	{"month.7", {"July", "7"}},
	{"month.8", {"August", "8"}},
	{"month.9", {"September", "9"}},
	{"month.10", {"October", "10"}},
	{"month.11", {"November", "11"}},
	{"month.12", {"December", "12"}},
	{"app", {"App", "应用"}},
	{"app_id", {"App ID", "SDKAppID"}},
	{"account_id", {"Account", "账户"}},
	{"card", {"Price list", "价目表"}},
	{"card.from", {"%1$s of %2$s", "%1$s（%2$s 起）"}},
	{"plan", {"Plan", "套餐包"}},
	{"plan.none", {"none in force", "无生效套餐"}},
	{"status", {"Status", "状态"}},
	{"status.open", {"not closed, may still change", "未出账，可能变化"}},
	{"status.issued", {"issued %1$s", "%1$s 出账"}},
	{"status.notes", {", notes since: %1$s", "，其后调整 %1$s 次"}},
	{"total", {"Total", "合计"}},
	{"total.in", {"Total, %1$s", "合计（%1$s）"}},
	{"total.rounding", {"Rounding to the currency", "四舍五入"}},
	{"bought", {"Bought in the month", "当月购买"}},
	{"used", {"Usage, due %1$s", "用量费用（%1$s 结算）"}},
	{"refunded", {"Refunds", "退费"}},
	{"by_hand", {"Credits and charges", "人工调整"}},
	{"nothing", {"Nothing to bill", "本月无应付费用"}},
	{"nothing.note", {"Nothing was bought, used or refunded in %1$s that this price list charges for.",
		"%1$s没有产生应计费的购买、用量或退费。"}},

	/* a document as it was issued */
	{"document.invoice", {"Invoice, %1$s", "%1$s账单"}},
	{"document.credit_note", {"Credit note, %1$s", "%1$s账单贷项通知"}},
	{"document.debit_note", {"Debit note, %1$s", "%1$s账单借项通知"}},
	{"number", {"Number", "编号"}},
	{"number.none", {"none", "无"}},
	{"issued", {"Issued", "出具日期"}},
	{"corrects", {"Corrects", "更正"}},
	{"corrects.invoice", {"invoice %1$s of %2$s", "%2$s 的账单 %1$s"}},
	{"account", {"Account", "账户"}},
	{"digest", {"Digest (SHA-256): %1$s", "摘要（SHA-256）：%1$s"}},

	/* the table of lines */
	{"lines", {"Lines of the bill", "账单明细"}},
	{"line", {"No.", "序号"}},
	{"item", {"Item", "计费项"}},
	{"quantity", {"Quantity", "用量"}},
	{"included", {"Included", "已抵扣"}},
	{"units", {"Charged", "计费数量"}},
	{"unit_price", {"Unit price", "单价"}},
	{"amount", {"Amount", "金额"}},
	{"when", {"%1$s to %2$s, due %3$s", "%1$s 至 %2$s，结算日 %3$s"}},
	{"no_price", {"no price", "无价格"}},

	/* charts */
	{"charts", {"The month day by day", "每日用量"}},
	{"chart.dau", {"Daily active users", "每日活跃用户数（DAU）"}},
	{"chart.groups", {"Groups", "群组数"}},
	{"chart.deductions", {"Moderation deductions", "云端审核抵扣量"}},
	{"chart.deductions_left", {"Left in moderation packs", "审核资源包余量"}},
	{"chart.minutes", {"Call minutes", "通话分钟数"}},
	{"chart.minutes_left", {"Left in call packs", "通话时长包余量"}},
	{"chart.peak", {"Peak %1$s on %2$s", "峰值 %1$s（%2$s）"}},
	{"chart.no_peak", {"No day counts towards overage", "本月没有计入超量的日期"}},
	{"chart.quota", {"quota %1$s", "免费额度 %1$s"}},
	{"chart.within", {"%1$s, within the quota of %2$s.", "%1$s，在免费额度 %2$s 以内。"}},
	{"chart.over", {"%1$s, over the quota of %2$s.", "%1$s，超出免费额度 %2$s。"}},
	{"chart.plain", {"%1$s.", "%1$s。"}},
	{"chart.split", {"%1$s in all: %2$s from packs, %3$s postpaid.", "共 %1$s：资源包抵扣 %2$s，后付费 %3$s。"}},
	{"chart.left", {"%1$s at the end of %2$s, %3$s at the end of %4$s.", "%2$s 结束时余 %1$s，%4$s 结束时余 %3$s。"}},
	{"chart.legend.counts", {"counts", "计费日"}},
	{"chart.legend.not", {"does not count", "不计费日"}},
	{"chart.legend.packs", {"from packs", "资源包抵扣"}},
	{"chart.legend.postpaid", {"postpaid", "后付费"}},
	{"chart.legend.quota", {"quota", "免费额度"}},
	{"chart.legend.peak", {"peak", "峰值"}},
	{"chart.desc", {"A bar a day of %1$s.", "%1$s，每天一柱。"}},

	/* the table of days */
	{"days", {"Daily figures", "每日数据"}},
	{"day", {"Day", "日期"}},
	{"state", {"State", "状态"}},
	{"dau", {"DAU", "DAU"}},
	{"groups", {"Groups", "群组数"}},
	{"deductions", {"Deductions", "抵扣量"}},
	{"packs.deductions", {"Deductions from packs", "审核资源包抵扣"}},
	{"left.deductions", {"Deductions left in packs", "审核资源包余量"}},
	{"packs.minutes", {"Minutes from packs", "通话时长包抵扣"}},
	{"left.minutes", {"Minutes left in packs", "通话时长包余量"}},
	{"minutes", {"Call minutes", "通话分钟"}},
	{"peak", {"peak", "峰值"}},

	/* the page of a month */
	{"apps", {"Bills by app", "各应用账单"}},
	{"apps.count", {"%1$s apps", "%1$s 个应用"}},
	{"items", {"Amounts by item", "各计费项金额"}},
	{"share", {"Share", "占比"}},
	{"lines.count", {"Lines", "条目数"}},
	{"currency", {"Currency", "币种"}},

	/* short forms of large numbers on axes */
	{"axis.1", {"k", ""}},
	{"axis.2", {"M", "万"}},
	{"axis.3", {"G", "亿"}},
	{"axis.4", {"T", "万亿"}},

	{"note", {"Amounts are shown in the places of the currency, in small print as exact as they are where that differs; the total is rounded once. Days and months are those of the time zone %1$s.",
		"金额按币种小数位显示，与精确金额不同时以小字列出精确金额；合计只舍入一次。日期与账期按时区 %1$s 计算。"}},
};

Language
language_of(const char *name)
{
	for (int i = 0; i < LANGUAGES; i++)
		if (strcmp(language_names[i], name) == 0)
			return (Language) i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown language \"%s\"", name),
			 errdetail("Pages are written in English or Chinese."),
			 errhint("Use \"en\" or \"zh\".")));
	return ENGLISH;				/* keep the compiler quiet */
}

/* The word of a key, or NULL. */
static const char *
word_of(FunctionCallInfo fcinfo)
{
	Language	language = language_of(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	char	   *key = text_to_cstring(PG_GETARG_TEXT_PP(1));

	for (int i = 0; i < (int) lengthof(words); i++)
		if (strcmp(words[i].key, key) == 0)
			return words[i].text[language];
	return NULL;
}

static Datum
page_text_datum(const char *utf8)
{
	StringInfoData page;

	initStringInfo(&page);
	append_page_text(&page, utf8, strlen(utf8));
	PG_RETURN_TEXT_P(cstring_to_text_with_len(page.data, page.len));
}

Datum
im_html_word(PG_FUNCTION_ARGS)
{
	const char *word = word_of(fcinfo);

	if (word == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("pages have no word \"%s\"", text_to_cstring(PG_GETARG_TEXT_PP(1))),
				 errdetail("The words of pages are fixed; names of plans and items are not among them."),
				 errhint("im_html_name takes a text for what has no word.")));
	return page_text_datum(word);
}

/* The third argument names what has no word: a plan of somebody's own card. */
Datum
im_html_name(PG_FUNCTION_ARGS)
{
	const char *word = word_of(fcinfo);

	if (word == NULL)
		return DirectFunctionCall1(im_html_text, PG_GETARG_DATUM(2));
	return page_text_datum(word);
}
