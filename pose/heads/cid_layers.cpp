#include "pose/heads/cid_layers.h"

#include "pose/heads/heatmap_layers.h"
#include "tensor/ops.h"

namespace limber {
namespace {

Tensor index_of(const std::vector<int64_t>& list) {
  return Tensor::from(list, {int64_t(list.size())});
}

// (M, H, W, 2): from the pixels to the centres, x and y, in units of 32 pixels.
Tensor relative_places(const Centres& centres, int64_t H, int64_t W, DType dtype) {
  std::vector<float> places;
  places.reserve(size_t(centres.size() * H * W * 2));
  for (const auto& [x, y] : centres.xy)
    for (int64_t v = 0; v < H; ++v)
      for (int64_t u = 0; u < W; ++u) {
        places.push_back((float(x - u) - 0.5f) / 32);
        places.push_back((float(y - v) - 0.5f) / 32);
      }
  return Tensor::from(places, {centres.size(), H, W, 2}).to(dtype);
}

}  // namespace

Tensor features_at(const Tensor& features, const Centres& centres) {
  const int64_t H = features.size(1), W = features.size(2);
  std::vector<int64_t> rows;
  for (size_t m = 0; m < centres.xy.size(); ++m) {
    const auto [x, y] = centres.xy[m];
    check(x >= 0 && x < W && y >= 0 && y < H, "CIDHead: a centre at (", x, ", ", y, ") of maps ",
          features.shape());
    rows.push_back((centres.image[m] * H + y) * W + x);
  }
  return index_select(reshape(features, {-1, features.size(3)}), 0, index_of(rows));
}

Tensor bounded_sigmoid(const Tensor& x) { return clamp(sigmoid(x), 1e-4, 1 - 1e-4); }

FeatureDecoupling::FeatureDecoupling(const Scope& s, int64_t in, int64_t width, int64_t keypoints)
    : down_(s / "conv_down", {.in = in, .out = width}),
      channel_(s / "channel_attention" / "atn", in, width),
      spatial_(s / "spatial_attention" / "atn", in, width),
      spatial_conv_(s / "spatial_attention" / "conv",
                    ConvOptions::square(3, 1, 5, 1, 1, /*bias=*/true)),
      fuse_(s / "fuse_attention", {.in = 2 * width, .out = width}),
      heat_(s / "heatmap_conv", {.in = width, .out = keypoints}) {}

// image: (M, H, W, C) -> (M, H, W, 1).
Tensor FeatureDecoupling::spatial_mask(const Tensor& image, const Tensor& people,
                                       const Centres& centres) const {
  const int64_t M = image.size(0), H = image.size(1), W = image.size(2), C = image.size(3);
  const Tensor query = reshape(spatial_(people), {M, C, 1});
  const Tensor alike = reshape(matmul(reshape(image, {M, H * W, C}), query), {M, H, W, 1});
  const Tensor places = relative_places(centres, H, W, image.dtype());
  return sigmoid(spatial_conv_(concat({alike, places}, -1)));
}

Tensor FeatureDecoupling::operator()(const Tensor& features, const Tensor& people,
                                     const Centres& centres) const {
  const Tensor image = index_select(down_(features), 0, index_of(centres.image));
  const Tensor by_channel =
      image * reshape(channel_(people), {image.size(0), 1, 1, image.size(3)});  // M may be 0
  const Tensor by_place = image * spatial_mask(image, people, centres);
  const Tensor own = relu(fuse_(concat({by_channel, by_place}, -1)));
  return maps_first(bounded_sigmoid(heat_(own)));
}

}  // namespace limber
