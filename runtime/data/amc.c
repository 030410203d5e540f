/* AMC: the motion half of ASF/AMC, and its forward kinematics.
 * Not a reader of partly specified motion: every bone in every frame. */
#include "asf.h"
#include "file.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

typedef struct amc {
    text t;
    const sn_rt_asf *asf;
    sn_rt_motion motion;
    size_t capacity;     /* frames of motion.x */
    double radians;      /* radians per unit of angle in this file */
    double value[ASF_MAX_BONES][ASF_MAX_DOF];
    size_t seen[ASF_MAX_BONES]; /* frame count at which the bone was last read */
} amc;

/* Comments and keywords up to the first frame number, which is not consumed. */
static sn_rt_status read_header(amc *a)
{
    bool full = false, have_angle = false;
    for (;;) {
        text ahead = a->t;
        word w = sn_rt_text_word(&ahead);
        size_t number;
        if (sn_rt_word_count(w, &number))
            break;
        a->t = ahead;
        if (sn_rt_word_is_any_case(w, ":FULLY-SPECIFIED")) {
            full = true;
        } else if (sn_rt_word_is_any_case(w, ":DEGREES") || sn_rt_word_is_any_case(w, ":RADIANS")) {
            a->radians = sn_rt_word_is_any_case(w, ":RADIANS") ? 1 : 3.14159265358979323846 / 180;
            have_angle = true;
        } else if (w.size == 0 || w.at[0] != '#') {
            return sn_rt_text_expected(&a->t, w, "a comment, :FULLY-SPECIFIED, :DEGREES, :RADIANS or a frame number");
        }
        sn_rt_text_next_line(&a->t);
    }
    if (!full)
        return sn_rt_text_fail(&a->t, "the header lacks :FULLY-SPECIFIED; no other kind is read");
    return have_angle ? SN_RT_OK : sn_rt_text_fail(&a->t, "the header lacks :DEGREES or :RADIANS");
}

static sn_rt_status grow_frames(amc *a)
{
    sn_rt_motion *m = &a->motion;
    if (m->frames < a->capacity)
        return SN_RT_OK;
    size_t wanted = a->capacity ? 2 * a->capacity : 1024;
    double *x = realloc(m->x, wanted * m->points * 3 * sizeof *x);
    if (!x)
        return sn_rt_fail(a->t.err, SN_RT_MEMORY, "%s: no memory for %zu frames", a->t.path, wanted);
    m->x = x;
    a->capacity = wanted;
    return SN_RT_OK;
}

/* One bone's line; `*guess` is where the search begins, because files keep their order. */
static sn_rt_status read_bone(amc *a, word name, int *guess)
{
    char copy[SN_RT_NAME_SIZE];
    int bone = -1;
    if (sn_rt_word_copy(name, copy, sizeof copy))
        bone = strcmp(copy, a->asf->bone[*guess].name) == 0 ? *guess : sn_rt_asf_find(a->asf, copy);
    if (bone < 0)
        return sn_rt_text_expected(&a->t, name, "the name of a bone of the ASF");
    if (a->seen[bone] == a->motion.frames + 1)
        return sn_rt_text_fail(&a->t, "bone '%s' twice in frame %zu", copy, a->motion.frames + 1);
    a->seen[bone] = a->motion.frames + 1;
    int count = a->asf->bone[bone].dof_count;
    for (int i = 0; i < count; i++) {
        word w = sn_rt_text_word_in_line(&a->t);
        if (w.size == 0)
            return sn_rt_text_fail(&a->t, "bone '%s' has %d values, the ASF gives it %d", copy, i, count);
        if (!sn_rt_word_number(w, &a->value[bone][i]))
            return sn_rt_text_expected(&a->t, w, "a number");
    }
    if (sn_rt_text_word_in_line(&a->t).size)
        return sn_rt_text_fail(&a->t, "bone '%s' has more than the %d values the ASF gives it", copy, count);
    *guess = bone + 1 < a->asf->bones ? bone + 1 : 0;
    return SN_RT_OK;
}

/* Local turn C M C^-1 of a bone, and for the root its translation. */
static rotation local_turn(const amc *a, int index, double move[3])
{
    const asf_bone *bone = &a->asf->bone[index];
    double angle[3] = {0, 0, 0};
    for (int i = 0; i < bone->dof_count; i++) {
        if (bone->dof[i] < 3)
            move[bone->dof[i]] = a->value[index][i];
        else
            angle[bone->dof[i] - 3] = a->value[index][i] * a->radians;
    }
    rotation r = bone->axis_inverse;
    for (int i = 0; i < 3; i++) {
        rotation turn = sn_rt_rotation_about(bone->turn_order[i], angle[bone->turn_order[i]]);
        r = sn_rt_rotation_multiply(&turn, &r);
    }
    return sn_rt_rotation_multiply(&bone->axis, &r);
}

