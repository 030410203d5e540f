/* How a program in C uses a library made by `sinew build`: features of clips.
 *
 *     sinew build models/encoders/stgcn.json --weights W.safetensors -o gait
 *     cc example.c gait.a -fopenmp -o example
 *     ./example N T < clips.f32 > features.f32          clips: N x T frames x 25 joints x 3 numbers
 */
#include <stdio.h>
#include <stdlib.h>

#include "gait.h"

static int64_t product(const int64_t *dim, int rank)
{
    int64_t n = 1;
    for (int i = 0; i < rank; i++) n *= dim[i];
    return n;
}

static int run(gait_session *session, gait_error *error)
{
    int64_t dim[6];
    size_t  in = (size_t)product(dim, gait_input_dims(session, GAIT_INPUT_X, dim));
    if (fread(gait_input(session, GAIT_INPUT_X), sizeof(float), in, stdin) != in) return fputs("standard input ends early\n", stderr), 1;
    if (gait_run(session, error) != GAIT_OK) return fprintf(stderr, "%s\n", error->text), 1;
    size_t out = (size_t)product(dim, gait_output_dims(session, GAIT_OUTPUT_Y, dim));
    return fwrite(gait_output(session, GAIT_OUTPUT_Y), sizeof(float), out, stdout) != out;
}

int main(int argc, char **argv)
{
    gait         *model = NULL;
    gait_session *session = NULL;
    gait_error    error;
    if (argc != 3) return fputs("usage: example N T\n", stderr), 2;
    const int64_t extent[GAIT_DIMS] = {[GAIT_DIM_N] = atoll(argv[1]), [GAIT_DIM_T] = atoll(argv[2])};
    int           code = 1;
    if (gait_load(NULL, NULL, &model, &error) != GAIT_OK || gait_session_new(model, extent, 0, &session, &error) != GAIT_OK)
        fprintf(stderr, "%s\n", error.text);
    else
        code = run(session, &error);
    gait_session_free(session);
    gait_free(model);
    return code;
}
