// The order in which the emulator runs threads and blocks.
#pragma once

#if defined(LIMBER_CUDA_EMULATE)
#include "kernels/cuda/emulator/scheduler.h"
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

}  // namespace limber::test
