#include "pose/report/predictions.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "pose/report/draw.h"
#include "tensor/write_file.h"

namespace limber {
namespace {

using Json = nlohmann::ordered_json;

// Two decimals of a pixel, four of a score: what the numbers are worth.
double rounded(double v, double unit) { return std::round(v * unit) / unit; }

Json numbers(const std::vector<float>& values) {
  Json list = Json::array();
  for (float v : values) list.push_back(rounded(v, 100));
  return list;
}

}  // namespace

void PredictionFile::add(std::span<const DataSample> samples) {
  for (const DataSample& s : samples) {
    const std::string& file =
        s.meta.target_img_path.empty() ? s.meta.img_path : s.meta.target_img_path;
    const auto [it, added] = by_file_.try_emplace(file, images_.size());
    if (added) images_.push_back({file, s.meta.img_id, {}});
    Image& image = images_[it->second];
    const Instances& got = s.pred_instances;
    if (!got.keypoints.defined()) continue;
    // A sequence (1, T, K, 3) is T instances.
    const int64_t K = got.keypoints.size(-2), D = got.keypoints.size(-1);
    const int64_t N = got.keypoints.numel() / std::max<int64_t>(K * D, 1);
    const Tensor& on_picture = points_on_picture(got);
    const int64_t flat_dims = on_picture.size(-1);
    const bool boxed = got.bboxes.defined() && got.bboxes.size(0) == N;
    for (int64_t n = 0; n < N; ++n) {
      Instance instance;
      instance.category = s.meta.category_id;
      instance.dims = size_t(D);
      double total = 0;
      for (int64_t k = 0; k < K; ++k) {
        const float* p = got.keypoints.data<float>() + (n * K + k) * D;
        const float score = got.keypoint_scores.data<float>()[n * K + k];
        instance.points.insert(instance.points.end(), p, p + D);
        instance.points.push_back(score);
        const float* q = on_picture.data<float>() + (n * K + k) * flat_dims;
        instance.flat.insert(instance.flat.end(), {q[0], q[1], score});
        total += score;
      }
      if (boxed)
        instance.box.assign(got.bboxes.data<float>() + 4 * n, got.bboxes.data<float>() + 4 * n + 4);
      const double box_score =
          boxed && got.bbox_scores.defined() ? double(got.bbox_scores.data<float>()[n]) : 1.0;
      instance.score = box_score * total / double(std::max<int64_t>(K, 1));
      image.instances.push_back(std::move(instance));
    }
  }
}

void PredictionFile::write_coco(const std::string& path) const {
  Json list = Json::array();
  for (const Image& image : images_) {
    for (const Instance& i : image.instances) {
      Json entry{{"image_id", image.id}, {"category_id", i.category}};
      Json points = Json::array();
      for (size_t k = 0; k < i.flat.size(); ++k)
        points.push_back(rounded(i.flat[k], k % 3 == 2 ? 1e4 : 100));
      entry["keypoints"] = points;
      entry["score"] = rounded(i.score, 1e6);
      if (!i.box.empty())
        entry["bbox"] = numbers({i.box[0], i.box[1], i.box[2] - i.box[0], i.box[3] - i.box[1]});
      list.push_back(std::move(entry));
    }
  }
  write_file_atomically(path, list.dump() + "\n");
}

void PredictionFile::write_readable(const std::string& path) const {
  Json all{{"keypoints", meta_.keypoint_names}, {"images", Json::array()}};
  for (const Image& image : images_) {
    Json entry{{"file", image.file}, {"instances", Json::array()}};
    for (const Instance& i : image.instances) {
      Json instance{{"score", rounded(i.score, 1e4)}};
      if (!i.box.empty()) instance["bbox"] = numbers(i.box);
      const size_t step = i.dims + 1;
      for (size_t k = 0; step * k < i.points.size(); ++k) {
        const std::string name =
            k < meta_.keypoint_names.size() ? meta_.keypoint_names[k] : std::to_string(k);
        Json& point = instance["keypoints"][name] = Json::array();
        for (size_t d = 0; d < step; ++d)  // coordinates of space may be metres
          point.push_back(rounded(i.points[step * k + d], d < i.dims && i.dims == 2 ? 100 : 1e4));
      }
      entry["instances"].push_back(std::move(instance));
    }
    all["images"].push_back(std::move(entry));
  }
  write_file_atomically(path, all.dump(1) + "\n");
}

}  // namespace limber
