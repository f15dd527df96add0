#include "base/num.h"

static bool digits(struct str s, unsigned base, uint64_t *out)
{
	uint64_t v = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		unsigned d = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
			     : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
			     : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
						    : 99;
		if (d >= base || __builtin_mul_overflow(v, (uint64_t)base, &v) ||
		    __builtin_add_overflow(v, (uint64_t)d, &v))
			return false;
	}
	*out = v;
	return true;
}

bool num_u64(struct str s, uint64_t *out)
{
	return digits(s, 10, out);
}

bool num_i64(struct str s, int64_t *out)
{
	bool minus = s.n > 0 && s.p[0] == '-';
	uint64_t v;

	if (minus) {
		s.p++;
		s.n--;
	}
	if (!digits(s, 10, &v) || v > (uint64_t)INT64_MAX + minus)
		return false;
	*out = minus ? (int64_t)(0 - v) : (int64_t)v;
	return true;
}

bool num_hex(struct str s, uint64_t *out)
{
	return digits(s, 16, out);
}

static size_t digit_run(struct str s)
{
	size_t n = 0;
	while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	return n;
}

bool num_duration(struct str s, int64_t *ms)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = {{"w", 604800000}, {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
	int64_t sum = 0;
	size_t from = 0;

	if (str_eq(s, "0")) {
		*ms = 0;
		return true;
	}
	if (s.n == 0)
		return false;
	while (s.n > 0) {
		size_t n = digit_run(s), letters = n;
		uint64_t v;
		if (!num_u64((struct str){s.p, n}, &v) || v > INT64_MAX)
			return false;
		struct str tenths = {s.p + n + 1, 0};
		if (n < s.n && s.p[n] == '.') {
			tenths.n = digit_run((struct str){tenths.p, s.n - n - 1});
			n = letters = n + 1 + tenths.n;
			if (tenths.n == 0)
				return false;
		}
		while (letters < s.n && (s.p[letters] < '0' || s.p[letters] > '9'))
			letters++;
		struct str unit = {s.p + n, letters - n};
		size_t u = from;
		while (u < ARRAY_LEN(units) && !str_eq(unit, units[u].name))
			u++;
		int64_t part;
		if (u == ARRAY_LEN(units) || __builtin_mul_overflow((int64_t)v, units[u].ms, &part) ||
		    __builtin_add_overflow(sum, part, &sum))
			return false;
		int64_t unit_ms = units[u].ms;
		for (part = 0; tenths.n > 0 && unit_ms > 0; tenths.p++, tenths.n--) {
			/* 604800000 has eight of them at most; what is left after that is less than a millisecond. */
			part += (tenths.p[0] - '0') * unit_ms / 10;
			unit_ms /= 10;
		}
		if (__builtin_add_overflow(sum, part, &sum))
			return false;
		from = u + 1;
		s.p += letters;
		s.n -= letters;
	}
	*ms = sum;
	return true;
}

bool num_size(struct str s, uint64_t *bytes)
{
	static const char letters[] = "KMGTP";
	size_t whole = digit_run(s);
	uint64_t v, frac = 0, scale = 1, unit = 1;

	if (!num_u64((struct str){s.p, whole}, &v))
		return false;
	s.p += whole;
	s.n -= whole;
	if (s.n > 1 && s.p[0] == '.') {
		struct str f = {s.p + 1, 0};
		f.n = digit_run((struct str){f.p, s.n - 1});
		if (f.n > 6 || !num_u64(f, &frac))
			return false;
		for (size_t i = 0; i < f.n; i++)
			scale *= 10;
		s.p += f.n + 1;
		s.n -= f.n + 1;
	}
	if (s.n > 0 && s.p[0] == ' ') {
		s.p++;
		s.n--;
	}
	if (s.n > 0 && !str_eq(s, "B")) {
		const char *l = memchr(letters, s.p[0], sizeof(letters) - 1);
		struct str rest = {s.p + 1, s.n - 1};
		if (l == NULL || !(rest.n == 0 || str_eq(rest, "iB") || str_eq(rest, "B")))
			return false;
		for (const char *k = letters; k <= l; k++)
			unit *= str_eq(rest, "B") ? 1000 : 1024;
	}
	uint64_t part;
	if (__builtin_mul_overflow(v, unit, &v) || __builtin_mul_overflow(frac, unit, &part) ||
	    __builtin_add_overflow(v, part / scale, &v))
		return false;
	*bytes = v;
	return true;
}

const char *num_show_bytes(uint64_t bytes, char *out)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
	double v = (double)bytes;
	size_t u = 0;

	while (v >= 1023.95 && u + 1 < ARRAY_LEN(units)) {
		v /= 1024;
		u++;
	}
	(void)snprintf(out, NUM_TEXT, u == 0 ? "%.0f %s" : "%.1f %s", v, units[u]);
	return out;
}

const char *num_show_duration(int64_t ms, char *out)
{
	int64_t s = ms / 1000, m = s / 60, h = m / 60, d = h / 24;

	if (ms < 1000)
		(void)snprintf(out, NUM_TEXT, "%d ms", (int)ms);
	else if (s < 10)
		(void)snprintf(out, NUM_TEXT, "%.1f s", (double)ms / 1000);
	else if (s < 120)
		(void)snprintf(out, NUM_TEXT, "%d s", (int)s);
	else if (m < 120)
		(void)snprintf(out, NUM_TEXT, "%d min", (int)m);
	else if (h < 48)
		(void)snprintf(out, NUM_TEXT, "%d h %d min", (int)h, (int)(m % 60));
	else
		(void)snprintf(out, NUM_TEXT, "%lld d %d h", (long long)d, (int)(h % 24));
	return out;
}
