/* Small .npy files for the command-line tests, written and printed.
 * Not a test.
 *
 *   array write FILE DIM,DIM,... [START [STEP]]    f32: START, START + STEP, ...; the word nan puts one not-a-number in the middle
 *   array print FILE...                            type, shape, and up to 12 numbers
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/data/npy.h"

static int write_array(int argc, char **argv)
{
    uint64_t dims[SN_RT_MAX_RANK];
    uint32_t rank = 0;
    sn_rt_array a;
    sn_rt_error err;
    for (char *d = strtok(argv[3], ","); d; d = strtok(NULL, ",")) dims[rank++] = strtoull(d, NULL, 10);
    if (sn_rt_array_init(SN_RT_ELEM_F32, rank, dims, &a, &err) != SN_RT_OK) return puts(err.text), 1;
    float *f = a.data;
    const size_t n = a.bytes / sizeof *f;
    const double start = argc > 4 ? atof(argv[4]) : 0, step = argc > 5 ? atof(argv[5]) : 1;
    for (size_t i = 0; i < n; i++) f[i] = (float)(start + step * (double)i);
    if (argc > 4 && strcmp(argv[4], "nan") == 0) memset(&f[n / 2], 0xff, sizeof *f);
    const int failed = sn_rt_npy_write(argv[2], &a, &err) != SN_RT_OK;
    if (failed) puts(err.text);
    sn_rt_array_fini(&a);
    return failed;
}

static int print_array(const char *file)
{
    char text[200];
    sn_rt_array a;
    sn_rt_error err;
    if (sn_rt_npy_read(file, &a, &err) != SN_RT_OK) return puts(err.text), 1;
    sn_rt_shape_text(a.elem, a.rank, a.dims, text, sizeof text);
    printf("%s %s:", file, text);
    const float *f = a.data;
    const size_t n = a.bytes / sizeof *f;
    for (size_t i = 0; a.elem == SN_RT_ELEM_F32 && i < n && i < 12; i++) printf(" %g", (double)f[i]);
    puts(n > 12 ? " ..." : "");
    sn_rt_array_fini(&a);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc >= 4 && strcmp(argv[1], "write") == 0) return write_array(argc, argv);
    int failed = argc < 3;
    for (int i = 2; i < argc; i++) failed |= print_array(argv[i]);
    return failed;
}
