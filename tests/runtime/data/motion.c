/* Tests of the BVH and ASF/AMC readers: positions worked out by hand, every oddity of real files, exact messages, damage.
 * Not a test of mapping (normalise.c). */
#include "check.h"

#include "runtime/data/motion.h"

#include <math.h>

static void check_point(const sn_rt_motion *m, size_t frame, const char *name, double x, double y, double z)
{
    int32_t i = sn_rt_motion_find(m, name);
    assert_true(i >= 0);
    const double *p = m->x + (frame * m->points + (size_t)i) * 3;
    if (fabs(p[0] - x) > 1e-9 || fabs(p[1] - y) > 1e-9 || fabs(p[2] - z) > 1e-9)
        fail_msg("%s in frame %zu: found %g %g %g, expected %g %g %g", name, frame, p[0], p[1], p[2], x, y, z);
}

#define HEAD                                                                                                           \
    "HIERARCHY\nROOT a\n{\n OFFSET 1 2 3\n CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation\n"     \
    " JOINT b\n {\n  OFFSET 0 10 0\n  CHANNELS 3 Zrotation Xrotation Yrotation\n  End Site\n  {\n   OFFSET 5 0 0\n  }\n" \
    " }\n JOINT c\n {\n  OFFSET 0 0 4\n  CHANNELS 1 Xrotation\n  End Site\n  {\n   OFFSET 0 1 0\n  }\n }\n}\n"
#define TWO_FRAMES "0 0 0 90 0 0 0 0 0 90\n1 1 1 90 90 0 0 0 90 0\n"

/* Frame 0: root turned by Z 90, c by X 90. Frame 1: root at 1 1 1 turned by Rz(90) Rx(90), b by Y 90. */
static void check_two_frames(const char *text)
{
    sn_rt_motion m;
    check_ok(sn_rt_bvh_parse("f.bvh", text, strlen(text), &m, err));
    assert_int_equal(m.frames, 2);
    assert_int_equal(m.points, 5);
    assert_true(m.fps == 120);
    assert_true(m.unit == 0);
    check_point(&m, 0, "a", 0, 0, 0); /* position channels replace OFFSET */
    check_point(&m, 0, "b", -10, 0, 0);
    check_point(&m, 0, "b:end", -10, 5, 0);
    check_point(&m, 0, "c", 0, 0, 4);
    check_point(&m, 0, "c:end", 0, 0, 5);
    check_point(&m, 1, "b", 1, 1, 11); /* Rz Rx, in the order listed; Rx Rz would give -9 1 1 */
    check_point(&m, 1, "b:end", -4, 1, 11);
    check_point(&m, 1, "c", 5, 1, 1);
    check_point(&m, 1, "c:end", 5, 1, 2);
    assert_int_equal(m.point[3].parent, 0);
    assert_true(m.point[2].is_end && m.point[4].is_end && !m.point[3].is_end);
    sn_rt_motion_fini(&m);
}

static void bvh_by_hand(void **state)
{
    (void)state;
    check_two_frames(HEAD "MOTION\nFrames: 2\nFrame Time: 0.00833333\n" TWO_FRAMES);
}

static void bvh_oddities(void **state)
{
    (void)state;
    /* CRLF in the hierarchy and LF in the frames, tabs between words, blanks at line ends, no newline at the end */
    char *crlf = malloc(4096), *out = crlf;
    for (const char *c = HEAD "MOTION\nFrames:\t2\nFrame Time:\t.0083333\n"; *c; c++) {
        if (*c == '\n')
            *out++ = '\r';
        *out++ = *c;
    }
    strcpy(out, "0\t0 0 90 \t 0 0 0 0 0 90 \n1 1 1 90 90 0 0 0 90 0");
    check_two_frames(crlf);
    free(crlf);
    /* exponents of three digits, signs, blank lines at the end, words in another case */
    check_two_frames(HEAD "MOTION\nFrames: 2\nFrame time: 8.33333e-003\n"
                          "-1.758e-015 +0 .0 90. 0.0 -0 1e-300 0 0 9e+001\n1 1 1 90 90 0 0 0 90 0\n\r\n \n");
}

