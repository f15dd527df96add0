/* A place in a configuration file. */
#ifndef MODEL_SPAN_H
#define MODEL_SPAN_H

#include <stddef.h>

struct span {
	size_t from, to; /* byte offsets into the file, to is exclusive; 0,0 = nowhere */
};

#endif
