/* The table of families, and the two short ones.
 * Not the cleaning of tracks (family_denoised.c). */
#include "families_internal.h"

#include "resize.h"
#include "rotation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void sn_rt_persons_fini(sn_rt_persons *persons)
{
    free(persons->x);
    memset(persons, 0, sizeof *persons);
}

sn_rt_status sn_rt_persons_make(size_t frames, double fps, sn_rt_persons *out, sn_rt_error *err)
{
    *out = (sn_rt_persons){SN_RT_PERSONS, frames, fps, calloc(frames, SN_RT_PERSONS * FRAME * sizeof(float)), false};
    return out->x ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "no memory for %zu frames of two persons", frames);
}

/* ---- agcn --------------------------------------------------------------------------------------------------------------- */

enum { SLOTS = 4 };

/* Sum over x, y, z of the standard deviation over the joints of all frames of the slot that are not empty. */
static double slot_energy(const sn_rt_bodies *b, size_t slot)
{
    double sum[3] = {0}, square[3] = {0}, mean[3], energy = 0;
    size_t count = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t t = 0; t < b->frames; t++) {
            const float *x = slot_frame(b, t, slot);
            if (!x || frame_is_empty(x))
                continue;
            count += pass == 0 ? SN_RT_JOINTS : 0;
            for (int i = 0; i < FRAME; i++) {
                double d = pass == 0 ? 0 : (double)x[i] - mean[i % 3];
                sum[i % 3] += pass == 0 ? (double)x[i] : 0;
                square[i % 3] += d * d;
            }
        }
        for (int c = 0; c < 3; c++)
            mean[c] = count ? sum[c] / (double)count : 0;
    }
    for (int c = 0; c < 3; c++)
        energy += count ? sqrt(square[c] / (double)count) : 0;
    return energy;
}

/* The two slots of most energy, the larger first; of equal ones the higher first. */
static void choose_slots(const sn_rt_bodies *b, size_t chosen[SN_RT_PERSONS])
{
    double energy[SLOTS];
    for (size_t s = 0; s < SLOTS; s++)
        energy[s] = slot_energy(b, s);
    for (size_t p = 0; p < SN_RT_PERSONS; p++) {
        size_t best = SLOTS;
        for (size_t s = SLOTS; s-- > 0;)
            if ((p == 0 || s != chosen[0]) && (best == SLOTS || energy[s] > energy[best]))
                best = s;
        chosen[p] = best;
    }
}

/* To the front if frame 0 is empty, which is true then; the empty end filled by repeating what is before it. */
static bool fill_person(float *x, size_t frames)
{
    bool moved = false;
    size_t kept = 0;
    if (frame_is_empty(x)) {
        for (size_t t = 0; t < frames; t++)
            if (!frame_is_empty(x + t * FRAME))
                memmove(x + kept++ * FRAME, x + t * FRAME, FRAME * sizeof *x);
        memset(x + kept * FRAME, 0, (frames - kept) * FRAME * sizeof *x);
        moved = kept > 0;
    }
    for (kept = frames; kept > 0 && frame_is_empty(x + (kept - 1) * FRAME);)
        kept--;
    for (size_t t = kept; kept > 0 && t < frames; t++)
        memcpy(x + t * FRAME, x + (t - kept) * FRAME, FRAME * sizeof *x);
    return moved;
}

/* Every joint minus joint 1 of person 0 of its frame; joints that sum to 0 stay 0. */
static void centre_on_first(sn_rt_persons *q)
{
    for (size_t t = 0; t < q->frames; t++) {
        float centre[3];
        memcpy(centre, person_frame(q, 0, t) + 3 * SN_RT_CENTRE, sizeof centre);
        for (size_t p = 0; p < SN_RT_PERSONS; p++) {
            float *x = person_frame(q, p, t);
            for (int j = 0; j < SN_RT_JOINTS; j++, x += 3)
                if (x[0] + x[1] + x[2] != 0)
                    for (int c = 0; c < 3; c++)
                        x[c] -= centre[c];
        }
    }
}

/* Turn everything so that joint `to` - joint `from` of frame 0 of person 0 lies along the axis, about their common normal; as it is
 * where that normal is nearly zero. */
static void turn_all(sn_rt_persons *q, int from, int to, int axis)
{
    const float *first = q->x;
    double v[3], normal[3] = {0}, length = 0, side = 0;
    for (int c = 0; c < 3; c++) {
        v[c] = (double)first[3 * to + c] - (double)first[3 * from + c];
        length += v[c] * v[c];
    }
    length = sqrt(length);
    normal[(axis + 1) % 3] = v[(axis + 2) % 3];
    normal[(axis + 2) % 3] = -v[(axis + 1) % 3];
    for (int c = 0; c < 3; c++)
        side += fabs(normal[c]);
    double angle = length < 1e-6 ? 0 : acos(fmin(fmax(v[axis] / length, -1), 1));
    if (side < 1e-6 || angle < 1e-6)
        return;
    double norm = sqrt(normal[0] * normal[0] + normal[1] * normal[1] + normal[2] * normal[2]);
    for (int c = 0; c < 3; c++)
        normal[c] /= norm;
    rotation turn = sn_rt_rotation_about_vector(normal, angle);
    for (size_t i = 0; i < SN_RT_PERSONS * q->frames * SN_RT_JOINTS; i++) {
        float *x = q->x + 3 * i;
        double in[3] = {(double)x[0], (double)x[1], (double)x[2]}, out[3];
        sn_rt_rotation_apply(&turn, in, out);
        for (int c = 0; c < 3; c++)
            x[c] = (float)out[c];
    }
}

