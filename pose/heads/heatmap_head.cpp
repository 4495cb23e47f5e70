#include "pose/heads/heatmap_head.h"

#include <algorithm>

#include "pose/core/accuracy.h"
#include "pose/core/layer_config.h"
#include "pose/heads/flip.h"
#include "tensor/op.h"

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

std::vector<int64_t> list_or(const Config& c, const char* key, std::vector<int64_t> fallback) {
  const Config value = c.find(key);
  return value.is_null() ? fallback : value.as<std::vector<int64_t>>();
}

// An explicit null switches the default layers off.
bool switched_off(const Config& c, const char* key) {
  const std::vector<std::string> keys = c.keys();
  return std::ranges::find(keys, key) != keys.end() && c.find(key).is_null();
}

}  // namespace

HeatmapLayers::HeatmapLayers(const Config& c, const Scope& s)
    : HeatmapLayers(c, s, c.get<int64_t>("out_channels")) {}

HeatmapLayers::HeatmapLayers(const Config& c, const Scope& s, int64_t out_channels) {
  int64_t channels = c.get<int64_t>("in_channels");
  const bool no_deconv = switched_off(c, "deconv_out_channels");
  const auto widths =
      no_deconv ? std::vector<int64_t>{} : list_or(c, "deconv_out_channels", {256, 256, 256});
  const auto kernels = list_or(c, "deconv_kernel_sizes", {4, 4, 4});
  check_input(widths.empty() || kernels.size() == widths.size(), c.path(), ": ", widths.size(),
              " deconv_out_channels, ", kernels.size(), " deconv_kernel_sizes");
  const Scope deconv = s / "deconv_layers";
  for (size_t i = 0; i < widths.size(); ++i) {
    const int k = int(kernels[i]);
    const auto [padding, extra] = doubling(k, c.path());
    const ConvOptions o{.in = channels,
                        .out = widths[i],
                        .kernel = {k, k},
                        .stride = {2, 2},
                        .padding = {padding, padding},
                        .bias = false};
    ConvTranspose2d conv(deconv / int(3 * i), o, {extra, extra});
    deconvs_.push_back({std::move(conv), BatchNorm(deconv / int(3 * i + 1), widths[i])});
    channels = widths[i];
  }
  const auto conv_widths = list_or(c, "conv_out_channels", {});
  const auto conv_kernels = list_or(c, "conv_kernel_sizes", {});
  check_input(conv_widths.size() == conv_kernels.size(), c.path(), ": ", conv_widths.size(),
              " conv_out_channels, ", conv_kernels.size(), " conv_kernel_sizes");
  for (size_t i = 0; i < conv_widths.size(); ++i) {
    const Scope layers = s / "conv_layers";
    Conv2d conv(layers / int(3 * i),
                ConvOptions::square(channels, conv_widths[i], int(conv_kernels[i]), 1, 1, true));
    convs_.push_back({std::move(conv), BatchNorm(layers / int(3 * i + 1), conv_widths[i])});
    channels = conv_widths[i];
  }
  const bool has_final = c.get("has_final_layer", true) && !switched_off(c, "final_layer");
  const Config options = c.find("final_layer");
  if (has_final) {
    const bool given = options.is_object();
    const int k = given ? options.get("kernel_size", 1) : 1;
    const int padding = given ? options.get("padding", 0) : 0;
    if (given) {
      options.find("type");
      options.expect_all_read();
    }
    final_ = Conv2d(
        s / "final_layer",
        {.in = channels, .out = out_channels, .kernel = {k, k}, .padding = {padding, padding}});
  }
  for (const char* type : {"Conv2d", "ConvTranspose2d"})
    s.store().initialise_layers(s.path(), type, "weight", init::normal(0, 0.001));
  for (const char* type : {"Conv2d", "ConvTranspose2d"})
    s.store().initialise_layers(s.path(), type, "bias", init::constant(0));
}

Tensor HeatmapLayers::operator()(const Tensor& input) const {
  Tensor x = input;
  for (const Deconv& layer : deconvs_) x = relu(layer.norm(layer.conv(x)));
  for (const Conv& layer : convs_) x = relu(layer.norm(layer.conv(x)));
  return final_ ? (*final_)(x) : x;
}

Tensor maps_first(const Tensor& channels_last) { return permute(channels_last, {0, 3, 1, 2}); }

std::unique_ptr<Loss> read_loss(const Config& head, const Scope& s, std::string_view default_loss) {
  Config config = head.find("loss");
  if (config.is_null()) {
    config = Config::object();
    config.set("type", Config::value(default_loss));
    config.set("use_target_weight", Config::value(true));
  }
  return make_loss(config, s / "loss_module");
}

std::unique_ptr<Codec> read_decoder(const Config& head) {
  const Config config = head.find("decoder");
  return config.is_null() ? nullptr : make_codec(config);
}

HeatmapHead::HeatmapHead(const Config& c, const Scope& s)
    : layers_(c, s), loss_(read_loss(c, s, "KeypointMSELoss")), codec_(read_decoder(c)) {}

Tensor HeatmapHead::maps(const Features& features) const {
  return maps_first(layers_(features.back()));
}

Outputs HeatmapHead::forward(const Features& features) const { return {{"", maps(features)}}; }

Losses HeatmapHead::loss(const Features& features, ConstBatch samples) const {
  const Tensor predicted = maps(features), target = batch_fields(samples, "heatmaps");
  const Tensor weight = batch_labels(samples, "keypoint_weights");
  Losses losses{
      {"loss_kpt",
       loss_->single({.outputs = {predicted}, .targets = {target}, .weight = weight, .mask = {}})}};
  const NoRecord no_record;
  losses.emplace_back("acc_pose", Tensor::full({}, pose_pck_accuracy(predicted, target, weight)));
  return losses;
}

std::vector<Prediction> HeatmapHead::predict(const Features& features, const Features* flipped,
                                             ConstBatch samples, const TestOptions& test) const {
  Tensor heat = maps(features);
  if (flipped != nullptr)
    heat = (heat + flip_heatmaps(maps(*flipped), flip_indices_of(samples), test.flip_mode,
                                 test.shift_heatmap)) *
           0.5;
  std::vector<Prediction> predictions = decode_batch(codec_.get(), std::span(&heat, 1));
  if (test.output_heatmaps)
    for (size_t i = 0; i < predictions.size(); ++i)
      predictions[i].fields["heatmaps"] = {sample_of(heat, i)};
  return predictions;
}

std::unique_ptr<Head> make_heatmap_head(const Config& config, const Scope& scope) {
  return std::make_unique<HeatmapHead>(config, scope);
}

}  // namespace limber
