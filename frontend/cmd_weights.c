/* The verb `weights`: state dictionaries of public implementations into weights for the graph files, and back.
 * Not the conversion (weights.c) nor its tables (weights_rules.c). */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "weights.h"

typedef struct options {
    char *output, *prefix, *stream;
} options;

static void say(void *ctx, const char *text)
{
    (void)ctx;
    fprintf(stderr, "sinew weights: %s\n", text);
}

static void print_report(const sn_weights_source *s, const options *o, const sn_weights_report *r)
{
    printf("%s: %zu tensors, %zu numbers (%s)\n", o->output, r->mapped, r->numbers, s->about);
    for (uint32_t i = 0; i < r->absents; i++) printf("  the file has no %s\n", r->absent[i]);
    if (r->kept) printf("  %zu tensors without a counterpart carried along unchanged\n", r->kept);
    if (r->ignored) printf("  %zu tensors left out: optimiser, queue positions, or outside the prefix\n", r->ignored);
}

/* The stream as it stands in names. */
static const char *stream_suffix(const char *stream)
{
    if (!stream || strcmp(stream, "joint") == 0) return "";
    return strcmp(stream, "motion") == 0 ? "_motion" : strcmp(stream, "bone") == 0 ? "_bone" : NULL;
}

static int weights(const sn_weights_source *source, bool to, const char *file, const options *o)
{
    sn_rt_error       err = {""};
    sn_weights_report report;
    sn_rt_tensors    *in = NULL, *out = sn_rt_tensors_new();
    char              prefix[256];
    int               code = SN_EXIT_OK;
    snprintf(prefix, sizeof prefix, "%s%s", o->prefix ? o->prefix : "", o->prefix && *o->prefix ? "." : "");
    const sn_weights_job job = {source, to, file, prefix, stream_suffix(o->stream)};
    if (!out) code = sn_cli_fail("weights", SN_EXIT_FAILED, "no memory");
    else if (sn_rt_tensors_read(file, &in, &err) != SN_RT_OK) code = sn_cli_fail("weights", SN_EXIT_FAILED, "%s", err.text);
    else if (!sn_weights_convert(&job, in, out, &report, say, NULL)) code = SN_EXIT_FAILED;
    else if (sn_rt_tensors_write(out, o->output, &err) != SN_RT_OK) code = sn_cli_fail("weights", SN_EXIT_FAILED, "%s", err.text);
    else print_report(source, o, &report);
    sn_rt_tensors_free(in);
    sn_rt_tensors_free(out);
    return code;
}

static const char *source_names(void)
{
    static char text[256];
    const sn_weights_source *s;
    *text = '\0';
    for (uint32_t i = 0; (s = sn_weights_source_at(i)); i++) snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? ", " : "", s->name);
    return text;
}

static int check_usage(const options *o, const char **word, uint32_t words)
{
    if (words == 0 || (strcmp(word[0], "from") != 0 && strcmp(word[0], "to") != 0)) return sn_cli_usage("weights", "expected from or to, a source and a file");
    if (words < 2) return sn_cli_usage("weights", "SOURCE is missing (%s)", source_names());
    const sn_weights_source *source = sn_weights_source_of(word[1]);
    if (!source) return sn_cli_usage("weights", "no source \"%s\"; there are %s", word[1], source_names());
    if (words != 3) return sn_cli_usage("weights", words < 3 ? "IN.safetensors is missing" : "one file at a time");
    if (!o->output || !*o->output) return sn_cli_usage("weights", "-o OUT.safetensors is missing");
    if (!stream_suffix(o->stream)) return sn_cli_usage("weights", "--stream is joint, motion or bone");
    if (o->stream && !source->others) return sn_cli_usage("weights", "--stream: %s has one stream", source->name);
    if (o->prefix && strlen(o->prefix) > 128) return sn_cli_usage("weights", "--prefix is too long");
    return SN_EXIT_OK;
}

int sn_cmd_weights(int argc, const char **argv)
{
    options o = {0};
    const char **word;
    uint32_t words;
    const struct poptOption table[] = {
        {"output", 'o', POPT_ARG_STRING, &o.output, 0, "file to write", "OUT.safetensors"},
        {"prefix", '\0', POPT_ARG_STRING, &o.prefix, 0, "our weights are PREFIX.name: an encoder within a recipe, such as q.enc", "PREFIX"},
        {"stream", '\0', POPT_ARG_STRING, &o.stream, 0, "of crossclr: joint (default), motion or bone", "STREAM"},
        POPT_AUTOHELP POPT_TABLEEND,
    };
    poptContext popt = poptGetContext("sinew weights", argc, argv, table, 0);
    char text[1400];
    snprintf(text, sizeof text,
             "from|to SOURCE IN.safetensors -o OUT.safetensors\n\n"
             "from: the state dictionary of a public PyTorch implementation, saved as safetensors, into weights for the graph files.\n"
             "to:   the reverse.  Tensors without a counterpart (classifiers, constants) travel as \"kept:NAME\", so from and then to is lossless.\n\n"
             "SOURCE: %s.\nfrontend/WEIGHTS.md says which graph file each is for, and how a .pt or .pth file becomes .safetensors.\n", source_names());
    poptSetOtherOptionHelp(popt, text);
    int code = sn_cli_parse(popt, "weights", &word, &words);
    if (code == 0) code = check_usage(&o, word, words);
    if (code == 0) code = weights(sn_weights_source_of(word[1]), strcmp(word[0], "to") == 0, word[2], &o);
    free(o.output), free(o.prefix), free(o.stream);
    poptFreeContext(popt);
    return code;
}
