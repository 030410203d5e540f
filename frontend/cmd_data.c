/* The verb `data`: what is in a data set, as tables, JSON or a picture.
 * Not a change to it. */
#include "commands.h"

#include "../runtime/data/draw.h"

#include <jansson.h>
#include <math.h>
#include <popt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sequences or segments that share a name. */
typedef struct group {
    const char *name, *origin; /* origin: of labels only */
    size_t count, frames, joints;
    double seconds, shortest, longest, fps; /* fps 0: several */
} group;

typedef struct groups {
    group *item;
    size_t count;
} groups;

typedef struct summary {
    const char *path;
    const sn_rt_dataset *set;
    groups sources, splits, labels;
    size_t frames;
    double seconds;
    double low[3], high[3]; /* metres, over all joints */
} summary;

/* The group of that name; `items` has room for one more. */
static group *group_of(groups *list, const char *name, const char *origin)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->item[i].name, name) == 0 && strcmp(list->item[i].origin, origin) == 0)
            return &list->item[i];
    list->item[list->count] = (group){.name = name, .origin = origin, .shortest = INFINITY};
    return &list->item[list->count++];
}

static void count_in(group *g, size_t frames, double fps, size_t joints)
{
    double seconds = (double)frames / fps;
    g->fps = g->count == 0 || g->fps == fps ? fps : 0;
    g->count++;
    g->frames += frames;
    g->seconds += seconds;
    g->shortest = fmin(g->shortest, seconds);
    g->longest = fmax(g->longest, seconds);
    g->joints = joints;
}

static void count_ranges(summary *s, const sn_rt_sequence *q)
{
    for (size_t i = 0; i < q->persons * q->frames * q->joints * 3; i++) {
        s->low[i % 3] = fmin(s->low[i % 3], (double)q->x[i]);
        s->high[i % 3] = fmax(s->high[i % 3], (double)q->x[i]);
    }
}

static int summarise(summary *s)
{
    size_t count = sn_rt_dataset_count(s->set), segments = 0;
    for (size_t i = 0; i < count; i++)
        segments += sn_rt_dataset_at(s->set, i)->segments;
    s->sources.item = calloc(count + 1, sizeof(group));
    s->splits.item = calloc(count + 1, sizeof(group));
    s->labels.item = calloc(segments + 1, sizeof(group));
    if (!s->sources.item || !s->splits.item || !s->labels.item)
        return -1;
    for (int c = 0; c < 3; c++) {
        s->low[c] = INFINITY;
        s->high[c] = -INFINITY;
    }
    for (size_t i = 0; i < count; i++) {
        const sn_rt_sequence *q = sn_rt_dataset_at(s->set, i);
        count_in(group_of(&s->sources, q->source, ""), q->frames, q->fps, q->joints);
        count_in(group_of(&s->splits, q->split, ""), q->frames, q->fps, q->joints);
        for (size_t k = 0; k < q->segments; k++) {
            const sn_rt_segment *g = &q->segment[k];
            count_in(group_of(&s->labels, sn_rt_dataset_label_name(s->set, g->label),
                              sn_rt_dataset_origin_name(s->set, g->origin)),
                     g->end - g->start, q->fps, q->joints);
        }
        s->frames += q->frames;
        s->seconds += (double)q->frames / q->fps;
        count_ranges(s, q);
    }
    return 0;
}

static void print_groups(const char *title, const groups *list, const char *unit)
{
    if (!list->count)
        return;
    printf("\n%-28s %9s %9s %9s %9s %9s\n", title, unit, "minutes", "frames", "least s", "most s");
    for (size_t i = 0; i < list->count; i++) {
        const group *g = &list->item[i];
        char name[80];
        snprintf(name, sizeof name, "%s%s%s%s", g->name, *g->origin ? " (" : "", g->origin, *g->origin ? ")" : "");
        printf("%-28s %9zu %9.2f %9zu %9.2f %9.2f", name, g->count, g->seconds / 60, g->frames, g->shortest, g->longest);
        if (strcmp(unit, "sequences") == 0 && strcmp(title, "source") == 0) {
            printf("   %zu joints", g->joints);
            if (g->fps > 0)
                printf(", %g Hz", g->fps);
        }
        putchar('\n');
    }
}

