/* Who may log in at the jump host, what may be opened, and how many may come. */
#include "test_conf.h"

#include "jump_walk.h"
#include "model/public_key.h"
#include "plan/jump_admit.h"
#include "wire/jump_brief.h"
#include "wire/ssh_cert.h"

/* One message a word: s service, n no means, o other means, k a key offered, K proven; + admitted, - turned away, ^
 * awake, v asleep; d direct, x another channel, c connected, f failed, e closed, r request, g listener gone.  After k
 * and K "user/client", after d "target:port". */
static struct jump_message parse(const char *word, char *room, size_t size)
{
	static const char letters[] = "snokK+-^vdxcferg";
	static const enum jump_message_kind meant[] = {
	    JUMP_SERVICE,     JUMP_TRY_NONE, JUMP_TRY_OTHER, JUMP_KEY_OFFERED,	JUMP_KEY_PROVEN,    JUMP_ADMITTED,
	    JUMP_TURNED_AWAY, JUMP_AWAKE,    JUMP_ASLEEP,    JUMP_DIRECT,	JUMP_OTHER_CHANNEL, JUMP_CONNECTED,
	    JUMP_FAILED,      JUMP_CLOSED,   JUMP_REQUEST,   JUMP_LISTENER_GONE};
	const struct jump_clients *all = jump_walk_clients();
	struct jump_message m = {.kind = meant[strchr(letters, word[0]) - letters], .text = room};

	(void)snprintf(room, size, "%s", word[1] == '\0' ? "why" : word + 1);
	if (m.kind == JUMP_DIRECT) {
		char *colon = strchr(room, ':');
		*colon = '\0';
		m.port = strtoll(colon + 1, NULL, 10);
	} else if (m.kind == JUMP_KEY_OFFERED || m.kind == JUMP_KEY_PROVEN) {
		char *slash = strchr(room, '/');
		*slash = '\0';
		for (size_t i = 0; i < all->n; i++)
			if (strcmp(all->v[i].name, slash + 1) == 0)
				m.client = &all->v[i];
	}
	return m;
}

