#include "pose/necks/pafpn.h"

#include "nn/blocks/csp.h"
#include "pose/core/layer_config.h"

namespace limber {
namespace {

class Pafpn : public Neck {
 public:
  Pafpn(const Config& c, const Scope& s, CspBlock block)
      : widths_(c.get<std::vector<int64_t>>("in_channels")),
        norm_(read_norm(c, "norm_cfg", {.momentum = 0.03, .eps = 1e-3})),
        act_(read_act(c, "act_cfg", {ActType::silu})) {
    const Config up = c.find("upsample_cfg");
    if (!up.is_null()) up_ = read_upsampling(up);
    csp_ = {.num_blocks = c.get("num_csp_blocks", 3),
            .add_identity = false,
            .use_depthwise = c.get("use_depthwise", false),
            .block = block,
            .norm = norm_,
            .act = act_};
    if (block == CspBlock::cspnext) {
      csp_.expand_ratio = c.get("expand_ratio", 0.5);
      out_indices_ = c.get("out_indices", std::vector<int>{0, 1, 2});
    }
    c.find("conv_cfg");
    const int last = int(widths_.size()) - 1;
    for (int i = last; i > 0; --i) {
      const int64_t coarse = widths_[size_t(i)], fine = widths_[size_t(i - 1)];
      reduce_.emplace_back(s / "reduce_layers" / (last - i), ConvOptions::square(coarse, fine, 1),
                           norm_, act_);
      top_down_.push_back(csp_layer(s / "top_down_blocks" / (last - i), 2 * fine, fine));
    }
    for (int i = 0; i < last; ++i) {
      const int64_t fine = widths_[size_t(i)], coarse = widths_[size_t(i + 1)];
      down_.emplace_back(s / "downsamples" / i, ConvOptions::square(fine, fine, 3, 2),
                         csp_.use_depthwise, norm_, act_);
      bottom_up_.push_back(csp_layer(s / "bottom_up_blocks" / i, 2 * fine, coarse));
    }
    if (block == CspBlock::cspnext) {
      make_outputs(c, s, 3, csp_.use_depthwise);
    } else {
      make_outputs(c, s, 1, false);
    }
  }

  Features operator()(const Features& maps) const override {
    check(maps.size() == widths_.size(), "PAFPN: ", maps.size(), " maps for ", widths_.size(),
          " in_channels");
    Features inner = maps;
    for (size_t i = maps.size(); --i > 0;) {
      const size_t step = maps.size() - 1 - i;
      inner[i] = reduce_[step](inner[i]);
      const Tensor up = upsample(up_, inner[i], maps[i - 1].size(1), maps[i - 1].size(2));
      inner[i - 1] = top_down_[step](concat({up, maps[i - 1]}, -1));
    }
    Features all{inner[0]};
    for (size_t i = 0; i + 1 < maps.size(); ++i)
      all.push_back(bottom_up_[i](concat({down_[i](all[i]), inner[i + 1]}, -1)));
    for (size_t i = 0; i < out_.size(); ++i) all[i] = out_[i](all[i]);
    if (out_indices_.empty()) return all;
    Features chosen;
    for (int index : out_indices_) chosen.push_back(all.at(size_t(index)));
    return chosen;
  }

 private:
  CspLayer csp_layer(const Scope& s, int64_t in, int64_t out) const {
    CspOptions o = csp_;
    o.in = in;
    o.out = out;
    return {s, o};
  }

  // out_channels null: the maps go out as they are.
  void make_outputs(const Config& c, const Scope& s, int kernel, bool depthwise) {
    for (int index : out_indices_)
      check_input(index >= 0 && index < int(widths_.size()), c.path(), ".out_indices: no map ",
                  index, ", there are ", widths_.size());
    if (!c.has("out_channels")) return;
    const auto out = c.get<int64_t>("out_channels");
    for (size_t i = 0; i < widths_.size(); ++i)
      out_.emplace_back(s / "out_convs" / int(i), ConvOptions::square(widths_[i], out, kernel),
                        depthwise, norm_, act_);
  }

  std::vector<int64_t> widths_;
  NormOptions norm_;
  ActOptions act_;
  Upsampling up_{.scale = 2};
  CspOptions csp_;
  std::vector<int> out_indices_;  // empty: all
  std::vector<ConvModule> reduce_;
  std::vector<CspLayer> top_down_, bottom_up_;
  std::vector<MaybeSeparable> down_, out_;
};

}  // namespace

std::unique_ptr<Neck> make_yolox_pafpn(const Config& config, const Scope& scope) {
  return std::make_unique<Pafpn>(config, scope, CspBlock::darknet);
}

std::unique_ptr<Neck> make_cspnext_pafpn(const Config& config, const Scope& scope) {
  return std::make_unique<Pafpn>(config, scope, CspBlock::cspnext);
}

}  // namespace limber
