#include "kernels/cuda/runtime/watch.h"

namespace limber::kernels::gpu {
namespace {

thread_local QueueWatch* innermost = nullptr;

}  // namespace

QueueWatch::QueueWatch() : outer_(innermost) { innermost = this; }
QueueWatch::~QueueWatch() { innermost = outer_; }
QueueWatch* QueueWatch::of_thread() { return innermost; }

void QueueWatch::copy(const void* from, size_t bytes, Copy direction) {
  if (direction == Copy::to_host)
    return note_read("the host reads " + std::to_string(bytes) + " bytes of the device");
  uint64_t hash = mixed(0, &bytes, sizeof bytes);
  if (direction == Copy::to_device) {
    if (from == expected_) {
      expected_ = nullptr;
    } else if (!is_pinned(from)) {
      hash = mixed(hash, from, bytes);
    }
  }
  saw("copy", hash);
}

void QueueWatch::note_read(const std::string& what) {
  if (ignores_reads_) return;
  refuse(steps_.empty() ? what : what + ", after " + steps_.back().name);
}

// FNV-1a, Fowler, Noll and Vo.
uint64_t QueueWatch::mixed(uint64_t hash, const void* data, size_t bytes) {
  if (hash == 0) hash = 0xcbf29ce484222325;
  const auto* at = static_cast<const unsigned char*>(data);
  for (size_t i = 0; i < bytes; ++i) hash = (hash ^ at[i]) * 0x100000001b3;
  return hash;
}

}  // namespace limber::kernels::gpu
