/* The report blocks. */
#include "conf/load.h"
#include "conf/schema.h"

#define F(member, name_, kind, ...)                                                                   \
	{                                                                                             \
		.name = name_, .type = kind, .offset = offsetof(struct raw_sink, member), __VA_ARGS__ \
	}
/* A secret in its three forms. */
#define SECRET(member, name_, doc_)                                                 \
	F(member.text, name_, FIELD_STRING, .doc = doc_),                           \
	    F(member.file, name_ "_file", FIELD_STRING,                             \
	      .doc = "a file that has the " name_ ", and only its owner may read"), \
	    F(member.command, name_ "_command", FIELD_STRINGS,                      \
	      .doc = "a command that prints the " name_ ", as a list of words")

struct raw_sink {
	struct secret url, key, token, setup_key;
	const char *region, *dataset, *service, *from, *program, *file, *ca_file, *setup_url;
	struct strings on, backups, headers, to, command, alert_to;
	int64_t timeout_ms;
	bool allow_http;
};

static const struct field every[] = {
    F(on, "on", FIELD_STRINGS, .doc = "what it is told: \"start\", \"success\", \"failure\", \"alert\"; default: all"),
    F(backups, "backups", FIELD_STRINGS, .doc = "of which backups it is told; default: of all"),
    F(timeout_ms, "timeout", FIELD_DURATION, .fallback = "10s", .doc = "how long one message may take"),
};
static const struct field every_http[] = {
    F(ca_file, "ca_file", FIELD_STRING, .doc = "the certificates that are trusted, in place of the system's"),
    F(allow_http, "allow_http", FIELD_BOOL, .doc = "true: its address may begin with http://, without TLS"),
};
static const struct field honeycomb[] = {
    SECRET(key, "api_key", "an ingest key that may send events"),
    F(dataset, "dataset", FIELD_STRING, .required = true, .doc = "where the events go; made with the first"),
    F(region, "region", FIELD_STRING, .fallback = "us", .words = "us, eu", .doc = "where the team is"),
    F(url.text, "url", FIELD_STRING, .doc = "the API's address; default: the region's"),
    SECRET(setup_key, "config_key", "a configuration key, by which apply sets up triggers"),
    F(alert_to, "alert_to", FIELD_STRINGS,
      .doc = "whom they tell when no run has succeeded in time: addresses of mail, or ids of recipients"),
};
static const struct field otlp[] = {
    SECRET(url, "url", "the collector's address; /v1/traces and /v1/metrics are added"),
    SECRET(key, "token", "sent as a bearer token"),
    F(headers, "headers", FIELD_MAP,
      .doc = "more headers, like { x-honeycomb-team = \"KEY\" }; their values are secret"),
    F(service, "service", FIELD_STRING, .fallback = "dormouse", .doc = "the service.name that the spans are of"),
};
static const struct field healthchecks[] = {
    SECRET(key, "check", "the check's UUID, or PING-KEY/SLUG"),
    F(url.text, "url", FIELD_STRING, .fallback = "https://hc-ping.com", .doc = "what comes before the check"),
    SECRET(setup_key, "api_key", "the project's API key, by which apply sets up the check"),
    F(setup_url, "api_url", FIELD_STRING, .fallback = "https://healthchecks.io", .doc = "where that is done"),
};
static const struct field uptime_kuma[] = {
    F(url.text, "url", FIELD_STRING, .required = true, .doc = "Uptime Kuma's address, https://HOST"),
    SECRET(key, "token", "the push token of the monitor"),
};
static const struct field ntfy[] = {
    F(url.text, "url", FIELD_STRING, .fallback = "https://ntfy.sh", .doc = "the server"),
    SECRET(key, "topic", "the topic"),
    SECRET(token, "token", "an access token"),
};
static const struct field webhook[] = {
    SECRET(url, "url", "where it is sent to, as JSON"),
    SECRET(key, "secret", "what the message is signed with, by HMAC-SHA256"),
};
static const struct field mail[] = {
    F(to, "to", FIELD_STRINGS, .required = true, .doc = "the addresses it goes to"),
    F(from, "from", FIELD_STRING, .doc = "the sender's address; default: what sendmail says"),
    F(program, "program", FIELD_STRING, .fallback = "/usr/sbin/sendmail", .doc = "the sendmail to run"),
};
static const struct field command[] = {
    F(command, "command", FIELD_STRINGS, .required = true, .doc = "the command, as a list of words; it gets JSON"),
};
static const struct field prometheus[] = {
    F(file, "file", FIELD_STRING, .required = true, .doc = "the file for node_exporter's textfile collector, *.prom"),
};
static const struct field journald[] = {
    F(file, "socket", FIELD_STRING, .fallback = "/run/systemd/journal/socket", .doc = "where journald listens"),
};

