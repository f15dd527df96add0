/* How streams are dealt out to channels, how fast these may be, and whether they are compressed; and what is under way
 * when the keeper dies. */
#include "check.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/reach.h"
#include "model/bandwidth.h"
#include "plan/compress_plan.h"
#include "plan/deal_plan.h"
#include "sys/fdio.h"
#include "sys/ipc.h"
#include "sys/pump.h"
#include "wire/control.h"

static struct send_step *add(struct send_steps *s, struct arena *a, enum send_kind kind, const char *target,
			     uint64_t size)
{
	struct send_step *step = vec_add(s, a);

	*step = (struct send_step){.kind = kind, .source = target + 2, .target = target, .bytes = size};
	return step;
}

static size_t list_with(const struct send_steps *lists, size_t n, const char *target, size_t *at)
{
	for (size_t i = 0; i < n; i++)
		for (*at = 0; *at < lists[i].n; (*at)++)
			if (strcmp(lists[i].v[*at].target, target) == 0)
				return i;
	fail_msg("'%s' is in no list", target);
	return 0;
}

static void big_ones_alone(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct send_steps sends = {0}, lists[4];
	size_t at;

	(void)state;
	assert_int_equal(sends_deal(&sends, 4, lists, &a), 0);
	for (int i = 0; i < 30; i++)
		add(&sends, &a, SEND_INCREMENTAL, arena_printf(&a, "v/t/small%02d", i), 1000);
	add(&sends, &a, SEND_INCREMENTAL, "v/t/big", (uint64_t)1 << 40);
	assert_int_equal(sends_deal(&sends, 2, lists, &a), 2);
	size_t big = list_with(lists, 2, "v/t/big", &at);
	assert_true(lists[big].n == 1 && lists[1 - big].n == 30);
	assert_string_equal(lists[1 - big].v[7].target, "v/t/small07");
	/* One is enough for what is little. */
	sends.n = 5;
	assert_int_equal(sends_deal(&sends, 2, lists, &a), 1);
	/* A first copy waits for what it lies below, and for what it is a clone of. */
	sends.n = 0;
	add(&sends, &a, SEND_FULL, "v/t", (uint64_t)1 << 30);
	add(&sends, &a, SEND_FULL, "v/u", (uint64_t)1 << 30);
	add(&sends, &a, SEND_INCREMENTAL, "v/t", (uint64_t)1 << 30);
	add(&sends, &a, SEND_FULL, "v/t/x", (uint64_t)1 << 30);
	add(&sends, &a, SEND_CLONE, "v/w", (uint64_t)1 << 30)->target_origin = "v/t/x@1";
	add(&sends, &a, SEND_INCREMENTAL, "v/u/y", (uint64_t)1 << 30);
	assert_int_equal(sends_deal(&sends, 4, lists, &a), 3);
	size_t t = list_with(lists, 3, "v/t", &at);
	assert_int_equal(lists[t].n, 4);
	assert_string_equal(lists[t].v[3].target, "v/w");
	assert_int_equal(lists[list_with(lists, 3, "v/u", &at)].n, 1);
}

