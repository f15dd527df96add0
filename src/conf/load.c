#include "conf/load.h"

#include "base/num.h"
#include "conf/schema.h"
#include "model/dataset.h"

static bool good_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");
	return n > 0 && n <= 64 && s[n] == '\0' && s[0] != '-' && s[0] != '.';
}

void load_check_name(struct loading *l, const char *what, const struct block_label *label)
{
	if (good_name(label->text))
		return;
	struct diag *g = diag_add(l->d, label->at, "'%s' is not a name for a %s", label->text, what);
	diag_hint(l->d, g, "letters, digits, '_', '.' and '-', at most 64, not beginning with '.' or '-'");
}

/* A dataset's name as zfs has it (zfs_namecheck.c): a pool's name begins with a letter; no part of the
 * path is empty, or "." or "..". */
static bool good_dataset(const char *s)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t len = strlen(s), n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:- /");

	if (n != len || len >= 256 || strspn(s, letters) == 0)
		return false;
	for (struct str rest = {s, len + 1}; rest.n > 0;) {
		struct str part = str_cut(&rest, '/');
		if (part.n > 0 && part.p[part.n - 1] == '\0')
			part.n--; /* the last one */
		if (part.n == 0 || str_eq(part, ".") || str_eq(part, ".."))
			return false;
	}
	return true;
}

/* The block of that type, of which there may be one; NULL: there is none. */
const struct block *load_only_block(struct loading *l, const struct body *body, const char *type, const char *where)
{
	const struct block *only = NULL;

	for (size_t i = 0; i < body->blocks.n; i++) {
		const struct block *b = &body->blocks.v[i];
		if (strcmp(b->type, type) != 0)
			continue;
		if (only != NULL)
			diag_add(l->d, b->at, "a second '%s' block in %s", type, where)->first = only->at;
		else
			only = b;
	}
	return only;
}

static void check_count(struct loading *l, const struct body *body, const char *name, int64_t n)
{
	const struct attr *attr = body_attr(body, name);

	if (attr != NULL && (n < 0 || n > INT32_MAX))
		(void)diag_add(l->d, attr->value.at, "'%s' must be a whole number from 0", name);
}

static void load_ssh(struct loading *l, const struct body *body, struct target *t)
{
	static const struct body none = {0};
	const struct block *ssh = load_only_block(l, body, "ssh", arena_printf(l->a, "target '%s'", t->name));

	struct decode_part part = {ssh_schema.fields, ssh_schema.nfields, &t->ssh};
	decode_attrs(ssh != NULL ? &ssh->body : &none, &ssh_schema, ssh != NULL ? ssh->at : t->at, &part, 1, l->a,
		     l->d);
	for (size_t i = 0; ssh != NULL && i < ssh_schema.nfields; i++) {
		const struct field *f = &ssh_schema.fields[i];
		const struct attr *attr = body_attr(&ssh->body, f->name);
		const char **text = (const char **)(void *)((char *)&t->ssh + f->offset);
		if (f->type != FIELD_STRING || attr == NULL || *text == NULL)
			continue;
		/* What file("key.pub") gives ends with a new line. */
		*text = str_dup(l->a, str_trim(str_of(*text)));
		/* Each becomes part of a line that ssh reads. */
		for (const char *c = *text; *c != '\0'; c++) {
			if ((unsigned char)*c >= ' ' && *c != 127)
				continue;
			(void)diag_add(l->d, attr->value.at, "'%s' must be one line of text", f->name);
			break;
		}
	}
}

static const struct target_kind *kind_of(struct loading *l, const struct block_label *label)
{
	struct strings names = {0};

	for (size_t i = 0; i < l->nkinds; i++) {
		if (strcmp(l->kinds[i]->name, label->text) == 0)
			return l->kinds[i];
		*vec_add(&names, l->a) = l->kinds[i]->name;
	}
	const char *near = diag_nearest(label->text, names.v, names.n);
	struct diag *g = diag_add(l->d, label->at, "unknown kind of target '%s'", label->text);
	AUTO(buf) struct buf all = {0};
	for (size_t i = 0; i < names.n; i++)
		buf_printf(&all, "%s%s", i == 0 ? "" : ", ", names.v[i]);
	if (near != NULL)
		diag_hint(l->d, g, "did you mean '%s'?", near);
	else
		diag_hint(l->d, g, "the kinds are: %s", buf_text(&all));
	return NULL;
}

