/* The verb `import`: motion files into a data set.
 * Not the readers (runtime/data): this finds files, names sequences, and reports. */
#include "cli.h"

#include "../runtime/data/families.h"
#include "../runtime/data/file.h"
#include "../runtime/data/import.h"
#include "../runtime/data/labels.h"
#include "../runtime/data/motion.h"

#include <ctype.h>
#include <fts.h>
#include <popt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* A motion file to import. */
typedef struct found {
    char *path;
    char *id;
    int named; /* given on the command line, not met in a folder: its failure is the command's */
} found;

/* What the command line says, and what happened. */
typedef struct importing {
    sn_rt_import how;
    char *output;
    const char **labels, **splits, **skip_lists;
    const char *pku_labels, *pku_splits;
    char *family, *protocol, *sample_labels;
    int family_frames;
    int raw, all_frames, append, strict;
    found *file;
    size_t files, capacity;
    size_t others;    /* files met in folders that are of another kind */
    size_t listed;    /* files met in folders that a skip list names */
    size_t skipped, failed_named, borrowed_asf, empty;
    sn_rt_dataset *set;
} importing;

static int fail(const char *format, const char *a)
{
    fflush(stdout);
    fprintf(stderr, "sinew import: ");
    fprintf(stderr, format, a);
    fputc('\n', stderr);
    return SN_EXIT_FAILED;
}

static int has_suffix(const char *path, const char *format)
{
    size_t length = strlen(path), n = strlen(format);
    return length > n + 1 && path[length - n - 1] == '.' && strcasecmp(path + length - n, format) == 0;
}

static int add_file(importing *in, const char *path, int named)
{
    if (in->files == in->capacity) {
        size_t wanted = in->capacity ? 2 * in->capacity : 256;
        found *file = realloc(in->file, wanted * sizeof *file);
        if (!file)
            return fail("%s", "no memory");
        in->file = file;
        in->capacity = wanted;
    }
    char *copy = strdup(path);
    if (!copy)
        return fail("%s", "no memory");
    in->file[in->files++] = (found){copy, NULL, named};
    return SN_EXIT_OK;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* Whether a skip list names the file, with or without its suffix; lists are words parted by blanks, commas or lines. */
static int is_listed(const char *const *list, const char *name)
{
    size_t length = strlen(name), stem = strcspn(name, ".");
    for (; list && *list; list++)
        for (const char *at = *list; *at;) {
            size_t n = strcspn(at, " ,\t\r\n");
            if ((n == length || n == stem) && memcmp(at, name, n) == 0)
                return 1;
            at += n + strspn(at + n, " ,\t\r\n");
        }
    return 0;
}

/* The lists' text in place of their paths. */
static int read_skip_lists(importing *in)
{
    for (const char **list = in->skip_lists; list && *list; list++) {
        sn_rt_error err = {""};
        char *text;
        size_t size;
        if (sn_rt_file_read(*list, (size_t)1 << 28, &text, &size, &err) != SN_RT_OK)
            return fail("%s", err.text);
        free((void *)(uintptr_t)*list);
        *list = text;
    }
    return SN_EXIT_OK;
}

/* All files of the format below a folder, in order of name. */
static int walk(importing *in, const char *folder)
{
    char *roots[] = {(char *)(uintptr_t)folder, NULL};
    FTS *tree = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    if (!tree)
        return fail("%s: cannot be walked", folder);
    int code = SN_EXIT_OK;
    for (FTSENT *e; code == SN_EXIT_OK && (e = fts_read(tree));) {
        if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR || e->fts_info == FTS_DC) {
            fprintf(stderr, "sinew import: %s: %s\n", e->fts_path,
                    e->fts_info == FTS_DC ? "folder contains itself" : strerror(e->fts_errno));
            code = SN_EXIT_FAILED;
        } else if (e->fts_info == FTS_F && is_listed(in->skip_lists, e->fts_name)) {
            in->listed++;
        } else if (e->fts_info == FTS_F && has_suffix(e->fts_name, sn_rt_import_suffix(in->how.format))) {
            code = add_file(in, e->fts_path, 0);
        } else if (e->fts_info == FTS_F) {
            in->others++;
        }
    }
    fts_close(tree);
    return code;
}