/* Every joint with six channels, as in Bandai Namco's sets: OFFSET is not used. */
static void bvh_six_channels(void **state)
{
    (void)state;
    static const char text[] =
        "HIERARCHY\nROOT joint_Root\n{\n\tOFFSET 9 9 9\n\tCHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation "
        "Yrotation \n\tJOINT Hips\n\t{\n\t\tOFFSET 7 7 7\n\t\tCHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation "
        "Yrotation \n\t\tEnd Site\n\t\t{\n\t\t\tOFFSET 1 0 0\n\t\t}\n\t}\n}\nMOTION\nFrames:\t1\nFrame Time:\t0.0333333\n"
        "0 0 0 0 0 -0 1 2 3 90 0 0 \n";
    sn_rt_motion m;
    check_ok(sn_rt_bvh_parse("f", text, sizeof text - 1, &m, err));
    assert_true(m.fps == 30);
    check_point(&m, 0, "Hips", 1, 2, 3);
    check_point(&m, 0, "Hips:end", 1, 3, 3);
    sn_rt_motion_fini(&m);
}

static void bvh_messages(void **state)
{
    (void)state;
#define M "MOTION\nFrames: 2\nFrame Time: 0.00833333\n"
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"", "f:1: found the end of the file, expected 'HIERARCHY'"},
        {"\n\nhello", "f:3: found 'hello', expected 'HIERARCHY'"},
        {"HIERARCHY\nROOT\n{", "f:2: found the end of the line, expected a joint name of 1 to 59 characters"},
        {"HIERARCHY\nROOT a\n{\nOFFSET 1 2\n", "f:4: found the end of the line, expected three numbers after OFFSET"},
        {"HIERARCHY\nROOT a\n{\nOFFSET 1 2 nan\n", "f:4: found 'nan', expected three numbers after OFFSET"},
        {"HIERARCHY\nROOT a\n{\nOFFSET 1 2 0x3\n", "f:4: found '0x3', expected three numbers after OFFSET"},
        {"HIERARCHY\nROOT a\n{\nOFFSET 1 2 3\nCHANNELS 7 Xposition\n", "f:5: found '7', expected a count of 0 to 6 channels"},
        {"HIERARCHY\nROOT a\n{\nOFFSET 1 2 3\nCHANNELS 1 Wrotation\n",
         "f:5: found 'Wrotation', expected a channel such as Xposition or Zrotation"},
        {"HIERARCHY\nROOT a\n{\nOFFSET 1 2 3\nCHANNELS 2 Xrotation Xrotation\n",
         "f:5: channel Xrotation twice in one joint"},
        {"HIERARCHY\nROOT a\n{\nOFFSET 1 2 3\nCHANNELS 0\nJOINT a\n", "f:6: a second joint 'a'"},
        {"HIERARCHY\nROOT a\n{\nOFFSET 1 2 3\nCHANNELS 0\nBONE a\n", "f:6: found 'BONE', expected JOINT, End Site or '}'"},
        {"HIERARCHY\nROOT a\n{\nOFFSET 1 2 3\nCHANNELS 0\n}\nMOTION\nFrames: 1\nFrame Time: 1\n",
         "f:9: no joint has a channel"},
        {HEAD "MOTION\nFrames: -1\n", "f:26: found '-1', expected a number of frames above 0"},
        {HEAD "MOTION\nFrames: 999999999\nFrame Time: 1\n1\n", "f:27: 'Frames:' says 999999999, the file has 3 bytes left"},
        {HEAD "MOTION\nFrames: 1\nFrame Time: 0\n1\n", "f:27: frame time 0 s is not between 0.00001 and 10"},
        {HEAD M "0 0 0 90 0 0 0 0 0 90\n", "f:29: the file ends after 1 frames, 'Frames:' says 2"},
        {HEAD M "0 0 0 90 0 0 0 0 0\n1 1 1 90 90 0 0 0 90 0\n", "f:28: the frame has 9 values, the hierarchy 10 channels"},
        {HEAD M "0 0 0 90 0 0 0 0 0 90 1\n1 1 1 90 90 0 0 0 90 0\n",
         "f:28: the frame has more than the hierarchy's 10 values"},
        {HEAD M "0 0 0 90 O 0 0 0 0 90\n1 1 1 90 90 0 0 0 90 0\n", "f:28: found 'O', expected a number"},
        {HEAD M TWO_FRAMES "1\n", "f:30: found '1', expected the end of the file after the last frame"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        sn_rt_motion m = {0};
        check_fails(sn_rt_bvh_parse("f", rows[i].text, strlen(rows[i].text), &m, err), SN_RT_FORMAT, rows[i].message);
        assert_null(m.x);
    }
}

