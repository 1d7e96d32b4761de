#!/bin/bash
#
# test.sh
#	  What make test does: every layer of the suite on a throwaway server.
#
# ONLY="regress perl" runs these layers alone, KEEP=1 leaves server and files,
# PGMAJOR=17 takes that version, FILES="160_upgrade r1_time im_month" runs these
# files alone, and of the layers those that have one.  A layer that runs no test has failed.
# PICTURES=DIR keeps there what the perl layer's browser took of pages.
#
# sanitize.sh, memcheck.sh and coverage.sh run it on an instrumented server:
# they set INSTRUMENT and bring layers of their own.
set -euo pipefail
. "$(dirname "$0")/server.sh"

# What keeps the suite from starting is a failure like any other.
die() {
	told=yes
	printf '%s\n' "$@" '' '0 passed, 1 failed'
	exit 1
}

LAYERS=${LAYERS:-'core regress pgtap isolation perl readme lint dist'}

# Where a layer has its files.  Layers of instruments have none: FILES does not
# choose among them.
declare -A FILES_OF=([core]='test/core/*.c' [regress]='test/sql/*.sql' [pgtap]='test/pgtap/*.sql'
	[isolation]='test/specs/*.spec' [perl]='test/t/*.pl' [readme]='README.md doc/*.md')

# The tests may write beside themselves and run as another user than the owner
# of the checkout: they get a copy of it.
copy_tree() {
	TREE=$WORK/tree
	mkdir "$TREE"
	tar -C "$ROOT" -c --exclude=./.git --exclude=./.build . | as_user_owned tar -C "$TREE" -x
}

as_user_owned() {
	[ "$(id -u)" -ne 0 ] || chown postgres "$TREE"
	as_user "$@"
}

# Runs TAP-producing tests; tap.pl leaves "passed failed" in $WORK/count.LAYER.
tap() {
	local layer=$1
	shift
	as_user perl "$TREE/test/run/tap.pl" --count "$WORK/count.$layer" "$@"
}

# The core is plain C: each program is built with all of it under the
# sanitizers, since past a small palloc they see nothing in the server.
# The compiler counts the blocks of code that run, for steps.c.
CORE_FLAGS=${CORE_FLAGS:--fsanitize=address,undefined -fno-sanitize-recover=undefined -fsanitize-coverage=trace-pc}

# compile_core FOLDER ARGUMENT...
compile_core() {
	(cd "$1" && shift && as_user "${CC:-cc}" -std=c17 -Wall -Wextra -g -O1 $CORE_FLAGS \
		-I"$TREE/src" -I"$TREE/test/core" "$@")
}

layer_core() {
	local source program programs=() broken=0
	as_user mkdir "$WORK/core" "$WORK/core/src" "$WORK/core/test"
	compile_core "$WORK/core/src" -c "$TREE"/src/core/*.c "$TREE"/src/core/*/*.c
	for source in $(files_of core); do
		program=$WORK/core/test/$(basename "$source" .c)
		if compile_core "$WORK/core/test" -o "$program" "$source" "$WORK"/core/src/*.o; then
			programs+=("$program")
		else
			echo "cannot build $source"
			broken=$((broken + 1))
		fi
	done
	UBSAN_OPTIONS=print_stacktrace=1 ASAN_OPTIONS=detect_leaks=${CORE_LEAKS:-0} tap core "${programs[@]}"
	count_more core "$broken"
}

# pg_regress NAME-OF-LAYER PROGRAM KIND-OF-INPUT TEST...
regression() {
	local layer=$1 program=$2 input=$3 folder=$WORK/$1
	shift 3
	as_user mkdir "$folder"
	ln -s "$TREE/test/$input" "$folder/$input"
	ln -s "$TREE/expected" "$folder/expected"
	(
		cd "$folder"
		as_user "$WORK$PGLIBDIR/lib/pgxs/src/test/$program" --bindir="$PGBIN" \
			--inputdir="$folder" --outputdir="$folder" --dbname="test_$layer" "$@" 2>&1
	) | tee "$WORK/$layer.log" | grep -vE '^(=|#|$|SET$|\(using)|^(CREATE|DROP|ALTER) DATABASE' || true
	if [ -e "$folder/regression.diffs" ]; then
		cat "$folder/regression.diffs"
	fi
	# 15 says "test name ... ok", 16 and later speak TAP
	count_lines "$layer" '(^test .*\.\.\. ok|^ok )' '(^test .*\.\.\. FAILED|^not ok )'
}

count_lines() {
	local passed failed
	passed=$(grep -cE "$2" "$WORK/$1.log" || true)
	failed=$(grep -cE "$3" "$WORK/$1.log" || true)
	echo "$passed $failed" >"$WORK/count.$1"
}

count_more() {
	local passed failed
	read -r passed failed <"$WORK/count.$1"
	echo "$passed $((failed + $2))" >"$WORK/count.$1"
}

# The files of a layer that FILES names, or all of them.
files_of() (
	local file name
	cd "${TREE:-$ROOT}"
	for file in ${FILES_OF[$1]:-}; do
		name=${file##*/} name=${name%.*}
		if [ -e "$file" ] && [[ -z "${FILES:-}" || " $FILES " == *" $name "* ]]; then
			echo "${TREE:-$ROOT}/$file"
		fi
	done
)

