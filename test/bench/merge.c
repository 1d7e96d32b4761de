/*
 * merge.c FILE...
 *	  What merging sets costs at least: a plain merge of sorted lines.
 *
 * Each file holds the sorted ids of one set, a line each, and is read into
 * memory first.  A binary heap of the inputs merges them into one buffer, each
 * id once.  Prints the ids and the milliseconds of merging alone.
 */
#define _POSIX_C_SOURCE 199309L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct Input
{
	char	   *at;				/* the current line */
	size_t		length;			/* of it */
	char	   *end;
} Input;

static void
fail(const char *what)
{
	perror(what);
	exit(1);
}

static void
find_line(Input *in)
{
	if (in->at < in->end)
		in->length = (char *) memchr(in->at, '\n', in->end - in->at) - in->at;
}

static size_t
read_input(Input *in, const char *name)
{
	FILE	   *file = fopen(name, "rb");
	long		size;

	if (!file || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0)
		fail(name);
	rewind(file);
	in->at = malloc(size + 1);
	if (!in->at || fread(in->at, 1, size, file) != (size_t) size)
		fail(name);
	in->end = in->at + size;
	find_line(in);
	fclose(file);
	return size;
}

static int
compare(const char *a, size_t a_length, const char *b, size_t b_length)
{
	int			order = memcmp(a, b, a_length < b_length ? a_length : b_length);

	return order ? order : (a_length > b_length) - (a_length < b_length);
}

/* Lets the input at position i sink to its place. */
static void
sift(Input *heap, int n, int i)
{
	Input		moved = heap[i];

	for (int child = 2 * i + 1; child < n; child = 2 * i + 1)
	{
		if (child + 1 < n && compare(heap[child + 1].at, heap[child + 1].length,
									 heap[child].at, heap[child].length) < 0)
			child++;
		if (compare(moved.at, moved.length, heap[child].at, heap[child].length) <= 0)
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = moved;
}

static long
merge(Input *heap, int n, char *to)
{
	char	   *last = to;
	size_t		last_length = 0;
	long		ids = 0;

	for (int i = n / 2 - 1; i >= 0; i--)
		sift(heap, n, i);
	while (n > 0)
	{
		if (ids == 0 || compare(heap->at, heap->length, last, last_length) != 0)
		{
			last = to;
			last_length = heap->length;
			memcpy(to, heap->at, last_length + 1);
			to += last_length + 1;
			ids++;
		}
		heap->at += heap->length + 1;
		find_line(heap);
		if (heap->at == heap->end)
			heap[0] = heap[--n];
		sift(heap, n, 0);
	}
	return ids;
}

int
main(int argc, char **argv)
{
	Input	   *inputs = calloc(argc, sizeof(Input));
	size_t		size = 1;
	char	   *to;
	long		ids;
	struct timespec start,
				stop;

	for (int i = 1; i < argc; i++)
		size += read_input(&inputs[i - 1], argv[i]);
	to = malloc(size);
	if (!to)
		fail("malloc");
	clock_gettime(CLOCK_MONOTONIC, &start);
	ids = merge(inputs, argc - 1, to);
	clock_gettime(CLOCK_MONOTONIC, &stop);
	printf("%ld %.3f\n", ids, (stop.tv_sec - start.tv_sec) * 1e3 + (stop.tv_nsec - start.tv_nsec) / 1e6);
	return 0;
}
