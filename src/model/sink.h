/* Who is told how it went: a report block. */
#ifndef MODEL_SINK_H
#define MODEL_SINK_H

#include "base/vec.h"
#include "model/span.h"

enum sink_kind {
	SINK_HONEYCOMB,
	SINK_OTLP,
	SINK_HEALTHCHECKS,
	SINK_UPTIME_KUMA,
	SINK_NTFY,
	SINK_WEBHOOK,
	SINK_MAIL,
	SINK_COMMAND,
	SINK_PROMETHEUS,
	SINK_JOURNALD
};
enum { SINK_KINDS = SINK_JOURNALD + 1 };

/* What must not stand in logs: as text, in a file that only its owner may read, or as what a command prints. */
struct secret {
	const char *text, *file;
	struct strings command;
};

struct sink {
	const char *name;
	enum sink_kind kind;
	struct span at;
	bool on_start, on_success, on_failure, on_alert; /* what it is told */
	struct strings backups;				 /* of which; none: of all */
	int64_t timeout_ms;				 /* for each request */
	const char *ca_file;				 /* whom TLS trusts; NULL: whom the system trusts */
	bool allow_http;				 /* to other hosts than this without TLS */
	struct secret url;
	struct secret key;	/* api_key, check, topic, secret; of OTLP and Uptime Kuma the token */
	struct secret token;	/* of ntfy */
	const char *dataset;	/* of Honeycomb */
	const char *service;	/* of OTLP */
	struct strings headers; /* of OTLP: name, value, … */
	struct strings to;	/* of mail */
	const char *from;	/* likewise, or NULL */
	const char *program;	/* likewise */
	struct strings command; /* of command */
	const char *file;	/* of prometheus, and journald's socket */
	/* What apply needs to set up alerts there; of Honeycomb and healthchecks. */
	struct secret setup_key; /* config_key, api_key */
	const char *setup_url;	 /* of healthchecks; of Honeycomb it is url */
	struct strings alert_to; /* of Honeycomb: addresses of mail, ids of recipients */
};
struct sinks VEC(struct sink);

const char *sink_kind_name(enum sink_kind k); /* "honeycomb", … */
/* Does apply set up there that somebody is told when no run succeeds? */
bool sink_watches(const struct sink *s);
/* Is what is set up for the one at the same place as for the other? */
bool sink_same_place(const struct sink *x, const struct sink *y);
/* Is it told of that backup? */
bool sink_has(const struct sink *s, const char *backup);
/* Adds the texts that are secret. */
void sink_secrets(const struct sink *s, struct arena *a, struct strings *out);

#endif
