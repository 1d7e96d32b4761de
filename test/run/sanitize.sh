#!/bin/bash
#
# sanitize.sh
#	  What make sanitize does: the suite with the extension built under the address
#	  and undefined-behaviour sanitizers, loaded into a server, and the core's own
#	  tests with the leak check.
#
# The server itself is not instrumented, and its small allocations come out of
# blocks that the sanitizer sees as one: past a palloc it is blind.  The core
# on plain malloc, and the fuzzers' page that cannot be read, are for that.
set -euo pipefail
. "$(dirname "$0")/instrument.sh"

INSTRUMENT=sanitize
INSTRUMENT_FLAGS='-fsanitize=address,undefined -fno-sanitize-recover=undefined -O1 -g -fno-omit-frame-pointer'
LAYERS='core regress pgtap isolation perl reports'
CORE_LEAKS=1

# Under the preloaded library a server hangs in bindtextdomain(), which asks
# for memory before there is any: messages stay English without these.
no_gettext() {
	cat <<-C
		#include <stddef.h>
		char *bindtextdomain(const char *d, const char *n) { (void) d; return (char *) n; }
		char *bind_textdomain_codeset(const char *d, const char *c) { (void) d; return (char *) c; }
		char *textdomain(const char *d) { return (char *) d; }
		char *gettext(const char *m) { return (char *) m; }
		char *dgettext(const char *d, const char *m) { (void) d; return (char *) m; }
		char *dcgettext(const char *d, const char *m, int c) { (void) d; (void) c; return (char *) m; }
		char *ngettext(const char *s, const char *p, unsigned long n) { return (char *) (n == 1 ? s : p); }
		char *dngettext(const char *d, const char *s, const char *p, unsigned long n) { (void) d; return (char *) (n == 1 ? s : p); }
	C
}

instrument_sanitize() {
	local library
	library=$(readlink -f "$("${CC:-gcc}" -print-file-name=libasan.so)")
	[ -e "$library" ] || die 'there is no libasan to preload'
	no_gettext | "${CC:-gcc}" -shared -fPIC -o "$WORK/no_gettext.so" -x c -
	replace_postgres "export LD_PRELOAD=$library:$WORK/no_gettext.so
		export ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=0:abort_on_error=1:log_path=$WORK/reports/address
		export UBSAN_OPTIONS=print_stacktrace=1:log_path=$WORK/reports/undefined
		exec -a \"\$0\" \$real \"\$@\""
}

layer_reports() {
	count_reports .
}

. "$(dirname "$0")/test.sh"
