/* The tool of the tests of `sinew weights`: state dictionaries made by rule, damaged, and compared.
 * Not a test by itself (public.sh beside it is) and it knows no names but the endings PyTorch gives.
 *
 *     state make LIST SEED OUT.safetensors       LIST: a line a tensor, "NAME f32|i64 DIM DIM ..."
 *     state rename NAME NEW IN OUT
 *     state flatten NAME IN OUT                  that tensor with one axis
 *     state same A B                             exit code 1 unless both hold the same names, types, shapes and bytes */
#include "../../runtime/data/safetensors.h"
#include "numbers.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failed(const sn_rt_error *err)
{
    fprintf(stderr, "state: %s\n", err->text);
    return 1;
}

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

/* offset + spread * u, u uniform in [-1, 1). */
static void fill_floats(const char *name, uint64_t seed, const uint64_t *dims, uint32_t rank, float *x, uint64_t n)
{
    double offset = 0.0, spread = 0.1, terms = 1.0;
    for (uint32_t d = 1; d < rank; d++) terms *= (double)dims[d];
    if (ends_with(name, ".running_var")) offset = 1.0, spread = 0.5;
    else if (strstr(name, "edge_importance")) offset = 1.0, spread = 0.3;
    else if (ends_with(name, ".weight") && rank == 1) offset = 1.0, spread = 0.2;
    else if (ends_with(name, ".weight")) spread = sqrt(3.0 / terms);
    for (uint64_t i = 0; i < n; i++) x[i] = (float)(offset + spread * uniform(hash_name(name) ^ mix(seed), i));
}

static int make(const char *list, uint64_t seed, const char *to)
{
    sn_rt_error    err = {""};
    sn_rt_tensors *set = sn_rt_tensors_new();
    FILE          *f = fopen(list, "r");
    char           line[512];
    if (!set || !f) return perror(list), 1;
    while (fgets(line, sizeof line, f)) {
        uint64_t dims[SN_RT_MAX_RANK], n = 1;
        uint32_t rank = 0;
        void    *data;
        char    *name = strtok(line, " \n"), *type = strtok(NULL, " \n");
        for (char *d; rank < SN_RT_MAX_RANK && (d = strtok(NULL, " \n")); rank++) n *= dims[rank] = strtoull(d, NULL, 10);
        bool whole = strcmp(type, "i64") == 0;
        if (sn_rt_tensors_add(set, name, whole ? SN_RT_ELEM_I64 : SN_RT_ELEM_F32, rank, dims, NULL, &data, &err) != SN_RT_OK) return failed(&err);
        if (whole) *(int64_t *)data = 7;
        else fill_floats(name, seed, dims, rank, data, n);
    }
    fclose(f);
    int code = sn_rt_tensors_write(set, to, &err) == SN_RT_OK ? 0 : failed(&err);
    sn_rt_tensors_free(set);
    return code;
}

/* The file with one tensor under another name, or with one axis if `renamed` is NULL. */
static int damage(const char *name, const char *renamed, const char *from, const char *to)
{
    sn_rt_error    err = {""};
    sn_rt_tensors *in = NULL, *out = sn_rt_tensors_new();
    if (!out || sn_rt_tensors_read(from, &in, &err) != SN_RT_OK) return failed(&err);
    int code = sn_rt_tensors_find(in, name) ? 0 : 1;
    for (size_t i = 0; code == 0 && i < sn_rt_tensors_count(in); i++) {
        const sn_rt_array *a = sn_rt_tensors_at(in, i);
        bool               it = strcmp(a->name, name) == 0;
        uint64_t           count = a->bytes / sn_rt_elem_size(a->elem);
        bool               flat = it && !renamed;
        if (sn_rt_tensors_add(out, it && renamed ? renamed : a->name, a->elem, flat ? 1 : a->rank, flat ? &count : a->dims, a->data, NULL, &err) != SN_RT_OK)
            code = failed(&err);
    }
    if (code == 0 && sn_rt_tensors_write(out, to, &err) != SN_RT_OK) code = failed(&err);
    sn_rt_tensors_free(in);
    sn_rt_tensors_free(out);
    return code;
}

static int same(const char *path_a, const char *path_b)
{
    sn_rt_error    err = {""};
    sn_rt_tensors *a = NULL, *b = NULL;
    if (sn_rt_tensors_read(path_a, &a, &err) != SN_RT_OK || sn_rt_tensors_read(path_b, &b, &err) != SN_RT_OK) return failed(&err);
    int differ = sn_rt_tensors_count(a) != sn_rt_tensors_count(b);
    if (differ) printf("%zu tensors and %zu\n", sn_rt_tensors_count(a), sn_rt_tensors_count(b));
    for (size_t i = 0; i < sn_rt_tensors_count(a); i++) {
        const sn_rt_array *x = sn_rt_tensors_at(a, i), *y = sn_rt_tensors_find(b, x->name);
        bool               equal = y && x->elem == y->elem && x->rank == y->rank && memcmp(x->dims, y->dims, x->rank * sizeof *x->dims) == 0 &&
                     memcmp(x->data, y->data, x->bytes) == 0;
        if (!equal) printf("%s %s\n", x->name, y ? "differs" : "is missing");
        differ |= !equal;
    }
    sn_rt_tensors_free(a);
    sn_rt_tensors_free(b);
    return differ;
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "make") == 0) return make(argv[2], strtoull(argv[3], NULL, 10), argv[4]);
    if (argc == 6 && strcmp(argv[1], "rename") == 0) return damage(argv[2], argv[3], argv[4], argv[5]);
    if (argc == 5 && strcmp(argv[1], "flatten") == 0) return damage(argv[2], NULL, argv[3], argv[4]);
    if (argc == 4 && strcmp(argv[1], "same") == 0) return same(argv[2], argv[3]);
    fprintf(stderr, "usage: state make LIST SEED OUT | rename NAME NEW IN OUT | flatten NAME IN OUT | same A B\n");
    return 2;
}
