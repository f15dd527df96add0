/* Keys of ssh hosts, made by ssh-keygen(1).  Each function waits for it. */
#ifndef SYS_HOST_KEY_H
#define SYS_HOST_KEY_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* The public key of the authority that signs the host keys of a target, "ssh-ed25519 AAAA… dormouse", in the arena.  It
 * lies in the state folder, host-ca-NAME (0600) and host-ca-NAME.pub, and is made when it is not there. */
int host_authority(const char *state_dir, const char *target, struct arena *a, const char **public,
		   struct err *e) MUST_CHECK;

struct host_key {
	struct str private, public, certificate; /* in the arena; without the last new line but for private */
};
struct host_key_wish {
	const char *path;		/* files of that name are there meanwhile, 0600, and gone afterwards */
	const char *state_dir, *target; /* whose authority signs it … */
	const char *principals;		/* … for these names, parted by commas; NULL: it is not signed */
	int64_t valid_s;		/* for so long, 0 = for ever */
};
int host_key_make(const struct host_key_wish *w, struct arena *a, struct host_key *k, struct err *e) MUST_CHECK;
/* What a host_key_make that was killed may have left. */
void host_key_remove(const char *path, struct arena *a);

#endif
