/* The transforms of augmentations: data, and a pair of functions each.
 * Not which of them make a view (augment.c). Whoever adds one adds a row at the end. */
#include "augment.h"

#include <math.h>
#include <string.h>

static const double degree = 3.14159265358979323846 / 180;

static double uniform(sn_rt_random *r, double low, double high)
{
    return low + sn_rt_random_uniform(r) * (high - low);
}

/* A coin that falls on 1 with probability `p`. */
static double coin(sn_rt_random *r, double p)
{
    return sn_rt_random_uniform(r) < p;
}

static size_t values_of(sn_rt_clip_size n)
{
    return n.M * n.T * n.V * 3;
}

/* x' = R x for every joint. */
static void turn(const double R[9], sn_rt_clip_size n, const float *in, float *out)
{
    float m[9];
    for (int i = 0; i < 9; i++)
        m[i] = (float)R[i];
    for (size_t i = 0; i < values_of(n); i += 3) {
        float a = in[i], b = in[i + 1], c = in[i + 2];
        out[i] = m[0] * a + m[1] * b + m[2] * c;
        out[i + 1] = m[3] * a + m[4] * b + m[5] * c;
        out[i + 2] = m[6] * a + m[7] * b + m[8] * c;
    }
}

/* ---- crop: T frames of the clip mirrored at both ends by p = T / ratio frames, the edge frame repeated ------------------ */

static void crop_draw(const double *setting, sn_rt_random *r, sn_rt_clip_size n, double *drawn)
{
    size_t p = n.T / (size_t)setting[0];
    drawn[0] = sn_rt_random_below(r, (uint32_t)(2 * p + 1));
}

static void crop_apply(const double *drawn, const double *setting, sn_rt_random *r, sn_rt_clip_size n, const float *in, float *out)
{
    (void)r;
    size_t p = n.T / (size_t)setting[0], width = n.V * 3;
    for (size_t m = 0; m < n.M; m++, in += n.T * width) {
        for (size_t t = 0; t < n.T; t++, out += width) {
            size_t k = (size_t)drawn[0] + t; /* of the extended sequence: p mirrored, T, p mirrored */
            size_t from = k < p ? p - 1 - k : k < p + n.T ? k - p : 2 * n.T - 1 - (k - p);
            memcpy(out, in + from * width, width * sizeof *out);
        }
    }
}

/* ---- shear: unit diagonal, six free entries, row by row ----------------------------------------------------------------- */

static void shear_draw(const double *setting, sn_rt_random *r, sn_rt_clip_size n, double *drawn)
{
    (void)n;
    for (int i = 0; i < 6; i++)
        drawn[i] = uniform(r, -setting[0], setting[0]);
}

static void shear_apply(const double *s, const double *setting, sn_rt_random *r, sn_rt_clip_size n, const float *in, float *out)
{
    (void)setting, (void)r;
    const double R[9] = {1, s[0], s[1], s[2], 1, s[3], s[4], s[5], 1};
    turn(R, n, in, out);
}

/* ---- flip: left and right joints change places, coordinates stay -------------------------------------------------------- */

static void coin_draw(const double *setting, sn_rt_random *r, sn_rt_clip_size n, double *drawn)
{
    (void)n;
    drawn[0] = coin(r, setting[0]);
}

static void flip_apply(const double *drawn, const double *setting, sn_rt_random *r, sn_rt_clip_size n, const float *in, float *out)
{
    (void)drawn, (void)setting, (void)r;
    static const unsigned char from[25] = {0,  1,  2,  3,  8,  9,  10, 11, 4,  5,  6,  7, 16,
                                           17, 18, 19, 12, 13, 14, 15, 20, 23, 24, 21, 22};
    for (size_t t = 0; t < n.M * n.T; t++, in += n.V * 3, out += n.V * 3)
        for (size_t v = 0; v < n.V; v++)
            memcpy(out + 3 * v, in + 3 * from[v], 3 * sizeof *out);
}

/* ---- rotate: one axis far, the two others little; about x, then y, then z ------------------------------------------------ */

