#include "pose/heads/edpose_denoising.h"

#include <algorithm>
#include <limits>

namespace limber {
namespace {

constexpr float kHidden = -std::numeric_limits<float>::infinity();

Tensor label_of(const DataSample& sample, const char* name, const Shape& shape) {
  const auto it = sample.labels.find(name);
  check(it != sample.labels.end() && !it->second.empty(), "EDPoseHead: the sample has no label \"",
        name, "\": is EDPoseLabel the encoder?");
  const Tensor label = it->second[0].to(DType::f32);
  check(label.shape() == shape, "EDPoseHead: label \"", name, "\" ", label.shape(), ", ", shape,
        " is wanted");
  return label;
}

Tensor areas_of(const Tensor& boxes) {
  Tensor areas = Tensor::empty({boxes.size(0)});
  for (int64_t i = 0; i < areas.numel(); ++i)
    areas.data<float>()[i] = boxes.data<float>()[4 * i + 2] * boxes.data<float>()[4 * i + 3];
  return areas;
}

// The true person that each of R queries starts from.
std::vector<int64_t> repeated(int64_t people, int64_t R, Random& random) {
  std::vector<int64_t> all;
  const int64_t whole = R / people * people;
  for (int64_t i = 0; i < R; ++i) all.push_back(i < whole ? i % people : random.integer(0, people));
  return all;
}

void disturb(float* box, double noise, Random& random) {
  const float w = box[2], h = box[3];
  const float reach[] = {w / 2, h / 2, w, h};
  for (int i = 0; i < 4; ++i)
    box[i] = std::clamp(box[i] + float(random.uniform(-1, 1) * noise) * reach[i], 0.0f, 1.0f);
}

// Query q sees the others of its repetition and everything behind the denoising queries, which see
// none of them. mask: (size, size) of zeros.
void mask_denoising(float* mask, int64_t size, int64_t denoising, int64_t people) {
  for (int64_t q = denoising; q < size; ++q) std::fill_n(mask + q * size, denoising, kHidden);
  if (people == 0) return;
  for (int64_t q = 0; q < denoising; ++q)
    for (int64_t k = 0; k < denoising; ++k)
      if (q / people != k / people) mask[q * size + k] = kHidden;
}

void mask_groups(float* mask, int64_t size, int64_t denoising, int64_t group) {
  for (int64_t q = denoising; q < size; ++q)
    for (int64_t k = denoising; k < size; ++k) {
      const int64_t at = q - denoising, to = k - denoising;
      const bool boxes = at % group == 0 && to % group == 0;
      if (at / group != to / group && !boxes) mask[q * size + k] = kHidden;
    }
}

}  // namespace

std::vector<EDPoseTruth> read_edpose_truth(ConstBatch samples, int64_t K, DType dtype) {
  const DeviceScope on_host({});
  std::vector<EDPoseTruth> all;
  for (const DataSample& sample : samples) {
    const auto given = sample.labels.find("keypoints");
    const int64_t people = given == sample.labels.end() ? 0 : given->second.at(0).size(0);
    EDPoseTruth truth;
    const Tensor boxes = label_of(sample, "bboxes", {people, 4});
    const bool areas = sample.labels.contains("areas");
    truth.boxes = boxes.to(dtype);
    truth.points = label_of(sample, "keypoints", {people, K, 2}).to(dtype);
    truth.visible = label_of(sample, "keypoints_visible", {people, K}).to(dtype);
    truth.areas = (areas ? label_of(sample, "areas", {people}) : areas_of(boxes)).to(dtype);
    const auto& [height, width] = sample.meta.img_shape;
    if (height > 0 && width > 0) truth.aspect = double(width) / height;
    all.push_back(std::move(truth));
  }
  return all;
}

DenoisingQueries make_denoising_queries(std::span<const EDPoseTruth> truth,
                                        const DenoisingOptions& o, int64_t person, int64_t nobody,
                                        Random& random) {
  const Device device = current_device();
  const DeviceScope on_host({});
  const int64_t R = o.queries;
  const auto N = int64_t(truth.size());
  DenoisingQueries queries{Tensor::empty({N, R}, DType::i64), Tensor::empty({N, R, 4}), {}};
  for (int64_t n = 0; n < N; ++n) {
    const EDPoseTruth& image = truth[size_t(n)];
    int64_t* labels = queries.labels.data<int64_t>() + n * R;
    float* boxes = queries.boxes.data<float>() + n * R * 4;
    if (image.people() == 0) {
      std::fill_n(labels, R, nobody);
      for (int64_t i = 0; i < 4 * R; ++i) boxes[i] = float(random.uniform());
      queries.truth.emplace_back();
      continue;
    }
    const std::vector<int64_t>& from =
        queries.truth.emplace_back(repeated(image.people(), R, random));
    const Tensor known = image.boxes.to(DType::f32);
    for (int64_t q = 0; q < R; ++q) {
      labels[q] = random.chance(o.label_noise) ? random.integer(0, o.labels) : person;
      std::copy_n(known.data<float>() + 4 * from[size_t(q)], 4, boxes + 4 * q);
      disturb(boxes + 4 * q, o.box_noise, random);
    }
  }
  queries.labels = queries.labels.to(device);
  queries.boxes = queries.boxes.to(device);
  return queries;
}

EDPoseMasks make_edpose_masks(int64_t proposals, int64_t groups, int64_t keypoints,
                              int64_t denoising, std::span<const int64_t> people, DType dtype) {
  const Device device = current_device();
  const DeviceScope on_host({});
  const int64_t group = keypoints + 1, both[] = {proposals, groups * group};
  EDPoseMasks masks;
  const int64_t N = std::max<int64_t>(1, int64_t(people.size()));
  for (const bool of_groups : {false, true}) {
    if (!of_groups && people.empty()) continue;
    const int64_t size = denoising + both[of_groups];
    Tensor mask = Tensor::zeros({N, 1, size, size});
    for (int64_t n = 0; n < N; ++n) {
      float* to = mask.data<float>() + n * size * size;
      if (!people.empty()) mask_denoising(to, size, denoising, people[size_t(n)]);
      if (of_groups) mask_groups(to, size, denoising, group);
    }
    (of_groups ? masks.groups : masks.boxes) = mask.to(dtype).to(device);
  }
  return masks;
}

}  // namespace limber
