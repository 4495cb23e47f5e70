// limber lift CONFIG CHECKPOINT PREDICTIONS: 3-D poses out of a sequence of 2-D ones.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "data/datasets/mocap.h"
#include "pose/core/metainfo.h"
#include "pose/engine/evaluate.h"
#include "pose/report/html.h"
#include "pose/report/pose_view.h"
#include "tensor/write_file.h"
#include "tools/limber/commands.h"

namespace limber::tool {

namespace {

using Json = nlohmann::ordered_json;

struct Arguments {
  ConfigArguments config;
  std::string checkpoint, input, out_dir = "lifted";
  std::vector<int> size;
  int instance = 0;
};

// The 2-D poses of one person, a frame per picture.
struct Track {
  std::vector<std::string> names;  // of the points, K
  std::vector<std::string> files;
  std::vector<float> points, scores;  // (T, K, 2), (T, K)
};

Track read_track(const std::string& path, int instance) {
  std::ifstream in(path);
  check_input(bool(in), path, ": cannot be read");
  Track track;
  try {
    const Json all = Json::parse(in);
    for (const Json& name : all.at("keypoints")) track.names.push_back(name);
    for (const Json& image : all.at("images")) {
      const Json& found = image.at("instances");
      if (int(found.size()) <= instance) continue;  // nobody there: the frame is passed over
      track.files.push_back(image.at("file"));
      for (const std::string& name : track.names) {
        const Json& point = found.at(size_t(instance)).at("keypoints").at(name);
        for (size_t d = 0; d < 2; ++d) track.points.push_back(point.at(d));
        track.scores.push_back(point.at(2));
      }
    }
  } catch (const nlohmann::json::exception& error) {
    fail_input(path, ": no predictions.json of limber predict: ", error.what());
  }
  check_input(!track.files.empty(), path, ": no frame has a person number ", instance);
  return track;
}

// Where the points of a model come from, by name: one of the track's, or the mean of several.
struct Source {
  const char* name;
  std::vector<const char*> from;
};

// Human3.6M's joints out of COCO's, as MMPose converts them.
const std::vector<Source>& from_coco() {
  static const std::vector<Source> table{
      {"root", {"left_hip", "right_hip"}},
      {"right_hip", {"right_hip"}},
      {"right_knee", {"right_knee"}},
      {"right_foot", {"right_ankle"}},
      {"left_hip", {"left_hip"}},
      {"left_knee", {"left_knee"}},
      {"left_foot", {"left_ankle"}},
      {"spine", {"left_hip", "right_hip", "left_shoulder", "right_shoulder"}},
      {"thorax", {"left_shoulder", "right_shoulder"}},
      {"neck_base", {"nose"}},
      {"head", {"left_eye", "right_eye"}},
      {"left_shoulder", {"left_shoulder"}},
      {"left_elbow", {"left_elbow"}},
      {"left_wrist", {"left_wrist"}},
      {"right_shoulder", {"right_shoulder"}},
      {"right_elbow", {"right_elbow"}},
      {"right_wrist", {"right_wrist"}}};
  return table;
}

// The positions in the track that point `name` is the mean of.
std::vector<size_t> sources_of(const std::string& name, const Track& track,
                               const std::string& file) {
  const auto at = [&](const std::string& wanted) {
    return size_t(std::ranges::find(track.names, wanted) - track.names.begin());
  };
  if (at(name) < track.names.size()) return {at(name)};
  for (const Source& source : from_coco()) {
    if (name != source.name) continue;
    std::vector<size_t> list;
    for (const char* part : source.from)
      if (at(part) < track.names.size()) list.push_back(at(part));
    if (list.size() == source.from.size()) return list;
  }
  fail_input(file, ": the model wants \"", name, "\", which these key points do not give");
}

// The track's points as the data set of the model numbers them: (T, K, 2) and (T, K).
std::pair<Tensor, Tensor> converted(const Track& track, const DatasetMeta& meta,
                                    const std::string& file) {
  const int64_t T = int64_t(track.files.size()), K = meta.num_keypoints;
  const size_t own = track.names.size();
  Tensor points = Tensor::zeros({T, K, 2}), scores = Tensor::full({T, K}, 1);
  for (int64_t k = 0; k < K; ++k) {
    const std::vector<size_t> from = sources_of(meta.keypoint_names[size_t(k)], track, file);
    for (int64_t t = 0; t < T; ++t)
      for (size_t i : from) {
        const size_t row = size_t(t) * own + i;
        float* p = points.data<float>() + (t * K + k) * 2;
        for (size_t d = 0; d < 2; ++d) p[d] += track.points[2 * row + d] / float(from.size());
        float& score = scores.data<float>()[t * K + k];
        score = std::min(score, track.scores[row]);
      }
  }
  return {points, scores};
}

class Lifter {
 public:
  Lifter(const Arguments& a, const Config& config)
      : model_(build_model(config, 0, /*initialise=*/false)),
        dataset_(test_dataset(config)),
        sequence_(read_sequence_options(dataset_)),
        pipeline_(dataset_.at("pipeline")),
        width_(a.size.empty() ? 1000 : a.size[0]),
        height_(a.size.empty() ? 1000 : a.size[1]) {
    check_input(config.at("model").type() == "PoseLifter", a.config.file,
                ": model.type: a PoseLifter is wanted");
    load_model(model_, a.checkpoint);
  }

