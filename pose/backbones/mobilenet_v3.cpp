#include "pose/backbones/mobilenet_v3.h"

#include <span>

#include "nn/blocks/inverted_residual.h"
#include "pose/backbones/stage_options.h"

namespace limber {
namespace {

// Tables 1 and 2 of the paper (with the reference's own strides): kernel, middle, out, squeeze and
// excitation, activation, stride.
struct Row {
  int kernel;
  int64_t middle, out;
  bool attention;
  ActType act;
  int stride;
};
constexpr ActType kRelu = ActType::relu, kSwish = ActType::hard_swish;

constexpr Row kSmall[] = {
    {3, 16, 16, true, kRelu, 2},   {3, 72, 24, false, kRelu, 2},  {3, 88, 24, false, kRelu, 1},
    {5, 96, 40, true, kSwish, 2},  {5, 240, 40, true, kSwish, 1}, {5, 240, 40, true, kSwish, 1},
    {5, 120, 48, true, kSwish, 1}, {5, 144, 48, true, kSwish, 1}, {5, 288, 96, true, kSwish, 2},
    {5, 576, 96, true, kSwish, 1}, {5, 576, 96, true, kSwish, 1}};
constexpr Row kBig[] = {
    {3, 16, 16, false, kRelu, 1},   {3, 64, 24, false, kRelu, 2},   {3, 72, 24, false, kRelu, 1},
    {5, 72, 40, true, kRelu, 2},    {5, 120, 40, true, kRelu, 1},   {5, 120, 40, true, kRelu, 1},
    {3, 240, 80, false, kSwish, 2}, {3, 200, 80, false, kSwish, 1}, {3, 184, 80, false, kSwish, 1},
    {3, 184, 80, false, kSwish, 1}, {3, 480, 112, true, kSwish, 1}, {3, 672, 112, true, kSwish, 1},
    {5, 672, 160, true, kSwish, 1}, {5, 672, 160, true, kSwish, 2}, {5, 960, 160, true, kSwish, 1}};

std::span<const Row> rows_of(const Config& c) {
  const auto arch = c.get<std::string>("arch", "small");
  if (arch == "small") return kSmall;
  if (arch == "big") return kBig;
  fail_input(c.path(), ".arch: unknown \"", arch, "\"", did_you_mean(arch, {"small", "big"}));
}

class MobileNetV3 : public Backbone {
 public:
  MobileNetV3(const Config& c, const Scope& s) {
    const std::span<const Row> rows = rows_of(c);
    options_ = read_stages(c, int(rows.size()), {.out_indices = {-1}, .norm = {}});
    int64_t in = 16;
    conv1_ = ConvModule(s / "conv1", ConvOptions::square(3, in, 3, 2), options_.norm, {kSwish});
    const auto stage = [&](int i) { return s / ("layer" + std::to_string(i + 1)); };
    for (const Row& row : rows) {
      layers_.emplace_back(stage(int(layers_.size())),
                           InvertedResidualOptions{.in = in,
                                                   .out = row.out,
                                                   .middle = row.middle,
                                                   .kernel = row.kernel,
                                                   .stride = row.stride,
                                                   .attention = row.attention,
                                                   .norm = options_.norm,
                                                   .act = {row.act}});
      in = row.out;
    }
    initialise_convolutions(s, init::kaiming());
    freeze_stages(s, options_, stage);
  }

  Features operator()(const Tensor& image) const override {
    Tensor x = conv1_(image);
    Features out;
    for (size_t i = 0; i < layers_.size(); ++i) {
      x = layers_[i](x);
      if (options_.wanted(int(i))) out.push_back(x);
    }
    return out;
  }

 private:
  StageOptions options_;
  ConvModule conv1_;
  std::vector<InvertedResidual> layers_;
};

}  // namespace

std::unique_ptr<Backbone> make_mobilenet_v3(const Config& config, const Scope& scope) {
  return std::make_unique<MobileNetV3>(config, scope);
}

}  // namespace limber
