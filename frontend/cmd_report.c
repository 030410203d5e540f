/* The verb `report`: runs, models and results as one HTML page.
 * Not the gathering (report.c). */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "paper.h"
#include "report.h"

typedef struct options {
    char        *out, *title, *data, *val, *protocol, *thresholds, *level, *paper;
    const char **sequence;
    int          recordings, points, threads;
    double       shortest;
} options;

/* What was written, and what would need a data set. */
static void tell(const options *o, const sn_report_done *done)
{
    struct stat info;
    printf("%s: %zu run%s, %zu result%s, %zu recording%s, %zu embedding%s", o->out, done->runs, done->runs == 1 ? "" : "s", done->records, done->records == 1 ? "" : "s",
           done->recordings, done->recordings == 1 ? "" : "s", done->embeddings, done->embeddings == 1 ? "" : "s");
    if (stat(o->out, &info) == 0) printf("; %.2f MB", (double)info.st_size / 1e6);
    printf("\n");
    if (!o->data) printf("timelines, motion, embeddings and results of models need --data SET\n");
}

static int report(const options *o, const char *const *run, uint32_t runs, const char *const *command)
{
    char           cache[4096];
    sn_rt_error    err = {""};
    sn_report_done done;
    sn_report_how  how = {.run = run, .runs = runs, .out = o->out, .title = o->title, .paper = o->paper, .command = command};
    how.set = (sn_report_set_how){.data = o->data, .val = o->val ? o->val : "val", .sequence = o->sequence, .sequences = sn_cli_count(o->sequence),
                                  .recordings = (size_t)o->recordings, .shortest = o->shortest, .points = (size_t)o->points, .threads = o->threads,
                                  .judging = {.protocol = o->protocol ? o->protocol : "babel", .thresholds = o->thresholds ? o->thresholds : "both"},
                                  .cache_dir = sn_cache_dir(cache, sizeof cache)};
    sn_grain_of(o->level ? o->level : "frame", &how.set.grain);
    if (sn_judging_check(&how.set.judging, &err) != SN_RT_OK) return sn_cli_usage("report", "%s", err.text);
    if (sn_report(&how, &done, &err) != SN_RT_OK) return sn_cli_fail("report", SN_EXIT_FAILED, "%s", err.text);
    tell(o, &done);
    return SN_EXIT_OK;
}

static int check_usage(const options *o, uint32_t runs)
{
    sn_grain    grain;
    const char *table;
    int         column;
    if (!runs) return sn_cli_usage("report", "RUN is missing: a folder of sinew pretrain or finetune, a model, or a record of sinew evaluate");
    if (!o->out || !*o->out) return sn_cli_usage("report", "-o PAGE.html is missing");
    if (!o->data && (o->sequence || o->val)) return sn_cli_usage("report", "%s is for --data SET", o->sequence ? "--sequence" : "--val");
    if (o->level && !sn_grain_of(o->level, &grain)) return sn_cli_usage("report", "--level %s: expected frame, snippet or sequence", o->level);
    if (o->paper && !sn_paper_find(o->paper, &table, &column)) return sn_cli_usage("report", "--paper %s: expected knn-, linear- or labels- and 1 to 3, or pku", o->paper);
    if (o->recordings < 0 || !(o->shortest >= 0)) return sn_cli_usage("report", "--recordings and --shortest are not below 0");
    if (o->points != 0 && o->points < 4) return sn_cli_usage("report", "--points is at least 4, or 0 for no embedding");
    if (sn_cli_threads_fault(o->threads)) return sn_cli_usage("report", "%s", sn_cli_threads_fault(o->threads));
    return SN_EXIT_OK;
}

int sn_cmd_report(int argc, const char **argv)
{
    options      o = {.recordings = 4, .points = 2000, .shortest = 0.1};
    const char **run;
    uint32_t     runs;
    const struct poptOption table[] = {
        {"out", 'o', POPT_ARG_STRING, &o.out, 0, "the page", "PAGE.html"},
        {"data", '\0', POPT_ARG_STRING, &o.data, 0, "labelled data set: models are evaluated on it, its recordings shown, features of runs embedded", "SET"},
        {"val", '\0', POPT_ARG_STRING, &o.val, 0, "splits of it, comma-separated (val)", "NAMES"},
        {"recordings", '\0', POPT_ARG_INT, &o.recordings, 0, "timelines with motion, evenly from the recording with the most frames right to that with the fewest (4)", "N"},
        {"sequence", '\0', POPT_ARG_ARGV, &o.sequence, 0, "show this recording instead; may be repeated", "ID"},
        {"shortest", '\0', POPT_ARG_DOUBLE, &o.shortest, 0, "leave out segments below this (0.1)", "SECONDS"},
        {"protocol", '\0', POPT_ARG_STRING, &o.protocol, 0, "of the evaluation: babel (default), babel-corrected, pku, pku-official", "NAME"},
        {"thresholds", '\0', POPT_ARG_STRING, &o.thresholds, 0, "of BABEL: low, even, both (default), or numbers", "LIST"},
        {"paper", '\0', POPT_ARG_STRING, &o.paper, 0, "the paper's rows first in tables: knn-1 (subset 1) to -3, linear-, labels-, or pku; for results on its data", "TABLE"},
        {"level", '\0', POPT_ARG_STRING, &o.level, 0, "points of the embedding are frames of the encoder (frame, default), snippet or sequence", "LEVEL"},
        {"points", '\0', POPT_ARG_INT, &o.points, 0, "of each embedding, evenly chosen (2000); 0: none", "N"},
        {"title", '\0', POPT_ARG_STRING, &o.title, 0, "of the page (the names of the runs)", "TEXT"},
        SN_CLI_THREADS(o, "threads; results do not depend on it"),
        POPT_AUTOHELP POPT_TABLEEND,
    };
    poptContext popt = poptGetContext("sinew report", argc, argv, table, 0);
    poptSetOtherOptionHelp(popt, "[NAME=]RUN... -o PAGE.html [--data SET]\n\n"
                                 "One HTML page that opens offline, about runs of sinew pretrain or finetune, models and records of sinew evaluate: curves, tables, and\n"
                                 "with --data timelines beside moving skeletons, confusion of classes and embeddings.  Results of one NAME are repetitions: mean and deviation.\n");
    int code = sn_cli_parse(popt, "report", &run, &runs);
    if (code == 0) code = check_usage(&o, runs);
    if (code == 0) code = report(&o, run, runs, argv);
    free(o.out), free(o.title), free(o.data), free(o.val), free(o.protocol), free(o.thresholds), free(o.level), free(o.paper);
    sn_cli_list_fini(o.sequence);
    poptFreeContext(popt);
    return code;
}
