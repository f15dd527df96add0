#include "wire/files_text.h"

#include "base/num.h"

/* "INODE TYPE SIZE MTIME CTIME RIGHTS", and behind it the path, "./a/b". */
static bool file_of(struct str line, struct str path, struct arena *a, struct file *f)
{
	struct str inode = str_cut(&line, ' '), type = str_cut(&line, ' '), size = str_cut(&line, ' ');
	struct str modified = str_cut(&line, ' '), changed = str_cut(&line, ' ');

	if (!num_u64(inode, &f->inode) || !num_u64(size, &f->size) || type.n != 1 || modified.n == 0 ||
	    changed.n == 0 || line.n == 0 || path.n < 2 || path.p[0] != '.' || path.p[1] != '/')
		return false;
	f->type = type.p[0];
	f->modified = str_dup(a, modified);
	f->changed = str_dup(a, changed);
	f->rights = str_dup(a, line);
	f->path = arena_strndup(a, path.p + 1, path.n - 1);
	return true;
}

int files_parse(struct str out, struct arena *a, struct files *one, struct files *two, struct err *e)
{
	struct files *to = NULL;
	bool whole = false;

	while (out.n > 0) {
		/* A path has no NUL in it, and no path begins with '#'. */
		struct str line = str_cut(&out, '\0');
		if (str_starts(line, "#")) {
			to = str_eq(line, "#one") ? one : str_eq(line, "#two") ? two : NULL;
			whole = str_eq(line, "#end");
			continue;
		}
		struct str path = str_cut(&out, '\0');
		struct file f = {0};
		if (to == NULL || !file_of(line, path, a, &f)) {
			(void)err_set(e, ERR_CORRUPT, "cannot read what find printed");
			return err_hint(e, "this needs GNU find (findutils) on the archive");
		}
		*vec_add(to, a) = f;
	}
	return whole ? 0 : err_set(e, ERR_NET, "cannot list the files: the answer was cut off");
}
