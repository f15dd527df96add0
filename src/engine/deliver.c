#include "engine/deliver.h"

#include "engine/secret.h"
#include "sys/fdio.h"
#include "sys/notify.h"
#include "wire/redact.h"

enum { OUTPUT_MAX = 64 * 1024 };
/* sysexits.h */
enum { EX_FIRST_FINAL = 64, EX_LAST_FINAL = 68 };

void deliver_auto(struct deliver *d)
{
	courier_client_auto(&d->courier);
}

/* It is tried again: what is wrong may be mended. */
static void later(struct sink_answer *out, const struct err *e, struct arena *a)
{
	char line[sizeof(e->what) + sizeof(e->why) + 8];

	err_line(e, line, sizeof(line));
	*out = (struct sink_answer){.said = SINK_LATER,
				    .why = arena_strdup(a, line),
				    .hint = e->hint[0] == '\0' ? NULL : arena_strdup(a, e->hint)};
}

/* All requests of a report, until one is not taken. */
static bool by_http(struct deliver *d, const struct sink *s, const struct sink_secrets *k, const struct report *r,
		    const struct span_ids *left, struct arena *a, struct sink_answer *out)
{
	struct sink_requests all = {0};
	struct sink_answer first = {0};
	struct sink_reply reply;
	struct err e;
	size_t i;

	sink_encode(s, k, r, left, a, &all);
	for (i = 0; i < all.n && out->said == SINK_TAKEN; i++) {
		const struct courier_order o = {.request = all.v[i],
						.timeout_ms = s->timeout_ms,
						.allow_http = s->allow_http,
						.ca_file = s->ca_file};
		if (courier_client_send(&d->courier, &o, a, &reply, &e) < 0) {
			if (e.kind != ERR_DENIED && e.kind != ERR_CONFIG)
				(void)err_hint(&e, "it is tried again by itself");
			later(out, &e, a);
		} else {
			sink_judge(s, &all.v[i], &reply, a, out);
		}
		if (first.why == NULL && out->said == SINK_TAKEN)
			first = *out;
	}
	/* What was sent and not taken, and what was not sent. */
	if (out->said == SINK_LATER && out->left.n == 0 && i > 0)
		out->left = all.v[i - 1].spans;
	for (; out->said == SINK_LATER && i < all.n; i++)
		for (size_t n = 0; n < all.v[i].spans.n; n++)
			*vec_add(&out->left, a) = all.v[i].spans.v[n];
	if (out->said == SINK_TAKEN && out->why == NULL)
		*out = first;
	return all.n > 0;
}

static void by_program(const char *name, const char *const *argv, const char *const *env, struct str input,
		       const struct sink *s, struct arena *a, struct sink_answer *out)
{
	struct proc_result r;
	struct err e;
	char how[80];

	if (proc_run(argv, env, &input, OUTPUT_MAX, s->timeout_ms, a, &r, &e) < 0) {
		(void)err_wrap(&e, "%s did not run to its end", name);
		later(out, &e, a);
		return;
	}
	if (r.status == 0)
		return;
	struct str said = str_trim(r.err.n > 0 ? r.err : r.out);
	(void)err_set(&e, ERR_SYSTEM, "%s failed: %s", name, proc_status_text(r.status, how, sizeof(how)));
	(void)err_why(&e, "%.*s", (int)(said.n < 200 ? said.n : 200), said.n == 0 ? "" : said.p);
	(void)err_hint(&e, "run it by hand, as the same user: %s", argv[0]);
	later(out, &e, a);
	/* Of sendmail: this message will never be right. */
	int code = (r.status >> 8) & 0xff;
	if (s->kind == SINK_MAIL && code >= EX_FIRST_FINAL && code <= EX_LAST_FINAL)
		out->said = SINK_REFUSED;
}

static bool by_mail(const struct sink *s, const struct report *r, struct arena *a, struct sink_answer *out)
{
	const char *const argv[] = {s->program, "-t", "-i", NULL};
	AUTO(buf) struct buf b = {0};

	if (r->kind == REPORT_START)
		return false;
	mail_write(&b, s, r);
	by_program("sendmail", argv, NULL, buf_str(&b), s, a, out);
	return true;
}

