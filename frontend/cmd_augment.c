/* The verb `augment`: one augmentation on a clip, with numbers given or drawn, shown before and after; and the list of all.
 * Not the transforms (runtime/data/transforms.c). */
#include <stdlib.h>
#include <string.h>

#include "../runtime/data/augment.h"
#include "../runtime/data/draw.h"
#include "../runtime/data/npy.h"
#include "../runtime/data/skeleton.h"
#include "cli.h"

typedef struct options {
    char        *in, *out, *picture;
    const char **set;
    long long    seed;
} options;

typedef struct augmenting {
    sn_rt_augmentation how;
    sn_rt_drawn        drawn;
    bool               given[SN_RT_MAX_TRANSFORMS][SN_RT_MAX_DRAWN];
    double             number[SN_RT_MAX_TRANSFORMS][SN_RT_MAX_DRAWN]; /* those given */
    sn_rt_array        in, out;
    sn_rt_clip_size    size;
    float             *scratch;
} augmenting;

static int list_all(void)
{
    const char *meaning;
    printf("sets\n");
    for (size_t i = 0; sn_rt_augmentation_set(i, &meaning); i++) printf("  %-11s %s\n", sn_rt_augmentation_set(i, &meaning), meaning);
    printf("\ntransforms, with their settings and the numbers drawn\n");
    for (size_t i = 0; i < sn_rt_transform_count; i++) {
        const sn_rt_transform *t = &sn_rt_transforms[i];
        printf("  %-11s %s\n              ", t->name, t->about);
        for (int k = 0; k < SN_RT_MAX_SETTINGS && t->setting[k].name; k++) printf("%s%s=%g", k ? ", " : "", t->setting[k].name, t->setting[k].value);
        printf(" ->");
        for (int k = 0; k < SN_RT_MAX_DRAWN && t->drawn[k]; k++) printf("%s %s", k ? "," : "", t->drawn[k]);
        printf("\n");
    }
    return SN_EXIT_OK;
}

/* ---- numbers given ------------------------------------------------------------------------------------------------------ */

/* "NAME=VALUE" or "TRANSFORM.NAME=VALUE" for a setting or a number of the first step that has one of that name. */
static int give(augmenting *a, const char *pair)
{
    const char *equals = strchr(pair, '='), *dot = memchr(pair, '.', equals ? (size_t)(equals - pair) : 0), *name = dot ? dot + 1 : pair;
    char       *end;
    if (!equals || equals == name) return sn_cli_usage("augment", "--set %s: expected NAME=VALUE", pair);
    size_t size = (size_t)(equals - name);
    double value = strtod(equals + 1, &end);
    if (end == equals + 1 || *end) return sn_cli_usage("augment", "--set %s: %s is no number", pair, equals + 1);
    for (size_t i = 0; i < a->how.steps; i++) {
        const sn_rt_transform *t = a->how.step[i].transform;
        if (dot && (strlen(t->name) != (size_t)(dot - pair) || memcmp(t->name, pair, (size_t)(dot - pair)))) continue;
        for (int k = 0; k < SN_RT_MAX_SETTINGS && t->setting[k].name; k++)
            if (strlen(t->setting[k].name) == size && !memcmp(t->setting[k].name, name, size)) {
                if (value < t->setting[k].low || value > t->setting[k].high)
                    return sn_cli_usage("augment", "--set %s: expected %g to %g", pair, t->setting[k].low, t->setting[k].high);
                a->how.step[i].setting[k] = value;
                return SN_EXIT_OK;
            }
        for (int k = 0; k < SN_RT_MAX_DRAWN && t->drawn[k]; k++)
            if (strlen(t->drawn[k]) == size && !memcmp(t->drawn[k], name, size)) {
                a->given[i][k] = true;
                a->number[i][k] = value;
                return SN_EXIT_OK;
            }
    }
    return sn_cli_usage("augment", "--set %s: no setting or number of that name; `sinew augment` lists them", pair);
}

