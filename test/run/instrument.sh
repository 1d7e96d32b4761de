# instrument.sh (sourced)
#	  A server whose every process runs under an instrument.
#
# Tests start servers of their own besides ours, so the program postgres of
# the copied installation becomes a script that starts the real one.

# replace_postgres HEAD: the lines of the script before it starts the program,
# whose path is in $real.
replace_postgres() {
	mv "$PGBIN/postgres" "$PGBIN/postgres.real"
	cat >"$PGBIN/postgres" <<-SCRIPT
		#!/bin/bash
		real=$PGBIN/postgres.real
		# initdb's runs are not what is tested, and slow
		case " \$* " in
			*" --boot "* | *" --single "* | *" --check "* | *" -V "*) exec -a "\$0" \$real "\$@" ;;
		esac
		$1
	SCRIPT
	chmod +x "$PGBIN/postgres"
	mkdir -p "$WORK/reports"
	chmod a+rwx "$WORK/reports"
}

# Passed if no process left a report.  $1 tells which lines of one concern us.
count_reports() {
	local report bad=0
	for report in "$WORK"/reports/*; do
		if [ -s "$report" ] && grep -q "$1" "$report"; then
			head -n 60 "$report"
			bad=$((bad + 1))
		fi
	done
	echo "$((bad == 0)) $bad" >"$WORK/count.reports"
}
