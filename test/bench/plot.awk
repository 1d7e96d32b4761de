# plot.awk
#	  A picture of time against rows, both on logarithmic axes, as SVG.
#
# Reads lines of label, rows, milliseconds parted by tabs, as growth_figures gives
# them.  Colours are told apart by dashes too, and stand on light and dark.

BEGIN {
	FS = "\t"
	left = 70; right = 500; top = 30; bottom = 300
	split("#c2410c #2563eb #15803d #7c3aed", colour, " ")
	split("none 6,4 2,3 8,3,2,3", dash, " ")
}

function log10(x) { return log(x) / log(10) }
function x_of(rows) { return left + (right - left) * (log10(rows) - x0) / (x1 - x0) }
function y_of(ms) { return bottom - (bottom - top) * (log10(ms) - y0) / (y1 - y0) }
function least(a, b) { return a < b ? a : b }
function most(a, b) { return a > b ? a : b }
function floor10(x) { x = log10(x); return x == int(x) ? x : int(x) - (x < 0) }
function ceil10(x) { return -floor10(1 / x) }

function text(x, y, anchor, words) {
	printf "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", x, y, anchor, words
}

function amount(n) {
	return n >= 1000000 ? n / 1000000 " M" : n >= 1000 ? n / 1000 " k" : n ""
}

{
	if (!($1 in points)) label[++labels] = $1
	points[$1] = points[$1] " " $2 ":" $3
	low_x = NR == 1 ? $2 : least(low_x, $2); high_x = most(high_x, $2)
	low_y = NR == 1 ? $3 : least(low_y, $3); high_y = most(high_y, $3)
}

END {
	x0 = log10(low_x / 1.3); x1 = log10(high_x * 1.3)
	y0 = floor10(low_y); y1 = ceil10(high_y)
	print "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 680 350\" role=\"img\" font-family=\"sans-serif\" font-size=\"13\">"
	print "<title>Exact daily DAU: milliseconds against logins, logarithmic axes</title>"
	print "<rect width=\"680\" height=\"350\" fill=\"#ffffff\"/>"
	print "<g fill=\"#333333\">"
	for (y = y0; y <= y1; y++) {
		printf "<path d=\"M%d %.1fH%d\" stroke=\"#cccccc\"/>\n", left, y_of(10 ^ y), right
		text(left - 8, y_of(10 ^ y) + 4, "end", y < 3 ? 10 ^ y " ms" : 10 ^ (y - 3) " s")
	}
	n = split(points[label[1]], pair, " ")
	for (i = 1; i <= n; i++) {
		split(pair[i], p, ":")
		text(x_of(p[1]), bottom + 20, "middle", amount(p[1]))
	}
	text((left + right) / 2, bottom + 40, "middle", "logins")
	print "</g>"
	for (k = 1; k <= labels; k++)
		series(k)
	print "</svg>"
}

function series(k, n, i, pair, p, line, name) {
	n = split(points[label[k]], pair, " ")
	for (i = 1; i <= n; i++) {
		split(pair[i], p, ":")
		line = line (i > 1 ? "L" : "M") sprintf("%.1f %.1f", x_of(p[1]), y_of(p[2]))
		printf "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\"/>\n", x_of(p[1]), y_of(p[2]), colour[k]
	}
	printf "<path d=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\" stroke-dasharray=\"%s\"/>\n", line, colour[k], dash[k]
	name = label[k]
	sub(/^~/, "", name); sub(/^clickhouse, sorted.*/, "ClickHouse (sorted)", name)
	printf "<g fill=\"%s\">", colour[k]
	text(right + 12, free_line(y_of(p[2]) + 4), "start", name)
	print "</g>"
}

# Where a label can stand near y without covering those that stand already.
function free_line(y, i, way) {
	for (i = 1; i <= lines; i++)
		if (y - taken[i] < 15 && taken[i] - y < 15) {
			way = way ? way : (y < taken[i] ? -1 : 1)
			y = taken[i] + way * 15
			i = 0
		}
	return taken[++lines] = y
}
