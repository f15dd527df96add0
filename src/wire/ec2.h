/* Requests to EC2 and its answers: the protocol "ec2" of API version 2016-11-15.  A request is a body for a POST; an
 * answer is read from the body of one with status 200, whatever else stands in it.  What is read is in the arena; each
 * reader returns -1 with ERR_CORRUPT for what is not such an answer.
 * Source: the Amazon EC2 API reference, and the service model that AWS makes its own clients of. */
#ifndef WIRE_EC2_H
#define WIRE_EC2_H

#include "base/buf.h"
#include "base/err.h"
#include "model/ec2.h"

/* One start of a machine. */
struct ec2_launch {
	const struct ec2_settings *settings;
	const char *image, *type;
	const char *zone;  /* or NULL */
	const char *token; /* at most 64 characters; the same token is the same machine */
	bool spot;
	struct strings tags; /* name, value, …: of the machine, its disks and its network interface, from its birth */
};
/* For a machine that is gone once it is off, and whose user data only it itself can read. */
void ec2_run_instances(struct buf *b, const struct ec2_launch *l);

/* Filters: name, value, …; a name may come again, for another value of it.  next: what the answer before had as next,
 * or NULL. */
void ec2_describe_instances(struct buf *b, const struct strings *filters, const char *next);
void ec2_describe_volumes(struct buf *b, const struct strings *filters, const char *next);
void ec2_describe_images(struct buf *b, const char *owner, const struct strings *filters);
void ec2_terminate_instances(struct buf *b, const char *instance);

struct ec2_new_volume {
	const char *zone, *type, *token;
	uint64_t size_gib;
	struct strings tags;
};
/* Encrypted. */
void ec2_create_volume(struct buf *b, const struct ec2_new_volume *v);
void ec2_attach_volume(struct buf *b, const char *volume, const char *instance, const char *device);
void ec2_detach_volume(struct buf *b, const char *volume, const char *instance);

/* Of ec2_run_instances. */
int ec2_launched_read(struct str body, struct arena *a, struct ec2_instance *i, struct err *e) MUST_CHECK;
/* What an answer to ec2_describe_… has is added to v.  *next: NULL, or what to ask for the rest with. */
int ec2_instances_read(struct str body, struct arena *a, struct ec2_instances *v, const char **next,
		       struct err *e) MUST_CHECK;
int ec2_volumes_read(struct str body, struct arena *a, struct ec2_volumes *v, const char **next,
		     struct err *e) MUST_CHECK;
/* Of ec2_create_volume. */
int ec2_volume_read(struct str body, struct arena *a, struct ec2_volume *v, struct err *e) MUST_CHECK;
int ec2_images_read(struct str body, struct arena *a, struct ec2_images *v, struct err *e) MUST_CHECK;

#endif
