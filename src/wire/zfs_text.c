#include "wire/zfs_text.h"
#include "wire/zfs_blame.h"

#include "base/buf.h"
#include "base/num.h"
#include "wire/properties.h"

static struct str next_line(struct str *text)
{
	return str_cut(text, '\n');
}

/* Splits a line at tabs into exactly n fields. */
static bool fields(struct str line, struct str *out, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && line.p == NULL)
			return false;
		const char *tab = line.n == 0 ? NULL : memchr(line.p, '\t', line.n);
		if ((tab == NULL) != (i == n - 1))
			return false;
		out[i] = str_cut(&line, '\t');
	}
	return true;
}

static bool number(struct str s, uint64_t *out)
{
	if (str_eq(s, "-")) {
		*out = 0;
		return true;
	}
	return num_u64(s, out);
}

static int malformed(struct err *e, struct str line)
{
	(void)err_set(e, ERR_CORRUPT, "cannot read what zfs list printed");
	(void)err_why(e, "'%.*s' is not a line of it", (int)(line.n < 200 ? line.n : 200), line.p);
	return err_hint(e, "is this OpenZFS 2.0 or later? zfs version tells");
}

static const char *text_or_null(struct str s, struct arena *a)
{
	return s.n == 0 || str_eq(s, "-") ? NULL : str_dup(a, s);
}

/* "SINCE[-SEEN]:NAME" of the dataset itself: what it inherits from a parent is the parent's. */
static void gone(struct str s, struct dataset *d)
{
	struct str seen = str_cut(&s, ':'), since = str_cut(&seen, '-');

	if (!str_eq(s, d->name) || !num_i64(since, &d->gone_since) || d->gone_since < 0)
		d->gone_since = 0;
	else if (!num_i64(seen, &d->gone_seen) || d->gone_seen < 0)
		d->gone_seen = 0;
}

static bool dataset_line(struct str line, struct arena *a, struct dataset *d)
{
	enum { LABELS_AT = 18, NEWEST_AT = LABELS_AT + LABELS };
	struct str f[NEWEST_AT + 1] = {0};

	*d = (struct dataset){0};
	/* Whose look asked for the newest snapshot too has one more. */
	if ((!fields(line, f, NEWEST_AT + 1) && !fields(line, f, NEWEST_AT)) || f[0].n == 0)
		return false;
	d->name = str_dup(a, f[0]);
	d->type = str_eq(f[1], "volume") ? DATASET_VOLUME : DATASET_FILESYSTEM;
	d->encrypted = !str_eq(f[3], "off") && !str_eq(f[3], "-");
	d->origin = text_or_null(f[4], a);
	d->resume.token = text_or_null(f[9], a);
	d->placeholder = str_eq(f[10], d->name);
	gone(f[11], d);
	d->restoring = str_eq(f[12], d->name);
	d->open = str_eq(f[13], "off") || str_eq(f[14], "on");
	d->chosen = text_or_null(f[15], a);
	d->key_root = text_or_null(f[16], a);
	d->wants[LABEL_NONE] = text_or_null(f[LABELS_AT - 1], a);
	for (int l = 0; l < LABELS; l++)
		d->wants[l] = text_or_null(f[LABELS_AT + l], a);
	(void)str_cut(&f[NEWEST_AT], '@');
	d->newest = text_or_null(f[NEWEST_AT], a);
	return (str_eq(f[1], "volume") || str_eq(f[1], "filesystem")) && num_u64(f[2], &d->guid) &&
	       number(f[5], &d->used) && number(f[6], &d->referenced) && number(f[7], &d->available) &&
	       number(f[8], &d->written);
}

/* "pool/ds@snap" or "pool/ds#mark": what stands behind is the name of p. */
static bool point_name(struct str whole, struct arena *a, struct str *where, struct point *p)
{
	size_t at = 0;

	*p = (struct point){0};
	while (at < whole.n && whole.p[at] != '@' && whole.p[at] != '#')
		at++;
	if (at == 0 || at + 1 >= whole.n)
		return false;
	*where = (struct str){whole.p, at};
	p->kind = whole.p[at] == '@' ? POINT_SNAPSHOT : POINT_BOOKMARK;
	p->name = arena_strndup(a, whole.p + at + 1, whole.n - at - 1);
	return true;
}

