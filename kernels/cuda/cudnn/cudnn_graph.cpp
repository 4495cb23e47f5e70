#include "kernels/cuda/cudnn/cudnn_graph.h"

#include <algorithm>
#include <limits>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "kernels/cuda/runtime/check.h"
#include "kernels/cuda/runtime/libraries.h"

#define cudnn_check(ex, call) check_cudnn((call), #call, ex)

// The handle is an attribute that newer versions take from nowhere and older ones insist on.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace limber::kernels::cuda {
namespace {

// Descriptors that an attribute holds, `most` of them at most.
std::vector<Descriptor> held(const Exec& ex, const Descriptor& by, cudnnBackendAttributeName_t name,
                             cudnnBackendDescriptorType_t type, int64_t most) {
  std::vector<Descriptor> all;
  std::vector<cudnnBackendDescriptor_t> raw;
  for (int64_t i = 0; i < most; ++i) {
    all.emplace_back(ex, type);
    raw.push_back(all.back().raw());
  }
  int64_t count = 0;
  cudnn_check(ex, cudnnBackendGetAttribute(by.raw(), name, CUDNN_TYPE_BACKEND_DESCRIPTOR, most,
                                           &count, raw.data()));
  all.erase(all.begin() + std::min(count, most), all.end());
  return all;
}

Descriptor engine_of(const Exec& ex, const Descriptor& config) {
  std::vector<Descriptor> one =
      held(ex, config, CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_BACKEND_ENGINE_DESCRIPTOR, 1);
  return std::move(one.at(0));
}

template <class T>
T attribute(const Exec& ex, const Descriptor& of, cudnnBackendAttributeName_t name,
            cudnnBackendAttributeType_t type) {
  T value{};
  int64_t count = 0;
  cudnn_check(ex, cudnnBackendGetAttribute(of.raw(), name, type, 1, &count, &value));
  return value;
}

// "34 2=1 5=0": the engine's number and its settings, for recognising it in a later run.
std::string name_of(const Exec& ex, const Descriptor& config) {
  std::string name = std::to_string(attribute<int64_t>(
      ex, engine_of(ex, config), CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64));
  for (const Descriptor& knob : held(ex, config, CUDNN_ATTR_ENGINECFG_KNOB_CHOICES,
                                     CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, CUDNN_KNOB_TYPE_COUNTS))
    name += ' ' +
            std::to_string(int(attribute<cudnnBackendKnobType_t>(
                ex, knob, CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_TYPE_KNOB_TYPE))) +
            '=' +
            std::to_string(
                attribute<int64_t>(ex, knob, CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, CUDNN_TYPE_INT64));
  return name;
}

// What the engine of a configuration says of its arithmetic.
std::vector<cudnnBackendNumericalNote_t> notes_of(const Exec& ex, const Descriptor& config) {
  const Descriptor engine = engine_of(ex, config);
  int64_t count = 0;
  std::vector<cudnnBackendNumericalNote_t> notes(CUDNN_NUMERICAL_NOTE_TYPE_COUNT);
  cudnn_check(ex, cudnnBackendGetAttribute(engine.raw(), CUDNN_ATTR_ENGINE_NUMERICAL_NOTE,
                                           CUDNN_TYPE_NUMERICAL_NOTE,
                                           CUDNN_NUMERICAL_NOTE_TYPE_COUNT, &count, notes.data()));
  notes.resize(size_t(count));
  return notes;
}

bool is_welcome(const Exec& ex, const Descriptor& config, DType dtype) {
  for (const cudnnBackendNumericalNote_t note : notes_of(ex, config)) {
    if (note == CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC) return false;
    if (dtype != DType::f32 || gpu::tf32()) continue;
    if (note == CUDNN_NUMERICAL_NOTE_TENSOR_CORE ||
        note == CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS)
      return false;
  }
  return true;
}

// The configurations that one of cuDNN's ways to guess puts forward, best first.
std::vector<Descriptor> guesses(const Exec& ex, const Descriptor& graph,
                                cudnnBackendHeurMode_t mode) {
  Descriptor heuristic(ex, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristic.set(ex, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
  heuristic.set(ex, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, {mode});
  // An error where no engine takes such a graph.
  if (cudnnBackendFinalize(heuristic.raw()) != CUDNN_STATUS_SUCCESS) return {};
  int64_t count = 0;
  cudnn_check(ex, cudnnBackendGetAttribute(heuristic.raw(), CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                           CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, &count, nullptr));
  return held(ex, heuristic, CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR,
              count);
}

}  // namespace

void check_cudnn(cudnnStatus_t status, const char* call, const Exec& ex) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  throw gpu::CudaError(std::string(ex.kernel) + ": " + call +
                       " failed: " + cudnnGetErrorString(status));
}

Descriptor::Descriptor(const Exec& ex, cudnnBackendDescriptorType_t type) {
  cudnn_check(ex, cudnnBackendCreateDescriptor(type, &raw_));
}
Descriptor::~Descriptor() {
  if (raw_ != nullptr) cudnnBackendDestroyDescriptor(raw_);
}
Descriptor::Descriptor(Descriptor&& other) noexcept : raw_(std::exchange(other.raw_, nullptr)) {}
Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(raw_, other.raw_);
  return *this;
}

void Descriptor::set(const Exec& ex, cudnnBackendAttributeName_t name,
                     cudnnBackendAttributeType_t type, int64_t count, const void* values) {
  cudnn_check(ex, cudnnBackendSetAttribute(raw_, name, type, count, values));
}

