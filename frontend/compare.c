/* A profile beside one that was taken before.
 * Not the taking of either (profile.c, observe.c). */
#include "compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../runtime/data/file.h"

enum { MOST_BYTES = 1 << 28 };

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

/* What is printed of it is checked here, once. */
static bool well_formed(const json_t *j, const char *path, sn_rt_error *err)
{
    const char *kind = json_string_value(json_object_get(j, "sinew"));
    json_t     *rows = json_object_get(j, "kernel_times");
    size_t      i;
    json_t     *row;
    if (!kind || strcmp(kind, SN_PROFILE_KIND)) return sn_rt_fail(err, SN_RT_FORMAT, "%s: not a profile (\"sinew\": \"" SN_PROFILE_KIND "\")", path), false;
    if (!json_is_string(json_object_get(j, "by")) || !json_is_array(rows) || !json_is_number(json_object_get(json_object_get(j, "profile"), "step_s")))
        return sn_rt_fail(err, SN_RT_FORMAT, "%s: by, kernel_times or profile.step_s is missing", path), false;
    json_array_foreach(rows, i, row)
    {
        if (json_is_string(json_object_get(row, "name")) && json_is_string(json_object_get(row, "node")) && json_is_string(json_object_get(row, "where")) &&
            json_is_number(json_object_get(row, "seconds")) && json_is_integer(json_object_get(row, "calls")))
            continue;
        return sn_rt_fail(err, SN_RT_FORMAT, "%s: kernel_times[%zu]: name, node, where, calls or seconds is missing", path, i), false;
    }
    return true;
}

json_t *sn_compare_read(const char *path, sn_rt_error *err)
{
    char        *text;
    size_t       size;
    json_error_t why;
    if (sn_rt_file_read(path, MOST_BYTES, &text, &size, err) != SN_RT_OK) return NULL;
    json_t *j = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
    free(text);
    if (!j) sn_rt_fail(err, SN_RT_FORMAT, "%s:%d: %s", path, why.line, why.text);
    if (!j || well_formed(j, path, err)) return j;
    json_decref(j);
    return NULL;
}

static const char *text_of(const json_t *j, const char *key) { return json_string_value(json_object_get(j, key)); }
static double number_of(const json_t *j, const char *key) { return json_number_value(json_object_get(j, key)); }

bool sn_compare_rows(const json_t *before, const char *by, sn_arena *arena, sn_profile *out, sn_rt_error *err)
{
    const json_t *rows = json_object_get(before, "kernel_times");
    const char   *had = text_of(before, "by");
    sn_profile    p = {.step = number_of(json_object_get(before, "profile"), "step_s")};
    if (strcmp(had, by) && (strcmp(had, "call") || !strcmp(by, "code")))
        return sn_rt_fail(err, SN_RT_ARGUMENT, "the profile to compare with has its rows by %s: --by %s does not fit it", had, by), false;
    p.kernel = sn_new_n(arena, sn_profile_row, json_array_size(rows) + 1);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        p.kernel[p.kernels++] = (sn_profile_row){.name = text_of(row, "name"), .node = text_of(row, "node"), .where = text_of(row, "where"),
                                                 .calls = (uint32_t)number_of(row, "calls"), .seconds = number_of(row, "seconds")};
        p.total.seconds += number_of(row, "seconds");
    }
    *out = p;
    return !strcmp(had, by) || sn_profile_group(&p, by, arena, out);
}

/* ---- printing ----------------------------------------------------------------------------------------------------------- */

typedef struct pair { const sn_profile_row *old, *now; } pair; /* one may be missing */

static double seconds_of(const sn_profile_row *r) { return r ? r->seconds : 0; }

static int by_change(const void *pa, const void *pb)
{
    const pair *a = pa, *b = pb;
    double      x = fabs(seconds_of(a->now) - seconds_of(a->old)), y = fabs(seconds_of(b->now) - seconds_of(b->old));
    return x > y ? -1 : x < y;
}

