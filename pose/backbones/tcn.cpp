#include "pose/backbones/tcn.h"

#include <cmath>

#include "pose/core/layer_config.h"

namespace limber {
namespace {

struct Options {
  int64_t channels;
  double dropout;
  bool causal, residual, strided;
  NormOptions norm;
  double max_norm;  // 0: none
};

// Scales the weight down to this Euclidean norm, in place: the constraint holds for what is saved.
void clip_weight(const Tensor& weight, double max_norm) {
  const auto clip = [&]<class T>(std::span<T> values) {
    double squares = 0;
    for (T v : values) squares += double(v) * double(v);
    const double length = std::sqrt(squares);
    if (length <= max_norm) return;
    for (T& v : values) v = T(double(v) * (max_norm / (length + 1e-6)));
  };
  weight.dtype() == DType::f64 ? clip(weight.span<double>()) : clip(weight.span<float>());
}

// Convolution over time, norm, ReLU.
struct TemporalConv {
  Conv1d conv;
  Norm norm;
  double max_norm;

  TemporalConv(const Scope& s, int64_t in, int kernel, int stride, int dilation, const Options& o)
      : conv(s / "conv", {.in = in,
                          .out = o.channels,
                          .kernel = {1, kernel},
                          .stride = {1, stride},
                          .dilation = {1, dilation},
                          .bias = o.norm.type == NormType::none}),
        norm(o.norm.type == NormType::none ? Norm()
                                           : Norm(s / norm_leaf(o.norm.type), o.channels, o.norm)),
        max_norm(o.max_norm) {}
  Tensor operator()(const Tensor& x) const {
    if (max_norm > 0) clip_weight(conv.weight, max_norm);
    return relu(norm(conv(x)));
  }
};

struct TemporalBlock {
  int kernel, dilation;
  bool residual, strided;
  int64_t pad, shift;  // frames lost on either side; how far back the residual looks when causal
  TemporalConv conv1, conv2;
  Dropout drop;

  TemporalBlock(const Scope& s, int k, int d, const Options& o)
      : kernel(k),
        dilation(d),
        residual(o.residual),
        strided(o.strided),
        pad(int64_t(k - 1) * d / 2),
        shift(!o.causal ? 0 : int64_t(k / 2) * (o.strided ? 1 : d)),
        conv1(s / "conv1" / 0, o.channels, k, o.strided ? k : 1, o.strided ? 1 : d, o),
        conv2(s / "conv2" / 0, o.channels, 1, 1, 1, o),
        drop(s / "dropout", o.dropout) {}

  Tensor operator()(const Tensor& x) const {
    const Tensor y = drop(conv2(drop(conv1(x))));
    if (!residual) return y;
    const int64_t frames = x.size(2);
    return y + (strided ? slice(x, 2, shift + kernel / 2, frames, kernel)
                        : slice(x, 2, pad + shift, frames - pad + shift));
  }
};

class TCN : public Backbone {
 public:
  TCN(const Config& c, const Scope& s);
  Features operator()(const Tensor& x) const override;

 private:
  int64_t in_;
  int receptive_ = 1;  // frames that one output frame sees
  std::unique_ptr<TemporalConv> expand_;
  Dropout drop_;
  std::vector<TemporalBlock> blocks_;
};

TCN::TCN(const Config& c, const Scope& s) : in_(c.get<int64_t>("in_channels")) {
  const auto blocks = size_t(c.get("num_blocks", 2));
  const auto kernels = c.get<std::vector<int>>("kernel_sizes", {3, 3, 3});
  check_input(kernels.size() == blocks + 1, c.path(), ".kernel_sizes: ", kernels.size(), " for ",
              blocks, " blocks; one more than blocks is wanted");
  for (int k : kernels)
    check_input(k > 0 && k % 2 == 1, c.path(), ".kernel_sizes: ", k, " is not odd and positive");
  const Options o{.channels = c.get<int64_t>("stem_channels", 1024),
                  .dropout = c.get("dropout", 0.25),
                  .causal = c.get("causal", false),
                  .residual = c.get("residual", true),
                  .strided = c.get("use_stride_conv", false),
                  .norm = read_norm(c, "norm_cfg", {}),
                  .max_norm = c.get("max_norm", 0.0)};
  check_input(o.dropout >= 0 && o.dropout < 1, c.path(), ".dropout: ", o.dropout,
              " is no probability below 1");
  c.find("conv_cfg").ignore();
  expand_ = std::make_unique<TemporalConv>(s / "expand_conv", in_, kernels[0],
                                           o.strided ? kernels[0] : 1, 1, o);
  drop_ = Dropout(s / "dropout", o.dropout);
  receptive_ = kernels[0];
  for (size_t i = 0; i < blocks; ++i) {
    blocks_.emplace_back(s / "tcn_blocks" / int(i), kernels[i + 1], receptive_, o);
    receptive_ *= kernels[i + 1];
  }
  s.store().initialise_layers(s.path(), "Conv1d", "weight", init::kaiming(init::Fan::in));
  s.store().initialise_layers(s.path(), "Conv1d", "bias", init::constant(0));
}

Features TCN::operator()(const Tensor& x) const {
  check(x.rank() == 3 && x.size(1) == in_, "TCN: input ", x.shape(), ", in_channels is ", in_);
  check(x.size(2) >= receptive_, "TCN: ", x.size(2), " frames, it sees ", receptive_);
  Tensor y = reshape(transpose(x, 1, 2), {x.size(0), 1, x.size(2), in_});
  y = drop_((*expand_)(y));
  Features out;
  for (const TemporalBlock& block : blocks_) out.push_back(y = block(y));
  return out;
}

}  // namespace

std::unique_ptr<Backbone> make_tcn(const Config& config, const Scope& scope) {
  return std::make_unique<TCN>(config, scope);
}

}  // namespace limber
