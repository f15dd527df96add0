/* What a block of kind "aws_ec2" says, and what EC2 says of machines, volumes and images. */
#ifndef MODEL_EC2_H
#define MODEL_EC2_H

#include "model/made.h"

enum { EC2_USER_DATA_MAX = 16 * 1024 }; /* before it is made base64 */

/* A disk that is made at the start. */
struct ec2_disk {
	const char *device_name, *kms_key_id, *snapshot_id, *volume_type;
	enum option delete_on_termination, encrypted;
	int64_t volume_size, iops;
};
/* A volume that is there, and stays. */
struct ec2_attach {
	const char *device_name, *volume_id;
};
struct ec2_placement {
	const char *availability_zone;
};
struct ec2_settings {
	const char *image_id, *image, *instance_type, *key_name, *subnet_id, *user_data, *user_data_format,
	    *iam_instance_profile, *profile, *region, *endpoint, *address;
	struct strings instance_types, bulk_instance_type, security_group_ids, tags;
	enum option associate_public_ip;
	bool spot;
	struct field_items disks, volumes, placement; /* of ec2_disk, ec2_attach, ec2_placement */
	struct made made;
};

enum ec2_state {
	EC2_UNKNOWN, /* a word that is new to us */
	EC2_PENDING,
	EC2_RUNNING,
	EC2_SHUTTING_DOWN,
	EC2_TERMINATED,
	EC2_STOPPING,
	EC2_STOPPED,
};
struct ec2_instance {
	const char *id, *type, *image, *zone;
	enum ec2_state state;
	const char *state_name;
	const char *public_ip, *private_ip, *ipv6;
	const char *reason_code, *reason; /* why it is in this state; each may be NULL, as all above but id */
	struct strings tags;		  /* name, value, … */
};
struct ec2_instances VEC(struct ec2_instance);

enum ec2_volume_state { VOLUME_UNKNOWN, VOLUME_CREATING, VOLUME_AVAILABLE, VOLUME_IN_USE, VOLUME_GOING, VOLUME_ERROR };
enum ec2_attachment { ATTACHMENT_NONE, ATTACHMENT_ATTACHING, ATTACHMENT_ATTACHED, ATTACHMENT_DETACHING };
struct ec2_volume {
	const char *id, *zone, *type;
	enum ec2_volume_state state;
	const char *state_name;
	uint64_t size_gib;
	const char *iops, *throughput;	/* numbers; NULL: it has none of its own */
	enum ec2_attachment attachment; /* "busy", too, is detaching; of several, the first that is one */
	const char *instance;		/* whose it is, NULL if nobody's */
	const char *device;
	struct strings tags; /* name, value, … */
};
struct ec2_volumes VEC(struct ec2_volume);

struct ec2_named_key {
	const char *name, *public_key; /* the key as a line of authorized_keys */
	struct strings tags;
};
struct ec2_named_keys VEC(struct ec2_named_key);

struct ec2_group {
	const char *id, *name;
	struct strings from; /* CIDR blocks that may reach tcp port `port` of the question */
	struct strings tags;
};
struct ec2_groups VEC(struct ec2_group);

struct ec2_image {
	const char *id, *owner, *name, *created, *architecture, *root_device, *state;
};
struct ec2_images VEC(struct ec2_image);

#endif
