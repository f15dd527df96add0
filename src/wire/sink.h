/* What is sent to a sink so that it knows of a report, and what its answer means.  Pure; who sends is
 * engine/deliver.c. */
#ifndef WIRE_SINK_H
#define WIRE_SINK_H

#include "base/buf.h"
#include "model/http.h"
#include "model/report.h"
#include "model/sink.h"
#include "wire/json.h"

/* The secrets of a sink as they are now: read from their files, printed by their commands. */
struct sink_secrets {
	const char *url, *key, *token; /* NULL: there is none */
	int64_t memo;		       /* what its last answer said that is to be remembered, 0 = nothing */
};

struct span_ids VEC(int64_t);

/* One HTTP request.  All of a report's must be taken. */
struct sink_request {
	const char *method, *url;
	struct http_headers headers;
	const char *body;      /* "" for none */
	const char *sign_key;  /* the body is to be signed with it by HMAC-SHA256; NULL: it is not */
	struct span_ids spans; /* of Honeycomb: whose events are in the body, in its order */
};
struct sink_requests VEC(struct sink_request);
#define SINK_SIGNATURE "x-dormouse-signature-256" /* the header it goes into, as "sha256=HEX" */

/* Is it told of such reports at all? */
bool sink_wants(const struct sink *s, const struct report *r);
/* Adds nothing where there is nothing to say.  left: only these spans, of what was told in part; n 0 = all. */
void sink_encode(const struct sink *s, const struct sink_secrets *secrets, const struct report *r,
		 const struct span_ids *left, struct arena *a, struct sink_requests *out);

struct sink_reply {
	int64_t status;
	struct str body;
	int64_t retry_after_s, body_limit; /* of its headers, 0 = not said */
};
enum sink_said { SINK_TAKEN, SINK_LATER, SINK_REFUSED };
struct sink_answer {
	enum sink_said said;
	const char *why;      /* NULL: nothing went wrong; of TAKEN: what of it was refused */
	const char *hint;     /* or NULL */
	int64_t wait_ms;      /* LATER: that was asked for, 0 = nothing */
	int64_t memo;	      /* to be remembered, 0 = nothing */
	struct span_ids left; /* LATER: only these, of what was taken in part */
};
void sink_judge(const struct sink *s, const struct sink_request *q, const struct sink_reply *r, struct arena *a,
		struct sink_answer *out);

/* --- what the kinds share -------------------------------------------------------------------------- */

/* The spans to be told: those of a run, or one that stands for an alert or a test. */
struct trace sink_trace(const struct report *r, struct arena *a);
/* A message for people in a few lines: what happened, why, and what to do. */
const char *sink_text(const struct report *r, struct arena *a);
/* The last lines of a log within so many bytes. */
const char *sink_tail(const char *log, size_t max, struct arena *a);
/* The root span's attribute, or NULL. */
const struct trace_attr *sink_fact(const struct report *r, const char *name);
/* "2026-11-23T10:00:00.123Z" */
const char *sink_time(int64_t ms, struct arena *a);
/* All of a report as one JSON object. */
json_t *sink_json(const struct report *r);
/* Adds a request with a JSON body, which it frees. */
struct sink_request *sink_post(struct sink_requests *out, struct arena *a, const char *url, json_t *body);
void sink_header(struct sink_request *q, struct arena *a, const char *name, const char *value);
/* By the status alone. */
void sink_judge_status(const struct sink_reply *r, struct arena *a, struct sink_answer *out);
int sink_refuse(struct sink_answer *out, const char *why, const char *hint);

/* --- one file for each ----------------------------------------------------------------------------- */

void honeycomb_encode(const struct sink *s, const struct sink_secrets *k, const struct report *r,
		      const struct span_ids *left, struct arena *a, struct sink_requests *out);
void honeycomb_judge(const struct sink_request *q, const struct sink_reply *r, struct arena *a,
		     struct sink_answer *out);
void otlp_encode(const struct sink *s, const struct sink_secrets *k, const struct report *r, struct arena *a,
		 struct sink_requests *out);
void otlp_judge(const struct sink_reply *r, struct arena *a, struct sink_answer *out);
void healthchecks_encode(const struct sink_secrets *k, const struct report *r, struct arena *a,
			 struct sink_requests *out);
void healthchecks_judge(const struct sink_reply *r, struct arena *a, struct sink_answer *out);
void uptime_kuma_encode(const struct sink_secrets *k, const struct report *r, struct arena *a,
			struct sink_requests *out);
void uptime_kuma_judge(const struct sink_reply *r, struct arena *a, struct sink_answer *out);
void ntfy_encode(const struct sink_secrets *k, const struct report *r, struct arena *a, struct sink_requests *out);
void webhook_encode(const struct sink_secrets *k, const struct report *r, struct arena *a, struct sink_requests *out);
/* A whole message for sendmail -t. */
void mail_write(struct buf *b, const struct sink *s, const struct report *r);
/* A datagram for journald (its native protocol). */
void journald_write(struct buf *b, const struct report *r);

#endif
