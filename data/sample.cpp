#include "data/sample.h"

#include <cstring>

#include "pose/core/image_recipe.h"

namespace limber {
namespace {

// Every field with one row per instance.
template <class F>
void for_each_field(Sample& s, F f) {
  for (Tensor* t :
       {&s.bbox, &s.bbox_score, &s.bbox_center, &s.bbox_scale, &s.bbox_rotation, &s.keypoints,
        &s.keypoints_visible, &s.transformed_keypoints, &s.area, &s.category_id})
    f(*t);
}

}  // namespace

int64_t Sample::num_instances() const {
  for (const Tensor* t : {&bbox, &keypoints, &bbox_center})
    if (t->defined()) return t->size(0);
  return 0;
}

std::array<int, 2> Sample::image_size() const {
  if (recipe != nullptr && recipe->size[0] > 0) return recipe->size;
  if (img.defined()) return {int(img.size(1)), int(img.size(0))};
  return {meta.img_shape[1], meta.img_shape[0]};
}

Tensor take_rows(const Tensor& t, const std::vector<int64_t>& indices) {
  Tensor out = Tensor::empty(t.shape().with(0, int64_t(indices.size())), t.dtype());
  const size_t row = size_t(t.shape().inner(0)) * size_of(t.dtype());
  auto* to = static_cast<std::byte*>(out.raw());
  for (int64_t i : indices) {
    std::memcpy(to, static_cast<const std::byte*>(t.raw()) + size_t(i) * row, row);
    to += row;
  }
  return out;
}

Tensor stack_rows(const Tensor& a, const Tensor& b) {
  check(a.shape().without(0) == b.shape().without(0) && a.dtype() == b.dtype(),
        "stack_rows: shapes ", a.shape(), " and ", b.shape());
  Tensor out = Tensor::empty(a.shape().with(0, a.size(0) + b.size(0)), a.dtype());
  std::memcpy(out.raw(), a.raw(), a.bytes());
  std::memcpy(static_cast<std::byte*>(out.raw()) + a.bytes(), b.raw(), b.bytes());
  return out;
}

void keep_instances(Sample& sample, const std::vector<int64_t>& indices) {
  const int64_t N = sample.num_instances();
  for_each_field(sample, [&](Tensor& t) {
    if (t.defined()) t = take_rows(t, indices);
  });
  for (auto& [name, list] : sample.more)
    for (Tensor& t : list)
      if (t.rank() > 0 && t.size(0) == N) t = take_rows(t, indices);
  const auto keep = [&](auto& list) {
    if (int64_t(list.size()) != N) return;
    std::remove_reference_t<decltype(list)> kept;
    for (int64_t i : indices) kept.push_back(list[size_t(i)]);
    list = std::move(kept);
  };
  keep(sample.ids);
  keep(sample.meta.raw_annotations);
}

void append_instances(Sample& sample, const Sample& other) {
  std::vector<const Tensor*> theirs;
  for_each_field(const_cast<Sample&>(other), [&](Tensor& t) { theirs.push_back(&t); });
  size_t i = 0;
  for_each_field(sample, [&](Tensor& t) {
    const Tensor& their = *theirs[i++];
    t = t.defined() && their.defined() ? stack_rows(t, their) : Tensor();
  });
  for (auto it = sample.more.begin(); it != sample.more.end();) {
    const auto their = other.more.find(it->first);
    if (their != other.more.end() && their->second.size() == 1 && it->second.size() == 1) {
      it->second[0] = stack_rows(it->second[0], their->second[0]);
      ++it;
    } else {
      it = sample.more.erase(it);
    }
  }
  sample.ids.insert(sample.ids.end(), other.ids.begin(), other.ids.end());
  auto& raw = sample.meta.raw_annotations;
  raw.insert(raw.end(), other.meta.raw_annotations.begin(), other.meta.raw_annotations.end());
}

}  // namespace limber
