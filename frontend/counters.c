/* Counters of the processor and of the kernel, by thread and by kernel call.
 * Linux only, as the waiting of the team is (runtime/core/parallel.c). */
#include "counters.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What is asked for.  One group, so that all count at the same time; the first that can be had leads it. */
typedef struct event { const char *name; uint32_t type; uint64_t config; } event;
static const event events[] = {
    {"cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES},
    {"instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS},
    {"cache references", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_REFERENCES},
    {"cache misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES},
    {"branch misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_MISSES},
    {"page faults", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS},
    {"context switches", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES},
    {"migrations", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_MIGRATIONS},
};
enum { EVENTS = sizeof events / sizeof *events };
_Static_assert((int)EVENTS <= (int)SN_COUNTERS_MOST, "a caller may have an array of them");

/* As the kernel writes it with PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING. */
typedef struct reading { uint64_t count, enabled, running, value[EVENTS]; } reading;

typedef struct member {
    _Alignas(64) pid_t thread; /* the counters in `fd` are this one's; 0: none are open */
    int     fd[EVENTS];        /* the first leads */
    reading before;
    double *sum;               /* [calls][kinds] */
    char    failure[128];
} member;

struct sn_counters {
    int         threads;
    uint32_t    calls, kinds, missing;
    uint32_t    kind[EVENTS];      /* numbers in `events` of what is counted */
    uint32_t    lost[EVENTS];      /* and of what is not */
    char        why[EVENTS][160];
    member     *member;            /* [threads] */
};

static pid_t self(void) { return (pid_t)syscall(SYS_gettid); }

/* Of one thread, on whatever processor it is.  What the kernel does for the thread counts for its own events only: that the kernel runs is what they are. */
static int open_event(const event *e, pid_t thread, int leader)
{
    struct perf_event_attr a = {.size = sizeof a, .type = e->type, .config = e->config, .exclude_hv = 1, .exclude_kernel = e->type == PERF_TYPE_HARDWARE,
                                .read_format = PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING};
    return (int)syscall(SYS_perf_event_open, &a, thread, -1, leader, PERF_FLAG_FD_CLOEXEC);
}

static void explain(char *out, size_t size, const event *e, int error)
{
    const char *hint = error == EACCES || error == EPERM ? ": see /proc/sys/kernel/perf_event_paranoid"
                       : (error == ENOENT || error == EOPNOTSUPP) && e->type == PERF_TYPE_HARDWARE ? ": the processor's counters do not reach this machine" : "";
    snprintf(out, size, "perf_event_open: %s%s", strerror(error), hint);
}

static void close_all(member *m, uint32_t n)
{
    while (n > 0) close(m->fd[--n]);
    m->thread = 0;
}

/* Open all that is counted for the calling thread. */
static void enter(const sn_counters *c, member *m)
{
    if (m->thread) close_all(m, c->kinds);
    for (uint32_t i = 0; i < c->kinds; i++) {
        m->fd[i] = open_event(&events[c->kind[i]], 0, i ? m->fd[0] : -1);
        if (m->fd[i] >= 0) continue;
        explain(m->failure, sizeof m->failure, &events[c->kind[i]], errno);
        close_all(m, i);
        return;
    }
    m->thread = self();
}

static bool take(const sn_counters *c, member *m, reading *out)
{
    const size_t size = (3 + c->kinds) * sizeof(uint64_t);
    if (read(m->fd[0], out, size) == (ssize_t)size) return true;
    if (!m->failure[0]) snprintf(m->failure, sizeof m->failure, "reading counters: %s", strerror(errno));
    return false;
}

static void begin(void *context, int thread)
{
    sn_counters *c = context;
    member      *m = &c->member[thread];
    if (!c->kinds || m->failure[0]) return;
    if (m->thread != self()) enter(c, m);
    if (m->thread) take(c, m, &m->before);
}

static void end(void *context, int thread, uint32_t call, int64_t tiles, double from, double to)
{
    (void)tiles, (void)from, (void)to;
    sn_counters *c = context;
    member      *m = &c->member[thread];
    reading      after;
    if (!m->thread || m->failure[0] || !take(c, m, &after)) return;
    double enabled = (double)(after.enabled - m->before.enabled), running = (double)(after.running - m->before.running);
    double scale = running > 0 ? enabled / running : 1;
    for (uint32_t i = 0; i < c->kinds; i++) m->sum[(size_t)call * c->kinds + i] += scale * (double)(after.value[i] - m->before.value[i]);
}

/* What can be opened here beside what has been found before it. */
static void find(sn_counters *c)
{
    int fd[EVENTS];
    for (uint32_t i = 0; i < EVENTS; i++) {
        fd[c->kinds] = open_event(&events[i], 0, c->kinds ? fd[0] : -1);
        if (fd[c->kinds] >= 0) {
            c->kind[c->kinds++] = i;
        } else {
            explain(c->why[c->missing], sizeof c->why[0], &events[i], errno);
            c->lost[c->missing++] = i;
        }
    }
    for (uint32_t i = 0; i < c->kinds; i++) close(fd[i]);
}

sn_counters *sn_counters_new(int threads, uint32_t calls)
{
    sn_counters *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    c->threads = threads;
    c->calls = calls;
    find(c);
    c->member = aligned_alloc(_Alignof(member), (size_t)threads * sizeof *c->member);
    bool ok = c->member != NULL;
    if (ok) memset(c->member, 0, (size_t)threads * sizeof *c->member);
    for (int t = 0; t < threads && ok; t++) ok = (c->member[t].sum = calloc((size_t)calls * c->kinds + 1, sizeof(double))) != NULL;
    if (ok) return c;
    sn_counters_free(c);
    return NULL;
}

void sn_counters_free(sn_counters *c)
{
    if (!c) return;
    for (int t = 0; t < c->threads && c->member; t++) {
        if (c->member[t].thread) close_all(&c->member[t], c->kinds);
        free(c->member[t].sum);
    }
    free(c->member);
    free(c);
}

uint32_t    sn_counters_count(const sn_counters *c) { return c->kinds; }
const char *sn_counters_name(const sn_counters *c, uint32_t which) { return events[c->kind[which]].name; }

const char *sn_counters_missing(const sn_counters *c, uint32_t which, const char **out_why)
{
    if (which >= c->missing) return NULL;
    *out_why = c->why[which];
    return events[c->lost[which]].name;
}

sn_rt_observer sn_counters_observer(sn_counters *c) { return (sn_rt_observer){c, begin, end}; }

double sn_counters_of(const sn_counters *c, uint32_t call, uint32_t which)
{
    double sum = 0;
    for (int t = 0; t < c->threads; t++) sum += c->member[t].sum[(size_t)call * c->kinds + which];
    return sum;
}

const char *sn_counters_failure(const sn_counters *c)
{
    for (int t = 0; t < c->threads; t++)
        if (c->member[t].failure[0]) return c->member[t].failure;
    return "";
}
