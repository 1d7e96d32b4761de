-- The frame of every page: head, style, nothing from outside.

-- Light and dark follow the reader's system; paper is always light.  Text has
-- a contrast of at least 4.5 to 1 on its ground, marks and lines 3 to 1.
CREATE FUNCTION im_internal.im_html_style() RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $style$
	SELECT $css$
:root{color-scheme:light dark;--paper:#fff;--ground:#f3f4f6;--ink:#1c2430;--soft:#566173;--rule:#dfe3e8;--strong:#1c2430;--head:#f7f8fa;
--day:#6593cc;--peak:#173f75;--packs:#6593cc;--postpaid:#b4540a;--left:#5c9a77;--not:#8a93a1;--quota:#a8321f;--minus:#a8321f}
@media (prefers-color-scheme:dark){:root{--paper:#171c24;--ground:#0f1319;--ink:#e7eaef;--soft:#a4aebd;--rule:#303845;--strong:#e7eaef;--head:#1e2530;
--day:#4f7cb8;--peak:#a9ccf7;--packs:#4f7cb8;--postpaid:#f0a04b;--left:#4d8f6c;--not:#7d8797;--quota:#ff9d87;--minus:#ff9d87}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink);font:400 15px/1.5 -apple-system,BlinkMacSystemFont,"Segoe UI",Roboto,"Helvetica Neue","Noto Sans",Arial,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif;font-variant-numeric:tabular-nums lining-nums}
main{max-width:60rem;margin:2rem auto;padding:2.75rem 3rem;background:var(--paper);border:1px solid var(--rule);border-radius:4px}
h1,h2,h3,p,dl,dd,figure{margin:0}
.kicker{color:var(--soft);font-size:.8125rem;letter-spacing:.04em}
h1{font-size:1.75rem;line-height:1.25;font-weight:650;overflow-wrap:anywhere}
h2{font-size:1.0625rem;font-weight:650;margin:2.5rem 0 .75rem;overflow-wrap:anywhere}
h3{font-size:.9375rem;font-weight:600}
.top{display:flex;flex-wrap:wrap;gap:1.5rem 3rem;justify-content:space-between;align-items:flex-end;padding-bottom:1.5rem;border-bottom:2px solid var(--strong)}
.top>div:first-child{flex:1 1 18rem;min-width:0}
.total{text-align:right}
.total .sum{font-size:1.75rem;line-height:1.25;font-weight:650;overflow-wrap:anywhere}
.total .sum .currency{font-size:1rem;font-weight:500;color:var(--soft);margin-right:.4em}
.facts{display:flex;flex-wrap:wrap;gap:1rem 3rem;margin-top:1.25rem}
dt{color:var(--soft);font-size:.8125rem}
dd{overflow-wrap:anywhere}
.scroll{overflow-x:auto}
.scroll:focus-visible,.plot:focus-visible{outline:2px solid var(--peak);outline-offset:2px}
table{width:100%;border-collapse:collapse}
caption{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
th,td{padding:.5rem .625rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--rule);font-weight:400}
th:first-child,td:first-child{padding-left:0!important}
th:last-child,td:last-child{padding-right:0!important}
thead th{color:var(--soft);font-size:.8125rem;font-weight:500;vertical-align:bottom;border-bottom:1px solid var(--strong)}
.lines thead th{overflow-wrap:normal;white-space:normal}
.lines th:nth-child(2){width:100%}
.n{text-align:right;white-space:nowrap}
.n.long{white-space:normal;overflow-wrap:anywhere;min-width:7rem}
.exact{display:block;font-size:.75rem;font-weight:400;color:var(--soft)}
.no{color:var(--soft);white-space:nowrap}
time{white-space:nowrap}
.item{font-weight:600}
.item,.option,.apps th{overflow-wrap:anywhere}
.apps thead th{overflow-wrap:normal}
.apps a{color:inherit}
.option:not(:empty){margin-left:.35em}
.lines .when{margin-top:.125rem}
.why,.when{font-size:.8125rem;line-height:1.45;color:var(--soft);overflow-wrap:anywhere}
.amount{font-weight:600}
.minus{color:var(--minus)}
tfoot th,tfoot td{border-bottom:0;border-top:2px solid var(--strong);font-weight:650}
tfoot tr.round th,tfoot tr.round td{border-top:0;font-weight:400;color:var(--soft);font-size:.8125rem}
tfoot tr.round+tr th,tfoot tr.round+tr td{border-top:2px solid var(--strong)}
article .none{margin-top:1rem;color:var(--soft)}
.nothing{margin-top:2.5rem;padding:2rem;text-align:center;background:var(--head);border-radius:4px}
.nothing p:first-child{font-weight:600}
.nothing p+p{color:var(--soft)}
.charts{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:2rem 2.5rem}
figcaption p{color:var(--soft);font-size:.8125rem;min-height:2.4em}
.plot{overflow-x:auto}
svg{display:block;width:100%;height:auto}
svg text{font-size:11px;font-family:inherit;fill:var(--soft)}
svg text.mark{fill:var(--ink);font-weight:650}
svg text.quota{fill:var(--quota)}
svg text.mark{paint-order:stroke;stroke:var(--paper);stroke-width:3px;stroke-linejoin:round}
.grid{stroke:var(--rule);stroke-width:1}
.grid.base{stroke:var(--soft)}
line.quota{stroke:var(--quota);stroke-width:1.5;stroke-dasharray:5 3}
rect.day{fill:var(--day)}rect.peak,path.mark{fill:var(--peak)}rect.packs{fill:var(--packs)}
rect.left{fill:var(--left)}
rect.not{stroke:var(--not);stroke-width:.5}
.not-back,.postpaid-line{fill:var(--paper)}.not-line{fill:var(--not)}.postpaid-back{fill:var(--postpaid)}
.legend{display:flex;flex-wrap:wrap;gap:.25rem 1rem;margin-top:.25rem;color:var(--soft);font-size:.8125rem}
.key{display:inline-block;width:.8em;height:.8em;margin-right:.4em;vertical-align:-.04em;border:1px solid var(--not);-webkit-print-color-adjust:exact;print-color-adjust:exact}
.key.peak{background:var(--peak);border-color:var(--peak)}.key.counts,.key.packs{background:var(--day);border-color:var(--day)}
.key.not{background:repeating-linear-gradient(135deg,var(--not) 0 1.5px,var(--paper) 1.5px 4px)}
.key.postpaid{background:repeating-linear-gradient(135deg,var(--postpaid) 0 2.5px,var(--paper) 2.5px 4px);border-color:var(--postpaid)}
.days{font-size:.8125rem}
.days th,.days td{padding:.25rem .3rem}
.days .n{white-space:normal;overflow-wrap:anywhere}
.days thead th{overflow-wrap:normal}
.days tbody th{white-space:nowrap}
.days .highest{font-weight:650}
.tag{margin-right:.4em;padding:0 .35em;border:1px solid var(--peak);border-radius:3px;font-size:.6875rem;font-weight:500;color:var(--peak)}
.bar{display:block;width:100%;height:.6rem;min-width:6rem;margin-top:.45em}
.bar rect{fill:var(--day)}
.digest{overflow-wrap:anywhere}
footer{margin-top:2.5rem;padding-top:1rem;border-top:1px solid var(--rule);color:var(--soft);font-size:.8125rem}
@media screen and (max-width:56rem){
main{margin:0;padding:1.5rem 1.125rem;border:0;border-radius:0}
.total{text-align:left}
.charts{grid-template-columns:minmax(0,1fr)}
figcaption p{min-height:0}
svg text{font-size:12.5px}
.lines,.lines tbody,.lines tfoot,.lines tr,.lines th,.lines td{display:block}
.lines thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.lines .exact,.apps .exact,.items .exact{text-align:right}
.lines tr{position:relative;padding:.875rem 0;border-bottom:1px solid var(--rule)}
.lines tbody tr:first-child{border-top:1px solid var(--strong)}
.lines th,.lines td{padding:0;border:0;text-align:left}
.lines .no{display:none}
.lines tbody td.n{display:flex;justify-content:space-between;font-size:.8125rem;color:var(--soft)}
.lines tbody td.n::before{content:attr(data-label)}
.lines tbody td.amount{font-size:.9375rem;color:var(--ink);margin-top:.25rem}
.lines tbody td.minus{color:var(--minus)}
.lines .when{margin-bottom:.375rem}
.lines tbody td.none{display:none}
.lines tbody tr th:nth-child(2){width:auto;min-width:0}
.lines tfoot tr,.lines tfoot tr.round+tr{display:flex;justify-content:space-between;border-bottom:0;border-top:2px solid var(--strong)}
.lines tfoot tr.round{border-top:0;padding-bottom:0}
.lines tfoot th,.lines tfoot td,.lines tfoot tr.round+tr th,.lines tfoot tr.round+tr td{border:0}
.days,.items,.apps,.days tbody,.items tbody,.apps tbody{display:block}
.days thead,.items thead,.apps thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.days tr,.items tr,.apps tr{display:flex;flex-wrap:wrap;gap:.125rem 1rem;padding:.5rem 0;border-bottom:1px solid var(--rule)}
.days tbody th,.items th,.apps th{flex:1 1 100%;padding:0!important;border:0;overflow-wrap:anywhere}
.days td,.items td,.apps td{padding:0;border:0;text-align:left}
.days td[data-label]::before,.items td[data-label]::before,.apps td[data-label]::before{content:attr(data-label) " ";color:var(--soft);font-weight:400;font-size:.8125rem}
}
@page{size:A4;margin:14mm 14mm 16mm;@bottom-right{content:counter(page) " / " counter(pages);font:8pt system-ui,sans-serif;color:#566173}}
@media print{
:root{color-scheme:light;--paper:#fff;--ground:#fff;--ink:#1c2430;--soft:#566173;--rule:#dfe3e8;--strong:#1c2430;--head:#f7f8fa;
--day:#6593cc;--peak:#173f75;--packs:#6593cc;--postpaid:#b4540a;--left:#5c9a77;--not:#8a93a1;--quota:#a8321f;--minus:#a8321f}
html{font-size:12.5px}
body{font-size:.9375rem;background:none}
.facts{gap:.75rem 2rem}
main{max-width:none;margin:0;padding:0;border:0}
.charts{grid-template-columns:repeat(2,minmax(0,1fr))}
svg text{font-size:11px}
.scroll,.plot{overflow:visible}
thead{display:table-header-group}tfoot{display:table-row-group}
tr,figure,.facts,.top{break-inside:avoid}
tfoot tr{break-before:avoid}
h2,.facts{break-after:avoid}
.sheet{break-before:page}
.sheet h2{margin-top:0}
}
$css$
$style$;
COMMENT ON FUNCTION im_internal.im_html_style() IS
'The style sheet of the pages: screen, phone, dark and A4.';

CREATE FUNCTION im_internal.im_html_page(lang text, title text, body text) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format(
		'<!DOCTYPE html>' || E'\n' || '<html lang="%s">' || E'\n' || '<head>' || E'\n'
		'<meta charset="utf-8">' || E'\n'
		'<meta http-equiv="Content-Security-Policy" content="default-src ''none''; style-src ''unsafe-inline''; img-src data:; base-uri ''none''; form-action ''none''">' || E'\n'
		'<meta name="viewport" content="width=device-width, initial-scale=1">' || E'\n'
		'<meta name="color-scheme" content="light dark">' || E'\n'
		'<meta name="referrer" content="no-referrer">' || E'\n'
		'<link rel="icon" href="data:,">' || E'\n'
		'<title>%s</title>' || E'\n' || '<style>%s</style>' || E'\n' || '</head>' || E'\n'
		'<body>' || E'\n' || '<main>' || E'\n' || '%s</main>' || E'\n' || '</body>' || E'\n' || '</html>',
		im_internal.im_html_word($1, 'lang'::text), $2, im_internal.im_html_style(), $3)
$$;
COMMENT ON FUNCTION im_internal.im_html_page(text, text, text) IS
'A whole page; its policy allows no script and no request.';
