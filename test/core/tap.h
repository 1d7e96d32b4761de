/*
 * tap.h
 *	  Tests of the core: a TAP writer and a Core without a server.
 *
 * Memory is handed out 8 bytes aligned and no better, as palloc does, so the
 * sanitizers see an access that would need more.  A problem jumps back to
 * where TRY_CORE stands.
 */
#ifndef IM_TEST_TAP_H
#define IM_TEST_TAP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/core.h"

typedef struct TestBlock TestBlock;

struct TestBlock
{
	TestBlock  *next;
	unsigned char bytes[];
};

typedef struct TestCore
{
	Core		core;			/* first, for the hooks get its address */
	TestBlock  *blocks;
	jmp_buf		way_out;
	Problem		problem;		/* of the last failure */
	long long	polls;			/* how often it asked whether to go on */
	long long	longest;		/* blocks of code between two of these */
} TestCore;

/*
 * Blocks of code that ran since the core last asked whether to go on, counted
 * by the compiler (-fsanitize-coverage=trace-pc), and all of them.  Without
 * that option both stay 0.
 */
static long long blocks_since = 0,
			blocks_run = 0;

extern void __sanitizer_cov_trace_pc(void);

__attribute__((no_sanitize_coverage)) void
__sanitizer_cov_trace_pc(void)
{
	blocks_since++;
	blocks_run++;
}

static int	tests_run = 0;
static int	tests_failed = 0;

/* "why" says what is wrong if the test fails. */
static inline bool __attribute__((format(printf, 2, 3)))
ok(bool passed, const char *why,...)
{
	va_list		args;

	printf("%sok %d - ", passed ? "" : "not ", ++tests_run);
	va_start(args, why);
	vprintf(why, args);
	va_end(args);
	putchar('\n');
	if (!passed)
		tests_failed++;
	return passed;
}

/* Prints a text of several lines as TAP comments. */
static inline void
diag(const char *label, const char *text)
{
	printf("# %s: ", label);
	for (; *text != '\0'; text++)
	{
		putchar(*text);
		if (*text == '\n' && text[1] != '\0')
			printf("#   ");
	}
	putchar('\n');
}

static inline bool
is(const char *got, const char *expected, const char *why)
{
	bool		passed = strcmp(got, expected) == 0;

	ok(passed, "%s", why);
	if (!passed)
	{
		diag("expected", expected);
		diag("got", got);
	}
	return passed;
}

static inline bool
is_int(long long got, long long expected, const char *why)
{
	bool		passed = got == expected;

	ok(passed, "%s", why);
	if (!passed)
		printf("# expected: %lld\n# got: %lld\n", expected, got);
	return passed;
}

static inline int
done_testing(void)
{
	printf("1..%d\n", tests_run);
	return tests_failed != 0;
}

static inline void *
test_alloc(Core *core, size_t size)
{
	TestCore   *test = (TestCore *) core;
	TestBlock  *block = calloc(1, sizeof(TestBlock) + size);

	if (block == NULL)
		abort();
	block->next = test->blocks;
	test->blocks = block;
	return block->bytes;
}

static inline void
test_fail(Core *core, const Problem *problem)
{
	TestCore   *test = (TestCore *) core;

	test->problem = *problem;
	longjmp(test->way_out, 1);
}

static inline void
test_poll(Core *core)
{
	TestCore   *test = (TestCore *) core;

	test->polls++;
	if (blocks_since > test->longest)
		test->longest = blocks_since;
	blocks_since = 0;
}

static inline void
test_core_open(TestCore *test)
{
	memset(test, 0, sizeof(*test));
	test->core.alloc = test_alloc;
	test->core.fail = test_fail;
	test->core.poll = test_poll;
}

/* Frees all that the core allocated. */
static inline void
test_core_close(TestCore *test)
{
	while (test->blocks != NULL)
	{
		TestBlock  *block = test->blocks;

		test->blocks = block->next;
		free(block);
	}
}

/* True on the way in, false once the core has given up. */
#define TRY_CORE(test) (setjmp((test)->way_out) == 0)

#endif							/* IM_TEST_TAP_H */
