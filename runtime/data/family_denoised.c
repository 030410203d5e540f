/* The denoised family: tracks by id, false ones dropped, two actors put together from the rest.
 * Not the other families (families.c); the rules and their constants are spec 7.2 C. */
#include "families_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SHORT_TRACK = 11 };                 /* frames: a track of no more is noise */
static const double wide = 0.8;            /* a body wider than this share of its height is no person standing */
static const double wide_share = 0.69754;  /* a track with at least this share of wide frames is noise */

/* One id. The track has no gaps: its k-th frame counts as start + k, whenever it was seen. */
typedef struct track {
    uint64_t id;
    size_t start, frames; /* among frames that show any body */
    float *x;             /* [frames][25][3] */
    double motion;        /* sum over x, y, z of the variance over frames and joints */
} track;

typedef struct tracks {
    track *track;
    size_t count;
    size_t frames; /* that show any body */
    bool gaps;     /* closed in a track */
} tracks;

static void tracks_fini(tracks *all)
{
    for (size_t i = 0; i < all->count; i++)
        free(all->track[i].x);
    free(all->track);
}

/* Group the bodies by id in order of appearance; 0 on success. */
static int tracks_make(const sn_rt_bodies *b, tracks *out)
{
    size_t total = b->first[b->frames];
    *out = (tracks){.track = calloc(total, sizeof *out->track)};
    if (!out->track)
        return -1;
    for (size_t t = 0; t < b->frames; t++) {
        for (size_t i = b->first[t]; i < b->first[t + 1]; i++) {
            size_t k = 0;
            while (k < out->count && out->track[k].id != b->body[i].id)
                k++;
            track *of = &out->track[k];
            if (k == out->count) {
                *of = (track){b->body[i].id, out->frames, 0, malloc((b->frames - t) * FRAME * sizeof(float)), 0};
                if (!of->x)
                    return -1;
                out->count++;
            }
            out->gaps |= of->start + of->frames < out->frames;
            if (of->start + of->frames <= out->frames) /* an id twice in a frame must not reach beyond it */
                memcpy(of->x + of->frames++ * FRAME, b->body[i].x, FRAME * sizeof(float));
        }
        out->frames += b->first[t + 1] > b->first[t];
    }
    return 0;
}

static int is_wide(const float *frame)
{
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    for (int i = 0; i < FRAME; i++) {
        if (i % 3 == 2)
            continue;
        low[i % 3] = fmin(low[i % 3], (double)frame[i]);
        high[i % 3] = fmax(high[i % 3], (double)frame[i]);
    }
    return high[0] - low[0] > wide * (high[1] - low[1]);
}

/* Sum over x, y, z of the variance over joints and frames, of all frames or of those that are not wide. */
static double motion_of(const track *of, int all)
{
    double sum[3] = {0}, square[3] = {0}, motion = 0;
    size_t count = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t t = 0; t < of->frames; t++) {
            const float *x = of->x + t * FRAME;
            if (!all && is_wide(x))
                continue;
            count += pass == 0 ? SN_RT_JOINTS : 0;
            for (int i = 0; i < FRAME; i++) {
                double d = pass == 0 ? (double)x[i] : (double)x[i] - sum[i % 3] / (double)count;
                *(pass == 0 ? &sum[i % 3] : &square[i % 3]) += pass == 0 ? d : d * d;
            }
        }
    }
    for (int c = 0; c < 3; c++)
        motion += count ? square[c] / (double)count : 0;
    return motion;
}

static void drop(tracks *all, size_t i)
{
    free(all->track[i].x);
    all->count--;
    memmove(&all->track[i], &all->track[i + 1], (all->count - i) * sizeof *all->track);
}

/* By motion, the largest first; of equal ones the earlier first. */
static void sort_by_motion(tracks *all)
{
    for (size_t i = 1; i < all->count; i++) {
        track kept = all->track[i];
        size_t k = i;
        for (; k > 0 && all->track[k - 1].motion < kept.motion; k--)
            all->track[k] = all->track[k - 1];
        all->track[k] = kept;
    }
}

