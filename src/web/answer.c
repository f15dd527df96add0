#include "web/answer.h"

#include "engine/measure.h"
#include "engine/side_run.h"
#include "plan/health_plan.h"
#include "sys/clock.h"
#include "wire/health_json.h"
#include "wire/observed.h"
#include "wire/page.h"
#include "wire/program.h"
#include "wire/trace_json.h"
#include "wire/zfs_text.h"

enum { HOST_MS = 10 * 1000 };

static int failed(const struct err *e, struct buf *body)
{
	AUTO(arena) struct arena a = {0};

	page_error(e->why[0] == '\0' ? e->what : arena_printf(&a, "%s: %s", e->what, e->why), e->hint, body);
	return e->kind == ERR_MISSING ? 404 : 503;
}

static int status(struct survey *s, bool as_json, struct arena *a, struct buf *body, struct err *e)
{
	AUTO(json) json_t *document = survey_take(s, e);
	struct facts f;
	struct health h;

	if (document == NULL || facts_read(document, a, &f, e) < 0)
		return failed(e, body);
	health_plan(s->config, &f, a, &h);
	if (as_json) {
		AUTO(json) json_t *j = health_json(&h);
		json_write(body, j);
		buf_putc(body, '\n');
	} else {
		page_status(&h, true, body);
	}
	return 200;
}

static int metrics(const struct survey *s, struct buf *body, struct err *e)
{
	AUTO(control) struct control link = CONTROL_INIT;

	return measure_write(s->config, s->paths, &link, body, e) < 0 ? failed(e, body) : 200;
}

/* --- a run ------------------------------------------------------------------------------------------------------- */

static int lines_of(const struct survey *s, struct control *link, int64_t id, struct arena *a, struct page_lines *out,
		    struct err *e)
{
	struct control_request r = {.op = CONTROL_RUN, .number = id};
	AUTO(json) json_t *list = control_json(s->paths, link, &r, a, e);
	json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		const char *text = json_text(one, "text", a);
		*vec_add(out, a) =
		    (struct page_line){json_integer_value(json_object_get(one, "at")), text == NULL ? "" : text};
	}
	return list == NULL ? -1 : 0;
}

static int run(const struct survey *s, int64_t id, struct arena *a, struct buf *body, struct err *e)
{
	AUTO(control) struct control link = CONTROL_INIT;
	struct control_request r = {.op = CONTROL_TRACE, .number = id};
	struct trace_spans spans = {0};
	struct page_lines lines = {0};
	struct fact_run f;
	int64_t now = clock_unix_s();
	struct zone z = clock_zone(now, a);
	AUTO(json) json_t *j = control_json(s->paths, &link, &r, a, e);

	if (j == NULL || facts_run_read(json_object_get(j, "run"), a, &f, e) < 0 ||
	    trace_spans_read(json_object_get(j, "spans"), a, &spans, e) < 0 || lines_of(s, &link, id, a, &lines, e) < 0)
		return failed(e, body);
	page_run(&(struct page_run){.now = now, .zone = &z, .run = &f, .spans = &spans, .lines = &lines}, body);
	return 200;
}

/* --- a dataset --------------------------------------------------------------------------------------------------- */

/* What the last look at the archive saw of it; NULL: nothing. */
static const struct dataset *copy_of(const struct survey *s, const struct backup *b, const char *name, struct arena *a,
				     int64_t *seen_at, struct err *e)
{
	AUTO(control) struct control link = CONTROL_INIT;
	struct control_request r = {.op = CONTROL_RECALL, .backup = b->name};
	struct side_state *archive = arena_new(a, struct side_state);
	AUTO(json) json_t *j = control_json(s->paths, &link, &r, a, e);
	const char *text = j == NULL ? NULL : json_text(j, "json", a);
	AUTO(json) json_t *side = text == NULL ? NULL : json_parse(str_of(text), "the last look", e);

	if (side == NULL || side_read(side, a, archive, e) < 0)
		return NULL;
	*seen_at = json_integer_value(json_object_get(j, "at"));
	return side_find(archive, arena_printf(a, "%s/%s", b->dest, name));
}

/* What this host has now, if it is the source, and its ZFS answers. */
static const struct dataset *local_of(const struct backup *b, const char *name, struct arena *a, int64_t *seen_at)
{
	static const char *const shell[] = {"/bin/sh", "-c", NULL};
	static const struct side here = {.label = "this host", .argv = shell};
	struct side_state *host = arena_new(a, struct side_state);
	AUTO(buf) struct buf program = {0};
	struct proc_result said;
	struct err e;

	if (b->source_target != NULL)
		return NULL;
	host->root = name;
	program_look(&program, name, true, NULL, false);
	if (side_run(&here, buf_str(&program), HOST_MS, a, &said, &e) < 0 || said.out.n == 0 ||
	    look_parse(said.out, a, host, &e) < 0)
		return NULL;
	*seen_at = clock_unix_s();
	return side_find(host, name);
}

static int dataset(const struct survey *s, const struct link_question *q, struct arena *a, struct buf *body,
		   struct err *e)
{
	const struct backup *b = config_backup(s->config, q->backup);
	int64_t now = clock_unix_s();
	struct zone z = clock_zone(now, a);
	struct page_dataset d = {.now = now, .zone = &z, .backup = q->backup, .name = q->name};

	/* A name is what a stranger has sent: nothing is asked of one that no backup has. */
	if (b == NULL || !dataset_is_under(q->name, b->source) || strpbrk(q->name, "@#%") != NULL) {
		(void)err_set(e, ERR_MISSING, "no backup of that name has such a dataset");
		return failed(e, body);
	}
	d.copy = copy_of(s, b, q->name, a, &d.copy_seen, e);
	d.local = local_of(b, q->name, a, &d.local_seen);
	page_dataset(&d, body);
	return 200;
}

int answer_make(struct survey *s, const struct link_question *q, struct buf *body)
{
	AUTO(arena) struct arena a = {0};
	struct err e;

	switch (q->page) {
	case WEB_STATUS:
	case WEB_JSON:
		return status(s, q->page == WEB_JSON, &a, body, &e);
	case WEB_METRICS:
		return metrics(s, body, &e);
	case WEB_RUN:
		return run(s, q->run, &a, body, &e);
	case WEB_DATASET:
		return dataset(s, q, &a, body, &e);
	case WEB_EVENTS:
	case WEB_STYLE:
	case WEB_SCRIPT:
		break;
	}
	return 404;
}
