/* The crew: helper threads of a calling thread, which live on between runs, and the gate they enter a run by.
 * Not the work (parallel.c): a run is a function that helpers may enter whenever there is something to do.
 *
 * Threads of our own and not an OpenMP region, because a region ends when all of its threads have arrived.  Beside a busy foreign process a
 * sleeping thread arrives at the end of the system's time slice, up to 4 milliseconds late, with nothing to do but to arrive: an inference of
 * 4.5 milliseconds on two processors took 14.6 beside one busy process, and takes 7.9 now.  Here the caller leaves as soon as no helper is
 * inside; who sleeps is not inside, and who comes late finds the gate closed.  So a run waits for nobody but a thread that was put aside
 * while it held a tile.
 *
 * A helper that cannot be had is no error: the caller does the work with those there are, in the end alone.
 */
#include "internal.h"

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { SPIN_NS = 30000, SPIN_BATCH = 32, CLOSED = INT32_MIN };

typedef struct helper { sn_rt_crew *crew; pthread_t thread; int self; int32_t seen; } helper;

struct sn_rt_crew {
    _Alignas(SN_RT_ALIGN) _Atomic int32_t ticket; /* counts calls to work; the word sleepers wait on */
    _Atomic int32_t sleepers;
    _Alignas(SN_RT_ALIGN) _Atomic int32_t inside; /* helpers in the run, plus CLOSED while none may enter; the word the caller leaves by */
    sn_rt_crew_fn *fn;                            /* these change only while the gate is closed and nobody inside */
    void          *context;
    int            threads;
    bool           quit, busy;
    helper       **helper; /* [helpers]; number i is thread i + 1 of a run */
    int            helpers;
};

_Static_assert(sizeof(int) == sizeof(int32_t), "a futex is 32 bits");

static pthread_once_t          once = PTHREAD_ONCE_INIT;
static pthread_key_t           at_exit_of_thread;
static _Thread_local sn_rt_crew *mine;
static _Thread_local bool        is_helper;

static long futex(_Atomic int32_t *word, int operation, int32_t value) { return syscall(SYS_futex, word, operation, value, NULL, NULL, 0); }

/* ---- waiting ------------------------------------------------------------------------------------------------------------ */

int32_t sn_rt_crew_ticket(sn_rt_crew *c) { return atomic_load_explicit(&c->ticket, memory_order_acquire); }

int32_t sn_rt_crew_wait(sn_rt_crew *c, int32_t seen)
{
    int32_t ticket = sn_rt_crew_ticket(c);
    if (ticket != seen) return ticket;
    double until = sn_rt_now() + 1e-9 * SPIN_NS;
    do {
        for (int i = 0; i < SPIN_BATCH; i++) {
            sn_rt_pause();
            ticket = sn_rt_crew_ticket(c);
            if (ticket != seen) return ticket;
        }
    } while (sn_rt_now() < until);
    /* Who calls stores `ticket` and then reads `sleepers`; we count ourselves first and the kernel compares `ticket` again: one of the two
     * sees the other. */
    atomic_fetch_add(&c->sleepers, 1);
    while ((ticket = atomic_load(&c->ticket)) == seen) futex(&c->ticket, FUTEX_WAIT_PRIVATE, seen);
    atomic_fetch_sub(&c->sleepers, 1);
    return ticket;
}

void sn_rt_crew_call(sn_rt_crew *c)
{
    atomic_fetch_add(&c->ticket, 1);
    if (atomic_load(&c->sleepers) > 0) futex(&c->ticket, FUTEX_WAKE_PRIVATE, INT_MAX);
}

/* ---- the gate ----------------------------------------------------------------------------------------------------------- */

static bool enter(sn_rt_crew *c)
{
    int32_t inside = atomic_load_explicit(&c->inside, memory_order_relaxed);
    while (inside >= 0)
        if (atomic_compare_exchange_weak_explicit(&c->inside, &inside, inside + 1, memory_order_acquire, memory_order_relaxed)) return true;
    return false;
}

static void leave(sn_rt_crew *c)
{
    if (atomic_fetch_sub(&c->inside, 1) - 1 == CLOSED) futex(&c->inside, FUTEX_WAKE_PRIVATE, 1); /* the caller waits for us, or will look */
}

void sn_rt_crew_open(sn_rt_crew *c, int threads, sn_rt_crew_fn *fn, void *context)
{
    c->busy = true;
    c->fn = fn;
    c->context = context;
    c->threads = threads;
    atomic_store_explicit(&c->inside, 0, memory_order_release);
}

void sn_rt_crew_close(sn_rt_crew *c)
{
    int32_t inside = atomic_fetch_add(&c->inside, CLOSED) + CLOSED;
    for (int i = 0; inside != CLOSED; i++, inside = atomic_load(&c->inside)) {
        if (i < 16 * SPIN_BATCH) sn_rt_pause();
        else futex(&c->inside, FUTEX_WAIT_PRIVATE, inside);
    }
    c->busy = false;
}

static void *helper_main(void *context)
{
    helper     *h = context;
    sn_rt_crew *c = h->crew;
    is_helper = true;
    for (;;) {
        h->seen = sn_rt_crew_wait(c, h->seen);
        if (!enter(c)) continue;
        bool quit = c->quit;
        if (!quit && h->self < c->threads) c->fn(c->context, h->self);
        leave(c);
        if (quit) return NULL;
    }
}

/* ---- life --------------------------------------------------------------------------------------------------------------- */

static void crew_free(void *context)
{
    sn_rt_crew *c = context;
    c->quit = true;
    atomic_store_explicit(&c->inside, 0, memory_order_release);
    sn_rt_crew_call(c);
    for (int i = 0; i < c->helpers; i++) {
        pthread_join(c->helper[i]->thread, NULL);
        free(c->helper[i]);
    }
    free(c->helper);
    free(c);
    mine = NULL;
}

static void make_key(void)
{
    if (pthread_key_create(&at_exit_of_thread, crew_free) != 0) at_exit_of_thread = (pthread_key_t)-1;
}

static sn_rt_crew *crew_new(void)
{
    sn_rt_crew *c = aligned_alloc(SN_RT_ALIGN, sizeof *c);
    pthread_once(&once, make_key);
    if (!c) return NULL;
    *c = (sn_rt_crew){.inside = CLOSED};
    if (pthread_setspecific(at_exit_of_thread, c) == 0) return c;
    free(c);
    return NULL;
}

/* One helper more.  Signals stay with the program's own threads. */
static bool grow(sn_rt_crew *c)
{
    helper **all = realloc(c->helper, ((size_t)c->helpers + 1) * sizeof *all);
    if (!all) return false;
    c->helper = all;
    helper *h = malloc(sizeof *h);
    if (!h) return false;
    *h = (helper){.crew = c, .self = c->helpers + 1, .seen = sn_rt_crew_ticket(c)};
    sigset_t every, before;
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &before);
    bool ok = pthread_create(&h->thread, NULL, helper_main, h) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (ok) c->helper[c->helpers++] = h;
    else free(h);
    return ok;
}

sn_rt_crew *sn_rt_crew_mine(int threads)
{
    if (is_helper) return NULL;
    if (!mine) mine = crew_new();
    if (!mine || mine->busy) return NULL;
    while (mine->helpers + 1 < threads && grow(mine)) continue;
    return mine->helpers ? mine : NULL;
}
