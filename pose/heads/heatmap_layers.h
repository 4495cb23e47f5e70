// The layers that heads with heatmaps are made of: transposed convolutions that double the size,
// intermediate convolutions, the last convolution. Read from a head's config under MMPose's names.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nn/norm_act.h"
#include "pose/config/config.h"

namespace limber {

// (N, H, W, K) -> (N, K, H, W).
Tensor maps_first(const Tensor& channels_last);
// (N, H, W, K) -> (N, K, H W).
Tensor flat_maps(const Tensor& channels_last);

// Transposed convolution, batch norm, ReLU, each of stride 2. Parameters: 0, 1, 3, 4, 6, 7, ...
class DeconvLayers {
 public:
  struct Options {
    int64_t in = 0;
    std::vector<int64_t> widths, kernels;
    std::vector<int64_t> groups;  // empty: 1 each
  };
  DeconvLayers() = default;
  // `where` stands in errors. Throws InputError where the lists differ in length.
  DeconvLayers(const Scope& s, const Options& o, const std::string& where);
  Tensor operator()(const Tensor& x) const;

 private:
  struct Layer {
    ConvTranspose2d conv;
    BatchNorm norm;
  };
  std::vector<Layer> layers_;
};

// The widths of deconv_out_channels: the config's, none where it says null, else the fallback.
std::vector<int64_t> deconv_widths(const Config& c, std::vector<int64_t> fallback);
// The config's list, or the fallback where the key is absent or null.
std::vector<int64_t> list_or(const Config& c, const char* key, std::vector<int64_t> fallback);

// final_layer: a convolution of kernel_size 1 and its options; none where the config says null.
std::optional<Conv2d> read_final_layer(const Config& c, const Scope& s, int64_t in, int64_t out);

// normal(0.001) for convolutions of both kinds, biases 0: how these heads start.
void initialise_head_convolutions(const Scope& s);

// Width and grouping of the transposed convolutions when the config does not say.
enum class DeconvKind : uint8_t { plain, vipnas };

// Reads in_channels, deconv_*, conv_*, final_layer of a head's config. Parameters: deconv_layers.N,
// conv_layers.N, final_layer.
class HeatmapLayers {
 public:
  HeatmapLayers(const Config& c, const Scope& s, int64_t out_channels,
                DeconvKind kind = DeconvKind::plain);
  Tensor operator()(const Tensor& x) const;  // (N, H, W, C) -> (N, H', W', K)

 private:
  struct Conv {
    Conv2d conv;
    BatchNorm norm;
  };
  DeconvLayers deconvs_;
  std::vector<Conv> convs_;
  std::optional<Conv2d> final_;
};

}  // namespace limber
