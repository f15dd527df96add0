/* What a machine of a cloud is given at its start, with an ssh host key in it.  Who may look into its metadata reads
 * it: so a key is for one start.
 *
 * NixOS (modules ec2-data and amazon-init of nixpkgs) looks for SSH_HOST_ED25519_KEY lines before its sshd starts, from
 * 25.11 on; takes the whole for a configuration unless there is nothing but such lines and those that begin with '#';
 * and runs what begins with "#!".  cloud-init takes parts of a MIME message as if each were all. */
#ifndef WIRE_USER_DATA_H
#define WIRE_USER_DATA_H

#include "base/buf.h"
#include "base/err.h"

enum user_data_format {
	USER_DATA_NONE, /* no host key is put into it */
	USER_DATA_NIXOS,
	USER_DATA_CLOUD_INIT,
};

#define USER_DATA_FORMATS "auto, nixos, cloud-init, none" /* the words for it in a target's block */

/* What an image of EC2 reads, by its name ("nixos-25.11", "ssm:/…"); NONE: that cannot be told.  May be NULL. */
enum user_data_format user_data_of_image(const char *name);
/* Whether it sets host keys of its own, which nothing is put beside. */
bool user_data_sets_keys(const char *given);
/* Where the word is "auto": by what the image reads, and by how the user's own begins; NONE if they do not fit
 * together, or say nothing.  given may be NULL, as above and below. */
enum user_data_format user_data_format(const char *word, enum user_data_format image, const char *given);

struct user_data_key {
	struct str private;	/* as OpenSSH writes it, lines */
	struct str public;	/* "ssh-ed25519 AAAA…" */
	struct str certificate; /* cloud-init only; empty: none */
};
/* The user's own with the key.  ERR_CONFIG: it cannot be, or is longer than max bytes. */
int user_data_compose(struct buf *b, enum user_data_format format, const char *given, const struct user_data_key *key,
		      size_t max, struct err *e) MUST_CHECK;

#endif
