#include "pose/estimators/device_batch.h"

#include <algorithm>
#include <cstring>

#include "tensor/op.h"

namespace limber {
namespace {

// The bytes of these structs as a tensor on the device.
template <class T>
Tensor upload(const std::vector<T>& structs, Device device) {
  static_assert(std::is_trivially_copyable_v<T>);
  const auto bytes =
      std::span(reinterpret_cast<const uint8_t*>(structs.data()), structs.size() * sizeof(T));
  const DeviceScope on_host({});
  return Tensor::from(bytes, {int64_t(bytes.size())}).to(device);
}

// The pictures one after the other; the places where they begin go into the crops.
Tensor upload_pictures(const std::vector<DataSample>& batch, std::vector<kernels::Crop>& crops,
                       Device device) {
  const DeviceScope on_host({});
  int64_t bytes = 0;
  for (size_t n = 0; n < batch.size(); ++n) {
    crops[n].first = bytes;
    bytes += batch[n].inputs.numel();
  }
  const Tensor all = Tensor::empty({bytes}, DType::u8);
  for (size_t n = 0; n < batch.size(); ++n)
    std::memcpy(all.data<uint8_t>() + crops[n].first, batch[n].inputs.raw(),
                batch[n].inputs.bytes());
  return all.to(device);
}

using Drawings = std::vector<Drawing> ImageRecipe::*;
using Lists = TensorLists DataSample::*;

void draw(std::vector<DataSample>& batch, Drawings drawings, Lists lists, Device device,
          TargetMemory& memory) {
  const DeviceScope scope(device);
  const std::vector<Drawing>& first = batch[0].recipe.get()->*drawings;
  for (size_t i = 0; i < first.size(); ++i) {
    const Drawing& like = first[i];
    std::vector<kernels::Bell> bells;
    for (const DataSample& sample : batch) {
      const std::vector<Drawing>& all = sample.recipe.get()->*drawings;
      check(all.size() == first.size() && all[i].name == like.name && all[i].shape == like.shape &&
                all[i].bells.size() == like.bells.size(),
            "preprocessor: targets \"", like.name, "\" ", like.shape,
            " of one sample of a batch do not fit those of another");
      bells.insert(bells.end(), all[i].bells.begin(), all[i].bells.end());
    }
    const Shape shape = like.shape.inserted(0, int64_t(batch.size()));
    Tensor& targets = memory[str(like.name, ' ', shape)];
    if (!device.is_cuda() || !targets.defined()) targets = Tensor::empty(shape);
    const Tensor curves = upload(bells, device);
    const kernels::Exec ex = exec_for(DType::f32);
    const int64_t width = like.shape[-1], count = int64_t(bells.size());
    if (like.is_map) {
      const int64_t H = like.shape[-2], maps = targets.numel() / (H * width);
      kernels::draw_maps(ex, targets.out(), curves.in(), maps, count / 2 / maps, H, width);
    } else {
      kernels::draw_lines(ex, targets.out(), curves.in(), count, width);
    }
    for (size_t n = 0; n < batch.size(); ++n)
      (batch[n].*lists)[like.name] = {targets.alias(like.shape, int64_t(n) * like.shape.numel())};
  }
}

}  // namespace

Tensor crop_batch(const std::vector<DataSample>& batch, const kernels::Normalisation& norm,
                  Device device) {
  const std::array<int, 2> size = batch[0].recipe->size;
  std::vector<kernels::Crop> crops(batch.size());
  for (size_t n = 0; n < batch.size(); ++n) {
    const DataSample& sample = batch[n];
    check(sample.recipe != nullptr && sample.recipe->size == size && size[0] > 0,
          "preprocessor: the crops of a batch differ in size, or some have on_device and some not");
    check(sample.inputs.rank() == 3 && sample.inputs.size(2) == 3 &&
              sample.inputs.dtype() == DType::u8,
          "preprocessor: on_device needs pictures (H, W, 3) of bytes");
    const ImageRecipe& recipe = *sample.recipe;
    kernels::Crop& crop = crops[n];
    crop.H = sample.inputs.size(0);
    crop.W = sample.inputs.size(1);
    std::ranges::copy(inverse(recipe.matrix), crop.m);
    crop.mirrored_x = recipe.mirrored_x;
    crop.mirrored_y = recipe.mirrored_y;
    crop.colours = recipe.colours;
  }
  const Tensor pixels = upload_pictures(batch, crops, device), places = upload(crops, device);
  const DeviceScope scope(device);
  const int64_t N = int64_t(batch.size());
  const Tensor out = Tensor::empty({N, size[1], size[0], 3});
  kernels::crop_images(exec_for(DType::f32), out.out(), pixels.in(), places.in(), N, size[1],
                       size[0], norm);
  return out;
}

void draw_targets(std::vector<DataSample>& batch, Device device, TargetMemory& memory) {
  draw(batch, &ImageRecipe::labels, &DataSample::labels, device, memory);
  draw(batch, &ImageRecipe::fields, &DataSample::fields, device, memory);
}

}  // namespace limber
