/* The loader: one thread fills a ring of two batches, the trainer empties it.
 * Not a pool: one thread prepares a batch in a small part of the time a training step takes. */
#include "loader.h"

#include "augment.h"
#include "clips.h"
#include "resize.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SLOTS = 2 };

typedef struct slot {
    uint64_t epoch, step;
    float *view[SN_RT_MAX_VIEWS], *label;
    uint32_t *clip;
} slot;

struct sn_rt_loader {
    sn_rt_loader_config config;
    sn_rt_augmentation augmentation[SN_RT_MAX_VIEWS];
    sn_rt_clip *clip;
    size_t clips, joints;
    uint64_t steps;

    /* Of the thread alone while it runs. */
    uint32_t *order;        /* permutation of `ordered` */
    uint64_t ordered;       /* epoch; UINT64_MAX: none */
    float *resized, *scratch; /* [M][T][V][3] */
    uint64_t epoch, step;   /* to be prepared next */

    /* Shared, under `lock`: slot i is ready if produced > i's turn; turns count from the last start. */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t produced, consumed; /* batches finished; batches given back */
    int holding;                 /* the caller has batch number `consumed` */
    int running, stop;
    double spent;      /* processor seconds of all batches since open */
    uint64_t prepared; /* how many these are */
    slot slots[SLOTS];
};

/* ---- preparing ---- */

static void order_epoch(sn_rt_loader *l)
{
    if (l->ordered == l->epoch)
        return;
    sn_rt_random r;
    sn_rt_random_start(&r, l->config.seed, SN_RT_FOR_ORDER, l->epoch, 0);
    sn_rt_random_permutation(&r, l->order, (uint32_t)l->clips);
    l->ordered = l->epoch;
}

/* T frames of every person: the clip stretched, or, with labels, as it is with zeros behind. */
static void fill_row(const sn_rt_loader *l, const sn_rt_clip *clip, const sn_rt_sequence *sequence)
{
    size_t M = l->config.persons, T = l->config.frames, V = l->joints, frames = l->config.classes ? clip->frames : T;
    memset(l->resized, 0, M * T * V * 3 * sizeof *l->resized);
    for (size_t m = 0; m < M && m < sequence->persons; m++)
        sn_rt_resize(sequence->x + (m * sequence->frames + clip->start) * V * 3, clip->frames, V, l->resized + m * T * V * 3, frames);
}

static void label_row(const sn_rt_loader *l, const sn_rt_clip *clip, const sn_rt_sequence *sequence, float *out)
{
    sn_rt_classes_of_frames(l->config.classes, l->config.set, sequence, clip->start, clip->frames, out);
    for (size_t t = clip->frames; t < l->config.frames; t++)
        out[t] = -1;
}

static void prepare_row(const sn_rt_loader *l, slot *s, uint32_t row)
{
    const sn_rt_clip *clip = &l->clip[s->clip[row]];
    const sn_rt_sequence *sequence = sn_rt_dataset_at(l->config.set, clip->sequence);
    size_t M = l->config.persons, T = l->config.frames, V = l->joints;
    fill_row(l, clip, sequence);
    if (s->label)
        label_row(l, clip, sequence, s->label + (size_t)row * T);
    const sn_rt_clip_size size = {M, T, V};
    for (uint32_t v = 0; v < l->config.views; v++) {
        sn_rt_random r;
        sn_rt_drawn drawn;
        sn_rt_random_start(&r, l->config.seed, SN_RT_FOR_AUGMENT, s->epoch * l->steps + s->step,
                           row * l->config.views + v);
        sn_rt_augment_draw(&l->augmentation[v], &r, size, &drawn);
        sn_rt_augment_apply(&l->augmentation[v], &drawn, &r, size, l->resized, l->scratch, s->view[v] + row * M * T * V * 3);
    }
}

static void prepare(sn_rt_loader *l, slot *s)
{
    order_epoch(l);
    s->epoch = l->epoch;
    s->step = l->step;
    for (uint32_t row = 0; row < l->config.batch; row++) {
        s->clip[row] = l->order[l->step * l->config.batch + row];
        prepare_row(l, s, row);
    }
    if (++l->step == l->steps) {
        l->step = 0;
        l->epoch++;
    }
}

