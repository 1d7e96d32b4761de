# imbilling - usage billing for instant messaging, inside PostgreSQL
#
#   make            build the extension
#   make install    install it into the PostgreSQL that PG_CONFIG names
#   make demo       everything from a bare Debian machine to printed bills
#   make test       the whole suite on a throwaway cluster

EXTENSION = imbilling
EXTVERSION = $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" $(srcdir)/imbilling.control)

MODULE_big = imbilling
SRCS = $(sort $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/src/*/*.c)))
OBJS = $(SRCS:.c=.o)

# The parts of the install script, in the order in which they are joined.
SQL_PARTS = preamble month userset rate_card meters rating gathering tables orders bills reports
SQL_FILES = $(SQL_PARTS:%=$(srcdir)/sql/%.sql)
CARDS = $(sort $(wildcard $(srcdir)/sql/cards/*.json))

DATA_built = sql/imbilling--$(EXTVERSION).sql

PG_CPPFLAGS = -I$(srcdir)/src
PG_CFLAGS = -std=gnu17 -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -MMD -MP

EXTRA_CLEAN = sql/imbilling--$(EXTVERSION).sql sql/bundled_cards.sql $(SRCS:.c=.d) $(SRCS:.c=.bc)

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

-include $(SRCS:.c=.d)
