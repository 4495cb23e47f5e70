#include "pose/report/overlays.h"

#include <filesystem>

#include "data/image.h"
#include "tensor/write_file.h"

namespace limber {

namespace fs = std::filesystem;

void Overlays::add(std::span<const DataSample> samples) {
  for (const DataSample& sample : samples)
    found_[sample.meta.img_path].push_back(sample.pred_instances);
}

void Overlays::write(const std::string& folder) const {
  make_folder(folder);
  for (const auto& [file, instances] : found_) {
    const Tensor image = read_image(file);
    for (const Instances& instance : instances) draw_instances(image, instance, meta_, options_);
    write_image(folder + "/" + fs::path(file).stem().string() + "_pose.jpg", image);
  }
}

}  // namespace limber
