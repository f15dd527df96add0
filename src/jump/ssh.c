/* libssh marks what its message queue is read with as deprecated, without giving another way to answer later. */
#define SSH_SUPPRESS_DEPRECATED
#include "jump/ssh.h"

#include <openssl/evp.h>

#include "model/public_key.h"
#include "sys/clock.h"
#include "wire/ssh_cert.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

/* Without what needs a file of its own (group exchange), or is weak. */
#define KEY_EXCHANGE                                                                                         \
	"mlkem768x25519-sha256,sntrup761x25519-sha512,sntrup761x25519-sha512@openssh.com,curve25519-sha256," \
	"curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,"             \
	"diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,diffie-hellman-group14-sha256"

void ssh_entries_read(const struct jump_clients *clients, struct arena *a, struct ssh_entries *out)
{
	for (size_t i = 0; i < clients->n; i++) {
		const struct jump_client *c = &clients->v[i];
		for (size_t k = 0; k < c->keys.n; k++) {
			struct str rest = str_of(c->keys.v[k]);
			const char *type = str_dup(a, str_cut(&rest, ' '));
			ssh_key key;
			if (ssh_pki_import_pubkey_base64(rest.p, ssh_key_type_from_name(type), &key) == SSH_OK)
				*vec_add(out, a) = (struct ssh_entry){key, {0}, c};
		}
		struct str rest = str_of(c->authority == NULL ? "" : c->authority), blob;
		(void)str_cut(&rest, ' ');
		if (c->authority != NULL && public_key_bytes(rest, a, &blob))
			*vec_add(out, a) = (struct ssh_entry){NULL, blob, c};
	}
}

int ssh_serve(const char *host_key, int fd, ssh_session *out, struct err *e)
{
	bool no = false;
	ssh_key key = NULL;
	ssh_bind b = ssh_bind_new();
	ssh_session s = ssh_new();

	if (b == NULL || s == NULL)
		abort();
	/* /etc/libssh belongs to others; compression is a way to make us work for nothing. */
	if (ssh_pki_import_privkey_base64(host_key, NULL, NULL, NULL, &key) != SSH_OK ||
	    ssh_bind_options_set(b, SSH_BIND_OPTIONS_PROCESS_CONFIG, &no) < 0 ||
	    ssh_bind_options_set(b, SSH_BIND_OPTIONS_IMPORT_KEY, key) < 0 ||
	    ssh_bind_options_set(b, SSH_BIND_OPTIONS_KEY_EXCHANGE, KEY_EXCHANGE) < 0 ||
	    ssh_options_set(s, SSH_OPTIONS_COMPRESSION_C_S, "none") < 0 ||
	    ssh_options_set(s, SSH_OPTIONS_COMPRESSION_S_C, "none") < 0 || ssh_bind_accept_fd(b, s, fd) != SSH_OK)
		return err_set(e, ERR_SYSTEM, "cannot begin to speak SSH: %s%s", ssh_get_error(b), ssh_get_error(s));
	ssh_bind_free(b);
	ssh_set_auth_methods(s, SSH_AUTH_METHOD_PUBLICKEY);
	ssh_set_blocking(s, 0);
	*out = s;
	return 0;
}

/* Did the authority sign it? */
static bool is_signed(const struct ssh_cert *c)
{
	struct str key, signature;

	if (!ssh_ed25519_key(c->authority, &key) || !ssh_ed25519_signature(c->signature, &signature))
		return false;
	EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (const unsigned char *)key.p, key.n);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = pkey != NULL && ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
		    EVP_DigestVerify(ctx, (const unsigned char *)signature.p, signature.n,
				     (const unsigned char *)c->signed_part.p, c->signed_part.n) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return good;
}

/* libssh has only seen that whoever logs in has the key of the certificate; all else is seen here. */
static const struct jump_client *certified(ssh_key key, const struct ssh_entries *entries)
{
	AUTO(arena) struct arena a = {0};
	const struct jump_client *found = NULL;
	char *text = NULL;
	struct str blob;
	struct ssh_cert cert;

	bool whole = ssh_pki_export_pubkey_base64(key, &text) == SSH_OK && public_key_bytes(str_of(text), &a, &blob) &&
		     ssh_cert_read(blob, &a, &cert);
	ssh_string_free_char(text);
	for (size_t i = 0; whole && i < entries->n && found == NULL; i++) {
		const struct ssh_entry *e = &entries->v[i];
		struct strings own = e->client->principals;
		if (e->key != NULL || e->authority.n != cert.authority.n ||
		    memcmp(e->authority.p, cert.authority.p, cert.authority.n) != 0)
			continue;
		if (own.n == 0)
			own = (struct strings){(const char **)(uintptr_t)&e->client->name, 1, 1};
		if (ssh_cert_fault(&cert, &own, clock_unix_s()) == NULL && is_signed(&cert))
			found = e->client;
	}
	return found;
}

