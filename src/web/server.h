/* Internal to web: the process that speaks HTTP, shared by its parts. */
#ifndef WEB_SERVER_H
#define WEB_SERVER_H

#define MHD_NO_DEPRECATION 1 /* a later one has another name for basic authentication as well */
#include <microhttpd.h>

#include "sys/tcp.h"
#include "web/link.h"

enum { LINK = 3 };

/* A connection: from when on it has been asking. */
struct visit {
	struct visit *next, **at;
	int fd;
	int64_t since_ms; /* 0: it has asked, and is waited for no more */
};

/* A request. */
struct asked {
	struct asked *next;
	struct server *server;
	struct MHD_Connection *connection;
	struct web_route route;
	struct buf question; /* empty: nothing is asked of the other */
	bool waits;	     /* for an answer, suspended */
	int64_t since_ms;
	int status; /* of the answer, 0: there is none yet */
	struct buf body;
};

/* Who is told. */
struct viewer {
	struct viewer *next, **at;
	struct server *server;
	struct MHD_Connection *connection;
	uint64_t seen; /* the hash that it was told of last */
	int64_t told_ms;
	bool sleeps; /* suspended */
};

struct server {
	struct web_rules rules;
	int64_t patience_s; /* with who asks nothing, or not all of it */
	struct arena arena;
	struct MHD_Daemon *daemons[TCP_LISTENERS];
	size_t n;
	struct buf in;
	struct asked *queue; /* oldest first; the first one's question is on its way */
	bool on_its_way;
	struct visit *visits;
	struct viewer *viewers;
	size_t nviewers;
	struct buf status; /* the first page, as it was last */
	int64_t status_ms; /* when; 0: never */
	uint64_t hash;
	bool gone; /* the other has ended */
};

/* reply.c */
enum MHD_Result reply(struct MHD_Connection *c, int status, const char *type, struct str body);
/* A page that says why not. */
enum MHD_Result reply_refuse(struct MHD_Connection *c, int status);
extern const char reply_html[];

/* viewers.c: who is told when something has changed */
enum MHD_Result viewer_add(struct server *s, struct MHD_Connection *c);
void viewers_wake(struct server *s);

/* requests.c */
enum MHD_Result request_handle(void *cls, struct MHD_Connection *c, const char *url, const char *method,
			       const char *version, const char *upload, size_t *upload_size, void **context);
void request_completed(void *cls, struct MHD_Connection *c, void **context, enum MHD_RequestTerminationCode code);
struct visit *visit_of(struct MHD_Connection *c);

/* asked.c: what the other process is asked */
struct asked *asked_new(struct server *s, struct MHD_Connection *c);
void asked_free(struct asked *q);
/* Puts it into the queue; until the answer nothing of it may go. */
void asked_wait(struct asked *q, const char *backup, const char *name);
/* The one whose question was on its way has its answer, and whoever asked the same. */
void asked_answered(struct server *s, int status, struct str body);
/* Sends the next question; while somebody watches, also one of our own. */
void asked_next(struct server *s);

#endif
