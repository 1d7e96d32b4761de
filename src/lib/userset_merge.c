/*
 * userset_merge.c
 *	  Sorting ids into a set, and merging sets.
 *
 * The union reads all inputs at once through a tournament of losers: an
 * inner node keeps who lost there, so a step costs one comparison a level,
 * along one path.  It holds a block of each input and the result.
 */
#include "lib/userset_merge.h"

#include "miscadmin.h"

#define ST_SORT sort_user_keys
#define ST_ELEMENT_TYPE UserKey
#define ST_COMPARE(a, b) userset_key_compare(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#define ST_CHECK_FOR_INTERRUPTS
#include "lib/sort_template.h"

#define LIST_FIRST	32

void
userlist_init(UserList *list)
{
	memset(list, 0, sizeof(*list));
	list->context = CurrentMemoryContext;
	list->cap = LIST_FIRST;
	list->keys = palloc(list->cap * sizeof(UserKey));
	list->scratch_cap = 256;
	list->scratch = palloc0(list->scratch_cap);
}

void
userlist_add(UserList *list, const char *id, Size len)
{
	UserKey    *key;

	if (list->count == list->cap)
	{
		list->cap *= 2;
		list->keys = repalloc_huge(list->keys, list->cap * sizeof(UserKey));
	}
	if (USERSET_KEY_ROOM(len) > list->scratch_cap)
	{
		list->scratch_cap = 2 * USERSET_KEY_ROOM(len);
		list->scratch = repalloc_huge(list->scratch, list->scratch_cap);
	}
	key = &list->keys[list->count++];
	key->len = userset_key_encode(id, len, list->scratch);
	key->bytes = (uint8 *) arena_alloc(&list->arena, list->context, Max(key->len, 16));
	memcpy(key->bytes, list->scratch, Max(key->len, 16));
	userset_key_load(key);
}

struct varlena *
userlist_finish(UserList *list)
{
	UserSetWriter writer;

	userset_writer_init(&writer);
	sort_user_keys(list->keys, list->count);
	for (Size i = 0; i < list->count; i++)
		if (i == 0 || userset_key_compare(&list->keys[i - 1], &list->keys[i]) != 0)
			userset_writer_put(&writer, &list->keys[i]);
	return userset_writer_finish(&writer);
}

/* ---- union ---- */

typedef struct Tournament
{
	UserSetReader *readers;
	int		   *losers;			/* [0] is the winner */
	int			n;
} Tournament;

/* No key begins with a class this high, so an input at its end loses. */
static void
step(UserSetReader *reader)
{
	if (!userset_reader_next(reader))
		reader->key.hi = ~UINT64CONST(0);
}

static inline bool
at_end(const UserSetReader *reader)
{
	return reader->key.hi == ~UINT64CONST(0);
}

static inline bool
wins(const Tournament *t, int a, int b)
{
	return userset_key_compare(&t->readers[a].key, &t->readers[b].key) < 0;
}

/* Plays the games from the leaf of one reader up to the root. */
static inline void
replay(Tournament *t, int reader)
{
	for (int node = (t->n + reader) / 2; node > 0; node /= 2)
		if (wins(t, t->losers[node], reader))
		{
			int			winner = t->losers[node];

			t->losers[node] = reader;
			reader = winner;
		}
	t->losers[0] = reader;
}

/* First round: the winner below each node goes up, the loser stays. */
static int
first_round(Tournament *t, int node)
{
	int			left,
				right;

	if (node >= t->n)
		return node - t->n;
	left = first_round(t, 2 * node);
	right = first_round(t, 2 * node + 1);
	if (wins(t, right, left))
	{
		t->losers[node] = left;
		return right;
	}
	t->losers[node] = right;
	return left;
}

static void
open_inputs(Tournament *t, const Datum *sets, int n)
{
	t->n = n;
	t->readers = palloc(n * sizeof(UserSetReader));
	t->losers = palloc0(n * sizeof(int));
	for (int i = 0; i < n; i++)
	{
		userset_reader_init(&t->readers[i], sets[i]);
		step(&t->readers[i]);
	}
	t->losers[0] = n > 1 ? first_round(t, 1) : 0;
}

static void
close_inputs(Tournament *t)
{
	for (int i = 0; i < t->n; i++)
		userset_reader_close(&t->readers[i]);
	pfree(t->readers);
	pfree(t->losers);
}

struct varlena *
userset_union(const Datum *sets, int n)
{
	Tournament	t;
	UserSetWriter writer;

	userset_writer_init(&writer);
	if (n == 0)
		return userset_writer_finish(&writer);
	open_inputs(&t, sets, n);
	for (;;)
	{
		UserSetReader *winner = &t.readers[t.losers[0]];

		if (at_end(winner))
			break;
		if (writer.count == 0 || userset_key_compare(&writer.last, &winner->key) != 0)
			userset_writer_put(&writer, &winner->key);
		step(winner);
		CHECK_FOR_INTERRUPTS();
		replay(&t, t.losers[0]);
	}
	close_inputs(&t);
	return userset_writer_finish(&writer);
}
