/* The text of a schedule.
 * Not how schedules are made (tests/passes). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ir/schedule.h"

static void printing(void **state)
{
    (void)state;
    const char *text = "graph @f(%x: f32[N,4]) {\n  %h = relu %x : f32[N,4]\n  %s = sum %h {axes=[1]} : f32[N,1]\n  return s=%s\n}\n";
    sn_diags d;
    sn_diags_init(&d);
    sn_graph *g = sn_graph_parse(&d, sn_diags_source(&d, "f.sn", text, strlen(text)));
    assert_non_null(g);
    sn_schedule *s = sn_schedule_new(g);
    static sn_ref in[] = {{0}}, body[] = {{1}, {2}}, out[] = {{2}};
    static sn_kernel kernel[] = {{.form = SN_FORM_REDUCE, .name = "s", .anchor = {2}, .body = body, .bodies = 2, .in = in, .ins = 1, .out = out, .outs = 1,
                                  .tiled = true, .outer = 1, .chunk = 8}};
    static sn_buffer buffer[] = {{.node = {0}, .place = SN_PLACE_PARAM, .index = 0, .last = 0}, {.node = {2}, .place = SN_PLACE_OUTPUT, .last = UINT32_MAX}};
    buffer[0].count = sn_type_count(&g->dims, &g->node[0].type);
    buffer[1].count = sn_type_count(&g->dims, &g->node[2].type);
    s->kernel = kernel;
    s->kernels = 1;
    s->buffer = buffer;
    s->buffers = 2;
    char *printed;
    size_t n;
    FILE *f = open_memstream(&printed, &n);
    sn_schedule_print(s, f);
    fclose(f);
    assert_string_equal(printed, "kernel 0 \"s\" reduce anchor=%s tiles={outer=1, chunk=8} {\n"
                                 "  in %x\n"
                                 "  body\n"
                                 "    %h = relu %x : f32[N,4]\n"
                                 "    %s = sum %h {axes=[1]} : f32[N,1]\n"
                                 "  out %s\n"
                                 "}\n"
                                 "buffer 0 %x param $x floats=4*N life=0..0\n"
                                 "buffer 1 %s output s floats=N life=0..end\n");
    free(printed);
    sn_schedule_free(s);
    sn_schedule_free(NULL);
    sn_diags_fini(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(printing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
