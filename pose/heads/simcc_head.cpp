#include "pose/heads/simcc_head.h"

#include "pose/heads/heatmap_layers.h"
#include "pose/heads/simcc_base.h"

namespace limber {
namespace {

class SimCCHead : public SimCCBase {
 public:
  SimCCHead(const Config& c, const Scope& s) : SimCCBase(c, s) {
    const auto type = c.get<std::string>("deconv_type", "heatmap");
    check_input(type == "heatmap" || type == "vipnas", c.path(),
                ".deconv_type: \"heatmap\" or \"vipnas\", not \"", type, "\"");
    const auto K = c.get<int64_t>("out_channels");
    const auto in = c.get<int64_t>("in_channels");
    const size_t deconvs = deconv_widths(c, {256, 256, 256}).size();
    // Options that the other kinds of layers read.
    for (const char* key : {"deconv_num_groups", "deconv_kernel_sizes", "conv_out_channels",
                            "conv_kernel_sizes", "final_layer"})
      c.find(key);
    if (deconvs > 0) {
      const DeconvKind kind = type == "vipnas" ? DeconvKind::vipnas : DeconvKind::plain;
      layers_.emplace(c, s / "deconv_head", K, kind);
    } else {
      final_ = read_final_layer(c, s / "final_layer", in, K);
    }
    const int64_t pixels = int64_t(map_size_[0]) * map_size_[1] << (2 * deconvs);
    x_ = Linear(s / "mlp_head_x", pixels, bins_x());
    y_ = Linear(s / "mlp_head_y", pixels, bins_y());
    initialise_head_convolutions(s);
    s.store().initialise_layers(s.path(), "Linear", "weight", init::normal(0, 0.01));
    s.store().initialise_layers(s.path(), "Linear", "bias", init::constant(0));
  }

 protected:
  AxisLogits logits(const Features& features) const override {
    Tensor maps = features.back();
    if (layers_) {
      maps = (*layers_)(maps);
    } else if (final_) {
      maps = (*final_)(maps);
    }
    const Tensor flat = flat_maps(maps);
    return {x_(flat), y_(flat)};
  }

 private:
  std::optional<HeatmapLayers> layers_;
  std::optional<Conv2d> final_;
  Linear x_, y_;
};

}  // namespace

std::unique_ptr<Head> make_simcc_head(const Config& config, const Scope& scope) {
  return std::make_unique<SimCCHead>(config, scope);
}

}  // namespace limber
