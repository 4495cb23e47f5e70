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

}  // namespace limber::kernels::gpu
