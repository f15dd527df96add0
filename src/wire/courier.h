/* What goes between the process that tells sinks and the one that speaks HTTPS for it (dormouse-cloud courier): on its
 * standard input a line of JSON for each request,
 *
 *   {"method":"POST","url":U,"headers":{NAME:VALUE,…},"body":S,"sign_key":S,"timeout_ms":N,"once":B,"allow_http":B,
 *    "ca_file":S}
 *
 * and on its standard output one for each answer, {"status":N,"body":S,"retry_after_s":N,"body_limit":N} or
 * {"error":{…}}.  Of a body only the beginning is handed on. */
#ifndef WIRE_COURIER_H
#define WIRE_COURIER_H

#include "wire/sink.h"

enum { COURIER_BODY_MAX = 256 * 1024 };

struct courier_order {
	struct sink_request request;
	int64_t timeout_ms;
	bool once; /* never sent twice, whatever becomes of the connection */
	bool allow_http;
	const char *ca_file; /* or NULL */
};

/* Each writes a line. */
void courier_write_order(struct buf *b, const struct courier_order *o);
void courier_write_reply(struct buf *b, const struct sink_reply *r);
void courier_write_error(struct buf *b, const struct err *e);
/* Into the arena; ERR_CORRUPT. */
int courier_read_order(struct str line, struct arena *a, struct courier_order *o, struct err *e) MUST_CHECK;
/* -1 also when it is an error: then *e is that. */
int courier_read_reply(struct str line, struct arena *a, struct sink_reply *r, struct err *e) MUST_CHECK;

#endif
