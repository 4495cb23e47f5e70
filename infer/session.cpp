#include "infer/session.h"

#include <algorithm>
#include <set>
#include <thread>

#include "kernels/cpu/runtime/cpu_features.h"

namespace limber {

Session::Session(const std::string& path, int threads)
    : model_(read_model(path)), blur_(model_.decoder.blur_kernel) {
  const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  check(threads >= 0 && threads <= 1024, "threads: ", threads);
  pool_ = std::make_unique<kernels::ThreadPool>(threads == 0 ? int(cores) : threads);
  exec_.isa = kernels::best_isa();
  exec_.pool = pool_.get();
  PackedWeights packed;
  for (Graph& graph : model_.graphs) {
    plans_.push_back(std::make_unique<Plan>(std::move(graph), exec_, packed));
  }
  model_.graphs.clear();
  packed.clear();
  trim_memory_cache();  // the weights as they were in the file
  std::ranges::sort(plans_, {}, [](const auto& p) { return p->inputs()[0].size(0); });
  places_.resize(size_t(max_batch()));
  const Tensor& maps = plans_[0]->outputs()[0];
  if (maps.rank() == 4) blur_.reserve(maps.size(2), maps.size(3));
}

int64_t Session::memory() const {
  int64_t bytes = 0;
  std::set<const void*> seen;
  for (const auto& plan : plans_) bytes += plan->arena_bytes() + plan->weight_bytes(seen);
  return bytes;
}

Plan* Session::plan(int64_t batch) {
  for (const auto& plan : plans_)
    if (plan->inputs()[0].size(0) == batch) return plan.get();
  return nullptr;
}

Plan& Session::plan_for(int64_t count) {
  for (const auto& plan : plans_)
    if (plan->inputs()[0].size(0) >= count) return *plan;
  return *plans_.back();
}

void Session::run(const Picture& picture, const float* boxes, int64_t count, float* keypoints,
                  float* scores) {
  check_input(picture.rgb != nullptr && picture.width > 0 && picture.height > 0 &&
                  picture.stride >= 3 * int64_t(picture.width),
              "a picture of ", picture.width, " x ", picture.height, " with rows of ",
              picture.stride, " bytes");
  const int64_t K = int64_t(model_.keypoints.size());
  const int64_t numbers = 3 * int64_t(model_.input.width) * model_.input.height;
  for (int64_t first = 0; first < count;) {
    Plan& plan = plan_for(count - first);
    const int64_t n = std::min(count - first, plan.inputs()[0].size(0));
    float* input = plan.inputs()[0].data<float>();
    for (int64_t i = 0; i < n; ++i)
      places_[size_t(i)] =
          crop_input(picture, boxes + 4 * (first + i), model_.input, input + i * numbers);
    plan.run(exec_);
    for (int64_t i = 0; i < n; ++i, ++first)
      decode_sample(plan.outputs(), i, model_.input, model_.decoder, places_[size_t(i)], blur_,
                    keypoints + 2 * K * first, scores + K * first);
  }
}

}  // namespace limber
