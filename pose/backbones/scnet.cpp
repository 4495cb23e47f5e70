#include "pose/backbones/scnet.h"

#include "pose/backbones/resnet.h"

namespace limber {
namespace {

constexpr int kPooling = 4;  // how much coarser the calibration is

// Convolution and norm under consecutive numbers from `first` on.
struct NumberedConv {
  Conv2d conv;
  Norm norm;
  NumberedConv(const Scope& s, int first, const ConvOptions& o, const NormOptions& n)
      : conv(s / first, o), norm(s / (first + 1), o.out, n) {}
  Tensor operator()(const Tensor& x) const { return norm(conv(x)); }
};

// k4(k3(x) * sigmoid(x + up(k2(down(x))))), figure 2 of the paper.
struct SelfCalibrated {
  NumberedConv k2, k3, k4;
  SelfCalibrated(const Scope& s, int64_t channels, const BlockOptions& o)
      : k2(s / "k2", 1, conv3x3(channels, channels, 1, 1), o.norm),
        k3(s / "k3", 0, conv3x3(channels, channels, 1, 1), o.norm),
        k4(s / "k4", 0, conv3x3(channels, channels, o.stride, 1), o.norm) {}
  Tensor operator()(const Tensor& x) const {
    const Tensor coarse =
        k2(avg_pool2d(x, {.kernel = {kPooling, kPooling}, .stride = {kPooling, kPooling}}));
    const Tensor gate = sigmoid(x + resize(coarse, x.size(1), x.size(2), Interpolation::nearest));
    return relu(k4(k3(x) * gate));
  }
};

struct CalibratedBottleneck : ResidualBlock {
  Conv2d conv1;
  Norm norm1;
  NumberedConv k1;
  Conv2d conv2;
  Norm norm2;
  SelfCalibrated scconv;
  Conv2d conv3;
  Norm norm3;
  Shortcut shortcut;

  CalibratedBottleneck(const Scope& s, const BlockOptions& o)
      : conv1(s / "conv1", ConvOptions::square(o.in, o.width() / 2, 1)),
        norm1(norm_scope(s, o, 1), o.width() / 2, o.norm),
        k1(s / "k1", 0, conv3x3(o.width() / 2, o.width() / 2, o.stride, o.dilation), o.norm),
        conv2(s / "conv2", ConvOptions::square(o.in, o.width() / 2, 1)),
        norm2(norm_scope(s, o, 2), o.width() / 2, o.norm),
        scconv(s / "scconv", o.width() / 2, o),
        conv3(s / "conv3", ConvOptions::square(o.width() / 2 * 2, o.out, 1)),
        norm3(norm_scope(s, o, 3), o.out, o.norm),
        shortcut(s, o) {}

  Tensor operator()(const Tensor& x) const override {
    const Tensor plain = relu(k1(relu(norm1(conv1(x)))));
    const Tensor calibrated = scconv(relu(norm2(conv2(x))));
    return relu(norm3(conv3(concat({plain, calibrated}, -1))) + shortcut(x));
  }
};

}  // namespace

std::unique_ptr<Backbone> make_scnet(const Config& config, const Scope& scope) {
  return std::make_unique<ResNet>(scope, read_resnet(config),
                                  [](const Scope& s, const BlockOptions& o) {
                                    return std::make_unique<CalibratedBottleneck>(s, o);
                                  });
}

}  // namespace limber
