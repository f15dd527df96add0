/* What a block of kind "aws_ec2" says. */
#ifndef MODEL_EC2_H
#define MODEL_EC2_H

#include "base/vec.h"
#include "model/field.h"

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
	const char *image_id, *instance_type, *key_name, *subnet_id, *user_data, *iam_instance_profile, *profile,
	    *region, *endpoint, *address;
	struct strings instance_types, security_group_ids, tags;
	enum option associate_public_ip;
	bool spot;
	struct field_items disks, volumes, placement; /* of ec2_disk, ec2_attach, ec2_placement */
};

#endif
