/* Requests to Hetzner Cloud, API version 1, its answers, and what it says when it does not do what it is asked.  What
 * is read is in the arena; each reader returns -1 with ERR_CORRUPT for what is no such answer. Source: the Hetzner
 * Cloud API reference, docs.hetzner.cloud. */
#ifndef WIRE_HCLOUD_H
#define WIRE_HCLOUD_H

#include "base/buf.h"
#include "base/err.h"
#include "model/hcloud.h"

struct hcloud_numbers VEC(int64_t);
struct hcloud_server {
	int64_t id;
	const char *name, *status; /* "initializing", "running", "off", … */
	const char *address;	   /* the IPv4 one, or the first one of its IPv6 network; NULL: it has none */
	const char *type, *location;
	struct strings labels;	       /* name, value, … */
	struct hcloud_numbers volumes; /* that it has */
};
struct hcloud_servers VEC(struct hcloud_server);

/* A volume, an ssh key or a firewall; what it has none of, or is not asked for, is NULL or 0. */
struct hcloud_thing {
	int64_t id;
	const char *name;
	struct strings labels;
	int64_t size_gib, server; /* of a volume; server: that has it */
	const char *location, *status;
	const char *public_key; /* of an ssh key */
	int64_t port;		/* of a firewall: the one that from is about */
	struct strings from;	/* CIDR blocks; what else its rules say, in other words */
};
struct hcloud_things VEC(struct hcloud_thing);

struct hcloud_launch {
	const struct hcloud_settings *settings;
	const char *name; /* unique in the project: the same name is the same server */
	struct strings labels;
};
/* The body of POST /servers.  -1: a volume's or a firewall's number is none (ERR_CONFIG). */
int hcloud_create(struct buf *b, const struct hcloud_launch *l, struct err *e) MUST_CHECK;
/* Its answer; actions: what is to be waited for. */
int hcloud_created_read(struct str body, struct arena *a, struct hcloud_server *s, struct hcloud_numbers *actions,
			struct err *e) MUST_CHECK;
/* Of GET /servers; *next: the next page, 0 = none. */
int hcloud_servers_read(struct str body, struct arena *a, struct hcloud_servers *v, int64_t *next,
			struct err *e) MUST_CHECK;
/* The body that makes one, or changes what of it is set. */
void hcloud_thing_write(struct buf *b, const struct hcloud_thing *t);
/* Of GET /volumes, /ssh_keys, /firewalls (what), and of GET /volumes/ID. */
int hcloud_things_read(struct str body, const char *what, int64_t port, struct arena *a, struct hcloud_things *v,
		       int64_t *next, struct err *e) MUST_CHECK;
int hcloud_volume_read(struct str body, struct arena *a, struct hcloud_thing *v, struct err *e) MUST_CHECK;
/* What any answer says that is to be waited for, perhaps nothing. */
int hcloud_actions_read(struct str body, struct arena *a, struct hcloud_numbers *actions, struct err *e) MUST_CHECK;
/* Of GET /pricing, what plan/cost_plan.h has of Hetzner: of a type of server and of an IPv4 address at that location,
 * and of volumes.  What it does not say is not in the list.  date is not set. */
int hcloud_pricing_read(struct str body, const char *type, const char *location, struct arena *a,
			struct price_list *list, struct err *e) MUST_CHECK;
/* Of GET /actions/ID: *done, or -1 with what went wrong. */
int hcloud_action_read(struct str body, bool *done, struct err *e) MUST_CHECK;

/* A class exists only where some code decides on it. */
enum hcloud_class {
	HCLOUD_OTHER,
	HCLOUD_AGAIN,	/* the same once more, later */
	HCLOUD_EXISTS,	/* there is one of that name */
	HCLOUD_MISSING, /* it is not there */
	HCLOUD_NOT_NOW, /* something has to happen before */
};
/* Reads an answer whose status is not 2xx as an error, and says what it means to us; doing: "cannot DOING". */
enum hcloud_class hcloud_fault(int64_t status, struct str body, const char *doing, struct err *e);

#endif
