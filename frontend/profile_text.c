/* A profile as text.
 * Not the measuring (profile.c). */
#include "profile.h"

#include <stdio.h>
#include <string.h>

enum { WIDEST = 140, LEFT = 71 /* columns before the name */, MOST_THREADS = 16 /* with a line each */ };

static double ratio(double a, double b) { return b > 0 ? a / b : 0; }

/* `named` in a field of `width`, its middle left out if it is too long: both ends of a name say something. */
static void print_name(const char *name, int width, FILE *out)
{
    int length = (int)strlen(name), head = width / 3;
    if (length <= width) fprintf(out, "%-*s", width, name);
    else fprintf(out, "%.*s..%s", head, name, name + length - (width - head - 2));
}

/* Of the time that the threads of the team have, the share they are not in the kernel. */
static double waiting(const sn_profile *p, const sn_profile_row *r) { return 1 - ratio(r->busy, r->seconds * p->threads); }

static void print_numbers(const sn_profile *p, const sn_profile_row *r, FILE *out)
{
    fprintf(out, "%9.3f %6.2f%% ", 1e3 * r->seconds, 100 * ratio(r->seconds, p->step));
    if (r->calls) fprintf(out, "%5u ", r->calls);
    else fprintf(out, "%5s ", "");
    if (r->flop > 0) fprintf(out, "%8.1f ", ratio(r->flop, r->seconds) / 1e9);
    else fprintf(out, "%8s ", "");
    if (r->bytes > 0) fprintf(out, "%8.2f %6.1f ", r->bytes / (1 << 20), ratio(r->bytes, r->seconds) / 1e9);
    else fprintf(out, "%8s %6s ", "", "");
    if (r->flop > 0 && r->bytes > 0) fprintf(out, "%6.1f ", r->flop / r->bytes);
    else fprintf(out, "%6s ", "");
    if (r->limit > 0) fprintf(out, "%5.0f%%%c ", 100 * ratio(r->limit, r->seconds), *sn_profile_bound(r));
    else fprintf(out, "%7s ", "");
    if (r->busy > 0) fprintf(out, "%4.0f%%", 100 * waiting(p, r));
    else fprintf(out, "%5s", "");
}

static void print_row(const sn_profile *p, const sn_profile_row *r, int name_width, FILE *out)
{
    print_numbers(p, r, out);
    fputs("  ", out);
    if (r->where[0] && strcmp(r->where, r->name)) {
        print_name(r->name, name_width, out);
        fprintf(out, "  %s\n", r->where);
    } else {
        fprintf(out, "%s\n", r->name);
    }
}

static void print_rule(FILE *out)
{
    for (int i = 0; i < LEFT; i++) fputc('-', out);
    fputc('\n', out);
}

/* Columns of the names, so that the longest place still fits. */
static int name_columns(const sn_profile *p, uint32_t rows)
{
    int name = 8, where = 0;
    for (uint32_t i = 0; i < rows; i++) {
        if ((int)strlen(p->kernel[i].name) > name) name = (int)strlen(p->kernel[i].name);
        if ((int)strlen(p->kernel[i].where) > where) where = (int)strlen(p->kernel[i].where);
    }
    int room = WIDEST - LEFT - 2 - where;
    if (room < 24) room = 24;
    return name < room ? name : room;
}

/* Who does how much of the kernels' work, and how long all of them wait. */
static void print_threads(const sn_profile *p, FILE *out)
{
    double wait = p->total.seconds - p->total.busy / p->threads;
    fprintf(out, "%9.3f %6.2f%%  of that is threads waiting for the last one of a group", 1e3 * wait, 100 * ratio(wait, p->step));
    for (int t = 0; t < p->threads && t < MOST_THREADS; t++)
        fprintf(out, "%s %.3f ms", t ? "," : p->threads > MOST_THREADS ? "; in kernels, the first of them:" : "; in kernels, each of them:",
                1e3 * p->total.thread[t]);
    fputc('\n', out);
}

void sn_profile_print(const sn_profile *p, const sn_rt_peak *peak, uint32_t rows, FILE *out)
{
    if (rows > p->kernels) rows = p->kernels;
    int            width = name_columns(p, rows);
    sn_profile_row left = {.node = "", .where = ""}, step = {.name = "step", .node = "", .where = "", .seconds = p->step};
    fprintf(out, "\n%9s %7s %5s %8s %8s %6s %6s %6s  %5s  %s\n", "ms", "share", "calls", "GFLOP/s", "MiB", "GB/s", "flop/B", "roof", "wait",
            "kernel, place of its node");
    for (uint32_t i = 0; i < p->kernels; i++) {
        if (i < rows) print_row(p, &p->kernel[i], width, out);
        else {
            left.calls += p->kernel[i].calls;
            left.seconds += p->kernel[i].seconds;
            left.busy += p->kernel[i].busy;
            left.memory += p->kernel[i].memory;
            left.flop += p->kernel[i].flop;
            left.bytes += p->kernel[i].bytes;
            left.limit += p->kernel[i].limit;
        }
    }
    char text[160];
    snprintf(text, sizeof text, "(%u more rows)", p->kernels - rows);
    left.name = text;
    if (rows < p->kernels) print_row(p, &left, width, out);
    print_rule(out);
    print_row(p, &p->total, width, out);
    print_threads(p, out);
    for (uint32_t i = 0; i < p->others; i++) print_row(p, &p->other[i], width, out);
    print_row(p, &step, width, out);
    fprintf(out, "\nA step here is the mean of the middle half of %u profiled steps. MiB: operands read once and results written once. roof: share of\n"
                 "min(%.0f GFLOP/s, flop/B * %.1f GB/s), both measured now; c if the first is less (compute limits), m if the second is (memory); above\n"
                 "100%% if operands were in a cache, only parts of them are needed, or an algorithm needs fewer operations than the direct one. wait:\n"
                 "share of the threads' time that they are not in the kernel.\n",
            p->steps, peak->flops / 1e9, peak->bandwidth / 1e9);
}
