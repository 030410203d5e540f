/* The verb `evaluate`: how good detections, frame scores or features are, and tables over several such results.
 * Not the evaluating (evaluate.c). */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "evaluate.h"
#include "paper.h"
#ifdef SINEW_WITH_CODEGEN
#include "knn.h"
#include "tagged.h"
#endif

typedef struct options {
    char      *scores, *detections, *truth, *video, *name, *out, *form, *paper;
    char      *protocol, *thresholds, *classes, *background, *overlap, *detections_out;
    double     fps;
    int        json, classwise, padded, actions;
    sn_judging judging;
    char       *data, *train, *val, *levels, *scores_out, *weights, *prefix, *module, *value; /* of --knn */
    const char **set;
    int         knn, k, leave_one_out, ignore_unlabelled, threads;
    double      tau, snippet;
} options;

static sn_rt_table_form form_of(const options *o)
{
    if (!o->form || strcmp(o->form, "text") == 0) return SN_RT_TABLE_TEXT;
    return strcmp(o->form, "csv") == 0 ? SN_RT_TABLE_CSV : SN_RT_TABLE_MARKDOWN;
}

/* Print and, if asked, write one record. */
static int finish(const options *o, json_t *record)
{
    sn_rt_error  err = {""};
    sn_rt_status status = o->out ? sn_record_write(record, o->out, &err) : SN_RT_OK;
    if (status == SN_RT_OK && o->json) sn_record_dump(record, stdout);
    else if (status == SN_RT_OK) status = sn_record_tables(&record, 1, true, o->paper, form_of(o), stdout, &err);
    return status == SN_RT_OK ? SN_EXIT_OK : sn_cli_fail("evaluate", SN_EXIT_FAILED, "%s", err.text);
}

static int evaluate_files(const options *o)
{
    sn_rt_error err = {""};
    const char *input = o->scores ? o->scores : o->detections;
    json_t *record = sn_record_new(o->name ? o->name : input, json_pack("{s:s, s:s, s:s}", o->scores ? "scores" : "detections", input, "truth", o->truth,
                                                                         "protocol", o->judging.protocol));
    sn_rt_status status = sn_evaluate_files(&o->judging, o->scores, o->detections, o->truth, o->video, record, &err);
    int code = status == SN_RT_OK ? finish(o, record) : sn_cli_fail("evaluate", SN_EXIT_FAILED, "%s", err.text);
    json_decref(record);
    return code;
}

/* Records of earlier evaluations into tables. */
static int gather(const options *o, const char **path, uint32_t count)
{
    sn_rt_error  err = {""};
    json_t     **record = calloc(count, sizeof *record);
    sn_rt_status status = record ? SN_RT_OK : sn_rt_fail(&err, SN_RT_MEMORY, "no memory");
    for (uint32_t i = 0; i < count && status == SN_RT_OK; i++)
        if (!(record[i] = sn_record_read(path[i], &err))) status = SN_RT_FORMAT;
    if (status == SN_RT_OK) status = sn_record_tables(record, count, o->classwise != 0, o->paper, form_of(o), stdout, &err);
    for (uint32_t i = 0; record && i < count; i++) json_decref(record[i]);
    free(record);
    return status == SN_RT_OK ? SN_EXIT_OK : sn_cli_fail("evaluate", SN_EXIT_FAILED, "%s", err.text);
}

/* ---- models -------------------------------------------------------------------------------------------------------------- */

#ifdef SINEW_WITH_CODEGEN
/* Why a model could not be opened or judged. */
static void complain(const sn_diags *diags, const sn_rt_error *err)
{
    if (diags->errors) sn_cli_report(diags);
    else sn_cli_fail("evaluate", SN_EXIT_FAILED, "%s", err->text);
}

static json_t *knn_given(const options *o, const char *model)
{
    return json_pack("{s:s, s:s, s:s?, s:s?, s:s, s:s, s:s?, s:s, s:i, s:f, s:b, s:s}", "model", model, "data", o->data, "weights", o->weights, "value", o->value,
                     "train", o->train ? o->train : "train", "val", o->val ? o->val : "val", "classes", o->classes, "level", o->levels ? o->levels : "frame", "k",
                     o->k, "tau", o->tau, "leave_one_out", o->leave_one_out, "protocol", o->judging.protocol);
}

