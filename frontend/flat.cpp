// The FlatBuffers side of graph files: the library's JSON parser and verifier behind the C face of flat.h.
// Not the meaning of a graph file; nothing else in the project is C++.
extern "C" {
#include "flat.h"
}

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#include "flatbuffers/flatbuffers.h"
#include "flatbuffers/flexbuffers.h"
#include "flatbuffers/idl.h"
#include "graph_generated.h"
#include "graph_schema.h" // kGraphSchema: the text of graph.fbs

namespace fb = sn::fb;

namespace {

// ---- text ---------------------------------------------------------------------------------------------------------------

bool word_char(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '+' || c == '-'; }

// The parser names the byte after the token it stopped at: the token itself.
sn_loc token_before(const char *text, size_t end, uint32_t source)
{
    while (end > 0 && std::strchr(" \t\r\n", text[end - 1])) end--;
    size_t begin = end > 0 ? end - 1 : 0;
    if (begin > 0 && text[begin] == '"') {
        size_t q = begin - 1;
        while (q > 0 && text[q] != '"' && text[q] != '\n') q--;
        if (text[q] == '"') begin = q;
    } else {
        while (begin > 0 && word_char(text[begin]) && word_char(text[begin - 1])) begin--;
    }
    return sn_loc{source, static_cast<uint32_t>(begin), static_cast<uint32_t>(end > begin ? end - begin : 1), nullptr};
}

// "12: 34: error: expecting: X instead got: Y" to a diagnostic at its place.
void parser_error(const std::string &error, const char *text, size_t size, uint32_t source, sn_diags *diags)
{
    unsigned line = 0, column = 0;
    int used = 0;
    std::sscanf(error.c_str(), "%u: %u: error: %n", &line, &column, &used);
    std::string what = error.substr(static_cast<size_t>(used), error.find('\n') - static_cast<size_t>(used));
    size_t at = 0;
    for (unsigned l = 1; l < line && at < size; at++) l += text[at] == '\n';
    at = at + column < size ? at + column : size;
    const std::string e = "expecting: ", g = " instead got: ";
    size_t split = what.find(g);
    if (what.compare(0, e.size(), e) == 0 && split != std::string::npos)
        what = "found " + what.substr(split + g.size()) + ", expected " + what.substr(e.size(), split - e.size());
    const std::string number = "invalid number: ";
    if (what.compare(0, number.size(), number) == 0) what = "found \"" + what.substr(number.size()) + "\", expected a number";
    sn_error(diags, token_before(text, at, source), nullptr, "%s", what.c_str());
}

// "found X, expected Y" at a place where the tokenizer stopped.
void syntax_error(const char *text, size_t size, size_t at, const char *expected, uint32_t source, sn_diags *diags)
{
    size_t end = at;
    while (end < size && word_char(text[end])) end++;
    if (end == at && end < size) end++;
    std::string found = at >= size ? "the end of the file" : text[at] == '\n' ? "the end of the line" : "\"" + std::string(text + at, std::min<size_t>(end - at, 40)) + "\"";
    sn_loc loc{source, static_cast<uint32_t>(at), static_cast<uint32_t>(end > at ? end - at : 1), nullptr};
    sn_error(diags, loc, nullptr, "found %s, expected %s", found.c_str(), expected);
}

// ---- the schema against the text ----------------------------------------------------------------------------------------

struct SchemaWalk {
    const char *text;
    uint32_t    source;
    sn_diags   *diags;
    bool        ok;

    sn_loc loc(const sn_json *j) const { return sn_loc{source, j->off, j->kind == '"' || j->kind == 'a' ? j->len : 1, nullptr}; }

    void unknown(const flatbuffers::StructDef &def, const sn_json *j, const std::string &key)
    {
        std::vector<const char *> names;
        for (auto *f : def.fields.vec) names.push_back(f->name.c_str());
        const char *near = sn_nearest(key.c_str(), names.data(), names.size());
        sn_loc at{source, j->key_off, j->key_len, nullptr};
        std::string table = def.name;
        for (auto &c : table) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        if (near) sn_error(diags, at, nullptr, "%s has no field \"%s\"; did you mean \"%s\"?", table.c_str(), key.c_str(), near);
        else sn_error(diags, at, nullptr, "%s has no field \"%s\"", table.c_str(), key.c_str());
        ok = false;
    }

