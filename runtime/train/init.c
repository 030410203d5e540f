/* Initial values of parameters from counter-based random numbers.
 * Not loading (checkpoint.c). */
#include "internal.h"

#include "../data/random.h"

#include <math.h>
#include <string.h>

/* Elements drawn from one stream: (seed, hash of the name, number of the chunk). */
enum { CHUNK = 4096 };

typedef struct fill {
    sn_abi_init init;
    double      a, b;
    uint64_t    seed, key;
    float      *out;
    size_t      count, width, rows; /* rows a chunk */
} fill;

/* FNV-1a, folded to the 48 bits a stream's step has. */
static uint64_t name_key(const char *name)
{
    uint64_t h = 0xCBF29CE484222325u;
    for (; *name; name++) h = (h ^ (unsigned char)*name) * 0x100000001B3u;
    return (h ^ h >> 48) & 0xFFFFFFFFFFFFu;
}

/* Rows are drawn in runs of normals; numbers in the stream are used in order. */
static void normals(sn_rt_random *r, double a, double b, float *out, size_t n)
{
    double some[256];
    while (n) {
        size_t count = n < 256 ? n : 256;
        sn_rt_random_normals(r, some, count);
        for (size_t i = 0; i < count; i++) out[i] = (float)(a + b * some[i]);
        out += count;
        n -= count;
    }
}

static void unit_row(sn_rt_random *r, float *row, size_t width)
{
    double norm;
    do { /* a row of zeros has no direction: draw again, which happens with width 1 and odds of 2^-53 */
        double part[8] = {0};
        normals(r, 0, 1, row, width);
        for (size_t k = 0; k + 8 <= width; k += 8)
            for (size_t j = 0; j < 8; j++) part[j] += (double)row[k + j] * row[k + j];
        for (size_t k = width / 8 * 8; k < width; k++) part[k % 8] += (double)row[k] * row[k];
        norm = ((part[0] + part[4]) + (part[2] + part[6])) + ((part[1] + part[5]) + (part[3] + part[7]));
    } while (norm == 0);
    norm = sqrt(norm);
    for (size_t k = 0; k < width; k++) row[k] = (float)(row[k] / norm);
}

/* The first numbers of the first stream for every row. */
static void equal_row(const fill *f, float *row)
{
    sn_rt_random r;
    sn_rt_random_start(&r, f->seed, SN_RT_FOR_INIT, f->key, 0);
    normals(&r, f->a, f->b, row, f->width);
}

static void fill_chunks(void *context, int64_t begin, int64_t end)
{
    const fill *f = context;
    for (int64_t c = begin; c < end; c++) {
        sn_rt_random r;
        sn_rt_random_start(&r, f->seed, SN_RT_FOR_INIT, f->key, (uint32_t)c);
        size_t at = (size_t)c * f->rows * f->width, stop = at + f->rows * f->width;
        if (stop > f->count) stop = f->count;
        if (f->init == SN_ABI_UNIT_ROWS)
            for (; at < stop; at += f->width) unit_row(&r, f->out + at, f->width);
        else if (f->init == SN_ABI_EQUAL_ROWS)
            for (; at < stop; at += f->width) equal_row(f, f->out + at);
        else if (f->init == SN_ABI_NORMAL)
            normals(&r, f->a, f->b, f->out + at, stop - at);
        else if (f->init == SN_ABI_UNIFORM)
            for (; at < stop; at++) f->out[at] = (float)(f->a + (f->b - f->a) * sn_rt_random_uniform(&r));
        else
            for (; at < stop; at++) f->out[at] = (float)f->a;
    }
}

void sn_rt_init_fill(sn_abi_init init, double a, double b, const char *name, uint64_t seed, int threads, float *out, size_t count, size_t width)
{
    if (!count || !width) return;
    fill   f = {init, a, b, seed, name_key(name), out, count, width, width < CHUNK ? CHUNK / width : 1};
    size_t chunk = f.rows * f.width;
    sn_rt_parallel_for(threads, (int64_t)((count + chunk - 1) / chunk), fill_chunks, &f);
}

typedef struct zeroes { char *at; size_t bytes; } zeroes;
enum { ZERO_BYTES = 1 << 20 }; /* an item of the work: pages are first touched by all threads */

static void zero_pieces(void *context, int64_t begin, int64_t end)
{
    const zeroes *z = context;
    for (int64_t i = begin; i < end; i++) {
        size_t at = (size_t)i * ZERO_BYTES;
        memset(z->at + at, 0, z->bytes - at < ZERO_BYTES ? z->bytes - at : ZERO_BYTES);
    }
}

/* Elements of the last axis; 1 for a scalar.  Weights, copies and states have constant dims, as sn_rt_store_new checked. */
static size_t last_axis(const sn_rt_store *store, uint32_t param)
{
    const sn_abi_tensor *t = &store->program->param[param].type;
    if (!t->rank || t->dim[t->rank - 1] < 1) return 1;
    return (size_t)t->dim[t->rank - 1];
}

void sn_rt_store_init(sn_rt_store *store, uint64_t seed, int threads)
{
    const sn_abi_program *p = store->program;
    zeroes slab = {(char *)store->slab, store->slab_bytes};
    sn_rt_parallel_for(threads, (int64_t)((slab.bytes + ZERO_BYTES - 1) / ZERO_BYTES), zero_pieces, &slab);
    memset(store->head, 0, p->params * sizeof *store->head);
    if (store->second) memset(store->second, 0, store->second_bytes);
    store->ahead = false;
    for (uint32_t i = 0; i < p->params; i++) {
        const sn_abi_param *x = &p->param[i];
        size_t n;
        float *out = sn_rt_store_param(store, i, &n);
        if (out && x->init != SN_ABI_SAME)
            sn_rt_init_fill((sn_abi_init)x->init, x->a, x->b, x->name, seed, threads, out, n, last_axis(store, i));
    }
    for (uint32_t i = 0; i < p->params; i++) {
        if (p->param[i].init != SN_ABI_SAME) continue;
        size_t n;
        float *copy = sn_rt_store_param(store, i, &n);
        memcpy(copy, sn_rt_store_param(store, p->param[i].of, &n), n * sizeof *copy);
    }
}
