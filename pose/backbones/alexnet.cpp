#include "pose/backbones/alexnet.h"

#include <optional>

#include "pose/backbones/classifier.h"

namespace limber {
namespace {

constexpr PoolGeometry kPool{.kernel = {3, 3}, .stride = {2, 2}};

class AlexNet : public Backbone {
 public:
  AlexNet(const Config& c, const Scope& s) {
    ConvOptions first = ConvOptions::square(3, 64, 11, 4, 1, true);
    first.padding = {2, 2};
    const Scope features = s / "features";
    convs_.emplace_back(features / 0, first);
    convs_.emplace_back(features / 3, ConvOptions::square(64, 192, 5, 1, 1, true));
    convs_.emplace_back(features / 6, ConvOptions::square(192, 384, 3, 1, 1, true));
    convs_.emplace_back(features / 8, ConvOptions::square(384, 256, 3, 1, 1, true));
    convs_.emplace_back(features / 10, ConvOptions::square(256, 256, 3, 1, 1, true));
    const int classes = c.get("num_classes", -1);
    if (classes > 0)
      classifier_.emplace(
          s / "classifier",
          std::vector<Classifier::Layer>{
              {1, 256 * 6 * 6, 4096, true}, {4, 4096, 4096, true}, {6, 4096, classes, false}});
  }

  // Pools behind the first, the second and the last convolution.
  Features operator()(const Tensor& image) const override {
    Tensor x = image;
    for (size_t i = 0; i < convs_.size(); ++i) {
      x = relu(convs_[i](x));
      if (i < 2 || i == 4) x = max_pool2d(x, kPool);
    }
    return {classifier_ ? (*classifier_)(x) : x};
  }

 private:
  std::vector<Conv2d> convs_;
  std::optional<Classifier> classifier_;
};

}  // namespace

std::unique_ptr<Backbone> make_alexnet(const Config& config, const Scope& scope) {
  return std::make_unique<AlexNet>(config, scope);
}

}  // namespace limber
