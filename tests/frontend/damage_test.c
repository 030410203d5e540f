/* Damaged graph files: truncated, bits flipped, bytes exchanged.  Each gives a graph or an error, never a crash.
 * Not what is said (wrong_test.c).  Meant for the build with sanitizers. */
#include "support.h"

#include "frontend/convert.h"

static const char *const files[] = {"layers/layers.json", "layers/ntu25.json", "encoders/stgcn.json", "recipes/moco_stgcn.json"};

static uint32_t draw(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* The models' folders, so that imports of a damaged file are found. */
static void copy_models(void)
{
    static const char *const folder[] = {"/layers", "/encoders", "/heads", "/damaged"};
    static const char *const whole[] = {"/layers/layers.json", "/layers/ntu25.json", "/encoders/stgcn.json", "/heads/contrast.json"};
    char path[600];
    mkdir(SCRATCH, 0777);
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, SCRATCH "%s", folder[i]);
        mkdir(path, 0777);
    }
    for (int i = 0; i < 4; i++) {
        size_t size = 0;
        snprintf(path, sizeof path, MODELS "%s", whole[i]);
        char *data = slurp(path, &size);
        snprintf(path, sizeof path, SCRATCH "%s", whole[i]);
        spill(path, data, size);
        free(data);
    }
}

static void survive(const char *data, size_t size)
{
    spill(SCRATCH "/damaged/file", data, size);
    free(check_file(SCRATCH "/damaged/file"));
}

static void truncate_and_flip(const char *data, size_t size, uint32_t *seed)
{
    char *copy = malloc(size + 1);
    assert_non_null(copy);
    for (size_t n = 0; n < size; n += 1 + size / 200) survive(data, n);
    for (int i = 0; i < 400; i++) {
        memcpy(copy, data, size);
        for (uint32_t flips = 1 + draw(seed) % 3; flips > 0; flips--) copy[draw(seed) % size] ^= (char)(1u << draw(seed) % 8);
        survive(copy, size);
    }
    for (int i = 0; i < 200; i++) { /* whole words, as offsets and lengths are */
        static const uint32_t word[] = {0, 1, 4, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffc, 64};
        memcpy(copy, data, size);
        if (size >= 8) memcpy(copy + draw(seed) % (size - 4), &word[draw(seed) % 8], 4);
        survive(copy, size);
    }
    free(copy);
}

static void binaries(void **state)
{
    uint32_t seed = 7;
    char path[600];
    (void)state;
    copy_models();
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        sn_diags diags;
        size_t size = 0;
        sn_diags_init(&diags);
        snprintf(path, sizeof path, "%s/%s", MODELS, files[i]);
        assert_true(sn_convert(path, SCRATCH "/whole.sng", false, &diags));
        char *data = slurp(SCRATCH "/whole.sng", &size);
        truncate_and_flip(data, size, &seed);
        free(data);
        sn_diags_fini(&diags);
    }
}

static void texts(void **state)
{
    uint32_t seed = 11;
    char path[600];
    (void)state;
    copy_models();
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        size_t size = 0;
        snprintf(path, sizeof path, "%s/%s", MODELS, files[i]);
        char *data = slurp(path, &size);
        truncate_and_flip(data, size, &seed);
        free(data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(binaries), cmocka_unit_test(texts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
