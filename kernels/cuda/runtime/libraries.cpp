#include "kernels/cuda/runtime/libraries.h"

#include <atomic>

namespace limber::kernels::gpu {
namespace {

std::atomic<bool> tf32_allowed{false}, tuning{false};

}  // namespace

bool tf32() { return tf32_allowed; }
void set_tf32(bool allowed) { tf32_allowed = allowed; }
bool tunes() { return tuning; }
void set_tuning(bool on) { tuning = on; }

}  // namespace limber::kernels::gpu