static void print_sequence(const summary *s, size_t at)
{
    const sn_rt_sequence *q = sn_rt_dataset_at(s->set, at);
    printf("\nsequence %s: %s, from %s, %s, %zu person%s of %zu joints, %zu frames at %g Hz (%.2f s); source %g Hz from its frame %llu on\n",
           q->id, q->source, q->file, q->split, q->persons, q->persons == 1 ? "" : "s", q->joints, q->frames, q->fps, (double)q->frames / q->fps, q->source_fps,
           (unsigned long long)q->source_first);
    for (size_t i = 0; i < q->segments; i++) {
        const sn_rt_segment *g = &q->segment[i];
        printf("  %7u .. %-7u %8.2f .. %-8.2f s  %s (%s)\n", g->start, g->end, g->start / q->fps, g->end / q->fps,
               sn_rt_dataset_label_name(s->set, g->label), sn_rt_dataset_origin_name(s->set, g->origin));
    }
}

static void print_list(const summary *s)
{
    printf("\n%-32s %-14s %-9s %9s %7s %8s %9s\n", "id", "source", "split", "frames", "Hz", "seconds", "segments");
    for (size_t i = 0; i < sn_rt_dataset_count(s->set); i++) {
        const sn_rt_sequence *q = sn_rt_dataset_at(s->set, i);
        printf("%-32s %-14s %-9s %9zu %7g %8.2f %9zu\n", q->id, q->source, q->split, q->frames, q->fps,
               (double)q->frames / q->fps, q->segments);
    }
}

static void print_tables(const summary *s)
{
    printf("%s: layout %s, %zu sequences, %zu frames, %.2f minutes\n", s->path, sn_rt_dataset_layout(s->set),
           sn_rt_dataset_count(s->set), s->frames, s->seconds / 60);
    if (s->frames)
        printf("range in metres: x %.2f .. %.2f, y %.2f .. %.2f, z %.2f .. %.2f\n", s->low[0], s->high[0], s->low[1],
               s->high[1], s->low[2], s->high[2]);
    print_groups("source", &s->sources, "sequences");
    print_groups("split", &s->splits, "sequences");
    print_groups("label (by whom)", &s->labels, "segments");
}

static json_t *groups_json(const groups *list, const char *unit)
{
    json_t *out = json_array();
    for (size_t i = 0; i < list->count; i++) {
        const group *g = &list->item[i];
        json_t *row = json_pack("{s:s, s:I, s:I, s:f, s:f, s:f}", "name", g->name, unit, (json_int_t)g->count, "frames",
                                (json_int_t)g->frames, "seconds", g->seconds, "shortest_s", g->shortest, "longest_s",
                                g->longest);
        if (*g->origin)
            json_object_set_new(row, "origin", json_string(g->origin));
        else
            json_object_set_new(row, "joints", json_integer((json_int_t)g->joints));
        if (g->fps > 0)
            json_object_set_new(row, "fps", json_real(g->fps));
        json_array_append_new(out, row);
    }
    return out;
}

static json_t *sequence_json(const summary *s, size_t at)
{
    const sn_rt_sequence *q = sn_rt_dataset_at(s->set, at);
    json_t *segments = json_array();
    for (size_t i = 0; i < q->segments; i++) {
        const sn_rt_segment *g = &q->segment[i];
        json_array_append_new(segments, json_pack("{s:i, s:i, s:s, s:s}", "start", (int)g->start, "end", (int)g->end,
                                                  "label", sn_rt_dataset_label_name(s->set, g->label), "origin",
                                                  sn_rt_dataset_origin_name(s->set, g->origin)));
    }
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:f, s:f, s:I, s:o}", "id", q->id, "file", q->file, "source",
                     q->source, "split", q->split, "frames", (json_int_t)q->frames, "persons", (json_int_t)q->persons, "joints", (json_int_t)q->joints, "fps",
                     q->fps, "source_fps", q->source_fps, "source_first", (json_int_t)q->source_first, "segments",
                     segments);
}