/* Whatever is dealt: each stream once, in its order, and behind what it needs. */
static void any_deal(void **state)
{
	uint32_t seed = 7;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		AUTO(arena) struct arena a = {0};
		struct send_steps sends = {0}, lists[5];
		size_t n = 1 + draw(&seed) % 12, all = 0;
		for (size_t i = 0; i < n; i++) {
			const char *above = i == 0 || draw(&seed) % 3 == 0 ? "v/t" : sends.v[draw(&seed) % i].target;
			bool first = draw(&seed) % 2 == 0;
			const char *name = arena_printf(&a, "%s/%zu", above, i);
			struct send_step *s = add(&sends, &a, first ? SEND_FULL : SEND_INCREMENTAL, name,
						  (uint64_t)(draw(&seed) % 64) << 20);
			if (first && i > 0 && draw(&seed) % 4 == 0) {
				s->kind = SEND_CLONE;
				s->target_origin = arena_printf(&a, "%s@x", sends.v[draw(&seed) % i].target);
			}
		}
		size_t limit = 1 + draw(&seed) % 5, k = sends_deal(&sends, limit, lists, &a);
		assert_true(k >= 1 && k <= limit);
		for (size_t i = 0; i < k; i++) {
			all += lists[i].n;
			assert_true(lists[i].n > 0);
		}
		assert_int_equal(all, n);
		for (size_t i = 0; i < n; i++) {
			const struct send_step *s = &sends.v[i];
			size_t at, before, list = list_with(lists, k, s->target, &at);
			for (size_t o = 0; o < i; o++) {
				const char *other = sends.v[o].target;
				size_t len = strlen(other);
				bool needs = send_is_first(s) && strncmp(s->target, other, len) == 0 &&
					     s->target[len] == '/' && strchr(s->target + len + 1, '/') == NULL;
				needs |= s->target_origin != NULL && strncmp(s->target_origin, other, len) == 0 &&
					 s->target_origin[len] == '@';
				bool same = list_with(lists, k, other, &before) == list;
				if ((needs && !same) || (same && before >= at))
					fail_msg("'%s' does not follow '%s'", s->target, other);
			}
		}
	}
}

static void rates(void **state)
{
	static const char *const bad[] = {"",
					  "20XB/s",
					  "10",
					  "08:00-18:00",
					  "1MB/s, ",
					  "8:00-9:00 1MB/s",
					  "08:00-25:00 1MB/s",
					  "08:00-08:00 1MB/s",
					  "1MB/s 2MB/s",
					  "1MB/s, 2MB/s"};
	static const struct zone_part berlin[] = {{INT64_MIN, 3600}};
	const struct zone z = {.v = (struct zone_part *)(uintptr_t)berlin, .n = 1}, utc = {0};
	AUTO(arena) struct arena a = {0};
	struct bandwidth b;
	const char *why;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (bandwidth_parse(str_of(bad[i]), &a, &b, &why))
			fail_msg("'%s' is taken", bad[i]);
	assert_true(bandwidth_parse(str_of("20MB/s"), &a, &b, &why));
	assert_int_equal(bandwidth_at(&b, &utc, 12345), 20000000);
	assert_true(bandwidth_parse(str_of("20MB/s, 08:00-18:00 2MB, 22:00-06:00 unlimited"), &a, &b, &why));
	assert_int_equal(bandwidth_at(&b, &utc, 8 * 3600), 2000000);
	assert_int_equal(bandwidth_at(&b, &utc, 8 * 3600 - 1), 20000000);
	assert_int_equal(bandwidth_at(&b, &z, 7 * 3600), 2000000);
	assert_int_equal(bandwidth_at(&b, &utc, 18 * 3600), 20000000);
	assert_int_equal(bandwidth_at(&b, &utc, 23 * 3600), 0);
	assert_int_equal(bandwidth_at(&b, &utc, 86400 + 3600), 0);
	b = (struct bandwidth){0};
	assert_int_equal(bandwidth_at(&b, &utc, 0), 0);
}

