/* The verb `evaluate`: how good detections, frame scores or features are, and tables over several such results.
 * Not the evaluating (evaluate.c). */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "evaluate.h"

typedef struct options {
    char      *scores, *detections, *truth, *video, *name, *out, *form;
    char      *protocol, *thresholds, *classes, *background, *overlap, *detections_out;
    double     fps;
    int        json, classwise, padded, actions;
    sn_judging judging;
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
    else if (status == SN_RT_OK) status = sn_record_tables(&record, 1, true, form_of(o), stdout, &err);
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
    if (status == SN_RT_OK) status = sn_record_tables(record, count, o->classwise != 0, form_of(o), stdout, &err);
    for (uint32_t i = 0; record && i < count; i++) json_decref(record[i]);
    free(record);
    return status == SN_RT_OK ? SN_EXIT_OK : sn_cli_fail("evaluate", SN_EXIT_FAILED, "%s", err.text);
}

static int check_usage(options *o, uint32_t plain)
{
    sn_rt_error err = {""};
    if (o->form && strcmp(o->form, "text") != 0 && strcmp(o->form, "csv") != 0 && strcmp(o->form, "markdown") != 0)
        return sn_cli_usage("evaluate", "--format %s: expected text, csv or markdown", o->form);
    if (o->overlap && strcmp(o->overlap, "smallest") != 0 && strcmp(o->overlap, "error") != 0)
        return sn_cli_usage("evaluate", "--overlap %s: expected error or smallest", o->overlap);
    if (!(o->fps >= 0) || o->padded < 0 || o->actions < 0) return sn_cli_usage("evaluate", "--fps, --padded and --actions are not below 0");
    if (o->scores && o->detections) return sn_cli_usage("evaluate", "--scores and --detections exclude each other");
    if ((o->scores || o->detections) && !o->truth) return sn_cli_usage("evaluate", "--truth T.csv is missing");
    if ((o->scores || o->detections) && plain) return sn_cli_usage("evaluate", "records of results go without --scores and --detections");
    if (!o->scores && !o->detections && !plain) return sn_cli_usage("evaluate", "nothing to evaluate: give --scores, --detections, or records of results");
    o->judging = (sn_judging){.protocol = o->protocol ? o->protocol : "babel", .thresholds = o->thresholds ? o->thresholds : "both", .classes = o->classes,
                              .background = o->background, .detections_out = o->detections_out, .fps = o->fps, .padded = (size_t)o->padded,
                              .actions = (uint32_t)o->actions, .smallest = o->overlap && strcmp(o->overlap, "smallest") == 0};
    return sn_judging_check(&o->judging, &err) == SN_RT_OK ? SN_EXIT_OK : sn_cli_usage("evaluate", "%s", err.text);
}

int sn_cmd_evaluate(int argc, const char **argv)
{
    options      o = {0};
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
        {"fps", '\0', POPT_ARG_DOUBLE, &o.fps, 0, "rate of scores or detections, if it is not that of the truth's own frames", "HZ"},
        {"overlap", '\0', POPT_ARG_STRING, &o.overlap, 0, "of truths in BABEL: error (default), or smallest: the first class wins", "RULE"},
        {"padded", '\0', POPT_ARG_INT, &o.padded, 0, "of pku: smooth over padding up to so many frames, as the original does", "FRAMES"},
        {"actions", '\0', POPT_ARG_INT, &o.actions, 0, "of pku-official: classes that mAP_action is divided by (51)", "N"},
        {"name", '\0', POPT_ARG_STRING, &o.name, 0, "of the setting; results of one name are repetitions", "NAME"},
        {"out", 'o', POPT_ARG_STRING, &o.out, 0, "file for the record of this result", "R.json"},
        {"detections-out", '\0', POPT_ARG_STRING, &o.detections_out, 0, "file for the detections made from scores", "D.csv"},
        {"json", '\0', POPT_ARG_NONE, &o.json, 0, "print the record: every AP, as fractions of 1", NULL},
        {"format", '\0', POPT_ARG_STRING, &o.form, 0, "of tables: text (default), csv, markdown", "FORM"},
        {"classwise", '\0', POPT_ARG_NONE, &o.classwise, 0, "of several records: tables by class, too", NULL},
        POPT_AUTOHELP POPT_TABLEEND,
    };
    poptContext popt = poptGetContext("sinew evaluate", argc, argv, table, 0);
    poptSetOtherOptionHelp(popt, "--scores S|--detections D.csv --truth T.csv [--protocol NAME]\n       sinew evaluate RECORD...\n\n"
                                 "Average precision of detections; or tables over records of several results, mean and deviation over those of one name.\n"
                                 "Frames count from 0, ends are exclusive.  runtime/eval/README.md describes files and protocols.\n");
    int code = sn_cli_parse(popt, "evaluate", &plain, &count);
    if (code == 0) code = check_usage(&o, count);
    if (code == 0) code = count ? gather(&o, plain, count) : evaluate_files(&o);
    free(o.scores), free(o.detections), free(o.truth), free(o.video), free(o.name), free(o.out), free(o.form), free(o.protocol), free(o.thresholds);
    free(o.classes), free(o.background), free(o.overlap), free(o.detections_out);
    poptFreeContext(popt);
    return code;
}
