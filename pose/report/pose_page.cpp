#include "pose/report/pose_page.h"

#include "pose/report/html.h"
#include "pose/report/pose_view.h"
#include "tensor/op.h"
#include "tensor/ops.h"
#include "tensor/write_file.h"

namespace limber {

void PosePage::add(std::span<const DataSample> samples) {
  for (const DataSample& sample : samples) {
    const Instances& found = sample.pred_instances;
    if (!found.more.contains("transformed_keypoints") || found.keypoints.size(-1) != 3) continue;
    if (sample.meta.img_path != last_image_) person_ = 0;
    last_image_ = sample.meta.img_path;
    if (person_ == tracks_.size()) tracks_.emplace_back();
    tracks_[person_++].push_back(found.keypoints);
  }
}

void PosePage::write(const std::string& path) const {
  HtmlPage page("Poses in space");
  page.heading("Poses in space");
  page.paragraph("Drag to turn, wheel to zoom.");
  for (size_t i = 0; i < tracks_.size(); ++i) {
    page.paragraph(str("Person ", i + 1, ", ", tracks_[i].size(), " pictures"));
    const NoRecord no_record;
    page.raw(pose_view(concat(tracks_[i], 0), meta_, str("person", i)));
  }
  write_file_atomically(path, page.text());
}

}  // namespace limber