/* By a clock of the test's own: what arrives in a second is what may. */
static void held_back_through(int (*make)(int ends[2]))
{
	struct pump_limit limit = {.at_ms = 1000};
	struct pump p[2];
	int in[2][2], out[2][2];
	static char text[60000];

	for (int i = 0; i < 2; i++) {
		assert_true(make(in[i]) == 0 && make(out[i]) == 0);
		assert_int_equal(write(in[i][1], text, sizeof(text)), sizeof(text));
		pump_splice(&p[i], in[i][0], out[i][1], 1 << 20, str_of("program"));
		p[i].limit = &limit;
	}
	pump_refill(&limit, 10000, 1000);
	assert_int_equal(pump_step(&p[0]), PUMP_GOES_ON);
	assert_true(p[0].bytes == 0 && p[0].first.n == 0 && pump_wants_out(&p[0]) == 0);
	for (int64_t now = 1000; now <= 2000; now += 10) {
		pump_refill(&limit, 10000, now);
		(void)pump_step(&p[now / 10 % 2]);
	}
	assert_true(p[0].bytes + p[1].bytes <= 10000 && p[0].bytes + p[1].bytes > 9500 && p[1].bytes > 4000);
	/* What was not used for long is not saved up. */
	uint64_t before = p[0].bytes;
	pump_refill(&limit, 10000, 60000);
	(void)pump_step(&p[0]);
	assert_in_range(p[0].bytes - before, 1, 1000);
	/* Without a limit all goes. */
	pump_refill(&limit, 0, 60010);
	for (int i = 0; i < 100 && p[0].bytes < sizeof(text); i++)
		assert_int_equal(pump_step(&p[0]), PUMP_GOES_ON);
	assert_int_equal(p[0].bytes, sizeof(text));
	for (int i = 0; i < 2; i++) {
		pump_release(&p[i]);
		(void)close(in[i][1]);
		(void)close(out[i][0]);
	}
}

static int sockets(int ends[2])
{
	return socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
}

static void held_back(void **state)
{
	(void)state;
	held_back_through(pipe);
	held_back_through(sockets);
}

static char nth(size_t i)
{
	return i < 5 ? "first"[i] : (char)(i * 2654435761u >> 11);
}

/* All of it, in order, however the writer and the reader dawdle, and without turning in circles. */
static void passed_through(void **state)
{
	enum { ALL = 4 << 20 };
	int (*const makes[])(int ends[2]) = {pipe, sockets};
	static char text[1 << 17];

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(makes); k++) {
		struct pump p;
		int in[2], out[2];
		size_t written = 5, taken = 0, idle = 0;
		ssize_t n = -1;
		assert_true(makes[k](in) == 0 && makes[k](out) == 0);
		assert_true(fcntl(in[1], F_SETFL, O_NONBLOCK) == 0 && fcntl(out[0], F_SETFL, O_NONBLOCK) == 0);
		pump_splice(&p, in[0], out[1], 256 * 1024, str_of("first"));
		for (size_t turn = 0; n != 0; turn++) {
			size_t chunk = turn * 7919 % sizeof(text), left = ALL - written;
			for (size_t i = 0; i < chunk; i++)
				text[i] = nth(written + i);
			ssize_t w = left == 0 || turn % 11 > 8 ? 0 : write(in[1], text, chunk < left ? chunk : left);
			written += w > 0 ? (size_t)w : 0;
			if (left > 0 && written == ALL)
				(void)close(in[1]);
			struct pollfd f[2] = {{p.in, pump_wants_in(&p), 0}, {p.out, pump_wants_out(&p), 0}};
			uint64_t before = 2 * p.bytes + p.len + p.first.n + (uint64_t)(p.in < 0);
			if (poll(f, 2, 0) > 0 && (f[0].revents != 0 || f[1].revents != 0)) {
				(void)pump_step(&p);
				idle = 2 * p.bytes + p.len + p.first.n + (uint64_t)(p.in < 0) == before ? idle + 1 : 0;
				assert_true(idle < 3);
			}
			if (turn % 13 < 4)
				continue;
			n = read(out[0], text, turn * 104729 % sizeof(text) + 1);
			for (ssize_t i = 0; i < n; i++, taken++)
				if (text[i] != nth(taken))
					fail_msg("byte %zu of kind %zu is another one", taken, k);
		}
		assert_int_equal(taken, ALL);
		assert_int_equal(p.bytes, ALL - 5);
		pump_release(&p);
		(void)close(out[0]);
	}
}

/* A reader takes 16 KiB each ms of what always has more to come: it is never kept waiting, and there is no turn for
 * each of its pieces.  Then it takes all at once, and goes: both are seen. */
