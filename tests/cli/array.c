/* Small arrays for the command-line tests, written as .npy and printed.
 * Not a test.
 *
 *   array write FILE DIM,DIM,... [START [STEP]]    f32: START, START + STEP, ...; the word nan puts one not-a-number in the middle
 *   array write FILE DIM,DIM,... wave              f32: sums of sines, no two alike within reach
 *   array print FILE...                            type, shape, and up to 12 numbers; .npy or .safetensors
 *   array take SET.safetensors NAME FILE.npy       one array of a set
 *   array near A.npy B.npy SHARE                   fails if an f32 differs by more than that share of the largest of B
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/data/npy.h"
#include "runtime/data/safetensors.h"

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
    const bool nan = argc > 4 && strcmp(argv[4], "nan") == 0;
    const double start = argc > 4 && !nan ? atof(argv[4]) : 0, step = argc > 5 ? atof(argv[5]) : 1;
    const bool wave = argc > 4 && strcmp(argv[4], "wave") == 0;
    for (size_t i = 0; i < n; i++) f[i] = (float)(wave ? sin(0.7 * (double)i) + 0.5 * sin(0.013 * (double)i) : start + step * (double)i);
    if (nan) memset(&f[n / 2], 0xff, sizeof *f);
    const int failed = sn_rt_npy_write(argv[2], &a, &err) != SN_RT_OK;
    if (failed) puts(err.text);
    sn_rt_array_fini(&a);
    return failed;
}

static void print_array(const char *name, const sn_rt_array *a)
{
    char text[200];
    sn_rt_shape_text(a->elem, a->rank, a->dims, text, sizeof text);
    printf("%s %s:", name, text);
    const float *f = a->data;
    const size_t n = a->bytes / sizeof *f;
    for (size_t i = 0; a->elem == SN_RT_ELEM_F32 && i < n && i < 12; i++) printf(" %g", (double)f[i]);
    puts(n > 12 ? " ..." : "");
}

static int print_file(const char *file)
{
    sn_rt_array a;
    sn_rt_tensors *set;
    sn_rt_error err;
    if (strstr(file, ".safetensors")) {
        if (sn_rt_tensors_read(file, &set, &err) != SN_RT_OK) return puts(err.text), 1;
        for (size_t i = 0; i < sn_rt_tensors_count(set); i++) print_array(sn_rt_tensors_at(set, i)->name, sn_rt_tensors_at(set, i));
        sn_rt_tensors_free(set);
        return 0;
    }
    if (sn_rt_npy_read(file, &a, &err) != SN_RT_OK) return puts(err.text), 1;
    print_array(file, &a);
    sn_rt_array_fini(&a);
    return 0;
}

static int near(const char *a_file, const char *b_file, double share)
{
    sn_rt_array a, b;
    sn_rt_error err;
    if (sn_rt_npy_read(a_file, &a, &err) != SN_RT_OK || sn_rt_npy_read(b_file, &b, &err) != SN_RT_OK) return puts(err.text), 1;
    const float *x = a.data, *y = b.data;
    double worst = a.bytes == b.bytes && a.bytes ? 0 : INFINITY, largest = 0;
    for (size_t i = 0; a.bytes == b.bytes && i < b.bytes / sizeof *y; i++) {
        worst = fmax(worst, fabs((double)x[i] - (double)y[i]));
        largest = fmax(largest, fabs((double)y[i]));
    }
    sn_rt_array_fini(&a), sn_rt_array_fini(&b);
    if (worst <= share * largest) return 0;
    return printf("%s and %s differ by up to %g, the largest number is %g\n", a_file, b_file, worst, largest), 1;
}

static int take(const char *set_file, const char *name, const char *file)
{
    sn_rt_tensors *set;
    sn_rt_error err;
    if (sn_rt_tensors_read(set_file, &set, &err) != SN_RT_OK) return puts(err.text), 1;
    const sn_rt_array *a = sn_rt_tensors_find(set, name);
    int failed = !a || sn_rt_npy_write(file, a, &err) != SN_RT_OK;
    if (failed) printf("%s: no %s\n", set_file, name);
    sn_rt_tensors_free(set);
    return failed;
}

int main(int argc, char **argv)
{
    if (argc >= 4 && strcmp(argv[1], "write") == 0) return write_array(argc, argv);
    if (argc == 5 && strcmp(argv[1], "take") == 0) return take(argv[2], argv[3], argv[4]);
    if (argc == 5 && strcmp(argv[1], "near") == 0) return near(argv[2], argv[3], atof(argv[4]));
    int failed = argc < 3;
    for (int i = 2; i < argc; i++) failed |= print_file(argv[i]);
    return failed;
}
