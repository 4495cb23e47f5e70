#include "pose/heads/heatmap_layers.h"

namespace limber {
namespace {

// Padding and output padding that make a transposed convolution of stride 2 double the size.
std::pair<int, int> doubling(int kernel, const std::string& where) {
  switch (kernel) {
    case 4:
      return {1, 0};
    case 3:
      return {1, 1};
    case 2:
      return {0, 0};
    default:
      fail_input(where, ".deconv_kernel_sizes: 2, 3 or 4, not ", kernel);
  }
}

}  // namespace

Tensor maps_first(const Tensor& channels_last) { return permute(channels_last, {0, 3, 1, 2}); }

Tensor flat_maps(const Tensor& x) { return reshape(maps_first(x), {x.size(0), x.size(3), -1}); }

DeconvLayers::DeconvLayers(const Scope& s, const Options& o, const std::string& where) {
  check_input(o.widths.empty() || o.kernels.size() == o.widths.size(), where, ": ", o.widths.size(),
              " deconv_out_channels, ", o.kernels.size(), " deconv_kernel_sizes");
  check_input(o.groups.empty() || o.groups.size() == o.widths.size(), where, ": ", o.widths.size(),
              " deconv_out_channels, ", o.groups.size(), " deconv_num_groups");
  int64_t channels = o.in;
  for (size_t i = 0; i < o.widths.size(); ++i) {
    const int k = int(o.kernels[i]);
    const auto [padding, extra] = doubling(k, where);
    const ConvOptions options{.in = channels,
                              .out = o.widths[i],
                              .kernel = {k, k},
                              .stride = {2, 2},
                              .padding = {padding, padding},
                              .groups = o.groups.empty() ? 1 : int(o.groups[i]),
                              .bias = false};
    ConvTranspose2d conv(s / int(3 * i), options, {extra, extra});
    layers_.push_back({std::move(conv), BatchNorm(s / int(3 * i + 1), o.widths[i])});
    channels = o.widths[i];
  }
}

Tensor DeconvLayers::operator()(const Tensor& input) const {
  Tensor x = input;
  for (const Layer& layer : layers_) x = relu(layer.norm(layer.conv(x)));
  return x;
}

std::vector<int64_t> list_or(const Config& c, const char* key, std::vector<int64_t> fallback) {
  return c.has(key) ? c.get<std::vector<int64_t>>(key) : fallback;
}

std::vector<int64_t> deconv_widths(const Config& c, std::vector<int64_t> fallback) {
  if (c.contains("deconv_out_channels") && !c.has("deconv_out_channels")) return {};
  return list_or(c, "deconv_out_channels", std::move(fallback));
}

std::optional<Conv2d> read_final_layer(const Config& c, const Scope& s, int64_t in, int64_t out) {
  ConvOptions o{.in = in, .out = out};
  if (c.contains("final_layer")) {
    if (!c.has("final_layer")) return std::nullopt;
    const Config given = c.at("final_layer");
    const int k = given.get("kernel_size", 1), padding = given.get("padding", 0);
    o.kernel = {k, k};
    o.padding = {padding, padding};
    given.find("type");
    given.expect_all_read();
  }
  return Conv2d(s, o);
}

void initialise_head_convolutions(const Scope& s) {
  for (const char* type : {"Conv2d", "ConvTranspose2d"}) {
    s.store().initialise_layers(s.path(), type, "weight", init::normal(0, 0.001));
    s.store().initialise_layers(s.path(), type, "bias", init::constant(0));
  }
}

HeatmapLayers::HeatmapLayers(const Config& c, const Scope& s, int64_t out_channels,
                             DeconvKind kind) {
  int64_t channels = c.get<int64_t>("in_channels");
  const bool vipnas = kind == DeconvKind::vipnas;
  const int64_t width = vipnas ? 144 : 256;
  DeconvLayers::Options deconv{.in = channels,
                               .widths = deconv_widths(c, {width, width, width}),
                               .kernels = list_or(c, "deconv_kernel_sizes", {4, 4, 4}),
                               .groups = {}};
  if (vipnas) deconv.groups = list_or(c, "deconv_num_groups", {16, 16, 16});
  if (deconv.widths.empty()) deconv.groups.clear();
  deconvs_ = DeconvLayers(s / "deconv_layers", deconv, c.path());
  if (!deconv.widths.empty()) channels = deconv.widths.back();
  const auto widths = list_or(c, "conv_out_channels", {});
  const auto kernels = list_or(c, "conv_kernel_sizes", {});
  check_input(widths.size() == kernels.size(), c.path(), ": ", widths.size(),
              " conv_out_channels, ", kernels.size(), " conv_kernel_sizes");
  for (size_t i = 0; i < widths.size(); ++i) {
    const Scope layers = s / "conv_layers";
    Conv2d conv(layers / int(3 * i),
                ConvOptions::square(channels, widths[i], int(kernels[i]), 1, 1, true));
    convs_.push_back({std::move(conv), BatchNorm(layers / int(3 * i + 1), widths[i])});
    channels = widths[i];
  }
  final_ = read_final_layer(c, s / "final_layer", channels, out_channels);
  initialise_head_convolutions(s);
}

Tensor HeatmapLayers::operator()(const Tensor& input) const {
  Tensor x = deconvs_(input);
  for (const Conv& layer : convs_) x = relu(layer.norm(layer.conv(x)));
  return final_ ? (*final_)(x) : x;
}

}  // namespace limber
