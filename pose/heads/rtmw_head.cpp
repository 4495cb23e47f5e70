#include "pose/heads/rtmw_head.h"

#include "nn/blocks/conv_module.h"
#include "pose/heads/rtmcc_head.h"
#include "pose/heads/simcc_base.h"

namespace limber {
namespace {

class RTMWHead : public SimCCBase {
 public:
  RTMWHead(const Config& c, const Scope& s) : SimCCBase(c, s) {
    const auto in = c.get<int64_t>("in_channels"), K = c.get<int64_t>("out_channels");
    const int kernel = c.get("final_layer_kernel_size", 1);
    const auto conv = [&](const char* name, int64_t from, int64_t to) {
      ConvOptions o = ConvOptions::square(from, to, kernel);
      o.padding = {kernel / 2, kernel / 2};
      return ConvModule(s / name, o, NormOptions{}, ActOptions{ActType::relu});
    };
    unfold_ = conv("conv_dec", in / 4, in / 4);
    coarse_ = conv("final_layer", in, K);
    fine_ = conv("final_layer2", in / 2 + in / 4, K);
    const GauOptions gau = read_gau(c, K);
    const int64_t pixels = int64_t(map_size_[0]) * map_size_[1];
    coarse_tokens_ = MapsToTokens(s / "mlp", pixels, gau.in / 2);
    fine_tokens_ = MapsToTokens(s / "mlp2", 4 * pixels, gau.in / 2);
    gau_ = Gau(s / "gau", gau);
    x_ = Linear(s / "cls_x", gau.out, bins_x(), /*with_bias=*/false);
    y_ = Linear(s / "cls_y", gau.out, bins_y(), /*with_bias=*/false);
    initialise_rtm_head(s);
  }

 protected:
  AxisLogits logits(const Features& features) const override {
    check(features.size() == 2, "RTMWHead: two feature maps expected, not ", features.size());
    const Tensor &fine = features[0], &coarse = features[1];
    const Tensor unfolded = unfold_(pixel_shuffle(coarse, 2));
    const Tensor from_coarse = coarse_tokens_(coarse_(coarse));
    const Tensor from_fine = fine_tokens_(fine_(concat({unfolded, fine}, -1)));
    const Tensor tokens = gau_(concat({from_coarse, from_fine}, -1));
    return {x_(tokens), y_(tokens)};
  }

 private:
  ConvModule unfold_, coarse_, fine_;
  MapsToTokens coarse_tokens_, fine_tokens_;
  Gau gau_;
  Linear x_, y_;
};

}  // namespace

std::unique_ptr<Head> make_rtmw_head(const Config& config, const Scope& scope) {
  return std::make_unique<RTMWHead>(config, scope);
}

}  // namespace limber
