/* The verb `compose`: clips of a data set put together to longer sequences, as a table says.
 * Not the joining (runtime/data/compose.c). */
#include "cli.h"

#include "../runtime/data/compose.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct options {
    char  *table, *prefix, *split, *output;
    double blend; /* seconds */
    int    append;
} options;

/* The set to add to: what --append finds, or a new one. */
static sn_rt_status open_output(const options *o, sn_rt_dataset **out, sn_rt_error *err)
{
    if (o->append && access(o->output, F_OK) == 0) return sn_rt_dataset_open(o->output, out, err);
    *out = sn_rt_dataset_new("ntu25");
    return *out ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "no memory");
}

static int compose(const char *path, const options *o)
{
    sn_rt_dataset *clips = NULL, *out = NULL;
    sn_rt_error    err = {""};
    size_t         added = 0;
    sn_rt_status   status = sn_rt_dataset_open(path, &clips, &err);
    if (status == SN_RT_OK) status = open_output(o, &out, &err);
    if (status == SN_RT_OK) {
        double fps = sn_rt_dataset_count(clips) ? sn_rt_dataset_at(clips, 0)->fps : 0;
        sn_rt_compose how = {.table = o->table, .prefix = o->prefix, .split = o->split, .blend = (uint32_t)(o->blend * fps + 0.5)};
        status = sn_rt_compose_add(clips, &how, out, &added, &err);
    }
    if (status == SN_RT_OK && added == 0) status = sn_rt_fail(&err, SN_RT_ARGUMENT, "%s: no sequence is to be made", o->table);
    if (status == SN_RT_OK) status = sn_rt_dataset_write(out, o->output, &err);
    if (status == SN_RT_OK) printf("wrote %s: %zu sequences composed, %zu in all\n", o->output, added, sn_rt_dataset_count(out));
    sn_rt_dataset_free(clips);
    sn_rt_dataset_free(out);
    return status == SN_RT_OK ? SN_EXIT_OK : sn_cli_fail("compose", SN_EXIT_FAILED, "%s", err.text);
}

int sn_cmd_compose(int argc, const char **argv)
{
    options      o = {.blend = 0.2};
    const char **word;
    uint32_t     words;
    const struct poptOption table[] = {
        {"table", '\0', POPT_ARG_STRING, &o.table, 0, "a row a clip: seq,fps,start_frame,end_frame,label,clip,source", "CSV"},
        {"output", 'o', POPT_ARG_STRING, &o.output, 0, "data set to write", "SET"},
        {"append", '\0', POPT_ARG_NONE, &o.append, 0, "keep what SET holds already and add to it", NULL},
        {"split", '\0', POPT_ARG_STRING, &o.split, 0, "split of the sequences: pretrain, train (default), val or test", "NAME"},
        {"prefix", '\0', POPT_ARG_STRING, &o.prefix, 0, "make only sequences whose name begins so", "TEXT"},
        {"blend", '\0', POPT_ARG_DOUBLE, &o.blend, 0, "time over which a clip's first pose leaves the last one before it (0.2)", "SECONDS"},
        POPT_AUTOHELP POPT_TABLEEND};
    poptContext popt = poptGetContext("sinew compose", argc, argv, table, 0);
    poptSetOtherOptionHelp(popt, "CLIPS --table CSV -o SET\n\nPut clips of the data set CLIPS one after another, as the table says, turned to go on in the direction in which "
                                 "the one\nbefore ended. Labels are exact; transitions are made, not performed: say \"composite\" wherever a score on them is reported.\n");
    int code = sn_cli_parse(popt, "compose", &word, &words);
    if (!o.split) o.split = strdup("train");
    if (code == 0) {
        if (words != 1) code = sn_cli_usage("compose", "one data set CLIPS is expected");
        else if (!o.table || !o.output) code = sn_cli_usage("compose", "%s is missing", o.table ? "-o SET" : "--table CSV");
        else if (!(o.blend >= 0 && o.blend <= 10)) code = sn_cli_usage("compose", "--blend is 0 to 10");
        else code = compose(word[0], &o);
    }
    free(o.table);
    free(o.prefix);
    free(o.split);
    free(o.output);
    poptFreeContext(popt);
    return code;
}
