/* usage: move_pools POOL BYTES [DISK GUID]
 * For tests/zfs: fills POOL.next, on a disk of so many bytes, with all that POOL has, on this host; and then, if its
 * disk and GUID are said, gives it POOL's name.  A move without machines. */
#include <stdio.h>

#include "base/num.h"
#include "engine/move.h"
#include "wire/program.h"

static void tell(const char *text)
{
	(void)fprintf(stderr, "%s\n", text);
}

static int take_place(struct reach *r, char **argv, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	const struct pool_disk disk = {
	    .becomes = argv[1], .pool = pool_next(argv[1], r->arena), .path = argv[3], .guid = argv[4]};

	program_take_place(&b, &disk);
	return reach_do(r, buf_str(&b), "change the places", e);
}

int main(int argc, char **argv)
{
	AUTO(arena) struct arena a = {0};
	const struct config config = {0};
	const struct paths paths = {0};
	struct reach r;
	struct err e;
	uint64_t bytes;
	char line[800];

	if ((argc != 3 && argc != 5) || !num_u64(str_of(argv[2]), &bytes))
		return 3;
	if (reach_init(&r, &config, &paths, NULL, "move", &a, NULL, &e) == 0 &&
	    move_fits(&r, argv[1], bytes, &e) == 0 && move_copy(&r, argv[1], tell, &e) == 0 &&
	    (argc == 3 || take_place(&r, argv, &e) == 0))
		return 0;
	err_line(&e, line, sizeof(line));
	tell(line);
	return 2;
}
