/* Requests to Hetzner Cloud, API version 1, its answers, and what it says when it does not do what it is asked.  What
 * is read is in the arena; each reader returns -1 with ERR_CORRUPT for what is no such answer. Source: the Hetzner
 * Cloud API reference, docs.hetzner.cloud. */
#ifndef WIRE_HCLOUD_H
#define WIRE_HCLOUD_H

#include "base/buf.h"
#include "base/err.h"
#include "model/hcloud.h"

struct hcloud_server {
	int64_t id;
	const char *name, *status; /* "initializing", "running", "off", … */
	const char *address;	   /* the IPv4 one, or the first one of its IPv6 network; NULL: it has none */
	const char *type, *location;
	struct strings labels; /* name, value, … */
};
struct hcloud_servers VEC(struct hcloud_server);

struct hcloud_launch {
	const struct hcloud_settings *settings;
	const char *name; /* unique in the project: the same name is the same server */
	struct strings labels;
};
/* The body of POST /servers.  -1: a volume's number is none (ERR_CONFIG). */
int hcloud_create(struct buf *b, const struct hcloud_launch *l, struct err *e) MUST_CHECK;
/* Its answer; *action: what is to be waited for. */
int hcloud_created_read(struct str body, struct arena *a, struct hcloud_server *s, int64_t *action,
			struct err *e) MUST_CHECK;
/* Of GET /servers; *next: the next page, 0 = none. */
int hcloud_servers_read(struct str body, struct arena *a, struct hcloud_servers *v, int64_t *next,
			struct err *e) MUST_CHECK;
/* Of GET /actions/ID: *done, or -1 with what went wrong. */
int hcloud_action_read(struct str body, bool *done, struct err *e) MUST_CHECK;

/* A class exists only where some code decides on it. */
enum hcloud_class {
	HCLOUD_OTHER,
	HCLOUD_AGAIN,	/* the same once more, later */
	HCLOUD_EXISTS,	/* there is one of that name */
	HCLOUD_MISSING, /* it is not there */
};
/* Reads an answer whose status is not 2xx as an error, and says what it means to us; doing: "cannot DOING". */
enum hcloud_class hcloud_fault(int64_t status, struct str body, const char *doing, struct err *e);

#endif