void Descriptor::set(const Exec& ex, cudnnBackendAttributeName_t name, const Descriptor& value) {
  set(ex, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value.raw_);
}

void Descriptor::finish(const Exec& ex) { cudnn_check(ex, cudnnBackendFinalize(raw_)); }

Descriptor image(const Exec& ex, const ImageSpec& s) {
  Descriptor d(ex, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  d.set(ex, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, {cudnn_type(ex, s.dtype)});
  d.set(ex, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, {s.N, s.C, s.H, s.W});
  d.set(ex, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64,
        {s.H * s.W * s.C, int64_t{1}, s.W * s.C, s.C});
  d.set(ex, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, {s.id});
  d.set(ex, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, {int64_t{16}});
  d.set(ex, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, {s.is_virtual});
  d.finish(ex);
  return d;
}

cudnnDataType_t cudnn_type(const Exec& ex, DType dtype) {
  switch (dtype) {
    case DType::f32:
      return CUDNN_DATA_FLOAT;
    case DType::f16:
      return CUDNN_DATA_HALF;
    case DType::bf16:
      return CUDNN_DATA_BFLOAT16;
    default:
      throw gpu::CudaError(std::string(ex.kernel) + ": convolutions of f32, f16 and bf16 only");
  }
}

cudnnHandle_t cudnn_handle(const Exec& ex) {
  static std::mutex mutex;
  static std::map<int, cudnnHandle_t>& handles = *new std::map<int, cudnnHandle_t>;
  std::lock_guard lock(mutex);
  cudnnHandle_t& handle = handles[ex.device.index];
  if (handle == nullptr) cudnn_check(ex, cudnnCreate(&handle));
  cudnn_check(ex, cudnnSetStream(handle, static_cast<cudaStream_t>(ex.stream)));
  return handle;
}

const Descriptor& Operations::keep(Descriptor part) {
  parts.push_back(std::move(part));
  return parts.back();
}

ConvPlan::ConvPlan(const Exec& ex, Descriptor plan, std::string engine)
    : plan_(std::move(plan)),
      workspace_(attribute<int64_t>(ex, plan_, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE,
                                    CUDNN_TYPE_INT64)),
      engine_(std::move(engine)) {}

void ConvPlan::run(const Exec& ex, std::span<const int64_t> ids,
                   std::span<const void* const> pointers) const {
  void* workspace = gpu::allocate(ex.device.index, size_t(workspace_));
  Descriptor pack(ex, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set(ex, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, int64_t(ids.size()),
           ids.data());
  pack.set(ex, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, int64_t(pointers.size()),
           pointers.data());
  pack.set(ex, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, {workspace});
  pack.finish(ex);
  const cudnnStatus_t status = cudnnBackendExecute(cudnn_handle(ex), plan_.raw(), pack.raw());
  gpu::release(ex.device.index, workspace, size_t(workspace_));
  cudnn_check(ex, status);
}

float ConvPlan::time(const Exec& ex, std::span<const int64_t> ids,
                     std::span<const void* const> pointers) const {
  constexpr int kRuns = 5;  // behind one that loads the engine
  const auto stream = static_cast<cudaStream_t>(ex.stream);
  cudaEvent_t begin = nullptr, end = nullptr;
  cuda_check_in(ex, cudaEventCreate(&begin));
  cuda_check_in(ex, cudaEventCreate(&end));
  float shortest = std::numeric_limits<float>::infinity();
  for (int i = 0; i <= kRuns; ++i) {
    cuda_check_in(ex, cudaEventRecord(begin, stream));
    run(ex, ids, pointers);
    cuda_check_in(ex, cudaEventRecord(end, stream));
    cuda_check_in(ex, cudaEventSynchronize(end));
    float time = 0;
    cuda_check_in(ex, cudaEventElapsedTime(&time, begin, end));
    if (i > 0) shortest = std::min(shortest, time);
  }
  cudaEventDestroy(begin);
  cudaEventDestroy(end);
  return shortest;
}

std::vector<ConvPlan> plans_for(const Exec& ex, const Operations& operations, DType dtype,
                                size_t most, const std::string* engine) {
  const cudnnHandle_t handle = cudnn_handle(ex);
  std::vector<cudnnBackendDescriptor_t> raw;
  for (const Descriptor& operation : operations.operations) raw.push_back(operation.raw());
  Descriptor graph(ex, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  graph.set(ex, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, int64_t(raw.size()),
            raw.data());
  graph.set(ex, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, {handle});
  std::vector<ConvPlan> plans;
  // Which operations may stand together cuDNN says here, and of an engine below.
  if (cudnnBackendFinalize(graph.raw()) != CUDNN_STATUS_SUCCESS) return plans;
  for (const cudnnBackendHeurMode_t mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK})
    for (const Descriptor& config : guesses(ex, graph, mode)) {
      if (plans.size() == most) return plans;
      if (!is_welcome(ex, config, dtype)) continue;
      std::string name = name_of(ex, config);
      if (engine != nullptr && name != *engine) continue;
      Descriptor plan(ex, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
      plan.set(ex, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, {handle});
      plan.set(ex, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config);
      if (cudnnBackendFinalize(plan.raw()) != CUDNN_STATUS_SUCCESS) continue;
      plans.emplace_back(ex, std::move(plan), std::move(name));
    }
  return plans;
}

}  // namespace limber::kernels::cuda
