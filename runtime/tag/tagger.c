/* A model that scores every frame of a recording: binding, one piece, the halo.
 * Not recordings of any length (windows.c). */
#include "tagger.h"

#include "../core/memory.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGN = 64 }; /* bytes, as sessions want parameters */

/* ---- life --------------------------------------------------------------------------------------------------------------- */

/* Is the dimension a symbol by itself? */
static bool is_free(const sn_abi_program *p, int64_t dim) { return dim < 0 && p->dim[~dim].op == SN_ABI_DIM_SYMBOL; }

static sn_rt_status check_faces(sn_rt_tagger *t, sn_rt_error *err)
{
    const sn_abi_program *p = t->program;
    const sn_abi_tensor  *in = t->input == SN_RT_NONE ? NULL : &p->param[t->input].type, *out = p->outputs ? &p->output[0].type : NULL;
    uint32_t              last = in ? in->rank - 1 : 0;
    if (!in || (in->rank != 4 && in->rank != 5) || !is_free(p, in->dim[0]) || !is_free(p, in->dim[last - 2]) || in->dim[0] == in->dim[last - 2] || in->dim[last - 1] < 1 || in->dim[last] != 3 ||
        (in->rank == 5 && in->dim[1] < 1) || p->symbols != 2)
        return sn_rt_fail(err, SN_RT_BAD_SHAPE, "the model's input is not [N, T, joints, 3] or [N, persons, T, joints, 3]");
    if (!out || out->rank != 3 || out->dim[0] != in->dim[0] || out->dim[1] != in->dim[last - 2] || out->dim[2] < 2)
        return sn_rt_fail(err, SN_RT_BAD_SHAPE, "the model's output is not [N, T, classes + 1]");
    t->persons = in->rank == 5 ? (size_t)in->dim[1] : 1;
    t->joints = (size_t)in->dim[last - 1];
    t->columns = (size_t)out->dim[2];
    return SN_RT_OK;
}

sn_rt_status sn_rt_tagger_init(sn_rt_tagger *t, const sn_abi_program *program, const float *const *weight, size_t window, size_t halo, int threads,
                               sn_rt_error *err)
{
    *t = (sn_rt_tagger){.program = program, .weight = weight, .window = window, .halo = halo, .threads = threads, .input = SN_RT_NONE};
    for (uint32_t i = 0; i < program->params; i++) {
        if (program->param[i].kind != SN_ABI_INPUT) continue;
        if (t->input != SN_RT_NONE) return sn_rt_fail(err, SN_RT_BAD_SHAPE, "the model has inputs %s and %s, expected one", program->param[t->input].name, program->param[i].name);
        t->input = i;
    }
    sn_rt_status status = check_faces(t, err);
    return status == SN_RT_OK ? sn_rt_session_new(program, &t->session, err) : status;
}

void sn_rt_tagger_fini(sn_rt_tagger *t)
{
    sn_rt_session_free(t->session);
    sn_rt_pages_free(t->slab, t->slab_bytes);
    free(t->frames);
    memset(t, 0, sizeof *t);
}

void sn_rt_tagger_renew(sn_rt_tagger *t)
{
    if (t->bound) sn_rt_session_renew(t->session);
}

/* ---- one piece ---------------------------------------------------------------------------------------------------------- */

/* Number of the symbol that is this dimension of the input. */
static int64_t symbol_of(const sn_rt_tagger *t, int64_t dim) { return t->program->dim[~dim].a; }

static sn_rt_status make_frames(sn_rt_tagger *t, size_t frames, sn_rt_error *err)
{
    size_t bytes = (t->persons * frames * t->joints * 3 * sizeof *t->frames + ALIGN - 1) / ALIGN * ALIGN;
    if (bytes <= t->room) return SN_RT_OK;
    free(t->frames);
    t->frames = aligned_alloc(ALIGN, bytes);
    t->room = t->frames ? bytes : 0;
    return t->frames ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "no memory for %zu frames", frames);
}

/* Sizes for so many frames; parameters are neither set nor the session prepared. */
static sn_rt_status size(sn_rt_tagger *t, size_t frames, sn_rt_error *err)
{
    const sn_abi_tensor *in = &t->program->param[t->input].type;
    int64_t              extent[2];
    extent[symbol_of(t, in->dim[0])] = 1;
    extent[symbol_of(t, in->dim[in->rank - 3])] = (int64_t)frames;
    t->bound = 0;
    sn_rt_status status = sn_rt_session_bind(t->session, extent, err);
    return status == SN_RT_OK ? sn_rt_session_hold(t->session, err) : status;
}

static sn_rt_status bind(sn_rt_tagger *t, size_t frames, sn_rt_error *err)
{
    const sn_abi_program *p = t->program;
    if (t->bound == frames) return SN_RT_OK;
    sn_rt_status status = make_frames(t, frames, err);
    if (status == SN_RT_OK) status = size(t, frames, err);
    for (uint32_t i = 0; status == SN_RT_OK && i < p->params; i++) {
        const float *memory = i == t->input ? t->frames : t->weight[i];
        if (memory) status = sn_rt_session_set_param(t->session, i, memory, sn_rt_session_count(t->session, &p->param[i].type), err);
    }
    if (status == SN_RT_OK) status = sn_rt_session_prepare(t->session, t->threads, t->slab, t->slab_bytes, err);
    if (status == SN_RT_OK) t->bound = frames;
    return status;
}