static int collect(importing *in, const char **paths)
{
    for (; *paths; paths++) {
        struct stat info;
        if (stat(*paths, &info) != 0)
            return fail("%s: no such file or folder", *paths);
        int code = S_ISDIR(info.st_mode) ? walk(in, *paths) : add_file(in, *paths, 1);
        if (code != SN_EXIT_OK)
            return code;
    }
    return in->files ? SN_EXIT_OK : fail("no .%s file in the paths given", sn_rt_import_suffix(in->how.format));
}

/* File name without folders and suffix, as a fresh string. */
static char *stem_of(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
    return strndup(name, dot ? (size_t)(dot - name) : strlen(name));
}

static int all_digits(const char *text)
{
    while (isdigit((unsigned char)*text))
        text++;
    return *text == '\0';
}

/* "FOLDER_STEM" from "a/FOLDER/STEM.bvh". */
static char *long_id(const char *path, const char *stem)
{
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return strdup(stem);
    const char *begin = slash;
    while (begin > path && begin[-1] != '/')
        begin--;
    char *id;
    return asprintf(&id, "%.*s_%s", (int)(slash - begin), begin, stem) < 0 ? NULL : id;
}

static int by_stem(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A sequence is called like its file; where that is a bare number or occurs twice, its folder's name comes before. */
static int name_sequences(importing *in)
{
    char **stem = calloc(in->files, sizeof *stem), **sorted = calloc(in->files, sizeof *sorted);
    int failed = !stem || !sorted;
    for (size_t i = 0; !failed && i < in->files; i++) {
        sorted[i] = stem[i] = stem_of(in->file[i].path);
        failed = !stem[i];
    }
    if (!failed)
        qsort(sorted, in->files, sizeof *sorted, by_stem);
    for (size_t i = 0; !failed && i < in->files; i++) {
        char **at = bsearch(&stem[i], sorted, in->files, sizeof *sorted, by_stem);
        size_t k = (size_t)(at - sorted);
        int twice = (k > 0 && strcmp(sorted[k - 1], stem[i]) == 0) ||
                    (k + 1 < in->files && strcmp(sorted[k + 1], stem[i]) == 0);
        in->file[i].id = twice || all_digits(stem[i]) ? long_id(in->file[i].path, stem[i]) : strdup(stem[i]);
        failed = !in->file[i].id;
    }
    for (size_t i = 0; stem && i < in->files; i++)
        free(stem[i]);
    free(stem);
    free(sorted);
    return failed ? fail("%s", "no memory") : SN_EXIT_OK;
}

static void import_one(importing *in, const found *file)
{
    sn_rt_error err = {""};
    sn_rt_imported done;
    size_t length = strlen(file->path);
    const char *suffix = sn_rt_import_suffix(in->how.format);
    if (!has_suffix(file->path, suffix))
        snprintf(err.text, sizeof err.text, "%s: not a .%s file", file->path, suffix);
    else if (sn_rt_import_file(in->set, &in->how, file->path, file->id, &done, &err) == SN_RT_OK) {
        in->borrowed_asf += done.borrowed_asf;
        in->empty += done.empty;
        return;
    }
    int has_place = strncmp(err.text, file->path, length) == 0;
    fprintf(stderr, "skipped %s%s%s\n", has_place ? "" : file->path, has_place ? "" : ": ", err.text);
    in->skipped++;
    in->failed_named += file->named != 0;
}

/* A format of persons in one of the families, not of one person's motions. */
static int is_tracked(const importing *in)
{
    return strcmp(in->how.format, "ntu") == 0 || strcmp(in->how.format, "pku") == 0 || strcmp(in->how.format, "npy") == 0;
}

/* One line a source: sequences, minutes, rate, joints, frames left out. */
static void report_source(const importing *in, size_t before, const char *source)
{
    size_t files = 0, frames = 0, dropped = 0, joints = 0, persons = 0;
    double seconds = 0, fps = 0;
    for (size_t i = before; i < sn_rt_dataset_count(in->set); i++) {
        const sn_rt_sequence *s = sn_rt_dataset_at(in->set, i);
        if (strcmp(s->source, source) != 0)
            continue;
        files++;
        frames += s->frames;
        seconds += (double)s->frames / s->fps;
        dropped += (size_t)s->source_first;
        joints = s->joints;
        persons = s->persons > persons ? s->persons : persons;
        fps = s->fps;
    }
    printf("  %-14s %5zu sequences %8.2f min %9zu frames  %g Hz  %zu joints", source, files, seconds / 60, frames, fps,
           joints);
    if (persons > 1)
        printf(", up to %zu persons", persons);
    if (dropped)
        printf("; %zu leading frames that were never performed left out", dropped);
    putchar('\n');
}

static void report(const importing *in, size_t before)
{
    size_t count = sn_rt_dataset_count(in->set);
    const sn_rt_family *family = is_tracked(in) ? sn_rt_family_of(in->how.family) : NULL;
    printf("imported %zu of %zu .%s files (%s)\n", in->files - in->skipped, in->files, sn_rt_import_suffix(in->how.format),
           family    ? family->about
           : in->raw ? "raw: source joints and rate, world coordinates, metres"
                     : "25 joints, centred, aligned, metres");
    for (size_t i = before; i < count; i++) {
        size_t k = before;
        while (k < i && strcmp(sn_rt_dataset_at(in->set, k)->source, sn_rt_dataset_at(in->set, i)->source) != 0)
            k++;
        if (k == i)
            report_source(in, before, sn_rt_dataset_at(in->set, i)->source);
    }
    if (in->borrowed_asf)
        printf("  %zu AMC files had no ASF of their own: joint angles on the limbs of %s\n", in->borrowed_asf,
               in->how.asf);
    if (in->empty)
        printf("  %zu samples of zeros alone left out\n", in->empty);
    if (in->listed)
        printf("  %zu files left out because a skip list names them\n", in->listed);
    if (in->others)
        printf("  %zu files of other kinds in the folders were left alone\n", in->others);
    if (in->skipped)
        printf("  %zu files skipped, reasons above\n", in->skipped);
}

static int apply_tables(importing *in)
{
    sn_rt_error err = {""};
    sn_rt_label_report r;
    for (const char **path = in->labels; path && *path; path++) {
        if (sn_rt_labels_apply(in->set, *path, &r, &err) != SN_RT_OK)
            return fail("%s", err.text);
        printf("labels %s: %zu rows, %zu applied (%zu cut at the sequence's ends), %zu outside, %zu of sequences not here\n",
               *path, r.rows, r.applied, r.clipped, r.empty, r.absent);
    }
    for (const char **path = in->splits; path && *path; path++) {
        if (sn_rt_splits_apply(in->set, *path, &r, &err) != SN_RT_OK)
            return fail("%s", err.text);
        printf("splits %s: %zu rows, %zu applied, %zu of sequences not here\n", *path, r.rows, r.applied, r.absent);
    }
    if (in->pku_labels) {
        if (sn_rt_pku_labels_apply(in->set, in->pku_labels, &r, &err) != SN_RT_OK)
            return fail("%s", err.text);
        printf("labels %s: %zu rows, %zu applied (%zu cut at the sequence's end, %zu with start and end exchanged), %zu outside, "
               "%zu sequences without a file\n",
               in->pku_labels, r.rows, r.applied, r.clipped, r.swapped, r.empty, r.absent);
    }
    if (in->pku_splits) {
        if (sn_rt_pku_splits_apply(in->set, in->pku_splits, &r, &err) != SN_RT_OK)
            return fail("%s", err.text);
        printf("splits %s: %zu ids, %zu applied, %zu of sequences not here\n", in->pku_splits, r.rows, r.applied, r.absent);
    }
    return SN_EXIT_OK;
}

static int open_set(importing *in)
{
    sn_rt_error err = {""};
    const char *layout = is_tracked(in) ? sn_rt_family_of(in->how.family)->layout : in->raw ? "raw" : "ntu25";
    if (in->append && access(in->output, F_OK) == 0) {
        if (sn_rt_dataset_open(in->output, &in->set, &err) != SN_RT_OK)
            return fail("%s", err.text);
        if (strcmp(sn_rt_dataset_layout(in->set), layout) != 0) {
            fprintf(stderr, "sinew import: %s: found layout %s, expected %s\n", in->output,
                    sn_rt_dataset_layout(in->set), layout);
            return SN_EXIT_FAILED;
        }
        return SN_EXIT_OK;
    }
    in->set = sn_rt_dataset_new(layout);
    return in->set ? SN_EXIT_OK : fail("%s", "no memory");
}

/* A skeleton that was asked for must be one, whether or not a file needs it. */
static int check_asf(const importing *in)
{
    sn_rt_error err = {""};
    sn_rt_asf *asf;
    if (!in->how.asf)
        return SN_EXIT_OK;
    if (sn_rt_asf_read(in->how.asf, &asf, &err) != SN_RT_OK)
        return fail("%s", err.text);
    sn_rt_asf_free(asf);
    return SN_EXIT_OK;
}

static int import_all(importing *in, const char **paths)
{
    int code = check_asf(in);
    if (code == SN_EXIT_OK)
        code = read_skip_lists(in);
    if (code == SN_EXIT_OK)
        code = collect(in, paths);
    if (code == SN_EXIT_OK)
        code = name_sequences(in);
    if (code == SN_EXIT_OK)
        code = open_set(in);
    if (code != SN_EXIT_OK)
        return code;
    size_t before = sn_rt_dataset_count(in->set);
    for (size_t i = 0; i < in->files; i++)
        import_one(in, &in->file[i]);
    report(in, before);
    if (in->failed_named || (in->strict && in->skipped) || sn_rt_dataset_count(in->set) == before)
        return fail("%s not written, because of the files skipped", in->output);
    code = apply_tables(in);
    sn_rt_error err = {""};
    if (code == SN_EXIT_OK && sn_rt_dataset_write(in->set, in->output, &err) != SN_RT_OK)
        return fail("%s", err.text);
    struct stat info;
    if (code == SN_EXIT_OK && stat(in->output, &info) == 0)
        printf("wrote %s: %zu sequences, %.1f MB\n", in->output, sn_rt_dataset_count(in->set), (double)info.st_size / 1e6);
    return code;
}

static void importing_fini(importing *in)
{
    for (size_t i = 0; i < in->files; i++) {
        free(in->file[i].path);
        free(in->file[i].id);
    }
    free(in->file);
    free(in->output);
    free((void *)(uintptr_t)in->how.asf);
    sn_cli_list_fini(in->labels);
    sn_cli_list_fini(in->splits);
    sn_cli_list_fini(in->skip_lists);
    free((void *)(uintptr_t)in->pku_labels);
    free((void *)(uintptr_t)in->pku_splits);
    free(in->family);
    free(in->protocol);
    free(in->sample_labels);
    sn_rt_dataset_free(in->set);
}

/* Check what popt could not. */
static int usage(const importing *in, const char **arguments)
{
    const char *wrong = NULL;
    if (!arguments || !arguments[0])
        wrong = "FORMAT is missing (bvh, amc, ntu, pku or npy)";
    else if (!sn_rt_import_suffix(arguments[0]))
        wrong = "FORMAT is not bvh, amc, ntu, pku or npy";
    else if (!arguments[1])
        wrong = "PATH is missing (motion files or folders of them)";
    else if (!in->output || !*in->output)
        wrong = "-o SET is missing";
    else if (!(in->how.fps >= 1 && in->how.fps <= 1000) || !(in->how.amc_fps >= 1 && in->how.amc_fps <= 1000))
        wrong = "--fps and --amc-fps are 1 to 1000";
    else if (!(in->how.unit >= 0))
        wrong = "--unit is not below 0";
    else if (in->family && !sn_rt_family_of(in->family))
        wrong = "--family is agcn, aimclr or denoised";
    else if (in->protocol && strcmp(in->protocol, "xsub") != 0 && strcmp(in->protocol, "xview") != 0)
        wrong = "--protocol is xsub or xview";
    else if (in->family_frames < 0)
        wrong = "--frames is not below 0";
    if (!wrong)
        return SN_EXIT_OK;
    fprintf(stderr, "sinew import: %s\nTry 'sinew import --help'.\n", wrong);
    return SN_EXIT_USAGE;
}

int sn_cmd_import(int argc, const char **argv)
{
    importing in = {.how = sn_rt_import_defaults(NULL)};
    struct poptOption options[] = {
        {"output", 'o', POPT_ARG_STRING, &in.output, 0, "data set to write (safetensors)", "SET"},
        {"raw", '\0', POPT_ARG_NONE, &in.raw, 0,
         "keep the source's joints, rate and world coordinates, in metres; no mapping to 25 joints", NULL},
        {"labels", '\0', POPT_ARG_ARGV, &in.labels, 0,
         "segments with columns seq,fps,start_frame,end_frame,label,source; may be repeated", "CSV"},
        {"splits", '\0', POPT_ARG_ARGV, &in.splits, 0,
         "splits with columns seq,split (pretrain, train, val, test); may be repeated", "CSV"},
        {"asf", '\0', POPT_ARG_STRING, &in.how.asf, 0, "skeleton for AMC files without SUBJECT.asf beside them", "FILE"},
        {"append", '\0', POPT_ARG_NONE, &in.append, 0, "keep what SET holds already and add to it", NULL},
        {"all-frames", '\0', POPT_ARG_NONE, &in.all_frames, 0,
         "keep leading frames known to be a T-pose that was never performed", NULL},
        {"fps", '\0', POPT_ARG_DOUBLE, &in.how.fps, 0, "frame rate of the 25-joint form (30)", "HZ"},
        {"amc-fps", '\0', POPT_ARG_DOUBLE, &in.how.amc_fps, 0, "frame rate of AMC files, which do not state it (120)",
         "HZ"},
        {"unit", '\0', POPT_ARG_DOUBLE, &in.how.unit, 0, "with --raw: metres per unit of a BVH skeleton not known here",
         "METRES"},
        {"family", '\0', POPT_ARG_STRING, &in.family, 0,
         "ntu, pku: preparation, agcn (default), aimclr or denoised; npy: the one it had; a set holds one", "NAME"},
        {"frames", '\0', POPT_ARG_INT, &in.family_frames, 0,
         "ntu, pku: frames of a sequence: agcn repeats up to it (0: as recorded), aimclr resizes to it (50)", "COUNT"},
        {"protocol", '\0', POPT_ARG_STRING, &in.protocol, 0, "ntu: split by performer (xsub) or camera (xview)", "NAME"},
        {"sample-labels", '\0', POPT_ARG_STRING, &in.sample_labels, 0, "npy: array of a label from 0 for each sample", "L.npy"},
        {"skip-list", '\0', POPT_ARG_ARGV, &in.skip_lists, 0,
         "names of files to leave out, such as NTU's samples with missing skeletons; may be repeated", "FILE"},
        {"pku-labels", '\0', POPT_ARG_STRING, &in.pku_labels, 0, "pku: folder of its label files, ID.txt", "DIR"},
        {"pku-splits", '\0', POPT_ARG_STRING, &in.pku_splits, 0, "pku: its list of training and validation videos", "FILE"},
        {"strict", '\0', POPT_ARG_NONE, &in.strict, 0, "write nothing if any file is skipped", NULL},
        POPT_AUTOHELP POPT_TABLEEND};
    poptContext context = poptGetContext("sinew import", argc, argv, options, 0);
    poptSetOtherOptionHelp(context, "FORMAT PATH... -o SET\n\nRead files of FORMAT into a data set. A PATH is a file or a folder, which is searched "
                                    "for files of the format:\n  bvh  .bvh, hierarchy and angles     amc  .amc with .asf, angles\n"
                                    "  ntu  .skeleton of NTU RGB+D         pku  .txt skeletons of PKU-MMD\n"
                                    "  npy  samples f32[N,3,T,25,M], as the field's preprocessing writes them\n");
    int wrong = poptGetNextOpt(context), code;
    if (wrong < -1) {
        fprintf(stderr, "sinew import: %s: %s\nTry 'sinew import --help'.\n", poptBadOption(context, 0),
                poptStrerror(wrong));
        code = SN_EXIT_USAGE;
    } else {
        const char **arguments = poptGetArgs(context);
        code = usage(&in, arguments);
        if (code == SN_EXIT_OK) {
            in.how.format = arguments[0];
            in.how.raw = in.raw;
            in.how.all_frames = in.all_frames;
            in.how.family = in.family ? in.family : in.how.family;
            in.how.family_frames = (size_t)in.family_frames;
            in.how.protocol = in.protocol;
            in.how.sample_labels = in.sample_labels;
            code = import_all(&in, arguments + 1);
        }
    }
    importing_fini(&in);
    poptFreeContext(context);
    return code;
}
