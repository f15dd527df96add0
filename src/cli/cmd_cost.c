/* cost: what the targets cost in a month, by list prices and by how long their machines were on. */
#include "cli/applying.h"
#include "engine/bill.h"
#include "plan/cost_plan.h"
#include "provider/registry.h"

static void show(const struct target *t, const struct bill *b)
{
	char text[MONEY_TEXT];

	(void)printf("target '%s': about %s a month%s\n", t->name, money_show(b->list, b->micros, text),
		     b->unknown ? ", and what has no price here" : "");
	for (size_t i = 0; i < b->items.n; i++) {
		const struct cost_item *item = &b->items.v[i];
		(void)printf("  %-16s %-44s %10s\n", item->what, item->basis,
			     item->unknown ? "?" : money_show(b->list, item->micros, text));
	}
	(void)printf("  by the list prices of %s in %s\n", b->list->date, b->list->place);
	if (b->unseen > 0)
		(void)printf("  not counted: %lld more start%s, whose end has not been seen\n", (long long)b->unseen,
			     b->unseen == 1 ? "" : "s");
}

static json_t *as_json(const struct target *t, const struct bill *b)
{
	json_t *j = json_object(), *items = json_array();

	(void)json_object_set_new(j, "target", json_any(t->name));
	(void)json_object_set_new(j, "micros", json_integer(b->micros));
	json_put_text(j, "currency", b->list->currency);
	json_put_text(j, "prices_of", b->list->date);
	json_put_text(j, "prices_in", b->list->place);
	(void)json_object_set_new(j, "whole", json_boolean(!b->unknown && b->unseen == 0));
	(void)json_object_set_new(j, "days", json_integer(b->days));
	for (size_t i = 0; i < b->items.n; i++) {
		const struct cost_item *item = &b->items.v[i];
		json_t *k = json_object();
		json_put_text(k, "what", item->what);
		json_put_text(k, "basis", item->basis);
		if (!item->unknown)
			(void)json_object_set_new(k, "micros", json_integer(item->micros));
		(void)json_array_append_new(items, k);
	}
	(void)json_object_set_new(j, "items", items);
	return j;
}

static int all(struct cli *c, bool online, struct err *e)
{
	AUTO(json) json_t *list = json_array();
	AUTO(control) struct control link = CONTROL_INIT;
	bool told = false;

	for (size_t i = 0; i < c->config.targets.n; i++) {
		const struct target *t = &c->config.targets.v[i];
		const struct target_kind *kind = &provider_find(t->kind)->kind;
		struct bill b;
		if (!works_chosen(c, t->name) || kind->cost == NULL)
			continue;
		struct setup setup = works_setup(c, t);
		struct price_list asked;
		if ((online && setup_prices(&setup, &asked, e) < 0) ||
		    bill_make(&c->paths, &link, t, kind, online ? &asked : kind->prices, &c->arena, &b, e) < 0)
			return -1;
		told = true;
		if (c->json)
			(void)json_array_append_new(list, as_json(t, &b));
		else
			show(t, &b);
	}
	if (!told) {
		(void)err_set(e, ERR_USAGE, "no target there has prices");
		return err_hint(e, "those of kinds aws_ec2 and hcloud do");
	}
	if (c->json)
		cli_print_json(list);
	else
		(void)printf(
		    "Without tax; what a region asks may differ, and what is sent out of it may cost more. The "
		    "bill is what\ncounts.\n");
	return 0;
}

int cmd_cost(int argc, char **argv)
{
	struct cli c;
	struct err e;
	bool online = false;
	const struct cli_option own[] = {{"--online", &online, NULL}};
	int rc = cli_start(&c, argc, argv,
			   "usage: dormouse cost [TARGET…] [--online] [--json] [-c FILE]\n"
			   "What targets cost in a month: the volumes that stay, and machines, if they go on being on "
			   "for as long as in the last 30 days.  With --online, by what their providers ask today.",
			   own, ARRAY_LEN(own));

	if (rc >= 0)
		return rc;
	rc = works_named(&c, &e) < 0 || all(&c, online, &e) < 0 ? cli_fail(&c, &e) : EXIT_DONE;
	cli_end(&c);
	return rc;
}
