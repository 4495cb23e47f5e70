#include "pose/report/overlays.h"

#include <filesystem>
#include <set>

#include "data/image.h"
#include "data/video.h"
#include "tensor/write_file.h"

namespace limber {

namespace fs = std::filesystem;

void Overlays::add(std::span<const DataSample> samples) {
  for (const DataSample& sample : samples)
    found_[sample.meta.img_path].push_back(sample.pred_instances);
}

void Overlays::draw(const Tensor& image, const std::string& name) const {
  if (const auto found = found_.find(name); found != found_.end())
    for (const Instances& instance : found->second)
      draw_instances(image, instance, meta_, options_);
}

void Overlays::write_video(const std::string& video, const std::string& out) const {
  VideoReader reader(video);
  VideoWriter writer(out, reader.frame_rate());
  int64_t index = 0;
  while (const std::optional<Tensor> frame = reader.next()) {
    draw(*frame, frame_name(video, ++index));
    writer.add(*frame);
  }
  writer.finish();
}

void Overlays::write(const std::string& folder) const {
  make_folder(folder);
  const auto out = [&](const std::string& file, const char* ending) {
    return folder + "/" + fs::path(file).stem().string() + ending;
  };
  std::set<std::string> videos;
  for (const auto& [file, instances] : found_) {
    if (const std::string video = video_of_frame(file); !video.empty()) {
      videos.insert(video);
      continue;
    }
    const Tensor image = read_image(file);
    draw(image, file);
    write_image(out(file, "_pose.jpg"), image);
  }
  for (const std::string& video : videos) write_video(video, out(video, "_pose.mp4"));
}

}  // namespace limber
