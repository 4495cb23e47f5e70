#include "pose/backbones/v2v_net.h"

#include <optional>

#include "nn/volume.h"

namespace limber {
namespace {

// Convolution and batch norm. Parameters: conv, bn.
struct Layer {
  Conv3d conv;
  BatchNorm norm;
  Layer(const Scope& s, int64_t in, int64_t out, int kernel)
      : conv(s / "conv", in, out, kernel, (kernel - 1) / 2), norm(s / "bn", out) {}
  Tensor operator()(const Tensor& x) const { return norm(conv(x)); }
};

struct Residual {
  Layer first, second;
  std::optional<Layer> skip;  // where the width changes
  Residual(const Scope& s, int64_t in, int64_t out)
      : first(s / "res_branch" / 0, in, out, 3), second(s / "res_branch" / 1, out, out, 3) {
    if (in != out) skip.emplace(s / "skip_con", in, out, 1);
  }
  Tensor operator()(const Tensor& x) const {
    return relu(second(relu(first(x))) + (skip ? (*skip)(x) : x));
  }
};

struct Upsampled {
  ConvTranspose3d conv;
  BatchNorm norm;
  Upsampled(const Scope& s, int64_t in, int64_t out)
      : conv(s / "block" / 0, in, out, 2), norm(s / "block" / 1, out) {}
  Tensor operator()(const Tensor& x) const { return relu(norm(conv(x))); }
};

struct EncoderDecoder {
  Residual encoder1, encoder2, middle, decoder2, decoder1, skip1, skip2;
  Upsampled up2, up1;
  EncoderDecoder(const Scope& s, int64_t c)
      : encoder1(s / "encoder_res1", c, 2 * c),
        encoder2(s / "encoder_res2", 2 * c, 4 * c),
        middle(s / "mid_res", 4 * c, 4 * c),
        decoder2(s / "decoder_res2", 4 * c, 4 * c),
        decoder1(s / "decoder_res1", 2 * c, 2 * c),
        skip1(s / "skip_res1", c, c),
        skip2(s / "skip_res2", 2 * c, 2 * c),
        up2(s / "decoder_upsample2", 4 * c, 2 * c),
        up1(s / "decoder_upsample1", 2 * c, c) {}
  Tensor operator()(const Tensor& x) const {
    const Tensor half = encoder1(max_pool3d(x, 2));
    const Tensor quarter = middle(encoder2(max_pool3d(half, 2)));
    return up1(decoder1(up2(decoder2(quarter)) + skip2(half))) + skip1(x);
  }
};

class V2VNet : public Backbone {
 public:
  V2VNet(const Config& c, const Scope& s)
      : in_(c.get<int64_t>("input_channels")),
        width_(read_width(c)),
        stem_(s / "front_layers" / 0 / "block", in_, width_ / 2, 7),
        widen_(s / "front_layers" / 1, width_ / 2, width_),
        body_(s / "encoder_decoder", width_),
        output_(s / "output_layer", width_, c.get<int64_t>("output_channels"), 1, 0) {
    for (const char* type : {"Conv3d", "ConvTranspose3d"}) {
      s.store().initialise_layers(s.path(), type, "weight", init::normal(0, 0.001));
      s.store().initialise_layers(s.path(), type, "bias", init::constant(0));
    }
  }

  Features operator()(const Tensor& x) const override {
    check(x.rank() == 5 && x.size(4) == in_, "V2VNet: input ", x.shape(), ", (N, D, H, W, ", in_,
          ") is wanted");
    for (int d = 1; d < 4; ++d)
      check(x.size(d) % 4 == 0, "V2VNet: input ", x.shape(), ": extents must divide by 4");
    return {output_(body_(widen_(relu(stem_(x)))))};
  }

 private:
  static int64_t read_width(const Config& c) {
    const auto width = c.get<int64_t>("mid_channels", 32);
    check_input(width > 0 && width % 2 == 0, c.path(), ".mid_channels: ", width,
                " is not even and positive");
    return width;
  }
  int64_t in_, width_;
  Layer stem_;
  Residual widen_;
  EncoderDecoder body_;
  Conv3d output_;
};

}  // namespace

std::unique_ptr<Backbone> make_v2v_net(const Config& config, const Scope& scope) {
  return std::make_unique<V2VNet>(config, scope);
}

}  // namespace limber