static double processor_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *work(void *argument)
{
    sn_rt_loader *l = argument;
    pthread_mutex_lock(&l->lock);
    while (!l->stop) {
        if (l->produced - l->consumed == SLOTS) {
            pthread_cond_wait(&l->changed, &l->lock);
            continue;
        }
        slot *s = &l->slots[l->produced % SLOTS];
        pthread_mutex_unlock(&l->lock);
        double from = processor_seconds();
        prepare(l, s);
        pthread_mutex_lock(&l->lock);
        l->spent += processor_seconds() - from;
        l->prepared++;
        l->produced++;
        pthread_cond_broadcast(&l->changed);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

/* ---- starting and stopping ---- */

static sn_rt_status start(sn_rt_loader *l, uint64_t epoch, uint64_t step, sn_rt_error *err)
{
    sigset_t all, before;
    l->epoch = epoch;
    l->step = step;
    l->produced = l->consumed = 0;
    l->holding = l->stop = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&l->thread, NULL, work, l);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    l->running = !failed;
    return failed ? sn_rt_fail(err, SN_RT_IO, "loader: thread: %s", strerror(failed)) : SN_RT_OK;
}

static void stop(sn_rt_loader *l)
{
    if (!l->running)
        return;
    pthread_mutex_lock(&l->lock);
    l->stop = 1;
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
    pthread_join(l->thread, NULL);
    l->running = 0;
}

static sn_rt_status check_config(const sn_rt_loader_config *c, sn_rt_error *err)
{
    if (c->batch == 0 || c->frames == 0)
        return sn_rt_fail(err, SN_RT_ARGUMENT, "loader: batch %u and frames %u must be above 0", c->batch, c->frames);
    if (c->persons > SN_RT_MAX_PERSONS)
        return sn_rt_fail(err, SN_RT_ARGUMENT, "loader: %u persons, expected 1 to %d", c->persons, SN_RT_MAX_PERSONS);
    if (c->views == 0 || c->views > SN_RT_MAX_VIEWS)
        return sn_rt_fail(err, SN_RT_ARGUMENT, "loader: %u views, expected 1 to %d", c->views, SN_RT_MAX_VIEWS);
    if (!(c->clip_seconds >= 0 && c->stride_seconds >= 0 && isfinite(c->clip_seconds) && isfinite(c->stride_seconds)))
        return sn_rt_fail(err, SN_RT_ARGUMENT, "loader: clips of %g s every %g s", c->clip_seconds, c->stride_seconds);
    for (uint32_t v = 0; v < c->views; v++)
        if (!c->view[v])
            return sn_rt_fail(err, SN_RT_ARGUMENT, "loader: view %u has no augmentation", v);
    return SN_RT_OK;
}

/* Views' augmentations, once the joints are known. */
static sn_rt_status read_views(sn_rt_loader *l, sn_rt_error *err)
{
    sn_rt_error why = {""};
    for (uint32_t v = 0; v < l->config.views; v++) {
        sn_rt_status status = sn_rt_augmentation_parse(l->config.view[v], &l->augmentation[v], &why);
        if (status == SN_RT_OK)
            status = sn_rt_augmentation_check(&l->augmentation[v], l->joints, &why);
        if (status != SN_RT_OK)
            return sn_rt_fail(err, status, "loader: view %u: %s", v, why.text);
        const char *retimes = sn_rt_augmentation_retimes(&l->augmentation[v]);
        if (l->config.classes && retimes)
            return sn_rt_fail(err, SN_RT_ARGUMENT, "loader: view %u: %s moves frames away from their labels", v, retimes);
    }
    return SN_RT_OK;
}

static sn_rt_status make_index(sn_rt_loader *l, sn_rt_error *err)
{
    const sn_rt_loader_config *c = &l->config;
    sn_rt_status status = sn_rt_clips_make(c, &l->clip, &l->clips, &l->joints, err);
    if (status != SN_RT_OK)
        return status;
    if (l->clips < c->batch || l->clips > UINT32_MAX)
        return sn_rt_fail(err, SN_RT_ARGUMENT,
                          "loader: %zu clips (splits %s) do not fill a batch of %u", l->clips, c->splits ? c->splits : "all", c->batch);
    l->steps = l->clips / c->batch;
    return SN_RT_OK;
}

static sn_rt_status make_buffers(sn_rt_loader *l, sn_rt_error *err)
{
    size_t clip = (size_t)l->config.persons * l->config.frames * l->joints * 3 * sizeof(float), bytes;
    if (__builtin_mul_overflow(clip, l->config.batch, &bytes))
        return sn_rt_fail(err, SN_RT_ARGUMENT, "loader: a batch of %u clips is too large", l->config.batch);
    int failed = !(l->resized = malloc(clip)) || !(l->scratch = malloc(clip)) || !(l->order = calloc(l->clips, sizeof *l->order));
    for (int i = 0; i < SLOTS; i++) {
        failed = failed || !(l->slots[i].clip = calloc(l->config.batch, sizeof *l->slots[i].clip));
        if (!failed && l->config.classes) {
            void *label = NULL;
            failed = posix_memalign(&label, 64, (size_t)l->config.batch * l->config.frames * sizeof(float));
            l->slots[i].label = label;
        }
        for (uint32_t v = 0; !failed && v < l->config.views; v++) {
            void *view = NULL;
            failed = posix_memalign(&view, 64, bytes);
            l->slots[i].view[v] = view;
        }
    }
    return failed ? sn_rt_fail(err, SN_RT_MEMORY, "loader: no memory for two batches of %zu bytes a view", bytes)
                  : SN_RT_OK;
}

sn_rt_status sn_rt_loader_open(const sn_rt_loader_config *config, sn_rt_loader **out, sn_rt_error *err)
{
    sn_rt_status status = check_config(config, err);
    if (status != SN_RT_OK)
        return status;
    sn_rt_loader *l = calloc(1, sizeof *l);
    if (!l)
        return sn_rt_fail(err, SN_RT_MEMORY, "loader: no memory");
    l->config = *config;
    l->config.persons += config->persons == 0;
    l->ordered = UINT64_MAX;
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->changed, NULL);
    status = make_index(l, err);
    if (status == SN_RT_OK)
        status = read_views(l, err);
    if (status == SN_RT_OK)
        status = make_buffers(l, err);
    if (status == SN_RT_OK)
        status = start(l, 0, 0, err);
    if (status != SN_RT_OK)
        sn_rt_loader_close(l);
    else
        *out = l;
    return status;
}