/* Each message's answer: . nothing, n refused, y accepted, l the listener is asked, w woken, a asked for, ! over. */
static void tables(void **state)
{
	static const char answers[] = ".nylwa!";
	static const struct {
		const char *messages, *answers;
	} t[] = {
	    {"sssh-userauth njump kjump/me Kjump/me + darch:22 c e darch:22 f", "ynyly"
										"ay.a!"},
	    /* the name or the key tells the machine */
	    {"Karch/me + ^ darch:22", "lwya"},
	    {"Kjump/one + ^ dnas:22", "lwy!"},
	    {"Karch/one + v", "lw!"},
	    {"Kjump/jump + darch:80", "lya"},
	    {"Karch/jump + ^ darch:80", "lwya"},
	    {"Knas/me + ^ dnas:5000", "lwya"},
	    /* who is unknown */
	    {"kjump/ Kjump/", "nn"},
	    {"kroot/me", "n"},
	    {"knas/one Knas/one", "nn"},
	    {"Kjump/ Kjump/ Kjump/ Kjump/ Kjump/ Kjump/ Kjump/me", "nnnnn!."},
	    {"kjump/none Kjump/none", "nn"},
	    {"njump ojump ojump ojump ojump ojump ojump", "nnnnnn!"},
	    {"kjump/me karch/me", "y!"},
	    {"njump njump njump njump njump njump njump", "nnnnnn!"},
	    /* no room, or no machine */
	    {"Kjump/me - darch:22", "l!."},
	    {"Kjump/one + v darch:22", "lw!."},
	    /* what is not in its place */
	    {"darch:22 Kjump/me", "!."},
	    {"x", "!"},
	    {"r", "!"},
	    {"sssh-connection", "!"},
	    {"+ ^ c e f", "....."},
	    {"Kjump/me Kjump/me", "l!"},
	    {"Kjump/me darch:22", "l!"},
	    {"Kjump/me + Kjump/me", "ly!"},
	    {"Kjump/me + sssh-userauth", "ly!"},
	    /* refused where something would be lost, told where not */
	    {"Kjump/me + darch:22 dnas:22 c x darch:23 r f e x", "lyaay"
								 "nnnn.!"},
	    {"Kjump/me + darch:22 f", "lya!"},
	    {"Kjump/me + delsewhere:22", "ly!"},
	    {"Kjump/me + dnas:0", "ly!"},
	    {"Kjump/me + dnas:65536", "ly!"},
	    /* the listener goes */
	    {"g", "!"},
	    {"Kjump/me + g", "ly!"},
	    {"Kjump/me + darch:22 c g darch:22 e", "lyay.n!"},
	    {"Kjump/me + darch:22 darch:22 c g f e", "lyaay.n!"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct jump_walk w = {0};
		AUTO(arena) struct arena a = {0};
		struct str rest = str_of(t[i].messages);
		char got[64] = "", room[64];
		for (size_t n = 0; rest.n > 0; n++) {
			struct jump_message m = parse(str_dup(&a, str_cut(&rest, ' ')), room, sizeof(room));
			got[n] = answers[jump_walk_step(&w, &m).kind];
		}
		if (strcmp(got, t[i].answers) != 0)
			print_message("# %s\n", t[i].messages);
		assert_string_equal(got, t[i].answers);
	}
}

static void random_walks(void **state)
{
	uint32_t seed = 7;
	size_t in = 0, asked = 0;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		struct jump_walk w = {0};
		/* A good beginning now and then, or little would ever come behind it. */
		if (draw(&seed) % 2) {
			static const char *const good[] = {"Kjump/me", "+"};
			char room[64];
			for (size_t k = 0; k < ARRAY_LEN(good); k++) {
				struct jump_message m = parse(good[k], room, sizeof(room));
				(void)jump_walk_step(&w, &m);
			}
		}
		for (int k = 0; k < 60 && w.s.state != JUMP_OVER; k++) {
			uint8_t kind = (uint8_t)draw(&seed), more = (uint8_t)draw(&seed);
			/* A little of what makes it go on */
			struct jump_message m = draw(&seed) % 3 ? jump_walk_message(kind, more)
								: jump_walk_message(JUMP_DIRECT, more % 4 == 0 ? 1 : 0);
			asked += jump_walk_step(&w, &m).kind == JUMP_ASK;
		}
		in += w.in;
	}
	print_message("# %zu log-ins, %zu channels\n", in, asked);
	assert_true(in > 10000 && asked > 10000);
}

static void bounded(void **state)
{
	struct jump_walk w = {0};
	char room[64];
	struct jump_message prove = parse("Kjump/me", room, sizeof(room)), plus = {.kind = JUMP_ADMITTED, .text = ""};
	struct jump_message open = {.kind = JUMP_DIRECT, .text = "arch", .port = 22},
			    request = {.kind = JUMP_REQUEST, .text = ""};

	(void)state;
	(void)jump_walk_step(&w, &prove);
	(void)jump_walk_step(&w, &plus);
	for (unsigned i = 0; i < JUMP_CHANNELS; i++)
		assert_int_equal(jump_walk_step(&w, &open).kind, JUMP_ASK);
	assert_int_equal(jump_walk_step(&w, &open).kind, JUMP_REFUSE);
	for (unsigned i = 2; i < JUMP_REQUESTS; i++)
		assert_int_equal(jump_walk_step(&w, &request).kind, JUMP_REFUSE);
	assert_int_equal(jump_walk_step(&w, &request).kind, JUMP_DISCONNECT);
}

