#include "pose/heads/edpose_maps.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "tensor/op.h"
#include "tensor/ops.h"

namespace limber {
namespace {

constexpr double kTau = 2 * std::numbers::pi;

// How many of n map positions take their pixel, floor(i frame / n), from the first `image` of
// `frame`: nearest resizing of a mask.
int64_t valid_extent(int64_t n, int64_t frame, int64_t image) {
  const float step = float(frame) / float(n);
  int64_t count = 0;
  while (count < n && int64_t(float(count) * step) < image) ++count;
  return count;
}

// body(sample, map, row, column, token) for all tokens.
template <class Body>
void for_tokens(const TokenMaps& maps, const Body& body) {
  for (int64_t n = 0; n < maps.samples(); ++n) {
    int64_t token = 0;
    for (size_t l = 0; l < maps.sizes.size(); ++l)
      for (int64_t y = 0; y < maps.sizes[l][0]; ++y)
        for (int64_t x = 0; x < maps.sizes[l][1]; ++x) body(n, l, y, x, token++);
  }
}

bool is_image(const TokenMaps& maps, int64_t n, size_t l, int64_t y, int64_t x) {
  const auto& [rows, columns] = maps.valid[size_t(n)][l];
  return y < rows && x < columns;
}

// temperature^(2 floor(i / 2) / features), i even: one divisor for each pair of sine and cosine.
std::vector<double> periods(int64_t features, double temperature) {
  std::vector<double> all;
  for (int64_t i = 0; i < features; i += 2)
    all.push_back(std::pow(temperature, double(i) / double(features)));
  return all;
}

// Sine and cosine of each position by each divisor: (positions, 2 divisors).
std::vector<double> sines(const std::vector<double>& positions,
                          const std::vector<double>& divisors) {
  std::vector<double> all;
  for (double position : positions)
    for (double divisor : divisors) {
      all.push_back(std::sin(position / divisor));
      all.push_back(std::cos(position / divisor));
    }
  return all;
}

// The positions of n rows or columns of which `valid` are image: they count from 1 and stop at the
// image's end. The last one, 0, is that of all lines off the image.
std::vector<double> line_positions(int64_t n, int64_t valid, const SinePositions& o) {
  const double scale = o.scale == 0 ? kTau : o.scale;
  std::vector<double> all;
  for (int64_t i = 0; i < n; ++i) {
    const auto count = double(std::min(i + 1, valid));
    all.push_back(o.normalise ? count / (double(valid) + 1e-6) * scale : count);
  }
  all.push_back(0);
  return all;
}

}  // namespace

TokenMaps lay_out_maps(const Features& features, ConstBatch samples) {
  TokenMaps maps;
  maps.dtype = features[0].dtype();
  const int64_t N = features[0].size(0);
  check(samples.empty() || int64_t(samples.size()) == N, "EDPoseHead: ", samples.size(),
        " samples for features of ", N);
  for (const Tensor& map : features) {
    check(map.rank() == 4 && map.size(0) == N, "EDPoseHead: feature map ", map.shape(),
          " in a batch of ", N);
    maps.sizes.push_back({map.size(1), map.size(2)});
    maps.tokens += map.size(1) * map.size(2);
  }
  bool padded = false;
  for (int64_t n = 0; n < N; ++n) {
    MapSizes& valid = maps.valid.emplace_back(maps.sizes);
    if (samples.empty()) continue;
    const SampleMeta& meta = samples[size_t(n)].meta;
    const auto frame = meta.more.find("batch_input_shape");
    if (frame == meta.more.end() || meta.img_shape[0] == 0) continue;
    const int64_t* extents = frame->second.at(0).data<int64_t>();
    for (size_t l = 0; l < valid.size(); ++l)
      for (size_t d = 0; d < 2; ++d) {
        valid[l][d] = valid_extent(maps.sizes[l][d], extents[d], meta.img_shape[d]);
        padded |= valid[l][d] < maps.sizes[l][d];
      }
  }
  const Device device = features[0].device();
  const DeviceScope on_host({});
  const auto L = int64_t(maps.sizes.size());
  Tensor ratios = Tensor::empty({N, L, 2}, DType::f64);
  for (int64_t n = 0; n < N; ++n)
    for (int64_t l = 0; l < L; ++l)
      for (int64_t d = 0; d < 2; ++d)
        ratios.data<double>()[(n * L + l) * 2 + d] =
            double(float(maps.valid[size_t(n)][size_t(l)][size_t(1 - d)]) /
                   float(maps.sizes[size_t(l)][size_t(1 - d)]));
  maps.ratios = ratios.to(maps.dtype).to(device);
  if (padded) {
    Tensor keep = Tensor::empty({N, maps.tokens, 1});
    for_tokens(maps, [&](int64_t n, size_t l, int64_t y, int64_t x, int64_t token) {
      keep.data<float>()[n * maps.tokens + token] = is_image(maps, n, l, y, x) ? 1 : 0;
    });
    maps.keep = keep.to(maps.dtype).to(device);
  }
  return maps;
}

Tensor join_maps(const Features& maps) {
  std::vector<Tensor> parts;
  for (const Tensor& map : maps) parts.push_back(reshape(map, {map.size(0), -1, map.size(3)}));
  return concat(parts, 1);
}

Tensor sine_positions(const TokenMaps& maps, const SinePositions& o) {
  const std::vector<double> by_row = periods(o.features, o.temperature_y);
  const std::vector<double> by_column = periods(o.features, o.temperature_x);
  const int64_t F = o.features;
  const DeviceScope on_host({});
  Tensor out = Tensor::empty({maps.samples(), maps.tokens, 2 * F}, DType::f64);
  double* to = out.data<double>();
  for (const MapSizes& valid : maps.valid)
    for (size_t l = 0; l < maps.sizes.size(); ++l) {
      const auto [H, W] = maps.sizes[l];
      const auto [h, w] = valid[l];
      const std::vector<double> rows = sines(line_positions(H, h, o), by_row);
      const std::vector<double> columns = sines(line_positions(W, w, o), by_column);
      for (int64_t y = 0; y < H; ++y)
        for (int64_t x = 0; x < W; ++x, to += 2 * F) {
          std::copy_n(rows.data() + (x < w ? y : H) * F, F, to);
          std::copy_n(columns.data() + (y < h ? x : W) * F, F, to + F);
        }
    }
  return out.to(maps.dtype).to(maps.ratios.device());
}

Tensor token_points(const TokenMaps& maps) {
  const auto L = int64_t(maps.sizes.size());
  const DeviceScope on_host({});
  Tensor out = Tensor::empty({maps.samples(), maps.tokens, L, 2}, DType::f64);
  const Tensor ratios = maps.ratios.to(Device{}).to(DType::f64);
  for_tokens(maps, [&](int64_t n, size_t l, int64_t y, int64_t x, int64_t token) {
    const double* ratio = ratios.data<double>() + n * L * 2;
    const double at[] = {(double(x) + 0.5) / (ratio[2 * l] * double(maps.sizes[l][1])),
                         (double(y) + 0.5) / (ratio[2 * l + 1] * double(maps.sizes[l][0]))};
    double* to = out.data<double>() + (n * maps.tokens + token) * L * 2;
    for (int64_t i = 0; i < 2 * L; ++i) to[i] = at[i % 2] * ratio[i];
  });
  return out.to(maps.dtype).to(maps.ratios.device());
}

Proposals propose_boxes(const TokenMaps& maps) {
  constexpr double kFar = 1e4;  // sigmoid(kFar) = 1
  const Device device = maps.ratios.device();
  const DeviceScope on_host({});
  Tensor logits = Tensor::full({maps.samples(), maps.tokens, 4}, kFar, DType::f64);
  Tensor usable = Tensor::zeros({maps.samples(), maps.tokens, 1}, DType::f64);
  for_tokens(maps, [&](int64_t n, size_t l, int64_t y, int64_t x, int64_t token) {
    const auto& [rows, columns] = maps.valid[size_t(n)][l];
    const double size = 0.05 * std::exp2(double(l));
    const double box[] = {(double(x) + 0.5) / double(columns), (double(y) + 0.5) / double(rows),
                          size, size};
    const bool central = std::ranges::all_of(box, [](double v) { return v > 0.01 && v < 0.99; });
    if (!central || !is_image(maps, n, l, y, x)) return;
    const int64_t at = n * maps.tokens + token;
    usable.data<double>()[at] = 1;
    for (int64_t i = 0; i < 4; ++i)
      logits.data<double>()[4 * at + i] = std::log(box[i] / (1 - box[i]));
  });
  return {logits.to(maps.dtype).to(device), usable.to(maps.dtype).to(device)};
}

Tensor sine_of_boxes(const Tensor& boxes, int64_t features) {
  const NoRecord no_record;
  const int64_t N = boxes.size(0), Q = boxes.size(1);
  std::vector<double> factors = periods(features, 10000);
  for (double& f : factors) f = kTau / f;
  const auto count = int64_t(factors.size());
  const Tensor yxwh = index_select(boxes, 2, Tensor::from(std::vector<int64_t>{1, 0, 2, 3}, {4}));
  const Tensor angles =
      reshape(yxwh, {N, Q, 4, 1}) * Tensor::from(factors, {1, 1, 1, count}).to(boxes.dtype());
  const std::vector<Tensor> waves{sin(angles), cos(angles)};
  return reshape(stack(waves, -1), {N, Q, 8 * count});
}

}  // namespace limber
