// One model, many sessions in many threads at once, from C++: each gives the bits it gives alone.
#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "gait.h"

struct Free {
    void operator()(gait *m) const { gait_free(m); }
    void operator()(gait_session *s) const { gait_session_free(s); }
};

static void need(gait_status status, const gait_error &error)
{
    if (status != GAIT_OK) throw std::runtime_error(error.text);
}

// Features of clip number `seed`, of a length of its own; run several times in one session, and bound to another length in between.
static std::vector<float> features(const gait *model, int seed)
{
    gait_error    error;
    gait_session *raw = nullptr;
    const int64_t other[] = {2, 9}, extent[] = {1, 20 + 3 * seed};
    need(gait_session_new(model, other, 1 + seed % 2, &raw, &error), error);
    std::unique_ptr<gait_session, Free> session(raw);
    need(gait_run(raw, &error), error);
    need(gait_bind(raw, extent, &error), error);
    int64_t dim[6];
    const int rank = gait_output_dims(raw, 0, dim);
    size_t    count = 1;
    for (int i = 0; i < rank; i++) count *= static_cast<size_t>(dim[i]);
    float *x = gait_input(raw, 0);
    for (int64_t i = 0; i < extent[1] * 75; i++) x[i] = static_cast<float>((i * (seed + 7)) % 101) / 50 - 1;
    for (int turn = 0; turn < 3; turn++) need(gait_run(raw, &error), error);
    const float *y = gait_output(raw, 0);
    return std::vector<float>(y, y + count);
}

int main()
{
    enum { CLIPS = 12 };
    gait_error error;
    gait      *raw = nullptr;
    need(gait_load(nullptr, nullptr, &raw, &error), error);
    std::unique_ptr<gait, Free> model(raw);
    std::vector<float>          alone[CLIPS], beside[CLIPS];
    std::vector<std::thread>    threads;
    for (int i = 0; i < CLIPS; i++) alone[i] = features(raw, i);
    for (int i = 0; i < CLIPS; i++) threads.emplace_back([&, i] { beside[i] = features(raw, i); });
    for (std::thread &t : threads) t.join();
    for (int i = 0; i < CLIPS; i++) {
        if (alone[i].size() != beside[i].size() || std::memcmp(alone[i].data(), beside[i].data(), alone[i].size() * sizeof(float)) != 0)
            return std::printf("clip %d differs beside others\n", i), 1;
        if (i && alone[i] == alone[0]) return std::printf("clip %d gives what another gives\n", i), 1;
    }
    return 0;
}