static const sn_profile_row *find(const sn_profile *p, const char *name)
{
    for (uint32_t i = 0; i < p->kernels; i++)
        if (!strcmp(p->kernel[i].name, name)) return &p->kernel[i];
    return NULL;
}

/* Rows of the same name, then what is in one profile only. */
static uint32_t match(const sn_profile *old, const sn_profile *now, pair *out)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < now->kernels; i++) out[n++] = (pair){find(old, now->kernel[i].name), &now->kernel[i]};
    for (uint32_t i = 0; i < old->kernels; i++)
        if (!find(now, old->kernel[i].name)) out[n++] = (pair){&old->kernel[i], NULL};
    return n;
}

static void print_line(double old, double now, const char *name, const char *where, FILE *out)
{
    fprintf(out, "%9.3f %9.3f %+9.3f ", 1e3 * old, 1e3 * now, 1e3 * (now - old));
    if (old > 0 && now > 0) fprintf(out, "%+7.1f%%", 100 * (now / old - 1));
    else fprintf(out, "%8s", old > 0 ? "gone" : now > 0 ? "new" : "");
    fprintf(out, "  %s%s%s\n", name, *where ? "  " : "", where);
}

/* What ran, if it was not the same. */
static void print_difference(const json_t *before, const sn_bench *b, FILE *out)
{
    static const char *const word[] = {"file", "module", "what"};
    const char *const        now[] = {b->file, b->module, b->what};
    const sn_abi_program    *p = b->job.program.abi;
    for (int i = 0; i < 3; i++) {
        const char *old = text_of(before, word[i]);
        if (old && strcmp(old, now[i])) fprintf(out, "%s %s, before %s\n", word[i], now[i], old);
    }
    for (uint32_t s = 0; s < p->symbols; s++) {
        const json_t *old = json_object_get(json_object_get(before, "extents"), p->symbol[s]);
        if (old && json_integer_value(old) != b->job.extent[s])
            fprintf(out, "%s = %lld, before %lld\n", p->symbol[s], (long long)b->job.extent[s], (long long)json_integer_value(old));
    }
    if (number_of(before, "threads") != b->threads) fprintf(out, "threads %d, before %.0f\n", b->threads, number_of(before, "threads"));
}

static void print_limit(const char *what, double old, double now, FILE *out)
{
    if (old > 0) fprintf(out, "%s %.1f, before %.1f (%+.1f%%)\n", what, now, old, 100 * (now / old - 1));
}

void sn_compare_print(const json_t *before, const sn_profile *old, const sn_bench *b, const sn_profile *now, uint32_t rows, FILE *out)
{
    pair    *p = calloc(old->kernels + now->kernels + 1u, sizeof *p);
    SN_ASSERT(p, "out of memory");
    uint32_t n = match(old, now, p);
    double   left_old = 0, left_now = 0;
    qsort(p, n, sizeof *p, by_change);
    fprintf(out, "\n%9s %9s %9s %8s  %s\n", "ms before", "ms now", "change", "", "kernel, place of its node");
    for (uint32_t i = 0; i < n; i++) {
        const sn_profile_row *r = p[i].now ? p[i].now : p[i].old;
        if (i < rows) print_line(seconds_of(p[i].old), seconds_of(p[i].now), r->name, strcmp(r->where, r->name) ? r->where : "", out);
        else left_old += seconds_of(p[i].old), left_now += seconds_of(p[i].now);
    }
    char text[64];
    snprintf(text, sizeof text, "(%u more rows)", n - rows);
    if (n > rows) print_line(left_old, left_now, text, "", out);
    print_line(old->total.seconds, now->total.seconds, "kernels", "", out);
    print_line(old->step - old->total.seconds, now->step - now->total.seconds, "outside kernels", "", out);
    print_line(old->step, now->step, "step", "", out);
    fputc('\n', out);
    print_limit("peak GFLOP/s", number_of(before, "peak_gflops"), b->peak.flops / 1e9, out);
    print_limit("memory GB/s", number_of(before, "bandwidth_gbytes"), b->peak.bandwidth / 1e9, out);
    print_difference(before, b, out);
    free(p);
}
