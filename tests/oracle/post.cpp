// Maxima, blurs and local maxima of heat maps and SimCC signals (transforms/post.json).
#include "tests/oracle/post.h"

#include "pose/codecs/blur.h"
#include "pose/codecs/simcc_ops.h"

namespace limber::oracle {
namespace {

Tensor uniform(const char* name, const Shape& shape) { return to_tensor(hashu(name, shape, 0, 1)); }
Tensor signed_unit(const char* name, const Shape& shape) { return to_tensor(hashv(name, shape)); }

void compare_peaks(Case& result, const Json& outputs, const Peaks& peaks) {
  result.compare(outputs.at(0), to_array(peaks.locations));
  result.compare(outputs.at(1), to_array(peaks.values));
}

}  // namespace

void check_post(const File& file, Report& report) {
  for (const Json& one : file.json.at("cases")) {
    const std::string name = one.at("name");
    const Json &inputs = one.at("inputs"), &outputs = one.at("outputs");
    Case result(name);
    const auto is = [&](const char* function) {
      return name.starts_with(std::string("post/") + function);
    };
    if (is("get_heatmap_maximum_batch")) {
      compare_peaks(result, outputs, find_peaks(uniform("pp.hb", {2, 5, 16, 12})));
    } else if (is("get_heatmap_maximum")) {
      const Tensor maps = uniform("pp.hm", {5, 16, 12});
      for (float& v : maps.span<float>().subspan(3 * 16 * 12, 16 * 12)) v = -1;
      compare_peaks(result, outputs, find_peaks(maps));
    } else if (is("get_simcc_maximum")) {
      const Tensor axes[] = {signed_unit("pp.sx", {3, 5, 24}), signed_unit("pp.sy", {3, 5, 32})};
      compare_peaks(result, outputs,
                    find_simcc_peaks(axes, inputs.at("apply_softmax").get<bool>()));
    } else if (is("gaussian_blur1d")) {
      result.compare(outputs, to_array(blur_keeping_peak_1d(uniform("pp.g1", {2, 3, 40}),
                                                            inputs.at("kernel").get<int>())));
    } else if (is("gaussian_blur")) {
      result.compare(outputs, to_array(blur_keeping_peak(uniform("pp.gb", {2, 20, 16}),
                                                         inputs.at("kernel").get<int>())));
    } else if (is("batch_heatmap_nms")) {
      result.compare(outputs, to_array(keep_local_maxima(signed_unit("pp.nms", {1, 3, 12, 10}),
                                                         inputs.at("kernel_size").get<int>())));
    } else {
      result.expect(false, "unknown function");
    }
    report.add(result);
  }
}

}  // namespace limber::oracle
