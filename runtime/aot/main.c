/* The executable of a library: arrays in, arrays out; of a model that tells classes of frames apart: recordings in, segments out.
 * Not the library's functions (library.c), not the segments (localize.c).
 *
 *     NAME --in x=clip.npy --out DIR       every input from a file, every output to DIR/OUTPUT.npy
 *     NAME walk.bvh -o features.npy        the first input alone, the only output
 *     NAME walk.bvh -o all.safetensors     all outputs in one file
 *     NAME walk.bvh run.bvh                segments
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../data/npy.h"
#include "aot.h"
#include "files.h"

enum { MAX_FACES = 64, DONE = 0, FAILED = 1, WRONG_USAGE = 2 };

typedef struct job {
    const sn_abi_artifact *a;
    const char *in[MAX_FACES];  /* per input: its file */
    const char *out, *folder, *cpu, *weights, *asf;
    double      fps;
    int         inputs, outputs, threads;
    char      **path;           /* recordings whose segments are wanted */
    int         paths;
    sn_aot_localizing how;
    sn_rt_array array[MAX_FACES];
    int64_t    *extent;
    sn_aot         *model;
    sn_aot_session *session;
} job;

static int fail(const job *j, const char *text)
{
    fprintf(stderr, "%s: %s\n", j->a->name, text);
    return FAILED;
}

static int wrong(const job *j, const char *what, const char *detail)
{
    fprintf(stderr, "%s: %s%s; try: %s --help\n", j->a->name, what, detail, j->a->name);
    return WRONG_USAGE;
}

static sn_aot_tensor input(const job *j, int i)
{
    sn_aot_tensor t = {0};
    sn_aot_describe_input(j->a, i, &t);
    return t;
}

static sn_aot_tensor output(const job *j, int i)
{
    sn_aot_tensor t = {0};
    sn_aot_describe_output(j->a, i, &t);
    return t;
}

/* Is the input a batch of clips of 25 joints in space? */
static bool takes_motion(const job *j, int i)
{
    sn_aot_tensor t = input(j, i);
    return t.rank == 4 && t.dim[0] < 0 && t.dim[1] < 0 && t.dim[2] == 25 && t.dim[3] == 3;
}

static void help_segments(const job *j)
{
    const sn_abi_tagging *g = j->a->tagging;
    const sn_aot_tensor   in = input(j, 0);
    char                  persons[24] = "";
    if (in.rank == 5) snprintf(persons, sizeof persons, "%d,", (int)in.dim[1]);
    printf("Usage: %s [OPTION...] MOTION...\n  or:  %s [OPTION...] (-o FILE | -O DIR) FILE\n\nSay what happens when in recordings (.bvh, .amc, .skeleton of NTU RGB+D, .txt of\n"
           "PKU-MMD, .npy), or run the model on arrays (.npy).  Arrays of a recording are\nf32[%sT,%d,3], %g frames a second.  Classes:",
           j->a->name, j->a->name, persons, (int)in.dim[in.rank - 2], g->fps);
    for (uint64_t k = 0; k < g->classes; k++) printf(" %s", g->label[k]);
    printf("\n\n      --json           print JSON instead of a table\n"
           "      --csv FILE       write the segments, frames and seconds\n"
           "      --scores FILE    write the scores of one recording, [frames, classes + 1], background last, as .npy\n"
           "      --shortest S     leave out segments below this many seconds (0.1)\n\n");
}

