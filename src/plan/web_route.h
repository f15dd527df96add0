/* What the status page's server makes of a request.  Pure. */
#ifndef PLAN_WEB_ROUTE_H
#define PLAN_WEB_ROUTE_H

#include "base/str.h"
#include "base/vec.h"

struct web_rules {
	bool any_host;	      /* it is no port of this host: nothing can be rebound to it */
	struct strings hosts; /* names it may be called by, beside those of this host itself */
	const char *token;    /* who has it may look; NULL: everybody who gets here */
};

enum web_page {
	WEB_STATUS,  /* / */
	WEB_RUN,     /* /run/N */
	WEB_DATASET, /* /dataset?backup=B&name=N */
	WEB_JSON,    /* /status.json */
	WEB_METRICS, /* /metrics */
	WEB_EVENTS,  /* /events */
	WEB_STYLE,   /* /style.css */
	WEB_SCRIPT,  /* /live.js */
};

struct web_request {
	const char *method, *path;
	const char *host;	   /* the header, or NULL */
	const char *authorization; /* the header, or NULL */
	const char *password;	   /* of it, if it is "Basic"; or NULL */
	const char *backup, *name; /* of the query, or NULL */
};

struct web_route {
	int status; /* 200, or why not: 401, 404, 405, 421 */
	enum web_page page;
	int64_t run;
};

struct web_route web_route(const struct web_rules *rules, const struct web_request *r);

/* Is the place "HOST:PORT" one that only this host can reach? */
bool web_route_is_local(const char *place);

#endif
