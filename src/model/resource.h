/* What the machines of a target need before there is one, and what stays when they go; and what watches from outside
 * of this host that it still makes backups: `apply` makes it, `destroy` takes it away, and between the two it is found
 * again by what it is marked with there. */
#ifndef MODEL_RESOURCE_H
#define MODEL_RESOURCE_H

#include "base/vec.h"

/* In the order in which they are made. */
enum resource_kind {
	RESOURCE_KEY_PAIR,
	RESOURCE_SECURITY_GROUP,
	RESOURCE_FIREWALL,
	RESOURCE_VOLUME,
	/* Of a report block, which is told of backups: these tell people when it is told nothing. */
	RESOURCE_DATASET,
	RESOURCE_RECIPIENT,
	RESOURCE_TRIGGER,
	RESOURCE_CHECK,
	RESOURCE_KINDS
};

/* Of those of one name one is in use. */
enum resource_role {
	ROLE_NOW,
	ROLE_NEXT, /* it is being filled, to take the place of the one in use */
	ROLE_OLD,  /* it was in use before that one */
};

struct resource {
	enum resource_kind kind;
	enum resource_role role;
	const char *name; /* of its block; "" of a kind of which a target has one */
	const char *id;	  /* what the provider calls it; NULL: the file wants it */
	const char *user; /* which machine has it; NULL: none */
	/* What a volume is marked with there, for who has found it: with its pool, and with its turn among those of its
	 * name.  NULL: it is not. */
	const char *mark, *turn;
	const char *stays; /* found: why it is never taken away; NULL: it may be */
	/* Wanted: why it cannot be made, and what to do; NULL: it can. */
	const char *cannot, *way_out;
	struct strings facts; /* name, value, …: what it is like, or is to be like */
};
struct resources VEC(struct resource);

/* What the fact "pool" of a volume is before its pool is made. */
#define RESOURCE_NO_POOL "not made yet"

/* How many of a list are that one, by kind, name and role; *first, unless there is none, the first of them. */
size_t resources_like(const struct resources *list, const struct resource *like, const struct resource **first);
/* "key pair", …: for people. */
const char *resource_kind_name(enum resource_kind k);
/* false: there is no such kind. */
bool resource_kind_of(const char *name, enum resource_kind *k);
/* "now", "next", "old". */
const char *resource_role_name(enum resource_role r);
/* false: there is no such role. */
bool resource_role_of(const char *name, enum resource_role *r);
/* "volume 'cold'", "key pair": in the arena. */
const char *resource_title(const struct resource *r, struct arena *a);

#endif
