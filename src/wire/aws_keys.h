/* Keys of AWS, and the answers that they come in: of STS, of a machine's metadata, of a container's, of a program.
 * Also who one is, and a parameter of SSM.  What is read is in the arena; -1 with ERR_CORRUPT, and nothing of the text
 * in *e, for it is secret. */
#ifndef WIRE_AWS_KEYS_H
#define WIRE_AWS_KEYS_H

#include "base/buf.h"
#include "base/err.h"

struct aws_keys {
	const char *id, *secret;
	const char *session; /* NULL: keys that stay */
	int64_t expires_at;  /* Unix seconds; 0 = never */
};

struct aws_role {
	const char *arn, *session_name;
	const char *external_id; /* or NULL */
	int64_t duration_s;	 /* 0: as STS likes it */
};
/* Bodies for STS, and its answers.  The second is for who has a token of another service in place of keys: its request
 * is not signed. */
void sts_assume_role(struct buf *b, const struct aws_role *r);
void sts_assume_role_by_token(struct buf *b, const struct aws_role *r, const char *token);
/* Of either. */
int sts_keys_read(struct str body, struct arena *a, struct aws_keys *k, struct err *e) MUST_CHECK;
void sts_get_caller_identity(struct buf *b);
/* Who asks: the account's number, and the whole name. */
int sts_identity_read(struct str body, struct arena *a, const char **account, const char **arn,
		      struct err *e) MUST_CHECK;

/* JSON of a credential_process, of a container's or a machine's metadata: the first calls the session's token
 * "SessionToken", the others "Token". */
int aws_keys_read(struct str json, struct arena *a, struct aws_keys *k, struct err *e) MUST_CHECK;

/* A body for SSM (X-Amz-Target: AmazonSSM.GetParameter), and its answer. */
void ssm_get_parameter(struct buf *b, const char *name);
int ssm_parameter_read(struct str json, struct arena *a, const char **value, struct err *e) MUST_CHECK;

#endif
