/* The jump host: the server block and its clients. */
#include "base/num.h"
#include "conf/load.h"
#include "conf/schema.h"
#include "model/public_key.h"

enum { CONNECTIONS_MAX = 1000, SSH_PORT = 22 };

static void load_key(struct loading *l, const char *text, struct span at, struct strings *keys)
{
	const char *why = "", *key = public_key_read(str_of(text), l->a, &why);

	if (key != NULL)
		*vec_add(keys, l->a) = key;
	else
		diag_hint(l->d, diag_add(l->d, at, "this is not a public key: %s", why),
			  "copy the whole line of a file like ~/.ssh/id_ed25519.pub");
}

static void load_authority(struct loading *l, const struct body *body, const char *text, struct jump_client *out)
{
	struct span at = body_attr(body, "cert_authority")->value.at;
	struct strings keys = {0};

	load_key(l, text, at, &keys);
	out->authority = keys.n > 0 ? keys.v[0] : NULL;
	if (keys.n > 0 && strncmp(keys.v[0], "ssh-ed25519 ", 12) != 0)
		diag_hint(l->d, diag_add(l->d, at, "a certificate authority must be an ssh-ed25519 key here"),
			  "make one: ssh-keygen -t ed25519 -f ca");
}

static void check_path(struct loading *l, const struct body *body, const char *name, const char *path)
{
	if (path != NULL && path[0] != '/')
		(void)diag_add(l->d, body_attr(body, name)->value.at, "'%s' must be a path that begins with '/'", name);
}

static void check_connections(struct loading *l, const struct body *body, int64_t n)
{
	const struct attr *attr = body_attr(body, "max_connections");

	if (attr != NULL && (n < 1 || n > CONNECTIONS_MAX))
		(void)diag_add(l->d, attr->value.at, "'max_connections' is a number from 1 to %d", CONNECTIONS_MAX);
}

/* "target:port", "target", "target:*" */
static void load_door(struct loading *l, const char *text, struct span at, struct jump_doors *doors)
{
	struct str rest = str_of(text);
	const char *target = str_dup(l->a, str_cut(&rest, ':'));
	uint64_t port = SSH_PORT;

	if (strchr(text, ':') != NULL && !str_eq(rest, "*") && (!num_u64(rest, &port) || port < 1 || port > 65535))
		diag_hint(l->d, diag_add(l->d, at, "'%s' has no port that there is", text),
			  "\"%s:22\", or \"%s:*\" for all ports", target, target);
	(void)load_find_target(l, target, at);
	*vec_add(doors, l->a) = (struct jump_door){target, str_eq(rest, "*") ? 0 : (int64_t)port};
}

static const struct jump_client *client_named(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->clients.n; i++)
		if (strcmp(c->clients.v[i].name, name) == 0)
			return &c->clients.v[i];
	return NULL;
}

static void load_client(struct loading *l, const struct block *b)
{
	struct raw_client raw = {0};
	struct decode_part part = {client_schema.fields, client_schema.nfields, &raw};
	struct jump_client out = {.name = b->labels.v[0].text, .at = b->at};

	load_check_name(l, "client", &b->labels.v[0]);
	const struct jump_client *twin = client_named(l->out, out.name);
	if (twin != NULL)
		diag_add(l->d, b->at, "a second client '%s'", out.name)->first = twin->at;
	decode_attrs(&b->body, &client_schema, b->at, &part, 1, l->a, l->d);
	out.keys_file = raw.keys_file;
	out.max_connections = raw.max_connections;
	check_connections(l, &b->body, out.max_connections);
	check_path(l, &b->body, "keys_file", out.keys_file);
	if (raw.key != NULL)
		load_key(l, raw.key, body_attr(&b->body, "key")->value.at, &out.keys);
	for (size_t i = 0; i < raw.keys.n; i++)
		load_key(l, raw.keys.v[i], body_attr(&b->body, "keys")->value.items.v[i].at, &out.keys);
	if (raw.authority != NULL)
		load_authority(l, &b->body, raw.authority, &out);
	out.principals = raw.principals;
	if (raw.principals.n > 0 && raw.authority == NULL)
		(void)diag_add(l->d, body_attr(&b->body, "principals")->value.at,
			       "'principals' mean nothing without 'cert_authority'");
	if (raw.key == NULL && raw.keys.n == 0 && raw.keys_file == NULL && raw.authority == NULL)
		diag_hint(l->d, diag_add(l->d, b->at, "client '%s' has no key", out.name),
			  "give it one: key = \"ssh-ed25519 AAAA…\", or keys, keys_file, or cert_authority");
	for (size_t i = 0; i < raw.allow.n; i++)
		load_door(l, raw.allow.v[i], body_attr(&b->body, "allow")->value.items.v[i].at, &out.doors);
	*vec_add(&l->out->clients, l->a) = out;
}

