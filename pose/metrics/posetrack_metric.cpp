// PoseTrack18Metric: AP of multi-person poses per frame (Andriluka et al. 2018, PoseTrack, section
// 5, "poseval"): a joint counts as found within half a head; poses are matched by their share of
// found joints; AP is the area under the monotone precision-recall curve of each joint.
#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "pose/metrics/coco_metric.h"
#include "pose/metrics/metrics.h"
#include "tensor/error.h"

namespace limber {
namespace {

using Json = nlohmann::json;

constexpr size_t kPoints = 17;     // of an annotation: COCO's, with neck and head top for the eyes
constexpr double kNearHead = 0.5;  // head sizes
// The 15 evaluated joints among the 17 points: all but the ears, which nobody annotates.
constexpr std::array<size_t, 15> kJoints = {0, 1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

struct JointGroup {
  const char* name;
  std::vector<size_t> points;
};

using Polygon = std::vector<std::array<double, 2>>;

struct Person {
  std::vector<double> keypoints;  // (17, 3)
  double head_size = 0;           // 0.6 times the diagonal of the head's box
};

struct Frame {
  int64_t id = -1;
  std::string video;
  Json image;  // as written to the results
  std::vector<Polygon> ignored;
  std::vector<Person> people;
};

struct Scored {
  double score;
  bool found;
};

// Even-odd rule.
bool contains(const Polygon& polygon, double x, double y) {
  bool inside = false;
  for (size_t i = 0, j = polygon.size() - 1; i < polygon.size(); j = i++) {
    const auto &a = polygon[i], &b = polygon[j];
    if ((a[1] > y) != (b[1] > y) && x < (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0])
      inside = !inside;
  }
  return inside;
}

// Clears the score or visibility of points in ignored regions; false when no point is left.
bool drop_ignored(std::vector<double>& keypoints, const std::vector<Polygon>& ignored) {
  bool any = false;
  for (size_t point : kJoints) {
    double* p = &keypoints[3 * point];
    for (const Polygon& polygon : ignored)
      if (contains(polygon, p[0], p[1])) p[2] = 0;
    any = any || p[2] > 0;
  }
  return any;
}

Frame read_frame(const Json& json) {
  Frame frame;
  frame.id = json.at("id").get<int64_t>();
  const std::filesystem::path name = json.at("file_name").get<std::string>();
  frame.video = name.parent_path().filename().string();
  frame.image = {{"id", frame.id},
                 {"file_name", name.string()},
                 {"height", json.value("height", 0)},
                 {"width", json.value("width", 0)}};
  if (!json.contains("ignore_regions_x") || !json.contains("ignore_regions_y")) return frame;
  const auto xs = json.at("ignore_regions_x").get<std::vector<std::vector<double>>>();
  const auto ys = json.at("ignore_regions_y").get<std::vector<std::vector<double>>>();
  for (size_t i = 0; i < std::min(xs.size(), ys.size()); ++i) {
    Polygon polygon;
    for (size_t j = 0; j < std::min(xs[i].size(), ys[i].size()); ++j)
      polygon.push_back({xs[i][j], ys[i][j]});
    if (polygon.size() >= 3) frame.ignored.push_back(std::move(polygon));
  }
  return frame;
}

std::vector<Frame> read_frames(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  check_input(in.good(), file, ": cannot be opened");
  std::vector<Frame> frames;
  try {
    const Json json = Json::parse(in);
    std::map<int64_t, size_t> position;
    for (const Json& image : json.at("images")) {
      frames.push_back(read_frame(image));
      position[frames.back().id] = frames.size() - 1;
    }
    for (const Json& ann : json.at("annotations")) {
      Person person;
      person.keypoints = ann.at("keypoints").get<std::vector<double>>();
      check_input(person.keypoints.size() == 3 * kPoints, file, ": annotation ",
                  ann.at("id").get<int64_t>(), " has ", person.keypoints.size() / 3,
                  " key points, need 17");
      const auto head = ann.at("bbox_head").get<std::vector<double>>();
      if (head.size() == 4) person.head_size = 0.6 * std::hypot(head[2], head[3]);
      const auto frame = position.find(ann.at("image_id").get<int64_t>());
      check_input(frame != position.end(), file, ": an annotation of an unknown image");
      frames[frame->second].people.push_back(std::move(person));
    }
  } catch (const Json::exception& error) {
    fail_input(file, ": ", error.what());
  }
  return frames;
}

bool near_head(const std::vector<double>& predicted, const Person& person, size_t point) {
  const double *p = &predicted[3 * point], *t = &person.keypoints[3 * point];
  if (!(p[2] > 0) || !(t[2] > 0) || person.head_size <= 0) return false;
  return std::hypot(p[0] - t[0], p[1] - t[1]) / person.head_size <= kNearHead;
}

// For each pose the person it is assigned to, or -1: each pose prefers the person with the largest
// share of found joints, each person takes the best of the poses that prefer it.
std::vector<int> assign(const std::vector<std::vector<double>>& poses,
                        const std::vector<Person>& people) {
  std::vector<int> best_pose(people.size(), -1);
  std::vector<double> best_share(people.size(), 0.0);
  for (size_t i = 0; i < poses.size(); ++i) {
    size_t preferred = 0;
    double highest = -1;
    for (size_t j = 0; j < people.size(); ++j) {
      double found = 0, labelled = 0;
      for (size_t point : kJoints) {
        labelled += people[j].keypoints[3 * point + 2] > 0;
        found += near_head(poses[i], people[j], point);
      }
      const double share = labelled > 0 ? found / labelled : 0;
      if (share > highest) highest = share, preferred = j;
    }
    if (people.empty() || highest <= best_share[preferred]) continue;
    best_share[preferred] = highest;
    best_pose[preferred] = int(i);
  }
  std::vector<int> out(poses.size(), -1);
  for (size_t j = 0; j < people.size(); ++j)
    if (best_pose[j] >= 0) out[size_t(best_pose[j])] = int(j);
  return out;
}

// The area under the precision-recall curve, precision made monotone from the right; percent.
// NaN where nothing was predicted.
double average_precision(std::vector<Scored> all, double wanted) {
  if (all.empty()) return std::numeric_limits<double>::quiet_NaN();
  if (wanted == 0) return 0;
  std::stable_sort(all.begin(), all.end(),
                   [](const Scored& a, const Scored& b) { return a.score > b.score; });
  std::vector<double> precision, recall;
  double found = 0;
  for (const Scored& one : all) {
    found += one.found;
    precision.push_back(found / double(precision.size() + 1));
    recall.push_back(found / wanted);
  }
  for (size_t i = precision.size(); i-- > 1;)
    precision[i - 1] = std::max(precision[i - 1], precision[i]);
  double area = 0;
  for (size_t i = 0; i < recall.size(); ++i)
    area += (recall[i] - (i == 0 ? 0 : recall[i - 1])) * precision[i];
  return 100 * area;
}

class PoseTrack18Metric : public CocoMetric {
 public:
  PoseTrack18Metric(const CocoMetricOptions& options, const DatasetMeta& meta)
      : CocoMetric(options, meta, false), frames_(read_frames(options.ann_file)) {
    check_input(meta.num_keypoints == int(kPoints), "PoseTrack18Metric: ", meta.num_keypoints,
                " key points, need 17");
  }

 protected:
  MetricValues values() override {
    std::map<int64_t, std::vector<CocoResult>> by_image;
    for (CocoResult& result : results()) by_image[result.image_id].push_back(std::move(result));
    for (const auto& [image, unused] : by_image)
      check_input(std::any_of(frames_.begin(), frames_.end(),
                              [id = image](const Frame& frame) { return frame.id == id; }),
                  "PoseTrack18Metric: a prediction for image ", image,
                  ", which the annotations do not have");
    if (!options_.outfile_prefix.empty()) write_videos(by_image);
    if (options_.format_only) return {};
    return precision_by_part(by_image);
  }

 private:
  std::vector<Frame> frames_;

  MetricValues precision_by_part(const std::map<int64_t, std::vector<CocoResult>>& results) const;
  void write_videos(const std::map<int64_t, std::vector<CocoResult>>& results) const;
};

MetricValues PoseTrack18Metric::precision_by_part(
    const std::map<int64_t, std::vector<CocoResult>>& results) const {
  std::array<std::vector<Scored>, kPoints> scored;
  std::array<double, kPoints> wanted{};
  for (const Frame& frame : frames_) {
    if (frame.people.empty()) continue;  // not a labelled frame
    std::vector<Person> people;
    for (Person person : frame.people)
      if (drop_ignored(person.keypoints, frame.ignored)) people.push_back(std::move(person));
    std::vector<std::vector<double>> poses;
    if (const auto found = results.find(frame.id); found != results.end())
      for (const CocoResult& result : found->second) {
        std::vector<double> keypoints = result.keypoints;
        if (drop_ignored(keypoints, frame.ignored)) poses.push_back(std::move(keypoints));
      }
    for (const Person& person : people)
      for (size_t point : kJoints) wanted[point] += person.keypoints[3 * point + 2] > 0;
    const std::vector<int> owner = assign(poses, people);
    for (size_t i = 0; i < poses.size(); ++i)
      for (size_t point : kJoints)
        if (const double score = poses[i][3 * point + 2]; score > 0)
          scored[point].push_back(
              {score, owner[i] >= 0 && near_head(poses[i], people[size_t(owner[i])], point)});
  }
  std::array<double, kPoints> ap{};
  double sum = 0;
  int count = 0;
  for (size_t point : kJoints) {
    ap[point] = average_precision(scored[point], wanted[point]);
    if (std::isnan(ap[point])) continue;
    sum += ap[point];
    ++count;
  }
  static const JointGroup kGroups[] = {
      {"Head AP", {0, 1, 2}}, {"Shou AP", {5, 6}},   {"Elb AP", {7, 8}},   {"Wri AP", {9, 10}},
      {"Hip AP", {11, 12}},   {"Knee AP", {13, 14}}, {"Ankl AP", {15, 16}}};
  MetricValues out;
  for (const JointGroup& group : kGroups) {
    double total = 0;
    for (size_t point : group.points) total += ap[point];
    out.emplace_back(group.name, total / double(group.points.size()));
  }
  out.emplace_back("AP", count == 0 ? 0 : sum / count);
  return out;
}

// One file per video beside the prefix, in the form of the official annotations.
void PoseTrack18Metric::write_videos(
    const std::map<int64_t, std::vector<CocoResult>>& results) const {
  Json category = {{"supercategory", "person"}, {"id", 1}, {"name", "person"}};
  category["keypoints"] = meta_.keypoint_names;
  for (const auto& [a, b] : meta_.skeleton_links) category["skeleton"].push_back({a + 1, b + 1});
  std::map<std::string, Json> videos;
  for (const Frame& frame : frames_) {
    Json& video = videos[frame.video];
    if (video.is_null())
      video = {{"images", Json::array()},
               {"categories", Json::array({category})},
               {"annotations", Json::array()}};
    video["images"].push_back(frame.image);
    const auto found = results.find(frame.id);
    if (found == results.end()) continue;
    int track = 0;
    for (const CocoResult& result : found->second) {
      std::vector<double> scores;
      for (size_t i = 2; i < result.keypoints.size(); i += 3) scores.push_back(result.keypoints[i]);
      video["annotations"].push_back({{"category_id", result.category_id},
                                      {"image_id", frame.id},
                                      {"keypoints", result.keypoints},
                                      {"scores", scores},
                                      {"score", result.score},
                                      {"track_id", track++}});
    }
  }
  const std::filesystem::path folder = std::filesystem::path(options_.outfile_prefix).parent_path();
  for (const auto& [name, video] : videos)
    write_whole((folder / (name + ".json")).string(), video.dump());
}

}  // namespace

std::unique_ptr<Metric> make_posetrack18_metric(const Config& config, const DatasetMeta& meta) {
  const CocoMetricOptions options = read_coco_options(config, meta, false);
  check_input(!options.ann_file.empty(), config.path(), ".ann_file: PoseTrack18Metric needs it");
  return std::make_unique<PoseTrack18Metric>(options, meta);
}

}  // namespace limber
