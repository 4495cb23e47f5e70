// Host memory that a GPU reads by itself (kernels/cuda/runtime/gpu.h).
#pragma once

namespace limber {

// Storage made on the host by the calling thread lies in such memory while one of these lives.
class PinnedScope {
 public:
  PinnedScope();
  ~PinnedScope();
  PinnedScope(const PinnedScope&) = delete;
  PinnedScope& operator=(const PinnedScope&) = delete;
};

}  // namespace limber
