#include "pose/core/factory.h"

#include <algorithm>
#include <array>

namespace limber {

std::string_view without_scope(std::string_view type) {
  constexpr std::array<std::string_view, 6> scopes{"mmpose.", "mmdet.",    "mmpretrain.",
                                                   "mmcls.",  "mmengine.", "mmcv."};
  for (std::string_view scope : scopes)
    if (type.starts_with(scope)) return type.substr(scope.size());
  return type;
}

}  // namespace limber
