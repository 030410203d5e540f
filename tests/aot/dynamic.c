/* A library loaded at run time, by its name alone: dynamic LIBRARY clips.f32 > features.f32.  Clips of 2 x 52 frames. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "gait.h"

static void *library;

/* ISO C has no conversion from an object pointer to a function's; POSIX promises that this copy is one. */
static void find(const char *name, void *out)
{
    void *symbol = dlsym(library, name);
    if (!symbol) fprintf(stderr, "%s\n", dlerror());
    memcpy(out, &symbol, sizeof symbol);
}

int main(int argc, char **argv)
{
    int (*version)(void);
    gait_status (*describe)(int, gait_tensor *);
    gait_status (*load)(const char *, const char *, gait **, gait_error *);
    gait_status (*session_new)(const gait *, const int64_t *, int, gait_session **, gait_error *);
    gait_status (*set_input)(gait_session *, int, const float *, int64_t, gait_error *);
    gait_status (*set_output)(gait_session *, int, float *, int64_t, gait_error *);
    gait_status (*run)(gait_session *, gait_error *);
    void (*session_free)(gait_session *), (*model_free)(gait *);
    if (argc != 3 || !(library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL))) return fprintf(stderr, "%s\n", dlerror()), 1;
    find("gait_version", &version), find("gait_describe_output", &describe), find("gait_load", &load), find("gait_session_new", &session_new);
    find("gait_set_input", &set_input), find("gait_set_output", &set_output), find("gait_run", &run);
    find("gait_session_free", &session_free), find("gait_free", &model_free);

    static _Alignas(64) float clips[2 * 52 * 75], features[2 * 13 * 25 * 256];
    enum { CLIPS = sizeof clips / sizeof *clips, FEATURES = sizeof features / sizeof *features };
    gait *model;
    gait_session *session;
    gait_error error;
    gait_tensor y;
    FILE *f = fopen(argv[2], "rb");
    if (!f || fread(clips, sizeof *clips, CLIPS, f) != CLIPS) return fprintf(stderr, "%s is short\n", argv[2]), 1;
    fclose(f);
    if (version() != GAIT_VERSION) return fputs("another version of the interface\n", stderr), 1;
    if (describe(0, &y) != GAIT_OK || strcmp(y.name, "y") || strcmp(y.shape, "f32[N,(T-1)/4+1,25,256]") || y.rank != 4 || y.dim[0] != -1 || y.dim[3] != 256)
        return fprintf(stderr, "output 0 is described as %s %s\n", y.name, y.shape), 1;
    if (load(NULL, NULL, &model, &error) != GAIT_OK || session_new(model, (const int64_t[]){2, 52}, 2, &session, &error) != GAIT_OK ||
        set_input(session, 0, clips, CLIPS, &error) != GAIT_OK || set_output(session, 0, features, FEATURES, &error) != GAIT_OK ||
        run(session, &error) != GAIT_OK)
        return fprintf(stderr, "%s\n", error.text), 1;
    session_free(session);
    model_free(model);
    return fwrite(features, sizeof *features, FEATURES, stdout) != FEATURES || dlclose(library) != 0;
}