/* `chosen`: a sequence to detail, or SIZE_MAX; `list`: all of them. */
static int print_json(const summary *s, size_t chosen, int list)
{
    json_t *out = json_pack("{s:s, s:s, s:I, s:I, s:f}", "file", s->path, "layout", sn_rt_dataset_layout(s->set),
                            "sequences", (json_int_t)sn_rt_dataset_count(s->set), "frames", (json_int_t)s->frames,
                            "seconds", s->seconds);
    if (s->frames)
        json_object_set_new(out, "range_m",
                            json_pack("{s:[f,f], s:[f,f], s:[f,f]}", "x", s->low[0], s->high[0], "y", s->low[1],
                                      s->high[1], "z", s->low[2], s->high[2]));
    json_object_set_new(out, "sources", groups_json(&s->sources, "sequences"));
    json_object_set_new(out, "splits", groups_json(&s->splits, "sequences"));
    json_object_set_new(out, "labels", groups_json(&s->labels, "segments"));
    if (list) {
        json_t *all = json_array();
        for (size_t i = 0; i < sn_rt_dataset_count(s->set); i++)
            json_array_append_new(all, sequence_json(s, i));
        json_object_set_new(out, "list", all);
    }
    if (chosen != SIZE_MAX)
        json_object_set_new(out, "sequence", sequence_json(s, chosen));
    char *text = out ? json_dumps(out, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(out);
    if (!text) {
        fprintf(stderr, "sinew data: %s: cannot be told as JSON\n", s->path);
        return SN_EXIT_FAILED;
    }
    puts(text);
    free(text);
    return SN_EXIT_OK;
}

/* What the command line asks for. */
typedef struct asked {
    char *picture, *sequence;
    int json, list, poses;
} asked;

static int show(const summary *s, const asked *a)
{
    sn_rt_error err = {""};
    size_t chosen = SIZE_MAX;
    if (a->sequence) {
        chosen = sn_rt_dataset_find(s->set, a->sequence);
        if (chosen == SIZE_MAX) {
            fprintf(stderr, "sinew data: %s: no sequence \"%s\"\n", s->path, a->sequence);
            return SN_EXIT_FAILED;
        }
    }
    if (a->picture && sn_rt_draw_sequence(s->set, chosen == SIZE_MAX ? 0 : chosen, (size_t)a->poses, a->picture, &err)) {
        fprintf(stderr, "sinew data: %s\n", err.text);
        return SN_EXIT_FAILED;
    }
    if (a->json)
        return print_json(s, chosen, a->list);
    print_tables(s);
    if (a->list)
        print_list(s);
    if (chosen != SIZE_MAX)
        print_sequence(s, chosen);
    if (a->picture)
        printf("\nwrote %s: sequence %s\n", a->picture, sn_rt_dataset_at(s->set, chosen == SIZE_MAX ? 0 : chosen)->id);
    return SN_EXIT_OK;
}

static int open_and_show(const char *path, const asked *a)
{
    sn_rt_error err = {""};
    sn_rt_dataset *set;
    if (sn_rt_dataset_open(path, &set, &err) != SN_RT_OK) {
        fprintf(stderr, "sinew data: %s\n", err.text);
        return SN_EXIT_FAILED;
    }
    summary s = {.path = path, .set = set};
    int code = SN_EXIT_FAILED;
    if (summarise(&s) == 0)
        code = show(&s, a);
    else
        fprintf(stderr, "sinew data: %s: no memory\n", path);
    free(s.sources.item);
    free(s.splits.item);
    free(s.labels.item);
    sn_rt_dataset_free(set);
    return code;
}

int sn_cmd_data(int argc, const char **argv)
{
    asked a = {.poses = 8};
    struct poptOption options[] = {
        {"json", '\0', POPT_ARG_NONE, &a.json, 0, "print JSON", NULL},
        {"list", '\0', POPT_ARG_NONE, &a.list, 0, "list every sequence", NULL},
        {"sequence", '\0', POPT_ARG_STRING, &a.sequence, 0, "tell of this sequence and its segments", "ID"},
        {"picture", '\0', POPT_ARG_STRING, &a.picture, 0, "draw the sequence (the first, if none is named) as PNG",
         "OUT.png"},
        {"poses", '\0', POPT_ARG_INT, &a.poses, 0, "poses in the picture, 1 to 32 (8)", "N"},
        POPT_AUTOHELP POPT_TABLEEND};
    poptContext context = poptGetContext("sinew data", argc, argv, options, 0);
    poptSetOtherOptionHelp(context, "SET\n\nShow what a data set holds: counts, durations and ranges by source, split and "
                                    "label.\n");
    int wrong = poptGetNextOpt(context), code = SN_EXIT_USAGE;
    const char **arguments = wrong < -1 ? NULL : poptGetArgs(context);
    if (wrong < -1)
        fprintf(stderr, "sinew data: %s: %s\nTry 'sinew data --help'.\n", poptBadOption(context, 0), poptStrerror(wrong));
    else if (!arguments || !arguments[0] || arguments[1])
        fprintf(stderr, "sinew data: expected one SET\nTry 'sinew data --help'.\n");
    else if (a.poses < 1 || a.poses > 32)
        fprintf(stderr, "sinew data: --poses is not within 1 to 32\nTry 'sinew data --help'.\n");
    else
        code = open_and_show(arguments[0], &a);
    free(a.picture);
    free(a.sequence);
    poptFreeContext(context);
    return code;
}
