/* Internal to provider: an aws_ec2 target's machines and volumes. */
#ifndef PROVIDER_AWS_MACHINE_H
#define PROVIDER_AWS_MACHINE_H

#include "model/ec2.h"
#include "provider/aws_client.h"

struct aws_machine {
	struct aws_client client;
	const struct provider_env *env;
	const struct target *target;
	const struct ec2_settings *settings;
};
int aws_machine_open(struct aws_machine *m, const struct provider_env *env, const struct target *t,
		     struct err *e) MUST_CHECK;
void aws_machine_auto(struct aws_machine *m); /* AUTO(aws_machine) struct aws_machine m = {0}; */

/* One call of EC2, by what wire/ec2.h made; answer may be NULL. */
int aws_machine_call(struct aws_machine *m, const char *action, const struct buf *body, struct str *answer,
		     struct aws_fault *f, struct err *e) MUST_CHECK;
/* All machines that the filters (name, value, …) leave, in the arena. */
int aws_machine_look(struct aws_machine *m, const struct strings *filters, struct ec2_instances *v,
		     struct err *e) MUST_CHECK;
/* One by its name; *i NULL: it is not to be seen. */
int aws_machine_get(struct aws_machine *m, const char *instance, const struct ec2_instance **i,
		    struct err *e) MUST_CHECK;
void aws_machine_progress(struct aws_machine *m, const char *fmt, ...) PRINTF(2, 3);

/* The image for a type of instance, "ami-…". */
int aws_image_find(struct aws_machine *m, const char *type, const char **id, struct err *e) MUST_CHECK;

#define AWS_TAG_TARGET "dormouse:target"
/* Adds the block's tags, but for names that are there. */
void aws_machine_add_tags(const struct aws_machine *m, struct strings *tags);

/* All volumes that the filters (name, value, …) leave. */
int aws_volumes_look(struct aws_machine *m, const struct strings *filters, struct ec2_volumes *v,
		     struct err *e) MUST_CHECK;
/* One by its name; ERR_MISSING: there is none. */
int aws_volume_get(struct aws_machine *m, const char *id, struct ec2_volume *v, struct err *e) MUST_CHECK;

/* Before there is a machine: are its volumes there, free or about to be, and in one zone?  *zone: that, NULL without
 * volumes. */
int aws_volumes_check(struct aws_machine *m, const char **zone, struct err *e) MUST_CHECK;
/* Attaches them in their order to a machine that runs, each when the one before is. */
int aws_volumes_attach(struct aws_machine *m, const char *instance, struct err *e) MUST_CHECK;
/* Detaches those of them that it has, the last one first, and waits for it, for a while. What does not let go is left
 * to the machine's end. */
void aws_volumes_detach(struct aws_machine *m, const char *instance);

#endif
