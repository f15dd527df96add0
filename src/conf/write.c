/* The typed configuration back into a file. */
#include "conf/conf.h"
#include "conf/schema.h"

static void write_string(struct buf *b, const char *s)
{
	buf_putc(b, '"');
	for (; *s != '\0'; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			buf_printf(b, "\\u%04x", (unsigned)*s);
		else if ((*s == '$' || *s == '%') && s[1] == '{')
			buf_printf(b, "%c%c", *s, *s);
		else
			buf_printf(b, "%s%c", *s == '"' || *s == '\\' ? "\\" : "", *s);
	}
	buf_putc(b, '"');
}

static void write_field(struct buf *b, const struct field *f, const void *base)
{
	const char *at = (const char *)base + f->offset;
	const struct strings *list = (const struct strings *)(const void *)at;

	if ((f->type == FIELD_STRING && *(const char *const *)(const void *)at == NULL) ||
	    (f->type == FIELD_PORT && *(const int64_t *)(const void *)at == 0) ||
	    (f->type == FIELD_OPTION && *(const enum option *)(const void *)at == OPTION_UNSET))
		return;
	buf_printf(b, "%s = ", f->name);
	switch (f->type) {
	case FIELD_STRING:
		write_string(b, *(const char *const *)(const void *)at);
		break;
	case FIELD_BOOL:
		buf_puts(b, *(const bool *)at ? "true" : "false");
		break;
	case FIELD_OPTION:
		buf_puts(b, *(const enum option *)(const void *)at == OPTION_YES ? "true" : "false");
		break;
	case FIELD_INT:
	case FIELD_PORT:
		buf_printf(b, "%lld", (long long)*(const int64_t *)(const void *)at);
		break;
	case FIELD_DURATION:
		buf_printf(b, "\"%lldms\"", (long long)*(const int64_t *)(const void *)at);
		break;
	case FIELD_SIZE:
		buf_printf(b, "%llu", (unsigned long long)*(const uint64_t *)(const void *)at);
		break;
	case FIELD_STRINGS:
		buf_putc(b, '[');
		for (size_t i = 0; i < list->n; i++) {
			buf_puts(b, i == 0 ? "" : ", ");
			write_string(b, list->v[i]);
		}
		buf_putc(b, ']');
		break;
	case FIELD_MAP:
		buf_putc(b, '{');
		for (size_t i = 0; i < list->n; i++) {
			buf_puts(b, i == 0 ? "" : i % 2 == 1 ? " = " : ", ");
			write_string(b, list->v[i]);
		}
		buf_putc(b, '}');
		break;
	}
	buf_putc(b, '\n');
}

static void write_blocks(struct buf *b, const struct field_block *blocks, size_t n, const void *base)
{
	for (size_t k = 0; k < n; k++) {
		const struct field_block *f = &blocks[k];
		const struct field_items *items =
		    (const struct field_items *)(const void *)((const char *)base + f->offset);
		for (size_t i = 0; i < items->n; i++) {
			const char *item = (const char *)items->v + i * f->size;
			buf_printf(b, "%s%s", f->name, f->labelled ? " " : "");
			if (f->labelled)
				write_string(b, *(const char *const *)(const void *)item);
			buf_puts(b, " {\n");
			for (size_t m = 0; m < f->nfields; m++)
				write_field(b, &f->fields[m], item);
			write_blocks(b, f->blocks, f->nblocks, item);
			buf_puts(b, "}\n");
		}
	}
}

void conf_write_target(struct buf *b, const struct target *t, const struct target_kind *kind)
{
	buf_puts(b, "target ");
	write_string(b, t->name);
	buf_putc(b, ' ');
	write_string(b, t->kind);
	buf_puts(b, " {\n");
	for (size_t i = 0; i < target_schema.nfields; i++)
		write_field(b, &target_schema.fields[i], t);
	for (size_t i = 0; i < kind->nfields; i++)
		write_field(b, &kind->fields[i], t->settings);
	write_blocks(b, kind->blocks, kind->nblocks, t->settings);
	buf_puts(b, "ssh {\n");
	for (size_t i = 0; i < ssh_schema.nfields; i++)
		write_field(b, &ssh_schema.fields[i], &t->ssh);
	buf_puts(b, "}\n}\n");
}
