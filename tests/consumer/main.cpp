// Builds a small model from its config, runs it once and prints the shape of its heatmaps.
#include <iostream>

#include "pose/estimators/estimator.h"

int main() {
  using namespace limber;
  const Config config = Config::parse(R"({
    "type": "TopdownPoseEstimator",
    "backbone": {"type": "ResNet", "depth": 18},
    "head": {"type": "HeatmapHead", "in_channels": 512, "out_channels": 17,
             "deconv_out_channels": [32, 32, 32], "deconv_kernel_sizes": [4, 4, 4],
             "loss": {"type": "KeypointMSELoss", "use_target_weight": true}}})");
  ParameterStore store;
  const std::unique_ptr<Estimator> model = make_estimator(config, Scope(store));
  store.train(false);
  const Tensor image = Tensor::full({1, 128, 96, 3}, 0.5);
  const Tensor heatmaps = model->forward(image).at(0).second;
  std::cout << store.count() << " parameters, heatmaps " << heatmaps.shape() << "\n";
  return heatmaps.shape() == Shape{1, 17, 32, 24} ? 0 : 1;
}