    void expect(const sn_json *j, const std::string &field, const char *expected)
    {
        const char *found = j->kind == '{' ? "a map" : j->kind == '[' ? "a list" : j->kind == '"' ? "a string" : "a plain word or number";
        sn_error(diags, loc(j), nullptr, "%s: found %s, expected %s", field.c_str(), found, expected);
        ok = false;
    }

    void value(const flatbuffers::Type &type, const sn_json *j, const std::string &field)
    {
        if (type.base_type == flatbuffers::BASE_TYPE_STRING) {
            if (j->kind != '"') expect(j, field, "a string in quotes");
        } else if (type.base_type == flatbuffers::BASE_TYPE_BOOL) {
            std::string word(text + j->off, j->len);
            if (word != "true" && word != "false") expect(j, field, "true or false");
        } else if (type.base_type == flatbuffers::BASE_TYPE_VECTOR) {
            if (j->kind != '[') return expect(j, field, "a list in [ ]");
            for (uint32_t i = 0; i < j->n; i++) value(type.VectorType(), j->item[i], field + "[" + std::to_string(i) + "]");
        } else if (type.base_type == flatbuffers::BASE_TYPE_STRUCT) {
            if (j->kind != '{') return expect(j, field, "a map in { }");
            table(*type.struct_def, j);
        }
    }

    void table(const flatbuffers::StructDef &def, const sn_json *j)
    {
        for (uint32_t i = 0; i < j->n; i++) {
            const sn_json *c = j->item[i];
            std::string key(text + c->key_off, c->key_len);
            auto *f = def.fields.Lookup(key);
            if (!f) unknown(def, c, key);
            else if (!f->flexbuffer) value(f->value.type, c, key);
        }
    }
};

// ---- reading ------------------------------------------------------------------------------------------------------------

bool utf8(const uint8_t *s, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t more = s[i] < 0x80 ? 0 : (s[i] & 0xE0) == 0xC0 ? 1 : (s[i] & 0xF0) == 0xE0 ? 2 : (s[i] & 0xF8) == 0xF0 ? 3 : 9;
        if (more == 9 || i + more >= n) return false;
        for (size_t k = 1; k <= more; k++)
            if ((s[i + k] & 0xC0) != 0x80) return false;
        i += more + 1;
    }
    return true;
}

struct Reader {
    sn_arena *arena;
    sn_diags *diags;
    uint32_t  values = 0;
    bool      ok = true;

    void wrong(sn_spot p, const char *what)
    {
        sn_error(diags, sn_spot_loc(p), nullptr, "%s", what);
        ok = false;
    }

    const char *copy(const char *s, size_t n, sn_spot p)
    {
        if (std::memchr(s, 0, n)) wrong(p, "found a string with a zero byte inside, expected text");
        else if (!utf8(reinterpret_cast<const uint8_t *>(s), n)) wrong(p, "found bytes that are not UTF-8, expected text");
        else return sn_strndup(arena, s, n);
        return "";
    }

    sn_text text(const flatbuffers::String *s, sn_spot parent, const char *key)
    {
        sn_text t = {nullptr, sn_loc{}};
        if (!s) return t;
        sn_spot p = sn_spot_key(parent, key);
        t.s = copy(s->c_str(), s->size(), p);
        t.loc = sn_spot_loc(p);
        return t;
    }

    bool count(sn_spot p)
    {
        if (++values <= SN_MAX_JSON_VALUES) return true;
        if (values == SN_MAX_JSON_VALUES + 1) wrong(p, "more than 1048576 values");
        return ok = false;
    }

    void children(flexbuffers::Reference r, sn_spot p, sn_value *v)
    {
        auto items = r.AsVector();
        if (items.size() > SN_MAX_JSON_VALUES) return (void)(values = SN_MAX_JSON_VALUES, count(p));
        v->n = static_cast<uint32_t>(items.size());
        v->item = sn_new_n(arena, sn_value, v->n + 1);
        if (v->kind == SN_VALUE_LIST) {
            auto typed = r.AsTypedVector();
            bool plain = r.IsVector() || r.IsMap();
            for (uint32_t i = 0; i < v->n && ok; i++) value(plain ? items[i] : typed[i], sn_spot_item(p, i), &v->item[i]);
            return;
        }
        auto keys = r.AsMap().Keys();
        if (v->n > SN_MAX_KEYS) return wrong(p, "a map of more than 4096 keys");
        v->key = sn_new_n(arena, const char *, v->n + 1);
        v->key_loc = sn_new_n(arena, sn_loc, v->n + 1);
        for (uint32_t i = 0; i < v->n && ok; i++) {
            const char *key = keys[i].AsKey();
            v->key[i] = copy(key, std::strlen(key), p);
            sn_spot at = sn_spot_key(p, v->key[i]);
            v->key_loc[i] = sn_spot_key_loc(p, v->key[i]);
            for (uint32_t k = 0; k < i; k++)
                if (!std::strcmp(v->key[k], v->key[i])) return wrong(at, "a key that stands twice in this map");
            value(items[i], at, &v->item[i]);
        }
    }