/* A number given must be one that could be drawn: of the same range and, where those are whole, whole. */
static int check_given(const augmenting *a)
{
    for (size_t i = 0; i < a->how.steps; i++) {
        const sn_rt_transform *t = a->how.step[i].transform;
        const double          *setting = a->how.step[i].setting;
        for (int k = 0; k < SN_RT_MAX_DRAWN && t->drawn[k]; k++) {
            double most = 0, value = a->number[i][k];
            if (!a->given[i][k]) continue;
            if (!strcmp(t->drawn[k], "apply")) most = 1;
            else if (!strcmp(t->drawn[k], "axis")) most = 2;
            else if (!strcmp(t->drawn[k], "start")) most = 2 * (double)(a->size.T / (size_t)setting[0]);
            else if (!strcmp(t->drawn[k], "joints")) most = (double)a->size.V;
            else if (!strcmp(t->drawn[k], "frames")) most = (double)a->size.T;
            else continue;
            if (value < 0 || value > most || value != (double)(long long)value)
                return sn_cli_usage("augment", "%s of %s is %g, expected a whole number from 0 to %g", t->drawn[k], t->name, value, most);
        }
    }
    return SN_EXIT_OK;
}

/* ---- the clip ----------------------------------------------------------------------------------------------------------- */

static int read_clip(augmenting *a, const char *path)
{
    sn_rt_error err = {""};
    if (sn_rt_npy_read(path, &a->in, &err) != SN_RT_OK) return sn_cli_fail("augment", SN_EXIT_FAILED, "%s", err.text);
    char shape[128];
    sn_rt_shape_text(a->in.elem, a->in.rank, a->in.dims, shape, sizeof shape);
    uint32_t rank = a->in.rank;
    if (a->in.elem != SN_RT_ELEM_F32 || (rank != 3 && rank != 4) || a->in.dims[rank - 1] != 3 || a->in.bytes == 0)
        return sn_cli_fail("augment", SN_EXIT_FAILED, "%s: found %s, expected f32[T,V,3] or f32[M,T,V,3] of M persons", path, shape);
    a->size = (sn_rt_clip_size){rank == 4 ? a->in.dims[0] : 1, a->in.dims[rank - 3], a->in.dims[rank - 2]};
    if (sn_rt_augmentation_check(&a->how, a->size.V, &err) != SN_RT_OK) return sn_cli_fail("augment", SN_EXIT_FAILED, "%s: %s", path, err.text);
    if (sn_rt_array_init(SN_RT_ELEM_F32, rank, a->in.dims, &a->out, &err) != SN_RT_OK || !(a->scratch = malloc(a->in.bytes)))
        return sn_cli_fail("augment", SN_EXIT_FAILED, "%s: no memory for %s", path, shape);
    return SN_EXIT_OK;
}

static void print_numbers(const augmenting *a)
{
    for (size_t i = 0; i < a->how.steps; i++) {
        const sn_rt_transform *t = a->how.step[i].transform;
        printf("%-11s", t->name);
        for (int k = 0; k < SN_RT_MAX_DRAWN && t->drawn[k]; k++)
            printf(" %s=%.9g%s", t->drawn[k], a->drawn.number[i][k], a->given[i][k] ? " (given)" : "");
        printf("\n");
    }
}

static int draw_pair(const augmenting *a, const char *name, const char *path)
{
    const sn_rt_body     body = {"ntu25", SN_RT_JOINTS, sn_rt_joint_name, sn_rt_joint_parent};
    const sn_rt_sequence after = {.id = "after", .file = "after", .source = name, .split = "train", .fps = 30, .source_fps = 30,
                                  .persons = a->size.M, .frames = a->size.T, .joints = a->size.V, .x = a->out.data};
    sn_rt_sequence       before = after;
    sn_rt_error          err = {""};
    uint32_t             index;
    before.id = "before";
    before.x = a->in.data;
    if (a->size.V != SN_RT_JOINTS) return sn_cli_fail("augment", SN_EXIT_FAILED, "%s: a picture needs %d joints, found %zu", path, SN_RT_JOINTS, a->size.V);
    sn_rt_dataset *set = sn_rt_dataset_new("ntu25");
    sn_rt_status   status = set ? sn_rt_dataset_body(set, &body, &index, &err) : sn_rt_fail(&err, SN_RT_MEMORY, "no memory");
    if (status == SN_RT_OK) status = sn_rt_dataset_add(set, &before, &err);
    if (status == SN_RT_OK) status = sn_rt_dataset_add(set, &after, &err);
    if (status == SN_RT_OK) status = sn_rt_draw_sequences(set, 0, 2, 12, path, &err);
    sn_rt_dataset_free(set);
    return status == SN_RT_OK ? SN_EXIT_OK : sn_cli_fail("augment", SN_EXIT_FAILED, "%s", err.text);
}

