#include "data/datasets/mpii.h"

#include <cmath>
#include <filesystem>

#include "data/image.h"
#include "data/json_reader.h"
#include "data/mat_file.h"

namespace limber {
namespace {

struct Person {
  std::string image;
  std::vector<double> center, joints, visible;
  double scale = 0;
};

Person read_person(JsonReader& r) {
  Person person;
  std::string key;
  r.begin_object();
  while (r.next_key(key)) {
    if (key == "image")
      person.image = r.string();
    else if (key == "center")
      r.numbers(person.center);
    else if (key == "scale")
      person.scale = r.number();
    else if (key == "joints")
      r.numbers(person.joints);
    else if (key == "joints_vis")
      r.numbers(person.visible);
    else
      r.skip();
  }
  if (person.image.empty() || person.center.size() != 2) r.fail("a person without image or center");
  return person;
}

int64_t number_in(const std::string& stem) {
  int64_t id = 0;
  for (char c : stem)
    if (c >= '0' && c <= '9') id = id * 10 + (c - '0');
  return id;
}

// Adds head_size, 0.6 of the diagonal of each person's head box, from headboxes_src (2, 2, N): the
// corner, then x or y.
void add_head_sizes(InstanceList& list, const std::string& path) {
  const MatArray boxes = read_mat_array(path, "headboxes_src");
  check_input(boxes.values.size() == 4 * list.instances.size(), path, ": ", boxes.values.size() / 4,
              " head boxes for ", list.instances.size(), " people");
  for (size_t n = 0; n < list.instances.size(); ++n) {
    const double* b = boxes.values.data() + 4 * n;
    list.instances[n].more["head_size"] = {float(0.6 * std::hypot(b[1] - b[0], b[3] - b[2]))};
  }
}

}  // namespace

InstanceList read_mpii(const ReadContext& context) {
  const std::vector<uint8_t> bytes = read_bytes(context.ann_file);
  JsonReader r({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, context.ann_file);
  InstanceList list;
  const size_t K = size_t(context.num_keypoints);
  std::map<int64_t, size_t> places;
  for (r.begin_list(); r.next_item();) {
    Person person = read_person(r);
    check_input(person.joints.size() == 2 * K || (context.test_mode && person.joints.empty()),
                context.ann_file, ": person ", list.instances.size(), " has ",
                person.joints.size() / 2, " key points, the data set's description ", K);
    const int64_t image_id = number_in(std::filesystem::path(person.image).stem());
    const auto [place, added] = places.emplace(image_id, list.images.size());
    if (added)
      list.images.push_back({image_id,
                             (std::filesystem::path(context.image_folder) / person.image).string(),
                             0, 0, 0});
    InstanceRecord record;
    record.id = int64_t(list.instances.size());
    record.image = place->second;
    const double size = person.scale * 200;
    double x = person.center[0], y = person.center[1];
    if (x != -1) y += 15 * person.scale;
    x -= 1, y -= 1;
    record.center = {float(x), float(y)};
    record.scale = {float(size), float(size)};
    record.bbox = {float(x - size / 2), float(y - size / 2), float(x + size / 2),
                   float(y + size / 2)};
    record.area = float(size * size * 0.53);
    person.joints.resize(2 * K, 0);
    person.visible.resize(K, person.visible.empty() ? 1 : 0);
    record.keypoints.assign(person.joints.begin(), person.joints.end());
    record.visible.assign(person.visible.begin(), person.visible.end());
    record.num_keypoints = int(K);
    auto raw = std::make_shared<RawAnnotation>();
    raw->id = record.id, raw->image_id = image_id, raw->num_keypoints = int(K);
    raw->area = *record.area;
    raw->bbox = {record.bbox[0], record.bbox[1], size, size};
    for (size_t k = 0; k < K; ++k)
      raw->keypoints.insert(raw->keypoints.end(),
                            {person.joints[2 * k], person.joints[2 * k + 1], person.visible[k]});
    record.raw = std::move(raw);
    list.instances.push_back(std::move(record));
  }
  r.finish();
  const auto heads = context.config->get<std::string>("headbox_file", "");
  if (!heads.empty()) add_head_sizes(list, heads);
  return list;
}

}  // namespace limber
