#include "pose/necks/fpn.h"

#include "nn/blocks/conv_module.h"
#include "pose/core/layer_config.h"

namespace limber {
namespace {

// Where the first level beyond the backbone's comes from.
enum class Extra : uint8_t { pool, on_input, on_lateral, on_output };

Extra read_extra(const Config& value) {
  if (value.is_null()) return Extra::pool;
  if (!value.is_string()) return value.as<bool>() ? Extra::on_input : Extra::pool;
  const auto name = value.as<std::string>();
  if (name == "on_input") return Extra::on_input;
  if (name == "on_lateral") return Extra::on_lateral;
  if (name == "on_output") return Extra::on_output;
  fail_input(value.path(), ": unknown source \"", name, "\"",
             did_you_mean(name, {"on_input", "on_lateral", "on_output"}));
}

class Fpn : public Neck {
 public:
  Fpn(const Config& c, const Scope& s)
      : extra_(read_extra(c.find("add_extra_convs"))),
        relu_before_extra_(c.get("relu_before_extra_convs", false)),
        start_(size_t(c.get("start_level", 0))),
        outs_(size_t(c.get<int>("num_outs"))),
        up_(read_upsampling(c.find("upsample_cfg"))) {
    const auto in = c.get<std::vector<int64_t>>("in_channels");
    const auto out = c.get<int64_t>("out_channels");
    inputs_ = in.size();
    const int end_level = c.get("end_level", -1);
    end_ = end_level < 0 ? inputs_ : size_t(end_level) + 1;
    check_input(start_ < end_ && end_ <= inputs_ && outs_ >= end_ - start_ &&
                    (end_ == inputs_ || outs_ == end_ - start_),
                c.path(), ": num_outs ", outs_, " does not fit levels ", start_, " to ", end_ - 1,
                " of ", inputs_);
    const NormOptions norm = read_norm(c.find("norm_cfg"));
    const bool plain_lateral = c.get("no_norm_on_lateral", false);
    const NormOptions lateral_norm = plain_lateral ? NormOptions{.type = NormType::none} : norm;
    const ActOptions act = read_act(c.find("act_cfg"));
    c.find("conv_cfg");
    const auto add_output = [&](int64_t from, int stride) {
      fpn_.emplace_back(s / "fpn_convs" / int(fpn_.size()),
                        ConvOptions::square(from, out, 3, stride, 1, true), norm, act);
    };
    for (size_t i = start_; i < end_; ++i) {
      lateral_.emplace_back(s / "lateral_convs" / int(lateral_.size()),
                            ConvOptions{.in = in[i], .out = out}, lateral_norm, act);
      add_output(out, 1);
    }
    if (extra_ != Extra::pool)
      for (size_t i = lateral_.size(); i < outs_; ++i)
        add_output(i == lateral_.size() && extra_ == Extra::on_input ? in[end_ - 1] : out, 2);
    initialise_convolutions(s, init::xavier(1, init::Distribution::uniform));
  }

  Features operator()(const Features& maps) const override {
    check(maps.size() == inputs_, "FPN: ", maps.size(), " maps for ", inputs_, " in_channels");
    std::vector<Tensor> laterals;
    for (size_t i = 0; i < lateral_.size(); ++i) laterals.push_back(lateral_[i](maps[start_ + i]));
    for (size_t i = laterals.size(); --i > 0;) {
      Tensor& finer = laterals[i - 1];
      finer = finer + upsample(up_, laterals[i], finer.size(1), finer.size(2));
    }
    Features out;
    for (size_t i = 0; i < laterals.size(); ++i) out.push_back(fpn_[i](laterals[i]));
    while (out.size() < outs_) out.push_back(beyond(maps, laterals, out));
    return out;
  }

 private:
  // The next level beyond the backbone's.
  Tensor beyond(const Features& maps, const std::vector<Tensor>& laterals,
                const Features& out) const {
    if (extra_ == Extra::pool) return max_pool2d(out.back(), {.kernel = {1, 1}, .stride = {2, 2}});
    const ConvModule& conv = fpn_[out.size()];
    if (out.size() > laterals.size())
      return conv(relu_before_extra_ ? relu(out.back()) : out.back());
    switch (extra_) {
      case Extra::on_input:
        return conv(maps[end_ - 1]);
      case Extra::on_lateral:
        return conv(laterals.back());
      default:
        return conv(out.back());
    }
  }

  Extra extra_;
  bool relu_before_extra_;
  size_t inputs_ = 0, start_, end_ = 0, outs_;
  Upsampling up_;
  std::vector<ConvModule> lateral_, fpn_;
};

}  // namespace

std::unique_ptr<Neck> make_fpn(const Config& config, const Scope& scope) {
  return std::make_unique<Fpn>(config, scope);
}

}  // namespace limber