static void rotate_draw(const double *setting, sn_rt_random *r, sn_rt_clip_size n, double *drawn)
{
    (void)n;
    uint32_t far = sn_rt_random_below(r, 3);
    for (uint32_t axis = 0; axis < 3; axis++)
        drawn[axis] = uniform(r, 0, axis == far ? setting[0] : setting[1]);
}

static void rotate_apply(const double *angle, const double *setting, sn_rt_random *r, sn_rt_clip_size n, const float *in, float *out)
{
    (void)setting, (void)r;
    double cx = cos(angle[0] * degree), sx = sin(angle[0] * degree), cy = cos(angle[1] * degree), sy = sin(angle[1] * degree);
    double cz = cos(angle[2] * degree), sz = sin(angle[2] * degree);
    /* Rz Ry Rx of Rx = [1 0 0; 0 c s; 0 -s c], Ry = [c 0 -s; 0 1 0; s 0 c], Rz = [c s 0; -s c 0; 0 0 1] */
    const double R[9] = {cz * cy, cz * sy * sx + sz * cx,  -cz * sy * cx + sz * sx,
                         -sz * cy, -sz * sy * sx + cz * cx, sz * sy * cx + cz * sx,
                         sy,       -cy * sx,                cy * cx};
    turn(R, n, in, out);
}

/* ---- noise: N(0, std^2) on every value ---------------------------------------------------------------------------------- */

static void noise_apply(const double *drawn, const double *setting, sn_rt_random *r, sn_rt_clip_size n, const float *in, float *out)
{
    (void)drawn;
    for (size_t i = 0; i < values_of(n); i++)
        out[i] = in[i] + (float)(setting[1] * sn_rt_random_normal(r));
}

/* ---- blur: 15 taps over time, not normalised as in the original, zeros beyond the ends ----------------------------------- */

enum { RADIUS = 7 };

static void blur_draw(const double *setting, sn_rt_random *r, sn_rt_clip_size n, double *drawn)
{
    (void)n;
    drawn[1] = uniform(r, setting[1], setting[2]);
    drawn[0] = coin(r, setting[0]);
}

static void blur_apply(const double *drawn, const double *setting, sn_rt_random *r, sn_rt_clip_size n, const float *in, float *out)
{
    (void)setting, (void)r;
    float tap[RADIUS + 1];
    size_t width = n.V * 3;
    for (int k = 0; k <= RADIUS; k++)
        tap[k] = (float)exp(-(double)(k * k) / (2 * drawn[1] * drawn[1]));
    memset(out, 0, values_of(n) * sizeof *out);
    for (size_t m = 0; m < n.M; m++, in += n.T * width, out += n.T * width)
        for (size_t t = 0; t < n.T; t++)
            for (size_t from = t < RADIUS ? 0 : t - RADIUS; from < n.T && from <= t + RADIUS; from++) {
                float weight = tap[from < t ? t - from : from - t];
                for (size_t i = 0; i < width; i++)
                    out[t * width + i] += weight * in[from * width + i];
            }
}

/* ---- axis_mask: one coordinate becomes 0 -------------------------------------------------------------------------------- */

static void axis_mask_draw(const double *setting, sn_rt_random *r, sn_rt_clip_size n, double *drawn)
{
    (void)n;
    drawn[0] = coin(r, setting[0]);
    drawn[1] = sn_rt_random_below(r, 3);
}

static void axis_mask_apply(const double *drawn, const double *setting, sn_rt_random *r, sn_rt_clip_size n, const float *in, float *out)
{
    (void)setting, (void)r;
    for (size_t i = 0; i < values_of(n); i++)
        out[i] = i % 3 == (size_t)drawn[1] ? 0 : in[i];
}

/* ---- time_flip ---------------------------------------------------------------------------------------------------------- */

static void time_flip_apply(const double *drawn, const double *setting, sn_rt_random *r, sn_rt_clip_size n, const float *in, float *out)
{
    (void)drawn, (void)setting, (void)r;
    size_t width = n.V * 3;
    for (size_t m = 0; m < n.M; m++, in += n.T * width)
        for (size_t t = n.T; t-- > 0; out += width)
            memcpy(out, in + t * width, width * sizeof *out);
}

