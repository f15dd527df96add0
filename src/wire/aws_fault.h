/* What AWS says when it does not do what it is asked, and what is to be made of it. */
#ifndef WIRE_AWS_FAULT_H
#define WIRE_AWS_FAULT_H

#include "base/err.h"
#include "base/str.h"

/* A class exists only where some code decides on it. */
enum aws_class {
	AWS_OTHER,	/* asking again changes nothing */
	AWS_AGAIN,	/* too many requests, or the service is out of order: the same once more, later */
	AWS_NO_ROOM,	/* there is no machine of that type, there, at the moment: another type may do */
	AWS_NOT_SEEN,	/* not there; or made just now, and not to be seen everywhere yet */
	AWS_NOT_NOW,	/* not in the state that it must be in: look again */
	AWS_NAME_TAKEN, /* the device has a disk of that name: another name */
	AWS_EXPIRED,	/* the keys are too old: new ones */
	AWS_CLOCK,	/* our clock and theirs disagree, or the keys are wrong */
};

struct aws_fault {
	int64_t status;		    /* HTTP's */
	const char *code, *message; /* "InvalidVolume.NotFound"; its first line, may be empty */
	enum aws_class class;
};

/* Reads the body of an answer whose status is not 200, in the forms of EC2, of STS and of the JSON services; whatever
 * else it is, the status alone becomes a fault.  In the arena. */
void aws_fault_read(int64_t status, struct str body, struct arena *a, struct aws_fault *f);
/* That fault as an error: kind, whether it may pass by itself, and what to do.  action is the call, "ec2:RunInstances".
 * Returns -1. */
int aws_fault_err(const struct aws_fault *f, const char *action, struct err *e);

#endif