static void not_for_each_piece(void **state)
{
	enum { PIECE = 16 << 10, MS = 4000, LAST = MS + 100 };
	static char text[4 << 20];
	struct pump p;
	int in[2], out[2], turns = 0;

	(void)state;
	assert_true(pipe(in) == 0 && pipe(out) == 0);
	assert_true(fcntl(in[1], F_SETFL, O_NONBLOCK) == 0 && fcntl(out[0], F_SETFL, O_NONBLOCK) == 0);
	pump_splice(&p, in[0], out[1], 1 << 20, str_of(""));
	for (int64_t now = 1; now <= LAST; now++) {
		(void)!write(in[1], text, sizeof(text));
		int64_t rest = pump_rest_ms(&p, now);
		assert_true(rest >= 0 && rest <= 20);
		assert_true(rest == 0 || (pump_wants_in(&p) == 0 && pump_wants_out(&p) == 0));
		/* Each turn does what it can, as poll says. */
		struct pollfd f[2] = {{p.in, pump_wants_in(&p), 0}, {p.out, pump_wants_out(&p), 0}};
		while (poll(f, 2, 0) > 0) {
			assert_int_equal(pump_step(&p), PUMP_GOES_ON);
			turns++;
			f[0].events = pump_wants_in(&p);
			f[1].events = pump_wants_out(&p);
			if (pump_rest_ms(&p, now) > 0)
				break;
		}
		size_t some = now < MS ? PIECE : sizeof(text);
		ssize_t n = read(out[0], text, some);
		assert_true(now < MS ? n == (ssize_t)some : n > 0 || now > MS);
	}
	assert_in_range(turns, 1, MS / 4);
	assert_true(p.bytes > (uint64_t)MS * PIECE);
	(void)close(out[0]);
	struct pollfd gone = {p.out, 0, 0};
	assert_true(poll(&gone, 1, 0) == 1 && (gone.revents & POLLERR) != 0);
	pump_release(&p);
	(void)close(in[1]);
}

/* What is asked next, or decided, of what is known. */
static void compressed(void **state)
{
	enum { MIB = 1 << 20 };
	const struct compress_facts good = {.link = true,
					    .most = 1 << 30,
					    .sampled = true,
					    .sample = {true, 4 * MIB, MIB, 40, 100},
					    .timed = true,
					    .other_has_zstd = true,
					    .line = 10 * MIB}; /* zstd makes 100 MiB/s */
	struct {
		const char
		    *expect; /* '+' compressed, '-' not, '?' and what is to be measured; and why, or a part of it */
		struct compress_facts f;
	} table[] = {
	    {"+a sample of it shrinks to 25 %, and the link takes 10.0 MiB/s", good},
	    {"+the file says so", {.wish = COMPRESS_ZSTD}},
	    {"-", {.wish = COMPRESS_NONE}},
	    {"-", {.wish = COMPRESS_AUTO}}, /* within this host */
	    {"-raw", {.link = true, .raw = true, .most = UINT64_MAX}},
	    {"-little", {.link = true, .most = 63 * MIB}},
	    {"?sample", {.link = true, .most = 64 * MIB}},
	    {"-no zstd command on the side that sends", good},
	    {"-compressed its blocks already (1.20x)", good},
	    {"+", good},
	    {"-short", good},
	    {"-81 % only", good},
	    {"+80 %", good},
	    {"?line", good},
	    {"-no zstd command on the side that receives", good},
	    {"-too fast", good},
	    {"-takes 51.0 MiB/s, and zstd makes 100.0 MiB/s", good},
	    {"+", good},
	    {"+", good},
	};
	AUTO(arena) struct arena a = {0};
	size_t n = 7;

	(void)state;
	table[n++].f.sample.has_zstd = false;
	table[n++].f.sample.ratio_percent = 120;
	table[n++].f.sample.ratio_percent = 119;
	table[n++].f.sample.bytes = MIB - 1;
	table[n++].f.sample.packed = 4 * MIB * 81 / 100 + 1000;
	table[n++].f.sample.packed = 4 * MIB * 80 / 100 + 1000;
	table[n++].f.timed = false;
	table[n++].f.other_has_zstd = false;
	table[n++].f.line = UINT64_MAX;
	table[n++].f.line = 51 * MIB;
	table[n++].f.line = 50 * MIB;
	table[n++].f.sample.cpu_ms = 0;
	assert_int_equal(n, ARRAY_LEN(table));
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct compress_verdict v = compress_plan(&table[i].f, &a);
		const char *is = v.need == COMPRESS_NEEDS_SAMPLE ? "?sample"
				 : v.need == COMPRESS_NEEDS_LINE
				     ? "?line"
				     : arena_printf(&a, "%c%s", v.zstd ? '+' : '-', v.why == NULL ? "" : v.why);
		if (is[0] != table[i].expect[0] || strstr(is + 1, table[i].expect + 1) == NULL)
			fail_msg("row %zu: '%s', not '%s'", i, is, table[i].expect);
	}
}