static const struct jump_client *owner(ssh_key key, const struct ssh_entries *entries)
{
	const struct jump_client *found = NULL;

	if (key != NULL && strstr(ssh_key_type_to_char(ssh_key_type(key)), "-cert-v01@") != NULL)
		return certified(key, entries);
	/* All of them, so that it takes as long for a key that is known. */
	for (size_t i = 0; key != NULL && i < entries->n; i++)
		if (entries->v[i].key != NULL && ssh_key_cmp(key, entries->v[i].key, SSH_KEY_CMP_PUBLIC) == 0 &&
		    found == NULL)
			found = entries->v[i].client;
	return found;
}

static struct jump_message read_login(ssh_message m, const struct ssh_entries *entries)
{
	const char *user = ssh_message_auth_user(m);
	struct jump_message out = {.text = user == NULL ? "" : user};
	bool proven = ssh_message_auth_publickey_state(m) == SSH_PUBLICKEY_STATE_VALID;

	switch (ssh_message_subtype(m)) {
	case SSH_AUTH_METHOD_NONE:
		out.kind = JUMP_TRY_NONE;
		break;
	case SSH_AUTH_METHOD_PUBLICKEY:
		if (!proven && ssh_message_auth_publickey_state(m) != SSH_PUBLICKEY_STATE_NONE) {
			out.kind = JUMP_TRY_OTHER;
			break;
		}
		out.kind = proven ? JUMP_KEY_PROVEN : JUMP_KEY_OFFERED;
		out.client = owner(ssh_message_auth_pubkey(m), entries);
		break;
	default:
		out.kind = JUMP_TRY_OTHER;
	}
	return out;
}

struct jump_message ssh_read(ssh_message m, const struct ssh_entries *entries)
{
	const char *text;

	switch (ssh_message_type(m)) {
	case SSH_REQUEST_AUTH:
		return read_login(m, entries);
	case SSH_REQUEST_SERVICE:
		text = ssh_message_service_service(m);
		return (struct jump_message){.kind = JUMP_SERVICE, .text = text == NULL ? "" : text};
	case SSH_REQUEST_CHANNEL_OPEN:
		text = ssh_message_channel_request_open_destination(m);
		if (ssh_message_subtype(m) != SSH_CHANNEL_DIRECT_TCPIP || text == NULL)
			return (struct jump_message){.kind = JUMP_OTHER_CHANNEL, .text = ""};
		return (struct jump_message){
		    .kind = JUMP_DIRECT, .text = text, .port = ssh_message_channel_request_open_destination_port(m)};
	default: /* of a channel, or global */
		return (struct jump_message){.kind = JUMP_REQUEST, .text = ""};
	}
}

void ssh_accept_message(ssh_message m)
{
	if (ssh_message_type(m) == SSH_REQUEST_SERVICE)
		(void)ssh_message_service_reply_success(m);
	else if (ssh_message_auth_publickey_state(m) == SSH_PUBLICKEY_STATE_VALID)
		(void)ssh_message_auth_reply_success(m, 0);
	else
		(void)ssh_message_auth_reply_pk_ok_simple(m);
}

void ssh_refuse_message(ssh_message m)
{
	(void)ssh_message_reply_default(m);
}

void ssh_tell(ssh_session s, const char *text)
{
	ssh_string line = ssh_string_from_char(text);

	if (line != NULL)
		(void)ssh_send_issue_banner(s, line);
	ssh_string_free(line);
}

const char *ssh_host_key_public(const char *host_key, struct arena *a)
{
	ssh_key key = NULL, public = NULL;
	char *text = NULL;
	const char *line = NULL;

	if (ssh_pki_import_privkey_base64(host_key, NULL, NULL, NULL, &key) != SSH_OK)
		return NULL;
	if (ssh_pki_export_privkey_to_pubkey(key, &public) == SSH_OK &&
	    ssh_pki_export_pubkey_base64(public, &text) == SSH_OK)
		line = arena_printf(a, "%s %s", ssh_key_type_to_char(ssh_key_type(key)), text);
	ssh_string_free_char(text);
	ssh_key_free(public);
	ssh_key_free(key);
	return line;
}

const char *ssh_host_key_make(struct arena *a)
{
	ssh_key key = NULL;
	char *text = NULL;
	const char *out = NULL;

	if (ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &key) == SSH_OK &&
	    ssh_pki_export_privkey_base64(key, NULL, NULL, NULL, &text) == SSH_OK)
		out = arena_strdup(a, text);
	ssh_string_free_char(text);
	ssh_key_free(key);
	return out;
}
