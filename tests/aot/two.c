/* Two libraries in one program, with one runtime between them: two clips.f32 > features of `gait`, after `step` ran beside it. */
#include <stdio.h>

#include "gait.h"
#include "step.h"

int main(int argc, char **argv)
{
    gait         *g = NULL;
    step         *t = NULL;
    gait_session *gs = NULL;
    step_session *ts = NULL;
    const int64_t extent[] = {2, 52};
    enum { CLIPS = 2 * 52 * 75, FEATURES = 2 * 13 * 25 * 256 };
    FILE *f = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (!f || gait_load(NULL, NULL, &g, NULL) || step_load(NULL, NULL, &t, NULL) || gait_session_new(g, extent, 2, &gs, NULL) ||
        step_session_new(t, extent, 1, &ts, NULL) || fread(gait_input(gs, 0), sizeof(float), CLIPS, f) != CLIPS)
        return 1;
    fclose(f);
    if (step_run(ts, NULL) || gait_run(gs, NULL)) return 1;
    size_t written = fwrite(gait_output(gs, 0), sizeof(float), FEATURES, stdout);
    gait_session_free(gs), step_session_free(ts);
    gait_free(g), step_free(t);
    return written != FEATURES;
}