static int evaluate_knn(const options *o, const char *model)
{
    char        cache[4096];
    sn_rt_error err = {""};
    const sn_features_how features = {.model = model, .weights = o->weights, .prefix = o->prefix, .module = o->module, .value = o->value, .set = o->set,
                                      .sets = sn_cli_count(o->set), .cache_dir = sn_cache_dir(cache, sizeof cache), .threads = o->threads};
    const sn_knn_how how = {.data = o->data, .train = o->train ? o->train : "train", .val = o->val ? o->val : "val", .classes = o->classes,
                            .levels = o->levels ? o->levels : "frame", .ignore_unlabelled = o->ignore_unlabelled, .leave_one_out = o->leave_one_out,
                            .k = o->k, .tau = o->tau, .snippet_frames = o->snippet};
    sn_extractor x;
    json_t *record = sn_record_new(o->name ? o->name : model, knn_given(o, model));
    bool    ok = sn_extractor_open(&x, &features, &err) && sn_evaluate_knn(&how, &o->judging, &x, o->scores_out, record, &err) == SN_RT_OK;
    if (!ok) complain(&x.diags, &err);
    int code = ok ? finish(o, record) : SN_EXIT_FAILED;
    sn_extractor_close(&x);
    json_decref(record);
    return code;
}

static int evaluate_model(const options *o, const char *path)
{
    char          cache[4096];
    sn_rt_error   err = {""};
    sn_model_file m;
    const char   *val = o->val ? o->val : "val";
    json_t *record = sn_record_new(o->name ? o->name : path, json_pack("{s:s, s:s, s:s, s:s}", "model", path, "data", o->data, "val", val, "protocol", o->judging.protocol));
    bool    ok = sn_model_file_open(&m, path, sn_cache_dir(cache, sizeof cache), o->threads, &err) &&
              sn_evaluate_tagged(&m, o->data, val, &o->judging, o->scores_out, record, &err) == SN_RT_OK;
    if (!ok) complain(&m.diags, &err);
    int code = ok ? finish(o, record) : SN_EXIT_FAILED;
    sn_model_file_close(&m);
    json_decref(record);
    return code;
}

static int check_model(const options *o, uint32_t plain)
{
    bool level[SN_GRAINS];
    if (plain != 1) return sn_cli_usage("evaluate", "--knn and --data want one MODEL: a file or the folder of a run");
    if (!o->data) return sn_cli_usage("evaluate", "--data SET is missing");
    if (o->levels && !sn_grains_read(o->levels, level)) return sn_cli_usage("evaluate", "--level %s: expected frame, snippet or sequence, parted by commas", o->levels);
    if (o->k < 1 || o->k > 1000 || !(o->tau >= 0) || !(o->snippet >= 1)) return sn_cli_usage("evaluate", "--k is 1 to 1000, --tau not below 0, --snippet at least 1");
    if (sn_cli_threads_fault(o->threads)) return sn_cli_usage("evaluate", "%s", sn_cli_threads_fault(o->threads));
    return SN_EXIT_OK;
}
#else
static int evaluate_knn(const options *o, const char *model) { return (void)o, (void)model, SN_EXIT_FAILED; }
static int evaluate_model(const options *o, const char *path) { return (void)o, (void)path, SN_EXIT_FAILED; }
static int check_model(const options *o, uint32_t plain) { return (void)o, (void)plain, sn_cli_usage("evaluate", "this program was built without code generation: no --knn, no --data"); }
#endif

