#include "pose/codecs/codec_support.h"

#include "tensor/op.h"

namespace limber {

Size read_size(const Config& config, std::string_view key) {
  const auto values = config.get<std::vector<int64_t>>(key);
  check_input(values.size() == 2 && values[0] > 0 && values[1] > 0, config.path(), ".", key,
              ": a width and a height are wanted");
  return {values[0], values[1]};
}

void check_choice(const Config& config, std::string_view key, const std::string& value,
                  std::initializer_list<const char*> known) {
  std::string names;
  for (const char* name : known) {
    if (value == name) return;
    names += str(names.empty() ? "" : ", ", name);
  }
  fail_input(config.path(), ".", key, ": unknown value \"", value, "\", known are ", names);
}

kernels::Exec one_thread() {
  kernels::Exec ex = default_exec();
  ex.pool = nullptr;
  return ex;
}

int read_blur_kernel(const Config& config) {
  const int size = config.get("blur_kernel_size", 11);
  check_input(size > 0 && size % 2 == 1, config.path(),
              ".blur_kernel_size: must be odd and positive, not ", size);
  return size;
}

EncodePoints read_points(const EncodeInput& input, const char* codec, int dims) {
  check(input.keypoints.defined(), codec, ": encode without key points");
  const Shape& shape = input.keypoints.shape();
  check(shape.rank() == 3 && shape[2] == dims, codec, ": key points ", shape, ", (N, K, ", dims,
        ") is wanted");
  EncodePoints points{input.keypoints.to(DType::f32), {}, shape[0], shape[1]};
  if (input.visible.defined()) {
    check(input.visible.shape() == shape.without(2), codec, ": visibility ", input.visible.shape(),
          " for key points ", shape);
    points.visible = input.visible.to(DType::f32);
  } else {
    points.visible = Tensor::full(shape.without(2), 1);
  }
  return points;
}

EncodePoints read_one_person(const EncodeInput& input, const char* codec, int dims) {
  EncodePoints points = read_points(input, codec, dims);
  check(points.instances == 1, codec, ": describes one instance a sample, not ", points.instances,
        "; key points are ", input.keypoints.shape());
  return points;
}

bool has_auxiliary(const EncodeInput& input, std::string_view name) {
  const auto found = input.more.find(name);
  return found != input.more.end() && !found->second.empty() && found->second[0].defined();
}

Tensor auxiliary(const EncodeInput& input, const char* codec, std::string_view name) {
  check(has_auxiliary(input, name), codec, ": the sample has no ", name);
  return input.more.find(name)->second[0].to(DType::f32);
}

void check_count(std::span<const Tensor> encoded, size_t least, size_t most, const char* codec,
                 const char* what) {
  check(encoded.size() >= least && encoded.size() <= most, codec, ": decode got ", encoded.size(),
        " tensors, wanted are ", what);
}

Tensor read_maps(const Tensor& encoded, const char* codec) {
  check(encoded.defined(), codec, ": decode without maps");
  const Shape& shape = encoded.shape();
  const bool batched = shape.rank() == 4 && shape[0] == 1;
  check((shape.rank() == 3 || batched) && shape.numel() > 0, codec, ": maps ", shape,
        ", (K, H, W) is wanted");
  const Tensor maps = encoded.to(DType::f32);
  return batched ? maps.alias(shape.without(0)) : maps;
}

Tensor read_maps(const Tensor& encoded, Size size, const char* codec) {
  const Tensor maps = read_maps(encoded, codec);
  check(maps.size(2) == size.width && maps.size(1) == size.height, codec, ": maps ",
        encoded.shape(), ", (K, ", size.height, ", ", size.width, ") is wanted");
  return maps;
}

Decoded one_person(const Tensor& locations, const Tensor& values) {
  Decoded decoded;
  decoded.keypoints = locations.alias(locations.shape().inserted(0, 1));
  decoded.scores = values.alias(values.shape().inserted(0, 1));
  return decoded;
}

}  // namespace limber
