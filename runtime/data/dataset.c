/* Data sets in memory: building and asking.
 * Not the file (dataset_file.c). */
#include "dataset_internal.h"

#include "internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *sn_rt_layout_of(const char *text)
{
    static const char *const layouts[] = {"ntu25", "ntu25-aimclr", "ntu25-denoised", "raw"};
    for (size_t i = 0; text && i < sizeof layouts / sizeof *layouts; i++)
        if (strcmp(text, layouts[i]) == 0)
            return layouts[i];
    return NULL;
}

const char *sn_rt_split_of(const char *text)
{
    static const char *const splits[] = {"pretrain", "train", "val", "test"};
    for (size_t i = 0; text && i < 4; i++)
        if (strcmp(text, splits[i]) == 0)
            return splits[i];
    return NULL;
}

sn_rt_dataset *sn_rt_dataset_new(const char *layout)
{
    sn_rt_dataset *set = sn_rt_layout_of(layout) ? calloc(1, sizeof *set) : NULL;
    if (set)
        set->layout = sn_rt_layout_of(layout);
    return set;
}

/* Owned text is declared const for readers of the struct. */
static void free_text(const void *text)
{
    free((void *)(uintptr_t)text);
}

static void sequence_fini(sn_rt_sequence *s)
{
    free_text(s->id);
    free_text(s->file);
    free_text(s->source);
    free_text(s->x);
    free_text(s->segment);
}

static void body_fini(sn_rt_body *body)
{
    for (size_t i = 0; body->joint && i < body->joints; i++)
        free_text(body->joint[i]);
    free_text(body->joint);
    free_text(body->parent);
    free_text(body->name);
}

void sn_rt_dataset_free(sn_rt_dataset *set)
{
    if (!set)
        return;
    for (size_t i = 0; i < set->count; i++)
        sequence_fini(&set->sequence[i]);
    for (size_t i = 0; i < set->bodies; i++)
        body_fini(&set->body[i]);
    free(set->sequence);
    free(set->segment_capacity);
    free(set->body);
    sn_rt_names_fini(&set->labels);
    sn_rt_names_fini(&set->origins);
    free(set);
}

static int same_body(const sn_rt_body *a, const sn_rt_body *b)
{
    if (a->joints != b->joints || memcmp(a->parent, b->parent, a->joints * sizeof *a->parent) != 0)
        return 0;
    for (size_t i = 0; i < a->joints; i++)
        if (strcmp(a->joint[i], b->joint[i]) != 0)
            return 0;
    return strcmp(a->name, b->name) == 0;
}

/* Deep copy; 0 on success. On failure `out` is freed. */
static int body_copy(const sn_rt_body *from, sn_rt_body *out)
{
    const char **joint = calloc(from->joints + 1, sizeof *joint);
    int32_t *parent = calloc(from->joints + 1, sizeof *parent);
    *out = (sn_rt_body){strdup(from->name), from->joints, joint, parent};
    int failed = !out->name || !joint || !parent;
    for (size_t i = 0; !failed && i < from->joints; i++) {
        parent[i] = from->parent[i];
        joint[i] = strdup(from->joint[i]);
        failed = !joint[i];
    }
    if (failed)
        body_fini(out);
    return failed;
}

sn_rt_status sn_rt_dataset_body(sn_rt_dataset *set, const sn_rt_body *body, uint32_t *out, sn_rt_error *err)
{
    for (size_t i = 0; i < set->bodies; i++) {
        if (same_body(&set->body[i], body)) {
            *out = (uint32_t)i;
            return SN_RT_OK;
        }
    }
    for (size_t i = 0; i < body->joints; i++)
        if (body->parent[i] < -1 || body->parent[i] >= (int64_t)body->joints || body->parent[i] == (int64_t)i)
            return sn_rt_fail(err, SN_RT_ARGUMENT, "skeleton \"%s\": joint %zu has parent %d of %zu joints", body->name, i,
                              (int)body->parent[i], body->joints);
    if (sn_rt_grow((void **)&set->body, &set->body_capacity, set->bodies, sizeof *set->body) ||
        body_copy(body, &set->body[set->bodies]))
        return sn_rt_fail(err, SN_RT_MEMORY, "no memory for skeleton \"%s\"", body->name);
    *out = (uint32_t)set->bodies++;
    return SN_RT_OK;
}

static sn_rt_status check_sequence(const sn_rt_dataset *set, const sn_rt_sequence *s, sn_rt_error *err)
{
    if (!*s->id)
        return sn_rt_fail(err, SN_RT_ARGUMENT, "sequence id is empty");
    if (sn_rt_dataset_find(set, s->id) != SIZE_MAX)
        return sn_rt_fail(err, SN_RT_ARGUMENT, "sequence \"%s\" is already in the set", s->id);
    if (!sn_rt_split_of(s->split))
        return sn_rt_fail(err, SN_RT_ARGUMENT, "sequence \"%s\": split \"%s\" is not pretrain, train, val or test", s->id,
                          s->split);
    if (s->body >= set->bodies || set->body[s->body].joints != s->joints || s->frames == 0)
        return sn_rt_fail(err, SN_RT_ARGUMENT, "sequence \"%s\": %zu frames of %zu joints do not fit its skeleton", s->id,
                          s->frames, s->joints);
    if (s->persons > SN_RT_MAX_PERSONS)
        return sn_rt_fail(err, SN_RT_ARGUMENT, "sequence \"%s\": %zu persons, expected 1 to %d", s->id, s->persons,
                          SN_RT_MAX_PERSONS);
    if (s->frames > UINT32_MAX || !(s->fps > 0) || !isfinite(s->fps) || !(s->source_fps > 0) || !isfinite(s->source_fps))
        return sn_rt_fail(err, SN_RT_ARGUMENT, "sequence \"%s\": %zu frames at rate %g from rate %g", s->id, s->frames,
                          s->fps, s->source_fps);
    for (size_t i = 0; i < s->persons * s->frames * s->joints * 3; i++)
        if (!isfinite(s->x[i]))
            return sn_rt_fail(err, SN_RT_ARGUMENT, "sequence \"%s\": frame %zu joint %zu is not finite", s->id,
                              i / 3 / s->joints % s->frames, i / 3 % s->joints);
    return SN_RT_OK;
}

