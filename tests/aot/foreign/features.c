/* Prints the shape of a model's features, and how many threads the runtime would use. */
#include <inttypes.h>
#include <stdio.h>

#include <sinew/sinew_rt.h>

#include "gait.h"

int main(void)
{
    gait         *model = NULL;
    gait_session *session = NULL;
    gait_error    error;
    int64_t       dim[6];
    const int64_t extent[GAIT_DIMS] = {1, 64};
    if (gait_load(NULL, NULL, &model, &error) != GAIT_OK || gait_session_new(model, extent, 0, &session, &error) != GAIT_OK ||
        gait_run(session, &error) != GAIT_OK)
        return fprintf(stderr, "%s\n", error.text), 1;
    int rank = gait_output_dims(session, GAIT_OUTPUT_Y, dim);
    for (int i = 0; i < rank; i++) printf("%" PRId64 "%s", dim[i], i + 1 < rank ? " " : "\n");
    gait_session_free(session);
    gait_free(model);
    return sn_rt_threads_default() < 1;
}
