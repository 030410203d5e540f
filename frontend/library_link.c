/* Shared libraries and executables by the system's linker, called through a C compiler, which knows where libc is.
 * No kernel passes through it: objects are finished, the compiler compiles nothing. */
#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "library.h"

extern char **environ;

/* What the linker said, to the end of a message: a warning of an executable that works is for nobody. */
static const char *what_it_said(FILE *said, char *out, size_t n)
{
    rewind(said);
    size_t got = fread(out, 1, n - 1, said);
    while (got && out[got - 1] == '\n') got--;
    out[got] = '\0';
    return out;
}

static bool spawn(const char *const *argv, const char *what, sn_diags *diags)
{
    posix_spawn_file_actions_t actions;
    char  text[2000];
    pid_t pid;
    int   state = 0;
    FILE *said = tmpfile();
    if (!said) {
        sn_error(diags, (sn_loc){0}, NULL, "%s: no file for what the linker says, %s", what, strerror(errno));
        return false;
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fileno(said), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, fileno(said), STDERR_FILENO);
    int error = posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    while (!error && waitpid(pid, &state, 0) < 0 && errno == EINTR) {}
    bool ok = !error && WIFEXITED(state) && WEXITSTATUS(state) == 0;
    if (error)
        sn_error(diags, (sn_loc){0}, NULL, "%s: the linker %s cannot be run, %s; --linker names another, --archive does without", what, argv[0],
                 strerror(error));
    else if (!ok)
        sn_error(diags, (sn_loc){0}, NULL, "%s: the linker %s failed, %s", what, argv[0], what_it_said(said, text, sizeof text));
    fclose(said);
    return ok;
}

bool sn_library_link(const sn_library *b, const char *name, const char *runtime, const char *main_object, sn_diags *diags)
{
    sn_arena a;
    sn_arena_init(&a);
    const char *cross = strcmp(b->target[0], "aarch64") == 0 ? "aarch64-linux-gnu-gcc" : "cc";
    const char *out = sn_format(&a, "%s%s", b->output, main_object ? "" : ".so"), *temporary = sn_format(&a, "%s.tmp%ld", out, (long)getpid());
    const char *archive = sn_format(&a, "%s.a", b->output), *argv[24];
    int n = 0;
    argv[n++] = b->linker ? b->linker : cross;
    argv[n++] = "-o";
    argv[n++] = temporary;
    argv[n++] = "-Wl,--gc-sections,-z,noexecstack";
    if (main_object) {
        argv[n++] = "-static";
        if (!b->debug) argv[n++] = "-s";
        argv[n++] = main_object;
        argv[n++] = archive;
        argv[n++] = sn_format(&a, "%s/libsinew_main.a", runtime);
        argv[n++] = archive;
    } else {
        argv[n++] = "-shared";
        argv[n++] = sn_format(&a, "-Wl,-soname,%s.so,-z,defs,--whole-archive", name);
        argv[n++] = archive;
        argv[n++] = "-Wl,--no-whole-archive";
    }
    if (!b->one_thread) argv[n++] = "-fopenmp";
    if (main_object) argv[n++] = "-lm"; /* the readers' */
    argv[n] = NULL;
    bool ok = spawn(argv, out, diags);
    if (ok && rename(temporary, out) != 0) {
        sn_error(diags, (sn_loc){0}, NULL, "%s: %s", out, strerror(errno));
        ok = false;
    }
    if (!ok) unlink(temporary);
    sn_arena_fini(&a);
    return ok;
}