static int augment(augmenting *a, const char *name, const options *o)
{
    sn_rt_random r;
    sn_rt_error  err = {""};
    int          code = read_clip(a, o->in);
    if (code == SN_EXIT_OK) code = check_given(a);
    if (code != SN_EXIT_OK) return code;
    sn_rt_random_start(&r, (uint64_t)o->seed, SN_RT_FOR_AUGMENT, 0, 0);
    sn_rt_augment_draw(&a->how, &r, a->size, &a->drawn);
    for (size_t i = 0; i < a->how.steps; i++)
        for (int k = 0; k < SN_RT_MAX_DRAWN; k++)
            if (a->given[i][k]) a->drawn.number[i][k] = a->number[i][k];
    sn_rt_augment_apply(&a->how, &a->drawn, &r, a->size, a->in.data, a->scratch, a->out.data);
    if (o->out && sn_rt_npy_write(o->out, &a->out, &err) != SN_RT_OK) return sn_cli_fail("augment", SN_EXIT_FAILED, "%s", err.text);
    if (o->picture) code = draw_pair(a, name, o->picture);
    if (code == SN_EXIT_OK) print_numbers(a);
    return code;
}

static int run(const char *name, const options *o)
{
    augmenting  a = {0};
    sn_rt_error err = {""};
    if (sn_rt_augmentation_parse(name, &a.how, &err) != SN_RT_OK) return sn_cli_usage("augment", "%s", err.text);
    if (!o->in || (!o->out && !o->picture)) return sn_cli_usage("augment", "%s is missing", o->in ? "--out Y.npy or --picture P.png" : "--in X.npy");
    int code = SN_EXIT_OK;
    for (uint32_t i = 0; code == SN_EXIT_OK && i < sn_cli_count(o->set); i++) code = give(&a, o->set[i]);
    if (code == SN_EXIT_OK) code = augment(&a, name, o);
    sn_rt_array_fini(&a.in);
    sn_rt_array_fini(&a.out);
    free(a.scratch);
    return code;
}

int sn_cmd_augment(int argc, const char **argv)
{
    options      o = {.seed = 1};
    const char **word;
    uint32_t     words;
    const struct poptOption table[] = {
        {"in", '\0', POPT_ARG_STRING, &o.in, 0, "clip f32[T,V,3], or f32[M,T,V,3] of M persons", "X.npy"},
        {"out", '\0', POPT_ARG_STRING, &o.out, 0, "the clip augmented, of the same shape", "Y.npy"},
        {"picture", '\0', POPT_ARG_STRING, &o.picture, 0, "poses before and after, for 25 joints", "P.png"},
        {"set", 's', POPT_ARG_ARGV, &o.set, 0, "a setting, or a number that would be drawn; TRANSFORM.NAME=VALUE where names repeat", "NAME=VALUE"},
        {"seed", '\0', POPT_ARG_LONGLONG, &o.seed, 0, "of what is drawn (1)", "NUMBER"},
        POPT_AUTOHELP POPT_TABLEEND};
    poptContext popt = poptGetContext("sinew augment", argc, argv, table, 0);
    poptSetOtherOptionHelp(popt, "[AUGMENTATION --in X.npy --out Y.npy]\n\nApply an augmentation to a clip and say which numbers were drawn. Without arguments, "
                                 "list sets and transforms.\nAUGMENTATION is what a recipe's views name: a set, or a list such as 'crop, shear(amplitude=0.3)'.\n");
    int code = sn_cli_parse(popt, "augment", &word, &words);
    if (code == 0) code = words == 0 ? list_all() : words > 1 ? sn_cli_usage("augment", "%s: one AUGMENTATION is expected", word[1]) : run(word[0], &o);
    free(o.in);
    free(o.out);
    free(o.picture);
    sn_cli_list_fini(o.set);
    poptFreeContext(popt);
    return code;
}