static void help(const job *j)
{
    if (j->a->tagging) help_segments(j);
    else printf("Usage: %s [OPTION...] [FILE]\n\nRun the model on arrays (.npy)%s.\n\n", j->a->name, takes_motion(j, 0) ? " or recorded motion (.bvh, .amc)" : "");
    for (int i = 0; i < j->inputs; i++) printf("  input   %-16s %s\n", input(j, i).name, input(j, i).shape);
    for (int i = 0; i < j->outputs; i++) printf("  output  %-16s %s\n", output(j, i).name, output(j, i).shape);
    printf("\n  -i, --in NAME=FILE   file of an input; FILE alone is the first input's\n"
           "  -o, --output FILE    the output as .npy, or any number of outputs as .safetensors\n"
           "  -O, --out DIR        folder for OUTPUT.npy of every output\n"
           "      --threads N      threads; results do not depend on it\n"
           "      --cpu LEVEL      code for this processor level instead of the best:");
    for (uint32_t v = 0; v < j->a->variants; v++) printf(" %s", j->a->variant[v].cpu);
    if (takes_motion(j, 0) && !j->a->tagging) printf("\n      --fps F          frames a second that motion is brought to (30), as the training set was");
    if (takes_motion(j, 0)) printf("\n      --asf FILE       skeleton of an .amc file that has none beside it");
    if (*j->a->file) printf("\n      --weights FILE   instead of %s in the working directory", j->a->file);
    printf("\n  -h, --help           this text\n");
}

/* ---- arguments ---------------------------------------------------------------------------------------------------------- */

static bool is_set(const char *path)
{
    static const char ending[] = ".safetensors";
    size_t n = strlen(path), k = sizeof ending - 1;
    return n > k && strcmp(path + n - k, ending) == 0;
}

static int take_input(job *j, const char *pair)
{
    const char *equals = strchr(pair, '=');
    for (int i = 0; equals && i < j->inputs; i++)
        if (strlen(input(j, i).name) == (size_t)(equals - pair) && memcmp(input(j, i).name, pair, (size_t)(equals - pair)) == 0) {
            if (j->in[i]) return wrong(j, "an input was given twice: ", pair);
            j->in[i] = equals + 1;
            return DONE;
        }
    return wrong(j, "no such input: ", pair);
}

static int take_threads(job *j, const char *text)
{
    char *end;
    long  n = strtol(text, &end, 10);
    if (*end || end == text || n < 0 || n > SN_RT_MAX_THREADS) return wrong(j, "--threads: expected 0 to 1024, not ", text);
    j->threads = (int)n;
    return DONE;
}

static int take_shortest(job *j, const char *text)
{
    char *end;
    j->how.shortest = strtod(text, &end);
    return *end || end == text || !(j->how.shortest >= 0) || j->how.shortest > 1e6 ? wrong(j, "--shortest: expected seconds, not ", text) : DONE;
}

static int take_fps(job *j, const char *text)
{
    if (j->a->tagging) return wrong(j, "--fps: the model has its own rate", "");
    char *end;
    j->fps = strtod(text, &end);
    return *end || end == text || !(j->fps > 0) || j->fps > 1e6 ? wrong(j, "--fps: expected a positive number, not ", text) : DONE;
}

static int take_recordings(job *j, char **path, int paths)
{
    if (!paths) return wrong(j, "MOTION is missing", "");
    for (int i = 0; i < j->inputs; i++)
        if (j->in[i]) return wrong(j, "--in is for arrays, with --output FILE or --out DIR: ", j->in[i]);
    if (j->how.scores && paths > 1) return wrong(j, "--scores is for one recording: ", j->how.scores);
    j->path = path;
    j->paths = paths;
    return DONE;
}