static void check_sharing(struct loading *l, const struct body *body, const struct target_kind *kind, struct target *t)
{
	const struct attr *shared = body_attr(body, "shared"), *linger = body_attr(body, "linger");

	if (t->shared || shared == NULL)
		return;
	if (kind->one) {
		struct diag *g = diag_add(l->d, shared->value.at, "a target of kind '%s' is always shared", kind->name);
		diag_hint(l->d, g, "it is one machine, and there is no second one for the next who comes");
	} else if (linger != NULL && t->linger_ms != 0) {
		struct diag *g = diag_warn(l->d, linger->at, "'linger' has no effect with shared = false");
		diag_hint(l->d, g, "nobody else would get the machine; it goes with the connection it was started for");
		t->linger_ms = 0;
	}
}

/* Told only of a block in which nothing else is wrong: what is missing there may be what was misspelt. */
static void check_whole(struct loading *l, const struct target_kind *kind, const struct target *t)
{
	const char *hint = NULL;
	const char *what =
	    kind->wrong == NULL || diags_wrong(l->d) != NULL ? NULL : kind->wrong(t->settings, l->a, &hint);

	if (what != NULL)
		diag_hint(l->d, diag_add(l->d, t->at, "%s", what), "%s", hint);
}

static void check_labels(struct loading *l, const struct body *body, const struct target_kind *kind)
{
	for (size_t i = 0; i < body->blocks.n; i++)
		for (size_t k = 0; k < kind->nblocks; k++)
			if (kind->blocks[k].labelled && body->blocks.v[i].labels.n == 1 &&
			    strcmp(kind->blocks[k].name, body->blocks.v[i].type) == 0)
				load_check_name(l, kind->blocks[k].name, &body->blocks.v[i].labels.v[0]);
}

/* Those of its settings, but for what the file names as well. */
static void add_pools(struct loading *l, const struct target_kind *kind, struct target *t)
{
	struct strings more = {0};

	kind->pools(t->settings, l->a, &more);
	for (size_t i = 0; i < more.n; i++) {
		bool there = false;
		for (size_t k = 0; k < t->pools.n; k++)
			there |= strcmp(t->pools.v[k], more.v[i]) == 0;
		if (!there)
			*vec_add(&t->pools, l->a) = more.v[i];
	}
}

/* By itself only where it has to be logged in to anyway, and being off ends the bill. */
static void check_watchdog(struct loading *l, const struct attr *given, const struct target_kind *kind,
			   struct target *t)
{
	enum { LEAST_MS = 60 * 1000, OFTEN_MS = 3600 * 1000 };

	if (given == NULL && kind->gone_off && t->pools.n > 0)
		t->watchdog_ms = OFTEN_MS;
	if (given == NULL || t->watchdog_ms == 0)
		return;
	if (kind->unchecked) /* no machine, or one that is always on */
		diag_hint(l->d, diag_add(l->d, given->at, "a target of kind '%s' is nothing that goes off", kind->name),
			  "leave out 'watchdog'");
	else if (t->watchdog_ms < LEAST_MS)
		diag_hint(l->d, diag_add(l->d, given->value.at, "'watchdog' must be at least a minute"),
			  "it is asked for four times in that time; 0s: it has none");
}

