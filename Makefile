# imbilling - usage billing for instant messaging, inside PostgreSQL
#
#   make            build the extension
#   make install    install it into the PostgreSQL that PG_CONFIG names
#   make demo       everything from a bare Debian machine to printed bills
#   make test       the whole suite on a throwaway server
#                   (ONLY=regress for one layer, FILES=r1_time for one file,
#                   PGMAJOR=17 for another server, KEEP=1 to look around
#                   afterwards; demo takes the last two too)
#   make sanitize   the suite under the address and undefined-behaviour sanitizers
#   make memcheck   a share of it under valgrind
#   make coverage   the suite with gcov: which lines of src it reaches
#   make bench      time it against other databases (SCALE=0.05 for a try)
#   make bare       make demo in emptied roots of Debian (SUITES=bookworm for one)
#   make matrix     the suite on later releases, and pg_upgrade from one to the next
#   make check-fast   core, regress and pgtap alone
#   make lint       what shellcheck, cppcheck, codespell and plpgsql_check find
#   make layers   whether every file names only what lies on its floor or below
#   make dist       the zip that PGXN takes
#   make installcheck   pg_regress and isolation tests on an installed server
#   make clean      remove what was built
#
# doc/testing.md and doc/benchmarks.md tell of all of them, and of more variables.
#
# It builds out of the tree too: make -f /path/to/imbilling/Makefile

HERE := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
ifeq ($(wildcard $(HERE)/imbilling.control),)
$(error make cannot follow a path with a blank in it: run make in the folder of this Makefile, or give a path by way of a link without one)
endif
PG_CONFIG ?= pg_config

EXTENSION = imbilling
MODULE_big = imbilling

