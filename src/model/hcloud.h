/* What a block of kind "hcloud" says. */
#ifndef MODEL_HCLOUD_H
#define MODEL_HCLOUD_H

#include "model/made.h"

enum { HCLOUD_USER_DATA_MAX = 32 * 1024 };

struct hcloud_settings {
	const char *token, *image, *server_type, *ssh_key, *location, *user_data, *user_data_format;
	struct strings labels;	  /* name, value, … */
	struct strings volumes;	  /* numbers of volumes that it gets */
	struct strings firewalls; /* numbers of those that stand before it */
	struct made made;
};

#endif
