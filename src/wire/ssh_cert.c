#include "wire/ssh_cert.h"

enum { USER = 1, PRINCIPALS_MAX = 256 };

/* How many parts of a certificate are the key itself, by its kind. */
static const struct {
	const char *name;
	int parts;
} kinds[] = {
    {"ssh-ed25519-cert-v01@openssh.com", 1},
    {"ssh-rsa-cert-v01@openssh.com", 2},
    {"ecdsa-sha2-nistp256-cert-v01@openssh.com", 2},
    {"ecdsa-sha2-nistp384-cert-v01@openssh.com", 2},
    {"ecdsa-sha2-nistp521-cert-v01@openssh.com", 2},
    {"sk-ssh-ed25519-cert-v01@openssh.com", 2},
    {"sk-ecdsa-sha2-nistp256-cert-v01@openssh.com", 3},
};

static bool number(struct str *s, size_t bytes, uint64_t *out)
{
	*out = 0;
	if (s->n < bytes)
		return false;
	for (size_t i = 0; i < bytes; i++)
		*out = *out << 8 | (unsigned char)s->p[i];
	*s = (struct str){s->p + bytes, s->n - bytes};
	return true;
}

/* A part with its length in front. */
static bool part(struct str *s, struct str *out)
{
	uint64_t n;

	if (!number(s, 4, &n) || n > s->n)
		return false;
	*out = (struct str){s->p, (size_t)n};
	*s = (struct str){s->p + n, s->n - n};
	return true;
}

static bool read_principals(struct str list, struct arena *a, struct strings *out)
{
	struct str one;

	while (list.n > 0) {
		if (!part(&list, &one) || one.n == 0 || memchr(one.p, '\0', one.n) != NULL || out->n == PRINCIPALS_MAX)
			return false;
		*vec_add(out, a) = str_dup(a, one);
	}
	return true;
}

bool ssh_cert_read(struct str blob, struct arena *a, struct ssh_cert *c)
{
	struct str s = blob, kind, skip, principals;
	uint64_t serial, type;
	size_t k = 0;

	*c = (struct ssh_cert){0};
	if (!part(&s, &kind))
		return false;
	while (k < ARRAY_LEN(kinds) && !str_eq(kind, kinds[k].name))
		k++;
	if (k == ARRAY_LEN(kinds) || !part(&s, &skip)) /* the nonce */
		return false;
	for (int i = 0; i < kinds[k].parts; i++)
		if (!part(&s, &skip))
			return false;
	if (!number(&s, 8, &serial) || !number(&s, 4, &type) || !part(&s, &skip) || !part(&s, &principals) ||
	    !read_principals(principals, a, &c->principals) || !number(&s, 8, &c->after) ||
	    !number(&s, 8, &c->before) || !part(&s, &c->options) || !part(&s, &c->extensions) || !part(&s, &skip) ||
	    !part(&s, &c->authority))
		return false;
	c->type = (uint32_t)type;
	c->signed_part = (struct str){blob.p, blob.n - s.n};
	return part(&s, &c->signature) && s.n == 0;
}

/* Whether a list of pairs has one of that name; *whole: it could be read to its end. */
static bool has(struct str pairs, const char *name, bool *whole)
{
	struct str one, data;
	bool found = false;

	*whole = true;
	while (pairs.n > 0) {
		if (!part(&pairs, &one) || !part(&pairs, &data)) {
			*whole = false;
			return false;
		}
		found |= str_eq(one, name);
	}
	return found;
}

const char *ssh_cert_fault(const struct ssh_cert *c, const struct strings *principals, int64_t now)
{
	bool named = false, whole;

	if (c->type != USER)
		return "it is not a user's";
	if (now < 0 || (uint64_t)now < c->after)
		return "it is not valid yet";
	if ((uint64_t)now >= c->before)
		return "it is not valid any more";
	/* One that names nobody would be anybody's. */
	for (size_t i = 0; i < c->principals.n; i++)
		for (size_t k = 0; k < principals->n; k++)
			named |= strcmp(c->principals.v[i], principals->v[k]) == 0;
	if (!named)
		return "it names none of the principals";
	if (c->options.n > 0)
		return "it is restricted by an option";
	if (!has(c->extensions, "permit-port-forwarding", &whole) || !whole)
		return "it does not permit forwarding";
	return NULL;
}

static bool ed25519(struct str blob, size_t n, struct str *out)
{
	struct str kind;

	return part(&blob, &kind) && str_eq(kind, "ssh-ed25519") && part(&blob, out) && out->n == n && blob.n == 0;
}

bool ssh_ed25519_key(struct str blob, struct str *out)
{
	return ed25519(blob, 32, out);
}

bool ssh_ed25519_signature(struct str blob, struct str *out)
{
	return ed25519(blob, 64, out);
}
