/* Which of the variants this processor can run.
 * Not how fast. */
#include <stdio.h>
#include <string.h>

#include "aot.h"

#if defined(__x86_64__)
/* The compiler's test also asks whether the system keeps the registers.  It wants literals, hence the macro. */
static bool has(const char *word)
{
#define HAS(name)                                                                                                              \
    if (strcmp(word, name) == 0) return __builtin_cpu_supports(name) != 0;
    SN_ABI_X86_SETS(HAS)
#undef HAS
    return false; /* a library of a later version may need what this code cannot ask for */
}
#else
static bool has(const char *word)
{
    (void)word;
    return false; /* no instruction set but the architecture's own is compiled for */
}
#endif

bool sn_aot_processor_has(const char *needs, char *missing, size_t size)
{
    char word[32];
    while (*needs) {
        size_t n = strcspn(needs, ",");
        snprintf(word, sizeof word, "%.*s", (int)n, needs);
        if (n >= sizeof word || !has(word)) {
            snprintf(missing, size, "%s", word);
            return false;
        }
        needs += n + (needs[n] == ',');
    }
    return true;
}