# The folders of src, lowest floor first.
SRC_FLOORS = core core/orders core/bill core/finance lib types server meter rate triggers ledger html
SRCS = $(sort $(patsubst $(HERE)/%,%,$(wildcard $(SRC_FLOORS:%=$(HERE)/src/%/*.c))))
OBJS = $(SRCS:.c=.o)

# The parts of the install script, in the order in which they are joined: floor by
# floor, lowest first.  cards/bundled_cards is generated, the others are files of sql/.
SQL_PARTS = preamble \
	types/month types/userset types/usage types/rate_card types/charge \
	cards/bundled_cards \
	guards/need guards/asks \
	meters/dau meters/app_dau meters/days meters/figures meters/event_day \
	rating/rating rating/due \
	tables/definitions tables/distributed tables/owner \
	accounts/accounts accounts/orders accounts/apps \
	triggers/marks triggers/issued triggers/triggers \
	usage/metering usage/daily usage/stale usage/events usage/gathering usage/bad_rows usage/meter_plan \
		usage/meter_slices usage/meter_events usage/meter_run usage/meter_month usage/meter_write \
	documents/documents \
	bills/rebill bills/bills bills/months bills/reports bills/scenes bills/visible bills/checks \
	ledger/run ledger/numbers ledger/issue ledger/closing ledger/adjusting ledger/verify ledger/audit ledger/months \
	money/accounts money/dues money/balances money/suspending money/standing money/reasons \
	finance/daily_usage finance/limits finance/quote finance/alerts finance/revenue finance/focus finance/running \
		finance/views \
	pages/explain pages/parts pages/chart pages/page pages/days pages/bill pages/month pages/document pages/account \
	roles/guarded roles/functions roles/grants \
	setup/tables setup/partition_parts setup/partitions \
	front/routes front/jobs front/copies front/front
SQL_FILES = $(foreach part,$(SQL_PARTS),$(if $(filter cards/bundled_cards,$(part)),sql/$(part).sql,$(HERE)/sql/$(part).sql))
CARDS = $(sort $(wildcard $(HERE)/sql/cards/*.json $(HERE)/sql/cards/others/*.json))

EXTVERSION = $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" $(HERE)/imbilling.control)
INSTALL_SCRIPT_SQL = sql/imbilling--$(EXTVERSION).sql
# From each earlier version, whose install script sql/upgrade keeps, to this.
EARLIER = $(sort $(patsubst $(HERE)/sql/upgrade/imbilling--%.sql,%,$(wildcard $(HERE)/sql/upgrade/imbilling--*.sql)))
UPDATE_SCRIPTS = $(EARLIER:%=sql/imbilling--%--$(EXTVERSION).sql)
DATA_built = $(INSTALL_SCRIPT_SQL) $(UPDATE_SCRIPTS)
DOCS = $(sort $(patsubst $(HERE)/%,%,$(wildcard $(HERE)/doc/*.md $(HERE)/doc/*.sql $(HERE)/doc/*.png)))

# pg_regress looks for expected/ in its output directory, before it looks in
# the input directory: so test/sql and test/specs share the one at the top.
REGRESS = $(sort $(patsubst $(HERE)/test/sql/%.sql,%,$(wildcard $(HERE)/test/sql/*.sql)))
REGRESS_OPTS = --inputdir=$(HERE)/test
REGRESS_PREP = installcheck-needs expected-here
ISOLATION = $(sort $(patsubst $(HERE)/test/specs/%.spec,%,$(wildcard $(HERE)/test/specs/*.spec)))
ISOLATION_OPTS = --inputdir=$(HERE)/test --outputdir=.

# The server's headers are not clean under -Wextra; ours and what includes
# them are, so they count as the system's.
PG_CPPFLAGS = -I$(HERE)/src -isystem $(shell $(PG_CONFIG) --includedir-server)
PG_CFLAGS = -std=c17 -Wall -Wextra

EXTRA_CLEAN = $(INSTALL_SCRIPT_SQL) $(UPDATE_SCRIPTS) sql/cards/bundled_cards.sql $(SRCS:.c=.d) .build

# The headers themselves: pgxs.mk comes with the client on Debian.
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
SERVER_HEADERS := $(shell $(PG_CONFIG) --includedir-server 2>/dev/null)
ifneq ($(and $(wildcard $(PGXS)),$(wildcard $(SERVER_HEADERS)/postgres.h)),)

include $(PGXS)

# PGXS builds elsewhere by way of VPATH, which finds stale objects of an
# earlier build in the source tree as well.  Look only for sources there.
srcdir := $(HERE)
override VPATH :=
vpath %.c $(HERE)
vpath %.control $(HERE)

# PGXS puts the documents of all extensions into one folder; ours stay together,
# below the README, so that links between them lead somewhere.
docmoduledir := imbilling/doc
README_INSTALLED = '$(DESTDIR)$(docdir)/imbilling/README.md'
.PHONY: install-readme uninstall-readme
install: install-readme
install-readme: installdirs
	$(if $(docdir),$(INSTALL_DATA) $(HERE)/README.md $(README_INSTALLED))
uninstall: uninstall-readme
uninstall-readme:
	$(if $(docdir),rm -f $(README_INSTALLED) $(addprefix '$(DESTDIR)$(docdir)/$(docmoduledir)'/,$(notdir $(DOCS))))

# gcc's options, taken from the server's own build, are not all clang's.
ifneq ($(findstring clang,$(CC)),)
override CFLAGS += -Wno-unknown-warning-option -Wno-ignored-optimization-argument
endif

# PGXS follows no headers and makes no folders.  -MD, not -MMD: the server's
# headers are the ones that change under our feet.
src/%.o: src/%.c
	$(tell_of_bitcode)
	@$(MKDIR_P) $(@D)
	$(COMPILE.c) -MD -MP -MT '$@ $(@:.o=.bc)' -o $@ $<

# Said once, and only where something is compiled.
ifeq ($(with_llvm),yes)
tell_of_bitcode = $(if $(told),,$(eval told := yes)$(info Building bitcode for JIT as well, which takes \
	minutes and most of the time: make with_llvm=no, and the same for install, leaves it out.))
endif

src/%.bc: src/%.c
	@$(MKDIR_P) $(@D)
	$(COMPILE.c.bc) -o $@ $<

-include $(SRCS:.c=.d)

$(INSTALL_SCRIPT_SQL): $(SQL_FILES) $(HERE)/imbilling.control $(HERE)/Makefile
	@$(MKDIR_P) $(@D)
	for part in $(SQL_FILES); do cat $$part && echo || exit 1; done > $@

$(UPDATE_SCRIPTS): sql/imbilling--%--$(EXTVERSION).sql: $(HERE)/sql/upgrade/imbilling--%.sql \
		$(HERE)/sql/upgrade/%--$(EXTVERSION).sql $(HERE)/sql/upgrade/update_script.pl $(INSTALL_SCRIPT_SQL)
	perl $(HERE)/sql/upgrade/update_script.pl $* $(EXTVERSION) $(wordlist 1,2,$^) < $(INSTALL_SCRIPT_SQL) > $@

sql/cards/bundled_cards.sql: $(CARDS) $(HERE)/sql/cards/join.sh
	@$(MKDIR_P) $(@D)
	sh $(HERE)/sql/cards/join.sh $(CARDS) > $@

.PHONY: installcheck-needs
installcheck-needs:
	@sh $(HERE)/test/run/installcheck_needs.sh $(bindir) $(EXTVERSION)

.PHONY: expected-here
expected-here:
	@test -e expected || ln -s $(abspath $(HERE)/expected) expected

.DELETE_ON_ERROR:

else # no server headers

MAJOR := $(firstword $(subst ., ,$(word 2,$(shell $(PG_CONFIG) --version 2>/dev/null))) all)

.PHONY: all install installcheck clean
all install installcheck:
	@echo "There is no postgres.h where $(PG_CONFIG) leads$(SERVER_HEADERS:%= (%)): install postgresql-server-dev-$(MAJOR), or set PG_CONFIG." >&2
	@echo '"make demo" and "make test" install what they need.' >&2
	@false

clean:
	rm -rf $(OBJS) $(OBJS:.o=.bc) $(EXTRA_CLEAN) imbilling.so

endif

.PHONY: check-fast lint layers dist
check-fast:
	@ONLY='core regress pgtap' $(HERE)/test/run/test.sh
lint:
	@ONLY=lint $(HERE)/test/run/test.sh
layers:
	@perl $(HERE)/test/run/layers.pl $(HERE) $(SRC_FLOORS) -- $(SQL_PARTS)
dist:
	@$(HERE)/test/run/dist.sh $(EXTENSION)-$(EXTVERSION)

# These find or install their own PostgreSQL.
.PHONY: demo test bare matrix bench sanitize memcheck coverage
demo test bare matrix bench sanitize memcheck coverage:
	@$(HERE)/test/run/$@.sh
