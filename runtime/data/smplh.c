/* The body model SMPL+H: kinematic chain, and linear blend skinning of four vertices.
 * Not its file's container (npz.c). */
#include "smplh.h"

#include "rotation.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VERTICES = 6890, HAND = 45, TIPS = 4, FEATURES = 9 * (SN_RT_SMPLH_JOINTS - 1) };

/* A joint's neighbour towards the pelvis: body, then index, middle, little, ring finger and thumb of either hand. */
static const int parent[SN_RT_SMPLH_JOINTS] = {-1, 0,  0,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  9,  9,  12, 13, 14, 16, 17, 18, 19, 20, 22, 23, 20,
                                               25, 26, 20, 28, 29, 20, 31, 32, 20, 34, 35, 21, 37, 38, 21, 40, 41, 21, 43, 44, 21, 46, 47, 21, 49, 50};

/* Tips of thumb and index finger, left and right: vertices, and points of the 73. Thumbs stand where NTU RGB+D has the hand's tip, as published. */
static const int tip_vertex[TIPS] = {2746, 2319, 6191, 5782}, tip_point[TIPS] = {63, 64, 68, 69};

const int sn_rt_smplh_point[SN_RT_JOINTS] = {0, 3, 12, 15, 16, 18, 20, 22, 17, 19, 21, 37, 1, 4, 7, 10, 2, 5, 8, 11, 9, 63, 64, 68, 69};

struct sn_rt_smplh {
    double rest[SN_RT_SMPLH_JOINTS][3]; /* joints of the mean shape at rest */
    double mean[SN_RT_SMPLH_POSE];      /* added to every pose: zeros but for the hands */
    double tip[TIPS][3];                /* vertices at rest */
    double weight[TIPS][SN_RT_SMPLH_JOINTS];
    double bend[TIPS][3][FEATURES];     /* displacement by entries of the rotations */
};

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

static double at(const sn_rt_array *a, size_t i)
{
    return a->elem == SN_RT_ELEM_F64 ? ((const double *)a->data)[i] : (double)((const float *)a->data)[i];
}

/* An array of f32 or f64 of that shape whose numbers are finite. */
static sn_rt_status need(sn_rt_npz *npz, const char *path, const char *name, uint32_t rank, const uint64_t *dims, sn_rt_array *out, sn_rt_error *err)
{
    char what[4352];
    sn_rt_status status = sn_rt_npz_read(npz, name, out, err);
    if (status != SN_RT_OK)
        return status;
    snprintf(what, sizeof what, "%s: array \"%s\"", path, name);
    status = sn_rt_array_expect(out, what, out->elem == SN_RT_ELEM_F32 ? SN_RT_ELEM_F32 : SN_RT_ELEM_F64, rank, dims, err);
    for (size_t i = 0; status == SN_RT_OK && i < out->bytes / sn_rt_elem_size(out->elem); i++)
        if (!isfinite(at(out, i)))
            status = sn_rt_fail(err, SN_RT_FORMAT, "%s: element %zu is not a finite number", what, i);
    if (status != SN_RT_OK)
        sn_rt_array_fini(out);
    return status;
}

static void take_rest(sn_rt_smplh *m, const sn_rt_array *vertex, const sn_rt_array *regressor)
{
    for (size_t j = 0; j < SN_RT_SMPLH_JOINTS; j++)
        for (size_t v = 0; v < VERTICES; v++)
            for (size_t c = 0; c < 3; c++)
                m->rest[j][c] += at(regressor, j * VERTICES + v) * at(vertex, 3 * v + c);
}

static void take_tips(sn_rt_smplh *m, const sn_rt_array *vertex, const sn_rt_array *weight, const sn_rt_array *bend)
{
    for (size_t i = 0; i < TIPS; i++) {
        size_t v = (size_t)tip_vertex[i];
        for (size_t j = 0; j < SN_RT_SMPLH_JOINTS; j++)
            m->weight[i][j] = at(weight, v * SN_RT_SMPLH_JOINTS + j);
        for (size_t c = 0; c < 3; c++) {
            m->tip[i][c] = at(vertex, 3 * v + c);
            for (size_t k = 0; k < FEATURES; k++)
                m->bend[i][c][k] = at(bend, (3 * v + c) * FEATURES + k);
        }
    }
}

