// A thin layer over cuDNN's graph interface: descriptors that free themselves, tensors, operations,
// and plans chosen once per shape.
#pragma once

#include <cudnn.h>

#include <initializer_list>
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

// A graph of operations, ready to run. Engines whose results differ from run to run are left out,
// and for f32 those that round to TF32 unless that is allowed.
class ConvPlan {
 public:
  // Not `found()` when no engine fits.
  ConvPlan(const Exec& ex, const std::vector<Descriptor>& operations, DType dtype);
  bool found() const { return !plan_.empty(); }
  // ids[i] is at pointers[i].
  void run(const Exec& ex, std::initializer_list<int64_t> ids,
           std::initializer_list<const void*> pointers) const;

 private:
  std::vector<Descriptor> plan_;  // one, or none
  int64_t workspace_ = 0;
};

}  // namespace limber::kernels::cuda