void sn_rt_loader_close(sn_rt_loader *l)
{
    if (!l)
        return;
    stop(l);
    for (int i = 0; i < SLOTS; i++) {
        for (int v = 0; v < SN_RT_MAX_VIEWS; v++)
            free(l->slots[i].view[v]);
        free(l->slots[i].clip);
        free(l->slots[i].label);
    }
    free(l->clip);
    free(l->order);
    free(l->resized);
    free(l->scratch);
    pthread_cond_destroy(&l->changed);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

/* ---- asking ---- */

sn_rt_status sn_rt_loader_next(sn_rt_loader *l, sn_rt_batch *out, sn_rt_error *err)
{
    if (!l->running)
        return sn_rt_fail(err, SN_RT_ARGUMENT, "loader: not running since a seek failed");
    pthread_mutex_lock(&l->lock);
    if (l->holding) {
        l->consumed++;
        pthread_cond_broadcast(&l->changed);
    }
    while (l->produced == l->consumed)
        pthread_cond_wait(&l->changed, &l->lock);
    l->holding = 1;
    const slot *s = &l->slots[l->consumed % SLOTS];
    pthread_mutex_unlock(&l->lock);
    memset(out, 0, sizeof *out);
    out->epoch = s->epoch;
    out->step = s->step;
    out->clip = s->clip;
    out->label = s->label;
    for (uint32_t v = 0; v < l->config.views; v++)
        out->view[v] = s->view[v];
    return SN_RT_OK;
}

sn_rt_status sn_rt_loader_seek(sn_rt_loader *l, uint64_t epoch, uint64_t step, sn_rt_error *err)
{
    if (step >= l->steps)
        return sn_rt_fail(err, SN_RT_ARGUMENT, "loader: step %llu, an epoch has %llu", (unsigned long long)step,
                          (unsigned long long)l->steps);
    stop(l);
    return start(l, epoch, step, err);
}

size_t sn_rt_loader_clips(const sn_rt_loader *l)
{
    return l->clips;
}

const sn_rt_clip *sn_rt_loader_clip(const sn_rt_loader *l, size_t index)
{
    return &l->clip[index];
}

uint64_t sn_rt_loader_steps(const sn_rt_loader *l)
{
    return l->steps;
}

size_t sn_rt_loader_joints(const sn_rt_loader *l)
{
    return l->joints;
}

double sn_rt_loader_cost(sn_rt_loader *l)
{
    pthread_mutex_lock(&l->lock);
    double mean = l->prepared ? l->spent / (double)l->prepared : 0;
    pthread_mutex_unlock(&l->lock);
    return mean;
}
