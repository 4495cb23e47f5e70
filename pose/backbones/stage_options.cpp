#include "pose/backbones/stage_options.h"

#include <algorithm>

#include "pose/core/layer_config.h"

namespace limber {

bool StageOptions::wanted(int index) const {
  return std::ranges::find(out_indices, index) != out_indices.end();
}

StageOptions read_stages(const Config& c, int count, const StageOptions& defaults) {
  StageOptions o = defaults;
  o.out_indices = c.get("out_indices", o.out_indices);
  for (int& index : o.out_indices) {
    check_input(index >= -count && index < count, c.path(), ".out_indices: no stage ", index,
                ", there are ", count);
    if (index < 0) index += count;
  }
  o.frozen = c.get("frozen_stages", o.frozen);
  check_input(o.frozen >= -1 && o.frozen <= count, c.path(), ".frozen_stages: ", o.frozen, " of ",
              count);
  o.norm_eval = c.get("norm_eval", o.norm_eval);
  o.norm = read_norm(c, "norm_cfg", o.norm);
  c.find("conv_cfg");
  c.find("with_cp");
  return o;
}

void hold(const Scope& s) {
  s.freeze();
  s.keep_eval();
}

void freeze_stages(const Scope& s, const StageOptions& o, const std::function<Scope(int)>& stage) {
  if (o.frozen >= 0) (s / "conv1").freeze();
  for (int i = 0; i < o.frozen; ++i) hold(stage(i));
  if (o.norm_eval) s.store().keep_eval_layers(s.path(), "BatchNorm");
}

int64_t rounded_width(double width) {
  const int64_t rounded = std::max<int64_t>(8, int64_t(width + 4) / 8 * 8);
  return double(rounded) < 0.9 * width ? rounded + 8 : rounded;
}

}  // namespace limber
