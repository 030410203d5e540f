/* Windows: which packed frame a tap reads, for forward products and for data gradients; windows as short correlations.
 * Not the packing itself (kernel_contract_pack.c). */
#include "kernel_contract.h"

static bool add_frames(sn_ct_pack *pack, int64_t count, int64_t start, int64_t step)
{
    if (pack->groups == sizeof pack->group / sizeof pack->group[0])
        return false;
    pack->group[pack->groups++] = (sn_ct_frames){pack->slots, count, start, step};
    pack->slots += count;
    return true;
}

/* Frames are packed by their residue modulo s, counted from the lowest one read. */
static const char too_many[] = "its stride and taps need more groups of packed frames than there are";

sn_refusal sn_ct_window_gather(sn_ct_window *w, sn_ct_pack *pack, const sn_product *p, int64_t frames, int64_t taps)
{
    int64_t low = p->off + (p->d < 0 ? p->d * (taps - 1) : 0), n = 0;
    *w = (sn_ct_window){.phases = 1, .frames = frames, .multiple = p->s, .divisor = 1};
    for (int64_t phase = 0; phase < p->s; phase++) {
        int64_t slot = pack->slots, most = -1;
        for (int64_t k = 0; k < taps; k++) {
            int64_t e = p->d * k + p->off - low;
            if (e % p->s != phase)
                continue;
            w->tap[n++] = (sn_ct_tap){k, slot + e / p->s};
            most = e / p->s > most ? e / p->s : most;
        }
        if (most >= 0 && !add_frames(pack, most + frames, low + phase, p->s))
            return too_many;
    }
    w->first[1] = n;
    return NULL;
}

static int64_t floor_div(int64_t a, int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

/* Tap k reaches result frame s*u + q when q - d*k - off is a multiple of s. */
sn_refusal sn_ct_window_scatter(sn_ct_window *w, sn_ct_pack *pack, const sn_product *p, int64_t frames, int64_t taps)
{
    int64_t low = INT64_MAX, high = INT64_MIN, n = 0;
    if (frames % p->s != 0)
        return "the schedule's tiles are no multiples of the stride";
    if (p->s > SN_CT_MAX_PHASES)
        return too_many;
    *w = (sn_ct_window){.phases = p->s, .frames = frames / p->s, .multiple = 1, .divisor = p->s};
    for (int64_t q = 0; q < p->s; q++) {
        for (int64_t k = 0; k < taps; k++) {
            int64_t e = q - p->d * k - p->off, delta = floor_div(e, p->s);
            if (delta * p->s != e)
                continue;
            w->tap[n++] = (sn_ct_tap){k, delta};
            low = delta < low ? delta : low;
            high = delta > high ? delta : high;
        }
        w->first[q + 1] = n;
    }
    for (int64_t i = 0; i < n; i++)
        w->tap[i].slot -= low;
    return n > 0 && add_frames(pack, high - low + w->frames, low, 1) ? NULL : too_many;
}

int64_t sn_ct_window_whole(int64_t chunk, int64_t s) { return sn_ct_ceil(chunk % s ? chunk + s - 1 : chunk, s); }

/* Phase q of a window, whose taps are tap[0 .. n-1], in any order of the frames they read. */
static bool correlation(sn_ct_fast *w, int64_t q, const sn_ct_tap *tap, int64_t n)
{
    int64_t low = INT64_MAX;
    if (!sn_wino_make(n, &w->form[q]))
        return false;
    for (int64_t i = 0; i < n; i++)
        low = tap[i].slot < low ? tap[i].slot : low;
    for (int64_t i = 0; i < n; i++)
        w->tap[q][tap[i].slot - low] = tap[i].k;
    w->slot[q] = low;
    w->component[q] = w->components;
    w->components += w->form[q].products;
    w->frames = w->form[q].frames;
    w->segments = w->form[q].segments;
    return w->frames == w->form[0].frames && w->segments == w->form[0].segments;
}

/* With steps of one frame, as d is, a phase reads frames that follow each other. */
sn_refusal sn_ct_fast_window(sn_ct_fast *w, sn_ct_pack *pack, const sn_product *p, bool scatter, int64_t frames, int64_t taps)
{
    sn_ct_window window;
    *w = (sn_ct_fast){.phases = p->s};
    sn_refusal no;
    if (p->x_axis < 0)
        return "it has no window";
    if (p->d != 1 && p->d != -1)
        return taps == 1 ? "its window is a stride without taps" : "its taps are not one frame apart";
    if (taps == 1)
        return "its window has one tap";
    if (p->s > SN_CT_FAST_PHASES)
        return "its stride is above 3";
    if ((no = (scatter ? sn_ct_window_scatter : sn_ct_window_gather)(&window, pack, p, frames * (scatter ? p->s : 1), taps)))
        return no;
    int64_t first = 0, most = (taps + p->s - 1) / p->s;
    for (int64_t q = 0; q < p->s; q++) {
        if (scatter)
            first = window.first[q];
        int64_t n = scatter ? window.first[q + 1] - first : most - (taps % p->s != 0 && q >= taps % p->s);
        if (!correlation(w, q, window.tap + first, n))
            return "there is no form with fewer products for so many taps and this stride";
        first += n;
    }
    return NULL;
}

uint64_t sn_ct_fast_transforms(const sn_ct_fast *w, bool by_point)
{
    uint64_t number = by_point;
    for (int64_t q = 0; q < w->phases; q++)
        number = number * (SN_WINO_MAX_TAPS + 1) + (uint64_t)w->form[q].taps;
    return number;
}