#define ASF                                                                                                            \
    "# comment\n:version 1.10\n:name VICON\n:units\n  mass 1.0\n  length 0.45\n  angle deg\n:documentation\n   any words\n" \
    ":root\n   order TX TY TZ RX RY RZ\n   axis XYZ\n   position 0 0 0  \n   orientation 0 0 0 \n:bonedata\n"               \
    "  begin\n     id 1 \n     name one\n     direction 1 0 0\n     length 2 \n     axis 0 0 90  XYZ\n    dof rx\n"          \
    "    limits (-160.0 20.0)\n  end\n"                                                                                      \
    "  begin\n     id 2\n     name two\n     direction 0 1 0   \n     length 3\n     axis 0 7.6e-016 0 XYZ\n"                 \
    "    dof ry rz\n    limits (-10 10)\n           (-20 20)\n end\n"                                                        \
    "  begin\n     id 3\n     name three\n     direction 0 0 1\n     length 4\n     axis 0 0 0 XYZ\n  end\n"                  \
    ":hierarchy\n  begin\n    root one three\n    one two\n  end\n"
#define AMC_HEAD "#!OML:ASF F:\\VICON\\x.ASF\n:FULLY-SPECIFIED\n:DEGREES\n"
#define AMC_FRAMES "1\nroot 1 2 3 0 0 0\none 90\ntwo 0 90\n2\nroot 0 0 0 90 0 90\ntwo 90 0\none 0\n"

static sn_rt_asf *parse_asf(void)
{
    sn_rt_asf *asf;
    check_ok(sn_rt_asf_parse("f.asf", ASF, sizeof ASF - 1, &asf, err));
    return asf;
}

/* Frame 1: bone one has axis Rz(90), so its rx turns about y: 2 0 0 becomes 0 0 -2; two turns by Rz(90) within it.
 * Frame 2: the root turns by Rz(90) Rx(90), x first; two by ry 90, which leaves its own direction y. */
static void amc_by_hand(void **state)
{
    (void)state;
    sn_rt_asf *asf = parse_asf();
    sn_rt_motion m;
    static const char text[] = AMC_HEAD AMC_FRAMES;
    check_ok(sn_rt_amc_parse("f.amc", text, sizeof text - 1, asf, 120, &m, err));
    assert_int_equal(m.frames, 2);
    assert_int_equal(m.points, 4);
    assert_true(m.unit == 0.0254 / 0.45 && m.fps == 120);
    check_point(&m, 0, "root", 1, 2, 3);
    check_point(&m, 0, "one", 1, 2, 1);
    check_point(&m, 0, "two", 1, 2, 4);
    check_point(&m, 0, "three", 1, 2, 7);
    check_point(&m, 1, "root", 0, 0, 0);
    check_point(&m, 1, "one", 0, 2, 0);
    check_point(&m, 1, "two", 0, 2, 3);
    check_point(&m, 1, "three", 4, 0, 0);
    sn_rt_motion_fini(&m);
    sn_rt_asf_free(asf);
}