/* The largest four, and nothing raw. */
static void sampled(void **state)
{
	static const char *const names[] = {"t/a", "t/b", "t/c", "t/d", "t/e", "t/f"};
	static const uint64_t sizes[] = {5, 9, 1, 7, 3, 100};
	AUTO(arena) struct arena a = {0};
	struct side_state s = {.root = "t"};
	struct send_steps sends = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		*vec_add(&s.datasets, &a) = (struct dataset){.name = names[i], .referenced = sizes[i]};
		for (int twice = 0; twice < 2; twice++)
			*vec_add(&sends, &a) = (struct send_step){.source = names[i], .raw = i == 5};
	}
	struct send_steps some = compress_samples(&s, &sends, &a);
	assert_int_equal(some.n, COMPRESS_SAMPLES);
	for (size_t i = 0; i < some.n; i++)
		assert_int_equal(some.v[i].source[2], "bdae"[i]);
}

/* What the keeper that listens there hears first. */
static struct control_request heard(int keeper, struct buf *b, struct arena *a)
{
	struct control_request q = {0};
	struct err e;
	int nothing = -1;
	AUTO(fd) int fd = accept(keeper, NULL, NULL);

	assert_true(fd >= 0 && ipc_receive(fd, b, &nothing) > 0);
	assert_int_equal(control_read_request((struct str){b->p, b->n - 1}, a, &q, &e), 0);
	return q;
}

/* Whoever lost the keeper asks the next ones for the machine that it has, and not for any. */
static void kept(void **state)
{
	AUTO(arena) struct arena a = {0};
	char folder[] = "/tmp/reach-XXXXXX";
	const struct target t = {.name = "arch"};
	struct reach r = {.target = &t, .purpose = "backup x", .arena = &a, .link = CONTROL_INIT};
	struct paths paths = {0};
	struct err e;
	AUTO(fd) int keeper = -1;

	(void)state;
	assert_non_null(mkdtemp(folder));
	paths.socket = arena_printf(&a, "%s/s", folder);
	r.paths = &paths;
	assert_int_equal(ipc_listen(paths.socket, &keeper, &e), 0);
	fd_block(keeper);
	(void)snprintf(r.link.token, sizeof(r.link.token), "0123");
	for (int died = 0; died < 3; died++) {
		AUTO(buf) struct buf b = {0};
		reach_keep(&r);
		struct control_request q = heard(keeper, &b, &a);
		assert_true(q.op == CONTROL_LEASE && q.token != NULL);
		assert_string_equal(q.target, "arch");
		assert_string_equal(q.token, "0123");
		assert_true(control_lost(&r.link));
	}
	control_close(&r.link);
	(void)unlink(paths.socket);
	(void)rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(big_ones_alone), cmocka_unit_test(any_deal),	cmocka_unit_test(rates),
	    cmocka_unit_test(held_back),      cmocka_unit_test(passed_through), cmocka_unit_test(not_for_each_piece),
	    cmocka_unit_test(compressed),     cmocka_unit_test(sampled),	cmocka_unit_test(kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
