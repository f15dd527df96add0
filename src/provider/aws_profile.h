/* What this host is told of AWS: the environment and the files in ~/.aws. */
#ifndef PROVIDER_AWS_PROFILE_H
#define PROVIDER_AWS_PROFILE_H

#include "wire/aws_ini.h"

struct aws_profile {
	const char *name;
	bool named; /* by the target's block: then the environment's keys are not meant */
	struct aws_entries config, credentials;
};

/* Reads the files; named: the profile that the target's block names, or NULL.  In the arena. */
int aws_profile_load(const char *named, struct arena *a, struct aws_profile *p, struct err *e) MUST_CHECK;
/* Whether there is such a profile in either file. */
bool aws_profile_exists(const struct aws_profile *p, const char *profile);
/* A setting of a profile, by ~/.aws/credentials or, after it, ~/.aws/config; NULL: not said. */
const char *aws_profile_get(const struct aws_profile *p, const char *profile, const char *name);
/* A variable of the environment; NULL if it is empty, too. */
const char *aws_env(const char *name);

/* The region that is meant where the target's block says none; NULL: none is. */
const char *aws_profile_region(const struct aws_profile *p);
/* The address of a service ("ec2") where the target's block says none; NULL: AWS's own. */
const char *aws_profile_endpoint(const struct aws_profile *p, const char *service, struct arena *a);

#endif
