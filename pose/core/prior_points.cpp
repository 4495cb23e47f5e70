#include "pose/core/prior_points.h"

#include "pose/core/factory.h"
#include "pose/core/layer_config.h"

namespace limber {

PriorPoints::PriorPoints(const Config& c) {
  if (!c.is_null() && without_scope(c.type()) != "MlvlPointGenerator")
    c.fail("unknown prior generator \"", c.type(), "\"",
           did_you_mean(c.type(), {"MlvlPointGenerator"}));
  const Config strides = c.at("strides");
  for (size_t i = 0; i < strides.size(); ++i) strides_.push_back(read_pair(strides.at(i)));
  check_input(!strides_.empty(), c.where(), ": no strides");
  for (const auto& [rows, columns] : strides_)
    check_input(rows > 0 && columns > 0, c.where(), ": strides must be positive");
  offset_ = c.get("offset", 0.5);
  centralize_ = c.get("centralize_points", false);
  c.expect_all_read();
}

Tensor PriorPoints::operator()(std::span<const std::array<int64_t, 2>> sizes, DType dtype) const {
  check(sizes.size() == strides_.size(), "prior points: ", sizes.size(), " maps, ", strides_.size(),
        " strides");
  std::vector<float> rows;
  const auto place = [this](int64_t i, int stride) {
    return float(centralize_ ? double(i * stride) + (stride - 1) / 2.0
                             : (double(i) + offset_) * stride);
  };
  for (size_t level = 0; level < sizes.size(); ++level) {
    const auto [H, W] = sizes[level];
    const auto [sy, sx] = strides_[level];
    for (int64_t h = 0; h < H; ++h)
      for (int64_t w = 0; w < W; ++w)
        rows.insert(rows.end(), {place(w, sx), place(h, sy), float(sx), float(sy)});
  }
  return Tensor::from(rows, {int64_t(rows.size() / 4), 4}).to(dtype);
}

}  // namespace limber