  // points (T, K, 2), scores (T, K) -> (T, K, 3).
  Tensor operator()(const Tensor& points, const Tensor& scores, const DatasetMeta& meta) const {
    const int64_t T = points.size(0);
    std::vector<float> out;
    // A frame at a time, or as many as the network lifts at once.
    const int64_t step = sequence_.targets > 0 ? sequence_.targets : 1;
    for (int64_t first = 0; first < T; first += step) {
      std::vector<int64_t> frames;
      if (sequence_.targets > 0) {
        for (int64_t t = first; t < std::min(first + step, T); ++t) frames.push_back(t);
      } else {
        const int64_t before = sequence_.causal ? sequence_.length - 1 : (sequence_.length - 1) / 2;
        for (int64_t t = 0; t < sequence_.length; ++t)
          frames.push_back(std::clamp<int64_t>(first + (t - before) * sequence_.step, 0, T - 1));
      }
      const Tensor pose = lift(take_rows(points, frames), take_rows(scores, frames), meta);
      out.insert(out.end(), pose.data<float>(), pose.data<float>() + pose.numel());
    }
    return Tensor::from(out, {T, int64_t(out.size()) / (3 * T), 3});
  }

 private:
  Tensor lift(const Tensor& points, const Tensor& scores, const DatasetMeta& meta) const {
    Sample sample;
    sample.keypoints = points;
    sample.keypoints_visible = scores;
    sample.meta.flip_indices = meta.flip_indices;
    sample.more["camera_param/w"] = {Tensor::full({}, width_)};
    sample.more["camera_param/h"] = {Tensor::full({}, height_)};
    sample.more["factor"] = {Tensor::full({points.size(0)}, 4)};  // of an unknown camera
    Random random(0);
    check(pipeline_.apply(sample, random) && sample.packed != nullptr,
          "lift: the test pipeline gives no sample");
    std::vector<DataSample> batch{std::move(*sample.packed)};
    model_.predict(batch);
    return batch[0].pred_instances.keypoints;
  }

  Model model_;
  Config dataset_;
  SequenceOptions sequence_;
  Pipeline pipeline_;
  double width_, height_;
};

void run(const Arguments& a) {
  const Config config = a.config.load();
  const Track track = read_track(a.input, a.instance);
  const auto meta = resolve_metainfo(test_dataset(config).find("metainfo"), "h36m");
  const auto [points, scores] = converted(track, *meta, a.input);
  const Lifter lifter(a, config);
  const Tensor poses = lifter(points, scores, *meta);
  make_folder(a.out_dir);
  Json json{{"keypoints", meta->keypoint_names}, {"frames", Json::array()}};
  const float* p = poses.data<float>();
  for (const std::string& file : track.files) {
    Json frame{{"file", file}, {"keypoints_3d", Json::array()}};
    for (int64_t k = 0; k < poses.size(1); ++k, p += 3)
      frame["keypoints_3d"].push_back({p[0], p[1], p[2]});
    json["frames"].push_back(std::move(frame));
  }
  write_file_atomically(a.out_dir + "/poses_3d.json", json.dump() + "\n");
  HtmlPage page("Lifted poses");
  page.heading("Lifted poses");
  page.paragraph(
      fmt::format("{}, {} frames. Drag to turn, wheel to zoom.", a.input, track.files.size()));
  page.raw(pose_view(poses, *meta, "poses"));
  write_file_atomically(a.out_dir + "/poses_3d.html", page.text());
  fmt::print("{} frames -> {}/poses_3d.json, poses_3d.html\n", track.files.size(), a.out_dir);
}

}  // namespace

void add_lift(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("lift", "3-D poses of one person out of predictions.json of `predict`");
  const auto a = std::make_shared<Arguments>();
  a->config.add_file(*command);
  command->add_option("checkpoint", a->checkpoint, "weights (.safetensors, .pth)")->required();
  command->add_option("predictions", a->input, "2-D poses, the pictures' order is time's")
      ->required();
  command->add_option("--instance", a->instance, "which person of each picture, from 0")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--size", a->size, "width and height of the pictures (default: 1000x1000)")
      ->expected(2)
      ->delimiter('x')
      ->check(CLI::Range(1, 100000));
  command->add_option("--out-dir", a->out_dir, "where results go")->capture_default_str();
  a->config.add_options(*command);
  command->callback([a] { run(*a); });
}

}  // namespace limber::tool
