/* Which image of EC2 a name means: whose it must be, what it is called there, and which of those that are is taken.
 * Names alone prove nothing: anybody may call an image as he likes. */
#ifndef PLAN_IMAGE_PLAN_H
#define PLAN_IMAGE_PLAN_H

#include "base/str.h"
#include "model/ec2.h"

/* "arm64" or "x86_64", by the name of a type of instance. */
const char *image_architecture(const char *type);

struct image_query {
	const char *id;				 /* it is known already */
	const char *parameter;			 /* it is in this parameter of SSM */
	const char *owner, *name, *architecture; /* it is the newest that its owner calls so; name is a pattern */
};
/* What "nixos-25.11", "ubuntu-24.04", "debian-13", "ssm:/a/parameter" or "ami-…" means; false: it is none of these. */
bool image_query(const char *image, const char *architecture, struct arena *a, struct image_query *q);
/* The newest one that is what was asked for; NULL: there is none. */
const struct ec2_image *image_choose(const struct ec2_images *v, const struct image_query *q);

#endif
