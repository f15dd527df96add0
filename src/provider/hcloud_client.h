/* Internal to provider: calls of Hetzner Cloud in a target's project, and waiting for what they have begun. */
#ifndef PROVIDER_HCLOUD_CLIENT_H
#define PROVIDER_HCLOUD_CLIENT_H

#include "drivers/http_curl.h"
#include "port/provider.h"
#include "wire/hcloud.h"

#define HCLOUD_LABEL_TARGET "dormouse-target"

struct hcloud_client {
	const struct provider_env *env;
	const struct target *target;
	const struct hcloud_settings *settings;
	struct http *http;
};
int hcloud_client_open(struct hcloud_client *c, const struct provider_env *env, const struct target *t,
		       struct err *e) MUST_CHECK;
void hcloud_client_auto(struct hcloud_client *c); /* AUTO(hcloud_client) struct hcloud_client c = {0}; */

/* One call, and the same again where that may help; answer may be NULL.  -1: *class says what it means, HCLOUD_OTHER if
 * nobody answered. */
int hcloud_client_call(struct hcloud_client *c, const char *method, const char *path, struct str body,
		       const char *doing, struct str *answer, enum hcloud_class *class, struct err *e) MUST_CHECK;
/* All pages of a list ("servers") of what the selector leaves; NULL: of all. */
int hcloud_client_list(struct hcloud_client *c, const char *what, const char *selector,
		       int (*read)(void *arg, struct str page, int64_t *next, struct err *e), void *arg,
		       struct err *e) MUST_CHECK;
/* 1: all of them are done; 0: not yet; -1: one has failed.  Those that are done are not asked for again. */
int hcloud_client_done(struct hcloud_client *c, struct hcloud_numbers *actions, struct err *e) MUST_CHECK;
/* Waits for it. */
int hcloud_client_wait(struct hcloud_client *c, struct hcloud_numbers *actions, struct err *e) MUST_CHECK;

#endif