static void load_target(struct loading *l, const struct block *b)
{
	struct target t = {.name = b->labels.v[0].text, .kind = b->labels.v[1].text, .at = b->at};
	const struct target_kind *kind = kind_of(l, &b->labels.v[1]);

	load_check_name(l, "target", &b->labels.v[0]);
	const struct target *twin = config_target(l->out, t.name);
	if (twin != NULL)
		diag_add(l->d, b->at, "a second target '%s'", t.name)->first = twin->at;
	if (kind != NULL) {
		void *settings = arena_alloc(l->a, kind->size);
		struct decode_part parts[] = {{target_schema.fields, target_schema.nfields, &t},
					      {kind->fields, kind->nfields, settings}};
		const struct block_schema *schema = schema_target(kind, l->a);
		t.settings = settings;
		t.local = kind->local;
		decode_check_blocks(&b->body, schema, l->d);
		decode_attrs(&b->body, schema, b->at, parts, ARRAY_LEN(parts), l->a, l->d);
		decode_blocks(&b->body, kind->blocks, kind->nblocks, settings, l->a, l->d);
		check_labels(l, &b->body, kind);
		check_sharing(l, &b->body, kind, &t);
		check_whole(l, kind, &t);
		const struct attr *channels = body_attr(&b->body, "channels");
		if (channels != NULL && (t.channels < 1 || t.channels > CHANNELS_MAX))
			(void)diag_add(l->d, channels->value.at, "'channels' is a number from 1 to %d", CHANNELS_MAX);
		check_count(l, &b->body, "starts_per_hour", t.starts_per_hour);
	}
	load_ssh(l, &b->body, &t);
	if (kind != NULL && kind->made_key != NULL && t.ssh.host_key == NULL)
		t.ssh.made = kind->made_key(t.settings);
	if (kind != NULL && kind->pools != NULL)
		add_pools(l, kind, &t);
	if (kind != NULL)
		check_watchdog(l, body_attr(&b->body, "watchdog"), kind, &t);
	if (t.check_port == 0 && kind != NULL && !kind->unchecked)
		t.check_port = t.ssh.port;
	*vec_add(&l->out->targets, l->a) = t;
}

const struct target *load_find_target(struct loading *l, const char *name, struct span at)
{
	const struct target *t = config_target(l->out, name);
	struct strings names = {0};

	for (size_t i = 0; t == NULL && i < l->out->targets.n; i++)
		*vec_add(&names, l->a) = l->out->targets.v[i].name;
	const char *near = t != NULL ? NULL : diag_nearest(name, names.v, names.n);
	if (near != NULL)
		diag_hint(l->d, diag_add(l->d, at, "there is no target '%s'", name), "did you mean '%s'?", near);
	else if (t == NULL)
		diag_hint(l->d, diag_add(l->d, at, "there is no target '%s'", name),
			  "add a block: target \"%s\" \"KIND\" { … }", name);
	return t;
}

/* A name that must be a target's, one that has the same machine for everybody. */
static void check_target(struct loading *l, const char *name, struct span at)
{
	const struct target *t = load_find_target(l, name, at);

	if (t != NULL && !t->shared)
		diag_hint(l->d, diag_add(l->d, at, "target '%s' is another machine for everybody who connects", name),
			  "here it must be the same each time: leave out shared = false");
}

/* Which labels stand in a body; none may be negative. */
static bool load_labels(struct loading *l, const struct body *body, const int64_t *count, bool *given)
{
	bool any = false;

	for (enum label k = LABEL_FREQUENT; k < LABELS; k++) {
		const struct attr *attr = body_attr(body, label_name(k));
		given[k] = attr != NULL && attr->value.kind != VALUE_NULL;
		check_count(l, body, label_name(k), count[k]);
		any |= given[k] && count[k] > 0;
	}
	return any;
}

static void load_adopt(struct loading *l, const struct body *body, const struct strings *names,
		       struct snapshot_policy *p)
{
	for (size_t i = 0; i < names->n; i++) {
		if (strcmp(names->v[i], "sanoid") == 0)
			p->sanoid = true;
		else if (strcmp(names->v[i], "zrepl") == 0)
			p->zrepl = true;
		else
			diag_hint(l->d,
				  diag_add(l->d, body_attr(body, "adopt")->value.items.v[i].at,
					   "'%s' is nobody whose snapshots are known", names->v[i]),
				  "known are \"sanoid\" and \"zrepl\"; those of zfs-auto-snapshot and zfstools always "
				  "count");
	}
}

