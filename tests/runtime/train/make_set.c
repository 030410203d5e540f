/* Writes a data set of waving skeletons: enough to train on in tests.
 * Not motion of anybody.  usage: make_set SET */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/data/dataset.h"

enum { SEQUENCES = 24, FRAMES = 90, JOINTS = 25 };

int main(int argc, char **argv)
{
    static float       x[FRAMES][JOINTS][3];
    static char        names[JOINTS][8];
    static const char *joint[JOINTS];
    static int32_t     parent[JOINTS];
    sn_rt_error        err = {""};
    sn_rt_dataset     *set = sn_rt_dataset_new("ntu25");
    uint32_t           body = 0;
    if (argc != 2 || !set) return 2;
    for (int j = 0; j < JOINTS; j++) {
        snprintf(names[j], sizeof names[j], "j%d", j);
        joint[j] = names[j];
        parent[j] = j - 1;
    }
    sn_rt_status status = sn_rt_dataset_body(set, &(sn_rt_body){"waving", JOINTS, joint, parent}, &body, &err);
    for (int s = 0; status == SN_RT_OK && s < SEQUENCES; s++) {
        char id[16];
        snprintf(id, sizeof id, "wave%02d", s);
        for (int t = 0; t < FRAMES; t++)
            for (int j = 0; j < JOINTS; j++)
                for (int c = 0; c < 3; c++)
                    x[t][j][c] = (float)(0.04 * j * (c == 1) + 0.1 * sin(0.05 * (1 + s % 5) * t + 0.3 * j + 2 * c + s));
        sn_rt_sequence one = {.id = id, .file = "none", .source = "made", .split = "pretrain", .body = body, .fps = 30, .source_fps = 30,
                              .frames = FRAMES, .joints = JOINTS, .x = &x[0][0][0]};
        status = sn_rt_dataset_add(set, &one, &err);
    }
    if (status == SN_RT_OK) status = sn_rt_dataset_write(set, argv[1], &err);
    if (status != SN_RT_OK) fprintf(stderr, "%s\n", err.text);
    sn_rt_dataset_free(set);
    return status == SN_RT_OK ? 0 : 1;
}
