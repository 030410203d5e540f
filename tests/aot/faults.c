/* What a library says when it is used wrongly, and that a run allocates nothing.  Library `step`: one thread, weights beside, several levels.
 *
 *     faults clips.f32                   all checks
 *     faults --can LEVEL                 exit 0 if this processor runs that level
 *     faults --run LEVEL clips.f32       features of 2 clips of 52 frames on standard output
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "step.h"

/* ---- counting what is allocated: the allocator of glibc under its own name ------------------------------------------------- */

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
static long allocations;
void *malloc(size_t n) { return allocations++, __libc_malloc(n); }
void *calloc(size_t n, size_t size) { return allocations++, __libc_calloc(n, size); }
void *realloc(void *p, size_t n) { return allocations++, __libc_realloc(p, n); }

/* ---- checks ------------------------------------------------------------------------------------------------------------------ */

enum { N = 2, T = 52, CLIPS = N * T * 75 };
static int failures;

static void expect(int line, step_status status, step_status want, const step_error *error, const char *text)
{
    if (status == want && (!text || strstr(error->text, text))) return;
    printf("line %d: status %d, expected %d: %s\n", line, (int)status, (int)want, error->text);
    failures++;
}
#define EXPECT(call, want, text) (memset(&error, 0, sizeof error), expect(__LINE__, (call), (want), &error, (text)))
#define CHECK(cond) ((cond) ? (void)0 : (void)(printf("line %d: %s\n", __LINE__, #cond), failures++))

static void read_clips(const char *path, float *x)
{
    FILE *f = fopen(path, "rb");
    CHECK(f && fread(x, sizeof *x, CLIPS, f) == CLIPS);
    if (f) fclose(f);
}

static void copy_file(const char *from, const char *to, long flip)
{
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    int   c;
    for (long i = 0; (c = fgetc(in)) != EOF; i++) fputc(i == flip ? c ^ 1 : c, out);
    fclose(in), fclose(out);
}

static void check_loading(void)
{
    step      *m = NULL;
    step_error error;
    EXPECT(step_load("missing.safetensors", NULL, &m, &error), STEP_IO, "missing.safetensors: weights of step: No such file");
    EXPECT(step_load("/dev/null", NULL, &m, &error), STEP_FORMAT, "/dev/null: not the file of");
    copy_file("step.safetensors", "flipped.safetensors", 200); /* in the header: another training has another checksum there */
    EXPECT(step_load("flipped.safetensors", NULL, &m, &error), STEP_FORMAT, "another model or another training");
    EXPECT(step_load(NULL, "pentium", &m, &error), STEP_ARGUMENT, "step has no code for \"pentium\"");
    CHECK(m == NULL);
    EXPECT(step_load(NULL, "pentium", &m, NULL), STEP_ARGUMENT, NULL);
    step_free(NULL);
    step_session_free(NULL);
}

static void check_session(const step *m, const char *clips)
{
    step_session *s = NULL;
    step_error    error;
    step_tensor   t;
    int64_t       dim[6];
    const int64_t extent[] = {N, T}, none[] = {0, T}, shorter[] = {1, 8}, huge[] = {INT64_C(1) << 40, INT64_C(1) << 40};
    EXPECT(step_session_new(m, none, 1, &s, &error), STEP_BAD_SHAPE, "N = 0: must be at least 1");
    EXPECT(step_session_new(m, huge, 1, &s, &error), STEP_BAD_SHAPE, NULL);
    EXPECT(step_session_new(m, extent, 2, &s, &error), STEP_ARGUMENT, "2 threads: step is built for 1 to 1");
    EXPECT(step_session_new(m, extent, -1, &s, &error), STEP_ARGUMENT, "-1 threads");
    CHECK(s == NULL);
    EXPECT(step_session_new(m, extent, 0, &s, &error), STEP_OK, NULL);
    if (!s) return;
    CHECK(step_describe_input(1, &t) == STEP_ARGUMENT && step_describe_output(-1, &t) == STEP_ARGUMENT);
    CHECK(step_input(s, 1) == NULL && step_output(s, -1) == NULL && step_input_dims(s, 7, dim) == -1);
    EXPECT(step_set_input(s, 0, step_input(s, 0) + 1, CLIPS, &error), STEP_ARGUMENT, "aligned to 64 bytes");
    EXPECT(step_set_input(s, 0, step_input(s, 0), CLIPS - 1, &error), STEP_BAD_SHAPE, "7799 elements given, 7800 expected");
    EXPECT(step_set_output(s, 1, step_input(s, 0), 1, &error), STEP_ARGUMENT, "step has no output 1");
    read_clips(clips, step_input(s, 0));
    long before = allocations;
    for (int turn = 0; turn < 3; turn++) EXPECT(step_run(s, &error), STEP_OK, NULL);
    CHECK(before > 0 && allocations == before);
    CHECK(step_session_bytes(s) > 1000000 && step_session_bytes(s) < 100000000);
    EXPECT(step_bind(s, none, &error), STEP_BAD_SHAPE, NULL);
    EXPECT(step_run(s, &error), STEP_ARGUMENT, "before it is prepared");
    EXPECT(step_bind(s, shorter, &error), STEP_OK, NULL);
    CHECK(step_output_dims(s, 0, dim) == 4 && dim[0] == 1 && dim[1] == 2 && dim[2] == 25 && dim[3] == 256);
    EXPECT(step_run(s, &error), STEP_OK, NULL);
    step_session_free(s);
}

static int features(const char *level, const char *clips)
{
    step         *m = NULL;
    step_session *s = NULL;
    step_error    error;
    const int64_t extent[] = {N, T};
    EXPECT(step_load(NULL, level, &m, &error), STEP_OK, NULL);
    if (m) EXPECT(step_session_new(m, extent, 0, &s, &error), STEP_OK, NULL);
    if (!s || strcmp(step_cpu(m), level) != 0) return 1;
    read_clips(clips, step_input(s, 0));
    EXPECT(step_run(s, &error), STEP_OK, NULL);
    fwrite(step_output(s, 0), sizeof(float), (size_t)N * 13 * 25 * 256, stdout);
    step_session_free(s);
    step_free(m);
    return failures != 0;
}

int main(int argc, char **argv)
{
    step      *m = NULL;
    step_error error;
    if (argc == 3 && strcmp(argv[1], "--can") == 0) {
        step_status status = step_load(NULL, argv[2], &m, NULL);
        step_free(m);
        return status != STEP_OK;
    }
    if (argc == 4 && strcmp(argv[1], "--run") == 0) return features(argv[2], argv[3]);
    check_loading();
    EXPECT(step_load(NULL, NULL, &m, &error), STEP_OK, NULL);
    if (m) check_session(m, argv[1]);
    step_free(m);
    return failures != 0;
}
