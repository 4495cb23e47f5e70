#include "pose/heads/rtmcc_head.h"

#include "pose/heads/heatmap_layers.h"
#include "pose/heads/simcc_base.h"

namespace limber {

GauOptions read_gau(const Config& head, int64_t tokens) {
  GauOptions o{.tokens = tokens, .in = 256, .out = 256};
  o.act = {ActType::relu};
  o.relative_bias = false;
  const Config c = head.find("gau_cfg");
  if (c.is_null()) return o;
  o.in = o.out = c.get<int64_t>("hidden_dims", 256);
  o.s = c.get<int64_t>("s", 128);
  o.expansion = c.get("expansion_factor", 2.0);
  o.dropout = c.get("dropout_rate", 0.0);
  o.drop_path = c.get("drop_path", 0.0);
  const auto act = c.get<std::string>("act_fn", "ReLU");
  check_input(act == "SiLU" || act == "ReLU", c.path(), ".act_fn: \"SiLU\" or \"ReLU\", not \"",
              act, "\"");
  if (act == "SiLU") o.act = {ActType::silu};
  o.relative_bias = c.get("use_rel_bias", false);
  o.rotary = c.get("pos_enc", false);
  c.expect_all_read();
  return o;
}

MapsToTokens::MapsToTokens(const Scope& s, int64_t pixels, int64_t width)
    : norm(s / 0), linear(s / 1, pixels, width, /*with_bias=*/false) {}

Tensor MapsToTokens::operator()(const Tensor& maps) const { return linear(norm(flat_maps(maps))); }

void initialise_rtm_head(const Scope& s) {
  s.store().initialise_layers(s.path(), "Conv2d", "weight", init::normal(0, 0.001));
  s.store().initialise_layers(s.path(), "Conv2d", "bias", init::constant(0));
  s.store().initialise_layers(s.path(), "Linear", "weight", init::normal(0, 0.01));
}

namespace {

class RTMCCHead : public SimCCBase {
 public:
  RTMCCHead(const Config& c, const Scope& s) : SimCCBase(c, s) {
    const auto in = c.get<int64_t>("in_channels"), K = c.get<int64_t>("out_channels");
    const int kernel = c.get("final_layer_kernel_size", 1);
    final_ = Conv2d(
        s / "final_layer",
        {.in = in, .out = K, .kernel = {kernel, kernel}, .padding = {kernel / 2, kernel / 2}});
    const GauOptions gau = read_gau(c, K);
    tokens_ = MapsToTokens(s / "mlp", int64_t(map_size_[0]) * map_size_[1], gau.in);
    gau_ = Gau(s / "gau", gau);
    x_ = Linear(s / "cls_x", gau.out, bins_x(), /*with_bias=*/false);
    y_ = Linear(s / "cls_y", gau.out, bins_y(), /*with_bias=*/false);
    initialise_rtm_head(s);
  }

 protected:
  AxisLogits logits(const Features& features) const override {
    const Tensor tokens = gau_(tokens_(final_(features.back())));
    return {x_(tokens), y_(tokens)};
  }

 private:
  Conv2d final_;
  MapsToTokens tokens_;
  Gau gau_;
  Linear x_, y_;
};

}  // namespace

std::unique_ptr<Head> make_rtmcc_head(const Config& config, const Scope& scope) {
  return std::make_unique<RTMCCHead>(config, scope);
}

}  // namespace limber
