/* The index of clips: windows of every sequence.
 * Not their content. */
#include "clips.h"

#include "dataset_internal.h"
#include "internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

sn_rt_status sn_rt_splits_check(const char *splits, sn_rt_error *err)
{
    for (const char *at = splits; at;) {
        size_t length = strcspn(at, ",");
        char name[16];
        if (length < sizeof name) {
            memcpy(name, at, length);
            name[length] = '\0';
        }
        if (length >= sizeof name || !sn_rt_split_of(name))
            return sn_rt_fail(err, SN_RT_ARGUMENT, "split \"%.*s\" is not pretrain, train, val or test", (int)length, at);
        at = at[length] ? at + length + 1 : NULL;
    }
    return SN_RT_OK;
}

bool sn_rt_split_listed(const char *splits, const char *split)
{
    size_t length = strlen(split);
    for (const char *at = splits; at;) {
        size_t n = strcspn(at, ",");
        if (n == length && memcmp(at, split, n) == 0)
            return 1;
        at = at[n] ? at + n + 1 : NULL;
    }
    return splits == NULL;
}

typedef struct clip_list {
    sn_rt_clip *clip;
    size_t count, capacity;
} clip_list;

static int append(clip_list *list, size_t sequence, size_t start, size_t frames)
{
    if (sn_rt_grow((void **)&list->clip, &list->capacity, list->count, sizeof *list->clip))
        return -1;
    list->clip[list->count++] = (sn_rt_clip){(uint32_t)sequence, (uint32_t)start, (uint32_t)frames};
    return 0;
}

/* Frames of a window and between windows, at least 1. */
static size_t frames_of(double seconds, double fps)
{
    double frames = round(seconds * fps);
    return frames < 1 ? 1 : frames > 4e9 ? (size_t)4e9 : (size_t)frames;
}

static int cut(clip_list *list, size_t sequence, const sn_rt_sequence *s, const sn_rt_loader_config *c)
{
    double clip = c->classes ? c->frames / s->fps : c->clip_seconds > 0 ? c->clip_seconds : c->frames / 30.0;
    size_t window = frames_of(clip, s->fps), stride = frames_of(c->stride_seconds > 0 ? c->stride_seconds : clip / 4, s->fps);
    if (s->frames <= window)
        return append(list, sequence, 0, s->frames);
    size_t start = 0;
    for (; start + window <= s->frames; start += stride)
        if (append(list, sequence, start, window))
            return -1;
    size_t last_end = start - stride + window;
    return last_end < s->frames ? append(list, sequence, s->frames - window, window) : 0;
}

sn_rt_status sn_rt_clips_make(const sn_rt_loader_config *config, sn_rt_clip **out, size_t *out_count, size_t *out_joints, sn_rt_error *err)
{
    const sn_rt_dataset *set = config->set;
    clip_list list = {0};
    size_t joints = 0;
    sn_rt_status status = sn_rt_splits_check(config->splits, err);
    for (size_t i = 0; status == SN_RT_OK && i < sn_rt_dataset_count(set); i++) {
        const sn_rt_sequence *s = sn_rt_dataset_at(set, i);
        if (!sn_rt_split_listed(config->splits, s->split) || (config->only && !config->only[i]))
            continue;
        if (joints && s->joints != joints)
            status = sn_rt_fail(err, SN_RT_ARGUMENT, "sequence \"%s\" has %zu joints, those before it %zu", s->id, s->joints,
                                joints);
        else if (cut(&list, i, s, config))
            status = sn_rt_fail(err, SN_RT_MEMORY, "no memory for the clips of \"%s\"", s->id);
        joints = s->joints;
    }
    if (status != SN_RT_OK) {
        free(list.clip);
        return status;
    }
    *out = list.clip;
    *out_count = list.count;
    *out_joints = joints;
    return SN_RT_OK;
}
