/* A model that scores every frame of a recording: binding, windows, stitching.
 * Not the file it comes from (model_file.c). */
#include "tagger.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 64 }; /* bytes, as sessions want parameters */

static size_t up_to_grid(size_t frames) { return (frames + SN_TAGGER_GRID - 1) / SN_TAGGER_GRID * SN_TAGGER_GRID; }
static size_t down_to_grid(size_t frames) { return frames / SN_TAGGER_GRID * SN_TAGGER_GRID; }

/* ---- life --------------------------------------------------------------------------------------------------------------- */

static bool is_free(int64_t dim) { return dim < 0; }

sn_rt_status sn_tagger_init(sn_tagger *t, const sn_abi_program *program, const float *const *weight, size_t window, size_t halo, int threads,
                            sn_rt_error *err)
{
    *t = (sn_tagger){.program = program, .weight = weight, .window = window, .halo = halo, .threads = threads, .input = SN_RT_NONE};
    for (uint32_t i = 0; i < program->params; i++) {
        if (program->param[i].kind != SN_ABI_INPUT && !weight[i]) return sn_rt_fail(err, SN_RT_MISSING, "the model has no %s", program->param[i].name);
        if (program->param[i].kind != SN_ABI_INPUT) continue;
        if (t->input != SN_RT_NONE) return sn_rt_fail(err, SN_RT_BAD_SHAPE, "the model has inputs %s and %s, expected one", program->param[t->input].name, program->param[i].name);
        t->input = i;
    }
    const sn_abi_tensor *in = t->input == SN_RT_NONE ? NULL : &program->param[t->input].type, *out = program->outputs ? &program->output[0].type : NULL;
    if (!in || in->rank != 4 || !is_free(in->dim[0]) || !is_free(in->dim[1]) || in->dim[2] < 1 || in->dim[3] != 3 || program->symbols != 2)
        return sn_rt_fail(err, SN_RT_BAD_SHAPE, "the model's input is not [N, T, joints, 3]");
    if (!out || out->rank != 3 || out->dim[0] != in->dim[0] || out->dim[1] != in->dim[1] || out->dim[2] < 2)
        return sn_rt_fail(err, SN_RT_BAD_SHAPE, "the model's output is not [N, T, classes + 1]");
    t->joints = (size_t)in->dim[2];
    t->columns = (size_t)out->dim[2];
    return sn_rt_session_new(program, &t->session, err);
}

void sn_tagger_fini(sn_tagger *t)
{
    sn_rt_session_free(t->session);
    free(t->frames);
    memset(t, 0, sizeof *t);
}

void sn_tagger_renew(sn_tagger *t)
{
    if (t->bound) sn_rt_session_renew(t->session);
}

/* ---- one piece ---------------------------------------------------------------------------------------------------------- */

/* Number of the symbol that is axis `axis` of the input. */
static int64_t symbol_of(const sn_tagger *t, uint32_t axis) { return t->program->dim[~t->program->param[t->input].type.dim[axis]].a; }

static sn_rt_status bind(sn_tagger *t, size_t frames, sn_rt_error *err)
{
    const sn_abi_program *p = t->program;
    int64_t               extent[2];
    if (t->bound == frames) return SN_RT_OK;
    t->bound = 0;
    free(t->frames);
    t->frames = aligned_alloc(ALIGN, (frames * t->joints * 3 * sizeof(float) + ALIGN - 1) / ALIGN * ALIGN);
    if (!t->frames) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for %zu frames", frames);
    extent[symbol_of(t, 0)] = 1;
    extent[symbol_of(t, 1)] = (int64_t)frames;
    sn_rt_status status = sn_rt_session_bind(t->session, extent, err);
    for (uint32_t i = 0; status == SN_RT_OK && i < p->params; i++)
        status = sn_rt_session_set_param(t->session, i, i == t->input ? t->frames : t->weight[i], sn_rt_session_count(t->session, &p->param[i].type), err);
    if (status == SN_RT_OK) status = sn_rt_session_hold(t->session, err);
    if (status == SN_RT_OK) status = sn_rt_session_prepare(t->session, t->threads, NULL, 0, err);
    if (status == SN_RT_OK) t->bound = frames;
    return status;
}

/* Scores of frames [start, start + length) of x, whose last frame is repeated beyond `frames`; borrowed until the next call. */
static sn_rt_status run(sn_tagger *t, const float *x, size_t frames, size_t start, size_t length, const float **out, sn_rt_error *err)
{
    size_t       width = t->joints * 3, there = start + length <= frames ? length : frames - start;
    sn_rt_status status = bind(t, length, err);
    if (status != SN_RT_OK) return status;
    memcpy(t->frames, x + start * width, there * width * sizeof *x);
    for (size_t k = there; k < length; k++) memcpy(t->frames + k * width, x + (frames - 1) * width, width * sizeof *x);
    status = sn_rt_session_run(t->session, 0, 0, err);
    *out = sn_rt_session_output(t->session, 0);
    return status;
}