sn_rt_status sn_rt_tagger_reserve(sn_rt_tagger *t, size_t most, size_t every, sn_rt_error *err)
{
    size_t bytes = 0;
    if (!t->threads) t->threads = sn_rt_threads_default();
    sn_rt_status status = make_frames(t, most, err);
    for (size_t frames = every; status == SN_RT_OK && frames <= most; frames += every) {
        status = size(t, frames, err);
        size_t more = status == SN_RT_OK ? sn_rt_plan_bytes(t->session, t->threads) : 0;
        if (more > bytes) bytes = more;
    }
    if (status != SN_RT_OK) return status;
    t->slab = sn_rt_pages_new(bytes);
    if (!t->slab) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for a slab of %zu MiB", bytes >> 20);
    t->slab_bytes = bytes;
    return SN_RT_OK;
}

size_t sn_rt_tagger_bytes(const sn_rt_tagger *t) { return t->slab_bytes + t->room; }

sn_rt_status sn_rt_tagger_run(sn_rt_tagger *t, const sn_rt_frames *x, size_t there, size_t length, const float **out, sn_rt_error *err)
{
    size_t       width = t->joints * 3;
    sn_rt_status status = bind(t, length, err);
    if (status != SN_RT_OK) return status;
    for (size_t m = 0; m < t->persons; m++)
        for (size_t f = 0; f < length; f++) {
            float *to = t->frames + (m * length + f) * width;
            if (m < x->persons) memcpy(to, x->x + m * x->person + (f < there ? f : there - 1) * x->frame, width * sizeof *to);
            else memset(to, 0, width * sizeof *to);
        }
    status = sn_rt_session_run(t->session, 0, 0, err);
    *out = sn_rt_session_output(t->session, 0);
    return status;
}

/* ---- halo --------------------------------------------------------------------------------------------------------------- */

/* Frames at the rim of the halo that may matter for other recordings than the one it is measured on: the outermost taps of all layers at once. */
enum { UNSEEN = 8 };

/* Frames at the end of the scores `part` (at the beginning, if `front`) of `length` frames that differ from those of the whole. */
static size_t differing(const sn_rt_tagger *t, const float *part, const float *whole, size_t length, bool front)
{
    size_t K = t->columns, most = 0;
    for (size_t k = 0; k < length * K; k++) {
        size_t frame = k / K, away = front ? frame + 1 : length - frame;
        if (part[k] != whole[k] && away > most) most = away;
    }
    return most;
}

/* [all][persons][V][3]: back and forth, so that nothing jumps.  Persons but the first come behind the piece that is looked at first, so that a model for
 * whom they count only where they are has no halo; the first stands in for those x does not show. */
static void repeat(const sn_rt_tagger *t, const float *x, size_t persons, size_t frames, size_t all, float *out)
{
    size_t width = t->joints * 3;
    memset(out, 0, all * t->persons * width * sizeof *out);
    for (size_t k = 0; k < all; k++) {
        size_t at = frames > 1 ? k % (2 * frames - 2) : 0, from = at < frames ? at : 2 * frames - 2 - at;
        for (size_t m = 0; m < t->persons && (m == 0 || k >= 5 * all / 8); m++)
            memcpy(out + (k * t->persons + m) * width, x + ((m < persons ? m : 0) * frames + from) * width, width * sizeof *x);
    }
}

static size_t up_to_begin(size_t frames) { return (frames + SN_RT_TAGGER_BEGIN - 1) / SN_RT_TAGGER_BEGIN * SN_RT_TAGGER_BEGIN; }

sn_rt_status sn_rt_tagger_measure(sn_rt_tagger *t, const float *x, size_t persons, size_t frames, sn_rt_error *err)
{
    size_t       window = up_to_begin(t->window > 288 ? t->window : 288), all = 8 * window, width = t->persons * t->joints * 3, most = 0;
    float       *long_x = malloc(all * width * sizeof *x), *whole = malloc(all * t->columns * sizeof *whole);
    const float *scores;
    sn_rt_frames piece = {long_x, t->persons, t->joints * 3, width};
    sn_rt_status status = long_x && whole ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "no memory for %zu frames", all);
    if (status == SN_RT_OK) repeat(t, x, persons, frames, all, long_x);
    if (status == SN_RT_OK) status = sn_rt_tagger_run(t, &piece, all, all, &scores, err);
    if (status == SN_RT_OK) memcpy(whole, scores, all * t->columns * sizeof *whole);
    for (size_t k = 0; status == SN_RT_OK && k <= SN_RT_TAGGER_BEGIN / SN_RT_TAGGER_GRID; k++) {
        /* a short piece for every place in a tile where windows may end, and a long one: what stretches with it shows */
        size_t start = k ? 4 * window : window, length = k ? 2 * window + (k - 1) * SN_RT_TAGGER_GRID : 4 * window;
        piece.x = long_x + start * width;
        status = sn_rt_tagger_run(t, &piece, length, length, &scores, err);
        if (status != SN_RT_OK) break;
        const float *same = whole + start * t->columns, *half = scores + length / 2 * t->columns;
        size_t       front = differing(t, scores, same, length / 2, true), back = differing(t, half, same + length / 2 * t->columns, length / 2, false);
        if (front > most) most = front;
        if (back > most) most = back;
    }
    if (status == SN_RT_OK) t->halo = most + UNSEEN <= window ? sn_rt_tagger_grid_up(most ? most + UNSEEN : 0) : SN_RT_TAGGER_NO_HALO;
    free(long_x);
    free(whole);
    return status;
}
