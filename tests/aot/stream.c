/* How a program in C finds segments in a recording while it is made, with a library that `sinew build` makes of a finetuned model.
 *
 *     sinew build TUNED -o act
 *     cc stream.c act.a -fopenmp -o stream
 *     ./stream PIECE < frames.f32          frames: 25 joints x 3 numbers each, PIECE of them at a time
 *
 * Prints label, first frame, frame behind the last, score. */
#include <stdio.h>
#include <stdlib.h>

#include "act.h"

static void print_known(act_stream *stream)
{
    act_segment s;
    while (act_stream_poll(stream, &s)) printf("%s,%lld,%lld,%.9g\n", act_label((int)s.label), (long long)s.start, (long long)s.end, s.score);
}

static act_status push_all(act_stream *stream, const float *frames, int64_t count, act_error *error)
{
    for (int64_t taken; count > 0; frames += taken * ACT_FRAME, count -= taken) {
        act_status status = act_stream_push(stream, frames, count, &taken, error);
        if (status != ACT_OK) return status;
        print_known(stream);
    }
    return ACT_OK;
}

int main(int argc, char **argv)
{
    act        *model = NULL;
    act_stream *stream = NULL;
    act_error   error = {""};
    size_t      piece = argc > 1 ? (size_t)atoi(argv[1]) : 1, n;
    float      *frames = malloc(piece * ACT_FRAME * sizeof *frames);
    act_status  status = act_load(NULL, NULL, &model, &error);
    if (status == ACT_OK) status = act_stream_new(model, 0, 0, 0, &stream, &error);
    while (status == ACT_OK && frames && (n = fread(frames, ACT_FRAME * sizeof *frames, piece, stdin)) > 0)
        status = push_all(stream, frames, (int64_t)n, &error);
    if (status == ACT_OK) status = act_stream_finish(stream, &error);
    if (status == ACT_OK) print_known(stream);
    else fprintf(stderr, "%s\n", error.text);
    act_stream_free(stream);
    act_free(model);
    free(frames);
    return status != ACT_OK;
}
