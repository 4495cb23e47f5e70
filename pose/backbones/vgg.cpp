#include "pose/backbones/vgg.h"

#include <optional>

#include "nn/blocks/conv_module.h"
#include "pose/backbones/classifier.h"
#include "pose/backbones/stage_options.h"
#include "pose/core/layer_config.h"

namespace limber {
namespace {

std::vector<int> convolutions_of(const Config& c) {
  const int depth = c.get<int>("depth");
  switch (depth) {
    case 11:
      return {1, 1, 2, 2, 2};
    case 13:
      return {2, 2, 2, 2, 2};
    case 16:
      return {2, 2, 3, 3, 3};
    case 19:
      return {2, 2, 4, 4, 4};
    default:
      fail_input(c.path(), ".depth: no VGG of depth ", depth, "; there are 11, 13, 16, 19");
  }
}

class Vgg : public Backbone {
 public:
  Vgg(const Config& c, const Scope& s)
      : act_(read_act(c, "act_cfg", {ActType::relu})),
        ceil_mode_(c.get("ceil_mode", false)),
        last_pool_(c.get("with_last_pool", true)) {
    const std::vector<int> counts = convolutions_of(c);
    const int stages = c.get("num_stages", 5), classes = c.get("num_classes", -1);
    check_input(stages >= 1 && stages <= 5, c.path(), ".num_stages: ", stages, ", at most 5");
    const auto dilations = c.get("dilations", std::vector<int>(5, 1));
    check_input(int(dilations.size()) == stages, c.path(), ".dilations: ", dilations.size(),
                " for ", stages, " stages");
    // With the classifier, stage 5 is its output and the last map goes out only on demand.
    options_ = read_stages(c, 6, {.out_indices = {classes > 0 ? 5 : 4}, .norm = {NormType::none}});
    int64_t in = 3;
    int child = 0;
    for (int i = 0; i < stages; ++i) {
      const int64_t out = i < 4 ? 64 << i : 512;
      std::vector<Layer> layers;
      for (int j = 0; j < counts[size_t(i)]; ++j) {
        layers.emplace_back(s / "features" / child++, in, out, dilations[size_t(i)], options_.norm);
        in = out;
      }
      ++child;  // the pool
      stages_.push_back(std::move(layers));
    }
    if (classes > 0)
      classifier_.emplace(
          s / "classifier",
          std::vector<Classifier::Layer>{
              {0, 512 * 7 * 7, 4096, false}, {3, 4096, 4096, true}, {6, 4096, classes, true}});
    initialise_convolutions(s, init::kaiming());
    s.store().initialise_layers(s.path(), "Linear", "weight", init::normal(0, 0.01));
    s.store().initialise_layers(s.path(), "Linear", "bias", init::constant(0));
    freeze(s, counts);
  }

  Features operator()(const Tensor& image) const override {
    Tensor x = image;
    Features out;
    for (size_t i = 0; i < stages_.size(); ++i) {
      for (const Layer& layer : stages_[i]) x = activate(act_, layer.norm(layer.conv(x)));
      if (i + 1 < stages_.size() || last_pool_) x = max_pool2d(x, {.ceil_mode = ceil_mode_});
      if (options_.wanted(int(i))) out.push_back(x);
    }
    if (classifier_) out.push_back((*classifier_)(x));
    return out;
  }

 private:
  // A ConvModule, but the convolution keeps its bias where a norm follows.
  struct Layer {
    Conv2d conv;
    Norm norm;
    Layer(const Scope& s, int64_t in, int64_t out, int dilation, const NormOptions& n) {
      ConvOptions o = ConvOptions::square(in, out, 3, 1, 1, true);
      o.padding = o.dilation = {dilation, dilation};
      conv = Conv2d(s / "conv", o);
      norm = Norm(s / norm_leaf(n.type), out, n);
    }
  };

  void freeze(const Scope& s, const std::vector<int>& counts) const {
    int child = 0;
    for (int i = 0; i < options_.frozen && i < int(stages_.size()); ++i, ++child)
      for (int j = 0; j < counts[size_t(i)]; ++j) hold(s / "features" / child++);
    if (options_.norm_eval) s.store().keep_eval_layers(s.path(), "BatchNorm");
  }

  ActOptions act_;
  bool ceil_mode_, last_pool_;
  StageOptions options_;
  std::vector<std::vector<Layer>> stages_;
  std::optional<Classifier> classifier_;
};

}  // namespace

std::unique_ptr<Backbone> make_vgg(const Config& config, const Scope& scope) {
  return std::make_unique<Vgg>(config, scope);
}

}  // namespace limber