static int check_usage(options *o, uint32_t plain)
{
    sn_rt_error err = {""};
    const char *table;
    int         column;
    if (o->form && strcmp(o->form, "text") != 0 && strcmp(o->form, "csv") != 0 && strcmp(o->form, "markdown") != 0)
        return sn_cli_usage("evaluate", "--format %s: expected text, csv or markdown", o->form);
    if (o->paper && !sn_paper_find(o->paper, &table, &column))
        return sn_cli_usage("evaluate", "--paper %s: expected knn-, linear- or labels- and 1 to 3, or pku", o->paper);
    if (o->overlap && strcmp(o->overlap, "smallest") != 0 && strcmp(o->overlap, "error") != 0)
        return sn_cli_usage("evaluate", "--overlap %s: expected error or smallest", o->overlap);
    if (!(o->fps >= 0) || o->padded < 0 || o->actions < 0) return sn_cli_usage("evaluate", "--fps, --padded and --actions are not below 0");
    if (o->scores && o->detections) return sn_cli_usage("evaluate", "--scores and --detections exclude each other");
    if ((o->scores || o->detections) && !o->truth) return sn_cli_usage("evaluate", "--truth T.csv is missing");
    if ((o->scores || o->detections) && plain) return sn_cli_usage("evaluate", "records of results go without --scores and --detections");
    if ((o->knn || o->data) && (o->scores || o->detections)) return sn_cli_usage("evaluate", "--knn and --data go without --scores and --detections");
    if (!o->scores && !o->detections && !o->knn && !o->data && !plain) return sn_cli_usage("evaluate", "nothing to evaluate: give --scores, --detections, or records of results");
    o->judging = (sn_judging){.protocol = o->protocol ? o->protocol : "babel", .thresholds = o->thresholds ? o->thresholds : "both", .classes = o->classes,
                              .background = o->background, .detections_out = o->detections_out, .fps = o->fps, .padded = (size_t)o->padded,
                              .actions = (uint32_t)o->actions, .smallest = o->overlap && strcmp(o->overlap, "smallest") == 0};
    if (sn_judging_check(&o->judging, &err) != SN_RT_OK) return sn_cli_usage("evaluate", "%s", err.text);
    return o->knn || o->data ? check_model(o, plain) : SN_EXIT_OK;
}