    void value(flexbuffers::Reference r, sn_spot p, sn_value *v)
    {
        v->loc = sn_spot_loc(p);
        if (!count(p)) return;
        if (r.IsNull()) v->kind = SN_VALUE_NULL;
        else if (r.IsBool()) v->kind = SN_VALUE_BOOL, v->integer = r.AsBool();
        else if (r.IsUInt() && r.AsUInt64() > INT64_MAX) wrong(p, "a whole number beyond 9223372036854775807");
        else if (r.IsIntOrUint()) v->kind = SN_VALUE_INT, v->integer = r.AsInt64();
        else if (r.IsFloat()) {
            v->kind = SN_VALUE_REAL, v->real = r.AsDouble();
            if (!std::isfinite(v->real)) wrong(p, "found a number that is not finite");
        } else if (r.IsString()) v->kind = SN_VALUE_STRING, v->string = copy(r.AsString().c_str(), r.AsString().size(), p);
        else if (r.IsMap()) v->kind = SN_VALUE_MAP, children(r, p, v);
        else if (r.IsVector() || (r.IsTypedVector() && r.GetType() != flexbuffers::FBT_VECTOR_STRING_DEPRECATED))
            v->kind = SN_VALUE_LIST, children(r, p, v);
        else wrong(p, "a value of a kind that graph files do not have");
    }

    sn_value flex(const flatbuffers::Vector<uint8_t> *bytes, sn_spot parent, const char *key)
    {
        sn_value v;
        std::memset(&v, 0, sizeof v);
        if (bytes) value(flexbuffers::GetRoot(bytes->data(), bytes->size()), sn_spot_key(parent, key), &v);
        return v;
    }

    void texts(const flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>> *from, sn_spot parent, const char *key, sn_text **to, uint32_t *n)
    {
        if (!from) return;
        sn_spot p = sn_spot_key(parent, key);
        *to = sn_new_n(arena, sn_text, from->size() + 1);
        for (uint32_t i = 0; i < from->size(); i++) {
            sn_spot at = sn_spot_item(p, i);
            if (!count(at)) return;
            (*to)[i].s = copy(from->Get(i)->c_str(), from->Get(i)->size(), at);
            (*to)[i].loc = sn_spot_loc(at);
            *n = i + 1;
        }
    }

    template<class T, class S>
    void list(const flatbuffers::Vector<flatbuffers::Offset<T>> *from, sn_spot parent, const char *key, S **to, uint32_t *n)
    {
        if (!from) return;
        sn_spot p = sn_spot_key(parent, key);
        *to = sn_new_n(arena, S, from->size() + 1);
        for (uint32_t i = 0; i < from->size() && ok; i++) {
            sn_spot at = sn_spot_item(p, i);
            if (!count(at)) return;
            (*to)[i].loc = sn_spot_loc(at);
            read(from->Get(i), at, &(*to)[i]);
            *n = i + 1;
        }
    }

    void read(const fb::Import *f, sn_spot p, sn_ast_import *o) { o->file = text(f->file(), p, "file"); }

    void read(const fb::Input *f, sn_spot p, sn_ast_input *o)
    {
        o->name = text(f->name(), p, "name");
        o->doc = text(f->doc(), p, "doc");
        o->shape = flex(f->shape(), p, "shape");
        o->when = flex(f->when(), p, "when");
    }

    void read(const fb::Weight *f, sn_spot p, sn_ast_weight *o)
    {
        o->name = text(f->name(), p, "name");
        o->doc = text(f->doc(), p, "doc");
        o->init = text(f->init(), p, "init");
        o->shape = flex(f->shape(), p, "shape");
        o->when = flex(f->when(), p, "when");
    }

    void read(const fb::State *f, sn_spot p, sn_ast_state *o)
    {
        o->name = text(f->name(), p, "name");
        o->doc = text(f->doc(), p, "doc");
        o->init = text(f->init(), p, "init");
        o->next = text(f->next(), p, "next");
        o->shape = flex(f->shape(), p, "shape");
        o->when = flex(f->when(), p, "when");
    }

