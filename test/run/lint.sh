#!/bin/bash
#
# lint.sh
#	  What programs that only read say of the code: shell, C, words, PL/pgSQL.
#
# Speaks TAP; a checker that is not here is skipped by name.  Run by the lint
# layer in the root of the tree; PGDATABASE has the extension and its tables.
set -u

tests=0
failed=0

# check NAME OUTPUT: passed where the program said nothing
check() {
	tests=$((tests + 1))
	if [ -z "$2" ]; then
		echo "ok $tests - $1"
	else
		echo "not ok $tests - $1"
		printf '%s\n' "$2" | head -n 40 | sed 's/^/# /'
		failed=1
	fi
}

skip() {
	tests=$((tests + 1))
	echo "ok $tests # SKIP $1: there is no $2"
}

# Scripts are sourced by one another (2034), split words on purpose (2046) and
# end at any failure (2164).
lint_shell() {
	command -v shellcheck >/dev/null || { skip 'shell scripts' shellcheck; return; }
	check 'shellcheck finds nothing in the shell scripts' \
		"$(shellcheck -s bash -x -S warning -e SC2034,SC2046,SC2164,SC2174 -f gcc \
			.ci/run test/run/*.sh test/bench/*.sh sql/cards/*.sh 2>&1)"
}

lint_layers() {
	check 'no file names what is of a higher floor' "$(make -s --no-print-directory layers 2>&1)"
}

# NULL is a pointer wherever this is built (varFuncNullUB); what the core
# allocates is zeroed (uninitvar); an error does not return
# (nullPointerRedundantCheck); addresses are copied as bytes (pointerSize); formats of the
# server's are not known to it (unknownMacro).
lint_c() {
	command -v cppcheck >/dev/null || { skip 'C' cppcheck; return; }
	check 'cppcheck finds nothing in src' \
		"$(find src -name '*.c' -print0 | xargs -0 cppcheck --std=c17 --language=c --enable=warning,performance,portability \
			--suppress=missingIncludeSystem --suppress=varFuncNullUB --suppress=uninitvar \
			--suppress=nullPointerRedundantCheck --suppress=pointerSize --suppress=unknownMacro -Isrc -q 2>&1)"
}

lint_words() {
	command -v codespell >/dev/null || { skip 'spelling' codespell; return; }
	check 'codespell finds no misspelt word' \
		"$(find . -path ./.build -prune -o -type f \( -name '*.md' -o -name '*.c' -o -name '*.h' -o -name '*.sql' -o -name '*.sh' \
			-o -name '*.pl' -o -name '*.pm' -o -name Makefile \) -not -path './sql/upgrade/imbilling--*' \
			-not -path './sql/imbilling--*' -print0 | xargs -0 codespell -q 3 -L brin,inout,isnt,te,fo 2>&1)"
}

# Every function in PL/pgSQL is planned to its last statement.  The result of a
# dynamic query is not known: temporary tables come with the call (42P01, 3F000).
lint_plpgsql() {
	psql -X -q -c 'CREATE EXTENSION IF NOT EXISTS plpgsql_check' >/dev/null 2>&1 ||
		{ skip 'functions in PL/pgSQL' plpgsql_check; return; }
	check 'plpgsql_check finds no error in any function' \
		"$(psql -X -q -A -t -v ON_ERROR_STOP=1 2>&1 <<-'SQL'
			SELECT p.oid::regprocedure, c.lineno, c.sqlstate, c.message
			FROM pg_proc p
			JOIN pg_language l ON l.oid = p.prolang AND l.lanname = 'plpgsql'
			CROSS JOIN LATERAL plpgsql_check_function_tb(p.oid, relid => CASE WHEN p.prorettype = 'trigger'::regtype THEN
				(SELECT t.tgrelid FROM pg_trigger t WHERE t.tgfoid = p.oid ORDER BY t.tgrelid LIMIT 1) ELSE 0 END,
				fatal_errors => false, other_warnings => false, extra_warnings => false, performance_warnings => false) c
			WHERE p.proname LIKE 'im\_%' AND c.level = 'error' AND c.sqlstate NOT IN ('42P01', '3F000')
				AND (p.prorettype <> 'trigger'::regtype OR EXISTS (SELECT FROM pg_trigger t WHERE t.tgfoid = p.oid))
			ORDER BY 1, 2
		SQL
		)"
}

lint_shell
lint_layers
lint_c
lint_words
lint_plpgsql
echo "1..$tests"
exit $failed
