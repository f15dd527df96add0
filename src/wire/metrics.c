#include "wire/metrics.h"

#include "model/trace.h"

/* The last runs of one backup. */
struct last {
	const char *backup;
	const json_t *run, *success; /* that ended; NULL: there is none */
	const json_t *datasets;	     /* of the last one that came to any */
	bool running;
};
struct lasts VEC(struct last);

static void family(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_printf(b, "# HELP dormouse_%s %s\n# TYPE dormouse_%s %s\n", name, help, name, type);
}

/* A label's value: backslash, quote and new line are escaped. */
static void put_label(struct buf *b, const char *name, const char *value, bool first)
{
	buf_printf(b, "%s%s=\"", first ? "{" : ",", name);
	for (; *value != '\0'; value++) {
		if (*value == '\n')
			buf_puts(b, "\\n");
		else if (*value == '"' || *value == '\\')
			buf_printf(b, "\\%c", *value);
		else
			buf_putc(b, *value);
	}
	buf_putc(b, '"');
}

static void sample(struct buf *b, const char *name, const char *backup, const char *label, const char *value, int64_t n)
{
	buf_printf(b, "dormouse_%s", name);
	put_label(b, "backup", backup, true);
	if (label != NULL)
		put_label(b, label, value, false);
	buf_printf(b, "} %lld\n", (long long)n);
}

static int64_t number(const json_t *j, const char *name)
{
	return json_integer_value(json_object_get(j, name));
}

static void gather(const json_t *summaries, struct arena *a, struct lasts *out)
{
	const char *backup;
	json_t *summary, *run;
	size_t i;

	json_object_foreach((json_t *)(uintptr_t)summaries, backup, summary)
	{
		struct last *l = vec_add(out, a);
		const json_t *runs = json_object_get(summary, "runs");
		*l = (struct last){.backup = backup,
				   .running = json_array_size(json_object_get(summary, "running")) > 0,
				   .run = json_array_get(runs, 0),
				   .datasets = json_object_get(json_object_get(summary, "results"), backup)};
		json_array_foreach(runs, i, run)
		{
			if (number(run, "exit") != 0)
				continue;
			l->success = run;
			break;
		}
	}
}

/* When that was; 0: never. */
static void put_end(struct buf *b, const char *name, const struct last *l, const json_t *run)
{
	sample(b, name, l->backup, NULL, NULL, number(run, "ended"));
}

static void put_runs(struct buf *b, const struct lasts *all)
{
	family(b, "running", "gauge", "1 while a run of the backup goes on.");
	for (size_t i = 0; i < all->n; i++)
		sample(b, "running", all->v[i].backup, NULL, NULL, all->v[i].running);
	family(b, "last_run_timestamp_seconds", "gauge", "When the last run ended; 0: none has.");
	for (size_t i = 0; i < all->n; i++)
		put_end(b, "last_run_timestamp_seconds", &all->v[i], all->v[i].run);
	family(b, "last_success_timestamp_seconds", "gauge",
	       "When the last run ended in which all went well; 0: none has.");
	for (size_t i = 0; i < all->n; i++)
		put_end(b, "last_success_timestamp_seconds", &all->v[i], all->v[i].success);
	family(b, "last_run_outcome", "gauge", "1 for how the last run ended, 0 for the others.");
	for (size_t i = 0; i < all->n; i++) {
		static const enum trace_outcome outcomes[] = {TRACE_SUCCESS, TRACE_PARTIAL, TRACE_FAILED, TRACE_DIED};
		for (size_t k = 0; k < ARRAY_LEN(outcomes) && all->v[i].run != NULL; k++)
			sample(b, "last_run_outcome", all->v[i].backup, "outcome", trace_outcome_name(outcomes[k]),
			       trace_outcome_of_exit(number(all->v[i].run, "exit")) == outcomes[k]);
	}
	family(b, "run_duration_seconds", "gauge", "How long the last run took.");
	for (size_t i = 0; i < all->n; i++)
		if (all->v[i].run != NULL)
			sample(b, "run_duration_seconds", all->v[i].backup, NULL, NULL,
			       number(all->v[i].run, "ended") - number(all->v[i].run, "began"));
	family(b, "run_sent_bytes", "gauge", "How much the last run sent.");
	for (size_t i = 0; i < all->n; i++) {
		uint64_t bytes;
		if (all->v[i].run != NULL && json_get_u64(all->v[i].run, "bytes", &bytes))
			sample(b, "run_sent_bytes", all->v[i].backup, NULL, NULL, (int64_t)bytes);
	}
}

static void put_datasets(struct buf *b, const struct lasts *all, struct arena *a)
{
	json_t *d;
	size_t n;

	family(b, "newest_replicated_snapshot_timestamp_seconds", "gauge",
	       "When the newest snapshot was taken that the archive was seen to have.");
	for (size_t i = 0; i < all->n; i++) {
		json_array_foreach(all->v[i].datasets, n, d)
		{
			if (json_object_get(d, "newest_at") != NULL)
				sample(b, "newest_replicated_snapshot_timestamp_seconds", all->v[i].backup, "dataset",
				       json_text(d, "dataset", a), number(d, "newest_at"));
		}
	}
	family(b, "dataset_proven", "gauge",
	       "1 if the last run that came to it saw the archive have the dataset's newest snapshot.");
	for (size_t i = 0; i < all->n; i++) {
		json_array_foreach(all->v[i].datasets, n, d)
		{
			sample(b, "dataset_proven", all->v[i].backup, "dataset", json_text(d, "dataset", a),
			       json_is_true(json_object_get(d, "proven")));
		}
	}
}

static void put_sinks(struct buf *b, const json_t *sinks, struct arena *a)
{
	static const struct {
		const char *name, *type, *member, *help;
		int64_t per;
	} all[] = {
	    {"report_sink_last_success_timestamp_seconds", "gauge", "ok_ms", "When the sink was last told something.",
	     1000},
	    {"report_sink_waiting", "gauge", "waiting", "How many reports wait for the sink.", 1},
	    {"report_sink_failures_in_a_row", "gauge", "tries", "How often it has failed since it was last told.", 1},
	    {"report_sink_refused_total", "counter", "refused", "How many reports the sink would not take.", 1},
	    {"report_sink_dropped_total", "counter", "dropped", "How many reports waited too long, and were given up.",
	     1},
	};
	json_t *sink;
	size_t n;

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		family(b, all[i].name, all[i].type, all[i].help);
		json_array_foreach(sinks, n, sink)
		{
			buf_printf(b, "dormouse_%s", all[i].name);
			put_label(b, "sink", json_text(sink, "sink", a), true);
			buf_printf(b, "} %lld\n", (long long)(number(sink, all[i].member) / all[i].per));
		}
	}
}

void metrics_write(struct buf *b, const json_t *summaries, const json_t *sinks)
{
	AUTO(arena) struct arena a = {0};
	struct lasts all = {0};

	gather(summaries, &a, &all);
	family(b, "build_info", "gauge", "Which dormouse this is.");
	buf_puts(b, "dormouse_build_info");
	put_label(b, "version", DORMOUSE_VERSION, true);
	buf_puts(b, "} 1\n");
	put_runs(b, &all);
	put_datasets(b, &all, &a);
	put_sinks(b, sinks, &a);
}