/* "HOST:PORT", "[HOST]:PORT", ":PORT" */
static bool good_listen(const char *text)
{
	const char *colon = strrchr(text, ':');
	uint64_t port;

	if (colon == NULL || !num_u64(str_of(colon + 1), &port) || port > 65535)
		return false;
	return text[0] == '[' ? colon[-1] == ']' : memchr(text, ':', (size_t)(colon - text)) == NULL;
}

/* lazyssh's one key: every port of every target. */
static void load_authorized(struct loading *l, const struct body *body, const char *text)
{
	struct jump_client c = {.name = "jump", .max_connections = CONNECTIONS_MAX, .plain = true};

	load_key(l, text, body_attr(body, "authorized_key")->value.at, &c.keys);
	for (size_t i = 0; i < l->out->targets.n; i++)
		*vec_add(&c.doors, l->a) = (struct jump_door){l->out->targets.v[i].name, 0};
	*vec_add(&l->out->clients, l->a) = c;
}

static void load_server(struct loading *l, const struct block *b)
{
	struct raw_server raw = {0};
	struct decode_part part = {server_schema.fields, server_schema.nfields, &raw};
	const struct attr *attr;

	decode_attrs(&b->body, &server_schema, b->at, &part, 1, l->a, l->d);
	l->out->server = raw.server;
	l->out->server.set = true;
	l->out->server.at = b->at;
	check_connections(l, &b->body, raw.server.max_connections);
	check_path(l, &b->body, "host_key_file", raw.server.host_key_file);
	if ((attr = body_attr(&b->body, "listen")) != NULL && raw.server.listen != NULL &&
	    !good_listen(raw.server.listen))
		diag_hint(l->d, diag_add(l->d, attr->value.at, "'%s' is no place to listen at", raw.server.listen),
			  "\"localhost:7922\", \"[::1]:7922\", or \":7922\" for all addresses");
	if (raw.server.host_key != NULL && raw.server.host_key_file != NULL)
		(void)diag_add(l->d, body_attr(&b->body, "host_key_file")->value.at,
			       "'host_key' and 'host_key_file' are two host keys; leave one out");
	if (raw.authorized_key != NULL)
		load_authorized(l, &b->body, raw.authorized_key);
}

void load_jump(struct loading *l, const struct body *root)
{
	const struct block *server = load_only_block(l, root, "server", "the file");

	if (server != NULL)
		load_server(l, server);
	for (size_t i = 0; i < root->blocks.n; i++)
		if (strcmp(root->blocks.v[i].type, "client") == 0 && root->blocks.v[i].labels.n == 1)
			load_client(l, &root->blocks.v[i]);
	if (server != NULL && l->out->clients.n == 0)
		diag_hint(l->d, diag_add(l->d, server->at, "nobody may use this jump host"),
			  "add a block: client \"NAME\" { key = \"ssh-ed25519 AAAA…\"  allow = [\"TARGET:22\"] }");
}