/* Only where there are several: drop short tracks, then wide ones while more than one is left; order the rest. */
static void clean(tracks *all)
{
    if (all->count < 2)
        return;
    for (size_t i = 0; i < all->count; i++)
        all->track[i].motion = motion_of(&all->track[i], 1);
    for (size_t i = all->count; i-- > 0;)
        if (all->track[i].frames <= SHORT_TRACK)
            drop(all, i);
    for (size_t i = 0; i < all->count && all->count > 1;) {
        track *of = &all->track[i];
        size_t noisy = 0;
        for (size_t t = 0; t < of->frames; t++)
            noisy += (size_t)is_wide(of->x + t * FRAME);
        if (noisy && (double)noisy / (double)of->frames >= wide_share) {
            drop(all, i);
            continue;
        }
        if (noisy)
            of->motion = fmin(of->motion, motion_of(of, 0));
        i++;
    }
    sort_by_motion(all);
}

/* An actor's time so far, first and last frame. */
typedef struct interval {
    size_t start, last;
} interval;

/* One shared frame is no overlap. */
static int overlaps(interval a, interval b)
{
    size_t last = a.last < b.last ? a.last : b.last, start = a.start > b.start ? a.start : b.start;
    return last > start;
}

static void take(sn_rt_persons *q, size_t person, const track *from, interval *of)
{
    memcpy(person_frame(q, person, from->start), from->x, from->frames * FRAME * sizeof(float));
    size_t last = from->start + from->frames - 1;
    of->start = from->start < of->start ? from->start : of->start;
    of->last = last > of->last ? last : of->last;
}

/* The first track is the first actor; each other goes to the first it does not overlap. */
static void put_together(const tracks *all, sn_rt_persons *q)
{
    interval actor[SN_RT_PERSONS] = {{all->track[0].start, all->track[0].start}, {0, 0}};
    take(q, 0, &all->track[0], &actor[0]);
    for (size_t i = 1; i < all->count; i++) {
        const track *from = &all->track[i];
        interval own = {from->start, from->start + from->frames - 1};
        for (size_t p = 0; p < SN_RT_PERSONS; p++) {
            if (overlaps(actor[p], own))
                continue;
            take(q, p, from, &actor[p]);
            break;
        }
    }
}

/* Frames that show neither go. Persons lie one behind the other, so the second moves forward too. */
static void remove_empty(sn_rt_persons *q)
{
    size_t kept = 0, frames = q->frames;
    for (size_t t = 0; t < frames; t++) {
        if (frame_is_empty(person_frame(q, 0, t)) && frame_is_empty(person_frame(q, 1, t)))
            continue;
        for (size_t p = 0; p < SN_RT_PERSONS; p++)
            memmove(person_frame(q, p, kept), person_frame(q, p, t), FRAME * sizeof(float));
        kept++;
    }
    memmove(q->x + kept * FRAME, person_frame(q, 1, 0), kept * FRAME * sizeof(float));
    q->frames = kept;
}

/* All minus joint 1 of the first person in the first frame that shows it; empty frames of a person stay empty. */
static void move_to_origin(sn_rt_persons *q)
{
    size_t t = 0;
    while (t < q->frames && frame_is_empty(person_frame(q, 0, t)))
        t++;
    if (t == q->frames)
        return;
    float origin[3];
    memcpy(origin, person_frame(q, 0, t) + 3 * SN_RT_CENTRE, sizeof origin);
    for (size_t i = 0; i < SN_RT_PERSONS * q->frames; i++) {
        float *x = q->x + i * FRAME;
        if (frame_is_empty(x))
            continue;
        for (int k = 0; k < FRAME; k++)
            x[k] -= origin[k % 3];
    }
}

sn_rt_status sn_rt_family_denoised(const sn_rt_bodies *b, size_t frames, sn_rt_persons *out, sn_rt_error *err)
{
    tracks all;
    if (frames)
        return sn_rt_fail(err, SN_RT_ARGUMENT, "family denoised keeps a recording's frames, %zu were asked for", frames);
    sn_rt_status status = tracks_make(b, &all) ? sn_rt_fail(err, SN_RT_MEMORY, "no memory for the tracks of %zu frames", b->frames)
                                               : SN_RT_OK;
    if (status == SN_RT_OK) {
        clean(&all);
        if (all.count == 0)
            status = sn_rt_fail(err, SN_RT_BAD_SHAPE, "no body is tracked for more than %d frames", SHORT_TRACK);
    }
    if (status == SN_RT_OK)
        status = sn_rt_persons_make(all.frames, b->fps, out, err);
    if (status == SN_RT_OK) {
        put_together(&all, out);
        remove_empty(out);
        move_to_origin(out);
        out->moved = out->frames != b->frames || all.gaps;
    }
    tracks_fini(&all);
    return status;
}
