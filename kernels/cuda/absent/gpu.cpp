// The GPU of a build without CUDA: none.
#include "kernels/cuda/runtime/gpu.h"
#include "kernels/cuda/runtime/copy_stream.h"
#include "kernels/cuda/runtime/graph.h"
#include "kernels/cuda/runtime/libraries.h"
#include "kernels/cuda/runtime/memory_report.h"
#include "kernels/cuda/runtime/watch.h"

#include "kernels/kernel.h"

namespace limber::kernels {

void no_cuda_kernel(const char* name) {
  throw gpu::CudaError(std::string(name) + ": this build has no CUDA");
}

namespace gpu {
namespace {

[[noreturn]] void absent() { throw CudaError(why_none()); }

}  // namespace

int device_count() { return 0; }
std::string why_none() { return "this build has no CUDA (configure with LIMBER_CUDA=ON)"; }
bool is_emulated() { return false; }
std::string library_versions() { return ""; }
bool tf32() { return false; }
void set_tf32(bool) {}
bool tunes() { return false; }
void set_tuning(bool) {}
DeviceInfo device_info(int) { absent(); }
void* stream_of(int) { absent(); }
void* allocate(int, size_t) { absent(); }
void release(int, void*, size_t) noexcept {}
Memory memory(int) { absent(); }
size_t driver_requests(int) { absent(); }
std::string memory_report(int) { absent(); }
void reset_peak(int) { absent(); }
void trim(int) { absent(); }
void copy(int, void*, const void*, size_t, Copy) { absent(); }
void zero(int, void*, size_t) { absent(); }
void synchronise(int) { absent(); }
void* allocate_pinned(size_t) { absent(); }
void release_pinned(void*) noexcept {}
bool is_pinned(const void*) { return false; }

QueueWatch::QueueWatch() : outer_(nullptr) {}
QueueWatch::~QueueWatch() = default;
QueueWatch* QueueWatch::of_thread() { return nullptr; }

struct CopyStream::State {};
CopyStream::CopyStream(int) { absent(); }
CopyStream::~CopyStream() = default;
void CopyStream::follow() { absent(); }
void CopyStream::copy(void*, const void*, size_t) { absent(); }
void CopyStream::publish() { absent(); }
void CopyStream::wait() { absent(); }

struct CapturedGraph::State {};
CapturedGraph::CapturedGraph(int) { absent(); }
CapturedGraph::~CapturedGraph() = default;
void CapturedGraph::finish() { absent(); }
void CapturedGraph::launch() { absent(); }
size_t CapturedGraph::bytes() const { absent(); }
bool is_capturing(int) { return false; }
const char* why_no_capture() { return "this build has no CUDA"; }

}  // namespace gpu
}  // namespace limber::kernels