sn_rt_status sn_rt_family_agcn(const sn_rt_bodies *b, size_t frames, sn_rt_persons *out, sn_rt_error *err)
{
    size_t chosen[SN_RT_PERSONS];
    if (frames && b->frames > frames)
        return sn_rt_fail(err, SN_RT_BAD_SHAPE, "%zu frames, more than the %zu to fill", b->frames, frames);
    sn_rt_status status = sn_rt_persons_make(frames ? frames : b->frames, b->fps, out, err);
    if (status != SN_RT_OK)
        return status;
    choose_slots(b, chosen);
    for (size_t p = 0; p < SN_RT_PERSONS; p++) {
        for (size_t t = 0; t < b->frames; t++)
            if (slot_frame(b, t, chosen[p]))
                memcpy(person_frame(out, p, t), slot_frame(b, t, chosen[p]), FRAME * sizeof(float));
        out->moved |= fill_person(person_frame(out, p, 0), out->frames);
    }
    centre_on_first(out);
    turn_all(out, 0, 1, 2);
    turn_all(out, 4, 8, 0);
    return SN_RT_OK;
}

/* ---- aimclr ------------------------------------------------------------------------------------------------------------- */

enum { AIMCLR_FRAMES = 50, AIMCLR_CENTRE = 20 };

/* Frames whose first body has a joint 0 other than the origin. */
static size_t frames_with_first(const sn_rt_bodies *b)
{
    size_t count = 0;
    for (size_t t = 0; t < b->frames; t++) {
        const float *x = slot_frame(b, t, 0);
        count += x && (x[0] != 0 || x[1] != 0 || x[2] != 0);
    }
    return count;
}

/* Turn every frame about y until the shoulders lie along x, all in one sense. */
static void face_camera(float *x, size_t frames)
{
    double depth = 0;
    for (size_t t = 0; t < frames; t++)
        depth += (double)x[t * FRAME + 3 * 8 + 2] - (double)x[t * FRAME + 3 * 4 + 2];
    for (size_t t = 0; t < frames; t++, x += FRAME) {
        double a = (double)x[3 * 8] - (double)x[3 * 4], b = (double)x[3 * 8 + 2] - (double)x[3 * 4 + 2];
        double angle = acos(a / (sqrt(a * a + b * b) + 1e-4)) * (depth >= 0 ? -1 : 1), cosine = cos(angle), sine = sin(angle);
        for (int j = 0; j < SN_RT_JOINTS; j++) {
            double left = (double)x[3 * j], away = (double)x[3 * j + 2];
            x[3 * j] = (float)(cosine * left - sine * away);
            x[3 * j + 2] = (float)(sine * left + cosine * away);
        }
    }
}

sn_rt_status sn_rt_family_aimclr(const sn_rt_bodies *b, size_t frames, sn_rt_persons *out, sn_rt_error *err)
{
    size_t length = frames_with_first(b), wanted = frames ? frames : AIMCLR_FRAMES;
    if (length == 0)
        return sn_rt_fail(err, SN_RT_BAD_SHAPE, "no frame shows a first body");
    float *relative = calloc(length, FRAME * sizeof *relative);
    sn_rt_status status = relative ? sn_rt_persons_make(wanted, b->fps * (double)wanted / (double)length, out, err)
                                   : sn_rt_fail(err, SN_RT_MEMORY, "no memory for %zu frames", length);
    for (size_t p = 0; status == SN_RT_OK && p < SN_RT_PERSONS; p++) {
        for (size_t t = 0; t < length; t++) {
            const float *x = slot_frame(b, t, p);
            for (int i = 0; i < FRAME; i++)
                relative[t * FRAME + (size_t)i] = x ? x[i] - x[3 * AIMCLR_CENTRE + i % 3] : 0;
        }
        sn_rt_resize(relative, length, SN_RT_JOINTS, person_frame(out, p, 0), wanted);
        face_camera(person_frame(out, p, 0), wanted);
    }
    free(relative);
    if (status == SN_RT_OK)
        out->moved = length != b->frames || wanted != length;
    return status;
}

/* ---- the table ---------------------------------------------------------------------------------------------------------- */

typedef struct row {
    sn_rt_family family;
    sn_rt_status (*apply)(const sn_rt_bodies *, size_t frames, sn_rt_persons *, sn_rt_error *);
} row;

static const row table[] = {
    {{"agcn", "ntu25", "centred on the first person, spine and shoulders of frame 0 aligned (2s-AGCN, BABEL)"}, sn_rt_family_agcn},
    {{"aimclr", "ntu25-aimclr", "each person on its own chest, resized, every frame turned to the camera (AimCLR)"}, sn_rt_family_aimclr},
    {{"denoised", "ntu25-denoised", "tracks cleaned, centred once, travel kept (Hyper-GCN)"}, sn_rt_family_denoised},
};

const sn_rt_family *sn_rt_family_of(const char *name)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].family.name, name) == 0)
            return &table[i].family;
    return NULL;
}

const sn_rt_family *sn_rt_family_of_layout(const char *layout)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].family.layout, layout) == 0)
            return &table[i].family;
    return NULL;
}

const char *sn_rt_family_names(void)
{
    return "agcn, aimclr, denoised";
}

sn_rt_status sn_rt_family_apply(const sn_rt_family *family, const sn_rt_bodies *bodies, size_t frames, sn_rt_persons *out,
                                sn_rt_error *err)
{
    const row *r = (const row *)(const void *)family; /* a family is the first member of its row */
    if (bodies->first[bodies->frames] == 0)
        return sn_rt_fail(err, SN_RT_BAD_SHAPE, "no frame shows a body");
    return r->apply(bodies, frames, out, err);
}