static void load_snapshots(struct loading *l, const struct block *b)
{
	struct raw_policy raw = {0};
	struct decode_part part = {snapshots_schema.fields, snapshots_schema.nfields, &raw};
	struct snapshot_policy p = {.at = b->at};
	const struct attr *attr;

	decode_attrs(&b->body, &snapshots_schema, b->at, &part, 1, l->a, l->d);
	(void)load_labels(l, &b->body, raw.keep, p.takes);
	/* With 0 of a label, those that there are go. */
	if (memchr(p.takes, true, sizeof(p.takes)) == NULL)
		diag_hint(l->d, diag_warn(l->d, b->at, "this 'snapshots' block names no label, so it does nothing"),
			  "say how many: hourly = 24, daily = 7, …");
	memcpy(p.keep, raw.keep, sizeof(p.keep));
	p.on = raw.on;
	p.include = raw.include;
	p.exclude = raw.exclude;
	p.skip_empty = raw.skip_empty;
	p.min_age_ms = raw.min_age_ms;
	p.before = raw.before;
	p.after = raw.after;
	p.hook_timeout_ms = raw.hook_timeout_ms;
	load_adopt(l, &b->body, &raw.adopt, &p);
	if (raw.on != NULL && (attr = body_attr(&b->body, "on")) != NULL)
		check_target(l, raw.on, attr->value.at);
	if (raw.on_failure != NULL && strcmp(raw.on_failure, "abort") == 0)
		p.on_failure = HOOK_ABORT;
	else if (raw.on_failure != NULL && strcmp(raw.on_failure, "skip") != 0)
		(void)diag_add(l->d, body_attr(&b->body, "on_hook_failure")->value.at,
			       "'on_hook_failure' must be \"skip\" or \"abort\"");
	const struct snapshot_policy *twin = config_policy(l->out, p.on);
	if (twin != NULL) {
		struct diag *g =
		    diag_add(l->d, b->at, "a second 'snapshots' block for %s", p.on == NULL ? "this host" : p.on);
		g->first = twin->at;
		diag_hint(l->d, g, "there is one for each host; 'on' names a target's");
	}
	*vec_add(&l->out->policies, l->a) = p;
}

static void load_keep(struct loading *l, const struct block *b, struct keep *keep)
{
	struct decode_part part = {keep_schema.fields, keep_schema.nfields, keep};
	bool given[LABELS];

	keep->set = true;
	decode_attrs(&b->body, &keep_schema, b->at, &part, 1, l->a, l->d);
	if (!load_labels(l, &b->body, keep->count, given) && keep->within_ms <= 0)
		diag_hint(l->d, diag_add(l->d, b->at, "this 'keep' block keeps nothing but the newest snapshot"),
			  "say how many: daily = 30, monthly = 12, …; without a keep block everything is kept");
}

/* "after snapshot", "every 15m", or a calendar expression. */
static void load_schedule(struct loading *l, const struct body *body, const struct raw_backup *raw,
			  struct schedule *out)
{
	const struct attr *attr = body_attr(body, "run");
	const char *why;
	int64_t ms;

	*out = (struct schedule){.text = raw->run, .jitter_s = raw->jitter_ms / 1000};
	if (raw->run == NULL || attr == NULL)
		return;
	if (strcmp(raw->run, "after snapshot") == 0) {
		out->kind = SCHEDULE_AFTER_SNAPSHOT;
	} else if (strncmp(raw->run, "every ", 6) == 0) {
		out->kind = SCHEDULE_EVERY;
		if (!num_duration(str_of(raw->run + 6), &ms) || ms < 1000)
			diag_hint(l->d, diag_add(l->d, attr->value.at, "'%s' is no duration", raw->run + 6),
				  "like \"every 15m\" or \"every 1h30m\", a second at least");
		else
			out->every_s = ms / 1000;
	} else if (calendar_parse(str_of(raw->run), &out->calendar, &why)) {
		out->kind = SCHEDULE_CALENDAR;
		if (calendar_next(&out->calendar, &(struct zone){0}, 0) == INT64_MAX)
			(void)diag_add(l->d, attr->value.at, "'%s' never comes", raw->run);
	} else {
		diag_hint(l->d, diag_add(l->d, attr->value.at, "'%s' is no time to run at", raw->run),
			  "\"after snapshot\", \"every 1h\", or a calendar expression; %s", why);
	}
}

/* "target:pool/dataset" or "pool/dataset".  A pool's name may hold no ':' before its first '/', so
 * what stands before one is a target. */
