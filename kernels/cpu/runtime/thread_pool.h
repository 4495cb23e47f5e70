// A fixed set of threads that run parts of a loop. No queue, no stealing: every call is split
// into equal contiguous parts, part 0 runs on the caller.
#pragma once

#include <cstdint>

#include "kernels/exec.h"

namespace limber::kernels {

class ThreadPool {
 public:
  explicit ThreadPool(int threads);  // >= 1, the calling thread included
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const;
  void run(int64_t n, int64_t grain, RangeBody body, void* context);

 private:
  struct State;
  State* state_;
};

}  // namespace limber::kernels
