// Necks without parameters: pooling, and choosing or merging feature maps.
#include "pose/necks/simple.h"

#include <cmath>

namespace limber {
namespace {

// (N, H, W, C) -> (N, C), each map.
struct GlobalAveragePooling : Neck {
  Features operator()(const Features& maps) const override {
    Features out;
    for (const Tensor& map : maps) out.push_back(mean(map, {1, 2}));
    return out;
  }
};

struct FeatureMapProcessor : Neck {
  std::vector<int> select;  // empty: all
  bool concat_maps, relu_before_scaling, align_corners;
  double scale;

  explicit FeatureMapProcessor(const Config& c)
      : concat_maps(c.get("concat", false)),
        relu_before_scaling(c.get("apply_relu", false)),
        align_corners(c.get("align_corners", false)),
        scale(c.get("scale_factor", 1.0)) {
    const Config index = c.find("select_index");
    if (index.is_list()) {
      select = index.as<std::vector<int>>();
    } else if (!index.is_null()) {
      select = {index.as<int>()};
    }
  }

  Features operator()(const Features& all) const override {
    Features maps;
    for (int index : select) {
      const int count = int(all.size()), at = index < 0 ? index + count : index;
      check(at >= 0 && at < count, "FeatureMapProcessor: select_index ", index, " of ", count,
            " maps");
      maps.push_back(all[size_t(at)]);
    }
    if (select.empty()) maps = all;
    if (concat_maps) {
      for (Tensor& map : maps)
        if (map.size(1) != maps[0].size(1) || map.size(2) != maps[0].size(2))
          map =
              resize(map, maps[0].size(1), maps[0].size(2), Interpolation::bilinear, align_corners);
      maps = {concat(maps, -1)};
    }
    for (Tensor& map : maps) {
      if (relu_before_scaling) map = relu(map);
      if (scale != 1.0)
        map = resize(map, int64_t(std::floor(double(map.size(1)) * scale)),
                     int64_t(std::floor(double(map.size(2)) * scale)), Interpolation::bilinear,
                     align_corners);
    }
    return maps;
  }
};

}  // namespace

std::unique_ptr<Neck> make_global_average_pooling(const Config&, const Scope&) {
  return std::make_unique<GlobalAveragePooling>();
}

std::unique_ptr<Neck> make_feature_map_processor(const Config& config, const Scope&) {
  return std::make_unique<FeatureMapProcessor>(config);
}

}  // namespace limber