static void load_place(struct loading *l, const struct body *body, const char *name, const char *text,
		       const char **target, const char **dataset)
{
	const struct attr *attr = body_attr(body, name);
	size_t n = text == NULL ? 0 : strcspn(text, ":/");

	if (text == NULL || attr == NULL)
		return;
	*dataset = text;
	if (text[n] == ':') {
		*target = arena_strndup(l->a, text, n);
		*dataset = text + n + 1;
		check_target(l, *target, attr->value.at);
	}
	if (!good_dataset(*dataset)) {
		struct diag *g = diag_add(l->d, attr->value.at, "'%s' is not a dataset's name", *dataset);
		diag_hint(l->d, g, "like pool/dataset: letters, digits, '_', '-', '.', ':' and blanks, parted by '/'");
	}
}

static void load_bandwidth(struct loading *l, const struct body *body, const char *text, struct bandwidth *out)
{
	const struct attr *attr = body_attr(body, "bandwidth");
	const char *why;

	if (text != NULL && attr != NULL && !bandwidth_parse(str_of(text), l->a, out, &why))
		diag_hint(l->d, diag_add(l->d, attr->value.at, "'%s' is no bandwidth", text),
			  "\"20MB/s\", or with times \"20MB/s, 08:00-18:00 2MB/s\"; %s", why);
}

/* Whether an attribute that may be one word or another is the other. */
static bool one_of(struct loading *l, const struct body *body, const char *name, const char *is, const char *first,
		   const char *other)
{
	if (is == NULL || strcmp(is, first) == 0)
		return false;
	if (strcmp(is, other) != 0)
		(void)diag_add(l->d, body_attr(body, name)->value.at, "'%s' must be \"%s\" or \"%s\"", name, first,
			       other);
	return true;
}

static void load_limits(struct loading *l, const struct block *b)
{
	struct limits *out = &l->out->limits;
	struct decode_part part = {limits_schema.fields, limits_schema.nfields, out};

	decode_attrs(&b->body, &limits_schema, b->at, &part, 1, l->a, l->d);
	check_count(l, &b->body, "machines", out->machines);
	check_count(l, &b->body, "connections", out->connections);
	check_count(l, &b->body, "starts_per_hour", out->starts_per_hour);
}

static void load_compress(struct loading *l, const struct body *body, const char *is, enum compress *out)
{
	static const char *const words[] = {
	    [COMPRESS_AUTO] = "auto", [COMPRESS_NONE] = "none", [COMPRESS_ZSTD] = "zstd"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		*out = (enum compress)i;
		if (is == NULL || strcmp(is, words[i]) == 0)
			return;
	}
	(void)diag_add(l->d, body_attr(body, "compress")->value.at,
		       "'compress' must be \"auto\", \"zstd\" or \"none\"");
}

