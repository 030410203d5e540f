/* Batches of a loader as the source of a training run.
 * Not the loader itself (runtime/data/loader.h), which prepares them. */
#include "batches.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static sn_rt_status next_batch(void *context, uint64_t step, const float *const **out, sn_rt_error *err)
{
    sn_rt_batches *b = context;
    uint64_t       S = sn_rt_loader_steps(b->loader);
    sn_rt_status   status = SN_RT_OK;
    if (step != b->next) status = sn_rt_loader_seek(b->loader, step / S, step % S, err);
    if (status == SN_RT_OK) status = sn_rt_loader_next(b->loader, &b->batch, err);
    if (status != SN_RT_OK) return status;
    b->next = step + 1;
    for (uint32_t v = 0; v < b->views; v++) b->input[v] = b->batch.view[v];
    for (uint32_t row = 0; row < b->rows; row++) b->number[row] = (float)b->batch.clip[row];
    b->input[b->views] = b->batch.label;
    b->input[b->views + 1] = b->number;
    *out = b->input;
    return SN_RT_OK;
}

sn_rt_status sn_rt_batches_init(sn_rt_batches *batches, sn_rt_loader *loader, const sn_rt_loader_config *config, sn_rt_error *err)
{
    *batches = (sn_rt_batches){.loader = loader, .views = config->views, .rows = config->batch};
    batches->number = aligned_alloc(64, (config->batch * sizeof(float) + 63) / 64 * 64);
    return batches->number ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "no memory for the numbers of clips");
}

void sn_rt_batches_fini(sn_rt_batches *batches) { free(batches->number); }

sn_rt_source sn_rt_batches_source(sn_rt_batches *batches) { return (sn_rt_source){batches, next_batch}; }

/* FNV-1a. */
static uint64_t digest(uint64_t h, const void *bytes, size_t n)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < n; i++) h = (h ^ at[i]) * 0x100000001B3u;
    return h;
}

/* Names, lengths, and the first, middle and last frame: enough to tell data sets apart without reading all of them. */
static uint64_t set_digest(const sn_rt_dataset *set)
{
    uint64_t h = 0xCBF29CE484222325u;
    for (size_t i = 0; i < sn_rt_dataset_count(set); i++) {
        const sn_rt_sequence *s = sn_rt_dataset_at(set, i);
        uint64_t              size[3] = {s->persons, s->frames, s->joints};
        h = digest(h, s->id, strlen(s->id) + 1);
        h = digest(h, size, sizeof size);
        for (size_t k = 0; k < 3; k++) h = digest(h, s->x + k * (s->frames - 1) / 2 * s->joints * 3, s->joints * 3 * sizeof *s->x);
    }
    return h;
}

/* Clips and the class of every frame of them. */
static uint64_t label_digest(const sn_rt_loader_config *c, const sn_rt_loader *loader)
{
    uint64_t h = 0xCBF29CE484222325u;
    for (size_t i = 0; i < sn_rt_loader_clips(loader); i++) {
        const sn_rt_clip     *clip = sn_rt_loader_clip(loader, i);
        const sn_rt_sequence *s = sn_rt_dataset_at(c->set, clip->sequence);
        h = digest(h, clip, sizeof *clip);
        for (size_t t = 0; t < clip->frames; t++) {
            float label;
            sn_rt_classes_of_frames(c->classes, c->set, s, clip->start + t, 1, &label);
            h = digest(h, &label, sizeof label);
        }
    }
    return h;
}

char *sn_rt_batches_text(const sn_rt_loader_config *c, const sn_rt_loader *loader)
{
    char  *text = NULL;
    size_t size = 0;
    FILE  *f = open_memstream(&text, &size);
    if (!f) return NULL;
    fprintf(f, "sequences = %zu\n", sn_rt_dataset_count(c->set));
    fprintf(f, "digest = %016llx\n", (unsigned long long)set_digest(c->set));
    fprintf(f, "splits = %s\n", c->splits ? c->splits : "all");
    fprintf(f, "clips = %zu\nclip seconds = %g\nstride seconds = %g\n", sn_rt_loader_clips(loader), c->clip_seconds, c->stride_seconds);
    fprintf(f, "batch = %u\npersons = %u\nframes = %u\n", c->batch, c->persons, c->frames);
    for (uint32_t v = 0; v < c->views; v++) fprintf(f, "view %u = %s\n", v, c->view[v]);
    for (size_t k = 0; c->classes && k < c->classes->count; k++) fprintf(f, "class %zu = %s\n", k, c->classes->name[k]);
    if (c->classes) fprintf(f, "labels digest = %016llx\nunlabelled = %s\n", (unsigned long long)label_digest(c, loader), c->classes->ignore_unlabelled ? "ignored" : "background");
    return fclose(f) ? NULL : text;
}
