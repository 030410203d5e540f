/* Pages: what hostile text in the data and the title becomes, and what a failure leaves.
 * Not in a browser (tests/cli/profile.sh). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "frontend/page.h"
#include "runtime/data/file.h"

#define PAGE SCRATCH "/page.html"

static char *read_page(void)
{
    char       *bytes = NULL;
    size_t      size;
    sn_rt_error err;
    if (sn_rt_file_read(PAGE, 1 << 20, &bytes, &size, &err) != SN_RT_OK) fail_msg("%s", err.text);
    return bytes;
}

static unsigned times(const char *text, const char *word)
{
    unsigned n = 0;
    for (text = strstr(text, word); text; text = strstr(text + 1, word)) n++;
    return n;
}

static void no_text_of_the_data_is_taken_for_html(void **state)
{
    static const char evil[] = "</script><script>alert(1)</script><!-- <b>&amp;\"";
    sn_rt_error       err;
    (void)state;
    json_t *data = json_pack("{s:s}", evil, evil);
    if (sn_page_write(PAGE, evil, data, "<p id=\"mine\">\n", &err) != SN_RT_OK) fail_msg("%s", err.text);
    json_decref(data);
    char *page = read_page();
    assert_int_equal(times(page, "<script"), 2); /* the data and page.js */
    assert_int_equal(times(page, "</script>"), 2);
    assert_int_equal(times(page, "<!--"), 0);
    assert_non_null(strstr(page, "<title>&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;!-- &lt;b&gt;&amp;amp;\"</title>"));
    assert_non_null(strstr(page, "<p id=\"mine\">"));
    static const char open[] = "id=\"data\">";
    char *json = strstr(page, open) + sizeof open - 1;
    *strstr(json, "</script>") = 0;
    json_t *back = json_loads(json, 0, NULL);
    assert_non_null(back);
    assert_string_equal(json_string_value(json_object_get(back, evil)), evil);
    json_decref(back);
    free(page);
}

static void a_failure_leaves_the_page_before(void **state)
{
    sn_rt_error err;
    (void)state;
    json_t *data = json_object();
    assert_int_equal(sn_page_write(PAGE, "kept", data, "", &err), SN_RT_OK);
    assert_int_equal(sn_page_write(PAGE, "lost", NULL, "", &err), SN_RT_FORMAT);
    assert_int_equal(sn_page_write(SCRATCH "/none/page.html", "lost", data, "", &err), SN_RT_IO);
    json_decref(data);
    char *page = read_page();
    assert_non_null(strstr(page, "<title>kept</title>"));
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_text_of_the_data_is_taken_for_html), cmocka_unit_test(a_failure_leaves_the_page_before)};
    mkdir(SCRATCH, 0777);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
