/* The verb `import`: motion files into a data set.
 * Not the readers (runtime/data) and not the search for files (motion_files.c): this opens, goes through them, and reports. */
#include "cli.h"
#include "motion_files.h"

#include "../runtime/data/families.h"
#include "../runtime/data/import.h"
#include "../runtime/data/labels.h"
#include "../runtime/data/motion.h"

#include <popt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the command line says, and what happened. */
typedef struct importing {
    sn_rt_import how;
    char *output;
    const char **labels, **splits, **skip_lists;
    const char *pku_labels, *pku_splits;
    char *family, *protocol, *sample_labels, *split;
    sn_rt_babel_options babel;
    int babel_frames, babel_quirks, wants_body; /* motions are poses and there is no body model */
    sn_rt_babel_report annotated; /* of all splits imported */
    int family_frames;
    int raw, all_frames, append, strict;
    sn_motion_files found;
    size_t skipped, failed_named, borrowed_asf, empty, moved;
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

static void import_one(importing *in, const sn_motion_file *file)
{
    sn_rt_error err = {""};
    sn_rt_imported done;
    size_t length = strlen(file->path);
    const char *suffix = sn_rt_import_suffix(in->how.format);
    sn_rt_status status = SN_RT_FORMAT;
    if (!sn_has_suffix(file->path, suffix))
        snprintf(err.text, sizeof err.text, "%s: not a .%s file", file->path, suffix);
    else if ((status = sn_rt_import_file(in->set, &in->how, file->path, file->id, &done, &err)) == SN_RT_OK) {
        in->borrowed_asf += done.borrowed_asf;
        in->empty += done.empty;
        in->moved += done.moved && strcmp(in->how.format, "pku") == 0; /* an NTU recording is labelled as a whole */
        return;
    }
    int has_place = strncmp(err.text, file->path, length) == 0;
    fprintf(stderr, "skipped %s%s%s\n", has_place ? "" : file->path, has_place ? "" : ": ", err.text);
    in->wants_body |= status == SN_RT_ARGUMENT && strcmp(in->how.format, "babel") == 0;
    in->skipped++;
    in->failed_named += file->named != 0;
}

/* A format of persons in one of the families, not of one person's motions. */
static int is_tracked(const importing *in)
{
    return strcmp(in->how.format, "bvh") != 0 && strcmp(in->how.format, "amc") != 0;
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

static void report_babel(const sn_rt_babel_report *r, int subset)
{
    printf("  of %zu sequences %zu imported with %zu segments; left out: %zu without frame annotation", r->sequences, r->imported, r->segments,
           r->unannotated);
    if (subset)
        printf(", %zu without a class of subset %d", r->other, subset);
    printf(", %zu too long, %zu faulty\n", r->longer, r->faulty);
    if (r->uncategorised || r->outside)
        printf("  %zu annotations without category and %zu outside the motion passed over\n", r->uncategorised, r->outside);
}

static void report(const importing *in, size_t before)
{
    size_t count = sn_rt_dataset_count(in->set);
    const sn_rt_family *family = is_tracked(in) ? sn_rt_family_of(in->how.family) : NULL;
    printf("imported %zu of %zu .%s files (%s)\n", in->found.count - in->skipped, in->found.count, sn_rt_import_suffix(in->how.format),
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
    if (in->moved)
        printf("  of %zu recordings the preparation moved frames in time: labels by frame do not fit these\n", in->moved);
    if (in->empty)
        printf("  %zu samples of zeros alone left out\n", in->empty);
    if (in->annotated.sequences)
        report_babel(&in->annotated, in->babel.subset);
    if (in->found.listed)
        printf("  %zu files left out because a skip list names them\n", in->found.listed);
    if (in->found.others)
        printf("  %zu files of other kinds in the folders were left alone\n", in->found.others);
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

static void say_skipped(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "skipped %s\n", text);
}

/* Tables and body model are read once; without them there is nothing to import. */
static int open_babel(importing *in)
{
    sn_rt_error err = {""};
    if (strcmp(in->how.format, "babel") != 0)
        return SN_EXIT_OK;
    in->babel.most_frames = (size_t)in->babel_frames;
    in->babel.quirks = in->babel_quirks != 0;
    in->babel.say = say_skipped;
    in->how.babel_report = &in->annotated;
    return sn_rt_babel_new(&in->babel, &in->how.babel, &err) == SN_RT_OK ? SN_EXIT_OK : fail("%s", err.text);
}

static int fail_skipped(const importing *in)
{
    fail("%s not written, because of the files skipped", in->output);
    if (in->wants_body)
        fprintf(stderr, "Motions of AMASS are poses; where joints are then says the body model SMPL+H, which is licensed: give smplh/male/model.npz of its\n"
                        "version for AMASS (mano.is.tue.mpg.de, after registration) with --body-model, or motions that hold joint_pos.\n");
    return SN_EXIT_FAILED;
}

static int import_all(importing *in, const char **paths)
{
    sn_rt_error err = {""};
    int code = check_asf(in);
    if (code == SN_EXIT_OK)
        code = open_babel(in);
    if (code == SN_EXIT_OK && sn_motion_files_find(&in->found, sn_rt_import_suffix(in->how.format), paths, in->skip_lists, &err) != SN_RT_OK)
        code = fail("%s", err.text);
    if (code == SN_EXIT_OK)
        code = open_set(in);
    if (code != SN_EXIT_OK)
        return code;
    size_t before = sn_rt_dataset_count(in->set);
    for (size_t i = 0; i < in->found.count; i++)
        import_one(in, &in->found.file[i]);
    report(in, before);
    if (in->failed_named || (in->strict && in->skipped) || sn_rt_dataset_count(in->set) == before)
        return fail_skipped(in);
    code = apply_tables(in);
    if (code == SN_EXIT_OK && sn_rt_dataset_write(in->set, in->output, &err) != SN_RT_OK)
        return fail("%s", err.text);
    struct stat info;
    if (code == SN_EXIT_OK && stat(in->output, &info) == 0)
        printf("wrote %s: %zu sequences, %.1f MB\n", in->output, sn_rt_dataset_count(in->set), (double)info.st_size / 1e6);
    return code;
}

static void importing_fini(importing *in)
{
    sn_motion_files_fini(&in->found);
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
    free(in->split);
    free((void *)(uintptr_t)in->babel.motions);
    free((void *)(uintptr_t)in->babel.body_model);
    free((void *)(uintptr_t)in->babel.rates);
    free((void *)(uintptr_t)in->babel.splits);
    sn_rt_babel_free(in->how.babel);
    sn_rt_dataset_free(in->set);
}

/* Check what popt could not. */
static int usage(const importing *in, const char **arguments)
{
    const char *wrong = NULL;
    if (!arguments || !arguments[0])
        wrong = "FORMAT is missing (bvh, amc, ntu, pku, npy or babel)";
    else if (!sn_rt_import_suffix(arguments[0]))
        wrong = "FORMAT is not bvh, amc, ntu, pku, npy or babel";
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
    else if (in->split && (strcmp(arguments[0], "babel") == 0 || !sn_rt_split_of(in->split)))
        wrong = "--split is pretrain, train, val or test; babel's files say theirs";
    else if (in->family_frames < 0 || in->babel_frames < 0)
        wrong = "--frames and --most-frames are not below 0";
    else if (strcmp(arguments[0], "babel") == 0 && !in->babel.motions)
        wrong = "--amass DIR is missing";
    else if (strcmp(arguments[0], "babel") == 0 && in->family && strcmp(in->family, "agcn") != 0)
        wrong = "babel is prepared as family agcn";
    else if (in->babel.subset < 0 || in->babel.subset > SN_RT_BABEL_SUBSETS)
        wrong = "--subset is 1, 2 or 3";
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
        {"split", '\0', POPT_ARG_STRING, &in.split, 0, "split of all sequences: pretrain (default), train, val or test; before --splits and --protocol", "NAME"},
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
        {"amass", '\0', POPT_ARG_STRING, &in.babel.motions, 0, "babel: folder of AMASS's .npz files, or of files that hold joint_pos", "DIR"},
        {"body-model", '\0', POPT_ARG_STRING, &in.babel.body_model, 0,
         "babel: SMPL+H of the male body, smplh/male/model.npz (licensed: runtime/data/README.md); not needed with joint_pos", "NPZ"},
        {"babel-rates", '\0', POPT_ARG_STRING, &in.babel.rates, 0, "babel: featp_2_fps.json, frame rates before those of the files", "JSON"},
        {"babel-splits", '\0', POPT_ARG_STRING, &in.babel.splits, 0, "babel: amass_splits.json, before the names train.json, val.json, test.json", "JSON"},
        {"subset", '\0', POPT_ARG_INT, &in.babel.subset, 0, "babel: four classes, 1 walk stand turn jump, 2 sit run stand up kick, 3 jog wave dance gesture", "N"},
        {"most-frames", '\0', POPT_ARG_INT, &in.babel_frames, 0, "babel: leave out sequences with more labelled frames (published: 1000)", "COUNT"},
        {"babel-quirks", '\0', POPT_ARG_NONE, &in.babel_quirks, 0,
         "babel: as the published preparation: labels move forward over gaps, 59.99999 Hz counts as 59", NULL},
        {"strict", '\0', POPT_ARG_NONE, &in.strict, 0, "write nothing if any file is skipped", NULL},
        POPT_AUTOHELP POPT_TABLEEND};
    poptContext context = poptGetContext("sinew import", argc, argv, options, 0);
    poptSetOtherOptionHelp(context, "FORMAT PATH... -o SET\n\nRead files of FORMAT into a data set. A PATH is a file or a folder, which is searched "
                                    "for files of the format:\n  bvh  .bvh, hierarchy and angles     amc  .amc with .asf, angles\n"
                                    "  ntu  .skeleton of NTU RGB+D         pku  .txt skeletons of PKU-MMD\n"
                                    "  npy  samples f32[N,3,T,25,M], as the field's preprocessing writes them\n"
                                    "  babel  .json splits of BABEL, whose motions are AMASS's .npz files\n");
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
            in.how.split = in.split ? in.split : in.how.split;
            code = import_all(&in, arguments + 1);
        }
    }
    importing_fini(&in);
    poptFreeContext(context);
    return code;
}
