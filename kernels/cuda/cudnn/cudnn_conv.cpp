// Convolutions through cuDNN's graph interface: forward and transposed with bias, residual and
// activation in the same graph, and both gradients. A plan is made at the first call with a shape;
// a case that no engine takes is remembered too, and left to the caller.
#include <cublasLt.h>

#include <array>
#include <bit>
#include <cstdlib>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "kernels/cuda/cudnn/cudnn_graph.h"
#include "kernels/cuda/cudnn_conv.h"
#include "kernels/cuda/runtime/check.h"
#include "kernels/cuda/runtime/choice_file.h"
#include "kernels/cuda/runtime/libraries.h"

namespace limber::kernels {
namespace cuda {
namespace {

enum class Way : uint8_t { forward, data, weight };
enum Id : int64_t { kX = 1, kW = 2, kY = 3, kBias = 4, kResidual = 5, kSum = 6 };

// One call: which convolution, its operands, and what its sums go through in the same graph.
struct Call {
  Way way = Way::forward;
  DType dtype = DType::f32;
  const void *x = nullptr, *w = nullptr, *y = nullptr;
  const void* bias = nullptr;  // of the channels of what the convolution gives
  Epilogue epilogue;
};

// Everything that the choice of a plan depends on.
using Key = std::array<int64_t, 25>;

Key key_of(const Exec& ex, const Conv& s, const Call& c) {
  const Epilogue& e = c.epilogue;
  return {int64_t(c.way),
          int64_t(c.dtype),
          gpu::tf32(),
          c.bias != nullptr,
          e.residual.data != nullptr,
          e.acts ? int64_t(e.act.f) : -1,
          std::bit_cast<int64_t>(e.acts ? e.act.a : 0.0),
          std::bit_cast<int64_t>(e.acts ? e.act.b : 0.0),
          s.N,
          s.H,
          s.W,
          s.C,
          s.P,
          s.Q,
          s.K,
          s.R,
          s.S,
          s.stride_h,
          s.stride_w,
          s.pad_h,
          s.pad_w,
          s.dilation_h,
          s.dilation_w,
          s.groups,
          ex.device.index};
}

// The same for a file, with the device by its name and cuDNN's version.
std::string text_of(const Exec& ex, const Key& key) {
  std::string text = gpu::device_info(ex.device.index).name;
  text += " cuDNN " + std::to_string(cudnnGetVersion());
  for (size_t i = 0; i + 1 < key.size(); ++i) text += ' ' + std::to_string(key[i]);
  return text;
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

Descriptor pointwise(const Exec& ex, cudnnPointwiseMode_t mode) {
  Descriptor d(ex, CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
  d.set(ex, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, {mode});
  d.set(ex, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, {CUDNN_DATA_FLOAT});
  return d;
}

// f of an epilogue, or nothing where cuDNN has no such function.
std::optional<Descriptor> activation(const Exec& ex, const UnaryArgs& act) {
  const auto relu = [&](cudnnBackendAttributeName_t name, double value) {
    Descriptor d = pointwise(ex, CUDNN_POINTWISE_RELU_FWD);
    d.set(ex, name, CUDNN_TYPE_DOUBLE, {value});
    return d;
  };
  switch (act.f) {
    case Unary::relu:
      return pointwise(ex, CUDNN_POINTWISE_RELU_FWD);
    case Unary::relu6:
      return relu(CUDNN_ATTR_POINTWISE_RELU_UPPER_CLIP, 6);
    case Unary::leaky_relu:
      return relu(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE, act.a);
    case Unary::silu:
      return pointwise(ex, CUDNN_POINTWISE_SWISH_FWD);
    case Unary::gelu:
      return pointwise(ex, CUDNN_POINTWISE_GELU_FWD);
    case Unary::sigmoid:
      return pointwise(ex, CUDNN_POINTWISE_SIGMOID_FWD);
    case Unary::tanh:
      return pointwise(ex, CUDNN_POINTWISE_TANH_FWD);
    default:
      return std::nullopt;
  }
}

// The sums on their way to memory: each step reads what the one before gave, which is not stored
// but for the last.
class Chain {
 public:
  // `given`: what the convolution gives, as it is to be stored.
  Chain(const Exec& ex, Operations& graph, const ImageSpec& given, size_t steps)
      : ex_(ex), graph_(graph), stored_(given), left_(steps), at_(&next()) {}
  const Descriptor& at() const { return *at_; }

  void add(const ImageSpec& summand) {
    step(pointwise(ex_, CUDNN_POINTWISE_ADD), &graph_.keep(image(ex_, summand)));
  }
  void apply(Descriptor function) { step(std::move(function), nullptr); }

 private:
  const Descriptor& next() {
    ImageSpec spec = stored_;
    if (left_ > 0) {
      spec.id = kSum + int64_t(left_);
      spec.is_virtual = true;
      spec.dtype = DType::f32;
    }
    return graph_.keep(image(ex_, spec));
  }
  void step(Descriptor function, const Descriptor* other) {
    function.finish(ex_);
    --left_;
    const Descriptor& result = next();
    Descriptor d(ex_, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    d.set(ex_, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, graph_.keep(std::move(function)));
    d.set(ex_, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, *at_);
    if (other != nullptr) d.set(ex_, CUDNN_ATTR_OPERATION_POINTWISE_BDESC, *other);
    d.set(ex_, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, result);
    d.finish(ex_);
    graph_.operations.push_back(std::move(d));
    at_ = &result;
  }

  const Exec& ex_;
  Operations& graph_;
  ImageSpec stored_;
  size_t left_;
  const Descriptor* at_;
};

// y, or x in the transposed convolution, = f(conv + bias + residual). Nothing where cuDNN has no f.
std::optional<Operations> operations_of(const Exec& ex, const Conv& s, const Call& c) {
  std::optional<Descriptor> f;
  if (c.epilogue.acts && !(f = activation(ex, c.epilogue.act))) return std::nullopt;
  const ImageSpec x{kX, s.N, s.H, s.W, s.C, c.dtype}, y{kY, s.N, s.P, s.Q, s.K, c.dtype};
  const bool gives_x = c.way == Way::data;
  const ImageSpec& given = gives_x ? x : y;
  std::optional<Operations> made(std::in_place);
  Operations& graph = *made;
  const bool adds = c.epilogue.residual.data != nullptr;
  const size_t steps = size_t(c.bias != nullptr) + size_t(adds) + size_t(c.epilogue.acts);
  Chain chain(ex, graph, given, steps);
  const Descriptor& read = graph.keep(image(ex, gives_x ? y : x));
  const Descriptor& weight = graph.keep(image(ex, {kW, s.K, s.R, s.S, s.C / s.groups, c.dtype}));
  const Descriptor& result = chain.at();  // of the gradient of the weight an operand
  const Names names = names_of(c.way);
  Descriptor conv(ex, names.type);
  conv.set(ex, names.x, gives_x ? result : read);
  conv.set(ex, names.w, weight);
  conv.set(ex, names.y, gives_x ? read : result);
  conv.set(ex, names.geometry, graph.keep(geometry(ex, s)));
  conv.set(ex, names.alpha, CUDNN_TYPE_FLOAT, {1.0f});
  conv.set(ex, names.beta, CUDNN_TYPE_FLOAT, {0.0f});
  conv.finish(ex);
  graph.operations.push_back(std::move(conv));
  if (c.bias != nullptr) chain.add({kBias, 1, 1, 1, given.C, c.dtype});
  if (adds) {
    ImageSpec residual = given;
    residual.id = kResidual;
    chain.add(residual);
  }
  if (f) chain.apply(std::move(*f));
  return made;
}

// The operands by their ids.
struct Operands {
  std::vector<int64_t> ids;
  std::vector<const void*> pointers;

  explicit Operands(const Call& c) : ids{kX, kW, kY}, pointers{c.x, c.w, c.y} {
    if (c.bias != nullptr) add(kBias, c.bias);
    if (c.epilogue.residual.data != nullptr) add(kResidual, c.epilogue.residual.data);
  }
  void add(int64_t id, const void* pointer) {
    ids.push_back(id);
    pointers.push_back(pointer);
  }
};

gpu::ChoiceFile& tuned_choices() {
  static gpu::ChoiceFile& choices = *new gpu::ChoiceFile([] {
    const char* path = std::getenv("LIMBER_CUDNN_CHOICES");
    return std::string(path == nullptr ? "" : path);
  }());
  return choices;
}

bool is_captured(const Exec& ex) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  cuda_check_in(ex, cudaStreamIsCapturing(static_cast<cudaStream_t>(ex.stream), &status));
  return status != cudaStreamCaptureStatusNone;
}

// The fastest of the engines that fit, by the runs of now or of an earlier program.
std::optional<ConvPlan> tuned_plan(const Exec& ex, const Operations& graph, const Conv& s,
                                   const Call& c, const std::string& key) {
  constexpr size_t kMostTimed = 10;
  if (const std::string* engine = tuned_choices().find(key)) {
    std::vector<ConvPlan> known = plans_for(ex, graph, c.dtype, 1, engine);
    if (!known.empty()) return std::move(known[0]);
  }
  std::vector<ConvPlan> plans = plans_for(ex, graph, c.dtype, kMostTimed);
  if (plans.empty()) return std::nullopt;
  // Results go elsewhere, since a residual may lie where they belong.
  const int64_t numbers = c.way == Way::forward ? s.N * s.P * s.Q * s.K
                          : c.way == Way::data  ? s.N * s.H * s.W * s.C
                                                : s.K * s.R * s.S * (s.C / s.groups);
  const size_t bytes = size_t(numbers) * size_of(c.dtype);
  void* elsewhere = gpu::allocate(ex.device.index, bytes);
  Operands operands(c);
  operands.pointers[c.way == Way::data ? 0 : c.way == Way::weight ? 1 : 2] = elsewhere;
  size_t best = 0;
  float shortest = std::numeric_limits<float>::infinity();
  for (size_t i = 0; i < plans.size(); ++i) {
    const float time = plans[i].time(ex, operands.ids, operands.pointers);
    if (time < shortest) shortest = time, best = i;
  }
  gpu::release(ex.device.index, elsewhere, bytes);
  tuned_choices().add(key, plans[best].engine());
  return std::move(plans[best]);
}

std::optional<ConvPlan> make_plan(const Exec& ex, const Conv& s, const Call& c, const Key& key) {
  const std::optional<Operations> graph = operations_of(ex, s, c);
  if (!graph) return std::nullopt;
  // Timing waits for the stream, which a stream under capture cannot do.
  if (gpu::tunes() && !is_captured(ex)) return tuned_plan(ex, *graph, s, c, text_of(ex, key));
  std::vector<ConvPlan> plans = plans_for(ex, *graph, c.dtype, 1);
  if (plans.empty()) return std::nullopt;
  return std::move(plans[0]);
}

// Whether cuDNN took the case.
bool run(const Exec& ex, const Conv& s, const Call& c) {
  static std::mutex mutex;
  static std::map<Key, std::optional<ConvPlan>>& plans =
      *new std::map<Key, std::optional<ConvPlan>>;
  // Tensors say 16 bytes of alignment; a view may start anywhere.
  const Operands operands(c);
  for (const void* p : operands.pointers)
    if (reinterpret_cast<uintptr_t>(p) % 16 != 0) return false;
  const std::lock_guard lock(mutex);
  const Key key = key_of(ex, s, c);
  auto found = plans.find(key);
  if (found == plans.end()) found = plans.emplace(key, make_plan(ex, s, c, key)).first;
  if (!found->second) return false;
  found->second->run(ex, operands.ids, operands.pointers);
  return true;
}

}  // namespace

bool cudnn_conv_forward(const Exec& ex, const Conv& s, const Epilogue& e, Out y, In x, In weight,
                        In bias) {
  return run(ex, s, {Way::forward, x.dtype, x.data, weight.data, y.data, bias.data, e});
}

bool cudnn_conv_backward_data(const Exec& ex, const Conv& s, const Epilogue& e, Out dx, In dy,
                              In weight, In bias) {
  return run(ex, s, {Way::data, dy.dtype, dx.data, weight.data, dy.data, bias.data, e});
}

bool cudnn_conv_backward_weight(const Exec& ex, const Conv& s, Out dweight, In x, In dy) {
  return run(ex, s, {Way::weight, dy.dtype, x.data, dweight.data, dy.data, nullptr, {}});
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
