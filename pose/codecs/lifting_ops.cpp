#include "pose/codecs/lifting_ops.h"

#include <algorithm>

namespace limber {
namespace {

// The root of each of `poses` poses: step 0 where one serves all.
struct Roots {
  const float* data;
  int64_t step;
};

Roots roots_for(const Tensor& pose, const Tensor& root, const char* codec) {
  const int64_t dims = pose.size(-1), poses = pose.shape().outer(-2);
  check(root.numel() == dims || root.numel() == poses * dims, codec, ": root ", root.shape(),
        " for poses ", pose.shape());
  return {root.data<float>(), root.numel() == dims ? 0 : dims};
}

}  // namespace

std::vector<int64_t> read_root_index(const Config& config, bool remove_root) {
  std::vector<int64_t> index = {0};
  if (config.find("root_index").is_list()) {
    index = config.get<std::vector<int64_t>>("root_index");
  } else {
    index[0] = config.get<int64_t>("root_index", 0);
  }
  check_input(index.size() == 1 || index.size() == 2, config.path(),
              ".root_index: one joint or two, not ", index.size());
  check_input(!remove_root || index.size() == 1, config.path(),
              ".remove_root: only where root_index is a single joint");
  return index;
}

Tensor root_of(const Tensor& pose, const std::vector<int64_t>& root_index, const char* codec) {
  const int64_t joints = pose.size(-2), dims = pose.size(-1), poses = pose.shape().outer(-2);
  Tensor root = Tensor::zeros(pose.shape().without(-2));
  for (int64_t index : root_index) {
    check(index >= 0 && index < joints, codec, ": root_index ", index, " of ", joints, " joints");
    for (int64_t n = 0; n < poses; ++n)
      for (int64_t c = 0; c < dims; ++c)
        root.data<float>()[n * dims + c] +=
            pose.data<float>()[(n * joints + index) * dims + c] / float(root_index.size());
  }
  return root;
}

Tensor shifted(const Tensor& pose, const Tensor& root, float sign, const char* codec) {
  const Roots roots = roots_for(pose, root, codec);
  const int64_t joints = pose.size(-2), dims = pose.size(-1), poses = pose.shape().outer(-2);
  Tensor out = pose.clone();
  float* p = out.data<float>();
  for (int64_t n = 0; n < poses; ++n)
    for (int64_t k = 0; k < joints; ++k)
      for (int64_t c = 0; c < dims; ++c) *p++ += sign * roots.data[n * roots.step + c];
  return out;
}

Tensor without_joint(const Tensor& x, int64_t index) {
  const int64_t joints = x.size(-2), dims = x.size(-1), poses = x.shape().outer(-2);
  Tensor out = Tensor::empty(x.shape().with(-2, joints - 1));
  float* to = out.data<float>();
  for (int64_t i = 0; i < poses * joints; ++i)
    if (i % joints != index) to = std::copy_n(x.data<float>() + i * dims, dims, to);
  return out;
}

Tensor with_joint(const Tensor& x, int64_t index, const Tensor& root, const char* codec) {
  const Roots roots = roots_for(x, root, codec);
  const int64_t joints = x.size(-2), dims = x.size(-1), poses = x.shape().outer(-2);
  Tensor out = Tensor::empty(x.shape().with(-2, joints + 1));
  const float* from = x.data<float>();
  float* to = out.data<float>();
  for (int64_t i = 0; i < poses * (joints + 1); ++i, to += dims) {
    if (i % (joints + 1) == index) {
      std::copy_n(roots.data + i / (joints + 1) * roots.step, dims, to);
    } else {
      std::copy_n(from, dims, to);
      from += dims;
    }
  }
  return out;
}

Tensor with_visibility(const Tensor& keypoints, const Tensor& visible) {
  const int64_t dims = keypoints.size(-1);
  Tensor out = Tensor::empty(keypoints.shape().with(-1, dims + 1));
  float* to = out.data<float>();
  for (int64_t i = 0; i < visible.numel(); ++i) {
    to = std::copy_n(keypoints.data<float>() + i * dims, dims, to);
    *to++ = visible.data<float>()[i];
  }
  return out;
}

Tensor time_last(const Tensor& keypoints) {
  const int64_t frames = keypoints.size(0), values = keypoints.numel() / frames;
  Tensor out = Tensor::empty({values, frames});
  for (int64_t t = 0; t < frames; ++t)
    for (int64_t i = 0; i < values; ++i)
      out.data<float>()[i * frames + t] = keypoints.data<float>()[t * values + i];
  return out;
}

Tensor visible_weights(const Tensor& visible) {
  Tensor weights = visible.clone();
  for (float& v : weights.span<float>()) v = v > 0.5f ? 1.0f : 0.0f;
  return weights;
}

LiftingTarget read_lifting_target(const EncodeInput& input, const char* codec) {
  if (!has_auxiliary(input, "lifting_target")) return {};
  LiftingTarget target;
  target.pose = auxiliary(input, codec, "lifting_target");
  if (target.pose.rank() == 2) target.pose = target.pose.alias(target.pose.shape().inserted(0, 1));
  const Shape& shape = target.pose.shape();
  check(shape.rank() == 3 && shape[2] == 3, codec, ": lifting_target ", shape,
        ", (T, K, 3) is wanted");
  if (has_auxiliary(input, "lifting_target_visible")) {
    const Tensor visible = auxiliary(input, codec, "lifting_target_visible");
    check(visible.numel() == shape[0] * shape[1], codec, ": lifting_target_visible ",
          visible.shape(), " for lifting_target ", shape);
    target.weights = visible_weights(visible).alias(shape.without(2));
  } else {
    target.weights = Tensor::full(shape.without(2), 1);
  }
  return target;
}

Decoded decode_lifted(const Tensor& pose, const Tensor& target_root, bool remove_root,
                      const std::vector<int64_t>& root_index, const char* codec) {
  Decoded decoded;
  decoded.keypoints = pose;
  if (target_root.defined() && target_root.numel() > 0) {
    const Tensor root = target_root.to(DType::f32);
    decoded.keypoints = shifted(pose, root, 1, codec);
    if (remove_root) decoded.keypoints = with_joint(decoded.keypoints, root_index[0], root, codec);
  }
  decoded.scores = Tensor::full(decoded.keypoints.shape().without(-1), 1);
  return decoded;
}

}  // namespace limber