static sn_rt_status take_all(sn_rt_npz *npz, const char *path, sn_rt_smplh *m, sn_rt_error *err)
{
    static const struct { const char *name; uint32_t rank; uint64_t dims[3]; } wanted[] = {
        {"v_template", 2, {VERTICES, 3}}, {"J_regressor", 2, {SN_RT_SMPLH_JOINTS, VERTICES}}, {"weights", 2, {VERTICES, SN_RT_SMPLH_JOINTS}},
        {"posedirs", 3, {VERTICES, 3, FEATURES}}, {"hands_meanl", 1, {HAND}}, {"hands_meanr", 1, {HAND}}};
    enum { ARRAYS = sizeof wanted / sizeof *wanted };
    sn_rt_array a[ARRAYS] = {{0}};
    sn_rt_status status = SN_RT_OK;
    for (int i = 0; status == SN_RT_OK && i < ARRAYS; i++)
        status = need(npz, path, wanted[i].name, wanted[i].rank, wanted[i].dims, &a[i], err);
    if (status == SN_RT_OK) {
        take_rest(m, &a[0], &a[1]);
        take_tips(m, &a[0], &a[2], &a[3]);
        for (size_t k = 0; k < HAND; k++) {
            m->mean[SN_RT_SMPLH_POSE - 2 * HAND + k] = at(&a[4], k);
            m->mean[SN_RT_SMPLH_POSE - HAND + k] = at(&a[5], k);
        }
    }
    for (int i = 0; i < ARRAYS; i++)
        sn_rt_array_fini(&a[i]);
    return status;
}

sn_rt_status sn_rt_smplh_read(const char *path, sn_rt_smplh **out, sn_rt_error *err)
{
    sn_rt_npz *npz;
    sn_rt_status status = sn_rt_npz_open(path, &npz, err);
    if (status != SN_RT_OK)
        return status;
    sn_rt_smplh *m = calloc(1, sizeof *m);
    status = m ? take_all(npz, path, m, err) : sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory", path);
    sn_rt_npz_close(npz);
    if (status == SN_RT_OK)
        *out = m;
    else
        free(m);
    return status;
}

void sn_rt_smplh_free(sn_rt_smplh *model)
{
    free(model);
}

/* ---- posing ------------------------------------------------------------------------------------------------------------- */

/* Turn by |v| about v. */
static rotation turn_of(const double v[3])
{
    double angle = sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
    if (angle < 1e-12)
        return sn_rt_rotation_identity();
    return sn_rt_rotation_about_vector((double[3]){v[0] / angle, v[1] / angle, v[2] / angle}, angle);
}

/* Where vertex i is: bent by the rotations' entries, then carried along by its joints. */
static void pose_tip(const sn_rt_smplh *m, size_t i, const rotation *local, const rotation *world, double (*place)[3], double out[3])
{
    double v[3];
    for (size_t c = 0; c < 3; c++) {
        v[c] = m->tip[i][c];
        for (size_t k = 0; k < FEATURES; k++) {
            size_t entry = k % 9;
            v[c] += m->bend[i][c][k] * (local[k / 9 + 1].m[entry / 3][entry % 3] - (entry % 4 == 0));
        }
    }
    out[0] = out[1] = out[2] = 0;
    for (size_t j = 0; j < SN_RT_SMPLH_JOINTS; j++) {
        double d[3] = {v[0] - m->rest[j][0], v[1] - m->rest[j][1], v[2] - m->rest[j][2]};
        sn_rt_rotation_apply(&world[j], d, d);
        for (size_t c = 0; c < 3; c++)
            out[c] += m->weight[i][j] * (d[c] + place[j][c]);
    }
}

void sn_rt_smplh_joints(const sn_rt_smplh *m, const double pose[SN_RT_SMPLH_POSE], float out[SN_RT_JOINTS][3])
{
    rotation local[SN_RT_SMPLH_JOINTS], world[SN_RT_SMPLH_JOINTS];
    double place[SN_RT_SMPLH_POINTS][3]; /* joints, and of the others the tips */
    for (int j = 0; j < SN_RT_SMPLH_JOINTS; j++) {
        int p = parent[j];
        double v[3], bone[3];
        for (int c = 0; c < 3; c++) {
            v[c] = pose[3 * j + c] + m->mean[3 * j + c];
            bone[c] = m->rest[j][c] - (p < 0 ? 0 : m->rest[p][c]);
        }
        local[j] = turn_of(v);
        world[j] = p < 0 ? local[j] : sn_rt_rotation_multiply(&world[p], &local[j]);
        if (p >= 0)
            sn_rt_rotation_apply(&world[p], bone, bone);
        for (int c = 0; c < 3; c++)
            place[j][c] = bone[c] + (p < 0 ? 0 : place[p][c]);
    }
    for (size_t i = 0; i < TIPS; i++)
        pose_tip(m, i, local, world, place, place[tip_point[i]]);
    for (size_t j = 0; j < SN_RT_JOINTS; j++)
        for (size_t c = 0; c < 3; c++)
            out[j][c] = (float)place[sn_rt_smplh_point[j]][c];
}