/* ---- joint_mask: some joints in some frames become 0 --------------------------------------------------------------------- */

/* Whole number between two settings; fewer frames for short clips, never more than there are. */
static void joint_mask_draw(const double *setting, sn_rt_random *r, sn_rt_clip_size n, double *drawn)
{
    double half = n.T < 100 ? 0.5 : 1; /* RVTCLR: 50 to 100 frames, 20 to 50 of clips below 100 */
    double low = n.T < 100 ? floor(setting[2] * 0.4) : setting[2], high = setting[3] * half;
    drawn[0] = fmin(floor(uniform(r, setting[0], setting[1] + 1)), (double)n.V);
    drawn[1] = fmin(floor(uniform(r, low, high + 1)), (double)n.T);
}

/* Set `count` different ones of flag[0..n-1]. */
static void choose(sn_rt_random *r, size_t count, size_t n, unsigned char *flag)
{
    memset(flag, 0, n);
    for (size_t left = n; count > 0 && left > 0; left--) /* selection sampling: n - left seen, count wanted of the rest */
        if (sn_rt_random_below(r, (uint32_t)left) < count) {
            flag[n - left] = 1;
            count--;
        }
}

static void joint_mask_apply(const double *drawn, const double *setting, sn_rt_random *r, sn_rt_clip_size n, const float *in, float *out)
{
    (void)setting;
    enum { MOST_JOINTS = 256 };
    unsigned char joint[MOST_JOINTS];
    size_t V = n.V < MOST_JOINTS ? n.V : MOST_JOINTS, frames = (size_t)drawn[1];
    choose(r, (size_t)drawn[0], V, joint);
    memcpy(out, in, values_of(n) * sizeof *out);
    for (size_t t = 0; t < n.T && frames > 0; t++) {
        if (sn_rt_random_below(r, (uint32_t)(n.T - t)) >= frames)
            continue;
        frames--;
        for (size_t m = 0; m < n.M; m++)
            for (size_t v = 0; v < V; v++)
                if (joint[v])
                    memset(out + ((m * n.T + t) * n.V + v) * 3, 0, 3 * sizeof *out);
    }
}

#define P {"p", 0.5, 0, 1}

const sn_rt_transform sn_rt_transforms[] = {
    {"crop", "as many frames from a random start, mirrored beyond the ends", {{"ratio", 6, 1, 1e6}}, {"start"}, crop_draw, crop_apply, 0, true},
    {"shear", "a matrix of unit diagonal", {{"amplitude", 0.5, 0, 10}}, {"s01", "s02", "s10", "s12", "s20", "s21"}, shear_draw, shear_apply, 0, false},
    {"flip", "left and right joints change places", {P}, {"apply"}, coin_draw, flip_apply, 25, false},
    {"rotate", "about x, y, z by degrees: one axis far, two little", {{"far", 30, 0, 360}, {"little", 1, 0, 360}}, {"x", "y", "z"}, rotate_draw,
     rotate_apply, 0, false},
    {"noise", "Gaussian noise on every value", {P, {"std", 0.01, 0, 1e3}}, {"apply"}, coin_draw, noise_apply, 0, false},
    {"blur", "15 Gaussian taps over time, not normalised", {P, {"low", 0.1, 1e-3, 1e3}, {"high", 2, 1e-3, 1e3}}, {"apply", "sigma"}, blur_draw,
     blur_apply, 0, false},
    {"axis_mask", "one of x, y, z becomes 0", {P}, {"apply", "axis"}, axis_mask_draw, axis_mask_apply, 0, false},
    {"time_flip", "backwards", {P}, {"apply"}, coin_draw, time_flip_apply, 0, true},
    {"joint_mask", "some joints in some frames become 0",
     {{"fewest_joints", 5, 0, 256}, {"most_joints", 15, 0, 256}, {"fewest_frames", 50, 0, 1e6}, {"most_frames", 100, 0, 1e6}}, {"joints", "frames"},
     joint_mask_draw, joint_mask_apply, 0, false},
};
const size_t sn_rt_transform_count = sizeof sn_rt_transforms / sizeof *sn_rt_transforms;
