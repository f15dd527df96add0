/* What is right, and could be better. */
#ifndef MODEL_ADVICE_H
#define MODEL_ADVICE_H

#include "base/vec.h"

struct advice {
	const char *what, *hint;
};
struct advices VEC(struct advice);

#endif
