/* One graph file: reading its bytes, telling text from binary.
 * Not the FlatBuffers library's part (flat.cpp). */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *sn_source_read(const char *path, size_t *size, const char **why)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe is refused, not waited for */
    FILE *f = fd < 0 ? NULL : fdopen(fd, "rb");
    char *data = NULL;
    *why = NULL;
    if (!f || fstat(fd, &st) != 0) *why = strerror(errno);
    else if (!S_ISREG(st.st_mode)) *why = "it is not a plain file";
    else if (st.st_size > SN_MAX_GRAPH_BYTES) *why = "it is larger than 16 MiB";
    if (!*why) {
        *size = (size_t)st.st_size;
        data = aligned_alloc(16, (*size + 16) / 16 * 16);
        if (!data) *why = "there is no memory";
        else if (fread(data, 1, *size, f) != *size) *why = ferror(f) ? strerror(errno) : "it became shorter while it was read";
        else data[*size] = 0;
    }
    if (f) fclose(f);
    else if (fd >= 0) close(fd);
    if (!*why) return data;
    free(data);
    return NULL;
}

static bool parse_binary(const char *path, const char *data, size_t size, sn_arena *arena, sn_ast_file *out, uint32_t *source, sn_flat *flat,
                         sn_diags *diags)
{
    *source = sn_diags_source(diags, path, NULL, 0);
    const sn_spot root = {.source = *source, .path = "", .arena = arena};
    if (!sn_flat_verify(data, size)) {
        sn_error(diags, ((sn_loc){.source = *source}), NULL, "the binary graph is damaged: an offset, length or nesting is out of range");
        return false;
    }
    if (!sn_flat_read(data, size, root, arena, out, diags)) return false;
    if (flat) {
        *flat = (sn_flat){aligned_alloc(16, (size + 15) / 16 * 16), size};
        if (!flat->data) {
            sn_error(diags, ((sn_loc){.source = *source}), NULL, "there is no memory");
            return false;
        }
        memcpy(flat->data, data, size);
    }
    return true;
}

static bool parse_text(const char *path, const char *data, size_t size, sn_arena *arena, sn_ast_file *out, uint32_t *source, sn_flat *flat,
                       sn_diags *diags)
{
    sn_flat binary = {0};
    sn_arena spans;
    uint32_t at;
    const char *what;
    *source = sn_diags_source(diags, path, data, size);
    const char *text = diags->source[*source].text;
    if (strlen(text) != size) {
        const sn_loc loc = {.source = *source, .off = (uint32_t)strlen(text), .len = 1};
        sn_error(diags, loc, NULL, "found a zero byte, expected text or a binary graph");
        return false;
    }
    if (!sn_flat_from_text(text, size, *source, &binary, diags)) return false;
    sn_arena_init(&spans);
    const sn_spot root = {*source, text, sn_json_read(text, size, &spans, &at, &what), NULL, arena};
    bool ok = sn_flat_read(binary.data, binary.size, root, arena, out, diags);
    sn_arena_fini(&spans);
    if (ok && flat) *flat = binary;
    else sn_flat_fini(&binary);
    return ok;
}

bool sn_source_parse(const char *path, const char *data, size_t size, sn_arena *arena, sn_ast_file *out, uint32_t *source, sn_flat *flat,
                     sn_diags *diags)
{
    if (sn_flat_is_binary(data, size)) return parse_binary(path, data, size, arena, out, source, flat, diags);
    return parse_text(path, data, size, arena, out, source, flat, diags);
}