static const struct kind {
	const struct field *fields;
	size_t nfields;
	bool http;
	const char *needs, *needs_too; /* secrets that must be given, or NULL */
} kinds[SINK_KINDS] = {
    [SINK_HONEYCOMB] = {honeycomb, ARRAY_LEN(honeycomb), true, "api_key", NULL},
    [SINK_OTLP] = {otlp, ARRAY_LEN(otlp), true, "url", NULL},
    [SINK_HEALTHCHECKS] = {healthchecks, ARRAY_LEN(healthchecks), true, "check", NULL},
    [SINK_UPTIME_KUMA] = {uptime_kuma, ARRAY_LEN(uptime_kuma), true, "token", NULL},
    [SINK_NTFY] = {ntfy, ARRAY_LEN(ntfy), true, "topic", NULL},
    [SINK_WEBHOOK] = {webhook, ARRAY_LEN(webhook), true, "url", NULL},
    [SINK_MAIL] = {mail, ARRAY_LEN(mail), false, NULL, NULL},
    [SINK_COMMAND] = {command, ARRAY_LEN(command), false, NULL, NULL},
    [SINK_PROMETHEUS] = {prometheus, ARRAY_LEN(prometheus), false, NULL, NULL},
    [SINK_JOURNALD] = {journald, ARRAY_LEN(journald), false, NULL, NULL},
};

static bool kind_of(struct loading *l, const struct block_label *label, enum sink_kind *out)
{
	struct strings names = {0};
	AUTO(buf) struct buf all = {0};

	for (size_t k = 0; k < SINK_KINDS; k++) {
		*out = (enum sink_kind)k;
		if (strcmp(sink_kind_name(*out), label->text) == 0)
			return true;
		*vec_add(&names, l->a) = sink_kind_name(*out);
		buf_printf(&all, "%s%s", k == 0 ? "" : ", ", sink_kind_name(*out));
	}
	const char *near = diag_nearest(label->text, names.v, names.n);
	struct diag *g = diag_add(l->d, label->at, "unknown kind of report '%s'", label->text);
	diag_hint(l->d, g, near != NULL ? "did you mean '%s'?" : "the kinds are: %s",
		  near != NULL ? near : buf_text(&all));
	return false;
}

/* One form of a secret is enough. */
static void check_secret(struct loading *l, const struct block *b, const char *name, bool needed)
{
	static const char *const forms[] = {"", "_file", "_command"};
	const struct attr *first = NULL;

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		const struct attr *attr = body_attr(&b->body, arena_printf(l->a, "%s%s", name, forms[i]));
		if (attr == NULL)
			continue;
		if (first != NULL)
			diag_hint(l->d,
				  diag_add(l->d, attr->at, "'%s' and '%s' are two answers", first->name, attr->name),
				  "leave one of them out");
		first = attr;
	}
	if (first == NULL && needed)
		diag_hint(l->d, diag_add(l->d, b->at, "'%s' is missing in block 'report'", name),
			  "%s_file = \"PATH\" is better than %s = \"…\": then it does not stand in this file", name,
			  name);
}

static bool is_wanted(struct loading *l, const struct block *b, const struct strings *on, const char *word)
{
	static const char *const words[] = {"start", "success", "failure", "alert"};
	bool found = on->n == 0;

	for (size_t i = 0; i < on->n; i++) {
		bool known = false;
		for (size_t w = 0; w < ARRAY_LEN(words); w++)
			known |= strcmp(on->v[i], words[w]) == 0;
		if (!known && strcmp(word, words[0]) == 0)
			diag_hint(l->d,
				  diag_add(l->d, body_attr(&b->body, "on")->value.items.v[i].at,
					   "'%s' is nothing that is told", on->v[i]),
				  "one of: start, success, failure, alert");
		found |= strcmp(on->v[i], word) == 0;
	}
	return found;
}

