#include "pose/necks/channel_mapper.h"

#include "nn/blocks/conv_module.h"
#include "pose/core/layer_config.h"

namespace limber {
namespace {

class ChannelMapper : public Neck {
 public:
  ChannelMapper(const Config& c, const Scope& s) {
    const auto in = c.get<std::vector<int64_t>>("in_channels");
    const auto out = c.get<int64_t>("out_channels");
    const int kernel = c.get("kernel_size", 3), outs = c.get("num_outs", int(in.size()));
    const NormOptions norm = read_norm(c.find("norm_cfg"));
    // An explicit null is no activation, an absent key a ReLU.
    const ActOptions act =
        c.contains("act_cfg") ? read_act(c.find("act_cfg")) : ActOptions{ActType::relu};
    const Config bias = c.find("bias");
    const bool with_bias = bias.is_null() || bias.is_string() || bias.as<bool>();
    check_input(!in.empty(), c.path(), ".in_channels: empty");
    c.find("conv_cfg");
    for (size_t i = 0; i < in.size(); ++i)
      convs_.emplace_back(s / "convs" / int(i),
                          ConvOptions::square(in[i], out, kernel, 1, 1, with_bias), norm, act);
    for (int i = int(in.size()); i < outs; ++i) {
      const int64_t from = extra_.empty() ? in.back() : out;
      extra_.emplace_back(s / "extra_convs" / int(extra_.size()),
                          ConvOptions::square(from, out, 3, 2, 1, with_bias), norm, act);
    }
    initialise_convolutions(s, init::xavier(1, init::Distribution::uniform));
  }

  Features operator()(const Features& maps) const override {
    check(maps.size() == convs_.size(), "ChannelMapper: ", maps.size(), " maps for ", convs_.size(),
          " in_channels");
    Features out;
    for (size_t i = 0; i < maps.size(); ++i) out.push_back(convs_[i](maps[i]));
    for (size_t i = 0; i < extra_.size(); ++i)
      out.push_back(extra_[i](i == 0 ? maps.back() : out.back()));
    return out;
  }

 private:
  std::vector<ConvModule> convs_, extra_;
};

}  // namespace

std::unique_ptr<Neck> make_channel_mapper(const Config& config, const Scope& scope) {
  return std::make_unique<ChannelMapper>(config, scope);
}

}  // namespace limber
