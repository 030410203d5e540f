/* The verb `embed`: features of a data set as arrays, tables and a picture.
 * Not the work (embed.c). */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "embed.h"

typedef struct options {
    char        *data, *splits, *classes, *level, *weights, *prefix, *module, *value, *out, *table, *picture, *colour;
    const char **set;
    double       snippet, perplexity, theta, rate;
    int          threads, iterations, most, ignore_unlabelled, exact;
    long long    seed;
} options;

static bool colour_of(const char *text, sn_embed_colour *out)
{
    static const char *const word[] = {"class", "video", "time"};
    for (int i = 0; i < 3; i++)
        if (strcmp(text, word[i]) == 0) return *out = (sn_embed_colour)i, true;
    return false;
}

/* All that was asked for, from the rows. */
static sn_rt_status deliver(const options *o, const char *model, sn_embedding *e, sn_rt_error *err)
{
    const sn_rt_tsne how = {.perplexity = o->perplexity, .theta = o->exact ? -1 : o->theta, .rate = o->rate, .iterations = o->iterations, .seed = (uint64_t)o->seed,
                            .threads = o->threads};
    sn_embed_colour colour = e->classes ? SN_COLOUR_CLASS : SN_COLOUR_VIDEO;
    const char     *slash = strrchr(model, '/');
    char            title[300];
    sn_rt_status    status = SN_RT_OK;
    if (o->colour) colour_of(o->colour, &colour);
    if (o->picture) status = sn_embed_places(e, &how, (size_t)o->most, err);
    snprintf(title, sizeof title, "%s: %zu %ss", slash && slash[1] ? slash + 1 : model, e->points, sn_grain_name[e->grain]);
    if (status == SN_RT_OK && o->picture) status = sn_embed_picture(e, colour, title, o->picture, err);
    if (status == SN_RT_OK && o->table) status = sn_embed_table(e, o->table, err);
    if (status == SN_RT_OK && o->out) status = sn_embed_write(e, o->out, err);
    return status;
}

static int embed(const options *o, const char *model)
{
    char        cache[4096];
    sn_rt_error err = {""};
    const sn_features_how features = {.model = model, .weights = o->weights, .prefix = o->prefix, .module = o->module, .value = o->value, .set = o->set,
                                      .sets = sn_cli_count(o->set), .cache_dir = sn_cache_dir(cache, sizeof cache), .threads = o->threads};
    sn_embed_how how = {.data = o->data, .splits = o->splits, .classes = o->classes, .snippet_frames = o->snippet, .ignore_unlabelled = o->ignore_unlabelled};
    sn_extractor x;
    sn_embedding e = {0};
    int          code = SN_EXIT_FAILED;
    sn_grain_of(o->level ? o->level : "frame", &how.grain);
    if (!sn_extractor_open(&x, &features, &err)) {
        if (x.diags.errors) sn_cli_report(&x.diags);
        else sn_cli_fail("embed", SN_EXIT_FAILED, "%s", err.text);
    } else if (sn_embed_rows(&how, &x, &e, &err) != SN_RT_OK || deliver(o, model, &e, &err) != SN_RT_OK) {
        sn_cli_fail("embed", SN_EXIT_FAILED, "%s", err.text);
    } else {
        printf("%zu %ss of %zu features\n", e.rows.count, sn_grain_name[e.grain], e.rows.width);
        if (o->picture) printf("t-SNE of %zu: divergence %.3f\n", e.points, e.divergence);
        code = SN_EXIT_OK;
    }
    sn_embed_fini(&e);
    sn_extractor_close(&x);
    return code;
}

static int check_usage(const options *o, uint32_t files)
{
    sn_grain        grain;
    sn_embed_colour colour;
    if (files != 1) return sn_cli_usage("embed", files ? "one MODEL at a time" : "MODEL is missing: a graph file or the folder of a run");
    if (!o->data) return sn_cli_usage("embed", "--data SET is missing");
    if (!o->out && !o->table && !o->picture) return sn_cli_usage("embed", "nothing to write: give --out, --table or --picture");
    if (o->level && !sn_grain_of(o->level, &grain)) return sn_cli_usage("embed", "--level %s: expected frame, snippet or sequence", o->level);
    if (o->colour && !colour_of(o->colour, &colour)) return sn_cli_usage("embed", "--colour %s: expected class, video or time", o->colour);
    if (!(o->snippet >= 1)) return sn_cli_usage("embed", "--snippet is at least 1");
    if (!(o->perplexity >= 0) || !(o->theta >= 0 && o->theta <= 1) || !(o->rate >= 0) || o->iterations < 0 || o->most < 4 || o->seed < 0)
        return sn_cli_usage("embed", "--perplexity, --rate, --iterations and --seed are not below 0, --theta is 0 to 1, --most at least 4");
    if (sn_cli_threads_fault(o->threads)) return sn_cli_usage("embed", "%s", sn_cli_threads_fault(o->threads));
    return SN_EXIT_OK;
}