/* A snapshot's or bookmark's line; where is the name of its dataset. */
static bool point_line(struct str line, struct arena *a, struct str *where, struct point *p)
{
	struct str f[5];
	uint64_t creation;

	if (!fields(line, f, ARRAY_LEN(f)) || !point_name(f[0], a, where, p) || !num_u64(f[1], &p->guid) ||
	    !num_u64(f[2], &p->createtxg) || !num_u64(f[3], &creation) || creation > INT64_MAX ||
	    !number(f[4], &p->userrefs))
		return false;
	p->creation = (int64_t)creation;
	return true;
}

/* Nearly always it is the same as the last time, or the next; s is sorted. */
static struct dataset *find(struct side_state *s, struct str name, size_t *last)
{
	AUTO(arena) struct arena a = {0};

	for (size_t k = *last; k < s->datasets.n && k < *last + 2; k++) {
		if (str_eq(name, s->datasets.v[k].name)) {
			*last = k;
			return &s->datasets.v[k];
		}
	}
	const struct dataset *d = side_find(s, str_dup(&a, name));
	if (d == NULL)
		return NULL;
	*last = (size_t)(d - s->datasets.v);
	return &s->datasets.v[*last];
}

/* A property's line.  A value may hold anything, a new line too: what does not begin with the name of a dataset
 * belongs to no property that we know, and is left out. */
static void property_line(struct side_state *s, struct str line, struct arena *a, size_t *last)
{
	struct str name = str_cut(&line, '\t'), property = str_cut(&line, '\t');
	struct dataset *d = line.p == NULL ? NULL : find(s, name, last);
	struct err ignored;

	/* Ours are about the copy, not about what it is a copy of. */
	if (d != NULL && property.n > 0 && (s->ours_too || !str_starts(property, "dormouse:")))
		*vec_add(&d->properties, a) = (struct property){str_dup(a, property), str_dup(a, line)};
	else if (d != NULL && str_eq(property, PROPERTIES_NAME))
		d->has_record = properties_parse(line, a, &d->recorded, &ignored) == 0;
}

enum section { BEFORE, DATASETS, POINTS, NAMES, PROPERTIES, POOL, END };

/* A complaint of zfs: fine only when it says that the root is not there. */
static int complaint(struct side_state *s, struct str line, struct err *e)
{
	AUTO(arena) struct arena a = {0};
	const char *missing = arena_printf(&a, "cannot open '%s': dataset does not exist", s->root);

	if (str_eq(line, missing) || (*s->root == '\0' && str_eq(line, "no datasets available"))) {
		s->root_exists = false;
		return 0;
	}
	if (str_starts(line, "#failed ")) {
		if (!s->root_exists)
			return 0;
		(void)err_set(e, ERR_SYSTEM, "cannot list '%s'", s->root);
		return err_why(e, "zfs list ended with exit code %.*s and without a word", (int)(line.n - 8),
			       line.p + 8);
	}
	zfs_blame(line, e);
	return err_wrap(e, "cannot list '%s'", s->root);
}

int look_parse(struct str out, struct arena *a, struct side_state *s, struct err *e)
{
	enum section section = BEFORE;
	size_t last = 0;

	s->seen = s->root_exists = true;
	s->datasets = (struct datasets){0};
	while (out.n > 0) {
		struct str line = next_line(&out);
		if (str_starts(line, "!")) {
			line = (struct str){line.p + 1, line.n - 1};
			if (complaint(s, line, e) < 0)
				return -1;
		} else if (str_starts(line, "#look ")) {
			section = str_eq(line, "#look datasets")     ? DATASETS
				  : str_eq(line, "#look points")     ? POINTS
				  : str_eq(line, "#look names")	     ? NAMES
				  : str_eq(line, "#look properties") ? PROPERTIES
				  : str_eq(line, "#look pool")	     ? POOL
								     : END;
			s->has_properties |= section == PROPERTIES;
			side_sort(s);
		} else if (section == DATASETS) {
			struct dataset d;
			if (!dataset_line(line, a, &d))
				return malformed(e, line);
			*vec_add(&s->datasets, a) = d;
		} else if (section == POINTS || section == NAMES) {
			struct str where;
			struct point p;
			struct dataset *d;
			if (section == POINTS ? !point_line(line, a, &where, &p) : !point_name(line, a, &where, &p))
				return malformed(e, line);
			/* Between the two listings a dataset may have been made; it is not of this look. */
			if ((d = find(s, where, &last)) != NULL)
				*vec_add(&d->points, a) = p;
		} else if (section == PROPERTIES) {
			property_line(s, line, a, &last);
		} else if (section == POOL) {
			s->pool_health = text_or_null(line, a);
		} else {
			return malformed(e, line);
		}
	}
	if (section != END) {
		(void)err_set(e, ERR_NET, "cannot list '%s'", s->root);
		return err_why(e, "the answer was cut off");
	}
	if (s->root_exists && s->datasets.n == 0) {
		(void)err_set(e, ERR_CORRUPT, "zfs list printed nothing for '%s'", s->root);
		return err_hint(e, "it says that it is there, and not what: zfs list '%s', by hand", s->root);
	}
	if (!s->root_exists)
		s->datasets.n = 0;
	side_sort(s);
	return 0;
}