static void admitted(void **state)
{
	static struct jump_admit a;
	int64_t now = 1000;

	(void)state;
	for (unsigned i = 0; i < JUMP_STRANGERS_OF_ONE; i++)
		assert_null(jump_admit(&a, 1, 1000, now));
	assert_non_null(jump_admit(&a, 1, 1000, now));
	/* Others are served; who has logged in makes room. */
	assert_null(jump_admit(&a, 2, 1000, now));
	jump_admit_user(&a, 1);
	assert_null(jump_admit(&a, 1, 1000, now));
	for (unsigned i = 0; i < JUMP_STRANGERS_OF_ONE; i++)
		jump_admit_end(&a, 1, false);
	jump_admit_end(&a, 1, true);
	/* So many at once, and so many a minute */
	unsigned n = JUMP_STRANGERS_OF_ONE + 1;
	for (; jump_admit(&a, 1, 1000, now) == NULL; n++)
		jump_admit_end(&a, 1, false);
	assert_int_equal(n, JUMP_BURST);
	assert_non_null(jump_admit(&a, 1, 1000, now + 60000 / JUMP_PER_MINUTE - 1));
	assert_null(jump_admit(&a, 1, 1000, now + 60000 / JUMP_PER_MINUTE + 1));
	jump_admit_end(&a, 1, false);
	/* In all */
	jump_admit_end(&a, 2, false);
	for (unsigned i = 0; i < JUMP_STRANGERS; i++)
		assert_null(jump_admit(&a, 100 + i, 1000, now));
	assert_non_null(jump_admit(&a, 99, 1000, now));
	for (unsigned i = 0; i < JUMP_STRANGERS; i++)
		jump_admit_user(&a, 100 + i);
	assert_non_null(jump_admit(&a, 99, JUMP_STRANGERS, now));
	assert_null(jump_admit(&a, 99, JUMP_STRANGERS + 1, now));
	jump_admit_end(&a, 99, false);
	/* More addresses than are remembered: those without a connection are forgotten, the one seen longest ago first
	 */
	for (unsigned i = 0; i < 3 * JUMP_ADDRESSES; i++) {
		assert_null(jump_admit(&a, 10000 + i, 1000, now + i));
		jump_admit_end(&a, 10000 + i, false);
	}
	for (unsigned i = 0; i < JUMP_STRANGERS; i++)
		jump_admit_end(&a, 100 + i, true);
	assert_int_equal(a.strangers + a.users, 0);
	assert_int_equal(a.n, JUMP_ADDRESSES);
}

static void briefs(void **state)
{
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf b = {0};
	struct jump_brief in = {.host_key = "-----BEGIN\nx", .uid = 65534, .gid = 1, .clients = *jump_walk_clients()},
			  out;
	struct err e;

	(void)state;
	jump_brief_write(&b, &in);
	assert_int_equal(jump_brief_read(buf_str(&b), &a, &out, &e), 0);
	assert_string_equal(out.host_key, in.host_key);
	assert_int_equal(out.uid, 65534);
	assert_int_equal(out.clients.n, 4);
	assert_true(out.clients.v[2].plain && !out.clients.v[0].plain);
	assert_string_equal(out.clients.v[0].doors.v[1].target, "nas");
	assert_int_equal(out.clients.v[0].doors.v[0].port, 22);
	assert_int_equal(jump_brief_read(str_of("{}"), &a, &out, &e), -1);
	assert_int_equal(jump_brief_read(str_of("{\"host_key\":\"\",\"clients\":[{}]}"), &a, &out, &e), -1);
}

static void public_keys(void **state)
{
	static const char body[] = "AAAAC3NzaC1lZDI1NTE5AAAAIH3fFzOR7iYl2n8yD3pVYMFg3cYq2nA3QyN4wW7jUO0u";
	AUTO(arena) struct arena a = {0};
	const char *why;
	const char *key = arena_printf(&a, "ssh-ed25519 %s", body);
	const char *const bad[] = {"",
				   "ssh-ed25519",
				   "ssh-ed25519 AAAA",
				   "ssh-dss AAAAB3NzaC1kc3M=",
				   arena_printf(&a, "ssh-rsa %s", body),
				   arena_printf(&a, "ssh-ed25519 %s!", body),
				   arena_printf(&a, "ssh-ed25519 %.*s", 20, body),
				   arena_printf(&a, "command=\"x\" ssh-ed25519 %s", body),
				   "ssh-ed25519 AAAA=AAA"};

	(void)state;
	assert_string_equal(public_key_read(str_of(key), &a, &why), key);
	assert_string_equal(public_key_read(str_of(arena_printf(&a, " %s  me@here x \n", key)), &a, &why), key);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_null(public_key_read(str_of(bad[i]), &a, &why));
}

static void put_number(struct buf *b, int bytes, uint64_t n)
{
	while (bytes-- > 0)
		buf_putc(b, (char)(n >> (8 * bytes)));
}

static void put(struct buf *b, const char *bytes, size_t n)
{
	put_number(b, 4, n);
	buf_add(b, bytes, n);
}

static void put_text(struct buf *b, const char *text)
{
	put(b, text, strlen(text));
}

