#include "model/public_key.h"

static const char *const types[] = {
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
};

static int digit(char c)
{
	static const char all[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c == '\0' ? NULL : strchr(all, c);

	return at == NULL ? -1 : (int)(at - all);
}

/* The bytes that a base64 text stands for; out has room for them.  -1: it is none. */
static int decode(struct str text, unsigned char *out)
{
	unsigned bits = 0;
	size_t have = 0, n = 0, end = text.n;

	while (end > 0 && text.n - end < 2 && text.p[end - 1] == '=')
		end--;
	if (text.n == 0 || text.n % 4 != 0)
		return -1;
	for (size_t i = 0; i < end; i++) {
		int d = digit(text.p[i]);
		if (d < 0)
			return -1;
		bits = (bits << 6 | (unsigned)d) & 0xffffff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[n++] = (unsigned char)(bits >> have);
		}
	}
	return (int)n;
}

/* A key is its type and then one or more parts, each with its length in four bytes in front. */
static bool is_key(const unsigned char *p, size_t n, const char *type)
{
	size_t parts = 0;

	while (n >= 4) {
		size_t len = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
		if (len > n - 4 || (parts == 0 && (len != strlen(type) || memcmp(p + 4, type, len) != 0)))
			return false;
		p += 4 + len;
		n -= 4 + len;
		parts++;
	}
	return n == 0 && parts > 1;
}

bool public_key_bytes(struct str base64, struct arena *a, struct str *out)
{
	unsigned char *bytes = base64.n > PUBLIC_KEY_MAX ? NULL : arena_alloc(a, base64.n + 1);
	int n = bytes == NULL ? -1 : decode(base64, bytes);

	*out = (struct str){(const char *)bytes, n < 0 ? 0 : (size_t)n};
	return n >= 0;
}

const char *public_key_read(struct str line, struct arena *a, const char **why)
{
	struct str rest = str_trim(line), type = str_cut(&rest, ' '), body;
	struct str bytes;
	size_t i = 0;

	rest = str_trim(rest);
	body = str_cut(&rest, ' ');
	while (i < ARRAY_LEN(types) && !str_eq(type, types[i]))
		i++;
	if (i == ARRAY_LEN(types)) {
		*why = "it must begin with the key's type, like ssh-ed25519";
		return NULL;
	}
	if (!public_key_bytes(body, a, &bytes) || !is_key((const unsigned char *)bytes.p, bytes.n, types[i])) {
		*why = "what follows the type is not a key of that type";
		return NULL;
	}
	return arena_printf(a, "%s %.*s", types[i], (int)body.n, body.p);
}