/* The next point of a list of some, 1; at its end 0.  What is not there is no fault. */
static int next_point(struct str *out, struct arena *a, struct str *where, struct point *p, struct err *e)
{
	bool whole = false;

	while (out->n > 0) {
		struct str line = next_line(out);
		whole = str_eq(line, "#look end");
		if (str_starts(line, "#look ") || str_starts(line, "!#failed "))
			continue;
		if (str_starts(line, "!")) {
			if (line.n > 25 && str_eq((struct str){line.p + line.n - 24, 24}, ": dataset does not exist"))
				continue;
			zfs_blame((struct str){line.p + 1, line.n - 1}, e);
			return err_wrap(e, "cannot list snapshots");
		}
		return point_line(line, a, where, p) ? 1 : malformed(e, line);
	}
	return whole ? 0 : err_set(e, ERR_NET, "cannot list snapshots: the answer was cut off");
}

int listed_parse(struct str out, struct arena *a, struct side_state *s, struct err *e)
{
	struct point p = {0};
	struct str where = {0};
	size_t last = 0;
	int rc;

	while ((rc = next_point(&out, a, &where, &p, e)) > 0) {
		struct dataset *d = find(s, where, &last);
		if (d != NULL)
			*vec_add(&d->points, a) = p;
	}
	side_sort(s);
	return rc;
}

int points_parse(struct str out, struct side_state *s, bool *changed, struct err *e)
{
	AUTO(arena) struct arena a = {0};
	struct point now = {0};
	struct str where = {0};
	size_t last = 0;
	int rc;

	*changed = false;
	while ((rc = next_point(&out, &a, &where, &now, e)) > 0) {
		struct dataset *d = find(s, where, &last);
		for (size_t i = 0; d != NULL && now.name != NULL && i < d->points.n; i++) {
			struct point *p = &d->points.v[i];
			if (p->kind != POINT_SNAPSHOT || strcmp(p->name, now.name) != 0)
				continue;
			*changed |= p->recalled && (p->guid != now.guid || p->createtxg != now.createtxg);
			now.name = p->name;
			*p = now;
		}
	}
	return rc;
}

int prune_parse(struct str out, struct arena *a, struct pruned *p, struct err *e)
{
	bool whole = false;

	*p = (struct pruned){0};
	while (out.n > 0) {
		struct str line = next_line(&out), word = str_cut(&line, '\t');
		uint64_t number;
		if (str_starts(word, "!"))
			*vec_add(&p->failed, a) = arena_strndup(a, word.p + 1, word.n - 1);
		else if (str_eq(word, "destroy"))
			p->destroyed++;
		else if (str_eq(word, "destroyed") && num_u64(line, &number))
			p->destroyed += number;
		else if (str_eq(word, "reclaim") && num_u64(line, &number))
			p->reclaimed += number;
		whole = str_eq(word, "#prune end");
	}
	return whole ? 0 : err_set(e, ERR_NET, "cannot tell what was destroyed: the answer was cut off");
}

static struct dataset *with_token(struct side_state *s, size_t index)
{
	for (size_t i = 0; i < s->datasets.n; i++)
		if (s->datasets.v[i].resume.token != NULL && index-- == 0)
			return &s->datasets.v[i];
	return NULL;
}

int tokens_parse(struct str out, struct arena *a, struct side_state *s, struct err *e)
{
	struct dataset *d = NULL;
	size_t index = 0;
	bool whole = false;

	while (out.n > 0) {
		struct str line = next_line(&out), word = str_trim(line);
		if (str_starts(line, "#token ")) {
			whole = str_eq(line, "#token end");
			d = whole ? NULL : with_token(s, index++);
			continue;
		}
		if (d == NULL)
			continue;
		if (str_starts(word, "toguid = 0x")) {
			if (!num_hex((struct str){word.p + 11, word.n - 11}, &d->resume.to_guid))
				return malformed(e, line);
		} else if (str_starts(word, "toname = ")) {
			d->resume.to_name = arena_strndup(a, word.p + 9, word.n - 9);
		} else if (str_eq(word, "rawok = 1")) {
			d->resume.raw = true;
		} else if (str_starts(word, "cannot ") && d->resume.why == NULL) {
			d->resume.why = str_dup(a, word);
		}
	}
	if (!whole)
		return err_set(e, ERR_NET, "cannot ask the source about partial receives: the answer was cut off");
	return 0;
}