/* DONE with *out_run false after help. */
static int take_arguments(job *j, int argc, char **argv, bool *out_run)
{
    enum { THREADS = 256, CPU, WEIGHTS, FPS, ASF, SEGMENTS, JSON = SEGMENTS, CSV, SCORES, SHORTEST };
    static const struct option option[] = {{"in", required_argument, NULL, 'i'}, {"output", required_argument, NULL, 'o'},
        {"out", required_argument, NULL, 'O'}, {"threads", required_argument, NULL, THREADS}, {"cpu", required_argument, NULL, CPU},
        {"weights", required_argument, NULL, WEIGHTS},
        {"fps", required_argument, NULL, FPS}, {"asf", required_argument, NULL, ASF}, {"json", no_argument, NULL, JSON},
        {"csv", required_argument, NULL, CSV}, {"scores", required_argument, NULL, SCORES}, {"shortest", required_argument, NULL, SHORTEST},
        {"help", no_argument, NULL, 'h'}, {0}};
    int c, code = DONE;
    *out_run = false;
    opterr = 0;
    while (code == DONE && (c = getopt_long(argc, argv, ":hi:o:O:", option, NULL)) != -1) {
        if (c >= SEGMENTS && !j->a->tagging) code = wrong(j, "unknown option ", argv[optind - 1]);
        else if (c == JSON) j->how.json = 1;
        else if (c == CSV) j->how.csv = optarg;
        else if (c == SCORES) j->how.scores = optarg;
        else if (c == SHORTEST) code = take_shortest(j, optarg);
        else if (c == 'i') code = take_input(j, optarg);
        else if (c == 'o') j->out = optarg;
        else if (c == 'O') j->folder = optarg;
        else if (c == THREADS) code = take_threads(j, optarg);
        else if (c == CPU) j->cpu = optarg;
        else if (c == WEIGHTS) j->weights = optarg;
        else if (c == FPS) code = take_fps(j, optarg);
        else if (c == ASF) j->asf = optarg;
        else if (c == ':') code = wrong(j, argv[optind - 1], " wants a value");
        else if (c == 'h') return help(j), *out_run = false, DONE;
        else code = wrong(j, "unknown option ", argv[optind - 1]);
    }
    if (code != DONE) return code;
    *out_run = true;
    if (j->a->tagging && !j->out && !j->folder) return take_recordings(j, argv + optind, argc - optind);
    if (optind < argc && !j->in[0]) j->in[0] = argv[optind++];
    if (optind < argc) return wrong(j, "one argument too many: ", argv[optind]);
    for (int i = 0; i < j->inputs; i++)
        if (!j->in[i]) return wrong(j, "no file for input ", input(j, i).name);
    if (!j->out == !j->folder) return wrong(j, "one of --output FILE and --out DIR", "");
    if (j->out && j->outputs != 1 && !is_set(j->out)) return wrong(j, "an .npy file holds one output; --out DIR, or .safetensors instead of ", j->out);
    for (int i = 0; i < j->inputs; i++)
        if (sn_aot_is_motion(j->in[i]) && !takes_motion(j, i)) return wrong(j, "motion is for inputs f32[N,T,25,3], which this is not: ", input(j, i).name);
    return DONE;
}

/* ---- the run ------------------------------------------------------------------------------------------------------------ */

static int misfit(job *j, int i)
{
    char found[160], text[512];
    sn_rt_shape_text(j->array[i].elem, j->array[i].rank, j->array[i].dims, found, sizeof found);
    snprintf(text, sizeof text, "%s: input %s: found %s, expected %s", j->in[i], input(j, i).name, found, input(j, i).shape);
    return fail(j, text);
}

static int read_inputs(job *j)
{
    const sn_abi_program *p = j->a->variant[0].program;
    sn_rt_error err;
    for (int i = 0; i < j->inputs; i++) {
        sn_rt_status status = sn_aot_is_motion(j->in[i]) ? sn_aot_read_motion(j->in[i], j->fps, j->asf, &j->array[i], NULL, &err)
                                                         : sn_rt_npy_read(j->in[i], &j->array[i], &err);
        if (status == SN_RT_OK) status = sn_rt_array_finite(&j->array[i], j->in[i], &err);
        if (status != SN_RT_OK) return fail(j, err.text);
    }
    for (uint32_t k = 0, i = 0; k < p->params; k++) {
        if (p->param[k].kind != SN_ABI_INPUT) continue;
        const sn_rt_array *a = &j->array[i];
        if (a->elem != SN_RT_ELEM_F32 || !sn_rt_program_fits(p, &p->param[k].type, a->rank, a->dims, j->extent)) return misfit(j, (int)i);
        i++;
    }
    for (uint32_t s = 0; s < p->symbols; s++)
        if (!j->extent[s]) return fail(j, "a free dimension is given by no input");
    return DONE;
}

