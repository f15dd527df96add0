#include "fibers.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

enum { STACK = 512 * 1024 };

static struct fiber all[FIBERS];
static struct {
	ucontext_t context;
	void *stack;
} own[FIBERS];
static ucontext_t loop, blank;
static struct fiber *here;

static void body(int i)
{
	if (!all[i].dead)
		all[i].run(all[i].arg);
	all[i].used = false;
	(void)swapcontext(&own[i].context, &loop);
}

/* It returns twice, says gcc of it, and nothing else is here that could be the worse for that. */
static void get_blank(void)
{
	if (getcontext(&blank) < 0)
		abort();
}

static int unused(void)
{
	for (int i = 0; i < FIBERS; i++)
		if (!all[i].used)
			return i;
	abort();
}

struct fiber *fiber_new(void (*run)(void *arg), void *arg, int64_t now)
{
	static int ids;
	const int i = unused();

	all[i] = (struct fiber){.used = true,
				.id = ++ids,
				.run = run,
				.arg = arg,
				.wake_at = now,
				.parent = here,
				.in = -1,
				.out = -1,
				.locks = {-1, -1, -1, -1}};
	if (own[i].stack == NULL)
		own[i].stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (own[i].stack == MAP_FAILED)
		abort();
	get_blank();
	own[i].context = blank;
	own[i].context.uc_stack.ss_sp = own[i].stack;
	own[i].context.uc_stack.ss_size = STACK;
	makecontext(&own[i].context, (void (*)(void))body, 1, i);
	return &all[i];
}

struct fiber *fiber_here(void)
{
	return here;
}

static void shut(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static void go_on(struct fiber *f)
{
	here = f;
	(void)swapcontext(&loop, &own[f - all].context);
	here = NULL;
	if (f->used)
		return;
	shut(&f->in);
	shut(&f->out);
	for (int i = 0; i < 4; i++)
		shut(&f->locks[i]);
	if (f->parent != NULL)
		f->parent->wake_at = 0;
}

bool fiber_wait(int64_t until)
{
	struct fiber *f = here;

	if (f->dead)
		return false;
	f->wake_at = until;
	(void)swapcontext(&own[f - all].context, &loop);
	return !f->dead;
}

void fiber_kill(struct fiber *f)
{
	if (here != NULL || !f->used)
		abort();
	for (struct fiber *child = all; child < all + FIBERS; child++)
		if (child->used && child->parent == f)
			fiber_kill(child);
	f->dead = true;
	go_on(f);
	if (f->used)
		abort();
}

void fibers_run(int64_t now)
{
	for (struct fiber *f = all; f < all + FIBERS; f++)
		if (f->used && f->wake_at <= now)
			go_on(f);
}

int64_t fibers_next(void)
{
	int64_t next = INT64_MAX;

	for (const struct fiber *f = all; f < all + FIBERS; f++)
		if (f->used && f->wake_at < next)
			next = f->wake_at;
	return next;
}

struct fiber *fiber_nth(int i)
{
	return &all[i];
}

struct fiber *fiber_find(int id)
{
	for (struct fiber *f = all; f < all + FIBERS; f++)
		if (f->used && f->id == id)
			return f;
	return NULL;
}
