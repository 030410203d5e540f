/* The verb `convert`: a graph file from text to binary and back.
 * Not the formats (flat.cpp, text.c). */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "convert.h"

int sn_cmd_convert(int argc, const char **argv)
{
    char *output = NULL;
    const char **file;
    uint32_t files;
    const struct poptOption table[] = {
        {"output", 'o', POPT_ARG_STRING, &output, 0, "file to write: text if its name ends in .json, else binary", "FILE"},
        POPT_AUTOHELP POPT_TABLEEND,
    };
    poptContext popt = poptGetContext("sinew convert", argc, argv, table, 0);
    poptSetOtherOptionHelp(popt, "FILE -o FILE\n\nConvert a graph file.  What it says is kept without loss; comments and layout are not part of it.\n");
    int code = sn_cli_parse(popt, "convert", &file, &files);
    if (code == 0 && files == 0) code = sn_cli_usage("convert", "FILE is missing");
    else if (code == 0 && files > 1) code = sn_cli_usage("convert", "one FILE at a time");
    else if (code == 0 && (!output || !*output)) code = sn_cli_usage("convert", "-o FILE is missing");
    if (code == 0) {
        sn_diags diags;
        sn_diags_init(&diags);
        size_t n = strlen(output);
        bool text = n > 5 && strcmp(output + n - 5, ".json") == 0;
        if (!sn_convert(file[0], output, text, &diags)) code = sn_cli_report(&diags);
        sn_diags_fini(&diags);
    }
    free(output);
    poptFreeContext(popt);
    return code;
}
