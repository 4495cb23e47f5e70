// The order in which the emulator runs threads and blocks, and when.
#pragma once

#if defined(LIMBER_CUDA_EMULATE)
#include "kernels/cuda/emulator/scheduler.h"
#include "kernels/cuda/emulator/stream.h"
#endif

namespace limber::test {

// Threads and blocks in descending order while one of these lives; on a GPU it changes nothing, and
// a comparison of two runs then says whether the bits are the same every time.
class ReverseOrder {
 public:
  ReverseOrder() { set(true); }
  ~ReverseOrder() { set(false); }
  ReverseOrder(const ReverseOrder&) = delete;
  ReverseOrder& operator=(const ReverseOrder&) = delete;

 private:
  static void set([[maybe_unused]] bool reverse) {
#if defined(LIMBER_CUDA_EMULATE)
    emulator::set_reverse_order(reverse);
#endif
  }
};

// Work on the emulated GPU is done when something waits for it and not before, while one of these
// lives; a GPU does it when it can.
class LateWork {
 public:
  LateWork() { set(true); }
  ~LateWork() { set(false); }
  LateWork(const LateWork&) = delete;
  LateWork& operator=(const LateWork&) = delete;

 private:
  static void set([[maybe_unused]] bool late) {
#if defined(LIMBER_CUDA_EMULATE)
    emulator::set_lazy(late);
#endif
  }
};

}  // namespace limber::test
