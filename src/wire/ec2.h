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

/* What apply makes.  Tags: name, value, …, from birth. */
struct ec2_new_volume {
	const char *zone, *token; /* token: at most 64 characters; the same token is the same volume */
	const struct made_volume *as;
	struct strings tags;
};
/* Encrypted, and of whole GiB. */
void ec2_create_volume(struct buf *b, const struct ec2_new_volume *v);
void ec2_modify_volume(struct buf *b, const char *volume, const struct made_volume *to);
void ec2_describe_modification(struct buf *b, const char *volume);
/* Another value of a tag that it has, or one more. */
void ec2_create_tag(struct buf *b, const char *of, const char *key, const char *value);
void ec2_delete_volume(struct buf *b, const char *volume);
void ec2_describe_key_pairs(struct buf *b, const struct strings *filters);
/* public_key: a line of authorized_keys. */
void ec2_import_key_pair(struct buf *b, const char *name, const char *public_key, const struct strings *tags);
void ec2_delete_key_pair(struct buf *b, const char *name);
void ec2_describe_security_groups(struct buf *b, const struct strings *filters, const char *next);
void ec2_describe_subnet(struct buf *b, const char *subnet);
/* vpc NULL: the default one. */
void ec2_create_security_group(struct buf *b, const char *name, const char *vpc, const struct strings *tags);
/* Lets a CIDR block reach a tcp port, or takes that back. */
void ec2_ingress(struct buf *b, bool allow, const char *group, int64_t port, const char *from);
void ec2_delete_security_group(struct buf *b, const char *group);

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
int ec2_key_pairs_read(struct str body, struct arena *a, struct ec2_named_keys *v, struct err *e) MUST_CHECK;
/* port: of what is said to be reached. */
int ec2_groups_read(struct str body, int64_t port, struct arena *a, struct ec2_groups *v, const char **next,
		    struct err *e) MUST_CHECK;
/* Of ec2_create_security_group. */
int ec2_group_read(struct str body, struct arena *a, const char **id, struct err *e) MUST_CHECK;
/* Of ec2_describe_subnet. */
int ec2_subnet_read(struct str body, struct arena *a, const char **vpc, struct err *e) MUST_CHECK;
/* How far it is: "modifying", "optimizing", "completed", "failed". */
int ec2_modification_read(struct str body, struct arena *a, const char **state, const char **why,
			  struct err *e) MUST_CHECK;
int ec2_images_read(struct str body, struct arena *a, struct ec2_images *v, struct err *e) MUST_CHECK;

#endif
