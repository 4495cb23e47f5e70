// Conversions between conventions of key points; see keypoint_mapping.h.
#include "pose/metrics/keypoint_mapping.h"

#include <algorithm>

#include "tensor/error.h"

namespace limber {

std::vector<double> KeypointMapping::points(std::span<const double> values, int64_t K,
                                            int64_t channels) const {
  const int64_t N = K * channels == 0 ? 0 : int64_t(values.size()) / (K * channels);
  std::vector<double> out(size_t(N * num_keypoints * channels), 0.0);
  for (const Pair& pair : pairs)
    check_input(pair.source < K && pair.second < K, "keypoint mapping: source point ",
                std::max(pair.source, pair.second), " of ", K);
  for (int64_t n = 0; n < N; ++n)
    for (const Pair& pair : pairs) {
      const double* a = &values[size_t((n * K + pair.source) * channels)];
      const double* b = pair.second < 0 ? a : &values[size_t((n * K + pair.second) * channels)];
      double* to = &out[size_t((n * num_keypoints + pair.target) * channels)];
      for (int64_t c = 0; c + 1 < channels; ++c) to[c] = (a[c] + b[c]) / 2;
      to[channels - 1] = std::min(a[channels - 1], b[channels - 1]);
    }
  return out;
}

std::vector<float> KeypointMapping::sigmas(std::span<const float> of_source) const {
  std::vector<float> out(size_t(num_keypoints), 1.f);
  for (const Pair& pair : pairs) {
    check_input(size_t(std::max(pair.source, pair.second)) < of_source.size(),
                "keypoint mapping: source point ", std::max(pair.source, pair.second), " of ",
                of_source.size(), " sigmas");
    const float a = of_source[size_t(pair.source)];
    const float b = pair.second < 0 ? a : of_source[size_t(pair.second)];
    out[size_t(pair.target)] = (a + b) / 2;
  }
  return out;
}

RawAnnotation KeypointMapping::annotation(const RawAnnotation& ann) const {
  RawAnnotation out = ann;
  out.keypoints = points(ann.keypoints, int64_t(ann.keypoints.size() / 3), 3);
  return out;
}

KeypointMapping read_keypoint_mapping(const Config& config) {
  KeypointMapping out;
  const std::string type = config.get<std::string>("type", "KeypointConverter");
  check_input(type == "KeypointConverter", config.path(), ".type: \"", type,
              "\", only KeypointConverter converts key points");
  out.num_keypoints = config.get<int>("num_keypoints");
  const Config mapping = config.at("mapping");
  for (size_t i = 0; i < mapping.size(); ++i) {
    const Config row = mapping.at(i);
    check_input(row.is_list() && row.size() == 2, row.path(), ": a pair [source, target]");
    KeypointMapping::Pair pair;
    const Config source = row.at(size_t(0));
    if (source.is_list()) {
      check_input(source.size() == 2, source.path(), ": two source points, not ", source.size());
      pair.source = source.at(size_t(0)).as<int>();
      pair.second = source.at(size_t(1)).as<int>();
    } else {
      pair.source = source.as<int>();
    }
    pair.target = row.at(size_t(1)).as<int>();
    check_input(pair.source >= 0 && pair.target >= 0 && pair.target < out.num_keypoints, row.path(),
                ": target ", pair.target, " of ", out.num_keypoints, " points");
    out.pairs.push_back(pair);
  }
  config.expect_all_read();
  return out;
}

}  // namespace limber