static bool by_command(const struct sink *s, const struct report *r, struct arena *a, struct sink_answer *out)
{
	const char *const env[] = {
	    arena_printf(a, "DORMOUSE_REPORT=%s", report_kind_name(r->kind)),
	    arena_printf(a, "DORMOUSE_BACKUP=%s", r->backup == NULL ? "" : r->backup),
	    arena_printf(a, "DORMOUSE_OUTCOME=%s", r->kind == REPORT_RUN ? trace_outcome_name(r->outcome) : ""),
	    arena_printf(a, "DORMOUSE_TITLE=%s", r->title),
	    NULL,
	};
	AUTO(buf) struct buf b = {0};
	AUTO(json) json_t *j = sink_json(r);

	json_write(&b, j);
	buf_putc(&b, '\n');
	by_program("the command", proc_argv(&s->command, a), env, buf_str(&b), s, a, out);
	return true;
}

static bool by_file(const struct deliver *d, const struct sink *s, struct arena *a, struct sink_answer *out)
{
	struct err e;

	if (fd_replace_file(s->file, str_of(d->metrics == NULL ? "" : d->metrics), 0644, &e) < 0)
		later(out, &e, a);
	return true;
}

static bool by_journal(const struct sink *s, const struct report *r, struct arena *a, struct sink_answer *out)
{
	AUTO(buf) struct buf b = {0};
	struct err e;

	journald_write(&b, r);
	if (notify_datagram(s->file, buf_str(&b), &e) < 0)
		later(out, &e, a);
	return true;
}

static bool by_kind(struct deliver *d, const struct sink *s, const struct sink_secrets *k, const struct report *r,
		    const struct span_ids *left, struct arena *a, struct sink_answer *out)
{
	switch (s->kind) {
	case SINK_MAIL:
		return by_mail(s, r, a, out);
	case SINK_COMMAND:
		return by_command(s, r, a, out);
	case SINK_PROMETHEUS:
		return by_file(d, s, a, out);
	case SINK_JOURNALD:
		return by_journal(s, r, a, out);
	case SINK_HONEYCOMB:
	case SINK_OTLP:
	case SINK_HEALTHCHECKS:
	case SINK_UPTIME_KUMA:
	case SINK_NTFY:
	case SINK_WEBHOOK:
		break;
	}
	return by_http(d, s, k, r, left, a, out);
}

/* An address with a path goes on with "/…". */
static const char *without_slash(const char *url, struct arena *a)
{
	size_t n = url == NULL ? 0 : strlen(url);

	while (n > 0 && url[n - 1] == '/')
		n--;
	return url == NULL ? NULL : arena_strndup(a, url, n);
}

bool deliver_one(struct deliver *d, const struct sink *s, int64_t memo, const struct report *r,
		 const struct span_ids *left, struct arena *a, struct sink_answer *out)
{
	struct sink_secrets k = {.memo = memo};
	struct strings secrets = {0};
	struct err e;

	*out = (struct sink_answer){0};
	if (secret_read(&s->url, "url", a, &k.url, &e) < 0 || secret_read(&s->key, "key", a, &k.key, &e) < 0 ||
	    secret_read(&s->token, "token", a, &k.token, &e) < 0) {
		later(out, &e, a);
		return true;
	}
	/* A webhook's address is used to the letter. */
	if (s->kind != SINK_WEBHOOK)
		k.url = without_slash(k.url, a);
	const char *const all[] = {k.key, k.token, s->kind == SINK_WEBHOOK || s->url.text == NULL ? k.url : NULL};
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (all[i] != NULL)
			*vec_add(&secrets, a) = all[i];
	sink_secrets(s, a, &secrets);
	bool told = by_kind(d, s, &k, r, left, a, out);
	out->why = redact(out->why, &secrets, a);
	out->hint = redact(out->hint, &secrets, a);
	return told;
}
