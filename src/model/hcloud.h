/* What a block of kind "hcloud" says. */
#ifndef MODEL_HCLOUD_H
#define MODEL_HCLOUD_H

#include "base/vec.h"

struct hcloud_settings {
	const char *token, *image, *server_type, *ssh_key, *location, *user_data;
	struct strings labels;	/* name, value, … */
	struct strings volumes; /* numbers of volumes that it gets */
};

#endif
