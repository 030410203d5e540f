/* Run-time status: what the world did to us (file, memory, shape at call).
 * Not for mistakes in a user's graph (ir/diag.h) nor for our own bugs (assertions). */
#ifndef SN_RUNTIME_STATUS_H
#define SN_RUNTIME_STATUS_H

/* Each code says when to use it rather than its neighbour. */
typedef enum sn_rt_status {
    SN_RT_OK = 0,
    SN_RT_IO,        /* the system refused: open, read, write, sync, rename; text carries errno's words */
    SN_RT_FORMAT,    /* the bytes were read but are not what the format says; text carries file and place */
    SN_RT_BAD_SHAPE, /* well-formed data of the wrong shape, type or count for this call */
    SN_RT_MISSING,   /* a name asked for is not there */
    SN_RT_MEMORY,    /* an allocation failed */
    SN_RT_ARGUMENT,  /* the caller's argument is out of its documented range */
    SN_RT_DIVERGED,  /* a computed number is not finite; what was saved before is good */
    SN_RT_STOPPED    /* a signal or a callback asked to stop; state is consistent and saved where promised */
} sn_rt_status;

/* One line for a person: place, what was found, what was expected. Untouched on SN_RT_OK. */
typedef struct sn_rt_error {
    char text[512];
} sn_rt_error;

/* Format `err->text` and return `code`, so that a failing path is one statement.
 * `err` may be NULL. Implemented in runtime/core/status.c. */
sn_rt_status sn_rt_fail(sn_rt_error *err, sn_rt_status code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
