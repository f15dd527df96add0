/* What a target's block says that is right, and dearer or slower than it need be. */
#ifndef PLAN_ADVICE_PLAN_H
#define PLAN_ADVICE_PLAN_H

#include "model/advice.h"
#include "model/ec2.h"

/* Of an aws_ec2: too little memory for what such machines do, a type by which filling its volumes takes days, a volume
 * of a dear type.  In the arena. */
void advice_ec2(const struct ec2_settings *s, struct arena *a, struct advices *out);

#endif