int estimates_parse(struct str out, struct send_steps *sends, struct err *e)
{
	struct send_step *step = NULL;
	size_t index = 0;
	bool whole = false;

	while (out.n > 0) {
		struct str line = next_line(&out);
		if (str_starts(line, "#estimate ")) {
			whole = str_eq(line, "#estimate end");
			step = whole || index == sends->n ? NULL : &sends->v[index++];
			continue;
		}
		if (step != NULL && str_starts(line, "size\t") &&
		    !num_u64((struct str){line.p + 5, line.n - 5}, &step->bytes))
			return malformed(e, line);
	}
	if (!whole)
		return err_set(e, ERR_NET, "cannot ask the source how much is to be sent: the answer was cut off");
	return 0;
}

/* A word of times(1), "0m1.230000s". */
static bool spent(struct str word, uint64_t *ms)
{
	struct str minutes = str_cut(&word, 'm'), seconds = str_cut(&word, '.');
	uint64_t m, s, rest;

	if (word.n < 3 || !num_u64(minutes, &m) || !num_u64(seconds, &s) || !num_u64((struct str){word.p, 2}, &rest))
		return false;
	*ms += (m * 60 + s) * 1000 + rest * 10;
	return true;
}

/* "1.53" and, of old, "1.53x". */
static bool percent(struct str word, uint64_t *out)
{
	struct str whole = str_cut(&word, '.');
	uint64_t n, rest;

	if (word.n < 2 || !num_u64(whole, &n) || !num_u64((struct str){word.p, 2}, &rest))
		return false;
	*out = 100 * n + rest;
	return true;
}

int sample_parse(struct str out, struct compress_sample *s, struct err *e)
{
	size_t times = 0;
	bool whole = false;

	*s = (struct compress_sample){.ratio_percent = UINT64_MAX};
	while (out.n > 0) {
		struct str line = next_line(&out), rest = line, word = str_cut(&rest, ' ');
		uint64_t n;
		whole = str_eq(line, "#sample end");
		if (str_eq(word, "zstd"))
			s->has_zstd = str_eq(rest, "yes");
		else if (str_eq(word, "bytes"))
			(void)num_u64(str_trim(rest), &s->bytes);
		else if (str_eq(word, "packed"))
			(void)num_u64(str_trim(rest), &s->packed);
		else if (str_eq(word, "ratio") && percent(rest, &n))
			s->ratio_percent = n < s->ratio_percent ? n : s->ratio_percent;
		else if (!whole && ++times == 2 && !(spent(word, &s->cpu_ms) && spent(rest, &s->cpu_ms)))
			return malformed(e, line);
	}
	/* Without one nothing is left to ask. */
	return whole && (!s->has_zstd || (times == 2 && s->ratio_percent < UINT64_MAX))
		   ? 0
		   : err_set(e, ERR_CORRUPT, "cannot read what became of a sample");
}

int receive_answers_parse(struct str out, struct arena *a, struct receive_answers *answers, struct err *e)
{
	while (out.n > 0) {
		struct str line = next_line(&out), rest = line;
		uint64_t index, code, guid = 0;
		if (str_starts(line, "!")) {
			if (answers->n == 0)
				goto bad;
			/* The lines of one answer stand behind each other; the '!' between them stay in the view. */
			struct str *text = &answers->v[answers->n - 1].text;
			*text = text->p == NULL ? line : (struct str){text->p, (size_t)(line.p + line.n - text->p)};
			continue;
		}
		if (!num_u64(str_cut(&rest, ' '), &index) || index != answers->n ||
		    !num_u64(str_cut(&rest, ' '), &code) || code > 255 || !number(rest, &guid))
			goto bad;
		*vec_add(answers, a) = (struct receive_answer){.code = (int)code, .guid = guid};
		continue;
	bad:
		(void)err_set(e, ERR_CORRUPT, "cannot read what the target answered");
		return err_why(e, "'%.*s'", (int)(line.n < 200 ? line.n : 200), line.p);
	}
	return 0;
}