int sn_cmd_embed(int argc, const char **argv)
{
    options      o = {.snippet = 300.0 / 19, .most = 5000};
    const char **file;
    uint32_t     files;
    const struct poptOption table[] = {
        {"data", '\0', POPT_ARG_STRING, &o.data, 0, "data set made by sinew import", "SET"},
        {"out", 'o', POPT_ARG_STRING, &o.out, 0, "features: .npy, or safetensors with classes and places", "F"},
        {"table", '\0', POPT_ARG_STRING, &o.table, 0, "what each row shows: video, start, end, seconds, class, and its place", "T.csv"},
        {"picture", '\0', POPT_ARG_STRING, &o.picture, 0, "t-SNE of the rows, as PNG", "P.png"},
        {"colour", '\0', POPT_ARG_STRING, &o.colour, 0, "of points: class (default if there are labels), video or time", "BY"},
        {"level", '\0', POPT_ARG_STRING, &o.level, 0, "rows are frames of the encoder (frame, default), snippet or sequence", "LEVEL"},
        {"snippet", '\0', POPT_ARG_DOUBLE, &o.snippet, 0, "frames a snippet (300 / 19)", "FRAMES"},
        {"splits", '\0', POPT_ARG_STRING, &o.splits, 0, "splits of the data set, comma-separated (all)", "NAMES"},
        {"classes", '\0', POPT_ARG_STRING, &o.classes, 0, "labels that are told apart, comma-separated (all)", "A,B,..."},
        {"ignore-unlabelled", '\0', POPT_ARG_NONE, &o.ignore_unlabelled, 0, "frames without any segment have no class, instead of background", NULL},
        {"value", '\0', POPT_ARG_STRING, &o.value, 0, "which value of the model, such as q.enc.z1 (of a recipe its features, of a finetuned model enc)", "NAME"},
        {"weights", 'w', POPT_ARG_STRING, &o.weights, 0, "weights by name (the newest checkpoint of the run)", "W"},
        {"prefix", '\0', POPT_ARG_STRING, &o.prefix, 0, "take weights PREFIX.name of the file for name", "PREFIX"},
        SN_CLI_PROGRAM_OPTIONS(o),
        {"perplexity", '\0', POPT_ARG_DOUBLE, &o.perplexity, 0, "of t-SNE (30)", "P"},
        {"theta", '\0', POPT_ARG_DOUBLE, &o.theta, 0, "of its tree (0.5)", "THETA"},
        {"exact", '\0', POPT_ARG_NONE, &o.exact, 0, "every pair instead of the tree", NULL},
        {"rate", '\0', POPT_ARG_DOUBLE, &o.rate, 0, "of its descent (rows / 48, at least 50)", "RATE"},
        {"iterations", '\0', POPT_ARG_INT, &o.iterations, 0, "of its descent (1000)", "N"},
        {"most", '\0', POPT_ARG_INT, &o.most, 0, "rows in the picture, evenly chosen (5000)", "N"},
        {"seed", '\0', POPT_ARG_LONGLONG, &o.seed, 0, "of the first places (0)", "S"},
        SN_CLI_THREADS(o, "threads; results do not depend on it"),
        POPT_AUTOHELP POPT_TABLEEND,
    };
    poptContext popt = poptGetContext("sinew embed", argc, argv, table, 0);
    poptSetOtherOptionHelp(popt, "MODEL --data SET [--out F] [--table T.csv] [--picture P.png]\n\n"
                                 "Features that a model gives for whole recordings, and a picture of which are near each other.\n"
                                 "MODEL is the folder of a run of sinew pretrain or finetune, a model file, or a graph file with --weights.\n");
    int code = sn_cli_parse(popt, "embed", &file, &files);
    if (code == 0) code = check_usage(&o, files);
    if (code == 0) code = embed(&o, file[0]);
    free(o.data), free(o.splits), free(o.classes), free(o.level), free(o.weights), free(o.prefix), free(o.module), free(o.value), free(o.out), free(o.table);
    free(o.picture), free(o.colour);
    sn_cli_list_fini(o.set);
    poptFreeContext(popt);
    return code;
}