sn_rt_status sn_rt_dataset_add(sn_rt_dataset *set, const sn_rt_sequence *sequence, sn_rt_error *err)
{
    sn_rt_sequence copy = *sequence;
    copy.persons += copy.persons == 0;
    sn_rt_status status = check_sequence(set, &copy, err);
    if (status != SN_RT_OK)
        return status;
    size_t bytes = copy.persons * copy.frames * copy.joints * 3 * sizeof(float), capacity = set->capacity;
    float *x = malloc(bytes);
    copy.id = strdup(sequence->id);
    copy.file = strdup(sequence->file);
    copy.source = strdup(sequence->source);
    copy.split = sn_rt_split_of(sequence->split);
    copy.x = x;
    copy.segments = 0;
    copy.segment = NULL;
    int failed = !copy.id || !copy.file || !copy.source || !x ||
                 sn_rt_grow((void **)&set->segment_capacity, &capacity, set->count, sizeof *set->segment_capacity) ||
                 sn_rt_grow((void **)&set->sequence, &set->capacity, set->count, sizeof *set->sequence);
    if (failed) {
        sequence_fini(&copy);
        return sn_rt_fail(err, SN_RT_MEMORY, "no memory for sequence \"%s\"", sequence->id);
    }
    memcpy(x, sequence->x, bytes);
    set->segment_capacity[set->count] = 0;
    set->sequence[set->count++] = copy;
    return SN_RT_OK;
}

static int by_start(const void *a, const void *b)
{
    const sn_rt_segment *x = a, *y = b;
    const uint32_t left[] = {x->start, x->end, x->label, x->origin};
    const uint32_t right[] = {y->start, y->end, y->label, y->origin};
    for (int i = 0; i < 4; i++)
        if (left[i] != right[i])
            return left[i] < right[i] ? -1 : 1;
    return 0;
}

sn_rt_status sn_rt_dataset_label(sn_rt_dataset *set, size_t sequence, uint32_t start, uint32_t end, const char *label,
                                 const char *origin, sn_rt_error *err)
{
    sn_rt_sequence *s = &set->sequence[sequence];
    if (start >= end || end > s->frames)
        return sn_rt_fail(err, SN_RT_ARGUMENT, "sequence \"%s\": segment [%u, %u) is not within its %zu frames", s->id,
                          start, end, s->frames);
    uint32_t label_index, origin_index;
    sn_rt_status status = sn_rt_names_add(&set->labels, label, &label_index, err);
    if (status == SN_RT_OK)
        status = sn_rt_names_add(&set->origins, origin, &origin_index, err);
    if (status != SN_RT_OK)
        return status;
    for (size_t i = 0; i < s->segments; i++)
        if (s->segment[i].start == start && s->segment[i].end == end && s->segment[i].label == label_index &&
            s->segment[i].origin == origin_index)
            return SN_RT_OK;
    void *items = (void *)(uintptr_t)s->segment;
    if (sn_rt_grow(&items, &set->segment_capacity[sequence], s->segments, sizeof *s->segment))
        return sn_rt_fail(err, SN_RT_MEMORY, "no memory for a segment of \"%s\"", s->id);
    ((sn_rt_segment *)items)[s->segments++] =
        (sn_rt_segment){start, end, label_index, origin_index};
    s->segment = items;
    /* Keep the order with one step of insertion sort from the end. */
    sn_rt_segment *list = items;
    for (size_t i = s->segments - 1; i > 0 && by_start(&list[i - 1], &list[i]) > 0; i--) {
        sn_rt_segment kept = list[i];
        list[i] = list[i - 1];
        list[i - 1] = kept;
    }
    return SN_RT_OK;
}

sn_rt_status sn_rt_dataset_split(sn_rt_dataset *set, size_t sequence, const char *split, sn_rt_error *err)
{
    if (!sn_rt_split_of(split))
        return sn_rt_fail(err, SN_RT_ARGUMENT, "split \"%s\" is not pretrain, train, val or test", split);
    set->sequence[sequence].split = sn_rt_split_of(split);
    return SN_RT_OK;
}

const char *sn_rt_dataset_layout(const sn_rt_dataset *set)
{
    return set->layout;
}

size_t sn_rt_dataset_count(const sn_rt_dataset *set)
{
    return set->count;
}

const sn_rt_sequence *sn_rt_dataset_at(const sn_rt_dataset *set, size_t index)
{
    return &set->sequence[index];
}

size_t sn_rt_dataset_find(const sn_rt_dataset *set, const char *id)
{
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->sequence[i].id, id) == 0)
            return i;
    return SIZE_MAX;
}

size_t sn_rt_dataset_labels(const sn_rt_dataset *set)
{
    return set->labels.count;
}

const char *sn_rt_dataset_label_name(const sn_rt_dataset *set, uint32_t label)
{
    return set->labels.name[label];
}

const char *sn_rt_dataset_origin_name(const sn_rt_dataset *set, uint32_t origin)
{
    return set->origins.name[origin];
}

const sn_rt_body *sn_rt_dataset_body_at(const sn_rt_dataset *set, uint32_t body)
{
    return &set->body[body];
}
