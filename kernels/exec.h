// Where and how a kernel runs: the device, on the CPU the instruction set and the threads, on a GPU
// the stream.
#pragma once

#include "kernels/isa.h"
#include "kernels/types.h"

namespace limber::kernels {

class ThreadPool;

struct Exec {
  Isa isa = Isa::base;
  ThreadPool* pool = nullptr;  // null: run on the calling thread
  Device device{};
  void* stream = nullptr;   // a cudaStream_t; launches are queued on it
  const char* kernel = "";  // the kernel that runs, for messages of a GPU's errors
};

// Calls body(context, begin, end) on contiguous parts of [0, n), one part per thread at most,
// none smaller than `grain`. The split depends on n, grain and the pool's size alone, so results
// do not depend on timing. Nested calls run on the calling thread.
using RangeBody = void (*)(void* context, int64_t begin, int64_t end);
void run_parallel(const Exec& ex, int64_t n, int64_t grain, RangeBody body, void* context);

int thread_count(const Exec& ex);  // 1 without a pool

// Scratch memory of the calling thread, 64-byte aligned; valid until its next call on the same
// thread. It grows and is never shrunk: the steady state allocates nothing.
void* thread_scratch(size_t bytes);

template <class Body>
LIMBER_INLINE void parallel_for(const Exec& ex, int64_t n, int64_t grain, const Body& body) {
  run_parallel(
      ex, n, grain,
      [](void* context, int64_t begin, int64_t end) {
        (*static_cast<const Body*>(context))(begin, end);
      },
      const_cast<Body*>(&body));
}

}  // namespace limber::kernels