names_of() {
	files_of "$1" | sed 's|.*/||; s|\.[a-z]*$||'
}

# A misspelt name would pass for a test that was run.
check_files() {
	local name layer
	for name in ${FILES:-}; do
		for layer in $LAYERS; do
			[ -z "$(FILES=$name files_of "$layer")" ] || continue 2
		done
		die "FILES: no test has the name \"$name\" (a file's name without folder and ending, such as r1_time)"
	done
}

# Prints the layers that ONLY and FILES leave.
chosen_layers() {
	local layer
	for layer in $(printf '%s' "${ONLY:-$LAYERS}" | tr ',' ' '); do
		if [ -z "${FILES:-}" ] || [ -z "${FILES_OF[$layer]:-}" ] || [ -n "$(files_of "$layer")" ]; then
			echo "$layer"
		fi
	done
}

layer_regress() {
	local tests
	tests=$(names_of regress)
	[ -z "$tests" ] || regression regress regress/pg_regress sql $tests
}

layer_isolation() {
	local tests
	tests=$(names_of isolation)
	[ -z "$tests" ] || regression isolation isolation/pg_isolation_regress specs $tests
}

# Each file has a database of its own, with pgTAP, the extension and its
# tables in it, so that none sees what another committed.
layer_pgtap() {
	local files=()
	mapfile -t files < <(files_of pgtap)
	[ ${#files[@]} -gt 0 ] || return 0
	as_user createdb pgtap_template
	as_user psql -X -q -v ON_ERROR_STOP=1 -d pgtap_template >/dev/null <<-SQL
		CREATE EXTENSION pgtap;
		CREATE EXTENSION imbilling;
		SELECT im_create_tables();
	SQL
	tap pgtap --jobs "$(nproc)" --in-turn 'CREATE ROLE|include/roles' --exec "$TREE/test/run/pgtap_file.sh" "${files[@]}"
}

# Servers of their own come from PostgreSQL::Test::Cluster, by way of PATH from
# the same private installation; PGHOST leads to the one that runs already.
layer_perl() {
	local files=()
	mapfile -t files < <(files_of perl)
	[ ${#files[@]} -gt 0 ] || return 0
	as_user mkdir "$WORK/perl"
	as_user createdb perl
	export PERL5LIB=$WORK$PGLIBDIR/lib/pgxs/src/test/perl:$TREE/test/t:$TREE/test/reference
	export PG_REGRESS=$WORK$PGLIBDIR/lib/pgxs/src/test/regress/pg_regress
	export TESTDIR=$WORK/perl TESTDATADIR=$WORK/perl/tmp_check TESTLOGDIR=$WORK/perl/log
	export IMBILLING_TREE=$TREE
	if [ -n "${PICTURES:-}" ]; then
		as_user mkdir "$WORK/pictures"
		export IMBILLING_PICTURES=$WORK/pictures
	fi
	PGDATABASE=perl tap perl "${files[@]}" || true
	[ -z "${PICTURES:-}" ] || cp "$WORK/pictures"/* "$PICTURES"
}

# What the documents tell to run prints what they say, each in a database of
# its own, as many side by side as there are cores.
layer_readme() {
	local files=()
	mapfile -t files < <(files_of readme)
	tap readme --jobs "$(nproc)" --exec perl\ "$TREE/test/run/readme_test.pl" "${files[@]}"
}

# What PGXN takes must build and install by itself.
layer_dist() {
	local name passed=0 failed=0
	name=imbilling-$(sed -n "s/^default_version = '\(.*\)'/\1/p" "$ROOT/imbilling.control")
	if [ ! -e "$ROOT/.git" ] || ! command -v git >/dev/null || ! command -v unzip >/dev/null; then
		echo 'skipped: it takes a checkout, git and unzip'
		passed=1
	elif (cd "$WORK" && "$ROOT/test/run/dist.sh" "$name" "$WORK" && unzip -q "$name.zip" &&
		make -C "$name" -j "$(nproc)" --no-print-directory with_llvm=no PG_CONFIG="$PG_CONFIG" all &&
		make -C "$name" --no-print-directory with_llvm=no PG_CONFIG="$PG_CONFIG" DESTDIR="$WORK/dist" install &&
		find dist -name imbilling.so | grep -q . && find dist -name "imbilling--${name#*-}.sql" | grep -q .) >"$WORK/dist.log" 2>&1; then
		passed=1
	else
		tail -n 30 "$WORK/dist.log"
		failed=1
	fi
	echo "$passed $failed" >"$WORK/count.dist"
}

# What programs that only read find; those that are not here are skipped.
layer_lint() {
	as_user createdb lint
	as_user psql -X -q -v ON_ERROR_STOP=1 -d lint -c 'CREATE EXTENSION imbilling' -c 'SELECT im_create_tables()' >/dev/null
	PGDATABASE=lint tap lint "$TREE/test/run/lint.sh"
}

run_layer() {
	local layer=$1 started=$SECONDS status=0
	say "$layer"
	(cd "$TREE" && "layer_$layer") || status=$?
	if [ $status -ne 0 ] && [ ! -s "$WORK/count.$layer" ]; then
		echo "layer $layer ended with status $status before it could count"
	fi
	SPENT[$layer]=$((SECONDS - started))
}

# A table, then the sum alone on the last line.
summarise() {
	local layer passed failed note all_passed=0 all_failed=0
	printf '\n%-10s %8s %8s %8s\n' layer passed failed seconds
	for layer in "$@"; do
		passed=0 failed=0 note=
		[ ! -s "$WORK/count.$layer" ] || read -r passed failed <"$WORK/count.$layer"
		if [ $((passed + failed)) -eq 0 ]; then
			failed=1 note='   ran no test'
		fi
		printf '%-10s %8d %8d %8d%s\n' "$layer" "$passed" "$failed" "${SPENT[$layer]}" "$note"
		all_passed=$((all_passed + passed))
		all_failed=$((all_failed + failed))
	done
	printf '\n%d passed, %d failed\n' "$all_passed" "$all_failed"
	told=yes
	[ "$all_failed" -eq 0 ]
}

main() {
	local layer
	exec 2>&1
	declare -gA SPENT=()
	for layer in $(printf '%s' "${ONLY:-}" | tr ',' ' '); do
		[[ " $LAYERS " == *" $layer "* ]] || die "ONLY: no layer \"$layer\"; there are: $LAYERS"
	done
	check_files
	set -- $(chosen_layers)
	[ $# -gt 0 ] || die "FILES: no layer of ONLY=\"${ONLY:-}\" has a file of \"$FILES\""
	[ -z "${PICTURES:-}" ] || { mkdir -p "$PICTURES" && PICTURES=$(cd "$PICTURES" && pwd); }
	WELCOME=welcome_for_tests set_up missing_for_server missing_for_tests
	[[ " $* " != *" perl "* ]] || { install_browser; install_node_driver; }
	copy_tree
	for layer in "$@"; do
		run_layer "$layer"
	done
	summarise "$@"
}

main