static int set_inputs(job *j)
{
    sn_rt_error err;
    for (int i = 0; i < j->inputs; i++) {
        const sn_rt_array *a = &j->array[i];
        if (sn_aot_set_input(j->session, i, a->data, (int64_t)(a->bytes / sizeof(float)), &err) != SN_RT_OK) return misfit(j, i);
    }
    return DONE;
}

static sn_rt_array result(const job *j, int i)
{
    int64_t     dims[SN_ABI_MAX_RANK];
    sn_rt_array a = {.name = output(j, i).name, .elem = SN_RT_ELEM_F32, .rank = (uint32_t)sn_aot_output_dims(j->session, i, dims),
                     .bytes = sizeof(float), .data = (void *)(uintptr_t)sn_aot_output(j->session, i)};
    for (uint32_t d = 0; d < a.rank; d++) a.bytes *= (size_t)(a.dims[d] = (uint64_t)dims[d]);
    return a;
}

static int write_outputs(job *j)
{
    char         path[4200];
    sn_rt_error  err;
    sn_rt_array  array[MAX_FACES];
    sn_rt_status status = SN_RT_OK;
    if (j->folder && mkdir(j->folder, 0777) != 0 && errno != EEXIST) {
        snprintf(path, sizeof path, "%s: %s", j->folder, strerror(errno));
        return fail(j, path);
    }
    for (int i = 0; i < j->outputs; i++) array[i] = result(j, i);
    if (!j->folder && is_set(j->out)) status = sn_aot_write_tensors(j->out, array, j->outputs, &err);
    for (int i = 0; i < j->outputs && status == SN_RT_OK && (j->folder || !is_set(j->out)); i++) {
        if (j->folder) snprintf(path, sizeof path, "%s/%s.npy", j->folder, array[i].name);
        else snprintf(path, sizeof path, "%s", j->out);
        status = sn_rt_npy_write(path, &array[i], &err);
    }
    return status == SN_RT_OK ? DONE : fail(j, err.text);
}

static int run(job *j)
{
    sn_rt_error err;
    if (sn_aot_load(j->a, j->weights, j->cpu, &j->model, &err) != SN_RT_OK) return fail(j, err.text);
    if (j->paths) {
        j->how.asf = j->asf;
        j->how.threads = j->threads;
        return sn_aot_localize(j->model, &j->how, j->path, j->paths, &err) == SN_RT_OK ? DONE : fail(j, err.text);
    }
    int code = read_inputs(j);
    if (code != DONE) return code;
    if (sn_aot_session_new(j->model, j->extent, j->threads, &j->session, &err) != SN_RT_OK) return fail(j, err.text);
    code = set_inputs(j);
    if (code != DONE) return code;
    if (sn_aot_run(j->session, &err) != SN_RT_OK) return fail(j, err.text);
    return write_outputs(j);
}

int sn_aot_main(const sn_abi_artifact *a, int argc, char **argv)
{
    job           j = {.a = a, .fps = a->tagging ? a->tagging->fps : 30, .how = {.shortest = 0.1}};
    sn_aot_tensor t;
    bool          wanted;
    while (sn_aot_describe_input(a, j.inputs, &t) == SN_RT_OK) j.inputs++;
    while (sn_aot_describe_output(a, j.outputs, &t) == SN_RT_OK) j.outputs++;
    if (j.inputs > MAX_FACES || j.outputs > MAX_FACES) return fail(&j, "a model of more than 64 inputs or outputs has no executable");
    int code = take_arguments(&j, argc, argv, &wanted);
    if (code == DONE && wanted) {
        j.extent = calloc(a->variant[0].program->symbols + 1, sizeof *j.extent);
        code = j.extent ? run(&j) : fail(&j, "there is no memory");
    }
    sn_aot_session_free(j.session);
    sn_aot_free(j.model);
    for (int i = 0; i < j.inputs; i++) sn_rt_array_fini(&j.array[i]);
    free(j.extent);
    return fflush(stdout) == 0 ? code : FAILED;
}