/* A list of texts with blanks between them, as one part; data: each is followed by one without content. */
static void put_list(struct buf *b, const char *words, bool data)
{
	AUTO(buf) struct buf list = {0};
	for (struct str rest = str_of(words); rest.n > 0;) {
		struct str word = str_cut(&rest, ' ');
		put(&list, word.p, word.n);
		if (data)
			put(&list, "", 0);
	}
	put(b, buf_text(&list), list.n);
}

static void make_cert(struct buf *b, uint64_t type, const char *principals, uint64_t after, uint64_t before,
		      const char *options, const char *extensions)
{
	put_text(b, "ssh-ed25519-cert-v01@openssh.com");
	put_text(b, "nonce");
	put_text(b, "the key");
	put_number(b, 8, 1);
	put_number(b, 4, type);
	put_text(b, "its id");
	put_list(b, principals, false);
	put_number(b, 8, after);
	put_number(b, 8, before);
	put_list(b, options, true);
	put_list(b, extensions, true);
	put_text(b, "");
	put_text(b, "the authority");
	put_text(b, "the signature");
}

#define PERMIT "permit-X11-forwarding permit-port-forwarding permit-pty"

static void certificates(void **state)
{
	static const struct {
		uint64_t type;
		const char *principals;
		uint64_t after, before;
		const char *options, *extensions, *fault;
	} t[] = {
	    {1, "me", 0, UINT64_MAX, "", PERMIT, NULL},
	    {1, "you me", 1000, 1001, "", PERMIT, NULL},
	    {2, "me", 0, UINT64_MAX, "", PERMIT, "it is not a user's"},
	    {0, "me", 0, UINT64_MAX, "", PERMIT, "it is not a user's"},
	    {1, "", 0, UINT64_MAX, "", PERMIT, "it names none of the principals"},
	    {1, "m mee ME", 0, UINT64_MAX, "", PERMIT, "it names none of the principals"},
	    {1, "me", 1001, UINT64_MAX, "", PERMIT, "it is not valid yet"},
	    {1, "me", UINT64_MAX, UINT64_MAX, "", PERMIT, "it is not valid yet"},
	    {1, "me", 0, 1000, "", PERMIT, "it is not valid any more"},
	    {1, "me", 0, 0, "", PERMIT, "it is not valid any more"},
	    {1, "me", 0, UINT64_MAX, "source-address", PERMIT, "it is restricted by an option"},
	    {1, "me", 0, UINT64_MAX, "force-command", PERMIT, "it is restricted by an option"},
	    {1, "me", 0, UINT64_MAX, "", "", "it does not permit forwarding"},
	    {1, "me", 0, UINT64_MAX, "", "permit-pty permit-port-forwardin", "it does not permit forwarding"},
	};
	static const char *names[] = {"me", "other"};
	const struct strings principals = {names, 2, 2};
	AUTO(arena) struct arena a = {0};
	struct ssh_cert c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		AUTO(buf) struct buf b = {0};
		make_cert(&b, t[i].type, t[i].principals, t[i].after, t[i].before, t[i].options, t[i].extensions);
		assert_true(ssh_cert_read(buf_str(&b), &a, &c));
		const char *fault = ssh_cert_fault(&c, &principals, 1000);
		if (t[i].fault == NULL)
			assert_null(fault);
		else
			assert_string_equal(fault, t[i].fault);
		assert_true(str_eq(c.authority, "the authority") && str_eq(c.signature, "the signature"));
		assert_int_equal(c.signed_part.n + 4 + strlen("the signature"), b.n);
		/* Cut anywhere, or longer, it is none. */
		for (size_t n = 0; n < b.n; n++)
			assert_false(ssh_cert_read((struct str){b.p, n}, &a, &c));
		buf_putc(&b, 'x');
		assert_false(ssh_cert_read(buf_str(&b), &a, &c));
	}
	struct str out;
	AUTO(buf) struct buf key = {0};
	put_text(&key, "ssh-ed25519");
	put(&key, "0123456789abcdef0123456789abcdef", 32);
	assert_true(ssh_ed25519_key(buf_str(&key), &out) && out.n == 32);
	assert_false(ssh_ed25519_signature(buf_str(&key), &out));
	assert_false(ssh_ed25519_key(str_of("x"), &out));
}

