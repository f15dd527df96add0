#include "plan/image_plan.h"

#include <ctype.h>

/* Of a type's name, what stands between the generation's digit and the dot; processors of AWS's own have a 'g' there:
 * t4g.nano, c6gn.medium, is4gen.large. */
const char *image_architecture(const char *type)
{
	size_t digit = strcspn(type, "0123456789"), dot = strcspn(type, ".");

	if (strncmp(type, "a1.", 3) == 0)
		return "arm64";
	for (size_t i = digit; i < dot; i++)
		if (type[i] == 'g')
			return "arm64";
	return "x86_64";
}

/* What is behind a prefix, if that is a version. */
static const char *version_of(const char *image, const char *prefix)
{
	size_t n = strlen(prefix);
	const char *version = image + n;

	if (strncmp(image, prefix, n) != 0 || !isdigit((unsigned char)*version))
		return NULL;
	return version[strspn(version, "0123456789.")] == '\0' ? version : NULL;
}

bool image_query(const char *image, const char *architecture, struct arena *a, struct image_query *q)
{
	static const struct {
		const char *prefix, *owner, *name; /* %s: version, and how they call the architecture */
	} makers[] = {
	    {"nixos-", "427812963091", "nixos/%s.*"},
	    {"ubuntu-", "099720109477", "ubuntu/images/hvm-ssd*/ubuntu-*-%s-%s-server-*"},
	    {"debian-", "136693071363", "debian-%s-%s-*"},
	};
	const char *theirs = strcmp(architecture, "arm64") == 0 ? "arm64" : "amd64", *version;

	*q = (struct image_query){.architecture = architecture};
	if (strncmp(image, "ami-", 4) == 0)
		q->id = image;
	else if (strncmp(image, "ssm:/", 5) == 0)
		q->parameter = image + 4;
	for (size_t i = 0; i < ARRAY_LEN(makers); i++) {
		if ((version = version_of(image, makers[i].prefix)) == NULL)
			continue;
		q->owner = makers[i].owner;
		q->name = arena_printf(a, makers[i].name, version, theirs);
	}
	return q->id != NULL || q->parameter != NULL || q->owner != NULL;
}

static bool is(const char *x, const char *wanted)
{
	return x != NULL && strcmp(x, wanted) == 0;
}

const struct ec2_image *image_choose(const struct ec2_images *v, const struct image_query *q)
{
	const struct ec2_image *best = NULL;

	for (size_t i = 0; i < v->n; i++) {
		const struct ec2_image *x = &v->v[i];
		if (!is(x->owner, q->owner) || !is(x->state, "available") || !is(x->architecture, q->architecture) ||
		    x->created == NULL)
			continue;
		/* All times are written alike. */
		if (best == NULL || strcmp(x->created, best->created) > 0)
			best = x;
	}
	return best;
}
