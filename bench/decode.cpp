// What is left to do after the network of bottom-up models: from maps to the key points of a
// hundred people, next to the time of the network.
#include <memory>

#include "bench/bench.h"
#include "pose/backbones/backbone.h"
#include "pose/codecs/codec.h"
#include "pose/core/nms.h"
#include "pose/heads/instance_maps.h"
#include "tensor/op.h"
#include "tensor/random.h"

namespace limber::bench {
namespace {

constexpr int64_t kPeople = 100, kJoints = 17, kInput = 512, kMap = 128;

constexpr char kBackbone[] = R"({"type": "HRNet", "extra": {
  "stage1": {"num_modules": 1, "num_branches": 1, "block": "BOTTLENECK", "num_blocks": [4],
             "num_channels": [64]},
  "stage2": {"num_modules": 1, "num_branches": 2, "block": "BASIC", "num_blocks": [4, 4],
             "num_channels": [32, 64]},
  "stage3": {"num_modules": 4, "num_branches": 3, "block": "BASIC", "num_blocks": [4, 4, 4],
             "num_channels": [32, 64, 128]},
  "stage4": {"num_modules": 3, "num_branches": 4, "block": "BASIC", "num_blocks": [4, 4, 4, 4],
             "num_channels": [32, 64, 128, 256]}}})";
constexpr char kAe[] = R"({"type": "AssociativeEmbedding", "input_size": [512, 512],
  "heatmap_size": [512, 512], "sigma": 4, "decode_topk": 100, "decode_max_instances": 100})";
constexpr char kSpr[] = R"({"type": "SPR", "input_size": [512, 512], "heatmap_size": [128, 128],
  "sigma": [2, 2], "generate_keypoint_heatmaps": true, "decode_max_instances": 100})";
constexpr char kCid[] = R"({"type": "DecoupledHeatmap", "input_size": [512, 512],
  "heatmap_size": [128, 128], "encode_max_instances": 100})";

// Key points (N, K, 2) of people 60 pixels wide and 110 high; one in five is not visible.
EncodeInput crowd(Random& random) {
  EncodeInput input;
  input.keypoints = Tensor::empty({kPeople, kJoints, 2});
  input.visible = Tensor::empty({kPeople, kJoints});
  for (int64_t n = 0; n < kPeople; ++n) {
    const double x = random.uniform(0, kInput - 60), y = random.uniform(0, kInput - 110);
    for (int64_t k = 0; k < kJoints; ++k) {
      float* p = input.keypoints.data<float>() + (n * kJoints + k) * 2;
      p[0] = float(x + random.uniform(0, 60));
      p[1] = float(y + random.uniform(0, 110));
      input.visible.data<float>()[n * kJoints + k] = random.chance(0.8) ? 1 : 0;
    }
  }
  input.random = &random;
  return input;
}

// Tags (K, H, W): every person's number where its key points' heat reaches, noise elsewhere.
Tensor tags_of(const EncodeInput& input, Random& random) {
  Tensor tags = Tensor::empty({kJoints, kInput, kInput});
  for (float& v : tags.span<float>()) v = float(random.uniform(0, kPeople));
  for (int64_t n = 0; n < kPeople; ++n)
    for (int64_t k = 0; k < kJoints; ++k) {
      if (input.visible.data<float>()[n * kJoints + k] == 0) continue;
      const float* p = input.keypoints.data<float>() + (n * kJoints + k) * 2;
      const int64_t x0 = int64_t(p[0]), y0 = int64_t(p[1]);
      for (int64_t y = std::max<int64_t>(0, y0 - 12); y < std::min(kInput, y0 + 13); ++y)
        for (int64_t x = std::max<int64_t>(0, x0 - 12); x < std::min(kInput, x0 + 13); ++x)
          tags.data<float>()[(k * kInput + y) * kInput + x] = float(n);
    }
  return tags;
}

struct Crowd {
  std::unique_ptr<Codec> codec;
  std::vector<Tensor> maps;
  ParameterStore store{1};
  std::unique_ptr<Backbone> backbone;
};

void suppress(const Decoded& found) {
  const int64_t M = found.keypoints.size(0);
  const std::vector<double> points(found.keypoints.data<float>(),
                                   found.keypoints.data<float>() + M * kJoints * 2);
  const std::vector<double> scores(found.instance_scores.data<float>(),
                                   found.instance_scores.data<float>() + M);
  nearby_joints_nms(points, scores, kJoints);
}

// A benchmark whose first run prepares it.
template <class Prepare, class Run>
Benchmark row(const char* name, const Prepare& prepare, const Run& run) {
  auto state = std::make_shared<Crowd>();
  const std::string network = "decode/network_hrnet_w32_512";
  return {std::string("decode/") + name, 0, 0,
          [=] {
            const NoRecord no_record;
            if (state->maps.empty()) {
              Random random(1);
              prepare(*state, random);
            }
            run(*state);
          },
          name == network.substr(7) ? "" : network};
}

}  // namespace

std::vector<Benchmark> decode_benchmarks() {
  return {
      row(
          "network_hrnet_w32_512",
          [](Crowd& c, Random&) {
            c.backbone = make_backbone(Config::parse(kBackbone), Scope(c.store) / "backbone");
            c.store.train(false);
            c.maps = {Tensor::full({1, kInput, kInput, 3}, 0.5)};
          },
          [](Crowd& c) { (*c.backbone)(c.maps[0]); }),
      row(
          "ae_restored_size",
          [](Crowd& c, Random&) {
            c.maps = {Tensor::full({1, 2 * kJoints, kMap, kMap}, 0.5)};
          },
          [](Crowd& c) {
            resized_maps(c.maps[0], {kInput, kInput}, false);
          }),
      row(
          "ae_100_people",
          [](Crowd& c, Random& random) {
            c.codec = make_codec(Config::parse(kAe));
            const EncodeInput input = crowd(random);
            c.maps = {c.codec->encode(input).at("heatmaps")[0], tags_of(input, random)};
          },
          [](Crowd& c) { c.codec->decode(c.maps); }),
      row(
          "dekr_100_people_and_nms",
          [](Crowd& c, Random& random) {
            c.codec = make_codec(Config::parse(kSpr));
            const TensorLists encoded = c.codec->encode(crowd(random));
            c.maps = {encoded.at("heatmaps")[0], encoded.at("displacements")[0]};
          },
          [](Crowd& c) { suppress(c.codec->decode(c.maps)); }),
      row(
          "cid_100_people",
          [](Crowd& c, Random& random) {
            c.codec = make_codec(Config::parse(kCid));
            const Tensor maps = c.codec->encode(crowd(random)).at("instance_heatmaps")[0];
            const int64_t M = maps.size(0) / kJoints;
            c.maps = {maps.alias({M, kJoints, kMap, kMap}), Tensor::full({M, 1}, 0.9)};
          },
          [](Crowd& c) {
            const Tensor parts[] = {smoothed_maps(c.maps[0], 3), c.maps[1]};
            c.codec->decode(parts);
          }),
  };
}

}  // namespace limber::bench
