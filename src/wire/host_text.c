#include "wire/host_text.h"

#include "base/num.h"

struct set {
	const char *name;
	struct strings may;
};
struct sets VEC(struct set);

struct reading {
	struct arena *arena;
	struct host *host;
	struct strings groups;
	struct str section;
	/* Of zfs allow: whose permissions these are, and of which kind. */
	bool here; /* of the dataset itself, not of one above it */
	enum { GRANT_OTHER, GRANT_SETS, GRANT_BELOW, GRANT_ALL } grant;
	struct sets sets;
};

static bool has(const struct strings *list, struct str word)
{
	for (size_t i = 0; i < list->n; i++)
		if (str_eq(word, list->v[i]))
			return true;
	return false;
}

static void add_each(struct reading *r, struct str words, char between, struct strings *out)
{
	while (words.n > 0) {
		struct str word = str_cut(&words, between);
		if (word.n > 0 && !has(out, word))
			*vec_add(out, r->arena) = str_dup(r->arena, word);
	}
}

/* "user NAME a,b,c", "group NAME a,b,c", "everyone a,b,c", or, of sets, "@name a,b,c"; zfs-allow(8). */
static void grant_line(struct reading *r, struct str line)
{
	struct str who = str_cut(&line, ' ');

	if (r->grant == GRANT_SETS) {
		struct set s = {.name = str_dup(r->arena, who)};
		add_each(r, line, ',', &s.may);
		*vec_add(&r->sets, r->arena) = s;
		return;
	}
	/* What holds below a dataset only, holds for all of ours if it stands above. */
	if (r->grant == GRANT_OTHER || (r->grant == GRANT_BELOW && r->here))
		return;
	bool ours = str_eq(who, "everyone");
	if (str_eq(who, "user"))
		ours = str_eq(str_cut(&line, ' '), r->host->user);
	else if (str_eq(who, "group"))
		ours = has(&r->groups, str_cut(&line, ' '));
	if (ours)
		add_each(r, line, ',', &r->host->may);
}

static void allow_line(struct reading *r, struct str line)
{
	if (str_starts(line, "---- Permissions on ")) {
		struct str name = {line.p + 20, line.n - 20};
		r->here = r->host->nearest != NULL && str_eq(str_cut(&name, ' '), r->host->nearest);
		r->grant = GRANT_OTHER;
	} else if (!str_starts(line, "\t")) {
		r->grant = str_eq(line, "Permission sets:")		   ? GRANT_SETS
			   : str_eq(line, "Local+Descendent permissions:") ? GRANT_ALL
			   : str_eq(line, "Descendent permissions:")	   ? GRANT_BELOW
									   : GRANT_OTHER;
	} else {
		grant_line(r, str_trim(line));
	}
}

/* The list grows while it is gone through: a set may hold sets. */
static void resolve_sets(struct reading *r)
{
	struct strings *may = &r->host->may;

	for (size_t i = 0; i < may->n; i++)
		for (size_t k = 0; may->v[i][0] == '@' && k < r->sets.n; k++)
			for (size_t m = 0; strcmp(r->sets.v[k].name, may->v[i]) == 0 && m < r->sets.v[k].may.n; m++)
				add_each(r, str_of(r->sets.v[k].may.v[m]), ',', may);
}

static bool feature_line(struct reading *r, struct str line)
{
	struct str pool = str_cut(&line, '\t'), name = str_cut(&line, '\t');

	if (pool.n == 0 || !str_starts(name, "feature@"))
		return pool.n > 0;
	*vec_add(&r->host->features, r->arena) =
	    (struct feature){.name = arena_strndup(r->arena, name.p + 8, name.n - 8),
			     .state = str_eq(line, "active")	? FEATURE_ACTIVE
				      : str_eq(line, "enabled") ? FEATURE_ENABLED
								: FEATURE_DISABLED};
	return true;
}

static bool fact_line(struct reading *r, struct str line)
{
	struct host *h = r->host;
	struct str key = str_cut(&line, ' ');
	const char *value = line.n == 0 ? NULL : str_dup(r->arena, line);

	if (str_eq(key, "user"))
		h->user = value == NULL ? "?" : value;
	else if (str_eq(key, "uid"))
		h->is_root = str_eq(line, "0");
	else if (str_eq(key, "groups"))
		add_each(r, line, ' ', &r->groups);
	else if (str_eq(key, "now"))
		return num_i64(line, &h->now);
	else if (str_eq(key, "zfs"))
		h->zfs = value;
	else if (str_eq(key, "module"))
		h->module = value;
	else if (str_eq(key, "open"))
		h->may_open = str_eq(line, "yes");
	else if (str_eq(key, "zstd"))
		h->has_zstd = str_eq(line, "yes");
	else if (str_eq(key, "nearest"))
		h->nearest = value;
	else
		return false;
	return true;
}

int host_parse(struct str out, struct arena *a, struct host *h, struct err *e)
{
	struct reading r = {.arena = a, .host = h};

	h->user = "?";
	while (out.n > 0) {
		struct str line = str_cut(&out, '\n');
		if (str_starts(line, "#host ")) {
			r.section = (struct str){line.p + 6, line.n - 6};
			continue;
		}
		bool fits = true;
		if (str_eq(r.section, "facts"))
			fits = fact_line(&r, line);
		else if (str_eq(r.section, "allow"))
			allow_line(&r, line);
		else if (str_eq(r.section, "features"))
			fits = feature_line(&r, line);
		else
			fits = false;
		if (!fits) {
			(void)err_set(e, ERR_CORRUPT, "cannot read what the host says of itself");
			return err_why(e, "'%.*s'", (int)(line.n < 200 ? line.n : 200), line.p);
		}
	}
	if (!str_eq(r.section, "end"))
		return err_set(e, ERR_NET, "cannot read what the host says of itself: the answer was cut off");
	resolve_sets(&r);
	return 0;
}