/* Forward kinematics of the frame just read: a bone's point is its far end. */
static void pose(const amc *a, double *x)
{
    rotation global[ASF_MAX_BONES];
    int point_of[ASF_MAX_BONES];
    for (int i = 0; i < a->asf->bones; i++) {
        int index = a->asf->walk[i], parent = a->asf->bone[index].parent;
        double move[3] = {0, 0, 0}, reach[3];
        rotation local = local_turn(a, index, move);
        point_of[index] = i;
        if (i == 0) {
            global[0] = local;
            for (int k = 0; k < 3; k++)
                x[k] = a->asf->bone[0].offset[k] + move[k];
            continue;
        }
        global[index] = sn_rt_rotation_multiply(&global[parent], &local);
        sn_rt_rotation_apply(&global[index], a->asf->bone[index].offset, reach);
        for (int k = 0; k < 3; k++)
            x[3 * i + k] = x[3 * point_of[parent] + k] + reach[k];
    }
}

/* Bones from behind a frame's number up to the next number or the end of the file. */
static sn_rt_status read_frame(amc *a, word number_word)
{
    size_t number, frame = a->motion.frames + 1;
    if (!sn_rt_word_count(number_word, &number))
        return sn_rt_text_expected(&a->t, number_word, "a frame number");
    if (number != frame)
        return sn_rt_text_fail(&a->t, "found frame %zu, expected frame %zu", number, frame);
    sn_rt_status status = grow_frames(a);
    for (int guess = 0; status == SN_RT_OK;) {
        text ahead = a->t;
        word w = sn_rt_text_word(&ahead);
        if (w.size == 0 || sn_rt_word_count(w, &number))
            break;
        a->t = ahead;
        status = read_bone(a, w, &guess);
    }
    if (status != SN_RT_OK)
        return status;
    for (int i = 0; i < a->asf->bones; i++)
        if (a->asf->bone[i].dof_count && a->seen[i] != frame)
            return sn_rt_text_fail(&a->t, "frame %zu lacks bone '%s'", frame, a->asf->bone[i].name);
    pose(a, a->motion.x + a->motion.frames * a->motion.points * 3);
    a->motion.frames++;
    return SN_RT_OK;
}

static sn_rt_status set_points(amc *a)
{
    const sn_rt_asf *asf = a->asf;
    int point_of[ASF_MAX_BONES];
    a->motion.points = (size_t)asf->bones;
    a->motion.point = calloc(a->motion.points, sizeof *a->motion.point);
    if (!a->motion.point)
        return sn_rt_fail(a->t.err, SN_RT_MEMORY, "%s: no memory", a->t.path);
    for (int i = 0; i < asf->bones; i++) {
        const asf_bone *bone = &asf->bone[asf->walk[i]];
        point_of[asf->walk[i]] = i;
        strcpy(a->motion.point[i].name, bone->name);
        a->motion.point[i].parent = bone->parent < 0 ? -1 : point_of[bone->parent];
    }
    return SN_RT_OK;
}

sn_rt_status sn_rt_amc_parse(const char *path, const char *bytes, size_t size, const sn_rt_asf *asf, double fps,
                             sn_rt_motion *out, sn_rt_error *err)
{
    if (!(fps >= 1 && fps <= 10000))
        return sn_rt_fail(err, SN_RT_ARGUMENT, "%s: frame rate %g is not between 1 and 10000", path, fps);
    amc a = {.t = {.path = path, .at = bytes, .end = bytes + size, .line = 1, .err = err}, .asf = asf};
    a.motion.fps = sn_rt_whole_rate(fps);
    a.motion.unit = asf->unit;
    sn_rt_status status = set_points(&a);
    if (status == SN_RT_OK)
        status = read_header(&a);
    for (word w; status == SN_RT_OK && (w = sn_rt_text_word(&a.t)).size;)
        status = read_frame(&a, w);
    if (status == SN_RT_OK && a.motion.frames == 0)
        status = sn_rt_text_fail(&a.t, "the file has no frames");
    if (status == SN_RT_OK)
        *out = a.motion;
    else
        sn_rt_motion_fini(&a.motion);
    return status;
}

sn_rt_status sn_rt_amc_read(const char *path, const sn_rt_asf *asf, double fps, sn_rt_motion *out, sn_rt_error *err)
{
    char *bytes;
    size_t size;
    sn_rt_status status = sn_rt_file_read(path, (size_t)1 << 32, &bytes, &size, err);
    if (status != SN_RT_OK)
        return status;
    status = sn_rt_amc_parse(path, bytes, size, asf, fps, out, err);
    free(bytes);
    return status;
}