static void check_url(struct loading *l, const struct block *b, const char *name, const char *url)
{
	const struct attr *attr = body_attr(&b->body, name);

	if (attr != NULL && url != NULL && !str_starts(str_of(url), "https://") && !str_starts(str_of(url), "http://"))
		diag_hint(l->d, diag_add(l->d, attr->value.at, "'%s' must be an address", name), "https://HOST/…");
}

/* A daemon reads a copy of the file, from another folder. */
static void check_paths(struct loading *l, const struct block *b)
{
	static const char *const names[] = {"api_key_file", "check_file",     "topic_file", "token_file",
					    "secret_file",  "url_file",	      "ca_file",    "program",
					    "socket",	    "config_key_file"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct attr *attr = body_attr(&b->body, names[i]);
		if (attr != NULL && attr->value.kind == VALUE_STRING && !str_starts(attr->value.text, "/"))
			(void)diag_add(l->d, attr->value.at, "'%s' must be a path that begins with '/'", names[i]);
	}
}

/* Each becomes a line of a request. */
static void check_headers(struct loading *l, const struct block *b, const struct strings *headers)
{
	for (size_t i = 0; i < headers->n; i++) {
		bool good = headers->v[i][0] != '\0';
		for (const char *c = headers->v[i]; *c != '\0'; c++)
			good &= (unsigned char)*c >= ' ' && *c != 127 && (i % 2 == 1 || (*c != ' ' && *c != ':'));
		if (!good)
			(void)diag_add(l->d, body_attr(&b->body, "headers")->value.attrs.v[i / 2].value.at,
				       "this is no header of HTTP");
	}
}

static void take(const struct raw_sink *raw, struct loading *l, const struct block *b, struct sink *out)
{
	static const char *const hosts[] = {"https://api.honeycomb.io", "https://api.eu1.honeycomb.io"};

	out->url = raw->url;
	out->key = raw->key;
	out->token = raw->token;
	out->dataset = raw->dataset;
	out->service = raw->service;
	out->from = raw->from;
	out->program = raw->program;
	out->file = raw->file;
	out->ca_file = raw->ca_file;
	out->backups = raw->backups;
	out->headers = raw->headers;
	out->to = raw->to;
	out->command = raw->command;
	out->setup_key = raw->setup_key;
	out->setup_url = raw->setup_url;
	out->alert_to = raw->alert_to;
	out->timeout_ms = raw->timeout_ms;
	out->allow_http = raw->allow_http;
	if (out->kind == SINK_HONEYCOMB && out->url.text == NULL)
		out->url.text = hosts[raw->region != NULL && strcmp(raw->region, "eu") == 0];
	out->on_start = is_wanted(l, b, &raw->on, "start");
	out->on_success = is_wanted(l, b, &raw->on, "success");
	out->on_failure = is_wanted(l, b, &raw->on, "failure");
	out->on_alert = is_wanted(l, b, &raw->on, "alert");
}

/* What apply is to set up there, and whether it could ever be quiet. */
static void check_watch(struct loading *l, const struct block *b, const struct sink *s)
{
	const struct attr *to = body_attr(&b->body, "alert_to");
	size_t told = 0;

	if (to != NULL && s->alert_to.n == 0)
		(void)diag_add(l->d, to->value.at, "'alert_to' has nobody");
	for (size_t i = 0; to != NULL && i < s->alert_to.n; i++)
		if (s->alert_to.v[i][strcspn(s->alert_to.v[i], " \t,<>")] != '\0' || s->alert_to.v[i][0] == '\0')
			diag_hint(
			    l->d,
			    diag_add(l->d, to->value.items.v[i].at, "'%s' is nobody who can be told", s->alert_to.v[i]),
			    "an address like \"ops@example.com\", or the id of a recipient in Honeycomb");
	for (size_t i = 0; to != NULL && i < s->alert_to.n; i++)
		for (size_t k = 0; k < i; k++)
			if (strcmp(s->alert_to.v[i], s->alert_to.v[k]) == 0)
				(void)diag_add(l->d, to->value.items.v[i].at, "'%s' is there twice", s->alert_to.v[i]);
	if (s->kind == SINK_HONEYCOMB && sink_watches(s) != (to != NULL))
		diag_hint(l->d, diag_add(l->d, b->at, "'config_key' and 'alert_to' need each other"),
			  "apply makes triggers by the one that tell the other; or leave both out");
	if (!sink_watches(s))
		return;
	for (size_t i = 0; i < l->out->backups.n; i++)
		told += sink_has(s, l->out->backups.v[i].name);
	if (!s->on_success)
		diag_hint(l->d, diag_add(l->d, b->at, "it is not told of success, so it would alert for ever"),
			  "on needs \"success\", or apply has nothing to set up there");
	if (s->kind == SINK_HEALTHCHECKS && told != 1)
		diag_hint(l->d, diag_add(l->d, b->at, "one check is told of %zu backups", told),
			  "with api_key, each backup needs a report of its own: backups = [\"NAME\"]");
	if (config_target(l->out, s->name) != NULL)
		diag_hint(l->d,
			  diag_add(l->d, b->at, "'%s' is a target, too, and apply takes the names of both", s->name),
			  "report \"%s\" \"NAME\" { … }", sink_kind_name(s->kind));
}

