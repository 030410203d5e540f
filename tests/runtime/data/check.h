/* What the tests of runtime/data share: cmocka and checks of a status with its exact message.
 * Not a framework. */
#ifndef SN_TESTS_DATA_CHECK_H
#define SN_TESTS_DATA_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/status.h"

#define check_ok(call)                                                                                                 \
    do {                                                                                                               \
        sn_rt_error err_ = {""};                                                                                       \
        sn_rt_error *err = &err_;                                                                                      \
        sn_rt_status status_ = (call);                                                                                 \
        if (status_ != SN_RT_OK)                                                                                       \
            fail_msg("status %d: %s", (int)status_, err_.text);                                                        \
    } while (0)

#define check_fails(call, code, message)                                                                               \
    do {                                                                                                               \
        sn_rt_error err_ = {""};                                                                                       \
        sn_rt_error *err = &err_;                                                                                      \
        sn_rt_status status_ = (call);                                                                                 \
        assert_string_equal(err_.text, message);                                                                       \
        assert_int_equal(status_, code);                                                                               \
    } while (0)

#endif