/* CRLF throughout, radians, blanks at line ends. */
static void amc_oddities(void **state)
{
    (void)state;
    sn_rt_asf *asf = parse_asf();
    sn_rt_motion m;
    static const char text[] = "#!OML\r\n:FULLY-SPECIFIED\r\n:RADIANS\r\n1\r\nroot 1 2 3 0 0 -1.758e-015 \r\n"
                               "one 1.5707963267948966\r\ntwo 0 1.5707963267948966\r\n\r\n";
    check_ok(sn_rt_amc_parse("f.amc", text, sizeof text - 1, asf, 119.99, &m, err));
    assert_true(m.fps == 120);
    check_point(&m, 0, "two", 1, 2, 4);
    sn_rt_motion_fini(&m);
    sn_rt_asf_free(asf);
}

static void amc_messages(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"", "f:1: found the end of the file, expected a comment, :FULLY-SPECIFIED, :DEGREES, :RADIANS or a frame number"},
        {"1\n", "f:1: the header lacks :FULLY-SPECIFIED; no other kind is read"},
        {":FULLY-SPECIFIED\n1\n", "f:2: the header lacks :DEGREES or :RADIANS"},
        {AMC_HEAD "2\nroot 0 0 0 0 0 0\n", "f:4: found frame 2, expected frame 1"},
        {AMC_HEAD "1\nroot 0 0 0 0 0 0\nfour 1\n", "f:6: found 'four', expected the name of a bone of the ASF"},
        {AMC_HEAD "1\nroot 0 0 0 0 0\n", "f:5: bone 'root' has 5 values, the ASF gives it 6"},
        {AMC_HEAD "1\nroot 0 0 0 0 0 0\none 1 2\n", "f:6: bone 'one' has more than the 1 values the ASF gives it"},
        {AMC_HEAD "1\nroot 0 0 0 0 0 0\none x\n", "f:6: found 'x', expected a number"},
        {AMC_HEAD "1\nroot 0 0 0 0 0 0\none 1\none 1\n", "f:7: bone 'one' twice in frame 1"},
        {AMC_HEAD "1\nroot 0 0 0 0 0 0\none 1\n", "f:6: frame 1 lacks bone 'two'"},
    };
    sn_rt_asf *asf = parse_asf();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        sn_rt_motion m = {0};
        check_fails(sn_rt_amc_parse("f", rows[i].text, strlen(rows[i].text), asf, 120, &m, err), SN_RT_FORMAT,
                    rows[i].message);
        assert_null(m.x);
    }
    sn_rt_motion m = {0};
    check_fails(sn_rt_amc_parse("f", AMC_HEAD, strlen(AMC_HEAD), asf, 0, &m, err), SN_RT_ARGUMENT,
                "f: frame rate 0 is not between 1 and 10000");
    sn_rt_asf_free(asf);
}

static void asf_messages(void **state)
{
    (void)state;
#define UNITS ":units\nlength 0.45\n"
#define ROOT ":root\norder TX TY TZ RX RY RZ\naxis XYZ\n"
#define BONE "begin\nname b\ndirection 1 0 0\nlength 1\naxis 0 0 0 XYZ\nend\n"
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"hello", "f:1: found 'hello', expected a section such as :units, :root, :bonedata or :hierarchy"},
        {":units\nlength 0\n", "f:2: the unit of length is 0, expected more than 0"},
        {":units\nangle grad\n", "f:2: found 'grad', expected deg or rad"},
        {":root\norder TX TX\n", "f:2: degree of freedom tx twice"},
        {":root\naxis XYX\n", "f:2: found 'XYX', expected an order such as XYZ"},
        {":bonedata\nbegin\nname b\nend\n", "f:4: bone 'b' lacks name, direction, length or axis"},
        {":bonedata\nbegin\nname b\ndof tx\n", "f:4: found 'tx', expected rx, ry or rz"},
        {":bonedata\n" BONE "begin\nname b\n", "f:9: a second bone 'b'"},
        {UNITS ROOT ":bonedata\n" BONE ":hierarchy\nbegin\nroot c\nend\n",
         "f:15: found 'c', expected the name of a bone of :bonedata"},
        {UNITS ROOT ":bonedata\n" BONE ":hierarchy\nbegin\nb b\nend\n", "f:15: bone 'b' has children before it has a parent"},
        {UNITS ROOT ":bonedata\n" BONE ":hierarchy\nbegin\nroot b\nroot b\nend\n", "f:16: bone 'b' gets a second parent"},
        {UNITS ROOT ":bonedata\n" BONE ":hierarchy\nbegin\nend\n", "f:16: bone 'b' has no parent in :hierarchy"},
        {UNITS ROOT, "f:6: the file lacks :root, :bonedata or :hierarchy"},
        {ROOT ":bonedata\n" BONE ":hierarchy\nroot b\n", "f:13: the file lacks the unit of length"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        sn_rt_asf *asf = NULL;
        check_fails(sn_rt_asf_parse("f", rows[i].text, strlen(rows[i].text), &asf, err), SN_RT_FORMAT, rows[i].message);
        assert_null(asf);
    }
}