int sn_cmd_evaluate(int argc, const char **argv)
{
    options      o = {.k = 20, .tau = 0.07, .snippet = 300.0 / 19};
    const char **plain;
    uint32_t     count;
    const struct poptOption table[] = {
        {"scores", '\0', POPT_ARG_STRING, &o.scores, 0, "frame probabilities: an array [frames, classes] a video (safetensors), or of one (npy)", "S"},
        {"detections", '\0', POPT_ARG_STRING, &o.detections, 0, "segments with scores: columns video, label, start, end, score", "D.csv"},
        {"truth", '\0', POPT_ARG_STRING, &o.truth, 0, "segments: columns seq, fps, start_frame, end_frame, label", "T.csv"},
        {"protocol", '\0', POPT_ARG_STRING, &o.protocol, 0, "babel (default), babel-corrected, pku, pku-official", "NAME"},
        {"thresholds", '\0', POPT_ARG_STRING, &o.thresholds, 0, "of BABEL, for scores: low (0.03 to 0.05), even (0.05 to 0.95), both (default), or numbers", "LIST"},
        {"classes", '\0', POPT_ARG_STRING, &o.classes, 0, "names of the columns of scores, in order", "A,B,..."},
        {"background", '\0', POPT_ARG_STRING, &o.background, 0, "the class of frames without action; it does not count (background)", "NAME"},
        {"video", '\0', POPT_ARG_STRING, &o.video, 0, "which video a .npy file shows (the only one of the truth)", "ID"},
        {"fps", '\0', POPT_ARG_DOUBLE, &o.fps, 0, "rate of scores or detections, if it is not that of the truth's own frames or told by the seconds of sinew localize", "HZ"},
        {"overlap", '\0', POPT_ARG_STRING, &o.overlap, 0, "of truths in BABEL: error (default), or smallest: the first class wins", "RULE"},
        {"padded", '\0', POPT_ARG_INT, &o.padded, 0, "of pku: smooth over padding up to so many frames, as the original does", "FRAMES"},
        {"actions", '\0', POPT_ARG_INT, &o.actions, 0, "of pku-official: classes that mAP_action is divided by (51)", "N"},
        {"knn", '\0', POPT_ARG_NONE, &o.knn, 0, "nearest neighbours of the features of MODEL: a graph file, a finetuned model, or the folder of a run", NULL},
        {"data", '\0', POPT_ARG_STRING, &o.data, 0, "labelled data set that MODEL is evaluated on: a finetuned one by its scores, or with --knn any", "SET"},
        {"train", '\0', POPT_ARG_STRING, &o.train, 0, "knn: splits whose rows are searched, comma-separated (train)", "NAMES"},
        {"val", '\0', POPT_ARG_STRING, &o.val, 0, "splits that are judged, comma-separated (val)", "NAMES"},
        {"leave-one-out", '\0', POPT_ARG_NONE, &o.leave_one_out, 0, "knn: search the other sequences of --val", NULL},
        {"level", '\0', POPT_ARG_STRING, &o.levels, 0, "knn: rows are frames of the encoder (frame, default), snippet or sequence; comma-separated", "LIST"},
        {"snippet", '\0', POPT_ARG_DOUBLE, &o.snippet, 0, "knn: frames a snippet (300 / 19)", "FRAMES"},
        {"k", 'k', POPT_ARG_INT, &o.k, 0, "knn: neighbours that vote for classes and detections (20); 1, 5, 20 and 100 are told besides", "K"},
        {"tau", '\0', POPT_ARG_DOUBLE, &o.tau, 0, "knn: temperature of votes; 0: all equal (0.07)", "TAU"},
        {"ignore-unlabelled", '\0', POPT_ARG_NONE, &o.ignore_unlabelled, 0, "knn: frames without any segment do not count, instead of being background", NULL},
        {"value", '\0', POPT_ARG_STRING, &o.value, 0, "knn: which value of the model, such as q.enc.z1 (of a recipe its features, of a finetuned model enc)", "NAME"},
        {"weights", 'w', POPT_ARG_STRING, &o.weights, 0, "knn: weights by name (the newest checkpoint of the run)", "W"},
        {"prefix", '\0', POPT_ARG_STRING, &o.prefix, 0, "knn: take weights PREFIX.name of the file for name", "PREFIX"},
        {"module", 'm', POPT_ARG_STRING, &o.module, 0, "knn: the module that is the program", "NAME"},
        {"set", 's', POPT_ARG_ARGV, &o.set, 0, "knn: give a parameter of the program another value; may be repeated", "NAME=VALUE"},
        SN_CLI_THREADS(o, "threads; results do not depend on it"),
        {"scores-out", '\0', POPT_ARG_STRING, &o.scores_out, 0, "of MODEL: file for the frame probabilities", "S"},
        {"name", '\0', POPT_ARG_STRING, &o.name, 0, "of the setting; results of one name are repetitions", "NAME"},
        {"out", 'o', POPT_ARG_STRING, &o.out, 0, "file for the record of this result", "R.json"},
        {"detections-out", '\0', POPT_ARG_STRING, &o.detections_out, 0, "file for the detections made from scores", "D.csv"},
        {"json", '\0', POPT_ARG_NONE, &o.json, 0, "print the record: every AP, as fractions of 1", NULL},
        {"format", '\0', POPT_ARG_STRING, &o.form, 0, "of tables: text (default), csv, markdown", "FORM"},
        {"paper", '\0', POPT_ARG_STRING, &o.paper, 0, "of tables: the paper's rows first, knn-1 (subset 1) to -3, linear-, labels-, or pku; for results on its data", "TABLE"},
        {"classwise", '\0', POPT_ARG_NONE, &o.classwise, 0, "of several records: tables by class, too", NULL},
        POPT_AUTOHELP POPT_TABLEEND,
    };
    poptContext popt = poptGetContext("sinew evaluate", argc, argv, table, 0);
    poptSetOtherOptionHelp(popt, "--scores S|--detections D.csv --truth T.csv [--protocol NAME]\n       sinew evaluate MODEL --data SET [--knn]\n       sinew evaluate RECORD...\n\n"
                                 "Average precision of detections, given or made from frame probabilities, of a file, of a finetuned\nmodel, or of nearest neighbours of features; or tables over records of several results, mean and deviation over those of one name.\n"
                                 "Frames count from 0, ends are exclusive.  runtime/eval/README.md describes files and protocols.\n");
    int code = sn_cli_parse(popt, "evaluate", &plain, &count);
    if (code == 0) code = check_usage(&o, count);
    if (code == 0) code = o.knn ? evaluate_knn(&o, plain[0]) : o.data ? evaluate_model(&o, plain[0]) : count ? gather(&o, plain, count) : evaluate_files(&o);
    free(o.scores), free(o.detections), free(o.truth), free(o.video), free(o.name), free(o.out), free(o.form), free(o.paper), free(o.protocol), free(o.thresholds);
    free(o.classes), free(o.background), free(o.overlap), free(o.detections_out);
    free(o.data), free(o.train), free(o.val), free(o.levels), free(o.scores_out), free(o.weights), free(o.prefix), free(o.module), free(o.value);
    sn_cli_list_fini(o.set);
    poptFreeContext(popt);
    return code;
}