    void read(const fb::Queue *f, sn_spot p, sn_ast_queue *o)
    {
        o->name = text(f->name(), p, "name");
        o->doc = text(f->doc(), p, "doc");
        o->push = text(f->push(), p, "push");
        o->length = flex(f->length(), p, "length");
        o->width = flex(f->width(), p, "width");
        o->when = flex(f->when(), p, "when");
    }

    void read(const fb::Constant *f, sn_spot p, sn_ast_constant *o)
    {
        o->name = text(f->name(), p, "name");
        o->doc = text(f->doc(), p, "doc");
        o->kind = text(f->kind(), p, "kind");
        o->with = flex(f->with(), p, "with");
        o->shape = flex(f->shape(), p, "shape");
    }

    void read(const fb::Output *f, sn_spot p, sn_ast_output *o)
    {
        o->name = text(f->name(), p, "name");
        o->doc = text(f->doc(), p, "doc");
        o->from = text(f->from(), p, "from");
        o->when = flex(f->when(), p, "when");
    }

    void read(const fb::Fill *f, sn_spot p, sn_ast_fill *o)
    {
        o->name = text(f->name(), p, "name");
        o->doc = text(f->doc(), p, "doc");
        o->op = text(f->op(), p, "op");
        o->with = flex(f->with(), p, "with");
    }

    void read(const fb::Node *f, sn_spot p, sn_ast_node *o)
    {
        o->name = text(f->name(), p, "name");
        o->doc = text(f->doc(), p, "doc");
        o->op = text(f->op(), p, "op");
        o->is = text(f->is(), p, "is");
        o->momentum_of = text(f->momentum_of(), p, "momentum_of");
        o->weights_of = text(f->weights_of(), p, "weights_of");
        texts(f->in(), p, "in", &o->in, &o->ins);
        o->with = flex(f->with(), p, "with");
        o->shape = flex(f->shape(), p, "shape");
        o->when = flex(f->when(), p, "when");
        o->each = flex(f->each(), p, "each");
        o->repeat = flex(f->repeat(), p, "repeat");
        o->coefficient = flex(f->coefficient(), p, "coefficient");
        o->independent = flex(f->independent(), p, "independent");
        o->training = flex(f->training(), p, "training");
        o->constant = f->constant();
    }

    void read(const fb::Module *f, sn_spot p, sn_ast_module *o)
    {
        o->name = text(f->name(), p, "name");
        o->doc = text(f->doc(), p, "doc");
        o->like = text(f->like(), p, "like");
        o->params = flex(f->params(), p, "params");
        texts(f->open(), p, "open", &o->open, &o->opens);
        list(f->fill(), p, "fill", &o->fill, &o->fills);
        list(f->inputs(), p, "inputs", &o->input, &o->inputs);
        list(f->weights(), p, "weights", &o->weight, &o->weights);
        list(f->states(), p, "states", &o->state, &o->states);
        list(f->queues(), p, "queues", &o->queue, &o->queues);
        list(f->constants(), p, "constants", &o->constant, &o->constants);
        list(f->nodes(), p, "nodes", &o->node, &o->nodes);
        list(f->outputs(), p, "outputs", &o->output, &o->outputs);
        list(f->taps(), p, "taps", &o->tap, &o->taps);
    }

    void read(const fb::View *f, sn_spot p, sn_ast_view *o)
    {
        o->input = text(f->input(), p, "input");
        o->augment = text(f->augment(), p, "augment");
    }

