/* Every value that kernels store, against the reference interpreter in double precision: what `sinew verify` does.
 * Not compiling and not the command line (cmd_verify.c); prints nothing.
 *
 * Two builds of one graph run: the fused one, and one in which every node is a kernel of its own.  Two questions are asked of a value:
 *   own    is it what the reference makes of the numbers that this very kernel read?  Errors of others do not count, so the first kernel that
 *          fails is the one that is wrong.  Relative to the largest number of the tensor.
 *   drift  is it still what the reference gets from the inputs on?  Root of the mean square, relative to that of the reference.
 * Where single precision cannot know better (sums that cancel, comparisons of what is nearly equal: sn_ref_setting.doubt), only what is beyond that counts.
 * The reference evaluates the graph that kernels were made of; that the passes kept its meaning is asked separately: outputs before and after. */
#ifndef SN_FRONTEND_NUMERICS_H
#define SN_FRONTEND_NUMERICS_H

#include "../ir/reference.h"
#include "bound.h"
#include "trap.h"

/* A value that is not as it should be. */
typedef struct sn_numerics_fault {
    uint32_t kernel; /* of the build's schedule */
    sn_ref   node;
    size_t   element;
    double   found, expected, error, allowed; /* error and what is allowed: relative as above, or the drift */
    bool     drifted;
} sn_numerics_fault;

typedef struct sn_numerics_build {
    uint32_t kernels, values;        /* compared */
    double   own, drift;             /* the largest of values that are as they should be */
    uint32_t own_kernel, drift_kernel;
    bool     failed;
    sn_numerics_fault fault;           /* of the first kernel */
} sn_numerics_build;

typedef struct sn_numerics_side { const sn_program *program; sn_bound *bound; } sn_numerics_side;

typedef struct sn_numerics {
    /* given */
    sn_numerics_side fused, alone;     /* of equal graphs, with equal inputs and weights, started; alone.program NULL: not asked for */
    uint64_t seed, step;             /* of random numbers */
    double   tolerance, drift;       /* 0: drift is not a fault */
    sn_trap *trap;                   /* of the fused build: looked at after every call; or NULL */
    uint32_t catch;                  /* also this kernel of the fused build; UINT32_MAX: none */
    /* Called for it and for a kernel of the fused build that is out of tolerance, while what it read is still in memory; may be NULL. */
    void   (*caught)(void *context, uint32_t kernel);
    void    *context;
    /* found */
    sn_numerics_build of_fused, of_alone;
    double   between;                /* largest distance of the two builds, as drift is measured */
    double  *alone_own;              /* by node: own error in the build of nodes alone */
    sn_ref_run *whole, *doubted;     /* the reference from the inputs on, and in doubt; the second if it was needed */
    sn_ref_setting setting, doubt;
    float  **copy;                   /* by node: values of nodes alone that the fused build stores, too */
} sn_numerics;

/* Bytes the reference needs for all its values. */
double sn_numerics_bytes(const sn_numerics_side *side);
/* Run and compare; the runs of a build end at its first fault.  False if running itself failed, which the bound says. */
bool sn_numerics_run(sn_numerics *v);
void sn_numerics_fini(sn_numerics *v);

/* Does the output of that name, or the update of that parameter, have the same value in both graphs?  Extents, parameters and random numbers are those of v, which
 * has run; the first that has not is named in `out`.  b NULL: the graph of the builds. */
bool sn_numerics_same(const sn_numerics *v, const sn_graph *a, const sn_graph *b, char *out, size_t size);

#endif