/* A key of another kind, as far as can be seen without computing. */
#define OTHER  "ssh-rsa AAAAB3NzaC1yc2EAAAABAQAAAAEB"
#define KEY    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH3fFzOR7iYl2n8yD3pVYMFg3cYq2nA3QyN4wW7jUO0u"
#define TARGET "target arch probe { s = \"x\" }\n"

static void server_blocks(void **state)
{
	static const char text[] =
	    TARGET "server {\n  listen = \":22\"\n  authorized_key = <<-EOF\n    " KEY " me\n  EOF\n}\n"
		   "client a {\n  key = \"" KEY "\"\n  allow = [\"arch\", \"arch:80\", \"arch:*\"]\n}\n";
	AUTO(arena) struct arena a = {0};
	struct config c;
	struct diags d;

	(void)state;
	assert_true(load(text, strlen(text), false, &a, &c, &d));
	assert_true(c.server.set);
	assert_string_equal(c.server.listen, ":22");
	assert_string_equal(c.server.user, "nobody");
	assert_int_equal(c.clients.n, 2);
	/* lazyssh's key: everywhere, at every port */
	assert_string_equal(c.clients.v[0].name, "jump");
	assert_string_equal(c.clients.v[0].keys.v[0], KEY);
	assert_true(c.clients.v[0].plain && !c.clients.v[1].plain);
	assert_true(jump_allowed(&c.clients.v[0], "arch", 8080));
	assert_int_equal(c.clients.v[1].doors.v[0].port, 22);
	assert_int_equal(c.clients.v[1].doors.v[1].port, 80);
	assert_int_equal(c.clients.v[1].doors.v[2].port, 0);
	wrong("server {}\n", "1:1: nobody may use this jump host");
	wrong(TARGET "server { listen = \"here\" }\nclient a {\nkey = \"" KEY "\"\nallow = []\n}",
	      "2:19: 'here' is no place to listen at");
	wrong(TARGET "server { listen = \"::1:22\" }\nclient a {\nkey = \"" KEY "\"\nallow = []\n}",
	      "2:19: '::1:22' is no place to listen at");
	wrong("client a {\nkey = \"ssh-ed25519 AAAA\"\nallow = []\n}", "2:7: this is not a public key: what follows");
	wrong("client a {\nkeys = [\"" KEY "\", \"x\"]\nallow = []\n}",
	      "2:93: this is not a public key: it must begin with the key's type");
	wrong("client a {\nkey = \"" KEY "\"\nprincipals = [\"x\"]\nallow = []\n}",
	      "3:14: 'principals' mean nothing without 'cert_authority'");
	wrong("client a {\ncert_authority = \"" OTHER "\"\nallow = []\n}",
	      "2:18: a certificate authority must be an ssh-ed25519 key");
	wrong("client a {\nallow = []\n}", "1:1: client 'a' has no key");
	wrong("client a {\nkeys_file = \"k\"\nallow = []\n}", "2:13: 'keys_file' must be a path that begins with '/'");
	wrong("client a {\nkeys_file = \"/k\"\n}", "1:1: 'allow' is missing");
	wrong("client a {\nkeys_file = \"/k\"\nallow = [\"arch\"]\n}", "3:10: there is no target 'arch'");
	wrong(TARGET "client a {\nkeys_file = \"/k\"\nallow = [\"arch:0\"]\n}", "4:10: 'arch:0' has no port");
	wrong(TARGET "client a {\nkeys_file = \"/k\"\nallow = [\"arch:ssh\"]\n}", "4:10: 'arch:ssh' has no port");
	wrong("client a {\nkeys_file = \"/k\"\nallow = []\nmax_connections = 0\n}",
	      "4:19: 'max_connections' is a number from 1 to 1000");
	wrong("client a {\nkeys_file = \"/k\"\nallow = []\n}\nclient a {\nkeys_file = \"/k\"\nallow = []\n}",
	      "5:1: a second client 'a'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tables),	    cmocka_unit_test(random_walks),  cmocka_unit_test(bounded),
	    cmocka_unit_test(admitted),	    cmocka_unit_test(briefs),	     cmocka_unit_test(public_keys),
	    cmocka_unit_test(certificates), cmocka_unit_test(server_blocks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