    void recipe(const fb::Recipe *f, sn_spot p, sn_ast_recipe *o)
    {
        o->present = true;
        o->loc = sn_spot_loc(p);
        o->module = text(f->module_(), p, "module");
        o->loss = text(f->loss(), p, "loss");
        o->batch = flex(f->batch(), p, "batch");
        o->frames = flex(f->frames(), p, "frames");
        o->labels = text(f->labels(), p, "labels");
        o->clips = text(f->clips(), p, "clips");
        o->model = text(f->model(), p, "model");
        o->features = text(f->features(), p, "features");
        list(f->views(), p, "views", &o->view, &o->views);
        o->epoch = text(f->epoch(), p, "epoch");
        if (auto *z = f->optimizer()) {
            sn_spot at = sn_spot_key(p, "optimizer");
            o->has_optimizer = true;
            o->optimizer.loc = sn_spot_loc(at);
            o->optimizer.kind = text(z->kind(), at, "kind");
            o->optimizer.rate = flex(z->rate(), at, "rate");
            o->optimizer.momentum = flex(z->momentum(), at, "momentum");
            o->optimizer.weight_decay = flex(z->weight_decay(), at, "weight_decay");
            o->optimizer.nesterov = z->nesterov();
            o->optimizer.beta1 = flex(z->beta1(), at, "beta1");
            o->optimizer.beta2 = flex(z->beta2(), at, "beta2");
            o->optimizer.epsilon = flex(z->epsilon(), at, "epsilon");
        }
        if (auto *s = f->schedule()) {
            sn_spot at = sn_spot_key(p, "schedule");
            o->has_schedule = true;
            o->schedule.loc = sn_spot_loc(at);
            o->schedule.epochs = flex(s->epochs(), at, "epochs");
            o->schedule.warmup = flex(s->warmup(), at, "warmup");
            o->schedule.steps = flex(s->steps(), at, "steps");
            o->schedule.factor = flex(s->factor(), at, "factor");
        }
    }
};

} // namespace

void sn_flat_fini(sn_flat *f)
{
    std::free(f->data);
    f->data = nullptr;
    f->size = 0;
}

bool sn_flat_is_binary(const void *data, size_t size)
{
    return size >= 8 && std::memcmp(static_cast<const char *>(data) + 4, "SNGR", 4) == 0;
}

bool sn_flat_from_text(const char *text, size_t size, uint32_t source, sn_flat *out, sn_diags *diags)
try {
    sn_arena arena;
    sn_arena_init(&arena);
    uint32_t at = 0;
    const char *what = nullptr;
    const sn_json *json = sn_json_read(text, size, &arena, &at, &what);
    flatbuffers::IDLOptions options;
    flatbuffers::Parser parser(options);
    bool ok = parser.Parse(kGraphSchema);
    if (!ok) {
        sn_error(diags, (sn_loc{source, 0, 0, nullptr}), nullptr, "graph.fbs as built in: %s", parser.error_.c_str());
    } else if (!json || json->kind != '{') {
        syntax_error(text, size, json ? json->off : at, json ? "a graph in { }" : what, source, diags);
        ok = false;
    } else {
        SchemaWalk walk{text, source, diags, true};
        ok = sn_json_check_keys(json, text, source, diags);
        walk.table(*parser.root_struct_def_, json);
        ok = ok && walk.ok;
        if (ok && !parser.ParseJson(text)) {
            parser_error(parser.error_, text, size, source, diags);
            ok = false;
        }
    }
    sn_arena_fini(&arena);
    if (!ok) return false;
    size_t n = parser.builder_.GetSize();
    void *data = std::aligned_alloc(16, (n + 15) / 16 * 16);
    if (!data) throw std::bad_alloc();
    std::memcpy(data, parser.builder_.GetBufferPointer(), n);
    if (!sn_flat_verify(data, n)) {
        std::free(data);
        sn_error(diags, (sn_loc{source, 0, 0, nullptr}), nullptr, "the graph is nested too deeply or too large");
        return false;
    }
    out->data = data;
    out->size = n;
    return true;
} catch (const std::exception &e) {
    sn_error(diags, (sn_loc{source, 0, 0, nullptr}), nullptr, "reading the text failed: %s", e.what());
    return false;
}

bool sn_flat_verify(const void *data, size_t size)
{
    if (size < 8 || size > 4 * static_cast<size_t>(SN_MAX_GRAPH_BYTES)) return false;
    flatbuffers::Verifier::Options options;
    options.max_depth = 32;
    options.max_tables = SN_MAX_JSON_VALUES;
    flatbuffers::Verifier v(static_cast<const uint8_t *>(data), size, options);
    return fb::VerifyGraphBuffer(v);
}

bool sn_flat_read(const void *data, size_t size, sn_spot root, sn_arena *arena, sn_ast_file *out, sn_diags *diags)
{
    (void)size;
    const fb::Graph *g = fb::GetGraph(data);
    Reader r{arena, diags};
    sn_ast_file f;
    std::memset(&f, 0, sizeof f);
    f.doc = r.text(g->doc(), root, "doc");
    r.list(g->imports(), root, "imports", &f.import, &f.imports);
    r.list(g->modules(), root, "modules", &f.module, &f.modules);
    if (g->recipe()) r.recipe(g->recipe(), sn_spot_key(root, "recipe"), &f.recipe);
    if (r.ok) *out = f;
    return r.ok;
}
