// A .limber file ready to run: its plans, threads of its own, and room for the inputs.
#pragma once

#include <memory>
#include <vector>

#include "graph/plan.h"
#include "infer/decode.h"
#include "kernels/cpu/runtime/thread_pool.h"

namespace limber {

class Session {
 public:
  // threads: 0 is one per core.
  Session(const std::string& path, int threads);

  const InferenceModel& model() const { return model_; }
  int64_t max_batch() const { return plans_.back()->inputs()[0].size(0); }
  int64_t memory() const;  // bytes of weights and arenas

  // boxes: (count, 4) x, y, width, height. keypoints: (count, K, 2), scores: (count, K).
  void run(const Picture& picture, const float* boxes, int64_t count, float* keypoints,
           float* scores);

  // The network alone, for benchmarks: the plan whose batch this is, or null.
  Plan* plan(int64_t batch);
  const kernels::Exec& exec() const { return exec_; }

 private:
  // The smallest plan that takes `count` samples, or the largest.
  Plan& plan_for(int64_t count);

  InferenceModel model_;
  std::unique_ptr<kernels::ThreadPool> pool_;
  kernels::Exec exec_;
  std::vector<std::unique_ptr<Plan>> plans_;  // by ascending batch
  std::vector<CropPlace> places_;             // of one batch
  Blur blur_;                                 // of decoders
};

}  // namespace limber
