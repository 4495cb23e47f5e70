#include "pose/heads/instance_maps.h"

#include <algorithm>

#include "pose/core/pieces.h"
#include "pose/heads/heatmap_layers.h"
#include "tensor/op.h"
#include "tensor/ops.h"

namespace limber {

Tensor batch_heatmap_mask(ConstBatch samples) {
  if (!samples[0].fields.contains("heatmap_mask")) return {};
  const Tensor mask = batch_fields(samples, "heatmap_mask");
  return reshape(mask, {mask.size(0), 1, mask.size(-2), mask.size(-1)});
}

std::array<int, 2> batch_shape(const SampleMeta& meta) {
  const auto it = meta.more.find("batch_shape");
  if (it == meta.more.end()) return {0, 0};
  const int64_t* shape = it->second.at(0).data<int64_t>();
  return {int(shape[0]), int(shape[1])};
}

std::array<int, 2> covered_shape(const SampleMeta& meta) {
  const std::array<int, 2> known = batch_shape(meta);
  return known[0] > 0 ? known : std::array{meta.input_size[1], meta.input_size[0]};
}

Tensor resized_maps(const Tensor& maps, std::array<int, 2> size, bool align_corners) {
  const auto [H, W] = size;
  if (H == 0 || (maps.size(2) == H && maps.size(3) == W)) return maps;
  const Tensor last = permute(maps, {0, 2, 3, 1});
  return maps_first(resize(last, H, W, Interpolation::bilinear, align_corners));
}

std::unique_ptr<Loss> named_loss(const Config& head, const Scope& s, const char* key,
                                 const char* fallback) {
  const Config given = head.find(key);
  return make_loss(given.is_null() ? Config::parse(fallback, key) : given, s / "loss_module" / key);
}

namespace {

// y = (x + mean of the window of 2 reach + 1 pixels around x) / 2 of one map. `sums` has width +
// 2 reach numbers: a column's sum in the window, with zeros on both sides.
template <class T>
void smooth(T* y, const T* x, int64_t height, int64_t width, int64_t reach, T* sums) {
  const T share = T(1) / T((2 * reach + 1) * (2 * reach + 1));
  std::fill_n(sums, width + 2 * reach, T(0));
  for (int64_t v = 0; v < height; ++v) {
    const int64_t first = std::max<int64_t>(0, v - reach), last = std::min(height - 1, v + reach);
    for_pieces(width, [&](int64_t u, auto count) {
      T total[kPiece] = {};
      for (int64_t row = first; row <= last; ++row)
        for (int64_t i = 0; i < count; ++i) total[i] += x[row * width + u + i];
      std::copy_n(total, int64_t(count), sums + reach + u);
    });
    for_pieces(width, [&](int64_t u, auto count) {
      T total[kPiece];
      std::copy_n(sums + u, int64_t(count), total);
      for (int64_t c = 1; c <= 2 * reach; ++c)
        for (int64_t i = 0; i < count; ++i) total[i] += sums[u + c + i];
      const T* from = x + v * width + u;
      for (int64_t i = 0; i < count; ++i) total[i] = (from[i] + total[i] * share) / 2;
      std::copy_n(total, int64_t(count), y + v * width + u);
    });
  }
}

template <class T>
void smooth_all(const Tensor& y, const Tensor& x, int64_t reach) {
  const int64_t height = x.size(2), width = x.size(3), area = height * width;
  kernels::parallel_for(default_exec(), x.size(0) * x.size(1), 1, [&](int64_t begin, int64_t end) {
    T* sums = static_cast<T*>(kernels::thread_scratch(size_t(width + 2 * reach) * sizeof(T)));
    for (int64_t map = begin; map < end; ++map)
      smooth(y.data<T>() + map * area, x.data<T>() + map * area, height, width, reach, sums);
  });
}

}  // namespace

Tensor smoothed_maps(const Tensor& maps, int kernel) {
  check_input(kernel >= 1 && kernel % 2 == 1, "test_cfg.blur_kernel_size: odd, not ", kernel);
  const DeviceScope on_host({});
  const Tensor given = maps.to(Device{}), smooth = Tensor::empty(maps.shape(), maps.dtype());
  maps.dtype() == DType::f64 ? smooth_all<double>(smooth, given, kernel / 2)
                             : smooth_all<float>(smooth, given, kernel / 2);
  return smooth;
}

}  // namespace limber
