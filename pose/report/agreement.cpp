#include "pose/report/agreement.h"

#include <algorithm>
#include <cmath>

namespace limber {
namespace {

double mean(const std::vector<double>& values) {
  double total = 0;
  for (double v : values) total += v;
  return values.empty() ? 0 : total / double(values.size());
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + std::ptrdiff_t(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

void AgreementTable::add(std::span<const DataSample> samples) {
  for (const DataSample& s : samples) {
    const size_t index = added_++;
    const Instances &got = s.pred_instances, &truth = s.gt_instances;
    if (!truth.keypoints.defined() || !got.keypoints.defined()) continue;
    const float* box = truth.bboxes.data<float>();
    const double w = box[2] - box[0], h = box[3] - box[1], side = std::max(w, h);
    // COCO's area is the segmentation's; 0.53 of the box where there is none, as elsewhere.
    const double area = !s.meta.raw_annotations.empty() && s.meta.raw_annotations[0]->area > 0
                            ? s.meta.raw_annotations[0]->area
                            : 0.53 * w * h;
    double total = 0;
    int labelled = 0;
    const int64_t D = truth.keypoints.size(2), E = got.keypoints.size(2);
    for (size_t k = 0; k < points_.size(); ++k) {
      const int64_t i = int64_t(k);
      if (truth.keypoints_visible.data<float>()[i] <= 0) continue;
      const double dx = got.keypoints.data<float>()[i * E] - truth.keypoints.data<float>()[i * D];
      const double dy =
          got.keypoints.data<float>()[i * E + 1] - truth.keypoints.data<float>()[i * D + 1];
      const double sigma = meta_.sigmas.empty() ? 0.05 : double(meta_.sigmas[k]);
      const double square = dx * dx + dy * dy;
      const double oks = std::exp(-square / (8 * sigma * sigma * std::max(area, 1.0)));
      Point& p = points_[k];
      p.errors.push_back(std::sqrt(square));
      p.oks.push_back(oks);
      p.scores.push_back(got.keypoint_scores.data<float>()[i]);
      p.near += std::sqrt(square) < 0.1 * side;
      total += oks;
      ++labelled;
    }
    if (labelled > 0) instances_.push_back({index, total / labelled});
  }
}

std::vector<KeypointAgreement> AgreementTable::keypoints() const {
  std::vector<KeypointAgreement> rows;
  for (size_t k = 0; k < points_.size(); ++k) {
    const Point& p = points_[k];
    KeypointAgreement row{.name = meta_.keypoint_names[k], .labelled = int64_t(p.errors.size())};
    row.oks = mean(p.oks);
    row.pck = p.errors.empty() ? 0 : double(p.near) / double(p.errors.size());
    row.median_error = median(p.errors);
    row.mean_score = mean(p.scores);
    rows.push_back(row);
  }
  return rows;
}

std::vector<InstanceAgreement> AgreementTable::worst() const {
  std::vector<InstanceAgreement> sorted = instances_;
  std::ranges::stable_sort(sorted, {}, &InstanceAgreement::oks);
  return sorted;
}

}  // namespace limber