static void check(struct loading *l, const struct block *b, const struct kind *k, const struct sink *s)
{
	static const char *const secrets[] = {"api_key", "check", "topic", "token", "secret", "url", "config_key"};

	for (size_t i = 0; i < ARRAY_LEN(secrets); i++)
		check_secret(l, b, secrets[i], k->needs != NULL && strcmp(k->needs, secrets[i]) == 0);
	check_url(l, b, "url", s->url.text);
	check_url(l, b, "api_url", s->setup_url);
	check_paths(l, b);
	check_headers(l, b, &s->headers);
	check_watch(l, b, s);
	if (s->timeout_ms < 1000 || s->timeout_ms > 60000)
		(void)diag_add(l->d, body_attr(&b->body, "timeout")->value.at, "'timeout' is from 1s to 60s");
	for (size_t i = 0; i < s->backups.n; i++)
		if (config_backup(l->out, s->backups.v[i]) == NULL)
			(void)diag_add(l->d, body_attr(&b->body, "backups")->value.items.v[i].at,
				       "there is no backup '%s'", s->backups.v[i]);
	if (s->kind == SINK_PROMETHEUS && s->file != NULL &&
	    (s->file[0] != '/' || strlen(s->file) < 6 || strcmp(s->file + strlen(s->file) - 5, ".prom") != 0))
		diag_hint(l->d,
			  diag_add(l->d, body_attr(&b->body, "file")->value.at, "'%s' is read by nobody", s->file),
			  "a path that begins with '/' and ends in .prom, in node_exporter's textfile folder");
	if (s->kind == SINK_COMMAND && body_attr(&b->body, "command") != NULL && s->command.n == 0)
		(void)diag_add(l->d, body_attr(&b->body, "command")->value.at, "'command' has no words");
	if (s->kind == SINK_MAIL && body_attr(&b->body, "to") != NULL && s->to.n == 0)
		(void)diag_add(l->d, body_attr(&b->body, "to")->value.at, "'to' has no address");
}

static void load_report(struct loading *l, const struct block *b)
{
	const struct block_label *label = &b->labels.v[b->labels.n - 1];
	struct sink out = {.name = label->text, .at = b->at};
	struct raw_sink raw = {0};

	if (!kind_of(l, &b->labels.v[0], &out.kind))
		return;
	const struct kind *k = &kinds[out.kind];
	load_check_name(l, "report", label);
	const struct sink *twin = config_sink(l->out, out.name);
	if (twin != NULL) {
		struct diag *g = diag_add(l->d, b->at, "a second report '%s'", out.name);
		g->first = twin->at;
		diag_hint(l->d, g, "give it a name of its own: report \"%s\" \"NAME\" { … }", sink_kind_name(out.kind));
	}
	const struct block_schema schema = {.name = "report"};
	const struct decode_part parts[] = {{k->fields, k->nfields, &raw},
					    {every, ARRAY_LEN(every), &raw},
					    {every_http, k->http ? ARRAY_LEN(every_http) : 0, &raw}};
	decode_check_blocks(&b->body, &schema, l->d);
	decode_attrs(&b->body, &schema, b->at, parts, ARRAY_LEN(parts), l->a, l->d);
	take(&raw, l, b, &out);
	check(l, b, k, &out);
	*vec_add(&l->out->sinks, l->a) = out;
}

void load_reports(struct loading *l, const struct body *root)
{
	for (size_t i = 0; i < root->blocks.n; i++) {
		const struct block *b = &root->blocks.v[i];
		if (strcmp(b->type, "report") == 0 && (b->labels.n == 1 || b->labels.n == 2))
			load_report(l, b);
	}
}