/* Any text gives a motion or a message that begins with file and line. */
static void try_text(const char *kind, const char *text, size_t size, const sn_rt_asf *skeleton)
{
    sn_rt_error error = {""};
    sn_rt_motion m = {0};
    sn_rt_asf *asf = NULL;
    sn_rt_status status;
    char *exact = malloc(size ? size : 1); /* no NUL behind it: reads beyond are seen by the sanitizer */
    memcpy(exact, text, size);
    if (strcmp(kind, "bvh") == 0)
        status = sn_rt_bvh_parse("f", exact, size, &m, &error);
    else if (strcmp(kind, "asf") == 0)
        status = sn_rt_asf_parse("f", exact, size, &asf, &error);
    else
        status = sn_rt_amc_parse("f", exact, size, skeleton, 120, &m, &error);
    free(exact);
    if (status == SN_RT_FORMAT)
        assert_memory_equal(error.text, "f:", 2);
    else
        assert_true(status == SN_RT_OK || status == SN_RT_MEMORY);
    sn_rt_motion_fini(&m);
    sn_rt_asf_free(asf);
}

static void damaged(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *text;
    } rows[] = {{"bvh", HEAD M TWO_FRAMES}, {"asf", ASF}, {"amc", AMC_HEAD AMC_FRAMES}};
    sn_rt_asf *asf = parse_asf();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t size = strlen(rows[i].text);
        char *copy = strdup(rows[i].text);
        for (size_t cut = 0; cut < size; cut++)
            try_text(rows[i].kind, copy, cut, asf);
        for (size_t bit = 0; bit < 8 * size; bit++) {
            copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
            try_text(rows[i].kind, copy, size, asf);
            copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
        }
        free(copy);
    }
    sn_rt_asf_free(asf);
}

/* A hierarchy that nests without end must not exhaust the stack. */
static void deep_nesting(void **state)
{
    (void)state;
    char *text = malloc(100000), *out = text;
    out += sprintf(out, "HIERARCHY\nROOT r\n{\nOFFSET 0 0 0\nCHANNELS 0\n");
    for (int i = 0; i < 1000; i++)
        out += sprintf(out, "JOINT j%d\n{\nOFFSET 0 0 0\nCHANNELS 0\n", i);
    sn_rt_motion m;
    check_fails(sn_rt_bvh_parse("f", text, strlen(text), &m, err), SN_RT_FORMAT, "f:1026: joints nest deeper than 256");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bvh_by_hand),  cmocka_unit_test(bvh_oddities), cmocka_unit_test(bvh_six_channels),
        cmocka_unit_test(bvh_messages), cmocka_unit_test(amc_by_hand),  cmocka_unit_test(amc_oddities),
        cmocka_unit_test(amc_messages), cmocka_unit_test(asf_messages), cmocka_unit_test(damaged),
        cmocka_unit_test(deep_nesting),
    };
    return cmocka_run_group_tests_name("motion", tests, NULL, NULL);
}