/* ---- windows ------------------------------------------------------------------------------------------------------------ */

/* Windows that overlap by twice the halo. */
static sn_rt_status scores_between(sn_tagger *t, const float *x, size_t frames, float *out, sn_rt_error *err)
{
    size_t       K = t->columns, all = up_to_grid(frames), margin = up_to_grid(t->halo), least = 2 * margin + SN_TAGGER_GRID;
    size_t       window = up_to_grid(t->window && t->window > least ? t->window : t->window ? least : all);
    sn_rt_status status = SN_RT_OK;
    for (size_t start = 0, done = 0; status == SN_RT_OK && done < frames;) {
        const float *scores;
        size_t       end = start + window < all ? start + window : all, good = end < all ? end - margin : frames;
        status = run(t, x, frames, start, end - start, &scores, err);
        if (status != SN_RT_OK) break;
        if (good > frames) good = frames;
        memcpy(out + done * K, scores + (done - start) * K, (good - done) * K * sizeof *out);
        done = good;
        start = down_to_grid(done) > margin ? down_to_grid(done) - margin : 0;
    }
    return status;
}

/* Windows that overlap by half, and the mean of what they say. */
static sn_rt_status scores_mean(sn_tagger *t, const float *x, size_t frames, float *out, sn_rt_error *err)
{
    size_t       K = t->columns, window = t->window && t->window < frames ? t->window : frames, hop = window > 1 ? window / 2 : 1;
    unsigned    *times = calloc(frames, sizeof *times);
    sn_rt_status status = times ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "no memory for %zu frames", frames);
    memset(out, 0, frames * K * sizeof *out);
    for (size_t start = 0, last = frames - window; status == SN_RT_OK; start = start + hop < last ? start + hop : last) {
        const float *scores;
        status = run(t, x, frames, start, window, &scores, err);
        for (size_t k = 0; status == SN_RT_OK && k < window * K; k++) out[start * K + k] += scores[k];
        for (size_t k = 0; k < window; k++) times[start + k]++;
        if (start == last) break;
    }
    for (size_t k = 0; status == SN_RT_OK && k < frames * K; k++) out[k] /= (float)times[k / K];
    free(times);
    return status;
}

sn_rt_status sn_tagger_scores(sn_tagger *t, const float *x, size_t frames, float *out, sn_rt_error *err)
{
    if (frames == 0) return SN_RT_OK;
    return (t->halo == SN_TAGGER_NO_HALO ? scores_mean : scores_between)(t, x, frames, out, err);
}

/* ---- halo --------------------------------------------------------------------------------------------------------------- */

/* Frames at the end of the scores `part` (at the beginning, if `front`) of `length` frames that differ from those of the whole. */
static size_t differing(const sn_tagger *t, const float *part, const float *whole, size_t length, bool front)
{
    size_t K = t->columns, most = 0;
    for (size_t k = 0; k < length * K; k++) {
        size_t frame = k / K, away = front ? frame + 1 : length - frame;
        if (!(fabsf(part[k] - whole[k]) <= 1e-6f) && away > most) most = away;
    }
    return most;
}

sn_rt_status sn_tagger_measure(sn_tagger *t, const float *x, size_t frames, sn_rt_error *err)
{
    size_t       window = up_to_grid(t->window > 256 ? t->window : 256), all = 8 * window, width = t->joints * 3, most = 0;
    float       *long_x = malloc(all * width * sizeof *x), *whole = malloc(all * t->columns * sizeof *whole);
    const float *scores;
    sn_rt_status status = long_x && whole ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "no memory for %zu frames", all);
    for (size_t k = 0; status == SN_RT_OK && k < all; k++) { /* back and forth, so that nothing jumps */
        size_t at = frames > 1 ? k % (2 * frames - 2) : 0;
        memcpy(long_x + k * width, x + (at < frames ? at : 2 * frames - 2 - at) * width, width * sizeof *x);
    }
    if (status == SN_RT_OK) status = run(t, long_x, all, 0, all, &scores, err);
    if (status == SN_RT_OK) memcpy(whole, scores, all * t->columns * sizeof *whole);
    for (size_t start = window; status == SN_RT_OK && start <= 4 * window; start += 3 * window) {
        size_t length = start == window ? 4 * window : 2 * window; /* two lengths: what stretches with it shows */
        status = run(t, long_x, all, start, length, &scores, err);
        if (status != SN_RT_OK) break;
        const float *same = whole + start * t->columns, *half = scores + length / 2 * t->columns;
        size_t       front = differing(t, scores, same, length / 2, true), back = differing(t, half, same + length / 2 * t->columns, length / 2, false);
        if (front > most) most = front;
        if (back > most) most = back;
    }
    if (status == SN_RT_OK) t->halo = most < window ? up_to_grid(most) : SN_TAGGER_NO_HALO;
    t->bound = 0;
    free(long_x);
    free(whole);
    return status;
}
