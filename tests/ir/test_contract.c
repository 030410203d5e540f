/* Contractions: text, faults with their places, exchange of roles.
 * Their values are in tests/ops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ir/contract.h"

static sn_contract parsed(const char *text)
{
    sn_contract c;
    const char *at, *what;
    if (!sn_contract_parse(text, &c, &at, &what))
        fail_msg("%s: %s at `%s`", text, what, at);
    return c;
}

static void text_is(const sn_contract *c, const char *want)
{
    char text[512];
    sn_contract again;
    const char *at, *what;
    assert_int_equal(sn_contract_text(c, text, sizeof text), strlen(want));
    assert_string_equal(text, want);
    assert_true(sn_contract_parse(text, &again, &at, &what));
    assert_true(sn_contract_equal(c, &again));
}

static void round_trips(void **state)
{
    (void)state;
    static const struct { const char *from, *to; } form[] = {
        {"n,2t+k-4,v,i ; k,i,o -> n,t,v,o", "n,2t+k-4,v,i ; k,i,o -> n,t,v,o"},
        {" n , 2*t + k - 4 ; k->n , t ", "n,2t+k-4 ; k -> n,t"},
        {"n,t ; n,t -> ", "n,t ; n,t -> "},
        {" ; n -> n", " ; n -> n"},
        {"a,3-a+b;b->a", "a,-a+b+3 ; b -> a"},
        {"t+t,t ; 0 -> 7", "2t,t ; 0 -> 7"},
    };
    for (size_t i = 0; i < sizeof form / sizeof form[0]; i++) {
        const sn_contract c = parsed(form[i].from);
        text_is(&c, form[i].to);
    }
}

static void faults(void **state)
{
    (void)state;
    static const struct { const char *text; size_t at; const char *what; } fault[] = {
        {"n,t", 3, "expected `,` or `;`"},
        {"n ; t", 5, "expected `,` or `->`"},
        {"n ; t -> n,t x", 13, "expected `,` or the end"},
        {"n, ; t -> n", 3, "expected a loop name or a number"},
        {"n,2t ; n -> n", 3, "this loop stands nowhere alone, so it has no extent"},
        {"n,n+a+b+c ; a,b,c -> n", 8, "this loop has coefficient 0, a coefficient beyond 2^20, or is the fourth in one index"},
        {"n,0t ; t -> n", 2, "this loop has coefficient 0, a coefficient beyond 2^20, or is the fourth in one index"},
        {"n,t-t ; t -> n", 4, "this loop has coefficient 0, a coefficient beyond 2^20, or is the fourth in one index"},
        {"a,b,c,d,e,f,g ; a -> a", 12, "more than 6 indices"},
        {"a,b,c,d,e,f ; g,h,i,j,k,l -> m", 29, "more than 12 loops"},
        {"abcdefgh ; a -> a", 0, "loop name is longer than 7 letters"},
        {"n+2000000 ; n -> n", 2, "number is too large"},
        {"n+1000000+1000000 ; n -> n", 10, "offset is beyond 2^20"},
    };
    for (size_t i = 0; i < sizeof fault / sizeof fault[0]; i++) {
        sn_contract c;
        const char *at = NULL, *what = NULL;
        if (sn_contract_parse(fault[i].text, &c, &at, &what))
            fail_msg("accepted: %s", fault[i].text);
        assert_string_equal(what, fault[i].what);
        if ((size_t)(at - fault[i].text) != fault[i].at)
            fail_msg("%s: place is %td, expected %zu", fault[i].text, at - fault[i].text, fault[i].at);
    }
}

static void roles_exchange(void **state)
{
    (void)state;
    const sn_contract c = parsed("n,2t+k-4,v,i ; k,i,o -> n,t,v,o");
    const sn_contract a = sn_contract_grad(&c, SN_AT_A), b = sn_contract_grad(&c, SN_AT_B);
    text_is(&a, "n,t,v,o ; k,i,o -> n,2t+k-4,v,i");
    text_is(&b, "n,t,v,o ; n,2t+k-4,v,i -> k,i,o");
    const sn_contract back = sn_contract_grad(&a, SN_AT_A); /* twice is where we began */
    assert_true(sn_contract_equal(&back, &c));
    assert_false(sn_contract_equal(&a, &c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(round_trips), cmocka_unit_test(faults), cmocka_unit_test(roles_exchange)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
