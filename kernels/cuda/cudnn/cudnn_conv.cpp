// Convolutions through cuDNN's graph interface: forward with the bias in the same graph, and both
// gradients. A plan is made at the first call with a shape; a shape that no engine takes is
// remembered too, and goes to this project's own kernels.
#include <cublasLt.h>

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "kernels/cuda/cudnn/cudnn_graph.h"
#include "kernels/cuda/cudnn_conv.h"
#include "kernels/cuda/runtime/check.h"
#include "kernels/cuda/runtime/libraries.h"

#define cudnn_check(ex, call) check_cudnn((call), #call, ex)

namespace limber::kernels {
namespace cuda {
namespace {

enum class Way : uint8_t { forward, data, weight };
enum Id : int64_t { kX = 1, kW = 2, kY = 3, kBias = 4, kSum = 5 };

// Everything that the choice of a plan depends on.
using Key = std::tuple<Way, int, DType, bool, bool, int64_t, int64_t, int64_t, int64_t, int64_t,
                       int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t,
                       int64_t, int64_t, int64_t>;

Key key_of(const Exec& ex, const Conv& s, Way way, DType dtype, bool bias) {
  return {way,          ex.device.index,
          dtype,        gpu::tf32(),
          bias,         s.N,
          s.H,          s.W,
          s.C,          s.P,
          s.Q,          s.K,
          s.R,          s.S,
          s.stride_h,   s.stride_w,
          s.pad_h,      s.pad_w,
          s.dilation_h, s.dilation_w,
          s.groups};
}

Descriptor geometry(const Exec& ex, const Conv& s) {
  Descriptor d(ex, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  d.set(ex, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, {int64_t{2}});
  d.set(ex, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, {CUDNN_DATA_FLOAT});
  d.set(ex, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE,
        {CUDNN_CROSS_CORRELATION});
  d.set(ex, CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, {s.dilation_h, s.dilation_w});
  d.set(ex, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, {s.stride_h, s.stride_w});
  d.set(ex, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, {s.pad_h, s.pad_w});
  d.set(ex, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, {s.pad_h, s.pad_w});
  d.finish(ex);
  return d;
}

// The attributes that name an operation's operands.
struct Names {
  cudnnBackendDescriptorType_t type;
  cudnnBackendAttributeName_t x, w, y, geometry, alpha, beta;
};

Names names_of(Way way) {
  switch (way) {
    case Way::forward:
      return {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA};
    case Way::data:
      return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA};
    case Way::weight:
      break;
  }
  return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA};
}

// result = sum + bias; the sum passes from one operation to the other without being stored.
Descriptor bias_addition(const Exec& ex, const Descriptor& sum, const Descriptor& bias,
                         const Descriptor& result) {
  Descriptor mode(ex, CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
  mode.set(ex, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, {CUDNN_POINTWISE_ADD});
  mode.set(ex, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, {CUDNN_DATA_FLOAT});
  mode.finish(ex);
  Descriptor d(ex, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  d.set(ex, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, mode);
  d.set(ex, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, sum);
  d.set(ex, CUDNN_ATTR_OPERATION_POINTWISE_BDESC, bias);
  d.set(ex, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, result);
  d.finish(ex);
  return d;
}

ConvPlan make_plan(const Exec& ex, const Conv& s, Way way, DType dtype, bool bias) {
  // The bias goes to what the convolution gives: y forward, x in the transposed convolution.
  ImageSpec x{kX, s.N, s.H, s.W, s.C, dtype}, y{kY, s.N, s.P, s.Q, s.K, dtype};
  ImageSpec& given = way == Way::data ? x : y;
  const ImageSpec stored = given;
  if (bias) {
    given.id = kSum;
    given.is_virtual = true;
    given.dtype = DType::f32;
  }
  const Descriptor at_x = image(ex, x), at_y = image(ex, y);
  const Descriptor at_w = image(ex, {kW, s.K, s.R, s.S, s.C / s.groups, dtype});
  const Names names = names_of(way);
  Descriptor conv(ex, names.type);
  conv.set(ex, names.x, at_x);
  conv.set(ex, names.w, at_w);
  conv.set(ex, names.y, at_y);
  conv.set(ex, names.geometry, geometry(ex, s));
  conv.set(ex, names.alpha, CUDNN_TYPE_FLOAT, {1.0f});
  conv.set(ex, names.beta, CUDNN_TYPE_FLOAT, {0.0f});
  conv.finish(ex);
  std::vector<Descriptor> operations;
  operations.push_back(std::move(conv));
  if (bias) {
    const Descriptor at_bias = image(ex, {kBias, 1, 1, 1, stored.C, dtype});
    operations.push_back(
        bias_addition(ex, way == Way::data ? at_x : at_y, at_bias, image(ex, stored)));
  }
  return ConvPlan(ex, operations, dtype);
}

// Whether cuDNN took the case.
bool run(const Exec& ex, const Conv& s, Way way, DType dtype, const void* x, const void* w,
         const void* y, const void* bias) {
  static std::mutex mutex;
  static std::map<Key, ConvPlan>& plans = *new std::map<Key, ConvPlan>;
  // Tensors say 16 bytes of alignment; a view may start anywhere.
  for (const void* p : {x, w, y, bias})
    if (reinterpret_cast<uintptr_t>(p) % 16 != 0) return false;
  const std::lock_guard lock(mutex);
  const Key key = key_of(ex, s, way, dtype, bias != nullptr);
  auto found = plans.find(key);
  if (found == plans.end())
    found = plans.emplace(key, make_plan(ex, s, way, dtype, bias != nullptr)).first;
  if (!found->second.found()) return false;
  if (bias != nullptr) {
    found->second.run(ex, {kX, kW, kY, kBias}, {x, w, y, bias});
  } else {
    found->second.run(ex, {kX, kW, kY}, {x, w, y});
  }
  return true;
}

}  // namespace

bool cudnn_conv_forward(const Exec& ex, const Conv& s, Out y, In x, In weight, In bias) {
  return run(ex, s, Way::forward, x.dtype, x.data, weight.data, y.data, bias.data);
}

bool cudnn_conv_backward_data(const Exec& ex, const Conv& s, Out dx, In dy, In weight, In bias) {
  return run(ex, s, Way::data, dy.dtype, dx.data, weight.data, dy.data, bias.data);
}

bool cudnn_conv_backward_weight(const Exec& ex, const Conv& s, Out dweight, In x, In dy) {
  return run(ex, s, Way::weight, dy.dtype, x.data, dweight.data, dy.data, nullptr);
}

}  // namespace cuda

namespace gpu {

std::string library_versions() {
  const size_t cudnn = cudnnGetVersion(), blas = cublasLtGetVersion();
  return "cuBLASLt " + std::to_string(blas / 10000) + "." + std::to_string(blas / 100 % 100) +
         ", cuDNN " + std::to_string(cudnn / 10000) + "." + std::to_string(cudnn / 100 % 100);
}

}  // namespace gpu
}  // namespace limber::kernels
