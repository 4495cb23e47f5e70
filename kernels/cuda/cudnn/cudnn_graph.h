// A thin layer over cuDNN's graph interface: descriptors that free themselves, tensors, operations,
// and plans chosen once per shape.
#pragma once

#include <cudnn.h>

#include <deque>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "kernels/exec.h"

namespace limber::kernels::cuda {

// Throws CudaError "kernel: call failed: text" unless `status` is success.
void check_cudnn(cudnnStatus_t status, const char* call, const Exec& ex);

// One of cuDNN's backend descriptors.
class Descriptor {
 public:
  Descriptor(const Exec& ex, cudnnBackendDescriptorType_t type);
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;

  void set(const Exec& ex, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
           int64_t count, const void* values);
  template <class T>
  void set(const Exec& ex, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
           std::initializer_list<T> values) {
    set(ex, name, type, int64_t(values.size()), values.begin());
  }
  // Names another descriptor as an attribute.
  void set(const Exec& ex, cudnnBackendAttributeName_t name, const Descriptor& value);
  void finish(const Exec& ex);

  cudnnBackendDescriptor_t raw() const { return raw_; }

 private:
  cudnnBackendDescriptor_t raw_ = nullptr;
};

// A channels-last image (N, H, W, C), which cuDNN names N, C, H, W. `id` binds it to memory; a
// virtual one is passed between the operations of a graph and never stored.
struct ImageSpec {
  int64_t id;
  int64_t N, H, W, C;
  DType dtype;
  bool is_virtual = false;
};
Descriptor image(const Exec& ex, const ImageSpec& spec);

cudnnDataType_t cudnn_type(const Exec& ex, DType dtype);
cudnnHandle_t cudnn_handle(const Exec& ex);  // of the device, set to the stream

// What the plans of a graph are made from: its operations, and the tensors and others that they
// name, which must outlive them.
struct Operations {
  std::vector<Descriptor> operations;
  std::deque<Descriptor> parts;  // whose addresses stay
  // Keeps a part and names it.
  const Descriptor& keep(Descriptor part);
};

// A graph of operations, ready to run on one engine.
class ConvPlan {
 public:
  ConvPlan(const Exec& ex, Descriptor plan, std::string engine);
  // ids[i] is at pointers[i].
  void run(const Exec& ex, std::span<const int64_t> ids,
           std::span<const void* const> pointers) const;
  // The shortest of a few runs, in milliseconds.
  float time(const Exec& ex, std::span<const int64_t> ids,
             std::span<const void* const> pointers) const;
  const std::string& engine() const { return engine_; }  // with its settings

 private:
  Descriptor plan_;
  int64_t workspace_ = 0;
  std::string engine_;
};

// Plans for the graph, cuDNN's best guess first: `most` of them at most, with `engine` on that one
// alone; none where no engine fits. Engines whose results differ from run to run are left out, and
// for f32 those that round to TF32 unless that is allowed.
std::vector<ConvPlan> plans_for(const Exec& ex, const Operations& graph, DType dtype, size_t most,
                                const std::string* engine = nullptr);

}  // namespace limber::kernels::cuda