/* Whether two sides are one host: NULL and a local target are this one. */
static bool same_side(const struct loading *l, const char *a, const char *b)
{
	const struct target *one = a == NULL ? NULL : config_target(l->out, a);
	const struct target *other = b == NULL ? NULL : config_target(l->out, b);

	a = one != NULL && one->local ? NULL : a;
	b = other != NULL && other->local ? NULL : b;
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static void load_backup(struct loading *l, const struct block *b)
{
	struct raw_backup raw = {0};
	struct decode_part part = {backup_schema.fields, backup_schema.nfields, &raw};
	struct backup out = {.name = b->labels.v[0].text, .at = b->at};

	load_check_name(l, "backup", &b->labels.v[0]);
	const struct backup *twin = config_backup(l->out, out.name);
	if (twin != NULL)
		diag_add(l->d, b->at, "a second backup '%s'", out.name)->first = twin->at;
	decode_attrs(&b->body, &backup_schema, b->at, &part, 1, l->a, l->d);
	load_place(l, &b->body, "source", raw.source, &out.source_target, &out.source);
	load_place(l, &b->body, "destination", raw.destination, &out.dest_target, &out.dest);
	out.include = raw.include;
	out.exclude = raw.exclude;
	out.exclude_snapshots = raw.exclude_snapshots;
	out.timeout_ms = raw.timeout_ms;
	out.any_space = !raw.space_check;
	out.before = raw.before;
	out.after = raw.after;
	out.hook_timeout_ms = raw.hook_timeout_ms;
	load_bandwidth(l, &b->body, raw.bandwidth, &out.bandwidth);
	out.first_copy = one_of(l, &b->body, "first_copy", raw.first_copy, "all", "newest") ? FIRST_NEWEST : FIRST_ALL;
	out.by_property = one_of(l, &b->body, "choose", raw.choose, "all", "property");
	load_compress(l, &b->body, raw.compress, &out.compress);
	load_schedule(l, &b->body, &raw, &out.run);
	load_backup_alert(l, &b->body, &out);
	const struct block *keep = load_only_block(l, &b->body, "keep", arena_printf(l->a, "backup '%s'", out.name));
	if (keep != NULL)
		load_keep(l, keep, &out.keep);
	if (out.source != NULL && out.dest != NULL && same_side(l, out.source_target, out.dest_target) &&
	    strncmp(out.dest, out.source, strlen(out.source)) == 0 &&
	    (out.dest[strlen(out.source)] == '/' || out.dest[strlen(out.source)] == '\0')) {
		struct diag *g = diag_add(l->d, body_attr(&b->body, "destination")->value.at,
					  "the destination lies within the source");
		diag_hint(l->d, g, "every run would back up its own backup; choose another pool, or another machine");
	}
	*vec_add(&l->out->backups, l->a) = out;
}

/* Two backups that write the same copies would undo each other's work. */
static void check_overlaps(struct loading *l)
{
	for (size_t i = 0; i < l->out->backups.n; i++) {
		for (size_t k = 0; k < i; k++) {
			const struct backup *b = &l->out->backups.v[i], *other = &l->out->backups.v[k];
			if (strcmp(b->name, other->name) == 0 || b->source == NULL || other->source == NULL ||
			    b->dest == NULL || other->dest == NULL ||
			    !same_side(l, b->dest_target, other->dest_target) || strcmp(b->dest, other->dest) != 0 ||
			    (!dataset_is_under(b->source, other->source) &&
			     !dataset_is_under(other->source, b->source)))
				continue;
			struct diag *g = diag_add(l->d, b->at, "backup '%s' writes the same copies as backup '%s'",
						  b->name, other->name);
			g->first = other->at;
			diag_hint(l->d, g,
				  "give one of them another destination, or leave what both have to one of them");
		}
	}
}

/* One that waits for snapshots which nobody takes would never run. */
static void check_followers(struct loading *l)
{
	bool any = false;

	for (size_t i = 0; i < l->out->policies.n; i++)
		for (enum label k = LABEL_FREQUENT; k < LABELS; k++)
			any |= l->out->policies.v[i].takes[k] && l->out->policies.v[i].keep[k] > 0;
	for (size_t i = 0; i < l->out->backups.n && !any; i++) {
		const struct backup *b = &l->out->backups.v[i];
		if (b->run.kind == SCHEDULE_AFTER_SNAPSHOT)
			diag_hint(
			    l->d,
			    diag_add(l->d, b->at, "backup '%s' runs after snapshots, and none are taken", b->name),
			    "add snapshots { hourly = 24 }, or run = \"every 1h\"");
	}
}

void load_root(const struct body *root, const struct target_kind *const *kinds, size_t nkinds, struct arena *a,
	       struct diags *d, struct config *out)
{
	struct loading loading = {kinds, nkinds, a, d, out}, *l = &loading;

	const struct block_schema *schema = schema_root(kinds, nkinds, a);
	decode_attrs(root, schema, (struct span){0}, NULL, 0, l->a, l->d);
	decode_check_blocks(root, schema, l->d);
	for (size_t i = 0; i < root->blocks.n; i++)
		if (strcmp(root->blocks.v[i].type, "target") == 0 && root->blocks.v[i].labels.n == 2)
			load_target(l, &root->blocks.v[i]);
	/* After all targets, which may stand anywhere. */
	for (size_t i = 0; i < root->blocks.n; i++) {
		const struct block *b = &root->blocks.v[i];
		if (strcmp(b->type, "backup") == 0 && b->labels.n == 1)
			load_backup(l, b);
		else if (strcmp(b->type, "snapshots") == 0 && b->labels.n == 0)
			load_snapshots(l, b);
	}
	const struct block *limits = load_only_block(l, root, "limits", "the file");
	if (limits != NULL)
		load_limits(l, limits);
	check_overlaps(l);
	check_followers(l);
	load_jump(l, root);
	load_reports(l, root);
	load_alert(l, root);
}
