/* The least policy of IAM with which an aws_ec2 target works: what its keys must be allowed, and where.
 * Source: "Actions, resources, and condition keys for Amazon EC2", Service Authorization Reference. */
#ifndef WIRE_AWS_POLICY_H
#define WIRE_AWS_POLICY_H

#include "model/ec2.h"
#include "wire/json.h"

/* For its machines, and for what `apply` and `destroy` do where the block wants something made.  The caller's. */
json_t *aws_policy(const char *target, const struct ec2_settings *s);

#endif
